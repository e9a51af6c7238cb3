/*
 * Functions of the debugger's own, for expressions and conditions: $_streq(a, b), $_strlen(s), $_memeq(a, b, n) and
 * $_regex(s, expression) (GDB manual, "Convenience Functions"). Nothing is called in the program for them. Not for
 * several threads at once for one struct tl_value_context.
 */
#ifndef TL_DEBUGGER_INTERNAL_FUNCTIONS_H
#define TL_DEBUGGER_INTERNAL_FUNCTIONS_H

#include "debugger/values/value.h"

/* Is there a function of that name, which is written without the dollar? */
bool tl_internal_function_exists(const char *name);

/*
 * Its value, an int. `types_only`: the arguments are counted, and nothing is read. TL_ERROR_ARGUMENT for too many or
 * too few arguments, or for ones that are no strings.
 */
TL_CHECKED enum tl_status tl_internal_function_call(const struct tl_value_context *values, const char *name,
						    const struct tl_value *arguments, tl_size count, bool types_only,
						    struct tl_value *value_ret, struct tl_error *error);

#endif
