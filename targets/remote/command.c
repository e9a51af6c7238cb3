#include "targets/remote/command.h"

#include "base/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A command may take so long to end once its line is closed, and once it has been asked to. */
#define PATIENCE_MILLISECONDS 2000
/* What the guardian is sent when we die. */
#define DEATH SIGUSR1

/* ---- The guardian: a forked copy of us, in which nothing is safe but system calls ---- */

/* Our descriptors are its own as well: the line would stay open, and whatever else we close. */
static void close_everything(void)
{
	struct rlimit limit = {.rlim_cur = 1024};

	if (syscall(SYS_close_range, 0u, ~0u, 0u) == 0)
		return;
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	for (rlim_t descriptor = 0; descriptor < limit.rlim_cur && descriptor < 1 << 20; descriptor++)
		(void)close((int)descriptor);
}

/* What the guardian waits for, and what it must not die of. */
static void block_signals(sigset_t *waited, sigset_t *before)
{
	sigset_t all;

	(void)sigemptyset(waited);
	(void)sigaddset(waited, SIGCHLD);
	(void)sigaddset(waited, DEATH);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, before);
}

static void run_shell(const char *command, int line, const sigset_t *mask)
{
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	if (dup2(line, STDIN_FILENO) >= 0 && dup2(line, STDOUT_FILENO) >= 0)
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Waits for the shell, and when we die before it, ends the group. */
static void watch(pid_t shell, const sigset_t *waited)
{
	const struct timespec patience = {.tv_sec = PATIENCE_MILLISECONDS / 1000};
	bool ending = false;

	while (waitpid(shell, NULL, WNOHANG) == 0) {
		int number = sigtimedwait(waited, NULL, ending ? &patience : NULL);

		if (number == DEATH && !ending)
			(void)kill(0, SIGTERM);
		else if (number < 0 && errno == EAGAIN)
			break;
		ending |= number == DEATH;
	}
	/* The guardian among them: this is its end. */
	if (ending)
		(void)kill(0, SIGKILL);
	_exit(0);
}

/* `parent` is who must live on. */
static void guard(const char *command, int line, pid_t parent)
{
	sigset_t waited, before;
	pid_t shell;

	/* Our terminal is not its own: neither its ^C, nor, as gdbserver would have it, to be given to the program. */
	(void)setsid();
	tl_loop_child_signals();
	block_signals(&waited, &before);
	shell = fork();
	if (shell == 0)
		run_shell(command, line, &before);
	close_everything();
	if (shell < 0)
		_exit(127);
	/* A parent that has died by now tells nobody. */
	if (prctl(PR_SET_PDEATHSIG, DEATH) == 0 && getppid() != parent)
		(void)raise(DEATH);
	watch(shell, &waited);
}

/* ---- Here ---- */

enum tl_status tl_remote_command_start(const char *command, int *descriptor_ret, pid_t *guardian_ret,
				       struct tl_error *error)
{
	pid_t own = getpid(), child;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "no line to a command");
	child = fork();
	if (child < 0) {
		(void)TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot start a command");
		(void)close(ends[0]);
		(void)close(ends[1]);
		return TL_ERROR_SYSTEM;
	}
	if (child == 0)
		guard(command, ends[1], own);
	(void)close(ends[1]);
	*descriptor_ret = ends[0];
	*guardian_ret = child;
	return TL_OK;
}

void tl_remote_command_end(pid_t guardian)
{
	int process = (int)syscall(SYS_pidfd_open, guardian, 0);
	struct pollfd ended = {.fd = process, .events = POLLIN};

	if (process >= 0 && poll(&ended, 1, PATIENCE_MILLISECONDS) <= 0) {
		(void)kill(-guardian, SIGTERM);
		(void)poll(&ended, 1, PATIENCE_MILLISECONDS);
	}
	if (process >= 0)
		(void)close(process);
	/* A guardian that has ended is not touched by this: its number, and its group's, is ours until it is waited
	 * for. */
	(void)kill(-guardian, SIGKILL);
	(void)kill(guardian, SIGKILL);
	while (waitpid(guardian, NULL, 0) < 0 && errno == EINTR)
		;
}
