/*
 * Leaving: whatever was written into a program goes out of it again, and what was in the middle of something is put
 * right. The same code serves a detach, a lost client, an error and the end.
 */
#include "core/engine/internal.h"

void tl_leave_lift(struct tl_engine *engine, struct process *process)
{
	struct space *space = process->space;

	if (process->lifted_for_child)
		return;
	process->lifted_for_child = true;
	if (space->lifted++ == 0)
		(void)tl_undo_lift_all(&space->undo, tl_engine_memory(engine, space));
}

/* The signal that a thread stands for and that it would lose by being let go. */
static tl_i32 signal_at_hand(const struct tl_engine *engine, const struct thread *thread)
{
	const struct tl_event *event =
		thread->state == TL_THREAD_WAITING ? &thread->pending.event : &thread->last.event;
	tl_i32 signal = thread->deliver;

	if (signal == 0 && event->kind == TL_EVENT_SIGNAL && thread->state == TL_THREAD_WAITING)
		signal = event->signal;
	if (signal <= 0 || signal >= TL_SIGNAL_WORDS * 64)
		return 0;
	/* A debugger's own signals are none that the program should see. */
	if (thread->deliver == 0 && (signal == 5 || signal == 2) && !engine->settings.program_signals_known)
		return 0;
	if (engine->settings.program_signals_known &&
	    (engine->settings.program_signals[signal / 64] >> signal % 64 & 1) == 0)
		return 0;
	return signal;
}

static struct process *sharer(const struct tl_engine *engine, const struct process *process)
{
	for (tl_size i = 0; i < engine->process_count; i++)
		if (engine->processes[i] != process && engine->processes[i]->space == process->space)
			return engine->processes[i];
	return NULL;
}

enum tl_status tl_leave_process(struct tl_engine *engine, struct process *process, tl_u64 thread_id, tl_i32 signal)
{
	struct space *space = process->space;
	struct thread *any = NULL;
	enum tl_status first = TL_OK, status;

	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];
		tl_i32 at_hand;

		if (thread->process != process)
			continue;
		any = thread;
		status = tl_engine_flush(engine, thread);
		if (first == TL_OK && status != TL_ERROR_GONE)
			first = status;
		at_hand = signal_at_hand(engine, thread);
		if (at_hand != 0 && thread->id.thread != thread_id && engine->target->ops->set_detach_signal != NULL)
			(void)engine->target->ops->set_detach_signal(engine->target, thread->id, at_hand);
	}
	if (space->users == 1) {
		status = tl_points_remove_all(engine, space, process->id);
		if (first == TL_OK && status != TL_ERROR_MEMORY)
			first = status;
		if (any != NULL)
			tl_copies_release_areas(engine, space, any);
	} else if (sharer(engine, process) != NULL) {
		tl_points_withdraw(engine, space, process->id);
		/* A vfork's child would run into its parent's traps. */
		tl_leave_lift(engine, sharer(engine, process));
	}
	status = engine->target->ops->detach != NULL
			 ? engine->target->ops->detach(engine->target, process->id, thread_id, signal)
			 : TL_ERROR_UNSUPPORTED;
	if (first == TL_OK)
		first = status;
	tl_engine_forget_process(engine, process);
	return first;
}

/* The child of a fork that a thread of the process was about to tell of; NULL: there is none. */
static struct process *untold_child(const struct tl_engine *engine, const struct process *process)
{
	for (tl_size i = 0; i < engine->thread_count; i++) {
		const struct thread *thread = engine->threads[i];
		const struct tl_event *event = &thread->pending.event;
		struct process *child = NULL;

		if (thread->process == process && thread->state == TL_THREAD_WAITING &&
		    (event->kind == TL_EVENT_FORK || event->kind == TL_EVENT_VFORK))
			child = tl_engine_process(engine, event->child.process);
		if (child != NULL && !child->unattended)
			return child;
	}
	return NULL;
}

static bool process_moves(const struct tl_engine *engine, const struct process *process)
{
	for (tl_size i = 0; i < engine->thread_count; i++)
		if (engine->threads[i]->process == process && !tl_engine_stands(engine->threads[i]))
			return true;
	return false;
}

/* Whoever leaves the process does not know them, and could not leave them as well. */
static void free_untold_children(struct tl_engine *engine, struct process *process)
{
	struct process *child;

	while ((child = untold_child(engine, process)) != NULL)
		(void)tl_leave_process(engine, child, 0, 0);
}

enum tl_status tl_engine_detach(struct tl_engine *engine, tl_u64 id, tl_u64 thread, tl_i32 signal)
{
	struct process *process = tl_engine_process(engine, id);
	enum tl_status status;

	if (process == NULL)
		return tl_run_drop_exit(engine, id);
	if (process_moves(engine, process))
		return TL_ERROR_RUNNING;
	free_untold_children(engine, process);
	status = tl_leave_process(engine, process, thread, signal);
	tl_pass_release(engine);
	tl_run_check(engine);
	return status;
}

enum tl_status tl_engine_kill(struct tl_engine *engine, tl_u64 id)
{
	struct process *process = tl_engine_process(engine, id), *child;
	enum tl_status status;

	if (process == NULL)
		return tl_run_drop_exit(engine, id);
	if (engine->target->ops->kill == NULL)
		return TL_ERROR_UNSUPPORTED;
	while ((child = untold_child(engine, process)) != NULL)
		(void)tl_engine_kill(engine, child->id);
	status = engine->target->ops->kill(engine->target, id);
	/* What may not be killed lives on: without our traps. */
	if (status != TL_OK && !process_moves(engine, process))
		(void)tl_leave_process(engine, process, 0, 0);
	else
		tl_engine_forget_process(engine, process);
	tl_pass_release(engine);
	tl_run_check(engine);
	return status;
}

/* ---- Left to itself ---- */

bool tl_engine_persists(const struct tl_engine *engine, tl_u64 id)
{
	const struct process *process = tl_engine_process(engine, id);

	if (process != NULL && (engine->capabilities & TL_CAN_STAY) != 0)
		return true;
	for (tl_size i = 0; process != NULL && i < process->space->point_count; i++)
		if (tl_points_persists(process->space->points[i]))
			return true;
	return false;
}

/* The thread runs on as if nobody had ever wanted anything of it. */
static void set_free(struct tl_engine *engine, struct thread *thread, tl_i32 signal)
{
	thread->deliver = signal != 0 ? signal : signal_at_hand(engine, thread);
	thread->last = (struct tl_report){.event = {.kind = TL_EVENT_PAUSED, .thread = thread->id}};
	thread->options = 0;
	thread->plan = TL_ACTION_CONTINUE;
	thread->stop_asked = thread->interrupted = thread->wants_over = false;
	tl_engine_set_state(engine, thread, TL_THREAD_PARKED);
}

enum tl_status tl_engine_unattend(struct tl_engine *engine, tl_u64 id, tl_u64 thread_id, tl_i32 signal)
{
	struct process *process = tl_engine_process(engine, id);

	if (process == NULL || process->unattended)
		return TL_ERROR_NO_PROCESS;
	if (process_moves(engine, process))
		return TL_ERROR_RUNNING;
	/* Some may have to stand while it runs. */
	if ((engine->capabilities & TL_CAN_RUN) == 0 ||
	    ((engine->capabilities & TL_CAN_RUN_SOME) == 0 && engine->process_count - engine->unattended > 1))
		return TL_ERROR_UNSUPPORTED;
	free_untold_children(engine, process);
	if (process->space->users == 1)
		tl_points_remove_passing(engine, process->space, id);
	for (tl_size i = 0; i < engine->thread_count; i++)
		if (engine->threads[i]->process == process)
			set_free(engine, engine->threads[i], engine->threads[i]->id.thread == thread_id ? signal : 0);
	process->parking = process->pausing = false;
	process->unattended = true;
	engine->unattended++;
	for (tl_size i = 0; i < engine->thread_count; i++)
		if (engine->threads[i]->process == process && engine->threads[i]->state == TL_THREAD_PARKED)
			tl_run_settle(engine, engine->threads[i]);
	tl_pass_advance(engine);
	tl_pass_release(engine);
	tl_run_check(engine);
	return TL_OK;
}

enum tl_status tl_engine_attend(struct tl_engine *engine, tl_u64 id)
{
	struct process *process = tl_engine_process(engine, id);

	if (process == NULL || !process->unattended)
		return TL_ERROR_NO_PROCESS;
	process->unattended = false;
	engine->unattended--;
	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];

		if (thread->process != process)
			continue;
		thread->resumed = true;
		thread->stop_asked = engine->settings.non_stop;
	}
	tl_run_summon(engine, process);
	return TL_OK;
}

void tl_engine_owe_nothing(struct tl_engine *engine)
{
	engine->owed = engine->interrupt = engine->no_resumed = engine->told = false;
}

void tl_engine_drop_reports(struct tl_engine *engine)
{
	engine->gone_count = 0;
	tl_engine_owe_nothing(engine);
}

void tl_engine_reset_client(struct tl_engine *engine)
{
	for (tl_size i = 0; i < engine->process_count; i++) {
		struct space *space = engine->processes[i]->space;

		tl_points_remove_passing(engine, space, engine->processes[i]->id);
	}
	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];

		thread->stop_asked = thread->interrupted = thread->step_done = false;
		thread->options = 0;
	}
	engine->settings = (struct tl_engine_settings){0};
	tl_engine_unheard(engine, NULL);
	tl_engine_drop_reports(engine);
}
