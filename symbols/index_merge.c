/*
 * What the workers found becomes one block. Names are divided among the threads by their hashes: each thread looks
 * through the lists of all workers and takes what is its own, so that nothing needs a lock.
 */
#include "base/storage.h"
#include "symbols/index_internal.h"

#include <stdlib.h>
#include <string.h>

/* A name of the finished index. */
struct merged_name {
	const char *text;
	tl_u32 length, hash;
	tl_u32 place; /* behind its part's first */
	tl_u32 offset;
	tl_u32 count; /* of entries; when they are written, of those still to come */
};

/* The names of one thread. */
struct part {
	struct tl_list names; /* struct merged_name */
	tl_u32 *table;        /* number + 1 */
	tl_size table_size;
	tl_u32 *order; /* the number of the name at each place */
	tl_size order_size;
	tl_u64 text_size, entry_count;
	tl_u32 base;                  /* place of the first name in the index */
	tl_u64 text_base, entry_base; /* of the first of each */
	bool failed;
};

struct shared_slot {
	struct tl_raw_entry *entry; /* NULL: empty */
};

struct merge {
	struct tl_builder *builder;
	struct part *parts;
	tl_u32 bucket_bits;
	tl_u64 name_count, entry_count, text_size;
	struct tl_list scopes; /* struct tl_index_scope; `text` is the number of the name until it is written */
	struct tl_index_range *ranges;
	tl_size range_count;
	tl_u8 *block;
	struct tl_index index; /* of the block, as it is being written */
};

static unsigned part_of(const struct merge *merge, tl_u32 hash)
{
	return (unsigned)((tl_u64)hash * merge->builder->worker_count >> 32);
}

/* ============================================================ names ============================================== */

static tl_u32 find_name(struct part *part, const struct tl_raw_name *raw)
{
	const struct merged_name *names = part->names.items;
	struct merged_name *name;
	tl_u64 at = raw->hash * 0x9e3779b97f4a7c15 >> 20;

	for (;; at++) {
		tl_u32 number = part->table[at & (part->table_size - 1)];

		if (number == 0)
			break;
		name = (struct merged_name *)part->names.items + number - 1;
		if (names[number - 1].hash == raw->hash && name->length == raw->length &&
		    memcmp(name->text, raw->text, raw->length) == 0)
			return number - 1;
	}
	name = tl_list_add(&part->names, sizeof(*name));
	if (name == NULL)
		return TL_U32_MAX;
	name->text = raw->text;
	name->length = raw->length;
	name->hash = raw->hash;
	part->text_size += (tl_u64)raw->length + 1;
	part->table[at & (part->table_size - 1)] = (tl_u32)part->names.count;
	return (tl_u32)part->names.count - 1;
}

static void merge_names(struct tl_worker *self, void *context)
{
	struct merge *merge = context;
	struct part *part = &merge->parts[self->index];
	tl_size all = 0;

	for (unsigned i = 0; i < merge->builder->worker_count; i++)
		all += merge->builder->workers[i].names.count;
	/* Half of the slots stay free even if all names should fall to one thread. */
	part->table_size = 16;
	while (part->table_size < all * 2)
		part->table_size *= 2;
	part->table = tl_allocate(tl_storage(), part->table_size * sizeof(*part->table));
	part->failed = part->table == NULL;
	for (unsigned i = 0; i < merge->builder->worker_count && !part->failed; i++) {
		struct tl_worker *worker = &merge->builder->workers[i];
		struct tl_raw_name *names = worker->names.items;

		for (tl_size n = 0; n < worker->names.count && !part->failed; n++) {
			if (part_of(merge, names[n].hash) != self->index)
				continue;
			names[n].merged = find_name(part, &names[n]);
			part->failed = names[n].merged == TL_U32_MAX;
		}
	}
	tl_release(tl_storage(), part->table, part->table_size * sizeof(*part->table));
	part->table = NULL;
}

/* The bucket of a hash. */
static tl_u32 bucket_of(const struct merge *merge, tl_u32 hash)
{
	return (tl_u32)((tl_u64)hash >> (32 - merge->bucket_bits));
}

/* Puts the names of a part into the order of buckets, and gives them their places and the offsets of their text. */
static void place_names(struct tl_worker *self, void *context)
{
	struct merge *merge = context;
	struct part *part = &merge->parts[self->index];
	struct merged_name *names = part->names.items;
	tl_u32 first = TL_U32_MAX, last = 0, *starts;
	tl_size count = part->names.count, buckets;
	tl_u64 offset = part->text_base;

	for (tl_size i = 0; i < count; i++) {
		tl_u32 bucket = bucket_of(merge, names[i].hash);

		first = bucket < first ? bucket : first;
		last = bucket > last ? bucket : last;
	}
	if (count == 0)
		return;
	buckets = (tl_size)last - first + 2;
	starts = tl_allocate(tl_storage(), buckets * sizeof(*starts));
	part->order = tl_allocate(tl_storage(), count * sizeof(*part->order));
	part->order_size = count;
	part->failed = starts == NULL || part->order == NULL;
	if (!part->failed) {
		for (tl_size i = 0; i < count; i++)
			starts[bucket_of(merge, names[i].hash) - first + 1]++;
		for (tl_size i = 1; i < buckets; i++)
			starts[i] += starts[i - 1];
		for (tl_size i = 0; i < count; i++) {
			names[i].place = starts[bucket_of(merge, names[i].hash) - first]++;
			part->order[names[i].place] = (tl_u32)i;
		}
		for (tl_size i = 0; i < count; i++) {
			names[part->order[i]].offset = (tl_u32)offset;
			offset += (tl_u64)names[part->order[i]].length + 1;
		}
	}
	tl_release(tl_storage(), starts, buckets * sizeof(*starts));
}

static struct merged_name *merged(const struct merge *merge, const struct tl_raw_name *raw)
{
	return (struct merged_name *)merge->parts[part_of(merge, raw->hash)].names.items + raw->merged;
}

/* ============================================================ scopes ============================================= */

struct scope_key {
	tl_u32 text, parent;
	tl_u32 number; /* + 1 */
};

static tl_u32 find_scope(struct merge *merge, struct scope_key *table, tl_size size, tl_u32 text, tl_u32 parent,
			 bool transparent)
{
	tl_u64 at = (((tl_u64)text << 32 | parent) * 0x9e3779b97f4a7c15) >> 24;
	struct tl_index_scope *scope;

	for (;; at++) {
		struct scope_key *key = &table[at & (size - 1)];

		if (key->number == 0) {
			scope = tl_list_add(&merge->scopes, sizeof(*scope));
			if (scope == NULL)
				return TL_U32_MAX;
			*scope = (struct tl_index_scope){text, parent, transparent};
			*key = (struct scope_key){text, parent, (tl_u32)merge->scopes.count};
			return (tl_u32)merge->scopes.count - 1;
		}
		if (key->text == text && key->parent == parent)
			return key->number - 1;
	}
}

static bool merge_scopes(struct merge *merge)
{
	struct scope_key *table;
	tl_size all = 0, size = 16;
	bool good;

	for (unsigned i = 0; i < merge->builder->worker_count; i++)
		all += merge->builder->workers[i].scopes.count;
	while (size < all * 2 + 2)
		size *= 2;
	table = tl_allocate(tl_storage(), size * sizeof(*table));
	good = table != NULL && tl_list_add(&merge->scopes, sizeof(struct tl_index_scope)) != NULL;
	for (unsigned i = 0; i < merge->builder->worker_count && good; i++) {
		struct tl_worker *worker = &merge->builder->workers[i];
		struct tl_raw_scope *scopes = worker->scopes.items;
		const struct tl_raw_name *names = worker->names.items;

		for (tl_size n = 1; n < worker->scopes.count && good; n++) {
			scopes[n].merged = find_scope(merge, table, size, merged(merge, &names[scopes[n].name])->offset,
						      scopes[scopes[n].parent].merged, scopes[n].transparent != 0);
			good = scopes[n].merged != TL_U32_MAX;
		}
	}
	tl_release(tl_storage(), table, size * sizeof(*table));
	return good;
}

/* ============================================================ entries ============================================ */

static bool is_shared(const struct tl_raw_entry *raw)
{
	return (raw->entry.kind & (TL_INDEX_TYPE | TL_INDEX_ENUMERATOR | TL_INDEX_NAMESPACE)) != 0;
}

/* Drops the later one of two that are the same thing in different workers' lists. Entries have their final scopes. */
static void drop_double(struct shared_slot *table, tl_size size, struct tl_raw_entry *raw)
{
	const struct tl_index_entry *entry = &raw->entry;
	tl_u64 at = ((tl_u64)raw->name << 32 ^ (tl_u64)raw->line << 16 ^ raw->size ^ (tl_u64)entry->scope << 24 ^
		     entry->tag) *
			    0x9e3779b97f4a7c15 >>
		    20;

	for (;; at++) {
		struct shared_slot *slot = &table[at & (size - 1)];
		const struct tl_index_entry *old;

		if (slot->entry == NULL) {
			slot->entry = raw;
			return;
		}
		old = &slot->entry->entry;
		if (slot->entry->name != raw->name || slot->entry->line != raw->line ||
		    slot->entry->size != raw->size || old->scope != entry->scope || old->tag != entry->tag)
			continue;
		if (old->unit < entry->unit || (old->unit == entry->unit && old->offset <= entry->offset)) {
			raw->entry.kind = 0;
		} else {
			slot->entry->entry.kind = 0;
			slot->entry = raw;
		}
		return;
	}
}

/* Gives the entries of this thread's names their final names and scopes, and counts them. */
static void count_entries(struct tl_worker *self, void *context)
{
	struct merge *merge = context;
	struct part *part = &merge->parts[self->index];
	struct merged_name *names = part->names.items;
	struct shared_slot *table;
	tl_size shared = 0, size = 16;

	for (unsigned i = 0; i < merge->builder->worker_count; i++)
		shared += merge->builder->workers[i].seen.used;
	while (size < shared * 2)
		size *= 2;
	table = tl_allocate(tl_storage(), size * sizeof(*table));
	part->failed = table == NULL;
	for (unsigned pass = 0; pass < 2 && !part->failed; pass++) {
		for (unsigned i = 0; i < merge->builder->worker_count; i++) {
			struct tl_worker *worker = &merge->builder->workers[i];
			const struct tl_raw_name *raw_names = worker->names.items;
			const struct tl_raw_scope *scopes = worker->scopes.items;
			struct tl_raw_entry *entries = worker->entries.items;

			for (tl_size n = 0; n < worker->entries.count; n++) {
				const struct tl_raw_name *name = &raw_names[entries[n].worker_name];

				if (part_of(merge, name->hash) != self->index)
					continue;
				if (pass == 0) {
					entries[n].name = name->merged;
					if (entries[n].entry.scope != 0)
						entries[n].entry.scope = scopes[entries[n].entry.scope].merged;
					if (is_shared(&entries[n]))
						drop_double(table, size, &entries[n]);
				} else if (entries[n].entry.kind != 0) {
					names[name->merged].count++;
					part->entry_count++;
				}
			}
		}
	}
	tl_release(tl_storage(), table, size * sizeof(*table));
}

/* ============================================================ writing ============================================ */

static int by_start(const void *a, const void *b)
{
	const struct tl_index_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static bool gather_ranges(struct merge *merge)
{
	tl_size all = 0, at = 0;

	for (unsigned i = 0; i < merge->builder->worker_count; i++)
		all += merge->builder->workers[i].ranges.count;
	if (all == 0)
		return true;
	merge->ranges = tl_allocate(tl_storage(), all * sizeof(*merge->ranges));
	if (merge->ranges == NULL)
		return false;
	for (unsigned i = 0; i < merge->builder->worker_count; i++) {
		struct tl_list *list = &merge->builder->workers[i].ranges;

		if (list->count != 0)
			memcpy(merge->ranges + at, list->items, list->count * sizeof(*merge->ranges));
		at += list->count;
	}
	qsort(merge->ranges, all, sizeof(*merge->ranges), by_start);
	merge->range_count = all;
	return true;
}

static void write_part(struct tl_worker *self, void *context)
{
	struct merge *merge = context;
	struct part *part = &merge->parts[self->index];
	struct merged_name *names = part->names.items;
	struct tl_index_name *out =
		(struct tl_index_name *)(void *)(merge->block + ((const tl_u8 *)merge->index.names - merge->block));
	struct tl_index_entry *entries =
		(struct tl_index_entry *)(void *)(merge->block + ((const tl_u8 *)merge->index.entries - merge->block));
	char *text = (char *)merge->block + (merge->index.text - (const char *)merge->block);
	tl_u64 first = part->entry_base;

	for (tl_size i = 0; i < part->names.count; i++) {
		struct merged_name *name = &names[part->order[i]];

		out[part->base + i] = (struct tl_index_name){name->hash, name->offset, (tl_u32)first};
		memcpy(text + name->offset, name->text, name->length);
		text[(tl_size)name->offset + name->length] = 0;
		first += name->count;
	}
	for (unsigned i = 0; i < merge->builder->worker_count; i++) {
		struct tl_worker *worker = &merge->builder->workers[i];
		const struct tl_raw_name *raw_names = worker->names.items;
		const struct tl_raw_entry *raw = worker->entries.items;

		for (tl_size n = 0; n < worker->entries.count; n++) {
			struct merged_name *name;
			tl_u32 end;

			if (raw[n].entry.kind == 0 || part_of(merge, raw_names[raw[n].worker_name].hash) != self->index)
				continue;
			name = &names[raw[n].name];
			end = (tl_size)name->place + 1 < part->names.count ? out[part->base + name->place + 1].first
									   : (tl_u32)first;
			entries[end - name->count--] = raw[n].entry;
		}
	}
}

/* Adds up what the parts have, for places that are the same whoever comes first. */
static void add_up(struct merge *merge)
{
	merge->name_count = merge->text_size = merge->entry_count = 0;
	for (unsigned i = 0; i < merge->builder->worker_count; i++) {
		struct part *part = &merge->parts[i];

		part->base = (tl_u32)merge->name_count;
		part->text_base = merge->text_size;
		part->entry_base = merge->entry_count;
		merge->name_count += part->names.count;
		merge->text_size += part->text_size;
		merge->entry_count += part->entry_count;
	}
	/* The empty text of scope 0, which also ends the text of an index without names. */
	merge->text_size++;
}

static void fill_header(const struct merge *merge, struct tl_index_header *header)
{
	struct tl_dwarf *dwarf = merge->builder->dwarf;
	tl_size units = tl_dwarf_unit_count(dwarf);

	*header = (struct tl_index_header){.magic = TL_INDEX_MAGIC,
					   .version = TL_INDEX_VERSION,
					   .bucket_bits = merge->bucket_bits,
					   .name_count = (tl_u32)merge->name_count,
					   .entry_count = (tl_u32)merge->entry_count,
					   .scope_count = (tl_u32)merge->scopes.count,
					   .range_count = (tl_u32)merge->range_count,
					   .text_size = merge->text_size,
					   .unit_count = units,
					   .unit_bytes = tl_index_unit_bytes(dwarf)};
	header->size = tl_index_size(header);
}

static void write_rest(struct merge *merge)
{
	tl_u32 *buckets = (tl_u32 *)(void *)(merge->block + ((const tl_u8 *)merge->index.buckets - merge->block));
	struct tl_index_name *names =
		(struct tl_index_name *)(void *)(merge->block + ((const tl_u8 *)merge->index.names - merge->block));
	struct tl_index_scope *scopes = merge->scopes.items;
	tl_size bucket = 0, bucket_count = (tl_size)1 << merge->bucket_bits;

	names[merge->name_count] = (struct tl_index_name){0, 0, (tl_u32)merge->entry_count};
	for (tl_size i = 0; i < merge->name_count; i++)
		while (bucket <= bucket_of(merge, names[i].hash))
			buckets[bucket++] = (tl_u32)i;
	while (bucket <= bucket_count)
		buckets[bucket++] = (tl_u32)merge->name_count;
	scopes[0].text = (tl_u32)merge->text_size - 1;
	memcpy(merge->block + ((const tl_u8 *)merge->index.scopes - merge->block), scopes,
	       merge->scopes.count * sizeof(*scopes));
	if (merge->range_count != 0)
		memcpy(merge->block + ((const tl_u8 *)merge->index.ranges - merge->block), merge->ranges,
		       merge->range_count * sizeof(*merge->ranges));
	merge->block[(const tl_u8 *)merge->index.text - merge->block + merge->text_size - 1] = 0;
}

/* Tables begin at multiples of eight; what is between them would be written to a file as well. */
static void zero_gaps(struct merge *merge)
{
	const void *tables[] = {merge->index.names, merge->index.entries, merge->index.scopes, merge->index.ranges,
				merge->index.text};

	for (tl_size i = 0; i < TL_COUNT(tables); i++)
		memset(merge->block + ((const tl_u8 *)tables[i] - merge->block) - 8, 0, 8);
}

static bool any_failed(const struct merge *merge)
{
	for (unsigned i = 0; i < merge->builder->worker_count; i++)
		if (merge->parts[i].failed)
			return true;
	return false;
}

static enum tl_status make_block(struct merge *merge, struct tl_error *error)
{
	struct tl_builder *builder = merge->builder;
	struct tl_index_header header;

	tl_builder_run(builder, merge_names, merge);
	add_up(merge);
	if (merge->text_size > TL_U32_MAX || merge->name_count >= TL_U32_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "names of more than 4 GiB cannot be indexed");
	while (merge->bucket_bits < 28 && (tl_u64)1 << merge->bucket_bits < merge->name_count)
		merge->bucket_bits++;
	if (!any_failed(merge))
		tl_builder_run(builder, place_names, merge);
	if (any_failed(merge) || !merge_scopes(merge))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the index");
	tl_builder_run(builder, count_entries, merge);
	add_up(merge);
	if (merge->entry_count >= TL_U32_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "more than 4 billion entries cannot be indexed");
	if (any_failed(merge) || !gather_ranges(merge))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the index");
	fill_header(merge, &header);
	merge->block = tl_storage()->resize(tl_storage()->context, NULL, 0, header.size);
	if (merge->block == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the index");
	memcpy(merge->block, &header, sizeof(header));
	merge->index.block = merge->block;
	merge->index.size = header.size;
	if (!tl_index_lay_out(&merge->index))
		return TL_FAIL(error, TL_ERROR_INTERNAL, "the index does not fit its own sizes");
	zero_gaps(merge);
	tl_builder_run(builder, write_part, merge);
	write_rest(merge);
	return TL_OK;
}

enum tl_status tl_builder_merge(struct tl_builder *builder, struct tl_index *index, struct tl_error *error)
{
	struct merge merge = {.builder = builder};
	tl_size size = builder->worker_count * sizeof(*merge.parts);
	enum tl_status status;

	merge.parts = tl_allocate(tl_storage(), size);
	if (merge.parts == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the index");
	status = make_block(&merge, error);
	for (unsigned i = 0; i < builder->worker_count; i++) {
		tl_list_free(&merge.parts[i].names, sizeof(struct merged_name));
		tl_release(tl_storage(), merge.parts[i].order, merge.parts[i].order_size * sizeof(tl_u32));
	}
	tl_release(tl_storage(), merge.parts, size);
	tl_list_free(&merge.scopes, sizeof(struct tl_index_scope));
	tl_release(tl_storage(), merge.ranges, merge.range_count * sizeof(*merge.ranges));
	if (status != TL_OK) {
		tl_release(tl_storage(), merge.block, merge.index.size);
		return status;
	}
	index->block = merge.block;
	index->size = merge.index.size;
	return TL_OK;
}
