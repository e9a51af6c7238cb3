/* From what a hart halted for to the one event that the engine is told. */
#include "targets/emulator/target_internal.h"

/* Linux's numbers of signals, for what a process would get in the place of an exception. */
enum { SIGNAL_ILLEGAL = 4, SIGNAL_TRAP = 5, SIGNAL_BUS = 7, SIGNAL_FAULT = 11, SIGNAL_SYSTEM = 31 };

static tl_i32 signal_of(tl_u64 cause)
{
	switch (cause) {
	case TL_CAUSE_ILLEGAL:
		return SIGNAL_ILLEGAL;
	case TL_CAUSE_BREAKPOINT:
		return SIGNAL_TRAP;
	case TL_CAUSE_FETCH_MISALIGNED:
	case TL_CAUSE_LOAD_MISALIGNED:
	case TL_CAUSE_STORE_MISALIGNED:
		return SIGNAL_BUS;
	case TL_CAUSE_CALL_FROM_USER:
	case TL_CAUSE_CALL_FROM_SUPERVISOR:
	case TL_CAUSE_CALL_FROM_MACHINE:
		return SIGNAL_SYSTEM;
	default:
		return SIGNAL_FAULT;
	}
}

/* The bytes of the watchpoint that were accessed. */
static struct tl_hit hit_of(const struct tl_watch_hit *found)
{
	tl_u64 last = found->address + (found->size - 1), point_last = found->point_address + (found->point_size - 1);
	struct tl_hit hit = {.address = found->address, .access = found->write ? TL_ACCESS_WRITE : TL_ACCESS_READ};

	if (found->address < found->point_address && last >= found->point_address)
		hit.address = found->point_address;
	if (last > point_last && point_last >= hit.address)
		last = point_last;
	hit.size = last - hit.address + 1;
	return hit;
}

static void add_hits(const struct tl_hart *hart, struct tl_event *event)
{
	for (tl_u8 i = 0; i < hart->watch_hit_count && event->hit_count < TL_HITS_MAX; i++) {
		struct tl_hit hit = hit_of(&hart->watch_hits[i]);

		/* The engine looks which of its points the bytes belong to: once is enough. */
		if (event->hit_count != 0 && event->hits[event->hit_count - 1].address == hit.address &&
		    event->hits[event->hit_count - 1].size == hit.size) {
			event->hits[event->hit_count - 1].access |= hit.access;
			continue;
		}
		event->hits[event->hit_count++] = hit;
	}
}

/*
 * What a breakpoint at the hart's program counter is to the engine. One of which it does not know, by physical address
 * or of one address space, is a signal: a hit that belongs to none of its points it would take for that of one removed.
 */
static void set_breakpoint(const struct tl_emulator_points *points, const struct tl_hart *hart, struct tl_event *event)
{
	event->kind = TL_EVENT_SIGNAL;
	event->signal = SIGNAL_TRAP;
	event->address = hart->pc;
	for (tl_size i = 0; i < points->breakpoints.count; i++) {
		const struct tl_emulator_point *point = &points->breakpoints.points[i];

		if (point->address != hart->pc || point->space != TL_POINT_SPACE_VIRTUAL)
			continue;
		event->signal = 0;
		if (event->kind != TL_EVENT_TRAP)
			event->kind = point->label == TL_POINT_SOFTWARE ? TL_EVENT_TRAP : TL_EVENT_HARDWARE_BREAKPOINT;
	}
}

struct tl_event tl_emulator_event(const struct tl_emulator_points *points, const struct tl_hart *hart, bool stepped)
{
	struct tl_event event = {.kind = TL_EVENT_STEPPED, .thread = {TL_EMULATOR_PROCESS, hart->number + 1}};

	switch ((enum tl_halt)hart->halt) {
	case TL_HALT_NONE:
		break;
	case TL_HALT_BREAKPOINT:
		set_breakpoint(points, hart, &event);
		break;
	case TL_HALT_WATCHPOINT:
		event.kind = TL_EVENT_WATCHPOINT;
		event.exact = true;
		event.stepped = stepped;
		add_hits(hart, &event);
		break;
	case TL_HALT_EXCEPTION:
		event.kind = TL_EVENT_SIGNAL;
		event.signal = signal_of(hart->halt_exception.cause);
		event.fault = true;
		event.address = hart->pc;
		break;
	}
	return event;
}
