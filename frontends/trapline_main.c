/*
 * The command `trapline`: reads the command line, makes the target, and hands it to the front end.
 */
#include "base/error.h"
#include "base/loop.h"
#include "base/trace.h"
#include "frontends/serve/options.h"
#include "frontends/serve/serve.h"
#include "targets/corefile/corefile.h"
#include "targets/process/process.h"

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
	OPTION_HELP,
	OPTION_VERSION
};

static const struct tl_option table[] = {
	{NULL, 0, NULL, "Who drives", 0},
	{"--serve", TL_VALUE_WORD, "ADDRESS",
	 "Serve gdb and lldb at HOST:PORT, :PORT (loopback), *:PORT\n(every address), unix:PATH, /dev/TTY, or - for\n"
	 "standard input and output.",
	 OPTION_SERVE},
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

struct command {
	struct tl_serve_options serve;
	const char *core, *core_program; /* NULL: none */
	bool survive;
	bool dap;
};

static void print_usage(FILE *stream)
{
	fputs("Usage: trapline --serve ADDRESS [OPTION]... [run] PROGRAM [ARGUMENT]...\n"
	      "       trapline --serve ADDRESS [OPTION]... attach PID\n"
	      "       trapline --serve ADDRESS [OPTION]... core FILE [PROGRAM]\n"
	      "       trapline --serve ADDRESS --multi [OPTION]...\n",
	      stream);
	tl_options_print(table, stream);
	fputs("\nOptions end where the program begins. trapline(1) tells it all.\n", stream);
}

static int fail(const char *text)
{
	fprintf(stderr, "trapline: %s\n", text);
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
		return fail("an option that is in the table and nowhere else");
	}
	return -1;
}

/* The word that names the target: -1 to go on, otherwise the exit status. */
static int read_target(struct command *command, char **words)
{
	static const char *const absent[] = {"connect", "kvm", "emu"};
	char *end;

	if (words[0] == NULL)
		return -1;
	for (tl_size i = 0; i < TL_COUNT(absent); i++) {
		if (strcmp(words[0], absent[i]) == 0) {
			fprintf(stderr,
				"trapline: the target \"%s\" is not there yet; a program can be run, and a process "
				"attached to.\n(To run a program of that name: run ./%s)\n",
				absent[i], absent[i]);
			return 2;
		}
	}
	if (strcmp(words[0], "attach") == 0) {
		errno = 0;
		command->serve.attach = words[1] != NULL ? strtoull(words[1], &end, 10) : 0;
		if (command->serve.attach == 0 || errno != 0 || *end != '\0' || words[2] != NULL)
			return fail("attach wants the number of one process: attach PID");
		return -1;
	}
	if (strcmp(words[0], "core") == 0) {
		if (words[1] == NULL || (words[2] != NULL && words[3] != NULL))
			return fail(
				"core wants a core dump, and perhaps the program that made it: core FILE [PROGRAM]");
		command->core = words[1];
		command->core_program = words[2];
		return -1;
	}
	if (strcmp(words[0], "run") == 0 && *++words == NULL)
		return fail("run wants a program: run PROGRAM [ARGUMENT]...");
	command->serve.program = (const char *const *)words;
	return -1;
}

static int serve_process(const struct command *command)
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
	status = tl_serve(loop, target, &command->serve);
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

static int serve_core(const struct command *command)
{
	struct tl_corefile_options options = {.program = command->core_program, .remark = remark};
	struct tl_serve_options serve = command->serve;
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
	serve.populate = tl_corefile_populate;
	status = tl_serve(loop, target, &serve);
	tl_corefile_close(target);
	tl_loop_destroy(loop);
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
	if (command.serve.address == NULL)
		return fail("Trapline's own prompt is not there yet. Serve gdb or lldb instead:\n"
			    "  trapline --serve :2345 PROGRAM      then    gdb PROGRAM -ex 'target remote :2345'");
	if (command.core != NULL)
		return serve_core(&command);
	if (command.serve.program == NULL && command.serve.attach == 0 && !command.serve.multi)
		return fail(
			"nothing to debug: name a program, attach to a process, or wait for the client to do so with "
			"--multi");
	return serve_process(&command);
}
