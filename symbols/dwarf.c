#include "symbols/dwarf.h"

#include "base/storage.h"
#include "symbols/abbreviation.h"
#include "symbols/bytes.h"

#include <elf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chains of DW_AT_abstract_origin and DW_AT_specification have two or three links. */
#define CHAIN_MAX 16
#define FORGET_EACH ((tl_u64)16 << 20)

/* Where units stand. */
enum { PART_INFO, PART_TYPES, PART_COMMON, PART_MAX };

/* The table of one offset in .debug_abbrev, which units may share; filled at first use. */
struct table {
	_Atomic(struct tl_abbreviations *) filled;
	tl_size owner; /* index of the first unit with this offset, in whose struct the table is kept */
};

struct signature {
	tl_u64 signature;
	tl_size unit;
};

struct tl_dwarf {
	struct tl_image *image;
	struct tl_section_bytes parts[PART_MAX], abbreviations[2]; /* own, common */
	struct tl_unit *units;
	tl_size count, capacity;
	tl_size part_start[PART_MAX + 1]; /* index of the first unit of each part */
	struct table *tables;             /* one a unit */
	tl_size table_count;
	struct signature *signatures;
	tl_size signature_count, signature_capacity;
	pthread_mutex_t lock;        /* held while a table is filled */
	tl_u64 specification_budget; /* under `lock`: what may still be kept; tables that overlap could take up any room
				      */
	char remark[256];
};

static enum tl_status damaged(const struct tl_unit *unit, tl_u64 offset, const char *what, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged debug information at 0x%llx of %s, unit 0x%llx: %s",
		       (unsigned long long)offset, unit->section == TL_SECTION_TYPES ? ".debug_types" : ".debug_info",
		       (unsigned long long)unit->offset, what);
}

static enum tl_status get_section(const struct tl_unit *unit, enum tl_section section,
				  struct tl_section_bytes *bytes_ret, struct tl_error *error)
{
	struct tl_image *image = unit->dwarf->image;

	return unit->common ? tl_image_common_section(image, section, bytes_ret, error)
			    : tl_image_section(image, section, bytes_ret, error);
}

/* A cursor from an offset of a unit to its end. */
static struct tl_cursor unit_cursor(const struct tl_unit *unit, tl_u64 offset)
{
	unsigned part = unit->common ? PART_COMMON : unit->section == TL_SECTION_TYPES ? PART_TYPES : PART_INFO;
	const tl_u8 *bytes = unit->dwarf->parts[part].bytes;

	if (offset < unit->offset || offset > unit->end)
		offset = unit->end;
	return (struct tl_cursor){bytes + offset, bytes + unit->end, false};
}

/* The offset in its section at which a cursor of unit_cursor stands. */
static tl_u64 cursor_offset(const struct tl_unit *unit, const struct tl_cursor *cursor)
{
	return unit->end - tl_cursor_left(cursor);
}

/* ============================================================ abbreviations ====================================== */

static enum tl_status fill_table(struct tl_dwarf *dwarf, const struct tl_unit *unit, struct table *table,
				 struct tl_error *error)
{
	struct tl_abbreviations *filled = tl_allocate(tl_storage(), sizeof(*filled));
	enum tl_status status;

	if (filled == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a table of abbreviations");
	status = tl_abbreviations_read(filled, &dwarf->abbreviations[unit->common], unit->abbreviations, 0, error);
	if (status == TL_OK && filled->specification_count > dwarf->specification_budget)
		status = damaged(unit, unit->offset, "its table of abbreviations overlaps others", error);
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
	struct table *table = &dwarf->tables[dwarf->tables[unit - dwarf->units].owner];
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

/* ============================================================ attributes ========================================= */

/* Where the text stands that a string's number leads to. */
static enum tl_status find_text(const struct tl_unit *unit, enum tl_section section, bool common, tl_u64 offset,
				struct tl_attribute *attribute, struct tl_error *error)
{
	struct tl_section_bytes bytes;
	struct tl_cursor cursor;

	if (common)
		TL_TRY(tl_image_common_section(unit->dwarf->image, section, &bytes, error));
	else
		TL_TRY(tl_image_section(unit->dwarf->image, section, &bytes, error));
	cursor = tl_cursor_make(bytes.bytes, bytes.size);
	tl_take_skip(&cursor, offset);
	attribute->number = offset;
	attribute->text = tl_take_text(&cursor);
	if (attribute->text == NULL)
		return damaged(unit, unit->offset, "a string beyond its section", error);
	return TL_OK;
}

/* The index-th word of a section's array that begins at `base`. */
static enum tl_status read_word(const struct tl_unit *unit, enum tl_section section, tl_u64 base, tl_u64 index,
				tl_size size, tl_u64 *word_ret, struct tl_error *error)
{
	struct tl_section_bytes bytes;
	struct tl_cursor cursor;

	TL_TRY(get_section(unit, section, &bytes, error));
	cursor = tl_cursor_make(bytes.bytes, bytes.size);
	tl_take_skip(&cursor, base);
	tl_take_skip(&cursor, index < TL_U64_MAX / 8 ? index * size : TL_U64_MAX);
	*word_ret = tl_take_word(&cursor, size);
	if (cursor.failed)
		return damaged(unit, unit->offset, "an index beyond its section", error);
	return TL_OK;
}

static enum tl_status read_indexed_text(const struct tl_unit *unit, tl_u64 index, struct tl_attribute *attribute,
					struct tl_error *error)
{
	tl_u64 offset = 0;

	TL_TRY(read_word(unit, TL_SECTION_STR_OFFSETS, unit->str_offsets_base, index, unit->offset_size, &offset,
			 error));
	return find_text(unit, TL_SECTION_STR, unit->common, offset, attribute, error);
}

/* In DWARF 2 and 3 offsets into other sections had the forms of constants. */
static bool leads_to_list(tl_u16 name)
{
	switch (name) {
	case DW_AT_location:
	case DW_AT_stmt_list:
	case DW_AT_string_length:
	case DW_AT_return_addr:
	case DW_AT_frame_base:
	case DW_AT_macro_info:
	case DW_AT_static_link:
	case DW_AT_use_location:
	case DW_AT_vtable_elem_location:
	case DW_AT_ranges:
		return true;
	default:
		return false;
	}
}

static void set_number(struct tl_attribute *attribute, enum tl_attribute_class kind, tl_u64 number)
{
	attribute->kind = kind;
	attribute->number = number;
}

static void set_bytes(struct tl_attribute *attribute, enum tl_attribute_class kind, struct tl_cursor bytes)
{
	attribute->kind = kind;
	attribute->bytes = bytes.at;
	attribute->size = tl_cursor_left(&bytes);
}

/* Forms of constants, flags and blocks; false for another one. */
static bool read_plain(struct tl_cursor *cursor, tl_i64 constant, struct tl_attribute *attribute)
{
	switch (attribute->form) {
	case DW_FORM_data1:
		set_number(attribute, TL_CLASS_UNSIGNED, tl_take_u8(cursor));
		return true;
	case DW_FORM_data2:
		set_number(attribute, TL_CLASS_UNSIGNED, tl_take_u16(cursor));
		return true;
	case DW_FORM_data4:
		set_number(attribute, TL_CLASS_UNSIGNED, tl_take_u32(cursor));
		return true;
	case DW_FORM_data8:
		set_number(attribute, TL_CLASS_UNSIGNED, tl_take_u64(cursor));
		return true;
	case DW_FORM_udata:
		set_number(attribute, TL_CLASS_UNSIGNED, tl_take_unsigned(cursor));
		return true;
	case DW_FORM_sdata:
		set_number(attribute, TL_CLASS_SIGNED, (tl_u64)tl_take_signed(cursor));
		return true;
	case DW_FORM_implicit_const:
		set_number(attribute, TL_CLASS_SIGNED, (tl_u64)constant);
		return true;
	case DW_FORM_flag:
		set_number(attribute, TL_CLASS_FLAG, tl_take_u8(cursor) != 0);
		return true;
	case DW_FORM_flag_present:
		set_number(attribute, TL_CLASS_FLAG, 1);
		return true;
	case DW_FORM_data16:
		set_bytes(attribute, TL_CLASS_BLOCK, tl_cursor_take(cursor, 16));
		return true;
	case DW_FORM_block1:
		set_bytes(attribute, TL_CLASS_BLOCK, tl_cursor_take(cursor, tl_take_u8(cursor)));
		return true;
	case DW_FORM_block2:
		set_bytes(attribute, TL_CLASS_BLOCK, tl_cursor_take(cursor, tl_take_u16(cursor)));
		return true;
	case DW_FORM_block4:
		set_bytes(attribute, TL_CLASS_BLOCK, tl_cursor_take(cursor, tl_take_u32(cursor)));
		return true;
	case DW_FORM_block:
		set_bytes(attribute, TL_CLASS_BLOCK, tl_cursor_take(cursor, tl_take_unsigned(cursor)));
		return true;
	case DW_FORM_exprloc:
		set_bytes(attribute, TL_CLASS_EXPRESSION, tl_cursor_take(cursor, tl_take_unsigned(cursor)));
		return true;
	default:
		return false;
	}
}

/* Forms of references and of offsets into lists; false for another one. */
static bool read_reference(const struct tl_unit *unit, struct tl_cursor *cursor, struct tl_attribute *attribute)
{
	attribute->common = unit->common;
	switch (attribute->form) {
	case DW_FORM_ref1:
		set_number(attribute, TL_CLASS_REFERENCE, unit->offset + tl_take_u8(cursor));
		return true;
	case DW_FORM_ref2:
		set_number(attribute, TL_CLASS_REFERENCE, unit->offset + tl_take_u16(cursor));
		return true;
	case DW_FORM_ref4:
		set_number(attribute, TL_CLASS_REFERENCE, unit->offset + tl_take_u32(cursor));
		return true;
	case DW_FORM_ref8:
		set_number(attribute, TL_CLASS_REFERENCE, unit->offset + tl_take_u64(cursor));
		return true;
	case DW_FORM_ref_udata:
		set_number(attribute, TL_CLASS_REFERENCE, unit->offset + tl_take_unsigned(cursor));
		return true;
	case DW_FORM_ref_addr:
		set_number(attribute, TL_CLASS_REFERENCE,
			   tl_take_word(cursor, (tl_size)tl_form_size(unit, DW_FORM_ref_addr)));
		return true;
	case DW_FORM_ref_sup4:
	case DW_FORM_ref_sup8:
	case DW_FORM_GNU_ref_alt:
		set_number(attribute, TL_CLASS_REFERENCE,
			   tl_take_word(cursor, (tl_size)tl_form_size(unit, attribute->form)));
		attribute->common = true;
		return true;
	case DW_FORM_ref_sig8:
		set_number(attribute, TL_CLASS_SIGNATURE, tl_take_u64(cursor));
		return true;
	case DW_FORM_sec_offset:
		set_number(attribute, TL_CLASS_LIST, tl_take_word(cursor, unit->offset_size));
		return true;
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
		set_number(attribute, TL_CLASS_LIST_INDEX, tl_take_unsigned(cursor));
		return true;
	default:
		return false;
	}
}

/* Forms of strings; `known` says whether it was one. */
static enum tl_status read_text(const struct tl_unit *unit, struct tl_cursor *cursor, struct tl_attribute *attribute,
				bool *known, struct tl_error *error)
{
	*known = true;
	attribute->kind = TL_CLASS_STRING;
	switch (attribute->form) {
	case DW_FORM_string:
		attribute->number = cursor_offset(unit, cursor);
		attribute->text = tl_take_text(cursor);
		return TL_OK;
	case DW_FORM_strp:
		return find_text(unit, TL_SECTION_STR, unit->common, tl_take_word(cursor, unit->offset_size), attribute,
				 error);
	case DW_FORM_line_strp:
		return find_text(unit, TL_SECTION_LINE_STR, unit->common, tl_take_word(cursor, unit->offset_size),
				 attribute, error);
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
		return find_text(unit, TL_SECTION_STR, true, tl_take_word(cursor, unit->offset_size), attribute, error);
	case DW_FORM_strx:
	case DW_FORM_GNU_str_index:
		return read_indexed_text(unit, tl_take_unsigned(cursor), attribute, error);
	case DW_FORM_strx1:
	case DW_FORM_strx2:
	case DW_FORM_strx3:
	case DW_FORM_strx4:
		return read_indexed_text(unit, tl_cursor_little(cursor, (tl_size)tl_form_size(unit, attribute->form)),
					 attribute, error);
	default:
		*known = false;
		return TL_OK;
	}
}

/* Forms of addresses. */
static enum tl_status read_address(const struct tl_unit *unit, struct tl_cursor *cursor, struct tl_attribute *attribute,
				   bool *known, struct tl_error *error)
{
	tl_u64 index;

	*known = true;
	attribute->kind = TL_CLASS_ADDRESS;
	switch (attribute->form) {
	case DW_FORM_addr:
		attribute->number = tl_take_word(cursor, unit->address_size);
		return TL_OK;
	case DW_FORM_addrx:
	case DW_FORM_GNU_addr_index:
		index = tl_take_unsigned(cursor);
		break;
	case DW_FORM_addrx1:
	case DW_FORM_addrx2:
	case DW_FORM_addrx3:
	case DW_FORM_addrx4:
		index = tl_cursor_little(cursor, (tl_size)tl_form_size(unit, attribute->form));
		break;
	default:
		*known = false;
		return TL_OK;
	}
	return read_word(unit, TL_SECTION_ADDR, unit->addr_base, index, unit->address_size, &attribute->number, error);
}

enum tl_status tl_attribute_read(const struct tl_unit *unit, const struct tl_specification *specification,
				 struct tl_cursor *cursor, struct tl_attribute *attribute_ret, struct tl_error *error)
{
	struct tl_attribute attribute = {.name = specification->name, .form = specification->form, .unit = unit};
	tl_u64 offset = cursor_offset(unit, cursor);
	bool known = true;

	if (attribute.form == DW_FORM_indirect) {
		tl_u64 form = tl_take_unsigned(cursor);

		if (form > 0xffff || form == DW_FORM_indirect || form == DW_FORM_implicit_const)
			return damaged(unit, offset, "an indirect form", error);
		attribute.form = (tl_u16)form;
	}
	if (!read_plain(cursor, specification->constant, &attribute) && !read_reference(unit, cursor, &attribute)) {
		TL_TRY(read_text(unit, cursor, &attribute, &known, error));
		if (!known)
			TL_TRY(read_address(unit, cursor, &attribute, &known, error));
	}
	if (!known)
		return damaged(unit, offset, "an unknown form", error);
	if (cursor->failed)
		return damaged(unit, offset, "an attribute goes beyond its unit", error);
	if (unit->version < 4 && (attribute.form == DW_FORM_data4 || attribute.form == DW_FORM_data8) &&
	    leads_to_list(attribute.name))
		attribute.kind = TL_CLASS_LIST;
	*attribute_ret = attribute;
	return TL_OK;
}

/* ============================================================ entries ============================================ */

enum tl_status tl_entry_at(const struct tl_unit *unit, tl_u64 offset, struct tl_entry *entry_ret,
			   struct tl_error *error)
{
	struct tl_cursor cursor = unit_cursor(unit, offset);
	struct tl_entry entry = {.unit = unit, .offset = offset};
	const struct tl_abbreviations *table;
	tl_u64 code;

	if (offset < unit->first_entry || offset >= unit->end)
		return damaged(unit, offset, "no entry can stand there", error);
	code = tl_take_unsigned(&cursor);
	if (cursor.failed)
		return damaged(unit, offset, "an entry goes beyond its unit", error);
	entry.attributes = cursor_offset(unit, &cursor);
	if (code != 0) {
		TL_TRY(get_table(unit, &table, error));
		entry.abbreviation = tl_abbreviations_find(table, code);
		if (entry.abbreviation == NULL)
			return damaged(unit, offset, "an entry with an unknown abbreviation", error);
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
	struct tl_cursor cursor = unit_cursor(unit, entry->attributes);

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
		return damaged(unit, entry->offset, "an entry goes beyond its unit or has an unknown form", error);
	*end_ret = cursor_offset(unit, &cursor);
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
		return damaged(unit, entry->offset, "DW_AT_sibling does not lead forward in its unit", error);
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
	cursor = unit_cursor(entry->unit, entry->attributes);
	for (tl_u32 before = 0; before < i; before++)
		tl_form_skip(entry->unit, abbreviation->specifications[before].form, &cursor);
	if (cursor.failed)
		return damaged(entry->unit, entry->offset, "an entry goes beyond its unit or has an unknown form",
			       error);
	return tl_attribute_read(entry->unit, &abbreviation->specifications[i], &cursor, attribute_ret, error);
}

enum tl_status tl_entry_attributes(const struct tl_entry *entry,
				   bool (*call)(void *context, const struct tl_attribute *attribute), void *context,
				   struct tl_error *error)
{
	struct tl_cursor cursor = unit_cursor(entry->unit, entry->attributes);

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
		return damaged(entry->unit, entry->offset, "a chain of origins without end", error);
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

static int compare_signatures(const void *a, const void *b)
{
	const struct signature *x = a, *y = b;

	return x->signature < y->signature ? -1 : x->signature > y->signature;
}

static enum tl_status follow_signature(const struct tl_attribute *reference, struct tl_entry *entry_ret,
				       struct tl_error *error)
{
	const struct tl_dwarf *dwarf = reference->unit->dwarf;
	struct signature wanted = {reference->number, 0}, *found = NULL;
	const struct tl_unit *unit;

	if (dwarf->signature_count != 0)
		found = bsearch(&wanted, dwarf->signatures, dwarf->signature_count, sizeof(wanted), compare_signatures);
	if (found == NULL)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "there is no type unit with the signature 0x%llx",
			       (unsigned long long)reference->number);
	unit = &dwarf->units[found->unit];
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

/* ============================================================ units ============================================== */

static void remark(struct tl_dwarf *dwarf, const char *text, tl_u64 offset)
{
	if (dwarf->remark[0] == 0)
		(void)snprintf(dwarf->remark, sizeof(dwarf->remark), "%s: %s (unit 0x%llx)",
			       tl_image_debug_path(dwarf->image) != NULL ? tl_image_debug_path(dwarf->image)
									 : tl_image_path(dwarf->image),
			       text, (unsigned long long)offset);
}

/* What stands in a topmost entry and says how the others are to be read. */
static void take_base(struct tl_unit *unit, const struct tl_attribute *attribute)
{
	switch (attribute->name) {
	case DW_AT_str_offsets_base:
		unit->str_offsets_base = attribute->number;
		break;
	case DW_AT_addr_base:
		unit->addr_base = attribute->number;
		break;
	case DW_AT_rnglists_base:
		unit->rnglists_base = attribute->number;
		break;
	case DW_AT_loclists_base:
		unit->loclists_base = attribute->number;
		break;
	default:
		break;
	}
}

static void take_top(struct tl_unit *unit, const struct tl_attribute *attribute)
{
	switch (attribute->name) {
	case DW_AT_name:
		unit->name = attribute->text;
		break;
	case DW_AT_comp_dir:
		unit->directory = attribute->text;
		break;
	case DW_AT_producer:
		unit->producer = attribute->text;
		break;
	case DW_AT_language:
		unit->language = (tl_u16)attribute->number;
		break;
	case DW_AT_low_pc:
		unit->low = attribute->number;
		break;
	case DW_AT_stmt_list:
		unit->has_lines = true;
		unit->lines = attribute->number;
		break;
	default:
		break;
	}
}

static bool is_base(tl_u16 name)
{
	return name == DW_AT_str_offsets_base || name == DW_AT_addr_base || name == DW_AT_rnglists_base ||
	       name == DW_AT_loclists_base;
}

static bool is_wanted(tl_u16 name)
{
	return name == DW_AT_name || name == DW_AT_comp_dir || name == DW_AT_producer || name == DW_AT_language ||
	       name == DW_AT_low_pc || name == DW_AT_stmt_list;
}

static bool is_split(const struct tl_abbreviation *abbreviation)
{
	for (tl_u32 i = 0; i < abbreviation->count; i++)
		if (abbreviation->specifications[i].name == DW_AT_GNU_dwo_name ||
		    abbreviation->specifications[i].name == DW_AT_dwo_name)
			return true;
	return false;
}

/* Reads those attributes of the topmost entry that `wanted` names; strings need the bases, which may stand behind them.
 */
static enum tl_status read_top(struct tl_unit *unit, const struct tl_abbreviation *abbreviation,
			       struct tl_cursor cursor, bool (*wanted)(tl_u16 name),
			       void (*take)(struct tl_unit *unit, const struct tl_attribute *attribute),
			       struct tl_error *error)
{
	for (tl_u32 i = 0; i < abbreviation->count; i++) {
		const struct tl_specification *specification = &abbreviation->specifications[i];
		struct tl_attribute attribute;

		if (!wanted(specification->name)) {
			tl_form_skip(unit, specification->form, &cursor);
			continue;
		}
		TL_TRY(tl_attribute_read(unit, specification, &cursor, &attribute, error));
		take(unit, &attribute);
	}
	return cursor.failed ? damaged(unit, unit->first_entry, "its topmost entry goes beyond it", error) : TL_OK;
}

/* State of the walk over the headers. */
struct opening {
	struct tl_dwarf *dwarf;
	struct tl_abbreviations scratch;
	tl_u64 scratch_offset; /* whose table is in `scratch`, as a whole if scratch_whole */
	bool scratch_valid, scratch_whole;
	tl_u64 budget; /* bytes of abbreviations that may still be gone through */
};

/*
 * The abbreviation of a topmost entry. Most tables begin with it, and reading no further makes opening cheap; a unit
 * that shares its neighbour's table reads it as a whole and leaves it to the next.
 */
static enum tl_status find_top(struct opening *opening, const struct tl_unit *unit, tl_u64 code,
			       const struct tl_abbreviation **abbreviation_ret, struct tl_error *error)
{
	bool same = opening->scratch_valid && opening->scratch_offset == unit->abbreviations;

	if (!same || !opening->scratch_whole) {
		opening->scratch_valid = false;
		TL_TRY(tl_abbreviations_read(&opening->scratch, &opening->dwarf->abbreviations[unit->common],
					     unit->abbreviations, same ? 0 : code, error));
		opening->scratch_valid = true;
		opening->scratch_whole = same;
		opening->scratch_offset = unit->abbreviations;
		if (opening->scratch.passed > opening->budget)
			return damaged(unit, unit->offset, "its table of abbreviations overlaps others", error);
		opening->budget -= opening->scratch.passed;
	}
	*abbreviation_ret = tl_abbreviations_find(&opening->scratch, code);
	if (*abbreviation_ret == NULL)
		return damaged(unit, unit->first_entry, "a topmost entry with an unknown abbreviation", error);
	return TL_OK;
}

static enum tl_status read_unit(struct opening *opening, struct tl_unit *unit, bool *split_ret, struct tl_error *error)
{
	struct tl_cursor cursor = unit_cursor(unit, unit->first_entry);
	const struct tl_abbreviation *abbreviation;
	tl_u64 code = tl_take_unsigned(&cursor);

	if (code == 0)
		return damaged(unit, unit->first_entry, "it has no topmost entry", error);
	TL_TRY(find_top(opening, unit, code, &abbreviation, error));
	unit->tag = abbreviation->tag;
	if (is_split(abbreviation))
		*split_ret = true;
	TL_TRY(read_top(unit, abbreviation, cursor, is_base, take_base, error));
	return read_top(unit, abbreviation, cursor, is_wanted, take_top, error);
}

/*
 * Reads a header (DWARF 5, section 7.5.1) without its length. False when it is of no use; `why_ret` says so then.
 */
static bool read_header(struct tl_unit *unit, struct tl_cursor *cursor, bool *split_ret, const char **why_ret)
{
	bool type_unit = unit->section == TL_SECTION_TYPES;

	*why_ret = "debug information of an unknown version is left out";
	unit->version = tl_take_u16(cursor);
	if (unit->version < 2 || unit->version > 5)
		return false;
	*why_ret = "damaged debug information is left out";
	unit->type = unit->version >= 5 ? tl_take_u8(cursor) : type_unit ? DW_UT_type : DW_UT_compile;
	if (unit->version >= 5)
		unit->address_size = tl_take_u8(cursor);
	unit->abbreviations = tl_take_word(cursor, unit->offset_size);
	if (unit->version < 5)
		unit->address_size = tl_take_u8(cursor);
	switch (unit->type) {
	case DW_UT_skeleton:
	case DW_UT_split_compile:
	case DW_UT_split_type:
		*split_ret = true;
		return false;
	case DW_UT_type:
		unit->type_signature = tl_take_u64(cursor);
		unit->type_entry = tl_take_word(cursor, unit->offset_size);
		if (unit->type_entry > unit->end - unit->offset)
			return false;
		unit->type_entry += unit->offset;
		break;
	case DW_UT_compile:
	case DW_UT_partial:
		break;
	default:
		return false;
	}
	unit->first_entry = cursor_offset(unit, cursor);
	unit->str_offsets_base = unit->offset_size * 2u;
	unit->addr_base = unit->offset_size * 2u;
	unit->rnglists_base = unit->offset_size == 8 ? 20 : 12;
	unit->loclists_base = unit->rnglists_base;
	return !cursor->failed && (unit->address_size == 4 || unit->address_size == 8);
}

static enum tl_status add_unit(struct tl_dwarf *dwarf, const struct tl_unit *unit, struct tl_error *error)
{
	void *units = dwarf->units, *signatures = dwarf->signatures;

	if (!tl_grow(tl_storage(), &units, &dwarf->capacity, dwarf->count, sizeof(*dwarf->units)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for %zu units", dwarf->count);
	dwarf->units = units;
	if (unit->type == DW_UT_type) {
		if (!tl_grow(tl_storage(), &signatures, &dwarf->signature_capacity, dwarf->signature_count,
			     sizeof(*dwarf->signatures)))
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for %zu units", dwarf->count);
		dwarf->signatures = signatures;
		dwarf->signatures[dwarf->signature_count++] = (struct signature){unit->type_signature, dwarf->count};
	}
	dwarf->units[dwarf->count++] = *unit;
	return TL_OK;
}

/* Reads the unit at `*offset` of a part and goes on to the next. `*offset` gets to the part's end when lengths lie. */
static enum tl_status read_next_unit(struct opening *opening, unsigned part, tl_u64 *offset, struct tl_error *error)
{
	struct tl_dwarf *dwarf = opening->dwarf;
	const struct tl_section_bytes *bytes = &dwarf->parts[part];
	struct tl_cursor cursor = tl_cursor_make(bytes->bytes + *offset, bytes->size - *offset);
	struct tl_unit unit = {.dwarf = dwarf,
			       .offset = *offset,
			       .offset_size = 4,
			       .section = part == PART_TYPES ? TL_SECTION_TYPES : TL_SECTION_INFO,
			       .common = part == PART_COMMON};
	tl_u64 length = tl_take_u32(&cursor), start;
	const char *why = "damaged debug information is left out";
	enum tl_status status = TL_ERROR_MALFORMED;
	bool split = false;

	if (length == TL_U32_MAX) {
		unit.offset_size = 8;
		length = tl_take_u64(&cursor);
	}
	start = *offset;
	*offset = bytes->size;
	/* Zeros are a linker's padding. */
	if (length == 0 && !cursor.failed) {
		*offset = start + 4;
		return TL_OK;
	}
	if (cursor.failed || length > tl_cursor_left(&cursor) || (length >= 0xfffffff0 && unit.offset_size == 4)) {
		remark(dwarf, "debug information is damaged, and is left out from here on", start);
		return TL_OK;
	}
	unit.end = bytes->size - tl_cursor_left(&cursor) + length;
	cursor.end = cursor.at + length;
	*offset = unit.end;
	if (read_header(&unit, &cursor, &split, &why))
		status = read_unit(opening, &unit, &split, error);
	if (status == TL_ERROR_NO_MEMORY)
		return status;
	if (split)
		remark(dwarf, "debug information in .dwo files is not read (build without -gsplit-dwarf)", start);
	else if (status != TL_OK)
		remark(dwarf, why, start);
	return status == TL_OK && !split ? add_unit(dwarf, &unit, error) : TL_OK;
}

static int by_abbreviations(const void *a, const void *b)
{
	const struct tl_unit *const *x = a, *const *y = b;

	if ((*x)->common != (*y)->common)
		return (*x)->common ? 1 : -1;
	if ((*x)->abbreviations != (*y)->abbreviations)
		return (*x)->abbreviations < (*y)->abbreviations ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

/* Gives each unit the table of the first unit with the same offset. */
static enum tl_status share_tables(struct tl_dwarf *dwarf, struct tl_error *error)
{
	tl_size size = dwarf->count * sizeof(struct tl_unit *);
	const struct tl_unit **sorted;

	if (dwarf->count == 0)
		return TL_OK;
	dwarf->tables = tl_allocate(tl_storage(), dwarf->count * sizeof(*dwarf->tables));
	dwarf->table_count = dwarf->tables != NULL ? dwarf->count : 0;
	sorted = tl_allocate(tl_storage(), size);
	if (dwarf->tables == NULL || sorted == NULL) {
		tl_release(tl_storage(), sorted, size);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for %zu units", dwarf->count);
	}
	for (tl_size i = 0; i < dwarf->count; i++)
		sorted[i] = &dwarf->units[i];
	qsort(sorted, dwarf->count, sizeof(*sorted), by_abbreviations);
	for (tl_size i = 0; i < dwarf->count; i++) {
		bool same = i != 0 && sorted[i]->common == sorted[i - 1]->common &&
			    sorted[i]->abbreviations == sorted[i - 1]->abbreviations;

		dwarf->tables[sorted[i] - dwarf->units].owner =
			same ? dwarf->tables[sorted[i - 1] - dwarf->units].owner : (tl_size)(sorted[i] - dwarf->units);
	}
	tl_release(tl_storage(), sorted, size);
	return TL_OK;
}

static enum tl_status find_parts(struct tl_dwarf *dwarf, struct tl_error *error)
{
	struct tl_image *image = dwarf->image;

	TL_TRY(tl_image_section(image, TL_SECTION_INFO, &dwarf->parts[PART_INFO], error));
	TL_TRY(tl_image_section(image, TL_SECTION_TYPES, &dwarf->parts[PART_TYPES], error));
	TL_TRY(tl_image_common_section(image, TL_SECTION_INFO, &dwarf->parts[PART_COMMON], error));
	TL_TRY(tl_image_section(image, TL_SECTION_ABBREV, &dwarf->abbreviations[0], error));
	TL_TRY(tl_image_common_section(image, TL_SECTION_ABBREV, &dwarf->abbreviations[1], error));
	/* A specification takes up two bytes at the least, and no byte belongs to two tables. */
	dwarf->specification_budget = dwarf->abbreviations[0].size + dwarf->abbreviations[1].size;
	return TL_OK;
}

tl_u64 tl_dwarf_abbreviations_max(const struct tl_dwarf *dwarf)
{
	tl_u64 size = dwarf->abbreviations[0].size + dwarf->abbreviations[1].size;

	for (unsigned part = 0; part < PART_MAX; part++)
		size += dwarf->parts[part].size;
	return size * 64;
}

static enum tl_status read_units(struct opening *opening, struct tl_error *error)
{
	struct tl_dwarf *dwarf = opening->dwarf;

	if (tl_image_elf(dwarf->image)->type == ET_REL) {
		remark(dwarf, "debug information of what is not linked yet is not read: link it", 0);
		return TL_OK;
	}
	TL_TRY(find_parts(dwarf, error));
	opening->budget = tl_dwarf_abbreviations_max(dwarf);
	for (unsigned part = 0; part < PART_MAX; part++) {
		tl_u64 offset = 0, forgotten = 0;

		dwarf->part_start[part] = dwarf->count;
		opening->scratch_valid = false;
		while (offset < dwarf->parts[part].size) {
			TL_TRY(read_next_unit(opening, part, &offset, error));
			/* Headers are far apart, and the kernel brings in more than the page that is asked for. */
			if (offset - forgotten >= FORGET_EACH || offset == dwarf->parts[part].size) {
				tl_image_forget_pages(dwarf->image, dwarf->parts[part].bytes + forgotten,
						      offset - forgotten);
				forgotten = offset;
			}
		}
	}
	dwarf->part_start[PART_MAX] = dwarf->count;
	if (dwarf->signature_count != 0)
		qsort(dwarf->signatures, dwarf->signature_count, sizeof(*dwarf->signatures), compare_signatures);
	return share_tables(dwarf, error);
}

enum tl_status tl_dwarf_open(struct tl_dwarf **dwarf_ret, struct tl_image *image, struct tl_error *error)
{
	struct opening opening = {.dwarf = tl_allocate(tl_storage(), sizeof(*opening.dwarf))};
	enum tl_status status;

	if (opening.dwarf == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for debug information");
	opening.dwarf->image = image;
	(void)pthread_mutex_init(&opening.dwarf->lock, NULL);
	status = read_units(&opening, error);
	tl_abbreviations_free(&opening.scratch);
	if (status != TL_OK) {
		tl_dwarf_close(opening.dwarf);
		return status;
	}
	*dwarf_ret = opening.dwarf;
	return TL_OK;
}

void tl_dwarf_close(struct tl_dwarf *dwarf)
{
	if (dwarf == NULL)
		return;
	for (tl_size i = 0; i < dwarf->table_count; i++) {
		struct tl_abbreviations *filled = atomic_load_explicit(&dwarf->tables[i].filled, memory_order_relaxed);

		if (filled != NULL)
			tl_abbreviations_free(filled);
		tl_release(tl_storage(), filled, sizeof(*filled));
	}
	tl_release(tl_storage(), dwarf->tables, dwarf->table_count * sizeof(*dwarf->tables));
	tl_release(tl_storage(), dwarf->signatures, dwarf->signature_capacity * sizeof(*dwarf->signatures));
	tl_release(tl_storage(), dwarf->units, dwarf->capacity * sizeof(*dwarf->units));
	(void)pthread_mutex_destroy(&dwarf->lock);
	tl_release(tl_storage(), dwarf, sizeof(*dwarf));
}

struct tl_image *tl_dwarf_image(const struct tl_dwarf *dwarf)
{
	return dwarf->image;
}

const char *tl_dwarf_remark(const struct tl_dwarf *dwarf)
{
	return dwarf->remark[0] != 0 ? dwarf->remark : NULL;
}

tl_size tl_dwarf_unit_count(const struct tl_dwarf *dwarf)
{
	return dwarf->count;
}

tl_size tl_unit_index(const struct tl_unit *unit)
{
	return (tl_size)(unit - unit->dwarf->units);
}

const struct tl_unit *tl_dwarf_unit(const struct tl_dwarf *dwarf, tl_size index)
{
	return index < dwarf->count ? &dwarf->units[index] : NULL;
}

const struct tl_unit *tl_dwarf_unit_at(const struct tl_dwarf *dwarf, tl_u64 offset, bool common)
{
	tl_size low = dwarf->part_start[common ? PART_COMMON : PART_INFO];
	tl_size high = dwarf->part_start[common ? PART_MAX : PART_TYPES];

	while (low < high) {
		tl_size middle = low + (high - low) / 2;
		const struct tl_unit *unit = &dwarf->units[middle];

		if (offset >= unit->offset && offset < unit->end)
			return unit;
		if (offset < unit->offset)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
