#include "frontends/cli/cli.h"

#include "debugger/code/source.h"
#include "frontends/cli/complete.h"
#include "frontends/cli/displays.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/history.h"
#include "frontends/cli/inferiors.h"
#include "frontends/cli/program_terminal.h"
#include "frontends/cli/running.h"
#include "frontends/cli/startup.h"
#include "frontends/cli/stops.h"
#include "frontends/cli/threads.h"

#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- ^C ---- */

/* A signal that is still on its way to the loop; it is taken, so that it does not come twice. */
static bool take_pending(int number)
{
	const struct timespec at_once = {0};
	sigset_t pending, wanted;

	if (sigpending(&pending) != 0 || sigismember(&pending, number) != 1)
		return false;
	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, number);
	return sigtimedwait(&wanted, NULL, &at_once) == number;
}

/* SIGTERM and SIGHUP: leave as with quit, and ask nothing. */
static void end(struct tl_cli *cli, int number)
{
	cli->quit = cli->cancelled = true;
	cli->status = 128 + number;
	tl_terminal_end(cli->terminal);
}

/* Commands ask between any two lines of theirs: the kernel is asked once in a tick of its clock, some milliseconds. */
bool tl_cli_cancelled(struct tl_cli *cli)
{
	struct timespec now = {0};

	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0 || now.tv_nsec != cli->asked.tv_nsec ||
	    now.tv_sec != cli->asked.tv_sec) {
		cli->asked = now;
		if (take_pending(SIGINT)) {
			cli->cancelled = true;
			tl_terminal_drop_typed(cli->terminal);
		}
		if (take_pending(SIGTERM))
			end(cli, SIGTERM);
		if (take_pending(SIGHUP))
			end(cli, SIGHUP);
		/* A loop of commands may go on for long. */
		tl_screen_flush(&cli->screen);
		tl_full_screen_catch_up(cli);
	}
	return cli->cancelled;
}

void tl_cli_forget_interrupt(struct tl_cli *cli)
{
	(void)cli;
	(void)take_pending(SIGINT);
}

bool tl_cli_waiting(void *context)
{
	tl_progress_tick(context);
	return !tl_cli_cancelled(context);
}

bool tl_cli_typed(const struct tl_cli *cli)
{
	return cli->reader == NULL && !cli->batch;
}

/* ---- Questions ---- */

/* `preset`: what an empty line means; 0: nothing. */
static bool answer(struct tl_cli *cli, const char *question, char preset)
{
	for (;;) {
		struct tl_error error;
		char *line, letter;

		if (tl_terminal_read(cli->terminal, question, TL_QUESTION_LINE, &line, &error) != TL_OK) {
			cli->cancelled = true;
			return false;
		}
		if (line == NULL) {
			tl_screen_format(&cli->screen, "EOF [assumed %c]\n", preset == 'n' ? 'N' : 'Y');
			return preset != 'n';
		}
		letter = (char)tolower((unsigned char)line[strspn(line, " \t")]);
		free(line);
		letter = letter == '\0' ? preset : letter;
		if (letter == 'y' || letter == 'n')
			return letter == 'y';
		tl_screen_text(&cli->screen, "Please answer y or n.\n");
	}
}

/* `hint`: how the answers are named. */
static bool ask(struct tl_cli *cli, const char *hint, char preset, const char *text)
{
	struct tl_output question = tl_output_make(TL_OUTPUT_MAX);
	bool yes = preset != 'n';

	tl_output_format(&question, "%s%s ", text != NULL ? text : "", hint);
	if (tl_terminal_interactive(cli->terminal)) {
		/* readline's prompt is the last line alone. */
		const char *whole = tl_output_string(&question), *last = strrchr(whole, '\n');

		last = last != NULL ? last + 1 : whole;
		tl_screen_bytes(&cli->screen, whole, (tl_size)(last - whole));
		yes = answer(cli, last, preset);
	} else {
		tl_screen_format(&cli->screen, "%s[answered %c; input not from terminal]\n",
				 tl_output_string(&question), yes ? 'Y' : 'N');
	}
	tl_output_release(&question);
	return yes;
}

bool tl_cli_query(struct tl_cli *cli, const char *format, ...)
{
	va_list list;
	char *text = NULL;
	bool yes;

	if (!cli->settings.confirm)
		return true;
	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		text = NULL;
	va_end(list);
	yes = ask(cli, "(y or n)", '\0', text);
	free(text);
	return yes;
}

bool tl_cli_ask(struct tl_cli *cli, bool preset, const char *format, ...)
{
	va_list list;
	char *text = NULL;
	bool yes;

	if (!cli->settings.confirm)
		return preset;
	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		text = NULL;
	va_end(list);
	yes = ask(cli, preset ? "([y] or n)" : "(y or [n])", preset ? 'y' : 'n', text);
	free(text);
	return yes;
}

/* Each program that ends with us, or is let go: "Inferior 1 [process 4711] will be killed." */
static bool may_leave(struct tl_cli *cli)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	struct tl_inferior_info info = {.number = 0};
	bool yes;

	while (tl_session_next_inferior(cli->session, info.number, &info))
		if (info.process != 0)
			tl_output_format(&text, "\tInferior %u [process %llu] will be %s.\n", info.number,
					 (unsigned long long)info.process, info.attached ? "detached" : "killed");
	yes = tl_cli_query(cli, "A debugging session is active.\n\n%s\nQuit anyway? ", tl_output_string(&text));
	tl_output_release(&text);
	return yes;
}

enum tl_status tl_cli_quit(struct tl_cli *cli, int status, bool ask_first, struct tl_error *error)
{
	if (ask_first && cli->connection.kind != TL_CONNECTION_CORE && tl_inferiors_alive(cli) && !may_leave(cli))
		return TL_FAIL(error, TL_ERROR_CANCELLED, "Not confirmed.");
	cli->quit = true;
	cli->status = status;
	return TL_OK;
}

/* ---- What the terminal and the screen ask ---- */

static void hide(void *context)
{
	struct tl_cli *cli = context;

	tl_progress_hide(cli);
	if (cli->terminal != NULL)
		tl_terminal_hide(cli->terminal);
}

static bool more(void *context)
{
	struct tl_cli *cli = context;
	struct tl_error error;
	char *line = NULL, letter = '\0';
	bool on;

	if (cli->terminal == NULL || !tl_terminal_interactive(cli->terminal) || cli->batch)
		return true;
	on = tl_terminal_read(cli->terminal, "--Type <RET> for more, q to quit, c to continue without paging--",
			      TL_QUESTION_LINE, &line, &error) == TL_OK &&
	     line != NULL;
	if (on)
		letter = line[strspn(line, " ")];
	on = on && letter != 'q';
	cli->screen.whole |= letter == 'c';
	free(line);
	cli->cancelled |= !on;
	return on;
}

static void interrupted(void *context)
{
	struct tl_cli *cli = context;

	cli->cancelled = true;
	if (cli->foreground)
		tl_running_interrupt(cli);
}

/* ---- What the session tells ---- */

static void idle(void *context)
{
	tl_running_idle(context);
	tl_full_screen_idle(context);
}

static void suspended(void *context, bool on)
{
	struct tl_cli *cli = context;

	if (on) {
		tl_full_screen_suspend(&cli->full);
		return;
	}
	tl_full_screen_resume(&cli->full);
	/* The window may have another size by now, of which the shell alone was told. */
	tl_cli_resized(cli);
}

static void stopped(void *context)
{
	struct tl_cli *cli = context;

	cli->stop_due = true;
}

/* These come inside of turns, where nobody can be asked whether a page is enough. */
static void session_output(void *context, const char *text, tl_size size)
{
	struct tl_cli *cli = context;

	tl_inferiors_drain(cli);
	cli->screen.unpaged++;
	tl_screen_bytes(&cli->screen, text, size);
	cli->screen.unpaged--;
	/* In the order in which things happen: the program may write next. */
	tl_screen_flush(&cli->screen);
}

static void session_remark(void *context, const char *line)
{
	struct tl_cli *cli = context;

	session_output(context, line, strlen(line));
	session_output(context, "\n", 1);
	tl_screen_flush(&cli->screen);
}

static void session_signalled(void *context, struct tl_thread_id thread, tl_i32 signal)
{
	struct tl_cli *cli = context;

	tl_inferiors_drain(cli);
	cli->screen.unpaged++;
	tl_stop_tell_signal(cli, thread, signal);
	cli->screen.unpaged--;
	tl_screen_flush(&cli->screen);
}

static void complete(void *context, const char *line, tl_size start, void (*candidate)(void *list, const char *word),
		     void *list)
{
	tl_complete(context, line, start, candidate, list);
}

static const char *breaks(void *context, const char *line)
{
	return tl_complete_breaks(context, line);
}

/* ---- Signals ---- */

/* What a person set to unlimited stays so. */
void tl_cli_resized(struct tl_cli *cli)
{
	tl_full_screen_measure(cli);
	tl_screen_measure(&cli->screen);
	if (cli->settings.height != 0)
		cli->settings.height = cli->screen.height;
	if (cli->settings.width != 0)
		cli->settings.width = cli->screen.width;
	cli->screen.height = cli->settings.height;
	cli->screen.width = cli->settings.width;
	tl_terminal_resized(cli->terminal);
	tl_inferiors_resized(cli);
}

static void resized(void *context, struct tl_source *source, int number)
{
	(void)source, (void)number;
	tl_cli_resized(context);
}

static void ended(void *context, struct tl_source *source, int number)
{
	(void)source;
	end(context, number);
}

static enum tl_status add_signals(struct tl_cli *cli, struct tl_error *error)
{
	/* A reader that is gone, and a terminal that another program has, are errors of calls here. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTTOU, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	TL_TRY(tl_loop_add_signal(cli->loop, SIGWINCH, resized, cli, &cli->resize, error));
	TL_TRY(tl_loop_add_signal(cli->loop, SIGTERM, ended, cli, &cli->ends[0], error));
	return tl_loop_add_signal(cli->loop, SIGHUP, ended, cli, &cli->ends[1], error);
}

/* ---- Opening, running, closing ---- */

/* What the session begins with is what `show` shows. */
static void take_session_settings(struct tl_cli *cli)
{
	const struct tl_session_settings *from = tl_session_settings(cli->session);
	struct tl_settings *to = &cli->settings;

	to->locking = (tl_u32)from->locking;
	to->step_mode = from->step_into_unknown;
	to->follow_fork = from->follow_child ? 1 : 0;
	to->detach_on_fork = from->detach_on_fork;
	to->stop_on_library = from->stop_on_library;
	to->unwind_on_signal = from->unwind_on_signal;
	to->unwind_on_exception = from->unwind_on_exception;
	to->hardware_watchpoints = from->hardware_watchpoints;
}

static enum tl_status open_parts(struct tl_cli *cli, struct tl_error *error)
{
	const struct tl_terminal_hooks hooks = {.idle = idle,
						.interrupted = interrupted,
						.suspended = suspended,
						.complete = complete,
						.breaks = breaks,
						.context = cli};

	const struct tl_session_options session = {.loop = cli->loop,
						   .target = cli->target,
						   .stopped = stopped,
						   .output = session_output,
						   .remark = session_remark,
						   .setting = tl_settings_ask,
						   .signalled = session_signalled,
						   .context = cli};

	tl_screen_open(&cli->screen, STDOUT_FILENO);
	cli->screen.hide = hide;
	cli->screen.more = more;
	cli->screen.context = cli;
	TL_TRY(tl_settings_open(&cli->settings, error));
	if (cli->batch)
		cli->settings.confirm = false;
	cli->settings.height = cli->screen.height;
	cli->settings.width = cli->screen.width;
	TL_TRY(tl_settings_tell_screen(cli, error));
	TL_TRY(tl_table_open(&cli->table, error));
	TL_TRY(tl_sources_open(&cli->sources, error));
	TL_TRY(add_signals(cli, error));
	TL_TRY(tl_terminal_open(&cli->terminal, cli->loop, &cli->screen, &hooks, error));
	TL_TRY(tl_full_screen_open(cli, error));
	TL_TRY(tl_session_open(&cli->session, &session, error));
	cli->inferior = tl_session_current_inferior(cli->session);
	take_session_settings(cli);
	return TL_OK;
}

static void close_parts(struct tl_cli *cli)
{
	tl_screen_flush(&cli->screen);
	tl_full_screen_close(cli);
	tl_session_close(cli->session);
	tl_connection_close(cli);
	tl_program_terminal_close(cli->program_terminal);
	tl_inferiors_release(cli);
	tl_terminal_close(cli->terminal);
	cli->terminal = NULL;
	tl_source_remove(cli->resize);
	tl_source_remove(cli->ends[0]);
	tl_source_remove(cli->ends[1]);
	tl_sources_close(cli->sources);
	tl_displays_clear(cli);
	tl_thread_names_forget(cli);
	tl_table_close(&cli->table);
	tl_settings_close(&cli->settings);
	tl_screen_close(&cli->screen);
	free(cli->repeat);
	free(cli->missing_source);
	free(cli->listing.file);
	free(cli->listing.name);
	for (tl_size i = 0; cli->environment != NULL && cli->environment[i] != NULL; i++)
		free(cli->environment[i]);
	free(cli->environment);
}

static void prompt(struct tl_cli *cli)
{
	bool keep = tl_terminal_interactive(cli->terminal);

	while (!cli->quit) {
		struct tl_error error;
		char *line;
		enum tl_status status;

		tl_full_screen_touch(cli);
		status = tl_terminal_read(cli->terminal, cli->settings.prompt, TL_QUESTION_COMMAND, &line, &error);

		if (status == TL_ERROR_CANCELLED)
			continue;
		if (status != TL_OK) {
			tl_screen_complain(&cli->screen, error.text);
			cli->status = 1;
			return;
		}
		if (line == NULL) {
			tl_screen_text(&cli->screen, keep ? "quit\n" : "");
			if (cli->quit || tl_cli_quit(cli, 0, true, &error) == TL_OK)
				return;
			tl_screen_complain(&cli->screen, error.text);
			continue;
		}
		if (keep)
			tl_history_add(line, cli->settings.duplicates);
		(void)tl_execute_typed(cli, line);
		free(line);
	}
}

static void run(struct tl_cli *cli, const struct tl_cli_options *options)
{
	const struct tl_patience patience = {tl_cli_waiting, cli};
	bool interactive = tl_terminal_interactive(cli->terminal), good = true;

	if (interactive && !options->quiet && !options->batch)
		tl_screen_format(&cli->screen, "Trapline %s. Type \"help\" for help.\n", options->version);
	tl_session_set_patience(cli->session, &patience);
	tl_startup_early(cli, options);
	if (!cli->quit)
		good = tl_startup_program(cli, options);
	if (interactive)
		tl_history_begin(cli->settings.history_file, cli->settings.history_size);
	good = tl_startup_late(cli, options) && good;
	if (cli->batch && !cli->quit)
		cli->status = options->child_result ? cli->child_code & 0xff : !good;
	if (!cli->batch)
		prompt(cli);
	if (interactive && cli->settings.history_save)
		tl_history_save(cli->settings.history_file, cli->settings.history_size);
}

int tl_cli_run(struct tl_loop *loop, const struct tl_cli_options *options)
{
	struct tl_cli cli = {.loop = loop, .batch = options->batch, .version = options->version, .child_code = -1};
	struct tl_error error;

	cli.screen.log = -1;
	if (tl_connection_open(&cli, options->survive, &error) != TL_OK || open_parts(&cli, &error) != TL_OK) {
		fprintf(stderr, "trapline: %s\n", error.text);
		cli.status = 1;
	} else if (options->directory != NULL && chdir(options->directory) != 0) {
		fprintf(stderr, "trapline: %s: ", options->directory);
		perror(NULL);
		cli.status = 1;
	} else {
		run(&cli, options);
	}
	close_parts(&cli);
	return cli.status;
}
