#include "frontends/cli/full_screen_layout.h"

#include <string.h>

/* A title and a line below it. */
#define WINDOW_MIN 2

const char *tl_window_name(enum tl_window window)
{
	static const char *const names[TL_WINDOWS] = {"regs", "src", "asm", "status", "cmd"};

	return names[window];
}

bool tl_window_find(const char *name, enum tl_window *window_ret)
{
	tl_size size = strlen(name);
	int found = -1;

	for (int i = 0; i < TL_WINDOWS && size > 0; i++) {
		if (strncmp(name, tl_window_name((enum tl_window)i), size) != 0)
			continue;
		if (found >= 0 && strlen(tl_window_name((enum tl_window)i)) != size)
			return false;
		found = i;
	}
	if (found < 0)
		return false;
	*window_ret = (enum tl_window)found;
	return true;
}

static tl_u32 minimum(enum tl_window window)
{
	return window >= TL_WINDOW_STATUS ? 1 : WINDOW_MIN;
}

bool tl_layout_has(const struct tl_layout *layout, enum tl_window window)
{
	return layout->heights[window] != 0;
}

/* Which of the windows there is room for, from the bottom up, in their least height; the sum of their weights. */
static tl_u32 choose(const struct tl_layout *layout, bool chosen[TL_WINDOWS])
{
	tl_u32 needed = 1, sum = layout->weights[TL_WINDOW_COMMAND];

	chosen[TL_WINDOW_COMMAND] = true;
	for (int i = TL_WINDOW_STATUS; i >= 0; i--) {
		tl_u32 least = minimum((enum tl_window)i);

		chosen[i] = (layout->weights[i] != 0 || i == TL_WINDOW_STATUS) && needed + least <= layout->rows;
		if (!chosen[i])
			continue;
		needed += least;
		sum += layout->weights[i];
	}
	return sum;
}

static void place(struct tl_layout *layout)
{
	tl_u32 top = 0;

	for (int i = 0; i < TL_WINDOWS; i++) {
		layout->tops[i] = top;
		top += layout->heights[i];
	}
	if (layout->heights[layout->focus] == 0)
		layout->focus = TL_WINDOW_COMMAND;
}

/* Shares the rows out by weight; what is left by rounding down goes to the command window. */
static void share(struct tl_layout *layout)
{
	bool chosen[TL_WINDOWS];
	tl_u32 sum = choose(layout, chosen), rows = layout->rows - (chosen[TL_WINDOW_STATUS] ? 1 : 0), used = 0;

	memset(layout->heights, 0, sizeof(layout->heights));
	layout->heights[TL_WINDOW_STATUS] = chosen[TL_WINDOW_STATUS] ? 1 : 0;
	for (int i = 0; i < TL_WINDOW_STATUS; i++) {
		if (!chosen[i])
			continue;
		layout->heights[i] = (tl_u32)((tl_u64)rows * layout->weights[i] / sum);
		if (layout->heights[i] < WINDOW_MIN)
			layout->heights[i] = WINDOW_MIN;
		used += layout->heights[i];
	}
	/* Least heights may have taken too much. */
	for (int i = 0; i < TL_WINDOW_STATUS && used >= rows; i++) {
		while (layout->heights[i] > WINDOW_MIN && used >= rows) {
			layout->heights[i]--;
			used--;
		}
	}
	layout->heights[TL_WINDOW_COMMAND] = rows - used;
	place(layout);
}

void tl_layout_set(struct tl_layout *layout, enum tl_layout_kind kind, tl_u32 rows, tl_u32 columns)
{
	/* Columns: registers, source, code, status, command. */
	static const tl_u32 weights[][TL_WINDOWS] = {
		[TL_LAYOUT_SOURCE] = {0, 2, 0, 0, 1},         [TL_LAYOUT_CODE] = {0, 0, 2, 0, 1},
		[TL_LAYOUT_SPLIT] = {0, 1, 1, 0, 1},          [TL_LAYOUT_REGISTERS] = {1, 1, 0, 0, 1},
		[TL_LAYOUT_REGISTERS_CODE] = {1, 0, 1, 0, 1},
	};

	layout->kind = kind;
	memcpy(layout->weights, weights[kind], sizeof(layout->weights));
	if (layout->focus == TL_WINDOW_STATUS ||
	    (layout->focus != TL_WINDOW_COMMAND && layout->weights[layout->focus] == 0))
		layout->focus = layout->weights[TL_WINDOW_SOURCE] != 0 ? TL_WINDOW_SOURCE : TL_WINDOW_CODE;
	tl_layout_resize(layout, rows, columns);
}

void tl_layout_resize(struct tl_layout *layout, tl_u32 rows, tl_u32 columns)
{
	layout->rows = rows > 0 ? rows : 1;
	layout->columns = columns > 0 ? columns : 1;
	share(layout);
}

/* Moves rows from one window to another, as many as it can spare. */
static tl_i64 move_rows(struct tl_layout *layout, enum tl_window from, enum tl_window to, tl_i64 wanted)
{
	tl_i64 spare = (tl_i64)layout->heights[from] - minimum(from);

	if (layout->heights[from] == 0 || from == TL_WINDOW_STATUS || spare <= 0)
		return 0;
	if (wanted > spare)
		wanted = spare;
	layout->heights[from] -= (tl_u32)wanted;
	layout->heights[to] += (tl_u32)wanted;
	return wanted;
}

void tl_layout_set_height(struct tl_layout *layout, enum tl_window window, tl_i64 height)
{
	tl_i64 change;
	int other = -1;

	if (!tl_layout_has(layout, window) || window == TL_WINDOW_STATUS)
		return;
	if (height < minimum(window))
		height = minimum(window);
	change = height - layout->heights[window];
	/* The neighbours below, then those above. */
	for (int i = 0; i < 2 * TL_WINDOWS && change > 0; i++) {
		int at = i < TL_WINDOWS ? i : 2 * TL_WINDOWS - 1 - i;

		if (i < TL_WINDOWS ? at > (int)window : at < (int)window)
			change -= move_rows(layout, (enum tl_window)at, window, change);
	}
	for (int i = (int)window + 1; i < TL_WINDOWS && other < 0; i++)
		other = i != TL_WINDOW_STATUS && layout->heights[i] != 0 ? i : -1;
	for (int i = (int)window - 1; i >= 0 && other < 0; i--)
		other = i != TL_WINDOW_STATUS && layout->heights[i] != 0 ? i : -1;
	if (change < 0 && other >= 0)
		(void)move_rows(layout, window, (enum tl_window)other, -change);
	for (int i = 0; i < TL_WINDOWS; i++)
		if (i != TL_WINDOW_STATUS && layout->heights[i] != 0)
			layout->weights[i] = layout->heights[i];
	place(layout);
}

enum tl_window tl_layout_next_window(const struct tl_layout *layout, enum tl_window window, bool backwards)
{
	int at = (int)window;

	do {
		at = (at + (backwards ? TL_WINDOWS - 1 : 1)) % TL_WINDOWS;
	} while (at == TL_WINDOW_STATUS || (layout->heights[at] == 0 && at != TL_WINDOW_COMMAND));
	return (enum tl_window)at;
}
