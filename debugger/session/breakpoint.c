#include "debugger/session/debug_registers.h"
#include "debugger/session/session_internal.h"

#include "base/storage.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- The list ---- */

struct tl_breakpoint *tl_breakpoint_find(struct tl_session *session, tl_u32 number)
{
	for (tl_size i = 0; i < session->points.count; i++)
		if (session->points.items[i]->number == number)
			return session->points.items[i];
	return NULL;
}

struct tl_breakpoint *tl_breakpoint_at(struct tl_session *session, tl_size index)
{
	for (tl_size i = 0; i < session->points.count; i++)
		if (!session->points.items[i]->gone && index-- == 0)
			return session->points.items[i];
	return NULL;
}

static void release(struct tl_breakpoint *breakpoint)
{
	tl_breakpoint_release_locations(breakpoint);
	free(breakpoint->place);
	free(breakpoint->condition);
	free(breakpoint->commands);
	free(breakpoint->format);
	free(breakpoint->numbers);
	free(breakpoint->pattern);
	tl_watch_release(breakpoint);
	free(breakpoint);
}

void tl_breakpoints_release(struct tl_session *session)
{
	struct tl_breakpoints *points = &session->points;

	for (tl_size i = 0; i < points->count; i++)
		release(points->items[i]);
	tl_release(tl_storage(), points->items, points->capacity * sizeof(*points->items));
	tl_release(tl_storage(), points->inserted, points->inserted_capacity * sizeof(*points->inserted));
	tl_release(tl_storage(), points->internals, points->internal_capacity * sizeof(*points->internals));
	*points = (struct tl_breakpoints){0};
}

/* What was changed is carried out at once where that can be done, else when the program runs. */
static void carry_out(struct tl_session *session)
{
	struct tl_error error;

	session->points.stamp++;
	for (tl_size i = 0; i < session->inferior_count; i++)
		tl_debug_registers_share(session, session->inferiors[i]);
	if (tl_breakpoints_sync(session, &error) != TL_OK && session->running)
		tl_session_remark(session, "warning: %s", error.text);
}

/* $bpnum, which commands of files and saved points go by (GDB manual, "Set Breaks"). */
static void note_number(struct tl_session *session, tl_u32 number)
{
	const struct tl_environment *environment;
	const struct tl_type *type;
	struct tl_value value;

	if (tl_session_environment(session, &environment, NULL, NULL) == TL_OK &&
	    tl_value_integer_type(&environment->values, 4, true, &type, NULL) == TL_OK &&
	    tl_value_make_integer(&environment->values, type, number, &value, NULL) == TL_OK)
		(void)!tl_variables_set(session->variables, &environment->values, "bpnum", &value, NULL);
}

static enum tl_status add(struct tl_session *session, struct tl_breakpoint *breakpoint, struct tl_error *error)
{
	struct tl_breakpoints *points = &session->points;

	if (!tl_grow(tl_storage(), (void **)&points->items, &points->capacity, points->count, sizeof(*points->items)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for one more breakpoint");
	breakpoint->number = ++points->last_number;
	points->items[points->count++] = breakpoint;
	note_number(session, breakpoint->number);
	return TL_OK;
}

/* ---- Making ---- */

static char *copy_text(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

/* Does a word stand here, with nothing of a name behind it? */
static const char *behind_word(const char *text, const char *word)
{
	tl_size size = strlen(word);

	if (strncmp(text, word, size) != 0 || isalnum((unsigned char)text[size]) || text[size] == '_')
		return NULL;
	text += size;
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* "2", or "1.2" for that of an inferior. */
static enum tl_status read_thread(struct tl_session *session, struct tl_breakpoint *breakpoint, const char *text,
				  char **end_ret, struct tl_error *error)
{
	unsigned long number = strtoul(text, end_ret, 10), inferior = session->current->number;
	bool named = *end_ret != text && **end_ret == '.' && isdigit((unsigned char)(*end_ret)[1]);

	if (named) {
		inferior = number;
		number = strtoul(*end_ret + 1, end_ret, 10);
	}
	if (*end_ret == text || number > TL_U32_MAX || inferior > TL_U32_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid thread ID: %s", text);
	if (tl_session_numbered_inferior(session, (tl_u32)inferior) == NULL)
		return TL_FAIL(error, TL_ERROR_NO_THREAD, "No inferior number '%lu'", inferior);
	breakpoint->thread = tl_session_find_thread(session, (tl_u32)inferior, (tl_u32)number);
	if (breakpoint->thread != 0)
		return TL_OK;
	if (named || tl_session_qualifies_threads(session))
		return TL_FAIL(error, TL_ERROR_NO_THREAD, "Unknown thread %lu.%lu.", inferior, number);
	return TL_FAIL(error, TL_ERROR_NO_THREAD, "Unknown thread %lu.", number);
}

/* What stands behind a place: "thread 2", "if x > 3", "-force-condition", in any order; a condition is the rest. */
static enum tl_status read_rest(struct tl_session *session, struct tl_breakpoint *breakpoint, const char *rest,
				bool *force_ret, struct tl_error *error)
{
	const char *next;
	char *end;

	while (*rest != '\0') {
		if ((next = behind_word(rest, "if")) != NULL) {
			breakpoint->condition = strdup(next);
			return *next != '\0' ? TL_OK
					     : TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (a condition).");
		}
		if ((next = behind_word(rest, "thread")) != NULL) {
			TL_TRY(read_thread(session, breakpoint, next, &end, error));
			rest = end;
		} else if ((next = behind_word(rest, "task")) != NULL) {
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unknown task %ld.", strtol(next, NULL, 10));
		} else if ((next = behind_word(rest, "-force-condition")) != NULL) {
			*force_ret = true;
			rest = next;
		} else {
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Junk at end of arguments.");
		}
		while (isspace((unsigned char)*rest))
			rest++;
	}
	return TL_OK;
}

/* A place that is not there yet: where it ends and its condition begins is seen by the words alone. */
static const char *rest_of_pending(const char *place, tl_size *size_ret)
{
	static const char *const words[] = {" if ", " if(", " thread ", " -force-condition"};
	const char *rest = place + strlen(place);

	for (tl_size i = 0; i < TL_COUNT(words); i++) {
		const char *at = strstr(place, words[i]);

		if (at != NULL && at < rest)
			rest = at;
	}
	*size_ret = (tl_size)(rest - place);
	while (*rest == ' ')
		rest++;
	return rest;
}

static enum tl_status find_places(struct tl_session *session, const struct tl_breakpoint_request *request,
				  struct tl_breakpoint *breakpoint, const char **rest_ret, struct tl_error *error)
{
	struct tl_linespec_base base;
	enum tl_status status;
	tl_size size;

	TL_TRY(tl_session_base(session, &base, error));
	status = tl_breakpoint_find_places(session, &base, request->place, breakpoint, &breakpoint->place, rest_ret,
					   error);
	if (status == TL_ERROR_NO_SYMBOL && request->allow_pending) {
		breakpoint->pending = true;
		*rest_ret = rest_of_pending(request->place, &size);
		breakpoint->place = strndup(request->place, size);
		return TL_OK;
	}
	return status;
}

static enum tl_status make_code(struct tl_session *session, const struct tl_breakpoint_request *request,
				struct tl_breakpoint *breakpoint, struct tl_error *error)
{
	const char *rest = "";
	bool force = false;

	if (request->places != NULL) {
		TL_TRY(tl_breakpoint_set_locations(session, breakpoint, request->places, error));
		breakpoint->place = copy_text(request->places->text);
	} else {
		TL_TRY(find_places(session, request, breakpoint, &rest, error));
	}
	TL_TRY(read_rest(session, breakpoint, rest, &force, error));
	if (breakpoint->condition != NULL)
		TL_TRY(tl_breakpoint_check_condition(session, breakpoint, breakpoint->condition, force, error));
	return TL_OK;
}

enum tl_status tl_breakpoint_make(struct tl_session *session, const struct tl_breakpoint_request *request,
				  struct tl_breakpoint **breakpoint_ret, struct tl_error *error)
{
	struct tl_breakpoint *breakpoint = calloc(1, sizeof(*breakpoint));
	enum tl_status status = TL_OK;

	if (breakpoint == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for a breakpoint");
	breakpoint->kind = request->kind;
	breakpoint->inferior = session->current->number;
	breakpoint->enabled = true;
	breakpoint->temporary = request->temporary;
	breakpoint->format = copy_text(request->format);
	breakpoint->pattern = copy_text(request->pattern);
	if (request->number_count != 0) {
		breakpoint->numbers = calloc(request->number_count, sizeof(*breakpoint->numbers));
		if (breakpoint->numbers != NULL) {
			memcpy(breakpoint->numbers, request->numbers,
			       request->number_count * sizeof(*breakpoint->numbers));
			breakpoint->number_count = request->number_count;
		}
	}
	if (request->kind >= TL_CATCH_THROW)
		tl_breakpoint_find_thrower(session, breakpoint);
	else if (tl_breakpoint_is_code(request->kind))
		status = make_code(session, request, breakpoint, error);
	else if (request->kind == TL_WATCHPOINT || request->kind == TL_WATCHPOINT_READ ||
		 request->kind == TL_WATCHPOINT_ACCESS)
		status = tl_breakpoint_make_watch(session, request, breakpoint, error);
	if (status == TL_OK)
		status = add(session, breakpoint, error);
	if (status == TL_OK && breakpoint->has_scope)
		status = tl_breakpoints_add_internal(session, TL_INTERNAL_SCOPE, breakpoint->scope_caller,
						     breakpoint->number, error);
	if (status != TL_OK) {
		release(breakpoint);
		return status;
	}
	carry_out(session);
	*breakpoint_ret = breakpoint;
	return TL_OK;
}

/* ---- Changing ---- */

static enum tl_status find(struct tl_session *session, tl_u32 number, struct tl_breakpoint **breakpoint_ret,
			   struct tl_error *error)
{
	*breakpoint_ret = tl_breakpoint_find(session, number);
	if (*breakpoint_ret == NULL || (*breakpoint_ret)->gone)
		return TL_FAIL(error, TL_ERROR_NO_POINT, "No breakpoint number %u.", number);
	return TL_OK;
}

void tl_breakpoint_take_out(struct tl_session *session, struct tl_breakpoint *breakpoint)
{
	struct tl_breakpoints *points = &session->points;

	for (tl_size i = 0; i < points->count; i++) {
		if (points->items[i] != breakpoint)
			continue;
		memmove(points->items + i, points->items + i + 1, (points->count - i - 1) * sizeof(*points->items));
		points->count--;
		tl_breakpoints_remove_internal(session, TL_INTERNAL_SCOPE, breakpoint->number);
		tl_breakpoints_remove_internal(session, TL_INTERNAL_RESOLVER, breakpoint->number);
		release(breakpoint);
		return;
	}
}

enum tl_status tl_breakpoint_delete(struct tl_session *session, tl_u32 number, struct tl_error *error)
{
	struct tl_breakpoint *breakpoint;

	TL_TRY(find(session, number, &breakpoint, error));
	tl_breakpoint_take_out(session, breakpoint);
	carry_out(session);
	return TL_OK;
}

enum tl_status tl_breakpoint_enable(struct tl_session *session, tl_u32 number, tl_u32 location, bool on,
				    struct tl_error *error)
{
	struct tl_breakpoint *breakpoint;

	TL_TRY(find(session, number, &breakpoint, error));
	if (location > breakpoint->location_count)
		return TL_FAIL(error, TL_ERROR_NO_POINT, "Bad breakpoint location number '%u'", location);
	if (location != 0)
		breakpoint->locations[location - 1].enabled = on;
	else
		breakpoint->enabled = on;
	carry_out(session);
	return TL_OK;
}

enum tl_status tl_breakpoint_set_condition(struct tl_session *session, tl_u32 number, const char *condition, bool force,
					   struct tl_error *error)
{
	struct tl_breakpoint *breakpoint;

	TL_TRY(find(session, number, &breakpoint, error));
	if (condition != NULL && *condition == '\0')
		condition = NULL;
	TL_TRY(tl_breakpoint_check_condition(session, breakpoint, condition, force, error));
	free(breakpoint->condition);
	breakpoint->condition = condition != NULL ? strdup(condition) : NULL;
	carry_out(session);
	return TL_OK;
}

enum tl_status tl_breakpoint_set_commands(struct tl_session *session, tl_u32 number, const char *commands,
					  struct tl_error *error)
{
	struct tl_breakpoint *breakpoint;

	TL_TRY(find(session, number, &breakpoint, error));
	free(breakpoint->commands);
	breakpoint->commands = commands != NULL && *commands != '\0' ? strdup(commands) : NULL;
	return TL_OK;
}

/* ---- Saving ---- */

static const char *const save_words[] = {
	[TL_BREAKPOINT] = "break",          [TL_BREAKPOINT_HARDWARE] = "hbreak",
	[TL_BREAKPOINT_PRINTF] = "dprintf", [TL_WATCHPOINT] = "watch",
	[TL_WATCHPOINT_READ] = "rwatch",    [TL_WATCHPOINT_ACCESS] = "awatch",
	[TL_CATCH_FORK] = "catch fork",     [TL_CATCH_VFORK] = "catch vfork",
	[TL_CATCH_EXEC] = "catch exec",     [TL_CATCH_SYSCALL] = "catch syscall",
	[TL_CATCH_SIGNAL] = "catch signal", [TL_CATCH_LOAD] = "catch load",
	[TL_CATCH_UNLOAD] = "catch unload", [TL_CATCH_THROW] = "catch throw",
	[TL_CATCH_CATCH] = "catch catch",   [TL_CATCH_RETHROW] = "catch rethrow",
};

static void save(const struct tl_breakpoint *breakpoint, struct tl_output *output)
{
	tl_output_format(output, "%s%s", breakpoint->temporary ? "t" : "", save_words[breakpoint->kind]);
	if (breakpoint->place != NULL)
		tl_output_format(output, " %s", breakpoint->place);
	for (tl_size i = 0; i < breakpoint->number_count; i++)
		tl_output_format(output, " %llu", (unsigned long long)breakpoint->numbers[i]);
	if (breakpoint->pattern != NULL)
		tl_output_format(output, " %s", breakpoint->pattern);
	if (breakpoint->format != NULL)
		tl_output_format(output, ",%s", breakpoint->format);
	if (breakpoint->thread != 0)
		tl_output_format(output, " thread %u", breakpoint->thread);
	tl_output_text(output, "\n");
	if (breakpoint->condition != NULL)
		tl_output_format(output, "  condition $bpnum %s\n", breakpoint->condition);
	if (breakpoint->ignore != 0)
		tl_output_format(output, "  ignore $bpnum %llu\n", (unsigned long long)breakpoint->ignore);
	if (breakpoint->commands != NULL)
		tl_output_format(output, "  commands\n%s  end\n", breakpoint->commands);
	if (!breakpoint->enabled)
		tl_output_text(output, "disable $bpnum\n");
}

void tl_breakpoints_save(struct tl_session *session, struct tl_output *output)
{
	for (tl_size i = 0; i < session->points.count; i++)
		if (!session->points.items[i]->gone)
			save(session->points.items[i], output);
}
