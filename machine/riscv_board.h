/*
 * A board that OpenSBI, U-Boot and Linux take for QEMU's virt machine: the same devices at the same addresses, with the
 * same interrupt numbers.
 *
 * Virtio devices stand in eight slots, each with a range of its own and a line to the interrupt controller. A slot that
 * nothing is plugged into answers as a transport without a device.
 *
 * Source: QEMU's device tree of that machine (-machine virt,dumpdtb=FILE).
 */
#ifndef TL_MACHINE_RISCV_BOARD_H
#define TL_MACHINE_RISCV_BOARD_H

#include "machine/aclint.h"
#include "machine/bus.h"
#include "machine/finisher.h"
#include "machine/plic.h"
#include "machine/rtc.h"
#include "machine/services.h"
#include "machine/uart.h"

#define TL_BOARD_HARTS_MAX 8
#define TL_BOARD_SLOTS 8

#define TL_BOARD_ROM 0x1000ull
#define TL_BOARD_ROM_SIZE 0xf000
#define TL_BOARD_FINISHER 0x100000ull
#define TL_BOARD_RTC 0x101000ull
#define TL_BOARD_ACLINT 0x2000000ull
#define TL_BOARD_PLIC 0xc000000ull
#define TL_BOARD_UART 0x10000000ull
#define TL_BOARD_SLOT 0x10001000ull /* the first; a page each */
#define TL_BOARD_SLOT_SIZE 0x1000
#define TL_BOARD_MEMORY 0x80000000ull

#define TL_BOARD_UART_SOURCE 10
#define TL_BOARD_RTC_SOURCE 11
#define TL_BOARD_SLOT_SOURCE 1 /* of the first slot */

struct tl_board_slot {
	const struct tl_device_operations *operations; /* never NULL: an empty slot has its own */
	void *device;
};

struct tl_riscv_board {
	struct tl_bus bus;
	struct tl_aclint aclint;
	struct tl_plic plic;
	struct tl_uart uart;
	struct tl_finisher finisher;
	struct tl_rtc rtc;
	struct tl_board_slot slots[TL_BOARD_SLOTS];
	const struct tl_services *services;
	tl_u32 harts;
	tl_u64 memory_size;
	void (*console)(void *context, tl_u8 byte); /* gets what the guest sends; its user's to set; NULL: lost */
	void *console_context;
	tl_u8 rom[TL_BOARD_ROM_SIZE]; /* where harts begin */
};

/*
 * Puts a board together. `hart_line` is called with TL_BOARD_LINE(hart, interrupt) as its number, interrupt being the
 * bit of mip. Memory, services and context are borrowed. The board must not be moved afterwards. False when the numbers
 * are out of range: harts from 1 to TL_BOARD_HARTS_MAX, memory_size not 0 and in whole pages.
 */
TL_CHECKED bool tl_riscv_board_make(struct tl_riscv_board *board_ret, tl_u32 harts, tl_u8 *memory, tl_u64 memory_size,
				    const struct tl_services *services,
				    void (*hart_line)(void *context, tl_u32 number, bool level), void *context);

#define TL_BOARD_LINE(hart, interrupt) ((hart) << 8 | (interrupt))
#define TL_BOARD_LINE_HART(number) ((number) >> 8)
#define TL_BOARD_LINE_INTERRUPT(number) ((number)&255u)

/*
 * Plugs a device into a slot from 0 to TL_BOARD_SLOTS - 1, in place of what is there, before the machine runs. It
 * begins with a reset (operations->reset). Operations and device are borrowed. NULL operations empty the slot.
 */
void tl_riscv_board_plug(struct tl_riscv_board *board, tl_u32 slot, const struct tl_device_operations *operations,
			 void *device);

/* The interrupt line of a slot, for its device. */
struct tl_line tl_riscv_board_line(struct tl_riscv_board *board, tl_u32 slot);

/* Input for the device in a slot: see tl_device_operations. */
tl_size tl_riscv_board_receive(struct tl_riscv_board *board, tl_u32 slot, const tl_u8 *bytes, tl_size size);

/* Resets all devices, those in the slots with them. */
void tl_riscv_board_reset(struct tl_riscv_board *board);

#endif
