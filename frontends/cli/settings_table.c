#include "base/address.h"
#include "base/trace.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/history.h"
#include "frontends/cli/running.h"
#include "frontends/cli/settings.h"
#include "targets/remote/remote.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct tl_settings, member)

/* ---- What follows from a change ---- */

static enum tl_status editing_changed(struct tl_cli *cli, struct tl_error *error)
{
	(void)error;
	tl_terminal_set_editing(cli->terminal, cli->settings.editing);
	return TL_OK;
}

static enum tl_status history_size_changed(struct tl_cli *cli, struct tl_error *error)
{
	(void)error;
	tl_history_limit(cli->settings.history_size);
	return TL_OK;
}

static enum tl_status logging_changed(struct tl_cli *cli, struct tl_error *error)
{
	const struct tl_settings *settings = &cli->settings;

	if (!settings->logging) {
		if (cli->screen.log >= 0)
			tl_screen_format(&cli->screen, "Done logging to %s.\n", settings->logging_file);
		return tl_screen_log(&cli->screen, NULL, false, false, error);
	}
	TL_TRY(tl_screen_log(&cli->screen, settings->logging_file, settings->logging_overwrite, settings->logging_alone,
			     error));
	cli->screen.log_alone = false;
	tl_screen_format(&cli->screen, "Copying output to %s.\n", settings->logging_file);
	if (settings->logging_alone)
		tl_screen_format(&cli->screen, "Redirecting output to %s.\n", settings->logging_file);
	cli->screen.log_alone = settings->logging_alone;
	return TL_OK;
}

static enum tl_status direction_changed(struct tl_cli *cli, struct tl_error *error)
{
	return cli->settings.direction != 0 ? tl_running_reverses(cli, error) : TL_OK;
}

static void show_direction(struct tl_cli *cli, const char *words)
{
	(void)words;
	tl_screen_text(&cli->screen, cli->settings.direction != 0 ? "Reverse.\n" : "Forward.\n");
}

/* What the session obeys has its own copy there. */
enum tl_status tl_settings_tell_session(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_session_settings *to = tl_session_settings(cli->session);
	const struct tl_settings *from = &cli->settings;

	(void)error;
	to->locking = (enum tl_scheduler_locking)from->locking;
	to->step_into_unknown = from->step_mode;
	to->follow_child = from->follow_fork == 1;
	to->detach_on_fork = from->detach_on_fork;
	to->new_on_exec = from->follow_exec == 0;
	to->run_all = from->run_all;
	to->tell_inferiors = from->inferior_events;
	to->tell_threads = from->thread_events;
	to->stop_on_library = from->stop_on_library;
	to->unwind_on_signal = from->unwind_on_signal;
	to->unwind_on_exception = from->unwind_on_exception;
	to->hardware_watchpoints = from->hardware_watchpoints;
	to->past_main = from->past_main;
	to->frames_max = from->frames_max;
	to->no_calls = !from->calls_allowed;
	to->conditions_here = from->condition_place == 1;
	to->print_function = from->print_style == 1 ? from->print_function : NULL;
	to->print_channel = from->print_channel;
	to->language = (enum tl_language_choice)from->language;
	to->value_size_max = from->value_size_max != 0 ? from->value_size_max : TL_U64_MAX >> 1;
	return TL_OK;
}

static enum tl_status debug_remote_changed(struct tl_cli *cli, struct tl_error *error)
{
	if (cli->settings.debug_remote)
		return tl_trace_setup("packets", error);
	tl_trace_close();
	return TL_OK;
}

static enum tl_status remote_timeout_changed(struct tl_cli *cli, struct tl_error *error)
{
	if (cli->settings.remote_timeout == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "A stub needs some time: one second at least.");
	/* Somebody must give up in the end: a day is for ever. */
	if (cli->settings.remote_timeout > 86400)
		cli->settings.remote_timeout = 86400;
	if (tl_connection_is_remote(&cli->connection))
		tl_remote_target_set_patience(cli->target, (tl_u64)cli->settings.remote_timeout * 1000);
	return TL_OK;
}

static enum tl_status serial_baud_changed(struct tl_cli *cli, struct tl_error *error)
{
	tl_u32 baud = cli->settings.serial_baud;

	if (baud != 0 && !tl_device_speed_is_known(baud))
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "No serial line has %u baud. Example: 9600, 38400, 115200, 1000000.", baud);
	return TL_OK;
}

static enum tl_status sysroot_changed(struct tl_cli *cli, struct tl_error *error)
{
	return tl_session_set_sysroot(cli->session, cli->settings.sysroot, error);
}

static enum tl_status prompt_changed(struct tl_cli *cli, struct tl_error *error)
{
	tl_size size = strlen(cli->settings.prompt);
	char *spaced;

	if (size == 0 || cli->settings.prompt[size - 1] == ' ')
		return TL_OK;
	spaced = malloc(size + 2);
	if (spaced == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the prompt");
	memcpy(spaced, cli->settings.prompt, size);
	memcpy(spaced + size, " ", 2);
	free(cli->settings.prompt);
	cli->settings.prompt = spaced;
	return TL_OK;
}

/* The short form: on, off, or a file, which switches it on. */
static enum tl_status set_logging(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	bool on = strcmp(words, "off") != 0;

	if (on && words[0] != '\0' && strcmp(words, "on") != 0) {
		char *file = strdup(words);

		if (file == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the name");
		free(cli->settings.logging_file);
		cli->settings.logging_file = file;
	}
	cli->settings.logging = on;
	if (logging_changed(cli, error) == TL_OK)
		return TL_OK;
	cli->settings.logging = false;
	return TL_ERROR_SYSTEM;
}

static void show_logging(struct tl_cli *cli, const char *words)
{
	(void)words;
	tl_screen_format(&cli->screen, "Logging is %s; the file is \"%s\".\n", cli->settings.logging ? "on" : "off",
			 cli->settings.logging_file);
}

static const char *const flavors[] = {"att", "intel", NULL};
static const char *const follow_fork[] = {"parent", "child", NULL};
static const char *const follow_exec[] = {"new", "same", NULL};
static const char *const directions[] = {"forward", "reverse", NULL};
static const char *const locking[] = {"off", "on", "step", "replay", NULL};
static const char *const pending[] = {"auto", "on", "off", NULL};

/* ---- The table, in the order of the alphabet ---- */

const struct tl_setting tl_settings_general[] = {
	{.name = "architecture",
	 .kind = TL_SETTING_OWN,
	 .summary = "architecture of target",
	 .details = "As what code is read where nobody can tell: auto, i386 or i386:x86-64.\n"
		    "Example: set architecture i386",
	 .set = tl_set_architecture,
	 .show = tl_show_architecture},
	{.name = "args",
	 .kind = TL_SETTING_TEXT,
	 .offset = AT(arguments),
	 .say = "Argument list to give program being debugged when it is started is \"%s\".",
	 .summary = "argument list to give program being debugged when it is started",
	 .details = "The shell expands them, redirections too. Without words: no arguments.\n"
		    "Example: set args -v input.txt > out.txt"},
	{.name = "auto-load safe-path",
	 .kind = TL_SETTING_FILE,
	 .offset = AT(safe_path),
	 .say = "List of directories from which it is safe to read a .trapline file is \"%s\".",
	 .summary = "the directories whose .trapline file is read at the start",
	 .details = "Colons stand between them. Set it in your own init file.\n"
		    "Example: set auto-load safe-path ~/src:/usr/src"},
	{.name = "breakpoint pending",
	 .kind = TL_SETTING_CHOICE,
	 .choices = pending,
	 .offset = AT(pending),
	 .say = "Debugger's behavior regarding pending breakpoints is %s.",
	 .summary = "debugger's behavior regarding pending breakpoints",
	 .details = "What is not there yet may come with a library: auto asks, on makes the point wait for it, off "
		    "refuses."},
	{.name = "commands",
	 .kind = TL_SETTING_OWN,
	 .summary = "the history of commands: the last ten, ten around a number, or with + the next ten",
	 .details = "Example: show commands 100",
	 .show = tl_show_commands},
	{.name = "confirm",
	 .offset = AT(confirm),
	 .changed = NULL,
	 .say = "Whether to confirm potentially dangerous operations is %s.",
	 .summary = "whether to confirm potentially dangerous operations",
	 .details = "With \"set confirm off\" nothing is asked: quit, delete and their like do what they do at once."},
	{.name = "convenience",
	 .kind = TL_SETTING_OWN,
	 .summary = "the debugger's own variables and their values",
	 .details = "Example: show convenience",
	 .show = tl_show_convenience},
	{.name = "cwd",
	 .kind = TL_SETTING_FILE,
	 .offset = AT(working_directory),
	 .say = "Current working directory that will be used when starting the inferior is \"%s\".",
	 .summary = "the current working directory to be used when the inferior is started",
	 .details = "Without a folder: our own. Example: set cwd /tmp"},
	{.name = "can-use-hw-watchpoints",
	 .kind = TL_SETTING_COUNT,
	 .offset = AT(hardware_watchpoints),
	 .changed = tl_settings_tell_session,
	 .say = "Debugger's willingness to use watchpoint hardware is %s.",
	 .summary = "debugger's willingness to use watchpoint hardware",
	 .details = "0: watchpoints are watched by stepping, which is slow."},
	{.name = "debug remote",
	 .offset = AT(debug_remote),
	 .say = "Debugging of remote protocol is %s.",
	 .summary = "debugging of remote protocol",
	 .details = "On: every packet to and from a stub is written to standard error. Example: set debug remote on",
	 .changed = debug_remote_changed},
	{.name = "detach-on-fork",
	 .offset = AT(detach_on_fork),
	 .changed = tl_settings_tell_session,
	 .say = "Whether the debugger will detach the child of a fork is %s.",
	 .summary = "whether the process that is not followed after a fork is let go"},
	{.name = "directories",
	 .kind = TL_SETTING_OWN,
	 .summary = "the search path for source files",
	 .details = "The command directory changes it.",
	 .show = tl_show_directories},
	{.name = "disable-randomization",
	 .offset = AT(fixed_addresses),
	 .say = "Disabling randomization of debuggee's virtual address space is %s.",
	 .summary = "disabling of debuggee's virtual address space randomization"},
	{.name = "editing",
	 .offset = AT(editing),
	 .changed = editing_changed,
	 .say = "Editing of command lines as they are typed is %s.",
	 .summary = "editing of command lines as they are typed",
	 .details = "Off: lines are read as the terminal gives them, without history and completion."},
	{.name = "environment",
	 .kind = TL_SETTING_OWN,
	 .summary = "an environment variable to give the program",
	 .details = "Example: set environment LD_BIND_NOW = 1, show environment PATH",
	 .set = tl_set_environment,
	 .show = tl_show_environment},
	{.name = "follow-exec-mode",
	 .kind = TL_SETTING_CHOICE,
	 .choices = follow_exec,
	 .offset = AT(follow_exec),
	 .changed = tl_settings_tell_session,
	 .say = "Follow exec mode is \"%s\".",
	 .summary = "debugger response to a program call of exec",
	 .details =
		 "same: the inferior has the new program from then on; new: one more inferior has it, and the old one\n"
		 "can be started again.\n"
		 "Example: set follow-exec-mode new"},
	{.name = "follow-fork-mode",
	 .kind = TL_SETTING_CHOICE,
	 .choices = follow_fork,
	 .offset = AT(follow_fork),
	 .changed = tl_settings_tell_session,
	 .say = "Debugger response to a program call of fork or vfork is \"%s\".",
	 .summary = "debugger response to a program call of fork or vfork",
	 .details = "The process that is debugged on: the parent, or the child."},
	{.name = "height",
	 .kind = TL_SETTING_NUMBER,
	 .offset = AT(height),
	 .changed = tl_settings_tell_screen,
	 .say = "Number of lines Trapline thinks are in a page is %s.",
	 .summary = "number of lines in a page of output",
	 .details = "It is the terminal's until it is set. 0 or unlimited: output does not stop for a key.\n"
		    "Example: set height 0"},
	{.name = "history filename",
	 .kind = TL_SETTING_FILE,
	 .offset = AT(history_file),
	 .say = "The filename in which to record the command history is \"%s\".",
	 .summary = "the file in which the command history is kept",
	 .details = "Example: set history filename ~/.trapline_history"},
	{.name = "history save",
	 .offset = AT(history_save),
	 .say = "Saving of the history record on exit is %s.",
	 .summary = "saving of the history record on exit"},
	{.name = "history size",
	 .kind = TL_SETTING_COUNT,
	 .offset = AT(history_size),
	 .changed = history_size_changed,
	 .say = "The size of the command history is %s.",
	 .summary = "the size of the command history",
	 .details = "So many lines are remembered, in memory and in the file. Example: set history size 5000"},
	{.name = "inferior-tty",
	 .kind = TL_SETTING_FILE,
	 .offset = AT(inferior_tty),
	 .say = "Terminal for future runs of program being debugged is \"%s\".",
	 .summary = "terminal for future runs of program being debugged",
	 .details = "Without one it gets a terminal of its own, whose output is shown here.\n"
		    "Example: set inferior-tty /dev/pts/3"},
	{.name = "listsize",
	 .kind = TL_SETTING_NUMBER,
	 .offset = AT(list_size),
	 .say = "Number of source lines Trapline will list by default is %s.",
	 .summary = "number of source lines listed by default"},
	{.name = "logging",
	 .kind = TL_SETTING_OWN,
	 .summary = "copying of output to a file: on, off, or its name",
	 .details = "Example: set logging session.txt",
	 .set = set_logging,
	 .show = show_logging},
	{.name = "logging enabled",
	 .offset = AT(logging),
	 .changed = logging_changed,
	 .say = "Logging is %s.",
	 .summary = "whether output is copied to a file",
	 .details = "The file is that of \"set logging file\". Example: set logging enabled on"},
	{.name = "logging file",
	 .kind = TL_SETTING_FILE,
	 .offset = AT(logging_file),
	 .say = "The current logfile is \"%s\".",
	 .summary = "the file that output is copied to"},
	{.name = "logging overwrite",
	 .offset = AT(logging_overwrite),
	 .say = "Whether logging overwrites the log file is %s.",
	 .summary = "whether logging overwrites the log file, or appends to it"},
	{.name = "logging redirect",
	 .offset = AT(logging_alone),
	 .say = "Whether output goes to the log file only is %s.",
	 .summary = "whether output goes to the log file only"},
	{.name = "max-completions",
	 .kind = TL_SETTING_COUNT,
	 .offset = AT(completions),
	 .say = "Maximum number of completion candidates is %s.",
	 .summary = "maximum number of completion candidates",
	 .details = "More are looked for only when more letters were typed. Example: set max-completions unlimited"},
	{.name = "max-user-call-depth",
	 .kind = TL_SETTING_COUNT,
	 .offset = AT(user_depth),
	 .say = "The max call depth for user-defined commands is %s.",
	 .summary = "the max call depth for user-defined commands",
	 .details = "Commands that call each other deeper than this are ended with an error."},
	{.name = "osabi",
	 .kind = TL_SETTING_OWN,
	 .summary = "OS ABI of target",
	 .details = "auto, none or GNU/Linux: Linux is all that there is. Example: set osabi auto",
	 .set = tl_set_osabi,
	 .show = tl_show_osabi},
	{.name = "pagination",
	 .offset = AT(pagination),
	 .changed = tl_settings_tell_screen,
	 .say = "State of pagination is %s.",
	 .summary = "state of output pagination",
	 .details = "When it is on, output pauses at the end of each screenful and asks whether to go on."},
	{.name = "disassembly-flavor",
	 .kind = TL_SETTING_CHOICE,
	 .choices = flavors,
	 .offset = AT(disassembly_flavor),
	 .say = "The current disassembly flavor is \"%s\".",
	 .summary = "how instructions are written",
	 .details = "Example: set disassembly-flavor intel"},
	{.name = "prompt",
	 .kind = TL_SETTING_TEXT,
	 .offset = AT(prompt),
	 .changed = prompt_changed,
	 .say = "Trapline's prompt is \"%s\".",
	 .summary = "Trapline's prompt",
	 .details = "A space is put behind it if there is none. Example: set prompt (db)"},
	{.name = "remote exec-file",
	 .kind = TL_SETTING_TEXT,
	 .offset = AT(remote_exec_file),
	 .say = "The remote exec-file is \"%s\".",
	 .summary = "the remote pathname for \"run\"",
	 .details = "What an extended-remote stub starts; without it, the program's name here.\n"
		    "Example: set remote exec-file /usr/bin/program"},
	{.name = "remotetimeout",
	 .kind = TL_SETTING_COUNT,
	 .offset = AT(remote_timeout),
	 .say = "Timeout limit to wait for target to respond is %s.",
	 .summary = "the timeout limit to wait for target to respond",
	 .details = "In seconds. A stub that does not answer within them is given up. Example: set remotetimeout 30",
	 .changed = remote_timeout_changed},
	{.name = "exec-direction",
	 .kind = TL_SETTING_CHOICE,
	 .choices = directions,
	 .offset = AT(direction),
	 .changed = direction_changed,
	 .show = show_direction,
	 .summary = "direction of execution",
	 .details = "reverse: step, next, continue, finish and their like go back. For targets that keep their past,\n"
		    "as \"trapline emu\" does. Example: set exec-direction reverse"},
	{.name = "scheduler-locking",
	 .kind = TL_SETTING_CHOICE,
	 .choices = locking,
	 .offset = AT(locking),
	 .changed = tl_settings_tell_session,
	 .say = "Mode for locking scheduler during execution is \"%s\".",
	 .summary = "mode for locking scheduler during execution",
	 .details = "off: all threads run; on: only the selected one; step: only it while it steps; replay: as off."},
	{.name = "serial baud",
	 .kind = TL_SETTING_NUMBER,
	 .offset = AT(serial_baud),
	 .say = "Baud rate for remote serial I/O is %s.",
	 .summary = "baud rate for remote serial I/O",
	 .details = "unlimited: as the line is set. It counts for the next connection. Example: set serial baud 115200",
	 .changed = serial_baud_changed},
	{.name = "schedule-multiple",
	 .offset = AT(run_all),
	 .changed = tl_settings_tell_session,
	 .say = "Resuming the execution of threads of all processes is %s.",
	 .summary = "mode for resuming threads of all processes",
	 .details =
		 "On: commands like continue and next resume the threads of all inferiors, off: of the selected one.\n"
		 "Example: set schedule-multiple on"},
	{.name = "startup-with-shell",
	 .offset = AT(with_shell),
	 .say = "Use of shell to start subprocesses is %s.",
	 .summary = "use of shell to start programs"},
	{.name = "step-mode",
	 .offset = AT(step_mode),
	 .changed = tl_settings_tell_session,
	 .say = "Mode of the step operation is %s.",
	 .summary = "whether step enters functions without line information"},
	{.name = "stop-on-solib-events",
	 .offset = AT(stop_on_library),
	 .changed = tl_settings_tell_session,
	 .say = "Stopping for shared library events is %s.",
	 .summary = "stopping for shared library events"},
	{.name = "style enabled",
	 .offset = AT(style),
	 .changed = tl_settings_tell_screen,
	 .say = "Output styling is %s.",
	 .summary = "whether output is styled with colours",
	 .details = "Off at the start when NO_COLOR is in the environment or the terminal is dumb. Colours are never\n"
		    "written to files and pipes."},
	{.name = "substitute-path",
	 .kind = TL_SETTING_OWN,
	 .summary = "a rule that rewrites the front of the names of source files",
	 .details = "Example: set substitute-path /build/program /usr/src/program",
	 .set = tl_set_substitute_path,
	 .show = tl_show_substitute_path},
	{.name = "sysroot",
	 .kind = TL_SETTING_FILE,
	 .offset = AT(sysroot),
	 .say = "The current system root is \"%s\".",
	 .summary = "an alternate system root",
	 .details = "Libraries are looked for below that folder, as those of a stub's machine. Without words: here.\n"
		    "Example: set sysroot /srv/target-root",
	 .changed = sysroot_changed},
	{.name = "tcp auto-retry",
	 .offset = AT(tcp_retry),
	 .say = "Auto-retry on socket connect is %s.",
	 .summary = "auto-retry on socket connect",
	 .details = "On: a stub that does not listen yet is waited for."},
	{.name = "tcp connect-timeout",
	 .kind = TL_SETTING_COUNT,
	 .offset = AT(tcp_timeout),
	 .say = "Timeout limit in seconds for socket connection is %s.",
	 .summary = "timeout limit in seconds for socket connection",
	 .details = "So long a stub that does not listen yet is waited for. Example: set tcp connect-timeout 30"},
	{.name = "trace-commands",
	 .offset = AT(trace_commands),
	 .say = "State of CLI tracing is %s.",
	 .summary = "tracing of commands: each is printed with a + before it is carried out"},
	{.name = "unwind-on-terminating-exception",
	 .offset = AT(unwind_on_exception),
	 .changed = tl_settings_tell_session,
	 .say = "Unwind stack if a C++ exception is unhandled while in a call dummy is %s.",
	 .summary = "unwinding of stack if std::terminate is reached in a call from here"},
	{.name = "unwindonsignal",
	 .offset = AT(unwind_on_signal),
	 .changed = tl_settings_tell_session,
	 .say = "Unwinding of stack if a signal is received while in a call dummy is %s.",
	 .summary = "unwinding of stack if a signal is received while in a call from here"},
	{.name = "user",
	 .kind = TL_SETTING_OWN,
	 .summary = "definitions of commands of your own",
	 .details = "Example: show user both",
	 .show = tl_show_user},
	{.name = "values",
	 .kind = TL_SETTING_OWN,
	 .summary = "the last ten values of the history, or ten around a number",
	 .details = "Example: show values 20",
	 .show = tl_show_values},
	{.name = "variable",
	 .kind = TL_SETTING_OWN,
	 .summary = "a variable to the value of an expression",
	 .details = "For variables that are called as settings are.\nExample: set variable width = 7",
	 .set = tl_set_variable},
	{.name = "version",
	 .kind = TL_SETTING_OWN,
	 .summary = "which version of Trapline this is",
	 .details = "Example: show version",
	 .show = tl_show_version},
	{.name = "width",
	 .kind = TL_SETTING_NUMBER,
	 .offset = AT(width),
	 .changed = tl_settings_tell_screen,
	 .say = "Number of characters Trapline thinks are in a line is %s.",
	 .summary = "number of characters in a line of output",
	 .details = "It is the terminal's until it is set. Example: set width 0"},
	{0},
};

/* ---- Where they begin ---- */

static bool wants_colours(void)
{
	const char *terminal = getenv("TERM"), *refused = getenv("NO_COLOR");

	return (refused == NULL || refused[0] == '\0') && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

enum tl_status tl_settings_open(struct tl_settings *settings, struct tl_error *error)
{
	*settings = (struct tl_settings){
		.confirm = true,
		.pagination = true,
		.editing = true,
		.style = wants_colours(),
		.completions = 200,
		.user_depth = 256,
		.prompt = strdup("(trapline) "),
		.history_save = true,
		.history_size = 2000,
		.history_file = tl_history_default_file(),
		.logging_file = strdup("trapline.txt"),
		.elements = 200,
		.repeats = 10,
		.depth = 20,
		.symbols = true,
		.follow_exec = 1,
		.frame_arguments = 1,
		.list_size = 10,
		.inferior_events = true,
		.thread_events = true,
		.unions = true,
		.calls_allowed = true,
		.value_size_max = 16 << 20,
		.print_function = strdup("printf"),
		.statics = true,
		.finish = true,
		.type_methods = true,
		.type_typedefs = true,
		.with_shell = true,
		.fixed_addresses = true,
		.addresses = true,
		.remote_timeout = 10,
		.tcp_timeout = 15,
		.tcp_retry = true,
	};
	settings->foreground[TL_STYLE_FILENAME] = 3;
	settings->foreground[TL_STYLE_FUNCTION] = 4;
	settings->foreground[TL_STYLE_VARIABLE] = 7;
	settings->foreground[TL_STYLE_ADDRESS] = 5;
	settings->foreground[TL_STYLE_HIGHLIGHT] = 2;
	settings->intensity[TL_STYLE_TITLE] = 1;
	settings->intensity[TL_STYLE_METADATA] = 2;
	if (settings->prompt == NULL || settings->logging_file == NULL || settings->print_function == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the settings");
	return TL_OK;
}

void tl_settings_close(struct tl_settings *settings)
{
	free(settings->prompt);
	free(settings->history_file);
	free(settings->logging_file);
	free(settings->safe_path);
	free(settings->arguments);
	free(settings->working_directory);
	free(settings->inferior_tty);
	free(settings->remote_exec_file);
	free(settings->sysroot);
	free(settings->print_function);
	free(settings->print_channel);
	free(settings->wrapper);
	*settings = (struct tl_settings){0};
}
