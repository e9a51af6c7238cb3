/* Threads, and what runs. */
#include "frontends/cli/apply.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/running.h"
#include "frontends/cli/thread_ids.h"
#include "frontends/cli/thread_stacks.h"
#include "frontends/cli/threads.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include "debugger/session/signal_names.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

/* ---- info threads ---- */

/* What one line of the list needs. */
struct listing {
	struct tl_thread_id selected;
	int widest;  /* of the target's ids */
	bool global; /* -gid */
};

static bool is_running(struct tl_cli *cli, struct tl_thread_id thread)
{
	struct tl_thread_info info;

	return !tl_engine_find_thread(tl_session_engine(cli->session), thread, &info) || !info.stopped;
}

static enum tl_status list_thread(struct tl_cli *cli, const struct listing *listing, tl_u32 number,
				  struct tl_error *error)
{
	struct tl_thread_id thread = tl_session_numbered_thread(cli->session, number);
	struct tl_output id = tl_output_make(512);
	const struct tl_stack_frame *frame;
	char global[16] = "", label[32];

	if (listing->global)
		(void)snprintf(global, sizeof(global), "%-4u ", number);
	tl_thread_write_target_id(cli, thread, &id);
	tl_session_thread_label(cli->session, thread, label, sizeof(label));
	tl_screen_format(&cli->screen, "%c %-4s %s%-*s ", thread.thread == listing->selected.thread ? '*' : ' ', label,
			 global, listing->widest, tl_output_string(&id));
	tl_output_release(&id);
	if (is_running(cli, thread)) {
		tl_screen_text(&cli->screen, "(running)\n");
		return TL_OK;
	}
	/* Of the selected one, too, the innermost frame. */
	TL_TRY(tl_session_select_thread(cli->session, thread, error));
	TL_TRY(tl_session_select_frame(cli->session, 0, error));
	if (tl_session_frame(cli->session, &frame, error) == TL_OK)
		return tl_frame_print(cli, frame, TL_FRAME_ARGUMENTS, error);
	tl_screen_format(&cli->screen, "%s\n", error->text);
	return TL_OK;
}

static enum tl_status list_threads(struct tl_cli *cli, const struct tl_thread_list *numbers, bool global,
				   struct tl_error *error)
{
	struct listing listing = {.selected = tl_session_thread(cli->session), .widest = 17, .global = global};
	struct tl_output id = tl_output_make(512);
	tl_u32 level = tl_session_level(cli->session), inferior = tl_session_current_inferior(cli->session);
	enum tl_status status = TL_OK;

	for (tl_size i = 0; i < numbers->count; i++) {
		tl_output_reset(&id);
		tl_thread_write_target_id(cli, tl_session_numbered_thread(cli->session, numbers->items[i]), &id);
		listing.widest = (int)id.size > listing.widest ? (int)id.size : listing.widest;
	}
	tl_output_release(&id);
	tl_screen_format(&cli->screen, "  Id   %s%-*s Frame \n", global ? "GId  " : "", listing.widest, "Target Id");
	for (tl_size i = 0; i < numbers->count && status == TL_OK && !tl_cli_cancelled(cli); i++)
		status = list_thread(cli, &listing, numbers->items[i], error);
	if (tl_session_select_inferior(cli->session, inferior, NULL) == TL_OK && listing.selected.thread != 0 &&
	    tl_session_select_thread(cli->session, listing.selected, NULL) == TL_OK &&
	    !is_running(cli, listing.selected))
		(void)!tl_session_select_frame(cli->session, level, NULL);
	if (listing.selected.thread == 0)
		tl_screen_text(&cli->screen, "\nNo selected thread.  See `help thread'.\n");
	return status;
}

/* Those of the list that exist, in the order of their numbers, each once; all without a list. */
static enum tl_status choose(struct tl_cli *cli, const char *list, struct tl_thread_list *chosen_ret,
			     struct tl_error *error)
{
	struct tl_thread_list listed = {0}, chosen;
	tl_size kept = 0;
	enum tl_status status;

	TL_TRY(tl_threads_all(cli, &chosen, error));
	if (list[0] == '\0') {
		*chosen_ret = chosen;
		return TL_OK;
	}
	status = tl_threads_listed(cli, list, &listed, error);
	if (status != TL_OK) {
		tl_thread_list_release(&chosen);
		return status;
	}
	for (tl_size i = 0; i < chosen.count; i++) {
		tl_size at = 0;

		while (at < listed.count && listed.items[at] != chosen.items[i])
			at++;
		if (at < listed.count)
			chosen.items[kept++] = chosen.items[i];
	}
	chosen.count = kept;
	tl_thread_list_release(&listed);
	*chosen_ret = chosen;
	return TL_OK;
}

static enum tl_status info_threads(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				   struct tl_error *error)
{
	const bool global = tl_words_take(&words, "-gid");
	struct tl_thread_list numbers;
	enum tl_status status = TL_OK;

	(void)line;
	TL_TRY(choose(cli, words, &numbers, error));
	if (numbers.count != 0)
		status = list_threads(cli, &numbers, global, error);
	else if (words[0] == '\0')
		tl_screen_text(&cli->screen, "No threads.\n");
	else
		tl_screen_format(&cli->screen, "No threads match '%s'.\n", words);
	tl_thread_list_release(&numbers);
	return status;
}

static enum tl_status run_info_threads(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, info_threads, error);
}

/* ---- thread ---- */

static enum tl_status current(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_thread_id thread = tl_session_thread(cli->session);
	struct tl_output name = tl_output_make(512);
	char label[32];

	if (thread.thread == 0)
		return TL_FAIL(error, TL_ERROR_NO_THREAD, "No thread selected");
	tl_thread_write_name(cli, thread, &name);
	tl_session_thread_label(cli->session, thread, label, sizeof(label));
	tl_screen_format(&cli->screen, "[Current thread is %s (%s)]\n", label, tl_output_string(&name));
	tl_output_release(&name);
	return TL_OK;
}

static enum tl_status thread(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			     struct tl_error *error)
{
	struct tl_thread_id id;
	tl_u32 number;

	(void)line;
	if (words[0] == '\0')
		return current(cli, error);
	TL_TRY(tl_thread_id_read(cli, words, &number, error));
	id = tl_session_numbered_thread(cli->session, number);
	TL_TRY(tl_session_select_thread(cli->session, id, error));
	cli->last_thread = id;
	return tl_thread_tell_selected(cli, error);
}

static enum tl_status run_thread(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, thread, error);
}

/* ---- thread name, thread find ---- */

static enum tl_status name_thread(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				  struct tl_error *error)
{
	struct tl_thread_id selected = tl_session_thread(cli->session);

	(void)line;
	if (selected.thread == 0)
		return TL_FAIL(error, TL_ERROR_STATE, "No thread selected");
	return tl_thread_call(cli, selected, words, error);
}

static enum tl_status run_name(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, name_thread, error);
}

static bool find_text(struct tl_cli *cli, const regex_t *wanted, const char *label, const char *what, const char *text)
{
	if (text == NULL || text[0] == '\0' || regexec(wanted, text, 0, NULL, 0) != 0)
		return false;
	tl_screen_format(&cli->screen, "Thread %s has %s '%s'\n", label, what, text);
	return true;
}

/* What of one thread matches. */
static bool find_in(struct tl_cli *cli, const regex_t *wanted, tl_u32 number)
{
	struct tl_thread_id thread = tl_session_numbered_thread(cli->session, number);
	struct tl_output target_id = tl_output_make(512);
	char own[TL_THREAD_NAME_MAX], label[32];
	bool found;

	tl_session_thread_label(cli->session, thread, label, sizeof(label));
	found = find_text(cli, wanted, label, "name", tl_thread_given_name(cli, thread));
	tl_thread_own_name(cli, thread, own);
	found |= find_text(cli, wanted, label, "target name", own);
	tl_thread_write_name(cli, thread, &target_id);
	found |= find_text(cli, wanted, label, "target id", tl_output_string(&target_id));
	tl_output_release(&target_id);
	return found;
}

static enum tl_status find(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			   struct tl_error *error)
{
	struct tl_thread_list numbers = {0};
	enum tl_status status;
	bool found = false;
	regex_t wanted;
	int failure = regcomp(&wanted, words, REG_NOSUB);

	(void)line;
	if (failure != 0) {
		char why[128];

		(void)regerror(failure, &wanted, why, sizeof(why));
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid regexp (%s): %s", why, words);
	}
	status = tl_threads_all(cli, &numbers, error);
	for (tl_size i = 0; i < numbers.count; i++)
		found |= find_in(cli, &wanted, numbers.items[i]);
	if (status == TL_OK && !found)
		tl_screen_format(&cli->screen, "No threads match '%s'\n", words);
	tl_thread_list_release(&numbers);
	regfree(&wanted);
	return status;
}

static enum tl_status run_find(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, find, error);
}

static enum tl_status run_stacks(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, tl_thread_stacks, error);
}

/* ---- info program ---- */

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

static const struct tl_command thread_rows[] = {
	{.name = "apply",
	 .arguments = "all | THREADS [-q] [-c] [-s] [-ascending] COMMAND",
	 .summary = "Apply a command to a list of threads",
	 .details = TL_APPLICATION_FLAGS "With \"all\" the youngest is first, unless -ascending is given.\n"
					 "Example: thread apply all -q backtrace 3, thread apply 2-5 3.* print x",
	 .flags = TL_COMMAND_STOPPED,
	 .run = tl_command_thread_apply,
	 .complete = tl_complete_thread_apply},
	{.name = "find",
	 .arguments = "REGEXP",
	 .summary = "Find threads that match a regular expression",
	 .details = "It may match a name, or the target's id.\nExample: thread find worker",
	 .run = run_find},
	{.name = "name",
	 .arguments = "[NAME]",
	 .summary = "Set the current thread's name",
	 .details = "For lists and headers here; without one it is what the thread calls itself again.\n"
		    "Example: thread name reader",
	 .run = run_name},
	{.name = "stacks",
	 .arguments = "[COUNT]",
	 .summary = "Print the stacks of all threads, each that several have in common once",
	 .details = "The stack that most threads are in is first, with their numbers as \"thread apply\" takes them.\n"
		    "Stacks are the same if each of their frames is at the same place. With COUNT, only so many\n"
		    "innermost frames count. Arguments, which may differ, are left out where threads share a stack.\n"
		    "Example: thread stacks",
	 .flags = TL_COMMAND_STOPPED,
	 .run = run_stacks},
	{0},
};

const struct tl_command tl_commands_threads[] = {
	{.name = "thread",
	 .shorts = "t",
	 .subcommands = thread_rows,
	 .arguments = "[NUMBER]",
	 .summary = "Use this command to switch between threads",
	 .details = "Without a number: which one is selected.\nExample: thread 2",
	 .run = run_thread,
	 .complete = tl_complete_threads},
	{0},
};

const struct tl_command tl_commands_threads_info[] = {
	{.name = "threads",
	 .arguments = "[-gid] [THREADS]",
	 .summary = "Display currently known threads",
	 .details = "The selected one is marked by *. -gid adds a column of the numbers among all of all inferiors.\n"
		    "Example: info threads, info threads 2-5 3.*",
	 .run = run_info_threads},
	{.name = "program",
	 .summary = "Execution status of the program",
	 .details = "Example: info program",
	 .run = run_info_program},
	{0},
};
