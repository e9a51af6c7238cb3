/* Which debug registers a stretch of memory takes. */
#include "debugger/session/debug_registers.h"
#include "tests/unit/test.h"

static tl_size pieces(enum tl_breakpoint_kind kind, tl_u64 address, tl_u64 size,
		      struct tl_debug_piece pieces_ret[TL_DEBUG_PIECES_MAX])
{
	const struct tl_breakpoint breakpoint = {.kind = kind};
	const struct tl_watched watched = {.address = address, .size = size};

	return tl_debug_pieces(&breakpoint, &watched, pieces_ret);
}

TEST(writes_take_one_register_for_each_eight_bytes)
{
	struct tl_debug_piece found[TL_DEBUG_PIECES_MAX];

	REQUIRE(pieces(TL_WATCHPOINT, 0x1000, 8, found) == 1);
	CHECK(found[0].kind == TL_POINT_WRITE && found[0].address == 0x1000 && found[0].size == 8);
	REQUIRE(pieces(TL_WATCHPOINT, 0x1001, 3, found) == 1);
	CHECK(found[0].address == 0x1000 && found[0].size == 4);
	REQUIRE(pieces(TL_WATCHPOINT, 0x1003, 2, found) == 1);
	CHECK(found[0].address == 0x1000 && found[0].size == 8);
	REQUIRE(pieces(TL_WATCHPOINT, 0x1006, 4, found) == 2);
	CHECK(found[0].address == 0x1006 && found[0].size == 2);
	CHECK(found[1].address == 0x1008 && found[1].size == 2);
	CHECK_EQUAL(pieces(TL_WATCHPOINT, 0x1000, 24, found), 3);
	CHECK_EQUAL(pieces(TL_WATCHPOINT, 0x1007, TL_WATCHED_SIZE_MAX, found), 9);
}

TEST(reads_take_what_they_are_and_no_more)
{
	struct tl_debug_piece found[TL_DEBUG_PIECES_MAX];
	tl_u64 at = 0x1001;

	REQUIRE(pieces(TL_WATCHPOINT_READ, 0x1001, 7, found) == 3);
	for (int i = 0; i < 3; i++) {
		CHECK(found[i].kind == TL_POINT_READ && found[i].address == at);
		at += found[i].size;
	}
	CHECK_EQUAL(at, 0x1008);
	REQUIRE(pieces(TL_WATCHPOINT_ACCESS, 0x1000, 8, found) == 1);
	CHECK(found[0].kind == TL_POINT_ACCESS && found[0].size == 8);
	CHECK(pieces(TL_WATCHPOINT_ACCESS, 0x1001, TL_WATCHED_SIZE_MAX, found) <= TL_DEBUG_PIECES_MAX);
}

TEST(the_end_of_all_addresses_is_an_end)
{
	struct tl_debug_piece found[TL_DEBUG_PIECES_MAX];

	REQUIRE(pieces(TL_WATCHPOINT, 0xfffffffffffffff0u, 8, found) == 1);
	CHECK(found[0].address == 0xfffffffffffffff0u && found[0].size == 8);
	CHECK(pieces(TL_WATCHPOINT, 0xfffffffffffffffcu, 8, found) <= TL_DEBUG_PIECES_MAX);
}
