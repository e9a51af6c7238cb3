#include "frontends/cli/terminal.h"

#include "frontends/cli/full_screen_terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

/* No line of a pipe is longer; the rest of a longer one is read and dropped. */
#define LINE_MAX_BYTES ((tl_size)1 << 20)
/* Keys that are handed on at once. */
#define KEYS 1024

struct tl_terminal {
	struct tl_loop *loop;
	struct tl_screen *screen;
	struct tl_terminal_hooks hooks;
	struct tl_source *input, *interrupt, *stop;
	FILE *output; /* what readline draws; goes where the screen's text goes */
	bool interactive, no_editing;
	bool quiet;    /* readline began in a full screen */
	bool reading;  /* somebody waits for a line */
	bool editing;  /* with readline */
	bool visible;  /* its line is on the screen */
	bool complete; /* `line` is what was typed */
	bool interrupted, ended;
	enum tl_question kind;
	const char *prompt;
	char *line; /* NULL: the end of the input */
	char *rest; /* further lines, of a paste */
	/* A line of a pipe as far as it was read. */
	char *partial;
	tl_size partial_size, partial_capacity;
	void (*keys)(void *context, const char *bytes, tl_size size);
	void *keys_context;
	struct termios found;
};

/* The one that readline's callbacks, which have no context, are for. */
static struct tl_terminal *current;

static void want(struct tl_terminal *terminal, bool keys)
{
	struct tl_error error;

	if (terminal->input != NULL && tl_source_want(terminal->input, keys ? TL_READABLE : 0, &error) != TL_OK)
		terminal->ended = true;
}

/* ---- Showing and hiding ---- */

static void show(struct tl_terminal *terminal)
{
	if (!terminal->editing || terminal->visible || terminal->complete)
		return;
	/* What a program wrote without a newline stays readable. */
	tl_screen_flush(terminal->screen);
	if (terminal->screen->column != 0)
		fputc('\n', rl_outstream);
	terminal->screen->column = 0;
	rl_on_new_line();
	rl_forced_update_display();
	terminal->visible = true;
}

void tl_terminal_hide(struct tl_terminal *terminal)
{
	if (!terminal->visible)
		return;
	terminal->visible = false;
	rl_clear_visible_line();
	fflush(rl_outstream);
	terminal->screen->column = 0;
}

static ssize_t write_drawn(void *screen, const char *bytes, size_t size)
{
	tl_screen_output(screen, bytes, size);
	return (ssize_t)size;
}

/* ---- Lines by readline ---- */

/*
 * Readline restores the modes that it found when it began. In a full screen these have the kernel show nothing: what is
 * typed between two lines would stand where the cursor happens to be, and no window would know of it. Readline takes a
 * terminal like that for one on which it must not show anything either, and is told better.
 */
static void prepare(int meta)
{
	bool shown = (current->found.c_lflag & ECHO) != 0;

	current->quiet = current->screen->window != NULL;
	if (current->quiet)
		tl_full_terminal_quiet(STDIN_FILENO, NULL);
	rl_prep_terminal(meta);
	if (current->quiet)
		(void)rl_tty_set_echoing(shown);
}

static void unprepare(void)
{
	bool quiet;

	rl_deprep_terminal();
	if (current == NULL)
		return;
	/* The windows may have come or gone meanwhile. */
	quiet = current->screen->window != NULL;
	if (quiet != current->quiet)
		tl_full_terminal_quiet(STDIN_FILENO, quiet ? NULL : &current->found);
	current->quiet = quiet;
}

static void finish_editing(struct tl_terminal *terminal)
{
	if (!terminal->editing)
		return;
	rl_callback_handler_remove();
	fflush(rl_outstream);
	terminal->editing = terminal->visible = false;
	terminal->screen->column = 0;
}

/* Several lines that were pasted at once are several commands. */
static void split(struct tl_terminal *terminal)
{
	char *newline = terminal->line != NULL ? strchr(terminal->line, '\n') : NULL;

	if (newline == NULL)
		return;
	*newline = '\0';
	free(terminal->rest);
	terminal->rest = strdup(newline + 1);
}

static void take_line(char *line)
{
	struct tl_terminal *terminal = current;

	finish_editing(terminal);
	terminal->complete = true;
	terminal->line = line;
	/* Else readline ends every line from now on as it ends one at ^D, with one more newline. */
	rl_eof_found = 0;
	split(terminal);
}

static void list_candidate(void *list, const char *word)
{
	struct {
		char **words;
		tl_size count, capacity;
	} *all = list;
	char **grown;

	if (all->count + 1 >= all->capacity) {
		grown = realloc(all->words, (all->capacity * 2 + 16) * sizeof(*grown));
		if (grown == NULL)
			return;
		all->words = grown;
		all->capacity = all->capacity * 2 + 16;
	}
	all->words[all->count] = strdup(word);
	if (all->words[all->count] != NULL)
		all->words[++all->count] = NULL;
}

/* readline asks for one word after the other; ours come all at once. */
static char *next_candidate(const char *word, int state)
{
	static struct {
		char **words;
		tl_size count, capacity;
	} list;
	static tl_size at;

	(void)word;
	if (state == 0) {
		struct tl_terminal *terminal = current;
		char *line = rl_copy_text(0, rl_point);

		list.count = at = 0;
		if (line != NULL)
			terminal->hooks.complete(terminal->hooks.context, line, (tl_size)rl_point - strlen(word),
						 list_candidate, &list);
		free(line);
	}
	if (at < list.count)
		return list.words[at++];
	free(list.words);
	memset(&list, 0, sizeof(list));
	return NULL;
}

static char **find_candidates(const char *word, int start, int end)
{
	char **matches;

	(void)start, (void)end;
	rl_attempted_completion_over = 1; /* no files where none belong */
	if (current->kind != TL_QUESTION_COMMAND || current->hooks.complete == NULL)
		return NULL;
	matches = rl_completion_matches(word, next_candidate);
	/* One goes on behind a folder. */
	if (matches != NULL && matches[0][0] != '\0' && matches[0][strlen(matches[0]) - 1] == '/')
		rl_completion_suppress_append = 1;
	return matches;
}

static char *word_breaks(void)
{
	char *line = rl_copy_text(0, rl_point);
	/* readline reads the string and no more, but wants to be allowed to. */
	union {
		const char *from;
		char *to;
	} breaks = {" \t\n"};

	if (line != NULL && current->hooks.breaks != NULL)
		breaks.from = current->hooks.breaks(current->hooks.context, line);
	free(line);
	return breaks.to;
}

static void set_up_readline(struct tl_terminal *terminal)
{
	rl_readline_name = "trapline";
	rl_instream = stdin;
	rl_outstream = terminal->output;
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_attempted_completion_function = find_candidates;
	rl_completion_word_break_hook = word_breaks;
	rl_completer_quote_characters = "";
	rl_filename_completion_desired = 0;
	rl_completion_query_items = 100;
	rl_prep_term_function = prepare;
	rl_deprep_term_function = unprepare;
	current = terminal;
}

static void begin_editing(struct tl_terminal *terminal)
{
	tl_screen_flush(terminal->screen);
	if (terminal->screen->column != 0)
		fputc('\n', rl_outstream);
	terminal->screen->column = 0;
	rl_set_screen_size(terminal->screen->height != 0 ? (int)terminal->screen->height : 24,
			   terminal->screen->width != 0 ? (int)terminal->screen->width : 80);
	rl_bind_key('\t', terminal->kind == TL_QUESTION_COMMAND ? rl_complete : rl_insert);
	rl_callback_handler_install(terminal->prompt, take_line);
	fflush(rl_outstream);
	terminal->editing = terminal->visible = true;
}

/* ---- Plain lines ---- */

static bool keep_byte(struct tl_terminal *terminal, char byte)
{
	if (terminal->partial_size + 1 >= terminal->partial_capacity) {
		tl_size capacity = terminal->partial_capacity * 2 + 256;
		char *grown = capacity <= LINE_MAX_BYTES ? realloc(terminal->partial, capacity) : NULL;

		if (grown == NULL)
			return false;
		terminal->partial = grown;
		terminal->partial_capacity = capacity;
	}
	terminal->partial[terminal->partial_size++] = byte;
	terminal->partial[terminal->partial_size] = '\0';
	return true;
}

static void finish_plain(struct tl_terminal *terminal, bool is_end)
{
	terminal->complete = true;
	terminal->line = is_end && terminal->partial_size == 0 ? NULL
			 : terminal->partial != NULL           ? terminal->partial
							       : strdup("");
	terminal->partial = NULL;
	terminal->partial_size = terminal->partial_capacity = 0;
	if (terminal->interactive)
		terminal->screen->column = 0;
}

/* Up to the newline and no further: what follows may be for the program. */
static void read_plain(struct tl_terminal *terminal)
{
	struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};

	do {
		char byte;
		ssize_t done = read(STDIN_FILENO, &byte, 1);

		if (done < 0 && (errno == EINTR || errno == EAGAIN))
			return;
		if (done <= 0 || byte == '\n') {
			finish_plain(terminal, done <= 0);
			return;
		}
		(void)keep_byte(terminal, byte);
	} while (poll(&ready, 1, 0) == 1);
}

/* ---- Keys ---- */

static void hand_on_keys(struct tl_terminal *terminal)
{
	char bytes[KEYS];
	ssize_t done = read(STDIN_FILENO, bytes, sizeof(bytes));
	const char *at = bytes, *interrupt;

	if (done <= 0) {
		if (done == 0 || (errno != EINTR && errno != EAGAIN))
			want(terminal, false);
		return;
	}
	while (done > 0) {
		tl_size part = (tl_size)done;

		interrupt = memchr(at, terminal->found.c_cc[VINTR], part);
		if (interrupt != NULL)
			part = (tl_size)(interrupt - at);
		if (part > 0)
			terminal->keys(terminal->keys_context, at, part);
		if (interrupt != NULL && terminal->hooks.interrupted != NULL)
			terminal->hooks.interrupted(terminal->hooks.context);
		at += part + (interrupt != NULL);
		done -= (ssize_t)part + (interrupt != NULL);
		if (terminal->keys == NULL)
			return;
	}
}

static void on_input(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_terminal *terminal = context;
	struct pollfd more = {.fd = descriptor, .events = POLLIN};

	(void)source, (void)ready;
	if (terminal->keys != NULL) {
		hand_on_keys(terminal);
		return;
	}
	if (!terminal->reading || terminal->complete)
		return;
	if (!terminal->editing) {
		read_plain(terminal);
		return;
	}
	/*
	 * All that is there, so that a paste is drawn once and does not take a turn for each key. There may be nothing
	 * any more: at a ^C the kernel drops what was typed before it.
	 */
	while (!terminal->complete && terminal->editing && poll(&more, 1, 0) == 1)
		rl_callback_read_char();
	fflush(rl_outstream);
}

void tl_terminal_drop_typed(struct tl_terminal *terminal)
{
	if (terminal->interactive && terminal->screen->window != NULL)
		(void)tcflush(STDIN_FILENO, TCIFLUSH);
}

static void on_interrupt(void *context, struct tl_source *source, int number)
{
	struct tl_terminal *terminal = context;

	(void)source, (void)number;
	/* Who edits a line has taken what was typed before, and what comes now was typed behind it. */
	if (terminal->reading) {
		terminal->interrupted = true;
		return;
	}
	tl_terminal_drop_typed(terminal);
	if (terminal->hooks.interrupted != NULL)
		terminal->hooks.interrupted(terminal->hooks.context);
}

/* ^Z: the shell shall find the terminal as it left it. */
static void on_stop(void *context, struct tl_source *source, int number)
{
	struct tl_terminal *terminal = context;

	(void)source, (void)number;
	tl_terminal_hide(terminal);
	if (terminal->editing)
		unprepare();
	fflush(rl_outstream);
	if (terminal->hooks.suspended != NULL)
		terminal->hooks.suspended(terminal->hooks.context, true);
	(void)raise(SIGSTOP);
	if (terminal->hooks.suspended != NULL)
		terminal->hooks.suspended(terminal->hooks.context, false);
	if (terminal->editing)
		prepare(1);
	fflush(rl_outstream);
}

/* ---- Reading ---- */

/* What was typed and is given up; the prompt comes anew on a line of its own. */
static void drop(struct tl_terminal *terminal)
{
	if (terminal->editing) {
		if (!terminal->visible)
			show(terminal);
		rl_free_line_state();
		rl_callback_sigcleanup();
		rl_point = rl_end;
		rl_redisplay();
		/* Leaving the editor takes the cursor to the left. */
		fputs("^C", rl_outstream);
		finish_editing(terminal);
		fputc('\n', rl_outstream);
		fflush(rl_outstream);
	}
	terminal->partial_size = 0;
	free(terminal->rest);
	terminal->rest = NULL;
}

/* The next line of a paste, shown as if it had been typed. */
static bool take_rest(struct tl_terminal *terminal, char **line_ret)
{
	char *line = terminal->rest, *newline;

	if (line == NULL)
		return false;
	terminal->rest = NULL;
	newline = strchr(line, '\n');
	if (newline != NULL) {
		*newline = '\0';
		terminal->rest = strdup(newline + 1);
	} else if (line[0] == '\0') {
		free(line);
		return false;
	}
	tl_screen_text(terminal->screen, terminal->prompt);
	tl_screen_text(terminal->screen, line);
	tl_screen_text(terminal->screen, "\n");
	*line_ret = line;
	return true;
}

static enum tl_status wait_for_line(struct tl_terminal *terminal, struct tl_error *error)
{
	while (!terminal->complete && !terminal->interrupted && !terminal->ended) {
		enum tl_status status;

		if (terminal->hooks.idle != NULL) {
			/* It may turn the loop itself; keys wait. */
			want(terminal, false);
			terminal->hooks.idle(terminal->hooks.context);
			want(terminal, true);
		}
		tl_screen_flush(terminal->screen);
		show(terminal);
		if (terminal->interrupted || terminal->ended)
			break;
		terminal->screen->unpaged++;
		status = tl_loop_turn(terminal->loop, -1, error);
		terminal->screen->unpaged--;
		TL_TRY(status);
	}
	return TL_OK;
}

enum tl_status tl_terminal_read(struct tl_terminal *terminal, const char *prompt, enum tl_question kind,
				char **line_ret, struct tl_error *error)
{
	enum tl_status status;

	terminal->prompt = prompt;
	terminal->kind = kind;
	if (take_rest(terminal, line_ret))
		return TL_OK;
	terminal->reading = true;
	terminal->complete = terminal->interrupted = false;
	terminal->line = NULL;
	want(terminal, true);
	if (terminal->interactive && !terminal->no_editing && terminal->screen->terminal)
		begin_editing(terminal);
	else
		tl_screen_text(terminal->screen, prompt);
	status = wait_for_line(terminal, error);
	want(terminal, false);
	terminal->reading = false;
	if (status == TL_OK && terminal->interrupted && !terminal->complete) {
		drop(terminal);
		return TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
	}
	finish_editing(terminal);
	if (status == TL_OK)
		*line_ret = terminal->line;
	/* It came on the heels of the line, and is for what the line asks for. */
	if (terminal->interrupted && kind != TL_QUESTION_COMMAND && terminal->hooks.interrupted != NULL)
		terminal->hooks.interrupted(terminal->hooks.context);
	return status;
}

bool tl_terminal_take_interrupt(struct tl_terminal *terminal)
{
	bool interrupted = terminal->interrupted;

	terminal->interrupted = false;
	return interrupted;
}

void tl_terminal_resized(struct tl_terminal *terminal)
{
	if (!terminal->editing)
		return;
	if (terminal->screen->window != NULL) {
		/* It was taken away, and comes back in a window of this size. */
		rl_set_screen_size((int)terminal->screen->window_height, (int)terminal->screen->window_width);
		return;
	}
	if (!terminal->visible) {
		rl_reset_screen_size();
		return;
	}
	/* readline draws the line anew where it stands in a window of this width. */
	rl_resize_terminal();
	fflush(rl_outstream);
}

void tl_terminal_end(struct tl_terminal *terminal)
{
	terminal->ended = true;
}

/* ---- The program's turn ---- */

void tl_terminal_forward(struct tl_terminal *terminal, void (*keys)(void *context, const char *bytes, tl_size size),
			 void *context)
{
	struct termios modes = terminal->found;

	if (!terminal->interactive || (keys != NULL) == (terminal->keys != NULL))
		return;
	tl_screen_flush(terminal->screen);
	terminal->keys = keys;
	terminal->keys_context = context;
	want(terminal, keys != NULL);
	if (keys != NULL)
		cfmakeraw(&modes);
	terminal->screen->raw = keys != NULL && terminal->screen->terminal;
	if (keys == NULL && terminal->screen->window != NULL)
		tl_full_terminal_quiet_modes(&modes);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
}

bool tl_terminal_modes(const struct tl_terminal *terminal, struct termios *modes_ret)
{
	if (!terminal->interactive)
		return false;
	*modes_ret = terminal->found;
	return true;
}

/* ---- Opening and closing ---- */

bool tl_terminal_interactive(const struct tl_terminal *terminal)
{
	return terminal->interactive;
}

void tl_terminal_set_editing(struct tl_terminal *terminal, bool on)
{
	terminal->no_editing = !on;
}

static enum tl_status add_sources(struct tl_terminal *terminal, struct tl_error *error)
{
	TL_TRY(tl_loop_add_descriptor(terminal->loop, "terminal", STDIN_FILENO, 0, on_input, terminal, &terminal->input,
				      error));
	TL_TRY(tl_loop_add_signal(terminal->loop, SIGINT, on_interrupt, terminal, &terminal->interrupt, error));
	if (!terminal->interactive)
		return TL_OK;
	return tl_loop_add_signal(terminal->loop, SIGTSTP, on_stop, terminal, &terminal->stop, error);
}

enum tl_status tl_terminal_open(struct tl_terminal **terminal_ret, struct tl_loop *loop, struct tl_screen *screen,
				const struct tl_terminal_hooks *hooks, struct tl_error *error)
{
	struct tl_terminal *terminal = calloc(1, sizeof(*terminal));
	enum tl_status status;

	if (terminal == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the terminal");
	terminal->loop = loop;
	terminal->screen = screen;
	terminal->hooks = *hooks;
	terminal->interactive = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &terminal->found) == 0;
	terminal->output = fopencookie(screen, "w", (cookie_io_functions_t){.write = write_drawn});
	status = terminal->output == NULL ? TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the terminal")
					  : add_sources(terminal, error);
	if (status != TL_OK) {
		tl_terminal_close(terminal);
		return status;
	}
	if (terminal->interactive)
		set_up_readline(terminal);
	*terminal_ret = terminal;
	return TL_OK;
}

void tl_terminal_close(struct tl_terminal *terminal)
{
	if (terminal == NULL)
		return;
	tl_terminal_hide(terminal);
	finish_editing(terminal);
	tl_terminal_forward(terminal, NULL, NULL);
	tl_source_remove(terminal->input);
	tl_source_remove(terminal->interrupt);
	tl_source_remove(terminal->stop);
	if (terminal->interactive)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->found);
	/* readline may look at it once more, at the end of the process. */
	rl_prep_term_function = rl_prep_terminal;
	rl_deprep_term_function = rl_deprep_terminal;
	rl_outstream = stdout;
	if (terminal->output != NULL)
		(void)fclose(terminal->output);
	free(terminal->rest);
	free(terminal->partial);
	free(terminal);
	current = NULL;
}
