#include "core/cpu/arm64_debug.h"
#include "core/engine/arm64_points.h"
#include "targets/process/arm64_events.h"
#include "tests/unit/test.h"

static struct tl_arm64_debug_plan machine(tl_u8 breaks, tl_u8 watches)
{
	return (struct tl_arm64_debug_plan){.break_count = breaks, .watch_count = watches};
}

/* Whether exactly the bytes of [address, address + size) are watched, each by one register. */
static bool covers(const struct tl_arm64_debug_plan *plan, tl_u64 address, tl_u64 size)
{
	tl_u64 covered = 0;

	for (unsigned n = 0; n < TL_ARM64_DEBUG_REGISTERS; n++) {
		enum tl_arm64_debug_kind kind;
		tl_u64 at, length;

		if (!tl_arm64_debug_piece(&plan->watches[n], &kind, &at, &length))
			continue;
		if (plan->watches[n].address % 8 != 0 || at < address || at + length > address + size)
			return false;
		covered += length;
	}
	return covered == size;
}

TEST(any_range_of_bytes_is_watched_exactly)
{
	for (tl_u64 address = 0x1000; address < 0x1008; address++)
		for (tl_u64 size = 1; size <= 40; size++) {
			struct tl_arm64_debug_plan plan = machine(6, 4);
			tl_u64 words = (address + size + 7) / 8 - address / 8;
			enum tl_status status = tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, address, size);

			CHECK_EQUAL(status, words <= 4 ? TL_OK : TL_ERROR_POINT_FULL);
			CHECK(covers(&plan, address, status == TL_OK ? size : 0));
			if (status != TL_OK)
				continue;
			CHECK_EQUAL(tl_arm64_debug_remove(&plan, TL_ARM64_DEBUG_WRITE, address, size), TL_OK);
			CHECK(covers(&plan, address, 0));
			CHECK_EQUAL(tl_arm64_debug_remove(&plan, TL_ARM64_DEBUG_WRITE, address, size),
				    TL_ERROR_NO_POINT);
		}
}

TEST(control_words_are_those_of_the_manual)
{
	struct tl_arm64_debug_plan plan = machine(2, 2);

	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_EXECUTE, 0x4004, 4), TL_OK);
	CHECK_EQUAL(plan.breaks[0].address, 0x4004);
	CHECK_EQUAL(plan.breaks[0].control, 0x1e5); /* four bytes, EL0, enabled */
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_READ, 0x5003, 3), TL_OK);
	CHECK_EQUAL(plan.watches[0].address, 0x5000);
	CHECK_EQUAL(plan.watches[0].control, 0x38 << 5 | 1 << 3 | 5);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_ACCESS, 0x6000, 8), TL_OK);
	CHECK_EQUAL(plan.watches[1].control, 0xff << 5 | 3 << 3 | 5);
}

TEST(pieces_are_shared_and_what_does_not_fit_changes_nothing)
{
	struct tl_arm64_debug_plan plan = machine(1, 2), before;

	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, 0x1000, 8), TL_OK);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, 0x1000, 16), TL_OK);
	CHECK_EQUAL(plan.watches[0].users, 2);
	before = plan;
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, 0x1008, 16), TL_ERROR_POINT_FULL);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_READ, 0x1000, 8), TL_ERROR_POINT_FULL);
	CHECK(memcmp(&plan, &before, sizeof(plan)) == 0);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_EXECUTE, 0x1000, 4), TL_OK);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_EXECUTE, 0x1000, 4), TL_OK);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_EXECUTE, 0x1004, 4), TL_ERROR_POINT_FULL);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_EXECUTE, 0x1002, 4), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, 0x1000, 0), TL_ERROR_POINT_SIZE);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, 0xfffffffffffff8, 16), TL_ERROR_POINT_SIZE);
}

TEST(tags_of_addresses_do_not_count)
{
	struct tl_arm64_debug_plan plan = machine(1, 2);

	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, 0xab00000000001000, 8), TL_OK);
	CHECK_EQUAL(plan.watches[0].address, 0x1000);
	CHECK_EQUAL(tl_arm64_debug_hits(&plan, 0xcd00000000001004, 1, false, TL_ACCESS_WRITE), 1);
	CHECK_EQUAL(tl_arm64_debug_remove(&plan, TL_ARM64_DEBUG_WRITE, 0x1000, 8), TL_OK);
}

TEST(an_access_that_is_known_hits_all_that_it_touches)
{
	struct tl_arm64_debug_plan plan = machine(1, 4);

	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, 0x1004, 4), TL_OK);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, 0x1008, 1), TL_OK);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_READ, 0x1008, 8), TL_OK);
	CHECK_EQUAL(tl_arm64_debug_hits(&plan, 0x1000, 16, true, TL_ACCESS_WRITE), 3); /* stp */
	CHECK_EQUAL(tl_arm64_debug_hits(&plan, 0x1000, 16, true, TL_ACCESS_READ), 4);
	CHECK_EQUAL(tl_arm64_debug_hits(&plan, 0x1008, 8, true, TL_ACCESS_BOTH), 6);
	CHECK_EQUAL(tl_arm64_debug_hits(&plan, 0x1000, 4, true, TL_ACCESS_WRITE), 0);
}

TEST(a_far_below_what_is_watched_is_taken_for_the_nearest)
{
	struct tl_arm64_debug_plan plan = machine(1, 4);

	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, 0x1020, 8), TL_OK);
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_WRITE, 0x1030, 8), TL_OK);
	CHECK_EQUAL(tl_arm64_debug_hits(&plan, 0x1000, 1, false, TL_ACCESS_NONE), 1);
	CHECK_EQUAL(tl_arm64_debug_hits(&plan, 0x1032, 1, false, TL_ACCESS_NONE), 2);
	CHECK_EQUAL(tl_arm64_debug_hits(&plan, 0x1000, 1, false, TL_ACCESS_READ), 0);
	CHECK_EQUAL(tl_arm64_debug_hits(&plan, 0x100000, 1, false, TL_ACCESS_NONE), 0);
	/* Two at one place, of different kinds: both. */
	CHECK_EQUAL(tl_arm64_debug_add(&plan, TL_ARM64_DEBUG_READ, 0x1020, 8), TL_OK);
	CHECK_EQUAL(tl_arm64_debug_hits(&plan, 0x1000, 1, false, TL_ACCESS_NONE), 5);
}

/* ---- What a SIGTRAP is ---- */

TEST(traps_of_the_kernel)
{
	static const struct {
		int signal, code;
		bool stepping, break_here;
		tl_u64 address;
		enum tl_arm64_trap trap;
	} rows[] = {
		{SIGTRAP, TRAP_BRKPT, false, false, 0x1000, TL_ARM64_TRAP_BRK},
		{SIGTRAP, TRAP_BRKPT, true, true, 0x1000, TL_ARM64_TRAP_BRK},
		{SIGTRAP, TRAP_TRACE, true, false, 0x1000, TL_ARM64_TRAP_STEP},
		{SIGTRAP, TRAP_TRACE, false, false, 0x1000, TL_ARM64_TRAP_NONE},
		{SIGTRAP, SIGTRAP, true, false, 0, TL_ARM64_TRAP_STEP}, /* into a handler */
		{SIGTRAP, SI_USER, true, false, 0, TL_ARM64_TRAP_STEP}, /* over a system call: nobody sent it */
		{SIGTRAP, SI_USER, false, false, 0, TL_ARM64_TRAP_NONE},
		{SIGTRAP, SI_TKILL, true, false, 0, TL_ARM64_TRAP_NONE},
		{SIGTRAP, TRAP_HWBKPT, false, true, 0x1000, TL_ARM64_TRAP_BREAKPOINT},
		{SIGTRAP, TRAP_HWBKPT, false, true, 0x2000, TL_ARM64_TRAP_WATCHPOINT},
		{SIGTRAP, TRAP_HWBKPT, true, false, 0x1000, TL_ARM64_TRAP_WATCHPOINT},
		{SIGSEGV, SEGV_MAPERR, true, true, 0x1000, TL_ARM64_TRAP_NONE},
	};

	for (size_t i = 0; i < TL_COUNT(rows); i++) {
		siginfo_t info = {.si_signo = rows[i].signal, .si_code = rows[i].code};
		struct tl_arm64_signal_facts facts = {&info, 0x1000, rows[i].stepping, rows[i].break_here};

		if (rows[i].address != 0)
			info.si_addr = (void *)(uintptr_t)rows[i].address;
		if (tl_arm64_trap_of(&facts) != rows[i].trap)
			printf("  row %zu\n", i);
		CHECK_EQUAL(tl_arm64_trap_of(&facts), rows[i].trap);
	}
}

TEST(a_process_that_sends_one_is_no_step)
{
	siginfo_t info = {.si_signo = SIGTRAP, .si_code = SI_USER};
	struct tl_arm64_signal_facts facts = {&info, 0x1000, true, false};

	CHECK(tl_arm64_is_trap(&info));
	info.si_pid = 4711;
	CHECK_EQUAL(tl_arm64_trap_of(&facts), TL_ARM64_TRAP_NONE);
	CHECK(!tl_arm64_is_trap(&info));
}

TEST(an_access_that_is_known_is_the_hit_and_else_what_it_may_have_met)
{
	struct tl_arm64_debug_plan plan = {.break_count = 2, .watch_count = 4};
	struct tl_arm64_instruction store = {.access = TL_ACCESS_WRITE, .access_size = 8};
	struct tl_hit hits[TL_HITS_MAX];
	enum tl_arm64_debug_kind kind;

	REQUIRE(tl_arm64_points_kind(TL_POINT_READ, &kind) && kind == TL_ARM64_DEBUG_READ);
	REQUIRE(tl_arm64_points_kind(TL_POINT_WRITE, &kind) && kind == TL_ARM64_DEBUG_WRITE);
	CHECK(!tl_arm64_points_kind(TL_POINT_SOFTWARE, &kind));
	CHECK_EQUAL(tl_arm64_debug_add(&plan, kind, 0x1004, 2), TL_OK);
	CHECK_EQUAL(tl_arm64_points_hits(&plan, 0x1000, 0x1000, &store, hits), 1);
	CHECK_EQUAL(hits[0].address, 0x1000);
	CHECK_EQUAL(hits[0].size, 8);
	/* Not known where: the piece that is watched. */
	CHECK_EQUAL(tl_arm64_points_hits(&plan, 0x1000, 0, NULL, hits), 1);
	CHECK_EQUAL(hits[0].address, 0x1004);
	CHECK_EQUAL(hits[0].size, 2);
	CHECK_EQUAL(tl_arm64_debug_remove(&plan, TL_ARM64_DEBUG_WRITE, 0x1004, 2), TL_OK);
	CHECK_EQUAL(tl_arm64_points_hits(&plan, 0x1000, 0x1000, &store, hits), 0);
}
