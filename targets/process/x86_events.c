#include "targets/process/x86_events.h"

bool tl_x86_needs_debug_status(const siginfo_t *info)
{
	return info->si_signo == SIGTRAP && (info->si_code == TRAP_TRACE || info->si_code == TRAP_HWBKPT);
}

/* True when a register of the plan is the cause: then the event is a point's. */
static bool classify_hits(const struct tl_x86_signal_facts *facts, struct tl_event *event)
{
	return facts->plan != NULL &&
	       tl_x86_points_hit(facts->plan, facts->debug_status, facts->program_counter, event);
}

/* True when the SIGTRAP is the debugger's; otherwise it is the program's own affair. */
static bool classify_trap(const struct tl_x86_signal_facts *facts, struct tl_event *event)
{
	switch (facts->info->si_code) {
	case SI_KERNEL: /* int3, or int $3 */
		event->kind = TL_EVENT_TRAP;
		event->address = facts->program_counter - 1;
		return true;
	case TRAP_TRACE: /* DR6.BS, and perhaps registers besides */
		if (classify_hits(facts, event)) {
			event->stepped = facts->stepping;
			return true;
		}
		break; /* without a step of ours the program has set TF itself */
	case TRAP_HWBKPT:
		return classify_hits(facts, event);
	case TRAP_BRKPT: /* the end of a step over a system call; without a step, the instruction icebp */
	case SIGTRAP:    /* a step into a signal handler: the value that ptrace_notify() puts there */
		break;
	default: /* kill, tgkill, sigqueue, a timer, perf */
		return false;
	}
	if (!facts->stepping)
		return false;
	event->kind = TL_EVENT_STEPPED;
	event->stepped = true;
	return true;
}

void tl_x86_classify_signal(const struct tl_x86_signal_facts *facts, struct tl_event *event_ret)
{
	*event_ret = (struct tl_event){.kind = TL_EVENT_NONE};
	if (facts->info->si_signo == SIGTRAP && classify_trap(facts, event_ret))
		return;
	tl_stop_signal_event(facts->info, facts->program_counter, event_ret);
}
