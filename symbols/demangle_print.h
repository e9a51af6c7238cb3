/*
 * The writer of demangled names, between its two files: names and types, and expressions.
 *
 * Types are written as in C, with what is called so in their middle: left of it "void (*", right of it ")(int)". What a
 * T_ stands for depends on where it is written, not on where it is read: on the template whose function is being
 * written. Scopes are those templates, the innermost first.
 */
#ifndef TL_SYMBOLS_DEMANGLE_PRINT_H
#define TL_SYMBOLS_DEMANGLE_PRINT_H

#include "symbols/demangle_tree.h"

struct tl_printer_scope {
	const struct tl_mangled_node *arguments; /* a list */
	const struct tl_printer_scope *outer;
};

struct tl_printer {
	struct tl_output *output;
	const struct tl_printer_scope *scope;
	const struct tl_mangled_node *current; /* arguments of the template whose name is being written */
	tl_u32 element;                        /* of the pack that is being expanded */
	unsigned lambda;                       /* in the parameters of so many lambdas */
	unsigned depth;
	tl_u32 steps;
	bool malformed, too_much;
};

/* Anything; a type's part left of a name, and the one right of it. */
void tl_printer_print(struct tl_printer *printer, const struct tl_mangled_node *what);
void tl_printer_left(struct tl_printer *printer, const struct tl_mangled_node *what);
void tl_printer_right(struct tl_printer *printer, const struct tl_mangled_node *what);

/* An expression; false for what is none. In parentheses, unless it is a single word. */
bool tl_printer_expression(struct tl_printer *printer, const struct tl_mangled_node *what);
void tl_printer_operand(struct tl_printer *printer, const struct tl_mangled_node *what);

/* Some text; that of a node; a list with commas between `open` and `close`. */
void tl_printer_text(struct tl_printer *printer, const char *text);
void tl_printer_own_text(struct tl_printer *printer, const struct tl_mangled_node *what);
void tl_printer_list(struct tl_printer *printer, const char *open, const struct tl_mangled_node *list,
		     const char *close);

/* What was written last. */
char tl_printer_last(const struct tl_printer *printer);

/* The name of a member function without the words behind its parameters; `word`, unless NULL, is called for each. */
const struct tl_mangled_node *tl_printer_plain_name(const struct tl_mangled_node *name,
						    void (*word)(struct tl_printer *, const struct tl_mangled_node *),
						    struct tl_printer *printer);

/* The first pack that a pattern has, NULL for none; and how many things are in one. */
const struct tl_mangled_node *tl_printer_find_pack(struct tl_printer *printer, const struct tl_mangled_node *what);
tl_u32 tl_printer_pack_length(const struct tl_mangled_node *pack);

/* False when it is too deep, took too long, or failed; each true wants a tl_printer_leave. */
bool tl_printer_enter(struct tl_printer *printer);
void tl_printer_leave(struct tl_printer *printer);

#endif
