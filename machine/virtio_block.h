/*
 * A virtio block device over a disk. A failure of the host becomes an I/O error in the guest, and its particulars stay
 * in the disk.
 *
 * Requests are carried out when the driver announces them; or, for a guest that runs meanwhile anyhow, in a thread of
 * somebody else's (`defer`), so that a slow disk holds nobody up. What is done in the guest's memory is done under the
 * board's lock in either case: data to be written is copied when the request is taken, and data that was read when it
 * is finished.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, OASIS, 5.2.
 */
#ifndef TL_MACHINE_VIRTIO_BLOCK_H
#define TL_MACHINE_VIRTIO_BLOCK_H

#include "machine/disk.h"
#include "machine/virtio.h"

#define TL_VIRTIO_BLOCK_ID 20 /* bytes of the disk's name */

/* A request that is carried out elsewhere, with all that takes. Made by the device, which frees it at its end. */
struct tl_virtio_block_request {
	struct tl_virtio_block_request *next; /* for whoever has it */
	tl_u32 type;
	tl_u8 status;          /* as the driver will see it */
	tl_u64 position, size; /* in bytes, inside the disk */
	tl_u8 *data;           /* `size` of them; NULL when there are none */
	tl_u64 era;            /* of the slot, in which it was taken */
	struct tl_virtio_chain chain;
};

/* There is no state in it beside the slot's, the disk's, and what is under way. */
struct tl_virtio_block {
	struct tl_virtio *virtio;
	struct tl_disk *disk;
	char id[TL_VIRTIO_BLOCK_ID]; /* what the guest sees as its serial number */
	tl_u8 configuration[60];
	/* For people: requests so far, and those that failed, the guest's own mistakes among them. */
	tl_u64 reads, writes, flushes, errors;

	/*
	 * Its user's to set: takes a request to have it carried out, one after the other in the order in which they
	 * come, and brings it back to tl_virtio_block_finish. Only then the disk is his, too. NULL: nobody does.
	 */
	void (*defer)(void *context, struct tl_virtio_block_request *request);
	void *context;
	tl_u64 under_way; /* bytes that such requests have; as many as are too many wait in the guest */
};

/* Puts a disk into a slot. Both are borrowed; `id` is copied, as far as there is room. */
void tl_virtio_block_plug(struct tl_virtio_block *block_ret, struct tl_virtio *virtio, struct tl_disk *disk,
			  const char *id);

/* Carries a deferred request out. Any thread, one at a time: it has to do with the request and the disk alone. */
void tl_virtio_block_carry_out(struct tl_disk *disk, struct tl_virtio_block_request *request);

/*
 * Gives it back to the driver and frees it, under the board's lock; nothing is given back to one that has reset the
 * device meanwhile. After the last of several tl_virtio_block_go_on is due.
 */
void tl_virtio_block_finish(struct tl_virtio_block *block, struct tl_virtio_block_request *request);

/* Tells the driver what has been finished, and takes what waited for that. Under the board's lock. */
void tl_virtio_block_go_on(struct tl_virtio_block *block);

/* Frees a request that will not be finished: the machine has ended. */
void tl_virtio_block_drop(struct tl_virtio_block_request *request);

#endif
