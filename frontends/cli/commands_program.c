/* What a program is given: its environment, its terminal. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The environment of programs ---- */

static tl_size count_strings(char *const *strings)
{
	tl_size count = 0;

	while (strings[count] != NULL)
		count++;
	return count;
}

/* Our own to begin with; a copy as soon as something is changed. */
static enum tl_status own_environment(struct tl_cli *cli, struct tl_error *error)
{
	tl_size count = count_strings(environ);

	if (cli->environment != NULL)
		return TL_OK;
	cli->environment = calloc(count + 1, sizeof(*cli->environment));
	for (tl_size i = 0; cli->environment != NULL && i < count; i++) {
		cli->environment[i] = strdup(environ[i]);
		if (cli->environment[i] == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the environment");
	}
	return cli->environment != NULL ? TL_OK : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the environment");
}

static void remove_variable(struct tl_cli *cli, const char *name, tl_size size)
{
	char **to = cli->environment;

	for (char **from = cli->environment; *from != NULL; from++) {
		if (strncmp(*from, name, size) == 0 && (*from)[size] == '=')
			free(*from);
		else
			*to++ = *from;
	}
	*to = NULL;
}

enum tl_status tl_set_environment(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	tl_size size = strcspn(words, " \t="), count;
	const char *value = words + size;
	char **grown, *text = NULL;

	if (size == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (environment variable and value).");
	value += strspn(value, " \t");
	value += *value == '=';
	value += strspn(value, " \t");
	TL_TRY(own_environment(cli, error));
	remove_variable(cli, words, size);
	count = count_strings(cli->environment);
	grown = realloc(cli->environment, (count + 2) * sizeof(*grown));
	if (grown == NULL || asprintf(&text, "%.*s=%s", (int)size, words, value) < 0) {
		cli->environment = grown != NULL ? grown : cli->environment;
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the environment");
	}
	grown[count] = text;
	grown[count + 1] = NULL;
	cli->environment = grown;
	if (*value == '\0')
		tl_screen_format(&cli->screen, "Setting environment variable \"%.*s\" to null value.\n", (int)size,
				 words);
	return TL_OK;
}

void tl_show_environment(struct tl_cli *cli, const char *words)
{
	char *const *strings = cli->environment != NULL ? cli->environment : environ;
	tl_size size = strlen(words);
	bool found = size == 0;

	for (; *strings != NULL; strings++) {
		if (size != 0 && (strncmp(*strings, words, size) != 0 || (*strings)[size] != '='))
			continue;
		found = true;
		if (size == 0)
			tl_screen_format(&cli->screen, "%s\n", *strings);
		else
			tl_screen_format(&cli->screen, "%s = %s\n", words, *strings + size + 1);
	}
	if (!found)
		tl_screen_format(&cli->screen, "Environment variable \"%s\" not defined.\n", words);
}

static enum tl_status unset_environment(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
					struct tl_error *error)
{
	(void)line;
	TL_TRY(own_environment(cli, error));
	if (words[0] != '\0') {
		remove_variable(cli, words, strlen(words));
		return TL_OK;
	}
	if (!tl_cli_query(cli, "Delete all environment variables? "))
		return TL_OK;
	for (char **at = cli->environment; *at != NULL; at++)
		free(*at);
	cli->environment[0] = NULL;
	return TL_OK;
}

static enum tl_status run_unset_environment(struct tl_cli *cli, const struct tl_command_line *line,
					    struct tl_error *error)
{
	return tl_words_with(cli, line, unset_environment, error);
}

static enum tl_status tty(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			  struct tl_error *error)
{
	const struct tl_setting *row;
	const char *rest;
	tl_size count;

	(void)line;
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "tty wants a terminal: tty /dev/pts/3");
	TL_TRY(tl_settings_find("inferior-tty", &row, &rest, &count, error));
	return tl_settings_set(cli, row, words, error);
}

static enum tl_status run_tty(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, tty, error);
}

static enum tl_status run_unset_wrapper(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line, (void)error;
	free(cli->settings.wrapper);
	cli->settings.wrapper = NULL;
	return TL_OK;
}

static enum tl_status unset_substitute(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				       struct tl_error *error)
{
	(void)line;
	if (words[0] == '\0' && !tl_cli_query(cli, "Delete all source path substitution rules? "))
		return TL_OK;
	return tl_sources_unsubstitute(cli->sources, words[0] != '\0' ? words : NULL, error);
}

static enum tl_status run_unset_substitute(struct tl_cli *cli, const struct tl_command_line *line,
					   struct tl_error *error)
{
	return tl_words_with(cli, line, unset_substitute, error);
}

static const struct tl_command unset_rows[] = {
	{.name = "exec-wrapper",
	 .summary = "Disable use of an execution wrapper",
	 .details = "Example: unset exec-wrapper",
	 .run = run_unset_wrapper},
	{.name = "substitute-path",
	 .arguments = "[FROM]",
	 .summary = "Delete one or all substitution rules rewriting the source directories",
	 .details = "Example: unset substitute-path /build/program",
	 .run = run_unset_substitute},
	{.name = "environment",
	 .shorts = "env",
	 .arguments = "[NAME]",
	 .summary = "Cancel environment variable NAME for the program",
	 .details = "Without a name: all of them.\nExample: unset environment LD_PRELOAD",
	 .run = run_unset_environment},
	{0},
};

const struct tl_command tl_commands_program[] = {
	{.name = "unset",
	 .subcommands = unset_rows,
	 .summary = "Take settings back",
	 .details = "Example: unset environment LD_PRELOAD"},
	{.name = "tty",
	 .arguments = "TERMINAL",
	 .summary = "Set terminal for future runs of program being debugged",
	 .details = "As set inferior-tty.\nExample: tty /dev/pts/3",
	 .run = run_tty,
	 .complete = tl_complete_files},
	{0},
};
