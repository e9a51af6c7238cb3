/*
 * Processes of inferiors: how they begin, and what each has in its memory.
 */
#include "debugger/session/session_internal.h"

#include <stdlib.h>
#include <string.h>

#define AUXV_MAX 4096
#define PATH_SIZE 4096

/* ---- Modules ---- */

/* The program's file, as the target says; what is known already stays where it says nothing. */
static void learn_path(struct tl_session *session, struct tl_debugged *debugged)
{
	struct tl_target *target = session->target;
	struct tl_thread_id thread;
	char path[PATH_SIZE];
	tl_size done = 0;

	if (target->ops->read_object == NULL ||
	    !tl_engine_stopped_thread(session->engine, debugged->process, &thread) ||
	    target->ops->read_object(target, thread, TL_OBJECT_EXEC_FILE, 0, path, sizeof(path) - 1, &done) != TL_OK ||
	    done == 0)
		return;
	path[done] = '\0';
	free(debugged->path);
	debugged->path = strdup(path);
}

void tl_session_update_modules(struct tl_session *session, struct tl_debugged *debugged)
{
	struct tl_target *target = session->target;
	struct tl_thread_id thread;
	struct tl_error error;
	tl_u8 auxv[AUXV_MAX];
	tl_size done = 0;
	bool changed = false;

	/* Of a machine's firmware, say, nobody names a file. */
	if (debugged->process == 0 || debugged->path == NULL ||
	    !tl_engine_stopped_thread(session->engine, debugged->process, &thread))
		return;
	if (target->ops->read_object == NULL ||
	    target->ops->read_object(target, thread, TL_OBJECT_AUXV, 0, auxv, sizeof(auxv), &done) != TL_OK)
		done = 0;
	if (tl_modules_update(debugged->modules, debugged->path, auxv, done, &changed, &error) != TL_OK)
		tl_session_remark(session, "warning: %s", error.text);
	else if (changed && tl_modules_remark(debugged->modules) != NULL)
		tl_session_remark(session, "warning: %s", tl_modules_remark(debugged->modules));
	if (!changed)
		return;
	tl_breakpoints_resolve(session);
	tl_breakpoints_watch_anew(session, debugged);
}

/* ---- Programs ---- */

const char *tl_session_program(const struct tl_session *session)
{
	return session->current->program;
}

enum tl_status tl_session_set_program(struct tl_session *session, const char *path, struct tl_error *error)
{
	char *real = NULL;
	enum tl_status status;

	if (path != NULL) {
		real = realpath(path, NULL);
		if (real == NULL)
			return TL_FAIL(error, TL_ERROR_SYSTEM, "%s: No such file or directory.", path);
	}
	status = tl_inferior_set_program(session, session->current, real, error);
	free(real);
	TL_TRY(status);
	tl_session_set_base(session, NULL, 0);
	tl_breakpoints_resolve(session);
	return TL_OK;
}

/* A process stands: it is selected, its modules are known, and so are the places of points. */
static void begin(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_debugged *debugged = tl_session_debugged(session, thread.process);

	tl_session_number_threads(session);
	tl_session_set_selected(session, thread, 0);
	if (debugged->path == NULL)
		learn_path(session, debugged);
	tl_session_update_modules(session, debugged);
	tl_session_place_program(session, debugged);
	tl_breakpoints_resolve(session);
}

static enum tl_status launch_beside(struct tl_session *session, const struct tl_launch *launch, struct tl_error *error)
{
	struct tl_target *target = session->target;
	const char *detail = NULL;
	struct tl_thread_id thread;
	enum tl_status status;
	tl_u64 process;

	/* Counts of hits begin anew with each run, and so do numbers of threads. */
	tl_breakpoints_forget_hits(session);
	if (tl_engine_next_process(session->engine, 0) == 0)
		session->thread_count = 0;
	status = target->ops->launch(target, launch, &process, &detail);
	if (status != TL_OK)
		return TL_FAIL(error, status, "%s", detail != NULL ? detail : tl_status_text(status));
	if (!tl_engine_stopped_thread(session->engine, process, &thread))
		return TL_FAIL(error, TL_ERROR_LAUNCH, "The program ended as it was started.");
	TL_TRY(tl_session_add(session, session->current, process, session->current->program, false, error));
	begin(session, thread);
	return TL_OK;
}

enum tl_status tl_session_launch(struct tl_session *session, const struct tl_launch *launch, struct tl_error *error)
{
	const bool ran = session->running;

	if (session->target->ops->launch == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "The target cannot start programs.");
	TL_TRY(tl_session_halt(session, error));
	return tl_session_unhalt(session, ran, launch_beside(session, launch, error));
}

static enum tl_status attach_beside(struct tl_session *session, tl_u64 process, struct tl_error *error)
{
	struct tl_target *target = session->target;
	const char *detail = NULL;
	enum tl_status status;

	status = target->ops->attach(target, process, &detail);
	if (status != TL_OK)
		return TL_FAIL(error, status, "%s", detail != NULL ? detail : tl_status_text(status));
	TL_TRY(tl_session_add(session, session->current, process, NULL, true, error));
	session->current->going = (struct tl_thread_id){process, TL_ANY};
	session->attaching = process;
	session->running = true;
	return TL_OK;
}

enum tl_status tl_session_attach(struct tl_session *session, tl_u64 process, struct tl_error *error)
{
	const bool ran = session->running;

	if (session->target->ops->attach == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "The target cannot attach to processes.");
	TL_TRY(tl_session_halt(session, error));
	return tl_session_unhalt(session, ran, attach_beside(session, process, error));
}

/* What `run` is to start the next time, where nobody said. */
static void know_program(struct tl_session *session, struct tl_debugged *debugged)
{
	struct tl_error error;

	if (debugged->program == NULL && debugged->path != NULL &&
	    tl_inferior_set_program(session, debugged, debugged->path, &error) != TL_OK)
		tl_session_remark(session, "warning: %s", error.text);
}

void tl_session_begin_program(struct tl_session *session, struct tl_debugged *debugged)
{
	struct tl_error error;

	learn_path(session, debugged);
	if (debugged->path != NULL && tl_inferior_set_program(session, debugged, debugged->path, &error) != TL_OK)
		tl_session_remark(session, "warning: %s", error.text);
}

void tl_session_attached_now(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_debugged *debugged = tl_session_debugged(session, thread.process);

	session->attaching = 0;
	if (debugged == NULL)
		return;
	learn_path(session, debugged);
	know_program(session, debugged);
	begin(session, thread);
}

/* The thread that has a signal to tell of, else the eldest that stands. */
static struct tl_thread_id choose_thread(struct tl_session *session, struct tl_report *report_ret)
{
	struct tl_thread_info info = {.id = {0, 0}};
	struct tl_thread_id first = {0};

	*report_ret = (struct tl_report){0};
	while (tl_engine_next_thread(session->engine, info.id, &info)) {
		struct tl_report report;

		if (!info.stopped)
			continue;
		if (first.process == 0)
			first = info.id;
		if (tl_engine_last_report(session->engine, info.id, &report) && report.event.kind == TL_EVENT_SIGNAL &&
		    report.event.signal != 0 && report.event.signal != 5) {
			*report_ret = report;
			return info.id;
		}
	}
	return first;
}

/* The selected inferior takes the first process, others get inferiors of their own. */
static enum tl_status adopt_process(struct tl_session *session, tl_u64 process, bool started, struct tl_error *error)
{
	struct tl_debugged *debugged = session->current;

	if (tl_session_debugged(session, process) != NULL)
		return TL_OK;
	if (debugged->process != 0)
		TL_TRY(tl_session_new_inferior(session, &debugged, error));
	return tl_session_add(session, debugged, process, session->current->program, !started, error);
}

enum tl_status tl_session_adopt(struct tl_session *session, const char *path, bool started, struct tl_error *error)
{
	struct tl_debugged *debugged;
	struct tl_thread_id thread;
	struct tl_report report;

	if (path != NULL)
		TL_TRY(tl_session_set_program(session, path, error));
	for (tl_u64 process = 0; (process = tl_engine_next_process(session->engine, process)) != 0;)
		TL_TRY(adopt_process(session, process, started, error));
	thread = choose_thread(session, &report);
	if (thread.process == 0)
		return TL_FAIL(error, TL_ERROR_NO_PROCESS, "The target has no process that stands still.");
	debugged = tl_session_debugged(session, thread.process);
	if (debugged->path == NULL)
		learn_path(session, debugged);
	know_program(session, debugged);
	begin(session, thread);
	session->stop =
		(struct tl_stop){.kind = report.event.kind == TL_EVENT_SIGNAL ? TL_STOP_SIGNAL : TL_STOP_ATTACHED,
				 .thread = thread,
				 .signal = report.event.signal,
				 .report = report,
				 .new_frame = true};
	session->stop_ready = true;
	return TL_OK;
}

bool tl_session_alive(const struct tl_session *session)
{
	return session->current->process != 0;
}

bool tl_session_running(const struct tl_session *session)
{
	return session->running && session->current->going.process != 0;
}

bool tl_session_any_running(const struct tl_session *session)
{
	return session->running;
}

bool tl_session_attached(const struct tl_session *session)
{
	return session->current->attached;
}
