#include "debugger/values/arithmetic_parts.h"

#include "debugger/values/quad.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

static bool is_vector(const struct tl_type *stripped)
{
	return stripped->kind == TL_TYPE_ARRAY && stripped->vector;
}

static bool is_complex(const struct tl_type *stripped)
{
	return stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_complex_float;
}

static enum tl_status no_meaning(const struct tl_value_context *context, enum tl_punctuator operation,
				 const struct tl_value *value, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\" has no meaning for values of type \"%s\".",
		       tl_punctuator_text(operation), tl_value_type_name(context, value->type));
}

/* A value with its bytes there, all of them, and its type without names for it. */
static enum tl_status take(const struct tl_value_context *context, struct tl_value *value,
			   const struct tl_type **stripped_ret, struct tl_error *error)
{
	TL_TRY(tl_value_unreference(context, value, error));
	TL_TRY(tl_type_strip(value->type, stripped_ret, error));
	if (!is_vector(*stripped_ret) && !is_complex(*stripped_ret))
		return TL_OK;
	TL_TRY(tl_value_load(context, value, error));
	if (tl_value_is_absent(value))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "value has been optimized out");
	return TL_OK;
}

/* ---- Vectors ---- */

static tl_u64 elements_of(const struct tl_type *vector, struct tl_error *error)
{
	const struct tl_bound *bound;

	return tl_type_bound(vector, &bound, error) == TL_OK && bound->kind == TL_BOUND_CONSTANT ? bound->count : 0;
}

/* An operand's part: of a number by itself, that number. */
static enum tl_status element_of(const struct tl_value_context *context, const struct tl_value *value, tl_u64 index,
				 struct tl_value *element_ret, struct tl_error *error)
{
	const struct tl_type *stripped;
	const struct tl_bound *bound;

	TL_TRY(tl_type_strip(value->type, &stripped, error));
	*element_ret = *value;
	if (!is_vector(stripped))
		return TL_OK;
	TL_TRY(tl_type_bound(stripped, &bound, error));
	return tl_value_element(context, value, bound->lower + (tl_i64)index, element_ret, error);
}

static enum tl_status one_element(const struct tl_value_context *context, enum tl_punctuator operation,
				  const struct tl_value *left, const struct tl_value *right, tl_u64 index,
				  const struct tl_type *type, struct tl_value *result_ret, struct tl_error *error)
{
	struct tl_value a, b, result;

	TL_TRY(element_of(context, left, index, &a, error));
	if (right == NULL) {
		TL_TRY(tl_value_unary(context, operation, &a, &result, error));
	} else {
		TL_TRY(element_of(context, right, index, &b, error));
		TL_TRY(tl_value_binary(context, operation, &a, &b, &result, error));
	}
	return tl_value_cast(context, &result, type, result_ret, error);
}

static enum tl_status vectors(const struct tl_value_context *context, enum tl_punctuator operation,
			      const struct tl_value *left, const struct tl_value *right, const struct tl_value *model,
			      struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *vector, *element;
	tl_u64 count;
	tl_u8 *bytes;

	if (operation == TL_EXCLAMATION)
		return no_meaning(context, operation, model, error);
	TL_TRY(tl_type_strip(model->type, &vector, error));
	TL_TRY(tl_type_target(vector, &element, error));
	count = elements_of(vector, error);
	bytes = tl_arena_allocate(context->arena, model->size);
	if (bytes == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a vector");
	for (tl_u64 i = 0; i < count; i++) {
		struct tl_value result;

		TL_TRY(one_element(context, operation, left, right, i, element, &result, error));
		if (result.size * (i + 1) > model->size)
			return no_meaning(context, operation, model, error);
		memcpy(bytes + i * result.size, result.bytes, result.size);
	}
	return tl_value_make_bytes(context, vector, bytes, model->size, value_ret, error);
}

static enum tl_status check_shapes(const struct tl_value_context *context, const struct tl_value *left,
				   const struct tl_type *a, const struct tl_value *right, const struct tl_type *b,
				   struct tl_error *error)
{
	if (!is_vector(a) || !is_vector(b) ||
	    (left->size == right->size && elements_of(a, error) == elements_of(b, error)))
		return TL_OK;
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "Vectors of type \"%s\" and \"%s\" have no operations in common.",
		       tl_value_type_name(context, left->type), tl_value_type_name(context, right->type));
}

static bool is_comparison(enum tl_punctuator operation)
{
	return operation == TL_EQUAL || operation == TL_NOT_EQUAL || operation == TL_LESS || operation == TL_GREATER ||
	       operation == TL_LESS_EQUAL || operation == TL_GREATER_EQUAL;
}

/* ---- Complex numbers ---- */

struct complex {
	long double real, imaginary;
};

static enum tl_status half_type(const struct tl_value_context *context, const struct tl_value *value,
				const struct tl_type **type_ret, struct tl_error *error)
{
	return tl_type_make_base(context->types, tl_is_quad(value->type) ? "_Float128" : "floating", DW_ATE_float,
				 (tl_u8)(value->size / 2), type_ret, error);
}

static enum tl_status take_complex(const struct tl_value_context *context, const struct tl_value *value,
				   struct complex *complex_ret, struct tl_error *error)
{
	const struct tl_type *stripped;
	struct tl_value half = *value;

	TL_TRY(tl_type_strip(value->type, &stripped, error));
	complex_ret->imaginary = 0;
	if (!is_complex(stripped))
		return tl_value_real(context, value, &complex_ret->real, error);
	TL_TRY(half_type(context, value, &half.type, error));
	half.size /= 2;
	half.place = TL_VALUE_NOWHERE;
	TL_TRY(tl_value_real(context, &half, &complex_ret->real, error));
	half.bytes += half.size;
	return tl_value_real(context, &half, &complex_ret->imaginary, error);
}

static enum tl_status make_complex(const struct tl_value_context *context, const struct tl_value *model,
				   const struct complex *complex, struct tl_value *value_ret, struct tl_error *error)
{
	const long double parts[] = {complex->real, complex->imaginary};
	const struct tl_type *type;
	tl_u8 *bytes = tl_arena_allocate(context->arena, model->size);

	if (bytes == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a complex number");
	TL_TRY(half_type(context, model, &type, error));
	for (tl_u64 i = 0; i < TL_COUNT(parts); i++) {
		struct tl_value half;

		TL_TRY(tl_value_make_real(context, type, parts[i], &half, error));
		memcpy(bytes + i * half.size, half.bytes, half.size);
	}
	return tl_value_make_bytes(context, model->type, bytes, model->size, value_ret, error);
}

enum tl_status tl_value_cast_complex(const struct tl_value_context *context, const struct tl_value *value,
				     const struct tl_type *type, struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_value own = *value, model = {.type = type};
	struct complex complex;
	bool known;

	TL_TRY(tl_value_unreference(context, &own, error));
	TL_TRY(tl_value_load(context, &own, error));
	TL_TRY(tl_type_size(type, &model.size, &known, error));
	TL_TRY(take_complex(context, &own, &complex, error));
	return make_complex(context, &model, &complex, value_ret, error);
}

static bool reckon(enum tl_punctuator operation, const struct complex *a, const struct complex *b,
		   struct complex *result_ret)
{
	if (operation == TL_PLUS || operation == TL_MINUS) {
		const long double sign = operation == TL_PLUS ? 1 : -1;

		*result_ret = (struct complex){a->real + sign * b->real, a->imaginary + sign * b->imaginary};
	} else if (operation == TL_STAR) {
		*result_ret = (struct complex){a->real * b->real - a->imaginary * b->imaginary,
					       a->real * b->imaginary + a->imaginary * b->real};
	} else if (operation == TL_SLASH) {
		const long double square = b->real * b->real + b->imaginary * b->imaginary;

		*result_ret = (struct complex){(a->real * b->real + a->imaginary * b->imaginary) / square,
					       (a->imaginary * b->real - a->real * b->imaginary) / square};
	} else {
		return false;
	}
	return true;
}

static enum tl_status complexes(const struct tl_value_context *context, enum tl_punctuator operation,
				const struct tl_value *left, const struct tl_value *right, const struct tl_value *model,
				struct tl_value *value_ret, struct tl_error *error)
{
	struct complex a, b, result;

	TL_TRY(take_complex(context, left, &a, error));
	if (right == NULL) {
		/* ~ is the conjugate, as gcc has it. */
		if (operation != TL_MINUS && operation != TL_PLUS && operation != TL_TILDE)
			return no_meaning(context, operation, model, error);
		result = operation == TL_MINUS   ? (struct complex){-a.real, -a.imaginary}
			 : operation == TL_TILDE ? (struct complex){a.real, -a.imaginary}
						 : a;
		return make_complex(context, model, &result, value_ret, error);
	}
	TL_TRY(take_complex(context, right, &b, error));
	if (operation == TL_EQUAL || operation == TL_NOT_EQUAL) {
		const bool equal = a.real == b.real && a.imaginary == b.imaginary;
		const struct tl_type *type;

		TL_TRY(tl_value_truth_type(context, &type, error));
		return tl_value_make_integer(context, type, equal == (operation == TL_EQUAL), value_ret, error);
	}
	/* Two of them take more digits than there are here. */
	if (tl_is_quad(model->type))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Numbers of type \"%s\" cannot be reckoned with.",
			       tl_value_type_name(context, model->type));
	if (!reckon(operation, &a, &b, &result))
		return no_meaning(context, operation, model, error);
	return make_complex(context, model, &result, value_ret, error);
}

enum tl_status tl_value_in_parts(const struct tl_value_context *context, enum tl_punctuator operation,
				 const struct tl_value *left, const struct tl_value *right, struct tl_value *value_ret,
				 bool *applies_ret, struct tl_error *error)
{
	struct tl_value a = *left, b = right != NULL ? *right : *left;
	const struct tl_type *a_type, *b_type;

	*applies_ret = false;
	TL_TRY(tl_type_strip(left->type, &a_type, error));
	TL_TRY(take(context, &a, &a_type, error));
	TL_TRY(take(context, &b, &b_type, error));
	if (is_vector(a_type) || is_vector(b_type)) {
		*applies_ret = true;
		TL_TRY(check_shapes(context, &a, a_type, &b, b_type, error));
		if (is_comparison(operation))
			return no_meaning(context, operation, is_vector(a_type) ? &a : &b, error);
		return vectors(context, operation, &a, right != NULL ? &b : NULL, is_vector(a_type) ? &a : &b,
			       value_ret, error);
	}
	if (!is_complex(a_type) && !is_complex(b_type))
		return TL_OK;
	*applies_ret = true;
	return complexes(context, operation, &a, right != NULL ? &b : NULL,
			 !is_complex(b_type) || (is_complex(a_type) && a.size >= b.size) ? &a : &b, value_ret, error);
}
