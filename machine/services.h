/*
 * What a device may ask of the machine that it is plugged into: interrupt lines and time.
 *
 * All of it is for the thread in which the machine runs, from inside a device's own functions (an access, a timer that
 * expired, input). Whatever a device does must depend only on what the guest did, on the time that `now` tells and on
 * the input that it was given: then the same run happens twice.
 */
#ifndef TL_MACHINE_SERVICES_H
#define TL_MACHINE_SERVICES_H

#include "core/types.h"

/* An input of an interrupt controller. {0} is connected to nothing. */
struct tl_line {
	void (*set)(void *context, tl_u32 number, bool level);
	void *context;
	tl_u32 number;
};

/* Holds the line up, or lets it fall; saying the same twice is fine. */
static inline void tl_line_set(const struct tl_line *line, bool level)
{
	if (line->set != NULL)
		line->set(line->context, line->number, level);
}

/* Calls a device back, once. Part of the device; it must be disarmed before the device ends. */
struct tl_timer {
	void (*expired)(void *device);
	void *device;
	tl_u64 when;           /* as it was armed; kept by the machine, as are the others */
	struct tl_timer *next; /* of those that are armed, the next to expire */
	bool armed;
};

struct tl_services {
	void *context;

	/* Nanoseconds of the machine's own time since it was reset. */
	tl_u64 (*now)(void *context);

	/*
	 * Has timer->expired called when that time has come, or soon after it: between two instructions, at a moment
	 * that is the same in every run. Arming one again moves it.
	 */
	void (*arm)(void *context, struct tl_timer *timer, tl_u64 when);
	void (*disarm)(void *context, struct tl_timer *timer);

	/* Has the machine's loop look around after the present instruction: something ended, a deadline moved. */
	void (*attention)(void *context);
};

#endif
