/*
 * Files of an inferior: the program that is started, the file that its names are read from, and those that a person
 * added.
 */
#include "debugger/session/session_internal.h"

#include "base/storage.h"

#include <stdlib.h>
#include <string.h>

/* ---- What is known of names, in both lists of modules ---- */

void tl_session_prepare_modules(struct tl_session *session, const struct tl_debugged *debugged,
				struct tl_modules *modules)
{
	struct tl_error error;

	tl_modules_set_offset(modules, debugged->symbols_offset);
	for (tl_size i = 0; i < debugged->added_count; i++) {
		const struct tl_added_symbols *added = &debugged->added[i];

		if (tl_modules_add_file(modules, added->path, added->bias, &error) != TL_OK)
			tl_session_remark(session, "warning: %s", error.text);
	}
}

/* Names are others now, wherever they were used. */
static void names_changed(struct tl_session *session)
{
	tl_session_forget_stop(session);
	tl_session_set_base(session, NULL, 0);
	tl_breakpoints_resolve(session);
}

static enum tl_status whole_path(const char *path, char **path_ret, struct tl_error *error)
{
	*path_ret = path != NULL ? realpath(path, NULL) : NULL;
	if (path != NULL && *path_ret == NULL)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "%s: No such file or directory.", path);
	return TL_OK;
}

/* The program as linked is this file from now on; NULL: there is none. */
static enum tl_status read_names(struct tl_session *session, struct tl_debugged *debugged, const char *path,
				 tl_u64 offset, struct tl_error *error)
{
	struct tl_modules *modules;
	enum tl_status status = TL_OK;
	tl_u64 before = debugged->symbols_offset;

	TL_TRY(tl_modules_open(&modules, session->binaries, error));
	debugged->symbols_offset = offset;
	tl_session_prepare_modules(session, debugged, modules);
	if (path != NULL)
		status = tl_modules_set_program(modules, path, error);
	if (status != TL_OK) {
		debugged->symbols_offset = before;
		tl_modules_close(modules);
		return status;
	}
	tl_session_forget_stop(session);
	tl_modules_close(debugged->linked);
	debugged->linked = modules;
	return TL_OK;
}

void tl_session_place_program(struct tl_session *session, struct tl_debugged *debugged)
{
	struct tl_target *target = session->target;
	const struct tl_module *program = NULL;
	struct tl_thread_id thread;
	tl_u64 start, end, offset;
	enum tl_status status;
	tl_u8 address[8];
	tl_size done = 0;

	if (debugged->process == 0 || target->ops->read_object == NULL ||
	    !tl_engine_stopped_thread(session->engine, debugged->process, &thread))
		return;
	status = target->ops->read_object(target, thread, TL_OBJECT_TEXT_ADDRESS, 0, address, sizeof(address), &done);
	debugged->awaited = status == TL_ERROR_STATE;
	if (status == TL_OK && done == sizeof(address))
		program = tl_modules_get(debugged->modules, 0);
	if (program == NULL || !program->program)
		return;
	tl_module_text(program, &start, &end);
	offset = tl_load_little(address, sizeof(address)) - (start - program->bias);
	if (offset == program->bias)
		return;
	debugged->symbols_offset = offset;
	tl_modules_set_offset(debugged->modules, offset);
	tl_session_remark(session, "%s runs %s0x%llx from where it was linked.", program->binary->path,
			  (tl_i64)offset < 0 ? "-" : "",
			  (unsigned long long)((tl_i64)offset < 0 ? 0 - offset : offset));
	tl_session_update_modules(session, debugged);
}

/* What runs is of that file, too. */
static void tell_process(struct tl_session *session, struct tl_debugged *debugged, const char *path)
{
	char *copy = path != NULL && debugged->process != 0 ? strdup(path) : NULL;

	if (copy == NULL)
		return;
	free(debugged->path);
	debugged->path = copy;
	tl_modules_set_offset(debugged->modules, debugged->symbols_offset);
	tl_session_update_modules(session, debugged);
	tl_session_place_program(session, debugged);
}

/* ---- The program ---- */

enum tl_status tl_session_set_executable(struct tl_session *session, const char *path, struct tl_error *error)
{
	struct tl_debugged *debugged = session->current;
	struct tl_binary *binary;
	char *whole;

	TL_TRY(whole_path(path, &whole, error));
	if (whole != NULL && tl_binaries_get(session->binaries, whole, &binary, error) != TL_OK) {
		free(whole);
		return TL_ERROR_MALFORMED;
	}
	/* The names that are known stay those of the file before. */
	if (debugged->symbols == NULL && debugged->program != NULL)
		debugged->symbols = debugged->program;
	else
		free(debugged->program);
	debugged->program = whole;
	return TL_OK;
}

enum tl_status tl_session_set_symbols(struct tl_session *session, const char *path, tl_u64 offset,
				      struct tl_error *error)
{
	struct tl_debugged *debugged = session->current;
	enum tl_status status;
	char *whole;

	TL_TRY(whole_path(path, &whole, error));
	status = read_names(session, debugged, whole, offset, error);
	if (status != TL_OK) {
		free(whole);
		return status;
	}
	free(debugged->symbols);
	debugged->symbols = whole;
	tell_process(session, debugged, whole);
	names_changed(session);
	return TL_OK;
}

/* ---- Further files ---- */

enum tl_status tl_session_add_symbols(struct tl_session *session, const char *path, tl_u64 bias, struct tl_error *error)
{
	struct tl_debugged *debugged = session->current;
	enum tl_status status = TL_OK;
	char *whole;

	TL_TRY(whole_path(path, &whole, error));
	if (!tl_grow(tl_storage(), (void **)&debugged->added, &debugged->added_capacity, debugged->added_count,
		     sizeof(*debugged->added)))
		status = TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for one more file");
	if (status == TL_OK)
		status = tl_modules_add_file(debugged->linked, whole, bias, error);
	if (status == TL_OK && debugged->modules != NULL)
		status = tl_modules_add_file(debugged->modules, whole, bias, error);
	if (status != TL_OK) {
		free(whole);
		return status;
	}
	debugged->added[debugged->added_count++] = (struct tl_added_symbols){whole, bias};
	names_changed(session);
	return TL_OK;
}

const char *tl_session_added_symbols(const struct tl_session *session, tl_size index, tl_u64 *bias_ret)
{
	const struct tl_debugged *debugged = session->current;

	if (index >= debugged->added_count)
		return NULL;
	*bias_ret = debugged->added[index].bias;
	return debugged->added[index].path;
}

enum tl_status tl_session_remove_symbols(struct tl_session *session, const char *path, tl_u64 bias,
					 struct tl_error *error)
{
	struct tl_debugged *debugged = session->current;
	struct tl_error none;
	tl_size index = 0;
	char *kept;

	while (index < debugged->added_count &&
	       (debugged->added[index].bias != bias || strcmp(debugged->added[index].path, path) != 0))
		index++;
	if (index == debugged->added_count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No symbol file found");
	kept = debugged->added[index].path;
	debugged->added[index] = debugged->added[--debugged->added_count];
	(void)!tl_modules_remove_file(debugged->linked, kept, bias, &none);
	if (debugged->modules != NULL)
		(void)!tl_modules_remove_file(debugged->modules, kept, bias, &none);
	free(kept);
	names_changed(session);
	return TL_OK;
}

enum tl_status tl_session_set_sysroot(struct tl_session *session, const char *path, struct tl_error *error)
{
	TL_TRY(tl_binaries_set_sysroot(session->binaries, path, error));
	for (tl_size i = 0; i < session->inferior_count; i++)
		tl_session_update_modules(session, session->inferiors[i]);
	names_changed(session);
	return TL_OK;
}

void tl_inferior_release_symbols(struct tl_debugged *debugged)
{
	for (tl_size i = 0; i < debugged->added_count; i++)
		free(debugged->added[i].path);
	tl_release(tl_storage(), debugged->added, debugged->added_capacity * sizeof(*debugged->added));
	free(debugged->symbols);
}
