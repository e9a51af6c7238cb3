/* A scripted machine from beginning to end, and what can be seen of it behind the engine's back. */
#include "targets/scripted/internal.h"

static const char *const register_names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					       "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

tl_size tl_scripted_size(void)
{
	return sizeof(struct tl_scripted);
}

enum tl_status tl_scripted_init(struct tl_scripted *scripted, const struct tl_scripted_options *options)
{
	const struct tl_cpu *cpu = options->cpu;

	if (cpu == NULL || options->image == NULL)
		return TL_ERROR_ARGUMENT;
	tl_fill(scripted, 0, sizeof(*scripted));
	scripted->options = *options;
	if (options->features == 0)
		scripted->options.features = cpu->base_features;
	for (tl_size i = 0; i < TL_COUNT(register_names); i++)
		TL_TRY(tl_cpu_find(cpu, register_names[i], &scripted->registers[i]));
	TL_TRY(tl_cpu_find(cpu, "eflags", &scripted->flags));
	scripted->rax = scripted->registers[0];
	scripted->rdx = scripted->registers[2];
	scripted->rsi = scripted->registers[6];
	scripted->rdi = scripted->registers[7];
	scripted->random = options->seed;
	if (options->script_count != 0) {
		scripted->script_done = tl_allocate(&options->allocator, options->script_count);
		if (scripted->script_done == NULL)
			return TL_ERROR_NO_MEMORY;
	}
	scripted->ops = tl_scripted_operations_of(options);
	scripted->target.ops = &scripted->ops;
	return TL_OK;
}

void tl_scripted_deinit(struct tl_scripted *scripted)
{
	const struct tl_allocator *allocator = &scripted->options.allocator;

	for (tl_size i = 0; i < scripted->number_count; i++) {
		struct tl_scripted_process_state *process = scripted->numbers[i].process;

		if (process == NULL)
			continue;
		if (process->alive)
			tl_scripted_end_process(scripted, process, 0, 9);
		tl_release(allocator, process, sizeof(*process));
		scripted->numbers[i].process = NULL;
	}
	tl_release(allocator, scripted->numbers, scripted->number_capacity * sizeof(*scripted->numbers));
	tl_release(allocator, scripted->script_done, scripted->options.script_count);
	scripted->numbers = NULL;
	scripted->number_count = scripted->number_capacity = 0;
	scripted->script_done = NULL;
}

struct tl_target *tl_scripted_target(struct tl_scripted *scripted)
{
	return &scripted->target;
}

static enum tl_status start_process(struct tl_scripted *scripted, bool traced, tl_u64 *process_ret)
{
	struct tl_scripted_space *space = tl_scripted_load(scripted);
	struct tl_scripted_thread_state *thread;

	if (space == NULL)
		return TL_ERROR_NO_MEMORY;
	thread = tl_scripted_new_process(scripted, space);
	if (thread == NULL) {
		tl_scripted_free_space(scripted, space);
		return TL_ERROR_NO_MEMORY;
	}
	tl_scripted_start_registers(scripted, thread, scripted->options.image->entry);
	thread->process->traced = traced;
	thread->running = !traced;
	tl_scripted_stir(scripted, thread->id);
	*process_ret = thread->process->id;
	return TL_OK;
}

enum tl_status tl_scripted_start(struct tl_scripted *scripted, tl_u64 *process_ret)
{
	enum tl_status status;

	TL_TRY(start_process(scripted, true, process_ret));
	status = tl_engine_add_process(scripted->target.engine, *process_ret);
	if (status == TL_OK)
		status = tl_engine_add_thread(scripted->target.engine,
					      (struct tl_thread_id){*process_ret, *process_ret}, false);
	if (status != TL_OK)
		tl_scripted_end_process(scripted, tl_scripted_find_process(scripted, *process_ret), 0, 9);
	return status;
}

enum tl_status tl_scripted_start_free(struct tl_scripted *scripted, tl_u64 *process_ret)
{
	return start_process(scripted, false, process_ret);
}

enum tl_status tl_scripted_add_thread(struct tl_scripted *scripted, tl_u64 id, tl_u64 start,
				      struct tl_thread_id *id_ret)
{
	struct tl_scripted_process_state *process = tl_scripted_find_process(scripted, id);
	struct tl_scripted_thread_state *thread;

	if (process == NULL || !process->alive)
		return TL_ERROR_NO_PROCESS;
	process->next_stack -= 2 * TL_SCRIPTED_PAGE;
	if (!tl_scripted_add_region(scripted, process->space, process->next_stack, TL_SCRIPTED_PAGE,
				    TL_PERMISSION_READ | TL_PERMISSION_WRITE, "[stack]"))
		return TL_ERROR_NO_MEMORY;
	thread = tl_scripted_new_thread(scripted, process);
	if (thread == NULL)
		return TL_ERROR_NO_MEMORY;
	tl_scripted_start_registers(scripted, thread, start);
	tl_cpu_set(scripted->options.cpu, thread->file, scripted->options.cpu->stack_pointer,
		   process->next_stack + TL_SCRIPTED_PAGE);
	*id_ret = tl_scripted_id(thread);
	if (process->traced)
		return tl_engine_add_thread(scripted->target.engine, *id_ret, false);
	thread->running = true;
	tl_scripted_stir(scripted, thread->id);
	return TL_OK;
}

tl_u64 tl_scripted_turns(const struct tl_scripted *scripted)
{
	return scripted->turns;
}

void tl_scripted_fail(struct tl_scripted *scripted, tl_u64 n, enum tl_status status)
{
	scripted->fail_at = n != 0 ? scripted->operations + n : 0;
	scripted->fail_status = status;
}

tl_u64 tl_scripted_operations(const struct tl_scripted *scripted)
{
	return scripted->operations;
}

tl_u64 tl_scripted_violations(const struct tl_scripted *scripted, const char **text_ret)
{
	if (text_ret != NULL)
		*text_ret = scripted->violation;
	return scripted->violations;
}

bool tl_scripted_thread(const struct tl_scripted *scripted, struct tl_thread_id id,
			struct tl_scripted_thread_info *info_ret)
{
	const struct tl_scripted_thread_state *thread = tl_scripted_find_thread(scripted, id);
	const struct tl_cpu *cpu = scripted->options.cpu;

	if (thread == NULL)
		return false;
	*info_ret = (struct tl_scripted_thread_info){
		.running = thread->running,
		.stop_asked = thread->stop_asked,
		.blocked = thread->blocked,
		.program_counter = tl_cpu_get(cpu, thread->file, cpu->program_counter),
		.executed = thread->executed,
		.pending = thread->pending,
	};
	return true;
}

/* How many bytes of the image's code stand altered in the process. */
static tl_size altered_bytes(const struct tl_scripted *scripted, const struct tl_scripted_space *space)
{
	const struct tl_scripted_image *image = scripted->options.image;
	tl_size altered = 0;

	for (tl_size i = 0; i < image->segment_count; i++) {
		const struct tl_scripted_segment *segment = &image->segments[i];
		const struct tl_scripted_region *region = tl_scripted_find_region(space, segment->start);

		if ((segment->permissions & TL_PERMISSION_EXECUTE) == 0 || region == NULL)
			continue;
		for (tl_size j = 0; j < segment->filled; j++)
			altered += region->bytes[j] != segment->bytes[j];
	}
	return altered;
}

bool tl_scripted_process(const struct tl_scripted *scripted, tl_u64 id, struct tl_scripted_process_info *info_ret)
{
	const struct tl_scripted_process_state *process = tl_scripted_find_process(scripted, id);

	if (process == NULL)
		return false;
	*info_ret = (struct tl_scripted_process_info){
		.alive = process->alive,
		.traced = process->traced,
		.code = process->code,
		.signal = process->signal,
		.threads = process->threads,
		.points = process->point_count,
	};
	if (process->space == NULL)
		return true;
	info_ret->altered = altered_bytes(scripted, process->space);
	for (tl_size i = 0; i < process->space->region_count; i++)
		info_ret->borrowed += process->space->regions[i].borrowed;
	return true;
}

enum tl_status tl_scripted_peek(const struct tl_scripted *scripted, tl_u64 id, tl_u64 address, void *buffer,
				tl_size size)
{
	const struct tl_scripted_process_state *process = tl_scripted_find_process(scripted, id);

	if (process == NULL || !process->alive)
		return TL_ERROR_NO_PROCESS;
	return tl_scripted_move_memory(process->space, address, buffer, NULL, size, 0);
}

tl_u64 tl_scripted_register(const struct tl_scripted *scripted, struct tl_thread_id id, tl_u16 index)
{
	const struct tl_scripted_thread_state *thread = tl_scripted_find_thread(scripted, id);

	return thread != NULL ? tl_cpu_get(scripted->options.cpu, thread->file, index) : 0;
}
