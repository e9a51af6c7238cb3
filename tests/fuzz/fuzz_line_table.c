/* Line tables: the input is a .debug_line, and a section of strings as well. */
#include "base/storage.h"
#include "symbols/line_query.h"
#include "symbols/line_table.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* What a table says of itself holds for every row of it. */
static void look_at(const struct tl_line_table *table)
{
	tl_size rows = 0;

	for (tl_size i = 0; i < table->sequence_count; i++) {
		const struct tl_line_sequence *sequence = &table->sequences[i];
		const struct tl_line_row *row;
		tl_u64 start, end;

		if (sequence->start >= sequence->end || (i != 0 && sequence[-1].start > sequence->start))
			abort();
		rows += sequence->count;
		for (tl_size j = 1; j < sequence->count; j++)
			if (table->rows[sequence->first + j].address < table->rows[sequence->first + j - 1].address)
				abort();
		if (i >= 16)
			continue;
		row = tl_line_table_find(table, sequence->start + (sequence->end - sequence->start) / 2);
		if (row == NULL)
			abort();
		tl_line_row_extent(table, row, &start, &end);
		if (start > row->address || end < start)
			abort();
		(void)tl_line_behind_prologue(table, sequence->start, sequence->end, row->address);
	}
	if (rows != table->row_count)
		abort();
}

static void ask(const struct tl_line_table *table)
{
	char path[64];

	for (tl_u64 i = 0; i < table->file_count && i < 8; i++) {
		const struct tl_line_file *file = tl_line_table_file(table, i);
		struct tl_line_query query;

		if (file == NULL)
			continue;
		query = tl_line_query_begin(file->name, 1 + (tl_u32)i * 5);
		(void)tl_line_table_path(table, i, true, path, sizeof(path));
		if (tl_line_query_add(&query, table, NULL) != TL_OK)
			abort();
		tl_line_query_finish(&query, NULL, NULL);
		if ((query.count != 0) != (query.found != 0) || (query.count != 0 && query.found < query.line))
			abort();
		tl_line_query_release(&query);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct tl_line_sections sections = {.line = {bytes, size, 0},
					    .line_str = {bytes, size, 0},
					    .str = {bytes, size, 0},
					    .common_str = {bytes, size, 0}};
	struct tl_line_table *table;
	tl_u64 offset = 0;

	do {
		if (tl_line_table_read(&table, &sections, offset, "/src", true, NULL) != TL_OK)
			continue;
		look_at(table);
		ask(table);
		tl_line_table_close(table);
	} while (tl_line_table_next(&sections, &offset) == TL_OK);
	if (tl_storage_live() != 0)
		abort();
	return 0;
}
