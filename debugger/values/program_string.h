/*
 * Strings of the program: what a char pointer leads to, up to the zero byte, or an array of characters.
 */
#ifndef TL_DEBUGGER_PROGRAM_STRING_H
#define TL_DEBUGGER_PROGRAM_STRING_H

#include "debugger/values/value.h"

/* No more is read; a longer string is cut off. */
#define TL_PROGRAM_STRING_MAX 65536

/*
 * Its bytes with a zero byte behind them, in the arena of the values. TL_ERROR_MEMORY where it cannot be read;
 * TL_ERROR_ARGUMENT for a value that is no address.
 */
TL_CHECKED enum tl_status tl_program_string(const struct tl_value_context *values, const struct tl_value *value,
					    char **text_ret, struct tl_error *error);

#endif
