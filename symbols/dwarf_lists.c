/*
 * Lists of ranges and of locations (DWARF 5, sections 2.6.2, 2.17.3 and 7.7.3; DWARF 4, sections 2.6.2 and 2.17.3).
 */
#include "symbols/bytes.h"
#include "symbols/dwarf.h"

/* A list being read. One of `range` and `location` is to be called. */
struct list {
	const struct tl_unit *unit;
	struct tl_cursor cursor;
	tl_u64 base;
	tl_u64 code_start, code_end;
	bool (*range)(void *context, tl_u64 start, tl_u64 end);
	bool (*location)(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes, tl_size size);
	void *context;
};

/* One entry of a list. */
struct item {
	tl_u64 start, end;
	bool relative; /* to the base */
	bool has_range;
	bool ends; /* it is the end of the list */
};

static enum tl_status damaged(const struct tl_unit *unit, const char *what, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged debug information: unit 0x%llx: %s",
		       (unsigned long long)unit->offset, what);
}

static enum tl_status get_section(const struct tl_unit *unit, enum tl_section section, struct tl_cursor *cursor_ret,
				  struct tl_error *error)
{
	struct tl_image *image = tl_dwarf_image(unit->dwarf);
	struct tl_section_bytes bytes;

	if (unit->common)
		TL_TRY(tl_image_common_section(image, section, &bytes, error));
	else
		TL_TRY(tl_image_section(image, section, &bytes, error));
	*cursor_ret = tl_cursor_make(bytes.bytes, bytes.size);
	return TL_OK;
}

/* The highest address: it selects a base in older lists, and stands for what was thrown away in newer ones. */
static tl_u64 highest(const struct tl_unit *unit)
{
	return unit->address_size == 8 ? TL_U64_MAX : TL_U32_MAX;
}

/* The index-th address of .debug_addr. */
static enum tl_status indexed_address(struct list *list, tl_u64 index, tl_u64 *address_ret, struct tl_error *error)
{
	struct tl_cursor cursor;

	TL_TRY(get_section(list->unit, TL_SECTION_ADDR, &cursor, error));
	tl_take_skip(&cursor, list->unit->addr_base);
	tl_take_skip(&cursor, index < TL_U64_MAX / 8 ? index * list->unit->address_size : TL_U64_MAX);
	*address_ret = tl_take_word(&cursor, list->unit->address_size);
	return cursor.failed ? damaged(list->unit, "an index beyond .debug_addr", error) : TL_OK;
}

/* Calls back for one range, with `bytes` if it is that of a location. False ends the list. */
static bool emit(struct list *list, const struct item *item, struct tl_cursor bytes)
{
	tl_u64 start = item->start, end = item->end;

	if (item->relative) {
		start += list->base;
		end += list->base;
		if (list->base >= highest(list->unit) - 1)
			return true;
	}
	start &= highest(list->unit);
	end = end == TL_U64_MAX ? end : end & highest(list->unit);
	if (start >= end || start >= highest(list->unit) - 1)
		return true;
	if (list->location != NULL)
		return list->location(list->context, start, end, bytes.at, tl_cursor_left(&bytes));
	/* What the linker threw away was left at 0, at 1 or near that. */
	if (start < list->code_start || start >= list->code_end)
		return true;
	return list->range(list->context, start, end);
}

/* Lists before DWARF 5: pairs of addresses, relative to the base. */
static enum tl_status read_old_item(struct list *list, struct item *item, struct tl_error *error)
{
	tl_size size = list->unit->address_size;

	(void)error;
	item->start = tl_take_word(&list->cursor, size);
	item->end = tl_take_word(&list->cursor, size);
	if (item->start == highest(list->unit)) {
		list->base = item->end;
		return TL_OK;
	}
	item->ends = item->start == 0 && item->end == 0;
	item->relative = true;
	item->has_range = !item->ends;
	return TL_OK;
}

/* Entries of .debug_rnglists and .debug_loclists have the same kinds under the same numbers, with two more in the
 * latter. */
static enum tl_status read_new_item(struct list *list, struct item *item, struct tl_error *error)
{
	tl_size size = list->unit->address_size;
	tl_u8 kind = tl_take_u8(&list->cursor);

	if (list->location != NULL) {
		if (kind == DW_LLE_default_location) {
			item->end = TL_U64_MAX;
			item->has_range = true;
			return TL_OK;
		}
		if (kind == DW_LLE_GNU_view_pair) {
			(void)tl_take_unsigned(&list->cursor);
			(void)tl_take_unsigned(&list->cursor);
			return TL_OK;
		}
		/* From here on the numbers are one higher than those of ranges. */
		if (kind > DW_LLE_default_location)
			kind--;
	}
	switch (kind) {
	case DW_RLE_end_of_list:
		item->ends = true;
		return TL_OK;
	case DW_RLE_base_addressx:
		return indexed_address(list, tl_take_unsigned(&list->cursor), &list->base, error);
	case DW_RLE_base_address:
		list->base = tl_take_word(&list->cursor, size);
		return TL_OK;
	case DW_RLE_startx_endx:
		TL_TRY(indexed_address(list, tl_take_unsigned(&list->cursor), &item->start, error));
		TL_TRY(indexed_address(list, tl_take_unsigned(&list->cursor), &item->end, error));
		break;
	case DW_RLE_startx_length:
		TL_TRY(indexed_address(list, tl_take_unsigned(&list->cursor), &item->start, error));
		item->end = item->start + tl_take_unsigned(&list->cursor);
		break;
	case DW_RLE_offset_pair:
		item->start = tl_take_unsigned(&list->cursor);
		item->end = tl_take_unsigned(&list->cursor);
		item->relative = true;
		break;
	case DW_RLE_start_end:
		item->start = tl_take_word(&list->cursor, size);
		item->end = tl_take_word(&list->cursor, size);
		break;
	case DW_RLE_start_length:
		item->start = tl_take_word(&list->cursor, size);
		item->end = item->start + tl_take_unsigned(&list->cursor);
		break;
	default:
		return damaged(list->unit, "a list with an entry of an unknown kind", error);
	}
	item->has_range = true;
	return TL_OK;
}

/* Reads a list from where its cursor stands. Each entry takes up a byte at the least, so this ends. */
static enum tl_status read_list(struct list *list, struct tl_error *error)
{
	bool old = list->unit->version < 5;

	for (;;) {
		struct item item = {0};
		struct tl_cursor bytes = tl_cursor_make(NULL, 0);

		if (old)
			TL_TRY(read_old_item(list, &item, error));
		else
			TL_TRY(read_new_item(list, &item, error));
		if (item.has_range && list->location != NULL)
			bytes = tl_cursor_take(&list->cursor,
					       old ? tl_take_u16(&list->cursor) : tl_take_unsigned(&list->cursor));
		if (list->cursor.failed)
			return damaged(list->unit, "a list goes beyond its section", error);
		if (item.ends || (item.has_range && !emit(list, &item, bytes)))
			return TL_OK;
	}
}

/* Puts the cursor of a list where an attribute of class LIST or LIST_INDEX leads. */
static enum tl_status find_list(struct list *list, const struct tl_attribute *attribute, enum tl_section section,
				tl_u64 lists_base, struct tl_error *error)
{
	const struct tl_unit *unit = list->unit;
	tl_u64 offset = attribute->number;
	struct tl_cursor bytes;

	TL_TRY(get_section(unit, section, &bytes, error));
	list->cursor = bytes;
	if (attribute->kind == TL_CLASS_LIST_INDEX) {
		tl_take_skip(&bytes, lists_base);
		tl_take_skip(&bytes, offset < TL_U64_MAX / 8 ? offset * unit->offset_size : TL_U64_MAX);
		offset = lists_base + tl_take_word(&bytes, unit->offset_size);
	}
	tl_take_skip(&list->cursor, offset);
	if (bytes.failed || list->cursor.failed)
		return damaged(unit, "a list beyond its section", error);
	return TL_OK;
}

/* The range of an entry with DW_AT_low_pc, whose end is an address, or an offset from it. */
static enum tl_status simple_range(const struct tl_entry *entry, struct list *list, struct tl_error *error)
{
	struct tl_attribute low, high;
	struct item item = {0};

	TL_TRY(tl_entry_attribute(entry, DW_AT_low_pc, &low, error));
	TL_TRY(tl_entry_attribute(entry, DW_AT_high_pc, &high, error));
	if (low.kind != TL_CLASS_ADDRESS || high.kind == TL_CLASS_NONE)
		return TL_OK;
	item.start = low.number;
	item.end = high.kind == TL_CLASS_ADDRESS ? high.number : low.number + high.number;
	(void)emit(list, &item, tl_cursor_make(NULL, 0));
	return TL_OK;
}

enum tl_status tl_entry_ranges(const struct tl_entry *entry, bool (*call)(void *context, tl_u64 start, tl_u64 end),
			       void *context, struct tl_error *error)
{
	const struct tl_unit *unit = entry->unit;
	struct list list = {.unit = unit, .base = unit->low, .range = call, .context = context};
	struct tl_attribute ranges;

	tl_image_code_extent(tl_dwarf_image(unit->dwarf), &list.code_start, &list.code_end);
	TL_TRY(tl_entry_attribute(entry, DW_AT_ranges, &ranges, error));
	if (ranges.kind == TL_CLASS_NONE)
		return simple_range(entry, &list, error);
	if (ranges.kind != TL_CLASS_LIST && ranges.kind != TL_CLASS_LIST_INDEX)
		return damaged(unit, "DW_AT_ranges leads to no list", error);
	TL_TRY(find_list(&list, &ranges, unit->version < 5 ? TL_SECTION_RANGES : TL_SECTION_RNGLISTS,
			 unit->rnglists_base, error));
	return read_list(&list, error);
}

struct first {
	tl_u64 start;
	bool found;
};

static bool take_first(void *context, tl_u64 start, tl_u64 end)
{
	(void)end;
	*(struct first *)context = (struct first){start, true};
	return false;
}

bool tl_entry_start(const struct tl_entry *entry, tl_u64 *start_ret)
{
	struct first first = {.found = false};

	if (tl_entry_ranges(entry, take_first, &first, NULL) != TL_OK || !first.found)
		return false;
	*start_ret = first.start;
	return true;
}

enum tl_status tl_entry_locations(const struct tl_attribute *location,
				  bool (*call)(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes,
					       tl_size size),
				  void *context, struct tl_error *error)
{
	const struct tl_unit *unit = location->unit;
	struct list list = {.unit = unit, .base = unit->low, .location = call, .context = context};

	switch (location->kind) {
	case TL_CLASS_BLOCK:
	case TL_CLASS_EXPRESSION:
		(void)call(context, 0, TL_U64_MAX, location->bytes, location->size);
		return TL_OK;
	case TL_CLASS_LIST:
	case TL_CLASS_LIST_INDEX:
		TL_TRY(find_list(&list, location, unit->version < 5 ? TL_SECTION_LOC : TL_SECTION_LOCLISTS,
				 unit->loclists_base, error));
		return read_list(&list, error);
	case TL_CLASS_NONE:
		return TL_OK;
	case TL_CLASS_ADDRESS:
	case TL_CLASS_UNSIGNED:
	case TL_CLASS_SIGNED:
	case TL_CLASS_FLAG:
	case TL_CLASS_STRING:
	case TL_CLASS_REFERENCE:
	case TL_CLASS_SIGNATURE:
		break;
	}
	return damaged(unit, "a location that is none", error);
}
