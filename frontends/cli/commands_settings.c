/* set and show. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/help.h"
#include "frontends/cli/history.h"
#include "frontends/cli/values.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- set ---- */

enum tl_status tl_set_variable(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	struct tl_value value;

	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (expression to compute).");
	return tl_cli_evaluate(cli, words, strlen(words), &value, error);
}

/* "name = …", "$x = …", "*p = …": what no setting looks like. */
static bool is_assignment(const char *words)
{
	const char *at = words;

	if (strchr("$*(&", *words) != NULL)
		return true;
	while (isalnum((unsigned char)*at) || *at == '_')
		at++;
	if (*at == '[' || *at == '.' || strncmp(at, "->", 2) == 0)
		return true;
	while (isspace((unsigned char)*at))
		at++;
	if (*at != '\0' && strchr("+-*/%&|^", *at) != NULL)
		at++;
	return at[0] == '=' && at[1] != '=';
}

static enum tl_status set(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	const struct tl_setting *row;
	const char *rest;
	tl_size count;

	if (words[0] == '\0')
		return tl_help(cli, "set", error);
	if (is_assignment(words))
		return tl_set_variable(cli, words, error);
	TL_TRY(tl_settings_find(words, &row, &rest, &count, error));
	if (row != NULL && (row->kind != TL_SETTING_OWN || row->set != NULL))
		return tl_settings_set(cli, row, rest, error);
	if (row != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\" can only be shown: show %s", row->name, row->name);
	if (count > 0 && *rest == '\0') {
		struct tl_output help = tl_output_make(TL_COMMAND_LINE_MAX);
		enum tl_status status;

		tl_output_format(&help, "set %s", words);
		status = tl_help(cli, tl_output_string(&help), error);
		tl_output_release(&help);
		return status;
	}
	if (count > 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Undefined set command: \"%s\".  Try \"help set\".", words);
	return tl_set_variable(cli, words, error);
}

static enum tl_status run_set(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words = strndup(line->words, line->size);
	enum tl_status status =
		words == NULL ? TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the words") : set(cli, words, error);

	free(words);
	return status;
}

/* ---- show ---- */

/* Those whose names begin with the words, each with its name in front. */
static void show_several(struct tl_cli *cli, const char *words)
{
	for (const struct tl_setting *row = tl_setting_next(NULL); row != NULL; row = tl_setting_next(row)) {
		if (!tl_settings_begins(row->name, words) || (row->kind == TL_SETTING_OWN && row->set == NULL) ||
		    (row->kind == TL_SETTING_OWN && row->show == NULL))
			continue;
		tl_screen_format(&cli->screen, "%s:  ", row->name);
		tl_settings_show(cli, row, "");
	}
}

static enum tl_status show(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	const struct tl_setting *row;
	const char *rest;
	tl_size count;

	TL_TRY(tl_settings_find(words, &row, &rest, &count, error));
	if (row != NULL && row->kind == TL_SETTING_OWN && row->show == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\" can only be set: help set %s", row->name, row->name);
	if (row != NULL && (row->kind == TL_SETTING_OWN || *rest == '\0')) {
		tl_settings_show(cli, row, rest);
		return TL_OK;
	}
	if (*rest != '\0' || (words[0] != '\0' && count == 0))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Undefined show command: \"%s\".  Try \"help show\".", words);
	show_several(cli, words);
	return TL_OK;
}

static enum tl_status run_show(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words = strndup(line->words, line->size);
	enum tl_status status =
		words == NULL ? TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the words") : show(cli, words, error);

	free(words);
	return status;
}

/* ---- Rows that can only be shown ---- */

void tl_show_commands(struct tl_cli *cli, const char *words)
{
	tl_history_show(&cli->screen, (tl_u32)strtoul(words, NULL, 10), words[0] == '+');
}

void tl_show_version(struct tl_cli *cli, const char *words)
{
	(void)words;
	tl_screen_format(&cli->screen, "Trapline %s\n", cli->version);
}

void tl_show_user(struct tl_cli *cli, const char *words)
{
	for (const struct tl_user_command *user = cli->table.users; user != NULL; user = user->next) {
		if (words[0] != '\0' && strcmp(words, user->name) != 0)
			continue;
		tl_screen_format(&cli->screen, "User command \"%s\":\n", user->name);
		for (const char *at = user->body; *at != '\0';) {
			tl_size size = strcspn(at, "\n");

			tl_screen_format(&cli->screen, "  %.*s\n", (int)size, at);
			at += size;
			at += *at == '\n';
		}
		tl_screen_text(&cli->screen, "\n");
	}
}

/* "NAME = VALUE", or why there is none. */
static void show_value(struct tl_cli *cli, const char *text)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct tl_error error;
	struct tl_value value;

	if (tl_cli_evaluate(cli, text, strlen(text), &value, &error) == TL_OK &&
	    tl_cli_print_value(cli, &value, 0, &output, &error) == TL_OK)
		tl_screen_format(&cli->screen, "%s = %s\n", text, tl_output_string(&output));
	else
		tl_screen_format(&cli->screen, "%s = <error: %s>\n", text, error.text);
	tl_output_release(&output);
}

void tl_show_convenience(struct tl_cli *cli, const char *words)
{
	const struct tl_variables *variables = tl_session_variables(cli->session);
	const char *name;
	tl_size count = 0;

	(void)words;
	while (tl_variables_name(variables, count) != NULL)
		count++;
	if (count == 0)
		tl_screen_text(&cli->screen, "No debugger convenience values now defined.\n"
					     "Convenience variables have prefix characters \"$\", as in \"$foo\".\n"
					     "They are set by assignments: set $foo = 3\n");
	while (count-- > 0 && (name = tl_variables_name(variables, count)) != NULL) {
		char text[TL_VARIABLE_NAME_MAX + 1] = "$";

		strncat(text, name, TL_VARIABLE_NAME_MAX - 1);
		show_value(cli, text);
	}
}

void tl_show_values(struct tl_cli *cli, const char *words)
{
	tl_u64 last = tl_variables_history(tl_session_variables(cli->session)), first = strtoull(words, NULL, 10);

	/* As with commands: the last ten, or ten around a number. */
	if (first == 0)
		first = last;
	first = first > 9 ? first - 9 : 1;
	for (tl_u64 i = first; i < first + 10 && i <= last; i++) {
		char text[24];

		(void)snprintf(text, sizeof(text), "$%llu", (unsigned long long)i);
		show_value(cli, text);
	}
}

const struct tl_command tl_commands_settings[] = {
	{.name = "set",
	 .arguments = "SETTING VALUE | VARIABLE = EXPRESSION",
	 .summary = "Change a setting, or give a variable a value",
	 .details = "Where a variable is called as a setting is, \"set variable\" serves.\n"
		    "Example: set print pretty on, set $i = 3, set variable width = 7",
	 .run = run_set,
	 .complete = tl_complete_settings},
	{.name = "info",
	 .shorts = "i inf",
	 .subcommands = tl_commands_data_info, /* all topics' rows take their place */
	 .summary = "Show things about the program being debugged",
	 .details = "Example: info breakpoints"},
	{.name = "show",
	 .arguments = "[SETTING]",
	 .summary = "Show a setting, or all of them",
	 .details = "Example: show print elements, show history, show commands",
	 .run = run_show,
	 .complete = tl_complete_settings},
	{0},
};
