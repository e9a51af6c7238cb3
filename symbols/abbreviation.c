#include "symbols/abbreviation.h"

#include "base/storage.h"
#include "symbols/bytes.h"

#include <stdlib.h>

/* What a form's size is made of. */
enum size_kind { SIZE_BYTES, SIZE_ADDRESS, SIZE_OFFSET, SIZE_REFERENCE, SIZE_VARIABLE };

struct form_size {
	enum size_kind kind;
	tl_u8 bytes;
};

static struct form_size form_size(tl_u16 form)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return (struct form_size){SIZE_BYTES, 0};
	case DW_FORM_data1:
	case DW_FORM_flag:
	case DW_FORM_ref1:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return (struct form_size){SIZE_BYTES, 1};
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return (struct form_size){SIZE_BYTES, 2};
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return (struct form_size){SIZE_BYTES, 3};
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
		return (struct form_size){SIZE_BYTES, 4};
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return (struct form_size){SIZE_BYTES, 8};
	case DW_FORM_data16:
		return (struct form_size){SIZE_BYTES, 16};
	case DW_FORM_addr:
		return (struct form_size){SIZE_ADDRESS, 0};
	case DW_FORM_strp:
	case DW_FORM_sec_offset:
	case DW_FORM_line_strp:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_GNU_strp_alt:
		return (struct form_size){SIZE_OFFSET, 0};
	case DW_FORM_ref_addr:
		return (struct form_size){SIZE_REFERENCE, 0};
	default:
		return (struct form_size){SIZE_VARIABLE, 0};
	}
}

int tl_form_size(const struct tl_unit *unit, tl_u16 form)
{
	struct form_size size = form_size(form);

	switch (size.kind) {
	case SIZE_BYTES:
		return size.bytes;
	case SIZE_ADDRESS:
		return unit->address_size;
	case SIZE_OFFSET:
		return unit->offset_size;
	case SIZE_REFERENCE:
		/* DWARF 2 took it for an address. */
		return unit->version <= 2 ? unit->address_size : unit->offset_size;
	case SIZE_VARIABLE:
		break;
	}
	return -1;
}

void tl_form_skip(const struct tl_unit *unit, tl_u16 form, struct tl_cursor *cursor)
{
	int size = tl_form_size(unit, form);

	if (size >= 0) {
		tl_take_skip(cursor, (tl_u64)size);
		return;
	}
	switch (form) {
	case DW_FORM_sdata:
	case DW_FORM_udata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
		(void)tl_take_unsigned(cursor);
		break;
	case DW_FORM_string:
		(void)tl_take_text(cursor);
		break;
	case DW_FORM_block1:
		tl_take_skip(cursor, tl_take_u8(cursor));
		break;
	case DW_FORM_block2:
		tl_take_skip(cursor, tl_take_u16(cursor));
		break;
	case DW_FORM_block4:
		tl_take_skip(cursor, tl_take_u32(cursor));
		break;
	case DW_FORM_block:
	case DW_FORM_exprloc:
		tl_take_skip(cursor, tl_take_unsigned(cursor));
		break;
	case DW_FORM_indirect: {
		tl_u64 real = tl_take_unsigned(cursor);

		if (real > 0xffff || real == DW_FORM_indirect || real == DW_FORM_implicit_const)
			tl_take_fail(cursor);
		else
			tl_form_skip(unit, (tl_u16)real, cursor);
		break;
	}
	default:
		tl_take_fail(cursor);
		break;
	}
}

/* Adds a form to the size that an abbreviation's attributes have together. */
static void measure(struct tl_abbreviation *abbreviation, tl_u16 form)
{
	struct form_size size = form_size(form);

	switch (size.kind) {
	case SIZE_BYTES:
		abbreviation->fixed_bytes = (tl_u16)(abbreviation->fixed_bytes + size.bytes);
		break;
	case SIZE_ADDRESS:
		abbreviation->fixed_addresses++;
		break;
	case SIZE_OFFSET:
		abbreviation->fixed_offsets++;
		break;
	case SIZE_REFERENCE: /* depends on the version, which may differ between units with one table */
	case SIZE_VARIABLE:
		abbreviation->fixed = false;
		break;
	}
	if (abbreviation->fixed_bytes > 0xff00 || abbreviation->fixed_addresses > 0xff00 ||
	    abbreviation->fixed_offsets > 0xff00)
		abbreviation->fixed = false;
}

static enum tl_status read_specifications(struct tl_abbreviations *table, struct tl_abbreviation *abbreviation,
					  struct tl_cursor *cursor, struct tl_error *error)
{
	for (;;) {
		tl_u64 name = tl_take_unsigned(cursor), form = tl_take_unsigned(cursor);
		tl_i64 constant = form == DW_FORM_implicit_const ? tl_take_signed(cursor) : 0;
		void *list = table->specifications;

		if (cursor->failed || name > 0xffff || form > 0xffff)
			return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged debug information: abbreviation %u",
				       abbreviation->code);
		if (name == 0 && form == 0)
			return TL_OK;
		if (!tl_grow(tl_storage(), &list, &table->specification_capacity, table->specification_count,
			     sizeof(*table->specifications)))
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a table of abbreviations");
		table->specifications = list;
		table->specifications[table->specification_count++] =
			(struct tl_specification){(tl_u16)name, (tl_u16)form, constant};
		abbreviation->count++;
		measure(abbreviation, (tl_u16)form);
	}
}

static int by_code(const void *a, const void *b)
{
	const struct tl_abbreviation *x = a, *y = b;

	return x->code < y->code ? -1 : x->code > y->code;
}

/* The specifications do not move any more; each abbreviation gets a pointer to its own. */
static void finish(struct tl_abbreviations *table)
{
	const struct tl_specification *at = table->specifications;
	bool sorted = true;

	table->dense = true;
	for (tl_size i = 0; i < table->count; i++) {
		table->list[i].specifications = at;
		if (table->list[i].count != 0)
			at += table->list[i].count;
		table->dense &= table->list[i].code == i + 1;
		sorted &= i == 0 || table->list[i - 1].code < table->list[i].code;
	}
	if (!sorted)
		qsort(table->list, table->count, sizeof(*table->list), by_code);
}

static enum tl_status read_all(struct tl_abbreviations *table, struct tl_cursor *cursor, tl_u64 only_code,
			       struct tl_error *error)
{
	for (;;) {
		tl_u64 code = tl_take_unsigned(cursor), tag;
		struct tl_abbreviation abbreviation = {.fixed = true};
		void *list = table->list;

		if (code == 0 && !cursor->failed)
			return TL_OK;
		tag = tl_take_unsigned(cursor);
		abbreviation.has_children = tl_take_u8(cursor) != 0;
		if (cursor->failed || code > TL_U32_MAX || tag == 0 || tag > 0xffff)
			return TL_FAIL(error, TL_ERROR_MALFORMED,
				       "damaged debug information: an abbreviation with code %llu and tag %llu",
				       (unsigned long long)code, (unsigned long long)tag);
		abbreviation.code = (tl_u32)code;
		abbreviation.tag = (tl_u16)tag;
		TL_TRY(read_specifications(table, &abbreviation, cursor, error));
		if (!tl_grow(tl_storage(), &list, &table->capacity, table->count, sizeof(*table->list)))
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a table of abbreviations");
		table->list = list;
		table->list[table->count++] = abbreviation;
		if (code == only_code)
			return TL_OK;
	}
}

/*
 * Goes to the abbreviation with a code, which compilers put anywhere, without keeping those before it. The cursor fails
 * when there is none.
 */
static void find_code(struct tl_cursor *cursor, tl_u64 wanted)
{
	for (;;) {
		const tl_u8 *start = cursor->at;
		tl_u64 code = tl_take_unsigned(cursor), name, form;

		if (code == wanted && !cursor->failed) {
			cursor->at = start;
			return;
		}
		if (code == 0) {
			tl_take_fail(cursor);
			return;
		}
		(void)tl_take_unsigned(cursor);
		(void)tl_take_u8(cursor);
		do {
			name = tl_take_unsigned(cursor);
			form = tl_take_unsigned(cursor);
			if (form == DW_FORM_implicit_const)
				(void)tl_take_signed(cursor);
		} while (name != 0 || form != 0);
	}
}

enum tl_status tl_abbreviations_read(struct tl_abbreviations *table, const struct tl_section_bytes *section,
				     tl_u64 offset, tl_u64 only_code, struct tl_error *error)
{
	struct tl_cursor cursor = tl_cursor_make(section->bytes, section->size);
	enum tl_status status;

	table->count = 0;
	table->specification_count = 0;
	tl_take_skip(&cursor, offset);
	if (only_code != 0)
		find_code(&cursor, only_code);
	status = read_all(table, &cursor, only_code, error);
	table->passed = cursor.failed ? 0 : section->size - tl_cursor_left(&cursor) - offset;
	if (status != TL_OK) {
		table->count = 0;
		table->specification_count = 0;
	}
	finish(table);
	return status;
}

void tl_abbreviations_free(struct tl_abbreviations *table)
{
	tl_release(tl_storage(), table->list, table->capacity * sizeof(*table->list));
	tl_release(tl_storage(), table->specifications, table->specification_capacity * sizeof(*table->specifications));
	*table = (struct tl_abbreviations){0};
}

const struct tl_abbreviation *tl_abbreviations_find(const struct tl_abbreviations *table, tl_u64 code)
{
	tl_size low = 0, high = table->count;

	if (table->dense)
		return code - 1 < table->count ? &table->list[code - 1] : NULL;
	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (table->list[middle].code == code)
			return &table->list[middle];
		if (table->list[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
