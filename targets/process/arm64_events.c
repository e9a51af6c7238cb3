#include "targets/process/arm64_events.h"

/* user_single_step_report(): no code of its own, and nobody who has sent it. */
static bool ends_call(const siginfo_t *info)
{
	return info->si_code == SI_USER && info->si_pid == 0 && info->si_uid == 0;
}

bool tl_arm64_is_trap(const siginfo_t *info)
{
	return info->si_signo == SIGTRAP && (info->si_code > 0 || ends_call(info));
}

enum tl_arm64_trap tl_arm64_trap_of(const struct tl_arm64_signal_facts *facts)
{
	const siginfo_t *info = facts->info;

	if (info->si_signo != SIGTRAP)
		return TL_ARM64_TRAP_NONE;
	switch (info->si_code) {
	case TRAP_BRKPT:
		return TL_ARM64_TRAP_BRK;
	case TRAP_HWBKPT:
		if (facts->break_here && (tl_u64)(tl_uintptr)info->si_addr == facts->program_counter)
			return TL_ARM64_TRAP_BREAKPOINT;
		return TL_ARM64_TRAP_WATCHPOINT;
	case TRAP_TRACE:
	case SIGTRAP: /* a step into a signal handler: the value that ptrace_notify() puts there */
		return facts->stepping ? TL_ARM64_TRAP_STEP : TL_ARM64_TRAP_NONE;
	default: /* kill, tgkill, sigqueue, a timer, perf; or a step over a system call */
		return facts->stepping && ends_call(info) ? TL_ARM64_TRAP_STEP : TL_ARM64_TRAP_NONE;
	}
}
