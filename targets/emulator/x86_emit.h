/*
 * An assembler for x86-64, as far as the translator needs one: encodings of instructions, written one behind the other.
 *
 * Nothing here checks what an instruction means; whoever writes code keeps a margin of TL_X86_MARGIN bytes. Positions
 * are offsets from the start of the memory for code, which stands at two addresses: where it is written, and where it
 * runs. What is written is therefore always relative.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and the pages of the
 * instructions.
 */
#ifndef TL_TARGETS_EMULATOR_X86_EMIT_H
#define TL_TARGETS_EMULATOR_X86_EMIT_H

#include "core/types.h"

enum tl_x86_register {
	TL_RAX,
	TL_RCX,
	TL_RDX,
	TL_RBX,
	TL_RSP,
	TL_RBP,
	TL_RSI,
	TL_RDI,
	TL_R8,
	TL_R9,
	TL_R10,
	TL_R11,
	TL_R12,
	TL_R13,
	TL_R14,
	TL_R15
};

/* Condition codes, as they stand in the low bits of jcc, setcc and cmovcc. */
enum tl_x86_condition {
	TL_CC_O = 0,
	TL_CC_B = 2,
	TL_CC_AE = 3,
	TL_CC_E = 4,
	TL_CC_NE = 5,
	TL_CC_BE = 6,
	TL_CC_A = 7,
	TL_CC_S = 8,
	TL_CC_NS = 9,
	TL_CC_P = 10,
	TL_CC_NP = 11,
	TL_CC_L = 12,
	TL_CC_GE = 13,
	TL_CC_LE = 14,
	TL_CC_G = 15
};

/* No instruction and no sequence that is written without looking at the room is longer. */
#define TL_X86_MARGIN 4096

struct tl_x86 {
	tl_u8 *memory; /* where offset 0 is written */
	tl_u32 at;     /* where the next byte goes */
};

/* What an instruction works on beside its register: another register, or memory. */
struct tl_x86_operand {
	bool memory;
	tl_u8 base; /* register, or the base of the address */
	bool indexed;
	tl_u8 index, scale; /* scale as a power of two */
	tl_i32 displacement;
};

static inline struct tl_x86_operand tl_x86_r(tl_u8 number)
{
	return (struct tl_x86_operand){.base = number};
}

static inline struct tl_x86_operand tl_x86_m(tl_u8 base, tl_i32 displacement)
{
	return (struct tl_x86_operand){.memory = true, .base = base, .displacement = displacement};
}

static inline struct tl_x86_operand tl_x86_mx(tl_u8 base, tl_u8 index, tl_u8 scale, tl_i32 displacement)
{
	return (struct tl_x86_operand){.memory = true,
				       .base = base,
				       .indexed = true,
				       .index = index,
				       .scale = scale,
				       .displacement = displacement};
}

/*
 * An opcode: its last byte in bits 0 to 7, its map and its mandatory prefix above. TL_X86_W asks for 64 bits, and
 * TL_X86_B says that the register field is one byte wide (so that sil and dil are meant, not dh and bh).
 */
#define TL_X86_0F 0x100u
#define TL_X86_0F38 0x200u
#define TL_X86_66 0x10000u
#define TL_X86_F3 0x20000u
#define TL_X86_F2 0x40000u
#define TL_X86_W 0x100000u
#define TL_X86_B 0x200000u

/* Opcodes "register op= operand". */
enum tl_x86_opcode {
	TL_X86_ADD = 0x03,
	TL_X86_OR = 0x0b,
	TL_X86_AND = 0x23,
	TL_X86_SUB = 0x2b,
	TL_X86_XOR = 0x33,
	TL_X86_CMP = 0x3b,
	TL_X86_TEST = 0x85,
	TL_X86_MOV = 0x8b,
	TL_X86_STORE = 0x89,
	TL_X86_STORE8 = 0x88,
	TL_X86_LEA = 0x8d,
	TL_X86_MOVSXD = 0x63,
	TL_X86_IMUL = 0x1af,
	TL_X86_MOVZX8 = 0x1b6,
	TL_X86_MOVZX16 = 0x1b7,
	TL_X86_MOVSX8 = 0x1be,
	TL_X86_MOVSX16 = 0x1bf,
	TL_X86_CMOV = 0x140,
	/* floating point; TL_X86_F2 for doubles, TL_X86_F3 for singles, TL_X86_66 or none where it is packed */
	TL_X86_MOVF = 0x110,
	TL_X86_MOVF_STORE = 0x111,
	TL_X86_MOVAP = 0x128,
	TL_X86_ADDF = 0x158,
	TL_X86_MULF = 0x159,
	TL_X86_SUBF = 0x15c,
	TL_X86_DIVF = 0x15e,
	TL_X86_SQRTF = 0x151,
	TL_X86_MINF = 0x15d,
	TL_X86_MAXF = 0x15f,
	TL_X86_UCOMIF = 0x12e,
	TL_X86_COMIF = 0x12f,
	TL_X86_CVT_FROM_INTEGER = 0x12a,
	TL_X86_CVTT_TO_INTEGER = 0x12c,
	TL_X86_CVT_TO_INTEGER = 0x12d,
	TL_X86_CVT_FORMAT = 0x15a,
	TL_X86_ANDP = 0x154,
	TL_X86_ORP = 0x156,
	TL_X86_XORP = 0x157,
	TL_X86_ANDNP = 0x155,
	TL_X86_MOVQ_TO = 0x16e,
	TL_X86_MOVQ_FROM = 0x17e
};

/* The digits /n of instructions with a number, and of shifts. */
enum tl_x86_digit {
	TL_X86_ADD_N = 0,
	TL_X86_OR_N = 1,
	TL_X86_AND_N = 4,
	TL_X86_SUB_N = 5,
	TL_X86_XOR_N = 6,
	TL_X86_CMP_N = 7,
	TL_X86_ROL_N = 0,
	TL_X86_ROR_N = 1,
	TL_X86_SHL_N = 4,
	TL_X86_SHR_N = 5,
	TL_X86_SAR_N = 7
};

static inline void tl_x86_byte(struct tl_x86 *code, tl_u8 byte)
{
	code->memory[code->at++] = byte;
}

void tl_x86_32(struct tl_x86 *code, tl_u32 value);

/* One instruction with a register (or a digit) and an operand. */
void tl_x86_op(struct tl_x86 *code, tl_u32 opcode, tl_u8 reg, struct tl_x86_operand operand);

/* add, or, and, sub, xor, cmp with a number, by enum tl_x86_digit; `wide` is 0 or TL_X86_W. */
void tl_x86_number(struct tl_x86 *code, tl_u32 wide, tl_u8 digit, struct tl_x86_operand operand, tl_i32 number);

/* rol, ror, shl, shr, sar by a number, or by cl. */
void tl_x86_shift(struct tl_x86 *code, tl_u32 wide, tl_u8 digit, struct tl_x86_operand operand, tl_u8 by);
void tl_x86_shift_cl(struct tl_x86 *code, tl_u32 wide, tl_u8 digit, struct tl_x86_operand operand);

/* ror by a number into another register, of one without an index. `has_rorx`: the host has BMI2; flags stay then. */
void tl_x86_rotate(struct tl_x86 *code, tl_u32 wide, tl_u8 to, struct tl_x86_operand operand, tl_u8 by, bool has_rorx);

/* A number into a register, the shortest way; flags stay. */
void tl_x86_set(struct tl_x86 *code, tl_u8 reg, tl_u64 value);

/* A number, sign-extended from 32 bits, into memory. */
void tl_x86_store_number(struct tl_x86 *code, struct tl_x86_operand operand, tl_i32 number);

/*
 * Jumps, whose targets may come later: each yields the offset of its 32-bit distance, for tl_x86_aim. `target` is where
 * it goes now.
 */
tl_u32 tl_x86_jump(struct tl_x86 *code, tl_u32 target);
tl_u32 tl_x86_call(struct tl_x86 *code, tl_u32 target);
tl_u32 tl_x86_jump_if(struct tl_x86 *code, enum tl_x86_condition condition, tl_u32 target);
void tl_x86_aim(struct tl_x86 *code, tl_u32 site, tl_u32 target);

void tl_x86_push(struct tl_x86 *code, tl_u8 reg);
void tl_x86_pop(struct tl_x86 *code, tl_u8 reg);

/* setcc into the low byte of a register. */
void tl_x86_set_if(struct tl_x86 *code, enum tl_x86_condition condition, tl_u8 reg);

/*
 * a = ±(b × c) ± a, of doubles or singles in registers (FMA3). Operation: 0 for b×c + a, 1 for b×c − a, 2 for −(b×c) +
 * a, 3 for −(b×c) − a.
 */
void tl_x86_fused(struct tl_x86 *code, tl_u8 operation, bool is_double, tl_u8 a, tl_u8 b, tl_u8 c);

#endif
