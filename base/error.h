/*
 * Errors of hosted code: a status with its particulars and its place of birth.
 *
 * A function that can fail in ways a person should read about returns an enum tl_status and takes, last, a struct
 * tl_error that it fills in on failure only. The caller owns the struct (usually on its stack) and may pass NULL when
 * it does not care. Every error is born in tl_error_set, which is thus the one place for a developer's breakpoint.
 */
#ifndef TL_BASE_ERROR_H
#define TL_BASE_ERROR_H

#include "core/status.h"

struct tl_error {
	enum tl_status status;
	int system; /* errno, 0 for none */
	const char *file;
	int line;
	char text[500]; /* a whole sentence for a person, without final newline */
};

/* Fills in `error` (may be NULL) and returns `status`. With system != 0, ": " and the text of that errno are appended.
 */
enum tl_status tl_error_set(struct tl_error *error, enum tl_status status, int system, const char *file, int line,
			    const char *format, ...) TL_PRINTF(6, 7);

/* Returns `status`. It shows compilers and analysers, which do not see into error.c, that an error is never TL_OK. */
static inline enum tl_status tl_error_is(enum tl_status set, enum tl_status status)
{
	(void)set;
	return status;
}

/*
 * An error with no errno, and one that carries errno as it is now. Both are expressions of type enum tl_status;
 * `status` is evaluated twice.
 */
#define TL_FAIL(error, status, ...)                                                                                    \
	tl_error_is(tl_error_set((error), (status), 0, __FILE__, __LINE__, __VA_ARGS__), (status))
#define TL_FAIL_ERRNO(error, status, ...)                                                                              \
	tl_error_is(tl_error_set((error), (status), errno, __FILE__, __LINE__, __VA_ARGS__), (status))

#endif
