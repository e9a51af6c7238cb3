/*
 * Functions as gdb names them in lists of breakpoints and symbols: with scopes, and in C++ with the types of their
 * parameters in the way of a demangler: "call(shapes::shape const&, double*)". Any thread.
 */
#ifndef TL_DEBUGGER_FUNCTION_NAME_H
#define TL_DEBUGGER_FUNCTION_NAME_H

#include "symbols/scope.h"

/* Writes the name of a function's entry: as the linker has it, demangled, or as it is declared; "" for none. */
TL_CHECKED enum tl_status tl_function_write_name(struct tl_types *types, const struct tl_entry *function,
						 struct tl_output *output, struct tl_error *error);
/* The same as it is declared, with the names of types that the source has ("size_type" rather than "unsigned long"). */
TL_CHECKED enum tl_status tl_function_write_declared(struct tl_types *types, const struct tl_entry *function,
						     struct tl_output *output, struct tl_error *error);

/* Writes a symbol demangled, with parameters, without what it returns. False, and nothing, if it cannot be demangled.
 */
bool tl_symbol_write_name(const char *symbol, struct tl_output *output);

/*
 * Writes parameters, as tl_type_write_parameters has them, in that way: "(const char *, int) const" becomes
 * "(char const*, int) const", "(void)" becomes "()".
 */
void tl_parameters_write_plain(struct tl_output *output, const char *text);

#endif
