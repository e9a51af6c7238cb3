/* What the scripted machine is made of: numbers, processes, threads, and their memory. */
#include "targets/scripted/internal.h"

void tl_scripted_stir(struct tl_scripted *scripted, tl_u64 number)
{
	if (scripted->hooks != NULL)
		scripted->hooks->stir(scripted->hooks_context, number);
}

void tl_scripted_violation(struct tl_scripted *scripted, const char *text)
{
	if (scripted->violations++ == 0)
		scripted->violation = text;
}

/* ---- Numbers, processes, threads ---- */

struct tl_scripted_process_state *tl_scripted_find_process(const struct tl_scripted *scripted, tl_u64 id)
{
	return id != 0 && id <= scripted->number_count ? scripted->numbers[id - 1].process : NULL;
}

struct tl_scripted_thread_state *tl_scripted_find_thread(const struct tl_scripted *scripted, struct tl_thread_id id)
{
	struct tl_scripted_thread_state *thread;

	if (id.thread == 0 || id.thread > scripted->number_count)
		return NULL;
	thread = scripted->numbers[id.thread - 1].thread;
	return thread != NULL && thread->process->id == id.process ? thread : NULL;
}

struct tl_thread_id tl_scripted_id(const struct tl_scripted_thread_state *thread)
{
	return (struct tl_thread_id){thread->process->id, thread->id};
}

static bool new_number(struct tl_scripted *scripted, tl_u64 *number_ret)
{
	void *numbers = scripted->numbers;

	if (!tl_grow(&scripted->options.allocator, &numbers, &scripted->number_capacity, scripted->number_count,
		     sizeof(*scripted->numbers)))
		return false;
	scripted->numbers = numbers;
	scripted->numbers[scripted->number_count] = (struct tl_scripted_number){NULL, NULL};
	*number_ret = ++scripted->number_count;
	return true;
}

static void free_thread(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	const struct tl_allocator *allocator = &scripted->options.allocator;
	tl_size file_size = scripted->options.cpu->file_size;

	tl_release(allocator, thread->file, file_size);
	tl_release(allocator, thread->frames, file_size * TL_SCRIPTED_FRAMES_MAX);
	tl_release(allocator, thread, sizeof(*thread));
}

static struct tl_scripted_thread_state *new_thread(struct tl_scripted *scripted,
						   struct tl_scripted_process_state *process, tl_u64 number)
{
	const struct tl_allocator *allocator = &scripted->options.allocator;
	tl_size file_size = scripted->options.cpu->file_size;
	struct tl_scripted_thread_state *thread = tl_allocate(allocator, sizeof(*thread));

	if (thread == NULL)
		return NULL;
	thread->id = number;
	thread->process = process;
	thread->file = tl_allocate(allocator, file_size);
	thread->frames = tl_allocate(allocator, file_size * TL_SCRIPTED_FRAMES_MAX);
	if (thread->file == NULL || thread->frames == NULL) {
		free_thread(scripted, thread);
		return NULL;
	}
	scripted->numbers[number - 1].thread = thread;
	process->threads++;
	return thread;
}

struct tl_scripted_thread_state *tl_scripted_new_thread(struct tl_scripted *scripted,
							struct tl_scripted_process_state *process)
{
	tl_u64 number;

	return new_number(scripted, &number) ? new_thread(scripted, process, number) : NULL;
}

void tl_scripted_drop_thread(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	thread->process->threads--;
	scripted->numbers[thread->id - 1].thread = NULL;
	tl_scripted_stir(scripted, thread->id);
	free_thread(scripted, thread);
}

struct tl_scripted_thread_state *tl_scripted_new_process(struct tl_scripted *scripted, struct tl_scripted_space *space)
{
	const struct tl_allocator *allocator = &scripted->options.allocator;
	struct tl_scripted_process_state *process;
	struct tl_scripted_thread_state *thread;
	tl_u64 number;

	if (!new_number(scripted, &number))
		return NULL;
	process = tl_allocate(allocator, sizeof(*process));
	if (process == NULL)
		return NULL;
	process->id = number;
	process->alive = true;
	process->next_stack = TL_SCRIPTED_STACK_TOP;
	process->space = space;
	thread = new_thread(scripted, process, number);
	if (thread == NULL) {
		tl_release(allocator, process, sizeof(*process));
		return NULL;
	}
	space->users++;
	scripted->numbers[number - 1].process = process;
	return thread;
}

void tl_scripted_end_process(struct tl_scripted *scripted, struct tl_scripted_process_state *process, tl_i32 code,
			     tl_i32 signal)
{
	for (tl_size i = 0; i < scripted->number_count; i++) {
		struct tl_scripted_thread_state *thread = scripted->numbers[i].thread;

		if (thread != NULL && thread->process == process)
			tl_scripted_drop_thread(scripted, thread);
	}
	tl_scripted_drop_space(scripted, process->space);
	process->space = NULL;
	process->alive = false;
	process->code = code;
	process->signal = signal;
}

void tl_scripted_start_registers(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_u64 entry)
{
	const struct tl_cpu *cpu = scripted->options.cpu;

	tl_fill(thread->file, 0, cpu->file_size);
	tl_cpu_set(cpu, thread->file, cpu->program_counter, entry);
	tl_cpu_set(cpu, thread->file, cpu->stack_pointer, scripted->options.image->stack);
}

/* ---- Memory ---- */

bool tl_scripted_add_region(struct tl_scripted *scripted, struct tl_scripted_space *space, tl_u64 start, tl_u64 size,
			    tl_u32 permissions, const char *name)
{
	void *regions = space->regions;
	tl_u8 *bytes;

	if (!tl_grow(&scripted->options.allocator, &regions, &space->region_capacity, space->region_count,
		     sizeof(*space->regions)))
		return false;
	space->regions = regions;
	bytes = tl_allocate(&scripted->options.allocator, size);
	if (bytes == NULL)
		return false;
	space->regions[space->region_count++] =
		(struct tl_scripted_region){start, size, bytes, permissions, name, false};
	return true;
}

void tl_scripted_free_space(struct tl_scripted *scripted, struct tl_scripted_space *space)
{
	const struct tl_allocator *allocator = &scripted->options.allocator;

	for (tl_size i = 0; i < space->region_count; i++)
		tl_release(allocator, space->regions[i].bytes, space->regions[i].size);
	tl_release(allocator, space->regions, space->region_capacity * sizeof(*space->regions));
	tl_release(allocator, space, sizeof(*space));
}

struct tl_scripted_space *tl_scripted_load(struct tl_scripted *scripted)
{
	struct tl_scripted_space *space = tl_allocate(&scripted->options.allocator, sizeof(*space));
	const struct tl_scripted_image *image = scripted->options.image;

	if (space == NULL)
		return NULL;
	for (tl_size i = 0; i < image->segment_count; i++) {
		const struct tl_scripted_segment *segment = &image->segments[i];

		if (!tl_scripted_add_region(scripted, space, segment->start, segment->size, segment->permissions,
					    segment->name)) {
			tl_scripted_free_space(scripted, space);
			return NULL;
		}
		if (segment->filled != 0)
			tl_copy(space->regions[i].bytes, segment->bytes, segment->filled);
	}
	return space;
}

struct tl_scripted_space *tl_scripted_copy_space(struct tl_scripted *scripted, const struct tl_scripted_space *from)
{
	struct tl_scripted_space *space = tl_allocate(&scripted->options.allocator, sizeof(*space));

	if (space == NULL)
		return NULL;
	for (tl_size i = 0; i < from->region_count; i++) {
		const struct tl_scripted_region *region = &from->regions[i];

		if (!tl_scripted_add_region(scripted, space, region->start, region->size, region->permissions,
					    region->name)) {
			tl_scripted_free_space(scripted, space);
			return NULL;
		}
		tl_copy(space->regions[i].bytes, region->bytes, region->size);
		space->regions[i].borrowed = region->borrowed;
	}
	return space;
}

void tl_scripted_drop_space(struct tl_scripted *scripted, struct tl_scripted_space *space)
{
	if (space->users > 1)
		space->users--;
	else
		tl_scripted_free_space(scripted, space);
}

struct tl_scripted_region *tl_scripted_find_region(const struct tl_scripted_space *space, tl_u64 address)
{
	for (tl_size i = 0; i < space->region_count; i++)
		if (address - space->regions[i].start < space->regions[i].size)
			return &space->regions[i];
	return NULL;
}

/* Moves as many bytes as the regions, which need not be in order, hold without a gap. */
tl_size tl_scripted_move_some(const struct tl_scripted_space *space, tl_u64 address, tl_u8 *to, const tl_u8 *from,
			      tl_size size, tl_u32 permissions)
{
	tl_size done = 0;

	while (done < size) {
		const struct tl_scripted_region *region = tl_scripted_find_region(space, address + done);
		tl_u64 offset;
		tl_size part;

		if (region == NULL || (region->permissions & permissions) != permissions)
			break;
		offset = address + done - region->start;
		part = size - done < region->size - offset ? size - done : (tl_size)(region->size - offset);
		if (to != NULL)
			tl_copy(to + done, region->bytes + offset, part);
		if (from != NULL)
			tl_copy(region->bytes + offset, from + done, part);
		done += part;
	}
	return done;
}

enum tl_status tl_scripted_move_memory(const struct tl_scripted_space *space, tl_u64 address, void *to,
				       const void *from, tl_size size, tl_u32 permissions)
{
	if (tl_scripted_move_some(space, address, NULL, NULL, size, permissions) != size)
		return TL_ERROR_MEMORY;
	(void)tl_scripted_move_some(space, address, to, from, size, permissions);
	return TL_OK;
}
