#include "frontends/cli/cli.h"

#include "frontends/cli/calculator.h"
#include "frontends/cli/complete.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/history.h"
#include "frontends/cli/startup.h"

#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- ^C ---- */

/* ^C that is still on its way to the loop; it is taken, so that it does not come twice. */
static bool take_pending_interrupt(void)
{
	const struct timespec at_once = {0};
	sigset_t pending, wanted;

	if (sigpending(&pending) != 0 || sigismember(&pending, SIGINT) != 1)
		return false;
	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGINT);
	return sigtimedwait(&wanted, NULL, &at_once) == SIGINT;
}

bool tl_cli_cancelled(struct tl_cli *cli)
{
	cli->cancelled |= take_pending_interrupt();
	return cli->cancelled;
}

void tl_cli_forget_interrupt(struct tl_cli *cli)
{
	(void)cli;
	(void)take_pending_interrupt();
}

bool tl_cli_waiting(void *context)
{
	return !tl_cli_cancelled(context);
}

/* ---- Questions ---- */

static bool answer(struct tl_cli *cli, const char *question)
{
	for (;;) {
		struct tl_error error;
		char *line, letter;

		if (tl_terminal_read(cli->terminal, question, TL_QUESTION_LINE, &line, &error) != TL_OK) {
			cli->cancelled = true;
			return false;
		}
		if (line == NULL) {
			tl_screen_text(&cli->screen, "EOF [assumed Y]\n");
			return true;
		}
		letter = (char)tolower((unsigned char)line[strspn(line, " \t")]);
		free(line);
		if (letter == 'y' || letter == 'n')
			return letter == 'y';
		tl_screen_text(&cli->screen, "Please answer y or n.\n");
	}
}

bool tl_cli_query(struct tl_cli *cli, const char *format, ...)
{
	struct tl_output question = tl_output_make(TL_OUTPUT_MAX);
	va_list list;
	char *text = NULL;
	bool yes = true;

	if (!cli->settings.confirm || cli->batch)
		return true;
	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		text = NULL;
	va_end(list);
	tl_output_format(&question, "%s(y or n) ", text != NULL ? text : "");
	free(text);
	/* readline's prompt is the last line alone. */
	if (tl_terminal_interactive(cli->terminal)) {
		const char *whole = tl_output_string(&question), *last = strrchr(whole, '\n');

		last = last != NULL ? last + 1 : whole;
		tl_screen_bytes(&cli->screen, whole, (tl_size)(last - whole));
		yes = answer(cli, last);
	} else {
		tl_screen_format(&cli->screen, "%s[answered Y; input not from terminal]\n",
				 tl_output_string(&question));
	}
	tl_output_release(&question);
	return yes;
}

enum tl_status tl_cli_quit(struct tl_cli *cli, int status, bool ask, struct tl_error *error)
{
	(void)ask, (void)error;
	cli->quit = true;
	cli->status = status;
	return TL_OK;
}

/* ---- What the terminal and the screen ask ---- */

static void hide(void *context)
{
	struct tl_cli *cli = context;

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
static void resized(void *context, struct tl_source *source, int number)
{
	struct tl_cli *cli = context;

	(void)source, (void)number;
	tl_screen_measure(&cli->screen);
	if (cli->settings.height != 0)
		cli->settings.height = cli->screen.height;
	if (cli->settings.width != 0)
		cli->settings.width = cli->screen.width;
	cli->screen.height = cli->settings.height;
	cli->screen.width = cli->settings.width;
	tl_terminal_resized(cli->terminal);
}

/* SIGTERM and SIGHUP: leave as with quit, and ask nothing. */
static void ended(void *context, struct tl_source *source, int number)
{
	struct tl_cli *cli = context;

	(void)source;
	cli->quit = cli->cancelled = true;
	cli->status = 128 + number;
	tl_terminal_end(cli->terminal);
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

static enum tl_status open_parts(struct tl_cli *cli, struct tl_error *error)
{
	const struct tl_terminal_hooks hooks = {
		.interrupted = interrupted, .complete = complete, .breaks = breaks, .context = cli};

	tl_screen_open(&cli->screen, STDOUT_FILENO);
	cli->screen.hide = hide;
	cli->screen.more = more;
	cli->screen.context = cli;
	TL_TRY(tl_settings_open(&cli->settings, error));
	if (cli->batch)
		cli->settings.confirm = false;
	cli->settings.height = cli->screen.height;
	cli->settings.width = cli->screen.width;
	cli->screen.paging = !cli->batch;
	cli->screen.styled = cli->settings.style;
	TL_TRY(tl_table_open(&cli->table, error));
	TL_TRY(tl_calculator_open(&cli->calculator, error));
	TL_TRY(add_signals(cli, error));
	return tl_terminal_open(&cli->terminal, cli->loop, &cli->screen, &hooks, error);
}

static void close_parts(struct tl_cli *cli)
{
	tl_screen_flush(&cli->screen);
	tl_terminal_close(cli->terminal);
	cli->terminal = NULL;
	tl_source_remove(cli->resize);
	tl_source_remove(cli->ends[0]);
	tl_source_remove(cli->ends[1]);
	tl_calculator_close(cli->calculator);
	tl_table_close(&cli->table);
	tl_settings_close(&cli->settings);
	tl_screen_close(&cli->screen);
	free(cli->repeat);
}

static void prompt(struct tl_cli *cli)
{
	bool keep = tl_terminal_interactive(cli->terminal);

	while (!cli->quit) {
		struct tl_error error;
		char *line;
		enum tl_status status =
			tl_terminal_read(cli->terminal, cli->settings.prompt, TL_QUESTION_COMMAND, &line, &error);

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
			continue;
		}
		if (keep)
			tl_history_add(line);
		(void)tl_execute_typed(cli, line);
		free(line);
	}
}

static void run(struct tl_cli *cli, const struct tl_cli_options *options)
{
	bool interactive = tl_terminal_interactive(cli->terminal), good;

	if (interactive && !options->quiet && !options->batch)
		tl_screen_format(&cli->screen, "Trapline %s. Type \"help\" for help.\n", options->version);
	tl_startup_early(cli, options);
	if (interactive)
		tl_history_open(cli->settings.history_file, cli->settings.history_size);
	good = tl_startup_late(cli, options);
	if (cli->batch && !cli->quit)
		cli->status = good ? 0 : 1;
	if (!cli->batch)
		prompt(cli);
	if (interactive && cli->settings.history_save)
		tl_history_save(cli->settings.history_file, cli->settings.history_size);
}

int tl_cli_run(struct tl_loop *loop, struct tl_target *target, const struct tl_cli_options *options)
{
	struct tl_cli cli = {.loop = loop, .target = target, .batch = options->batch, .version = options->version};
	struct tl_error error;

	cli.screen.log = -1;
	if (open_parts(&cli, &error) != TL_OK) {
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
