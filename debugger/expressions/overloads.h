/*
 * Which of several functions of one name a call means: C++'s choice by the arguments' types ([over.match]), as far as
 * what debug information says of functions decides it. Conversions that would run code (constructors, conversion
 * functions) are not made. Not for several threads at once for one struct tl_value_context.
 */
#ifndef TL_DEBUGGER_OVERLOADS_H
#define TL_DEBUGGER_OVERLOADS_H

#include "debugger/values/value.h"

/* A function that may be meant. */
struct tl_overload {
	const struct tl_type *function; /* its stripped type */
	bool has_object;                /* its first parameter is the object that it belongs to */
};

/*
 * The best of them for these arguments, the object not among them. `object` is the object's type, whose being const
 * counts; NULL: there is none. TL_ERROR_ARGUMENT with a sentence about `name` when none fits, or none is better than
 * all others.
 */
TL_CHECKED enum tl_status tl_overload_choose(const struct tl_value_context *context, const char *name,
					     const struct tl_overload *overloads, tl_size count,
					     const struct tl_type *object, const struct tl_value *arguments,
					     tl_size argument_count, tl_size *index_ret, struct tl_error *error);

#endif
