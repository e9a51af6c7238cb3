/* Frames and their variables. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/frame_details.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/running.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include <stdlib.h>
#include <string.h>

/* ---- backtrace ---- */

struct locals {
	struct tl_cli *cli;
	const char *indent;
	tl_size count;
};

static bool show_variable(void *context, const struct tl_frame_variable *variable)
{
	struct locals *locals = context;
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);

	tl_value_write(locals->cli, variable->name, variable->value, variable->failure, &text);
	tl_screen_format(&locals->cli->screen, "%s%s%s%s = %s\n", locals->indent,
			 tl_screen_style(&locals->cli->screen, TL_STYLE_VARIABLE),
			 variable->name != NULL ? variable->name : "<anonymous>",
			 tl_screen_style(&locals->cli->screen, TL_STYLE_PLAIN), tl_output_string(&text));
	tl_output_release(&text);
	locals->count++;
	return !tl_cli_cancelled(locals->cli);
}

/* The variables of the selected frame. */
static enum tl_status show_variables(struct tl_cli *cli, bool parameters, const char *indent, struct tl_error *error)
{
	struct locals locals = {cli, indent, 0};
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	const struct tl_stack_frame *frame;

	TL_TRY(tl_session_frame(cli->session, &frame, error));
	/* Assembler has lines, and no variables; so has what signal handlers return to, which is no function. */
	if (!frame->has_function &&
	    (frame->signal && !parameters ? !tl_frame_has_unit(frame) : tl_frame_language(frame) == NULL)) {
		tl_screen_format(&cli->screen, "%sNo symbol table info available.\n", indent);
		return TL_OK;
	}
	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	if (frame->has_function)
		TL_TRY(tl_environment_variables(store, parameters, show_variable, &locals, error));
	if (locals.count == 0)
		tl_screen_format(&cli->screen, "%sNo %s.\n", indent, parameters ? "arguments" : "locals");
	return TL_OK;
}

struct backtrace {
	bool full;
	tl_i64 count; /* 0: all; negative: the outermost ones */
};

static enum tl_status read_backtrace(struct tl_cli *cli, const char *words, struct backtrace *backtrace_ret,
				     struct tl_error *error)
{
	struct backtrace backtrace = {0};

	while (tl_words_take(&words, "full") || tl_words_take(&words, "-full"))
		backtrace.full = true;
	if (*words != '\0') {
		TL_TRY(tl_cli_number(cli, words, &backtrace.count, error));
		if (backtrace.count == 0)
			backtrace.count = TL_U32_MAX;
	}
	*backtrace_ret = backtrace;
	return TL_OK;
}

static enum tl_status show_frame(struct tl_cli *cli, const struct tl_stack_frame *frame, bool full,
				 struct tl_error *error)
{
	tl_u32 level = tl_session_level(cli->session);
	enum tl_status status;

	TL_TRY(tl_frame_print(cli, frame, TL_FRAME_LEVEL | TL_FRAME_ARGUMENTS, error));
	if (!full || frame->signal)
		return TL_OK;
	TL_TRY(tl_session_select_frame(cli->session, frame->level, error));
	status = show_variables(cli, false, "        ", error);
	TL_TRY(tl_session_select_frame(cli->session, level, error));
	return status;
}

/* How many frames there are. */
static tl_u32 count_frames(struct tl_cli *cli, struct tl_stack *stack)
{
	const struct tl_stack_frame *frame;
	tl_u32 count = 0;

	while (tl_stack_frame(stack, count, &frame, NULL) == TL_OK && !tl_cli_cancelled(cli))
		count++;
	return count;
}

static enum tl_status backtrace(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	const struct tl_stack_frame *frame;
	struct backtrace wanted;
	struct tl_stack *stack;
	tl_u32 first = 0, shown = 0;

	(void)line;
	TL_TRY(read_backtrace(cli, words, &wanted, error));
	TL_TRY(tl_session_stack(cli->session, &stack, error));
	if (wanted.count < 0) {
		tl_u32 all = count_frames(cli, stack);

		first = (tl_i64)all > -wanted.count ? all - (tl_u32)-wanted.count : 0;
	}
	while (tl_stack_frame(stack, first + shown, &frame, error) == TL_OK) {
		if (tl_cli_cancelled(cli))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
		if (wanted.count > 0 && shown == wanted.count) {
			if (tl_cli_typed(cli))
				tl_screen_text(&cli->screen, "(More stack frames follow...)\n");
			return TL_OK;
		}
		TL_TRY(show_frame(cli, frame, wanted.full, error));
		shown++;
	}
	if (shown == 0)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "No stack.");
	if (tl_stack_end(stack) != NULL)
		tl_screen_format(&cli->screen, "Backtrace stopped: %s\n", tl_stack_end(stack));
	return TL_OK;
}

static enum tl_status run_backtrace(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, backtrace, error);
}

/* ---- frame, up, down ---- */

static enum tl_status find_function(struct tl_cli *cli, const char *name, tl_u32 *level_ret, struct tl_error *error)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;

	if (name[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing function name argument");
	TL_TRY(tl_session_stack(cli->session, &stack, error));
	for (tl_u32 level = 0; tl_stack_frame(stack, level, &frame, error) == TL_OK; level++)
		if (frame->name != NULL && strcmp(frame->name, name) == 0) {
			*level_ret = level;
			return TL_OK;
		}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "No frame for function \"%s\".", name);
}

/* The frame that words name: "function NAME", "level N", or N. */
static enum tl_status find_level(struct tl_cli *cli, const char *words, tl_u32 *level_ret, struct tl_error *error)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;
	tl_i64 level;

	if (tl_session_thread(cli->session).process == 0)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "No registers.");
	if (tl_words_take(&words, "function"))
		return find_function(cli, words, level_ret, error);
	if (tl_words_take(&words, "level") && words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (expression to compute).");
	TL_TRY(tl_session_stack(cli->session, &stack, error));
	TL_TRY(tl_cli_number(cli, words, &level, error));
	if (level < 0 || level > TL_U32_MAX || tl_stack_frame(stack, (tl_u32)level, &frame, NULL) != TL_OK)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No frame at level %lld.", (long long)level);
	*level_ret = (tl_u32)level;
	return TL_OK;
}

static enum tl_status frame(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			    struct tl_error *error)
{
	tl_u32 level;

	(void)line;
	if (words[0] != '\0') {
		TL_TRY(find_level(cli, words, &level, error));
		TL_TRY(tl_session_select_frame(cli->session, level, error));
	}
	return tl_frame_print_selected(cli, error);
}

static enum tl_status run_frame(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, frame, error);
}

static enum tl_status move(struct tl_cli *cli, const struct tl_command_line *line, int direction, bool silently,
			   struct tl_error *error)
{
	const struct tl_stack_frame *reached;
	struct tl_stack *stack;
	char *words;
	tl_i64 count = 1, level;
	enum tl_status status = TL_OK;

	TL_TRY(tl_words_copy(line, &words, error));
	if (words[0] != '\0')
		status = tl_cli_number(cli, words, &count, error);
	free(words);
	TL_TRY(status);
	TL_TRY(tl_session_stack(cli->session, &stack, error));
	level = tl_session_level(cli->session) + count * direction;
	if (level < 0 && tl_session_level(cli->session) == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Bottom (innermost) frame selected; you cannot go down.");
	if (level < 0)
		level = 0;
	if (level > TL_U32_MAX - 1 || tl_stack_frame(stack, (tl_u32)level, &reached, NULL) != TL_OK) {
		tl_u32 last = count_frames(cli, stack) - 1;

		if (tl_session_level(cli->session) == last)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Initial frame selected; you cannot go up.");
		level = last;
	}
	TL_TRY(tl_session_select_frame(cli->session, (tl_u32)level, error));
	return silently ? TL_OK : tl_frame_print_selected(cli, error);
}

static enum tl_status run_up(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return move(cli, line, 1, false, error);
}

static enum tl_status run_down(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return move(cli, line, -1, false, error);
}

static enum tl_status run_up_silently(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return move(cli, line, 1, true, error);
}

static enum tl_status run_down_silently(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return move(cli, line, -1, true, error);
}

static enum tl_status select_frame(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				   struct tl_error *error)
{
	tl_u32 level;

	(void)line;
	if (words[0] == '\0')
		return TL_OK;
	TL_TRY(find_level(cli, words, &level, error));
	return tl_session_select_frame(cli->session, level, error);
}

static enum tl_status run_select_frame(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, select_frame, error);
}

/* ---- info ---- */

static enum tl_status need_frame(struct tl_cli *cli, struct tl_error *error)
{
	return tl_session_thread(cli->session).process != 0
		       ? TL_OK
		       : TL_FAIL(error, TL_ERROR_NOT_RUNNING, "No frame selected.");
}

static enum tl_status run_info_locals(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line;
	TL_TRY(need_frame(cli, error));
	return show_variables(cli, false, "", error);
}

static enum tl_status run_info_args(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line;
	TL_TRY(need_frame(cli, error));
	return show_variables(cli, true, "", error);
}

static enum tl_status info_frame(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				 struct tl_error *error)
{
	tl_u32 level;

	(void)line;
	if (words[0] == '\0')
		return tl_frame_print_details(cli, NULL, error);
	TL_TRY(find_level(cli, words, &level, error));
	return tl_frame_print_details(cli, &level, error);
}

static enum tl_status run_info_frame(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, info_frame, error);
}

const struct tl_command tl_commands_stack[] = {
	{.name = "backtrace",
	 .shorts = "bt where",
	 .flags = TL_COMMAND_FORMAT,
	 .arguments = "[full] [COUNT]",
	 .summary = "Print backtrace of all stack frames, or innermost COUNT frames",
	 .details = "With a negative count, the outermost ones. With full, the local variables of each frame besides.\n"
		    "Example: backtrace full 3",
	 .run = run_backtrace},
	{.name = "frame",
	 .shorts = "f",
	 .subcommands = tl_commands_frame_apply,
	 .arguments = "[LEVEL | function NAME]",
	 .summary = "Select and print a stack frame",
	 .details = "Without words: print the selected one. 0 is the innermost.\nExample: frame 2, frame function main",
	 .run = run_frame},
	{.name = "up",
	 .flags = TL_COMMAND_REPEAT,
	 .arguments = "[COUNT]",
	 .summary = "Select and print stack frame that called this one",
	 .details = "Example: up 2",
	 .run = run_up},
	{.name = "down",
	 .shorts = "do dow",
	 .flags = TL_COMMAND_REPEAT,
	 .arguments = "[COUNT]",
	 .summary = "Select and print stack frame called by this one",
	 .details = "Example: down",
	 .run = run_down},
	{.name = "up-silently",
	 .arguments = "[COUNT]",
	 .summary = "Same as the `up' command, but does not print anything",
	 .details = "For commands of commands. Example: up-silently 2",
	 .run = run_up_silently},
	{.name = "down-silently",
	 .arguments = "[COUNT]",
	 .summary = "Same as the `down' command, but does not print anything",
	 .details = "Example: down-silently",
	 .run = run_down_silently},
	{.name = "select-frame",
	 .arguments = "[LEVEL | function NAME]",
	 .summary = "Select a stack frame without printing anything",
	 .details = "Example: select-frame 2, select-frame function main",
	 .run = run_select_frame},
	{0},
};

const struct tl_command tl_commands_stack_info[] = {
	{.name = "locals",
	 .shorts = "lo",
	 .summary = "All local variables of current stack frame",
	 .details = "Those of the innermost block come first.\nExample: info locals",
	 .run = run_info_locals},
	{.name = "args",
	 .shorts = "ar",
	 .summary = "All argument variables of current stack frame",
	 .details = "Example: info args",
	 .run = run_info_args},
	{.name = "frame",
	 .shorts = "f",
	 .arguments = "[LEVEL | level LEVEL | function NAME]",
	 .summary = "All about the selected stack frame, or another one",
	 .details = "The selected frame stays the same.\nExample: info frame, info frame 2, info frame function main",
	 .run = run_info_frame},
	{.name = "stack",
	 .shorts = "s",
	 .arguments = "[full] [COUNT]",
	 .summary = "Backtrace of the stack, or innermost COUNT frames",
	 .details = "Example: info stack",
	 .run = run_backtrace},
	{0},
};
