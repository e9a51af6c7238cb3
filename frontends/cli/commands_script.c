/* Commands of commands: definitions, conditions, loops, files. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/values.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum tl_status no_memory(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the words of the command");
}

/* What names of commands are made of. */
static bool is_name(const char *name, tl_size size)
{
	for (tl_size i = 0; i < size; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("-_.", name[i]) == NULL)
			return false;
	return size > 0 && size < 64;
}

static const struct tl_command *find_row(const struct tl_cli *cli, const char *name)
{
	for (const struct tl_command *row = cli->table.rows; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

/* ---- define and document ---- */

static enum tl_status name_of(const struct tl_command_line *line, char **name_ret, struct tl_error *error)
{
	if (line->size == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (name of command to define).");
	if (!is_name(line->words, line->size))
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "Junk in argument list: \"%.*s\". A name is of letters, digits, -, _ and .",
			       line->size > 60 ? 60 : (int)line->size, line->words);
	*name_ret = strndup(line->words, line->size);
	return *name_ret != NULL ? TL_OK : no_memory(error);
}

static enum tl_status define(struct tl_cli *cli, const char *name, struct tl_error *error)
{
	struct tl_output body = tl_output_make(TL_SCRIPT_MAX);
	char title[128], *text;
	enum tl_status status;

	if (tl_table_user(&cli->table, name) != NULL) {
		if (!tl_cli_query(cli, "Redefine command \"%s\"? ", name))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "Command \"%s\" not redefined.", name);
	} else if (find_row(cli, name) != NULL) {
		if (!tl_cli_query(cli, "Really redefine built-in command \"%s\"? ", name))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "Command \"%s\" not redefined.", name);
	}
	(void)snprintf(title, sizeof(title), "Type commands for definition of \"%s\".", name);
	status = tl_script_body(cli, title, false, &body, error);
	text = status == TL_OK ? strdup(tl_output_string(&body)) : NULL;
	tl_output_release(&body);
	TL_TRY(status);
	if (text == NULL)
		return no_memory(error);
	return tl_table_define(&cli->table, name, text, error);
}

static enum tl_status run_define(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *name;
	enum tl_status status;

	TL_TRY(name_of(line, &name, error));
	status = define(cli, name, error);
	free(name);
	return status;
}

static enum tl_status document(struct tl_cli *cli, const char *name, struct tl_error *error)
{
	struct tl_output body = tl_output_make(TL_SCRIPT_MAX);
	struct tl_user_command *user = tl_table_user(&cli->table, name);
	char title[128];
	enum tl_status status;

	if (user == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "You can only document user-defined commands.");
	(void)snprintf(title, sizeof(title), "Type documentation for \"%s\".", name);
	status = tl_script_body(cli, title, true, &body, error);
	if (status == TL_OK) {
		char *help = strndup(tl_output_string(&body), body.size > 0 ? body.size - 1 : 0);

		if (help != NULL) {
			free(user->help);
			user->help = help;
		}
	}
	tl_output_release(&body);
	return status;
}

static enum tl_status run_document(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *name;
	enum tl_status status;

	TL_TRY(name_of(line, &name, error));
	status = document(cli, name, error);
	free(name);
	return status;
}

enum tl_status tl_command_run_user(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	const struct tl_user_command *user = tl_table_user(&cli->table, line->command->name);
	char *words = strndup(line->words, line->size);
	/* It may be defined anew while it runs. */
	char *body = user != NULL ? strdup(user->body) : NULL;
	enum tl_status status = words == NULL || body == NULL
					? no_memory(error)
					: tl_script_run(cli, body, strlen(body), NULL, words, error);

	free(words);
	free(body);
	return status;
}

/* ---- alias ---- */

/* "[-a] [--] NAME = COMMAND", taken apart in place. */
static enum tl_status read_alias(char *words, bool *abbreviation_ret, char **name_ret, char **text_ret,
				 struct tl_error *error)
{
	char *equals = strchr(words, '='), *end;

	*abbreviation_ret = strncmp(words, "-a ", 3) == 0;
	if (*abbreviation_ret)
		words += 3;
	words += strspn(words, " \t");
	if (strncmp(words, "-- ", 3) == 0)
		words += 3;
	if (equals == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Usage: alias [-a] [--] ALIAS = COMMAND [DEFAULT-ARGS...]");
	words += strspn(words, " \t");
	for (end = equals; end > words && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	*name_ret = words;
	*text_ret = equals + 1 + strspn(equals + 1, " \t");
	return TL_OK;
}

/* An alias may be of several words, of which the first ones are those of a command. */
static bool are_names(const char *name)
{
	while (*name != '\0') {
		tl_size size = strcspn(name, " ");

		if (!is_name(name, size))
			return false;
		name += size;
		name += strspn(name, " ");
	}
	return true;
}

static enum tl_status alias(struct tl_cli *cli, char *words, struct tl_error *error)
{
	struct tl_command_line found;
	bool abbreviation;
	char *name, *text;

	TL_TRY(read_alias(words, &abbreviation, &name, &text, error));
	if (name[0] == '\0' || !are_names(name))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid command name: %s", name);
	if (find_row(cli, name) != NULL || tl_table_find_alias(&cli->table, name, strlen(name)) != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Alias already exists: %s", name);
	if (text[0] == '\0' || tl_command_find(cli->table.rows, text, strlen(text), &found, error) != TL_OK)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid command to alias to: %s", text);
	return tl_table_alias(&cli->table, name, text, abbreviation, error);
}

static enum tl_status run_alias(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words = strndup(line->words, line->size);
	enum tl_status status = words == NULL ? no_memory(error) : alias(cli, words, error);

	free(words);
	return status;
}

/* ---- Conditions and loops ---- */

static enum tl_status run_if(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output body = tl_output_make(TL_SCRIPT_MAX);
	char *condition = strndup(line->words, line->size);
	bool truth = false;
	enum tl_status status = condition == NULL ? no_memory(error) : tl_script_body(cli, NULL, false, &body, error);

	if (status == TL_OK && condition[0] == '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "if/while commands require arguments.");
	if (status == TL_OK)
		status = tl_cli_truth(cli, condition, &truth, error);
	if (status == TL_OK) {
		const char *text = tl_output_string(&body);
		tl_size size = body.size, first = size, after = size;

		(void)tl_script_else(text, size, &first, &after);
		status = truth ? tl_script_run(cli, text, first, NULL, NULL, error)
			       : tl_script_run(cli, text + after, size - after, NULL, NULL, error);
	}
	tl_output_release(&body);
	free(condition);
	return status;
}

static enum tl_status loop(struct tl_cli *cli, const char *condition, const struct tl_output *body,
			   struct tl_error *error)
{
	for (;;) {
		bool truth;

		if (tl_cli_cancelled(cli))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
		TL_TRY(tl_cli_truth(cli, condition, &truth, error));
		if (!truth || cli->quit)
			return TL_OK;
		TL_TRY(tl_script_run(cli, tl_output_string(body), body->size, NULL, NULL, error));
		if (cli->leaving == TL_SCRIPT_BREAKS) {
			cli->leaving = TL_SCRIPT_STAYS;
			return TL_OK;
		}
		cli->leaving = TL_SCRIPT_STAYS;
	}
}

static enum tl_status run_while(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output body = tl_output_make(TL_SCRIPT_MAX);
	char *condition = strndup(line->words, line->size);
	enum tl_status status = condition == NULL ? no_memory(error) : tl_script_body(cli, NULL, false, &body, error);

	if (status == TL_OK && condition[0] == '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "if/while commands require arguments.");
	if (status == TL_OK)
		status = loop(cli, condition, &body, error);
	tl_output_release(&body);
	free(condition);
	return status;
}

static enum tl_status run_loop_break(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line, (void)error;
	cli->leaving = TL_SCRIPT_BREAKS;
	return TL_OK;
}

static enum tl_status run_loop_continue(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line, (void)error;
	cli->leaving = TL_SCRIPT_CONTINUES;
	return TL_OK;
}

static enum tl_status run_end(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)cli, (void)line;
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "This command cannot be used at the top level.");
}

/* ---- Files ---- */

static enum tl_status source(struct tl_cli *cli, char *words, struct tl_error *error)
{
	bool verbose = strncmp(words, "-v ", 3) == 0, before = cli->settings.trace_commands;
	const char *home = getenv("HOME");
	struct tl_output path = tl_output_make(TL_COMMAND_LINE_MAX);
	enum tl_status status;

	words += verbose ? 3 : 0;
	words += strspn(words, " \t");
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "source command requires file name of file to source.");
	if (words[0] == '~' && words[1] == '/' && home != NULL) {
		tl_output_text(&path, home);
		words++;
	}
	tl_output_text(&path, words);
	cli->settings.trace_commands |= verbose;
	status = tl_script_file(cli, tl_output_string(&path), error);
	if (verbose)
		cli->settings.trace_commands = before;
	tl_output_release(&path);
	return status;
}

static enum tl_status run_source(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words = strndup(line->words, line->size);
	enum tl_status status = words == NULL ? no_memory(error) : source(cli, words, error);

	free(words);
	return status;
}

static enum tl_status run_dont_repeat(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line, (void)error;
	free(cli->repeat);
	cli->repeat = NULL;
	return TL_OK;
}

const struct tl_command tl_commands_script[] = {
	{.name = "define",
	 .arguments = "NAME",
	 .summary = "Define a command of your own",
	 .details =
		 "Lines follow, one command each, up to one that is just \"end\". $argc is the number of words behind\n"
		 "the command when it is used, $arg0, $arg1 ... are the words, $* all of them. A command hook-NAME is\n"
		 "carried out before NAME each time, hookpost-NAME after it.\n"
		 "Example:\n  define both\n    print $arg0\n    print $arg1\n  end\n  both i j",
	 .run = run_define},
	{.name = "document",
	 .arguments = "NAME",
	 .summary = "Write the help of a command that you defined",
	 .details = "Lines of text follow, up to one that is just \"end\".\n"
		    "Example:\n  document both\n    Print two values.\n  end",
	 .run = run_document,
	 .complete = tl_complete_commands},
	{.name = "alias",
	 .arguments = "[-a] [--] NAME = COMMAND [WORDS]",
	 .summary = "Give a command another name, with words put behind it",
	 .details = "-a keeps it out of lists of commands.\nExample: alias bta = thread apply all backtrace",
	 .run = run_alias,
	 .complete = tl_complete_commands},
	{.name = "if",
	 .arguments = "EXPRESSION",
	 .summary = "Carry out the commands that follow if an expression is true (not zero)",
	 .details = "Lines follow, up to \"end\"; behind a line \"else\" stands what is to be done otherwise.\n"
		    "Example:\n  if $x > 2\n    print $x\n  else\n    echo small\\n\n  end",
	 .run = run_if},
	{.name = "while",
	 .arguments = "EXPRESSION",
	 .summary = "Carry out the commands that follow as long as an expression is true",
	 .details = "Lines follow, up to \"end\". loop_break and loop_continue leave the loop, and go on with its next "
		    "turn.\n"
		    "Example:\n  set $i = 0\n  while $i < 3\n    print $i++\n  end",
	 .run = run_while},
	{.name = "loop_break",
	 .summary = "Leave the while around it",
	 .details = "Example: loop_break",
	 .run = run_loop_break},
	{.name = "loop_continue",
	 .summary = "Go on with the next turn of the while around it",
	 .details = "Example: loop_continue",
	 .run = run_loop_continue},
	{.name = "end",
	 .summary = "End the lines of a define, document, if, while or commands",
	 .details = "Example: see help define",
	 .run = run_end},
	{.name = "source",
	 .arguments = "[-v] FILE",
	 .summary = "Carry out the commands of a file",
	 .details = "It ends at the first error. -v shows each command first.\nExample: source ~/points.txt",
	 .run = run_source,
	 .complete = tl_complete_files},
	{.name = "dont-repeat",
	 .summary = "In a definition: an empty line shall not carry out the command again",
	 .details = "Example: dont-repeat",
	 .run = run_dont_repeat},
	{0},
};
