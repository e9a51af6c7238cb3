#include "frontends/cli/full_screen_source.h"

#include "frontends/cli/full_screen_highlight.h"

#include <stdio.h>
#include <string.h>

/* Bytes of a line that are looked at: what is further to the right is not drawn. */
#define LINE_MAX 8192
/* Lines from the start of a file that are read for what the first one shown begins inside of. */
#define STATE_LINES_MAX 200000u

void tl_point_marks_text(const struct tl_point_mark *marks, tl_size count, tl_u64 at, bool current, char text_ret[4])
{
	bool any = false, hardware = false, hit = false, enabled = false;

	for (tl_size i = 0; i < count; i++) {
		if (marks[i].at != at)
			continue;
		any = true;
		hardware |= marks[i].hardware;
		hit |= marks[i].hit;
		enabled |= marks[i].enabled;
	}
	text_ret[0] = text_ret[1] = ' ';
	if (any) {
		text_ret[0] = hardware ? (hit ? 'H' : 'h') : hit ? 'B' : 'b';
		text_ret[1] = enabled ? '+' : '-';
	}
	text_ret[2] = current ? '>' : ' ';
	text_ret[3] = '\0';
}

/* ---- Where one looks ---- */

static void set_first(struct tl_source_view *view, tl_i64 first, tl_u32 line_count, tl_u32 height)
{
	tl_i64 last = (tl_i64)line_count - height + 1;

	if (first > last)
		first = last;
	view->first = first < 1 ? 1 : (tl_u32)first;
}

void tl_source_view_show(struct tl_source_view *view, tl_u32 line, tl_u32 line_count, tl_u32 height)
{
	/* Lines around it that are to be seen as well. */
	tl_u32 margin = height > 8 ? 2 : 0;

	if (view->first != 0 && line >= view->first + (view->first > 1 ? margin : 0) &&
	    line + margin < view->first + height)
		return;
	set_first(view, (tl_i64)line - height / 2, line_count, height);
}

void tl_source_view_scroll(struct tl_source_view *view, tl_i64 lines, tl_u32 line_count, tl_u32 height)
{
	set_first(view, (tl_i64)view->first + lines, line_count, height);
}

/* ---- Drawing ---- */

static struct tl_ink ink_of(const struct tl_source_view *view, tl_u8 kind)
{
	/* 1 + the colour: green, yellow, cyan, magenta, blue. */
	static const struct tl_ink inks[] = {
		[TL_HIGHLIGHT_PLAIN] = {0, 0, 0},     [TL_HIGHLIGHT_KEYWORD] = {4, 0, TL_LOOK_BOLD},
		[TL_HIGHLIGHT_TYPE] = {7, 0, 0},      [TL_HIGHLIGHT_TEXT] = {3, 0, 0},
		[TL_HIGHLIGHT_NUMBER] = {6, 0, 0},    [TL_HIGHLIGHT_COMMENT] = {0, 0, TL_LOOK_DIM},
		[TL_HIGHLIGHT_DIRECTIVE] = {5, 0, 0},
	};

	return view->coloured ? inks[kind] : inks[TL_HIGHLIGHT_PLAIN];
}

/* A character that is to stand at a column of the line; part of it may be to the left of what is shown. */
static void put(const struct tl_source_view *view, struct tl_canvas *canvas, tl_u32 row, tl_u32 start, tl_u32 column,
		tl_u32 point, tl_u32 width, struct tl_ink ink)
{
	if (column >= view->offset)
		tl_canvas_put(canvas, row, start + column - view->offset, point, width, ink);
}

/* The text of a line, behind its number; control characters as ^X. */
static void draw_text(const struct tl_source_view *view, struct tl_canvas *canvas, tl_u32 row, tl_u32 start,
		      const char *bytes, tl_size size, const tl_u8 *kinds, bool current)
{
	tl_u32 column = 0, tab = view->tab_width != 0 ? view->tab_width : 8, point, width;

	for (tl_size i = 0, taken; i < size && start + column < canvas->columns + view->offset; i += taken) {
		struct tl_ink ink = ink_of(view, kinds[i]);
		char byte = bytes[i];

		ink.looks |= current ? TL_LOOK_REVERSE : 0;
		taken = tl_canvas_character(bytes + i, size - i, &point, &width);
		if (byte == '\t') {
			tl_u32 end = column + tab - column % tab;

			for (; column < end; column++)
				put(view, canvas, row, start, column, ' ', 1, ink);
		} else if ((unsigned char)byte < ' ' || byte == '\177') {
			put(view, canvas, row, start, column++, '^', 1, ink);
			put(view, canvas, row, start, column++, (tl_u32)(byte ^ 0x40) & 0x7f, 1, ink);
		} else if (width == 0) {
			if (column > view->offset)
				(void)tl_canvas_text(canvas, row, start + column - view->offset, canvas->columns,
						     bytes + i, taken, ink);
		} else {
			put(view, canvas, row, start, column, point, width, ink);
			column += width;
		}
	}
	/* The line where one stands shows to the right side. */
	if (current && start + column - view->offset < canvas->columns && column >= view->offset)
		tl_canvas_fill(canvas, row, start + column - view->offset, canvas->columns, ' ',
			       (struct tl_ink){0, 0, TL_LOOK_REVERSE});
}

static tl_u32 digits(tl_u32 number)
{
	tl_u32 count = 1;

	for (; number >= 10; number /= 10)
		count++;
	return count;
}

static void draw_line(const struct tl_source_view *view, struct tl_canvas *canvas, tl_u32 row, tl_u32 line, tl_u32 wide,
		      const char marks[4])
{
	char number[16];
	struct tl_ink plain = {0}, stop = plain, faint = plain;

	stop.front = view->coloured ? 2 : 0;
	stop.looks = TL_LOOK_BOLD;
	faint.looks = view->coloured ? TL_LOOK_DIM : 0;
	(void)snprintf(number, sizeof(number), "%*u", (int)wide, line);
	(void)tl_canvas_text(canvas, row, 0, canvas->columns, marks, 2, stop);
	(void)tl_canvas_text(canvas, row, 2, canvas->columns, marks + 2, 1, (struct tl_ink){0, 0, TL_LOOK_BOLD});
	(void)tl_canvas_text(canvas, row, 4, canvas->columns, number, strlen(number), faint);
}

/* What the line at the top begins inside of. */
static struct tl_highlight_state state_at(const struct tl_source_view *view, const struct tl_source_file *file)
{
	struct tl_highlight_state state = {0};
	const char *bytes;
	tl_size size;

	for (tl_u32 line = 1; view->highlighted && line < view->first && line < STATE_LINES_MAX; line++)
		if (tl_source_file_line(file, line, &bytes, &size))
			tl_highlight_line(&state, bytes, size, NULL);
	return state;
}

void tl_source_view_draw(const struct tl_source_view *view, const struct tl_source_file *file,
			 const struct tl_point_mark *marks, tl_size mark_count, struct tl_canvas *canvas, tl_u32 row,
			 tl_u32 height)
{
	struct tl_highlight_state state = state_at(view, file);
	tl_u32 wide = digits(file->line_count), start = 4 + (wide < 4 ? 4 : wide) + 2;
	tl_u8 kinds[LINE_MAX];

	for (tl_u32 i = 0; i < height; i++) {
		tl_u32 line = view->first + i;
		const char *bytes;
		tl_size size;
		char text[4];

		if (!tl_source_file_line(file, line, &bytes, &size))
			break;
		if (size > sizeof(kinds))
			size = sizeof(kinds);
		memset(kinds, TL_HIGHLIGHT_PLAIN, size);
		if (view->highlighted)
			tl_highlight_line(&state, bytes, size, kinds);
		tl_point_marks_text(marks, mark_count, line, line == view->current, text);
		draw_line(view, canvas, row + i, line, start - 6, text);
		draw_text(view, canvas, row + i, start, bytes, size, kinds, line == view->current);
	}
}
