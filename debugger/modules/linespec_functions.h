/*
 * Functions by the names that a person gives them: where each begins, and each of its inlined copies.
 *
 * A name is any tail of its scopes ("add", "list::add", "ns::list::add(int)"); template arguments and parameters may be
 * left out. Debug information is asked first, then the symbols of ELF, which know of functions that have none. Control
 * thread only.
 */
#ifndef TL_DEBUGGER_LINESPEC_FUNCTIONS_H
#define TL_DEBUGGER_LINESPEC_FUNCTIONS_H

#include "debugger/modules/linespec_words.h"
#include "debugger/modules/modules.h"

/* What is sought, in which modules. */
struct tl_function_query {
	const struct tl_modules *modules;
	const struct tl_module *near;       /* asked first; may be NULL */
	const struct tl_patience *patience; /* may be NULL */
	struct tl_word name;
	bool qualified;    /* the name is whole: nothing is around it */
	const char *file;  /* only those of units that name this file; NULL: of all */
	bool declarations; /* also those without code, for their lines */
};

/* One that was found. */
struct tl_function_found {
	const struct tl_module *module;
	tl_u64 start;  /* where it begins, with bias; 0: it has no code */
	bool inlined;  /* a copy that was inlined somewhere */
	bool resolver; /* of an indirect function (STT_GNU_IFUNC): it chooses one, which is not known yet */
	bool has_entry;
	struct tl_entry entry; /* its debug information: of the copy, not of what was inlined */
	const char *symbol;    /* without debug information: its symbol's name, which belongs to the binary */
};

struct tl_functions_found {
	struct tl_function_found *items;
	tl_size count, capacity;
};

void tl_functions_release(struct tl_functions_found *found);

/*
 * Adds all functions that a query finds, in no particular order; some may begin at the same address. None is no error.
 * TL_ERROR_CANCELLED: patience ended. TL_ERROR_NO_MEMORY. Damaged debug information is passed by.
 */
TL_CHECKED enum tl_status tl_functions_find(const struct tl_function_query *query, struct tl_functions_found *found,
					    struct tl_error *error);

/*
 * The label of a name in a function (not in what was inlined into it): its address, as linked, and its line. False when
 * it has none.
 */
bool tl_function_label(const struct tl_entry *function, const struct tl_word *name, tl_u64 *address_ret,
		       tl_u64 *line_ret);

/* A number that an entry, or what it is a copy of, has as an attribute; false without. *unit_ret: where it stands. */
bool tl_entry_number(const struct tl_entry *entry, tl_u16 name, tl_u64 *number_ret, const struct tl_unit **unit_ret);

#endif
