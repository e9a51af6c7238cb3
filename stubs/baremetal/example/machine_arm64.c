/*
 * The four functions that the stub asks for, on QEMU's `virt` with 64-bit Arm, and what leads into it. PL011 (DDI
 * 0183), GICv2 (IHI 0048), PSCI (DEN 0022), the generic timer (DDI 0487, D11).
 *
 * What rounds up other processors is an interrupt of group 0, which comes as an FIQ: interrupted code that masks IRQs
 * alone does not hold it back. All others are of group 1, and come as IRQs.
 */
#include "stubs/baremetal/example/machine.h"

#define LINE 0x09000000u
#define DISTRIBUTOR 0x08000000u
#define INTERFACE 0x08010000u
#define ROUND_UP 0u
#define TIMER 27u
#define LINE_INTERRUPT 33u
#define NONE 1020u /* and above: no interrupt */
#define PSCI_CPU_ON 0xc4000003u

enum { SYNCHRONOUS, IRQ, FIQ };

void secondary(void);
void on_exception(tl_u64 kind, struct tl_stub_arm64_frame *frame);

static tl_u8 storage[TL_STUB_STORAGE + (MACHINE_PROCESSORS - 1) * TL_STUB_STORAGE_EACH] __attribute__((aligned(16)));
static volatile tl_u32 awake = 1;
static tl_u64 period;
volatile tl_u64 machine_ticks, machine_faults;

static volatile tl_u32 *device(tl_u32 base, tl_u32 offset)
{
	return (volatile tl_u32 *)(tl_uintptr)(base + offset);
}

static int receive(void *context)
{
	(void)context;
	return (*device(LINE, 0x18) & 0x10) == 0 ? (int)(*device(LINE, 0) & 0xff) : -1;
}

static void send(void *context, const void *bytes, tl_size size)
{
	(void)context;
	for (tl_size i = 0; i < size; i++) {
		while ((*device(LINE, 0x18) & 0x20) != 0)
			continue;
		*device(LINE, 0) = ((const tl_u8 *)bytes)[i];
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
	tl_u64 affinity;

	(void)context;
	__asm__ volatile("mrs %0, mpidr_el1" : "=r"(affinity));
	return (tl_u32)affinity & 0xff;
}

static void round_up(void *context, tl_u32 processor_number)
{
	(void)context;
	__asm__ volatile("dsb ish" : : : "memory");
	*device(DISTRIBUTOR, 0xf00) = 1u << (16 + processor_number) | ROUND_UP;
}

static void set_timer(void)
{
	__asm__ volatile("msr cntv_tval_el0, %0\n\tmsr cntv_ctl_el0, %1" : : "r"(period), "r"((tl_u64)(period != 0)));
}

/* `udf #0` is counted, and passed by; all else is told to the debugger. */
__attribute__((weak)) void machine_exception(struct tl_stub_arm64_frame *frame)
{
	tl_u64 syndrome, address;

	__asm__ volatile("mrs %0, esr_el1\n\tmrs %1, far_el1" : "=r"(syndrome), "=r"(address));
	if (syndrome >> 26 == 0 && *(const volatile tl_u32 *)frame->pc == 0) {
		machine_faults++;
		frame->pc += 4;
	} else {
		tl_stub_arm64_unhandled(frame, syndrome, address);
	}
}

/*
 * An interrupt of either group. Where one to be rounded up waits, it is the first, whichever came. It is over before
 * the stub hears of it, as the processor may stay there.
 */
static void on_interrupt(struct tl_stub_arm64_frame *frame)
{
	tl_u32 word = *device(INTERFACE, 0x0c), number = word & 0x3ff;

	if (number >= NONE)
		return;
	if (number == TIMER) {
		machine_ticks++;
		set_timer();
	}
	*device(INTERFACE, 0x10) = word;
	if (number == LINE_INTERRUPT)
		tl_stub_poll();
	else if (number == ROUND_UP)
		tl_stub_arm64_interrupt(frame);
}

__attribute__((weak)) void machine_enter(struct tl_stub_arm64_frame *frame)
{
	(void)frame;
}

__attribute__((weak)) void machine_leave(struct tl_stub_arm64_frame *frame)
{
	(void)frame;
}

/* From the vectors in start_arm64.S. */
void on_exception(tl_u64 kind, struct tl_stub_arm64_frame *frame)
{
	machine_enter(frame);
	if (kind == IRQ || kind == FIQ)
		on_interrupt(frame);
	else if (kind != SYNCHRONOUS || !tl_stub_arm64_exception(frame))
		machine_exception(frame);
	machine_leave(frame);
}

/* Groups, and who is told: registers of a bit for each interrupt, those below 32 are each processor's own. */
static void set_interrupts_up(void)
{
	*device(DISTRIBUTOR, 0x080) = ~(1u << ROUND_UP);
	*device(DISTRIBUTOR, 0x100) = 1u << ROUND_UP | 1u << TIMER;
	*device(INTERFACE, 0x04) = 0xff;
	*device(INTERFACE, 0x00) = 0x0f; /* both groups, in one queue, the first as FIQ */
}

static void set_line_up(void)
{
	*device(LINE, 0x30) = 0;
	*device(LINE, 0x24) = 13; /* 115,200 baud of 24 MHz */
	*device(LINE, 0x28) = 1;
	*device(LINE, 0x2c) = 0x70;
	*device(LINE, 0x38) = 0x50; /* told of bytes that come */
	*device(LINE, 0x30) = 0x301;
	*device(DISTRIBUTOR, 0x084) = ~0u;
	*device(DISTRIBUTOR, 0x104) = 1u << (LINE_INTERRUPT - 32);
	*(volatile tl_u8 *)device(DISTRIBUTOR, 0x820 + (LINE_INTERRUPT - 32)) = 1;
	*device(DISTRIBUTOR, 0x000) = 3;
}

enum tl_status machine_start(void)
{
	static const struct tl_stub_port port = {receive, send, processor, round_up, NULL};

	set_line_up();
	set_interrupts_up();
	return tl_stub_start(&port, MACHINE_PROCESSORS, storage, sizeof(storage));
}

void machine_tick(tl_u32 hertz)
{
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(period));
	period /= hertz;
	set_timer();
}

static tl_i64 power_on(tl_u64 number)
{
	register tl_u64 function __asm__("x0") = PSCI_CPU_ON;
	register tl_u64 target __asm__("x1") = number;
	register tl_u64 entry __asm__("x2") = (tl_u64)(tl_uintptr)secondary;
	register tl_u64 context __asm__("x3") = number;

	__asm__ volatile("hvc #0" : "+r"(function) : "r"(target), "r"(entry), "r"(context) : "memory");
	return (tl_i64)function;
}

tl_u32 machine_wake(void)
{
	for (tl_u32 n = 1; n < MACHINE_PROCESSORS; n++)
		(void)power_on(n); /* refused where there is none, or it is awake */
	for (tl_u32 n = 0; n < 10000000 && awake < MACHINE_PROCESSORS; n++)
		__asm__ volatile("yield");
	return awake;
}

void machine_open(void)
{
	if (processor(NULL) != 0) {
		set_interrupts_up();
		__atomic_fetch_add(&awake, 1, __ATOMIC_RELAXED);
		tl_stub_join();
	}
	__asm__ volatile("msr daifclr, #15");
}
