#include "base/storage.h"
#include "symbols/line_query.h"
#include "symbols/line_table.h"

#include "tests/unit/line_builder.h"
#include "tests/unit/test.h"

static struct tl_error error;

static enum tl_status read_table(const struct line_builder *builder, struct tl_line_table **table)
{
	struct tl_line_sections sections = {.line = {builder->bytes, builder->size, 0},
					    .line_str = {(const tl_u8 *)"/src\0z.c", 9, 0},
					    .str = {(const tl_u8 *)"x\0y.h", 6, 0}};

	return tl_line_table_read(table, &sections, 0, "/src", true, &error);
}

/* a.c 10 at 0x1000, 12 at 0x1004, 0 at 0x1008, b.h 3 (no statement) and 4 at 0x100a, a.c 12 at 0x1010, end 0x1020. */
static void build(struct line_builder *builder, tl_u16 version, bool wide)
{
	builder->size = 0;
	line_begin(builder, version, wide);
	line_address(builder, 0x1000);
	line_special(builder, 0, 8);
	line_row(builder, 0, 1);
	line_special(builder, 4, 2);
	line_row(builder, 4, -12);
	line_bytes(builder, "\x04\x02\x06", 3); /* file 2, no statement */
	line_special(builder, 2, 3);
	line_put(builder, 6, 1);
	line_special(builder, 0, 1);
	line_bytes(builder, "\x04\x01", 2);
	line_special(builder, 6, 8);
	line_end_sequence(builder, 16);
	line_end(builder);
}

static void check_rows(const struct tl_line_table *table, tl_u16 version)
{
	static const struct tl_line_row wanted[] = {{0x1000, 9, 0, 1, 0, TL_LINE_STATEMENT, 0},
						    {0x1000, 10, 0, 1, 0, TL_LINE_STATEMENT, 0},
						    {0x1004, 12, 0, 1, 0, TL_LINE_STATEMENT, 0},
						    {0x1008, 0, 0, 1, 0, TL_LINE_STATEMENT, 0},
						    {0x100a, 3, 0, 2, 0, 0, 0},
						    {0x100a, 4, 0, 2, 0, TL_LINE_STATEMENT, 0},
						    {0x1010, 12, 0, 1, 0, TL_LINE_STATEMENT, 0},
						    {0x1020, 12, 0, 1, 0, TL_LINE_STATEMENT | TL_LINE_END, 0}};

	CHECK_EQUAL(table->version, version);
	REQUIRE(table->row_count == TL_COUNT(wanted) && table->sequence_count == 1);
	for (size_t i = 0; i < TL_COUNT(wanted); i++) {
		const struct tl_line_row *row = &table->rows[i];

		CHECK(row->address == wanted[i].address && row->line == wanted[i].line && row->file == wanted[i].file &&
		      row->flags == wanted[i].flags);
	}
}

static void check_path(const struct tl_line_table *table, tl_u64 number, bool whole, const char *wanted)
{
	char path[64] = "untouched";

	CHECK_EQUAL(tl_line_table_path(table, number, whole, path, sizeof(path)), strlen(wanted));
	CHECK_TEXT(path, wanted);
}

TEST(every_version_in_both_formats)
{
	for (tl_u16 version = 2; version <= 5; version++)
		for (int wide = 0; wide < 2; wide++) {
			struct line_builder builder;
			struct tl_line_table *table;

			build(&builder, version, wide);
			REQUIRE(read_table(&builder, &table) == TL_OK);
			check_rows(table, version);
			check_path(table, 1, true, "/src/a.c");
			check_path(table, 1, false, "a.c");
			check_path(table, 2, true, "/src/include/b.h");
			check_path(table, 2, false, "include/b.h");
			check_path(table, 3, true, "/usr/include/c.h");
			CHECK((tl_line_table_file(table, 0) != NULL) == (version == 5));
			CHECK(tl_line_table_file(table, 4) == NULL);
			CHECK_EQUAL(tl_line_table_path(table, 4, true, NULL, 0), 0);
			CHECK_EQUAL(tl_line_table_path(table, 3, true, NULL, 0), 16);
			if (version == 5)
				CHECK(memcmp(tl_line_table_file(table, 1)->checksum, "0123456789abcdef", 16) == 0);
			tl_line_table_close(table);
			CHECK_EQUAL(tl_storage_live(), 0);
		}
}

static tl_u32 line_at(const struct tl_line_table *table, tl_u64 address)
{
	const struct tl_line_row *row = tl_line_table_find(table, address);

	return row != NULL ? row->line : 9999;
}

TEST(the_row_at_an_address)
{
	struct line_builder builder;
	struct tl_line_table *table;
	tl_u64 start = 0, end = 0;

	build(&builder, 4, false);
	REQUIRE(read_table(&builder, &table) == TL_OK);
	CHECK_EQUAL(line_at(table, 0xfff), 9999);
	CHECK_EQUAL(line_at(table, 0x1000), 10);
	CHECK_EQUAL(line_at(table, 0x1003), 10);
	CHECK_EQUAL(line_at(table, 0x1004), 12);
	CHECK_EQUAL(line_at(table, 0x1009), 0);
	CHECK_EQUAL(line_at(table, 0x100a), 4);
	CHECK_EQUAL(line_at(table, 0x101f), 12);
	CHECK_EQUAL(line_at(table, 0x1020), 9999);
	CHECK_EQUAL(tl_line_row_end(table, tl_line_table_find(table, 0x1000)), 0x1004);
	CHECK_EQUAL(tl_line_row_end(table, tl_line_table_find(table, 0x100a)), 0x1010);
	CHECK_EQUAL(tl_line_row_end(table, tl_line_table_find(table, 0x1010)), 0x1020);
	/* Code of no line goes with the line before it. */
	tl_line_row_extent(table, tl_line_table_find(table, 0x1004), &start, &end);
	CHECK(start == 0x1004 && end == 0x100a);
	tl_line_row_extent(table, tl_line_table_find(table, 0x1010), &start, &end);
	CHECK(start == 0x1010 && end == 0x1020);
	tl_line_row_extent(table, tl_line_table_find(table, 0x1000), &start, &end);
	CHECK(start == 0x1000 && end == 0x1004);
	tl_line_table_close(table);
}

TEST(every_opcode)
{
	struct line_builder builder = {.size = 0};
	struct tl_line_table *table;

	line_begin(&builder, 4, false);
	line_address(&builder, 0x2000);
	line_bytes(&builder, "\x05\x11\x07\x0a\x0b\x0c\x03", 7); /* column, block, prologue end, epilogue begin, isa */
	line_bytes(&builder, "\x00\x02\x04\x05\x01", 5);         /* discriminator 5; copy */
	line_bytes(&builder, "\x08\x01", 2);                     /* const_add_pc: 17; copy */
	line_bytes(&builder, "\x09\x34\x12\x01", 4);             /* fixed_advance_pc */
	line_bytes(&builder, "\x00\x08\x03x.c\x00\x01\x00\x00", 10); /* define_file */
	line_bytes(&builder, "\x00\x03\x80zz", 5);                   /* of some other maker */
	line_bytes(&builder, "\x00\x00", 2);                         /* nothing at all */
	line_bytes(&builder, "\x04\x04\x01", 3);
	line_end_sequence(&builder, 1);
	line_end(&builder);
	REQUIRE(read_table(&builder, &table) == TL_OK);
	REQUIRE(table->row_count == 5);
	CHECK(table->rows[0].column == 17 && table->rows[0].discriminator == 5 &&
	      table->rows[0].flags ==
		      (TL_LINE_STATEMENT | TL_LINE_BLOCK | TL_LINE_PROLOGUE_END | TL_LINE_EPILOGUE_BEGIN));
	CHECK(table->rows[1].address == 0x2011 && table->rows[1].flags == TL_LINE_STATEMENT &&
	      table->rows[1].discriminator == 0 && table->rows[1].column == 17);
	CHECK_EQUAL(table->rows[2].address, 0x2011 + 0x1234);
	CHECK_EQUAL(table->rows[3].file, 4);
	check_path(table, 4, true, "/src/include/x.c");
	tl_line_table_close(table);
}

/* An opcode that the header knows and nobody else: as many numbers are passed over as it says. */
TEST(opcodes_of_the_future)
{
	struct line_builder builder = {.size = 0};
	struct tl_line_table *table;

	line_begin(&builder, 4, false);
	builder.bytes[builder.header + 4 + 5] = 14; /* opcode_base */
	memmove(builder.bytes + builder.header + 23, builder.bytes + builder.header + 22,
		builder.size - builder.header - 22);
	builder.bytes[builder.header + 22] = 2; /* operands of 13 */
	builder.size++;
	tl_store_little(builder.bytes + builder.header, builder.size - builder.header - 4, 4);
	line_address(&builder, 0x2000);
	line_bytes(&builder, "\x0d\x81\x01\x05\x01", 5);
	line_end_sequence(&builder, 1);
	line_end(&builder);
	REQUIRE(read_table(&builder, &table) == TL_OK);
	CHECK(table->row_count == 2 && table->rows[0].address == 0x2000);
	check_path(table, 3, true, "/usr/include/c.h");
	tl_line_table_close(table);
}

TEST(strings_of_other_sections)
{
	struct line_builder builder = {.size = 0};
	struct tl_line_table *table;
	tl_size at;

	line_begin(&builder, 5, false);
	/* Directories of line_strp; files: line_strp, strp and one that lies nowhere, directories as data2 and udata.
	 */
	builder.size = builder.header + 4 + 18;
	line_bytes(&builder, "\x01\x01\x1f\x01\x00\x00\x00\x00", 8);
	line_bytes(&builder, "\x03\x01\x1f\x02\x0f\x2a\x09\x01\x05\x00\x00\x00\x00\x01q", 15);
	at = builder.size;
	tl_store_little(builder.bytes + builder.header, at - builder.header - 4, 4);
	line_end(&builder);
	REQUIRE(read_table(&builder, &table) == TL_OK);
	check_path(table, 0, true, "/src/z.c");
	tl_line_table_close(table);
	builder.bytes[at - 7] = 9; /* where .debug_line_str ends */
	REQUIRE(read_table(&builder, &table) == TL_OK);
	check_path(table, 0, true, "/src/?");
	tl_line_table_close(table);
}

TEST(sequences_are_sorted_and_dropped)
{
	struct line_builder builder = {.size = 0};
	struct tl_line_sections sections = {.code_start = 0x1000, .code_end = 0x9000};
	struct tl_line_table *table;

	line_begin(&builder, 4, false);
	line_address(&builder, 0x3000);
	line_row(&builder, 0, 4);
	line_end_sequence(&builder, 16);
	line_address(&builder, 0x2000);
	line_row(&builder, 0, 6);
	line_end_sequence(&builder, 16);
	line_address(&builder, 0); /* the linker dropped it */
	line_row(&builder, 0, 8);
	line_end_sequence(&builder, 16);
	line_address(&builder, TL_U64_MAX);
	line_row(&builder, 0, 8);
	line_end_sequence(&builder, 0);
	line_address(&builder, 0x5000);
	line_row(&builder, 0, 10);
	line_address(&builder, 0x4000); /* back, without an end */
	line_row(&builder, 0, 1);
	line_end_sequence(&builder, 16);
	line_end(&builder);
	sections.line = (struct tl_section_bytes){builder.bytes, builder.size, 0};
	REQUIRE(tl_line_table_read(&table, &sections, 0, NULL, true, &error) == TL_OK);
	CHECK_EQUAL(table->sequence_count, 3);
	CHECK_EQUAL(line_at(table, 0x3000), 5);
	CHECK_EQUAL(line_at(table, 0x2004), 7);
	CHECK_EQUAL(line_at(table, 4), 9999);
	CHECK_EQUAL(line_at(table, 0x400f), 12);
	tl_line_table_close(table);
	REQUIRE(tl_line_table_read(&table, &sections, 0, NULL, false, &error) == TL_OK);
	CHECK(!table->has_rows && table->row_count == 0 && table->file_count == 4);
	tl_line_table_close(table);
}

/* Many short ones inside a long one: it holds for what is between them. */
TEST(sequences_may_overlap)
{
	struct line_builder builder = {.size = 0};
	struct tl_line_table *table;

	line_begin(&builder, 4, false);
	line_address(&builder, 0x1000);
	line_row(&builder, 0, 4);
	line_end_sequence(&builder, 127);
	for (unsigned i = 0; i < 20; i++) {
		line_address(&builder, 0x1000 + i * 4);
		line_row(&builder, 0, 20);
		line_end_sequence(&builder, 1);
	}
	line_end(&builder);
	REQUIRE(read_table(&builder, &table) == TL_OK);
	CHECK_EQUAL(line_at(table, 0x1004), 21);
	CHECK_EQUAL(line_at(table, 0x1007), 5);
	CHECK_EQUAL(line_at(table, 0x107e), 5);
	CHECK_EQUAL(line_at(table, 0x107f), 9999);
	tl_line_table_close(table);
}

TEST(behind_the_prologue)
{
	struct line_builder builder = {.size = 0};
	struct tl_line_table *table;

	line_begin(&builder, 4, false);
	line_address(&builder, 0x1000);
	line_row(&builder, 0, 4);
	line_row(&builder, 8, 1);
	line_row(&builder, 8, 1);
	line_end_sequence(&builder, 16);
	line_address(&builder, 0x2000);
	line_row(&builder, 0, 4);
	line_row(&builder, 8, 1);
	line_bytes(&builder, "\x0a", 1);
	line_row(&builder, 8, 1);
	line_end_sequence(&builder, 16);
	line_end(&builder);
	REQUIRE(read_table(&builder, &table) == TL_OK);
	CHECK_EQUAL(tl_line_behind_prologue(table, 0x1000, 0x1020, 0x1004), 0x1008); /* in the middle of a line */
	CHECK_EQUAL(tl_line_behind_prologue(table, 0x1000, 0x1020, 0x1008), 0x1008);
	CHECK_EQUAL(tl_line_behind_prologue(table, 0x1000, 0x1020, 0x1000), 0x1000); /* no frame is set up */
	CHECK_EQUAL(tl_line_behind_prologue(table, 0x1000, 0x1008, 0x1004), 0x1004); /* there is no more of it */
	CHECK_EQUAL(tl_line_behind_prologue(table, 0x2000, 0x2020, 0x2000), 0x2010); /* it is said */
	CHECK_EQUAL(tl_line_behind_prologue(table, 0x2000, 0x2010, 0x2004), 0x2008);
	CHECK_EQUAL(tl_line_behind_prologue(table, 0x8000, 0x8010, 0x8004), 0x8004);
	tl_line_table_close(table);
}

TEST(tables_follow_one_another)
{
	struct line_builder builder = {.size = 0};
	struct tl_line_sections sections = {.code_start = 0};
	tl_u64 offset = 0;
	tl_size second;

	line_begin(&builder, 3, false);
	line_end(&builder);
	second = builder.size;
	line_begin(&builder, 5, true);
	line_end(&builder);
	sections.line = (struct tl_section_bytes){builder.bytes, builder.size, 0};
	CHECK(tl_line_table_next(&sections, &offset) == TL_OK && offset == second);
	CHECK_EQUAL(tl_line_table_next(&sections, &offset), TL_ERROR_MALFORMED);
}

TEST(paths_match_from_their_end)
{
	static const struct {
		const char *path, *asked;
		bool matches;
	} cases[] = {{"/src/a.c", "a.c", true},
		     {"/src/a.c", "src/a.c", true},
		     {"/src/a.c", "/src/a.c", true},
		     {"/src/a.c", "/a.c", false},
		     {"/src/a.c", "rc/a.c", false},
		     {"/src/a.c", "/x/src/a.c", false},
		     {"/src/a.c", "x/src/a.c", false},
		     {"/build/../src/./a.c", "/src/a.c", true},
		     {"/build/../src/./a.c", "src/a.c", true},
		     {"/src/a.c", "./a.c", true},
		     {"/src/a.c", "lib/../a.c", true},
		     {"/src/lib/../a.c", "lib/a.c", false},
		     {"/src/ba.c", "a.c", false},
		     {"a.c", "a.c", true},
		     {"a.c", "/a.c", false},
		     {"/src/a.c", "", false},
		     {"", "a.c", false},
		     {"/src//x///a.c", "x/a.c", true}};

	for (size_t i = 0; i < TL_COUNT(cases); i++)
		if (tl_path_matches(cases[i].path, cases[i].asked) != cases[i].matches) {
			printf("  %s: %s and %s\n", test_current, cases[i].path, cases[i].asked);
			test_failures++;
		}
}

/* Blocks of 16 bytes. */
static tl_u64 block_of(void *context, tl_u64 address)
{
	(void)context;
	return address / 16;
}

static struct tl_line_query ask(const struct tl_line_table *table, const char *file, tl_u32 line, bool blocks)
{
	struct tl_line_query query = tl_line_query_begin(file, line);

	CHECK(tl_line_query_add(&query, table, &error) == TL_OK);
	tl_line_query_finish(&query, blocks ? block_of : NULL, NULL);
	return query;
}

static void check_places(const struct tl_line_table *table, const char *file, tl_u32 line, bool blocks, tl_u32 found,
			 const char *wanted)
{
	struct tl_line_query query = ask(table, file, line, blocks);
	char text[256] = "";

	for (tl_size i = 0; i < query.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%llx ",
			 (unsigned long long)query.places[i].address);
	CHECK_EQUAL(query.found, found);
	CHECK_TEXT(text, wanted);
	tl_line_query_release(&query);
}

TEST(places_of_a_line)
{
	struct line_builder builder = {.size = 0};
	struct tl_line_table *table;

	line_begin(&builder, 4, false);
	line_address(&builder, 0x1000);
	line_row(&builder, 0, 9);        /* a.c 10 */
	line_row(&builder, 4, 1);        /* 11 */
	line_row(&builder, 4, -1);       /* 10 again: another part of a loop, in the same block of 16 */
	line_row(&builder, 4, 0);        /* and more of it: the same run */
	line_row(&builder, 4, 0);        /* 0x1010: the run goes on into the next block */
	line_row(&builder, 4, 10);       /* 20 */
	line_row(&builder, 4, -20);      /* 0: no line */
	line_row(&builder, 4, 20);       /* 20: the same run */
	line_bytes(&builder, "\x06", 1); /* no statement */
	line_row(&builder, 4, 5);        /* 25 */
	line_bytes(&builder, "\x06", 1);
	line_row(&builder, 4, 0); /* 25, now a statement, at 0x1024 */
	line_bytes(&builder, "\x04\x02", 2);
	line_row(&builder, 4, 0); /* b.h 25 */
	line_end_sequence(&builder, 4);
	line_address(&builder, 0x2000); /* an inlined copy */
	line_row(&builder, 0, 9);
	line_row(&builder, 4, 2); /* 12, which the other has not */
	line_end_sequence(&builder, 4);
	line_end(&builder);
	REQUIRE(read_table(&builder, &table) == TL_OK);
	check_places(table, "a.c", 10, false, 10, "1000 1008 2000 ");
	check_places(table, "a.c", 10, true, 10, "1000 1010 2000 ");
	check_places(table, "src/a.c", 11, false, 11, "1004 ");
	check_places(table, "a.c", 12, false, 12, "2004 ");
	check_places(table, "a.c", 13, false, 20, "1014 ");
	check_places(table, "a.c", 21, false, 25, "1024 ");
	check_places(table, "a.c", 26, false, 0, "");
	check_places(table, "b.h", 1, false, 25, "1028 ");
	check_places(table, "other/b.h", 1, false, 0, "");
	check_places(table, "a.c", 1, false, 10, "1000 1008 2000 ");
	tl_line_table_close(table);
	CHECK_EQUAL(tl_storage_live(), 0);
}

/* A call that is inlined twice in a row: rows without code stand between the two. */
TEST(two_copies_side_by_side)
{
	struct line_builder builder = {.size = 0};
	struct tl_line_table *table;

	line_begin(&builder, 4, false);
	line_address(&builder, 0x1000);
	line_row(&builder, 0, 19); /* main, line 20, calls what is at 10 */
	line_row(&builder, 0, -10);
	line_row(&builder, 16, 11); /* line 21 calls it again */
	line_row(&builder, 0, -11);
	line_end_sequence(&builder, 16);
	line_end(&builder);
	REQUIRE(read_table(&builder, &table) == TL_OK);
	check_places(table, "a.c", 10, false, 10, "1000 1010 ");
	check_places(table, "a.c", 10, true, 10, "1000 1010 ");
	check_places(table, "a.c", 20, true, 20, "1000 ");
	tl_line_table_close(table);
}

/* Parts of one line that have discriminators are stopped at once, whatever blocks they are in. */
TEST(parts_of_a_line_that_are_told_apart)
{
	struct line_builder builder = {.size = 0};
	struct tl_line_table *table;

	line_begin(&builder, 4, false);
	line_address(&builder, 0x1000);
	line_row(&builder, 0, 9); /* a.c 10 */
	line_bytes(&builder, "\x00\x02\x04\x01", 4);
	line_row(&builder, 16, 0);
	line_row(&builder, 16, 0); /* without one, in the same run */
	line_row(&builder, 16, 1); /* 11 */
	line_row(&builder, 16, 0); /* 11 in the next block: a run without any */
	line_row(&builder, 16, -1);
	line_end_sequence(&builder, 16);
	line_end(&builder);
	REQUIRE(read_table(&builder, &table) == TL_OK);
	check_places(table, "a.c", 10, true, 10, "1000 1050 ");
	check_places(table, "a.c", 11, true, 11, "1030 1040 ");
	tl_line_table_close(table);
}

/* A line that some table has is better than a near one of a table that was asked before. */
TEST(several_tables_answer_as_one)
{
	struct line_builder builders[2] = {{.size = 0}, {.size = 0}};
	struct tl_line_query query = tl_line_query_begin("b.h", 10);
	struct tl_line_table *tables[2];

	for (int i = 0; i < 2; i++) {
		line_begin(&builders[i], 4, false);
		line_address(&builders[i], i == 0 ? 0x1000 : 0x2000);
		line_bytes(&builders[i], "\x04\x02", 2);
		line_row(&builders[i], 0, i == 0 ? 11 : 9);
		line_end_sequence(&builders[i], 4);
		line_end(&builders[i]);
		REQUIRE(read_table(&builders[i], &tables[i]) == TL_OK);
		CHECK(tl_line_query_concerns(&query, tables[i]));
		CHECK(tl_line_query_add(&query, tables[i], &error) == TL_OK);
	}
	tl_line_query_finish(&query, NULL, NULL);
	CHECK(query.known && query.found == 10 && query.count == 1 && query.places[0].address == 0x2000 &&
	      query.places[0].table == tables[1]);
	tl_line_query_release(&query);
	query = tl_line_query_begin("d.h", 10);
	CHECK(!tl_line_query_concerns(&query, tables[0]));
	tl_line_table_close(tables[0]);
	tl_line_table_close(tables[1]);
}

TEST(without_memory_there_is_an_error)
{
	struct line_builder builder;
	struct tl_line_table *table = NULL;
	tl_u64 calls;

	for (tl_u16 version = 4; version <= 5; version++) {
		build(&builder, version, false);
		calls = tl_storage_calls();
		REQUIRE(read_table(&builder, &table) == TL_OK);
		tl_line_table_close(table);
		for (tl_u64 i = tl_storage_calls() - calls; i > 0; i--) {
			tl_storage_fail(i);
			CHECK_EQUAL(read_table(&builder, &table), TL_ERROR_NO_MEMORY);
			CHECK_EQUAL(tl_storage_live(), 0);
		}
	}
	tl_storage_fail(0);
}

TEST(damage_in_any_byte_is_survived)
{
	static const tl_u8 values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	struct line_builder builder;
	struct tl_line_table *table;

	for (tl_u16 version = 2; version <= 5; version++) {
		build(&builder, version, version == 3);
		for (size_t at = 0; at < builder.size; at++) {
			tl_u8 good = builder.bytes[at];

			for (size_t i = 0; i < TL_COUNT(values); i++) {
				builder.bytes[at] = values[i];
				error.text[0] = '\0';
				if (read_table(&builder, &table) == TL_OK) {
					(void)line_at(table, 0x100a);
					tl_line_table_close(table);
				} else {
					CHECK(error.text[0] != '\0');
				}
			}
			builder.bytes[at] = good;
		}
		while (builder.size-- > 0)
			CHECK(read_table(&builder, &table) != TL_OK);
		CHECK_EQUAL(tl_storage_live(), 0);
	}
}
