/*
 * A kernel of two tasks at EL0 that steps one of them by itself, as kernels do for ptrace, beside the stub:
 *
 *   - each task has a flag. While it is set, MDSCR_EL1.SS is set as the task is returned to, and cleared as it is left:
 *     no code of the kernel is ever stepped by it, and no other task.
 *   - SPSR_EL1.SS in the task's saved registers says that one instruction is to run first. The processor clears it as
 * it runs it; without it the exception comes at once, as it is to behind a system call.
 *   - the exception has class 0x32: a software step, from a lower level. The stub leaves it to the kernel unless the
 *     debugger has asked for that step itself.
 *
 * The tasks take turns at each system call, and at each step.
 */
#include "stubs/baremetal/example/machine.h"

#define SPSR_STEP ((tl_u64)1 << 21)
#define MDSCR_STEP ((tl_u64)1)
#define CLASS_SYSTEM_CALL 0x15u
#define CLASS_STEP 0x32u
#define USER 0x40400000u /* where EL0 may read, write and execute */
#define USER_WORDS (USER + 0x1000u)
#define USER_STACKS (USER + 0x10000u)
#define TRACE_MAX 64

struct task {
	struct tl_stub_arm64_frame frame; /* while another runs */
	bool stepped;                     /* the flag */
};

extern const tl_u8 task_code[], task_code_end[];

static struct task tasks[2];
static tl_u64 current;

/* How many steps the first task is to make; counts down. Written by whoever debugs this. */
volatile tl_u64 wanted;
/* Where each step ended, and how many there were. */
volatile tl_u64 trace[TRACE_MAX], steps;
/* Steps of a task whose flag is not set, and saved registers with a step in them that should have none. */
volatile tl_u64 stray;
volatile tl_u64 calls, switches;

void steps_done(void);
void system_call(void);

/* For breakpoints. */
__attribute__((noinline)) void steps_done(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void system_call(void)
{
	calls++;
}

static void set_step(bool on)
{
	tl_u64 control;

	__asm__ volatile("mrs %0, mdscr_el1" : "=r"(control));
	control = on ? control | MDSCR_STEP : control & ~MDSCR_STEP;
	__asm__ volatile("msr mdscr_el1, %0\n\tisb" : : "r"(control));
}

static bool from_task(const struct tl_stub_arm64_frame *frame)
{
	return (frame->pstate & 0xf) == 0;
}

void machine_enter(struct tl_stub_arm64_frame *frame)
{
	if (from_task(frame) && tasks[current].stepped)
		set_step(false);
}

void machine_leave(struct tl_stub_arm64_frame *frame)
{
	if (from_task(frame) && tasks[current].stepped)
		set_step(true);
}

static void switch_task(struct tl_stub_arm64_frame *frame)
{
	tasks[current].frame = *frame;
	current ^= 1;
	*frame = tasks[current].frame;
	switches++;
}

static void step_ended(struct tl_stub_arm64_frame *frame)
{
	struct task *task = &tasks[current];

	if (!task->stepped || wanted == 0) {
		stray++;
		return;
	}
	trace[steps++ % TRACE_MAX] = frame->pc;
	frame->pstate |= SPSR_STEP;
	if (--wanted == 0) {
		task->stepped = false;
		frame->pstate &= ~SPSR_STEP;
		steps_done();
	}
}

void machine_exception(struct tl_stub_arm64_frame *frame)
{
	tl_u64 syndrome, address, class;

	__asm__ volatile("mrs %0, esr_el1\n\tmrs %1, far_el1" : "=r"(syndrome), "=r"(address));
	class = syndrome >> 26 & 0x3f;
	if (!from_task(frame) || (class != CLASS_SYSTEM_CALL && class != CLASS_STEP)) {
		tl_stub_arm64_unhandled(frame, syndrome, address);
		return;
	}
	if (!tasks[current].stepped && (frame->pstate & SPSR_STEP) != 0)
		stray++;
	if (class == CLASS_STEP)
		step_ended(frame);
	else
		system_call();
	if (current == 0 && wanted != 0 && !tasks[0].stepped) {
		tasks[0].stepped = true;
		frame->pstate |= SPSR_STEP;
	}
	switch_task(frame);
}

static void make_task(unsigned number)
{
	struct tl_stub_arm64_frame *frame = &tasks[number].frame;

	frame->x[0] = USER_WORDS + 8 * number;
	frame->sp = USER_STACKS + 0x10000 * (number + 1);
	frame->pc = USER;
	frame->pstate = 0;
}

void processor_main(tl_u32 number)
{
	(void)number;
}

int main(void)
{
	struct tl_stub_arm64_frame frame;

	if (machine_start() != TL_OK)
		return 1;
	for (tl_size i = 0; i < (tl_size)(task_code_end - task_code); i++)
		((volatile tl_u8 *)(tl_uintptr)USER)[i] = task_code[i];
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb");
	make_task(0);
	make_task(1);
	frame = tasks[0].frame;
	machine_open();
	machine_tick(1000);
	machine_say("waiting for a debugger\n");
	/* start_arm64.S goes on as behind an exception; the kernel's stack ends above this frame. */
	__asm__ volatile("msr daifset, #15\n\tmov x30, %0\n\tb return_to" : : "r"(&frame) : "memory");
	__builtin_unreachable();
}
