#include "frontends/cli/points.h"

#include "debugger/session/signal_names.h"
#include "debugger/session/syscall_names.h"

#include "frontends/cli/addresses.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/values.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Telling ---- */

static const char *title(const struct tl_breakpoint *point)
{
	if (point->kind == TL_BREAKPOINT_PRINTF)
		return "Dprintf";
	if (point->kind == TL_BREAKPOINT_HARDWARE)
		return "Hardware assisted breakpoint";
	return point->temporary ? "Temporary breakpoint" : "Breakpoint";
}

/* Words, the file's name, more words, the line. */
static void tell_file(struct tl_cli *cli, const char *front, const char *middle,
		      const struct tl_breakpoint_location *location, const char *end)
{
	struct tl_output file = tl_output_make(TL_OUTPUT_MAX);

	tl_place_write_file(tl_session_inferior_modules(cli->session, location->inferior), location->address,
			    location->file, &file);
	tl_screen_format(&cli->screen, "%s%s%s%s%s%u%s", front, tl_screen_style(&cli->screen, TL_STYLE_FILENAME),
			 tl_output_string(&file), tl_screen_style(&cli->screen, TL_STYLE_PLAIN), middle, location->line,
			 end);
	tl_output_release(&file);
}

static bool stands_at(const struct tl_breakpoint *point, const struct tl_breakpoint_location *location)
{
	for (tl_size i = 0; i < point->location_count; i++)
		if (point->locations[i].address == location->address &&
		    point->locations[i].inferior == location->inferior)
			return true;
	return false;
}

/* Is it another one that a person made, at that address? */
static bool is_other(const struct tl_breakpoint *other, const struct tl_breakpoint *point,
		     const struct tl_breakpoint_location *location)
{
	return other != point && tl_breakpoint_is_code(other->kind) && other->kind < TL_CATCH_THROW &&
	       stands_at(other, location);
}

static void note_other(struct tl_cli *cli, const struct tl_breakpoint *other, const struct tl_breakpoint *point,
		       tl_size left)
{
	tl_screen_format(&cli->screen, "%u", other->number);
	if (other->thread != 0)
		tl_screen_format(&cli->screen, " (thread %u)", other->thread);
	else if (point->thread != 0)
		tl_screen_text(&cli->screen, " (all threads)");
	tl_screen_format(&cli->screen, "%s%s ", other->enabled ? "" : " (disabled)",
			 left > 1    ? ","
			 : left == 1 ? " and"
				     : "");
}

void tl_point_note(struct tl_cli *cli, const struct tl_breakpoint *point)
{
	const struct tl_breakpoint *other;

	for (tl_size i = 0; i < point->location_count && tl_cli_typed(cli); i++) {
		const struct tl_breakpoint_location *location = &point->locations[i];
		tl_size count = 0;

		for (tl_size j = 0; (other = tl_breakpoint_at(cli->session, j)) != NULL; j++)
			count += is_other(other, point, location);
		if (count == 0)
			continue;
		tl_screen_format(&cli->screen, "Note: breakpoint%s ", count == 1 ? "" : "s");
		for (tl_size j = 0; (other = tl_breakpoint_at(cli->session, j)) != NULL; j++)
			if (is_other(other, point, location))
				note_other(cli, other, point, --count);
		tl_screen_format(&cli->screen, "also set at pc %s0x%llx%s.\n",
				 tl_screen_style(&cli->screen, TL_STYLE_ADDRESS), (unsigned long long)location->address,
				 tl_screen_style(&cli->screen, TL_STYLE_PLAIN));
	}
}

void tl_point_tell(struct tl_cli *cli, const struct tl_breakpoint *point)
{
	struct tl_screen *screen = &cli->screen;
	const struct tl_breakpoint_location *location = point->locations;

	tl_screen_format(screen, "%s %u", title(point), point->number);
	if (point->location_count == 0) {
		tl_screen_format(screen, " (%s) pending.\n", point->place);
		return;
	}
	tl_screen_text(screen, location->resolver ? " at gnu-indirect-function resolver" : "");
	if (cli->settings.addresses || location->file == NULL)
		tl_screen_format(screen, " at %s0x%llx%s", tl_screen_style(screen, TL_STYLE_ADDRESS),
				 (unsigned long long)location->address, tl_screen_style(screen, TL_STYLE_PLAIN));
	if (point->location_count > 1 && location->file == NULL)
		tl_screen_format(screen, " (%zu locations)\n", point->location_count);
	else if (point->location_count > 1)
		tl_screen_format(screen, ": %s. (%zu locations)\n", point->place, point->location_count);
	else if (location->file != NULL && !location->resolver)
		tell_file(cli, ": file ", ", line ", location, ".\n");
	else
		tl_screen_text(screen, "\n");
}

const char *tl_watch_title(const struct tl_breakpoint *point)
{
	if (point->kind == TL_WATCHPOINT_READ)
		return "Hardware read watchpoint";
	if (point->kind == TL_WATCHPOINT_ACCESS)
		return "Hardware access (read/write) watchpoint";
	return point->software ? "Watchpoint" : "Hardware watchpoint";
}

const char *tl_point_type(const struct tl_breakpoint *point)
{
	switch (point->kind) {
	case TL_BREAKPOINT:
		return point->location_count == 1 && point->locations[0].resolver ? "STT_GNU_IFUNC resolver"
										  : "breakpoint";
	case TL_BREAKPOINT_HARDWARE:
		return "hw breakpoint";
	case TL_BREAKPOINT_PRINTF:
		return "dprintf";
	case TL_WATCHPOINT:
		return point->software ? "watchpoint" : "hw watchpoint";
	case TL_WATCHPOINT_READ:
		return "read watchpoint";
	case TL_WATCHPOINT_ACCESS:
		return "acc watchpoint";
	case TL_CATCH_FORK:
	case TL_CATCH_VFORK:
	case TL_CATCH_EXEC:
	case TL_CATCH_SYSCALL:
	case TL_CATCH_SIGNAL:
	case TL_CATCH_LOAD:
	case TL_CATCH_UNLOAD:
	case TL_CATCH_THROW:
	case TL_CATCH_CATCH:
	case TL_CATCH_RETHROW:
		break;
	}
	return "catchpoint";
}

/* ---- Numbers ---- */

/* A number in digits, or $name. */
static enum tl_status read_number(struct tl_cli *cli, const char **at, tl_i64 *number_ret, struct tl_error *error)
{
	const char *start = *at;

	if (**at == '$') {
		char text[TL_VARIABLE_NAME_MAX + 1];
		tl_size size = 1;

		while (isalnum((unsigned char)start[size]) || start[size] == '_' || start[size] == '$')
			size++;
		if (size > TL_VARIABLE_NAME_MAX)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "A name in the list of numbers is too long.");
		memcpy(text, start, size);
		text[size] = '\0';
		*at += size;
		if (tl_cli_number(cli, text, number_ret, error) != TL_OK)
			return TL_FAIL(error, TL_ERROR_ARGUMENT,
				       "Convenience variable must have integer value.\nArgs must be numbers or '$' "
				       "variables.");
		return TL_OK;
	}
	*number_ret = 0;
	while (isdigit((unsigned char)**at) && *number_ret < (tl_i64)1 << 40)
		*number_ret = *number_ret * 10 + (*(*at)++ - '0');
	if (*at == start || isalpha((unsigned char)**at))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Bad breakpoint number '%.*s'", (int)strcspn(start, " \t"),
			       start);
	if (*number_ret == 0 || *number_ret > TL_U32_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Numbers begin at 1, and are no larger than there are.");
	return TL_OK;
}

enum tl_status tl_numbers_each(struct tl_cli *cli, const char *words,
			       enum tl_status (*call)(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
						      struct tl_error *error),
			       void *context, struct tl_error *error)
{
	const char *at = words;

	for (;;) {
		tl_i64 number, last, location = 0;

		while (isspace((unsigned char)*at) || *at == ',')
			at++;
		if (*at == '\0')
			return TL_OK;
		TL_TRY(read_number(cli, &at, &number, error));
		last = number;
		if (*at == '.') {
			at++;
			TL_TRY(read_number(cli, &at, &location, error));
		} else if (*at == '-') {
			at++;
			TL_TRY(read_number(cli, &at, &last, error));
			if (last < number || last - number > 1000000)
				return TL_FAIL(error, TL_ERROR_ARGUMENT, "inverted range");
		}
		if (*at != '\0' && *at != ',' && !isspace((unsigned char)*at))
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Bad breakpoint number '%.*s'",
				       (int)strcspn(at, " \t"), at);
		for (; number <= last; number++)
			TL_TRY(call(cli, context, (tl_u32)number, (tl_u32)location, error));
	}
}

/* ---- The list ---- */

/* Whose it is, where there is more than one. */
static void list_inferior(struct tl_cli *cli, tl_u32 inferior)
{
	if (tl_session_qualifies_threads(cli->session))
		tl_screen_format(&cli->screen, " inf %u", inferior);
}

static void list_location(struct tl_cli *cli, const struct tl_breakpoint_location *location)
{
	struct tl_screen *screen = &cli->screen;
	const char *off = tl_screen_style(screen, TL_STYLE_PLAIN);

	if (cli->settings.addresses)
		tl_screen_format(screen, "%s0x%0*llx%s ", tl_screen_style(screen, TL_STYLE_ADDRESS),
				 tl_address_digits(cli), (unsigned long long)location->address, off);
	if (location->file != NULL && !location->resolver) {
		tl_screen_format(screen, "in %s%s%s", tl_screen_style(screen, TL_STYLE_FUNCTION),
				 location->function != NULL ? location->function : "??", off);
		tell_file(cli, " at ", ":", location, "");
	} else if (location->function != NULL) {
		tl_screen_format(screen, "<%s%s%s>", tl_screen_style(screen, TL_STYLE_FUNCTION), location->function,
				 off);
	}
	list_inferior(cli, location->inferior);
}

static const char *disposition(const struct tl_breakpoint *point)
{
	if (point->temporary || point->delete_at_hit)
		return "del";
	return point->enable_count != 0 ? "dis" : "keep";
}

/* The signals or system calls of a catchpoint: "write, close". */
static void write_numbers(struct tl_cli *cli, const struct tl_breakpoint *point, struct tl_output *output)
{
	bool is_signal = point->kind == TL_CATCH_SIGNAL;
	struct tl_process_facts facts = {.cpu = &tl_cpu_x86_64};
	char name[64];

	if (point->number_count == 0)
		tl_output_text(output, is_signal ? "<standard signals>" : "<any syscall>");
	if (tl_engine_facts(tl_session_engine(cli->session), tl_session_thread(cli->session).process, &facts) != TL_OK)
		facts.cpu = &tl_cpu_x86_64;
	for (tl_size i = 0; i < point->number_count; i++) {
		if (is_signal)
			tl_output_format(output, "%s%s", i != 0 ? " " : "", tl_signal_name((tl_i32)point->numbers[i]));
		else if (tl_syscall_name(facts.cpu, point->numbers[i], name, sizeof(name)))
			tl_output_format(output, "%s%s", i != 0 ? ", " : "", name);
		else
			tl_output_format(output, "%s%llu", i != 0 ? ", " : "", (unsigned long long)point->numbers[i]);
	}
}

static void list_event(struct tl_cli *cli, const struct tl_breakpoint *point, int width)
{
	static const char *const words[] = {
		[TL_CATCH_FORK] = "fork",
		[TL_CATCH_VFORK] = "vfork",
		[TL_CATCH_EXEC] = "exec",
		[TL_CATCH_SYSCALL] = "syscall",
		[TL_CATCH_SIGNAL] = "signal",
		[TL_CATCH_LOAD] = "load of library",
		[TL_CATCH_UNLOAD] = "unload of library",
		[TL_CATCH_THROW] = "exception throw",
		[TL_CATCH_CATCH] = "exception catch",
		[TL_CATCH_RETHROW] = "exception rethrow",
	};
	struct tl_output output = tl_output_make(65536);

	tl_output_format(&output, "%*s%s", width + 1, "", words[point->kind]);
	if (point->kind == TL_CATCH_SYSCALL || point->kind == TL_CATCH_SIGNAL) {
		tl_output_format(&output, "%s \"", point->number_count > 1 ? "s" : "");
		write_numbers(cli, point, &output);
		tl_output_text(&output, "\" ");
	} else if (point->pattern != NULL) {
		tl_output_format(&output, point->kind >= TL_CATCH_THROW ? "\n\tmatching: %s" : " matching %s",
				 point->pattern);
	}
	tl_screen_format(&cli->screen, "%s\n", tl_output_string(&output));
	tl_output_release(&output);
}

static void list_watch(struct tl_cli *cli, const struct tl_breakpoint *point, int width)
{
	struct tl_inferior_info info;

	tl_screen_format(&cli->screen, "%*s%s%s", width + 1, "", point->by_location ? "-location " : "",
			 point->place != NULL ? point->place : "");
	if (!point->software && tl_session_inferior(cli->session, point->inferior, &info) && info.process != 0)
		list_inferior(cli, point->inferior);
}

static void list_what(struct tl_cli *cli, const struct tl_breakpoint *point, int width)
{
	struct tl_screen *screen = &cli->screen;
	bool has_address = point->kind == TL_BREAKPOINT || point->kind == TL_BREAKPOINT_HARDWARE ||
			   point->kind == TL_BREAKPOINT_PRINTF;

	if (point->kind >= TL_CATCH_FORK)
		list_event(cli, point, width);
	else if (!has_address)
		list_watch(cli, point, width);
	else if (point->location_count == 0)
		tl_screen_format(screen, "%-*s %s", width, "<PENDING>", point->place);
	else if (point->location_count > 1)
		tl_screen_format(screen, "%-*s ", width, "<MULTIPLE>");
	else
		list_location(cli, &point->locations[0]);
	if (point->kind < TL_CATCH_FORK && point->thread != 0)
		tl_screen_format(screen, " thread %u", point->thread);
	if (point->kind < TL_CATCH_FORK)
		tl_screen_text(screen, "\n");
}

static void list_commands(struct tl_cli *cli, const char *commands)
{
	tl_u32 depth = 0;

	for (const char *at = commands; *at != '\0';) {
		tl_size size = strcspn(at, "\n");
		const char *line = at + strspn(at, " \t");
		tl_size length = (tl_size)(at + size - line);

		if (depth > 0 && length == 3 && memcmp(line, "end", 3) == 0)
			depth--;
		tl_screen_format(&cli->screen, "%*s%.*s\n", 8 + 2 * (int)(depth < 20 ? depth : 20), "", (int)length,
				 line);
		if ((length > 2 && memcmp(line, "if ", 3) == 0) || (length > 5 && memcmp(line, "while ", 6) == 0))
			depth++;
		at += size;
		at += *at == '\n';
	}
}

static void show_print(struct tl_cli *cli, const struct tl_breakpoint *point)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);

	tl_breakpoint_write_print(cli->session, point, &text);
	tl_screen_format(&cli->screen, "        %s\n", tl_output_string(&text));
	tl_output_release(&text);
}

static void list_details(struct tl_cli *cli, const struct tl_breakpoint *point)
{
	struct tl_screen *screen = &cli->screen;

	if (point->condition != NULL)
		tl_screen_format(screen, "\tstop only if %s\n", point->condition);
	if (point->thread != 0) {
		char label[32];

		tl_session_thread_label(cli->session, tl_session_numbered_thread(cli->session, point->thread), label,
					sizeof(label));
		tl_screen_format(screen, "\tstop only in thread %s\n", label);
	}
	if (point->hits != 0)
		tl_screen_format(screen, "\t%s already hit %llu time%s\n",
				 point->kind >= TL_CATCH_FORK ? "catchpoint" : "breakpoint",
				 (unsigned long long)point->hits, point->hits == 1 ? "" : "s");
	if (point->ignore != 0)
		tl_screen_format(screen, "\tignore next %llu hits\n", (unsigned long long)point->ignore);
	if (point->format != NULL)
		show_print(cli, point);
	if (point->commands != NULL)
		list_commands(cli, point->commands);
	for (tl_size i = 0; point->location_count > 1 && i < point->location_count; i++) {
		char number[32];

		(void)snprintf(number, sizeof(number), "%u.%zu", point->number, i + 1);
		tl_screen_format(screen, "%-28s%-3s ", number, point->locations[i].enabled ? "y" : "n");
		list_location(cli, &point->locations[i]);
		tl_screen_text(screen, "\n");
	}
}

static enum tl_status note_number(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
				  struct tl_error *error)
{
	struct {
		tl_u32 wanted;
		bool found;
	} *search = context;

	(void)cli, (void)location, (void)error;
	search->found |= number == search->wanted;
	return TL_OK;
}

/* The column of types is as wide as the longest of them, 14 at the least. */
static int widest_type(struct tl_cli *cli)
{
	const struct tl_breakpoint *point;
	int width = 14;

	for (tl_size i = 0; (point = tl_breakpoint_at(cli->session, i)) != NULL; i++)
		if ((int)strlen(tl_point_type(point)) > width)
			width = (int)strlen(tl_point_type(point));
	return width;
}

/* So is that of addresses: where none is to be shown it is narrow. */
static int widest_address(struct tl_cli *cli)
{
	const struct tl_breakpoint *point;

	/* Without addresses there is no column. */
	if (!cli->settings.addresses)
		return -1;
	for (tl_size i = 0; (point = tl_breakpoint_at(cli->session, i)) != NULL; i++)
		if (point->location_count != 0 || (tl_breakpoint_is_watch(point->kind) && point->watched_count != 0))
			return 2 + tl_address_digits(cli);
	return 10;
}

enum tl_status tl_points_list(struct tl_cli *cli, const char *words, bool watch_only, struct tl_error *error)
{
	const struct tl_breakpoint *point;
	int width = widest_type(cli), address = widest_address(cli);
	tl_u64 last = 0;
	bool any = false;

	for (tl_size i = 0; (point = tl_breakpoint_at(cli->session, i)) != NULL; i++) {
		struct {
			tl_u32 wanted;
			bool found;
		} search = {point->number, words[0] == '\0'};
		bool is_watch = tl_breakpoint_is_watch(point->kind);

		TL_TRY(tl_numbers_each(cli, words, note_number, &search, error));
		if (!search.found || point->gone || (watch_only && !is_watch))
			continue;
		if (!any)
			tl_screen_format(&cli->screen, "Num     %-*s Disp Enb %-*s%sWhat\n", width, "Type",
					 address < 0 ? 0 : address, address < 0 ? "" : "Address",
					 address < 0 ? "" : " ");
		any = true;
		tl_screen_format(&cli->screen, "%-7u %-*s %-4s %-3s ", point->number, width, tl_point_type(point),
				 disposition(point), point->enabled ? "y" : "n");
		list_what(cli, point, address);
		list_details(cli, point);
		if (point->location_count != 0)
			last = point->locations[point->location_count - 1].address;
	}
	if (last != 0)
		TL_TRY(tl_address_stand(cli, last, error));
	if (!any && words[0] != '\0')
		tl_screen_format(&cli->screen, "No breakpoint or watchpoint matching '%s'.\n", words);
	else if (!any)
		tl_screen_text(&cli->screen, watch_only ? "No watchpoints.\n" : "No breakpoints or watchpoints.\n");
	return TL_OK;
}
