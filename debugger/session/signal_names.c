#include "debugger/session/signal_names.h"

#include <string.h>
#include <strings.h>

#define REAL_TIME(n) [n] = {"SIG" #n, "Real-time event " #n}

/* signal(7), x86 and ARM; the sentences are gdb's. */
static const struct {
	const char *name, *text;
} rows[] = {
	[1] = {"SIGHUP", "Hangup"},
	[2] = {"SIGINT", "Interrupt"},
	[3] = {"SIGQUIT", "Quit"},
	[4] = {"SIGILL", "Illegal instruction"},
	[5] = {"SIGTRAP", "Trace/breakpoint trap"},
	[6] = {"SIGABRT", "Aborted"},
	[7] = {"SIGBUS", "Bus error"},
	[8] = {"SIGFPE", "Arithmetic exception"},
	[9] = {"SIGKILL", "Killed"},
	[10] = {"SIGUSR1", "User defined signal 1"},
	[11] = {"SIGSEGV", "Segmentation fault"},
	[12] = {"SIGUSR2", "User defined signal 2"},
	[13] = {"SIGPIPE", "Broken pipe"},
	[14] = {"SIGALRM", "Alarm clock"},
	[15] = {"SIGTERM", "Terminated"},
	[16] = {"SIGSTKFLT", "Stack fault"},
	[17] = {"SIGCHLD", "Child status changed"},
	[18] = {"SIGCONT", "Continued"},
	[19] = {"SIGSTOP", "Stopped (signal)"},
	[20] = {"SIGTSTP", "Stopped (user)"},
	[21] = {"SIGTTIN", "Stopped (tty input)"},
	[22] = {"SIGTTOU", "Stopped (tty output)"},
	[23] = {"SIGURG", "Urgent I/O condition"},
	[24] = {"SIGXCPU", "CPU time limit exceeded"},
	[25] = {"SIGXFSZ", "File size limit exceeded"},
	[26] = {"SIGVTALRM", "Virtual timer expired"},
	[27] = {"SIGPROF", "Profiling timer expired"},
	[28] = {"SIGWINCH", "Window size changed"},
	[29] = {"SIGIO", "I/O possible"},
	[30] = {"SIGPWR", "Power fail/restart"},
	[31] = {"SIGSYS", "Bad system call"},
	REAL_TIME(32),
	REAL_TIME(33),
	REAL_TIME(34),
	REAL_TIME(35),
	REAL_TIME(36),
	REAL_TIME(37),
	REAL_TIME(38),
	REAL_TIME(39),
	REAL_TIME(40),
	REAL_TIME(41),
	REAL_TIME(42),
	REAL_TIME(43),
	REAL_TIME(44),
	REAL_TIME(45),
	REAL_TIME(46),
	REAL_TIME(47),
	REAL_TIME(48),
	REAL_TIME(49),
	REAL_TIME(50),
	REAL_TIME(51),
	REAL_TIME(52),
	REAL_TIME(53),
	REAL_TIME(54),
	REAL_TIME(55),
	REAL_TIME(56),
	REAL_TIME(57),
	REAL_TIME(58),
	REAL_TIME(59),
	REAL_TIME(60),
	REAL_TIME(61),
	REAL_TIME(62),
	REAL_TIME(63),
	REAL_TIME(64),
};

static bool is_known(tl_i32 number)
{
	return number > 0 && number <= TL_SIGNAL_MAX;
}

const char *tl_signal_name(tl_i32 number)
{
	return is_known(number) ? rows[number].name : "?";
}

const char *tl_signal_text(tl_i32 number)
{
	return is_known(number) ? rows[number].text : "Unknown signal";
}

tl_i32 tl_signal_number(const char *name, tl_size size)
{
	tl_i32 number = 0;
	tl_size digits = 0;

	while (digits < size && name[digits] >= '0' && name[digits] <= '9' && number < 100)
		number = number * 10 + (name[digits++] - '0');
	if (digits == size && size != 0)
		return number >= 1 && number <= 15 ? number : 0;
	for (tl_i32 i = 1; i <= TL_SIGNAL_MAX; i++) {
		const char *full = tl_signal_name(i);

		if ((strlen(full) == size && strncasecmp(full, name, size) == 0) ||
		    (strlen(full + 3) == size && strncasecmp(full + 3, name, size) == 0))
			return i;
	}
	return 0;
}
