/*
 * The command `trapline-gdbserver`: gdbserver 13.1's command line, messages and exit statuses over Trapline's server,
 * so that it can take gdbserver's place in scripts. trapline-gdbserver(1) lists what is different on purpose.
 */
#include "base/error.h"
#include "base/loop.h"
#include "base/trace.h"
#include "frontends/selftest.h"
#include "frontends/serve/options.h"
#include "frontends/serve/serve.h"
#include "targets/process/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_ATTACH = 1,
	OPTION_MULTI,
	OPTION_ONCE,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_WRAPPER,
	OPTION_FIXED,
	OPTION_RANDOM,
	OPTION_SHELL,
	OPTION_NO_SHELL,
	OPTION_LOST,
	OPTION_DEBUG,
	OPTION_DEBUG_FORMAT,
	OPTION_DEBUG_FILE,
	OPTION_REMOTE_DEBUG,
	OPTION_LOOP_DEBUG,
	OPTION_LIST_DISABLE,
	OPTION_DISABLE,
	OPTION_TRACE,
	OPTION_SELFTEST
};

static const struct tl_option table[] = {
	{NULL, 0, NULL, "Operating modes", 0},
	{"--attach", TL_VALUE_NONE, NULL, "Attach to the running process PID.", OPTION_ATTACH},
	{"--multi", TL_VALUE_NONE, NULL, "Start without a program, and quit only when told to.", OPTION_MULTI},
	{"--once", TL_VALUE_NONE, NULL, "Exit when the first connection has closed.", OPTION_ONCE},
	{"--help", TL_VALUE_NONE, NULL, "Print this and exit.", OPTION_HELP},
	{"--version", TL_VALUE_NONE, NULL, "Print the version and exit.", OPTION_VERSION},
	{NULL, 0, NULL, "Other options", 0},
	{"--wrapper", TL_VALUE_WORDS, "WRAPPER", "Run WRAPPER to start new programs.", OPTION_WRAPPER},
	{"--disable-randomization", TL_VALUE_NONE, NULL, "Run PROG at the same addresses every time (default).",
	 OPTION_FIXED},
	{"--no-disable-randomization", TL_VALUE_NONE, NULL, "Leave the layout of PROG to the kernel.", OPTION_RANDOM},
	{"--startup-with-shell", TL_VALUE_NONE, NULL, "Start PROG through a shell that execs it (default).",
	 OPTION_SHELL},
	{"--no-startup-with-shell", TL_VALUE_NONE, NULL, "Exec PROG directly.", OPTION_NO_SHELL},
	{"--on-disconnect", TL_VALUE_WORD, "WHAT",
	 "What becomes of PROG when the client is lost: stop\n(default), continue, kill or detach.", OPTION_LOST},
	{NULL, 0, NULL, "Debug options", 0},
	{"--debug", TL_VALUE_NONE, NULL, "Trace threads, events and system calls.", OPTION_DEBUG},
	{"--debug", TL_VALUE_EQUALS, "OPT1[,OPT2,...]", "Trace some of threads, event-loop, remote; or all.",
	 OPTION_DEBUG},
	{"--debug-format", TL_VALUE_EQUALS, "OPT1[,OPT2,...]",
	 "all, none or timestamp: taken and without effect, as\nevery line of a trace has its time.",
	 OPTION_DEBUG_FORMAT},
	{"--debug-file", TL_VALUE_EQUALS, "FILE", "Where traces go, instead of standard error.", OPTION_DEBUG_FILE},
	{"--remote-debug", TL_VALUE_NONE, NULL, "Trace packets.", OPTION_REMOTE_DEBUG},
	{"--event-loop-debug", TL_VALUE_NONE, NULL, "Trace the event loop.", OPTION_LOOP_DEBUG},
	{"--trace", TL_VALUE_WORD, "WHAT[:FILE]", "Trace as trapline --trace does.", OPTION_TRACE},
	{"--disable-packet", TL_VALUE_NONE, NULL, "List what can be disabled.", OPTION_LIST_DISABLE},
	{"--disable-packet", TL_VALUE_EQUALS, "OPT1[,OPT2,...]", "Answer as a server that lacks those packets.",
	 OPTION_DISABLE},
	{"--selftest", TL_VALUE_NONE, NULL, "Run the checks that are built in, and exit.", OPTION_SELFTEST},
	{"--selftest", TL_VALUE_EQUALS, "FILTER", "Those whose names contain FILTER.", OPTION_SELFTEST},
	{NULL, 0, NULL, NULL, 0},
};

struct command {
	struct tl_serve_options serve;
	bool attach, selftest;
	const char *selftest_filter;
	tl_u32 channels;
	const char *debug_file;
};

static void print_usage(FILE *stream)
{
	fputs("Usage:\ttrapline-gdbserver [OPTIONS] COMM PROG [ARGS ...]\n"
	      "\ttrapline-gdbserver [OPTIONS] --attach COMM PID\n"
	      "\ttrapline-gdbserver [OPTIONS] --multi COMM\n\n"
	      "COMM is HOST:PORT or :PORT (loopback) or *:PORT (every address), unix:PATH, a tty\n"
	      "device, or - (or stdio) for standard input and output. PROG is the program, ARGS are\n"
	      "its arguments, PID is the process to attach to.\n",
	      stream);
	tl_options_print(table, stream);
}

static const struct {
	const char *name;
	const char *help;
	tl_u32 bits;
} disableable[] = {
	{"vCont", "       \tAll vCont packets", TL_DISABLE_VCONT},
	{"qC", "          \tQuerying the current thread", TL_DISABLE_QC},
	{"qfThreadInfo", "\tThread listing", TL_DISABLE_THREAD_INFO},
	{"Tthread", "     \tPassing the thread specifier in the T stop reply packet", TL_DISABLE_T_THREAD},
	{"threads", "     \tAll of the above",
	 TL_DISABLE_VCONT | TL_DISABLE_QC | TL_DISABLE_THREAD_INFO | TL_DISABLE_T_THREAD},
	{"T", "           \tAll 'T' packets", TL_DISABLE_T},
};

static void print_disableable(FILE *stream)
{
	fputs("Disableable packets:\n", stream);
	for (tl_size i = 0; i < TL_COUNT(disableable); i++)
		fprintf(stream, "  %s%s\n", disableable[i].name, disableable[i].help);
}

/* Takes the next of a comma-separated list: its length, 0 at the end. */
static size_t next_item(const char **list, const char **item_ret)
{
	size_t length;

	*list += strspn(*list, ",");
	length = strcspn(*list, ",");
	*item_ret = *list;
	*list += length;
	return length;
}

static bool same(const char *name, const char *item, size_t length)
{
	return strlen(name) == length && memcmp(name, item, length) == 0;
}

static int read_disabled(struct command *command, const char *list)
{
	const char *item;
	size_t length;

	while ((length = next_item(&list, &item)) != 0) {
		tl_u32 bits = 0;

		for (tl_size i = 0; i < TL_COUNT(disableable); i++)
			if (same(disableable[i].name, item, length))
				bits = disableable[i].bits;
		if (bits == 0) {
			fprintf(stderr, "Don't know how to disable \"%.*s\".\n\n", (int)length, item);
			print_disableable(stderr);
			return 1;
		}
		command->serve.disabled |= bits;
	}
	return -1;
}

#define DEBUG_THREADS (1u << TL_TRACE_EVENTS | 1u << TL_TRACE_STATES | 1u << TL_TRACE_POINTS | 1u << TL_TRACE_PTRACE)

static int read_debug(struct command *command, const char *list)
{
	static const struct {
		const char *name;
		tl_u32 channels;
	} names[] = {
		{"threads", DEBUG_THREADS},
		{"event-loop", 1u << TL_TRACE_LOOP},
		{"remote", 1u << TL_TRACE_PACKETS},
		{"all", DEBUG_THREADS | 1u << TL_TRACE_LOOP | 1u << TL_TRACE_PACKETS},
	};
	const char *item;
	size_t length;

	if (list == NULL)
		command->channels |= DEBUG_THREADS;
	while (list != NULL && (length = next_item(&list, &item)) != 0) {
		tl_u32 channels = 0;

		for (tl_size i = 0; i < TL_COUNT(names); i++)
			if (same(names[i].name, item, length))
				channels = names[i].channels;
		if (channels == 0) {
			fprintf(stderr, "Unknown debug option '%.*s'\n", (int)length, item);
			return 1;
		}
		command->channels |= channels;
	}
	return -1;
}

static int read_debug_format(const char *list)
{
	const char *item;
	size_t length;

	while ((length = next_item(&list, &item)) != 0) {
		if (!same("all", item, length) && !same("none", item, length) && !same("timestamp", item, length)) {
			fprintf(stderr, "Unknown debug-format argument: \"%.*s\"\n", (int)length, item);
			return 1;
		}
	}
	return -1;
}

static int read_lost(struct command *command, const char *word)
{
	static const char *const words[] = {
		[TL_LOST_STOP] = "stop",
		[TL_LOST_CONTINUE] = "continue",
		[TL_LOST_KILL] = "kill",
		[TL_LOST_DETACH] = "detach",
	};

	for (tl_size i = 0; i < TL_COUNT(words); i++) {
		if (strcmp(words[i], word) == 0) {
			command->serve.lost = (enum tl_lost)i;
			return -1;
		}
	}
	fprintf(stderr, "--on-disconnect wants stop, continue, kill or detach\n");
	return 1;
}

static int read_trace(const char *argument)
{
	struct tl_error error;

	if (tl_trace_setup(argument, &error) == TL_OK)
		return -1;
	fprintf(stderr, "%s\n", error.text);
	return 1;
}

/* Applies one option; -1 to go on, otherwise the exit status. */
static int apply(struct command *command, int option, const struct tl_option_reader *reader)
{
	struct tl_serve_options *serve = &command->serve;

	switch (option) {
	case OPTION_ATTACH:
		command->attach = true;
		break;
	case OPTION_MULTI:
		serve->multi = true;
		break;
	case OPTION_ONCE:
		serve->once = true;
		break;
	case OPTION_HELP:
		print_usage(stdout);
		return 0;
	case OPTION_VERSION:
		puts("trapline-gdbserver " TL_VERSION ", with the command line of GNU gdbserver 13.1");
		return 0;
	case OPTION_WRAPPER:
		serve->wrapper = reader->words;
		break;
	case OPTION_FIXED:
	case OPTION_RANDOM:
		serve->keep_randomization = option == OPTION_RANDOM;
		break;
	case OPTION_SHELL:
	case OPTION_NO_SHELL:
		serve->with_shell = option == OPTION_SHELL;
		break;
	case OPTION_LOST:
		return read_lost(command, reader->value);
	case OPTION_DEBUG:
		return read_debug(command, reader->value);
	case OPTION_DEBUG_FORMAT:
		return read_debug_format(reader->value);
	case OPTION_DEBUG_FILE:
		command->debug_file = reader->value;
		break;
	case OPTION_REMOTE_DEBUG:
		command->channels |= 1u << TL_TRACE_PACKETS;
		break;
	case OPTION_LOOP_DEBUG:
		command->channels |= 1u << TL_TRACE_LOOP;
		break;
	case OPTION_TRACE:
		return read_trace(reader->value);
	case OPTION_LIST_DISABLE:
		print_disableable(stdout);
		return 0;
	case OPTION_DISABLE:
		return read_disabled(command, reader->value);
	case OPTION_SELFTEST:
		command->selftest = true;
		command->selftest_filter = reader->value;
		break;
	default:
		return 1;
	}
	return -1;
}

/* Switches the collected channels on, in the file that --debug-file named if it did. */
static int start_trace(const struct command *command)
{
	char argument[4096];

	if (command->debug_file != NULL) {
		/* "errors" is on in every trace that goes to a file: it costs nothing until there is one. */
		snprintf(argument, sizeof(argument), "errors:%s", command->debug_file);
		if (read_trace(argument) >= 0)
			return 1;
	}
	tl_trace_mask |= command->channels;
	return -1;
}

/* COMM and what follows it; -1 to go on, otherwise the exit status. */
static int read_operands(struct command *command, char **words)
{
	struct tl_serve_options *serve = &command->serve;
	char *end;

	if (words[0] == NULL || (!command->attach && !serve->multi && words[1] == NULL))
		goto usage;
	serve->address = strcmp(words[0], "stdio") == 0 ? "-" : words[0];
	words++;
	/* --attach may stand behind COMM, as it did long ago. */
	if (words[0] != NULL && strcmp(words[0], "--attach") == 0) {
		command->attach = true;
		words++;
	}
	if (command->attach) {
		if (words[0] == NULL || words[1] != NULL)
			goto usage;
		errno = 0;
		serve->attach = strtoul(words[0], &end, 0);
		if (serve->attach == 0 || *end != '\0' || errno != 0)
			goto usage;
	} else if (words[0] != NULL) {
		serve->program = (const char *const *)words;
	}
	return -1;
usage:
	print_usage(stderr);
	return 1;
}

static int serve_process(const struct command *command)
{
	struct tl_target *target;
	struct tl_loop *loop;
	struct tl_error error;
	int status;

	if (tl_loop_create(&loop, &error) != TL_OK) {
		fprintf(stderr, "%s\nExiting\n", error.text);
		return 1;
	}
	if (tl_process_target_create(loop, NULL, &target, &error) != TL_OK) {
		fprintf(stderr, "%s\nExiting\n", error.text);
		tl_loop_destroy(loop);
		return 1;
	}
	status = tl_serve(loop, target, &command->serve);
	tl_process_target_destroy(target);
	tl_loop_destroy(loop);
	return status;
}

int main(int count, char **arguments)
{
	struct command command = {.serve = {.with_shell = true, .as_gdbserver = true}};
	struct tl_option_reader reader = {.at = arguments + 1, .table = table};
	struct tl_error error;
	int option, status;

	(void)count;
	while ((option = tl_option_next(&reader, &error)) != 0) {
		if (option < 0) {
			fprintf(stderr, "%s\n", error.text);
			return 1;
		}
		status = apply(&command, option, &reader);
		if (status >= 0)
			return status;
	}
	if (command.selftest)
		return tl_selftest_run(tl_selftests, command.selftest_filter, stdout);
	status = start_trace(&command);
	if (status < 0)
		status = read_operands(&command, reader.at);
	return status >= 0 ? status : serve_process(&command);
}
