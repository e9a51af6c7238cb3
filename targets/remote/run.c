/*
 * Stopping the stub, and what comes while it runs. It stands as a whole or runs as a whole; the engine has threads that
 * stand and threads that run: see tell.c for how the two meet.
 */
#include "targets/remote/state.h"

/* GDB's number for "no such system call" among those of files. */
#define FILE_REFUSED "F-1,58"

/* ---- What came ---- */

static void end_process(struct remote_target *target, const struct stop_reply *reply)
{
	struct tl_thread_id id = tl_remote_qualify(target, reply->thread);
	struct remote_process *process = tl_remote_find_process(target, id.process);

	if (process == NULL)
		return;
	process->has_end = true;
	process->end = (struct tl_event){.kind = reply->kind == STOP_EXITED ? TL_EVENT_PROCESS_EXITED
									    : TL_EVENT_PROCESS_KILLED,
					 .thread = {process->id, process->id},
					 .code = reply->code,
					 .signal = reply->signal};
	for (tl_size i = target->thread_count; i-- > 0;)
		if (target->threads[i]->process == process)
			process->end.thread = tl_remote_id(target->threads[i]);
}

/* The thread that a stop reply is about. Where it names none: one that was to step, or the eldest that ran. */
static struct remote_thread *stopped_thread(struct remote_target *target, const struct stop_reply *reply)
{
	struct remote_thread *found = NULL;

	if (reply->has_thread && reply->thread.thread != TL_ANY && reply->thread.thread != 0)
		return tl_remote_add_thread(target, tl_remote_qualify(target, reply->thread));
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];

		if (!thread->running ||
		    (reply->has_thread && reply->thread.process != 0 && reply->thread.process != thread->process->id))
			continue;
		if (thread->request.run == TL_RUN_STEP)
			return thread;
		if (found == NULL)
			found = thread;
	}
	return found;
}

/* Whether a stop is the answer to our own ^C, and nothing that happened to the program. */
static bool is_own_interrupt(struct remote_target *target, const struct stop_reply *reply)
{
	bool looks_so = reply->reason == REASON_NONE &&
			(reply->signal == REMOTE_SIGNAL_INTERRUPT || (reply->signal == 0 && target->interrupted));
	bool awaited = target->interrupted || target->interrupt_astray;

	/* Something else came first. gdbserver then has the ^C in store, and stops with it another time. */
	target->interrupt_astray = awaited && !looks_so;
	target->interrupted = false;
	return awaited && looks_so;
}

/*
 * One thread alone has made one step, and no system call in it (of two bytes, on x86-64): there are no more threads
 * than before, and no fewer. That saves the list at each of many steps.
 */
static bool nobody_new(const struct remote_target *target, const struct remote_thread *thread,
		       const struct stop_reply *reply)
{
	tl_u64 at = 0;

	return target->alone && reply->reason == REASON_NONE && reply->signal == REMOTE_SIGNAL_TRAP &&
	       thread->running && thread->step_known && thread->process->layout.cpu == &tl_cpu_x86_64 &&
	       tl_remote_peek_program_counter(thread, &at) && at - thread->step_from != 2;
}

static void thread_stopped(struct remote_target *target, struct stop_reply *reply)
{
	bool interrupted = target->interrupted;
	bool own = is_own_interrupt(target, reply);
	struct remote_thread *thread = stopped_thread(target, reply);

	if (thread == NULL)
		return;
	tl_remote_take_registers(target, thread, reply->pairs);
	target->listed = nobody_new(target, thread, reply);
	reply->pairs = tl_cursor_make(NULL, 0);
	if (own)
		return;
	thread->has_stop = true;
	thread->after_interrupt = interrupted;
	thread->stop = *reply;
}

/*
 * One thread says so, the one that was to step if there is one: when that is told, the engine asks the others to stop,
 * and they do. Were each to say so, each would be told of at a resume of its own.
 */
void tl_remote_mark_unanswered(struct remote_target *target, enum tl_status status)
{
	struct remote_thread *found = NULL;

	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];

		if (thread->running && !thread->has_stop && thread->told &&
		    (found == NULL || (tl_remote_is_step(thread) && !tl_remote_is_step(found))))
			found = thread;
	}
	if (found == NULL)
		return;
	found->has_stop = true;
	found->stop = (struct stop_reply){.kind = STOP_NOT, .code = (tl_i32)status};
}

/* Why the stub does not run, in its own words, where it has some: the engine's event has no room for them. */
static void tell_refusal(struct remote_target *target)
{
	struct tl_cursor text = tl_remote_answer_text(target);

	if (!tl_cursor_accept_text(&text, "E.") || target->options.output == NULL)
		return;
	target->options.output(target->options.context, (const char *)text.at, tl_cursor_left(&text));
	target->options.output(target->options.context, "\n", 1);
}

/* A packet while the stub runs. Afterwards it runs still or stands, with what there is to tell noted. */
static void take_packet(struct remote_target *target)
{
	struct stop_reply reply = tl_remote_stop_read(target->link.packet, target->link.packet_size);
	struct tl_cursor text = tl_remote_answer_text(target);
	struct remote_thread *thread;
	struct tl_writer writer;

	target->listed = false;
	switch (reply.kind) {
	case STOP_OUTPUT:
		(void)tl_cursor_byte(&text);
		tl_remote_output(target, text);
		return;
	case STOP_FILE:
		writer = tl_remote_question(target);
		tl_write_text(&writer, FILE_REFUSED);
		(void)tl_remote_link_send(&target->link, tl_writer_size(&writer));
		return;
	case STOP_NOT:
		/* An OK of its own invention aside, it is an answer to what was to set it going: it does not go. */
		if (tl_cursor_equals(&text, "OK"))
			return;
		tell_refusal(target);
		tl_remote_mark_unanswered(target, TL_ERROR_STATE);
		break;
	case STOP_SIGNAL:
		thread_stopped(target, &reply);
		break;
	case STOP_EXITED:
	case STOP_KILLED:
		end_process(target, &reply);
		break;
	case STOP_THREAD_EXITED:
		thread = tl_remote_find_thread(target, tl_remote_qualify(target, reply.thread));
		if (thread != NULL)
			thread->ended = true;
		break;
	case STOP_NO_RESUMED:
		target->nobody = true;
		break;
	}
	target->running = false;
	target->alone = false;
	target->general_known = false;
	tl_source_remove(target->impatient);
	target->impatient = NULL;
}

void tl_remote_readable(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct remote_target *target = context;
	bool got = true;

	(void)source, (void)descriptor, (void)ready;
	while (got && tl_remote_link_poll(&target->link, &got) == TL_OK && got) {
		/* What comes while the stub stands and nobody asked means nothing. */
		if (target->running)
			take_packet(target);
		got = tl_remote_link_has_input(&target->link);
	}
	if (!target->running)
		tl_source_trigger(target->flusher);
	if (tl_remote_link_ended(&target->link))
		tl_source_trigger(target->flusher);
}

/* ---- Stopping ---- */

static void impatient(void *context, struct tl_source *source)
{
	struct remote_target *target = context;

	tl_source_remove(source);
	target->impatient = NULL;
	(void)REMOTE_LINK_FAIL(&target->link, TL_ERROR_TIMEOUT,
			       "the stub did not stop within %llu ms of a ^C: the connection is given up",
			       (unsigned long long)target->link.patience);
	tl_source_trigger(target->flusher);
}

static enum tl_status interrupt(struct remote_target *target)
{
	if (target->interrupted)
		return TL_OK;
	TL_TRY(tl_remote_link_interrupt(&target->link));
	target->interrupted = true;
	return TL_OK;
}

enum tl_status tl_remote_hold(struct remote_target *target)
{
	tl_u64 deadline = tl_remote_link_clock() + target->link.patience;
	enum tl_status status = TL_OK;

	if (tl_remote_link_ended(&target->link))
		return TL_ERROR_GONE;
	if (!target->running)
		return TL_OK;
	status = interrupt(target);
	while (status == TL_OK && target->running) {
		status = tl_remote_link_receive(&target->link, deadline, "the stop that a ^C was to bring");
		if (status == TL_OK)
			take_packet(target);
	}
	tl_source_trigger(target->flusher);
	return status;
}

enum tl_status tl_remote_stop(struct tl_target *base, struct tl_thread_id id)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_thread *thread = tl_remote_find_thread(target, id);

	if (thread == NULL || tl_remote_link_ended(&target->link))
		return TL_ERROR_GONE;
	thread->stop_asked = true;
	if (!target->running) {
		tl_source_trigger(target->flusher);
		return TL_OK;
	}
	TL_TRY(interrupt(target));
	if (target->impatient == NULL)
		return tl_loop_add_timer(target->loop, "remote interrupt", target->link.patience, impatient, target,
					 &target->impatient, NULL);
	return TL_OK;
}
