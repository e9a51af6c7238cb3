#include "symbols/frame_entry.h"

#include "symbols/bytes.h"

/* DW_EH_PE_*: how a pointer is encoded (LSB, "DWARF Exception Header Encoding"). */
enum {
	ENCODING_ABSOLUTE = 0x00,
	ENCODING_ULEB = 0x01,
	ENCODING_U2 = 0x02,
	ENCODING_U4 = 0x03,
	ENCODING_U8 = 0x04,
	ENCODING_SLEB = 0x09,
	ENCODING_S2 = 0x0a,
	ENCODING_S4 = 0x0b,
	ENCODING_S8 = 0x0c,
	ENCODING_TO_PLACE = 0x10,
	ENCODING_TO_DATA = 0x30,
	ENCODING_OMITTED = 0xff
};

/* What every entry begins with. */
struct header {
	tl_u64 offset, next;
	tl_u64 id;        /* of an FDE what leads to its CIE */
	tl_u64 id_offset; /* where that stands */
	tl_u8 offset_size;
	bool common;
	struct tl_cursor body;
};

static const char *section_name(const struct tl_frame_section *section)
{
	return section->debug ? ".debug_frame" : ".eh_frame";
}

static enum tl_status damaged(const struct tl_frame_section *section, tl_u64 offset, const char *what,
			      struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_MALFORMED, "%s is damaged: the entry at 0x%llx has %s", section_name(section),
		       (unsigned long long)offset, what);
}

/* The value of an encoded pointer before anything is added to it. */
static tl_u64 raw_pointer(struct tl_cursor *cursor, const struct tl_frame_section *section, tl_u8 format)
{
	switch (format) {
	case ENCODING_ABSOLUTE:
		return tl_take_word(cursor, section->address_size);
	case ENCODING_ULEB:
		return tl_take_unsigned(cursor);
	case ENCODING_U2:
		return tl_take_u16(cursor);
	case ENCODING_U4:
		return tl_take_u32(cursor);
	case ENCODING_U8:
	case ENCODING_S8:
		return tl_take_u64(cursor);
	case ENCODING_SLEB:
		return (tl_u64)tl_take_signed(cursor);
	case ENCODING_S2:
		return (tl_u64)(tl_i16)tl_take_u16(cursor);
	case ENCODING_S4:
		return (tl_u64)(tl_i32)tl_take_u32(cursor);
	default:
		*cursor = (struct tl_cursor){cursor->end, cursor->end, true};
		return 0;
	}
}

tl_u64 tl_frame_pointer(struct tl_cursor *cursor, const struct tl_frame_section *section, tl_u8 encoding, tl_u64 place,
			tl_u64 data)
{
	tl_u64 value;

	if (encoding == ENCODING_OMITTED)
		return 0;
	value = raw_pointer(cursor, section, encoding & 0x0f);
	switch (encoding & 0x70) {
	case ENCODING_ABSOLUTE:
		break;
	case ENCODING_TO_PLACE:
		value += place;
		break;
	case ENCODING_TO_DATA:
		value += data;
		break;
	default:
		*cursor = (struct tl_cursor){cursor->end, cursor->end, true};
		return 0;
	}
	return tl_frame_wrap(value, section->address_size);
}

static enum tl_status read_header(const struct tl_frame_section *section, tl_u64 offset, struct header *header_ret,
				  struct tl_error *error)
{
	struct tl_cursor cursor;
	struct header header = {.offset = offset, .offset_size = 4};
	tl_u64 length;

	if (offset > section->section.size)
		return damaged(section, offset, "no place in the section", error);
	cursor = tl_cursor_make(section->section.bytes, section->section.size);
	cursor.at += offset;
	length = tl_take_u32(&cursor);
	if (length == 0xffffffff) {
		header.offset_size = 8;
		length = tl_take_u64(&cursor);
	} else if (length >= 0xfffffff0) {
		return damaged(section, offset, "a reserved length", error);
	}
	header.body = tl_cursor_take(&cursor, length);
	if (cursor.failed)
		return damaged(section, offset, "a length that leads out of the section", error);
	header.next = (tl_u64)(cursor.at - section->section.bytes);
	if (length != 0) {
		/* In .eh_frame this field has 4 bytes whatever the length's form (LSB, "The Frame Description Entry").
		 */
		header.id_offset = (tl_u64)(header.body.at - section->section.bytes);
		header.id = tl_take_word(&header.body, section->debug ? header.offset_size : 4);
		if (header.body.failed)
			return damaged(section, offset, "no room for its id", error);
	}
	header.common =
		section->debug ? header.id == (header.offset_size == 8 ? TL_U64_MAX : TL_U32_MAX) : header.id == 0;
	*header_ret = header;
	return TL_OK;
}

enum tl_status tl_frame_step(const struct tl_frame_section *section, tl_u64 *offset, tl_u64 *entry_ret,
			     bool *is_common_ret, struct tl_error *error)
{
	struct header header;

	do {
		/* Padding behind the last entry may be shorter than a length. */
		if (*offset >= section->section.size || section->section.size - *offset < 4)
			return TL_ERROR_ARGUMENT;
		TL_TRY(read_header(section, *offset, &header, error));
		*entry_ret = *offset;
		*offset = header.next;
	} while (header.id_offset == 0);
	*is_common_ret = header.common;
	return TL_OK;
}

/* What the letters of the augmentation string stand for. `data` holds what they describe, in their order. */
static enum tl_status read_augmentation(const struct tl_frame_section *section, struct tl_frame_common *common,
					struct tl_cursor letters, struct tl_cursor data, struct tl_error *error)
{
	while (!tl_cursor_done(&letters)) {
		switch (tl_cursor_byte(&letters)) {
		case 'R':
			common->pointer_encoding = tl_cursor_byte(&data);
			break;
		case 'P': {
			tl_u8 encoding = tl_cursor_byte(&data);

			(void)tl_frame_pointer(&data, section, encoding, 0, 0);
			break;
		}
		case 'L':
			(void)tl_cursor_byte(&data);
			break;
		case 'S':
			common->signal_frame = true;
			break;
		case 'B': /* arm64: signed with the B key */
		case 'G': /* arm64: tags of the stack's memory */
			break;
		default:
			/* What comes behind a letter that is not known cannot be found; its size is, so that the
			 * instructions can. */
			return TL_OK;
		}
	}
	if (data.failed)
		return damaged(section, common->offset, "augmentation data that end too early", error);
	return TL_OK;
}

static enum tl_status read_common(const struct tl_frame_section *section, tl_u64 offset,
				  struct tl_frame_common *common_ret, struct tl_error *error)
{
	struct tl_frame_common common = {.offset = offset, .address_size = section->address_size};
	struct tl_cursor augmentation;
	struct header header;
	tl_u8 version;

	TL_TRY(read_header(section, offset, &header, error));
	if (!header.common || header.id_offset == 0)
		return damaged(section, offset, "to be a common entry, and is none", error);
	version = tl_cursor_byte(&header.body);
	if (version != 1 && version != 3 && version != 4)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "%s: version %u of the entry at 0x%llx is not known",
			       section_name(section), version, (unsigned long long)offset);
	augmentation = tl_cursor_until(&header.body, '\0');
	if (version >= 4) {
		common.address_size = tl_cursor_byte(&header.body);
		common.segment_size = tl_cursor_byte(&header.body);
		if (common.address_size != section->address_size || common.segment_size != 0)
			return damaged(section, offset, "an address size that is not the file's", error);
	}
	if (tl_cursor_equals(&augmentation, "eh")) /* gcc 2's; a pointer to other tables */
		(void)tl_cursor_take(&header.body, common.address_size);
	common.code_alignment = tl_take_unsigned(&header.body);
	common.data_alignment = tl_take_signed(&header.body);
	common.return_register = version == 1 ? tl_cursor_byte(&header.body) : tl_take_unsigned(&header.body);
	if (tl_cursor_accept(&augmentation, 'z')) {
		struct tl_cursor data = tl_cursor_take(&header.body, tl_take_unsigned(&header.body));

		common.sized = true;
		TL_TRY(read_augmentation(section, &common, augmentation, data, error));
	} else if (!tl_cursor_done(&augmentation) && !tl_cursor_equals(&augmentation, "eh")) {
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "%s: the augmentation of the entry at 0x%llx is not known",
			       section_name(section), (unsigned long long)offset);
	}
	if (header.body.failed)
		return damaged(section, offset, "less in it than its fields", error);
	common.instructions = header.body;
	*common_ret = common;
	return TL_OK;
}

/* Where the CIE of an FDE stands: in .eh_frame so many bytes before the field itself. */
static enum tl_status common_of(const struct tl_frame_section *section, const struct header *header,
				struct tl_frame_common *common_ret, struct tl_error *error)
{
	tl_u64 offset = header->id;

	if (!section->debug) {
		if (header->id > header->id_offset)
			return damaged(section, header->offset, "a common entry before the section", error);
		offset = header->id_offset - header->id;
	}
	return read_common(section, offset, common_ret, error);
}

enum tl_status tl_frame_entry_read(const struct tl_frame_section *section, tl_u64 offset,
				   struct tl_frame_entry *entry_ret, struct tl_error *error)
{
	struct tl_frame_entry entry = {.offset = offset};
	struct header header;
	tl_u64 place, size;

	TL_TRY(read_header(section, offset, &header, error));
	if (header.common || header.id_offset == 0)
		return damaged(section, offset, "to be a description, and is none", error);
	TL_TRY(common_of(section, &header, &entry.common, error));
	place = section->section.address + (tl_u64)(header.body.at - section->section.bytes);
	entry.start = tl_frame_pointer(&header.body, section, entry.common.pointer_encoding, place, 0);
	size = tl_frame_pointer(&header.body, section, entry.common.pointer_encoding & 0x0f, 0, 0);
	if (entry.common.sized)
		(void)tl_cursor_take(&header.body, tl_take_unsigned(&header.body));
	if (header.body.failed)
		return damaged(section, offset, "less in it than its fields", error);
	if (size > TL_U64_MAX - entry.start)
		return damaged(section, offset, "a range beyond the address space", error);
	entry.end = entry.start + size;
	entry.instructions = header.body;
	*entry_ret = entry;
	return TL_OK;
}
