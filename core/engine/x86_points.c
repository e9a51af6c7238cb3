#include "core/engine/x86_points.h"

bool tl_x86_points_kind(enum tl_point_kind kind, enum tl_x86_debug_kind *kind_ret)
{
	switch (kind) {
	case TL_POINT_HARDWARE:
		*kind_ret = TL_X86_DEBUG_EXECUTE;
		return true;
	case TL_POINT_WRITE:
		*kind_ret = TL_X86_DEBUG_WRITE;
		return true;
	case TL_POINT_READ:
	case TL_POINT_ACCESS:
		*kind_ret = TL_X86_DEBUG_ACCESS;
		return true;
	case TL_POINT_SOFTWARE:
	case TL_POINT_KIND_MAX:
		break;
	}
	return false;
}

/* An instruction is watched by its first byte, whatever the packet's kind field says. */
static tl_u64 extent(enum tl_x86_debug_kind kind, tl_u64 size)
{
	return kind == TL_X86_DEBUG_EXECUTE ? 1 : size;
}

enum tl_status tl_x86_points_add(struct tl_x86_debug_plan *plan, enum tl_point_kind kind, tl_u64 address, tl_u64 size,
				 bool wide)
{
	enum tl_x86_debug_kind debug;

	if (!tl_x86_points_kind(kind, &debug))
		return TL_ERROR_POINT_KIND;
	return tl_x86_debug_add(plan, debug, address, extent(debug, size), wide);
}

enum tl_status tl_x86_points_remove(struct tl_x86_debug_plan *plan, enum tl_point_kind kind, tl_u64 address,
				    tl_u64 size, bool wide)
{
	enum tl_x86_debug_kind debug;

	if (!tl_x86_points_kind(kind, &debug))
		return TL_ERROR_POINT_KIND;
	return tl_x86_debug_remove(plan, debug, address, extent(debug, size), wide);
}

bool tl_x86_points_hit(const struct tl_x86_debug_plan *plan, tl_u64 dr6, tl_u64 pc, struct tl_event *event)
{
	tl_u8 named = tl_x86_debug_hits(plan, dr6);
	bool execute = false;

	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++) {
		enum tl_x86_debug_kind kind;
		tl_u64 address, size;

		if ((named >> n & 1) == 0 || !tl_x86_debug_piece(plan, n, &kind, &address, &size))
			continue;
		if (kind == TL_X86_DEBUG_EXECUTE)
			execute |= address == pc;
		else
			event->hits[event->hit_count++] = (struct tl_hit){
				.address = address,
				.size = size,
				.access = kind == TL_X86_DEBUG_WRITE ? TL_ACCESS_WRITE : TL_ACCESS_BOTH};
	}
	if (event->hit_count == 0 && !execute)
		return false;
	event->kind = event->hit_count != 0 ? TL_EVENT_WATCHPOINT : TL_EVENT_HARDWARE_BREAKPOINT;
	event->address = pc;
	return true;
}
