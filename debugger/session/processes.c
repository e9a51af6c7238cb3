/*
 * Programs and their processes: which there are, how they begin, and what each has in its memory.
 */
#include "debugger/session/session_internal.h"

#include "base/storage.h"

#include <stdlib.h>
#include <string.h>

#define AUXV_MAX 4096
#define PATH_SIZE 4096

/* ---- Processes ---- */

struct tl_debugged *tl_session_debugged(const struct tl_session *session, tl_u64 process)
{
	for (tl_size i = 0; i < session->process_count; i++)
		if (session->processes[i]->process == process)
			return session->processes[i];
	return NULL;
}

/* Of that process, whichever is selected. */
static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	const struct tl_debugged *debugged = context;
	tl_size done = 0;

	TL_TRY(tl_engine_read_memory(debugged->engine, debugged->process, address, buffer, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

static void release(struct tl_debugged *debugged)
{
	tl_places_close(debugged->places);
	tl_modules_close(debugged->modules);
	free(debugged->path);
	free(debugged);
}

enum tl_status tl_session_add(struct tl_session *session, tl_u64 process, const char *path, bool attached,
			      struct tl_error *error)
{
	struct tl_debugged *debugged = calloc(1, sizeof(*debugged));
	struct tl_memory_access memory = {.read = read_memory, .context = debugged};
	enum tl_status status;

	if (debugged == NULL || !tl_grow(tl_storage(), (void **)&session->processes, &session->process_capacity,
					 session->process_count, sizeof(struct tl_debugged *))) {
		free(debugged);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for one more process");
	}
	debugged->engine = session->engine;
	debugged->process = process;
	debugged->attached = attached;
	debugged->path = path != NULL ? strdup(path) : NULL;
	status = tl_modules_open(&debugged->modules, session->binaries, error);
	if (status == TL_OK)
		status = tl_places_open(&debugged->places, debugged->modules, error);
	if (status != TL_OK) {
		release(debugged);
		return status;
	}
	tl_modules_set_memory(debugged->modules, &memory);
	session->processes[session->process_count++] = debugged;
	return TL_OK;
}

/* When nothing runs any more, addresses stay those at which the program was: what was printed can be asked for. */
static void keep_addresses(struct tl_session *session, struct tl_debugged *debugged)
{
	struct tl_modules *modules = debugged->modules;

	if (session->process_count != 0 || session->program == NULL || debugged->path == NULL ||
	    strcmp(session->program, debugged->path) != 0 || tl_modules_get(modules, 0) == NULL)
		return;
	tl_places_close(debugged->places);
	debugged->places = NULL;
	tl_modules_set_memory(modules, NULL);
	debugged->modules = session->program_modules;
	session->program_modules = modules;
}

void tl_session_remove(struct tl_session *session, tl_u64 process)
{
	struct tl_debugged *debugged = tl_session_debugged(session, process);

	if (debugged == NULL)
		return;
	tl_session_forget_calls(session, process);
	tl_breakpoints_forget(session, process);
	if (session->selected.process == process) {
		tl_session_forget_stop(session);
		session->selected = (struct tl_thread_id){0};
		session->level = session->skipped = 0;
	}
	for (tl_size i = 0; i < session->process_count; i++)
		if (session->processes[i] == debugged)
			session->processes[i] = session->processes[--session->process_count];
	keep_addresses(session, debugged);
	release(debugged);
	tl_breakpoints_resolve(session);
}

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
	if (debugged->path == NULL || !tl_engine_stopped_thread(session->engine, debugged->process, &thread))
		return;
	if (target->ops->read_object == NULL ||
	    target->ops->read_object(target, thread, TL_OBJECT_AUXV, 0, auxv, sizeof(auxv), &done) != TL_OK)
		done = 0;
	if (tl_modules_update(debugged->modules, debugged->path, auxv, done, &changed, &error) != TL_OK)
		tl_session_remark(session, "warning: %s", error.text);
	else if (changed && tl_modules_remark(debugged->modules) != NULL)
		tl_session_remark(session, "warning: %s", tl_modules_remark(debugged->modules));
	if (changed)
		tl_breakpoints_resolve(session);
}

/* ---- Programs ---- */

const char *tl_session_program(const struct tl_session *session)
{
	return session->program;
}

enum tl_status tl_session_set_program(struct tl_session *session, const char *path, struct tl_error *error)
{
	char *copy = NULL;

	if (path != NULL) {
		copy = realpath(path, NULL);
		if (copy == NULL)
			return TL_FAIL(error, TL_ERROR_SYSTEM, "%s: No such file or directory.", path);
	}
	if (copy != NULL) {
		enum tl_status status = tl_modules_set_program(session->program_modules, copy, error);

		if (status != TL_OK) {
			free(copy);
			return status;
		}
		tl_binary_want(tl_modules_get(session->program_modules, 0)->binary);
	} else {
		struct tl_modules *modules;

		TL_TRY(tl_modules_open(&modules, session->binaries, error));
		tl_modules_close(session->program_modules);
		session->program_modules = modules;
	}
	free(session->program);
	session->program = copy;
	tl_session_forget_frame(session);
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
	tl_breakpoints_resolve(session);
}

enum tl_status tl_session_launch(struct tl_session *session, const struct tl_launch *launch, struct tl_error *error)
{
	struct tl_target *target = session->target;
	const char *detail = NULL;
	struct tl_thread_id thread;
	enum tl_status status;
	tl_u64 process;

	if (target->ops->launch == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "The target cannot start programs.");
	/* Numbers of threads begin anew with each run, and so do counts of hits. */
	if (session->process_count == 0) {
		session->thread_count = 0;
		tl_breakpoints_forget_hits(session);
	}
	status = target->ops->launch(target, launch, &process, &detail);
	if (status != TL_OK)
		return TL_FAIL(error, status, "%s", detail != NULL ? detail : tl_status_text(status));
	if (!tl_engine_stopped_thread(session->engine, process, &thread))
		return TL_FAIL(error, TL_ERROR_LAUNCH, "The program ended as it was started.");
	TL_TRY(tl_session_add(session, process, session->program, false, error));
	begin(session, thread);
	return TL_OK;
}

enum tl_status tl_session_attach(struct tl_session *session, tl_u64 process, struct tl_error *error)
{
	struct tl_target *target = session->target;
	const char *detail = NULL;
	enum tl_status status;

	if (target->ops->attach == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "The target cannot attach to processes.");
	status = target->ops->attach(target, process, &detail);
	if (status != TL_OK)
		return TL_FAIL(error, status, "%s", detail != NULL ? detail : tl_status_text(status));
	status = tl_session_add(session, process, NULL, true, error);
	if (status != TL_OK)
		return status;
	session->attaching = session->running = true;
	return TL_OK;
}

void tl_session_attached_now(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_debugged *debugged = tl_session_debugged(session, thread.process);

	session->attaching = false;
	if (debugged == NULL)
		return;
	learn_path(session, debugged);
	if (session->program == NULL && debugged->path != NULL) {
		struct tl_error error;

		if (tl_session_set_program(session, debugged->path, &error) != TL_OK)
			tl_session_remark(session, "warning: %s", error.text);
	}
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

enum tl_status tl_session_adopt(struct tl_session *session, const char *path, bool started, struct tl_error *error)
{
	struct tl_debugged *debugged;
	struct tl_thread_id thread;
	struct tl_report report;
	struct tl_error why;

	if (path != NULL)
		TL_TRY(tl_session_set_program(session, path, error));
	for (tl_u64 process = 0; (process = tl_engine_next_process(session->engine, process)) != 0;)
		if (tl_session_debugged(session, process) == NULL)
			TL_TRY(tl_session_add(session, process, session->program, !started, error));
	thread = choose_thread(session, &report);
	if (thread.process == 0)
		return TL_FAIL(error, TL_ERROR_NO_PROCESS, "The target has no process that stands still.");
	debugged = tl_session_debugged(session, thread.process);
	if (debugged->path == NULL)
		learn_path(session, debugged);
	if (session->program == NULL && debugged->path != NULL &&
	    tl_session_set_program(session, debugged->path, &why) != TL_OK)
		tl_session_remark(session, "warning: %s", why.text);
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
	return session->process_count != 0;
}

bool tl_session_running(const struct tl_session *session)
{
	return session->running;
}

bool tl_session_attached(const struct tl_session *session)
{
	const struct tl_debugged *debugged = tl_session_debugged(session, session->selected.process);

	return debugged != NULL && debugged->attached;
}
