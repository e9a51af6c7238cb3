#include "symbols/index_tables.h"

#include "base/storage.h"

#include <string.h>

void *tl_list_add(struct tl_list *list, tl_size size)
{
	void *item;

	if (!tl_grow(tl_storage(), &list->items, &list->capacity, list->count, size))
		return NULL;
	item = (char *)list->items + list->count++ * size;
	memset(item, 0, size);
	return item;
}

void tl_list_free(struct tl_list *list, tl_size size)
{
	tl_release(tl_storage(), list->items, list->capacity * size);
	*list = (struct tl_list){0};
}

static tl_u64 mix(tl_u64 value)
{
	value = (value ^ value >> 32) * 0x9e3779b97f4a7c15;
	return value ^ value >> 29;
}

/* Makes room for one more; `rehash` puts the slots of the old table into the new one. */
static bool make_room(struct tl_slots *table, tl_size slot,
		      void (*rehash)(struct tl_slots *to, const void *from, tl_size count))
{
	struct tl_slots grown = {.size = table->size != 0 ? table->size * 2 : 1024};

	if (table->size != 0 && table->used < table->size / 2)
		return true;
	grown.slots = tl_allocate(tl_storage(), grown.size * slot);
	if (grown.slots == NULL)
		return false;
	grown.used = table->used;
	if (table->size != 0)
		rehash(&grown, table->slots, table->size);
	tl_release(tl_storage(), table->slots, table->size * slot);
	*table = grown;
	return true;
}

/* ============================================================ names ============================================== */

struct name_slot {
	tl_u64 key;
	tl_u64 number; /* + 1 */
};

static void rehash_names(struct tl_slots *to, const void *from, tl_size count)
{
	const struct name_slot *old = from;
	struct name_slot *slots = to->slots;

	for (tl_size i = 0; i < count; i++) {
		tl_u64 at = mix(old[i].key);

		if (old[i].number == 0)
			continue;
		while (slots[at & (to->size - 1)].number != 0)
			at++;
		slots[at & (to->size - 1)] = old[i];
	}
}

tl_u32 tl_worker_name(struct tl_worker *worker, tl_u64 key, const char *text, tl_size length)
{
	struct tl_raw_name *names = worker->names.items, *name;
	struct name_slot *slot;

	if (!make_room(&worker->name_slots, sizeof(*slot), rehash_names) || length > TL_U32_MAX ||
	    worker->names.count >= TL_U32_MAX)
		return TL_U32_MAX;
	for (tl_u64 at = mix(key);; at++) {
		slot = (struct name_slot *)worker->name_slots.slots + (at & (worker->name_slots.size - 1));
		if (slot->number == 0)
			break;
		if (slot->key == key &&
		    (key < TL_KEY_LONG || (names[slot->number - 1].length == length &&
					   memcmp(names[slot->number - 1].text, text, length) == 0)))
			return (tl_u32)slot->number - 1;
	}
	name = tl_list_add(&worker->names, sizeof(*name));
	if (name == NULL)
		return TL_U32_MAX;
	name->key = key;
	name->text = text;
	name->length = (tl_u32)length;
	name->hash = tl_index_hash(text, length);
	slot->key = key;
	slot->number = worker->names.count;
	worker->name_slots.used++;
	return (tl_u32)slot->number - 1;
}

tl_u64 tl_name_key(const char *text, tl_size length)
{
	tl_u64 hash = 0;

	if (length <= 7)
		return TL_KEY_SHORT | tl_load_little(text, length);
	for (tl_size i = 0; i < length; i++)
		hash = (hash ^ (tl_u8)text[i]) * 0x100000001b3;
	return TL_KEY_LONG | mix(hash) >> 4;
}

/* ============================================================ what was seen ====================================== */

static tl_u64 seen_hash(const struct tl_identity *slot)
{
	return mix(slot->name + ((tl_u64)slot->line << 40) + ((tl_u64)slot->size << 20) +
		   ((tl_u64)slot->tag << 8) * 0x100000001b3 + (tl_u64)slot->scope * 0xff51afd7ed558ccd);
}

static void rehash_seen(struct tl_slots *to, const void *from, tl_size count)
{
	const struct tl_identity *old = from;
	struct tl_identity *slots = to->slots;

	for (tl_size i = 0; i < count; i++) {
		tl_u64 at = seen_hash(&old[i]);

		if (old[i].used == 0)
			continue;
		while (slots[at & (to->size - 1)].used != 0)
			at++;
		slots[at & (to->size - 1)] = old[i];
	}
}

bool tl_worker_seen(struct tl_worker *worker, const struct tl_identity *wanted)
{
	struct tl_identity *slot;

	if (!make_room(&worker->seen, sizeof(*slot), rehash_seen)) {
		worker->failed = true;
		return true;
	}
	for (tl_u64 at = seen_hash(wanted);; at++) {
		slot = (struct tl_identity *)worker->seen.slots + (at & (worker->seen.size - 1));
		if (slot->used == 0)
			break;
		if (slot->name == wanted->name && slot->line == wanted->line && slot->size == wanted->size &&
		    slot->scope == wanted->scope && slot->tag == wanted->tag)
			return true;
	}
	*slot = *wanted;
	slot->used = 1;
	worker->seen.used++;
	return false;
}

struct scope_slot {
	tl_u32 name, parent;
	tl_u64 number; /* 0 for an empty slot: scope 0 is not in the table */
};

static void rehash_scopes(struct tl_slots *to, const void *from, tl_size count)
{
	const struct scope_slot *old = from;
	struct scope_slot *slots = to->slots;

	for (tl_size i = 0; i < count; i++) {
		tl_u64 at = mix((tl_u64)old[i].parent << 32 | old[i].name);

		if (old[i].number == 0)
			continue;
		while (slots[at & (to->size - 1)].number != 0)
			at++;
		slots[at & (to->size - 1)] = old[i];
	}
}

tl_u32 tl_worker_scope(struct tl_worker *worker, tl_u32 name, tl_u32 parent, bool transparent)
{
	struct tl_raw_scope *scope;
	struct scope_slot *slot;

	if (name == TL_U32_MAX)
		return parent;
	if ((worker->scopes.count == 0 && tl_list_add(&worker->scopes, sizeof(*scope)) == NULL) ||
	    !make_room(&worker->scope_slots, sizeof(*slot), rehash_scopes)) {
		worker->failed = true;
		return parent;
	}
	for (tl_u64 at = mix((tl_u64)parent << 32 | name);; at++) {
		slot = (struct scope_slot *)worker->scope_slots.slots + (at & (worker->scope_slots.size - 1));
		if (slot->number == 0)
			break;
		if (slot->name == name && slot->parent == parent)
			return (tl_u32)slot->number;
	}
	scope = tl_list_add(&worker->scopes, sizeof(*scope));
	if (scope == NULL) {
		worker->failed = true;
		return parent;
	}
	*scope = (struct tl_raw_scope){.name = name, .parent = parent, .transparent = transparent};
	*slot = (struct scope_slot){name, parent, worker->scopes.count - 1};
	worker->scope_slots.used++;
	return (tl_u32)slot->number;
}

/* ============================================================ the end ============================================ */

void tl_worker_free_tables(struct tl_worker *worker)
{
	tl_list_free(&worker->names, sizeof(struct tl_raw_name));
	tl_list_free(&worker->scopes, sizeof(struct tl_raw_scope));
	tl_release(tl_storage(), worker->name_slots.slots, worker->name_slots.size * sizeof(struct name_slot));
	tl_release(tl_storage(), worker->seen.slots, worker->seen.size * sizeof(struct tl_identity));
	tl_release(tl_storage(), worker->scope_slots.slots, worker->scope_slots.size * sizeof(struct scope_slot));
}
