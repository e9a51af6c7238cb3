/*
 * Characters and strings as text: quotes, escapes, and runs of one character folded, as gdb prints them.
 */
#ifndef TL_DEBUGGER_PRINT_TEXT_H
#define TL_DEBUGGER_PRINT_TEXT_H

#include "debugger/values/print.h"

/* The letter in front of a literal of such characters: "", "L", "u", "U"; NULL for a type that is no character. */
const char *tl_print_prefix(const struct tl_type *type, tl_u64 width, struct tl_error *error);

/* The character that stands in `width` bytes. */
tl_u32 tl_print_unit(const tl_u8 *bytes, tl_u64 width);

/* One character between single quotes. */
void tl_print_character(struct tl_output *output, const struct tl_print_options *options, const char *prefix,
			const tl_u8 *bytes, tl_u64 width);

/* `count` characters, and "..." behind them if there are more. */
void tl_print_string(struct tl_output *output, const struct tl_print_options *options, const char *prefix,
		     const tl_u8 *bytes, tl_u64 width, tl_u64 count, bool more);

/*
 * Of how many of `count` units a string is printed when it is cut at `most` characters: the run of equal ones in which
 * that falls is shown whole.
 */
tl_u64 tl_print_string_end(const struct tl_print_options *options, const tl_u8 *bytes, tl_u64 width, tl_u64 count,
			   tl_u64 most);

#endif
