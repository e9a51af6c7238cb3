#include "base/storage.h"
#include "tests/unit/test.h"

TEST(blocks_are_zeroed_aligned_and_counted)
{
	tl_u64 before = tl_storage_live();
	tl_u8 *block = tl_allocate(tl_storage(), 100);

	REQUIRE(block != NULL);
	CHECK_EQUAL((uintptr_t)block % 16, 0);
	for (int i = 0; i < 100; i++)
		CHECK_EQUAL(block[i], 0);
	CHECK_EQUAL(tl_storage_live(), before + 100);
	tl_release(tl_storage(), block, 100);
	CHECK_EQUAL(tl_storage_live(), before);
}

TEST(the_nth_allocation_fails_and_the_next_does_not)
{
	void *blocks[3];

	tl_storage_fail(2);
	for (int i = 0; i < 3; i++)
		blocks[i] = tl_allocate(tl_storage(), 8);
	CHECK(blocks[0] != NULL && blocks[1] == NULL && blocks[2] != NULL);
	tl_storage_fail(1);
	tl_storage_fail(0);
	tl_release(tl_storage(), blocks[0], 8);
	blocks[0] = tl_allocate(tl_storage(), 8);
	CHECK(blocks[0] != NULL);
	tl_release(tl_storage(), blocks[0], 8);
	tl_release(tl_storage(), blocks[2], 8);
}

TEST(a_growth_that_fails_changes_nothing)
{
	void *array = NULL;
	tl_size capacity = 0;
	tl_u64 live = tl_storage_live();
	int *numbers;

	REQUIRE(tl_grow(tl_storage(), &array, &capacity, 0, sizeof(int)));
	CHECK_EQUAL(capacity, 8);
	numbers = array;
	for (int i = 0; i < 8; i++)
		numbers[i] = i;
	tl_storage_fail(1);
	CHECK(!tl_grow(tl_storage(), &array, &capacity, 8, sizeof(int)));
	CHECK(array == numbers && capacity == 8 && numbers[7] == 7);
	REQUIRE(tl_grow(tl_storage(), &array, &capacity, 8, sizeof(int)));
	numbers = array;
	CHECK(capacity == 16 && numbers[7] == 7);
	CHECK(!tl_grow(tl_storage(), &array, &capacity, 16, TL_SIZE_MAX / 16));
	tl_release(tl_storage(), array, capacity * sizeof(int));
	CHECK_EQUAL(tl_storage_live(), live);
}

TEST(shrinking_and_freeing_never_fail)
{
	void *block = tl_allocate(tl_storage(), 100);
	tl_u64 calls = tl_storage_calls();

	REQUIRE(block != NULL);
	tl_storage_fail(1);
	block = tl_storage()->resize(tl_storage()->context, block, 100, 50);
	CHECK(block != NULL);
	tl_release(tl_storage(), block, 50);
	CHECK_EQUAL(tl_storage_calls(), calls);
	tl_storage_fail(0);
}
