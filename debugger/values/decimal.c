#include "debugger/values/decimal.h"

#include <stdio.h>
#include <string.h>

/* A number is coefficient * 10^exponent. */
struct decimal {
	bool negative, infinite, not_a_number, signalling;
	tl_u128 coefficient; /* of what is no number: its payload */
	int exponent;
};

struct format {
	unsigned bits, exponent_bits, digits;
	int bias;
};

static const struct format *format_of(tl_u64 size)
{
	static const struct format formats[] = {{32, 8, 7, 101}, {64, 10, 16, 398}, {128, 14, 34, 6176}};

	for (tl_size i = 0; i < TL_COUNT(formats); i++)
		if (formats[i].bits == size * 8)
			return &formats[i];
	return NULL;
}

static tl_u128 power_of_ten(unsigned exponent)
{
	tl_u128 power = 1;

	while (exponent-- != 0)
		power *= 10;
	return power;
}

static tl_u128 low_bits(tl_u128 number, unsigned count)
{
	return number & (((tl_u128)1 << count) - 1);
}

static void take_special(const struct format *format, tl_u128 raw, struct decimal *decimal)
{
	const tl_u128 limit = power_of_ten(format->digits - 1);
	const unsigned payload_bits = format->bits - format->exponent_bits - 4;

	decimal->infinite = (raw >> (format->bits - 6) & 1) == 0;
	decimal->not_a_number = !decimal->infinite;
	if (decimal->infinite)
		return;
	decimal->signalling = (raw >> (format->bits - 7) & 1) != 0;
	decimal->coefficient = low_bits(raw, payload_bits);
	if (decimal->coefficient >= limit)
		decimal->coefficient = 0;
}

static bool take(const tl_u8 *bytes, tl_u64 size, struct decimal *decimal_ret)
{
	const struct format *format = format_of(size);
	struct decimal decimal = {0};
	tl_u128 raw = 0;
	unsigned lead, rest;

	if (format == NULL)
		return false;
	for (tl_u64 i = size; i-- != 0;)
		raw = raw << 8 | bytes[i];
	decimal.negative = (raw >> (format->bits - 1)) != 0;
	lead = (unsigned)low_bits(raw >> (format->bits - 5), 4);
	rest = format->bits - 1 - format->exponent_bits;
	if (lead == 0xf) {
		take_special(format, raw, &decimal);
	} else if (lead >= 0xc) {
		/* Two bits say that the coefficient begins with 100. */
		decimal.exponent = (int)low_bits(raw >> (rest - 2), format->exponent_bits) - format->bias;
		decimal.coefficient = low_bits(raw, rest - 2) | (tl_u128)1 << rest;
	} else {
		decimal.exponent = (int)low_bits(raw >> rest, format->exponent_bits) - format->bias;
		decimal.coefficient = low_bits(raw, rest);
	}
	/* More digits than the format has stand for none. */
	if (decimal.coefficient >= power_of_ten(format->digits))
		decimal.coefficient = 0;
	*decimal_ret = decimal;
	return true;
}

static tl_size write_digits(tl_u128 number, char digits_ret[40])
{
	char reversed[40];
	tl_size count = 0;

	do
		reversed[count++] = (char)('0' + (int)(number % 10));
	while ((number /= 10) != 0);
	for (tl_size i = 0; i < count; i++)
		digits_ret[i] = reversed[count - 1 - i];
	digits_ret[count] = '\0';
	return count;
}

/* With a point and without an exponent, as long as there are not too many zeros. */
static void write_plain(const char *sign, const char *digits, int count, int exponent, char *text_ret)
{
	if (exponent == 0)
		(void)snprintf(text_ret, TL_DECIMAL_TEXT_MAX, "%s%s", sign, digits);
	else if (count > -exponent)
		(void)snprintf(text_ret, TL_DECIMAL_TEXT_MAX, "%s%.*s.%s", sign, count + exponent, digits,
			       digits + count + exponent);
	else
		(void)snprintf(text_ret, TL_DECIMAL_TEXT_MAX, "%s0.%.*s%s", sign, -exponent - count, "00000", digits);
}

bool tl_decimal_text(const tl_u8 *bytes, tl_u64 size, char text_ret[TL_DECIMAL_TEXT_MAX])
{
	struct decimal decimal;
	const char *sign;
	char digits[40];
	int count, adjusted;

	if (!take(bytes, size, &decimal))
		return false;
	sign = decimal.negative ? "-" : "";
	count = (int)write_digits(decimal.coefficient, digits);
	adjusted = decimal.exponent + count - 1;
	if (decimal.infinite)
		(void)snprintf(text_ret, TL_DECIMAL_TEXT_MAX, "%sInfinity", sign);
	else if (decimal.not_a_number)
		(void)snprintf(text_ret, TL_DECIMAL_TEXT_MAX, "%s%sNaN%s", sign, decimal.signalling ? "s" : "",
			       decimal.coefficient != 0 ? digits : "");
	else if (decimal.exponent <= 0 && adjusted >= -6)
		write_plain(sign, digits, count, decimal.exponent, text_ret);
	else
		(void)snprintf(text_ret, TL_DECIMAL_TEXT_MAX, "%s%c%s%sE%+d", sign, digits[0], count > 1 ? "." : "",
			       digits + 1, adjusted);
	return true;
}

bool tl_decimal_integer(const tl_u8 *bytes, tl_u64 size, tl_i128 *number_ret)
{
	/* 10^38 is the largest power of ten in 128 bits. */
	const int most = 38;
	struct decimal decimal;
	tl_u128 number;

	if (!take(bytes, size, &decimal) || decimal.infinite || decimal.not_a_number)
		return false;
	number = decimal.coefficient;
	if (decimal.exponent < -most)
		number = 0;
	else if (decimal.exponent < 0)
		number /= power_of_ten((unsigned)-decimal.exponent);
	else if (number != 0 &&
		 (decimal.exponent > most || number > (~(tl_u128)0 >> 1) / power_of_ten((unsigned)decimal.exponent)))
		return false;
	else if (number != 0)
		number *= power_of_ten((unsigned)decimal.exponent);
	*number_ret = decimal.negative ? -(tl_i128)number : (tl_i128)number;
	return true;
}
