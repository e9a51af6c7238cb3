#include "targets/emulator/history_internal.h"

#include "core/cursor.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/triggers.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void tl_checkpoint_free(struct tl_checkpoint *checkpoint)
{
	if (checkpoint == NULL)
		return;
	tl_kept_pages_clear(&checkpoint->pages);
	for (tl_u32 i = 0; i < TL_HISTORY_DISKS; i++)
		tl_kept_pages_clear(&checkpoint->blocks[i]);
	tl_fetched_pages_clear(&checkpoint->fetched);
	tl_epoch_clear(&checkpoint->epoch);
	free(checkpoint->state);
	free(checkpoint);
}

/* ---- State ---- */

static void save_state(const struct tl_history *history, tl_u8 *state)
{
	for (tl_u32 i = 0; i < history->part_count; i++) {
		memcpy(state, history->parts[i].bytes, history->parts[i].size);
		state += history->parts[i].size;
	}
}

static void forget_translations(const struct tl_history *history)
{
	for (tl_u32 i = 0; i < history->computer->configuration.harts; i++)
		tl_paging_flush(&history->computer->harts[i]);
}

static void load_state(const struct tl_history *history, const tl_u8 *state)
{
	for (tl_u32 i = 0; i < history->part_count; i++) {
		memcpy(history->parts[i].bytes, state, history->parts[i].size);
		state += history->parts[i].size;
	}
	for (tl_u32 i = 0; i < history->computer->configuration.harts; i++) {
		struct tl_hart *hart = &history->computer->harts[i];

		hart->halt = TL_HALT_NONE;
		hart->pass = TL_PASS_NONE;
		hart->watch_hit_count = 0;
		tl_paging_update(hart);
		tl_triggers_changed(hart);
	}
}

/* ---- Hashes ---- */

/*
 * A sum over all pages, so that it does not matter between which checkpoints they changed: what a page adds is taken
 * away with what it was, and added with what it is. Those that did change are noted.
 */
static void note_memory(const struct tl_history *history, const struct tl_checkpoint *since, struct tl_epoch *epoch)
{
	epoch->memory = since->epoch.memory;
	epoch->pages = malloc((since->pages.count + 1) * sizeof(*epoch->pages));
	for (tl_size i = 0; i < since->pages.count; i++) {
		const struct tl_kept_page *page = &since->pages.pages[i];
		const tl_u8 *now = history->computer->memory + page->number * TL_KEPT_SIZE;
		tl_u64 was = tl_epoch_page_hash(page->number, page->bytes), is;

		if (memcmp(now, page->bytes, TL_KEPT_SIZE) == 0)
			continue;
		is = tl_epoch_page_hash(page->number, now);
		epoch->memory += is - was;
		if (epoch->pages != NULL)
			epoch->pages[epoch->page_count++] = (struct tl_epoch_page){(tl_u32)page->number, (tl_u32)is};
	}
}

/* The same over the blocks of disks: one that is not in the overlay adds nothing. */
static void note_disks(const struct tl_history *history, const struct tl_checkpoint *since, struct tl_epoch *epoch)
{
	epoch->disks = since->epoch.disks;
	for (tl_u32 disk = 0; disk < history->disk_count; disk++) {
		for (tl_size i = 0; i < since->blocks[disk].count; i++) {
			const struct tl_kept_page *block = &since->blocks[disk].pages[i];
			tl_u64 seed = block->number | (tl_u64)disk << 56, at = block->number * TL_KEPT_SIZE;
			tl_u64 size = history->disks[disk].disk->size;
			tl_u8 now[TL_KEPT_SIZE] = {0};

			if (block->bytes != NULL)
				epoch->disks -= XXH3_64bits_withSeed(block->bytes, TL_KEPT_SIZE, seed);
			if (at >= size || tl_disk_read(history->disks[disk].disk, at, now,
						       size - at < TL_KEPT_SIZE ? size - at : TL_KEPT_SIZE) != TL_OK)
				continue;
			epoch->disks += XXH3_64bits_withSeed(now, TL_KEPT_SIZE, seed);
		}
	}
}

/* What the machine has come to here. */
static bool take_epoch(struct tl_history *history, struct tl_epoch *epoch_ret)
{
	const struct tl_checkpoint *since = history->count != 0 ? history->checkpoints[history->active] : NULL;

	if (tl_epoch_take(epoch_ret, history->computer, history->devices, history->device_count) != TL_OK)
		return false;
	epoch_ret->inputs = history->forgotten + history->next_input;
	if (since != NULL) {
		note_memory(history, since, epoch_ret);
		note_disks(history, since, epoch_ret);
	}
	return true;
}

/* ---- The active one ---- */

void tl_history_take_lines(struct tl_history *history)
{
	struct tl_kept_pages *pages = &history->checkpoints[history->active]->pages;

	for (tl_size i = 0; i < pages->count; i++)
		tl_written_take(history->writes.lines, pages->pages[i].number, &pages->pages[i].lines);
}

/*
 * From here on writes concern this checkpoint, at which the machine stands, and the marks of those before have been
 * taken. What was written and fetched behind it is found out anew: it may be less than the last time, where a
 * checkpoint was left between it and the next one.
 */
static void activate(struct tl_history *history, tl_size index)
{
	struct tl_kept_pages *pages = &history->checkpoints[index]->pages;
	tl_u64 words = (history->writes.size / TL_KEPT_SIZE + 63) / 64;

	history->active = index;
	history->writes.fetched = &history->checkpoints[index]->fetched;
	tl_fetched_pages_clear(history->writes.fetched);
	tl_fill(history->writes.seen, 0, words * sizeof(*history->writes.seen));
	for (tl_size i = 0; i < pages->count; i++) {
		history->writes.seen[pages->pages[i].number >> 6] |= (tl_u64)1 << (pages->pages[i].number & 63);
		pages->pages[i].lines = (struct tl_line_set){0};
	}
	forget_translations(history);
}

static bool make_room(struct tl_history *history)
{
	struct tl_checkpoint **grown;
	tl_size capacity = history->capacity * 2 + 64;

	if (history->count < history->capacity)
		return true;
	grown = realloc(history->checkpoints, capacity * sizeof(*grown));
	if (grown == NULL)
		return false;
	history->checkpoints = grown;
	history->capacity = capacity;
	return true;
}

static struct tl_checkpoint *make_checkpoint(struct tl_history *history)
{
	struct tl_checkpoint *checkpoint = calloc(1, sizeof(*checkpoint));

	if (checkpoint == NULL)
		return NULL;
	checkpoint->state = malloc(history->state_size);
	if (checkpoint->state == NULL || !take_epoch(history, &checkpoint->epoch)) {
		tl_checkpoint_free(checkpoint);
		return NULL;
	}
	save_state(history, checkpoint->state);
	checkpoint->position = checkpoint->covered = tl_computer_position(history->computer);
	checkpoint->begun = history->computer->begun;
	memcpy(checkpoint->turns, history->computer->turns, sizeof(checkpoint->turns));
	checkpoint->next_input = history->next_input;
	return checkpoint;
}

bool tl_history_mark(struct tl_history *history)
{
	struct tl_checkpoint *checkpoint;
	tl_size index = history->count == 0 ? 0 : history->active + 1;

	if (!make_room(history))
		return false;
	checkpoint = make_checkpoint(history);
	if (checkpoint == NULL)
		return false;
	if (history->count != 0) {
		tl_history_take_lines(history);
		/* What was written behind this moment, in a run before, is kept here when it is written again. */
		tl_kept_pages_drop_unwritten(&history->checkpoints[history->active]->pages);
	}
	memmove(history->checkpoints + index + 1, history->checkpoints + index,
		(history->count - index) * sizeof(*history->checkpoints));
	history->checkpoints[index] = checkpoint;
	history->count++;
	activate(history, index);
	return true;
}

void tl_history_cross(struct tl_history *history)
{
	const struct tl_checkpoint *next = history->checkpoints[history->active + 1];
	struct tl_epoch epoch = {0};

	if (!take_epoch(history, &epoch) || tl_epoch_chain(0, &epoch) != tl_epoch_chain(0, &next->epoch))
		history->diverged = true;
	tl_epoch_clear(&epoch);
	tl_history_take_lines(history);
	activate(history, history->active + 1);
}

/* ---- Going back ---- */

bool tl_history_leads(const struct tl_history *history, tl_size index)
{
	for (; index < history->active; index++)
		if (tl_computer_compare(&history->checkpoints[index]->covered,
					&history->checkpoints[index + 1]->position) < 0)
			return false;
	return true;
}

static void put_back(struct tl_history *history, const struct tl_checkpoint *checkpoint)
{
	struct tl_computer *computer = history->computer;

	for (tl_size i = 0; i < checkpoint->pages.count; i++) {
		const struct tl_kept_page *page = &checkpoint->pages.pages[i];
		tl_u8 *memory = computer->memory + page->number * TL_KEPT_SIZE;

		if (memcmp(memory, page->bytes, TL_KEPT_SIZE) == 0)
			continue;
		if (computer->executor.memory_changes != NULL)
			computer->executor.memory_changes(computer->executor.context,
							  TL_BOARD_MEMORY + page->number * TL_KEPT_SIZE, TL_KEPT_SIZE);
		memcpy(memory, page->bytes, TL_KEPT_SIZE);
	}
	for (tl_u32 disk = 0; disk < history->disk_count; disk++) {
		const struct tl_kept_pages *blocks = &checkpoint->blocks[disk];

		for (tl_size i = 0; i < blocks->count; i++)
			if (tl_disk_put(history->disks[disk].disk, blocks->pages[i].number, blocks->pages[i].bytes) !=
			    TL_OK)
				history->diverged = true;
	}
}

void tl_history_restore(struct tl_history *history, tl_size index)
{
	const struct tl_checkpoint *checkpoint = history->checkpoints[index];

	tl_history_take_lines(history);
	for (tl_size i = history->active + 1; i-- > index;)
		put_back(history, history->checkpoints[i]);
	load_state(history, checkpoint->state);
	history->next_input = checkpoint->next_input;
	tl_history_seek_epoch(history, checkpoint);
	history->restored++;
	activate(history, index);
}

/* ---- Thinning ---- */

static tl_u64 cost_of(const struct tl_history *history, const struct tl_checkpoint *checkpoint)
{
	tl_u64 cost = sizeof(*checkpoint) + history->state_size + tl_kept_pages_cost(&checkpoint->pages);

	cost += tl_fetched_pages_cost(&checkpoint->fetched);
	cost += checkpoint->epoch.harts * sizeof(tl_u64) * TL_EPOCH_REGISTERS +
		checkpoint->epoch.page_count * sizeof(struct tl_epoch_page);

	for (tl_u32 i = 0; i < history->disk_count; i++)
		cost += tl_kept_pages_cost(&checkpoint->blocks[i]);
	return cost;
}

static tl_u64 cost_of_log(const struct tl_history *history)
{
	return history->log_capacity * sizeof(*history->log) + history->log_bytes;
}

tl_u64 tl_history_cost(const struct tl_history *history)
{
	tl_u64 cost = cost_of_log(history);

	for (tl_size i = 0; i < history->count; i++)
		cost += cost_of(history, history->checkpoints[i]);
	return cost;
}

/*
 * The checkpoint that is missed least: the stretch that would be run instead of it is short beside its age. Neither the
 * first, nor the active one and its successor, which are being written to and run towards. 0: none.
 */
static tl_size least_missed(const struct tl_history *history)
{
	tl_size best = 0;
	double least = 0;

	for (tl_size i = 1; i + 1 < history->count; i++) {
		tl_u64 stretch = history->checkpoints[i + 1]->begun - history->checkpoints[i - 1]->begun;
		double missed = (double)stretch / (double)(history->end_begun - history->checkpoints[i]->begun + 1);

		if (i == history->active || i == history->active + 1)
			continue;
		if (best == 0 || missed < least) {
			best = i;
			least = missed;
		}
	}
	return best;
}

/* The checkpoint before it takes over what it kept. */
static bool drop(struct tl_history *history, tl_size index)
{
	struct tl_checkpoint *checkpoint = history->checkpoints[index], *before = history->checkpoints[index - 1];

	if (tl_kept_pages_merge(&before->pages, &checkpoint->pages) != TL_OK)
		return false;
	for (tl_u32 i = 0; i < history->disk_count; i++)
		if (tl_kept_pages_merge(&before->blocks[i], &checkpoint->blocks[i]) != TL_OK)
			return false;
	tl_fetched_pages_merge(&before->fetched, &checkpoint->fetched);
	if (tl_computer_compare(&before->covered, &checkpoint->position) >= 0)
		before->covered = checkpoint->covered;
	tl_checkpoint_free(checkpoint);
	history->count--;
	memmove(history->checkpoints + index, history->checkpoints + index + 1,
		(history->count - index) * sizeof(*history->checkpoints));
	if (history->active > index)
		history->active--;
	return true;
}

/* The past begins at the second checkpoint from now on. */
static void forget_first(struct tl_history *history)
{
	tl_size inputs = history->checkpoints[1]->next_input;

	for (tl_size i = 0; i < inputs; i++) {
		history->log_bytes -= history->log[i].input.bytes != NULL ? history->log[i].input.size : 0;
		free((void *)(tl_uintptr)history->log[i].input.bytes);
	}
	history->log_count -= inputs;
	history->next_input -= inputs;
	history->forgotten += inputs;
	memmove(history->log, history->log + inputs, history->log_count * sizeof(*history->log));
	tl_checkpoint_free(history->checkpoints[0]);
	history->count--;
	history->active--;
	memmove(history->checkpoints, history->checkpoints + 1, history->count * sizeof(struct tl_checkpoint *));
	for (tl_size i = 0; i < history->count; i++)
		history->checkpoints[i]->next_input -= inputs;
	history->begins_late = true;
}

/* A log that fills half of the room: it cannot be thinned, only begin later. */
static void shorten_log(struct tl_history *history)
{
	tl_size before = history->log_count;

	while (history->active > 1 &&
	       history->log_count * sizeof(*history->log) + history->log_bytes > history->memory / 2)
		forget_first(history);
	if (history->log_count < before && history->log_count < history->log_capacity / 2) {
		struct tl_logged_input *less = realloc(history->log, (history->log_count + 64) * sizeof(*history->log));

		if (less != NULL) {
			history->log = less;
			history->log_capacity = history->log_count + 64;
		}
	}
}

void tl_history_thin(struct tl_history *history)
{
	tl_u64 cost;

	shorten_log(history);
	cost = tl_history_cost(history);
	while (cost > history->memory || history->count > TL_HISTORY_CHECKPOINTS) {
		tl_size index = least_missed(history);
		tl_u64 before;

		if (index == 0)
			return;
		before = cost_of(history, history->checkpoints[index - 1]) +
			 cost_of(history, history->checkpoints[index]);
		if (!drop(history, index))
			return;
		cost -= before - cost_of(history, history->checkpoints[index - 1]);
	}
}
