/* One command for many threads or frames. */
#include "frontends/cli/apply.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/thread_ids.h"
#include "frontends/cli/threads.h"
#include "frontends/cli/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- thread apply ---- */

static void write_thread_header(struct tl_cli *cli, const void *context)
{
	tl_screen_text(&cli->screen, context);
}

static enum tl_status apply_to_thread(struct tl_cli *cli, const struct tl_application *application,
				      const struct tl_thread_named *named, struct tl_error *error)
{
	struct tl_thread_id id = tl_session_numbered_thread(cli->session, named->global);
	struct tl_output header;
	enum tl_status status;
	char label[32];

	tl_thread_named_write(cli, named, label, sizeof(label));
	if (id.thread == 0) {
		char text[64];

		(void)snprintf(text, sizeof(text), "warning: Unknown thread %s", label);
		tl_screen_complain(&cli->screen, text);
		return TL_OK;
	}
	TL_TRY(tl_session_select_thread(cli->session, id, error));
	/* Beforehand: the command may end the thread. */
	header = tl_output_make(512);
	if (!application->quiet) {
		tl_output_format(&header, "\nThread %s (", label);
		tl_thread_write_target_id(cli, id, &header);
		tl_output_text(&header, "):\n");
	}
	status = tl_application_run(cli, application, write_thread_header, tl_output_string(&header), error);
	tl_output_release(&header);
	return status;
}

static enum tl_status apply_to_threads(struct tl_cli *cli, const struct tl_application *application,
				       const struct tl_named_threads *threads, bool youngest_first,
				       struct tl_error *error)
{
	struct tl_thread_id selected = tl_session_thread(cli->session);
	tl_u32 level = tl_session_level(cli->session), inferior = tl_session_current_inferior(cli->session);
	enum tl_status status = TL_OK;

	for (tl_size i = 0; i < threads->count && status == TL_OK; i++) {
		tl_size at = youngest_first ? threads->count - 1 - i : i;

		status = tl_cli_cancelled(cli) ? TL_FAIL(error, TL_ERROR_CANCELLED, "Quit")
					       : apply_to_thread(cli, application, &threads->items[at], error);
	}
	if (tl_session_select_inferior(cli->session, inferior, NULL) == TL_OK && selected.thread != 0 &&
	    tl_session_select_thread(cli->session, selected, NULL) == TL_OK)
		(void)!tl_session_select_frame(cli->session, level, NULL);
	return status;
}

/* As in gdb, "all" begins with the youngest. */
static enum tl_status apply_to_all_threads(struct tl_cli *cli, struct tl_application *application, const char *words,
					   struct tl_error *error)
{
	struct tl_named_threads threads = {0};
	enum tl_status status;

	application->of = "thread apply all";
	application->has_order = true;
	TL_TRY(tl_application_read(application, words, error));
	status = tl_thread_ids_all(cli, &threads, error);
	if (status == TL_OK)
		status = apply_to_threads(cli, application, &threads, !application->ascending, error);
	free(threads.items);
	return status;
}

static enum tl_status thread_apply(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				   struct tl_error *error)
{
	struct tl_application application = {.of = "thread apply"};
	struct tl_named_threads threads = {0};
	const char *at = words;
	enum tl_status status;

	(void)line;
	if (tl_words_take(&words, "all"))
		return apply_to_all_threads(cli, &application, words, error);
	status = tl_thread_ids_take(cli, &at, &threads, error);
	if (status == TL_OK && at == words)
		status = *at != '\0' && *at != '-'
				 ? TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid thread ID: %s", words)
				 : TL_FAIL(error, TL_ERROR_ARGUMENT,
					   "Please specify a thread ID list. Example: thread apply 1-3 backtrace");
	if (status == TL_OK)
		status = tl_application_read(&application, at, error);
	if (status == TL_OK)
		status = apply_to_threads(cli, &application, &threads, false, error);
	free(threads.items);
	return status;
}

enum tl_status tl_command_thread_apply(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, thread_apply, error);
}

/* ---- frame apply ---- */

static void write_frame_header(struct tl_cli *cli, const void *context)
{
	(void)!tl_frame_print(cli, context, TL_FRAME_LEVEL | TL_FRAME_ARGUMENTS, NULL);
}

static enum tl_status apply_to_frame(struct tl_cli *cli, const struct tl_application *application, tl_u32 level,
				     struct tl_error *error)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;

	if (tl_cli_cancelled(cli))
		return TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
	/* Anew each time: the command may have written where the frames are. */
	TL_TRY(tl_session_stack(cli->session, &stack, error));
	TL_TRY(tl_stack_frame(stack, level, &frame, error));
	TL_TRY(tl_session_select_frame(cli->session, level, error));
	return tl_application_run(cli, application, write_frame_header, frame, error);
}

static bool has_frame(struct tl_cli *cli, tl_u32 level)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;

	return tl_session_stack(cli->session, &stack, NULL) == TL_OK &&
	       tl_stack_frame(stack, level, &frame, NULL) == TL_OK;
}

/* The frames from one level on, at most so many; negative: the outermost ones. */
static enum tl_status apply_to_row(struct tl_cli *cli, const struct tl_application *application, tl_i64 count,
				   struct tl_error *error)
{
	tl_u32 level = tl_session_level(cli->session), first = 0;
	struct tl_stack *stack;
	enum tl_status status = TL_OK;

	TL_TRY(tl_session_stack(cli->session, &stack, error));
	if (count < 0) {
		tl_u32 all = 0;

		while (has_frame(cli, all) && !tl_cli_cancelled(cli))
			all++;
		first = -count < all ? all - (tl_u32)-count : 0;
		count = TL_U32_MAX;
	}
	for (tl_u32 i = first; i - first < count && status == TL_OK && has_frame(cli, i); i++)
		status = apply_to_frame(cli, application, i, error);
	(void)!tl_session_select_frame(cli->session, level, NULL);
	return status;
}

/* No stack has a frame of a higher level that anybody would name. */
#define LEVEL_MAX 10000000

/* Takes a level or a range of them, "3-5", from the front of a text; false where there is none. */
static bool take_levels(const char **at, tl_u32 *first_ret, tl_u32 *last_ret)
{
	char *end;
	unsigned long first, last;

	if (!isdigit((unsigned char)**at))
		return false;
	first = last = strtoul(*at, &end, 10);
	if (*end == '-' && isdigit((unsigned char)end[1]))
		last = strtoul(end + 1, &end, 10);
	if ((*end != ' ' && *end != '\t' && *end != '\0') || last < first || last > LEVEL_MAX)
		return false;
	*at = end + strspn(end, " \t");
	*first_ret = (tl_u32)first;
	*last_ret = (tl_u32)last;
	return true;
}

/* `frame apply level 0 3-5 …` */
static enum tl_status apply_to_levels(struct tl_cli *cli, struct tl_application *application, const char *words,
				      struct tl_error *error)
{
	tl_u32 selected = tl_session_level(cli->session), first = 0, last = 0;
	const char *at = words, *command = words;
	enum tl_status status = TL_OK;

	while (take_levels(&command, &first, &last))
		;
	if (command == words)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing or invalid LEVEL... argument");
	TL_TRY(tl_application_read(application, command, error));
	while (status == TL_OK && at != command && take_levels(&at, &first, &last)) {
		for (tl_u32 i = first; i <= last && status == TL_OK; i++)
			status = has_frame(cli, i) ? apply_to_frame(cli, application, i, error)
						   : TL_FAIL(error, TL_ERROR_ARGUMENT, "No frame at level %u.", i);
	}
	(void)!tl_session_select_frame(cli->session, selected, NULL);
	return status;
}

static enum tl_status frame_apply(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				  struct tl_error *error)
{
	struct tl_application application = {.of = "frame apply"};
	char *rest = NULL;
	tl_i64 count;

	(void)line;
	if (tl_words_take(&words, "level")) {
		application.of = "frame apply level";
		return apply_to_levels(cli, &application, words, error);
	}
	if (tl_words_take(&words, "all")) {
		application.of = "frame apply all";
		TL_TRY(tl_application_read(&application, words, error));
		return apply_to_row(cli, &application, TL_U32_MAX, error);
	}
	count = strtoll(words, &rest, 10);
	if (rest == words || count == 0 || count < -(tl_i64)TL_U32_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing COUNT argument. Example: frame apply all print x");
	TL_TRY(tl_application_read(&application, rest + strspn(rest, " \t"), error));
	return apply_to_row(cli, &application, count, error);
}

static enum tl_status run_frame_apply(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, frame_apply, error);
}

/* ---- taas, faas, tfaas ---- */

static enum tl_status threads_silently(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				       struct tl_error *error)
{
	struct tl_application application = {.silent = true};

	(void)line;
	return apply_to_all_threads(cli, &application, words, error);
}

static enum tl_status run_taas(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, threads_silently, error);
}

static enum tl_status frames_silently(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				      struct tl_error *error)
{
	struct tl_application application = {.of = "frame apply all", .silent = true};

	(void)line;
	TL_TRY(tl_application_read(&application, words, error));
	return apply_to_row(cli, &application, TL_U32_MAX, error);
}

static enum tl_status run_faas(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, frames_silently, error);
}

static enum tl_status all_silently(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				   struct tl_error *error)
{
	struct tl_application application = {.silent = true};
	struct tl_output command = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status;

	(void)line;
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "Please specify a command to apply on all frames of all threads");
	tl_output_format(&command, "-- frame apply all -s %s", words);
	status = tl_output_status(&command, error);
	if (status == TL_OK)
		status = apply_to_all_threads(cli, &application, tl_output_string(&command), error);
	tl_output_release(&command);
	return status;
}

static enum tl_status run_tfaas(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, all_silently, error);
}

const struct tl_command tl_commands_frame_apply[] = {
	{.name = "apply",
	 .arguments = "all | COUNT | -COUNT | level LEVELS [-q] [-c] [-s] COMMAND",
	 .summary = "Apply a command to a number of frames",
	 .details = TL_APPLICATION_FLAGS "A negative COUNT is of the outermost frames.\n"
					 "Example: frame apply all -s info locals, frame apply level 1-3 print x",
	 .flags = TL_COMMAND_STOPPED,
	 .run = run_frame_apply,
	 .complete = tl_complete_frame_apply},
	{0},
};

const struct tl_command tl_commands_apply[] = {
	{.name = "faas",
	 .arguments = "[-q] COMMAND",
	 .summary = "Apply a command to all frames (ignoring errors and empty output)",
	 .details = "The same as frame apply all -s.\nExample: faas print count",
	 .flags = TL_COMMAND_STOPPED,
	 .run = run_faas,
	 .complete = tl_complete_commands},
	{.name = "taas",
	 .arguments = "[-q] [-ascending] COMMAND",
	 .summary = "Apply a command to all threads (ignoring errors and empty output)",
	 .details = "The same as thread apply all -s.\nExample: taas print count",
	 .flags = TL_COMMAND_STOPPED,
	 .run = run_taas},
	{.name = "tfaas",
	 .arguments = "[-q] COMMAND",
	 .summary = "Apply a command to all frames of all threads (ignoring errors and empty output)",
	 .details = "The same as thread apply all -s -- frame apply all -s.\nExample: tfaas print count",
	 .flags = TL_COMMAND_STOPPED,
	 .run = run_tfaas,
	 .complete = tl_complete_commands},
	{0},
};
