#include "debugger/values/arithmetic_parts.h"
#include "debugger/values/quad.h"
#include "debugger/values/value.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

/* An operand, made ready: what it is and its number. */
struct operand {
	const struct tl_type *type; /* without typedefs and qualifiers */
	enum tl_arithmetic kind;
	tl_u64 size;
	bool is_signed;
	tl_i128 integer;
	long double real;
	bool is_quad; /* with more digits than `real` may have: */
	tl_u8 quad[TL_QUAD_SIZE];
};

static enum tl_status not_both(const struct tl_value_context *context, enum tl_punctuator operation,
			       const struct operand *left, const struct operand *right, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\" cannot stand between values of type \"%s\" and \"%s\".",
		       tl_punctuator_text(operation), tl_value_type_name(context, left->type),
		       tl_value_type_name(context, right->type));
}

enum tl_status tl_value_decay(const struct tl_value_context *context, struct tl_value *value, struct tl_error *error)
{
	const struct tl_type *stripped, *element, *pointer;
	tl_u64 address;

	TL_TRY(tl_value_unreference(context, value, error));
	TL_TRY(tl_type_strip(value->type, &stripped, error));
	if ((stripped->kind != TL_TYPE_ARRAY || stripped->vector) && stripped->kind != TL_TYPE_FUNCTION)
		return TL_OK;
	if (value->place != TL_VALUE_IN_MEMORY)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "An array that is not in memory has no address that one could reckon with.");
	element = value->type;
	if (stripped->kind == TL_TYPE_ARRAY)
		TL_TRY(tl_type_target(stripped, &element, error));
	address = value->address;
	TL_TRY(tl_type_make_pointer(element, context->address_size, &pointer, error));
	return tl_value_make_integer(context, pointer, (tl_i128)address, value, error);
}

static enum tl_status make_operand(const struct tl_value_context *context, const struct tl_value *value,
				   struct operand *operand_ret, struct tl_error *error)
{
	struct tl_value own = *value;
	struct operand operand = {0};
	bool known;

	TL_TRY(tl_value_decay(context, &own, error));
	TL_TRY(tl_type_strip(own.type, &operand.type, error));
	TL_TRY(tl_type_size(operand.type, &operand.size, &known, error));
	operand.kind = tl_type_arithmetic(operand.type, &operand.is_signed);
	if (operand.kind == TL_ARITHMETIC_NONE)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "A value of type \"%s\" cannot be reckoned with.",
			       tl_value_type_name(context, own.type));
	if (operand.kind == TL_ARITHMETIC_REAL) {
		TL_TRY(tl_value_load(context, &own, error));
		TL_TRY(tl_value_real(context, &own, &operand.real, error));
		operand.is_quad = own.size == TL_QUAD_SIZE && tl_is_quad(own.type);
		if (operand.is_quad)
			memcpy(operand.quad, own.bytes, sizeof(operand.quad));
	} else {
		TL_TRY(tl_value_integer(context, &own, &operand.integer, error));
		operand.real = operand.is_signed ? (long double)operand.integer : (long double)(tl_u128)operand.integer;
	}
	/* A bit-field that fits is an int, whatever its type (C17, 6.3.1.1). */
	if (own.bit_size != 0 && own.bit_size < 32)
		operand.is_signed = true, operand.size = 4;
	*operand_ret = operand;
	return TL_OK;
}

/* What is narrower than int is an int (C17, 6.3.1.1). */
static void promote(struct operand *operand)
{
	if (operand->kind == TL_ARITHMETIC_INTEGER && operand->size < 4) {
		operand->size = 4;
		operand->is_signed = true;
	}
}

/* The type that two operands have in common (C17, 6.3.1.8). */
static enum tl_status common_type(const struct tl_value_context *context, const struct operand *left,
				  const struct operand *right, const struct tl_type **type_ret, bool *is_signed_ret,
				  struct tl_error *error)
{
	bool left_real = left->kind == TL_ARITHMETIC_REAL, right_real = right->kind == TL_ARITHMETIC_REAL;
	tl_u64 size = left->size > right->size ? left->size : right->size;

	*is_signed_ret = left->size > right->size   ? left->is_signed
			 : left->size < right->size ? right->is_signed
						    : left->is_signed && right->is_signed;
	if (!left_real && !right_real)
		return tl_value_integer_type(context, size, *is_signed_ret, type_ret, error);
	*type_ret = !right_real || (left_real && left->size >= right->size) ? left->type : right->type;
	return TL_OK;
}

/* ---- Integers ---- */

/* Cut to a size, its sign extended. */
static tl_i128 wrap(tl_i128 number, tl_u64 size, bool is_signed)
{
	unsigned bits = (unsigned)size * 8;
	tl_u128 mask, cut;

	if (bits >= 128 || bits == 0)
		return number;
	mask = ((tl_u128)1 << bits) - 1;
	cut = (tl_u128)number & mask;
	return (tl_i128)(is_signed && (cut >> (bits - 1) & 1) != 0 ? cut | ~mask : cut);
}

/* Shifts by more than there are bits shift everything out, as with an endless number. */
static tl_i128 shift(enum tl_punctuator operation, tl_i128 number, tl_i128 by, bool is_signed)
{
	bool negative = is_signed && number < 0;

	if (operation == TL_SHIFT_LEFT)
		return by >= 128 ? 0 : (tl_i128)((tl_u128)number << by);
	if (by >= 128)
		return negative ? -1 : 0;
	return is_signed ? number >> by : (tl_i128)((tl_u128)number >> by);
}

static enum tl_status divide(enum tl_punctuator operation, tl_i128 left, tl_i128 right, bool is_signed,
			     tl_i128 *number_ret, struct tl_error *error)
{
	if (right == 0)
		return TL_FAIL(error, TL_ERROR_DIVIDE, "Division by zero");
	/* The one quotient that does not fit wraps around, as the others do in the debugger's arithmetic. */
	if (is_signed && right == -1)
		*number_ret = operation == TL_SLASH ? (tl_i128)(0 - (tl_u128)left) : 0;
	else if (is_signed)
		*number_ret = operation == TL_SLASH ? left / right : left % right;
	else if (operation == TL_SLASH)
		*number_ret = (tl_i128)((tl_u128)left / (tl_u128)right);
	else
		*number_ret = (tl_i128)((tl_u128)left % (tl_u128)right);
	return TL_OK;
}

static enum tl_status reckon(enum tl_punctuator operation, tl_i128 left, tl_i128 right, bool is_signed,
			     tl_i128 *number_ret, struct tl_error *error)
{
	tl_u128 a = (tl_u128)left, b = (tl_u128)right;

	if (operation == TL_PLUS)
		*number_ret = (tl_i128)(a + b);
	else if (operation == TL_MINUS)
		*number_ret = (tl_i128)(a - b);
	else if (operation == TL_STAR)
		*number_ret = (tl_i128)(a * b);
	else if (operation == TL_AMPERSAND)
		*number_ret = (tl_i128)(a & b);
	else if (operation == TL_BAR)
		*number_ret = (tl_i128)(a | b);
	else if (operation == TL_CARET)
		*number_ret = (tl_i128)(a ^ b);
	else
		return divide(operation, left, right, is_signed, number_ret, error);
	return TL_OK;
}

static bool is_comparison(enum tl_punctuator operation)
{
	return operation == TL_EQUAL || operation == TL_NOT_EQUAL || operation == TL_LESS || operation == TL_GREATER ||
	       operation == TL_LESS_EQUAL || operation == TL_GREATER_EQUAL;
}

/* What a comparison says of two numbers of which the first is less, equal, or neither. */
static bool compare(enum tl_punctuator operation, bool less, bool equal, bool more)
{
	return operation == TL_EQUAL           ? equal
	       : operation == TL_NOT_EQUAL     ? !equal
	       : operation == TL_LESS          ? less
	       : operation == TL_GREATER       ? more
	       : operation == TL_LESS_EQUAL    ? less || equal
	       : operation == TL_GREATER_EQUAL ? more || equal
					       : false;
}

static enum tl_status integers(const struct tl_value_context *context, enum tl_punctuator operation,
			       const struct operand *left, const struct operand *right, struct tl_value *value_ret,
			       struct tl_error *error)
{
	const struct tl_type *type;
	bool is_signed;
	tl_i128 a, b, result;
	tl_u64 size;

	/* A shift has the type of what is shifted. */
	if (operation == TL_SHIFT_LEFT || operation == TL_SHIFT_RIGHT) {
		if (right->integer < 0)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "A shift by a negative number has no meaning.");
		TL_TRY(tl_value_integer_type(context, left->size, left->is_signed, &type, error));
		result = shift(operation, left->integer, right->integer, left->is_signed);
		return tl_value_make_integer(context, type, result, value_ret, error);
	}
	TL_TRY(common_type(context, left, right, &type, &is_signed, error));
	size = type->size;
	a = wrap(left->integer, size, is_signed);
	b = wrap(right->integer, size, is_signed);
	if (is_comparison(operation)) {
		bool less = is_signed ? a < b : (tl_u128)a < (tl_u128)b;

		TL_TRY(tl_value_truth_type(context, &type, error));
		return tl_value_make_integer(context, type, compare(operation, less, a == b, !less && a != b),
					     value_ret, error);
	}
	TL_TRY(reckon(operation, a, b, is_signed, &result, error));
	return tl_value_make_integer(context, type, result, value_ret, error);
}

/* ---- Reals ---- */

/* The same number in as many digits. */
static void make_quad(struct operand *operand)
{
	if (operand->is_quad)
		return;
	if (operand->kind == TL_ARITHMETIC_REAL)
		tl_quad_make(operand->real, operand->quad);
	else
		tl_quad_make_integer(operand->integer, operand->is_signed, operand->quad);
}

/* Where one of the two has more digits than this machine's numbers may have. */
static enum tl_status quads(const struct tl_value_context *context, enum tl_punctuator operation,
			    const struct operand *left, const struct operand *right, struct tl_value *value_ret,
			    struct tl_error *error)
{
	struct operand a = *left, b = *right;
	const struct tl_type *type;
	tl_u8 result[TL_QUAD_SIZE];
	bool less, equal;

	make_quad(&a);
	make_quad(&b);
	if (is_comparison(operation)) {
		bool greater, same;

		tl_quad_compare(a.quad, b.quad, &less, &equal);
		tl_quad_compare(b.quad, a.quad, &greater, &same);
		TL_TRY(tl_value_truth_type(context, &type, error));
		return tl_value_make_integer(context, type, compare(operation, less, equal, greater), value_ret, error);
	}
	if (!tl_quad_reckon(operation, a.quad, b.quad, result))
		return not_both(context, operation, left, right, error);
	return tl_value_make_bytes(context, a.is_quad ? a.type : b.type, result, sizeof(result), value_ret, error);
}

static enum tl_status reals(const struct tl_value_context *context, enum tl_punctuator operation,
			    const struct operand *left, const struct operand *right, struct tl_value *value_ret,
			    struct tl_error *error)
{
	const struct tl_type *type;
	long double a = left->real, b = right->real, result;
	bool is_signed;

	if (left->is_quad || right->is_quad)
		return quads(context, operation, left, right, value_ret, error);
	if (is_comparison(operation)) {
		TL_TRY(tl_value_truth_type(context, &type, error));
		return tl_value_make_integer(context, type, compare(operation, a<b, a == b, a> b), value_ret, error);
	}
	TL_TRY(common_type(context, left, right, &type, &is_signed, error));
	if (operation == TL_PLUS)
		result = a + b;
	else if (operation == TL_MINUS)
		result = a - b;
	else if (operation == TL_STAR)
		result = a * b;
	else if (operation == TL_SLASH)
		result = a / b;
	else
		return not_both(context, operation, left, right, error);
	return tl_value_make_real(context, type, result, value_ret, error);
}

/* ---- Pointers ---- */

/* How far one step of a pointer goes; 1 for pointers to void and to functions, as gcc has it. */
static enum tl_status stride(const struct tl_value_context *context, const struct tl_type *pointer, tl_u64 *size_ret,
			     struct tl_error *error)
{
	const struct tl_type *target, *stripped;
	bool known;

	TL_TRY(tl_type_target(pointer, &target, error));
	TL_TRY(tl_type_strip(target, &stripped, error));
	*size_ret = 1;
	if (stripped->kind == TL_TYPE_VOID || stripped->kind == TL_TYPE_FUNCTION)
		return TL_OK;
	TL_TRY(tl_type_size(target, size_ret, &known, error));
	if (!known)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "How far a pointer to \"%s\" steps is not known: that type is incomplete.",
			       tl_value_type_name(context, target));
	return TL_OK;
}

static enum tl_status difference(const struct tl_value_context *context, const struct operand *left,
				 const struct operand *right, struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *type;
	tl_u64 left_size, right_size;

	TL_TRY(stride(context, left->type, &left_size, error));
	TL_TRY(stride(context, right->type, &right_size, error));
	if (left_size != right_size)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "These pointers point to things of different sizes, %llu and %llu bytes.",
			       (unsigned long long)left_size, (unsigned long long)right_size);
	TL_TRY(tl_value_integer_type(context, context->address_size, true, &type, error));
	return tl_value_make_integer(context, type,
				     left_size != 0 ? (left->integer - right->integer) / (tl_i128)left_size : 0,
				     value_ret, error);
}

static enum tl_status pointers(const struct tl_value_context *context, enum tl_punctuator operation,
			       const struct operand *left, const struct operand *right, struct tl_value *value_ret,
			       struct tl_error *error)
{
	bool left_points = left->kind == TL_ARITHMETIC_POINTER, right_points = right->kind == TL_ARITHMETIC_POINTER;
	const struct operand *pointer = left_points ? left : right, *number = left_points ? right : left;
	const struct tl_type *type;
	tl_u64 size;

	if (left->kind == TL_ARITHMETIC_REAL || right->kind == TL_ARITHMETIC_REAL)
		return not_both(context, operation, left, right, error);
	if (is_comparison(operation)) {
		tl_u64 a = (tl_u64)left->integer, b = (tl_u64)right->integer;

		TL_TRY(tl_value_truth_type(context, &type, error));
		return tl_value_make_integer(context, type, compare(operation, a<b, a == b, a> b), value_ret, error);
	}
	if (left_points && right_points && operation == TL_MINUS)
		return difference(context, left, right, value_ret, error);
	if ((left_points && right_points) || (operation != TL_PLUS && (operation != TL_MINUS || right_points)))
		return not_both(context, operation, left, right, error);
	TL_TRY(stride(context, pointer->type, &size, error));
	return tl_value_make_integer(context, pointer->type,
				     operation == TL_PLUS ? pointer->integer + number->integer * (tl_i128)size
							  : pointer->integer - number->integer * (tl_i128)size,
				     value_ret, error);
}

enum tl_status tl_value_binary(const struct tl_value_context *context, enum tl_punctuator operation,
			       const struct tl_value *left, const struct tl_value *right, struct tl_value *value_ret,
			       struct tl_error *error)
{
	struct operand a, b;
	bool done;

	TL_TRY(tl_value_in_parts(context, operation, left, right, value_ret, &done, error));
	if (done)
		return TL_OK;
	TL_TRY(make_operand(context, left, &a, error));
	TL_TRY(make_operand(context, right, &b, error));
	if (a.kind == TL_ARITHMETIC_POINTER || b.kind == TL_ARITHMETIC_POINTER)
		return pointers(context, operation, &a, &b, value_ret, error);
	promote(&a);
	promote(&b);
	if (a.kind == TL_ARITHMETIC_REAL || b.kind == TL_ARITHMETIC_REAL)
		return reals(context, operation, &a, &b, value_ret, error);
	return integers(context, operation, &a, &b, value_ret, error);
}

enum tl_status tl_value_unary(const struct tl_value_context *context, enum tl_punctuator operation,
			      const struct tl_value *value, struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *type;
	struct operand operand;
	bool truth, done;

	TL_TRY(tl_value_in_parts(context, operation, value, NULL, value_ret, &done, error));
	if (done)
		return TL_OK;
	if (operation == TL_EXCLAMATION) {
		TL_TRY(tl_value_truth(context, value, &truth, error));
		TL_TRY(tl_value_truth_type(context, &type, error));
		return tl_value_make_integer(context, type, !truth, value_ret, error);
	}
	TL_TRY(make_operand(context, value, &operand, error));
	if (operand.is_quad && operation != TL_TILDE) {
		operand.quad[TL_QUAD_SIZE - 1] ^= operation == TL_MINUS ? 0x80 : 0;
		return tl_value_make_bytes(context, operand.type, operand.quad, TL_QUAD_SIZE, value_ret, error);
	}
	if (operand.kind == TL_ARITHMETIC_REAL && operation != TL_TILDE)
		return tl_value_make_real(context, operand.type, operation == TL_MINUS ? -operand.real : operand.real,
					  value_ret, error);
	if (operand.kind != TL_ARITHMETIC_INTEGER)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\" cannot stand before a value of type \"%s\".",
			       tl_punctuator_text(operation), tl_value_type_name(context, operand.type));
	promote(&operand);
	TL_TRY(tl_value_integer_type(context, operand.size, operand.is_signed, &type, error));
	if (operation == TL_MINUS)
		operand.integer = (tl_i128)(0 - (tl_u128)operand.integer);
	else if (operation == TL_TILDE)
		operand.integer = ~operand.integer;
	return tl_value_make_integer(context, type, operand.integer, value_ret, error);
}

/* ---- Casts and assignments ---- */

/* A struct as one of its bases, or a value as a type of the same size: its bytes, seen otherwise. */
static enum tl_status cast_bytes(const struct tl_value_context *context, const struct tl_value *value,
				 const struct tl_type *type, struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_value own = *value;
	tl_u64 size;
	bool known;

	TL_TRY(tl_type_size(type, &size, &known, error));
	if (own.place == TL_VALUE_IN_MEMORY && own.bit_size == 0)
		return tl_value_at(context, type, own.address, value_ret, error);
	TL_TRY(tl_value_load(context, &own, error));
	if (!known || size != own.size || own.bit_size != 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid cast.");
	own.type = type;
	*value_ret = own;
	return TL_OK;
}

/* A number as a real: what a long double of this machine may not hold keeps its digits. */
static enum tl_status cast_real(const struct tl_value_context *context, const struct tl_value *value,
				const struct tl_type *type, struct tl_value *value_ret, struct tl_error *error)
{
	struct operand operand;
	const struct tl_type *stripped;
	long double real;

	TL_TRY(tl_value_real(context, value, &real, error));
	TL_TRY(tl_type_strip(type, &stripped, error));
	if (stripped->size != TL_QUAD_SIZE || !tl_is_quad(stripped))
		return tl_value_make_real(context, type, real, value_ret, error);
	TL_TRY(make_operand(context, value, &operand, error));
	make_quad(&operand);
	return tl_value_make_bytes(context, type, operand.quad, TL_QUAD_SIZE, value_ret, error);
}

enum tl_status tl_value_cast(const struct tl_value_context *context, const struct tl_value *value,
			     const struct tl_type *type, struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *stripped, *from;
	struct tl_value own = *value;
	tl_i128 number;
	bool is_signed, truth;
	enum tl_arithmetic kind;

	TL_TRY(tl_type_strip(type, &stripped, error));
	kind = tl_type_arithmetic(stripped, &is_signed);
	if (stripped->kind == TL_TYPE_VOID) {
		*value_ret = (struct tl_value){.type = type, .bytes = (const tl_u8 *)""};
		return TL_OK;
	}
	if (stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_complex_float)
		return tl_value_cast_complex(context, &own, type, value_ret, error);
	if (kind == TL_ARITHMETIC_NONE) {
		TL_TRY(tl_value_unreference(context, &own, error));
		return cast_bytes(context, &own, type, value_ret, error);
	}
	TL_TRY(tl_value_decay(context, &own, error));
	TL_TRY(tl_type_strip(own.type, &from, error));
	if (stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_boolean) {
		TL_TRY(tl_value_truth(context, &own, &truth, error));
		return tl_value_make_integer(context, type, truth, value_ret, error);
	}
	if (kind == TL_ARITHMETIC_REAL) {
		if (from->kind == TL_TYPE_POINTER)
			return TL_FAIL(error, TL_ERROR_ARGUMENT,
				       "A pointer cannot be cast to a floating-point number.");
		return cast_real(context, &own, type, value_ret, error);
	}
	TL_TRY(tl_value_integer(context, &own, &number, error));
	return tl_value_make_integer(context, type, number, value_ret, error);
}

/* Puts a bit-field's bits among those that stand around it. */
static enum tl_status store_bits(const struct tl_value_context *context, const struct tl_value *left, tl_i128 number,
				 struct tl_error *error)
{
	tl_u128 mask = (((tl_u128)1 << left->bit_size) - 1) << left->bit_offset, old = 0;
	tl_u8 bytes[16];
	struct tl_value own = *left;

	/* What stands beside it may have changed since it was read. */
	if (own.place == TL_VALUE_IN_MEMORY)
		own.bytes = NULL;
	TL_TRY(tl_value_load(context, &own, error));
	for (tl_u64 i = own.size; i > 0; i--)
		old = old << 8 | own.bytes[i - 1];
	old = (old & ~mask) | ((tl_u128)number << left->bit_offset & mask);
	for (tl_u64 i = 0; i < own.size; i++, old >>= 8)
		bytes[i] = (tl_u8)old;
	if (left->place == TL_VALUE_IN_MEMORY)
		return context->write(context->context, left->address, bytes, own.size, error);
	return context->store(context->context, left->where, left->where_offset * 8, own.size * 8, bytes, error);
}

enum tl_status tl_value_assign(const struct tl_value_context *context, const struct tl_value *left,
			       const struct tl_value *right, struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_value to = *left, converted;
	tl_i128 number;

	TL_TRY(tl_value_unreference(context, &to, error));
	if (to.place == TL_VALUE_NOWHERE ||
	    (to.place == TL_VALUE_ELSEWHERE && (to.where == NULL || context->store == NULL)))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Left operand of assignment is not an lvalue.");
	if (to.place == TL_VALUE_IN_MEMORY && context->write == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "There is no memory to write: no program runs.");
	TL_TRY(tl_value_cast(context, right, to.type, &converted, error));
	TL_TRY(tl_value_load(context, &converted, error));
	if (tl_value_is_absent(&converted))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "value has been optimized out");
	if (to.bit_size != 0) {
		TL_TRY(tl_value_integer(context, &converted, &number, error));
		TL_TRY(store_bits(context, &to, number, error));
		to.bytes = NULL;
		*value_ret = to;
		return to.place == TL_VALUE_IN_MEMORY
			       ? TL_OK
			       : tl_value_make_integer(context, to.type, number, value_ret, error);
	}
	if (to.place == TL_VALUE_IN_MEMORY)
		TL_TRY(context->write(context->context, to.address, converted.bytes, converted.size, error));
	else
		TL_TRY(context->store(context->context, to.where, to.where_offset * 8, converted.size * 8,
				      converted.bytes, error));
	to.bytes = converted.bytes;
	to.absent = NULL;
	to.size = converted.size;
	*value_ret = to;
	return TL_OK;
}
