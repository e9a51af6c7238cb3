#include "frontends/cli/table.h"

#include "frontends/cli/commands.h"

#include <stdlib.h>
#include <string.h>

/* Rows for what people define, before the table has to grow. */
#define SPARE 64

const struct tl_command_topic tl_command_topics[] = {
	{"running", "Running the program", tl_commands_running, NULL},
	{"breakpoints", "Making program stop at certain points", tl_commands_points, tl_commands_points_info},
	{"patterns", "Breakpoints by pattern", tl_commands_rbreak, NULL},
	{"skips", "What steps pass by", tl_commands_skip, tl_commands_skip_info},
	{"events", "Watchpoints, events, and printing on the way", tl_commands_watch, NULL},
	{"signals", "Signals", tl_commands_signals, tl_commands_signals_info},
	{"state", "Changing and keeping the program's state", tl_commands_state, NULL},
	{"code", "Machine code", tl_commands_code, NULL},
	{"data", "Examining data", tl_commands_data, tl_commands_data_info},
	{"memory", "Memory as a whole, and the process", tl_commands_memory, tl_commands_process_info},
	{"stack", "Examining the stack", tl_commands_stack, tl_commands_stack_info},
	{"files", "Specifying and examining files", tl_commands_source, tl_commands_modules_info},
	{"lists", "Lists of everything of a kind, names", tl_commands_lists, tl_commands_lists_info},
	{"symbols", "What names stand for", tl_commands_symbols, tl_commands_symbols_info},
	{"programs", "Files of programs and of their names", tl_commands_files, NULL},
	{"targets", "Targets: what is debugged, and where", tl_commands_targets, NULL},
	{"program", "Registers, and what a program is given", tl_commands_program, tl_commands_registers_info},
	{"threads", "Threads", tl_commands_threads, tl_commands_threads_info},
	{"inferiors", "Programs side by side", tl_commands_inferiors, tl_commands_inferiors_info},
	{"apply", "One command for many threads or frames", tl_commands_apply, NULL},
	{"text-user-interface", "Full screen", tl_commands_screen, tl_commands_screen_info},
	{"support", "Support facilities", tl_commands_shell, NULL},
	{"around", "Words around other commands", tl_commands_around, NULL},
	{"scripting", "Commands of commands: definitions, conditions, files", tl_commands_script, NULL},
	{"status", "Settings, and showing them", tl_commands_settings, NULL},
	{0},
};

/* Tables that were outgrown, in a list. */
struct retired {
	struct retired *next;
	struct tl_command *rows;
};

static tl_size count_rows(const struct tl_command *rows)
{
	tl_size count = 0;

	while (rows != NULL && rows[count].name != NULL)
		count++;
	return count;
}

/* All rows behind `info`, of all topics. */
static struct tl_command *merge_info(void)
{
	tl_size count = 0;
	struct tl_command *rows;

	for (const struct tl_command_topic *topic = tl_command_topics; topic->name != NULL; topic++)
		count += count_rows(topic->info);
	rows = calloc(count + 1, sizeof(*rows));
	count = 0;
	for (const struct tl_command_topic *topic = tl_command_topics; rows != NULL && topic->name != NULL; topic++) {
		for (tl_size i = 0; i < count_rows(topic->info); i++)
			rows[count++] = topic->info[i];
	}
	return rows;
}

enum tl_status tl_table_open(struct tl_table *table, struct tl_error *error)
{
	tl_size count = 0;

	*table = (struct tl_table){0};
	for (const struct tl_command_topic *topic = tl_command_topics; topic->name != NULL; topic++)
		count += count_rows(topic->rows);
	table->capacity = count + SPARE;
	table->rows = calloc(table->capacity, sizeof(*table->rows));
	table->info = merge_info();
	if (table->rows == NULL || table->info == NULL) {
		tl_table_close(table);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the table of commands");
	}
	for (const struct tl_command_topic *topic = tl_command_topics; topic->name != NULL; topic++) {
		for (tl_size i = 0; i < count_rows(topic->rows); i++) {
			table->rows[table->count] = topic->rows[i];
			if (strcmp(topic->rows[i].name, "info") == 0)
				table->rows[table->count].subcommands = table->info;
			table->count++;
		}
	}
	return TL_OK;
}

void tl_table_close(struct tl_table *table)
{
	for (struct retired *retired = table->retired, *next; retired != NULL; retired = next) {
		next = retired->next;
		free(retired->rows);
		free(retired);
	}
	for (struct tl_user_command *user = table->users, *next; user != NULL; user = next) {
		next = user->next;
		free(user->name);
		free(user->body);
		free(user->help);
		free(user);
	}
	for (struct tl_alias *alias = table->aliases, *next; alias != NULL; alias = next) {
		next = alias->next;
		free(alias->name);
		free(alias->text);
		free(alias);
	}
	free(table->rows);
	free(table->info);
	*table = (struct tl_table){0};
}

/* ---- What people define ---- */

/* Room for one more row and the last one without a name. */
static enum tl_status grow(struct tl_table *table, struct tl_error *error)
{
	struct retired *retired;
	struct tl_command *rows;

	if (table->count + 1 < table->capacity)
		return TL_OK;
	retired = malloc(sizeof(*retired));
	rows = calloc(table->capacity * 2, sizeof(*rows));
	if (retired == NULL || rows == NULL) {
		free(retired);
		free(rows);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for one more command");
	}
	memcpy(rows, table->rows, table->count * sizeof(*rows));
	*retired = (struct retired){table->retired, table->rows};
	table->retired = retired;
	table->rows = rows;
	table->capacity *= 2;
	return TL_OK;
}

struct tl_user_command *tl_table_user(const struct tl_table *table, const char *name)
{
	struct tl_user_command *user = table->users;

	while (user != NULL && strcmp(user->name, name) != 0)
		user = user->next;
	return user;
}

static struct tl_user_command *new_user(struct tl_table *table, const char *name)
{
	struct tl_user_command *user = calloc(1, sizeof(*user));

	if (user == NULL)
		return NULL;
	user->name = strdup(name);
	if (user->name == NULL) {
		free(user);
		return NULL;
	}
	user->next = table->users;
	table->users = user;
	return user;
}

enum tl_status tl_table_define(struct tl_table *table, const char *name, char *body, struct tl_error *error)
{
	struct tl_user_command *user = tl_table_user(table, name);
	tl_size at = 0;
	enum tl_status status;

	if (user != NULL) {
		free(user->body);
		user->body = body;
		return TL_OK;
	}
	while (at < table->count && strcmp(table->rows[at].name, name) != 0)
		at++;
	status = at == table->count ? grow(table, error) : TL_OK;
	user = status == TL_OK ? new_user(table, name) : NULL;
	if (user == NULL) {
		free(body);
		return status != TL_OK ? status : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the command");
	}
	user->body = body;
	table->rows[at] = (struct tl_command){
		.name = user->name, .summary = "User-defined", .run = tl_command_run_user, .arguments = "[WORDS]"};
	table->count += at == table->count;
	return TL_OK;
}

const struct tl_alias *tl_table_find_alias(const struct tl_table *table, const char *name, tl_size size)
{
	const struct tl_alias *alias = table->aliases;

	while (alias != NULL && (strlen(alias->name) != size || memcmp(alias->name, name, size) != 0))
		alias = alias->next;
	return alias;
}

enum tl_status tl_table_alias(struct tl_table *table, const char *name, const char *text, bool abbreviation,
			      struct tl_error *error)
{
	struct tl_alias *alias = calloc(1, sizeof(*alias));

	if (alias != NULL) {
		alias->name = strdup(name);
		alias->text = strdup(text);
		alias->abbreviation = abbreviation;
	}
	if (alias == NULL || alias->name == NULL || alias->text == NULL) {
		if (alias != NULL) {
			free(alias->name);
			free(alias->text);
		}
		free(alias);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the alias");
	}
	alias->next = table->aliases;
	table->aliases = alias;
	return TL_OK;
}

const struct tl_command_topic *tl_table_topic(const char *name)
{
	for (const struct tl_command_topic *topic = tl_command_topics; topic->name != NULL; topic++)
		for (const struct tl_command *row = topic->rows; row->name != NULL; row++)
			if (strcmp(row->name, name) == 0)
				return topic;
	return NULL;
}
