#include "frontends/cli/full_screen_code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A place that is longer is cut, so that the instruction can be seen. */
#define PLACE_WIDTH_MAX 32

static enum tl_status reserve(struct tl_code_rows *rows, tl_size count, struct tl_error *error)
{
	struct tl_code_row *grown;

	if (count <= rows->capacity)
		return TL_OK;
	grown = realloc(rows->items, (count + 256) * sizeof(*grown));
	if (grown == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the window of instructions");
	rows->items = grown;
	rows->capacity = count + 256;
	return TL_OK;
}

enum tl_status tl_code_rows_add(struct tl_code_rows *rows, tl_u64 address, const char *line, tl_size size,
				struct tl_error *error)
{
	const char *end = line + size, *tab = memchr(line, '\t', size), *open = memchr(line, '<', size);
	struct tl_code_row row = {.address = address};

	TL_TRY(reserve(rows, rows->count + 1, error));
	while (end > line && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	if (tab == NULL || tab > end)
		tab = line - 1;
	if (open != NULL && open < tab && tab > line && tab[-1] == ':')
		row.place = strndup(open, (tl_size)(tab - 1 - open));
	else
		row.place = strdup("");
	row.text = strndup(tab + 1, (tl_size)(end - tab - 1));
	if (row.place == NULL || row.text == NULL) {
		free(row.place);
		free(row.text);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the window of instructions");
	}
	rows->items[rows->count++] = row;
	return TL_OK;
}

void tl_code_rows_clear(struct tl_code_rows *rows)
{
	for (tl_size i = 0; i < rows->count; i++) {
		free(rows->items[i].place);
		free(rows->items[i].text);
	}
	free(rows->items);
	*rows = (struct tl_code_rows){0};
}

enum tl_status tl_code_screen_prepend(struct tl_code_screen *screen, struct tl_code_rows *front, struct tl_error *error)
{
	struct tl_code_rows *rows = &screen->rows;

	TL_TRY(reserve(rows, rows->count + front->count, error));
	if (rows->count > 0)
		memmove(rows->items + front->count, rows->items, rows->count * sizeof(*rows->items));
	if (front->count > 0)
		memcpy(rows->items, front->items, front->count * sizeof(*rows->items));
	rows->count += front->count;
	screen->first += front->count;
	front->count = 0;
	tl_code_rows_clear(front);
	return TL_OK;
}

bool tl_code_rows_find(const struct tl_code_rows *rows, tl_u64 address, tl_size *row_ret)
{
	tl_size low = 0, high = rows->count;

	while (low < high) {
		tl_size middle = (low + high) / 2;

		if (rows->items[middle].address == address) {
			*row_ret = middle;
			return true;
		}
		if (rows->items[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

void tl_code_screen_show(struct tl_code_screen *screen, tl_size row, tl_u32 height)
{
	tl_size margin = height > 8 ? 2 : 0;

	if (row >= screen->first + (screen->first > 0 ? margin : 0) && row + margin < screen->first + height)
		return;
	screen->first = row > height / 2 ? row - height / 2 : 0;
}

tl_i64 tl_code_screen_scroll(struct tl_code_screen *screen, tl_i64 lines, tl_u32 height)
{
	tl_i64 last = (tl_i64)screen->rows.count - height, wanted = (tl_i64)screen->first + lines;

	if (last < 0)
		last = 0;
	screen->first = wanted < 0 ? 0 : wanted > last ? (tl_size)last : (tl_size)wanted;
	return wanted < 0 ? wanted : wanted > last ? wanted - last : 0;
}

/* How wide places are among the rows that are shown, so that instructions stand below each other. */
static tl_u32 place_width(const struct tl_code_screen *screen, tl_u32 height)
{
	tl_size widest = 0;

	for (tl_size i = screen->first; i < screen->rows.count && i < screen->first + height; i++) {
		tl_size width = strlen(screen->rows.items[i].place);

		if (width > widest)
			widest = width;
	}
	return widest > PLACE_WIDTH_MAX ? PLACE_WIDTH_MAX : (tl_u32)widest;
}

/* The end of a long name says more than its start: "<…+1234>". */
static tl_u32 draw_place(struct tl_canvas *canvas, tl_u32 row, tl_u32 column, const char *place, tl_u32 width,
			 struct tl_ink ink)
{
	tl_size size = strlen(place);
	const char *plus = strrchr(place, '+');
	tl_size tail = plus != NULL ? strlen(plus) : 1;

	if (size <= width || tail + 4 > width)
		return tl_canvas_text(canvas, row, column, column + width, place, size, ink);
	column = tl_canvas_text(canvas, row, column, column + (tl_u32)(width - tail) - 3, place, size, ink);
	column = tl_canvas_text(canvas, row, column, column + 3, "...", 3, ink);
	return tl_canvas_text(canvas, row, column, column + (tl_u32)tail, plus != NULL ? plus : ">", tail, ink);
}

static void draw_row(const struct tl_code_screen *screen, const struct tl_code_row *item, tl_u32 width,
		     const char marks[4], struct tl_canvas *canvas, tl_u32 row, bool current)
{
	struct tl_ink plain = {0, 0, current ? TL_LOOK_REVERSE : 0}, address = plain, place = plain,
		      stop = {screen->coloured ? 2 : 0, 0, TL_LOOK_BOLD};
	char text[24];
	tl_u32 column;

	if (screen->coloured) {
		address.front = 5;
		place.front = 4;
	}
	(void)tl_canvas_text(canvas, row, 0, canvas->columns, marks, 2, stop);
	(void)tl_canvas_text(canvas, row, 2, canvas->columns, marks + 2, 1, (struct tl_ink){0, 0, TL_LOOK_BOLD});
	if (current)
		tl_canvas_fill(canvas, row, 4, canvas->columns, ' ', plain);
	(void)snprintf(text, sizeof(text), "0x%llx", (unsigned long long)item->address);
	column = tl_canvas_text(canvas, row, 4, canvas->columns, text, strlen(text), address) + 1;
	(void)draw_place(canvas, row, column, item->place, width, place);
	column += width + (width > 0 ? 2 : 1);
	(void)tl_canvas_text(canvas, row, column, canvas->columns, item->text, strlen(item->text), plain);
}

void tl_code_screen_draw(const struct tl_code_screen *screen, const struct tl_point_mark *marks, tl_size mark_count,
			 struct tl_canvas *canvas, tl_u32 row, tl_u32 height)
{
	tl_u32 width = place_width(screen, height);

	for (tl_u32 i = 0; i < height && screen->first + i < screen->rows.count; i++) {
		const struct tl_code_row *item = &screen->rows.items[screen->first + i];
		bool current = screen->has_current && item->address == screen->current;
		char text[4];

		tl_point_marks_text(marks, mark_count, item->address, current, text);
		draw_row(screen, item, width, text, canvas, row + i, current);
	}
}
