/*
 * Running and stopping: vCont and its forerunners, interrupts, modes, and what is reported of a running program.
 * GDB manual, "Packets" and "General Query Packets".
 */
#include "core/rsp/rsp_internal.h"

static enum tl_status add_action(struct tl_rsp *rsp, tl_size *count, const struct tl_action *action)
{
	void *actions = rsp->actions;

	if (!tl_grow(&rsp->host.allocator, &actions, &rsp->action_capacity, *count, sizeof(*rsp->actions)))
		return TL_ERROR_NO_MEMORY;
	rsp->actions = actions;
	rsp->actions[(*count)++] = *action;
	return TL_OK;
}

#define NOTHING_RUNS "nothing can run here: the target only shows what is there"

/* A target in which nothing runs. lldb gives its connection up over an error: it gets text, and the stop that it knows.
 */
static enum tl_status stay(struct tl_rsp *rsp, struct tl_writer *reply)
{
	if (!rsp->client[TL_RSP_CLIENT_LLDB]) {
		tl_rsp_explain(rsp, NOTHING_RUNS);
		return TL_ERROR_UNSUPPORTED;
	}
	/* Text is passed on while a stop is owed, as it is now. */
	rsp->owed = true;
	(void)tl_rsp_console(rsp, NOTHING_RUNS "\n", sizeof(NOTHING_RUNS));
	rsp->owed = false;
	return tl_rsp_tell_stop(rsp, reply);
}

static enum tl_status run(struct tl_rsp *rsp, tl_size count, struct tl_writer *reply)
{
	bool non_stop = tl_rsp_non_stop(rsp);
	enum tl_status status;

	if ((tl_rsp_capabilities(rsp) & TL_CAN_RUN) == 0)
		return stay(rsp, reply);
	/* A report that no one has fetched is what this resume would be answered with anyway. */
	if (!non_stop && tl_engine_running(rsp->engine))
		return TL_DEFERRED;
	/* From here on text from the program may go out before the stop reply. */
	rsp->owed = rsp->owed || !non_stop;
	status = tl_engine_resume(rsp->engine, rsp->actions, count);
	if (status == TL_OK)
		tl_rsp_interrupt_kept(rsp);
	if (non_stop)
		/* A thread that has just gone is no error of the client's: its exit is on the way. */
		return status == TL_ERROR_NO_THREAD || status == TL_ERROR_GONE ? TL_OK : status;
	return status == TL_OK ? TL_DEFERRED : status;
}

/* ---- vCont ---- */

static enum tl_status make_action(struct tl_rsp *rsp, const struct tl_request_action *request,
				  struct tl_action *action_ret)
{
	struct tl_action action = {.kind = request->kind, .start = request->start, .end = request->end};

	action.signal = tl_rsp_signal_in(rsp, request->signal);
	if (action.signal < 0) {
		tl_rsp_explain(rsp, "the program's system has no such signal");
		return TL_ERROR_ARGUMENT;
	}
	if (action.kind == TL_ACTION_STOP && !tl_rsp_non_stop(rsp)) {
		tl_rsp_explain(rsp, "vCont;t is for non-stop: in all-stop nothing runs when a packet may be sent");
		return TL_ERROR_STATE;
	}
	action.filter = (struct tl_thread_id){TL_ANY, TL_ANY};
	if (request->with_thread)
		action.filter = tl_rsp_resolve(rsp, &request->thread);
	/* Any one thread: the general thread, or whichever there is. */
	if (action.filter.process == 0 || action.filter.thread == 0) {
		tl_u64 process = action.filter.process != 0 ? action.filter.process : TL_ANY;

		if ((process != TL_ANY || !tl_rsp_general(rsp, &action.filter)) &&
		    !tl_rsp_any_thread(rsp, process, &action.filter))
			return TL_ERROR_NO_THREAD;
	}
	*action_ret = action;
	return TL_OK;
}

static enum tl_status handle_continue(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	struct tl_action rest = {0}, action;
	bool with_rest = false, beside = false;
	tl_size count = 0;

	(void)context;
	if (tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	while (!tl_cursor_done(arguments)) {
		struct tl_request_action request;

		tl_cursor_expect(arguments, ';');
		TL_TRY(tl_request_action(arguments, &request));
		TL_TRY(make_action(rsp, &request, &action));
		if (request.with_thread && tl_engine_is_bystander(rsp->engine, action.filter)) {
			/* Clients that run all threads but one name each: a bystander goes on when they do. */
			if (action.kind != TL_ACTION_CONTINUE || action.signal != 0)
				return tl_rsp_refuse_bystander(rsp);
			beside = true;
		} else if (request.with_thread) {
			TL_TRY(add_action(rsp, &count, &action));
		} else {
			rest = action;
			with_rest = true;
		}
	}
	/* An action without a thread is for those that no other names, wherever it stands. */
	if (with_rest)
		TL_TRY(add_action(rsp, &count, &rest));
	if (count == 0 && beside)
		return tl_rsp_refuse_bystander(rsp);
	return run(rsp, count, reply);
}

static enum tl_status handle_continue_query(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					    struct tl_writer *reply)
{
	tl_u32 capabilities = tl_rsp_capabilities(rsp);

	(void)context, (void)arguments;
	if ((capabilities & TL_CAN_RUN) == 0)
		return TL_UNKNOWN_PACKET;
	/* Without C and S gdb does not use vCont at all. Steps are always possible: by points on successors. */
	tl_write_text(reply, "vCont;c;C;s;S;r");
	if ((capabilities & TL_CAN_RUN_SOME) != 0)
		tl_write_text(reply, ";t");
	return TL_OK;
}

/* ---- c, C, s, S, bc, bs ---- */

static enum tl_status set_program_counter(struct tl_rsp *rsp, struct tl_thread_id id, tl_u64 value)
{
	struct tl_process_facts facts;
	tl_u8 *file;

	TL_TRY(tl_engine_facts(rsp->engine, id.process, &facts));
	TL_TRY(tl_engine_registers(rsp->engine, id, 1u << TL_BANK_GENERAL, &file));
	tl_cpu_set(facts.cpu, file, facts.cpu->program_counter, value);
	return tl_engine_registers_changed(rsp->engine, id, 1u << TL_BANK_GENERAL);
}

/*
 * The thread of Hc alone, or, where Hc names none, the general thread as asked and all others running along.
 */
static enum tl_status run_old_way(struct tl_rsp *rsp, enum tl_action_kind kind, tl_i32 signal,
				  struct tl_cursor *address, struct tl_writer *reply)
{
	struct tl_action first = {.kind = kind, .signal = signal, .filter = rsp->resumed};
	struct tl_action others = {.kind = TL_ACTION_CONTINUE, .filter = {TL_ANY, TL_ANY}};
	bool alone = rsp->resumed.thread != 0;
	tl_size count = 0;

	if (alone ? !tl_rsp_is_there(rsp, rsp->resumed) : !tl_rsp_general(rsp, &first.filter))
		return tl_engine_untold_exit(rsp->engine, TL_ANY) != 0 ? run(rsp, 0, reply) : TL_ERROR_NO_THREAD;
	if (tl_engine_is_bystander(rsp->engine, first.filter)) {
		if (alone || kind == TL_ACTION_STEP || kind == TL_ACTION_STEP_BACK || signal != 0 ||
		    !tl_cursor_done(address))
			return tl_rsp_refuse_bystander(rsp);
		(void)tl_rsp_any_thread(rsp, TL_ANY, &first.filter); /* it goes on when the threads do */
	}
	if (!tl_cursor_done(address)) {
		tl_u64 value = tl_cursor_hex(address);

		if (address->failed || !tl_cursor_done(address))
			return TL_ERROR_PACKET;
		TL_TRY(set_program_counter(rsp, first.filter, value));
	}
	TL_TRY(add_action(rsp, &count, &first));
	if (!alone) {
		if (kind == TL_ACTION_CONTINUE_BACK || kind == TL_ACTION_STEP_BACK)
			others.kind = TL_ACTION_CONTINUE_BACK;
		TL_TRY(add_action(rsp, &count, &others));
	}
	return run(rsp, count, reply);
}

static enum tl_status handle_c(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	(void)context;
	return run_old_way(rsp, TL_ACTION_CONTINUE, 0, arguments, reply);
}

static enum tl_status handle_s(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	(void)context;
	return run_old_way(rsp, TL_ACTION_STEP, 0, arguments, reply);
}

static enum tl_status run_with_signal(struct tl_rsp *rsp, enum tl_action_kind kind, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	tl_u64 number = tl_cursor_hex(arguments);
	tl_i32 signal = tl_rsp_signal_in(rsp, number);

	if (arguments->failed)
		return TL_ERROR_PACKET;
	(void)tl_cursor_accept(arguments, ';');
	if (signal < 0) {
		tl_rsp_explain(rsp, "the program's system has no such signal");
		return TL_ERROR_ARGUMENT;
	}
	return run_old_way(rsp, kind, signal, arguments, reply);
}

static enum tl_status handle_C(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	(void)context;
	return run_with_signal(rsp, TL_ACTION_CONTINUE, arguments, reply);
}

static enum tl_status handle_S(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	(void)context;
	return run_with_signal(rsp, TL_ACTION_STEP, arguments, reply);
}

static enum tl_status run_back(struct tl_rsp *rsp, enum tl_action_kind kind, struct tl_cursor *arguments,
			       struct tl_writer *reply)
{
	if ((tl_rsp_capabilities(rsp) & TL_CAN_REVERSE) == 0)
		return TL_UNKNOWN_PACKET;
	return run_old_way(rsp, kind, 0, arguments, reply);
}

static enum tl_status handle_bc(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	(void)context;
	return run_back(rsp, TL_ACTION_CONTINUE_BACK, arguments, reply);
}

static enum tl_status handle_bs(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	(void)context;
	return run_back(rsp, TL_ACTION_STEP_BACK, arguments, reply);
}

void tl_rsp_interrupt(struct tl_rsp *rsp)
{
	/* lldb takes whatever stop comes for the answer to its interrupt, and would wonder at another. */
	bool keeps = !tl_rsp_non_stop(rsp) && !rsp->client[TL_RSP_CLIENT_LLDB];

	if (keeps && !rsp->owed) {
		rsp->interrupt = tl_engine_next_process(rsp->engine, 0) != 0;
		return;
	}
	rsp->interrupted = keeps;
	tl_engine_interrupt(rsp->engine);
}

void tl_rsp_interrupt_kept(struct tl_rsp *rsp)
{
	if (!rsp->interrupt || tl_rsp_non_stop(rsp))
		return;
	rsp->interrupt = false;
	rsp->interrupted = true;
	tl_engine_interrupt(rsp->engine);
}

static enum tl_status handle_interrupt(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				       struct tl_writer *reply)
{
	(void)context, (void)arguments, (void)reply;
	tl_rsp_interrupt(rsp);
	return TL_OK;
}

/* ---- Modes ---- */

static enum tl_status read_switch(struct tl_cursor *arguments, bool *on_ret)
{
	tl_cursor_expect(arguments, ':');
	if (tl_cursor_equals(arguments, "0"))
		*on_ret = false;
	else if (tl_cursor_equals(arguments, "1"))
		*on_ret = true;
	else
		return TL_ERROR_PACKET;
	return TL_OK;
}

static enum tl_status handle_non_stop(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	bool on;

	(void)context, (void)reply;
	TL_TRY(read_switch(arguments, &on));
	if (on && (tl_rsp_capabilities(rsp) & TL_CAN_RUN_SOME) == 0)
		return TL_ERROR_UNSUPPORTED;
	if (on == tl_rsp_non_stop(rsp))
		return TL_OK;
	TL_TRY(tl_engine_set_non_stop(rsp->engine, on));
	rsp->notifying = rsp->telling = false;
	tl_engine_unheard(rsp->engine, NULL);
	return TL_OK;
}

static enum tl_status handle_thread_events(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					   struct tl_writer *reply)
{
	bool on;

	(void)context, (void)reply;
	TL_TRY(read_switch(arguments, &on));
	tl_engine_settings(rsp->engine)->report_threads = on;
	return TL_OK;
}

/*
 * ";OPTIONS[:THREAD-ID]…", where the last that matches a thread counts. With `apply` false they are only looked at, so
 * that a packet with an error in it changes nothing.
 */
static enum tl_status thread_options(struct tl_rsp *rsp, struct tl_cursor arguments, bool apply)
{
	while (!tl_cursor_done(&arguments)) {
		struct tl_thread_id filter = {TL_ANY, TL_ANY};
		tl_u64 options;

		tl_cursor_expect(&arguments, ';');
		options = tl_cursor_hex(&arguments);
		if (tl_cursor_accept(&arguments, ':')) {
			filter = tl_rsp_read_thread_id(rsp, &arguments);
			if (filter.thread == 0 || filter.process == 0)
				return TL_ERROR_PACKET;
		}
		if (arguments.failed)
			return TL_ERROR_PACKET;
		/* They are the same numbers as the engine's. */
		if ((options & ~(tl_u64)tl_engine_thread_options(rsp->engine)) != 0)
			return TL_ERROR_UNSUPPORTED;
		if (apply)
			TL_TRY(tl_engine_set_thread_options(rsp->engine, filter, (tl_u32)options));
	}
	return TL_OK;
}

static enum tl_status handle_thread_options(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					    struct tl_writer *reply)
{
	(void)context, (void)reply;
	TL_TRY(thread_options(rsp, *arguments, false));
	return thread_options(rsp, *arguments, true);
}

/* Reads a list of the client's signal numbers into a set of Linux's; those that Linux does not have are left out. */
static enum tl_status read_signals(struct tl_rsp *rsp, struct tl_cursor *arguments, tl_u64 set_ret[TL_SIGNAL_WORDS])
{
	tl_u64 set[TL_SIGNAL_WORDS] = {0};
	tl_u64 number;

	tl_cursor_expect(arguments, ':');
	while (tl_request_number(arguments, &number)) {
		tl_i32 signal = tl_rsp_signal_in(rsp, number);

		/* Of two names of one signal, as gdb has them for SIGIO, the one that stops are told by is meant. */
		if (signal > 0 && tl_rsp_signal_out(rsp, signal) != number)
			continue;
		if (signal > 0 && signal < TL_SIGNAL_WORDS * 64)
			set[signal / 64] |= (tl_u64)1 << (signal % 64);
	}
	if (arguments->failed)
		return TL_ERROR_PACKET;
	tl_copy(set_ret, set, sizeof(set));
	return TL_OK;
}

static enum tl_status handle_pass_signals(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					  struct tl_writer *reply)
{
	(void)context, (void)reply;
	return read_signals(rsp, arguments, tl_engine_settings(rsp->engine)->pass_signals);
}

static enum tl_status handle_program_signals(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					     struct tl_writer *reply)
{
	struct tl_engine_settings *settings = tl_engine_settings(rsp->engine);

	(void)context, (void)reply;
	TL_TRY(read_signals(rsp, arguments, settings->program_signals));
	settings->program_signals_known = true;
	return TL_OK;
}

static enum tl_status handle_catch_syscalls(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					    struct tl_writer *reply)
{
	struct tl_engine_settings *settings = tl_engine_settings(rsp->engine);
	tl_u64 syscalls[TL_COUNT(settings->syscalls)] = {0};
	tl_u64 number;
	bool on;

	(void)context, (void)reply;
	if ((tl_rsp_capabilities(rsp) & TL_CAN_CATCH_SYSCALLS) == 0)
		return TL_UNKNOWN_PACKET;
	tl_cursor_expect(arguments, ':');
	on = tl_cursor_accept(arguments, '1');
	if (!on)
		tl_cursor_expect(arguments, '0');
	settings->catch_every_syscall = on && tl_cursor_done(arguments);
	while (tl_request_number(arguments, &number))
		/* There is no system call of a number above the bound, and so none to catch. */
		if (number < TL_SYSCALL_MAX)
			syscalls[number / 64] |= (tl_u64)1 << (number % 64);
	if (arguments->failed)
		return TL_ERROR_PACKET;
	settings->catch_syscalls = on;
	tl_copy(settings->syscalls, syscalls, sizeof(syscalls));
	return TL_OK;
}

/* A process that has ended meanwhile answers to being resumed with its exit. */
#define NEEDS (TL_RSP_PROCESS | TL_RSP_STOPPED | TL_RSP_OR_EXIT)

const struct tl_rsp_row tl_rsp_run_rows[] = {
	{"vCont?", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_continue_query},
	{"vCont", TL_RSP_WORD, NEEDS, true, handle_continue},
	{"c", TL_RSP_PREFIX, NEEDS, true, handle_c},
	{"C", TL_RSP_PREFIX, NEEDS, true, handle_C},
	{"s", TL_RSP_PREFIX, NEEDS, true, handle_s},
	{"S", TL_RSP_PREFIX, NEEDS, true, handle_S},
	{"bc", TL_RSP_WORD, TL_RSP_PROCESS | TL_RSP_STOPPED, true, handle_bc},
	{"bs", TL_RSP_WORD, TL_RSP_PROCESS | TL_RSP_STOPPED, true, handle_bs},
	{"vCtrlC", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_interrupt},
	{"QNonStop", TL_RSP_WORD, TL_RSP_STOPPED, true, handle_non_stop},
	{"QThreadEvents", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_thread_events},
	{"QThreadOptions", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_thread_options},
	{"QPassSignals", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_pass_signals},
	{"QProgramSignals", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_program_signals},
	{"QCatchSyscalls", TL_RSP_WORD, TL_RSP_PROCESS, true, handle_catch_syscalls},
	{0},
};
