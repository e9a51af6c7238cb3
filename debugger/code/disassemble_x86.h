/*
 * Instructions of x86 as they are being written: what the decoder says of one, and AT&T's names for it. Between the
 * files disassemble_x86*.c.
 */
#ifndef TL_DEBUGGER_DISASSEMBLE_X86_H
#define TL_DEBUGGER_DISASSEMBLE_X86_H

#include "debugger/code/disassemble_internal.h"

#include <Zydis/Zydis.h>

struct tl_x86_text {
	const struct tl_code_view *view;
	struct tl_output *output;
	tl_u64 address;
	bool wide;  /* 64-bit code */
	bool waits; /* a 9b stands in front, and belongs to it */
	ZydisDecodedInstruction instruction;
	/* Those that are written, `count` of them, in Intel's order. */
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	tl_size count;
};

/*
 * Writes what stands in front of the operands: prefixes that do not show otherwise, the mnemonic as binutils has it,
 * and in AT&T's way the letters that say how large an operand is that no register tells.
 */
void tl_x86_write_mnemonic(const struct tl_x86_text *text, struct tl_output *output);

/* Whether it is one of those on strings, whose operands are in its mnemonic, but are written all the same. */
bool tl_x86_is_string(const struct tl_x86_text *text);

/* Whether it is a shift by the 1 that is in its opcode. */
bool tl_x86_is_by_one(const struct tl_x86_text *text);

/* Leaves in `operands` what is written: no operand that the mnemonic or a decoration says. */
void tl_x86_choose_operands(struct tl_x86_text *text);

#endif
