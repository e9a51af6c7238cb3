/*
 * Places: what a person calls a spot in the code. The function, those that are inlined there, and for each the line.
 *
 * A stack of ten thousand frames stands at a handful of addresses, and a thousand threads wait in the same function:
 * each address is looked up once, and kept until the modules change. Addresses are those of the process. Control thread
 * only.
 */
#ifndef TL_DEBUGGER_PLACES_H
#define TL_DEBUGGER_PLACES_H

#include "debugger/modules/modules.h"
#include "symbols/call_origin.h"

struct tl_places;

/* A function at a place: the one whose code it is, or one that was inlined there. Strings belong to the places. */
struct tl_spot_function {
	/* As the linker has it, demangled, or with scopes; without parameters; or of a symbol, with. NULL: not known.
	 */
	const char *name;
	bool has_scopes;       /* debug information knows it: it is the last of the scopes below */
	tl_u64 start;          /* where its code begins; 0: not known */
	tl_size first, last;   /* its scopes in the place's chain, if it has some: blocks, then itself */
	const char *file;      /* whole path; NULL: not known */
	const char *file_name; /* the same as the compiler was told it */
	tl_u32 line;           /* 0: not known. Where another is inlined further in, that of the call */
	/*
	 * The first address of the line's code that stands here, if that is a statement; 0 when there is none, as for
	 * calls of inlined functions.
	 */
	tl_u64 line_start;
};

struct tl_spot {
	tl_u64 address;
	const struct tl_module *module; /* NULL: none has this code */
	struct tl_scope_chain chain;    /* innermost first; without any where debug information knows no function */
	tl_u32 count;                   /* of functions: 1 at the least */
	struct tl_spot_function functions[];
};

/* In these modules, which must outlive it. The caller closes. */
TL_CHECKED enum tl_status tl_places_open(struct tl_places **places_ret, struct tl_modules *modules,
					 struct tl_error *error);
/* NULL is fine. */
void tl_places_close(struct tl_places *places);
struct tl_modules *tl_places_modules(const struct tl_places *places);

/*
 * Between these two, what tl_places_at gave out stays valid. They nest. At the first, what has become stale, or too
 * much to keep, is forgotten; so the modules must not be changed until the last.
 */
void tl_places_hold(struct tl_places *places);
void tl_places_let_go(struct tl_places *places);

/*
 * The place at an address: of a frame that called, one inside the call. Damaged debug information is as if there were
 * none. TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_places_at(struct tl_places *places, tl_u64 address, const struct tl_spot **place_ret,
				       struct tl_error *error);

/* Which calls led to functions, kept as long as places are: for the frames of tl_variable_frame. */
struct tl_call_origins *tl_places_origins(struct tl_places *places);

/* How many functions that are inlined at a place begin there, innermost first: what `skipped` of tl_stack_open may be.
 */
TL_CHECKED enum tl_status tl_places_beginning(struct tl_places *places, const struct tl_spot *place, tl_u32 *count_ret,
					      struct tl_error *error);

/*
 * The functions of which no frame is left between a call and the function that it led to, because each ended in a jump
 * to the next: the return addresses of those jumps, outermost first, kept as long as places are. Of several ways only
 * what all have in common at either end is there, as in gdb; none when it cannot be told.
 */
struct tl_tail_calls {
	tl_size count;
	tl_u64 addresses[];
};

/*
 * What lies between the call that returns to `return_address`, in a function of `caller`, and the function that begins
 * at `function`. TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_places_tail_calls(struct tl_places *places, const struct tl_spot *caller,
					       tl_u64 return_address, tl_u64 function,
					       const struct tl_tail_calls **calls_ret, struct tl_error *error);

#endif
