/* Steps that are given up: stubs/baremetal/x86_steps.h over a stack and registers of the test's. */
#include "core/cpu/x86_layout.h"
#include "core/cursor.h"
#include "stubs/baremetal/x86_steps.h"
#include "tests/unit/test.h"

#include <signal.h>
#include <ucontext.h>

#define CODE 0x1000u
#define HANDLER 0x2000u
#define MEMORY 0x10000u
#define MEMORY_SIZE 0x10000u
#define STACK 0x18008u
#define OWN_FLAGS 0x202u
#define TRAP_FLAG 0x100u
#define LANES (MEMORY_SIZE / 8)
#define BEHIND (CODE + 3)
#define DESCRIPTOR 0x10100u
#define TASK_STATE 0x10200u
#define OWN_STACK 0x1e000u
#define KERNEL_STACK 0x1c000u

struct tl_stub_machine {
	tl_u64 rip, rsp, flags;
};

static tl_u64 memory[LANES];
static struct tl_stub_x86_steps steps;
static struct tl_stub_machine machine;

tl_size tl_stub_machine_peek(void *buffer, tl_u64 address, tl_size size)
{
	static const tl_u8 load[16] = {0x48, 0x8b, 0x00, 0x90}; /* mov (%rax), %rax */

	if (address >= CODE && address - CODE + size <= sizeof(load)) {
		memcpy(buffer, load + (address - CODE), size);
		return size;
	}
	if (address < MEMORY || address - MEMORY + size > MEMORY_SIZE)
		return 0;
	memcpy(buffer, (tl_u8 *)memory + (address - MEMORY), size);
	return size;
}

tl_size tl_stub_machine_poke(tl_u64 address, const void *buffer, tl_size size)
{
	if (address < MEMORY || address - MEMORY + size > MEMORY_SIZE)
		return 0;
	memcpy((tl_u8 *)memory + (address - MEMORY), buffer, size);
	return size;
}

enum tl_status tl_stub_machine_fetch(struct tl_stub_machine *of, tl_u8 bank, tl_u8 *file)
{
	if (bank != TL_BANK_GENERAL)
		return TL_ERROR_ARGUMENT;
	memcpy(file + TL_X86_AT_RIP, &of->rip, 8);
	memcpy(file + TL_X86_AT_RSP, &of->rsp, 8);
	memcpy(file + TL_X86_AT_EFLAGS, &of->flags, 8);
	return TL_OK;
}

enum tl_status tl_stub_machine_store(struct tl_stub_machine *of, tl_u8 bank, const tl_u8 *file)
{
	if (bank != TL_BANK_GENERAL)
		return TL_ERROR_ARGUMENT;
	memcpy(&of->rip, file + TL_X86_AT_RIP, 8);
	memcpy(&of->rsp, file + TL_X86_AT_RSP, 8);
	memcpy(&of->flags, file + TL_X86_AT_EFLAGS, 8);
	return TL_OK;
}

/* Control and model-specific registers are ring 0's: to this process they say nothing, and keep what was there. */
static void on_privileged(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	const tl_u8 *code = (const tl_u8 *)registers[REG_RIP]; // NOLINT(performance-no-int-to-ptr)

	(void)info;
	if (code[0] == 0x0f && code[1] == 0x32) {
		registers[REG_RAX] = registers[REG_RDX] = 0;
		registers[REG_RIP] += 2;
	} else if (code[0] == 0x0f && code[1] == 0x20) {
		registers[REG_RIP] += 3;
	} else if ((code[0] & 0xf0) == 0x40 && code[1] == 0x0f && code[2] == 0x20) {
		registers[REG_RIP] += 4;
	} else {
		(void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	}
}

static bool no_landing(const struct tl_x86_gate *gate)
{
	(void)gate;
	return false;
}

static bool lies_still(tl_u64 runner)
{
	(void)runner;
	return true;
}

static tl_u64 task_descriptor;

static struct tl_stub_x86_tables tables(tl_u64 frame)
{
	return (struct tl_stub_x86_tables){
		.frame = frame, .task_descriptor = task_descriptor, .may_wait = no_landing, .lies_still = lies_still};
}

static void saved(tl_u64 place, tl_u64 rip, tl_u64 flags, tl_u64 rsp)
{
	const tl_u64 words[] = {rip, 8, flags, rsp, 0};

	(void)tl_stub_machine_poke(place, words, sizeof(words));
}

static tl_u64 saved_flags(tl_u64 place)
{
	tl_u64 flags = 0;

	(void)tl_stub_machine_peek(&flags, place + 16, 8);
	return flags;
}

static tl_u64 pushed_place(tl_u64 stack)
{
	return (stack & ~(tl_u64)15) - 40;
}

static void start(void)
{
	const struct sigaction action = {.sa_sigaction = on_privileged, .sa_flags = SA_SIGINFO};

	(void)sigaction(SIGSEGV, &action, NULL);
	memset(memory, 0, sizeof(memory));
	steps = (struct tl_stub_x86_steps){.under_way = false};
	task_descriptor = 0;
}

/* A step begins at the load, going back by what lies at `frame`. */
static void begin(tl_u64 runner, tl_u64 stack, tl_u64 frame)
{
	const struct tl_stub_x86_tables here = tables(frame);
	const struct tl_run_request request = {.run = TL_RUN_STEP};

	machine = (struct tl_stub_machine){CODE, stack, OWN_FLAGS};
	CHECK(tl_stub_x86_steps_begin(&steps, &machine, &here, &request, runner));
	machine.flags = tl_stub_x86_steps_flags(&steps, &request, machine.flags);
	saved(frame, machine.rip, machine.flags, machine.rsp);
}

/* The processor stops somewhere else. */
static void stop(tl_u64 runner, tl_u64 stack)
{
	const struct tl_stub_x86_tables here = tables(stack);

	machine = (struct tl_stub_machine){HANDLER, stack, 2};
	tl_stub_x86_steps_end(&steps, &machine, &here, false, runner);
}

static bool ends_left(const struct tl_stub_x86_steps *own, tl_u64 address, tl_u64 stack, tl_u64 flags,
		      tl_u64 *flags_ret)
{
	struct tl_stub_x86_trap trap = {.address = address, .stack = stack, .flags = flags};
	bool found = tl_stub_x86_steps_drop(&steps, own, &trap);

	*flags_ret = trap.flags;
	return found;
}

TEST(deep_in_a_handler_what_was_pushed_is_put_right)
{
	const tl_u64 frame = (STACK & ~15u) - 472;

	start();
	begin(0, STACK, frame);
	saved(pushed_place(STACK), CODE, machine.flags, STACK);
	stop(0, frame - 64); /* what it went back by has survived */
	CHECK_EQUAL(steps.left_count, 0);
	CHECK_EQUAL(saved_flags(pushed_place(STACK)) & (TRAP_FLAG | OWN_FLAGS), OWN_FLAGS);
}

TEST(what_has_not_begun_is_put_right_where_it_is_to_begin)
{
	const tl_u64 frame = (STACK & ~15u) - 472;

	start();
	begin(0, STACK, frame);
	stop(0, frame - 64);
	CHECK_EQUAL(steps.left_count, 0);
	CHECK_EQUAL(saved_flags(frame) & (TRAP_FLAG | OWN_FLAGS), OWN_FLAGS);
}

TEST(the_oldest_of_those_that_were_left_makes_room)
{
	const tl_u64 first = 0x11008, apart = 0x2000;
	tl_u64 flags;

	start();
	for (unsigned n = 0; n <= TL_STUB_X86_LEFT_MAX; n++) {
		begin(0, first + n * apart, 0x1f000);
		stop(0, 0x8000); /* on a stack of the exception's own, where nobody looks */
	}
	CHECK_EQUAL(steps.left_count, TL_STUB_X86_LEFT_MAX);
	CHECK(!ends_left(NULL, BEHIND, first, 0x102, &flags));
	CHECK(ends_left(NULL, BEHIND, first + TL_STUB_X86_LEFT_MAX * apart - 8, 0x102, &flags));
	CHECK_EQUAL(flags, OWN_FLAGS);
	CHECK_EQUAL(steps.left_count, TL_STUB_X86_LEFT_MAX - 1);
}

TEST(a_trap_of_the_programs_own_is_not_taken_for_one)
{
	tl_u64 flags;

	start();
	begin(0, STACK, 0x1f000);
	stop(0, 0x8000);
	CHECK(!ends_left(NULL, BEHIND, STACK + 0x4000, 0x102, &flags));
	CHECK(!ends_left(NULL, BEHIND, STACK - 0x4000, 0x102, &flags));
	/* Near its stack, and elsewhere: interrupts are on there, or the stack is another's. */
	CHECK(!ends_left(NULL, CODE + 0x80, STACK - 0x80, 0x102, &flags));
	CHECK(!ends_left(NULL, CODE + 0x80, STACK, 0x302, &flags));
	CHECK_EQUAL(flags, 0x302);
	CHECK(ends_left(NULL, BEHIND, STACK + 8, 0x102, &flags));
	CHECK_EQUAL(flags, OWN_FLAGS);
	CHECK_EQUAL(steps.left_count, 0);
}

TEST(a_handler_may_have_led_the_one_that_was_left_elsewhere)
{
	tl_u64 flags;

	start();
	begin(0, STACK, 0x1f000);
	stop(0, 0x8000);
	CHECK(ends_left(NULL, CODE + 0x80, STACK - 8, 0x102, &flags));
	CHECK_EQUAL(flags, OWN_FLAGS);
	CHECK_EQUAL(steps.left_count, 0);
}

TEST(a_late_trap_does_not_end_a_newer_step)
{
	const tl_u64 deeper = 0x12008;
	tl_u64 flags;

	start();
	begin(0, STACK, 0x1f000);
	stop(0, 0x8000);
	begin(0, deeper, 0x1f000); /* in the handler, where it raises an exception */
	CHECK_EQUAL(steps.left_count, 1);
	CHECK(!ends_left(&steps, BEHIND, deeper, 0x102, &flags)); /* its own end */
	CHECK(ends_left(&steps, CODE + 0x80, STACK, 0x102, &flags));
	CHECK_EQUAL(flags, OWN_FLAGS);
	CHECK_EQUAL(steps.left_count, 0);
	CHECK(steps.under_way);
}

TEST(one_whose_handler_never_returned_is_over_where_it_began)
{
	tl_u64 flags;

	start();
	begin(0, STACK, 0x1f000);
	stop(0, 0x8000);
	CHECK_EQUAL(steps.left_count, 1);
	begin(0, STACK, 0x1f000);
	CHECK_EQUAL(steps.left_count, 0);
	CHECK(!ends_left(NULL, CODE + 0x80, STACK, 0x102, &flags));
}

TEST(one_that_is_about_to_begin_again_has_its_flags_no_more)
{
	const struct tl_run_request request = {.run = TL_RUN_CONTINUE};
	const struct tl_stub_x86_tables here = tables(0x1f000);

	start();
	begin(0, STACK, 0x1f000);
	stop(0, 0x8000);
	machine = (struct tl_stub_machine){CODE, STACK, 0x102}; /* the handler has returned, and nothing has run yet */
	CHECK(tl_stub_x86_steps_begin(&steps, &machine, &here, &request, 0));
	CHECK_EQUAL(machine.flags, OWN_FLAGS);
	CHECK_EQUAL(steps.left_count, 0);
}

/* The task state, with its stacks where a processor looks for them. */
static void make_task_state(void)
{
	const tl_u64 descriptor[2] = {(tl_u64)TASK_STATE << 16 | 0x67, 0};
	const tl_u64 kernel = KERNEL_STACK, own = OWN_STACK;

	task_descriptor = DESCRIPTOR;
	(void)tl_stub_machine_poke(DESCRIPTOR, descriptor, sizeof(descriptor));
	(void)tl_stub_machine_poke(TASK_STATE + 4, &kernel, 8);
	(void)tl_stub_machine_poke(TASK_STATE + 0x24 + 8 * 2, &own, 8);
}

TEST(what_was_pushed_on_a_stack_of_the_exceptions_own_is_put_right)
{
	static const tl_u64 tops[] = {OWN_STACK, KERNEL_STACK};

	for (unsigned n = 0; n < TL_COUNT(tops); n++) {
		start();
		make_task_state();
		begin(0, STACK, 0x1f000);
		saved(pushed_place(tops[n]), CODE, machine.flags, STACK);
		stop(0, tops[n] - 0x80);
		CHECK_EQUAL(steps.left_count, 0);
		CHECK_EQUAL(saved_flags(pushed_place(tops[n])) & (TRAP_FLAG | OWN_FLAGS), OWN_FLAGS);
	}
}

TEST(the_end_of_a_step_that_moved_ends_no_other)
{
	struct tl_stub_machine elsewhere = {BEHIND, STACK, 0x102};
	const struct tl_stub_x86_tables there = tables(0x1f800);

	start();
	begin(1, STACK, 0x1f000);
	stop(2, 0x8000); /* its processor is heard first, with another runner */
	CHECK_EQUAL(steps.left_count, 1);
	begin(2, 0x12008, 0x1f400);
	CHECK_EQUAL(steps.left_count, 1);
	tl_stub_x86_steps_end_moved(&steps, &elsewhere, &there, 1);
	CHECK(steps.under_way && steps.runner == 2);
	CHECK_EQUAL(steps.left_count, 0);
	CHECK_EQUAL(elsewhere.flags, OWN_FLAGS);
}

TEST(a_step_that_moved_ends_where_it_was_met)
{
	struct tl_stub_machine elsewhere = {BEHIND, STACK, 0x102};
	const struct tl_stub_x86_tables there = tables(0x1f800);

	start();
	begin(1, STACK, 0x1f000);
	tl_stub_x86_steps_end_moved(&steps, &elsewhere, &there, 1);
	CHECK(!steps.under_way);
	CHECK_EQUAL(steps.left_count, 0);
	CHECK_EQUAL(elsewhere.flags, OWN_FLAGS);
}
