#include "frontends/cli/history.h"

#include "frontends/cli/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>

/* How many lines `show commands` shows. */
#define SHOWN 10

/* Lines of this session that are not on disk, and the number behind those shown last. */
static struct {
	int added;
	int shown;
} state;

char *tl_history_default_file(void)
{
	const char *own = getenv("TRAPLINE_HISTORY"), *folder = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;

	if (own != NULL)
		return strdup(own);
	if (folder != NULL && folder[0] == '/')
		return asprintf(&path, "%s/trapline/history", folder) >= 0 ? path : NULL;
	if (home == NULL || home[0] != '/')
		return NULL;
	return asprintf(&path, "%s/.local/state/trapline/history", home) >= 0 ? path : NULL;
}

void tl_history_limit(tl_u32 limit)
{
	if (limit < (tl_u32)1 << 30)
		stifle_history((int)limit);
	else
		(void)unstifle_history();
}

void tl_history_begin(const char *path, tl_u32 limit)
{
	using_history();
	tl_history_limit(limit);
	if (path != NULL && path[0] != '\0')
		(void)read_history(path);
	state.added = 0;
}

/* Takes away the same line among the last `back` ones. */
static void remove_duplicate(const char *line, tl_u32 back)
{
	for (int at = history_length - 1; at >= 0 && back > 0; at--, back--) {
		const HIST_ENTRY *entry = history_get(history_base + at);

		if (entry == NULL || strcmp(entry->line, line) != 0)
			continue;
		(void)free_history_entry(remove_history(at));
		state.added -= at >= history_length + 1 - state.added;
		return;
	}
}

void tl_history_add(const char *line, tl_u32 back)
{
	const HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;

	if (line[strspn(line, " \t")] == '\0' || (last != NULL && strcmp(last->line, line) == 0))
		return;
	remove_duplicate(line, back);
	add_history(line);
	state.added++;
}

/* Every folder of a path, as mkdir -p; only the person may look into new ones. */
static void make_folders(const char *path)
{
	char *copy = strdup(path);

	for (char *at = copy != NULL ? strchr(copy + 1, '/') : NULL; at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		(void)mkdir(copy, 0700);
		*at = '/';
	}
	free(copy);
}

void tl_history_save(const char *path, tl_u32 limit)
{
	int descriptor;

	if (path == NULL || path[0] == '\0' || state.added == 0)
		return;
	make_folders(path);
	/* append_history wants a file, which must be the person's alone: lines may hold secrets. */
	descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (descriptor < 0)
		return;
	(void)close(descriptor);
	if (state.added > history_length)
		state.added = history_length;
	if (append_history(state.added, path) != 0)
		return;
	state.added = 0;
	if (limit < (tl_u32)1 << 30)
		(void)history_truncate_file(path, (int)limit);
}

void tl_history_show(struct tl_screen *screen, tl_u32 around, bool go_on)
{
	int first = history_base + history_length - SHOWN, end;

	if (go_on)
		first = state.shown;
	else if (around != 0)
		first = (around < (tl_u32)1 << 30 ? (int)around : 1 << 30) - SHOWN / 2;
	if (first < history_base)
		first = history_base;
	end = first + SHOWN;
	if (end > history_base + history_length)
		end = history_base + history_length;
	for (int i = first; i < end; i++) {
		const HIST_ENTRY *entry = history_get(i);

		if (entry != NULL)
			tl_screen_format(screen, "%5d  %s\n", i, entry->line);
	}
	state.shown = end > first ? end : first;
}
