/*
 * What an event means: for each kind, whether the thread runs on or the client is told.
 *
 * Every handler ends in one of two calls: tl_run_report (it is to be told) or tl_run_settle (it is nothing: on by the
 * plan, or stay if everything is being stopped). Before a handler runs, the thread has been put into PARKED, its
 * temporary traps are out, and its program counter shows the original where it was in a copy.
 */
#include "core/engine/internal.h"

static void report_plain(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	struct tl_report report = {.event = *event};

	tl_run_report(engine, thread, &report);
}

/* ---- Signals and steps ---- */

static bool bit(const tl_u64 *words, tl_u64 words_count, tl_u64 n)
{
	return n / 64 < words_count && (words[n / 64] >> n % 64 & 1) != 0;
}

/*
 * A fault where a breakpoint stands: its trap could not be fetched, as on a stack that is not executable, where clients
 * have called functions return to. They take the fault for the breakpoint, and must see it.
 */
static bool fault_at_point(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	tl_u64 at;

	return event->fault && tl_engine_program_counter(engine, thread, &at) == TL_OK &&
	       tl_points_find(thread->process->space, at, KIND_BIT(TL_POINT_SOFTWARE)) != NULL;
}

/*
 * Is the thread on its way to a stop that only a signal 2, or the word that it stopped, is to be told of? A signal that
 * it meets then is given to the program when it goes on, and is no answer. For any other stop it would have to be kept
 * behind what is told, which may be a signal for the same thread.
 */
static bool only_interrupted(const struct tl_engine *engine, const struct thread *thread)
{
	if (thread->process->unattended || thread->deliver != 0)
		return false;
	return thread->stop_asked || thread->interrupted || (!engine->settings.non_stop && engine->interrupt);
}

static void on_signal(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	/* Clients want to see every signal of a thread that steps, and a signal must not be lost while all is stopped.
	 */
	if (thread->plan == TL_ACTION_CONTINUE &&
	    bit(engine->settings.pass_signals, TL_SIGNAL_WORDS, (tl_u64)event->signal) &&
	    (only_interrupted(engine, thread) ||
	     (!tl_run_standstill(engine, thread->process) && !thread->stop_asked && !thread->interrupted)) &&
	    !fault_at_point(engine, thread, event)) {
		thread->deliver = event->signal;
		tl_run_settle(engine, thread);
		return;
	}
	report_plain(engine, thread, event);
}

void tl_events_stepped(struct tl_engine *engine, struct thread *thread)
{
	struct tl_event event = {.kind = TL_EVENT_STEPPED, .thread = thread->id};
	tl_u64 at = 0;

	if (thread->plan == TL_ACTION_CONTINUE) {
		tl_run_settle(engine, thread);
		return;
	}
	if (thread->plan == TL_ACTION_RANGE && tl_engine_program_counter(engine, thread, &at) == TL_OK &&
	    at - thread->range_start < thread->range_end - thread->range_start) {
		engine->counters.range_steps++;
		tl_run_settle(engine, thread);
		return;
	}
	report_plain(engine, thread, &event);
}

/* ---- Breakpoints ---- */

static bool is_rehit(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;

	if (!thread->rehit || thread->rehit_address != address || tl_engine_fetch(engine, thread, 1) != TL_OK)
		return false;
	return tl_cpu_get(cpu, thread->file, cpu->stack_pointer) == thread->rehit_stack;
}

static void on_code_point(struct tl_engine *engine, struct thread *thread, struct engine_point *point,
			  const struct tl_event *event)
{
	struct tl_report report = {.event = *event, .point = point->kind};
	bool again = is_rehit(engine, thread, point->address);

	thread->rehit = false;
	/* The commands have run for this hit, and the client was told of it if it was to be: just a condition may have
	 * changed. */
	if ((again && (point->conditions.count == 0 || point->commands.count != 0)) ||
	    !tl_points_stop(engine, thread, point, &report)) {
		thread->dealt = true;
		thread->dealt_address = point->address;
		tl_run_settle(engine, thread);
		return;
	}
	tl_run_report(engine, thread, &report);
}

void tl_events_hit(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	struct tl_event event = {.kind = TL_EVENT_TRAP, .thread = thread->id, .address = address};
	struct engine_point *point = tl_points_find(thread->process->space, address, KIND_BIT(TL_POINT_SOFTWARE));

	on_code_point(engine, thread, point, &event);
}

/* Is a trap instruction in memory that is none of ours? */
static bool programs_own_trap(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	tl_u8 bytes[sizeof(cpu->trap)];
	struct tl_instruction instruction;

	if (tl_engine_read(engine, thread->process, address, bytes, cpu->trap_size) != TL_OK)
		return true;
	if (tl_same(bytes, cpu->trap, cpu->trap_size))
		return true;
	/* Another encoding of it, as int $3 is on x86. */
	return cpu->decode != NULL && cpu->decode(bytes, cpu->trap_size, &instruction) == TL_OK &&
	       instruction.flow == TL_FLOW_TRAP;
}

static bool had_trap(const tl_u64 *traps, tl_u8 count, tl_u64 address)
{
	for (tl_u8 i = 0; i < count; i++)
		if (traps[i] == address)
			return true;
	return false;
}

static void on_trap(struct tl_engine *engine, struct thread *thread, const struct tl_event *event, bool step_trap)
{
	struct space *space = thread->process->space;
	struct engine_point *point = tl_points_find(space, event->address, KIND_BIT(TL_POINT_SOFTWARE));
	struct tl_event signal = {.kind = TL_EVENT_SIGNAL, .thread = thread->id, .signal = 5, .fault = true};
	struct tl_note note = {.kind = TL_NOTE_DROPPED, .thread = thread->id, .event = event};
	bool ours = point != NULL || step_trap || tl_undo_find(&space->undo, event->address) != NULL;

	if (!ours && programs_own_trap(engine, thread, event->address)) {
		on_signal(engine, thread, &signal);
		return;
	}
	if (tl_engine_set_program_counter(engine, thread, event->address) != TL_OK) {
		report_plain(engine, thread, &signal);
		return;
	}
	if (step_trap && (point == NULL || thread->plan != TL_ACTION_CONTINUE)) {
		tl_events_stepped(engine, thread);
		return;
	}
	if (point != NULL && space->lifted == 0) {
		on_code_point(engine, thread, point, event);
		return;
	}
	/* A sibling's step trap, which this thread is to pass, or a trap that has been taken out since: nothing
	 * happened. */
	if (ours) {
		thread->dealt = true;
		thread->dealt_address = event->address;
	} else {
		engine->counters.stale++;
		tl_engine_note(engine, &note);
	}
	tl_run_settle(engine, thread);
}

static void on_hardware(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	struct tl_note note = {.kind = TL_NOTE_DROPPED, .thread = thread->id, .event = event};
	struct engine_point *point =
		tl_points_find(thread->process->space, event->address, KIND_BIT(TL_POINT_HARDWARE));

	if (point != NULL) {
		on_code_point(engine, thread, point, event);
		return;
	}
	engine->counters.stale++;
	tl_engine_note(engine, &note);
	tl_run_settle(engine, thread);
}

/* ---- Watchpoints ---- */

/* What the access was, for a hit that the hardware can only tell as "read or written". */
static enum tl_access decode_access(struct tl_engine *engine, struct thread *thread, const struct tl_hit *hit)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	tl_u8 before[TL_ACCESS_CONTEXT];
	tl_u64 at = 0;
	tl_size size = sizeof(before);

	if (cpu->last_access == NULL || tl_engine_fetch(engine, thread, 1) != TL_OK)
		return TL_ACCESS_NONE;
	at = tl_cpu_get(cpu, thread->file, cpu->program_counter);
	/* Less where code begins: what matters most is the last instruction. */
	while (size > 0 &&
	       tl_engine_read(engine, thread->process, at - size, before + sizeof(before) - size, size) != TL_OK)
		size -= size > TL_INSTRUCTION_MAX ? TL_INSTRUCTION_MAX : 1;
	return cpu->last_access(thread->file, before + sizeof(before) - size, size, hit->address, hit->size);
}

static bool point_matches(struct tl_engine *engine, struct thread *thread, const struct engine_point *point,
			  const struct tl_event *event, const struct tl_hit *hit)
{
	enum tl_access access = hit->access;

	if (!tl_overlap(point->address, point->size, hit->address, hit->size))
		return false;
	if (point->kind == TL_POINT_WRITE)
		return access == TL_ACCESS_WRITE || (event->exact && (access & TL_ACCESS_WRITE) != 0);
	/* A register set for writes alone is another point's. */
	if (!event->exact && access == TL_ACCESS_WRITE)
		return false;
	if (point->kind == TL_POINT_ACCESS)
		return true;
	if (!event->exact)
		access = decode_access(engine, thread, hit);
	return access != TL_ACCESS_WRITE;
}

/* `stepped`: a step of the machine's, or by traps, ended with the access. */
static void on_watchpoint(struct tl_engine *engine, struct thread *thread, const struct tl_event *event, bool stepped)
{
	struct space *space = thread->process->space;
	struct tl_report report = {.event = *event};
	bool stop = false;

	for (tl_size i = 0; i < space->point_count; i++) {
		struct engine_point *point = space->points[i];

		if ((KINDS_DATA & KIND_BIT(point->kind)) == 0)
			continue;
		for (tl_u8 n = 0; n < event->hit_count && n < TL_HITS_MAX; n++) {
			const struct tl_hit *hit = &event->hits[n];

			if (!point_matches(engine, thread, point, event, hit))
				continue;
			if (tl_points_stop(engine, thread, point, &report) && report.hit_count < TL_HITS_MAX) {
				if (!stop)
					report.point = point->kind;
				stop = true;
				report.hit_addresses[report.hit_count++] =
					hit->address > point->address ? hit->address : point->address;
			}
			break;
		}
	}
	if (stop)
		tl_run_report(engine, thread, &report);
	else if (stepped)
		tl_events_stepped(engine, thread);
	else
		tl_run_settle(engine, thread);
}

/* ---- System calls ---- */

static void on_syscall(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	const struct tl_engine_settings *settings = &engine->settings;

	if (settings->catch_syscalls &&
	    (settings->catch_every_syscall || bit(settings->syscalls, TL_COUNT(settings->syscalls), event->number)))
		report_plain(engine, thread, event);
	else
		tl_run_settle(engine, thread);
}

/* ---- Processes ---- */

/*
 * The child's memory is a copy of the parent's as it was at the fork, traps of steps and all: it gets its points, and
 * is cleaned, from the parent's list as it was then, before anything of the parent is put right.
 */
static void inherit(struct tl_engine *engine, struct thread *parent, const struct tl_event *event)
{
	struct process *child = tl_engine_process(engine, event->child.process);
	struct space *space = parent->process->space;

	if (child == NULL) {
		tl_undo_cleanse(&space->undo, (struct tl_undo_memory){engine->target, event->child.process});
		return;
	}
	tl_copies_inherit(engine, space, child->space);
	if (tl_points_copy(engine, parent->process, child) != TL_OK) {
		/* A child without points is better than one with traps that nobody knows of. */
		tl_points_drop(engine, child->space, child->id);
		tl_undo_cleanse(&space->undo, tl_engine_memory(engine, child->space));
		return;
	}
	(void)tl_undo_refresh(&child->space->undo, tl_engine_memory(engine, child->space));
	/* What is lifted for a step in the parent is in force in the child. */
	(void)tl_undo_lower_all(&child->space->undo, tl_engine_memory(engine, child->space));
}

/* A child that could not be taken, for want of storage or because the target failed: it runs free. */
static void let_go(struct tl_engine *engine, const struct tl_event *event, struct process *child)
{
	if (child != NULL)
		(void)tl_leave_process(engine, child, 0, 0);
	else if (engine->target->ops->detach != NULL)
		(void)engine->target->ops->detach(engine->target, event->child.process, 0, 0);
}

static void on_fork(struct tl_engine *engine, struct thread *thread, const struct tl_event *event,
		    const struct space *copies)
{
	struct process *child = tl_engine_process(engine, event->child.process);
	struct thread *child_thread = tl_engine_thread(engine, event->child);

	if (child == NULL || child_thread == NULL) {
		let_go(engine, event, child);
		tl_run_settle(engine, thread);
		return;
	}
	tl_copies_adopt(engine, child_thread, copies);
	if (engine->settings.report_forks && !thread->process->unattended) {
		report_plain(engine, thread, event);
		return;
	}
	(void)tl_leave_process(engine, child, 0, 0);
	tl_run_settle(engine, thread);
}

static void on_vfork(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	struct process *child = tl_engine_process(engine, event->child.process);
	struct thread *child_thread = tl_engine_thread(engine, event->child);
	struct space *shared = thread->process->space;

	if (child == NULL || child_thread == NULL) {
		tl_leave_lift(engine, thread->process);
		let_go(engine, event, child);
		tl_run_settle(engine, thread);
		return;
	}
	tl_copies_adopt(engine, child_thread, shared);
	if (child->space != shared && child->space->users == 1) {
		child->spare = child->space;
		shared->users++;
		child->space = shared;
	}
	if (engine->settings.report_vforks && !thread->process->unattended) {
		report_plain(engine, thread, event);
		return;
	}
	(void)tl_leave_process(engine, child, 0, 0);
	tl_run_settle(engine, thread);
}

static void on_vfork_done(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	struct space *space = thread->process->space;

	if (thread->process->lifted_for_child) {
		thread->process->lifted_for_child = false;
		if (--space->lifted == 0)
			(void)tl_undo_lower_all(&space->undo, tl_engine_memory(engine, space));
	}
	if (engine->settings.report_vforks)
		report_plain(engine, thread, event);
	else
		tl_run_settle(engine, thread);
}

/*
 * At an exec: steps that were under way, and their traps, are left as they are in memory that is gone. Where others
 * share the memory, they are put right there; never in the new program's.
 */
static void leave_old_memory(struct tl_engine *engine, struct process *process)
{
	struct space *space = process->space;
	bool shared = space->users > 1;

	for (tl_size i = 0; i < engine->process_count && shared; i++)
		if (engine->processes[i] != process && engine->processes[i]->space == space)
			space->process = engine->processes[i]->id;
	if (engine->over != NULL && engine->over->process == process) {
		engine->over->wants_over = false;
		if (shared)
			tl_pass_finish(engine);
		engine->over = NULL;
	}
	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];

		if (thread->process != process)
			continue;
		/* A target that puts points in itself knows them by the process, and not by what runs in it. */
		if (shared || (engine->capabilities & TL_CAN_PLANT) == 0)
			tl_pass_clear_traps(engine, thread);
		thread->trap_count = 0;
	}
}

static void on_exec(struct tl_engine *engine, const struct tl_event *event)
{
	struct process *process = tl_engine_process(engine, event->thread.process);
	struct thread *thread;

	if (process == NULL)
		return;
	leave_old_memory(engine, process);
	thread = tl_engine_thread(engine, event->thread);
	/* Another ran, and has taken its number: what it was last to do is long over. */
	if (thread != NULL && tl_engine_stands(thread))
		thread->plan = TL_ACTION_CONTINUE;
	for (tl_size i = engine->thread_count; i-- > 0;) {
		struct thread *other = engine->threads[i];

		if (other->process != process || other == thread)
			continue;
		if (thread != NULL) {
			/* What was asked of one that is no more is asked of the one that there is. */
			thread->stop_asked |= other->stop_asked;
			thread->interrupted |= other->interrupted;
			tl_engine_forget_thread(engine, other);
			continue;
		}
		/* The leader was gone, and whoever called exec bears its number now. */
		thread = other;
		tl_engine_rename_thread(engine, thread, event->thread);
		thread->plan = TL_ACTION_CONTINUE;
	}
	if (thread == NULL) {
		if (tl_engine_add_thread(engine, event->thread, false) != TL_OK)
			return;
		thread = tl_engine_thread(engine, event->thread);
		thread->plan = TL_ACTION_CONTINUE;
	}
	if (engine->over == thread)
		engine->over = NULL;
	tl_engine_set_state(engine, thread, TL_THREAD_PARKED);
	thread->resumed = true;
	thread->copy = NULL;
	thread->trap_count = 0;
	thread->dealt = thread->rehit = false;
	tl_release(&engine->host.allocator, thread->file, process->facts.cpu->file_size);
	thread->file = NULL;
	thread->valid = thread->dirty = 0;
	(void)tl_engine_fresh_space(engine, process);
	process->lifted_for_child = false;
	(void)engine->target->ops->describe(engine->target, process->id, &process->facts);
	if (engine->settings.report_execs)
		report_plain(engine, thread, event);
	else
		tl_run_settle(engine, thread);
}

/* ---- Coming and going ---- */

static void on_created(struct tl_engine *engine, const struct tl_event *event)
{
	struct thread *thread = tl_engine_thread(engine, event->thread);

	if (thread == NULL) {
		if (tl_engine_add_thread(engine, event->thread, false) != TL_OK)
			return;
		thread = tl_engine_thread(engine, event->thread);
	}
	tl_engine_set_state(engine, thread, TL_THREAD_PARKED);
	thread->plan = TL_ACTION_CONTINUE;
	tl_copies_adopt(engine, thread, thread->process->space);
	if (engine->settings.report_threads)
		report_plain(engine, thread, event);
	else
		tl_run_settle(engine, thread);
}

/* A thread has made another, and both stand. */
static void on_clone(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	struct tl_event created = {.kind = TL_EVENT_THREAD_CREATED, .thread = event->child};
	struct thread *child = tl_engine_thread(engine, event->child);

	/* One that could not be taken runs free. The option may be gone since the thread was let run. */
	if (child == NULL || (thread->options & TL_THREAD_REPORT_CLONE) == 0) {
		tl_run_settle(engine, thread);
		if (child != NULL)
			on_created(engine, &created);
		return;
	}
	child->plan = TL_ACTION_CONTINUE;
	tl_copies_adopt(engine, child, child->process->space);
	report_plain(engine, thread, event);
}

static void on_gone(struct tl_engine *engine, const struct tl_event *event)
{
	struct process *process = tl_engine_process(engine, event->thread.process);
	struct thread *thread = tl_engine_thread(engine, event->thread);
	struct tl_report report = {.event = *event};
	struct tl_note note = {.kind = TL_NOTE_REPORT, .thread = event->thread, .event = event};
	bool unattended;

	if (event->kind == TL_EVENT_THREAD_EXITED) {
		bool told = thread != NULL && !thread->process->unattended &&
			    (engine->settings.report_threads || (thread->options & TL_THREAD_REPORT_EXIT) != 0);

		if (thread != NULL)
			tl_engine_forget_thread(engine, thread);
		if (told)
			tl_run_report_gone(engine, &report);
		/* Non-stop: is there still anyone who could tell anything? */
		engine->no_resumed |= engine->settings.non_stop && engine->settings.report_no_resumed &&
				      thread != NULL && process != NULL && !process->unattended &&
				      tl_engine_quiet(engine) && engine->states[TL_THREAD_WAITING] == 0 &&
				      engine->gone_count == 0;
		return;
	}
	if (process == NULL)
		return;
	unattended = process->unattended;
	tl_engine_forget_process(engine, process);
	if (unattended)
		tl_engine_note(engine, &note);
	else
		tl_run_report_gone(engine, &report);
}

/* ---- Posting ---- */

/* The states in which an event of the thread is expected. */
static bool expected(const struct thread *thread, const struct tl_event *event)
{
	return event->kind == TL_EVENT_EXEC || thread->state == TL_THREAD_RUNNING ||
	       thread->state == TL_THREAD_STOPPING || thread->state == TL_THREAD_OVER;
}

/* x86's rep and its like: the step was one of many of one instruction, which is not done. */
static bool repeats(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	struct tl_instruction instruction;
	tl_u8 bytes[TL_INSTRUCTION_MAX];
	tl_u64 at = 0;
	tl_size size;

	if (tl_engine_program_counter(engine, thread, &at) != TL_OK || at != address)
		return false;
	size = tl_engine_read_code(engine, thread->process, at, bytes);
	return cpu->decode != NULL && cpu->decode(bytes, size, &instruction) == TL_OK &&
	       instruction.flow == TL_FLOW_REPEAT;
}

/* The thread stops being in the middle of getting over a point. */
static void end_pass(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	bool done = true;
	tl_u64 at = 0;

	if (engine->over == thread) {
		tl_u64 address = engine->over_address;

		tl_pass_finish(engine);
		done = tl_engine_program_counter(engine, thread, &at) != TL_OK || at != address ||
		       (event->kind == TL_EVENT_STEPPED && !repeats(engine, thread, address));
	} else if (thread->copy != NULL) {
		if (tl_copies_leave(engine, thread, &done) != TL_OK)
			done = true;
	}
	if (done)
		thread->dealt = false;
}

static void on_hindrance(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	struct tl_report report = {.event = *event, .condition_error = (enum tl_status)event->code};

	report.event.code = 0;
	tl_run_report(engine, thread, &report);
}

static bool stands_at_one(struct tl_engine *engine, struct thread *thread, const tl_u64 *traps, tl_u8 count)
{
	tl_u64 at = 0;

	if (count == 0 || tl_engine_program_counter(engine, thread, &at) != TL_OK)
		return false;
	while (count > 0)
		if (traps[--count] == at)
			return true;
	return false;
}

static void mark_maker(struct tl_engine *engine, const struct thread *maker, const struct tl_event *event)
{
	struct thread *child = NULL;

	if (event->kind == TL_EVENT_FORK || event->kind == TL_EVENT_VFORK || event->kind == TL_EVENT_CLONE)
		child = tl_engine_thread(engine, event->child);
	if (child != NULL)
		child->maker = maker->id;
}

/* How a thread came to stand, as far as traps for a step have to do with it. */
struct arrival {
	bool at_trap; /* it ran into one of them */
	bool arrived; /* the step is done, whatever else there is, short of the trap itself */
};

/* The thread stands: what was under way in it ends, whatever the event is. */
static struct arrival arrive(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	struct arrival arrival;
	tl_u64 traps[STEP_TRAPS];
	tl_u8 trap_count = thread->trap_count;

	tl_copy(traps, thread->traps, sizeof(traps));
	tl_engine_set_state(engine, thread, TL_THREAD_PARKED);
	mark_maker(engine, thread, event);
	if (event->kind == TL_EVENT_FORK)
		inherit(engine, thread, event);
	tl_pass_clear_traps(engine, thread);
	end_pass(engine, thread, event);
	arrival.arrived = stands_at_one(engine, thread, traps, trap_count);
	arrival.at_trap = event->kind == TL_EVENT_TRAP && had_trap(traps, trap_count, event->address);
	return arrival;
}

static void on_paused(struct tl_engine *engine, struct thread *thread, const struct tl_event *event, bool arrived)
{
	if (event->code != TL_OK)
		on_hindrance(engine, thread, event);
	else if (arrived)
		tl_events_stepped(engine, thread);
	else
		tl_run_settle(engine, thread);
}

static void dispatch(struct tl_engine *engine, struct thread *thread, const struct tl_event *event)
{
	const struct space *space = thread->process->space;
	const struct arrival arrival = arrive(engine, thread, event);
	const bool in_sequence = thread->in_sequence;

	thread->in_sequence = false;
	switch (event->kind) {
	case TL_EVENT_PAUSED:
		on_paused(engine, thread, event, arrival.arrived);
		break;
	case TL_EVENT_TRAP:
		on_trap(engine, thread, event, arrival.at_trap);
		break;
	case TL_EVENT_HARDWARE_BREAKPOINT:
		if (arrival.arrived) /* as a machine that steps says it: the point is met when the thread goes on */
			tl_events_stepped(engine, thread);
		else
			on_hardware(engine, thread, event);
		break;
	case TL_EVENT_WATCHPOINT:
		on_watchpoint(engine, thread, event, event->stepped || arrival.arrived);
		break;
	case TL_EVENT_STEPPED:
		if (in_sequence)
			tl_pass_go_on(engine, thread);
		else
			tl_events_stepped(engine, thread);
		break;
	case TL_EVENT_SIGNAL:
		on_signal(engine, thread, event);
		break;
	case TL_EVENT_SYSCALL_ENTRY:
	case TL_EVENT_SYSCALL_RETURN:
		on_syscall(engine, thread, event);
		break;
	case TL_EVENT_FORK:
		on_fork(engine, thread, event, space);
		break;
	case TL_EVENT_VFORK:
		on_vfork(engine, thread, event);
		break;
	case TL_EVENT_CLONE:
		on_clone(engine, thread, event);
		break;
	case TL_EVENT_VFORK_DONE:
		on_vfork_done(engine, thread, event);
		break;
	case TL_EVENT_HISTORY_END:
		report_plain(engine, thread, event);
		break;
	case TL_EVENT_NONE:
	case TL_EVENT_EXEC:
	case TL_EVENT_THREAD_CREATED:
	case TL_EVENT_THREAD_EXITED:
	case TL_EVENT_PROCESS_EXITED:
	case TL_EVENT_PROCESS_KILLED:
	case TL_EVENT_MAX:
		tl_run_settle(engine, thread);
		break;
	}
}

void tl_engine_post(struct tl_engine *engine, const struct tl_event *event)
{
	struct tl_note note = {.kind = TL_NOTE_EVENT, .thread = event->thread, .event = event};
	struct thread *thread = tl_engine_thread(engine, event->thread);

	engine->counters.events++;
	tl_engine_note(engine, &note);
	if (event->kind == TL_EVENT_THREAD_EXITED || event->kind == TL_EVENT_PROCESS_EXITED ||
	    event->kind == TL_EVENT_PROCESS_KILLED) {
		on_gone(engine, event);
	} else if (event->kind == TL_EVENT_THREAD_CREATED) {
		on_created(engine, event);
	} else if (event->kind == TL_EVENT_EXEC) {
		on_exec(engine, event);
	} else if (thread != NULL && expected(thread, event)) {
		dispatch(engine, thread, event);
	} else {
		note.kind = TL_NOTE_DROPPED;
		tl_engine_note(engine, &note);
	}
	tl_pass_advance(engine);
	tl_pass_release(engine);
	tl_run_check(engine);
}
