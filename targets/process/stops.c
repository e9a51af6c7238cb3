/*
 * What happens when a thread stops or ends: the state of things is brought up to date, and then either an event is
 * posted, or the thread goes on as it was going. tl_engine_post may call any operation, detach and kill among them:
 * nothing here touches a thread or a process after a post.
 */
#include "targets/process/state.h"

#include "targets/process/cpu.h"
#include "targets/process/events.h"
#include "targets/process/sleep.h"

#include <stdio.h>

static void post(struct process_target *target, struct traced_thread *thread, struct tl_event *event)
{
	event->thread = process_id_of(thread);
	thread->stop_asked = false;
	TL_TRACE(EVENTS, "%d.%d %s", (int)event->thread.process, (int)event->thread.thread, tl_event_name(event->kind));
	if (target->target.engine != NULL)
		tl_engine_post(target->target.engine, event);
}

static void post_kind(struct process_target *target, struct traced_thread *thread, enum tl_event_kind kind)
{
	struct tl_event event = {.kind = kind};

	post(target, thread, &event);
}

/* The number that belongs to an event stop; false when the thread is gone. */
static bool event_message(const struct process_target *target, const struct traced_thread *thread,
			  unsigned long *message_ret)
{
	return process_ptrace_patiently(target, PTRACE_GETEVENTMSG, thread, 0, (tl_uintptr)message_ret) == 0;
}

pid_t tl_process_stops_made(const struct process_target *target, const struct traced_thread *thread)
{
	unsigned long message = 0;

	return event_message(target, thread, &message) ? (pid_t)message : 0;
}

tl_uintptr tl_process_stops_options(const struct process_target *target, const struct traced_process *process, pid_t id)
{
	tl_uintptr options = STOPS_OPTIONS;

	/* Of a leader that ends before its threads, waitpid says nothing until they have ended too. */
	if (id == process->id)
		options |= PTRACE_O_TRACEEXIT;
	if (process->launched && !target->options.launched_survive)
		options |= PTRACE_O_EXITKILL;
	return options;
}

/* ---- Births ---- */

/* The new process is nobody's business any more. */
static void let_child_go(struct process_target *target, struct traced_process *process)
{
	(void)tl_process_run_detach(&target->target, (tl_u64)process->id, 0, 0);
}

/*
 * The parent of a thread goes on once the engine knows the child: it could stop otherwise, and be told of, with a
 * thread beside it that is in no list.
 */
static void let_parent_go(struct process_target *target, pid_t parent_id, pid_t child)
{
	struct traced_thread *parent = tl_process_find_thread(target, parent_id);

	if (parent == NULL || parent->awaited != child)
		return;
	parent->awaited = 0;
	tl_process_run_go_on(target, parent, 0);
}

/* The news of a new thread: its maker's, which stands, or (`maker_id` 0) its own. Looked up, as others were told of. */
static void tell_of_thread(struct process_target *target, pid_t maker_id, pid_t id)
{
	struct traced_thread *maker = maker_id != 0 ? tl_process_find_thread(target, maker_id) : NULL;
	struct traced_thread *child = tl_process_find_thread(target, id);
	struct tl_event event = {.kind = TL_EVENT_CLONE};

	if (child == NULL)
		return;
	if (maker == NULL || maker->awaited != id) {
		post_kind(target, child, TL_EVENT_THREAD_CREATED);
		return;
	}
	maker->awaited = 0;
	event.child = process_id_of(child);
	post(target, maker, &event);
}

/*
 * A stop that cannot be dealt with: there is no storage for what the thread has made, or the kernel does not say what
 * has happened. It must not go on, nor may a child, which would run into traps that nobody takes out for it: they
 * stand, and the client is told. When the thread is to go on its stop is looked at again.
 */
static void hold(struct process_target *target, struct traced_thread *thread, enum tl_status status)
{
	struct tl_event event = {.kind = TL_EVENT_PAUSED, .code = (tl_i32)status};

	TL_TRACE(ERRORS, "a stop of thread %d cannot be dealt with: %s", (int)thread->id, tl_status_text(status));
	thread->due = true;
	post(target, thread, &event);
}

/* The engine has no storage for a new thread. */
static void hold_arrival(struct process_target *target, struct traced_thread *child, struct traced_thread *maker)
{
	pid_t id = child->id;

	if (maker != NULL && maker->awaited == id && target->target.engine != NULL) {
		tl_process_set_state(child, TRACED_NEW);
		child->first_stop_taken = true;
		hold(target, maker, TL_ERROR_NO_MEMORY);
		return;
	}
	(void)process_ptrace_patiently(target, PTRACE_DETACH, child, 0, 0);
	tl_process_remove_thread(target, child);
}

static void thread_arrived(struct process_target *target, struct traced_thread *child)
{
	struct traced_process *process = child->process;
	struct tl_thread_id leader = {(tl_u64)process->id, (tl_u64)process->id};
	struct tl_event event = {.kind = TL_EVENT_THREAD_EXITED, .thread = leader};
	bool leader_untold = process->leader_untold;
	struct traced_thread *maker = tl_process_find_thread(target, child->parent);
	pid_t parent = child->parent, id = child->id;
	bool stays = maker != NULL && maker->awaited == id && maker->request.clones;

	/* What only the leader is to have it has inherited from it. */
	if (child->parent == process->id)
		(void)process_ptrace_patiently(target, PTRACE_SETOPTIONS, child, 0,
					       tl_process_stops_options(target, process, child->id));
	if (target->target.engine == NULL ||
	    tl_engine_add_thread(target->target.engine, process_id_of(child), false) != TL_OK) {
		hold_arrival(target, child, maker);
		return;
	}
	child->told = true;
	process->leader_untold = false;
	if (!stays)
		let_parent_go(target, parent, id);
	if (leader_untold)
		tl_engine_post(target->target.engine, &event);
	tell_of_thread(target, stays ? parent : 0, id);
}

static void process_arrived(struct process_target *target, struct traced_thread *child)
{
	struct traced_thread *parent = tl_process_find_thread(target, child->parent);
	struct traced_process *process = child->process;
	struct tl_engine *engine = target->target.engine;
	struct tl_event event = {.kind = child->born, .child = process_id_of(child)};

	if (parent == NULL || parent->awaited != child->id || engine == NULL) {
		let_child_go(target, process);
		return;
	}
	parent->awaited = 0;
	(void)process_ptrace_patiently(target, PTRACE_SETOPTIONS, child, 0,
				       tl_process_stops_options(target, process, child->id));
	tl_process_open(target, process);
	/* One that the engine has no storage for is told of all the same: it is cleaned, and let go. */
	if (tl_engine_add_process(engine, (tl_u64)process->id) == TL_OK) {
		process->told = child->told = true;
		(void)!tl_engine_add_thread(engine, event.child, false);
	}
	parent->place = event.kind == TL_EVENT_VFORK ? PLACE_VFORK : PLACE_SYSCALL;
	post(target, parent, &event);
}

/* Both the parent's event and the child's own first stop have come. */
static void arrived(struct process_target *target, struct traced_thread *child)
{
	if (child->born == TL_EVENT_THREAD_CREATED)
		thread_arrived(target, child);
	else
		process_arrived(target, child);
}

static void first_stop(struct process_target *target, struct traced_thread *child, struct tl_stop stop)
{
	tl_process_set_state(child, TRACED_STOPPED);
	child->first_stop_taken = false;
	child->place = stop.kind == TL_STOP_GROUP ? PLACE_GROUP : PLACE_PLAIN;
	arrived(target, child);
}

static bool is_thread_of(const struct process_target *target, const struct traced_process *process, pid_t id)
{
	char path[64], link[8];

	/* Anything but "no such file" means that the directory is there; it is none that could be read as a link. */
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)process->id, (int)id);
	return target->calls->readlink(path, link, sizeof(link)) >= 0 || errno != ENOENT;
}

static enum tl_event_kind birth_kind(const struct process_target *target, const struct traced_thread *parent,
				     enum tl_stop_kind kind, pid_t id, bool *apart_ret)
{
	*apart_ret = false;
	if (kind == TL_STOP_VFORK)
		return TL_EVENT_VFORK;
	/* A clone may make a process too: one whose end is told by another signal than SIGCHLD, or by none. */
	if (kind == TL_STOP_CLONE && is_thread_of(target, parent->process, id))
		return TL_EVENT_THREAD_CREATED;
	/* The kernel calls it a fork where SIGCHLD is to tell of the end, whatever the two share. */
	*apart_ret = target->calls->compare_memory(parent->id, id) == 0;
	return *apart_ret ? TL_EVENT_THREAD_CREATED : TL_EVENT_FORK;
}

/* Whether a new child stands whose first stop was taken when there was no storage to remember it. */
static bool was_lost(struct process_target *target, pid_t id)
{
	siginfo_t info;
	int status;

	if (target->early_lost == 0 || tl_process_wait_queued(target, id))
		return false;
	if (tl_process_wait(target->calls, id, &status, __WALL | WNOHANG) == id)
		return tl_process_wait_requeue(target, id, status) != TL_OK;
	if (tl_process_ptrace(target->calls, PTRACE_GETSIGINFO, id, 0, (tl_uintptr)&info) < 0)
		return false;
	target->early_lost--;
	return true;
}

/* Gives a child that the parent's event tells of its place in a process; NULL when there is no storage. */
static struct traced_thread *place_child(struct process_target *target, struct traced_process *process, pid_t id)
{
	struct traced_thread *child = tl_process_find_thread(target, id);

	if (child == NULL) {
		child = tl_process_add_thread(target, process, id, TRACED_NEW);
		if (child != NULL)
			child->first_stop_taken = was_lost(target, id);
	} else if (child->process == NULL) {
		tl_process_adopt(process, child);
		tl_process_set_state(child, TRACED_NEW);
		child->first_stop_taken = true;
	}
	return child;
}

/* A process that cannot be kept: the engine, which knows its number alone, cleans its memory and lets it go. */
static void pass_by(struct process_target *target, struct traced_thread *parent, enum tl_event_kind born, pid_t id)
{
	struct traced_process process = {.id = id, .memory = -1, .wide = true, .threads_end = &process.threads};
	struct tl_event event = {.kind = born, .child = {(tl_u64)id, (tl_u64)id}};
	struct traced_thread *child = tl_process_find_thread(target, id);

	TL_TRACE(ERRORS, "no storage for process %d: it runs free", (int)id);
	if (child != NULL)
		tl_process_remove_thread(target, child);
	parent->place = born == TL_EVENT_VFORK ? PLACE_VFORK : PLACE_SYSCALL;
	parent->awaited = 0;
	tl_process_open(target, &process);
	target->passing = &process;
	post(target, parent, &event);
	if (target->passing != NULL)
		tl_process_run_let_child_go(target, id, tl_process_wait_clock() + WAIT_LIMIT);
	target->passing = NULL;
	if (process.memory >= 0)
		(void)target->calls->close(process.memory);
}

/* The child that the parent's event tells of. *child_ret is NULL when there is none to wait for. */
static enum tl_status take_child(struct process_target *target, struct traced_thread *parent, enum tl_stop_kind kind,
				 struct traced_thread **child_ret)
{
	unsigned long message = 0;
	struct traced_process *process = parent->process;
	struct traced_thread *child;
	enum tl_event_kind born;
	bool apart;
	pid_t id;

	*child_ret = NULL;
	if (!event_message(target, parent, &message))
		return tl_process_errno();
	id = (pid_t)message;
	parent->awaited = 0;
	child = tl_process_find_thread(target, id);
	if (child != NULL && child->state != TRACED_EARLY && !child->first_stop_taken)
		return TL_OK;
	/* Killed and waited for before anyone knew whose it was: no stop of it will come. */
	if (child == NULL && target->calls->kill(id, 0) < 0 && errno == ESRCH)
		return TL_OK;
	parent->awaited = id;
	parent->born = born = birth_kind(target, parent, kind, id, &apart);
	if (born != TL_EVENT_THREAD_CREATED)
		process = tl_process_add(target, id, parent->process->launched);
	child = process != NULL ? place_child(target, process, id) : NULL;
	if (child == NULL && process != NULL && process != parent->process)
		tl_process_remove(target, process);
	if (child == NULL)
		return TL_ERROR_NO_MEMORY;
	child->parent = parent->id;
	child->born = born;
	child->apart = apart;
	*child_ret = child;
	return TL_OK;
}

/* The parent stands in its clone, fork or vfork event. */
static void birth(struct process_target *target, struct traced_thread *parent, enum tl_stop_kind kind)
{
	struct traced_thread *child = NULL;
	enum tl_status status;

	parent->place = PLACE_SYSCALL;
	status = take_child(target, parent, kind, &child);
	if (status == TL_ERROR_NO_MEMORY && parent->awaited != 0 && parent->born != TL_EVENT_THREAD_CREATED)
		pass_by(target, parent, parent->born, parent->awaited);
	else if (status != TL_OK && status != TL_ERROR_GONE)
		hold(target, parent, status);
	else if (child == NULL)
		tl_process_run_go_on(target, parent, 0);
	else if (child->first_stop_taken)
		first_stop(target, child, (struct tl_stop){TL_STOP_INTERRUPTED, 0});
}

/* ---- Exec ---- */

static void forget_other_threads(struct process_target *target, struct traced_process *process)
{
	struct traced_thread *thread, *next;

	for (thread = process->threads; thread != NULL; thread = next) {
		next = thread->next;
		if (thread->id == process->id)
			continue;
		tl_process_wait_forget(target, thread->id);
		tl_process_remove_thread(target, thread);
	}
}

/* One that was apart has called exec: it shares nothing any more, and is nobody's business. */
static void leave_process(struct process_target *target, struct traced_thread *thread)
{
	struct tl_event event = {.kind = TL_EVENT_THREAD_EXITED, .thread = process_id_of(thread)};

	(void)process_ptrace_patiently(target, PTRACE_DETACH, thread, 0, 0);
	tl_process_remove_thread(target, thread);
	if (target->target.engine != NULL)
		tl_engine_post(target->target.engine, &event);
}

/* The event comes under the leader's number, whoever of its threads called exec: that one bears it from now on. */
static void exec(struct process_target *target, struct traced_thread *leader)
{
	struct traced_process *process = leader->process;
	struct traced_thread *caller = NULL;
	unsigned long message = 0;

	if (leader->apart) {
		leave_process(target, leader);
		return;
	}
	if (event_message(target, leader, &message))
		caller = tl_process_find_thread(target, (pid_t)message);
	if (caller != NULL && caller->process == process && caller != leader) {
		leader->request = caller->request;
		/* It was made without the option that leaders have. */
		(void)process_ptrace_patiently(target, PTRACE_SETOPTIONS, leader, 0,
					       tl_process_stops_options(target, process, leader->id));
	}
	forget_other_threads(target, process);
	process->last = 0;
	process->leader_untold = false;
	process->leader_traced = true;
	leader->told = true;
	leader->place = PLACE_SYSCALL;
	leader->sent = leader->awaited = 0;
	leader->due = false;
	/* The kernel has cleared the debug registers. */
	tl_process_cpu_debug_cleared(leader);
	leader->debug_generation = process->generation - 1;
	tl_process_open(target, process);
	post_kind(target, leader, TL_EVENT_EXEC);
}

/* ---- Ends ---- */

/* A child whose parent died before it could tell of it would stand for ever. */
static bool is_orphan(const struct process_target *target, pid_t id)
{
	return tl_process_find(target, (tl_u64)tl_process_attach_status_field(target, id, "PPid")) == NULL &&
	       tl_process_find(target, (tl_u64)tl_process_attach_status_field(target, id, "Tgid")) == NULL;
}

void tl_process_stops_let_orphans_go(struct process_target *target)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct traced_thread *next, *thread;

		for (thread = target->buckets[i]; thread != NULL; thread = next) {
			next = thread->bucket_next;
			if (thread->state != TRACED_EARLY || !is_orphan(target, thread->id))
				continue;
			(void)process_ptrace_patiently(target, PTRACE_DETACH, thread, 0, 0);
			tl_process_remove_thread(target, thread);
		}
	}
}

static void set_end(struct tl_event *event, struct tl_stop stop)
{
	if (stop.kind == TL_STOP_KILLED)
		event->signal = stop.value;
	else
		event->code = stop.value;
}

static void process_ended(struct process_target *target, struct traced_process *process, pid_t named,
			  struct tl_stop stop)
{
	struct tl_event event = {.kind = stop.kind == TL_STOP_KILLED ? TL_EVENT_PROCESS_KILLED
								     : TL_EVENT_PROCESS_EXITED,
				 .thread = {(tl_u64)process->id, (tl_u64)named}};
	bool launched = process->launched, told = process->told;

	set_end(&event, stop);
	tl_process_remove(target, process);
	if (launched)
		tl_process_launch_restore_terminal(target);
	target->bereaved = true;
	tl_process_stops_let_orphans_go(target);
	TL_TRACE(EVENTS, "%d.%d %s", (int)event.thread.process, (int)event.thread.thread, tl_event_name(event.kind));
	if (told && target->target.engine != NULL)
		tl_engine_post(target->target.engine, &event);
}

void tl_process_stops_lost(struct process_target *target)
{
	while (target->processes != NULL)
		process_ended(target, target->processes, target->processes->id,
			      (struct tl_stop){TL_STOP_KILLED, SIGKILL});
}

/* It ended before its first stop was handled: nobody was told of it. */
static void stillborn(struct process_target *target, struct traced_thread *child)
{
	struct traced_thread *parent = tl_process_find_thread(target, child->parent);
	struct traced_process *process = child->process;
	pid_t id = child->id;

	tl_process_remove_thread(target, child);
	if (process != NULL && process->threads == NULL && !process->told)
		tl_process_remove(target, process);
	if (parent != NULL)
		let_parent_go(target, parent->id, id);
}

/* The leader's status is that of the process, whenever the last of those that are apart ends. */
static void end_process(struct process_target *target, struct traced_process *process, pid_t named, struct tl_stop stop)
{
	process_ended(target, process, named, process->has_end ? tl_stop_decode(process->end_status) : stop);
}

static void leader_ended_first(struct process_target *target, struct traced_thread *leader, int status)
{
	struct traced_process *process = leader->process;
	struct tl_event event = {.kind = TL_EVENT_THREAD_EXITED, .thread = process_id_of(leader)};
	bool told = leader->told && leader->state != TRACED_ENDED;

	process->has_end = true;
	process->end_status = status;
	process->leader_traced = false;
	set_end(&event, tl_stop_decode(status));
	tl_process_remove_thread(target, leader);
	if (told && target->target.engine != NULL)
		tl_engine_post(target->target.engine, &event);
}

static void thread_ended(struct process_target *target, struct traced_thread *thread, struct tl_stop stop, int status)
{
	struct traced_process *process = thread->process;
	struct tl_event event = {.kind = TL_EVENT_THREAD_EXITED};

	if (process == NULL || (!thread->told && thread->state != TRACED_ENDED)) {
		stillborn(target, thread);
		return;
	}
	if (thread->id == process->id && tl_process_has_apart(process)) {
		leader_ended_first(target, thread, status);
	} else if (thread->id == process->id) {
		process_ended(target, process, process->last != 0 ? process->last : thread->id, stop);
	} else if (tl_process_told(process) > 1) {
		event.thread = process_id_of(thread);
		set_end(&event, stop);
		tl_process_remove_thread(target, thread);
		if (target->target.engine != NULL)
			tl_engine_post(target->target.engine, &event);
	} else if (process->leader_traced) {
		/* Its process has ended with it, as the leader's status will say in a moment, with the exit code of
		 * all. */
		tl_process_set_state(thread, TRACED_ENDED);
		process->last = thread->id;
	} else {
		end_process(target, process, thread->id, stop);
	}
}

static bool others_live(const struct traced_process *process, const struct traced_thread *thread)
{
	for (const struct traced_thread *other = process->threads; other != NULL; other = other->next)
		if (other != thread && other->state != TRACED_ENDED)
			return true;
	return false;
}

/* A leader is about to end. When it does so alone and others go on, it is told now: waitpid will be silent. */
static void exiting(struct process_target *target, struct traced_thread *thread)
{
	struct traced_process *process = thread->process;
	struct tl_event event = {.kind = TL_EVENT_THREAD_EXITED};
	unsigned long message = 0;
	bool alone =
		thread->id == process->id && others_live(process, thread) && tl_process_cpu_ends_alone(target, thread);

	(void)event_message(target, thread, &message);
	thread->place = PLACE_SYSCALL;
	thread->stop_asked = false;
	thread->request = (struct tl_run_request){.run = TL_RUN_CONTINUE};
	tl_process_run_go_on(target, thread, 0);
	if (!alone)
		return;
	tl_process_set_state(thread, TRACED_ENDED);
	thread->told = false;
	event.thread = process_id_of(thread);
	event.code = (tl_i32)(message >> 8 & 0xff);
	process->leader_untold = tl_process_told(process) == 0;
	if (!process->leader_untold && target->target.engine != NULL)
		tl_engine_post(target->target.engine, &event);
}

/* ---- Signals and system calls ---- */

static enum tl_status read_signal(const struct process_target *target, const struct traced_thread *thread,
				  siginfo_t *info_ret)
{
	*info_ret = (siginfo_t){0};
	return process_ptrace_patiently(target, PTRACE_GETSIGINFO, thread, 0, (tl_uintptr)info_ret) == 0
		       ? TL_OK
		       : tl_process_errno();
}

/* What stands in the way of understanding a stop: the thread is gone, and its end will be told, or it is held. */
static void hindered(struct process_target *target, struct traced_thread *thread, enum tl_status status)
{
	if (status == TL_ERROR_GONE)
		tl_process_run_go_on(target, thread, 0);
	else
		hold(target, thread, status);
}

/*
 * A stop that was asked for may come between an instruction's trap and the signal that tells of it. Shown as it is, the
 * program counter would stand behind a trap instruction, and whoever let the thread go would leave it a deadly signal.
 */
static bool trap_is_pending(const struct process_target *target, const struct traced_thread *thread)
{
	struct __ptrace_peeksiginfo_args which = {.off = 0, .flags = 0, .nr = 8};
	siginfo_t pending[8];
	long count;

	count = process_ptrace_patiently(target, PTRACE_PEEKSIGINFO, thread, (tl_uintptr)&which, (tl_uintptr)pending);
	for (long i = 0; i < count; i++)
		if (tl_process_cpu_is_trap(&pending[i]))
			return true;
	return false;
}

static void interrupted(struct process_target *target, struct traced_thread *thread)
{
	/* Without a request it is one that an earlier stop came before, or the debug registers are to change. */
	if (!thread->stop_asked)
		tl_process_run_go_on(target, thread, 0);
	else if (!trap_is_pending(target, thread) || !tl_process_run_to_signal(target, thread))
		post_kind(target, thread, TL_EVENT_PAUSED);
}

/* The stop of a thread that could not be asked for it otherwise. */
static void stopped_by_signal(struct process_target *target, struct traced_thread *thread)
{
	thread->stop_sent = false;
	thread->place = PLACE_DELIVERY;
	interrupted(target, thread);
}

static void signal_stop(struct process_target *target, struct traced_thread *thread)
{
	struct tl_event event = {.kind = TL_EVENT_NONE};
	enum tl_status status;
	siginfo_t info;

	status = read_signal(target, thread, &info);
	if (status != TL_OK) {
		hindered(target, thread, status);
		return;
	}
	thread->place = tl_stop_is_delivery(&info) ? PLACE_DELIVERY : PLACE_PLAIN;
	if (thread->sent != 0 && thread->sent == info.si_signo && thread->place == PLACE_DELIVERY) {
		if (thread->sent_info.si_signo != 0)
			(void)process_ptrace_patiently(target, PTRACE_SETSIGINFO, thread, 0,
						       (tl_uintptr)&thread->sent_info);
		thread->sent = 0;
		tl_process_run_go_on(target, thread, info.si_signo);
		return;
	}
	thread->signal = info;
	thread->has_signal = true;
	status = tl_process_cpu_general(target, thread);
	if (status == TL_OK)
		status = tl_process_cpu_classify(target, thread, &info, &event);
	if (status != TL_OK) {
		hindered(target, thread, status);
		return;
	}
	if (event.kind == TL_EVENT_NONE) {
		tl_process_run_go_on(target, thread, 0);
		return;
	}
	/* A point that was taken out while the trap was on its way: only an unfinished step would be anyone's concern.
	 */
	if (event.kind == TL_EVENT_SIGNAL && info.si_signo == SIGTRAP && info.si_code == TRAP_HWBKPT)
		event = (struct tl_event){.kind = TL_EVENT_PAUSED};
	post(target, thread, &event);
}

static void syscall_stop(struct process_target *target, struct traced_thread *thread)
{
	struct __ptrace_syscall_info info = {0};
	struct tl_event event = {.kind = TL_EVENT_SYSCALL_RETURN};

	thread->place = PLACE_SYSCALL;
	if (process_ptrace_patiently(target, PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), (tl_uintptr)&info) < 0 ||
	    tl_process_cpu_general(target, thread) != TL_OK || !thread->request.syscalls) {
		tl_process_run_go_on(target, thread, 0);
		return;
	}
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		event.kind = TL_EVENT_SYSCALL_ENTRY;
		thread->place = PLACE_SYSCALL_ENTRY;
	}
	event.number = tl_process_cpu_call_number(target, thread);
	post(target, thread, &event);
}

/* ---- All stops ---- */

static void stopped(struct process_target *target, struct traced_thread *thread, int status)
{
	struct tl_stop stop = tl_stop_decode(status);

	tl_process_set_state(thread, TRACED_STOPPED);
	tl_process_cpu_stopped(thread);
	thread->status = status;
	thread->due = false;
	thread->general_valid = false;
	thread->place = PLACE_PLAIN;
	switch (stop.kind) {
	case TL_STOP_INTERRUPTED:
	case TL_STOP_GROUP:
		if (stop.kind == TL_STOP_GROUP)
			thread->place = PLACE_GROUP;
		interrupted(target, thread);
		break;
	case TL_STOP_CLONE:
	case TL_STOP_FORK:
	case TL_STOP_VFORK:
		birth(target, thread, stop.kind);
		break;
	case TL_STOP_VFORK_DONE:
		thread->place = PLACE_SYSCALL;
		post_kind(target, thread, TL_EVENT_VFORK_DONE);
		break;
	case TL_STOP_EXEC:
		exec(target, thread);
		break;
	case TL_STOP_EXITING:
		exiting(target, thread);
		break;
	case TL_STOP_SYSCALL:
		syscall_stop(target, thread);
		break;
	case TL_STOP_SIGNAL:
		if (stop.value == SIGSTOP && thread->stop_sent)
			stopped_by_signal(target, thread);
		else
			signal_stop(target, thread);
		break;
	case TL_STOP_EXITED:
	case TL_STOP_KILLED:
	case TL_STOP_STRANGE:
		tl_process_run_go_on(target, thread, 0);
		break;
	}
}

/* The leader that there is again: any of the others, all of whom are gone, lends its storage. */
static struct traced_thread *executing(struct process_target *target, struct traced_process *process)
{
	struct traced_thread *thread = process->threads;

	if (thread == NULL)
		return tl_process_add_thread(target, process, process->id, TRACED_RUNNING);
	tl_process_wait_forget(target, thread->id);
	tl_process_rename_thread(target, thread, process->id);
	return thread;
}

/* A new child stands from its first stop; one that is about to end is of a process that was let go. */
static void unknown(struct process_target *target, pid_t id, struct tl_stop stop)
{
	/* One that was let go while it slept in vfork has woken. */
	if (stop.kind == TL_STOP_EXITING || stop.kind == TL_STOP_VFORK_DONE ||
	    (target->bereaved && is_orphan(target, id)))
		(void)tl_process_ptrace_patiently(target->calls, PTRACE_DETACH, id, 0, 0);
	else if (tl_process_add_thread(target, NULL, id, TRACED_EARLY) == NULL)
		target->early_lost++;
}

void tl_process_stops_handle(struct process_target *target, pid_t id, int status)
{
	struct traced_thread *thread = tl_process_find_thread(target, id);
	struct tl_stop stop = tl_stop_decode(status);
	struct traced_process *process;

	if (stop.kind == TL_STOP_EXITED || stop.kind == TL_STOP_KILLED) {
		if (thread != NULL)
			thread_ended(target, thread, stop, status);
		return;
	}
	if (tl_process_sleep_takes(target, thread, status))
		return;
	/* A thread called exec in a process whose leader had ended before this target came. */
	process = tl_process_find(target, (tl_u64)id);
	if (thread == NULL && stop.kind == TL_STOP_EXEC && process != NULL)
		thread = executing(target, process);
	if (thread == NULL) {
		unknown(target, id, stop);
	} else if (thread->process == NULL || (thread->state == TRACED_NEW && stop.kind == TL_STOP_EXITING)) {
		/* Killed before its parent could tell of it, or before its own first stop: what it stands in front of
		 * is its end, and the end of its process waits for that. */
		(void)process_ptrace_patiently(target, PTRACE_CONT, thread, 0, 0);
	} else if (thread->state == TRACED_NEW) {
		first_stop(target, thread, stop);
	} else {
		stopped(target, thread, status);
	}
}
