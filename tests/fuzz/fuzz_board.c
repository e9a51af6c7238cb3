/*
 * The whole emulated computer under a guest that hammers its devices: loads and stores of all widths and alignments
 * everywhere, virtio queues in its memory, interrupts, idle time, input from outside in between.
 *
 * The input becomes a program, which two computers run: one translates and remembers its past, the other interprets and
 * remembers nothing. Both must come to the same end; the first must come to it again from any moment that it goes back
 * to, and that moment must be what it was. Interrupt lines must follow from the devices at every stop.
 */
#include "base/storage.h"
#include "core/cursor.h"
#include "targets/emulator/devices.h"
#include "targets/emulator/history.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY ((tl_u64)16 << 20)
#define CODE TL_BOARD_MEMORY
#define CODE_SIZE 0x20000u
#define NUMBERS (TL_BOARD_MEMORY + 0x100000) /* what the program loads its operands from */
#define NUMBERS_SIZE 0x40000u
#define QUEUES (TL_BOARD_MEMORY + 0x200000) /* of the slots, QUEUES_SIZE each: descriptors, driver, device */
#define QUEUES_SIZE 0x10000u
#define DATA (TL_BOARD_MEMORY + 0x300000)
#define QUEUE_LENGTH 8

#define DISK_SIZE 0x10000u
#define DISK_BAD 0x8000u /* from here on the host fails */

#define STOPS_MAX 8
#define BEGUN_MAX 30000

enum { BLOCK, CONSOLE, RANDOM, NET, SLOTS };

struct input {
	const uint8_t *bytes;
	size_t size;
};

/* Where the run is interrupted, and what enters there. */
struct stop {
	tl_u64 begun;
	tl_u8 kind; /* 0: the serial port; else the slot of the console or the card */
	tl_u16 size;
};

struct plan {
	tl_u8 code[CODE_SIZE], numbers[NUMBERS_SIZE];
	tl_u32 code_end, numbers_end;
	struct stop stops[STOPS_MAX];
	tl_u32 stop_count;
	tl_u32 harts, quantum;
	tl_u64 interval, disk_limit, back;
	tl_u16 available[SLOTS][TL_VIRTIO_QUEUES_MAX];
};

struct machine {
	struct tl_computer computer;
	struct tl_devices devices;
	struct tl_history *history; /* NULL: it remembers nothing */
	tl_u64 sent;
};

static struct machine machines[2];
static struct plan plan;

static tl_u64 take(struct input *input, size_t size)
{
	tl_u64 value;

	size = size < input->size ? size : input->size;
	value = tl_load_little(input->bytes, size);
	input->bytes += size;
	input->size -= size;
	return value;
}

/* ---- The program: registers are x5 address, x6 value, x8 the next number, x18 a sum of what was read ---- */

static void emit(tl_u32 word)
{
	if (plan.code_end + 4 > CODE_SIZE - 64)
		return;
	tl_store_little(plan.code + plan.code_end, word, 4);
	plan.code_end += 4;
}

/* x5 and x6 are loaded. */
static bool emit_numbers(tl_u64 first, tl_u64 second)
{
	if (plan.numbers_end + 16 > NUMBERS_SIZE || plan.code_end > CODE_SIZE - 256)
		return false;
	tl_store_little(plan.numbers + plan.numbers_end, first, 8);
	tl_store_little(plan.numbers + plan.numbers_end + 8, second, 8);
	plan.numbers_end += 16;
	emit(0x00043283); /* ld x5, 0(x8) */
	emit(0x00843303); /* ld x6, 8(x8) */
	emit(0x01040413); /* addi x8, x8, 16 */
	return true;
}

/* `kind` is what stands in bits 12 to 14: the width, and for loads whether it is signed. */
static void emit_store(tl_u64 address, tl_u64 value, tl_u32 kind)
{
	if (emit_numbers(address, value))
		emit(0x0062a023u | (kind & 3) << 12);
}

static void emit_load(tl_u64 address, tl_u32 kind)
{
	if (!emit_numbers(address, 0))
		return;
	emit(0x0002a303u ^ 0x2000u ^ (kind % 7) << 12);
	emit(0x00690933);                /* add x18, x18, x6 */
	emit(0x00d95913u | 0x60000000u); /* rori x18, x18, 13 */
}

static void emit_control(tl_u64 which, tl_u64 value)
{
	static const tl_u16 registers[] = {0x304, 0x300, 0x344, 0x14d, 0x30a, 0x304, 0x303, 0xb00};
	tl_u32 number = registers[which & 7];

	/* Only the enables of mstatus; a handler of nobody would be the end of the program. */
	if (number == 0x300)
		value &= 0x8;
	if (number == 0x303)
		value = 0;
	if (emit_numbers(0, value))
		emit(number << 20 | 6u << 15 | (1 + (tl_u32)(which >> 3) % 3) << 12 | 0x73);
}

static void emit_delay(tl_u64 turns)
{
	if (!emit_numbers(0, turns))
		return;
	emit(0xfff30313); /* addi x6, x6, -1 */
	emit(0xfe604ee3); /* blt x0, x6, -4 */
}

static void emit_register(tl_u32 slot, tl_u32 offset, tl_u64 value)
{
	emit_store(TL_BOARD_SLOT + slot * TL_BOARD_SLOT_SIZE + offset, value, 2);
}

static tl_u64 queue_at(tl_u32 slot, tl_u32 queue)
{
	return QUEUES + (slot * TL_VIRTIO_QUEUES_MAX + queue) * (tl_u64)QUEUES_SIZE;
}

/* All that a driver does before it uses a device. */
static void emit_start(tl_u32 slot, tl_u64 how)
{
	static const tl_u32 addresses[] = {0x80, 0x90, 0xa0};

	emit_register(slot, 0x70, 0);
	emit_register(slot, 0x70, 3);
	emit_register(slot, 0x24, 1);
	emit_register(slot, 0x20, 1);
	emit_register(slot, 0x24, 0);
	emit_register(slot, 0x20, (how & 1) != 0 ? (tl_u64)1 << 29 : 0);
	emit_register(slot, 0x70, 0xb);
	for (tl_u32 queue = 0; queue < TL_VIRTIO_QUEUES_MAX; queue++) {
		plan.available[slot][queue] = 0;
		emit_register(slot, 0x30, queue);
		emit_register(slot, 0x38, QUEUE_LENGTH);
		for (tl_u32 i = 0; i < TL_COUNT(addresses); i++) {
			emit_register(slot, addresses[i], queue_at(slot, queue) + i * 0x4000u);
			emit_register(slot, addresses[i] + 4, 0);
		}
		emit_register(slot, 0x44, 1);
	}
	emit_register(slot, 0x70, 0xf);
}

static void emit_descriptor(tl_u64 table, tl_u64 index, tl_u64 address, tl_u64 size, tl_u64 flags, tl_u64 next)
{
	emit_store(table + 16 * (index % (2 * QUEUE_LENGTH)), address, 3);
	emit_store(table + 16 * (index % (2 * QUEUE_LENGTH)) + 8, (size & 0xffffffff) | flags << 32 | next << 48, 3);
}

static void emit_offer(tl_u32 slot, tl_u32 queue, tl_u64 head)
{
	tl_u16 *available = &plan.available[slot][queue];
	tl_u64 driver = queue_at(slot, queue) + 0x4000;

	emit_store(driver + 4 + 2 * (tl_u64)(*available % QUEUE_LENGTH), head, 1);
	emit_store(driver + 2, ++*available, 1);
	emit_register(slot, 0x50, queue);
}

/* A descriptor that leads to memory more often than not. */
static void emit_some_descriptor(tl_u32 slot, struct input *input)
{
	tl_u64 how = take(input, 1), index = take(input, 1), address, size;

	if ((how & 1) != 0) {
		address = take(input, 8);
		size = take(input, 4);
	} else {
		address = ((how & 2) != 0 ? DATA : QUEUES) + take(input, 2);
		size = take(input, 2);
	}
	emit_descriptor(queue_at(slot, how >> 2 & 1), index, address, size, how >> 4 & 7, take(input, 1));
}

/* A request to the disk as a driver makes it, with numbers of the input. */
static void emit_request(struct input *input)
{
	tl_u64 how = take(input, 1), sector = take(input, 1), size = take(input, 2), header = DATA + 0x8000;
	tl_u64 kind = (how & 0x80) != 0 ? take(input, 1) : how & 1;
	tl_u64 table = queue_at(BLOCK, 0);

	emit_store(header, kind, 3);
	emit_store(header + 8, sector, 3);
	emit_descriptor(table, 0, header, 16, 1, 1);
	emit_descriptor(table, 1, DATA + (how >> 1 & 3) * 0x800, (how & 8) != 0 ? size : (size & 7) * 512,
			1 | ((how & 1) != 0 ? 0 : 2), 2);
	emit_descriptor(table, 2, header + 16, 1, 2, 0);
	emit_offer(BLOCK, 0, 0);
}

/* An address in a window of the board, or beside it. */
static tl_u64 somewhere(struct input *input)
{
	static const tl_u64 windows[] = {TL_BOARD_ROM,
					 TL_BOARD_FINISHER + 4,
					 TL_BOARD_RTC,
					 TL_BOARD_ACLINT,
					 TL_BOARD_ACLINT + 0x4000,
					 TL_BOARD_ACLINT + 0xbff0,
					 TL_BOARD_PLIC,
					 TL_BOARD_PLIC + 0x1000,
					 TL_BOARD_PLIC + 0x2000,
					 TL_BOARD_PLIC + 0x200000,
					 TL_BOARD_UART,
					 TL_BOARD_SLOT,
					 TL_BOARD_SLOT,
					 DATA,
					 QUEUES,
					 0};
	tl_u64 how = take(input, 1), base = windows[how & 15];

	switch (how >> 4 & 3) {
	case 0:
		return base + take(input, 1) * 4;
	case 1:
		return base + take(input, 1);
	case 2:
		return base + (take(input, 1) & 7) * TL_BOARD_SLOT_SIZE + take(input, 1);
	default:
		return base + take(input, 3);
	}
}

static tl_u64 some_value(struct input *input)
{
	tl_u64 how = take(input, 1);

	switch (how & 3) {
	case 0:
		return how >> 2;
	case 1:
		return (tl_u64)1 << (how >> 2);
	case 2:
		return take(input, 2);
	default:
		return take(input, 8);
	}
}

static void add_stop(struct input *input)
{
	tl_u64 how = take(input, 1);
	struct stop stop = {.begun = take(input, 2) % BEGUN_MAX, .size = (tl_u16)take(input, (how & 4) != 0 ? 2 : 1)};

	stop.kind = (how & 3) < 2 ? 0 : (how & 3) == 2 ? CONSOLE : NET;
	if (plan.stop_count == STOPS_MAX)
		return;
	if (plan.stop_count > 0 && stop.begun < plan.stops[plan.stop_count - 1].begun)
		stop.begun = plan.stops[plan.stop_count - 1].begun;
	plan.stops[plan.stop_count++] = stop;
}

static void step(struct input *input)
{
	tl_u64 what = take(input, 1), address;
	tl_u32 slot = (tl_u32)what >> 4 & 3;

	switch (what & 15) {
	case 0:
	case 1:
		emit_load(somewhere(input), (tl_u32)what >> 4);
		break;
	case 2:
	case 3:
	case 4:
		address = somewhere(input);
		emit_store(address, some_value(input), (tl_u32)what >> 4);
		break;
	case 5:
		emit_start(slot, what >> 6);
		break;
	case 6:
		emit_some_descriptor(slot, input);
		break;
	case 7:
		emit_offer(slot, (tl_u32)what >> 6 & 1, take(input, 1));
		break;
	case 8:
		emit_request(input);
		break;
	case 9:
		emit_control(what >> 4, some_value(input));
		break;
	case 10:
		emit_delay(take(input, 1) << (what >> 6) * 2);
		break;
	case 11:
		emit(0x10500073); /* wfi */
		break;
	case 12:
		add_stop(input);
		break;
	case 13: /* claim, and complete it */
		address = TL_BOARD_PLIC + 0x200004 + (what >> 4) * 0x1000;
		if (emit_numbers(address, 0)) {
			emit(0x0002a303); /* lw x6, 0(x5) */
			emit(0x0062a023); /* sw x6, 0(x5) */
		}
		break;
	case 14: /* an instruction on a device that no device expects */
		address = somewhere(input);
		if (emit_numbers(address, some_value(input)))
			emit(((what & 0x10) != 0 ? 0x0062a32fu : 0x0062b32fu) | (tl_u32)take(input, 1) << 27);
		break;
	default: /* sources on, all of them */
		emit_store(TL_BOARD_PLIC + 4 * (1 + (what >> 4)), 1 + (what >> 5), 2);
		emit_store(TL_BOARD_PLIC + 0x2000 + (what >> 5) * 0x80, TL_U32_MAX, 2);
		break;
	}
}

static void write_program(struct input *input)
{
	/* Interrupts are counted, and not wanted again; of an exception the instruction is skipped. */
	static const tl_u32 handler[] = {
		0x34202e73, /* csrr x28, mcause */
		0x000e5e63, /* bge x28, x0, 28 */
		0x00100e93, /* addi x29, x0, 1 */
		0x01ce9eb3, /* sll x29, x29, x28 */
		0x304eb073, /* csrc mie, x29 */
		0x001d8d93, /* addi x27, x27, 1 */
		0x30200073, /* mret */
		0x00000013, /* nop */
		0x34102e73, /* csrr x28, mepc */
		0x004e0e13, /* addi x28, x28, 4 */
		0x341e1073, /* csrw mepc, x28 */
		0x30200073, /* mret */
	};

	emit(0x03c0006f); /* jal x0, 60 */
	for (tl_u32 i = 0; i < TL_COUNT(handler); i++)
		emit(handler[i]);
	while (plan.code_end < 60)
		emit(0x00000013);
	emit(0x00000297); /* auipc x5, 0 */
	emit(0xfc828293); /* addi x5, x5, -56: the handler */
	emit(0x30529073); /* csrw mtvec, x5 */
	emit(0x30046073); /* csrsi mstatus, 8: which interrupts, the input says */
	emit(0x00100437); /* lui x8, 0x100 */
	emit(0x00540433); /* add x8, x8, x5 */
	emit(0xffc40413); /* addi x8, x8, -4: NUMBERS */
	while (input->size != 0)
		step(input);
	plan.code_end = plan.code_end < CODE_SIZE - 8 ? plan.code_end : CODE_SIZE - 8;
	tl_store_little(plan.code + plan.code_end, 0x0000006f, 4); /* jal x0, 0 */
	plan.code_end += 4;
}

static void make_plan(struct input *input)
{
	tl_u64 how = take(input, 1);

	memset(&plan, 0, sizeof(plan));
	plan.harts = 1 + (how & 1) + (how >> 1 & 1);
	plan.quantum = 100u << (how >> 2 & 7);
	plan.disk_limit = (how & 0x20) != 0 ? 2 : 0;
	plan.interval = (tl_u64)300 << (how >> 6);
	plan.back = take(input, 1);
	write_program(input);
}

/* ---- The computers ---- */

static enum tl_status read_contents(void *context, tl_u64 offset, void *bytes, tl_u64 size, struct tl_error *error)
{
	(void)context;
	if (offset > DISK_SIZE || size > DISK_SIZE - offset)
		abort();
	if (offset + size > DISK_BAD)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "cannot read");
	memset(bytes, (int)(offset >> 9) + 1, size);
	return TL_OK;
}

static void close_contents(void *context)
{
	(void)context;
}

static void listen_to(void *context, const tl_u8 *bytes, tl_u64 size)
{
	struct machine *machine = context;

	if (machine->history != NULL && tl_history_is_past(machine->history))
		return;
	for (tl_u64 i = 0; i < size; i++)
		machine->sent = (machine->sent ^ bytes[i]) * 0x100000001b3u;
}

static void listen_to_uart(void *context, tl_u8 byte)
{
	listen_to(context, &byte, 1);
}

static void plug(struct machine *machine)
{
	static const struct tl_disk_file file = {.read = read_contents, .close = close_contents};
	static const tl_u8 seed[TL_RANDOM_SEED], address[TL_VIRTIO_NET_ADDRESS];
	struct tl_devices *devices = &machine->devices;

	tl_devices_begin(devices, &machine->computer);
	tl_disk_make(&devices->disks[0], &file, DISK_SIZE, TL_DISK_OVERLAY);
	devices->disks[0].limit = plan.disk_limit;
	tl_virtio_block_plug(&devices->blocks[0], &devices->slots[BLOCK], &devices->disks[0], "fuzzed");
	tl_virtio_console_plug(&devices->console, &devices->slots[CONSOLE]);
	tl_virtio_random_plug(&devices->random, &devices->slots[RANDOM], seed);
	tl_virtio_net_plug(&devices->net, &devices->slots[NET], address);
	devices->disk_count = 1;
	devices->used = SLOTS;
	devices->console.send = devices->net.send = listen_to;
	devices->console.context = devices->net.context = machine;
	machine->computer.board.console = listen_to_uart;
	machine->computer.board.console_context = machine;
}

static void require(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void open_machine(struct machine *machine, bool remembers)
{
	struct tl_computer_configuration configuration = {
		.harts = plan.harts, .memory_size = MEMORY, .quantum = plan.quantum, .interpret = !remembers};
	struct tl_history_options options = {.interval = plan.interval};
	struct tl_computer *computer = &machine->computer;
	struct tl_error error;

	machine->sent = 0;
	machine->history = NULL;
	require(tl_computer_open(computer, &configuration, &error) == TL_OK, "no computer");
	plug(machine);
	require(tl_computer_load(computer, "code", CODE, plan.code, plan.code_end, 0, &error) == TL_OK &&
			tl_computer_load(computer, "numbers", NUMBERS, plan.numbers, plan.numbers_end + 1, 0, &error) ==
				TL_OK,
		"nothing loaded");
	computer->entry = CODE;
	require(tl_computer_reset(computer, &error) == TL_OK, "no reset");
	if (remembers)
		require(tl_history_open(&machine->history, computer, &options, &error) == TL_OK &&
				tl_devices_remember(&machine->devices, machine->history, &error) == TL_OK,
			"no history");
}

static void close_machine(struct machine *machine)
{
	tl_history_close(machine->history);
	machine->history = NULL;
	tl_devices_end(&machine->devices);
	tl_computer_close(&machine->computer);
}

static enum tl_computer_exit run_to(struct machine *machine, tl_u64 begun)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;

	limits.begun = begun;
	return machine->history != NULL ? tl_history_run(machine->history, &limits)
					: tl_computer_run(&machine->computer, &limits);
}

static tl_size enter(struct machine *machine, const struct stop *stop)
{
	static tl_u8 bytes[0x10000];
	struct tl_input input = {.kind = stop->kind == 0 ? TL_INPUT_UART : TL_INPUT_SLOT,
				 .number = stop->kind,
				 .bytes = bytes,
				 .size = stop->size};
	bool new_timeline = false;
	tl_size taken;

	if (bytes[0] == 0)
		memset(bytes, 0x5a, sizeof(bytes));
	taken = machine->history != NULL ? tl_history_input(machine->history, &input, &new_timeline)
					 : tl_computer_input(&machine->computer, &input);
	require(!new_timeline && taken <= stop->size, "input of another time");
	return taken;
}

/* ---- What a guest can tell, as one number ---- */

static tl_u64 mix(tl_u64 hash, const void *bytes, tl_u64 size)
{
	const tl_u8 *at = bytes;

	for (; size >= 8; at += 8, size -= 8)
		hash = (hash ^ tl_load_little(at, 8)) * 0x9e3779b97f4a7c15 + (hash >> 29);
	return (hash ^ tl_load_little(at, size)) * 0x9e3779b97f4a7c15 + (hash >> 29);
}

/* Pages that nobody has touched are zero, as are many others: neither add anything. */
static tl_u64 sum_memory(const struct tl_computer *computer)
{
	static const tl_u8 zero[TL_PAGE_SIZE];
	static unsigned char there[MEMORY / TL_PAGE_SIZE];
	tl_u64 sum = 0;

	require(mincore(computer->memory, MEMORY, there) == 0, "no mincore");
	for (tl_u64 page = 0; page < MEMORY / TL_PAGE_SIZE; page++) {
		const tl_u8 *bytes = computer->memory + page * TL_PAGE_SIZE;

		if ((there[page] & 1) != 0 && memcmp(bytes, zero, TL_PAGE_SIZE) != 0)
			sum += mix(page + 1, bytes, TL_PAGE_SIZE);
	}
	return sum;
}

static tl_u64 sum_board(const struct tl_riscv_board *board)
{
	const struct tl_plic *plic = &board->plic;
	const struct tl_uart *uart = &board->uart;
	const struct tl_rtc *rtc = &board->rtc;
	tl_u64 rtc_numbers[] = {rtc->offset,  rtc->alarm,   rtc->time_high,  rtc->running,
				rtc->enabled, rtc->pending, rtc->timer.armed};
	tl_u64 hash = mix(1, board->aclint.pending, sizeof(board->aclint.pending));

	hash = mix(hash, board->aclint.compare, sizeof(board->aclint.compare));
	hash = mix(hash, &board->aclint.offset, 8);
	hash = mix(hash, plic->levels, sizeof(*plic) - __builtin_offsetof(struct tl_plic, levels));
	hash = mix(hash, rtc_numbers, sizeof(rtc_numbers));
	hash = mix(hash, &uart->interrupt_enable, 6);
	hash = mix(hash, uart->queue, sizeof(uart->queue));
	return mix(hash,
		   (const tl_u8[]){uart->fifo, uart->overrun, uart->transmitter_told, uart->first, uart->count,
				   uart->level, (tl_u8)board->finisher.finish},
		   7);
}

static tl_u64 sum(const struct machine *machine)
{
	const struct tl_computer *computer = &machine->computer;
	const struct tl_devices *devices = &machine->devices;
	tl_u64 hash = mix(computer->begun, computer->turns, sizeof(computer->turns)) + sum_board(&computer->board);

	for (tl_u32 i = 0; i < plan.harts; i++) {
		struct tl_hart hart;

		memcpy(&hart, &computer->harts[i], __builtin_offsetof(struct tl_hart, first_writes));
		hart.look_for_interrupt = false; /* every run begins with looking */
		hash = mix(hash, &hart, __builtin_offsetof(struct tl_hart, first_writes));
	}
	for (tl_u32 i = 0; i < SLOTS; i++)
		hash = mix(hash, &devices->slots[i].state, sizeof(devices->slots[i].state));
	hash = mix(hash, &devices->random.stream, sizeof(devices->random.stream));
	hash += devices->disks[0].count;
	for (tl_u64 i = 0; i < devices->disks[0].capacity; i++)
		if (devices->disks[0].blocks[i].bytes != NULL)
			hash += mix(devices->disks[0].blocks[i].number + 1, devices->disks[0].blocks[i].bytes,
				    TL_DISK_BLOCK);
	return hash + sum_memory(computer);
}

/* ---- What must hold whenever the machine stands ---- */

static void check_lines(struct machine *machine)
{
	struct tl_riscv_board *board = &machine->computer.board;
	struct tl_plic *plic = &board->plic;

	for (tl_u32 i = 0; i < SLOTS; i++)
		require((plic->levels[0] >> (TL_BOARD_SLOT_SOURCE + i) & 1) ==
				(machine->devices.slots[i].state.interrupts != 0),
			"a line of a slot is not what its device wants");
	require((plic->levels[0] >> TL_BOARD_UART_SOURCE & 1) == board->uart.level, "the line of the serial port");
	require((plic->levels[0] >> TL_BOARD_RTC_SOURCE & 1) == (board->rtc.enabled && board->rtc.pending),
		"the line of the clock");
	for (tl_u32 context = 0; context < 2 * plan.harts; context++) {
		bool wanted = false;

		for (tl_u32 source = 1; source < TL_PLIC_SOURCES; source++)
			wanted |= (plic->levels[source / 32] & ~plic->claimed[source / 32] &
				   plic->enabled[context][source / 32]) >>
						  (source % 32) &
					  1 &&
				  plic->priorities[source] > plic->thresholds[context];
		require((machine->computer.harts[context / 2].lines >> (context % 2 == 0 ? 11 : 9) & 1) == wanted,
			"an external interrupt is not what the controller says");
	}
	for (tl_u32 hart = 0; hart < plan.harts; hart++)
		require((machine->computer.harts[hart].lines >> 3 & 1) == board->aclint.pending[hart],
			"a software interrupt");
}

/* Where the machine stood, and how. */
struct moment {
	struct tl_computer_position position;
	tl_u64 sum;
};

/* Of a run to its end: two for each stop, before and after what entered there, and the end. */
struct record {
	struct moment moments[2 * STOPS_MAX + 1];
	tl_u32 count;
	tl_size taken[STOPS_MAX];
	enum tl_computer_exit exit;
};

static void note(struct machine *machine, struct record *record)
{
	check_lines(machine);
	record->moments[record->count++] = (struct moment){tl_computer_position(&machine->computer), sum(machine)};
}

static void run_all(struct machine *machine, struct record *record_ret)
{
	*record_ret = (struct record){0};
	for (tl_u32 i = 0; i <= plan.stop_count; i++) {
		record_ret->exit = run_to(machine, i < plan.stop_count ? plan.stops[i].begun : BEGUN_MAX);
		note(machine, record_ret);
		if (i == plan.stop_count ||
		    (record_ret->exit != TL_COMPUTER_REACHED && record_ret->exit != TL_COMPUTER_STUCK))
			break;
		record_ret->taken[i] = enter(machine, &plan.stops[i]);
		note(machine, record_ret);
	}
}

static void check_same(const struct record *a, const struct record *b)
{
	require(a->exit == b->exit && a->count == b->count, "translated, the end is another");
	require(memcmp(a->taken, b->taken, sizeof(a->taken)) == 0, "translated, other input was taken");
	for (tl_u32 i = 0; i < a->count; i++)
		require(tl_computer_compare(&a->moments[i].position, &b->moments[i].position) == 0 &&
				a->moments[i].sum == b->moments[i].sum,
			"translated, the machine is not the same");
}

/* Back to a moment, where all must be as it was, and forward to the end again. */
static void check_past(struct machine *machine, const struct record *record, tl_u32 which)
{
	struct tl_history *history = machine->history;
	const struct moment *moment = &record->moments[which];
	struct tl_computer_position here;
	struct tl_history_facts facts;
	tl_u64 now;
	bool known = false;

	require(tl_history_go(history, &moment->position) != TL_BACK_STOPPED, "the past cannot be gone to");
	here = tl_computer_position(&machine->computer);
	require(tl_computer_compare(&here, &moment->position) == 0, "the past that was gone to is another");
	now = sum(machine);
	for (tl_u32 i = 0; i < record->count; i++)
		known |= tl_computer_compare(&record->moments[i].position, &moment->position) == 0 &&
			 record->moments[i].sum == now;
	require(known, "a moment of the past is not what it was");
	check_lines(machine);
	require(run_to(machine, BEGUN_MAX) == record->exit, "from the past, the end is another");
	require(sum(machine) == record->moments[record->count - 1].sum, "the end is not what it was");
	tl_history_facts(history, &facts);
	require(!facts.diverged, "the past, run again, was not the same");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	tl_size live = tl_storage_live();
	struct record records[2];

	make_plan(&input);
	for (int i = 0; i < 2; i++) {
		open_machine(&machines[i], i == 0);
		run_all(&machines[i], &records[i]);
	}
	check_same(&records[0], &records[1]);
	require(machines[0].sent == machines[1].sent, "translated, something else was sent");
	check_past(&machines[0], &records[0], (tl_u32)plan.back % records[0].count);
	check_past(&machines[0], &records[0], (tl_u32)(plan.back >> 4) % records[0].count);
	for (int i = 0; i < 2; i++)
		close_machine(&machines[i]);
	require(tl_storage_live() == live, "storage was kept");
	return 0;
}
