#include "core/engine/internal.h"

tl_size tl_engine_size(void)
{
	return sizeof(struct tl_engine);
}

void tl_engine_init(struct tl_engine *engine, struct tl_target *target, const struct tl_engine_host *host)
{
	*engine = (struct tl_engine){.target = target, .host = *host, .capabilities = tl_target_capabilities(target)};
	target->engine = engine;
}

void tl_engine_deinit(struct tl_engine *engine)
{
	const struct tl_allocator *allocator = &engine->host.allocator;

	while (engine->thread_count > 0)
		tl_engine_forget_thread(engine, engine->threads[engine->thread_count - 1]);
	while (engine->process_count > 0)
		tl_engine_forget_process(engine, engine->processes[engine->process_count - 1]);
	tl_release(allocator, engine->threads, engine->thread_capacity * sizeof(*engine->threads));
	tl_release(allocator, engine->index, engine->index_size * sizeof(*engine->index));
	tl_release(allocator, engine->processes, engine->process_capacity * sizeof(*engine->processes));
	tl_release(allocator, engine->gone, engine->gone_capacity * sizeof(*engine->gone));
	tl_release(allocator, engine->spare_file, engine->spare_file_size);
	tl_release(allocator, engine->bystander_file, engine->bystander_file_size);
	engine->target->engine = NULL;
	*engine = (struct tl_engine){0};
}

void tl_engine_note(struct tl_engine *engine, const struct tl_note *note)
{
	if (engine->host.note != NULL)
		engine->host.note(engine->host.context, note);
}

struct tl_engine_settings *tl_engine_settings(struct tl_engine *engine)
{
	return &engine->settings;
}

const struct tl_engine_counters *tl_engine_counters(const struct tl_engine *engine)
{
	return &engine->counters;
}

struct tl_target *tl_engine_target(const struct tl_engine *engine)
{
	return engine->target;
}

/* ---- The index of threads ---- */

static tl_size slot_of(const struct tl_engine *engine, struct tl_thread_id id)
{
	tl_u64 hash = (id.thread ^ id.process << 32) * 0x9e3779b97f4a7c15u;

	return (tl_size)(hash >> 20) & (engine->index_size - 1);
}

static void index_put(struct tl_engine *engine, struct thread *thread)
{
	tl_size slot = slot_of(engine, thread->id);

	while (engine->index[slot] != NULL)
		slot = (slot + 1) & (engine->index_size - 1);
	engine->index[slot] = thread;
}

/* Keeps the index at most half full. */
static bool index_grow(struct tl_engine *engine)
{
	tl_size size = engine->index_size != 0 ? engine->index_size * 2 : 16;
	struct thread **grown;

	if (engine->thread_count * 2 < engine->index_size)
		return true;
	grown = tl_allocate(&engine->host.allocator, size * sizeof(*grown));
	if (grown == NULL)
		return false;
	tl_release(&engine->host.allocator, engine->index, engine->index_size * sizeof(*engine->index));
	engine->index = grown;
	engine->index_size = size;
	for (tl_size i = 0; i < engine->thread_count; i++)
		index_put(engine, engine->threads[i]);
	return true;
}

struct thread *tl_engine_thread(const struct tl_engine *engine, struct tl_thread_id id)
{
	if (engine->index_size == 0)
		return NULL;
	for (tl_size slot = slot_of(engine, id); engine->index[slot] != NULL;
	     slot = (slot + 1) & (engine->index_size - 1)) {
		struct thread *thread = engine->index[slot];

		if (thread->id.thread == id.thread && thread->id.process == id.process)
			return thread;
	}
	return NULL;
}

static void index_remove(struct tl_engine *engine, const struct thread *thread)
{
	tl_size mask = engine->index_size - 1, slot = slot_of(engine, thread->id), next;

	while (engine->index[slot] != thread)
		slot = (slot + 1) & mask;
	/* Close the gap: move back whatever probed past it. */
	for (next = (slot + 1) & mask; engine->index[next] != NULL; next = (next + 1) & mask) {
		tl_size home = slot_of(engine, engine->index[next]->id);

		if (((next - home) & mask) >= ((next - slot) & mask)) {
			engine->index[slot] = engine->index[next];
			slot = next;
		}
	}
	engine->index[slot] = NULL;
}

/* ---- Processes and spaces ---- */

struct process *tl_engine_process(const struct tl_engine *engine, tl_u64 id)
{
	for (tl_size i = 0; i < engine->process_count; i++)
		if (engine->processes[i]->id == id)
			return engine->processes[i];
	return NULL;
}

static void space_release(struct tl_engine *engine, struct space *space)
{
	const struct tl_allocator *allocator = &engine->host.allocator;

	tl_undo_free(&space->undo, allocator);
	tl_copies_drop(engine, space);
	tl_release(allocator, space->points, space->point_capacity * sizeof(*space->points));
	tl_release(allocator, space, sizeof(*space));
}

/* The memory of a shared space is no longer reached by this process, which is ending. */
static void space_hand_on(struct tl_engine *engine, struct space *space, tl_u64 process)
{
	for (tl_size i = 0; i < engine->process_count && space->process == process; i++)
		if (engine->processes[i]->space == space && engine->processes[i]->id != process)
			space->process = engine->processes[i]->id;
}

/* One user less of a space that others still have. */
static void space_leave(struct tl_engine *engine, struct space *space, tl_u64 process)
{
	space_hand_on(engine, space, process);
	space->users--;
}

enum tl_status tl_engine_fresh_space(struct tl_engine *engine, struct process *process)
{
	struct space *old = process->space, *fresh;

	if (old != NULL && old->users == 1) {
		/* Nobody else has it: emptied, it is as good as new, and that cannot fail. */
		tl_points_drop(engine, old, process->id);
		tl_copies_drop(engine, old);
		old->lifted = 0;
		old->no_area = false;
		return TL_OK;
	}
	fresh = process->spare != NULL ? process->spare : tl_allocate(&engine->host.allocator, sizeof(*fresh));
	if (fresh == NULL)
		return TL_ERROR_NO_MEMORY;
	process->spare = NULL;
	*fresh = (struct space){.users = 1, .process = process->id};
	process->space = fresh;
	if (old != NULL)
		space_leave(engine, old, process->id);
	return TL_OK;
}

struct tl_undo_memory tl_engine_memory(const struct tl_engine *engine, const struct space *space)
{
	return (struct tl_undo_memory){.target = engine->target, .process = space->process};
}

/* Room for reports of what is gone: of every process, and of as many threads besides. */
static enum tl_status reserve_gone(struct tl_engine *engine, tl_size threads)
{
	void *gone = engine->gone;

	while (engine->gone_capacity < engine->gone_count + engine->process_count + threads) {
		if (!tl_grow(&engine->host.allocator, &gone, &engine->gone_capacity, engine->gone_capacity,
			     sizeof(*engine->gone)))
			return TL_ERROR_NO_MEMORY;
		engine->gone = gone;
	}
	return TL_OK;
}

enum tl_status tl_engine_reserve_file(struct tl_engine *engine, tl_size size, tl_u8 **file_ret, tl_size *size_ret)
{
	const struct tl_allocator *allocator = &engine->host.allocator;
	tl_u8 *file;

	if (size <= *size_ret)
		return TL_OK;
	file = allocator->resize(allocator->context, *file_ret, *size_ret, size);
	if (file == NULL)
		return TL_ERROR_NO_MEMORY;
	*file_ret = file;
	*size_ret = size;
	return TL_OK;
}

enum tl_status tl_engine_add_process(struct tl_engine *engine, tl_u64 id)
{
	void *list = engine->processes;
	struct process *process;
	enum tl_status status;

	if (tl_engine_process(engine, id) != NULL)
		return TL_ERROR_ARGUMENT;
	/* Room for the report of its end is made now: an exit cannot be refused for want of storage. */
	TL_TRY(reserve_gone(engine, 1));
	if (!tl_grow(&engine->host.allocator, &list, &engine->process_capacity, engine->process_count,
		     sizeof(*engine->processes)))
		return TL_ERROR_NO_MEMORY;
	engine->processes = list;
	process = tl_allocate(&engine->host.allocator, sizeof(*process));
	if (process == NULL)
		return TL_ERROR_NO_MEMORY;
	process->id = id;
	status = engine->target->ops->describe(engine->target, id, &process->facts);
	if (status == TL_OK)
		status = tl_engine_reserve_file(engine, process->facts.cpu->file_size, &engine->spare_file,
						&engine->spare_file_size);
	if (status == TL_OK)
		status = tl_engine_fresh_space(engine, process);
	if (status != TL_OK) {
		tl_release(&engine->host.allocator, process, sizeof(*process));
		return status;
	}
	engine->processes[engine->process_count++] = process;
	return TL_OK;
}

void tl_engine_forget_process(struct tl_engine *engine, struct process *process)
{
	struct space *space = process->space;
	tl_size at = 0;

	for (tl_size i = engine->thread_count; i-- > 0;)
		if (engine->threads[i]->process == process)
			tl_engine_forget_thread(engine, engine->threads[i]);
	if (space->users == 1) {
		tl_points_drop(engine, space, process->id);
		space_release(engine, space);
	} else {
		tl_points_withdraw(engine, space, process->id);
		space_leave(engine, space, process->id);
		if (process->lifted_for_child && --space->lifted == 0)
			(void)tl_undo_lower_all(&space->undo, tl_engine_memory(engine, space));
	}
	while (engine->processes[at] != process)
		at++;
	engine->unattended -= process->unattended;
	engine->process_count--;
	tl_move(&engine->processes[at], &engine->processes[at + 1],
		(engine->process_count - at) * sizeof(struct process *));
	tl_release(&engine->host.allocator, process->spare, sizeof(*process->spare));
	tl_release(&engine->host.allocator, process, sizeof(*process));
}

static tl_u64 next_process(const struct tl_engine *engine, tl_u64 after, bool unattended)
{
	tl_size at = 0;

	if (after != 0) {
		while (at < engine->process_count && engine->processes[at]->id != after)
			at++;
		at++;
	}
	while (at < engine->process_count && engine->processes[at]->unattended != unattended)
		at++;
	return at < engine->process_count ? engine->processes[at]->id : 0;
}

tl_u64 tl_engine_next_process(const struct tl_engine *engine, tl_u64 after)
{
	return next_process(engine, after, false);
}

tl_u64 tl_engine_next_unattended(const struct tl_engine *engine, tl_u64 after)
{
	return next_process(engine, after, true);
}

enum tl_status tl_engine_facts(const struct tl_engine *engine, tl_u64 id, struct tl_process_facts *facts_ret)
{
	const struct process *process = tl_engine_process(engine, id);

	if (process == NULL)
		return TL_ERROR_NO_PROCESS;
	*facts_ret = process->facts;
	return TL_OK;
}

/* ---- Threads ---- */

bool tl_engine_stands(const struct thread *thread)
{
	return thread->state == TL_THREAD_PARKED || thread->state == TL_THREAD_WAITING ||
	       thread->state == TL_THREAD_HELD;
}

void tl_engine_set_state(struct tl_engine *engine, struct thread *thread, enum tl_thread_state state)
{
	struct tl_note note = {.kind = TL_NOTE_STATE, .thread = thread->id, .from = thread->state, .to = state};

	if (thread->state == state)
		return;
	engine->states[thread->state]--;
	engine->states[state]++;
	thread->process->states[thread->state]--;
	thread->process->states[state]++;
	thread->state = state;
	if (tl_engine_stands(thread))
		thread->stop_sent = false;
	tl_engine_note(engine, &note);
}

enum tl_status tl_engine_add_thread(struct tl_engine *engine, struct tl_thread_id id, bool running)
{
	struct process *process = tl_engine_process(engine, id.process);
	void *list = engine->threads;
	struct thread *thread;

	if (process == NULL)
		return TL_ERROR_NO_PROCESS;
	if (tl_engine_thread(engine, id) != NULL)
		return TL_ERROR_ARGUMENT;
	if (!tl_grow(&engine->host.allocator, &list, &engine->thread_capacity, engine->thread_count,
		     sizeof(*engine->threads)))
		return TL_ERROR_NO_MEMORY;
	engine->threads = list;
	if (!index_grow(engine))
		return TL_ERROR_NO_MEMORY;
	if (engine->settings.report_threads)
		TL_TRY(reserve_gone(engine, engine->thread_count + 1));
	thread = tl_allocate(&engine->host.allocator, sizeof(*thread));
	if (thread == NULL)
		return TL_ERROR_NO_MEMORY;
	thread->id = id;
	thread->process = process;
	thread->state = running ? TL_THREAD_STOPPING : TL_THREAD_PARKED;
	thread->last.event = (struct tl_event){.kind = TL_EVENT_PAUSED, .thread = id};
	thread->stop_asked = running && engine->settings.non_stop;
	thread->resumed = true;
	engine->owed |= running && !engine->settings.non_stop;
	engine->parking |= running && !engine->settings.non_stop;
	engine->states[thread->state]++;
	process->states[thread->state]++;
	thread->position = engine->thread_count;
	thread->born = ++engine->births;
	engine->threads[engine->thread_count++] = thread;
	index_put(engine, thread);
	process->threads++;
	return TL_OK;
}

void tl_engine_rename_thread(struct tl_engine *engine, struct thread *thread, struct tl_thread_id id)
{
	tl_engine_set_state(engine, thread, TL_THREAD_PARKED);
	index_remove(engine, thread);
	tl_release(&engine->host.allocator, thread->file, thread->process->facts.cpu->file_size);
	*thread = (struct thread){
		.id = id, .process = thread->process, .position = thread->position, .state = TL_THREAD_PARKED};
	thread->last.event = (struct tl_event){.kind = TL_EVENT_PAUSED, .thread = id};
	thread->resumed = true;
	index_put(engine, thread);
}

void tl_engine_forget_thread(struct tl_engine *engine, struct thread *thread)
{
	/* It may be one of many that end with their process, whose memory nobody can reach any more. */
	space_hand_on(engine, thread->process->space, thread->process->id);
	if (engine->over == thread)
		tl_pass_finish(engine);
	tl_pass_clear_traps(engine, thread);
	index_remove(engine, thread);
	engine->thread_count--;
	for (tl_size i = thread->position; i < engine->thread_count; i++) {
		engine->threads[i] = engine->threads[i + 1];
		engine->threads[i]->position = i;
	}
	engine->states[thread->state]--;
	thread->process->states[thread->state]--;
	thread->process->threads--;
	if (thread->file != NULL)
		tl_release(&engine->host.allocator, thread->file, thread->process->facts.cpu->file_size);
	tl_release(&engine->host.allocator, thread, sizeof(*thread));
}

static void fill_info(const struct thread *thread, struct tl_thread_info *info)
{
	*info = (struct tl_thread_info){.id = thread->id,
					.state = thread->state,
					.born = thread->born,
					.stopped = thread->state == TL_THREAD_PARKED ||
						   thread->state == TL_THREAD_WAITING};
}

/* Whoever made it has not told of that yet. */
static bool untold(const struct tl_engine *engine, const struct thread *thread)
{
	const struct thread *maker = thread->maker.thread != 0 ? tl_engine_thread(engine, thread->maker) : NULL;
	const struct tl_event *event = maker != NULL ? &maker->pending.event : NULL;

	if (maker == NULL || maker->state != TL_THREAD_WAITING)
		return false;
	return (event->kind == TL_EVENT_FORK || event->kind == TL_EVENT_VFORK || event->kind == TL_EVENT_CLONE) &&
	       tl_engine_thread(engine, event->child) == thread;
}

/* Clients must not meet a child before they are told of its birth: gdb takes it for a program that it does not know. */
bool tl_engine_hidden(const struct tl_engine *engine, const struct thread *thread)
{
	return thread->process->unattended || untold(engine, thread);
}

/* The first thread at or behind a place in the list that a client may see. */
static bool visible_from(const struct tl_engine *engine, tl_size at, struct tl_thread_info *info_ret)
{
	while (at < engine->thread_count && tl_engine_hidden(engine, engine->threads[at]))
		at++;
	if (at >= engine->thread_count)
		return false;
	fill_info(engine->threads[at], info_ret);
	return true;
}

bool tl_engine_younger_thread(const struct tl_engine *engine, tl_u64 born, struct tl_thread_info *info_ret)
{
	tl_size low = 0, high = engine->thread_count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (engine->threads[middle]->born <= born)
			low = middle + 1;
		else
			high = middle;
	}
	return visible_from(engine, low, info_ret);
}

bool tl_engine_next_thread(const struct tl_engine *engine, struct tl_thread_id after, struct tl_thread_info *info_ret)
{
	tl_size at = 0;

	/* Looked up rather than searched: lists are read a thread at a time. */
	if (after.thread != 0 || after.process != 0) {
		const struct thread *before = tl_engine_thread(engine, after);

		at = before != NULL ? before->position + 1 : engine->thread_count;
	}
	return visible_from(engine, at, info_ret);
}

bool tl_engine_find_thread(const struct tl_engine *engine, struct tl_thread_id id, struct tl_thread_info *info_ret)
{
	const struct thread *thread = tl_engine_thread(engine, id);

	if (thread == NULL || thread->process->unattended)
		return false;
	fill_info(thread, info_ret);
	return true;
}

bool tl_engine_stopped_thread(const struct tl_engine *engine, tl_u64 process, struct tl_thread_id *id_ret)
{
	for (tl_size i = 0; i < engine->thread_count; i++) {
		const struct thread *thread = engine->threads[i];

		if ((process == TL_ANY || thread->id.process == process) && !tl_engine_hidden(engine, thread) &&
		    (thread->state == TL_THREAD_PARKED || thread->state == TL_THREAD_WAITING)) {
			*id_ret = thread->id;
			return true;
		}
	}
	return false;
}

bool tl_engine_last_report(const struct tl_engine *engine, struct tl_thread_id id, struct tl_report *report_ret)
{
	const struct thread *thread = tl_engine_thread(engine, id);

	if (thread == NULL || (thread->state != TL_THREAD_PARKED && thread->state != TL_THREAD_WAITING))
		return false;
	*report_ret = thread->last;
	return true;
}

bool tl_engine_matches(struct tl_thread_id filter, struct tl_thread_id id)
{
	return (filter.process == TL_ANY || filter.process == id.process) &&
	       (filter.thread == TL_ANY || filter.thread == id.thread);
}

tl_u32 tl_engine_thread_options(const struct tl_engine *engine)
{
	tl_u32 options = 0;

	if ((engine->capabilities & TL_CAN_RUN) != 0)
		options |= TL_THREAD_REPORT_EXIT;
	if ((engine->capabilities & TL_CAN_CATCH_CLONES) != 0)
		options |= TL_THREAD_REPORT_CLONE;
	return options;
}

enum tl_status tl_engine_set_thread_options(struct tl_engine *engine, struct tl_thread_id filter, tl_u32 options)
{
	if ((options & ~tl_engine_thread_options(engine)) != 0)
		return TL_ERROR_UNSUPPORTED;
	if ((options & TL_THREAD_REPORT_EXIT) != 0)
		TL_TRY(reserve_gone(engine, engine->thread_count));
	for (tl_size i = 0; i < engine->thread_count; i++)
		if (tl_engine_matches(filter, engine->threads[i]->id) && !engine->threads[i]->process->unattended)
			engine->threads[i]->options = options;
	return TL_OK;
}

/* ---- Registers ---- */

/* A bank of which the machine has nothing is neither asked for nor stored: its registers are zeros. */
static bool has_bank(const struct thread *thread, tl_u8 bank)
{
	return bank == TL_BANK_GENERAL ||
	       tl_cpu_has_bank(thread->process->facts.cpu, thread->process->facts.features, bank);
}

enum tl_status tl_engine_fetch(struct tl_engine *engine, struct thread *thread, tl_u32 banks)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;

	if (thread->file == NULL) {
		thread->file = tl_allocate(&engine->host.allocator, cpu->file_size);
		if (thread->file == NULL)
			return TL_ERROR_NO_MEMORY;
	}
	for (tl_u8 bank = 0; bank < cpu->bank_count; bank++) {
		if ((banks & ~thread->valid & (tl_u32)1 << bank) == 0)
			continue;
		if (has_bank(thread, bank))
			TL_TRY(engine->target->ops->fetch_registers(engine->target, thread->id, bank, thread->file));
		thread->valid |= (tl_u32)1 << bank;
	}
	return TL_OK;
}

enum tl_status tl_engine_flush(struct tl_engine *engine, struct thread *thread)
{
	for (tl_u8 bank = 0; thread->dirty != 0; bank++) {
		if ((thread->dirty & (tl_u32)1 << bank) == 0)
			continue;
		if (engine->target->ops->store_registers == NULL)
			return TL_ERROR_UNSUPPORTED;
		if (has_bank(thread, bank))
			TL_TRY(engine->target->ops->store_registers(engine->target, thread->id, bank, thread->file));
		thread->dirty &= ~((tl_u32)1 << bank);
	}
	return TL_OK;
}

enum tl_status tl_engine_program_counter(struct tl_engine *engine, struct thread *thread, tl_u64 *value_ret)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;

	if ((thread->valid & 1) == 0 && engine->target->ops->fetch_program_counter != NULL)
		return engine->target->ops->fetch_program_counter(engine->target, thread->id, value_ret);
	TL_TRY(tl_engine_fetch(engine, thread, 1));
	*value_ret = tl_cpu_get(cpu, thread->file, cpu->program_counter);
	return TL_OK;
}

/* At once, where there is no storage to remember it until the thread runs. */
static enum tl_status write_program_counter(struct tl_engine *engine, const struct thread *thread, tl_u64 value)
{
	const struct tl_target_ops *ops = engine->target->ops;
	const struct tl_cpu *cpu = thread->process->facts.cpu;

	if (ops->store_registers == NULL)
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(ops->fetch_registers(engine->target, thread->id, 0, engine->spare_file));
	tl_cpu_set(cpu, engine->spare_file, cpu->program_counter, value);
	return ops->store_registers(engine->target, thread->id, 0, engine->spare_file);
}

enum tl_status tl_engine_set_program_counter(struct tl_engine *engine, struct thread *thread, tl_u64 value)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	enum tl_status status = tl_engine_fetch(engine, thread, 1);

	if (status == TL_ERROR_NO_MEMORY && thread->file == NULL && engine->spare_file_size >= cpu->file_size)
		return write_program_counter(engine, thread, value);
	TL_TRY(status);
	tl_cpu_set(cpu, thread->file, cpu->program_counter, value);
	thread->dirty |= 1;
	return TL_OK;
}

/* The thread if a client may look at its registers. */
static enum tl_status standing(struct tl_engine *engine, struct tl_thread_id id, struct thread **thread_ret)
{
	struct thread *thread = tl_engine_thread(engine, id);

	if (thread == NULL)
		return TL_ERROR_NO_THREAD;
	if (thread->state != TL_THREAD_PARKED && thread->state != TL_THREAD_WAITING)
		return TL_ERROR_RUNNING;
	*thread_ret = thread;
	return TL_OK;
}

enum tl_status tl_engine_registers(struct tl_engine *engine, struct tl_thread_id id, tl_u32 banks, tl_u8 **file_ret)
{
	struct thread *thread = NULL;

	TL_TRY(standing(engine, id, &thread));
	TL_TRY(tl_engine_fetch(engine, thread, banks));
	*file_ret = thread->file;
	return TL_OK;
}

enum tl_status tl_engine_registers_changed(struct tl_engine *engine, struct tl_thread_id id, tl_u32 banks)
{
	struct thread *thread = NULL;

	TL_TRY(standing(engine, id, &thread));
	if ((banks & ~thread->valid) != 0)
		return TL_ERROR_ARGUMENT;
	thread->dirty |= banks;
	return TL_OK;
}

enum tl_status tl_engine_flush_registers(struct tl_engine *engine, struct tl_thread_id id)
{
	struct thread *thread = NULL;

	TL_TRY(standing(engine, id, &thread));
	return tl_engine_flush(engine, thread);
}

void tl_engine_forget_registers(struct tl_engine *engine, struct tl_thread_id id)
{
	struct thread *thread = tl_engine_thread(engine, id);

	if (thread != NULL)
		thread->valid = thread->dirty = 0;
}

void tl_engine_reread_registers(struct tl_engine *engine, struct tl_thread_id id)
{
	struct thread *thread = tl_engine_thread(engine, id);

	if (thread != NULL)
		thread->valid &= thread->dirty;
}

/* ---- Memory ---- */

void tl_engine_look_through(struct tl_engine *engine, struct tl_thread_id thread)
{
	if (engine->target->ops->look_through == NULL || tl_engine_thread(engine, thread) == NULL)
		return;
	/* Its page tables may be what was stored. One that runs has nothing to store. */
	(void)tl_engine_flush_registers(engine, thread);
	engine->target->ops->look_through(engine->target, thread);
}

enum tl_status tl_engine_read_memory(struct tl_engine *engine, tl_u64 id, tl_u64 address, void *buffer, tl_size size,
				     tl_size *done_ret)
{
	struct process *process = tl_engine_process(engine, id);

	*done_ret = 0;
	if (process == NULL)
		return TL_ERROR_NO_PROCESS;
	if (size == 0)
		return TL_OK;
	TL_TRY(engine->target->ops->read_memory(engine->target, id, address, buffer, size, done_ret));
	tl_undo_hide(&process->space->undo, address, buffer, *done_ret);
	return TL_OK;
}

enum tl_status tl_engine_write_memory(struct tl_engine *engine, tl_u64 id, tl_u64 address, const void *buffer,
				      tl_size size, tl_size *done_ret)
{
	struct process *process = tl_engine_process(engine, id);

	*done_ret = 0;
	if (process == NULL)
		return TL_ERROR_NO_PROCESS;
	if (engine->target->ops->write_memory == NULL)
		return TL_ERROR_UNSUPPORTED;
	if (size == 0)
		return TL_OK;
	return tl_undo_write(&process->space->undo, (struct tl_undo_memory){engine->target, id}, address, buffer, size,
			     done_ret);
}

enum tl_status tl_engine_read(struct tl_engine *engine, struct process *process, tl_u64 address, void *buffer,
			      tl_size size)
{
	tl_size done = 0;

	TL_TRY(tl_engine_read_memory(engine, process->id, address, buffer, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

tl_size tl_engine_read_code(struct tl_engine *engine, struct process *process, tl_u64 address,
			    tl_u8 bytes[TL_INSTRUCTION_MAX])
{
	tl_size done = 0;

	if (tl_engine_read_memory(engine, process->id, address, bytes, TL_INSTRUCTION_MAX, &done) != TL_OK)
		return 0;
	return done;
}
