#include "machine/virtio_block.h"

#include "base/storage.h"

#define QUEUE_SIZE 128
/* What the driver is asked to keep to (5.2.4). */
#define SEGMENT_MAX 0x10000
#define SEGMENTS_MAX 64
/*
 * The most that a request may carry, since it is done in one go. U-Boot does not keep to what it is asked: it reads a
 * file that lies in one piece, an initial file system, say, with one request.
 */
#define REQUEST_MAX ((tl_u64)128 << 20)
/* What requests that are carried out elsewhere may have in copies before others wait: the guest decides how many it
 * makes. */
#define UNDER_WAY_MAX ((tl_u64)16 << 20)

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

/* The buffer goes back with its status. False: the device is broken. */
static bool answer(struct tl_virtio_block *block, const struct tl_virtio_chain *chain, tl_u32 type, tl_u8 status)
{
	if (status != STATUS_OK)
		block->errors++;
	if (!tl_virtio_chain_write(chain, chain->writable_size - 1, &status, 1)) {
		tl_virtio_break(block->virtio);
		return false;
	}
	/* Of a request that failed only the status is said to be written. The size fits: reads are bounded. */
	tl_virtio_give(block->virtio, 0, chain,
		       status == STATUS_OK && type != REQUEST_WRITE ? (tl_u32)chain->writable_size : 1);
	return true;
}

/* ---- Requests that are carried out elsewhere ---- */

static tl_u64 cost(const struct tl_virtio_block_request *request)
{
	return sizeof(*request) + request->size;
}

void tl_virtio_block_drop(struct tl_virtio_block_request *request)
{
	tl_release(tl_storage(), request->data, request->size);
	tl_release(tl_storage(), request, sizeof(*request));
}

/* Room for a request and its data, which are not set: all of them will be. NULL: no memory. */
static struct tl_virtio_block_request *make_request(tl_u64 size)
{
	const struct tl_allocator *storage = tl_storage();
	struct tl_virtio_block_request *request = storage->resize(storage->context, NULL, 0, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->size = size;
	request->data = size != 0 ? storage->resize(storage->context, NULL, 0, size) : NULL;
	if (size == 0 || request->data != NULL)
		return request;
	tl_release(storage, request, sizeof(*request));
	return NULL;
}

/* How many bytes a request moves; false: it is none that has to do with the disk, or with what is not on it. */
static bool is_for_disk(const struct tl_virtio_block *block, const struct tl_virtio_chain *chain, const tl_u8 *header,
			tl_u64 *position_ret, tl_u64 *size_ret)
{
	tl_u64 sector = tl_load_little(header + HEADER_SECTOR, 8);

	*position_ret = *size_ret = 0;
	switch (tl_load_little(header, 4)) {
	case REQUEST_READ:
		*size_ret = chain->writable_size - 1;
		break;
	case REQUEST_WRITE:
		*size_ret = chain->readable_size - HEADER_SIZE;
		break;
	case REQUEST_FLUSH:
		return true;
	default:
		return false;
	}
	return in_range(block, sector, *size_ret, position_ret);
}

static void count(struct tl_virtio_block *block, tl_u32 type)
{
	block->reads += type == REQUEST_READ;
	block->writes += type == REQUEST_WRITE;
	block->flushes += type == REQUEST_FLUSH;
}

/*
 * Hands it to whoever carries requests out; false: it is to be answered with *status_ret. The disk is not ours to use
 * meanwhile, so that a request for which there is no memory fails.
 */
static bool hand_over(struct tl_virtio_block *block, const struct tl_virtio_chain *chain, const tl_u8 *header,
		      tl_u64 position, tl_u64 size, tl_u8 *status_ret)
{
	struct tl_virtio_block_request *request = make_request(size);

	*status_ret = STATUS_ERROR;
	if (request == NULL)
		return false;
	request->next = NULL;
	request->type = (tl_u32)tl_load_little(header, 4);
	request->status = STATUS_ERROR;
	request->position = position;
	request->era = block->virtio->era;
	request->chain = *chain;
	count(block, request->type);
	if (request->type == REQUEST_WRITE && !tl_virtio_chain_read(chain, HEADER_SIZE, request->data, size)) {
		tl_virtio_block_drop(request);
		return false;
	}
	block->under_way += cost(request);
	block->defer(block->context, request);
	return true;
}

void tl_virtio_block_carry_out(struct tl_disk *disk, struct tl_virtio_block_request *request)
{
	enum tl_status status = TL_ERROR_UNSUPPORTED;

	if (request->type == REQUEST_READ)
		status = tl_disk_read(disk, request->position, request->data, request->size);
	else if (request->type == REQUEST_WRITE)
		status = tl_disk_write(disk, request->position, request->data, request->size);
	else if (request->type == REQUEST_FLUSH)
		status = tl_disk_flush(disk);
	request->status = status == TL_OK ? STATUS_OK : STATUS_ERROR;
}

void tl_virtio_block_finish(struct tl_virtio_block *block, struct tl_virtio_block_request *request)
{
	block->under_way -= cost(request);
	if (request->era == block->virtio->era && tl_virtio_started(block->virtio)) {
		if (request->type == REQUEST_READ && request->status == STATUS_OK &&
		    !tl_virtio_chain_write(&request->chain, 0, request->data, request->size))
			request->status = STATUS_ERROR;
		(void)answer(block, &request->chain, request->type, request->status);
	}
	tl_virtio_block_drop(request);
}

/* ---- The queue ---- */

/* One buffer. Where nothing can be read or answered the driver is beyond help. False: the device is broken. */
static bool serve(struct tl_virtio_block *block, const struct tl_virtio_chain *chain)
{
	tl_u8 header[HEADER_SIZE], status;
	tl_u64 position, size;

	if (chain->writable_size == 0 || !tl_virtio_chain_read(chain, 0, header, sizeof(header))) {
		tl_virtio_break(block->virtio);
		return false;
	}
	if (block->defer == NULL || !is_for_disk(block, chain, header, &position, &size))
		status = carry_out(block, chain, header);
	else if (hand_over(block, chain, header, position, size, &status))
		return true;
	return answer(block, chain, (tl_u32)tl_load_little(header, 4), status);
}

/* Ends, as no driver runs meanwhile, or soon makes too many: the ring holds so many. */
static void notify(void *device, tl_u32 queue)
{
	struct tl_virtio_block *block = device;
	struct tl_virtio_chain chain;

	while (block->under_way < UNDER_WAY_MAX && tl_virtio_take(block->virtio, queue, &chain))
		if (!serve(block, &chain))
			return;
	tl_virtio_tell(block->virtio, queue);
}

void tl_virtio_block_go_on(struct tl_virtio_block *block)
{
	notify(block, 0);
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
