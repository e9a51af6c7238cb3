#include "machine/run_state.h"

#define TO(state) (1u << TL_RUN_STATE_##state)

/* Where each state leads. */
static const tl_u8 ways[TL_RUN_STATE_MAX] = {
	[TL_RUN_STATE_AT_RESET] = TO(RUNNING) | TO(OFF),
	[TL_RUN_STATE_RUNNING] = TO(PAUSED) | TO(DEBUG) | TO(OFF) | TO(FAILED) | TO(AT_RESET),
	[TL_RUN_STATE_PAUSED] = TO(RUNNING) | TO(OFF) | TO(AT_RESET),
	[TL_RUN_STATE_DEBUG] = TO(RUNNING) | TO(OFF) | TO(AT_RESET),
	[TL_RUN_STATE_OFF] = TO(AT_RESET),
	[TL_RUN_STATE_FAILED] = TO(AT_RESET),
};

void tl_run_state_subscribe(struct tl_run_states *states, struct tl_run_subscriber *subscriber)
{
	struct tl_run_subscriber **at = &states->first;

	while (*at != NULL)
		at = &(*at)->next;
	subscriber->next = NULL;
	*at = subscriber;
}

void tl_run_state_unsubscribe(struct tl_run_states *states, struct tl_run_subscriber *subscriber)
{
	for (struct tl_run_subscriber **at = &states->first; *at != NULL; at = &(*at)->next) {
		if (*at == subscriber) {
			*at = subscriber->next;
			return;
		}
	}
}

bool tl_run_state_change(struct tl_run_states *states, enum tl_run_state now)
{
	enum tl_run_state before = states->state;
	struct tl_run_subscriber *subscriber, *next;

	if (before == now)
		return true;
	if ((ways[before] >> now & 1) == 0)
		return false;
	states->state = now;
	states->changes++;
	for (subscriber = states->first; subscriber != NULL; subscriber = next) {
		next = subscriber->next;
		subscriber->changed(subscriber->context, before, now);
	}
	return true;
}

const char *tl_run_state_name(enum tl_run_state state)
{
	static const char *const names[TL_RUN_STATE_MAX] = {[TL_RUN_STATE_AT_RESET] = "paused at reset",
							    [TL_RUN_STATE_RUNNING] = "running",
							    [TL_RUN_STATE_PAUSED] = "paused",
							    [TL_RUN_STATE_DEBUG] = "stopped for the debugger",
							    [TL_RUN_STATE_OFF] = "switched off",
							    [TL_RUN_STATE_FAILED] = "failed"};

	return state < TL_RUN_STATE_MAX ? names[state] : "?";
}
