#include "frontends/cli/execute.h"
#include "frontends/cli/absent.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/inferiors.h"
#include "frontends/cli/running.h"
#include "frontends/cli/stops.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* An alias of an alias of an alias; who needs more has made a circle. */
#define ALIASES_MAX 16

/* ---- Aliases ---- */

/* Puts in what the first words of the line stand for; the alias may be of several words itself. */
static bool replace_alias(struct tl_cli *cli, const char *text, struct tl_output *line)
{
	for (const struct tl_alias *alias = cli->table.aliases; alias != NULL; alias = alias->next) {
		tl_size size = strlen(alias->name);

		if (strncmp(text, alias->name, size) != 0 ||
		    (text[size] != '\0' && !isspace((unsigned char)text[size]) && text[size] != '/'))
			continue;
		tl_output_text(line, alias->text);
		tl_output_text(line, text + size);
		return true;
	}
	return false;
}

static enum tl_status replace_aliases(struct tl_cli *cli, struct tl_output *line, struct tl_error *error)
{
	for (int i = 0; i < ALIASES_MAX; i++) {
		struct tl_output replaced = tl_output_make(TL_OUTPUT_MAX);
		const char *text = tl_output_string(line);

		while (isspace((unsigned char)*text))
			text++;
		if (!replace_alias(cli, text, &replaced)) {
			tl_output_release(&replaced);
			return TL_OK;
		}
		tl_output_release(line);
		*line = replaced;
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "The alias leads to itself.");
}

/* ---- One command ---- */

enum tl_status tl_execute_hook(struct tl_cli *cli, const char *prefix, const char *name, struct tl_error *error)
{
	struct tl_output hook = tl_output_make(256);
	const struct tl_user_command *user;
	enum tl_status status = TL_OK;
	char *body;

	/* Nearly always. */
	if (cli->table.users == NULL)
		return TL_OK;
	tl_output_text(&hook, prefix);
	tl_output_text(&hook, name);
	user = tl_table_user(&cli->table, tl_output_string(&hook));
	tl_output_release(&hook);
	body = user != NULL ? strdup(user->body) : NULL;
	if (body != NULL)
		status = tl_script_run(cli, body, strlen(body), NULL, "", error);
	free(body);
	return status;
}

static enum tl_status run_command(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	/* The row may be moved by what runs; its name is not. */
	const char *name = line->path[0]->name;
	bool hooks = line->command->run != tl_command_run_user;
	enum tl_status status;

	if (hooks)
		TL_TRY(tl_execute_hook(cli, "hook-", name, error));
	status = line->command->run(cli, line, error);
	tl_connection_settle(cli);
	TL_TRY(status);
	return hooks ? tl_execute_hook(cli, "hookpost-", name, error) : TL_OK;
}

/* What the row says that it needs. */
static enum tl_status check_state(struct tl_cli *cli, const struct tl_command *row, struct tl_error *error)
{
	if ((row->flags & TL_COMMAND_PROGRAM) != 0)
		TL_TRY(tl_running_alive(cli, error));
	if ((row->flags & TL_COMMAND_STOPPED) != 0)
		TL_TRY(tl_running_stopped(cli, error));
	return TL_OK;
}

static void remember(struct tl_cli *cli, const char *text, const struct tl_command_line *line)
{
	const struct tl_command *row = line->command;

	free(cli->repeat);
	cli->repeat = NULL;
	if (row == NULL || (row->flags & TL_COMMAND_REPEAT) == 0)
		return;
	cli->repeat =
		(row->flags & TL_COMMAND_RESTART) != 0 ? strndup(text, (tl_size)(line->words - text)) : strdup(text);
}

/* `typed`: it may be repeated by an empty line. */
static enum tl_status execute(struct tl_cli *cli, const char *text, bool typed, struct tl_error *error)
{
	struct tl_command_line line;

	while (isspace((unsigned char)*text))
		text++;
	if (*text == '#' || *text == '\0')
		return TL_OK;
	tl_inferiors_follow(cli);
	{
		enum tl_status status = tl_command_find(cli->table.rows, text, strlen(text), &line, error);
		const char *answer = status != TL_OK ? tl_absent_answer(text) : NULL;

		if (answer != NULL)
			return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "%s", answer);
		TL_TRY(status);
	}
	if (line.command == NULL)
		return TL_OK;
	if (typed)
		remember(cli, text, &line);
	if (cli->settings.trace_commands)
		tl_screen_format(&cli->screen, "+%s\n", text);
	TL_TRY(check_state(cli, line.command, error));
	return run_command(cli, &line, error);
}

static enum tl_status prepare(struct tl_cli *cli, const char *text, bool typed, struct tl_error *error)
{
	struct tl_output line = tl_output_make(TL_COMMAND_LINE_MAX);
	enum tl_status status;

	tl_script_substitute(cli, text, &line);
	status = replace_aliases(cli, &line, error);
	if (status == TL_OK)
		status = tl_output_status(&line, error);
	if (status == TL_OK)
		status = execute(cli, tl_output_string(&line), typed, error);
	tl_output_release(&line);
	return status;
}

enum tl_status tl_execute_line(struct tl_cli *cli, const char *line, struct tl_error *error)
{
	return prepare(cli, line, false, error);
}

static bool is_empty(const char *line)
{
	while (isspace((unsigned char)*line))
		line++;
	return *line == '\0';
}

bool tl_execute_typed(struct tl_cli *cli, const char *line)
{
	struct tl_error error;
	enum tl_status status;
	char *repeated = NULL;

	cli->cancelled = tl_terminal_take_interrupt(cli->terminal);
	cli->leaving = TL_SCRIPT_STAYS;
	tl_screen_begin(&cli->screen);
	if (is_empty(line)) {
		if (cli->repeat == NULL || !tl_terminal_interactive(cli->terminal))
			return true;
		line = repeated = strdup(cli->repeat);
		if (line == NULL)
			return false;
		cli->repeating = true;
	}
	cli->busy = true;
	status = prepare(cli, line, true, &error);
	if (status == TL_OK)
		status = tl_stop_commands(cli, &error);
	cli->busy = false;
	tl_progress_end(cli);
	cli->repeating = false;
	free(repeated);
	/* A function that was called and stopped inside is seen before it is said what became of the command. */
	if (status != TL_OK)
		tl_running_idle(cli);
	/* Some errors were told as they came. */
	if (status != TL_OK && error.text[0] != '\0')
		tl_screen_complain(&cli->screen, error.text);
	tl_screen_flush(&cli->screen);
	return status == TL_OK;
}
