#include "debugger/values/print_internal.h"
#include "debugger/values/quad.h"

#include <string.h>

static void print_decimal(struct tl_output *output, tl_u128 number, bool negative)
{
	char digits[48];
	tl_size at = sizeof(digits);

	do
		digits[--at] = (char)('0' + (unsigned)(number % 10));
	while ((number /= 10) != 0);
	if (negative)
		digits[--at] = '-';
	tl_output_bytes(output, digits + at, sizeof(digits) - at);
}

/* In a base that is a power of two, with at least `least` digits. */
static void print_based(struct tl_output *output, tl_u128 number, unsigned bits, unsigned least)
{
	char digits[136];
	tl_size at = sizeof(digits);

	do
		digits[--at] = "0123456789abcdef"[number & ((1u << bits) - 1)];
	while ((number >>= bits) != 0 || sizeof(digits) - at < least);
	tl_output_bytes(output, digits + at, sizeof(digits) - at);
}

void tl_print_number(struct tl_output *output, char format, tl_i128 number, bool is_signed, tl_u64 size)
{
	tl_u128 bits = (tl_u128)number;

	if (size < 16)
		bits &= ((tl_u128)1 << size * 8) - 1;
	if (format == 'x' || format == 'a' || format == 'z') {
		tl_output_text(output, "0x");
		print_based(output, bits, 4, format == 'z' ? (unsigned)size * 2 : 1);
	} else if (format == 'o') {
		tl_output_text(output, bits != 0 ? "0" : "");
		print_based(output, bits, 3, 1);
	} else if (format == 't') {
		print_based(output, bits, 1, 1);
	} else if (format == 'u' || !is_signed) {
		print_decimal(output, bits, false);
	} else {
		print_decimal(output, number < 0 ? 0 - (tl_u128)number : (tl_u128)number, number < 0);
	}
}

/*
 * x87's ten bytes have the highest bit of the fraction in them, which must be 0 in the smallest numbers and 1 in all
 * others: else they are no number, and the processor refuses to reckon with them (Intel SDM volume 1, table 8-3).
 */
static bool is_invalid(const struct tl_value *value)
{
	const tl_u8 *bytes = value->bytes;

	return (value->size == 12 || (value->size == 16 && __LDBL_MANT_DIG__ == 64 && !tl_is_quad(value->type))) &&
	       ((bytes[8] | (bytes[9] & 0x7f)) == 0) != ((bytes[7] & 0x80) == 0);
}

void tl_print_nibbles(struct tl_output *output, tl_i128 number, tl_u64 size)
{
	tl_u128 bits = size < 16 ? (tl_u128)number & (((tl_u128)1 << size * 8) - 1) : (tl_u128)number;
	unsigned groups = 1;

	while (groups < 32 && bits >> groups * 4 != 0)
		groups++;
	for (unsigned i = bits != 0 ? groups : 0; i > 0; i--) {
		print_based(output, bits >> (i - 1) * 4 & 0xf, 1, 4);
		tl_output_text(output, i > 1 ? " " : "");
	}
	tl_output_text(output, bits == 0 ? "0" : "");
}

void tl_print_real(struct tl_printing *printing, const struct tl_value *value, long double number)
{
	char text[TL_QUAD_TEXT_MAX];
	tl_u64 payload = 0;
	bool negative = value->size != 0 && (value->bytes[(value->size > 10 ? 10 : value->size) - 1] & 0x80) != 0;

	if (value->size == TL_QUAD_SIZE && tl_is_quad(value->type) && tl_quad_text(value->bytes, text)) {
		tl_output_text(printing->output, text);
		return;
	}
	if (is_invalid(value)) {
		tl_output_text(printing->output, "<invalid float value>");
		return;
	}
	if (number == number) {
		const char *name = value->type->name;
		int digits = value->size == 4 ? 9 : value->size == 8 ? 17 : 21;

		if (value->size == 2)
			digits = name != NULL && strstr(name, "bf") != NULL ? 4 : 5;
		tl_output_format(printing->output, "%.*Lg", digits, number);
		return;
	}
	memcpy(&payload, value->bytes, value->size < 8 ? value->size : 8);
	payload &= value->size == 2
			   ? (value->type->name != NULL && strstr(value->type->name, "bf") != NULL ? 0x7f : 0x3ff)
		   : value->size == 4 ? 0x7fffff
		   : value->size == 8 ? 0xfffffffffffffull
				      : ~0ull;
	tl_output_format(printing->output, "%snan(0x%llx)", negative ? "-" : "", (unsigned long long)payload);
}
