/*
 * Where functions take their arguments and leave their results: System V, x86-64 (psABI, section 3.2.3) and i386
 * (psABI, section 2.2, as Linux has it: structs are returned in memory); RISC-V (debugger/values/abi_riscv.h); 64-bit
 * Arm (debugger/values/abi_aarch64.h). C++ classes that are not trivial to copy or destroy stand in memory (Itanium C++
 * ABI, section 3.1).
 *
 * What is worked out depends on types, a CPU and a register file alone: nothing here runs or stops anything. A register
 * file is that of core/cpu/cpu.h, all its banks valid. TL_ERROR_UNSUPPORTED: a CPU whose ABI is not known here. Not for
 * several threads at once for one struct tl_value_context.
 */
#ifndef TL_DEBUGGER_ABI_H
#define TL_DEBUGGER_ABI_H

#include "core/cpu/cpu.h"
#include "debugger/values/value.h"

/* ---- Results ---- */

enum tl_abi_kind {
	TL_ABI_NOTHING,   /* void */
	TL_ABI_REGISTERS, /* in `pieces`; of an empty struct there are none */
	TL_ABI_CONVERTED, /* a number in the one piece, as a long double: i386's float and double */
	TL_ABI_MEMORY     /* where the caller said; a function that returned left that address in `pointer` */
};

/* Bytes of a value that a register holds. */
struct tl_abi_piece {
	tl_u16 reg;          /* index in the CPU's table */
	tl_u8 register_byte; /* where they begin in it */
	tl_u8 size;
	tl_u64 offset; /* in the value */
};

#define TL_ABI_PIECES_MAX 4

struct tl_abi_place {
	enum tl_abi_kind kind;
	tl_u16 pointer;
	tl_u8 piece_count;
	struct tl_abi_piece pieces[TL_ABI_PIECES_MAX];
};

/* Where a function leaves a result of a type. TL_ERROR_ARGUMENT: the type's size is not known. */
TL_CHECKED enum tl_status tl_abi_result_place(const struct tl_cpu *cpu, const struct tl_type *type,
					      struct tl_abi_place *place_ret, struct tl_error *error);

/*
 * The result of a function that has just returned, or is at its return instruction, from the registers as they are.
 * What is returned in memory is read there (and stands there). *known_ret is false for void, where the value is of that
 * type.
 */
TL_CHECKED enum tl_status tl_abi_result(const struct tl_value_context *values, const struct tl_cpu *cpu,
					const tl_u8 *file, const struct tl_type *type, struct tl_value *value_ret,
					bool *known_ret, struct tl_error *error);

/*
 * The reverse, for a function that is made to return: writes a value of just the type that it returns into the
 * registers. *banks_ret: bit n for each bank n that changed. TL_ERROR_UNSUPPORTED for what is returned in memory: the
 * address that the caller gave is not known any more.
 */
TL_CHECKED enum tl_status tl_abi_set_result(const struct tl_value_context *values, const struct tl_cpu *cpu,
					    tl_u8 *file, const struct tl_value *value, tl_u32 *banks_ret,
					    struct tl_error *error);

/* ---- Calls ---- */

struct tl_abi_request {
	const struct tl_type *function; /* its type, or a pointer to it; NULL: nothing is known of its parameters */
	const struct tl_type *result;   /* what it returns, as it is known or was said by a cast */
	const struct tl_value *arguments;
	tl_size count;
	tl_u64 address;        /* of the function */
	tl_u64 return_address; /* where it is to come back to: a breakpoint belongs there */
};

/* What is to be done for a call besides setting the registers. */
struct tl_abi_call {
	tl_u64 stack_pointer; /* at the function's first instruction: on x86 the return address stands there */
	/* What belongs at `stack_pointer` before it runs: the return address, arguments and what they point to. In the
	 * values' arena. */
	const tl_u8 *stack;
	tl_u64 stack_size;
	tl_u64 result_address; /* room for a result in memory, 0 for none; part of `stack` */
	tl_u64 returned_stack; /* the stack pointer when it has returned: how its return is told from inner ones */
	tl_u32 banks;          /* bit n for each bank n of the file that changed */
};

/*
 * Sets up a call in a register file: the arguments in their registers, the stack pointer below what the thread uses
 * (the red zone left alone), the program counter at the function, the direction flag clear. Nothing is written to the
 * program: that is for the caller, who keeps the registers as they were. A thread that stands in a system call must
 * besides be told not to begin it anew (orig_rax -1).
 *
 * Arguments are converted as in C: to the types of the parameters if the function has a prototype, else promoted. An
 * array that stands nowhere, such as a string that was typed, is put on the stack, and so is what a reference refers
 * to: it ends with the call. "Too few arguments in function call.", "Too many arguments in function call.":
 * TL_ERROR_ARGUMENT.
 */
TL_CHECKED enum tl_status tl_abi_place_call(const struct tl_value_context *values, const struct tl_cpu *cpu,
					    tl_u8 *file, const struct tl_abi_request *request,
					    struct tl_abi_call *call_ret, struct tl_error *error);

#endif
