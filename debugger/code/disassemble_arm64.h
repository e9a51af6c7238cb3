/* Instructions of AArch64 as they are being written. Between the files disassemble_arm64*.c. */
#ifndef TL_DEBUGGER_DISASSEMBLE_ARM64_H
#define TL_DEBUGGER_DISASSEMBLE_ARM64_H

#include "debugger/code/disassemble_internal.h"

struct tl_arm64_text {
	const struct tl_code_view *view;
	struct tl_output *output;
	tl_u64 address;
	tl_u32 word;
};

/*
 * Writes an instruction that Capstone 4 does not know, or knows by another name than binutils: moves of numbers, hints,
 * and what came with Armv8.1 and later. False, with nothing written, when it is none of these.
 */
bool tl_arm64_write_own(const struct tl_arm64_text *text);

/* ", [x0, #8]!" and its like: bits of the word, as a signed number. */
static inline tl_i64 tl_arm64_signed(tl_u32 word, unsigned low, unsigned width)
{
	return (tl_i64)((tl_u64)word << (64 - low - width)) >> (64 - width);
}

static inline tl_u32 tl_arm64_bits(tl_u32 word, unsigned low, unsigned width)
{
	return word >> low & (((tl_u32)1 << width) - 1);
}

#endif
