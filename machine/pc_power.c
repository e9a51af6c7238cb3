#include "machine/pc_power.h"

#define CONTROL_ACPI 0x0001 /* SCI_EN: the registers are the operating system's */
#define CONTROL_SLEEP 0x2000
#define CONTROL_TYPE_SHIFT 10

#define TIMER_HERTZ 3579545

#define KEYBOARD_COMMAND 4 /* the port, from the first on */
#define COMMAND_RESET 0xfe

#define RESET_FULL 0x04 /* the bit that does it when it rises */

/* ---- Power management ---- */

static tl_u32 read_timer(const struct tl_pc_power *power)
{
	tl_u64 now = power->services->now(power->services->context);

	return (tl_u32)((__uint128_t)now * TIMER_HERTZ / 1000000000);
}

/* Events and control are words; a part of one, or both in one access, is what the bytes say. */
static tl_u64 read_pm(void *device, tl_u64 offset, tl_u32 size)
{
	const struct tl_pc_power *power = device;
	tl_u8 bytes[TL_PC_PM_SIZE] = {0};
	tl_u32 timer = offset + size > TL_PC_PM_TIMER ? read_timer(power) : 0;

	tl_store_little(bytes + TL_PC_PM_EVENT, power->status, 2);
	tl_store_little(bytes + TL_PC_PM_EVENT + 2, power->enable, 2);
	tl_store_little(bytes + TL_PC_PM_CONTROL, power->control | CONTROL_ACPI, 2);
	tl_store_little(bytes + TL_PC_PM_TIMER, timer, 4);
	return tl_load_little(bytes + offset, size);
}

static void write_control(struct tl_pc_power *power, tl_u16 value)
{
	power->control = value & (tl_u16)~CONTROL_SLEEP;
	if ((value & CONTROL_SLEEP) != 0 && (value >> CONTROL_TYPE_SHIFT & 7) == TL_PC_SLEEP_OFF)
		power->request = TL_PC_POWER_OFF;
}

static void write_pm(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	struct tl_pc_power *power = device;

	if (size > 4 || offset % 2 != 0 || size == 1)
		return;
	if (offset == TL_PC_PM_EVENT) {
		power->status &= (tl_u16)~value; /* what is written goes */
		if (size == 4)
			power->enable = (tl_u16)(value >> 16);
	} else if (offset == TL_PC_PM_EVENT + 2) {
		power->enable = (tl_u16)value;
	} else if (offset == TL_PC_PM_CONTROL) {
		write_control(power, (tl_u16)value);
	}
}

static void reset(void *device)
{
	struct tl_pc_power *power = device;

	power->request = TL_PC_GOES_ON;
	power->status = power->enable = power->control = 0;
	power->reset_control = 0;
}

const struct tl_device_operations tl_pc_pm_operations = {.read = read_pm, .write = write_pm, .reset = reset};

/* ---- The keyboard controller ---- */

/* There is never anything to be read, and always room for a command. */
static tl_u64 read_keyboard(void *device, tl_u64 offset, tl_u32 size)
{
	(void)device;
	(void)offset;
	(void)size;
	return 0;
}

static void write_keyboard(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	struct tl_pc_power *power = device;

	(void)size;
	if (offset == KEYBOARD_COMMAND && (value & 0xff) == COMMAND_RESET)
		power->request = TL_PC_RESET;
}

const struct tl_device_operations tl_pc_keyboard_operations = {.read = read_keyboard, .write = write_keyboard};

/* ---- The reset register ---- */

static tl_u64 read_reset(void *device, tl_u64 offset, tl_u32 size)
{
	const struct tl_pc_power *power = device;

	(void)offset;
	(void)size;
	return power->reset_control;
}

static void write_reset(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	struct tl_pc_power *power = device;

	(void)offset;
	(void)size;
	if ((value & RESET_FULL) != 0 && (power->reset_control & RESET_FULL) == 0)
		power->request = TL_PC_RESET;
	power->reset_control = value & 0x0a;
}

const struct tl_device_operations tl_pc_reset_operations = {.read = read_reset, .write = write_reset};
