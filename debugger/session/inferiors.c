/*
 * Inferiors, as gdb's users call them: programs side by side, each with its process while it has one. The list, and
 * which of them is selected.
 */
#include "debugger/session/session_internal.h"

#include "base/storage.h"

#include <stdlib.h>
#include <string.h>

/* ---- The list ---- */

struct tl_debugged *tl_session_debugged(const struct tl_session *session, tl_u64 process)
{
	for (tl_size i = 0; i < session->inferior_count && process != 0; i++)
		if (session->inferiors[i]->process == process)
			return session->inferiors[i];
	return NULL;
}

struct tl_debugged *tl_session_numbered_inferior(const struct tl_session *session, tl_u32 number)
{
	for (tl_size i = 0; i < session->inferior_count; i++)
		if (session->inferiors[i]->number == number)
			return session->inferiors[i];
	return NULL;
}

static void release(struct tl_debugged *debugged)
{
	tl_places_close(debugged->places);
	tl_modules_close(debugged->modules);
	tl_modules_close(debugged->linked);
	free(debugged->path);
	free(debugged->program);
	tl_inferior_release_symbols(debugged);
	free(debugged);
}

enum tl_status tl_session_new_inferior(struct tl_session *session, struct tl_debugged **debugged_ret,
				       struct tl_error *error)
{
	struct tl_debugged *debugged = calloc(1, sizeof(*debugged));
	enum tl_status status;

	if (debugged == NULL || !tl_grow(tl_storage(), (void **)&session->inferiors, &session->inferior_capacity,
					 session->inferior_count, sizeof(struct tl_debugged *))) {
		free(debugged);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for one more inferior");
	}
	debugged->engine = session->engine;
	status = tl_modules_open(&debugged->linked, session->binaries, error);
	if (status != TL_OK) {
		release(debugged);
		return status;
	}
	debugged->number = ++session->last_inferior;
	session->inferiors[session->inferior_count++] = debugged;
	*debugged_ret = debugged;
	return TL_OK;
}

static void take_out(struct tl_session *session, struct tl_debugged *debugged)
{
	tl_size kept = 0;

	for (tl_size i = 0; i < session->inferior_count; i++)
		if (session->inferiors[i] != debugged)
			session->inferiors[kept++] = session->inferiors[i];
	session->inferior_count = kept;
	tl_breakpoints_inferior_gone(session, debugged->number);
	release(debugged);
}

void tl_session_prune(struct tl_session *session)
{
	bool any = false;

	for (tl_size i = session->inferior_count; i-- > 0;) {
		struct tl_debugged *debugged = session->inferiors[i];

		if (!debugged->passing || debugged->process != 0 || debugged == session->current)
			continue;
		take_out(session, debugged);
		any = true;
	}
	if (any)
		tl_breakpoints_resolve(session);
}

void tl_session_release_inferiors(struct tl_session *session)
{
	for (tl_size i = 0; i < session->inferior_count; i++)
		release(session->inferiors[i]);
	tl_release(tl_storage(), session->inferiors, session->inferior_capacity * sizeof(struct tl_debugged *));
	session->inferiors = NULL;
	session->inferior_count = session->inferior_capacity = 0;
	session->current = NULL;
}

/* ---- Programs ---- */

enum tl_status tl_inferior_set_program(struct tl_session *session, struct tl_debugged *debugged, const char *path,
				       struct tl_error *error)
{
	struct tl_modules *modules;
	enum tl_status status;
	char *copy = NULL;

	if (path != NULL && (copy = strdup(path)) == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for the name of a program");
	status = tl_modules_open(&modules, session->binaries, error);
	if (status == TL_OK && copy != NULL) {
		status = tl_modules_set_program(modules, copy, error);
		if (status != TL_OK)
			tl_modules_close(modules);
	}
	if (status != TL_OK) {
		free(copy);
		return status;
	}
	if (copy != NULL)
		tl_binary_want(tl_modules_get(modules, 0)->binary);
	/* Names are its own again. */
	free(debugged->symbols);
	debugged->symbols = NULL;
	debugged->symbols_offset = 0;
	tl_session_prepare_modules(session, debugged, modules);
	tl_session_forget_frame(session);
	tl_modules_close(debugged->linked);
	free(debugged->program);
	debugged->linked = modules;
	debugged->program = copy;
	debugged->left = false;
	return TL_OK;
}

/* ---- Processes ---- */

/* Of that process, whichever is selected. */
static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	const struct tl_debugged *debugged = context;
	tl_size done = 0;

	TL_TRY(tl_engine_read_memory(debugged->engine, debugged->process, address, buffer, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

static void drop_process(struct tl_debugged *debugged)
{
	tl_places_close(debugged->places);
	tl_modules_close(debugged->modules);
	free(debugged->path);
	debugged->places = NULL;
	debugged->modules = NULL;
	debugged->path = NULL;
	debugged->process = 0;
	debugged->threads = 0;
	debugged->connection = 0;
	debugged->going = (struct tl_thread_id){0};
	debugged->attached = false;
	debugged->vfork_parent = 0;
}

/* When it has ended, addresses stay those at which the program was: what was printed can be asked for. */
static void keep_addresses(struct tl_debugged *debugged)
{
	struct tl_modules *modules = debugged->modules;

	if (debugged->program == NULL || debugged->path == NULL || strcmp(debugged->program, debugged->path) != 0 ||
	    tl_modules_get(modules, 0) == NULL)
		return;
	tl_places_close(debugged->places);
	debugged->places = NULL;
	tl_modules_set_memory(modules, NULL);
	debugged->modules = debugged->linked;
	debugged->linked = modules;
}

/* One connection serves all that is started on it, and has gone with the last of them. */
static tl_u32 connect(struct tl_session *session)
{
	for (tl_size i = 0; i < session->inferior_count; i++)
		if (session->inferiors[i]->connection != 0)
			return session->inferiors[i]->connection;
	return ++session->last_connection;
}

enum tl_status tl_session_add(struct tl_session *session, struct tl_debugged *debugged, tl_u64 process,
			      const char *path, bool attached, struct tl_error *error)
{
	struct tl_memory_access memory = {.read = read_memory, .context = debugged};
	tl_u32 connection = debugged->connection != 0 ? debugged->connection : connect(session);
	enum tl_status status;

	if (debugged->symbols != NULL)
		path = debugged->symbols;
	drop_process(debugged);
	status = tl_modules_open(&debugged->modules, session->binaries, error);
	if (status == TL_OK)
		status = tl_places_open(&debugged->places, debugged->modules, error);
	if (status != TL_OK) {
		drop_process(debugged);
		return status;
	}
	debugged->process = process;
	debugged->attached = attached;
	debugged->path = path != NULL ? strdup(path) : NULL;
	debugged->left = false;
	debugged->connection = connection;
	tl_modules_set_memory(debugged->modules, &memory);
	tl_session_prepare_modules(session, debugged, debugged->modules);
	return TL_OK;
}

void tl_session_remove(struct tl_session *session, tl_u64 process)
{
	struct tl_debugged *debugged = tl_session_debugged(session, process);

	if (debugged == NULL)
		return;
	if (session->attaching == process)
		session->attaching = 0;
	tl_session_forget_calls(session, process);
	tl_breakpoints_process_ended(session, debugged->number);
	tl_breakpoints_forget(session, process);
	if (session->selected.process == process || session->current == debugged) {
		tl_session_forget_stop(session);
		session->selected = (struct tl_thread_id){0};
		session->level = session->skipped = 0;
	}
	keep_addresses(debugged);
	drop_process(debugged);
	tl_breakpoints_resolve(session);
}

/* ---- For those who show and choose ---- */

static void describe(const struct tl_debugged *debugged, struct tl_inferior_info *info_ret)
{
	*info_ret = (struct tl_inferior_info){
		.number = debugged->number,
		.process = debugged->process,
		.program = debugged->program,
		.connection = debugged->connection,
		.attached = debugged->attached,
	};
}

bool tl_session_next_inferior(const struct tl_session *session, tl_u32 after, struct tl_inferior_info *info_ret)
{
	for (tl_size i = 0; i < session->inferior_count; i++)
		if (session->inferiors[i]->number > after) {
			describe(session->inferiors[i], info_ret);
			return true;
		}
	return false;
}

bool tl_session_inferior(const struct tl_session *session, tl_u32 number, struct tl_inferior_info *info_ret)
{
	const struct tl_debugged *debugged = tl_session_numbered_inferior(session, number);

	if (debugged != NULL)
		describe(debugged, info_ret);
	return debugged != NULL;
}

tl_u32 tl_session_current_inferior(const struct tl_session *session)
{
	return session->current->number;
}

tl_u32 tl_session_inferior_of(const struct tl_session *session, tl_u64 process)
{
	const struct tl_debugged *debugged = tl_session_debugged(session, process);

	return debugged != NULL ? debugged->number : 0;
}

enum tl_status tl_session_add_inferior(struct tl_session *session, bool connected, tl_u32 *number_ret,
				       struct tl_error *error)
{
	struct tl_debugged *debugged;

	TL_TRY(tl_session_new_inferior(session, &debugged, error));
	if (connected)
		debugged->connection = session->current->connection;
	*number_ret = debugged->number;
	return TL_OK;
}

static enum tl_status find(struct tl_session *session, tl_u32 number, struct tl_debugged **debugged_ret,
			   struct tl_error *error)
{
	*debugged_ret = tl_session_numbered_inferior(session, number);
	if (*debugged_ret == NULL)
		return TL_FAIL(error, TL_ERROR_NO_PROCESS, "Inferior ID %u not known.", number);
	return TL_OK;
}

enum tl_status tl_session_remove_inferior(struct tl_session *session, tl_u32 number, struct tl_error *error)
{
	struct tl_debugged *debugged;

	TL_TRY(find(session, number, &debugged, error));
	if (debugged == session->current)
		return TL_FAIL(error, TL_ERROR_STATE, "Can not remove current inferior %u.", number);
	if (debugged->process != 0)
		return TL_FAIL(error, TL_ERROR_STATE, "Can not remove active inferior %u.", number);
	take_out(session, debugged);
	tl_breakpoints_resolve(session);
	return TL_OK;
}

enum tl_status tl_session_select_inferior(struct tl_session *session, tl_u32 number, struct tl_error *error)
{
	struct tl_thread_info info = {.id = {0, 0}};
	struct tl_debugged *debugged;

	TL_TRY(find(session, number, &debugged, error));
	if (debugged == session->current)
		return TL_OK;
	if (debugged->process != 0)
		while (tl_engine_next_thread(session->engine, info.id, &info))
			if (info.id.process == debugged->process)
				return tl_session_select_thread(session, info.id, error);
	tl_session_set_selected(session, (struct tl_thread_id){0}, 0);
	session->current = debugged;
	return TL_OK;
}
