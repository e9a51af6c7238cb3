/* Starting, going on, stepping, ending. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/points.h"
#include "frontends/cli/running.h"
#include "frontends/cli/stops.h"
#include "frontends/cli/values.h"

#include "debugger/session/signal_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum tl_status no_memory(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the words of the command");
}

/* The words, without an & at the end, which sends the command to the background. The caller frees. */
static enum tl_status words_of(const struct tl_command_line *line, char **words_ret, bool *background_ret,
			       struct tl_error *error)
{
	tl_size size = line->size;

	*background_ret = size > 0 && line->words[size - 1] == '&';
	if (*background_ret) {
		size--;
		while (size > 0 && isspace((unsigned char)line->words[size - 1]))
			size--;
	}
	*words_ret = strndup(line->words, size);
	return *words_ret != NULL ? TL_OK : no_memory(error);
}

/* ---- Starting ---- */

static enum tl_status prepare_start(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	TL_TRY(tl_connection_make_ready(cli, "run", error));
	TL_TRY(tl_running_make_way(cli,
				   "The program being debugged has been started already.\n"
				   "Start it from the beginning? ",
				   error));
	if (words[0] != '\0') {
		char *arguments = strdup(words);

		if (arguments == NULL)
			return no_memory(error);
		free(cli->settings.arguments);
		cli->settings.arguments = arguments;
	}
	return TL_OK;
}

static enum tl_status launch_and_continue(struct tl_cli *cli, bool background, struct tl_error *error)
{
	const struct tl_plan plan = {.kind = TL_PLAN_CONTINUE, .signal = -1};

	TL_TRY(tl_running_launch(cli, error));
	return tl_running_resume(cli, &plan, background, error);
}

static enum tl_status run_run(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	bool background;
	char *words;
	enum tl_status status;

	TL_TRY(words_of(line, &words, &background, error));
	status = prepare_start(cli, words, error);
	if (status == TL_OK)
		status = launch_and_continue(cli, background, error);
	free(words);
	return status;
}

/* A temporary breakpoint at main, told of as one that was typed. */
static enum tl_status break_at_main(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_breakpoint_request request = {.kind = TL_BREAKPOINT, .place = "main", .temporary = true};
	struct tl_breakpoint *point;

	if (tl_session_program(cli->session) == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "No symbol table loaded.  Use the \"file\" command.");
	TL_TRY(tl_breakpoint_make(cli->session, &request, &point, error));
	tl_point_tell(cli, point);
	return TL_OK;
}

static enum tl_status run_start(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	bool background;
	char *words;
	enum tl_status status;

	TL_TRY(words_of(line, &words, &background, error));
	status = prepare_start(cli, words, error);
	if (status == TL_OK)
		status = break_at_main(cli, error);
	if (status == TL_OK)
		status = launch_and_continue(cli, background, error);
	free(words);
	return status;
}

static enum tl_status run_starti(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_stop stop = {.kind = TL_STOP_STARTED};
	bool background;
	char *words;
	enum tl_status status;

	TL_TRY(words_of(line, &words, &background, error));
	status = prepare_start(cli, words, error);
	free(words);
	TL_TRY(status);
	TL_TRY(tl_running_launch(cli, error));
	tl_session_stay(cli->session);
	stop.thread = tl_session_thread(cli->session);
	tl_stop_tell(cli, &stop);
	return TL_OK;
}

static enum tl_status run_attach(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words, *end;
	bool background;
	tl_u64 process;

	TL_TRY(words_of(line, &words, &background, error));
	process = strtoull(words, &end, 0);
	if (words[0] == '\0' || process == 0 || *end != '\0') {
		enum tl_status status = TL_FAIL(error, TL_ERROR_ARGUMENT,
						words[0] == '\0' ? "Argument required (process-id to attach)."
								 : "Illegal process-id: %s.",
						words);

		free(words);
		return status;
	}
	free(words);
	if (process == (tl_u64)getpid())
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "I refuse to debug myself!");
	TL_TRY(tl_connection_make_ready(cli, "attach", error));
	TL_TRY(tl_running_make_way(cli, "A program is being debugged already.  Kill it? ", error));
	return tl_running_attach(cli, process, background, error);
}

static tl_u64 selected_process(const struct tl_cli *cli)
{
	struct tl_inferior_info info;

	return tl_session_inferior(cli->session, tl_session_current_inferior(cli->session), &info) ? info.process : 0;
}

static enum tl_status run_detach(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	const char *program = tl_session_program(cli->session);
	tl_u64 process = selected_process(cli);

	(void)line;
	if (cli->connection.kind == TL_CONNECTION_CORE && tl_connection_disconnect(cli, error)) {
		tl_screen_text(&cli->screen, "No core file now.\n");
		return TL_OK;
	}
	TL_TRY(tl_running_alive(cli, error));
	tl_screen_format(&cli->screen, "Detaching from program: %s, process %llu\n", program != NULL ? program : "",
			 (unsigned long long)process);
	TL_TRY(tl_session_detach(cli->session, error));
	if (cli->connection.kind == TL_CONNECTION_REMOTE)
		tl_screen_text(&cli->screen, "Ending remote debugging.\n");
	tl_screen_format(&cli->screen, "[Inferior %u (process %llu) detached]\n",
			 tl_session_current_inferior(cli->session), (unsigned long long)process);
	cli->last_thread = (struct tl_thread_id){0, 0};
	return TL_OK;
}

static enum tl_status run_kill(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	tl_u64 process = selected_process(cli);

	(void)line;
	TL_TRY(tl_running_alive(cli, error));
	if (cli->connection.kind == TL_CONNECTION_CORE)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "The program is not being run.");
	if (!tl_cli_query(cli, "Kill the program being debugged? "))
		return TL_FAIL(error, TL_ERROR_CANCELLED, "Not confirmed.");
	TL_TRY(tl_session_kill(cli->session, error));
	tl_screen_format(&cli->screen, "[Inferior %u (process %llu) killed]\n",
			 tl_session_current_inferior(cli->session), (unsigned long long)process);
	cli->last_thread = (struct tl_thread_id){0, 0};
	return TL_OK;
}

/* ---- Going on ---- */

/* Which way time is to run: backwards for commands of that name, else as set. */
static enum tl_status read_direction(struct tl_cli *cli, const struct tl_command_line *line, bool *back_ret,
				     struct tl_error *error)
{
	const char *name = line->command != NULL ? line->command->name : "";
	bool reverse = strncmp(name, "reverse-", 8) == 0;

	if (reverse && cli->settings.direction != 0)
		return TL_FAIL(error, TL_ERROR_STATE, "Already in reverse mode.  Use '%s' or 'set exec-dir forward'.",
			       name + 8);
	*back_ret = reverse || cli->settings.direction != 0;
	return *back_ret ? tl_running_reverses(cli, error) : TL_OK;
}

/* A plan with a count, which is an expression, behind it. */
static enum tl_status resume(struct tl_cli *cli, const struct tl_command_line *line, enum tl_plan_kind kind,
			     struct tl_error *error)
{
	struct tl_plan plan = {.kind = kind, .signal = -1};
	bool background;
	char *words;
	tl_i64 count = 0;
	enum tl_status status = tl_running_ready(cli, error);

	TL_TRY(status);
	TL_TRY(read_direction(cli, line, &plan.back, error));
	TL_TRY(words_of(line, &words, &background, error));
	if (words[0] != '\0')
		status = tl_cli_number(cli, words, &count, error);
	if (status == TL_OK && kind == TL_PLAN_CONTINUE && count == 2 && cli->told.kind == TL_STOP_BREAKPOINT &&
	    cli->told.number_count > 0)
		tl_screen_format(&cli->screen, "Will ignore next crossing of breakpoint %u.  Continuing.\n",
				 cli->told.numbers[0]);
	else if (status == TL_OK && kind == TL_PLAN_CONTINUE && count > 1 && cli->told.kind == TL_STOP_BREAKPOINT &&
		 cli->told.number_count > 0)
		tl_screen_format(&cli->screen, "Will ignore next %lld crossings of breakpoint %u.  Continuing.\n",
				 (long long)count - 1, cli->told.numbers[0]);
	else if (status == TL_OK && kind == TL_PLAN_CONTINUE && tl_cli_typed(cli))
		tl_screen_text(&cli->screen, "Continuing.\n");
	free(words);
	TL_TRY(status);
	if (count < 0)
		count = 0;
	plan.count = (tl_u64)count;
	return tl_running_resume(cli, &plan, background, error);
}

static enum tl_status run_continue(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return resume(cli, line, TL_PLAN_CONTINUE, error);
}

static enum tl_status run_step(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return resume(cli, line, TL_PLAN_STEP, error);
}

static enum tl_status run_next(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return resume(cli, line, TL_PLAN_NEXT, error);
}

static enum tl_status run_stepi(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return resume(cli, line, TL_PLAN_STEP_INSTRUCTION, error);
}

static enum tl_status run_nexti(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return resume(cli, line, TL_PLAN_NEXT_INSTRUCTION, error);
}

static enum tl_status run_finish(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_plan plan = {.kind = TL_PLAN_FINISH, .signal = -1};
	const struct tl_stack_frame *frame, *outer;
	struct tl_stack *stack;
	bool background;
	char *words;

	TL_TRY(tl_running_ready(cli, error));
	TL_TRY(read_direction(cli, line, &plan.back, error));
	TL_TRY(tl_session_stack(cli->session, &stack, error));
	TL_TRY(tl_session_frame(cli->session, &frame, error));
	if (tl_stack_frame(stack, frame->level + 1, &outer, error) != TL_OK)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"finish\" not meaningful in the outermost frame.");
	TL_TRY(words_of(line, &words, &background, error));
	free(words);
	if (tl_cli_typed(cli)) {
		tl_screen_text(&cli->screen, plan.back ? "Run back to call of " : "Run till exit from ");
		TL_TRY(tl_frame_print(cli, frame, TL_FRAME_LEVEL | TL_FRAME_ARGUMENTS, error));
	}
	return tl_running_resume(cli, &plan, background, error);
}

/* Resumes by a plan to the places that the words name. */
static enum tl_status resume_to(struct tl_cli *cli, const char *words, struct tl_plan plan, bool background,
				struct tl_error *error)
{
	const enum tl_plan_kind kind = plan.kind;
	struct tl_code_places places = {0};
	struct tl_linespec_base base;
	const char *rest;
	enum tl_status status;

	TL_TRY(tl_session_base(cli->session, &base, error));
	TL_TRY(tl_linespec_find(tl_session_modules(cli->session), &base, tl_session_patience(cli->session), words,
				false, &places, &rest, error));
	if (*rest != '\0') {
		status =
			TL_FAIL(error, TL_ERROR_ARGUMENT, "malformed linespec error: unexpected string, \"%s\".", rest);
	} else {
		plan.places = &places;
		plan.address = places.count > 0 ? places.items[0].address : 0;
		if (kind == TL_PLAN_JUMP && tl_cli_typed(cli))
			tl_screen_format(&cli->screen, "Continuing at 0x%llx.\n", (unsigned long long)plan.address);
		status = tl_running_resume(cli, &plan, background, error);
	}
	tl_code_places_release(&places);
	return status;
}

static enum tl_status run_to(struct tl_cli *cli, const struct tl_command_line *line, enum tl_plan_kind kind,
			     const char *what, struct tl_error *error)
{
	struct tl_plan plan = {.kind = kind, .signal = -1};
	bool background;
	char *words;
	enum tl_status status;

	TL_TRY(tl_running_ready(cli, error));
	TL_TRY(read_direction(cli, line, &plan.back, error));
	TL_TRY(words_of(line, &words, &background, error));
	if (words[0] == '\0' && kind == TL_PLAN_UNTIL) {
		plan.kind = TL_PLAN_UNTIL_NEXT;
		status = tl_running_resume(cli, &plan, background, error);
	} else if (words[0] == '\0') {
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (%s).", what);
	} else {
		status = resume_to(cli, words, plan, background, error);
	}
	free(words);
	return status;
}

static enum tl_status run_until(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return run_to(cli, line, TL_PLAN_UNTIL, "a location", error);
}

static enum tl_status run_advance(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return run_to(cli, line, TL_PLAN_ADVANCE, "a location", error);
}

static enum tl_status run_jump(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return run_to(cli, line, TL_PLAN_JUMP, "starting address", error);
}

/* A signal by name or number; 0 is none. */
static enum tl_status run_signal(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_plan plan = {.kind = TL_PLAN_CONTINUE};
	bool background;
	char *words;

	TL_TRY(tl_running_ready(cli, error));
	TL_TRY(read_direction(cli, line, &plan.back, error));
	TL_TRY(words_of(line, &words, &background, error));
	plan.signal = tl_signal_number(words, strlen(words));
	if (plan.signal == 0 && strcmp(words, "0") != 0) {
		enum tl_status status = TL_FAIL(
			error, TL_ERROR_ARGUMENT,
			words[0] == '\0' ? "Argument required (signal number)."
					 : "\"%s\" is no signal. Example: signal SIGUSR1, or signal 0 for none.",
			words);

		free(words);
		return status;
	}
	free(words);
	if (!tl_cli_typed(cli))
		return tl_running_resume(cli, &plan, background, error);
	if (plan.signal == 0)
		tl_screen_text(&cli->screen, "Continuing with no signal.\n");
	else
		tl_screen_format(&cli->screen, "Continuing with signal %s.\n", tl_signal_name(plan.signal));
	return tl_running_resume(cli, &plan, background, error);
}

static enum tl_status run_interrupt(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line;
	if (!tl_session_any_running(cli->session))
		TL_TRY(tl_running_alive(cli, error));
	tl_session_interrupt(cli->session);
	return TL_OK;
}

#define STEPS (TL_COMMAND_REPEAT)

/* The rows of commands that differ in how far they step. */
#define STEPPING(command, short_form, what, more, function)                                                            \
	{                                                                                                              \
		.name = (command), .shorts = (short_form), .flags = STEPS, .arguments = "[N]", .summary = (what),      \
		.details = (more), .run = (function)                                                                   \
	}

const struct tl_command tl_commands_running[] = {
	{.name = "run",
	 .shorts = "r",
	 .arguments = "[ARGUMENTS] [&]",
	 .summary = "Start debugged program",
	 .details =
		 "Arguments are kept for the next time; the shell expands them, redirections too. Without any, those\n"
		 "of the last time, or of \"set args\". With & the prompt answers while the program runs.\n"
		 "Example: run -v < input.txt",
	 .run = run_run,
	 .complete = tl_complete_files},
	{.name = "start",
	 .arguments = "[ARGUMENTS]",
	 .summary = "Start the debugged program stopping at the beginning of the main procedure",
	 .details = "As run, with a temporary breakpoint at main.\nExample: start",
	 .run = run_start,
	 .complete = tl_complete_files},
	{.name = "starti",
	 .arguments = "[ARGUMENTS]",
	 .summary = "Start the debugged program stopping at the first instruction",
	 .details = "That is the dynamic linker's in most programs.\nExample: starti",
	 .run = run_starti,
	 .complete = tl_complete_files},
	{.name = "attach",
	 .arguments = "PID",
	 .summary = "Attach to a process",
	 .details = "It is stopped; detach lets it go on.\nExample: attach 4711",
	 .run = run_attach},
	{.name = "detach",
	 .subcommands = tl_commands_inferiors_detach,
	 .summary = "Detach from a process: it runs on, and is no longer debugged",
	 .details = "Example: detach",
	 .run = run_detach},
	{.name = "kill",
	 .shorts = "k",
	 .subcommands = tl_commands_inferiors_kill,
	 .summary = "Kill execution of program being debugged",
	 .details = "Example: kill",
	 .run = run_kill},
	{.name = "continue",
	 .shorts = "c fg",
	 .flags = STEPS,
	 .arguments = "[N] [&]",
	 .summary = "Continue program being debugged, after signal or breakpoint",
	 .details = "With a number, the breakpoint that stopped it does not stop it the next N - 1 times. With & the\n"
		    "prompt answers while the program runs.\n"
		    "Example: continue 5",
	 .run = run_continue},
	STEPPING("step", "s", "Step program until it reaches a different source line",
		 "Functions that are called are entered if they have lines. N times, or till program stops for\n"
		 "another reason.\n"
		 "Example: step 3",
		 run_step),
	STEPPING("next", "n", "Step program, proceeding through subroutine calls",
		 "N times, or till program stops for another reason.\nExample: next", run_next),
	STEPPING("stepi", "si", "Step one instruction exactly", "Example: stepi 10", run_stepi),
	STEPPING("nexti", "ni", "Step one instruction, but proceed through subroutine calls", "Example: nexti",
		 run_nexti),
	{.name = "finish",
	 .shorts = "fin",
	 .flags = STEPS,
	 .summary = "Execute until selected stack frame returns",
	 .details = "What it returns is printed, and put into the value history.\nExample: finish",
	 .run = run_finish},
	STEPPING(
		"reverse-step", "rs", "Step program backward until it reaches the beginning of another source line",
		"Functions are entered by their ends. N times, or till program stops for another reason. What is kept\n"
		"of the past says the target: \"trapline emu PROGRAM\" keeps it, rr and QEMU (rr=replay) do, too.\n"
		"Example: reverse-step 3",
		run_step),
	STEPPING("reverse-next", "rn", "Step program backward, proceeding through subroutine calls",
		 "N times, or till program stops for another reason. In the first line of a function it leads to the\n"
		 "call.\n"
		 "Example: reverse-next",
		 run_next),
	STEPPING("reverse-stepi", "rsi", "Step backward exactly one instruction", "Example: reverse-stepi 10",
		 run_stepi),
	STEPPING("reverse-nexti", "rni", "Step backward one instruction, but proceed through called subroutines",
		 "Example: reverse-nexti", run_nexti),
	STEPPING("reverse-continue", "rc", "Continue program being debugged but run it in reverse",
		 "Breakpoints and watchpoints are met as forwards: a watchpoint stops where the value was written, so\n"
		 "that it has the one before. With a number as for continue.\n"
		 "Example: watch list->count, then reverse-continue",
		 run_continue),
	{.name = "reverse-finish",
	 .flags = STEPS,
	 .summary = "Execute backward until just before selected stack frame is called",
	 .details = "Example: reverse-finish",
	 .run = run_finish},
	{.name = "until",
	 .shorts = "u",
	 .flags = STEPS,
	 .arguments = "[LOCATION]",
	 .summary = "Execute until past the current line or past a LOCATION",
	 .details = "As next, but never backwards: it leaves loops. With a location it also stops when the frame "
		    "returns.\n"
		    "Example: until 42",
	 .run = run_until,
	 .complete = tl_complete_places},
	{.name = "advance",
	 .arguments = "LOCATION",
	 .summary = "Continue the program up to the given location",
	 .details = "It also stops when the selected frame returns.\nExample: advance parse_line",
	 .run = run_advance,
	 .complete = tl_complete_places},
	{.name = "jump",
	 .shorts = "j",
	 .arguments = "LOCATION",
	 .summary = "Continue program being debugged at specified line or address",
	 .details = "Nothing but the program counter is changed.\nExample: jump 42, or jump *0x401136",
	 .run = run_jump,
	 .complete = tl_complete_places},
	{.name = "signal",
	 .arguments = "SIGNAL",
	 .summary = "Continue program with the specified signal",
	 .details = "0 is none: what it stopped with is not delivered.\nExample: signal SIGUSR1, or signal 0",
	 .run = run_signal,
	 .complete = tl_complete_signals},
	{.name = "interrupt",
	 .summary = "Interrupt the execution of the debugged program",
	 .details = "For one that runs in the background; in the foreground ^C does it.\nExample: interrupt",
	 .run = run_interrupt},
	{0},
};
