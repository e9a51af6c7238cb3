/*
 * A bare-metal program that watches itself: it finds the hart's triggers, sets them for code and for data, and takes
 * their traps. Fails (main returns what went wrong) unless each came where it should, before anything was done.
 */
#define READ(name)                                                                                                     \
	({                                                                                                             \
		unsigned long read_value;                                                                              \
		__asm__ volatile("csrr %0, " #name : "=r"(read_value));                                                \
		read_value;                                                                                            \
	})
#define WRITE(name, value) __asm__ volatile("csrw " #name ", %0" : : "r"((unsigned long)(value)) : "memory")

/* Their numbers: assemblers know some of the names only. */
#define TSELECT 0x7a0
#define TDATA1 0x7a1
#define TDATA2 0x7a2
#define TINFO 0x7a4
#define TCONTROL 0x7a5
#define READ_NUMBER(number) READ_AGAIN(number)
#define READ_AGAIN(number) READ(number)
#define WRITE_NUMBER(number, value) WRITE_AGAIN(number, value)
#define WRITE_AGAIN(number, value) WRITE(number, value)

#define MCONTROL6 (6UL << 60)
#define MACHINE (1UL << 6)
#define IN_RANGE (1UL << 7)
#define HIT (1UL << 22)
enum { LOAD = 1, STORE = 2, EXECUTE = 4 };

#define CAUSE_BREAKPOINT 3

volatile long variable = 1, other = 1;
volatile long trap_count;
struct trap {
	unsigned long cause, pc, value, hits;
	long variable;
} traps[64];
volatile long table[64] __attribute__((aligned(512)));

/* Notes what it was, and takes the trigger away, so that what was to be done is done. */
__attribute__((interrupt("machine"), aligned(4), noinline)) void on_trap(void)
{
	struct trap *trap = &traps[trap_count++ & 63];

	trap->cause = READ(mcause);
	trap->pc = READ(mepc);
	trap->value = READ(mtval);
	trap->hits = READ_NUMBER(TDATA1) & HIT;
	trap->variable = variable;
	WRITE_NUMBER(TDATA1, 0);
}

__attribute__((noinline)) void set(unsigned long kind, unsigned long address)
{
	WRITE_NUMBER(TDATA1, 0);
	WRITE_NUMBER(TDATA2, address);
	WRITE_NUMBER(TDATA1, MCONTROL6 | MACHINE | kind);
}

__attribute__((noinline)) long target(long a)
{
	__asm__ volatile("");
	return a + 1;
}

__attribute__((noinline)) void store(long value)
{
	variable = value;
}

__attribute__((noinline)) long load(void)
{
	return variable;
}

/* Whether the newest of so many traps was this. */
static int was(long count, unsigned long value, long kept)
{
	const struct trap *trap = &traps[(count - 1) & 63];

	return trap_count == count && trap->cause == CAUSE_BREAKPOINT && trap->value == value && trap->hits != 0 &&
	       trap->variable == kept;
}

static unsigned long count_triggers(void)
{
	unsigned long count = 0;

	for (;; count++) {
		WRITE_NUMBER(TSELECT, count);
		if (READ_NUMBER(TSELECT) != count || (READ_NUMBER(TINFO) & 0xffff) == 1)
			break;
	}
	WRITE_NUMBER(TSELECT, 0);
	return count;
}

/* A loop beside a trigger that it never meets; one in its middle; and one on half of a table, of 256 bytes. */
static int in_a_loop(void)
{
	long sum = 0, before = trap_count;

	set(STORE, (unsigned long)&other);
	for (int i = 0; i < 2000; i++) {
		store(i);
		sum += target(i);
	}
	if (trap_count != before || sum != 2001000)
		return 1;
	for (int i = 0; i < 2000; i++) {
		if (i % 100 == 50)
			set(EXECUTE, (unsigned long)&target);
		sum -= target(i);
	}
	if (trap_count != before + 20 || sum != 0)
		return 1;
	for (int i = 0; i < 64; i++) {
		set(LOAD | STORE | IN_RANGE, (unsigned long)table | 127);
		table[i] += i;
	}
	WRITE_NUMBER(TDATA1, 0);
	for (int i = 0; i < 64; i++)
		sum += table[i];
	return trap_count != before + 20 + 32 || sum != 64 * 63 / 2;
}

int main(void)
{
	WRITE(mtvec, &on_trap);
	WRITE_NUMBER(TCONTROL, 8);
	if (count_triggers() < 1 || (READ_NUMBER(TINFO) >> 6 & 1) == 0)
		return 1;
	set(EXECUTE, (unsigned long)&target);
	if (target(1) != 2 || !was(1, (unsigned long)&target, 1) || traps[0].pc != (unsigned long)&target)
		return 2;
	set(STORE, (unsigned long)&variable);
	store(5);
	if (variable != 5 || !was(2, (unsigned long)&variable, 1))
		return 3;
	set(LOAD, (unsigned long)&variable);
	if (load() != 5 || !was(3, (unsigned long)&variable, 5))
		return 4;
	__atomic_fetch_add(&other, 1, __ATOMIC_RELAXED);
	set(LOAD, (unsigned long)&other);
	__atomic_fetch_add(&other, 1, __ATOMIC_RELAXED);
	if (!was(4, (unsigned long)&other, 5) || other != 3)
		return 5;
	return in_a_loop() != 0 ? 6 : 0;
}
