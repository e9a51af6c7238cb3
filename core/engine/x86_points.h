/*
 * Points and the debug registers of x86: what every target over such a processor says the same way, whether it is a
 * process, a virtual machine or a kernel. Pure; any thread.
 */
#ifndef TL_CORE_ENGINE_X86_POINTS_H
#define TL_CORE_ENGINE_X86_POINTS_H

#include "core/cpu/x86_debug.h"
#include "core/engine/target.h"

/*
 * What a debug register is set to for a point: false for software breakpoints, which take none. No register tells reads
 * alone: one that is set for accesses serves, and the engine sorts the writes out.
 */
bool tl_x86_points_kind(enum tl_point_kind kind, enum tl_x86_debug_kind *kind_ret);

/* A point of the engine's into a plan, and out of it again. As tl_x86_debug_add and _remove; TL_ERROR_POINT_KIND. */
enum tl_status tl_x86_points_add(struct tl_x86_debug_plan *plan, enum tl_point_kind kind, tl_u64 address, tl_u64 size,
				 bool wide);
enum tl_status tl_x86_points_remove(struct tl_x86_debug_plan *plan, enum tl_point_kind kind, tl_u64 address,
				    tl_u64 size, bool wide);

/*
 * What DR6 says of a plan's registers, for a processor that stands at `pc`: the event becomes TL_EVENT_WATCHPOINT with
 * all hits, or TL_EVENT_HARDWARE_BREAKPOINT at `pc`; true. False, and nothing changed, when no register of the plan is
 * the cause. An access that is done cannot be seen again, an instruction that was not executed can: so the access goes
 * first. A bit may be set beside another cause for an instruction that is not even next: it counts for nothing.
 */
bool tl_x86_points_hit(const struct tl_x86_debug_plan *plan, tl_u64 dr6, tl_u64 pc, struct tl_event *event);

#endif
