/*
 * What the debugger remembers of values: the history ($1, $2, …, $, $$n) and variables of its own ($count). GDB manual,
 * "Value History" and "Convenience Variables".
 *
 * What is remembered outlives the arena that the value was worked out in, and the program as well: its bytes are kept
 * as they were. Its type must live as long; when types go (a file is read anew), numbers are kept and the rest is
 * forgotten. Not for several threads at once.
 */
#ifndef TL_DEBUGGER_VARIABLES_H
#define TL_DEBUGGER_VARIABLES_H

#include "debugger/values/value.h"

struct tl_variables;

/* Names are no longer than this, the zero byte included. */
#define TL_VARIABLE_NAME_MAX 128

/* An empty store; the caller closes it. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_variables_open(struct tl_variables **variables_ret, struct tl_error *error);
void tl_variables_close(struct tl_variables *variables);

/* Adds a value, which is read if it was not, to the history; *number_ret is its number, from 1 on. */
TL_CHECKED enum tl_status tl_variables_record(struct tl_variables *variables, const struct tl_value_context *context,
					      const struct tl_value *value, tl_u64 *number_ret, struct tl_error *error);

/*
 * $N, or, not `absolute`, the N-th before the last one. As long as nothing was recorded, $ and $$ are of type void.
 * TL_ERROR_ARGUMENT: the history does not go so far. The bytes belong to the store.
 */
TL_CHECKED enum tl_status tl_variables_recall(const struct tl_variables *variables,
					      const struct tl_value_context *context, bool absolute, tl_u64 number,
					      struct tl_value *value_ret, struct tl_error *error);

/* Sets $name. TL_ERROR_TOO_LONG for a name past the bound. */
TL_CHECKED enum tl_status tl_variables_set(struct tl_variables *variables, const struct tl_value_context *context,
					   const char *name, const struct tl_value *value, struct tl_error *error);

/* $name; of type void if it was never set. Its bytes belong to the store until it is set again. */
void tl_variables_get(const struct tl_variables *variables, const struct tl_value_context *context, const char *name,
		      struct tl_value *value_ret);

/* The index-th variable, in the order in which they were set first; NULL past the end. */
const char *tl_variables_name(const struct tl_variables *variables, tl_size index);
/* How many values the history has. */
tl_u64 tl_variables_history(const struct tl_variables *variables);

/*
 * These types are about to go: numbers and pointers that are of them become plain numbers among the types of `context`,
 * everything else becomes void.
 */
void tl_variables_forget_types(struct tl_variables *variables, const struct tl_types *types,
			       const struct tl_value_context *context);

#endif
