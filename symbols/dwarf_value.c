#include "symbols/dwarf_value.h"

#include "symbols/dwarf_operations.h"

#include <float.h>

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 unsigned_wide;

/* What an encoding means for arithmetic. */
enum kind { KIND_GENERIC, KIND_SIGNED, KIND_UNSIGNED, KIND_FLOAT, KIND_OTHER };

/* DW_ATE_* (DWARF 5, section 7.8). */
enum {
	ENCODING_ADDRESS = 0x01,
	ENCODING_BOOLEAN = 0x02,
	ENCODING_FLOAT = 0x04,
	ENCODING_SIGNED = 0x05,
	ENCODING_SIGNED_CHAR = 0x06,
	ENCODING_UNSIGNED = 0x07,
	ENCODING_UNSIGNED_CHAR = 0x08,
	ENCODING_UTF = 0x10
};

static enum kind kind_of(struct tl_dwarf_type type)
{
	switch (type.encoding) {
	case 0:
		return KIND_GENERIC;
	case ENCODING_SIGNED:
	case ENCODING_SIGNED_CHAR:
		return KIND_SIGNED;
	case ENCODING_ADDRESS:
	case ENCODING_BOOLEAN:
	case ENCODING_UNSIGNED:
	case ENCODING_UNSIGNED_CHAR:
	case ENCODING_UTF:
		return KIND_UNSIGNED;
	case ENCODING_FLOAT:
		return KIND_FLOAT;
	default:
		return KIND_OTHER;
	}
}

static unsigned_wide load(const struct tl_dwarf_value *value)
{
	tl_u8 size = value->type.size;
	unsigned_wide number = tl_load_little(value->bytes, size < 8 ? size : 8);

	if (size > 8)
		number |= (unsigned_wide)tl_load_little(value->bytes + 8, size - 8u) << 64;
	return number;
}

static void store(struct tl_dwarf_value *value, unsigned_wide number)
{
	tl_u8 size = value->type.size;

	tl_fill(value->bytes, 0, sizeof(value->bytes));
	tl_store_little(value->bytes, (tl_u64)number, size < 8 ? size : 8);
	if (size > 8)
		tl_store_little(value->bytes + 8, (tl_u64)(number >> 64), size - 8u);
}

static wide load_signed(const struct tl_dwarf_value *value)
{
	unsigned unused = 128 - 8 * (unsigned)value->type.size;

	return (wide)(load(value) << unused) >> unused;
}

struct tl_dwarf_type tl_dwarf_generic(tl_u8 size)
{
	return (struct tl_dwarf_type){.offset = 0, .encoding = 0, .size = size};
}

struct tl_dwarf_value tl_dwarf_value_make(struct tl_dwarf_type type, tl_u64 number)
{
	struct tl_dwarf_value value = {.type = type};

	store(&value, number);
	return value;
}

tl_u64 tl_dwarf_value_number(const struct tl_dwarf_value *value)
{
	return kind_of(value->type) == KIND_SIGNED ? (tl_u64)load_signed(value) : (tl_u64)load(value);
}

bool tl_dwarf_value_true(const struct tl_dwarf_value *value)
{
	return load(value) != 0;
}

/*
 * The largest floating type of this machine holds all others. On x86 the program's `long double` is the same, in 12
 * bytes of 32-bit programs and in 16 of others; elsewhere it is the same, or not known.
 */
#if LDBL_MANT_DIG == 64
enum { EXTENDED_NARROW = 12, EXTENDED_WIDE = 16, EXTENDED_BYTES = 10 };
#endif

static bool load_float(const struct tl_dwarf_value *value, long double *number_ret)
{
	float single;
	double twice;

	switch (value->type.size) {
	case sizeof(float):
		tl_copy(&single, value->bytes, sizeof(single));
		*number_ret = single;
		return true;
	case sizeof(double):
		tl_copy(&twice, value->bytes, sizeof(twice));
		*number_ret = twice;
		return true;
#if LDBL_MANT_DIG == 64
	case EXTENDED_NARROW:
	case EXTENDED_WIDE:
		*number_ret = 0;
		tl_copy(number_ret, value->bytes, EXTENDED_BYTES);
		return true;
#endif
	default:
		return false;
	}
}

static bool store_float(struct tl_dwarf_value *value, long double number)
{
	float single = (float)number;
	double twice = (double)number;

	tl_fill(value->bytes, 0, sizeof(value->bytes));
	switch (value->type.size) {
	case sizeof(float):
		tl_copy(value->bytes, &single, sizeof(single));
		return true;
	case sizeof(double):
		tl_copy(value->bytes, &twice, sizeof(twice));
		return true;
#if LDBL_MANT_DIG == 64
	case EXTENDED_NARROW:
	case EXTENDED_WIDE:
		tl_copy(value->bytes, &number, EXTENDED_BYTES); /* the rest is padding */
		return true;
#endif
	default:
		return false;
	}
}

static enum tl_status no_arithmetic(struct tl_dwarf_type type, struct tl_error *error)
{
	return TL_FAIL(
		error, TL_ERROR_UNSUPPORTED,
		"a DWARF expression calculates with a type of encoding %u and %u bytes, which is not possible here",
		type.encoding, type.size);
}

static enum tl_status unary_float(tl_u8 operation, struct tl_dwarf_value *value, struct tl_error *error)
{
	long double number;

	if (!load_float(value, &number) || operation == DW_OP_not)
		return no_arithmetic(value->type, error);
	if (operation == DW_OP_neg || number < 0)
		number = -number;
	(void)store_float(value, number);
	return TL_OK;
}

enum tl_status tl_dwarf_unary(tl_u8 operation, struct tl_dwarf_value *value, struct tl_error *error)
{
	enum kind kind = kind_of(value->type);

	if (kind == KIND_OTHER)
		return no_arithmetic(value->type, error);
	if (kind == KIND_FLOAT)
		return unary_float(operation, value, error);
	switch (operation) {
	case DW_OP_abs:
		if (kind != KIND_UNSIGNED && load_signed(value) < 0)
			store(value, 0 - load(value));
		return TL_OK;
	case DW_OP_neg:
		store(value, 0 - load(value));
		return TL_OK;
	case DW_OP_not:
		store(value, ~load(value));
		return TL_OK;
	default:
		return TL_FAIL(error, TL_ERROR_INTERNAL, "operation 0x%x has not one operand", operation);
	}
}

static enum tl_status binary_float(tl_u8 operation, struct tl_dwarf_value *left, const struct tl_dwarf_value *right,
				   struct tl_error *error)
{
	long double a, b;

	if (!load_float(left, &a) || !load_float(right, &b))
		return no_arithmetic(left->type, error);
	switch (operation) {
	case DW_OP_plus:
		a += b;
		break;
	case DW_OP_minus:
		a -= b;
		break;
	case DW_OP_mul:
		a *= b;
		break;
	case DW_OP_div:
		a /= b; /* by 0 it is infinite, or no number */
		break;
	default:
		return no_arithmetic(left->type, error);
	}
	(void)store_float(left, a);
	return TL_OK;
}

/* -1, 0 or 1, and 2 when one of them is no number. */
static int compare(const struct tl_dwarf_value *left, const struct tl_dwarf_value *right, enum kind kind)
{
	if (kind == KIND_FLOAT) {
		long double a, b;

		if (!load_float(left, &a) || !load_float(right, &b) || __builtin_isunordered(a, b))
			return 2;
		return a < b ? -1 : a > b;
	}
	if (kind == KIND_UNSIGNED)
		return load(left) < load(right) ? -1 : load(left) > load(right);
	return load_signed(left) < load_signed(right) ? -1 : load_signed(left) > load_signed(right);
}

static bool holds(tl_u8 operation, int order)
{
	switch (operation) {
	case DW_OP_eq:
		return order == 0;
	case DW_OP_ne:
		return order != 0;
	case DW_OP_lt:
		return order == -1;
	case DW_OP_le:
		return order == -1 || order == 0;
	case DW_OP_gt:
		return order == 1;
	default:
		return order == 1 || order == 0;
	}
}

static enum tl_status divide(tl_u8 operation, struct tl_dwarf_value *left, const struct tl_dwarf_value *right,
			     enum kind kind, struct tl_error *error)
{
	/* Of the generic type the quotient is signed, the remainder is not. */
	bool is_signed = kind == KIND_SIGNED || (kind == KIND_GENERIC && operation == DW_OP_div);

	if (load(right) == 0)
		return TL_FAIL(error, TL_ERROR_DIVIDE, "a DWARF expression divides by zero");
	if (!is_signed)
		store(left, operation == DW_OP_div ? load(left) / load(right) : load(left) % load(right));
	else if (load_signed(right) == -1) /* the lowest number has no counterpart, and C does not divide it */
		store(left, operation == DW_OP_div ? 0 - load(left) : 0);
	else
		store(left, (unsigned_wide)(operation == DW_OP_div ? load_signed(left) / load_signed(right)
								   : load_signed(left) % load_signed(right)));
	return TL_OK;
}

static void shift(tl_u8 operation, struct tl_dwarf_value *left, const struct tl_dwarf_value *right, enum kind kind)
{
	unsigned_wide count = load(right);
	unsigned bits = 8u * left->type.size;
	bool sign = operation == DW_OP_shra && load_signed(left) < 0;

	/* A signed type shifts its sign in, whichever of the two is used; the generic one only with shra. */
	if (operation == DW_OP_shr && kind == KIND_SIGNED)
		sign = load_signed(left) < 0;
	if (count >= bits)
		store(left, sign ? ~(unsigned_wide)0 : 0);
	else if (operation == DW_OP_shl)
		store(left, load(left) << count);
	else if (sign)
		store(left, (unsigned_wide)(load_signed(left) >> count));
	else
		store(left, load(left) >> count);
}

static enum tl_status binary_integer(tl_u8 operation, struct tl_dwarf_value *left, const struct tl_dwarf_value *right,
				     enum kind kind, struct tl_error *error)
{
	switch (operation) {
	case DW_OP_and:
		store(left, load(left) & load(right));
		return TL_OK;
	case DW_OP_or:
		store(left, load(left) | load(right));
		return TL_OK;
	case DW_OP_xor:
		store(left, load(left) ^ load(right));
		return TL_OK;
	case DW_OP_plus:
		store(left, load(left) + load(right));
		return TL_OK;
	case DW_OP_minus:
		store(left, load(left) - load(right));
		return TL_OK;
	case DW_OP_mul:
		store(left, load(left) * load(right));
		return TL_OK;
	case DW_OP_div:
	case DW_OP_mod:
		return divide(operation, left, right, kind, error);
	default:
		return TL_FAIL(error, TL_ERROR_INTERNAL, "operation 0x%x has not two operands", operation);
	}
}

static bool is_shift(tl_u8 operation)
{
	return operation == DW_OP_shl || operation == DW_OP_shr || operation == DW_OP_shra;
}

static bool is_comparison(tl_u8 operation)
{
	return operation >= DW_OP_eq && operation <= DW_OP_ne;
}

enum tl_status tl_dwarf_binary(tl_u8 operation, struct tl_dwarf_value *left, const struct tl_dwarf_value *right,
			       tl_u8 address_size, struct tl_error *error)
{
	enum kind kind = kind_of(left->type), other = kind_of(right->type);

	if (kind == KIND_OTHER || other == KIND_OTHER)
		return no_arithmetic(kind == KIND_OTHER ? left->type : right->type, error);
	if (is_shift(operation)) {
		if (kind == KIND_FLOAT || other == KIND_FLOAT)
			return no_arithmetic(left->type, error);
		shift(operation, left, right, kind);
		return TL_OK;
	}
	/* Writers mix the generic type with integers of its size; what else differs is a mistake. */
	if (left->type.size != right->type.size || (kind == KIND_FLOAT) != (other == KIND_FLOAT))
		return TL_FAIL(error, TL_ERROR_MALFORMED, "a DWARF expression mixes two types that do not go together");
	if (kind == KIND_GENERIC && other != KIND_GENERIC) {
		kind = other;
		left->type = right->type;
	}
	if (is_comparison(operation)) {
		bool result = holds(operation, compare(left, right, kind));

		*left = tl_dwarf_value_make(tl_dwarf_generic(address_size), result);
		return TL_OK;
	}
	return kind == KIND_FLOAT ? binary_float(operation, left, right, error)
				  : binary_integer(operation, left, right, kind, error);
}

/* What does not fit an integer is 0 rather than undefined. */
static unsigned_wide to_integer(long double number)
{
	const long double limit = 170141183460469231731687303715884105728.0L; /* 2 to the 127th */

	return number > -limit && number < limit ? (unsigned_wide)(wide)number : 0;
}

enum tl_status tl_dwarf_convert(struct tl_dwarf_value *value, struct tl_dwarf_type type, struct tl_error *error)
{
	enum kind from = kind_of(value->type), to = kind_of(type);
	struct tl_dwarf_value result = {.type = type};
	long double number = 0;

	if (from == KIND_OTHER || to == KIND_OTHER)
		return no_arithmetic(from == KIND_OTHER ? value->type : type, error);
	if (from == KIND_FLOAT && !load_float(value, &number))
		return no_arithmetic(value->type, error);
	if (from == KIND_SIGNED)
		number = (long double)load_signed(value);
	else if (from != KIND_FLOAT)
		number = (long double)load(value);
	if (to == KIND_FLOAT) {
		if (!store_float(&result, number))
			return no_arithmetic(type, error);
	} else if (from == KIND_FLOAT) {
		store(&result, to_integer(number));
	} else {
		store(&result, from == KIND_SIGNED ? (unsigned_wide)load_signed(value) : load(value));
	}
	*value = result;
	return TL_OK;
}

enum tl_status tl_dwarf_reinterpret(struct tl_dwarf_value *value, struct tl_dwarf_type type, struct tl_error *error)
{
	if (value->type.size != type.size)
		return TL_FAIL(error, TL_ERROR_MALFORMED,
			       "a DWARF expression takes %u bytes for a value of a type of %u", value->type.size,
			       type.size);
	value->type = type;
	return TL_OK;
}
