/*
 * A part of a screen as characters in cells: what windows are drawn on, and what a terminal shows. Nothing here knows
 * of a terminal; text is UTF-8, and how wide characters are is what the C library says by the locale (wcwidth). Any one
 * thread at a time.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_CANVAS_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_CANVAS_H

#include "base/error.h"
#include "core/types.h"

enum tl_look {
	TL_LOOK_BOLD = 1 << 0,
	TL_LOOK_DIM = 1 << 1,
	TL_LOOK_ITALIC = 1 << 2,
	TL_LOOK_UNDERLINE = 1 << 3,
	TL_LOOK_REVERSE = 1 << 4
};

/* What a character looks like. All zero is plain. */
struct tl_ink {
	tl_u16 front, back; /* 0: the terminal's own; else 1 + one of its 256 colours */
	tl_u8 looks;
};

struct tl_cell {
	tl_u32 point;     /* Unicode; 0 is a blank */
	tl_u32 combining; /* a mark on top of it; 0: none */
	struct tl_ink ink;
	tl_u8 width; /* 0: nothing or the right half of what stands to the left; 2: takes the next cell, too */
};

/* A terminal that claims more than this is not believed. */
#define TL_CANVAS_SIDE_MAX 2000u

struct tl_canvas {
	tl_u32 rows, columns;
	struct tl_cell *cells; /* row after row */
};

/* Blank. Sides are cut to TL_CANVAS_SIDE_MAX, and are 1 at least. The caller closes. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_canvas_open(struct tl_canvas *canvas_ret, tl_u32 rows, tl_u32 columns,
					 struct tl_error *error);
void tl_canvas_close(struct tl_canvas *canvas);

/* A cell; the place must be on the canvas. */
struct tl_cell *tl_canvas_at(const struct tl_canvas *canvas, tl_u32 row, tl_u32 column);
bool tl_ink_same(struct tl_ink left, struct tl_ink right);
bool tl_cell_same(const struct tl_cell *left, const struct tl_cell *right);

/* Puts a character; a wide one that is cut in half by it, or by the right side, becomes blank. */
void tl_canvas_put(struct tl_canvas *canvas, tl_u32 row, tl_u32 column, tl_u32 point, tl_u32 width, struct tl_ink ink);
/* Fills a row with a character of one column, from `column` to before `end`. */
void tl_canvas_fill(struct tl_canvas *canvas, tl_u32 row, tl_u32 column, tl_u32 end, tl_u32 point, struct tl_ink ink);
/*
 * Text, cut at the column `end`; returns the column behind it. Control characters and bytes that are no UTF-8 become a
 * question mark.
 */
tl_u32 tl_canvas_text(struct tl_canvas *canvas, tl_u32 row, tl_u32 column, tl_u32 end, const char *text, tl_size size,
		      struct tl_ink ink);

/*
 * The next character of a text and how many columns it takes: 0 for one that goes on top of the last, 1 and '?' for
 * what cannot be shown. Returns its bytes, 0 at the end.
 */
tl_size tl_canvas_character(const char *text, tl_size size, tl_u32 *point_ret, tl_u32 *width_ret);

/* The characters of a row as UTF-8, without blanks at the end, into `size` bytes with a zero behind. For tests. */
void tl_canvas_row_text(const struct tl_canvas *canvas, tl_u32 row, char *text_ret, tl_size size);

#endif
