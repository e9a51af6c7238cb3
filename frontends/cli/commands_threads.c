/* Threads, and what runs. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/points.h"
#include "frontends/cli/running.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include "debugger/session/signal_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64

/* ---- Which there are ---- */

struct numbers {
	tl_u32 *items;
	tl_size count, capacity;
};

static int by_number(const void *left, const void *right)
{
	tl_u32 a = *(const tl_u32 *)left, b = *(const tl_u32 *)right;

	return (a > b) - (a < b);
}

/* All threads by their numbers, which belong to the caller. */
static enum tl_status collect(struct tl_cli *cli, struct numbers *numbers_ret, struct tl_error *error)
{
	const struct tl_engine *engine = tl_session_engine(cli->session);
	struct numbers numbers = {0};
	struct tl_thread_info info;
	tl_u64 born = 0;

	for (; tl_engine_younger_thread(engine, born, &info); born = info.born) {
		tl_u32 number = tl_session_thread_number(cli->session, info.id);

		if (number == 0)
			continue;
		if (numbers.count == numbers.capacity) {
			tl_size capacity = numbers.capacity * 2 + 16;
			tl_u32 *grown = realloc(numbers.items, capacity * sizeof(*grown));

			if (grown == NULL) {
				free(numbers.items);
				return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the list of threads");
			}
			numbers.items = grown;
			numbers.capacity = capacity;
		}
		numbers.items[numbers.count++] = number;
	}
	if (numbers.count > 0)
		qsort(numbers.items, numbers.count, sizeof(*numbers.items), by_number);
	*numbers_ret = numbers;
	return TL_OK;
}

/* "" where it has none. */
static void read_name(struct tl_cli *cli, struct tl_thread_id thread, char name[NAME_MAX_BYTES])
{
	tl_size done = 0;
	struct tl_target *target = cli->target;

	if (target->ops->read_object == NULL || target->ops->read_object(target, thread, TL_OBJECT_THREAD_NAME, 0, name,
									 NAME_MAX_BYTES - 1, &done) != TL_OK)
		done = 0;
	name[done] = '\0';
}

/* 'Thread 0x7ffff7d8a740 (LWP 123) "name"' */
static void write_target_id(struct tl_cli *cli, struct tl_thread_id thread, struct tl_output *output)
{
	char name[NAME_MAX_BYTES];

	tl_thread_write_name(cli, thread, output);
	read_name(cli, thread, name);
	if (name[0] != '\0')
		tl_output_format(output, " \"%s\"", name);
}

/* ---- info threads ---- */

static enum tl_status list_threads(struct tl_cli *cli, const struct numbers *numbers, struct tl_error *error)
{
	struct tl_thread_id selected = tl_session_thread(cli->session);
	struct tl_output id = tl_output_make(512);
	tl_u32 level = tl_session_level(cli->session);
	tl_size widest = 17;
	enum tl_status status = TL_OK;

	for (tl_size i = 0; i < numbers->count; i++) {
		tl_output_reset(&id);
		write_target_id(cli, tl_session_numbered_thread(cli->session, numbers->items[i]), &id);
		widest = id.size > widest ? id.size : widest;
	}
	tl_screen_format(&cli->screen, "  Id   %-*s Frame \n", (int)widest, "Target Id");
	for (tl_size i = 0; i < numbers->count && status == TL_OK && !tl_cli_cancelled(cli); i++) {
		struct tl_thread_id thread = tl_session_numbered_thread(cli->session, numbers->items[i]);
		const struct tl_stack_frame *frame;

		tl_output_reset(&id);
		write_target_id(cli, thread, &id);
		tl_screen_format(&cli->screen, "%c %-4u %-*s ", thread.thread == selected.thread ? '*' : ' ',
				 numbers->items[i], (int)widest, tl_output_string(&id));
		if (tl_session_running(cli->session)) {
			tl_screen_text(&cli->screen, "(running)\n");
			continue;
		}
		/* Of the selected one, too, the innermost frame. */
		status = tl_session_select_thread(cli->session, thread, error);
		if (status == TL_OK)
			status = tl_session_select_frame(cli->session, 0, error);
		if (status == TL_OK && tl_session_frame(cli->session, &frame, error) == TL_OK)
			status = tl_frame_print(cli, frame, TL_FRAME_ARGUMENTS, error);
		else if (status == TL_OK)
			tl_screen_format(&cli->screen, "%s\n", error->text);
	}
	tl_output_release(&id);
	if (!tl_session_running(cli->session) && selected.thread != 0 &&
	    tl_session_select_thread(cli->session, selected, NULL) == TL_OK)
		(void)!tl_session_select_frame(cli->session, level, NULL);
	return status;
}

static enum tl_status run_info_threads(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct numbers numbers;
	enum tl_status status;

	(void)line;
	TL_TRY(collect(cli, &numbers, error));
	if (numbers.count == 0) {
		tl_screen_text(&cli->screen, "No threads.\n");
		return TL_OK;
	}
	status = list_threads(cli, &numbers, error);
	free(numbers.items);
	return status;
}

/* ---- thread ---- */

static enum tl_status current(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_thread_id thread = tl_session_thread(cli->session);
	struct tl_output name = tl_output_make(512);

	(void)error;
	if (thread.thread == 0) {
		tl_screen_text(&cli->screen, "No thread selected\n");
		return TL_OK;
	}
	tl_thread_write_name(cli, thread, &name);
	tl_screen_format(&cli->screen, "[Current thread is %u (%s)]\n", tl_session_thread_number(cli->session, thread),
			 tl_output_string(&name));
	tl_output_release(&name);
	return TL_OK;
}

static enum tl_status thread(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			     struct tl_error *error)
{
	struct tl_output name = tl_output_make(512);
	struct tl_thread_id id;
	tl_i64 number;

	(void)line;
	if (words[0] == '\0')
		return current(cli, error);
	TL_TRY(tl_cli_number(cli, words, &number, error));
	id = number > 0 && number < TL_U32_MAX ? tl_session_numbered_thread(cli->session, (tl_u32)number)
					       : (struct tl_thread_id){0, 0};
	if (id.thread == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unknown thread %lld.", (long long)number);
	TL_TRY(tl_session_select_thread(cli->session, id, error));
	cli->last_thread = id;
	tl_thread_write_name(cli, id, &name);
	tl_screen_format(&cli->screen, "[Switching to thread %lld (%s)]", (long long)number, tl_output_string(&name));
	tl_output_release(&name);
	if (tl_session_running(cli->session)) {
		tl_screen_text(&cli->screen, "(running)\n");
		return TL_OK;
	}
	tl_screen_text(&cli->screen, "\n");
	TL_TRY(tl_session_select_frame(cli->session, 0, error));
	return tl_frame_print_selected(cli, error);
}

static enum tl_status run_thread(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, thread, error);
}

/* ---- thread apply ---- */

struct application {
	const char *command;
	bool quiet, silent, go_on; /* -q, -s, -c */
};

static enum tl_status apply_one(struct tl_cli *cli, const struct application *application, tl_u32 number,
				struct tl_error *error)
{
	struct tl_thread_id id = tl_session_numbered_thread(cli->session, number);
	struct tl_output name = tl_output_make(512);
	enum tl_status status;

	if (id.thread == 0) {
		char text[64];

		(void)snprintf(text, sizeof(text), "warning: Unknown thread %u", number);
		tl_screen_complain(&cli->screen, text);
		return TL_OK;
	}
	TL_TRY(tl_session_select_thread(cli->session, id, error));
	if (!application->quiet) {
		write_target_id(cli, id, &name);
		tl_screen_format(&cli->screen, "\nThread %u (%s):\n", number, tl_output_string(&name));
		tl_output_release(&name);
	}
	status = tl_execute_line(cli, application->command, error);
	if (status == TL_OK || status == TL_ERROR_CANCELLED || (!application->go_on && !application->silent))
		return status;
	if (!application->silent)
		tl_screen_format(&cli->screen, "%s\n", error->text);
	return TL_OK;
}

static enum tl_status note(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location, struct tl_error *error)
{
	struct numbers *numbers = context;

	(void)cli, (void)location;
	if (numbers->count == numbers->capacity)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "Too many threads are named.");
	numbers->items[numbers->count++] = number;
	return TL_OK;
}

/* Where the list of numbers ends and the command begins. */
static tl_size list_size(const char *words)
{
	tl_size size = 0;

	while (words[size] != '\0' && strchr("0123456789-. \t", words[size]) != NULL)
		size++;
	return size;
}

static enum tl_status read_list(struct tl_cli *cli, const char **words, struct numbers *numbers_ret, bool *all_ret,
				struct tl_error *error)
{
	static const tl_size most = 4096;
	struct numbers numbers = {.capacity = most};
	tl_size size;
	char *list;
	enum tl_status status;

	*all_ret = tl_words_take(words, "all");
	if (*all_ret)
		return collect(cli, numbers_ret, error);
	size = list_size(*words);
	if (size == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "Please specify a thread ID list. Example: thread apply 1-3 backtrace");
	numbers.items = calloc(most, sizeof(*numbers.items));
	list = strndup(*words, size);
	status = numbers.items == NULL || list == NULL ? TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the list")
						       : tl_numbers_each(cli, list, note, &numbers, error);
	free(list);
	if (status != TL_OK) {
		free(numbers.items);
		return status;
	}
	*words += size;
	*numbers_ret = numbers;
	return TL_OK;
}

static enum tl_status apply(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			    struct tl_error *error)
{
	struct tl_thread_id selected = tl_session_thread(cli->session);
	tl_u32 level = tl_session_level(cli->session);
	struct application application = {0};
	struct numbers numbers = {0};
	bool all, ascending = false;
	enum tl_status status = TL_OK;

	(void)line;
	TL_TRY(read_list(cli, &words, &numbers, &all, error));
	for (;;) {
		if (tl_words_take(&words, "-ascending"))
			ascending = true;
		else if (tl_words_take(&words, "-q"))
			application.quiet = true;
		else if (tl_words_take(&words, "-s"))
			application.silent = true;
		else if (tl_words_take(&words, "-c"))
			application.go_on = true;
		else
			break;
	}
	application.command = words;
	if (words[0] == '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT,
				 "Please specify a command at the end of 'thread apply'. Example: thread apply all bt");
	for (tl_size i = 0; i < numbers.count && status == TL_OK; i++) {
		/* As in gdb, "all" begins with the youngest. */
		tl_size at = all && !ascending ? numbers.count - 1 - i : i;

		status = tl_cli_cancelled(cli) ? TL_FAIL(error, TL_ERROR_CANCELLED, "Quit")
					       : apply_one(cli, &application, numbers.items[at], error);
	}
	free(numbers.items);
	if (selected.thread != 0 && tl_session_select_thread(cli->session, selected, NULL) == TL_OK)
		(void)!tl_session_select_frame(cli->session, level, NULL);
	return status;
}

static enum tl_status run_apply(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, apply, error);
}

static enum tl_status find(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			   struct tl_error *error)
{
	struct tl_output name = tl_output_make(512);
	struct numbers numbers;
	bool found = false;

	(void)line;
	TL_TRY(collect(cli, &numbers, error));
	for (tl_size i = 0; i < numbers.count; i++) {
		struct tl_thread_id id = tl_session_numbered_thread(cli->session, numbers.items[i]);
		char own[NAME_MAX_BYTES];

		read_name(cli, id, own);
		if (strstr(own, words) != NULL) {
			tl_screen_format(&cli->screen, "Thread %u has target name '%s'\n", numbers.items[i], own);
			found = true;
			continue;
		}
		tl_output_reset(&name);
		tl_thread_write_name(cli, id, &name);
		if (strstr(tl_output_string(&name), words) == NULL)
			continue;
		tl_screen_format(&cli->screen, "Thread %u has target id '%s'\n", numbers.items[i],
				 tl_output_string(&name));
		found = true;
	}
	if (!found)
		tl_screen_format(&cli->screen, "No threads match '%s'\n", words);
	tl_output_release(&name);
	free(numbers.items);
	return TL_OK;
}

static enum tl_status run_find(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, find, error);
}

/* ---- info program, info inferiors ---- */

static enum tl_status run_info_program(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output name = tl_output_make(512);
	const struct tl_stack_frame *frame;

	(void)line;
	if (!tl_session_alive(cli->session)) {
		tl_screen_text(&cli->screen, "The program being debugged is not being run.\n");
		return TL_OK;
	}
	tl_thread_write_name(cli, tl_session_thread(cli->session), &name);
	tl_screen_format(&cli->screen, "\tUsing the running image of %s %s.\n",
			 tl_session_attached(cli->session) ? "attached" : "child", tl_output_string(&name));
	tl_output_release(&name);
	if (tl_session_running(cli->session)) {
		tl_screen_text(&cli->screen, "It is running.\n");
		return TL_OK;
	}
	TL_TRY(tl_session_frame(cli->session, &frame, error));
	tl_screen_format(&cli->screen, "Program stopped at 0x%llx.\n", (unsigned long long)frame->program_counter);
	if (cli->told.kind == TL_STOP_STEPPED)
		tl_screen_text(&cli->screen, "It stopped after being stepped.\n");
	else if (cli->told.number_count > 0)
		tl_screen_format(&cli->screen, "It stopped at breakpoint %u.\n", cli->told.numbers[0]);
	else if (cli->told.kind == TL_STOP_SIGNAL)
		tl_screen_format(&cli->screen, "It stopped with signal %s, %s.\n", tl_signal_name(cli->told.signal),
				 tl_signal_text(cli->told.signal));
	tl_screen_text(&cli->screen, "Type \"info stack\" or \"info registers\" for more information.\n");
	return TL_OK;
}

static enum tl_status run_info_inferiors(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	const char *program = tl_session_program(cli->session);
	char name[32] = "<null>";

	(void)line, (void)error;
	if (tl_session_alive(cli->session))
		(void)snprintf(name, sizeof(name), "process %llu",
			       (unsigned long long)tl_session_thread(cli->session).process);
	tl_screen_format(&cli->screen,
			 "  Num  Description       Connection           Executable        \n"
			 "* 1    %-17s %-20s %-17s \n",
			 name, tl_session_alive(cli->session) ? "1 (native)" : "", program != NULL ? program : "");
	return TL_OK;
}

static const struct tl_command thread_rows[] = {
	{.name = "apply",
	 .arguments = "all | NUMBERS [-q] [-c] [-s] [-ascending] COMMAND",
	 .summary = "Apply a command to a list of threads",
	 .details =
		 "-q says no names, -c goes on after errors, -s does not even tell them. The youngest is first with\n"
		 "\"all\", unless -ascending is given.\n"
		 "Example: thread apply all backtrace",
	 .flags = TL_COMMAND_STOPPED,
	 .run = run_apply},
	{.name = "find",
	 .arguments = "TEXT",
	 .summary = "Find threads whose name or id has a text in it",
	 .details = "Example: thread find worker",
	 .run = run_find},
	{0},
};

const struct tl_command tl_commands_threads[] = {
	{.name = "thread",
	 .shorts = "t",
	 .subcommands = thread_rows,
	 .arguments = "[NUMBER]",
	 .summary = "Use this command to switch between threads",
	 .details = "Without a number: which one is selected.\nExample: thread 2",
	 .run = run_thread},
	{0},
};

const struct tl_command tl_commands_threads_info[] = {
	{.name = "inferiors",
	 .summary = "Print a list of inferiors being managed",
	 .details = "Example: info inferiors",
	 .run = run_info_inferiors},
	{.name = "threads",
	 .summary = "Display currently known threads",
	 .details = "The selected one is marked by *.\nExample: info threads",
	 .run = run_info_threads},
	{.name = "program",
	 .summary = "Execution status of the program",
	 .details = "Example: info program",
	 .run = run_info_program},
	{0},
};
