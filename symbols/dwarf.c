/* Entries: where they are, what they have, where they lead. */
#include "symbols/dwarf_internal.h"

#include "base/storage.h"
#include "symbols/bytes.h"

/* Chains of DW_AT_abstract_origin and DW_AT_specification have two or three links. */
#define CHAIN_MAX 16

enum tl_status tl_dwarf_damaged(const struct tl_unit *unit, tl_u64 offset, const char *what, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged debug information at 0x%llx of %s, unit 0x%llx: %s",
		       (unsigned long long)offset, unit->section == TL_SECTION_TYPES ? ".debug_types" : ".debug_info",
		       (unsigned long long)unit->offset, what);
}

/* ============================================================ abbreviations ====================================== */

static enum tl_status fill_table(struct tl_dwarf *dwarf, const struct tl_unit *unit, struct tl_dwarf_table *table,
				 struct tl_error *error)
{
	struct tl_abbreviations *filled = tl_allocate(tl_storage(), sizeof(*filled));
	enum tl_status status;

	if (filled == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a table of abbreviations");
	status = tl_abbreviations_read(filled, &dwarf->abbreviations[unit->common], unit->abbreviations, 0, error);
	if (status == TL_OK && filled->specification_count > dwarf->specification_budget)
		status = tl_dwarf_damaged(unit, unit->offset, "its table of abbreviations overlaps others", error);
	if (status != TL_OK) {
		tl_abbreviations_free(filled);
		tl_release(tl_storage(), filled, sizeof(*filled));
		return status;
	}
	dwarf->specification_budget -= filled->specification_count;
	atomic_store_explicit(&table->filled, filled, memory_order_release);
	return TL_OK;
}

/* The table of a unit, filled if it was not. */
static enum tl_status get_table(const struct tl_unit *unit, const struct tl_abbreviations **table_ret,
				struct tl_error *error)
{
	struct tl_dwarf *dwarf = unit->dwarf;
	struct tl_dwarf_table *table = &dwarf->tables[dwarf->tables[unit - dwarf->units].owner];
	enum tl_status status = TL_OK;

	*table_ret = atomic_load_explicit(&table->filled, memory_order_acquire);
	if (*table_ret != NULL)
		return TL_OK;
	(void)pthread_mutex_lock(&dwarf->lock);
	if (atomic_load_explicit(&table->filled, memory_order_relaxed) == NULL)
		status = fill_table(dwarf, unit, table, error);
	*table_ret = atomic_load_explicit(&table->filled, memory_order_relaxed);
	(void)pthread_mutex_unlock(&dwarf->lock);
	return status;
}

/* ============================================================ entries ============================================ */

enum tl_status tl_entry_at(const struct tl_unit *unit, tl_u64 offset, struct tl_entry *entry_ret,
			   struct tl_error *error)
{
	struct tl_cursor cursor = tl_unit_cursor(unit, offset);
	struct tl_entry entry = {.unit = unit, .offset = offset};
	const struct tl_abbreviations *table;
	tl_u64 code;

	if (offset < unit->first_entry || offset >= unit->end)
		return tl_dwarf_damaged(unit, offset, "no entry can stand there", error);
	code = tl_take_unsigned(&cursor);
	if (cursor.failed)
		return tl_dwarf_damaged(unit, offset, "an entry goes beyond its unit", error);
	entry.attributes = tl_unit_cursor_offset(unit, &cursor);
	if (code != 0) {
		TL_TRY(get_table(unit, &table, error));
		entry.abbreviation = tl_abbreviations_find(table, code);
		if (entry.abbreviation == NULL)
			return tl_dwarf_damaged(unit, offset, "an entry with an unknown abbreviation", error);
		entry.tag = entry.abbreviation->tag;
		entry.has_children = entry.abbreviation->has_children;
	}
	*entry_ret = entry;
	return TL_OK;
}

enum tl_status tl_entry_top(const struct tl_unit *unit, struct tl_entry *entry_ret, struct tl_error *error)
{
	return tl_entry_at(unit, unit->first_entry, entry_ret, error);
}

/* Where the attributes of an entry end. */
static enum tl_status find_end(const struct tl_entry *entry, tl_u64 *end_ret, struct tl_error *error)
{
	const struct tl_abbreviation *abbreviation = entry->abbreviation;
	const struct tl_unit *unit = entry->unit;
	struct tl_cursor cursor = tl_unit_cursor(unit, entry->attributes);

	if (abbreviation == NULL) {
		*end_ret = entry->attributes;
		return TL_OK;
	}
	if (abbreviation->fixed)
		tl_take_skip(&cursor, abbreviation->fixed_bytes +
					      (tl_u64)abbreviation->fixed_addresses * unit->address_size +
					      (tl_u64)abbreviation->fixed_offsets * unit->offset_size);
	else
		for (tl_u32 i = 0; i < abbreviation->count; i++)
			tl_form_skip(unit, abbreviation->specifications[i].form, &cursor);
	if (cursor.failed)
		return tl_dwarf_damaged(unit, entry->offset, "an entry goes beyond its unit or has an unknown form",
					error);
	*end_ret = tl_unit_cursor_offset(unit, &cursor);
	return TL_OK;
}

/* What stands at an offset; at the end of the unit the end of a list, which producers need not write there. */
static enum tl_status entry_or_end(const struct tl_unit *unit, tl_u64 offset, struct tl_entry *entry_ret,
				   struct tl_error *error)
{
	if (offset == unit->end) {
		*entry_ret = (struct tl_entry){.unit = unit, .offset = offset, .attributes = offset};
		return TL_OK;
	}
	return tl_entry_at(unit, offset, entry_ret, error);
}

enum tl_status tl_entry_child(const struct tl_entry *entry, struct tl_entry *child_ret, struct tl_error *error)
{
	tl_u64 end = 0;

	TL_TRY(find_end(entry, &end, error));
	if (!entry->has_children) {
		*child_ret = (struct tl_entry){.unit = entry->unit, .offset = end, .attributes = end};
		return TL_OK;
	}
	return entry_or_end(entry->unit, end, child_ret, error);
}

enum tl_status tl_entry_next(const struct tl_entry *entry, struct tl_entry *next_ret, bool *done_ret,
			     struct tl_error *error)
{
	tl_u64 end = 0;

	TL_TRY(find_end(entry, &end, error));
	TL_TRY(entry_or_end(entry->unit, end, next_ret, error));
	*done_ret = end == entry->unit->end;
	return TL_OK;
}

/* The sibling of an entry that does not say where it is: behind all that lies below the entry. */
static enum tl_status walk_to_sibling(const struct tl_entry *entry, struct tl_entry *sibling_ret,
				      struct tl_error *error)
{
	struct tl_entry at = *entry;
	tl_u64 depth = 0;

	for (;;) {
		bool done = false;

		depth += at.has_children;
		TL_TRY(tl_entry_next(&at, &at, &done, error));
		if (done || depth == 0) {
			*sibling_ret = at;
			return TL_OK;
		}
		if (at.tag == 0 && --depth == 0) {
			TL_TRY(tl_entry_next(&at, sibling_ret, &done, error));
			return TL_OK;
		}
	}
}

enum tl_status tl_entry_sibling(const struct tl_entry *entry, struct tl_entry *sibling_ret, struct tl_error *error)
{
	const struct tl_unit *unit = entry->unit;
	struct tl_attribute attribute;

	/* The topmost entry has none, whatever lies behind it. */
	if (entry->tag == 0 || entry->offset == unit->first_entry) {
		*sibling_ret =
			(struct tl_entry){.unit = unit, .offset = entry->offset, .attributes = entry->attributes};
		return TL_OK;
	}
	if (!entry->has_children)
		return tl_entry_child(&(struct tl_entry){.unit = unit,
							 .offset = entry->offset,
							 .attributes = entry->attributes,
							 .has_children = true,
							 .abbreviation = entry->abbreviation},
				      sibling_ret, error);
	TL_TRY(tl_entry_attribute(entry, DW_AT_sibling, &attribute, error));
	if (attribute.kind != TL_CLASS_REFERENCE)
		return walk_to_sibling(entry, sibling_ret, error);
	/* Forward only: else a walk over siblings need not end. */
	if (attribute.number <= entry->offset || attribute.number > unit->end)
		return tl_dwarf_damaged(unit, entry->offset, "DW_AT_sibling does not lead forward in its unit", error);
	return entry_or_end(unit, attribute.number, sibling_ret, error);
}

enum tl_status tl_entry_attribute(const struct tl_entry *entry, tl_u16 name, struct tl_attribute *attribute_ret,
				  struct tl_error *error)
{
	const struct tl_abbreviation *abbreviation = entry->abbreviation;
	struct tl_cursor cursor;
	tl_u32 i = 0, count = abbreviation != NULL ? abbreviation->count : 0;

	while (i < count && abbreviation->specifications[i].name != name)
		i++;
	if (i == count) {
		*attribute_ret = (struct tl_attribute){.name = name, .unit = entry->unit};
		return TL_OK;
	}
	cursor = tl_unit_cursor(entry->unit, entry->attributes);
	for (tl_u32 before = 0; before < i; before++)
		tl_form_skip(entry->unit, abbreviation->specifications[before].form, &cursor);
	if (cursor.failed)
		return tl_dwarf_damaged(entry->unit, entry->offset,
					"an entry goes beyond its unit or has an unknown form", error);
	return tl_attribute_read(entry->unit, &abbreviation->specifications[i], &cursor, attribute_ret, error);
}

enum tl_status tl_entry_attributes(const struct tl_entry *entry,
				   bool (*call)(void *context, const struct tl_attribute *attribute), void *context,
				   struct tl_error *error)
{
	struct tl_cursor cursor = tl_unit_cursor(entry->unit, entry->attributes);

	for (tl_u32 i = 0; entry->abbreviation != NULL && i < entry->abbreviation->count; i++) {
		struct tl_attribute attribute;

		TL_TRY(tl_attribute_read(entry->unit, &entry->abbreviation->specifications[i], &cursor, &attribute,
					 error));
		if (!call(context, &attribute))
			break;
	}
	return TL_OK;
}

static enum tl_status inherit(const struct tl_entry *entry, tl_u16 name, unsigned depth,
			      struct tl_attribute *attribute_ret, struct tl_error *error)
{
	static const tl_u16 links[] = {DW_AT_abstract_origin, DW_AT_specification};

	TL_TRY(tl_entry_attribute(entry, name, attribute_ret, error));
	if (depth == CHAIN_MAX)
		return tl_dwarf_damaged(entry->unit, entry->offset, "a chain of origins without end", error);
	for (tl_size i = 0; i < TL_COUNT(links) && attribute_ret->kind == TL_CLASS_NONE; i++) {
		struct tl_attribute link;
		struct tl_entry origin;

		TL_TRY(tl_entry_attribute(entry, links[i], &link, error));
		if (link.kind == TL_CLASS_NONE)
			continue;
		TL_TRY(tl_entry_follow(&link, &origin, error));
		/* Nobody writes both; following one only keeps this a chain. */
		return inherit(&origin, name, depth + 1, attribute_ret, error);
	}
	return TL_OK;
}

enum tl_status tl_entry_inherited(const struct tl_entry *entry, tl_u16 name, struct tl_attribute *attribute_ret,
				  struct tl_error *error)
{
	struct tl_attribute attribute;

	TL_TRY(inherit(entry, name, 0, &attribute, error));
	*attribute_ret = attribute;
	return TL_OK;
}

static enum tl_status follow_signature(const struct tl_attribute *reference, struct tl_entry *entry_ret,
				       struct tl_error *error)
{
	const struct tl_unit *unit = tl_dwarf_type_unit(reference->unit->dwarf, reference->number);

	if (unit == NULL)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "there is no type unit with the signature 0x%llx",
			       (unsigned long long)reference->number);
	return tl_entry_at(unit, unit->type_entry, entry_ret, error);
}

enum tl_status tl_entry_follow(const struct tl_attribute *reference, struct tl_entry *entry_ret, struct tl_error *error)
{
	const struct tl_unit *unit = reference->unit;
	tl_u64 offset = reference->number;

	if (reference->kind == TL_CLASS_SIGNATURE)
		return follow_signature(reference, entry_ret, error);
	if (reference->kind != TL_CLASS_REFERENCE)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged debug information: DW_AT_%s is no reference",
			       tl_dwarf_attribute_name(reference->name));
	if (reference->common != unit->common || offset < unit->offset || offset >= unit->end ||
	    (reference->form == DW_FORM_ref_addr && unit->section == TL_SECTION_TYPES)) {
		unit = tl_dwarf_unit_at(unit->dwarf, offset, reference->common);
		if (unit == NULL)
			return TL_FAIL(error, TL_ERROR_MALFORMED,
				       "damaged debug information: DW_AT_%s of unit 0x%llx leads to 0x%llx, where no "
				       "unit is known",
				       tl_dwarf_attribute_name(reference->name),
				       (unsigned long long)reference->unit->offset, (unsigned long long)offset);
	}
	return tl_entry_at(unit, offset, entry_ret, error);
}
