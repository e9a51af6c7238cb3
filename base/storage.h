/*
 * Storage for the core and for hosted code: a struct tl_allocator over malloc, which counts what it gives and can be
 * told to fail, so that tests reach every path behind an allocation.
 *
 * Unlike what core/allocator.h asks of an embedder at the least, these may be called from any thread.
 */
#ifndef TL_BASE_STORAGE_H
#define TL_BASE_STORAGE_H

#include "core/allocator.h"

/* The allocator of this process. Constant; never NULL. */
const struct tl_allocator *tl_storage(void);

/*
 * For tests: the n-th allocation or growth from now on fails (1 is the next one), and later ones succeed again. 0 takes
 * the order back. Freeing and shrinking never fail.
 */
void tl_storage_fail(tl_u64 n);
/* The same, but all later ones fail too. */
void tl_storage_fail_from(tl_u64 n);

/* How many allocations and growths there were since the start, the failed ones included. */
tl_u64 tl_storage_calls(void);

/* How many bytes are given out now, as callers asked for them. */
tl_u64 tl_storage_live(void);

#endif
