/*
 * The real-time clock of Google's goldfish, as in QEMU's virt machine: nanoseconds since 1970, and an alarm.
 *
 * It counts the machine's own time on from the moment that it was given: what the host's clock shows never enters.
 *
 * Source: Google, "Goldfish virtual hardware"; Linux, drivers/rtc/rtc-goldfish.c.
 */
#ifndef TL_MACHINE_RTC_H
#define TL_MACHINE_RTC_H

#include "machine/bus.h"
#include "machine/services.h"

#define TL_RTC_SIZE 0x1000

struct tl_rtc {
	const struct tl_services *services;
	struct tl_line line;
	tl_u64 start;  /* nanoseconds since 1970 when the machine is reset */
	tl_u64 offset; /* what it shows minus the machine's own time */
	tl_u64 alarm;
	tl_u32 time_high; /* latched by a read of the low half */
	bool running, enabled, pending;
	struct tl_timer timer;
};

extern const struct tl_device_operations tl_rtc_operations;

#endif
