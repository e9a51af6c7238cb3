/* Breakpoints, and what all points have: conditions, counts, commands. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/displays.h"
#include "frontends/cli/points.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `set breakpoint pending` */
enum { PENDING_AUTO, PENDING_ON, PENDING_OFF };

static enum tl_status words_of(const struct tl_command_line *line, char **words_ret, struct tl_error *error)
{
	*words_ret = strndup(line->words, line->size);
	return *words_ret != NULL ? TL_OK
				  : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the words of the command");
}

/* ---- Making ---- */

static enum tl_status make(struct tl_cli *cli, struct tl_breakpoint_request *request, struct tl_error *error)
{
	struct tl_breakpoint *point;
	enum tl_status status;

	status = tl_breakpoint_make(cli->session, request, &point, error);
	if (status == TL_ERROR_NO_SYMBOL && cli->settings.pending == PENDING_ON) {
		tl_screen_complain(&cli->screen, error->text);
		request->allow_pending = true;
		status = tl_breakpoint_make(cli->session, request, &point, error);
	}
	if (status == TL_ERROR_NO_SYMBOL && cli->settings.pending == PENDING_AUTO) {
		struct tl_error why = *error;

		if (!tl_cli_ask(cli, false, "%s\nMake breakpoint pending on future shared library load? ", why.text)) {
			/* It was said above; a script ends all the same. */
			return cli->settings.confirm ? TL_FAIL(error, TL_ERROR_CANCELLED, "%s", "")
						     : TL_FAIL(error, status, "%s", why.text);
		}
		request->allow_pending = true;
		status = tl_breakpoint_make(cli->session, request, &point, error);
	}
	TL_TRY(status);
	tl_point_note(cli, point);
	tl_point_tell(cli, point);
	return TL_OK;
}

static enum tl_status make_kind(struct tl_cli *cli, const struct tl_command_line *line, enum tl_breakpoint_kind kind,
				bool temporary, struct tl_error *error)
{
	struct tl_breakpoint_request request = {.kind = kind, .temporary = temporary};
	char *words;
	enum tl_status status;

	TL_TRY(words_of(line, &words, error));
	request.place = words;
	status = make(cli, &request, error);
	free(words);
	return status;
}

static enum tl_status run_break(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return make_kind(cli, line, TL_BREAKPOINT, false, error);
}

static enum tl_status run_tbreak(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return make_kind(cli, line, TL_BREAKPOINT, true, error);
}

static enum tl_status run_hbreak(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return make_kind(cli, line, TL_BREAKPOINT_HARDWARE, false, error);
}

static enum tl_status run_thbreak(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return make_kind(cli, line, TL_BREAKPOINT_HARDWARE, true, error);
}

/* ---- Deleting ---- */

static enum tl_status no_such(tl_u32 number, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "No breakpoint number %u.", number);
}

static enum tl_status delete_one(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
				 struct tl_error *error)
{
	(void)context, (void)location;
	if (tl_breakpoint_find(cli->session, number) == NULL)
		return no_such(number, error);
	return tl_breakpoint_delete(cli->session, number, error);
}

static enum tl_status delete_all(struct tl_cli *cli, struct tl_error *error)
{
	const struct tl_breakpoint *point = tl_breakpoint_at(cli->session, 0);

	if (point == NULL)
		return TL_OK;
	if (!tl_cli_query(cli, "Delete all breakpoints? "))
		return TL_OK;
	while ((point = tl_breakpoint_at(cli->session, 0)) != NULL)
		TL_TRY(tl_breakpoint_delete(cli->session, point->number, error));
	return TL_OK;
}

static enum tl_status run_delete(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	char *words;
	enum tl_status status;

	TL_TRY(words_of(line, &words, error));
	status = words[0] == '\0' ? delete_all(cli, error) : tl_numbers_each(cli, words, delete_one, NULL, error);
	free(words);
	return status;
}

/* The points that stand at one of the places. */
static tl_size clear_at(struct tl_cli *cli, const struct tl_code_places *places, struct tl_output *numbers,
			struct tl_error *error)
{
	const struct tl_breakpoint *point;
	tl_size count = 0;

	for (tl_size i = 0; (point = tl_breakpoint_at(cli->session, i)) != NULL;) {
		bool hit = false;

		for (tl_size j = 0; j < point->location_count; j++)
			for (tl_size k = 0; k < places->count; k++)
				hit |= point->locations[j].address == places->items[k].address;
		if (!hit || point->gone) {
			i++;
			continue;
		}
		tl_output_format(numbers, "%u ", point->number);
		count++;
		if (tl_breakpoint_delete(cli->session, point->number, error) != TL_OK)
			break;
	}
	return count;
}

static enum tl_status run_clear(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output numbers = tl_output_make(4096);
	struct tl_code_places places = {0};
	struct tl_linespec_base base;
	const char *rest;
	char *words;
	enum tl_status status;

	TL_TRY(words_of(line, &words, error));
	status = tl_session_base(cli->session, &base, error);
	if (status == TL_OK)
		status = tl_linespec_find(tl_session_modules(cli->session), &base, tl_session_patience(cli->session),
					  words, false, &places, &rest, error);
	if (status == TL_OK) {
		tl_size count = clear_at(cli, &places, &numbers, error);

		if (count == 0)
			status = TL_FAIL(error, TL_ERROR_ARGUMENT, "No breakpoint at %s.",
					 words[0] != '\0' ? words : "this line");
		else
			tl_screen_format(&cli->screen, "Deleted breakpoint%s %s\n", count == 1 ? "" : "s",
					 tl_output_string(&numbers));
		tl_code_places_release(&places);
	}
	tl_output_release(&numbers);
	free(words);
	return status;
}

/* ---- Enabling ---- */

struct change {
	bool on, once, delete_after;
	tl_u32 count;
};

static enum tl_status enable_one(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
				 struct tl_error *error)
{
	const struct change *change = context;
	struct tl_breakpoint *point = tl_breakpoint_find(cli->session, number);

	if (point == NULL)
		return no_such(number, error);
	if (location > point->location_count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Bad breakpoint location number '%u'", location);
	point->delete_at_hit = change->delete_after;
	point->enable_count = change->on ? change->count : 0;
	return tl_breakpoint_enable(cli->session, number, location, change->on, error);
}

static enum tl_status enable_words(struct tl_cli *cli, const char *words, struct change *change, struct tl_error *error)
{
	const struct tl_breakpoint *point;

	if (words[0] != '\0')
		return tl_numbers_each(cli, words, enable_one, change, error);
	for (tl_size i = 0; (point = tl_breakpoint_at(cli->session, i)) != NULL; i++)
		TL_TRY(enable_one(cli, change, point->number, 0, error));
	return TL_OK;
}

static enum tl_status enable(struct tl_cli *cli, const struct tl_command_line *line, struct change change,
			     struct tl_error *error)
{
	const char *at;
	char *words;
	enum tl_status status;

	TL_TRY(words_of(line, &words, error));
	at = words;
	/* "breakpoints" may stand in front, as in gdb. */
	if (strncmp(at, "breakpoints", 11) == 0 && (at[11] == '\0' || isspace((unsigned char)at[11])))
		at += 11 + strspn(at + 11, " \t");
	status = enable_words(cli, at, &change, error);
	free(words);
	return status;
}

static enum tl_status run_enable(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return enable(cli, line, (struct change){.on = true}, error);
}

static enum tl_status run_enable_once(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return enable(cli, line, (struct change){.on = true, .count = 1}, error);
}

static enum tl_status run_enable_delete(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return enable(cli, line, (struct change){.on = true, .delete_after = true}, error);
}

static enum tl_status run_enable_count(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct change change = {.on = true};
	char *words, *rest;
	tl_u64 count;
	enum tl_status status;

	TL_TRY(words_of(line, &words, error));
	count = strtoull(words, &rest, 10);
	if (rest == words || count == 0 || count > TL_U32_MAX) {
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "enable count wants a count and numbers: enable count 3 1");
	} else {
		change.count = (tl_u32)count;
		status = enable_words(cli, rest + strspn(rest, " \t"), &change, error);
	}
	free(words);
	return status;
}

static enum tl_status run_disable(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return enable(cli, line, (struct change){.on = false}, error);
}

/* ---- Conditions and counts ---- */

/* The number in front of the words, and what follows. */
static enum tl_status take_number(struct tl_cli *cli, const char *words, struct tl_breakpoint **point_ret,
				  const char **rest_ret, struct tl_error *error)
{
	char *first;
	tl_i64 number = 0;
	tl_size size = strcspn(words, " \t");
	enum tl_status status;

	if (size == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (breakpoint number).");
	first = strndup(words, size);
	if (first == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a word");
	status = tl_cli_number(cli, first, &number, error);
	free(first);
	if (status != TL_OK || number < 1 || number > TL_U32_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Bad breakpoint argument: '%s'", words);
	*point_ret = tl_breakpoint_find(cli->session, (tl_u32)number);
	*rest_ret = words + size + strspn(words + size, " \t");
	return *point_ret != NULL ? TL_OK : no_such((tl_u32)number, error);
}

static enum tl_status run_condition(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_breakpoint *point;
	const char *rest, *at;
	char *words;
	bool force;
	enum tl_status status;

	TL_TRY(words_of(line, &words, error));
	at = words;
	force = tl_words_take(&at, "-force");
	status = take_number(cli, at, &point, &rest, error);
	if (status == TL_OK && rest[0] == '\0' && point->condition != NULL)
		tl_screen_format(&cli->screen, "Breakpoint %u now unconditional.\n", point->number);
	if (status == TL_OK)
		status = tl_breakpoint_set_condition(cli->session, point->number, rest, force, error);
	free(words);
	return status;
}

static enum tl_status run_ignore(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_breakpoint *point = NULL;
	const char *rest = "";
	char *words;
	tl_i64 count = 0;
	enum tl_status status;

	TL_TRY(words_of(line, &words, error));
	status = take_number(cli, words, &point, &rest, error);
	if (status == TL_OK && rest[0] == '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Second argument (specified ignore-count) is missing.");
	if (status == TL_OK)
		status = tl_cli_number(cli, rest, &count, error);
	free(words);
	TL_TRY(status);
	point->ignore = count > 0 ? (tl_u64)count : 0;
	if (point->ignore == 0)
		tl_screen_format(&cli->screen, "Will stop next time breakpoint %u is reached.\n", point->number);
	else if (point->ignore == 1)
		tl_screen_format(&cli->screen, "Will ignore next crossing of breakpoint %u.\n", point->number);
	else
		tl_screen_format(&cli->screen, "Will ignore next %llu crossings of breakpoint %u.\n",
				 (unsigned long long)point->ignore, point->number);
	return TL_OK;
}

/* ---- Commands ---- */

static enum tl_status set_commands(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
				   struct tl_error *error)
{
	(void)location;
	if (tl_breakpoint_find(cli->session, number) == NULL)
		return no_such(number, error);
	return tl_breakpoint_set_commands(cli->session, number, context, error);
}

static enum tl_status check_number(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
				   struct tl_error *error)
{
	(void)context, (void)location;
	return tl_breakpoint_find(cli->session, number) != NULL ? TL_OK : no_such(number, error);
}

/* Without numbers: of the point that was made last. */
static tl_u32 last_number(struct tl_cli *cli)
{
	const struct tl_breakpoint *point;
	tl_u32 last = 0;

	for (tl_size i = 0; (point = tl_breakpoint_at(cli->session, i)) != NULL; i++)
		if (!point->gone)
			last = point->number;
	return last;
}

static enum tl_status run_commands(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output body = tl_output_make(TL_SCRIPT_MAX), title = tl_output_make(4096);
	char number[32], *words;
	const char *list;
	tl_u32 last = last_number(cli);
	enum tl_status status;

	TL_TRY(words_of(line, &words, error));
	if (last != 0 && last == cli->made_last && cli->made_first != last)
		(void)snprintf(number, sizeof(number), "%u-%u", cli->made_first, last);
	else
		(void)snprintf(number, sizeof(number), "%u", last);
	list = words[0] != '\0' ? words : number;
	status = words[0] == '\0' && last == 0 ? TL_FAIL(error, TL_ERROR_ARGUMENT, "No breakpoints specified.")
					       : tl_numbers_each(cli, list, check_number, NULL, error);
	tl_output_format(&title, "Type commands for breakpoint(s) %s, one per line.", list);
	/* The lines are there in any case, and no commands of their own. */
	if (status == TL_OK || cli->reader != NULL) {
		enum tl_status read =
			tl_script_body(cli, tl_output_string(&title), false, &body, status == TL_OK ? error : NULL);

		status = status != TL_OK ? status : read;
	}
	if (status == TL_OK)
		status = tl_numbers_each(cli, list, set_commands, (void *)(uintptr_t)tl_output_string(&body), error);
	tl_output_release(&title);
	tl_output_release(&body);
	free(words);
	return status;
}

/* ---- The list ---- */

static enum tl_status list(struct tl_cli *cli, const struct tl_command_line *line, bool watch_only,
			   struct tl_error *error)
{
	char *words;
	enum tl_status status;

	TL_TRY(words_of(line, &words, error));
	status = tl_points_list(cli, words, watch_only, error);
	free(words);
	return status;
}

static enum tl_status run_info_breakpoints(struct tl_cli *cli, const struct tl_command_line *line,
					   struct tl_error *error)
{
	return list(cli, line, false, error);
}

static enum tl_status run_info_watchpoints(struct tl_cli *cli, const struct tl_command_line *line,
					   struct tl_error *error)
{
	return list(cli, line, true, error);
}

/* ---- Displays, which the same words are for ---- */

static enum tl_status delete_displays(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				      struct tl_error *error)
{
	(void)line;
	return tl_displays_remove(cli, words, error);
}

static enum tl_status run_delete_display(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, delete_displays, error);
}

static enum tl_status enable_displays(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				      struct tl_error *error)
{
	return tl_displays_enable(cli, words, strcmp(line->path[0]->name, "enable") == 0, error);
}

static enum tl_status run_enable_display(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, enable_displays, error);
}

static const struct tl_command delete_rows[] = {
	{.name = "breakpoints",
	 .arguments = "[NUMBERS]",
	 .summary = "Delete all or some breakpoints",
	 .details = "Without numbers: all of them, which is asked first.\nExample: delete breakpoints 2",
	 .run = run_delete,
	 .complete = tl_complete_points},
	{.name = "display",
	 .arguments = "[NUMBERS]",
	 .summary = "Cancel some expressions to be displayed when program stops",
	 .details = "Without numbers: all of them, which is asked first.\nExample: delete display 2",
	 .run = run_delete_display},
	{0},
};

static const struct tl_command disable_rows[] = {
	{.name = "display",
	 .arguments = "[NUMBERS]",
	 .summary = "Leave some expressions out when program stops",
	 .details = "Without numbers: all of them.\nExample: disable display 2",
	 .run = run_enable_display},
	{0},
};

static const struct tl_command enable_rows[] = {
	{.name = "display",
	 .arguments = "[NUMBERS]",
	 .summary = "Show some expressions again when program stops",
	 .details = "Without numbers: all of them.\nExample: enable display 2",
	 .run = run_enable_display},
	{.name = "once",
	 .arguments = "NUMBERS",
	 .summary = "Enable breakpoints for one hit",
	 .details = "Each is disabled when it is hit.\nExample: enable once 2",
	 .run = run_enable_once,
	 .complete = tl_complete_points},
	{.name = "delete",
	 .arguments = "NUMBERS",
	 .summary = "Enable breakpoints and delete when hit",
	 .details = "Example: enable delete 2",
	 .run = run_enable_delete,
	 .complete = tl_complete_points},
	{.name = "count",
	 .arguments = "COUNT NUMBERS",
	 .summary = "Enable breakpoints for COUNT hits",
	 .details = "Each is disabled when it was hit so often.\nExample: enable count 3 2",
	 .run = run_enable_count,
	 .complete = tl_complete_points},
	{0},
};

#define PLACE                                                                                                          \
	"A place is a line (12, file.c:12, +3), a function, an address (*0x401136), or a label (main:out).\n"          \
	"Without one: where the selected frame stands. \"thread N\" and \"if CONDITION\" may follow.\n"

const struct tl_command tl_commands_points[] = {
	{.name = "break",
	 .shorts = "b br bre brea",
	 .arguments = "[PLACE] [thread N] [if CONDITION]",
	 .summary = "Set breakpoint at specified location",
	 .details = PLACE "Example: break parse.c:42 if count > 10",
	 .run = run_break,
	 .complete = tl_complete_places},
	{.name = "tbreak",
	 .shorts = "tb tbr",
	 .arguments = "[PLACE] [thread N] [if CONDITION]",
	 .summary = "Set a temporary breakpoint: it is deleted when it is hit",
	 .details = PLACE "Example: tbreak main",
	 .run = run_tbreak,
	 .complete = tl_complete_places},
	{.name = "hbreak",
	 .shorts = "hb",
	 .arguments = "[PLACE] [thread N] [if CONDITION]",
	 .summary = "Set a hardware assisted breakpoint",
	 .details = PLACE "There are four debug registers, shared with watchpoints.\nExample: hbreak *0x401136",
	 .run = run_hbreak,
	 .complete = tl_complete_places},
	{.name = "thbreak",
	 .arguments = "[PLACE] [thread N] [if CONDITION]",
	 .summary = "Set a temporary hardware assisted breakpoint",
	 .details = PLACE "Example: thbreak main",
	 .run = run_thbreak,
	 .complete = tl_complete_places},
	{.name = "delete",
	 .shorts = "d del",
	 .subcommands = delete_rows,
	 .arguments = "[NUMBERS]",
	 .summary = "Delete all or some breakpoints",
	 .details = "Without numbers: all of them, which is asked first.\nExample: delete 2 4-6",
	 .run = run_delete,
	 .complete = tl_complete_points},
	{.name = "clear",
	 .shorts = "cl",
	 .arguments = "[PLACE]",
	 .summary = "Clear breakpoint at specified location",
	 .details = "Example: clear parse.c:42",
	 .run = run_clear,
	 .complete = tl_complete_places},
	{.name = "enable",
	 .shorts = "en",
	 .subcommands = enable_rows,
	 .arguments = "[NUMBERS]",
	 .summary = "Enable all or some breakpoints",
	 .details = "2.1 is the first address of point 2.\nExample: enable 1 3",
	 .run = run_enable,
	 .complete = tl_complete_points},
	{.name = "disable",
	 .shorts = "disa dis",
	 .subcommands = disable_rows,
	 .arguments = "[NUMBERS]",
	 .summary = "Disable all or some breakpoints",
	 .details = "They stay, and can be enabled again. 2.1 is the first address of point 2.\nExample: disable 2",
	 .run = run_disable,
	 .complete = tl_complete_points},
	{.name = "condition",
	 .shorts = "cond",
	 .arguments = "[-force] NUMBER [CONDITION]",
	 .summary = "Specify breakpoint number N to break only if COND is true",
	 .details = "Without a condition: it breaks always. With -force it need not make sense yet.\nExample: "
		    "condition 2 count > 10",
	 .run = run_condition,
	 .complete = tl_complete_condition},
	{.name = "ignore",
	 .arguments = "NUMBER COUNT",
	 .summary = "Set ignore-count of breakpoint number N to COUNT",
	 .details = "So many times it does not stop.\nExample: ignore 2 100",
	 .run = run_ignore,
	 .complete = tl_complete_points},
	{.name = "commands",
	 .arguments = "[NUMBERS]",
	 .summary = "Set commands to be executed when the given breakpoints are hit",
	 .details =
		 "Lines follow, up to one that is just \"end\". Without numbers they are those of the last point. If\n"
		 "\"silent\" is the first, nothing is said of the stop.\n"
		 "Example:\n  commands 2\n    silent\n    print count\n    continue\n  end",
	 .run = run_commands,
	 .complete = tl_complete_points},
	{0},
};

const struct tl_command tl_commands_points_info[] = {
	{.name = "breakpoints",
	 .shorts = "b",
	 .arguments = "[NUMBERS]",
	 .summary = "Status of specified breakpoints (all user-settable breakpoints if no argument)",
	 .details = "Example: info breakpoints 2",
	 .run = run_info_breakpoints,
	 .complete = tl_complete_points},
	{.name = "watchpoints",
	 .arguments = "[NUMBERS]",
	 .summary = "Status of specified watchpoints (all watchpoints if no argument)",
	 .details = "Example: info watchpoints",
	 .run = run_info_watchpoints},
	{0},
};
