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

/* ---- Among the files of steps ---- */

/* Where the thread stands, looked at with all inlined functions that begin at this very address hidden. */
struct tl_here {
	struct tl_stack *stack;
	tl_u64 at;
	tl_u32 hidden;
	const struct tl_stack_frame *frame; /* the innermost that is shown */
	const struct tl_stack_frame *outer; /* the function it was inlined into, which has the machine's frame */
	/* Where that one returns to: functions that ended in a jump are passed. NULL: there is none, or it cannot be
	 * found. */
	const struct tl_stack_frame *caller;
	bool has_line;
	struct tl_code_line line;
};

/* Looks; the caller closes the stack. (steps_look.c, as all down to tl_steps_in_frame.) */
TL_CHECKED enum tl_status tl_steps_look(struct tl_session *session, struct tl_here *here_ret, struct tl_error *error);
/* The line at an address; code of no line is of the line before it, as it is shown. */
bool tl_steps_line_at(struct tl_session *session, tl_u64 address, struct tl_code_line *line_ret);
/* The frame at or outside of `frame` that is no inlined one. */
const struct tl_stack_frame *tl_steps_outermost(struct tl_stack *stack, const struct tl_stack_frame *frame);
/* Where a function returns to: functions that ended in a jump have nothing left to be done. NULL: nowhere known. */
const struct tl_stack_frame *tl_steps_caller(struct tl_stack *stack, const struct tl_stack_frame *outer);
struct tl_frame_identity tl_steps_identify(const struct tl_stack_frame *frame, const struct tl_stack_frame *outer);
bool tl_same_machine_frame(const struct tl_frame_identity *left, const struct tl_frame_identity *right);
bool tl_same_identity(const struct tl_frame_identity *left, const struct tl_frame_identity *right);
/* The range that the thread stands in and need not stop in. It has a line. */
void tl_steps_set_range(struct tl_session *session, const struct tl_here *here);
/* Where the statement begins that the thread stands in: a row that goes on with another's is of that one. */
tl_u64 tl_steps_first(const struct tl_here *here);
/* Is it in the linkage table? */
bool tl_steps_is_stub(struct tl_session *session, const struct tl_here *here);
/* Was the thread called, directly, from the frame that is stepped in? Backwards: did it return to it? */
bool tl_steps_is_called(const struct tl_session *session, const struct tl_here *here);
/* Is it in the machine's frame that is stepped in? */
bool tl_steps_in_frame(const struct tl_session *session, const struct tl_here *here);

/* Waits for the thread at a place, in a frame (0: in any), or one further out; false: there is no storage for that. */
bool tl_steps_wait_at(struct tl_session *session, enum tl_steps_wait wait, tl_u64 address, tl_u64 frame);
void tl_steps_stop_waiting(struct tl_session *session);
/* Is the address one that until or advance go to? */
bool tl_steps_is_place(const struct tl_session *session, tl_u64 address);
/* Was the function told to be passed by? */
bool tl_steps_skips(struct tl_session *session, const struct tl_stack_frame *frame);
/* The step ends here, with so many inlined functions hidden; another begins if there is one left. */
enum tl_steps_verdict tl_steps_done(struct tl_session *session, const struct tl_here *here, tl_u32 hidden);
/* Within functions that were not called: which line is it, and does a statement begin? It has a line. */
enum tl_steps_verdict tl_steps_within(struct tl_session *session, const struct tl_here *here);

/* Backwards (steps_back.c): a step ended, or what was waited for is there. */
enum tl_steps_verdict tl_steps_back(struct tl_session *session, const struct tl_here *here);
/* A finish backwards, of a frame: to the instruction that called it. */
TL_CHECKED enum tl_status tl_steps_begin_back_finish(struct tl_session *session, struct tl_stack *stack,
						     const struct tl_stack_frame *frame, struct tl_error *error);

/* Makes a stop of a plan that is done (session_run.c). */
void tl_session_finish_step(struct tl_session *session);

#endif
