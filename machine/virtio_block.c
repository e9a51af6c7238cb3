#include "machine/virtio_block.h"

#define QUEUE_SIZE 128
/* What the driver is asked to keep to (5.2.4). */
#define SEGMENT_MAX 0x10000
#define SEGMENTS_MAX 64
/*
 * The most that a request may carry, since it is done in one go. U-Boot does not keep to what it is asked: it reads a
 * file that lies in one piece, an initial file system, say, with one request.
 */
#define REQUEST_MAX ((tl_u64)128 << 20)

/* 5.2.3 */
#define FEATURE_SEGMENT_MAX 1
#define FEATURE_SEGMENTS_MAX 2
#define FEATURE_READ_ONLY 5
#define FEATURE_BLOCK_SIZE 6
#define FEATURE_FLUSH 9
#define FEATURE_TOPOLOGY 10
#define BIT(number) ((tl_u64)1 << (number))

/* 5.2.4: offsets of what the driver reads */
#define CONFIGURATION_CAPACITY 0
#define CONFIGURATION_SEGMENT_MAX 8
#define CONFIGURATION_SEGMENTS_MAX 12
#define CONFIGURATION_BLOCK_SIZE 20
#define CONFIGURATION_PHYSICAL_EXPONENT 24
#define CONFIGURATION_QUEUES 34

/* 5.2.6: a header of type, 4 bytes of nothing, and sector; data; a byte of status */
#define HEADER_SIZE 16
#define HEADER_SECTOR 8

enum { REQUEST_READ = 0, REQUEST_WRITE = 1, REQUEST_FLUSH = 4, REQUEST_ID = 8 };
enum { STATUS_OK = 0, STATUS_ERROR = 1, STATUS_UNSUPPORTED = 2 };

/* Checks what of the disk a request wants; the position is in bytes. */
static bool in_range(const struct tl_virtio_block *block, tl_u64 sector, tl_u64 size, tl_u64 *position_ret)
{
	tl_u64 sectors = block->disk->size / TL_DISK_SECTOR;

	if (size % TL_DISK_SECTOR != 0 || size > REQUEST_MAX || sector > sectors ||
	    size / TL_DISK_SECTOR > sectors - sector)
		return false;
	*position_ret = sector * TL_DISK_SECTOR;
	return true;
}

/* From the disk into all but the last byte of what may be written. */
static tl_u8 read_disk(struct tl_virtio_block *block, const struct tl_virtio_chain *chain, tl_u64 sector)
{
	tl_u64 size = chain->writable_size - 1, position, part = 0;

	block->reads++;
	if (!in_range(block, sector, size, &position))
		return STATUS_ERROR;
	for (tl_u64 done = 0; done < size; done += part) {
		tl_u8 *to = tl_virtio_chain_change(chain, done, size - done, &part);

		if (to == NULL || tl_disk_read(block->disk, position + done, to, part) != TL_OK)
			return STATUS_ERROR;
	}
	return STATUS_OK;
}

static tl_u8 write_disk(struct tl_virtio_block *block, const struct tl_virtio_chain *chain, tl_u64 sector)
{
	tl_u64 size = chain->readable_size - HEADER_SIZE, position, part = 0;

	block->writes++;
	if (!in_range(block, sector, size, &position))
		return STATUS_ERROR;
	for (tl_u64 done = 0; done < size; done += part) {
		const tl_u8 *from = tl_virtio_chain_view(chain, HEADER_SIZE + done, size - done, &part);

		if (from == NULL || tl_disk_write(block->disk, position + done, from, part) != TL_OK)
			return STATUS_ERROR;
	}
	return STATUS_OK;
}

static tl_u8 tell_id(const struct tl_virtio_block *block, const struct tl_virtio_chain *chain)
{
	return chain->writable_size - 1 >= TL_VIRTIO_BLOCK_ID &&
			       tl_virtio_chain_write(chain, 0, block->id, TL_VIRTIO_BLOCK_ID)
		       ? STATUS_OK
		       : STATUS_ERROR;
}

static tl_u8 carry_out(struct tl_virtio_block *block, const struct tl_virtio_chain *chain, const tl_u8 *header)
{
	tl_u64 sector = tl_load_little(header + HEADER_SECTOR, 8);

	switch (tl_load_little(header, 4)) {
	case REQUEST_READ:
		return read_disk(block, chain, sector);
	case REQUEST_WRITE:
		return write_disk(block, chain, sector);
	case REQUEST_FLUSH:
		block->flushes++;
		return tl_disk_flush(block->disk) == TL_OK ? STATUS_OK : STATUS_ERROR;
	case REQUEST_ID:
		return tell_id(block, chain);
	default:
		return STATUS_UNSUPPORTED;
	}
}

/* One buffer. Where nothing can be read or answered the driver is beyond help. False: the device is broken. */
static bool serve(struct tl_virtio_block *block, const struct tl_virtio_chain *chain)
{
	tl_u8 header[HEADER_SIZE], status;

	if (chain->writable_size == 0 || !tl_virtio_chain_read(chain, 0, header, sizeof(header))) {
		tl_virtio_break(block->virtio);
		return false;
	}
	status = carry_out(block, chain, header);
	if (status != STATUS_OK)
		block->errors++;
	if (!tl_virtio_chain_write(chain, chain->writable_size - 1, &status, 1)) {
		tl_virtio_break(block->virtio);
		return false;
	}
	/* Of a request that failed only the status is said to be written. The size fits: reads are bounded. */
	tl_virtio_give(block->virtio, 0, chain,
		       status == STATUS_OK && tl_load_little(header, 4) != REQUEST_WRITE ? (tl_u32)chain->writable_size
											 : 1);
	return true;
}

/* Ends, as no driver runs meanwhile: the ring holds so many. */
static void notify(void *device, tl_u32 queue)
{
	struct tl_virtio_block *block = device;
	struct tl_virtio_chain chain;

	while (tl_virtio_take(block->virtio, queue, &chain))
		if (!serve(block, &chain))
			return;
	tl_virtio_tell(block->virtio, queue);
}

static const struct tl_virtio_kind kind = {
	.name = "block", .id = TL_VIRTIO_ID_BLOCK, .queues = 1, .queue_size = QUEUE_SIZE, .notify = notify};

void tl_virtio_block_plug(struct tl_virtio_block *block_ret, struct tl_virtio *virtio, struct tl_disk *disk,
			  const char *id)
{
	tl_u64 features = BIT(FEATURE_SEGMENT_MAX) | BIT(FEATURE_SEGMENTS_MAX) | BIT(FEATURE_BLOCK_SIZE) |
			  BIT(FEATURE_FLUSH) | BIT(FEATURE_TOPOLOGY);

	if (disk->mode == TL_DISK_READ_ONLY)
		features |= BIT(FEATURE_READ_ONLY);
	*block_ret = (struct tl_virtio_block){.virtio = virtio, .disk = disk};
	for (tl_u32 i = 0; i < TL_VIRTIO_BLOCK_ID && id[i] != 0; i++)
		block_ret->id[i] = id[i];
	tl_store_little(block_ret->configuration + CONFIGURATION_CAPACITY, disk->size / TL_DISK_SECTOR, 8);
	tl_store_little(block_ret->configuration + CONFIGURATION_SEGMENT_MAX, SEGMENT_MAX, 4);
	tl_store_little(block_ret->configuration + CONFIGURATION_SEGMENTS_MAX, SEGMENTS_MAX, 4);
	tl_store_little(block_ret->configuration + CONFIGURATION_BLOCK_SIZE, TL_DISK_SECTOR, 4);
	/* Writes of whole blocks of the overlay are cheapest. */
	tl_store_little(block_ret->configuration + CONFIGURATION_PHYSICAL_EXPONENT, 3, 1);
	tl_store_little(block_ret->configuration + CONFIGURATION_QUEUES, 1, 2);
	tl_virtio_plug(virtio, &kind, block_ret, features, block_ret->configuration, sizeof(block_ret->configuration));
}
