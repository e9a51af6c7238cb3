/* The operations of core/engine/target.h over the scripted machine, rung by rung. */
#include "targets/scripted/internal.h"

static const tl_u8 auxiliary_vector[] = {
	6,  0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, /* AT_PAGESZ 4096 */
	11, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0, 0, 0, /* AT_UID 0 */
	0,  0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0, 0, 0, /* AT_NULL */
};

static struct tl_scripted *self(struct tl_target *target)
{
	return TL_CONTAINER(target, struct tl_scripted, target);
}

/* The machine for the time of an operation: MACHINE_OF(target), which leaves it at the end of the block. */
static struct tl_scripted *enter(struct tl_target *target)
{
	struct tl_scripted *scripted = self(target);

	if (scripted->hooks != NULL)
		scripted->hooks->enter(scripted->hooks_context);
	return scripted;
}

static void leave(struct tl_scripted **scripted)
{
	if ((*scripted)->hooks != NULL)
		(*scripted)->hooks->leave((*scripted)->hooks_context);
}

#define MACHINE_OF(target) __attribute__((cleanup(leave))) = enter(target)

/* Counts an operation; true when it is the one that is to fail. */
static bool refused(struct tl_scripted *scripted)
{
	scripted->operations++;
	if (scripted->fail_at == 0 || scripted->operations != scripted->fail_at)
		return false;
	scripted->fail_at = 0;
	return true;
}

/* ---- Rung 1 ---- */

static enum tl_status describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	const struct tl_scripted_process_state *state = tl_scripted_find_process(scripted, process);

	if (refused(scripted))
		return scripted->fail_status;
	if (state == NULL || !state->alive)
		return TL_ERROR_GONE;
	*facts_ret = (struct tl_process_facts){scripted->options.cpu, scripted->options.features, NULL};
	return TL_OK;
}

/* The thread of an operation that wants it to stand still. */
static enum tl_status stopped_thread(struct tl_scripted *scripted, struct tl_thread_id id,
				     struct tl_scripted_thread_state **thread_ret)
{
	struct tl_scripted_thread_state *thread = tl_scripted_find_thread(scripted, id);

	if (refused(scripted))
		return scripted->fail_status;
	if (thread == NULL)
		return TL_ERROR_GONE;
	/* The one that the engine means is gone: another has run a new program under its number, as it will hear. */
	if (thread->untold != 0 && thread->number_taken)
		return TL_ERROR_GONE;
	if (thread->running || thread->untold != 0) {
		tl_scripted_violation(scripted, "an operation that needs a stopped thread was asked of a running one");
		return TL_ERROR_RUNNING;
	}
	*thread_ret = thread;
	return TL_OK;
}

static void copy_bank(const struct tl_scripted *scripted, tl_u8 bank, tl_u8 *to, const tl_u8 *from)
{
	const struct tl_cpu *cpu = scripted->options.cpu;

	for (const struct tl_register *row = cpu->registers; row->name != NULL; row++)
		if (row->bank == bank && (scripted->options.features >> row->feature & 1) != 0)
			tl_copy(to + row->offset, from + row->offset, (row->bits + 7u) / 8);
}

static enum tl_status fetch_registers(struct tl_target *target, struct tl_thread_id id, tl_u8 bank, tl_u8 *file)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_thread_state *thread = NULL;

	TL_TRY(stopped_thread(scripted, id, &thread));
	copy_bank(scripted, bank, file, thread->file);
	return TL_OK;
}

static enum tl_status store_registers(struct tl_target *target, struct tl_thread_id id, tl_u8 bank, const tl_u8 *file)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_thread_state *thread = NULL;

	TL_TRY(stopped_thread(scripted, id, &thread));
	copy_bank(scripted, bank, thread->file, file);
	return TL_OK;
}

static enum tl_status fetch_program_counter(struct tl_target *target, struct tl_thread_id id, tl_u64 *value_ret)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_thread_state *thread = NULL;
	const struct tl_cpu *cpu = scripted->options.cpu;

	TL_TRY(stopped_thread(scripted, id, &thread));
	*value_ret = tl_cpu_get(cpu, thread->file, cpu->program_counter);
	return TL_OK;
}

/* Whether some thread of the process runs, which only machines with TL_CAN_ACCESS_RUNNING bear with. */
static bool runs(const struct tl_scripted *scripted, const struct tl_scripted_process_state *process)
{
	for (tl_size i = 0; i < scripted->number_count; i++) {
		const struct tl_scripted_thread_state *thread = scripted->numbers[i].thread;

		if (thread != NULL && thread->process->space == process->space && thread->running)
			return true;
	}
	return false;
}

static enum tl_status memory_of(struct tl_scripted *scripted, tl_u64 id, struct tl_scripted_space **space_ret)
{
	struct tl_scripted_process_state *process = tl_scripted_find_process(scripted, id);

	if (refused(scripted))
		return scripted->fail_status;
	if (process == NULL || !process->alive)
		return TL_ERROR_GONE;
	if ((scripted->options.without & TL_CAN_ACCESS_RUNNING) != 0 && runs(scripted, process)) {
		tl_scripted_violation(scripted, "memory was accessed while threads ran, and the target cannot do that");
		return TL_ERROR_RUNNING;
	}
	*space_ret = process->space;
	return TL_OK;
}

static enum tl_status read_memory(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer, tl_size size,
				  tl_size *done_ret)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_space *space = NULL;

	*done_ret = 0;
	TL_TRY(memory_of(scripted, process, &space));
	*done_ret = tl_scripted_move_some(space, address, buffer, NULL, size, 0);
	return *done_ret != 0 || size == 0 ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status write_memory(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				   tl_size size, tl_size *done_ret)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_space *space = NULL;

	*done_ret = 0;
	TL_TRY(memory_of(scripted, process, &space));
	*done_ret = tl_scripted_move_some(space, address, NULL, buffer, size, 0);
	return *done_ret != 0 || size == 0 ? TL_OK : TL_ERROR_MEMORY;
}

/* ---- Rung 2 ---- */

static enum tl_status resume(struct tl_target *target, struct tl_thread_id id, const struct tl_run_request *request)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_thread_state *thread = NULL;

	TL_TRY(stopped_thread(scripted, id, &thread));
	if (request->run == TL_RUN_STEP && (scripted->options.without & TL_CAN_STEP) != 0) {
		tl_scripted_violation(scripted, "a step was asked of a machine that has none");
		return TL_ERROR_UNSUPPORTED;
	}
	if (request->run == TL_RUN_CONTINUE_BACK || request->run == TL_RUN_STEP_BACK || request->signal < 0 ||
	    request->signal > TL_SCRIPTED_SIGNALS_MAX)
		return TL_ERROR_UNSUPPORTED;
	thread->request = *request;
	thread->running = true;
	thread->fresh = true;
	thread->stop_asked = false;
	if (request->signal != 0)
		thread->deliver_without_stop |= (tl_u64)1 << (request->signal - 1);
	tl_scripted_stir(scripted, thread->id);
	return TL_OK;
}

static enum tl_status stop(struct tl_target *target, struct tl_thread_id id)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_thread_state *thread = tl_scripted_find_thread(scripted, id);

	if (refused(scripted))
		return scripted->fail_status;
	if (thread == NULL)
		return TL_ERROR_GONE;
	if (thread->untold != 0) /* what stopped it is on its way */
		return TL_OK;
	if (!thread->running || thread->stop_asked) {
		tl_scripted_violation(scripted, thread->running ? "a thread was asked to stop twice"
								: "a thread that stands still was asked to stop");
		return TL_ERROR_NOT_RUNNING;
	}
	thread->stop_asked = true;
	thread->stop_due = scripted->turns + thread->stop_delay;
	tl_scripted_stir(scripted, thread->id);
	return TL_OK;
}

/* ---- Rungs 3 and 4 ---- */

static tl_u32 hardware_registers(const struct tl_scripted *scripted)
{
	return scripted->options.hardware_registers != 0 ? scripted->options.hardware_registers : 4;
}

/* How many registers a point takes: one for each aligned word of 8 bytes that it touches. */
static tl_u64 registers_for(enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	if (kind == TL_POINT_SOFTWARE)
		return 0;
	if (kind == TL_POINT_HARDWARE)
		return 1;
	return ((address + size - 1) >> 3) - (address >> 3) + 1;
}

static enum tl_status insert_point(struct tl_target *target, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
				   tl_u64 size)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_process_state *process = tl_scripted_find_process(scripted, id);
	tl_u64 taken = registers_for(kind, address, size);

	if (refused(scripted))
		return scripted->fail_status;
	if (process == NULL || !process->alive)
		return TL_ERROR_GONE;
	if (kind == TL_POINT_SOFTWARE && !scripted->options.points_inserted) {
		tl_scripted_violation(scripted, "a software point was to be inserted where they are planted");
		return TL_ERROR_POINT_KIND;
	}
	if (kind == TL_POINT_SOFTWARE && tl_scripted_find_region(process->space, address) == NULL)
		return TL_ERROR_MEMORY;
	if (kind != TL_POINT_SOFTWARE &&
	    (scripted->options.without & (kind == TL_POINT_HARDWARE ? TL_CAN_HARDWARE : TL_CAN_WATCH)) != 0)
		return TL_ERROR_POINT_KIND;
	if (kind > TL_POINT_HARDWARE && (size == 0 || address + size - 1 < address))
		return TL_ERROR_POINT_SIZE;
	for (tl_size i = 0; i < process->point_count; i++)
		taken += registers_for(process->points[i].kind, process->points[i].address, process->points[i].size);
	if (taken > hardware_registers(scripted) || process->point_count == TL_SCRIPTED_POINTS_MAX)
		return TL_ERROR_POINT_FULL;
	process->points[process->point_count++] = (struct tl_scripted_point){kind, address, size};
	return TL_OK;
}

static enum tl_status remove_point(struct tl_target *target, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
				   tl_u64 size)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_process_state *process = tl_scripted_find_process(scripted, id);

	if (refused(scripted))
		return scripted->fail_status;
	if (process == NULL || !process->alive)
		return TL_ERROR_GONE;
	for (tl_size i = 0; i < process->point_count; i++) {
		struct tl_scripted_point *point = &process->points[i];

		if (point->kind != kind || point->address != address || point->size != size)
			continue;
		*point = process->points[--process->point_count];
		return TL_OK;
	}
	tl_scripted_violation(scripted, "a point was removed that is not there");
	return TL_ERROR_NO_POINT;
}

static tl_u32 hardware_points(struct tl_target *target, tl_u64 process)
{
	(void)process;
	return hardware_registers(self(target));
}

/* ---- Rung 6 ---- */

static bool all_stopped(const struct tl_scripted *scripted, const struct tl_scripted_process_state *process)
{
	for (tl_size i = 0; i < scripted->number_count; i++) {
		const struct tl_scripted_thread_state *thread = scripted->numbers[i].thread;

		if (thread != NULL && thread->process == process && (thread->running || thread->untold != 0))
			return false;
	}
	return true;
}

/* All threads of a process run free, as after a detach. */
static void set_free(struct tl_scripted *scripted, struct tl_scripted_process_state *process)
{
	process->traced = false;
	for (tl_size i = 0; i < scripted->number_count; i++) {
		struct tl_scripted_thread_state *thread = scripted->numbers[i].thread;

		if (thread == NULL || thread->process != process)
			continue;
		thread->running = true;
		thread->stop_asked = false;
		thread->fresh = false;
		thread->vfork_done = false;
		thread->return_due = false;
		thread->request = (struct tl_run_request){.run = TL_RUN_CONTINUE};
		tl_scripted_stir(scripted, thread->id);
	}
}

static enum tl_status detach(struct tl_target *target, tl_u64 id, tl_u64 thread_id, tl_i32 signal)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_process_state *process = tl_scripted_find_process(scripted, id);
	struct tl_scripted_thread_state *thread =
		tl_scripted_find_thread(scripted, (struct tl_thread_id){id, thread_id});

	if (refused(scripted))
		return scripted->fail_status;
	if (process == NULL || !process->alive || !process->traced)
		return TL_ERROR_GONE;
	if (!all_stopped(scripted, process)) {
		tl_scripted_violation(scripted, "a process was detached from while threads of it ran");
		return TL_ERROR_RUNNING;
	}
	if (thread != NULL && signal > 0 && signal <= TL_SCRIPTED_SIGNALS_MAX)
		thread->deliver_without_stop |= (tl_u64)1 << (signal - 1);
	set_free(scripted, process);
	return TL_OK;
}

static enum tl_status kill_process(struct tl_target *target, tl_u64 id)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_process_state *process = tl_scripted_find_process(scripted, id);

	if (refused(scripted))
		return scripted->fail_status;
	if (process == NULL || !process->alive)
		return TL_ERROR_GONE;
	tl_scripted_end_process(scripted, process, 0, 9);
	return TL_OK;
}

static enum tl_status launch(struct tl_target *target, const struct tl_launch *options, tl_u64 *process_ret,
			     const char **detail_ret)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	enum tl_status status;

	(void)options;
	if (refused(scripted)) {
		*detail_ret = "the scripted target was told to fail";
		return scripted->fail_status;
	}
	status = tl_scripted_start(scripted, process_ret);
	if (status != TL_OK)
		*detail_ret = tl_status_text(status);
	return status;
}

static enum tl_status attach(struct tl_target *target, tl_u64 id, const char **detail_ret)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_process_state *process = tl_scripted_find_process(scripted, id);

	*detail_ret = "the scripted target was told to fail";
	if (refused(scripted))
		return scripted->fail_status;
	*detail_ret = "there is no such process in the script, or it is traced already";
	if (process == NULL || !process->alive || process->traced)
		return TL_ERROR_NO_PROCESS;
	TL_TRY(tl_engine_add_process(target->engine, id));
	process->traced = true;
	for (tl_size i = 0; i < scripted->number_count; i++) {
		struct tl_scripted_thread_state *thread = scripted->numbers[i].thread;

		if (thread == NULL || thread->process != process)
			continue;
		thread->stop_asked = true;
		thread->stop_due = scripted->turns + thread->stop_delay;
		tl_scripted_stir(scripted, thread->id);
		TL_TRY(tl_engine_add_thread(target->engine, tl_scripted_id(thread), true));
	}
	return TL_OK;
}

/* ---- Rung 7 ---- */

static tl_size part_of(const void *object, tl_size whole, tl_u64 offset, void *buffer, tl_size size)
{
	tl_size part = offset >= whole ? 0 : whole - (tl_size)offset;

	if (part > size)
		part = size;
	if (part != 0)
		tl_copy(buffer, (const tl_u8 *)object + offset, part);
	return part;
}

static enum tl_status read_object(struct tl_target *target, struct tl_thread_id id, enum tl_object object,
				  tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_thread_state *thread = tl_scripted_find_thread(scripted, id);
	const char *path = scripted->options.image->path != NULL ? scripted->options.image->path : "/scripted";
	tl_u8 text[32];
	struct tl_writer name = tl_writer_make(text, sizeof(text));

	*done_ret = 0;
	if (refused(scripted))
		return scripted->fail_status;
	if (object == TL_OBJECT_THREAD_NAME && tl_scripted_is_bystander(scripted, id)) {
		tl_write_text(&name, "bystander ");
		tl_write_decimal(&name, id.thread);
		return tl_target_part(text, tl_writer_size(&name), offset, buffer, size, done_ret);
	}
	if (thread == NULL)
		return TL_ERROR_GONE;
	switch (object) {
	case TL_OBJECT_AUXV:
		*done_ret = part_of(auxiliary_vector, sizeof(auxiliary_vector), offset, buffer, size);
		return TL_OK;
	case TL_OBJECT_SIGINFO:
		*done_ret = part_of(thread->siginfo, sizeof(thread->siginfo), offset, buffer, size);
		return TL_OK;
	case TL_OBJECT_EXEC_FILE:
		*done_ret = part_of(path, tl_text_length(path), offset, buffer, size);
		return TL_OK;
	case TL_OBJECT_THREAD_NAME:
		tl_write_text(&name, "scripted-");
		tl_write_decimal(&name, thread->id);
		*done_ret = part_of(text, tl_writer_size(&name), offset, buffer, size);
		return TL_OK;
	case TL_OBJECT_THREAD_CORE: /* one processor for everyone */
		*done_ret = part_of("0", 1, offset, buffer, size);
		return TL_OK;
	case TL_OBJECT_TEXT_ADDRESS:
		if (scripted->options.text_address == 0)
			break;
		tl_store_little(text, scripted->options.text_address, 8);
		tl_store_little(text + 8, scripted->options.linked_address, 8);
		*done_ret = part_of(text, scripted->options.linked_address != 0 ? 16 : 8, offset, buffer, size);
		return TL_OK;
	case TL_OBJECT_THREAD_POINTER:
	case TL_OBJECT_COMMAND_LINE:
	case TL_OBJECT_MEMORY_MAP:
	case TL_OBJECT_MAX:
		break;
	}
	return TL_ERROR_UNSUPPORTED;
}

static enum tl_status write_object(struct tl_target *target, struct tl_thread_id id, enum tl_object object,
				   tl_u64 offset, const void *buffer, tl_size size, tl_size *done_ret)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_thread_state *thread = NULL;

	*done_ret = 0;
	TL_TRY(stopped_thread(scripted, id, &thread));
	if (object != TL_OBJECT_SIGINFO)
		return TL_ERROR_UNSUPPORTED;
	if (offset > sizeof(thread->siginfo) || size > sizeof(thread->siginfo) - offset)
		return TL_ERROR_ARGUMENT;
	tl_copy(thread->siginfo + offset, buffer, size);
	*done_ret = size;
	return TL_OK;
}

static enum tl_status memory_region(struct tl_target *target, tl_u64 id, tl_u64 address,
				    struct tl_memory_region *region_ret)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_space *space = NULL;
	const struct tl_scripted_region *region;
	tl_u64 start = 0, end = 0; /* of the gap; end 0: the top */

	TL_TRY(memory_of(scripted, id, &space));
	*region_ret = (struct tl_memory_region){0};
	region = tl_scripted_find_region(space, address);
	if (region != NULL) {
		struct tl_writer name = tl_writer_make(region_ret->name, sizeof(region_ret->name) - 1);

		region_ret->start = region->start;
		region_ret->size = region->size;
		region_ret->mapped = true;
		region_ret->readable = (region->permissions & TL_PERMISSION_READ) != 0;
		region_ret->writable = (region->permissions & TL_PERMISSION_WRITE) != 0;
		region_ret->executable = (region->permissions & TL_PERMISSION_EXECUTE) != 0;
		tl_write_text(&name, region->name != NULL ? region->name : "");
		return TL_OK;
	}
	for (tl_size i = 0; i < space->region_count; i++) {
		tl_u64 region_start = space->regions[i].start, region_end = region_start + space->regions[i].size;

		if (region_end <= address && region_end > start)
			start = region_end;
		if (region_start > address && (end == 0 || region_start < end))
			end = region_start;
	}
	region_ret->start = start;
	region_ret->size = end - start;
	return TL_OK;
}

/* A free range of `size` bytes above `near`, in reach of its near jumps. */
static tl_u64 free_range(const struct tl_scripted_space *space, tl_u64 near, tl_u64 size)
{
	tl_u64 start = (near & ~(TL_SCRIPTED_PAGE - 1)) + TL_SCRIPTED_PAGE;

	for (tl_size i = 0; i < space->region_count; i++) {
		const struct tl_scripted_region *region = &space->regions[i];

		if (!tl_overlap(start, size, region->start, region->size))
			continue;
		start = (region->start + region->size + TL_SCRIPTED_PAGE - 1) & ~(TL_SCRIPTED_PAGE - 1);
		i = TL_SIZE_MAX; /* from the beginning again */
	}
	return start;
}

static enum tl_status allocate(struct tl_target *target, struct tl_thread_id id, tl_u64 near, tl_u64 size,
			       tl_u32 permissions, tl_u64 *address_ret)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_thread_state *thread = NULL;
	struct tl_scripted_space *space;
	tl_u64 start;

	TL_TRY(stopped_thread(scripted, id, &thread));
	if (size == 0 || size > 1 << 20)
		return TL_ERROR_ARGUMENT;
	space = thread->process->space;
	size = (size + TL_SCRIPTED_PAGE - 1) & ~(TL_SCRIPTED_PAGE - 1);
	start = free_range(space, near != 0 ? near : TL_SCRIPTED_STACK_TOP / 2, size);
	if (!tl_scripted_add_region(scripted, space, start, size, permissions, "[debugger]"))
		return TL_ERROR_NO_MEMORY;
	space->regions[space->region_count - 1].borrowed = true;
	*address_ret = start;
	return TL_OK;
}

static enum tl_status release(struct tl_target *target, struct tl_thread_id id, tl_u64 address, tl_u64 size)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	struct tl_scripted_thread_state *thread = NULL;
	struct tl_scripted_region *region;
	struct tl_scripted_space *space;

	(void)size;
	TL_TRY(stopped_thread(scripted, id, &thread));
	space = thread->process->space;
	region = tl_scripted_find_region(space, address);
	if (region == NULL || !region->borrowed || region->start != address) {
		tl_scripted_violation(scripted, "memory was given back that was not allocated");
		return TL_ERROR_MEMORY;
	}
	tl_release(&scripted->options.allocator, region->bytes, region->size);
	*region = space->regions[--space->region_count];
	return TL_OK;
}

static enum tl_status monitor(struct tl_target *target, const char *command, struct tl_writer *output)
{
	struct tl_scripted *scripted MACHINE_OF(target);
	if (!tl_text_equal(command, "turns"))
		return TL_ERROR_UNSUPPORTED;
	tl_write_decimal(output, scripted->turns);
	tl_write_text(output, " turns\n");
	return TL_OK;
}

/* ---- All of them ---- */

static const struct tl_target_ops full_ops = {
	.version = TL_TARGET_VERSION,
	.name = "scripted",
	.capabilities = TL_CAN_PLANT | TL_CAN_STEP | TL_CAN_RUN_SOME | TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE |
			TL_CAN_HARDWARE | TL_CAN_WATCH | TL_CAN_ACCESS_RUNNING | TL_CAN_MULTI_PROCESS | TL_CAN_FORK |
			TL_CAN_CATCH_SYSCALLS | TL_CAN_CATCH_CLONES,
	.describe = describe,
	.fetch_registers = fetch_registers,
	.store_registers = store_registers,
	.fetch_program_counter = fetch_program_counter,
	.read_memory = read_memory,
	.write_memory = write_memory,
	.resume = resume,
	.stop = stop,
	.insert_point = insert_point,
	.remove_point = remove_point,
	.hardware_points = hardware_points,
	.detach = detach,
	.kill = kill_process,
	.launch = launch,
	.attach = attach,
	.read_object = read_object,
	.write_object = write_object,
	.next_bystander = tl_scripted_next_bystander,
	.fetch_bystander = tl_scripted_fetch_bystander,
	.bystander_refusal = "a bystander cannot be run or changed by itself",
	.memory_region = memory_region,
	.allocate = allocate,
	.release = release,
	.monitor = monitor,
};

struct tl_target_ops tl_scripted_operations_of(const struct tl_scripted_options *options)
{
	struct tl_target_ops ops = full_ops;
	tl_u32 without = options->without;

	ops.capabilities &= ~without;
	if (options->points_inserted)
		ops.capabilities = (ops.capabilities & ~(tl_u32)TL_CAN_PLANT) | TL_CAN_SOFTWARE;
	if (options->passes_points)
		ops.capabilities |= TL_CAN_PASS_POINTS;
	if ((without & TL_CAN_RUN) != 0) {
		ops.resume = NULL;
		ops.stop = NULL;
	}
	if (!options->points_inserted && (without & TL_CAN_HARDWARE) != 0 && (without & TL_CAN_WATCH) != 0) {
		ops.insert_point = NULL;
		ops.remove_point = NULL;
		ops.hardware_points = NULL;
	}
	if ((without & TL_CAN_LAUNCH) != 0)
		ops.launch = NULL;
	if ((without & TL_CAN_ATTACH) != 0)
		ops.attach = NULL;
	if ((without & TL_CAN_KILL) != 0)
		ops.kill = NULL;
	if ((without & TL_CAN_DETACH) != 0)
		ops.detach = NULL;
	if ((without & TL_CAN_OBJECTS) != 0) {
		ops.read_object = NULL;
		ops.write_object = NULL;
		ops.memory_region = NULL;
	}
	if (options->bystanders == NULL) {
		ops.next_bystander = NULL;
		ops.fetch_bystander = NULL;
	}
	if ((without & TL_CAN_ALLOCATE) != 0) {
		ops.allocate = NULL;
		ops.release = NULL;
	}
	return ops;
}
