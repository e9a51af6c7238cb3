/*
 * Control and status registers: who may read and write which, what they keep of what is written, and what a change of
 * them sets off.
 *
 * Source: RISC-V Instruction Set Manual, volume II, chapters 2 to 4; "Sstc" 1.0.
 */
#ifndef TL_TARGETS_EMULATOR_CONTROL_H
#define TL_TARGETS_EMULATOR_CONTROL_H

#include "targets/emulator/hart.h"

enum tl_control_change { TL_CONTROL_READ, TL_CONTROL_WRITE, TL_CONTROL_SET, TL_CONTROL_CLEAR };

/*
 * What one csr instruction does: yields the old value and changes the register as one step. False when the hart may not
 * do that in its mode, or has no such register: the instruction is illegal then, and nothing was changed.
 */
bool tl_control_exchange(struct tl_hart *hart, tl_u32 number, enum tl_control_change change, tl_u64 operand,
			 tl_u64 *old_ret);

/*
 * The same register for a debugger: in any mode, read-only ones are not written. False when there is no such register.
 */
bool tl_control_get(const struct tl_hart *hart, tl_u32 number, tl_u64 *value_ret);
bool tl_control_put(struct tl_hart *hart, tl_u32 number, tl_u64 value);

/* Holds up or drops the supervisor's timer interrupt, where stimecmp decides on it: as it is now, or at a given time.
 */
void tl_control_update_timer(struct tl_hart *hart);
void tl_control_set_timer(struct tl_hart *hart, tl_u64 time);

/* Notes that floating-point registers changed. */
static inline void tl_control_float_dirty(struct tl_hart *hart)
{
	hart->mstatus |= TL_STATUS_FS;
}

#endif
