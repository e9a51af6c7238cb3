/*
 * What a SIGTRAP is on arm64. Pure functions: no system calls, no state.
 */
#ifndef TL_TARGETS_PROCESS_ARM64_EVENTS_H
#define TL_TARGETS_PROCESS_ARM64_EVENTS_H

#include "core/types.h"

#include <signal.h>

enum tl_arm64_trap {
	TL_ARM64_TRAP_NONE,       /* the program's own affair, as any signal is that is no SIGTRAP */
	TL_ARM64_TRAP_BRK,        /* the program counter stands at it */
	TL_ARM64_TRAP_STEP,       /* the step is done */
	TL_ARM64_TRAP_BREAKPOINT, /* of hardware, at the program counter: not yet executed */
	TL_ARM64_TRAP_WATCHPOINT  /* of hardware: the access at the program counter is not done; si_addr is FAR */
};

/* What the meaning hangs on. */
struct tl_arm64_signal_facts {
	const siginfo_t *info;
	tl_u64 program_counter;
	bool stepping;   /* it was set going by PTRACE_SINGLESTEP */
	bool break_here; /* a hardware breakpoint is armed at the program counter */
};

/* Which of them it is. */
enum tl_arm64_trap tl_arm64_trap_of(const struct tl_arm64_signal_facts *facts);

/*
 * Whether the kernel has sent this SIGTRAP for what an instruction did. The end of a step over a system call looks like
 * a signal that a process with the number 0 has sent.
 */
bool tl_arm64_is_trap(const siginfo_t *info);

#endif
