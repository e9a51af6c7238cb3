#include "frontends/cli/full_screen_canvas.h"

#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* ---- Canvases ---- */

enum tl_status tl_canvas_open(struct tl_canvas *canvas_ret, tl_u32 rows, tl_u32 columns, struct tl_error *error)
{
	struct tl_canvas canvas = {rows == 0                   ? 1
				   : rows > TL_CANVAS_SIDE_MAX ? TL_CANVAS_SIDE_MAX
							       : rows,
				   columns == 0                   ? 1
				   : columns > TL_CANVAS_SIDE_MAX ? TL_CANVAS_SIDE_MAX
								  : columns,
				   NULL};

	canvas.cells = calloc((tl_size)canvas.rows * canvas.columns, sizeof(*canvas.cells));
	if (canvas.cells == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a screen of %u rows and %u columns", rows,
			       columns);
	*canvas_ret = canvas;
	return TL_OK;
}

void tl_canvas_close(struct tl_canvas *canvas)
{
	free(canvas->cells);
	*canvas = (struct tl_canvas){0};
}

struct tl_cell *tl_canvas_at(const struct tl_canvas *canvas, tl_u32 row, tl_u32 column)
{
	return &canvas->cells[(tl_size)row * canvas->columns + column];
}

/* A blank is a blank, whether something was put there or not. */
static tl_u32 shown(tl_u32 point)
{
	return point != 0 ? point : ' ';
}

bool tl_ink_same(struct tl_ink left, struct tl_ink right)
{
	return left.front == right.front && left.back == right.back && left.looks == right.looks;
}

bool tl_cell_same(const struct tl_cell *left, const struct tl_cell *right)
{
	return shown(left->point) == shown(right->point) && left->combining == right->combining &&
	       tl_ink_same(left->ink, right->ink) && (left->width == 2) == (right->width == 2);
}

/* ---- Putting ---- */

static bool is_right_half(const struct tl_canvas *canvas, tl_u32 row, tl_u32 column)
{
	return column > 0 && column < canvas->columns && tl_canvas_at(canvas, row, column - 1)->width == 2;
}

static void blank(struct tl_cell *cell)
{
	cell->point = ' ';
	cell->combining = 0;
	cell->width = 1;
}

void tl_canvas_put(struct tl_canvas *canvas, tl_u32 row, tl_u32 column, tl_u32 point, tl_u32 width, struct tl_ink ink)
{
	if (row >= canvas->rows || column >= canvas->columns)
		return;
	if (width == 2 && column + 1 >= canvas->columns) {
		point = ' ';
		width = 1;
	}
	if (is_right_half(canvas, row, column))
		blank(tl_canvas_at(canvas, row, column - 1));
	if (is_right_half(canvas, row, column + width))
		blank(tl_canvas_at(canvas, row, column + width));
	*tl_canvas_at(canvas, row, column) = (struct tl_cell){point, 0, ink, (tl_u8)width};
	if (width == 2)
		*tl_canvas_at(canvas, row, column + 1) = (struct tl_cell){0, 0, ink, 0};
}

void tl_canvas_fill(struct tl_canvas *canvas, tl_u32 row, tl_u32 column, tl_u32 end, tl_u32 point, struct tl_ink ink)
{
	for (; column < end && column < canvas->columns; column++)
		tl_canvas_put(canvas, row, column, point, 1, ink);
}

tl_size tl_canvas_character(const char *text, tl_size size, tl_u32 *point_ret, tl_u32 *width_ret)
{
	tl_u32 point;
	tl_size bytes = size > 0 ? tl_utf8_read(text, size, &point) : 0;
	int width;

	*point_ret = '?';
	*width_ret = 1;
	if (size == 0)
		return 0;
	if (bytes == 0)
		return 1;
	/* In a locale that has no such characters the width is not known, and they could not be written either. */
	width = wcwidth((wchar_t)point);
	if (width >= 0 && point >= ' ') {
		*point_ret = point;
		*width_ret = (tl_u32)width;
	}
	return bytes;
}

tl_u32 tl_canvas_text(struct tl_canvas *canvas, tl_u32 row, tl_u32 column, tl_u32 end, const char *text, tl_size size,
		      struct tl_ink ink)
{
	tl_u32 point, width;
	tl_size bytes;

	if (end > canvas->columns)
		end = canvas->columns;
	for (; (bytes = tl_canvas_character(text, size, &point, &width)) != 0; text += bytes, size -= bytes) {
		if (width == 0) {
			if (column > 0 && row < canvas->rows)
				tl_canvas_at(canvas, row, column - (is_right_half(canvas, row, column - 1) ? 2 : 1))
					->combining = point;
			continue;
		}
		if (column + width > end)
			break;
		tl_canvas_put(canvas, row, column, point, width, ink);
		column += width;
	}
	return column;
}

void tl_canvas_row_text(const struct tl_canvas *canvas, tl_u32 row, char *text_ret, tl_size size)
{
	tl_size used = 0, kept = 0;

	for (tl_u32 column = 0; column < canvas->columns && used + 9 < size; column++) {
		const struct tl_cell *cell = tl_canvas_at(canvas, row, column);

		if (is_right_half(canvas, row, column))
			continue;
		used += tl_utf8_write(shown(cell->point), text_ret + used);
		if (cell->combining != 0)
			used += tl_utf8_write(cell->combining, text_ret + used);
		if (shown(cell->point) != ' ')
			kept = used;
	}
	if (size > 0)
		text_ret[kept] = '\0';
}
