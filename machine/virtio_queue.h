/*
 * Virtio's split queues: descriptors, available ring and used ring in memory of the guest, from the device's side.
 *
 * Nothing in them is believed. A queue whose rings or descriptors make no sense is broken: the device takes no more
 * from it until the driver resets it. Each descriptor is copied before it is checked, so that a guest that writes
 * meanwhile (under a hypervisor) cannot change what was checked.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, OASIS, 2.7.
 */
#ifndef TL_MACHINE_VIRTIO_QUEUE_H
#define TL_MACHINE_VIRTIO_QUEUE_H

#include "machine/guest_memory.h"

#define TL_VIRTIO_QUEUE_SIZE_MAX 256

/* One queue, as the driver set it up and as far as it was worked on: all of its state. */
struct tl_virtio_queue {
	tl_u64 descriptors, driver, device; /* guest-physical: the table, the available ring, the used ring */
	tl_u16 size;                        /* of the rings: a power of 2 */
	tl_u16 seen;                        /* the index of the next entry of the available ring */
	tl_u16 used;                        /* the index of the next entry of the used ring */
	tl_u16 told; /* what `used` was when the driver was last interrupted, or might have been */
	bool ready;
};

/* A part of a buffer. */
struct tl_virtio_piece {
	tl_u64 address;
	tl_u32 size;
};

/*
 * A buffer that the driver hands over: pieces that the device reads, then pieces that it writes. Sizes are in bytes,
 * and offsets count from the first byte of all pieces of their kind.
 */
struct tl_virtio_chain {
	const struct tl_guest_memory *memory;
	tl_u16 head; /* names the buffer when it is given back */
	tl_u32 readable, writable;
	tl_u64 readable_size, writable_size;
	struct tl_virtio_piece pieces[TL_VIRTIO_QUEUE_SIZE_MAX];
};

enum tl_virtio_taken { TL_VIRTIO_EMPTY, TL_VIRTIO_TAKEN, TL_VIRTIO_BROKEN };

/*
 * Takes the next buffer that the driver made available. A queue that is not ready is empty. With `event_index`
 * (VIRTIO_F_EVENT_IDX) an empty queue tells the driver that it wants to hear of the next buffer.
 */
enum tl_virtio_taken tl_virtio_queue_take(struct tl_virtio_queue *queue, const struct tl_guest_memory *memory,
					  bool event_index, struct tl_virtio_chain *chain_ret);

/* Puts the buffer back that was taken last, to be taken again: there was nothing to put into it after all. */
void tl_virtio_queue_untake(struct tl_virtio_queue *queue);

/* Gives a buffer back, `length` bytes of which the device wrote. False when the queue is broken. */
TL_CHECKED bool tl_virtio_queue_give(struct tl_virtio_queue *queue, const struct tl_guest_memory *memory, tl_u16 head,
				     tl_u32 length);

/*
 * Whether the driver wants an interrupt for what was given back since this was asked last. *wanted_ret is untouched
 * when the queue is broken, which false says.
 */
TL_CHECKED bool tl_virtio_queue_interrupt(struct tl_virtio_queue *queue, const struct tl_guest_memory *memory,
					  bool event_index, bool *wanted_ret);

/*
 * The bytes of a buffer from `offset` on, as many of at most `size` as lie in one piece: *size_ret, not 0. NULL at the
 * end of the buffer, and where the driver named what is not memory.
 */
const tl_u8 *tl_virtio_chain_view(const struct tl_virtio_chain *chain, tl_u64 offset, tl_u64 size, tl_u64 *size_ret);
/* The same in the pieces that the device writes: as many as are returned are about to be written. */
tl_u8 *tl_virtio_chain_change(const struct tl_virtio_chain *chain, tl_u64 offset, tl_u64 size, tl_u64 *size_ret);

/* Copies out of a buffer or into it. False, with part of it done at most, when it is not long enough or not memory. */
TL_CHECKED bool tl_virtio_chain_read(const struct tl_virtio_chain *chain, tl_u64 offset, void *bytes, tl_u64 size);
TL_CHECKED bool tl_virtio_chain_write(const struct tl_virtio_chain *chain, tl_u64 offset, const void *bytes,
				      tl_u64 size);

#endif
