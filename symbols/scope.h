/*
 * Scopes: what code is around an address (the function, the functions inlined there, the blocks), and which parameters
 * and variables that code sees.
 *
 * Addresses are as linked, without load bias. What is found of a unit is kept, within bounds. All functions may be
 * called from any thread. TL_ERROR_MALFORMED: the debug information is damaged there.
 */
#ifndef TL_SYMBOLS_SCOPE_H
#define TL_SYMBOLS_SCOPE_H

#include "symbols/output.h"
#include "symbols/type.h"

struct tl_scopes;

enum tl_scope_kind {
	TL_SCOPE_FUNCTION, /* the outermost */
	TL_SCOPE_INLINED,  /* a function that was inlined here: a frame of its own, for people */
	TL_SCOPE_BLOCK
};

struct tl_scope {
	enum tl_scope_kind kind;
	struct tl_entry entry; /* of the code itself; what was declared is found through tl_entry_inherited */
	tl_u64 start, end;     /* the range of it that holds the address */
	const char *name;      /* of functions, as it stands there; NULL for none */
	tl_u64 declared_line;  /* of functions; 0: unknown */
	/* Of an inlined function: where it was called, the file as a number in the line table of the entry's unit. */
	tl_u64 call_file, call_line, call_column;
};

/* The scopes around an address, innermost first; the function is the last. */
struct tl_scope_chain {
	struct tl_scope *scopes;
	tl_size count, capacity;
};

/* The DWARF must outlive it; the caller closes. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_scopes_open(struct tl_scopes **scopes_ret, struct tl_dwarf *dwarf, struct tl_error *error);
void tl_scopes_close(struct tl_scopes *scopes);

/*
 * The scopes around an address; none, which is no error, where no function with debug information is. The caller
 * releases the chain, which may be the empty {0} or one that was used before.
 */
TL_CHECKED enum tl_status tl_scopes_at(struct tl_scopes *scopes, tl_u64 address, struct tl_scope_chain *chain,
				       struct tl_error *error);
void tl_scope_chain_release(struct tl_scope_chain *chain);

/*
 * Sets how the unit of an address is found by an index, before other threads ask: a table of all units' ranges, which
 * is made at the first need otherwise, takes a big program a fifth of a second. The callback comes from any thread, and
 * returns false while it does not know.
 */
void tl_scopes_set_units(struct tl_scopes *scopes,
			 bool (*unit_at)(void *context, tl_u64 address, const struct tl_unit **unit_ret),
			 void *context);

/* The unit whose code is at an address, also where no function is (assembler); of several the innermost. NULL: none. */
TL_CHECKED enum tl_status tl_scopes_unit(struct tl_scopes *scopes, tl_u64 address, const struct tl_unit **unit_ret,
					 struct tl_error *error);

/* Calls back for every function of a unit that has code, in the order of addresses, once for each of its ranges. */
TL_CHECKED enum tl_status tl_scopes_functions(struct tl_scopes *scopes, const struct tl_unit *unit,
					      bool (*call)(void *context, tl_u64 start, tl_u64 end,
							   const struct tl_entry *entry),
					      void *context, struct tl_error *error);

/*
 * Whether a block says nothing of addresses: what it declares belongs to the scope around it. One whose code is gone
 * says that it has none, and is no part of anything.
 */
TL_CHECKED enum tl_status tl_scope_is_transparent(const struct tl_entry *block, bool *transparent_ret,
						  struct tl_error *error);

struct tl_variable {
	const char *name;
	const char *linkage_name; /* what a symbol table calls it; the same as `name` in C */
	struct tl_entry entry;
	bool parameter;  /* else a local variable */
	bool artificial; /* `this` */
	bool external;   /* it stands elsewhere, where a symbol table or another unit says */
	bool left_out;   /* the compiler kept nothing of it here: only its declaration is there */
	tl_u64 line;     /* where it is declared; 0: unknown */
};

/*
 * Calls back for the parameters and variables of one scope (not of those around it), in the order of the file, until
 * `call` returns false. Those that are known of the function's declaration only come last.
 */
TL_CHECKED enum tl_status tl_scope_variables(const struct tl_scope *scope,
					     bool (*call)(void *context, const struct tl_variable *variable),
					     void *context, struct tl_error *error);

/*
 * Calls back for the types that one scope declares (structs, unions, enumerations, typedefs), each once, until `call`
 * returns false. The enumerators of an enumeration are visible where it is.
 */
TL_CHECKED enum tl_status tl_scope_types(const struct tl_scope *scope,
					 bool (*call)(void *context, const struct tl_entry *type), void *context,
					 struct tl_error *error);

/*
 * The name of a function with what encloses it: "ns::list::add"; "" for one without a name. With `parameters`, those
 * that may be overloaded show the types of theirs, too: "ns::list::add(int) const".
 */
TL_CHECKED enum tl_status tl_scope_write_name(struct tl_types *types, const struct tl_entry *function, bool parameters,
					      struct tl_output *output, struct tl_error *error);

/* What the linker calls a function or a variable, also one that is declared only. NULL: it has no name. */
TL_CHECKED enum tl_status tl_scope_linker_name(const struct tl_entry *entry, const char **name_ret,
					       struct tl_error *error);

/* The expression for the frame base of a function at an address; size 0 for none. Belongs to the image. */
TL_CHECKED enum tl_status tl_scope_frame_base(const struct tl_entry *function, tl_u64 address, const tl_u8 **bytes_ret,
					      tl_size *size_ret, struct tl_error *error);

/* A call in a function, as far as the compiler told of it (DWARF 5, section 3.4; the GNU extension before). */
struct tl_call_site {
	struct tl_entry entry;
	tl_u64 return_address; /* of a tail call that was never meant to return: behind the jump */
	bool tail;
	bool has_callee;
	struct tl_entry callee; /* which function is called, if that is fixed */
	const tl_u8 *target;    /* else an expression for its address; NULL for none */
	tl_size target_size;
};

/* Calls back for the calls in a function, those of inlined functions included, until `call` returns false. */
TL_CHECKED enum tl_status tl_scope_calls(const struct tl_entry *function,
					 bool (*call)(void *context, const struct tl_call_site *site), void *context,
					 struct tl_error *error);

/* The call that returns to an address; *found_ret false when nothing is known of it. */
TL_CHECKED enum tl_status tl_scope_call_at(const struct tl_entry *function, tl_u64 return_address,
					   struct tl_call_site *site_ret, bool *found_ret, struct tl_error *error);

/* Whether the compiler promised to tell of all calls that a function ends with by a jump. */
TL_CHECKED enum tl_status tl_scope_tells_tail_calls(const struct tl_entry *function, bool *tells_ret,
						    struct tl_error *error);

/* A parameter that a call passes: where it is, and an expression in the caller for its value (of what it points to). */
struct tl_call_parameter {
	const tl_u8 *location, *value, *data_value; /* NULL for none; belong to the image */
	tl_size location_size, value_size, data_value_size;
	bool has_entry; /* which parameter it is, where it has no place of its own */
	struct tl_entry entry;
};

/* Calls back for the parameters of a call until `call` returns false. */
TL_CHECKED enum tl_status tl_call_parameters(const struct tl_call_site *site,
					     bool (*call)(void *context, const struct tl_call_parameter *parameter),
					     void *context, struct tl_error *error);

#endif
