/* Commands that need no program: leaving, help, output, the shell. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/complete.h"
#include "frontends/cli/escapes.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/help.h"
#include "frontends/cli/shell.h"
#include "frontends/cli/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The words as a string, which the caller frees. */
static char *words_of(const struct tl_command_line *line)
{
	return strndup(line->words, line->size);
}

static enum tl_status no_memory(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the words of the command");
}

/* ---- Leaving and help ---- */

static enum tl_status run_quit(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words = words_of(line);
	tl_i64 code = 0;
	enum tl_status status = words == NULL ? no_memory(error) : TL_OK;

	if (status == TL_OK && words[0] != '\0')
		status = tl_cli_number(cli, words, &code, error);
	free(words);
	TL_TRY(status);
	return tl_cli_quit(cli, (int)code, true, error);
}

static enum tl_status run_help(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words = words_of(line);
	enum tl_status status = words == NULL ? no_memory(error) : tl_help(cli, words, error);

	free(words);
	return status;
}

static enum tl_status run_apropos(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words = words_of(line);
	bool whole = words != NULL && strncmp(words, "-v ", 3) == 0;
	enum tl_status status;

	if (words == NULL)
		return no_memory(error);
	if (words[0] == '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "apropos wants a word to look for: apropos watch");
	else
		status = tl_apropos(cli, words + (whole ? 3 : 0), whole, error);
	free(words);
	return status;
}

static void print_candidate(void *context, const char *word)
{
	struct {
		struct tl_cli *cli;
		const char *line;
		tl_size start;
	} *place = context;

	tl_screen_bytes(&place->cli->screen, place->line, place->start);
	tl_screen_format(&place->cli->screen, "%s\n", word);
}

static enum tl_status run_complete(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words = words_of(line);
	struct {
		struct tl_cli *cli;
		const char *line;
		tl_size start;
	} place = {cli, words, 0};

	if (words == NULL)
		return no_memory(error);
	place.start = tl_complete_start(cli, words);
	tl_complete(cli, words, place.start, print_candidate, &place);
	free(words);
	return TL_OK;
}

/* ---- Output ---- */

static enum tl_status run_echo(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status;

	tl_escapes_undo(line->words, line->size, &text);
	status = tl_output_status(&text, error);
	if (status == TL_OK)
		tl_screen_bytes(&cli->screen, tl_output_string(&text), text.size);
	tl_output_release(&text);
	return status;
}

static enum tl_status format_words(struct tl_cli *cli, const struct tl_command_line *line, struct tl_output *text,
				   struct tl_error *error)
{
	char *words = words_of(line);
	enum tl_status status = words == NULL ? no_memory(error) : tl_session_format(cli->session, words, text, error);

	free(words);
	return status;
}

static enum tl_status run_printf(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status = format_words(cli, line, &text, error);

	if (status == TL_OK)
		tl_screen_bytes(&cli->screen, tl_output_string(&text), text.size);
	tl_output_release(&text);
	return status;
}

static enum tl_status run_eval(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status = format_words(cli, line, &text, error);

	if (status == TL_OK)
		status = tl_execute_line(cli, tl_output_string(&text), error);
	tl_output_release(&text);
	return status;
}

/* ---- The system ---- */

static enum tl_status run_shell(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words = words_of(line);
	enum tl_status status = words == NULL ? no_memory(error) : tl_shell_run(cli, words, -1, error);

	free(words);
	return status;
}

static enum tl_status run_make(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_COMMAND_LINE_MAX);
	enum tl_status status;

	tl_output_text(&text, "make ");
	tl_output_bytes(&text, line->words, line->size);
	status = tl_output_status(&text, error);
	if (status == TL_OK)
		status = tl_shell_run(cli, tl_output_string(&text), -1, error);
	tl_output_release(&text);
	return status;
}

static enum tl_status run_pwd(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *path = getcwd(NULL, 0);

	(void)line;
	if (path == NULL)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "Error finding name of working directory");
	tl_screen_format(&cli->screen, "Working directory %s.\n", path);
	free(path);
	return TL_OK;
}

static enum tl_status run_cd(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output path = tl_output_make(TL_COMMAND_LINE_MAX);
	const char *home = getenv("HOME"), *words = line->words;
	tl_size size = line->size;
	enum tl_status status = TL_OK;

	if (size == 0 || (words[0] == '~' && (size == 1 || words[1] == '/'))) {
		tl_output_text(&path, home != NULL ? home : "/");
		words += size > 0;
		size -= size > 0;
	}
	tl_output_bytes(&path, words, size);
	if (chdir(tl_output_string(&path)) != 0)
		status = TL_FAIL(error, TL_ERROR_SYSTEM, "%s: %s.", tl_output_string(&path), strerror(errno));
	tl_output_release(&path);
	return status == TL_OK ? run_pwd(cli, line, error) : status;
}

const struct tl_command tl_commands_shell[] = {
	{.name = "quit",
	 .shorts = "q exit",
	 .arguments = "[EXPRESSION]",
	 .summary = "Leave Trapline",
	 .details =
		 "The value of the expression, 0 without one, is the exit status. A program that was started here is\n"
		 "killed, one that was attached to runs on; this is asked first.\n"
		 "Example: quit 3",
	 .run = run_quit},
	{.name = "help",
	 .shorts = "h",
	 .arguments = "[COMMAND | CLASS | all]",
	 .summary = "Tell what commands do",
	 .details = "Without words: the classes of commands.\n"
		    "Example: help break, help info threads, help set print pretty",
	 .run = run_help,
	 .complete = tl_complete_commands},
	{.name = "apropos",
	 .arguments = "[-v] REGEXP",
	 .summary = "List commands and settings whose names or help match a regular expression",
	 .details = "-v shows all of their help.\nExample: apropos thread",
	 .run = run_apropos},
	{.name = "complete",
	 .arguments = "TEXT",
	 .summary = "List the lines that TAB would make of a text",
	 .details = "Example: complete info th",
	 .run = run_complete,
	 .complete = tl_complete_commands},
	{.name = "echo",
	 .arguments = "TEXT",
	 .summary = "Print a text",
	 .details =
		 "Escapes of C are understood: \\n is a newline, which is not added by itself. A backslash at the end\n"
		 "keeps spaces in front of it.\n"
		 "Example: echo --- here ---\\n",
	 .run = run_echo},
	{.name = "printf",
	 .arguments = "\"FORMAT\", EXPRESSION, ...",
	 .summary = "Print values in a format, as printf of C does",
	 .details = "%s takes a string of the program, or one between quotes.\n"
		    "Example: printf \"%d of %s\\n\", count, name",
	 .run = run_printf},
	{.name = "eval",
	 .arguments = "\"FORMAT\", EXPRESSION, ...",
	 .summary = "Carry out a command that is put together as printf does",
	 .details = "Example: eval \"break %d\", $line + 1",
	 .run = run_eval},
	{.name = "shell",
	 .shorts = "!",
	 .arguments = "[COMMAND]",
	 .summary = "Carry out a command of the shell, or start a shell",
	 .details = "$_shell_exitcode and $_shell_exitsignal tell how it ended.\n"
		    "Example: shell ls -l, or !ls -l",
	 .run = run_shell,
	 .complete = tl_complete_files},
	{.name = "make",
	 .arguments = "[WORDS]",
	 .summary = "Run make",
	 .details = "Example: make -j4 program",
	 .run = run_make,
	 .complete = tl_complete_files},
	{.name = "pwd", .summary = "Print the working directory", .details = "Example: pwd", .run = run_pwd},
	{.name = "cd",
	 .arguments = "[DIRECTORY]",
	 .summary = "Change the working directory, of Trapline and of programs that it starts",
	 .details = "Without a directory: your home.\nExample: cd ~/src",
	 .run = run_cd,
	 .complete = tl_complete_files},
	{0},
};
