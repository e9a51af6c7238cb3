#include "debugger/expressions/compile.h"

#include "core/agent/opcodes.h"
#include "debugger/values/classes.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

/* What the code that was written so far has left on the stack. */
struct operand {
	const struct tl_type *type;
	bool in_memory;   /* the stack has its address, not its value */
	tl_u8 bit_offset; /* of a bit-field in memory */
	tl_u8 bit_size;
	tl_u8 field_size; /* bytes that hold the bit-field */
};

struct compiler {
	const struct tl_code_environment *environment;
	const struct tl_value_context *values;
	const struct tl_expression *expression;
	struct tl_writer code;
	struct tl_error *error;
};

static enum tl_status compile(struct compiler *compiler, tl_node_index index, struct operand *operand_ret);

static const struct tl_node *node_at(const struct compiler *compiler, tl_node_index index)
{
	return tl_expression_node(compiler->expression, index);
}

static enum tl_status cannot(struct compiler *compiler, const char *what)
{
	return TL_FAIL(compiler->error, TL_ERROR_UNSUPPORTED, "%s cannot be decided at the target.", what);
}

/* ---- Code ---- */

static void emit(struct compiler *compiler, enum tl_agent_opcode opcode)
{
	tl_write_byte(&compiler->code, (tl_u8)opcode);
}

/* Operands have their highest byte first. */
static void emit_operand(struct compiler *compiler, tl_u64 operand, unsigned size)
{
	while (size > 0)
		tl_write_byte(&compiler->code, (tl_u8)(operand >> --size * 8));
}

static void emit_constant(struct compiler *compiler, tl_u64 number)
{
	static const enum tl_agent_opcode opcodes[] = {TL_AGENT_const8, TL_AGENT_const16, TL_AGENT_const32,
						       TL_AGENT_const64};
	unsigned row = number <= 0xff ? 0 : number <= 0xffff ? 1 : number <= TL_U32_MAX ? 2 : 3;

	emit(compiler, opcodes[row]);
	emit_operand(compiler, number, 1u << row);
}

static void emit_extension(struct compiler *compiler, unsigned bits, bool is_signed)
{
	if (bits >= 64)
		return;
	emit(compiler, is_signed ? TL_AGENT_ext : TL_AGENT_zero_ext);
	emit_operand(compiler, bits, 1);
}

/* A jump whose goal comes later; where its operand stands is *at_ret. */
static void emit_jump(struct compiler *compiler, enum tl_agent_opcode opcode, tl_size *at_ret)
{
	emit(compiler, opcode);
	*at_ret = tl_writer_size(&compiler->code);
	emit_operand(compiler, 0, 2);
}

/* Lets a jump lead to the place where the code has come to. */
static void land(struct compiler *compiler, tl_size at)
{
	tl_size goal = tl_writer_size(&compiler->code);

	if (compiler->code.failed || goal > 0xffff)
		return;
	compiler->code.start[at] = (tl_u8)(goal >> 8);
	compiler->code.start[at + 1] = (tl_u8)goal;
}

/* ---- Types ---- */

struct kind {
	enum tl_arithmetic arithmetic;
	bool is_signed;
	tl_u64 size;
};

static enum tl_status kind_of(struct compiler *compiler, const struct tl_type *type, struct kind *kind_ret)
{
	const struct tl_type *stripped;
	bool known;

	TL_TRY(tl_type_strip(type, &stripped, compiler->error));
	TL_TRY(tl_type_size(stripped, &kind_ret->size, &known, compiler->error));
	kind_ret->arithmetic = tl_type_arithmetic(stripped, &kind_ret->is_signed);
	if (kind_ret->arithmetic == TL_ARITHMETIC_REAL)
		return cannot(compiler, "Floating point");
	/* An object may have operators of its own, which are functions. */
	if (kind_ret->arithmetic == TL_ARITHMETIC_NONE && tl_class_is(stripped))
		return cannot(compiler, "What an operator of a class does");
	if (kind_ret->arithmetic == TL_ARITHMETIC_NONE)
		return TL_FAIL(compiler->error, TL_ERROR_ARGUMENT, "A value of type \"%s\" cannot be reckoned with.",
			       tl_value_type_name(compiler->values, type));
	if (kind_ret->size > 8)
		return cannot(compiler, "A number of 128 bits");
	return TL_OK;
}

/* ---- Values ---- */

/* Reads so many bytes at the address on the stack. */
static enum tl_status emit_read(struct compiler *compiler, tl_u64 size)
{
	static const enum tl_agent_opcode opcodes[] = {
		[1] = TL_AGENT_ref8, [2] = TL_AGENT_ref16, [4] = TL_AGENT_ref32, [8] = TL_AGENT_ref64};

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return cannot(compiler, "A value of such a size");
	emit(compiler, opcodes[size]);
	return TL_OK;
}

static enum tl_status load_bit_field(struct compiler *compiler, struct operand *operand, bool is_signed)
{
	TL_TRY(emit_read(compiler, operand->field_size));
	if (operand->bit_offset != 0) {
		emit_constant(compiler, operand->bit_offset);
		emit(compiler, TL_AGENT_rsh_unsigned);
	}
	emit_extension(compiler, operand->bit_size, is_signed);
	return TL_OK;
}

/* What a reference refers to stands in memory. */
static enum tl_status unreference(struct compiler *compiler, struct operand *operand)
{
	const struct tl_type *stripped;

	TL_TRY(tl_type_strip(operand->type, &stripped, compiler->error));
	if (stripped->kind != TL_TYPE_REFERENCE && stripped->kind != TL_TYPE_RVALUE_REFERENCE)
		return TL_OK;
	if (operand->in_memory)
		TL_TRY(emit_read(compiler, compiler->values->address_size));
	operand->in_memory = true;
	return tl_type_target(stripped, &operand->type, compiler->error);
}

/* Turns what is on the stack into a number: follows references, lets arrays and functions decay, reads memory. */
static enum tl_status load(struct compiler *compiler, struct operand *operand)
{
	const struct tl_type *stripped, *target;
	struct kind kind;

	TL_TRY(unreference(compiler, operand));
	TL_TRY(tl_type_strip(operand->type, &stripped, compiler->error));
	if (!operand->in_memory)
		return TL_OK;
	if (stripped->kind == TL_TYPE_ARRAY || stripped->kind == TL_TYPE_FUNCTION) {
		target = operand->type;
		if (stripped->kind == TL_TYPE_ARRAY)
			TL_TRY(tl_type_target(stripped, &target, compiler->error));
		operand->in_memory = false;
		return tl_type_make_pointer(target, compiler->values->address_size, &operand->type, compiler->error);
	}
	TL_TRY(kind_of(compiler, operand->type, &kind));
	operand->in_memory = false;
	if (operand->bit_size != 0) {
		TL_TRY(load_bit_field(compiler, operand, kind.is_signed));
		/* What fits is an int from here on, whatever the field's type. */
		if (operand->bit_size < 32)
			return tl_value_integer_type(compiler->values, 4, true, &operand->type, compiler->error);
		return TL_OK;
	}
	TL_TRY(emit_read(compiler, kind.size));
	if (kind.is_signed)
		emit_extension(compiler, (unsigned)kind.size * 8, true);
	return TL_OK;
}

/* Compiles an operand down to its number. */
static enum tl_status number(struct compiler *compiler, tl_node_index index, struct operand *operand_ret,
			     struct kind *kind_ret)
{
	TL_TRY(compile(compiler, index, operand_ret));
	TL_TRY(load(compiler, operand_ret));
	return kind_of(compiler, operand_ret->type, kind_ret);
}

/* What is narrower than int becomes an int. */
static void promote(struct kind *kind)
{
	if (kind->arithmetic == TL_ARITHMETIC_INTEGER && kind->size < 4)
		*kind = (struct kind){TL_ARITHMETIC_INTEGER, true, 4};
}

static enum tl_status number_type(struct compiler *compiler, const struct kind *kind, struct operand *operand_ret)
{
	*operand_ret = (struct operand){0};
	return tl_value_integer_type(compiler->values, kind->size, kind->is_signed, &operand_ret->type,
				     compiler->error);
}

/* A number on the stack becomes one of another type: what does not fit is cut off. */
static void convert(struct compiler *compiler, const struct kind *from, const struct kind *to)
{
	if (to->size < from->size || (to->size < 8 && to->is_signed != from->is_signed))
		emit_extension(compiler, (unsigned)to->size * 8, to->is_signed);
}

/* ---- Leaves ---- */

static enum tl_status place(struct compiler *compiler, const struct tl_code_place *place, const char *name,
			    struct operand *operand_ret)
{
	struct kind kind;

	*operand_ret = (struct operand){.type = place->type};
	switch (place->kind) {
	case TL_CODE_CONSTANT:
		emit_constant(compiler, place->number);
		return TL_OK;
	case TL_CODE_MEMORY:
		emit_constant(compiler, place->number);
		operand_ret->in_memory = true;
		return TL_OK;
	case TL_CODE_RELATIVE:
		emit(compiler, TL_AGENT_reg);
		emit_operand(compiler, place->reg, 2);
		emit_constant(compiler, place->number);
		emit(compiler, TL_AGENT_add);
		operand_ret->in_memory = true;
		return TL_OK;
	case TL_CODE_REGISTER:
		TL_TRY(kind_of(compiler, place->type, &kind));
		emit(compiler, TL_AGENT_reg);
		emit_operand(compiler, place->reg, 2);
		emit_extension(compiler, (unsigned)kind.size * 8, kind.is_signed);
		return TL_OK;
	case TL_CODE_NOWHERE:
		break;
	}
	return TL_FAIL(compiler->error, TL_ERROR_UNSUPPORTED,
		       "Where %s is cannot be said beforehand; it cannot be decided at the target.", name);
}

static enum tl_status truth_type(struct compiler *compiler, struct operand *operand_ret);

static enum tl_status name(struct compiler *compiler, const char *file, const char *text, struct operand *operand_ret)
{
	const struct tl_code_environment *environment = compiler->environment;
	struct tl_code_place found = {0};
	bool is_found = false;

	if (environment->find_place != NULL)
		TL_TRY(environment->find_place(environment->context, file, text, &found, &is_found, compiler->error));
	if (!is_found && compiler->values->is_cplus && file == NULL &&
	    (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
		emit_constant(compiler, text[0] == 't');
		return truth_type(compiler, operand_ret);
	}
	if (!is_found)
		return TL_FAIL(compiler->error, TL_ERROR_ARGUMENT, "No symbol \"%s\" in current context.", text);
	return place(compiler, &found, text, operand_ret);
}

static enum tl_status variable(struct compiler *compiler, const char *text, struct operand *operand_ret)
{
	const struct tl_code_environment *environment = compiler->environment;
	struct tl_code_place found = {0};
	bool is_found = false;

	if (environment->find_register != NULL)
		TL_TRY(environment->find_register(environment->context, text, &found, &is_found, compiler->error));
	return is_found ? place(compiler, &found, text, operand_ret) : cannot(compiler, "A variable of the debugger");
}

/* A constant's type and number are found by evaluating it. */
static enum tl_status constant(struct compiler *compiler, tl_node_index index, struct operand *operand_ret)
{
	struct tl_value value;
	tl_i128 number;

	TL_TRY(tl_evaluate_part(compiler->environment->environment, compiler->expression, index, &value,
				compiler->error));
	*operand_ret = (struct operand){.type = value.type};
	TL_TRY(tl_value_integer(compiler->values, &value, &number, compiler->error));
	emit_constant(compiler, (tl_u64)number);
	return TL_OK;
}

/* ---- Operators ---- */

static enum tl_status truth(struct compiler *compiler, tl_node_index index)
{
	struct operand operand;
	struct kind kind;

	return number(compiler, index, &operand, &kind);
}

static enum tl_status truth_type(struct compiler *compiler, struct operand *operand_ret)
{
	*operand_ret = (struct operand){0};
	return tl_value_truth_type(compiler->values, &operand_ret->type, compiler->error);
}

/* a && b:  a; if_goto B; 0; goto END; B: b; !; !; END.    a || b the other way round. */
static enum tl_status logical(struct compiler *compiler, const struct tl_node *node, struct operand *operand_ret)
{
	bool is_and = node->operation == TL_LOGICAL_AND;
	tl_size right, end;

	TL_TRY(truth(compiler, node->first));
	if (!is_and)
		emit(compiler, TL_AGENT_log_not);
	emit_jump(compiler, TL_AGENT_if_goto, &right);
	emit_constant(compiler, !is_and);
	emit_jump(compiler, TL_AGENT_goto, &end);
	land(compiler, right);
	TL_TRY(truth(compiler, node->second));
	emit(compiler, TL_AGENT_log_not);
	emit(compiler, TL_AGENT_log_not);
	land(compiler, end);
	return truth_type(compiler, operand_ret);
}

/* Both ways must leave the same kind of thing: numbers of one type. */
static enum tl_status conditional(struct compiler *compiler, const struct tl_node *node, struct operand *operand_ret)
{
	struct operand yes, no;
	struct kind yes_kind, no_kind;
	tl_size to_yes, end;

	TL_TRY(truth(compiler, node->first));
	emit_jump(compiler, TL_AGENT_if_goto, &to_yes);
	TL_TRY(number(compiler, node->third, &no, &no_kind));
	emit_jump(compiler, TL_AGENT_goto, &end);
	land(compiler, to_yes);
	TL_TRY(number(compiler, node->second, &yes, &yes_kind));
	land(compiler, end);
	if (yes_kind.size != no_kind.size || yes_kind.is_signed != no_kind.is_signed ||
	    yes_kind.arithmetic != no_kind.arithmetic)
		return cannot(compiler, "A choice between values of two types");
	*operand_ret = yes;
	return TL_OK;
}

/* a == b and its kin, of two numbers that have been made alike. */
static void emit_comparison(struct compiler *compiler, enum tl_punctuator operation, bool is_signed)
{
	bool swapped = operation == TL_GREATER || operation == TL_LESS_EQUAL;
	bool negated = operation == TL_NOT_EQUAL || operation == TL_LESS_EQUAL || operation == TL_GREATER_EQUAL;

	if (swapped)
		emit(compiler, TL_AGENT_swap);
	if (operation == TL_EQUAL || operation == TL_NOT_EQUAL)
		emit(compiler, TL_AGENT_equal);
	else
		emit(compiler, is_signed ? TL_AGENT_less_signed : TL_AGENT_less_unsigned);
	if (negated)
		emit(compiler, TL_AGENT_log_not);
}

static bool is_comparison(enum tl_punctuator operation)
{
	return operation == TL_EQUAL || operation == TL_NOT_EQUAL || operation == TL_LESS || operation == TL_GREATER ||
	       operation == TL_LESS_EQUAL || operation == TL_GREATER_EQUAL;
}

static enum tl_agent_opcode opcode_of(enum tl_punctuator operation, bool is_signed)
{
	return operation == TL_PLUS         ? TL_AGENT_add
	       : operation == TL_MINUS      ? TL_AGENT_sub
	       : operation == TL_STAR       ? TL_AGENT_mul
	       : operation == TL_SLASH      ? (is_signed ? TL_AGENT_div_signed : TL_AGENT_div_unsigned)
	       : operation == TL_PERCENT    ? (is_signed ? TL_AGENT_rem_signed : TL_AGENT_rem_unsigned)
	       : operation == TL_AMPERSAND  ? TL_AGENT_bit_and
	       : operation == TL_BAR        ? TL_AGENT_bit_or
	       : operation == TL_CARET      ? TL_AGENT_bit_xor
	       : operation == TL_SHIFT_LEFT ? TL_AGENT_lsh
	       : is_signed                  ? TL_AGENT_rsh_signed
					    : TL_AGENT_rsh_unsigned;
}

/* How far one step of a pointer goes. */
static enum tl_status stride(struct compiler *compiler, const struct tl_type *pointer, tl_u64 *size_ret)
{
	const struct tl_type *stripped, *target;
	bool known;

	TL_TRY(tl_type_strip(pointer, &stripped, compiler->error));
	TL_TRY(tl_type_target(stripped, &target, compiler->error));
	TL_TRY(tl_type_strip(target, &stripped, compiler->error));
	*size_ret = 1;
	if (stripped->kind == TL_TYPE_VOID || stripped->kind == TL_TYPE_FUNCTION)
		return TL_OK;
	TL_TRY(tl_type_size(target, size_ret, &known, compiler->error));
	return known ? TL_OK : cannot(compiler, "A pointer to what is incomplete");
}

/* Both numbers are on the stack, at least one of them a pointer. */
static enum tl_status pointers(struct compiler *compiler, enum tl_punctuator operation, const struct operand *left,
			       const struct operand *right, const struct kind *left_kind, const struct kind *right_kind,
			       struct operand *operand_ret)
{
	bool left_points = left_kind->arithmetic == TL_ARITHMETIC_POINTER;
	bool both = left_points && right_kind->arithmetic == TL_ARITHMETIC_POINTER;
	struct kind result = {TL_ARITHMETIC_INTEGER, true, compiler->values->address_size};
	tl_u64 size;

	if (is_comparison(operation)) {
		emit_comparison(compiler, operation, false);
		return truth_type(compiler, operand_ret);
	}
	TL_TRY(stride(compiler, left_points ? left->type : right->type, &size));
	if (both && operation == TL_MINUS) {
		emit(compiler, TL_AGENT_sub);
		emit_constant(compiler, size != 0 ? size : 1);
		emit(compiler, TL_AGENT_div_signed);
		return number_type(compiler, &result, operand_ret);
	}
	if (both || (operation != TL_PLUS && !(operation == TL_MINUS && left_points)))
		return TL_FAIL(compiler->error, TL_ERROR_ARGUMENT, "\"%s\" cannot stand beside a pointer.",
			       tl_punctuator_text(operation));
	/* The number is on top, or under the pointer. */
	if (!left_points)
		emit(compiler, TL_AGENT_swap);
	emit_constant(compiler, size);
	emit(compiler, TL_AGENT_mul);
	emit(compiler, operation == TL_PLUS ? TL_AGENT_add : TL_AGENT_sub);
	*operand_ret = left_points ? *left : *right;
	return TL_OK;
}

/* Two numbers on the stack get the type that they have in common, the lower one in the shade of the upper. */
static void make_alike(struct compiler *compiler, const struct kind *left, const struct kind *right,
		       const struct kind *common)
{
	convert(compiler, right, common);
	if (common->size < left->size || (common->size < 8 && common->is_signed != left->is_signed)) {
		emit(compiler, TL_AGENT_swap);
		convert(compiler, left, common);
		emit(compiler, TL_AGENT_swap);
	}
}

static enum tl_status integers(struct compiler *compiler, enum tl_punctuator operation, struct kind left,
			       struct kind right, struct operand *operand_ret)
{
	struct kind common = {.arithmetic = TL_ARITHMETIC_INTEGER};

	promote(&left);
	promote(&right);
	common.size = left.size > right.size ? left.size : right.size;
	common.is_signed = left.size > right.size   ? left.is_signed
			   : left.size < right.size ? right.is_signed
						    : left.is_signed && right.is_signed;
	if (operation == TL_SHIFT_LEFT || operation == TL_SHIFT_RIGHT)
		common = left;
	else
		make_alike(compiler, &left, &right, &common);
	if (is_comparison(operation)) {
		emit_comparison(compiler, operation, common.is_signed);
		return truth_type(compiler, operand_ret);
	}
	emit(compiler, opcode_of(operation, common.is_signed));
	emit_extension(compiler, (unsigned)common.size * 8, common.is_signed);
	return number_type(compiler, &common, operand_ret);
}

static enum tl_status binary(struct compiler *compiler, const struct tl_node *node, struct operand *operand_ret)
{
	enum tl_punctuator operation = (enum tl_punctuator)node->operation;
	struct operand left, right;
	struct kind left_kind, right_kind;

	if (operation == TL_LOGICAL_AND || operation == TL_LOGICAL_OR)
		return logical(compiler, node, operand_ret);
	if (operation == TL_AT)
		return cannot(compiler, "An array made by @");
	if (operation == TL_DOT || operation == TL_ARROW)
		return cannot(compiler, "A pointer to a member");
	TL_TRY(number(compiler, node->first, &left, &left_kind));
	if (operation == TL_COMMA) {
		emit(compiler, TL_AGENT_pop);
		return compile(compiler, node->second, operand_ret);
	}
	TL_TRY(number(compiler, node->second, &right, &right_kind));
	if (left_kind.arithmetic == TL_ARITHMETIC_POINTER || right_kind.arithmetic == TL_ARITHMETIC_POINTER)
		return pointers(compiler, operation, &left, &right, &left_kind, &right_kind, operand_ret);
	return integers(compiler, operation, left_kind, right_kind, operand_ret);
}

/* What a pointer on the stack leads to. */
static enum tl_status follow(struct compiler *compiler, const struct operand *pointer, struct operand *operand_ret)
{
	const struct tl_type *stripped, *target;

	TL_TRY(tl_type_strip(pointer->type, &stripped, compiler->error));
	if (stripped->kind != TL_TYPE_POINTER)
		return TL_FAIL(compiler->error, TL_ERROR_ARGUMENT, "A value of type \"%s\" is no pointer.",
			       tl_value_type_name(compiler->values, pointer->type));
	TL_TRY(tl_type_target(stripped, &target, compiler->error));
	*operand_ret = (struct operand){.type = target, .in_memory = true};
	return TL_OK;
}

static enum tl_status address_of(struct compiler *compiler, tl_node_index index, struct operand *operand_ret)
{
	TL_TRY(compile(compiler, index, operand_ret));
	TL_TRY(unreference(compiler, operand_ret));
	if (!operand_ret->in_memory || operand_ret->bit_size != 0)
		return TL_FAIL(compiler->error, TL_ERROR_ARGUMENT, "This value is not in memory: it has no address.");
	operand_ret->in_memory = false;
	return tl_type_make_pointer(operand_ret->type, compiler->values->address_size, &operand_ret->type,
				    compiler->error);
}

static enum tl_status unary(struct compiler *compiler, const struct tl_node *node, struct operand *operand_ret)
{
	struct operand operand;
	struct kind kind;

	if (node->operation == TL_INCREMENT || node->operation == TL_DECREMENT)
		return cannot(compiler, "An assignment");
	if (node->operation == TL_AMPERSAND)
		return address_of(compiler, node->first, operand_ret);
	TL_TRY(number(compiler, node->first, &operand, &kind));
	if (node->operation == TL_STAR)
		return follow(compiler, &operand, operand_ret);
	if (node->operation == TL_EXCLAMATION) {
		emit(compiler, TL_AGENT_log_not);
		return truth_type(compiler, operand_ret);
	}
	promote(&kind);
	if (node->operation == TL_TILDE) {
		emit(compiler, TL_AGENT_bit_not);
	} else if (node->operation == TL_MINUS) {
		emit_constant(compiler, 0);
		emit(compiler, TL_AGENT_swap);
		emit(compiler, TL_AGENT_sub);
	}
	emit_extension(compiler, (unsigned)kind.size * 8, kind.is_signed);
	return number_type(compiler, &kind, operand_ret);
}

/* a[i] is *(a + i). */
static enum tl_status element(struct compiler *compiler, const struct tl_node *node, struct operand *operand_ret)
{
	struct operand array, index, pointer;
	struct kind array_kind, index_kind;

	TL_TRY(number(compiler, node->first, &array, &array_kind));
	TL_TRY(number(compiler, node->second, &index, &index_kind));
	TL_TRY(pointers(compiler, TL_PLUS, &array, &index, &array_kind, &index_kind, &pointer));
	return follow(compiler, &pointer, operand_ret);
}

/* The struct whose address is on the stack, of a pointer or reference to one as well. */
static enum tl_status object(struct compiler *compiler, tl_node_index index, bool arrow, struct operand *operand_ret,
			     const struct tl_type **type_ret)
{
	TL_TRY(compile(compiler, index, operand_ret));
	TL_TRY(tl_type_strip(operand_ret->type, type_ret, compiler->error));
	/* An arrow behind an object is a function of its class. */
	if (arrow && (*type_ret)->has_scopes && (*type_ret)->kind != TL_TYPE_POINTER)
		return cannot(compiler, "What an operator of a class does");
	if ((*type_ret)->kind == TL_TYPE_POINTER || (*type_ret)->kind == TL_TYPE_REFERENCE ||
	    (*type_ret)->kind == TL_TYPE_RVALUE_REFERENCE) {
		if (operand_ret->in_memory)
			TL_TRY(emit_read(compiler, compiler->values->address_size));
		TL_TRY(tl_type_target(*type_ret, &operand_ret->type, compiler->error));
		operand_ret->in_memory = true;
		TL_TRY(tl_type_strip(operand_ret->type, type_ret, compiler->error));
	}
	return operand_ret->in_memory ? TL_OK : cannot(compiler, "A struct that is not in memory");
}

/*
 * A bit-field is read with the smallest aligned unit that holds it and lies within the struct, so that nothing beyond
 * the struct is touched. The struct's address and the field's bytes have been added up already.
 */
static enum tl_status bit_field(struct compiler *compiler, const struct tl_type *type, const struct tl_value *field,
				struct operand *operand_ret)
{
	tl_u64 first = field->address * 8 + field->bit_offset, size;
	bool known;

	TL_TRY(tl_type_size(type, &size, &known, compiler->error));
	for (tl_u64 unit = 1; unit <= 8; unit *= 2) {
		tl_u64 start = field->address & ~(unit - 1);

		if (start + unit > size || first + field->bit_size > (start + unit) * 8)
			continue;
		if (start != field->address) {
			emit_constant(compiler, field->address - start);
			emit(compiler, TL_AGENT_sub);
		}
		operand_ret->bit_offset = (tl_u8)(first - start * 8);
		operand_ret->bit_size = field->bit_size;
		operand_ret->field_size = (tl_u8)unit;
		return TL_OK;
	}
	return cannot(compiler, "A bit-field that no aligned unit holds");
}

/* A member's place does not depend on the object, so that one at address 0 tells it. */
static enum tl_status member(struct compiler *compiler, const struct tl_node *node, struct operand *operand_ret)
{
	const struct tl_type *type;
	struct tl_value origin, part;
	struct operand whole;

	TL_TRY(object(compiler, node->first, node->kind == TL_NODE_ARROW, &whole, &type));
	TL_TRY(tl_value_at(compiler->values, type, 0, &origin, compiler->error));
	TL_TRY(tl_value_member(compiler->values, &origin, node->text.bytes, &part, compiler->error));
	if (part.place != TL_VALUE_IN_MEMORY)
		return cannot(compiler, "A static member");
	if (part.address != 0) {
		emit_constant(compiler, part.address);
		emit(compiler, TL_AGENT_add);
	}
	*operand_ret = (struct operand){.type = part.type, .in_memory = true};
	if (part.bit_size == 0)
		return TL_OK;
	return bit_field(compiler, type, &part, operand_ret);
}

static enum tl_status cast(struct compiler *compiler, const struct tl_node *node, struct operand *operand_ret)
{
	const struct tl_type *type, *stripped;
	struct operand operand;
	struct kind from, to;

	TL_TRY(tl_evaluate_part_type(compiler->environment->environment, compiler->expression, node->second, &type,
				     compiler->error));
	TL_TRY(tl_type_strip(type, &stripped, compiler->error));
	TL_TRY(number(compiler, node->first, &operand, &from));
	TL_TRY(kind_of(compiler, type, &to));
	if (stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_boolean) {
		emit(compiler, TL_AGENT_log_not);
		emit(compiler, TL_AGENT_log_not);
	} else {
		convert(compiler, &from, &to);
	}
	*operand_ret = (struct operand){.type = type};
	return TL_OK;
}

static enum tl_status at_address(struct compiler *compiler, const struct tl_node *node, struct operand *operand_ret)
{
	const struct tl_type *type;
	struct operand address;
	struct kind kind;

	TL_TRY(tl_evaluate_part_type(compiler->environment->environment, compiler->expression, node->second, &type,
				     compiler->error));
	TL_TRY(number(compiler, node->first, &address, &kind));
	*operand_ret = (struct operand){.type = type, .in_memory = true};
	return TL_OK;
}

static enum tl_status compile(struct compiler *compiler, tl_node_index index, struct operand *operand_ret)
{
	const struct tl_node *node = node_at(compiler, index);

	switch ((enum tl_node_kind)node->kind) {
	case TL_NODE_INTEGER:
	case TL_NODE_CHARACTER:
	case TL_NODE_HISTORY:
	case TL_NODE_SIZEOF:
	case TL_NODE_ALIGNOF:
		return constant(compiler, index, operand_ret);
	case TL_NODE_NAME:
		return name(compiler, NULL, node->text.bytes, operand_ret);
	case TL_NODE_IN_FILE:
		return name(compiler, node->text.bytes, node_at(compiler, node->first)->text.bytes, operand_ret);
	case TL_NODE_VARIABLE:
		return variable(compiler, node->text.bytes, operand_ret);
	case TL_NODE_UNARY:
		return unary(compiler, node, operand_ret);
	case TL_NODE_BINARY:
		return binary(compiler, node, operand_ret);
	case TL_NODE_CONDITIONAL:
		return conditional(compiler, node, operand_ret);
	case TL_NODE_INDEX:
		return element(compiler, node, operand_ret);
	case TL_NODE_MEMBER:
	case TL_NODE_ARROW:
		return member(compiler, node, operand_ret);
	case TL_NODE_CAST:
	case TL_NODE_REINTERPRET:
		return cast(compiler, node, operand_ret);
	case TL_NODE_AT_ADDRESS:
		return at_address(compiler, node, operand_ret);
	case TL_NODE_REAL:
		return cannot(compiler, "Floating point");
	case TL_NODE_STRING:
		return cannot(compiler, "A string");
	case TL_NODE_TYPEID:
		return cannot(compiler, "A typeid");
	case TL_NODE_CALL:
	case TL_NODE_DYNAMIC:
		return cannot(compiler, "A call");
	case TL_NODE_ASSIGN:
	case TL_NODE_POSTFIX:
		return cannot(compiler, "An assignment");
	case TL_NODE_TYPE_NAME:
	case TL_NODE_TYPE_OF:
	case TL_NODE_POINTER:
	case TL_NODE_REFERENCE:
	case TL_NODE_MOVE_REFERENCE:
	case TL_NODE_ARRAY:
	case TL_NODE_FUNCTION:
	case TL_NODE_KIND_MAX:
		break;
	}
	return TL_FAIL(compiler->error, TL_ERROR_ARGUMENT, "A type stands where a value should (column %u).",
		       node->at + 1);
}

enum tl_status tl_compile(const struct tl_code_environment *environment, const struct tl_expression *expression,
			  tl_u8 *code, tl_size size, tl_size *done_ret, struct tl_error *error)
{
	struct compiler compiler = {
		.environment = environment,
		.values = &environment->environment->values,
		.expression = expression,
		.code = tl_writer_make(code, size < TL_AGENT_CODE_MAX ? size : TL_AGENT_CODE_MAX),
		.error = error,
	};
	struct operand operand;
	struct kind kind;

	TL_TRY(number(&compiler, tl_expression_top(expression), &operand, &kind));
	emit(&compiler, TL_AGENT_end);
	if (compiler.code.failed)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "The expression is too long to be decided at the target.");
	*done_ret = tl_writer_size(&compiler.code);
	return TL_OK;
}
