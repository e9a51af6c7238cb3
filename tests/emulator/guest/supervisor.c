/*
 * A small kernel in supervisor mode, behind OpenSBI: says who it is, has all other harts started, is interrupted by its
 * timer, by other harts and by the serial port, turns on Sv39, and switches the machine off (or does what the first
 * letter of the command line that it was started with says: r a reset, f a failure, w waits for ever). Freestanding.
 *
 * Source: RISC-V Supervisor Binary Interface Specification 1.0.
 */

typedef unsigned long word;

#define SBI_BASE 0x10
#define SBI_TIME 0x54494d45
#define SBI_IPI 0x735049
#define SBI_HSM 0x48534d
#define SBI_RESET 0x53525354

#define UART ((volatile unsigned char *)0x10000000)
#define UART_READY 1
#define PLIC 0x0c000000ul
#define UART_SOURCE 10
#define FINISHER ((volatile unsigned int *)0x100000)

#define SOFTWARE (1ul << 1)
#define TIMER (1ul << 5)
#define EXTERNAL (1ul << 9)
#define INTERRUPT (1ul << 63)

/* Interrupts are off between the look and the sleep, which they end all the same. */
#define WAIT_UNTIL(condition)                                                                                          \
	do {                                                                                                           \
		CLEAR("sstatus", 2);                                                                                   \
		while (!(condition)) {                                                                                 \
			__asm__ volatile("wfi");                                                                       \
			SET("sstatus", 2);                                                                             \
			CLEAR("sstatus", 2);                                                                           \
		}                                                                                                      \
		SET("sstatus", 2);                                                                                     \
	} while (0)

#define HARTS 8
#define STACK 4096

#define READ(name)                                                                                                     \
	({                                                                                                             \
		word read_value;                                                                                       \
		__asm__ volatile("csrr %0, " name : "=r"(read_value));                                                 \
		read_value;                                                                                            \
	})
#define WRITE(name, value) __asm__ volatile("csrw " name ", %0" ::"r"((word)(value)) : "memory")
#define SET(name, value) __asm__ volatile("csrs " name ", %0" ::"r"((word)(value)) : "memory")
#define CLEAR(name, value) __asm__ volatile("csrc " name ", %0" ::"r"((word)(value)) : "memory")

void trapped(void);
void first(word hart, word tree);
void other(word hart);
extern char begin_other[], trap_entry[];

unsigned char stacks[HARTS][STACK] __attribute__((aligned(16)));
static volatile word timers, calls[HARTS], listening[HARTS], typed, last_cause;
static volatile unsigned char letter;
static word number_of_harts;
static word table[512] __attribute__((aligned(4096)));

struct answer {
	long error;
	word value;
};

static struct answer sbi(word extension, word function, word a, word b, word c)
{
	register word a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
	register word a6 __asm__("a6") = function, a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return (struct answer){(long)a0, a1};
}

static void say(const char *text)
{
	for (; *text != '\0'; text++)
		*UART = (unsigned char)*text;
}

static void say_number(word value)
{
	char text[24], *at = &text[sizeof(text) - 1];

	*at = '\0';
	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	say(at);
}

static void say_line(const char *text, word value)
{
	say(text);
	say(" ");
	say_number(value);
	say("\n");
}

static volatile unsigned int *plic(word offset)
{
	return (volatile unsigned int *)(PLIC + offset);
}

/* The context of a hart's supervisor. */
static word context(word hart)
{
	return 2 * hart + 1;
}

static void take_external(word hart)
{
	volatile unsigned int *claim = plic(0x200004 + 0x1000 * context(hart));
	unsigned int source = *claim;

	if (source != UART_SOURCE)
		return;
	while ((UART[5] & UART_READY) != 0) {
		letter = UART[0];
		typed++;
	}
	*claim = source;
}

/* Interrupts only; of exceptions the cause is noted, and the instruction passed over. */
void trapped(void)
{
	word cause = READ("scause"), hart = READ("sscratch");

	switch (cause) {
	case INTERRUPT | 1:
		CLEAR("sip", SOFTWARE);
		calls[hart]++;
		break;
	case INTERRUPT | 5:
		timers++;
		(void)sbi(SBI_TIME, 0, ~0ul, 0, 0);
		break;
	case INTERRUPT | 9:
		take_external(hart);
		break;
	default:
		last_cause = cause;
		WRITE("sepc", READ("sepc") + 4);
		break;
	}
}

static void listen(word hart, word which)
{
	WRITE("sscratch", hart);
	WRITE("stvec", trap_entry);
	WRITE("sie", which);
	SET("sstatus", 2);
}

/* A hart that was started answers each call with one back. */
void other(word hart)
{
	word answered = 0;

	listen(hart, SOFTWARE);
	listening[hart] = 1; /* before that firmware drops calls */
	for (;;) {
		WAIT_UNTIL(calls[hart] != answered);
		answered = calls[hart];
		(void)sbi(SBI_IPI, 0, 1, 0, 0);
	}
}

static void start_others(void)
{
	for (word hart = 1; hart < HARTS; hart++)
		if (sbi(SBI_HSM, 0, hart, (word)begin_other, 0).error == 0)
			number_of_harts++;
	say_line("harts started:", number_of_harts);
	for (word hart = 1; hart <= number_of_harts; hart++) {
		word before = calls[0];

		while (!listening[hart])
			;
		(void)sbi(SBI_IPI, 0, 1, hart, 0);
		while (calls[0] == before)
			;
	}
	say_line("calls answered:", number_of_harts == 0 ? 0 : calls[0]);
}

static void use_timer(void)
{
	word before = READ("time");

	(void)sbi(SBI_TIME, 0, before + 50000, 0, 0); /* 5 ms */
	WAIT_UNTIL(timers != 0);
	say(READ("time") - before >= 50000 && READ("time") - before < 60000 ? "timer: in time\n" : "timer: late\n");
}

/* The GiB of this code, and that of the devices; an address behind them is in no page. */
static void use_pages(void)
{
	table[0] = 0x00000000 >> 2 | 0xc7;
	table[2] = 0x80000000 >> 2 | 0xcf;
	WRITE("satp", 8ul << 60 | (word)table >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
	__asm__ volatile("ld zero, 0(%0)" ::"r"(0x140000000ul) : "memory");
	say_line("cause of a load from nowhere:", last_cause);
	__asm__ volatile(".option push\n.option norvc\nebreak\n.option pop" ::: "memory");
	say_line("cause of a breakpoint:", last_cause);
}

static void hear_serial_port(void)
{
	*plic(4 * UART_SOURCE) = 1;
	*plic(0x2000 + 0x80 * context(0)) = 1u << UART_SOURCE;
	*plic(0x200000 + 0x1000 * context(0)) = 0;
	UART[2] = 1;
	UART[1] = 1;
	say("type: ");
	WAIT_UNTIL(letter == '\r');
	say_line("typed:", typed);
}

static char text_of_command_line(word tree)
{
	/* The one property whose value begins so. */
	static const char mark[] = "end=";

	for (const char *at = (const char *)tree; at < (const char *)tree + 65536; at++) {
		word same = 0;

		while (same < sizeof(mark) - 1 && at[same] == mark[same])
			same++;
		if (same == sizeof(mark) - 1)
			return at[same];
	}
	return 'o';
}

void first(word hart, word tree)
{
	char end = text_of_command_line(tree);

	listen(hart, SOFTWARE | TIMER | EXTERNAL);
	say_line("supervisor on hart", hart);
	say_line("SBI version", sbi(SBI_BASE, 0, 0, 0, 0).value >> 24);
	start_others();
	use_timer();
	use_pages();
	hear_serial_port();
	say("end\n");
	if (end == 'r')
		(void)sbi(SBI_RESET, 0, 1, 0, 0);
	else if (end == 'f')
		*FINISHER = 7u << 16 | 0x3333;
	else if (end == 'o')
		(void)sbi(SBI_RESET, 0, 0, 0, 0);
	WRITE("sie", 0);
	for (;;)
		__asm__ volatile("wfi");
}

/* Where OpenSBI goes to, which is the beginning of the file; where other harts begin; and where interrupts arrive. */
__asm__(".section .text.startup, \"ax\"\n"
	".globl _start, begin_other, trap_entry\n"
	"_start:\n"
	"	la sp, stacks + 4096\n"
	"	call first\n"
	"begin_other:\n"
	"	la sp, stacks + 4096\n"
	"	slli t0, a0, 12\n"
	"	add sp, sp, t0\n"
	"	call other\n"
	".balign 4\n"
	"trap_entry:\n"
	"	addi sp, sp, -128\n"
	"	sd ra, 0(sp)\n"
	"	sd t0, 8(sp)\n"
	"	sd t1, 16(sp)\n"
	"	sd t2, 24(sp)\n"
	"	sd a0, 32(sp)\n"
	"	sd a1, 40(sp)\n"
	"	sd a2, 48(sp)\n"
	"	sd a3, 56(sp)\n"
	"	sd a4, 64(sp)\n"
	"	sd a5, 72(sp)\n"
	"	sd a6, 80(sp)\n"
	"	sd a7, 88(sp)\n"
	"	sd t3, 96(sp)\n"
	"	sd t4, 104(sp)\n"
	"	sd t5, 112(sp)\n"
	"	sd t6, 120(sp)\n"
	"	call trapped\n"
	"	ld ra, 0(sp)\n"
	"	ld t0, 8(sp)\n"
	"	ld t1, 16(sp)\n"
	"	ld t2, 24(sp)\n"
	"	ld a0, 32(sp)\n"
	"	ld a1, 40(sp)\n"
	"	ld a2, 48(sp)\n"
	"	ld a3, 56(sp)\n"
	"	ld a4, 64(sp)\n"
	"	ld a5, 72(sp)\n"
	"	ld a6, 80(sp)\n"
	"	ld a7, 88(sp)\n"
	"	ld t3, 96(sp)\n"
	"	ld t4, 104(sp)\n"
	"	ld t5, 112(sp)\n"
	"	ld t6, 120(sp)\n"
	"	addi sp, sp, 128\n"
	"	sret\n");
