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

static struct tl_stub_x86_tables tables(tl_u64 frame)
{
	return (struct tl_stub_x86_tables){.frame = frame, .may_wait = no_landing, .lies_still = lies_still};
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
	tl_u64 flags = 0x102;

	start();
	for (unsigned n = 0; n <= TL_STUB_X86_LEFT_MAX; n++) {
		begin(0, first + n * apart, 0x1f000);
		stop(0, 0x8000); /* on a stack of the exception's own, where nobody looks */
	}
	CHECK_EQUAL(steps.left_count, TL_STUB_X86_LEFT_MAX);
	CHECK(!tl_stub_x86_steps_drop(&steps, 0, first, &flags));
	CHECK(tl_stub_x86_steps_drop(&steps, 0, first + TL_STUB_X86_LEFT_MAX * apart - 8, &flags));
	CHECK_EQUAL(flags, OWN_FLAGS);
	CHECK_EQUAL(steps.left_count, TL_STUB_X86_LEFT_MAX - 1);
}

TEST(a_trap_of_the_programs_own_is_not_taken_for_one)
{
	tl_u64 flags = 0x102;

	start();
	begin(0, STACK, 0x1f000);
	stop(0, 0x8000);
	CHECK(!tl_stub_x86_steps_drop(&steps, 0, STACK + 0x4000, &flags));
	CHECK(!tl_stub_x86_steps_drop(&steps, 0, STACK - 0x4000, &flags));
	CHECK_EQUAL(flags, 0x102);
	CHECK(tl_stub_x86_steps_drop(&steps, 0, STACK + 8, &flags));
	CHECK_EQUAL(steps.left_count, 0);
}

TEST(the_end_of_a_step_that_moved_ends_no_other)
{
	struct tl_stub_machine elsewhere = {CODE + 3, STACK, 0x102};
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
	struct tl_stub_machine elsewhere = {CODE + 3, STACK, 0x102};
	const struct tl_stub_x86_tables there = tables(0x1f800);

	start();
	begin(1, STACK, 0x1f000);
	tl_stub_x86_steps_end_moved(&steps, &elsewhere, &there, 1);
	CHECK(!steps.under_way);
	CHECK_EQUAL(steps.left_count, 0);
	CHECK_EQUAL(elsewhere.flags, OWN_FLAGS);
}
