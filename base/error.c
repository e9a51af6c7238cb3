#include "base/error.h"
#include "base/trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Appends the errno's text; the front of the sentence gives way where both do not fit. */
static void append_system(char *text, size_t size, int system)
{
	char tail[96], buffer[64];
	size_t length, room;

	(void)snprintf(tail, sizeof(tail), ": %s", strerror_r(system, buffer, sizeof(buffer)));
	length = strlen(text);
	room = size - 1 - strlen(tail);
	if (length > room)
		length = room;
	memcpy(text + length, tail, strlen(tail) + 1);
}

enum tl_status tl_error_set(struct tl_error *error, enum tl_status status, int system, const char *file, int line,
			    const char *format, ...)
{
	struct tl_error local;
	struct tl_error *to = error != NULL ? error : &local;
	int saved = errno;
	va_list arguments;

	to->status = status;
	to->system = system;
	to->file = file;
	to->line = line;
	va_start(arguments, format);
	if (vsnprintf(to->text, sizeof(to->text), format, arguments) < 0)
		(void)snprintf(to->text, sizeof(to->text), "%s", tl_status_text(status));
	va_end(arguments);
	if (system != 0)
		append_system(to->text, sizeof(to->text), system);
	TL_TRACE(ERRORS, "%s:%d: %s: %s", file, line, tl_status_name(status), to->text);
	errno = saved;
	return status;
}
