#include "machine/rtc.h"

enum {
	TIME_LOW = 0x00,
	TIME_HIGH = 0x04,
	ALARM_LOW = 0x08,
	ALARM_HIGH = 0x0c,
	INTERRUPT_ENABLED = 0x10,
	CLEAR_ALARM = 0x14,
	ALARM_STATUS = 0x18,
	CLEAR_INTERRUPT = 0x1c
};

#define LOW(value) ((tl_u32)(value))
#define HIGH(value) ((tl_u32)((value) >> 32))

static tl_u64 with_low(tl_u64 value, tl_u32 low)
{
	return (value & ~(tl_u64)TL_U32_MAX) | low;
}

static tl_u64 with_high(tl_u64 value, tl_u32 high)
{
	return (tl_u64)high << 32 | LOW(value);
}

static tl_u64 shown(const struct tl_rtc *rtc)
{
	return rtc->services->now(rtc->services->context) + rtc->offset;
}

static void update(const struct tl_rtc *rtc)
{
	tl_line_set(&rtc->line, rtc->enabled && rtc->pending);
}

static void ring(void *device)
{
	struct tl_rtc *rtc = device;

	rtc->running = false;
	rtc->pending = true;
	update(rtc);
}

static void stop(struct tl_rtc *rtc)
{
	rtc->running = false;
	rtc->services->disarm(rtc->services->context, &rtc->timer);
}

/* An alarm in the past rings at once. */
static void start(struct tl_rtc *rtc)
{
	tl_u64 now = rtc->services->now(rtc->services->context), left = rtc->alarm - shown(rtc);

	if (rtc->alarm <= shown(rtc)) {
		stop(rtc);
		ring(rtc);
		return;
	}
	rtc->running = true;
	rtc->services->arm(rtc->services->context, &rtc->timer, left > TL_U64_MAX - now ? TL_U64_MAX : now + left);
}

static tl_u64 read(void *device, tl_u64 offset, tl_u32 size)
{
	struct tl_rtc *rtc = device;
	tl_u64 now;

	if (size != 4)
		return 0;
	switch (offset) {
	case TIME_LOW:
		now = shown(rtc);
		rtc->time_high = HIGH(now);
		return LOW(now);
	case TIME_HIGH:
		return rtc->time_high;
	case ALARM_LOW:
		return LOW(rtc->alarm);
	case ALARM_HIGH:
		return HIGH(rtc->alarm);
	case INTERRUPT_ENABLED:
		return rtc->enabled;
	case ALARM_STATUS:
		return rtc->running;
	default:
		return 0;
	}
}

/* A clock that is set moves the moment of an alarm with it. */
static void set_time(struct tl_rtc *rtc, tl_u64 time)
{
	rtc->offset += time - shown(rtc);
	if (rtc->running)
		start(rtc);
}

static void write(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	struct tl_rtc *rtc = device;

	if (size != 4)
		return;
	switch (offset) {
	case TIME_LOW:
		set_time(rtc, with_low(shown(rtc), LOW(value)));
		break;
	case TIME_HIGH:
		set_time(rtc, with_high(shown(rtc), LOW(value)));
		break;
	case ALARM_LOW:
		rtc->alarm = with_low(rtc->alarm, LOW(value));
		start(rtc);
		break;
	case ALARM_HIGH:
		rtc->alarm = with_high(rtc->alarm, LOW(value));
		break;
	case INTERRUPT_ENABLED:
		rtc->enabled = (value & 1) != 0;
		break;
	case CLEAR_ALARM:
		stop(rtc);
		break;
	case CLEAR_INTERRUPT:
		rtc->pending = false;
		break;
	default:
		break;
	}
	update(rtc);
}

static void reset(void *device)
{
	struct tl_rtc *rtc = device;

	stop(rtc);
	rtc->timer.expired = ring;
	rtc->timer.device = rtc;
	rtc->offset = rtc->start;
	rtc->alarm = 0;
	rtc->time_high = 0;
	rtc->enabled = false;
	rtc->pending = false;
	update(rtc);
}

const struct tl_device_operations tl_rtc_operations = {.read = read, .write = write, .reset = reset};
