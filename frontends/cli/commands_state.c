/* Changing where the program goes on, and keeping its state: return, gcore. */
#include "debugger/session/gcore.h"
#include "debugger/session/session.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/running.h"
#include "frontends/cli/words.h"

#include <stdio.h>
#include <string.h>

/* The type that the selected function returns, to which a value is converted; void where it is not known. */
static const struct tl_type *returned_type(const struct tl_stack_frame *frame)
{
	const struct tl_type *type;
	struct tl_error error;

	if (!frame->has_function || frame->module == NULL ||
	    tl_type_of(frame->module->binary->types, &frame->chain->scopes[frame->last].entry, &type, &error) != TL_OK)
		return NULL;
	return type;
}

static enum tl_status return_value(struct tl_cli *cli, const struct tl_stack_frame *frame, const char *words,
				   struct tl_error *error)
{
	const struct tl_environment *environment;
	const struct tl_type *type = returned_type(frame);
	struct tl_value value;

	TL_TRY(tl_session_evaluate(cli->session, words, strlen(words), &value, error));
	TL_TRY(tl_session_environment(cli->session, &environment, NULL, error));
	if (type != NULL && type->kind != TL_TYPE_VOID)
		TL_TRY(tl_value_cast(&environment->values, &value, type, &value, error));
	return tl_session_return(cli->session, &value, error);
}

static enum tl_status do_return(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	const struct tl_stack_frame *frame;

	(void)line;
	TL_TRY(tl_running_stopped(cli, error));
	TL_TRY(tl_session_frame(cli->session, &frame, error));
	if (!tl_cli_query(cli, "Make %s return now? ", frame->name != NULL ? frame->name : "selected stack frame"))
		return TL_FAIL(error, TL_ERROR_CANCELLED, "Not confirmed");
	if (words[0] != '\0')
		TL_TRY(return_value(cli, frame, words, error));
	else
		TL_TRY(tl_session_return(cli->session, NULL, error));
	return tl_frame_print_selected(cli, error);
}

static enum tl_status run_return(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, do_return, error);
}

static bool go_on(void *context, tl_u64 done, tl_u64 total)
{
	(void)done;
	(void)total;
	return tl_cli_waiting(context);
}

static enum tl_status gcore(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			    struct tl_error *error)
{
	struct tl_gcore_options options = {.progress = go_on, .context = cli};
	struct tl_thread_id thread = tl_session_thread(cli->session);
	char name[64];

	(void)line;
	TL_TRY(tl_running_stopped(cli, error));
	options.first = thread;
	snprintf(name, sizeof(name), "core.%llu", (unsigned long long)thread.process);
	TL_TRY(tl_gcore_write(tl_session_engine(cli->session), thread.process, words[0] != '\0' ? words : name,
			      &options, error));
	tl_screen_format(&cli->screen, "Saved corefile %s\n", words[0] != '\0' ? words : name);
	return TL_OK;
}

static enum tl_status run_gcore(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, gcore, error);
}

const struct tl_command tl_commands_state[] = {
	{.name = "gcore",
	 .shorts = "generate-core-file",
	 .arguments = "[FILE]",
	 .summary = "Write a core dump of the program, which goes on living",
	 .details = "Without FILE it is core.PID.\n\nExample: gcore /tmp/stuck.core",
	 .run = run_gcore,
	 .complete = tl_complete_files},
	{.name = "return",
	 .arguments = "[VALUE]",
	 .summary = "Make the selected function return to its caller, without running on",
	 .details = "VALUE is converted to what the function returns.\n\nExample: return -1",
	 .run = run_return,
	 .complete = tl_complete_expressions},
	{.name = NULL},
};
