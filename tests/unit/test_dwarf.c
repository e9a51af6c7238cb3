#include "base/storage.h"
#include "symbols/bytes.h"
#include "symbols/dwarf.h"
#include "tests/unit/test.h"

#ifndef PROGRAM
#error "PROGRAM is a program with debug information"
#endif

struct opened {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
};

static bool open_program(struct opened *opened, const char *path)
{
	struct tl_error error = {0};
	bool good;

	*opened = (struct opened){NULL, NULL};
	good = tl_image_open(&opened->image, path, NULL, &error) == TL_OK &&
	       tl_dwarf_open(&opened->dwarf, opened->image, &error) == TL_OK;
	if (!good)
		printf("  %s: %s\n", path, error.text);
	return good;
}

static void close_program(struct opened *opened)
{
	tl_dwarf_close(opened->dwarf);
	tl_image_close(opened->image);
}

static bool ends_with(const char *text, const char *end)
{
	return text != NULL && strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* The child of a unit's topmost entry with a tag and a name. */
static bool find(const struct tl_unit *unit, tl_u16 tag, const char *name, struct tl_entry *entry_ret)
{
	struct tl_attribute attribute;
	struct tl_entry entry;

	if (tl_entry_top(unit, &entry, NULL) != TL_OK || tl_entry_child(&entry, &entry, NULL) != TL_OK)
		return false;
	while (entry.tag != 0) {
		if (tl_entry_attribute(&entry, DW_AT_name, &attribute, NULL) != TL_OK)
			return false;
		if (entry.tag == tag && attribute.kind == TL_CLASS_STRING && strcmp(attribute.text, name) == 0) {
			*entry_ret = entry;
			return true;
		}
		if (tl_entry_sibling(&entry, &entry, NULL) != TL_OK)
			return false;
	}
	return false;
}

TEST(leb128_is_read_whatever_its_length)
{
	static const tl_u8 bytes[] = {0xe5, 0x8e, 0x26, 0x7f, 0x80, 0x7f, 0x80, 0x80, 0x80, 0x80,
				      0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0xff, 0xff,
				      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x80};
	struct tl_cursor cursor = tl_cursor_make(bytes, sizeof(bytes));

	CHECK_EQUAL(tl_take_unsigned(&cursor), 624485);
	CHECK_EQUAL(tl_take_signed(&cursor), -1);
	CHECK_EQUAL(tl_take_signed(&cursor), -128);
	CHECK_EQUAL(tl_take_unsigned(&cursor), 0);
	CHECK_EQUAL(tl_take_unsigned(&cursor), TL_U64_MAX);
	CHECK(!cursor.failed);
	CHECK_EQUAL(tl_take_unsigned(&cursor), 0);
	CHECK(cursor.failed && tl_cursor_done(&cursor));
}

TEST(constants_have_names)
{
	CHECK_TEXT(tl_dwarf_tag_name(DW_TAG_subprogram), "subprogram");
	CHECK_TEXT(tl_dwarf_attribute_name(DW_AT_low_pc), "low_pc");
	CHECK_TEXT(tl_dwarf_form_name(DW_FORM_GNU_ref_alt), "GNU_ref_alt");
	CHECK_TEXT(tl_dwarf_tag_name(0xfff0), "?");
}

TEST(units_are_listed_with_what_their_topmost_entries_say)
{
	struct opened opened;
	const struct tl_unit *unit;

	REQUIRE(open_program(&opened, PROGRAM));
	CHECK_EQUAL(tl_dwarf_unit_count(opened.dwarf), 2);
	CHECK(tl_dwarf_remark(opened.dwarf) == NULL);
	CHECK(tl_dwarf_unit(opened.dwarf, 2) == NULL);
	unit = tl_dwarf_unit(opened.dwarf, 0);
	REQUIRE(unit != NULL);
	CHECK(ends_with(unit->name, "program.c") && unit->directory != NULL && strstr(unit->producer, "C17") != NULL);
	CHECK(unit->tag == DW_TAG_compile_unit && unit->language == DW_LANG_C11 && unit->has_lines);
	CHECK(tl_dwarf_unit_at(opened.dwarf, unit->offset, false) == unit);
	CHECK(tl_dwarf_unit_at(opened.dwarf, unit->end - 1, false) == unit);
	CHECK(tl_dwarf_unit_at(opened.dwarf, unit->end, false) == tl_dwarf_unit(opened.dwarf, 1));
	CHECK(tl_dwarf_unit_at(opened.dwarf, unit->offset, true) == NULL);
	CHECK(tl_dwarf_unit_at(opened.dwarf, TL_U64_MAX, false) == NULL);
	close_program(&opened);
}

TEST(references_are_followed_and_attributes_inherited)
{
	struct opened opened;
	struct tl_entry entry = {0}, type = {0}, child;
	struct tl_attribute attribute;

	REQUIRE(open_program(&opened, PROGRAM));
	REQUIRE(find(tl_dwarf_unit(opened.dwarf, 0), DW_TAG_typedef, "list", &entry));
	REQUIRE(tl_entry_attribute(&entry, DW_AT_type, &attribute, NULL) == TL_OK);
	REQUIRE(tl_entry_follow(&attribute, &type, NULL) == TL_OK);
	CHECK(type.tag == DW_TAG_pointer_type);
	REQUIRE(tl_entry_attribute(&entry, DW_AT_name, &attribute, NULL) == TL_OK);
	CHECK(tl_entry_follow(&attribute, &type, NULL) == TL_ERROR_MALFORMED);
	REQUIRE(tl_entry_attribute(&entry, DW_AT_low_pc, &attribute, NULL) == TL_OK);
	CHECK(attribute.kind == TL_CLASS_NONE);

	/* An inlined function's name is that of its origin. */
	REQUIRE(find(tl_dwarf_unit(opened.dwarf, 0), DW_TAG_subprogram, "variable_length", &entry));
	REQUIRE(tl_entry_child(&entry, &child, NULL) == TL_OK);
	for (bool done = false; !done && child.tag != DW_TAG_inlined_subroutine;)
		REQUIRE(tl_entry_next(&child, &child, &done, NULL) == TL_OK);
	REQUIRE(tl_entry_attribute(&child, DW_AT_name, &attribute, NULL) == TL_OK);
	CHECK(attribute.kind == TL_CLASS_NONE);
	REQUIRE(tl_entry_inherited(&child, DW_AT_name, &attribute, NULL) == TL_OK);
	REQUIRE(attribute.kind == TL_CLASS_STRING);
	CHECK_TEXT(attribute.text, "inlined");
	close_program(&opened);
}

TEST(an_entry_is_found_only_inside_its_unit)
{
	const struct tl_unit *unit;
	struct tl_error error;
	struct opened opened;
	struct tl_entry entry;

	REQUIRE(open_program(&opened, PROGRAM));
	unit = tl_dwarf_unit(opened.dwarf, 0);
	CHECK(tl_entry_at(unit, unit->offset, &entry, &error) == TL_ERROR_MALFORMED);
	CHECK(tl_entry_at(unit, unit->end, &entry, &error) == TL_ERROR_MALFORMED);
	CHECK(tl_entry_at(unit, TL_U64_MAX, &entry, &error) == TL_ERROR_MALFORMED);
	CHECK(tl_entry_at(unit, unit->first_entry, &entry, &error) == TL_OK);
	CHECK(tl_entry_sibling(&entry, &entry, &error) == TL_OK && entry.tag == 0);
	close_program(&opened);
}

static bool count_range(void *context, tl_u64 start, tl_u64 end)
{
	unsigned *count = context;

	*count += start < end;
	return false;
}

TEST(a_callback_ends_what_it_has_enough_of)
{
	struct opened opened;
	struct tl_entry top;
	unsigned count = 0;

	REQUIRE(open_program(&opened, PROGRAM));
	REQUIRE(tl_entry_top(tl_dwarf_unit(opened.dwarf, 0), &top, NULL) == TL_OK);
	REQUIRE(tl_entry_ranges(&top, count_range, &count, NULL) == TL_OK);
	CHECK_EQUAL(count, 1);
	close_program(&opened);
}

TEST(what_is_not_linked_is_not_read_and_said_so)
{
	struct opened opened = {NULL, NULL};
	static char bytes[1 << 20];
	FILE *file = fopen(PROGRAM, "rb");
	size_t size;

	REQUIRE(file != NULL);
	size = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	bytes[16] = 1; /* e_type: ET_REL */
	REQUIRE(tl_image_open_bytes(&opened.image, "object", bytes, size, NULL) == TL_OK);
	REQUIRE(tl_dwarf_open(&opened.dwarf, opened.image, NULL) == TL_OK);
	CHECK_EQUAL(tl_dwarf_unit_count(opened.dwarf), 0);
	CHECK(tl_dwarf_remark(opened.dwarf) != NULL && strstr(tl_dwarf_remark(opened.dwarf), "link") != NULL);
	close_program(&opened);
}

TEST(storage_that_fails_is_an_error_and_leaks_nothing)
{
	enum tl_status status = TL_ERROR_NO_MEMORY;
	unsigned failed = 0;

	for (tl_u64 n = 1; n < 200 && status != TL_OK; n++) {
		struct opened opened = {NULL, NULL};
		struct tl_entry entry = {0};

		REQUIRE(tl_image_open(&opened.image, PROGRAM, NULL, NULL) == TL_OK);
		tl_storage_fail(n);
		status = tl_dwarf_open(&opened.dwarf, opened.image, NULL);
		if (status == TL_OK)
			status = tl_entry_top(tl_dwarf_unit(opened.dwarf, 1), &entry, NULL);
		tl_storage_fail(0);
		CHECK(status == TL_OK || status == TL_ERROR_NO_MEMORY);
		failed += status != TL_OK;
		close_program(&opened);
	}
	CHECK(status == TL_OK && failed > 4);
	CHECK_EQUAL(tl_storage_live(), 0);
}
