/*
 * Carrying out x86 instructions without the processor: what programs have at the addresses where breakpoints stand, so
 * that stepping over one needs no step of the machine. Integer moves, arithmetic, the stack, and near branches; nothing
 * that is atomic on memory, nothing that may fault in other ways than by its memory operand.
 */
#ifndef TL_CORE_CPU_X86_CARRY_OUT_H
#define TL_CORE_CPU_X86_CARRY_OUT_H

#include "core/cpu/x86_decode.h"

/* Whether tl_x86_carry_out knows the instruction. Any thread. */
bool tl_x86_carries_out(const struct tl_x86_instruction *instruction);

/* tl_cpu.carry_out for either mode. */
enum tl_status tl_x86_carry_out(bool wide, tl_u8 *file, const tl_u8 *bytes, tl_size size,
				const struct tl_memory_access *memory);

/* tl_cpu.successors for either mode. */
enum tl_status tl_x86_successors(bool wide, const tl_u8 *file, const tl_u8 *bytes, tl_size size,
				 const struct tl_memory_access *memory, tl_u64 successors_ret[TL_SUCCESSORS_MAX],
				 tl_size *count_ret);

#endif
