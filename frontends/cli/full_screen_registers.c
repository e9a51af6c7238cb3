#include "frontends/cli/full_screen_registers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between columns, and the most that one of them may take where there are several. */
#define GAP 2
#define WIDTH_MAX 76

void tl_register_screen_begin(struct tl_register_screen *screen, bool stood)
{
	for (tl_size i = 0; i < screen->count && stood; i++) {
		memcpy(screen->rows[i].before, screen->rows[i].text, sizeof(screen->rows[i].before));
		screen->rows[i].changed = false;
	}
}

enum tl_status tl_register_screen_set(struct tl_register_screen *screen, tl_size index, const char *name,
				      const char *text, struct tl_error *error)
{
	struct tl_register_row *row;

	if (index >= screen->capacity) {
		struct tl_register_row *grown = realloc(screen->rows, (index + 64) * sizeof(*grown));

		if (grown == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the window of registers");
		screen->rows = grown;
		screen->capacity = index + 64;
	}
	row = &screen->rows[index];
	if (index >= screen->count || strcmp(row->name, name) != 0) {
		*row = (struct tl_register_row){.name = name};
		screen->count = index + 1;
	}
	(void)snprintf(row->text, sizeof(row->text), "%s", text);
	row->changed = row->before[0] != '\0' && strcmp(row->before, row->text) != 0;
	return TL_OK;
}

void tl_register_screen_end(struct tl_register_screen *screen, tl_size count)
{
	if (count < screen->count)
		screen->count = count;
}

void tl_register_screen_clear(struct tl_register_screen *screen)
{
	bool coloured = screen->coloured;

	free(screen->rows);
	*screen = (struct tl_register_screen){.coloured = coloured};
}

/* ---- Columns ---- */

struct columns {
	tl_u32 name, width, count; /* of names; of all; how many */
	tl_size lines;
};

static struct columns measure(const struct tl_register_screen *screen, tl_u32 columns)
{
	struct columns all = {0, 0, 1, screen->count};
	tl_size value = 0;

	for (tl_size i = 0; i < screen->count; i++) {
		tl_size name = strlen(screen->rows[i].name), text = strlen(screen->rows[i].text);

		all.name = name > all.name ? (tl_u32)name : all.name;
		value = text > value ? text : value;
	}
	all.width = all.name + 1 + (tl_u32)value + GAP;
	if (all.width <= WIDTH_MAX && all.width <= columns)
		all.count = (columns + GAP) / all.width;
	if (all.count == 0)
		all.count = 1;
	all.lines = (screen->count + all.count - 1) / all.count;
	return all;
}

void tl_register_screen_scroll(struct tl_register_screen *screen, tl_i64 lines, tl_u32 columns, tl_u32 height)
{
	struct columns all = measure(screen, columns);
	tl_i64 last = (tl_i64)all.lines - height, first = (tl_i64)screen->first + lines;

	if (first > last)
		first = last;
	screen->first = first < 0 ? 0 : (tl_size)first;
}

void tl_register_screen_draw(const struct tl_register_screen *screen, struct tl_canvas *canvas, tl_u32 row,
			     tl_u32 height)
{
	struct columns all = measure(screen, canvas->columns);

	for (tl_u32 line = 0; line < height && screen->first + line < all.lines; line++) {
		for (tl_u32 i = 0; i < all.count; i++) {
			tl_size index = screen->first + line + i * all.lines;
			const struct tl_register_row *item = &screen->rows[index];
			tl_u32 column = i * all.width, end = all.count > 1 ? column + all.width : canvas->columns;
			struct tl_ink name = {screen->coloured ? 7 : 0, 0, 0}, value = {0};

			if (index >= screen->count)
				continue;
			/* It must be seen without colours, too. */
			if (item->changed)
				value = (struct tl_ink){screen->coloured ? 4 : 0, 0, TL_LOOK_BOLD | TL_LOOK_REVERSE};
			(void)tl_canvas_text(canvas, row + line, column, end, item->name, strlen(item->name), name);
			(void)tl_canvas_text(canvas, row + line, column + all.name + 1, end, item->text,
					     strlen(item->text), value);
		}
	}
}
