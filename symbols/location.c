#include "symbols/location.h"

#include "symbols/bytes.h"
#include "symbols/call_origin.h"
#include "symbols/dwarf_constants.h"
#include "symbols/dwarf_operations.h"

#include <string.h>

/* How deep frames, variables and expressions may depend on one another, and how many in all for one variable. */
#define DEPTH_MAX 16
#define EVALUATIONS_MAX 64

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

/* Whether a call is surely that of the frame's function. */
static enum tl_status led_here(const struct evaluation *caller, const struct tl_call_origin *origin,
			       const struct tl_variable_frame *frame, bool *led_ret, struct tl_error *error)
{
	struct evaluation evaluation = *caller;
	struct tl_expression_context context;
	tl_u64 target;

	*led_ret = origin->certainty == TL_CALL_SURE;
	if (origin->certainty != TL_CALL_IF_TARGET)
		return TL_OK;
	evaluation.unit = origin->site.entry.unit;
	fill_in(&evaluation, &context);
	TL_TRY(tl_expression_number(&context, origin->site.target, origin->site.target_size, NULL, &target, error));
	*led_ret = target == origin->start + frame->machine.bias;
	return TL_OK;
}

static enum tl_status passed_value(const struct evaluation *evaluation, struct passed *passed,
				   struct tl_dwarf_value *value_ret, struct tl_error *error)
{
	const struct tl_variable_frame *frame = evaluation->frame;
	struct tl_variable_frame caller;
	struct evaluation outer = {&caller, NULL, evaluation->depth, evaluation->left, false};
	struct tl_call_origin origin = {.certainty = TL_CALL_NOT_KNOWN};
	bool led = false;

	TL_TRY(begin(&outer, error));
	if (frame->caller == NULL || frame->function.tag == 0)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the caller is not known");
	TL_TRY(frame->caller(frame->context, &caller, error));
	if (caller.function.tag != 0)
		TL_TRY(tl_call_origin_find(frame, &caller, &origin, error));
	if (origin.certainty == TL_CALL_NOT_KNOWN)
		return TL_FAIL(error, TL_ERROR_REGISTER, "nothing is known of the call that led here");
	TL_TRY(led_here(&outer, &origin, frame, &led, error));
	if (!led)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the call that led here may have been another");
	TL_TRY(tl_call_origin_parameters(&origin, is_passed, passed, error));
	if (!passed->has_found)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the call does not say what it passed");
	outer.unit = origin.site.entry.unit;
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
	TL_TRY(tl_scope_linker_name(variable, &name, error));
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
		/* All of the register: what is in it may be larger than an address. */
		const tl_size size = TL_DWARF_VALUE_MAX;

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
	if (!tl_entry_start(&frame->function, &start))
		start = 0;
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
