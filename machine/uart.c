#include "machine/uart.h"

enum {
	DATA = 0,
	INTERRUPT_ENABLE = 1,
	INTERRUPT_IDENTITY = 2,
	LINE_CONTROL = 3,
	MODEM_CONTROL = 4,
	LINE_STATUS = 5,
	MODEM_STATUS = 6,
	SCRATCH = 7
};

#define ENABLE_RECEIVED 0x01
#define ENABLE_EMPTY 0x02
#define ENABLE_LINE 0x04

#define IDENTITY_NONE 0x01
#define IDENTITY_EMPTY 0x02
#define IDENTITY_RECEIVED 0x04
#define IDENTITY_LINE 0x06
#define IDENTITY_FIFO 0xc0

#define FIFO_ENABLE 0x01
#define FIFO_CLEAR_RECEIVED 0x02

#define DIVISOR_LATCH 0x80 /* of line control */

#define LOOP 0x10 /* of modem control */
#define MODEM_OUTPUTS 0x1f

#define STATUS_READY 0x01
#define STATUS_OVERRUN 0x02
#define STATUS_EMPTY 0x60 /* holding register and transmitter */

#define MODEM_READY 0xb0 /* carrier, data set ready, clear to send */

static tl_u8 identity(const struct tl_uart *uart)
{
	if ((uart->interrupt_enable & ENABLE_LINE) != 0 && uart->overrun)
		return IDENTITY_LINE;
	if ((uart->interrupt_enable & ENABLE_RECEIVED) != 0 && uart->count != 0)
		return IDENTITY_RECEIVED;
	if ((uart->interrupt_enable & ENABLE_EMPTY) != 0 && !uart->transmitter_told)
		return IDENTITY_EMPTY;
	return IDENTITY_NONE;
}

static void update(struct tl_uart *uart)
{
	bool level = identity(uart) != IDENTITY_NONE;

	if (level == uart->level)
		return;
	uart->level = level;
	if (uart->interrupt != NULL)
		uart->interrupt(uart->context, level);
}

static void enqueue(struct tl_uart *uart, tl_u8 byte)
{
	tl_u8 room = uart->fifo ? TL_UART_QUEUE : 1;

	if (uart->count >= room) {
		uart->overrun = true;
		return;
	}
	uart->queue[(uart->first + uart->count) % TL_UART_QUEUE] = byte;
	uart->count++;
}

static tl_u8 dequeue(struct tl_uart *uart)
{
	tl_u8 byte = uart->queue[uart->first];

	if (uart->count == 0)
		return 0;
	uart->first = (tl_u8)((uart->first + 1) % TL_UART_QUEUE);
	uart->count--;
	return byte;
}

/* With the loop closed, the inputs are the outputs in another order. */
static tl_u8 modem_status(const struct tl_uart *uart)
{
	tl_u8 control = uart->modem_control;

	if ((control & LOOP) == 0)
		return MODEM_READY;
	return (tl_u8)((control & 0x0c) << 4 | (control & 0x02) << 3 | (control & 0x01) << 5);
}

static tl_u8 read_register(struct tl_uart *uart, tl_u64 number)
{
	bool divisor = (uart->line_control & DIVISOR_LATCH) != 0;
	tl_u8 value;

	switch (number) {
	case DATA:
		return divisor ? uart->divisor_low : dequeue(uart);
	case INTERRUPT_ENABLE:
		return divisor ? uart->divisor_high : uart->interrupt_enable;
	case INTERRUPT_IDENTITY:
		value = identity(uart);
		if (value == IDENTITY_EMPTY) /* once is enough */
			uart->transmitter_told = true;
		return uart->fifo ? value | IDENTITY_FIFO : value;
	case LINE_CONTROL:
		return uart->line_control;
	case MODEM_CONTROL:
		return uart->modem_control;
	case LINE_STATUS:
		value = (tl_u8)(STATUS_EMPTY | (uart->count != 0 ? STATUS_READY : 0) |
				(uart->overrun ? STATUS_OVERRUN : 0));
		uart->overrun = false;
		return value;
	case MODEM_STATUS:
		return modem_status(uart);
	default:
		return uart->scratch;
	}
}

static void send(struct tl_uart *uart, tl_u8 byte)
{
	uart->transmitter_told = false;
	if ((uart->modem_control & LOOP) != 0)
		enqueue(uart, byte);
	else if (uart->send != NULL)
		uart->send(uart->context, byte);
}

static void write_register(struct tl_uart *uart, tl_u64 number, tl_u8 value)
{
	bool divisor = (uart->line_control & DIVISOR_LATCH) != 0;

	switch (number) {
	case DATA:
		if (divisor)
			uart->divisor_low = value;
		else
			send(uart, value);
		break;
	case INTERRUPT_ENABLE:
		if (divisor) {
			uart->divisor_high = value;
			break;
		}
		if ((value & ~uart->interrupt_enable & ENABLE_EMPTY) != 0)
			uart->transmitter_told = false;
		uart->interrupt_enable = value & 0x0f;
		break;
	case INTERRUPT_IDENTITY: /* written, it controls the queues */
		uart->fifo = (value & FIFO_ENABLE) != 0;
		if ((value & FIFO_CLEAR_RECEIVED) != 0)
			uart->count = 0;
		break;
	case LINE_CONTROL:
		uart->line_control = value;
		break;
	case MODEM_CONTROL:
		uart->modem_control = value & MODEM_OUTPUTS;
		break;
	case SCRATCH:
		uart->scratch = value;
		break;
	default: /* the states of lines are not written */
		break;
	}
}

static tl_u64 read(void *device, tl_u64 offset, tl_u32 size)
{
	struct tl_uart *uart = device;
	tl_u8 value;

	(void)size; /* the registers are bytes; of a wider access the lowest counts */
	if (offset > SCRATCH)
		return 0;
	value = read_register(uart, offset);
	update(uart);
	return value;
}

static void write(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	struct tl_uart *uart = device;

	(void)size;
	if (offset > SCRATCH)
		return;
	write_register(uart, offset, (tl_u8)value);
	update(uart);
}

static void reset(void *device)
{
	struct tl_uart *uart = device;

	uart->interrupt_enable = uart->line_control = uart->modem_control = uart->scratch = 0;
	uart->divisor_low = uart->divisor_high = 0;
	uart->fifo = uart->overrun = uart->transmitter_told = false;
	uart->first = uart->count = 0;
	update(uart);
}

bool tl_uart_receive(struct tl_uart *uart, tl_u8 byte)
{
	if ((uart->modem_control & LOOP) != 0 || uart->count >= (uart->fifo ? TL_UART_QUEUE : 1))
		return false;
	enqueue(uart, byte);
	update(uart);
	return true;
}

static tl_size receive(void *device, const tl_u8 *bytes, tl_size size)
{
	tl_size taken = 0;

	while (taken < size && tl_uart_receive(device, bytes[taken]))
		taken++;
	return taken;
}

const struct tl_device_operations tl_uart_operations = {
	.read = read, .write = write, .reset = reset, .receive = receive};
