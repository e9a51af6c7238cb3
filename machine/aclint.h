/*
 * The timer and the software interrupts of machine mode: an ACLINT with its MTIMER and MSWI in one range, where
 * SiFive's CLINT has them, as in QEMU's virt machine.
 *
 * Its timer compares with the time that it shows; nobody has to call it when that time comes: the machine asks it for
 * its deadlines (tl_aclint_deadline) and has it look again (tl_aclint_update).
 *
 * Source: RISC-V Advanced Core Local Interruptor Specification 1.0; SiFive FU540-C000 manual, chapter 9.
 */
#ifndef TL_MACHINE_ACLINT_H
#define TL_MACHINE_ACLINT_H

#include "machine/bus.h"
#include "machine/services.h"

#define TL_ACLINT_SIZE 0x10000
#define TL_ACLINT_HARTS 8

/* Nanoseconds of a tick: 10 MHz, the frequency that the device tree tells. */
#define TL_ACLINT_TICK 100

struct tl_aclint {
	const struct tl_services *services;
	tl_u32 harts;
	struct tl_line software[TL_ACLINT_HARTS], timer[TL_ACLINT_HARTS]; /* to each hart */
	bool pending[TL_ACLINT_HARTS];                                    /* msip */
	tl_u64 compare[TL_ACLINT_HARTS];                                  /* mtimecmp */
	tl_u64 offset; /* what writing mtime added to the machine's own time, in ticks */
};

extern const struct tl_device_operations tl_aclint_operations;

/* What mtime, and `time` of every hart, show when the machine's own time is `now`. */
static inline tl_u64 tl_aclint_time(const struct tl_aclint *aclint, tl_u64 now)
{
	return now / TL_ACLINT_TICK + aclint->offset;
}

/*
 * The first of the machine's own times behind `now` at which a comparison of mtime with `value` may come out another
 * way: mtime reaches it, or has gone around and begins at 0 again. TL_U64_MAX when that is out of sight.
 */
tl_u64 tl_aclint_deadline(const struct tl_aclint *aclint, tl_u64 value, tl_u64 now);

/* Holds the timer line of a hart up, or lets it fall, as its comparison is at `now`. */
void tl_aclint_update(struct tl_aclint *aclint, tl_u32 hart, tl_u64 now);

#endif
