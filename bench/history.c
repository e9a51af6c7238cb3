/*
 * Measures the past of an emulated machine: boots a kernel with and without remembering, and goes back from the end.
 *
 *     bench-history KERNEL INITRD [APPEND]
 *
 * Prints what remembering costs, one step back at once and again, and how long it takes to find the last write to each
 * of some places in memory that are not what they were at reset, and to come back to breakpoints.
 */
#include "targets/emulator/history.h"
#include "base/storage.h"
#include "targets/emulator/computer_load.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/points.h"
#include "targets/emulator/translator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLACES 24
#define STEPS 20
#define APART ((tl_u64)37000001) /* instructions between the places that are noted on the way */
#define MEMORY ((tl_u64)512 << 20)

#define REACH ((tl_u64)128 << 20) /* of memory in which places are looked for */

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static enum tl_status build(struct tl_computer *computer, char **arguments, struct tl_error *error)
{
	const struct tl_computer_configuration configuration = {
		.harts = 1, .memory_size = MEMORY, .command_line = arguments[3]};

	TL_TRY(tl_computer_open(computer, &configuration, error));
	TL_TRY(tl_computer_load_firmware(computer, TL_COMPUTER_FIRMWARE, error));
	TL_TRY(tl_computer_load_kernel(computer, arguments[1], false, error));
	TL_TRY(tl_computer_load_initrd(computer, arguments[2], error));
	return tl_computer_reset(computer, error);
}

/* A boot without a history: how long it takes. */
static double boot_plainly(char **arguments)
{
	static struct tl_computer computer;
	struct tl_error error;
	double begin;

	if (build(&computer, arguments, &error) != TL_OK) {
		fprintf(stderr, "%s\n", error.text);
		exit(2);
	}
	begin = milliseconds();
	(void)tl_computer_run(&computer, &TL_COMPUTER_FOREVER);
	begin = milliseconds() - begin;
	tl_computer_close(&computer);
	return begin;
}

static void step_back(struct tl_history *history)
{
	double warm[STEPS], begin = milliseconds(), cold;

	(void)tl_history_step_back(history, 0);
	cold = milliseconds() - begin;
	for (int i = 0; i < STEPS; i++) {
		begin = milliseconds();
		(void)tl_history_step_back(history, 0);
		warm[i] = milliseconds() - begin;
	}
	qsort(warm, STEPS, sizeof(*warm), compare);
	printf("one step back                  %9.2f ms, then %.2f ms (median), %.2f ms (worst of %d)\n", cold,
	       warm[STEPS / 2], warm[STEPS - 1], STEPS);
}

static void to_end(struct tl_computer *computer, struct tl_history *history, struct tl_emulator_points *points)
{
	struct tl_history_facts facts;
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;

	tl_history_facts(history, &facts);
	limits.begun = facts.end;
	points->muted = true;
	if (computer->begun < facts.end)
		(void)tl_history_run(history, &limits);
	points->muted = false;
}

/* Words that are not what they were at reset, far from each other and in no order. */
static int choose_places(const struct tl_computer *computer, const tl_u8 *before, tl_u64 *places_ret)
{
	tl_u64 at = 0;
	int count = 0;

	for (tl_u64 tries = 0; tries < REACH / 8 && count < PLACES; tries++) {
		at = (at + 7654321 * 8) % REACH;
		if (memcmp(computer->memory + at, before + at, 8) != 0)
			places_ret[count++] = TL_BOARD_MEMORY + at;
	}
	return count;
}

/* Instructions that were run again since `before`, in millions. */
static double run_again(const struct tl_history *history, tl_u64 before)
{
	struct tl_history_facts facts;

	tl_history_facts(history, &facts);
	return (double)(facts.replayed - before) / 1e6;
}

static tl_u64 so_far(const struct tl_history *history)
{
	struct tl_history_facts facts;

	tl_history_facts(history, &facts);
	return facts.replayed;
}

static void print_searches(const char *what, double *times, double *again, int count, int found)
{
	if (count == 0)
		return;
	qsort(times, (size_t)count, sizeof(*times), compare);
	qsort(again, (size_t)count, sizeof(*again), compare);
	printf("%-30s %9.2f ms (median), %.2f ms (worst); %d of %d found\n", what, times[count / 2], times[count - 1],
	       found, count);
	printf("  instructions run for it      %9.0f million (median), %.0f million (worst)\n", again[count / 2],
	       again[count - 1]);
}

static void last_writes(struct tl_computer *computer, struct tl_history *history, const tl_u64 *places, int count)
{
	static struct tl_emulator_points points;
	double times[PLACES] = {0}, again[PLACES] = {0};
	int found = 0;

	for (int i = 0; i < count; i++) {
		struct tl_emulator_point point = {
			.address = places[i], .size = 8, .space = TL_POINT_SPACE_PHYSICAL, .access = TL_POINT_WRITES};
		struct tl_back_halt halt;
		double begin;
		tl_u64 before;

		tl_points_init(&points, tl_storage());
		computer->harts[0].points = &points;
		to_end(computer, history, &points);
		if (tl_points_add(&points, &point) != TL_OK)
			continue;
		tl_paging_flush(&computer->harts[0]);
		before = so_far(history);
		begin = milliseconds();
		found += tl_history_continue_back(history, &halt) == TL_BACK_HALTED;
		times[i] = milliseconds() - begin;
		again[i] = run_again(history, before);
		tl_points_end(&points);
	}
	computer->harts[0].points = NULL;
	print_searches("the last write to a place", times, again, count, found);
}

/* Backwards from the end to where instructions stand that were met on the way, evenly. */
static void last_passes(struct tl_computer *computer, struct tl_history *history, const tl_u64 *passed, int count)
{
	static struct tl_emulator_points points;
	double times[PLACES] = {0}, again[PLACES] = {0};
	int found = 0;

	for (int i = 0; i < count; i++) {
		struct tl_emulator_point point = {.address = passed[i]};
		struct tl_back_halt halt;
		double begin;
		tl_u64 before;

		tl_points_init(&points, tl_storage());
		computer->harts[0].points = &points;
		to_end(computer, history, &points);
		if (tl_points_add(&points, &point) != TL_OK)
			continue;
		tl_translator_point_changed(computer->translator, passed[i]);
		before = so_far(history);
		begin = milliseconds();
		found += tl_history_continue_back(history, &halt) == TL_BACK_HALTED;
		times[i] = milliseconds() - begin;
		again[i] = run_again(history, before);
		tl_points_end(&points);
		tl_translator_point_changed(computer->translator, passed[i]);
	}
	computer->harts[0].points = NULL;
	print_searches("back to a breakpoint", times, again, count, found);
}

/* Boots, and notes where it is now and then. */
static int boot(struct tl_computer *computer, struct tl_history *history, tl_u64 *passed_ret)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;
	int count = 0;

	for (limits.begun = APART; count < PLACES; limits.begun += APART) {
		if (tl_history_run(history, &limits) != TL_COMPUTER_REACHED)
			return count;
		passed_ret[count++] = computer->harts[0].pc;
	}
	(void)tl_history_run(history, &TL_COMPUTER_FOREVER);
	return count;
}

int main(int count, char **arguments)
{
	static struct tl_computer computer;
	struct tl_history *history;
	struct tl_history_facts facts;
	struct tl_error error;
	static tl_u8 before[REACH];
	tl_u64 places[PLACES], passed[PLACES];
	double plain, begin, took;
	int place_count, passed_count;

	if (count < 3 || count > 4) {
		fprintf(stderr, "%s KERNEL INITRD [APPEND]\n", arguments[0]);
		return 2;
	}
	plain = boot_plainly(arguments);
	if (build(&computer, arguments, &error) != TL_OK ||
	    tl_history_open(&history, &computer, &(struct tl_history_options){0}, &error) != TL_OK) {
		fprintf(stderr, "%s\n", error.text);
		return 2;
	}
	memcpy(before, computer.memory, REACH);
	begin = milliseconds();
	passed_count = boot(&computer, history, passed);
	took = milliseconds() - begin;
	tl_history_facts(history, &facts);
	printf("instructions                   %9.0f million\n", (double)facts.end / 1e6);
	printf("boot                           %9.2f ms, remembered %.2f ms (%.2f times)\n", plain, took, took / plain);
	printf("checkpoints                    %9zu, %.1f MiB\n", facts.checkpoints, (double)facts.memory / 1048576);
	printf("hash at the last               %016llx\n", (unsigned long long)facts.hash);
	place_count = choose_places(&computer, before, places);
	step_back(history);
	last_writes(&computer, history, places, place_count);
	last_passes(&computer, history, passed, passed_count);
	tl_history_facts(history, &facts);
	printf("the past was the same          %s\n", facts.diverged ? "NO" : "yes");
	tl_history_close(history);
	tl_computer_close(&computer);
	return facts.diverged;
}
