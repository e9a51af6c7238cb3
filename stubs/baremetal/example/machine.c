/* The four functions that the stub asks for, on a PC, and what leads into it. Intel SDM volume 3, chapter 11 "APIC". */
#include "stubs/baremetal/example/machine.h"

#define LINE 0x3f8u
#define APIC 0xfee00000u
#define TRAMPOLINE 0x8000u
#define FAULT_VECTOR 6u
#define TIMER_VECTOR 0x20u
#define LINE_VECTOR 0x24u
#define SPURIOUS_VECTOR 0x27u /* a request that was gone before it could be told: the line was read meanwhile */
#define TIMER_HERTZ 1193182u

extern tl_u8 trampoline[], trampoline_end[];
void interrupt_entry(void);
void fault_entry(void);
void on_interrupt(void);

static struct tl_stub_x86_gate gates[SPURIOUS_VECTOR + 1];
static tl_u8 storage[TL_STUB_STORAGE + (MACHINE_PROCESSORS - 1) * TL_STUB_STORAGE_EACH] __attribute__((aligned(16)));
static volatile tl_u32 awake = 1;
volatile tl_u64 machine_ticks, machine_faults;

static void out(tl_u16 port, tl_u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static tl_u8 in(tl_u16 port)
{
	tl_u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static volatile tl_u32 *apic(tl_u32 offset)
{
	return (volatile tl_u32 *)(tl_uintptr)(APIC + offset);
}

static int receive(void *context)
{
	(void)context;
	return (in(LINE + 5) & 1) != 0 ? in(LINE) : -1;
}

static void send(void *context, const void *bytes, tl_size size)
{
	(void)context;
	for (tl_size i = 0; i < size; i++) {
		while ((in(LINE + 5) & 0x20) == 0)
			continue;
		out(LINE, ((const tl_u8 *)bytes)[i]);
	}
}

void machine_say(const char *text)
{
	tl_size size = 0;

	while (text[size] != '\0')
		size++;
	send(NULL, text, size);
}

static tl_u32 processor(void *context)
{
	(void)context;
	return *apic(0x20) >> 24;
}

/* By the interrupt command register; 0x4000: level asserted, 0x400: an NMI. */
static void command(tl_u32 processor_number, tl_u32 what)
{
	*apic(0x310) = processor_number << 24;
	*apic(0x300) = what;
	while ((*apic(0x300) & 0x1000) != 0)
		continue;
}

static void round_up(void *context, tl_u32 processor_number)
{
	(void)context;
	command(processor_number, 0x4400);
}

/* A byte came over the line, or the timer fired; which of them the old interrupt controller knows. */
void on_interrupt(void)
{
	out(0x20, 0x0b);
	if ((in(0x20) & 1) != 0)
		machine_ticks++;
	else
		tl_stub_poll();
	out(0x20, 0x20);
}

static void set_gate(tl_u32 vector, void (*function)(void))
{
	tl_u64 entry = (tl_u64)(tl_uintptr)function;

	gates[vector] = (struct tl_stub_x86_gate){(tl_u16)entry, 8, 0, 0x8e, (tl_u16)(entry >> 16), 0, 0};
}

void machine_tick(tl_u32 hertz)
{
	tl_u32 count = TIMER_HERTZ / hertz;

	out(0x43, 0x34);
	out(0x40, (tl_u8)count);
	out(0x40, (tl_u8)(count >> 8));
	out(0x21, 0xee);
}

static void set_line_up(void)
{
	static const tl_u8 settings[][2] = {{1, 0}, {3, 0x80}, {0, 1}, {1, 0}, {3, 3}, {2, 7}, {4, 0x0b}, {1, 1}};
	static const tl_u8 controllers[][2] = {{0x20, 0x11}, {0xa0, 0x11}, {0x21, 0x20}, {0xa1, 0x28}, {0x21, 4},
					       {0xa1, 2},    {0x21, 1},    {0xa1, 1},    {0x21, 0xef}, {0xa1, 0xff}};

	for (unsigned i = 0; i < TL_COUNT(settings); i++)
		out((tl_u16)(LINE + settings[i][0]), settings[i][1]);
	for (unsigned i = 0; i < TL_COUNT(controllers); i++)
		out(controllers[i][0], controllers[i][1]);
}

static void load_gates(void)
{
	struct {
		tl_u16 limit;
		tl_u64 base;
	} __attribute__((packed)) table = {sizeof(gates) - 1, (tl_u64)(tl_uintptr)gates};

	__asm__ volatile("lidt %0" : : "m"(table));
	*apic(0xf0) |= 0x1ff; /* the local interrupt controller is on */
}

enum tl_status machine_start(void)
{
	static const struct tl_stub_port port = {receive, send, processor, round_up, NULL};

	set_line_up();
	TL_TRY(tl_stub_start(&port, MACHINE_PROCESSORS, storage, sizeof(storage)));
	tl_stub_x86_gates(gates, 8, 0, NULL);
	tl_stub_x86_exceptions(gates, 8, 0, ~(1u << FAULT_VECTOR)); /* it has a handler of its own */
	set_gate(FAULT_VECTOR, fault_entry);
	set_gate(LINE_VECTOR, interrupt_entry);
	set_gate(TIMER_VECTOR, interrupt_entry);
	set_gate(SPURIOUS_VECTOR, interrupt_entry);
	load_gates();
	*apic(0x350) = 0x700; /* what the old interrupt controller says comes in */
	return TL_OK;
}

tl_u32 machine_wake(void)
{
	tl_u8 *to = (tl_u8 *)(tl_uintptr)TRAMPOLINE;

	for (tl_size i = 0; i < (tl_size)(trampoline_end - trampoline); i++)
		to[i] = trampoline[i];
	command(0, 0xc4500); /* INIT to all others */
	for (tl_u32 n = 0; n < 1000000; n++)
		__asm__ volatile("pause");
	command(0, 0xc4600 | TRAMPOLINE >> 12);
	for (tl_u32 n = 0; n < 10000000 && awake < MACHINE_PROCESSORS; n++)
		__asm__ volatile("pause");
	return awake;
}

void machine_open(void)
{
	if (processor(NULL) != 0) {
		load_gates();
		__atomic_fetch_add(&awake, 1, __ATOMIC_RELAXED);
		tl_stub_join();
	}
	__asm__ volatile("sti");
}
