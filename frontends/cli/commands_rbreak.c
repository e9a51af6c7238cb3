/* rbreak: a breakpoint at each function whose name matches. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/points.h"
#include "frontends/cli/words.h"

#include "debugger/modules/symbol_list.h"

#include <stdlib.h>
#include <string.h>

/* FILE:REGEX; a double colon belongs to the name of a function. */
static const char *find_colon(const char *words)
{
	for (const char *at = strchr(words, ':'); at != NULL; at = strchr(at + 2, ':'))
		if (at[1] != ':')
			return at;
	return NULL;
}

/* Is the path the file that was named, or does it end in its words? */
static bool is_file(const char *path, const char *file, tl_size size)
{
	tl_size whole = strlen(path);

	return size <= whole && memcmp(path + whole - size, file, size) == 0 &&
	       (size == whole || path[whole - size - 1] == '/');
}

/* Makes one and tells of it; false, with a word, where there is no code to stop at. */
static bool make(struct tl_cli *cli, const char *place, tl_u32 *number_ret)
{
	struct tl_breakpoint_request request = {.kind = TL_BREAKPOINT, .place = place};
	struct tl_breakpoint *point;
	struct tl_error error;

	if (tl_breakpoint_make(cli->session, &request, &point, &error) != TL_OK) {
		tl_screen_complain(&cli->screen, error.text);
		return false;
	}
	tl_point_note(cli, point);
	tl_point_tell(cli, point);
	*number_ret = point->number;
	return true;
}

/* The last of them and the first, for the commands that may follow. */
static void note(struct tl_cli *cli, tl_u32 number)
{
	if (cli->made_first == 0)
		cli->made_first = number;
	cli->made_last = number;
}

static enum tl_status break_at_entry(struct tl_cli *cli, const struct tl_listed *listed, struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status = TL_OK;
	tl_u32 number;

	tl_output_format(&text, "'%s':'%s'", listed->file, listed->name);
	if (make(cli, tl_output_string(&text), &number)) {
		note(cli, number);
		tl_output_reset(&text);
		status = tl_listed_write(listed, TL_LIST_FUNCTIONS, &text, error);
		if (status == TL_OK)
			tl_screen_format(&cli->screen, "%s\n", tl_output_string(&text));
	}
	tl_output_release(&text);
	return status;
}

static void break_at_symbol(struct tl_cli *cli, const struct tl_listed_symbol *symbol)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	tl_u32 number;

	tl_output_format(&text, "'%s'", symbol->name);
	if (make(cli, tl_output_string(&text), &number)) {
		note(cli, number);
		tl_screen_format(&cli->screen, "<function, no debug info> %s;\n", symbol->name);
	}
	tl_output_release(&text);
}

static enum tl_status rbreak(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			     struct tl_error *error)
{
	const char *colon = find_colon(words);
	tl_size size = colon != NULL ? (tl_size)(colon - words) : 0;
	struct tl_list_query query = {.kind = TL_LIST_FUNCTIONS, .debug_only = colon != NULL};
	struct tl_symbol_list list = {0};
	enum tl_status status;

	(void)line;
	query.pattern = colon != NULL ? colon + 1 + strspn(colon + 1, " \t") : words;
	while (size > 0 && (words[size - 1] == ' ' || words[size - 1] == '\t'))
		size--;
	status = tl_symbol_list_make(tl_session_modules(cli->session), &query, tl_session_patience(cli->session), &list,
				     error);
	tl_progress_end(cli);
	cli->made_first = cli->made_last = 0;
	for (tl_size i = 0; status == TL_OK && i < list.count && !tl_cli_cancelled(cli); i++)
		if (colon == NULL || is_file(list.entries[i].file, words, size))
			status = break_at_entry(cli, &list.entries[i], error);
	for (tl_size i = 0; status == TL_OK && i < list.symbol_count && !tl_cli_cancelled(cli); i++)
		break_at_symbol(cli, &list.symbols[i]);
	tl_symbol_list_release(&list);
	return status;
}

static enum tl_status run_rbreak(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, rbreak, error);
}

const struct tl_command tl_commands_rbreak[] = {
	{.name = "rbreak",
	 .arguments = "[FILE:]REGEX",
	 .summary = "Set a breakpoint for all functions matching REGEXP",
	 .details = "A basic regular expression, found anywhere in a name. With a file, only its functions. Commands "
		    "that\n"
		    "are typed next, without a number, are those of all the breakpoints.\n"
		    "Example: rbreak ^list_, rbreak parse.c:.",
	 .run = run_rbreak,
	 .complete = tl_complete_places},
	{.name = NULL},
};
