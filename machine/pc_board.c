#include "machine/pc_board.h"

#define ABSENT TL_U64_MAX

static void uart_send(void *context, tl_u8 byte)
{
	struct tl_pc_board *board = context;

	if (board->console != NULL)
		board->console(board->console_context, byte);
}

static void uart_interrupt(void *context, bool level)
{
	const struct tl_pc_board *board = context;

	tl_line_set(&board->uart_line, level);
}

static struct tl_line line(const struct tl_line *lines, tl_u32 number)
{
	return (struct tl_line){.set = lines->set, .context = lines->context, .number = number};
}

/* The ranges are ours, and do not meet. */
static void add(struct tl_bus *bus, const char *name, tl_u64 start, tl_u64 size,
		const struct tl_device_operations *operations, void *device)
{
	(void)!tl_bus_add_device(bus, name, start, size, operations, device);
}

static void add_ports(struct tl_pc_board *board)
{
	add(&board->ports, "keyboard controller", TL_PC_KEYBOARD_PORT, TL_PC_KEYBOARD_SIZE, &tl_pc_keyboard_operations,
	    &board->power);
	add(&board->ports, "clock", TL_PC_CMOS_PORT, TL_CMOS_SIZE, &tl_cmos_operations, &board->cmos);
	add(&board->ports, "serial port", TL_PC_UART_PORT, TL_PC_UART_PORTS, &tl_uart_operations, &board->uart);
	add(&board->ports, "power management", TL_PC_PM_PORT, TL_PC_PM_SIZE, &tl_pc_pm_operations, &board->power);
	add(&board->ports, "reset register", TL_PC_RESET_PORT, 1, &tl_pc_reset_operations, &board->power);
}

static void add_slots(struct tl_pc_board *board, const struct tl_guest_memory *memory, const struct tl_line *lines)
{
	static const char *const names[TL_PC_SLOTS] = {"slot 0", "slot 1", "slot 2", "slot 3",
						       "slot 4", "slot 5", "slot 6", "slot 7"};

	for (tl_u32 i = 0; i < TL_PC_SLOTS; i++) {
		board->slots[i] = (struct tl_virtio){.memory = *memory, .line = line(lines, TL_PC_SLOT_INPUT + i)};
		add(&board->space, names[i], TL_PC_SLOT + (tl_u64)i * TL_PC_SLOT_SIZE, TL_PC_SLOT_SIZE,
		    &tl_virtio_operations, &board->slots[i]);
	}
}

void tl_pc_board_make(struct tl_pc_board *board_ret, const struct tl_services *services,
		      const struct tl_guest_memory *memory, const struct tl_line *lines,
		      tl_u64 (*seconds)(void *context), void *seconds_context)
{
	*board_ret =
		(struct tl_pc_board){.uart = {.send = uart_send, .interrupt = uart_interrupt, .context = board_ret},
				     .cmos = {.seconds = seconds, .context = seconds_context},
				     .power = {.services = services},
				     .uart_line = line(lines, TL_PC_UART_INPUT)};
	add_ports(board_ret);
	add_slots(board_ret, memory, lines);
	tl_pc_board_reset(board_ret);
}

static const struct tl_bus_region *find(const struct tl_pc_board *board, enum tl_pc_way way, tl_u64 address,
					tl_u32 size)
{
	return tl_bus_find(way == TL_PC_PORTS ? &board->ports : &board->space, address, size);
}

tl_u64 tl_pc_board_read(struct tl_pc_board *board, enum tl_pc_way way, tl_u64 address, tl_u32 size)
{
	const struct tl_bus_region *region = find(board, way, address, size);

	return region != NULL ? region->operations->read(region->device, address - region->start, size) : ABSENT;
}

void tl_pc_board_write(struct tl_pc_board *board, enum tl_pc_way way, tl_u64 address, tl_u64 value, tl_u32 size)
{
	const struct tl_bus_region *region = find(board, way, address, size);

	if (region != NULL)
		region->operations->write(region->device, address - region->start, value, size);
}

enum tl_pc_request tl_pc_board_take_request(struct tl_pc_board *board)
{
	enum tl_pc_request request = board->power.request;

	board->power.request = TL_PC_GOES_ON;
	return request;
}

static void reset_all(const struct tl_bus *bus)
{
	for (tl_u32 i = 0; i < bus->count; i++)
		if (bus->regions[i].operations->reset != NULL)
			bus->regions[i].operations->reset(bus->regions[i].device);
}

void tl_pc_board_reset(struct tl_pc_board *board)
{
	reset_all(&board->ports);
	reset_all(&board->space);
}
