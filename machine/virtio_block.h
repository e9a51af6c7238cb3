/*
 * A virtio block device over a disk. Requests are carried out when the driver announces them; a failure of the host
 * becomes an I/O error in the guest, and its particulars stay in the disk.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, OASIS, 5.2.
 */
#ifndef TL_MACHINE_VIRTIO_BLOCK_H
#define TL_MACHINE_VIRTIO_BLOCK_H

#include "machine/disk.h"
#include "machine/virtio.h"

#define TL_VIRTIO_BLOCK_ID 20 /* bytes of the disk's name */

/* There is no state in it beside the slot's and the disk's. */
struct tl_virtio_block {
	struct tl_virtio *virtio;
	struct tl_disk *disk;
	char id[TL_VIRTIO_BLOCK_ID]; /* what the guest sees as its serial number */
	tl_u8 configuration[60];
	/* For people: requests so far, and those that failed, the guest's own mistakes among them. */
	tl_u64 reads, writes, flushes, errors;
};

/* Puts a disk into a slot. Both are borrowed; `id` is copied, as far as there is room. */
void tl_virtio_block_plug(struct tl_virtio_block *block_ret, struct tl_virtio *virtio, struct tl_disk *disk,
			  const char *id);

#endif
