/*
 * Arguments and results of functions on 64-bit Arm (Procedure Call Standard for the Arm 64-bit Architecture, AAPCS64,
 * sections 6.8 and 6.9), as Linux has it: arguments behind "..." go where named ones go.
 */
#ifndef TL_DEBUGGER_ABI_AARCH64_H
#define TL_DEBUGGER_ABI_AARCH64_H

#include "debugger/values/abi.h"

/* Registers by their index in the CPU's table: x0 to x30 begin it, and v0 (or z0, whose lower part v0 is) follows cpsr.
 */
enum tl_abi_aarch64_register {
	TL_ABI_AARCH64_X0 = 0,
	TL_ABI_AARCH64_RESULT = 8, /* x8: where the caller wants a result that is returned in memory */
	TL_ABI_AARCH64_LR = 30,
	TL_ABI_AARCH64_CPSR = 33,
	TL_ABI_AARCH64_V0 = 34
};

/* How many registers of either kind the arguments before have taken; none for the first, and for a result. */
struct tl_abi_aarch64_used {
	unsigned integers, vectors;
};

/* Whether a CPU is 64-bit Arm: there is a description for each length of its vectors. Any thread. */
bool tl_abi_is_aarch64(const struct tl_cpu *cpu);

/*
 * Whether an argument of a type is passed as a pointer to a copy, and a result of it is returned in memory. Errors are
 * those of tl_abi_classify.
 */
TL_CHECKED enum tl_status tl_abi_aarch64_by_pointer(const struct tl_type *type, bool *by_pointer_ret,
						    struct tl_error *error);

/*
 * Where an argument of a type goes that is not void and is not passed as a pointer; a result goes where the same thing
 * would go as first argument. *stacked_ret: it stands on the stack, and place_ret has no pieces. TL_ABI_MEMORY, for
 * results: tl_abi_aarch64_by_pointer says so, and x8 has the address. Errors are those of tl_abi_classify.
 */
TL_CHECKED enum tl_status tl_abi_aarch64_place(const struct tl_type *type, struct tl_abi_aarch64_used *used,
					       struct tl_abi_place *place_ret, bool *stacked_ret,
					       struct tl_error *error);

/*
 * Whether x8 is still what the caller put there behind these instructions, with which a function begins: each goes on
 * to the next, and none writes it. False where that is not sure.
 */
bool tl_abi_aarch64_keeps_result(const tl_u32 *words, tl_size count);

#endif
