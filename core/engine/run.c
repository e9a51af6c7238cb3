#include "core/engine/internal.h"

/* Of threads counted by their states, how many are out of hand: they run, or will without a word of the client's. */
static tl_size out_of_hand(const tl_size states[TL_THREAD_STATE_MAX])
{
	return states[TL_THREAD_RUNNING] + states[TL_THREAD_STOPPING] + states[TL_THREAD_OVER] + states[TL_THREAD_HELD];
}

bool tl_run_standstill(const struct tl_engine *engine, const struct process *process)
{
	if (process->unattended || process->parking)
		return process->parking;
	return engine->parking || (!engine->settings.non_stop && !engine->owed);
}

bool tl_engine_quiet(const struct tl_engine *engine)
{
	tl_size count = out_of_hand(engine->states);

	for (tl_size i = 0; i < engine->process_count && count != 0 && engine->unattended != 0; i++)
		if (engine->processes[i]->unattended)
			count -= out_of_hand(engine->processes[i]->states);
	return count == 0;
}

bool tl_engine_process_quiet(const struct tl_engine *engine, tl_u64 id)
{
	const struct process *process = tl_engine_process(engine, id);

	return process == NULL || out_of_hand(process->states) == 0;
}

bool tl_engine_running(const struct tl_engine *engine)
{
	return engine->settings.non_stop ? !tl_engine_quiet(engine) : engine->owed;
}

/* ---- Stopping ---- */

static enum tl_status ask_to_stop(struct tl_engine *engine, struct thread *thread)
{
	enum tl_status status = TL_OK;

	if (thread->stop_sent)
		return TL_OK;
	/* A thread that cannot be asked cannot be waited for either: a passing failure gets another chance. */
	for (int attempt = 0; attempt < 3; attempt++) {
		status = engine->target->ops->stop(engine->target, thread->id);
		if (status == TL_OK || status == TL_ERROR_GONE)
			break;
	}
	thread->stop_sent = status == TL_OK;
	return status;
}

void tl_run_stop(struct tl_engine *engine, struct thread *thread)
{
	tl_engine_set_state(engine, thread, TL_THREAD_STOPPING);
	(void)ask_to_stop(engine, thread);
}

/* Whether a parking is for the process: of `only`, or where that is NULL of all that are attended to. */
static bool concerns(const struct process *only, const struct process *process)
{
	return only != NULL ? process == only : !process->unattended;
}

static void park(struct tl_engine *engine, const struct process *only)
{
	/* A step over a point that has not begun is put off; one that has is let end, and is asked to hurry. */
	if (engine->over != NULL && engine->over->state == TL_THREAD_HELD && concerns(only, engine->over->process))
		engine->over = NULL;
	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];

		if (!concerns(only, thread->process))
			continue;
		thread->wants_over = false;
		if (thread->state == TL_THREAD_RUNNING)
			tl_run_stop(engine, thread);
		else if (thread->state == TL_THREAD_OVER)
			(void)ask_to_stop(engine, thread);
		else if (thread->state == TL_THREAD_HELD)
			tl_engine_set_state(engine, thread, TL_THREAD_PARKED);
	}
}

void tl_run_park(struct tl_engine *engine)
{
	if (engine->parking)
		return;
	engine->parking = true;
	park(engine, NULL);
}

void tl_run_settle(struct tl_engine *engine, struct thread *thread)
{
	struct tl_report report = {.event = {.kind = TL_EVENT_PAUSED, .thread = thread->id}};

	if (thread->interrupted) {
		report.event.kind = TL_EVENT_SIGNAL;
		report.event.signal = 2;
		report.asked = true;
		tl_run_report(engine, thread, &report);
	} else if (thread->stop_asked) {
		tl_run_report(engine, thread, &report);
	} else if (tl_run_standstill(engine, thread->process)) {
		tl_engine_set_state(engine, thread, TL_THREAD_PARKED);
	} else {
		tl_pass_start(engine, thread);
	}
}

void tl_engine_pause(struct tl_engine *engine)
{
	tl_run_park(engine);
	tl_pass_release(engine);
	/* Whoever asked hears of it when all stand, unless they do already. */
	engine->pausing = !tl_engine_quiet(engine);
	tl_run_check(engine);
}

void tl_engine_pause_process(struct tl_engine *engine, tl_u64 id)
{
	struct process *process = tl_engine_process(engine, id);

	if (process == NULL)
		return;
	process->parking = true;
	park(engine, process);
	tl_pass_release(engine);
	process->pausing = !tl_engine_process_quiet(engine, id);
	engine->pausing_process |= process->pausing;
	tl_run_check(engine);
}

/* A pause that somebody waits for has come to its end. */
static bool pause_ended(struct tl_engine *engine)
{
	bool ended = engine->pausing && tl_engine_quiet(engine), waiting = false;

	if (ended)
		engine->pausing = false;
	for (tl_size i = 0; i < engine->process_count && engine->pausing_process; i++) {
		struct process *process = engine->processes[i];

		if (!process->pausing)
			continue;
		process->pausing = out_of_hand(process->states) != 0;
		ended |= !process->pausing;
		waiting |= process->pausing;
	}
	engine->pausing_process = waiting;
	return ended;
}

static bool moves(const struct thread *thread)
{
	return !tl_engine_stands(thread) || thread->state == TL_THREAD_HELD;
}

/* Non-stop: makes one thread that moves stop and tell. */
static void stop_one(struct tl_engine *engine, struct thread *thread)
{
	if (thread->state == TL_THREAD_HELD) {
		if (engine->over == thread)
			engine->over = NULL;
		thread->wants_over = false;
		tl_run_settle(engine, thread);
	} else if (thread->state == TL_THREAD_RUNNING) {
		tl_run_stop(engine, thread);
	} else if (thread->state == TL_THREAD_OVER) {
		(void)ask_to_stop(engine, thread);
	}
}

/*
 * The thread that a ^C of non-stop is for: the eldest that moves; else one whose hit waits to be told, which may yet be
 * forgotten with its point.
 */
static struct thread *to_interrupt(const struct tl_engine *engine)
{
	struct thread *waiting = NULL;

	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];

		if (thread->interrupted || thread->process->unattended)
			continue;
		if (moves(thread))
			return thread;
		if (thread->state == TL_THREAD_WAITING && waiting == NULL)
			waiting = thread;
	}
	return waiting;
}

void tl_run_summon(struct tl_engine *engine, struct process *process)
{
	if (!engine->settings.non_stop) {
		engine->owed = engine->parking = true;
		park(engine, process);
	}
	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];

		if (thread->process != process || !thread->stop_asked)
			continue;
		if (thread->state == TL_THREAD_PARKED)
			tl_run_settle(engine, thread);
		else
			stop_one(engine, thread);
	}
	tl_pass_release(engine);
	tl_run_check(engine);
}

enum tl_status tl_engine_set_non_stop(struct tl_engine *engine, bool on)
{
	engine->settings.non_stop = on;
	/* What waited for the next resume can be told at once. */
	if (on)
		tl_run_check(engine);
	else
		tl_engine_pause(engine);
	return TL_OK;
}

void tl_engine_interrupt(struct tl_engine *engine)
{
	if (!engine->settings.non_stop) {
		if (!engine->owed)
			return;
		engine->interrupt = true;
		tl_run_park(engine);
	} else {
		struct thread *thread = to_interrupt(engine);

		if (thread != NULL) {
			thread->interrupted = true;
			stop_one(engine, thread);
		}
	}
	tl_pass_release(engine);
	tl_run_check(engine);
}

/* ---- Reports ---- */

/* Nobody is there to be told: the program is given what it would get if it were not traced, and runs on. */
static void pass_on(struct tl_engine *engine, struct thread *thread, const struct tl_report *report)
{
	const struct tl_event *event = &report->event;

	if (event->kind == TL_EVENT_SIGNAL)
		thread->deliver = event->signal;
	if (tl_event_class(event->kind) == TL_EVENT_CLASS_LEVEL) {
		thread->dealt = true;
		thread->dealt_address = event->address;
	}
	/* One that cannot be set going stands until somebody comes: another attempt would end the same way. */
	if (event->kind == TL_EVENT_PAUSED && report->condition_error != TL_OK)
		tl_engine_set_state(engine, thread, TL_THREAD_PARKED);
	else
		tl_run_settle(engine, thread);
}

void tl_run_report(struct tl_engine *engine, struct thread *thread, const struct tl_report *report)
{
	if (thread->process->unattended) {
		pass_on(engine, thread, report);
		return;
	}
	thread->pending = *report;
	thread->stop_asked = thread->interrupted = false;
	thread->sequence = ++engine->sequence;
	tl_engine_set_state(engine, thread, TL_THREAD_WAITING);
	if (!engine->settings.non_stop)
		tl_run_park(engine);
}

void tl_run_report_gone(struct tl_engine *engine, const struct tl_report *report)
{
	void *gone = engine->gone;

	if (engine->gone_count == engine->gone_capacity) {
		/* Room for exits of processes is there always; one thread's exit may go untold. */
		if (!tl_grow(&engine->host.allocator, &gone, &engine->gone_capacity, engine->gone_count,
			     sizeof(*engine->gone)))
			return;
		engine->gone = gone;
	}
	engine->gone[engine->gone_count++] = (struct gone){*report, ++engine->sequence};
	if (!engine->settings.non_stop)
		tl_run_park(engine);
}

static bool tells_exit(const struct gone *gone, tl_u64 process)
{
	const struct tl_event *event = &gone->report.event;

	return (event->kind == TL_EVENT_PROCESS_EXITED || event->kind == TL_EVENT_PROCESS_KILLED) &&
	       (process == TL_ANY || event->thread.process == process);
}

tl_u64 tl_engine_untold_exit(const struct tl_engine *engine, tl_u64 process)
{
	for (tl_size i = 0; i < engine->gone_count; i++)
		if (tells_exit(&engine->gone[i], process))
			return engine->gone[i].report.event.thread.process;
	return 0;
}

enum tl_status tl_run_drop_exit(struct tl_engine *engine, tl_u64 process)
{
	for (tl_size i = 0; i < engine->gone_count; i++) {
		if (!tells_exit(&engine->gone[i], process))
			continue;
		engine->gone_count--;
		tl_move(&engine->gone[i], &engine->gone[i + 1], (engine->gone_count - i) * sizeof(*engine->gone));
		return TL_OK;
	}
	return TL_ERROR_NO_PROCESS;
}

/*
 * A level event that would not happen again, or perhaps not: its point is gone, or has conditions by now that the hit
 * has not met, or the program counter was moved.
 */
static bool outdated(struct tl_engine *engine, struct thread *thread)
{
	const struct tl_event *event = &thread->pending.event;
	enum tl_point_kind kind = event->kind == TL_EVENT_TRAP ? TL_POINT_SOFTWARE : TL_POINT_HARDWARE;
	const struct engine_point *point;
	tl_u64 at = 0;

	if (tl_event_class(event->kind) != TL_EVENT_CLASS_LEVEL)
		return false;
	point = tl_points_find(thread->process->space, event->address, KIND_BIT(kind));
	return point == NULL || (point->conditions.count != 0 && point->since > thread->sequence) ||
	       tl_engine_program_counter(engine, thread, &at) != TL_OK || at != event->address;
}

/* Forgets a pending event that is outdated. The thread is then PARKED. */
static bool drop_outdated(struct tl_engine *engine, struct thread *thread)
{
	struct tl_note note = {.kind = TL_NOTE_DROPPED, .thread = thread->id, .event = &thread->pending.event};

	if (thread->state != TL_THREAD_WAITING || !outdated(engine, thread))
		return false;
	engine->counters.stale++;
	tl_engine_note(engine, &note);
	tl_engine_set_state(engine, thread, TL_THREAD_PARKED);
	return true;
}

void tl_run_check(struct tl_engine *engine)
{
	bool ready;

	if (engine->settings.non_stop)
		ready = engine->states[TL_THREAD_WAITING] != 0 || engine->gone_count != 0 || engine->no_resumed;
	else
		ready = engine->owed && tl_engine_quiet(engine);
	ready = ready && !engine->told;
	engine->told |= ready;
	ready |= pause_ended(engine);
	if (ready && engine->host.ready != NULL)
		engine->host.ready(engine->host.context);
}

static bool stepped(const struct thread *thread)
{
	return thread->plan == TL_ACTION_STEP || thread->plan == TL_ACTION_RANGE;
}

/* Who waits longest, a thread that was stepping before any other. */
static struct thread *first_waiting(const struct tl_engine *engine)
{
	struct thread *best = NULL;

	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];

		if (thread->state != TL_THREAD_WAITING || (!engine->settings.non_stop && !thread->resumed))
			continue;
		if (best == NULL || (stepped(thread) && !stepped(best)) ||
		    (stepped(thread) == stepped(best) && thread->sequence < best->sequence))
			best = thread;
	}
	return best;
}

static void take_thread(struct tl_engine *engine, struct thread *thread, struct tl_report *report_ret)
{
	*report_ret = thread->last = thread->pending;
	thread->stop_asked = thread->interrupted = false;
	/* Hit again at once by a machine that passes points, it would keep its siblings from ever running. */
	if ((engine->settings.pass_reported || (engine->capabilities & TL_CAN_PASS_POINTS) != 0) &&
	    tl_event_class(thread->last.event.kind) == TL_EVENT_CLASS_LEVEL) {
		thread->dealt = true;
		thread->dealt_address = thread->last.event.address;
	}
	thread->step_done = engine->settings.steps_past_watchpoints &&
			    thread->process->facts.cpu->gdb_steps_past_watchpoints &&
			    thread->last.event.kind == TL_EVENT_WATCHPOINT;
	tl_engine_set_state(engine, thread, TL_THREAD_PARKED);
}

/* Who speaks for all when nobody has anything to tell: the eldest that the resume was for, if one is left. */
static struct thread *spokesman(const struct tl_engine *engine)
{
	struct thread *eldest = NULL;

	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];

		if (thread->process->unattended)
			continue;
		if (thread->resumed)
			return thread;
		if (eldest == NULL)
			eldest = thread;
	}
	return eldest;
}

/* All-stop, and nobody has anything to tell: what was it that ended the resume? */
static void make_report(struct tl_engine *engine, struct tl_report *report_ret)
{
	struct thread *eldest = spokesman(engine);

	*report_ret = (struct tl_report){.event = {.kind = TL_EVENT_PAUSED}};
	if (eldest == NULL || !engine->parking) {
		report_ret->no_resumed = true;
		return;
	}
	report_ret->event.thread = eldest->id;
	if (engine->interrupt) {
		report_ret->event.kind = TL_EVENT_SIGNAL;
		report_ret->event.signal = 2;
		report_ret->asked = true;
	}
	eldest->last = *report_ret;
}

static void took(struct tl_engine *engine, const struct tl_report *report)
{
	struct tl_note note = {.kind = TL_NOTE_REPORT, .thread = report->event.thread, .event = &report->event};

	engine->told = false;
	engine->counters.reports++;
	if (!report->no_resumed)
		engine->last_told = report->event.thread;
	tl_engine_note(engine, &note);
	if (!engine->settings.non_stop)
		engine->owed = engine->interrupt = false;
	else
		tl_run_check(engine);
}

struct tl_thread_id tl_engine_last_told(const struct tl_engine *engine)
{
	return engine->last_told;
}

bool tl_engine_take_report(struct tl_engine *engine, struct tl_report *report_ret)
{
	struct thread *thread;

	if (!engine->settings.non_stop && (!engine->owed || !tl_engine_quiet(engine)))
		return false;
	while ((thread = first_waiting(engine)) != NULL && engine->settings.non_stop && drop_outdated(engine, thread)) {
		tl_run_settle(engine, thread);
		tl_pass_advance(engine);
		tl_pass_release(engine);
	}
	if (engine->gone_count != 0 && (thread == NULL || engine->gone[0].sequence < thread->sequence)) {
		*report_ret = engine->gone[0].report;
		engine->gone_count--;
		tl_move(&engine->gone[0], &engine->gone[1], engine->gone_count * sizeof(*engine->gone));
	} else if (thread != NULL) {
		take_thread(engine, thread, report_ret);
	} else if (!engine->settings.non_stop) {
		make_report(engine, report_ret);
	} else if (engine->no_resumed) {
		engine->no_resumed = false;
		*report_ret = (struct tl_report){.no_resumed = true};
	} else {
		engine->told = false;
		return false;
	}
	took(engine, report_ret);
	return true;
}

static bool told_beside_others(enum tl_event_kind kind)
{
	return kind == TL_EVENT_TRAP || kind == TL_EVENT_HARDWARE_BREAKPOINT || kind == TL_EVENT_WATCHPOINT ||
	       kind == TL_EVENT_STEPPED || kind == TL_EVENT_SIGNAL;
}

bool tl_engine_take_waiting(struct tl_engine *engine, struct tl_thread_id id, struct tl_report *report_ret)
{
	struct thread *thread = tl_engine_thread(engine, id);
	struct tl_note note = {.kind = TL_NOTE_REPORT, .thread = id};

	if (engine->settings.non_stop || engine->owed || thread == NULL || thread->state != TL_THREAD_WAITING ||
	    !told_beside_others(thread->pending.event.kind) || drop_outdated(engine, thread))
		return false;
	take_thread(engine, thread, report_ret);
	engine->counters.reports++;
	note.event = &report_ret->event;
	tl_engine_note(engine, &note);
	return true;
}

/* ---- Resuming ---- */

static const struct tl_action *action_for(const struct tl_action *actions, tl_size count, const struct thread *thread)
{
	for (tl_size i = 0; i < count && !thread->process->unattended; i++)
		if (tl_engine_matches(actions[i].filter, thread->id))
			return &actions[i];
	return NULL;
}

static void set_plan(struct thread *thread, const struct tl_action *action)
{
	/* What it was last stopped for is over. */
	thread->last = (struct tl_report){.event = {.kind = TL_EVENT_PAUSED, .thread = thread->id}};
	thread->plan = action->kind;
	thread->range_start = action->start;
	thread->range_end = action->end;
	/* A signal that the engine was about to pass on is not lost to a resume without one. */
	if (action->signal != 0)
		thread->deliver = action->signal;
}

/* Whether a watchpoint is still there whose hit the thread told of last. */
static bool still_watched(const struct thread *thread)
{
	const struct space *space = thread->process->space;

	for (tl_size i = 0; i < space->point_count; i++) {
		const struct engine_point *point = space->points[i];

		for (tl_u8 n = 0; n < thread->last.hit_count && (KINDS_DATA & KIND_BIT(point->kind)) != 0; n++)
			if (tl_overlap(point->address, point->size, thread->last.hit_addresses[n], 1))
				return true;
	}
	return false;
}

/*
 * A step over the access of a watchpoint, which was done before it was told: it ends where the thread stands, and
 * nothing else runs for it either. A client that leaves its watchpoint in means a step of its own.
 */
static bool end_done_step(struct tl_engine *engine, struct thread *thread, const struct tl_action *action)
{
	struct tl_report report = {.event = {.kind = TL_EVENT_STEPPED, .thread = thread->id}};
	/* It goes on in the direction in which the access was met. */
	bool backwards = thread->plan == TL_ACTION_STEP_BACK || thread->plan == TL_ACTION_CONTINUE_BACK;
	bool steps = backwards ? action->kind == TL_ACTION_STEP_BACK
			       : action->kind == TL_ACTION_STEP || action->kind == TL_ACTION_RANGE;

	if (!thread->step_done || thread->state != TL_THREAD_PARKED)
		return false;
	thread->step_done = false;
	if (!steps || action->signal != 0 || still_watched(thread))
		return false;
	set_plan(thread, action);
	tl_run_report(engine, thread, &report);
	return true;
}

/* All-stop: events that nobody was told of come before anything runs. */
static enum tl_status resume_all_stop(struct tl_engine *engine, const struct tl_action *actions, tl_size count)
{
	tl_size matched = 0;
	bool pending = engine->gone_count != 0;

	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];
		const struct tl_action *action = action_for(actions, count, thread);

		thread->resumed = action != NULL;
		if (!thread->resumed || !tl_engine_stands(thread))
			continue;
		thread->process->parking = false;
		matched++;
		(void)drop_outdated(engine, thread);
		(void)end_done_step(engine, thread, action);
		pending |= thread->state == TL_THREAD_WAITING;
	}
	if (matched == 0 && !pending)
		return TL_ERROR_NO_THREAD;
	engine->owed = true;
	engine->parking = pending;
	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];
		const struct tl_action *action = action_for(actions, count, thread);

		if (action == NULL || action->kind == TL_ACTION_STOP || thread->state != TL_THREAD_PARKED)
			continue;
		if (engine->parking) {
			/* The client takes it for delivered, and will not give it again. */
			if (action->signal != 0)
				thread->deliver = action->signal;
			continue;
		}
		set_plan(thread, action);
		tl_pass_start(engine, thread);
	}
	return TL_OK;
}

enum tl_status tl_engine_pass_here(struct tl_engine *engine, struct tl_thread_id id)
{
	struct thread *thread = tl_engine_thread(engine, id);

	if (thread == NULL)
		return TL_ERROR_NO_THREAD;
	if (!tl_engine_stands(thread))
		return TL_ERROR_RUNNING;
	TL_TRY(tl_engine_program_counter(engine, thread, &thread->dealt_address));
	thread->dealt = true;
	return TL_OK;
}

void tl_engine_unheard(struct tl_engine *engine, const struct tl_event *event)
{
	engine->unheard = engine->unheard_child = (struct tl_thread_id){0, 0};
	if (event == NULL)
		return;
	engine->unheard = event->thread;
	if (event->kind == TL_EVENT_FORK || event->kind == TL_EVENT_VFORK || event->kind == TL_EVENT_CLONE)
		engine->unheard_child = event->child;
}

/* Whether an action cannot have meant the thread, as the client did not know how it stands with it. */
static bool passes_by(const struct tl_engine *engine, const struct tl_action *action, const struct thread *thread)
{
	/* A birth that nobody was told of. */
	if (tl_engine_hidden(engine, thread))
		return true;
	return action->filter.thread == TL_ANY && (tl_engine_thread(engine, engine->unheard) == thread ||
						   tl_engine_thread(engine, engine->unheard_child) == thread);
}

static enum tl_status resume_non_stop(struct tl_engine *engine, const struct tl_action *actions, tl_size count)
{
	tl_size matched = 0;

	engine->parking = false;
	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];
		const struct tl_action *action = action_for(actions, count, thread);

		if (action == NULL)
			continue;
		matched++;
		if (passes_by(engine, action, thread))
			continue;
		if (action->kind == TL_ACTION_STOP) {
			/* What waits to be told may be forgotten with its point: then the thread tells of this. */
			thread->stop_asked = moves(thread) || thread->state == TL_THREAD_WAITING;
			stop_one(engine, thread);
		} else if (thread->state == TL_THREAD_PARKED) {
			thread->process->parking = false;
			if (end_done_step(engine, thread, action))
				continue;
			set_plan(thread, action);
			tl_pass_start(engine, thread);
		}
	}
	return matched != 0 ? TL_OK : TL_ERROR_NO_THREAD;
}

enum tl_status tl_engine_resume(struct tl_engine *engine, const struct tl_action *actions, tl_size count)
{
	enum tl_status status;

	if ((engine->capabilities & TL_CAN_RUN) == 0)
		return TL_ERROR_UNSUPPORTED;
	if (!engine->settings.non_stop && (engine->owed || !tl_engine_quiet(engine)))
		return TL_ERROR_RUNNING;
	engine->no_resumed = false;
	status = engine->settings.non_stop ? resume_non_stop(engine, actions, count)
					   : resume_all_stop(engine, actions, count);
	tl_pass_advance(engine);
	tl_pass_release(engine);
	tl_run_check(engine);
	return status;
}
