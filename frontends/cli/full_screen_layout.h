/*
 * Which windows there are and where: the rules alone, without a terminal. Windows stand one above the other; each has a
 * line with its title on top but for the status line and the command window, which come last, in this order. Any one
 * thread at a time.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_LAYOUT_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_LAYOUT_H

#include "base/error.h"
#include "core/types.h"

/* The windows, from the topmost on. */
enum tl_window { TL_WINDOW_REGISTERS, TL_WINDOW_SOURCE, TL_WINDOW_CODE, TL_WINDOW_STATUS, TL_WINDOW_COMMAND };
#define TL_WINDOWS 5

/* "regs", "src", "asm", "status", "cmd", as gdb calls them. */
const char *tl_window_name(enum tl_window window);
/* By any beginning of its name that only one has; false: by none, or by several. */
bool tl_window_find(const char *name, enum tl_window *window_ret);

enum tl_layout_kind {
	TL_LAYOUT_SOURCE,
	TL_LAYOUT_CODE,
	TL_LAYOUT_SPLIT,
	TL_LAYOUT_REGISTERS,     /* and source */
	TL_LAYOUT_REGISTERS_CODE /* and instructions */
};

struct tl_layout {
	enum tl_layout_kind kind;
	enum tl_window focus;
	tl_u32 rows, columns;
	tl_u32 weights[TL_WINDOWS]; /* shares of the rows; 0: not in this layout, or of a fixed height */
	tl_u32 tops[TL_WINDOWS];    /* the first row of each; titles included */
	tl_u32 heights[TL_WINDOWS]; /* 0: not there, or no room for it */
};

/* A layout as gdb has it, in a terminal of this size. */
void tl_layout_set(struct tl_layout *layout, enum tl_layout_kind kind, tl_u32 rows, tl_u32 columns);
/* The terminal has another size: heights change in proportion. Where there is no room, windows go, the topmost first.
 */
void tl_layout_resize(struct tl_layout *layout, tl_u32 rows, tl_u32 columns);
bool tl_layout_has(const struct tl_layout *layout, enum tl_window window);

/* Gives a window so many rows, as far as the others keep theirs: the nearest below give or take first. */
void tl_layout_set_height(struct tl_layout *layout, enum tl_window window, tl_i64 height);

/* The next window that can have the focus, or the one before. */
enum tl_window tl_layout_next_window(const struct tl_layout *layout, enum tl_window window, bool backwards);

#endif
