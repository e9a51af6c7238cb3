/*
 * Member functions by the name of a class that has them from another ("derived::method"), or of another name of a class
 * (a typedef). Control thread only.
 */
#ifndef TL_DEBUGGER_LINESPEC_INHERITED_H
#define TL_DEBUGGER_LINESPEC_INHERITED_H

#include "debugger/modules/linespec_functions.h"

/*
 * For a query that found nothing: adds what the classes that a class of that name is, or has as bases, have. None is no
 * error. Errors as tl_functions_find's.
 */
TL_CHECKED enum tl_status tl_functions_find_inherited(const struct tl_function_query *query,
						      struct tl_functions_found *found, struct tl_error *error);

#endif
