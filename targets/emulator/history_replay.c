/* A run that is known from a recording: what is to come, whether it comes so, and what was, for a recording. */
#include "targets/emulator/history_internal.h"
#include "targets/emulator/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tl_history_set_witness(struct tl_history *history, const struct tl_history_witness *witness)
{
	history->witness = witness;
}

enum tl_status tl_history_set_future(struct tl_history *history, const struct tl_history_future *future)
{
	history->log = calloc(future->input_count + 1, sizeof(*history->log));
	if (history->log == NULL)
		return TL_ERROR_NO_MEMORY;
	history->log_capacity = future->input_count + 1;
	for (tl_size i = 0; i < future->input_count; i++) {
		const struct tl_recorded_input *input = &future->inputs[i];
		tl_u8 *copy = NULL;

		if (input->input.bytes != NULL) {
			copy = malloc(input->input.size + 1);
			if (copy == NULL)
				return TL_ERROR_NO_MEMORY;
			memcpy(copy, input->input.bytes, input->input.size);
			history->log_bytes += input->input.size;
		}
		history->log[i] = (struct tl_logged_input){.position = input->position, .input = input->input};
		history->log[i].input.bytes = copy;
		history->log_count++;
	}
	history->future = *future;
	history->chain = future->chain;
	history->end = future->end;
	history->end_begun = future->end_begun;
	history->replaying = true;
	return TL_OK;
}

enum tl_history_pause tl_history_take_pause(struct tl_history *history)
{
	enum tl_history_pause pause = history->pause;

	history->pause = TL_HISTORY_PAUSE_NONE;
	return pause;
}

const char *tl_history_difference(const struct tl_history *history)
{
	return history->difference;
}

/* ---- Whether it comes so ---- */

static void note_difference(struct tl_history *history, const char *what)
{
	history->diverged = true;
	/* The first is what counts: others follow from it. */
	if (history->difference[0] != '\0')
		return;
	snprintf(history->difference, sizeof(history->difference),
		 "This is not the run that was recorded: epoch %zu, which ends at the count of %llu, differs: %s.",
		 (size_t)history->next_epoch, (unsigned long long)history->computer->begun, what);
	history->pause = TL_HISTORY_PAUSE_DIFFERENCE;
}

void tl_history_missed_input(struct tl_history *history)
{
	if (history->replaying)
		note_difference(history, "the machine did not take what came in");
	history->diverged = true;
}

/* Whether the active checkpoint stands at this moment. */
static bool is_here(const struct tl_history *history, const struct tl_epoch *epoch)
{
	const struct tl_checkpoint *active = history->checkpoints[history->active];

	return tl_computer_compare(&active->position, &epoch->position) == 0 &&
	       history->forgotten + active->next_input == epoch->inputs;
}

/*
 * The first time a checkpoint is left, where the recording had one, so that all that follows from checkpoints is as it
 * was; it may be thinned out later. Later on it is only passed by.
 */
void tl_history_meet_epoch(struct tl_history *history)
{
	const struct tl_epoch *expected = &history->future.epochs[history->next_epoch];
	bool first = history->next_epoch >= history->met;
	char text[500];
	struct tl_writer writer = tl_writer_make(text, sizeof(text) - 1);

	if (first && !is_here(history, expected) && !tl_history_mark(history))
		history->lost = true;
	if (first && !history->lost) {
		const struct tl_epoch *now = &history->checkpoints[history->active]->epoch;

		if (!tl_epoch_same(expected, now, history->devices, history->computer, &writer)) {
			text[tl_writer_size(&writer)] = '\0';
			note_difference(history, text);
		}
		history->chain = tl_epoch_chain(history->chain, now);
	}
	history->next_epoch++;
	if (first) {
		history->met = history->next_epoch;
		tl_history_thin(history);
	}
}

void tl_history_seek_epoch(struct tl_history *history, const struct tl_checkpoint *checkpoint)
{
	tl_size low = 0, high = history->future.epoch_count;

	/* The first that is not before the checkpoint; one at the same moment has been met. */
	while (low < high) {
		tl_size middle = low + (high - low) / 2;
		const struct tl_epoch *epoch = &history->future.epochs[middle];
		int order = tl_computer_compare(&epoch->position, &checkpoint->position);

		if (order < 0 || (order == 0 && epoch->inputs <= history->forgotten + checkpoint->next_input))
			low = middle + 1;
		else
			high = middle;
	}
	history->next_epoch = low;
}

/* ---- What was ---- */

bool tl_history_tell(const struct tl_history *history, const struct tl_history_witness *witness)
{
	tl_size input = 0;

	if (history->begins_late)
		return false;
	for (tl_size i = 0; i < history->count; i++) {
		const struct tl_checkpoint *checkpoint = history->checkpoints[i];

		for (; input < checkpoint->next_input; input++)
			witness->input(witness->context, &history->log[input].position, &history->log[input].input);
		witness->epoch(witness->context, &checkpoint->epoch);
	}
	for (; input < history->log_count; input++)
		witness->input(witness->context, &history->log[input].position, &history->log[input].input);
	return true;
}

struct tl_computer_position tl_history_end(const struct tl_history *history, tl_u64 *begun_ret)
{
	*begun_ret = history->end_begun;
	return history->end;
}
