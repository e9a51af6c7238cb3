/*
 * For tests of the process target: an engine over it, fixture programs, and waiting for reports with a deadline that,
 * when it passes, says who waits for what.
 */
#ifndef TL_TESTS_UNIT_PROCESS_HARNESS_H
#define TL_TESTS_UNIT_PROCESS_HARNESS_H

#include "base/elf.h"
#include "base/loop.h"
#include "base/storage.h"
#include "core/engine/engine.h"
#include "targets/process/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A driver with a main of its own says who it is; all others are unit tests. */
#ifdef HARNESS_NAME
static const char *const test_current = HARNESS_NAME;
#else
#include "test.h"
#endif

#ifndef DEADLINE
#define DEADLINE 20000 /* milliseconds */
#endif

struct session {
	struct tl_loop *loop;
	struct tl_target *target;
	struct tl_engine *engine;
	const char *program;
	tl_u64 process;
	struct tl_report report; /* the last one */
	bool hung;
};

static inline tl_u64 milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (tl_u64)now.tv_sec * 1000 + (tl_u64)now.tv_nsec / 1000000;
}

static inline bool session_open(struct session *session, const char *program, const struct tl_process_options *options)
{
	struct tl_engine_host host = {.allocator = *tl_storage()};
	struct tl_error error = {0};

	*session = (struct session){.program = program};
	if (tl_loop_create(&session->loop, &error) != TL_OK ||
	    tl_process_target_create(session->loop, options, &session->target, &error) != TL_OK) {
		printf("  cannot open a session: %s\n", error.text);
		return false;
	}
	session->engine = aligned_alloc(16, (tl_engine_size() + 15) & ~(size_t)15);
	tl_engine_init(session->engine, session->target, &host);
	return true;
}

static inline void session_close(struct session *session)
{
	tl_engine_deinit(session->engine);
	tl_process_target_destroy(session->target);
	tl_loop_destroy(session->loop);
	free(session->engine);
}

/* A line of a file under /proc for whoever reads a hang. */
static inline void print_proc(tl_u64 process, tl_u64 thread, const char *name)
{
	char path[80], text[200];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%llu/task/%llu/%s", (unsigned long long)process,
		       (unsigned long long)thread, name);
	file = fopen(path, "r");
	if (file == NULL)
		return;
	while (fgets(text, sizeof(text), file) != NULL)
		if (strcmp(name, "status") != 0 || strncmp(text, "State", 5) == 0 || strncmp(text, "TracerPid", 9) == 0)
			printf("      %s: %s", name, text);
	if (strcmp(name, "wchan") == 0)
		printf("\n");
	(void)fclose(file);
}

static inline void session_explain_hang(struct session *session, const char *what)
{
	static const char *const states[] = {"PARKED", "WAITING", "RUNNING", "STOPPING", "HELD", "OVER"};
	struct tl_thread_info info = {0};
	unsigned shown = 0;

	session->hung = true;
	printf("  %s: waited %d ms for %s; engine %s\n", test_current, DEADLINE, what,
	       tl_engine_running(session->engine) ? "owes a report" : "owes nothing");
	while (shown++ < 20 && tl_engine_next_thread(session->engine, info.id, &info)) {
		printf("    %llu.%llu %s\n", (unsigned long long)info.id.process, (unsigned long long)info.id.thread,
		       states[info.state]);
		print_proc(info.id.process, info.id.thread, "status");
		print_proc(info.id.process, info.id.thread, "wchan");
	}
}

/* Waits for the next report. */
static inline bool session_wait(struct session *session)
{
	tl_u64 end = milliseconds() + DEADLINE;
	struct tl_error error;

	while (!tl_engine_take_report(session->engine, &session->report)) {
		tl_u64 now = milliseconds();

		if (now >= end || tl_loop_turn(session->loop, (int)(end - now), &error) != TL_OK) {
			session_explain_hang(session, "a report");
			return false;
		}
	}
	return true;
}

/* Turns the loop until everything stands. */
static inline bool session_quiet(struct session *session)
{
	tl_u64 end = milliseconds() + DEADLINE;
	struct tl_error error;

	tl_engine_pause(session->engine);
	while (!tl_engine_quiet(session->engine)) {
		tl_u64 now = milliseconds();

		if (now >= end || tl_loop_turn(session->loop, (int)(end - now), &error) != TL_OK) {
			session_explain_hang(session, "a standstill");
			return false;
		}
	}
	return true;
}

/* Turns the loop for some time, whatever happens. */
static inline void session_run_for(struct session *session, tl_u64 time)
{
	tl_u64 end = milliseconds() + time, now;
	struct tl_error error;

	while ((now = milliseconds()) < end)
		if (tl_loop_turn(session->loop, (int)(end - now), &error) != TL_OK)
			return;
}

static inline bool session_launch_words(struct session *session, const char *const *words, bool shell)
{
	struct tl_launch launch = {.arguments = words, .with_shell = shell, .output = "/dev/null"};
	const char *detail = "";

	if (session->target->ops->launch(session->target, &launch, &session->process, &detail) != TL_OK) {
		printf("  launch: %s\n", detail);
		return false;
	}
	return true;
}

static inline bool session_launch(struct session *session, const char *mode, const char *number)
{
	const char *words[] = {session->program, mode, number, NULL};

	return session_launch_words(session, words, false);
}

static inline struct tl_thread_id session_leader(const struct session *session)
{
	return (struct tl_thread_id){session->process, session->process};
}

static inline bool session_resume(struct session *session, struct tl_thread_id filter, enum tl_action_kind kind,
				  int signal)
{
	struct tl_action action = {.filter = filter, .kind = kind, .signal = signal};

	return tl_engine_resume(session->engine, &action, 1) == TL_OK;
}

/* Lets everything run, `signal` delivered to the thread of the last report, and waits for a report. */
static inline bool session_continue(struct session *session, int signal)
{
	struct tl_action actions[] = {
		{.filter = session->report.event.thread, .kind = TL_ACTION_CONTINUE, .signal = signal},
		{.filter = {TL_ANY, TL_ANY}, .kind = TL_ACTION_CONTINUE}};
	bool one = signal != 0;

	return tl_engine_resume(session->engine, actions + !one, one ? 2 : 1) == TL_OK && session_wait(session);
}

static inline bool session_step(struct session *session, struct tl_thread_id thread)
{
	return session_resume(session, thread, TL_ACTION_STEP, 0) && session_wait(session);
}

/* The value of a symbol of the program; 0 when there is none. */
static inline tl_u64 session_symbol(const struct session *session, const char *name)
{
	struct tl_elf_symbol symbol = {0};
	struct tl_error error = {0};
	struct tl_elf elf;
	int descriptor = open(session->program, O_RDONLY | O_CLOEXEC);

	if (descriptor < 0 || tl_elf_open(&elf, tl_elf_read_descriptor, &descriptor, false, &error) != TL_OK ||
	    tl_elf_symbol(&elf, name, &symbol, &error) != TL_OK)
		printf("  no symbol %s in %s: %s\n", name, session->program, error.text);
	if (descriptor >= 0)
		(void)close(descriptor);
	return symbol.value;
}

static inline bool session_point(struct session *session, enum tl_point_kind kind, const char *symbol, tl_u64 size)
{
	struct tl_point_request request = {.kind = kind, .address = session_symbol(session, symbol), .size = size};

	return tl_engine_insert_point(session->engine, session->process, &request) == TL_OK;
}

static inline bool session_remove(struct session *session, enum tl_point_kind kind, const char *symbol, tl_u64 size)
{
	return tl_engine_remove_point(session->engine, session->process, kind, session_symbol(session, symbol), size) ==
	       TL_OK;
}

static inline tl_u64 session_read(struct session *session, const char *symbol, tl_size size)
{
	tl_u8 bytes[8] = {0};
	tl_size done = 0;

	if (tl_engine_read_memory(session->engine, session->process, session_symbol(session, symbol), bytes, size,
				  &done) != TL_OK)
		return TL_U64_MAX;
	return tl_load_little(bytes, size);
}

static inline tl_u64 session_register(struct session *session, struct tl_thread_id thread, const char *name)
{
	struct tl_process_facts facts;
	tl_u8 *file = NULL;
	tl_u16 index = 0;

	if (tl_engine_facts(session->engine, thread.process, &facts) != TL_OK ||
	    tl_cpu_find(facts.cpu, name, &index) != TL_OK ||
	    tl_engine_registers(session->engine, thread, 1u << facts.cpu->registers[index].bank, &file) != TL_OK)
		return TL_U64_MAX;
	return tl_cpu_get(facts.cpu, file, index);
}

static inline bool session_set_register(struct session *session, struct tl_thread_id thread, const char *name,
					tl_u64 value)
{
	struct tl_process_facts facts;
	tl_u8 *file = NULL;
	tl_u16 index = 0;

	if (tl_engine_facts(session->engine, thread.process, &facts) != TL_OK ||
	    tl_cpu_find(facts.cpu, name, &index) != TL_OK ||
	    tl_engine_registers(session->engine, thread, 1u << facts.cpu->registers[index].bank, &file) != TL_OK)
		return false;
	tl_cpu_set(facts.cpu, file, index, value);
	return tl_engine_registers_changed(session->engine, thread, 1u << facts.cpu->registers[index].bank) == TL_OK;
}

static inline tl_size session_threads(const struct session *session)
{
	struct tl_thread_info info = {0};
	tl_size count = 0;

	while (tl_engine_next_thread(session->engine, info.id, &info))
		count++;
	return count;
}

#endif
