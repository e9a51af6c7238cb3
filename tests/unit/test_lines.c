/* Lines of this very program, through its image. */
#include "base/storage.h"
#include "symbols/lines.h"

#include "tests/unit/test.h"

#include <link.h>
#include <pthread.h>

static struct tl_error error;

static volatile int sink;

__attribute__((noinline)) static void known(int n)
{
	sink += n;

	/* nothing here */
	sink *= n;
}

struct opened {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_lines *lines;
	tl_u64 bias;
};

static bool open_own(struct opened *opened)
{
	static const struct tl_image_options alone = {.alone = true};

	opened->bias = _r_debug.r_map->l_addr;
	return tl_image_open(&opened->image, "/proc/self/exe", &alone, &error) == TL_OK &&
	       tl_dwarf_open(&opened->dwarf, opened->image, &error) == TL_OK &&
	       tl_lines_open(&opened->lines, opened->dwarf, &error) == TL_OK;
}

static void close_own(struct opened *opened)
{
	tl_lines_close(opened->lines);
	tl_dwarf_close(opened->dwarf);
	tl_image_close(opened->image);
}

/* The row for an address in any unit. */
static const struct tl_line_row *row_at(struct opened *opened, tl_u64 address, const struct tl_line_table **table)
{
	const struct tl_line_row *row = NULL;

	for (tl_size i = 0; i < tl_dwarf_unit_count(opened->dwarf) && row == NULL; i++)
		if (tl_lines_of(opened->lines, tl_dwarf_unit(opened->dwarf, i), table, &error) == TL_OK)
			row = tl_line_table_find(*table, address);
	return row;
}

TEST(a_function_has_its_lines)
{
	enum { LINE = __LINE__ };
	tl_u64 address = (tl_uintptr)known;
	const struct tl_line_table *table = NULL;
	const struct tl_line_row *row;
	struct tl_line_query query;
	struct opened opened;
	char path[1000];
	tl_u32 first;

	known(2);
	REQUIRE(open_own(&opened));
	row = row_at(&opened, address - opened.bias, &table);
	REQUIRE(row != NULL);
	first = row->line;
	CHECK(first < (tl_u32)LINE && first + 60 > (tl_u32)LINE);
	CHECK(tl_line_table_path(table, row->file, true, path, sizeof(path)) < sizeof(path));
	CHECK(tl_path_matches(path, "tests/unit/test_lines.c"));
	CHECK(row_at(&opened, 1, &table) == NULL);

	/* A comment has no code: the line behind it has. The first line of a file leads to the first that has code. */
	query = tl_line_query_begin("test_lines.c", first + 3);
	CHECK(tl_lines_query(opened.lines, &query, &error) == TL_OK);
	tl_line_query_finish(&query, NULL, NULL);
	CHECK(query.known && query.found >= first + 3 && query.found <= first + 5 && query.count >= 1);
	for (tl_size i = 0; i < query.count; i++)
		CHECK(query.places[i].address >= address - opened.bias &&
		      query.places[i].address < address - opened.bias + 200);
	tl_line_query_release(&query);
	query = tl_line_query_begin("test_lines.c", 1000000);
	CHECK(tl_lines_query(opened.lines, &query, &error) == TL_OK);
	CHECK(query.known && query.found == 0 && query.count == 0);
	tl_line_query_release(&query);
	query = tl_line_query_begin("no such file.c", 1);
	CHECK(tl_lines_query(opened.lines, &query, &error) == TL_OK && !query.known);
	tl_line_query_release(&query);
	close_own(&opened);
	CHECK_EQUAL(tl_storage_live(), 0);
}

static bool count_files(void *context, const struct tl_line_table *table)
{
	tl_size *count = context;

	for (tl_u64 i = 0; i < table->file_count; i++)
		*count += tl_line_table_file(table, i) != NULL &&
			  tl_path_matches(tl_line_table_file(table, i)->name, "test_lines.c");
	return true;
}

TEST(files_are_listed_without_rows)
{
	struct opened opened;
	tl_size count = 0;

	REQUIRE(open_own(&opened));
	CHECK(tl_lines_files(opened.lines, count_files, &count, &error) == TL_OK);
	CHECK(count != 0);
	close_own(&opened);
}

static void *ask_all(void *context)
{
	struct opened *opened = context;
	const struct tl_line_table *table;
	tl_size rows = 0;

	for (tl_size i = 0; i < tl_dwarf_unit_count(opened->dwarf); i++)
		if (tl_lines_of(opened->lines, tl_dwarf_unit(opened->dwarf, i), &table, NULL) == TL_OK)
			rows += table->row_count;
	return (void *)rows;
}

TEST(several_threads_ask_at_once)
{
	struct opened opened;
	pthread_t threads[4];
	void *rows[4] = {NULL};

	REQUIRE(open_own(&opened));
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, ask_all, &opened) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], &rows[i]) == 0);
	CHECK(rows[0] != NULL && rows[0] == rows[1] && rows[1] == rows[2] && rows[2] == rows[3]);
	close_own(&opened);
	CHECK_EQUAL(tl_storage_live(), 0);
}

TEST(without_memory_there_is_an_error)
{
	const struct tl_line_table *table = NULL;
	enum tl_status status = TL_ERROR_NO_MEMORY;
	struct tl_line_query query;
	struct opened opened;

	REQUIRE(open_own(&opened));
	tl_lines_close(opened.lines);
	for (tl_u64 i = 1; i < 100 && status == TL_ERROR_NO_MEMORY; i++) {
		tl_storage_fail(i);
		status = tl_lines_open(&opened.lines, opened.dwarf, &error);
	}
	tl_storage_fail(0);
	REQUIRE(status == TL_OK);
	tl_storage_fail(1);
	CHECK_EQUAL(tl_lines_of(opened.lines, tl_dwarf_unit(opened.dwarf, 0), &table, &error), TL_ERROR_NO_MEMORY);
	query = tl_line_query_begin("test_lines.c", 20);
	tl_storage_fail(2);
	CHECK_EQUAL(tl_lines_query(opened.lines, &query, &error), TL_ERROR_NO_MEMORY);
	tl_line_query_release(&query);
	close_own(&opened);
	CHECK_EQUAL(tl_storage_live(), 0);
}
