/*
 * The instructions of RV64GC, taken apart.
 *
 * One decoder serves the debugger (lengths, successors, disassembly) and the emulated machine (interpreter,
 * translator). A compressed instruction comes out as the full one that it stands for, with a length of 2. Pure; any
 * thread.
 */
#ifndef TL_CORE_CPU_RISCV_DECODE_H
#define TL_CORE_CPU_RISCV_DECODE_H

#include "core/cpu/riscv_opcodes.h"
#include "core/status.h"
#include "core/types.h"

enum tl_riscv_operation {
#define X(id, name, match, mask, format) TL_RISCV_##id,
	TL_RISCV_OPCODES(X)
#undef X
		TL_RISCV_OPERATION_MAX
};

/* Which fields an instruction has, and how assemblers write them. */
enum tl_riscv_format {
	TL_RISCV_FORMAT_U,               /* rd, immediate: its upper 20 bits are written */
	TL_RISCV_FORMAT_J,               /* rd, distance */
	TL_RISCV_FORMAT_JALR,            /* rd, immediate(rs1) */
	TL_RISCV_FORMAT_B,               /* rs1, rs2, distance */
	TL_RISCV_FORMAT_LOAD,            /* rd, immediate(rs1) */
	TL_RISCV_FORMAT_STORE,           /* rs2, immediate(rs1) */
	TL_RISCV_FORMAT_I,               /* rd, rs1, immediate */
	TL_RISCV_FORMAT_SHIFT,           /* rd, rs1, number of bits */
	TL_RISCV_FORMAT_R,               /* rd, rs1, rs2 */
	TL_RISCV_FORMAT_UNARY,           /* rd, rs1 */
	TL_RISCV_FORMAT_FENCE,           /* immediate: predecessors in bits 4-7, successors in 0-3, mode in 8-11 */
	TL_RISCV_FORMAT_FENCE_I,         /* none that means anything */
	TL_RISCV_FORMAT_NONE,            /* none */
	TL_RISCV_FORMAT_SFENCE,          /* rs1, rs2 */
	TL_RISCV_FORMAT_CSR,             /* rd, immediate: the register's number, rs1 */
	TL_RISCV_FORMAT_CSR_NUMBER,      /* rd, immediate, rs1: a number from 0 to 31 */
	TL_RISCV_FORMAT_LR,              /* rd, (rs1) */
	TL_RISCV_FORMAT_AMO,             /* rd, rs2, (rs1) */
	TL_RISCV_FORMAT_F_LOAD,          /* fd, immediate(rs1) */
	TL_RISCV_FORMAT_F_STORE,         /* fs2, immediate(rs1) */
	TL_RISCV_FORMAT_F4,              /* fd, fs1, fs2, fs3, rounding */
	TL_RISCV_FORMAT_F_ROUNDED,       /* fd, fs1, fs2, rounding */
	TL_RISCV_FORMAT_F_UNARY_ROUNDED, /* fd, fs1, rounding */
	TL_RISCV_FORMAT_F,               /* fd, fs1, fs2 */
	TL_RISCV_FORMAT_F_COMPARE,       /* rd, fs1, fs2 */
	TL_RISCV_FORMAT_F_TO_X_ROUNDED,  /* rd, fs1, rounding */
	TL_RISCV_FORMAT_X_TO_F_ROUNDED,  /* fd, rs1, rounding */
	TL_RISCV_FORMAT_F_TO_X,          /* rd, fs1 */
	TL_RISCV_FORMAT_X_TO_F,          /* fd, rs1 */
	TL_RISCV_FORMAT_MAX
};

/* Rounding modes, as instructions and frm have them. 5 and 6 are reserved: who executes them raises an exception. */
enum tl_riscv_rounding {
	TL_RISCV_ROUND_NEAREST_EVEN = 0,
	TL_RISCV_ROUND_ZERO = 1,
	TL_RISCV_ROUND_DOWN = 2,
	TL_RISCV_ROUND_UP = 3,
	TL_RISCV_ROUND_NEAREST_AWAY = 4,
	TL_RISCV_ROUND_DYNAMIC = 7 /* what frm says */
};

struct tl_riscv_instruction {
	tl_u8 operation; /* enum tl_riscv_operation */
	tl_u8 length;    /* bytes: 2 or 4 */
	tl_u8 rd, rs1, rs2, rs3;
	tl_u8 rounding; /* enum tl_riscv_rounding, or a reserved number */
	bool acquire, release;
	tl_i32 immediate; /* sign-extended; jumps and branches: the distance from the instruction's own address */
};

/* Bytes of the instruction whose first two bytes are these: 2 or 4, or 0 for the longer ones that RV64GC has not. */
static inline tl_size tl_riscv_length(tl_u16 first)
{
	if ((first & 3) != 3)
		return 2;
	return (first & 0x1c) != 0x1c ? 4 : 0;
}

/* Takes a full instruction apart; false when there is none of that encoding. */
bool tl_riscv_decode_full(tl_u32 word, struct tl_riscv_instruction *instruction_ret);

/* The same for a compressed one. Those that are reserved, and the one of zeros only, do not exist; hints do. */
bool tl_riscv_decode_compressed(tl_u16 half, struct tl_riscv_instruction *instruction_ret);

/*
 * Either of them, from `size` bytes in memory order. TL_ERROR_TRUNCATED when more bytes are needed,
 * TL_ERROR_INSTRUCTION when there is no such instruction.
 */
enum tl_status tl_riscv_decode(const tl_u8 *bytes, tl_size size, struct tl_riscv_instruction *instruction_ret);

/* The assembler's name of an operation, "addi", and its fields. */
const char *tl_riscv_name(enum tl_riscv_operation operation);
enum tl_riscv_format tl_riscv_format(enum tl_riscv_operation operation);

#endif
