/* Decimal floating point as text: encodings by hand (IEEE 754-2008, 3.5.2), and what gcc made of literals. */
#include "debugger/values/decimal.h"
#include "test.h"

static void check_text(tl_u64 high, tl_u64 low, tl_u64 size, const char *expected)
{
	tl_u8 bytes[16];
	char text[TL_DECIMAL_TEXT_MAX] = "";

	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = (tl_u8)(low >> i * 8);
		bytes[8 + i] = (tl_u8)(high >> i * 8);
	}
	CHECK(tl_decimal_text(bytes, size, text));
	CHECK_TEXT(text, expected);
}

static tl_i128 integer_of(tl_u64 low, bool *known_ret)
{
	tl_i128 number = 0;
	tl_u8 bytes[8];

	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (tl_u8)(low >> i * 8);
	*known_ret = tl_decimal_integer(bytes, 8, &number);
	return number;
}

/* Coefficient and biased exponent of a _Decimal64, the coefficient below 2^53. */
static tl_u64 plain(tl_u64 coefficient, tl_u64 exponent)
{
	return exponent << 53 | coefficient;
}

TEST(numbers_are_written_as_the_standard_has_them)
{
	check_text(0, plain(1999, 398 - 2), 8, "19.99");
	check_text(0, plain(1, 398), 8, "1");
	check_text(0, plain(1, 398 + 3), 8, "1E+3");
	check_text(0, plain(1234, 398 + 3), 8, "1.234E+6");
	check_text(0, plain(1234, 398 - 9), 8, "0.000001234");
	check_text(0, plain(1234, 398 - 10), 8, "1.234E-7");
	check_text(0, plain(0, 0), 8, "0E-398");
	check_text(0, plain(7, 398 - 1) | 1ull << 63, 8, "-0.7");
	check_text(0, 101u << 23 | 5, 4, "5");
	check_text(6176ull << 49, 5, 16, "5");
	check_text((6176ull - 1) << 49 | 1, 0, 16, "1844674407370955161.6");
}

TEST(large_coefficients_have_another_encoding)
{
	/* 9007199254740993 is 2^53 + 1; 16 digits are the most. */
	check_text(0, 3ull << 61 | 398ull << 51 | 1, 8, "9007199254740993");
	check_text(0, 3ull << 61 | 398ull << 51 | (9999999999999999ull - (1ull << 53)), 8, "9999999999999999");
	check_text(0, 3ull << 61 | 398ull << 51 | (10000000000000000ull - (1ull << 53)), 8, "0");
	check_text(0, 3u << 29 | 101u << 21 | (9999999 - (1 << 23)), 4, "9999999");
	check_text(3ull << 61 | 6176ull << 47, 1, 16, "0");
}

TEST(what_is_no_number_is_said)
{
	check_text(0, 0x78ull << 56, 8, "Infinity");
	check_text(0, 0xf8ull << 56, 8, "-Infinity");
	check_text(0, 0x7cull << 56, 8, "NaN");
	check_text(0, 0x7cull << 56 | 12, 8, "NaN12");
	check_text(0, 0x7eull << 56 | 12, 8, "sNaN12");
	check_text(0, 0x7c000000u, 4, "NaN");
	check_text(0x7800000000000000ull, 0, 16, "Infinity");
}

TEST(integers_are_cut_off)
{
	bool known;

	CHECK(integer_of(plain(1999, 398 - 2), &known) == 19 && known);
	CHECK(integer_of(plain(1999, 398 + 1) | 1ull << 63, &known) == -19990 && known);
	CHECK(integer_of(plain(5, 0), &known) == 0 && known);
	CHECK(integer_of(plain(0, 767), &known) == 0 && known);
	(void)integer_of(plain(5, 398 + 40), &known);
	CHECK(!known);
	(void)integer_of(0x78ull << 56, &known);
	CHECK(!known);
}

TEST(other_sizes_are_none)
{
	const tl_u8 bytes[16] = {0};
	char text[TL_DECIMAL_TEXT_MAX];
	tl_i128 number;

	CHECK(!tl_decimal_text(bytes, 10, text));
	CHECK(!tl_decimal_integer(bytes, 0, &number));
}
