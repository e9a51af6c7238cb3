#include "frontends/serve/options.h"

#include <string.h>

/* Where the help of an option begins. */
#define HELP_COLUMN 24

static const struct tl_option *find_option(const struct tl_option *table, const char *word, size_t length)
{
	for (; table->name != NULL || table->help != NULL; table++)
		if (table->name != NULL && strlen(table->name) == length && memcmp(table->name, word, length) == 0)
			return table;
	return NULL;
}

static int take_words(struct tl_option_reader *reader, const struct tl_option *option, struct tl_error *error)
{
	char **end = reader->at;

	while (*end != NULL && strcmp(*end, "--") != 0)
		end++;
	if (*end == NULL || end == reader->at) {
		(void)TL_FAIL(error, TL_ERROR_ARGUMENT, "%s wants words and a \"--\" behind them", option->name);
		return -1;
	}
	*end = NULL;
	reader->words = (const char *const *)reader->at;
	reader->at = end + 1;
	return option->id;
}

int tl_option_next(struct tl_option_reader *reader, struct tl_error *error)
{
	const char *word = *reader->at, *equals;
	const struct tl_option *option;

	reader->value = NULL;
	reader->words = NULL;
	if (word == NULL || word[0] != '-' || word[1] == '\0')
		return 0;
	reader->at++;
	if (strcmp(word, "--") == 0)
		return 0;
	equals = strchrnul(word, '=');
	option = find_option(reader->table, word, (size_t)(equals - word));
	if (option == NULL && reader->more != NULL)
		option = find_option(reader->more, word, (size_t)(equals - word));
	/* "--name" and "--name=" may be two options. */
	if (option != NULL && *equals == '=' && option->kind == TL_VALUE_NONE)
		for (const struct tl_option *other = option + 1; other->name != NULL; other++)
			if (other->kind != TL_VALUE_NONE && strcmp(other->name, option->name) == 0)
				option = other;
	if (option == NULL || (*equals == '=' && (option->kind == TL_VALUE_NONE || option->kind == TL_VALUE_WORDS)) ||
	    (*equals == '\0' && option->kind == TL_VALUE_EQUALS)) {
		(void)TL_FAIL(error, TL_ERROR_ARGUMENT, "Unknown argument: %s", word);
		return -1;
	}
	if (option->kind == TL_VALUE_WORDS)
		return take_words(reader, option, error);
	if (option->kind == TL_VALUE_NONE)
		return option->id;
	reader->value = *equals == '=' ? equals + 1 : *reader->at++;
	if (reader->value == NULL) {
		reader->at--;
		(void)TL_FAIL(error, TL_ERROR_ARGUMENT, "%s wants a value: %s %s", option->name, option->name,
			      option->value);
		return -1;
	}
	return option->id;
}

/* The help of one option, each line at the column. */
static void print_help(const char *help, int used, FILE *stream)
{
	while (*help != '\0') {
		size_t length = strcspn(help, "\n");

		if (used >= HELP_COLUMN) {
			fputc('\n', stream);
			used = 0;
		}
		fprintf(stream, "%*s%.*s\n", HELP_COLUMN - used, "", (int)length, help);
		help += length;
		help += *help == '\n';
		used = 0;
	}
}

void tl_options_print(const struct tl_option *table, FILE *stream)
{
	for (; table->name != NULL || table->help != NULL; table++) {
		int used;

		if (table->name == NULL) {
			fprintf(stream, "\n%s:\n\n", table->help);
			continue;
		}
		if (table->kind == TL_VALUE_NONE)
			used = fprintf(stream, "  %s", table->name);
		else if (table->kind == TL_VALUE_EQUALS)
			used = fprintf(stream, "  %s=%s", table->name, table->value);
		else
			used = fprintf(stream, "  %s %s%s", table->name, table->value,
				       table->kind == TL_VALUE_WORDS ? " --" : "");
		if (table->help[0] == '\0')
			fputc('\n', stream);
		else
			print_help(table->help, used, stream);
	}
}
