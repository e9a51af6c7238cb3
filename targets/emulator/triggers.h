/*
 * The guest's own triggers: breakpoints and watchpoints that software in the machine sets for itself, by control
 * registers, and that raise a breakpoint exception there.
 *
 * They live beside the debugger's points (points.h) and know nothing of them. At an instruction the debugger's are
 * looked up first; a trigger on an access fires in front of it, so that a watchpoint of the debugger's there is met
 * when the access is made at last.
 *
 * There are TL_TRIGGERS of them in each hart, of the types mcontrol and mcontrol6: they compare virtual addresses
 * (equal, a naturally aligned range, from, below, half of them under a mask) of instructions, loads and stores, and can
 * be chained; and of the type icount: they fire before the next instruction when so many were carried out, or trapped,
 * in their modes, for which the interpreter runs the hart as long as one counts. Data is not compared, nor are
 * contexts; nothing is reserved for a debug mode, which the machine has not. In machine mode they fire while tcontrol's
 * mte is set; in supervisor mode, where breakpoints are delegated to it, while interrupts are on: so none fires in the
 * first instructions of a handler. (The manual would have medeleg's bit tied to 0 beside a tcontrol; that would take
 * breakpoints away from every kernel.)
 *
 * Source: RISC-V Debug Specification 1.0, chapter 5 (Sdtrig).
 */
#ifndef TL_TARGETS_EMULATOR_TRIGGERS_H
#define TL_TARGETS_EMULATOR_TRIGGERS_H

#include "targets/emulator/hart.h"

/* What a trigger fires on; bits, as they are in tdata1. */
#define TL_TRIGGER_LOAD 1u
#define TL_TRIGGER_STORE 2u
#define TL_TRIGGER_EXECUTE 4u
#define TL_TRIGGER_COUNT 8u /* of `armed` alone: one counts, or is about to fire */

/* All of them are disabled. */
void tl_triggers_reset(struct tl_hart *hart);

/* The registers tselect, tdata1 to tdata3, tinfo and tcontrol. False: it is none of these. */
bool tl_triggers_get(const struct tl_hart *hart, tl_u32 number, tl_u64 *value_ret);
bool tl_triggers_put(struct tl_hart *hart, tl_u32 number, tl_u64 value);

/*
 * Triggers were changed by other means than the above, with the rest of the hart: what is kept of translations is
 * brought up to date.
 */
void tl_triggers_changed(struct tl_hart *hart);

/* Into machine mode and out of it again: mte goes into mpte, and comes back. */
static inline void tl_triggers_trap(struct tl_hart *hart)
{
	hart->triggers.control = (tl_u8)((hart->triggers.control & TL_TRIGGERS_ON) << 4);
}

static inline void tl_triggers_return(struct tl_hart *hart)
{
	hart->triggers.control |= (tl_u8)(hart->triggers.control >> 4);
}

/* Whether one may fire on the instruction at an address, in whatever mode: for the translator, as it translates. */
bool tl_triggers_at(const struct tl_hart *hart, tl_u64 address);

/* The accesses (TL_TRIGGER_LOAD, TL_TRIGGER_STORE) to a page on which one may fire. */
tl_u8 tl_triggers_on_page(const struct tl_hart *hart, tl_u64 page);
/* Adds them to the page's map, which tl_points_map has begun: its bits mean the same. */
void tl_triggers_map(const struct tl_hart *hart, tl_u64 page, tl_u8 map[TL_PAGE_SIZE / 8]);

/* Whether one fires on the instruction at the program counter, before it is fetched; the exception then. */
bool tl_triggers_execute(struct tl_hart *hart, struct tl_exception *exception_ret);

/* Whether one fires on an access that is about to be made, of these kinds; the exception then. */
bool tl_triggers_access(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u8 kinds,
			struct tl_exception *exception_ret);

/* Those that count in the mode that the hart is in: a bit for each. For when TL_TRIGGER_COUNT is armed. */
tl_u8 tl_triggers_counting(const struct tl_hart *hart);
/* Whether one of them has come to its end: before the next instruction; the exception then. */
bool tl_triggers_counted_out(struct tl_hart *hart, tl_u8 which, struct tl_exception *exception_ret);
/* An instruction was carried out to its end, or trapped, for which these counted as it began. */
void tl_triggers_count(struct tl_hart *hart, tl_u8 which);

/* The same, quickly, where there are none. */
static inline bool tl_triggers_fire_here(struct tl_hart *hart, struct tl_exception *exception_ret)
{
	return (hart->triggers.armed & TL_TRIGGER_EXECUTE) != 0 && tl_triggers_execute(hart, exception_ret);
}

static inline bool tl_triggers_fire_on(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u8 kinds,
				       struct tl_exception *exception_ret)
{
	return (hart->triggers.armed & kinds) != 0 && tl_triggers_access(hart, address, size, kinds, exception_ret);
}

#endif
