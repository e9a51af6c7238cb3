#include "debugger/values/value.h"

#include "debugger/values/quad.h"
#include "symbols/dwarf_constants.h"
#include "symbols/type_text.h"

#include <string.h>

#define SIZE_LIMIT ((tl_u64)16 << 20)
/* Longer chains of anonymous members and bases, and more types among them, than any program has. */
#define MEMBER_DEPTH_MAX 32
#define MEMBER_TYPES_MAX 4096
/* A long double of i386: the same ten bytes as on x86-64, with fewer behind them. */
#define LONG_DOUBLE_SIZE_32 12

static tl_u64 limit_of(const struct tl_value_context *context)
{
	return context->size_limit != 0 ? context->size_limit : SIZE_LIMIT;
}

static enum tl_status no_storage(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for the value.");
}

const char *tl_value_type_name(const struct tl_value_context *context, const struct tl_type *type)
{
	struct tl_output name = tl_output_make(65536);
	const char *copy = NULL;

	if (tl_type_write_name(type, &name, NULL) == TL_OK)
		copy = tl_arena_copy(context->arena, tl_output_string(&name), name.size);
	tl_output_release(&name);
	return copy != NULL ? copy : "?";
}

/* Is it an array without an end, as the last member of a struct may be? It has no bytes of its own. */
static bool is_endless(const struct tl_type *type)
{
	const struct tl_bound *bound;
	struct tl_error error;

	return tl_type_strip(type, &type, &error) == TL_OK && type->kind == TL_TYPE_ARRAY &&
	       tl_type_bound(type, &bound, &error) == TL_OK && bound->kind == TL_BOUND_NONE;
}

enum tl_status tl_value_strip(const struct tl_value_context *context, const struct tl_type *type,
			      const struct tl_type **stripped_ret, struct tl_error *error)
{
	TL_TRY(tl_type_strip(type, stripped_ret, error));
	if (!(*stripped_ret)->declaration || context->complete == NULL)
		return TL_OK;
	return context->complete(context->context, *stripped_ret, stripped_ret, error);
}

/* A type whose definition another module has as that, with its qualifiers; other types as they are. */
static enum tl_status complete(const struct tl_value_context *context, const struct tl_type **type,
			       struct tl_error *error)
{
	const struct tl_type *outer = *type, *stripped;

	if (context->complete == NULL)
		return TL_OK;
	TL_TRY(tl_value_strip(context, outer, &stripped, error));
	if (stripped->declaration || !stripped->has_size || stripped->kind == TL_TYPE_ARRAY)
		return TL_OK;
	*type = stripped;
	for (; outer->kind == TL_TYPE_CONST || outer->kind == TL_TYPE_VOLATILE;) {
		TL_TRY(tl_type_make_qualified(*type, outer->kind, type, error));
		TL_TRY(tl_type_target(outer, &outer, error));
	}
	return TL_OK;
}

static enum tl_status complete_type(const struct tl_value_context *context, const struct tl_type *type, unsigned depth,
				    const struct tl_type **type_ret, struct tl_error *error)
{
	const struct tl_type *stripped, *target, *whole;
	bool known;
	tl_u64 size;

	*type_ret = type;
	/* Pointers that lead to themselves, as damaged types do, are left as they are. */
	if (depth > MEMBER_DEPTH_MAX)
		return TL_OK;
	TL_TRY(tl_type_strip(type, &stripped, error));
	if (stripped->kind == TL_TYPE_POINTER || stripped->kind == TL_TYPE_REFERENCE ||
	    stripped->kind == TL_TYPE_RVALUE_REFERENCE) {
		TL_TRY(tl_type_target(stripped, &target, error));
		TL_TRY(complete_type(context, target, depth + 1, &whole, error));
		if (whole == target)
			return TL_OK;
		return stripped->kind == TL_TYPE_POINTER
			       ? tl_type_make_pointer(whole, context->address_size, type_ret, error)
			       : tl_type_make_reference(whole, stripped->kind, context->address_size, type_ret, error);
	}
	if (!stripped->declaration)
		return TL_OK;
	TL_TRY(tl_type_size(type, &size, &known, error));
	return known ? TL_OK : complete(context, type_ret, error);
}

enum tl_status tl_value_complete_type(const struct tl_value_context *context, const struct tl_type *type,
				      const struct tl_type **type_ret, struct tl_error *error)
{
	return complete_type(context, type, 0, type_ret, error);
}

/* The size of a type, or an error for one that has none. */
static enum tl_status size_of(const struct tl_value_context *context, const struct tl_type *type, tl_u64 *size_ret,
			      struct tl_error *error)
{
	bool known;

	TL_TRY(tl_type_size(type, size_ret, &known, error));
	if (!known && is_endless(type)) {
		*size_ret = 0;
		known = true;
	}
	if (!known) {
		TL_TRY(complete(context, &type, error));
		TL_TRY(tl_type_size(type, size_ret, &known, error));
	}
	if (!known)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "The size of type \"%s\" is not known here.",
			       tl_value_type_name(context, type));
	if (*size_ret > limit_of(context))
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "value requires %llu bytes, which is more than max-value-size",
			       (unsigned long long)*size_ret);
	return TL_OK;
}

/* ---- Making ---- */

enum tl_status tl_value_make_bytes(const struct tl_value_context *context, const struct tl_type *type,
				   const void *bytes, tl_u64 size, struct tl_value *value_ret, struct tl_error *error)
{
	char *copy = size <= limit_of(context) ? tl_arena_copy(context->arena, bytes, size) : NULL;

	if (copy == NULL)
		return no_storage(error);
	*value_ret = (struct tl_value){.type = type, .bytes = (const tl_u8 *)copy, .size = size};
	return TL_OK;
}

enum tl_status tl_value_make_integer(const struct tl_value_context *context, const struct tl_type *type, tl_i128 number,
				     struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *stripped;
	tl_u128 bits = (tl_u128)number;
	tl_u8 bytes[sizeof(bits)];
	tl_u64 size;

	TL_TRY(size_of(context, type, &size, error));
	TL_TRY(tl_type_strip(type, &stripped, error));
	if (size > sizeof(bytes))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "A number cannot have %llu bytes.", (unsigned long long)size);
	if (stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_boolean)
		bits = bits != 0;
	for (tl_size i = 0; i < sizeof(bytes); i++, bits >>= 8)
		bytes[i] = (tl_u8)bits;
	return tl_value_make_bytes(context, type, bytes, size, value_ret, error);
}

enum tl_status tl_value_make_real(const struct tl_value_context *context, const struct tl_type *type,
				  long double number, struct tl_value *value_ret, struct tl_error *error)
{
	tl_u8 bytes[sizeof(long double)] = {0};
	double wide = (double)number;
	float narrow = (float)number;
	tl_u64 size;

	TL_TRY(size_of(context, type, &size, error));
	if (size == sizeof(narrow))
		memcpy(bytes, &narrow, sizeof(narrow));
	else if (size == sizeof(wide))
		memcpy(bytes, &wide, sizeof(wide));
	else if (size == TL_QUAD_SIZE && tl_is_quad(type))
		tl_quad_make(number, bytes);
	else if (size == sizeof(number))
		/* The bytes behind the ten that x86 uses say nothing; they stay zero. */
		memcpy(bytes, &number, sizeof(number) == 16 && __LDBL_MANT_DIG__ == 64 ? 10 : sizeof(number));
	else if (size == LONG_DOUBLE_SIZE_32 && __LDBL_MANT_DIG__ == 64)
		memcpy(bytes, &number, 10);
	else
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Numbers of type \"%s\" cannot be reckoned with.",
			       tl_value_type_name(context, type));
	return tl_value_make_bytes(context, type, bytes, size, value_ret, error);
}

enum tl_status tl_value_at(const struct tl_value_context *context, const struct tl_type *type, tl_u64 address,
			   struct tl_value *value_ret, struct tl_error *error)
{
	bool known;
	tl_u64 size;

	TL_TRY(tl_type_size(type, &size, &known, error));
	if (!known) {
		TL_TRY(complete(context, &type, error));
		TL_TRY(tl_type_size(type, &size, &known, error));
	}
	*value_ret = (struct tl_value){
		.type = type,
		.place = TL_VALUE_IN_MEMORY,
		.address = address,
		.size = known ? size : 0,
	};
	return TL_OK;
}

enum tl_status tl_value_integer_type(const struct tl_value_context *context, tl_u64 size, bool is_signed,
				     const struct tl_type **type_ret, struct tl_error *error)
{
	static const struct {
		const char *plain, *positive;
	} names[] = {{"int", "unsigned int"},
		     {"long", "unsigned long"},
		     {"long long", "unsigned long long"},
		     {"__int128", "unsigned __int128"}};
	tl_size row = size <= 4 ? 0 : size <= context->address_size ? 1 : size <= 8 ? 2 : 3;

	return tl_type_make_base(context->types, is_signed ? names[row].plain : names[row].positive,
				 is_signed ? DW_ATE_signed : DW_ATE_unsigned,
				 (tl_u8)(row == 0   ? 4
					 : row == 3 ? 16
						    : 8),
				 type_ret, error);
}

enum tl_status tl_value_truth_type(const struct tl_value_context *context, const struct tl_type **type_ret,
				   struct tl_error *error)
{
	return context->is_cplus ? tl_type_make_base(context->types, "bool", DW_ATE_boolean, 1, type_ret, error)
				 : tl_value_integer_type(context, 4, true, type_ret, error);
}

/* ---- Looking ---- */

enum tl_arithmetic tl_type_arithmetic(const struct tl_type *stripped, bool *is_signed_ret)
{
	*is_signed_ret = false;
	if (stripped->kind == TL_TYPE_POINTER)
		return TL_ARITHMETIC_POINTER;
	if (stripped->kind != TL_TYPE_BASE && stripped->kind != TL_TYPE_ENUM)
		return TL_ARITHMETIC_NONE;
	switch (stripped->encoding) {
	case DW_ATE_signed:
	case DW_ATE_signed_char:
		*is_signed_ret = true;
		return TL_ARITHMETIC_INTEGER;
	case DW_ATE_boolean:
	case DW_ATE_unsigned:
	case DW_ATE_unsigned_char:
	case DW_ATE_UTF:
	case DW_ATE_UCS:
	case DW_ATE_ASCII:
	case DW_ATE_address:
		return TL_ARITHMETIC_INTEGER;
	case DW_ATE_float:
		return TL_ARITHMETIC_REAL;
	default:
		return TL_ARITHMETIC_NONE;
	}
}

enum tl_status tl_value_load(const struct tl_value_context *context, struct tl_value *value, struct tl_error *error)
{
	tl_u8 *bytes;

	if (value->bytes != NULL)
		return TL_OK;
	/* Of a bit-field the size is that of the bytes it touches, not that of its type. */
	if (value->bit_size == 0)
		TL_TRY(size_of(context, value->type, &value->size, error));
	bytes = tl_arena_allocate(context->arena, value->size);
	if (bytes == NULL)
		return no_storage(error);
	if (value->size != 0 && context->read == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "There is no memory to read: no program runs.");
	if (value->size != 0)
		TL_TRY(context->read(context->context, value->address, bytes, value->size, error));
	value->bytes = bytes;
	return TL_OK;
}

/* Is one of the bits `from` up to `to` of a byte with that mark not there? */
static bool misses_bits(tl_u8 mark, unsigned from, unsigned to)
{
	const unsigned bits = mark & 0xf;

	if ((mark & TL_ABSENT_ABOVE) != 0)
		return to > bits;
	if ((mark & TL_ABSENT_BELOW) != 0)
		return from < bits;
	return mark != TL_ABSENT_NOT;
}

bool tl_value_is_absent(const struct tl_value *value)
{
	const tl_u64 first = value->bit_size != 0 ? value->bit_offset : 0,
		     last = value->bit_size != 0 ? first + value->bit_size : value->size * 8;

	for (tl_u64 i = 0; value->absent != NULL && i < value->size; i++) {
		const tl_u64 from = first > i * 8 ? first - i * 8 : 0, to = last > i * 8 ? last - i * 8 : 0;

		if (from < 8 && to > from && misses_bits(value->absent[i], (unsigned)from, to < 8 ? (unsigned)to : 8))
			return true;
	}
	return false;
}

/* Reads the bytes, all of which must be there. */
static enum tl_status need_bytes(const struct tl_value_context *context, struct tl_value *value, struct tl_error *error)
{
	TL_TRY(tl_value_load(context, value, error));
	if (tl_value_is_absent(value))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "value has been optimized out");
	return TL_OK;
}

/* The bits of a value, a bit-field's among them, its sign extended. */
static tl_i128 bits_of(const struct tl_value *value, bool is_signed)
{
	tl_u64 bits = value->bit_size != 0 ? value->bit_size : value->size * 8;
	tl_u128 number = 0;

	for (tl_u64 i = value->size < 16 ? value->size : 16; i > 0; i--)
		number = number << 8 | value->bytes[i - 1];
	/* A bit-field of 64 bits may touch nine bytes, which still fit. */
	number >>= value->bit_offset;
	if (bits == 0 || bits >= 128)
		return (tl_i128)number;
	number &= ((tl_u128)1 << bits) - 1;
	if (is_signed && (number >> (bits - 1) & 1) != 0)
		number |= ~(((tl_u128)1 << bits) - 1);
	return (tl_i128)number;
}

/* Two bytes: the upper half of a float, where the type's name says so, or IEEE 754's binary16. */
static long double short_real_of(const struct tl_value *value)
{
	const unsigned bits = (unsigned)value->bytes[0] | (unsigned)value->bytes[1] << 8;
	const int exponent = bits >> 10 & 31, fraction = bits & 1023;
	const tl_u32 wide = (tl_u32)bits << 16;
	long double number;
	float narrow;

	if (value->type->name != NULL && strstr(value->type->name, "bf") != NULL) {
		memcpy(&narrow, &wide, sizeof(narrow));
		return (long double)narrow;
	}
	if (exponent == 31)
		number = fraction != 0 ? __builtin_nanl("") : __builtin_infl();
	else
		number = __builtin_ldexpl(exponent != 0 ? 1024 + fraction : fraction,
					  (exponent != 0 ? exponent : 1) - 25);
	return bits >> 15 != 0 ? -number : number;
}

/* The number in a real's bytes. */
static enum tl_status real_of(const struct tl_value *value, long double *number_ret, struct tl_error *error)
{
	float narrow;
	double wide;

	if (value->size == 2) {
		*number_ret = short_real_of(value);
	} else if (value->size == sizeof(narrow)) {
		memcpy(&narrow, value->bytes, sizeof(narrow));
		*number_ret = (long double)narrow;
	} else if (value->size == sizeof(wide)) {
		memcpy(&wide, value->bytes, sizeof(wide));
		*number_ret = (long double)wide;
	} else if (value->size == TL_QUAD_SIZE && tl_is_quad(value->type)) {
		*number_ret = tl_quad_real(value->bytes);
	} else if (value->size == sizeof(*number_ret)) {
		memcpy(number_ret, value->bytes, sizeof(*number_ret));
	} else if (value->size == LONG_DOUBLE_SIZE_32 && __LDBL_MANT_DIG__ == 64) {
		*number_ret = 0;
		memcpy(number_ret, value->bytes, 10);
	} else {
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Floating-point numbers of %llu bytes are not understood.",
			       (unsigned long long)value->size);
	}
	return TL_OK;
}

static enum tl_status not_a_number(const struct tl_value_context *context, const struct tl_type *type,
				   struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "A value of type \"%s\" is not a number.",
		       tl_value_type_name(context, type));
}

enum tl_status tl_value_integer(const struct tl_value_context *context, const struct tl_value *value,
				tl_i128 *number_ret, struct tl_error *error)
{
	struct tl_value own = *value;
	const struct tl_type *stripped;
	enum tl_arithmetic arithmetic;
	long double real;
	bool is_signed;

	TL_TRY(tl_value_decay(context, &own, error));
	TL_TRY(tl_type_strip(own.type, &stripped, error));
	arithmetic = tl_type_arithmetic(stripped, &is_signed);
	if (arithmetic == TL_ARITHMETIC_NONE && stripped->kind != TL_TYPE_MEMBER_POINTER)
		return not_a_number(context, own.type, error);
	TL_TRY(need_bytes(context, &own, error));
	if (arithmetic != TL_ARITHMETIC_REAL) {
		*number_ret = bits_of(&own, is_signed);
		return TL_OK;
	}
	TL_TRY(real_of(&own, &real, error));
	/* What does not fit has no value in C; the machine's answer for 64 bits is as good as any. */
	if (!(real > -1.6e38L && real < 1.6e38L))
		*number_ret = (tl_i128)1 << 63;
	else
		*number_ret = (tl_i128)real;
	return TL_OK;
}

enum tl_status tl_value_real(const struct tl_value_context *context, const struct tl_value *value,
			     long double *number_ret, struct tl_error *error)
{
	struct tl_value own = *value;
	const struct tl_type *stripped;
	enum tl_arithmetic arithmetic;
	bool is_signed;

	TL_TRY(tl_value_decay(context, &own, error));
	TL_TRY(tl_type_strip(own.type, &stripped, error));
	arithmetic = tl_type_arithmetic(stripped, &is_signed);
	if (arithmetic == TL_ARITHMETIC_NONE)
		return not_a_number(context, own.type, error);
	TL_TRY(need_bytes(context, &own, error));
	if (arithmetic == TL_ARITHMETIC_REAL)
		return real_of(&own, number_ret, error);
	*number_ret = is_signed ? (long double)bits_of(&own, true) : (long double)(tl_u128)bits_of(&own, false);
	return TL_OK;
}

enum tl_status tl_value_truth(const struct tl_value_context *context, const struct tl_value *value, bool *truth_ret,
			      struct tl_error *error)
{
	struct tl_value own = *value;
	const struct tl_type *stripped;
	bool is_signed;
	tl_i128 integer;
	long double real;

	TL_TRY(tl_value_decay(context, &own, error));
	TL_TRY(tl_type_strip(own.type, &stripped, error));
	if (tl_type_arithmetic(stripped, &is_signed) == TL_ARITHMETIC_REAL) {
		TL_TRY(tl_value_real(context, &own, &real, error));
		*truth_ret = real != 0;
		return TL_OK;
	}
	TL_TRY(tl_value_integer(context, &own, &integer, error));
	*truth_ret = integer != 0;
	return TL_OK;
}

/* ---- Parts ---- */

/* A pointer that the compiler did not keep, though it says where it leads. */
static bool is_synthetic(const struct tl_value *pointer)
{
	return pointer->bytes != NULL && pointer->absent != NULL && pointer->size != 0 &&
	       pointer->absent[0] == TL_ABSENT_POINTER;
}

enum tl_status tl_value_unreference(const struct tl_value_context *context, struct tl_value *value,
				    struct tl_error *error)
{
	const struct tl_type *stripped, *target;

	TL_TRY(tl_type_strip(value->type, &stripped, error));
	if (stripped->kind != TL_TYPE_REFERENCE && stripped->kind != TL_TYPE_RVALUE_REFERENCE)
		return TL_OK;
	TL_TRY(tl_type_target(stripped, &target, error));
	if (is_synthetic(value) && context->pointed != NULL)
		return context->pointed(context->context, value, target, value, error);
	TL_TRY(need_bytes(context, value, error));
	return tl_value_at(context, target, (tl_u64)bits_of(value, false), value, error);
}

/* A pointer's value, and what it points to. */
static enum tl_status pointer_of(const struct tl_value_context *context, const struct tl_value *pointer,
				 const char *operator, tl_u64 * address_ret, const struct tl_type **target_ret,
				 struct tl_error *error)
{
	struct tl_value own = *pointer;
	const struct tl_type *stripped;

	TL_TRY(tl_value_decay(context, &own, error));
	TL_TRY(tl_type_strip(own.type, &stripped, error));
	if (stripped->kind != TL_TYPE_POINTER)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "The operand of %s is no pointer: its type is \"%s\".", operator,
			       tl_value_type_name(context, own.type));
	TL_TRY(need_bytes(context, &own, error));
	*address_ret = (tl_u64)bits_of(&own, false);
	return tl_type_target(stripped, target_ret, error);
}

enum tl_status tl_value_follow(const struct tl_value_context *context, const struct tl_value *pointer,
			       struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *target, *stripped;
	const struct tl_bound *bound;
	tl_u64 address;

	if (is_synthetic(pointer) && context->pointed != NULL) {
		TL_TRY(tl_type_strip(pointer->type, &stripped, error));
		if (stripped->kind == TL_TYPE_POINTER) {
			TL_TRY(tl_type_target(stripped, &target, error));
			return context->pointed(context->context, pointer, target, value_ret, error);
		}
	}
	TL_TRY(tl_type_strip(pointer->type, &stripped, error));
	/* An array need not be in memory for its first element to be known. */
	if (stripped->kind == TL_TYPE_ARRAY && !stripped->vector && pointer->place != TL_VALUE_IN_MEMORY) {
		TL_TRY(tl_type_bound(stripped, &bound, error));
		return tl_value_element(context, pointer, bound->lower, value_ret, error);
	}
	TL_TRY(pointer_of(context, pointer, "*", &address, &target, error));
	TL_TRY(tl_type_strip(target, &stripped, error));
	if (stripped->kind == TL_TYPE_VOID)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "A pointer to void says nothing of what is there; cast it first: *(int *)p");
	return tl_value_at(context, target, address, value_ret, error);
}

enum tl_status tl_value_address(const struct tl_value_context *context, const struct tl_value *value,
				struct tl_value *pointer_ret, struct tl_error *error)
{
	struct tl_value own = *value;
	const struct tl_type *type;

	TL_TRY(tl_value_unreference(context, &own, error));
	if (own.bit_size != 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "A bit-field has no address.");
	if (own.place != TL_VALUE_IN_MEMORY)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       own.place == TL_VALUE_NOWHERE ? "This value stands nowhere: it has no address."
							     : "This value is not in memory: it has no address.");
	TL_TRY(tl_type_make_pointer(own.type, context->address_size, &type, error));
	return tl_value_make_integer(context, type, (tl_i128)own.address, pointer_ret, error);
}

/* A piece of a value: what is read of it stays read, what is in memory stays there. */
static struct tl_value part_of(const struct tl_value *whole, const struct tl_type *type, tl_u64 offset, tl_u64 size)
{
	struct tl_value part = *whole;

	part.type = type;
	part.size = size;
	part.bit_offset = part.bit_size = 0;
	part.address += offset;
	part.where_offset += offset;
	if (whole->bytes != NULL)
		part.bytes = whole->bytes + offset;
	if (whole->absent != NULL)
		part.absent = whole->absent + offset;
	return part;
}

enum tl_status tl_value_element(const struct tl_value_context *context, const struct tl_value *array, tl_i64 index,
				struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_value own = *array;
	const struct tl_type *stripped, *element;
	const struct tl_bound *bound;
	tl_u64 address, size, offset;

	TL_TRY(tl_value_unreference(context, &own, error));
	TL_TRY(tl_type_strip(own.type, &stripped, error));
	if (stripped->kind != TL_TYPE_ARRAY) {
		if (index == 0 && is_synthetic(&own))
			return tl_value_follow(context, &own, value_ret, error);
		TL_TRY(pointer_of(context, &own, "[]", &address, &element, error));
		TL_TRY(tl_type_strip(element, &stripped, error));
		size = 1;
		/* Functions have no size, and are 1 apart where one reckons with them all the same (as in GNU C). */
		if (stripped->kind != TL_TYPE_FUNCTION)
			TL_TRY(size_of(context, element, &size, error));
		return tl_value_at(context, element, address + (tl_u64)index * size, value_ret, error);
	}
	TL_TRY(tl_type_target(stripped, &element, error));
	TL_TRY(tl_type_bound(stripped, &bound, error));
	TL_TRY(size_of(context, element, &size, error));
	offset = (tl_u64)(index - bound->lower) * size;
	if (own.place == TL_VALUE_IN_MEMORY && (own.bytes == NULL || offset >= own.size || size > own.size - offset))
		return tl_value_at(context, element, own.address + offset, value_ret, error);
	if (index < bound->lower || offset > own.size || size > own.size - offset)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "There is no element %lld: the array has %llu.",
			       (long long)index, (unsigned long long)(size != 0 ? own.size / size : 0));
	*value_ret = part_of(&own, element, offset, size);
	return TL_OK;
}

static enum tl_status bit_field(const struct tl_value_context *context, const struct tl_value *object,
				const struct tl_type *type, const struct tl_member *member, struct tl_value *value_ret,
				struct tl_error *error)
{
	tl_u64 first = member->bit_offset / 8, end = (member->bit_offset + member->bit_size + 7) / 8;

	if (member->bit_size > 128 - 8)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "The bit-field %s has %u bits.",
			       member->name != NULL ? member->name : "?", member->bit_size);
	if (object->bytes != NULL && (end > object->size || first > end))
		return TL_FAIL(error, TL_ERROR_MALFORMED, "The bit-field %s lies outside its struct.",
			       member->name != NULL ? member->name : "?");
	*value_ret = part_of(object, type, first, end - first);
	value_ret->bit_offset = (tl_u8)(member->bit_offset % 8);
	value_ret->bit_size = (tl_u8)member->bit_size;
	(void)context;
	return TL_OK;
}

enum tl_status tl_value_field(const struct tl_value_context *context, const struct tl_value *object,
			      const struct tl_type *type, const struct tl_member *member, struct tl_value *value_ret,
			      struct tl_error *error)
{
	const struct tl_type *member_type;
	tl_u64 offset = member->bit_offset / 8, size, address;
	bool known;

	TL_TRY(tl_member_type(type, member, &member_type, error));
	if (member->kind == TL_MEMBER_STATIC) {
		if (context->static_member == NULL)
			return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Static members cannot be found here.");
		return context->static_member(context->context, member, value_ret, error);
	}
	if (member->moves) {
		if (context->moving_base == NULL || object->place != TL_VALUE_IN_MEMORY)
			return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
				       "Where a virtual base stands cannot be found here.");
		TL_TRY(context->moving_base(context->context, object, member, &address, error));
		return tl_value_at(context, member_type, address, value_ret, error);
	}
	if (member->bit_size != 0)
		return bit_field(context, object, member_type, member, value_ret, error);
	/* The last member may be an array without a size, of which no byte belongs to the struct. */
	TL_TRY(tl_type_size(member_type, &size, &known, error));
	size = known ? size : 0;
	if (object->bytes != NULL && (offset > object->size || size > object->size - offset))
		return TL_FAIL(error, TL_ERROR_MALFORMED, "The member %s lies outside its struct.",
			       member->name != NULL ? member->name : "?");
	*value_ret = part_of(object, member_type, offset, size);
	if (!known && object->place == TL_VALUE_IN_MEMORY)
		value_ret->bytes = value_ret->absent = NULL;
	return TL_OK;
}

static bool has_members(const struct tl_type *stripped)
{
	return stripped->kind == TL_TYPE_STRUCT || stripped->kind == TL_TYPE_CLASS || stripped->kind == TL_TYPE_UNION;
}

struct search {
	const char *name;
	unsigned found; /* members of that name */
	unsigned types; /* that were looked into */
};

/* Looks for a name among the members of a stripped type, what is anonymous there, and its bases. */
static enum tl_status find_member(const struct tl_value_context *context, const struct tl_value *object,
				  const struct tl_type *type, struct search *search, unsigned depth,
				  struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_member *members;
	tl_size member_count;

	if (depth > MEMBER_DEPTH_MAX || ++search->types > MEMBER_TYPES_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "The members of this type nest without end.");
	TL_TRY(tl_type_members(type, &members, &member_count, error));
	for (tl_size i = 0; i < member_count; i++)
		if ((members[i].kind == TL_MEMBER_FIELD || members[i].kind == TL_MEMBER_STATIC) &&
		    members[i].name != NULL && strcmp(members[i].name, search->name) == 0) {
			struct tl_value found;

			TL_TRY(tl_value_field(context, object, type, &members[i], &found, error));
			/* A virtual base is one, on however many ways it is reached. */
			if (search->found != 0 && found.place == TL_VALUE_IN_MEMORY &&
			    value_ret->place == TL_VALUE_IN_MEMORY && found.address == value_ret->address &&
			    found.type == value_ret->type)
				return TL_OK;
			search->found++;
			*value_ret = found;
			return TL_OK;
		}
	/* Only what the type itself does not name is looked for further down. */
	for (tl_size i = 0; i < member_count; i++) {
		const struct tl_type *inner, *stripped;
		struct tl_value part;

		if (members[i].kind != TL_MEMBER_BASE &&
		    (members[i].kind != TL_MEMBER_FIELD || members[i].name != NULL))
			continue;
		TL_TRY(tl_member_type(type, &members[i], &inner, error));
		TL_TRY(tl_type_strip(inner, &stripped, error));
		if (!has_members(stripped))
			continue;
		TL_TRY(tl_value_field(context, object, type, &members[i], &part, error));
		TL_TRY(find_member(context, &part, stripped, search, depth + 1, value_ret, error));
	}
	return TL_OK;
}

enum tl_status tl_value_member(const struct tl_value_context *context, const struct tl_value *object, const char *name,
			       struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_value own = *object;
	const struct tl_type *stripped;
	struct search search = {.name = name};

	TL_TRY(tl_value_unreference(context, &own, error));
	TL_TRY(tl_type_strip(own.type, &stripped, error));
	if (stripped->kind == TL_TYPE_POINTER) {
		TL_TRY(tl_value_follow(context, &own, &own, error));
		TL_TRY(tl_type_strip(own.type, &stripped, error));
	}
	if (stripped->kind != TL_TYPE_STRUCT && stripped->kind != TL_TYPE_CLASS && stripped->kind != TL_TYPE_UNION)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "There is no member %s: a value of type \"%s\" has no members.", name,
			       tl_value_type_name(context, own.type));
	if (stripped->declaration)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "The type \"%s\" is only declared: its members are not known.",
			       tl_value_type_name(context, stripped));
	TL_TRY(find_member(context, &own, stripped, &search, 0, value_ret, error));
	if (search.found == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "There is no member named %s.", name);
	if (search.found > 1)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "%u bases have a member named %s; say which one by a cast to that base.", search.found,
			       name);
	return TL_OK;
}

enum tl_status tl_value_repeat(const struct tl_value_context *context, const struct tl_value *first, tl_i64 count,
			       struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_value own = *first;
	const struct tl_type *type;

	TL_TRY(tl_value_unreference(context, &own, error));
	if (own.place != TL_VALUE_IN_MEMORY || own.bit_size != 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Only values in memory can be extended with '@'.");
	if (count <= 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid number %lld of repetitions.", (long long)count);
	TL_TRY(tl_type_make_array(own.type, (tl_u64)count, &type, error));
	return tl_value_at(context, type, own.address, value_ret, error);
}
