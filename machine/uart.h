/*
 * A 16550A serial port with eight registers of a byte each.
 *
 * What the guest sends goes to a callback at once: the transmitter is always empty. What is to be received is queued
 * here by the machine, at a moment of its choosing; while the queue is full the machine keeps the rest.
 *
 * Source: PC16550D data sheet, National Semiconductor, 1995.
 */
#ifndef TL_MACHINE_UART_H
#define TL_MACHINE_UART_H

#include "machine/bus.h"

#define TL_UART_SIZE 0x100 /* of its range on the bus; only the first 8 bytes are registers */
#define TL_UART_QUEUE 16

struct tl_uart {
	void (*send)(void *context, tl_u8 byte);      /* NULL: what is sent is lost */
	void (*interrupt)(void *context, bool level); /* NULL: connected to nothing */
	void *context;
	tl_u8 interrupt_enable, line_control, modem_control, scratch, divisor_low, divisor_high;
	bool fifo, overrun, transmitter_told;
	tl_u8 queue[TL_UART_QUEUE];
	tl_u8 first, count;
	bool level;
};

extern const struct tl_device_operations tl_uart_operations;

/* One byte for the guest; false when there is no room, or the guest listens to itself: try again later. */
bool tl_uart_receive(struct tl_uart *uart, tl_u8 byte);

#endif
