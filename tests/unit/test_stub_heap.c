#include "stubs/baremetal/heap.h"
#include "tests/unit/test.h"

#define SIZE 4096u
#define BLOCKS 24u

static tl_u8 storage[SIZE] __attribute__((aligned(16)));

TEST(blocks_come_aligned_and_whole)
{
	struct tl_stub_heap heap;
	tl_u8 *one, *two;

	tl_stub_heap_init(&heap, storage, SIZE + 7);
	one = tl_stub_heap_resize(&heap, NULL, 0, 1);
	two = tl_stub_heap_resize(&heap, NULL, 0, 33);
	REQUIRE(one != NULL && two != NULL);
	CHECK_EQUAL((tl_uintptr)one & 15, 0);
	CHECK_EQUAL((tl_uintptr)two & 15, 0);
	CHECK_EQUAL(heap.used, 16 + 48);
	CHECK(tl_stub_heap_resize(&heap, NULL, 0, SIZE) == NULL);
	CHECK(tl_stub_heap_resize(&heap, NULL, 0, TL_SIZE_MAX) == NULL);
	CHECK(tl_stub_heap_resize(&heap, one, 1, 0) == NULL);
	CHECK(tl_stub_heap_resize(&heap, two, 33, 0) == NULL);
	CHECK_EQUAL(heap.used, 0);
	/* All of it is one gap again. */
	CHECK(tl_stub_heap_resize(&heap, NULL, 0, SIZE) == storage);
}

TEST(a_block_that_does_not_grow_is_untouched)
{
	struct tl_stub_heap heap;
	tl_u8 *block;

	tl_stub_heap_init(&heap, storage, 64);
	block = tl_stub_heap_resize(&heap, NULL, 0, 48);
	REQUIRE(block != NULL);
	memset(block, 0x5a, 48);
	CHECK(tl_stub_heap_resize(&heap, block, 48, 64) == NULL);
	CHECK(block[0] == 0x5a && block[47] == 0x5a);
	CHECK(tl_stub_heap_resize(&heap, block, 48, 40) == block);
}

struct block {
	tl_u8 *at;
	tl_size size;
};

/* Each block is full of a number of its own; whoever overlaps it shows. */
static bool whole(const struct block *block, tl_u8 mark)
{
	for (tl_size i = 0; i < block->size; i++)
		if (block->at[i] != mark)
			return false;
	return true;
}

TEST(blocks_never_meet_in_any_order)
{
	struct tl_stub_heap heap;
	struct block blocks[BLOCKS] = {0};
	unsigned random = 1, refused = 0;

	tl_stub_heap_init(&heap, storage, SIZE);
	for (unsigned turn = 0; turn < 100000; turn++) {
		struct block *block;
		tl_size size;
		tl_u8 *at;

		random = random * 1103515245u + 12345u;
		block = &blocks[random >> 16 & 15];
		size = (random >> 20) % 5 == 0 ? 0 : random >> 8 & 511;
		REQUIRE(whole(block, (tl_u8)(block - blocks)));
		at = tl_stub_heap_resize(&heap, block->at, block->size, size);
		if (at == NULL && size != 0) {
			refused++;
			continue;
		}
		*block = (struct block){at, size};
		if (size != 0)
			memset(at, (int)(block - blocks), size);
	}
	CHECK(refused != 0);
	for (unsigned n = 0; n < BLOCKS; n++)
		(void)tl_stub_heap_resize(&heap, blocks[n].at, blocks[n].size, 0);
	CHECK_EQUAL(heap.used, 0);
	CHECK(heap.gaps != NULL && heap.gaps->size == SIZE && heap.gaps->next == NULL);
	CHECK(heap.most <= SIZE);
}
