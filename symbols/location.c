#include "symbols/location.h"

#include "symbols/bytes.h"
#include "symbols/dwarf_constants.h"
#include "symbols/dwarf_operations.h"

#include <string.h>

/* How deep frames, variables and expressions may depend on one another, and how many in all for one variable. */
#define DEPTH_MAX 16
#define EVALUATIONS_MAX 64
#define TAIL_CALLS_MAX 32

/* What an expression of one unit is evaluated with: the context of all callbacks below. */
struct evaluation {
	const struct tl_variable_frame *frame;
	const struct tl_unit *unit;
	unsigned depth;
	unsigned *left; /* so many more may begin */
	bool over_call; /* what is evaluated holds on both sides of the call that the frame is in */
};

static enum tl_status locate(const struct evaluation *evaluation, const struct tl_entry *variable,
			     struct tl_location *location_ret, struct tl_error *error);

/* Begins one more evaluation for the sake of another. */
static enum tl_status begin(struct evaluation *evaluation, struct tl_error *error)
{
	if (++evaluation->depth > DEPTH_MAX || *evaluation->left == 0)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "the value depends on too many others");
	--*evaluation->left;
	return TL_OK;
}

/* The expression of a location that holds an address. */
struct search {
	tl_u64 address;
	tl_u64 end; /* of the range that holds it */
	const tl_u8 *bytes;
	tl_size size;
	bool found;
};

static bool match(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes, tl_size size)
{
	struct search *search = context;

	if (search->address < start || (search->address >= end && end != TL_U64_MAX))
		return true;
	search->end = end;
	search->bytes = bytes;
	search->size = size;
	search->found = true;
	return false;
}

static enum tl_status expression_at(const struct tl_attribute *attribute, tl_u64 address, struct search *search_ret,
				    struct tl_error *error)
{
	struct search search = {.address = address};

	TL_TRY(tl_entry_locations(attribute, match, &search, error));
	*search_ret = search;
	return TL_OK;
}

static enum tl_status read_register(void *context, tl_u64 number, void *buffer, tl_size size, struct tl_error *error)
{
	const struct evaluation *evaluation = context;
	const struct tl_variable_frame *frame = evaluation->frame;
	enum tl_status status;

	if (frame->machine.read_register == NULL)
		return TL_FAIL(error, TL_ERROR_REGISTER, "no registers are known here");
	status = frame->machine.read_register(frame->machine.context, number, buffer, size, error);
	/* The compiler knows what it calls: it may keep a value in a register that the convention lets anybody change.
	 */
	if (status == TL_ERROR_REGISTER && evaluation->over_call && frame->stale_register != NULL)
		status = frame->stale_register(frame->machine.context, number, buffer, size, error);
	return status;
}

static enum tl_status frame_address(void *context, tl_u64 *address_ret, struct tl_error *error)
{
	const struct tl_expression_context *machine = &((struct evaluation *)context)->frame->machine;

	if (machine->frame_address == NULL)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the frame's address is not known here");
	return machine->frame_address(machine->context, address_ret, error);
}

static enum tl_status in_thread(void *context, tl_u64 offset, tl_u64 *address_ret, struct tl_error *error)
{
	const struct tl_expression_context *machine = &((struct evaluation *)context)->frame->machine;

	if (machine->thread_local == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "thread-local storage is not known here");
	return machine->thread_local(machine->context, offset, address_ret, error);
}

static void fill_in(struct evaluation *evaluation, struct tl_expression_context *context_ret);

static enum tl_status frame_base(void *context, tl_u64 *address_ret, struct tl_error *error)
{
	const struct evaluation *outer = context;
	const struct tl_variable_frame *frame = outer->frame;
	struct evaluation evaluation = *outer;
	struct tl_expression_context own;
	const tl_u8 *bytes = NULL;
	tl_size size = 0;

	TL_TRY(begin(&evaluation, error));
	if (frame->function.tag != 0)
		TL_TRY(tl_scope_frame_base(&frame->function, frame->address, &bytes, &size, error));
	if (size == 0)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the debug information does not say where the frame is");
	evaluation.unit = frame->function.unit;
	fill_in(&evaluation, &own);
	own.frame_base = NULL;
	return tl_expression_number(&own, bytes, size, NULL, address_ret, error);
}

static enum tl_status indexed_address(void *context, tl_u64 index, tl_u64 *address_ret, struct tl_error *error)
{
	const struct tl_unit *unit = ((struct evaluation *)context)->unit;
	struct tl_image *image = tl_dwarf_image(unit->dwarf);
	struct tl_section_bytes section;
	struct tl_cursor cursor;

	if (unit->common)
		TL_TRY(tl_image_common_section(image, TL_SECTION_ADDR, &section, error));
	else
		TL_TRY(tl_image_section(image, TL_SECTION_ADDR, &section, error));
	cursor = tl_cursor_make(section.bytes, section.size);
	tl_take_skip(&cursor, unit->addr_base);
	if (index > section.size)
		tl_take_fail(&cursor);
	tl_take_skip(&cursor, index * unit->address_size);
	index = tl_take_word(&cursor, unit->address_size);
	if (cursor.failed)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "an expression names an address that .debug_addr has not");
	*address_ret = index;
	return TL_OK;
}

static enum tl_status base_type(void *context, tl_u64 offset, struct tl_dwarf_type *type_ret, struct tl_error *error)
{
	const struct tl_unit *unit = ((struct evaluation *)context)->unit;
	struct tl_attribute encoding, size;
	struct tl_entry entry;

	TL_TRY(tl_entry_at(unit, unit->offset + offset, &entry, error));
	TL_TRY(tl_entry_attribute(&entry, DW_AT_encoding, &encoding, error));
	TL_TRY(tl_entry_attribute(&entry, DW_AT_byte_size, &size, error));
	if (entry.tag != DW_TAG_base_type || size.number == 0 || size.number > TL_DWARF_VALUE_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "entry 0x%llx is no type for values on a stack",
			       (unsigned long long)entry.offset);
	type_ret->offset = offset;
	type_ret->encoding = (tl_u8)encoding.number;
	type_ret->size = (tl_u8)size.number;
	return TL_OK;
}

/* The entry at an offset of .debug_info, or of the file of common parts where `near` stands there. */
static enum tl_status entry_at(const struct tl_unit *near, tl_u64 offset, struct tl_entry *entry_ret,
			       struct tl_error *error)
{
	const struct tl_unit *unit = tl_dwarf_unit_at(near->dwarf, offset, near->common);

	if (unit == NULL)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "an expression names an entry at 0x%llx, where no unit is",
			       (unsigned long long)offset);
	return tl_entry_at(unit, offset, entry_ret, error);
}

static enum tl_status expression_of(void *context, enum tl_expression_reference reference, tl_u64 offset,
				    const tl_u8 **bytes_ret, tl_size *size_ret, struct tl_error *error)
{
	const struct evaluation *evaluation = context;
	struct search search = {.bytes = NULL};
	struct tl_attribute attribute;
	struct tl_entry entry;

	if (reference == TL_REFERENCE_UNIT)
		TL_TRY(tl_entry_at(evaluation->unit, evaluation->unit->offset + offset, &entry, error));
	else
		TL_TRY(entry_at(evaluation->unit, offset, &entry, error));
	TL_TRY(tl_entry_inherited(&entry, DW_AT_location, &attribute, error));
	if (attribute.kind != TL_CLASS_NONE)
		TL_TRY(expression_at(&attribute, evaluation->frame->address, &search, error));
	*bytes_ret = search.bytes;
	*size_ret = search.size;
	return TL_OK;
}

/* The value of a variable that fits into an address, as a number on the stack. */
static enum tl_status variable_value(void *context, tl_u64 offset, struct tl_dwarf_value *value_ret,
				     struct tl_error *error)
{
	struct evaluation evaluation = *(const struct evaluation *)context;
	const struct tl_type *type;
	struct tl_location location;
	struct tl_entry entry;
	tl_u8 bytes[8] = {0};
	tl_u64 size, missing;
	bool known;

	TL_TRY(begin(&evaluation, error));
	TL_TRY(entry_at(evaluation.unit, offset, &entry, error));
	TL_TRY(tl_type_of(evaluation.frame->types, &entry, &type, error));
	TL_TRY(tl_type_strip(type, &type, error));
	TL_TRY(tl_type_size(type, &size, &known, error));
	if (!known || size == 0 || size > sizeof(bytes))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "an expression names a variable that is no number");
	TL_TRY(locate(&evaluation, &entry, &location, error));
	TL_TRY(tl_location_read(evaluation.frame, &location, 0, bytes, (tl_size)size, &missing, error));
	if (missing != 0)
		return TL_FAIL(error, TL_ERROR_REGISTER, "a variable that the value depends on was optimised out");
	if (type->encoding == DW_ATE_signed && (bytes[size - 1] & 0x80) != 0)
		memset(bytes + size, 0xff, sizeof(bytes) - (tl_size)size);
	*value_ret = tl_dwarf_value_make(tl_dwarf_generic(evaluation.frame->machine.address_size),
					 tl_load_little(bytes, sizeof(bytes)));
	return TL_OK;
}

/* Where a function begins, without bias; 0 when that is not said. */
static bool first_range(void *context, tl_u64 start, tl_u64 end)
{
	(void)end;
	*(tl_u64 *)context = start;
	return false;
}

static enum tl_status text_of(const struct tl_entry *entry, tl_u16 name, const char **text_ret, struct tl_error *error)
{
	struct tl_attribute attribute;

	TL_TRY(tl_entry_inherited(entry, name, &attribute, error));
	*text_ret = attribute.kind == TL_CLASS_STRING ? attribute.text : NULL;
	return TL_OK;
}

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
	TL_TRY(text_of(a, DW_AT_linkage_name, &name_a, error));
	TL_TRY(text_of(b, DW_AT_linkage_name, &name_b, error));
	if (name_a == NULL && name_b == NULL) {
		TL_TRY(text_of(a, DW_AT_name, &name_a, error));
		TL_TRY(text_of(b, DW_AT_name, &name_b, error));
	}
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

/* Whether the compiler promised to tell of all calls that a function ends with. */
static enum tl_status tells_all(const struct tl_entry *function, bool *tells_ret, struct tl_error *error)
{
	static const tl_u16 promises[] = {DW_AT_call_all_calls, DW_AT_call_all_tail_calls, DW_AT_GNU_all_call_sites,
					  DW_AT_GNU_all_tail_call_sites};

	*tells_ret = false;
	for (tl_size i = 0; i < TL_COUNT(promises) && !*tells_ret; i++) {
		struct tl_attribute promise;

		TL_TRY(tl_entry_attribute(function, promises[i], &promise, error));
		*tells_ret = promise.kind == TL_CLASS_FLAG && promise.number != 0;
	}
	return TL_OK;
}

/* The code of a function that is named by a call: its own entry, or what a symbol leads to. Tag 0: in another module.
 */
static enum tl_status find_code(const struct tl_variable_frame *frame, const struct tl_entry *callee,
				struct tl_entry *code_ret, struct tl_error *error)
{
	struct tl_scope_chain chain = {NULL, 0, 0};
	tl_u64 address = 0;
	const char *name;
	bool found = false;

	TL_TRY(tl_entry_ranges(callee, first_range, &address, error));
	*code_ret = *callee;
	if (address != 0)
		return TL_OK;
	*code_ret = (struct tl_entry){.tag = 0};
	TL_TRY(text_of(callee, DW_AT_linkage_name, &name, error));
	if (name == NULL)
		TL_TRY(text_of(callee, DW_AT_name, &name, error));
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
static TL_NOINLINE enum tl_status may_return_to(const struct tl_variable_frame *frame, const struct tl_entry *function,
						bool *may_ret, struct tl_error *error)
{
	struct tails tails = {.frame = frame, .count = 1, .error = error};

	tails.functions[0] = *function;
	for (tl_size i = 0; i < tails.count && !tails.may_return; i++) {
		bool tells = false;

		TL_TRY(tells_all(&tails.functions[i], &tells, error));
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
	TL_TRY(text_of(callee, DW_AT_linkage_name, &name, error));
	if (name == NULL)
		TL_TRY(text_of(callee, DW_AT_name, &name, error));
	if (name != NULL)
		TL_TRY(caller->symbol(caller->context, name, &address, &found, error));
	*leads_ret = found && address == start + frame->machine.bias;
	return TL_OK;
}

/* Whether the call is surely that of this frame's function. */
static enum tl_status led_here(const struct evaluation *caller, const struct tl_call_site *site,
			       const struct tl_variable_frame *frame, bool *led_ret, struct tl_error *error)
{
	struct evaluation evaluation = *caller;
	struct tl_expression_context context;
	tl_u64 start = 0, target;
	bool may_return = true;

	*led_ret = false;
	TL_TRY(may_return_to(frame, &frame->function, &may_return, error));
	if (may_return)
		return TL_OK;
	TL_TRY(tl_entry_ranges(&frame->function, first_range, &start, error));
	if (site->has_callee)
		return leads_to(caller->frame, &site->callee, frame, start, led_ret, error);
	if (site->target == NULL)
		return TL_OK;
	evaluation.unit = site->entry.unit;
	fill_in(&evaluation, &context);
	TL_TRY(tl_expression_number(&context, site->target, site->target_size, NULL, &target, error));
	*led_ret = start != 0 && target == start + frame->machine.bias;
	return TL_OK;
}

/* What a call passed: by where it was passed, or by which parameter it was. */
struct passed {
	const tl_u8 *bytes;
	tl_size size;
	const struct tl_entry *parameter;
	struct tl_call_parameter found;
	bool has_found;
};

/* The register that an expression names and nothing besides, whatever type it is taken for. */
static bool is_register(const tl_u8 *bytes, tl_size size, tl_u64 *number_ret)
{
	struct tl_cursor cursor = tl_cursor_make(bytes, size);
	const tl_u8 operation = tl_take_u8(&cursor);

	if (operation >= DW_OP_reg0 && operation <= DW_OP_reg0 + 31) {
		*number_ret = operation - DW_OP_reg0;
	} else if (operation == DW_OP_regx) {
		*number_ret = tl_take_unsigned(&cursor);
	} else if (operation == DW_OP_regval_type || operation == DW_OP_GNU_regval_type) {
		*number_ret = tl_take_unsigned(&cursor);
		(void)tl_take_unsigned(&cursor);
	} else {
		return false;
	}
	return !cursor.failed && tl_cursor_done(&cursor);
}

static bool is_passed(void *context, const struct tl_call_parameter *parameter)
{
	struct passed *passed = context;
	tl_u64 number, other;
	bool same;

	if (passed->parameter != NULL)
		same = parameter->has_entry && parameter->entry.unit == passed->parameter->unit &&
		       parameter->entry.offset == passed->parameter->offset;
	else if (is_register(passed->bytes, passed->size, &number))
		same = is_register(parameter->location, parameter->location_size, &other) && other == number;
	else
		same = parameter->location_size == passed->size && passed->size != 0 &&
		       memcmp(parameter->location, passed->bytes, passed->size) == 0;
	if (!same || parameter->value == NULL)
		return true;
	passed->found = *parameter;
	passed->has_found = true;
	return false;
}

/* What an expression leaves on the stack, typed or not. */
static enum tl_status value_of(const struct evaluation *evaluation, const tl_u8 *bytes, tl_size size,
			       struct tl_dwarf_value *value_ret, struct tl_error *error)
{
	struct evaluation own = *evaluation;
	struct tl_expression_context context;
	struct tl_location location;
	const struct tl_place *place = location.places;
	tl_u64 number;

	fill_in(&own, &context);
	TL_TRY(tl_expression_location(&context, bytes, size, NULL, &location, error));
	if (location.count == 1 && place->kind == TL_PLACE_VALUE) {
		*value_ret = place->value;
		return TL_OK;
	}
	TL_TRY(tl_expression_number(&context, bytes, size, NULL, &number, error));
	*value_ret = tl_dwarf_value_make(tl_dwarf_generic(context.address_size), number);
	return TL_OK;
}

static enum tl_status passed_value(const struct evaluation *evaluation, struct passed *passed,
				   struct tl_dwarf_value *value_ret, struct tl_error *error)
{
	const struct tl_variable_frame *frame = evaluation->frame;
	struct tl_variable_frame caller;
	struct evaluation outer = {&caller, NULL, evaluation->depth, evaluation->left, false};
	struct tl_call_site site;
	bool found = false, led = false;

	TL_TRY(begin(&outer, error));
	if (frame->caller == NULL || frame->function.tag == 0)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the caller is not known");
	TL_TRY(frame->caller(frame->context, &caller, error));
	if (caller.function.tag != 0)
		TL_TRY(tl_scope_call_at(&caller.function, caller.program_counter, &site, &found, error));
	if (!found)
		return TL_FAIL(error, TL_ERROR_REGISTER, "nothing is known of the call that led here");
	TL_TRY(led_here(&outer, &site, frame, &led, error));
	if (!led)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the call that led here may have been another");
	TL_TRY(tl_call_parameters(&site, is_passed, passed, error));
	if (!passed->has_found)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the call does not say what it passed");
	outer.unit = site.entry.unit;
	return value_of(&outer, passed->found.value, passed->found.value_size, value_ret, error);
}

static enum tl_status entry_value(void *context, const tl_u8 *bytes, tl_size size, struct tl_dwarf_value *value_ret,
				  struct tl_error *error)
{
	struct passed passed = {.bytes = bytes, .size = size};
	struct tl_cursor cursor = tl_cursor_make(bytes, size);
	const tl_u8 operation = tl_take_u8(&cursor);
	tl_u64 type;

	TL_TRY(passed_value(context, &passed, value_ret, error));
	if (operation != DW_OP_regval_type && operation != DW_OP_GNU_regval_type)
		return TL_OK;
	/* The register was taken for a value of a type: what was passed is so, too. */
	(void)tl_take_unsigned(&cursor);
	type = tl_take_unsigned(&cursor);
	TL_TRY(base_type(context, type, &value_ret->type, error));
	memset(value_ret->bytes + value_ret->type.size, 0, sizeof(value_ret->bytes) - value_ret->type.size);
	return TL_OK;
}

static enum tl_status parameter_value(void *context, tl_u64 offset, struct tl_dwarf_value *value_ret,
				      struct tl_error *error)
{
	const struct evaluation *evaluation = context;
	struct passed passed = {.bytes = NULL};
	struct tl_entry parameter;

	TL_TRY(tl_entry_at(evaluation->unit, evaluation->unit->offset + offset, &parameter, error));
	passed.parameter = &parameter;
	return passed_value(evaluation, &passed, value_ret, error);
}

static void fill_in(struct evaluation *evaluation, struct tl_expression_context *context_ret)
{
	const struct tl_expression_context *machine = &evaluation->frame->machine;
	const struct tl_unit *unit = evaluation->unit;

	*context_ret = (struct tl_expression_context){
		.context = evaluation,
		.address_size = unit->address_size,
		.offset_size = unit->offset_size,
		.version = unit->version,
		.bias = machine->bias,
		.memory = machine->memory,
		.read_register = read_register,
		.frame_base = frame_base,
		.frame_address = frame_address,
		.thread_local = in_thread,
		.entry_value = entry_value,
		.parameter = parameter_value,
		.variable = variable_value,
		.indexed_address = indexed_address,
		.base_type = base_type,
		.expression = expression_of,
	};
}

/* A value that the debug information knows itself. */
static void constant_place(const struct tl_attribute *constant, struct tl_place *place_ret)
{
	struct tl_place place = {.kind = TL_PLACE_BYTES};

	if (constant->kind == TL_CLASS_UNSIGNED || constant->kind == TL_CLASS_SIGNED ||
	    constant->kind == TL_CLASS_ADDRESS) {
		place.kind = TL_PLACE_VALUE;
		place.value = tl_dwarf_value_make(tl_dwarf_generic(8), constant->number);
	} else if (constant->kind == TL_CLASS_STRING) {
		place.bytes = (const tl_u8 *)constant->text;
		place.size = strlen(constant->text) + 1;
	} else if (constant->kind == TL_CLASS_BLOCK || constant->kind == TL_CLASS_EXPRESSION) {
		place.bytes = constant->bytes;
		place.size = constant->size;
	} else {
		place.kind = TL_PLACE_NONE;
	}
	*place_ret = place;
}

/* A variable of the whole program without a location here: a symbol table may know it. */
static enum tl_status external_place(const struct tl_variable_frame *frame, const struct tl_entry *variable,
				     struct tl_place *place_ret, struct tl_error *error)
{
	struct tl_attribute external;
	const char *name;
	tl_u64 address = 0;
	bool found = false;

	TL_TRY(tl_entry_inherited(variable, DW_AT_external, &external, error));
	if (frame->symbol == NULL || external.kind != TL_CLASS_FLAG || external.number == 0)
		return TL_OK;
	TL_TRY(text_of(variable, DW_AT_linkage_name, &name, error));
	if (name == NULL)
		TL_TRY(text_of(variable, DW_AT_name, &name, error));
	if (name != NULL)
		TL_TRY(frame->symbol(frame->context, name, &address, &found, error));
	if (found)
		*place_ret = (struct tl_place){.kind = TL_PLACE_MEMORY, .address = address};
	return TL_OK;
}

/* Registers that are known as stale ones only are read now: who reads the location later does not know that it may. */
static void keep_stale(struct evaluation *evaluation, struct tl_location *location)
{
	const struct tl_expression_context *machine = &evaluation->frame->machine;

	for (tl_u16 i = 0; i < location->count; i++) {
		struct tl_place *place = &location->places[i];
		struct tl_place value = {
			.kind = TL_PLACE_VALUE, .bit_size = place->bit_size, .bit_offset = place->bit_offset};
		const tl_size size = machine->address_size;

		value.value.type = tl_dwarf_generic((tl_u8)size);
		if (place->kind == TL_PLACE_REGISTER && machine->read_register != NULL &&
		    machine->read_register(machine->context, place->number, value.value.bytes, size, NULL) ==
			    TL_ERROR_REGISTER &&
		    read_register(evaluation, place->number, value.value.bytes, size, NULL) == TL_OK)
			*place = value;
	}
}

static enum tl_status locate(const struct evaluation *evaluation, const struct tl_entry *variable,
			     struct tl_location *location_ret, struct tl_error *error)
{
	struct evaluation own = *evaluation;
	struct tl_expression_context context;
	struct tl_attribute attribute;
	struct search search;

	location_ret->count = 1;
	location_ret->places[0] = (struct tl_place){.kind = TL_PLACE_NONE};
	TL_TRY(tl_entry_inherited(variable, DW_AT_const_value, &attribute, error));
	if (attribute.kind != TL_CLASS_NONE) {
		constant_place(&attribute, &location_ret->places[0]);
		return TL_OK;
	}
	TL_TRY(tl_entry_inherited(variable, DW_AT_location, &attribute, error));
	if (attribute.kind == TL_CLASS_NONE)
		return external_place(own.frame, variable, &location_ret->places[0], error);
	TL_TRY(expression_at(&attribute, own.frame->address, &search, error));
	if (!search.found)
		return TL_OK;
	own.unit = attribute.unit;
	own.over_call = own.frame->program_counter > own.frame->address && own.frame->program_counter < search.end;
	fill_in(&own, &context);
	TL_TRY(tl_expression_location(&context, search.bytes, search.size, NULL, location_ret, error));
	if (own.over_call)
		keep_stale(&own, location_ret);
	return TL_OK;
}

enum tl_status tl_variable_location(const struct tl_variable_frame *frame, const struct tl_entry *variable,
				    struct tl_location *location_ret, struct tl_error *error)
{
	unsigned left = EVALUATIONS_MAX;
	const struct evaluation evaluation = {frame, variable->unit, 0, &left, false};

	return locate(&evaluation, variable, location_ret, error);
}

/*
 * How a call names where it passes a parameter that is found by this expression at the function's entry: a register, or
 * a place above the stack pointer, which then is what the canonical frame address is afterwards. 0: in no such way.
 */
static tl_size passed_where(const struct tl_variable_frame *frame, const struct search *entry, tl_u8 bytes_ret[16])
{
	const tl_u8 operation = entry->size != 0 ? entry->bytes[0] : 0;

	if (entry->size > 16 || entry->size == 0)
		return 0;
	memcpy(bytes_ret, entry->bytes, entry->size);
	if (operation >= DW_OP_reg0 && operation <= DW_OP_reg0 + 31)
		return entry->size == 1 ? 1 : 0;
	if (operation == DW_OP_regx)
		return entry->size;
	if (operation != DW_OP_fbreg)
		return 0;
	bytes_ret[0] = (tl_u8)(DW_OP_breg0 + (frame->machine.address_size == 8 ? 7 : 4));
	return entry->size;
}

enum tl_status tl_variable_at_entry(const struct tl_variable_frame *frame, const struct tl_entry *parameter,
				    struct tl_location *location_ret, struct tl_error *error)
{
	unsigned left = EVALUATIONS_MAX;
	const struct evaluation evaluation = {frame, parameter->unit, 0, &left, false};
	struct tl_place place = {.kind = TL_PLACE_NONE};
	struct tl_attribute attribute;
	struct passed passed = {.bytes = NULL};
	struct search entry = {.found = false};
	enum tl_status status;
	tl_u64 start = 0;
	tl_u8 bytes[16];

	location_ret->count = 1;
	location_ret->places[0] = place;
	if (frame->function.tag == 0)
		return TL_OK;
	TL_TRY(tl_entry_ranges(&frame->function, first_range, &start, error));
	TL_TRY(tl_entry_inherited(parameter, DW_AT_location, &attribute, error));
	if (attribute.kind == TL_CLASS_NONE)
		return TL_OK;
	TL_TRY(expression_at(&attribute, start, &entry, error));
	passed.bytes = bytes;
	passed.size = entry.found ? passed_where(frame, &entry, bytes) : 0;
	if (passed.size == 0)
		return TL_OK;
	status = passed_value(&evaluation, &passed, &place.value, error);
	if (status == TL_ERROR_REGISTER)
		return TL_OK;
	TL_TRY(status);
	place.kind = TL_PLACE_VALUE;
	location_ret->places[0] = place;
	return TL_OK;
}

enum tl_status tl_attribute_evaluate(const struct tl_variable_frame *frame, const struct tl_attribute *attribute,
				     const tl_u64 *first, tl_u64 *number_ret, bool *known_ret, struct tl_error *error)
{
	unsigned left = EVALUATIONS_MAX;
	struct evaluation evaluation = {frame, attribute->unit, 0, &left, false};
	struct tl_expression_context context;
	struct search search;

	if (attribute->kind == TL_CLASS_UNSIGNED || attribute->kind == TL_CLASS_SIGNED) {
		*number_ret = attribute->number;
		*known_ret = true;
		return TL_OK;
	}
	TL_TRY(expression_at(attribute, frame->address, &search, error));
	*known_ret = search.found && search.size != 0;
	if (!*known_ret)
		return TL_OK;
	fill_in(&evaluation, &context);
	return tl_expression_number(&context, search.bytes, search.size, first, number_ret, error);
}

enum tl_status tl_location_target(const struct tl_variable_frame *frame, const struct tl_place *place,
				  struct tl_entry *entry_ret, struct tl_error *error)
{
	if (place->kind != TL_PLACE_POINTER)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the place is no implicit pointer");
	if (frame->function.tag == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the pointer belongs to no function");
	return entry_at(frame->function.unit, place->entry, entry_ret, error);
}
