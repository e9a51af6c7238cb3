/*
 * A platform-level interrupt controller as in QEMU's virt machine: 95 sources, level-triggered, and two contexts for
 * each hart: machine mode's, then the supervisor's.
 *
 * Source: RISC-V Platform-Level Interrupt Controller Specification 1.0.0.
 */
#ifndef TL_MACHINE_PLIC_H
#define TL_MACHINE_PLIC_H

#include "machine/bus.h"
#include "machine/services.h"

#define TL_PLIC_SIZE 0x600000
#define TL_PLIC_SOURCES 96 /* source 0 is none */
#define TL_PLIC_CONTEXTS 16
#define TL_PLIC_WORDS (TL_PLIC_SOURCES / 32)
#define TL_PLIC_PRIORITY_MAX 7

struct tl_plic {
	tl_u32 contexts;                          /* twice the number of harts */
	struct tl_line outputs[TL_PLIC_CONTEXTS]; /* to the harts' external interrupts */
	tl_u32 levels[TL_PLIC_WORDS];             /* what devices hold up */
	tl_u32 claimed[TL_PLIC_WORDS]; /* taken, and not completed yet; pending is what is up and not claimed */
	tl_u8 priorities[TL_PLIC_SOURCES];
	tl_u32 enabled[TL_PLIC_CONTEXTS][TL_PLIC_WORDS];
	tl_u8 thresholds[TL_PLIC_CONTEXTS];
};

extern const struct tl_device_operations tl_plic_operations;

/* The input of a source, for a device. The controller is borrowed. Source is from 1 to TL_PLIC_SOURCES - 1. */
struct tl_line tl_plic_input(struct tl_plic *plic, tl_u32 source);

#endif
