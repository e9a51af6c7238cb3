#include "frontends/cli/help.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* "info threads", for rows of tables in tables. */
#define PATH_MAX_BYTES 128

/* ---- Parts ---- */

/* "step, s": the name and its short forms. */
static void write_names(struct tl_cli *cli, const char *path, const struct tl_command *row)
{
	struct tl_screen *screen = &cli->screen;
	const char *at = row->shorts;

	tl_screen_text(screen, tl_screen_style(screen, TL_STYLE_TITLE));
	tl_screen_format(screen, "%s%s", path, row->name);
	while (at != NULL && *at != '\0') {
		tl_size size = strcspn(at, " ");

		tl_screen_format(screen, ", %s%.*s", path, (int)size, at);
		at += size;
		at += strspn(at, " ");
	}
	for (const struct tl_alias *alias = cli->table.aliases; alias != NULL; alias = alias->next)
		if (path[0] == '\0' && strcmp(alias->text, row->name) == 0)
			tl_screen_format(screen, ", %s", alias->name);
	tl_screen_text(screen, tl_screen_style(screen, TL_STYLE_PLAIN));
}

static void write_line(struct tl_cli *cli, const char *path, const struct tl_command *row)
{
	write_names(cli, path, row);
	tl_screen_format(&cli->screen, " -- %s.\n", row->summary);
}

static int by_name(const void *left, const void *right)
{
	const struct tl_command *const *a = left, *const *b = right;

	return strcmp((*a)->name, (*b)->name);
}

/* The rows of a table in the order of the alphabet, a line each; with what is behind them where `deep`. */
static void write_table(struct tl_cli *cli, const char *path, const struct tl_command *rows, bool deep)
{
	const struct tl_command **order;
	tl_size count = 0;

	while (rows != NULL && rows[count].name != NULL)
		count++;
	order = count > 0 ? calloc(count, sizeof(*order)) : NULL;
	if (order == NULL)
		return;
	for (tl_size i = 0; i < count; i++)
		order[i] = &rows[i];
	qsort((void *)order, count, sizeof(*order), by_name);
	for (tl_size i = 0; i < count; i++) {
		write_line(cli, path, order[i]);
		if (deep && order[i]->subcommands != NULL &&
		    strlen(path) + strlen(order[i]->name) + 2 < PATH_MAX_BYTES) {
			char inner[PATH_MAX_BYTES];

			strcpy(inner, path);
			strcat(inner, order[i]->name);
			strcat(inner, " ");
			write_table(cli, inner, order[i]->subcommands == NULL ? NULL : order[i]->subcommands, true);
		}
	}
	free((void *)order);
}

static void write_hint(struct tl_cli *cli, const char *what)
{
	tl_screen_format(&cli->screen,
			 "\nType \"help\" followed by %s for full documentation.\n"
			 "Type \"apropos word\" to search for commands related to \"word\".\n"
			 "Command name abbreviations are allowed if unambiguous.\n",
			 what);
}

static void write_setting(struct tl_cli *cli, const struct tl_setting *row, const char *verb)
{
	struct tl_screen *screen = &cli->screen;

	tl_screen_format(screen, "%s %s.\n", strcmp(verb, "show") == 0 ? "Show" : "Set", row->summary);
	if (row->details != NULL)
		tl_screen_format(screen, "%s\n", row->details);
	if (row->kind == TL_SETTING_CHOICE) {
		tl_screen_text(screen, "Values:");
		for (tl_size i = 0; row->choices[i] != NULL; i++)
			tl_screen_format(screen, " %s", row->choices[i]);
		tl_screen_text(screen, "\n");
	}
}

/* The settings whose names begin with some words; how many there were. */
static tl_size write_settings(struct tl_cli *cli, const char *verb, const char *words)
{
	tl_size count = 0;

	for (const struct tl_setting *row = tl_setting_next(NULL); row != NULL; row = tl_setting_next(row)) {
		if (!tl_settings_begins(row->name, words) ||
		    (row->kind == TL_SETTING_OWN && (strcmp(verb, "show") == 0 ? row->show == NULL : row->set == NULL)))
			continue;
		tl_screen_text(&cli->screen, tl_screen_style(&cli->screen, TL_STYLE_TITLE));
		tl_screen_format(&cli->screen, "%s %s", verb, row->name);
		tl_screen_text(&cli->screen, tl_screen_style(&cli->screen, TL_STYLE_PLAIN));
		tl_screen_format(&cli->screen, " -- %s %s.\n", strcmp(verb, "show") == 0 ? "Show" : "Set",
				 row->summary);
		count++;
	}
	return count;
}

/* ---- help ---- */

static void help_classes(struct tl_cli *cli)
{
	struct tl_screen *screen = &cli->screen;

	tl_screen_text(screen, "List of classes of commands:\n\n");
	for (const struct tl_command_topic *topic = tl_command_topics; topic->name != NULL; topic++) {
		tl_screen_styled(screen, TL_STYLE_TITLE, topic->name);
		tl_screen_format(screen, " -- %s.\n", topic->summary);
	}
	tl_screen_styled(screen, TL_STYLE_TITLE, "aliases");
	tl_screen_text(screen, " -- User-defined aliases of other commands.\n");
	tl_screen_styled(screen, TL_STYLE_TITLE, "user-defined");
	tl_screen_text(screen, " -- User-defined commands.\n\n"
			       "Type \"help\" followed by a class name for a list of commands in that class.\n"
			       "Type \"help all\" for the list of all commands.\n"
			       "Type \"help\" followed by command name for full documentation.\n"
			       "Type \"apropos word\" to search for commands related to \"word\".\n"
			       "Command name abbreviations are allowed if unambiguous.\n");
}

static void help_users(struct tl_cli *cli)
{
	for (const struct tl_user_command *user = cli->table.users; user != NULL; user = user->next) {
		const char *help = user->help != NULL ? user->help : "User-defined.";

		tl_screen_format(&cli->screen, "%s -- %.*s\n", user->name, (int)strcspn(help, "\n"), help);
	}
}

static void help_aliases(struct tl_cli *cli)
{
	for (const struct tl_alias *alias = cli->table.aliases; alias != NULL; alias = alias->next)
		if (!alias->abbreviation)
			tl_screen_format(&cli->screen, "%s = %s\n", alias->name, alias->text);
}

static bool help_class(struct tl_cli *cli, const char *words)
{
	const struct tl_command_topic *topic = tl_command_topics;
	bool users = strcmp(words, "user-defined") == 0, aliases = strcmp(words, "aliases") == 0;

	while (topic->name != NULL && strcmp(topic->name, words) != 0)
		topic++;
	if (topic->name == NULL && !users && !aliases)
		return false;
	tl_screen_format(&cli->screen, "%s.\n\nList of commands:\n\n",
			 users     ? "User-defined commands"
			 : aliases ? "User-defined aliases of other commands"
				   : topic->summary);
	if (topic->name != NULL) {
		write_table(cli, "", topic->rows, false);
		write_table(cli, "info ", topic->info, false);
	} else if (users) {
		help_users(cli);
	} else {
		help_aliases(cli);
	}
	write_hint(cli, "command name");
	return true;
}

static void help_all(struct tl_cli *cli)
{
	for (const struct tl_command_topic *topic = tl_command_topics; topic->name != NULL; topic++) {
		tl_screen_format(&cli->screen, "\nCommand class: %s\n\n", topic->name);
		write_table(cli, "", topic->rows, true);
		write_table(cli, "info ", topic->info, true);
	}
	tl_screen_text(&cli->screen, "\nSettings\n\n");
	(void)write_settings(cli, "set", "");
	help_users(cli);
}

/* Behind "set" and "show": the settings. */
static enum tl_status help_setting(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	const char *verb = line->command->name, *rest;
	const struct tl_setting *row;
	tl_size count;
	char *words = strndup(line->words, line->size);
	enum tl_status status;

	if (words == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the words");
	status = tl_settings_find(words, &row, &rest, &count, error);
	if (status == TL_OK && row != NULL && *rest == '\0')
		write_setting(cli, row, verb);
	else if (status == TL_OK && *rest != '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Undefined %s command: \"%s\".  Try \"help %s\".", verb,
				 rest, verb);
	if (status == TL_OK && (row == NULL || count > 1)) {
		tl_screen_format(&cli->screen, "List of %s %s%ssubcommands:\n\n", verb, words,
				 words[0] != '\0' ? " " : "");
		(void)write_settings(cli, verb, words);
	}
	free(words);
	return status;
}

static void help_command(struct tl_cli *cli, const struct tl_command_line *line)
{
	const struct tl_command *row = line->command;
	const struct tl_user_command *user = tl_table_user(&cli->table, row->name);
	char path[PATH_MAX_BYTES] = "", whole[PATH_MAX_BYTES] = "";
	struct tl_writer front = tl_writer_make(path, sizeof(path) - 1),
			 name = tl_writer_make(whole, sizeof(whole) - 2);

	for (tl_size i = 0; i + 1 < TL_COMMAND_DEPTH_MAX && line->path[i + 1] != NULL; i++) {
		tl_write_text(&front, line->path[i]->name);
		tl_write_text(&front, " ");
	}
	tl_command_name(line, &name);
	if (user != NULL) {
		tl_screen_format(&cli->screen, "%s\n", user->help != NULL ? user->help : "User-defined.");
		return;
	}
	write_names(cli, path, row);
	tl_screen_format(&cli->screen, "\n%s.\n", row->summary);
	if (row->run != NULL)
		tl_screen_format(&cli->screen, "Usage: %s%s%s\n", whole, row->arguments != NULL ? " " : "",
				 row->arguments != NULL ? row->arguments : "");
	if (row->details != NULL)
		tl_screen_format(&cli->screen, "%s\n", row->details);
	if (row->subcommands == NULL)
		return;
	tl_screen_format(&cli->screen, "\nList of %s subcommands:\n\n", whole);
	strcat(whole, " ");
	write_table(cli, whole, row->subcommands, false);
	write_hint(cli, "a command and its subcommand");
}

static void ignore_row(void *context, const struct tl_command *row)
{
	(void)context, (void)row;
}

/* A command that wants a further word is found by way of one: "info" by "info args". */
static bool find_prefix(struct tl_cli *cli, const char *words, struct tl_command_line *line_ret)
{
	struct tl_output text = tl_output_make(TL_COMMAND_LINE_MAX);
	const struct tl_command *row;
	const char *rest;
	bool found = false;

	tl_output_format(&text, "%s ", words);
	row = tl_command_complete(cli->table.rows, tl_output_string(&text), text.size, ignore_row, NULL, &rest);
	if (row != NULL && *rest == '\0' && row->run == NULL && row->subcommands != NULL) {
		const struct tl_command *below = row->subcommands;

		/* Down to one that can be carried out. */
		tl_output_text(&text, below->name);
		for (; below->run == NULL && below->subcommands != NULL; below = below->subcommands)
			tl_output_format(&text, " %s", below->subcommands->name);
		found = tl_command_find(cli->table.rows, tl_output_string(&text), text.size, line_ret, NULL) == TL_OK;
	}
	tl_output_release(&text);
	for (tl_size i = 0; found && i < TL_COMMAND_DEPTH_MAX; i++) {
		if (line_ret->path[i] == row) {
			line_ret->command = row;
			if (i + 1 < TL_COMMAND_DEPTH_MAX)
				line_ret->path[i + 1] = NULL;
			line_ret->words = "";
			line_ret->size = 0;
			return true;
		}
	}
	return false;
}

enum tl_status tl_help(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	const struct tl_alias *alias = tl_table_find_alias(&cli->table, words, strlen(words));
	struct tl_command_line line;

	if (words[0] == '\0') {
		help_classes(cli);
		return TL_OK;
	}
	if (strcmp(words, "all") == 0) {
		help_all(cli);
		return TL_OK;
	}
	if (alias != NULL)
		tl_screen_format(&cli->screen, "%s = %s\n", alias->name, alias->text);
	/* A class and a command may have one name; gdb tells of the command. */
	if (!find_prefix(cli, words, &line) &&
	    tl_command_find(cli->table.rows, alias != NULL ? alias->text : words,
			    strlen(alias != NULL ? alias->text : words), &line, error) != TL_OK)
		return help_class(cli, words) ? TL_OK : TL_ERROR_ARGUMENT;
	if (line.command->complete == tl_complete_settings) {
		if (line.size == 0)
			help_command(cli, &line);
		return help_setting(cli, &line, error);
	}
	help_command(cli, &line);
	return TL_OK;
}

/* ---- apropos ---- */

static bool matches(const regex_t *pattern, const char *path, const struct tl_command *row)
{
	char name[PATH_MAX_BYTES * 2];
	struct tl_writer writer = tl_writer_make(name, sizeof(name) - 1);

	memset(name, 0, sizeof(name));
	tl_write_text(&writer, path);
	tl_write_text(&writer, row->name);
	return regexec(pattern, name, 0, NULL, 0) == 0 || regexec(pattern, row->summary, 0, NULL, 0) == 0 ||
	       (row->details != NULL && regexec(pattern, row->details, 0, NULL, 0) == 0);
}

static void search_table(struct tl_cli *cli, const regex_t *pattern, const char *path, const struct tl_command *rows,
			 bool whole)
{
	for (const struct tl_command *row = rows; row != NULL && row->name != NULL; row++) {
		char inner[PATH_MAX_BYTES] = "";
		struct tl_writer writer = tl_writer_make(inner, sizeof(inner) - 1);

		if (matches(pattern, path, row)) {
			write_line(cli, path, row);
			if (whole && row->details != NULL)
				tl_screen_format(&cli->screen, "%s\n\n", row->details);
		}
		tl_write_text(&writer, path);
		tl_write_text(&writer, row->name);
		tl_write_text(&writer, " ");
		search_table(cli, pattern, inner, row->subcommands, whole);
	}
}

enum tl_status tl_apropos(struct tl_cli *cli, const char *pattern, bool whole, struct tl_error *error)
{
	regex_t compiled;
	int code = regcomp(&compiled, pattern, REG_NOSUB | REG_ICASE);

	if (code != 0) {
		char why[128];

		(void)regerror(code, &compiled, why, sizeof(why));
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Error in regular expression: %s", why);
	}
	search_table(cli, &compiled, "", cli->table.rows, whole);
	for (const struct tl_setting *row = tl_setting_next(NULL); row != NULL; row = tl_setting_next(row)) {
		if (regexec(&compiled, row->name, 0, NULL, 0) != 0 &&
		    regexec(&compiled, row->summary, 0, NULL, 0) != 0 &&
		    (row->details == NULL || regexec(&compiled, row->details, 0, NULL, 0) != 0))
			continue;
		tl_screen_format(&cli->screen, "set %s -- Set %s.\n", row->name, row->summary);
		if (whole && row->details != NULL)
			tl_screen_format(&cli->screen, "%s\n\n", row->details);
	}
	regfree(&compiled);
	return TL_OK;
}
