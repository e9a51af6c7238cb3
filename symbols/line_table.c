#include "symbols/line_table.h"

#include "base/storage.h"
#include "symbols/bytes.h"
#include "symbols/line_header.h"

#include <string.h>

#include <stdlib.h>

/* DW_LNS_* and DW_LNE_* (DWARF 5, section 7.22). */
enum {
	OPCODE_EXTENDED = 0,
	OPCODE_COPY = 1,
	OPCODE_ADVANCE_PC = 2,
	OPCODE_ADVANCE_LINE = 3,
	OPCODE_SET_FILE = 4,
	OPCODE_SET_COLUMN = 5,
	OPCODE_NEGATE_STATEMENT = 6,
	OPCODE_SET_BASIC_BLOCK = 7,
	OPCODE_CONST_ADD_PC = 8,
	OPCODE_FIXED_ADVANCE_PC = 9,
	OPCODE_SET_PROLOGUE_END = 10,
	OPCODE_SET_EPILOGUE_BEGIN = 11,
	OPCODE_SET_ISA = 12
};
enum { EXTENDED_END_SEQUENCE = 1, EXTENDED_SET_ADDRESS = 2, EXTENDED_DEFINE_FILE = 3, EXTENDED_SET_DISCRIMINATOR = 4 };

/* The machine that the program runs on. */
struct run {
	struct tl_line_table *table;
	const struct tl_line_header *header;
	struct tl_cursor code;
	struct tl_line_row row;
	tl_u64 code_start, code_end;
	tl_size first; /* row of the sequence that is open */
	bool sorted;   /* sequences came in the order of addresses so far */
	enum tl_status status;
};

static void begin_sequence(struct run *run)
{
	run->first = run->table->row_count;
	run->row = (struct tl_line_row){.file = 1, .line = 1, .flags = run->header->statement ? TL_LINE_STATEMENT : 0};
}

/* Closes the open sequence at its last row, or drops it: when it has no code, or code that the linker left out. */
static void end_sequence(struct run *run)
{
	struct tl_line_table *table = run->table;
	struct tl_line_sequence sequence = {.first = run->first, .count = table->row_count - run->first};
	void *sequences = table->sequences;

	if (sequence.count == 0)
		return;
	sequence.start = table->rows[sequence.first].address;
	sequence.end = table->rows[table->row_count - 1].address;
	if (sequence.start == sequence.end || ((run->code_start | run->code_end) != 0 &&
					       (sequence.start < run->code_start || sequence.start >= run->code_end))) {
		table->row_count = run->first;
		return;
	}
	if (!tl_grow(tl_storage(), &sequences, &table->sequence_capacity, table->sequence_count, sizeof(sequence))) {
		run->status = TL_ERROR_NO_MEMORY;
		return;
	}
	table->sequences = sequences;
	if (table->sequence_count != 0 && table->sequences[table->sequence_count - 1].start > sequence.start)
		run->sorted = false;
	table->sequences[table->sequence_count++] = sequence;
}

static void add_row(struct run *run)
{
	struct tl_line_table *table = run->table;
	void *rows = table->rows;

	/* Addresses that go back begin another sequence, whatever the program says. */
	if (table->row_count > run->first && table->rows[table->row_count - 1].address > run->row.address) {
		end_sequence(run);
		run->first = table->row_count;
	}
	if (!tl_grow(tl_storage(), &rows, &table->row_capacity, table->row_count, sizeof(*table->rows))) {
		run->status = TL_ERROR_NO_MEMORY;
		return;
	}
	table->rows = rows;
	table->rows[table->row_count++] = run->row;
	run->row.discriminator = 0;
	run->row.flags &= TL_LINE_STATEMENT;
}

static void advance(struct run *run, tl_u64 operations)
{
	const struct tl_line_header *header = run->header;

	if (header->maximum_operations > 1) {
		operations += run->row.operation;
		run->row.operation = (tl_u8)(operations % header->maximum_operations);
		operations /= header->maximum_operations;
	}
	run->row.address += operations * header->minimum_length;
}

static void run_special(struct run *run, tl_u8 opcode)
{
	tl_u8 adjusted = (tl_u8)(opcode - run->header->opcode_base);

	advance(run, adjusted / run->header->line_range);
	run->row.line += (tl_u32)(run->header->line_base + adjusted % run->header->line_range);
	add_row(run);
}

static void set_address(struct run *run, struct tl_cursor *operands)
{
	tl_size size = tl_cursor_left(operands);

	if (size != 4 && size != 8) {
		run->status = TL_ERROR_MALFORMED;
		return;
	}
	run->row.address = tl_take_word(operands, size);
	run->row.operation = 0;
}

static void define_file(struct run *run, struct tl_cursor *operands)
{
	const char *name = tl_take_text(operands);
	tl_u64 directory = tl_take_unsigned(operands);

	if (operands->failed)
		run->status = TL_ERROR_MALFORMED;
	else
		run->status = tl_line_add_file(run->table, name, directory, NULL);
}

static void run_extended(struct run *run)
{
	struct tl_cursor operands = tl_cursor_take(&run->code, tl_take_unsigned(&run->code));

	/* One without even an opcode is nothing. */
	if (tl_cursor_done(&operands))
		return;
	switch (tl_take_u8(&operands)) {
	case EXTENDED_END_SEQUENCE:
		run->row.flags |= TL_LINE_END;
		add_row(run);
		end_sequence(run);
		begin_sequence(run);
		break;
	case EXTENDED_SET_ADDRESS:
		set_address(run, &operands);
		break;
	case EXTENDED_DEFINE_FILE:
		define_file(run, &operands);
		break;
	case EXTENDED_SET_DISCRIMINATOR:
		run->row.discriminator = (tl_u32)tl_take_unsigned(&operands);
		break;
	default: /* of some other maker */
		break;
	}
}

static void run_standard(struct run *run, tl_u8 opcode)
{
	tl_u64 number;

	switch (opcode) {
	case OPCODE_COPY:
		add_row(run);
		break;
	case OPCODE_ADVANCE_PC:
		advance(run, tl_take_unsigned(&run->code));
		break;
	case OPCODE_ADVANCE_LINE:
		run->row.line += (tl_u32)tl_take_signed(&run->code);
		break;
	case OPCODE_SET_FILE:
		number = tl_take_unsigned(&run->code);
		run->row.file = number < TL_U32_MAX ? (tl_u32)number : TL_U32_MAX;
		break;
	case OPCODE_SET_COLUMN:
		number = tl_take_unsigned(&run->code);
		run->row.column = number < 0xffff ? (tl_u16)number : 0xffff;
		break;
	case OPCODE_NEGATE_STATEMENT:
		run->row.flags ^= TL_LINE_STATEMENT;
		break;
	case OPCODE_SET_BASIC_BLOCK:
		run->row.flags |= TL_LINE_BLOCK;
		break;
	case OPCODE_CONST_ADD_PC:
		advance(run, (tl_u64)(255 - run->header->opcode_base) / run->header->line_range);
		break;
	case OPCODE_FIXED_ADVANCE_PC:
		run->row.address += tl_take_u16(&run->code);
		run->row.operation = 0;
		break;
	case OPCODE_SET_PROLOGUE_END:
		run->row.flags |= TL_LINE_PROLOGUE_END;
		break;
	case OPCODE_SET_EPILOGUE_BEGIN:
		run->row.flags |= TL_LINE_EPILOGUE_BEGIN;
		break;
	case OPCODE_SET_ISA:
		(void)tl_take_unsigned(&run->code);
		break;
	default: /* not known, but the header says how many operands it has */
		for (tl_u8 i = run->header->opcode_lengths[opcode - 1]; i > 0; i--)
			(void)tl_take_unsigned(&run->code);
		break;
	}
}

static void run_all(struct run *run)
{
	begin_sequence(run);
	while (run->status == TL_OK && !tl_cursor_done(&run->code)) {
		tl_u8 opcode = tl_take_u8(&run->code);

		if (opcode >= run->header->opcode_base)
			run_special(run, opcode);
		else if (opcode == OPCODE_EXTENDED)
			run_extended(run);
		else
			run_standard(run, opcode);
	}
	/* A sequence without an end is closed where its last row is, whose code nobody can tell the end of. */
	end_sequence(run);
	if (run->status == TL_OK && run->code.failed)
		run->status = TL_ERROR_MALFORMED;
}

static int by_start(const void *a, const void *b)
{
	const struct tl_line_sequence *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return left->first < right->first ? -1 : left->first > right->first;
}

/* What was grown ahead of need is given back: tables are kept. Shrinking does not fail; if it did, nothing is lost. */
static void *shrink(void *array, tl_size *capacity, tl_size count, tl_size element)
{
	void *shrunk;

	if (array == NULL || count == *capacity)
		return array;
	shrunk = tl_storage()->resize(tl_storage()->context, array, *capacity * element, count * element);
	if (shrunk == NULL && count != 0)
		return array;
	*capacity = count;
	return shrunk;
}

static enum tl_status read_rows(struct tl_line_table *table, const struct tl_line_header *header,
				const struct tl_line_sections *sections, struct tl_error *error)
{
	struct run run = {.table = table,
			  .header = header,
			  .code = header->program,
			  .code_start = sections->code_start,
			  .code_end = sections->code_end,
			  .sorted = true};

	run_all(&run);
	if (run.status == TL_ERROR_NO_MEMORY)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a line table");
	if (run.status != TL_OK)
		return TL_FAIL(error, run.status,
			       ".debug_line is damaged: the program of the table at 0x%llx makes no sense",
			       (unsigned long long)table->offset);
	if (!run.sorted)
		qsort(table->sequences, table->sequence_count, sizeof(*table->sequences), by_start);
	for (tl_size i = 0; i < table->sequence_count; i++) {
		tl_u64 before = i != 0 ? table->sequences[i - 1].reach : 0;

		table->sequences[i].reach = before > table->sequences[i].end ? before : table->sequences[i].end;
	}
	table->rows = shrink(table->rows, &table->row_capacity, table->row_count, sizeof(*table->rows));
	table->sequences =
		shrink(table->sequences, &table->sequence_capacity, table->sequence_count, sizeof(*table->sequences));
	table->has_rows = true;
	return TL_OK;
}

enum tl_status tl_line_table_read(struct tl_line_table **table_ret, const struct tl_line_sections *sections,
				  tl_u64 offset, const char *directory, bool rows, struct tl_error *error)
{
	struct tl_line_table *table = tl_allocate(tl_storage(), sizeof(*table));
	struct tl_line_header header;
	enum tl_status status;

	if (table == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a line table");
	table->directory = directory;
	status = tl_line_header_read(sections, offset, table, &header, error);
	if (status == TL_OK && rows)
		status = read_rows(table, &header, sections, error);
	if (status != TL_OK) {
		tl_line_table_close(table);
		return status;
	}
	*table_ret = table;
	return TL_OK;
}

void tl_line_table_close(struct tl_line_table *table)
{
	if (table == NULL)
		return;
	tl_release(tl_storage(), table->rows, table->row_capacity * sizeof(*table->rows));
	tl_release(tl_storage(), table->sequences, table->sequence_capacity * sizeof(*table->sequences));
	tl_release(tl_storage(), table->files, table->file_capacity * sizeof(*table->files));
	tl_release(tl_storage(), table->directories, table->directory_capacity * sizeof(*table->directories));
	tl_release(tl_storage(), table, sizeof(*table));
}

/* The sequence that covers an address; of several, the one that begins last. */
static const struct tl_line_sequence *find_sequence(const struct tl_line_table *table, tl_u64 address)
{
	tl_size low = 0, high = table->sequence_count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (table->sequences[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (tl_size i = low; i > 0 && address < table->sequences[i - 1].reach; i--)
		if (address < table->sequences[i - 1].end)
			return &table->sequences[i - 1];
	return NULL;
}

/*
 * Of the rows at one address, first to last, the one that tells where the program stands, as gdb has it: the last, but
 * no row that is not a statement and goes to another file, behind one that is; and a statement of the same file rather
 * than what comes right behind it.
 */
static const struct tl_line_row *of_several(const struct tl_line_row *first, const struct tl_line_row *last)
{
	const struct tl_line_row *found = first, *statement = NULL;
	bool any_statement = false;

	for (const struct tl_line_row *row = first; row <= last; row++) {
		const bool is_statement = (row->flags & TL_LINE_STATEMENT) != 0, moves = row->file != found->file;

		if (!moves || is_statement || !any_statement) {
			found = row;
			statement = is_statement ? row : moves ? NULL : statement;
		}
		any_statement |= is_statement;
	}
	return statement != NULL ? statement : found;
}

const struct tl_line_row *tl_line_table_find(const struct tl_line_table *table, tl_u64 address)
{
	const struct tl_line_sequence *sequence = find_sequence(table, address);
	const struct tl_line_row *rows, *found;
	tl_size low = 0, high;

	if (sequence == NULL)
		return NULL;
	rows = table->rows + sequence->first;
	high = sequence->count;
	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (rows[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* The first row is at the start of the sequence, and the last one behind its code. */
	found = &rows[low - 1];
	while (found > rows && found[-1].address == found->address)
		found--;
	return of_several(found, &rows[low - 1]);
}

/* The sequence in which a row stands: the one that was searched last would do, but rows are all that callers keep. */
static const struct tl_line_sequence *sequence_of(const struct tl_line_table *table, const struct tl_line_row *row)
{
	tl_size index = (tl_size)(row - table->rows);
	const struct tl_line_sequence *sequence = find_sequence(table, row->address);

	if (sequence != NULL && index - sequence->first < sequence->count)
		return sequence;
	for (tl_size i = 0; i < table->sequence_count; i++)
		if (index - table->sequences[i].first < table->sequences[i].count)
			return &table->sequences[i];
	return NULL;
}

tl_u64 tl_line_row_end(const struct tl_line_table *table, const struct tl_line_row *row)
{
	const struct tl_line_sequence *sequence = sequence_of(table, row);
	const struct tl_line_row *end;

	if (sequence == NULL)
		return row->address;
	end = table->rows + sequence->first + sequence->count;
	for (const struct tl_line_row *next = row + 1; next < end; next++)
		if (next->address > row->address)
			return next->address;
	return sequence->end;
}

static bool belongs(const struct tl_line_row *row, const struct tl_line_row *to)
{
	return row->line == 0 || (row->line == to->line && row->file == to->file);
}

void tl_line_row_extent(const struct tl_line_table *table, const struct tl_line_row *row, tl_u64 *start_ret,
			tl_u64 *end_ret)
{
	const struct tl_line_sequence *sequence = sequence_of(table, row);
	const struct tl_line_row *first, *last, *begin, *end;

	*start_ret = *end_ret = row->address;
	if (sequence == NULL)
		return;
	first = table->rows + sequence->first;
	last = first + sequence->count - 1;
	for (begin = row; begin > first && belongs(begin - 1, row); begin--)
		;
	for (end = row; end < last && (end == row || belongs(end, row)); end++)
		;
	*start_ret = begin->address;
	*end_ret = end->address;
}

const struct tl_line_row *tl_line_row_kept(const struct tl_line_table *table, const struct tl_line_row *row)
{
	const struct tl_line_row *at = row, *kept;
	bool discriminated = false;

	while (at > table->rows && at[-1].line == row->line && at[-1].file == row->file &&
	       (at[-1].flags & TL_LINE_END) == 0)
		at--;
	for (kept = at; at <= row; at++) {
		discriminated |= at->discriminator != 0;
		if (!discriminated)
			kept = at;
	}
	return kept;
}

tl_u64 tl_line_row_kept_end(const struct tl_line_table *table, const struct tl_line_row *row)
{
	const struct tl_line_row *last = table->rows + table->row_count - 1, *next = row + 1;
	bool discriminated = row->discriminator != 0;

	for (; row <= last && next <= last && (next[-1].flags & TL_LINE_END) == 0; next++) {
		const bool same = next->line == row->line && next->file == row->file;

		discriminated |= same && next->discriminator != 0;
		if (next->address > row->address && next->line != 0 && !(same && discriminated))
			break;
	}
	return next <= last ? next->address : tl_line_row_end(table, row);
}

/* Does a row of another file begin at the same address, behind it? */
static bool is_covered(const struct tl_line_table *table, const struct tl_line_row *row)
{
	const struct tl_line_row *last = table->rows + table->row_count - 1;

	for (const struct tl_line_row *next = row + 1;
	     next <= last && next->address == row->address && (next[-1].flags & TL_LINE_END) == 0; next++)
		if (next->file != row->file && (next->flags & TL_LINE_STATEMENT) != 0)
			return true;
	return false;
}

const struct tl_line_row *tl_line_table_first(const struct tl_line_table *table, const char *file, tl_u32 line)
{
	const struct tl_line_row *best = NULL;
	char path[4096];
	tl_u32 known = TL_U32_MAX;
	bool wanted = false;

	for (tl_size i = 0; i < table->row_count; i++) {
		const struct tl_line_row *row = &table->rows[i];

		if (row->line < line || (row->flags & TL_LINE_STATEMENT) == 0 || (row->flags & TL_LINE_END) != 0 ||
		    (best != NULL &&
		     (row->line > best->line || (row->line == best->line && row->address >= best->address))))
			continue;
		if (row->file != known) {
			known = row->file;
			wanted = tl_line_table_path(table, known, true, path, sizeof(path)) < sizeof(path) &&
				 strcmp(path, file) == 0;
		}
		if (wanted && !is_covered(table, row))
			best = row;
	}
	return best;
}

tl_u64 tl_line_behind_prologue(const struct tl_line_table *table, tl_u64 start, tl_u64 end, tl_u64 setup)
{
	const struct tl_line_sequence *sequence = find_sequence(table, start);
	const struct tl_line_row *row, *first;
	tl_u64 behind;

	if (sequence == NULL)
		return setup;
	first = tl_line_table_find(table, start);
	for (tl_size i = 0; i < sequence->count; i++) {
		row = table->rows + sequence->first + i;
		if (row->address >= end)
			break;
		/* One in another file is that of a function that was inlined. */
		if (row->address >= start && (row->flags & TL_LINE_PROLOGUE_END) != 0 && row->file == first->file)
			return row->address;
	}
	row = tl_line_table_find(table, setup);
	if (row == NULL || row->address == setup)
		return setup;
	behind = tl_line_row_end(table, row);
	return behind < end ? behind : setup;
}

const struct tl_line_file *tl_line_table_file(const struct tl_line_table *table, tl_u64 number)
{
	return number < table->file_count && table->files[number].name != NULL ? &table->files[number] : NULL;
}

/* Adds a part of a path to what stands in `path` already, with a slash between; the length there is, or would be. */
static tl_size add_part(char *path, tl_size size, tl_size length, const char *part)
{
	if (length != 0 && !(length <= size && path[length - 1] == '/')) {
		if (length < size)
			path[length] = '/';
		length++;
	}
	for (; *part != '\0'; part++, length++)
		if (length < size)
			path[length] = *part;
	return length;
}

/* What the names of relative directories are relative to. From version 5 on the table says it itself. */
static const char *base_directory(const struct tl_line_table *table)
{
	return table->directory_count != 0 && table->directories[0] != NULL ? table->directories[0] : table->directory;
}

tl_size tl_line_table_path(const struct tl_line_table *table, tl_u64 number, bool whole, char *path_ret, tl_size size)
{
	const struct tl_line_file *file = tl_line_table_file(table, number);
	const char *base = whole ? base_directory(table) : NULL, *directory = NULL;
	tl_size length = 0;

	if (file == NULL)
		return 0;
	if (file->name[0] != '/') {
		if (file->directory != 0 && file->directory < table->directory_count)
			directory = table->directories[file->directory];
		if ((directory == NULL || directory[0] != '/') && base != NULL)
			length = add_part(path_ret, size, length, base);
		if (directory != NULL && directory[0] != '\0')
			length = add_part(path_ret, size, length, directory);
	}
	length = add_part(path_ret, size, length, file->name);
	if (size != 0)
		path_ret[length < size ? length : size - 1] = '\0';
	return length;
}

bool tl_line_row_goes_on(const struct tl_line_table *table, const struct tl_line_row *row)
{
	const struct tl_line_row *before = row;
	bool divided = row->discriminator != 0;

	while (before != table->rows && (before[-1].flags & TL_LINE_END) == 0 && before[-1].line == row->line &&
	       before[-1].file == row->file) {
		before--;
		divided = divided || before->discriminator != 0;
	}
	return before != row && divided;
}

/* Whether that is the unit's own source, and the compiler was told its whole path: clang's table has it without. */
static bool is_unit(const struct tl_line_table *table, tl_u64 number)
{
	char path[4096];

	return table->unit_name != NULL && table->unit_name[0] == '/' &&
	       tl_line_table_path(table, number, true, path, sizeof(path)) < sizeof(path) &&
	       strcmp(table->unit_name, path) == 0;
}

tl_size tl_line_table_shown_path(const struct tl_line_table *table, tl_u64 number, char *path_ret, tl_size size)
{
	const struct tl_line_file *file = tl_line_table_file(table, number);
	bool whole = false;

	if (is_unit(table, number))
		whole = true;
	else if (table->version >= 5 && table->directory_count != 0 && table->directories[0] != NULL && file != NULL &&
		 file->directory == 0)
		whole = table->directories[0][0] != '/' || table->files[0].name == NULL ||
			strcmp(table->files[0].name, file->name) != 0;
	return tl_line_table_path(table, number, whole, path_ret, size);
}
