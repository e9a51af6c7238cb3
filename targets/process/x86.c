#include "targets/process/cpu.h"

#include "base/storage.h"
#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_xsave.h"
#include "targets/process/x86_events.h"

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

enum tl_status tl_process_cpu_init(struct process_target *target)
{
	tl_u32 a, b, c, d;

	target->machine.features = 1u << TL_X86_FEATURE_CORE | 1u << TL_X86_FEATURE_SSE | 1u << TL_X86_FEATURE_LINUX |
				   1u << TL_X86_FEATURE_SEGMENTS;
	target->machine.layout.components = 1u << TL_X86_COMPONENT_X87 | 1u << TL_X86_COMPONENT_SSE;
	target->machine.xstate_size = TL_X86_XSAVE_LEGACY_SIZE;
	__cpuid(1, a, b, c, d);
	if ((c & bit_OSXSAVE) != 0) {
		target->machine.has_xsave = true;
		target->machine.layout.components = read_xcr0();
		__cpuid_count(0xd, 0, a, b, c, d);
		/* The size for all that the CPU has: the kernel never hands out more. */
		target->machine.xstate_size = c > b ? c : b;
		for (tl_u32 i = 2; i < TL_X86_COMPONENT_MAX; i++) {
			__cpuid_count(0xd, i, a, b, c, d);
			target->machine.layout.offset[i] = (tl_u16)b;
		}
	}
	target->machine.features |= tl_x86_xsave_features(target->machine.layout.components);
	target->machine.xstate = tl_allocate(tl_storage(), target->machine.xstate_size);
	return target->machine.xstate != NULL ? TL_OK : TL_ERROR_NO_MEMORY;
}

void tl_process_cpu_finish(struct process_target *target)
{
	tl_release(tl_storage(), target->machine.xstate, target->machine.xstate_size);
}

const char *tl_process_cpu_refusal(const struct traced_process *process)
{
	(void)process;
	return NULL;
}

/* Moves the extended state into target->machine.xstate (get) or out of it. *size is what the kernel said its size is.
 */
static enum tl_status move_area(struct process_target *target, struct traced_thread *thread, bool get, tl_size *size)
{
	struct iovec area = {target->machine.xstate, get ? target->machine.xstate_size : *size};
	long result;

	if (thread->place == PLACE_ASLEEP) {
		tl_copy(target->machine.xstate, thread->kept, thread->kept_size);
		*size = thread->kept_size;
		return TL_OK;
	}
	if (!target->machine.has_xsave) {
		result = process_ptrace_patiently(target, get ? PTRACE_GETFPREGS : PTRACE_SETFPREGS, thread, 0,
						  (tl_uintptr)target->machine.xstate);
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
	tl_x86_xsave_read(&target->machine.layout, target->machine.xstate, size, file);
	return TL_OK;
}

static enum tl_status store_extended(struct process_target *target, struct traced_thread *thread, const tl_u8 *file)
{
	tl_size size = 0;

	TL_TRY(move_area(target, thread, true, &size));
	if (!tl_x86_xsave_write(&target->machine.layout, target->machine.xstate, size, file))
		return TL_OK;
	return move_area(target, thread, false, &size);
}

/* ---- General registers ---- */

enum tl_status tl_process_cpu_general(const struct process_target *target, struct traced_thread *thread)
{
	if (thread->general_valid)
		return TL_OK;
	if (process_ptrace_patiently(target, PTRACE_GETREGS, thread, 0, (tl_uintptr)&thread->general) < 0)
		return tl_process_errno();
	thread->general_valid = true;
	return TL_OK;
}

enum tl_status tl_process_cpu_write_general(const struct process_target *target, struct traced_thread *thread)
{
	if (process_ptrace_patiently(target, PTRACE_SETREGS, thread, 0, (tl_uintptr)&thread->general) < 0) {
		thread->general_valid = false;
		return tl_process_errno();
	}
	thread->general_valid = true;
	return TL_OK;
}

enum tl_status tl_process_cpu_thread_pointer(const struct process_target *target, struct traced_thread *thread,
					     tl_u64 *value_ret)
{
	struct user_desc segment;

	TL_TRY(tl_process_cpu_general(target, thread));
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

	TL_TRY(tl_process_cpu_general(target, thread));
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
	return tl_process_cpu_write_general(target, thread);
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

enum tl_status tl_process_cpu_describe(struct tl_target *base, tl_u64 id, struct tl_process_facts *facts_ret)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);

	if (process == NULL)
		return TL_ERROR_GONE;
	*facts_ret = (struct tl_process_facts){&tl_cpu_x86_64, target->machine.features, "GNU/Linux"};
	if (!process->wide) {
		facts_ret->cpu = &tl_cpu_i386;
		facts_ret->features &= ~(1u << TL_X86_FEATURE_SEGMENTS);
	}
	return TL_OK;
}

enum tl_status tl_process_cpu_keep(struct process_target *target, struct traced_thread *thread)
{
	tl_size size = 0;

	TL_TRY(tl_process_cpu_general(target, thread));
	TL_TRY(move_area(target, thread, true, &size));
	thread->kept = tl_allocate(tl_storage(), size);
	if (thread->kept == NULL)
		return TL_ERROR_NO_MEMORY;
	thread->kept_size = size;
	tl_copy(thread->kept, target->machine.xstate, size);
	return TL_OK;
}

enum tl_status tl_process_cpu_fetch(struct tl_target *base, struct tl_thread_id id, tl_u8 bank, tl_u8 *file)
{
	struct process_target *target = process_target(base);
	enum tl_status status;
	struct traced_thread *thread = standing(target, id, &status);

	TL_TRY(status);
	if (bank == TL_X86_BANK_EXTENDED)
		return fetch_extended(target, thread, file);
	if (bank != TL_BANK_GENERAL)
		return TL_ERROR_ARGUMENT;
	TL_TRY(tl_process_cpu_general(target, thread));
	tl_copy(file, &thread->general, sizeof(thread->general));
	return TL_OK;
}

enum tl_status tl_process_cpu_store(struct tl_target *base, struct tl_thread_id id, tl_u8 bank, const tl_u8 *file)
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

enum tl_status tl_process_cpu_fetch_program_counter(struct tl_target *base, struct tl_thread_id id, tl_u64 *value_ret)
{
	struct process_target *target = process_target(base);
	enum tl_status status;
	struct traced_thread *thread = standing(target, id, &status);

	TL_TRY(status);
	TL_TRY(tl_process_cpu_general(target, thread));
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
	if (thread->cpu.debug_control == control)
		return TL_OK;
	TL_TRY(write_debug(target, thread, 7, control));
	thread->cpu.debug_control = control;
	return TL_OK;
}

enum tl_status tl_process_cpu_program_debug(const struct process_target *target, struct traced_thread *thread)
{
	const struct tl_x86_debug_plan *plan = &thread->process->cpu.plan;
	enum tl_status status = TL_OK;
	bool move = false;

	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++)
		move |= enabled(plan->control, n) && thread->cpu.debug_address[n] != plan->address[n];
	/* An address must not move under an armed register: it may not fit its length. */
	if (move)
		status = write_control(target, thread, 0);
	for (unsigned n = 0; status == TL_OK && n < TL_X86_DEBUG_REGISTERS; n++) {
		if (!enabled(plan->control, n) || thread->cpu.debug_address[n] == plan->address[n])
			continue;
		status = write_debug(target, thread, n, plan->address[n]);
		if (status == TL_OK)
			thread->cpu.debug_address[n] = plan->address[n];
	}
	if (status == TL_OK)
		status = write_control(target, thread, plan->control);
	/* Trying again would not change the kernel's mind. */
	if (status != TL_ERROR_GONE)
		thread->debug_generation = thread->process->generation;
	return status;
}

enum tl_status tl_process_cpu_disarm(const struct process_target *target, struct traced_thread *thread)
{
	return write_control(target, thread, 0);
}

void tl_process_cpu_debug_cleared(struct traced_thread *thread)
{
	tl_fill(thread->cpu.debug_address, 0, sizeof(thread->cpu.debug_address));
	thread->cpu.debug_control = 0;
}

/* What the thread's own debug registers hold: its process's plan may have changed since. */
static void thread_plan(const struct traced_thread *thread, struct tl_x86_debug_plan *plan_ret)
{
	*plan_ret = (struct tl_x86_debug_plan){.control = thread->cpu.debug_control};
	tl_copy(plan_ret->address, thread->cpu.debug_address, sizeof(plan_ret->address));
	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++)
		plan_ret->users[n] = enabled(thread->cpu.debug_control, n);
}

/* DR6, which is cleared. */
static enum tl_status debug_status(const struct process_target *target, const struct traced_thread *thread,
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

/* Sets or clears RF, where a hardware breakpoint could make a difference of it. */
static enum tl_status set_resume_flag(const struct process_target *target, struct traced_thread *thread, bool over)
{
	tl_uintptr offset = offsetof(struct user_regs_struct, eflags);
	tl_u64 flags;

	if (!holds_execute(thread->process->cpu.plan.control))
		return TL_OK;
	TL_TRY(tl_process_cpu_general(target, thread));
	/* The kernel sets it itself after a hit: a thread that was moved onto another breakpoint would miss that. */
	flags = over ? thread->general.eflags | RESUME_FLAG : thread->general.eflags & ~RESUME_FLAG;
	if (flags == thread->general.eflags)
		return TL_OK;
	if (process_ptrace_patiently(target, PTRACE_POKEUSER, thread, offset, (tl_uintptr)flags) < 0)
		return tl_process_errno();
	thread->general.eflags = flags;
	return TL_OK;
}

enum tl_status tl_process_cpu_prepare(struct process_target *target, struct traced_thread *thread, enum tl_run run,
				      bool over)
{
	(void)run;
	return set_resume_flag(target, thread, over);
}

/* The kernel keeps the flags as they were. */
enum tl_status tl_process_cpu_prepare_again(struct process_target *target, struct traced_thread *thread)
{
	(void)target;
	(void)thread;
	return TL_OK;
}

long tl_process_cpu_request(const struct traced_thread *thread, long wanted)
{
	(void)thread;
	return wanted;
}

void tl_process_cpu_stopped(struct traced_thread *thread)
{
	(void)thread;
}

void tl_process_cpu_not_yet(struct traced_thread *thread)
{
	(void)thread;
}

bool tl_process_cpu_is_trap(const siginfo_t *info)
{
	return info->si_signo == SIGTRAP && info->si_code > 0;
}

/* ---- Traps ---- */

enum tl_status tl_process_cpu_classify(struct process_target *target, struct traced_thread *thread,
				       const siginfo_t *info, struct tl_event *event_ret)
{
	struct tl_x86_signal_facts facts = {
		.info = info, .program_counter = thread->general.rip, .stepping = thread->request.run == TL_RUN_STEP};
	struct tl_x86_debug_plan plan = {0};

	if (thread->cpu.debug_control != 0 && tl_x86_needs_debug_status(info)) {
		thread_plan(thread, &plan);
		facts.plan = &plan;
		TL_TRY(debug_status(target, thread, &facts.debug_status));
	}
	tl_x86_classify_signal(&facts, event_ret);
	return TL_OK;
}

/* ---- Hardware points ---- */

enum tl_status tl_process_cpu_insert_point(struct tl_target *base, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
					   tl_u64 size)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);
	struct tl_x86_debug_plan before;
	enum tl_status status = TL_OK;

	if (process == NULL)
		return TL_ERROR_GONE;
	before = process->cpu.plan;
	TL_TRY(tl_x86_points_add(&process->cpu.plan, kind, address, size, process->wide));
	process->generation++;
	/* One thread that stands tries it, so that the kernel's refusal is heard. */
	for (struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next)
		if (thread->state == TRACED_STOPPED) {
			status = tl_process_cpu_program_debug(target, thread);
			break;
		}
	if (status != TL_OK && status != TL_ERROR_GONE)
		process->cpu.plan = before;
	else
		status = TL_OK;
	tl_process_run_reprogram(target, process);
	return status;
}

enum tl_status tl_process_cpu_remove_point(struct tl_target *base, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
					   tl_u64 size)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);

	if (process == NULL)
		return TL_ERROR_GONE;
	TL_TRY(tl_x86_points_remove(&process->cpu.plan, kind, address, size, process->wide));
	tl_process_run_reprogram(target, process);
	return TL_OK;
}

tl_u32 tl_process_cpu_hardware_points(struct tl_target *base, tl_u64 id)
{
	(void)base;
	(void)id;
	return TL_X86_DEBUG_REGISTERS;
}

/* ---- System calls ---- */

#define EXIT_64 60
#define EXIT_32 1

/* From thread->general. */
static tl_u64 call_number(const struct traced_thread *thread)
{
	return thread->process->wide ? thread->general.orig_rax : (tl_u32)thread->general.orig_rax;
}

tl_u64 tl_process_cpu_call_number(const struct process_target *target, const struct traced_thread *thread)
{
	(void)target;
	return call_number(thread);
}

bool tl_process_cpu_ends_alone(const struct process_target *target, struct traced_thread *thread)
{
	return tl_process_cpu_general(target, thread) == TL_OK &&
	       call_number(thread) == (thread->process->wide ? EXIT_64 : EXIT_32);
}

const tl_u8 *tl_process_cpu_call_instruction(const struct traced_process *process, tl_size *size_ret)
{
	static const tl_u8 wide_call[] = {0x0f, 0x05}, narrow_call[] = {0xcd, 0x80};

	*size_ret = sizeof(wide_call);
	return process->wide ? wide_call : narrow_call;
}

static tl_u64 number_of(enum process_call call, bool wide)
{
	switch (call) {
	case PROCESS_CALL_MAP:
		return wide ? 9 : 192; /* mmap, mmap2 */
	case PROCESS_CALL_UNMAP:
		return wide ? 11 : 91;
	}
	return TL_U64_MAX;
}

void tl_process_cpu_set_call(struct traced_thread *thread, const struct process_call_frame *frame)
{
	struct user_regs_struct *general = &thread->general;
	const tl_u64 *arguments = frame->arguments;

	general->rip = frame->address;
	general->rax = number_of(frame->call, thread->process->wide);
	general->orig_rax = TL_U64_MAX;
	if (thread->process->wide) {
		general->rdi = arguments[0];
		general->rsi = arguments[1];
		general->rdx = arguments[2];
		general->r10 = arguments[3];
		general->r8 = arguments[4];
		general->r9 = arguments[5];
		return;
	}
	general->rbx = arguments[0];
	general->rcx = arguments[1];
	general->rdx = arguments[2];
	general->rsi = arguments[3];
	general->rdi = arguments[4];
	general->rbp = arguments[5];
}

tl_u64 tl_process_cpu_call_result(const struct traced_thread *thread)
{
	return thread->process->wide ? thread->general.rax : (tl_u64)(tl_i64)(tl_i32)thread->general.rax;
}
