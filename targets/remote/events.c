/*
 * What a stop of the stub means: one event of the engine's, from what the stub said, what is known of points, and,
 * where the stub said little, from where the thread stands.
 */
#include "targets/remote/state.h"

#include <stdlib.h>
#include <string.h>

static bool trap_stands(struct remote_target *target, const struct remote_thread *thread, tl_u64 address)
{
	const struct tl_cpu *cpu = thread->process->layout.cpu;
	tl_u8 bytes[sizeof(cpu->trap)];
	tl_size done = 0;

	return tl_remote_read_memory(&target->target, thread->process->id, address, bytes, cpu->trap_size, &done) ==
		       TL_OK &&
	       done == cpu->trap_size && memcmp(bytes, cpu->trap, done) == 0;
}

static bool set_program_counter(struct remote_target *target, struct remote_thread *thread, tl_u64 value)
{
	const struct tl_cpu *cpu = thread->process->layout.cpu;
	tl_u8 bank = cpu->registers[cpu->program_counter].bank;
	tl_u8 *file = calloc(1, cpu->file_size);
	enum tl_status status = TL_ERROR_NO_MEMORY;

	if (file != NULL)
		status = tl_remote_fetch_registers(&target->target, tl_remote_id(thread), bank, file);
	if (status == TL_OK) {
		tl_cpu_set(cpu, file, cpu->program_counter, value);
		status = tl_remote_store_registers(&target->target, tl_remote_id(thread), bank, file);
	}
	free(file);
	return status == TL_OK;
}

/* A trap ran, the stub says: one of ours, one that is gone since, or the program's own. */
static void as_software(struct remote_target *target, struct remote_thread *thread, tl_u64 at, struct tl_event *event)
{
	const struct tl_cpu *cpu = thread->process->layout.cpu;

	event->kind = TL_EVENT_TRAP;
	event->address = at;
	if (tl_remote_has_point(thread, TL_POINT_SOFTWARE, at) || !trap_stands(target, thread, at))
		return;
	/* As the machine leaves it: behind the trap, from where the program goes on. */
	if ((target->ops.capabilities & TL_CAN_PLANT) == 0 &&
	    set_program_counter(target, thread, at + cpu->trap_advance)) {
		event->kind = TL_EVENT_SIGNAL;
		event->signal = REMOTE_SIGNAL_TRAP;
		event->fault = true;
	}
}

/* Traps that the engine planted: the stub leaves the program counter behind one, or puts it back. */
static bool ran_trap(struct remote_target *target, const struct remote_thread *thread, tl_u64 at, tl_u64 *address_ret)
{
	tl_u64 before = at - thread->process->layout.cpu->trap_advance;
	bool behind = trap_stands(target, thread, before);

	*address_ret = behind ? before : at;
	return behind || trap_stands(target, thread, at);
}

/* SIGTRAP without a word of why. */
static void guess(struct remote_target *target, struct remote_thread *thread, struct tl_event *event)
{
	const struct tl_cpu *cpu = thread->process->layout.cpu;
	bool stepped = tl_remote_is_step(thread) || thread->passing,
	     plants = (target->ops.capabilities & TL_CAN_PLANT) != 0;
	tl_u64 at = 0, address = 0;

	event->kind = stepped ? TL_EVENT_STEPPED : TL_EVENT_SIGNAL;
	event->signal = stepped ? 0 : REMOTE_SIGNAL_TRAP;
	if ((target->software_reason && !plants) ||
	    tl_remote_fetch_program_counter(&target->target, event->thread, &at) != TL_OK)
		return;
	/* A step that got anywhere is one: what it met there has not happened yet. */
	if (stepped &&
	    !(thread->step_known && at == (plants ? thread->step_from + cpu->trap_advance : thread->step_from)))
		return;
	if (plants ? ran_trap(target, thread, at, &address) : tl_remote_has_point(thread, TL_POINT_SOFTWARE, at)) {
		event->kind = TL_EVENT_TRAP;
		event->address = plants ? address : at;
	} else if (tl_remote_has_point(thread, TL_POINT_HARDWARE, at)) {
		event->kind = TL_EVENT_HARDWARE_BREAKPOINT;
		event->address = at;
	} else if (thread->after_interrupt && !stepped) {
		/* Some stubs say of a ^C no more than that they stopped. */
		event->kind = TL_EVENT_PAUSED;
		event->signal = 0;
	}
}

static bool has_data_point(const struct remote_thread *thread)
{
	for (tl_size i = 0; i < thread->process->point_count; i++)
		if (thread->process->points[i].wanted >= TL_POINT_WRITE)
			return true;
	return false;
}

/*
 * Backwards, with no word of why, and nothing there: the beginning, as QEMU tells of it. A watchpoint would be a reason
 * that it does not tell either.
 */
static void guess_beginning(const struct remote_thread *thread, struct tl_event *event)
{
	if (thread->request.run != TL_RUN_CONTINUE_BACK || event->kind != TL_EVENT_SIGNAL || has_data_point(thread))
		return;
	event->kind = TL_EVENT_HISTORY_END;
	event->signal = 0;
	event->code = 1;
}

static void as_signal(struct remote_target *target, struct remote_thread *thread, struct tl_event *event)
{
	tl_i32 signal = thread->stop.signal;

	if (signal == REMOTE_SIGNAL_TRAP) {
		guess(target, thread, event);
		guess_beginning(thread, event);
		return;
	}
	event->kind = TL_EVENT_SIGNAL;
	event->signal = signal;
	event->fault = signal == 4 || signal == 7 || signal == 8 || signal == 11;
}

/* A new process that stands behind a fork: the engine is to know it before it hears of the fork. */
static void as_birth(struct remote_target *target, struct remote_thread *thread, struct tl_event *event)
{
	bool vfork = thread->stop.reason == REASON_VFORK;
	struct tl_thread_id id = thread->stop.child;
	struct remote_thread *child;

	if (id.process == 0)
		id.process = id.thread;
	if (id.thread == TL_ANY)
		id.thread = id.process;
	event->kind = vfork ? TL_EVENT_VFORK : TL_EVENT_FORK;
	event->child = id;
	child = tl_remote_add_thread(target, id);
	if (child == NULL)
		return;
	child->process->vfork_parent = vfork ? thread->process : NULL;
	(void)tl_remote_tell(target, child->process, false);
}

/* The process runs another program: of what was known of it nothing holds. */
static void as_exec(struct remote_target *target, struct remote_thread *thread, struct tl_event *event)
{
	struct remote_process *process = thread->process;

	event->kind = TL_EVENT_EXEC;
	for (tl_size i = target->thread_count; i-- > 0;)
		if (target->threads[i]->process == process && target->threads[i] != thread)
			tl_remote_remove_thread(target, target->threads[i]);
	thread->told = true;
	tl_remote_forget_points(process);
	process->lifted = false;
	process->vfork_parent = NULL;
	tl_remote_forget_layout(target, process);
	target->listed = false;
}

struct tl_event tl_remote_interpret(struct remote_target *target, struct remote_thread *thread)
{
	const struct stop_reply *stop = &thread->stop;
	struct tl_event event = {.kind = TL_EVENT_PAUSED, .thread = tl_remote_id(thread)};
	tl_u64 at = 0;

	if (stop->kind == STOP_NOT) {
		event.code = stop->code;
		/* An error in answer to bs or bc: it could go back, and cannot any more. */
		if (stop->code == TL_ERROR_STATE && tl_remote_is_backward(thread)) {
			event.kind = TL_EVENT_HISTORY_END;
			event.code = 1;
		}
		return event;
	}
	switch (stop->reason) {
	case REASON_NONE:
	case REASON_CREATE:
		as_signal(target, thread, &event);
		break;
	case REASON_SOFTWARE:
	case REASON_HARDWARE:
		if (tl_remote_fetch_program_counter(&target->target, event.thread, &at) != TL_OK)
			break;
		if (stop->reason == REASON_SOFTWARE) {
			as_software(target, thread, at, &event);
		} else {
			event.kind = TL_EVENT_HARDWARE_BREAKPOINT;
			event.address = at;
		}
		break;
	case REASON_WATCH:
		event.kind = TL_EVENT_WATCHPOINT;
		event.stepped = tl_remote_is_step(thread);
		tl_remote_hits(thread->process, stop, &event);
		break;
	case REASON_LIBRARY:
	case REASON_CLONE:
		break;
	case REASON_FORK:
	case REASON_VFORK:
		as_birth(target, thread, &event);
		break;
	case REASON_VFORK_DONE:
		tl_remote_lift(target, thread->process, false);
		event.kind = TL_EVENT_VFORK_DONE;
		break;
	case REASON_EXEC:
		as_exec(target, thread, &event);
		break;
	case REASON_SYSCALL_ENTRY:
	case REASON_SYSCALL_RETURN:
		event.kind = stop->reason == REASON_SYSCALL_ENTRY ? TL_EVENT_SYSCALL_ENTRY : TL_EVENT_SYSCALL_RETURN;
		event.number = stop->number;
		break;
	case REASON_HISTORY_BEGIN:
	case REASON_HISTORY_END:
		event.kind = TL_EVENT_HISTORY_END;
		event.code = stop->reason == REASON_HISTORY_BEGIN;
		break;
	}
	return event;
}
