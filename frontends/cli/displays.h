/*
 * Expressions that are shown at each stop (GDB manual, "Automatic Display"). Control thread.
 */
#ifndef TL_FRONTENDS_CLI_DISPLAYS_H
#define TL_FRONTENDS_CLI_DISPLAYS_H

#include "base/error.h"
#include "core/types.h"

struct tl_cli;

struct tl_display {
	tl_u32 number;
	bool enabled;
	char *format; /* behind the slash; "" for none */
	char *expression;
	struct tl_display *next;
};

/* Shows all that are enabled; one that cannot be evaluated here is left out unless it was just made. */
void tl_displays_show(struct tl_cli *cli);
/* Frees one that is in no list; NULL is fine. */
void tl_display_free(struct tl_display *display);
/* Takes those off that the words name by numbers, all if there are none; switches them on or off. */
TL_CHECKED enum tl_status tl_displays_remove(struct tl_cli *cli, const char *words, struct tl_error *error);
TL_CHECKED enum tl_status tl_displays_enable(struct tl_cli *cli, const char *words, bool on, struct tl_error *error);
/* Forgets all. */
void tl_displays_clear(struct tl_cli *cli);

#endif
