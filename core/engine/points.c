#include "core/engine/internal.h"

/* The index of the first point at or above `address`. */
static tl_size first_at(const struct space *space, tl_u64 address)
{
	tl_size low = 0, high = space->point_count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (space->points[middle]->address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct engine_point *tl_points_find(const struct space *space, tl_u64 address, tl_u32 kinds)
{
	for (tl_size i = first_at(space, address); i < space->point_count; i++) {
		struct engine_point *point = space->points[i];

		if (point->address != address)
			return NULL;
		if ((kinds & KIND_BIT(point->kind)) != 0)
			return point;
	}
	return NULL;
}

bool tl_points_any(const struct space *space, tl_u32 kinds)
{
	for (tl_size i = 0; i < space->point_count; i++)
		if ((kinds & KIND_BIT(space->points[i]->kind)) != 0)
			return true;
	return false;
}

static struct engine_point *find_exact(const struct space *space, enum tl_point_kind kind, tl_u64 address, tl_u64 size,
				       tl_size *at_ret)
{
	for (tl_size i = first_at(space, address); i < space->point_count && space->points[i]->address == address;
	     i++) {
		struct engine_point *point = space->points[i];

		/* Of one address there is one software breakpoint, whatever kind field a client writes. */
		if (point->kind == kind && (point->size == size || kind == TL_POINT_SOFTWARE)) {
			*at_ret = i;
			return point;
		}
	}
	return NULL;
}

/* ---- Bytecode ---- */

static void bytecode_free(struct tl_engine *engine, struct bytecode *code)
{
	tl_release(&engine->host.allocator, code->items, code->block_size);
	*code = (struct bytecode){0};
}

/* Copies and verifies what a client sent. */
static enum tl_status bytecode_take(struct tl_engine *engine, const struct tl_bytecode_list *list,
				    struct bytecode *code_ret)
{
	tl_size size = list->count * sizeof(struct tl_agent_code);
	struct bytecode code = {0};
	tl_u8 *bytes;

	if (list->count == 0) {
		*code_ret = code;
		return TL_OK;
	}
	for (tl_size i = 0; i < list->count; i++) {
		TL_TRY(tl_agent_verify(&list->items[i], NULL));
		size += list->items[i].size;
	}
	code.items = tl_allocate(&engine->host.allocator, size);
	if (code.items == NULL)
		return TL_ERROR_NO_MEMORY;
	code.count = list->count;
	code.block_size = size;
	bytes = (tl_u8 *)(code.items + code.count);
	for (tl_size i = 0; i < list->count; i++) {
		tl_copy(bytes, list->items[i].bytes, list->items[i].size);
		code.items[i] = (struct tl_agent_code){.bytes = bytes, .size = list->items[i].size};
		bytes += list->items[i].size;
	}
	*code_ret = code;
	return TL_OK;
}

/* ---- Inserting and removing ---- */

static bool planted(const struct tl_engine *engine, enum tl_point_kind kind)
{
	return kind == TL_POINT_SOFTWARE && (engine->capabilities & TL_CAN_PLANT) != 0;
}

/*
 * Software points that the target puts in, and whose place is taken care of already: the trap of somebody's step
 * serves, and is taken out when that is done; what was taken out for a thread that steps over it comes back behind the
 * step if it is still wanted.
 */
static bool cared_for(const struct tl_engine *engine, const struct space *space, tl_u64 address)
{
	const struct thread *over = engine->over;

	return tl_pass_trapped(engine, space, address, NULL) ||
	       (over != NULL && over->state == TL_THREAD_OVER && over->process->space == space &&
		engine->over_address == address);
}

void tl_points_tell_conditions(struct tl_engine *engine, tl_u64 process, const struct engine_point *point)
{
	const struct tl_target_ops *ops = engine->target->ops;

	if (ops->set_conditions != NULL && !planted(engine, point->kind))
		ops->set_conditions(engine->target, process, point->kind, point->address, point->size,
				    point->conditions.items, point->conditions.count);
}

static enum tl_status put_in(struct tl_engine *engine, struct space *space, tl_u64 process, const struct tl_cpu *cpu,
			     const struct engine_point *point)
{
	const struct tl_target_ops *ops = engine->target->ops;
	enum tl_status status;

	if (point->kind == TL_POINT_SOFTWARE && !planted(engine, point->kind) &&
	    cared_for(engine, space, point->address))
		return TL_OK;
	if (!planted(engine, point->kind) && point->conditions.count != 0)
		tl_points_tell_conditions(engine, process, point);
	if (!planted(engine, point->kind))
		return ops->insert_point != NULL
			       ? ops->insert_point(engine->target, process, point->kind, point->address, point->size)
			       : TL_ERROR_POINT_KIND;
	TL_TRY(tl_undo_plant(&space->undo, &engine->host.allocator, tl_engine_memory(engine, space), point->address,
			     cpu->trap, cpu->trap_size));
	if (space->lifted > 0) {
		status = tl_undo_lift(&space->undo, tl_engine_memory(engine, space), point->address);
		if (status != TL_OK)
			(void)tl_undo_unplant(&space->undo, tl_engine_memory(engine, space), point->address);
		return status;
	}
	return TL_OK;
}

/* The point is out, or what it was in is no more. */
static bool gone_for_good(enum tl_status status)
{
	return status == TL_OK || status == TL_ERROR_GONE || status == TL_ERROR_MEMORY || status == TL_ERROR_NO_POINT ||
	       status == TL_ERROR_POINT_KIND;
}

static enum tl_status take_out(struct tl_engine *engine, struct space *space, const struct engine_point *point)
{
	const struct tl_target_ops *ops = engine->target->ops;

	if (!planted(engine, point->kind) && point->holder == 0)
		return TL_OK;
	if (point->kind == TL_POINT_SOFTWARE && !planted(engine, point->kind) &&
	    cared_for(engine, space, point->address))
		return TL_OK;
	if (!planted(engine, point->kind) && ops->remove_point == NULL)
		return TL_ERROR_POINT_KIND;
	if (!planted(engine, point->kind)) {
		enum tl_status status = TL_ERROR_POINT_KIND;

		/* As with traps: what is left behind is harm, so a passing failure gets another chance. */
		for (int attempt = 0; attempt < 3; attempt++) {
			status = ops->remove_point(engine->target, point->holder, point->kind, point->address,
						   point->size);
			if (gone_for_good(status))
				break;
		}
		return status;
	}
	return tl_undo_unplant(&space->undo, tl_engine_memory(engine, space), point->address);
}

static void note_point(struct tl_engine *engine, tl_u64 process, const struct engine_point *point, bool inserted)
{
	struct tl_note note = {.kind = TL_NOTE_POINT,
			       .thread = {.process = process},
			       .from = point->kind,
			       .to = inserted,
			       .address = point->address};

	tl_engine_note(engine, &note);
}

static void point_free(struct tl_engine *engine, struct engine_point *point)
{
	bytecode_free(engine, &point->conditions);
	bytecode_free(engine, &point->commands);
	tl_release(&engine->host.allocator, point, sizeof(*point));
}

static enum tl_status insert_new(struct tl_engine *engine, struct process *process, struct engine_point *point)
{
	struct space *space = process->space;
	tl_size at = first_at(space, point->address);
	void *list = space->points;

	while (at < space->point_count && space->points[at]->address == point->address &&
	       space->points[at]->kind < point->kind)
		at++;
	if (!tl_grow(&engine->host.allocator, &list, &space->point_capacity, space->point_count,
		     sizeof(*space->points)))
		return TL_ERROR_NO_MEMORY;
	space->points = list;
	TL_TRY(put_in(engine, space, process->id, process->facts.cpu, point));
	point->holder = process->id;
	tl_move(&space->points[at + 1], &space->points[at], (space->point_count - at) * sizeof(*space->points));
	space->points[at] = point;
	space->point_count++;
	note_point(engine, process->id, point, true);
	return TL_OK;
}

enum tl_status tl_engine_insert_point(struct tl_engine *engine, tl_u64 id, const struct tl_point_request *request)
{
	struct process *process = tl_engine_process(engine, id);
	struct bytecode conditions = {0}, commands = {0};
	struct engine_point *point;
	enum tl_status status;
	tl_size at = 0;

	if (process == NULL)
		return TL_ERROR_NO_PROCESS;
	if ((tl_u32)request->kind >= TL_POINT_KIND_MAX)
		return TL_ERROR_POINT_KIND;
	TL_TRY(bytecode_take(engine, &request->conditions, &conditions));
	status = bytecode_take(engine, &request->commands, &commands);
	if (status != TL_OK) {
		bytecode_free(engine, &conditions);
		return status;
	}
	point = find_exact(process->space, request->kind, request->address, request->size, &at);
	/*
	 * gdb does not take out the breakpoints of a library that was unloaded, and where the next one comes to lie at
	 * the same place it inserts what is on our list, and no more in memory.
	 */
	if (point != NULL && point->kind == TL_POINT_SOFTWARE && (engine->capabilities & TL_CAN_PLANT) != 0)
		status = tl_undo_refresh_at(&process->space->undo, tl_engine_memory(engine, process->space),
					    request->address);
	if (status != TL_OK) {
		bytecode_free(engine, &conditions);
		bytecode_free(engine, &commands);
		return status;
	}
	if (point != NULL) {
		bytecode_free(engine, &point->conditions);
		bytecode_free(engine, &point->commands);
		point->conditions = conditions;
		tl_points_tell_conditions(engine, id, point);
	} else {
		point = tl_allocate(&engine->host.allocator, sizeof(*point));
		status = point != NULL ? TL_OK : TL_ERROR_NO_MEMORY;
		if (status == TL_OK) {
			*point = (struct engine_point){.kind = request->kind,
						       .address = request->address,
						       .size = request->size,
						       .conditions = conditions};
			status = insert_new(engine, process, point);
		}
	}
	if (status != TL_OK) {
		bytecode_free(engine, &conditions);
		bytecode_free(engine, &commands);
		tl_release(&engine->host.allocator, point, sizeof(*point));
		return status;
	}
	point->conditions = conditions;
	point->commands = commands;
	point->persist = request->persist;
	point->since = ++engine->sequence;
	return TL_OK;
}

/* A point that could not be taken out stays on the list, unless it is to go by all means (`last`). */
static enum tl_status remove_at(struct tl_engine *engine, struct space *space, tl_u64 process, tl_size at, bool last)
{
	struct engine_point *point = space->points[at];
	enum tl_status status = take_out(engine, space, point);

	if (!gone_for_good(status) && !last)
		return status;
	space->point_count--;
	tl_move(&space->points[at], &space->points[at + 1], (space->point_count - at) * sizeof(*space->points));
	note_point(engine, process, point, false);
	point_free(engine, point);
	return status;
}

enum tl_status tl_engine_remove_point(struct tl_engine *engine, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
				      tl_u64 size)
{
	struct process *process = tl_engine_process(engine, id);
	tl_size at = 0;

	if (process == NULL)
		return TL_ERROR_NO_PROCESS;
	if (find_exact(process->space, kind, address, size, &at) == NULL)
		return TL_ERROR_NO_POINT;
	return remove_at(engine, process->space, id, at, false);
}

bool tl_points_persists(const struct engine_point *point)
{
	return point->persist && point->commands.count != 0;
}

void tl_points_remove_passing(struct tl_engine *engine, struct space *space, tl_u64 process)
{
	for (tl_size n = space->point_count; n-- > 0;)
		if (!tl_points_persists(space->points[n]))
			(void)remove_at(engine, space, process, n, false);
}

enum tl_status tl_points_remove_all(struct tl_engine *engine, struct space *space, tl_u64 process)
{
	enum tl_status first = TL_OK;

	while (space->point_count > 0) {
		enum tl_status status = remove_at(engine, space, process, space->point_count - 1, true);

		if (first == TL_OK)
			first = status;
	}
	/* Traps of steps that could not be taken out in their time. */
	if (space->undo.count != 0) {
		enum tl_status status = tl_undo_lift_all(&space->undo, tl_engine_memory(engine, space));

		if (first == TL_OK)
			first = status;
		space->undo.count = 0;
	}
	return first;
}

void tl_points_withdraw(struct tl_engine *engine, struct space *space, tl_u64 process)
{
	for (tl_size i = 0; i < space->point_count; i++) {
		struct engine_point *point = space->points[i];

		if (planted(engine, point->kind) || point->holder != process)
			continue;
		(void)take_out(engine, space, point);
		point->holder = 0;
	}
}

void tl_points_drop(struct tl_engine *engine, struct space *space, tl_u64 process)
{
	const struct tl_target_ops *ops = engine->target->ops;

	for (tl_size i = 0; i < space->point_count; i++) {
		struct engine_point *point = space->points[i];

		if (!planted(engine, point->kind) && ops->remove_point != NULL && point->holder != 0)
			(void)ops->remove_point(engine->target, point->holder, point->kind, point->address,
						point->size);
		note_point(engine, process, point, false);
		point_free(engine, point);
	}
	space->point_count = 0;
	space->undo.count = 0;
}

enum tl_status tl_points_copy(struct tl_engine *engine, const struct process *from, struct process *to)
{
	const struct space *old = from->space;

	TL_TRY(tl_undo_duplicate(&to->space->undo, &old->undo, &engine->host.allocator));
	for (tl_size i = 0; i < old->point_count; i++) {
		const struct engine_point *point = old->points[i];
		struct tl_point_request request = {.kind = point->kind,
						   .address = point->address,
						   .size = point->size,
						   .conditions = {point->conditions.items, point->conditions.count},
						   .commands = {point->commands.items, point->commands.count},
						   .persist = point->persist};
		struct tl_undo_entry *entry = tl_undo_find(&to->space->undo, point->address);

		/* The child's memory has the trap already: inserting the point counts a user that the copied list
		 * counts too. */
		if (planted(engine, point->kind) && entry != NULL)
			entry->users--;
		TL_TRY(tl_engine_insert_point(engine, to->id, &request));
	}
	/* Traps of the parent's other threads that step without the machine's help are none of the child's. */
	for (tl_size i = 0; i < engine->thread_count; i++) {
		const struct thread *thread = engine->threads[i];

		for (tl_u8 n = 0;
		     n < thread->trap_count && thread->process == from && (engine->capabilities & TL_CAN_PLANT) != 0;
		     n++)
			(void)tl_undo_unplant(&to->space->undo, tl_engine_memory(engine, to->space), thread->traps[n]);
	}
	return TL_OK;
}

bool tl_engine_point(const struct tl_engine *engine, tl_size n, struct tl_point_info *info_ret)
{
	for (tl_size i = 0; i < engine->process_count; i++) {
		const struct process *process = engine->processes[i];
		const struct space *space = process->space;
		const struct engine_point *point;

		if (space->process != process->id)
			continue; /* a space that two processes share is listed once */
		if (n >= space->point_count) {
			n -= space->point_count;
			continue;
		}
		point = space->points[n];
		*info_ret = (struct tl_point_info){.kind = point->kind,
						   .process = process->id,
						   .address = point->address,
						   .size = point->size,
						   .conditions = point->conditions.count,
						   .commands = point->commands.count,
						   .hits = point->hits,
						   .stops = point->stops};
		return true;
	}
	return false;
}

/* ---- Conditions and commands ---- */

struct evaluation {
	struct tl_engine *engine;
	struct thread *thread;
};

static enum tl_status evaluate_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct evaluation *evaluation = context;

	return tl_engine_read(evaluation->engine, evaluation->thread->process, address, buffer, size);
}

static enum tl_status evaluate_register(void *context, tl_u16 number, tl_u64 *value_ret)
{
	struct evaluation *evaluation = context;
	struct thread *thread = evaluation->thread;
	const struct tl_process_facts *facts = &thread->process->facts;
	tl_u16 index = 0;

	TL_TRY(tl_cpu_present(facts->cpu, facts->features, number, &index));
	TL_TRY(tl_engine_fetch(evaluation->engine, thread, (tl_u32)1 << facts->cpu->registers[index].bank));
	*value_ret = tl_cpu_get(facts->cpu, thread->file, index);
	return TL_OK;
}

static void evaluate_print(void *context, const char *text, tl_size size)
{
	struct evaluation *evaluation = context;

	if (evaluation->engine->host.output != NULL)
		evaluation->engine->host.output(evaluation->engine->host.context, text, size);
}

static bool any_true(struct tl_engine *engine, const struct bytecode *conditions,
		     const struct tl_agent_environment *environment, enum tl_status *error_ret)
{
	for (tl_size i = 0; i < conditions->count; i++) {
		tl_u64 value = 0;

		*error_ret = tl_agent_run(&conditions->items[i], environment, &value, NULL);
		if (*error_ret != TL_OK)
			return true;
		if (value != 0)
			return true;
	}
	if (conditions->count != 0)
		engine->counters.conditions_false++;
	return conditions->count == 0;
}

bool tl_points_stop(struct tl_engine *engine, struct thread *thread, struct engine_point *point,
		    struct tl_report *report)
{
	struct evaluation evaluation = {engine, thread};
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	struct tl_agent_environment environment = {.read_memory = evaluate_memory,
						   .read_register = evaluate_register,
						   .print = evaluate_print,
						   .context = &evaluation,
						   .big_endian = cpu->big_endian,
						   .address_size = cpu->address_size};

	point->hits++;
	if (!any_true(engine, &point->conditions, &environment, &report->condition_error))
		return false;
	if (point->conditions.count != 0)
		engine->counters.conditions_true++;
	if (point->commands.count == 0 || report->condition_error != TL_OK) {
		point->stops++;
		return true;
	}
	engine->counters.commands++;
	for (tl_size i = 0; i < point->commands.count; i++) {
		tl_u64 value = 0;

		report->condition_error = tl_agent_run(&point->commands.items[i], &environment, &value, NULL);
		if (report->condition_error != TL_OK)
			return true;
	}
	return false;
}
