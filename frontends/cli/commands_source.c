/* Source files: list and search them, where they are; which file is the program. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/startup.h"
#include "frontends/cli/words.h"

#include "debugger/code/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- list ---- */

/* How many lines are listed: 0 is no limit. */
static tl_u32 list_size(const struct tl_cli *cli)
{
	return cli->settings.list_size != 0 ? cli->settings.list_size : TL_U32_MAX / 2;
}

/* Lists a range of the file that `list` is in, and goes on behind it. */
static enum tl_status list_range(struct tl_cli *cli, tl_u32 first, tl_u32 last, struct tl_error *error)
{
	struct tl_listing *listing = &cli->listing;
	tl_u32 shown = last;

	/* With a source window, that is where one looks. */
	if (!tl_full_screen_list(cli, listing->file, first))
		TL_TRY(tl_listing_lines(cli, listing->file, first, last, &shown, error));
	listing->first = first;
	listing->last = shown;
	listing->told = first;
	listing->next = shown + 1;
	tl_session_set_base(cli->session, listing->file, (first + shown) / 2);
	return TL_OK;
}

/* Around a line: as many before it as behind it. */
static enum tl_status list_around(struct tl_cli *cli, tl_u32 line, struct tl_error *error)
{
	tl_u32 size = list_size(cli), first = line > size / 2 ? line - size / 2 : 1;

	return list_range(cli, first, first + size - 1, error);
}

/* The lines that a place names, which the caller releases; *at goes behind it. */
static enum tl_status find_lines(struct tl_cli *cli, const char **at, struct tl_code_places *places_ret,
				 struct tl_error *error)
{
	struct tl_linespec_base base;
	const char *rest;

	TL_TRY(tl_session_base(cli->session, &base, error));
	if (cli->listing.file != NULL) {
		base.file = cli->listing.file;
		base.line = cli->listing.last;
	}
	TL_TRY(tl_linespec_line(tl_session_modules(cli->session), &base, tl_session_patience(cli->session), *at,
				places_ret, &rest, error));
	*at = rest;
	if (places_ret->count != 0 && places_ret->items[0].file != NULL)
		return TL_OK;
	tl_code_places_release(places_ret);
	return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "There is no source line for that.");
}

/* `list` is in this file now. */
static void stand(struct tl_cli *cli, const char *file, tl_u32 line)
{
	if (cli->listing.file == NULL || strcmp(cli->listing.file, file) != 0)
		tl_listing_stand(cli, file, NULL, line);
}

/* The first line that a place names; `list` is there then. */
static enum tl_status go_to(struct tl_cli *cli, const char **at, tl_u32 *line_ret, struct tl_error *error)
{
	struct tl_code_places places = {0};

	TL_TRY(find_lines(cli, at, &places, error));
	*line_ret = places.items[0].line;
	stand(cli, places.items[0].file, *line_ret);
	tl_code_places_release(&places);
	return TL_OK;
}

/* Before anything was listed: around main, as gdb does. */
static enum tl_status go_to_main(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_linespec_base base = {0};
	struct tl_code_places places = {0};
	tl_u32 line, size = list_size(cli);
	const char *rest;

	if (tl_session_program(cli->session) == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "No symbol table is loaded.  Use the \"file\" command.");
	TL_TRY(tl_linespec_find(tl_session_modules(cli->session), &base, tl_session_patience(cli->session), "main",
				false, &places, &rest, error));
	if (places.count == 0 || places.items[0].file == NULL) {
		tl_code_places_release(&places);
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL,
			       "main has no line information: name a place, as in list file.c:1");
	}
	line = places.items[0].line;
	tl_listing_stand(cli, places.items[0].file, NULL, line);
	tl_code_places_release(&places);
	line = line > size - 1 ? line - (size - 1) : 1;
	cli->listing.next = line > size / 2 ? line - size / 2 : 1;
	return TL_OK;
}

static enum tl_status list_more(struct tl_cli *cli, struct tl_error *error)
{
	tl_u32 next;

	if (cli->listing.file == NULL)
		TL_TRY(go_to_main(cli, error));
	next = cli->listing.next;
	return list_range(cli, next, next + list_size(cli) - 1, error);
}

static enum tl_status list_back(struct tl_cli *cli, struct tl_error *error)
{
	tl_u32 first = cli->listing.first, size = list_size(cli);

	if (cli->listing.file == NULL)
		return list_more(cli, error);
	if (first <= 1)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Already at the start of %s.", cli->listing.name);
	return list_range(cli, first > size ? first - size : 1, first - 1, error);
}

static enum tl_status list_to(struct tl_cli *cli, const char *at, struct tl_error *error)
{
	tl_u32 line, size = list_size(cli);

	TL_TRY(go_to(cli, &at, &line, error));
	return list_range(cli, line > size - 1 ? line - (size - 1) : 1, line, error);
}

/* Around each of the lines that a place names; of several it is said which they are. */
static enum tl_status list_each(struct tl_cli *cli, const char *at, struct tl_error *error)
{
	struct tl_code_places places = {0};
	enum tl_status status = TL_OK;

	TL_TRY(find_lines(cli, &at, &places, error));
	if (*at != '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Junk at end of line specification.");
	for (tl_size i = 0; i < places.count && status == TL_OK; i++) {
		const struct tl_code_place_found *place = &places.items[i];

		if (place->file == NULL)
			continue;
		if (places.count > 1)
			tl_screen_format(&cli->screen, "file: \"%s\", line number: %u, symbol: \"%s\"\n", place->file,
					 place->line, place->name != NULL ? place->name : "???");
		stand(cli, place->file, place->line);
		status = list_around(cli, place->line, error);
	}
	tl_code_places_release(&places);
	return status;
}

/* "A,B", "A,", ",B" and "A". */
static enum tl_status list_words(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	const char *at = words;
	tl_u32 first, last;

	if (*at == ',')
		return list_to(cli, at + 1 + strspn(at + 1, " \t"), error);
	if (strchr(at, ',') == NULL)
		return list_each(cli, at, error);
	TL_TRY(go_to(cli, &at, &first, error));
	if (*at != ',')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Junk at end of line specification.");
	at += 1 + strspn(at + 1, " \t");
	if (*at == '\0')
		return list_range(cli, first, first + list_size(cli) - 1, error);
	cli->listing.last = first;
	cli->listing.told = 0;
	TL_TRY(go_to(cli, &at, &last, error));
	if (*at != '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Junk at end of line specification.");
	if (last < first)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Second line of a range comes before the first.");
	return list_range(cli, first, last, error);
}

static enum tl_status list(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			   struct tl_error *error)
{
	(void)line;
	if (words[0] == '\0')
		return list_more(cli, error);
	if (strcmp(words, "-") == 0)
		return list_back(cli, error);
	return list_words(cli, words, error);
}

static enum tl_status run_list(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, list, error);
}

/* ---- search ---- */

static enum tl_status search(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			     struct tl_error *error)
{
	bool backwards = strcmp(line->command->name, "reverse-search") == 0;
	const struct tl_source_file *source;
	tl_u32 found, start;

	if (cli->listing.file == NULL)
		TL_TRY(go_to_main(cli, error));
	start = backwards ? cli->listing.last - (cli->listing.last > 0) : cli->listing.last + 1;
	TL_TRY(tl_sources_find(cli->sources, cli->listing.file, NULL, &source, error));
	TL_TRY(tl_source_file_search(source, words, start > 0 ? start : 1, backwards, &found, error));
	if (found == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Expression not found");
	TL_TRY(list_range(cli, found, found, error));
	return TL_OK;
}

static enum tl_status run_search(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, search, error);
}

/* ---- Where sources are ---- */

static enum tl_status directory(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	(void)line;
	if (words[0] != '\0')
		TL_TRY(tl_sources_add(cli->sources, words, error));
	else if (!tl_cli_query(cli, "Reinitialize source path to %s? ", "$cdir:$cwd"))
		return TL_OK;
	else
		TL_TRY(tl_sources_reset(cli->sources, error));
	free(cli->missing_source);
	cli->missing_source = NULL;
	tl_screen_format(&cli->screen, "Source directories searched: %s\n", tl_sources_path(cli->sources));
	return TL_OK;
}

static enum tl_status run_directory(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, directory, error);
}

void tl_show_directories(struct tl_cli *cli, const char *words)
{
	(void)words;
	tl_screen_format(&cli->screen, "Source directories searched: %s\n", tl_sources_path(cli->sources));
}

enum tl_status tl_set_substitute_path(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	struct tl_output from = tl_output_make(TL_COMMAND_LINE_MAX), to = tl_output_make(TL_COMMAND_LINE_MAX);
	const char *at = words, *end = words + strlen(words);
	enum tl_status status;

	if (!tl_script_word(&at, end, false, &from) || !tl_script_word(&at, end, false, &to))
		status = TL_FAIL(error, TL_ERROR_ARGUMENT,
				 "Incorrect usage, two arguments are wanted: set substitute-path /build /usr/src");
	else
		status = tl_sources_substitute(cli->sources, tl_output_string(&from), tl_output_string(&to), error);
	tl_output_release(&from);
	tl_output_release(&to);
	free(cli->missing_source);
	cli->missing_source = NULL;
	return status;
}

void tl_show_substitute_path(struct tl_cli *cli, const char *words)
{
	const char *from, *to;

	(void)words;
	tl_screen_text(&cli->screen, "List of all source path substitution rules:\n");
	for (tl_size i = 0; tl_sources_rule(cli->sources, i, &from, &to); i++)
		tl_screen_format(&cli->screen, "  `%s' -> `%s'.\n", from, to);
}

/* ---- file ---- */

static enum tl_status file(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			   struct tl_error *error)
{
	struct tl_output path = tl_output_make(TL_COMMAND_LINE_MAX);
	const char *at = words;
	enum tl_status status;

	(void)line;
	if (!tl_script_word(&at, words + strlen(words), false, &path)) {
		status = tl_session_set_program(cli->session, NULL, error);
		if (status == TL_OK)
			tl_screen_text(&cli->screen, "No executable file now.\nNo symbol file now.\n");
	} else {
		status = tl_startup_file(cli, tl_output_string(&path), error);
	}
	tl_output_release(&path);
	free(cli->listing.file);
	free(cli->listing.name);
	cli->listing = (struct tl_listing){0};
	return status;
}

static enum tl_status run_file(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, file, error);
}

const struct tl_command tl_commands_source[] = {
	{.name = "list",
	 .shorts = "l",
	 .flags = TL_COMMAND_REPEAT | TL_COMMAND_RESTART,
	 .arguments = "[PLACE | FIRST,LAST | -]",
	 .summary = "List specified function or line",
	 .details =
		 "Without words: more lines behind those listed last, or around where the program stands. \"list -\"\n"
		 "goes back. Of \"A,B\" one may be left out.\n"
		 "Example: list parse_line, list 10,20, list file.c:42",
	 .run = run_list,
	 .complete = tl_complete_places},
	{.name = "search",
	 .shorts = "forward-search fo",
	 .arguments = "REGEXP",
	 .summary = "Search for regular expression from last line listed",
	 .details = "Example: search return",
	 .run = run_search},
	{.name = "reverse-search",
	 .shorts = "rev",
	 .arguments = "REGEXP",
	 .summary = "Search backward for regular expression from last line listed",
	 .details = "Example: reverse-search struct list",
	 .run = run_search},
	{.name = "directory",
	 .shorts = "dir",
	 .arguments = "[FOLDERS]",
	 .summary = "Add directories to beginning of search path for source files",
	 .details = "Without words: the path is $cdir:$cwd again, the folder of the compilation and the present one.\n"
		    "Example: directory ~/src/library",
	 .run = run_directory,
	 .complete = tl_complete_files},
	{.name = "file",
	 .arguments = "[FILE]",
	 .summary = "Use FILE as program to be debugged",
	 .details =
		 "It is looked for as a shell does. Without a name: there is none any more.\nExample: file ./program",
	 .run = run_file,
	 .complete = tl_complete_files},
	{0},
};
