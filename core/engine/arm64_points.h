/*
 * Points and the debug registers of 64-bit Arm: what every target over such a processor says the same way, whether it
 * is a process or a kernel. Pure; any thread.
 */
#ifndef TL_CORE_ENGINE_ARM64_POINTS_H
#define TL_CORE_ENGINE_ARM64_POINTS_H

#include "core/cpu/arm64_debug.h"
#include "core/cpu/arm64_decode.h"
#include "core/engine/target.h"

/* What a debug register is set to for a point: false for software breakpoints, which take none. */
bool tl_arm64_points_kind(enum tl_point_kind kind, enum tl_arm64_debug_kind *kind_ret);

/*
 * What a watchpoint's exception with this FAR is about to touch, as far as it is watched: how many hits were written to
 * `hits`, which has room for TL_HITS_MAX. 0: none of it is watched any more. `in` is the instruction, NULL where it is
 * not known; `address` what it will access, 0 where that is not known. Where it is, the access itself is the one hit;
 * else each watched piece that may be meant is one.
 */
tl_u8 tl_arm64_points_hits(const struct tl_arm64_debug_plan *plan, tl_u64 far, tl_u64 address,
			   const struct tl_arm64_instruction *in, struct tl_hit *hits);

#endif
