/* What is debugged, and where: target, core-file, disconnect, monitor, and the protocol's own matters. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/running.h"
#include "frontends/cli/words.h"

#include "targets/remote/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MONITOR_OUTPUT_MAX ((tl_size)1 << 20)

/* ---- target ---- */

static enum tl_status connect_to(struct tl_cli *cli, const char *address, bool extended, struct tl_error *error)
{
	if (address[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "To open a remote debug connection, you need to specify what\n"
			       "serial device is attached to the remote system\n"
			       "(e.g. HOST:PORT, /dev/ttyS0, unix:PATH, \"| COMMAND\").");
	tl_screen_flush(&cli->screen);
	return tl_connection_remote(cli, address, extended, tl_cli_typed(cli), error);
}

static enum tl_status target_remote(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				    struct tl_error *error)
{
	(void)line;
	return connect_to(cli, words, false, error);
}

static enum tl_status target_extended(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				      struct tl_error *error)
{
	(void)line;
	return connect_to(cli, words, true, error);
}

static enum tl_status run_target_remote(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, target_remote, error);
}

static enum tl_status run_target_extended(struct tl_cli *cli, const struct tl_command_line *line,
					  struct tl_error *error)
{
	return tl_words_with(cli, line, target_extended, error);
}

static enum tl_status run_target_native(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line;
	TL_TRY(tl_connection_native(cli, error));
	if (tl_cli_typed(cli))
		tl_screen_text(&cli->screen, "Done.  Use the \"run\" command to start a process.\n");
	return TL_OK;
}

/* ---- Core dumps ---- */

static enum tl_status core_file(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	struct tl_output path = tl_output_make(TL_COMMAND_LINE_MAX);
	const char *at = words;
	enum tl_status status;

	if (!tl_script_word(&at, words + strlen(words), false, &path)) {
		tl_output_release(&path);
		if (strcmp(line->command->name, "core") == 0)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "No core file specified.");
		if (cli->connection.kind == TL_CONNECTION_CORE)
			(void)tl_connection_disconnect(cli, error);
		tl_screen_text(&cli->screen, "No core file now.\n");
		return TL_OK;
	}
	status = tl_connection_core(cli, tl_output_string(&path), error);
	tl_output_release(&path);
	return status;
}

static enum tl_status run_core_file(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, core_file, error);
}

/* ---- disconnect ---- */

static enum tl_status run_disconnect(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line;
	if (!tl_connection_is_remote(&cli->connection))
		return TL_FAIL(error, TL_ERROR_STATE, "You can't do that when your target is `%s'",
			       tl_connection_word(cli));
	(void)tl_connection_disconnect(cli, error);
	tl_screen_text(&cli->screen, "Ending remote debugging.\n");
	return TL_OK;
}

/* ---- monitor ---- */

static enum tl_status monitor(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	tl_u8 *text = malloc(MONITOR_OUTPUT_MAX);
	struct tl_writer writer = tl_writer_make(text, MONITOR_OUTPUT_MAX);
	enum tl_status status;

	if (text == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for what the stub says");
	status = cli->target->ops->monitor(cli->target, words, &writer);
	tl_screen_bytes(&cli->screen, (const char *)text, tl_writer_size(&writer));
	free(text);
	if (status == TL_ERROR_UNSUPPORTED)
		return TL_FAIL(error, status, "Target does not support this command.");
	if (status == TL_ERROR_GONE || status == TL_ERROR_TIMEOUT)
		return TL_FAIL(error, status, "The stub did not answer.");
	if (status != TL_OK)
		return TL_FAIL(error, status, "Protocol error with Rcmd");
	return TL_OK;
}

static enum tl_status monitor_words(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				    struct tl_error *error)
{
	(void)line;
	return monitor(cli, words, error);
}

static enum tl_status run_monitor(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	if ((!tl_connection_is_remote(&cli->connection) && cli->connection.kind != TL_CONNECTION_MACHINE) ||
	    cli->target->ops->monitor == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "\"monitor\" command not supported by this target.");
	return tl_words_with(cli, line, monitor_words, error);
}

/* ---- maintenance ---- */

static enum tl_status packet(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			     struct tl_error *error)
{
	struct tl_cursor answer;
	enum tl_status status;

	(void)line;
	if (!tl_connection_is_remote(&cli->connection))
		return TL_FAIL(error, TL_ERROR_STATE, "command can only be used with remote target");
	if (words[0] == '\0')
		return TL_FAIL(
			error, TL_ERROR_ARGUMENT,
			"remote-packet command requires packet text as argument. Example: maintenance packet qC");
	tl_screen_format(&cli->screen, "sending: %s\n", words);
	status = tl_remote_target_packet(cli->target, words, &answer);
	if (status != TL_OK)
		return TL_FAIL(error, status, "The stub did not answer: %s.", tl_status_text(status));
	tl_screen_text(&cli->screen, "received: \"");
	while (!tl_cursor_done(&answer)) {
		tl_u8 byte = tl_cursor_byte(&answer);

		if (byte >= ' ' && byte < 0x7f)
			tl_screen_format(&cli->screen, "%c", byte);
		else
			tl_screen_format(&cli->screen, "\\x%02x", byte);
	}
	tl_screen_text(&cli->screen, "\"\n");
	return TL_OK;
}

static enum tl_status run_packet(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, packet, error);
}

static enum tl_status run_flush_registers(struct tl_cli *cli, const struct tl_command_line *line,
					  struct tl_error *error)
{
	(void)line;
	if (tl_session_alive(cli->session))
		TL_TRY(tl_running_stopped(cli, error));
	if (tl_connection_is_remote(&cli->connection))
		tl_remote_target_forget(cli->target);
	tl_session_refresh(cli->session);
	tl_screen_text(&cli->screen, "Register cache flushed.\n");
	return TL_OK;
}

/* ---- Settings ---- */

static const char *const architectures[] = {"auto", "i386", "i386:x86-64"};
static const char *const systems[] = {"auto", "none", "GNU/Linux"};

static enum tl_status choose(const char *words, const char *const *choices, tl_size count, tl_u32 *choice,
			     struct tl_error *error)
{
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Requires an argument. Valid arguments are %s, %s, %s.",
			       choices[0], choices[1], choices[2]);
	for (tl_size i = 0; i < count; i++) {
		if (strcmp(words, choices[i]) == 0) {
			*choice = (tl_u32)i;
			return TL_OK;
		}
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "Undefined item: \"%s\". Valid arguments are %s, %s, %s.", words,
		       choices[0], choices[1], choices[2]);
}

enum tl_status tl_set_architecture(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	TL_TRY(choose(words, architectures, TL_COUNT(architectures), &cli->settings.architecture, error));
	tl_show_architecture(cli, "");
	return TL_OK;
}

void tl_show_architecture(struct tl_cli *cli, const char *words)
{
	const struct tl_module *program = tl_modules_get(tl_session_modules(cli->session), 0);
	const char *current = architectures[2];
	struct tl_process_facts facts;

	(void)words;
	if (tl_engine_facts(tl_session_engine(cli->session), tl_session_thread(cli->session).process, &facts) == TL_OK)
		current = strcmp(facts.cpu->name, "i386") == 0 ? architectures[1] : architectures[2];
	else if (program != NULL && !tl_image_elf(program->binary->image)->wide)
		current = architectures[1];
	tl_screen_format(&cli->screen, "The target architecture is set to \"%s\"",
			 architectures[cli->settings.architecture]);
	if (cli->settings.architecture == 0)
		tl_screen_format(&cli->screen, " (currently \"%s\")", current);
	tl_screen_text(&cli->screen, ".\n");
}

enum tl_status tl_set_osabi(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	return choose(words, systems, TL_COUNT(systems), &cli->settings.osabi, error);
}

void tl_show_osabi(struct tl_cli *cli, const char *words)
{
	(void)words;
	tl_screen_format(&cli->screen, "The current OS ABI is \"%s\"%s.\nThe default OS ABI is \"GNU/Linux\".\n",
			 systems[cli->settings.osabi], cli->settings.osabi == 0 ? " (currently \"GNU/Linux\")" : "");
}

/* ---- The tables ---- */

static const struct tl_command targets[] = {
	{.name = "core",
	 .arguments = "FILE",
	 .summary = "Use a core file as a target",
	 .details = "As core-file.\nExample: target core core.4711",
	 .run = run_core_file,
	 .complete = tl_complete_files},
	{.name = "exec",
	 .arguments = "[FILE]",
	 .summary = "Use an executable file as a target",
	 .details = "As exec-file.\nExample: target exec ./program",
	 .run = tl_command_run_exec_file,
	 .complete = tl_complete_files},
	{.name = "extended-remote",
	 .arguments = "ADDRESS",
	 .summary = "Use a remote stub that starts programs, and stays when they end",
	 .details =
		 "run starts what \"set remote exec-file\" names there, or the program's name here; attach attaches\n"
		 "there. Addresses as of target remote.\n"
		 "Example: target extended-remote board:2345",
	 .run = run_target_extended,
	 .complete = tl_complete_files},
	{.name = "native",
	 .summary = "Native process (started by the \"run\" command)",
	 .details = "What is there without another target.\nExample: target native",
	 .run = run_target_native},
	{.name = "remote",
	 .arguments = "ADDRESS",
	 .summary = "Use what a remote stub debugs: gdbserver, QEMU, Trapline itself",
	 .details = "ADDRESS is HOST:PORT, :PORT, [IPV6]:PORT, unix:PATH or the path of a socket, a serial line, or\n"
		    "\"| COMMAND\", whose input and output are the line. Points, settings and displays stay.\n"
		    "Example: target remote :1234, target remote | ssh board gdbserver - ./program",
	 .run = run_target_remote,
	 .complete = tl_complete_files},
	{0},
};

static const struct tl_command flush[] = {
	{.name = "register-cache",
	 .summary = "Forget cached registers and frames, and ask for them anew",
	 .details = "For a program that was changed from elsewhere.\nExample: maintenance flush register-cache",
	 .run = run_flush_registers},
	{0},
};

static const struct tl_command maintenance[] = {
	{.name = "flush", .subcommands = flush, .summary = "Commands for flushing internal caches"},
	{.name = "packet",
	 .arguments = "TEXT",
	 .summary = "Send an arbitrary packet to a remote stub",
	 .details = "The text between $ and #; its answer is shown.\nExample: maintenance packet qSupported",
	 .run = run_packet},
	{0},
};

const struct tl_command tl_commands_targets[] = {
	{.name = "target",
	 .subcommands = targets,
	 .summary = "Connect to a target machine or process",
	 .details = "The present one is left: a program that runs is killed or let go first.\n"
		    "Example: target remote :1234"},
	{.name = "core-file",
	 .arguments = "[FILE]",
	 .summary = "Use FILE as core dump for examining memory and registers",
	 .details = "Without a name: none any more.\nExample: core-file core.4711",
	 .run = run_core_file,
	 .complete = tl_complete_files},
	{.name = "disconnect",
	 .summary = "Disconnect from a remote stub, and leave what it debugs as it is",
	 .details = "Unlike detach, which lets the program go. target remote connects again.\nExample: disconnect",
	 .run = run_disconnect},
	{.name = "monitor",
	 .arguments = "TEXT",
	 .summary = "Send a command to the remote monitor (remote targets only)",
	 .details = "What there is depends on the stub: \"monitor help\" often tells.\n"
		    "Example: monitor info registers (QEMU)",
	 .run = run_monitor},
	{.name = "flushregs",
	 .summary = "Forget cached registers, and ask for them anew",
	 .details = "As maintenance flush register-cache.\nExample: flushregs",
	 .run = run_flush_registers},
	{.name = "maintenance",
	 .shorts = "mt maint",
	 .subcommands = maintenance,
	 .summary = "Commands for those who look into the debugger itself",
	 .details = "Example: maintenance packet qC"},
	{0},
};
