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

/* Of all that the harts can tell, and of how far each has come. */
static tl_u64 hash_registers(const struct tl_computer *computer)
{
	tl_u64 hash = XXH3_64bits(computer->turns, sizeof(computer->turns));

	for (tl_u32 i = 0; i < computer->configuration.harts; i++)
		hash = XXH3_64bits_withSeed(&computer->harts[i], __builtin_offsetof(struct tl_hart, first_writes),
					    hash);
	return hash;
}

/*
 * A sum over all pages, so that it does not matter between which checkpoints they changed: what a page adds is taken
 * away with what it was, and added with what it is.
 */
static tl_u64 hash_memory(const struct tl_history *history, const struct tl_checkpoint *since)
{
	tl_u64 hash = since->memory_hash;

	for (tl_size i = 0; i < since->pages.count; i++) {
		const struct tl_kept_page *page = &since->pages.pages[i];
		const tl_u8 *now = history->computer->memory + page->number * TL_KEPT_SIZE;

		hash -= XXH3_64bits_withSeed(page->bytes, TL_KEPT_SIZE, page->number);
		hash += XXH3_64bits_withSeed(now, TL_KEPT_SIZE, page->number);
	}
	return hash;
}

/* ---- The active one ---- */

/* From here on writes concern this checkpoint. */
static void activate(struct tl_history *history, tl_size index)
{
	const struct tl_kept_pages *pages = &history->checkpoints[index]->pages;
	tl_u64 words = (history->writes.size / TL_KEPT_SIZE + 63) / 64;

	history->active = index;
	tl_fill(history->writes.seen, 0, words * sizeof(*history->writes.seen));
	for (tl_size i = 0; i < pages->count; i++)
		history->writes.seen[pages->pages[i].number >> 6] |= (tl_u64)1 << (pages->pages[i].number & 63);
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

bool tl_history_mark(struct tl_history *history)
{
	struct tl_checkpoint *checkpoint = calloc(1, sizeof(*checkpoint));
	tl_size index = history->count == 0 ? 0 : history->active + 1;

	if (checkpoint == NULL || !make_room(history)) {
		free(checkpoint);
		return false;
	}
	checkpoint->state = malloc(history->state_size);
	if (checkpoint->state == NULL) {
		free(checkpoint);
		return false;
	}
	save_state(history, checkpoint->state);
	checkpoint->position = checkpoint->covered = tl_computer_position(history->computer);
	checkpoint->begun = history->computer->begun;
	memcpy(checkpoint->turns, history->computer->turns, sizeof(checkpoint->turns));
	checkpoint->next_input = history->next_input;
	checkpoint->registers_hash = hash_registers(history->computer);
	if (index > 0)
		checkpoint->memory_hash = hash_memory(history, history->checkpoints[history->active]);
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

	if (next->registers_hash != hash_registers(history->computer) ||
	    next->memory_hash != hash_memory(history, history->checkpoints[history->active]))
		history->diverged = true;
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

	for (tl_size i = history->active + 1; i-- > index;)
		put_back(history, history->checkpoints[i]);
	load_state(history, checkpoint->state);
	history->next_input = checkpoint->next_input;
	history->restored++;
	activate(history, index);
}

/* ---- Thinning ---- */

static tl_u64 cost_of(const struct tl_history *history, const struct tl_checkpoint *checkpoint)
{
	tl_u64 cost = sizeof(*checkpoint) + history->state_size + tl_kept_pages_cost(&checkpoint->pages);

	for (tl_u32 i = 0; i < history->disk_count; i++)
		cost += tl_kept_pages_cost(&checkpoint->blocks[i]);
	return cost;
}

tl_u64 tl_history_cost(const struct tl_history *history)
{
	tl_u64 cost = 0;

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

void tl_history_thin(struct tl_history *history)
{
	tl_u64 cost = tl_history_cost(history);

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
