/*
 * Carrying out instructions of AArch64 on a register file and on memory, and copies of them elsewhere: what
 * tl_cpu.carry_out and tl_cpu.relocate promise.
 */
#ifndef TL_CORE_CPU_ARM64_CARRY_OUT_H
#define TL_CORE_CPU_ARM64_CARRY_OUT_H

#include "core/cpu/arm64_decode.h"
#include "core/cpu/cpu.h"

/* Whether carry_out() knows it. */
bool tl_arm64_carries_out(const struct tl_arm64_instruction *instruction);

/* As tl_cpu.carry_out. */
enum tl_status tl_arm64_carry_out(tl_u8 *file, const struct tl_arm64_instruction *instruction,
				  const struct tl_memory_access *memory);

/* As tl_cpu.carry_out_exclusive. */
enum tl_status tl_arm64_carry_out_exclusive(tl_u8 *file, const struct tl_arm64_instruction *instruction,
					    const struct tl_memory_access *memory, struct tl_reservation *reservation);

/* Whether a copy of it elsewhere, with a jump behind it, does the same. */
bool tl_arm64_relocatable(const struct tl_arm64_instruction *instruction);

/* As tl_cpu.relocate. */
enum tl_status tl_arm64_relocate(const struct tl_arm64_instruction *instruction, tl_u64 from, tl_u64 to,
				 tl_u8 code_ret[TL_RELOCATED_MAX], tl_size *length_ret, tl_size *body_ret);

#endif
