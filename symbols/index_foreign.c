/*
 * Entries whose names stand in other units: link-time optimisation and dwz divide functions that way. They are put into
 * the order of what they lead to, so that each unit's scopes are walked through once.
 */
#include "base/storage.h"
#include "symbols/index_plan.h"
#include "symbols/index_tables.h"

#include <stdlib.h>
#include <string.h>

/* Chains of origins, and scopes inside one another; what is deeper is left out. */
#define CHAIN_MAX 8
#define DEPTH_MAX 64

static int by_target(const void *a, const void *b)
{
	const struct tl_raw_foreign *x = a, *y = b;

	if (x->common != y->common)
		return x->common ? 1 : -1;
	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return x->entry.offset < y->entry.offset ? -1 : x->entry.offset > y->entry.offset;
}

/* A walk over the scopes of one unit, forward only: what is sought is sorted. */
struct lineage {
	const struct tl_unit *unit;
	struct tl_entry at[DEPTH_MAX]; /* of each level the entry that is not passed yet */
	tl_u32 scope[DEPTH_MAX];
	unsigned depth;
};

static tl_u32 enter_entry(struct tl_worker *worker, const struct tl_entry *entry, tl_u32 parent)
{
	struct tl_attribute name;
	tl_size length;
	tl_u32 number;

	if (tl_entry_attribute(entry, DW_AT_name, &name, NULL) != TL_OK || name.kind != TL_CLASS_STRING)
		return parent;
	length = strlen(name.text);
	number = tl_worker_name(worker, tl_name_key(name.text, length), name.text, length);
	worker->failed |= number == TL_U32_MAX;
	return tl_worker_scope(worker, number, parent, false);
}

/* The scope of the entry at `target`, which is not before that of the last call with the same unit. */
static tl_u32 find_lineage(struct tl_worker *worker, struct lineage *lineage, const struct tl_unit *unit, tl_u64 target)
{
	if (lineage->unit != unit) {
		*lineage = (struct lineage){.unit = unit};
		if (tl_entry_top(unit, &lineage->at[0], NULL) != TL_OK ||
		    tl_entry_child(&lineage->at[0], &lineage->at[0], NULL) != TL_OK)
			lineage->at[0].tag = 0;
	}
	for (;;) {
		struct tl_entry *at = &lineage->at[lineage->depth], next;
		tl_u32 scope = lineage->scope[lineage->depth];

		if (at->tag == 0 && lineage->depth != 0) {
			lineage->depth--;
			continue;
		}
		if (at->tag == 0 || at->offset >= target || tl_entry_sibling(at, &next, NULL) != TL_OK)
			return scope;
		if (next.offset > target && at->has_children && lineage->depth + 1 < DEPTH_MAX &&
		    (tl_action_of(at->tag) == ACTION_TYPE || tl_action_of(at->tag) == ACTION_NAMESPACE)) {
			struct tl_entry inside = *at;

			*at = next;
			lineage->depth++;
			lineage->scope[lineage->depth] = enter_entry(worker, &inside, scope);
			if (tl_entry_child(&inside, &lineage->at[lineage->depth], NULL) != TL_OK)
				lineage->at[lineage->depth].tag = 0;
		} else if (next.offset > target) {
			return scope;
		} else {
			*at = next;
		}
	}
}

/* Goes to the end of the chain that begins at the target: to what has a name of its own and completes nothing. */
static enum tl_status find_end(struct tl_worker *worker, struct tl_raw_foreign *foreign)
{
	const struct tl_unit *unit = tl_dwarf_unit_at(worker->builder->dwarf, foreign->target, foreign->common);
	struct tl_attribute name, link;
	struct tl_entry entry;

	if (unit == NULL)
		return TL_ERROR_MALFORMED;
	TL_TRY(tl_entry_at(unit, foreign->target, &entry, NULL));
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		TL_TRY(tl_entry_attribute(&entry, DW_AT_name, &name, NULL));
		TL_TRY(tl_entry_attribute(&entry, DW_AT_specification, &link, NULL));
		if (link.kind == TL_CLASS_NONE && name.kind == TL_CLASS_NONE)
			TL_TRY(tl_entry_attribute(&entry, DW_AT_abstract_origin, &link, NULL));
		if (link.kind == TL_CLASS_NONE)
			break;
		TL_TRY(tl_entry_follow(&link, &entry, NULL));
	}
	foreign->target = entry.offset;
	foreign->common = entry.unit->common;
	foreign->types = entry.unit->section == TL_SECTION_TYPES;
	return TL_OK;
}

/* The name and the scope of an entry at the end of a chain. */
static enum tl_status read_foreign(struct tl_worker *worker, struct lineage *lineage,
				   const struct tl_raw_foreign *foreign, struct tl_attribute *name, tl_u32 *scope_ret)
{
	const struct tl_unit *unit =
		foreign->types ? NULL : tl_dwarf_unit_at(worker->builder->dwarf, foreign->target, foreign->common);
	struct tl_entry entry;

	if (unit == NULL)
		return TL_ERROR_MALFORMED;
	TL_TRY(tl_entry_at(unit, foreign->target, &entry, NULL));
	TL_TRY(tl_entry_attribute(&entry, DW_AT_name, name, NULL));
	*scope_ret = tl_unit_has_scopes(unit) ? find_lineage(worker, lineage, unit, foreign->target) : 0;
	return TL_OK;
}

/* Gives an entry the name and the scope of what it completes in another unit. */
static void resolve(struct tl_worker *worker, struct lineage *lineage, const struct tl_raw_foreign *foreign)
{
	struct tl_index_entry entry = foreign->entry;
	struct tl_raw_entry *added = NULL;
	struct tl_attribute name = {.kind = TL_CLASS_NONE};
	enum tl_status status = read_foreign(worker, lineage, foreign, &name, &entry.scope);
	tl_size length;
	tl_u32 number;

	worker->failed |= status == TL_ERROR_NO_MEMORY;
	if (status != TL_OK || name.kind != TL_CLASS_STRING || name.text[0] == 0)
		return;
	length = strlen(name.text);
	number = tl_worker_name(worker, tl_name_key(name.text, length), name.text, length);
	if (number != TL_U32_MAX)
		added = tl_list_add(&worker->entries, sizeof(*added));
	if (added == NULL)
		worker->failed = true;
	else
		*added = (struct tl_raw_entry){.worker_name = number, .entry = entry};
}

bool tl_worker_resolve(struct tl_worker *worker)
{
	struct tl_raw_foreign *foreign = worker->foreign.items;
	struct lineage lineage = {.unit = NULL};
	tl_size kept = 0;

	for (tl_size i = 0; i < worker->foreign.count; i++) {
		enum tl_status status = find_end(worker, &foreign[i]);

		worker->failed |= status == TL_ERROR_NO_MEMORY;
		if (status == TL_OK)
			foreign[kept++] = foreign[i];
	}
	if (kept != 0)
		qsort(foreign, kept, sizeof(*foreign), by_target);
	for (tl_size i = 0; i < kept && !worker->failed; i++)
		resolve(worker, &lineage, &foreign[i]);
	return !worker->failed;
}
