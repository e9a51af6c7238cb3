#include "symbols/dwarf_expression.h"

#include "symbols/bytes.h"
#include "symbols/dwarf_operations.h"

#define STACK_MAX 64
#define CALLS_MAX 8
/* Compilers write loops of some dozen rounds at the most. */
#define STEPS_MAX 20000

/* What the operations so far say of the place, when it is not simply memory at the top of the stack. */
struct run {
	const struct tl_expression_context *context;
	struct tl_error *error;
	struct tl_location *location;
	struct tl_cursor code;
	const tl_u8 *start; /* of the code that is running */
	unsigned calls, steps;
	tl_u16 count;
	bool placed;           /* `place` was said: only a piece, or the end, may follow */
	struct tl_place place; /* kind, and what goes with it */
	struct tl_dwarf_value stack[STACK_MAX];
};

static enum tl_status run_code(struct run *run, const tl_u8 *bytes, tl_size size);

const char *tl_dwarf_operation_name(tl_u8 operation)
{
	if (operation > DW_OP_lit0 && operation < DW_OP_lit31)
		return "lit";
	if (operation > DW_OP_reg0 && operation < DW_OP_reg31)
		return "reg";
	if (operation > DW_OP_breg0 && operation < DW_OP_breg31)
		return "breg";
	switch (operation) {
#define X(name, value)                                                                                                 \
	case value:                                                                                                    \
		return #name;
		TL_DW_OP_TABLE(X)
#undef X
	default:
		return "?";
	}
}

static enum tl_status malformed(struct run *run, const char *what)
{
	return TL_FAIL(run->error, TL_ERROR_MALFORMED, "a DWARF expression is damaged: %s", what);
}

static enum tl_status missing(struct run *run, const char *what)
{
	return TL_FAIL(run->error, TL_ERROR_UNSUPPORTED, "a DWARF expression needs %s, which is not to be had here",
		       what);
}

static enum tl_status push(struct run *run, struct tl_dwarf_value value)
{
	if (run->count == STACK_MAX)
		return TL_FAIL(run->error, TL_ERROR_TOO_LONG,
			       "a DWARF expression needs more than %d places of its stack", STACK_MAX);
	run->stack[run->count++] = value;
	return TL_OK;
}

static enum tl_status push_number(struct run *run, tl_u64 number)
{
	return push(run, tl_dwarf_value_make(tl_dwarf_generic(run->context->address_size), number));
}

/* The n-th value from the top, 0 being the top itself. */
static enum tl_status peek(struct run *run, tl_u64 index, struct tl_dwarf_value **value_ret)
{
	if (index >= run->count)
		return malformed(run, "its stack is empty where a value is wanted");
	*value_ret = &run->stack[run->count - 1 - index];
	return TL_OK;
}

static enum tl_status pop(struct run *run, struct tl_dwarf_value *value_ret)
{
	struct tl_dwarf_value *top;

	TL_TRY(peek(run, 0, &top));
	*value_ret = *top;
	run->count--;
	return TL_OK;
}

/* Pops a value as an address. */
static enum tl_status pop_address(struct run *run, tl_u64 *address_ret)
{
	struct tl_dwarf_value value;

	TL_TRY(pop(run, &value));
	*address_ret = tl_dwarf_value_number(&value);
	if (run->context->address_size == 4)
		*address_ret = (tl_u32)*address_ret;
	return TL_OK;
}

static enum tl_status read_register(struct run *run, tl_u64 number, struct tl_dwarf_type type,
				    struct tl_dwarf_value *value_ret)
{
	struct tl_dwarf_value value = {.type = type};

	if (run->context->read_register == NULL)
		return missing(run, "a register");
	TL_TRY(run->context->read_register(run->context->context, number, value.bytes, type.size, run->error));
	*value_ret = value;
	return TL_OK;
}

static enum tl_status push_register(struct run *run, tl_u64 number, tl_i64 offset)
{
	struct tl_dwarf_value value;

	TL_TRY(read_register(run, number, tl_dwarf_generic(run->context->address_size), &value));
	return push_number(run, tl_dwarf_value_number(&value) + (tl_u64)offset);
}

/* What callbacks without parameters yield. */
static enum tl_status push_asked(struct run *run,
				 enum tl_status (*ask)(void *context, tl_u64 *address_ret, struct tl_error *error),
				 const char *what, tl_i64 offset)
{
	tl_u64 address;

	if (ask == NULL)
		return missing(run, what);
	TL_TRY(ask(run->context->context, &address, run->error));
	return push_number(run, address + (tl_u64)offset);
}

static enum tl_status type_at(struct run *run, tl_u64 offset, struct tl_dwarf_type *type_ret)
{
	struct tl_dwarf_type type;

	if (offset == 0) {
		*type_ret = tl_dwarf_generic(run->context->address_size);
		return TL_OK;
	}
	if (run->context->base_type == NULL)
		return missing(run, "a type");
	TL_TRY(run->context->base_type(run->context->context, offset, &type, run->error));
	if (type.size == 0 || type.size > TL_DWARF_VALUE_MAX)
		return TL_FAIL(run->error, TL_ERROR_UNSUPPORTED, "a DWARF expression has a value of %u bytes",
			       type.size);
	type.offset = offset;
	*type_ret = type;
	return TL_OK;
}

/* Replaces the address on top by what memory holds there: `read` bytes, as a value of a type that may be larger. */
static enum tl_status dereference(struct run *run, struct tl_dwarf_type type, tl_u8 size)
{
	const struct tl_memory_access *memory = run->context->memory;
	struct tl_dwarf_value value = {.type = type};
	enum tl_status status;
	tl_u64 address;

	if (memory == NULL)
		return missing(run, "memory");
	if (size == 0 || size > type.size)
		return malformed(run, "it reads a value of an impossible size");
	TL_TRY(pop_address(run, &address));
	status = memory->read(memory->context, address, value.bytes, size);
	if (status != TL_OK)
		return TL_FAIL(run->error, status, "cannot read %u bytes of memory at 0x%llx", size,
			       (unsigned long long)address);
	return push(run, value);
}

/* Constants; the operation and its operand. */
static tl_u64 take_constant(struct run *run, tl_u8 operation)
{
	struct tl_cursor *code = &run->code;

	switch (operation) {
	case DW_OP_const1u:
		return tl_take_u8(code);
	case DW_OP_const1s:
		return (tl_u64)(tl_i8)tl_take_u8(code);
	case DW_OP_const2u:
		return tl_take_u16(code);
	case DW_OP_const2s:
		return (tl_u64)(tl_i16)tl_take_u16(code);
	case DW_OP_const4u:
		return tl_take_u32(code);
	case DW_OP_const4s:
		return (tl_u64)(tl_i32)tl_take_u32(code);
	case DW_OP_const8u:
	case DW_OP_const8s:
		return tl_take_u64(code);
	case DW_OP_constu:
		return tl_take_unsigned(code);
	default:
		return (tl_u64)tl_take_signed(code);
	}
}

static enum tl_status rotate(struct run *run)
{
	struct tl_dwarf_value *first, *second, *third, top;

	TL_TRY(peek(run, 2, &third));
	TL_TRY(peek(run, 1, &second));
	TL_TRY(peek(run, 0, &first));
	top = *first;
	*first = *second;
	*second = *third;
	*third = top;
	return TL_OK;
}

static enum tl_status run_stack(struct run *run, tl_u8 operation)
{
	struct tl_dwarf_value *value, *other, kept;

	switch (operation) {
	case DW_OP_dup:
		TL_TRY(peek(run, 0, &value));
		return push(run, *value);
	case DW_OP_drop:
		return pop(run, &kept);
	case DW_OP_over:
		TL_TRY(peek(run, 1, &value));
		return push(run, *value);
	case DW_OP_pick:
		TL_TRY(peek(run, tl_take_u8(&run->code), &value));
		return push(run, *value);
	case DW_OP_swap:
		TL_TRY(peek(run, 1, &other));
		TL_TRY(peek(run, 0, &value));
		kept = *value;
		*value = *other;
		*other = kept;
		return TL_OK;
	default:
		return rotate(run);
	}
}

static enum tl_status run_arithmetic(struct run *run, tl_u8 operation)
{
	struct tl_dwarf_value *left, right;

	if (operation == DW_OP_plus_uconst) {
		TL_TRY(peek(run, 0, &left));
		right = tl_dwarf_value_make(left->type, tl_take_unsigned(&run->code));
		return tl_dwarf_binary(DW_OP_plus, left, &right, run->context->address_size, run->error);
	}
	if (operation == DW_OP_abs || operation == DW_OP_neg || operation == DW_OP_not) {
		TL_TRY(peek(run, 0, &left));
		return tl_dwarf_unary(operation, left, run->error);
	}
	TL_TRY(pop(run, &right));
	TL_TRY(peek(run, 0, &left));
	return tl_dwarf_binary(operation, left, &right, run->context->address_size, run->error);
}

static enum tl_status run_jump(struct run *run, tl_u8 operation)
{
	tl_i64 distance = (tl_i16)tl_take_u16(&run->code);
	struct tl_dwarf_value condition;

	if (operation == DW_OP_bra) {
		TL_TRY(pop(run, &condition));
		if (!tl_dwarf_value_true(&condition))
			return TL_OK;
	}
	if (distance < run->start - run->code.at || distance > run->code.end - run->code.at)
		return malformed(run, "it jumps out of itself");
	run->code.at += distance;
	return TL_OK;
}

static enum tl_status run_call(struct run *run, tl_u8 operation)
{
	const struct tl_expression_context *context = run->context;
	enum tl_expression_reference reference = operation == DW_OP_call_ref ? TL_REFERENCE_SECTION : TL_REFERENCE_UNIT;
	struct tl_cursor code;
	const tl_u8 *start, *bytes;
	tl_size size;
	tl_u64 offset;

	if (operation == DW_OP_call_ref)
		offset = tl_take_word(&run->code, context->offset_size);
	else
		offset = operation == DW_OP_call2 ? tl_take_u16(&run->code) : tl_take_u32(&run->code);
	if (context->expression == NULL)
		return missing(run, "an expression of another entry");
	if (run->calls == CALLS_MAX)
		return TL_FAIL(run->error, TL_ERROR_TOO_LONG, "DWARF expressions call one another more than %d deep",
			       CALLS_MAX);
	TL_TRY(context->expression(context->context, reference, offset, &bytes, &size, run->error));
	code = run->code;
	start = run->start;
	run->calls++;
	TL_TRY(run_code(run, bytes, size));
	run->calls--;
	run->code = code;
	run->start = start;
	return TL_OK;
}

/* The typed operations of DWARF 5, under the standard's numbers. */
static enum tl_status run_typed(struct run *run, tl_u8 operation)
{
	struct tl_dwarf_value value, *top;
	struct tl_dwarf_type type;
	struct tl_cursor bytes;
	tl_u64 number;
	tl_u8 size;

	switch (operation) {
	case DW_OP_const_type:
		TL_TRY(type_at(run, tl_take_unsigned(&run->code), &type));
		bytes = tl_cursor_take(&run->code, tl_take_u8(&run->code));
		if (tl_cursor_left(&bytes) != type.size)
			return malformed(run, "a constant is not of its type's size");
		value = (struct tl_dwarf_value){.type = type};
		tl_copy(value.bytes, bytes.at, type.size);
		return push(run, value);
	case DW_OP_regval_type:
		number = tl_take_unsigned(&run->code);
		TL_TRY(type_at(run, tl_take_unsigned(&run->code), &type));
		TL_TRY(read_register(run, number, type, &value));
		return push(run, value);
	case DW_OP_deref_type:
		size = tl_take_u8(&run->code);
		TL_TRY(type_at(run, tl_take_unsigned(&run->code), &type));
		return dereference(run, type, size);
	default:
		TL_TRY(type_at(run, tl_take_unsigned(&run->code), &type));
		TL_TRY(peek(run, 0, &top));
		return operation == DW_OP_convert ? tl_dwarf_convert(top, type, run->error)
						  : tl_dwarf_reinterpret(top, type, run->error);
	}
}

static enum tl_status run_entry_value(struct run *run)
{
	const struct tl_expression_context *context = run->context;
	struct tl_cursor bytes = tl_cursor_take(&run->code, tl_take_unsigned(&run->code));
	struct tl_dwarf_value value;

	if (context->entry_value == NULL)
		return missing(run, "a value at the entry of the function");
	TL_TRY(context->entry_value(context->context, bytes.at, tl_cursor_left(&bytes), &value, run->error));
	return push(run, value);
}

/* The values of parameters and variables that another entry describes: both callbacks have one form. */
static enum tl_status push_entry(struct run *run, tl_u64 offset,
				 enum tl_status (*ask)(void *context, tl_u64 offset, struct tl_dwarf_value *value_ret,
						       struct tl_error *error))
{
	struct tl_dwarf_value value;

	if (ask == NULL)
		return missing(run, "the value of another entry");
	TL_TRY(ask(run->context->context, offset, &value, run->error));
	return push(run, value);
}

static enum tl_status push_indexed(struct run *run, tl_u64 bias)
{
	tl_u64 index = tl_take_unsigned(&run->code), address;

	if (run->context->indexed_address == NULL)
		return missing(run, "the table of addresses");
	TL_TRY(run->context->indexed_address(run->context->context, index, &address, run->error));
	return push_number(run, address + bias);
}

static enum tl_status push_thread_local(struct run *run)
{
	tl_u64 offset, address;

	TL_TRY(pop_address(run, &offset));
	if (run->context->thread_local == NULL)
		return missing(run, "thread-local storage");
	TL_TRY(run->context->thread_local(run->context->context, offset, &address, run->error));
	return push_number(run, address);
}

/* What asks the frame or the debug information. */
static enum tl_status run_question(struct run *run, tl_u8 operation)
{
	const struct tl_expression_context *context = run->context;

	switch (operation) {
	case DW_OP_addr:
		return push_number(run, tl_take_word(&run->code, context->address_size) + context->bias);
	case DW_OP_fbreg:
		return push_asked(run, context->frame_base, "the base of a frame", tl_take_signed(&run->code));
	case DW_OP_call_frame_cfa:
		return push_asked(run, context->frame_address, "the canonical address of a frame", 0);
	case DW_OP_push_object_address:
		return push_asked(run, context->object_address, "the address of an object", 0);
	case DW_OP_form_tls_address:
	case DW_OP_GNU_push_tls_address:
		return push_thread_local(run);
	case DW_OP_addrx:
	case DW_OP_GNU_addr_index:
		return push_indexed(run, context->bias);
	case DW_OP_constx:
	case DW_OP_GNU_const_index:
		return push_indexed(run, 0);
	case DW_OP_entry_value:
	case DW_OP_GNU_entry_value:
		return run_entry_value(run);
	case DW_OP_GNU_parameter_ref:
		return push_entry(run, tl_take_u32(&run->code), context->parameter);
	case DW_OP_GNU_variable_value:
		return push_entry(run, tl_take_word(&run->code, context->offset_size), context->variable);
	default:
		return TL_FAIL(run->error, TL_ERROR_UNSUPPORTED, "operation 0x%x of DWARF expressions is not known",
			       operation);
	}
}

static enum tl_status set_place(struct run *run, struct tl_place place)
{
	run->placed = true;
	run->place = place;
	return TL_OK;
}

/* Puts what was said of the place behind the pieces so far. */
static enum tl_status end_piece(struct run *run, tl_u64 bit_size, tl_u64 bit_offset)
{
	struct tl_location *location = run->location;
	struct tl_place place = {.kind = TL_PLACE_NONE};

	if (location->count == TL_PLACES_MAX)
		return TL_FAIL(run->error, TL_ERROR_TOO_LONG, "an object is in more than %d pieces", TL_PLACES_MAX);
	if (run->placed) {
		place = run->place;
	} else if (run->count != 0) {
		tl_u64 address;

		TL_TRY(pop_address(run, &address));
		place.kind = TL_PLACE_MEMORY;
		place.address = address;
	}
	place.bit_size = bit_size;
	place.bit_offset = bit_offset;
	location->places[location->count++] = place;
	run->placed = false;
	return TL_OK;
}

static enum tl_status run_piece(struct run *run, tl_u8 operation)
{
	tl_u64 size = tl_take_unsigned(&run->code), offset = 0;

	if (operation == DW_OP_bit_piece)
		offset = tl_take_unsigned(&run->code);
	else if (size > TL_U64_MAX / 8)
		return malformed(run, "a piece of an impossible size");
	else
		size *= 8;
	/* Its size tells a piece from a whole object. */
	if (size == 0)
		return malformed(run, "a piece without a size");
	return end_piece(run, size, offset);
}

/* What says that the object is not in memory. */
static enum tl_status run_place(struct run *run, tl_u8 operation)
{
	struct tl_place place = {.kind = TL_PLACE_NONE};
	struct tl_cursor bytes;

	switch (operation) {
	case DW_OP_regx:
		place.kind = TL_PLACE_REGISTER;
		place.number = tl_take_unsigned(&run->code);
		return set_place(run, place);
	case DW_OP_stack_value:
		place.kind = TL_PLACE_VALUE;
		TL_TRY(pop(run, &place.value));
		return set_place(run, place);
	case DW_OP_implicit_value:
		bytes = tl_cursor_take(&run->code, tl_take_unsigned(&run->code));
		place.kind = TL_PLACE_BYTES;
		place.bytes = bytes.at;
		place.size = tl_cursor_left(&bytes);
		return set_place(run, place);
	default: /* DW_OP_implicit_pointer; in version 2 references are as large as addresses */
		place.kind = TL_PLACE_POINTER;
		place.entry = tl_take_word(&run->code, run->context->version <= 2 ? run->context->address_size
										  : run->context->offset_size);
		place.offset = tl_take_signed(&run->code);
		return set_place(run, place);
	}
}

/* GNU's numbers for what DWARF 5 standardised later. */
static tl_u8 standard(tl_u8 operation)
{
	switch (operation) {
	case DW_OP_GNU_implicit_pointer:
		return DW_OP_implicit_pointer;
	case DW_OP_GNU_const_type:
		return DW_OP_const_type;
	case DW_OP_GNU_regval_type:
		return DW_OP_regval_type;
	case DW_OP_GNU_deref_type:
		return DW_OP_deref_type;
	case DW_OP_GNU_convert:
		return DW_OP_convert;
	case DW_OP_GNU_reinterpret:
		return DW_OP_reinterpret;
	default:
		return operation;
	}
}

static enum tl_status run_memory(struct run *run, tl_u8 operation)
{
	struct tl_dwarf_type generic = tl_dwarf_generic(run->context->address_size);

	return dereference(run, generic, operation == DW_OP_deref ? generic.size : tl_take_u8(&run->code));
}

static enum tl_status run_one(struct run *run, tl_u8 operation)
{
	tl_u64 number;

	if (operation >= DW_OP_lit0 && operation <= DW_OP_lit31)
		return push_number(run, (tl_u64)operation - DW_OP_lit0);
	if (operation >= DW_OP_breg0 && operation <= DW_OP_breg31)
		return push_register(run, (tl_u64)operation - DW_OP_breg0, tl_take_signed(&run->code));
	if (operation >= DW_OP_reg0 && operation <= DW_OP_reg31)
		return set_place(
			run, (struct tl_place){.kind = TL_PLACE_REGISTER, .number = (tl_u64)operation - DW_OP_reg0});
	if (operation >= DW_OP_const1u && operation <= DW_OP_consts)
		return push_number(run, take_constant(run, operation));
	if (operation >= DW_OP_dup && operation <= DW_OP_rot)
		return run_stack(run, operation);
	if (operation == DW_OP_bra || operation == DW_OP_skip)
		return run_jump(run, operation);
	if (operation >= DW_OP_abs && operation <= DW_OP_ne)
		return run_arithmetic(run, operation);
	if (operation >= DW_OP_call2 && operation <= DW_OP_call_ref)
		return run_call(run, operation);
	switch (operation) {
	case DW_OP_nop:
	case DW_OP_GNU_uninit:
		return TL_OK;
	case DW_OP_deref:
	case DW_OP_deref_size:
		return run_memory(run, operation);
	case DW_OP_bregx:
		number = tl_take_unsigned(&run->code);
		return push_register(run, number, tl_take_signed(&run->code));
	case DW_OP_regx:
	case DW_OP_stack_value:
	case DW_OP_implicit_value:
	case DW_OP_implicit_pointer:
		return run_place(run, operation);
	case DW_OP_const_type:
	case DW_OP_regval_type:
	case DW_OP_deref_type:
	case DW_OP_convert:
	case DW_OP_reinterpret:
		return run_typed(run, operation);
	default:
		return run_question(run, operation);
	}
}

static enum tl_status run_code(struct run *run, const tl_u8 *bytes, tl_size size)
{
	run->code = tl_cursor_make(bytes, size);
	run->start = run->code.at;
	while (!tl_cursor_done(&run->code)) {
		tl_u8 operation = standard(tl_take_u8(&run->code));
		bool piece = operation == DW_OP_piece || operation == DW_OP_bit_piece;
		enum tl_status status;

		if (++run->steps > STEPS_MAX)
			return TL_FAIL(run->error, TL_ERROR_BYTECODE_STEPS, "a DWARF expression runs for ever");
		if (run->placed && !piece && operation != DW_OP_GNU_uninit && operation != DW_OP_nop)
			return malformed(run, "it goes on behind the end of a place");
		status = piece ? run_piece(run, operation) : run_one(run, operation);
		/* An operand that was cut off yields zeros, and errors that speak of them. */
		if (run->code.failed)
			return malformed(run, "it ends in the middle of an operation");
		TL_TRY(status);
	}
	return TL_OK;
}

enum tl_status tl_expression_location(const struct tl_expression_context *context, const tl_u8 *bytes, tl_size size,
				      const tl_u64 *first, struct tl_location *location_ret, struct tl_error *error)
{
	struct run run;

	/* Not set to zero as a whole: the stack is large, and read only where it was written. */
	run.context = context;
	run.error = error;
	run.location = location_ret;
	run.calls = run.steps = 0;
	run.count = 0;
	run.placed = false;
	location_ret->count = 0;
	if (context->address_size != 4 && context->address_size != 8)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "addresses have 4 or 8 bytes, not %u", context->address_size);
	if (first != NULL)
		TL_TRY(push_number(&run, *first));
	TL_TRY(run_code(&run, bytes, size));
	/* Behind pieces nothing is left over; values that nobody took do no harm. */
	if (location_ret->count != 0 && !run.placed)
		return TL_OK;
	return location_ret->count != 0 ? malformed(&run, "a place behind its pieces") : end_piece(&run, 0, 0);
}

enum tl_status tl_expression_number(const struct tl_expression_context *context, const tl_u8 *bytes, tl_size size,
				    const tl_u64 *first, tl_u64 *number_ret, struct tl_error *error)
{
	struct tl_location location;
	struct tl_dwarf_value value;

	TL_TRY(tl_expression_location(context, bytes, size, first, &location, error));
	if (location.count == 1 && location.places[0].bit_size == 0) {
		const struct tl_place *place = &location.places[0];

		switch (place->kind) {
		case TL_PLACE_MEMORY:
			*number_ret = place->address;
			return TL_OK;
		case TL_PLACE_VALUE:
			*number_ret = tl_dwarf_value_number(&place->value);
			return TL_OK;
		case TL_PLACE_REGISTER:
			if (context->read_register == NULL)
				break;
			value = tl_dwarf_value_make(tl_dwarf_generic(context->address_size), 0);
			TL_TRY(context->read_register(context->context, place->number, value.bytes,
						      context->address_size, error));
			*number_ret = tl_dwarf_value_number(&value);
			return TL_OK;
		case TL_PLACE_NONE:
		case TL_PLACE_BYTES:
		case TL_PLACE_POINTER:
			break;
		}
	}
	return TL_FAIL(error, TL_ERROR_MALFORMED, "a DWARF expression yields no number");
}
