/*
 * Types that lead into themselves, and bases that are reached by more ways than anybody could go: what walks over them
 * comes to an end, soon.
 */
#include "debugger/values/classes.h"
#include "debugger/values/print.h"
#include "symbols/dwarf_constants.h"
#include "symbols/type_text.h"
#include "tests/symbols/wrap.h"
#include "tests/unit/test.h"

#include <time.h>

#define HEADER 11 /* of a unit of DWARF 4 */
#define LEVELS 40 /* 2^40 ways */

#define SECONDS 100

enum { UNIT = 1, CONST, POINTER, CLASS_TYPE, BASE, TYPEDEF };

static const uint8_t abbreviations[] = {UNIT,
					DW_TAG_compile_unit,
					1,
					DW_AT_language,
					DW_FORM_data1,
					0,
					0, /**/
					CONST,
					DW_TAG_const_type,
					0,
					DW_AT_type,
					DW_FORM_ref4,
					0,
					0, /**/
					POINTER,
					DW_TAG_pointer_type,
					0,
					DW_AT_type,
					DW_FORM_ref4,
					0,
					0, /**/
					CLASS_TYPE,
					DW_TAG_class_type,
					1,
					DW_AT_byte_size,
					DW_FORM_data1,
					DW_AT_name,
					DW_FORM_string,
					0,
					0, /**/
					BASE,
					DW_TAG_inheritance,
					0,
					DW_AT_type,
					DW_FORM_ref4,
					DW_AT_data_member_location,
					DW_FORM_data1,
					0,
					0, /**/
					TYPEDEF,
					DW_TAG_typedef,
					0,
					DW_AT_type,
					DW_FORM_ref4,
					0,
					0, /**/
					0};

struct fixture {
	uint8_t entries[2048];
	size_t size;
	uint8_t file[8192];
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_tree *tree;
	struct tl_types *types;
	struct tl_arena arena;
	struct tl_value_context values;
	time_t begin;
};

static struct fixture fixture;
static struct tl_error error;

static void put(unsigned byte)
{
	fixture.entries[fixture.size++] = (uint8_t)byte;
}

static void put_word(size_t word)
{
	for (unsigned i = 0; i < 4; i++)
		put((unsigned)(word >> 8 * i & 0xff));
}

/* Its one member is another entry. */
static void put_reference(unsigned kind, size_t target)
{
	put(kind);
	put_word(target);
}

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *why)
{
	(void)context, (void)why;
	memset(buffer, (int)(address & 0x70), size);
	return TL_OK;
}

static void begin(void)
{
	memset(&fixture, 0, sizeof(fixture));
	put_word(0);
	put(4);
	put(0);
	put_word(0);
	put(8);
	put(UNIT);
	put(DW_LANG_C_plus_plus_11);
}

static void open_types(void)
{
	struct wrapped_section sections[] = {{".debug_abbrev", abbreviations, sizeof(abbreviations)},
					     {".debug_info", fixture.entries, 0}};
	size_t length;

	put(0);
	length = sections[1].size = fixture.size;
	fixture.size = 0;
	put_word(length - 4);
	length = wrap_sections(fixture.file, sections, 2);
	REQUIRE(tl_image_open_bytes(&fixture.image, "nested", fixture.file, length, &error) == TL_OK);
	REQUIRE(tl_dwarf_open(&fixture.dwarf, fixture.image, &error) == TL_OK);
	REQUIRE(tl_tree_open(&fixture.tree, fixture.dwarf, &error) == TL_OK);
	REQUIRE(tl_types_open(&fixture.types, fixture.dwarf, fixture.tree, &error) == TL_OK);
	REQUIRE(tl_dwarf_unit_count(fixture.dwarf) == 1);
	fixture.values = (struct tl_value_context){.arena = &fixture.arena,
						   .types = fixture.types,
						   .address_size = 8,
						   .is_cplus = true,
						   .read = read_memory};
	fixture.begin = time(NULL);
}

static void close_types(void)
{
	CHECK(time(NULL) - fixture.begin < SECONDS);
	tl_arena_clear(&fixture.arena);
	tl_types_close(fixture.types);
	tl_tree_close(fixture.tree);
	tl_dwarf_close(fixture.dwarf);
	tl_image_close(fixture.image);
}

static const struct tl_type *type_at(size_t offset)
{
	const struct tl_type *type = NULL;
	struct tl_entry entry;

	if (tl_entry_at(tl_dwarf_unit(fixture.dwarf, 0), offset, &entry, &error) != TL_OK ||
	    tl_type_at(fixture.types, &entry, &type, &error) != TL_OK)
		printf("  0x%zx: %s\n", offset, error.text);
	return type;
}

/* Prints and describes; both end, well or with a word that says why not. */
static void show(const struct tl_type *type)
{
	const struct tl_print_options options = {.pretty = false};
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct tl_value value;

	error.text[0] = 0;
	CHECK((tl_value_at(&fixture.values, type, 0x1000, &value, &error) == TL_OK &&
	       tl_print_value(&fixture.values, &options, &value, &output, &error) == TL_OK) ||
	      error.text[0] != 0);
	error.text[0] = 0;
	CHECK(tl_type_write_description(type, TL_TYPE_TEXT_OFFSETS | TL_TYPE_TEXT_ALIASES, &output, &error) == TL_OK ||
	      error.text[0] != 0);
	tl_output_release(&output);
}

TEST(a_pointer_to_what_is_const_for_ever_is_printed)
{
	begin();
	put_reference(POINTER, fixture.size + 5);
	put_reference(CONST, fixture.size + 5);
	put_reference(CONST, fixture.size - 5);
	open_types();
	REQUIRE(type_at(HEADER + 2) != NULL);
	show(type_at(HEADER + 2));
	close_types();
}

TEST(a_pointer_to_names_of_names_for_ever_is_printed)
{
	begin();
	put_reference(POINTER, fixture.size + 5);
	put_reference(TYPEDEF, fixture.size + 5);
	put_reference(TYPEDEF, fixture.size - 5);
	open_types();
	REQUIRE(type_at(HEADER + 2) != NULL);
	show(type_at(HEADER + 2));
	close_types();
}

/* A class with two bases, each of them at an offset of entries. */
static void put_class(unsigned name, size_t left, size_t right)
{
	put(CLASS_TYPE);
	put(8);
	put(name);
	put(0);
	put_reference(BASE, left);
	put(0);
	put_reference(BASE, right);
	put(0);
	put(0);
}

/* All that looks for something in bases, which is not there. */
static void search(const struct tl_type *class)
{
	struct tl_value value, found;
	const struct tl_type *owner;
	const struct tl_member *member;
	bool known = false;

	show(class);
	REQUIRE(tl_value_at(&fixture.values, class, 0x1000, &value, &error) == TL_OK);
	CHECK(tl_value_member(&fixture.values, &value, "nothing", &found, &error) != TL_OK);
	(void)!tl_class_real(&fixture.values, &value, &found, &known, &error);
	CHECK(!known);
	(void)!tl_class_field_at(class, 0, &owner, &member, &error);
	(void)!tl_class_in_slot(class, 3, &owner, &member, &error);
	CHECK(member == NULL);
}

TEST(a_class_that_is_its_own_base_ends_in_an_error)
{
	const struct tl_type *class;

	begin();
	put_class('c', fixture.size, fixture.size);
	open_types();
	class = type_at(HEADER + 2);
	REQUIRE(class != NULL);
	search(class);
	close_types();
}

TEST(bases_that_are_reached_by_countless_ways_are_not_all_gone_to)
{
	const struct tl_type *class;

	begin();
	for (unsigned i = 0; i < LEVELS; i++)
		put_class('A' + i, fixture.size + 17, fixture.size + 17);
	put(CLASS_TYPE);
	put(8);
	put('z');
	put(0);
	put(0);
	open_types();
	class = type_at(HEADER + 2);
	REQUIRE(class != NULL);
	search(class);
	close_types();
}
