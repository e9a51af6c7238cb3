/*
 * The board of a PC as far as Linux needs one, around processors, interrupt controllers and a timer chip that somebody
 * else has (KVM): a serial port, a clock, what resets it and switches it off, and eight virtio slots. There is no PCI,
 * no video and no keyboard; the tables of ACPI (acpi_tables.h) say what there is.
 *
 * One access at a time: whoever calls from several threads holds a lock.
 */
#ifndef TL_MACHINE_PC_BOARD_H
#define TL_MACHINE_PC_BOARD_H

#include "machine/bus.h"
#include "machine/cmos.h"
#include "machine/pc_power.h"
#include "machine/services.h"
#include "machine/uart.h"
#include "machine/virtio.h"

/* Ports. */
#define TL_PC_UART_PORT 0x3f8
#define TL_PC_UART_PORTS 8
#define TL_PC_CMOS_PORT 0x70
#define TL_PC_KEYBOARD_PORT 0x60
#define TL_PC_PM_PORT 0x600
#define TL_PC_RESET_PORT 0xcf9

/* Memory-mapped. */
#define TL_PC_SLOTS 8
#define TL_PC_SLOT 0xd0000000ull /* the first; a page each */
#define TL_PC_SLOT_SIZE 0x1000

/* Inputs of the interrupt controllers. */
#define TL_PC_UART_INPUT 4
#define TL_PC_SLOT_INPUT 16 /* of the first slot */

struct tl_pc_board {
	struct tl_bus ports, space;
	struct tl_uart uart;
	struct tl_cmos cmos;
	struct tl_pc_power power;
	struct tl_virtio slots[TL_PC_SLOTS];
	struct tl_line uart_line;
	void (*console)(void *context, tl_u8 byte); /* gets what the guest sends; its user's to set; NULL: lost */
	void *console_context;
};

/*
 * Puts a board together, as after power on. `lines` has a function that is called with the number of an input; services
 * and what the others point at are borrowed. `seconds` tells the time since 1970. The board must not be moved.
 */
void tl_pc_board_make(struct tl_pc_board *board_ret, const struct tl_services *services,
		      const struct tl_guest_memory *memory, const struct tl_line *lines,
		      tl_u64 (*seconds)(void *context), void *seconds_context);

/* Where the guest gets at devices: by ports, or by addresses in memory's space. */
enum tl_pc_way { TL_PC_PORTS, TL_PC_SPACE };

/* Reads 1, 2, 4 or 8 bytes. Where there is nothing all bits are 1. */
tl_u64 tl_pc_board_read(struct tl_pc_board *board, enum tl_pc_way way, tl_u64 address, tl_u32 size);
/* Writes as many; where there is nothing they are lost. */
void tl_pc_board_write(struct tl_pc_board *board, enum tl_pc_way way, tl_u64 address, tl_u64 value, tl_u32 size);

/* What the guest wants to become of the machine; it is told once. */
enum tl_pc_request tl_pc_board_take_request(struct tl_pc_board *board);

/* Resets all devices, those in the slots with them. */
void tl_pc_board_reset(struct tl_pc_board *board);

#endif
