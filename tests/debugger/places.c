/*
 * Where the places are that a person names.
 *
 *     places PROGRAM < PLACES            one a line, in a program that does not run
 *     places PROGRAM FUNCTION < PLACES   the same where a program stands when it first calls FUNCTION
 *
 * Writes for each its places, one a line: address, line, file, function, and marks ("inlined" for a copy, "resolver"),
 * between tabs; or "error: " and the sentence. Behind each answer a line "--". "list PLACE" asks for lines, as `list`.
 */
#define HARNESS_NAME "places"
#include "tests/unit/process_harness.h"

#include "debugger/modules/linespec.h"

static struct session session;
static struct tl_binaries *binaries;
static struct tl_modules *modules;
static struct tl_linespec_base base;
static char base_file[4096];

/* ---- A program that runs ---- */

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	tl_size done = 0;

	(void)context;
	if (tl_engine_read_memory(session.engine, session.process, address, buffer, size, &done) != TL_OK ||
	    done != size)
		return TL_ERROR_MEMORY;
	return TL_OK;
}

static enum tl_status update(struct tl_error *error)
{
	tl_u8 vector[4096];
	tl_size size = 0;
	bool changed;

	TL_TRY(session.target->ops->read_object(session.target, session_leader(&session), TL_OBJECT_AUXV, 0, vector,
						sizeof(vector), &size));
	return tl_modules_update(modules, session.program, vector, size, &changed, error);
}

static bool run_to(tl_u64 address)
{
	struct tl_point_request request = {.kind = TL_POINT_SOFTWARE, .address = address, .size = 1};
	bool came;

	if (tl_engine_insert_point(session.engine, session.process, &request) != TL_OK)
		return false;
	came = session_continue(&session, 0) && session.report.event.kind == TL_EVENT_TRAP;
	(void)tl_engine_remove_point(session.engine, session.process, TL_POINT_SOFTWARE, address, 1);
	return came;
}

/* Runs to where a breakpoint at the function stands, with all its libraries, and stands there. */
static enum tl_status start(const char *function, struct tl_error *error)
{
	static const struct tl_memory_access memory = {.read = read_memory};
	const char *words[] = {session.program, NULL};
	struct tl_code_places places;
	struct tl_code_line line;
	const char *rest;
	bool came;

	if (!session_launch_words(&session, words, false))
		return TL_FAIL(error, TL_ERROR_LAUNCH, "%s cannot be started", session.program);
	tl_modules_set_memory(modules, &memory);
	TL_TRY(update(error));
	TL_TRY(tl_linespec_find(modules, NULL, NULL, function, false, &places, &rest, error));
	base.address = places.items[0].address;
	tl_code_places_release(&places);
	came = run_to(base.address);
	TL_TRY(update(error));
	if (!came || !tl_modules_line(modules, base.address, &line))
		return TL_FAIL(error, TL_ERROR_STATE, "%s was never reached", function);
	base.line = line.row->line;
	(void)tl_line_table_path(line.table, line.row->file, true, base_file, sizeof(base_file));
	base.file = base_file;
	return TL_OK;
}

/* ---- Answers ---- */

static const char *last_part(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;

	return slash != NULL ? slash + 1 : path != NULL ? path : "";
}

/* What was understood can be read again, from anywhere. */
static void ask_again(const struct tl_code_places *places)
{
	struct tl_code_places again = {0};
	struct tl_error error = {0};
	const char *rest = "";
	bool same = tl_linespec_find(modules, NULL, NULL, places->text, false, &again, &rest, &error) == TL_OK &&
		    again.count == places->count && *rest == '\0' && strcmp(again.text, places->text) == 0;

	for (tl_size i = 0; same && i < again.count; i++)
		same = again.items[i].address == places->items[i].address;
	if (!same)
		printf("error: it is not \"%s\": %s\n", places->text, error.text);
	tl_code_places_release(&again);
}

static void answer(const char *text)
{
	struct tl_code_places places = {0};
	struct tl_error error;
	const char *rest = "";
	enum tl_status status;

	if (strncmp(text, "list ", 5) == 0)
		status = tl_linespec_line(modules, &base, NULL, text + 5, &places, &rest, &error);
	else
		status = tl_linespec_find(modules, &base, NULL, text, false, &places, &rest, &error);
	if (status != TL_OK)
		printf("error: %s\n", error.text);
	for (tl_size i = 0; i < places.count; i++) {
		const struct tl_code_place_found *place = &places.items[i];

		printf("0x%llx\t%u\t%s\t%s\t%s%s\n", (unsigned long long)place->address, place->line,
		       last_part(place->file), place->name != NULL ? place->name : "", place->inlined ? "inlined" : "",
		       place->resolver ? "resolver" : "");
	}
	if (*rest != '\0')
		printf("rest: %s\n", rest);
	if (status == TL_OK && places.count != 0 && places.items[0].address != 0)
		ask_again(&places);
	printf("--\n");
	tl_code_places_release(&places);
}

static enum tl_status open_program(const char *program, const char *function, struct tl_error *error)
{
	struct tl_binaries_options options = {.no_cache = true};

	if (!session_open(&session, program, NULL))
		return TL_FAIL(error, TL_ERROR_INTERNAL, "there is no session");
	TL_TRY(tl_binaries_open(&binaries, session.loop, &options, error));
	TL_TRY(tl_modules_open(&modules, binaries, error));
	return function != NULL ? start(function, error) : tl_modules_set_program(modules, program, error);
}

int main(int count, char **arguments)
{
	struct tl_error error;
	char line[4096];

	if (count < 2 || open_program(arguments[1], count > 2 ? arguments[2] : NULL, &error) != TL_OK) {
		fprintf(stderr, "places: %s\n", count < 2 ? "name one program" : error.text);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		answer(line);
	}
	if (count > 2)
		tl_engine_kill(session.engine, session.process);
	tl_modules_close(modules);
	tl_binaries_close(binaries);
	session_close(&session);
	return 0;
}
