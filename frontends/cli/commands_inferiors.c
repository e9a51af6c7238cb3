/* Programs side by side: adding, selecting, ending and listing them. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/inferiors.h"
#include "frontends/cli/points.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The list ---- */

/* Is a number in a list of them; in an empty one all are. */
struct search {
	tl_u32 wanted;
	bool found;
};

static enum tl_status note(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location, struct tl_error *error)
{
	struct search *search = context;

	(void)cli, (void)location, (void)error;
	search->found |= number == search->wanted;
	return TL_OK;
}

/* Numbers as points have them, with an error that fits. */
static enum tl_status each(struct tl_cli *cli, const char *words,
			   enum tl_status (*call)(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
						  struct tl_error *error),
			   void *context, struct tl_error *error)
{
	enum tl_status status = tl_numbers_each(cli, words, call, context, error);

	if (status == TL_ERROR_ARGUMENT)
		return TL_FAIL(error, status, "Arguments must be numbers or '$' variables.");
	return status;
}

static void list_one(struct tl_cli *cli, const struct tl_inferior_info *info)
{
	struct tl_output process = tl_output_make(64), connection = tl_output_make(256);

	tl_inferior_write_process(cli, info, &process);
	tl_inferior_write_connection(cli, info, &connection);
	tl_screen_format(&cli->screen, "%c %-4u %-17s %-20s %-17s \n",
			 info->number == tl_session_current_inferior(cli->session) ? '*' : ' ', info->number,
			 tl_output_string(&process), tl_output_string(&connection),
			 info->program != NULL ? info->program : "");
	tl_output_release(&process);
	tl_output_release(&connection);
}

static enum tl_status list(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			   struct tl_error *error)
{
	struct tl_inferior_info info = {.number = 0};
	bool any = false;

	(void)line;
	while (tl_session_next_inferior(cli->session, info.number, &info)) {
		struct search search = {info.number, words[0] == '\0'};

		TL_TRY(each(cli, words, note, &search, error));
		if (!search.found)
			continue;
		if (!any)
			tl_screen_text(&cli->screen,
				       "  Num  Description       Connection           Executable        \n");
		any = true;
		list_one(cli, &info);
	}
	if (!any)
		tl_screen_text(&cli->screen, "No inferiors.\n");
	return TL_OK;
}

static enum tl_status run_info(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, list, error);
}

/* ---- inferior ---- */

/* "[Switching to inferior 2 [process 4711] (/bin/true)]" */
static void tell(struct tl_cli *cli, const char *front, tl_u32 number)
{
	struct tl_output process = tl_output_make(64);
	struct tl_inferior_info info;

	if (tl_session_inferior(cli->session, number, &info)) {
		tl_inferior_write_process(cli, &info, &process);
		tl_screen_format(&cli->screen, "[%s %u [%s] (%s%s%s)]\n", front, number, tl_output_string(&process),
				 tl_screen_style(&cli->screen, TL_STYLE_FILENAME),
				 info.program != NULL ? info.program : "<noexec>",
				 tl_screen_style(&cli->screen, TL_STYLE_PLAIN));
	}
	tl_output_release(&process);
}

static enum tl_status select_one(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				 struct tl_error *error)
{
	struct tl_inferior_info info;
	tl_i64 number;

	(void)line;
	if (words[0] == '\0') {
		tell(cli, "Current inferior is", tl_session_current_inferior(cli->session));
		return TL_OK;
	}
	TL_TRY(tl_cli_number(cli, words, &number, error));
	if (number <= 0 || number >= TL_U32_MAX || !tl_session_inferior(cli->session, (tl_u32)number, &info))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Inferior ID %lld not known.", (long long)number);
	TL_TRY(tl_session_select_inferior(cli->session, info.number, error));
	cli->last_thread = tl_session_thread(cli->session);
	tell(cli, "Switching to inferior", info.number);
	return info.process != 0 ? tl_thread_tell_selected(cli, error) : TL_OK;
}

static enum tl_status run_inferior(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, select_one, error);
}

/* ---- add-inferior, clone-inferior ---- */

struct addition {
	tl_i64 copies;
	char *program; /* -exec */
	bool no_connection;
	tl_i64 source; /* clone-inferior: which; 0: the selected one */
};

static enum tl_status take_argument(const char **at, const char *option, char **word_ret, struct tl_error *error)
{
	tl_size size = strcspn(*at, " \t");

	if (size == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No argument to %s", option);
	free(*word_ret);
	*word_ret = strndup(*at, size);
	*at += size;
	*at += strspn(*at, " \t");
	return *word_ret != NULL ? TL_OK : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the words");
}

static enum tl_status read_addition(struct tl_cli *cli, const char *words, bool clones, struct addition *addition,
				    struct tl_error *error)
{
	char *word = NULL;
	enum tl_status status = TL_OK;

	while (*words != '\0' && status == TL_OK) {
		if (tl_words_take(&words, "-copies")) {
			status = take_argument(&words, "-copies", &word, error);
			if (status == TL_OK)
				status = tl_cli_number(cli, word, &addition->copies, error);
			if (status == TL_OK && addition->copies < 0)
				status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid copies number");
		} else if (!clones && tl_words_take(&words, "-exec")) {
			status = take_argument(&words, "-exec", &addition->program, error);
		} else if (tl_words_take(&words, "-no-connection")) {
			addition->no_connection = true;
		} else if (clones && *words != '-') {
			status = take_argument(&words, "", &word, error);
			if (status == TL_OK)
				status = tl_cli_number(cli, word, &addition->source, error);
			if (status == TL_OK && addition->source <= 0)
				status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Inferior ID %lld not known.",
						 (long long)addition->source);
		} else {
			status = TL_FAIL(error, TL_ERROR_ARGUMENT,
					 "Invalid argument: \"%s\" is none of -copies, -no-connection%s.", words,
					 clones ? "" : ", -exec");
		}
	}
	free(word);
	return status;
}

/* The selection as it is, to come back to. */
struct place {
	struct tl_thread_id thread;
	tl_u32 inferior, level;
};

static struct place keep_place(struct tl_cli *cli)
{
	return (struct place){tl_session_thread(cli->session), tl_session_current_inferior(cli->session),
			      tl_session_level(cli->session)};
}

static void go_back(struct tl_cli *cli, const struct place *place)
{
	if (tl_session_select_inferior(cli->session, place->inferior, NULL) != TL_OK || place->thread.process == 0)
		return;
	if (tl_session_select_thread(cli->session, place->thread, NULL) == TL_OK && place->level != 0)
		(void)!tl_session_select_frame(cli->session, place->level, NULL);
}

static enum tl_status set_program(struct tl_cli *cli, tl_u32 number, const char *program, struct tl_error *error)
{
	struct place place = keep_place(cli);
	enum tl_status status = tl_session_select_inferior(cli->session, number, error);

	if (status == TL_OK)
		status = tl_session_set_program(cli->session, program, error);
	if (status == TL_OK)
		tl_screen_format(&cli->screen, "Reading symbols from %s...\n", program);
	go_back(cli, &place);
	return status;
}

/* "Added inferior 2 on connection 1 (native)" */
static enum tl_status add_one(struct tl_cli *cli, bool connected, tl_u32 *number_ret, struct tl_error *error)
{
	struct tl_output connection = tl_output_make(256);
	struct tl_inferior_info info;

	TL_TRY(tl_session_add_inferior(cli->session, connected, number_ret, error));
	if (cli->settings.inferior_events)
		tl_screen_format(&cli->screen, "[New inferior %u]\n", *number_ret);
	if (tl_session_inferior(cli->session, *number_ret, &info))
		tl_inferior_write_connection(cli, &info, &connection);
	tl_screen_format(&cli->screen, "Added inferior %u%s%s\n", *number_ret,
			 connection.size != 0 ? " on connection " : "", tl_output_string(&connection));
	tl_output_release(&connection);
	return TL_OK;
}

static enum tl_status add(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			  struct tl_error *error)
{
	struct addition addition = {.copies = 1};
	enum tl_status status = read_addition(cli, words, false, &addition, error);
	tl_u32 number;

	(void)line;
	for (tl_i64 i = 0; i < addition.copies && status == TL_OK && !tl_cli_cancelled(cli); i++) {
		status = add_one(cli, !addition.no_connection, &number, error);
		if (status == TL_OK && addition.program != NULL)
			status = set_program(cli, number, addition.program, error);
	}
	free(addition.program);
	return status;
}

static enum tl_status run_add(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, add, error);
}

/* From the one that is selected for the moment, to one more. */
static enum tl_status clone_selected(struct tl_cli *cli, bool connected, struct tl_error *error)
{
	char *program = NULL;
	tl_u32 number;
	enum tl_status status;

	if (tl_session_program(cli->session) != NULL)
		program = strdup(tl_session_program(cli->session));
	tl_inferiors_follow(cli);
	status = add_one(cli, connected, &number, error);
	if (status == TL_OK)
		status = tl_inferiors_copy_settings(cli, number, error);
	if (status == TL_OK && program != NULL) {
		struct place place = keep_place(cli);

		status = tl_session_select_inferior(cli->session, number, error);
		if (status == TL_OK)
			status = tl_session_set_program(cli->session, program, error);
		go_back(cli, &place);
	}
	free(program);
	return status;
}

static enum tl_status clone(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			    struct tl_error *error)
{
	struct addition addition = {.copies = 1};
	struct place place = keep_place(cli);
	struct tl_inferior_info info;
	enum tl_status status = read_addition(cli, words, true, &addition, error);

	(void)line;
	if (status == TL_OK && addition.source != 0) {
		if (addition.source >= TL_U32_MAX || !tl_session_inferior(cli->session, (tl_u32)addition.source, &info))
			status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Inferior ID %lld not known.",
					 (long long)addition.source);
		else
			status = tl_session_select_inferior(cli->session, info.number, error);
	}
	for (tl_i64 i = 0; i < addition.copies && status == TL_OK && !tl_cli_cancelled(cli); i++)
		status = clone_selected(cli, !addition.no_connection, error);
	go_back(cli, &place);
	tl_inferiors_follow(cli);
	return status;
}

static enum tl_status run_clone(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, clone, error);
}

/* ---- remove-inferiors, kill inferiors, detach inferiors ---- */

static void warn(struct tl_cli *cli, const char *text)
{
	char line[1024];

	(void)snprintf(line, sizeof(line), "warning: %s", text);
	tl_screen_complain(&cli->screen, line);
}

static enum tl_status remove_one(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
				 struct tl_error *error)
{
	struct tl_error why;

	(void)context, (void)location, (void)error;
	if (tl_session_remove_inferior(cli->session, number, &why) != TL_OK)
		warn(cli, why.text);
	return TL_OK;
}

static enum tl_status remove_all(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				 struct tl_error *error)
{
	(void)line;
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Requires an argument (inferior id(s) to remove)");
	return each(cli, words, remove_one, NULL, error);
}

static enum tl_status run_remove(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, remove_all, error);
}

static enum tl_status leave_selected(struct tl_cli *cli, bool kill, struct tl_error *error)
{
	const char *program = tl_session_program(cli->session);
	tl_u32 number = tl_session_current_inferior(cli->session);
	struct tl_inferior_info info;

	if (!tl_session_inferior(cli->session, number, &info))
		return TL_OK;
	if (!kill && cli->settings.inferior_events)
		tl_screen_format(&cli->screen, "Detaching from program: %s, process %llu\n",
				 program != NULL ? program : "", (unsigned long long)info.process);
	TL_TRY(kill ? tl_session_kill(cli->session, error) : tl_session_detach(cli->session, error));
	if (!kill && cli->settings.inferior_events)
		tl_screen_format(&cli->screen, "[Inferior %u (process %llu) detached]\n", number,
				 (unsigned long long)info.process);
	return TL_OK;
}

static enum tl_status leave_one(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
				struct tl_error *error)
{
	const bool *kill = context;
	struct place place = keep_place(cli);
	struct tl_inferior_info info;
	enum tl_status status;
	char text[64];

	(void)location;
	if (!tl_session_inferior(cli->session, number, &info) || info.process == 0) {
		(void)snprintf(text, sizeof(text), "Inferior ID %u %s.", number,
			       tl_session_inferior(cli->session, number, &info) ? "is not running" : "not known");
		warn(cli, text);
		return TL_OK;
	}
	TL_TRY(tl_session_select_inferior(cli->session, number, error));
	status = leave_selected(cli, *kill, error);
	go_back(cli, &place);
	cli->last_thread = tl_session_thread(cli->session);
	return status;
}

static enum tl_status kill_all(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			       struct tl_error *error)
{
	bool kill = true;

	(void)line;
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Requires argument (inferior id(s) to kill)");
	return each(cli, words, leave_one, &kill, error);
}

static enum tl_status detach_all(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				 struct tl_error *error)
{
	bool kill = false;

	(void)line;
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Requires argument (inferior id(s) to detach)");
	return each(cli, words, leave_one, &kill, error);
}

static enum tl_status run_kill_inferiors(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, kill_all, error);
}

static enum tl_status run_detach_inferiors(struct tl_cli *cli, const struct tl_command_line *line,
					   struct tl_error *error)
{
	return tl_words_with(cli, line, detach_all, error);
}

/* ---- The tables ---- */

const struct tl_command tl_commands_inferiors_kill[] = {
	{.name = "inferiors",
	 .arguments = "NUMBERS",
	 .summary = "Kill inferior(s) by number",
	 .details = "Example: kill inferiors 2 3",
	 .run = run_kill_inferiors},
	{0},
};

const struct tl_command tl_commands_inferiors_detach[] = {
	{.name = "inferiors",
	 .arguments = "NUMBERS",
	 .summary = "Detach from inferior(s) by number",
	 .details = "Example: detach inferiors 2",
	 .run = run_detach_inferiors},
	{0},
};

const struct tl_command tl_commands_inferiors_info[] = {
	{.name = "inferiors",
	 .arguments = "[NUMBERS]",
	 .summary = "Print a list of inferiors being managed",
	 .details = "The selected one is marked by *.\nExample: info inferiors",
	 .run = run_info},
	{0},
};

const struct tl_command tl_commands_inferiors[] = {
	{.name = "inferior",
	 .arguments = "[NUMBER]",
	 .summary = "Use this command to switch between inferiors",
	 .details =
		 "An inferior is a program, with its process while it runs. Without a number: which one is selected.\n"
		 "Example: inferior 2",
	 .run = run_inferior},
	{.name = "add-inferior",
	 .arguments = "[-copies N] [-exec FILE] [-no-connection]",
	 .summary = "Add a new inferior",
	 .details = "It is not selected, and has no process until \"run\" or \"attach\" give it one.\n"
		    "Example: add-inferior -exec ./server",
	 .run = run_add,
	 .complete = tl_complete_files},
	{.name = "clone-inferior",
	 .arguments = "[-copies N] [-no-connection] [NUMBER]",
	 .summary = "Clone an inferior: one more of the same program, arguments and environment",
	 .details = "Example: clone-inferior -copies 2 1",
	 .run = run_clone},
	{.name = "remove-inferiors",
	 .arguments = "NUMBERS",
	 .summary = "Remove inferior(s) by number; those that have a process or are selected stay",
	 .details = "Example: remove-inferiors 2 3",
	 .run = run_remove},
	{0},
};
