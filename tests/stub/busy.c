/*
 * What the stub's sessions debug: four processors that all run through the same functions, a timer that interrupts the
 * first a thousand times a second, and what a session wants of them in variables.
 */
#include "stubs/baremetal/example/machine.h"

volatile tl_u64 rounds[MACHINE_PROCESSORS];
/* The processor that is to write into `watched` in its next round; MACHINE_PROCESSORS: none. */
volatile tl_u64 writer = MACHINE_PROCESSORS;
volatile tl_u64 reader = MACHINE_PROCESSORS;
/* The processor that is to raise an exception. */
volatile tl_u64 provoked = MACHINE_PROCESSORS;
volatile tl_u64 watched, other[3], seen;
/* Counted by the code at hand, not by whoever debugs it. */
volatile tl_u64 steps;

void meet(tl_u64 number);
void straight(void);
void read_flags(void);

__attribute__((noinline)) void meet(tl_u64 number)
{
	rounds[number]++;
}

__attribute__((noinline)) void straight(void)
{
	steps = steps + 1;
	steps = steps + 1;
	steps = steps + 1;
	steps = steps + 1;
}

volatile tl_u64 flags_seen;

__attribute__((noinline)) void read_flags(void)
{
	tl_u64 flags;

#ifdef __aarch64__
	__asm__ volatile("mrs %0, daif" : "=r"(flags));
	flags |= 1u << 31; /* not 0: it was here */
#else
	__asm__ volatile("pushfq\n\tpop %0" : "=r"(flags));
#endif
	flags_seen = flags;
}

void provoke(void);

__attribute__((noinline)) void provoke(void)
{
#ifdef __aarch64__
	__asm__ volatile("udf #0");
#else
	__asm__ volatile("ud2");
#endif
}

/* Which of the exceptions below `provoked` is to raise; 0: the one above. */
volatile tl_u64 raised;

void raise_divide(void);
void raise_opcode(void);
void raise_read(void);
void raise_write(void);
void raise_protection(void);
void raise_jump(void);

/* Where each is, and where its code goes on behind it. */
#define RAISE(name, before, at)                                                                                        \
	".globl raise_" name ", raise_" name "_at, raise_" name "_behind\n"                                            \
	"raise_" name ": " before "\n"                                                                                 \
	"raise_" name "_at: " at "\n"                                                                                  \
	"raise_" name "_behind: ret\n"

#ifdef __aarch64__
__asm__(".text\n" RAISE("opcode", "nop", "udf #1") RAISE("read", "mov x9, #8", "ldr x9, [x9]")
		RAISE("write", "mov x9, #16", "str x9, [x9]") RAISE("jump", "mov x9, #32", "br x9"));
static void (*const raises[])(void) = {NULL, NULL, raise_opcode, raise_read, raise_write, NULL, raise_jump};
#else
__asm__(".text\n" RAISE("divide", "xor %edx, %edx; xor %ecx, %ecx", "div %ecx") RAISE("opcode", "nop", "ud1 %eax, %eax")
		RAISE("read", "mov $8, %ecx", "mov (%rcx), %eax") RAISE("write", "mov $16, %ecx", "mov %eax, (%rcx)")
			RAISE("protection", "movabs $0x8000000000000000, %rcx", "mov (%rcx), %eax")
				RAISE("jump", "mov $32, %ecx", "jmp *%rcx"));
static void (*const raises[])(void) = {NULL,        raise_divide,     raise_opcode, raise_read,
				       raise_write, raise_protection, raise_jump};
#endif

/*
 * How ud2 is handled from the next one on: 0, as the machine does; 1, by a handler that stands two kilobytes deep in
 * its stack when it comes to deep_inside(); 2, by the same on a stack of the exception's own.
 */
volatile tl_u64 deep;

#ifdef __aarch64__
static void handle_deeply(void) {}
#else
void deep_entry(void);
void deep_inside(void);
__asm__(".text\n"
	".globl deep_entry, deep_inside\n"
	"deep_entry: sub $2048, %rsp; call deep_inside; add $2048, %rsp; addq $2, (%rsp); iretq\n"
	"deep_inside: ret\n");

struct table_register {
	tl_u16 limit;
	tl_u64 base;
} __attribute__((packed));

/* A task state with one stack, behind the descriptors that there are (Intel SDM volume 3, 8.7). */
static void take_own_stack(void)
{
	static tl_u8 stack[8192] __attribute__((aligned(16))), state[104];
	static tl_u64 descriptors[6];
	struct table_register table;
	tl_u64 top = (tl_u64)(tl_uintptr)(stack + sizeof(stack)), at = (tl_u64)(tl_uintptr)state;

	__asm__ volatile("sgdt %0" : "=m"(table));
	for (unsigned n = 0; n < 4; n++)
		descriptors[n] = ((const tl_u64 *)(tl_uintptr)table.base)[n];
	tl_store_little(state + 36, top, 8);
	descriptors[4] = (at & 0xffffff) << 16 | (at >> 24 & 0xff) << 56 | 0x89ull << 40 | (sizeof(state) - 1);
	descriptors[5] = at >> 32;
	table = (struct table_register){sizeof(descriptors) - 1, (tl_u64)(tl_uintptr)descriptors};
	__asm__ volatile("lgdt %0" : : "m"(table));
	__asm__ volatile("ltr %0" : : "r"((tl_u16)32));
}

static void handle_deeply(void)
{
	tl_u64 entry = (tl_u64)(tl_uintptr)deep_entry;
	struct table_register table;

	if (deep == 0)
		return;
	if (deep == 2)
		take_own_stack();
	__asm__ volatile("sidt %0" : "=m"(table));
	((struct tl_stub_x86_gate *)(tl_uintptr)table.base)[6] = (struct tl_stub_x86_gate){
		.offset_low = (tl_u16)entry,
		.selector = 8,
		.stack = deep == 2,
		.type = 0x8e,
		.offset_middle = (tl_u16)(entry >> 16),
	};
}
#endif

/* What all of them add to while `claiming` is set, and how often each has. */
volatile tl_u64 claiming, claimed, claims[MACHINE_PROCESSORS];

void claim(volatile tl_u64 *word);

#ifdef __aarch64__
__asm__(".globl claim, claim_load, claim_inside, claim_store, claim_end\n"
	".type claim, %function\n"
	"claim:\n"
	"claim_load: ldaxr x2, [x0]\n"
	"claim_inside: add x2, x2, #1\n"
	"claim_store: stlxr w3, x2, [x0]\n"
	"	cbnz w3, claim_load\n"
	"claim_end: ret\n");
#else
__attribute__((noinline)) void claim(volatile tl_u64 *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
}
#endif

/* The processor that is to hear nothing until this names another; `deafened` of it says that it does not. */
volatile tl_u64 deaf = MACHINE_PROCESSORS, deafened[MACHINE_PROCESSORS];

/* On x86 the interrupt that rounds up cannot be masked. */
void go_deaf(tl_u64 number);

__attribute__((noinline)) void go_deaf(tl_u64 number)
{
#ifdef __aarch64__
	__asm__ volatile("msr daifset, #15" : : : "memory");
	deafened[number] = 1;
	while (deaf == number)
		continue;
	__asm__ volatile("msr daifclr, #15" : : : "memory");
#endif
	deafened[number] = 0;
}

static void work(tl_u64 number)
{
	meet(number);
	if (deaf == number)
		go_deaf(number);
	if (claiming != 0) {
		claim(&claimed);
		claims[number]++;
	}
	if (writer == number) {
		writer = MACHINE_PROCESSORS;
		watched += number + 1;
	}
	if (provoked == number) {
		provoked = MACHINE_PROCESSORS;
		handle_deeply();
		if (raised != 0 && raised < TL_COUNT(raises) && raises[raised] != NULL)
			raises[raised]();
		else
			provoke();
	}
	if (reader == number) {
		reader = MACHINE_PROCESSORS;
		seen = watched;
	}
	if (number == 0) {
		read_flags();
		straight();
	}
}

void processor_main(tl_u32 number)
{
	machine_open();
	for (;;)
		work(number);
}

int main(void)
{
	if (machine_start() != TL_OK)
		return 1;
	other[0] = other[1] = other[2] = 0;
	machine_open();
	machine_tick(1000);
	while (machine_wake() < MACHINE_PROCESSORS)
		continue;
	machine_say("waiting for a debugger\n");
	for (;;)
		work(0);
}
