#include "debugger/session/debug_registers.h"

#include "debugger/session/session_internal.h"

/* Where the target does not say how many there are: what x86 and most stubs have. */
#define REGISTERS_USUAL 4
#define REGISTERS_MAX 64

/* What is given out so far. A piece that two ask for is there once. */
struct given {
	struct tl_debug_piece pieces[REGISTERS_MAX];
	tl_size count, limit;
};

static tl_size registers_of(struct tl_session *session, const struct tl_debugged *debugged)
{
	struct tl_target *target = session->target;
	tl_u32 count = target->ops->hardware_points != NULL && debugged->process != 0
			       ? target->ops->hardware_points(target, debugged->process)
			       : 0;

	if (count == 0)
		return REGISTERS_USUAL;
	return count < REGISTERS_MAX ? count : REGISTERS_MAX;
}

/* ---- Pieces ---- */

/* The smallest aligned piece that covers bytes which do not go past eight that are aligned. */
static struct tl_debug_piece cover(tl_u64 address, tl_u64 end)
{
	tl_u64 size = 1;

	while ((address & ~(size - 1)) + size < end)
		size *= 2;
	return (struct tl_debug_piece){.kind = TL_POINT_WRITE, .address = address & ~(size - 1), .size = size};
}

/* The largest aligned piece at the front that covers nothing else: whatever is read there counts. */
static struct tl_debug_piece exactly(enum tl_point_kind kind, tl_u64 address, tl_u64 end)
{
	tl_u64 size = 8;

	while (size > 1 && (address % size != 0 || address + size > end))
		size /= 2;
	return (struct tl_debug_piece){.kind = kind, .address = address, .size = size};
}

tl_size tl_debug_pieces(const struct tl_breakpoint *breakpoint, const struct tl_watched *watched,
			struct tl_debug_piece pieces_ret[TL_DEBUG_PIECES_MAX])
{
	tl_u64 at = watched->address, end = at + watched->size;
	tl_size count = 0;

	while (at < end && count < TL_DEBUG_PIECES_MAX) {
		tl_u64 next = (at & ~(tl_u64)7) + 8;

		if (breakpoint->kind == TL_WATCHPOINT)
			pieces_ret[count] = cover(at, next < end ? next : end);
		else
			pieces_ret[count] = exactly(
				breakpoint->kind == TL_WATCHPOINT_READ ? TL_POINT_READ : TL_POINT_ACCESS, at, end);
		at = breakpoint->kind == TL_WATCHPOINT ? next : at + pieces_ret[count].size;
		count++;
	}
	return count;
}

/* ---- Giving out ---- */

static bool give(struct given *given, const struct tl_debug_piece *piece)
{
	for (tl_size i = 0; i < given->count; i++)
		if (given->pieces[i].kind == piece->kind && given->pieces[i].address == piece->address &&
		    given->pieces[i].size == piece->size)
			return true;
	if (given->count == given->limit)
		return false;
	given->pieces[given->count++] = *piece;
	return true;
}

/* All that a watchpoint needs, or nothing. */
static bool give_watch(struct given *given, const struct tl_breakpoint *breakpoint)
{
	tl_size before = given->count;

	for (tl_size i = 0; i < breakpoint->watched_count; i++) {
		struct tl_debug_piece pieces[TL_DEBUG_PIECES_MAX];
		tl_size count = tl_debug_pieces(breakpoint, &breakpoint->watched[i], pieces);

		for (tl_size j = 0; j < count; j++)
			if (!give(given, &pieces[j])) {
				given->count = before;
				return false;
			}
	}
	return breakpoint->watched_count != 0;
}

static bool is_on(const struct tl_breakpoint *breakpoint)
{
	return breakpoint->enabled && !breakpoint->gone;
}

/* Those that have no other way. What is too much is refused when it is inserted. */
static void give_unbending(struct tl_session *session, const struct tl_debugged *debugged, struct given *given)
{
	for (tl_size i = 0; i < session->points.count; i++) {
		const struct tl_breakpoint *breakpoint = session->points.items[i];

		for (tl_size j = 0;
		     breakpoint->kind == TL_BREAKPOINT_HARDWARE && is_on(breakpoint) && j < breakpoint->location_count;
		     j++)
			if (breakpoint->locations[j].enabled && breakpoint->locations[j].inferior == debugged->number)
				(void)give(given, &(struct tl_debug_piece){TL_POINT_HARDWARE,
									   breakpoint->locations[j].address, 1});
	}
	for (tl_size i = 0; i < session->points.count; i++) {
		const struct tl_breakpoint *breakpoint = session->points.items[i];

		if ((breakpoint->kind == TL_WATCHPOINT_READ || breakpoint->kind == TL_WATCHPOINT_ACCESS) &&
		    is_on(breakpoint) && breakpoint->inferior == debugged->number)
			(void)give_watch(given, breakpoint);
	}
}

void tl_debug_registers_share(struct tl_session *session, const struct tl_debugged *debugged)
{
	struct given given = {.limit = registers_of(session, debugged)};
	bool usable = session->settings.hardware_watchpoints != 0 &&
		      (tl_target_capabilities(session->target) & TL_CAN_WATCH) != 0;

	give_unbending(session, debugged, &given);
	for (tl_size i = 0; i < session->points.count; i++) {
		struct tl_breakpoint *breakpoint = session->points.items[i];

		if (breakpoint->kind == TL_WATCHPOINT && is_on(breakpoint) && breakpoint->inferior == debugged->number)
			breakpoint->software = !usable || breakpoint->no_registers || !give_watch(&given, breakpoint);
	}
}

bool tl_debug_registers_room(struct tl_session *session, const struct tl_breakpoint *breakpoint)
{
	struct given given = {.limit = registers_of(session, session->current)};

	give_unbending(session, session->current, &given);
	return give_watch(&given, breakpoint);
}
