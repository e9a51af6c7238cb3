/*
 * Every system call that the process target makes fails in its turn, over a scenario of launching, stopping at a point,
 * stepping, reading and writing, threads, and leaving. Whatever fails: nothing hangs, every operation says yes or no,
 * no child is left over, and a program that is let go has none of our traps in it.
 */
#include "process_harness.h"
#include "targets/process/calls.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

/* Which call fails, and how. Counted over all kinds. */
static struct {
	unsigned count, fail_at;
	int error;
	const char *failed;
} fault;

static bool fails(const char *name)
{
	if (++fault.count != fault.fail_at)
		return false;
	fault.failed = name;
	errno = fault.error;
	return true;
}

static long faulty_ptrace(long request, pid_t thread, tl_uintptr address, tl_uintptr data)
{
	if (!fails(tl_process_request_name(request)))
		return tl_process_calls_real.ptrace(request, thread, address, data);
	/* No such thread: that is so once it was killed, and not otherwise. */
	if (fault.error == ESRCH)
		(void)kill(thread, SIGKILL);
	errno = fault.error;
	return -1;
}

static pid_t faulty_wait(pid_t id, int *status, int flags)
{
	return fails("waitpid") ? -1 : tl_process_calls_real.wait(id, status, flags);
}

static int faulty_wait_signal(const sigset_t *set, const struct timespec *timeout)
{
	return fails("sigtimedwait") ? -1 : tl_process_calls_real.wait_signal(set, timeout);
}

static pid_t faulty_fork(void)
{
	return fails("fork") ? -1 : tl_process_calls_real.fork();
}

static int faulty_thread_kill(pid_t process, pid_t thread, int signal)
{
	return fails("tgkill") ? -1 : tl_process_calls_real.thread_kill(process, thread, signal);
}

static ssize_t faulty_read_process(pid_t process, void *buffer, tl_u64 address, tl_size size)
{
	return fails("process_vm_readv") ? -1 : tl_process_calls_real.read_process(process, buffer, address, size);
}

static int faulty_open(const char *path, int flags)
{
	return fails("open") ? -1 : tl_process_calls_real.open(path, flags);
}

static ssize_t faulty_read(int descriptor, void *buffer, tl_size size)
{
	return fails("read") ? -1 : tl_process_calls_real.read(descriptor, buffer, size);
}

static ssize_t faulty_write(int descriptor, const void *buffer, tl_size size)
{
	return fails("write") ? -1 : tl_process_calls_real.write(descriptor, buffer, size);
}

static ssize_t faulty_pread(int descriptor, void *buffer, tl_size size, tl_u64 offset)
{
	return fails("pread") ? -1 : tl_process_calls_real.pread(descriptor, buffer, size, offset);
}

static ssize_t faulty_pwrite(int descriptor, const void *buffer, tl_size size, tl_u64 offset)
{
	return fails("pwrite") ? -1 : tl_process_calls_real.pwrite(descriptor, buffer, size, offset);
}

static ssize_t faulty_readlink(const char *path, char *buffer, tl_size size)
{
	return fails("readlink") ? -1 : tl_process_calls_real.readlink(path, buffer, size);
}

static int faulty_pipe(int ends[2])
{
	return fails("pipe") ? -1 : tl_process_calls_real.pipe(ends);
}

/* kill and close do not fail in ways that one could do anything about. */
static struct tl_process_calls faulty_calls(void)
{
	struct tl_process_calls calls = tl_process_calls_real;

	calls.ptrace = faulty_ptrace;
	calls.wait = faulty_wait;
	calls.wait_signal = faulty_wait_signal;
	calls.fork = faulty_fork;
	calls.thread_kill = faulty_thread_kill;
	calls.read_process = faulty_read_process;
	calls.open = faulty_open;
	calls.read = faulty_read;
	calls.write = faulty_write;
	calls.pread = faulty_pread;
	calls.pwrite = faulty_pwrite;
	calls.readlink = faulty_readlink;
	calls.pipe = faulty_pipe;
	return calls;
}

static bool alive(const struct session *session)
{
	return tl_engine_next_process(session->engine, 0) != 0 && !session->hung;
}

/* To the first stop worth telling, unless the program is no more. */
static bool go(struct session *session, enum tl_action_kind kind)
{
	return alive(session) && session_resume(session, session_leader(session), kind, 0) && session_wait(session) &&
	       alive(session);
}

static void scenario(struct session *session)
{
	tl_u64 address = 0;

	if (!session_launch(session, "watch", "5"))
		return;
	(void)session_point(session, TL_POINT_SOFTWARE, "last_words", 1);
	(void)session_point(session, TL_POINT_SOFTWARE, "loop_body", 1);
	(void)session_point(session, TL_POINT_HARDWARE, "write_watched", 1);
	if (!go(session, TL_ACTION_CONTINUE))
		return;
	(void)session_register(session, session_leader(session), "rip");
	(void)session_set_register(session, session_leader(session), "xmm3", 1);
	(void)session_set_register(session, session_leader(session), "rbx", 1);
	(void)session_read(session, "counter", 8);
	(void)session->target->ops->allocate(session->target, session_leader(session), 0, 4096, TL_PERMISSION_READ,
					     &address);
	tl_engine_forget_registers(session->engine, session_leader(session));
	(void)session_remove(session, TL_POINT_SOFTWARE, "loop_body", 1);
	for (int i = 0; i < 3; i++)
		if (!go(session, TL_ACTION_STEP))
			return;
	if (go(session, TL_ACTION_CONTINUE))
		(void)go(session, TL_ACTION_STEP);
}

/* Every fault in turn until one is never reached. */
static void fail_each(int error, bool detach)
{
	struct tl_process_calls calls = faulty_calls();
	struct tl_process_options options = {.calls = &calls, .launched_survive = true};
	unsigned reached = 0;

	for (unsigned n = 1; n < 2000; n++) {
		struct session session;
		tl_u64 process;

		fault.count = 0;
		fault.fail_at = n;
		fault.error = error;
		fault.failed = NULL;
		REQUIRE(session_open(&session, PROCESS_FIXTURE, &options));
		scenario(&session);
		process = tl_engine_next_process(session.engine, 0);
		if (process != 0 && detach && !session.hung && session_quiet(&session))
			(void)tl_engine_detach(session.engine, process, 0, 0);
		else if (process != 0)
			(void)tl_engine_kill(session.engine, process);
		if (session.hung) {
			printf("  call %u, %s, failed with errno %d\n", n, fault.failed ? fault.failed : "none", error);
			CHECK(!session.hung);
		}
		fault.fail_at = 0;
		session_close(&session);
		if (fault.failed == NULL)
			break;
		reached = n;
		/* A program that was let go runs to its end by itself: whole, or killed by the fault that was put in.
		 */
		for (;;) {
			int status = 0;
			pid_t id = waitpid(-1, &status, __WALL);

			if (id < 0)
				break;
			if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP) {
				printf("  call %u, %s, errno %d: the program died of a trap\n", n, fault.failed, error);
				CHECK(WTERMSIG(status) != SIGTRAP);
			}
		}
	}
	printf("  %u calls\n", reached);
	CHECK(reached > 50);
}

TEST(input_output_error_then_detach)
{
	fail_each(EIO, true);
}

TEST(no_such_thread_then_detach)
{
	fail_each(ESRCH, true);
}

TEST(no_memory_then_kill)
{
	fail_each(ENOMEM, false);
}
