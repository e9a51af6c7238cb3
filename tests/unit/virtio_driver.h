/*
 * A guest for virtio devices: some memory, and a driver in C that sets up queues in it, well or badly.
 */
#ifndef TL_TESTS_UNIT_VIRTIO_DRIVER_H
#define TL_TESTS_UNIT_VIRTIO_DRIVER_H

#include "machine/virtio.h"

#include <stdbool.h>
#include <string.h>

#define GUEST_START 0x80000000u
#ifndef GUEST_SIZE
#define GUEST_SIZE 0x400000u
#endif

#define FEATURE_EVENT_INDEX ((tl_u64)1 << 29)
#define FEATURE_VERSION_1 ((tl_u64)1 << 32)

#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2
#define DESCRIPTOR_INDIRECT 4

#define STATUS_ALL 0x0f
#define STATUS_NEEDS_RESET 0x40

enum {
	REGISTER_ID = 0x008,
	REGISTER_DEVICE_FEATURES = 0x010,
	REGISTER_DEVICE_SELECT = 0x014,
	REGISTER_DRIVER_FEATURES = 0x020,
	REGISTER_DRIVER_SELECT = 0x024,
	REGISTER_QUEUE = 0x030,
	REGISTER_QUEUE_MAX = 0x034,
	REGISTER_QUEUE_SIZE = 0x038,
	REGISTER_READY = 0x044,
	REGISTER_NOTIFY = 0x050,
	REGISTER_INTERRUPT = 0x060,
	REGISTER_ACKNOWLEDGE = 0x064,
	REGISTER_STATUS = 0x070,
	REGISTER_DESCRIPTORS = 0x080,
	REGISTER_DRIVER = 0x090,
	REGISTER_DEVICE = 0x0a0,
	REGISTER_CONFIGURATION = 0x100
};

/* What the driver remembers of a queue: where it put the parts, and how far it is. */
struct guest_queue {
	tl_u64 descriptors, driver, device;
	tl_u16 size, next_descriptor, available, used;
};

struct guest {
	tl_u8 *bytes; /* GUEST_SIZE of them */
	struct tl_virtio virtio;
	struct guest_queue queues[TL_VIRTIO_QUEUES_MAX];
	bool line;
	unsigned rises, changes;
};

static inline tl_u8 *guest_at(struct guest *guest, tl_u64 address)
{
	return guest->bytes + (address - GUEST_START);
}

static inline bool guest_has(tl_u64 address, tl_u64 size)
{
	return address >= GUEST_START && address - GUEST_START <= GUEST_SIZE &&
	       size <= GUEST_SIZE - (address - GUEST_START);
}

static inline const tl_u8 *guest_view(void *context, tl_u64 address, tl_u64 size)
{
	return guest_has(address, size) ? guest_at(context, address) : NULL;
}

static inline tl_u8 *guest_change(void *context, tl_u64 address, tl_u64 size)
{
	struct guest *guest = context;

	guest->changes++;
	return guest_has(address, size) ? guest_at(guest, address) : NULL;
}

static inline void guest_interrupt(void *context, tl_u32 number, bool level)
{
	struct guest *guest = context;

	(void)number;
	if (level && !guest->line)
		guest->rises++;
	guest->line = level;
}

static inline void guest_connect(struct guest *guest)
{
	guest->virtio.memory = (struct tl_guest_memory){guest_view, guest_change, guest};
	guest->virtio.line = (struct tl_line){.set = guest_interrupt, .context = guest};
}

static inline tl_u32 guest_get(struct guest *guest, tl_u64 offset)
{
	return (tl_u32)tl_virtio_operations.read(&guest->virtio, offset, 4);
}

static inline void guest_set(struct guest *guest, tl_u64 offset, tl_u64 value)
{
	tl_virtio_operations.write(&guest->virtio, offset, value, 4);
}

static inline void guest_set_long(struct guest *guest, tl_u64 offset, tl_u64 value)
{
	guest_set(guest, offset, value & 0xffffffff);
	guest_set(guest, offset + 4, value >> 32);
}

static inline tl_u64 guest_features(struct guest *guest)
{
	tl_u64 features;

	guest_set(guest, REGISTER_DEVICE_SELECT, 1);
	features = (tl_u64)guest_get(guest, REGISTER_DEVICE_FEATURES) << 32;
	guest_set(guest, REGISTER_DEVICE_SELECT, 0);
	return features | guest_get(guest, REGISTER_DEVICE_FEATURES);
}

/* Up to FEATURES_OK; whether that stayed. */
static inline bool guest_agree(struct guest *guest, tl_u64 features)
{
	guest_set(guest, REGISTER_STATUS, 0);
	guest_set(guest, REGISTER_STATUS, 1);
	guest_set(guest, REGISTER_STATUS, 3);
	guest_set(guest, REGISTER_DRIVER_SELECT, 0);
	guest_set(guest, REGISTER_DRIVER_FEATURES, features & 0xffffffff);
	guest_set(guest, REGISTER_DRIVER_SELECT, 1);
	guest_set(guest, REGISTER_DRIVER_FEATURES, features >> 32);
	guest_set(guest, REGISTER_STATUS, 0x0b);
	return (guest_get(guest, REGISTER_STATUS) & 8) != 0;
}

/* A queue with its parts in memory of its own: 64 KiB from the start for each. */
static inline void guest_set_up_queue(struct guest *guest, tl_u32 number, tl_u16 size)
{
	struct guest_queue *queue = &guest->queues[number];
	tl_u64 start = GUEST_START + number * 0x10000;

	memset(guest_at(guest, start), 0, 0x10000);
	*queue = (struct guest_queue){
		.descriptors = start, .driver = start + 0x4000, .device = start + 0x8000, .size = size};
	guest_set(guest, REGISTER_QUEUE, number);
	guest_set(guest, REGISTER_QUEUE_SIZE, size);
	guest_set_long(guest, REGISTER_DESCRIPTORS, queue->descriptors);
	guest_set_long(guest, REGISTER_DRIVER, queue->driver);
	guest_set_long(guest, REGISTER_DEVICE, queue->device);
	guest_set(guest, REGISTER_READY, 1);
}

/* All that a driver does before it uses a device. */
static inline bool guest_start(struct guest *guest, tl_u64 features, tl_u32 queues, tl_u16 size)
{
	if (!guest_agree(guest, features | FEATURE_VERSION_1))
		return false;
	for (tl_u32 i = 0; i < queues; i++)
		guest_set_up_queue(guest, i, size);
	guest_set(guest, REGISTER_STATUS, STATUS_ALL);
	return guest_get(guest, REGISTER_STATUS) == STATUS_ALL;
}

static inline void guest_put_descriptor(struct guest *guest, tl_u64 table, tl_u16 index, tl_u64 address, tl_u32 size,
					tl_u16 flags, tl_u16 next)
{
	tl_u8 *bytes = guest_at(guest, table + (tl_u64)index * 16);

	tl_store_little(bytes, address, 8);
	tl_store_little(bytes + 8, size, 4);
	tl_store_little(bytes + 12, flags, 2);
	tl_store_little(bytes + 14, next, 2);
}

/* Makes the chain that begins at a descriptor available. */
static inline void guest_offer(struct guest *guest, tl_u32 number, tl_u16 head)
{
	struct guest_queue *queue = &guest->queues[number];

	tl_store_little(guest_at(guest, queue->driver + 4 + 2 * (queue->available % queue->size)), head, 2);
	queue->available++;
	tl_store_little(guest_at(guest, queue->driver + 2), queue->available, 2);
}

struct guest_piece {
	tl_u64 address;
	tl_u32 size;
	bool write;
};

/* Offers a buffer of some pieces, in descriptors one behind the other; the first one's index. */
static inline tl_u16 guest_add(struct guest *guest, tl_u32 number, const struct guest_piece *pieces, tl_u16 count)
{
	struct guest_queue *queue = &guest->queues[number];
	tl_u16 head = queue->next_descriptor;

	for (tl_u16 i = 0; i < count; i++) {
		tl_u16 at = queue->next_descriptor, next = (tl_u16)((at + 1) % queue->size);

		guest_put_descriptor(
			guest, queue->descriptors, at, pieces[i].address, pieces[i].size,
			(tl_u16)((pieces[i].write ? DESCRIPTOR_WRITE : 0) | (i + 1 < count ? DESCRIPTOR_NEXT : 0)),
			next);
		queue->next_descriptor = next;
	}
	guest_offer(guest, number, head);
	return head;
}

static inline void guest_notify(struct guest *guest, tl_u32 number)
{
	guest_set(guest, REGISTER_NOTIFY, number);
}

/* Takes the next entry of the used ring; false when there is none. */
static inline bool guest_take(struct guest *guest, tl_u32 number, tl_u32 *head_ret, tl_u32 *length_ret)
{
	struct guest_queue *queue = &guest->queues[number];
	const tl_u8 *entry = guest_at(guest, queue->device + 4 + 8 * (queue->used % queue->size));

	*head_ret = *length_ret = 0;
	if ((tl_u16)tl_load_little(guest_at(guest, queue->device + 2), 2) == queue->used)
		return false;
	*head_ret = (tl_u32)tl_load_little(entry, 4);
	*length_ret = (tl_u32)tl_load_little(entry + 4, 4);
	queue->used++;
	return true;
}

static inline bool guest_broke(struct guest *guest)
{
	return (guest_get(guest, REGISTER_STATUS) & STATUS_NEEDS_RESET) != 0;
}

#endif
