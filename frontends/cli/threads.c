#include "frontends/cli/threads.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/thread_ids.h"

#include <stdlib.h>
#include <string.h>

/* ---- Numbers ---- */

enum tl_status tl_thread_list_add(struct tl_thread_list *numbers, tl_u32 number, struct tl_error *error)
{
	if (numbers->count == numbers->capacity) {
		tl_size capacity = numbers->capacity * 2 + 16;
		tl_u32 *grown = realloc(numbers->items, capacity * sizeof(*grown));

		if (grown == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the list of threads");
		numbers->items = grown;
		numbers->capacity = capacity;
	}
	numbers->items[numbers->count++] = number;
	return TL_OK;
}

void tl_thread_list_release(struct tl_thread_list *numbers)
{
	free(numbers->items);
	*numbers = (struct tl_thread_list){0};
}

/* The numbers of those that are there; the names are released. */
static enum tl_status take_numbers(struct tl_named_threads *named, enum tl_status status,
				   struct tl_thread_list *numbers_ret, struct tl_error *error)
{
	struct tl_thread_list numbers = {0};

	for (tl_size i = 0; i < named->count && status == TL_OK; i++)
		if (named->items[i].global != 0)
			status = tl_thread_list_add(&numbers, named->items[i].global, error);
	free(named->items);
	if (status != TL_OK)
		tl_thread_list_release(&numbers);
	else
		*numbers_ret = numbers;
	return status;
}

enum tl_status tl_threads_all(struct tl_cli *cli, struct tl_thread_list *numbers_ret, struct tl_error *error)
{
	struct tl_named_threads named = {0};
	enum tl_status status = tl_thread_ids_all(cli, &named, error);

	return take_numbers(&named, status, numbers_ret, error);
}

enum tl_status tl_threads_listed(struct tl_cli *cli, const char *list, struct tl_thread_list *numbers_ret,
				 struct tl_error *error)
{
	struct tl_named_threads named = {0};
	const char *at = list;
	enum tl_status status = tl_thread_ids_take(cli, &at, &named, error);

	if (status == TL_OK && *at != '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid thread ID: %s", at);
	return take_numbers(&named, status, numbers_ret, error);
}

static struct tl_thread_numbers numbers_of(struct tl_cli *cli, tl_u32 number)
{
	return tl_session_thread_numbers(cli->session, tl_session_numbered_thread(cli->session, number));
}

void tl_thread_list_write(struct tl_cli *cli, const struct tl_thread_list *numbers, struct tl_output *output)
{
	for (tl_size i = 0, last; i < numbers->count; i = last + 1) {
		struct tl_thread_numbers first = numbers_of(cli, numbers->items[i]), next;
		tl_u32 end = first.thread;

		for (last = i; last + 1 < numbers->count; last++) {
			next = numbers_of(cli, numbers->items[last + 1]);
			if (next.inferior != first.inferior || next.thread != end + 1)
				break;
			end++;
		}
		tl_output_text(output, i != 0 ? " " : "");
		if (tl_session_qualifies_threads(cli->session))
			tl_output_format(output, "%u.", first.inferior);
		tl_output_format(output, "%u", first.thread);
		if (last != i)
			tl_output_format(output, "-%u", end);
	}
}

/* ---- Names ---- */

/* A name that a person gave. The number tells a thread from a later one with the same id. */
struct tl_thread_name {
	struct tl_thread_name *next;
	struct tl_thread_id thread;
	tl_u32 number;
	char name[TL_THREAD_NAME_MAX];
};

static struct tl_thread_name *find_given(struct tl_cli *cli, struct tl_thread_id thread)
{
	struct tl_thread_name *name = cli->thread_names;

	while (name != NULL && (name->thread.thread != thread.thread || name->thread.process != thread.process ||
				name->number != tl_session_thread_number(cli->session, thread)))
		name = name->next;
	return name;
}

const char *tl_thread_given_name(struct tl_cli *cli, struct tl_thread_id thread)
{
	const struct tl_thread_name *given = find_given(cli, thread);

	return given != NULL ? given->name : NULL;
}

void tl_thread_own_name(struct tl_cli *cli, struct tl_thread_id thread, char name_ret[TL_THREAD_NAME_MAX])
{
	struct tl_target *target = cli->target;
	tl_size done = 0;

	if (target->ops->read_object == NULL ||
	    target->ops->read_object(target, thread, TL_OBJECT_THREAD_NAME, 0, name_ret, TL_THREAD_NAME_MAX - 1,
				     &done) != TL_OK)
		done = 0;
	name_ret[done] = '\0';
}

void tl_thread_read_name(struct tl_cli *cli, struct tl_thread_id thread, char name_ret[TL_THREAD_NAME_MAX])
{
	const struct tl_thread_name *given = find_given(cli, thread);

	if (given != NULL)
		memcpy(name_ret, given->name, TL_THREAD_NAME_MAX);
	else
		tl_thread_own_name(cli, thread, name_ret);
}

enum tl_status tl_thread_call(struct tl_cli *cli, struct tl_thread_id thread, const char *name, struct tl_error *error)
{
	struct tl_thread_name *given = find_given(cli, thread);

	if (given == NULL && name[0] == '\0')
		return TL_OK;
	if (given == NULL) {
		given = calloc(1, sizeof(*given));
		if (given == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the name of a thread");
		given->thread = thread;
		given->number = tl_session_thread_number(cli->session, thread);
		given->next = cli->thread_names;
		cli->thread_names = given;
	}
	if (name[0] == '\0')
		given->number = 0; /* no thread has it: found no more */
	memset(given->name, 0, sizeof(given->name));
	memcpy(given->name, name, strnlen(name, sizeof(given->name) - 1));
	return TL_OK;
}

void tl_thread_names_forget(struct tl_cli *cli)
{
	while (cli->thread_names != NULL) {
		struct tl_thread_name *next = cli->thread_names->next;

		free(cli->thread_names);
		cli->thread_names = next;
	}
}

void tl_thread_write_target_id(struct tl_cli *cli, struct tl_thread_id thread, struct tl_output *output)
{
	char name[TL_THREAD_NAME_MAX], processor[TL_THREAD_NAME_MAX] = "";
	const char *rest = name;

	tl_thread_write_name(cli, thread, output);
	tl_thread_read_name(cli, thread, name);
	/* A processor's own name begins with what it was called just now. */
	if (tl_session_name_processor(cli->target, thread, processor, sizeof(processor)) &&
	    strncmp(name, processor, strlen(processor)) == 0) {
		rest += strlen(processor);
		rest += strspn(rest, ", ");
	}
	if (rest[0] != '\0')
		tl_output_format(output, " \"%s\"", rest);
}
