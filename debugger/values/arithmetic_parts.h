/*
 * Arithmetic on what has several numbers in it: vectors (GCC manual, "Using Vector Instructions through Built-in
 * Functions") and complex numbers (C17, annex G). arithmetic.c asks here first.
 */
#ifndef TL_DEBUGGER_ARITHMETIC_PARTS_H
#define TL_DEBUGGER_ARITHMETIC_PARTS_H

#include "debugger/values/value.h"

/*
 * The result of an operation, unary if `right` is NULL, of which an operand is a vector or a complex number;
 * *applies_ret false when neither is. One number beside a vector stands for as many as that has. Errors as
 * tl_value_binary, and TL_ERROR_ARGUMENT for operations that have no meaning here.
 */
TL_CHECKED enum tl_status tl_value_in_parts(const struct tl_value_context *context, enum tl_punctuator operation,
					    const struct tl_value *left, const struct tl_value *right,
					    struct tl_value *value_ret, bool *applies_ret, struct tl_error *error);

/* A number, complex or not, as a complex one of another type. Errors as tl_value_cast. */
TL_CHECKED enum tl_status tl_value_cast_complex(const struct tl_value_context *context, const struct tl_value *value,
						const struct tl_type *type, struct tl_value *value_ret,
						struct tl_error *error);

#endif
