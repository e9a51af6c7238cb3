/* Words around other commands: with a setting, into a program of the shell. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/overrides.h"
#include "frontends/cli/shell.h"
#include "frontends/cli/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- with ---- */

/* "SETTING VALUE", with the zero byte at its end. */
static enum tl_status set_for_now(struct tl_cli *cli, struct tl_overrides *overrides, const char *words,
				  struct tl_error *error)
{
	const struct tl_setting *row;
	const char *rest;
	tl_size count;

	TL_TRY(tl_settings_find(words, &row, &rest, &count, error));
	if (row == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Undefined set command: \"%.*s\".  Try \"help set\".",
			       (int)strcspn(words, " \t"), words);
	return tl_overrides_set(cli, overrides, row, rest, error);
}

static enum tl_status with(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			   struct tl_error *error)
{
	struct tl_overrides overrides = {.count = 0};
	const char *mark = strstr(words, "--"), *command;
	enum tl_status status;
	char *setting;
	tl_size size;

	(void)line;
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing arguments.");
	if (mark == words)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing setting before '--' delimiter");
	command = mark != NULL ? mark + 2 + strspn(mark + 2, " \t") : "";
	/* Without a command: the last one once more. */
	if (command[0] == '\0')
		command = cli->repeat != NULL ? cli->repeat : "";
	if (command[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No previous command to relaunch");
	size = mark != NULL ? (tl_size)(mark - words) : strlen(words);
	while (size > 0 && (words[size - 1] == ' ' || words[size - 1] == '\t'))
		size--;
	setting = strndup(words, size);
	if (setting == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the setting");
	status = set_for_now(cli, &overrides, setting, error);
	free(setting);
	if (status == TL_OK)
		status = tl_execute_line(cli, command, error);
	tl_overrides_undo(cli, &overrides);
	return status;
}

static enum tl_status run_with(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, with, error);
}

/* ---- pipe ---- */

/* What stands in front of the delimiter, and behind it. */
struct parts {
	const char *command, *shell;
	tl_size size; /* of the command */
};

static enum tl_status cut(const char *words, struct parts *parts_ret, struct tl_error *error)
{
	char delimiter[64] = "|";
	const char *at;

	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing COMMAND");
	if (tl_words_take(&words, "-d")) {
		tl_size size = strcspn(words, " \t");

		if (size == 0)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "-d requires an argument");
		if (size >= sizeof(delimiter))
			return TL_FAIL(error, TL_ERROR_TOO_LONG, "The delimiter is longer than %zu characters.",
				       sizeof(delimiter) - 1);
		memcpy(delimiter, words, size);
		delimiter[size] = '\0';
		words += size;
		words += strspn(words, " \t");
	}
	(void)!tl_words_take(&words, "--");
	at = strstr(words, delimiter);
	if (at == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing delimiter before SHELL_COMMAND");
	parts_ret->command = words;
	parts_ret->size = (tl_size)(at - words);
	parts_ret->shell = at + strlen(delimiter);
	parts_ret->shell += strspn(parts_ret->shell, " \t");
	if (parts_ret->shell[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing SHELL_COMMAND");
	return TL_OK;
}

/* The command, with everything that it writes going into a descriptor. */
static enum tl_status run_into(struct tl_cli *cli, const char *command, int output, struct tl_error *error)
{
	struct tl_screen *screen = &cli->screen;
	bool terminal = screen->terminal, styled = screen->styled, paging = screen->paging, raw = screen->raw;
	int descriptor = screen->descriptor;
	enum tl_status status;

	screen->descriptor = output;
	screen->terminal = screen->styled = screen->paging = screen->raw = false;
	status = tl_execute_line(cli, command, error);
	tl_screen_flush(screen);
	screen->descriptor = descriptor;
	screen->terminal = terminal;
	screen->styled = styled;
	screen->paging = paging;
	screen->raw = raw;
	return status;
}

/*
 * All that the command writes is collected before the shell begins: the loop may turn until then, and not while the
 * shell runs, whose end the target would take for that of a process of its own.
 */
static enum tl_status pipe_into(struct tl_cli *cli, const char *command, const char *shell, struct tl_error *error)
{
	int file = memfd_create("trapline-pipe", MFD_CLOEXEC);
	enum tl_status status;

	if (file < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot keep what the command writes");
	tl_screen_flush(&cli->screen);
	status = run_into(cli, command, file, error);
	if (status == TL_OK && lseek(file, 0, SEEK_SET) != 0)
		status = TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot read what the command wrote");
	if (status == TL_OK)
		status = tl_shell_run(cli, shell, file, error);
	(void)close(file);
	return status;
}

static enum tl_status run_pipe_words(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				     struct tl_error *error)
{
	struct parts parts;
	enum tl_status status;
	char *command;

	(void)line;
	TL_TRY(cut(words, &parts, error));
	command = strndup(parts.command, parts.size);
	if (command == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the command");
	if (command[strspn(command, " \t")] == '\0' && cli->repeat != NULL) {
		/* Without a command: the last one once more. */
		free(command);
		command = strdup(cli->repeat);
	}
	status = command != NULL ? pipe_into(cli, command, parts.shell, error)
				 : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the command");
	free(command);
	return status;
}

static enum tl_status run_pipe(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, run_pipe_words, error);
}

const struct tl_command tl_commands_around[] = {
	{.name = "with",
	 .shorts = "w",
	 .arguments = "SETTING [VALUE] [-- COMMAND]",
	 .summary = "Temporarily set SETTING to VALUE, run COMMAND using the setting, then restore",
	 .details = "Without a command the last one is run again.\nExample: with print pretty on -- print *list",
	 .run = run_with,
	 .complete = tl_complete_settings},
	{.name = "pipe",
	 .shorts = "|",
	 .arguments = "[-d DELIMITER] COMMAND | SHELL_COMMAND",
	 .summary = "Send the output of a command to a shell command",
	 .details =
		 "The first | ends the command; where it has one itself, another DELIMITER may. Without a command the\n"
		 "last one is run again. $_shell_exitcode and $_shell_exitsignal tell how the shell command ended.\n"
		 "Example: pipe info functions | grep list, or | backtrace | head",
	 .run = run_pipe,
	 .complete = tl_complete_commands},
	{.name = NULL},
};
