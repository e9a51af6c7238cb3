/*
 * What a machine as a whole is doing, and who wants to know.
 *
 *              ┌────────────── go ◀─────────────┐
 *   AT_RESET ──┴─▶ RUNNING ──┬── asked to ──▶ PAUSED ──┐
 *      ▲                     ├── a point ───▶ DEBUG  ──┤
 *      │                     ├── off ───────▶ OFF    ──┤
 *      │                     └── failure ───▶ FAILED ──┤
 *      └───────────────────── reset ───────────────────┘
 *
 * The state changes in one function, on the control thread. Its subscribers are told behind the change, in the order in
 * which they came; they do not change it themselves from inside.
 */
#ifndef TL_MACHINE_RUN_STATE_H
#define TL_MACHINE_RUN_STATE_H

#include "core/types.h"

enum tl_run_state {
	TL_RUN_STATE_AT_RESET, /* nothing was carried out yet */
	TL_RUN_STATE_RUNNING,  /* some hart may */
	TL_RUN_STATE_PAUSED,   /* the debugger asked for it */
	TL_RUN_STATE_DEBUG,    /* at a point, behind a watchpoint, or a step is done */
	TL_RUN_STATE_OFF,      /* the guest switched the machine off, or the debugger did */
	TL_RUN_STATE_FAILED,   /* the same, with a failure */
	TL_RUN_STATE_MAX
};

struct tl_run_subscriber {
	void (*changed)(void *context, enum tl_run_state before, enum tl_run_state now);
	void *context;
	struct tl_run_subscriber *next;
};

/* {0} is a machine at reset that nobody is told of. */
struct tl_run_states {
	enum tl_run_state state;
	struct tl_run_subscriber *first;
	tl_u64 changes;
};

/* The subscriber is borrowed until it is removed. */
void tl_run_state_subscribe(struct tl_run_states *states, struct tl_run_subscriber *subscriber);
void tl_run_state_unsubscribe(struct tl_run_states *states, struct tl_run_subscriber *subscriber);

/* False, and nothing happens, for a change that is not in the picture above. To the same state: true, and quiet. */
bool tl_run_state_change(struct tl_run_states *states, enum tl_run_state now);

/* "running", for people. */
const char *tl_run_state_name(enum tl_run_state state);

#endif
