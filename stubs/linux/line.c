/*
 * A serial port of the 8250 family, driven by polling: it works while every processor stands. National Semiconductor
 * PC16550D data sheet, table II "Summary of Registers".
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/tty.h>

#include <asm/tsc.h>

#include "stubs/linux/module.h"

#define TTY_MAJOR_SERIAL 4
#define TTY_MINOR_SERIAL 64
#define BASE_RATE 115200u
#define QUEUE 16 /* bytes that an empty transmitter takes */
/* So often is a transmitter asked that does not get empty: a second or more. Then the line is taken for gone. */
#define PATIENCE 1000000u

enum { DATA, INTERRUPTS, FIFO, FORMAT, MODEM, STATUS, CARRIER };

#define FORMAT_DIVISOR 0x80
#define FORMAT_8N1 0x03
#define FIFO_CLEAR 0x07
#define MODEM_READY 0x03 /* data terminal ready, request to send */
#define STATUS_RECEIVED 0x01
#define STATUS_EMPTY 0x20
#define CARRIER_DETECTED 0x80

static const u16 ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};

static struct {
	u16 port; /* 0: closed */
	u8 interrupts, format, modem, divisor[2];
	bool gone;    /* the transmitter did not get empty */
	bool carried; /* a carrier was there, and its loss was not told */
	unsigned silence;
	u64 last; /* when a byte was moved, by the time stamp counter */
	struct tty_struct *tty;
} line;

static u8 get(int where)
{
	return inb((u16)(line.port + where));
}

static void put(int where, u8 value)
{
	outb(value, (u16)(line.port + where));
}

static void set_divisor(u8 low, u8 high)
{
	put(FORMAT, FORMAT_DIVISOR | FORMAT_8N1);
	put(0, low);
	put(1, high);
	put(FORMAT, FORMAT_8N1);
}

static void keep(void)
{
	line.interrupts = get(INTERRUPTS);
	line.format = get(FORMAT);
	line.modem = get(MODEM);
	put(FORMAT, FORMAT_DIVISOR | FORMAT_8N1);
	line.divisor[0] = get(0);
	line.divisor[1] = get(1);
	put(FORMAT, FORMAT_8N1);
}

int tl_line_open(const char *name, unsigned baud, unsigned silence)
{
	unsigned number, divisor;

	if (sscanf(name, "ttyS%u", &number) != 1 || number >= ARRAY_SIZE(ports)) {
		pr_err("trapline: port=%s is not one of ttyS0 to ttyS3\n", name);
		return -EINVAL;
	}
	if (baud == 0 || BASE_RATE % baud != 0 || BASE_RATE / baud > 0xffff) {
		pr_err("trapline: baud=%u is not a divisor of %u\n", baud, BASE_RATE);
		return -EINVAL;
	}
	/* The port's own driver keeps out, and so do programs, as long as this is open. */
	line.tty = tty_kopen_exclusive(MKDEV(TTY_MAJOR_SERIAL, TTY_MINOR_SERIAL + number));
	if (IS_ERR(line.tty)) {
		pr_err("trapline: %s is in use, or is not there: take another port\n", name);
		return PTR_ERR(line.tty);
	}
	line.port = ports[number];
	keep();
	if (line.interrupts == 0xff && get(STATUS) == 0xff) {
		pr_err("trapline: nothing answers at %s\n", name);
		line.port = 0;
		tty_unlock(line.tty);
		tty_kclose(line.tty);
		return -ENODEV;
	}
	tty_unlock(line.tty);
	divisor = BASE_RATE / baud;
	put(INTERRUPTS, 0);
	set_divisor((u8)divisor, (u8)(divisor >> 8));
	put(FIFO, FIFO_CLEAR);
	put(MODEM, MODEM_READY);
	line.gone = line.carried = false;
	line.silence = silence;
	return 0;
}

void tl_line_close(void)
{
	if (line.port == 0)
		return;
	set_divisor(line.divisor[0], line.divisor[1]);
	put(FORMAT, line.format);
	put(MODEM, line.modem);
	put(INTERRUPTS, line.interrupts);
	line.port = 0;
	tty_kclose(line.tty);
}

bool tl_line_ready(void)
{
	return line.port != 0 && (get(STATUS) & STATUS_RECEIVED) != 0;
}

int tl_line_receive(void *context)
{
	(void)context;
	if (!tl_line_ready())
		return -1;
	line.last = rdtsc();
	return get(DATA);
}

bool tl_line_dropped(void)
{
	bool carrier = line.port != 0 && (get(CARRIER) & CARRIER_DETECTED) != 0;

	line.carried |= carrier;
	return line.carried && !carrier;
}

/* Processors may differ in what time it is by a little. */
static bool is_silent(void)
{
	s64 passed = (s64)(rdtsc() - line.last);

	return line.silence != 0 && tsc_khz != 0 && passed > (s64)line.silence * 1000 * (s64)tsc_khz;
}

bool tl_line_lost(void *context, bool stands)
{
	bool lost = tl_line_dropped();

	(void)context;
	if (lost)
		line.carried = false;
	return lost || (stands && is_silent());
}

/* A line that takes nothing must not hold the kernel for ever: what cannot be sent is dropped. */
static bool wait_empty(void)
{
	for (unsigned n = 0; n < (line.gone ? 1 : PATIENCE); n++) {
		if ((get(STATUS) & STATUS_EMPTY) != 0) {
			line.gone = false;
			return true;
		}
		cpu_relax();
	}
	line.gone = true;
	return false;
}

void tl_line_send(void *context, const void *bytes, tl_size size)
{
	const u8 *next = bytes;

	(void)context;
	line.last = rdtsc();
	while (size != 0 && wait_empty())
		for (unsigned n = 0; n < QUEUE && size != 0; n++, size--)
			put(DATA, *next++);
}
