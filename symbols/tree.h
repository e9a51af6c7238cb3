/*
 * Which entry encloses which. Entries know their children only; what stands around one (the namespace of a type, the
 * class of a function) is found here.
 *
 * The enclosing entries of a unit (namespaces, types with members, functions, blocks) are noted in one pass over it
 * when the first question comes. What is noted is bounded: beyond that all is forgotten, and noted again at need. All
 * functions may be called from any thread.
 */
#ifndef TL_SYMBOLS_TREE_H
#define TL_SYMBOLS_TREE_H

#include "symbols/dwarf.h"

struct tl_tree;

/* The DWARF must outlive it; the caller closes. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_tree_open(struct tl_tree **tree_ret, struct tl_dwarf *dwarf, struct tl_error *error);
void tl_tree_close(struct tl_tree *tree);

/* The innermost entry that encloses `entry`; the unit's topmost entry encloses all, and is enclosed by one of tag 0. */
TL_CHECKED enum tl_status tl_tree_parent(struct tl_tree *tree, const struct tl_entry *entry,
					 struct tl_entry *parent_ret, struct tl_error *error);

/*
 * Writes the names of what encloses the entry's declaration, each with "::" behind it, as C++ has it: namespaces and
 * types, "(anonymous namespace)" for one without a name, and nothing for functions and blocks. An entry that says of
 * another that it is its DW_AT_specification or DW_AT_abstract_origin stands where that one does. Nothing for a unit of
 * C. Writes through `write`, outermost first.
 */
TL_CHECKED enum tl_status tl_tree_scope(struct tl_tree *tree, const struct tl_entry *entry,
					void (*write)(void *context, const char *text), void *context,
					struct tl_error *error);

/* True for the languages whose names are written with "::" (C++ of every year, Rust, D and their like). */
bool tl_tree_has_scopes(const struct tl_unit *unit);

#endif
