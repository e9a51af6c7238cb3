#include "stubs/baremetal/heap.h"

#define GRAIN ((tl_size)16)

static tl_size rounded(tl_size size)
{
	return size > TL_SIZE_MAX - GRAIN ? 0 : (size + GRAIN - 1) & ~(GRAIN - 1);
}

void tl_stub_heap_init(struct tl_stub_heap *heap, void *storage, tl_size size)
{
	*heap = (struct tl_stub_heap){0};
	size &= ~(GRAIN - 1);
	if (size == 0)
		return;
	heap->gaps = storage;
	*heap->gaps = (struct tl_stub_gap){size, NULL};
}

static void *take(struct tl_stub_heap *heap, tl_size size)
{
	for (struct tl_stub_gap **link = &heap->gaps; *link != NULL; link = &(*link)->next) {
		struct tl_stub_gap *gap = *link;

		if (gap->size < size)
			continue;
		if (gap->size == size) {
			*link = gap->next;
		} else {
			struct tl_stub_gap *rest = (struct tl_stub_gap *)(void *)((char *)gap + size);

			*rest = (struct tl_stub_gap){gap->size - size, gap->next};
			*link = rest;
		}
		heap->used += size;
		if (heap->used > heap->most)
			heap->most = heap->used;
		return gap;
	}
	return NULL;
}

/* Makes one gap of two when the first ends where the second begins. */
static void join(struct tl_stub_gap *gap)
{
	if (gap->next != NULL && (char *)gap + gap->size == (char *)gap->next) {
		gap->size += gap->next->size;
		gap->next = gap->next->next;
	}
}

static void give_back(struct tl_stub_heap *heap, void *block, tl_size size)
{
	struct tl_stub_gap *gap = block, *before = NULL, *after = heap->gaps;

	while (after != NULL && after < gap) {
		before = after;
		after = after->next;
	}
	*gap = (struct tl_stub_gap){size, after};
	if (before != NULL)
		before->next = gap;
	else
		heap->gaps = gap;
	join(gap);
	if (before != NULL)
		join(before);
	heap->used -= size;
}

void *tl_stub_heap_resize(void *context, void *old, tl_size old_size, tl_size new_size)
{
	struct tl_stub_heap *heap = context;
	tl_size had = rounded(old_size), wanted = rounded(new_size);
	void *block;

	if (new_size != 0 && wanted == 0)
		return NULL;
	if (old != NULL && had == wanted)
		return old;
	if (new_size == 0) {
		if (old != NULL)
			give_back(heap, old, had);
		return NULL;
	}
	block = take(heap, wanted);
	if (block == NULL)
		return NULL;
	if (old != NULL) {
		tl_copy(block, old, old_size < new_size ? old_size : new_size);
		give_back(heap, old, had);
	}
	return block;
}
