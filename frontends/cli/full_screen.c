#include "frontends/cli/full_screen.h"

#include "frontends/cli/cli.h"

#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

/* Output that comes without an end is drawn so often while it comes; milliseconds. */
#define DRAW_EVERY 40

static tl_u64 now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (tl_u64)time.tv_sec * 1000 + (tl_u64)time.tv_nsec / 1000000;
}

/* ---- Drawing ---- */

static void draw(struct tl_full_screen *full)
{
	const struct tl_layout *layout = &full->layout;
	const struct tl_console *console = &full->console;
	struct tl_full_cursor cursor = {layout->tops[TL_WINDOW_COMMAND] + console->row + console->back, console->column,
					console->cursor_hidden || console->back > 0, console->pastes_marked};
	struct tl_canvas canvas;
	struct tl_error error;

	if (!tl_full_screen_on(full) || tl_canvas_open(&canvas, layout->rows, layout->columns, &error) != TL_OK)
		return;
	tl_full_contents_draw(&full->contents, layout, &canvas);
	tl_console_draw(console, &canvas, layout->tops[TL_WINDOW_COMMAND]);
	/* Without memory for it the screen stays as it is. */
	(void)!tl_full_terminal_draw(full->terminal, &canvas, &cursor, &error);
	tl_canvas_close(&canvas);
	full->drawn = now();
	full->behind = false;
}

static void draw_due(void *context, struct tl_source *source)
{
	(void)source;
	draw(context);
}

static void draw_soon(struct tl_full_screen *full)
{
	if (full->draw != NULL)
		tl_source_trigger(full->draw);
}

/* What would have gone to the terminal. */
static void take_bytes(void *context, const char *bytes, tl_size size, bool returns)
{
	struct tl_full_screen *full = context;

	tl_console_write(&full->console, bytes, size, returns);
	full->behind = true;
	if (now() - full->drawn > DRAW_EVERY)
		draw(full);
	draw_soon(full);
}

/* ---- Size ---- */

static void measure_terminal(struct tl_cli *cli, tl_u32 *rows_ret, tl_u32 *columns_ret)
{
	struct winsize size;

	*rows_ret = 24;
	*columns_ret = 80;
	if (ioctl(cli->screen.descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row != 0 && size.ws_col != 0) {
		*rows_ret = size.ws_row < TL_CANVAS_SIDE_MAX ? size.ws_row : TL_CANVAS_SIDE_MAX;
		*columns_ret = size.ws_col < TL_CANVAS_SIDE_MAX ? size.ws_col : TL_CANVAS_SIDE_MAX;
	}
}

static void fit_console(struct tl_cli *cli)
{
	struct tl_full_screen *full = &cli->full;
	tl_u32 rows = full->layout.heights[TL_WINDOW_COMMAND], columns = full->layout.columns;
	struct tl_error error;

	if (rows == full->console.canvas.rows && columns == full->console.canvas.columns)
		return;
	if (tl_console_resize(&full->console, rows, columns, &error) != TL_OK)
		return;
	cli->screen.window_height = rows;
	cli->screen.window_width = columns;
}

void tl_full_screen_measure(struct tl_cli *cli)
{
	struct tl_full_screen *full = &cli->full;
	tl_u32 rows, columns;

	if (!tl_full_screen_on(full))
		return;
	measure_terminal(cli, &rows, &columns);
	if (rows != full->layout.rows || columns != full->layout.columns) {
		tl_layout_resize(&full->layout, rows, columns);
		tl_full_terminal_forget(full->terminal);
	}
	/* The line that is being typed was drawn for another width. */
	tl_terminal_hide(cli->terminal);
	fit_console(cli);
	full->stale = true;
	draw_soon(full);
}

void tl_full_screen_rearrange(struct tl_cli *cli)
{
	if (!tl_full_screen_on(&cli->full))
		return;
	tl_screen_flush(&cli->screen);
	tl_cli_resized(cli);
}

/* ---- On and off ---- */

static bool take_key(void *context, enum tl_full_key key);

enum tl_status tl_full_screen_open(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_full_screen *full = &cli->full;

	tl_full_contents_open(&full->contents);
	TL_TRY(tl_loop_add_deferred(cli->loop, "full screen", draw_due, full, &full->draw, error));
	/* The source window is where one looks; it begins so. */
	full->layout.focus = TL_WINDOW_SOURCE;
	if (tl_terminal_interactive(cli->terminal))
		tl_full_keys_open(take_key, cli);
	return TL_OK;
}

static enum tl_status turn_on(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_full_screen *full = &cli->full;
	struct termios modes;
	tl_u32 rows, columns;

	if (tl_full_screen_on(full))
		return TL_OK;
	if (!cli->screen.terminal || !tl_terminal_interactive(cli->terminal))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Cannot enable the TUI when %s is not a terminal",
			       cli->screen.terminal ? "input" : "output");
	if (cli->batch)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Cannot enable the TUI in batch mode");
	tl_screen_flush(&cli->screen);
	tl_terminal_hide(cli->terminal);
	measure_terminal(cli, &rows, &columns);
	TL_TRY(tl_console_open(&full->console, rows, columns, error));
	if (tl_full_terminal_open(&full->terminal, cli->screen.descriptor,
				  tl_terminal_modes(cli->terminal, &modes) ? &modes : NULL, error) != TL_OK) {
		tl_console_close(&full->console);
		return TL_ERROR_UNSUPPORTED;
	}
	full->console.eager = !tl_full_terminal_wraps_late(full->terminal);
	cli->screen.window = take_bytes;
	cli->screen.window_context = full;
	cli->screen.column = 0;
	return TL_OK;
}

enum tl_status tl_full_screen_set(struct tl_cli *cli, enum tl_layout_kind kind, struct tl_error *error)
{
	struct tl_full_screen *full = &cli->full;
	tl_u32 rows, columns;

	TL_TRY(turn_on(cli, error));
	measure_terminal(cli, &rows, &columns);
	tl_layout_set(&full->layout, kind, rows, columns);
	full->chosen = true;
	tl_cli_resized(cli);
	return TL_OK;
}

enum tl_status tl_full_screen_enable(struct tl_cli *cli, struct tl_error *error)
{
	if (tl_full_screen_on(&cli->full))
		return TL_OK;
	return tl_full_screen_set(cli, cli->full.chosen ? cli->full.layout.kind : TL_LAYOUT_SOURCE, error);
}

/* A row as text; of a wide character's two cells only the first has one. */
static void write_row(struct tl_cli *cli, const struct tl_cell *cells, tl_u32 count)
{
	struct tl_canvas canvas;
	struct tl_error error;
	char text[TL_CANVAS_SIDE_MAX * 4 + 16];

	if (tl_canvas_open(&canvas, 1, count, &error) != TL_OK)
		return;
	for (tl_u32 i = 0; i < count; i++)
		*tl_canvas_at(&canvas, 0, i) = cells[i];
	tl_canvas_row_text(&canvas, 0, text, sizeof(text));
	tl_canvas_close(&canvas);
	tl_screen_output(&cli->screen, text, strlen(text));
	tl_screen_output(&cli->screen, "\n", 1);
}

/* What was said while the windows were there; else it would be gone with the terminal's other screen. */
static void write_said(struct tl_cli *cli, const struct tl_console *console)
{
	for (tl_u32 i = 0; i < console->kept_count; i++)
		write_row(cli, tl_console_kept(console, i)->cells, tl_console_kept(console, i)->count);
	for (tl_u32 i = 0; i < console->row; i++)
		write_row(cli, tl_canvas_at(&console->canvas, i, 0), console->canvas.columns);
}

void tl_full_screen_disable(struct tl_cli *cli)
{
	struct tl_full_screen *full = &cli->full;
	struct tl_console console = full->console;

	if (!tl_full_screen_on(full))
		return;
	tl_screen_flush(&cli->screen);
	if (cli->terminal != NULL)
		tl_terminal_hide(cli->terminal);
	console = full->console;
	tl_full_terminal_close(full->terminal);
	full->terminal = NULL;
	cli->screen.window = NULL;
	cli->screen.window_height = cli->screen.window_width = 0;
	write_said(cli, &console);
	tl_console_close(&full->console);
	cli->screen.column = 0;
	tl_cli_resized(cli);
}

void tl_full_screen_close(struct tl_cli *cli)
{
	tl_full_screen_disable(cli);
	tl_full_keys_close();
	tl_source_remove(cli->full.draw);
	cli->full.draw = NULL;
	tl_full_contents_close(&cli->full.contents);
}

void tl_full_screen_suspend(struct tl_full_screen *full)
{
	if (tl_full_screen_on(full))
		tl_full_terminal_suspend(full->terminal);
}

void tl_full_screen_resume(struct tl_full_screen *full)
{
	if (!tl_full_screen_on(full))
		return;
	tl_full_terminal_resume(full->terminal);
	draw(full);
}

/* ---- Contents ---- */

void tl_full_screen_touch(struct tl_cli *cli)
{
	cli->full.stale = true;
}

void tl_full_screen_running(struct tl_cli *cli)
{
	if (!tl_full_screen_on(&cli->full))
		return;
	tl_full_contents_status(cli, &cli->full.contents);
	draw(&cli->full);
}

void tl_full_screen_catch_up(struct tl_cli *cli)
{
	if (cli->full.behind && now() - cli->full.drawn > DRAW_EVERY)
		draw(&cli->full);
}

void tl_full_screen_refresh(struct tl_cli *cli)
{
	if (!tl_full_screen_on(&cli->full))
		return;
	tl_full_terminal_forget(cli->full.terminal);
	cli->full.stale = true;
	draw_soon(&cli->full);
}

static tl_u32 inner_height(const struct tl_full_screen *full, enum tl_window window)
{
	tl_u32 height = full->layout.heights[window];

	return height > 1 ? height - 1 : height;
}

bool tl_full_screen_shows(struct tl_cli *cli, const char *file)
{
	const struct tl_source_file *source;
	struct tl_error error;

	return tl_full_screen_on(&cli->full) && tl_layout_has(&cli->full.layout, TL_WINDOW_SOURCE) &&
	       tl_sources_find(cli->sources, file, NULL, &source, &error) == TL_OK;
}

bool tl_full_screen_list(struct tl_cli *cli, const char *file, tl_u32 first)
{
	struct tl_full_screen *full = &cli->full;

	if (!tl_full_screen_shows(cli, file))
		return false;
	/* The place where one is counts as shown: what is listed is to stay. */
	tl_full_contents_update(cli, &full->contents, &full->layout);
	full->stale = true;
	return tl_full_contents_list(cli, &full->contents, file, first, inner_height(full, TL_WINDOW_SOURCE));
}

void tl_full_screen_scroll(struct tl_cli *cli, enum tl_window window, tl_i64 lines)
{
	struct tl_full_screen *full = &cli->full;
	struct tl_full_contents *contents = &full->contents;
	tl_u32 height = inner_height(full, window);

	switch (window) {
	case TL_WINDOW_SOURCE:
		if (contents->file.path != NULL)
			tl_source_view_scroll(&contents->source, lines, contents->file.line_count, height);
		break;
	case TL_WINDOW_CODE:
		tl_full_contents_scroll_code(cli, contents, lines, height);
		break;
	case TL_WINDOW_REGISTERS:
		tl_register_screen_scroll(&contents->registers, lines, full->layout.columns, height);
		break;
	case TL_WINDOW_COMMAND:
		tl_console_scroll(&full->console, -lines);
		break;
	case TL_WINDOW_STATUS:
		break;
	}
	draw_soon(full);
}

/* ---- Keys ---- */

/* Inside of a turn: what has to be done is done when it is over. */
static bool take_key(void *context, enum tl_full_key key)
{
	struct tl_cli *cli = context;
	struct tl_full_screen *full = &cli->full;
	bool arrow = key >= TL_FULL_KEY_UP && key <= TL_FULL_KEY_RIGHT;

	if (!tl_full_screen_on(full) && key >= TL_FULL_KEY_OTHER_WINDOW)
		return false;
	/* In the command window arrows are for the line that is typed, and its history. */
	if (arrow && (full->layout.focus == TL_WINDOW_COMMAND || full->layout.focus == TL_WINDOW_STATUS))
		return false;
	if ((key == TL_FULL_KEY_LEFT || key == TL_FULL_KEY_RIGHT) && full->layout.focus != TL_WINDOW_SOURCE)
		return false;
	if (full->due_count < TL_FULL_KEYS_DUE)
		full->due[full->due_count++] = key;
	return true;
}

static void change_windows(struct tl_cli *cli, bool two)
{
	struct tl_layout *layout = &cli->full.layout;
	bool source = !tl_full_screen_on(&cli->full) || tl_layout_has(layout, TL_WINDOW_SOURCE);
	enum tl_layout_kind kind = source ? TL_LAYOUT_SOURCE : TL_LAYOUT_CODE;
	struct tl_error error;

	if (two && tl_full_screen_on(&cli->full) && layout->kind == TL_LAYOUT_SPLIT)
		kind = TL_LAYOUT_REGISTERS;
	else if (two && tl_full_screen_on(&cli->full) && layout->kind == TL_LAYOUT_REGISTERS)
		kind = TL_LAYOUT_REGISTERS_CODE;
	else if (two)
		kind = TL_LAYOUT_SPLIT;
	if (tl_full_screen_set(cli, kind, &error) != TL_OK)
		tl_screen_complain(&cli->screen, error.text);
}

static void toggle(struct tl_cli *cli)
{
	struct tl_error error;

	if (tl_full_screen_on(&cli->full))
		tl_full_screen_disable(cli);
	else if (tl_full_screen_enable(cli, &error) != TL_OK)
		tl_screen_complain(&cli->screen, error.text);
}

static void shift(struct tl_full_screen *full, tl_i64 columns)
{
	tl_i64 offset = (tl_i64)full->contents.source.offset + columns;

	full->contents.source.offset = offset < 0 ? 0 : offset > 1000 ? 1000 : (tl_u32)offset;
	draw_soon(full);
}

static void do_key(struct tl_cli *cli, enum tl_full_key key)
{
	struct tl_full_screen *full = &cli->full;
	struct tl_layout *layout = &full->layout;
	tl_i64 page = (tl_i64)inner_height(full, layout->focus) - 2;

	switch (key) {
	case TL_FULL_KEY_TOGGLE:
		toggle(cli);
		break;
	case TL_FULL_KEY_ONE_WINDOW:
	case TL_FULL_KEY_TWO_WINDOWS:
		change_windows(cli, key == TL_FULL_KEY_TWO_WINDOWS);
		break;
	case TL_FULL_KEY_OTHER_WINDOW:
		layout->focus = tl_layout_next_window(layout, layout->focus, false);
		draw_soon(full);
		break;
	case TL_FULL_KEY_REFRESH:
		tl_full_screen_refresh(cli);
		break;
	case TL_FULL_KEY_UP:
	case TL_FULL_KEY_DOWN:
		tl_full_screen_scroll(cli, layout->focus, key == TL_FULL_KEY_UP ? -1 : 1);
		break;
	case TL_FULL_KEY_LEFT:
	case TL_FULL_KEY_RIGHT:
		shift(full, key == TL_FULL_KEY_LEFT ? -1 : 1);
		break;
	case TL_FULL_KEY_PAGE_UP:
	case TL_FULL_KEY_PAGE_DOWN:
		page = page > 1 ? page : 1;
		tl_full_screen_scroll(cli, layout->focus, key == TL_FULL_KEY_PAGE_UP ? -page : page);
		break;
	}
}

void tl_full_screen_idle(struct tl_cli *cli)
{
	struct tl_full_screen *full = &cli->full;

	for (tl_u32 i = 0; i < full->due_count; i++)
		do_key(cli, full->due[i]);
	full->due_count = 0;
	/* In the middle of a command nothing is where it will be. */
	if (!tl_full_screen_on(full) || !full->stale || cli->busy)
		return;
	full->stale = false;
	tl_full_contents_update(cli, &full->contents, &full->layout);
	draw_soon(full);
}
