#include "frontends/cli/inferiors.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/program_terminal.h"

#include <stdlib.h>
#include <string.h>

/* ---- What each is started with ---- */

static struct tl_cli_inferior *find(struct tl_cli *cli, tl_u32 number)
{
	for (struct tl_cli_inferior *at = cli->inferiors; at != NULL; at = at->next)
		if (at->number == number)
			return at;
	return NULL;
}

/* NULL when there is no memory. */
static struct tl_cli_inferior *get(struct tl_cli *cli, tl_u32 number)
{
	struct tl_cli_inferior *found = find(cli, number);

	if (found == NULL && (found = calloc(1, sizeof(*found))) != NULL) {
		found->number = number;
		found->next = cli->inferiors;
		cli->inferiors = found;
	}
	return found;
}

static void free_strings(char **strings)
{
	for (tl_size i = 0; strings != NULL && strings[i] != NULL; i++)
		free(strings[i]);
	free(strings);
}

static void release(struct tl_cli_inferior *inferior)
{
	tl_program_terminal_close(inferior->terminal);
	free(inferior->arguments);
	free(inferior->working_directory);
	free(inferior->inferior_tty);
	free_strings(inferior->environment);
	free(inferior);
}

/* The values of the settings go there, and those of there come here. */
static void exchange(struct tl_cli *cli, struct tl_cli_inferior *inferior)
{
	struct tl_settings *settings = &cli->settings;
	struct tl_cli_inferior kept = *inferior;

	inferior->arguments = settings->arguments;
	inferior->working_directory = settings->working_directory;
	inferior->inferior_tty = settings->inferior_tty;
	inferior->environment = cli->environment;
	inferior->terminal = cli->program_terminal;
	settings->arguments = kept.arguments;
	settings->working_directory = kept.working_directory;
	settings->inferior_tty = kept.inferior_tty;
	cli->environment = kept.environment;
	cli->program_terminal = kept.terminal;
}

static void drop_gone(struct tl_cli *cli)
{
	struct tl_cli_inferior **at = &cli->inferiors;
	struct tl_inferior_info info;

	while (*at != NULL) {
		struct tl_cli_inferior *inferior = *at;

		if (tl_session_inferior(cli->session, inferior->number, &info)) {
			at = &inferior->next;
			continue;
		}
		*at = inferior->next;
		release(inferior);
	}
}

void tl_inferiors_follow(struct tl_cli *cli)
{
	tl_u32 number = tl_session_current_inferior(cli->session);
	struct tl_cli_inferior *from, *to;

	if (number == cli->inferior)
		return;
	from = get(cli, cli->inferior);
	to = get(cli, number);
	/* Without memory the settings stay those that they are. */
	if (from == NULL || to == NULL)
		return;
	exchange(cli, from);
	exchange(cli, to);
	cli->inferior = number;
	drop_gone(cli);
}

static bool copy_text(char **to, const char *from)
{
	free(*to);
	*to = from != NULL ? strdup(from) : NULL;
	return *to != NULL || from == NULL;
}

static bool copy_strings(char ***to, char *const *from)
{
	tl_size count = 0;

	free_strings(*to);
	*to = NULL;
	if (from == NULL)
		return true;
	while (from[count] != NULL)
		count++;
	*to = calloc(count + 1, sizeof(**to));
	for (tl_size i = 0; *to != NULL && i < count; i++)
		if (((*to)[i] = strdup(from[i])) == NULL)
			return false;
	return *to != NULL;
}

enum tl_status tl_inferiors_copy_settings(struct tl_cli *cli, tl_u32 number, struct tl_error *error)
{
	struct tl_cli_inferior *to = get(cli, number);

	if (to == NULL || !copy_text(&to->arguments, cli->settings.arguments) ||
	    !copy_text(&to->working_directory, cli->settings.working_directory) ||
	    !copy_text(&to->inferior_tty, cli->settings.inferior_tty) ||
	    !copy_strings(&to->environment, cli->environment))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for what the inferior is started with");
	return TL_OK;
}

void tl_inferiors_release(struct tl_cli *cli)
{
	while (cli->inferiors != NULL) {
		struct tl_cli_inferior *inferior = cli->inferiors;

		cli->inferiors = inferior->next;
		release(inferior);
	}
}

/* ---- Terminals ---- */

struct tl_program_terminal *tl_inferiors_terminal(struct tl_cli *cli)
{
	if (cli->program_terminal != NULL)
		return cli->program_terminal;
	/* A child has that of its parent. */
	for (const struct tl_cli_inferior *at = cli->inferiors; at != NULL; at = at->next)
		if (at->terminal != NULL)
			return at->terminal;
	return NULL;
}

void tl_inferiors_drain(struct tl_cli *cli)
{
	tl_program_terminal_drain(cli->program_terminal);
	for (const struct tl_cli_inferior *at = cli->inferiors; at != NULL; at = at->next)
		tl_program_terminal_drain(at->terminal);
}

void tl_inferiors_resized(struct tl_cli *cli)
{
	tl_program_terminal_resized(cli->program_terminal);
	for (const struct tl_cli_inferior *at = cli->inferiors; at != NULL; at = at->next)
		tl_program_terminal_resized(at->terminal);
}

/* ---- Words ---- */

bool tl_inferiors_alive(const struct tl_cli *cli)
{
	struct tl_inferior_info info = {.number = 0};

	while (tl_session_next_inferior(cli->session, info.number, &info))
		if (info.process != 0)
			return true;
	return false;
}

void tl_inferior_write_process(struct tl_cli *cli, const struct tl_inferior_info *info, struct tl_output *output)
{
	(void)cli;
	if (info->process != 0)
		tl_output_format(output, "process %llu", (unsigned long long)info->process);
	else
		tl_output_text(output, "<null>");
}

void tl_inferior_write_connection(struct tl_cli *cli, const struct tl_inferior_info *info, struct tl_output *output)
{
	const char *name = cli->target->ops->name;

	if (info->connection != 0)
		tl_output_format(output, "%u (%s)", info->connection, strcmp(name, "process") == 0 ? "native" : name);
}
