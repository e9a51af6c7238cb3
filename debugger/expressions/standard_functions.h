/*
 * What functions of the C library return, for programs whose library has no debug information: a condition such as
 * strcmp(name, "x") == 0 needs no cast. Only where the standard says it, and nothing is guessed. Control thread only.
 */
#ifndef TL_DEBUGGER_STANDARD_FUNCTIONS_H
#define TL_DEBUGGER_STANDARD_FUNCTIONS_H

#include "debugger/values/value.h"

/* The type that a function of that name returns; NULL for one that is not known. C17, clause 7; POSIX.1-2017. */
TL_CHECKED enum tl_status tl_standard_result(const struct tl_value_context *values, const char *name,
					     const struct tl_type **type_ret, struct tl_error *error);

#endif
