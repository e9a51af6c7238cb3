/*
 * What takes over a second shows how far it is, in a line that goes away when there is something else to show: only
 * where a person sits. Control thread; nothing here waits.
 */
#ifndef TL_FRONTENDS_CLI_PROGRESS_H
#define TL_FRONTENDS_CLI_PROGRESS_H

#include "core/types.h"

struct tl_cli;

struct tl_progress {
	tl_u64 since; /* milliseconds; 0: nothing waits */
	bool shown;
};

/* Something still waits: called every 100 ms or so. */
void tl_progress_tick(struct tl_cli *cli);
/* The line goes away; the next wait begins anew. */
void tl_progress_end(struct tl_cli *cli);
/* The line alone goes away. */
void tl_progress_hide(struct tl_cli *cli);

#endif
