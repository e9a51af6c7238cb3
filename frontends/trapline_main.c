/*
 * The command `trapline`: reads the command line, makes the target, and hands it to the front end.
 */
#include "base/error.h"
#include "base/loop.h"
#include "base/trace.h"
#include "frontends/cli/cli.h"
#include "frontends/emulator_command.h"
#include "frontends/kvm_command.h"
#include "frontends/serial_port.h"
#include "frontends/serve/options.h"
#include "frontends/serve/serve.h"
#include "targets/corefile/corefile.h"
#include "targets/process/process.h"
#include "targets/remote/remote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_SERVE = 1,
	OPTION_ONCE,
	OPTION_MULTI,
	OPTION_LOST,
	OPTION_WRAPPER,
	OPTION_NO_SHELL,
	OPTION_SHELL,
	OPTION_FIXED,
	OPTION_RANDOM,
	OPTION_DIRECTORY,
	OPTION_SURVIVE,
	OPTION_TRACE,
	OPTION_DAP,
	OPTION_COMMAND,
	OPTION_FILE,
	OPTION_EARLY_COMMAND,
	OPTION_EARLY_FILE,
	OPTION_BATCH,
	OPTION_CHILD_RESULT,
	OPTION_QUIET,
	OPTION_NO_FILES,
	OPTION_NO_HOME_FILE,
	OPTION_ARGUMENTS,
	OPTION_ATTACH,
	OPTION_CORE,
	OPTION_CHANGE,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct tl_option table[] = {
	{NULL, 0, NULL, "Who drives", 0},
	{"--serve", TL_VALUE_WORD, "ADDRESS",
	 "Serve gdb and lldb at HOST:PORT, :PORT (loopback), *:PORT\n(every address), unix:PATH, /dev/TTY, or - for\n"
	 "standard input and output.",
	 OPTION_SERVE},
	{NULL, 0, NULL, "At the prompt (with one dash or two)", 0},
	{"-ex", TL_VALUE_WORD, "COMMAND", "Carry out COMMAND at the start; may be given again.", OPTION_COMMAND},
	{"--ex", TL_VALUE_WORD, "COMMAND", "", OPTION_COMMAND},
	{"--eval-command", TL_VALUE_WORD, "COMMAND", "", OPTION_COMMAND},
	{"-x", TL_VALUE_WORD, "FILE", "Carry out the commands in FILE at the start.", OPTION_FILE},
	{"--command", TL_VALUE_WORD, "FILE", "", OPTION_FILE},
	{"-iex", TL_VALUE_WORD, "COMMAND", "The same before the program is read.", OPTION_EARLY_COMMAND},
	{"--init-eval-command", TL_VALUE_WORD, "COMMAND", "", OPTION_EARLY_COMMAND},
	{"-ix", TL_VALUE_WORD, "FILE", "The same before the program is read.", OPTION_EARLY_FILE},
	{"--init-command", TL_VALUE_WORD, "FILE", "", OPTION_EARLY_FILE},
	{"--batch", TL_VALUE_NONE, NULL, "End when those are done, and ask nothing.", OPTION_BATCH},
	{"-batch", TL_VALUE_NONE, NULL, "", OPTION_BATCH},
	{"--return-child-result", TL_VALUE_NONE, NULL, "Exit with the status of the program, at the end of a batch.",
	 OPTION_CHILD_RESULT},
	{"-return-child-result", TL_VALUE_NONE, NULL, "", OPTION_CHILD_RESULT},
	{"-q", TL_VALUE_NONE, NULL, "No greeting.", OPTION_QUIET},
	{"-quiet", TL_VALUE_NONE, NULL, "", OPTION_QUIET},
	{"--quiet", TL_VALUE_NONE, NULL, "", OPTION_QUIET},
	{"-nx", TL_VALUE_NONE, NULL, "Read neither ~/.config/trapline/init nor .trapline.", OPTION_NO_FILES},
	{"--nx", TL_VALUE_NONE, NULL, "", OPTION_NO_FILES},
	{"-nh", TL_VALUE_NONE, NULL, "Do not read ~/.config/trapline/init.", OPTION_NO_HOME_FILE},
	{"--args", TL_VALUE_NONE, NULL, "The program and its arguments follow, as without it.", OPTION_ARGUMENTS},
	{"-args", TL_VALUE_NONE, NULL, "", OPTION_ARGUMENTS},
	{"-p", TL_VALUE_WORD, "PID", "Attach to a process, as with attach PID.", OPTION_ATTACH},
	{"--pid", TL_VALUE_WORD, "PID", "", OPTION_ATTACH},
	{"-c", TL_VALUE_WORD, "FILE", "Look at a core dump.", OPTION_CORE},
	{"--core", TL_VALUE_WORD, "FILE", "", OPTION_CORE},
	{"--cd", TL_VALUE_WORD, "DIRECTORY", "Go to DIRECTORY first.", OPTION_CHANGE},
	{"-cd", TL_VALUE_WORD, "DIRECTORY", "", OPTION_CHANGE},
	{NULL, 0, NULL, "Serving", 0},
	{"--once", TL_VALUE_NONE, NULL, "Exit when the first connection has closed.", OPTION_ONCE},
	{"--multi", TL_VALUE_NONE, NULL, "Start without a program, and stay when there is none.", OPTION_MULTI},
	{"--on-disconnect", TL_VALUE_WORD, "WHAT",
	 "What becomes of the program when a client is lost:\nstop (default), continue, kill or detach.", OPTION_LOST},
	{NULL, 0, NULL, "Starting programs", 0},
	{"--wrapper", TL_VALUE_WORDS, "WRAPPER", "Start programs through WRAPPER.", OPTION_WRAPPER},
	{"--no-shell", TL_VALUE_NONE, NULL, "Start programs directly instead of through a shell.", OPTION_NO_SHELL},
	{"--shell", TL_VALUE_NONE, NULL, "Start programs through $SHELL or /bin/sh (default).", OPTION_SHELL},
	{"--disable-randomization", TL_VALUE_NONE, NULL, "Addresses are the same in every run (default).",
	 OPTION_FIXED},
	{"--no-disable-randomization", TL_VALUE_NONE, NULL, "Leave the layout to the kernel, as without a debugger.",
	 OPTION_RANDOM},
	{"--cwd", TL_VALUE_WORD, "DIRECTORY", "Start programs in DIRECTORY.", OPTION_DIRECTORY},
	{"--survive", TL_VALUE_NONE, NULL, "Programs run on if this server is killed by SIGKILL.", OPTION_SURVIVE},
	{NULL, 0, NULL, "Looking inside", 0},
	{"--trace", TL_VALUE_WORD, "WHAT[:FILE]",
	 "Write what happens to FILE (default: standard error).\nWHAT is all, or some of "
	 "packets,events,states,points,\n"
	 "ptrace,memory,loop,errors.",
	 OPTION_TRACE},
	{"--help", TL_VALUE_NONE, NULL, "Print this and exit.", OPTION_HELP},
	{"--version", TL_VALUE_NONE, NULL, "Print the version and exit.", OPTION_VERSION},
	{"--dap", TL_VALUE_NONE, NULL, "Not there yet: serve an editor.", OPTION_DAP},
	{NULL, 0, NULL, NULL, 0},
};

/* No command line has more files and commands for the prompt. */
#define STARTS_MAX 256

struct command {
	struct tl_serve_options serve;
	const char *core, *core_program; /* NULL: none */
	const char *connect;             /* to a remote stub there; NULL: none */
	struct tl_machine machine;       /* {0}: none */
	struct tl_emulator_options emulator;
	struct tl_kvm_options kvm;
	struct tl_cli_options prompt;
	struct tl_start starts[STARTS_MAX];
	bool survive;
	bool dap;
};

static void print_usage(FILE *stream)
{
	fputs("Usage: trapline [OPTION]... [[run] PROGRAM [ARGUMENT]... | attach PID | connect STUB [PROGRAM]]\n"
	      "       trapline --serve ADDRESS [OPTION]... [run] PROGRAM [ARGUMENT]...\n"
	      "       trapline --serve ADDRESS [OPTION]... attach PID\n"
	      "       trapline --serve ADDRESS [OPTION]... core FILE [PROGRAM]\n"
	      "       trapline --serve ADDRESS [OPTION]... connect STUB [PROGRAM]\n"
	      "       trapline --serve ADDRESS --multi [OPTION]...\n"
	      "       trapline [--serve ADDRESS] [OPTION]... emu [OPTION]... [PROGRAM]\n"
	      "       trapline [--serve ADDRESS] [OPTION]... kvm [OPTION]... [PROGRAM]\n",
	      stream);
	tl_options_print(table, stream);
	tl_emulator_command_print(stream);
	tl_kvm_command_print(stream);
	tl_machine_print(stream);
	fputs("\nOptions end where the program begins. trapline(1) tells it all.\n", stream);
}

static int fail(const char *text)
{
	fprintf(stderr, "trapline: %s\n", text);
	return 2;
}

/* What stands behind emu or kvm; -1 to go on, otherwise the exit status. */
static int read_machine(const char *word, char **words, struct command *command)
{
	bool emulated = strcmp(word, "emu") == 0;
	struct tl_error error = {0};
	enum tl_status status;

	if (words[0] != NULL && strcmp(words[0], "--help") == 0) {
		printf("Usage: trapline [--serve ADDRESS] [OPTION]... %s [MACHINE OPTION]... [PROGRAM]\n", word);
		(emulated ? tl_emulator_command_print : tl_kvm_command_print)(stdout);
		tl_machine_print(stdout);
		printf("\nWhat stands before %s: trapline --help. trapline(1) tells it all.\n", word);
		return 0;
	}
	status = emulated ? tl_emulator_command_read(words, &command->emulator, &command->machine, &error)
			  : tl_kvm_command_read(words, &command->kvm, &command->machine, &error);
	if (status == TL_OK)
		return -1;
	(void)fail(error.text);
	fprintf(stderr, "What a machine takes: trapline %s --help\n", word);
	return 2;
}

static bool read_lost(const char *word, enum tl_lost *lost_ret)
{
	static const struct {
		const char *word;
		enum tl_lost lost;
	} words[] = {
		{"stop", TL_LOST_STOP},
		{"continue", TL_LOST_CONTINUE},
		{"kill", TL_LOST_KILL},
		{"detach", TL_LOST_DETACH},
	};

	for (tl_size i = 0; i < TL_COUNT(words); i++) {
		if (strcmp(words[i].word, word) == 0) {
			*lost_ret = words[i].lost;
			return true;
		}
	}
	return false;
}

static int add_start(struct command *command, enum tl_start_kind kind, const char *text)
{
	if (command->prompt.start_count == STARTS_MAX)
		return fail("too many files and commands for the start: put them into one file, and name it with -x");
	command->starts[command->prompt.start_count++] = (struct tl_start){kind, text};
	return -1;
}

static int read_process(const char *text, tl_u64 *process_ret)
{
	char *end;

	errno = 0;
	*process_ret = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
	if (*process_ret == 0 || errno != 0 || *end != '\0')
		return fail("attach wants the number of one process: attach PID");
	return -1;
}

/* Applies an option of the prompt; -1 to go on, otherwise the exit status. */
static int apply_prompt(struct command *command, int option, const char *value)
{
	struct tl_cli_options *prompt = &command->prompt;

	switch (option) {
	case OPTION_COMMAND:
		return add_start(command, TL_START_COMMAND, value);
	case OPTION_FILE:
		return add_start(command, TL_START_FILE, value);
	case OPTION_EARLY_COMMAND:
		return add_start(command, TL_START_EARLY_COMMAND, value);
	case OPTION_EARLY_FILE:
		return add_start(command, TL_START_EARLY_FILE, value);
	case OPTION_BATCH:
		prompt->batch = true;
		break;
	case OPTION_CHILD_RESULT:
		prompt->child_result = true;
		break;
	case OPTION_QUIET:
		prompt->quiet = true;
		break;
	case OPTION_NO_FILES:
		prompt->no_files = true;
		break;
	case OPTION_NO_HOME_FILE:
		prompt->no_home_file = true;
		break;
	case OPTION_ARGUMENTS:
		break;
	case OPTION_ATTACH:
		return read_process(value, &command->serve.attach);
	case OPTION_CORE:
		command->core = value;
		break;
	case OPTION_CHANGE:
		prompt->directory = value;
		break;
	default:
		return fail("an option that is in the table and nowhere else");
	}
	return -1;
}

/* Applies one option; -1 to go on, otherwise the exit status. */
static int apply(struct command *command, int option, const struct tl_option_reader *reader)
{
	struct tl_serve_options *serve = &command->serve;
	struct tl_error error;

	switch (option) {
	case OPTION_SERVE:
		serve->address = reader->value;
		break;
	case OPTION_ONCE:
		serve->once = true;
		break;
	case OPTION_MULTI:
		serve->multi = true;
		break;
	case OPTION_LOST:
		if (!read_lost(reader->value, &serve->lost))
			return fail("--on-disconnect wants stop, continue, kill or detach");
		break;
	case OPTION_WRAPPER:
		serve->wrapper = reader->words;
		break;
	case OPTION_NO_SHELL:
		serve->with_shell = false;
		break;
	case OPTION_SHELL:
		serve->with_shell = true;
		break;
	case OPTION_FIXED:
		serve->keep_randomization = false;
		break;
	case OPTION_RANDOM:
		serve->keep_randomization = true;
		break;
	case OPTION_DIRECTORY:
		serve->directory = reader->value;
		break;
	case OPTION_SURVIVE:
		command->survive = true;
		break;
	case OPTION_TRACE:
		if (tl_trace_setup(reader->value, &error) != TL_OK)
			return fail(error.text);
		break;
	case OPTION_DAP:
		command->dap = true;
		break;
	case OPTION_HELP:
		print_usage(stdout);
		return 0;
	case OPTION_VERSION:
		puts("trapline " TL_VERSION);
		return 0;
	default:
		return apply_prompt(command, option, reader->value);
	}
	return -1;
}

/* The word that names the target: -1 to go on, otherwise the exit status. */
static int read_target(struct command *command, char **words)
{
	if (words[0] == NULL)
		return -1;
	if (strcmp(words[0], "attach") == 0) {
		if (words[1] == NULL || words[2] != NULL)
			return fail("attach wants the number of one process: attach PID");
		return read_process(words[1], &command->serve.attach);
	}
	if (strcmp(words[0], "emu") == 0 || strcmp(words[0], "kvm") == 0)
		return read_machine(words[0], words + 1, command);
	if (strcmp(words[0], "core") == 0) {
		if (words[1] == NULL || (words[2] != NULL && words[3] != NULL))
			return fail(
				"core wants a core dump, and perhaps the program that made it: core FILE [PROGRAM]");
		command->core = words[1];
		command->core_program = words[2];
		return -1;
	}
	if (strcmp(words[0], "connect") == 0) {
		if (words[1] == NULL || (words[2] != NULL && words[3] != NULL))
			return fail("connect wants the address of one stub (HOST:PORT, unix:PATH, a serial line, or "
				    "\"| COMMAND\"), and perhaps the program that runs there: connect STUB [PROGRAM]");
		command->connect = words[1];
		command->serve.program = words[2] != NULL ? (const char *const *)&words[2] : NULL;
		return -1;
	}
	if (strcmp(words[0], "run") == 0 && *++words == NULL)
		return fail("run wants a program: run PROGRAM [ARGUMENT]...");
	command->serve.program = (const char *const *)words;
	return -1;
}

/* Serves a target. `populate`: what the target has already, NULL for nothing. */
static int serve(struct command *command, struct tl_loop *loop, struct tl_target *target,
		 enum tl_status (*populate)(struct tl_target *target, struct tl_error *error))
{
	command->serve.populate = populate;
	return tl_serve(loop, target, &command->serve);
}

/* A person: the prompt makes its own targets, as they change. */
static int drive_prompt(struct command *command)
{
	struct tl_cli_options *prompt = &command->prompt;
	struct tl_loop *loop;
	struct tl_error error;
	int status;

	if (command->machine.kind != NULL && command->machine.running)
		return fail("--running is for --serve: at the prompt, `continue` sets the machine going");
	if (tl_loop_create(&loop, &error) != TL_OK)
		return fail(error.text);
	prompt->starts = command->starts;
	prompt->program = command->serve.program;
	prompt->attach = command->serve.attach;
	prompt->core = command->core;
	prompt->core_program = command->core_program;
	prompt->connect = command->connect;
	prompt->machine = command->machine.kind != NULL ? &command->machine : NULL;
	prompt->extended = command->serve.multi;
	prompt->survive = command->survive;
	prompt->version = TL_VERSION;
	status = tl_cli_run(loop, prompt);
	tl_loop_destroy(loop);
	return status;
}

static int serve_process(struct command *command)
{
	struct tl_process_options options = {.launched_survive = command->survive};
	struct tl_target *target;
	struct tl_loop *loop;
	struct tl_error error;
	int status;

	if (tl_loop_create(&loop, &error) != TL_OK)
		return fail(error.text);
	if (tl_process_target_create(loop, &options, &target, &error) != TL_OK) {
		tl_loop_destroy(loop);
		return fail(error.text);
	}
	status = serve(command, loop, target, NULL);
	tl_process_target_destroy(target);
	tl_loop_destroy(loop);
	return status;
}

static void remark(void *context, const char *line)
{
	(void)context;
	fprintf(stderr, "trapline: warning: %s\n", line);
}

static void describe_core(const char *path, struct tl_target *target)
{
	struct tl_corefile_facts facts;

	tl_corefile_facts(target, &facts);
	fprintf(stderr, "Core %s of process %llu (%s), %zu thread%s, ", path, (unsigned long long)facts.process,
		facts.command[0] != '\0' ? facts.command : facts.program, facts.threads, facts.threads == 1 ? "" : "s");
	if (facts.signal == 0)
		fputs("dumped alive\n", stderr);
	else
		fprintf(stderr, "ended by signal %d, %s\n", facts.signal, strsignal(facts.signal));
}

static int serve_core(struct command *command)
{
	struct tl_corefile_options options = {.program = command->core_program, .remark = remark};
	struct tl_target *target;
	struct tl_loop *loop;
	struct tl_error error;
	int status;

	if (tl_loop_create(&loop, &error) != TL_OK)
		return fail(error.text);
	if (tl_corefile_open(command->core, &options, &target, &error) != TL_OK) {
		tl_loop_destroy(loop);
		return fail(error.text);
	}
	describe_core(command->core, target);
	status = serve(command, loop, target, tl_corefile_populate);
	tl_corefile_close(target);
	tl_loop_destroy(loop);
	return status;
}

static void remote_output(void *context, const char *text, tl_size size)
{
	(void)context;
	(void)fwrite(text, 1, size, stderr);
}

static void remote_lost(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "trapline: %s\n", sentence);
}

static int serve_remote(struct command *command)
{
	struct tl_remote_options options = {
		.extended = command->serve.multi, .output = remote_output, .lost = remote_lost};
	struct tl_target *target;
	struct tl_loop *loop;
	struct tl_error error;
	int status;

	if (tl_loop_create(&loop, &error) != TL_OK)
		return fail(error.text);
	if (tl_remote_target_create(loop, command->connect, &options, &target, &error) != TL_OK) {
		tl_loop_destroy(loop);
		return fail(error.text);
	}
	command->serve.started = tl_remote_target_started;
	status = serve(command, loop, target, tl_remote_target_populate);
	tl_remote_target_destroy(target);
	tl_loop_destroy(loop);
	return status;
}

static bool machine_is_ours(const struct tl_target *target)
{
	(void)target;
	return true;
}

static int serve_machine(struct command *command)
{
	const struct tl_machine_kind *kind = command->machine.kind;
	struct tl_machine_ends ends = {.input = -1, .output = -1, .remark = remark};
	const char *serial = command->machine.serial;
	struct tl_serial_port *port;
	struct tl_target *target;
	struct tl_loop *loop;
	struct tl_error error;
	int status, number = 0;

	/* Standard input and output, unless the protocol has those. */
	if (serial == NULL)
		serial = strcmp(command->serve.address, "-") == 0 ? "none" : "-";
	if (command->machine.serial != NULL && strcmp(command->machine.serial, "-") == 0 &&
	    strcmp(command->serve.address, "-") == 0)
		return fail("standard input and output cannot be the serial port and the protocol's line at once");
	if (tl_loop_create(&loop, &error) != TL_OK)
		return fail(error.text);
	if (tl_serial_port_open(loop, serial, &ends, &port, &error) != TL_OK) {
		tl_loop_destroy(loop);
		return fail(error.text);
	}
	if (kind->create(loop, command->machine.options, &ends, &target, &error) != TL_OK) {
		tl_serial_port_close(port);
		tl_loop_destroy(loop);
		return fail(error.text);
	}
	command->serve.started = machine_is_ours;
	command->serve.running = command->machine.running;
	command->serve.signal_ret = &number;
	if (kind->rows != NULL)
		command->serve.rows = (struct tl_rsp_table){kind->rows, target};
	status = serve(command, loop, target, kind->populate);
	kind->destroy(target);
	tl_serial_port_close(port);
	tl_loop_destroy(loop);
	/* The terminal is as it was, and so are files and sockets. */
	tl_serve_end(number);
	return status;
}

int main(int count, char **arguments)
{
	struct command command = {.serve = {.with_shell = true}};
	struct tl_option_reader reader = {.at = arguments + 1, .table = table};
	struct tl_error error;
	int option, status;

	(void)count;
	while ((option = tl_option_next(&reader, &error)) != 0) {
		if (option < 0) {
			fprintf(stderr, "trapline: %s\nTry trapline --help.\n", error.text);
			return 2;
		}
		status = apply(&command, option, &reader);
		if (status >= 0)
			return status;
	}
	status = read_target(&command, reader.at);
	if (status >= 0)
		return status;
	if (command.dap)
		return fail("--dap is not there yet; editors that speak to gdb or lldb can use --serve");
	/* With -c, the program is named as ever. */
	if (command.core != NULL && command.core_program == NULL && command.serve.program != NULL)
		command.core_program = command.serve.program[0];
	if (command.serve.address == NULL)
		return drive_prompt(&command);
	if (command.machine.kind != NULL)
		return serve_machine(&command);
	if (command.core != NULL)
		return serve_core(&command);
	if (command.connect != NULL)
		return serve_remote(&command);
	if (command.serve.program == NULL && command.serve.attach == 0 && !command.serve.multi)
		return fail(
			"nothing to debug: name a program, attach to a process, or wait for the client to do so with "
			"--multi");
	return serve_process(&command);
}
