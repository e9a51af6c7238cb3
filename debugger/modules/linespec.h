/*
 * Places in a program as a person names them, and the addresses that they are (GDB manual, "Specify Location"):
 *
 *     LINE, FILE:LINE, +N, -N     lines; relative ones and those without a file from where one stands
 *     FUNCTION, FILE:FUNCTION     functions, by any tail of their scopes, every overload and inlined copy
 *     *EXPRESSION                 an address
 *     FUNCTION:LABEL              a label of C
 *     -function F -line N -source F -qualified …    explicit ones
 *
 * What a condition or a thread follows ("f if x > 3 thread 2") ends at the keyword. Control thread only.
 */
#ifndef TL_DEBUGGER_LINESPEC_H
#define TL_DEBUGGER_LINESPEC_H

#include "debugger/modules/modules.h"

/* Where one stands: what a line without a file, or an offset, is counted from. */
struct tl_linespec_base {
	const char *file; /* as a line table has it, whole; NULL: nowhere */
	tl_u32 line;
	tl_u64 address; /* of the selected frame, for a bare "*" or an empty place; 0: none */
	/* *EXPRESSION; NULL: only numbers. */
	enum tl_status (*evaluate)(void *context, const char *text, tl_size size, tl_u64 *address_ret,
				   struct tl_error *error);
	void *context;
};

/* One place in the code. */
struct tl_code_place_found {
	tl_u64 address;                 /* where a breakpoint stands: for functions behind the prologue */
	tl_u64 function;                /* where the function around it begins; 0: not known */
	const struct tl_module *module; /* NULL: none covers the address */
	char *name;                     /* of the function around, with scopes and parameters; NULL: not known */
	char *file;                     /* whole path, NULL: no line information */
	tl_u32 line;
	bool inlined;  /* an inlined copy of the function that was named */
	bool resolver; /* it chooses an indirect function, and has not yet: look again when it has returned */
};

struct tl_code_places {
	struct tl_code_place_found *items;
	tl_size count, capacity;
	/*
	 * What was understood, for lists and messages: "list.c:12", "add". It can be read again, when libraries came or
	 * went, and means the same wherever one stands. Belongs to this.
	 */
	char *text;
};

/* Frees what was found and its text; the structure itself is the caller's. Control thread. */
void tl_code_places_release(struct tl_code_places *places);

/*
 * Reads a place from the start of `text` and finds its addresses. *rest_ret is where what was understood ends, spaces
 * behind it skipped: an "if …", "thread …" or nothing. TL_ERROR_NO_SYMBOL: there is no such file, function or line (a
 * breakpoint may wait for it); TL_ERROR_ARGUMENT: it makes no sense. `at_entry`: functions are where they begin, not
 * behind their prologues.
 */
TL_CHECKED enum tl_status tl_linespec_find(const struct tl_modules *modules, const struct tl_linespec_base *base,
					   const struct tl_patience *patience, const char *text, bool at_entry,
					   struct tl_code_places *places_ret, const char **rest_ret,
					   struct tl_error *error);

/*
 * The lines that a place names, for `list` and `info line`, without caring for code: of each item of *places_ret file
 * and line are filled in, the latter of a variable that of its declaration, of a function that at which its code begins
 * (then with their names, of a variable also the module); addresses are 0. There are several for overloads, and for
 * files of one name; each line is there once. A line that is named need not exist in its file. Errors as above.
 */
TL_CHECKED enum tl_status tl_linespec_line(const struct tl_modules *modules, const struct tl_linespec_base *base,
					   const struct tl_patience *patience, const char *text,
					   struct tl_code_places *places_ret, const char **rest_ret,
					   struct tl_error *error);

#endif
