#include "symbols/line_query.h"

#include "base/storage.h"
#include "core/cursor.h"

#include <stdlib.h>

/* A path longer than Linux allows matches nothing. */
#define PATH_SIZE 4096

/*
 * The last part of a path before *end, which moves to in front of it; parts that "." and ".." take away are left out.
 * NULL when there is none. `up` counts the ".." that still wait for a part.
 */
static const char *last_part(const char *path, const char **end, tl_size *size_ret, tl_size *up)
{
	const char *stop = *end;

	for (;;) {
		const char *start;
		tl_size size;

		while (stop > path && stop[-1] == '/')
			stop--;
		if (stop == path)
			break;
		for (start = stop; start > path && start[-1] != '/'; start--)
			;
		size = (tl_size)(stop - start);
		stop = start;
		if (size == 1 && start[0] == '.')
			continue;
		if (size == 2 && start[0] == '.' && start[1] == '.') {
			++*up;
			continue;
		}
		if (*up > 0) {
			--*up;
			continue;
		}
		*end = start;
		*size_ret = size;
		return start;
	}
	*end = path;
	return NULL;
}

bool tl_path_matches(const char *path, const char *asked)
{
	const char *path_end = path + tl_text_length(path), *asked_end = asked + tl_text_length(asked);
	tl_size path_up = 0, asked_up = 0, matched = 0;

	for (;;) {
		tl_size path_size = 0, asked_size = 0;
		const char *wanted = last_part(asked, &asked_end, &asked_size, &asked_up);
		const char *found;

		if (wanted == NULL && asked[0] != '/')
			return matched != 0;
		found = last_part(path, &path_end, &path_size, &path_up);
		if (wanted == NULL || found == NULL)
			return wanted == NULL && found == NULL && matched != 0 && path[0] == '/';
		if (path_size != asked_size || !tl_same(found, wanted, asked_size))
			return false;
		matched++;
	}
}

struct tl_line_query tl_line_query_begin(const char *file, tl_u32 line)
{
	return (struct tl_line_query){.file = file, .line = line};
}

void tl_line_query_release(struct tl_line_query *query)
{
	tl_release(tl_storage(), query->places, query->capacity * sizeof(*query->places));
	query->places = NULL;
	query->count = query->capacity = 0;
}

/* The last part of names is compared first: paths are put together only for files that can match. */
static bool same_name(const char *name, const char *asked)
{
	const char *name_end = name + tl_text_length(name), *asked_end = asked + tl_text_length(asked);
	tl_size name_size = 0, asked_size = 0, name_up = 0, asked_up = 0;
	const char *a = last_part(name, &name_end, &name_size, &name_up);
	const char *b = last_part(asked, &asked_end, &asked_size, &asked_up);

	return a != NULL && b != NULL && name_size == asked_size && tl_same(a, b, name_size);
}

static bool concerns(const struct tl_line_query *query, const struct tl_line_table *table, tl_u64 number)
{
	const struct tl_line_file *file = tl_line_table_file(table, number);
	char path[PATH_SIZE];

	if (file == NULL || !same_name(file->name, query->file))
		return false;
	return tl_line_table_path(table, number, true, path, sizeof(path)) < sizeof(path) &&
	       tl_path_matches(path, query->file);
}

bool tl_line_query_concerns(const struct tl_line_query *query, const struct tl_line_table *table)
{
	for (tl_u64 i = 0; i < table->file_count; i++)
		if (concerns(query, table, i))
			return true;
	return false;
}

static enum tl_status add_place(struct tl_line_query *query, const struct tl_line_table *table, tl_size row,
				bool follows)
{
	void *places = query->places;

	if (!tl_grow(tl_storage(), &places, &query->capacity, query->count, sizeof(*query->places)))
		return TL_ERROR_NO_MEMORY;
	query->places = places;
	query->places[query->count++] = (struct tl_line_place){table->rows[row].address, table, row, follows, 0};
	return TL_OK;
}

/* The places of one file's lines in a sequence: of the line wanted, or of the nearest behind it so far. */
static enum tl_status add_sequence(struct tl_line_query *query, const struct tl_line_table *table,
				   const struct tl_line_sequence *sequence, tl_u64 file)
{
	bool taken = false;   /* the run of rows that we are in has a place */
	bool divided = false; /* and one of its rows has a discriminator */

	for (tl_size i = sequence->first; i < sequence->first + sequence->count; i++) {
		const struct tl_line_row *row = &table->rows[i];

		if (row->file != file || row->line < query->line || (row->flags & TL_LINE_END) != 0 ||
		    (query->found != 0 && row->line > query->found)) {
			/* Rows of no line do not end a run. Rows without code do: an inlined copy may begin there. */
			taken = taken && row->line == 0;
			divided = divided && taken;
			continue;
		}
		divided = divided || row->discriminator != 0;
		/* Parts of one line that the compiler tells apart are stopped at once, as in gdb. */
		if (taken && divided && row->line == query->found)
			continue;
		if ((row->flags & TL_LINE_STATEMENT) == 0)
			continue;
		if (query->found == 0 || row->line < query->found) {
			query->count = 0;
			query->found = row->line;
			taken = false;
		}
		TL_TRY(add_place(query, table, i, taken));
		taken = true;
	}
	return TL_OK;
}

enum tl_status tl_line_query_add(struct tl_line_query *query, const struct tl_line_table *table, struct tl_error *error)
{
	for (tl_u64 i = 0; i < table->file_count; i++) {
		if (!concerns(query, table, i))
			continue;
		query->known = true;
		for (tl_size j = 0; j < table->sequence_count; j++)
			if (add_sequence(query, table, &table->sequences[j], i) != TL_OK)
				return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the places of a line");
	}
	return TL_OK;
}

static int by_address(const void *a, const void *b)
{
	const struct tl_line_place *left = a, *right = b;

	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	return left->row < right->row ? -1 : left->row > right->row;
}

void tl_line_query_finish(struct tl_line_query *query, tl_u64 (*block_of)(void *context, tl_u64 address), void *context)
{
	tl_size kept = 0;

	if (query->count == 0)
		return;
	qsort(query->places, query->count, sizeof(*query->places), by_address);
	for (tl_size i = 0; i < query->count; i++) {
		struct tl_line_place place = query->places[i];
		bool again = kept != 0 && query->places[kept - 1].address == place.address;

		place.block = block_of != NULL ? block_of(context, place.address) : 0;
		again = again || (place.block == 0 && place.follows);
		for (tl_size j = 0; j < kept && place.block != 0 && !again; j++)
			again = query->places[j].block == place.block;
		if (!again)
			query->places[kept++] = place;
	}
	query->count = kept;
}
