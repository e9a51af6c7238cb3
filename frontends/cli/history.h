/*
 * The lines that were typed, kept on disk from one session to the next. readline's own list, in which ^R searches.
 * Control thread only; the list is global because readline's is.
 */
#ifndef TL_FRONTENDS_CLI_HISTORY_H
#define TL_FRONTENDS_CLI_HISTORY_H

#include "core/types.h"

struct tl_screen;

/*
 * Where history is kept unless something else is set: $TRAPLINE_HISTORY, else trapline/history in $XDG_STATE_HOME or
 * ~/.local/state. Allocated; NULL: there is no home.
 */
char *tl_history_default_file(void);

/* Reads a file, which need not be there; NULL: none. At most `limit` lines are kept; all ones: any number. */
void tl_history_begin(const char *path, tl_u32 limit);
void tl_history_limit(tl_u32 limit);

/* Adds a line, unless it is empty or the same as the one before; the same line among the `back` before it goes. */
void tl_history_add(const char *line, tl_u32 back);

/*
 * Adds what came in this session to the file, whatever another session added to it meanwhile, and cuts it to `limit`
 * lines. Makes its folder. Says nothing of failures: they happen at the end.
 */
void tl_history_save(const char *path, tl_u32 limit);

/* Writes lines with their numbers: up to ten around number `around`, the last ten for 0, the ten that follow those
 * shown last where `go_on`. */
void tl_history_show(struct tl_screen *screen, tl_u32 around, bool go_on);

#endif
