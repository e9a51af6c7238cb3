/*
 * Arguments and results of functions on RISC-V with 64-bit registers for both kinds of numbers (psABI, "Procedure
 * Calling Convention", LP64D).
 */
#ifndef TL_DEBUGGER_ABI_RISCV_H
#define TL_DEBUGGER_ABI_RISCV_H

#include "debugger/values/abi.h"

/* How many registers of either kind the arguments before have taken; none for the first, and for a result. */
struct tl_abi_riscv_used {
	unsigned integers, reals;
};

/*
 * Where an argument of a type goes that is not void, and where a result is: a result goes where the same thing would go
 * as first argument. TL_ABI_MEMORY: its address goes there in its place. `variadic`: it stands where the function has
 * "...". *stacked_ret is where in the value that begins which stands on the stack: its size for none, 0 for all of it.
 * Errors are those of tl_abi_classify.
 */
TL_CHECKED enum tl_status tl_abi_riscv_place(const struct tl_type *type, bool variadic, struct tl_abi_riscv_used *used,
					     struct tl_abi_place *place_ret, tl_u64 *stacked_ret,
					     struct tl_error *error);

/*
 * What is in the register of a piece of a value, whose bytes are given: what is narrower is extended, integers by their
 * sign up to 32 bits and from there always, and floats with ones (a NaN of a double).
 */
TL_CHECKED enum tl_status tl_abi_riscv_register(const struct tl_type *type, const struct tl_abi_piece *piece,
						const tl_u8 *bytes, tl_u64 *value_ret, struct tl_error *error);

#endif
