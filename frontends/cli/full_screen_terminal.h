/*
 * A canvas on a terminal: what differs from what is shown already is written, in the sequences that terminfo has for
 * it. The terminal's other screen is taken, so that what stood on it comes back when it is left; also when the debugger
 * dies of a signal. Modes of input are not touched: they belong to whoever reads keys.
 *
 * terminfo keeps the terminal in a global, so there is one of these at a time. Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_TERMINAL_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_TERMINAL_H

#include "frontends/cli/full_screen_canvas.h"

struct termios;
struct tl_full_terminal;

/*
 * Takes the screen of the terminal at a descriptor. TL_ERROR_UNSUPPORTED, with a sentence: it cannot move its cursor
 * ($TERM is unset, "dumb", or not known). `modes`
 * (NULL: none) are what the terminal gets back when the debugger dies. The caller closes.
 */
TL_CHECKED enum tl_status tl_full_terminal_open(struct tl_full_terminal **terminal_ret, int descriptor,
						const struct termios *modes, struct tl_error *error);
/* Gives the screen back. NULL is fine. */
void tl_full_terminal_close(struct tl_full_terminal *terminal);

/*
 * While nobody edits a line, the kernel must not show what is typed in a full screen: it would stand anywhere, and a
 * newline would move all of it. Nor must it, at a ^C, drop what was drawn and is still on its way (NOFLSH, termios(3)).
 * `found`: the modes to go back to; NULL: quiet. A terminal whose line is being edited is left as it is.
 */
struct termios;
void tl_full_terminal_quiet(int descriptor, const struct termios *found);
void tl_full_terminal_quiet_modes(struct termios *modes);

/* Gives it back for a while, as for ^Z, and takes it again: all is drawn anew then. */
void tl_full_terminal_suspend(struct tl_full_terminal *terminal);
void tl_full_terminal_resume(struct tl_full_terminal *terminal);
bool tl_full_terminal_suspended(const struct tl_full_terminal *terminal);

/* Nothing is known of what is shown: the next drawing draws all. */
void tl_full_terminal_forget(struct tl_full_terminal *terminal);

/* The characters wrap at the right side only when one more follows ("xenl"). */
bool tl_full_terminal_wraps_late(const struct tl_full_terminal *terminal);
bool tl_full_terminal_coloured(const struct tl_full_terminal *terminal);

struct tl_full_cursor {
	tl_u32 row, column;
	bool hidden;
	bool pastes_marked; /* mode 2004 is on */
};

/* Shows a canvas, of any size. */
TL_CHECKED enum tl_status tl_full_terminal_draw(struct tl_full_terminal *terminal, const struct tl_canvas *canvas,
						const struct tl_full_cursor *cursor, struct tl_error *error);

#endif
