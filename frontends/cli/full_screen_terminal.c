#include "frontends/cli/full_screen_terminal.h"

#include "core/utf8.h"
#include "frontends/cli/writing.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define NCURSES_NOMACROS
#include <curses.h>
/* After curses.h. It has names of capabilities as macros, and two of them are ours. */
#include <term.h>
#undef columns
#undef lines

#define BUFFER 16384
#define NOWHERE 0xffffffffu
/* What gives the screen back, for when nothing else can any more. */
#define LAST_WORDS 256

struct tl_full_terminal {
	int descriptor;
	struct tl_canvas shown;
	bool known; /* `shown` is what is there */
	bool suspended;
	bool late; /* xenl */
	int colours;
	struct tl_ink ink;  /* that is switched on */
	tl_u32 row, column; /* of the cursor; NOWHERE: not known */
	bool hidden, pastes_marked;
	char buffer[BUFFER];
	tl_size size;
};

/* tputs' callback has no context, and neither has a handler of signals. */
static struct tl_full_terminal *current;
static struct {
	int descriptor;
	bool has_modes;
	struct termios modes;
	char text[LAST_WORDS];
	volatile sig_atomic_t size; /* 0: the screen is not ours */
	struct sigaction before[NSIG];
} last;

/* ---- Writing ---- */

static void flush(struct tl_full_terminal *terminal)
{
	/* Of what is cut off nobody knows what the terminal made of it. */
	if (!tl_write_patiently(terminal->descriptor, terminal->buffer, terminal->size))
		terminal->known = false;
	terminal->size = 0;
}

static void put_bytes(struct tl_full_terminal *terminal, const char *bytes, tl_size size)
{
	if (terminal->size + size > BUFFER)
		flush(terminal);
	memcpy(terminal->buffer + terminal->size, bytes, size);
	terminal->size += size;
}

static int put_one(int byte)
{
	char one = (char)byte;

	put_bytes(current, &one, 1);
	return byte;
}

/* A sequence of terminfo's; nothing where the terminal has none. */
static void put_sequence(const char *sequence)
{
	if (sequence != NULL)
		(void)tputs(sequence, 1, put_one);
}

/* ---- Looks ---- */

static void set_colour(const struct tl_full_terminal *terminal, const char *sequence, tl_u16 colour)
{
	if (colour == 0 || sequence == NULL)
		return;
	colour--;
	/* The bright ones of a terminal that has eight. */
	if (colour < 16 && colour >= terminal->colours)
		colour &= 7;
	if (colour < terminal->colours)
		put_sequence(tparm(sequence, (long)colour, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L));
}

static void set_ink(struct tl_full_terminal *terminal, struct tl_ink ink)
{
	if (tl_ink_same(ink, terminal->ink))
		return;
	put_sequence(exit_attribute_mode);
	if ((ink.looks & TL_LOOK_BOLD) != 0)
		put_sequence(enter_bold_mode);
	if ((ink.looks & TL_LOOK_DIM) != 0)
		put_sequence(enter_dim_mode);
	if ((ink.looks & TL_LOOK_ITALIC) != 0)
		put_sequence(enter_italics_mode);
	if ((ink.looks & TL_LOOK_UNDERLINE) != 0)
		put_sequence(enter_underline_mode);
	if ((ink.looks & TL_LOOK_REVERSE) != 0)
		put_sequence(enter_reverse_mode);
	set_colour(terminal, set_a_foreground, ink.front);
	set_colour(terminal, set_a_background, ink.back);
	terminal->ink = ink;
}

/* ---- Cells ---- */

static void go(struct tl_full_terminal *terminal, tl_u32 row, tl_u32 column)
{
	if (terminal->row == row && terminal->column == column)
		return;
	put_sequence(tparm(cursor_address, (long)row, (long)column, 0L, 0L, 0L, 0L, 0L, 0L, 0L));
	terminal->row = row;
	terminal->column = column;
}

static void put_point(struct tl_full_terminal *terminal, tl_u32 point)
{
	char bytes[4];

	put_bytes(terminal, bytes, tl_utf8_write(point, bytes));
}

static void draw_cell(struct tl_full_terminal *terminal, const struct tl_canvas *canvas, tl_u32 row, tl_u32 column)
{
	const struct tl_cell *cell = tl_canvas_at(canvas, row, column);
	tl_u32 point = cell->point >= ' ' ? cell->point : ' ', width = cell->width == 2 ? 2 : 1;

	/* In the last corner a terminal that wraps at once would scroll. */
	if (!terminal->late && row + 1 == canvas->rows && column + width >= canvas->columns)
		return;
	if (column + width > canvas->columns)
		point = ' ';
	go(terminal, row, column);
	set_ink(terminal, cell->ink);
	put_point(terminal, point);
	if (cell->combining != 0)
		put_point(terminal, cell->combining);
	terminal->column += width;
	/* How wide a character is, terminals disagree about; and where the cursor is behind the last column. */
	if (point > '~' || terminal->column >= canvas->columns)
		terminal->row = terminal->column = NOWHERE;
}

static void draw_row(struct tl_full_terminal *terminal, const struct tl_canvas *canvas, tl_u32 row)
{
	for (tl_u32 column = 0; column < canvas->columns; column++) {
		const struct tl_cell *cell = tl_canvas_at(canvas, row, column);
		bool wide = cell->width == 2 && column + 1 < canvas->columns;
		bool same = terminal->known && tl_cell_same(cell, tl_canvas_at(&terminal->shown, row, column)) &&
			    (!wide || tl_cell_same(cell + 1, tl_canvas_at(&terminal->shown, row, column + 1)));

		if (!same)
			draw_cell(terminal, canvas, row, column);
		column += wide;
	}
}

/* ---- Drawing ---- */

static enum tl_status fit(struct tl_full_terminal *terminal, const struct tl_canvas *canvas, struct tl_error *error)
{
	struct tl_canvas fresh;

	if (terminal->shown.cells != NULL && terminal->shown.rows == canvas->rows &&
	    terminal->shown.columns == canvas->columns)
		return TL_OK;
	TL_TRY(tl_canvas_open(&fresh, canvas->rows, canvas->columns, error));
	tl_canvas_close(&terminal->shown);
	terminal->shown = fresh;
	terminal->known = false;
	return TL_OK;
}

static void set_modes(struct tl_full_terminal *terminal, const struct tl_full_cursor *cursor)
{
	if (cursor->hidden != terminal->hidden)
		put_sequence(cursor->hidden ? cursor_invisible : cursor_normal);
	terminal->hidden = cursor->hidden;
	if (cursor->pastes_marked != terminal->pastes_marked) {
		const char *mode = cursor->pastes_marked ? "\033[?2004h" : "\033[?2004l";

		put_bytes(terminal, mode, strlen(mode));
	}
	terminal->pastes_marked = cursor->pastes_marked;
}

enum tl_status tl_full_terminal_draw(struct tl_full_terminal *terminal, const struct tl_canvas *canvas,
				     const struct tl_full_cursor *cursor, struct tl_error *error)
{
	if (terminal->suspended)
		return TL_OK;
	TL_TRY(fit(terminal, canvas, error));
	if (!terminal->known) {
		terminal->ink = (struct tl_ink){.looks = 0xff};
		set_ink(terminal, (struct tl_ink){0});
		put_sequence(clear_screen);
		memset(terminal->shown.cells, 0,
		       (tl_size)canvas->rows * canvas->columns * sizeof(*terminal->shown.cells));
		terminal->row = terminal->column = NOWHERE;
		terminal->known = true;
	}
	for (tl_u32 row = 0; row < canvas->rows; row++)
		draw_row(terminal, canvas, row);
	memcpy(terminal->shown.cells, canvas->cells, (tl_size)canvas->rows * canvas->columns * sizeof(*canvas->cells));
	set_modes(terminal, cursor);
	set_ink(terminal, (struct tl_ink){0});
	go(terminal, cursor->row < canvas->rows ? cursor->row : canvas->rows - 1,
	   cursor->column < canvas->columns ? cursor->column : canvas->columns - 1);
	flush(terminal);
	return TL_OK;
}

void tl_full_terminal_forget(struct tl_full_terminal *terminal)
{
	terminal->known = false;
}

bool tl_full_terminal_wraps_late(const struct tl_full_terminal *terminal)
{
	return terminal->late;
}

bool tl_full_terminal_coloured(const struct tl_full_terminal *terminal)
{
	return terminal->colours >= 8;
}

/* ---- Taking the screen and giving it back ---- */

#define QUIET_FLAGS ((tcflag_t)(ECHO | NOFLSH))

static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};

/* The debugger dies of a fault of its own: the terminal shall be usable afterwards. */
static void on_death(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (last.size > 0) {
		(void)!write(last.descriptor, last.text, (size_t)last.size);
		if (last.has_modes)
			(void)tcsetattr(last.descriptor, TCSANOW, &last.modes);
	}
	last.size = 0;
	(void)sigaction(number, &last.before[number], NULL);
	/* A fault comes again when the instruction is run again; what was sent has to be sent again. */
	if (info == NULL || info->si_code <= 0)
		(void)raise(number);
}

static void catch_death(bool on)
{
	struct sigaction action = {.sa_sigaction = on_death, .sa_flags = SA_SIGINFO};

	for (tl_size i = 0; i < sizeof(deadly) / sizeof(*deadly); i++) {
		if (on)
			(void)sigaction(deadly[i], &action, &last.before[deadly[i]]);
		else
			(void)sigaction(deadly[i], &last.before[deadly[i]], NULL);
	}
}

static void note_last(const char *text)
{
	tl_size size = text != NULL ? strlen(text) : 0;

	if (size > 0 && (tl_size)last.size + size < LAST_WORDS) {
		memcpy(last.text + last.size, text, size);
		last.size += (sig_atomic_t)size;
	}
}

void tl_full_terminal_quiet_modes(struct termios *modes)
{
	modes->c_lflag = (modes->c_lflag & ~QUIET_FLAGS) | NOFLSH;
}

void tl_full_terminal_quiet(int descriptor, const struct termios *found)
{
	struct termios modes;

	if (tcgetattr(descriptor, &modes) != 0 || (modes.c_lflag & ICANON) == 0)
		return;
	if (found != NULL)
		modes.c_lflag = (modes.c_lflag & ~QUIET_FLAGS) | (found->c_lflag & QUIET_FLAGS);
	else
		tl_full_terminal_quiet_modes(&modes);
	(void)tcsetattr(descriptor, TCSANOW, &modes);
}

static void take(struct tl_full_terminal *terminal)
{
	if (last.has_modes)
		tl_full_terminal_quiet(terminal->descriptor, NULL);
	put_sequence(enter_ca_mode);
	flush(terminal);
	terminal->known = terminal->hidden = terminal->pastes_marked = false;
	last.size = 0;
	note_last("\033[?2004l");
	note_last(exit_attribute_mode);
	note_last(cursor_normal);
	note_last(exit_ca_mode);
	catch_death(true);
}

static void give_back(struct tl_full_terminal *terminal)
{
	const struct tl_full_cursor plain = {0};

	catch_death(false);
	last.size = 0;
	set_modes(terminal, &plain);
	terminal->ink = (struct tl_ink){.looks = 0xff};
	set_ink(terminal, (struct tl_ink){0});
	/* Without another screen the windows stay where they are; what follows stands below them. */
	if (exit_ca_mode == NULL && terminal->shown.rows > 0) {
		go(terminal, terminal->shown.rows - 1, 0);
		put_bytes(terminal, "\r\n", 2);
	}
	put_sequence(exit_ca_mode);
	flush(terminal);
	if (last.has_modes)
		tl_full_terminal_quiet(terminal->descriptor, &last.modes);
}

void tl_full_terminal_suspend(struct tl_full_terminal *terminal)
{
	if (!terminal->suspended)
		give_back(terminal);
	terminal->suspended = true;
}

void tl_full_terminal_resume(struct tl_full_terminal *terminal)
{
	if (terminal->suspended)
		take(terminal);
	terminal->suspended = false;
}

bool tl_full_terminal_suspended(const struct tl_full_terminal *terminal)
{
	return terminal->suspended;
}

/* What we write ourselves and what programs and readline write is for terminals of one kind. */
static enum tl_status check(const char *name, struct tl_error *error)
{
	int found = 0;

	if (name == NULL || name[0] == '\0')
		return TL_FAIL(
			error, TL_ERROR_UNSUPPORTED,
			"Cannot enable the TUI: TERM is not set, so that nobody knows what the terminal can do.");
	if (setupterm(name, current->descriptor, &found) != OK)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "Cannot enable the TUI: the terminal is not known to terminfo [TERM=%s]", name);
	if (cursor_address == NULL || clear_screen == NULL || strncmp(cursor_address, "\033[", 2) != 0)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "Cannot enable the TUI: terminal doesn't support cursor addressing [TERM=%s]", name);
	return TL_OK;
}

enum tl_status tl_full_terminal_open(struct tl_full_terminal **terminal_ret, int descriptor,
				     const struct termios *modes, struct tl_error *error)
{
	struct tl_full_terminal *terminal = calloc(1, sizeof(*terminal));
	enum tl_status status;

	if (terminal == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the full screen");
	terminal->descriptor = descriptor;
	current = terminal;
	status = check(getenv("TERM"), error);
	if (status != TL_OK) {
		current = NULL;
		free(terminal);
		return status;
	}
	terminal->late = auto_right_margin == 0 || eat_newline_glitch != 0;
	terminal->colours = set_a_foreground != NULL && max_colors > 0 ? max_colors : 0;
	last.descriptor = descriptor;
	last.has_modes = modes != NULL;
	if (modes != NULL)
		last.modes = *modes;
	take(terminal);
	*terminal_ret = terminal;
	return TL_OK;
}

void tl_full_terminal_close(struct tl_full_terminal *terminal)
{
	if (terminal == NULL)
		return;
	if (!terminal->suspended)
		give_back(terminal);
	tl_canvas_close(&terminal->shown);
	current = NULL;
	free(terminal);
}
