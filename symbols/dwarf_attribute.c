/* What an attribute's value is, by its form. */
#include "symbols/dwarf_internal.h"

#include "symbols/bytes.h"

#include <string.h>

static enum tl_status get_section(const struct tl_unit *unit, enum tl_section section,
				  struct tl_section_bytes *bytes_ret, struct tl_error *error)
{
	struct tl_image *image = unit->dwarf->image;

	return unit->common ? tl_image_common_section(image, section, bytes_ret, error)
			    : tl_image_section(image, section, bytes_ret, error);
}

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
		return tl_dwarf_damaged(unit, unit->offset, "a string beyond its section", error);
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
		return tl_dwarf_damaged(unit, unit->offset, "an index beyond its section", error);
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
		attribute->number = tl_unit_cursor_offset(unit, cursor);
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
	tl_u64 offset = tl_unit_cursor_offset(unit, cursor);
	bool known = true;

	if (attribute.form == DW_FORM_indirect) {
		tl_u64 form = tl_take_unsigned(cursor);

		if (form > 0xffff || form == DW_FORM_indirect || form == DW_FORM_implicit_const)
			return tl_dwarf_damaged(unit, offset, "an indirect form", error);
		attribute.form = (tl_u16)form;
	}
	if (!read_plain(cursor, specification->constant, &attribute) && !read_reference(unit, cursor, &attribute)) {
		TL_TRY(read_text(unit, cursor, &attribute, &known, error));
		if (!known)
			TL_TRY(read_address(unit, cursor, &attribute, &known, error));
	}
	if (!known)
		return tl_dwarf_damaged(unit, offset, "an unknown form", error);
	if (cursor->failed)
		return tl_dwarf_damaged(unit, offset, "an attribute goes beyond its unit", error);
	if (unit->version < 4 && (attribute.form == DW_FORM_data4 || attribute.form == DW_FORM_data8) &&
	    leads_to_list(attribute.name))
		attribute.kind = TL_CLASS_LIST;
	*attribute_ret = attribute;
	return TL_OK;
}
