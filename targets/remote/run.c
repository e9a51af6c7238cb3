/*
 * Setting the stub going and stopping it. The stub stands as a whole or runs as a whole; the engine has threads that
 * stand and threads that run. Between the two stands tl_remote_flush, at the end of each turn in which something
 * happened: while the stub stands, everything that the engine does not know yet is posted, thread by thread; those that
 * were asked to stop are told to stand, as they do; and when nothing is left to tell, those that run for the engine are
 * set going with one packet.
 */
#include "targets/remote/state.h"

#include "base/trace.h"
#include "core/rsp/rsp.h"

#include <stdlib.h>
#include <string.h>

/* A stop that goes on for ever in one turn would keep the client's ^C waiting. */
#define POSTS_PER_TURN 4096
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

static void mark_unanswered(struct remote_target *target, enum tl_status status)
{
	struct stop_reply none = {.kind = STOP_NOT, .code = (tl_i32)status};

	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];

		if (thread->running && !thread->has_stop && thread->told) {
			thread->has_stop = true;
			thread->stop = none;
		}
	}
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
		mark_unanswered(target, TL_ERROR_STATE);
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

/* ---- Setting it going ---- */

enum tl_status tl_remote_resume(struct tl_target *base, struct tl_thread_id id, const struct tl_run_request *request)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_thread *thread = tl_remote_find_thread(target, id);

	if (thread == NULL || thread->ended || tl_remote_link_ended(&target->link))
		return TL_ERROR_GONE;
	/* It joins those that run: they are stopped for that, unseen, and all go on together. */
	TL_TRY(tl_remote_hold(target));
	thread->running = true;
	thread->stop_asked = false;
	thread->request = *request;
	tl_source_trigger(target->flusher);
	return TL_OK;
}

static bool is_backward(const struct remote_thread *thread)
{
	return thread->request.run == TL_RUN_CONTINUE_BACK || thread->request.run == TL_RUN_STEP_BACK;
}

/* c, s, C05, S05: and the signal is given once. */
static void write_action(struct remote_thread *thread, bool step, struct tl_writer *writer)
{
	tl_i32 signal = thread->request.signal;

	tl_write_byte(writer, signal != 0 ? (step ? 'S' : 'C') : (step ? 's' : 'c'));
	if (signal != 0)
		tl_write_hex_padded(writer, tl_rsp_signal_to_gdb(signal), 2);
	thread->request.signal = 0;
}

static void write_thread_action(const struct remote_target *target, struct remote_thread *thread, bool step,
				struct tl_writer *writer)
{
	tl_write_byte(writer, ';');
	write_action(thread, step, writer);
	if (target->threadless)
		return;
	tl_write_byte(writer, ':');
	tl_remote_write_thread(target, writer, tl_remote_id(thread));
}

static bool all_run(const struct remote_target *target, const struct remote_process *process)
{
	for (tl_size i = 0; i < target->thread_count; i++)
		if ((process == NULL || target->threads[i]->process == process) && !target->threads[i]->running)
			return false;
	return true;
}

static void write_process_action(struct remote_target *target, const struct remote_process *process,
				 struct tl_writer *writer)
{
	bool whole = target->multiprocess && all_run(target, process);

	if (whole) {
		tl_write_text(writer, ";c:");
		tl_remote_write_thread(target, writer, (struct tl_thread_id){process->id, TL_ANY});
		return;
	}
	for (tl_size i = 0; i < target->thread_count; i++)
		if (target->threads[i]->process == process && target->threads[i]->running &&
		    !tl_remote_is_step(target->threads[i]))
			write_thread_action(target, target->threads[i], false, writer);
}

/* The first action that fits a thread counts: single ones first. */
static void write_actions(struct remote_target *target, struct tl_writer *writer)
{
	bool plain = false;

	tl_write_text(writer, "vCont");
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];

		if (thread->running && (tl_remote_is_step(thread) || thread->request.signal != 0))
			write_thread_action(target, thread, tl_remote_is_step(thread), writer);
		plain |= thread->running && !tl_remote_is_step(thread);
	}
	if (plain && all_run(target, NULL)) {
		tl_write_text(writer, ";c");
		return;
	}
	for (tl_size i = 0; i < target->process_count && plain; i++)
		write_process_action(target, target->processes[i], writer);
}

/* Hc, for stubs that know no vCont, and for going back. */
static enum tl_status choose_runner(struct remote_target *target, const struct remote_thread *thread)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question = tl_remote_question(target);

	if (target->threadless)
		return TL_OK;
	tl_write_text(&question, "Hc");
	if (thread != NULL)
		tl_remote_write_thread(target, &question, tl_remote_id(thread));
	else
		tl_write_text(&question, "-1");
	return tl_remote_ask(target, &question, "the choice of a thread (Hc)", &answer);
}

static enum tl_status write_plain(struct remote_target *target, struct tl_writer *writer)
{
	struct remote_thread *one = NULL;

	/* The one that steps, else one that gets a signal, else any. */
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];

		if (thread->running &&
		    (one == NULL || (tl_remote_is_step(thread) && !tl_remote_is_step(one)) ||
		     (thread->request.signal != 0 && one->request.signal == 0 && !tl_remote_is_step(one))))
			one = thread;
	}
	if (one == NULL)
		return TL_ERROR_NO_THREAD;
	TL_TRY(choose_runner(target, tl_remote_is_step(one) || is_backward(one) ? one : NULL));
	*writer = tl_remote_question(target);
	if (is_backward(one))
		tl_write_text(writer, tl_remote_is_step(one) ? "bs" : "bc");
	else
		write_action(one, tl_remote_is_step(one), writer);
	return TL_OK;
}

static bool any_backward(const struct remote_target *target)
{
	for (tl_size i = 0; i < target->thread_count; i++)
		if (target->threads[i]->running && is_backward(target->threads[i]))
			return true;
	return false;
}

/* A thread that stands on a hardware breakpoint which it is not to hit: first it alone goes one instruction on. */
static bool pass_hardware(struct remote_target *target, struct tl_writer *writer)
{
	for (tl_size i = 0; i < target->thread_count && target->vcont && target->can_step; i++) {
		struct remote_thread *thread = target->threads[i];
		struct remote_point *point;
		tl_u64 at = 0;

		if (!thread->running || !thread->request.over_hardware ||
		    tl_remote_fetch_program_counter(&target->target, tl_remote_id(thread), &at) != TL_OK)
			continue;
		point = tl_remote_find_point(thread->process, TL_POINT_HARDWARE, at);
		if (point == NULL || tl_remote_set_out(target, thread->process, point, true) != TL_OK)
			continue;
		thread->passing = true;
		thread->passed = at;
		*writer = tl_remote_question(target);
		tl_write_text(writer, "vCont");
		write_thread_action(target, thread, true, writer);
		tl_remote_forget_registers(thread);
		return true;
	}
	return false;
}

/* What the stub is to tell of, as the requests have it. */
static enum tl_status set_catches(struct remote_target *target)
{
	bool events = tl_engine_settings(target->target.engine)->report_threads, syscalls = false;

	for (tl_size i = 0; i < target->thread_count; i++)
		syscalls |= target->threads[i]->running && target->threads[i]->request.syscalls;
	for (tl_size i = 0; i < target->process_count && target->syscalls; i++) {
		struct remote_process *process = target->processes[i];
		enum remote_answer answer = ANSWER_UNKNOWN;

		if (process->syscalls_on == syscalls)
			continue;
		TL_TRY(tl_remote_select(target, (struct tl_thread_id){process->id, TL_ANY}));
		TL_TRY(tl_remote_ask_text(target, syscalls ? "QCatchSyscalls:1" : "QCatchSyscalls:0", &answer));
		process->syscalls_on = syscalls;
	}
	if (target->thread_events && events != target->thread_events_on) {
		enum remote_answer answer = ANSWER_UNKNOWN;

		TL_TRY(tl_remote_ask_text(target, events ? "QThreadEvents:1" : "QThreadEvents:0", &answer));
		target->thread_events_on = events;
	}
	return TL_OK;
}

/*
 * Where a step begins, for stubs that do not say whether it or a breakpoint ended. True where it begins on a
 * breakpoint: QEMU, for one, would step over it, and the engine counts on the hit, which is known without running.
 */
static bool note_start(struct remote_target *target, struct remote_thread *thread)
{
	struct stop_reply hit = {.kind = STOP_SIGNAL, .reason = REASON_SOFTWARE, .signal = REMOTE_SIGNAL_TRAP};

	thread->step_known = tl_remote_is_step(thread) && tl_remote_peek_program_counter(thread, &thread->step_from);
	if (tl_remote_is_step(thread) && !thread->step_known && !target->software_reason)
		thread->step_known = tl_remote_fetch_program_counter(&target->target, tl_remote_id(thread),
								     &thread->step_from) == TL_OK;
	if (target->software_reason || !thread->step_known || thread->request.signal != 0 ||
	    !tl_remote_has_point(thread, TL_POINT_SOFTWARE, thread->step_from))
		return false;
	thread->has_stop = true;
	thread->stop = hit;
	return true;
}

static bool note_starts(struct remote_target *target)
{
	bool hit = false;

	for (tl_size i = 0; i < target->thread_count; i++)
		if (target->threads[i]->running)
			hit |= note_start(target, target->threads[i]);
	return hit;
}

static void note_alone(struct remote_target *target)
{
	tl_size running = 0, steps = 0;

	for (tl_size i = 0; i < target->thread_count; i++) {
		running += target->threads[i]->running;
		steps += target->threads[i]->running && tl_remote_is_step(target->threads[i]);
	}
	target->alone = running == 1 && steps == 1 && target->vcont;
}

static enum tl_status go(struct remote_target *target)
{
	struct tl_writer writer;

	TL_TRY(set_catches(target));
	if (!pass_hardware(target, &writer)) {
		note_alone(target);
		if (note_starts(target)) {
			tl_source_trigger(target->flusher);
			return TL_OK;
		}
		writer = tl_remote_question(target);
		if (target->vcont && !any_backward(target))
			write_actions(target, &writer);
		else
			TL_TRY(write_plain(target, &writer));
		for (tl_size i = 0; i < target->thread_count; i++)
			if (target->threads[i]->running || !target->vcont)
				tl_remote_forget_registers(target->threads[i]);
	}
	if (writer.failed)
		return TL_ERROR_TOO_LONG;
	target->running = true;
	return tl_remote_link_send(&target->link, tl_writer_size(&writer));
}

/* ---- Telling the engine ---- */

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

static void put_back(struct remote_target *target)
{
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];
		struct remote_process *process = thread->process;

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
		mark_unanswered(target, TL_ERROR_NO_THREAD);
	target->nobody = false;
	return true;
}

static bool tell_pauses(struct remote_target *target)
{
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];
		struct tl_event event = {.kind = TL_EVENT_PAUSED, .thread = tl_remote_id(thread)};

		if (!thread->running || !thread->stop_asked)
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
		enum tl_status status = go(target);

		if (status != TL_OK && !tl_remote_link_ended(&target->link)) {
			mark_unanswered(target, status);
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
