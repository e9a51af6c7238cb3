#include "debugger/modules/indirect.h"
#include "debugger/session/session_internal.h"
#include "debugger/session/steps_internal.h"
#include "debugger/values/abi_aarch64.h"

#include "symbols/dwarf_constants.h"

#include <elf.h>
#include <string.h>

/* Names of names of types: one that leads back to itself has no end. */
#define TYPEDEFS_MAX 64
#define WORDS_MAX 64 /* instructions of a function's beginning that are looked at */

static struct tl_modules *modules_of(struct tl_session *session)
{
	return tl_session_modules(session);
}

/* ---- Lines ---- */

static void path_of(const struct tl_code_line *line, char *path_ret)
{
	if (tl_line_table_path(line->table, line->row->file, true, path_ret, TL_STEPS_PATH_MAX) >= TL_STEPS_PATH_MAX)
		path_ret[TL_STEPS_PATH_MAX - 1] = '\0';
}

static bool is_line_left(const struct tl_steps *steps, const struct tl_code_line *line)
{
	char path[TL_STEPS_PATH_MAX] = "";

	if (line->row->line != steps->line)
		return false;
	path_of(line, path);
	return strcmp(path, steps->path) == 0;
}

static void leave_line(struct tl_steps *steps, const struct tl_here *here)
{
	steps->line = here->has_line ? here->line.row->line : 0;
	steps->path[0] = '\0';
	if (here->has_line)
		path_of(&here->line, steps->path);
}

/* ---- Waiting ---- */

bool tl_steps_wait_at(struct tl_session *session, enum tl_steps_wait wait, tl_u64 address, tl_u64 frame)
{
	struct tl_error error;

	if (tl_breakpoints_add_internal(session, TL_INTERNAL_STEP, address, 0, &error) != TL_OK)
		return false;
	session->steps.wait = wait;
	session->steps.wait_address = address;
	session->steps.wait_frame = frame;
	return true;
}

void tl_steps_stop_waiting(struct tl_session *session)
{
	tl_breakpoints_remove_internal(session, TL_INTERNAL_STEP, 0);
	session->steps.wait = TL_WAIT_NONE;
	session->steps.wait_address = session->steps.wait_frame = 0;
	session->steps.return_address = session->steps.return_frame = 0;
}

/* Runs to where the function returns to. */
static bool wait_for_return(struct tl_session *session, const struct tl_here *here)
{
	return here->caller != NULL && tl_steps_wait_at(session, TL_WAIT_STEP, here->caller->program_counter,
							tl_steps_outermost(here->stack, here->caller)->frame_address);
}

bool tl_steps_is_place(const struct tl_session *session, tl_u64 address)
{
	for (tl_size i = 0; i < session->plan_places.count; i++)
		if (session->plan_places.items[i].address == address)
			return true;
	return false;
}

bool tl_steps_at(struct tl_session *session, tl_u64 address)
{
	const struct tl_steps *steps = &session->steps;
	struct tl_error error;
	struct tl_here here;
	tl_u64 frame;
	bool reached;

	if (!tl_breakpoints_has_internal(session, session->selected.process, TL_INTERNAL_STEP, address))
		return false;
	if (tl_steps_is_place(session, address))
		return true;
	if (address == steps->wait_address)
		frame = steps->wait_frame;
	else if (steps->return_address != 0 && address == steps->return_address)
		frame = steps->return_frame;
	else
		return false;
	if (frame == 0)
		return true;
	if (tl_steps_look(session, &here, &error) != TL_OK)
		return true;
	/* A recursion returns to the same place with less of the stack gone; a longjmp may take more. */
	reached = here.outer->frame_address >= frame;
	tl_stack_close(here.stack);
	return reached;
}

/* ---- Beginning ---- */

/* A function without lines is run through until it is left. */
static enum tl_status begin_without_line(struct tl_session *session, const struct tl_here *here, struct tl_error *error)
{
	struct tl_elf_name symbol;
	tl_u64 address;

	if (!tl_modules_symbol(modules_of(session), here->at, &symbol, &address))
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL,
			       session->steps.until ? "Execution is not within a known function."
						    : "Cannot find bounds of current function");
	session->steps.start = address;
	session->steps.line = 0;
	/* Until goes one way in the function, and that is all that it can. */
	session->steps.end = here->at + 1;
	if (session->steps.until && !session->steps.back)
		return TL_OK;
	session->steps.end = address + tl_module_symbol_size(tl_modules_at(modules_of(session), address), &symbol);
	tl_session_remark(session,
			  "Single stepping until exit from function %s,\nwhich has no line number information.",
			  here->frame->name != NULL ? here->frame->name : symbol.name);
	return TL_OK;
}

/* What a person sees may be further in: inlined functions that were stepped into without running. */
static const struct tl_stack_frame *shown_frame(struct tl_session *session, const struct tl_here *here)
{
	const struct tl_stack_frame *shown = here->frame;
	struct tl_error error;

	if (session->skipped < here->hidden && tl_stack_frame(here->stack, session->skipped, &shown, &error) != TL_OK)
		shown = here->frame;
	return shown;
}

static enum tl_status begin_line(struct tl_session *session, struct tl_error *error)
{
	struct tl_steps *steps = &session->steps;
	const struct tl_stack_frame *shown;
	enum tl_status status = TL_OK;
	struct tl_here here;

	TL_TRY(tl_steps_look(session, &here, error));
	shown = shown_frame(session, &here);
	steps->frame = tl_steps_identify(shown, tl_steps_outermost(here.stack, shown));
	steps->first_function = steps->frame.outer;
	if (here.has_line) {
		tl_steps_set_range(session, &here);
		/* Never backwards: all of the function up to the end of this line is not worth a stop. */
		if (steps->until && here.outer->function_start != 0 && here.outer->function_start < steps->start)
			steps->start = here.outer->function_start;
		steps->line = shown->line;
		strncpy(steps->path, shown->file != NULL ? shown->file : "", sizeof(steps->path) - 1);
	} else {
		status = begin_without_line(session, &here, error);
	}
	tl_stack_close(here.stack);
	return status;
}

static enum tl_status begin_instruction(struct tl_session *session, struct tl_error *error)
{
	const struct tl_stack_frame *shown;
	struct tl_here here;

	TL_TRY(tl_steps_look(session, &here, error));
	shown = shown_frame(session, &here);
	session->steps.frame = tl_steps_identify(shown, tl_steps_outermost(here.stack, shown));
	session->steps.first_function = session->steps.frame.outer;
	session->steps.start = session->steps.end = here.at;
	tl_stack_close(here.stack);
	return TL_OK;
}

/* 64-bit Arm: where the caller wants a result in memory is in a register that the function may use as it likes. */
static tl_u64 returned_address(struct tl_session *session, const struct tl_stack_frame *frame)
{
	tl_u32 words[WORDS_MAX];
	tl_u64 size = frame->program_counter - frame->function_start;
	struct tl_process_facts facts;
	struct tl_error error;
	tl_u8 *file;

	if (frame->level != 0 || frame->function_start == 0 || size > sizeof(words) ||
	    tl_engine_facts(session->engine, session->selected.process, &facts) != TL_OK ||
	    !tl_abi_is_aarch64(facts.cpu) ||
	    tl_modules_read(tl_session_modules(session), frame->function_start, words, size, &error) != TL_OK ||
	    !tl_abi_aarch64_keeps_result(words, size / sizeof(words[0])) ||
	    tl_engine_registers(session->engine, session->selected, 1u << TL_BANK_GENERAL, &file) != TL_OK)
		return 0;
	return tl_cpu_get(facts.cpu, file, TL_ABI_AARCH64_RESULT);
}

static const struct tl_type *returned_type(const struct tl_stack_frame *frame)
{
	const struct tl_type *type;
	struct tl_error error;

	if (!frame->has_function || frame->module == NULL ||
	    tl_type_of(frame->module->binary->types, &frame->chain->scopes[frame->last].entry, &type, &error) != TL_OK)
		return NULL;
	/* What a typedef stands for, as gdb has it. */
	for (int depth = 0; type->kind == TL_TYPE_TYPEDEF; depth++)
		if (depth == TYPEDEFS_MAX || tl_type_target(type, &type, &error) != TL_OK)
			return NULL;
	return type;
}

/* An inlined function has no return address: it is stepped over from its caller's point of view. */
static enum tl_status begin_inline_finish(struct tl_session *session, struct tl_stack *stack,
					  const struct tl_stack_frame *frame, struct tl_error *error)
{
	struct tl_steps *steps = &session->steps;
	const struct tl_stack_frame *caller;

	TL_TRY(tl_stack_frame(stack, frame->level + 1, &caller, error));
	steps->over = true;
	steps->frame = tl_steps_identify(caller, tl_steps_outermost(stack, caller));
	steps->first_function = 0;
	steps->start = steps->end = frame->program_counter;
	steps->line = 0;
	return TL_OK;
}

/* The places of until and advance, and where the selected frame returns to. */
static enum tl_status begin_places(struct tl_session *session, struct tl_error *error)
{
	for (tl_size i = 0; i < session->plan_places.count; i++)
		TL_TRY(tl_breakpoints_add_internal(session, TL_INTERNAL_STEP, session->plan_places.items[i].address, 0,
						   error));
	return TL_OK;
}

static enum tl_status begin_return(struct tl_session *session, const struct tl_plan *plan, struct tl_error *error)
{
	struct tl_steps *steps = &session->steps;
	const struct tl_stack_frame *frame, *caller;
	struct tl_stack *stack;

	TL_TRY(tl_session_stack(session, &stack, error));
	TL_TRY(tl_session_frame(session, &frame, error));
	steps->over = true;
	if (plan->kind == TL_PLAN_FINISH) {
		steps->returned = steps->back ? NULL : returned_type(frame);
		steps->returned_at = returned_address(session, frame);
	} else {
		TL_TRY(begin_places(session, error));
	}
	if (frame->inlined && plan->kind == TL_PLAN_FINISH) {
		/* Nothing is where results of calls are. */
		steps->returned = NULL;
		return begin_inline_finish(session, stack, frame, error);
	}
	if (steps->back)
		return plan->kind == TL_PLAN_FINISH ? tl_steps_begin_back_finish(session, stack, frame, error) : TL_OK;
	caller = tl_steps_caller(stack, tl_steps_outermost(stack, frame));
	if (caller == NULL)
		return plan->kind != TL_PLAN_FINISH
			       ? TL_OK
			       : TL_FAIL(error, TL_ERROR_ARGUMENT, "\"finish\" not meaningful in the outermost frame.");
	if (!tl_steps_wait_at(session, TL_WAIT_RETURN, caller->program_counter,
			      tl_steps_outermost(stack, caller)->frame_address))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for a point");
	return TL_OK;
}

enum tl_status tl_steps_begin(struct tl_session *session, const struct tl_plan *plan, struct tl_error *error)
{
	struct tl_steps *steps = &session->steps;
	enum tl_status status = TL_OK;

	tl_steps_end(session);
	*steps = (struct tl_steps){.active = true, .back = plan->back, .left = plan->count > 1 ? plan->count - 1 : 0};
	switch (plan->kind) {
	case TL_PLAN_STEP_INSTRUCTION:
	case TL_PLAN_NEXT_INSTRUCTION:
		steps->instructions = true;
		steps->over = plan->kind == TL_PLAN_NEXT_INSTRUCTION;
		status = begin_instruction(session, error);
		break;
	case TL_PLAN_STEP:
	case TL_PLAN_NEXT:
	case TL_PLAN_UNTIL_NEXT:
		steps->over = plan->kind != TL_PLAN_STEP;
		steps->until = plan->kind == TL_PLAN_UNTIL_NEXT;
		status = begin_line(session, error);
		break;
	case TL_PLAN_FINISH:
	case TL_PLAN_UNTIL:
	case TL_PLAN_ADVANCE:
		steps->left = 0;
		status = begin_return(session, plan, error);
		break;
	case TL_PLAN_CONTINUE:
	case TL_PLAN_JUMP:
		steps->active = false;
		break;
	}
	if (status != TL_OK)
		tl_steps_end(session);
	return status;
}

/* Was a function told to be passed by? */
bool tl_steps_skips(struct tl_session *session, const struct tl_stack_frame *frame)
{
	return tl_skips_match(&session->skips, frame->name, frame->file);
}

/* The inlined function that is entered next where the thread stands, not shown yet. */
static bool skips_hidden(struct tl_session *session)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;
	struct tl_error error;
	bool skipped;

	if (session->skips.count == 0 || tl_session_whole_stack(session, session->selected, &stack, &error) != TL_OK)
		return false;
	skipped =
		tl_stack_frame(stack, session->skipped - 1, &frame, &error) == TL_OK && tl_steps_skips(session, frame);
	tl_stack_close(stack);
	return skipped;
}

bool tl_steps_at_once(struct tl_session *session)
{
	struct tl_steps *steps = &session->steps;
	struct tl_error error;

	while (!steps->over && !steps->instructions && !steps->back && session->skipped != 0 &&
	       !skips_hidden(session)) {
		session->skipped--;
		steps->skipped = session->skipped;
		steps->new_frame = true;
		if (steps->left == 0)
			return true;
		steps->left--;
		if (begin_line(session, &error) != TL_OK)
			return true;
	}
	return false;
}

void tl_steps_action(const struct tl_session *session, struct tl_action *action)
{
	const struct tl_steps *steps = &session->steps;

	action->kind = steps->back ? TL_ACTION_CONTINUE_BACK : TL_ACTION_CONTINUE;
	/* The places of until and advance are waited for running. */
	if (!steps->active || steps->wait != TL_WAIT_NONE || session->plan_places.count != 0)
		return;
	if (steps->back) {
		action->kind = TL_ACTION_STEP_BACK;
		return;
	}
	action->kind = steps->instructions || steps->start == steps->end ? TL_ACTION_STEP : TL_ACTION_RANGE;
	action->start = steps->start;
	action->end = steps->end;
}

void tl_steps_end(struct tl_session *session)
{
	tl_steps_stop_waiting(session);
	session->steps.active = session->steps.back = false;
}

/* ---- Going on ---- */

enum tl_steps_verdict tl_steps_done(struct tl_session *session, const struct tl_here *here, tl_u32 hidden)
{
	struct tl_steps *steps = &session->steps;
	const struct tl_stack_frame *shown = here->frame;
	struct tl_frame_identity now;
	struct tl_error error;

	/* Who goes by instructions wants to see whose they are. */
	if (steps->instructions)
		hidden = 0;
	if (hidden != here->hidden && tl_stack_frame(here->stack, hidden, &shown, &error) != TL_OK)
		shown = here->frame;
	now = tl_steps_identify(shown, here->outer);
	steps->skipped = hidden;
	steps->new_frame = !tl_same_identity(&now, &steps->frame) || now.outer != steps->first_function;
	if (steps->left == 0)
		return TL_STEPS_DONE;
	steps->left--;
	session->skipped = hidden;
	if ((steps->instructions ? begin_instruction(session, &error) : begin_line(session, &error)) != TL_OK) {
		tl_session_remark(session, "%s", error.text);
		return TL_STEPS_DONE;
	}
	return !steps->over && tl_steps_at_once(session) ? TL_STEPS_DONE : TL_STEPS_ON;
}

/* The function that a stub of the linkage table leads to; 0 when it cannot be told. */
static tl_u64 behind_stub(struct tl_session *session, const struct tl_here *here)
{
	struct tl_modules *modules = modules_of(session);
	struct tl_elf_name symbol;
	const struct tl_module *module;
	char name[512];
	const char *at;
	tl_u64 address;

	if (!tl_modules_symbol(modules, here->at, &symbol, &address) || symbol.origin != TL_ELF_PLT)
		return 0;
	at = strchr(symbol.name, '@');
	if (at == NULL || (tl_size)(at - symbol.name) >= sizeof(name))
		return 0;
	memcpy(name, symbol.name, (tl_size)(at - symbol.name));
	name[at - symbol.name] = '\0';
	if (!tl_modules_symbol_address(modules, NULL, name, &address))
		return 0;
	/* Of an indirect function that is the resolver: what it chose is called. */
	module = tl_modules_at(modules, address);
	if (tl_modules_symbol(modules, address, &symbol, &address) && symbol.type == STT_GNU_IFUNC &&
	    (module == NULL || !tl_indirect_chosen(modules, module, name, address, &address)))
		return 0;
	return address;
}

/* Waits for a function to begin; the call may lead elsewhere all the same, and then returns. */
static bool wait_for_function(struct tl_session *session, const struct tl_here *here, tl_u64 function)
{
	struct tl_error error;

	if (here->caller == NULL || !tl_steps_wait_at(session, TL_WAIT_FUNCTION, function, 0) ||
	    tl_breakpoints_add_internal(session, TL_INTERNAL_STEP, here->caller->program_counter, 0, &error) != TL_OK)
		return false;
	session->steps.return_address = here->caller->program_counter;
	session->steps.return_frame = tl_steps_outermost(here->stack, here->caller)->frame_address;
	return true;
}

static bool has_lines(struct tl_session *session, tl_u64 address)
{
	struct tl_code_line line;

	return tl_steps_line_at(session, address, &line);
}

/* In a function with lines, at its beginning: it is entered as far as a breakpoint at it would be. */
static enum tl_steps_verdict enter(struct tl_session *session, const struct tl_here *here)
{
	tl_u64 body = here->outer->function_start != 0
			      ? tl_modules_behind_prologue(modules_of(session), here->outer->function_start)
			      : here->at;

	if (tl_steps_skips(session, here->outer))
		return wait_for_return(session, here) ? TL_STEPS_ON : TL_STEPS_DONE;
	if (body <= here->at)
		return tl_steps_done(session, here, here->hidden);
	return tl_steps_wait_at(session, TL_WAIT_BODY, body, 0) ? TL_STEPS_ON : TL_STEPS_DONE;
}

/* The thread was called away from the frame that is stepped in. */
static enum tl_steps_verdict called(struct tl_session *session, const struct tl_here *here)
{
	struct tl_steps *steps = &session->steps;
	tl_u64 target;

	if (steps->instructions && !steps->over)
		return tl_steps_done(session, here, here->hidden);
	if (steps->over)
		return wait_for_return(session, here) ? TL_STEPS_ON : TL_STEPS_DONE;
	target = behind_stub(session, here);
	if (target != 0 && has_lines(session, target))
		return wait_for_function(session, here, target) ? TL_STEPS_ON : TL_STEPS_DONE;
	if (!tl_steps_is_stub(session, here) && here->has_line)
		return enter(session, here);
	if (session->settings.step_into_unknown)
		return tl_steps_done(session, here, here->hidden);
	return wait_for_return(session, here) ? TL_STEPS_ON : TL_STEPS_DONE;
}

/*
 * A signal handler that was entered in the middle of a step: it runs to its end first, unless the step began with the
 * signal, which a person has seen.
 */
static bool is_handler(const struct tl_session *session, const struct tl_here *here)
{
	const struct tl_stack_frame *interrupted;
	struct tl_frame_identity identity;
	struct tl_error error;

	if (here->caller == NULL || !here->caller->signal ||
	    tl_stack_frame(here->stack, here->caller->level + 1, &interrupted, &error) != TL_OK)
		return false;
	identity = tl_steps_identify(interrupted, tl_steps_outermost(here->stack, interrupted));
	return tl_same_machine_frame(&identity, &session->steps.frame);
}

/* Is the frame inlined, however deep, into the one that is stepped in? */
static bool inlined_from(const struct tl_session *session, const struct tl_here *here)
{
	const struct tl_stack_frame *frame = here->frame;
	struct tl_frame_identity identity;
	struct tl_error error;

	while (frame->inlined && tl_stack_frame(here->stack, frame->level + 1, &frame, &error) == TL_OK) {
		identity = tl_steps_identify(frame, here->outer);
		if (tl_same_identity(&identity, &session->steps.frame))
			return true;
	}
	return false;
}

/* Is one of the inlined functions around the thread passed by, from a level outwards to what is stepped in? */
static bool skips_inlined(struct tl_session *session, const struct tl_here *here, tl_u32 level)
{
	const struct tl_stack_frame *frame;
	struct tl_frame_identity identity;
	struct tl_error error;

	if (session->skips.count == 0)
		return false;
	for (; tl_stack_frame(here->stack, level, &frame, &error) == TL_OK && frame->inlined; level++) {
		identity = tl_steps_identify(frame, here->outer);
		if (tl_same_identity(&identity, &session->steps.frame))
			break;
		if (tl_steps_skips(session, frame))
			return true;
	}
	return false;
}

/* Inlined functions begin here: as if the line that calls them had been reached. */
static enum tl_steps_verdict at_inlined(struct tl_session *session, const struct tl_here *here)
{
	struct tl_steps *steps = &session->steps;
	bool same_line = here->frame->line == steps->line && here->frame->file != NULL &&
			 strcmp(here->frame->file, steps->path) == 0;

	if (!same_line)
		return tl_steps_done(session, here, here->hidden);
	if (steps->over || skips_inlined(session, here, here->hidden - 1)) {
		if (here->has_line)
			tl_steps_set_range(session, here);
		return TL_STEPS_ON;
	}
	return tl_steps_done(session, here, here->hidden - 1);
}

/* Within functions that were not called: which line is it, and does a statement begin? */
enum tl_steps_verdict tl_steps_within(struct tl_session *session, const struct tl_here *here)
{
	struct tl_steps *steps = &session->steps;
	struct tl_frame_identity now = tl_steps_identify(here->frame, here->outer);
	bool statement, same_frame = tl_same_identity(&now, &steps->frame);

	if (same_frame && here->hidden != 0)
		return at_inlined(session, here);
	if (here->frame->inlined && !same_frame && inlined_from(session, here)) {
		if (!steps->over && !skips_inlined(session, here, here->frame->level))
			return tl_steps_done(session, here, here->hidden);
		tl_steps_set_range(session, here);
		return TL_STEPS_ON;
	}
	statement = here->at == here->line.start && !is_line_left(steps, &here->line) &&
		    !tl_line_row_goes_on(here->line.table, here->line.row);
	if (statement && (here->line.row->flags & TL_LINE_STATEMENT) != 0)
		return tl_steps_done(session, here, here->hidden);
	tl_steps_set_range(session, here);
	/* Rows that begin no statement are passed as if they were of the line that is left. */
	if (!statement || !same_frame) {
		steps->frame = now;
		leave_line(steps, here);
		if (statement)
			steps->line = 0;
	}
	return TL_STEPS_ON;
}

static enum tl_steps_verdict next(struct tl_session *session, const struct tl_here *here)
{
	struct tl_steps *steps = &session->steps;
	bool interrupted = steps->wait == TL_WAIT_STEP, signalled;
	tl_u64 target;

	if (steps->wait == TL_WAIT_BODY || steps->wait == TL_WAIT_RETURN || tl_steps_is_place(session, here->at)) {
		tl_steps_stop_waiting(session);
		return tl_steps_done(session, here, here->hidden);
	}
	if (steps->wait == TL_WAIT_FUNCTION && here->at == steps->wait_address) {
		tl_steps_stop_waiting(session);
		/* What was jumped to is not entered, but where one arrived. */
		if (tl_steps_is_called(session, here))
			return enter(session, here);
	}
	tl_steps_stop_waiting(session);
	signalled = steps->signalled;
	steps->signalled = false;
	if (is_handler(session, here) && signalled)
		return tl_steps_done(session, here, here->hidden);
	if (is_handler(session, here))
		return tl_steps_wait_at(session, TL_WAIT_STEP, here->caller->program_counter, 0) ? TL_STEPS_ON
												 : TL_STEPS_DONE;
	if (tl_steps_is_called(session, here))
		return called(session, here);
	/* A signal came before the instruction: it is still to be carried out. */
	if (steps->instructions && interrupted && here->at == steps->start)
		return TL_STEPS_ON;
	if (steps->instructions)
		return tl_steps_done(session, here, here->hidden);
	/* A handler returned: what is left of it is the trampoline's instructions. */
	if (here->frame->signal) {
		steps->start = steps->end = here->at;
		return TL_STEPS_ON;
	}
	/* A function that ends in a jump through the linkage table: what counts is where that leads. */
	target = steps->over ? 0 : behind_stub(session, here);
	if (target != 0 && wait_for_function(session, here, target))
		return TL_STEPS_ON;
	if (here->at - steps->start < steps->end - steps->start && (here->has_line || tl_steps_in_frame(session, here)))
		return TL_STEPS_ON;
	if (!here->has_line)
		return tl_steps_done(session, here, here->hidden);
	return tl_steps_within(session, here);
}

enum tl_steps_verdict tl_steps_next(struct tl_session *session)
{
	enum tl_steps_verdict verdict;
	struct tl_error error;
	struct tl_here here;

	if (tl_steps_look(session, &here, &error) != TL_OK) {
		session->steps.skipped = 0;
		session->steps.new_frame = true;
		return TL_STEPS_DONE;
	}
	verdict = session->steps.back ? tl_steps_back(session, &here) : next(session, &here);
	tl_stack_close(here.stack);
	return verdict;
}

void tl_steps_over_handler(struct tl_session *session)
{
	struct tl_error error;
	struct tl_here here;

	if (session->steps.wait != TL_WAIT_NONE || tl_steps_look(session, &here, &error) != TL_OK)
		return;
	(void)tl_steps_wait_at(session, TL_WAIT_STEP, here.at, here.outer->frame_address);
	tl_stack_close(here.stack);
}

void tl_steps_take_returned(struct tl_session *session)
{
	const struct tl_environment *environment;
	const struct tl_type *type = session->steps.returned;
	struct tl_environment_store *store;
	struct tl_error error;
	bool known = false;

	if (type == NULL || tl_session_environment(session, &environment, &store, &error) != TL_OK ||
	    tl_environment_returned(store, type, session->steps.returned_at, &session->stop.returned, &known, &error) !=
		    TL_OK ||
	    !known) {
		session->stop.returned = (struct tl_value){0};
		return;
	}
	if (tl_variables_record(session->variables, &environment->values, &session->stop.returned,
				&session->stop.history, &error) != TL_OK)
		session->stop.history = 0;
}
