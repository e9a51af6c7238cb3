/*
 * What more of gdb's `set` changes here; settings_fixed.c has what it does not.
 */
#include "frontends/cli/cli.h"
#include "frontends/cli/settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct tl_settings, member)

/* Its three rows. */
#define STYLE(word, style)                                                                                             \
	{.name = "style " word " background",                                                                          \
	 .kind = TL_SETTING_CHOICE,                                                                                    \
	 .choices = colours,                                                                                           \
	 .offset = AT(background) + (style) * sizeof(tl_u32),                                                          \
	 .say = "The \"" word "\" style background color is: %s",                                                      \
	 .summary = "background color of " word,                                                                       \
	 .details = "Example: set style " word " background blue",                                                     \
	 .changed = tl_settings_tell_screen},                                                                          \
		{.name = "style " word " foreground",                                                                  \
		 .kind = TL_SETTING_CHOICE,                                                                            \
		 .choices = colours,                                                                                   \
		 .offset = AT(foreground) + (style) * sizeof(tl_u32),                                                  \
		 .say = "The \"" word "\" style foreground color is: %s",                                              \
		 .summary = "foreground color of " word,                                                               \
		 .details = "Example: set style " word " foreground red",                                              \
		 .changed = tl_settings_tell_screen},                                                                  \
	{                                                                                                              \
		.name = "style " word " intensity", .kind = TL_SETTING_CHOICE, .choices = intensities,                 \
		.offset = AT(intensity) + (style) * sizeof(tl_u32),                                                    \
		.say = "The \"" word "\" style display intensity is: %s", .summary = "display intensity of " word,     \
		.details = "Example: set style " word " intensity bold", .changed = tl_settings_tell_screen            \
	}

static const char *const colours[] = {"none", "black",   "red",  "green", "yellow",
				      "blue", "magenta", "cyan", "white", NULL};
static const char *const intensities[] = {"normal", "bold", "dim", NULL};
static const char *const places[] = {"auto", "host", "target", NULL};
static const char *const next_line[] = {"off", "on", "auto", NULL};
static const char *const print_styles[] = {"gdb", "call", "agent", NULL};
static const char *const file_names[] = {"relative", "basename", "absolute", NULL};
static const char *const languages[] = {"auto", "c", "c++", NULL};

/* ---- What follows from a change ---- */

enum tl_status tl_settings_tell_screen(struct tl_cli *cli, struct tl_error *error)
{
	const struct tl_settings *settings = &cli->settings;

	(void)error;
	cli->screen.paging = settings->pagination && !cli->batch;
	cli->screen.height = settings->height;
	cli->screen.width = settings->width;
	cli->screen.styled = settings->style;
	for (unsigned style = 0; style < TL_STYLE_MAX; style++)
		tl_screen_set_style(&cli->screen, (enum tl_style)style, settings->foreground[style],
				    settings->background[style], settings->intensity[style]);
	return TL_OK;
}

static enum tl_status frames_changed(struct tl_cli *cli, struct tl_error *error)
{
	TL_TRY(tl_settings_tell_session(cli, error));
	tl_session_settings_changed(cli->session);
	return TL_OK;
}

static enum tl_status value_size_changed(struct tl_cli *cli, struct tl_error *error)
{
	if (cli->settings.value_size_max != 0 && cli->settings.value_size_max < 16) {
		tl_screen_text(&cli->screen, "max-value-size set too low, increasing to 16 bytes\n");
		cli->settings.value_size_max = 16;
	}
	return frames_changed(cli, error);
}

/* Where the target cannot decide, the debugger does: that is what auto means. */
static enum tl_status conditions_changed(struct tl_cli *cli, struct tl_error *error)
{
	return tl_settings_tell_session(cli, error);
}

static enum tl_status print_changed(struct tl_cli *cli, struct tl_error *error)
{
	if (cli->settings.print_style == 2)
		tl_screen_text(&cli->screen,
			       "warning: Target cannot run dprintf commands, falling back to Trapline printf\n");
	return tl_settings_tell_session(cli, error);
}

static enum tl_status set_radix(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	static const unsigned radixes[] = {10, 16, 8};
	unsigned long wanted = words[0] != '\0' ? strtoul(words, NULL, 0) : 10;

	for (tl_u32 i = 0; i < TL_COUNT(radixes); i++)
		if (wanted == radixes[i]) {
			cli->settings.radix = i;
			tl_screen_format(&cli->screen,
					 "Output radix now set to decimal %lu, hex %lx, octal %lo.\n"
					 "Numbers are read as in C.\n",
					 wanted, wanted, wanted);
			return TL_OK;
		}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unsupported radix \"%s\": 8, 10 and 16 are known.", words);
}

static void show_radix(struct tl_cli *cli, const char *words)
{
	static const unsigned radixes[] = {10, 16, 8};
	unsigned radix = radixes[cli->settings.radix % TL_COUNT(radixes)];

	(void)words;
	tl_screen_format(&cli->screen,
			 "Input radix set to decimal 10, hex a, octal 12.\n"
			 "Output radix set to decimal %u, hex %x, octal %o.\n",
			 radix, radix, radix);
}

static void show_language(struct tl_cli *cli, const char *words)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_error error;
	bool is_cplus = tl_session_environment(cli->session, &environment, &store, &error) == TL_OK &&
			environment->values.is_cplus;

	(void)words;
	if (cli->settings.language == TL_LANGUAGE_AUTO)
		tl_screen_format(&cli->screen, "The current source language is \"auto; currently %s\".\n",
				 is_cplus ? "c++" : "c");
	else
		tl_screen_format(&cli->screen, "The current source language is \"%s\".\n",
				 languages[cli->settings.language % TL_COUNT(languages)]);
}

/* ---- The table, in the order of the alphabet ---- */

const struct tl_setting tl_settings_gdb[] = {
	{.name = "backtrace limit",
	 .kind = TL_SETTING_NUMBER,
	 .offset = AT(frames_max),
	 .changed = frames_changed,
	 .say = "An upper bound on the number of backtrace levels is %s.",
	 .summary = "an upper bound on the number of stack frames in a backtrace",
	 .details = "Frames further out are as if they were not there. Example: set backtrace limit 50"},
	{.name = "backtrace past-main",
	 .offset = AT(past_main),
	 .changed = frames_changed,
	 .say = "Whether backtraces should continue past \"main\" is %s.",
	 .summary = "whether backtraces should continue past \"main\"",
	 .details = "Example: set backtrace past-main on"},
	{.name = "breakpoint condition-evaluation",
	 .kind = TL_SETTING_CHOICE,
	 .choices = places,
	 .offset = AT(condition_place),
	 .changed = conditions_changed,
	 .say = "Breakpoint condition evaluation mode is %s.",
	 .summary = "mode of breakpoint condition evaluation",
	 .details = "auto: a condition that bytecode can say is decided beside the program, all others here; host: all "
		    "here.\n"
		    "Example: set breakpoint condition-evaluation host"},
	{.name = "disassemble-next-line",
	 .kind = TL_SETTING_CHOICE,
	 .choices = next_line,
	 .offset = AT(next_line_code),
	 .say = "Debugger's willingness to use disassemble-next-line is %s.",
	 .summary = "whether to disassemble next source line or insn when execution stops",
	 .details = "on: below the line what it compiles to; auto: an instruction where no source is known.\n"
		    "Example: set disassemble-next-line on"},
	{.name = "dprintf-channel",
	 .kind = TL_SETTING_TEXT,
	 .offset = AT(print_channel),
	 .changed = print_changed,
	 .say = "The channel to use for dynamic printf is \"%s\".",
	 .summary = "the channel to use for dynamic printf",
	 .details = "What the function is given before the format. Example: set dprintf-channel stderr"},
	{.name = "dprintf-function",
	 .kind = TL_SETTING_TEXT,
	 .offset = AT(print_function),
	 .changed = print_changed,
	 .say = "The function to use for dynamic printf is \"%s\".",
	 .summary = "the function to use for dynamic printf",
	 .details = "With \"set dprintf-style call\". Example: set dprintf-function fprintf"},
	{.name = "dprintf-style",
	 .kind = TL_SETTING_CHOICE,
	 .choices = print_styles,
	 .offset = AT(print_style),
	 .changed = print_changed,
	 .say = "The style of usage for dynamic printf is \"%s\".",
	 .summary = "the style of usage for dynamic printf",
	 .details = "gdb: the debugger prints; call: a function of the program is called, by default its printf; "
		    "agent: as gdb.\n"
		    "Example: set dprintf-style call"},
	{.name = "exec-wrapper",
	 .kind = TL_SETTING_TEXT,
	 .offset = AT(wrapper),
	 .say = "The wrapper for running programs is \"%s\".",
	 .summary = "a wrapper for running programs",
	 .details = "Words put before the program's name; the wrapper must end in exec of it. unset exec-wrapper takes "
		    "it back.\n"
		    "Example: set exec-wrapper env LD_PRELOAD=./libmine.so"},
	{.name = "filename-display",
	 .kind = TL_SETTING_CHOICE,
	 .choices = file_names,
	 .offset = AT(file_names),
	 .say = "Filenames are displayed as \"%s\".",
	 .summary = "how to display filenames",
	 .details = "Of frames: as the compiler was told them, their last parts, or in full.\n"
		    "Example: set filename-display absolute"},
	{.name = "history remove-duplicates",
	 .kind = TL_SETTING_COUNT,
	 .offset = AT(duplicates),
	 .say = "The number of history entries to look back at for duplicates is %s.",
	 .summary = "how far back in history to look for and remove duplicate entries",
	 .details = "A line that is typed again among so many is kept once, as the last one. Example: set history "
		    "remove-duplicates 100"},
	{.name = "language",
	 .kind = TL_SETTING_CHOICE,
	 .choices = languages,
	 .offset = AT(language),
	 .changed = frames_changed,
	 .say = "The current source language is \"%s\".",
	 .summary = "the current source language",
	 .details = "auto: as each frame was written; else expressions are read by that language's rules.\n"
		    "Example: set language c++",
	 .show = show_language},
	{.name = "max-value-size",
	 .kind = TL_SETTING_NUMBER,
	 .offset = AT(value_size_max),
	 .changed = value_size_changed,
	 .say = "Maximum value size is %s bytes.",
	 .summary = "maximum sized value that is loaded from the program",
	 .details = "Larger ones are an error. Example: set max-value-size 65536"},
	{.name = "may-call-functions",
	 .offset = AT(calls_allowed),
	 .changed = tl_settings_tell_session,
	 .say = "Permission to call functions in the program is %s.",
	 .summary = "permission to call functions in the program",
	 .details = "Example: set may-call-functions off"},
	{.name = "radix",
	 .kind = TL_SETTING_OWN,
	 .summary = "default input and output number radices",
	 .details = "Numbers are read as in C, so that this sets what \"set output-radix\" does. Example: set radix 16",
	 .set = set_radix,
	 .show = show_radix},
	STYLE("address", TL_STYLE_ADDRESS),
	STYLE("filename", TL_STYLE_FILENAME),
	STYLE("function", TL_STYLE_FUNCTION),
	STYLE("highlight", TL_STYLE_HIGHLIGHT),
	STYLE("metadata", TL_STYLE_METADATA),
	STYLE("title", TL_STYLE_TITLE),
	STYLE("variable", TL_STYLE_VARIABLE),
	{0},
};
