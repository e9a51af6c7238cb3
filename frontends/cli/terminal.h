/*
 * The terminal, or whatever stands in its place: lines that a person types, edited by GNU readline over the event loop;
 * plain lines where standard input is a pipe or a file, which are taken byte by byte, so that a program that is started
 * finds the rest of the input untouched.
 *
 * Somebody asks for a line (tl_terminal_read) and the loop turns until it is there. Whatever writes to the screen
 * meanwhile takes the half-typed line away first (tl_terminal_hide); before the loop waits again it is back, as it was.
 * ^C comes as a signal, also when it was sent by another process.
 *
 * readline keeps its state in globals, so there is one of these at a time. Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_TERMINAL_H
#define TL_FRONTENDS_CLI_TERMINAL_H

#include "base/error.h"
#include "base/loop.h"
#include "frontends/cli/screen.h"

struct tl_terminal;

struct tl_terminal_hooks {
	/* Outside of a turn of the loop, before it waits for keys: the place to tell what has happened. */
	void (*idle)(void *context);
	/* ^C while no line is being read. Inside a turn. */
	void (*interrupted)(void *context);
	/*
	 * Words that may stand at the cursor, each by `candidate`; `line` ends at the cursor, and the word that is to
	 * be completed begins at `start`.
	 */
	void (*complete)(void *context, const char *line, tl_size start,
			 void (*candidate)(void *list, const char *word), void *list);
	/* ^Z: the terminal is to be the shell's; and is ours again. Inside a turn. NULL: nothing is to be done. */
	void (*suspended)(void *context, bool on);
	/* Which characters end words in that place; a constant. */
	const char *(*breaks)(void *context, const char *line);
	void *context;
};

/* Takes standard input. `hooks` is copied. The caller closes. */
TL_CHECKED enum tl_status tl_terminal_open(struct tl_terminal **terminal_ret, struct tl_loop *loop,
					   struct tl_screen *screen, const struct tl_terminal_hooks *hooks,
					   struct tl_error *error);
/* Puts the terminal back as it was found. NULL is fine. */
void tl_terminal_close(struct tl_terminal *terminal);

/* A person sits there: standard input is a terminal. */
bool tl_terminal_interactive(const struct tl_terminal *terminal);
/* Without readline, even on a terminal: `set editing off`. */
void tl_terminal_set_editing(struct tl_terminal *terminal, bool on);

enum tl_question {
	TL_QUESTION_COMMAND, /* history, completion */
	TL_QUESTION_LINE,    /* neither: an answer, a line of a definition */
};

/*
 * Shows a prompt and turns the loop until a line was typed. *line_ret, without its newline, is the caller's to free;
 * NULL at the end of the input, and when the terminal is gone. TL_ERROR_CANCELLED: ^C; what was typed is dropped. Not
 * from inside a turn of the loop.
 */
TL_CHECKED enum tl_status tl_terminal_read(struct tl_terminal *terminal, const char *prompt, enum tl_question kind,
					   char **line_ret, struct tl_error *error);

/* Whether a ^C came right behind the last line of a command, before it could be carried out; once. */
bool tl_terminal_take_interrupt(struct tl_terminal *terminal);

/*
 * At a ^C what was typed before it is given up. The kernel does that, but not in a full screen, where it would give up
 * what is being drawn as well: who hears of a ^C calls this.
 */
void tl_terminal_drop_typed(struct tl_terminal *terminal);

/* Takes the half-typed line away; nothing happens when there is none. */
void tl_terminal_hide(struct tl_terminal *terminal);

/* The window has another size: the screen knows it already. */
void tl_terminal_resized(struct tl_terminal *terminal);

/* Every read from now on finds the end of the input, the present one too: the debugger is to end. */
void tl_terminal_end(struct tl_terminal *terminal);

/*
 * While a program has the terminal: `keys` gets what is typed, byte by byte as it comes, but for ^C; the terminal is
 * raw. NULL: no longer.
 */
void tl_terminal_forward(struct tl_terminal *terminal, void (*keys)(void *context, const char *bytes, tl_size size),
			 void *context);
/* The terminal's modes as they were found; false where there is no terminal. */
struct termios;
bool tl_terminal_modes(const struct tl_terminal *terminal, struct termios *modes_ret);

#endif
