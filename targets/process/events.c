#include "targets/process/events.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

static struct tl_stop decode_event(int event, int signal)
{
	switch (event) {
	case PTRACE_EVENT_STOP:
		if (signal == SIGTRAP)
			return (struct tl_stop){TL_STOP_INTERRUPTED, 0};
		return (struct tl_stop){TL_STOP_GROUP, signal};
	case PTRACE_EVENT_CLONE:
		return (struct tl_stop){TL_STOP_CLONE, 0};
	case PTRACE_EVENT_FORK:
		return (struct tl_stop){TL_STOP_FORK, 0};
	case PTRACE_EVENT_VFORK:
		return (struct tl_stop){TL_STOP_VFORK, 0};
	case PTRACE_EVENT_VFORK_DONE:
		return (struct tl_stop){TL_STOP_VFORK_DONE, 0};
	case PTRACE_EVENT_EXEC:
		return (struct tl_stop){TL_STOP_EXEC, 0};
	case PTRACE_EVENT_EXIT:
		return (struct tl_stop){TL_STOP_EXITING, 0};
	default:
		return (struct tl_stop){TL_STOP_STRANGE, event};
	}
}

struct tl_stop tl_stop_decode(int status)
{
	int event = (int)((unsigned)status >> 16);

	if (WIFEXITED(status))
		return (struct tl_stop){TL_STOP_EXITED, WEXITSTATUS(status)};
	if (WIFSIGNALED(status))
		return (struct tl_stop){TL_STOP_KILLED, WTERMSIG(status)};
	if (!WIFSTOPPED(status))
		return (struct tl_stop){TL_STOP_STRANGE, status};
	if (event != 0)
		return decode_event(event, WSTOPSIG(status));
	if (WSTOPSIG(status) == (SIGTRAP | 0x80))
		return (struct tl_stop){TL_STOP_SYSCALL, 0};
	return (struct tl_stop){TL_STOP_SIGNAL, WSTOPSIG(status)};
}

bool tl_stop_is_delivery(const siginfo_t *info)
{
	/* signal_setup_done() reports a step into a handler by ptrace_notify(SIGTRAP), whose si_code is SIGTRAP. */
	return info->si_signo != SIGTRAP || info->si_code != SIGTRAP;
}

void tl_stop_signal_event(const siginfo_t *info, tl_u64 program_counter, struct tl_event *event_ret)
{
	int signal = info->si_signo;

	*event_ret = (struct tl_event){.kind = TL_EVENT_SIGNAL, .signal = signal, .address = program_counter};
	event_ret->fault =
		(signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE) && info->si_code > 0;
}
