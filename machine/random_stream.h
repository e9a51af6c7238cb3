/*
 * Random bytes that a seed and a position decide: ChaCha20's key stream. Whoever does not know the seed cannot tell
 * them from others, and whoever does has the same again.
 *
 * Source: RFC 8439, 2.3; the block counter here has 64 bits, as its inventor's has, and there is no nonce.
 */
#ifndef TL_MACHINE_RANDOM_STREAM_H
#define TL_MACHINE_RANDOM_STREAM_H

#include "core/types.h"

#define TL_RANDOM_SEED 32

/* All of its state. */
struct tl_random_stream {
	tl_u8 seed[TL_RANDOM_SEED];
	tl_u64 position; /* in bytes */
};

/* The next `size` bytes. */
void tl_random_stream_take(struct tl_random_stream *stream, tl_u8 *bytes, tl_u64 size);

#endif
