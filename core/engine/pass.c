/*
 * Setting a thread going, and getting it over the point that it stands on.
 *
 * A thread that has hit a point and is to run on must execute the instruction under it without hitting it again. The
 * cheapest way that the target allows is taken:
 *
 *   passed        the target does it (an emulator): nothing to do
 *   carried out   the engine does what the instruction does, on the registers and memory
 *   out of line   the thread runs a copy of the instruction that ends in a jump back (copies.c)
 *   held          all other threads of the address space stand while the trap is lifted for one step
 *   sequence      inside an exclusive sequence: the same, and the engine carries it out to its end (sequence.c)
 *
 * Only the last two concern other threads. One thread at a time is getting over a point that way (engine->over); it is
 * HELD, like the others, until the last of them stands, then in OVER for its step.
 */
#include "core/engine/internal.h"

/* An operation on the thread failed. A thread that is gone will say so in an event; anything else the client must know.
 */
static void failed(struct tl_engine *engine, struct thread *thread, enum tl_status status)
{
	struct tl_report report = {.event = {.kind = TL_EVENT_PAUSED, .thread = thread->id}, .condition_error = status};

	if (status == TL_ERROR_GONE)
		tl_engine_set_state(engine, thread, TL_THREAD_RUNNING);
	else
		tl_run_report(engine, thread, &report);
}

bool tl_pass_trapped(const struct tl_engine *engine, const struct space *space, tl_u64 address,
		     const struct thread *except)
{
	for (tl_size i = 0; i < engine->thread_count; i++) {
		const struct thread *thread = engine->threads[i];

		for (tl_u8 n = 0; n < thread->trap_count && thread != except && thread->process->space == space; n++)
			if (thread->traps[n] == address)
				return true;
	}
	return false;
}

/* Where the target puts points in, it has each once: whether somebody else has one here that serves. */
static bool has_other(const struct tl_engine *engine, const struct thread *thread, tl_u64 address)
{
	const struct space *space = thread->process->space;

	return tl_points_find(space, address, KIND_BIT(TL_POINT_SOFTWARE)) != NULL ||
	       tl_pass_trapped(engine, space, address, thread);
}

void tl_pass_clear_traps(struct tl_engine *engine, struct thread *thread)
{
	struct space *space = thread->process->space;
	const struct tl_target_ops *ops = engine->target->ops;

	while (thread->trap_count > 0) {
		tl_u64 address = thread->traps[--thread->trap_count];

		if ((engine->capabilities & TL_CAN_PLANT) != 0)
			(void)tl_undo_unplant(&space->undo, tl_engine_memory(engine, space), address);
		else if (!has_other(engine, thread, address))
			(void)ops->remove_point(engine->target, thread->id.process, TL_POINT_SOFTWARE, address, 1);
	}
}

static enum tl_status set_trap(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	struct space *space = thread->process->space;
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	const struct tl_target_ops *ops = engine->target->ops;

	if ((engine->capabilities & TL_CAN_PLANT) != 0)
		TL_TRY(tl_undo_plant(&space->undo, &engine->host.allocator, tl_engine_memory(engine, space), address,
				     cpu->trap, cpu->trap_size));
	else if (!has_other(engine, thread, address))
		TL_TRY(ops->insert_point != NULL
			       ? ops->insert_point(engine->target, thread->id.process, TL_POINT_SOFTWARE, address, 1)
			       : TL_ERROR_UNSUPPORTED);
	thread->traps[thread->trap_count++] = address;
	/* A vfork's child that was let go runs in this memory: the trap comes with the others when it is done. */
	return (engine->capabilities & TL_CAN_PLANT) != 0 && space->lifted > 0
		       ? tl_undo_lift(&space->undo, tl_engine_memory(engine, space), address)
		       : TL_OK;
}

/* A watchpoint is the machine's to notice: what it covers is not touched behind its back. */
static bool watched(const struct pass_access *access, tl_u64 address, tl_size size)
{
	const struct space *space = access->process->space;

	for (tl_size i = 0; i < space->point_count; i++) {
		const struct engine_point *point = space->points[i];

		if ((KINDS_DATA & KIND_BIT(point->kind)) != 0 && tl_overlap(point->address, point->size, address, size))
			return true;
	}
	return false;
}

/* As the program would: what it may not touch is left to the machine to fault on. */
static enum tl_status access_read(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct pass_access *access = context;
	struct tl_target *target = access->engine->target;

	if (watched(access, address, size))
		return TL_ERROR_MEMORY;
	if (target->ops->load == NULL)
		return tl_engine_read(access->engine, access->process, address, buffer, size);
	TL_TRY(target->ops->load(target, access->process->id, address, buffer, size));
	tl_undo_hide(&access->process->space->undo, address, buffer, size);
	return TL_OK;
}

static enum tl_status access_write(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	struct pass_access *access = context;
	struct tl_target *target = access->engine->target;
	tl_size done = 0;

	if (watched(access, address, size))
		return TL_ERROR_MEMORY;
	if (target->ops->store != NULL) {
		/* A program that writes over a trap of ours: its own store does that better. */
		if (tl_undo_touches(&access->process->space->undo, address, size))
			return TL_ERROR_MEMORY;
		return target->ops->store(target, access->process->id, address, buffer, size);
	}
	TL_TRY(tl_engine_write_memory(access->engine, access->process->id, address, buffer, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

struct tl_memory_access tl_pass_memory(struct pass_access *access)
{
	return (struct tl_memory_access){access_read, access_write, access};
}

/* A step for a machine that has none: traps wherever the instruction may lead. */
static enum tl_status set_step_traps(struct tl_engine *engine, struct thread *thread)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	struct pass_access access = {engine, thread->process};
	struct tl_memory_access memory = tl_pass_memory(&access);
	tl_u8 bytes[TL_INSTRUCTION_MAX];
	tl_u64 successors[TL_SUCCESSORS_MAX], at = 0;
	tl_size count = 0, size;

	TL_TRY(tl_engine_fetch(engine, thread, 1));
	at = tl_cpu_get(cpu, thread->file, cpu->program_counter);
	size = tl_engine_read_code(engine, thread->process, at, bytes);
	TL_TRY(cpu->successors(thread->file, bytes, size, &memory, successors, &count));
	for (tl_size i = 0; i < count; i++) {
		enum tl_status status;

		/* An instruction that may repeat runs to its end; one that only leads to itself is left where it is. */
		if (successors[i] == at)
			continue;
		status = set_trap(engine, thread, successors[i]);
		if (status != TL_OK) {
			tl_pass_clear_traps(engine, thread);
			return status;
		}
	}
	return TL_OK;
}

static bool plans_step(const struct thread *thread)
{
	return thread->plan == TL_ACTION_STEP || thread->plan == TL_ACTION_RANGE;
}

/* Lets the machine run the thread. All that was decided about it is in the arguments. */
static void go(struct tl_engine *engine, struct thread *thread, enum tl_thread_state state, bool step,
	       bool over_hardware)
{
	struct tl_run_request request = {.run = step ? TL_RUN_STEP : TL_RUN_CONTINUE,
					 .signal = thread->deliver,
					 .syscalls = engine->settings.catch_syscalls,
					 .clones = (thread->options & TL_THREAD_REPORT_CLONE) != 0,
					 .awake = engine->settings.awaken,
					 .over_hardware = over_hardware};
	struct tl_note note = {.kind = TL_NOTE_RESUME, .thread = thread->id, .request = &request};
	enum tl_status status = TL_OK;

	if (thread->plan == TL_ACTION_CONTINUE_BACK || thread->plan == TL_ACTION_STEP_BACK)
		request.run = thread->plan == TL_ACTION_STEP_BACK ? TL_RUN_STEP_BACK : TL_RUN_CONTINUE_BACK;
	if (request.run == TL_RUN_STEP && (engine->capabilities & TL_CAN_STEP) == 0) {
		status = set_step_traps(engine, thread);
		request.run = TL_RUN_CONTINUE;
	}
	if (status == TL_OK)
		status = tl_engine_flush(engine, thread);
	if (status == TL_OK) {
		tl_engine_note(engine, &note);
		status = engine->target->ops->resume(engine->target, thread->id, &request);
	}
	if (status != TL_OK) {
		tl_pass_clear_traps(engine, thread);
		failed(engine, thread, status);
		return;
	}
	engine->counters.resumes++;
	thread->in_sequence &= state == TL_THREAD_OVER;
	thread->deliver = 0;
	thread->valid = thread->dirty = 0;
	tl_engine_set_state(engine, thread, state);
}

static void note_way(struct tl_engine *engine, struct thread *thread, enum tl_way way, tl_u64 address)
{
	struct tl_note note = {.kind = TL_NOTE_OVER, .thread = thread->id, .to = way, .address = address};

	engine->counters.ways[way]++;
	tl_engine_note(engine, &note);
}

/* ---- Held ---- */

static bool led_through(struct tl_engine *engine, struct thread *thread);

static bool siblings_move(const struct tl_engine *engine, const struct thread *thread)
{
	for (tl_size i = 0; i < engine->thread_count; i++) {
		const struct thread *other = engine->threads[i];

		if (other != thread && other->process->space == thread->process->space && !tl_engine_stands(other))
			return true;
	}
	return false;
}

void tl_pass_advance(struct tl_engine *engine)
{
	struct thread *thread = engine->over;
	struct space *space;
	enum tl_status status;

	if (thread == NULL || thread->state != TL_THREAD_HELD || siblings_move(engine, thread))
		return;
	space = thread->process->space;
	thread->wants_over = false;
	if (thread->in_sequence && led_through(engine, thread))
		return;
	note_way(engine, thread, TL_WAY_HELD, engine->over_address);
	status = tl_undo_lift(&space->undo, tl_engine_memory(engine, space), engine->over_address);
	if (status == TL_OK && (engine->capabilities & TL_CAN_PLANT) == 0)
		status = engine->target->ops->remove_point(engine->target, thread->id.process, TL_POINT_SOFTWARE,
							   engine->over_address, 1);
	if (status != TL_OK) {
		engine->over = NULL;
		failed(engine, thread, status);
		return;
	}
	/* In a sequence a hardware breakpoint may stand there, too, whose hit was dealt with on the way. */
	go(engine, thread, TL_THREAD_OVER, true,
	   thread->in_sequence && tl_points_find(space, engine->over_address, KIND_BIT(TL_POINT_HARDWARE)) != NULL);
	if (thread->state != TL_THREAD_OVER)
		tl_pass_finish(engine);
}

/* The thread gets its turn with all siblings held, now or when whoever has it is done. */
static void hold(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	tl_engine_set_state(engine, thread, TL_THREAD_HELD);
	if (!thread->wants_over)
		thread->over_sequence = ++engine->sequence;
	thread->wants_over = true;
	if (engine->over != NULL)
		return;
	engine->over = thread;
	engine->over_address = address;
	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *other = engine->threads[i];

		if (other->process->space == thread->process->space && other->state == TL_THREAD_RUNNING)
			tl_run_stop(engine, other);
	}
	tl_pass_advance(engine);
}

void tl_pass_finish(struct tl_engine *engine)
{
	struct thread *thread = engine->over;
	const struct engine_point *point;
	struct space *space;

	if (thread == NULL)
		return;
	space = thread->process->space;
	engine->over = NULL;
	thread->wants_over = false;
	if (space->lifted == 0)
		(void)tl_undo_lower(&space->undo, tl_engine_memory(engine, space), engine->over_address);
	point = tl_points_find(space, engine->over_address, KIND_BIT(TL_POINT_SOFTWARE));
	if ((engine->capabilities & TL_CAN_PLANT) != 0 || engine->target->ops->insert_point == NULL || point == NULL)
		return;
	if (point->conditions.count != 0)
		tl_points_tell_conditions(engine, thread->id.process, point);
	(void)engine->target->ops->insert_point(engine->target, thread->id.process, TL_POINT_SOFTWARE,
						engine->over_address, 1);
}

/* Who has waited longest for a turn, or NULL. */
static struct thread *next_over(const struct tl_engine *engine)
{
	struct thread *next = NULL;

	for (tl_size i = 0; i < engine->thread_count; i++) {
		struct thread *thread = engine->threads[i];

		if (thread->state == TL_THREAD_HELD && thread->wants_over &&
		    (next == NULL || thread->over_sequence < next->over_sequence))
			next = thread;
	}
	return next;
}

/* All who are held for others' sake alone. */
static void release_others(struct tl_engine *engine)
{
	for (tl_size i = 0; i < engine->thread_count && engine->over == NULL; i++)
		if (engine->threads[i]->state == TL_THREAD_HELD && !engine->threads[i]->wants_over)
			tl_run_settle(engine, engine->threads[i]);
}

void tl_pass_release(struct tl_engine *engine)
{
	struct thread *next;

	if (engine->states[TL_THREAD_HELD] == 0)
		return;
	while (engine->over == NULL && (next = next_over(engine)) != NULL) {
		/* Some may come back for another turn without end: each round of turns, all others get to run. */
		if (next->over_sequence > engine->over_round) {
			engine->over_round = engine->sequence;
			release_others(engine);
			continue;
		}
		next->wants_over = false;
		tl_run_settle(engine, next);
	}
	release_others(engine);
}

/* ---- The ways ---- */

static bool carry_out(struct tl_engine *engine, struct thread *thread, const tl_u8 *bytes, tl_size size)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	struct pass_access access = {engine, thread->process};
	struct tl_memory_access memory = tl_pass_memory(&access);

	if (tl_engine_fetch(engine, thread, 1) != TL_OK || cpu->carry_out(thread->file, bytes, size, &memory) != TL_OK)
		return false;
	thread->dirty |= 1;
	return true;
}

/* The thread has executed the covered instruction without running. */
static void carried_out(struct tl_engine *engine, struct thread *thread)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	tl_u64 at = tl_cpu_get(cpu, thread->file, cpu->program_counter);

	thread->dealt = false;
	if (thread->plan == TL_ACTION_STEP ||
	    (thread->plan == TL_ACTION_RANGE && at - thread->range_start >= thread->range_end - thread->range_start))
		tl_events_stepped(engine, thread);
	else
		go(engine, thread, TL_THREAD_RUNNING, plans_step(thread), false);
}

/*
 * A trap of the program's own with a point on top of it. The hit was the point's: executed, it would be hit again, and
 * for ever.
 */
static bool is_trap(const struct tl_cpu *cpu, const tl_u8 *bytes, const struct tl_instruction *instruction)
{
	return instruction != NULL ? instruction->flow == TL_FLOW_TRAP : tl_same(bytes, cpu->trap, cpu->trap_size);
}

/* Gets a thread over the trap at `address`, on which it stands, and no further. */
static void pass_one(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	struct tl_instruction instruction;
	tl_u8 bytes[TL_INSTRUCTION_MAX];
	tl_size size;
	bool known;
	struct copy *copy = NULL;

	size = tl_engine_read_code(engine, thread->process, address, bytes);
	known = cpu->decode != NULL && cpu->decode(bytes, size, &instruction) == TL_OK;
	if (size >= cpu->trap_size && is_trap(cpu, bytes, known ? &instruction : NULL) &&
	    tl_engine_set_program_counter(engine, thread, address + (known ? instruction.length : cpu->trap_size)) ==
		    TL_OK) {
		note_way(engine, thread, TL_WAY_CARRIED_OUT, address);
		carried_out(engine, thread);
		return;
	}
	if (known && instruction.carried_out && (engine->capabilities & TL_CAN_CARRY_OUT) != 0 &&
	    carry_out(engine, thread, bytes, size)) {
		note_way(engine, thread, TL_WAY_CARRIED_OUT, address);
		carried_out(engine, thread);
		return;
	}
	if (known && (!plans_step(thread) || (engine->capabilities & TL_CAN_STEP) != 0))
		copy = tl_copies_get(engine, thread, address, bytes, &instruction);
	if (copy != NULL && tl_engine_set_program_counter(engine, thread, copy->address) == TL_OK) {
		note_way(engine, thread, TL_WAY_OUT_OF_LINE, address);
		thread->copy = copy;
		go(engine, thread, TL_THREAD_RUNNING, plans_step(thread), false);
		if (tl_engine_stands(thread))
			(void)tl_copies_leave(engine, thread, &known);
		return;
	}
	hold(engine, thread, address);
}

/* A thread that stands on a point inside of an exclusive sequence: with all others held it is led through. */
static bool pass_sequence(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	/* It may have been parked while it was led through another one. */
	thread->in_sequence = tl_sequence_wants(engine, thread, address);
	if (!thread->in_sequence)
		return false;
	thread->reservation = (struct tl_reservation){.held = false};
	thread->sequence_from = address;
	thread->sequence_steps = 0;
	hold(engine, thread, address);
	return true;
}

static bool has_trap(struct space *space, tl_u64 address)
{
	return tl_undo_find(&space->undo, address) != NULL ||
	       tl_points_find(space, address, KIND_BIT(TL_POINT_SOFTWARE)) != NULL;
}

/* Gets a thread over the trap at `address`, on which it stands. */
static void pass(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	if ((engine->capabilities & TL_CAN_PASS_POINTS) != 0) {
		note_way(engine, thread, TL_WAY_PASSED, address);
		go(engine, thread, TL_THREAD_RUNNING, plans_step(thread), false);
	} else if (!pass_sequence(engine, thread, address)) {
		pass_one(engine, thread, address);
	}
}

/* All siblings stand. True when nothing is left to do; else the machine is to make one step. */
static bool led_through(struct tl_engine *engine, struct thread *thread)
{
	enum tl_sequence_end end = tl_sequence_run(engine, thread);

	if (end == TL_SEQUENCE_STEP && tl_engine_program_counter(engine, thread, &engine->over_address) == TL_OK)
		return false;
	note_way(engine, thread, TL_WAY_SEQUENCE, engine->over_address);
	engine->over = NULL;
	thread->in_sequence = false;
	if (end == TL_SEQUENCE_TOLD)
		return true;
	if (!thread->dealt) {
		carried_out(engine, thread);
	} else if (has_trap(thread->process->space, thread->dealt_address)) {
		pass_one(engine, thread, thread->dealt_address);
	} else {
		thread->dealt = false;
		go(engine, thread, TL_THREAD_RUNNING, plans_step(thread), true);
	}
	return true;
}

void tl_pass_go_on(struct tl_engine *engine, struct thread *thread)
{
	tl_u64 at = 0;

	/* Where it has to stand its store will fail, and the point will be met again. */
	if (thread->interrupted || thread->stop_asked || thread->deliver != 0 || engine->over != NULL ||
	    tl_run_standstill(engine, thread->process) || tl_engine_program_counter(engine, thread, &at) != TL_OK) {
		tl_run_settle(engine, thread);
		return;
	}
	thread->in_sequence = true;
	hold(engine, thread, at);
}

/* A signal goes to a thread that stands on a point: the handler runs first, and the point is met again after it. */
static void expect_rehit(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;

	if (tl_engine_fetch(engine, thread, 1) != TL_OK)
		return;
	thread->rehit = true;
	thread->rehit_address = address;
	thread->rehit_stack = tl_cpu_get(cpu, thread->file, cpu->stack_pointer);
}

void tl_pass_start(struct tl_engine *engine, struct thread *thread)
{
	struct space *space = thread->process->space;
	bool dealt = thread->dealt, hardware;
	tl_u64 at = 0;
	enum tl_status status;

	if (engine->over != NULL && engine->over != thread && engine->over->process->space == space) {
		/* It may need a turn of its own: it gets one in the order of asking. */
		if (dealt && !thread->wants_over) {
			thread->wants_over = true;
			thread->over_sequence = ++engine->sequence;
		}
		tl_engine_set_state(engine, thread, TL_THREAD_HELD);
		return;
	}
	/* What it stands on lies ahead, and is none of its business on the way back. */
	if (thread->plan == TL_ACTION_CONTINUE_BACK || thread->plan == TL_ACTION_STEP_BACK) {
		thread->dealt = thread->rehit = false;
		go(engine, thread, TL_THREAD_RUNNING, false, false);
		return;
	}
	if (!dealt && (engine->capabilities & TL_CAN_PASS_POINTS) != 0 && thread->deliver == 0 &&
	    tl_points_any(space, KIND_BIT(TL_POINT_SOFTWARE)) &&
	    tl_engine_program_counter(engine, thread, &at) == TL_OK &&
	    tl_points_find(space, at, KIND_BIT(TL_POINT_SOFTWARE)) != NULL) {
		/* Brought here by a step or by its client, it has not hit the point yet, and the machine would pass it.
		 */
		tl_events_hit(engine, thread, at);
		return;
	}
	if (!dealt) {
		go(engine, thread, TL_THREAD_RUNNING, plans_step(thread), false);
		return;
	}
	status = tl_engine_program_counter(engine, thread, &at);
	if (status != TL_OK) {
		failed(engine, thread, status);
		return;
	}
	thread->dealt = at == thread->dealt_address;
	hardware = thread->dealt && tl_points_find(space, at, KIND_BIT(TL_POINT_HARDWARE)) != NULL;
	if (thread->dealt && thread->deliver != 0)
		expect_rehit(engine, thread, at);
	else if (thread->dealt && space->lifted == 0 && has_trap(space, at)) {
		pass(engine, thread, at);
		return;
	} else if (hardware && space->lifted == 0 && (engine->capabilities & TL_CAN_PASS_POINTS) == 0 &&
		   pass_sequence(engine, thread, at)) {
		return;
	}
	thread->dealt = false;
	go(engine, thread, TL_THREAD_RUNNING, plans_step(thread), hardware);
}
