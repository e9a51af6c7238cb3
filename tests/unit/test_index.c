#include "base/storage.h"
#include "symbols/index_internal.h"
#include "tests/unit/test.h"

#ifndef PROGRAM
#error "PROGRAM is a C program with debug information, PROGRAM_CXX, if there is one, its brother in C++"
#endif

struct opened {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_index *index;
};

static bool open_program(struct opened *opened, const char *path, unsigned threads)
{
	struct tl_index_options options = {.threads = threads};
	struct tl_error error = {0};
	bool good;

	*opened = (struct opened){NULL, NULL, NULL};
	good = tl_image_open(&opened->image, path, NULL, &error) == TL_OK &&
	       tl_dwarf_open(&opened->dwarf, opened->image, &error) == TL_OK &&
	       tl_index_build(&opened->index, opened->dwarf, &options, &error) == TL_OK;
	if (!good)
		printf("  %s: %s\n", path, error.text);
	return good;
}

static void close_program(struct opened *opened)
{
	tl_index_close(opened->index);
	tl_dwarf_close(opened->dwarf);
	tl_image_close(opened->image);
}

struct results {
	unsigned count;
	struct tl_indexed list[16];
};

static bool note(void *context, const struct tl_indexed *found)
{
	struct results *results = context;

	if (results->count < TL_COUNT(results->list))
		results->list[results->count] = *found;
	results->count++;
	return true;
}

static struct results find(const struct opened *opened, const char *name, unsigned kinds)
{
	struct results results = {0};

	if (tl_index_find(opened->index, name, kinds, note, &results, NULL) != TL_OK)
		printf("  %s cannot be looked for\n", name);
	return results;
}

TEST(functions_are_found_by_name_in_the_order_of_the_file)
{
	struct results results;
	struct opened opened;
	struct tl_entry entry;

	REQUIRE(open_program(&opened, PROGRAM, 0));
	results = find(&opened, "main", TL_INDEX_FUNCTION);
	REQUIRE(results.count == 1);
	CHECK(results.list[0].tag == DW_TAG_subprogram &&
	      results.list[0].flags == (TL_INDEX_HAS_CODE | TL_INDEX_EXTERNAL));
	CHECK(tl_entry_at(results.list[0].unit, results.list[0].offset, &entry, NULL) == TL_OK);
	CHECK_EQUAL(entry.tag, DW_TAG_subprogram);
	results = find(&opened, "add", TL_INDEX_ALL);
	REQUIRE(results.count == 2);
	CHECK(results.list[0].unit < results.list[1].unit && results.list[0].flags == TL_INDEX_HAS_CODE);
	results = find(&opened, "inlined", TL_INDEX_ALL);
	REQUIRE(results.count == 1);
	CHECK_EQUAL(results.list[0].flags, TL_INDEX_INLINE);
	close_program(&opened);
}

TEST(kinds_are_told_apart)
{
	struct opened opened;

	REQUIRE(open_program(&opened, PROGRAM, 0));
	CHECK_EQUAL(find(&opened, "main", TL_INDEX_ALL & ~TL_INDEX_FUNCTION).count, 0);
	CHECK_EQUAL(find(&opened, "initialised", TL_INDEX_VARIABLE).count, 1);
	CHECK_EQUAL(find(&opened, "TUESDAY", TL_INDEX_ENUMERATOR).count, 1);
	CHECK_EQUAL(find(&opened, "LIMIT", TL_INDEX_ALL).count, 1);
	CHECK_EQUAL(find(&opened, "matrix", TL_INDEX_TYPE).list[0].tag, DW_TAG_typedef);
	/* Two different enumerations have that name; the structure is one, though both units have it. */
	CHECK_EQUAL(find(&opened, "weekday", TL_INDEX_TYPE).count, 2);
	CHECK_EQUAL(find(&opened, "node", TL_INDEX_TYPE).count, 1);
	CHECK_EQUAL(find(&opened, "opaque", TL_INDEX_ALL).count, 0);
	close_program(&opened);
}

TEST(what_makes_no_name_finds_nothing)
{
	static const char *const names[] = {"", "::", "main::", "::main::", "a::::b", "no_such_name", "main<", "<"};
	struct opened opened;

	REQUIRE(open_program(&opened, PROGRAM, 0));
	for (unsigned i = 0; i < TL_COUNT(names); i++)
		CHECK_EQUAL(find(&opened, names[i], TL_INDEX_ALL).count, 0);
	CHECK_EQUAL(find(&opened, "::main", TL_INDEX_ALL).count, 1);
	CHECK_EQUAL(find(&opened, "a::main", TL_INDEX_ALL).count, 0);
	close_program(&opened);
}

TEST(operators_are_told_from_template_arguments)
{
	static const struct {
		const char *name;
		unsigned base;
	} names[] = {{"f<int>", 1},
		     {"operator<", 9},
		     {"operator< <int>", 9},
		     {"operator<<int>", 9},
		     {"operator<<", 10},
		     {"operator<< <char, a::b<c> >", 10},
		     {"operator<<<char>", 10},
		     {"operator<=><a, b>", 11},
		     {"operator-<a*, b<c> >", 9},
		     {"operator->", 10},
		     {"operator->*<a>", 11},
		     {"operator()<a>", 10},
		     {"operator==<a>", 10},
		     {"operator std::b<c>", 18},
		     {"operatorial<c>", 11},
		     {"<lambda(int)>", 13},
		     {"operator", 8},
		     {"operator new []", 15}};

	for (unsigned i = 0; i < TL_COUNT(names); i++)
		CHECK_EQUAL(tl_index_base_length(names[i].name, strlen(names[i].name)), names[i].base);
}

TEST(addresses_belong_to_units)
{
	struct opened opened;
	struct tl_entry entry;
	struct tl_attribute low;
	struct results results;

	REQUIRE(open_program(&opened, PROGRAM, 0));
	results = find(&opened, "sum_of", TL_INDEX_FUNCTION);
	REQUIRE(results.count == 1);
	REQUIRE(tl_entry_at(results.list[0].unit, results.list[0].offset, &entry, NULL) == TL_OK);
	REQUIRE(tl_entry_attribute(&entry, DW_AT_low_pc, &low, NULL) == TL_OK);
	CHECK(tl_index_unit(opened.index, low.number) == results.list[0].unit);
	CHECK(tl_index_unit(opened.index, 0) == NULL && tl_index_unit(opened.index, TL_U64_MAX) == NULL);
	close_program(&opened);
}

static bool hash_entry(void *context, const struct tl_indexed *found)
{
	tl_u64 *sum = context;
	tl_u64 hash = found->offset * 31 + found->tag;

	for (const char *at = found->name; *at != 0; at++)
		hash = hash * 131 + (tl_u8)*at;
	*sum += hash * 0x9e3779b97f4a7c15;
	return true;
}

TEST(however_many_threads_make_it_the_index_is_the_same)
{
	tl_u64 sums[3] = {0};
	tl_size names[3], entries[3];

	for (unsigned i = 0; i < 3; i++) {
		struct opened opened;

		/* This test's own program has units enough for several threads. */
		REQUIRE(open_program(&opened, "/proc/self/exe", i * 2 + 1));
		tl_index_each(opened.index, TL_INDEX_ALL, hash_entry, &sums[i]);
		tl_index_counts(opened.index, &names[i], &entries[i]);
		close_program(&opened);
	}
	CHECK(names[0] > 500 && entries[0] > names[0]);
	CHECK(names[0] == names[1] && names[0] == names[2]);
	CHECK(entries[0] == entries[1] && entries[0] == entries[2]);
	CHECK(sums[0] == sums[1] && sums[0] == sums[2]);
}

TEST(building_can_be_cancelled)
{
	_Atomic tl_u32 cancel = 1;
	_Atomic tl_size progress = 0;
	struct tl_index_options options = {.cancel = &cancel, .progress = &progress};
	struct opened opened;
	struct tl_index *index = NULL;

	REQUIRE(open_program(&opened, PROGRAM, 1));
	CHECK(tl_index_build(&index, opened.dwarf, &options, NULL) == TL_ERROR_CANCELLED);
	CHECK(index == NULL && progress == 0);
	cancel = 0;
	CHECK(tl_index_build(&index, opened.dwarf, &options, NULL) == TL_OK);
	CHECK_EQUAL(progress, 2);
	tl_index_close(index);
	close_program(&opened);
}

#ifdef PROGRAM_CXX
static bool has_scope(const struct opened *opened, const struct results *results, const char *wanted)
{
	for (unsigned i = 0; i < results->count && i < TL_COUNT(results->list); i++) {
		char scope[128];

		CHECK_EQUAL(tl_index_scope(opened->index, results->list[i].scope, scope, sizeof(scope)), strlen(scope));
		if (strcmp(scope, wanted) == 0)
			return true;
	}
	return false;
}

TEST(names_of_cxx_are_found_with_and_without_their_scopes)
{
	struct results results;
	struct opened opened;
	char part[4];

	REQUIRE(open_program(&opened, PROGRAM_CXX, 0));
	results = find(&opened, "area", TL_INDEX_FUNCTION);
	CHECK(has_scope(&opened, &results, "shapes::box<int>") && has_scope(&opened, &results, "shapes::box<double>"));
	results = find(&opened, "depth", TL_INDEX_VARIABLE);
	CHECK(results.count == 1 && has_scope(&opened, &results, "shapes::inner"));
	CHECK_EQUAL(tl_index_scope(opened.index, results.list[0].scope, part, sizeof(part)), strlen("shapes::inner"));
	CHECK_TEXT(part, "sha");
	CHECK_EQUAL(find(&opened, "inner::depth", TL_INDEX_ALL).count, 1);
	CHECK_EQUAL(find(&opened, "shapes::inner::depth", TL_INDEX_ALL).count, 1);
	CHECK_EQUAL(find(&opened, "::inner::depth", TL_INDEX_ALL).count, 0);
	CHECK_EQUAL(find(&opened, "shapes::depth", TL_INDEX_ALL).count, 0);
	CHECK(find(&opened, "shapes::overloaded", TL_INDEX_FUNCTION).count >= 2);
	CHECK_EQUAL(find(&opened, "shape::count", TL_INDEX_VARIABLE).count, 1);
	CHECK_EQUAL(find(&opened, "colour::GREEN", TL_INDEX_ENUMERATOR).count, 1);
	CHECK_EQUAL(find(&opened, "inner", TL_INDEX_NAMESPACE).count, 1);
	close_program(&opened);
}

TEST(template_arguments_and_anonymous_namespaces_may_be_left_out)
{
	struct opened opened;

	REQUIRE(open_program(&opened, PROGRAM_CXX, 0));
	CHECK_EQUAL(find(&opened, "box", TL_INDEX_TYPE).count, 2);
	CHECK_EQUAL(find(&opened, "box<int>", TL_INDEX_TYPE).count, 1);
	CHECK_EQUAL(find(&opened, "shapes::box<int>::corner", TL_INDEX_TYPE).count, 1);
	CHECK_EQUAL(find(&opened, "box::corner", TL_INDEX_TYPE).count, 2);
	CHECK(find(&opened, "box<int>::times", TL_INDEX_FUNCTION).count >= 1);
	CHECK_EQUAL(find(&opened, "box<double>::times", TL_INDEX_FUNCTION).count, 0);
	CHECK_EQUAL(find(&opened, "hidden", TL_INDEX_VARIABLE).count, 1);
	CHECK_EQUAL(find(&opened, "::hidden", TL_INDEX_VARIABLE).count, 1);
	CHECK_EQUAL(find(&opened, "(anonymous namespace)::hidden", TL_INDEX_VARIABLE).count, 1);
	close_program(&opened);
}
#endif

TEST(storage_that_fails_is_an_error_and_leaks_nothing)
{
	enum tl_status status = TL_ERROR_NO_MEMORY;
	unsigned failed = 0;

	for (tl_u64 n = 1; n < 2000 && status != TL_OK; n++) {
		struct tl_index_options options = {.threads = 1};
		struct opened opened = {NULL, NULL, NULL};
		struct results results = {0};

		REQUIRE(tl_image_open(&opened.image, PROGRAM, NULL, NULL) == TL_OK);
		REQUIRE(tl_dwarf_open(&opened.dwarf, opened.image, NULL) == TL_OK);
		tl_storage_fail(n);
		status = tl_index_build(&opened.index, opened.dwarf, &options, NULL);
		if (status == TL_OK)
			status = tl_index_find(opened.index, "main", TL_INDEX_ALL, note, &results, NULL);
		tl_storage_fail(0);
		CHECK(status == TL_OK || status == TL_ERROR_NO_MEMORY);
		failed += status != TL_OK;
		close_program(&opened);
	}
	CHECK(status == TL_OK && failed > 20);
	CHECK_EQUAL(tl_storage_live(), 0);
}
