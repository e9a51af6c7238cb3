#include "frontends/serve/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tl_buffer_free(struct tl_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct tl_buffer){0};
}

void tl_buffer_clear(struct tl_buffer *buffer)
{
	buffer->size = 0;
	buffer->failed = false;
	if (buffer->bytes != NULL)
		buffer->bytes[0] = '\0';
}

/* Makes room for `more` bytes and the zero byte behind them. */
static bool reserve(struct tl_buffer *buffer, tl_size more)
{
	tl_size wanted = buffer->capacity != 0 ? buffer->capacity : 256;
	char *grown;

	if (buffer->failed || more > TL_SIZE_MAX / 4 || buffer->size > TL_SIZE_MAX / 4) {
		buffer->failed = true;
		return false;
	}
	if (buffer->size + more < buffer->capacity)
		return true;
	while (wanted <= buffer->size + more)
		wanted *= 2;
	grown = realloc(buffer->bytes, wanted);
	if (grown == NULL) {
		buffer->failed = true;
		return false;
	}
	buffer->bytes = grown;
	buffer->capacity = wanted;
	return true;
}

void tl_buffer_add_bytes(struct tl_buffer *buffer, const void *bytes, tl_size size)
{
	if (!reserve(buffer, size))
		return;
	if (size != 0)
		memcpy(buffer->bytes + buffer->size, bytes, size);
	buffer->size += size;
	buffer->bytes[buffer->size] = '\0';
}

void tl_buffer_add(struct tl_buffer *buffer, const char *text)
{
	tl_buffer_add_bytes(buffer, text, strlen(text));
}

void tl_buffer_format(struct tl_buffer *buffer, const char *format, ...)
{
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (size < 0) {
		buffer->failed = true;
		return;
	}
	if (!reserve(buffer, (tl_size)size))
		return;
	va_start(arguments, format);
	vsnprintf(buffer->bytes + buffer->size, (size_t)size + 1, format, arguments);
	va_end(arguments);
	buffer->size += (tl_size)size;
}

void tl_buffer_add_xml(struct tl_buffer *buffer, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			tl_buffer_add(buffer, "&amp;");
			break;
		case '<':
			tl_buffer_add(buffer, "&lt;");
			break;
		case '>':
			tl_buffer_add(buffer, "&gt;");
			break;
		case '\'':
			tl_buffer_add(buffer, "&apos;");
			break;
		case '"':
			tl_buffer_add(buffer, "&quot;");
			break;
		default:
			tl_buffer_add_bytes(
				buffer, (unsigned char)*text < ' ' && *text != '\t' && *text != '\n' ? "?" : text, 1);
			break;
		}
	}
}

void tl_buffer_take(struct tl_buffer *buffer, tl_size size)
{
	if (buffer->bytes == NULL || size > buffer->size)
		return;
	memmove(buffer->bytes, buffer->bytes + size, buffer->size - size + 1);
	buffer->size -= size;
}

const char *tl_buffer_text(const struct tl_buffer *buffer)
{
	return buffer->bytes != NULL ? buffer->bytes : "";
}
