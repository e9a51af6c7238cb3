/*
 * Where a variable is, in a frame of a stopped thread, and what is there.
 *
 * A location is exact, or it is said that there is none: TL_PLACE_NONE is a variable that was optimised out here.
 * Values at a function's entry (DW_OP_entry_value) are taken from the call that led here, and only if that call surely
 * was of this function; otherwise TL_ERROR_REGISTER says that the value is not known any more.
 *
 * Nothing is kept between calls but the calls that led to functions, if the caller wants that (symbols/call_origin.h).
 * Any thread, as far as the callbacks allow it. What expressions may do is bounded, and
 * so is how far callers are asked.
 */
#ifndef TL_SYMBOLS_LOCATION_H
#define TL_SYMBOLS_LOCATION_H

#include "symbols/dwarf_expression.h"
#include "symbols/scope.h"

struct tl_call_origins;

/* A frame, as variables are found in it. All of it is filled in by the caller; callbacks that are NULL cannot tell. */
struct tl_variable_frame {
	/*
	 * Registers, memory, canonical frame address, thread-local storage and bias, as tl_frame_expressions fills them
	 * in. The rest of it is not looked at.
	 */
	struct tl_expression_context machine;
	struct tl_types *types;   /* of the module in which the frame's code stands */
	struct tl_scopes *scopes; /* of the same, or NULL */
	/* The function whose frame it is (DW_TAG_subprogram, not inlined); tag 0 where none is known. */
	struct tl_entry function;
	tl_u64 address;         /* to look up by, without bias: inside the call for frames that called */
	tl_u64 program_counter; /* where it goes on, without bias */

	/*
	 * A register that the functions called from here were free to change, as if they had not: what
	 * tl_frame_register gives for a stale one. `context` is that of `machine`. It is asked only where the debug
	 * information says of a variable that it is in that register both before and behind the call.
	 */
	enum tl_status (*stale_register)(void *context, tl_u64 number, void *buffer, tl_size size,
					 struct tl_error *error);
	/* The frame that called this one. An error says why there is none. */
	enum tl_status (*caller)(void *context, struct tl_variable_frame *caller_ret, struct tl_error *error);
	/* The address, with bias, of what a symbol table calls `name`; *found_ret false for none. */
	enum tl_status (*symbol)(void *context, const char *name, tl_u64 *address_ret, bool *found_ret,
				 struct tl_error *error);
	void *context;
	struct tl_call_origins *origins; /* where it is kept which call led to a function; NULL: nowhere */
};

/*
 * Where the variable, parameter or member with this entry is. Several places are pieces. An external variable that
 * nobody knows a symbol of is TL_PLACE_NONE, too.
 */
TL_CHECKED enum tl_status tl_variable_location(const struct tl_variable_frame *frame, const struct tl_entry *variable,
					       struct tl_location *location_ret, struct tl_error *error);

/*
 * What a parameter of the frame's function was when that was entered, as far as the call that led here says: one place,
 * TL_PLACE_VALUE, or TL_PLACE_NONE where it does not. Not for parameters of inlined functions.
 */
TL_CHECKED enum tl_status tl_variable_at_entry(const struct tl_variable_frame *frame, const struct tl_entry *parameter,
					       struct tl_location *location_ret, struct tl_error *error);

/*
 * Reads `size` bytes of an object at a location, from `offset` on. Where a piece was optimised out, its bits are 0 and
 * counted in *missing_ret (bits). TL_ERROR_MEMORY and TL_ERROR_REGISTER: a place cannot be read; TL_ERROR_UNSUPPORTED:
 * an implicit pointer, which has no bytes (tl_location_target leads to what it points to).
 */
TL_CHECKED enum tl_status tl_location_read(const struct tl_variable_frame *frame, const struct tl_location *location,
					   tl_u64 offset, void *buffer, tl_size size, tl_u64 *missing_ret,
					   struct tl_error *error);

/* The entry of the variable that an implicit pointer points into; place->offset says how far. */
TL_CHECKED enum tl_status tl_location_target(const struct tl_variable_frame *frame, const struct tl_place *place,
					     struct tl_entry *entry_ret, struct tl_error *error);

/*
 * The number that an attribute yields in this frame: a constant, an expression, a list of them. `first`, unless NULL,
 * is what stands on the stack at the beginning (an object's address, for the place of a member that moves). *known_ret
 * is false when nothing is said for this address.
 */
TL_CHECKED enum tl_status tl_attribute_evaluate(const struct tl_variable_frame *frame,
						const struct tl_attribute *attribute, const tl_u64 *first,
						tl_u64 *number_ret, bool *known_ret, struct tl_error *error);

/*
 * The type with the bounds of its arrays evaluated in this frame, also behind pointers; the type itself where there is
 * nothing to evaluate, or where a bound is not known any more.
 */
TL_CHECKED enum tl_status tl_type_resolve(const struct tl_variable_frame *frame, const struct tl_type *type,
					  const struct tl_type **resolved_ret, struct tl_error *error);

#endif
