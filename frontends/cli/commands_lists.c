/* Lists of everything of a kind: info functions, variables, types. */
#include "frontends/cli/addresses.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/words.h"

#include "debugger/modules/symbol_list.h"
#include "symbols/demangle.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	bool quiet, debug_only;
	char *type; /* NULL: none; allocated */
};

/* The word behind -t, which may stand in quotes. */
static enum tl_status take_type(const char **at, struct options *options, struct tl_error *error)
{
	struct tl_output word = tl_output_make(TL_COMMAND_LINE_MAX);
	enum tl_status status = TL_OK;

	free(options->type);
	options->type = NULL;
	if (tl_script_word(at, *at + strlen(*at), false, &word))
		options->type = strdup(tl_output_string(&word));
	else
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "-t requires an argument");
	tl_output_release(&word);
	if (status == TL_OK && options->type == NULL)
		status = TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a word");
	*at += strspn(*at, " \t");
	return status;
}

/* -q, -n and -t TYPE, in any order, "--" behind them; *at then is the pattern. */
static enum tl_status take_options(const char **at, enum tl_list_kind kind, struct options *options_ret,
				   struct tl_error *error)
{
	for (;;) {
		if (tl_words_take(at, "--"))
			return TL_OK;
		if (tl_words_take(at, "-q"))
			options_ret->quiet = true;
		else if (kind != TL_LIST_TYPES && tl_words_take(at, "-n"))
			options_ret->debug_only = true;
		else if (kind != TL_LIST_TYPES && tl_words_take(at, "-t"))
			TL_TRY(take_type(at, options_ret, error));
		else
			return TL_OK;
	}
}

static void show_title(struct tl_cli *cli, const struct tl_list_query *query)
{
	static const char *const names[] = {"function", "variable", "type"};
	struct tl_screen *screen = &cli->screen;

	if (query->pattern != NULL)
		tl_screen_format(screen, "All %ss matching regular expression \"%s\"", names[query->kind],
				 query->pattern);
	else
		tl_screen_format(screen, "All defined %ss", names[query->kind]);
	if (query->type_pattern != NULL)
		tl_screen_format(screen, " with type matching regular expression \"%s\"%s", query->type_pattern,
				 query->pattern != NULL ? "" : " ");
	tl_screen_text(screen, ":\n");
}

static enum tl_status show_entries(struct tl_cli *cli, const struct tl_symbol_list *list, enum tl_list_kind kind,
				   struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	const char *file = NULL;

	for (tl_size i = 0; i < list->count && !tl_cli_cancelled(cli) && !cli->screen.cut; i++) {
		const struct tl_listed *listed = &list->entries[i];

		if (file == NULL || strcmp(listed->file, file) != 0) {
			tl_screen_text(&cli->screen, "\nFile ");
			tl_screen_styled(&cli->screen, TL_STYLE_FILENAME, listed->file);
			tl_screen_text(&cli->screen, ":\n");
		}
		file = listed->file;
		if (listed->line != 0)
			tl_screen_format(&cli->screen, "%u:", listed->line);
		tl_output_reset(&text);
		/* What is damaged has its name still. */
		if (tl_listed_write(listed, kind, &text, error) != TL_OK)
			tl_output_text(&text, listed->name);
		tl_screen_format(&cli->screen, "\t%s\n", tl_output_string(&text));
	}
	tl_output_release(&text);
	return tl_cli_cancelled(cli) ? TL_FAIL(error, TL_ERROR_CANCELLED, "Quit") : TL_OK;
}

static void show_symbols(struct tl_cli *cli, const struct tl_symbol_list *list, enum tl_list_kind kind, bool quiet)
{
	const int digits = tl_address_digits(cli);

	if (list->symbol_count != 0 && !quiet)
		tl_screen_text(&cli->screen, "\nNon-debugging symbols:\n");
	for (tl_size i = 0; i < list->symbol_count && !tl_cli_cancelled(cli) && !cli->screen.cut; i++) {
		tl_screen_format(&cli->screen, "%s0x%0*llx%s  ", tl_screen_style(&cli->screen, TL_STYLE_ADDRESS),
				 digits, (unsigned long long)list->symbols[i].address,
				 tl_screen_style(&cli->screen, TL_STYLE_PLAIN));
		tl_screen_styled(&cli->screen, kind == TL_LIST_FUNCTIONS ? TL_STYLE_FUNCTION : TL_STYLE_PLAIN,
				 list->symbols[i].name);
		tl_screen_text(&cli->screen, "\n");
	}
}

static enum tl_status list_all(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			       struct tl_error *error)
{
	struct tl_list_query query = {.kind = line->command->name[0] == 'f'   ? TL_LIST_FUNCTIONS
					      : line->command->name[0] == 'v' ? TL_LIST_VARIABLES
									      : TL_LIST_TYPES};
	struct options options = {0};
	struct tl_symbol_list list = {0};
	enum tl_status status = take_options(&words, query.kind, &options, error);

	query.pattern = words[0] != '\0' ? words : NULL;
	query.type_pattern = options.type;
	query.debug_only = options.debug_only;
	if (status == TL_OK)
		status = tl_symbol_list_make(tl_session_modules(cli->session), &query,
					     tl_session_patience(cli->session), &list, error);
	tl_progress_end(cli);
	if (status == TL_OK && !options.quiet)
		show_title(cli, &query);
	if (status == TL_OK)
		status = show_entries(cli, &list, query.kind, error);
	if (status == TL_OK)
		show_symbols(cli, &list, query.kind, options.quiet);
	tl_symbol_list_release(&list);
	free(options.type);
	return status;
}

static enum tl_status run_list_all(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, list_all, error);
}

/* ---- demangle ---- */

static enum tl_status demangle(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			       struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_DEMANGLE_TEXT_MAX);
	enum tl_status status = TL_OK;

	(void)line;
	(void)!tl_words_take(&words, "--");
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Usage: demangle [-l LANGUAGE] [--] NAME");
	if (tl_words_take(&words, "-l")) {
		if (!tl_words_take(&words, "c++") && !tl_words_take(&words, "gnu-v3"))
			return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
				       "Unknown language: only c++ has mangled names here.");
		(void)!tl_words_take(&words, "--");
	}
	if (tl_demangle(words, TL_DEMANGLE_WHOLE, &text, NULL) == TL_OK)
		tl_screen_format(&cli->screen, "%s\n", tl_output_string(&text));
	else
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Can't demangle \"%s\"", words);
	tl_output_release(&text);
	return status;
}

static enum tl_status run_demangle(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, demangle, error);
}

const struct tl_command tl_commands_lists[] = {
	{.name = "demangle",
	 .shorts = "dem",
	 .arguments = "[-l LANGUAGE] [--] NAME",
	 .summary = "Demangle a mangled name",
	 .details = "Example: demangle _ZN4list3addEi",
	 .run = run_demangle},
	{.name = NULL},
};

#define LIST_OPTIONS                                                                                                   \
	"REGEX is found anywhere in a name; without one, all are listed. -q: no headings; -n: nothing of which "       \
	"debug\n"                                                                                                      \
	"information knows nothing; -t TYPE: those whose type's name has this pattern.\n"

const struct tl_command tl_commands_lists_info[] = {
	{.name = "functions",
	 .shorts = "fun func",
	 .arguments = "[-q] [-n] [-t TYPE] [REGEX]",
	 .summary = "All function names or those matching REGEX",
	 .details = LIST_OPTIONS "Example: info functions ^tree_, info functions -n -t void list",
	 .run = run_list_all,
	 .complete = tl_complete_expressions},
	{.name = "types",
	 .shorts = "ty",
	 .arguments = "[-q] [REGEX]",
	 .summary = "All type names or those matching REGEX",
	 .details = "REGEX is found anywhere in a name. -q: no heading.\nExample: info types node",
	 .run = run_list_all,
	 .complete = tl_complete_expressions},
	{.name = "variables",
	 .shorts = "va var",
	 .arguments = "[-q] [-n] [-t TYPE] [REGEX]",
	 .summary = "All global and static variable names or those matching REGEX",
	 .details = LIST_OPTIONS "Example: info variables count$, info variables -t int",
	 .run = run_list_all,
	 .complete = tl_complete_expressions},
	{.name = NULL},
};
