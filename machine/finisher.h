/*
 * The test finisher of SiFive's boards, which QEMU's virt machine has as well: a word written to it ends the machine,
 * well or badly, or resets it.
 *
 * Source: Linux, Documentation/devicetree/bindings/riscv, "sifive,test0" and "syscon-poweroff".
 */
#ifndef TL_MACHINE_FINISHER_H
#define TL_MACHINE_FINISHER_H

#include "machine/bus.h"

#define TL_FINISHER_SIZE 0x1000

enum tl_finish { TL_FINISH_NOT_YET, TL_FINISH_POWER_OFF, TL_FINISH_FAILURE, TL_FINISH_RESET };

struct tl_finisher {
	enum tl_finish finish;       /* what was asked for; the machine looks at it between instructions */
	tl_u16 code;                 /* with a failure */
	void (*told)(void *context); /* when `finish` changed; NULL: nobody wants to know */
	void *context;
};

extern const struct tl_device_operations tl_finisher_operations;

#endif
