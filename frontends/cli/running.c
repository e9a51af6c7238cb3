#include "frontends/cli/running.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/inferiors.h"
#include "frontends/cli/program_terminal.h"
#include "frontends/cli/stops.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum tl_status tl_running_alive(struct tl_cli *cli, struct tl_error *error)
{
	if (!tl_session_alive(cli->session))
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "The program is not being run.");
	return TL_OK;
}

enum tl_status tl_running_stopped(struct tl_cli *cli, struct tl_error *error)
{
	TL_TRY(tl_running_alive(cli, error));
	if (tl_session_running(cli->session))
		return TL_FAIL(
			error, TL_ERROR_RUNNING,
			"Cannot execute this command while the program is running. \"interrupt\" or ^C stops it.");
	return TL_OK;
}

enum tl_status tl_running_ready(struct tl_cli *cli, struct tl_error *error)
{
	if (cli->connection.kind == TL_CONNECTION_CORE)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING,
			       "The program is not being run: a core dump can only be looked at.");
	return tl_running_stopped(cli, error);
}

enum tl_status tl_running_reverses(struct tl_cli *cli, struct tl_error *error)
{
	if ((tl_target_capabilities(cli->target) & TL_CAN_REVERSE) == 0)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "Target %s does not support this command: nothing of its past is kept.\n"
			       "\"trapline emu PROGRAM\" runs a machine that can go back; rr, and QEMU with record and "
			       "replay, can be connected to.",
			       cli->target->ops->name);
	return TL_OK;
}

/* ---- Waiting ---- */

/* ^C that came as a signal is seen here, at the latest after 100 ms; the stop follows. */
static bool waiting(void *context)
{
	struct tl_cli *cli = context;

	if (cli->quit)
		return false;
	if (tl_cli_cancelled(cli))
		tl_running_interrupt(cli);
	return true;
}

void tl_running_interrupt(struct tl_cli *cli)
{
	/* It is answered by the stop, and is no reason to end what the command does besides. */
	cli->cancelled = false;
	tl_session_interrupt(cli->session);
}

enum tl_status tl_running_wait(struct tl_cli *cli, struct tl_error *error)
{
	const struct tl_patience patience = {waiting, cli};
	struct tl_program_terminal *terminal;
	struct tl_stop stop;
	enum tl_status status;

	tl_screen_flush(&cli->screen);
	cli->foreground = true;
	terminal = tl_inferiors_terminal(cli);
	tl_program_terminal_foreground(terminal, true);
	tl_full_screen_running(cli);
	cli->screen.unpaged++;
	status = tl_session_wait(cli->session, &patience, &stop, error);
	cli->screen.unpaged--;
	tl_inferiors_drain(cli);
	tl_program_terminal_foreground(terminal, false);
	cli->foreground = false;
	cli->stop_due = false;
	TL_TRY(status);
	tl_stop_tell(cli, &stop);
	return TL_OK;
}

void tl_running_idle(struct tl_cli *cli)
{
	struct tl_stop stop;

	if (!cli->stop_due || cli->busy)
		return;
	cli->stop_due = false;
	while (tl_session_take(cli->session, &stop))
		tl_stop_tell(cli, &stop);
	tl_connection_settle(cli);
}

enum tl_status tl_running_resume(struct tl_cli *cli, const struct tl_plan *plan, bool background,
				 struct tl_error *error)
{
	TL_TRY(tl_running_ready(cli, error));
	tl_stop_forget_commands(cli);
	cli->last_thread = tl_session_thread(cli->session);
	/* What a debugger says shall stand in front of what the program does. */
	tl_screen_flush(&cli->screen);
	cli->runs++;
	TL_TRY(tl_session_resume(cli->session, plan, error));
	/* A child that is followed may have become it. */
	cli->last_thread = tl_session_thread(cli->session);
	return background ? TL_OK : tl_running_wait(cli, error);
}

/* ---- Starting ---- */

enum tl_status tl_running_make_way(struct tl_cli *cli, const char *question, struct tl_error *error)
{
	if (!tl_session_alive(cli->session))
		return TL_OK;
	if (!tl_cli_query(cli, "%s", question))
		return TL_FAIL(error, TL_ERROR_CANCELLED, "Program not restarted.");
	if (tl_session_attached(cli->session))
		return tl_session_detach(cli->session, error);
	return tl_session_kill(cli->session, error);
}

/* Words as the shell would take them, where there is none to take them. */
static enum tl_status split_words(const char *text, char ***words_ret, struct tl_error *error)
{
	const char *at = text, *end = text + strlen(text);
	tl_size count = 1, capacity = 16;
	char **words = calloc(capacity, sizeof(*words));

	while (words != NULL) {
		struct tl_output word = tl_output_make(TL_COMMAND_LINE_MAX);

		if (!tl_script_word(&at, end, false, &word))
			break;
		if (count + 2 > capacity) {
			char **grown = realloc(words, capacity * 2 * sizeof(*words));

			if (grown == NULL)
				break;
			words = grown;
			capacity *= 2;
		}
		words[count++] = strdup(tl_output_string(&word));
		words[count] = NULL;
		tl_output_release(&word);
	}
	if (words == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the arguments");
	*words_ret = words;
	return TL_OK;
}

static void free_words(char **words)
{
	for (tl_size i = 1; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

/* A terminal for the program: the one that was named, one of its own where a person sits, else what we have. */
static enum tl_status open_terminal(struct tl_cli *cli, struct tl_launch *launch, struct tl_error *error)
{
	const char *named = cli->settings.inferior_tty;

	tl_program_terminal_close(cli->program_terminal);
	cli->program_terminal = NULL;
	if (named != NULL && named[0] != '\0') {
		launch->terminal = named;
		return TL_OK;
	}
	if (!tl_terminal_interactive(cli->terminal))
		return TL_OK;
	TL_TRY(tl_program_terminal_open(&cli->program_terminal, cli->loop, &cli->screen, cli->terminal, error));
	launch->terminal = tl_program_terminal_path(cli->program_terminal);
	return TL_OK;
}

static enum tl_status launch(struct tl_cli *cli, const char *const *words, struct tl_error *error)
{
	const struct tl_settings *settings = &cli->settings;
	struct tl_launch launch = {
		.arguments = words,
		.environment = (const char *const *)cli->environment,
		.directory = settings->working_directory != NULL && settings->working_directory[0] != '\0'
				     ? settings->working_directory
				     : NULL,
		.with_shell = settings->with_shell,
		.keep_randomization = !settings->fixed_addresses,
	};
	const char *const whole_wrapper[] = {settings->wrapper, NULL};
	char **wrapper = NULL;
	enum tl_status status;

	TL_TRY(open_terminal(cli, &launch, error));
	if (settings->wrapper != NULL && settings->wrapper[0] != '\0') {
		/* The shell takes the words apart itself. Of words that were, the first is left free for a program. */
		if (!settings->with_shell)
			TL_TRY(split_words(settings->wrapper, &wrapper, error));
		launch.wrapper = wrapper != NULL ? (const char *const *)(const void *)(wrapper + 1) : whole_wrapper;
	}
	cli->runs++;
	cli->threads_seen = cli->threads_seen && tl_inferiors_alive(cli);
	cli->last_thread = (struct tl_thread_id){0, 0};
	status = tl_session_launch(cli->session, &launch, error);
	free_words(wrapper);
	/* What a shell said of why it could not. */
	tl_inferiors_drain(cli);
	return status;
}

enum tl_status tl_running_launch(struct tl_cli *cli, struct tl_error *error)
{
	const char *program = tl_session_program(cli->session);
	const char *arguments = cli->settings.arguments != NULL ? cli->settings.arguments : "";
	const char *through_shell[3] = {program, arguments[0] != '\0' ? arguments : NULL, NULL};
	const char *remote = cli->settings.remote_exec_file;
	char **words = NULL;
	enum tl_status status;

	/* Where the stub is, the program may have another name. */
	if (cli->connection.kind == TL_CONNECTION_EXTENDED && remote != NULL && remote[0] != '\0') {
		program = program != NULL ? program : remote;
		through_shell[0] = remote;
	}
	if (program == NULL)
		return TL_FAIL(error, TL_ERROR_STATE,
			       "No executable file specified.\nUse the \"file\" or \"exec-file\" command.");
	if (tl_cli_typed(cli))
		tl_screen_format(&cli->screen, "Starting program: %s%s%s %s\n",
				 tl_screen_style(&cli->screen, TL_STYLE_FILENAME), program,
				 tl_screen_style(&cli->screen, TL_STYLE_PLAIN), arguments);
	tl_screen_flush(&cli->screen);
	if (cli->settings.with_shell)
		return launch(cli, through_shell, error);
	TL_TRY(split_words(arguments, &words, error));
	{
		union {
			char **from;
			const char *const *to;
		} all = {words};

		words[0] = NULL;
		*(const char **)(void *)&words[0] = through_shell[0];
		status = launch(cli, all.to, error);
	}
	free_words(words);
	return status;
}

enum tl_status tl_running_attach(struct tl_cli *cli, tl_u64 process, bool background, struct tl_error *error)
{
	const char *program = tl_session_program(cli->session);

	if (!tl_cli_typed(cli))
		program = NULL;
	else if (program != NULL)
		tl_screen_format(&cli->screen, "Attaching to program: %s, process %llu\n", program,
				 (unsigned long long)process);
	else
		tl_screen_format(&cli->screen, "Attaching to process %llu\n", (unsigned long long)process);
	tl_screen_flush(&cli->screen);
	tl_program_terminal_close(cli->program_terminal);
	cli->program_terminal = NULL;
	cli->runs++;
	TL_TRY(tl_session_attach(cli->session, process, error));
	return background ? TL_OK : tl_running_wait(cli, error);
}
