#include "frontends/cli/settings.h"

#include "core/cursor.h"
#include "frontends/cli/cli.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- All of them ---- */

const struct tl_setting *tl_setting_next(const struct tl_setting *row)
{
	static const struct tl_setting *const tables[] = {tl_settings_general, tl_settings_print, tl_settings_gdb,
							  tl_settings_fixed};

	if (row == NULL)
		return tables[0];
	if (row[1].name != NULL)
		return row + 1;
	for (tl_size i = 0; i + 1 < TL_COUNT(tables); i++) {
		const struct tl_setting *last = tables[i];

		while (last[1].name != NULL)
			last++;
		if (last == row)
			return tables[i + 1];
	}
	return NULL;
}

/* ---- Finding ---- */

/* Beginnings that mean one word whatever else begins so, as in gdb. */
static const struct {
	const char *text, *word;
} shorts[] = {{"p", "print"}, {"pr", "print"}, {"var", "variable"}, {"env", "environment"}};

static tl_size word_size(const char *text)
{
	tl_size size = 0;

	while (isalnum((unsigned char)text[size]) || text[size] == '-' || text[size] == '_')
		size++;
	return size;
}

static const char *skip_spaces(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* The `level`-th word of a name, and its size; 0 past the end. */
static const char *name_word(const char *name, tl_size level, tl_size *size_ret)
{
	while (level-- > 0) {
		name += strcspn(name, " ");
		name += *name == ' ';
	}
	*size_ret = strcspn(name, " ");
	return name;
}

/* Two names have the same first words. */
static bool same_front(const char *left, const char *right, tl_size level)
{
	for (tl_size i = 0; i < level; i++) {
		tl_size size, other;
		const char *word = name_word(left, i, &size), *other_word = name_word(right, i, &other);

		if (size != other || memcmp(word, other_word, size) != 0)
			return false;
	}
	return true;
}

/* What was made of the words so far. */
struct search {
	const struct tl_setting *front; /* a row whose first `level` words they are; NULL: none were read yet */
	tl_size level;
};

/* The word behind the front that a text stands for: a row that has it. */
static const struct tl_setting *match_word(const struct search *search, const char *text, tl_size size,
					   tl_size *count_ret, struct tl_output *names)
{
	const struct tl_setting *found = NULL;

	*count_ret = 0;
	for (const struct tl_setting *row = tl_setting_next(NULL); row != NULL; row = tl_setting_next(row)) {
		tl_size length;
		const char *word = name_word(row->name, search->level, &length);

		if (search->front != NULL && !same_front(row->name, search->front->name, search->level))
			continue;
		if (length < size || memcmp(word, text, size) != 0 || length == 0)
			continue;
		if (length == size) {
			*count_ret = 1;
			return row;
		}
		if (found != NULL && same_front(found->name, row->name, search->level + 1))
			continue;
		found = row;
		tl_output_format(names, "%s%.*s", ++*count_ret > 1 ? ", " : "", (int)length, word);
	}
	return found;
}

static const char *replace_short(const char *text, tl_size *size)
{
	for (tl_size i = 0; i < TL_COUNT(shorts); i++) {
		if (strlen(shorts[i].text) == *size && memcmp(shorts[i].text, text, *size) == 0) {
			*size = strlen(shorts[i].word);
			return shorts[i].word;
		}
	}
	return text;
}

/* The row whose name is just the words of the front. */
static const struct tl_setting *whole_row(const struct search *search)
{
	for (const struct tl_setting *row = tl_setting_next(NULL); row != NULL && search->front != NULL;
	     row = tl_setting_next(row)) {
		tl_size size;

		(void)name_word(row->name, search->level, &size);
		if (size == 0 && same_front(row->name, search->front->name, search->level))
			return row;
	}
	return NULL;
}

enum tl_status tl_settings_find(const char *text, const struct tl_setting **row_ret, const char **rest_ret,
				tl_size *prefix_ret, struct tl_error *error)
{
	struct search search = {0};
	const char *at = skip_spaces(text);

	for (;;) {
		tl_size typed = word_size(at), size = typed, count = 0;
		struct tl_output names = tl_output_make(256);
		const char *word = search.level == 0 ? replace_short(at, &size) : at;
		const struct tl_setting *found = size != 0 ? match_word(&search, word, size, &count, &names) : NULL;

		if (count > 1) {
			(void)TL_FAIL(error, TL_ERROR_ARGUMENT, "Ambiguous set command \"%s\": %s.", text,
				      tl_output_string(&names));
			tl_output_release(&names);
			return TL_ERROR_ARGUMENT;
		}
		tl_output_release(&names);
		if (found == NULL)
			break;
		search.front = found;
		search.level++;
		at = skip_spaces(at + typed);
	}
	*row_ret = whole_row(&search);
	*rest_ret = at;
	*prefix_ret = 0;
	for (const struct tl_setting *row = tl_setting_next(NULL); row != NULL && search.front != NULL;
	     row = tl_setting_next(row))
		*prefix_ret += same_front(row->name, search.front->name, search.level) ? 1 : 0;
	return TL_OK;
}

bool tl_settings_begins(const char *name, const char *text)
{
	text = skip_spaces(text);
	for (tl_size level = 0; *text != '\0'; level++) {
		tl_size typed = word_size(text), size = typed, length;
		const char *word = level == 0 ? replace_short(text, &size) : text;
		const char *part = name_word(name, level, &length);

		if (typed == 0 || length < size || memcmp(part, word, size) != 0)
			return false;
		text = skip_spaces(text + typed);
	}
	return true;
}

/* ---- Values ---- */

static void *value_of(const struct tl_cli *cli, const struct tl_setting *row)
{
	/* The offset is one of a member of the struct. */
	return (char *)(uintptr_t)&cli->settings + row->offset;
}

static enum tl_status read_bool(const char *words, bool *value_ret, struct tl_error *error)
{
	static const char *const on[] = {"", "on", "1", "yes", "enable"}, *const off[] = {"off", "0", "no", "disable"};

	for (tl_size i = 0; i < TL_COUNT(on); i++)
		if (strcmp(words, on[i]) == 0)
			return *value_ret = true, TL_OK;
	for (tl_size i = 0; i < TL_COUNT(off); i++)
		if (strcmp(words, off[i]) == 0)
			return *value_ret = false, TL_OK;
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"on\" or \"off\" expected.");
}

static enum tl_status read_number(const char *words, bool zero_is_unlimited, tl_u32 *value_ret, struct tl_error *error)
{
	struct tl_cursor at = tl_cursor_text(words);
	tl_u64 value;

	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "Argument required (integer to set it to, or \"unlimited\".).");
	if (strncmp("unlimited", words, strlen(words)) == 0) {
		*value_ret = zero_is_unlimited ? 0 : TL_U32_MAX;
		return TL_OK;
	}
	value = tl_cursor_decimal(&at);
	if (at.failed || !tl_cursor_done(&at))
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "\"%s\" is no number; a decimal number or \"unlimited\" is expected.", words);
	if (value >= TL_U32_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "integer %s out of range", words);
	*value_ret = (tl_u32)value;
	return TL_OK;
}

static enum tl_status read_choice(const struct tl_setting *row, const char *words, tl_u32 *value_ret,
				  struct tl_error *error)
{
	struct tl_output names = tl_output_make(256);
	tl_size size = strlen(words), count = 0;
	tl_u32 found = 0;

	for (tl_u32 i = 0; row->choices[i] != NULL; i++) {
		tl_output_format(&names, "%s%s", i > 0 ? ", " : "", row->choices[i]);
		if (strncmp(row->choices[i], words, size) != 0)
			continue;
		found = i;
		count++;
		if (row->choices[i][size] == '\0') {
			count = 1;
			break;
		}
	}
	if (count == 1)
		*value_ret = found;
	else if (words[0] == '\0')
		(void)TL_FAIL(error, TL_ERROR_ARGUMENT, "Requires an argument. Valid arguments are %s.",
			      tl_output_string(&names));
	else
		(void)TL_FAIL(error, TL_ERROR_ARGUMENT,
			      count > 1 ? "Ambiguous item \"%s\"." : "Undefined item: \"%s\".", words);
	tl_output_release(&names);
	return words[0] != '\0' && count == 1 ? TL_OK : TL_ERROR_ARGUMENT;
}

/* What changes nothing is taken, so that files of settings for gdb can be read; on and off in all their spellings. */
static enum tl_status read_fixed(const struct tl_setting *row, const char *words, struct tl_error *error)
{
	bool value, wanted;

	for (tl_size i = 0; row->choices[i] != NULL; i++) {
		if (strcmp(row->choices[i], "*") == 0 || strcmp(row->choices[i], words) == 0)
			return TL_OK;
		if (read_bool(row->choices[i], &value, error) == TL_OK && read_bool(words, &wanted, error) == TL_OK &&
		    value == wanted)
			return TL_OK;
	}
	return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "%s", row->reason);
}

/* ~ and ~/ are the home of whoever sits there. */
static char *with_home(const char *path)
{
	const char *home = getenv("HOME");
	char *whole;

	if (path[0] != '~' || (path[1] != '/' && path[1] != '\0') || home == NULL)
		return strdup(path);
	whole = malloc(strlen(home) + strlen(path));
	if (whole != NULL) {
		strcpy(whole, home);
		strcat(whole, path + 1);
	}
	return whole;
}

union value {
	bool boolean;
	tl_u32 number;
	char *text;
};

static enum tl_status read_value(const struct tl_setting *row, const char *words, union value *value_ret,
				 struct tl_error *error)
{
	switch (row->kind) {
	case TL_SETTING_BOOL:
		return read_bool(words, &value_ret->boolean, error);
	case TL_SETTING_NUMBER:
		return read_number(words, true, &value_ret->number, error);
	case TL_SETTING_COUNT:
		return read_number(words, false, &value_ret->number, error);
	case TL_SETTING_CHOICE:
		return read_choice(row, words, &value_ret->number, error);
	case TL_SETTING_TEXT:
	case TL_SETTING_FILE:
		value_ret->text = row->kind == TL_SETTING_FILE ? with_home(words) : strdup(words);
		return value_ret->text != NULL ? TL_OK : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the value");
	case TL_SETTING_FIXED:
		return read_fixed(row, words, error);
	case TL_SETTING_OWN:
		break;
	}
	return TL_OK;
}

/* Puts a value in place; what was there comes back in `value`. */
static void exchange(struct tl_cli *cli, const struct tl_setting *row, union value *value)
{
	void *place = value_of(cli, row);
	union value old = {0};

	switch (row->kind) {
	case TL_SETTING_BOOL:
		old.boolean = *(bool *)place;
		*(bool *)place = value->boolean;
		break;
	case TL_SETTING_NUMBER:
	case TL_SETTING_COUNT:
	case TL_SETTING_CHOICE:
		old.number = *(tl_u32 *)place;
		*(tl_u32 *)place = value->number;
		break;
	case TL_SETTING_TEXT:
	case TL_SETTING_FILE:
		old.text = *(char **)place;
		*(char **)place = value->text;
		break;
	case TL_SETTING_FIXED:
	case TL_SETTING_OWN:
		break;
	}
	*value = old;
}

enum tl_status tl_settings_set(struct tl_cli *cli, const struct tl_setting *row, const char *words,
			       struct tl_error *error)
{
	union value value = {0};
	enum tl_status status;

	if (row->kind == TL_SETTING_OWN)
		return row->set(cli, words, error);
	TL_TRY(read_value(row, words, &value, error));
	exchange(cli, row, &value);
	status = row->changed != NULL ? row->changed(cli, error) : TL_OK;
	if (status != TL_OK)
		exchange(cli, row, &value);
	if (row->kind == TL_SETTING_TEXT || row->kind == TL_SETTING_FILE)
		free(value.text);
	return status;
}

/* ---- Showing ---- */

void tl_settings_value(const struct tl_cli *cli, const struct tl_setting *row, struct tl_output *output)
{
	const void *place = value_of(cli, row);

	switch (row->kind) {
	case TL_SETTING_BOOL:
		tl_output_text(output, *(const bool *)place ? "on" : "off");
		break;
	case TL_SETTING_NUMBER:
	case TL_SETTING_COUNT:
		if (*(const tl_u32 *)place == (row->kind == TL_SETTING_NUMBER ? 0 : TL_U32_MAX))
			tl_output_text(output, "unlimited");
		else
			tl_output_format(output, "%u", *(const tl_u32 *)place);
		break;
	case TL_SETTING_CHOICE:
		tl_output_text(output, row->choices[*(const tl_u32 *)place]);
		break;
	case TL_SETTING_TEXT:
	case TL_SETTING_FILE:
		tl_output_text(output, *(char *const *)place != NULL ? *(char *const *)place : "");
		break;
	case TL_SETTING_FIXED:
		tl_output_text(output, row->choices[0]);
		break;
	case TL_SETTING_OWN:
		break;
	}
}

enum tl_status tl_settings_ask(void *context, const char *name, tl_i64 *number_ret, bool *is_number_ret,
			       struct tl_output *text, struct tl_error *error)
{
	const struct tl_cli *cli = context;
	const struct tl_setting *row;
	const char *rest;
	tl_size prefix;

	TL_TRY(tl_settings_find(name, &row, &rest, &prefix, error));
	if (row == NULL || *rest != '\0' || row->kind == TL_SETTING_OWN)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "First argument of $_gdb_setting must be a valid setting of the 'show' command.");
	tl_settings_value(cli, row, text);
	*is_number_ret = true;
	if (row->kind == TL_SETTING_BOOL)
		*number_ret = *(const bool *)value_of(cli, row);
	else if (row->kind == TL_SETTING_NUMBER)
		*number_ret = *(const tl_u32 *)value_of(cli, row);
	else if (row->kind == TL_SETTING_COUNT)
		/* No limit is -1 there. */
		*number_ret = (tl_i32) * (const tl_u32 *)value_of(cli, row);
	else
		*is_number_ret = false;
	return tl_output_status(text, error);
}

void tl_settings_show(struct tl_cli *cli, const struct tl_setting *row, const char *words)
{
	struct tl_output value = tl_output_make(TL_OUTPUT_MAX);
	const char *mark;

	if (row->show != NULL) {
		row->show(cli, words);
		return;
	}
	tl_settings_value(cli, row, &value);
	mark = strstr(row->say, "%s");
	tl_screen_bytes(&cli->screen, row->say, mark != NULL ? (tl_size)(mark - row->say) : strlen(row->say));
	if (mark != NULL) {
		tl_screen_text(&cli->screen, tl_output_string(&value));
		tl_screen_text(&cli->screen, mark + 2);
	}
	tl_screen_text(&cli->screen, "\n");
	tl_output_release(&value);
}
