#include "frontends/cli/threads.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/points.h"

#include <stdlib.h>
#include <string.h>

/* ---- Numbers ---- */

static int by_number(const void *left, const void *right)
{
	tl_u32 a = *(const tl_u32 *)left, b = *(const tl_u32 *)right;

	return (a > b) - (a < b);
}

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

enum tl_status tl_threads_all(struct tl_cli *cli, struct tl_thread_list *numbers_ret, struct tl_error *error)
{
	const struct tl_engine *engine = tl_session_engine(cli->session);
	struct tl_thread_list numbers = {0};
	struct tl_thread_info info;
	tl_u64 born = 0;

	for (; tl_engine_younger_thread(engine, born, &info); born = info.born) {
		tl_u32 number = tl_session_thread_number(cli->session, info.id);

		if (number != 0 && tl_thread_list_add(&numbers, number, error) != TL_OK) {
			tl_thread_list_release(&numbers);
			return TL_ERROR_NO_MEMORY;
		}
	}
	if (numbers.count > 0)
		qsort(numbers.items, numbers.count, sizeof(*numbers.items), by_number);
	*numbers_ret = numbers;
	return TL_OK;
}

static enum tl_status add_listed(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
				 struct tl_error *error)
{
	(void)cli, (void)location;
	return tl_thread_list_add(context, number, error);
}

enum tl_status tl_threads_listed(struct tl_cli *cli, const char *list, struct tl_thread_list *numbers_ret,
				 struct tl_error *error)
{
	struct tl_thread_list numbers = {0};
	enum tl_status status = tl_numbers_each(cli, list, add_listed, &numbers, error);

	if (status != TL_OK)
		tl_thread_list_release(&numbers);
	else
		*numbers_ret = numbers;
	return status;
}

void tl_thread_list_write(const struct tl_thread_list *numbers, struct tl_output *output)
{
	for (tl_size i = 0, last; i < numbers->count; i = last + 1) {
		for (last = i; last + 1 < numbers->count && numbers->items[last + 1] == numbers->items[last] + 1;)
			last++;
		tl_output_format(output, "%s%u", i != 0 ? " " : "", numbers->items[i]);
		if (last != i)
			tl_output_format(output, "-%u", numbers->items[last]);
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
	char name[TL_THREAD_NAME_MAX];

	tl_thread_write_name(cli, thread, output);
	tl_thread_read_name(cli, thread, name);
	if (name[0] != '\0')
		tl_output_format(output, " \"%s\"", name);
}
