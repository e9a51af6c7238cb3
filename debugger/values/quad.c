#include "debugger/values/quad.h"

#include "symbols/dwarf_constants.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	FRACTION_BITS = 112,
	BIAS = 16383,
	EXPONENT_MAX = 0x7fff,
	DIGITS = 36,
	/* The fraction times the greatest power of 2 or 5 that there is: 113 + 2.33 * 16494 bits. */
	WORDS = 1232,
	BILLION = 1000000000,
	PLACES_MAX = WORDS * 32 * 31 / 100 / 9 + 1 /* digits in base 10^9 */
};

/* What the compiler and its library reckon with: on x86 more than a long double, elsewhere the same. */
#if __LDBL_MANT_DIG__ == 113
typedef long double quad_number;
#else
__extension__ typedef __float128 quad_number;
#endif

struct quad {
	bool negative;
	unsigned exponent;
	tl_u128 fraction;
};

/* A whole number of many words, the lowest first. */
struct large {
	tl_u32 words[WORDS];
	unsigned count;
};

bool tl_is_quad(const struct tl_type *type)
{
	const struct tl_type *stripped;
	struct tl_error error;

	if (tl_type_strip(type, &stripped, &error) != TL_OK || stripped->kind != TL_TYPE_BASE)
		return false;
	type = stripped;
	if (tl_types_have_quads(type->types) && ((type->encoding == DW_ATE_float && type->size == TL_QUAD_SIZE) ||
						 (type->encoding == DW_ATE_complex_float && type->size == 32)))
		return true;
	return type->name != NULL && (strstr(type->name, "Float128") != NULL || strstr(type->name, "float128") != NULL);
}

static struct quad take(const tl_u8 *bytes)
{
	tl_u128 bits = 0;

	for (unsigned i = TL_QUAD_SIZE; i-- != 0;)
		bits = bits << 8 | bytes[i];
	return (struct quad){
		.negative = bits >> 127 != 0,
		.exponent = (unsigned)(bits >> FRACTION_BITS) & EXPONENT_MAX,
		.fraction = bits & (((tl_u128)1 << FRACTION_BITS) - 1),
	};
}

/* The number is *fraction * 2^result. */
static int scale(struct quad *quad)
{
	if (quad->exponent == 0)
		return 1 - BIAS - FRACTION_BITS;
	quad->fraction |= (tl_u128)1 << FRACTION_BITS;
	return (int)quad->exponent - BIAS - FRACTION_BITS;
}

long double tl_quad_real(const tl_u8 bytes[TL_QUAD_SIZE])
{
	struct quad quad = take(bytes);
	long double number;

	if (quad.exponent == EXPONENT_MAX) {
		number = quad.fraction != 0 ? __builtin_nanl("") : __builtin_infl();
	} else {
		const int power = scale(&quad);

		number = ldexpl((long double)quad.fraction, power);
	}
	return quad.negative ? -number : number;
}

static quad_number number_of(const tl_u8 *bytes)
{
	quad_number number;

	memcpy(&number, bytes, sizeof(number));
	return number;
}

void tl_quad_make(long double number, tl_u8 bytes_ret[TL_QUAD_SIZE])
{
	quad_number quad = number;

	memcpy(bytes_ret, &quad, sizeof(quad));
}

void tl_quad_make_integer(tl_i128 number, bool is_signed, tl_u8 bytes_ret[TL_QUAD_SIZE])
{
	quad_number quad = is_signed ? (quad_number)number : (quad_number)(tl_u128)number;

	memcpy(bytes_ret, &quad, sizeof(quad));
}

bool tl_quad_reckon(enum tl_punctuator operation, const tl_u8 a[TL_QUAD_SIZE], const tl_u8 b[TL_QUAD_SIZE],
		    tl_u8 result_ret[TL_QUAD_SIZE])
{
	quad_number left = number_of(a), right = number_of(b), result;

	if (operation == TL_PLUS)
		result = left + right;
	else if (operation == TL_MINUS)
		result = left - right;
	else if (operation == TL_STAR)
		result = left * right;
	else if (operation == TL_SLASH)
		result = left / right;
	else
		return false;
	memcpy(result_ret, &result, sizeof(result));
	return true;
}

void tl_quad_compare(const tl_u8 a[TL_QUAD_SIZE], const tl_u8 b[TL_QUAD_SIZE], bool *less_ret, bool *equal_ret)
{
	*less_ret = number_of(a) < number_of(b);
	*equal_ret = number_of(a) == number_of(b);
}

static void multiply(struct large *large, tl_u32 by)
{
	tl_u64 carry = 0;

	for (unsigned i = 0; i < large->count; i++) {
		carry += (tl_u64)large->words[i] * by;
		large->words[i] = (tl_u32)carry;
		carry >>= 32;
	}
	if (carry != 0 && large->count < WORDS)
		large->words[large->count++] = (tl_u32)carry;
}

static tl_u32 divide(struct large *large, tl_u32 by)
{
	tl_u64 rest = 0;

	for (unsigned i = large->count; i-- != 0;) {
		rest = rest << 32 | large->words[i];
		large->words[i] = (tl_u32)(rest / by);
		rest %= by;
	}
	while (large->count != 0 && large->words[large->count - 1] == 0)
		large->count--;
	return (tl_u32)rest;
}

static void raise(struct large *large, tl_u32 base, int power)
{
	for (; power >= 9; power -= 9)
		multiply(large, base == 2 ? 1u << 9 : 1953125u);
	for (; power > 0; power--)
		multiply(large, base);
}

/* Its first digits, with one more, that says on which side of a half the rest is; and how many there are in all. */
static unsigned write_digits(struct large *large, char digits_ret[DIGITS + 16], bool *exact_ret)
{
	tl_u32 places[PLACES_MAX];
	unsigned count = 0, written, all;

	do
		places[count++] = divide(large, BILLION);
	while (large->count != 0 && count < PLACES_MAX);
	written = (unsigned)snprintf(digits_ret, DIGITS + 16, "%u", places[--count]);
	all = written + 9 * count;
	while (count != 0 && written <= DIGITS)
		written += (unsigned)snprintf(digits_ret + written, DIGITS + 16 - written, "%09u", places[--count]);
	*exact_ret = true;
	for (unsigned i = DIGITS + 1; i < written; i++)
		*exact_ret = *exact_ret && digits_ret[i] == '0';
	while (count != 0)
		*exact_ret = places[--count] == 0 && *exact_ret;
	return all;
}

/* To the nearest, and to the even one of two that are as near. True when that made it one digit longer. */
static bool round_digits(char *digits, bool exact)
{
	tl_size at = DIGITS;
	const bool up =
		strlen(digits) > DIGITS &&
		(digits[DIGITS] > '5' || (digits[DIGITS] == '5' && (!exact || ((digits[DIGITS - 1] - '0') & 1) != 0)));

	if (strlen(digits) > DIGITS)
		digits[DIGITS] = '\0';
	if (!up)
		return false;
	while (at > 0 && digits[at - 1] == '9')
		digits[--at] = '0';
	if (at > 0) {
		digits[at - 1]++;
		return false;
	}
	digits[0] = '1';
	return true;
}

static void write_number(const char *sign, char *digits, int exponent, char *text_ret)
{
	int count = (int)strlen(digits);
	/* Of four digits at most. */
	unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent) % 10000;

	while (count > 1 && digits[count - 1] == '0')
		digits[--count] = '\0';
	if (exponent < -4 || exponent >= DIGITS)
		(void)snprintf(text_ret, TL_QUAD_TEXT_MAX, "%s%c%s%se%c%02u", sign, digits[0], count > 1 ? "." : "",
			       digits + 1, exponent < 0 ? '-' : '+', size);
	else if (exponent < 0)
		(void)snprintf(text_ret, TL_QUAD_TEXT_MAX, "%s0.%.*s%s", sign, -exponent - 1, "0000", digits);
	else if (count <= exponent + 1)
		(void)snprintf(text_ret, TL_QUAD_TEXT_MAX, "%s%s%.*s", sign, digits, exponent + 1 - count,
			       "000000000000000000000000000000000000");
	else
		(void)snprintf(text_ret, TL_QUAD_TEXT_MAX, "%s%.*s.%s", sign, exponent + 1, digits,
			       digits + exponent + 1);
}

bool tl_quad_text(const tl_u8 bytes[TL_QUAD_SIZE], char text_ret[TL_QUAD_TEXT_MAX])
{
	struct quad quad = take(bytes);
	const char *sign = quad.negative ? "-" : "";
	struct large large = {.count = 4};
	char digits[DIGITS + 16];
	int power, exponent;
	bool exact;

	if (quad.exponent == EXPONENT_MAX && quad.fraction != 0)
		return false;
	if (quad.exponent == EXPONENT_MAX || (quad.exponent == 0 && quad.fraction == 0)) {
		(void)snprintf(text_ret, TL_QUAD_TEXT_MAX, "%s%s", sign, quad.exponent != 0 ? "inf" : "0");
		return true;
	}
	power = scale(&quad);
	/* With fewer factors of two, there is less to multiply. */
	for (; power < 0 && (quad.fraction & 1) == 0; power++)
		quad.fraction >>= 1;
	for (unsigned i = 0; i < 4; i++)
		large.words[i] = (tl_u32)(quad.fraction >> 32 * i);
	/* What is divided by 2^n is 5^n times as much, divided by 10^n. */
	raise(&large, power < 0 ? 5 : 2, power < 0 ? -power : power);
	exponent = (int)write_digits(&large, digits, &exact) - 1 + (power < 0 ? power : 0);
	exponent += round_digits(digits, exact);
	write_number(sign, digits, exponent, text_ret);
	return true;
}
