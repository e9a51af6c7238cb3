#include "targets/emulator/float.h"

__extension__ typedef unsigned __int128 wide;

const struct tl_float_format tl_float32 = {23, 8, 0x7fc00000};
const struct tl_float_format tl_float64 = {52, 11, 0x7ff8000000000000};

enum kind { ZERO, FINITE, INFINITE, NOT_A_NUMBER };

/* A number taken apart: (-1)^negative × fraction × 2^(exponent - 63), with bit 63 of the fraction set. */
struct parts {
	enum kind kind;
	bool negative;
	bool signalling;
	tl_i32 exponent;
	tl_u64 fraction;
};

static tl_i32 bias(const struct tl_float_format *format)
{
	return (1 << (format->exponent_bits - 1)) - 1;
}

static tl_u64 fraction_mask(const struct tl_float_format *format)
{
	return ((tl_u64)1 << format->fraction_bits) - 1;
}

static tl_u64 exponent_mask(const struct tl_float_format *format)
{
	return ((tl_u64)1 << format->exponent_bits) - 1;
}

static tl_u64 sign_bit(const struct tl_float_format *format, bool negative)
{
	return (tl_u64)negative << (format->fraction_bits + format->exponent_bits);
}

static tl_u64 infinity(const struct tl_float_format *format, bool negative)
{
	return sign_bit(format, negative) | exponent_mask(format) << format->fraction_bits;
}

static struct parts take_apart(const struct tl_float_format *format, tl_u64 bits)
{
	tl_u64 fraction = bits & fraction_mask(format),
	       exponent = bits >> format->fraction_bits & exponent_mask(format);
	struct parts parts = {.negative = (bits & sign_bit(format, true)) != 0};
	int shift;

	if (exponent == exponent_mask(format)) {
		parts.kind = fraction == 0 ? INFINITE : NOT_A_NUMBER;
		parts.signalling = fraction != 0 && (fraction >> (format->fraction_bits - 1) & 1) == 0;
		return parts;
	}
	if (exponent == 0 && fraction == 0)
		return parts;
	parts.kind = FINITE;
	if (exponent != 0)
		fraction |= (tl_u64)1 << format->fraction_bits;
	shift = __builtin_clzll(fraction);
	parts.fraction = fraction << shift;
	parts.exponent = (tl_i32)(exponent == 0 ? 1 : exponent) - bias(format) + 63 - format->fraction_bits - shift;
	return parts;
}

/* Whether what is cut off, `rest` of `unit`, takes the magnitude up; odd: whether the last bit kept is set. */
static bool rounds_up(tl_u8 rounding, bool negative, bool odd, wide rest, wide unit)
{
	switch (rounding) {
	case TL_RISCV_ROUND_NEAREST_EVEN:
		return rest > unit / 2 || (rest == unit / 2 && odd);
	case TL_RISCV_ROUND_NEAREST_AWAY:
		return rest >= unit / 2;
	case TL_RISCV_ROUND_DOWN:
		return negative && rest != 0;
	case TL_RISCV_ROUND_UP:
		return !negative && rest != 0;
	default: /* towards zero */
		return false;
	}
}

static tl_u64 overflow(const struct tl_float_format *format, struct tl_float_context *context, bool negative)
{
	context->flags |= TL_FLOAT_OVERFLOW | TL_FLOAT_INEXACT;
	/* The largest number is one below infinity, as bits too. */
	if (context->rounding == TL_RISCV_ROUND_ZERO ||
	    context->rounding == (negative ? TL_RISCV_ROUND_UP : TL_RISCV_ROUND_DOWN))
		return infinity(format, negative) - 1;
	return infinity(format, negative);
}

/* Right by any distance; what falls off stays as a one in the lowest bit. */
static wide shift_right(wide value, tl_u32 distance)
{
	if (distance == 0)
		return value;
	if (distance > 127)
		return value != 0;
	return value >> distance | ((value & (((wide)1 << distance) - 1)) != 0);
}

/*
 * The number fraction × 2^(exponent - 127) in a format. Bit 127 of the fraction is set; its lowest bit may stand for
 * all that was left of a longer one.
 */
static tl_u64 put_together(const struct tl_float_format *format, struct tl_float_context *context, bool negative,
			   tl_i32 exponent, wide fraction)
{
	tl_i32 cut = 127 - format->fraction_bits, least = 1 - bias(format);
	bool tiny = exponent < least;
	wide unit, rest, kept;
	tl_u64 bits;

	if (tiny) {
		/* Tiny is what would be so if exponents had no end: one that rounds up to the least normal is not. */
		unit = (wide)1 << cut;
		kept = fraction >> cut;
		if (exponent == least - 1 && kept + 1 == (wide)1 << (format->fraction_bits + 1) &&
		    rounds_up(context->rounding, negative, (kept & 1) != 0, fraction & (unit - 1), unit))
			tiny = false;
		cut += least - exponent;
		if (cut > 127) {
			fraction = shift_right(fraction, (tl_u32)(cut - 127));
			cut = 127;
		}
		exponent = least;
	}
	unit = (wide)1 << cut;
	rest = fraction & (unit - 1);
	kept = fraction >> cut;
	if (rounds_up(context->rounding, negative, (kept & 1) != 0, rest, unit))
		kept++;
	if (rest != 0)
		context->flags |= TL_FLOAT_INEXACT | (tiny ? TL_FLOAT_UNDERFLOW : 0);
	/* The bit above the stored ones adds 1 to the exponent: 0, that of subnormals, becomes 1, and so on upwards. */
	bits = ((tl_u64)(exponent - least) << format->fraction_bits) + (tl_u64)kept;
	if (bits >= infinity(format, false))
		return overflow(format, context, negative);
	return sign_bit(format, negative) | bits;
}

/* Of any fraction but 0. */
static tl_u64 normalize(const struct tl_float_format *format, struct tl_float_context *context, bool negative,
			tl_i32 exponent, wide fraction)
{
	tl_u64 high = (tl_u64)(fraction >> 64);
	int shift = high != 0 ? __builtin_clzll(high) : 64 + __builtin_clzll((tl_u64)fraction);

	return put_together(format, context, negative, exponent - shift, fraction << shift);
}

static tl_u64 invalid(const struct tl_float_format *format, struct tl_float_context *context)
{
	context->flags |= TL_FLOAT_INVALID;
	return format->not_a_number;
}

/* The result when one of them is no number. */
static tl_u64 no_number(const struct tl_float_format *format, struct tl_float_context *context, bool signalling)
{
	return signalling ? invalid(format, context) : format->not_a_number;
}

/* A sum of nothing: only rounding downwards makes it -0, unless both were. */
static tl_u64 nothing(const struct tl_float_format *format, const struct tl_float_context *context)
{
	return sign_bit(format, context->rounding == TL_RISCV_ROUND_DOWN);
}

/* The sum of two numbers that are not 0; bit 127 or 126 of a fraction is set, and bit 0 of neither is a rest. */
static tl_u64 sum(const struct tl_float_format *format, struct tl_float_context *context, bool a_negative,
		  tl_i32 a_exponent, wide a, bool b_negative, tl_i32 b_exponent, wide b)
{
	/* One bit of room above for the carry; the two lowest bits of a product's fraction are the price. */
	a = shift_right(a, 1);
	b = shift_right(b, 1);
	if (a_exponent < b_exponent)
		a = shift_right(a, (tl_u32)(b_exponent - a_exponent)), a_exponent = b_exponent;
	else
		b = shift_right(b, (tl_u32)(a_exponent - b_exponent));
	if (a_negative == b_negative)
		return normalize(format, context, a_negative, a_exponent + 1, a + b);
	if (a == b)
		return nothing(format, context);
	if (a > b)
		return normalize(format, context, a_negative, a_exponent + 1, a - b);
	return normalize(format, context, b_negative, a_exponent + 1, b - a);
}

static tl_u64 add_parts(const struct tl_float_format *format, struct tl_float_context *context, const struct parts *a,
			const struct parts *b)
{
	if (a->kind == NOT_A_NUMBER || b->kind == NOT_A_NUMBER)
		return no_number(format, context, a->signalling || b->signalling);
	if (a->kind == INFINITE && b->kind == INFINITE && a->negative != b->negative)
		return invalid(format, context);
	if (a->kind == INFINITE || b->kind == INFINITE)
		return infinity(format, a->kind == INFINITE ? a->negative : b->negative);
	if (a->kind == ZERO && b->kind == ZERO)
		return a->negative == b->negative ? sign_bit(format, a->negative) : nothing(format, context);
	if (a->kind == ZERO)
		return put_together(format, context, b->negative, b->exponent, (wide)b->fraction << 64);
	if (b->kind == ZERO)
		return put_together(format, context, a->negative, a->exponent, (wide)a->fraction << 64);
	return sum(format, context, a->negative, a->exponent, (wide)a->fraction << 64, b->negative, b->exponent,
		   (wide)b->fraction << 64);
}

tl_u64 tl_float_add(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b)
{
	struct parts left = take_apart(format, a), right = take_apart(format, b);

	return add_parts(format, context, &left, &right);
}

tl_u64 tl_float_subtract(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b)
{
	struct parts left = take_apart(format, a), right = take_apart(format, b);

	right.negative = !right.negative;
	return add_parts(format, context, &left, &right);
}

tl_u64 tl_float_multiply(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b)
{
	struct parts left = take_apart(format, a), right = take_apart(format, b);
	bool negative = left.negative != right.negative;

	if (left.kind == NOT_A_NUMBER || right.kind == NOT_A_NUMBER)
		return no_number(format, context, left.signalling || right.signalling);
	if (left.kind == INFINITE || right.kind == INFINITE) {
		if (left.kind == ZERO || right.kind == ZERO)
			return invalid(format, context);
		return infinity(format, negative);
	}
	if (left.kind == ZERO || right.kind == ZERO)
		return sign_bit(format, negative);
	return normalize(format, context, negative, left.exponent + right.exponent + 1,
			 (wide)left.fraction * right.fraction);
}

tl_u64 tl_float_divide(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b)
{
	struct parts left = take_apart(format, a), right = take_apart(format, b);
	bool negative = left.negative != right.negative;
	wide dividend, quotient;

	if (left.kind == NOT_A_NUMBER || right.kind == NOT_A_NUMBER)
		return no_number(format, context, left.signalling || right.signalling);
	if (left.kind == right.kind && left.kind != FINITE)
		return invalid(format, context);
	if (left.kind == INFINITE || right.kind == ZERO) {
		if (left.kind == FINITE)
			context->flags |= TL_FLOAT_DIVIDE_BY_ZERO;
		return infinity(format, negative);
	}
	if (left.kind == ZERO || right.kind == INFINITE)
		return sign_bit(format, negative);
	/* 64 or 63 bits of quotient, and one more that says whether anything is left. */
	dividend = (wide)left.fraction << 63;
	quotient = dividend / right.fraction;
	quotient = quotient << 1 | (dividend % right.fraction != 0);
	return normalize(format, context, negative, left.exponent - right.exponent + 63, quotient);
}

tl_u64 tl_float_root(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a)
{
	struct parts parts = take_apart(format, a);
	wide square, root = 0;

	if (parts.kind == NOT_A_NUMBER)
		return no_number(format, context, parts.signalling);
	if (parts.kind == ZERO)
		return a;
	if (parts.negative)
		return invalid(format, context);
	if (parts.kind == INFINITE)
		return a;
	/* fraction × 2^(exponent - 63) = square × 2^(2n): square of up to 128 bits, root of 64. */
	square = (wide)parts.fraction << 63;
	if ((parts.exponent & 1) != 0)
		square <<= 1;
	for (int bit = 63; bit >= 0; bit--) {
		wide tried = root | (wide)1 << bit;

		if (tried * tried <= square)
			root = tried;
	}
	root = root << 1 | (root * root != square);
	return normalize(format, context, false, (parts.exponent - (parts.exponent & 1)) / 2 + 63, root);
}

tl_u64 tl_float_multiply_add(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b,
			     tl_u64 c)
{
	struct parts left = take_apart(format, a), right = take_apart(format, b), added = take_apart(format, c);
	bool negative = left.negative != right.negative;
	bool impossible =
		(left.kind == INFINITE && right.kind == ZERO) || (left.kind == ZERO && right.kind == INFINITE);
	wide product;
	tl_i32 exponent;

	if (impossible) /* also where the third is a quiet one that is no number */
		return invalid(format, context);
	if (left.kind == NOT_A_NUMBER || right.kind == NOT_A_NUMBER || added.kind == NOT_A_NUMBER)
		return no_number(format, context, left.signalling || right.signalling || added.signalling);
	if (left.kind != FINITE || right.kind != FINITE) {
		struct parts none = {.kind = left.kind == INFINITE || right.kind == INFINITE ? INFINITE : ZERO,
				     .negative = negative};

		return add_parts(format, context, &none, &added);
	}
	if (added.kind == INFINITE)
		return infinity(format, added.negative);
	product = (wide)left.fraction * right.fraction;
	exponent = left.exponent + right.exponent + 1;
	if (added.kind == ZERO)
		return normalize(format, context, negative, exponent, product);
	return sum(format, context, negative, exponent, product, added.negative, added.exponent,
		   (wide)added.fraction << 64);
}

/* -1, 0 or 1; both are numbers. */
static int order(const struct tl_float_format *format, tl_u64 a, tl_u64 b)
{
	tl_u64 sign = sign_bit(format, true);

	if (((a | b) & ~sign) == 0 || a == b)
		return 0;
	if ((a & sign) != (b & sign))
		return (a & sign) != 0 ? -1 : 1;
	return ((a < b) == ((a & sign) == 0)) ? -1 : 1;
}

static bool is_number(const struct tl_float_format *format, tl_u64 a)
{
	return (a & ~sign_bit(format, true)) <= infinity(format, false);
}

static tl_u64 choose(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b,
		     bool least)
{
	struct parts left = take_apart(format, a), right = take_apart(format, b);
	int order_of;

	if (left.signalling || right.signalling)
		context->flags |= TL_FLOAT_INVALID;
	if (left.kind == NOT_A_NUMBER || right.kind == NOT_A_NUMBER) {
		if (left.kind == right.kind)
			return format->not_a_number;
		return left.kind == NOT_A_NUMBER ? b : a;
	}
	order_of = order(format, a, b);
	if (order_of == 0) /* the same, or zeros of both signs */
		return left.negative == least ? a : b;
	return (order_of < 0) == least ? a : b;
}

tl_u64 tl_float_minimum(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b)
{
	return choose(format, context, a, b, true);
}

tl_u64 tl_float_maximum(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b)
{
	return choose(format, context, a, b, false);
}

bool tl_float_equal(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b)
{
	if (is_number(format, a) && is_number(format, b))
		return order(format, a, b) == 0;
	if (take_apart(format, a).signalling || take_apart(format, b).signalling)
		context->flags |= TL_FLOAT_INVALID;
	return false;
}

static bool ordered(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b)
{
	if (is_number(format, a) && is_number(format, b))
		return true;
	context->flags |= TL_FLOAT_INVALID;
	return false;
}

bool tl_float_less(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b)
{
	return ordered(format, context, a, b) && order(format, a, b) < 0;
}

bool tl_float_less_or_equal(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b)
{
	return ordered(format, context, a, b) && order(format, a, b) <= 0;
}

tl_u32 tl_float_class(const struct tl_float_format *format, tl_u64 a)
{
	struct parts parts = take_apart(format, a);
	bool normal = (a >> format->fraction_bits & exponent_mask(format)) != 0;

	switch (parts.kind) {
	case NOT_A_NUMBER:
		return parts.signalling ? 1u << 8 : 1u << 9;
	case INFINITE:
		return parts.negative ? 1u << 0 : 1u << 7;
	case ZERO:
		return parts.negative ? 1u << 3 : 1u << 4;
	case FINITE:
		break;
	}
	if (normal)
		return parts.negative ? 1u << 1 : 1u << 6;
	return parts.negative ? 1u << 2 : 1u << 5;
}

tl_u64 tl_float_convert(const struct tl_float_format *from, const struct tl_float_format *to,
			struct tl_float_context *context, tl_u64 a)
{
	struct parts parts = take_apart(from, a);

	switch (parts.kind) {
	case NOT_A_NUMBER:
		return no_number(to, context, parts.signalling);
	case INFINITE:
		return infinity(to, parts.negative);
	case ZERO:
		return sign_bit(to, parts.negative);
	case FINITE:
		break;
	}
	return put_together(to, context, parts.negative, parts.exponent, (wide)parts.fraction << 64);
}

/* The least or the largest whole number there is, as registers hold it. */
static tl_u64 limit(bool least, bool is_signed, tl_u32 bits)
{
	if (!is_signed)
		return least ? 0 : TL_U64_MAX; /* of 32 bits, too, when sign-extended */
	if (bits == 32)
		return least ? 0xffffffff80000000 : 0x7fffffff;
	return least ? 0x8000000000000000 : 0x7fffffffffffffff;
}

tl_u64 tl_float_to_integer(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a,
			   bool is_signed, tl_u32 bits)
{
	struct parts parts = take_apart(format, a);
	wide value, unit = (wide)1 << 64, most;
	tl_u64 whole;

	if (parts.kind == ZERO)
		return 0;
	if (parts.kind != FINITE || parts.exponent > 64) {
		context->flags |= TL_FLOAT_INVALID;
		return limit(parts.negative && parts.kind != NOT_A_NUMBER, is_signed, bits);
	}
	/* A number of 64 bits, and behind the point 64 more. */
	value = parts.exponent <= 63 ? shift_right((wide)parts.fraction << 64, (tl_u32)(63 - parts.exponent))
				     : ~(wide)0; /* too large in any case */
	whole = (tl_u64)(value >> 64);
	most = is_signed ? ((wide)1 << (bits - 1)) - !parts.negative : parts.negative ? 0 : ((wide)1 << bits) - 1;
	value = (wide)whole + rounds_up(context->rounding, parts.negative, (whole & 1) != 0, value & (unit - 1), unit);
	if (parts.exponent > 63 || value > most) {
		context->flags |= TL_FLOAT_INVALID;
		return limit(parts.negative, is_signed, bits);
	}
	if (parts.exponent < 63 && parts.fraction << (parts.exponent < 0 ? 0 : parts.exponent + 1) != 0)
		context->flags |= TL_FLOAT_INEXACT;
	whole = parts.negative ? -(tl_u64)value : (tl_u64)value;
	return bits == 32 ? (tl_u64)(tl_i64)(tl_i32)whole : whole;
}

tl_u64 tl_float_from_integer(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 value,
			     bool is_signed)
{
	bool negative = is_signed && (tl_i64)value < 0;

	if (value == 0)
		return 0;
	return normalize(format, context, negative, 63, (wide)(negative ? -value : value) << 64);
}
