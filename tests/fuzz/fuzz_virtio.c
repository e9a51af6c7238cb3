/*
 * Virtio devices under a guest that does anything: registers, rings and descriptors in random order and with random
 * contents, a host that fails, frames and bytes that come in between.
 */
#define GUEST_SIZE 0x30000u

#include "base/storage.h"
#include "machine/virtio_block.h"
#include "machine/virtio_console.h"
#include "machine/virtio_net.h"
#include "machine/virtio_random.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/virtio_driver.h"

#include <stdlib.h>

#define DISK_SIZE 0x8000u
#define DATA 0x20000u /* of guest memory, behind the queues */

enum { BLOCK, CONSOLE, RANDOM, NET, SLOTS };

struct input {
	const uint8_t *bytes;
	size_t size;
};

static tl_u8 memory[GUEST_SIZE], contents[DISK_SIZE];
static struct guest guests[SLOTS];
static struct tl_disk disk;
static struct tl_virtio_block block;
static struct tl_virtio_console console;
static struct tl_virtio_random source;
static struct tl_virtio_net net;
static bool failing;
static tl_u64 heard;

/* Numbers of the input; zeroes when it is used up. */
static tl_u64 take(struct input *input, size_t size)
{
	tl_u64 value = 0;

	size = size < input->size ? size : input->size;
	value = tl_load_little(input->bytes, size);
	input->bytes += size;
	input->size -= size;
	return value;
}

static enum tl_status read_contents(void *context, tl_u64 offset, void *bytes, tl_u64 size, struct tl_error *error)
{
	(void)context;
	if (offset > DISK_SIZE || size > DISK_SIZE - offset)
		abort();
	if (failing)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "cannot read");
	memcpy(bytes, contents + offset, size);
	return TL_OK;
}

static void close_contents(void *context)
{
	(void)context;
}

/* Every byte is looked at, so that a sanitizer sees those that are not there. */
static void listen_to(void *context, const tl_u8 *bytes, tl_u64 size)
{
	(void)context;
	for (tl_u64 i = 0; i < size; i++)
		heard += bytes[i];
}

static void begin(void)
{
	static const struct tl_disk_file file = {.read = read_contents, .close = close_contents};
	static const tl_u8 seed[TL_RANDOM_SEED], address[TL_VIRTIO_NET_ADDRESS];

	memset(memory, 0, sizeof(memory));
	failing = false;
	for (int i = 0; i < SLOTS; i++) {
		guests[i] = (struct guest){.bytes = memory};
		guest_connect(&guests[i]);
		/* Shared by all: they may spoil one another's queues. */
		for (tl_u32 j = 0; j < TL_VIRTIO_QUEUES_MAX; j++)
			guests[i].queues[j] = (struct guest_queue){.descriptors = GUEST_START,
								   .driver = GUEST_START + 0x4000,
								   .device = GUEST_START + 0x8000,
								   .size = 1};
	}
	tl_disk_make(&disk, &file, DISK_SIZE, TL_DISK_OVERLAY);
	tl_virtio_block_plug(&block, &guests[BLOCK].virtio, &disk, "fuzzed");
	tl_virtio_console_plug(&console, &guests[CONSOLE].virtio);
	tl_virtio_random_plug(&source, &guests[RANDOM].virtio, seed);
	tl_virtio_net_plug(&net, &guests[NET].virtio, address);
	console.send = net.send = listen_to;
}

static void start(struct guest *guest, tl_u64 how)
{
	(void)guest_start(guest, (how & 1) != 0 ? FEATURE_EVENT_INDEX : 0, guest->virtio.kind->queues,
			  (tl_u16)(1 << (how >> 1 & 7)));
}

/* A descriptor that leads to memory more often than not. */
static void describe(struct guest *guest, struct input *input)
{
	tl_u64 how = take(input, 1), index = take(input, 1), address, size;
	tl_u64 table = (how & 1) != 0 ? GUEST_START + DATA + 0x1000 : guest->queues[how >> 1 & 1].descriptors;

	if ((how & 4) != 0) {
		address = take(input, 8);
		size = take(input, 4);
	} else {
		address = GUEST_START + DATA + take(input, 2);
		size = take(input, 2);
	}
	guest_put_descriptor(guest, table, (tl_u16)index, address, (tl_u32)size, (tl_u16)(how >> 4 & 7),
			     (tl_u16)take(input, 1));
}

static void receive(tl_u64 what, tl_u64 size)
{
	static const tl_u8 bytes[2048] = {1, 2, 3};

	size %= sizeof(bytes);
	if ((what & 1) != 0)
		(void)tl_virtio_net_receive(&net, bytes, size);
	else if (tl_virtio_console_receive(&console, bytes, size) > size)
		abort();
}

static void poke(struct guest *guest, struct input *input)
{
	tl_u64 at = take(input, 3), size = take(input, 1) % 32;

	for (tl_u64 i = 0; i < size; i++)
		*guest_at(guest, GUEST_START + (at + i) % GUEST_SIZE) = (tl_u8)take(input, 1);
}

static void step(struct input *input)
{
	tl_u64 what = take(input, 1);
	struct guest *guest = &guests[what >> 4 & 3];
	tl_u32 number = what >> 6 & 1;
	tl_u64 offset, value;

	switch (what & 15) {
	case 0:
		offset = take(input, 2);
		value = take(input, 4);
		tl_virtio_operations.write(&guest->virtio, offset, value, (what & 0x80) != 0 ? 1 : 4);
		break;
	case 1:
		offset = take(input, 2);
		heard += tl_virtio_operations.read(&guest->virtio, offset, 1u << (what >> 6 & 3));
		break;
	case 2:
		poke(guest, input);
		break;
	case 3:
		start(guest, take(input, 1));
		break;
	case 4:
	case 5:
		describe(guest, input);
		break;
	case 6:
		guest_offer(guest, number, (tl_u16)take(input, 1));
		break;
	case 7:
		guest_notify(guest, number);
		break;
	case 8:
		receive(what >> 4, take(input, 2));
		break;
	case 9:
		failing = !failing;
		break;
	default:
		guest_offer(guest, number, (tl_u16)take(input, 1));
		guest_notify(guest, number);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};

	begin();
	for (int i = 0; i < 400 && input.size != 0; i++) {
		step(&input);
		for (int j = 0; j < SLOTS; j++)
			if (guests[j].line != (guests[j].virtio.state.interrupts != 0))
				abort();
	}
	tl_disk_close(&disk);
	if (tl_storage_live() != 0)
		abort();
	return 0;
}
