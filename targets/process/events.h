/*
 * From a raw stop to its meaning: what waitpid's status word says, and what a signal is. What a SIGTRAP is hangs on the
 * CPU: x86_events.h, arm64_events.h. Pure functions: no system calls, no state.
 */
#ifndef TL_TARGETS_PROCESS_EVENTS_H
#define TL_TARGETS_PROCESS_EVENTS_H

#include "core/engine/target.h"

#include <signal.h>

enum tl_stop_kind {
	TL_STOP_EXITED,      /* the thread ended; `value` is its exit status */
	TL_STOP_KILLED,      /* the thread was ended by signal `value` */
	TL_STOP_INTERRUPTED, /* PTRACE_EVENT_STOP outside a group-stop: PTRACE_INTERRUPT, SIGCONT, a new thread's first
			      */
	TL_STOP_GROUP,       /* the process is stopped by signal `value`, as job control sees it */
	TL_STOP_CLONE,
	TL_STOP_FORK,
	TL_STOP_VFORK,
	TL_STOP_VFORK_DONE,
	TL_STOP_EXEC,
	TL_STOP_EXITING, /* about to end; registers can still be read */
	TL_STOP_SYSCALL, /* entry or return */
	TL_STOP_SIGNAL,  /* signal-delivery-stop for `value`, SIGTRAP among them; siginfo says what it is */
	TL_STOP_STRANGE  /* nothing that ptrace(2) describes */
};

struct tl_stop {
	enum tl_stop_kind kind;
	int value;
};

struct tl_stop tl_stop_decode(int status);

/* A signal that is the program's own affair: fills in everything of the event but its thread. */
void tl_stop_signal_event(const siginfo_t *info, tl_u64 program_counter, struct tl_event *event_ret);

/*
 * Whether the stop was a signal about to be delivered, so that PTRACE_CONT can deliver one in its place. The one that
 * looks like it and is not is the report of a step into a signal handler.
 */
bool tl_stop_is_delivery(const siginfo_t *info);

#endif
