/*
 * A virtio entropy device: its bytes come from a stream that the seed decides, so that a run can be repeated.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, OASIS, 5.4.
 */
#ifndef TL_MACHINE_VIRTIO_RANDOM_H
#define TL_MACHINE_VIRTIO_RANDOM_H

#include "machine/random_stream.h"
#include "machine/virtio.h"

/* Its state is the stream's, and the slot's. */
struct tl_virtio_random {
	struct tl_virtio *virtio;
	struct tl_random_stream stream;
};

/* Puts it into a slot, which is borrowed. The seed is copied: who wants to repeat the run writes it down. */
void tl_virtio_random_plug(struct tl_virtio_random *random_ret, struct tl_virtio *virtio,
			   const tl_u8 seed[TL_RANDOM_SEED]);

#endif
