#include "symbols/line_header.h"

#include "base/storage.h"
#include "symbols/bytes.h"
#include "symbols/dwarf_constants.h"

/* DW_LNCT_* (DWARF 5, section 7.22): what a column of a table of files or directories holds. */
enum { CONTENT_PATH = 1, CONTENT_DIRECTORY = 2, CONTENT_MD5 = 5 };

/* A column, and the value of one entry in it. */
struct column {
	tl_u64 content, form;
};

#define COLUMNS_MAX 16

struct value {
	tl_u64 number;
	const char *text;
	const tl_u8 *bytes;
	tl_size size;
};

/* What is being read. */
struct reading {
	const struct tl_line_sections *sections;
	struct tl_line_table *table;
	struct tl_line_header header;
	struct tl_cursor cursor;
	tl_u8 address_size;
};

static enum tl_status damaged(tl_u64 offset, const char *what, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_MALFORMED, ".debug_line is damaged: the table at 0x%llx %s",
		       (unsigned long long)offset, what);
}

static enum tl_status no_memory(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a line table");
}

enum tl_status tl_line_add_file(struct tl_line_table *table, const char *name, tl_u64 directory, const tl_u8 *checksum)
{
	void *files = table->files;

	if (!tl_grow(tl_storage(), &files, &table->file_capacity, table->file_count, sizeof(*table->files)))
		return TL_ERROR_NO_MEMORY;
	table->files = files;
	table->files[table->file_count++] = (struct tl_line_file){name, directory, checksum};
	return TL_OK;
}

static enum tl_status add_directory(struct tl_line_table *table, const char *name)
{
	void *directories = table->directories;

	if (!tl_grow(tl_storage(), &directories, &table->directory_capacity, table->directory_count, sizeof(name)))
		return TL_ERROR_NO_MEMORY;
	table->directories = directories;
	table->directories[table->directory_count++] = name;
	return TL_OK;
}

/* A string at an offset of a section of strings; NULL when it does not end in it. */
static const char *text_at(const struct tl_section_bytes *section, tl_u64 offset)
{
	struct tl_cursor cursor = tl_cursor_make(section->bytes, section->size);

	tl_take_skip(&cursor, offset);
	return tl_take_text(&cursor);
}

/* The forms that the standard allows here, and what dwz makes of strings. Any other fails the cursor. */
static struct value take_value(struct reading *reading, tl_u64 form)
{
	const struct tl_line_sections *sections = reading->sections;
	struct tl_cursor *cursor = &reading->cursor, part;
	struct value value = {.text = NULL};

	switch (form) {
	case DW_FORM_string:
		value.text = tl_take_text(cursor);
		break;
	case DW_FORM_line_strp:
		value.text = text_at(&sections->line_str, tl_take_word(cursor, reading->header.offset_size));
		break;
	case DW_FORM_strp:
		value.text = text_at(&sections->str, tl_take_word(cursor, reading->header.offset_size));
		break;
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
		value.text = text_at(&sections->common_str, tl_take_word(cursor, reading->header.offset_size));
		break;
	case DW_FORM_data1:
		value.number = tl_take_u8(cursor);
		break;
	case DW_FORM_data2:
		value.number = tl_take_u16(cursor);
		break;
	case DW_FORM_data4:
		value.number = tl_take_u32(cursor);
		break;
	case DW_FORM_data8:
		value.number = tl_take_u64(cursor);
		break;
	case DW_FORM_udata:
		value.number = tl_take_unsigned(cursor);
		break;
	case DW_FORM_data16:
	case DW_FORM_block:
		part = tl_cursor_take(cursor, form == DW_FORM_data16 ? 16 : tl_take_unsigned(cursor));
		value.bytes = part.at;
		value.size = tl_cursor_left(&part);
		break;
	default:
		tl_take_fail(cursor);
		break;
	}
	return value;
}

/* One entry of a table of files or directories of version 5. */
static enum tl_status take_entry(struct reading *reading, const struct column *columns, tl_u8 count, bool files)
{
	const tl_u8 *checksum = NULL;
	const char *name = NULL;
	tl_u64 directory = 0;

	for (tl_u8 i = 0; i < count; i++) {
		struct value value = take_value(reading, columns[i].form);

		if (columns[i].content == CONTENT_PATH)
			name = value.text;
		else if (columns[i].content == CONTENT_DIRECTORY)
			directory = value.number;
		else if (columns[i].content == CONTENT_MD5 && value.size == 16)
			checksum = value.bytes;
	}
	if (reading->cursor.failed)
		return TL_ERROR_MALFORMED;
	/* A name that lies nowhere is not worth the rows. */
	if (name == NULL)
		name = "?";
	return files ? tl_line_add_file(reading->table, name, directory, checksum)
		     : add_directory(reading->table, name);
}

static enum tl_status take_entries(struct reading *reading, bool files)
{
	struct column columns[COLUMNS_MAX];
	tl_u8 count = tl_take_u8(&reading->cursor);
	tl_u64 entries;

	if (count > COLUMNS_MAX)
		return TL_ERROR_MALFORMED;
	for (tl_u8 i = 0; i < count; i++) {
		columns[i].content = tl_take_unsigned(&reading->cursor);
		columns[i].form = tl_take_unsigned(&reading->cursor);
	}
	entries = tl_take_unsigned(&reading->cursor);
	/* Each takes up a byte at the least, unless it has no columns and is nothing. */
	if (reading->cursor.failed || entries > tl_cursor_left(&reading->cursor) || (count == 0 && entries != 0))
		return TL_ERROR_MALFORMED;
	for (tl_u64 i = 0; i < entries; i++)
		TL_TRY(take_entry(reading, columns, count, files));
	return TL_OK;
}

/* Versions 2 to 4: strings, an empty one at the end. */
static enum tl_status take_old_entries(struct reading *reading)
{
	struct tl_cursor *cursor = &reading->cursor;
	const char *name;

	TL_TRY(add_directory(reading->table, reading->table->directory));
	TL_TRY(tl_line_add_file(reading->table, NULL, 0, NULL)); /* numbers begin with 1 */
	while ((name = tl_take_text(cursor)) != NULL && name[0] != '\0')
		TL_TRY(add_directory(reading->table, name));
	while ((name = tl_take_text(cursor)) != NULL && name[0] != '\0') {
		tl_u64 directory = tl_take_unsigned(cursor);

		(void)tl_take_unsigned(cursor); /* when it was changed, and its size, mostly 0 */
		(void)tl_take_unsigned(cursor);
		TL_TRY(tl_line_add_file(reading->table, name, directory, NULL));
	}
	return cursor->failed ? TL_ERROR_MALFORMED : TL_OK;
}

/* Where the table begins and ends, and its version: `cursor` then stands behind that. */
static enum tl_status take_extent(const struct tl_line_sections *sections, tl_u64 offset, struct tl_cursor *cursor,
				  struct tl_line_header *header)
{
	struct tl_cursor all = tl_cursor_make(sections->line.bytes, sections->line.size);
	tl_u64 length;

	tl_take_skip(&all, offset);
	length = tl_take_u32(&all);
	header->offset = offset;
	header->offset_size = 4;
	if (length == TL_U32_MAX) {
		header->offset_size = 8;
		length = tl_take_u64(&all);
	} else if (length >= 0xfffffff0) {
		return TL_ERROR_MALFORMED;
	}
	*cursor = tl_cursor_take(&all, length);
	if (all.failed)
		return TL_ERROR_MALFORMED;
	header->end = (tl_u64)(all.at - sections->line.bytes);
	return TL_OK;
}

enum tl_status tl_line_table_next(const struct tl_line_sections *sections, tl_u64 *offset)
{
	struct tl_line_header header;
	struct tl_cursor cursor;

	TL_TRY(take_extent(sections, *offset, &cursor, &header));
	if (header.end >= sections->line.size)
		return TL_ERROR_MALFORMED;
	*offset = header.end;
	return TL_OK;
}

/* What stands between the version and the files. */
static enum tl_status take_fields(struct reading *reading, struct tl_error *error)
{
	struct tl_line_header *header = &reading->header;
	struct tl_cursor *cursor = &reading->cursor, lengths;
	tl_u64 header_length;

	if (header->version >= 5) {
		reading->address_size = tl_take_u8(cursor);
		if (tl_take_u8(cursor) != 0)
			return TL_FAIL(error, TL_ERROR_UNSUPPORTED, ".debug_line: the table at 0x%llx has segments",
				       (unsigned long long)header->offset);
	}
	header_length = tl_take_word(cursor, header->offset_size);
	header->program = *cursor;
	tl_take_skip(&header->program, header_length);
	header->minimum_length = tl_take_u8(cursor);
	header->maximum_operations = header->version >= 4 ? tl_take_u8(cursor) : 1;
	if (header->maximum_operations == 0) /* some writers leave it so */
		header->maximum_operations = 1;
	header->statement = tl_take_u8(cursor) != 0;
	header->line_base = (tl_i8)tl_take_u8(cursor);
	header->line_range = tl_take_u8(cursor);
	header->opcode_base = tl_take_u8(cursor);
	lengths = tl_cursor_take(cursor, header->opcode_base != 0 ? header->opcode_base - 1u : 0);
	header->opcode_lengths = lengths.at;
	if (cursor->failed || header->program.failed)
		return damaged(header->offset, "has less in it than its fields", error);
	if (header->line_range == 0 || header->opcode_base == 0)
		return damaged(header->offset, "has an impossible header", error);
	return TL_OK;
}

enum tl_status tl_line_header_read(const struct tl_line_sections *sections, tl_u64 offset, struct tl_line_table *table,
				   struct tl_line_header *header_ret, struct tl_error *error)
{
	struct reading reading = {.sections = sections, .table = table};
	enum tl_status status;

	if (take_extent(sections, offset, &reading.cursor, &reading.header) != TL_OK)
		return damaged(offset, "leads out of the section", error);
	reading.header.version = tl_take_u16(&reading.cursor);
	if (reading.cursor.failed)
		return damaged(offset, "has no version", error);
	if (reading.header.version < 2 || reading.header.version > 5)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       ".debug_line: version %u of the table at 0x%llx is not known", reading.header.version,
			       (unsigned long long)offset);
	TL_TRY(take_fields(&reading, error));
	if (reading.header.version >= 5) {
		status = take_entries(&reading, false);
		if (status == TL_OK)
			status = take_entries(&reading, true);
	} else {
		status = take_old_entries(&reading);
	}
	if (status == TL_ERROR_NO_MEMORY)
		return no_memory(error);
	if (status != TL_OK)
		return damaged(offset, "has a list of files that makes no sense", error);
	table->offset = offset;
	table->version = reading.header.version;
	*header_ret = reading.header;
	return TL_OK;
}
