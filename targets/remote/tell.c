/*
 * Telling the engine. Between two stands of the stub stands tl_remote_flush, at the end of each turn in which something
 * happened: while the stub stands, everything that the engine does not know yet is posted, thread by thread; those that
 * were asked to stop are told to stand, as they do; and when nothing is left to tell, those that run for the engine are
 * set going with one packet.
 */
#include "targets/remote/state.h"

/* A stop that goes on for ever in one turn would keep the client's ^C waiting. */
#define POSTS_PER_TURN 4096

/* A step off a hardware breakpoint is done, or something else happened in it. False: the thread runs on, untold. */
static bool passed(struct remote_target *target, struct remote_thread *thread, const struct tl_event *event)
{
	bool done = event->kind == TL_EVENT_STEPPED;

	if (!thread->passing)
		return true;
	thread->passing = false;
	if (!done)
		return true;
	thread->request.over_hardware = false;
	(void)target;
	return tl_remote_is_step(thread);
}

static void put_watchpoints_back(struct remote_target *target, struct remote_process *process)
{
	for (tl_size i = 0; i < process->point_count; i++)
		if (process->points[i].wire >= TL_POINT_WRITE)
			(void)tl_remote_set_out(target, process, &process->points[i], false);
}

static void put_back(struct remote_target *target)
{
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];
		struct remote_process *process = thread->process;

		if (thread->accessing)
			put_watchpoints_back(target, process);
		if (!thread->passing)
			continue;
		for (tl_size n = 0; n < process->point_count; n++)
			if (process->points[n].wire == TL_POINT_HARDWARE &&
			    process->points[n].address == thread->passed)
				(void)tl_remote_set_out(target, process, &process->points[n], false);
		if (!thread->has_stop)
			thread->passing = false;
	}
}

/*
 * Stubs of these CPUs stop in front of the access, as gdb expects; backwards that is where it is to be told. True: the
 * thread has yet to make it, in tl_remote_go.
 */
static bool stops_before_access(const struct remote_target *target, const struct remote_thread *thread)
{
	const struct tl_cpu *cpu = thread->process->layout.cpu;

	return thread->stop.kind == STOP_SIGNAL && thread->stop.reason == REASON_WATCH && !target->access_done &&
	       cpu != NULL && cpu->gdb_steps_past_watchpoints && !tl_remote_is_backward(thread) && target->vcont &&
	       target->can_step;
}

/* The access was made, or something else happened in its place, which is told instead. */
static void end_access(struct remote_thread *thread)
{
	const struct stop_reply *stop = &thread->stop;
	bool stepped = stop->kind == STOP_SIGNAL && stop->signal == REMOTE_SIGNAL_TRAP &&
		       (stop->reason == REASON_NONE || stop->reason == REASON_WATCH);

	thread->accessing = false;
	if (stepped)
		thread->stop = thread->access;
}

static void post(struct remote_target *target, const struct tl_event *event)
{
	tl_engine_post(target->target.engine, event);
}

/* Tells what is gone. */
static bool tell_ends(struct remote_target *target)
{
	for (tl_size i = 0; i < target->process_count; i++) {
		struct remote_process *process = target->processes[i];
		struct tl_event end = process->end;
		bool told = process->told;

		if (!process->has_end)
			continue;
		tl_remote_remove_process(target, process);
		if (told)
			post(target, &end);
		return true;
	}
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];
		struct tl_event end = {.kind = TL_EVENT_THREAD_EXITED, .thread = tl_remote_id(thread)};
		bool told = thread->told;

		if (!thread->ended)
			continue;
		tl_remote_remove_thread(target, thread);
		if (told)
			post(target, &end);
		return true;
	}
	return false;
}

static bool tell_births(struct remote_target *target)
{
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];
		struct tl_event event = {.kind = TL_EVENT_THREAD_CREATED, .thread = tl_remote_id(thread)};

		/* A process that nobody announced, as an exec's leader or a fork's child is in the list first. */
		if (thread->told || !thread->process->told || (thread->has_stop && thread->stop.reason == REASON_EXEC))
			continue;
		thread->told = true;
		if (thread->has_stop && thread->stop.reason == REASON_CREATE)
			thread->has_stop = false;
		post(target, &event);
		return true;
	}
	return false;
}

static bool tell_stops(struct remote_target *target)
{
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];
		bool exec = thread->has_stop && thread->stop.reason == REASON_EXEC;
		struct tl_event event;

		if (!thread->has_stop || !(thread->running || exec))
			continue;
		if (thread->accessing) {
			end_access(thread);
		} else if (stops_before_access(target, thread)) {
			thread->accessing = true;
			thread->access = thread->stop;
			thread->has_stop = false;
			return true;
		}
		event = tl_remote_interpret(target, thread);
		if (tl_remote_link_ended(&target->link))
			return false;
		thread->has_stop = false;
		if (!passed(target, thread, &event))
			return true;
		thread->running = thread->stop_asked = false;
		post(target, &event);
		return true;
	}
	return false;
}

/* Some thread is to stand, or does: then the stub's list of threads is of interest. */
static bool wants_list(const struct remote_target *target)
{
	for (tl_size i = 0; i < target->thread_count; i++)
		if (!target->threads[i]->running || target->threads[i]->stop_asked)
			return true;
	return target->nobody;
}

static bool any_seen(const struct remote_target *target, const struct remote_process *process)
{
	for (tl_size i = 0; i < target->thread_count; i++)
		if (target->threads[i]->process == process && target->threads[i]->seen)
			return true;
	return false;
}

static bool list(struct remote_target *target)
{
	enum tl_status status;

	if (target->listed || !wants_list(target))
		return false;
	target->listed = true;
	status = tl_remote_read_threads(target);
	/* What could not be read says nothing of who is gone; nor does a process without any thread, whose end comes.
	 */
	for (tl_size i = 0; i < target->thread_count && status == TL_OK; i++) {
		struct remote_thread *thread = target->threads[i];

		thread->ended |= !thread->seen && any_seen(target, thread->process);
	}
	if (target->nobody)
		tl_remote_mark_unanswered(target, TL_ERROR_NO_THREAD);
	target->nobody = false;
	return true;
}

static bool tell_pauses(struct remote_target *target)
{
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];
		struct tl_event event = {.kind = TL_EVENT_PAUSED, .thread = tl_remote_id(thread)};

		if (!thread->running || !thread->stop_asked || thread->accessing)
			continue;
		thread->running = thread->stop_asked = false;
		post(target, &event);
		return true;
	}
	return false;
}

static bool any_running(const struct remote_target *target)
{
	for (tl_size i = 0; i < target->thread_count; i++)
		if (target->threads[i]->running)
			return true;
	return false;
}

/* Nothing is left to be debugged: a stub that closes the line then does what is expected. */
static bool all_ended(const struct remote_target *target)
{
	for (tl_size i = 0; i < target->process_count; i++)
		if (!target->processes[i]->has_end)
			return false;
	return !target->extended && target->process_count != 0;
}

/* The connection has ended, and with it, for the engine, everything behind it. */
static void lose(struct remote_target *target)
{
	bool quiet = target->over || target->lost_told || all_ended(target);

	target->lost_told = true;
	tl_source_remove(target->reader);
	tl_source_remove(target->impatient);
	target->reader = target->impatient = NULL;
	if (!quiet && target->options.lost != NULL)
		target->options.lost(target->options.context, target->link.lost.text);
	while (target->process_count > 0) {
		struct remote_process *process = target->processes[0];
		struct tl_event event = {.kind = TL_EVENT_PROCESS_KILLED,
					 .thread = {process->id, process->id},
					 .signal = REMOTE_SIGNAL_HANGUP};

		/* What it said before the end is the truth. */
		if (process->has_end)
			event = process->end;
		for (tl_size i = target->thread_count; i-- > 0 && !process->has_end;)
			if (target->threads[i]->process == process)
				event.thread = tl_remote_id(target->threads[i]);
		if (!process->told)
			event.kind = TL_EVENT_NONE;
		tl_remote_remove_process(target, process);
		if (event.kind != TL_EVENT_NONE)
			post(target, &event);
	}
}

void tl_remote_flush(void *context, struct tl_source *source)
{
	struct remote_target *target = context;
	bool more = true;

	(void)source;
	if (target->flushing || target->target.engine == NULL)
		return;
	target->flushing = true;
	if (!target->running && !tl_remote_link_ended(&target->link))
		put_back(target);
	for (tl_size n = 0; n < POSTS_PER_TURN && more && !tl_remote_link_ended(&target->link); n++)
		more = !target->running && (tell_ends(target) || tell_births(target) || tell_stops(target) ||
					    list(target) || tell_pauses(target));
	target->flushing = false;
	if (!tl_remote_link_ended(&target->link) && !target->running && !more && any_running(target)) {
		enum tl_status status = tl_remote_go(target);

		if (status != TL_OK && !tl_remote_link_ended(&target->link)) {
			tl_remote_mark_unanswered(target, status);
			more = true;
		}
	}
	if (tl_remote_link_ended(&target->link))
		lose(target);
	else if (more)
		tl_source_trigger(target->flusher);
	/* Read together with the answer to something. */
	else if (target->running && tl_remote_link_has_input(&target->link))
		tl_remote_readable(target, target->reader, target->link.in, TL_READABLE);
}
