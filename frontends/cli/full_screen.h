/*
 * The full screen: windows of source, instructions and registers above a command window, in which the prompt, what
 * commands say and what the program writes go on as before. Nothing that is written can touch another window: all of it
 * goes through a terminal of our own (full_screen_console.h), and what differs on the real one is drawn.
 *
 * Parts: full_screen_layout (which windows, where), full_screen_contents (what is in them), full_screen_source, _code
 * and _registers (how that looks), full_screen_console (the command window), full_screen_canvas (cells),
 * full_screen_terminal (the terminal), full_screen_keys (keys). Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_H

#include "base/loop.h"
#include "frontends/cli/full_screen_console.h"
#include "frontends/cli/full_screen_contents.h"
#include "frontends/cli/full_screen_keys.h"
#include "frontends/cli/full_screen_layout.h"
#include "frontends/cli/full_screen_terminal.h"

struct tl_cli;

#define TL_FULL_KEYS_DUE 64

struct tl_full_screen {
	struct tl_full_terminal *terminal; /* NULL: it is off */
	struct tl_layout layout;
	bool chosen; /* `layout` has one, also while it is off */
	struct tl_console console;
	struct tl_full_contents contents;
	struct tl_source *draw; /* at the end of the turn */
	tl_u64 drawn;           /* when that was last, in milliseconds */
	bool behind;            /* something was written since */
	bool stale;             /* the contents may not be what is */
	/* Keys that were pressed inside of a turn. */
	enum tl_full_key due[TL_FULL_KEYS_DUE];
	tl_u32 due_count;
};

/* Where a person sits: keys are taken from now on. */
TL_CHECKED enum tl_status tl_full_screen_open(struct tl_cli *cli, struct tl_error *error);
/* Gives the screen back; what was said in the command window is written to it as it is then. */
void tl_full_screen_close(struct tl_cli *cli);

/*
 * On, with a layout; it may be on already. TL_ERROR_UNSUPPORTED, with a sentence: this is no terminal, or one that
 * cannot do it. Outside of a turn of the loop.
 */
TL_CHECKED enum tl_status tl_full_screen_set(struct tl_cli *cli, enum tl_layout_kind kind, struct tl_error *error);
/* On, with the layout that it had last. */
TL_CHECKED enum tl_status tl_full_screen_enable(struct tl_cli *cli, struct tl_error *error);
void tl_full_screen_disable(struct tl_cli *cli);
static inline bool tl_full_screen_on(const struct tl_full_screen *full)
{
	return full->terminal != NULL;
}

/* For a while the terminal is another's, as under ^Z and in `shell`. Nothing happens while it is off. */
void tl_full_screen_suspend(struct tl_full_screen *full);
void tl_full_screen_resume(struct tl_full_screen *full);

/* The terminal has another size, or the windows: the screen (frontends/cli/screen.h) is told how large its own is. */
void tl_full_screen_measure(struct tl_cli *cli);

/* Heights were changed, or the focus. */
void tl_full_screen_rearrange(struct tl_cli *cli);
/* Something happened: what the windows show is taken anew before keys are waited for. */
void tl_full_screen_touch(struct tl_cli *cli);
/* Outside of a turn, before it waits: keys that were pressed, and what happened. */
void tl_full_screen_idle(struct tl_cli *cli);
/* The program runs: no contents but the status, at once. */
void tl_full_screen_running(struct tl_cli *cli);
/* A command is at work and does not turn the loop: what it wrote is shown, now and then. */
void tl_full_screen_catch_up(struct tl_cli *cli);

/* Everything is drawn anew. */
void tl_full_screen_refresh(struct tl_cli *cli);

/* True when lines of a file are in the source window, now or by this: they need not be printed. */
bool tl_full_screen_list(struct tl_cli *cli, const char *file, tl_u32 first);
bool tl_full_screen_shows(struct tl_cli *cli, const char *file);

/* Scrolls the content of a window. */
void tl_full_screen_scroll(struct tl_cli *cli, enum tl_window window, tl_i64 lines);

#endif
