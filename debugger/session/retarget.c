/*
 * Another target under a session that goes on: what is known of programs ends with the old one, what a person set up
 * stays.
 */
#include "debugger/session/session_internal.h"
#include "debugger/session/steps_internal.h"

/* Nothing of ours is to stay in what is left as it is. A target that is gone can be told no more. */
static void take_points_out(struct tl_session *session)
{
	struct tl_breakpoints *points = &session->points;

	for (tl_size i = 0; i < points->inserted_count; i++) {
		const struct tl_inserted *inserted = &points->inserted[i];

		(void)tl_engine_remove_point(session->engine, inserted->process, inserted->kind, inserted->address,
					     inserted->size);
	}
	points->inserted_count = 0;
}

void tl_session_set_target(struct tl_session *session, struct tl_target *target)
{
	take_points_out(session);
	tl_steps_end(session);
	for (tl_size i = 0; i < session->inferior_count; i++)
		if (session->inferiors[i]->process != 0)
			tl_session_remove(session, session->inferiors[i]->process);
	tl_session_prune(session);
	tl_session_forget_stop(session);
	tl_engine_deinit(session->engine);
	session->target = session->options.target = target;
	tl_session_start_engine(session);
	session->thread_count = 0;
	session->youngest = 0;
	session->running = session->interrupted = session->calling = session->stop_ready = session->stale = false;
	session->halting = false;
	session->attaching = 0;
	session->halted = (struct tl_thread_id){0};
	session->forked = (struct tl_event){0};
	session->stop = (struct tl_stop){0};
	session->stopped_at = 0;
}

void tl_session_refresh(struct tl_session *session)
{
	struct tl_thread_info info = {.id = {0, 0}};

	while (tl_engine_next_thread(session->engine, info.id, &info))
		if (info.stopped)
			tl_engine_reread_registers(session->engine, info.id);
	tl_session_forget_stop(session);
	tl_session_set_selected(session, session->selected, 0);
}
