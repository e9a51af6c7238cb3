/*
 * Line tables against libdw, row by row: `lines-referee [FILE…]`. Without files: this program itself.
 *
 * Every table of .debug_line that libdw finds is read by both; each of libdw's rows must be there with its address,
 * file, line, column, discriminator and flags, in libdw's order, and no other. Files are compared by their paths.
 */
#include "base/storage.h"
#include "symbols/line_table.h"
#include "tests/unit/sections.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct totals {
	const char *name;
	unsigned long tables, rows, paths, versions[6], forced, wrong;
};

static void complain(struct totals *totals, tl_u64 offset, tl_size row, const char *what)
{
	if (totals->wrong++ < 20)
		printf("%s: table at 0x%llx, row %zu: %s\n", totals->name, (unsigned long long)offset, (size_t)row,
		       what);
}

/* libdw sorts all rows by address; of those at one address it puts ends of sequences first. */
static int by_address(const void *a, const void *b)
{
	const struct tl_line_row *left = *(const struct tl_line_row *const *)a;
	const struct tl_line_row *right = *(const struct tl_line_row *const *)b;

	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	if ((left->flags & TL_LINE_END) != (right->flags & TL_LINE_END))
		return (left->flags & TL_LINE_END) != 0 ? -1 : 1;
	return left < right ? -1 : left > right;
}

/* libdw leaves the directory of the compilation out where it finds no unit for the table. */
static bool same_path(const char *ours, const char *theirs)
{
	size_t more = strlen(ours) - strlen(theirs);

	if (strlen(ours) < strlen(theirs) || strcmp(ours + more, theirs) != 0)
		return false;
	return more == 0 || (theirs[0] != '/' && ours[more - 1] == '/');
}

static void compare_path(struct totals *totals, const struct tl_line_table *table, tl_size i,
			 const struct tl_line_row *row, Dwarf_Line *line)
{
	const char *theirs = dwarf_linesrc(line, NULL, NULL);
	char ours[4096];

	if (theirs == NULL)
		return;
	if (tl_line_table_path(table, row->file, true, ours, sizeof(ours)) >= sizeof(ours) ||
	    !same_path(ours, theirs)) {
		complain(totals, table->offset, i, "another file");
		if (totals->wrong < 20)
			printf("  ours %s, libdw's %s\n", ours, theirs);
	}
	totals->paths++;
}

static void compare_row(struct totals *totals, const struct tl_line_table *table, tl_size i,
			const struct tl_line_row *row, Dwarf_Line *line)
{
	Dwarf_Addr address;
	int number, column;
	unsigned discriminator;
	bool statement, block, is_end, prologue_end, epilogue_begin;

	if (dwarf_lineaddr(line, &address) != 0 || dwarf_lineno(line, &number) != 0 ||
	    dwarf_linecol(line, &column) != 0 || dwarf_linediscriminator(line, &discriminator) != 0 ||
	    dwarf_linebeginstatement(line, &statement) != 0 || dwarf_lineblock(line, &block) != 0 ||
	    dwarf_lineendsequence(line, &is_end) != 0 || dwarf_lineprologueend(line, &prologue_end) != 0 ||
	    dwarf_lineepiloguebegin(line, &epilogue_begin) != 0)
		complain(totals, table->offset, i, "libdw does not say what it is");
	else if (address != row->address || (tl_u32)number != row->line || discriminator != row->discriminator)
		complain(totals, table->offset, i, "another address, line or discriminator");
	else if ((column < 0xffff ? column : 0xffff) != row->column)
		complain(totals, table->offset, i, "another column");
	/* libdw makes its last row the end of a sequence, also when it sorted one without code behind that. */
	else if (i + 1 == table->row_count && is_end && (row->flags & TL_LINE_END) == 0)
		totals->forced++;
	else if (row->flags !=
		 ((statement ? TL_LINE_STATEMENT : 0) | (block ? TL_LINE_BLOCK : 0) | (is_end ? TL_LINE_END : 0) |
		  (prologue_end ? TL_LINE_PROLOGUE_END : 0) | (epilogue_begin ? TL_LINE_EPILOGUE_BEGIN : 0)))
		complain(totals, table->offset, i, "other flags");
	totals->rows++;
}

static void compare_table(struct totals *totals, const struct tl_line_table *table, Dwarf_Lines *lines, size_t count)
{
	const struct tl_line_row **rows = calloc(table->row_count + 1, sizeof(*rows));

	if (rows == NULL)
		return;
	for (tl_size i = 0; i < table->row_count; i++)
		rows[i] = &table->rows[i];
	qsort(rows, table->row_count, sizeof(*rows), by_address);
	if (count != table->row_count)
		complain(totals, table->offset, count, "another number of rows");
	for (tl_size i = 0; i < count && i < table->row_count; i++) {
		Dwarf_Line *line = dwarf_onesrcline(lines, i);

		compare_row(totals, table, i, rows[i], line);
		if (i == 0 || rows[i]->file != rows[i - 1]->file)
			compare_path(totals, table, i, rows[i], line);
	}
	free(rows);
}

static void compare_file_tables(struct totals *totals, Dwarf *dwarf, const struct tl_line_sections *sections)
{
	Dwarf_Off offset = 0, next;
	Dwarf_Lines *lines;
	Dwarf_Files *files;
	Dwarf_CU *unit;
	size_t file_count, count;

	while (dwarf_next_lines(dwarf, offset, &next, &unit, &files, &file_count, &lines, &count) == 0) {
		const char *directory = NULL;
		struct tl_line_table *table;
		struct tl_error error;
		Dwarf_Die top, sub;
		Dwarf_Attribute attribute;

		if (unit != NULL && dwarf_cu_info(unit, NULL, NULL, &top, &sub, NULL, NULL, NULL) == 0)
			directory = dwarf_formstring(dwarf_attr(&top, DW_AT_comp_dir, &attribute));
		if (tl_line_table_read(&table, sections, offset, directory, true, &error) != TL_OK) {
			complain(totals, offset, 0, error.text);
		} else {
			totals->versions[table->version]++;
			compare_table(totals, table, lines, count);
			tl_line_table_close(table);
		}
		totals->tables++;
		offset = next;
	}
}

static bool compare_file(const char *name)
{
	int descriptor = open(name, O_RDONLY | O_CLOEXEC);
	Elf *elf = descriptor >= 0 ? elf_begin(descriptor, ELF_C_READ_MMAP_PRIVATE, NULL) : NULL;
	Dwarf *dwarf = elf != NULL ? dwarf_begin_elf(elf, DWARF_C_READ, NULL) : NULL;
	struct totals totals = {.name = name};
	struct tl_line_sections sections;

	if (dwarf == NULL) {
		printf("%s: no debug information\n", name);
		return false;
	}
	sections = (struct tl_line_sections){.line = section_of(elf, ".debug_line"),
					     .line_str = section_of(elf, ".debug_line_str"),
					     .str = section_of(elf, ".debug_str")};
	if (dwarf_getalt(dwarf) != NULL)
		sections.common_str = section_of(dwarf_getelf(dwarf_getalt(dwarf)), ".debug_str");
	compare_file_tables(&totals, dwarf, &sections);
	printf("%s: %lu tables (version 2: %lu, 3: %lu, 4: %lu, 5: %lu), %lu rows, %lu paths, %lu differences\n", name,
	       totals.tables, totals.versions[2], totals.versions[3], totals.versions[4], totals.versions[5],
	       totals.rows, totals.paths, totals.wrong);
	dwarf_end(dwarf);
	elf_end(elf);
	close(descriptor);
	return totals.wrong == 0 && totals.rows != 0 && tl_storage_live() == 0;
}

int main(int count, char **names)
{
	bool good = true;

	elf_version(EV_CURRENT);
	if (count == 1)
		good = compare_file("/proc/self/exe");
	for (int i = 1; i < count; i++)
		good &= compare_file(names[i]);
	return !good;
}
