/*
 * Copies of x86 instructions that do elsewhere what the original does in its place.
 */
#ifndef TL_CORE_CPU_X86_RELOCATE_H
#define TL_CORE_CPU_X86_RELOCATE_H

#include "core/cpu/x86_decode.h"

/*
 * Whether a copy does the same: instructions that go on behind themselves. SYSCALL too: it leaves the copy's address in
 * RCX, where a program finds nothing that it could rely on. Any thread.
 */
bool tl_x86_relocatable(const struct tl_x86_instruction *instruction);

/* tl_cpu.relocate for either mode. */
enum tl_status tl_x86_relocate(bool wide, const tl_u8 *bytes, tl_size size, tl_u64 from, tl_u64 to,
			       tl_u8 code_ret[TL_RELOCATED_MAX], tl_size *length_ret, tl_size *body_ret);

/* tl_cpu.decode for either mode: the decoder's view in short. */
enum tl_status tl_x86_summarize(bool wide, const tl_u8 *bytes, tl_size size, struct tl_instruction *instruction_ret);

#endif
