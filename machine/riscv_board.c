#include "machine/riscv_board.h"

/* Bits of mip. */
#define MACHINE_SOFTWARE 3
#define MACHINE_TIMER 7
#define SUPERVISOR_EXTERNAL 9
#define MACHINE_EXTERNAL 11

/* The registers that a virtio transport has also without a device (virtio 1.2, 4.2.2). */
#define EMPTY_MAGIC 0x00
#define EMPTY_VERSION 0x04
#define EMPTY_VENDOR 0x0c

static tl_u64 read_empty(void *device, tl_u64 offset, tl_u32 size)
{
	(void)device;
	if (size != 4)
		return 0;
	switch (offset) {
	case EMPTY_MAGIC:
		return 0x74726976; /* "virt" */
	case EMPTY_VERSION:
		return 2;
	case EMPTY_VENDOR:
		return 0x4c505254; /* "TRPL" */
	default:                   /* among them the kind of device: 0 is none */
		return 0;
	}
}

static void write_empty(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	(void)device;
	(void)offset;
	(void)value;
	(void)size;
}

static const struct tl_device_operations empty_operations = {.read = read_empty, .write = write_empty};

static const struct tl_board_slot empty_slot = {.operations = &empty_operations};

static tl_u64 read_slot(void *device, tl_u64 offset, tl_u32 size)
{
	const struct tl_board_slot *slot = device;

	return slot->operations->read(slot->device, offset, size);
}

static void write_slot(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	const struct tl_board_slot *slot = device;

	slot->operations->write(slot->device, offset, value, size);
}

static const struct tl_device_operations slot_operations = {.read = read_slot, .write = write_slot};

static void uart_interrupt(void *context, bool level)
{
	struct tl_riscv_board *board = context;
	struct tl_line line = tl_plic_input(&board->plic, TL_BOARD_UART_SOURCE);

	tl_line_set(&line, level);
}

static void uart_send(void *context, tl_u8 byte)
{
	struct tl_riscv_board *board = context;

	if (board->console != NULL)
		board->console(board->console_context, byte);
}

static void told_finish(void *context)
{
	struct tl_riscv_board *board = context;

	board->services->attention(board->services->context);
}

static void connect(struct tl_riscv_board *board, void (*hart_line)(void *context, tl_u32 number, bool level),
		    void *context)
{
	for (tl_u32 hart = 0; hart < board->harts; hart++) {
		struct tl_line line = {.set = hart_line, .context = context};

		line.number = TL_BOARD_LINE(hart, MACHINE_SOFTWARE);
		board->aclint.software[hart] = line;
		line.number = TL_BOARD_LINE(hart, MACHINE_TIMER);
		board->aclint.timer[hart] = line;
		line.number = TL_BOARD_LINE(hart, MACHINE_EXTERNAL);
		board->plic.outputs[2 * hart] = line;
		line.number = TL_BOARD_LINE(hart, SUPERVISOR_EXTERNAL);
		board->plic.outputs[2 * hart + 1] = line;
	}
}

static bool add_slots(struct tl_riscv_board *board)
{
	static const char *const names[TL_BOARD_SLOTS] = {"slot 0", "slot 1", "slot 2", "slot 3",
							  "slot 4", "slot 5", "slot 6", "slot 7"};

	for (tl_u32 i = 0; i < TL_BOARD_SLOTS; i++) {
		board->slots[i] = empty_slot;
		if (tl_bus_add_device(&board->bus, names[i], TL_BOARD_SLOT + (tl_u64)i * TL_BOARD_SLOT_SIZE,
				      TL_BOARD_SLOT_SIZE, &slot_operations, &board->slots[i]) != TL_OK)
			return false;
	}
	return true;
}

static bool add_devices(struct tl_riscv_board *board)
{
	struct tl_bus *bus = &board->bus;

	return tl_bus_add_device(bus, "finisher", TL_BOARD_FINISHER, TL_FINISHER_SIZE, &tl_finisher_operations,
				 &board->finisher) == TL_OK &&
	       tl_bus_add_device(bus, "rtc", TL_BOARD_RTC, TL_RTC_SIZE, &tl_rtc_operations, &board->rtc) == TL_OK &&
	       tl_bus_add_device(bus, "aclint", TL_BOARD_ACLINT, TL_ACLINT_SIZE, &tl_aclint_operations,
				 &board->aclint) == TL_OK &&
	       tl_bus_add_device(bus, "plic", TL_BOARD_PLIC, TL_PLIC_SIZE, &tl_plic_operations, &board->plic) ==
		       TL_OK &&
	       tl_bus_add_device(bus, "uart", TL_BOARD_UART, TL_UART_SIZE, &tl_uart_operations, &board->uart) == TL_OK;
}

bool tl_riscv_board_make(struct tl_riscv_board *board_ret, tl_u32 harts, tl_u8 *memory, tl_u64 memory_size,
			 const struct tl_services *services,
			 void (*hart_line)(void *context, tl_u32 number, bool level), void *context)
{
	*board_ret = (struct tl_riscv_board){
		.services = services,
		.harts = harts,
		.memory_size = memory_size,
		.aclint = {.services = services, .harts = harts},
		.plic = {.contexts = 2 * harts},
		.rtc = {.services = services},
		.uart = {.send = uart_send, .interrupt = uart_interrupt, .context = board_ret},
		.finisher = {.told = told_finish, .context = board_ret},
	};
	if (harts == 0 || harts > TL_BOARD_HARTS_MAX || memory_size == 0 || memory_size % 4096 != 0)
		return false;
	board_ret->rtc.line = tl_plic_input(&board_ret->plic, TL_BOARD_RTC_SOURCE);
	connect(board_ret, hart_line, context);
	return tl_bus_add_memory(&board_ret->bus, "rom", TL_BOARD_ROM, TL_BOARD_ROM_SIZE, board_ret->rom, true) ==
		       TL_OK &&
	       tl_bus_add_memory(&board_ret->bus, "memory", TL_BOARD_MEMORY, memory_size, memory, false) == TL_OK &&
	       add_devices(board_ret) && add_slots(board_ret);
}

void tl_riscv_board_plug(struct tl_riscv_board *board, tl_u32 slot, const struct tl_device_operations *operations,
			 void *device)
{
	board->slots[slot] =
		operations != NULL ? (struct tl_board_slot){.operations = operations, .device = device} : empty_slot;
	if (operations != NULL && operations->reset != NULL)
		operations->reset(device);
}

struct tl_line tl_riscv_board_line(struct tl_riscv_board *board, tl_u32 slot)
{
	return tl_plic_input(&board->plic, TL_BOARD_SLOT_SOURCE + slot);
}

tl_size tl_riscv_board_receive(struct tl_riscv_board *board, tl_u32 slot, const tl_u8 *bytes, tl_size size)
{
	const struct tl_board_slot *at = &board->slots[slot];

	return at->operations->receive != NULL ? at->operations->receive(at->device, bytes, size) : 0;
}

void tl_riscv_board_reset(struct tl_riscv_board *board)
{
	const struct tl_bus *bus = &board->bus;

	for (tl_u32 i = 0; i < bus->count; i++)
		if (bus->regions[i].operations != NULL && bus->regions[i].operations->reset != NULL)
			bus->regions[i].operations->reset(bus->regions[i].device);
	for (tl_u32 i = 0; i < TL_BOARD_SLOTS; i++)
		if (board->slots[i].operations->reset != NULL)
			board->slots[i].operations->reset(board->slots[i].device);
}
