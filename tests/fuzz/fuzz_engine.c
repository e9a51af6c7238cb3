/*
 * The engine under absurd orders: an input is a machine and then orders of one byte and what they take: turns of the
 * machine, requests of a client in any order, and things that happen to the program. See `orders`.
 *
 * After each the engine's own books must be right: every thread is in its place, the counts of states are true, nobody
 * runs who stands in its books, all-stop gives at most one report for a resume, and a program that was let go has no
 * trap in it. At the end everything can be stopped and let go, and all storage is given back.
 */
#include "base/storage.h"
#include "core/engine/internal.h"
#include "targets/scripted/scripted.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE 0x1000u
#define DATA 0x2000u
#define STACK 0x7000u
#define STACK_SIZE 0x1000u
#define THREADS_MAX 24
#define PROCESSES_MAX 64
#define ORDERS_MAX 600
#define LAST_TURNS 20000

/* clang-format off */
static const tl_u8 code[] = {
	0x90,						/* 1000 nop */
	0x48, 0x89, 0x04, 0x25, 0x00, 0x20, 0x00, 0x00,	/* 1001 mov [0x2000], rax */
	0x48, 0x8b, 0x1c, 0x25, 0x08, 0x20, 0x00, 0x00,	/* 1009 mov rbx, [0x2008] */
	0xe8, 0x02, 0x00, 0x00, 0x00,			/* 1011 call 0x1018 */
	0xeb, 0xe8,					/* 1016 jmp 0x1000 */
	0x55,						/* 1018 push rbp */
	0xb8, 0x27, 0x00, 0x00, 0x00,			/* 1019 mov eax, 39 (getpid) */
	0x0f, 0x05,					/* 101e syscall */
	0x5d,						/* 1020 pop rbp */
	0xc3,						/* 1021 ret */
};
/* clang-format on */

static const tl_u64 places[] = {0x1000, 0x1001, 0x1009, 0x1011, 0x1016, 0x1018, 0x1019, 0x101e, 0x1020, 0x1021};

static const struct tl_scripted_segment segments[] = {
	{CODE, 0x100, code, sizeof(code), TL_PERMISSION_READ | TL_PERMISSION_EXECUTE, "code"},
	{DATA, 0x100, NULL, 0, TL_PERMISSION_READ | TL_PERMISSION_WRITE, "data"},
	{STACK, STACK_SIZE, NULL, 0, TL_PERMISSION_READ | TL_PERMISSION_WRITE, "[stack]"},
};

static const struct tl_scripted_image image = {
	.segments = segments, .segment_count = TL_COUNT(segments), .entry = CODE, .stack = STACK + STACK_SIZE};

struct run {
	struct tl_scripted *scripted;
	struct tl_engine *engine;
	const uint8_t *at, *end;
	bool faulty;   /* operations were made to fail: what is left in memory then is not the engine's doing */
	bool answered; /* all-stop: the last resume has had its report */
};

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static unsigned next(struct run *run)
{
	return run->at < run->end ? *run->at++ : 0;
}

/* A thread, or now and then one that is not there. */
static struct tl_thread_id pick_thread(struct run *run)
{
	const struct tl_engine *engine = run->engine;
	unsigned n = next(run);

	if (n == 255 || engine->thread_count == 0)
		return (struct tl_thread_id){1, 77};
	return engine->threads[n % engine->thread_count]->id;
}

static struct tl_thread_id pick_filter(struct run *run)
{
	unsigned n = next(run);
	struct tl_thread_id id = pick_thread(run);

	if (n % 3 == 0)
		return (struct tl_thread_id){TL_ANY, TL_ANY};
	if (n % 3 == 1)
		id.thread = TL_ANY;
	return id;
}

/* ---- The books ---- */

static void check_processes(const struct run *run)
{
	const struct tl_engine *engine = run->engine;
	tl_size threads = 0, unattended = 0;

	for (tl_size i = 0; i < engine->process_count; i++) {
		const struct process *process = engine->processes[i];
		tl_size states[TL_THREAD_STATE_MAX] = {0};

		for (tl_size n = 0; n < engine->thread_count; n++)
			if (engine->threads[n]->process == process)
				states[engine->threads[n]->state]++;
		require(memcmp(states, process->states, sizeof(states)) == 0, "a process's counts of states are true");
		require(!process->unattended || states[TL_THREAD_WAITING] == 0, "nobody waits to tell nobody");
		require(!process->pausing || !tl_engine_process_quiet(engine, process->id),
			"a pause of one process ends when all of it stand");
		threads += process->threads;
		unattended += process->unattended;
	}
	require(threads == engine->thread_count, "the processes' counts of threads are true");
	require(unattended == engine->unattended, "the count of processes left to themselves is true");
}

static void check_threads(const struct run *run)
{
	const struct tl_engine *engine = run->engine;
	tl_size states[TL_THREAD_STATE_MAX] = {0};
	struct tl_scripted_thread_info info;

	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];

		states[thread->state]++;
		require(thread->position == i, "a thread is in its place");
		require(tl_engine_thread(engine, thread->id) == thread, "a thread is found by its id");
		require(tl_engine_process(engine, thread->id.process) == thread->process, "a thread has its process");
		require(tl_scripted_thread(run->scripted, thread->id, &info), "a thread in the books exists");
		require(!info.running || !tl_engine_stands(thread), "nobody runs who stands in the books");
		require(run->faulty || info.running || tl_engine_stands(thread), "nobody stands who runs in the books");
		require(thread->state != TL_THREAD_OVER || engine->over == thread, "one steps over a point");
		require(thread->state != TL_THREAD_HELD || engine->over != NULL, "who is held is held for somebody");
	}
	require(memcmp(states, engine->states, sizeof(states)) == 0, "the counts of states are true");
}

/* Those that were let go run on as if nobody had been there. */
static void check_the_free(const struct run *run)
{
	struct tl_scripted_process_info info;

	for (tl_u64 process = 1; process < 4 * PROCESSES_MAX; process++) {
		if (!tl_scripted_process(run->scripted, process, &info) || !info.alive || info.traced)
			continue;
		require(info.points == 0, "no point is left in a program that was let go");
		require(info.altered == 0, "no trap is left in a program that was let go");
	}
}

static void check(const struct run *run)
{
	const struct tl_engine *engine = run->engine;
	const char *text = "";

	check_threads(run);
	check_processes(run);
	if (!run->faulty) {
		if (tl_scripted_violations(run->scripted, &text) != 0)
			require(false, text);
		check_the_free(run);
	}
	if (!engine->settings.non_stop && !engine->owed && !engine->parking)
		require(tl_engine_quiet(engine), "in all-stop nothing runs without a resume");
	require(!engine->pausing || !tl_engine_quiet(engine), "a pause ends when all stand");
}

/* ---- Orders ---- */

static void order_turns(struct run *run)
{
	for (unsigned turns = next(run) % 32; turns > 0; turns--) {
		(void)tl_scripted_turn(run->scripted);
		check(run);
	}
}

static void order_one_turn(struct run *run)
{
	(void)tl_scripted_turn_of(run->scripted, pick_thread(run));
}

static void order_resume(struct run *run)
{
	struct tl_action actions[2] = {{.filter = pick_filter(run)}, {.filter = pick_filter(run)}};
	unsigned how = next(run);
	enum tl_status status;

	for (unsigned i = 0; i < 2; i++) {
		actions[i].kind = (enum tl_action_kind)((how >> (2 * i)) % 4);
		if (actions[i].kind == TL_ACTION_RANGE) {
			actions[i].start = places[next(run) % TL_COUNT(places)];
			actions[i].end = actions[i].start + next(run) % 32;
		}
		if ((how & (64u << i)) != 0)
			actions[i].signal = (tl_i32)(1 + next(run) % 31);
	}
	status = tl_engine_resume(run->engine, actions, 1 + (how >> 4) % 2);
	if (status == TL_OK)
		run->answered = false;
}

static void order_take(struct run *run)
{
	bool non_stop = run->engine->settings.non_stop;
	struct tl_report report;

	if (!tl_engine_take_report(run->engine, &report) || non_stop)
		return;
	require(!run->answered, "a resume has one report");
	require(tl_engine_quiet(run->engine), "a report in all-stop comes when all stand");
	run->answered = true;
}

static void order_take_waiting(struct run *run)
{
	struct tl_report report;

	(void)tl_engine_take_waiting(run->engine, pick_thread(run), &report);
}

static void order_interrupt(struct run *run)
{
	tl_engine_interrupt(run->engine);
}

static void order_pause(struct run *run)
{
	tl_engine_pause(run->engine);
}

static void order_pause_process(struct run *run)
{
	tl_engine_pause_process(run->engine, pick_thread(run).process);
}

static void order_unattend(struct run *run)
{
	struct tl_thread_id id = pick_thread(run);

	(void)tl_engine_unattend(run->engine, id.process, id.thread, (tl_i32)(next(run) % 20));
}

static void order_attend(struct run *run)
{
	if (tl_engine_attend(run->engine, pick_thread(run).process) == TL_OK)
		run->answered = false;
}

static struct tl_point_request pick_point(struct run *run)
{
	unsigned n = next(run);
	struct tl_point_request request = {.kind = (enum tl_point_kind)(n % TL_POINT_KIND_MAX), .size = 1};

	if (request.kind == TL_POINT_SOFTWARE || request.kind == TL_POINT_HARDWARE) {
		request.address = places[(n >> 3) % TL_COUNT(places)];
	} else {
		request.size = 1u << (n >> 3) % 4;
		request.address = DATA + 8 * (n >> 6);
	}
	return request;
}

static void order_insert(struct run *run)
{
	/* const8 0 or 1; end */
	static const tl_u8 never_bytes[] = {0x22, 0x00, 0x27}, always_bytes[] = {0x22, 0x01, 0x27};
	static const struct tl_agent_code never = {.bytes = never_bytes, .size = sizeof(never_bytes)};
	static const struct tl_agent_code always = {.bytes = always_bytes, .size = sizeof(always_bytes)};
	struct tl_point_request request = pick_point(run);
	unsigned n = next(run), condition = n % 3;

	/* Commands that persist, of a point that is hit in vain. */
	if (n >= 128)
		request.commands = (struct tl_bytecode_list){&always, 1};
	request.persist = n >= 192;
	if (condition != 0)
		request.conditions = (struct tl_bytecode_list){condition == 1 ? &never : &always, 1};
	(void)tl_engine_insert_point(run->engine, pick_thread(run).process, &request);
}

static void order_remove(struct run *run)
{
	struct tl_point_request request = pick_point(run);

	(void)tl_engine_remove_point(run->engine, pick_thread(run).process, request.kind, request.address,
				     request.size);
}

static void order_happen(struct run *run)
{
	static const enum tl_scripted_what list[] = {
		TL_SCRIPTED_SIGNAL, TL_SCRIPTED_CLONE,       TL_SCRIPTED_FORK,         TL_SCRIPTED_VFORK,
		TL_SCRIPTED_EXEC,   TL_SCRIPTED_EXIT_THREAD, TL_SCRIPTED_EXIT_PROCESS, TL_SCRIPTED_KILL_PROCESS,
		TL_SCRIPTED_PAUSE,  TL_SCRIPTED_DELAY_STOPS};
	enum tl_scripted_what what = list[next(run) % TL_COUNT(list)];
	struct tl_thread_id id = pick_thread(run);
	tl_u64 value = 0;

	if (run->engine->thread_count >= THREADS_MAX && what != TL_SCRIPTED_EXIT_PROCESS)
		return;
	if (what == TL_SCRIPTED_SIGNAL || what == TL_SCRIPTED_KILL_PROCESS)
		value = 1 + next(run) % 31;
	else if (what == TL_SCRIPTED_CLONE)
		value = CODE;
	else if (what == TL_SCRIPTED_DELAY_STOPS)
		value = next(run) % 8;
	if (tl_scripted_do(run->scripted, id, what, value, 0) != TL_OK)
		(void)tl_scripted_turn(run->scripted);
}

static void order_options(struct run *run)
{
	(void)tl_engine_set_thread_options(run->engine, pick_filter(run), next(run) % 5);
}

static void order_settings(struct run *run)
{
	struct tl_engine_settings *settings = tl_engine_settings(run->engine);
	unsigned n = next(run);

	settings->report_forks = (n & 1) != 0;
	settings->report_vforks = (n & 2) != 0;
	settings->report_execs = (n & 4) != 0;
	settings->report_threads = (n & 8) != 0;
	settings->report_no_resumed = (n & 16) != 0;
	settings->pass_reported = (n & 32) != 0;
	settings->catch_syscalls = settings->catch_every_syscall = (n & 64) != 0;
	settings->pass_signals[0] = (n & 128) != 0 ? TL_U64_MAX : 0;
}

/* Only between a report and the next resume, as sessions have it. */
static void order_mode(struct run *run)
{
	if (!run->engine->settings.non_stop && tl_engine_running(run->engine))
		return;
	(void)tl_engine_set_non_stop(run->engine, !run->engine->settings.non_stop);
	run->answered = true;
}

static void order_detach(struct run *run)
{
	struct tl_thread_id id = pick_thread(run);

	(void)tl_engine_detach(run->engine, id.process, id.thread, (tl_i32)(next(run) % 20));
}

static void order_kill(struct run *run)
{
	(void)tl_engine_kill(run->engine, pick_thread(run).process);
}

static void order_reset(struct run *run)
{
	tl_engine_reset_client(run->engine);
	tl_engine_pause(run->engine);
	run->answered = true;
}

static void order_registers(struct run *run)
{
	struct tl_thread_id id = pick_thread(run);
	tl_u64 place = places[next(run) % TL_COUNT(places)];
	tl_u8 *file;

	if (tl_engine_registers(run->engine, id, 1, &file) != TL_OK)
		return;
	tl_cpu_set(&tl_cpu_x86_64, file, tl_cpu_x86_64.program_counter, place);
	(void)tl_engine_registers_changed(run->engine, id, 1);
}

static void order_memory(struct run *run)
{
	tl_u8 bytes[sizeof(code)];
	tl_u64 process = pick_thread(run).process;
	tl_size done;

	if (tl_engine_read_memory(run->engine, process, CODE, bytes, sizeof(bytes), &done) != TL_OK)
		return;
	require(run->faulty || (done == sizeof(code) && memcmp(bytes, code, sizeof(code)) == 0),
		"memory shows no trap");
	/* What is there already: under traps too. */
	(void)tl_engine_write_memory(run->engine, process, CODE, code, sizeof(code), &done);
}

static void order_fail(struct run *run)
{
	static const enum tl_status list[] = {TL_ERROR_SYSTEM, TL_ERROR_MEMORY, TL_ERROR_UNSUPPORTED};
	unsigned n = next(run);

	if (!run->faulty)
		return;
	tl_scripted_fail(run->scripted, 1 + n % 16, list[(n >> 4) % TL_COUNT(list)]);
}

/* Turns are what there should be most of. */
static void (*const orders[])(struct run *) = {
	order_turns,     order_turns,     order_turns,  order_one_turn,     order_resume, order_resume, order_take,
	order_take,      order_insert,    order_insert, order_remove,       order_happen, order_happen, order_options,
	order_settings,  order_interrupt, order_pause,  order_mode,         order_detach, order_kill,   order_reset,
	order_registers, order_memory,    order_fail,   order_take_waiting,
};

/* Those that came later: what the inputs of the corpus say stays what it was. */
#define LATE_FROM (10 * TL_COUNT(orders))
static void (*const late_orders[])(struct run *) = {
	order_pause_process, order_pause_process, order_unattend, order_unattend, order_attend, order_attend,
};

static void obey(struct run *run)
{
	unsigned n = next(run);

	if (n >= LATE_FROM && n - LATE_FROM < TL_COUNT(late_orders))
		late_orders[n - LATE_FROM](run);
	else
		orders[n % TL_COUNT(orders)](run);
}

static struct tl_scripted_options pick_machine(struct run *run)
{
	struct tl_scripted_options options = {.allocator = *tl_storage(), .cpu = &tl_cpu_x86_64, .image = &image};
	unsigned n = next(run);

	if ((n & 1) != 0)
		options.without |= TL_CAN_STEP;
	if ((n & 2) != 0)
		options.without |= TL_CAN_CARRY_OUT;
	if ((n & 4) != 0)
		options.without |= TL_CAN_OUT_OF_LINE;
	if ((n & 8) != 0)
		options.points_inserted = true;
	if ((n & 24) == 24)
		options.passes_points = true;
	run->faulty = (n & 32) != 0;
	options.seed = n >> 6;
	return options;
}

/* Everything can be stopped and let go, whatever there was before. */
static void finish(struct run *run)
{
	struct tl_engine *engine = run->engine;
	tl_u64 process;

	tl_scripted_fail(run->scripted, 0, TL_OK);
	tl_engine_reset_client(engine);
	while ((process = tl_engine_next_unattended(engine, 0)) != 0)
		(void)tl_engine_attend(engine, process);
	tl_engine_pause(engine);
	for (unsigned turns = 0; turns < LAST_TURNS && !tl_engine_quiet(engine); turns++)
		if (!tl_scripted_turn(run->scripted))
			break;
	require(run->faulty || tl_engine_quiet(engine), "everything can be stopped");
	check(run);
	while (tl_engine_quiet(engine) && engine->process_count > 0)
		(void)tl_engine_detach(engine, engine->processes[0]->id, 0, 0);
	if (!run->faulty)
		check_the_free(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct run run = {.at = bytes, .end = bytes + size, .answered = true};
	struct tl_scripted_options options = pick_machine(&run);
	struct tl_engine_host host = {.allocator = *tl_storage()};
	tl_u64 live = tl_storage_live(), process = 0;
	struct tl_thread_id id;

	run.scripted = aligned_alloc(16, (tl_scripted_size() + 15) / 16 * 16);
	run.engine = aligned_alloc(16, (tl_engine_size() + 15) / 16 * 16);
	require(run.scripted != NULL && run.engine != NULL, "there is storage");
	require(tl_scripted_init(run.scripted, &options) == TL_OK, "a machine can be made");
	tl_engine_init(run.engine, tl_scripted_target(run.scripted), &host);
	require(tl_scripted_start(run.scripted, &process) == TL_OK, "a process can be made");
	for (unsigned threads = next(&run) % 4; threads > 0; threads--)
		require(tl_scripted_add_thread(run.scripted, process, CODE, &id) == TL_OK, "a thread can be made");
	for (unsigned n = 0; run.at < run.end && n < ORDERS_MAX; n++) {
		obey(&run);
		check(&run);
	}
	finish(&run);
	tl_engine_deinit(run.engine);
	tl_scripted_deinit(run.scripted);
	free(run.scripted);
	free(run.engine);
	require(tl_storage_live() == live, "all storage is given back");
	return 0;
}
