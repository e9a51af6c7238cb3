/*
 * The emulated machine as a target: its making and its end, and what the engine asks of harts.
 *
 * The engine's wishes are collected (harts[].task) and become a plan for the machine's thread at the end of the loop's
 * turn, in go(): so all harts that one command of a client sets going set off at the same instruction, and all that it
 * stops stand where the first of them stopped.
 */
#include "targets/emulator/target.h"

#include "base/storage.h"
#include "base/trace.h"
#include "core/cpu/riscv_layout.h"
#include "core/engine/engine.h"
#include "targets/emulator/computer_load.h"
#include "targets/emulator/target_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Messages that are heard before the loop looks at its other sources again. */
#define HEARD_AT_ONCE 16
#define MEMORY_DEFAULT ((tl_u64)128 << 20)

static struct tl_thread_id id_of(tl_u32 hart)
{
	return (struct tl_thread_id){TL_EMULATOR_PROCESS, (tl_u64)hart + 1};
}

static void remark(const struct tl_emulator *emulator, const char *line)
{
	if (emulator->remark != NULL)
		emulator->remark(emulator->remark_context, line);
}

static void trace_state(void *context, enum tl_run_state before, enum tl_run_state now)
{
	(void)context;
	TL_TRACE(STATES, "emulator: the machine was %s, is %s; its subscribers are told", tl_run_state_name(before),
		 tl_run_state_name(now));
}

/* ---- From wishes to a plan ---- */

struct start {
	struct tl_emulator_plan plan;
	tl_u32 fresh; /* bits: harts that set off now */
	bool exited;  /* the answer: the machine has stopped by itself meanwhile */
};

static void pass_here(struct tl_emulator *emulator, struct tl_hart *hart)
{
	bool point = tl_points_at(&emulator->points, hart, hart->pc) ||
		     (hart->halt == TL_HALT_EXCEPTION && emulator->points.caught != 0);

	hart->pass = point ? hart->pc : TL_PASS_NONE;
	hart->pass_stack = hart->x[2];
	hart->pass_caught = hart->halt == TL_HALT_EXCEPTION;
	hart->halt = TL_HALT_NONE;
}

static void set_plan(struct tl_emulator *emulator, void *context)
{
	struct start *start = context;

	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++)
		if ((start->fresh >> i & 1) != 0)
			pass_here(emulator, &emulator->computer.harts[i]);
	emulator->plan = start->plan;
	start->exited = emulator->exited;
}

static bool is_step(const struct tl_emulator_hart *hart)
{
	return hart->task == TL_HART_STEPS || hart->task == TL_HART_STEPS_BACK;
}

/* Time goes back for all harts at once; one that steps back tells of it, else the first. */
static void plan_back(struct tl_emulator_plan *plan, tl_u32 hart, bool steps)
{
	if (!plan->back || steps)
		plan->back_hart = hart;
	plan->back = true;
}

static struct start make_plan(struct tl_emulator *emulator)
{
	struct start start = {.plan = {.stepping = TL_EMULATOR_NO_HART}};

	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++) {
		struct tl_emulator_hart *hart = &emulator->harts[i];

		if (hart->task == TL_HART_STANDS || hart->stop_asked)
			continue;
		/* One steps after the other: the step of a second one waits. */
		if (is_step(hart) && start.plan.stepping != TL_EMULATOR_NO_HART)
			continue;
		if (is_step(hart))
			start.plan.stepping = i;
		if (hart->task == TL_HART_RUNS_BACK || hart->task == TL_HART_STEPS_BACK)
			plan_back(&start.plan, i, is_step(hart));
		start.plan.running |= 1u << i;
		start.fresh |= hart->fresh ? 1u << i : 0;
		hart->fresh = false;
	}
	start.plan.hold_interrupts = (emulator->step_flags & TL_STEP_NO_INTERRUPTS) != 0;
	return start;
}

/* Harts that were asked to stop do, where they are. */
static void answer_stops(struct tl_emulator *emulator)
{
	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++) {
		struct tl_event event = {.kind = TL_EVENT_PAUSED, .thread = id_of(i)};

		if (!emulator->harts[i].stop_asked)
			continue;
		emulator->harts[i] = (struct tl_emulator_hart){.task = TL_HART_STANDS};
		tl_engine_post(emulator->target.engine, &event);
	}
}

static void go(void *context, struct tl_source *source)
{
	struct tl_emulator *emulator = context;
	struct start start = make_plan(emulator);

	(void)source;
	tl_emulator_perform(emulator, set_plan, &start);
	/* What it stopped with comes first; this is called again behind that. */
	if (start.exited)
		return;
	if (start.plan.running != 0)
		(void)tl_run_state_change(&emulator->states, TL_RUN_STATE_RUNNING);
	else if (emulator->states.state == TL_RUN_STATE_RUNNING)
		(void)tl_run_state_change(&emulator->states, TL_RUN_STATE_PAUSED);
	if (emulator->adopted)
		answer_stops(emulator);
}

/* ---- What the machine's thread has to tell ---- */

static void clear_exit(struct tl_emulator *emulator, void *context)
{
	(void)context;
	emulator->exited = false;
	emulator->plan = (struct tl_emulator_plan){.stepping = TL_EMULATOR_NO_HART};
}

static void all_stand(struct tl_emulator *emulator)
{
	for (tl_u32 i = 0; i < TL_BOARD_HARTS_MAX; i++)
		emulator->harts[i] = (struct tl_emulator_hart){.task = TL_HART_STANDS};
}

static void hear_hart(struct tl_emulator *emulator, const struct tl_event *event)
{
	tl_u32 number = (tl_u32)event->thread.thread - 1;

	/* Nobody wants to know any more: it runs on. */
	if (!emulator->adopted || emulator->harts[number].task == TL_HART_STANDS)
		return;
	(void)tl_run_state_change(&emulator->states, TL_RUN_STATE_DEBUG);
	emulator->harts[number] = (struct tl_emulator_hart){.task = TL_HART_STANDS};
	tl_emulator_look_through(&emulator->target, event->thread);
	TL_TRACE(EVENTS, "emulator: the control thread has heard that hart %u halted: the engine is told", number);
	tl_engine_post(emulator->target.engine, event);
}

static void hear_off(struct tl_emulator *emulator, tl_i32 code)
{
	struct tl_event event = {.kind = TL_EVENT_PROCESS_EXITED, .thread = id_of(0), .code = code};
	bool adopted = emulator->adopted;

	all_stand(emulator);
	emulator->adopted = false;
	(void)tl_run_state_change(&emulator->states, code == 0 ? TL_RUN_STATE_OFF : TL_RUN_STATE_FAILED);
	if (!adopted)
		return;
	/* Its threads go before it. */
	for (tl_u32 i = tl_emulator_hart_count(emulator); i-- > 1;) {
		struct tl_event gone = {.kind = TL_EVENT_THREAD_EXITED, .thread = id_of(i), .code = code};

		tl_engine_post(emulator->target.engine, &gone);
	}
	tl_engine_post(emulator->target.engine, &event);
}

static void hear(struct tl_emulator *emulator, const struct tl_emulator_message *message)
{
	switch (message->kind) {
	case TL_EMULATOR_EXIT_OUTPUT:
		tl_emulator_console_flush(emulator);
		return;
	case TL_EMULATOR_EXIT_RESET:
		/* It ran, and runs on. */
		remark(emulator, "The guest reset the machine.");
		if (tl_run_state_change(&emulator->states, TL_RUN_STATE_AT_RESET))
			(void)tl_run_state_change(&emulator->states, TL_RUN_STATE_RUNNING);
		return;
	case TL_EMULATOR_EXIT_TIMELINE:
		remark(emulator, "The past was changed: a new timeline begins here, and what lay ahead is forgotten.");
		return;
	case TL_EMULATOR_EXIT_REMARK:
		remark(emulator, message->text);
		return;
	case TL_EMULATOR_EXIT_REPLAY:
		tl_emulator_record_hear(emulator);
		return;
	case TL_EMULATOR_EXIT_HART:
		if (message->text[0] != '\0')
			remark(emulator, message->text);
		tl_emulator_perform(emulator, clear_exit, NULL);
		hear_hart(emulator, &message->event);
		break;
	case TL_EMULATOR_EXIT_OFF:
	case TL_EMULATOR_EXIT_ERROR:
		tl_emulator_perform(emulator, clear_exit, NULL);
		tl_emulator_console_flush(emulator);
		if (message->text[0] != '\0')
			remark(emulator, message->text);
		hear_off(emulator, message->event.code);
		break;
	}
	tl_source_trigger(emulator->go);
}

static void take_messages(void *context, struct tl_source *source)
{
	struct tl_emulator *emulator = context;
	struct tl_emulator_message message;

	(void)source;
	for (unsigned i = 0; i < HEARD_AT_ONCE && tl_mailbox_take(emulator->mailbox, &message); i++)
		hear(emulator, &message);
}

/* ---- Operations ---- */

static enum tl_status describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret)
{
	if (process != TL_EMULATOR_PROCESS || !tl_emulator_of(target)->adopted)
		return TL_ERROR_GONE;
	/* gdb takes what names no system for Linux's, and steps that with breakpoints: never into the kernel. */
	*facts_ret = (struct tl_process_facts){&tl_cpu_riscv64, (1u << TL_RISCV_FEATURE_MAX) - 1, "none"};
	return TL_OK;
}

static struct tl_emulator_hart *find_hart(struct tl_emulator *emulator, struct tl_thread_id thread)
{
	if (!emulator->adopted || thread.process != TL_EMULATOR_PROCESS || thread.thread == 0 ||
	    thread.thread > tl_emulator_hart_count(emulator))
		return NULL;
	return &emulator->harts[thread.thread - 1];
}

static enum tl_hart_task task_of(enum tl_run run)
{
	switch (run) {
	case TL_RUN_STEP:
		return TL_HART_STEPS;
	case TL_RUN_CONTINUE_BACK:
		return TL_HART_RUNS_BACK;
	case TL_RUN_STEP_BACK:
		return TL_HART_STEPS_BACK;
	case TL_RUN_CONTINUE:
		break;
	}
	return TL_HART_RUNS;
}

static enum tl_status resume(struct tl_target *target, struct tl_thread_id thread, const struct tl_run_request *request)
{
	struct tl_emulator *emulator = tl_emulator_of(target);
	struct tl_emulator_hart *hart = find_hart(emulator, thread);

	if (hart == NULL)
		return TL_ERROR_GONE;
	if (hart->task != TL_HART_STANDS)
		return TL_ERROR_RUNNING;
	if ((request->run == TL_RUN_CONTINUE_BACK || request->run == TL_RUN_STEP_BACK) && emulator->history == NULL)
		return TL_ERROR_UNSUPPORTED;
	/* Signals are of processes; an exception that was shown is the guest's in any case. */
	*hart = (struct tl_emulator_hart){.task = task_of(request->run), .fresh = true};
	tl_source_trigger(emulator->go);
	return TL_OK;
}

static enum tl_status stop(struct tl_target *target, struct tl_thread_id thread)
{
	struct tl_emulator *emulator = tl_emulator_of(target);
	struct tl_emulator_hart *hart = find_hart(emulator, thread);

	if (hart == NULL)
		return TL_ERROR_GONE;
	if (hart->task == TL_HART_STANDS)
		return TL_ERROR_NOT_RUNNING;
	hart->stop_asked = true;
	tl_source_trigger(emulator->go);
	return TL_OK;
}

static void stand(struct tl_emulator *emulator, void *context)
{
	(void)context;
	emulator->plan = (struct tl_emulator_plan){.stepping = TL_EMULATOR_NO_HART};
}

static enum tl_status kill_machine(struct tl_target *target, tl_u64 process)
{
	struct tl_emulator *emulator = tl_emulator_of(target);

	if (process != TL_EMULATOR_PROCESS || !emulator->adopted)
		return TL_ERROR_GONE;
	emulator->adopted = false;
	all_stand(emulator);
	tl_emulator_perform(emulator, stand, NULL);
	(void)tl_run_state_change(&emulator->states, TL_RUN_STATE_OFF);
	return TL_OK;
}

/* The machine runs on by itself. */
static enum tl_status detach(struct tl_target *target, tl_u64 process, tl_u64 thread, tl_i32 signal)
{
	struct tl_emulator *emulator = tl_emulator_of(target);

	(void)thread;
	(void)signal;
	if (process != TL_EMULATOR_PROCESS || !emulator->adopted)
		return TL_ERROR_GONE;
	emulator->adopted = false;
	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++)
		emulator->harts[i] = (struct tl_emulator_hart){.task = TL_HART_RUNS, .fresh = true};
	tl_source_trigger(emulator->go);
	return TL_OK;
}

static enum tl_status tell_engine(struct tl_emulator *emulator, bool running)
{
	enum tl_status status;

	emulator->adopted = true;
	status = tl_engine_add_process(emulator->target.engine, TL_EMULATOR_PROCESS);
	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator) && status == TL_OK; i++)
		status = tl_engine_add_thread(emulator->target.engine, id_of(i), running);
	return status;
}

struct reset {
	enum tl_status status;
	struct tl_error error;
};

static void reset_machine(struct tl_emulator *emulator, void *context)
{
	struct reset *reset = context;

	emulator->plan = (struct tl_emulator_plan){.stepping = TL_EMULATOR_NO_HART};
	reset->status = tl_emulator_reset(emulator, &reset->error);
}

/* The machine is the program: it begins anew. */
static enum tl_status launch(struct tl_target *target, const struct tl_launch *options, tl_u64 *process_ret,
			     const char **detail_ret)
{
	struct tl_emulator *emulator = tl_emulator_of(target);
	struct reset reset = {.status = TL_OK};

	*detail_ret = "the machine is being debugged already";
	if (emulator->adopted)
		return TL_ERROR_STATE;
	if (options->terminal != NULL &&
	    tl_emulator_console_open(emulator, -1, -1, options->terminal, &reset.error) != TL_OK) {
		snprintf(emulator->detail, sizeof(emulator->detail), "%s", reset.error.text);
		*detail_ret = emulator->detail;
		return TL_ERROR_LAUNCH;
	}
	all_stand(emulator);
	tl_emulator_perform(emulator, reset_machine, &reset);
	if (reset.status != TL_OK) {
		snprintf(emulator->detail, sizeof(emulator->detail), "%s", reset.error.text);
		*detail_ret = emulator->detail;
		return TL_ERROR_LAUNCH;
	}
	(void)tl_run_state_change(&emulator->states, TL_RUN_STATE_AT_RESET);
	*process_ret = TL_EMULATOR_PROCESS;
	*detail_ret = "no memory for its harts";
	return tell_engine(emulator, false);
}

static enum tl_status attach(struct tl_target *target, tl_u64 process, const char **detail_ret)
{
	struct tl_emulator *emulator = tl_emulator_of(target);
	enum tl_run_state state = emulator->states.state;

	*detail_ret = "the machine is process 1";
	if (process != TL_EMULATOR_PROCESS)
		return TL_ERROR_NO_PROCESS;
	*detail_ret = "the machine is being debugged already, or switched off";
	if (emulator->adopted || state == TL_RUN_STATE_OFF || state == TL_RUN_STATE_FAILED)
		return TL_ERROR_STATE;
	*detail_ret = "no memory for its harts";
	TL_TRY(tell_engine(emulator, true));
	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++)
		emulator->harts[i] = (struct tl_emulator_hart){.task = TL_HART_RUNS, .stop_asked = true};
	tl_source_trigger(emulator->go);
	return TL_OK;
}

static const struct tl_target_ops operations = {
	.version = TL_TARGET_VERSION,
	.name = "emulator",
	.capabilities = TL_CAN_STEP | TL_CAN_RUN_SOME | TL_CAN_PASS_POINTS | TL_CAN_ACCESS_RUNNING | TL_CAN_SOFTWARE |
			TL_CAN_HARDWARE | TL_CAN_WATCH | TL_CAN_REVERSE | TL_CAN_STAY,
	.describe = describe,
	.fetch_registers = tl_emulator_fetch_registers,
	.store_registers = tl_emulator_store_registers,
	.fetch_program_counter = tl_emulator_fetch_program_counter,
	.read_memory = tl_emulator_read_memory,
	.write_memory = tl_emulator_write_memory,
	.resume = resume,
	.stop = stop,
	.insert_point = tl_emulator_insert_point,
	.remove_point = tl_emulator_remove_point,
	.set_conditions = tl_emulator_set_conditions,
	.detach = detach,
	.kill = kill_machine,
	.launch = launch,
	.attach = attach,
	.read_object = tl_emulator_read_object,
	.memory_region = tl_emulator_memory_region,
	.look_through = tl_emulator_look_through,
	.monitor = tl_emulator_monitor,
};

/* ---- Making and ending ---- */

void tl_emulator_forget(struct tl_emulator *emulator)
{
	tl_history_close(emulator->history);
	emulator->history = emulator->devices.history = NULL;
}

/* A machine that cannot be remembered, for its disk's sake or for want of memory, runs all the same. */
static void remember(struct tl_emulator *emulator)
{
	const struct tl_history_options options = {0};
	struct tl_error error;

	if (emulator->forgets || tl_history_open(&emulator->history, &emulator->computer, &options, &error) != TL_OK)
		return;
	if (tl_devices_remember(&emulator->devices, emulator->history, &error) != TL_OK)
		tl_emulator_forget(emulator);
}

enum tl_status tl_emulator_reset(struct tl_emulator *emulator, struct tl_error *error)
{
	tl_emulator_record_resets(emulator);
	tl_emulator_forget(emulator);
	TL_TRY(tl_computer_reset(&emulator->computer, error));
	emulator->resets++;
	emulator->last_hit_count = 0;
	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++)
		emulator->computer.harts[i].points = &emulator->points;
	remember(emulator);
	return tl_emulator_record_begins(emulator, error);
}

static enum tl_status keep(const char *text, char **copy_ret, struct tl_error *error)
{
	if (text == NULL)
		return TL_OK;
	*copy_ret = realpath(text, NULL);
	if (*copy_ret == NULL)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "%s cannot be read", text);
	return TL_OK;
}

static enum tl_status load(struct tl_emulator *emulator, const struct tl_emulator_options *options,
			   struct tl_error *error)
{
	struct tl_computer *computer = &emulator->computer;
	const char *firmware = options->firmware;

	if (options->program == NULL && options->board.kernel == NULL && firmware == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "the machine has nothing to run: name a bare-metal program, or a kernel with --kernel");
	if (options->program != NULL && (options->board.kernel != NULL || firmware != NULL))
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "a bare-metal program runs alone: leave out --kernel and --firmware");
	if (options->board.initrd != NULL && options->board.kernel == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "--initrd is for a kernel: name it with --kernel");
	TL_TRY(keep(options->program, &emulator->program, error));
	TL_TRY(keep(options->board.kernel, &emulator->kernel, error));
	if (options->program != NULL)
		return tl_computer_load_program(computer, options->program, error);
	if (firmware == NULL)
		firmware = TL_COMPUTER_FIRMWARE;
	TL_TRY(tl_computer_load_firmware(computer, firmware, error));
	if (options->board.kernel != NULL)
		TL_TRY(tl_computer_load_kernel(computer, options->board.kernel, false, error));
	if (options->board.initrd != NULL)
		TL_TRY(tl_computer_load_initrd(computer, options->board.initrd, error));
	return TL_OK;
}

static enum tl_status build(struct tl_emulator *emulator, const struct tl_emulator_options *options,
			    struct tl_error *error)
{
	struct timespec now;
	struct tl_computer_configuration configuration = {
		.harts = options->harts != 0 ? options->harts : 1,
		.memory_size = options->board.memory_size != 0 ? options->board.memory_size : MEMORY_DEFAULT,
		.command_line = options->board.command_line,
		.interpret = options->interpret,
	};

	tl_emulator_brace();
	clock_gettime(CLOCK_REALTIME, &now);
	configuration.start_time = (tl_u64)now.tv_sec * 1000000000u + (tl_u64)now.tv_nsec;
	TL_TRY(tl_emulator_record_check(options, error));
	if (options->replay != NULL)
		TL_TRY(tl_emulator_replay_open(emulator, options->replay, &configuration, error));
	TL_TRY(tl_computer_open(&emulator->computer, &configuration, error));
	if (emulator->computer.translator == NULL && !options->interpret)
		remark(emulator, "The host has no memory for translated code, or is no x86-64: instructions are "
				 "interpreted, which takes a hundred times as long.");
	emulator->computer.board.console = tl_emulator_console_byte;
	emulator->computer.board.console_context = emulator;
	TL_TRY(options->replay != NULL ? tl_emulator_replay_build(emulator, options, error)
				       : tl_emulator_devices_open(emulator, options, error));
	if (options->replay == NULL)
		TL_TRY(load(emulator, options, error));
	TL_TRY(tl_emulator_host_open(emulator, options, error));
	TL_TRY(tl_emulator_reset(emulator, error));
	if (options->record != NULL)
		TL_TRY(tl_emulator_record_open(emulator, options->record, error));
	TL_TRY(tl_mailbox_create(emulator->loop, "emulator", sizeof(struct tl_emulator_message), take_messages,
				 emulator, &emulator->mailbox, error));
	TL_TRY(tl_loop_add_deferred(emulator->loop, "emulator", go, emulator, &emulator->go, error));
	TL_TRY(tl_emulator_console_open(emulator, options->board.input, options->board.output, options->board.terminal,
					error));
	return tl_emulator_thread_start(emulator, error);
}

static void set_up(struct tl_emulator *emulator, struct tl_loop *loop, const struct tl_emulator_options *options)
{
	pthread_condattr_t clock;

	emulator->ops = operations;
	if (options->forgets)
		emulator->ops.capabilities &= ~(tl_u32)TL_CAN_REVERSE;
	emulator->target.ops = &emulator->ops;
	emulator->loop = loop;
	emulator->remark = options->remark;
	emulator->remark_context = options->context;
	emulator->skip_idle = options->skip_idle;
	emulator->forgets = options->forgets;
	emulator->step_flags = TL_STEP_FLAGS;
	emulator->plan.stepping = TL_EMULATOR_NO_HART;
	emulator->console.input = emulator->console.output = -1;
	emulator->tracer.changed = trace_state;
	tl_run_state_subscribe(&emulator->states, &emulator->tracer);
	tl_emulator_points_begin(emulator);
	pthread_mutex_init(&emulator->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&emulator->woken, &clock);
	pthread_condattr_destroy(&clock);
	pthread_cond_init(&emulator->worked, NULL);
}

enum tl_status tl_emulator_target_create(struct tl_loop *loop, const struct tl_emulator_options *options,
					 struct tl_target **target_ret, struct tl_error *error)
{
	struct tl_emulator *emulator = tl_allocate(tl_storage(), sizeof(*emulator));
	enum tl_status status;

	if (emulator == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a machine");
	set_up(emulator, loop, options);
	status = build(emulator, options, error);
	if (status != TL_OK) {
		tl_emulator_target_destroy(&emulator->target);
		return status;
	}
	*target_ret = &emulator->target;
	return TL_OK;
}

void tl_emulator_target_destroy(struct tl_target *target)
{
	struct tl_emulator *emulator;

	if (target == NULL)
		return;
	emulator = tl_emulator_of(target);
	tl_emulator_thread_end(emulator);
	tl_emulator_record_close(emulator);
	tl_emulator_forget(emulator);
	tl_emulator_console_close(emulator);
	tl_emulator_devices_close(emulator);
	tl_source_remove(emulator->go);
	tl_mailbox_destroy(emulator->mailbox);
	if (emulator->computer.harts != NULL)
		tl_computer_close(&emulator->computer);
	tl_emulator_points_end(emulator);
	tl_emulator_host_close(emulator);
	pthread_cond_destroy(&emulator->woken);
	pthread_cond_destroy(&emulator->worked);
	pthread_mutex_destroy(&emulator->lock);
	tl_release(tl_storage(), emulator->input.bytes, emulator->input.capacity);
	tl_release(tl_storage(), emulator->output.bytes, emulator->output.capacity);
	free(emulator->program);
	free(emulator->kernel);
	tl_release(tl_storage(), emulator, sizeof(*emulator));
}

enum tl_status tl_emulator_target_populate(struct tl_target *target, struct tl_error *error)
{
	enum tl_status status = tell_engine(tl_emulator_of(target), false);

	return status == TL_OK ? status : TL_FAIL(error, status, "no memory for the harts of the machine");
}

struct tl_run_states *tl_emulator_target_states(struct tl_target *target)
{
	return &tl_emulator_of(target)->states;
}

enum tl_status tl_emulator_target_set_terminal(struct tl_target *target, const char *path, struct tl_error *error)
{
	return tl_emulator_console_open(tl_emulator_of(target), -1, -1, path, error);
}

const char *tl_emulator_target_program(struct tl_target *target)
{
	return tl_emulator_of(target)->program;
}
