/*
 * Setting threads going, stopping them, letting processes go and killing them.
 */
#include "targets/process/state.h"

#include "targets/process/cpu.h"
#include "targets/process/events.h"
#include "targets/process/sleep.h"

/* ---- Going ---- */

/* The one place where a standing thread is let run. A thread that was killed meanwhile counts as running: it will tell.
 */
static enum tl_status start(struct process_target *target, struct traced_thread *thread, long request, int signal)
{
	long result = process_ptrace_patiently(target, request, thread, 0, (tl_uintptr)signal);
	enum tl_status status = result < 0 ? tl_process_errno() : TL_OK;

	if (status == TL_OK || status == TL_ERROR_GONE) {
		tl_process_set_state(thread, request == PTRACE_LISTEN ? TRACED_LISTENING : TRACED_RUNNING);
		thread->general_valid = false;
	}
	return status;
}

static long request_for(const struct traced_thread *thread)
{
	if (thread->request.run == TL_RUN_STEP)
		return tl_process_cpu_request(thread, PTRACE_SINGLESTEP);
	if (thread->place == PLACE_GROUP && !thread->request.awake)
		return PTRACE_LISTEN;
	return tl_process_cpu_request(thread, thread->request.syscalls ? PTRACE_SYSCALL : PTRACE_CONT);
}

/* Lazily: a thread takes on the process's debug registers when it next runs. */
static enum tl_status arm(struct process_target *target, struct traced_thread *thread)
{
	if (thread->debug_generation == thread->process->generation)
		return TL_OK;
	return tl_process_cpu_program_debug(target, thread);
}

/* The kernel's thread group. */
static pid_t group_of(const struct traced_thread *thread)
{
	return thread->apart ? thread->id : thread->process->id;
}

/*
 * Where a signal cannot be delivered by the restart itself it is sent, and its own stop passed over with the siginfo
 * that the client saw or wrote.
 */
static enum tl_status send_signal(struct process_target *target, struct traced_thread *thread, int signal)
{
	thread->sent = signal;
	thread->sent_info = (siginfo_t){0};
	if (thread->has_signal && thread->signal.si_signo == signal)
		thread->sent_info = thread->signal;
	return target->calls->thread_kill(group_of(thread), thread->id, signal) < 0 ? tl_process_errno() : TL_OK;
}

/* First its last stop is dealt with, which it could not be when it came. That is for the loop: this is the engine's. */
static enum tl_status again(struct process_target *target, struct traced_thread *thread,
			    const struct tl_run_request *request)
{
	TL_TRY(tl_process_wait_requeue(target, thread->id, thread->status));
	thread->due = false;
	/* What a signal means hangs on how the thread was going when it came. */
	if (thread->place == PLACE_SYSCALL)
		thread->request = *request;
	return TL_OK;
}

enum tl_status tl_process_run_resume(struct tl_target *base, struct tl_thread_id id,
				     const struct tl_run_request *request)
{
	struct process_target *target = process_target(base);
	struct traced_thread *thread = tl_process_thread(target, id);
	int signal = request->signal;

	if (thread == NULL || thread->state == TRACED_ENDED)
		return TL_ERROR_GONE;
	if (thread->state != TRACED_STOPPED || (thread->awaited != 0 && !thread->due))
		return TL_ERROR_RUNNING;
	if (request->run != TL_RUN_CONTINUE && request->run != TL_RUN_STEP)
		return TL_ERROR_UNSUPPORTED;
	if (thread->place == PLACE_ASLEEP) {
		if (signal != 0)
			TL_TRY(send_signal(target, thread, signal));
		tl_process_sleep_resume(thread, request);
		return TL_OK;
	}
	TL_TRY(arm(target, thread));
	TL_TRY(tl_process_cpu_prepare(target, thread, request->run, request->over_hardware));
	if (signal != 0 && thread->place != PLACE_DELIVERY) {
		TL_TRY(send_signal(target, thread, signal));
		signal = 0;
	}
	thread->stop_asked = false;
	thread->detach_signal = 0;
	if (thread->due)
		return again(target, thread, request);
	thread->request = *request;
	if (thread->place == PLACE_VFORK)
		tl_process_sleep_begin(target, thread);
	return start(target, thread, request_for(thread), signal);
}

enum tl_status tl_process_run_interrupt(struct process_target *target, struct traced_thread *thread)
{
	enum tl_status status = TL_OK;

	if (process_ptrace_patiently(target, PTRACE_INTERRUPT, thread, 0, 0) < 0)
		status = tl_process_errno();
	if (status == TL_ERROR_GONE)
		return status;
	if (status != TL_OK && !thread->stop_sent) {
		if (target->calls->thread_kill(group_of(thread), thread->id, SIGSTOP) < 0)
			return status;
		thread->stop_sent = true;
	}
	if (thread->state == TRACED_RUNNING)
		tl_process_wait_expect(target, thread);
	return TL_OK;
}

void tl_process_run_go_on(struct process_target *target, struct traced_thread *thread, int signal)
{
	enum tl_status status = arm(target, thread);

	if (status == TL_OK)
		status = tl_process_cpu_prepare_again(target, thread);
	/*
	 * The stop has used up a PTRACE_INTERRUPT that was sent before it. In a stop the request is kept until the
	 * thread is let run, and then stops it before it gets anywhere.
	 */
	if (thread->stop_asked && request_for(thread) != PTRACE_LISTEN)
		(void)tl_process_run_interrupt(target, thread);
	if (status == TL_OK || status == TL_ERROR_GONE)
		status = start(target, thread, request_for(thread), thread->place == PLACE_DELIVERY ? signal : 0);
	if (status == TL_OK || status == TL_ERROR_GONE)
		return;
	/* It stands, and the engine takes it for running: that it stands is an event, to come from the loop. */
	TL_TRACE(ERRORS, "thread %d cannot go on: %s", (int)thread->id, tl_status_text(status));
	thread->stop_asked = true;
	if (tl_process_wait_requeue(target, thread->id, INTERRUPTED_STATUS) != TL_OK)
		TL_TRACE(ERRORS, "thread %d is lost: no storage", (int)thread->id);
}

bool tl_process_run_to_signal(struct process_target *target, struct traced_thread *thread)
{
	enum tl_status status;

	tl_process_cpu_not_yet(thread);
	status = start(target, thread, PTRACE_CONT, 0);
	return status == TL_OK || status == TL_ERROR_GONE;
}

/* ---- Stopping ---- */

enum tl_status tl_process_run_stop(struct tl_target *base, struct tl_thread_id id)
{
	struct process_target *target = process_target(base);
	struct traced_thread *thread = tl_process_thread(target, id);

	if (thread == NULL || thread->state == TRACED_ENDED)
		return TL_ERROR_GONE;
	thread->stop_asked = true;
	/* One that stands here but not in the engine's eyes waits for its child, and then tells of that. */
	if (thread->state == TRACED_STOPPED)
		return TL_OK;
	if (thread->asleep)
		return tl_process_sleep_stop(target, thread);
	return tl_process_run_interrupt(target, thread);
}

void tl_process_run_reprogram(struct process_target *target, struct traced_process *process)
{
	process->generation++;
	for (struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next)
		if (thread->state == TRACED_RUNNING)
			(void)tl_process_run_interrupt(target, thread);
}

/* ---- Leaving ---- */

static bool is_this(void *context, pid_t id)
{
	return id == *(const pid_t *)context;
}

/*
 * Makes a thread stand, whatever it is doing, and gives the signal that it stopped for if it did. False when it is
 * gone.
 */
static bool bring_to_stand(struct process_target *target, struct traced_thread *thread, tl_u64 deadline,
			   int *signal_ret)
{
	struct status_entry entry = {0};
	enum tl_status status = TL_OK;
	struct tl_stop stop;

	*signal_ret = 0;
	if (thread->state == TRACED_STOPPED || thread->first_stop_taken)
		return true;
	if (thread->state != TRACED_NEW)
		status = tl_process_run_interrupt(target, thread);
	if (status != TL_OK && status != TL_ERROR_GONE)
		return false;
	if (tl_process_wait_for_any(target, is_this, &thread->id, deadline, &entry) != TL_OK)
		return false;
	stop = tl_stop_decode(entry.status);
	if (stop.kind == TL_STOP_EXITED || stop.kind == TL_STOP_KILLED)
		return false;
	tl_process_set_state(thread, TRACED_STOPPED);
	thread->general_valid = false;
	thread->place = PLACE_PLAIN;
	if (stop.kind == TL_STOP_CLONE || stop.kind == TL_STOP_FORK || stop.kind == TL_STOP_VFORK) {
		thread->awaited = tl_process_stops_made(target, thread);
		thread->due = true;
	}
	if (stop.kind == TL_STOP_SIGNAL && stop.value == SIGSTOP && thread->stop_sent) {
		thread->place = PLACE_DELIVERY;
		thread->stop_sent = false;
	} else if (stop.kind == TL_STOP_SIGNAL && stop.value != SIGTRAP) {
		thread->place = PLACE_DELIVERY;
		*signal_ret = stop.value;
	}
	return true;
}

/* It was killed while it stood. On its way it may stop once more, in front of its end, and would wait there for ever.
 */
static void let_dying_go(struct process_target *target, struct traced_thread *thread, tl_u64 deadline)
{
	struct status_entry entry = {0};

	while (tl_process_wait_for_any(target, is_this, &thread->id, deadline, &entry) == TL_OK) {
		enum tl_stop_kind kind = tl_stop_decode(entry.status).kind;

		if (kind == TL_STOP_EXITED || kind == TL_STOP_KILLED ||
		    process_ptrace_patiently(target, PTRACE_DETACH, thread, 0, 0) == 0)
			return;
	}
}

void tl_process_run_let_child_go(struct process_target *target, pid_t id, tl_u64 deadline)
{
	struct status_entry entry = {0};
	enum tl_stop_kind kind;

	/* It may stand already, its stop collected or not. */
	if (tl_process_ptrace_patiently(target->calls, PTRACE_DETACH, id, 0, 0) == 0) {
		tl_process_wait_forget(target, id);
		return;
	}
	if (tl_process_wait_for_any(target, is_this, &id, deadline, &entry) != TL_OK)
		return;
	kind = tl_stop_decode(entry.status).kind;
	if (kind != TL_STOP_EXITED && kind != TL_STOP_KILLED)
		(void)tl_process_ptrace_patiently(target->calls, PTRACE_DETACH, id, 0, 0);
}

/* What a thread has made and nobody was told of: the kernel has given it to us, and it stands from its first stop. */
static void let_made_go(struct process_target *target, const struct traced_thread *thread, tl_u64 deadline)
{
	struct traced_thread *made = thread->awaited != 0 ? tl_process_find_thread(target, thread->awaited) : NULL;

	if (thread->awaited == 0 || !thread->due || (made != NULL && made->process != NULL))
		return;
	if (made != NULL)
		tl_process_remove_thread(target, made);
	tl_process_run_let_child_go(target, thread->awaited, deadline);
}

/* TL_OK also for a thread that is gone: it needs no letting go. */
static enum tl_status let_go(struct process_target *target, struct traced_thread *thread, int signal, tl_u64 deadline)
{
	int own = 0;

	/*
	 * One that sleeps in vfork can be let go when it wakes, and that is not waited for where it need not be: it is
	 * known then by its stop (stops.c). A program that would be killed with us is not left so.
	 */
	if (thread->asleep && (!thread->process->launched || target->options.launched_survive))
		return TL_OK;
	if (thread->state == TRACED_ENDED || !bring_to_stand(target, thread, deadline, &own))
		return tl_process_wait_clock() < deadline ? TL_OK : TL_ERROR_TIMEOUT;
	if (signal == 0)
		signal = own;
	(void)tl_process_cpu_disarm(target, thread);
	if (signal != 0 && thread->place != PLACE_DELIVERY) {
		(void)target->calls->thread_kill(group_of(thread), thread->id, signal);
		signal = 0;
	}
	/* It has stopped for something else: what was sent to stop it would do so when nobody is there any more. */
	if (thread->stop_sent)
		(void)target->calls->thread_kill(group_of(thread), thread->id, SIGCONT);
	if (process_ptrace_patiently(target, PTRACE_DETACH, thread, 0, (tl_uintptr)signal) == 0) {
		let_made_go(target, thread, deadline);
		return TL_OK;
	}
	if (errno != ESRCH)
		return tl_process_errno();
	let_dying_go(target, thread, deadline);
	return TL_OK;
}

enum tl_status tl_process_run_set_detach_signal(struct tl_target *base, struct tl_thread_id id, tl_i32 signal)
{
	struct traced_thread *thread = tl_process_thread(process_target(base), id);

	if (thread == NULL)
		return TL_ERROR_GONE;
	thread->detach_signal = signal;
	return TL_OK;
}

enum tl_status tl_process_run_detach(struct tl_target *base, tl_u64 id, tl_u64 chosen, tl_i32 signal)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);
	tl_u64 deadline = tl_process_wait_clock() + WAIT_LIMIT;
	enum tl_status first = TL_OK;

	if (process == NULL && target->passing != NULL && (tl_u64)target->passing->id == id) {
		target->passing = NULL;
		tl_process_run_let_child_go(target, (pid_t)id, deadline);
		return TL_OK;
	}
	if (process == NULL)
		return TL_ERROR_GONE;
	for (struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next) {
		int own = (tl_u64)thread->id == chosen ? signal : thread->detach_signal;
		enum tl_status status = let_go(target, thread, own, deadline);

		if (first == TL_OK)
			first = status;
	}
	tl_process_remove(target, process);
	return first;
}

/* ---- Killing ---- */

struct victims {
	struct process_target *target;
	struct traced_process *process;
};

static bool is_victim(void *context, pid_t id)
{
	struct victims *victims = context;
	struct traced_thread *thread = tl_process_find_thread(victims->target, id);

	if (id == victims->process->id || (thread != NULL && thread->process != NULL))
		return id == victims->process->id || thread->process == victims->process;
	/* Just born: nobody has told whose it is. */
	return tl_process_attach_status_field(victims->target, id, "Tgid") == (long)victims->process->id;
}

/*
 * It stands in front of its end. TL_ERROR_GONE: it can only be let end unseen; no word of a thread's end, or of that of
 * a process that is not our child, will come.
 */
static enum tl_status end(struct process_target *target, pid_t id)
{
	if (tl_process_ptrace_patiently(target->calls, PTRACE_CONT, id, 0, 0) == 0 || errno == ESRCH)
		return TL_OK;
	if (tl_process_ptrace_patiently(target->calls, PTRACE_DETACH, id, 0, 0) == 0)
		return TL_ERROR_GONE;
	return tl_process_errno();
}

enum tl_status tl_process_run_kill(struct tl_target *base, tl_u64 id)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);
	struct victims victims = {target, process};
	tl_u64 deadline = tl_process_wait_clock() + WAIT_LIMIT;
	struct status_entry entry = {0};
	enum tl_status status = TL_OK;
	bool launched, leader_ended = false;

	if (process == NULL)
		return TL_ERROR_GONE;
	leader_ended = process->has_end;
	launched = process->launched;
	if (target->calls->kill(process->id, SIGKILL) < 0 && errno != ESRCH)
		return tl_process_errno();
	for (const struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next)
		if (thread->apart)
			(void)target->calls->kill(thread->id, SIGKILL);
	while (process->threads != NULL) {
		struct traced_thread *thread;
		struct tl_stop stop;

		status = tl_process_wait_for_any(target, is_victim, &victims, deadline, &entry);
		if (status != TL_OK)
			break;
		thread = tl_process_find_thread(target, entry.id);
		stop = tl_stop_decode(entry.status);
		if (stop.kind != TL_STOP_EXITED && stop.kind != TL_STOP_KILLED) {
			enum tl_status let_end = end(target, entry.id);

			if (let_end == TL_OK || (launched && entry.id == process->id && let_end == TL_ERROR_GONE))
				continue;
			if (let_end != TL_ERROR_GONE) {
				status = let_end;
				break;
			}
		}
		if (thread != NULL)
			tl_process_remove_thread(target, thread);
		/* The leader's end is told last, but for those that are apart. */
		leader_ended |= entry.id == process->id;
		if (leader_ended && !tl_process_has_apart(process))
			break;
	}
	tl_process_remove(target, process);
	if (launched)
		tl_process_launch_restore_terminal(target);
	return status == TL_ERROR_GONE ? TL_OK : status;
}

void tl_process_run_release(struct process_target *target, struct traced_process *process)
{
	if (process->launched && !target->options.launched_survive)
		(void)tl_process_run_kill(&target->target, (tl_u64)process->id);
	else
		(void)tl_process_run_detach(&target->target, (tl_u64)process->id, 0, 0);
}
