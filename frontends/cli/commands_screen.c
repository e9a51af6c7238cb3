/* The full screen: which windows there are, how high they are, and which of them keys scroll. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/complete.h"
#include "frontends/cli/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- layout ---- */

/* Registers go on top of what one looks at. */
static enum tl_layout_kind with_registers(const struct tl_cli *cli)
{
	const struct tl_layout *layout = &cli->full.layout;

	if (!tl_full_screen_on(&cli->full))
		return TL_LAYOUT_REGISTERS;
	if (layout->kind == TL_LAYOUT_SPLIT)
		return layout->focus == TL_WINDOW_CODE ? TL_LAYOUT_REGISTERS_CODE : TL_LAYOUT_REGISTERS;
	return tl_layout_has(layout, TL_WINDOW_SOURCE) ? TL_LAYOUT_REGISTERS : TL_LAYOUT_REGISTERS_CODE;
}

static enum tl_status run_layout_name(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	const char *name = line->command->name;

	if (strcmp(name, "src") == 0)
		return tl_full_screen_set(cli, TL_LAYOUT_SOURCE, error);
	if (strcmp(name, "asm") == 0)
		return tl_full_screen_set(cli, TL_LAYOUT_CODE, error);
	if (strcmp(name, "split") == 0)
		return tl_full_screen_set(cli, TL_LAYOUT_SPLIT, error);
	return tl_full_screen_set(cli, with_registers(cli), error);
}

/* In gdb's order: src, asm, split, regs. */
static enum tl_status run_layout_next(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	static const enum tl_layout_kind order[] = {TL_LAYOUT_SOURCE, TL_LAYOUT_CODE, TL_LAYOUT_SPLIT,
						    TL_LAYOUT_REGISTERS};
	tl_size now = 3, change = line->command->name[0] == 'p' ? 3 : 1;

	TL_TRY(tl_full_screen_enable(cli, error));
	for (tl_size i = 0; i < 3; i++)
		if (order[i] == cli->full.layout.kind)
			now = i;
	return tl_full_screen_set(cli, order[(now + change) % 4], error);
}

/* ---- Windows ---- */

static enum tl_status need_screen(struct tl_cli *cli, struct tl_error *error)
{
	if (tl_full_screen_on(&cli->full))
		return TL_OK;
	return TL_FAIL(error, TL_ERROR_STATE, "The TUI is not active: \"layout src\" switches it on.");
}

/* A window that is there, by its name. */
static enum tl_status find_window(struct tl_cli *cli, const char *name, enum tl_window *window_ret,
				  struct tl_error *error)
{
	if (!tl_window_find(name, window_ret))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unrecognized window name \"%s\"", name);
	if (!tl_layout_has(&cli->full.layout, *window_ret))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Window \"%s\" is not visible: \"layout\" chooses windows.",
			       tl_window_name(*window_ret));
	return TL_OK;
}

static enum tl_status focus(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			    struct tl_error *error)
{
	struct tl_layout *layout = &cli->full.layout;
	enum tl_window window;

	(void)line;
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "Focus on which window? focus src, asm, regs, cmd, next or prev");
	TL_TRY(tl_full_screen_enable(cli, error));
	if (strcmp(words, "next") == 0 || strcmp(words, "prev") == 0) {
		window = tl_layout_next_window(layout, layout->focus, words[0] == 'p');
	} else {
		TL_TRY(find_window(cli, words, &window, error));
		if (window == TL_WINDOW_STATUS)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Window \"status\" cannot be focused");
	}
	layout->focus = window;
	tl_screen_format(&cli->screen, "Focus set to %s window.\n", tl_window_name(window));
	return TL_OK;
}

static enum tl_status run_focus(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, focus, error);
}

/* "src 10", "src +3", "src -3". */
static enum tl_status set_height(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				 struct tl_error *error)
{
	tl_size size = strcspn(words, " \t");
	const char *at = words + size + strspn(words + size, " \t"), *number = at;
	char name[16] = "", *end;
	enum tl_window window;
	tl_i64 height;

	(void)line;
	TL_TRY(need_screen(cli, error));
	if (size == 0 || *at == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Usage: winheight WINDOW-NAME [+ | -] NUM-LINES");
	strncat(name, words, size < sizeof(name) ? size : sizeof(name) - 1);
	TL_TRY(find_window(cli, name, &window, error));
	if (window == TL_WINDOW_STATUS)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "The status window has one line.");
	number += *at == '+' || *at == '-';
	number += strspn(number, " \t");
	height = isdigit((unsigned char)*number) ? (tl_i64)strtoul(number, &end, 10) : -1;
	if (height < 0 || end[strspn(end, " \t")] != '\0' || height > TL_CANVAS_SIDE_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid window height specified: %s", at);
	if (*at == '+')
		height = cli->full.layout.heights[window] + height;
	else if (*at == '-')
		height = cli->full.layout.heights[window] - height;
	if (height <= 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid window height specified: %s", at);
	tl_layout_set_height(&cli->full.layout, window, height);
	tl_full_screen_rearrange(cli);
	return TL_OK;
}

static enum tl_status run_winheight(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, set_height, error);
}

static enum tl_status run_refresh(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line, (void)error;
	tl_full_screen_refresh(cli);
	return TL_OK;
}

static enum tl_status run_info_win(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	const struct tl_layout *layout = &cli->full.layout;

	(void)line, (void)error;
	if (!tl_full_screen_on(&cli->full)) {
		tl_screen_text(&cli->screen, "The TUI is not active.\n");
		return TL_OK;
	}
	tl_screen_text(&cli->screen, "Name       Lines Columns Focus\n");
	for (int i = 0; i < TL_WINDOWS; i++)
		if (tl_layout_has(layout, (enum tl_window)i))
			tl_screen_format(&cli->screen, "%-10s %5u %7u%s\n", tl_window_name((enum tl_window)i),
					 layout->heights[i], layout->columns,
					 layout->focus == (enum tl_window)i ? " (has focus)" : "");
	return TL_OK;
}

/* ---- tui ---- */

static enum tl_status run_tui_enable(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line;
	return tl_full_screen_enable(cli, error);
}

static enum tl_status run_tui_disable(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line, (void)error;
	tl_full_screen_disable(cli);
	return TL_OK;
}

static enum tl_status show_group(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				 struct tl_error *error)
{
	(void)line;
	if (words[0] == '\0') {
		tl_screen_text(&cli->screen, "\"tui reg\" must be followed by the name of a register group:\n");
		for (tl_size i = 0; tl_full_register_groups[i] != NULL; i++)
			tl_screen_format(&cli->screen, "\t%s\n", tl_full_register_groups[i]);
		tl_screen_text(&cli->screen, "or by next or prev.\n");
		return TL_OK;
	}
	TL_TRY(tl_full_contents_group(&cli->full.contents, words, error));
	if (tl_full_screen_on(&cli->full) && tl_layout_has(&cli->full.layout, TL_WINDOW_REGISTERS))
		return TL_OK;
	return tl_full_screen_set(cli, with_registers(cli), error);
}

static enum tl_status run_tui_reg(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, show_group, error);
}

/* ---- Words ---- */

static void complete_windows(struct tl_cli *cli, const char *words)
{
	(void)words;
	for (int i = 0; i < TL_WINDOWS; i++)
		if (i != TL_WINDOW_STATUS &&
		    (!tl_full_screen_on(&cli->full) || tl_layout_has(&cli->full.layout, (enum tl_window)i)))
			tl_complete_offer(cli, tl_window_name((enum tl_window)i));
}

static void complete_focus(struct tl_cli *cli, const char *words)
{
	complete_windows(cli, words);
	tl_complete_offer(cli, "next");
	tl_complete_offer(cli, "prev");
}

static void complete_groups(struct tl_cli *cli, const char *words)
{
	(void)words;
	for (tl_size i = 0; tl_full_register_groups[i] != NULL; i++)
		tl_complete_offer(cli, tl_full_register_groups[i]);
	tl_complete_offer(cli, "next");
	tl_complete_offer(cli, "prev");
}

static const struct tl_command layout_rows[] = {
	{.name = "src",
	 .summary = "Show the source and the command window",
	 .details = "Example: layout src",
	 .run = run_layout_name},
	{.name = "asm",
	 .summary = "Show the instructions and the command window",
	 .details = "Example: layout asm",
	 .run = run_layout_name},
	{.name = "split",
	 .summary = "Show the source, the instructions and the command window",
	 .details = "Example: layout split",
	 .run = run_layout_name},
	{.name = "regs",
	 .summary = "Show the registers, with the source or the instructions below them",
	 .details = "Those that changed since the program stood last are marked.\nExample: layout regs",
	 .run = run_layout_name},
	{.name = "next",
	 .summary = "Show the next of the layouts src, asm, split, regs",
	 .details = "Example: layout next",
	 .run = run_layout_next},
	{.name = "prev",
	 .summary = "Show the one before of the layouts src, asm, split, regs",
	 .details = "Example: layout prev",
	 .run = run_layout_next},
	{0},
};

static const struct tl_command tui_rows[] = {
	{.name = "enable",
	 .summary = "Enable TUI display mode",
	 .details = "The windows that were there last come back. C-x C-a does the same, and switches it off "
		    "again.\nExample: tui enable",
	 .run = run_tui_enable},
	{.name = "disable",
	 .summary = "Disable TUI display mode",
	 .details = "What was said in the command window is on the screen then.\nExample: tui disable",
	 .run = run_tui_disable},
	{.name = "reg",
	 .arguments = "GROUP",
	 .summary = "Choose which registers are shown, and show them",
	 .details = "Groups are general, float, vector, system and all; next and prev go through them.\n"
		    "Example: tui reg vector",
	 .run = run_tui_reg,
	 .complete = complete_groups},
	{.name = "layout",
	 .subcommands = layout_rows,
	 .summary = "Change the layout of windows",
	 .details = "As layout.\nExample: tui layout split"},
	{.name = "focus",
	 .arguments = "WINDOW",
	 .summary = "Set the focus to a window",
	 .details = "As focus.\nExample: tui focus asm",
	 .run = run_focus,
	 .complete = complete_focus},
	{.name = "refresh",
	 .summary = "Draw the windows anew",
	 .details = "As refresh.\nExample: tui refresh",
	 .run = run_refresh},
	{0},
};

const struct tl_command tl_commands_screen[] = {
	{.name = "tui",
	 .subcommands = tui_rows,
	 .summary = "Full screen: windows of source, instructions and registers",
	 .details =
		 "Keys: C-x C-a full screen on and off, C-x 1 and C-x 2 one or two windows above the prompt, C-x o\n"
		 "the next window; arrows, PageUp and PageDown scroll the window that has the focus; C-l draws anew.\n"
		 "Example: tui enable"},
	{.name = "layout",
	 .subcommands = layout_rows,
	 .summary = "Change the layout of windows",
	 .details = "Switches the full screen on. tui disable, or C-x C-a, leaves it.\nExample: layout split"},
	{.name = "focus",
	 .shorts = "fs",
	 .arguments = "src|asm|regs|cmd|next|prev",
	 .summary = "Set the focus to a window of the full screen",
	 .details = "Arrows, PageUp and PageDown scroll it; with the focus on cmd, arrows are for the line that is "
		    "typed.\nExample: focus cmd",
	 .run = run_focus,
	 .complete = complete_focus},
	{.name = "winheight",
	 .shorts = "wh",
	 .arguments = "WINDOW [+|-]LINES",
	 .summary = "Set or change the height of a window of the full screen",
	 .details = "Example: winheight src +5",
	 .run = run_winheight,
	 .complete = complete_windows},
	{.name = "refresh",
	 .summary = "Draw the windows of the full screen anew",
	 .details = "C-l does the same.\nExample: refresh",
	 .run = run_refresh},
	{0},
};

const struct tl_command tl_commands_screen_info[] = {
	{.name = "win",
	 .summary = "List of all displayed windows",
	 .details = "With their heights, their titles included, and which of them keys scroll.\nExample: info win",
	 .run = run_info_win},
	{0},
};
