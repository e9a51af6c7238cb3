/*
 * Lists of all functions, variables or types whose names match a pattern, of all modules, in gdb's order (GDB manual,
 * "Examining the Symbol Table"): by file, those that other units know first, then by name; behind them the symbols of
 * the ELF tables of which debug information knows nothing.
 *
 * Names are matched in the index; only what matches is read. Control thread only.
 */
#ifndef TL_DEBUGGER_SYMBOL_LIST_H
#define TL_DEBUGGER_SYMBOL_LIST_H

#include "base/arena.h"
#include "debugger/modules/modules.h"
#include "symbols/output.h"

enum tl_list_kind { TL_LIST_FUNCTIONS, TL_LIST_VARIABLES, TL_LIST_TYPES };

struct tl_list_query {
	enum tl_list_kind kind;
	const char *pattern;      /* a basic regular expression (POSIX), found anywhere in a name; NULL: everything */
	const char *type_pattern; /* the same in the type's name; symbols, which have none, are left out. NULL: any */
	bool debug_only;          /* no symbols of ELF tables */
};

/* Something that debug information knows. */
struct tl_listed {
	const struct tl_module *module;
	struct tl_entry entry;
	const char *name; /* with scopes; of a function of C++ with parameters, too */
	const char *file; /* as the line table has it */
	tl_u32 line;      /* 0: none, as of `int` */
	bool is_static;   /* only its unit knows it */
};

/* Something that only a table of symbols knows. */
struct tl_listed_symbol {
	tl_u64 address;
	const char *name;   /* demangled */
	const char *linked; /* as the table has it */
};

struct tl_symbol_list {
	struct tl_listed *entries;
	tl_size count, capacity;
	struct tl_listed_symbol *symbols;
	tl_size symbol_count, symbol_capacity;
	struct tl_arena texts;
};

/*
 * Makes a list; the caller releases it, also after an error. Waits for the indexes of all modules, and asks the
 * patience now and then: TL_ERROR_CANCELLED. TL_ERROR_ARGUMENT: the pattern is no regular expression, with what is
 * wrong. A module whose index could not be made is passed by.
 */
TL_CHECKED enum tl_status tl_symbol_list_make(const struct tl_modules *modules, const struct tl_list_query *query,
					      const struct tl_patience *patience, struct tl_symbol_list *list_ret,
					      struct tl_error *error);
void tl_symbol_list_release(struct tl_symbol_list *list);

/* Writes the declaration of something listed, as gdb does: "static int add(int, int);", "typedef int number;". */
TL_CHECKED enum tl_status tl_listed_write(const struct tl_listed *listed, enum tl_list_kind kind,
					  struct tl_output *output, struct tl_error *error);

#endif
