/*
 * The process target through the engine, with real programs. PROCESS_FIXTURE is the program; the file is built once for
 * a 64-bit one and once for a 32-bit one.
 */
#include "process_harness.h"
#include "targets/process/calls.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static bool wide(void)
{
	return sizeof(PROCESS_BITS) == sizeof("64") && PROCESS_BITS[0] == '6';
}

static bool start_with(struct session *session, const struct tl_process_options *options, const char *mode,
		       const char *number)
{
	if (!session_open(session, PROCESS_FIXTURE, options))
		return false;
	if (!session_launch(session, mode, number)) {
		session_close(session);
		return false;
	}
	return true;
}

static bool start(struct session *session, const char *mode, const char *number)
{
	return start_with(session, NULL, mode, number);
}

#define START(session, mode, number)                                                                                   \
	struct session session;                                                                                        \
	REQUIRE(start(&session, mode, number))

/* Ends a test early without leaving a program behind. */
#define NEED(session, condition)                                                                                       \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			CHECK(condition);                                                                              \
			session_close(&(session));                                                                     \
			return;                                                                                        \
		}                                                                                                      \
	} while (0)

static bool ended_with(const struct session *session, int code)
{
	if (session->report.event.kind == TL_EVENT_PROCESS_EXITED && session->report.event.code == code)
		return true;
	printf("  instead of an exit with %d: %s, code %d, signal %d\n", code,
	       tl_event_name(session->report.event.kind), (int)session->report.event.code,
	       (int)session->report.event.signal);
	return false;
}

/* ---- Beginning and end ---- */

TEST(launch_and_exit)
{
	START(session, "exit", "5");
	CHECK_EQUAL(session_threads(&session), 1);
	CHECK(session_register(&session, session_leader(&session), wide() ? "rip" : "eip") != 0);
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 5));
	CHECK_EQUAL(session_threads(&session), 0);
	session_close(&session);
}

TEST(launch_through_a_shell)
{
	const char *words[] = {PROCESS_FIXTURE, "exit", "$((3 + 4))", NULL};
	struct session session;

	REQUIRE(session_open(&session, PROCESS_FIXTURE, NULL));
	NEED(session, session_launch_words(&session, words, true));
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 7));
	session_close(&session);
}

TEST(launch_with_a_wrapper)
{
	const char *words[] = {PROCESS_FIXTURE, "exit", "9", NULL};
	const char *wrapper[] = {"env", "-u", "NOTHING", NULL};

	for (int shell = 0; shell < 2; shell++) {
		struct tl_launch launch = {.arguments = words, .wrapper = wrapper, .with_shell = shell != 0};
		struct session session;
		const char *detail = "";

		REQUIRE(session_open(&session, PROCESS_FIXTURE, NULL));
		NEED(session, session.target->ops->launch(session.target, &launch, &session.process, &detail) == TL_OK);
		NEED(session, session_continue(&session, 0));
		CHECK(ended_with(&session, 9));
		session_close(&session);
	}
}

TEST(launch_errors_are_sentences)
{
	static const struct {
		const char *program;
		bool shell;
		const char *directory;
		const char *says;
	} rows[] = {
		{"/nonexistent/program", false, NULL, "cannot run '/nonexistent/program': No such file or directory"},
		{"/nonexistent/program", true, NULL, "cannot run '/nonexistent/program': no such program"},
		{"/etc/passwd", false, NULL, "cannot run '/etc/passwd': Permission denied"},
		{"/etc/passwd", true, NULL, "cannot run '/etc/passwd': it is not executable"},
		{"/bin/true", false, "/nonexistent",
		 "cannot change to the working directory '/nonexistent': No such file"},
		{"", false, NULL, "no program was named"},
	};
	struct session session;

	REQUIRE(session_open(&session, PROCESS_FIXTURE, NULL));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *words[] = {rows[i].program, NULL}, *detail = "";
		struct tl_launch launch = {.arguments = words,
					   .with_shell = rows[i].shell,
					   .directory = rows[i].directory,
					   .error = "/dev/null"};
		tl_u64 process = 0;

		CHECK_EQUAL(session.target->ops->launch(session.target, &launch, &process, &detail), TL_ERROR_LAUNCH);
		if (strncmp(detail, rows[i].says, strlen(rows[i].says)) != 0)
			CHECK_TEXT(detail, rows[i].says);
	}
	/* Nothing is left behind: not a child, and no number of one. */
	CHECK_EQUAL(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	session_close(&session);
}

static long seize_late(long request, pid_t thread, tl_uintptr address, tl_uintptr data)
{
	struct pollfd end = {.fd = -1, .events = POLLIN};

	if (request == PTRACE_SEIZE) {
		end.fd = (int)syscall(SYS_pidfd_open, thread, 0);
		(void)poll(&end, 1, 100);
		(void)close(end.fd);
	}
	return tl_process_calls_real.ptrace(request, thread, address, data);
}

/* The child has all the time to end before it is seized. */
TEST(launch_error_of_a_quick_child)
{
	struct tl_process_calls calls = tl_process_calls_real;
	struct tl_process_options options = {.calls = &calls};
	const char *words[] = {"/bin/true", NULL}, *detail = "";
	struct tl_launch launch = {.arguments = words, .directory = "/nonexistent"};
	struct session session;
	tl_u64 process = 0;

	calls.ptrace = seize_late;
	REQUIRE(session_open(&session, PROCESS_FIXTURE, &options));
	CHECK_EQUAL(session.target->ops->launch(session.target, &launch, &process, &detail), TL_ERROR_LAUNCH);
	CHECK_TEXT(detail, "cannot change to the working directory '/nonexistent': No such file or directory");
	CHECK_EQUAL(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	session_close(&session);
}

TEST(kill_a_running_program)
{
	START(session, "threads", "20");
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session_threads(&session), 21);
	CHECK_EQUAL(tl_engine_kill(session.engine, session.process), TL_OK);
	CHECK_EQUAL(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	CHECK_EQUAL(kill((pid_t)session.process, 0), -1);
	session_close(&session);
}

TEST(killed_from_outside)
{
	START(session, "sleepers", "8");
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session_threads(&session), 9);
	/* While all stand. */
	kill((pid_t)session.process, SIGKILL);
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_PROCESS_KILLED);
	CHECK_EQUAL(session.report.event.signal, SIGKILL);
	session_close(&session);
}

/* ---- Memory and registers ---- */

TEST(memory)
{
	START(session, "exit", "0");
	tl_u64 address = session_symbol(&session, "last_words"), top = 0;
	tl_u8 big[65536], byte = 0x90;
	tl_size done = 0;
	struct tl_memory_region region;

	/* Code is not writable, and is written all the same. */
	CHECK_EQUAL(session.target->ops->write_memory(session.target, session.process, address, &byte, 1, &done),
		    TL_OK);
	CHECK_EQUAL(session_read(&session, "last_words", 1), 0x90);
	CHECK_EQUAL(session.target->ops->read_memory(session.target, session.process, 16, big, 16, &done),
		    TL_ERROR_MEMORY);
	CHECK_EQUAL(session.target->ops->write_memory(session.target, session.process, 16, big, 16, &done),
		    TL_ERROR_MEMORY);
	/* Up to where it is mapped, and no further: small and big, from just below the end of a region. */
	CHECK_EQUAL(session.target->ops->memory_region(session.target, session.process, address, &region), TL_OK);
	CHECK(region.mapped && region.executable && !region.writable);
	CHECK(strstr(region.name, "fixture-process") != NULL);
	top = session_register(&session, session_leader(&session), wide() ? "rsp" : "esp");
	CHECK_EQUAL(session.target->ops->memory_region(session.target, session.process, top, &region), TL_OK);
	CHECK_TEXT(region.name, "[stack]");
	for (tl_u64 below = 16; below <= 4096; below *= 256)
		for (tl_size size = 64; size <= sizeof(big); size *= 32) {
			CHECK_EQUAL(session.target->ops->read_memory(session.target, session.process,
								     region.start + region.size - below, big, size,
								     &done),
				    TL_OK);
			CHECK_EQUAL(done, size < below ? size : below);
		}
	CHECK_EQUAL(session.target->ops->memory_region(session.target, session.process, 0, &region), TL_OK);
	CHECK(!region.mapped && region.start == 0 && region.size >= 4096);
	session_close(&session);
}

TEST(registers)
{
	START(session, "exit", "5");
	struct tl_thread_id leader = session_leader(&session);
	static const char *const names[] = {"st0", "st7",   "fctrl", "mxcsr", "xmm0",  "xmm7",   "ymm0h", "ymm7h",
					    "k1",  "zmm0h", "zmm7h", "pkru",  "xmm15", "ymm15h", "xmm31", "zmm31h"};
	tl_u64 before = session_register(&session, leader, wide() ? "rbx" : "ebx");
	struct tl_process_facts facts;
	tl_u8 *file = NULL;

	NEED(session, tl_engine_facts(session.engine, session.process, &facts) == TL_OK);
	CHECK_TEXT(facts.cpu->name, wide() ? "x86_64" : "i386");
	CHECK_EQUAL(session_register(&session, leader, "fctrl"), 0x37f);
	CHECK_EQUAL(session_register(&session, leader, "mxcsr"), 0x1f80);
	CHECK_EQUAL(session_register(&session, leader, "ftag"), 0xffff);
	CHECK(session_set_register(&session, leader, wide() ? "rbx" : "ebx", 0x12345678));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		tl_u16 index = 0;

		if (tl_cpu_find(facts.cpu, names[i], &index) != TL_OK ||
		    (facts.features >> facts.cpu->registers[index].feature & 1) == 0 ||
		    strcmp(names[i], "fctrl") == 0 || strcmp(names[i], "mxcsr") == 0 || strcmp(names[i], "pkru") == 0)
			continue;
		CHECK(session_set_register(&session, leader, names[i], 0x1000 + i));
	}
	CHECK_EQUAL(tl_engine_flush_registers(session.engine, leader), TL_OK);
	tl_engine_forget_registers(session.engine, leader);
	CHECK_EQUAL(session_register(&session, leader, wide() ? "rbx" : "ebx"), 0x12345678);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		tl_u16 index = 0;

		if (tl_cpu_find(facts.cpu, names[i], &index) != TL_OK ||
		    (facts.features >> facts.cpu->registers[index].feature & 1) == 0 ||
		    strcmp(names[i], "fctrl") == 0 || strcmp(names[i], "mxcsr") == 0 || strcmp(names[i], "pkru") == 0)
			continue;
		if (session_register(&session, leader, names[i]) != 0x1000 + i)
			printf("  %s\n", names[i]);
		CHECK_EQUAL(session_register(&session, leader, names[i]), 0x1000 + i);
	}
	CHECK(session_set_register(&session, leader, wide() ? "rbx" : "ebx", before));
	/* What was written does the program no harm. */
	NEED(session, tl_engine_registers(session.engine, leader, 1, &file) == TL_OK);
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 5));
	session_close(&session);
}

/* ---- Running and stopping ---- */

TEST(interrupt)
{
	START(session, "loop", NULL);
	tl_u64 before, began;

	for (int i = 0; i < 20; i++) {
		NEED(session, session_resume(&session, (struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE, 0));
		session_run_for(&session, 2);
		began = milliseconds();
		tl_engine_interrupt(session.engine);
		NEED(session, session_wait(&session));
		CHECK(milliseconds() - began < 1000);
		CHECK_EQUAL(session.report.event.kind, TL_EVENT_SIGNAL);
		CHECK_EQUAL(session.report.event.signal, SIGINT);
	}
	before = session_read(&session, "counter", 4);
	CHECK(before > 0);
	session_close(&session);
}

TEST(steps)
{
	START(session, "loop", NULL);
	struct tl_thread_id leader = session_leader(&session);
	const char *pc = wide() ? "rip" : "eip";
	tl_u64 at;

	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "loop_body", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_TRAP);
	at = session_register(&session, leader, pc);
	CHECK_EQUAL(at, session_symbol(&session, "loop_body"));
	NEED(session, session_remove(&session, TL_POINT_SOFTWARE, "loop_body", 1));
	for (int i = 0; i < 50; i++) {
		tl_u64 next;

		NEED(session, session_step(&session, leader));
		CHECK_EQUAL(session.report.event.kind, TL_EVENT_STEPPED);
		next = session_register(&session, leader, pc);
		CHECK(next != at);
		at = next;
	}
	session_close(&session);
}

TEST(steps_over_system_calls)
{
	START(session, "syscalls", "3");
	struct tl_thread_id leader = session_leader(&session);
	unsigned steps = 0;

	/* All the way to the end: through the dynamic linker, system calls, exit. */
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "main", 1));
	NEED(session, session_continue(&session, 0));
	NEED(session, session_remove(&session, TL_POINT_SOFTWARE, "main", 1));
	while (steps++ < 20000) {
		NEED(session, session_step(&session, leader));
		if (session.report.event.kind != TL_EVENT_STEPPED)
			break;
	}
	CHECK(ended_with(&session, 0));
	session_close(&session);
}

TEST(breakpoint_hits_and_goes)
{
	START(session, "syscalls", "0");
	tl_u64 before;

	tl_engine_settings(session.engine)->pass_reported = true;
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_TRAP);
	before = session_read(&session, "counter", 4);
	CHECK_EQUAL(before, 0);
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 0));
	session_close(&session);
}

TEST(own_trap_is_the_programs)
{
	START(session, "own-trap", "12");
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_SIGNAL);
	CHECK_EQUAL(session.report.event.signal, SIGTRAP);
	NEED(session, session_continue(&session, SIGTRAP));
	CHECK(ended_with(&session, 12));
	session_close(&session);
}

/* ---- Signals ---- */

TEST(signal_keeps_its_siginfo)
{
	START(session, "signals", "77");
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_SIGNAL);
	CHECK_EQUAL(session.report.event.signal, SIGUSR1);
	CHECK(!session.report.event.fault);
	NEED(session, session_continue(&session, SIGUSR1));
	CHECK(ended_with(&session, 77));
	session_close(&session);
}

TEST(signal_with_another_siginfo)
{
	START(session, "signals", "77");
	tl_size value_at = wide() ? 24 : 20, done = 0;
	tl_u8 info[128];
	int value = 0;

	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.target->ops->read_object(session.target, session_leader(&session), TL_OBJECT_SIGINFO, 0,
						     info, sizeof(info), &done),
		    TL_OK);
	CHECK_EQUAL(done, 128);
	CHECK_EQUAL(tl_load_little(info, 4), SIGUSR1);
	CHECK_EQUAL(tl_load_little(info + value_at, 4), 77);
	value = 78;
	CHECK_EQUAL(session.target->ops->write_object(session.target, session_leader(&session), TL_OBJECT_SIGINFO,
						      value_at, &value, 4, &done),
		    TL_OK);
	NEED(session, session_continue(&session, SIGUSR1));
	CHECK(ended_with(&session, 78));
	session_close(&session);
}

TEST(signal_is_dropped)
{
	START(session, "signals", "77");
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.signal, SIGUSR1);
	session.report.event.signal = 0;
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 0));
	session_close(&session);
}

TEST(signal_from_a_stop_that_cannot_deliver)
{
	START(session, "blocked", "11");
	/* It stands at its first instruction, in no signal stop: the signal is sent, unseen. */
	NEED(session, session_resume(&session, session_leader(&session), TL_ACTION_CONTINUE, SIGUSR1));
	NEED(session, session_wait(&session));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_PROCESS_KILLED);
	CHECK_EQUAL(session.report.event.signal, SIGUSR1);
	session_close(&session);
}

TEST(crash)
{
	START(session, "crash", NULL);
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_SIGNAL);
	CHECK_EQUAL(session.report.event.signal, SIGSEGV);
	CHECK(session.report.event.fault);
	NEED(session, session_continue(&session, SIGSEGV));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_PROCESS_KILLED);
	CHECK_EQUAL(session.report.event.signal, SIGSEGV);
	session_close(&session);
}

TEST(a_carried_out_store_minds_protections)
{
	static const tl_u8 never[] = {0x22, 0, 0x27}; /* const8 0, end */
	struct tl_agent_code code = {never, sizeof(never)};
	struct tl_point_request request = {.kind = TL_POINT_SOFTWARE, .size = 1, .conditions = {&code, 1}};

	START(session, "guarded", NULL);
	request.address = session_symbol(&session, "guarded_store");
	NEED(session, tl_engine_insert_point(session.engine, session.process, &request) == TL_OK);
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_SIGNAL);
	CHECK_EQUAL(session.report.event.signal, SIGSEGV);
	CHECK_EQUAL(tl_engine_counters(session.engine)->conditions_false, 1);
	session_close(&session);
}

static char state_in_proc(tl_u64 process)
{
	char path[40], text[512] = "";
	char *state;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)process);
	file = fopen(path, "r");
	if (file == NULL)
		return '?';
	if (fgets(text, sizeof(text), file) == NULL)
		text[0] = '\0';
	(void)fclose(file);
	state = strrchr(text, ')');
	return state != NULL && state[1] == ' ' ? state[2] : '?';
}

TEST(group_stop_is_left_to_job_control)
{
	START(session, "stop", NULL);
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.signal, SIGSTOP);
	NEED(session, session_resume(&session, session_leader(&session), TL_ACTION_CONTINUE, SIGSTOP));
	session_run_for(&session, 50);
	/* Stopped, as ps shows it, and not in a tracing stop; a listening thread can be stopped and goes back to that.
	 */
	CHECK_EQUAL(tl_engine_running(session.engine), true);
	for (int i = 0; i < 3; i++) {
		tl_engine_interrupt(session.engine);
		NEED(session, session_wait(&session));
		CHECK_EQUAL(session.report.event.signal, SIGINT);
		NEED(session, session_resume(&session, session_leader(&session), TL_ACTION_CONTINUE, 0));
		session_run_for(&session, 20);
		CHECK_EQUAL(tl_engine_running(session.engine), true);
	}
	CHECK_EQUAL(session_read(&session, "counter", 4), 1);
	kill((pid_t)session.process, SIGCONT);
	NEED(session, session_wait(&session));
	CHECK_EQUAL(session.report.event.signal, SIGCONT);
	NEED(session, session_continue(&session, SIGCONT));
	CHECK(ended_with(&session, 4));
	session_close(&session);
}

/* ---- Threads ---- */

TEST(threads_hit_a_breakpoint)
{
	START(session, "threads", "30");
	tl_engine_settings(session.engine)->pass_reported = true;
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session_threads(&session), 31);
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "loop_body", 1));
	for (int i = 0; i < 100; i++) {
		NEED(session, session_continue(&session, 0));
		CHECK_EQUAL(session.report.event.kind, TL_EVENT_TRAP);
	}
	NEED(session, session_remove(&session, TL_POINT_SOFTWARE, "loop_body", 1));
	/* No late hit is told of. */
	NEED(session, session_resume(&session, (struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE, 0));
	session_run_for(&session, 100);
	tl_engine_interrupt(session.engine);
	NEED(session, session_wait(&session));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_SIGNAL);
	CHECK_EQUAL(session.report.event.signal, SIGINT);
	session_close(&session);
}

TEST(threads_come_and_go)
{
	START(session, "churn", "1000");
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_TRAP);
	CHECK_EQUAL(session_read(&session, "counter", 4) != 0, true);
	CHECK_EQUAL(session_threads(&session), 1);
	NEED(session, session_remove(&session, TL_POINT_SOFTWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 3));
	session_close(&session);
}

TEST(threads_come_and_go_interrupted)
{
	START(session, "churn", "600");
	unsigned stops = 0;

	for (;;) {
		NEED(session, session_resume(&session, (struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE, 0));
		session_run_for(&session, 3);
		tl_engine_interrupt(session.engine);
		NEED(session, session_wait(&session));
		if (session.report.event.kind == TL_EVENT_PROCESS_EXITED)
			break;
		CHECK_EQUAL(session.report.event.signal, SIGINT);
		stops++;
	}
	CHECK(ended_with(&session, 3));
	CHECK(stops > 0);
	session_close(&session);
}

TEST(leader_ends_first)
{
	START(session, "leader", NULL);
	tl_engine_settings(session.engine)->report_threads = true;
	bool leader_exit = false, thread_new = false;

	for (int i = 0; i < 6; i++) {
		NEED(session, session_continue(&session, 0));
		if (session.report.event.kind == TL_EVENT_THREAD_CREATED)
			thread_new = true;
		else if (session.report.event.kind == TL_EVENT_THREAD_EXITED &&
			 session.report.event.thread.thread == session.process)
			leader_exit = true;
		else
			break;
	}
	CHECK(thread_new);
	CHECK(leader_exit);
	CHECK(ended_with(&session, 6));
	session_close(&session);
}

TEST(leader_ends_first_and_the_rest_stops)
{
	START(session, "leader", NULL);
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_TRAP);
	CHECK(session.report.event.thread.thread != session.process);
	CHECK_EQUAL(session_threads(&session), 1);
	/* Memory is still there, though the leader's is gone. */
	CHECK(session_read(&session, "counter", 4) != TL_U64_MAX);
	NEED(session, session_remove(&session, TL_POINT_SOFTWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 6));
	session_close(&session);
}

/* ---- Processes ---- */

TEST(fork_followed_on_both_sides)
{
	START(session, "fork", NULL);
	struct tl_thread_id child;
	unsigned exits = 0;

	tl_engine_settings(session.engine)->report_forks = true;
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_FORK);
	child = session.report.event.child;
	CHECK(child.process != session.process);
	CHECK_EQUAL(session_threads(&session), 2);
	CHECK(session_register(&session, child, wide() ? "rip" : "eip") ==
	      session_register(&session, session_leader(&session), wide() ? "rip" : "eip"));
	while (exits < 2) {
		NEED(session, session_continue(&session, 0));
		if (session.report.event.kind == TL_EVENT_SIGNAL) {
			CHECK_EQUAL(session.report.event.signal, SIGCHLD);
			continue;
		}
		CHECK(ended_with(&session, session.report.event.thread.process == child.process ? 7 : 8));
		exits++;
	}
	session_close(&session);
}

static void child_that_shares_memory(const char *kind)
{
	START(session, "share", kind);
	tl_u64 child;

	tl_engine_settings(session.engine)->pass_signals[0] |= 1ull << SIGCHLD;
	tl_engine_settings(session.engine)->pass_reported = true;
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "loop_body", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_TRAP);
	CHECK_EQUAL(session.report.event.thread.process, session.process);
	child = session.report.event.thread.thread;
	CHECK(child != session.process);
	/* Its end takes nothing out of the memory. */
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_TRAP);
	CHECK_EQUAL(session.report.event.thread.thread, session.process);
	CHECK_EQUAL(session_threads(&session), 1);
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 8));
	session_close(&session);
}

TEST(child_that_shares_memory_is_a_thread)
{
	child_that_shares_memory(NULL);
}

TEST(child_that_shares_memory_is_a_thread_although_the_kernel_calls_it_a_fork)
{
	child_that_shares_memory("1");
}

/* Sets a program going up to its vfork; *child_ret sleeps, and so will the parent when it goes on. */
static bool up_to_vfork(struct session *session, const struct tl_process_options *options, tl_u64 *child_ret)
{
	if (!start_with(session, options, "vfork", "1"))
		return false;
	tl_engine_settings(session->engine)->report_vforks = true;
	tl_engine_settings(session->engine)->pass_signals[0] |= 1ull << SIGCHLD;
	if (!session_continue(session, 0) || session->report.event.kind != TL_EVENT_VFORK)
		return false;
	*child_ret = session->report.event.child.process;
	return true;
}

/* The parent's sleep ends with its child, is told, and the program goes on to its end. */
static void wake(struct session *session, tl_u64 child)
{
	CHECK_EQUAL(kill((pid_t)child, SIGKILL), 0);
	while (session_wait(session) && session->report.event.kind == TL_EVENT_PROCESS_KILLED)
		REQUIRE(session_resume(session, (struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE, 0));
	CHECK_EQUAL(session->report.event.kind, TL_EVENT_VFORK_DONE);
	CHECK(session_continue(session, 0));
	CHECK(ended_with(session, 1));
}

TEST(asleep_in_vfork_it_answers)
{
	struct tl_thread_id leader, everyone = {TL_ANY, TL_ANY};
	struct session session;
	tl_u64 child = 0, at, vector;

	REQUIRE(up_to_vfork(&session, NULL, &child));
	leader = session_leader(&session);
	at = session_register(&session, leader, wide() ? "rip" : "eip");
	vector = session_register(&session, leader, "mxcsr");
	NEED(session, tl_engine_detach(session.engine, child, 0, 0) == TL_OK);
	/* Twice, as a client that goes on and interrupts again. */
	for (int i = 0; i < 2; i++) {
		NEED(session, session_resume(&session, everyone, TL_ACTION_CONTINUE, 0));
		tl_engine_interrupt(session.engine);
		NEED(session, session_wait(&session));
		CHECK_EQUAL(session.report.event.signal, SIGINT);
		CHECK_EQUAL(session_register(&session, leader, wide() ? "rip" : "eip"), at);
		CHECK_EQUAL(session_register(&session, leader, "mxcsr"), vector);
		CHECK(session_read(&session, "last_words", 1) != TL_U64_MAX);
	}
	NEED(session, session_resume(&session, everyone, TL_ACTION_CONTINUE, 0));
	wake(&session, child);
	session_close(&session);
}

TEST(asleep_in_vfork_it_stops_with_its_child)
{
	struct tl_thread_id everyone = {TL_ANY, TL_ANY};
	struct session session;
	tl_u64 child = 0;

	REQUIRE(up_to_vfork(&session, NULL, &child));
	NEED(session, session_resume(&session, everyone, TL_ACTION_CONTINUE, 0));
	NEED(session, session_quiet(&session));
	/* What ends its sleep while it is shown as stopped is told when it is set going. */
	NEED(session, session_wait(&session));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_PAUSED);
	CHECK_EQUAL(tl_engine_kill(session.engine, child), TL_OK);
	session_run_for(&session, 50);
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_VFORK_DONE);
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 1));
	session_close(&session);
}

TEST(asleep_in_vfork_it_can_be_let_go)
{
	struct session session;
	tl_u64 child = 0;
	int status = 0;

	REQUIRE(up_to_vfork(&session, NULL, &child));
	NEED(session, tl_engine_detach(session.engine, child, 0, 0) == TL_OK);
	NEED(session, session_resume(&session, session_leader(&session), TL_ACTION_CONTINUE, 0));
	NEED(session, session_quiet(&session));
	CHECK_EQUAL(kill((pid_t)child, SIGKILL), 0);
	CHECK_EQUAL(tl_engine_detach(session.engine, session.process, 0, 0), TL_OK);
	/* It is our child, and ends by itself. */
	CHECK_EQUAL(waitpid((pid_t)session.process, &status, 0), (pid_t)session.process);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	session_close(&session);
}

TEST(asleep_in_vfork_it_is_let_go_as_it_wakes)
{
	struct tl_process_options options = {.launched_survive = true};
	struct session session;
	tl_u64 child = 0, end = milliseconds() + DEADLINE;

	REQUIRE(up_to_vfork(&session, &options, &child));
	NEED(session, tl_engine_detach(session.engine, child, 0, 0) == TL_OK);
	NEED(session, session_resume(&session, session_leader(&session), TL_ACTION_CONTINUE, 0));
	NEED(session, session_quiet(&session));
	/* Nobody waits for the child, which sleeps on. */
	CHECK_EQUAL(tl_engine_detach(session.engine, session.process, 0, 0), TL_OK);
	CHECK_EQUAL(kill((pid_t)child, SIGKILL), 0);
	while (kill((pid_t)session.process, 0) == 0 && milliseconds() < end)
		session_run_for(&session, 10);
	CHECK_EQUAL(kill((pid_t)session.process, 0), -1);
	session_close(&session);
}

TEST(fork_child_is_let_go)
{
	START(session, "fork", NULL);
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "loop_body", 1));
	tl_engine_settings(session.engine)->pass_signals[0] |= 1ull << SIGCHLD;
	/* The child would die of the trap if it were left in its memory. */
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 8));
	session_close(&session);
}

TEST(vfork_followed)
{
	START(session, "vfork", NULL);
	struct tl_thread_id child;
	bool done = false;

	tl_engine_settings(session.engine)->report_vforks = true;
	tl_engine_settings(session.engine)->pass_signals[0] |= 1ull << SIGCHLD;
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_VFORK);
	child = session.report.event.child;
	/* The child's end lets the parent go: which of the two is heard of first is the kernel's choice. */
	for (int i = 0; i < 2; i++) {
		NEED(session, session_continue(&session, 0));
		if (session.report.event.kind == TL_EVENT_VFORK_DONE) {
			CHECK_EQUAL(session.report.event.thread.process, session.process);
			done = true;
		} else {
			CHECK_EQUAL(session.report.event.thread.process, child.process);
			CHECK(ended_with(&session, 7));
		}
	}
	CHECK(done);
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 8));
	session_close(&session);
}

TEST(exec_followed)
{
	START(session, "exec", "21");
	tl_engine_settings(session.engine)->report_execs = true;
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_EXEC);
	CHECK_EQUAL(session_read(&session, "counter", 4), 0);
	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_TRAP);
	NEED(session, session_remove(&session, TL_POINT_SOFTWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 21));
	session_close(&session);
}

TEST(exec_from_a_thread)
{
	START(session, "exec-thread", "22");
	tl_engine_settings(session.engine)->report_execs = true;
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_EXEC);
	CHECK_EQUAL(session.report.event.thread.thread, session.process);
	CHECK_EQUAL(session_threads(&session), 1);
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 22));
	session_close(&session);
}

/* ---- System calls ---- */

TEST(system_calls)
{
	START(session, "syscalls", "3");
	struct tl_engine_settings *settings = tl_engine_settings(session.engine);
	tl_u64 number = wide() ? 110 : 64; /* getppid */
	unsigned entries = 0, returns = 0;

	settings->catch_syscalls = true;
	settings->syscalls[number / 64] |= 1ull << number % 64;
	for (;;) {
		NEED(session, session_continue(&session, 0));
		if (session.report.event.kind == TL_EVENT_SYSCALL_ENTRY)
			entries++;
		else if (session.report.event.kind == TL_EVENT_SYSCALL_RETURN)
			returns++;
		else
			break;
		CHECK_EQUAL(session.report.event.number, number);
		CHECK_EQUAL(entries - returns, session.report.event.kind == TL_EVENT_SYSCALL_ENTRY);
	}
	CHECK_EQUAL(entries, 3);
	CHECK_EQUAL(returns, 3);
	CHECK(ended_with(&session, 0));
	session_close(&session);
}

TEST(interrupted_system_call_goes_on)
{
	START(session, "blocked", "11");
	tl_u64 address = 0;

	for (int i = 0; i < 3; i++) {
		NEED(session, session_resume(&session, session_leader(&session), TL_ACTION_CONTINUE, 0));
		session_run_for(&session, 60);
		tl_engine_interrupt(session.engine);
		NEED(session, session_wait(&session));
		CHECK_EQUAL(session.report.event.signal, SIGINT);
		CHECK_EQUAL(session_read(&session, "counter", 4), 1);
		/* A call of ours in the middle of the program's does not end that either. */
		CHECK_EQUAL(session.target->ops->allocate(session.target, session_leader(&session), 0, 4096,
							  TL_PERMISSION_READ | TL_PERMISSION_WRITE, &address),
			    TL_OK);
		CHECK_EQUAL(session.target->ops->release(session.target, session_leader(&session), address, 4096),
			    TL_OK);
	}
	NEED(session, session_resume(&session, session_leader(&session), TL_ACTION_CONTINUE, 0));
	session_run_for(&session, 60);
	CHECK(tl_engine_running(session.engine));
	session_close(&session);
}

TEST(allocate_near)
{
	START(session, "exit", "5");
	struct tl_thread_id leader = session_leader(&session);
	tl_u64 near = session_symbol(&session, "main"), address = 0;
	const char *pc = wide() ? "rip" : "eip";
	struct tl_memory_region region;
	tl_u64 before = session_register(&session, leader, pc);

	CHECK_EQUAL(session.target->ops->allocate(session.target, leader, near, 4096,
						  TL_PERMISSION_READ | TL_PERMISSION_EXECUTE, &address),
		    TL_OK);
	CHECK((address > near ? address - near : near - address) < 0x70000000);
	CHECK_EQUAL(session.target->ops->memory_region(session.target, session.process, address, &region), TL_OK);
	CHECK(region.readable && region.executable && !region.writable);
	tl_engine_forget_registers(session.engine, leader);
	CHECK_EQUAL(session_register(&session, leader, pc), before);
	CHECK_EQUAL(session.target->ops->release(session.target, leader, address, 4096), TL_OK);
	CHECK_EQUAL(session.target->ops->memory_region(session.target, session.process, address, &region), TL_OK);
	CHECK(!region.mapped);
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 5));
	session_close(&session);
}

/* ---- Hardware points ---- */

TEST(hardware_breakpoint)
{
	START(session, "exit", "5");
	tl_engine_settings(session.engine)->pass_reported = true;
	NEED(session, session_point(&session, TL_POINT_HARDWARE, "last_words", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_HARDWARE_BREAKPOINT);
	CHECK_EQUAL(session.report.event.address, session_symbol(&session, "last_words"));
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 5));
	session_close(&session);
}

TEST(write_watchpoint_in_every_thread)
{
	START(session, "watch", "5");
	tl_u64 address = session_symbol(&session, "watched") + (wide() ? 8 : 4);
	struct tl_point_request request = {.kind = TL_POINT_WRITE, .address = address, .size = wide() ? 8 : 4};

	NEED(session, tl_engine_insert_point(session.engine, session.process, &request) == TL_OK);
	for (int hit = 1; hit <= 2; hit++) {
		NEED(session, session_continue(&session, 0));
		CHECK_EQUAL(session.report.event.kind, TL_EVENT_WATCHPOINT);
		CHECK_EQUAL(session.report.hit_addresses[0], address);
		CHECK_EQUAL(session.report.event.thread.thread == session.process, hit == 1);
	}
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 5));
	session_close(&session);
}

TEST(watchpoint_set_while_threads_run)
{
	START(session, "threads", "4");
	struct tl_point_request request = {
		.kind = TL_POINT_WRITE, .address = session_symbol(&session, "counter"), .size = 4};

	tl_engine_settings(session.engine)->non_stop = true;
	NEED(session, session_resume(&session, (struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE, 0));
	session_run_for(&session, 100);
	NEED(session, tl_engine_insert_point(session.engine, session.process, &request) == TL_OK);
	NEED(session, session_wait(&session));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_WATCHPOINT);
	CHECK_EQUAL(tl_engine_remove_point(session.engine, session.process, TL_POINT_WRITE, request.address, 4), TL_OK);
	session_close(&session);
}

TEST(points_that_cannot_be)
{
	START(session, "exit", "5");
	static const tl_u64 kernel = 0xffffffff81000000;
	struct tl_target *target = session.target;
	tl_u64 address = session_symbol(&session, "watched");

	CHECK_EQUAL(target->ops->insert_point(target, session.process, TL_POINT_SOFTWARE, address, 1),
		    TL_ERROR_POINT_KIND);
	CHECK_EQUAL(target->ops->insert_point(target, session.process, TL_POINT_WRITE, kernel, 4), TL_ERROR_MEMORY);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQUAL(target->ops->insert_point(target, session.process, TL_POINT_WRITE, address + 4 * i, 4),
			    TL_OK);
	CHECK_EQUAL(target->ops->insert_point(target, session.process, TL_POINT_WRITE, address + 16, 4),
		    TL_ERROR_POINT_FULL);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQUAL(target->ops->remove_point(target, session.process, TL_POINT_WRITE, address + 4 * i, 4),
			    TL_OK);
	NEED(session, session_continue(&session, 0));
	CHECK(ended_with(&session, 5));
	session_close(&session);
}

/* ---- Attaching ---- */

static pid_t spawn(const char *mode, const char *number)
{
	pid_t id = fork();

	if (id == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(PROCESS_FIXTURE, PROCESS_FIXTURE, mode, number, (char *)NULL);
		_exit(127);
	}
	return id;
}

/*
 * Before its exec the child is a copy of this program, with whatever it has at the counter's address; and in the middle
 * of exec what will be .bss still shows the bytes that follow .data in the file.
 */
static bool runs_fixture(pid_t id)
{
	char path[40], link[512] = "";

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)id);
	return readlink(path, link, sizeof(link) - 1) > 0 && strstr(link, "/fixture-process-") != NULL;
}

/* Waits until the counter of a program that nobody traces says that it is ready. */
static bool wait_ready(pid_t id, tl_u64 address, tl_u64 wanted)
{
	tl_u64 end = milliseconds() + DEADLINE, value = 0;
	char path[40];
	int memory = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)id);
	while (milliseconds() < end) {
		if (memory >= 0)
			(void)close(memory);
		memory = runs_fixture(id) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		value = 0;
		if (memory >= 0 && pread(memory, &value, 4, (off_t)address) == 4 && value == wanted)
			break;
		sched_yield();
	}
	if (memory >= 0)
		(void)close(memory);
	return value == wanted;
}

TEST(attach_and_detach)
{
	struct session session;
	const char *detail = "";
	pid_t id = spawn("sleepers", "50");
	int status = 0;

	REQUIRE(id > 0);
	REQUIRE(session_open(&session, PROCESS_FIXTURE, NULL));
	session.process = (tl_u64)id;
	NEED(session, wait_ready(id, session_symbol(&session, "counter"), 1));
	for (int round = 0; round < 3; round++) {
		NEED(session, session.target->ops->attach(session.target, (tl_u64)id, &detail) == TL_OK);
		NEED(session, session_wait(&session));
		CHECK_EQUAL(session.report.event.kind, TL_EVENT_PAUSED);
		CHECK_EQUAL(session_threads(&session), 51);
		NEED(session, session_point(&session, TL_POINT_HARDWARE, "loop_body", 1));
		NEED(session, session_point(&session, TL_POINT_SOFTWARE, "last_words", 1));
		if (round == 1) {
			NEED(session,
			     session_resume(&session, (struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE, 0));
			session_run_for(&session, 20);
			NEED(session, session_quiet(&session));
		}
		CHECK_EQUAL(tl_engine_detach(session.engine, (tl_u64)id, 0, 0), TL_OK);
		CHECK_EQUAL(kill(id, 0), 0);
		CHECK_EQUAL(session_threads(&session), 0);
	}
	kill(id, SIGTERM);
	CHECK_EQUAL(waitpid(id, &status, 0), id);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	session_close(&session);
}

TEST(attach_to_a_stopped_process)
{
	struct session session;
	const char *detail = "";
	pid_t id = spawn("sleepers", "3");
	int status = 0;

	REQUIRE(id > 0);
	REQUIRE(session_open(&session, PROCESS_FIXTURE, NULL));
	NEED(session, wait_ready(id, session_symbol(&session, "counter"), 1));
	kill(id, SIGSTOP);
	CHECK_EQUAL(waitpid(id, &status, WUNTRACED), id);
	session.process = (tl_u64)id;
	NEED(session, session.target->ops->attach(session.target, (tl_u64)id, &detail) == TL_OK);
	NEED(session, session_wait(&session));
	CHECK_EQUAL(session_threads(&session), 4);
	CHECK_EQUAL(tl_engine_detach(session.engine, (tl_u64)id, 0, 0), TL_OK);
	/* It is stopped, as it was. */
	session_run_for(&session, 20);
	CHECK_EQUAL(state_in_proc((tl_u64)id), 'T');
	kill(id, SIGCONT);
	kill(id, SIGTERM);
	CHECK_EQUAL(waitpid(id, &status, 0), id);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	session_close(&session);
}

TEST(attach_errors_are_sentences)
{
	struct session session, other;
	const char *detail = "";
	char wanted[100];

	REQUIRE(session_open(&session, PROCESS_FIXTURE, NULL));
	CHECK_EQUAL(session.target->ops->attach(session.target, 0x7ffffff0, &detail), TL_ERROR_ATTACH);
	CHECK_TEXT(detail, "there is no process 2147483632");
	CHECK_EQUAL(session.target->ops->attach(session.target, (tl_u64)getpid(), &detail), TL_ERROR_ATTACH);
	(void)snprintf(wanted, sizeof(wanted), "process %d is this debug server itself", (int)getpid());
	CHECK_TEXT(detail, wanted);
	NEED(session, session_launch(&session, "loop", NULL));
	CHECK_EQUAL(session.target->ops->attach(session.target, session.process, &detail), TL_ERROR_ATTACH);
	NEED(session, session_open(&other, PROCESS_FIXTURE, NULL));
	CHECK_EQUAL(other.target->ops->attach(other.target, session.process, &detail), TL_ERROR_ATTACH);
	(void)snprintf(wanted, sizeof(wanted),
		       "process %d is traced by process %d already: only one debugger can have it",
		       (int)session.process, (int)getpid());
	CHECK_TEXT(detail, wanted);
	session_close(&other);
	session_close(&session);
}

/* ---- Objects ---- */

TEST(objects)
{
	START(session, "exit", "5");
	struct tl_thread_id leader = session_leader(&session);
	struct tl_target *target = session.target;
	char text[4096] = "";
	tl_size done = 0, item = wide() ? 16 : 8;

	CHECK_EQUAL(target->ops->read_object(target, leader, TL_OBJECT_EXEC_FILE, 0, text, sizeof(text) - 1, &done),
		    TL_OK);
	text[done] = '\0';
	CHECK(strstr(text, "/fixture-process-" PROCESS_BITS) != NULL && text[0] == '/');
	CHECK_EQUAL(target->ops->read_object(target, leader, TL_OBJECT_EXEC_FILE, done, text, sizeof(text), &done),
		    TL_OK);
	CHECK_EQUAL(done, 0);
	CHECK_EQUAL(target->ops->read_object(target, leader, TL_OBJECT_THREAD_NAME, 0, text, sizeof(text), &done),
		    TL_OK);
	CHECK(done == 15 && memcmp(text, "fixture-process", 15) == 0);
	CHECK_EQUAL(target->ops->read_object(target, leader, TL_OBJECT_THREAD_CORE, 0, text, sizeof(text), &done),
		    TL_OK);
	CHECK(done > 0 && done <= 4);
	for (tl_size i = 0; i < done; i++)
		CHECK(text[i] >= '0' && text[i] <= '9');
	CHECK_EQUAL(strtol(text, NULL, 10) < sysconf(_SC_NPROCESSORS_CONF), true);
	CHECK_EQUAL(target->ops->read_object(target, leader, TL_OBJECT_THREAD_CORE, done, text, sizeof(text), &done),
		    TL_OK);
	CHECK_EQUAL(done, 0);
	CHECK_EQUAL(target->ops->read_object(target, leader, TL_OBJECT_AUXV, 0, text, sizeof(text), &done), TL_OK);
	CHECK(done >= 10 * item && done % item == 0);
	CHECK_EQUAL(target->ops->read_object(target, leader, TL_OBJECT_SIGINFO, 0, text, sizeof(text), &done),
		    TL_ERROR_STATE);
	session_close(&session);
}

TEST(thread_local_storage_begins_with_its_own_address)
{
	START(session, "exit", "5");
	struct tl_target *target = session.target;
	tl_size done = 0, item = wide() ? 8 : 4;
	tl_u8 pointer[8] = {0}, word[8] = {0};

	NEED(session, session_point(&session, TL_POINT_SOFTWARE, "main", 1));
	NEED(session, session_continue(&session, 0));
	CHECK_EQUAL(session.report.event.kind, TL_EVENT_TRAP);
	CHECK_EQUAL(target->ops->read_object(target, session_leader(&session), TL_OBJECT_THREAD_POINTER, 0, pointer,
					     sizeof(pointer), &done),
		    TL_OK);
	CHECK_EQUAL(done, sizeof(pointer));
	CHECK_EQUAL(target->ops->read_memory(target, session.process, tl_load_little(pointer, 8), word, item, &done),
		    TL_OK);
	CHECK(tl_load_little(word, 8) != 0);
	CHECK_EQUAL(tl_load_little(word, 8), tl_load_little(pointer, 8));
	session_close(&session);
}
