/*
 * An x86 instruction taken apart: prefixes, opcode, ModRM, displacement and immediate, and what it does to the flow of
 * control and to memory. Complete in its length for 64-bit and 32-bit mode; it has no names of instructions.
 * Intel SDM volume 2, chapter 2 "Instruction Format" and appendix A; AMD APM volume 3.
 */
#ifndef TL_CORE_CPU_X86_DECODE_H
#define TL_CORE_CPU_X86_DECODE_H

#include "core/cpu/cpu.h"
#include "core/cpu/x86_system.h"
#include "core/types.h"

/* The machine refuses anything longer with #GP. */
#define TL_X86_LENGTH_MAX 15

enum tl_x86_encoding {
	TL_X86_ENCODING_LEGACY,
	TL_X86_ENCODING_VEX,
	TL_X86_ENCODING_EVEX,
	TL_X86_ENCODING_XOP,
	TL_X86_ENCODING_MAX
};

#define TL_X86_REX_W 8
#define TL_X86_REX_R 4
#define TL_X86_REX_X 2
#define TL_X86_REX_B 1

/* No register, where one may be missing. */
#define TL_X86_NONE 0xff

struct tl_x86_instruction {
	tl_u8 length;
	bool wide;      /* 64-bit mode */
	bool narrow;    /* a segment of 16 bits, or real mode */
	tl_u8 encoding; /* enum tl_x86_encoding */
	tl_u8 map;      /* 0 one-byte opcodes, 1 0F, 2 0F 38, 3 0F 3A; otherwise the map field of EVEX or XOP */
	tl_u8 opcode;
	tl_u8 opcode_at; /* offsets from the first byte */
	/* Prefixes: present or not; repeat is 0, F2 or F3, segment 0 or the prefix. */
	bool operand_prefix;
	bool address_prefix;
	bool lock;
	tl_u8 repeat;
	tl_u8 segment;
	bool has_rex;
	tl_u8 rex;           /* W R X B, also where VEX, EVEX or XOP bring them */
	tl_u8 prefix;        /* the mandatory prefix: 0 none, 1 66, 2 F3, 3 F2 */
	tl_u8 vector_length; /* 0, 1, 2: 16, 32, 64 bytes */
	tl_u8 vvvv;
	/* Bytes: 2, 4 or 8; stack operations and near branches of 64-bit mode have 8 by themselves. */
	tl_u8 operand_size;
	tl_u8 address_size;

	bool has_modrm;
	tl_u8 modrm_at;
	tl_u8 mod;
	tl_u8 reg; /* with REX.R and REX.B in bit 3 */
	tl_u8 rm;
	tl_u8 modrm_reg; /* the bare field: the opcode's extension in groups */
	/* ModRM (or the address of a MOV A0–A3, which has no base) names memory. */
	bool memory;
	bool address_only;
	bool rip_relative;
	tl_u8 base;
	tl_u8 index;
	tl_u8 scale; /* a shift */
	tl_i64 displacement;
	tl_u8 displacement_at;
	tl_u8 displacement_size;

	/* Sign-extended; two immediates (ENTER, far pointers) stand in it one behind the other. */
	tl_i64 immediate;
	tl_u8 immediate_at;
	tl_u8 immediate_size;

	enum tl_flow flow;
	/* Of the operand that ModRM or an address names, and of those that the opcode implies (stack, strings). */
	bool reads_operand;
	bool writes_operand;
	bool reads_implied;
	bool writes_implied;
	/* How many bytes the operand has at the most. */
	tl_u16 access_size;
};

/* TL_ERROR_TRUNCATED or TL_ERROR_INSTRUCTION with *instruction_ret in any state. Any thread. */
enum tl_status tl_x86_decode(bool wide, const tl_u8 *bytes, tl_size size, struct tl_x86_instruction *instruction_ret);

/* The same in any mode, 16-bit segments and real mode among them. */
enum tl_status tl_x86_decode_in(enum tl_x86_mode mode, const tl_u8 *bytes, tl_size size,
				struct tl_x86_instruction *instruction_ret);

/*
 * The address of the memory operand with the registers in `file` (bank 0), `next` being the address behind the
 * instruction. Segment bases of FS and GS are those of the file. Not for vector-indexed operands.
 */
tl_u64 tl_x86_address(const struct tl_x86_instruction *instruction, const tl_u8 *file, tl_u64 next);

/* The 64-bit slot of general register 0 to 15, in the machine's numbering, in the register file. */
tl_u16 tl_x86_slot(tl_u8 number);

#endif
