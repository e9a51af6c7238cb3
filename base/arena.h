/*
 * An arena: storage for many small things that all end together.
 *
 * What is worked out while a program stands (values, frames, texts) lives in one and ends with the next resume; nobody
 * gives back single pieces. Not for use by several threads at once.
 */
#ifndef TL_BASE_ARENA_H
#define TL_BASE_ARENA_H

#include "core/types.h"

struct tl_arena_block;

/* {0} is an empty one without limit. */
struct tl_arena {
	struct tl_arena_block *blocks; /* the newest first */
	tl_size used, room;            /* of the newest */
	tl_size total;                 /* bytes of all blocks */
	tl_size limit;                 /* of `total`; 0: none */
};

/* Zeroed storage, aligned to 16 bytes; NULL when there is none, or it would pass the limit. Size 0 is fine. */
void *tl_arena_allocate(struct tl_arena *arena, tl_size size);

/* A copy of bytes with a zero byte behind them; NULL as above. */
char *tl_arena_copy(struct tl_arena *arena, const void *bytes, tl_size size);

/* Ends everything in it; it can be used again. */
void tl_arena_clear(struct tl_arena *arena);

#endif
