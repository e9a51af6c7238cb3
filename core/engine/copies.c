/*
 * Copies of instructions that threads execute in place of the original while a trap stands on that.
 *
 * A copy is never changed while a thread may be in it, so any number of threads may be: a hit of a point whose
 * condition is false then costs no write to memory at all. One is made when a point is first passed this way and kept,
 * also when the point is removed: clients remove and insert all their points at every stop.
 */
#include "core/engine/internal.h"

static bool in_use(const struct tl_engine *engine, const struct copy *copy)
{
	for (tl_size i = 0; i < engine->thread_count; i++)
		if (engine->threads[i]->copy == copy)
			return true;
	return false;
}

static struct copy *find(const struct space *space, tl_u64 original)
{
	for (tl_size i = 0; i < space->copy_count; i++)
		if (space->copies[i]->original == original)
			return space->copies[i];
	return NULL;
}

/* One more area for copies, near `address`. */
static bool add_area(struct tl_engine *engine, struct space *space, struct thread *thread, tl_u64 address)
{
	void *areas = space->areas;
	tl_u64 area = 0;

	if (space->no_area)
		return false;
	/* The thread may be made to run a system call: what its registers are to be must be in the machine before. */
	if (!tl_grow(&engine->host.allocator, &areas, &space->area_capacity, space->area_count, sizeof(*space->areas)))
		return false;
	space->areas = areas;
	if (tl_engine_flush(engine, thread) != TL_OK ||
	    engine->target->ops->allocate(engine->target, thread->id, address, COPY_AREA,
					  TL_PERMISSION_READ | TL_PERMISSION_EXECUTE, &area) != TL_OK) {
		space->no_area = true;
		return false;
	}
	space->areas[space->area_count++] = area;
	return true;
}

/* An entry for a new copy with a slot of its own: a free slot, or that of a copy whose point is gone. */
static struct copy *make_room(struct tl_engine *engine, struct space *space, struct thread *thread, tl_u64 address)
{
	void *list = space->copies;
	struct copy *copy;

	if (space->copy_count == space->area_count * COPIES_PER_AREA) {
		for (tl_size i = 0; i < space->copy_count; i++) {
			copy = space->copies[i];
			if (tl_points_find(space, copy->original, KINDS_CODE) == NULL && !in_use(engine, copy))
				return copy;
		}
		if (!add_area(engine, space, thread, address))
			return NULL;
	}
	if (!tl_grow(&engine->host.allocator, &list, &space->copy_capacity, space->copy_count, sizeof(*space->copies)))
		return NULL;
	space->copies = list;
	copy = tl_allocate(&engine->host.allocator, sizeof(*copy));
	if (copy == NULL)
		return NULL;
	copy->address =
		space->areas[space->copy_count / COPIES_PER_AREA] + space->copy_count % COPIES_PER_AREA * COPY_SLOT;
	space->copies[space->copy_count++] = copy;
	return copy;
}

static bool write_copy(struct tl_engine *engine, struct thread *thread, struct copy *copy, const tl_u8 *bytes,
		       tl_u8 length)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	tl_u8 code[TL_RELOCATED_MAX];
	tl_size size = 0, body = 0, done = 0;

	if (cpu->relocate(bytes, length, copy->original, copy->address, code, &size, &body) != TL_OK)
		return false;
	if (engine->target->ops->write_memory(engine->target, thread->process->id, copy->address, code, size, &done) !=
		    TL_OK ||
	    done != size)
		return false;
	copy->size = (tl_u8)size;
	copy->body = (tl_u8)body;
	return true;
}

struct copy *tl_copies_get(struct tl_engine *engine, struct thread *thread, tl_u64 address, const tl_u8 *bytes,
			   const struct tl_instruction *instruction)
{
	struct space *space = thread->process->space;
	struct copy *copy = find(space, address);

	if ((engine->capabilities & TL_CAN_OUT_OF_LINE) == 0 || !instruction->relocatable)
		return NULL;
	if (copy != NULL && copy->length == instruction->length && tl_same(copy->bytes, bytes, copy->length))
		return copy->impossible ? NULL : copy;
	/* The program has changed its code: a copy that others are still in must stay as it is. */
	if (copy != NULL && in_use(engine, copy))
		return NULL;
	if (copy == NULL)
		copy = make_room(engine, space, thread, address);
	if (copy == NULL)
		return NULL;
	copy->original = address;
	copy->length = instruction->length;
	tl_copy(copy->bytes, bytes, instruction->length);
	copy->impossible = !write_copy(engine, thread, copy, bytes, instruction->length);
	return copy->impossible ? NULL : copy;
}

enum tl_status tl_copies_leave(struct tl_engine *engine, struct thread *thread, bool *done_ret)
{
	const struct copy *copy = thread->copy;
	tl_u64 at = 0;

	*done_ret = true;
	if (copy == NULL)
		return TL_OK;
	thread->copy = NULL;
	TL_TRY(tl_engine_program_counter(engine, thread, &at));
	if (at < copy->address || at >= copy->address + copy->size)
		return TL_OK;
	if (at >= copy->address + copy->body)
		return tl_engine_set_program_counter(engine, thread, copy->original + copy->length);
	*done_ret = false;
	return tl_engine_set_program_counter(engine, thread, copy->original);
}

void tl_copies_adopt(struct tl_engine *engine, struct thread *thread, const struct space *space)
{
	bool done;
	tl_u64 at = 0;

	if (space->copy_count == 0 || tl_engine_program_counter(engine, thread, &at) != TL_OK)
		return;
	for (tl_size i = 0; i < space->copy_count && thread->copy == NULL; i++)
		if (!space->copies[i]->impossible && at - space->copies[i]->address < space->copies[i]->size)
			thread->copy = space->copies[i];
	(void)tl_copies_leave(engine, thread, &done);
}

void tl_copies_inherit(struct tl_engine *engine, const struct space *from, struct space *to)
{
	if (from->area_count == 0)
		return;
	to->areas = tl_allocate(&engine->host.allocator, from->area_count * sizeof(*to->areas));
	if (to->areas == NULL) /* what is then never given back does no harm */
		return;
	tl_copy(to->areas, from->areas, from->area_count * sizeof(*to->areas));
	to->area_count = to->area_capacity = from->area_count;
}

void tl_copies_drop(struct tl_engine *engine, struct space *space)
{
	const struct tl_allocator *allocator = &engine->host.allocator;

	for (tl_size i = 0; i < space->copy_count; i++)
		tl_release(allocator, space->copies[i], sizeof(struct copy));
	tl_release(allocator, space->copies, space->copy_capacity * sizeof(*space->copies));
	tl_release(allocator, space->areas, space->area_capacity * sizeof(*space->areas));
	space->copies = NULL;
	space->areas = NULL;
	space->copy_count = space->copy_capacity = space->area_count = space->area_capacity = 0;
}

void tl_copies_release_areas(struct tl_engine *engine, struct space *space, struct thread *thread)
{
	for (tl_size i = 0; i < space->area_count && engine->target->ops->release != NULL; i++)
		(void)engine->target->ops->release(engine->target, thread->id, space->areas[i], COPY_AREA);
	tl_copies_drop(engine, space);
}
