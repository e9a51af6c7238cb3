/* Where a thread that steps stands: its frames, its line, and how the two lie to those that it came from. */
#include "debugger/session/session_internal.h"
#include "debugger/session/steps_internal.h"

/* The line at an address; code of no line is of the line before it, as it is shown. */
bool tl_steps_line_at(struct tl_session *session, tl_u64 address, struct tl_code_line *line_ret)
{
	const struct tl_line_row *row;

	if (!tl_modules_line(tl_session_modules(session), address, line_ret))
		return false;
	for (row = line_ret->row; row->line == 0; row--)
		if (row == line_ret->table->rows || (row[-1].flags & TL_LINE_END) != 0)
			return false;
	return row == line_ret->row ||
	       tl_modules_line(tl_session_modules(session), row->address + line_ret->module->bias, line_ret);
}

/* The frame at or outside of `frame` that is no inlined one. */
const struct tl_stack_frame *tl_steps_outermost(struct tl_stack *stack, const struct tl_stack_frame *frame)
{
	struct tl_error error;

	while (frame->inlined)
		if (tl_stack_frame(stack, frame->level + 1, &frame, &error) != TL_OK)
			break;
	return frame;
}

/* Where a function returns to: functions that ended in a jump have nothing left to be done. NULL: nowhere known. */
const struct tl_stack_frame *tl_steps_caller(struct tl_stack *stack, const struct tl_stack_frame *outer)
{
	const struct tl_stack_frame *caller = outer;
	struct tl_error error;

	do
		if (tl_stack_frame(stack, caller->level + 1, &caller, &error) != TL_OK)
			return NULL;
	while (caller->tail_called);
	return caller;
}

enum tl_status tl_steps_look(struct tl_session *session, struct tl_here *here_ret, struct tl_error *error)
{
	struct tl_here here = {0};
	enum tl_status status;

	TL_TRY(tl_session_whole_stack(session, session->selected, &here.stack, error));
	status = tl_stack_inlined_here(here.stack, &here.hidden, error);
	if (status == TL_OK)
		status = tl_stack_frame(here.stack, here.hidden, &here.frame, error);
	if (status != TL_OK) {
		tl_stack_close(here.stack);
		return status;
	}
	here.at = here.frame->program_counter;
	here.outer = tl_steps_outermost(here.stack, here.frame);
	here.caller = tl_steps_caller(here.stack, here.outer);
	here.has_line = tl_steps_line_at(session, here.at, &here.line);
	*here_ret = here;
	return TL_OK;
}

struct tl_frame_identity tl_steps_identify(const struct tl_stack_frame *frame, const struct tl_stack_frame *outer)
{
	return (struct tl_frame_identity){
		.frame_address = outer->frame_address,
		.outer = outer->function_start,
		.function = frame->function_start,
		.depth = outer->level - frame->level,
	};
}

bool tl_same_machine_frame(const struct tl_frame_identity *left, const struct tl_frame_identity *right)
{
	return left->frame_address == right->frame_address && left->outer == right->outer;
}

bool tl_same_identity(const struct tl_frame_identity *left, const struct tl_frame_identity *right)
{
	return tl_same_machine_frame(left, right) && left->function == right->function && left->depth == right->depth;
}

tl_u64 tl_steps_first(const struct tl_here *here)
{
	tl_u64 start = tl_line_row_kept(here->line.table, here->line.row)->address + here->line.module->bias;

	return start < here->line.start ? start : here->line.start;
}

/*
 * The range that the thread stands in and need not stop in: of its row alone, since another of the same line may begin
 * a statement, or an inlined function. Code of no line is of the line before it.
 */
void tl_steps_set_range(struct tl_session *session, const struct tl_here *here)
{
	struct tl_steps *steps = &session->steps;
	tl_u64 bias = here->line.module->bias;

	steps->start = here->line.start;
	steps->end = here->line.end;
	if (here->at - steps->start >= steps->end - steps->start) {
		tl_line_row_extent(here->line.table, here->line.row, &steps->start, &steps->end);
		steps->start += bias;
		steps->end += bias;
	}
	if (steps->back)
		steps->start = tl_steps_first(here);
}

bool tl_steps_is_stub(struct tl_session *session, const struct tl_here *here)
{
	struct tl_elf_name symbol;
	tl_u64 address;

	return tl_modules_symbol(tl_session_modules(session), here->at, &symbol, &address) &&
	       symbol.origin == TL_ELF_PLT;
}

/* Was the thread called, directly, from the frame that is stepped in? */
bool tl_steps_is_called(const struct tl_session *session, const struct tl_here *here)
{
	struct tl_frame_identity now = tl_steps_identify(here->frame, here->outer), caller;
	const struct tl_stack_frame *outer;

	if (here->caller == NULL || tl_same_machine_frame(&now, &session->steps.frame))
		return false;
	outer = tl_steps_outermost(here->stack, here->caller);
	caller = tl_steps_identify(here->caller, outer);
	return tl_same_machine_frame(&caller, &session->steps.frame);
}

/* In a function without lines only its frame tells a call that came back from a recursion that was left. */
bool tl_steps_in_frame(const struct tl_session *session, const struct tl_here *here)
{
	struct tl_frame_identity now = tl_steps_identify(here->frame, here->outer);

	return tl_same_machine_frame(&now, &session->steps.frame);
}
