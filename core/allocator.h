/*
 * Storage comes from the embedder. The core allocates nothing itself; where something must grow (threads, points,
 * bytecode), it calls this one function.
 */
#ifndef TL_CORE_ALLOCATOR_H
#define TL_CORE_ALLOCATOR_H

#include "core/types.h"

struct tl_allocator {
	/*
	 * Resizes a block, as realloc does: old == NULL allocates, new_size == 0 frees and returns NULL. Returns NULL
	 * with the old block untouched when there is no more storage. Blocks are aligned to 16 bytes. Called on the
	 * control thread only.
	 */
	void *(*resize)(void *context, void *old, tl_size old_size, tl_size new_size);
	void *context;
};

/* Allocates zeroed storage; NULL when there is none. */
static inline void *tl_allocate(const struct tl_allocator *allocator, tl_size size)
{
	void *block = allocator->resize(allocator->context, NULL, 0, size);

	if (block != NULL)
		tl_fill(block, 0, size);
	return block;
}

/* Frees a block of `size` bytes; NULL is fine. */
static inline void tl_release(const struct tl_allocator *allocator, void *block, tl_size size)
{
	if (block != NULL)
		(void)allocator->resize(allocator->context, block, size, 0);
}

/*
 * Makes room for one more element in a growing array: *array of *capacity elements of `element` bytes holding `count`.
 * Doubles. Returns false, with nothing changed, when there is no storage.
 */
static inline bool tl_grow(const struct tl_allocator *allocator, void **array, tl_size *capacity, tl_size count,
			   tl_size element)
{
	tl_size wanted = *capacity != 0 ? *capacity * 2 : 8;
	void *grown;

	if (count < *capacity)
		return true;
	if (wanted > TL_SIZE_MAX / element)
		return false;
	grown = allocator->resize(allocator->context, *array, *capacity * element, wanted * element);
	if (grown == NULL)
		return false;
	*array = grown;
	*capacity = wanted;
	return true;
}

#endif
