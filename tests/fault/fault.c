/*
 * What if a call to the system fails? A scenario is run again and again over the real engine and the real process
 * target; in each run one call, the n-th of its kind, fails with one errno, or the program is killed at that moment,
 * for every n until the scenario gets by without reaching the n-th.
 *
 * However a run ends, in success or in an error: it ends before a deadline, the program is left whole (it says so
 * itself, tests/stress/crowd.c) or is dead if killing was the end, and no storage and no descriptor is left behind.
 *
 *   fault [--all] [WORD…]      --all: every n with every errno, instead of a selection; WORD: scenarios or calls
 *   fault --one SCENARIO CALL N ERRNO      FAULT_TRACE=ptrace,events shows what happened
 */
#define DEADLINE 5000
#define HARNESS_NAME "fault"
#include "base/trace.h"
#include "core/agent/agent.h"
#include "targets/process/calls.h"
#include "tests/unit/process_harness.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* X(call, errnos that the kernel may give for it) */
#define KILLED 10000 /* the program is killed at this moment, and the call made */
#define SHORT 10001  /* half of what was asked for is transferred */
#define CALLS(X)                                                                                                       \
	X(ptrace, KILLED, EIO, EPERM, EFAULT, EINTR)                                                                   \
	X(wait, EINTR, ENOMEM)                                                                                         \
	X(wait_signal, EINTR, KILLED)                                                                                  \
	X(fork, EAGAIN, ENOMEM)                                                                                        \
	X(kill, EPERM)                                                                                                 \
	X(thread_kill, EAGAIN)                                                                                         \
	X(read_process, EFAULT, EPERM, ENOMEM, SHORT)                                                                  \
	X(write_process, EFAULT, EPERM)                                                                                \
	X(open, EMFILE, ENOENT, EACCES)                                                                                \
	X(read, EIO, EINTR, SHORT)                                                                                     \
	X(write, EIO, EINTR)                                                                                           \
	X(pread, EIO, EINTR, SHORT, KILLED)                                                                            \
	X(pwrite, EIO, EINTR, ENOMEM, KILLED)                                                                          \
	X(readlink, EACCES)                                                                                            \
	X(pipe, EMFILE)                                                                                                \
	X(compare_memory, EPERM)                                                                                       \
	X(storage, ENOMEM)

enum call {
#define X(name, ...) CALL_##name,
	CALLS(X)
#undef X
		CALL_MAX
};

static const struct {
	const char *name;
	int errors[6];
} calls[] = {
#define X(name, ...) {#name, {__VA_ARGS__, 0}},
	CALLS(X)
#undef X
};

/* The fault of this run, and what has been seen of it. */
static struct {
	enum call call;
	tl_u64 n;
	int error;
	tl_u64 counts[CALL_MAX];
	bool fired;
	pid_t program;
} plan;

/* What the parent shows when a run crashes or hangs; shared with it. */
static char *label;

static bool due(enum call call)
{
	plan.counts[call]++;
	if (call != plan.call || plan.counts[call] != plan.n)
		return false;
	plan.fired = true;
	if (plan.error == KILLED) {
		(void)kill(plan.program, SIGKILL);
		return false;
	}
	errno = plan.error;
	return true;
}

#define REAL tl_process_calls_real

static long faulty_ptrace(long request, pid_t thread, tl_uintptr address, tl_uintptr data)
{
	return due(CALL_ptrace) ? -1 : REAL.ptrace(request, thread, address, data);
}

static pid_t faulty_wait(pid_t id, int *status, int flags)
{
	return due(CALL_wait) ? -1 : REAL.wait(id, status, flags);
}

static int faulty_wait_signal(const sigset_t *set, const struct timespec *timeout)
{
	return due(CALL_wait_signal) ? -1 : REAL.wait_signal(set, timeout);
}

static pid_t faulty_fork(void)
{
	pid_t child = due(CALL_fork) ? -1 : REAL.fork();

	if (child > 0)
		plan.program = child;
	return child;
}

static int faulty_kill(pid_t process, int signal)
{
	return due(CALL_kill) ? -1 : REAL.kill(process, signal);
}

static int faulty_thread_kill(pid_t process, pid_t thread, int signal)
{
	return due(CALL_thread_kill) ? -1 : REAL.thread_kill(process, thread, signal);
}

/* How much to transfer when the fault is a short transfer; 0: the call fails. */
static tl_size transfer(enum call call, tl_size size)
{
	if (!due(call))
		return size;
	return plan.error == SHORT ? (size + 1) / 2 : 0;
}

static ssize_t faulty_read_process(pid_t process, void *buffer, tl_u64 address, tl_size size)
{
	size = transfer(CALL_read_process, size);
	return size == 0 ? -1 : REAL.read_process(process, buffer, address, size);
}

static ssize_t faulty_write_process(pid_t process, const void *buffer, tl_u64 address, tl_size size)
{
	return due(CALL_write_process) ? -1 : REAL.write_process(process, buffer, address, size);
}

static int faulty_compare_memory(pid_t one, pid_t other)
{
	return due(CALL_compare_memory) ? -1 : REAL.compare_memory(one, other);
}

static int faulty_open(const char *path, int flags)
{
	return due(CALL_open) ? -1 : REAL.open(path, flags);
}

static ssize_t faulty_read(int descriptor, void *buffer, tl_size size)
{
	size = transfer(CALL_read, size);
	return size == 0 ? -1 : REAL.read(descriptor, buffer, size);
}

static ssize_t faulty_write(int descriptor, const void *buffer, tl_size size)
{
	return due(CALL_write) ? -1 : REAL.write(descriptor, buffer, size);
}

static ssize_t faulty_pread(int descriptor, void *buffer, tl_size size, tl_u64 offset)
{
	size = transfer(CALL_pread, size);
	return size == 0 ? -1 : REAL.pread(descriptor, buffer, size, offset);
}

static ssize_t faulty_pwrite(int descriptor, const void *buffer, tl_size size, tl_u64 offset)
{
	return due(CALL_pwrite) ? -1 : REAL.pwrite(descriptor, buffer, size, offset);
}

static ssize_t faulty_readlink(const char *path, char *buffer, tl_size size)
{
	return due(CALL_readlink) ? -1 : REAL.readlink(path, buffer, size);
}

static int faulty_pipe(int ends[2])
{
	return due(CALL_pipe) ? -1 : REAL.pipe(ends);
}

static const struct tl_process_calls faulty = {
	.ptrace = faulty_ptrace,
	.wait = faulty_wait,
	.wait_signal = faulty_wait_signal,
	.fork = faulty_fork,
	.kill = faulty_kill,
	.thread_kill = faulty_thread_kill,
	.read_process = faulty_read_process,
	.write_process = faulty_write_process,
	.compare_memory = faulty_compare_memory,
	.open = faulty_open,
	.close = close,
	.read = faulty_read,
	.write = faulty_write,
	.pread = faulty_pread,
	.pwrite = faulty_pwrite,
	.readlink = faulty_readlink,
	.pipe = faulty_pipe,
};

/* ---- The scenario ---- */

enum scenario { LAUNCH_DETACH, LAUNCH_KILL, ATTACH_DETACH, ATTACH_KILL, SCENARIO_MAX };
static const char *const scenarios[] = {"launch-detach", "launch-kill", "attach-detach", "attach-kill"};

/* A step of the scenario went as it should; otherwise the rest is left out. */
#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			if (!plan.fired)                                                                               \
				printf("  line %d: not so, and nothing has failed: %s\n", __LINE__, #condition);       \
			return false;                                                                                  \
		}                                                                                                      \
	} while (0)

/* Where the program has its symbols; looked up before anything fails. */
static const char *const names[] = {"scratch", "site_carried", "site_copied", "beats", "have_child"};
static tl_u64 places[TL_COUNT(names)];

static void find_places(const char *program)
{
	struct session session = {.program = program};

	for (unsigned i = 0; i < TL_COUNT(names); i++)
		places[i] = session_symbol(&session, names[i]);
}

static tl_u64 place(const char *name)
{
	for (unsigned i = 0; i < TL_COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return places[i];
	return 0;
}

static bool insert(struct session *session, enum tl_point_kind kind, const char *name, tl_u64 size)
{
	struct tl_point_request request = {.kind = kind, .address = place(name), .size = size};

	return tl_engine_insert_point(session->engine, session->process, &request) == TL_OK;
}

static bool take_out(struct session *session, enum tl_point_kind kind, const char *name, tl_u64 size)
{
	return tl_engine_remove_point(session->engine, session->process, kind, place(name), size) == TL_OK;
}

/* Steps, past the signals that come to a thread meanwhile. */
static bool step(struct session *session, struct tl_thread_id thread)
{
	do {
		if (!session_step(session, thread))
			return false;
	} while (session->report.event.kind == TL_EVENT_SIGNAL && session->report.event.signal == SIGCHLD);
	return session->report.event.kind == TL_EVENT_STEPPED;
}

/* Continues to the next report of that kind; others than that come when something has failed. */
static bool next(struct session *session, enum tl_event_kind kind)
{
	return session_continue(session, 0) && session->report.event.kind == kind &&
	       session->report.condition_error == TL_OK;
}

static bool debug(struct session *session, bool launched)
{
	static const tl_u8 never[] = {0x22, 0x00, 0x27};
	struct tl_agent_code code = {.bytes = never, .size = sizeof(never)};
	struct tl_point_request request = {.kind = TL_POINT_SOFTWARE, .size = 1, .conditions = {&code, 1}};
	struct tl_thread_id thread;
	tl_u64 value = 1, address = place("scratch");
	tl_size done = 0;

	MUST(insert(session, TL_POINT_SOFTWARE, "site_carried", 1));
	MUST(next(session, TL_EVENT_TRAP));
	thread = session->report.event.thread;
	MUST(!launched || session_threads(session) >= 2);
	MUST(session_register(session, thread, "rip") == place("site_carried"));
	MUST(take_out(session, TL_POINT_SOFTWARE, "site_carried", 1));
	MUST(step(session, thread));
	MUST(session_set_register(session, thread, "rax", 77));
	request.address = place("site_copied");
	MUST(tl_engine_insert_point(session->engine, session->process, &request) == TL_OK);
	MUST(insert(session, TL_POINT_WRITE, "beats", 8));
	MUST(next(session, TL_EVENT_WATCHPOINT));
	MUST(take_out(session, TL_POINT_WRITE, "beats", 8));
	MUST(tl_engine_write_memory(session->engine, session->process, address, &value, sizeof(value), &done) ==
		     TL_OK &&
	     done == sizeof(value));
	value = 0;
	MUST(tl_engine_read_memory(session->engine, session->process, address, &value, sizeof(value), &done) == TL_OK &&
	     (done < sizeof(value) || value == 1));
	MUST(insert(session, TL_POINT_HARDWARE, "have_child", 1));
	MUST(next(session, TL_EVENT_HARDWARE_BREAKPOINT));
	MUST(take_out(session, TL_POINT_HARDWARE, "have_child", 1));
	MUST(session_resume(session, (struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE, 0));
	session_run_for(session, 3);
	tl_engine_interrupt(session->engine);
	MUST(session_wait(session) && session->report.event.kind == TL_EVENT_SIGNAL);
	return true;
}

/* ---- What is left ---- */

static unsigned descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned count = 0;

	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		(void)closedir(directory);
	return count;
}

/* The program's wait status, once it has ended; -1 when it does not. */
static int program_end(pid_t program)
{
	struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, program, 0), .events = POLLIN};
	int status = -1;

	if (end.fd < 0)
		return -1;
	if (poll(&end, 1, DEADLINE) <= 0 || waitpid(program, &status, __WALL) != program)
		status = -1;
	(void)close(end.fd);
	return status;
}

/* The program after the end of a session that has let it go. */
static bool is_whole(pid_t program, bool may_be_dead)
{
	int status = program_end(program);

	if (status == -1) {
		if (waitpid(program, &status, __WALL | WNOHANG) < 0 && may_be_dead)
			return true;
		printf("  the program does not end by itself:\n");
		print_proc((tl_u64)program, (tl_u64)program, "status");
		return false;
	}
	if (status == 0 || (may_be_dead && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		return true;
	printf("  the program is not whole: wait status 0x%x\n", (unsigned)status);
	return false;
}

/* Whatever a run has left of its program, so that the next starts clean. */
static void sweep(void)
{
	int status;
	pid_t child;

	if (plan.program > 0)
		(void)kill(plan.program, SIGKILL);
	while ((child = waitpid(-1, &status, __WALL)) > 0)
		if (WIFSTOPPED(status))
			(void)ptrace(PTRACE_CONT, child, 0, 0);
}

/* A pipe as our standard input, and the program's: its end tells the program to end. */
static int fresh_input(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	(void)dup2(ends[0], STDIN_FILENO);
	(void)close(ends[0]);
	return ends[1];
}

static bool begin(struct session *session, enum scenario scenario)
{
	const char *detail = "";

	if (scenario == LAUNCH_DETACH || scenario == LAUNCH_KILL)
		return session_launch(session, "family", "2");
	session->process = (tl_u64)plan.program;
	if (session->target->ops->attach(session->target, session->process, &detail) != TL_OK) {
		if (detail[0] == '\0')
			printf("  attach fails and does not say why\n");
		return false;
	}
	return session_wait(session);
}

/* For attaching: the program, running, with all its threads. */
static bool start_program(struct session *session)
{
	char *words[] = {(char *)(tl_uintptr)session->program, (char[]){"family"}, (char[]){"2"}, NULL};
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	plan.program = fork();
	if (plan.program == 0) {
		tl_loop_child_signals();
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execv(words[0], words);
		_exit(127);
	}
	(void)close(ends[1]);
	if (plan.program > 0 && read(ends[0], &byte, 1) != 1)
		printf("  the program does not start\n");
	/* It has nobody to talk to any more, and ignores that. */
	(void)close(ends[0]);
	return plan.program > 0;
}

/*
 * A known limit: a thread or process that is born when there is no storage for it runs untraced, and meets traps that
 * nobody takes out for it.
 */
static bool hurts_its_own(enum call call)
{
	if (call == CALL_storage)
		printf("  known limit: %s\n", label);
	return call == CALL_storage;
}

/* One run; false when it did not end as it must. *reached_ret: the n-th call was reached. */
static bool run(const char *program, enum scenario scenario, enum call call, tl_u64 n, int error, bool *reached_ret)
{
	struct tl_process_options options = {.calls = &faulty};
	bool launched = scenario == LAUNCH_DETACH || scenario == LAUNCH_KILL, good = true, begun;
	bool kills = scenario == LAUNCH_KILL || scenario == ATTACH_KILL;
	tl_u64 live = tl_storage_live(), before = tl_storage_calls();
	struct session session;
	unsigned open_before;
	int input;

	memset(&plan, 0, sizeof(plan));
	plan.call = CALL_MAX;
	input = fresh_input();
	open_before = descriptors();
	if (!session_open(&session, program, &options))
		return false;
	if (!launched && !start_program(&session))
		return false;
	memset(plan.counts, 0, sizeof(plan.counts));
	plan.call = call;
	plan.n = n;
	plan.error = error;
	if (call == CALL_storage) {
		before = tl_storage_calls();
		tl_storage_fail(n);
		plan.fired = true;
	}
	tl_engine_settings(session.engine)->pass_signals[0] = (tl_u64)1 << SIGCHLD;
	begun = begin(&session, scenario);
	if (begun) {
		(void)debug(&session, launched);
		good &= !session.hung;
		if (session.hung)
			printf("  it hangs\n");
		if (kills) {
			/* What could not be killed is let go, whole. */
			kills = tl_engine_kill(session.engine, session.process) == TL_OK;
		} else {
			good &= session_quiet(&session);
			for (tl_u64 process; (process = tl_engine_next_process(session.engine, 0)) != 0;)
				(void)tl_engine_detach(session.engine, process, 0, 0);
		}
	} else {
		good &= !session.hung;
	}
	if (call == CALL_storage)
		plan.fired = tl_storage_calls() - before >= n;
	tl_storage_fail(0);
	session_close(&session);
	*reached_ret = plan.fired;
	(void)close(input);
	if (plan.program > 0 && kills && begun) {
		if (kill(plan.program, 0) == 0) {
			printf("  the program lives on\n");
			good = false;
		}
	} else if (plan.program > 0) {
		/* A launched one whose launch failed is dead, and one that was never let go dies with the target. */
		good &= is_whole(plan.program, launched || error == KILLED) || hurts_its_own(call);
	}
	sweep();
	if (tl_storage_live() != live) {
		printf("  %llu bytes of storage are left\n", (unsigned long long)(tl_storage_live() - live));
		good = false;
	}
	if (descriptors() != open_before - 1) {
		printf("  %d descriptors are left\n", (int)descriptors() - (int)open_before + 1);
		good = false;
	}
	return good;
}

/* ---- All runs ---- */

static bool wanted(char **words, const char *scenario, const char *call)
{
	bool any_scenario = false, any_call = false, is_scenario = false, is_call = false;

	for (; *words != NULL; words++) {
		bool named = false;

		for (unsigned i = 0; i < SCENARIO_MAX; i++)
			named |= strcmp(*words, scenarios[i]) == 0;
		any_scenario |= named;
		any_call |= !named;
		is_scenario |= strcmp(*words, scenario) == 0;
		is_call |= strcmp(*words, call) == 0;
	}
	return (!any_scenario || is_scenario) && (!any_call || is_call);
}

static const char *error_name(int error)
{
	return error == KILLED ? "KILLED" : error == SHORT ? "SHORT" : strerrorname_np(error);
}

static void try(const char *program, enum scenario scenario, enum call call, tl_u64 n, int error, unsigned *counts,
		bool *reached_ret)
{
	bool good;

	(void)snprintf(label, 200, "%s %s %llu %s", scenarios[scenario], calls[call].name, (unsigned long long)n,
		       error_name(error));
	good = run(program, scenario, call, n, error, reached_ret);
	counts[good ? 0 : 1]++;
	if (!good) {
		printf("FAILED %s\n  again: %s --one %s\n", label, "tests/fault/fault", label);
		(void)fflush(stdout);
	}
}

/* Every n, or a selection that grows sparser; each errno in its turn, or all of them. */
static void run_call(const char *program, enum scenario scenario, enum call call, bool all, unsigned *counts)
{
	unsigned kinds = 0, misses = 0;
	tl_u64 n = 1, tried = 0;

	while (calls[call].errors[kinds] != 0)
		kinds++;
	/* What runs at the same time in the program makes the number of calls vary a little. */
	while (misses < 2) {
		bool reached = false;

		for (unsigned i = 0; i < kinds && (all || i == 0); i++) {
			bool one = false;

			try(program, scenario, call, n, calls[call].errors[all ? i : tried % kinds], counts, &one);
			reached |= one;
		}
		misses = reached ? 0 : misses + 1;
		tried++;
		n += all || n < 12 ? 1 : 1 + n / 4;
	}
	printf("ok %s %s: %llu calls reached\n", scenarios[scenario], calls[call].name, (unsigned long long)n);
}

static int work(const char *program, bool all, char **words)
{
	unsigned counts[2] = {0};

	find_places(program);
	for (unsigned scenario = 0; scenario < SCENARIO_MAX; scenario++)
		for (unsigned call = 0; call < CALL_MAX; call++)
			/* Failing storage still finds what is to be mended: asked for by name only. */
			if (wanted(words, scenarios[scenario], calls[call].name) &&
			    (call != CALL_storage || *words != NULL))
				run_call(program, (enum scenario)scenario, (enum call)call, all, counts);
	printf("%u passed, %u failed\n", counts[0], counts[1]);
	return counts[1] != 0;
}

static int work_one(const char *program, char **words)
{
	const char *trace = getenv("FAULT_TRACE");
	unsigned counts[2] = {0};
	struct tl_error error;
	bool reached = false;

	find_places(program);
	if (trace != NULL && tl_trace_setup(trace, &error) != TL_OK)
		printf("  FAULT_TRACE: %s\n", error.text);
	for (unsigned scenario = 0; scenario < SCENARIO_MAX; scenario++)
		for (unsigned call = 0; call < CALL_MAX; call++)
			for (unsigned i = 0; calls[call].errors[i] != 0; i++)
				if (strcmp(words[0], scenarios[scenario]) == 0 &&
				    strcmp(words[1], calls[call].name) == 0 &&
				    strcmp(words[3], error_name(calls[call].errors[i])) == 0)
					try(program, (enum scenario)scenario, (enum call)call,
					    strtoull(words[2], NULL, 10), calls[call].errors[i], counts, &reached);
	printf("%u passed, %u failed%s\n", counts[0], counts[1], reached ? "" : " (the call was not reached)");
	return counts[1] != 0;
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* The runs are made by a child: should it die or hang, this one says in which run. */
int main(int count, char **arguments)
{
	bool all = count > 1 && strcmp(arguments[1], "--all") == 0;
	bool one = count == 6 && strcmp(arguments[1], "--one") == 0;
	struct sigaction action = {.sa_handler = on_alarm};
	char last[200] = "";
	int status = 0;
	pid_t worker;

	setvbuf(stdout, NULL, _IOLBF, 0);
	label = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (label == MAP_FAILED)
		return 2;
	worker = fork();
	if (worker == 0)
		return one ? work_one(FAULT_PROGRAM, arguments + 2) : work(FAULT_PROGRAM, all, arguments + 1 + all);
	(void)sigaction(SIGALRM, &action, NULL);
	for (;;) {
		(void)alarm(60);
		if (waitpid(worker, &status, 0) == worker)
			break;
		if (strcmp(last, label) == 0) {
			printf("FAILED %s: it hangs for a minute\n", label);
			print_proc((tl_u64)worker, (tl_u64)worker, "wchan");
			print_proc((tl_u64)worker, (tl_u64)worker, "status");
			(void)kill(worker, SIGKILL);
		}
		(void)snprintf(last, sizeof(last), "%s", label);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
		printf("FAILED %s: the run ended with wait status 0x%x\n0 passed, 1 failed\n", label, (unsigned)status);
		return 1;
	}
	return WEXITSTATUS(status);
}
