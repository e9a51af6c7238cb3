/*
 * The real-time clock of PCs with its 128 bytes of memory, behind two ports: a number, and what has that number. It
 * shows the time that it is given, in UTC; there are no alarms, and what sets it is kept as bytes and has no effect.
 *
 * Source: MC146818 data sheet, Motorola, 1984; ACPI 6.4, 4.8.2.4 (the century).
 */
#ifndef TL_MACHINE_CMOS_H
#define TL_MACHINE_CMOS_H

#include "machine/bus.h"

#define TL_CMOS_SIZE 2 /* ports */
#define TL_CMOS_BYTES 128
#define TL_CMOS_CENTURY 0x32 /* where it is, for the tables that say so */

struct tl_cmos {
	tl_u64 (*seconds)(void *context); /* since 1970; NULL: it is always 1970 */
	void *context;
	tl_u8 number; /* which byte was asked for */
	tl_u8 bytes[TL_CMOS_BYTES];
};

extern const struct tl_device_operations tl_cmos_operations;

#endif
