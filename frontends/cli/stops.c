#include "frontends/cli/stops.h"

#include "debugger/session/signal_names.h"
#include "debugger/session/syscall_names.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/displays.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/inferiors.h"
#include "frontends/cli/points.h"
#include "frontends/cli/threads.h"
#include "frontends/cli/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Threads ---- */

/* Of a program that has, or had, more than one thread, it is said which of them stopped. */
static bool has_threads(struct tl_cli *cli, struct tl_thread_id thread)
{
	cli->threads_seen |= tl_session_thread_number(cli->session, thread) > 1 ||
			     tl_session_numbered_thread(cli->session, 2).thread != 0;
	return cli->threads_seen;
}

static void write_thread(struct tl_cli *cli, struct tl_thread_id thread, const char *verb)
{
	char name[TL_THREAD_NAME_MAX], label[32];

	if (!has_threads(cli, thread))
		return;
	tl_session_thread_label(cli->session, thread, label, sizeof(label));
	tl_screen_format(&cli->screen, "Thread %s ", label);
	tl_thread_read_name(cli, thread, name);
	if (name[0] != '\0')
		tl_screen_format(&cli->screen, "\"%s\" ", name);
	tl_screen_text(&cli->screen, verb);
}

/* The thread that a person looked at is another than the one that stopped. */
static void tell_switch(struct tl_cli *cli, const struct tl_stop *stop)
{
	struct tl_output name = tl_output_make(256);

	if (cli->last_thread.thread != 0 && stop->thread.thread != 0 &&
	    cli->last_thread.thread != stop->thread.thread && has_threads(cli, stop->thread)) {
		tl_thread_write_name(cli, stop->thread, &name);
		tl_screen_format(&cli->screen, "[Switching to %s]\n", tl_output_string(&name));
		tl_output_release(&name);
	}
	cli->last_thread = stop->thread;
}

/* ---- Points ---- */

static void tell_value(struct tl_cli *cli, const char *title, const struct tl_value *value)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);

	if (value->type == NULL || tl_cli_print_value(cli, value, 0, &text, NULL) != TL_OK)
		tl_output_text(&text, "<unreadable>");
	tl_screen_format(&cli->screen, "%s = %s\n", title, tl_output_string(&text));
	tl_output_release(&text);
}

/* The bytes that are compared are those that are shown. */
static bool same_value(const struct tl_value *left, const struct tl_value *right)
{
	return left->type != NULL && right->type != NULL && left->size == right->size && left->bytes != NULL &&
	       right->bytes != NULL && memcmp(left->bytes, right->bytes, left->size) == 0;
}

static void tell_watchpoint(struct tl_cli *cli, const struct tl_stop *stop, const struct tl_breakpoint *point)
{
	tl_screen_text(&cli->screen, "\n");
	write_thread(cli, stop->thread, "hit ");
	tl_screen_format(&cli->screen, "%s %u: %s%s\n\n", tl_watch_title(point), point->number,
			 point->by_location ? "-location " : "", point->place);
	if (point->kind == TL_WATCHPOINT_READ ||
	    (point->kind == TL_WATCHPOINT_ACCESS && same_value(&point->old_value, &point->new_value))) {
		tell_value(cli, "Value", &point->new_value);
		return;
	}
	tell_value(cli, "Old value", &point->old_value);
	tell_value(cli, "New value", &point->new_value);
}

static void tell_syscall(struct tl_cli *cli, const struct tl_event *event)
{
	struct tl_process_facts facts;
	char name[64];

	if (tl_engine_facts(tl_session_engine(cli->session), event->thread.process, &facts) != TL_OK ||
	    !tl_syscall_name(facts.cpu, event->number, name, sizeof(name)))
		snprintf(name, sizeof(name), "%llu", (unsigned long long)event->number);
	tl_screen_format(&cli->screen, "(%s syscall %s), ",
			 event->kind == TL_EVENT_SYSCALL_ENTRY ? "call to" : "returned from", name);
}

/* "(call to syscall write), " and their like. */
static void tell_catchpoint(struct tl_cli *cli, const struct tl_stop *stop, const struct tl_breakpoint *point)
{
	const struct tl_event *event = &stop->report.event;
	struct tl_screen *screen = &cli->screen;

	tl_screen_text(screen, "\n");
	write_thread(cli, stop->thread, "hit ");
	tl_screen_format(screen, "%s %u%s", point->temporary ? "Temporary catchpoint" : "Catchpoint", point->number,
			 stop->libraries != NULL ? "" : " ");
	switch (point->kind) {
	case TL_CATCH_FORK:
		tl_screen_format(screen, "(forked process %llu), ", (unsigned long long)event->child.process);
		break;
	case TL_CATCH_VFORK:
		tl_screen_format(screen, "(vforked process %llu), ", (unsigned long long)event->child.process);
		break;
	case TL_CATCH_EXEC:
		tl_screen_format(screen, "(exec'd %s), ",
				 tl_session_program(cli->session) != NULL ? tl_session_program(cli->session) : "?");
		break;
	case TL_CATCH_SYSCALL:
		tell_syscall(cli, event);
		break;
	case TL_CATCH_SIGNAL:
		tl_screen_format(screen, "(signal %s), ", tl_signal_name(event->signal));
		break;
	case TL_CATCH_THROW:
		tl_screen_text(screen, "(exception thrown), ");
		break;
	case TL_CATCH_CATCH:
		tl_screen_text(screen, "(exception caught), ");
		break;
	case TL_CATCH_RETHROW:
		tl_screen_text(screen, "(exception rethrown), ");
		break;
	case TL_CATCH_LOAD:
	case TL_CATCH_UNLOAD:
		tl_screen_format(screen, "\n%s", stop->libraries != NULL ? stop->libraries : "");
		break;
	case TL_BREAKPOINT:
	case TL_BREAKPOINT_HARDWARE:
	case TL_BREAKPOINT_PRINTF:
	case TL_WATCHPOINT:
	case TL_WATCHPOINT_READ:
	case TL_WATCHPOINT_ACCESS:
		break;
	}
}

static void tell_breakpoint(struct tl_cli *cli, const struct tl_stop *stop, const struct tl_breakpoint *point)
{
	tl_screen_text(&cli->screen, "\n");
	write_thread(cli, stop->thread, "hit ");
	tl_screen_format(&cli->screen, "%s %u", point->temporary ? "Temporary breakpoint" : "Breakpoint",
			 point->number);
	if (stop->location != 0)
		tl_screen_format(&cli->screen, ".%u", stop->location);
	tl_screen_text(&cli->screen, ", ");
}

/* All watchpoints; of the others the first, which the place belongs to. */
static void tell_points(struct tl_cli *cli, const struct tl_stop *stop)
{
	if (stop->text[0] != '\0')
		tl_screen_format(&cli->screen, "%s\n", stop->text);
	for (tl_u32 i = 0; i < stop->number_count; i++) {
		const struct tl_breakpoint *point = tl_breakpoint_find(cli->session, stop->numbers[i]);

		if (point == NULL)
			continue;
		if (tl_breakpoint_is_watch(point->kind)) {
			tell_watchpoint(cli, stop, point);
			continue;
		}
		if (point->kind >= TL_CATCH_FORK)
			tell_catchpoint(cli, stop, point);
		else
			tell_breakpoint(cli, stop, point);
		return;
	}
}

/* ---- Signals and ends ---- */

void tl_stop_tell_signal(struct tl_cli *cli, struct tl_thread_id thread, tl_i32 number)
{
	tl_screen_text(&cli->screen, "\n");
	if (has_threads(cli, thread))
		write_thread(cli, thread, "");
	else
		tl_screen_text(&cli->screen, "Program ");
	if (number == 0)
		tl_screen_text(&cli->screen, "stopped.\n");
	else if ((tl_target_capabilities(cli->target) & TL_CAN_RUN) == 0)
		tl_screen_format(&cli->screen, "terminated with signal %s, %s.\n", tl_signal_name(number),
				 tl_signal_text(number));
	else
		tl_screen_format(&cli->screen, "received signal %s, %s.\n", tl_signal_name(number),
				 tl_signal_text(number));
}

static void tell_exit(struct tl_cli *cli, const struct tl_stop *stop)
{
	struct tl_error error;

	if (cli->settings.inferior_events) {
		if (stop->code == 0)
			tl_screen_format(&cli->screen, "[Inferior %u (process %llu) exited normally]\n", stop->inferior,
					 (unsigned long long)stop->thread.process);
		else
			tl_screen_format(&cli->screen, "[Inferior %u (process %llu) exited with code %02o]\n",
					 stop->inferior, (unsigned long long)stop->thread.process,
					 (unsigned)stop->code);
	}
	cli->child_code = stop->code;
	(void)!tl_cli_set_variable(cli, "_exitcode", stop->code, &error);
}

/* ---- A stop ---- */

/* True when the place is told as well. */
static bool tell_reason(struct tl_cli *cli, const struct tl_stop *stop)
{
	struct tl_error error;

	switch (stop->kind) {
	case TL_STOP_NONE:
		return false;
	case TL_STOP_STARTED:
		tl_screen_text(&cli->screen, "\nProgram stopped.\n");
		return true;
	case TL_STOP_ATTACHED:
	case TL_STOP_STEPPED:
	case TL_STOP_LOCATION:
	case TL_STOP_FINISHED:
		return true;
	case TL_STOP_BREAKPOINT:
	case TL_STOP_WATCHPOINT:
		tell_points(cli, stop);
		return true;
	case TL_STOP_SCOPE_END:
		tl_screen_format(&cli->screen,
				 "\nWatchpoint %u deleted because the program has left the block in\n"
				 "which its expression is valid.\n",
				 stop->number_count > 0 ? stop->numbers[0] : 0);
		return true;
	case TL_STOP_CATCHPOINT:
		tell_points(cli, stop);
		if (stop->number_count == 0)
			tl_screen_format(&cli->screen, "Stopped due to shared library event:\n%s",
					 stop->libraries != NULL ? stop->libraries : "");
		return true;
	case TL_STOP_SIGNAL:
		tl_stop_tell_signal(cli, stop->thread, stop->signal);
		return true;
	case TL_STOP_INTERRUPTED:
		tl_stop_tell_signal(cli, stop->thread, stop->signal != 0 ? stop->signal : 2);
		return true;
	case TL_STOP_EXITED:
		tell_exit(cli, stop);
		return false;
	case TL_STOP_KILLED:
		if (tl_connection_tell_lost(cli))
			return false;
		tl_screen_format(&cli->screen,
				 "\nProgram terminated with signal %s, %s.\nThe program no longer exists.\n",
				 tl_signal_name(stop->signal), tl_signal_text(stop->signal));
		(void)!tl_cli_set_variable(cli, "_exitsignal", stop->signal, &error);
		return false;
	case TL_STOP_HISTORY:
		tl_screen_text(&cli->screen, "\nNo more reverse-execution history.\n");
		return true;
	case TL_STOP_NOTHING:
		tl_screen_text(&cli->screen, "No unwaited-for children left.\n");
		return false;
	case TL_STOP_FAILED:
		tl_screen_complain(&cli->screen, stop->text);
		return true;
	}
	return false;
}

/* "Value returned is $1 = 5" of finish, also where a breakpoint stands at its end. */
static void tell_returned(struct tl_cli *cli, const struct tl_stop *stop)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);

	if ((stop->kind != TL_STOP_FINISHED && stop->kind != TL_STOP_BREAKPOINT) || stop->returned.type == NULL)
		return;
	if (!cli->settings.finish)
		tl_output_text(&text, "<not displayed>");
	else if (tl_cli_print_value(cli, &stop->returned, 0, &text, NULL) != TL_OK)
		tl_output_text(&text, "<unreadable>");
	tl_screen_format(&cli->screen, "Value returned is $%llu = %s\n", (unsigned long long)stop->history,
			 tl_output_string(&text));
	tl_output_release(&text);
}

static void tell_place(struct tl_cli *cli, const struct tl_stop *stop)
{
	const struct tl_stack_frame *frame;
	struct tl_error error;
	/* A step in the same function shows its line alone, where there is one. */
	bool line_alone = stop->kind == TL_STOP_STEPPED && !stop->new_frame;
	enum tl_status status = tl_session_frame(cli->session, &frame, &error);

	if (status == TL_OK && line_alone && frame->line != 0)
		tl_frame_print_source(cli, frame);
	else if (status == TL_OK)
		status = tl_frame_print(cli, frame, TL_FRAME_ARGUMENTS | TL_FRAME_SOURCE, &error);
	if (status != TL_OK)
		tl_screen_complain(&cli->screen, error.text);
}

static bool is_silent(const struct tl_breakpoint *point)
{
	const char *at = point != NULL ? point->commands : NULL;

	if (at == NULL)
		return false;
	at += strspn(at, " \t");
	return strncmp(at, "silent", 6) == 0 && strchr(" \t\n", at[6]) != NULL;
}

void tl_stop_tell(struct tl_cli *cli, const struct tl_stop *stop)
{
	struct tl_error error;
	bool silent = stop->number_count > 0, has_place;

	tl_inferiors_drain(cli);
	tl_full_screen_touch(cli);
	for (tl_u32 i = 0; i < stop->number_count && i < TL_STOP_NUMBERS_MAX; i++)
		silent = silent && is_silent(tl_breakpoint_find(cli->session, stop->numbers[i]));
	cli->told = *stop;
	cli->commands_due = stop->number_count > 0;
	if (tl_execute_hook(cli, "hook-", "stop", &error) != TL_OK)
		tl_screen_complain(&cli->screen, error.text);
	if (silent) {
		cli->last_thread = stop->thread;
		tl_session_prune(cli->session);
		return;
	}
	if (stop->kind != TL_STOP_EXITED && stop->kind != TL_STOP_KILLED)
		tell_switch(cli, stop);
	else
		cli->last_thread = (struct tl_thread_id){0, 0};
	has_place = tell_reason(cli, stop);
	if (has_place && tl_session_alive(cli->session)) {
		tell_place(cli, stop);
		tell_returned(cli, stop);
		tl_displays_show(cli);
	}
	tl_session_prune(cli->session);
}

/* ---- Commands of points ---- */

void tl_stop_forget_commands(struct tl_cli *cli)
{
	cli->commands_due = false;
}

/* Without a "silent" at the front, which was obeyed. */
static enum tl_status run_point(struct tl_cli *cli, const struct tl_breakpoint *point, struct tl_error *error)
{
	const char *text = point->commands;
	char *copy;
	enum tl_status status;

	if (is_silent(point)) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	/* They may delete the point. */
	copy = strdup(text);
	if (copy == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the commands");
	status = tl_script_run(cli, copy, strlen(copy), NULL, NULL, error);
	free(copy);
	return status;
}

enum tl_status tl_stop_commands(struct tl_cli *cli, struct tl_error *error)
{
	while (cli->commands_due && !cli->quit) {
		const struct tl_stop stop = cli->told;

		cli->commands_due = false;
		for (tl_u32 i = 0; i < stop.number_count && i < TL_STOP_NUMBERS_MAX; i++) {
			const struct tl_breakpoint *point = tl_breakpoint_find(cli->session, stop.numbers[i]);

			if (point != NULL && point->commands != NULL)
				TL_TRY(run_point(cli, point, error));
			/* Commands that ran the program have come to another stop. */
			if (cli->commands_due || !tl_session_alive(cli->session))
				break;
		}
	}
	return TL_OK;
}
