#include "frontends/cli/overrides.h"

#include "frontends/cli/cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX 128

enum tl_status tl_overrides_set(struct tl_cli *cli, struct tl_overrides *overrides, const struct tl_setting *row,
				const char *words, struct tl_error *error)
{
	struct tl_output before = tl_output_make(TL_COMMAND_LINE_MAX);
	enum tl_status status;
	char *kept;

	if (row->kind == TL_SETTING_OWN)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Cannot use this setting with the \"with\" command");
	if (overrides->count == TL_OVERRIDES_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "more than %d settings at once", TL_OVERRIDES_MAX);
	tl_settings_value(cli, row, &before);
	kept = strdup(tl_output_string(&before));
	tl_output_release(&before);
	if (kept == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the setting");
	status = tl_settings_set(cli, row, words, error);
	if (status != TL_OK) {
		free(kept);
		return status;
	}
	overrides->items[overrides->count].row = row;
	overrides->items[overrides->count++].before = kept;
	return TL_OK;
}

void tl_overrides_undo(struct tl_cli *cli, struct tl_overrides *overrides)
{
	while (overrides->count > 0) {
		struct tl_error error;

		overrides->count--;
		/* It was allowed before. */
		(void)!tl_settings_set(cli, overrides->items[overrides->count].row,
				       overrides->items[overrides->count].before, &error);
		free(overrides->items[overrides->count].before);
	}
}

/* Where "--" stands by itself; NULL when it does not. */
static const char *find_end(const char *at)
{
	for (; *at != '\0'; at++) {
		if (strncmp(at, "--", 2) == 0 && (at[2] == '\0' || isspace((unsigned char)at[2])))
			return at;
		at += strcspn(at, " \t");
		if (*at == '\0')
			return NULL;
	}
	return NULL;
}

/* Settings of how values look; those of frames, types and remarks are no options of a command. */
static bool is_option(const struct tl_setting *row)
{
	static const char *const others[] = {"print asm-demangle", "print demangle", "print entry-values",
					     "print finish",       "print frame-",   "print inferior-",
					     "print max-symbolic", "print pascal",   "print raw-frame",
					     "print symbol-",      "print thread-",  "print type"};

	for (tl_size i = 0; i < TL_COUNT(others); i++)
		if (strncmp(row->name, others[i], strlen(others[i])) == 0)
			return false;
	return true;
}

/* The setting that an option names, in full or abbreviated. */
static enum tl_status find_option(const char *topic, const char *at, tl_size size, const struct tl_setting **row_ret,
				  struct tl_error *error)
{
	const struct tl_setting *found = NULL;
	tl_size front = strlen(topic), count = 0;

	for (const struct tl_setting *row = tl_setting_next(NULL); row != NULL; row = tl_setting_next(row)) {
		const char *name = row->name + front + 1;

		if (strncmp(row->name, topic, front) != 0 || row->name[front] != ' ' || strncmp(name, at, size) != 0 ||
		    !is_option(row))
			continue;
		count++;
		found = row;
		if (name[size] == '\0') {
			count = 1;
			break;
		}
	}
	if (count == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unrecognized option at: -%s", at);
	if (count > 1)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "-%.*s: Ambiguous option.", (int)size, at);
	*row_ret = found;
	return TL_OK;
}

/* One option, and what it is set to: nothing is "on" where it is a question of on and off. */
static enum tl_status take_option(struct tl_cli *cli, struct tl_overrides *overrides, const char *topic,
				  const char **at, const char *end, struct tl_error *error)
{
	const struct tl_setting *row;
	tl_size size = strcspn(*at + 1, " \t"), length;
	char value[NAME_MAX];

	TL_TRY(find_option(topic, *at + 1, size, &row, error));
	*at += 1 + size;
	*at += strspn(*at, " \t");
	length = *at < end && **at != '-' ? strcspn(*at, " \t") : 0;
	if (length >= sizeof(value))
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "-%.*s: the value is too long.", (int)size, *at);
	memcpy(value, *at, length);
	value[length] = '\0';
	*at += length;
	*at += strspn(*at, " \t");
	if (length == 0 && row->kind != TL_SETTING_BOOL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "-%s requires an argument", row->name + strlen(topic) + 1);
	return tl_overrides_set(cli, overrides, row, value, error);
}

enum tl_status tl_overrides_take(struct tl_cli *cli, struct tl_overrides *overrides, const char *topic, const char **at,
				 struct tl_error *error)
{
	const char *end = **at == '-' ? find_end(*at) : NULL;

	if (end == NULL)
		return TL_OK;
	while (*at < end) {
		if (**at != '-')
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unrecognized option at: %s", *at);
		TL_TRY(take_option(cli, overrides, topic, at, end, error));
	}
	*at = end + 2;
	*at += strspn(*at, " \t");
	return TL_OK;
}
