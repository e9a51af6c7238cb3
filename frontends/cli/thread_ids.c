#include "frontends/cli/thread_ids.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/values.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 65536

/* ---- Lists ---- */

static enum tl_status add(struct tl_named_threads *list, const struct tl_thread_named *named, struct tl_error *error)
{
	if (list->count == list->capacity) {
		tl_size capacity = list->capacity * 2 + 16;
		struct tl_thread_named *grown =
			list->count < LIST_MAX ? realloc(list->items, capacity * sizeof(*grown)) : NULL;

		if (grown == NULL)
			return TL_FAIL(error, TL_ERROR_TOO_LONG, "Too many threads are named.");
		list->items = grown;
		list->capacity = capacity;
	}
	list->items[list->count++] = *named;
	return TL_OK;
}

static int by_name(const void *left, const void *right)
{
	const struct tl_thread_named *a = left, *b = right;

	if (a->inferior != b->inferior)
		return a->inferior < b->inferior ? -1 : 1;
	return (a->thread > b->thread) - (a->thread < b->thread);
}

enum tl_status tl_thread_ids_all(struct tl_cli *cli, struct tl_named_threads *list, struct tl_error *error)
{
	const struct tl_engine *engine = tl_session_engine(cli->session);
	struct tl_thread_info info;
	tl_u64 born = 0;
	tl_size before = list->count;

	for (; tl_engine_younger_thread(engine, born, &info); born = info.born) {
		struct tl_thread_numbers numbers = tl_session_thread_numbers(cli->session, info.id);
		struct tl_thread_named named = {numbers.global, numbers.inferior, numbers.thread};

		if (named.global != 0)
			TL_TRY(add(list, &named, error));
	}
	if (list->count > before)
		qsort(list->items + before, list->count - before, sizeof(*list->items), by_name);
	return TL_OK;
}

/* All of one inferior. */
static enum tl_status add_star(struct tl_cli *cli, tl_u32 inferior, struct tl_named_threads *list,
			       struct tl_error *error)
{
	struct tl_named_threads all = {0};
	enum tl_status status = tl_thread_ids_all(cli, &all, error);

	for (tl_size i = 0; i < all.count && status == TL_OK; i++)
		if (all.items[i].inferior == inferior)
			status = add(list, &all.items[i], error);
	free(all.items);
	return status;
}

/* ---- Names ---- */

static enum tl_status invalid(const char *text, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid thread ID: %s", text);
}

/* Digits or $name. `whole` is for messages. */
static enum tl_status read_number(struct tl_cli *cli, const char **at, const char *whole, tl_u32 *number_ret,
				  struct tl_error *error)
{
	const char *start = *at;
	char text[TL_VARIABLE_NAME_MAX + 1];
	tl_i64 number = 0;
	tl_size size = 1;

	if (*start != '$') {
		while (isdigit((unsigned char)**at) && number < TL_U32_MAX)
			number = number * 10 + (*(*at)++ - '0');
		if (*at == start || number == 0 || number >= TL_U32_MAX)
			return invalid(whole, error);
		*number_ret = (tl_u32)number;
		return TL_OK;
	}
	while (isalnum((unsigned char)start[size]) || start[size] == '_')
		size++;
	if (size > TL_VARIABLE_NAME_MAX)
		return invalid(whole, error);
	memcpy(text, start, size);
	text[size] = '\0';
	*at += size;
	if (tl_cli_number(cli, text, &number, error) != TL_OK)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Convenience variable must have integer value.");
	if (number <= 0 || number >= TL_U32_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "negative value");
	*number_ret = (tl_u32)number;
	return TL_OK;
}

static bool ends(char letter)
{
	return letter == '\0' || isspace((unsigned char)letter);
}

/* "2." in front of a thread's number; the selected inferior without it. */
static enum tl_status read_inferior(struct tl_cli *cli, const char **at, const char *whole, tl_u32 *inferior_ret,
				    struct tl_error *error)
{
	const char *from = *at;
	struct tl_inferior_info info;
	tl_u32 number;

	*inferior_ret = tl_session_current_inferior(cli->session);
	if (*from == '*')
		return TL_OK;
	TL_TRY(read_number(cli, &from, whole, &number, error));
	if (*from != '.')
		return TL_OK;
	*at = from + 1;
	if (!tl_session_inferior(cli->session, number, &info))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No inferior number '%u'", number);
	*inferior_ret = number;
	return TL_OK;
}

/* One range, "1.2-4", or star. An inferior that is not there has no threads. */
static enum tl_status take_one(struct tl_cli *cli, const char **at, struct tl_named_threads *list,
			       struct tl_error *error)
{
	const char *whole = *at;
	struct tl_thread_named named = {.inferior = tl_session_current_inferior(cli->session)};
	tl_u32 last;

	if (*whole != '*') {
		const char *from = whole;
		tl_u32 number;

		TL_TRY(read_number(cli, &from, whole, &number, error));
		if (*from == '.') {
			named.inferior = number;
			*at = from + 1;
		}
	}
	if (**at == '*') {
		(*at)++;
		return ends(**at) ? add_star(cli, named.inferior, list, error) : invalid(whole, error);
	}
	TL_TRY(read_number(cli, at, whole, &named.thread, error));
	last = named.thread;
	if (**at == '-') {
		(*at)++;
		TL_TRY(read_number(cli, at, whole, &last, error));
		if (last < named.thread)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "inverted range");
	}
	if (!ends(**at))
		return invalid(whole, error);
	for (; named.thread <= last; named.thread++) {
		named.global = tl_session_find_thread(cli->session, named.inferior, named.thread);
		TL_TRY(add(list, &named, error));
	}
	return TL_OK;
}

enum tl_status tl_thread_ids_take(struct tl_cli *cli, const char **at, struct tl_named_threads *list,
				  struct tl_error *error)
{
	for (;;) {
		while (isspace((unsigned char)**at))
			(*at)++;
		if (!isdigit((unsigned char)**at) && **at != '$' && (**at != '*' || !ends((*at)[1])))
			return TL_OK;
		TL_TRY(take_one(cli, at, list, error));
	}
}

enum tl_status tl_thread_id_read(struct tl_cli *cli, const char *text, tl_u32 *global_ret, struct tl_error *error)
{
	const char *at = text;
	bool explicit_inferior;
	tl_u32 inferior, number;

	TL_TRY(read_inferior(cli, &at, text, &inferior, error));
	explicit_inferior = at != text;
	TL_TRY(read_number(cli, &at, text, &number, error));
	at += strspn(at, " \t");
	if (*at != '\0')
		return invalid(text, error);
	*global_ret = tl_session_find_thread(cli->session, inferior, number);
	if (*global_ret != 0)
		return TL_OK;
	if (explicit_inferior || tl_session_qualifies_threads(cli->session))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unknown thread %u.%u.", inferior, number);
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unknown thread %u.", number);
}

void tl_thread_named_write(struct tl_cli *cli, const struct tl_thread_named *named, char *text_ret, tl_size size)
{
	if (tl_session_qualifies_threads(cli->session))
		(void)snprintf(text_ret, size, "%u.%u", named->inferior, named->thread);
	else
		(void)snprintf(text_ret, size, "%u", named->thread);
}
