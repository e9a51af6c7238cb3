#include "base/storage.h"
#include "symbols/dwarf_constants.h"
#include "symbols/scope.h"
#include "symbols/type_index.h"
#include "symbols/type_text.h"
#include "tests/symbols/wrap.h"
#include "tests/unit/test.h"

#include <pthread.h>

#if !defined(PROGRAM) || !defined(OPTIMISED)
#error "PROGRAM and OPTIMISED are types.c, compiled without and with optimisation"
#endif

struct opened {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_tree *tree;
	struct tl_types *types;
	struct tl_scopes *scopes;
};

static struct tl_error error;

static bool open_readers(struct opened *opened)
{
	return tl_dwarf_open(&opened->dwarf, opened->image, &error) == TL_OK &&
	       tl_tree_open(&opened->tree, opened->dwarf, &error) == TL_OK &&
	       tl_types_open(&opened->types, opened->dwarf, opened->tree, &error) == TL_OK &&
	       tl_scopes_open(&opened->scopes, opened->dwarf, &error) == TL_OK;
}

static bool open_program(struct opened *opened, const char *path)
{
	bool good;

	*opened = (struct opened){NULL, NULL, NULL, NULL, NULL};
	good = tl_image_open(&opened->image, path, NULL, &error) == TL_OK && open_readers(opened);
	if (!good)
		printf("  %s: %s\n", path, error.text);
	return good;
}

static void close_program(struct opened *opened)
{
	tl_scopes_close(opened->scopes);
	tl_types_close(opened->types);
	tl_tree_close(opened->tree);
	tl_dwarf_close(opened->dwarf);
	tl_image_close(opened->image);
}

/* The first entry of any depth with a tag and a name. */
static bool find(const struct opened *opened, tl_u16 tag, const char *name, struct tl_entry *entry_ret)
{
	struct tl_attribute attribute;
	struct tl_entry entry;
	bool done = false;

	if (tl_dwarf_unit_count(opened->dwarf) == 0 ||
	    tl_entry_top(tl_dwarf_unit(opened->dwarf, 0), &entry, &error) != TL_OK)
		return false;
	while (!done) {
		if (entry.tag == tag && tl_entry_attribute(&entry, DW_AT_name, &attribute, NULL) == TL_OK &&
		    attribute.kind == TL_CLASS_STRING && strcmp(attribute.text, name) == 0) {
			*entry_ret = entry;
			return true;
		}
		if (tl_entry_next(&entry, &entry, &done, &error) != TL_OK)
			return false;
	}
	return false;
}

static const struct tl_type *type_named(const struct opened *opened, tl_u16 tag, const char *name)
{
	const struct tl_type *type;
	struct tl_entry entry;

	if (!find(opened, tag, name, &entry) || tl_type_at(opened->types, &entry, &type, &error) != TL_OK)
		return NULL;
	return type;
}

/* The name of a variable's type, in `text`. */
static const char *type_of_variable(const struct opened *opened, const char *name, char text[static 256])
{
	struct tl_output output = tl_output_make(256);
	const struct tl_type *type;
	struct tl_entry entry;

	text[0] = 0;
	if (find(opened, DW_TAG_variable, name, &entry) && tl_type_of(opened->types, &entry, &type, &error) == TL_OK &&
	    tl_type_write_name(type, &output, &error) == TL_OK)
		strcpy(text, tl_output_string(&output));
	tl_output_release(&output);
	return text;
}

static void check_description(const struct tl_type *type, unsigned flags, const char *wanted)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);

	REQUIRE(type != NULL);
	CHECK(tl_type_write_description(type, flags, &output, &error) == TL_OK);
	CHECK_TEXT(tl_output_string(&output), wanted);
	tl_output_release(&output);
}

TEST(types_are_named_as_a_c_programmer_writes_them)
{
	struct opened opened;
	char text[256];

	REQUIRE(open_program(&opened, PROGRAM));
	CHECK_TEXT(type_of_variable(&opened, "matrix", text), "int [4][5]");
	CHECK_TEXT(type_of_variable(&opened, "text", text), "const char * const");
	CHECK_TEXT(type_of_variable(&opened, "pointers", text), "const int * const * volatile");
	CHECK_TEXT(type_of_variable(&opened, "restricted", text), "int * const restrict *");
	CHECK_TEXT(type_of_variable(&opened, "everything", text), "struct everything");
	CHECK_TEXT(type_of_variable(&opened, "unknown", text), "struct unknown *");
	CHECK_TEXT(type_of_variable(&opened, "ull", text), "unsigned long long");
	CHECK_TEXT(type_of_variable(&opened, "here", text), "constant");
	CHECK_TEXT(type_of_variable(&opened, "call", text), "callback");
	close_program(&opened);
}

TEST(a_struct_is_described_with_offsets_and_holes)
{
	struct opened opened;

	REQUIRE(open_program(&opened, PROGRAM));
	check_description(type_named(&opened, DW_TAG_structure_type, "bits"), TL_TYPE_TEXT_OFFSETS,
			  "/* offset      |    size */  type = struct bits {\n"
			  "/*      0: 0   |       4 */    unsigned int a : 3;\n"
			  "/*      0: 3   |       4 */    unsigned int b : 5;\n"
			  "/* XXX  2-bit hole       */\n"
			  "/*      1: 2   |       4 */    unsigned int c : 7;\n"
			  "/* XXX  7-bit hole       */\n"
			  "/* XXX  1-byte hole      */\n"
			  "/*      4      |       4 */    int d;\n"
			  "/*      8: 0   |       4 */    unsigned int e : 1;\n"
			  "/* XXX  7-bit hole       */\n"
			  "/*      9      |       1 */    char f;\n"
			  "/*     10: 0   |       8 */    unsigned long g : 40;\n"
			  "/* XXX  1-byte padding   */\n"
			  "\n"
			  "                               /* total size (bytes):   16 */\n"
			  "                             }\n");
	check_description(type_named(&opened, DW_TAG_structure_type, "packed"),
			  TL_TYPE_TEXT_OFFSETS | TL_TYPE_TEXT_HEXADECIMAL,
			  "/* offset      |    size */  type = struct packed {\n"
			  "/* 0x0000      |  0x0001 */    char a;\n"
			  "/* 0x0001      |  0x0004 */    int b;\n"
			  "/* 0x0005      |  0x0001 */    char c;\n"
			  "\n"
			  "                               /* total size (bytes):    6 */\n"
			  "                             }\n");
	check_description(type_named(&opened, DW_TAG_enumeration_type, "negative"), TL_TYPE_TEXT_OFFSETS,
			  "type = enum negative {MINUS = -5, NEXT, HUNDRED = 100}\n");
	check_description(type_named(&opened, DW_TAG_structure_type, "unknown"), 0,
			  "type = struct unknown {\n    <incomplete type>\n}\n");
	close_program(&opened);
}

TEST(what_was_read_once_is_not_read_again)
{
	struct opened opened;
	const struct tl_type *type, *again;
	const struct tl_member *members, *same;
	tl_size count, same_count;

	REQUIRE(open_program(&opened, PROGRAM));
	type = type_named(&opened, DW_TAG_structure_type, "everything");
	again = type_named(&opened, DW_TAG_structure_type, "everything");
	REQUIRE(type != NULL);
	CHECK(type == again);
	CHECK(tl_type_members(type, &members, &count, &error) == TL_OK);
	CHECK(tl_type_members(type, &same, &same_count, &error) == TL_OK);
	CHECK(members == same);
	CHECK_EQUAL(count, same_count);
	CHECK_EQUAL(members[2].bit_offset, 64);
	CHECK_TEXT(members[2].name, "d");
	close_program(&opened);
}

TEST(made_types_are_like_read_ones_and_each_is_made_once)
{
	struct opened opened;
	const struct tl_type *base, *pointer, *array, *constant, *same;
	struct tl_output output = tl_output_make(256);
	tl_u64 size;
	bool known;

	REQUIRE(open_program(&opened, PROGRAM));
	REQUIRE(tl_type_make_base(opened.types, "int", DW_ATE_signed, 4, &base, &error) == TL_OK);
	REQUIRE(tl_type_make_qualified(base, TL_TYPE_CONST, &constant, &error) == TL_OK);
	REQUIRE(tl_type_make_array(constant, 3, &array, &error) == TL_OK);
	REQUIRE(tl_type_make_pointer(array, 8, &pointer, &error) == TL_OK);
	CHECK(tl_type_write_declaration(pointer, "p", &output, &error) == TL_OK);
	CHECK_TEXT(tl_output_string(&output), "const int (*p)[3]");
	CHECK(tl_type_size(array, &size, &known, &error) == TL_OK && known);
	CHECK_EQUAL(size, 12);
	REQUIRE(tl_type_make_array(constant, 3, &same, &error) == TL_OK);
	CHECK(same == array);
	REQUIRE(tl_type_make_array(constant, 4, &same, &error) == TL_OK);
	CHECK(same != array);
	CHECK(tl_type_make_qualified(base, TL_TYPE_POINTER, &same, &error) == TL_ERROR_ARGUMENT);
	tl_output_release(&output);
	close_program(&opened);
}

TEST(variable_arrays_say_that_their_bound_must_be_evaluated)
{
	struct opened opened;
	const struct tl_type *type;
	const struct tl_bound *bound;
	struct tl_entry entry;
	tl_u64 size;
	bool known = true;

	REQUIRE(open_program(&opened, PROGRAM));
	REQUIRE(find(&opened, DW_TAG_variable, "b", &entry));
	REQUIRE(tl_type_of(opened.types, &entry, &type, &error) == TL_OK);
	CHECK(type->kind == TL_TYPE_ARRAY);
	REQUIRE(tl_type_bound(type, &bound, &error) == TL_OK);
	CHECK(bound->kind == TL_BOUND_EXPRESSION);
	CHECK(tl_type_size(type, &size, &known, &error) == TL_OK);
	CHECK(!known);
	REQUIRE(tl_type_target(type, &type, &error) == TL_OK);
	CHECK(type->kind == TL_TYPE_ARRAY);
	close_program(&opened);
}

TEST(a_declaration_is_completed_by_the_index)
{
	struct opened opened;
	const struct tl_type *type, *complete;
	struct tl_index *index = NULL;

	REQUIRE(open_program(&opened, PROGRAM));
	type = type_named(&opened, DW_TAG_structure_type, "elsewhere");
	REQUIRE(type != NULL);
	CHECK(type->declaration);
	REQUIRE(tl_type_complete(type, &complete, &error) == TL_OK);
	CHECK(complete == type);
	REQUIRE(tl_index_build(&index, opened.dwarf, NULL, &error) == TL_OK);
	tl_types_set_lookup(opened.types, tl_type_find_in_index, index);
	REQUIRE(tl_type_complete(type, &complete, &error) == TL_OK);
	CHECK(complete != type);
	CHECK_EQUAL(complete->size, 16);
	check_description(type, 0, "type = struct elsewhere {\n    int known;\n    struct elsewhere *next;\n}\n");
	/* Nobody defines this one. */
	type = type_named(&opened, DW_TAG_structure_type, "unknown");
	REQUIRE(type != NULL);
	REQUIRE(tl_type_complete(type, &complete, &error) == TL_OK);
	CHECK(complete == type);
	tl_index_close(index);
	close_program(&opened);
}

TEST(types_stop_at_their_limit_and_can_be_forgotten)
{
	struct opened opened;
	const struct tl_type *type;
	struct tl_entry entry;

	REQUIRE(open_program(&opened, PROGRAM));
	REQUIRE(find(&opened, DW_TAG_structure_type, "everything", &entry));
	tl_types_set_limit(opened.types, 1024);
	CHECK(tl_type_at(opened.types, &entry, &type, &error) == TL_ERROR_NO_MEMORY);
	tl_types_set_limit(opened.types, 1 << 20);
	CHECK(tl_type_at(opened.types, &entry, &type, &error) == TL_OK);
	CHECK(tl_types_storage(opened.types) != 0);
	tl_types_forget(opened.types);
	CHECK_EQUAL(tl_types_storage(opened.types), 0);
	CHECK(tl_type_at(opened.types, &entry, &type, &error) == TL_OK);
	CHECK(type->kind == TL_TYPE_STRUCT);
	close_program(&opened);
}

static bool count_variable(void *context, const struct tl_variable *variable)
{
	(void)variable;
	++*(unsigned *)context;
	return true;
}

/* Reads of everything; all that may fail for lack of storage. */
static enum tl_status read_everything(struct opened *opened, unsigned *count_ret)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct tl_scope_chain chain = {NULL, 0, 0};
	struct tl_entry entry;
	const struct tl_type *type;
	struct tl_attribute low;
	enum tl_status status;

	*count_ret = 0;
	if (!find(opened, DW_TAG_structure_type, "everything", &entry))
		return error.status;
	status = tl_type_at(opened->types, &entry, &type, &error);
	if (status == TL_OK)
		status = tl_type_write_description(type, TL_TYPE_TEXT_OFFSETS, &output, &error);
	if (status == TL_OK && !find(opened, DW_TAG_subprogram, "sum", &entry))
		status = error.status;
	if (status == TL_OK)
		status = tl_entry_attribute(&entry, DW_AT_low_pc, &low, &error);
	if (status == TL_OK)
		status = tl_scopes_at(opened->scopes, low.number, &chain, &error);
	for (tl_size i = 0; status == TL_OK && i < chain.count; i++)
		status = tl_scope_variables(&chain.scopes[i], count_variable, count_ret, &error);
	*count_ret += (unsigned)output.size;
	tl_scope_chain_release(&chain);
	tl_output_release(&output);
	return status;
}

TEST(storage_that_fails_is_an_error_and_no_leak)
{
	const tl_u64 before = tl_storage_live();
	unsigned failures = 0;

	for (tl_u64 n = 1;; n++) {
		struct opened opened = {NULL, NULL, NULL, NULL, NULL};
		enum tl_status status = TL_ERROR_NO_MEMORY;
		unsigned count;

		REQUIRE(tl_image_open(&opened.image, OPTIMISED, NULL, &error) == TL_OK);
		tl_storage_fail(n);
		if (open_readers(&opened))
			status = read_everything(&opened, &count);
		tl_storage_fail(0);
		close_program(&opened);
		CHECK_EQUAL(tl_storage_live(), before);
		if (status == TL_OK)
			break;
		CHECK_EQUAL(status, TL_ERROR_NO_MEMORY);
		failures++;
	}
	CHECK(failures > 10);
}

static void *read_in_thread(void *context)
{
	struct opened *opened = context;
	unsigned count = 0;

	for (int i = 0; i < 20; i++) {
		struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
		const struct tl_type *type = NULL;
		struct tl_entry entry;
		bool done = false;

		if (tl_entry_top(tl_dwarf_unit(opened->dwarf, 0), &entry, NULL) != TL_OK)
			return NULL;
		while (!done) {
			if (entry.tag == DW_TAG_structure_type &&
			    tl_type_at(opened->types, &entry, &type, NULL) == TL_OK &&
			    tl_type_write_description(type, TL_TYPE_TEXT_OFFSETS, &output, NULL) == TL_OK)
				count++;
			if (tl_entry_next(&entry, &entry, &done, NULL) != TL_OK)
				return NULL;
		}
		count += (unsigned)output.size;
		tl_output_release(&output);
	}
	return (void *)(uintptr_t)count;
}

TEST(several_threads_read_the_same_types)
{
	struct opened opened;
	pthread_t threads[4];
	void *results[4];

	REQUIRE(open_program(&opened, PROGRAM));
	for (int i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, read_in_thread, &opened) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], &results[i]);
	CHECK(results[0] != NULL);
	for (int i = 1; i < 4; i++)
		CHECK(results[i] == results[0]);
	close_program(&opened);
}

struct names {
	char text[512];
};

static bool add_name(void *context, const struct tl_variable *variable)
{
	struct names *names = context;
	size_t size = strlen(names->text);

	snprintf(names->text + size, sizeof(names->text) - size, "%s%s ", variable->name,
		 variable->parameter ? "()" : "");
	return true;
}

TEST(blocks_are_inside_functions_and_declare_what_they_declare)
{
	struct opened opened;
	struct tl_scope_chain chain = {NULL, 0, 0};
	struct names names = {""};
	struct tl_attribute low;
	struct tl_entry entry;

	REQUIRE(open_program(&opened, PROGRAM));
	/* The block around `twice`, two blocks inside the function. */
	REQUIRE(find(&opened, DW_TAG_variable, "twice", &entry));
	REQUIRE(tl_tree_parent(opened.tree, &entry, &entry, &error) == TL_OK);
	CHECK_EQUAL(entry.tag, DW_TAG_lexical_block);
	REQUIRE(tl_entry_attribute(&entry, DW_AT_low_pc, &low, &error) == TL_OK);
	REQUIRE(tl_scopes_at(opened.scopes, low.number, &chain, &error) == TL_OK);
	REQUIRE(chain.count == 3);
	CHECK(chain.scopes[0].kind == TL_SCOPE_BLOCK && chain.scopes[1].kind == TL_SCOPE_BLOCK);
	CHECK(chain.scopes[2].kind == TL_SCOPE_FUNCTION);
	CHECK_TEXT(chain.scopes[2].name, "sum");
	for (tl_size i = 0; i < chain.count; i++)
		CHECK(tl_scope_variables(&chain.scopes[i], add_name, &names, &error) == TL_OK);
	CHECK_TEXT(names.text, "twice i n() m() a b local ");
	CHECK(tl_scopes_at(opened.scopes, 1, &chain, &error) == TL_OK);
	CHECK_EQUAL(chain.count, 0);
	tl_scope_chain_release(&chain);
	close_program(&opened);
}

/* Entries that no compiler writes: a typedef of itself, a struct in itself, an array of too much. */
static const uint8_t odd_abbreviations[] = {
	1,
	DW_TAG_compile_unit,
	1,
	0,
	0, /**/
	2,
	DW_TAG_typedef,
	0,
	DW_AT_type,
	DW_FORM_ref4,
	0,
	0, /**/
	3,
	DW_TAG_structure_type,
	1,
	DW_AT_byte_size,
	DW_FORM_data1,
	0,
	0, /**/
	4,
	DW_TAG_member,
	0,
	DW_AT_type,
	DW_FORM_ref4,
	0,
	0, /**/
	5,
	DW_TAG_array_type,
	1,
	DW_AT_type,
	DW_FORM_ref4,
	0,
	0, /**/
	6,
	DW_TAG_subrange_type,
	0,
	DW_AT_upper_bound,
	DW_FORM_data8,
	0,
	0, /**/
	7,
	DW_TAG_pointer_type,
	0,
	DW_AT_type,
	DW_FORM_ref4,
	0,
	0, /**/
	0,
};
static const uint8_t odd_entries[] = {
	0x51, 0,    0,    0,    4,    0,    0,    0,    0,    0, 8, /* header: DWARF 4, the entries below from 0xb on */
	1,                                                          /* 0x0b: the unit */
	2,    0x11, 0,    0,    0,                                  /* 0x0c: a typedef of the next one */
	2,    0x0c, 0,    0,    0,                                  /* 0x11: a typedef of the one before */
	3,    8,                                                    /* 0x16: a struct */
	4,    0x16, 0,    0,    0,                                  /* 0x18: with itself in it, */
	4,    0x16, 0,    0,    0,                                  /* 0x1d: twice */
	0,                                                          /* 0x22 */
	5,    0x16, 0,    0,    0,                                  /* 0x23: an array of those */
	6,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,       /* 0x28 */
	6,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,       /* 0x31 */
	0,                                                          /* 0x3a */
	7,    0x3b, 0,    0,    0,                                  /* 0x3b: a pointer to itself */
	7,    0x00, 1,    0,    0,                                  /* 0x40: a pointer to nowhere */
	4,    0,    0,    0,    0,                                  /* 0x45: no type */
	5,    0x16, 0,    0,    0,                                  /* 0x4a: an array without bounds */
	0,                                                          /* 0x4f */
	0,    0,    0,    0,    0,                                  /* 0x50 */
};

static bool open_odd(struct opened *opened, uint8_t file[4096])
{
	const struct wrapped_section sections[] = {
		{".debug_abbrev", odd_abbreviations, sizeof(odd_abbreviations)},
		{".debug_info", odd_entries, sizeof(odd_entries)},
	};
	size_t size = wrap_sections(file, sections, 2);
	bool good;

	*opened = (struct opened){NULL, NULL, NULL, NULL, NULL};
	good = tl_image_open_bytes(&opened->image, "odd", file, size, &error) == TL_OK && open_readers(opened) &&
	       tl_dwarf_unit_count(opened->dwarf) == 1;
	if (!good)
		printf("  odd: %s\n", error.text);
	return good;
}

static const struct tl_type *odd_type(struct opened *opened, tl_u64 offset)
{
	const struct tl_type *type = NULL;
	struct tl_entry entry;

	if (tl_entry_at(tl_dwarf_unit(opened->dwarf, 0), offset, &entry, &error) != TL_OK ||
	    tl_type_at(opened->types, &entry, &type, &error) != TL_OK)
		printf("  0x%llx: %s\n", (unsigned long long)offset, error.text);
	return type;
}

TEST(circles_end_in_an_error)
{
	static uint8_t file[4096];
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	const struct tl_type *type, *other;
	struct opened opened;
	tl_u64 size;
	bool known;

	REQUIRE(open_odd(&opened, file));
	type = odd_type(&opened, 0x0c);
	REQUIRE(type != NULL);
	CHECK_EQUAL(tl_type_strip(type, &other, &error), TL_ERROR_MALFORMED);
	CHECK_EQUAL(tl_type_size(type, &size, &known, &error), TL_ERROR_MALFORMED);
	CHECK_EQUAL(tl_type_write_name(type, &output, &error), TL_ERROR_MALFORMED);
	type = odd_type(&opened, 0x16);
	REQUIRE(type != NULL);
	/* Each of its members holds two more: it ends by depth, or by length. */
	CHECK(tl_type_write_description(type, TL_TYPE_TEXT_OFFSETS, &output, &error) != TL_OK);
	type = odd_type(&opened, 0x23);
	REQUIRE(type != NULL);
	CHECK_EQUAL(tl_type_size(type, &size, &known, &error), TL_ERROR_MALFORMED);
	tl_output_reset(&output);
	type = odd_type(&opened, 0x3b);
	REQUIRE(type != NULL);
	CHECK_EQUAL(tl_type_write_name(type, &output, &error), TL_ERROR_MALFORMED);
	type = odd_type(&opened, 0x40);
	REQUIRE(type != NULL);
	CHECK_EQUAL(tl_type_target(type, &other, &error), TL_ERROR_MALFORMED);
	CHECK(odd_type(&opened, 0x45) == NULL);
	CHECK_EQUAL(error.status, TL_ERROR_UNSUPPORTED);
	tl_output_release(&output);
	close_program(&opened);
}
