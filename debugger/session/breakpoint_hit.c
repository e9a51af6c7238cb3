/* What a stop means for the points of a session: who was hit, who is ignored, what is only printed. */
#include "debugger/session/exceptions.h"
#include "debugger/session/session_internal.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Conditions and counts ---- */

/* Evaluated in the innermost frame of the thread. An error stops the program, and is told. */
static bool condition_holds(struct tl_session *session, struct tl_thread_id thread,
			    const struct tl_breakpoint *breakpoint, struct tl_stop *stop)
{
	const struct tl_environment *environment;
	struct tl_aside aside;
	struct tl_error error;
	struct tl_value value;
	enum tl_status status;
	bool holds = true;

	if (breakpoint->condition == NULL)
		return true;
	/* A function that was called for another condition did not return: that is the stop. */
	if (session->stop_ready)
		return false;
	aside = tl_session_look_aside(session, thread);
	status = tl_session_environment(session, &environment, NULL, &error);
	if (status == TL_OK)
		status = tl_session_evaluate(session, breakpoint->condition, strlen(breakpoint->condition), &value,
					     &error);
	if (status == TL_OK)
		status = tl_value_truth(&environment->values, &value, &holds, &error);
	if (session->stop_ready) {
		tl_session_remark(session, "Error in testing breakpoint condition:\n%s", error.text);
		return false;
	}
	if (status != TL_OK) {
		holds = true;
		snprintf(stop->text, sizeof(stop->text), "Error in testing breakpoint condition:\n%s", error.text);
	}
	tl_session_look_back(session, &aside);
	return holds;
}

static void add_number(struct tl_stop *stop, const struct tl_breakpoint *breakpoint)
{
	if (stop->number_count < TL_STOP_NUMBERS_MAX)
		stop->numbers[stop->number_count++] = breakpoint->number;
}

/* A point was hit, and its condition holds: does it stop the program? */
static bool counts(struct tl_session *session, struct tl_breakpoint *breakpoint, struct tl_stop *stop)
{
	breakpoint->hits++;
	if (breakpoint->ignore != 0) {
		breakpoint->ignore--;
		return false;
	}
	if (breakpoint->enable_count != 0 && --breakpoint->enable_count == 0)
		breakpoint->enabled = false;
	if (breakpoint->temporary || breakpoint->delete_at_hit)
		breakpoint->gone = true;
	session->points.stamp++;
	add_number(stop, breakpoint);
	return true;
}

bool tl_breakpoint_counts(struct tl_session *session, struct tl_thread_id thread, struct tl_breakpoint *breakpoint,
			  struct tl_stop *stop)
{
	return condition_holds(session, thread, breakpoint, stop) && counts(session, breakpoint, stop);
}

bool tl_breakpoints_may_call(const struct tl_session *session)
{
	for (tl_size i = 0; i < session->points.count; i++) {
		const struct tl_breakpoint *point = session->points.items[i];

		if (point->enabled && !point->gone && (point->condition != NULL || point->format != NULL))
			return true;
	}
	return false;
}

/* Which of its places an address is, from 1 on; 0: none that is enabled. */
static tl_u32 place_at(const struct tl_breakpoint *breakpoint, tl_u32 inferior, tl_u64 address)
{
	for (tl_size i = 0; i < breakpoint->location_count; i++)
		if (breakpoint->locations[i].address == address && breakpoint->locations[i].inferior == inferior &&
		    breakpoint->locations[i].enabled && !breakpoint->locations[i].resolver)
			return (tl_u32)(i + 1);
	return 0;
}

void tl_breakpoint_write_print(const struct tl_session *session, const struct tl_breakpoint *breakpoint,
			       struct tl_output *output)
{
	const struct tl_session_settings *settings = &session->settings;
	const bool channel = settings->print_channel != NULL && settings->print_channel[0] != '\0';

	if (settings->print_function == NULL)
		tl_output_format(output, "printf %s", breakpoint->format);
	else
		tl_output_format(output, "call (void) %s (%s%s%s)", settings->print_function,
				 channel ? settings->print_channel : "", channel ? "," : "", breakpoint->format);
}

/* `set dprintf-style call`: the program prints for itself. */
static enum tl_status print_by_program(struct tl_session *session, const struct tl_breakpoint *breakpoint,
				       struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	struct tl_value value;
	enum tl_status status;

	tl_breakpoint_write_print(session, breakpoint, &text);
	/* Behind the word "call". */
	status = tl_session_evaluate(session, tl_output_string(&text) + 5, text.size < 5 ? 0 : text.size - 5, &value,
				     error);
	tl_output_release(&text);
	return status;
}

static void print_formatted(struct tl_session *session, struct tl_thread_id thread,
			    const struct tl_breakpoint *breakpoint)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct tl_aside aside = tl_session_look_aside(session, thread);
	struct tl_error error;

	if ((session->settings.print_function != NULL
		     ? print_by_program(session, breakpoint, &error)
		     : tl_session_format(session, breakpoint->format, &output, &error)) != TL_OK)
		tl_output_format(&output, "%s\n", error.text);
	if (session->options.output != NULL)
		session->options.output(session->options.context, tl_output_string(&output), output.size);
	tl_output_release(&output);
	tl_session_look_back(session, &aside);
}

bool tl_breakpoints_hit(struct tl_session *session, struct tl_thread_id thread, tl_u64 address, struct tl_stop *stop)
{
	struct tl_breakpoints *points = &session->points;
	tl_u32 inferior = tl_session_inferior_of(session, thread.process);
	bool stops = false;

	for (tl_size i = 0; i < points->count; i++) {
		struct tl_breakpoint *breakpoint = points->items[i];
		tl_u32 place;

		if (!tl_breakpoint_is_code(breakpoint->kind) || !breakpoint->enabled || breakpoint->gone ||
		    place_at(breakpoint, inferior, address) == 0)
			continue;
		if (breakpoint->thread != 0 && breakpoint->thread != tl_session_thread_number(session, thread))
			continue;
		if (breakpoint->kind >= TL_CATCH_THROW && breakpoint->pattern != NULL &&
		    !tl_session_exception_matches(session, thread, breakpoint->pattern))
			continue;
		if (!condition_holds(session, thread, breakpoint, stop))
			continue;
		if (breakpoint->kind == TL_BREAKPOINT_PRINTF) {
			breakpoint->hits++;
			if (breakpoint->ignore != 0)
				breakpoint->ignore--;
			else
				print_formatted(session, thread, breakpoint);
			continue;
		}
		place = breakpoint->location_count > 1 ? place_at(breakpoint, inferior, address) : 0;
		if (!counts(session, breakpoint, stop))
			continue;
		if (!stops)
			stop->location = place;
		stops = true;
	}
	return stops;
}

static int by_number(const void *a, const void *b)
{
	const tl_u32 *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

void tl_stop_sort_numbers(struct tl_stop *stop)
{
	qsort(stop->numbers, stop->number_count, sizeof(*stop->numbers), by_number);
}

/* ---- Catchpoints ---- */

static bool has_number(const struct tl_breakpoint *breakpoint, tl_u64 number)
{
	for (tl_size i = 0; i < breakpoint->number_count; i++)
		if (breakpoint->numbers[i] == number)
			return true;
	return breakpoint->number_count == 0;
}

static bool has_pattern(const struct tl_breakpoint *breakpoint, const char *text)
{
	regex_t expression;
	bool matches;

	if (breakpoint->pattern == NULL || text == NULL)
		return true;
	if (regcomp(&expression, breakpoint->pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	matches = regexec(&expression, text, 0, NULL, 0) == 0;
	regfree(&expression);
	return matches;
}

/* With no signals named, those that debuggers use themselves are not caught (GDB manual, "Setting Catchpoints"). */
static bool is_caught(const struct tl_breakpoint *breakpoint, enum tl_breakpoint_kind kind, tl_u64 number,
		      const char *text)
{
	if (breakpoint->kind != kind || !breakpoint->enabled || breakpoint->gone)
		return false;
	if (kind == TL_CATCH_SIGNAL && breakpoint->number_count == 0)
		return number != 5 && number != 2;
	if (kind == TL_CATCH_SIGNAL || kind == TL_CATCH_SYSCALL)
		return has_number(breakpoint, number);
	return has_pattern(breakpoint, text);
}

bool tl_breakpoints_catch(struct tl_session *session, enum tl_breakpoint_kind kind, tl_u64 number, const char *text,
			  struct tl_stop *stop)
{
	struct tl_breakpoints *points = &session->points;
	bool stops = false;

	for (tl_size i = 0; i < points->count; i++)
		if (is_caught(points->items[i], kind, number, text))
			stops |= tl_breakpoint_counts(session, stop->report.event.thread, points->items[i], stop);
	return stops;
}

static bool catches_library(const struct tl_breakpoint *breakpoint, const struct tl_libraries *libraries)
{
	for (tl_size i = 0; i < libraries->count; i++)
		if (has_pattern(breakpoint, libraries->paths[i]))
			return true;
	return false;
}

bool tl_breakpoints_catch_libraries(struct tl_session *session, struct tl_thread_id thread,
				    const struct tl_libraries *added, const struct tl_libraries *removed,
				    struct tl_stop *stop)
{
	struct tl_breakpoints *points = &session->points;
	bool stops = false;

	for (tl_size i = 0; i < points->count; i++) {
		struct tl_breakpoint *point = points->items[i];

		if ((point->kind != TL_CATCH_LOAD && point->kind != TL_CATCH_UNLOAD) || !point->enabled || point->gone)
			continue;
		if (catches_library(point, point->kind == TL_CATCH_LOAD ? added : removed))
			stops |= tl_breakpoint_counts(session, thread, point, stop);
	}
	return stops;
}

bool tl_breakpoints_catches(const struct tl_session *session, enum tl_breakpoint_kind kind)
{
	for (tl_size i = 0; i < session->points.count; i++)
		if (session->points.items[i]->kind == kind && session->points.items[i]->enabled &&
		    !session->points.items[i]->gone)
			return true;
	return false;
}

void tl_breakpoints_set_syscalls(struct tl_session *session)
{
	struct tl_engine_settings *settings = tl_engine_settings(session->engine);

	settings->catch_syscalls = settings->catch_every_syscall = false;
	memset(settings->syscalls, 0, sizeof(settings->syscalls));
	for (tl_size i = 0; i < session->points.count; i++) {
		const struct tl_breakpoint *breakpoint = session->points.items[i];

		if (breakpoint->kind != TL_CATCH_SYSCALL || !breakpoint->enabled || breakpoint->gone)
			continue;
		settings->catch_syscalls = true;
		settings->catch_every_syscall |= breakpoint->number_count == 0;
		for (tl_size j = 0; j < breakpoint->number_count; j++)
			if (breakpoint->numbers[j] < TL_SYSCALL_MAX)
				settings->syscalls[breakpoint->numbers[j] / 64] |= (tl_u64)1
										   << breakpoint->numbers[j] % 64;
	}
}

/* ---- What the run of a session asks besides ---- */

void tl_breakpoints_ignore_hit(struct tl_session *session, const struct tl_stop *stop, tl_u64 count)
{
	for (tl_u32 i = 0; i < stop->number_count; i++) {
		struct tl_breakpoint *breakpoint = tl_breakpoint_find(session, stop->numbers[i]);

		if (breakpoint != NULL)
			breakpoint->ignore = count;
	}
}

void tl_breakpoints_thread_gone(struct tl_session *session, tl_u32 number)
{
	for (tl_size i = session->points.count; i-- > 0;) {
		struct tl_breakpoint *breakpoint = session->points.items[i];

		if (number == 0 || breakpoint->thread != number || breakpoint->gone)
			continue;
		tl_session_remark(session,
				  "Thread-specific breakpoint %u deleted - thread %u no longer in the thread list.",
				  breakpoint->number, number);
		breakpoint->gone = true;
	}
}

void tl_breakpoints_forget_hits(struct tl_session *session)
{
	for (tl_size i = 0; i < session->points.count; i++)
		session->points.items[i]->hits = 0;
}

bool tl_breakpoints_names_function(struct tl_session *session, const struct tl_stop *stop, tl_u64 address,
				   const char *name)
{
	for (tl_u32 i = 0; i < stop->number_count && name != NULL; i++) {
		const struct tl_breakpoint *breakpoint = tl_breakpoint_find(session, stop->numbers[i]);

		for (tl_size j = 0; breakpoint != NULL && j < breakpoint->location_count; j++) {
			const char *function = breakpoint->locations[j].function;
			tl_size size = strlen(name);

			/* Places have the types of parameters behind the name, frames have not. */
			if (breakpoint->locations[j].address == address && function != NULL &&
			    strncmp(function, name, size) == 0 && (function[size] == '\0' || function[size] == '('))
				return true;
		}
	}
	return false;
}
