/* The dynamic linker has changed its list: what came and what went, and whether that was to be caught. */
#include "debugger/session/session_internal.h"

#include "base/storage.h"
#include "symbols/output.h"

#include <stdlib.h>
#include <string.h>

/* A library as it stood in the list. Binaries are kept when they go from a process, and so are their paths. */
struct listed {
	const struct tl_binary *binary;
	tl_u64 bias;
};

struct listing {
	struct listed *items;
	tl_size count, capacity;
};

static void take_listing(const struct tl_modules *modules, struct listing *listing)
{
	const struct tl_module *module;

	for (tl_size i = 0; (module = tl_modules_get(modules, i)) != NULL; i++) {
		if (!tl_grow(tl_storage(), (void **)&listing->items, &listing->capacity, listing->count,
			     sizeof(*listing->items)))
			return;
		listing->items[listing->count++] = (struct listed){module->binary, module->bias};
	}
}

static void release_listing(struct listing *listing)
{
	tl_release(tl_storage(), listing->items, listing->capacity * sizeof(*listing->items));
}

static bool is_listed(const struct listing *listing, const struct listed *sought)
{
	for (tl_size i = 0; i < listing->count; i++)
		if (listing->items[i].binary == sought->binary && listing->items[i].bias == sought->bias)
			return true;
	return false;
}

/* Those of the one that the other has not. */
static void subtract(const struct listing *from, const struct listing *other, struct tl_libraries *libraries)
{
	libraries->paths = calloc(from->count + 1, sizeof(*libraries->paths));
	for (tl_size i = 0; libraries->paths != NULL && i < from->count; i++)
		if (!is_listed(other, &from->items[i]))
			libraries->paths[libraries->count++] = from->items[i].binary->path;
}

static void write_paths(struct tl_output *output, const char *title, const struct tl_libraries *libraries)
{
	for (tl_size i = 0; i < libraries->count; i++)
		tl_output_format(output, "%s%s\n", i == 0 ? title : "    ", libraries->paths[i]);
}

/* What a person is told, in gdb's words, as long as this is the stop. */
static void keep_text(struct tl_session *session, const struct tl_libraries *added, const struct tl_libraries *removed)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);

	write_paths(&output, "  Inferior unloaded ", removed);
	write_paths(&output, "  Inferior loaded ", added);
	free(session->libraries);
	session->libraries = strdup(tl_output_string(&output));
	session->stop.libraries = session->libraries != NULL ? session->libraries : "";
	tl_output_release(&output);
}

bool tl_session_library_changed(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_debugged *debugged = tl_session_debugged(session, thread.process);
	struct tl_libraries added = {0}, removed = {0};
	struct listing before = {0}, after = {0};
	bool stops = false;

	if (debugged == NULL)
		return false;
	if (!session->settings.stop_on_library && !tl_breakpoints_catches(session, TL_CATCH_LOAD) &&
	    !tl_breakpoints_catches(session, TL_CATCH_UNLOAD)) {
		tl_session_update_modules(session, debugged);
		return false;
	}
	take_listing(debugged->modules, &before);
	tl_session_update_modules(session, debugged);
	take_listing(debugged->modules, &after);
	subtract(&after, &before, &added);
	subtract(&before, &after, &removed);
	if (added.count != 0 || removed.count != 0) {
		stops = tl_breakpoints_catch_libraries(session, thread, &added, &removed, &session->stop) ||
			session->settings.stop_on_library;
		if (stops)
			keep_text(session, &added, &removed);
	}
	free(added.paths);
	free(removed.paths);
	release_listing(&before);
	release_listing(&after);
	return stops;
}
