#include "machine/cmos.h"

enum {
	SECONDS = 0x00,
	MINUTES = 0x02,
	HOURS = 0x04,
	WEEK_DAY = 0x06,
	DAY = 0x07,
	MONTH = 0x08,
	YEAR = 0x09,
	STATUS_A = 0x0a,
	STATUS_B = 0x0b,
	STATUS_C = 0x0c,
	STATUS_D = 0x0d
};

#define A_DIVIDERS 0x26  /* it runs, as every PC has it; no update is ever under way */
#define B_DAY_OF_24 0x02 /* hours from 0 to 23 */
#define B_BINARY 0x04    /* rather than two decimal digits a byte */
#define D_BATTERY_GOOD 0x80

#define DAY_SECONDS 86400

struct date {
	tl_u32 second, minute, hour, week_day, day, month, year;
};

static bool is_leap(tl_u32 year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static tl_u32 month_days(tl_u32 month, tl_u32 year)
{
	static const tl_u8 days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Centuries have two digits: after the year 9999 it is always the last day of it. */
static struct date find_date(tl_u64 seconds)
{
	const tl_u64 end = 253402300799; /* 9999-12-31 23:59:59 */
	tl_u64 time = seconds < end ? seconds : end, days = time / DAY_SECONDS;
	struct date date = {.second = time % 60, .minute = time / 60 % 60, .hour = time / 3600 % 24};

	date.week_day = (days + 4) % 7 + 1; /* 1970 began on a Thursday; Sunday is 1 */
	for (date.year = 1970; days >= (is_leap(date.year) ? 366u : 365u); date.year++)
		days -= is_leap(date.year) ? 366 : 365;
	for (date.month = 1; days >= month_days(date.month, date.year); date.month++)
		days -= month_days(date.month, date.year);
	date.day = (tl_u32)days + 1;
	return date;
}

/* A number in the form that status B asks for. */
static tl_u8 shape(const struct tl_cmos *cmos, tl_u32 value)
{
	return (cmos->bytes[STATUS_B] & B_BINARY) != 0 ? (tl_u8)value : (tl_u8)(value / 10 << 4 | value % 10);
}

static tl_u8 shape_hour(const struct tl_cmos *cmos, tl_u32 hour)
{
	if ((cmos->bytes[STATUS_B] & B_DAY_OF_24) != 0)
		return shape(cmos, hour);
	return (tl_u8)(shape(cmos, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? 0x80 : 0));
}

static tl_u8 read_byte(const struct tl_cmos *cmos)
{
	struct date date = find_date(cmos->seconds != NULL ? cmos->seconds(cmos->context) : 0);

	switch (cmos->number) {
	case SECONDS:
		return shape(cmos, date.second);
	case MINUTES:
		return shape(cmos, date.minute);
	case HOURS:
		return shape_hour(cmos, date.hour);
	case WEEK_DAY:
		return shape(cmos, date.week_day);
	case DAY:
		return shape(cmos, date.day);
	case MONTH:
		return shape(cmos, date.month);
	case YEAR:
		return shape(cmos, date.year % 100);
	case TL_CMOS_CENTURY:
		return shape(cmos, date.year / 100);
	case STATUS_A:
		return A_DIVIDERS;
	case STATUS_C: /* nothing interrupts */
		return 0;
	case STATUS_D:
		return D_BATTERY_GOOD;
	default:
		return cmos->bytes[cmos->number];
	}
}

static tl_u64 read(void *device, tl_u64 offset, tl_u32 size)
{
	const struct tl_cmos *cmos = device;

	(void)size;
	return offset == 1 ? read_byte(cmos) : 0xff; /* the number cannot be read back */
}

static void write(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	struct tl_cmos *cmos = device;

	(void)size;
	if (offset == 0)
		cmos->number = value & 0x7f; /* above it is the mask of NMI */
	else
		cmos->bytes[cmos->number] = (tl_u8)value;
}

/* The bytes have a battery: all but what says how they are read stays. */
static void reset(void *device)
{
	struct tl_cmos *cmos = device;

	cmos->number = 0;
	cmos->bytes[STATUS_B] = B_DAY_OF_24;
}

const struct tl_device_operations tl_cmos_operations = {.read = read, .write = write, .reset = reset};
