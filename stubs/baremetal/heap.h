/*
 * Storage for the core out of one fixed block: the first gap that is large enough serves, and gaps that meet become
 * one. Slow for thousands of blocks, small for the few dozen that a stub has. One caller at a time.
 */
#ifndef TL_STUBS_BAREMETAL_HEAP_H
#define TL_STUBS_BAREMETAL_HEAP_H

#include "core/allocator.h"

struct tl_stub_gap {
	tl_size size; /* bytes, a multiple of 16, this header included */
	struct tl_stub_gap *next;
};

struct tl_stub_heap {
	struct tl_stub_gap *gaps; /* by rising address; no two of them touch */
	tl_size used, most;       /* bytes that are handed out; the most that ever were */
};

/* A heap over `size` bytes at `storage`, aligned to 16, which it keeps. What does not fill 16 bytes is left unused. */
void tl_stub_heap_init(struct tl_stub_heap *heap, void *storage, tl_size size);

/* tl_allocator.resize over a struct tl_stub_heap. */
void *tl_stub_heap_resize(void *heap, void *old, tl_size old_size, tl_size new_size);

#endif
