/*
 * What switches a PC off, and what resets it: the registers of ACPI's power management, the keyboard controller, the
 * reset register of chipsets. Of each there is what an operating system needs for that, and no more: no keyboard, no
 * power button.
 *
 * Source: ACPI 6.4, 4.8.3 (fixed hardware registers); the 8042's command 0xfe; Intel's ICH, reset control (0xcf9).
 */
#ifndef TL_MACHINE_PC_POWER_H
#define TL_MACHINE_PC_POWER_H

#include "machine/bus.h"
#include "machine/services.h"

#define TL_PC_PM_SIZE 12 /* ports: events (status, enable: 4), control (2, and 2 that are not there), timer (4) */
#define TL_PC_PM_EVENT 0
#define TL_PC_PM_CONTROL 4
#define TL_PC_PM_TIMER 8
#define TL_PC_SLEEP_OFF 5     /* the type of sleep that is none: what \_S5 says */
#define TL_PC_RESET_VALUE 6   /* what is written to the reset register */
#define TL_PC_KEYBOARD_SIZE 5 /* ports from 0x60 on */

/* What the guest wants to become of the machine. */
enum tl_pc_request { TL_PC_GOES_ON, TL_PC_RESET, TL_PC_POWER_OFF };

struct tl_pc_power {
	const struct tl_services *services; /* its `now` is what the timer counts */
	enum tl_pc_request request;         /* whoever looks at it after an access takes it */
	tl_u16 status, enable, control;
	tl_u8 reset_control;
};

/* The three parts; the device of each is a struct tl_pc_power, and tl_pc_pm_operations resets it. */
extern const struct tl_device_operations tl_pc_pm_operations;
extern const struct tl_device_operations tl_pc_keyboard_operations;
extern const struct tl_device_operations tl_pc_reset_operations;

#endif
