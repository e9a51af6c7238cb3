#include "debugger/modules/source_list.h"

#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct sources {
	bool (*call)(void *context, const char *path);
	void *context;
	void *seen; /* tsearch's */
	bool no_memory, ended;
};

static int by_text(const void *left, const void *right)
{
	return strcmp(left, right);
}

/* A path is told without ".." where it leads to a file. */
static void tell(struct sources *sources, const char *path)
{
	char *copy, real[PATH_MAX];
	void *node;

	if (strstr(path, "/.") != NULL && realpath(path, real) != NULL)
		path = real;
	if (tfind(path, &sources->seen, by_text) != NULL)
		return;
	copy = strdup(path);
	node = copy != NULL ? tsearch(copy, &sources->seen, by_text) : NULL;
	if (node == NULL) {
		free(copy);
		sources->no_memory = true;
		return;
	}
	sources->ended = !sources->call(sources->context, path);
}

static bool tell_table(void *context, const struct tl_line_table *table)
{
	struct sources *sources = context;
	char path[PATH_MAX];

	for (tl_size i = 0; i <= table->file_count && !sources->no_memory && !sources->ended; i++) {
		tl_size size = tl_line_table_path(table, i, true, path, sizeof(path));

		if (size != 0 && size < sizeof(path))
			tell(sources, path);
	}
	return !sources->no_memory && !sources->ended;
}

enum tl_status tl_module_sources(const struct tl_module *module, bool (*call)(void *context, const char *path),
				 void *context, struct tl_error *error)
{
	struct sources sources = {.call = call, .context = context};
	enum tl_status status = TL_OK;

	if (module->binary->lines != NULL)
		status = tl_lines_files(module->binary->lines, tell_table, &sources, error);
	tdestroy(sources.seen, free);
	if (status == TL_OK && sources.no_memory)
		status = TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the list of files");
	return status;
}
