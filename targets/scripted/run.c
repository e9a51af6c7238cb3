/*
 * The turns of the scripted target: instructions, signals, and a kernel of two dozen system calls with the numbers and
 * the meaning that Linux gives them on x86-64. System calls that it does not know return -ENOSYS.
 */
#include "targets/scripted/internal.h"

#define SIGNAL_BIT(signal) ((tl_u64)1 << ((signal)-1))

enum {
	SIGNAL_ILLEGAL = 4,
	SIGNAL_TRAP = 5,
	SIGNAL_KILL = 9,
	SIGNAL_SEGMENT = 11,
	SIGNAL_CHILD = 17,
	SIGNAL_CONTINUE = 18,
	SIGNAL_URGENT = 23,
	SIGNAL_WINDOW = 28
};

enum { ERROR_AGAIN = -11, ERROR_CALL = -38, ERROR_FAULT = -14, ERROR_INTERRUPTED = -4, ERROR_NO_PROCESS = -3 };

#define CLONE_THREAD 0x10000u

static tl_u64 get(const struct tl_scripted *scripted, const struct tl_scripted_thread_state *thread, tl_u16 index)
{
	return tl_cpu_get(scripted->options.cpu, thread->file, index);
}

static void set(const struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_u16 index, tl_u64 value)
{
	tl_cpu_set(scripted->options.cpu, thread->file, index, value);
}

static tl_u64 program_counter(const struct tl_scripted *scripted, const struct tl_scripted_thread_state *thread)
{
	return get(scripted, thread, scripted->options.cpu->program_counter);
}

void tl_scripted_tell(struct tl_scripted *scripted, const struct tl_event *event)
{
	struct tl_engine *engine = scripted->target.engine;

	/* Should the engine not take the child, it lets it go, or does not know it, when it hears of it. */
	if (event->kind == TL_EVENT_CLONE || ((event->kind == TL_EVENT_FORK || event->kind == TL_EVENT_VFORK) &&
					      tl_engine_add_process(engine, event->child.process) == TL_OK))
		(void)!tl_engine_add_thread(engine, event->child, false);
	tl_engine_post(engine, event);
}

static void send(struct tl_scripted *scripted, const struct tl_event *event, tl_u64 sequence)
{
	if (scripted->hooks != NULL)
		scripted->hooks->send(scripted->hooks_context, event, sequence);
	else
		tl_scripted_tell(scripted, event);
}

/* Posts an event with which the thread comes to stand still. Nothing of the thread may be used afterwards. */
static void post(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, struct tl_event event)
{
	event.thread = tl_scripted_id(thread);
	thread->running = false;
	thread->stop_asked = false;
	if (scripted->hooks != NULL)
		thread->untold = ++scripted->sent;
	thread->number_taken = event.kind == TL_EVENT_EXEC;
	send(scripted, &event, thread->untold);
}

/* ---- Ends ---- */

static void wake_vfork_parent(struct tl_scripted *scripted, struct tl_scripted_process_state *child)
{
	tl_u64 number = child->vfork_parent;
	struct tl_scripted_thread_state *parent;

	child->vfork_parent = 0;
	if (number == 0)
		return;
	parent = scripted->numbers[number - 1].thread;
	if (parent == NULL || !parent->awaits_vfork)
		return;
	parent->awaits_vfork = false;
	parent->blocked = false;
	parent->vfork_done = true;
	tl_scripted_stir(scripted, number);
}

static void end_thread(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_i32 code,
		       tl_i32 signal)
{
	struct tl_event event = {
		.kind = TL_EVENT_THREAD_EXITED, .thread = tl_scripted_id(thread), .code = code, .signal = signal};
	bool traced = thread->process->traced;

	tl_scripted_drop_thread(scripted, thread);
	if (traced)
		send(scripted, &event, 0);
}

/* Ends the process, other threads before `last`; `quiet`: their exits make no events. */
static void end_process(struct tl_scripted *scripted, struct tl_thread_id last, tl_i32 code, tl_i32 signal, bool quiet)
{
	struct tl_scripted_process_state *process = tl_scripted_find_process(scripted, last.process);
	struct tl_event event = {.kind = signal != 0 ? TL_EVENT_PROCESS_KILLED : TL_EVENT_PROCESS_EXITED,
				 .thread = last,
				 .code = code,
				 .signal = signal};

	for (tl_size i = 0; i < scripted->number_count && !quiet; i++) {
		struct tl_scripted_thread_state *thread = scripted->numbers[i].thread;

		if (thread != NULL && thread->process == process && thread->id != last.thread)
			end_thread(scripted, thread, code, signal);
	}
	if (!process->alive) /* the engine killed it meanwhile */
		return;
	wake_vfork_parent(scripted, process);
	tl_scripted_end_process(scripted, process, code, signal);
	if (process->traced)
		send(scripted, &event, 0);
}

static void exit_thread(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_i32 code)
{
	if (thread->process->threads == 1)
		end_process(scripted, tl_scripted_id(thread), code, 0, false);
	else
		end_thread(scripted, thread, code, 0);
}

/* ---- Beginnings ---- */

/*
 * `start` 0: where the parent stands; `stack` 0: the parent's own. The parent runs on, unless it is to tell of the
 * thread; then nothing of it may be used afterwards.
 */
static tl_u64 clone_thread(struct tl_scripted *scripted, struct tl_scripted_thread_state *parent, tl_u64 start,
			   tl_u64 stack, bool by_call)
{
	const struct tl_cpu *cpu = scripted->options.cpu;
	struct tl_scripted_thread_state *child = tl_scripted_new_thread(scripted, parent->process);
	struct tl_event event = {.kind = TL_EVENT_THREAD_CREATED};
	tl_u64 number;

	if (child == NULL)
		return (tl_u64)ERROR_AGAIN;
	number = child->id;
	tl_copy(child->file, parent->file, cpu->file_size);
	set(scripted, child, scripted->rax, 0);
	if (start != 0)
		set(scripted, child, cpu->program_counter, start);
	if (stack != 0)
		set(scripted, child, cpu->stack_pointer, stack);
	if (!child->process->traced) {
		child->running = true;
		tl_scripted_stir(scripted, number);
	} else if (parent->request.clones) {
		if (by_call)
			set(scripted, parent, scripted->rax, number);
		parent->return_due = by_call;
		event = (struct tl_event){.kind = TL_EVENT_CLONE, .child = tl_scripted_id(child)};
		post(scripted, parent, event);
	} else {
		post(scripted, child, event);
	}
	return number;
}

/* As a fork does it, up to the event; NULL when there is no memory. */
static struct tl_scripted_thread_state *make_child(struct tl_scripted *scripted,
						   struct tl_scripted_thread_state *parent, bool share)
{
	struct tl_scripted_space *space =
		share ? parent->process->space : tl_scripted_copy_space(scripted, parent->process->space);
	struct tl_scripted_thread_state *child;

	if (space == NULL)
		return NULL;
	child = tl_scripted_new_process(scripted, space);
	if (child == NULL) {
		if (!share)
			tl_scripted_drop_space(scripted, space);
		return NULL;
	}
	tl_copy(child->file, parent->file, scripted->options.cpu->file_size);
	set(scripted, child, scripted->rax, 0);
	tl_copy(child->process->handler, parent->process->handler, sizeof(child->process->handler));
	tl_copy(child->process->restorer, parent->process->restorer, sizeof(child->process->restorer));
	child->process->next_stack = parent->process->next_stack;
	child->process->traced = parent->process->traced;
	return child;
}

static void fork_process(struct tl_scripted *scripted, struct tl_scripted_thread_state *parent, tl_u64 start,
			 bool share, bool by_call)
{
	struct tl_scripted_thread_state *child = make_child(scripted, parent, share);
	struct tl_event event = {.kind = share ? TL_EVENT_VFORK : TL_EVENT_FORK};

	if (child == NULL) {
		if (by_call)
			set(scripted, parent, scripted->rax, (tl_u64)ERROR_AGAIN);
		return;
	}
	if (start != 0)
		set(scripted, child, scripted->options.cpu->program_counter, start);
	if (by_call)
		set(scripted, parent, scripted->rax, child->id);
	if (share) {
		child->process->vfork_parent = parent->id;
		parent->awaits_vfork = true;
		parent->blocked = true;
	}
	parent->return_due = by_call;
	if (!parent->process->traced) {
		child->running = true;
		tl_scripted_stir(scripted, child->id);
		return;
	}
	event.child = tl_scripted_id(child);
	post(scripted, parent, event);
}

static void exec_process(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	struct tl_scripted_process_state *process = thread->process;
	struct tl_scripted_space *space = tl_scripted_load(scripted);
	const struct tl_scripted_image *image = scripted->options.image;

	if (space == NULL) {
		set(scripted, thread, scripted->rax, (tl_u64)ERROR_AGAIN);
		return;
	}
	for (tl_size i = 0; i < scripted->number_count; i++) {
		struct tl_scripted_thread_state *other = scripted->numbers[i].thread;

		if (other != NULL && other->process == process && other != thread)
			tl_scripted_drop_thread(scripted, other);
	}
	/* The thread that calls execve takes the number of the process. */
	scripted->numbers[thread->id - 1].thread = NULL;
	tl_scripted_stir(scripted, thread->id);
	thread->id = process->id;
	scripted->numbers[thread->id - 1].thread = thread;
	tl_scripted_stir(scripted, thread->id);
	wake_vfork_parent(scripted, process);
	tl_scripted_drop_space(scripted, process->space);
	process->space = space;
	space->users++;
	tl_fill(process->handler, 0, sizeof(process->handler));
	tl_scripted_start_registers(scripted, thread, image->exec_entry != 0 ? image->exec_entry : image->entry);
	thread->frame_count = 0;
	thread->return_due = true;
	if (process->traced)
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_EXEC});
}

/* ---- Signals ---- */

static bool ignored_by_default(tl_i32 signal)
{
	return signal == SIGNAL_CHILD || signal == SIGNAL_CONTINUE || signal == SIGNAL_URGENT ||
	       signal == SIGNAL_WINDOW;
}

/* Enters the handler: the interrupted registers are kept aside, and the restorer's address is pushed. */
static bool enter_handler(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_i32 signal)
{
	const struct tl_cpu *cpu = scripted->options.cpu;
	tl_u64 stack = ((get(scripted, thread, cpu->stack_pointer) - 128) & ~(tl_u64)15) - 8;
	tl_u8 restorer[8];

	tl_store_little(restorer, thread->process->restorer[signal], sizeof(restorer));
	if (thread->frame_count == TL_SCRIPTED_FRAMES_MAX ||
	    tl_scripted_move_memory(thread->process->space, stack, NULL, restorer, sizeof(restorer),
				    TL_PERMISSION_WRITE) != TL_OK)
		return false;
	if (thread->blocked && !thread->awaits_vfork) {
		thread->blocked = false;
		set(scripted, thread, scripted->rax, (tl_u64)ERROR_INTERRUPTED);
	}
	tl_copy(thread->frames + thread->frame_count++ * cpu->file_size, thread->file, cpu->file_size);
	set(scripted, thread, scripted->rdi, (tl_u64)signal);
	set(scripted, thread, cpu->stack_pointer, stack);
	set(scripted, thread, cpu->program_counter, thread->process->handler[signal]);
	return true;
}

/* The signal takes effect. */
static void deliver(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_i32 signal)
{
	tl_u64 handler = thread->process->handler[signal];

	if (signal != SIGNAL_KILL && handler == 1)
		return;
	if (signal != SIGNAL_KILL && handler == 0 && ignored_by_default(signal))
		return;
	if (signal == SIGNAL_KILL || handler == 0 || !enter_handler(scripted, thread, signal)) {
		end_process(scripted, tl_scripted_id(thread), 0, signal, false);
		return;
	}
	if (thread->request.run == TL_RUN_STEP)
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_STEPPED});
}

static tl_i32 lowest(tl_u64 signals)
{
	return __builtin_ctzll(signals) + 1;
}

/* A pending signal: shown to the tracer first, if there is one. */
static void take_signal(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_i32 signal)
{
	struct tl_event event = {.kind = TL_EVENT_SIGNAL, .signal = signal, .fault = thread->fault_pending};

	thread->pending &= ~SIGNAL_BIT(signal);
	thread->fault_pending = false;
	if (!thread->process->traced || signal == SIGNAL_KILL) {
		deliver(scripted, thread, signal);
		return;
	}
	tl_fill(thread->siginfo, 0, sizeof(thread->siginfo));
	tl_store_little(thread->siginfo, (tl_u64)signal, 4);
	tl_store_little(thread->siginfo + 8, event.fault ? 1 : (tl_u64)-6, 4); /* SEGV_MAPERR and its like; SI_TKILL */
	tl_store_little(thread->siginfo + 16, event.fault ? program_counter(scripted, thread) : thread->process->id, 8);
	post(scripted, thread, event);
}

static void fault(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_i32 signal)
{
	thread->fault_pending = true;
	take_signal(scripted, thread, signal);
}

/* ---- System calls ---- */

static tl_u64 call_write(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_u64 descriptor,
			 tl_u64 address, tl_u64 size)
{
	tl_u8 buffer[256];
	tl_u64 done = 0;

	if (descriptor != 1 && descriptor != 2)
		return (tl_u64)-9; /* EBADF */
	while (done < size) {
		tl_size part = size - done < sizeof(buffer) ? (tl_size)(size - done) : sizeof(buffer);

		if (tl_scripted_move_memory(thread->process->space, address + done, buffer, NULL, part,
					    TL_PERMISSION_READ) != TL_OK)
			return done != 0 ? done : (tl_u64)ERROR_FAULT;
		if (scripted->options.written != NULL)
			scripted->options.written(scripted->options.context, buffer, part);
		done += part;
	}
	return done;
}

/* struct kernel_sigaction: handler, flags, restorer, mask; the mask is not obeyed. */
static tl_u64 call_sigaction(struct tl_scripted_thread_state *thread, tl_u64 signal, tl_u64 address)
{
	tl_u8 action[24];

	if (signal == 0 || signal > TL_SCRIPTED_SIGNALS_MAX || signal == SIGNAL_KILL)
		return (tl_u64)-22; /* EINVAL */
	if (tl_scripted_move_memory(thread->process->space, address, action, NULL, sizeof(action),
				    TL_PERMISSION_READ) != TL_OK)
		return (tl_u64)ERROR_FAULT;
	thread->process->handler[signal] = tl_load_little(action, 8);
	thread->process->restorer[signal] = tl_load_little(action + 16, 8);
	return 0;
}

static void call_sigreturn(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	tl_size size = scripted->options.cpu->file_size;

	if (thread->frame_count == 0)
		fault(scripted, thread, SIGNAL_SEGMENT);
	else
		tl_copy(thread->file, thread->frames + --thread->frame_count * size, size);
}

static tl_u64 call_kill(struct tl_scripted *scripted, tl_u64 number, tl_u64 signal)
{
	struct tl_scripted_thread_state *thread;

	if (number == 0 || number > scripted->number_count || signal > TL_SCRIPTED_SIGNALS_MAX)
		return (tl_u64)ERROR_NO_PROCESS;
	thread = scripted->numbers[number - 1].thread;
	if (thread == NULL)
		return (tl_u64)ERROR_NO_PROCESS;
	if (signal != 0)
		thread->pending |= SIGNAL_BIT(signal);
	tl_scripted_stir(scripted, number);
	return 0;
}

/* Whether the thread of that id is there still, and runs: whoever heard of it may have ended or stopped it. */
static bool still_runs(struct tl_scripted *scripted, struct tl_thread_id id)
{
	const struct tl_scripted_thread_state *thread = tl_scripted_find_thread(scripted, id);

	return thread != NULL && thread->running;
}

/* clone, which makes a thread or, without CLONE_THREAD, a process. As make_call. */
static bool call_clone(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_u64 flags,
		       tl_u64 stack)
{
	struct tl_thread_id id = tl_scripted_id(thread);
	tl_u64 child;

	if ((flags & CLONE_THREAD) == 0) {
		fork_process(scripted, thread, 0, false, true);
		return still_runs(scripted, id);
	}
	child = clone_thread(scripted, thread, 0, stack, true);
	if (!still_runs(scripted, id))
		return false;
	set(scripted, tl_scripted_find_thread(scripted, id), scripted->rax, child);
	return true;
}

/* Calls that do no more than their result says. */
static tl_u64 plain_call(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_u64 number)
{
	tl_u64 a = get(scripted, thread, scripted->rdi), b = get(scripted, thread, scripted->rsi);
	tl_u64 c = get(scripted, thread, scripted->rdx);

	switch (number) {
	case 1: /* write */
		return call_write(scripted, thread, a, b, c);
	case 13: /* rt_sigaction */
		return call_sigaction(thread, a, b);
	case 24: /* sched_yield */
	case 35: /* nanosleep */
		return 0;
	case 39: /* getpid */
		return thread->process->id;
	case 186: /* gettid */
		return thread->id;
	case 62:  /* kill */
	case 200: /* tkill */
		return call_kill(scripted, a, b);
	case 234: /* tgkill */
		return call_kill(scripted, b, c);
	default:
		return (tl_u64)ERROR_CALL;
	}
}

/*
 * Makes system call `number`. False when the thread may not be used any more: it is gone, or an event of it was posted.
 */
static bool make_call(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_u64 number)
{
	tl_u64 a = get(scripted, thread, scripted->rdi);
	struct tl_thread_id id = tl_scripted_id(thread);

	switch (number) {
	case 15: /* rt_sigreturn */
		call_sigreturn(scripted, thread);
		return tl_scripted_find_thread(scripted, id) == thread && thread->running;
	case 34: /* pause */
		thread->blocked = true;
		return true;
	case 56: /* clone */
		return call_clone(scripted, thread, a, get(scripted, thread, scripted->rsi));
	case 57: /* fork */
	case 58: /* vfork */
		fork_process(scripted, thread, 0, number == 58, true);
		return still_runs(scripted, id);
	case 59: /* execve */
		exec_process(scripted, thread);
		return false;
	case 60: /* exit */
		exit_thread(scripted, thread, (tl_i32)(a & 0xff));
		return false;
	case 231: /* exit_group */
		end_process(scripted, id, (tl_i32)(a & 0xff), 0, false);
		return false;
	default:
		set(scripted, thread, scripted->rax, plain_call(scripted, thread, number));
		return true;
	}
}

/* What follows a call that was made: a return to report, or the end of a step. */
static void after_call(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	thread->return_due = false;
	if (!thread->process->traced)
		return;
	if (thread->request.run == TL_RUN_STEP)
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_STEPPED});
	else if (thread->request.syscalls)
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_SYSCALL_RETURN, .number = thread->call});
}

static void run_call(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	thread->in_call = false;
	thread->executed++;
	if (make_call(scripted, thread, thread->call) && !thread->blocked)
		after_call(scripted, thread);
}

/* ---- Instructions ---- */

static enum tl_status note_access(struct tl_scripted *scripted, tl_u64 address, tl_size size, enum tl_access access)
{
	if (scripted->access_count < TL_SCRIPTED_ACCESSES_MAX)
		scripted->accesses[scripted->access_count++] = (struct tl_scripted_access){address, size, access};
	return TL_OK;
}

static enum tl_status load(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct tl_scripted *scripted = context;

	TL_TRY(tl_scripted_move_memory(scripted->executing, address, buffer, NULL, size, TL_PERMISSION_READ));
	return note_access(scripted, address, size, TL_ACCESS_READ);
}

static enum tl_status store(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	struct tl_scripted *scripted = context;

	TL_TRY(tl_scripted_move_memory(scripted->executing, address, NULL, buffer, size, TL_PERMISSION_WRITE));
	return note_access(scripted, address, size, TL_ACCESS_WRITE);
}

/* What a watchpoint of that kind notices; an x86-like machine has none for reads alone. */
static tl_u32 noticed(const struct tl_scripted *scripted, enum tl_point_kind kind)
{
	if (kind == TL_POINT_WRITE)
		return TL_ACCESS_WRITE;
	return kind == TL_POINT_READ && scripted->options.exact_hits ? TL_ACCESS_READ : TL_ACCESS_BOTH;
}

/* What the accesses of the last instruction did to a watched range. */
static tl_u32 done_to(const struct tl_scripted *scripted, tl_u64 address, tl_u64 size)
{
	tl_u32 done = TL_ACCESS_NONE;

	for (tl_size i = 0; i < scripted->access_count; i++)
		if (tl_overlap(scripted->accesses[i].address, scripted->accesses[i].size, address, size))
			done |= scripted->accesses[i].access;
	return done;
}

static bool watch_hits(const struct tl_scripted *scripted, const struct tl_scripted_process_state *process,
		       struct tl_event *event)
{
	for (tl_size i = 0; i < process->point_count && event->hit_count < TL_HITS_MAX; i++) {
		const struct tl_scripted_point *point = &process->points[i];
		tl_u32 done;

		if (point->kind <= TL_POINT_HARDWARE)
			continue;
		done = done_to(scripted, point->address, point->size);
		if ((done & noticed(scripted, point->kind)) == 0)
			continue;
		event->hits[event->hit_count++] = (struct tl_hit){
			.address = point->address,
			.size = point->size,
			.access = (tl_u8)(scripted->options.exact_hits ? done : noticed(scripted, point->kind)),
		};
	}
	event->exact = scripted->options.exact_hits;
	return event->hit_count != 0;
}

static bool point_at(const struct tl_scripted_process_state *process, enum tl_point_kind kind, tl_u64 address)
{
	for (tl_size i = 0; i < process->point_count; i++)
		if (process->points[i].kind == kind && process->points[i].address == address)
			return true;
	return false;
}

/* The stops that come before the instruction at `address` is looked at; true when there was one. */
static bool stops_before(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_u64 address)
{
	const struct tl_scripted_process_state *process = thread->process;
	bool fresh = thread->fresh;

	if (point_at(process, TL_POINT_SOFTWARE, address) && !(fresh && scripted->options.passes_points)) {
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_TRAP, .address = address});
		return true;
	}
	if (point_at(process, TL_POINT_HARDWARE, address) && !(fresh && thread->request.over_hardware)) {
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_HARDWARE_BREAKPOINT, .address = address});
		return true;
	}
	return false;
}

static void finish(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	struct tl_event event = {.kind = TL_EVENT_WATCHPOINT};

	thread->executed++;
	if (!thread->process->traced)
		return;
	event.stepped = thread->request.run == TL_RUN_STEP;
	if (watch_hits(scripted, thread->process, &event))
		post(scripted, thread, event);
	else if (event.stepped)
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_STEPPED});
}

static void trap(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_u64 address)
{
	const struct tl_cpu *cpu = scripted->options.cpu;

	set(scripted, thread, cpu->program_counter, address + cpu->trap_advance);
	if (thread->process->traced)
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_TRAP, .address = address});
	else
		deliver(scripted, thread, SIGNAL_TRAP);
}

static void enter_call(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_u64 behind)
{
	tl_u16 original;

	thread->call = get(scripted, thread, scripted->rax);
	set(scripted, thread, scripted->options.cpu->program_counter, behind);
	if (tl_cpu_find(scripted->options.cpu, "orig_rax", &original) == TL_OK)
		set(scripted, thread, original, thread->call);
	if (thread->process->traced && thread->request.syscalls && thread->request.run == TL_RUN_CONTINUE) {
		thread->in_call = true;
		set(scripted, thread, scripted->rax, (tl_u64)ERROR_CALL);
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_SYSCALL_ENTRY, .number = thread->call});
		return;
	}
	run_call(scripted, thread);
}

static void execute(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	const struct tl_cpu *cpu = scripted->options.cpu;
	struct tl_memory_access memory = {load, store, scripted};
	tl_u64 address = program_counter(scripted, thread);
	tl_u8 bytes[TL_INSTRUCTION_MAX];
	tl_size size = 0;
	enum tl_status status;

	if (thread->process->traced && stops_before(scripted, thread, address))
		return;
	thread->fresh = false;
	while (size < sizeof(bytes) && tl_scripted_move_memory(thread->process->space, address + size, bytes + size,
							       NULL, 1, TL_PERMISSION_EXECUTE) == TL_OK)
		size++;
	if (size == 0) {
		fault(scripted, thread, SIGNAL_SEGMENT);
		return;
	}
	if (size >= cpu->trap_size && tl_same(bytes, cpu->trap, cpu->trap_size)) {
		trap(scripted, thread, address);
		return;
	}
	if (size >= 2 && bytes[0] == 0x0f && bytes[1] == 0x05) { /* syscall */
		enter_call(scripted, thread, address + 2);
		return;
	}
	scripted->access_count = 0;
	scripted->executing = thread->process->space;
	status = tl_scripted_execute(scripted, thread, bytes, size, &memory);
	if (status == TL_OK)
		finish(scripted, thread);
	else
		fault(scripted, thread, status == TL_ERROR_MEMORY ? SIGNAL_SEGMENT : SIGNAL_ILLEGAL);
}

/* ---- Turns ---- */

static bool can_act(const struct tl_scripted_thread_state *thread)
{
	return thread->running &&
	       (!thread->blocked || thread->stop_asked || thread->pending != 0 || thread->deliver_without_stop != 0);
}

static void act(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	tl_i32 signal;

	if (thread->deliver_without_stop != 0) {
		signal = lowest(thread->deliver_without_stop);
		thread->deliver_without_stop &= ~SIGNAL_BIT(signal);
		deliver(scripted, thread, signal);
	} else if (thread->stop_asked && scripted->turns >= thread->stop_due) {
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_PAUSED});
	} else if (thread->vfork_done) {
		thread->vfork_done = false;
		if (thread->process->traced)
			post(scripted, thread, (struct tl_event){.kind = TL_EVENT_VFORK_DONE});
	} else if (thread->in_call) {
		run_call(scripted, thread);
	} else if (thread->return_due && !thread->blocked) {
		after_call(scripted, thread);
	} else if (thread->pending != 0) {
		take_signal(scripted, thread, lowest(thread->pending));
	} else if (!thread->blocked) {
		execute(scripted, thread);
	}
}

/* Carries out the script's lines that are due; true when one of them concerned `thread`, which may be gone now. */
static bool run_script(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	struct tl_thread_id id = tl_scripted_id(thread);
	tl_u64 address = program_counter(scripted, thread);
	bool touched = false;

	for (tl_size i = 0; i < scripted->options.script_count; i++) {
		const struct tl_scripted_entry *entry = &scripted->options.script[i];
		bool mine = (entry->thread.process == TL_ANY || entry->thread.process == id.process) &&
			    (entry->thread.thread == TL_ANY || entry->thread.thread == id.thread);

		if (scripted->script_done[i])
			continue;
		if (entry->when == TL_SCRIPTED_AFTER_TURNS ? scripted->turns < entry->value
							   : !mine || touched || address != entry->value)
			continue;
		scripted->script_done[i] = true;
		/* A thread that is gone, or stands still, by then has nothing happen to it. */
		if (tl_scripted_do(scripted, mine ? id : entry->thread, entry->what, entry->a, entry->b) == TL_OK)
			touched = true;
	}
	return touched;
}

static bool take_turn(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread)
{
	scripted->turns++;
	if (scripted->options.script_count == 0 || !run_script(scripted, thread))
		act(scripted, thread);
	return true;
}

static tl_u64 random_number(struct tl_scripted *scripted)
{
	scripted->random ^= scripted->random << 13;
	scripted->random ^= scripted->random >> 7;
	scripted->random ^= scripted->random << 17;
	return scripted->random;
}

bool tl_scripted_turn(struct tl_scripted *scripted)
{
	tl_size count = scripted->number_count;

	if (count != 0 && scripted->options.seed != 0)
		scripted->next = (tl_size)(random_number(scripted) % count);
	for (tl_size i = 0; i < count; i++) {
		tl_size index = (scripted->next + i) % count;
		struct tl_scripted_thread_state *thread = scripted->numbers[index].thread;

		if (thread == NULL || !can_act(thread))
			continue;
		scripted->next = index + 1;
		return take_turn(scripted, thread);
	}
	return false;
}

bool tl_scripted_turn_of(struct tl_scripted *scripted, struct tl_thread_id id)
{
	struct tl_scripted_thread_state *thread = tl_scripted_find_thread(scripted, id);

	return thread != NULL && can_act(thread) && take_turn(scripted, thread);
}

enum tl_status tl_scripted_do(struct tl_scripted *scripted, struct tl_thread_id id, enum tl_scripted_what what,
			      tl_u64 a, tl_u64 b)
{
	struct tl_scripted_thread_state *thread = tl_scripted_find_thread(scripted, id);
	bool standing = what == TL_SCRIPTED_SIGNAL || what == TL_SCRIPTED_KILL_PROCESS ||
			what == TL_SCRIPTED_DELAY_STOPS || what == TL_SCRIPTED_EXIT_PROCESS;

	if (thread == NULL)
		return TL_ERROR_NO_THREAD;
	if (!thread->running && !standing)
		return TL_ERROR_STATE;
	switch (what) {
	case TL_SCRIPTED_SIGNAL:
		if (a == 0 || a > TL_SCRIPTED_SIGNALS_MAX)
			return TL_ERROR_ARGUMENT;
		thread->pending |= SIGNAL_BIT(a);
		thread->fault_pending |= b != 0;
		tl_scripted_stir(scripted, id.thread);
		return TL_OK;
	case TL_SCRIPTED_CLONE:
		(void)clone_thread(scripted, thread, a, b, false);
		return TL_OK;
	case TL_SCRIPTED_FORK:
	case TL_SCRIPTED_VFORK:
		fork_process(scripted, thread, a, what == TL_SCRIPTED_VFORK, false);
		return TL_OK;
	case TL_SCRIPTED_EXEC:
		exec_process(scripted, thread);
		return TL_OK;
	case TL_SCRIPTED_EXIT_THREAD:
		exit_thread(scripted, thread, (tl_i32)a);
		return TL_OK;
	case TL_SCRIPTED_EXIT_PROCESS:
	case TL_SCRIPTED_KILL_PROCESS:
		end_process(scripted, id, what == TL_SCRIPTED_EXIT_PROCESS ? (tl_i32)a : 0,
			    what == TL_SCRIPTED_KILL_PROCESS ? (tl_i32)a : 0, b != 0);
		return TL_OK;
	case TL_SCRIPTED_PAUSE:
		post(scripted, thread, (struct tl_event){.kind = TL_EVENT_PAUSED});
		return TL_OK;
	case TL_SCRIPTED_DELAY_STOPS:
		thread->stop_delay = a;
		return TL_OK;
	case TL_SCRIPTED_WHAT_MAX:
		break;
	}
	return TL_ERROR_ARGUMENT;
}
