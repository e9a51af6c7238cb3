/*
 * Conditions of a point, for targets that decide beside the program whether it stops: a copy of the engine's verified
 * bytecode, of which any that is true stops.
 */
#ifndef TL_BASE_CONDITIONS_H
#define TL_BASE_CONDITIONS_H

#include "core/agent/agent.h"

/* One block of storage: the bytecode is behind the list. Not changed while it is there: any thread may evaluate it. */
struct tl_conditions {
	tl_size size;  /* of all of it, in bytes */
	tl_size count; /* of items */
	struct tl_agent_code items[];
};

/* A copy, to be dropped by the caller. NULL for `count` 0 and when there is no memory: both mean "always stop". */
struct tl_conditions *tl_conditions_copy(const struct tl_agent_code *items, tl_size count);
/* NULL is fine. */
void tl_conditions_drop(struct tl_conditions *conditions);

/*
 * Whether the point stops: any condition is true, or fails, as the engine finds out why when it decides again. NULL
 * conditions always hold.
 */
bool tl_conditions_hold(const struct tl_conditions *conditions, const struct tl_agent_environment *environment);

#endif
