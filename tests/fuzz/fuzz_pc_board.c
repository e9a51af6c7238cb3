/*
 * A PC's board under a guest that does anything: ports and addresses of all widths, virtio slots started and given
 * queues in its memory, typed bytes and frames in between, resets. Every request that comes of it must be one that
 * there is, and interrupt lines must follow from the devices.
 */
#include "base/storage.h"
#include "machine/pc_board.h"
#include "machine/virtio_block.h"
#include "machine/virtio_console.h"
#include "machine/virtio_net.h"
#include "machine/virtio_random.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY 0x40000u
#define QUEUES 0x10000u /* of guest memory: 0x4000 for each slot's */
#define DISK_SIZE 0x8000u
#define QUEUE_LENGTH 8

enum { BLOCK, CONSOLE, RANDOM, NET, USED };

struct input {
	const uint8_t *bytes;
	size_t size;
};

static tl_u8 memory[MEMORY];
static struct tl_pc_board board;
static struct tl_disk disk;
static struct tl_virtio_block block;
static struct tl_virtio_console console;
static struct tl_virtio_random source;
static struct tl_virtio_net net;
static bool lines[32];
static tl_u64 now, heard;

static tl_u64 take(struct input *input, size_t size)
{
	tl_u64 value;

	size = size < input->size ? size : input->size;
	value = tl_load_little(input->bytes, size);
	input->bytes += size;
	input->size -= size;
	return value;
}

/* ---- What is around the board ---- */

static const tl_u8 *view(void *context, tl_u64 address, tl_u64 size)
{
	(void)context;
	return address < MEMORY && size <= MEMORY - address ? memory + address : NULL;
}

static tl_u8 *change(void *context, tl_u64 address, tl_u64 size)
{
	(void)context;
	return address < MEMORY && size <= MEMORY - address ? memory + address : NULL;
}

static void set_line(void *context, tl_u32 number, bool level)
{
	(void)context;
	if (number >= TL_COUNT(lines))
		abort();
	lines[number] = level;
}

static tl_u64 tell_now(void *context)
{
	(void)context;
	return now;
}

static void arm(void *context, struct tl_timer *timer, tl_u64 when)
{
	(void)context;
	timer->when = when;
	timer->armed = true;
}

static void disarm(void *context, struct tl_timer *timer)
{
	(void)context;
	timer->armed = false;
}

static void attention(void *context)
{
	(void)context;
}

static enum tl_status read_contents(void *context, tl_u64 offset, void *bytes, tl_u64 size, struct tl_error *error)
{
	(void)context;
	if (offset > DISK_SIZE || size > DISK_SIZE - offset)
		abort();
	if (offset + size > DISK_SIZE / 2)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "cannot read");
	memset(bytes, (int)(offset >> 9) + 1, size);
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

static void listen_to_uart(void *context, tl_u8 byte)
{
	listen_to(context, &byte, 1);
}

static void begin(void)
{
	static const struct tl_services services = {NULL, tell_now, arm, disarm, attention};
	static const struct tl_guest_memory guest = {view, change, NULL};
	static const struct tl_line wires = {set_line, NULL, 0};
	static const struct tl_disk_file file = {.read = read_contents, .close = close_contents};
	static const tl_u8 seed[TL_RANDOM_SEED], address[TL_VIRTIO_NET_ADDRESS];

	memset(memory, 0, sizeof(memory));
	memset(lines, 0, sizeof(lines));
	now = 0;
	tl_pc_board_make(&board, &services, &guest, &wires, tell_now, NULL);
	board.console = listen_to_uart;
	tl_disk_make(&disk, &file, DISK_SIZE, TL_DISK_OVERLAY);
	tl_virtio_block_plug(&block, &board.slots[BLOCK], &disk, "fuzzed");
	tl_virtio_console_plug(&console, &board.slots[CONSOLE]);
	tl_virtio_random_plug(&source, &board.slots[RANDOM], seed);
	tl_virtio_net_plug(&net, &board.slots[NET], address);
	console.send = net.send = listen_to;
}

/* ---- What the guest does ---- */

static void set_register(tl_u32 slot, tl_u32 offset, tl_u64 value)
{
	tl_pc_board_write(&board, TL_PC_SPACE, TL_PC_SLOT + slot * TL_PC_SLOT_SIZE + offset, value, 4);
}

static tl_u64 queue_at(tl_u32 slot, tl_u32 queue)
{
	return QUEUES + (slot * TL_VIRTIO_QUEUES_MAX + queue) * 0x1000u;
}

/* All that a driver does before it uses a device. */
static void start(tl_u32 slot, bool event_index)
{
	static const tl_u32 addresses[] = {0x80, 0x90, 0xa0};

	set_register(slot, 0x70, 0);
	set_register(slot, 0x70, 3);
	set_register(slot, 0x24, 1);
	set_register(slot, 0x20, 1);
	set_register(slot, 0x24, 0);
	set_register(slot, 0x20, event_index ? (tl_u64)1 << 29 : 0);
	set_register(slot, 0x70, 0xb);
	for (tl_u32 queue = 0; queue < TL_VIRTIO_QUEUES_MAX; queue++) {
		set_register(slot, 0x30, queue);
		set_register(slot, 0x38, QUEUE_LENGTH);
		for (tl_u32 i = 0; i < TL_COUNT(addresses); i++) {
			set_register(slot, addresses[i], queue_at(slot, queue) + i * 0x400u);
			set_register(slot, addresses[i] + 4, 0);
		}
		set_register(slot, 0x44, 1);
	}
	set_register(slot, 0x70, 0xf);
}

static void describe(tl_u32 slot, struct input *input)
{
	tl_u64 how = take(input, 1), table = queue_at(slot, how & 1);
	tl_u8 *entry = memory + table + 16 * (how >> 1 & (QUEUE_LENGTH - 1));

	tl_store_little(entry, (how & 0x80) != 0 ? take(input, 8) : take(input, 2), 8);
	tl_store_little(entry + 8, (how & 0x80) != 0 ? take(input, 4) : take(input, 2), 4);
	tl_store_little(entry + 12, take(input, 1) & 7, 2);
	tl_store_little(entry + 14, take(input, 1), 2);
}

static void offer(tl_u32 slot, tl_u32 queue, tl_u64 head)
{
	tl_u8 *driver = memory + queue_at(slot, queue) + 0x400;
	tl_u16 index = (tl_u16)tl_load_little(driver + 2, 2);

	tl_store_little(driver + 4 + 2 * (tl_size)(index % QUEUE_LENGTH), head, 2);
	tl_store_little(driver + 2, (tl_u16)(index + 1), 2);
	set_register(slot, 0x50, queue);
}

static tl_u64 some_port(struct input *input)
{
	static const tl_u16 ports[] = {TL_PC_UART_PORT, TL_PC_CMOS_PORT,  TL_PC_KEYBOARD_PORT,
				       TL_PC_PM_PORT,   TL_PC_RESET_PORT, 0};
	tl_u64 how = take(input, 1);

	return (ports[how % TL_COUNT(ports)] + (how >> 4)) & 0xffff;
}

static void access_board(tl_u64 what, struct input *input)
{
	enum tl_pc_way way = (what & 0x10) != 0 ? TL_PC_SPACE : TL_PC_PORTS;
	tl_u32 size = 1u << (what >> 5 & 3);
	tl_u64 address = way == TL_PC_PORTS   ? some_port(input)
			 : (what & 0x80) != 0 ? take(input, 8)
					      : TL_PC_SLOT + take(input, 2);

	if ((what & 1) != 0)
		tl_pc_board_write(&board, way, address, take(input, size), size);
	else
		heard += tl_pc_board_read(&board, way, address, size);
}

static void receive(tl_u64 what, tl_u64 size)
{
	static const tl_u8 bytes[2048] = {1, 2, 3};

	size %= sizeof(bytes);
	if ((what & 0x30) == 0 && tl_virtio_console_receive(&console, bytes, size) > size)
		abort();
	if ((what & 0x30) == 0x10)
		(void)tl_virtio_net_receive(&net, bytes, size);
	if ((what & 0x20) != 0 && tl_uart_operations.receive(&board.uart, bytes, size) > size)
		abort();
}

static void step(struct input *input)
{
	tl_u64 what = take(input, 1);
	tl_u32 slot = (tl_u32)what >> 4 & 3;

	switch (what & 15) {
	case 8:
		start(slot, (what & 0x40) != 0);
		break;
	case 9:
		describe(slot, input);
		break;
	case 10:
		offer(slot, (tl_u32)what >> 6 & 1, take(input, 1));
		break;
	case 11:
		receive(what, take(input, 2));
		break;
	case 12:
		now += take(input, 4);
		break;
	case 13:
		if (what == 0xfd)
			tl_pc_board_reset(&board);
		break;
	default:
		access_board(what, input);
		break;
	}
}

static void check(void)
{
	enum tl_pc_request request = tl_pc_board_take_request(&board);

	if (request != TL_PC_GOES_ON && request != TL_PC_RESET && request != TL_PC_POWER_OFF)
		abort();
	if (tl_pc_board_take_request(&board) != TL_PC_GOES_ON)
		abort(); /* it is told once */
	for (tl_u32 i = 0; i < USED; i++)
		if (lines[TL_PC_SLOT_INPUT + i] != (board.slots[i].state.interrupts != 0))
			abort();
	if (lines[TL_PC_UART_INPUT] != board.uart.level)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	tl_size live = tl_storage_live();

	begin();
	while (input.size != 0) {
		step(&input);
		check();
	}
	tl_disk_close(&disk);
	if (tl_storage_live() != live)
		abort();
	return 0;
}
