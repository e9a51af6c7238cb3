/* The pure parts of the debugger in a virtual machine: exits, debug registers, points. */
#include "targets/kvm/debug_registers.h"
#include "targets/kvm/exit.h"
#include "targets/kvm/points.h"
#include "tests/unit/test.h"

#include <string.h>

#define STEP TL_X86_DR6_STEP

/* ---- Exits ---- */

static struct tl_x86_debug_plan plan_of(enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	struct tl_x86_debug_plan plan = {0};

	(void)tl_kvm_debug_add(&plan, kind, address, size);
	return plan;
}

TEST(a_step_of_ours_ends_and_the_guest_hears_nothing)
{
	struct tl_x86_debug_plan none = {0};
	const struct tl_kvm_debug_input input = {.plan = &none, .stepping = true};
	struct tl_kvm_debug_exit exit = tl_kvm_read_debug(TL_KVM_DR6_FIXED | STEP, 0x1000, &input);

	CHECK_EQUAL(exit.event.kind, TL_EVENT_STEPPED);
	CHECK(exit.event.stepped);
	CHECK(!exit.guest_debug);
	CHECK(!exit.swallowed);
}

TEST(a_step_of_the_guests_own_is_its)
{
	struct tl_x86_debug_plan none = {0};
	struct tl_kvm_debug_input input = {.plan = &none};
	struct tl_kvm_debug_exit exit = tl_kvm_read_debug(TL_KVM_DR6_FIXED | STEP, 0x1000, &input);

	CHECK_EQUAL(exit.event.kind, TL_EVENT_NONE);
	CHECK(exit.guest_debug);
	CHECK_EQUAL(exit.guest_causes, STEP);
	/* Both of us step: both hear. */
	input.stepping = input.guest_steps = true;
	exit = tl_kvm_read_debug(TL_KVM_DR6_FIXED | STEP, 0x1000, &input);
	CHECK_EQUAL(exit.event.kind, TL_EVENT_STEPPED);
	CHECK(exit.guest_debug);
	CHECK_EQUAL(exit.guest_causes, STEP);
}

TEST(the_trap_of_a_step_that_was_given_up_is_swallowed)
{
	struct tl_x86_debug_plan none = {0};
	const struct tl_kvm_debug_input input = {.plan = &none, .step_owed = true};
	struct tl_kvm_debug_exit exit = tl_kvm_read_debug(TL_KVM_DR6_FIXED | STEP, 0x1000, &input);

	CHECK_EQUAL(exit.event.kind, TL_EVENT_NONE);
	CHECK(exit.swallowed);
	/* Nothing of it is left, and no int1 has run either. */
	CHECK_EQUAL(exit.guest_causes, 0);
	CHECK(!exit.guest_debug);
}

TEST(int1_of_the_guest_has_no_cause_and_is_given_back)
{
	struct tl_x86_debug_plan plan = plan_of(TL_POINT_WRITE, 0x2000, 8);
	const struct tl_kvm_debug_input input = {.plan = &plan};
	struct tl_kvm_debug_exit exit = tl_kvm_read_debug(TL_KVM_DR6_FIXED, 0x1000, &input);

	CHECK_EQUAL(exit.event.kind, TL_EVENT_NONE);
	CHECK(exit.guest_debug);
	CHECK_EQUAL(exit.guest_causes, 0);
}

TEST(an_access_during_a_step_tells_of_both)
{
	struct tl_x86_debug_plan plan = plan_of(TL_POINT_WRITE, 0x2000, 8);
	const struct tl_kvm_debug_input input = {.plan = &plan, .stepping = true};
	struct tl_kvm_debug_exit exit = tl_kvm_read_debug(TL_KVM_DR6_FIXED | STEP | 1, 0x1004, &input);

	CHECK_EQUAL(exit.event.kind, TL_EVENT_WATCHPOINT);
	CHECK(exit.event.stepped);
	REQUIRE(exit.event.hit_count == 1);
	CHECK_EQUAL(exit.event.hits[0].address, 0x2000);
	CHECK_EQUAL(exit.event.hits[0].size, 8);
	CHECK_EQUAL(exit.event.hits[0].access, TL_ACCESS_WRITE);
	CHECK(!exit.guest_debug);
}

TEST(several_accesses_at_once_are_all_told)
{
	struct tl_x86_debug_plan plan = plan_of(TL_POINT_WRITE, 0x2000, 8);
	const struct tl_kvm_debug_input input = {.plan = &plan};
	struct tl_kvm_debug_exit exit;

	CHECK_EQUAL(tl_kvm_debug_add(&plan, TL_POINT_READ, 0x3000, 4), TL_OK);
	CHECK_EQUAL(tl_kvm_debug_add(&plan, TL_POINT_HARDWARE, 0x1004, 1), TL_OK);
	/* The breakpoint is met again; the accesses would be lost. DR3 is free, and its bit means nothing. */
	exit = tl_kvm_read_debug(TL_KVM_DR6_FIXED | 0xf, 0x1004, &input);
	CHECK_EQUAL(exit.event.kind, TL_EVENT_WATCHPOINT);
	REQUIRE(exit.event.hit_count == 2);
	CHECK_EQUAL(exit.event.hits[0].address, 0x2000);
	CHECK_EQUAL(exit.event.hits[1].address, 0x3000);
	CHECK_EQUAL(exit.event.hits[1].access, TL_ACCESS_BOTH);
	CHECK(!exit.guest_debug);
}

TEST(a_hardware_breakpoint_is_told_where_it_is_and_not_elsewhere)
{
	struct tl_x86_debug_plan plan = plan_of(TL_POINT_HARDWARE, 0x1004, 1);
	struct tl_kvm_debug_input input = {.plan = &plan};
	struct tl_kvm_debug_exit exit = tl_kvm_read_debug(TL_KVM_DR6_FIXED | 1, 0x1004, &input);

	CHECK_EQUAL(exit.event.kind, TL_EVENT_HARDWARE_BREAKPOINT);
	CHECK_EQUAL(exit.event.address, 0x1004);
	CHECK(!exit.guest_debug);
	/* With a step's end it is the next instruction's. */
	input.stepping = true;
	exit = tl_kvm_read_debug(TL_KVM_DR6_FIXED | STEP | 1, 0x1004, &input);
	CHECK_EQUAL(exit.event.kind, TL_EVENT_STEPPED);
}

TEST(exits_have_somebody_to_deal_with_them)
{
	static const struct {
		tl_u32 reason;
		enum tl_kvm_exit exit;
	} cases[] = {{KVM_EXIT_IO, TL_KVM_EXIT_DEVICE},
		     {KVM_EXIT_MMIO, TL_KVM_EXIT_DEVICE},
		     {KVM_EXIT_DEBUG, TL_KVM_EXIT_DEBUG},
		     {KVM_EXIT_X86_WRMSR, TL_KVM_EXIT_REGISTER},
		     {KVM_EXIT_X86_RDMSR, TL_KVM_EXIT_REGISTER},
		     {KVM_EXIT_HLT, TL_KVM_EXIT_HALTED},
		     {KVM_EXIT_SHUTDOWN, TL_KVM_EXIT_SHUTDOWN},
		     {KVM_EXIT_SYSTEM_EVENT, TL_KVM_EXIT_SYSTEM},
		     {KVM_EXIT_INTR, TL_KVM_EXIT_NOTHING},
		     {KVM_EXIT_FAIL_ENTRY, TL_KVM_EXIT_FAILED},
		     {KVM_EXIT_INTERNAL_ERROR, TL_KVM_EXIT_FAILED},
		     {KVM_EXIT_HYPERV, TL_KVM_EXIT_FAILED}};
	struct kvm_run run;
	char text[256];

	for (tl_size i = 0; i < TL_COUNT(cases); i++) {
		memset(&run, 0, sizeof(run));
		run.exit_reason = cases[i].reason;
		CHECK_EQUAL(tl_kvm_read_exit(&run), cases[i].exit);
		tl_kvm_say_failure(&run, 3, text, sizeof(text));
		CHECK(strstr(text, "vCPU 3") != NULL);
	}
}

/* ---- Debug registers ---- */

TEST(nothing_to_debug_is_all_zeroes)
{
	const struct tl_kvm_debug_wish nothing = {.block_interrupts = true};
	struct kvm_guest_debug debug, zeroes;

	memset(&zeroes, 0, sizeof(zeroes));
	tl_kvm_debug_program(&nothing, &debug);
	CHECK(memcmp(&debug, &zeroes, sizeof(debug)) == 0);
}

TEST(traps_registers_and_steps_go_together)
{
	struct tl_kvm_debug_wish wish = {.traps = true, .step = true, .block_interrupts = true};
	struct kvm_guest_debug debug;

	wish.plan = plan_of(TL_POINT_ACCESS, 0x2004, 4);
	tl_kvm_debug_program(&wish, &debug);
	CHECK_EQUAL(debug.control, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP |
					   KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_BLOCKIRQ);
	CHECK_EQUAL(debug.arch.debugreg[0], 0x2004);
	CHECK_EQUAL(debug.arch.debugreg[7], 0xf0401);
	wish.step = false;
	tl_kvm_debug_program(&wish, &debug);
	CHECK_EQUAL(debug.control, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP);
	wish.plan = (struct tl_x86_debug_plan){0};
	wish.traps = false;
	wish.catch_debug = true;
	tl_kvm_debug_program(&wish, &debug);
	CHECK_EQUAL(debug.control, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP);
	CHECK_EQUAL(debug.arch.debugreg[7], 0);
}

TEST(wishes_are_the_same_only_if_nothing_has_to_be_told)
{
	struct tl_kvm_debug_wish one = {.traps = true}, other = {.traps = true};

	CHECK(tl_kvm_debug_same(&one, &other));
	other.plan = plan_of(TL_POINT_HARDWARE, 0x1000, 1);
	CHECK(!tl_kvm_debug_same(&one, &other));
	one.plan = other.plan;
	CHECK(tl_kvm_debug_same(&one, &other));
	one.step = other.step = true;
	CHECK(!tl_kvm_debug_same(&one, &other));
}

TEST(four_registers_and_no_more)
{
	struct tl_x86_debug_plan plan = {0};

	for (tl_u64 i = 0; i < 4; i++)
		CHECK_EQUAL(tl_kvm_debug_add(&plan, TL_POINT_HARDWARE, 0x1000 + i, 1), TL_OK);
	CHECK_EQUAL(tl_kvm_debug_add(&plan, TL_POINT_WRITE, 0x2000, 4), TL_ERROR_POINT_FULL);
	CHECK_EQUAL(tl_kvm_debug_add(&plan, TL_POINT_SOFTWARE, 0x2000, 1), TL_ERROR_POINT_KIND);
	CHECK(tl_kvm_debug_breaks_at(&plan, 0x1003));
	CHECK(!tl_kvm_debug_breaks_at(&plan, 0x1004));
	CHECK_EQUAL(tl_kvm_debug_remove(&plan, TL_POINT_HARDWARE, 0x1001, 1), TL_OK);
	CHECK_EQUAL(tl_kvm_debug_add(&plan, TL_POINT_WRITE, 0x2000, 4), TL_OK);
}

/* ---- Points ---- */

struct fixture {
	tl_u8 bytes[8192];
	struct tl_kvm_memory memory;
	struct tl_kvm_points points;
};

static void set_up(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	for (tl_size i = 0; i < sizeof(fixture->bytes); i++)
		fixture->bytes[i] = (tl_u8)i;
	fixture->memory.bytes = fixture->bytes;
	fixture->memory.size = sizeof(fixture->bytes);
	fixture->points.memory = &fixture->memory;
}

TEST(a_point_is_in_memory_and_hidden_from_who_reads)
{
	struct fixture fixture;
	tl_u8 bytes[4];

	set_up(&fixture);
	CHECK_EQUAL(tl_kvm_points_insert(&fixture.points, 0xffff800000001001, 0x1001, 0x9000), TL_OK);
	CHECK_EQUAL(fixture.bytes[0x1001], 0xcc);
	CHECK(tl_kvm_points_planted(&fixture.points, 0x1001));
	REQUIRE(tl_kvm_points_read(&fixture.points, 0x1000, bytes, sizeof(bytes)));
	CHECK(memcmp(bytes, "\0\1\2\3", 4) == 0);
	CHECK_EQUAL(tl_kvm_points_remove(&fixture.points, 0xffff800000001001), TL_OK);
	CHECK_EQUAL(fixture.bytes[0x1001], 1);
	CHECK_EQUAL(tl_kvm_points_remove(&fixture.points, 0xffff800000001001), TL_ERROR_NO_POINT);
	CHECK_EQUAL(tl_kvm_points_insert(&fixture.points, 1, 8192, 0), TL_ERROR_MEMORY);
	tl_kvm_points_end(&fixture.points);
}

TEST(what_is_written_over_a_point_comes_below_it)
{
	struct fixture fixture;
	tl_u8 bytes[4];

	set_up(&fixture);
	CHECK_EQUAL(tl_kvm_points_insert(&fixture.points, 0x1001, 0x1001, 0), TL_OK);
	REQUIRE(tl_kvm_points_write(&fixture.points, 0x1000, "abcd", 4));
	CHECK_EQUAL(fixture.bytes[0x1001], 0xcc);
	REQUIRE(tl_kvm_points_read(&fixture.points, 0x1000, bytes, 4));
	CHECK(memcmp(bytes, "abcd", 4) == 0);
	/* Also while it is lifted for a step, in which the guest writes there itself. */
	tl_kvm_points_lift(&fixture.points, 0x1001);
	CHECK_EQUAL(fixture.bytes[0x1001], 'b');
	fixture.bytes[0x1001] = 'x';
	tl_kvm_points_lower(&fixture.points, 0x1001);
	CHECK_EQUAL(fixture.bytes[0x1001], 0xcc);
	CHECK_EQUAL(tl_kvm_points_remove(&fixture.points, 0x1001), TL_OK);
	CHECK(memcmp(&fixture.bytes[0x1000], "axcd", 4) == 0);
	CHECK(!tl_kvm_points_write(&fixture.points, 8190, "abcd", 4));
	CHECK_EQUAL(fixture.bytes[8190], (tl_u8)8190);
	tl_kvm_points_end(&fixture.points);
}

TEST(a_guest_that_writes_over_a_point_loses_nothing)
{
	struct fixture fixture;

	set_up(&fixture);
	CHECK_EQUAL(tl_kvm_points_insert(&fixture.points, 0x1001, 0x1001, 0), TL_OK);
	memset(&fixture.bytes[0x1000], 0x90, 16);
	CHECK_EQUAL(tl_kvm_points_look(&fixture.points, NULL, NULL), 1);
	CHECK_EQUAL(fixture.bytes[0x1001], 0xcc);
	CHECK_EQUAL(tl_kvm_points_look(&fixture.points, NULL, NULL), 0);
	/* One that it wrote over and that nobody looked at is not "restored". */
	fixture.bytes[0x1001] = 0x55;
	CHECK_EQUAL(tl_kvm_points_remove(&fixture.points, 0x1001), TL_OK);
	CHECK_EQUAL(fixture.bytes[0x1001], 0x55);
	tl_kvm_points_end(&fixture.points);
}

TEST(two_points_may_share_a_byte)
{
	struct fixture fixture;
	tl_u8 byte;

	set_up(&fixture);
	CHECK_EQUAL(tl_kvm_points_insert(&fixture.points, 0x1001, 0x1001, 0), TL_OK);
	CHECK_EQUAL(tl_kvm_points_insert(&fixture.points, 0xffff800000001001, 0x1001, 0), TL_OK);
	CHECK_EQUAL(tl_kvm_points_remove(&fixture.points, 0x1001), TL_OK);
	CHECK_EQUAL(fixture.bytes[0x1001], 0xcc);
	REQUIRE(tl_kvm_points_read(&fixture.points, 0x1001, &byte, 1));
	CHECK_EQUAL(byte, 1);
	tl_kvm_points_clear(&fixture.points);
	CHECK_EQUAL(fixture.bytes[0x1001], 1);
	tl_kvm_points_end(&fixture.points);
}

static bool elsewhere(void *context, const struct tl_kvm_point *point, tl_u64 *physical_ret)
{
	(void)context;
	*physical_ret = point->address + 0x100;
	return true;
}

TEST(a_point_whose_page_is_another_moves_there)
{
	struct fixture fixture;

	set_up(&fixture);
	CHECK_EQUAL(tl_kvm_points_insert(&fixture.points, 0x1001, 0x1001, 0), TL_OK);
	CHECK_EQUAL(tl_kvm_points_look(&fixture.points, elsewhere, NULL), 1);
	CHECK_EQUAL(fixture.bytes[0x1001], 1);
	CHECK_EQUAL(fixture.bytes[0x1101], 0xcc);
	tl_kvm_points_clear(&fixture.points);
	CHECK_EQUAL(fixture.bytes[0x1101], 1);
	tl_kvm_points_end(&fixture.points);
}

static bool as_told(void *context, const struct tl_kvm_point *point, tl_u64 *physical_ret)
{
	(void)point;
	*physical_ret = *(const tl_u64 *)context;
	return true;
}

TEST(a_point_waits_for_its_page_and_survives_it)
{
	struct fixture fixture;
	tl_u64 leads_to = TL_KVM_NOWHERE;

	set_up(&fixture);
	CHECK_EQUAL(tl_kvm_points_insert(&fixture.points, 0x7001, TL_KVM_NOWHERE, 0), TL_OK);
	CHECK(!tl_kvm_points_find(&fixture.points, 0x7001)->planted);
	CHECK_EQUAL(tl_kvm_points_look(&fixture.points, as_told, &leads_to), 0);
	/* No memory is there: the same as nothing. */
	leads_to = 0x100000;
	CHECK_EQUAL(tl_kvm_points_look(&fixture.points, as_told, &leads_to), 0);
	leads_to = 0x1001;
	CHECK_EQUAL(tl_kvm_points_look(&fixture.points, as_told, &leads_to), 1);
	CHECK_EQUAL(fixture.bytes[0x1001], 0xcc);
	/* Tables that do not have the page do not take the point from others that do. */
	leads_to = TL_KVM_NOWHERE;
	CHECK_EQUAL(tl_kvm_points_look(&fixture.points, as_told, &leads_to), 0);
	CHECK_EQUAL(fixture.bytes[0x1001], 0xcc);
	/* The page has become another's: what it has there now is not touched. */
	fixture.bytes[0x1001] = 0x55;
	CHECK_EQUAL(tl_kvm_points_look(&fixture.points, as_told, &leads_to), 1);
	CHECK(!tl_kvm_points_find(&fixture.points, 0x7001)->planted);
	CHECK_EQUAL(fixture.bytes[0x1001], 0x55);
	CHECK_EQUAL(tl_kvm_points_remove(&fixture.points, 0x7001), TL_OK);
	CHECK_EQUAL(fixture.bytes[0x1001], 0x55);
	tl_kvm_points_end(&fixture.points);
}
