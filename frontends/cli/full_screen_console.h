/*
 * The command window's content: what a terminal would show of the bytes that readline, commands and the program write.
 * It understands what programs write for terminals of today (ECMA-48, and of xterm's own what programs use), so that
 * neither a program nor an editor of lines can touch what stands outside of the window. Lines that leave at the top are
 * kept. Any one thread at a time.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_CONSOLE_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_CONSOLE_H

#include "frontends/cli/full_screen_canvas.h"

/* Lines above the window that are kept. */
#define TL_CONSOLE_KEPT_MAX 2000u
#define TL_CONSOLE_NUMBERS_MAX 16u

/* A line that left at the top, without blanks at its end. */
struct tl_console_line {
	struct tl_cell *cells;
	tl_u32 count;
};

struct tl_console {
	struct tl_canvas canvas;
	tl_u32 row, column;
	bool wrap_due;      /* the next character goes to the next line; the cursor still stands behind the last */
	tl_u32 top, bottom; /* of the part that scrolls */
	struct tl_ink ink;  /* of what is written next */
	bool cursor_hidden;
	bool pastes_marked; /* the terminal is to mark what is pasted (mode 2004) */
	bool eager;         /* wraps at once at the right side: terminals without "xenl" */
	tl_u32 saved_row, saved_column;
	struct tl_ink saved_ink;
	/* Lines above: a ring. */
	struct tl_console_line *kept;
	tl_u32 kept_first, kept_count;
	tl_u32 back; /* how many lines of them are looked at */
	/* A sequence or character that has not ended. */
	unsigned state;
	tl_u32 numbers[TL_CONSOLE_NUMBERS_MAX];
	tl_u32 number_count;
	char mark; /* '?' and its like in front of the numbers; 0: none */
	char character[4];
	tl_u32 character_size;
	bool drawing; /* letters stand for lines: ESC ( 0 */
};

TL_CHECKED enum tl_status tl_console_open(struct tl_console *console, tl_u32 rows, tl_u32 columns,
					  struct tl_error *error);
void tl_console_close(struct tl_console *console);

/*
 * Another size: lines go above, or come back from there, so that the cursor's line stays. TL_ERROR_NO_MEMORY: nothing
 * is changed.
 */
TL_CHECKED enum tl_status tl_console_resize(struct tl_console *console, tl_u32 rows, tl_u32 columns,
					    struct tl_error *error);

/* `returns`: \n goes to the left, too, as it does where a terminal has not been made raw. */
void tl_console_write(struct tl_console *console, const char *bytes, tl_size size, bool returns);

/* Looks further back (positive) or forth; it ends with the next byte that is written. */
void tl_console_scroll(struct tl_console *console, tl_i64 lines);

/* Draws what is looked at, from a row of a canvas on; as many rows as there are. */
void tl_console_draw(const struct tl_console *console, struct tl_canvas *canvas, tl_u32 row);

/* A line above, counted from the oldest. */
const struct tl_console_line *tl_console_kept(const struct tl_console *console, tl_u32 index);

#endif
