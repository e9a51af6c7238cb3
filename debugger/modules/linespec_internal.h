/*
 * What the files of debugger/modules/linespec.h share: linespec.c says what words mean, linespec_places.c makes places
 * of that.
 */
#ifndef TL_DEBUGGER_LINESPEC_INTERNAL_H
#define TL_DEBUGGER_LINESPEC_INTERNAL_H

#include "debugger/modules/linespec.h"
#include "debugger/modules/linespec_functions.h"

/* One question for places, and what was found so far. */
struct tl_finder {
	const struct tl_modules *modules;
	const struct tl_linespec_base *base;
	const struct tl_patience *patience;
	bool at_entry;
	bool for_lists; /* lines are wanted, not code */
	struct tl_code_places places;
};

/* The innermost function around an address, inlined ones among them, or the outermost. Tag 0: none. */
struct tl_entry tl_function_around(const struct tl_module *module, tl_u64 address, bool outermost);

/* A new place at the end of the list, empty; NULL when there is no storage. */
struct tl_code_place_found *tl_finder_add(struct tl_finder *finder);
/* Gives back what a place has. */
void tl_place_release(struct tl_code_place_found *place);
/* Puts places in the order of addresses, each once; those without address in that of files and lines. */
void tl_finder_finish(struct tl_finder *finder);

/* Copies of a text, in storage that tl_code_places_release gives back. NULL when there is none. */
char *tl_place_text(const char *text);
/* The name of a function, with scopes and parameters; NULL when it has none. */
char *tl_place_name(const struct tl_module *module, const struct tl_entry *function);
/* The whole path of a file by its number in the line table of an entry's unit; NULL for none. */
char *tl_place_file(const struct tl_module *module, const struct tl_unit *unit, tl_u64 number);

/* Fills in of a place with an address what is known: module, function around, name, file, line. */
void tl_place_describe(const struct tl_modules *modules, struct tl_code_place_found *place);

/* Adds a place for each function; of a label in each, if `label` has a text. */
TL_CHECKED enum tl_status tl_finder_functions(struct tl_finder *finder, const struct tl_functions_found *functions,
					      const struct tl_word *label, struct tl_error *error);
/* Adds the declarations of functions, for lists. */
TL_CHECKED enum tl_status tl_finder_declarations(struct tl_finder *finder, const struct tl_functions_found *functions,
						 struct tl_error *error);
/* Adds the declarations of variables of a name, for lists. */
TL_CHECKED enum tl_status tl_finder_variables(struct tl_finder *finder, const struct tl_word *name,
					      struct tl_error *error);
/*
 * Adds the places of a line of a file, or, where it has no code, of the next one that has. *known_ret: some module
 * names the file.
 */
TL_CHECKED enum tl_status tl_finder_line(struct tl_finder *finder, const char *file, tl_u32 line, bool *known_ret,
					 struct tl_error *error);
/* Adds a line of each file that is called so, whether it has code or not. */
TL_CHECKED enum tl_status tl_finder_files(struct tl_finder *finder, const char *file, tl_u32 line,
					  struct tl_error *error);

#endif
