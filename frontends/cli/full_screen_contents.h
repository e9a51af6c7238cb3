/*
 * What the windows of the full screen show of a session: the file and line where one is, the instructions, the
 * registers, the points, and a line on all that. It is taken from the session when something may have changed, and can
 * be drawn at any time after. Control thread; what asks the session, outside of a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_CONTENTS_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_CONTENTS_H

#include "debugger/session/session.h"
#include "frontends/cli/full_screen_code.h"
#include "frontends/cli/full_screen_layout.h"
#include "frontends/cli/full_screen_registers.h"

struct tl_cli;

/* Where one was when the contents were taken last. */
struct tl_full_place {
	struct tl_thread_id thread;
	tl_u64 frame, address, runs;
	tl_u32 level;
	bool alive;
};

struct tl_full_contents {
	struct tl_full_place place;
	bool taken;                        /* `place` is one */
	tl_u32 source_height, code_height; /* for which the place was brought into view */
	/* The source: a copy, as the store of sources keeps files only until it is asked for another. */
	struct tl_source_view source;
	struct tl_source_file file; /* path NULL: none */
	char *wanted;               /* the file that is to be shown, as line tables call it; NULL: none */
	char missing[256];          /* why there is none */
	struct tl_code_screen code;
	char no_code[256];
	struct tl_register_screen registers;
	char group[16];
	struct tl_point_mark *lines, *addresses;
	tl_size line_count, address_count;
	char status[256];
};

void tl_full_contents_open(struct tl_full_contents *contents);
void tl_full_contents_close(struct tl_full_contents *contents);

/* Takes all from the session that the windows of the layout show. What cannot be had is said in the window. */
void tl_full_contents_update(struct tl_cli *cli, struct tl_full_contents *contents, const struct tl_layout *layout);
/* The line on where one is alone: when a program begins to run. */
void tl_full_contents_status(struct tl_cli *cli, struct tl_full_contents *contents);

/* Shows lines of a file; false: it is not there. */
bool tl_full_contents_list(struct tl_cli *cli, struct tl_full_contents *contents, const char *file, tl_u32 first,
			   tl_u32 height);
/* Looks at other instructions: up (negative) or down. More of them are read where that is needed. */
void tl_full_contents_scroll_code(struct tl_cli *cli, struct tl_full_contents *contents, tl_i64 lines, tl_u32 height);

/* The groups of registers, by what `tui reg` may be given; ended by NULL. */
extern const char *const tl_full_register_groups[];
/* The group, or the one behind or before it ("next", "prev"). TL_ERROR_ARGUMENT: there is none of that name. */
TL_CHECKED enum tl_status tl_full_contents_group(struct tl_full_contents *contents, const char *name,
						 struct tl_error *error);

/* Draws the windows of a layout but for the command window. */
void tl_full_contents_draw(const struct tl_full_contents *contents, const struct tl_layout *layout,
			   struct tl_canvas *canvas);

#endif
