/* What a session asks of its steps (debugger/session/steps.h). */
#ifndef TL_DEBUGGER_STEPS_INTERNAL_H
#define TL_DEBUGGER_STEPS_INTERNAL_H

#include "debugger/session/session.h"
#include "debugger/session/steps.h"

/* Begins a plan; the program stands. Afterwards `active` says whether it is one that is followed at all. */
TL_CHECKED enum tl_status tl_steps_begin(struct tl_session *session, const struct tl_plan *plan,
					 struct tl_error *error);

/* A step into inlined functions that begin right here needs no running: true when that was all. */
bool tl_steps_at_once(struct tl_session *session);

/* How the thread is to run now: a step, a range of code, or to where it is waited for. */
void tl_steps_action(const struct tl_session *session, struct tl_action *action);

/* Is the place at which the thread stands the one that is waited for, in the right frame? */
bool tl_steps_at(struct tl_session *session, tl_u64 address);

/* The thread has done what tl_steps_action said: what now? */
enum tl_steps_verdict tl_steps_next(struct tl_session *session);

/* A signal is delivered in the middle of a step: it goes on where the handler returns to. */
void tl_steps_over_handler(struct tl_session *session);

/* After a finish: what the function returned, into the stop and the history. The frame is selected. */
void tl_steps_take_returned(struct tl_session *session);

/* The plan is over, whatever ended it. */
void tl_steps_end(struct tl_session *session);

/* Makes a stop of a plan that is done (session_run.c). */
void tl_session_finish_step(struct tl_session *session);

#endif
