/* Arenas: pieces do not overlap, are zeroed and aligned, and end together. */
#include "base/arena.h"
#include "base/storage.h"
#include "test.h"

TEST(pieces_are_zeroed_aligned_and_apart)
{
	struct tl_arena arena = {0};
	tl_u8 *pieces[400];

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 400; i++) {
			pieces[i] = tl_arena_allocate(&arena, i);
			REQUIRE(pieces[i] != NULL);
			CHECK_EQUAL((uintptr_t)pieces[i] % 16, 0);
			for (unsigned byte = 0; byte < i; byte++)
				CHECK(pieces[i][byte] == 0);
			memset(pieces[i], (int)(i & 0xff), i);
		}
		for (unsigned i = 0; i < 400; i++)
			for (unsigned byte = 0; byte < i; byte++)
				CHECK(pieces[i][byte] == (i & 0xff));
		tl_arena_clear(&arena);
	}
	CHECK_EQUAL(arena.total, 0);
}

TEST(large_pieces_and_copies)
{
	struct tl_arena arena = {0};
	char *large = tl_arena_allocate(&arena, 1 << 20), *copy;

	REQUIRE(large != NULL);
	memset(large, 'x', 1 << 20);
	copy = tl_arena_copy(&arena, "abc", 2);
	REQUIRE(copy != NULL);
	CHECK_TEXT(copy, "ab");
	copy = tl_arena_copy(&arena, NULL, 0);
	REQUIRE(copy != NULL);
	CHECK_TEXT(copy, "");
	CHECK(large[(1 << 20) - 1] == 'x');
	tl_arena_clear(&arena);
}

TEST(what_is_too_much_is_refused)
{
	struct tl_arena arena = {.limit = 40000};
	tl_u64 live = tl_storage_live();

	CHECK(tl_arena_allocate(&arena, TL_SIZE_MAX) == NULL);
	CHECK(tl_arena_allocate(&arena, TL_SIZE_MAX - 20) == NULL);
	CHECK(tl_arena_copy(&arena, "", TL_SIZE_MAX) == NULL);
	CHECK(tl_arena_allocate(&arena, 30000) != NULL);
	CHECK(tl_arena_allocate(&arena, 30000) == NULL);
	tl_arena_clear(&arena);
	CHECK(tl_arena_allocate(&arena, 30000) != NULL);
	tl_storage_fail(1);
	CHECK(tl_arena_allocate(&arena, 8000) == NULL);
	tl_storage_fail(0);
	tl_arena_clear(&arena);
	CHECK_EQUAL(tl_storage_live(), live);
}
