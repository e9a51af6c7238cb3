#include "targets/process/state.h"

#include "base/storage.h"
#include "targets/process/cpu.h"
#include "targets/process/sleep.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>

enum tl_status tl_process_errno(void)
{
	switch (errno) {
	case ESRCH:
		return TL_ERROR_GONE;
	case EPERM:
	case EACCES:
		return TL_ERROR_PERMISSION;
	case ENOMEM:
		return TL_ERROR_NO_MEMORY;
	case EFAULT:
	case EIO:
		return TL_ERROR_MEMORY;
	default:
		return TL_ERROR_SYSTEM;
	}
}

/* ---- The registry ---- */

static struct traced_thread **bucket(struct process_target *target, pid_t id)
{
	return &target->buckets[(unsigned)id % BUCKETS];
}

struct traced_thread *tl_process_find_thread(const struct process_target *target, pid_t id)
{
	struct traced_thread *thread = target->buckets[(unsigned)id % BUCKETS];

	while (thread != NULL && thread->id != id)
		thread = thread->bucket_next;
	return thread;
}

struct traced_process *tl_process_find(const struct process_target *target, tl_u64 id)
{
	struct traced_process *process = target->processes;

	while (process != NULL && (tl_u64)process->id != id)
		process = process->next;
	return process;
}

struct traced_thread *tl_process_thread(const struct process_target *target, struct tl_thread_id id)
{
	struct traced_thread *thread =
		id.thread <= 0x7fffffff ? tl_process_find_thread(target, (pid_t)id.thread) : NULL;

	if (thread == NULL || thread->process == NULL || (tl_u64)thread->process->id != id.process)
		return NULL;
	return thread;
}

void tl_process_set_state(struct traced_thread *thread, enum traced_state state)
{
	thread->state = state;
}

struct traced_thread *tl_process_add_thread(struct process_target *target, struct traced_process *process, pid_t id,
					    enum traced_state state)
{
	struct traced_thread *thread = tl_allocate(tl_storage(), sizeof(*thread));
	struct traced_thread **head = bucket(target, id);

	if (thread == NULL)
		return NULL;
	thread->id = id;
	thread->bucket_next = *head;
	*head = thread;
	tl_process_set_state(thread, state);
	if (process != NULL)
		tl_process_adopt(process, thread);
	return thread;
}

void tl_process_adopt(struct traced_process *process, struct traced_thread *thread)
{
	thread->process = process;
	/* Nothing is armed in a new thread: the kernel clears a child's debug registers. */
	thread->debug_generation = 0;
	*process->threads_end = thread;
	process->threads_end = &thread->next;
}

void tl_process_remove_thread(struct process_target *target, struct traced_thread *thread)
{
	struct traced_thread **at = bucket(target, thread->id);

	tl_process_wait_unexpect(target, thread);
	while (*at != thread)
		at = &(*at)->bucket_next;
	*at = thread->bucket_next;
	if (thread->process != NULL) {
		for (at = &thread->process->threads; *at != thread; at = &(*at)->next)
			;
		*at = thread->next;
		if (thread->process->threads_end == &thread->next)
			thread->process->threads_end = at;
	}
	tl_process_sleep_forget(thread);
	tl_release(tl_storage(), thread, sizeof(*thread));
}

void tl_process_rename_thread(struct process_target *target, struct traced_thread *thread, pid_t id)
{
	struct traced_thread **at = bucket(target, thread->id);

	while (*at != thread)
		at = &(*at)->bucket_next;
	*at = thread->bucket_next;
	thread->id = id;
	at = bucket(target, id);
	thread->bucket_next = *at;
	*at = thread;
}

struct traced_process *tl_process_add(struct process_target *target, pid_t id, bool launched)
{
	struct traced_process *process = tl_allocate(tl_storage(), sizeof(*process));

	if (process == NULL)
		return NULL;
	process->id = id;
	process->launched = launched;
	process->leader_traced = launched;
	process->memory = -1;
	process->wide = true;
	process->threads_end = &process->threads;
	*target->processes_end = process;
	target->processes_end = &process->next;
	return process;
}

void tl_process_remove(struct process_target *target, struct traced_process *process)
{
	struct traced_process **at = &target->processes;

	while (process->threads != NULL) {
		tl_process_wait_forget(target, process->threads->id);
		tl_process_remove_thread(target, process->threads);
	}
	while (*at != process)
		at = &(*at)->next;
	*at = process->next;
	if (target->processes_end == &process->next)
		target->processes_end = at;
	if (process->memory >= 0)
		(void)target->calls->close(process->memory);
	tl_release(tl_storage(), process, sizeof(*process));
}

bool tl_process_has_apart(const struct traced_process *process)
{
	for (const struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next)
		if (thread->apart)
			return true;
	return false;
}

tl_size tl_process_told(const struct traced_process *process)
{
	tl_size count = 0;

	for (const struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next)
		count += thread->told && thread->state != TRACED_ENDED;
	return count;
}

void tl_process_open(struct process_target *target, struct traced_process *process)
{
	unsigned char ident[EI_NIDENT] = {0};
	char path[40];
	int program;

	/* An open one shows the memory of the program that was there when it was opened. */
	if (process->memory >= 0)
		(void)target->calls->close(process->memory);
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)process->id);
	process->memory = target->calls->open(path, O_RDWR);
	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)process->id);
	program = target->calls->open(path, O_RDONLY);
	if (program >= 0) {
		if (target->calls->read(program, ident, sizeof(ident)) == (ssize_t)sizeof(ident))
			process->wide = ident[EI_CLASS] != ELFCLASS32;
		(void)target->calls->close(program);
	}
	process->call_address = 0;
}

/* ---- The target ---- */

static const struct tl_target_ops operations = {
	.version = TL_TARGET_VERSION,
	.name = "process",
	.capabilities = TL_CAN_PLANT | TL_CAN_HARDWARE | TL_CAN_WATCH | TL_CAN_STEP | TL_CAN_RUN_SOME |
			TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE | TL_CAN_ACCESS_RUNNING | TL_CAN_MULTI_PROCESS |
			TL_CAN_FORK | TL_CAN_CATCH_SYSCALLS | TL_CAN_CATCH_CLONES,
	.describe = tl_process_cpu_describe,
	.fetch_registers = tl_process_cpu_fetch,
	.store_registers = tl_process_cpu_store,
	.fetch_program_counter = tl_process_cpu_fetch_program_counter,
	.read_memory = tl_process_memory_read,
	.write_memory = tl_process_memory_write,
	.load = tl_process_memory_load,
	.store = tl_process_memory_store,
	.resume = tl_process_run_resume,
	.stop = tl_process_run_stop,
	.insert_point = tl_process_cpu_insert_point,
	.remove_point = tl_process_cpu_remove_point,
	.hardware_points = tl_process_cpu_hardware_points,
	.set_detach_signal = tl_process_run_set_detach_signal,
	.detach = tl_process_run_detach,
	.kill = tl_process_run_kill,
	.launch = tl_process_launch_program,
	.attach = tl_process_attach_process,
	.read_object = tl_process_objects_read,
	.write_object = tl_process_objects_write,
	.memory_region = tl_process_objects_region,
	.regions = tl_process_objects_regions,
	.used_pages = tl_process_objects_used_pages,
	.allocate = tl_process_inject_allocate,
	.release = tl_process_inject_release,
};

static void destroy(struct process_target *target)
{
	tl_source_remove(target->child_source);
	tl_source_remove(target->drain_source);
	for (unsigned i = 0; i < BUCKETS; i++)
		while (target->buckets[i] != NULL)
			tl_process_remove_thread(target, target->buckets[i]);
	tl_release(tl_storage(), target->queue, target->queue_capacity * sizeof(*target->queue));
	tl_process_cpu_finish(target);
	tl_release(tl_storage(), target, sizeof(*target));
}

enum tl_status tl_process_target_create(struct tl_loop *loop, const struct tl_process_options *options,
					struct tl_target **target_ret, struct tl_error *error)
{
	struct process_target *target = tl_allocate(tl_storage(), sizeof(*target));
	enum tl_status status;

	if (target == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for the process target");
	if (options != NULL)
		target->options = *options;
	target->calls = target->options.calls != NULL ? target->options.calls : &tl_process_calls_real;
	target->target.ops = &operations;
	target->loop = loop;
	target->processes_end = &target->processes;
	target->queue = tl_allocate(tl_storage(), STATUSES_PER_TURN * sizeof(*target->queue));
	status = target->queue != NULL ? tl_process_cpu_init(target) : TL_ERROR_NO_MEMORY;
	if (target->queue != NULL)
		target->queue_capacity = STATUSES_PER_TURN;
	if (status != TL_OK)
		status = TL_FAIL(error, status, "no storage for the process target");
	if (status == TL_OK)
		status = tl_loop_add_signal(loop, SIGCHLD, tl_process_wait_signalled, target, &target->child_source,
					    error);
	if (status == TL_OK)
		status = tl_loop_add_deferred(loop, "statuses", tl_process_wait_drain, target, &target->drain_source,
					      error);
	if (status != TL_OK) {
		destroy(target);
		return status;
	}
	*target_ret = &target->target;
	return TL_OK;
}

void tl_process_target_destroy(struct tl_target *base)
{
	struct process_target *target;

	if (base == NULL)
		return;
	target = process_target(base);
	while (target->processes != NULL)
		tl_process_run_release(target, target->processes);
	tl_process_stops_let_orphans_go(target);
	tl_process_launch_restore_terminal(target);
	destroy(target);
}
