/*
 * Types as text: names and declarations as a C programmer writes them, and the descriptions that gdb's whatis, ptype
 * and ptype/o print, in the same layout (GDB manual, "Examining the Symbol Table"), so that scripts which read those
 * can read these.
 *
 * All functions may be called from any thread. What nests deeper than any program's types is TL_ERROR_MALFORMED.
 */
#ifndef TL_SYMBOLS_TYPE_TEXT_H
#define TL_SYMBOLS_TYPE_TEXT_H

#include "symbols/output.h"
#include "symbols/type.h"

/* How ptype's text is made; gdb's letters. */
enum tl_type_text_flags {
	TL_TYPE_TEXT_OFFSETS = 1,      /* o: offsets and sizes, holes, everything nested; no functions, no types */
	TL_TYPE_TEXT_HEXADECIMAL = 2,  /* x: those in hexadecimal */
	TL_TYPE_TEXT_NO_FUNCTIONS = 4, /* m */
	TL_TYPE_TEXT_NO_TYPES = 8,     /* t: no types declared inside */
	/* Not r: in a class, types by the names of the template's parameters and of typedefs that stand for them */
	TL_TYPE_TEXT_ALIASES = 16
};

/* The name of any type: "struct list *", "int (*)(void)", "char [16]", "struct {...}". */
TL_CHECKED enum tl_status tl_type_write_name(const struct tl_type *type, struct tl_output *output,
					     struct tl_error *error);

/* A declaration of `name` ("" for none) with that type: "int (*call)(void)". Types without a name are written out. */
TL_CHECKED enum tl_status tl_type_write_declaration(const struct tl_type *type, const char *name,
						    struct tl_output *output, struct tl_error *error);

/*
 * The parameters of a function's type, as an overloaded function is told from its namesakes: "(int, char *) const",
 * without the object's own.
 */
TL_CHECKED enum tl_status tl_type_write_parameters(const struct tl_type *function, struct tl_output *output,
						   struct tl_error *error);

/* The same as names of functions have them, where there are none: "() const". */
TL_CHECKED enum tl_status tl_type_write_plain_parameters(const struct tl_type *function, struct tl_output *output,
							 struct tl_error *error);

/*
 * What ptype prints, from "type = " (behind the heading of columns with TL_TYPE_TEXT_OFFSETS) to the last newline:
 * typedefs resolved, the members of the struct, class, union or enumeration that the type is, or leads to.
 */
TL_CHECKED enum tl_status tl_type_write_description(const struct tl_type *type, unsigned flags,
						    struct tl_output *output, struct tl_error *error);

#endif
