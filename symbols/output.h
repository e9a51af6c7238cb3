/*
 * Text that grows as it is written: what a command shows, a type's name, a list.
 *
 * Whoever writes need not look at each call: the first failure (no storage, or more than the limit) is kept in
 * `status`, and what comes after it is dropped. The text always ends with a zero byte. Not for use by several threads
 * at once.
 */
#ifndef TL_SYMBOLS_OUTPUT_H
#define TL_SYMBOLS_OUTPUT_H

#include "base/error.h"
#include "core/types.h"

/* No text that is made here may be longer, unless its maker says so. */
#define TL_OUTPUT_MAX ((tl_size)16 << 20)

struct tl_output {
	char *text; /* NULL until something is written */
	tl_size size, capacity, limit;
	enum tl_status status;
};

/* An empty text of at most `limit` bytes. The caller releases it. */
struct tl_output tl_output_make(tl_size limit);

/* Gives back the storage and empties the text; it may be written again. */
void tl_output_release(struct tl_output *output);

/* Empties the text, keeps the storage, and forgets a failure. */
void tl_output_reset(struct tl_output *output);

/* A string; some bytes; so many spaces; printf. */
void tl_output_text(struct tl_output *output, const char *text);
void tl_output_bytes(struct tl_output *output, const char *bytes, tl_size size);
void tl_output_spaces(struct tl_output *output, tl_size count);
void tl_output_format(struct tl_output *output, const char *format, ...) TL_PRINTF(2, 3);

/* What was written so far, "" at the beginning; valid until the next call. */
const char *tl_output_string(const struct tl_output *output);

/* TL_OK, or the first failure as an error with its sentence. */
TL_CHECKED enum tl_status tl_output_status(const struct tl_output *output, struct tl_error *error);

#endif
