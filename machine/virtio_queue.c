#include "machine/virtio_queue.h"

#include <endian.h>

/*
 * For a guest that runs beside us. gcc's thread sanitizer does not know fences, and refuses them; what it sees runs in
 * one thread.
 */
#if defined(__SANITIZE_THREAD__)
#define FENCE(order) ((void)(order))
#else
#define FENCE(order) __atomic_thread_fence(order)
#endif

/* Of a descriptor, 16 bytes: address, length, flags, the next one's index. */
#define DESCRIPTOR_SIZE 16
#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2
#define DESCRIPTOR_INDIRECT 4

/* Of both rings: flags, index, entries, and behind those the index that the other side waits for. */
#define RING_INDEX 2
#define RING_ENTRIES 4
#define AVAILABLE_ENTRY 2
#define USED_ENTRY 8

#define AVAILABLE_NO_INTERRUPT 1

struct descriptor {
	tl_u64 address;
	tl_u32 size;
	tl_u16 flags, next;
};

static tl_u64 available_ring(const struct tl_virtio_queue *queue, tl_u64 offset)
{
	return queue->driver + offset;
}

/* In one load: under a hypervisor the guest may write meanwhile. */
static bool load16(const struct tl_guest_memory *memory, tl_u64 address, tl_u16 *value_ret)
{
	const tl_u8 *bytes = memory->view(memory->context, address, sizeof(*value_ret));
	tl_u16 value;

	if (bytes == NULL)
		return false;
	__builtin_memcpy(&value, bytes, sizeof(value));
	*value_ret = le16toh(value);
	return true;
}

static bool store16(const struct tl_guest_memory *memory, tl_u64 address, tl_u16 value)
{
	tl_u8 *bytes = memory->change(memory->context, address, sizeof(value));

	if (bytes == NULL)
		return false;
	value = htole16(value);
	__builtin_memcpy(bytes, &value, sizeof(value));
	return true;
}

/* The table is checked as a whole, so that an index below its size is enough for one descriptor. */
static bool load_descriptor(const struct tl_guest_memory *memory, tl_u64 table, tl_u16 index,
			    struct descriptor *descriptor_ret)
{
	const tl_u8 *bytes = memory->view(memory->context, table + (tl_u64)index * DESCRIPTOR_SIZE, DESCRIPTOR_SIZE);

	if (bytes == NULL)
		return false;
	descriptor_ret->address = tl_load_little(bytes, 8);
	descriptor_ret->size = (tl_u32)tl_load_little(bytes + 8, 4);
	descriptor_ret->flags = (tl_u16)tl_load_little(bytes + 12, 2);
	descriptor_ret->next = (tl_u16)tl_load_little(bytes + 14, 2);
	return true;
}

/* Pieces to be read come first (2.7.4.2); a chain has no more of them than the queue has descriptors (2.7.5.1). */
static bool add_piece(const struct tl_virtio_queue *queue, struct tl_virtio_chain *chain,
		      const struct descriptor *descriptor)
{
	bool write = (descriptor->flags & DESCRIPTOR_WRITE) != 0;
	tl_u32 count = chain->readable + chain->writable;

	if (count >= queue->size || (!write && chain->writable != 0))
		return false;
	chain->pieces[count] = (struct tl_virtio_piece){descriptor->address, descriptor->size};
	if (write) {
		chain->writable++;
		chain->writable_size += descriptor->size;
	} else {
		chain->readable++;
		chain->readable_size += descriptor->size;
	}
	return true;
}

/* A chain in a table of `count` descriptors. Ends, because it has no more pieces than the queue has descriptors. */
static bool walk(const struct tl_virtio_queue *queue, struct tl_virtio_chain *chain, tl_u64 table, tl_u32 count,
		 tl_u16 index)
{
	struct descriptor descriptor;

	do {
		if (index >= count || !load_descriptor(chain->memory, table, index, &descriptor) ||
		    (descriptor.flags & DESCRIPTOR_INDIRECT) != 0 || !add_piece(queue, chain, &descriptor))
			return false;
		index = descriptor.next;
	} while ((descriptor.flags & DESCRIPTOR_NEXT) != 0);
	return true;
}

/* The first descriptor may name a table with the chain in it, and then is all that the queue's own table has (2.7.5.3);
 * whoever has others before it gets no further than walk(). */
static bool collect(const struct tl_virtio_queue *queue, struct tl_virtio_chain *chain)
{
	struct descriptor first;

	if (chain->head >= queue->size || !load_descriptor(chain->memory, queue->descriptors, chain->head, &first))
		return false;
	if ((first.flags & DESCRIPTOR_INDIRECT) == 0)
		return walk(queue, chain, queue->descriptors, queue->size, chain->head);
	if ((first.flags & DESCRIPTOR_NEXT) != 0 || first.size == 0 || first.size % DESCRIPTOR_SIZE != 0 ||
	    first.address + first.size < first.address)
		return false;
	return walk(queue, chain, first.address, first.size / DESCRIPTOR_SIZE, 0);
}

/* Asks to be told of the next buffer, and looks once more: it may have come before the driver could see that. */
static bool await_next(const struct tl_virtio_queue *queue, const struct tl_guest_memory *memory, tl_u16 *index)
{
	tl_u64 event = queue->device + RING_ENTRIES + (tl_u64)queue->size * USED_ENTRY;

	if (!store16(memory, event, queue->seen))
		return false;
	FENCE(__ATOMIC_SEQ_CST);
	return load16(memory, available_ring(queue, RING_INDEX), index);
}

enum tl_virtio_taken tl_virtio_queue_take(struct tl_virtio_queue *queue, const struct tl_guest_memory *memory,
					  bool event_index, struct tl_virtio_chain *chain_ret)
{
	tl_u64 entry = RING_ENTRIES + (tl_u64)(queue->seen & (queue->size - 1)) * AVAILABLE_ENTRY;
	tl_u16 index;

	if (!queue->ready)
		return TL_VIRTIO_EMPTY;
	if (!load16(memory, available_ring(queue, RING_INDEX), &index))
		return TL_VIRTIO_BROKEN;
	if (index == queue->seen && event_index && !await_next(queue, memory, &index))
		return TL_VIRTIO_BROKEN;
	if (index == queue->seen)
		return TL_VIRTIO_EMPTY;
	if ((tl_u16)(index - queue->seen) > queue->size)
		return TL_VIRTIO_BROKEN;
	/* What the index announces was written before it. */
	FENCE(__ATOMIC_ACQUIRE);
	chain_ret->memory = memory;
	chain_ret->readable = chain_ret->writable = 0;
	chain_ret->readable_size = chain_ret->writable_size = 0;
	if (!load16(memory, available_ring(queue, entry), &chain_ret->head) || !collect(queue, chain_ret))
		return TL_VIRTIO_BROKEN;
	queue->seen++;
	return TL_VIRTIO_TAKEN;
}

void tl_virtio_queue_untake(struct tl_virtio_queue *queue)
{
	queue->seen--;
}

bool tl_virtio_queue_give(struct tl_virtio_queue *queue, const struct tl_guest_memory *memory, tl_u16 head,
			  tl_u32 length)
{
	tl_u64 entry = RING_ENTRIES + (tl_u64)(queue->used & (queue->size - 1)) * USED_ENTRY;
	tl_u8 *bytes = memory->change(memory->context, queue->device + entry, USED_ENTRY);

	if (bytes == NULL)
		return false;
	tl_store_little(bytes, head, 4);
	tl_store_little(bytes + 4, length, 4);
	FENCE(__ATOMIC_RELEASE);
	queue->used++;
	return store16(memory, queue->device + RING_INDEX, queue->used);
}

bool tl_virtio_queue_interrupt(struct tl_virtio_queue *queue, const struct tl_guest_memory *memory, bool event_index,
			       bool *wanted_ret)
{
	tl_u16 before = queue->told, value;

	if (!queue->ready || queue->used == before) {
		*wanted_ret = false;
		return true;
	}
	FENCE(__ATOMIC_SEQ_CST);
	if (!event_index) {
		if (!load16(memory, available_ring(queue, 0), &value))
			return false;
		*wanted_ret = (value & AVAILABLE_NO_INTERRUPT) == 0;
	} else {
		tl_u64 event = RING_ENTRIES + (tl_u64)queue->size * AVAILABLE_ENTRY;

		if (!load16(memory, available_ring(queue, event), &value))
			return false;
		/* Whether the entry that it waits for is among the new ones (2.7.10.1), indices going round. */
		*wanted_ret = (tl_u16)(queue->used - value - 1) < (tl_u16)(queue->used - before);
	}
	queue->told = queue->used;
	return true;
}

/* Where in `count` pieces an offset lies: the address, and the bytes from there to the end of the piece. */
static bool locate(const struct tl_virtio_piece *pieces, tl_u32 count, tl_u64 offset, tl_u64 *address_ret,
		   tl_u64 *size_ret)
{
	for (tl_u32 i = 0; i < count; i++) {
		if (offset < pieces[i].size) {
			*address_ret = pieces[i].address + offset;
			*size_ret = pieces[i].size - offset;
			return *address_ret >= offset; /* else it went around the end of the addresses */
		}
		offset -= pieces[i].size;
	}
	return false;
}

const tl_u8 *tl_virtio_chain_view(const struct tl_virtio_chain *chain, tl_u64 offset, tl_u64 size, tl_u64 *size_ret)
{
	tl_u64 address, there;
	const tl_u8 *bytes;

	if (size == 0 || !locate(chain->pieces, chain->readable, offset, &address, &there))
		return NULL;
	size = there < size ? there : size;
	bytes = chain->memory->view(chain->memory->context, address, size);
	if (bytes != NULL)
		*size_ret = size;
	return bytes;
}

tl_u8 *tl_virtio_chain_change(const struct tl_virtio_chain *chain, tl_u64 offset, tl_u64 size, tl_u64 *size_ret)
{
	tl_u64 address, there;
	tl_u8 *bytes;

	if (size == 0 || !locate(chain->pieces + chain->readable, chain->writable, offset, &address, &there))
		return NULL;
	size = there < size ? there : size;
	bytes = chain->memory->change(chain->memory->context, address, size);
	if (bytes != NULL)
		*size_ret = size;
	return bytes;
}

bool tl_virtio_chain_read(const struct tl_virtio_chain *chain, tl_u64 offset, void *bytes, tl_u64 size)
{
	tl_u8 *to = bytes;
	tl_u64 part;

	for (; size != 0; offset += part, to += part, size -= part) {
		const tl_u8 *from = tl_virtio_chain_view(chain, offset, size, &part);

		if (from == NULL)
			return false;
		tl_copy(to, from, part);
	}
	return true;
}

bool tl_virtio_chain_write(const struct tl_virtio_chain *chain, tl_u64 offset, const void *bytes, tl_u64 size)
{
	const tl_u8 *from = bytes;
	tl_u64 part;

	for (; size != 0; offset += part, from += part, size -= part) {
		tl_u8 *to = tl_virtio_chain_change(chain, offset, size, &part);

		if (to == NULL)
			return false;
		tl_copy(to, from, part);
	}
	return true;
}
