/*
 * What becomes of the program: each report of the engine either lets it run on unseen or becomes the stop that somebody
 * waits for.
 */
#include "debugger/session/session_internal.h"
#include "debugger/session/steps_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum verdict { RUN_ON, STOP };

tl_u64 tl_session_program_counter(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_process_facts facts;
	tl_u8 *file;

	if (thread.process == 0 || tl_engine_facts(session->engine, thread.process, &facts) != TL_OK ||
	    tl_engine_registers(session->engine, thread, 1, &file) != TL_OK)
		return 0;
	return tl_cpu_get(facts.cpu, file, facts.cpu->program_counter);
}

struct tl_aside tl_session_look_aside(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_aside aside = {session->current, session->selected, session->stopped_at, session->skipped};

	tl_session_set_selected(session, thread, 0);
	return aside;
}

void tl_session_look_back(struct tl_session *session, const struct tl_aside *aside)
{
	tl_session_forget_stop(session);
	session->current = aside->current;
	tl_session_set_selected(session, aside->selected, aside->skipped);
	session->stopped_at = aside->stopped_at;
}

/* ---- Stops ---- */

static void announce(struct tl_session *session)
{
	session->running = session->interrupted = false;
	session->stop_ready = true;
	for (tl_size i = 0; i < session->inferior_count; i++)
		session->inferiors[i]->going = (struct tl_thread_id){0};
	if (session->options.stopped != NULL && !session->calling)
		session->options.stopped(session->options.context);
}

/* The program stands: who is selected, and how many inlined functions are not entered yet to a person's eyes. */
static void stand(struct tl_session *session, struct tl_thread_id thread, tl_u32 skipped)
{
	session->stop.thread = thread;
	session->stop.inferior = tl_session_inferior_of(session, thread.process);
	tl_session_set_selected(session, thread, skipped);
	tl_session_tell_threads(session);
}

void tl_session_finish_step(struct tl_session *session)
{
	bool new_frame = session->steps.new_frame;
	tl_u32 skipped = session->steps.skipped;

	session->stop.kind = session->plan.kind == TL_PLAN_UNTIL || session->plan.kind == TL_PLAN_ADVANCE
				     ? TL_STOP_LOCATION
				     : TL_STOP_STEPPED;
	session->stop.new_frame = new_frame;
	stand(session, session->selected, skipped);
	if (session->plan.kind == TL_PLAN_FINISH) {
		session->stop.kind = TL_STOP_FINISHED;
		session->stop.new_frame = true;
		tl_steps_take_returned(session);
	}
	tl_steps_end(session);
	announce(session);
}

/* Does a breakpoint stand right where a function that is finished returned to? */
static bool has_finished(struct tl_session *session, struct tl_thread_id thread)
{
	return session->plan.kind == TL_PLAN_FINISH && session->steps.active && session->steps.wait == TL_WAIT_RETURN &&
	       tl_same_thread(thread, session->selected) &&
	       tl_steps_at(session, tl_session_program_counter(session, thread));
}

static enum verdict stop(struct tl_session *session, enum tl_stop_kind kind, struct tl_thread_id thread, tl_u32 skipped)
{
	bool finished;

	/* A function that was called to find out did not return: that is the stop, and it is made. */
	if (session->stop_ready)
		return STOP;
	finished = kind == TL_STOP_BREAKPOINT && has_finished(session, thread);
	session->stop.kind = kind;
	session->stop.new_frame = true;
	tl_steps_end(session);
	stand(session, thread, skipped);
	if (finished)
		tl_steps_take_returned(session);
	announce(session);
	return STOP;
}

/*
 * A stop at a breakpoint inside of an inlined function's first instruction: the breakpoint's own function is shown, and
 * nothing that is inlined further in.
 */
static tl_u32 skipped_at_hit(struct tl_session *session, struct tl_thread_id thread)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;
	struct tl_error error;
	tl_u32 count = 0, skipped;

	if (tl_session_open_stack(session, thread, 0, &stack, &error) != TL_OK)
		return 0;
	if (tl_stack_inlined_here(stack, &count, &error) != TL_OK)
		count = 0;
	for (skipped = 0; skipped < count; skipped++)
		if (tl_stack_frame(stack, skipped, &frame, &error) != TL_OK ||
		    tl_breakpoints_names_function(session, &session->stop, frame->program_counter, frame->name))
			break;
	tl_stack_close(stack);
	return skipped;
}

static tl_u32 all_inlined_here(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_stack *stack;
	struct tl_error error;
	tl_u32 count = 0;

	if (tl_session_open_stack(session, thread, 0, &stack, &error) != TL_OK)
		return 0;
	if (tl_stack_inlined_here(stack, &count, &error) != TL_OK)
		count = 0;
	tl_stack_close(stack);
	return count;
}

/* An exception that is thrown is an event to people, though it is seen by a breakpoint. */
static enum tl_stop_kind kind_of_hit(struct tl_session *session)
{
	const struct tl_breakpoint *first = tl_breakpoint_find(session, session->stop.numbers[0]);

	return first != NULL && first->kind >= TL_CATCH_THROW ? TL_STOP_CATCHPOINT : TL_STOP_BREAKPOINT;
}

/* A thread stands at a place where there may be points, the session's own or others. */
static enum verdict at_code(struct tl_session *session, struct tl_thread_id thread, tl_u64 address,
			    enum tl_status condition_error)
{
	bool planned = tl_same_thread(thread, session->selected);

	if (tl_breakpoints_has_internal(session, thread.process, TL_INTERNAL_LIBRARY, address) &&
	    tl_session_library_changed(session, thread))
		return stop(session, TL_STOP_CATCHPOINT, thread, 0);
	if (tl_breakpoints_has_internal(session, thread.process, TL_INTERNAL_TERMINATE, address) && session->calling &&
	    planned) {
		session->terminating = true;
		return stop(session, TL_STOP_SIGNAL, thread, 0);
	}
	if (tl_breakpoints_has_internal(session, thread.process, TL_INTERNAL_CALL, address) && session->calling &&
	    planned)
		return stop(session, TL_STOP_FINISHED, thread, 0);
	if (tl_breakpoints_has_internal(session, thread.process, TL_INTERNAL_CALL, address) && !session->calling &&
	    tl_session_call_ended(session, thread))
		return stop(session, TL_STOP_LOCATION, thread, all_inlined_here(session, thread));
	if (tl_breakpoints_has_internal(session, thread.process, TL_INTERNAL_RESOLVER, address))
		tl_breakpoints_resolver_returned(session, thread, address);
	tl_breakpoints_resolver_hit(session, thread, address);
	if (tl_breakpoints_scope_ended(session, thread, address, &session->stop))
		return stop(session, TL_STOP_SCOPE_END, thread, all_inlined_here(session, thread));
	if (tl_breakpoints_hit(session, thread, address, &session->stop)) {
		if (condition_error != TL_OK)
			snprintf(session->stop.text, sizeof(session->stop.text),
				 "Error in testing condition of breakpoint: %s.", tl_status_text(condition_error));
		return stop(session, kind_of_hit(session), thread, skipped_at_hit(session, thread));
	}
	if (!planned || !session->steps.active ||
	    (session->steps.wait != TL_WAIT_NONE && !tl_steps_at(session, address)))
		return RUN_ON;
	/* A trap on the way of a step that waits for none is somebody else's, and passed. */
	if (session->steps.wait == TL_WAIT_NONE && !tl_steps_at(session, address) &&
	    session->stop.report.event.kind != TL_EVENT_STEPPED)
		return RUN_ON;
	if (tl_steps_next(session) != TL_STEPS_DONE)
		return RUN_ON;
	tl_session_finish_step(session);
	return STOP;
}

static enum verdict on_breakpoint(struct tl_session *session, const struct tl_report *report)
{
	/* Names and conditions are those of the thread that hit. */
	tl_session_forget_stop(session);
	return at_code(session, report->event.thread, report->event.address, report->condition_error);
}

/* A value has changed. The next instruction may have a breakpoint, which is hit as well: nobody comes by again. */
static enum verdict stop_watching(struct tl_session *session, struct tl_thread_id thread)
{
	(void)tl_breakpoints_hit(session, thread, tl_session_program_counter(session, thread), &session->stop);
	tl_stop_sort_numbers(&session->stop);
	return stop(session, TL_STOP_WATCHPOINT, thread, all_inlined_here(session, thread));
}

/* A step ended; where it ended may be a place with a breakpoint, which counts as hit then. */
static enum verdict on_stepped(struct tl_session *session, const struct tl_report *report)
{
	struct tl_thread_id thread = report->event.thread;
	tl_u64 address = tl_session_program_counter(session, thread);

	tl_session_forget_stop(session);
	if (tl_breakpoints_scope_undone(session, thread, &session->stop))
		return stop(session, TL_STOP_SCOPE_END, thread, all_inlined_here(session, thread));
	if (tl_watch_stepped(session, thread, &session->stop))
		return stop_watching(session, thread);
	/* Nothing is left to be hit there: what stands here is dealt with now. */
	session->stopped_at = address;
	if (session->points.internal_count != 0 ||
	    tl_breakpoints_has_internal(session, thread.process, TL_INTERNAL_LIBRARY, address) ||
	    !session->steps.active || session->steps.wait != TL_WAIT_NONE)
		return at_code(session, thread, address, TL_OK);
	if (tl_breakpoints_hit(session, thread, address, &session->stop))
		return stop(session, kind_of_hit(session), thread, skipped_at_hit(session, thread));
	if (!tl_same_thread(thread, session->selected))
		return RUN_ON;
	if (tl_steps_next(session) != TL_STEPS_DONE)
		return RUN_ON;
	tl_session_finish_step(session);
	return STOP;
}

/* A signal that stops nobody and is told of all the same. */
static void tell_signal(struct tl_session *session, struct tl_thread_id thread, tl_i32 signal)
{
	if (session->options.signalled == NULL)
		return;
	tl_session_tell_threads(session);
	session->options.signalled(session->options.context, thread, signal);
}

/* A program has come to its place: what was to stop it goes there. */
static void place_program(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_debugged *debugged = tl_session_debugged(session, thread.process);

	tl_session_forget_stop(session);
	if (debugged != NULL)
		tl_session_place_program(session, debugged);
	tl_session_set_base(session, NULL, 0);
	tl_breakpoints_resolve(session);
}

static enum verdict on_signal(struct tl_session *session, const struct tl_report *report, tl_i32 *deliver_ret)
{
	tl_i32 signal = report->event.signal;
	const struct tl_signal_handling *handling;

	if (report->event.arrived) {
		place_program(session, report->event.thread);
		if (signal == 0)
			return RUN_ON;
	}
	/* Whoever interrupts a called function means that, whichever thread speaks for all. */
	if (report->asked)
		return stop(session, TL_STOP_INTERRUPTED, session->calling ? session->selected : report->event.thread,
			    0);
	handling = &session->signals[signal > 0 && signal < TL_SIGNALS ? signal : 0];
	session->stop.signal = signal;
	if (tl_breakpoints_catch(session, TL_CATCH_SIGNAL, (tl_u64)signal, NULL, &session->stop))
		return stop(session, TL_STOP_CATCHPOINT, report->event.thread, 0);
	if (handling->stop)
		return stop(session, TL_STOP_SIGNAL, report->event.thread,
			    all_inlined_here(session, report->event.thread));
	if (handling->print)
		tell_signal(session, report->event.thread, signal);
	*deliver_ret = handling->pass ? signal : 0;
	/* A handler runs first: the step goes on when it has returned. */
	if (*deliver_ret != 0 && session->steps.active && tl_same_thread(report->event.thread, session->selected))
		tl_steps_over_handler(session);
	return RUN_ON;
}

static enum verdict on_fork(struct tl_session *session, const struct tl_report *report)
{
	const struct tl_event *event = &report->event;
	enum tl_breakpoint_kind kind = event->kind == TL_EVENT_FORK ? TL_CATCH_FORK : TL_CATCH_VFORK;
	struct tl_error error;

	session->forked = *event;
	/* Who is to be followed is asked when it goes on. */
	if (tl_breakpoints_catch(session, kind, event->child.process, NULL, &session->stop))
		return stop(session, TL_STOP_CATCHPOINT, event->thread, 0);
	if (tl_session_follow_fork(session, &error) == TL_OK)
		return RUN_ON;
	snprintf(session->stop.text, sizeof(session->stop.text), "%s", error.text);
	return stop(session, TL_STOP_FAILED, event->thread, 0);
}

static enum verdict on_exec(struct tl_session *session, const struct tl_report *report)
{
	struct tl_thread_id thread = report->event.thread;
	const struct tl_debugged *debugged;
	struct tl_error error;

	if (tl_session_follow_exec(session, thread, &error) != TL_OK) {
		snprintf(session->stop.text, sizeof(session->stop.text), "%s", error.text);
		return stop(session, TL_STOP_FAILED, thread, 0);
	}
	debugged = tl_session_debugged(session, thread.process);
	if (tl_breakpoints_catch(session, TL_CATCH_EXEC, 0, debugged != NULL ? debugged->path : NULL, &session->stop))
		return stop(session, TL_STOP_CATCHPOINT, thread, 0);
	return RUN_ON;
}

/* The process is gone. Another one, if there is one, is not selected of itself. */
static enum verdict on_end(struct tl_session *session, const struct tl_report *report)
{
	session->stop.kind = report->event.kind == TL_EVENT_PROCESS_KILLED ? TL_STOP_KILLED : TL_STOP_EXITED;
	session->stop.thread = report->event.thread;
	session->stop.signal = report->event.signal;
	session->stop.code = report->event.code;
	session->stop.inferior = tl_session_inferior_of(session, report->event.thread.process);
	tl_session_ended(session, report->event.thread.process);
	announce(session);
	return STOP;
}

static enum verdict on_watchpoint(struct tl_session *session, const struct tl_report *report)
{
	struct tl_thread_id thread = report->event.thread;
	bool changed;

	tl_session_forget_stop(session);
	if (tl_breakpoints_scope_undone(session, thread, &session->stop))
		return stop(session, TL_STOP_SCOPE_END, thread, all_inlined_here(session, thread));
	changed = tl_breakpoints_watch_hit(session, report, &session->stop);
	if (report->event.stepped)
		changed |= tl_watch_stepped(session, thread, &session->stop);
	if (changed)
		return stop_watching(session, thread);
	/* The access came with the end of a step: that is told instead. */
	return report->event.stepped ? on_stepped(session, report) : RUN_ON;
}

static enum verdict on_failure(struct tl_session *session, const struct tl_report *report)
{
	if (session->attaching != 0) {
		tl_session_attached_now(session, report->event.thread);
		return stop(session, TL_STOP_ATTACHED, report->event.thread, 0);
	}
	if (report->condition_error != TL_OK) {
		snprintf(session->stop.text, sizeof(session->stop.text), "The program cannot go on: %s.",
			 tl_status_text(report->condition_error));
		return stop(session, TL_STOP_FAILED, report->event.thread, 0);
	}
	return stop(session, TL_STOP_SIGNAL, report->event.thread, 0);
}

static enum verdict decide(struct tl_session *session, const struct tl_report *report, tl_i32 *deliver_ret)
{
	session->stop = (struct tl_stop){.report = *report};
	if (report->no_resumed) {
		tl_steps_end(session);
		session->stop.kind = TL_STOP_NOTHING;
		announce(session);
		return STOP;
	}
	if (session->attaching != 0 && report->event.kind != TL_EVENT_PROCESS_EXITED &&
	    report->event.kind != TL_EVENT_PROCESS_KILLED) {
		tl_session_attached_now(session, report->event.thread);
		session->stop.signal = report->event.kind == TL_EVENT_SIGNAL ? report->event.signal : 0;
		return stop(session, TL_STOP_ATTACHED, report->event.thread, 0);
	}
	switch (report->event.kind) {
	case TL_EVENT_TRAP:
	case TL_EVENT_HARDWARE_BREAKPOINT:
		return on_breakpoint(session, report);
	case TL_EVENT_WATCHPOINT:
		return on_watchpoint(session, report);
	case TL_EVENT_STEPPED:
		return on_stepped(session, report);
	case TL_EVENT_SIGNAL:
		return on_signal(session, report, deliver_ret);
	case TL_EVENT_SYSCALL_ENTRY:
	case TL_EVENT_SYSCALL_RETURN:
		return tl_breakpoints_catch(session, TL_CATCH_SYSCALL, report->event.number, NULL, &session->stop)
			       ? stop(session, TL_STOP_CATCHPOINT, report->event.thread, 0)
			       : RUN_ON;
	case TL_EVENT_FORK:
	case TL_EVENT_VFORK:
		return on_fork(session, report);
	case TL_EVENT_EXEC:
		return on_exec(session, report);
	case TL_EVENT_PROCESS_EXITED:
	case TL_EVENT_PROCESS_KILLED:
		return on_end(session, report);
	case TL_EVENT_NONE:
	case TL_EVENT_PAUSED:
		return on_failure(session, report);
	case TL_EVENT_VFORK_DONE:
	case TL_EVENT_THREAD_CREATED:
	case TL_EVENT_CLONE:
	case TL_EVENT_THREAD_EXITED:
		return RUN_ON;
	case TL_EVENT_HISTORY_END:
		return stop(session, TL_STOP_HISTORY, report->event.thread, 0);
	case TL_EVENT_MAX:
		break;
	}
	return stop(session, TL_STOP_SIGNAL, report->event.thread, 0);
}

void tl_session_process(struct tl_session *session)
{
	struct tl_report report;
	struct tl_error error;

	while (session->running && !session->halting && !session->stop_ready &&
	       tl_engine_take_report(session->engine, &report)) {
		struct tl_debugged *current = session->current;
		tl_i32 deliver = 0;

		session->called = false;
		/* Everything stands, and functions may be called if this is the place for that. */
		session->running = !session->deciding;
		if (decide(session, &report, &deliver) == STOP || session->stop_ready)
			break;
		/* Where no thread is selected, the inferior still is. */
		if (session->selected.process == 0)
			session->current = current;
		session->running = true;
		if (session->called &&
		    (report.event.kind == TL_EVENT_TRAP || report.event.kind == TL_EVENT_HARDWARE_BREAKPOINT))
			(void)tl_engine_pass_here(session->engine, report.event.thread);
		if (tl_session_set_going(session, report.event.thread, deliver, &error) == TL_OK) {
			/* What it had come to first was the answer to the interrupt, which is to be answered all the
			 * same. */
			if (session->interrupted)
				tl_engine_interrupt(session->engine);
			continue;
		}
		snprintf(session->stop.text, sizeof(session->stop.text), "%s", error.text);
		(void)stop(session, TL_STOP_FAILED, session->selected, 0);
	}
}

/* ---- One more beside those that run ---- */

static enum tl_status wait_quiet(struct tl_session *session, struct tl_error *error)
{
	enum tl_status status = TL_OK;

	session->halting = true;
	tl_engine_pause(session->engine);
	for (int turn = 0; turn < 100 && status == TL_OK && !tl_engine_quiet(session->engine); turn++)
		status = tl_loop_turn(session->options.loop, 100, error);
	session->halting = false;
	TL_TRY(status);
	if (!tl_engine_quiet(session->engine))
		return TL_FAIL(error, TL_ERROR_TIMEOUT, "The program does not stop: a thread of it does not answer.");
	return TL_OK;
}

enum tl_status tl_session_stand_still(struct tl_session *session, tl_u64 process, struct tl_error *error)
{
	TL_TRY(wait_quiet(session, error));
	tl_engine_owe_nothing(session->engine);
	tl_steps_end(session);
	session->running = session->interrupted = false;
	if (process == TL_ANY || session->stop.thread.process == process)
		session->stop_ready = false;
	return TL_OK;
}

void tl_session_tell_ends(struct tl_session *session)
{
	if (session->running || session->stop_ready || tl_engine_untold_exit(session->engine, TL_ANY) == 0)
		return;
	/* A resume of nobody is answered with what was not told. */
	session->running = tl_engine_resume(session->engine, NULL, 0) == TL_OK;
}

enum tl_status tl_session_halt(struct tl_session *session, struct tl_error *error)
{
	struct tl_debugged *current = session->current;
	struct tl_thread_id selected = session->selected;
	struct tl_report report;
	tl_i32 deliver = 0;

	if (!session->running)
		return TL_OK;
	if (session->steps.active)
		return TL_FAIL(error, TL_ERROR_RUNNING,
			       "Another inferior is in the middle of a step: wait until it is done, or \"interrupt\".");
	TL_TRY(wait_quiet(session, error));
	if (tl_engine_take_report(session->engine, &report) && !report.no_resumed &&
	    (report.event.kind != TL_EVENT_PAUSED || report.condition_error != TL_OK)) {
		if (decide(session, &report, &deliver) == STOP)
			return TL_FAIL(error, TL_ERROR_STATE, "Another inferior stopped: nothing was done.");
		session->halted = report.event.thread;
		session->halted_signal = deliver;
	}
	session->running = false;
	session->current = current;
	if (!tl_same_thread(selected, session->selected))
		tl_session_set_selected(session, selected, 0);
	return TL_OK;
}

bool tl_session_take(struct tl_session *session, struct tl_stop *stop_ret)
{
	if (session->undecided) {
		session->undecided = false;
		session->deciding = true;
		tl_session_process(session);
		session->deciding = false;
	}
	if (!session->stop_ready)
		return false;
	session->stop_ready = false;
	if (session->stale) {
		session->stale = false;
		tl_session_forget_stop(session);
		tl_session_set_selected(session, session->selected, session->skipped);
	}
	*stop_ret = session->stop;
	return true;
}

const struct tl_stop *tl_session_last_stop(const struct tl_session *session)
{
	return &session->stop;
}

enum tl_status tl_session_wait(struct tl_session *session, const struct tl_patience *patience, struct tl_stop *stop_ret,
			       struct tl_error *error)
{
	while (!tl_session_take(session, stop_ret)) {
		if (!session->running)
			return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "The program is not being run.");
		TL_TRY(tl_loop_turn(session->options.loop, 100, error));
		if (!session->stop_ready && patience != NULL && patience->waiting != NULL &&
		    !patience->waiting(patience->context))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "The program runs on.");
	}
	return TL_OK;
}
