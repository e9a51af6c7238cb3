#include "symbols/unwind.h"

#include "symbols/calling_convention.h"
#include "symbols/unwind_guess.h"

/* A stack of eight megabytes holds half as many of the smallest frames. */
#define LEVELS_MAX (1 << 20)

enum tl_status tl_unwind_first(const struct tl_unwinder *unwinder, struct tl_frame *frame_ret, struct tl_error *error)
{
	const struct tl_calling_convention *convention = tl_calling_convention(unwinder->cpu);

	if (convention == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "frames of %s cannot be found: nothing is known of its calls", unwinder->cpu->name);
	*frame_ret = (struct tl_frame){.origin = TL_ORIGIN_THREAD, .interrupted = true};
	frame_ret->program_counter = tl_cpu_get(unwinder->cpu, unwinder->file, unwinder->cpu->program_counter);
	frame_ret->lookup = frame_ret->program_counter;
	tl_fill(frame_ret->state, TL_REGISTER_THREAD, sizeof(frame_ret->state));
	return TL_OK;
}

static const struct tl_register *register_of(const struct tl_cpu *cpu, tl_u64 number)
{
	const struct tl_calling_convention *convention = tl_calling_convention(cpu);

	/* It may have no number but ours. */
	if (convention != NULL && number == convention->program_counter)
		return &cpu->registers[cpu->program_counter];
	for (const struct tl_register *at = cpu->registers; at->name != NULL; at++)
		if (at->dwarf >= 0 && (tl_u64)at->dwarf == number)
			return at;
	return NULL;
}

static enum tl_status thread_register(const struct tl_unwinder *unwinder, tl_u64 number, void *buffer, tl_size size,
				      struct tl_error *error)
{
	const struct tl_register *found = register_of(unwinder->cpu, number);
	tl_size held;

	if (found == NULL)
		return TL_FAIL(error, TL_ERROR_REGISTER, "%s has no register with the DWARF number %llu",
			       unwinder->cpu->name, (unsigned long long)number);
	held = (found->bits + 7u) / 8;
	/* Types may be larger than their register, as x87's `long double` is: the rest is padding. */
	tl_fill(buffer, 0, size);
	tl_copy(buffer, unwinder->file + found->offset, size < held ? size : held);
	return TL_OK;
}

enum tl_status tl_frame_register(const struct tl_unwinder *unwinder, const struct tl_frame *frame, tl_u64 number,
				 bool stale, void *buffer, tl_size size, struct tl_error *error)
{
	const struct tl_register *named = register_of(unwinder->cpu, number);
	const char *name = named != NULL ? named->name : "a register";
	bool known = number < TL_FRAME_REGISTERS_MAX;
	enum tl_status status;
	tl_u8 word[8];

	if (known ? frame->stale[number] : frame->level != 0) {
		if (!stale)
			return TL_FAIL(error, TL_ERROR_REGISTER,
				       "%s is not known in frame %u: functions that it called were free to change it",
				       name, frame->level);
	}
	switch (known ? (enum tl_register_state)frame->state[number] : TL_REGISTER_THREAD) {
	case TL_REGISTER_THREAD:
		return thread_register(unwinder, number, buffer, size, error);
	case TL_REGISTER_MOVED:
		return thread_register(unwinder, frame->where[number], buffer, size, error);
	case TL_REGISTER_MEMORY:
		status = unwinder->memory.read(unwinder->memory.context, frame->where[number], buffer, size);
		if (status != TL_OK)
			return TL_FAIL(error, status, "%s is saved at 0x%llx, which cannot be read", name,
				       (unsigned long long)frame->where[number]);
		return TL_OK;
	case TL_REGISTER_VALUE:
		tl_store_little(word, frame->where[number], sizeof(word));
		tl_fill(buffer, 0, size);
		tl_copy(buffer, word, size < sizeof(word) ? size : sizeof(word));
		return TL_OK;
	case TL_REGISTER_UNKNOWN:
		break;
	}
	return TL_FAIL(error, TL_ERROR_REGISTER, "%s is not known in frame %u: it was not saved", name, frame->level);
}

enum tl_status tl_frame_word(const struct tl_unwinder *unwinder, const struct tl_frame *frame, tl_u64 number,
			     bool stale, tl_u64 *value_ret, struct tl_error *error)
{
	tl_u8 bytes[8];

	TL_TRY(tl_frame_register(unwinder, frame, number, stale, bytes, unwinder->cpu->address_size, error));
	*value_ret = tl_load_little(bytes, unwinder->cpu->address_size);
	return TL_OK;
}

static enum tl_status view_register(void *context, tl_u64 number, void *buffer, tl_size size, struct tl_error *error)
{
	const struct tl_frame_view *view = context;

	return tl_frame_register(view->unwinder, view->frame, number, false, buffer, size, error);
}

static enum tl_status view_address(void *context, tl_u64 *address_ret, struct tl_error *error)
{
	const struct tl_frame_view *view = context;

	return tl_frame_address(view->unwinder, view->frame, address_ret, error);
}

void tl_frame_expressions(const struct tl_frame_view *view, tl_u64 bias, struct tl_expression_context *context_ret)
{
	*context_ret = (struct tl_expression_context){
		.context = (void *)(tl_uintptr)view,
		.address_size = view->unwinder->cpu->address_size,
		.offset_size = 4,
		.version = 5,
		.bias = bias,
		.memory = &view->unwinder->memory,
		.read_register = view_register,
		.frame_address = view_address,
	};
}

/* A frame, the row that holds for it, and what rules are evaluated against. */
struct step {
	const struct tl_unwinder *unwinder;
	const struct tl_calling_convention *convention;
	const struct tl_frame *frame;
	struct tl_unwind_code code;
	struct tl_frame_row row;
	struct tl_frame_view view;
	struct tl_expression_context expressions;
	tl_u64 frame_address;
};

static tl_u64 wrap(const struct step *step, tl_u64 address)
{
	return step->unwinder->cpu->address_size == 4 ? (tl_u32)address : address;
}

/*
 * The row for a frame; TL_ERROR_ARGUMENT when nobody knows one. A handler "returns" to the first instruction of a
 * trampoline, which nothing stands before: if the row is a trampoline's, it is asked for at the address itself.
 */
static enum tl_status find_row(struct step *step, struct tl_error *error)
{
	const struct tl_frame *frame = step->frame;
	enum tl_status status = TL_ERROR_ARGUMENT, other;
	struct tl_unwind_code code = {.frames = NULL};

	step->unwinder->code_at(step->unwinder->context, frame->lookup, &step->code);
	if (step->code.frames != NULL)
		status = tl_call_frames_row(step->code.frames, frame->lookup - step->code.bias, &step->row, error);
	if (status != TL_ERROR_ARGUMENT || frame->interrupted)
		return status;
	step->unwinder->code_at(step->unwinder->context, frame->program_counter, &code);
	if (code.frames == NULL)
		return TL_ERROR_ARGUMENT;
	other = tl_call_frames_row(code.frames, frame->program_counter - code.bias, &step->row, NULL);
	if (other != TL_OK || !step->row.signal_frame)
		return TL_ERROR_ARGUMENT;
	step->code = code;
	return TL_OK;
}

/*
 * Functions that were called may change most registers. Where the frame is still found by one of those behind the call,
 * the compiler knew that this callee does not: `call __x86.get_pc_thunk.bx` in 32-bit code that aligns its stack is
 * one.
 */
static bool is_kept_over_call(const struct step *step)
{
	struct tl_frame_row behind;

	return !step->frame->interrupted && step->frame->level != 0 &&
	       tl_call_frames_row(step->code.frames, step->frame->program_counter - step->code.bias, &behind, NULL) ==
		       TL_OK &&
	       behind.cfa.kind == TL_RULE_REGISTER && behind.cfa_register == step->row.cfa_register;
}

/* The canonical frame address that the row gives. */
static enum tl_status find_address(struct step *step, struct tl_error *error)
{
	const struct tl_frame_row *row = &step->row;
	enum tl_status status;
	tl_u64 value;

	step->view = (struct tl_frame_view){step->unwinder, step->frame};
	tl_frame_expressions(&step->view, step->code.bias, &step->expressions);
	step->expressions.frame_address = NULL;
	if (row->cfa.kind == TL_RULE_REGISTER) {
		status = tl_frame_word(step->unwinder, step->frame, row->cfa_register, false, &value, error);
		if (status == TL_ERROR_REGISTER && is_kept_over_call(step))
			status = tl_frame_word(step->unwinder, step->frame, row->cfa_register, true, &value, error);
		TL_TRY(status);
		step->frame_address = wrap(step, value + (tl_u64)row->cfa.offset);
		return TL_OK;
	}
	if (row->cfa.kind != TL_RULE_VALUE_EXPRESSION)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "call frame information does not say where the frame is");
	return tl_expression_number(&step->expressions, row->cfa.bytes, row->cfa.size, NULL, &step->frame_address,
				    error);
}

static void begin(struct step *step, const struct tl_unwinder *unwinder, const struct tl_frame *frame)
{
	step->unwinder = unwinder;
	step->convention = tl_calling_convention(unwinder->cpu);
	step->frame = frame;
	step->code = (struct tl_unwind_code){.frames = NULL};
}

enum tl_status tl_frame_address(const struct tl_unwinder *unwinder, const struct tl_frame *frame, tl_u64 *address_ret,
				struct tl_error *error)
{
	struct step step;

	if (frame->address_known) {
		*address_ret = frame->frame_address;
		return TL_OK;
	}
	begin(&step, unwinder, frame);
	TL_TRY(find_row(&step, error));
	TL_TRY(find_address(&step, error));
	*address_ret = step.frame_address;
	return TL_OK;
}

static void set_register(struct tl_frame *caller, unsigned number, enum tl_register_state state, tl_u64 where)
{
	caller->state[number] = (tl_u8)state;
	caller->stale[number] = false;
	caller->where[number] = where;
}

/* The register of the caller is where register `number` of the frame is. */
static void take_over(const struct tl_frame *frame, tl_u64 number, struct tl_frame *caller, unsigned to)
{
	if (number >= TL_FRAME_REGISTERS_MAX) {
		set_register(caller, to, TL_REGISTER_UNKNOWN, 0);
		return;
	}
	caller->state[to] = frame->state[number];
	caller->stale[to] = frame->stale[number];
	caller->where[to] = frame->where[number];
	if (frame->state[number] == TL_REGISTER_THREAD && number != to) {
		caller->state[to] = TL_REGISTER_MOVED;
		caller->where[to] = number;
	}
}

/* What the calling convention says of a register of which the row says nothing. */
static void apply_convention(const struct step *step, struct tl_frame *caller, unsigned number)
{
	if (number == step->convention->stack_pointer) {
		set_register(caller, number, TL_REGISTER_VALUE, step->frame_address);
		return;
	}
	take_over(step->frame, number, caller, number);
	if (!tl_preserved(step->convention, number))
		caller->stale[number] = true;
}

static void apply_rule(struct step *step, const struct tl_rule *rule, struct tl_frame *caller, unsigned number)
{
	tl_u64 value = 0;

	switch ((enum tl_rule_kind)rule->kind) {
	case TL_RULE_UNSPECIFIED:
		apply_convention(step, caller, number);
		return;
	case TL_RULE_UNDEFINED:
		set_register(caller, number, TL_REGISTER_UNKNOWN, 0);
		return;
	case TL_RULE_SAME:
		take_over(step->frame, number, caller, number);
		return;
	case TL_RULE_OFFSET:
		value = wrap(step, step->frame_address + (tl_u64)rule->offset);
		set_register(caller, number, TL_REGISTER_MEMORY, value);
		return;
	case TL_RULE_VALUE_OFFSET:
		value = wrap(step, step->frame_address + (tl_u64)rule->offset);
		set_register(caller, number, TL_REGISTER_VALUE, value);
		return;
	case TL_RULE_REGISTER:
		take_over(step->frame, (tl_u64)rule->offset, caller, number);
		return;
	case TL_RULE_EXPRESSION:
	case TL_RULE_VALUE_EXPRESSION:
		/* A register that cannot be told is unknown; that matters only to those who ask for it. */
		if (tl_expression_number(&step->expressions, rule->bytes, rule->size, &step->frame_address, &value,
					 NULL) != TL_OK)
			set_register(caller, number, TL_REGISTER_UNKNOWN, 0);
		else
			set_register(caller, number,
				     rule->kind == TL_RULE_EXPRESSION ? TL_REGISTER_MEMORY : TL_REGISTER_VALUE, value);
		return;
	}
}

/* The registers of the caller, and from them its program counter. */
static enum tl_unwind_end apply_row(struct step *step, struct tl_frame *caller, struct tl_error *error)
{
	static const struct tl_rule unspecified = {.kind = TL_RULE_UNSPECIFIED};
	const struct tl_frame_row *row = &step->row;
	const struct tl_calling_convention *convention = step->convention;
	tl_u64 number = row->return_register, counter;
	enum tl_status status;

	if (number >= TL_FRAME_REGISTERS_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "the return address is in a register that does not exist"),
		       TL_UNWIND_DAMAGED;
	for (unsigned i = 0; i < TL_FRAME_REGISTERS_MAX; i++)
		apply_rule(step, i < row->rule_count ? &row->rules[i] : &unspecified, caller, i);
	if (number < row->rule_count && row->rules[number].kind == TL_RULE_UNDEFINED)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "this is the outermost frame"), TL_UNWIND_OUTERMOST;
	if (number == convention->program_counter &&
	    (number >= row->rule_count || row->rules[number].kind == TL_RULE_UNSPECIFIED))
		return TL_FAIL(error, TL_ERROR_MALFORMED,
			       "call frame information does not say where the return address is"),
		       TL_UNWIND_DAMAGED;
	status = tl_frame_word(step->unwinder, caller, number, true, &counter, error);
	if (status == TL_ERROR_REGISTER)
		return TL_UNWIND_NO_INFORMATION;
	if (status != TL_OK)
		return TL_UNWIND_MEMORY;
	if (row->signed_return) {
		caller->authenticated = tl_code_address(convention, counter) != counter;
		counter = tl_code_address(convention, counter);
	}
	if (number != convention->program_counter)
		set_register(caller, convention->program_counter, TL_REGISTER_VALUE, counter);
	caller->program_counter = counter;
	caller->origin = TL_ORIGIN_CALL_FRAMES;
	return TL_UNWIND_GOES_ON;
}

/*
 * Frames of functions that called one another stand at rising addresses. Where one was interrupted by a signal, the
 * handler may run on a stack of its own. So may a kernel's, which lies in the upper half of all addresses, and whose
 * outermost frame a program called. Frames that come again (Brent's way to find a cycle: compare with one frame
 * that is moved up at powers of two) never end.
 */
static bool makes_sense(const struct step *step, const struct tl_frame *frame, struct tl_error *error)
{
	bool pushes = step->convention->link_register == step->convention->program_counter;
	bool kernel = frame->inner_address >> 63 != 0;

	if (frame->level == LEVELS_MAX) {
		(void)TL_FAIL(error, TL_ERROR_TOO_LONG, "there are more than %d frames", LEVELS_MAX);
		return false;
	}
	if (frame->inner_known && ((frame->frame_address < frame->inner_address && !kernel) ||
				   (pushes && frame->frame_address == frame->inner_address))) {
		(void)TL_FAIL(error, TL_ERROR_MALFORMED,
			      "the stack is corrupt: this frame, at 0x%llx, is not outside of the one that it called, "
			      "at 0x%llx",
			      (unsigned long long)frame->frame_address, (unsigned long long)frame->inner_address);
		return false;
	}
	if (frame->level != 0 && frame->mark_counter == frame->program_counter &&
	    frame->mark_address == frame->frame_address) {
		(void)TL_FAIL(error, TL_ERROR_MALFORMED, "the stack is corrupt: frame %u is frame %u again",
			      frame->level, frame->mark_level);
		return false;
	}
	return true;
}

/* What a caller has from the frame inside besides registers. */
static void link_frames(const struct tl_frame *frame, struct tl_frame *caller)
{
	bool first = frame->level == 0 || frame->level >= 2 * frame->mark_level;

	caller->level = frame->level + 1;
	caller->interrupted = frame->signal;
	caller->lookup = caller->interrupted ? caller->program_counter : caller->program_counter - 1;
	caller->inner_known = !frame->signal;
	caller->inner_address = frame->frame_address;
	caller->mark_level = first ? frame->level : frame->mark_level;
	caller->mark_counter = first ? frame->program_counter : frame->mark_counter;
	caller->mark_address = first ? frame->frame_address : frame->mark_address;
}

/* By call frame information; *known_ret is false where there is none, and a guess is to be tried. */
static TL_NOINLINE enum tl_unwind_end next_by_rows(const struct tl_unwinder *unwinder, struct tl_frame *frame,
						   struct tl_frame *caller, bool *known_ret,
						   struct tl_unwind_code *code_ret, struct tl_error *error)
{
	enum tl_status status;
	struct step step;

	begin(&step, unwinder, frame);
	status = find_row(&step, error);
	*known_ret = status != TL_ERROR_ARGUMENT;
	*code_ret = step.code;
	if (status == TL_ERROR_ARGUMENT)
		return TL_UNWIND_NO_INFORMATION;
	if (status != TL_OK)
		return TL_UNWIND_DAMAGED;
	frame->signal = step.row.signal_frame;
	status = find_address(&step, error);
	if (status != TL_OK)
		return status == TL_ERROR_REGISTER                                      ? TL_UNWIND_NO_INFORMATION
		       : status == TL_ERROR_MALFORMED || status == TL_ERROR_UNSUPPORTED ? TL_UNWIND_DAMAGED
											: TL_UNWIND_MEMORY;
	frame->frame_address = step.frame_address;
	frame->address_known = true;
	/* A trampoline stands where the handler ran, its frame address where the interrupted function did. */
	if (step.row.signal_frame)
		frame->inner_known = false;
	if (!makes_sense(&step, frame, error))
		return TL_UNWIND_CORRUPT;
	return apply_row(&step, caller, error);
}

enum tl_unwind_end tl_unwind_next(const struct tl_unwinder *unwinder, struct tl_frame *frame,
				  struct tl_frame *caller_ret, struct tl_error *error)
{
	struct tl_unwind_code code;
	enum tl_unwind_end end;
	bool known;

	if (tl_calling_convention(unwinder->cpu) == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "nothing is known of the calls of %s", unwinder->cpu->name),
		       TL_UNWIND_UNSUPPORTED;
	caller_ret->authenticated = false;
	end = next_by_rows(unwinder, frame, caller_ret, &known, &code, error);
	if (!known)
		end = tl_unwind_guess(unwinder, frame, &code, caller_ret, error);
	if (end != TL_UNWIND_GOES_ON)
		return end;
	if (caller_ret->program_counter == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "this is the outermost frame: its return address is 0"),
		       TL_UNWIND_OUTERMOST;
	caller_ret->signal = false;
	caller_ret->address_known = false;
	link_frames(frame, caller_ret);
	return TL_UNWIND_GOES_ON;
}
