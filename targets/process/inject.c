/*
 * Making a stopped thread run one system call, unseen: for memory of the debugger's own in the program.
 *
 * The thread's registers, signal mask and the kind of its stop are put back: it is led to a system call instruction
 * (the vdso has one), stopped behind the call, and then once more by PTRACE_INTERRUPT, where it was at the edge of user
 * mode and where a system call that it was in the middle of is still run again. A signal that it stood before is not
 * lost: what resumes the thread with it sends it, with its siginfo (run.c).
 */
#include "targets/process/state.h"

#include "targets/process/cpu.h"
#include "targets/process/events.h"
#include "targets/process/maps.h"

#include <elf.h>
#include <sys/mman.h>

#define NO_CALL_ADDRESS 1

/* ---- Finding an instruction ---- */

static tl_u64 vdso_address(struct process_target *target, struct traced_process *process)
{
	tl_size item = process->wide ? 8 : 4, done = 0;
	tl_u8 auxv[1024];

	if (tl_process_objects_read(&target->target, (struct tl_thread_id){(tl_u64)process->id, (tl_u64)process->id},
				    TL_OBJECT_AUXV, 0, auxv, sizeof(auxv), &done) != TL_OK)
		return 0;
	for (tl_size at = 0; at + 2 * item <= done; at += 2 * item)
		if (tl_load_little(auxv + at, item) == AT_SYSINFO_EHDR)
			return tl_load_little(auxv + at + item, item);
	return 0;
}

/* The address of a system call instruction in the vdso, found once for each program; false when there is none. */
static bool find_instruction(struct process_target *target, struct traced_process *process, tl_u64 *address_ret)
{
	tl_size done = 0, length = 0;
	const tl_u8 *wanted = tl_process_cpu_call_instruction(process, &length);
	tl_u8 code[8192];
	tl_u64 vdso;

	if (process->call_address == 0) {
		process->call_address = NO_CALL_ADDRESS;
		vdso = vdso_address(target, process);
		if (vdso != 0)
			(void)tl_process_memory_read(&target->target, (tl_u64)process->id, vdso, code, sizeof(code),
						     &done);
		for (tl_size at = 64; at + length <= done && process->call_address == NO_CALL_ADDRESS;
		     at += CPU_CODE_ALIGNMENT)
			if (tl_same(code + at, wanted, length))
				process->call_address = vdso + at;
	}
	*address_ret = process->call_address;
	return process->call_address != NO_CALL_ADDRESS;
}

/* ---- Running ---- */

/* Hands a status that came in the middle to the loop, which will make of it what it would have. */
static enum tl_status ended(struct process_target *target, struct traced_thread *thread, int status)
{
	tl_process_set_state(thread, TRACED_RUNNING);
	return tl_process_wait_requeue(target, thread->id, status);
}

/*
 * Sets the thread going and waits for its next stop, which must be of kind `wanted`; stops by a PTRACE_INTERRUPT that
 * an earlier stop came before are passed over.
 */
static enum tl_status run_to(struct process_target *target, struct traced_thread *thread, long request,
			     enum tl_stop_kind wanted, tl_u64 deadline)
{
	thread->general_valid = false;
	for (;;) {
		struct tl_stop stop;
		int status = 0;

		if (process_ptrace_patiently(target, request, thread, 0, 0) < 0)
			return tl_process_errno();
		tl_process_set_state(thread, TRACED_RUNNING);
		TL_TRY(tl_process_wait_for(target, thread->id, deadline, &status));
		stop = tl_stop_decode(status);
		if (stop.kind == TL_STOP_EXITED || stop.kind == TL_STOP_KILLED) {
			TL_TRY(ended(target, thread, status));
			return TL_ERROR_GONE;
		}
		tl_process_set_state(thread, TRACED_STOPPED);
		/* A group-stop may take the place of the stop that was asked for. */
		thread->place = stop.kind == TL_STOP_GROUP ? PLACE_GROUP : PLACE_PLAIN;
		if (stop.kind == wanted || (wanted == TL_STOP_INTERRUPTED && stop.kind == TL_STOP_GROUP))
			return TL_OK;
		if (stop.kind != TL_STOP_INTERRUPTED && stop.kind != TL_STOP_GROUP)
			return TL_ERROR_STATE;
	}
}

/* Out of whatever the thread is in the middle of, to the edge of user mode. */
static enum tl_status to_edge(struct process_target *target, struct traced_thread *thread, tl_u64 deadline)
{
	if (process_ptrace_patiently(target, PTRACE_INTERRUPT, thread, 0, 0) < 0)
		return tl_process_errno();
	return run_to(target, thread, PTRACE_CONT, TL_STOP_INTERRUPTED, deadline);
}

/* From the instruction through the call; *result_ret is what the kernel gave back. */
static enum tl_status run_call(struct process_target *target, struct traced_thread *thread,
			       const struct process_call_frame *frame, tl_u64 deadline, tl_u64 *result_ret)
{
	tl_process_cpu_set_call(thread, frame);
	TL_TRY(tl_process_cpu_write_general(target, thread));
	TL_TRY(run_to(target, thread, PTRACE_SYSCALL, TL_STOP_SYSCALL, deadline));
	TL_TRY(run_to(target, thread, PTRACE_SYSCALL, TL_STOP_SYSCALL, deadline));
	TL_TRY(tl_process_cpu_general(target, thread));
	*result_ret = tl_process_cpu_call_result(thread);
	return TL_OK;
}

static bool anyone_runs(const struct traced_process *process)
{
	for (const struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next)
		if (thread->state == TRACED_RUNNING)
			return true;
	return false;
}

/* The instruction is written over the code at `at`, where the thread stands: nobody else may run meanwhile. */
static enum tl_status plant_instruction(struct process_target *target, struct traced_thread *thread, tl_u64 at,
					tl_u8 saved[CALL_INSTRUCTION_MAX])
{
	tl_u64 id = (tl_u64)thread->process->id;
	tl_size done = 0, length = 0;
	const tl_u8 *instruction = tl_process_cpu_call_instruction(thread->process, &length);

	if (anyone_runs(thread->process))
		return TL_ERROR_RUNNING;
	TL_TRY(tl_process_memory_read(&target->target, id, at, saved, length, &done));
	if (done != length)
		return TL_ERROR_MEMORY;
	return tl_process_memory_write(&target->target, id, at, instruction, length, &done);
}

/* With all signals held back, so that the call is all that happens. */
static enum tl_status run_masked(struct process_target *target, struct traced_thread *thread,
				 struct process_call_frame *frame, tl_u64 deadline, tl_u64 *result_ret)
{
	struct user_regs_struct saved;
	tl_u64 all = TL_U64_MAX, mask = 0, id = (tl_u64)thread->process->id;
	tl_u8 code[CALL_INSTRUCTION_MAX] = {0};
	enum tl_status status, restored;
	tl_size done, length = 0;
	bool planted;

	TL_TRY(tl_process_cpu_general(target, thread));
	saved = thread->general;
	planted = !find_instruction(target, thread->process, &frame->address);
	if (planted) {
		(void)tl_process_cpu_call_instruction(thread->process, &length);
		frame->address = CPU_PROGRAM_COUNTER(saved);
		TL_TRY(plant_instruction(target, thread, frame->address, code));
	}
	if (process_ptrace_patiently(target, PTRACE_GETSIGMASK, thread, sizeof(mask), (tl_uintptr)&mask) < 0 ||
	    process_ptrace_patiently(target, PTRACE_SETSIGMASK, thread, sizeof(all), (tl_uintptr)&all) < 0)
		status = tl_process_errno();
	else
		status = run_call(target, thread, frame, deadline, result_ret);
	if (planted)
		(void)tl_process_memory_write(&target->target, id, frame->address, code, length, &done);
	if (thread->state != TRACED_STOPPED)
		return status != TL_OK ? status : TL_ERROR_GONE;
	restored = to_edge(target, thread, deadline);
	/* Short of the edge it is still better off with its own registers than with those of the call. */
	if (thread->state == TRACED_STOPPED) {
		enum tl_status written;

		thread->general = saved;
		written = tl_process_cpu_write_general(target, thread);
		(void)process_ptrace_patiently(target, PTRACE_SETSIGMASK, thread, sizeof(mask), (tl_uintptr)&mask);
		if (restored == TL_OK)
			restored = written;
	}
	return status != TL_OK ? status : restored;
}

static enum tl_status run_unseen(struct process_target *target, struct tl_thread_id id,
				 struct process_call_frame *frame, tl_u64 *result_ret)
{
	struct traced_thread *thread = tl_process_thread(target, id);
	tl_u64 deadline = tl_process_wait_clock() + WAIT_LIMIT;

	if (thread == NULL || thread->state == TRACED_ENDED)
		return TL_ERROR_GONE;
	if (thread->state != TRACED_STOPPED)
		return TL_ERROR_RUNNING;
	/* These two are not over when they are left: the one runs its call, the other sleeps in it. */
	if (thread->place == PLACE_SYSCALL_ENTRY || thread->place == PLACE_VFORK || thread->place == PLACE_ASLEEP ||
	    thread->awaited != 0 || thread->due)
		return TL_ERROR_STATE;
	if (thread->place == PLACE_SYSCALL)
		TL_TRY(to_edge(target, thread, deadline));
	return run_masked(target, thread, frame, deadline, result_ret);
}

/* ---- Memory ---- */

#define PAGE 4096
#define REACH CPU_JUMP_REACH
#define LOWEST 0x10000ull
#define HIGHEST_64 CPU_HIGHEST
#define HIGHEST_32 0xffffe000ull

struct gap_search {
	tl_u64 near, size;
	tl_u64 best, distance; /* 0: none yet */
};

/* A gap [start, end): a place at its upper end lets what grows upwards from below grow. A page stays free on either
 * side. */
static void consider_gap(struct gap_search *search, tl_u64 start, tl_u64 end)
{
	tl_u64 at, distance;

	if (end <= start || end - start < search->size + 2 * PAGE)
		return;
	at = end > search->near ? start + PAGE : end - PAGE - search->size;
	if (end > search->near && start < search->near)
		at = search->near & ~(tl_u64)(PAGE - 1);
	distance = at < search->near ? search->near - at : at - search->near;
	/* Below is better: a heap may grow behind the program. */
	if (at > search->near)
		distance += distance / 2;
	if (distance < REACH && (search->best == 0 || distance < search->distance)) {
		search->best = at;
		search->distance = distance;
	}
}

/* Free room within reach of a jump; 0 when there is none. */
static tl_u64 find_gap(struct process_target *target, const struct traced_process *process, tl_u64 near, tl_u64 size)
{
	struct gap_search search = {near, size, 0, 0};
	struct tl_memory_region region;
	struct maps maps;
	tl_u64 start = LOWEST, highest = process->wide ? HIGHEST_64 : HIGHEST_32;

	if (!tl_process_maps_open(&maps, target->calls, process->id))
		return 0;
	while (tl_process_maps_next(&maps, &region)) {
		if (region.start > highest)
			break;
		consider_gap(&search, start, region.start);
		start = region.start + region.size;
	}
	consider_gap(&search, start, highest);
	tl_process_maps_close(&maps);
	return search.best;
}

static bool is_error(tl_u64 result)
{
	return result >= (tl_u64)-4095;
}

enum tl_status tl_process_inject_allocate(struct tl_target *base, struct tl_thread_id id, tl_u64 near, tl_u64 size,
					  tl_u32 permissions, tl_u64 *address_ret)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id.process);
	tl_u64 protection = ((permissions & TL_PERMISSION_READ) != 0 ? PROT_READ : 0) |
			    ((permissions & TL_PERMISSION_WRITE) != 0 ? PROT_WRITE : 0) |
			    ((permissions & TL_PERMISSION_EXECUTE) != 0 ? PROT_EXEC : 0);
	struct process_call_frame call = {
		.call = PROCESS_CALL_MAP,
		.arguments = {0, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, TL_U64_MAX, 0}};
	tl_u64 result = 0;

	if (process == NULL)
		return TL_ERROR_GONE;
	if (size == 0 || size > HIGHEST_64)
		return TL_ERROR_ARGUMENT;
	if (near != 0) {
		call.arguments[0] = find_gap(target, process, near, (size + PAGE - 1) & ~(tl_u64)(PAGE - 1));
		if (call.arguments[0] != 0)
			call.arguments[3] |= MAP_FIXED_NOREPLACE;
	}
	TL_TRY(run_unseen(target, id, &call, &result));
	if (is_error(result) && call.arguments[0] != 0) {
		call.arguments[0] = 0;
		call.arguments[3] &= ~(tl_u64)MAP_FIXED_NOREPLACE;
		TL_TRY(run_unseen(target, id, &call, &result));
	}
	if (is_error(result))
		return TL_ERROR_NO_MEMORY;
	*address_ret = process->wide ? result : (tl_u32)result;
	return TL_OK;
}

enum tl_status tl_process_inject_release(struct tl_target *base, struct tl_thread_id id, tl_u64 address, tl_u64 size)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id.process);
	struct process_call_frame call = {.call = PROCESS_CALL_UNMAP, .arguments = {address, size}};
	tl_u64 result = 0;

	if (process == NULL)
		return TL_ERROR_GONE;
	TL_TRY(run_unseen(target, id, &call, &result));
	return is_error(result) ? TL_ERROR_ARGUMENT : TL_OK;
}
