/*
 * A program that runs under the process target, with its modules: what tests of frames and values stand on. It has no
 * environment, and stands at the same addresses each time.
 */
#ifndef TL_TESTS_DEBUGGER_STOPPED_H
#define TL_TESTS_DEBUGGER_STOPPED_H

#include "debugger/modules/places.h"
#include "tests/unit/process_harness.h"

static struct session session;
static struct tl_binaries *binaries;
static struct tl_modules *modules;
static struct tl_places *places;
static struct tl_error error;

static inline bool fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, error.text);
	return false;
}

static inline enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	tl_size done = 0;

	(void)context;
	if (tl_engine_read_memory(session.engine, session.process, address, buffer, size, &done) != TL_OK ||
	    done != size)
		return TL_ERROR_MEMORY;
	return TL_OK;
}

static inline bool update_modules(void)
{
	tl_u8 auxv[4096];
	tl_size size = 0;
	bool changed;

	if (session.target->ops->read_object(session.target, session_leader(&session), TL_OBJECT_AUXV, 0, auxv,
					     sizeof(auxv), &size) != TL_OK)
		return fail("no auxiliary vector");
	if (tl_modules_update(modules, session.program, auxv, size, &changed, &error) != TL_OK)
		return fail("no modules");
	if (tl_modules_remark(modules) != NULL)
		fprintf(stderr, "%s\n", tl_modules_remark(modules));
	return true;
}

static inline bool launch(const char *program)
{
	const char *words[] = {program, NULL}, *environment[] = {NULL};
	const struct tl_memory_access memory = {.read = read_memory};
	const struct tl_binaries_options options = {.no_cache = true, .threads = 1};
	struct tl_launch how = {.arguments = words, .environment = environment, .output = "/dev/null"};
	const char *detail = "";

	if (!session_open(&session, program, NULL))
		return false;
	if (session.target->ops->launch(session.target, &how, &session.process, &detail) != TL_OK) {
		fprintf(stderr, "launch: %s\n", detail);
		return false;
	}
	if (tl_binaries_open(&binaries, session.loop, &options, &error) != TL_OK ||
	    tl_modules_open(&modules, binaries, &error) != TL_OK || tl_places_open(&places, modules, &error) != TL_OK)
		return fail("cannot begin");
	tl_modules_set_memory(modules, &memory);
	return update_modules();
}

static inline bool insert(tl_u64 address)
{
	struct tl_point_request request = {.kind = TL_POINT_SOFTWARE, .address = address, .size = 1};

	return tl_engine_insert_point(session.engine, session.process, &request) == TL_OK;
}

/* Points at all addresses that stand in a file, a line each. */
static inline bool insert_all(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[64];
	bool good = true;

	if (file == NULL)
		return fail(path);
	while (good && fgets(line, sizeof(line), file) != NULL)
		good = insert(strtoull(line, NULL, 16)) || fail(line);
	(void)fclose(file);
	return good;
}

/* Runs to a function, with everything loaded then. */
static inline bool run_to(const char *name)
{
	tl_u64 address;

	if (!tl_modules_symbol_address(modules, NULL, name, &address) || !insert(address) ||
	    !session_continue(&session, 0) || session.report.event.kind != TL_EVENT_TRAP)
		return fail(name);
	return tl_engine_remove_point(session.engine, session.process, TL_POINT_SOFTWARE, address, 1) == TL_OK &&
	       update_modules();
}

static inline void finish(void)
{
	tl_places_close(places);
	tl_modules_close(modules);
	tl_binaries_close(binaries);
	session_close(&session);
	places = NULL;
	modules = NULL;
	binaries = NULL;
}

#endif
