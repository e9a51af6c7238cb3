/*
 * How the program is set going: who runs, how far and with which signals, and what stands meanwhile.
 */
#include "debugger/session/session_internal.h"
#include "debugger/session/steps_internal.h"

#include "base/storage.h"

#include <stdlib.h>
#include <string.h>

/*
 * Whether the threads other than the planned one run meanwhile. A called function may wait for what one of them holds.
 * Where it is called to find out whether a point counts, they stand: each of them could meet that point, too, and ask
 * the same.
 */
static bool others_run(const struct tl_session *session)
{
	bool steps = session->steps.active;

	if ((session->calling && session->deciding) || session->settings.locking == TL_LOCKING_ON)
		return false;
	return session->settings.locking != TL_LOCKING_STEP || !steps;
}

static enum tl_status add(struct tl_session *session, const struct tl_action *action)
{
	struct tl_actions *actions = &session->actions;

	if (!tl_grow(tl_storage(), (void **)&actions->items, &actions->capacity, actions->count,
		     sizeof(*actions->items)))
		return TL_ERROR_NO_MEMORY;
	actions->items[actions->count++] = *action;
	return TL_OK;
}

/* How those go that follow no plan: the way that time runs. */
static enum tl_action_kind going_on(const struct tl_session *session)
{
	return session->steps.back ? TL_ACTION_CONTINUE_BACK : TL_ACTION_CONTINUE;
}

/* Of the inferiors that are not planned, what goes: what went before, or all of it. */
static enum tl_status add_others(struct tl_session *session)
{
	const bool all = session->settings.run_all && others_run(session);

	for (tl_size i = 0; i < session->inferior_count && !session->calling; i++) {
		struct tl_debugged *debugged = session->inferiors[i];

		if (debugged->process == 0 || debugged->process == session->selected.process ||
		    (!all && debugged->going.process == 0))
			continue;
		if (debugged->going.process == 0)
			debugged->going = (struct tl_thread_id){debugged->process, TL_ANY};
		TL_TRY(add(session, &(struct tl_action){.filter = debugged->going, .kind = going_on(session)}));
	}
	return TL_OK;
}

/* What a thread has yet to tell would come before the call: whoever has such a thing stands until it is over. */
static enum tl_status add_untroubled(struct tl_session *session, tl_u64 process)
{
	struct tl_thread_info info = {.id = {0, 0}};

	while (tl_engine_next_thread(session->engine, info.id, &info))
		if (info.id.process == process && info.state != TL_THREAD_WAITING)
			TL_TRY(add(session, &(struct tl_action){.filter = info.id, .kind = TL_ACTION_CONTINUE}));
	return TL_OK;
}

static bool any_waits(const struct tl_session *session, tl_u64 process)
{
	struct tl_thread_info info = {.id = {0, 0}};

	while (tl_engine_next_thread(session->engine, info.id, &info))
		if (info.id.process == process && info.state == TL_THREAD_WAITING)
			return true;
	return false;
}

/* The selected thread by the plan, the others of its process as the settings say. */
static enum tl_status add_planned(struct tl_session *session, tl_i32 signal)
{
	struct tl_debugged *debugged = tl_session_debugged(session, session->selected.process);
	struct tl_action action = {.filter = session->selected, .kind = TL_ACTION_CONTINUE, .signal = signal};

	if (debugged == NULL || (session->running && debugged->going.process == 0))
		return TL_OK;
	debugged->going = session->selected;
	tl_steps_action(session, &action);
	if (tl_watch_steps(session))
		action.kind = session->steps.back ? TL_ACTION_STEP_BACK : TL_ACTION_STEP;
	TL_TRY(add(session, &action));
	if (!others_run(session))
		return TL_OK;
	debugged->going.thread = TL_ANY;
	if (session->calling && any_waits(session, debugged->process))
		return add_untroubled(session, debugged->process);
	return add(session, &(struct tl_action){.filter = debugged->going, .kind = going_on(session)});
}

/* Who goes and how; `signal`, unless it is 0, is delivered to `signalled`. */
static enum tl_status collect_actions(struct tl_session *session, struct tl_thread_id signalled, tl_i32 signal)
{
	bool planned = tl_same_thread(signalled, session->selected);

	session->actions.count = 0;
	if (signal != 0 && !planned)
		TL_TRY(add(session,
			   &(struct tl_action){.filter = signalled, .kind = TL_ACTION_CONTINUE, .signal = signal}));
	if (session->halted_signal != 0)
		TL_TRY(add(session, &(struct tl_action){.filter = session->halted,
							.kind = TL_ACTION_CONTINUE,
							.signal = session->halted_signal}));
	TL_TRY(add_planned(session, planned ? signal : 0));
	return add_others(session);
}

enum tl_status tl_session_set_going(struct tl_session *session, struct tl_thread_id signalled, tl_i32 signal,
				    struct tl_error *error)
{
	enum tl_status status = collect_actions(session, signalled, signal);

	if (status != TL_OK)
		return TL_FAIL(error, status, "Cannot go on: %s.", tl_status_text(status));
	TL_TRY(tl_breakpoints_sync(session, error));
	tl_session_forget_stop(session);
	/* What the thread stands on was told, or it was brought here: the next hit is another one. */
	if (session->stopped_at != 0 && !session->steps.back &&
	    tl_session_program_counter(session, session->selected) == session->stopped_at)
		(void)tl_engine_pass_here(session->engine, session->selected);
	session->stopped_at = 0;
	status = tl_engine_resume(session->engine, session->actions.items, session->actions.count);
	if (status != TL_OK)
		return TL_FAIL(error, status, "Cannot go on: %s.", tl_status_text(status));
	session->halted_signal = 0;
	session->running = true;
	return TL_OK;
}

/* The signals that need no look: the engine passes them on without a stop. */
void tl_session_set_passed_signals(struct tl_session *session)
{
	struct tl_engine_settings *settings = tl_engine_settings(session->engine);

	memset(settings->pass_signals, 0, sizeof(settings->pass_signals));
	for (tl_u32 i = 1; i < TL_SIGNALS; i++) {
		const struct tl_signal_handling *handling = &session->signals[i];

		if (!handling->stop && !handling->print && handling->pass && !session->steps.active)
			settings->pass_signals[i / 64] |= (tl_u64)1 << i % 64;
	}
	settings->report_forks = settings->report_vforks =
		session->settings.follow_child || !session->settings.detach_on_fork ||
		session->settings.tell_inferiors || tl_breakpoints_catches(session, TL_CATCH_FORK) ||
		tl_breakpoints_catches(session, TL_CATCH_VFORK);
	tl_breakpoints_set_syscalls(session);
}

tl_i32 tl_session_signal_to_pass(const struct tl_session *session)
{
	tl_i32 signal = session->stop.signal;

	if (session->stop.kind != TL_STOP_SIGNAL && session->stop.kind != TL_STOP_CATCHPOINT)
		return 0;
	if (session->stop.thread.thread != session->selected.thread || signal <= 0 || signal >= TL_SIGNALS)
		return 0;
	return session->signals[signal].pass ? signal : 0;
}

static enum tl_status copy_places(struct tl_session *session, const struct tl_plan *plan, struct tl_error *error)
{
	tl_code_places_release(&session->plan_places);
	session->plan_places = (struct tl_code_places){0};
	if (plan->places == NULL)
		return TL_OK;
	session->plan_places.items = calloc(plan->places->count + 1, sizeof(*session->plan_places.items));
	if (session->plan_places.items == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for a plan");
	for (tl_size i = 0; i < plan->places->count; i++)
		session->plan_places.items[i].address = plan->places->items[i].address;
	session->plan_places.count = session->plan_places.capacity = plan->places->count;
	return TL_OK;
}

/* Jumps: the thread goes on from elsewhere. */
static enum tl_status set_program_counter(struct tl_session *session, tl_u64 address, struct tl_error *error)
{
	struct tl_process_facts facts;
	tl_u8 *file;
	enum tl_status status = tl_engine_facts(session->engine, session->selected.process, &facts);

	if (status == TL_OK)
		status = tl_engine_registers(session->engine, session->selected, 1, &file);
	if (status == TL_OK) {
		tl_cpu_set(facts.cpu, file, facts.cpu->program_counter, address);
		status = tl_engine_registers_changed(session->engine, session->selected, 1);
	}
	if (status != TL_OK)
		return TL_FAIL(error, status, "Cannot set the program counter: %s.", tl_status_text(status));
	return TL_OK;
}

static enum tl_status resume(struct tl_session *session, const struct tl_plan *plan, struct tl_error *error)
{
	struct tl_thread_info info;
	tl_i32 signal;

	if (!tl_engine_find_thread(session->engine, session->selected, &info))
		return TL_FAIL(error, TL_ERROR_GONE, "Cannot execute this command without a live selected thread.");
	TL_TRY(copy_places(session, plan, error));
	session->plan = *plan;
	session->plan.places = NULL;
	/* Where time runs backwards, what was about to be delivered is not. */
	signal = plan->back ? 0 : plan->signal >= 0 ? plan->signal : tl_session_signal_to_pass(session);
	if (plan->kind == TL_PLAN_JUMP)
		TL_TRY(set_program_counter(session, plan->address, error));
	if (plan->kind == TL_PLAN_CONTINUE && plan->count > 1)
		tl_breakpoints_ignore_hit(session, &session->stop, plan->count - 1);
	TL_TRY(tl_session_follow_fork(session, error));
	TL_TRY(tl_steps_begin(session, plan, error));
	session->steps.signalled = signal != 0;
	tl_session_set_passed_signals(session);
	if (session->steps.active && tl_steps_at_once(session)) {
		/* Nothing runs: a step into an inlined function that begins here. */
		session->stop = (struct tl_stop){0};
		tl_session_finish_step(session);
		return TL_OK;
	}
	session->stop = (struct tl_stop){0};
	session->stop_ready = false;
	return tl_session_set_going(session, session->selected, signal, error);
}

enum tl_status tl_session_resume(struct tl_session *session, const struct tl_plan *plan, struct tl_error *error)
{
	const bool ran = session->running;
	struct tl_debugged *debugged;
	enum tl_status status;

	if (session->selected.process == 0)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "The program is not being run.");
	if (tl_session_running(session))
		return TL_FAIL(error, TL_ERROR_RUNNING,
			       "Cannot execute this command while the selected thread is running.");
	if (plan->back && (tl_target_capabilities(session->target) & TL_CAN_REVERSE) == 0)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Target %s keeps nothing of the past to go back to.",
			       session->target->ops->name);
	if (plan->back && plan->kind == TL_PLAN_JUMP)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "A jump leads forward: \"set exec-direction forward\" first.");
	TL_TRY(tl_session_halt(session, error));
	status = resume(session, plan, error);
	debugged = tl_session_debugged(session, session->selected.process);
	if (status != TL_OK) {
		tl_steps_end(session);
		if (debugged != NULL)
			debugged->going = (struct tl_thread_id){0};
	}
	return tl_session_unhalt(session, ran, status);
}

void tl_session_interrupt(struct tl_session *session)
{
	if (!session->running)
		return;
	session->interrupted = true;
	tl_engine_interrupt(session->engine);
}

enum tl_status tl_session_go_on(struct tl_session *session, struct tl_error *error)
{
	enum tl_status status;
	bool any = false;

	for (tl_size i = 0; i < session->inferior_count; i++)
		any |= session->inferiors[i]->going.process != 0;
	if (session->running || session->stop_ready || !any)
		return TL_OK;
	/* Only what went before goes. */
	session->running = true;
	status = tl_session_set_going(session, session->selected, 0, error);
	session->running = status == TL_OK;
	return status;
}

enum tl_status tl_session_unhalt(struct tl_session *session, bool ran, enum tl_status status)
{
	struct tl_error error;

	/* Of two errors the first is told. */
	if (status != TL_OK && ran && tl_session_go_on(session, &error) != TL_OK)
		tl_session_remark(session, "warning: %s", error.text);
	return status;
}

void tl_session_stay(struct tl_session *session)
{
	for (tl_size i = 0; i < session->inferior_count && !session->running; i++)
		session->inferiors[i]->going = (struct tl_thread_id){0};
}
