/* Setting the stub going: the packet that does it, for stubs of every kind, and what has to be said before it. */
#include "targets/remote/state.h"

#include "core/rsp/rsp.h"

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
	TL_TRY(choose_runner(target, tl_remote_is_step(one) || tl_remote_is_backward(one) ? one : NULL));
	*writer = tl_remote_question(target);
	if (tl_remote_is_backward(one))
		tl_write_text(writer, tl_remote_is_step(one) ? "bs" : "bc");
	else
		write_action(one, tl_remote_is_step(one), writer);
	return TL_OK;
}

static bool any_backward(const struct remote_target *target)
{
	for (tl_size i = 0; i < target->thread_count; i++)
		if (target->threads[i]->running && tl_remote_is_backward(target->threads[i]))
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

		if (!thread->running || tl_remote_is_backward(thread) || !thread->request.over_hardware ||
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

/* A thread in front of an access that is to be told when it is done: it alone makes it, with no watchpoint in. */
static bool make_access(struct remote_target *target, struct tl_writer *writer)
{
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];
		struct remote_process *process = thread->process;

		if (!thread->running || !thread->accessing)
			continue;
		for (tl_size n = 0; n < process->point_count; n++) {
			struct remote_point *point = &process->points[n];
			bool passed =
				thread->passing && point->wire == TL_POINT_HARDWARE && point->address == thread->passed;

			if (point->wire >= TL_POINT_WRITE || passed)
				(void)tl_remote_set_out(target, process, point, true);
		}
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

	if (tl_remote_is_backward(thread)) {
		thread->step_known = false;
		return false;
	}
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

enum tl_status tl_remote_go(struct remote_target *target)
{
	struct tl_writer writer;

	TL_TRY(set_catches(target));
	if (!make_access(target, &writer) && !pass_hardware(target, &writer)) {
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
