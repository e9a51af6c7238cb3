#include "core/engine/undo.h"

/* The index of the first entry that ends above `address`. */
static tl_size first_from(const struct tl_undo *undo, tl_u64 address)
{
	tl_size low = 0, high = undo->count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;
		const struct tl_undo_entry *entry = &undo->entries[middle];

		if (entry->address + (entry->size - 1u) < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum tl_status write_all(struct tl_undo_memory memory, tl_u64 address, const tl_u8 *bytes, tl_size size)
{
	tl_size done = 0;

	TL_TRY(memory.target->ops->write_memory(memory.target, memory.process, address, bytes, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status read_all(struct tl_undo_memory memory, tl_u64 address, tl_u8 *bytes, tl_size size)
{
	tl_size done = 0;

	TL_TRY(memory.target->ops->read_memory(memory.target, memory.process, address, bytes, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

/* Whether another attempt may go better: what is not mapped or gone stays so. */
static bool may_pass(enum tl_status status)
{
	return status != TL_OK && status != TL_ERROR_MEMORY && status != TL_ERROR_GONE;
}

void tl_undo_free(struct tl_undo *undo, const struct tl_allocator *allocator)
{
	tl_release(allocator, undo->entries, undo->capacity * sizeof(*undo->entries));
	*undo = (struct tl_undo){0};
}

enum tl_status tl_undo_duplicate(struct tl_undo *to, const struct tl_undo *from, const struct tl_allocator *allocator)
{
	if (from->count == 0)
		return TL_OK;
	to->entries = tl_allocate(allocator, from->count * sizeof(*to->entries));
	if (to->entries == NULL)
		return TL_ERROR_NO_MEMORY;
	to->count = to->capacity = from->count;
	tl_copy(to->entries, from->entries, from->count * sizeof(*to->entries));
	return TL_OK;
}

struct tl_undo_entry *tl_undo_find(struct tl_undo *undo, tl_u64 address)
{
	tl_size at = first_from(undo, address);

	return at < undo->count && undo->entries[at].address == address ? &undo->entries[at] : NULL;
}

enum tl_status tl_undo_plant(struct tl_undo *undo, const struct tl_allocator *allocator, struct tl_undo_memory memory,
			     tl_u64 address, const tl_u8 *trap, tl_u8 size)
{
	tl_size at = first_from(undo, address);
	struct tl_undo_entry *entry = at < undo->count ? &undo->entries[at] : NULL;
	struct tl_undo_entry fresh = {.address = address, .users = 1, .size = size};
	void *entries = undo->entries;

	if (entry != NULL && entry->address == address) {
		entry->users++;
		return TL_OK;
	}
	if (entry != NULL && tl_overlap(entry->address, entry->size, address, size))
		return TL_ERROR_ARGUMENT;
	if (!tl_grow(allocator, &entries, &undo->capacity, undo->count, sizeof(*undo->entries)))
		return TL_ERROR_NO_MEMORY;
	undo->entries = entries;
	TL_TRY(read_all(memory, address, fresh.saved, size));
	tl_copy(fresh.planted, trap, size);
	TL_TRY(write_all(memory, address, trap, size));
	tl_move(&undo->entries[at + 1], &undo->entries[at], (undo->count - at) * sizeof(*undo->entries));
	undo->entries[at] = fresh;
	undo->count++;
	return TL_OK;
}

/* Puts the saved bytes back, unless the program has overwritten the trap meanwhile: what it wrote is then what counts.
 */
static enum tl_status restore_once(struct tl_undo_entry *entry, struct tl_undo_memory memory)
{
	tl_u8 present[sizeof(entry->saved)];

	if (entry->lifted)
		return TL_OK;
	TL_TRY(read_all(memory, entry->address, present, entry->size));
	if (!tl_same(present, entry->planted, entry->size)) {
		tl_copy(entry->saved, present, entry->size);
		entry->lifted = true;
		return TL_OK;
	}
	TL_TRY(write_all(memory, entry->address, entry->saved, entry->size));
	entry->lifted = true;
	return TL_OK;
}

/* A trap left behind kills the program one day: a passing failure gets another chance. */
static enum tl_status restore(struct tl_undo_entry *entry, struct tl_undo_memory memory)
{
	enum tl_status status = restore_once(entry, memory);

	for (int attempt = 1; attempt < 3 && may_pass(status); attempt++)
		status = restore_once(entry, memory);
	return status;
}

enum tl_status tl_undo_unplant(struct tl_undo *undo, struct tl_undo_memory memory, tl_u64 address)
{
	struct tl_undo_entry *entry = tl_undo_find(undo, address);
	enum tl_status status;
	tl_size at;

	if (entry == NULL)
		return TL_ERROR_NO_POINT;
	if (--entry->users > 0)
		return TL_OK;
	status = restore(entry, memory);
	if (may_pass(status)) { /* it stays on the list, for whoever tries next */
		entry->users++;
		return status;
	}
	at = (tl_size)(entry - undo->entries);
	undo->count--;
	tl_move(entry, entry + 1, (undo->count - at) * sizeof(*entry));
	return status;
}

enum tl_status tl_undo_lift(struct tl_undo *undo, struct tl_undo_memory memory, tl_u64 address)
{
	struct tl_undo_entry *entry = tl_undo_find(undo, address);

	return entry != NULL ? restore(entry, memory) : TL_OK;
}

static enum tl_status lower(struct tl_undo_entry *entry, struct tl_undo_memory memory)
{
	if (!entry->lifted)
		return TL_OK;
	/* The program may have written here while the trap was away. */
	TL_TRY(read_all(memory, entry->address, entry->saved, entry->size));
	TL_TRY(write_all(memory, entry->address, entry->planted, entry->size));
	entry->lifted = false;
	return TL_OK;
}

enum tl_status tl_undo_lower(struct tl_undo *undo, struct tl_undo_memory memory, tl_u64 address)
{
	struct tl_undo_entry *entry = tl_undo_find(undo, address);

	return entry != NULL ? lower(entry, memory) : TL_OK;
}

enum tl_status tl_undo_lift_all(struct tl_undo *undo, struct tl_undo_memory memory)
{
	enum tl_status first = TL_OK;

	for (tl_size i = 0; i < undo->count; i++) {
		enum tl_status status = restore(&undo->entries[i], memory);

		if (first == TL_OK)
			first = status;
	}
	return first;
}

enum tl_status tl_undo_lower_all(struct tl_undo *undo, struct tl_undo_memory memory)
{
	enum tl_status first = TL_OK;

	for (tl_size i = 0; i < undo->count; i++) {
		enum tl_status status = lower(&undo->entries[i], memory);

		if (first == TL_OK)
			first = status;
	}
	return first;
}

void tl_undo_cleanse(const struct tl_undo *undo, struct tl_undo_memory memory)
{
	for (tl_size i = 0; i < undo->count; i++) {
		struct tl_undo_entry entry = undo->entries[i];

		(void)restore(&entry, memory);
	}
}

static enum tl_status refresh(struct tl_undo_entry *entry, struct tl_undo_memory memory)
{
	tl_u8 present[sizeof(entry->saved)];

	if (entry->lifted)
		return TL_OK;
	TL_TRY(read_all(memory, entry->address, present, entry->size));
	if (tl_same(present, entry->planted, entry->size))
		return TL_OK;
	entry->lifted = true;
	return lower(entry, memory);
}

enum tl_status tl_undo_refresh(struct tl_undo *undo, struct tl_undo_memory memory)
{
	for (tl_size i = 0; i < undo->count; i++)
		TL_TRY(refresh(&undo->entries[i], memory));
	return TL_OK;
}

enum tl_status tl_undo_refresh_at(struct tl_undo *undo, struct tl_undo_memory memory, tl_u64 address)
{
	struct tl_undo_entry *entry = tl_undo_find(undo, address);

	return entry != NULL ? refresh(entry, memory) : TL_OK;
}

void tl_undo_hide(const struct tl_undo *undo, tl_u64 address, tl_u8 *buffer, tl_size size)
{
	for (tl_size i = first_from(undo, address); i < undo->count; i++) {
		const struct tl_undo_entry *entry = &undo->entries[i];

		if (!tl_overlap(entry->address, entry->size, address, size))
			break;
		for (tl_size byte = 0; byte < entry->size && !entry->lifted; byte++) {
			tl_u64 offset = entry->address + byte - address;

			/* What the program wrote over the trap shows as it is. */
			if (offset < size && buffer[offset] == entry->planted[byte])
				buffer[offset] = entry->saved[byte];
		}
	}
}

bool tl_undo_touches(const struct tl_undo *undo, tl_u64 address, tl_size size)
{
	tl_size at = first_from(undo, address);

	return at < undo->count && tl_overlap(undo->entries[at].address, undo->entries[at].size, address, size);
}

enum tl_status tl_undo_write(struct tl_undo *undo, struct tl_undo_memory memory, tl_u64 address, const tl_u8 *buffer,
			     tl_size size, tl_size *done_ret)
{
	tl_size at = 0;

	*done_ret = 0;
	for (tl_size i = first_from(undo, address); at < size; i++) {
		struct tl_undo_entry *entry = i < undo->count ? &undo->entries[i] : NULL;
		tl_u64 gap_end = entry != NULL && tl_overlap(entry->address, entry->size, address, size)
					 ? entry->address - address
					 : size;

		if (entry != NULL && entry->address < address && gap_end != size)
			gap_end = 0;
		if (entry != NULL && entry->lifted && gap_end != size)
			continue;
		if (gap_end > at) {
			tl_size done = 0;
			enum tl_status status =
				memory.target->ops->write_memory(memory.target, memory.process, address + at,
								 buffer + at, (tl_size)(gap_end - at), &done);

			*done_ret += status == TL_OK ? done : 0;
			if (status != TL_OK || done < gap_end - at)
				return *done_ret != 0 ? TL_OK : TL_ERROR_MEMORY;
			at = (tl_size)gap_end;
		}
		while (at < size && entry != NULL && address + at - entry->address < entry->size) {
			entry->saved[address + at - entry->address] = buffer[at];
			at++;
			*done_ret += 1;
		}
	}
	return TL_OK;
}
