#include "base/arena.h"

#include "base/storage.h"

#include <string.h>

#define ALIGNMENT 16
#define BLOCK_SIZE (16u << 10)

struct tl_arena_block {
	struct tl_arena_block *next;
	tl_size size; /* of the bytes behind this header */
	_Alignas(ALIGNMENT) tl_u8 bytes[];
};

/* A new block that has room for `size` bytes at the least. */
static bool add_block(struct tl_arena *arena, tl_size size)
{
	tl_size wanted = size > BLOCK_SIZE ? size : BLOCK_SIZE;
	struct tl_arena_block *block;

	if (arena->limit != 0 && (arena->total > arena->limit || wanted > arena->limit - arena->total))
		return false;
	block = tl_storage()->resize(tl_storage()->context, NULL, 0, sizeof(*block) + wanted);
	if (block == NULL)
		return false;
	block->next = arena->blocks;
	block->size = wanted;
	arena->blocks = block;
	arena->used = 0;
	arena->room = wanted;
	arena->total += wanted;
	return true;
}

void *tl_arena_allocate(struct tl_arena *arena, tl_size size)
{
	tl_size rounded = (size + ALIGNMENT - 1) & ~(tl_size)(ALIGNMENT - 1);
	void *piece;

	if (rounded < size || rounded > TL_SIZE_MAX / 2)
		return NULL;
	if ((arena->blocks == NULL || rounded > arena->room - arena->used) && !add_block(arena, rounded))
		return NULL;
	piece = arena->blocks->bytes + arena->used;
	arena->used += rounded;
	memset(piece, 0, rounded);
	return piece;
}

char *tl_arena_copy(struct tl_arena *arena, const void *bytes, tl_size size)
{
	char *copy = size < TL_SIZE_MAX ? tl_arena_allocate(arena, size + 1) : NULL;

	if (copy != NULL && size != 0)
		memcpy(copy, bytes, size);
	return copy;
}

void tl_arena_clear(struct tl_arena *arena)
{
	while (arena->blocks != NULL) {
		struct tl_arena_block *next = arena->blocks->next;

		tl_release(tl_storage(), arena->blocks, sizeof(*arena->blocks) + arena->blocks->size);
		arena->blocks = next;
	}
	arena->used = arena->room = arena->total = 0;
}
