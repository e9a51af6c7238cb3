#include "symbols/call_origin.h"

#include "symbols/dwarf_constants.h"

#include <string.h>

#define DEPTH_MAX 16
#define TAIL_CALLS_MAX 32

/* The entry that all copies of a function and its declarations in one unit lead back to. */
static enum tl_status first_origin(const struct tl_entry *entry, struct tl_entry *origin_ret, struct tl_error *error)
{
	struct tl_entry at = *entry;

	for (int i = 0; i < DEPTH_MAX; i++) {
		struct tl_attribute origin;

		TL_TRY(tl_entry_attribute(&at, DW_AT_abstract_origin, &origin, error));
		if (origin.kind == TL_CLASS_NONE)
			TL_TRY(tl_entry_attribute(&at, DW_AT_specification, &origin, error));
		if (origin.kind == TL_CLASS_NONE)
			break;
		TL_TRY(tl_entry_follow(&origin, &at, error));
	}
	*origin_ret = at;
	return TL_OK;
}

/* Whether two entries are of one function: the same origin, or the same name that the linker saw. */
static enum tl_status same_function(const struct tl_entry *a, const struct tl_entry *b, bool *same_ret,
				    struct tl_error *error)
{
	struct tl_entry origin_a, origin_b;
	struct tl_attribute external_a, external_b;
	const char *name_a, *name_b;

	TL_TRY(first_origin(a, &origin_a, error));
	TL_TRY(first_origin(b, &origin_b, error));
	*same_ret = origin_a.unit == origin_b.unit && origin_a.offset == origin_b.offset;
	if (*same_ret)
		return TL_OK;
	TL_TRY(tl_entry_inherited(a, DW_AT_external, &external_a, error));
	TL_TRY(tl_entry_inherited(b, DW_AT_external, &external_b, error));
	if (external_a.number == 0 || external_b.number == 0)
		return TL_OK;
	TL_TRY(tl_scope_linker_name(a, &name_a, error));
	TL_TRY(tl_scope_linker_name(b, &name_b, error));
	*same_ret = name_a != NULL && name_b != NULL && strcmp(name_a, name_b) == 0;
	return TL_OK;
}

/* Functions that may be running in a frame, because they were jumped to by one that was called. */
struct tails {
	const struct tl_variable_frame *frame;
	struct tl_entry functions[TAIL_CALLS_MAX];
	tl_size count;
	bool may_return; /* to the first of them */
	enum tl_status status;
	struct tl_error *error;
};

/* The code of a function that is named by a call: its own entry, or what a symbol leads to. Tag 0: in another module.
 */
static enum tl_status find_code(const struct tl_variable_frame *frame, const struct tl_entry *callee,
				struct tl_entry *code_ret, struct tl_error *error)
{
	struct tl_scope_chain chain = {NULL, 0, 0};
	tl_u64 address = 0;
	const char *name;
	bool found = false;

	*code_ret = *callee;
	if (tl_entry_start(callee, &address) && address != 0)
		return TL_OK;
	*code_ret = (struct tl_entry){.tag = 0};
	TL_TRY(tl_scope_linker_name(callee, &name, error));
	if (name == NULL || frame->symbol == NULL || frame->scopes == NULL)
		return TL_FAIL(error, TL_ERROR_REGISTER, "a function that may be running in this frame is not known");
	TL_TRY(frame->symbol(frame->context, name, &address, &found, error));
	if (!found)
		return TL_OK;
	TL_TRY(tl_scopes_at(frame->scopes, address - frame->machine.bias, &chain, error));
	if (chain.count != 0)
		*code_ret = chain.scopes[chain.count - 1].entry;
	tl_scope_chain_release(&chain);
	return TL_OK;
}

static enum tl_status follow_tail(struct tails *tails, const struct tl_call_site *site)
{
	struct tl_entry code;
	bool same = false;

	if (!site->has_callee || tails->count == TAIL_CALLS_MAX) {
		tails->may_return = true;
		return TL_OK;
	}
	TL_TRY(same_function(&site->callee, &tails->functions[0], &same, tails->error));
	tails->may_return = same;
	if (same)
		return TL_OK;
	TL_TRY(find_code(tails->frame, &site->callee, &code, tails->error));
	for (tl_size i = 0; i < tails->count && code.tag != 0; i++)
		if (tails->functions[i].unit == code.unit && tails->functions[i].offset == code.offset)
			code.tag = 0;
	if (code.tag != 0)
		tails->functions[tails->count++] = code;
	return TL_OK;
}

static bool see_call(void *context, const struct tl_call_site *site)
{
	struct tails *tails = context;

	if (site->tail)
		tails->status = follow_tail(tails, site);
	return tails->status == TL_OK && !tails->may_return;
}

/*
 * Whether a function may have been entered again by a chain of tail calls that it began itself: then what the call
 * passed is not what it was entered with, and nothing in the stack shows it.
 */
static TL_NOINLINE enum tl_status may_return(const struct tl_variable_frame *frame, bool *may_ret,
					     struct tl_error *error)
{
	struct tails tails = {.frame = frame, .count = 1, .error = error};

	tails.functions[0] = frame->function;
	for (tl_size i = 0; i < tails.count && !tails.may_return; i++) {
		bool tells = false;

		TL_TRY(tl_scope_tells_tail_calls(&tails.functions[i], &tells, error));
		tails.may_return = !tells;
		if (tells)
			TL_TRY(tl_scope_calls(&tails.functions[i], see_call, &tails, error));
		TL_TRY(tails.status);
	}
	*may_ret = tails.may_return;
	return TL_OK;
}

/*
 * Whether a function that a caller names is that of a frame, which begins at `start`: they are one entry, or of one
 * name, or the linker has one of them under the other's name ("qsort" and "__GI_qsort").
 */
static enum tl_status leads_to(const struct tl_variable_frame *caller, const struct tl_entry *callee,
			       const struct tl_variable_frame *frame, tl_u64 start, bool *leads_ret,
			       struct tl_error *error)
{
	struct tl_attribute external;
	const char *name;
	tl_u64 address = 0;
	bool found = false;

	TL_TRY(same_function(callee, &frame->function, leads_ret, error));
	TL_TRY(tl_entry_inherited(callee, DW_AT_external, &external, error));
	if (*leads_ret || start == 0 || caller->symbol == NULL || external.kind != TL_CLASS_FLAG ||
	    external.number == 0)
		return TL_OK;
	TL_TRY(tl_scope_linker_name(callee, &name, error));
	if (name != NULL)
		TL_TRY(caller->symbol(caller->context, name, &address, &found, error));
	*leads_ret = found && address == start + frame->machine.bias;
	return TL_OK;
}

/* ---- Finding ---- */

static enum tl_status certainty_of(const struct tl_variable_frame *frame, const struct tl_variable_frame *caller,
				   struct tl_call_origin *origin, struct tl_error *error)
{
	bool may = true, leads = false;

	TL_TRY(may_return(frame, &may, error));
	if (may)
		return TL_OK;
	if (!origin->site.has_callee) {
		if (origin->site.target != NULL && origin->start != 0)
			origin->certainty = TL_CALL_IF_TARGET;
		return TL_OK;
	}
	TL_TRY(leads_to(caller, &origin->site.callee, frame, origin->start, &leads, error));
	if (leads)
		origin->certainty = TL_CALL_SURE;
	return TL_OK;
}

static enum tl_status find(const struct tl_variable_frame *frame, const struct tl_variable_frame *caller,
			   struct tl_call_origin *origin_ret, struct tl_error *error)
{
	struct tl_call_origin origin = {.certainty = TL_CALL_NOT_KNOWN};
	enum tl_status status;
	bool found = false;

	TL_TRY(tl_scope_call_at(&caller->function, caller->program_counter, &origin.site, &found, error));
	if (found) {
		origin.certainty = TL_CALL_UNSURE;
		if (!tl_entry_start(&frame->function, &origin.start))
			origin.start = 0;
		status = certainty_of(frame, caller, &origin, error);
		/* A function that nobody knows may have run in between. */
		if (status != TL_ERROR_REGISTER)
			TL_TRY(status);
	}
	*origin_ret = origin;
	return TL_OK;
}

/* ---- Keeping ---- */

struct tl_kept_origin {
	struct tl_kept_origin *next;
	/* One file may stand in a process twice. */
	tl_u64 bias, caller_bias, program_counter;
	struct tl_entry function, caller;
	struct tl_call_origin origin;
};

static bool is_of(const struct tl_kept_origin *kept, const struct tl_variable_frame *frame,
		  const struct tl_variable_frame *caller)
{
	return kept->program_counter == caller->program_counter && kept->function.unit == frame->function.unit &&
	       kept->function.offset == frame->function.offset && kept->caller.unit == caller->function.unit &&
	       kept->caller.offset == caller->function.offset && kept->bias == frame->machine.bias &&
	       kept->caller_bias == caller->machine.bias;
}

/* Copies of what a call passed, in the arena; first counted, then filled in. */
struct copying {
	struct tl_call_parameter *parameters; /* NULL: count only */
	tl_size count, room;
};

static bool copy_parameter(void *context, const struct tl_call_parameter *parameter)
{
	struct copying *copying = context;

	if (copying->parameters != NULL && copying->count < copying->room)
		copying->parameters[copying->count] = *parameter;
	copying->count++;
	return true;
}

/* What cannot be read, or has no room, is not kept: who wants it reads it then, and is told. */
static void keep_parameters(struct tl_arena *arena, struct tl_call_origin *origin)
{
	struct copying copying = {.parameters = NULL};

	if (origin->certainty != TL_CALL_SURE && origin->certainty != TL_CALL_IF_TARGET)
		return;
	if (tl_call_parameters(&origin->site, copy_parameter, &copying, NULL) != TL_OK)
		return;
	copying.room = copying.count;
	copying.count = 0;
	copying.parameters = tl_arena_allocate(arena, copying.room * sizeof(*copying.parameters));
	if (copying.parameters == NULL || tl_call_parameters(&origin->site, copy_parameter, &copying, NULL) != TL_OK)
		return;
	origin->parameters = copying.parameters;
	origin->parameter_count = copying.room;
}

enum tl_status tl_call_origin_parameters(const struct tl_call_origin *origin,
					 bool (*call)(void *context, const struct tl_call_parameter *parameter),
					 void *context, struct tl_error *error)
{
	if (origin->parameters == NULL)
		return tl_call_parameters(&origin->site, call, context, error);
	for (tl_size i = 0; i < origin->parameter_count; i++)
		if (!call(context, &origin->parameters[i]))
			break;
	return TL_OK;
}

enum tl_status tl_call_origin_find(const struct tl_variable_frame *frame, const struct tl_variable_frame *caller,
				   struct tl_call_origin *origin_ret, struct tl_error *error)
{
	const tl_u64 hash = (caller->program_counter ^ frame->function.offset << 20) * 0x9e3779b97f4a7c15u >> 32;
	struct tl_kept_origin **bucket, *kept;

	if (frame->origins == NULL)
		return find(frame, caller, origin_ret, error);
	bucket = &frame->origins->buckets[hash % TL_CALL_ORIGIN_BUCKETS];
	for (kept = *bucket; kept != NULL; kept = kept->next) {
		if (is_of(kept, frame, caller)) {
			*origin_ret = kept->origin;
			return TL_OK;
		}
	}
	TL_TRY(find(frame, caller, origin_ret, error));
	keep_parameters(frame->origins->arena, origin_ret);
	kept = tl_arena_allocate(frame->origins->arena, sizeof(*kept));
	if (kept == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the calls that are known");
	*kept = (struct tl_kept_origin){
		.next = *bucket,
		.bias = frame->machine.bias,
		.caller_bias = caller->machine.bias,
		.program_counter = caller->program_counter,
		.function = frame->function,
		.caller = caller->function,
		.origin = *origin_ret,
	};
	*bucket = kept;
	return TL_OK;
}
