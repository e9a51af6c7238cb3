/*
 * What the window of registers shows: names and values in columns, those that changed since the program stood last
 * marked. Values come from outside, as text. Any one thread at a time.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_REGISTERS_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_REGISTERS_H

#include "frontends/cli/full_screen_canvas.h"

/* Text of a value; what is longer is cut. */
#define TL_REGISTER_TEXT_MAX 160

struct tl_register_row {
	const char *name; /* a constant of the CPU's */
	char text[TL_REGISTER_TEXT_MAX];
	char before[TL_REGISTER_TEXT_MAX]; /* at the stop before; "": there was none */
	bool changed;
};

struct tl_register_screen {
	struct tl_register_row *rows;
	tl_size count, capacity;
	tl_size first; /* the line at the top */
	bool coloured;
};

/*
 * Values are about to be set. `stood`: the program has run since, or another frame is looked at: what changes from now
 * on is marked, and what was marked is no longer.
 */
void tl_register_screen_begin(struct tl_register_screen *screen, bool stood);
/* The next register in order; another name than the one that stood there makes all from there on new ones. */
TL_CHECKED enum tl_status tl_register_screen_set(struct tl_register_screen *screen, tl_size index, const char *name,
						 const char *text, struct tl_error *error);
/* There are so many. */
void tl_register_screen_end(struct tl_register_screen *screen, tl_size count);
void tl_register_screen_clear(struct tl_register_screen *screen);

/* Moves the view by lines in a window of this size. */
void tl_register_screen_scroll(struct tl_register_screen *screen, tl_i64 lines, tl_u32 columns, tl_u32 height);
/* In as many columns as fit, one below the other. */
void tl_register_screen_draw(const struct tl_register_screen *screen, struct tl_canvas *canvas, tl_u32 row,
			     tl_u32 height);

#endif
