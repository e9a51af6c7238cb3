/*
 * What the source window shows: lines of a file with their numbers, what stands at them, and which of them is looked
 * at. Drawn on a canvas; nothing here reads a file. Any one thread at a time.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_SOURCE_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_SOURCE_H

#include "debugger/code/source.h"
#include "frontends/cli/full_screen_canvas.h"

/*
 * What points stand at a line or an instruction, for gdb's letters: 'B' where one was hit, 'b' where none was yet, 'H'
 * and 'h' where it is in hardware; '+' where one is enabled.
 */
struct tl_point_mark {
	tl_u64 at; /* a line, or an address */
	bool hardware, hit, enabled;
};

/* The three columns of a line: two for points, '>' for where the program stands. */
void tl_point_marks_text(const struct tl_point_mark *marks, tl_size count, tl_u64 at, bool current, char text_ret[4]);

struct tl_source_view {
	tl_u32 first;     /* the line at the top: 1, 2, …; 0: none yet */
	tl_u32 current;   /* where the program stands; 0: not in this file */
	tl_u32 offset;    /* columns to the left that are not shown */
	tl_u32 tab_width; /* 0: 8 */
	bool coloured;
	bool highlighted; /* by the words of C */
};

/* Moves the view so that a line is in it, in the middle unless it was there already with lines around it. */
void tl_source_view_show(struct tl_source_view *view, tl_u32 line, tl_u32 line_count, tl_u32 height);
/* Moves it by lines, as far as the file goes. */
void tl_source_view_scroll(struct tl_source_view *view, tl_i64 lines, tl_u32 line_count, tl_u32 height);

/* Draws `height` lines from a row of the canvas on. */
void tl_source_view_draw(const struct tl_source_view *view, const struct tl_source_file *file,
			 const struct tl_point_mark *marks, tl_size mark_count, struct tl_canvas *canvas, tl_u32 row,
			 tl_u32 height);

#endif
