/*
 * Steps while time runs backwards. What is looked at is the same as forwards; what differs is which end of things one
 * comes to first: lines by their last instruction, functions by their return, and they are left by the instruction that
 * called them.
 */
#include "debugger/session/session_internal.h"
#include "debugger/session/steps_internal.h"

static bool at_beginning(const struct tl_here *here)
{
	return here->outer->function_start == 0 || here->at == here->outer->function_start;
}

/*
 * All of the function is run through, back to its first instruction; from there one more leads to its call. The range
 * is kept, since the call is part of the line that is stepped in.
 */
static enum tl_steps_verdict to_beginning(struct tl_session *session, const struct tl_here *here)
{
	if (at_beginning(here))
		return TL_STEPS_ON;
	return tl_steps_wait_at(session, TL_WAIT_STEP, here->outer->function_start, here->outer->frame_address)
		       ? TL_STEPS_ON
		       : TL_STEPS_DONE;
}

/* The thread came to the end of a function that was called from the frame that is stepped in. */
static enum tl_steps_verdict returned(struct tl_session *session, const struct tl_here *here)
{
	struct tl_steps *steps = &session->steps;

	if (steps->instructions && !steps->over)
		return tl_steps_done(session, here, here->hidden);
	/* The function that it led to lies behind: a few instructions more, and it is the call. */
	if (tl_steps_is_stub(session, here))
		return TL_STEPS_ON;
	if (steps->over || (!here->has_line && !session->settings.step_into_unknown) ||
	    tl_steps_skips(session, here->outer))
		return to_beginning(session, here);
	if (!here->has_line)
		return tl_steps_done(session, here, here->hidden);
	if (here->at == tl_steps_first(here))
		return tl_steps_done(session, here, here->hidden);
	/* Entered: from now on its last line is what is stepped in. */
	tl_steps_set_range(session, here);
	return TL_STEPS_ON;
}

/*
 * Is it the frame that is stepped in? One that nobody called is, whatever has become of its stack pointer: code that
 * starts a machine sets it.
 */
static bool in_frame(const struct tl_session *session, const struct tl_here *here)
{
	const struct tl_frame_identity now = tl_steps_identify(here->frame, here->outer);
	const struct tl_frame_identity *frame = &session->steps.frame;

	return tl_same_identity(&now, frame) ||
	       (here->caller == NULL && now.outer == frame->outer && now.function == frame->function);
}

enum tl_steps_verdict tl_steps_back(struct tl_session *session, const struct tl_here *here)
{
	struct tl_steps *steps = &session->steps;
	const enum tl_steps_wait wait = steps->wait;

	if (tl_steps_is_place(session, here->at)) {
		tl_steps_stop_waiting(session);
		return tl_steps_done(session, here, here->hidden);
	}
	tl_steps_stop_waiting(session);
	if (wait == TL_WAIT_CALL) {
		steps->instructions = true;
		return TL_STEPS_ON;
	}
	if (wait == TL_WAIT_STEP)
		return TL_STEPS_ON;
	if (here->at - steps->start < steps->end - steps->start && in_frame(session, here))
		return here->at != steps->start || at_beginning(here) ? TL_STEPS_ON
								      : tl_steps_done(session, here, here->hidden);
	if (tl_steps_is_called(session, here))
		return returned(session, here);
	if (steps->instructions)
		return tl_steps_done(session, here, here->hidden);
	/* What is left of a handler, and stubs of the linkage table, are passed through. */
	if (here->frame->signal || tl_steps_is_stub(session, here))
		return TL_STEPS_ON;
	if (!here->has_line)
		return tl_steps_done(session, here, here->hidden);
	return tl_steps_within(session, here);
}

enum tl_status tl_steps_begin_back_finish(struct tl_session *session, struct tl_stack *stack,
					  const struct tl_stack_frame *frame, struct tl_error *error)
{
	struct tl_steps *steps = &session->steps;
	const struct tl_stack_frame *outer = tl_steps_outermost(stack, frame);

	steps->over = false;
	if (outer->function_start == 0)
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "Cannot find bounds of current function");
	if (outer->level == 0 && outer->program_counter == outer->function_start) {
		steps->instructions = true;
		return TL_OK;
	}
	if (!tl_steps_wait_at(session, TL_WAIT_CALL, outer->function_start, outer->frame_address))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for a point");
	return TL_OK;
}
