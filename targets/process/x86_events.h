/*
 * What a SIGTRAP is on x86. Pure functions: no system calls, no state.
 */
#ifndef TL_TARGETS_PROCESS_X86_EVENTS_H
#define TL_TARGETS_PROCESS_X86_EVENTS_H

#include "core/engine/x86_points.h"
#include "targets/process/events.h"

/* What the meaning of a signal stop hangs on. */
struct tl_x86_signal_facts {
	const siginfo_t *info;
	tl_u64 program_counter;
	bool stepping;                        /* it was set going by PTRACE_SINGLESTEP */
	const struct tl_x86_debug_plan *plan; /* what its debug registers hold; NULL: nothing */
	tl_u64 debug_status;                  /* DR6; 0 where `plan` is NULL */
};

/* Fills in everything of the event but its thread. */
void tl_x86_classify_signal(const struct tl_x86_signal_facts *facts, struct tl_event *event_ret);

/* True when reading DR6 can tell more about this SIGTRAP. */
bool tl_x86_needs_debug_status(const siginfo_t *info);

#endif
