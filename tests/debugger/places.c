/*
 * Where the places are that a person names, in a program that does not run.
 *
 *     places PROGRAM < PLACES            one a line; "list " in front: the lines, for `list`
 *
 * Writes for each its places, one a line: address, line, file, function, and "inlined" for
 * a copy, between tabs; or "error: " and the
 * sentence. Behind each answer a line "--".
 */
#include "debugger/linespec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct session {
	struct tl_loop *loop;
	struct tl_binaries *binaries;
	struct tl_modules *modules;
};

static enum tl_status open_program(struct session *session, const char *path, struct tl_error *error)
{
	struct tl_binaries_options options = {.no_cache = true};

	TL_TRY(tl_loop_create(&session->loop, error));
	TL_TRY(tl_binaries_open(&session->binaries, session->loop, &options, error));
	TL_TRY(tl_modules_open(&session->modules, session->binaries, error));
	return tl_modules_set_program(session->modules, path, error);
}

static const char *base_of(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;

	return slash != NULL ? slash + 1 : path != NULL ? path : "";
}

static void answer(const struct session *session, const char *text)
{
	struct tl_code_places places = {0};
	struct tl_error error;
	const char *rest = "";
	enum tl_status status;
	bool list = strncmp(text, "list ", 5) == 0;

	if (list)
		status = tl_linespec_line(session->modules, NULL, NULL, text + 5, &places, &rest, &error);
	else
		status = tl_linespec_find(session->modules, NULL, NULL, text, false, &places, &rest, &error);
	if (status != TL_OK)
		printf("error: %s\n", error.text);
	for (tl_size i = 0; i < places.count; i++)
		printf("0x%llx\t%u\t%s\t%s\t%s\n", (unsigned long long)places.items[i].address, places.items[i].line,
		       base_of(places.items[i].file), places.items[i].name != NULL ? places.items[i].name : "",
		       places.items[i].inlined ? "inlined" : "");
	if (*rest != '\0')
		printf("rest: %s\n", rest);
	printf("--\n");
	tl_code_places_release(&places);
}

int main(int count, char **arguments)
{
	struct session session = {0};
	struct tl_error error;
	char line[1024];

	if (count < 2 || open_program(&session, arguments[1], &error) != TL_OK) {
		fprintf(stderr, "places: %s\n", count < 2 ? "name one program" : error.text);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		answer(&session, line);
	}
	tl_modules_close(session.modules);
	tl_binaries_close(session.binaries);
	tl_loop_destroy(session.loop);
	return 0;
}
