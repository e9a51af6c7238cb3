/*
 * Frames against elfutils' libdwfl: a child is stepped, instruction by instruction, through calls of many kinds, and
 * at every stop both unwind it. `unwind-referee [STRIDE]`: compare at every STRIDE-th instruction only.
 *
 * libdwfl does without the frame pointer only where there is call frame information, as here. A stop at which ours has
 * to guess counts apart, and is compared all the same.
 */
#include "tests/unit/traced.h"

#include <alloca.h>
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <setjmp.h>

#define FRAMES_MAX 64
#define STEPS_MAX 150000

#define NOINLINE __attribute__((noinline, noclone))

/* What the child does. */
static volatile int sink;
static jmp_buf again;

static NOINLINE int compare_numbers(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	return (left > right) - (left < right);
}

static NOINLINE int with_alloca(int n)
{
	volatile char *bytes = alloca((size_t)n * 24 + 8);

	bytes[n] = (char)n;
	return n > 0 ? with_alloca(n - 1) + bytes[n] : bytes[n];
}

/* Many arguments and a frame that is aligned: the canonical frame address is an expression or by another register. */
static NOINLINE int aligned(int a, int b, int c, int d, int e, int f, int g, int h)
{
	volatile int field[16] __attribute__((aligned(64)));

	field[3] = a + b + c + d + e + f + g + h;
	return field[3];
}

static NOINLINE void tail(int n)
{
	sink += n;
	aligned(n, 2, 3, 4, 5, 6, 7, 8);
}

static NOINLINE void calls_at_its_end(int n)
{
	tail(n * 2);
}

static void handler(int signal)
{
	sink += signal;
	calls_at_its_end(signal);
}

static NOINLINE void jumps(int depth)
{
	if (depth > 0)
		jumps(depth - 1);
	if (depth <= sink % 2)
		longjmp(again, 1);
	sink++;
}

static NOINLINE void with_signals(void)
{
	static char other_stack[65536];
	stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};
	struct sigaction action = {.sa_handler = handler};

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	sigaltstack(&stack, NULL);
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR2, &action, NULL);
	raise(SIGUSR2);
}

static void child(void)
{
	int numbers[] = {5, 3, 9, 1, 7, 2};
	char text[64];

	qsort(numbers, 6, sizeof(numbers[0]), compare_numbers);
	sink += with_alloca(5);
	calls_at_its_end(3);
	snprintf(text, sizeof(text), "%d %s %f", numbers[0], "text", 2.5);
	sink += text[0];
	with_signals();
	if (setjmp(again) == 0)
		jumps(4);
	sink += (int)strtol("123", NULL, 10);
}

struct list {
	tl_u64 counters[FRAMES_MAX];
	unsigned count;
	bool guessed;
};

static int add_frame(Dwfl_Frame *frame, void *context)
{
	struct list *list = context;
	Dwarf_Addr counter;

	if (!dwfl_frame_pc(frame, &counter, NULL) || list->count == FRAMES_MAX)
		return DWARF_CB_ABORT;
	list->counters[list->count++] = counter;
	return DWARF_CB_OK;
}

static struct tl_error last_error;
static enum tl_unwind_end last_end;

static void unwind(struct traced *traced, struct list *list)
{
	struct tl_frame frame, caller;

	list->count = 0;
	list->guessed = false;
	if (tl_unwind_first(&traced->unwinder, &frame, NULL) != TL_OK)
		return;
	for (;;) {
		list->counters[list->count++] = frame.program_counter;
		list->guessed |= tl_frame_guessed(&frame);
		last_end = tl_unwind_next(&traced->unwinder, &frame, &caller, &last_error);
		if (list->count == FRAMES_MAX || last_end != TL_UNWIND_GOES_ON)
			return;
		frame = caller;
	}
}

static void print_list(const char *who, const struct list *list)
{
	printf("  %s:", who);
	for (unsigned i = 0; i < list->count; i++)
		printf(" %" PRIx64, (uint64_t)list->counters[i]);
	printf("%s\n", list->guessed ? " (guessed)" : "");
}

struct totals {
	unsigned long steps, stops, frames, guessed, further, wrong, deepest;
	tl_u64 outermost;
};

/* libdwfl loses its way where a register that it needs was just restored. Ours then must come to the very end. */
static bool goes_further(const struct list *ours, const struct list *theirs, tl_u64 outermost)
{
	return theirs->count != 0 && theirs->count < ours->count && last_end == TL_UNWIND_OUTERMOST &&
	       ours->counters[ours->count - 1] == outermost &&
	       memcmp(ours->counters, theirs->counters, theirs->count * sizeof(ours->counters[0])) == 0;
}

static void compare(struct traced *traced, Dwfl *dwfl, struct totals *totals)
{
	struct list ours, theirs = {.count = 0};

	if (!traced_registers(traced))
		return;
	unwind(traced, &ours);
	(void)dwfl_getthread_frames(dwfl, traced->pid, add_frame, &theirs);
	totals->stops++;
	totals->frames += ours.count;
	totals->guessed += ours.guessed;
	if (ours.count > totals->deepest)
		totals->deepest = ours.count;
	if (ours.count == theirs.count &&
	    memcmp(ours.counters, theirs.counters, ours.count * sizeof(ours.counters[0])) == 0) {
		totals->outermost = ours.counters[ours.count - 1];
		return;
	}
	if (goes_further(&ours, &theirs, totals->outermost)) {
		totals->further++;
		return;
	}
	if (totals->wrong++ < 10) {
		printf("after %lu steps they differ (ours ended: %s)\n", totals->steps, last_error.text);
		print_list("ours ", &ours);
		print_list("libdwfl", &theirs);
	}
}

static Dwfl *referee(pid_t pid)
{
	static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
						 .find_debuginfo = dwfl_standard_find_debuginfo};
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (dwfl_linux_proc_report(dwfl, pid) != 0 || dwfl_report_end(dwfl, NULL, NULL) != 0 ||
	    dwfl_linux_proc_attach(dwfl, pid, true) < 0)
		return NULL;
	return dwfl;
}

int main(int count, char **arguments)
{
	unsigned long stride = count > 1 ? strtoul(arguments[1], NULL, 10) : 1;
	pid_t pid = traced_fork(child);
	struct totals totals = {0};
	struct traced traced;
	Dwfl *dwfl;
	int status, signal = 0;

	if (pid < 0 || !traced_begin(&traced, pid) || (dwfl = referee(pid)) == NULL) {
		printf("cannot trace a child\n");
		return 1;
	}
	while (totals.steps < STEPS_MAX && ptrace(PTRACE_SINGLESTEP, pid, NULL, (void *)(long)signal) == 0 &&
	       waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
		totals.steps++;
		if (totals.steps % stride == 0)
			compare(&traced, dwfl, &totals);
	}
	kill(pid, SIGKILL);
	dwfl_end(dwfl);
	traced_end(&traced);
	printf("%lu steps, %lu stops, %lu frames, the deepest of %lu; %lu stops with a guess, %lu where libdwfl gives "
	       "up, "
	       "%lu differences\n",
	       totals.steps, totals.stops, totals.frames, totals.deepest, totals.guessed, totals.further, totals.wrong);
	return totals.wrong != 0 || totals.further > totals.stops / 100 || totals.stops < 1000 / stride ||
	       totals.steps == STEPS_MAX;
}
