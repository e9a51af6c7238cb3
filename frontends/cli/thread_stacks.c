#include "frontends/cli/thread_stacks.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/threads.h"
#include "frontends/cli/values.h"

#include "base/storage.h"

#include <stdlib.h>
#include <string.h>

/* Two words a frame, and one for how the stack ends. */
struct stack_key {
	tl_u64 *words;
	tl_size count, capacity;
	tl_u64 hash;
};

/* Threads whose stacks are the same, by their numbers; with the reason instead where they have none. */
struct group {
	struct stack_key key;
	char *failure; /* NULL: there is a stack */
	struct tl_thread_list threads;
};

struct folding {
	struct tl_cli *cli;
	tl_u32 most; /* frames that count */
	struct group *groups;
	tl_size count, capacity;
};

/* ---- What tells stacks apart ---- */

static bool add_word(struct stack_key *key, tl_u64 word)
{
	void *words = key->words;

	if (!tl_grow(tl_storage(), &words, &key->capacity, key->count, sizeof(*key->words)))
		return false;
	key->words = words;
	key->words[key->count++] = word;
	key->hash = (key->hash ^ word) * 0x9e3779b97f4a7c15u;
	key->hash ^= key->hash >> 29;
	return true;
}

static void release_key(struct stack_key *key)
{
	tl_release(tl_storage(), key->words, key->capacity * sizeof(*key->words));
	*key = (struct stack_key){.words = NULL};
}

/* The selected thread's. */
static enum tl_status read_key(struct folding *folding, struct stack_key *key, struct tl_error *error)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;
	bool room = true;

	TL_TRY(tl_session_stack(folding->cli->session, &stack, error));
	for (tl_u32 i = 0; i < folding->most && room && tl_stack_frame(stack, i, &frame, error) == TL_OK; i++) {
		if (tl_cli_cancelled(folding->cli))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
		room = add_word(key, frame->program_counter) &&
		       add_word(key, (tl_u64)frame->inline_depth << 32 | frame->tail_depth << 1 | frame->signal);
	}
	if (room && key->count != 0)
		room = add_word(key, tl_stack_end(stack) != NULL);
	if (!room)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the stacks of threads");
	return key->count != 0 ? TL_OK : TL_FAIL(error, TL_ERROR_NOT_RUNNING, "No stack.");
}

/* ---- Groups ---- */

static bool is_of(const struct group *group, const struct stack_key *key, const char *failure)
{
	if (failure != NULL || group->failure != NULL)
		return failure != NULL && group->failure != NULL && strcmp(failure, group->failure) == 0;
	return group->key.hash == key->hash && group->key.count == key->count &&
	       memcmp(group->key.words, key->words, key->count * sizeof(*key->words)) == 0;
}

/* The group of a key, which a new one takes over; NULL without memory. */
static struct group *group_of(struct folding *folding, struct stack_key *key, const char *failure)
{
	void *groups = folding->groups;
	struct group *group;

	for (tl_size i = 0; i < folding->count; i++)
		if (is_of(&folding->groups[i], key, failure))
			return &folding->groups[i];
	if (!tl_grow(tl_storage(), &groups, &folding->capacity, folding->count, sizeof(*folding->groups)))
		return NULL;
	folding->groups = groups;
	group = &folding->groups[folding->count];
	*group = (struct group){.failure = failure != NULL ? strdup(failure) : NULL};
	if (failure != NULL && group->failure == NULL)
		return NULL;
	group->key = *key;
	*key = (struct stack_key){.words = NULL};
	folding->count++;
	return group;
}

static enum tl_status add_thread(struct folding *folding, tl_u32 number, struct tl_error *error)
{
	struct tl_session *session = folding->cli->session;
	struct stack_key key = {.words = NULL};
	struct tl_error why = {0};
	struct group *group = NULL;
	enum tl_status status = tl_session_select_thread(session, tl_session_numbered_thread(session, number), &why);

	if (status == TL_OK)
		status = read_key(folding, &key, &why);
	if (status == TL_ERROR_CANCELLED || status == TL_ERROR_NO_MEMORY)
		*error = why;
	else {
		group = group_of(folding, &key, status != TL_OK ? why.text : NULL);
		status = group != NULL ? tl_thread_list_add(&group->threads, number, error)
				       : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the stacks of threads");
	}
	release_key(&key);
	return status;
}

/* The largest first; of the same size that with the lowest number. What has no stack comes last. */
static int by_size(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	if ((a->failure != NULL) != (b->failure != NULL))
		return a->failure != NULL ? 1 : -1;
	if (a->threads.count != b->threads.count)
		return a->threads.count < b->threads.count ? 1 : -1;
	return a->threads.items[0] < b->threads.items[0] ? -1 : 1;
}

/* ---- Showing ---- */

static void show_header(struct tl_cli *cli, const struct group *group)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);

	if (group->threads.count == 1) {
		tl_output_format(&text, "\nThread %u (", group->threads.items[0]);
		tl_thread_write_target_id(cli, tl_session_numbered_thread(cli->session, group->threads.items[0]),
					  &text);
		tl_output_text(&text, "):\n");
	} else {
		tl_output_text(&text, "\nThreads ");
		tl_thread_list_write(cli, &group->threads, &text);
		tl_output_format(&text, " (%llu):\n", (unsigned long long)group->threads.count);
	}
	tl_screen_text(&cli->screen, tl_output_string(&text));
	tl_output_release(&text);
}

static enum tl_status show_frames(const struct folding *folding, const struct group *group, struct tl_error *error)
{
	const unsigned parts = TL_FRAME_LEVEL | TL_FRAME_ARGUMENTS | (group->threads.count > 1 ? TL_FRAME_SHARED : 0u);
	struct tl_cli *cli = folding->cli;
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;

	TL_TRY(tl_session_select_thread(cli->session, tl_session_numbered_thread(cli->session, group->threads.items[0]),
					error));
	TL_TRY(tl_session_stack(cli->session, &stack, error));
	for (tl_u32 i = 0; tl_stack_frame(stack, i, &frame, error) == TL_OK; i++) {
		if (tl_cli_cancelled(cli))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
		if (i == folding->most) {
			if (tl_cli_typed(cli))
				tl_screen_text(&cli->screen, "(More stack frames follow...)\n");
			return TL_OK;
		}
		TL_TRY(tl_frame_print(cli, frame, parts, error));
	}
	if (tl_stack_end(stack) != NULL)
		tl_screen_format(&cli->screen, "Backtrace stopped: %s\n", tl_stack_end(stack));
	return TL_OK;
}

static enum tl_status fold(struct folding *folding, struct tl_error *error)
{
	struct tl_thread_list numbers;
	enum tl_status status = TL_OK;

	TL_TRY(tl_threads_all(folding->cli, &numbers, error));
	for (tl_size i = 0; i < numbers.count && status == TL_OK; i++)
		status = add_thread(folding, numbers.items[i], error);
	tl_thread_list_release(&numbers);
	TL_TRY(status);
	if (folding->count != 0)
		qsort(folding->groups, folding->count, sizeof(*folding->groups), by_size);
	for (tl_size i = 0; i < folding->count && status == TL_OK; i++) {
		show_header(folding->cli, &folding->groups[i]);
		if (folding->groups[i].failure != NULL)
			tl_screen_format(&folding->cli->screen, "%s\n", folding->groups[i].failure);
		else
			status = show_frames(folding, &folding->groups[i], error);
	}
	return status;
}

enum tl_status tl_thread_stacks(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	struct tl_thread_id selected = tl_session_thread(cli->session);
	tl_u32 level = tl_session_level(cli->session);
	struct folding folding = {.cli = cli, .most = TL_U32_MAX};
	enum tl_status status;
	tl_i64 count;

	(void)line;
	if (words[0] != '\0') {
		TL_TRY(tl_cli_number(cli, words, &count, error));
		if (count <= 0 || count > TL_U32_MAX)
			return TL_FAIL(error, TL_ERROR_ARGUMENT,
				       "How many frames count is a number from 1 on. Example: thread stacks 3");
		folding.most = (tl_u32)count;
	}
	status = fold(&folding, error);
	for (tl_size i = 0; i < folding.count; i++) {
		release_key(&folding.groups[i].key);
		free(folding.groups[i].failure);
		tl_thread_list_release(&folding.groups[i].threads);
	}
	tl_release(tl_storage(), folding.groups, folding.capacity * sizeof(*folding.groups));
	if (selected.thread != 0 && tl_session_select_thread(cli->session, selected, NULL) == TL_OK)
		(void)!tl_session_select_frame(cli->session, level, NULL);
	return status;
}
