/*
 * Which call led to a function, as far as the compiler told of its calls (DWARF 5, section 3.4; the GNU extension
 * before). What a call passed is what the function was entered with only if that call surely was of this function.
 *
 * All of it but where a pointer leads is the same for every thread that stands in such a call, and finding it means
 * reading all calls of two functions or more: it can be kept. Who keeps it uses it on one thread.
 */
#ifndef TL_SYMBOLS_CALL_ORIGIN_H
#define TL_SYMBOLS_CALL_ORIGIN_H

#include "base/arena.h"
#include "symbols/location.h"

enum tl_call_certainty {
	TL_CALL_NOT_KNOWN, /* nothing is said of the call */
	TL_CALL_UNSURE,    /* it may have been of another function, or one that jumped here since */
	TL_CALL_SURE,      /* it was of this function */
	TL_CALL_IF_TARGET  /* it was if the expression site.target yields the function's start */
};

struct tl_call_origin {
	enum tl_call_certainty certainty;
	struct tl_call_site site;                   /* of what is known */
	tl_u64 start;                               /* where the function begins, without bias; 0: not known */
	const struct tl_call_parameter *parameters; /* what it passed, if that is kept */
	tl_size parameter_count;
};

#define TL_CALL_ORIGIN_BUCKETS 256

/* What was found, in an arena; all zero but for that is an empty one. Whoever clears the arena zeroes the rest. */
struct tl_call_origins {
	struct tl_arena *arena;
	struct tl_kept_origin *buckets[TL_CALL_ORIGIN_BUCKETS];
};

/*
 * The call in `caller` that led to the function of `frame`; both must have a function. It is kept in frame->origins,
 * unless that is NULL. TL_ERROR_MALFORMED; TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_call_origin_find(const struct tl_variable_frame *frame,
					      const struct tl_variable_frame *caller, struct tl_call_origin *origin_ret,
					      struct tl_error *error);

/* Calls back for what the call passed, until `call` returns false, as tl_call_parameters does. */
TL_CHECKED enum tl_status tl_call_origin_parameters(const struct tl_call_origin *origin,
						    bool (*call)(void *context,
								 const struct tl_call_parameter *parameter),
						    void *context, struct tl_error *error);

#endif
