#include "base/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

tl_u32 tl_trace_mask;

static const char *const names[] = {
#define X(upper, lower, text) #lower,
	TL_TRACE_TABLE(X)
#undef X
};

static struct timespec start;
static int trace_descriptor = STDERR_FILENO;

static bool find_channel(const char *name, size_t length, tl_u32 *mask)
{
	if (length == strlen("all") && memcmp(name, "all", length) == 0) {
		*mask |= (1u << TL_TRACE_MAX) - 1;
		return true;
	}
	for (unsigned i = 0; i < TL_TRACE_MAX; i++) {
		if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
			*mask |= 1u << i;
			return true;
		}
	}
	return false;
}

static enum tl_status unknown_channel(struct tl_error *error, const char *name, size_t length)
{
	char list[128] = "";

	for (unsigned i = 0; i < TL_TRACE_MAX; i++) {
		size_t used = strlen(list);

		(void)snprintf(list + used, sizeof(list) - used, "%s, ", names[i]);
	}
	_Static_assert(sizeof("packets, events, states, points, ptrace, memory, loop, errors, ") < sizeof(list),
		       "the list of channels fits");
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "no trace channel \"%.*s\": choose among %sall", (int)length, name,
		       list);
}

enum tl_status tl_trace_setup(const char *argument, struct tl_error *error)
{
	const char *end = strchrnul(argument, ':');
	const char *file = *end == ':' ? end + 1 : "-";
	int descriptor = STDERR_FILENO;
	tl_u32 mask = 0;

	for (const char *at = argument;; at++) {
		size_t length = strcspn(at, ",:");

		if (!find_channel(at, length, &mask))
			return unknown_channel(error, at, length);
		at += length;
		if (at == end)
			break;
	}
	if (*file == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "no file name behind the ':' of \"--trace %s\"", argument);
	if (strcmp(file, "-") != 0) {
		descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
		if (descriptor < 0)
			return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot open the trace file %s", file);
	}
	if (trace_descriptor != STDERR_FILENO)
		close(trace_descriptor);
	trace_descriptor = descriptor;
	if (start.tv_sec == 0 && start.tv_nsec == 0)
		clock_gettime(CLOCK_MONOTONIC, &start);
	tl_trace_mask |= mask;
	return TL_OK;
}

void tl_trace_close(void)
{
	tl_trace_mask = 0;
	if (trace_descriptor != STDERR_FILENO)
		close(trace_descriptor);
	trace_descriptor = STDERR_FILENO;
}

/* One write a line, so that lines of several threads do not mix. A trace that cannot be written is lost, not fatal. */
static void write_line(const char *line, size_t size)
{
	while (size > 0) {
		ssize_t count = write(trace_descriptor, line, size);

		if (count < 0 && errno != EINTR)
			return;
		if (count > 0) {
			line += count;
			size -= (size_t)count;
		}
	}
}

static int format_head(char *line, size_t size, enum tl_trace_channel channel)
{
	struct timespec now;
	long long microseconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	microseconds = (now.tv_sec - start.tv_sec) * 1000000LL + (now.tv_nsec - start.tv_nsec) / 1000;
	return snprintf(line, size, "%lld.%06lld %s ", microseconds / 1000000, microseconds % 1000000, names[channel]);
}

void tl_trace_line(enum tl_trace_channel channel, const char *format, ...)
{
	char usual[1024];
	char *line = usual;
	int saved = errno;
	va_list arguments;
	int head, body;

	head = format_head(usual, sizeof(usual), channel);
	va_start(arguments, format);
	body = vsnprintf(usual + head, sizeof(usual) - (size_t)head, format, arguments);
	va_end(arguments);
	/* Packets may be long, and a replay wants them whole. Without storage, the line's front must do. */
	if (body >= 0 && (size_t)(head + body) + 1 >= sizeof(usual)) {
		line = malloc((size_t)(head + body) + 2);
		if (line != NULL) {
			memcpy(line, usual, (size_t)head);
			va_start(arguments, format);
			(void)vsnprintf(line + head, (size_t)body + 1, format, arguments);
			va_end(arguments);
		} else {
			line = usual;
			body = (int)sizeof(usual) - head - 2;
		}
	}
	if (body >= 0) {
		line[head + body] = '\n';
		write_line(line, (size_t)(head + body) + 1);
	}
	if (line != usual)
		free(line);
	errno = saved;
}
