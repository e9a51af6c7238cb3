/* Units: their headers, and what their topmost entries say of them. */
#include "symbols/dwarf_internal.h"

#include "base/storage.h"
#include "symbols/bytes.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pages of headers are forgotten, so many bytes at a time. */
#define FORGET_EACH ((tl_u64)16 << 20)

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
	return cursor.failed ? tl_dwarf_damaged(unit, unit->first_entry, "its topmost entry goes beyond it", error)
			     : TL_OK;
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
			return tl_dwarf_damaged(unit, unit->offset, "its table of abbreviations overlaps others",
						error);
		opening->budget -= opening->scratch.passed;
	}
	*abbreviation_ret = tl_abbreviations_find(&opening->scratch, code);
	if (*abbreviation_ret == NULL)
		return tl_dwarf_damaged(unit, unit->first_entry, "a topmost entry with an unknown abbreviation", error);
	return TL_OK;
}

static enum tl_status read_unit(struct opening *opening, struct tl_unit *unit, bool *split_ret, struct tl_error *error)
{
	struct tl_cursor cursor = tl_unit_cursor(unit, unit->first_entry);
	const struct tl_abbreviation *abbreviation;
	tl_u64 code = tl_take_unsigned(&cursor);

	if (code == 0)
		return tl_dwarf_damaged(unit, unit->first_entry, "it has no topmost entry", error);
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
	unit->first_entry = tl_unit_cursor_offset(unit, cursor);
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
		dwarf->signatures[dwarf->signature_count++] =
			(struct tl_dwarf_signature){unit->type_signature, dwarf->count};
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
			       .section = part == TL_DWARF_TYPES ? TL_SECTION_TYPES : TL_SECTION_INFO,
			       .common = part == TL_DWARF_COMMON};
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

	TL_TRY(tl_image_section(image, TL_SECTION_INFO, &dwarf->parts[TL_DWARF_INFO], error));
	TL_TRY(tl_image_section(image, TL_SECTION_TYPES, &dwarf->parts[TL_DWARF_TYPES], error));
	TL_TRY(tl_image_common_section(image, TL_SECTION_INFO, &dwarf->parts[TL_DWARF_COMMON], error));
	TL_TRY(tl_image_section(image, TL_SECTION_ABBREV, &dwarf->abbreviations[0], error));
	TL_TRY(tl_image_common_section(image, TL_SECTION_ABBREV, &dwarf->abbreviations[1], error));
	/* A specification takes up two bytes at the least, and no byte belongs to two tables. */
	dwarf->specification_budget = dwarf->abbreviations[0].size + dwarf->abbreviations[1].size;
	return TL_OK;
}

/* The parts are known. */
static tl_u64 abbreviations_max(const struct tl_dwarf *dwarf)
{
	tl_u64 size = dwarf->abbreviations[0].size + dwarf->abbreviations[1].size;

	for (unsigned part = 0; part < TL_DWARF_MAX; part++)
		size += dwarf->parts[part].size;
	return size * 64;
}

static int compare_signatures(const void *a, const void *b)
{
	const struct tl_dwarf_signature *x = a, *y = b;

	return x->signature < y->signature ? -1 : x->signature > y->signature;
}

static enum tl_status read_units(struct opening *opening, struct tl_error *error)
{
	struct tl_dwarf *dwarf = opening->dwarf;

	if (tl_image_elf(dwarf->image)->type == ET_REL) {
		remark(dwarf, "debug information of what is not linked yet is not read: link it", 0);
		return TL_OK;
	}
	TL_TRY(find_parts(dwarf, error));
	opening->budget = abbreviations_max(dwarf);
	for (unsigned part = 0; part < TL_DWARF_MAX; part++) {
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
	dwarf->part_start[TL_DWARF_MAX] = dwarf->count;
	if (dwarf->signature_count != 0)
		qsort(dwarf->signatures, dwarf->signature_count, sizeof(*dwarf->signatures), compare_signatures);
	return share_tables(dwarf, error);
}

/* Without units. */
static void empty(struct tl_dwarf *dwarf)
{
	tl_release(tl_storage(), dwarf->tables, dwarf->table_count * sizeof(*dwarf->tables));
	tl_release(tl_storage(), dwarf->signatures, dwarf->signature_capacity * sizeof(*dwarf->signatures));
	tl_release(tl_storage(), dwarf->units, dwarf->capacity * sizeof(*dwarf->units));
	dwarf->tables = NULL;
	dwarf->signatures = NULL;
	dwarf->units = NULL;
	dwarf->count = dwarf->capacity = dwarf->table_count = dwarf->signature_count = dwarf->signature_capacity = 0;
	memset(dwarf->part_start, 0, sizeof(dwarf->part_start));
}

/* Reads them if nobody has. */
static enum tl_status read_once(struct tl_dwarf *dwarf, struct tl_error *error)
{
	struct opening opening = {.dwarf = dwarf};
	enum tl_status status = TL_OK;

	(void)pthread_mutex_lock(&dwarf->opening);
	if (!atomic_load_explicit(&dwarf->read, memory_order_relaxed)) {
		status = read_units(&opening, error);
		tl_abbreviations_free(&opening.scratch);
		if (status != TL_OK)
			empty(dwarf);
		if (status != TL_OK && error != NULL)
			(void)snprintf(dwarf->remark, sizeof(dwarf->remark), "%.255s", error->text);
		atomic_store_explicit(&dwarf->read, true, memory_order_release);
	}
	(void)pthread_mutex_unlock(&dwarf->opening);
	return status;
}

/* The same with its units read. Whoever has it as a constant is none the wiser: it looks as if they always were. */
static const struct tl_dwarf *filled(const struct tl_dwarf *dwarf)
{
	struct tl_error error;

	if (!atomic_load_explicit(&dwarf->read, memory_order_acquire))
		(void)!read_once((struct tl_dwarf *)(tl_uintptr)dwarf, &error);
	return dwarf;
}

enum tl_status tl_dwarf_open_lazily(struct tl_dwarf **dwarf_ret, struct tl_image *image, struct tl_error *error)
{
	struct tl_dwarf *dwarf = tl_allocate(tl_storage(), sizeof(*dwarf));

	if (dwarf == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for debug information");
	dwarf->image = image;
	(void)pthread_mutex_init(&dwarf->lock, NULL);
	(void)pthread_mutex_init(&dwarf->opening, NULL);
	*dwarf_ret = dwarf;
	return TL_OK;
}

enum tl_status tl_dwarf_open(struct tl_dwarf **dwarf_ret, struct tl_image *image, struct tl_error *error)
{
	struct tl_dwarf *dwarf = NULL;
	enum tl_status status;

	TL_TRY(tl_dwarf_open_lazily(&dwarf, image, error));
	status = read_once(dwarf, error);
	if (status != TL_OK) {
		tl_dwarf_close(dwarf);
		return status;
	}
	*dwarf_ret = dwarf;
	return TL_OK;
}

bool tl_dwarf_is_read(const struct tl_dwarf *dwarf)
{
	return atomic_load_explicit(&dwarf->read, memory_order_acquire);
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
	empty(dwarf);
	(void)pthread_mutex_destroy(&dwarf->opening);
	(void)pthread_mutex_destroy(&dwarf->lock);
	tl_release(tl_storage(), dwarf, sizeof(*dwarf));
}

tl_u64 tl_dwarf_abbreviations_max(const struct tl_dwarf *dwarf)
{
	return abbreviations_max(filled(dwarf));
}

struct tl_image *tl_dwarf_image(const struct tl_dwarf *dwarf)
{
	return dwarf->image;
}

const char *tl_dwarf_remark(const struct tl_dwarf *dwarf)
{
	return tl_dwarf_is_read(dwarf) && dwarf->remark[0] != 0 ? dwarf->remark : NULL;
}

tl_size tl_dwarf_unit_count(const struct tl_dwarf *dwarf)
{
	return filled(dwarf)->count;
}

tl_size tl_unit_index(const struct tl_unit *unit)
{
	return (tl_size)(unit - unit->dwarf->units);
}

const struct tl_unit *tl_dwarf_unit(const struct tl_dwarf *dwarf, tl_size index)
{
	return index < filled(dwarf)->count ? &dwarf->units[index] : NULL;
}

const struct tl_unit *tl_dwarf_unit_at(const struct tl_dwarf *dwarf, tl_u64 offset, bool common)
{
	tl_size low = filled(dwarf)->part_start[common ? TL_DWARF_COMMON : TL_DWARF_INFO];
	tl_size high = dwarf->part_start[common ? TL_DWARF_MAX : TL_DWARF_TYPES];

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

const struct tl_unit *tl_dwarf_type_unit(const struct tl_dwarf *dwarf, tl_u64 signature)
{
	struct tl_dwarf_signature wanted = {signature, 0}, *found = NULL;

	if (filled(dwarf)->signature_count != 0)
		found = bsearch(&wanted, dwarf->signatures, dwarf->signature_count, sizeof(wanted), compare_signatures);
	return found != NULL ? &dwarf->units[found->unit] : NULL;
}
