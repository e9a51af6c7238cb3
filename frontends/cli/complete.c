#include "frontends/cli/complete.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COMMAND_BREAKS " \t\n"
#define FILE_BREAKS " \t\n\"'"
/* Behind these a name may begin; a colon is a part of one. */
#define EXPRESSION_BREAKS " \t\n\"'`;|&()<>=,*!~^%/+-[]{}?@."

struct tl_completion {
	const char *word;
	char **words;
	tl_size count, capacity, limit;
};

const char *tl_complete_word(const struct tl_cli *cli)
{
	return cli->completion->word;
}

bool tl_complete_full(const struct tl_cli *cli)
{
	return cli->completion->count >= cli->completion->limit;
}

void tl_complete_offer(struct tl_cli *cli, const char *candidate)
{
	struct tl_completion *list = cli->completion;

	if (list->count >= list->limit || strncmp(candidate, list->word, strlen(list->word)) != 0)
		return;
	if (list->count == list->capacity) {
		tl_size capacity = list->capacity * 2 + 32;
		char **grown = realloc(list->words, capacity * sizeof(*grown));

		if (grown == NULL)
			return;
		list->words = grown;
		list->capacity = capacity;
	}
	list->words[list->count] = strdup(candidate);
	list->count += list->words[list->count] != NULL;
}

static void offer_row(void *context, const struct tl_command *row)
{
	tl_complete_offer(context, row->name);
}

static void ignore_row(void *context, const struct tl_command *row)
{
	(void)context, (void)row;
}

static int by_alphabet(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

void tl_complete(struct tl_cli *cli, const char *line, tl_size start, void (*call)(void *context, const char *word),
		 void *context)
{
	struct tl_completion list = {.word = line + start, .limit = cli->settings.completions};
	struct tl_completion *outer = cli->completion;
	const struct tl_command *row;
	const char *rest;

	cli->completion = &list;
	row = tl_command_complete(cli->table.rows, line, strlen(line), offer_row, cli, &rest);
	if (row != NULL && row->complete != NULL)
		row->complete(cli, rest);
	cli->completion = outer;
	if (list.count > 0)
		qsort(list.words, list.count, sizeof(*list.words), by_alphabet);
	for (tl_size i = 0; i < list.count; i++) {
		if (i == 0 || strcmp(list.words[i - 1], list.words[i]) != 0)
			call(context, list.words[i]);
	}
	for (tl_size i = 0; i < list.count; i++)
		free(list.words[i]);
	free(list.words);
}

const char *tl_complete_breaks(struct tl_cli *cli, const char *line)
{
	const char *rest;
	const struct tl_command *row =
		tl_command_complete(cli->table.rows, line, strlen(line), ignore_row, NULL, &rest);

	if (row == NULL || row->complete == tl_complete_commands || row->complete == tl_complete_settings)
		return COMMAND_BREAKS;
	return row->complete == tl_complete_files ? FILE_BREAKS : EXPRESSION_BREAKS;
}

tl_size tl_complete_start(struct tl_cli *cli, const char *line)
{
	const char *breaks = tl_complete_breaks(cli, line);
	tl_size start = strlen(line);

	while (start > 0 && strchr(breaks, line[start - 1]) == NULL)
		start--;
	return start;
}

/* ---- Kinds ---- */

/* The last word again, as help takes several: "help info th". */
void tl_complete_commands(struct tl_cli *cli, const char *words)
{
	const char *rest;
	const struct tl_command *row =
		tl_command_complete(cli->table.rows, words, strlen(words), offer_row, cli, &rest);

	if (row != NULL && row->complete == tl_complete_settings)
		tl_complete_settings(cli, rest);
}

void tl_complete_line(struct tl_cli *cli, const char *words)
{
	const char *rest;
	const struct tl_command *row =
		tl_command_complete(cli->table.rows, words, strlen(words), offer_row, cli, &rest);

	if (row != NULL && row->complete != NULL)
		row->complete(cli, rest);
}

void tl_complete_settings(struct tl_cli *cli, const char *words)
{
	tl_size level = 0, size = strlen(words) - strlen(tl_complete_word(cli));
	char *front = strndup(words, size);

	for (const char *at = words; at < words + size; level++) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	for (const struct tl_setting *row = tl_setting_next(NULL); front != NULL && row != NULL;
	     row = tl_setting_next(row)) {
		const char *word = row->name;
		char *copy;

		if (!tl_settings_begins(row->name, front))
			continue;
		for (tl_size i = 0; i < level; i++) {
			word += strcspn(word, " ");
			word += *word == ' ';
		}
		copy = strndup(word, strcspn(word, " "));
		if (copy != NULL && copy[0] != '\0')
			tl_complete_offer(cli, copy);
		free(copy);
	}
	free(front);
}

/* Folders get a slash, and ~ stays as it was typed. */
static void offer_file(struct tl_cli *cli, const char *folder, const char *typed, const char *name)
{
	struct tl_output path = tl_output_make(TL_OUTPUT_MAX), word = tl_output_make(TL_OUTPUT_MAX);
	struct stat about;

	tl_output_format(&path, "%s/%s", folder, name);
	tl_output_format(&word, "%s%s", typed, name);
	if (stat(tl_output_string(&path), &about) == 0 && S_ISDIR(about.st_mode))
		tl_output_text(&word, "/");
	if (tl_output_status(&word, NULL) == TL_OK)
		tl_complete_offer(cli, tl_output_string(&word));
	tl_output_release(&path);
	tl_output_release(&word);
}

void tl_complete_files(struct tl_cli *cli, const char *words)
{
	const char *word = tl_complete_word(cli), *slash = strrchr(word, '/'), *home = getenv("HOME");
	tl_size front = slash != NULL ? (tl_size)(slash - word) + 1 : 0;
	struct tl_output folder = tl_output_make(TL_OUTPUT_MAX);
	char *typed = strndup(word, front);
	const struct dirent *entry;
	DIR *stream;

	(void)words;
	if (front >= 2 && word[0] == '~' && word[1] == '/' && home != NULL)
		tl_output_format(&folder, "%s%s", home, typed != NULL ? typed + 1 : "");
	else
		tl_output_text(&folder, front > 0 && typed != NULL ? typed : ".");
	stream = opendir(tl_output_string(&folder));
	while (stream != NULL && typed != NULL && !tl_complete_full(cli) && (entry = readdir(stream)) != NULL) {
		/* Hidden files only when asked for. */
		if (entry->d_name[0] == '.' && word[front] != '.')
			continue;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strncmp(entry->d_name, word + front, strlen(word + front)) == 0)
			offer_file(cli, tl_output_string(&folder), typed, entry->d_name);
	}
	if (stream != NULL)
		(void)closedir(stream);
	tl_output_release(&folder);
	free(typed);
}
