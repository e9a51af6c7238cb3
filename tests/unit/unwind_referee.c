/*
 * Frames against elfutils' libdwfl: a program is stepped, instruction by instruction, through calls of many kinds, and
 * at every stop both unwind it. `unwind-referee PROGRAM [BITS [STRIDE]]`: its bits are 64 or 32, and the two are
 * compared at every STRIDE-th instruction only. The program has to stop itself (SIGSTOP) where stepping is to begin.
 *
 * libdwfl does without the frame pointer only where there is call frame information, as here. A stop at which ours has
 * to guess counts apart, and is compared all the same.
 */
#include "tests/unit/traced.h"

#include <elfutils/libdwfl.h>
#include <inttypes.h>

#define FRAMES_MAX 64
#define STEPS_MAX 150000

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
	unsigned long steps, stops, frames, guessed, further, other_guess, wrong, deepest;
	tl_u64 outermost; /* where the outermost frame stands, all the time */
};

/*
 * libdwfl loses its way where a register that it needs was just restored, and in all 32-bit programs at main, which
 * aligns its stack. Ours then must come to the very end.
 */
static bool goes_further(const struct list *ours, const struct list *theirs, tl_u64 outermost)
{
	return theirs->count != 0 && theirs->count < ours->count && last_end == TL_UNWIND_OUTERMOST &&
	       ours->counters[ours->count - 1] == outermost &&
	       memcmp(ours->counters, theirs->counters, theirs->count * sizeof(ours->counters[0])) == 0;
}

/*
 * Some code of the linker's (_init, _fini) has no call frame information, and that of the C library's 32-bit memcpy is
 * wrong for some instructions. A guess has to come to the very end as well.
 */
static bool other_guess(const struct list *ours, tl_u64 outermost)
{
	return ours->guessed && last_end == TL_UNWIND_OUTERMOST && ours->counters[ours->count - 1] == outermost;
}

static void compare(struct traced *traced, Dwfl *dwfl, struct totals *totals)
{
	struct list ours, theirs = {.count = 0};

	if (!traced_registers(traced))
		return;
	unwind(traced, &ours);
	(void)dwfl_getthread_frames(dwfl, traced->pid, add_frame, &theirs);
	if (totals->stops++ == 0)
		totals->outermost = ours.counters[ours.count - 1];
	totals->frames += ours.count;
	totals->guessed += ours.guessed;
	if (ours.count > totals->deepest)
		totals->deepest = ours.count;
	if (ours.count == theirs.count &&
	    memcmp(ours.counters, theirs.counters, ours.count * sizeof(ours.counters[0])) == 0)
		return;
	if (other_guess(&ours, totals->outermost)) {
		totals->other_guess++;
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
	unsigned long stride = count > 3 ? strtoul(arguments[3], NULL, 10) : 1;
	bool narrow = count > 2 && strcmp(arguments[2], "32") == 0;
	pid_t pid = count > 1 ? traced_start(arguments[1]) : -1;
	struct totals totals = {.steps = 0};
	struct traced traced;
	Dwfl *dwfl;
	int status, signal = 0;

	if (pid < 0 || !traced_begin(&traced, pid, narrow ? &tl_cpu_i386 : &tl_cpu_x86_64) ||
	    (dwfl = referee(pid)) == NULL) {
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
	printf("%lu steps, %lu stops, %lu frames, the deepest of %lu; %lu stops with a guess, %lu with another one, "
	       "%lu where "
	       "libdwfl gives up; %lu differences\n",
	       totals.steps, totals.stops, totals.frames, totals.deepest, totals.guessed, totals.other_guess,
	       totals.further, totals.wrong);
	return totals.wrong != 0 || (!narrow && totals.further > totals.stops / 100) ||
	       totals.other_guess > totals.stops / (narrow ? 25 : 500) || totals.stops < 1000 / stride ||
	       totals.steps == STEPS_MAX;
}
