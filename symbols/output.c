#include "symbols/output.h"

#include "base/storage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct tl_output tl_output_make(tl_size limit)
{
	return (struct tl_output){.limit = limit};
}

void tl_output_release(struct tl_output *output)
{
	tl_release(tl_storage(), output->text, output->capacity);
	*output = tl_output_make(output->limit);
}

void tl_output_reset(struct tl_output *output)
{
	output->size = 0;
	output->status = TL_OK;
	if (output->text != NULL)
		output->text[0] = 0;
}

/* Room for `size` more bytes and the zero behind them. */
static bool reserve(struct tl_output *output, tl_size size)
{
	tl_size wanted = output->capacity != 0 ? output->capacity : 128;
	char *grown;

	if (output->status != TL_OK)
		return false;
	if (size >= output->limit || output->size >= output->limit - size) {
		output->status = TL_ERROR_TOO_LONG;
		return false;
	}
	while (wanted <= output->size + size)
		wanted *= 2;
	if (wanted == output->capacity)
		return true;
	grown = tl_storage()->resize(tl_storage()->context, output->text, output->capacity, wanted);
	if (grown == NULL) {
		output->status = TL_ERROR_NO_MEMORY;
		return false;
	}
	output->text = grown;
	output->capacity = wanted;
	return true;
}

void tl_output_bytes(struct tl_output *output, const char *bytes, tl_size size)
{
	if (!reserve(output, size))
		return;
	if (size != 0)
		memcpy(output->text + output->size, bytes, size);
	output->size += size;
	output->text[output->size] = 0;
}

void tl_output_text(struct tl_output *output, const char *text)
{
	tl_output_bytes(output, text, strlen(text));
}

void tl_output_spaces(struct tl_output *output, tl_size count)
{
	if (!reserve(output, count))
		return;
	memset(output->text + output->size, ' ', count);
	output->size += count;
	output->text[output->size] = 0;
}

void tl_output_format(struct tl_output *output, const char *format, ...)
{
	char line[256];
	va_list arguments, again;
	int size;

	va_start(arguments, format);
	va_copy(again, arguments);
	size = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (size < 0) {
		output->status = output->status != TL_OK ? output->status : TL_ERROR_ARGUMENT;
	} else if ((tl_size)size < sizeof(line)) {
		tl_output_bytes(output, line, (tl_size)size);
	} else if (reserve(output, (tl_size)size)) {
		/* A name of the program's may be of any length. */
		vsnprintf(output->text + output->size, (tl_size)size + 1, format, again);
		output->size += (tl_size)size;
	}
	va_end(again);
}

const char *tl_output_string(const struct tl_output *output)
{
	return output->text != NULL ? output->text : "";
}

enum tl_status tl_output_status(const struct tl_output *output, struct tl_error *error)
{
	if (output->status == TL_OK)
		return TL_OK;
	if (output->status == TL_ERROR_TOO_LONG)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "the text is longer than %zu KiB: ask for a part of it",
			       output->limit >> 10);
	return TL_FAIL(error, output->status, "%s", tl_status_text(output->status));
}
