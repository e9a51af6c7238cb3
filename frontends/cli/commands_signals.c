/* Signals: what is done about each of them (handle, info signals). */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include "debugger/session/session.h"
#include "debugger/session/signal_names.h"

#include <string.h>

static void print_header(struct tl_cli *cli)
{
	tl_screen_text(&cli->screen, "Signal        Stop\tPrint\tPass to program\tDescription\n");
}

static void print_row(struct tl_cli *cli, tl_i32 number)
{
	const struct tl_signal_handling *handling = &tl_session_signals(cli->session)[number];

	tl_screen_format(&cli->screen, "%-13s %s\t%s\t%s\t\t%s\n", tl_signal_name(number),
			 handling->stop ? "Yes" : "No", handling->print ? "Yes" : "No", handling->pass ? "Yes" : "No",
			 tl_signal_text(number));
}

/* A signal by its name, or by what an expression comes to. */
static enum tl_status show_signal(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				  struct tl_error *error)
{
	tl_i32 number = tl_signal_number(words, strlen(words));
	tl_i64 value = 0;

	(void)line;
	print_header(cli);
	if (number == 0) {
		TL_TRY(tl_cli_number(cli, words, &value, error));
		if (value < 1 || value > 15)
			return TL_FAIL(error, TL_ERROR_ARGUMENT,
				       "Only signals 1-15 are valid as numeric signals.\n"
				       "Use \"info signals\" for a list of symbolic signals.");
		number = (tl_i32)value;
	}
	print_row(cli, number);
	return TL_OK;
}

static enum tl_status run_info_signals(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	if (line->size != 0)
		return tl_words_with(cli, line, show_signal, error);
	print_header(cli);
	tl_screen_text(&cli->screen, "\n");
	for (tl_i32 i = 1; i <= TL_SIGNAL_MAX; i++)
		print_row(cli, i);
	tl_screen_text(&cli->screen, "\nUse the \"handle\" command to change these tables.\n");
	return TL_OK;
}

/* A word that says what is to be done; false when it is none. What stops is printed, and what is not printed does not
 * stop. */
static bool apply_word(struct tl_signal_handling *handling, const char *word, tl_size size)
{
	static const struct {
		const char *word;
		tl_size least;
	} words[] = {{"stop", 1}, {"nostop", 3}, {"print", 2},  {"noprint", 3},
		     {"pass", 2}, {"nopass", 3}, {"ignore", 1}, {"noignore", 3}};
	tl_size which = TL_COUNT(words);

	for (tl_size i = 0; i < TL_COUNT(words) && which == TL_COUNT(words); i++)
		if (size >= words[i].least && strncmp(words[i].word, word, size) == 0)
			which = i;
	switch (which) {
	case 0:
		handling->stop = handling->print = true;
		return true;
	case 1:
		handling->stop = false;
		return true;
	case 2:
		handling->print = true;
		return true;
	case 3:
		handling->print = handling->stop = false;
		return true;
	case 4:
	case 7:
		handling->pass = true;
		return true;
	case 5:
	case 6:
		handling->pass = false;
		return true;
	default:
		return false;
	}
}

struct chosen {
	bool signals[TL_SIGNALS];
};

/* A signal, a range of them ("14-15"), or "all", which leaves out those that debuggers use. */
static bool choose(struct chosen *chosen, const char *word, tl_size size)
{
	const char *dash = memchr(word, '-', size);
	tl_i32 first, last;

	if (size == 3 && strncmp(word, "all", 3) == 0) {
		for (tl_i32 i = 1; i < TL_SIGNALS; i++)
			chosen->signals[i] |= i != 2 && i != 5;
		return true;
	}
	first = tl_signal_number(word, dash != NULL ? (tl_size)(dash - word) : size);
	last = dash != NULL ? tl_signal_number(dash + 1, size - (tl_size)(dash + 1 - word)) : first;
	if (first == 0 || last == 0)
		return false;
	for (tl_i32 i = first < last ? first : last; i <= (first < last ? last : first); i++)
		chosen->signals[i] = true;
	return true;
}

static enum tl_status run_handle(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_signal_handling *signals = tl_session_signals(cli->session), changed[TL_SIGNALS];
	struct tl_signal_handling word_check = {0};
	struct chosen chosen = {{false}};
	const char *at = line->words, *end = line->words + line->size;

	if (line->size == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (signal to handle).");
	memcpy(changed, signals, sizeof(changed));
	while (at < end) {
		tl_size size = 0;

		while (at + size < end && at[size] != ' ' && at[size] != '\t')
			size++;
		if (size != 0 && !apply_word(&word_check, at, size) && !choose(&chosen, at, size))
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unrecognized or ambiguous flag word: \"%.*s\".",
				       (int)size, at);
		at += size + 1;
	}
	/* Signals may stand before, behind and between the words. */
	for (tl_i32 i = 1; i < TL_SIGNALS; i++)
		for (at = line->words; at < end && chosen.signals[i];) {
			tl_size size = strcspn(at, " \t");

			if (size > (tl_size)(end - at))
				size = (tl_size)(end - at);
			(void)apply_word(&changed[i], at, size);
			at += size + 1;
		}
	memcpy(signals, changed, sizeof(changed));
	print_header(cli);
	for (tl_i32 i = 1; i < TL_SIGNALS; i++)
		if (chosen.signals[i])
			print_row(cli, i);
	return TL_OK;
}

const struct tl_command tl_commands_signals[] = {
	{.name = "handle",
	 .arguments = "SIGNAL... [ACTION...]",
	 .summary = "Say what is done about signals",
	 .details =
		 "SIGNAL is a name, a number from 1 to 15, a range of them, or all. ACTION is some of stop, nostop,\n"
		 "print, noprint, pass, nopass (ignore).\n\nExample: handle SIGALRM nostop noprint pass",
	 .run = run_handle,
	 .complete = tl_complete_handle},
	{.name = NULL},
};

const struct tl_command tl_commands_signals_info[] = {
	{.name = "signals",
	 .shorts = "handle",
	 .arguments = "[SIGNAL]",
	 .summary = "What is done about each signal",
	 .details = "Example: info signals SIGCHLD",
	 .run = run_info_signals,
	 .complete = tl_complete_signals},
	{.name = NULL},
};
