#include "targets/emulator/history_internal.h"

#include "core/cursor.h"
#include "targets/emulator/translator.h"

#include <stdlib.h>
#include <string.h>

static struct tl_checkpoint *active(const struct tl_history *history)
{
	return history->checkpoints[history->active];
}

/* ---- What is told while the machine runs ---- */

static void page_written(void *context, tl_u64 page)
{
	struct tl_history *history = context;
	const tl_u8 *bytes = history->writes.memory + page * TL_KEPT_SIZE;

	if (tl_kept_pages_add(&active(history)->pages, page, bytes) != TL_OK)
		history->lost = true;
}

static void memory_changes(void *context, tl_u64 physical, tl_u64 size)
{
	struct tl_history *history = context;

	tl_first_writes_before(&history->writes, physical - history->writes.start, size);
}

static void block_changes(void *context, tl_u64 number, const tl_u8 *bytes)
{
	struct tl_history_disk *disk = context;
	struct tl_kept_pages *blocks = &active(disk->history)->blocks[disk->number];

	if (tl_kept_pages_find(blocks, number) == NULL && tl_kept_pages_add(blocks, number, bytes) != TL_OK)
		disk->history->lost = true;
}

static bool log_input(struct tl_history *history, const struct tl_input *input)
{
	tl_size capacity = history->log_capacity + history->log_capacity / 2 + 64;
	struct tl_logged_input *grown;
	tl_u8 *copy = NULL;

	if (history->log_count == history->log_capacity) {
		grown = realloc(history->log, capacity * sizeof(*grown));
		if (grown == NULL)
			return false;
		history->log = grown;
		history->log_capacity = capacity;
	}
	if (input->bytes != NULL) {
		copy = malloc(input->size + 1);
		if (copy == NULL)
			return false;
		memcpy(copy, input->bytes, input->size);
		history->log_bytes += input->size;
	}
	grown = &history->log[history->log_count++];
	grown->position = history->entering;
	grown->input = *input;
	grown->input.bytes = copy;
	history->next_input = history->log_count;
	if (history->witness != NULL)
		history->witness->input(history->witness->context, &grown->position, &grown->input);
	return true;
}

/* ---- Opening and closing ---- */

static enum tl_status add_computer(struct tl_history *history, struct tl_error *error)
{
	struct tl_computer *computer = history->computer;
	struct tl_riscv_board *board = &computer->board;
	const struct tl_state_part parts[] = {
		{(tl_u8 *)computer->turns, sizeof(computer->turns)},
		{(tl_u8 *)&computer->turn, sizeof(computer->turn)},
		{(tl_u8 *)&computer->round_start, sizeof(computer->round_start)},
		{(tl_u8 *)&computer->begun, sizeof(computer->begun)},
		{(tl_u8 *)&computer->held, sizeof(computer->held)},
		{(tl_u8 *)&computer->timers, sizeof(computer->timers)},
		{(tl_u8 *)&board->aclint, sizeof(board->aclint)},
		{(tl_u8 *)&board->plic, sizeof(board->plic)},
		{(tl_u8 *)&board->uart, sizeof(board->uart)},
		{(tl_u8 *)&board->finisher, sizeof(board->finisher)},
		{(tl_u8 *)&board->rtc, sizeof(board->rtc)},
	};

	const struct tl_epoch_device devices[] = {
		{"schedule", tl_digest_schedule, computer},
		{"aclint", tl_digest_aclint, &board->aclint},
		{"plic", tl_digest_plic, &board->plic},
		{"serial port", tl_digest_uart, &board->uart},
		{"finisher", tl_digest_finisher, &board->finisher},
		{"rtc", tl_digest_rtc, &board->rtc},
	};

	for (tl_u32 i = 0; i < TL_COUNT(devices); i++)
		TL_TRY(tl_history_add_device(history, &devices[i], error));
	for (tl_u32 i = 0; i < TL_COUNT(parts); i++)
		TL_TRY(tl_history_add_state(history, parts[i].bytes, parts[i].size, error));
	for (tl_u32 i = 0; i < computer->configuration.harts; i++) {
		struct tl_hart *hart = &computer->harts[i];

		TL_TRY(tl_history_add_state(history, hart, __builtin_offsetof(struct tl_hart, first_writes), error));
		TL_TRY(tl_history_add_state(history, &hart->hold_interrupts, sizeof(hart->hold_interrupts), error));
	}
	return TL_OK;
}

static void input_entered(void *context, const struct tl_input *input)
{
	struct tl_history *history = context;

	if (!history->feeding && !log_input(history, input))
		history->lost = true;
}

static void tell_hart(const struct tl_history *history, struct tl_hart *hart, bool on)
{
	hart->first_writes = on ? &history->writes : NULL;
	hart->marks = on ? tl_written_marks(history->writes.lines, history->writes.memory) : 0;
}

static void connect(struct tl_history *history, bool on)
{
	struct tl_computer *computer = history->computer;

	computer->context = on ? history : NULL;
	computer->input_entered = on ? input_entered : NULL;
	computer->memory_changes = on ? memory_changes : NULL;
	for (tl_u32 i = 0; i < computer->configuration.harts; i++)
		tell_hart(history, &computer->harts[i], on);
	/* What was translated so far knows nothing of marks, or of none. */
	if (computer->translator != NULL)
		tl_translator_all_changed(computer->translator);
}

enum tl_status tl_history_open(struct tl_history **history_ret, struct tl_computer *computer,
			       const struct tl_history_options *options, struct tl_error *error)
{
	struct tl_history *history = calloc(1, sizeof(*history));
	enum tl_status status;

	if (history == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room to remember the past");
	history->computer = computer;
	history->interval = options->interval != 0 ? options->interval : TL_HISTORY_INTERVAL;
	history->memory = options->memory != 0 ? options->memory : TL_HISTORY_MEMORY;
	history->writes = (struct tl_first_writes){.memory = computer->memory,
						   .start = TL_BOARD_MEMORY,
						   .size = computer->configuration.memory_size,
						   .first = page_written,
						   .context = history};
	history->writes.seen = calloc((history->writes.size / TL_KEPT_SIZE + 63) / 64, sizeof(*history->writes.seen));
	history->writes.lines = tl_written_map(computer->memory, history->writes.size);
	status = history->writes.seen != NULL && history->writes.lines != NULL
			 ? add_computer(history, error)
			 : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room to remember the past");
	if (status != TL_OK) {
		tl_history_close(history);
		return status;
	}
	connect(history, true);
	*history_ret = history;
	return TL_OK;
}

static void forget_ahead(struct tl_history *history)
{
	while (history->log_count > history->next_input) {
		const struct tl_input *input = &history->log[--history->log_count].input;

		history->log_bytes -= input->bytes != NULL ? input->size : 0;
		free((void *)(tl_uintptr)input->bytes);
	}
	while (history->count > history->active + 1)
		tl_checkpoint_free(history->checkpoints[--history->count]);
	/* What a recording says of it, too. */
	history->future.epoch_count = history->next_epoch;
	history->replaying = false;
}

/* Everything but what has to be named by the caller. */
static void forget_all(struct tl_history *history)
{
	if (history->count != 0)
		tl_history_take_lines(history);
	history->forgotten += history->next_input;
	history->next_input = 0;
	history->active = 0;
	forget_ahead(history);
	if (history->count != 0)
		tl_checkpoint_free(history->checkpoints[0]);
	history->begins_late = history->begins_late || history->lost;
	history->writes.fetched = NULL;
	history->count = 0;
	history->lost = false;
}

void tl_history_close(struct tl_history *history)
{
	if (history == NULL)
		return;
	forget_all(history);
	connect(history, false);
	for (tl_u32 i = 0; i < history->disk_count; i++)
		history->disks[i].disk->changing = NULL;
	free(history->checkpoints);
	free(history->log);
	free(history->writes.seen);
	tl_written_map_free(history->writes.lines, history->writes.size);
	free(history);
}

enum tl_status tl_history_add_state(struct tl_history *history, void *state, tl_size size, struct tl_error *error)
{
	if (history->part_count == TL_HISTORY_PARTS || history->count != 0)
		return TL_FAIL(error, TL_ERROR_STATE, "the machine has more parts than can be remembered");
	history->parts[history->part_count++] = (struct tl_state_part){state, size};
	history->state_size += size;
	return TL_OK;
}

enum tl_status tl_history_add_device(struct tl_history *history, const struct tl_epoch_device *device,
				     struct tl_error *error)
{
	if (history->device_count == TL_EPOCH_DEVICES || history->count != 0)
		return TL_FAIL(error, TL_ERROR_STATE, "the machine has more devices than can be remembered");
	history->devices[history->device_count++] = *device;
	return TL_OK;
}

enum tl_status tl_history_add_disk(struct tl_history *history, struct tl_disk *disk, struct tl_error *error)
{
	struct tl_history_disk *kept = &history->disks[history->disk_count];

	if (history->disk_count == TL_HISTORY_DISKS || history->count != 0)
		return TL_FAIL(error, TL_ERROR_STATE, "the machine has more disks than can be remembered");
	if (disk->mode == TL_DISK_THROUGH)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "what is written through to a file cannot be taken back: give the disk an overlay");
	*kept = (struct tl_history_disk){.history = history, .disk = disk, .number = history->disk_count++};
	disk->changing = block_changes;
	disk->changing_context = kept;
	return TL_OK;
}

/* ---- Running ---- */

bool tl_history_is_past(const struct tl_history *history)
{
	struct tl_computer_position here = tl_computer_position(history->computer);

	if (history->count == 0)
		return history->replaying;
	return history->next_input < history->log_count || tl_computer_compare(&here, &history->end) < 0;
}

bool tl_history_is_shown(const struct tl_history *history)
{
	struct tl_computer_position here = tl_computer_position(history->computer);

	return history->count != 0 && tl_computer_compare(&here, &history->shown) < 0;
}

/* What the log says that enters next. */
static void feed(struct tl_history *history)
{
	const struct tl_logged_input *next = &history->log[history->next_input++];
	struct tl_computer_position here = tl_computer_position(history->computer);

	history->feeding = true;
	if (tl_computer_compare(&next->position, &here) != 0 ||
	    tl_computer_input(history->computer, &next->input) != next->input.size)
		tl_history_missed_input(history);
	history->feeding = false;
}

/* The next recorded moment at which something is to be done. */
static struct tl_computer_position next_moment(const struct tl_history *history)
{
	struct tl_computer_position next = history->end;

	if (history->active + 1 < history->count &&
	    tl_computer_compare(&history->checkpoints[history->active + 1]->position, &next) < 0)
		next = history->checkpoints[history->active + 1]->position;
	if (history->next_input < history->log_count &&
	    tl_computer_compare(&history->log[history->next_input].position, &next) < 0)
		next = history->log[history->next_input].position;
	if (history->next_epoch < history->future.epoch_count &&
	    tl_computer_compare(&history->future.epochs[history->next_epoch].position, &next) < 0)
		next = history->future.epochs[history->next_epoch].position;
	if (tl_history_is_shown(history) && tl_computer_compare(&history->shown, &next) < 0)
		next = history->shown;
	return next;
}

/* The past begins here, unless it has begun. Without memory for it, it begins later. */
static void begin(struct tl_history *history)
{
	if (history->lost)
		forget_all(history);
	if (history->count != 0)
		return;
	history->shown = tl_computer_position(history->computer);
	if (!history->replaying) {
		history->end = history->shown;
		history->end_begun = history->computer->begun;
	}
	if (tl_history_mark(history) && history->witness != NULL && !history->replaying)
		history->witness->epoch(history->witness->context, &history->checkpoints[0]->epoch);
}

/* Does what is due here: of a checkpoint and an input at the same moment, first what was first. */
static void settle(struct tl_history *history)
{
	while (history->count != 0) {
		struct tl_computer_position here = tl_computer_position(history->computer);
		const struct tl_checkpoint *next =
			history->active + 1 < history->count ? history->checkpoints[history->active + 1] : NULL;

		if (next != NULL && tl_computer_compare(&next->position, &here) <= 0 &&
		    next->next_input <= history->next_input)
			tl_history_cross(history);
		else if (history->next_epoch < history->future.epoch_count &&
			 tl_computer_compare(&history->future.epochs[history->next_epoch].position, &here) <= 0 &&
			 history->future.epochs[history->next_epoch].inputs <= history->forgotten + history->next_input)
			tl_history_meet_epoch(history);
		else if (history->next_input < history->log_count &&
			 tl_computer_compare(&history->log[history->next_input].position, &here) <= 0)
			feed(history);
		else
			return;
	}
}

/* Notes how far the run has come. */
static void note_progress(struct tl_history *history)
{
	struct tl_computer_position here = tl_computer_position(history->computer);

	if (history->count == 0)
		return;
	if (tl_computer_compare(&here, &active(history)->covered) > 0)
		active(history)->covered = here;
	if (tl_computer_compare(&here, &history->shown) > 0)
		history->shown = here;
	if (tl_computer_compare(&here, &history->end) >= 0) {
		history->end = here;
		history->end_begun = history->computer->begun;
	}
}

/* A checkpoint at the end of what is known. */
static bool mark_end(struct tl_history *history)
{
	if (!tl_history_mark(history))
		return false;
	if (history->witness != NULL)
		history->witness->epoch(history->witness->context, &active(history)->epoch);
	return true;
}

void tl_history_end_epoch(struct tl_history *history)
{
	struct tl_computer_position here = tl_computer_position(history->computer);

	if (history->count != 0 && !tl_history_is_past(history) && !history->lost &&
	    tl_computer_compare(&active(history)->position, &here) != 0)
		(void)!mark_end(history);
}

/* Where the recording ends the machine stands, and goes on by itself the next time. True: it stands. */
static bool stands_at_end(struct tl_history *history, bool past)
{
	if (past)
		history->end_told = false;
	if (past || !history->replaying)
		return false;
	if (history->end_told) {
		history->replaying = false;
		return false;
	}
	history->end_told = true;
	history->pause = TL_HISTORY_PAUSE_END;
	return true;
}

enum tl_computer_exit tl_history_run(struct tl_history *history, const struct tl_computer_limits *limits)
{
	struct tl_computer *computer = history->computer;

	for (;;) {
		struct tl_computer_limits part = *limits;
		struct tl_computer_position until;
		enum tl_computer_exit exit;
		tl_u64 begun = computer->begun;
		bool past;

		begin(history);
		settle(history);
		past = tl_history_is_past(history);
		if (history->pause != TL_HISTORY_PAUSE_NONE ||
		    (!tl_computer_is_reached(computer, limits) && stands_at_end(history, past)))
			return TL_COMPUTER_STOPPED;
		if (past) {
			until = next_moment(history);
			part.tell_idle = false;
			if (part.until == NULL || tl_computer_compare(&until, part.until) < 0)
				part.until = &until;
		} else if (history->count != 0 && active(history)->begun + history->interval < part.begun) {
			part.begun = active(history)->begun + history->interval;
		}
		exit = tl_computer_run(computer, &part);
		note_progress(history);
		if (past)
			history->replayed += computer->begun - begun;
		/* Where the machine goes off, what is due at that moment is not met otherwise. */
		if (past && (exit == TL_COMPUTER_OFF || exit == TL_COMPUTER_FAILED || exit == TL_COMPUTER_RESET))
			settle(history);
		if (exit != TL_COMPUTER_REACHED || tl_computer_is_reached(computer, limits))
			return exit;
		if (!past && mark_end(history))
			tl_history_thin(history);
	}
}

tl_size tl_history_input(struct tl_history *history, const struct tl_input *input, bool *new_timeline_ret)
{
	*new_timeline_ret = false;
	begin(history);
	if (tl_history_is_past(history)) {
		*new_timeline_ret = true;
		forget_ahead(history);
		active(history)->covered = history->end = tl_computer_position(history->computer);
		history->end_begun = history->computer->begun;
		history->shown = history->end;
		if (history->witness != NULL)
			history->witness->cut(history->witness->context, &history->end,
					      history->forgotten + history->next_input);
	}
	history->entering = tl_computer_position(history->computer);
	return tl_computer_input(history->computer, input);
}

void tl_history_facts(const struct tl_history *history, struct tl_history_facts *facts_ret)
{
	*facts_ret = (struct tl_history_facts){.checkpoints = history->count,
					       .inputs = history->log_count,
					       .entered = history->forgotten + history->next_input,
					       .memory = tl_history_cost(history),
					       .here = history->computer->begun,
					       .end = history->end_begun,
					       .replayed = history->replayed,
					       .restored = history->restored,
					       .diverged = history->diverged,
					       .epochs = history->future.epoch_count,
					       .epochs_met = history->met,
					       .chain = history->chain,
					       .replaying = history->replaying};
	if (history->count == 0)
		return;
	facts_ret->begin = history->checkpoints[0]->begun;
	facts_ret->hash = tl_epoch_chain(0, &active(history)->epoch);
}
