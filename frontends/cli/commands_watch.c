/* Points that are not at a line: watchpoints, catchpoints, dprintf; and saving all points. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/points.h"
#include "frontends/cli/words.h"

#include "debugger/session/session.h"
#include "debugger/session/signal_names.h"
#include "debugger/session/syscall_names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS_MAX 128

/* ---- Watchpoints ---- */

/* "-l" and "-location" in front of the expression. */
static const char *read_location(const char *text, bool *by_location_ret)
{
	static const char *const words[] = {"-location", "-locatio", "-locati", "-locat", "-loca", "-loc", "-lo", "-l"};

	for (tl_size i = 0; i < TL_COUNT(words); i++) {
		tl_size size = strlen(words[i]);

		if (strncmp(text, words[i], size) == 0 && isspace((unsigned char)text[size])) {
			*by_location_ret = true;
			text += size;
			return text + strspn(text, " \t");
		}
	}
	return text;
}

static enum tl_status watch(struct tl_cli *cli, const struct tl_command_line *line, enum tl_breakpoint_kind kind,
			    struct tl_error *error)
{
	struct tl_breakpoint_request request = {.kind = kind};
	struct tl_breakpoint *breakpoint;
	char *words;
	enum tl_status status;

	TL_TRY(tl_words_copy(line, &words, error));
	request.place = read_location(words, &request.by_location);
	status = tl_breakpoint_make(cli->session, &request, &breakpoint, error);
	if (status == TL_OK)
		tl_screen_format(&cli->screen, "%s %u: %s%s\n", tl_watch_title(breakpoint), breakpoint->number,
				 breakpoint->by_location ? "-location " : "", breakpoint->place);
	free(words);
	return status;
}

static enum tl_status run_watch(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return watch(cli, line, TL_WATCHPOINT, error);
}

static enum tl_status run_rwatch(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return watch(cli, line, TL_WATCHPOINT_READ, error);
}

static enum tl_status run_awatch(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return watch(cli, line, TL_WATCHPOINT_ACCESS, error);
}

/* ---- dprintf ---- */

/* Where the format begins: behind the first comma that is outside of brackets. */
static char *find_format(char *words)
{
	int depth = 0;

	for (char *at = words; *at != '\0' && *at != '"'; at++) {
		if (*at == '(' || *at == '<')
			depth++;
		else if (*at == ')' || *at == '>')
			depth--;
		else if (*at == ',' && depth == 0)
			return at;
	}
	return NULL;
}

static enum tl_status run_dprintf(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_breakpoint_request request = {.kind = TL_BREAKPOINT_PRINTF, .allow_pending = true};
	struct tl_breakpoint *breakpoint;
	char *words, *format;
	enum tl_status status;

	TL_TRY(tl_words_copy(line, &words, error));
	format = find_format(words);
	if (format == NULL) {
		free(words);
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "Format string required: dprintf LOCATION,\"format\",ARGUMENT...");
	}
	*format++ = '\0';
	request.place = words;
	request.format = format + strspn(format, " \t");
	status = tl_breakpoint_make(cli->session, &request, &breakpoint, error);
	if (status == TL_OK)
		tl_point_tell(cli, breakpoint);
	free(words);
	return status;
}

/* ---- Catchpoints ---- */

static void say_caught(struct tl_cli *cli, const struct tl_breakpoint *breakpoint, const char *what)
{
	tl_screen_format(&cli->screen, "Catchpoint %u (%s)\n", breakpoint->number, what);
}

/* Cuts an "if CONDITION" off the words, which gives it; NULL: there is none. */
static const char *split_condition(char *words)
{
	for (char *at = words; (at = strstr(at, "if")) != NULL; at++) {
		char *end = at;

		if ((at != words && !isspace((unsigned char)at[-1])) ||
		    !(isspace((unsigned char)at[2]) || at[2] == '('))
			continue;
		while (end > words && isspace((unsigned char)end[-1]))
			end--;
		*end = '\0';
		return at + 2 + strspn(at + 2, " \t");
	}
	return NULL;
}

static enum tl_status catch_kind(struct tl_cli *cli, const struct tl_command_line *line, enum tl_breakpoint_kind kind,
				 bool temporary, const char *what, struct tl_error *error)
{
	struct tl_breakpoint_request request = {.kind = kind, .temporary = temporary};
	const char *condition = NULL;
	struct tl_breakpoint *breakpoint;
	char *words;
	enum tl_status status;

	TL_TRY(tl_words_copy(line, &words, error));
	/* Of libraries all of it is the pattern, as in gdb. */
	if (kind != TL_CATCH_LOAD && kind != TL_CATCH_UNLOAD)
		condition = split_condition(words);
	request.pattern = words[0] != '\0' ? words : NULL;
	if (request.pattern != NULL && kind < TL_CATCH_LOAD)
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Junk at end of arguments.");
	else
		status = tl_breakpoint_make(cli->session, &request, &breakpoint, error);
	if (status == TL_OK && condition != NULL) {
		status = tl_breakpoint_set_condition(cli->session, breakpoint->number, condition, false, error);
		if (status != TL_OK)
			(void)!tl_breakpoint_delete(cli->session, breakpoint->number, NULL);
	}
	if (status == TL_OK)
		say_caught(cli, breakpoint, what);
	free(words);
	return status;
}

static bool is_temporary(const struct tl_command_line *line)
{
	return line->path[0] != NULL && strcmp(line->path[0]->name, "tcatch") == 0;
}

static enum tl_status run_catch_fork(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return catch_kind(cli, line, TL_CATCH_FORK, is_temporary(line), "fork", error);
}

static enum tl_status run_catch_vfork(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return catch_kind(cli, line, TL_CATCH_VFORK, is_temporary(line), "vfork", error);
}

static enum tl_status run_catch_exec(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return catch_kind(cli, line, TL_CATCH_EXEC, is_temporary(line), "exec", error);
}

static enum tl_status run_catch_load(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return catch_kind(cli, line, TL_CATCH_LOAD, is_temporary(line), "load", error);
}

static enum tl_status run_catch_unload(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return catch_kind(cli, line, TL_CATCH_UNLOAD, is_temporary(line), "unload", error);
}

static enum tl_status run_catch_throw(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return catch_kind(cli, line, TL_CATCH_THROW, is_temporary(line), "throw", error);
}

static enum tl_status run_catch_catch(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return catch_kind(cli, line, TL_CATCH_CATCH, is_temporary(line), "catch", error);
}

static enum tl_status run_catch_rethrow(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return catch_kind(cli, line, TL_CATCH_RETHROW, is_temporary(line), "rethrow", error);
}

/* Numbers of system calls or signals, by their names or numbers. */
struct numbers {
	tl_u64 items[NUMBERS_MAX];
	tl_size count;
};

static const struct tl_cpu *cpu_of(struct tl_cli *cli)
{
	struct tl_process_facts facts;

	if (tl_engine_facts(tl_session_engine(cli->session), tl_session_thread(cli->session).process, &facts) == TL_OK)
		return facts.cpu;
	return &tl_cpu_x86_64;
}

static enum tl_status read_one(struct tl_cli *cli, enum tl_breakpoint_kind kind, const char *word,
			       struct numbers *numbers, struct tl_error *error)
{
	tl_u64 number = 0;

	if (numbers->count == NUMBERS_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "More than %d at once: make a second catchpoint.",
			       NUMBERS_MAX);
	if (kind == TL_CATCH_SYSCALL && !tl_syscall_number(cpu_of(cli), word, &number))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unknown syscall name '%s'.", word);
	if (kind == TL_CATCH_SIGNAL) {
		number = (tl_u64)tl_signal_number(word, strlen(word));
		if (number == 0)
			return TL_FAIL(error, TL_ERROR_ARGUMENT,
				       "Only signals 1-15 are valid as numeric signals.\n"
				       "Use \"info signals\" for a list of symbolic signals.");
	}
	numbers->items[numbers->count++] = number;
	return TL_OK;
}

static void say_numbers(struct tl_cli *cli, const struct tl_breakpoint *breakpoint)
{
	struct tl_output output = tl_output_make(65536);
	bool is_signal = breakpoint->kind == TL_CATCH_SIGNAL;
	char name[64];

	if (breakpoint->number_count == 0)
		tl_output_text(&output, is_signal ? "standard signals" : "any syscall");
	else
		tl_output_format(&output, "%s%s", is_signal ? "signal" : "syscall",
				 breakpoint->number_count > 1 ? "s" : "");
	for (tl_size i = 0; i < breakpoint->number_count; i++) {
		tl_u64 number = breakpoint->numbers[i];

		if (is_signal)
			tl_output_format(&output, " %s", tl_signal_name((tl_i32)number));
		else if (tl_syscall_name(cpu_of(cli), number, name, sizeof(name)))
			tl_output_format(&output, " '%s' [%llu]", name, (unsigned long long)number);
		else
			tl_output_format(&output, " %llu", (unsigned long long)number);
	}
	say_caught(cli, breakpoint, tl_output_string(&output));
	tl_output_release(&output);
}

static enum tl_status catch_numbers(struct tl_cli *cli, const struct tl_command_line *line,
				    enum tl_breakpoint_kind kind, struct tl_error *error)
{
	struct tl_breakpoint_request request = {.kind = kind, .temporary = is_temporary(line)};
	struct tl_breakpoint *breakpoint;
	struct numbers numbers = {.count = 0};
	char *words, *rest = NULL;
	enum tl_status status = TL_OK;

	TL_TRY(tl_words_copy(line, &words, error));
	for (char *word = strtok_r(words, " \t", &rest); word != NULL && status == TL_OK;
	     word = strtok_r(NULL, " \t", &rest))
		if (strcmp(word, "all") != 0)
			status = read_one(cli, kind, word, &numbers, error);
	free(words);
	TL_TRY(status);
	request.numbers = numbers.items;
	request.number_count = numbers.count;
	TL_TRY(tl_breakpoint_make(cli->session, &request, &breakpoint, error));
	say_numbers(cli, breakpoint);
	return TL_OK;
}

static enum tl_status run_catch_syscall(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return catch_numbers(cli, line, TL_CATCH_SYSCALL, error);
}

static enum tl_status run_catch_signal(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return catch_numbers(cli, line, TL_CATCH_SIGNAL, error);
}

/* ---- Saving ---- */

static enum tl_status run_save_breakpoints(struct tl_cli *cli, const struct tl_command_line *line,
					   struct tl_error *error)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	char *path;
	enum tl_status status = TL_OK;
	FILE *stream;

	TL_TRY(tl_words_copy(line, &path, error));
	tl_breakpoints_save(cli->session, &output);
	if (path[0] == '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (file name in which to save)");
	else if (output.size == 0)
		tl_screen_text(&cli->screen, "Nothing to save.\n");
	else if ((stream = fopen(path, "we")) == NULL)
		status = TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "Unable to open file '%s' for saving", path);
	else {
		bool written = fwrite(output.text, 1, output.size, stream) == output.size;

		if (fclose(stream) != 0 || !written)
			status = TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "Unable to write file '%s'", path);
		else
			tl_screen_format(&cli->screen, "Saved to file '%s'.\n", path);
	}
	tl_output_release(&output);
	free(path);
	return status;
}

/* ---- The table ---- */

static const struct tl_command catch_rows[] = {
	{.name = "catch",
	 .summary = "Stop when a C++ exception is caught",
	 .details = "Example: catch catch",
	 .run = run_catch_catch},
	{.name = "exec",
	 .summary = "Stop when the program runs another one",
	 .details = "Example: catch exec",
	 .run = run_catch_exec},
	{.name = "fork",
	 .summary = "Stop when the program forks",
	 .details = "Example: catch fork",
	 .run = run_catch_fork},
	{.name = "load",
	 .arguments = "[REGEX]",
	 .summary = "Stop when a shared library is loaded",
	 .details = "With REGEX, when one whose path matches is.\n\nExample: catch load libpng",
	 .run = run_catch_load},
	{.name = "rethrow",
	 .summary = "Stop when a C++ exception is thrown on",
	 .details = "Example: catch rethrow",
	 .run = run_catch_rethrow},
	{.name = "signal",
	 .arguments = "[SIGNAL...]",
	 .summary = "Stop when a signal arrives",
	 .details = "Without names: any but SIGINT and SIGTRAP, which debuggers use.\n\nExample: catch signal SIGUSR1",
	 .run = run_catch_signal,
	 .complete = tl_complete_signals},
	{.name = "syscall",
	 .arguments = "[NAME-OR-NUMBER...]",
	 .summary = "Stop when a system call begins and when it ends",
	 .details = "Without names: at every one.\n\nExample: catch syscall openat close",
	 .run = run_catch_syscall,
	 .complete = tl_complete_syscalls},
	{.name = "throw",
	 .summary = "Stop when a C++ exception is thrown",
	 .details = "Example: catch throw",
	 .run = run_catch_throw},
	{.name = "unload",
	 .arguments = "[REGEX]",
	 .summary = "Stop when a shared library is unloaded",
	 .details = "Example: catch unload libm",
	 .run = run_catch_unload},
	{.name = "vfork",
	 .summary = "Stop when the program calls vfork",
	 .details = "Example: catch vfork",
	 .run = run_catch_vfork},
	{.name = NULL},
};

static const struct tl_command save_rows[] = {
	{.name = "breakpoints",
	 .arguments = "FILE",
	 .summary = "Write all points into a file of commands",
	 .details = "The file makes them again: source FILE.\n\nExample: save breakpoints bug.points",
	 .run = run_save_breakpoints,
	 .complete = tl_complete_files},
	{.name = NULL},
};

const struct tl_command tl_commands_watch[] = {
	{.name = "awatch",
	 .arguments = "[-location] EXPRESSION [if CONDITION]",
	 .summary = "Stop when a value is read or written",
	 .details = "Example: awatch list->head",
	 .run = run_awatch,
	 .complete = tl_complete_expressions},
	{.name = "catch",
	 .subcommands = catch_rows,
	 .arguments = "EVENT",
	 .summary = "Stop when something happens: a fork, a signal, a system call, a library",
	 .details = "Example: catch syscall openat"},
	{.name = "dprintf",
	 .arguments = "LOCATION,\"FORMAT\",ARGUMENT...",
	 .summary = "Print whenever a place is reached, and go on",
	 .details = "Like a printf in the source, without building anew.\n\n"
		    "Example: dprintf list.c:12,\"at %p, %d left\\n\",list,list->count",
	 .run = run_dprintf,
	 .complete = tl_complete_places},
	{.name = "rwatch",
	 .arguments = "[-location] EXPRESSION [if CONDITION]",
	 .summary = "Stop when a value is read",
	 .details = "Example: rwatch counter",
	 .run = run_rwatch,
	 .complete = tl_complete_expressions},
	{.name = "save",
	 .subcommands = save_rows,
	 .arguments = "breakpoints FILE",
	 .summary = "Save points as commands",
	 .details = "Example: save breakpoints bug.points"},
	{.name = "tcatch",
	 .subcommands = catch_rows,
	 .arguments = "EVENT",
	 .summary = "Like catch, once",
	 .details = "Example: tcatch fork"},
	{.name = "watch",
	 .arguments = "[-location] EXPRESSION [if CONDITION]",
	 .summary = "Stop when the value of an expression changes",
	 .details = "Whatever memory the value is made from is watched: of p->size also p. A watchpoint on local\n"
		    "variables ends with their frame. With -location the memory where the value stands now is\n"
		    "watched, wherever the program is.\n\nExample: watch total if total > 100",
	 .run = run_watch,
	 .complete = tl_complete_expressions},
	{.name = NULL},
};
