/*
 * What single steps, breakpoints and watchpoints of 64-bit Arm meet at their corners: run as corners WHAT; corners.py
 * debugs it. A global name of assembly is a place where a test stops it. It exits with 0 if its own books are right.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 256

extern long exclusive_add(volatile long *where, long what);
extern long relative(long value);
extern void lock(volatile unsigned *where);
extern long set_bit(volatile unsigned short *where);
extern void count_up(volatile char *where);
extern void quiet(void), touch(volatile char *where), own_trap(void);
extern long send_signal(long process, long thread, long signal);
extern long blocking_read(int file, void *buffer, size_t size);
void begin(void), finish(void);

__attribute__((aligned(64))) volatile char watched[256];
volatile long shared, handled, wanted, beats, stop;
volatile long signals_sent, signals_seen, rounds_done;

__asm__(".arch_extension lse\n"
	".text\n"
	".globl exclusive_add, exclusive_load, exclusive_inside, exclusive_store, exclusive_end\n"
	".type exclusive_add, %function\n"
	"exclusive_add:\n"
	"exclusive_load: ldaxr x2, [x0]\n"
	"exclusive_inside: add x2, x2, x1\n"
	"exclusive_store: stlxr w3, x2, [x0]\n"
	"	cbnz w3, exclusive_load\n"
	"exclusive_end: mov x0, x2\n"
	"	ret\n");

/*
 * A lock and an or, as compilers write them where there are no atomic instructions: with a way out between load and
 * store, and an instruction that a debugger does not carry out itself (orr with a number).
 */
__asm__(".globl lock, lock_load, lock_busy, lock_mark, lock_store, lock_end, set_bit, bit_inside, bit_store\n"
	".type lock, %function\n"
	"lock:	mov w2, #1\n"
	"lock_load: ldaxr w1, [x0]\n"
	"lock_busy: cbnz w1, 1f\n"
	"lock_mark: add x4, x4, #0\n"
	"lock_store: stxr w3, w2, [x0]\n"
	"	cbnz w3, lock_load\n"
	"lock_end: ret\n"
	"1:	clrex\n"
	"	yield\n"
	"	b lock_load\n"
	".type set_bit, %function\n"
	"set_bit: mov x3, #16\n"
	"	mov x1, x0\n"
	"2:	ldxrh w2, [x1]\n"
	"	sub x3, x3, #1\n"
	"bit_inside: orr w2, w2, #0x10\n"
	"	and w2, w2, #0xff\n"
	"bit_store: stlxrh w3, w2, [x1]\n"
	"	cbnz w3, 3f\n"
	"	mov x0, x2\n"
	"	ret\n"
	"3:	mul x5, x3, x3\n" /* elsewhere on the way back, and not to be carried out either */
	"	b 2b\n");

/* Each instruction that depends on where it stands, once taken and once not where it can be; and their result. */
__asm__(".globl relative, relative_end\n"
	".globl at_adr, at_adrp, at_literal, at_literal_w, at_literal_sw, at_b, at_bcond, at_bcond_not, at_cbz, "
	"at_cbz_not\n"
	".globl at_cbnz, at_tbz, at_tbnz, at_bl, at_blr, at_br, at_ret, at_literal_d\n"
	".type relative, %function\n"
	"relative: stp x29, x30, [sp, #-32]!\n"
	"	mov x29, sp\n"
	"	str x19, [sp, #16]\n"
	"	mov x19, x0\n"
	"at_adr: adr x1, relative\n"
	"	adr x2, at_adr\n"
	"	sub x2, x2, x1\n"
	"	add x19, x19, x2\n" /* 16 */
	"at_adrp: adrp x1, relative\n"
	"	add x1, x1, :lo12:relative\n"
	"	adr x2, relative\n"
	"	sub x1, x1, x2\n"
	"	add x19, x19, x1\n" /* 0 */
	"at_literal: ldr x1, literal\n"
	"	add x19, x19, x1\n" /* 0x1000 */
	"at_literal_w: ldr w1, literal\n"
	"	add x19, x19, x1\n" /* 0x1000 */
	"at_literal_sw: ldrsw x1, negative\n"
	"	add x19, x19, x1\n" /* -1 */
	"at_literal_d: ldr d0, real\n"
	"	fcvtzs x1, d0\n"
	"	add x19, x19, x1\n" /* 3 */
	"at_b: b 1f\n"
	"	add x19, x19, #0x800\n"
	"1:	cmp x0, x0\n"
	"at_bcond: b.eq 2f\n"
	"	add x19, x19, #0x800\n"
	"2:\n"
	"at_bcond_not: b.ne 3f\n"
	"	add x19, x19, #1\n" /* 1 */
	"3:	mov x1, #0\n"
	"at_cbz: cbz x1, 4f\n"
	"	add x19, x19, #0x800\n"
	"4:	mov w1, #1\n"
	"at_cbz_not: cbz w1, 5f\n"
	"	add x19, x19, #1\n" /* 1 */
	"5:\n"
	"at_cbnz: cbnz w1, 6f\n"
	"	add x19, x19, #0x800\n"
	"6:\n"
	"at_tbz: tbz x1, #40, 7f\n"
	"	add x19, x19, #0x800\n"
	"7:\n"
	"at_tbnz: tbnz w1, #0, 8f\n"
	"	add x19, x19, #0x800\n"
	"8:	mov x0, #5\n"
	"at_bl: bl double_it\n"
	"	add x19, x19, x0\n" /* 10 */
	"	adr x1, double_it\n"
	"at_blr: blr x1\n"
	"	add x19, x19, x0\n" /* 20 */
	"	adr x1, 9f\n"
	"at_br: br x1\n"
	"	add x19, x19, #0x800\n"
	"9:	mov x0, x19\n"
	"	ldr x19, [sp, #16]\n"
	"	ldp x29, x30, [sp], #32\n"
	"relative_end: ret\n"
	"double_it: add x0, x0, x0\n"
	"at_ret: ret\n"
	"	.balign 8\n"
	"literal: .quad 0x1000\n"
	"real: .double 3.5\n"
	"negative: .word -1\n");

/* Steps that could wait for ever, and a trap of the program's own. */
__asm__(".globl quiet, at_wfe, after_wfe, at_yield, at_svc, after_svc, own_trap, at_brk, after_brk, at_svc_42\n"
	".type quiet, %function\n"
	"quiet:	sevl\n"
	"	wfe\n"
	"at_wfe: wfe\n"
	"after_wfe: nop\n"
	"at_yield: yield\n"
	"	mov x8, #172\n"
	"at_svc: svc #0\n"
	"after_svc: nop\n"
	"	ret\n"
	".type own_trap, %function\n"
	"own_trap: nop\n"
	"at_brk: brk #0x5a5a\n"
	"after_brk: ret\n");

/* Accesses around the address that is handed over, and further down: `touch` writes one byte. */
__asm__(".globl touch, touched, wide_store, wide_stored, pair_store, pair_stored, zero_block, zeroed, pair_load, "
	"pair_loaded\n"
	".globl after_store, before_store, atomic_add, atomic_added\n"
	".type touch, %function\n"
	"touch:	strb wzr, [x0]\n"
	"touched: ret\n"
	"wide_store: st1 {v0.16b, v1.16b}, [x0]\n"
	"wide_stored: ret\n"
	"pair_store: stp x0, x0, [x0]\n"
	"pair_stored: ret\n"
	"pair_load: ldp x1, x2, [x0]\n"
	"pair_loaded: ret\n"
	"zero_block: dc zva, x0\n"
	"zeroed: ret\n"
	"before_store: str x1, [x0, #8]!\n"
	"	ret\n"
	"after_store: str x1, [x0], #8\n"
	"	ret\n"
	"atomic_add: ldaddal x0, x1, [x0]\n"
	"atomic_added: ret\n");

/* Vectors of whatever length they have by then: 1, 2, 3 … in each byte; and what they hold, in memory. */
__asm__(".arch_extension sve\n"
	".globl count_up, counted_up, kept_vector\n"
	".type count_up, %function\n"
	"count_up: index z3.b, #1, #1\n"
	"counted_up: str z3, [x0]\n"
	"kept_vector: ret\n");

/* System calls with names. */
__asm__(".globl send_signal, sent, blocking_read, at_read, after_read\n"
	".type send_signal, %function\n"
	"send_signal: mov x8, #131\n"
	"	svc #0\n"
	"sent:	ret\n"
	".type blocking_read, %function\n"
	"blocking_read: mov x8, #63\n"
	"at_read: svc #0\n"
	"after_read: ret\n");

__attribute__((noinline)) void begin(void)
{
	__asm__ volatile("nop");
}

__attribute__((noinline)) void finish(void)
{
	__asm__ volatile("nop");
}

static void on_signal(int number)
{
	(void)number;
	__atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void handle(int number, int flags)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

	sigaction(number, &action, NULL);
}

static int do_exclusive(void)
{
	for (long i = 1; i <= 100; i++)
		if (exclusive_add(&shared, 1) != i)
			return 1;
	return 0;
}

static volatile unsigned locked;
static volatile unsigned short bits = 0x301;
volatile long counted;

static void *locks(void *rounds)
{
	for (long i = 0; i < (long)rounds; i++) {
		lock(&locked);
		counted = counted + 1;
		__atomic_store_n(&locked, 0, __ATOMIC_RELEASE);
		exclusive_add(&shared, 1);
	}
	return NULL;
}

/* So many threads that contend for one lock, so many rounds each. */
static int do_lock(unsigned threads, long rounds)
{
	pthread_t others[THREADS_MAX];

	begin();
	for (unsigned i = 0; i < threads && i < THREADS_MAX; i++)
		if (pthread_create(&others[i], NULL, locks, (void *)rounds) != 0)
			return 1;
	for (unsigned i = 0; i < threads && i < THREADS_MAX; i++)
		pthread_join(others[i], NULL);
	if (counted != (long)threads * rounds || shared != counted)
		return 2;
	for (int i = 0; i < 3; i++)
		if (set_bit(&bits) != 0x11)
			return 3;
	return bits == 0x11 ? 0 : 4;
}

static int do_relative(void)
{
	const long want = 16 + 0 + 0x1000 + 0x1000 - 1 + 3 + 1 + 1 + 10 + 20;

	for (long i = 0; i < 10; i++)
		if (relative(i) != i + want)
			return 1;
	return 0;
}

static int do_quiet(void)
{
	quiet();
	own_trap();
	return 0;
}

/* Half as long, and twice as long, as at the start. */
static int do_vectors(void)
{
	int length = prctl(PR_SVE_GET_VL);

	begin();
	if (length < 0)
		return 77;
	length &= PR_SVE_VL_LEN_MASK;
	if (prctl(PR_SVE_SET_VL, length / 2) < 0)
		return 78;
	count_up(watched);
	if (prctl(PR_SVE_SET_VL, length * 2) < 0)
		return 79;
	count_up(watched);
	return 0;
}

/* A test sets the program counter, and the address in x0, for what is not called here. */
static int do_touch(void)
{
	for (;;)
		touch(&watched[128]);
}

static int do_signal(void)
{
	handle(SIGUSR1, 0);
	for (long i = 1; i <= 3; i++)
		if (send_signal(getpid(), (long)syscall(SYS_gettid), SIGUSR1) != 0 || handled != i)
			return 1;
	return 0;
}

/* Blocks in a read that a signal's handler interrupts and that begins again; an alarm writes what it waits for. */
static int ends[2];

static void *writer(void *unused)
{
	(void)unused;
	while (wanted == 0)
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	return write(ends[1], "x", 1) == 1 ? NULL : &ends;
}

static int do_restart(void)
{
	pthread_t thread;
	char byte = 0;

	handle(SIGUSR1, SA_RESTART);
	if (pipe(ends) != 0 || pthread_create(&thread, NULL, writer, NULL) != 0)
		return 1;
	begin();
	if (blocking_read(ends[0], &byte, 1) != 1 || byte != 'x')
		return 2;
	return pthread_join(thread, NULL) == 0 ? 0 : 3;
}

static int do_sleep(void)
{
	struct timespec before, after;

	handle(SIGUSR1, 0);
	begin();
	clock_gettime(CLOCK_MONOTONIC, &before);
	if (nanosleep(&(struct timespec){1, 0}, NULL) != 0)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &after);
	return (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 999 ? 0 : 2;
}

/* ---- Many threads ---- */

static pthread_t crowd[THREADS_MAX];
static volatile pid_t ids[THREADS_MAX];
static unsigned crowd_size;
static pthread_barrier_t together;

static void on_storm(int number)
{
	(void)number;
	exclusive_add(&signals_seen, 1);
}

static void *one_of_many(void *argument)
{
	long done = 0, index = (long)argument;

	ids[index] = (pid_t)syscall(SYS_gettid);
	pthread_barrier_wait(&together);
	while (stop == 0) {
		exclusive_add(&shared, 1);
		if (++done % 64 == 0)
			exclusive_add(&beats, 1);
		if (done % 16 == 0)
			sched_yield();
	}
	exclusive_add(&rounds_done, done);
	return NULL;
}

static void storm(void)
{
	for (unsigned i = 0; stop == 0; i = (i + 1) % crowd_size) {
		if (ids[i] != 0 && syscall(SYS_tgkill, getpid(), ids[i], SIGUSR2) == 0)
			signals_sent++;
		/* A signal that waits already takes the next one of its kind with it. */
		while (stop == 0 && signals_seen < signals_sent)
			sched_yield();
	}
}

static int do_crowd(unsigned count)
{
	struct sigaction action = {.sa_handler = on_storm, .sa_flags = SA_RESTART};

	crowd_size = count < THREADS_MAX ? count : THREADS_MAX;
	sigaction(SIGUSR2, &action, NULL);
	pthread_barrier_init(&together, NULL, crowd_size + 1);
	for (long i = 0; i < crowd_size; i++)
		if (pthread_create(&crowd[i], NULL, one_of_many, (void *)i) != 0)
			return 1;
	begin();
	pthread_barrier_wait(&together);
	storm();
	for (unsigned i = 0; i < crowd_size; i++)
		pthread_join(crowd[i], NULL);
	if (shared != rounds_done)
		return 2;
	return signals_seen == signals_sent ? 0 : 3;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int result = 9;

	if (strcmp(what, "exclusive") == 0)
		result = do_exclusive();
	else if (strcmp(what, "lock") == 0)
		result = do_lock(argc > 2 ? (unsigned)atoi(argv[2]) : 1, argc > 3 ? atol(argv[3]) : 10);
	else if (strcmp(what, "relative") == 0)
		result = do_relative();
	else if (strcmp(what, "quiet") == 0)
		result = do_quiet();
	else if (strcmp(what, "vectors") == 0)
		result = do_vectors();
	else if (strcmp(what, "touch") == 0)
		result = do_touch();
	else if (strcmp(what, "signal") == 0)
		result = do_signal();
	else if (strcmp(what, "restart") == 0)
		result = do_restart();
	else if (strcmp(what, "sleep") == 0)
		result = do_sleep();
	else if (strcmp(what, "crowd") == 0)
		result = do_crowd(argc > 2 ? (unsigned)atoi(argv[2]) : 50);
	finish();
	return result;
}
