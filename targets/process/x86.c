#include "targets/process/x86.h"

#include "base/storage.h"
#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_xsave.h"

#include <asm/ldt.h>
#include <cpuid.h>
#include <elf.h>
#include <stddef.h>
#include <sys/uio.h>

_Static_assert(sizeof(struct user_regs_struct) == TL_X86_GENERAL_SIZE, "bank 0 is what PTRACE_GETREGS fills");

/* ---- Extended state ---- */

static tl_u64 read_xcr0(void)
{
	tl_u32 low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (tl_u64)high << 32 | low;
}

enum tl_status tl_process_x86_init(struct process_target *target)
{
	tl_u32 a, b, c, d;

	target->features = 1u << TL_X86_FEATURE_CORE | 1u << TL_X86_FEATURE_SSE | 1u << TL_X86_FEATURE_LINUX |
			   1u << TL_X86_FEATURE_SEGMENTS;
	target->layout.components = 1u << TL_X86_COMPONENT_X87 | 1u << TL_X86_COMPONENT_SSE;
	target->xstate_size = TL_X86_XSAVE_LEGACY_SIZE;
	__cpuid(1, a, b, c, d);
	if ((c & bit_OSXSAVE) != 0) {
		target->has_xsave = true;
		target->layout.components = read_xcr0();
		__cpuid_count(0xd, 0, a, b, c, d);
		/* The size for all that the CPU has: the kernel never hands out more. */
		target->xstate_size = c > b ? c : b;
		for (tl_u32 i = 2; i < TL_X86_COMPONENT_MAX; i++) {
			__cpuid_count(0xd, i, a, b, c, d);
			target->layout.offset[i] = (tl_u16)b;
		}
	}
	target->features |= tl_x86_xsave_features(target->layout.components);
	target->xstate = tl_allocate(tl_storage(), target->xstate_size);
	return target->xstate != NULL ? TL_OK : TL_ERROR_NO_MEMORY;
}

/* Moves the extended state into target->xstate (get) or out of it. *size is what the kernel said its size is. */
static enum tl_status move_area(struct process_target *target, struct traced_thread *thread, bool get, tl_size *size)
{
	struct iovec area = {target->xstate, get ? target->xstate_size : *size};
	long result;

	if (thread->place == PLACE_ASLEEP) {
		tl_copy(target->xstate, thread->kept, thread->kept_size);
		*size = thread->kept_size;
		return TL_OK;
	}
	if (!target->has_xsave) {
		result = process_ptrace_patiently(target, get ? PTRACE_GETFPREGS : PTRACE_SETFPREGS, thread, 0,
						  (tl_uintptr)target->xstate);
		*size = TL_X86_XSAVE_LEGACY_SIZE;
	} else {
		result = process_ptrace_patiently(target, get ? PTRACE_GETREGSET : PTRACE_SETREGSET, thread,
						  NT_X86_XSTATE, (tl_uintptr)&area);
		*size = area.iov_len;
	}
	return result < 0 ? tl_process_errno() : TL_OK;
}

static enum tl_status fetch_extended(struct process_target *target, struct traced_thread *thread, tl_u8 *file)
{
	tl_size size = 0;

	TL_TRY(move_area(target, thread, true, &size));
	tl_x86_xsave_read(&target->layout, target->xstate, size, file);
	return TL_OK;
}

static enum tl_status store_extended(struct process_target *target, struct traced_thread *thread, const tl_u8 *file)
{
	tl_size size = 0;

	TL_TRY(move_area(target, thread, true, &size));
	if (!tl_x86_xsave_write(&target->layout, target->xstate, size, file))
		return TL_OK;
	return move_area(target, thread, false, &size);
}

/* ---- General registers ---- */

enum tl_status tl_process_x86_general(const struct process_target *target, struct traced_thread *thread)
{
	if (thread->general_valid)
		return TL_OK;
	if (process_ptrace_patiently(target, PTRACE_GETREGS, thread, 0, (tl_uintptr)&thread->general) < 0)
		return tl_process_errno();
	thread->general_valid = true;
	return TL_OK;
}

enum tl_status tl_process_x86_write_general(const struct process_target *target, struct traced_thread *thread)
{
	if (process_ptrace_patiently(target, PTRACE_SETREGS, thread, 0, (tl_uintptr)&thread->general) < 0) {
		thread->general_valid = false;
		return tl_process_errno();
	}
	thread->general_valid = true;
	return TL_OK;
}

enum tl_status tl_process_x86_thread_pointer(const struct process_target *target, struct traced_thread *thread,
					     tl_u64 *value_ret)
{
	struct user_desc segment;

	TL_TRY(tl_process_x86_general(target, thread));
	if (thread->process->wide) {
		*value_ret = thread->general.fs_base;
		return TL_OK;
	}
	/* A selector's lower three bits are no part of the index. */
	if (process_ptrace_patiently(target, PTRACE_GET_THREAD_AREA, thread, (tl_uintptr)(thread->general.gs >> 3),
				     (tl_uintptr)&segment) < 0)
		return tl_process_errno();
	*value_ret = segment.base_addr;
	return TL_OK;
}

/* The kernel looks at all 64 bits: numbers zero-extended, and those that may be an error or -1 sign-extended. */
static void extend(struct user_regs_struct *general)
{
	unsigned long long *plain[] = {&general->rbx, &general->rcx, &general->rdx, &general->rsi,   &general->rdi,
				       &general->rbp, &general->rsp, &general->rip, &general->eflags};

	for (tl_size i = 0; i < TL_COUNT(plain); i++)
		*plain[i] = (tl_u32)*plain[i];
	general->rax = (tl_u64)(tl_i64)(tl_i32)general->rax;
	general->orig_rax = (tl_u64)(tl_i64)(tl_i32)general->orig_rax;
}

static enum tl_status store_general(const struct process_target *target, struct traced_thread *thread,
				    const tl_u8 *file)
{
	struct user_regs_struct old;

	TL_TRY(tl_process_x86_general(target, thread));
	old = thread->general;
	tl_copy(&thread->general, file, sizeof(thread->general));
	if (!thread->process->wide)
		extend(&thread->general);
	/*
	 * A thread that was stopped inside a system call may be about to run it again: on its way out the kernel would
	 * move the program counter back by two. Whoever writes another program counter does not want that.
	 */
	if (thread->general.rip != old.rip && thread->general.orig_rax == old.orig_rax)
		thread->general.orig_rax = TL_U64_MAX;
	if (tl_same(&old, &thread->general, sizeof(old)))
		return TL_OK;
	return tl_process_x86_write_general(target, thread);
}

/* ---- Operations ---- */

static struct traced_thread *standing(const struct process_target *target, struct tl_thread_id id,
				      enum tl_status *status_ret)
{
	struct traced_thread *thread = tl_process_thread(target, id);

	*status_ret = TL_OK;
	if (thread == NULL || thread->state == TRACED_ENDED)
		*status_ret = TL_ERROR_GONE;
	else if (thread->state != TRACED_STOPPED)
		*status_ret = TL_ERROR_RUNNING;
	return thread;
}

enum tl_status tl_process_x86_describe(struct tl_target *base, tl_u64 id, struct tl_process_facts *facts_ret)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);

	if (process == NULL)
		return TL_ERROR_GONE;
	*facts_ret = (struct tl_process_facts){&tl_cpu_x86_64, target->features, "GNU/Linux"};
	if (!process->wide) {
		facts_ret->cpu = &tl_cpu_i386;
		facts_ret->features &= ~(1u << TL_X86_FEATURE_SEGMENTS);
	}
	return TL_OK;
}

enum tl_status tl_process_x86_keep(struct process_target *target, struct traced_thread *thread)
{
	tl_size size = 0;

	TL_TRY(tl_process_x86_general(target, thread));
	TL_TRY(move_area(target, thread, true, &size));
	thread->kept = tl_allocate(tl_storage(), size);
	if (thread->kept == NULL)
		return TL_ERROR_NO_MEMORY;
	thread->kept_size = size;
	tl_copy(thread->kept, target->xstate, size);
	return TL_OK;
}

enum tl_status tl_process_x86_fetch(struct tl_target *base, struct tl_thread_id id, tl_u8 bank, tl_u8 *file)
{
	struct process_target *target = process_target(base);
	enum tl_status status;
	struct traced_thread *thread = standing(target, id, &status);

	TL_TRY(status);
	if (bank == TL_X86_BANK_EXTENDED)
		return fetch_extended(target, thread, file);
	if (bank != TL_BANK_GENERAL)
		return TL_ERROR_ARGUMENT;
	TL_TRY(tl_process_x86_general(target, thread));
	tl_copy(file, &thread->general, sizeof(thread->general));
	return TL_OK;
}

enum tl_status tl_process_x86_store(struct tl_target *base, struct tl_thread_id id, tl_u8 bank, const tl_u8 *file)
{
	struct process_target *target = process_target(base);
	enum tl_status status;
	struct traced_thread *thread = standing(target, id, &status);

	TL_TRY(status);
	/* What is shown is not what there is to write to. */
	if (thread->place == PLACE_ASLEEP)
		return TL_ERROR_RUNNING;
	if (bank == TL_X86_BANK_EXTENDED)
		return store_extended(target, thread, file);
	return bank == TL_BANK_GENERAL ? store_general(target, thread, file) : TL_ERROR_ARGUMENT;
}

enum tl_status tl_process_x86_fetch_program_counter(struct tl_target *base, struct tl_thread_id id, tl_u64 *value_ret)
{
	struct process_target *target = process_target(base);
	enum tl_status status;
	struct traced_thread *thread = standing(target, id, &status);

	TL_TRY(status);
	TL_TRY(tl_process_x86_general(target, thread));
	*value_ret = thread->general.rip;
	return TL_OK;
}

/* ---- Debug registers ---- */

static enum tl_status write_debug(const struct process_target *target, struct traced_thread *thread, unsigned n,
				  tl_u64 value)
{
	tl_uintptr offset = offsetof(struct user, u_debugreg) + n * sizeof(tl_u64);

	if (process_ptrace_patiently(target, PTRACE_POKEUSER, thread, offset, (tl_uintptr)value) == 0)
		return TL_OK;
	if (errno == ENOSPC || errno == EBUSY)
		return TL_ERROR_POINT_FULL;
	/* The kernel lets no one watch its own memory. */
	return errno == EINVAL ? TL_ERROR_MEMORY : tl_process_errno();
}

static bool enabled(tl_u64 control, unsigned n)
{
	return (control >> 2 * n & 3) != 0;
}

static bool holds_execute(tl_u64 control)
{
	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++)
		if (enabled(control, n) && (control >> (16 + 4 * n) & 3) == TL_X86_DEBUG_EXECUTE)
			return true;
	return false;
}

static enum tl_status write_control(const struct process_target *target, struct traced_thread *thread, tl_u64 control)
{
	if (thread->debug_control == control)
		return TL_OK;
	TL_TRY(write_debug(target, thread, 7, control));
	thread->debug_control = control;
	return TL_OK;
}

enum tl_status tl_process_x86_program_debug(const struct process_target *target, struct traced_thread *thread)
{
	const struct tl_x86_debug_plan *plan = &thread->process->plan;
	enum tl_status status = TL_OK;
	bool move = false;

	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++)
		move |= enabled(plan->control, n) && thread->debug_address[n] != plan->address[n];
	/* An address must not move under an armed register: it may not fit its length. */
	if (move)
		status = write_control(target, thread, 0);
	for (unsigned n = 0; status == TL_OK && n < TL_X86_DEBUG_REGISTERS; n++) {
		if (!enabled(plan->control, n) || thread->debug_address[n] == plan->address[n])
			continue;
		status = write_debug(target, thread, n, plan->address[n]);
		if (status == TL_OK)
			thread->debug_address[n] = plan->address[n];
	}
	if (status == TL_OK)
		status = write_control(target, thread, plan->control);
	/* Trying again would not change the kernel's mind. */
	if (status != TL_ERROR_GONE)
		thread->debug_generation = thread->process->generation;
	return status;
}

enum tl_status tl_process_x86_disarm(const struct process_target *target, struct traced_thread *thread)
{
	return write_control(target, thread, 0);
}

void tl_process_x86_thread_plan(const struct traced_thread *thread, struct tl_x86_debug_plan *plan_ret)
{
	*plan_ret = (struct tl_x86_debug_plan){.control = thread->debug_control};
	tl_copy(plan_ret->address, thread->debug_address, sizeof(plan_ret->address));
	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++)
		plan_ret->users[n] = enabled(thread->debug_control, n);
}

enum tl_status tl_process_x86_debug_status(const struct process_target *target, const struct traced_thread *thread,
					   tl_u64 *value_ret)
{
	tl_uintptr offset = offsetof(struct user, u_debugreg) + 6 * sizeof(tl_u64);

	if (process_ptrace_patiently(target, PTRACE_PEEKUSER, thread, offset, (tl_uintptr)value_ret) < 0)
		return tl_process_errno();
	/* The kernel clears it at the next debug exception only, and a signal in between would show the old bits. */
	(void)process_ptrace_patiently(target, PTRACE_POKEUSER, thread, offset, 0);
	return TL_OK;
}

#define RESUME_FLAG 0x10000ull

enum tl_status tl_process_x86_resume_flag(const struct process_target *target, struct traced_thread *thread, bool over)
{
	tl_uintptr offset = offsetof(struct user_regs_struct, eflags);
	tl_u64 flags;

	if (!holds_execute(thread->process->plan.control))
		return TL_OK;
	TL_TRY(tl_process_x86_general(target, thread));
	/* The kernel sets it itself after a hit: a thread that was moved onto another breakpoint would miss that. */
	flags = over ? thread->general.eflags | RESUME_FLAG : thread->general.eflags & ~RESUME_FLAG;
	if (flags == thread->general.eflags)
		return TL_OK;
	if (process_ptrace_patiently(target, PTRACE_POKEUSER, thread, offset, (tl_uintptr)flags) < 0)
		return tl_process_errno();
	thread->general.eflags = flags;
	return TL_OK;
}

/* ---- Hardware points ---- */

static bool debug_kind(enum tl_point_kind kind, enum tl_x86_debug_kind *kind_ret)
{
	switch (kind) {
	case TL_POINT_HARDWARE:
		*kind_ret = TL_X86_DEBUG_EXECUTE;
		return true;
	case TL_POINT_WRITE:
		*kind_ret = TL_X86_DEBUG_WRITE;
		return true;
	case TL_POINT_READ:
	case TL_POINT_ACCESS:
		/* There is no register that tells reads alone: the engine sorts the writes out. */
		*kind_ret = TL_X86_DEBUG_ACCESS;
		return true;
	case TL_POINT_SOFTWARE:
	case TL_POINT_KIND_MAX:
		break;
	}
	return false;
}

enum tl_status tl_process_x86_insert_point(struct tl_target *base, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
					   tl_u64 size)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);
	struct tl_x86_debug_plan before;
	enum tl_x86_debug_kind debug;
	enum tl_status status = TL_OK;

	if (process == NULL)
		return TL_ERROR_GONE;
	if (!debug_kind(kind, &debug))
		return TL_ERROR_POINT_KIND;
	before = process->plan;
	TL_TRY(tl_x86_debug_add(&process->plan, debug, address, debug == TL_X86_DEBUG_EXECUTE ? 1 : size,
				process->wide));
	process->generation++;
	/* One thread that stands tries it, so that the kernel's refusal is heard. */
	for (struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next)
		if (thread->state == TRACED_STOPPED) {
			status = tl_process_x86_program_debug(target, thread);
			break;
		}
	if (status != TL_OK && status != TL_ERROR_GONE)
		process->plan = before;
	else
		status = TL_OK;
	tl_process_run_reprogram(target, process);
	return status;
}

enum tl_status tl_process_x86_remove_point(struct tl_target *base, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
					   tl_u64 size)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);
	enum tl_x86_debug_kind debug;

	if (process == NULL)
		return TL_ERROR_GONE;
	if (!debug_kind(kind, &debug))
		return TL_ERROR_POINT_KIND;
	TL_TRY(tl_x86_debug_remove(&process->plan, debug, address, debug == TL_X86_DEBUG_EXECUTE ? 1 : size,
				   process->wide));
	tl_process_run_reprogram(target, process);
	return TL_OK;
}

tl_u32 tl_process_x86_hardware_points(struct tl_target *base, tl_u64 id)
{
	(void)base;
	(void)id;
	return TL_X86_DEBUG_REGISTERS;
}

/* ---- System calls ---- */

#define EXIT_64 60
#define EXIT_32 1

tl_u64 tl_process_x86_call_number(const struct traced_thread *thread)
{
	return thread->process->wide ? thread->general.orig_rax : (tl_u32)thread->general.orig_rax;
}

bool tl_process_x86_ends_alone(const struct process_target *target, struct traced_thread *thread)
{
	return tl_process_x86_general(target, thread) == TL_OK &&
	       tl_process_x86_call_number(thread) == (thread->process->wide ? EXIT_64 : EXIT_32);
}
