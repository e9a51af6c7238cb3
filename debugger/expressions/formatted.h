/*
 * printf for a person at the prompt: a format and expressions, `"%d of %s\n", count, name`, as the command printf and
 * dprintf have it (GDB manual, "Formatted Output").
 *
 * Conversions are C's; each takes the value of one expression, whatever its size. %s reads a string in the program, cut
 * off at a bound. Nothing that is typed reaches the C library's printf unread. Control thread only.
 */
#ifndef TL_DEBUGGER_FORMATTED_H
#define TL_DEBUGGER_FORMATTED_H

#include "debugger/expressions/evaluate.h"
#include "symbols/output.h"

/* Evaluates an expression that stands in a longer text. */
typedef enum tl_status tl_evaluate_text(void *context, const char *text, tl_size size, struct tl_value *value_ret,
					struct tl_error *error);

/*
 * Writes the text of `"format", expression, …`. TL_ERROR_ARGUMENT, with a sentence: no format, a conversion that C does
 * not have, too many or too few expressions.
 */
TL_CHECKED enum tl_status tl_formatted(const struct tl_value_context *values, const char *text,
				       tl_evaluate_text *evaluate, void *context, struct tl_output *output,
				       struct tl_error *error);

#endif
