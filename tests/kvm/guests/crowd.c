/*
 * A guest with as many processors as the machine has. Each goes round for ever: it counts, calls crowd_hot(number), and
 * does what its word of crowd_request asks for. Whoever debugs it judges it by what it counted, which no stop may
 * change.
 *
 * The interface is its symbols: arrays of 64-bit words with one word a processor, but for crowd_cpus, crowd_start and
 * crowd_watched. Exceptions that nobody asked for are counted in crowd_surprises, and their first is kept.
 */
#include <stdint.h>

enum { CPUS_MOST = 16, TRAMPOLINE = 0x8000 };
enum {
	APIC = 0xfee00000,
	APIC_ID = 0x20,
	APIC_EOI = 0xb0,
	APIC_SPURIOUS = 0xf0,
	APIC_COMMAND = 0x300,
	APIC_TIMER = 0x320,
	APIC_INITIAL = 0x380,
	APIC_DIVIDE = 0x3e0
};
enum { VECTOR_DB = 1, VECTOR_NMI = 2, VECTOR_BP = 3, VECTOR_TIMER = 32 };
enum { COM1 = 0x3f8, POWER = 0x600 };
#define FAR (1ul << 39)

enum request {
	REQUEST_NONE,
	REQUEST_INT3 = 1,   /* CC */
	REQUEST_INT_3 = 2,  /* CD 03 */
	REQUEST_ICEBP = 3,  /* F1 */
	REQUEST_WATCH = 4,  /* its own watchpoint on crowd_watched, and a write to it */
	REQUEST_TIMER = 5,  /* sets its timer going: every crowd_argument nanoseconds */
	REQUEST_QUIET = 6,  /* stops the timer */
	REQUEST_HALT = 7,   /* sti; hlt, once */
	REQUEST_FLAGS = 8,  /* crowd_hard: instructions that are hard to step, with interrupts on; what they pushed goes
			       to crowd_seen */
	REQUEST_TRIPLE = 9, /* no gates, and an exception */
	REQUEST_OFF = 10,   /* switches the machine off */
	REQUEST_RESET = 11,
	REQUEST_TRACE = 12,   /* steps itself: TF on over four instructions */
	REQUEST_TABLES = 13,  /* writes over all that the monitor left below 1 MiB, but the tables that are in use */
	REQUEST_BLOCKED = 14, /* counts crowd_argument rounds with interrupts off, without looking at requests */
	REQUEST_STORE = 15, /* writes crowd_argument's lower half to crowd_watched, at its upper half, at crowd_store */
	REQUEST_NMI = 16,   /* sends an NMI to processor crowd_argument */
	REQUEST_ODD = 17,   /* crowd_odd: rep, iret and syscall; the flags that syscall saved go to crowd_seen */
	REQUEST_MAP = 18,   /* maps all memory once more, FAR above */
	REQUEST_FAR = 19    /* calls crowd_store FAR above, with crowd_argument for crowd_watched */
};

/* As the entries of start.S push it. */
struct frame {
	uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
	uint64_t vector, code, rip, cs, rflags, rsp, ss;
};

volatile uint64_t crowd_cpus, crowd_start, crowd_running;
volatile uint64_t crowd_counter[CPUS_MOST], crowd_request[CPUS_MOST], crowd_argument[CPUS_MOST], crowd_done[CPUS_MOST];
volatile uint64_t crowd_traps[CPUS_MOST], crowd_trap_address[CPUS_MOST];
volatile uint64_t crowd_debugs[CPUS_MOST], crowd_debug_status[CPUS_MOST];
volatile uint64_t crowd_ticks[CPUS_MOST], crowd_nmis[CPUS_MOST];
volatile uint64_t crowd_surprises[CPUS_MOST], crowd_surprise[CPUS_MOST], crowd_surprise_address[CPUS_MOST];
volatile uint64_t crowd_seen[CPUS_MOST];
/* A page of its own: a write beside a guarded word leaves the guest, and in an emulated host for long. */
volatile uint64_t crowd_watched[512] __attribute__((aligned(4096)));
volatile uint64_t crowd_hot_calls[CPUS_MOST];
volatile uint8_t crowd_scratch[8];

extern const uint8_t entries[], trampoline[], trampoline_end[];
extern void crowd_hot(uint64_t number);
extern uint64_t crowd_hard(void), crowd_odd(void);
extern const uint8_t crowd_odd_entry[];
extern void crowd_store(volatile uint64_t *where, uint64_t value);
extern void crowd_blocked(uint64_t rounds, volatile uint64_t *counter);

static struct gate {
	uint16_t low, selector, kind, middle;
	uint32_t high, zero;
} gates[256] __attribute__((aligned(16)));

/* Every processor's calls of crowd_hot are counted by its one instruction with a memory operand. */
__asm__(".globl crowd_hot, crowd_hot_second\n"
	"crowd_hot:\n\tincq crowd_hot_calls(,%rdi,8)\n"
	"crowd_hot_second:\n\tret\n"
	/* What is pushed must be the guest's own flags: neither a debugger's trap flag, nor interrupts off. */
	".globl crowd_hard, crowd_hard_pushed, crowd_hard_end\n"
	"crowd_hard:\n\tsti\n\tnop\n\tpushfq\n"
	"crowd_hard_pushed:\n\tpop %rax\n\tpush %rax\n\tpopfq\n\tcli\n\tpushfq\n\tpop %rcx\n\tshl $32, %rcx\n\tor "
	"%rcx, %rax\n"
	"\tmov %ss, %ecx\n\tmov %ecx, %ss\n\tnop\n\tsti\n"
	"crowd_hard_end:\n\tret\n"
	".globl crowd_store, crowd_stored\n"
	"crowd_store:\n\tmov %rsi, (%rdi)\n"
	"crowd_stored:\n\tret\n"
	/* A string instruction of five rounds, a frame that is made for iret, and a system call to the same privilege.
	 */
	".globl crowd_odd, crowd_odd_rep, crowd_odd_iret, crowd_odd_returned, crowd_odd_syscall, crowd_odd_back\n"
	".globl crowd_odd_entry, crowd_odd_end\n"
	"crowd_odd:\n\tmov $crowd_scratch, %edi\n\tmov $5, %ecx\n\tmov $0x11, %al\n"
	"crowd_odd_rep:\n\trep stosb\n"
	"\tmov %rsp, %rdx\n\tmov %ss, %eax\n\tpush %rax\n\tpush %rdx\n\tpushfq\n\tmov %cs, %eax\n\tpush %rax\n"
	"\tpush $crowd_odd_returned\n"
	"crowd_odd_iret:\n\tiretq\n"
	"crowd_odd_returned:\n\tnop\n"
	"crowd_odd_syscall:\n\tsyscall\n"
	"crowd_odd_back:\n\tmov %r11, %rax\n"
	"crowd_odd_end:\n\tret\n"
	"crowd_odd_entry:\n\tpush %r11\n\tpopfq\n\tjmp *%rcx\n"
	".globl crowd_blocked, crowd_blocked_loop\n"
	"crowd_blocked:\n"
	"crowd_blocked_loop:\n\tincq (%rsi)\n\tdec %rdi\n\tjnz crowd_blocked_loop\n\tret\n");

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static volatile uint32_t *apic(uint32_t where)
{
	return (volatile uint32_t *)(uintptr_t)(APIC + where);
}

static uint64_t own_number(void)
{
	return *apic(APIC_ID) >> 24;
}

static void say(const char *text)
{
	while (*text)
		out8(COM1, (uint8_t)*text++);
}

void guest_exception(struct frame *frame)
{
	const uint64_t number = own_number();
	uint64_t status;

	switch (frame->vector) {
	case VECTOR_BP:
		crowd_traps[number]++;
		crowd_trap_address[number] = frame->rip;
		break;
	case VECTOR_DB:
		__asm__ volatile("mov %%dr6, %0" : "=r"(status));
		__asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ul));
		crowd_debugs[number]++;
		crowd_debug_status[number] |= status & 0xf00f;
		break;
	case VECTOR_NMI:
		crowd_nmis[number]++;
		break;
	case VECTOR_TIMER:
		crowd_ticks[number]++;
		*apic(APIC_EOI) = 0;
		break;
	default:
		if (crowd_surprises[number]++ == 0) {
			crowd_surprise[number] = frame->vector;
			crowd_surprise_address[number] = frame->rip;
		}
		if (frame->vector < VECTOR_TIMER) /* it would only happen again */
			for (;;)
				__asm__ volatile("hlt");
		*apic(APIC_EOI) = 0;
	}
}

/* This and the next two are places for breakpoints. */
static __attribute__((noinline)) void load_gates(void)
{
	const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} at = {sizeof(gates) - 1, (uintptr_t)gates};

	__asm__ volatile("lidt %0" : : "m"(at));
}

/* Whoever steps through it does not want to step through what goes before. */
static __attribute__((noinline)) void wake_others(void)
{
	*apic(APIC_SPURIOUS) = 0x127;
	*apic(APIC_COMMAND) = 0xc4500; /* INIT to all others */
	*apic(APIC_COMMAND) = 0xc4600 | TRAMPOLINE >> 12;
}

static __attribute__((noinline)) void start_others(void)
{
	uint8_t *to = (uint8_t *)TRAMPOLINE;

	for (int i = 0; i < 40; i++) {
		const uint64_t entry = (uintptr_t)entries + 16 * (uint64_t)i;

		gates[i] =
			(struct gate){(uint16_t)entry, 8, 0x8e00, (uint16_t)(entry >> 16), (uint32_t)(entry >> 32), 0};
	}
	for (const uint8_t *from = trampoline; from < trampoline_end; from++)
		*to++ = *from;
	wake_others();
}

static void write_msr(uint32_t number, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* System calls go to crowd_odd_entry, with this segment, and interrupts and the trap flag off. */
static uint64_t odd(void)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000080));
	write_msr(0xc0000080, low | 1);
	write_msr(0xc0000081, 8ul << 32);
	write_msr(0xc0000082, (uintptr_t)crowd_odd_entry);
	write_msr(0xc0000084, 0x300);
	return crowd_odd();
}

static void map_again(void)
{
	volatile uint64_t *top;

	__asm__ volatile("mov %%cr3, %0" : "=r"(top));
	top[1] = top[0];
	__asm__ volatile("mov %0, %%cr3" : : "r"(top) : "memory");
}

static void own_watch(uint64_t number)
{
	const uint64_t old = crowd_debugs[number];

	crowd_debug_status[number] = 0;
	__asm__ volatile("mov %0, %%dr0" : : "r"(&crowd_watched[2]));
	__asm__ volatile("mov %0, %%dr7"
			 :
			 : "r"(0x000d0602ul | 0x400)); /* eight bytes would be 0xa: four, writes, global */
	crowd_watched[2] = old;
	__asm__ volatile("mov %0, %%dr7" : : "r"(0x400ul));
}

static void own_steps(uint64_t number)
{
	crowd_debug_status[number] = 0;
	__asm__ volatile(
		"pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"
		:
		:
		: "memory", "cc");
}

static void write_over_tables(void)
{
	uint64_t used;

	__asm__ volatile("mov %%cr3, %0" : "=r"(used));
	for (uint64_t at = 0x500; at < 0x9f000; at += 8) {
		if (at >= used && at < used + 0x6000)
			continue;
		*(volatile uint64_t *)at = 0xa5a5a5a5a5a5a5a5;
	}
	for (uint64_t at = 0xe0000; at < 0x100000; at += 8)
		*(volatile uint64_t *)at = 0x5a5a5a5a5a5a5a5a;
}

static void triple_fault(void)
{
	static const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} none;

	__asm__ volatile("lidt %0\n\tud2" : : "m"(none));
}

static void serve(uint64_t number, enum request request)
{
	const uint64_t argument = crowd_argument[number];

	switch (request) {
	case REQUEST_NONE:
		return;
	case REQUEST_INT3:
		__asm__ volatile(".globl crowd_int3, crowd_int3_after\ncrowd_int3:\n\tint3\ncrowd_int3_after:");
		break;
	case REQUEST_INT_3:
		__asm__ volatile(
			".globl crowd_int_3, crowd_int_3_after\ncrowd_int_3:\n\t.byte 0xcd, 3\ncrowd_int_3_after:");
		break;
	case REQUEST_ICEBP:
		__asm__ volatile(
			".globl crowd_icebp, crowd_icebp_after\ncrowd_icebp:\n\t.byte 0xf1\ncrowd_icebp_after:");
		break;
	case REQUEST_WATCH:
		own_watch(number);
		break;
	case REQUEST_TIMER:
		*apic(APIC_SPURIOUS) = 0x127;
		*apic(APIC_DIVIDE) = 0xb;
		*apic(APIC_TIMER) = 0x20000 | VECTOR_TIMER;
		*apic(APIC_INITIAL) = (uint32_t)argument;
		break;
	case REQUEST_QUIET:
		*apic(APIC_INITIAL) = 0;
		break;
	case REQUEST_HALT:
		__asm__ volatile("sti\n.globl crowd_halt, crowd_halt_after\ncrowd_halt:\n\thlt\ncrowd_halt_after:");
		break;
	case REQUEST_FLAGS:
		crowd_seen[number] = crowd_hard();
		break;
	case REQUEST_TRIPLE:
		triple_fault();
		break;
	case REQUEST_OFF:
		out16(POWER + 4, 0x2000 | 5 << 10);
		break;
	case REQUEST_RESET:
		out8(0xcf9, 6);
		break;
	case REQUEST_TRACE:
		own_steps(number);
		break;
	case REQUEST_TABLES:
		write_over_tables();
		break;
	case REQUEST_BLOCKED:
		__asm__ volatile("cli");
		crowd_blocked(argument, &crowd_seen[number]);
		__asm__ volatile("sti");
		break;
	case REQUEST_STORE:
		crowd_store(&crowd_watched[argument >> 32 & 7], (uint32_t)argument);
		break;
	case REQUEST_NMI:
		*apic(APIC_COMMAND + 0x10) = (uint32_t)argument << 24;
		__asm__ volatile(".globl crowd_nmi, crowd_nmi_sent\ncrowd_nmi:\n\tmovl $0x4400, (%0)\n"
				 "crowd_nmi_sent:\n\tnop\n\tnop\n\tnop"
				 :
				 : "r"(apic(APIC_COMMAND)));
		break;
	case REQUEST_ODD:
		crowd_seen[number] = odd();
		break;
	case REQUEST_MAP:
		map_again();
		break;
	case REQUEST_FAR:
		((void (*)(volatile uint64_t *, uint64_t))((uintptr_t)crowd_store + FAR))(crowd_watched, argument);
		break;
	}
	crowd_done[number]++;
}

void guest_main(uint64_t number)
{
	if (number == 0) {
		say("crowd\n");
		start_others();
	}
	load_gates();
	__asm__ volatile("sti");
	__atomic_add_fetch(&crowd_running, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		const uint64_t request = crowd_request[number];

		crowd_counter[number]++;
		crowd_hot(number);
		if (request != REQUEST_NONE) {
			crowd_request[number] = REQUEST_NONE;
			serve(number, (enum request)request);
		}
	}
}
