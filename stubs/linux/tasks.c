/*
 * Tasks that are on no processor, as the debugger is shown them beside the processors. The kernel's own lists are
 * walked while everything stands, and no lock of theirs can be taken: whoever holds it stands too. Each pointer is read
 * by the routine that survives faults, and no walk is longer than so many tasks: a list in the middle of a change, or
 * overwritten by what is being debugged, shows too few or strange ones, and no more than that.
 */
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include <asm/current.h>
#include <asm/switch_to.h>

#undef APIC_BASE /* core/ has a register of that name */

#include "core/cpu/x86_layout.h"
#include "core/cursor.h"
#include "stubs/linux/module.h"

/* A task's number for the debugger is this plus its process id: that can be read out of it. */
#define NUMBERS 1000000u
/* More are not shown, nor are lists followed any further. */
#define TASKS_MAX 32768u

static bool shown;

/*
 * Where the last question has led: debuggers ask for one task after the other, and then for each of them in that order.
 * Everything that has run since may have changed it.
 */
static struct {
	const struct task_struct *leader; /* &init_task: before the first, as behind the last */
	const struct task_struct *task;   /* of the leader's threads */
	tl_u64 number;                    /* 0: none */
	tl_u64 arrivals;                  /* of processors, when that was so */
	unsigned passed;
} place;

static bool get(void *to, const void *from, tl_size size)
{
	return copy_from_kernel_nofault(to, from, size) == 0;
}
#define GET(variable, place) get(&(variable), &(place), sizeof(variable))

/* ---- The kernel's lists ---- */

static const struct task_struct *as_thread(const struct list_head *node)
{
	return container_of(node, struct task_struct, thread_node);
}

/* The first of the leader's threads: the leader itself, but for a moment of an exec. */
static const struct task_struct *first_of(const struct task_struct *leader)
{
	struct signal_struct *signal;
	struct list_head *node;

	if (GET(signal, leader->signal) && GET(node, signal->thread_head.next) && node != &signal->thread_head)
		return as_thread(node);
	return leader;
}

/* NULL: that was the last. */
static const struct task_struct *next_of(const struct task_struct *task)
{
	struct signal_struct *signal;
	struct list_head *node;

	if (GET(signal, task->signal) && GET(node, task->thread_node.next) && node != &signal->thread_head)
		return as_thread(node);
	return NULL;
}

/* False behind the last. */
static bool step(void)
{
	struct list_head *node;

	if (place.task != NULL)
		place.task = next_of(place.task);
	if (place.task != NULL)
		return true;
	if (!GET(node, place.leader->tasks.next))
		return false;
	place.leader = container_of(node, struct task_struct, tasks);
	if (place.leader == &init_task)
		return false;
	place.task = first_of(place.leader);
	return true;
}

static bool on_a_processor(const struct task_struct *task)
{
	int cpu;

	for_each_online_cpu(cpu)
	{
		if (READ_ONCE(*per_cpu_ptr(&current_task, cpu)) == task)
			return true;
	}
	return false;
}

/* Its number; 0 for one that is not shown: it is on a processor, or has ended and has no stack any more. */
static tl_u64 number_of(const struct task_struct *task)
{
	void *stack = NULL;
	pid_t pid = 0;

	if (!GET(pid, task->pid) || pid <= 0 || !GET(stack, task->stack) || stack == NULL || on_a_processor(task))
		return 0;
	return NUMBERS + (tl_u64)pid;
}

static void go_back(void)
{
	place.leader = &init_task;
	place.task = NULL;
	place.number = 0;
	place.passed = 0;
	place.arrivals = __atomic_load_n(&tl_stub()->arrivals, __ATOMIC_ACQUIRE);
}

/* To the next that is shown. False at the end, and the next one is the first. */
static bool advance(void)
{
	place.number = 0;
	while (place.passed++ < TASKS_MAX && step()) {
		place.number = number_of(place.task);
		if (place.number != 0)
			return true;
	}
	go_back();
	return false;
}

/* Makes `place` that of the task; false: it is not shown. */
static bool find(tl_u64 number)
{
	if (place.leader == NULL || place.arrivals != __atomic_load_n(&tl_stub()->arrivals, __ATOMIC_ACQUIRE))
		go_back();
	if (number <= NUMBERS || !shown)
		return false;
	for (unsigned ends = 0; place.number != number && ends < 2;)
		ends += !advance();
	return place.number == number;
}

/* ---- What the stub asks for ---- */

static bool next(void *context, tl_u64 after, tl_u64 *next_ret)
{
	(void)context;
	if (!shown || (after != 0 && !find(after)))
		return false;
	if (after == 0)
		go_back();
	if (!advance())
		return false;
	*next_ret = place.number;
	return true;
}

/* All that __switch_to_asm keeps of a task; what else there was is saved deeper in its stack, or nowhere. */
static const tl_i16 kept[] = {TL_X86_64_RBX, TL_X86_64_RBP, TL_X86_64_RSP,
			      TL_X86_64_R12, TL_X86_64_R13, TL_X86_64_R14,
			      TL_X86_64_R15, TL_X86_64_RIP, -1};
static const tl_i16 nothing[] = {-1};

static bool read_frame(const struct task_struct *task, unsigned long *stack_ret, struct inactive_task_frame *frame_ret)
{
	unsigned long bottom, at;

	if (!GET(bottom, task->stack) || !GET(at, task->thread.sp) || at % sizeof(at) != 0 || at < bottom ||
	    at - bottom > THREAD_SIZE - sizeof(*frame_ret))
		return false;
	*stack_ret = at;
	return get(frame_ret, (const void *)at, sizeof(*frame_ret));
}

static enum tl_status fetch(void *context, tl_u64 number, tl_u8 *file, const tl_i16 **known_ret)
{
	struct inactive_task_frame frame;
	unsigned long stack;

	(void)context;
	if (!find(number))
		return TL_ERROR_NO_THREAD;
	*known_ret = nothing;
	if (file == NULL || !read_frame(place.task, &stack, &frame))
		return TL_OK;
	*known_ret = kept;
	tl_store_little(file + TL_X86_AT_RBX, frame.bx, 8);
	tl_store_little(file + TL_X86_AT_RBP, frame.bp, 8);
	tl_store_little(file + TL_X86_AT_RSP, stack + sizeof(frame), 8); /* as it goes on */
	tl_store_little(file + TL_X86_AT_R12, frame.r12, 8);
	tl_store_little(file + TL_X86_AT_R13, frame.r13, 8);
	tl_store_little(file + TL_X86_AT_R14, frame.r14, 8);
	tl_store_little(file + TL_X86_AT_R15, frame.r15, 8);
	tl_store_little(file + TL_X86_AT_RIP, frame.ret_addr, 8);
	return TL_OK;
}

/* In the words of ps(1)'s letters. */
static const char *doing(const struct task_struct *task)
{
	unsigned state;

	if (!GET(state, task->__state))
		return "?";
	if ((state & TASK_NEW) != 0)
		return "new";
	if ((state & TASK_DEAD) != 0)
		return "ends";
	if ((state & __TASK_STOPPED) != 0)
		return "stopped";
	if ((state & __TASK_TRACED) != 0)
		return "traced";
	if ((state & TASK_PARKED) != 0)
		return "parked";
	if ((state & TASK_IDLE) == TASK_IDLE)
		return "idle";
	if ((state & TASK_UNINTERRUPTIBLE) != 0)
		return "waits";
	return (state & TASK_INTERRUPTIBLE) != 0 ? "sleeps" : "ready";
}

static tl_size name(void *context, tl_u64 number, char *text, tl_size size)
{
	struct tl_writer writer = tl_writer_make(text, size);
	char command[TASK_COMM_LEN] = "";

	(void)context;
	if (!find(number))
		return 0;
	if (get(command, place.task->comm, sizeof(command) - 1))
		tl_write_text(&writer, command);
	tl_write_byte(&writer, ' ');
	tl_write_decimal(&writer, number - NUMBERS);
	tl_write_text(&writer, ", ");
	tl_write_text(&writer, doing(place.task));
	return tl_writer_size(&writer);
}

const struct tl_stub_tasks tl_tasks = {.next = next, .fetch = fetch, .name = name};

/* ---- monitor tasks ---- */

void tl_tasks_show(bool show)
{
	shown = show;
}

enum tl_status tl_tasks_monitor(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	tl_u64 number = 0, count = 0;

	(void)rsp;
	(void)context;
	if (tl_text_equal(arguments, "on")) {
		shown = true;
	} else if (tl_text_equal(arguments, "off")) {
		shown = false;
	} else if (arguments[0] != '\0') {
		tl_write_text(output, "monitor tasks on, or off, or neither to learn which\n");
		return TL_ERROR_ARGUMENT;
	}
	if (!shown) {
		tl_write_text(output, "Threads are processors.\n");
		return TL_OK;
	}
	while (next(NULL, number, &number))
		count++;
	tl_write_text(output, "Threads are processors and, at this moment, ");
	tl_write_decimal(output, count);
	tl_write_text(output, " tasks that are on none.\n");
	return TL_OK;
}
