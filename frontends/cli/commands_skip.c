/* skip: functions and files that a step passes by. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/points.h"
#include "frontends/cli/words.h"

#include "debugger/session/skips.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- Making ---- */

static void say(struct tl_cli *cli, const struct tl_skip *skip)
{
	const char *file = skip->file, *function = skip->function;

	if (function == NULL)
		tl_screen_format(&cli->screen, "File%s %s will be skipped when stepping.\n", skip->glob ? "(s)" : "",
				 file);
	else if (file == NULL)
		tl_screen_format(&cli->screen, "Function%s %s will be skipped when stepping.\n",
				 skip->regular ? "(s)" : "", function);
	else
		tl_screen_format(&cli->screen, "Function%s %s in file%s %s will be skipped when stepping.\n",
				 skip->regular ? "(s)" : "", function, skip->glob ? "(s)" : "", file);
}

static enum tl_status add(struct tl_cli *cli, const struct tl_skip *wanted, struct tl_error *error)
{
	const struct tl_skip *skip;

	TL_TRY(tl_skips_add(tl_session_skips(cli->session), wanted, &skip, error));
	say(cli, skip);
	return TL_OK;
}

/* The function or the file of the selected frame. */
static enum tl_status add_here(struct tl_cli *cli, bool file, struct tl_error *error)
{
	const struct tl_stack_frame *frame;
	struct tl_skip skip = {0};

	if (tl_session_frame(cli->session, &frame, error) != TL_OK)
		return TL_FAIL(error, TL_ERROR_STATE, "No default %s now.", file ? "file" : "function");
	if ((file ? frame->file : frame->name) == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "No %s to skip.", file ? "file" : "function");
	if (file)
		skip.file = strdup(frame->file);
	else
		skip.function = strdup(frame->name);
	if (skip.file == NULL && skip.function == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a name");
	{
		enum tl_status status = add(cli, &skip, error);

		free(skip.file);
		free(skip.function);
		return status;
	}
}

static enum tl_status skip_function(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				    struct tl_error *error)
{
	char *name = strdup(words);
	struct tl_skip skip = {.function = name};
	enum tl_status status;

	(void)line;
	if (words[0] == '\0' || name == NULL)
		status = add_here(cli, false, error);
	else
		status = add(cli, &skip, error);
	free(name);
	return status;
}

static enum tl_status skip_file(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	char *name = strdup(words);
	struct tl_skip skip = {.file = name};
	enum tl_status status;

	(void)line;
	if (words[0] == '\0' || name == NULL)
		status = add_here(cli, true, error);
	else
		status = add(cli, &skip, error);
	free(name);
	return status;
}

static enum tl_status run_function(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, skip_function, error);
}

static enum tl_status run_file(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, skip_file, error);
}

/* What the options of one command come to. */
struct options {
	char *file, *glob, *function, *regular;
};

static enum tl_status take_value(char **value, const char *option, const char **at, const char *end,
				 struct tl_error *error)
{
	struct tl_output word = tl_output_make(TL_COMMAND_LINE_MAX);
	enum tl_status status = TL_OK;

	free(*value);
	*value = NULL;
	if (!tl_script_word(at, end, false, &word))
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing value for %s option.", option);
	else if ((*value = strdup(tl_output_string(&word))) == NULL)
		status = TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a word");
	tl_output_release(&word);
	return status;
}

static enum tl_status take_option(struct options *options, const char *option, const char **at, const char *end,
				  struct tl_error *error)
{
	static const struct {
		const char *name, *short_name;
		tl_size offset;
	} known[] = {
		{"-file", "-fi", offsetof(struct options, file)},
		{"-gfile", "-gfi", offsetof(struct options, glob)},
		{"-function", "-fu", offsetof(struct options, function)},
		{"-rfunction", "-rfu", offsetof(struct options, regular)},
	};

	for (tl_size i = 0; i < TL_COUNT(known); i++)
		if (strcmp(option, known[i].name) == 0 || strcmp(option, known[i].short_name) == 0)
			return take_value((char **)(void *)((char *)options + known[i].offset), option, at, end, error);
	if (option[0] == '-')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid skip option: %s", option);
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid argument: %s", option);
}

static enum tl_status take_options(struct options *options, const char *words, struct tl_error *error)
{
	const char *at = words, *end = words + strlen(words);
	enum tl_status status = TL_OK;

	while (status == TL_OK) {
		struct tl_output word = tl_output_make(TL_COMMAND_LINE_MAX);
		bool found = tl_script_word(&at, end, false, &word);

		if (found)
			status = take_option(options, tl_output_string(&word), &at, end, error);
		tl_output_release(&word);
		if (!found)
			break;
	}
	if (status != TL_OK)
		return status;
	if (options->file != NULL && options->glob != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Cannot specify both -file and -gfile.");
	if (options->function != NULL && options->regular != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Cannot specify both -function and -rfunction.");
	return TL_OK;
}

static enum tl_status skip(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			   struct tl_error *error)
{
	struct options options = {0};
	enum tl_status status;

	/* Without an option the words are a function's name, with spaces and all. */
	if (words[0] != '-')
		return skip_function(cli, words, line, error);
	status = take_options(&options, words, error);
	if (status == TL_OK) {
		const struct tl_skip made = {
			.file = options.glob != NULL ? options.glob : options.file,
			.glob = options.glob != NULL,
			.function = options.regular != NULL ? options.regular : options.function,
			.regular = options.regular != NULL,
		};

		status = add(cli, &made, error);
	}
	free(options.file);
	free(options.glob);
	free(options.function);
	free(options.regular);
	return status;
}

static enum tl_status run_skip(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, skip, error);
}

/* ---- Changing, listing ---- */

enum change { ENABLE, DISABLE, DELETE, LIST };

/* Which numbers of a list there are. */
struct selection {
	tl_u32 number;
	bool has;
};

static enum tl_status note(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location, struct tl_error *error)
{
	struct selection *selection = context;

	(void)cli, (void)location, (void)error;
	selection->has |= number == selection->number;
	return TL_OK;
}

static void list_row(struct tl_cli *cli, const struct tl_skip *item)
{
	tl_screen_format(&cli->screen, "%-5u %-3s %4s %-20s %2s %s\n", item->number, item->enabled ? "y" : "n",
			 item->glob ? "y" : "n", item->file != NULL ? item->file : "<none>", item->regular ? "y" : "n",
			 item->function != NULL ? item->function : "<none>");
}

/* Changes or lists those that the words name; true if there are any. */
static enum tl_status each(struct tl_cli *cli, const char *words, enum change change, bool *any_ret,
			   struct tl_error *error)
{
	struct tl_skips *skips = tl_session_skips(cli->session);

	for (tl_size i = 0; i < skips->count; i++) {
		struct selection selection = {skips->items[i].number, words[0] == '\0'};

		TL_TRY(tl_numbers_each(cli, words, note, &selection, error));
		if (!selection.has)
			continue;
		if (change == LIST && !*any_ret)
			tl_screen_format(&cli->screen, "%-5s %-3s %4s %-20s %2s %s\n", "Num", "Enb", "Glob", "File",
					 "RE", "Function");
		*any_ret = true;
		if (change == LIST)
			list_row(cli, &skips->items[i]);
		else if (change == DELETE)
			tl_skips_remove(skips, i--);
		else
			skips->items[i].enabled = change == ENABLE;
	}
	return TL_OK;
}

static enum tl_status change(struct tl_cli *cli, const struct tl_command_line *line, enum change change,
			     struct tl_error *error)
{
	bool any = false;
	char *words;
	enum tl_status status;

	TL_TRY(tl_words_copy(line, &words, error));
	status = each(cli, words, change, &any, error);
	if (status == TL_OK && !any && change != LIST)
		status = words[0] != '\0'
				 ? TL_FAIL(error, TL_ERROR_ARGUMENT, "No skiplist entries found with number %s.", words)
				 : TL_FAIL(error, TL_ERROR_ARGUMENT, "No skiplist entries to %s.",
					   change == ENABLE    ? "enable"
					   : change == DISABLE ? "disable"
							       : "delete");
	else if (status == TL_OK && !any && words[0] != '\0')
		tl_screen_format(&cli->screen, "No skiplist entries found with number %s.\n", words);
	else if (status == TL_OK && !any)
		tl_screen_text(&cli->screen, "Not skipping any files or functions.\n");
	free(words);
	return status;
}

static enum tl_status run_enable(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return change(cli, line, ENABLE, error);
}

static enum tl_status run_disable(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return change(cli, line, DISABLE, error);
}

static enum tl_status run_delete(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return change(cli, line, DELETE, error);
}

static enum tl_status run_info(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return change(cli, line, LIST, error);
}

/* ---- The tables ---- */

static const struct tl_command skip_rows[] = {
	{.name = "delete",
	 .arguments = "[NUMBERS]",
	 .summary = "Delete skips",
	 .details = "Without numbers: all of them.\nExample: skip delete 2-3",
	 .run = run_delete},
	{.name = "disable",
	 .arguments = "[NUMBERS]",
	 .summary = "Disable skips: they stay, and are not minded",
	 .details = "Without numbers: all of them.\nExample: skip disable 1",
	 .run = run_disable},
	{.name = "enable",
	 .arguments = "[NUMBERS]",
	 .summary = "Enable skips",
	 .details = "Without numbers: all of them.\nExample: skip enable 1",
	 .run = run_enable},
	{.name = "file",
	 .arguments = "[FILE]",
	 .summary = "Pass by all functions of a file while stepping",
	 .details = "Without a name: the file of the selected frame.\nExample: skip file list.c",
	 .run = run_file,
	 .complete = tl_complete_places},
	{.name = "function",
	 .arguments = "[FUNCTION]",
	 .summary = "Pass by a function while stepping",
	 .details = "Without a name: that of the selected frame.\nExample: skip function list_size",
	 .run = run_function,
	 .complete = tl_complete_places},
	{.name = NULL},
};

const struct tl_command tl_commands_skip[] = {
	{.name = "skip",
	 .subcommands = skip_rows,
	 .arguments = "[FUNCTION | OPTIONS]",
	 .summary = "Pass by a function or a file while stepping",
	 .details = "`step` does not stop in it, also where it was inlined. -file NAME or -gfile PATTERN say which "
		    "files,\n"
		    "-function NAME or -rfunction REGEX which functions (-fi, -gfi, -fu, -rfu); both together: those\n"
		    "functions in those files. Without words: the function of the selected frame.\n\n"
		    "Example: skip -gfi /usr/include/c++/*/*.h",
	 .run = run_skip,
	 .complete = tl_complete_places},
	{.name = NULL},
};

const struct tl_command tl_commands_skip_info[] = {
	{.name = "skip",
	 .arguments = "[NUMBERS]",
	 .summary = "What a step passes by",
	 .details = "Example: info skip",
	 .run = run_info},
	{.name = NULL},
};
