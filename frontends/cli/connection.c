#include "frontends/cli/connection.h"

#include "debugger/session/signal_names.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/program_terminal.h"
#include "frontends/cli/running.h"
#include "frontends/cli/stops.h"
#include "frontends/machine.h"
#include "targets/corefile/corefile.h"
#include "targets/process/process.h"
#include "targets/remote/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So often a stub that nobody listens for yet is tried again. */
#define RETRY_MILLISECONDS 100

/* ---- Making and unmaking targets ---- */

static void destroy(enum tl_connection_kind kind, const struct tl_machine_kind *machine, struct tl_target *target)
{
	switch (kind) {
	case TL_CONNECTION_NATIVE:
		tl_process_target_destroy(target);
		break;
	case TL_CONNECTION_CORE:
		tl_corefile_close(target);
		break;
	case TL_CONNECTION_REMOTE:
	case TL_CONNECTION_EXTENDED:
		tl_remote_target_destroy(target);
		break;
	case TL_CONNECTION_MACHINE:
		machine->destroy(target);
		break;
	}
}

static enum tl_status make_native(struct tl_cli *cli, struct tl_target **target_ret, struct tl_error *error)
{
	const struct tl_process_options options = {.launched_survive = cli->connection.survive};

	return tl_process_target_create(cli->loop, &options, target_ret, error);
}

enum tl_status tl_connection_open(struct tl_cli *cli, bool survive, struct tl_error *error)
{
	cli->connection = (struct tl_connection){.survive = survive};
	return make_native(cli, &cli->target, error);
}

void tl_connection_close(struct tl_cli *cli)
{
	if (cli->target != NULL)
		destroy(cli->connection.kind, cli->connection.machine, cli->target);
	free(cli->connection.name);
	free(cli->connection.program);
	cli->target = NULL;
	cli->connection = (struct tl_connection){0};
}

/* Puts a target, which is ours from now on, in the place of the one that is there. */
static void put(struct tl_cli *cli, enum tl_connection_kind kind, const char *name, struct tl_target *target)
{
	struct tl_target *before = cli->target;
	enum tl_connection_kind before_kind = cli->connection.kind;
	const struct tl_machine_kind *before_machine = cli->connection.machine;

	tl_session_set_target(cli->session, target);
	cli->target = target;
	cli->connection.kind = kind;
	cli->connection.lost[0] = '\0';
	cli->connection.lost_told = false;
	free(cli->connection.name);
	cli->connection.name = name != NULL ? strdup(name) : NULL;
	destroy(before_kind, before_machine, before);
	free(cli->connection.program);
	cli->connection.program = NULL;
	cli->stop_due = cli->commands_due = cli->threads_seen = false;
	cli->last_thread = (struct tl_thread_id){0, 0};
	tl_program_terminal_close(cli->program_terminal);
	cli->program_terminal = NULL;
}

/* ---- Leaving what is there ---- */

static bool anything_left(struct tl_cli *cli)
{
	return tl_engine_next_process(tl_session_engine(cli->session), 0) != 0;
}

/* What runs is ended, or let go if it was there before us; a core dump is no loss to anybody. */
static enum tl_status make_way(struct tl_cli *cli, struct tl_error *error)
{
	if (cli->connection.kind == TL_CONNECTION_CORE || !anything_left(cli))
		return TL_OK;
	TL_TRY(tl_running_make_way(cli, "A program is being debugged already.  Kill it? ", error));
	if (anything_left(cli))
		return TL_FAIL(
			error, TL_ERROR_STATE,
			"Other inferiors are debugged over the present target: kill them, or let them go, first.");
	return TL_OK;
}

enum tl_status tl_connection_native(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_target *target;

	if (cli->connection.kind == TL_CONNECTION_NATIVE)
		return TL_OK;
	TL_TRY(make_way(cli, error));
	TL_TRY(make_native(cli, &target, error));
	put(cli, TL_CONNECTION_NATIVE, NULL, target);
	return TL_OK;
}

/* To the native target as things are, whatever is left behind. */
static enum tl_status drop(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_target *target;

	TL_TRY(make_native(cli, &target, error));
	put(cli, TL_CONNECTION_NATIVE, NULL, target);
	return TL_OK;
}

bool tl_connection_disconnect(struct tl_cli *cli, struct tl_error *error)
{
	if (cli->connection.kind == TL_CONNECTION_NATIVE)
		return false;
	/* The stub is asked to stop before the line goes: nobody could tell it to later. */
	if (tl_session_any_running(cli->session)) {
		tl_session_interrupt(cli->session);
		if (tl_running_wait(cli, error) != TL_OK)
			tl_screen_complain(&cli->screen, error->text);
	}
	if (cli->connection.kind != TL_CONNECTION_NATIVE && drop(cli, error) != TL_OK)
		tl_screen_complain(&cli->screen, error->text);
	return true;
}

void tl_connection_settle(struct tl_cli *cli)
{
	const struct tl_connection *connection = &cli->connection;
	struct tl_error error;

	if (connection->kind == TL_CONNECTION_NATIVE || connection->kind == TL_CONNECTION_MACHINE ||
	    tl_session_any_running(cli->session))
		return;
	if (connection->lost[0] == '\0' && (connection->kind == TL_CONNECTION_EXTENDED || anything_left(cli)))
		return;
	(void)tl_connection_tell_lost(cli);
	if (drop(cli, &error) != TL_OK)
		tl_screen_complain(&cli->screen, error.text);
}

bool tl_connection_tell_lost(struct tl_cli *cli)
{
	struct tl_connection *connection = &cli->connection;
	char text[512];

	if (connection->lost[0] == '\0')
		return false;
	if (!connection->lost_told) {
		bool asks = connection->lost[strlen(connection->lost) - 1] == '?';

		snprintf(text, sizeof(text), "Remote connection closed: %s%s\n\"target %s %s\" connects again.",
			 connection->lost, asks ? "" : ".",
			 connection->kind == TL_CONNECTION_EXTENDED ? "extended-remote" : "remote",
			 connection->name != NULL ? connection->name : "ADDRESS");
		tl_screen_complain(&cli->screen, text);
	}
	connection->lost_told = true;
	return true;
}

const char *tl_connection_word(struct tl_cli *cli)
{
	switch (cli->connection.kind) {
	case TL_CONNECTION_CORE:
		return "core";
	case TL_CONNECTION_REMOTE:
		return "remote";
	case TL_CONNECTION_EXTENDED:
		return "extended-remote";
	case TL_CONNECTION_MACHINE:
		return cli->connection.machine->word;
	case TL_CONNECTION_NATIVE:
		break;
	}
	if (tl_session_alive(cli->session))
		return "native";
	return tl_session_program(cli->session) != NULL ? "exec" : "None";
}

enum tl_status tl_connection_make_ready(struct tl_cli *cli, const char *command, struct tl_error *error)
{
	tl_connection_settle(cli);
	if (cli->connection.kind == TL_CONNECTION_REMOTE)
		return TL_FAIL(error, TL_ERROR_STATE,
			       "The \"remote\" target does not support \"%s\".  Try \"help target\" or \"continue\".",
			       command);
	return cli->connection.kind == TL_CONNECTION_CORE ? drop(cli, error) : TL_OK;
}

/* ---- Core dumps ---- */

static void remark(void *context, const char *line)
{
	struct tl_cli *cli = context;
	char text[512];

	snprintf(text, sizeof(text), "warning: %s", line);
	tl_screen_complain(&cli->screen, text);
}

/* How the process of a core dump ended, and where. */
static enum tl_status show_core(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_thread_id thread = tl_session_thread(cli->session);
	struct tl_corefile_facts facts;
	struct tl_stop stop;

	/* What is owed for it as after an attach is told here, in other words. */
	(void)tl_session_take(cli->session, &stop);
	cli->last_thread = thread;
	tl_corefile_facts(cli->target, &facts);
	if (facts.command[0] != '\0')
		tl_screen_format(&cli->screen, "Core was generated by `%s'.\n", facts.command);
	if (facts.signal != 0)
		tl_screen_format(&cli->screen, "Program terminated with signal %s, %s.\n", tl_signal_name(facts.signal),
				 tl_signal_text(facts.signal));
	return tl_frame_print_selected(cli, error);
}

enum tl_status tl_connection_core(struct tl_cli *cli, const char *path, struct tl_error *error)
{
	const char *named = tl_session_program(cli->session);
	/* The dump's reader counts on it for as long as it is open. */
	char *program = named != NULL ? strdup(named) : NULL;
	struct tl_corefile_options options = {.program = program, .remark = remark, .context = cli};
	struct tl_target *target;
	enum tl_status status = make_way(cli, error);
	struct tl_error none;

	if (status == TL_OK)
		status = tl_corefile_open(path, &options, &target, error);
	if (status != TL_OK) {
		free(program);
		return status;
	}
	put(cli, TL_CONNECTION_CORE, path, target);
	cli->connection.program = program;
	status = tl_corefile_populate(target, error);
	if (status == TL_OK)
		status = tl_session_adopt(cli->session, program, false, error);
	if (status == TL_OK)
		status = show_core(cli, error);
	if (status != TL_OK && !tl_session_alive(cli->session))
		(void)!drop(cli, &none);
	return status;
}

/* ---- Machines ---- */

/*
 * Its serial port leads where it was told to; else it is a program's terminal where a person sits, and what it says
 * goes where we write where nobody does.
 */
static enum tl_status make_machine(struct tl_cli *cli, const struct tl_machine *machine,
				   struct tl_program_terminal **terminal_ret, struct tl_target **target_ret,
				   struct tl_error *error)
{
	struct tl_machine_ends ends = {.input = -1, .output = -1, .moves = true, .remark = remark, .context = cli};
	enum tl_status status;

	*terminal_ret = NULL;
	if (machine->serial != NULL && strcmp(machine->serial, "-") != 0) {
		ends.terminal = strcmp(machine->serial, "none") != 0 ? machine->serial : NULL;
	} else if (tl_terminal_interactive(cli->terminal)) {
		TL_TRY(tl_program_terminal_open(terminal_ret, cli->loop, &cli->screen, cli->terminal, error));
		ends.terminal = tl_program_terminal_path(*terminal_ret);
	} else {
		ends.output = STDOUT_FILENO;
	}
	status = machine->kind->create(cli->loop, machine->options, &ends, target_ret, error);
	if (status != TL_OK)
		tl_program_terminal_close(*terminal_ret);
	return status;
}

enum tl_status tl_connection_machine(struct tl_cli *cli, const struct tl_machine *machine, struct tl_error *error)
{
	struct tl_program_terminal *terminal;
	struct tl_target *target;
	enum tl_status status;
	struct tl_error none;
	struct tl_stop stop;

	TL_TRY(make_way(cli, error));
	TL_TRY(make_machine(cli, machine, &terminal, &target, error));
	put(cli, TL_CONNECTION_MACHINE, NULL, target);
	cli->connection.machine = machine->kind;
	cli->program_terminal = terminal;
	status = machine->kind->populate(target, error);
	if (status == TL_OK)
		status = tl_session_adopt(cli->session, machine->kind->program(target), true, error);
	if (status != TL_OK) {
		(void)!drop(cli, &none);
		return status;
	}
	/* Nobody waits for the machine to come to reset: where it stands is shown. */
	(void)tl_session_take(cli->session, &stop);
	cli->last_thread = tl_session_thread(cli->session);
	return tl_frame_print_selected(cli, error);
}

/* ---- Stubs ---- */

/* What the program or the stub wants shown; inside of turns. */
static void output(void *context, const char *text, tl_size size)
{
	struct tl_cli *cli = context;

	cli->screen.unpaged++;
	tl_screen_bytes(&cli->screen, text, size);
	cli->screen.unpaged--;
	tl_screen_flush(&cli->screen);
}

static void lost(void *context, const char *sentence)
{
	struct tl_cli *cli = context;

	snprintf(cli->connection.lost, sizeof(cli->connection.lost), "%s", sentence);
	/* With the program, if there is one, a stop comes; else it is told between lines. */
	cli->stop_due = true;
}

/* The forms that gdb has beside ours: tcp:HOST:PORT, and the path of a socket. The caller frees. */
static char *our_address(const char *address)
{
	struct stat about;
	char *ours = NULL;

	if (strncmp(address, "tcp:", 4) == 0)
		return strdup(address + 4);
	if (address[0] == '/' && stat(address, &about) == 0 && S_ISSOCK(about.st_mode))
		return asprintf(&ours, "unix:%s", address) >= 0 ? ours : NULL;
	return strdup(address);
}

/* A stub that was just started may not listen yet. */
static enum tl_status connect_patiently(struct tl_cli *cli, const char *address,
					const struct tl_remote_options *options, struct tl_target **target_ret,
					struct tl_error *error)
{
	tl_u64 left = cli->settings.tcp_retry ? (tl_u64)cli->settings.tcp_timeout * 1000 : 0;

	for (;;) {
		enum tl_status status = tl_remote_target_create(cli->loop, address, options, target_ret, error);
		struct tl_error none;

		if (status == TL_OK || left == 0 || (error->system != ECONNREFUSED && error->system != ENOENT))
			return status;
		if (!tl_cli_waiting(cli))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
		/* The program's terminal and ours go on meanwhile. */
		(void)!tl_loop_turn(cli->loop, RETRY_MILLISECONDS, &none);
		left = left > RETRY_MILLISECONDS ? left - RETRY_MILLISECONDS : 0;
	}
}

/* What the stub has is taken over, and told. */
static enum tl_status adopt(struct tl_cli *cli, bool extended, struct tl_error *error)
{
	struct tl_stop stop;

	TL_TRY(tl_remote_target_populate(cli->target, error));
	if (extended && tl_engine_next_process(tl_session_engine(cli->session), 0) == 0)
		return TL_OK;
	TL_TRY(tl_session_adopt(cli->session, tl_session_program(cli->session), tl_remote_target_started(cli->target),
				error));
	if (tl_session_take(cli->session, &stop))
		tl_stop_tell(cli, &stop);
	return TL_OK;
}

enum tl_status tl_connection_remote(struct tl_cli *cli, const char *address, bool extended, bool tell,
				    struct tl_error *error)
{
	struct tl_remote_options options = {.patience = (tl_u64)cli->settings.remote_timeout * 1000,
					    .extended = extended,
					    .baud = cli->settings.serial_baud,
					    .output = output,
					    .lost = lost,
					    .context = cli};
	struct tl_target *target = NULL;
	struct tl_error none;
	enum tl_status status;
	char *ours;

	TL_TRY(make_way(cli, error));
	/* One stub has one client, which may be the one that is left now. */
	if (cli->connection.kind != TL_CONNECTION_NATIVE)
		TL_TRY(drop(cli, error));
	ours = our_address(address);
	if (ours == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for an address");
	status = connect_patiently(cli, ours, &options, &target, error);
	free(ours);
	TL_TRY(status);
	put(cli, extended ? TL_CONNECTION_EXTENDED : TL_CONNECTION_REMOTE, address, target);
	if (tell)
		tl_screen_format(&cli->screen, "Remote debugging using %s\n", address);
	status = adopt(cli, extended, error);
	if (status != TL_OK && !tl_session_alive(cli->session)) {
		cli->connection.lost_told = true;
		(void)!drop(cli, &none);
	}
	return status;
}
