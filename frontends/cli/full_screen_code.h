/*
 * What the window of instructions shows: a stretch of code as lines, which grows when one looks beyond it. The text
 * comes from outside, one instruction or function at a time. Any one thread at a time.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_CODE_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_CODE_H

#include "frontends/cli/full_screen_source.h"

struct tl_code_row {
	tl_u64 address;
	char *place; /* "<main+4>"; "" where nothing is known */
	char *text;  /* the instruction */
};

/* No more instructions are kept; those furthest away go. */
#define TL_CODE_ROWS_MAX 20000u

struct tl_code_rows {
	struct tl_code_row *items;
	tl_size count, capacity;
	tl_u64 end; /* the address behind the last one */
};

struct tl_code_screen {
	struct tl_code_rows rows;
	tl_size first;  /* the row at the top */
	tl_u64 current; /* where the program stands */
	bool has_current;
	bool coloured;
};

/*
 * Takes a line as `x/i` writes it: "=> 0x1139 <main+4>:\tmov    %rsp,%rbp\n". TL_ERROR_NO_MEMORY. One that is not
 * written so is taken whole, as the instruction.
 */
TL_CHECKED enum tl_status tl_code_rows_add(struct tl_code_rows *rows, tl_u64 address, const char *line, tl_size size,
					   struct tl_error *error);
void tl_code_rows_clear(struct tl_code_rows *rows);
/* Puts others in front, and takes them over; the view stays at the instruction where it was. */
TL_CHECKED enum tl_status tl_code_screen_prepend(struct tl_code_screen *screen, struct tl_code_rows *front,
						 struct tl_error *error);

/* The row of an address; false: none begins there. */
bool tl_code_rows_find(const struct tl_code_rows *rows, tl_u64 address, tl_size *row_ret);
/* Moves the view so that a row is in it, in the middle unless it was there already. */
void tl_code_screen_show(struct tl_code_screen *screen, tl_size row, tl_u32 height);
/* Moves it by lines; returns how many more were wanted than there are rows: negative ones in front. */
tl_i64 tl_code_screen_scroll(struct tl_code_screen *screen, tl_i64 lines, tl_u32 height);

void tl_code_screen_draw(const struct tl_code_screen *screen, const struct tl_point_mark *marks, tl_size mark_count,
			 struct tl_canvas *canvas, tl_u32 row, tl_u32 height);

#endif
