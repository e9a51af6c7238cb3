/*
 * What if a call to the system fails? A scenario is run again and again over the real engine and the real process
 * target; in each run one call, the n-th of its kind, fails with one errno, or the program is killed at that moment,
 * for every n until the scenario gets by without reaching the n-th. It fails once, or from then on: always, or always
 * for the thread, or with the ptrace request, that it failed for first.
 *
 * However a run ends, in success or in an error: it ends before a deadline, the program is left whole (it says so
 * itself, tests/stress/crowd.c) or is dead if killing was the end, and no storage and no descriptor is left behind.
 * Where ptrace works no more, nobody can let a thread go: then there must be no trap in the code, which is written by
 * another way.
 *
 *   fault [--all] [WORD…]      --all: every n with every errno, instead of a selection; WORD: scenarios, calls, once,
 * always … fault --one SCENARIO CALL N ERRNO [LASTING]      FAULT_TRACE=ptrace,events[:FILE] shows what happened
 */
#if defined(__aarch64__)
#define DEADLINE 30000 /* the machine that the tests bring is an emulated one */
#else
#define DEADLINE 5000
#endif
#define HARNESS_NAME "fault"
#include "base/trace.h"
#include "core/agent/agent.h"
#include "targets/process/calls.h"
#include "tests/unit/process_harness.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define KILLED 10000 /* the program is killed at this moment, and the call made */
#define SHORT 10001  /* half of what was asked for is transferred */

enum lasting { ONCE, ALWAYS, THREAD, REQUEST, LASTING_MAX };
static const char *const lastings[] = {"once", "always", "thread", "request"};

/* X(call, errnos that the kernel may give for it) */
#define CALLS(X)                                                                                                       \
	X(ptrace, KILLED, EIO, EPERM, EFAULT, EINTR)                                                                   \
	X(wait, EINTR, ENOMEM, ECHILD)                                                                                 \
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

static const int call_errors[][6] = {
#define X(name, ...) {__VA_ARGS__, 0},
	CALLS(X)
#undef X
};
static const char *const calls[] = {
#define X(name, ...) #name,
	CALLS(X)
#undef X
};

/* The fault of this run, and what has been seen of it. */
static struct {
	enum call call;
	tl_u64 n;
	int error;
	enum lasting lasting;
	tl_u64 counts[CALL_MAX];
	bool fired;
	pid_t program;
	/* Of ptrace: what failed first. */
	long request;
	pid_t thread;
} plan;

/* What the parent shows when a run crashes or hangs; shared with it. */
static char *label;

static bool due(enum call call)
{
	plan.counts[call]++;
	if (call != plan.call || (plan.lasting == ONCE ? plan.counts[call] != plan.n : plan.counts[call] < plan.n))
		return false;
	plan.fired = true;
	if (plan.error == KILLED) {
		(void)kill(plan.program, SIGKILL);
		return false;
	}
	errno = plan.error;
	return true;
}

/* Who fails for good in these can never be rid of what it traces, but by ending. */
static bool needs_own_process(enum call call, enum lasting lasting)
{
	return (call == CALL_wait || call == CALL_ptrace) && lasting != ONCE;
}

#define REAL tl_process_calls_real

static long faulty_ptrace(long request, pid_t thread, tl_uintptr address, tl_uintptr data)
{
	bool failed = due(CALL_ptrace);

	if (plan.fired && plan.call == CALL_ptrace && plan.thread == 0) {
		plan.request = request;
		plan.thread = thread;
	}
	if (!failed || (plan.lasting == THREAD && thread != plan.thread) ||
	    (plan.lasting == REQUEST && request != plan.request))
		return REAL.ptrace(request, thread, address, data);
	errno = plan.error;
	return -1;
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

/* Where the program has its symbols, and what stands there in its file; looked up before anything fails. */
#define CODE_SIZE 16
static const char *const names[] = {"scratch", "beats", "site_carried", "site_copied", "have_child"};
#define FIRST_CODE 2
static tl_u64 places[TL_COUNT(names)];
static tl_u8 originals[TL_COUNT(names)][CODE_SIZE];

static void read_code(const char *program)
{
	int file = open(program, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr header = {0};
	Elf64_Phdr part;

	if (pread(file, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		printf("  cannot read %s\n", program);
	for (unsigned n = 0; n < header.e_phnum; n++) {
		if (pread(file, &part, sizeof(part), (off_t)(header.e_phoff + n * sizeof(part))) !=
			    (ssize_t)sizeof(part) ||
		    part.p_type != PT_LOAD)
			continue;
		for (unsigned i = FIRST_CODE; i < TL_COUNT(names); i++)
			if (places[i] - part.p_vaddr < part.p_filesz)
				(void)!pread(file, originals[i], CODE_SIZE,
					     (off_t)(places[i] - part.p_vaddr + part.p_offset));
	}
	(void)close(file);
}

static void find_places(const char *program)
{
	struct session session = {.program = program};

	for (unsigned i = 0; i < TL_COUNT(names); i++)
		places[i] = session_symbol(&session, names[i]);
	read_code(program);
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

/*
 * Continues to the next report of that kind; others than that come when something has failed, but for the end of a
 * child that came while all were being stopped.
 */
static bool next(struct session *session, enum tl_event_kind kind)
{
	tl_i32 signal = 0;

	do {
		if (!session_continue(session, signal))
			return false;
		signal = session->report.event.kind == TL_EVENT_SIGNAL ? session->report.event.signal : 0;
	} while (signal == SIGCHLD);
	return session->report.event.kind == kind && session->report.condition_error == TL_OK;
}

#if defined(__aarch64__)
#define CODE_UNIT 4 /* bytes that a hardware breakpoint covers */
#define PROGRAM_COUNTER "pc"
#define ANY_REGISTER "x0"
#else
#define CODE_UNIT 1
#define PROGRAM_COUNTER "rip"
#define ANY_REGISTER "rax"
#endif

static bool debug(struct session *session, bool launched)
{
	static const tl_u8 never[] = {0x22, 0x00, 0x27};
	struct tl_agent_code code = {.bytes = never, .size = sizeof(never)};
	struct tl_point_request request = {.kind = TL_POINT_SOFTWARE, .size = CODE_UNIT, .conditions = {&code, 1}};
	struct tl_thread_id thread;
	tl_u64 value = 1, address = place("scratch");
	tl_size done = 0;

	MUST(insert(session, TL_POINT_SOFTWARE, "site_carried", CODE_UNIT));
	MUST(next(session, TL_EVENT_TRAP));
	thread = session->report.event.thread;
	MUST(!launched || session_threads(session) >= 2);
	MUST(session_register(session, thread, PROGRAM_COUNTER) == place("site_carried"));
	MUST(take_out(session, TL_POINT_SOFTWARE, "site_carried", CODE_UNIT));
	MUST(step(session, thread));
	MUST(session_set_register(session, thread, ANY_REGISTER, 77));
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
	MUST(insert(session, TL_POINT_HARDWARE, "have_child", CODE_UNIT));
	MUST(next(session, TL_EVENT_HARDWARE_BREAKPOINT));
	MUST(take_out(session, TL_POINT_HARDWARE, "have_child", CODE_UNIT));
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

/* The code of a program that nobody could let go. One that is dead has none. */
static bool has_whole_code(pid_t program)
{
	char path[40];
	tl_u8 bytes[CODE_SIZE];
	bool whole = true;
	int memory;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)program);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	for (unsigned i = FIRST_CODE; memory >= 0 && i < TL_COUNT(names); i++)
		if (pread(memory, bytes, CODE_SIZE, (off_t)places[i]) == CODE_SIZE &&
		    memcmp(bytes, originals[i], CODE_SIZE) != 0) {
			printf("  the code at %s is not whole\n", names[i]);
			whole = false;
		}
	if (memory >= 0)
		(void)close(memory);
	return whole;
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
	if (needs_own_process(plan.call, plan.lasting))
		return;
	while ((child = waitpid(-1, &status, __WALL)) > 0)
		if (WIFSTOPPED(status))
			(void)ptrace(PTRACE_CONT, child, 0, 0);
}

struct pipes {
	int input;     /* our end of the program's standard input: when it ends, the program does */
	int output[2]; /* what the program says */
};

static bool pipes_open(struct pipes *pipes)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0 || pipe2(pipes->output, O_CLOEXEC) < 0)
		return false;
	(void)dup2(ends[0], STDIN_FILENO);
	(void)close(ends[0]);
	pipes->input = ends[1];
	return true;
}

static void close_end(int *end)
{
	if (*end >= 0)
		(void)close(*end);
	*end = -1;
}

static void pipes_close(struct pipes *pipes)
{
	close_end(&pipes->input);
	close_end(&pipes->output[0]);
	close_end(&pipes->output[1]);
}

static void show_output(struct pipes *pipes)
{
	char text[1000];
	ssize_t size;

	(void)fcntl(pipes->output[0], F_SETFL, O_NONBLOCK);
	size = read(pipes->output[0], text, sizeof(text));
	if (size > 0)
		printf("  the program said: %.*s", (int)size, text);
	if (plan.thread != 0)
		printf("  what failed was %s of thread %d\n", tl_process_request_name(plan.request), (int)plan.thread);
}

static bool launch(struct session *session, const struct pipes *pipes)
{
	const char *words[] = {session->program, "family", "2", NULL};
	const char *detail = "";
	char output[40];
	struct tl_launch request = {.arguments = words, .output = output};

	/* As the child sees it. */
	(void)snprintf(output, sizeof(output), "/dev/fd/%d", pipes->output[1]);
	if (session->target->ops->launch(session->target, &request, &session->process, &detail) == TL_OK)
		return true;
	printf("%s", detail[0] == '\0' ? "  launching fails and does not say why\n" : "");
	return false;
}

static bool begin(struct session *session, enum scenario scenario, const struct pipes *pipes)
{
	const char *detail = "";

	if (scenario == LAUNCH_DETACH || scenario == LAUNCH_KILL)
		return launch(session, pipes);
	session->process = (tl_u64)plan.program;
	if (session->target->ops->attach(session->target, session->process, &detail) != TL_OK) {
		if (detail[0] == '\0')
			printf("  attach fails and does not say why\n");
		return false;
	}
	return session_wait(session);
}

/* For attaching: the program, running, with all its threads. */
static bool start_program(struct session *session, struct pipes *pipes)
{
	char *words[] = {(char *)(tl_uintptr)session->program, (char[]){"family"}, (char[]){"2"}, NULL};
	char byte;

	plan.program = fork();
	if (plan.program == 0) {
		tl_loop_child_signals();
		(void)dup2(pipes->output[1], STDOUT_FILENO);
		(void)execv(words[0], words);
		_exit(127);
	}
	close_end(&pipes->output[1]);
	if (plan.program > 0 && read(pipes->output[0], &byte, 1) != 1)
		printf("  the program does not start\n");
	return plan.program > 0;
}

static void arm(enum call call, tl_u64 n, int error, enum lasting lasting)
{
	memset(plan.counts, 0, sizeof(plan.counts));
	plan.call = call;
	plan.n = n;
	plan.error = error;
	plan.lasting = lasting;
	if (call != CALL_storage)
		return;
	(lasting == ONCE ? tl_storage_fail : tl_storage_fail_from)(n);
	plan.fired = true;
}

/* False when it hangs, or does not get through though nothing has failed. *kills: the program is to be killed; on
 * return, it was. */
static bool session(struct session *session, enum scenario scenario, const struct pipes *pipes, bool *kills)
{
	bool whole;

	tl_engine_settings(session->engine)->pass_signals[0] = (tl_u64)1 << SIGCHLD;
	if (!begin(session, scenario, pipes)) {
		*kills = false;
		if (!plan.fired)
			printf("  it does not begin, and nothing has failed\n");
		return plan.fired && !session->hung;
	}
	whole = debug(session, scenario == LAUNCH_DETACH || scenario == LAUNCH_KILL) || plan.fired;
	/* A program may wait for ever for a child that nobody can let go. Then it still answers ^C. */
	if (session->hung && needs_own_process(plan.call, plan.lasting)) {
		session->hung = false;
		tl_engine_interrupt(session->engine);
		(void)session_wait(session);
	}
	if (*kills) {
		/* What could not be killed is let go, whole. */
		*kills = tl_engine_kill(session->engine, session->process) == TL_OK;
	} else if (session_quiet(session)) {
		for (tl_u64 process; (process = tl_engine_next_process(session->engine, 0)) != 0;)
			(void)tl_engine_detach(session->engine, process, 0, 0);
	}
	return whole && !session->hung;
}

/* What has become of the program. */
static bool good_end(bool launched, bool killed, bool kills)
{
	/* Without waitpid nobody knows what the program does. */
	if (plan.program <= 0 || (plan.call == CALL_wait && plan.lasting != ONCE))
		return true;
	if (killed && !(needs_own_process(plan.call, plan.lasting) && plan.fired)) {
		if (kill(plan.program, 0) == 0)
			printf("  the program lives on\n");
		return kill(plan.program, 0) != 0;
	}
	/* It was sent SIGKILL, whatever has become of it since: it runs no more. */
	if (needs_own_process(plan.call, plan.lasting) && plan.fired)
		return kills || has_whole_code(plan.program);
	/* A launched one whose launch failed is dead, and one that was never let go dies with the target. */
	return is_whole(plan.program, launched || plan.error == KILLED);
}

static bool nothing_left(tl_u64 storage, unsigned open)
{
	if (tl_storage_live() != storage)
		printf("  %llu bytes of storage are left\n", (unsigned long long)(tl_storage_live() - storage));
	if (descriptors() != open)
		printf("  %d descriptors are left\n", (int)descriptors() - (int)open);
	return tl_storage_live() == storage && descriptors() == open;
}

/* One run; false when it did not end as it must. *reached_ret: the n-th call was reached. */
static bool run(const char *program, enum scenario scenario, enum call call, tl_u64 n, int error, enum lasting lasting,
		bool *reached_ret)
{
	struct tl_process_options options = {.calls = &faulty};
	bool launched = scenario == LAUNCH_DETACH || scenario == LAUNCH_KILL, good;
	bool kills = scenario == LAUNCH_KILL || scenario == ATTACH_KILL;
	tl_u64 live = tl_storage_live(), before;
	unsigned open_before = descriptors();
	struct session one;
	struct pipes pipes;

	memset(&plan, 0, sizeof(plan));
	plan.call = CALL_MAX;
	if (!pipes_open(&pipes) || !session_open(&one, program, &options) ||
	    (!launched && !start_program(&one, &pipes)))
		return false;
	before = tl_storage_calls();
	arm(call, n, error, lasting);
	good = session(&one, scenario, &pipes, &kills);
	session_close(&one);
	if (call == CALL_storage)
		plan.fired = tl_storage_calls() - before >= n;
	tl_storage_fail(0);
	*reached_ret = plan.fired;
	close_end(&pipes.input);
	close_end(&pipes.output[1]);
	good &= good_end(launched, kills, scenario == LAUNCH_KILL || scenario == ATTACH_KILL);
	if (!good)
		show_output(&pipes);
	sweep();
	pipes_close(&pipes);
	return nothing_left(live, open_before) && good;
}

static bool run_apart(const char *program, enum scenario scenario, enum call call, tl_u64 n, int error,
		      enum lasting lasting, bool *reached_ret)
{
	pid_t child = fork();
	bool reached = false;
	int status = 0;

	if (child == 0) {
		bool good = run(program, scenario, call, n, error, lasting, &reached);

		(void)fflush(stdout);
		_exit((good ? 1 : 0) + (reached ? 2 : 0));
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
		printf("  the run ended with wait status 0x%x\n", (unsigned)status);
		return false;
	}
	*reached_ret = (WEXITSTATUS(status) & 2) != 0;
	return (WEXITSTATUS(status) & 1) != 0;
}

/* ---- All runs ---- */

static bool is_one_of(const char *word, const char *const *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

static char **wanted_words;

/* Whether `name`, of that list, was asked for: it was named, or none of the list was. */
static bool wanted(const char *name, const char *const *list, unsigned count)
{
	bool any = false;

	for (char **word = wanted_words; *word != NULL; word++) {
		if (strcmp(*word, name) == 0)
			return true;
		any |= is_one_of(*word, list, count);
	}
	return !any;
}

static const char *error_name(int error)
{
	return error == KILLED ? "KILLED" : error == SHORT ? "SHORT" : strerrorname_np(error);
}

/* FAULT_TRACE=CHANNELS[:FILE]: of each run anew, and FILE.1, FILE.2 … are those of the runs that failed. */
static void trace_run(void)
{
	const char *trace = getenv("FAULT_TRACE");
	struct tl_error error;

	tl_trace_close();
	if (trace != NULL && tl_trace_setup(trace, &error) != TL_OK)
		printf("  FAULT_TRACE: %s\n", error.text);
}

static void keep_trace(unsigned failures)
{
	const char *trace = getenv("FAULT_TRACE"), *file = trace != NULL ? strchr(trace, ':') : NULL;
	char name[200];

	if (file == NULL)
		return;
	(void)snprintf(name, sizeof(name), "%s.%u", file + 1, failures);
	(void)rename(file + 1, name);
	printf("  traced: %s\n", name);
}

static void try(const char *program, enum scenario scenario, enum call call, tl_u64 n, int error, enum lasting lasting,
		unsigned *counts, bool *reached_ret)
{
	bool good;

	(void)snprintf(label, 200, "%s %s %llu %s %s", scenarios[scenario], calls[call], (unsigned long long)n,
		       error_name(error), lastings[lasting]);
	trace_run();
	good = (needs_own_process(call, lasting) ? run_apart : run)(program, scenario, call, n, error, lasting,
								    reached_ret);
	counts[good ? 0 : 1]++;
	if (!good) {
		keep_trace(counts[1]);
		printf("FAILED %s\n  again: %s --one %s\n", label, "tests/fault/fault", label);
		(void)fflush(stdout);
	}
}

/*
 * How a failure may last. A program is killed once, and threads and requests are ptrace's; waitpid fails for good in
 * one way alone, and in that way for good.
 */
static bool lasts(enum call call, int error, enum lasting lasting)
{
	if (call == CALL_wait)
		return lasting == (error == ECHILD ? ALWAYS : ONCE) && wanted(lastings[lasting], lastings, LASTING_MAX);
	if (!wanted(lastings[lasting], lastings, LASTING_MAX))
		return false;
	return lasting == ONCE || (error != KILLED && (lasting == ALWAYS || call == CALL_ptrace));
}

/* Every n, or a selection that grows sparser; each way to fail in its turn, or all of them. */
static void run_call(const char *program, enum scenario scenario, enum call call, bool all, unsigned *counts)
{
	unsigned ways = 0, misses = 0;
	int errors[6 * LASTING_MAX];
	enum lasting lasting[6 * LASTING_MAX];
	tl_u64 n = 1, tried = 0;

	for (unsigned i = 0; call_errors[call][i] != 0; i++)
		for (unsigned k = 0; k < LASTING_MAX; k++)
			if (lasts(call, call_errors[call][i], (enum lasting)k)) {
				errors[ways] = call_errors[call][i];
				lasting[ways++] = (enum lasting)k;
			}
	/* What runs at the same time in the program makes the number of calls vary a little. */
	while (ways != 0 && misses < 2) {
		bool reached = false;

		for (unsigned i = 0; i < (all ? ways : 1); i++) {
			unsigned way = all ? i : (unsigned)(tried % ways);
			bool one = false;

			try(program, scenario, call, n, errors[way], lasting[way], counts, &one);
			reached |= one;
		}
		misses = reached ? 0 : misses + 1;
		tried++;
		n += all || n < 12 ? 1 : 1 + n / 4;
	}
	printf("ok %s %s: %llu calls reached\n", scenarios[scenario], calls[call], (unsigned long long)n);
}

static int work(const char *program, bool all, char **words)
{
	unsigned counts[2] = {0};

	find_places(program);
	wanted_words = words;
	for (unsigned scenario = 0; scenario < SCENARIO_MAX; scenario++)
		for (unsigned call = 0; call < CALL_MAX; call++)
			if (wanted(scenarios[scenario], scenarios, SCENARIO_MAX) &&
			    wanted(calls[call], calls, CALL_MAX))
				run_call(program, (enum scenario)scenario, (enum call)call, all, counts);
	printf("%u passed, %u failed\n", counts[0], counts[1]);
	return counts[1] != 0;
}

static int work_one(const char *program, char **words)
{
	enum lasting lasting = ONCE;
	unsigned counts[2] = {0};
	bool reached = false;

	find_places(program);
	for (unsigned i = 0; i < LASTING_MAX; i++)
		if (words[4] != NULL && strcmp(words[4], lastings[i]) == 0)
			lasting = (enum lasting)i;
	for (unsigned scenario = 0; scenario < SCENARIO_MAX; scenario++)
		for (unsigned call = 0; call < CALL_MAX; call++)
			for (unsigned i = 0; call_errors[call][i] != 0; i++)
				if (strcmp(words[0], scenarios[scenario]) == 0 && strcmp(words[1], calls[call]) == 0 &&
				    strcmp(words[3], error_name(call_errors[call][i])) == 0)
					try(program, (enum scenario)scenario, (enum call)call,
					    strtoull(words[2], NULL, 10), call_errors[call][i], lasting, counts,
					    &reached);
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
	bool one = (count == 6 || count == 7) && strcmp(arguments[1], "--one") == 0;
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
