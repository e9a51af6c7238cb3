#include "core/cpu/x86_debug.h"
#include "tests/unit/test.h"

static unsigned used(const struct tl_x86_debug_plan *plan)
{
	unsigned count = 0;

	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++)
		count += plan->users[n] != 0;
	return count;
}

/* Every byte of the range is covered by exactly one piece, and nothing outside it is. */
static bool covers(const struct tl_x86_debug_plan *plan, tl_u64 address, tl_u64 size)
{
	tl_u64 covered = 0;

	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++) {
		enum tl_x86_debug_kind kind;
		tl_u64 at, length;

		if (!tl_x86_debug_piece(plan, n, &kind, &at, &length))
			continue;
		if (at % length != 0 || at < address || at + length > address + size)
			return false;
		covered += length;
	}
	return covered == size;
}

TEST(ranges_are_split_into_aligned_pieces)
{
	unsigned possible = 0;

	for (tl_u64 address = 0x1000; address < 0x1010; address++) {
		for (tl_u64 size = 1; size <= 40; size++) {
			for (int wide = 0; wide <= 1; wide++) {
				struct tl_x86_debug_plan plan = {0};
				enum tl_status status =
					tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, address, size, wide);

				CHECK(status == TL_OK ? covers(&plan, address, size)
						      : status == TL_ERROR_POINT_FULL && used(&plan) == 0);
				possible += status == TL_OK;
				if (status != TL_OK)
					continue;
				CHECK_EQUAL(tl_x86_debug_remove(&plan, TL_X86_DEBUG_WRITE, address, size, wide), TL_OK);
				CHECK_EQUAL(plan.control, 0);
				CHECK_EQUAL(used(&plan), 0);
			}
		}
	}
	CHECK(possible > 300);
}

TEST(control_bits_are_the_manuals)
{
	struct tl_x86_debug_plan plan = {0};

	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_EXECUTE, 0x1001, 1, true), TL_OK);
	CHECK_EQUAL(plan.control, 0x401);
	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, 0x2000, 8, true), TL_OK);
	CHECK_EQUAL(plan.control, 0x401 | 0x4 | 0x900000);
	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_ACCESS, 0x3000, 4, true), TL_OK);
	CHECK_EQUAL(plan.control, 0x401 | 0x4 | 0x900000 | 0x10 | 0xf000000);
}

TEST(equal_pieces_are_shared)
{
	struct tl_x86_debug_plan plan = {0};

	for (int i = 0; i < 100; i++)
		CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, 0x1000, 8, true), TL_OK);
	CHECK_EQUAL(used(&plan), 1);
	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_ACCESS, 0x1000, 8, true), TL_OK);
	CHECK_EQUAL(used(&plan), 2);
	for (int i = 0; i < 100; i++)
		CHECK_EQUAL(tl_x86_debug_remove(&plan, TL_X86_DEBUG_WRITE, 0x1000, 8, true), TL_OK);
	CHECK_EQUAL(tl_x86_debug_remove(&plan, TL_X86_DEBUG_WRITE, 0x1000, 8, true), TL_ERROR_NO_POINT);
	CHECK_EQUAL(used(&plan), 1);
}

TEST(what_does_not_fit_changes_nothing)
{
	struct tl_x86_debug_plan plan = {0}, before;

	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, 0x1001, 7, true), TL_OK);
	CHECK_EQUAL(used(&plan), 3);
	before = plan;
	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, 0x2004, 12, false), TL_ERROR_POINT_FULL);
	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, 0x2000, 0, true), TL_ERROR_POINT_SIZE);
	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, TL_U64_MAX, 2, true), TL_ERROR_POINT_SIZE);
	CHECK_EQUAL(tl_x86_debug_remove(&plan, TL_X86_DEBUG_WRITE, 0x1001, 8, true), TL_ERROR_NO_POINT);
	CHECK_EQUAL(tl_x86_debug_remove(&plan, TL_X86_DEBUG_WRITE, 0, 1000, true), TL_ERROR_NO_POINT);
	CHECK(memcmp(&plan, &before, sizeof(plan)) == 0);
}

TEST(status_bits_of_free_registers_mean_nothing)
{
	struct tl_x86_debug_plan plan = {0};

	CHECK_EQUAL(tl_x86_debug_hits(&plan, 0xf), 0);
	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, 0x1000, 12, true), TL_OK);
	CHECK_EQUAL(tl_x86_debug_hits(&plan, 0xffff0fff), 3);
	CHECK_EQUAL(tl_x86_debug_hits(&plan, 0x4002), 2);
}
