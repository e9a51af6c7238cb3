#include "debugger/code/code_listing_internal.h"

#include "base/storage.h"

#include <stdlib.h>
#include <string.h>

/* Line numbers are believed no further than this: so many lines without code come along with one that has some. */
#define LINES_MAX 4096u

/* A piece of code that is of one line. Strings belong to the places, which are held. */
struct piece {
	tl_u64 start, end;
	const char *file;  /* whole path; NULL: it is not known what it was made from */
	const char *shown; /* as the compiler was told it */
	const char *directory;
	const struct tl_module *module;
	const struct tl_line_table *table;
	tl_u32 line;
};

struct pieces {
	struct piece *items;
	tl_size count, capacity;
};

static bool same_file(const char *one, const char *other)
{
	return one != NULL && other != NULL && strcmp(one, other) == 0;
}

/* ---- What the code was made from ---- */

/* Code of no line goes with the line before it, as in gdb. */
static const struct tl_line_row *with_line(const struct tl_line_table *table, const struct tl_line_row *row)
{
	while (row->line == 0 && row > table->rows && (row[-1].flags & TL_LINE_END) == 0)
		row--;
	return row;
}

/* The line at an address, and how far it goes. Without one, a single byte: whatever instruction begins there. */
static enum tl_status piece_at(struct tl_listing *run, tl_u64 address, struct piece *piece_ret, struct tl_error *error)
{
	const struct tl_modules *modules = tl_places_modules(run->listing->places);
	const struct tl_line_row *row;
	struct tl_code_line line;
	const struct tl_spot *spot;

	*piece_ret = (struct piece){.start = address, .end = address + 1};
	if (!tl_modules_line(modules, address, &line) || line.end <= address)
		return TL_OK;
	row = with_line(line.table, line.row);
	if (row->line == 0)
		return TL_OK;
	TL_TRY(tl_places_at(run->listing->places, row->address + line.module->bias, &spot, error));
	piece_ret->end = line.end;
	piece_ret->file = spot->functions[0].file;
	piece_ret->shown = spot->functions[0].file_name;
	piece_ret->directory = line.table->directory;
	piece_ret->module = line.module;
	piece_ret->table = line.table;
	piece_ret->line = row->line;
	return TL_OK;
}

static enum tl_status add_piece(struct pieces *pieces, const struct piece *piece, struct tl_error *error)
{
	if (pieces->count == pieces->capacity) {
		tl_size wanted = pieces->capacity * 2 + 64;
		struct piece *grown = tl_storage()->resize(tl_storage()->context, pieces->items,
							   pieces->capacity * sizeof(*grown), wanted * sizeof(*grown));

		if (grown == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "there is no memory for the lines of this code");
		pieces->items = grown;
		pieces->capacity = wanted;
	}
	pieces->items[pieces->count++] = *piece;
	return TL_OK;
}

static void release(struct pieces *pieces)
{
	tl_release(tl_storage(), pieces->items, pieces->capacity * sizeof(*pieces->items));
}

/* All pieces with a line in [start, end). */
static enum tl_status collect(struct tl_listing *run, tl_u64 start, tl_u64 end, struct pieces *pieces,
			      struct tl_error *error)
{
	for (tl_u64 address = start; address < end;) {
		struct piece piece;

		TL_TRY(piece_at(run, address, &piece, error));
		if (piece.file != NULL)
			TL_TRY(add_piece(pieces, &piece, error));
		if (piece.end <= address)
			break;
		address = piece.end;
	}
	return TL_OK;
}

static int by_file(const void *one, const void *other)
{
	const struct piece *a = one, *b = other;
	int order = strcmp(a->file, b->file);

	return order != 0 ? order : a->line < b->line ? -1 : a->line > b->line;
}

/* Of pieces in the order of by_file. */
static bool has_code(const struct pieces *pieces, const char *file, tl_u32 line)
{
	struct piece wanted = {.file = file, .line = line};

	return pieces->count != 0 &&
	       bsearch(&wanted, pieces->items, pieces->count, sizeof(*pieces->items), by_file) != NULL;
}

/* ---- What a file's own table says ---- */

/*
 * gdb keeps a table for each file, made from the program's: where another file goes on, an entry without a line ends
 * it, and what was empty before that is dropped. From here on "entries" are of one file.
 */
struct entries {
	struct pieces pieces; /* `line` 0: the file ends here */
	const char *file;
	tl_u64 bias;
	const struct piece *like; /* what all entries have in common */
	bool inside;              /* the last row was of the file */
	/* Of the last row that was taken, and of the last one. */
	bool any, statement, discriminated;
	tl_u32 last_line, last_file, discriminated_line;
	tl_u64 last_address;
	/* The file that was compared last, and whether it was the one. */
	tl_u32 last_number;
	bool last_is_file, compared;
};

static bool is_file(struct entries *entries, const struct tl_line_table *table, tl_u32 number)
{
	char path[4096];

	if (!entries->compared || entries->last_number != number) {
		tl_size length = tl_line_table_path(table, number, true, path, sizeof(path));

		entries->compared = true;
		entries->last_number = number;
		entries->last_is_file = length != 0 && length < sizeof(path) && strcmp(path, entries->file) == 0;
	}
	return entries->last_is_file;
}

static enum tl_status add_entry(struct entries *entries, tl_u64 address, tl_u32 line, struct tl_error *error)
{
	struct piece entry = *entries->like;

	entry.start = entry.end = address + entries->bias;
	entry.line = line;
	return add_piece(&entries->pieces, &entry, error);
}

/* Another file, or nothing, goes on here. */
static enum tl_status end_file(struct entries *entries, tl_u64 address, struct tl_error *error)
{
	struct pieces *pieces = &entries->pieces;

	while (pieces->count != 0 && pieces->items[pieces->count - 1].start == address + entries->bias &&
	       pieces->items[pieces->count - 1].line != 0)
		pieces->count--;
	entries->inside = false;
	return add_entry(entries, address, 0, error);
}

/* Of no line, or in the middle of a statement of another file at the same address: gdb leaves it out. */
static bool is_ignored(const struct entries *entries, const struct tl_line_row *row)
{
	if ((row->flags & TL_LINE_END) != 0)
		return false;
	return row->line == 0 ||
	       (entries->any && row->file != entries->last_file && row->address == entries->last_address &&
		(row->flags & TL_LINE_STATEMENT) == 0 && entries->statement);
}

static void note_row(struct entries *entries, const struct tl_line_row *row)
{
	entries->statement =
		(entries->statement && row->address == entries->last_address) || (row->flags & TL_LINE_STATEMENT) != 0;
	entries->last_address = row->address;
}

static enum tl_status take_row(struct entries *entries, const struct tl_line_table *table,
			       const struct tl_line_row *row, struct tl_error *error)
{
	bool end = (row->flags & TL_LINE_END) != 0;

	entries->discriminated =
		(entries->discriminated && row->line == entries->discriminated_line) || row->discriminator != 0;
	entries->discriminated_line = row->line;
	if (!is_ignored(entries, row)) {
		bool is = !end && is_file(entries, table, row->file);

		if (entries->inside && !is)
			TL_TRY(end_file(entries, row->address, error));
		if (is && (!entries->inside || row->line != entries->last_line || !entries->discriminated))
			TL_TRY(add_entry(entries, row->address, row->line, error));
		entries->inside = is;
		entries->last_line = row->line;
		entries->last_file = row->file;
		entries->any = true;
	}
	note_row(entries, row);
	return TL_OK;
}

/* The entries of the file of `like` in the run of code that `like` is in. */
static enum tl_status collect_entries(const struct piece *like, struct entries *entries, struct tl_error *error)
{
	const struct tl_line_table *table = like->table;

	*entries = (struct entries){.file = like->file, .bias = like->module->bias, .like = like};
	for (tl_size i = 0; i < table->sequence_count; i++) {
		const struct tl_line_sequence *sequence = &table->sequences[i];

		if (like->start - entries->bias < sequence->start || like->start - entries->bias >= sequence->end)
			continue;
		for (tl_size n = 0; n < sequence->count; n++)
			TL_TRY(take_row(entries, table, &table->rows[sequence->first + n], error));
		if (entries->inside)
			TL_TRY(end_file(entries, sequence->end, error));
	}
	for (tl_size i = 0; i + 1 < entries->pieces.count; i++)
		entries->pieces.items[i].end = entries->pieces.items[i + 1].start;
	return TL_OK;
}

/* ---- Lines of source ---- */

/* Lines [first, last] of a piece's file; that there is no such file is said once, as gdb says it. */
static void write_lines(struct tl_listing *run, const struct piece *piece, tl_u32 first, tl_u32 last)
{
	const struct tl_source_file *source = NULL;
	struct tl_error missing = {.text = ""};

	if (run->listing->sources != NULL &&
	    tl_sources_find(run->listing->sources, piece->shown, piece->directory, &source, &missing) != TL_OK)
		source = NULL;
	first = last - first < LINES_MAX ? first : last - LINES_MAX;
	for (tl_u32 line = first; line <= last && line != 0; line++) {
		const char *bytes;
		tl_size size;

		if (source != NULL) {
			if (!tl_source_file_line(source, line, &bytes, &size))
				continue;
			tl_output_format(run->output, "%u\t", line);
			tl_source_file_write(run->output, bytes, size);
			tl_output_text(run->output, "\n");
		} else if (!same_file(run->missing, piece->file)) {
			tl_output_format(run->output, "%u\t%s\n", line, missing.text);
			run->missing = piece->file;
		} else {
			tl_output_format(run->output, "%u\tin %s\n", line, piece->shown);
		}
	}
}

/* ---- In the order of addresses ---- */

/* From which line on to show, so that comments and declarations in front of a line come with it. */
static tl_u32 first_line(const struct pieces *pieces, const struct piece *piece, const struct piece *before,
			 tl_u32 opening)
{
	tl_u32 first = piece->line;

	if (opening != 0 && opening < piece->line)
		return opening;
	if (!same_file(piece->file, before->file) || before->line == 0 || piece->line <= before->line)
		return first;
	while (first - 1 > before->line && piece->line - first < LINES_MAX && !has_code(pieces, piece->file, first - 1))
		first--;
	return first;
}

static void write_source(struct tl_listing *run, const struct pieces *pieces, const struct piece *piece,
			 const struct piece *before, bool first, tl_u32 opening)
{
	if (piece->file == NULL ? before->file == NULL
				: same_file(piece->file, before->file) && piece->line == before->line)
		return;
	tl_output_text(run->output, first ? "" : "\n");
	if (piece->file == NULL) {
		tl_output_text(run->output, "unknown:\n--- no source info for this pc ---\n");
		return;
	}
	if (!same_file(piece->file, before->file))
		tl_output_format(run->output, "%s:\n", piece->shown);
	write_lines(run, piece, first_line(pieces, piece, before, first ? opening : 0), piece->line);
}

/* The line of an opening brace may have no code left of its own, and is shown all the same. */
static enum tl_status opening_line(const struct pieces *pieces, tl_u64 start, tl_u64 end, tl_u32 *line_ret,
				   struct tl_error *error)
{
	struct entries entries = {.like = NULL};
	enum tl_status status;

	*line_ret = 0;
	if (pieces->count == 0 || pieces->items[0].start != start)
		return TL_OK;
	status = collect_entries(&pieces->items[0], &entries, error);
	for (tl_size i = 0; status == TL_OK && i < entries.pieces.count && *line_ret == 0; i++)
		if (entries.pieces.items[i].start >= start && entries.pieces.items[i].start < end)
			*line_ret = entries.pieces.items[i].line;
	release(&entries.pieces);
	return status;
}

static enum tl_status mixed(struct tl_listing *run, struct pieces *pieces, tl_u64 start, tl_u64 end,
			    struct tl_error *error)
{
	struct piece before = {0}, piece;
	tl_u32 opening;

	TL_TRY(opening_line(pieces, start, end, &opening, error));
	if (pieces->count != 0)
		qsort(pieces->items, pieces->count, sizeof(*pieces->items), by_file);
	for (tl_u64 address = start; address < end; before = piece) {
		tl_u64 reached;

		TL_TRY(piece_at(run, address, &piece, error));
		write_source(run, pieces, &piece, &before, address == start, opening);
		TL_TRY(tl_listing_instructions(run, address, piece.end < end ? piece.end : end, &reached, error));
		if (reached <= address)
			break;
		address = reached;
	}
	return TL_OK;
}

enum tl_status tl_listing_mixed(struct tl_listing *run, tl_u64 start, tl_u64 end, struct tl_error *error)
{
	struct pieces pieces = {0};
	enum tl_status status;

	tl_places_hold(run->listing->places);
	status = collect(run, start, end, &pieces, error);
	if (status == TL_OK)
		status = mixed(run, &pieces, start, end, error);
	tl_places_let_go(run->listing->places);
	release(&pieces);
	return status;
}

/* ---- In the order of lines ---- */

static int by_line(const void *one, const void *other)
{
	const struct piece *a = one, *b = other;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->start < b->start ? -1 : a->start > b->start;
}

/* Leaves the entries that begin in [start, end) and have a line, each once. */
static void keep_inside(struct pieces *pieces, tl_u64 start, tl_u64 end)
{
	tl_size kept = 0;

	for (tl_size i = 0; i < pieces->count; i++) {
		const struct piece *piece = &pieces->items[i];
		bool again = i + 1 < pieces->count && piece[1].line == piece->line && piece[1].start == piece->start;

		if (piece->start >= start && piece->start < end && piece->line != 0 && !again)
			pieces->items[kept++] = *piece;
	}
	pieces->count = kept;
}

static enum tl_status sorted(struct tl_listing *run, const struct pieces *pieces, struct tl_error *error)
{
	tl_u32 next = 0;

	for (tl_size i = 0; i < pieces->count; i++) {
		const struct piece *piece = &pieces->items[i];
		tl_u64 reached;

		if (piece->line >= next) {
			write_lines(run, piece, next != 0 ? next : piece->line, piece->line);
			next = piece->line + 1;
		}
		TL_TRY(tl_listing_instructions(run, piece->start, piece->end, &reached, error));
		if (i + 1 == pieces->count || piece[1].line > piece->line)
			tl_output_text(run->output, "\n");
	}
	return TL_OK;
}

static enum tl_status by_lines(struct tl_listing *run, tl_u64 start, tl_u64 end, struct tl_error *error)
{
	struct entries entries = {.like = NULL};
	enum tl_status status = TL_OK;
	struct piece first;
	tl_u64 reached;

	TL_TRY(piece_at(run, start, &first, error));
	if (first.file != NULL)
		status = collect_entries(&first, &entries, error);
	keep_inside(&entries.pieces, start, end);
	if (status == TL_OK && entries.pieces.count != 0) {
		qsort(entries.pieces.items, entries.pieces.count, sizeof(*entries.pieces.items), by_line);
		status = sorted(run, &entries.pieces, error);
	} else if (status == TL_OK) {
		status = tl_listing_instructions(run, start, end, &reached, error);
	}
	release(&entries.pieces);
	return status;
}

enum tl_status tl_listing_by_line(struct tl_listing *run, tl_u64 start, tl_u64 end, struct tl_error *error)
{
	enum tl_status status;

	tl_places_hold(run->listing->places);
	status = by_lines(run, start, end, error);
	tl_places_let_go(run->listing->places);
	return status;
}
