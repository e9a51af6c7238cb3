/* Floating point of 128 bits as text, and as the nearest number that this machine has. */
#include "debugger/values/quad.h"
#include "test.h"

static void write_bytes(tl_u64 high, tl_u64 low, tl_u8 *bytes_ret)
{
	for (unsigned i = 0; i < 8; i++) {
		bytes_ret[i] = (tl_u8)(low >> i * 8);
		bytes_ret[8 + i] = (tl_u8)(high >> i * 8);
	}
}

static void check_text(tl_u64 high, tl_u64 low, const char *expected)
{
	char text[TL_QUAD_TEXT_MAX] = "";
	tl_u8 bytes[TL_QUAD_SIZE];

	write_bytes(high, low, bytes);
	CHECK(tl_quad_text(bytes, text));
	CHECK_TEXT(text, expected);
}

TEST(numbers_have_as_many_digits_as_tell_them_apart)
{
	check_text(0x3fff000000000000, 0, "1");
	check_text(0xbfff800000000000, 0, "-1.5");
	check_text(0x3fff000000000000, 1, "1.00000000000000000000000000000000019");
	check_text(0x4000921fb54442d1, 0x8469898cc51701b8, "3.1415926535897932384626433832795028");
	check_text(0x3ffb999999999999, 0x999999999999999a, "0.100000000000000000000000000000000005");
}

TEST(the_ends_of_the_range_are_exact)
{
	check_text(0x7ffeffffffffffff, 0xffffffffffffffff, "1.18973149535723176508575932662800702e+4932");
	check_text(0x0001000000000000, 0, "3.3621031431120935062626778173217526e-4932");
	check_text(0, 1, "6.47517511943802511092443895822764655e-4966");
	check_text(0, 0, "0");
	check_text(0x8000000000000000, 0, "-0");
	check_text(0x7fff000000000000, 0, "inf");
	check_text(0xffff000000000000, 0, "-inf");
}

TEST(the_form_is_that_of_printf)
{
	check_text(0x3ff1a36e2eb1c432, 0xca57a786c226809d, "9.99999999999999999999999999999999966e-05");
	check_text(0x3ff2000000000000, 0, "0.0001220703125");
	check_text(0x4075000000000000, 0, "332306998946228968225951765070086144");
	check_text(0x4078000000000000, 0, "2.65845599156983174580761412056068915e+36");
}

TEST(they_are_reckoned_with_in_all_their_digits)
{
	tl_u8 a[TL_QUAD_SIZE], b[TL_QUAD_SIZE], result[TL_QUAD_SIZE];
	char text[TL_QUAD_TEXT_MAX];
	bool less, equal;

	tl_quad_make(1, a);
	tl_quad_make_integer(3, true, b);
	REQUIRE(tl_quad_reckon(TL_SLASH, a, b, result) && tl_quad_text(result, text));
	CHECK_TEXT(text, "0.333333333333333333333333333333333317");
	REQUIRE(tl_quad_reckon(TL_MINUS, a, b, result) && tl_quad_text(result, text));
	CHECK_TEXT(text, "-2");
	REQUIRE(tl_quad_reckon(TL_STAR, b, b, result) && tl_quad_text(result, text));
	CHECK_TEXT(text, "9");
	REQUIRE(tl_quad_reckon(TL_PLUS, a, b, result) && tl_quad_text(result, text));
	CHECK_TEXT(text, "4");
	CHECK(!tl_quad_reckon(TL_PERCENT, a, b, result));
	tl_quad_compare(a, b, &less, &equal);
	CHECK(less && !equal);
	tl_quad_make_integer(((tl_i128)1 << 100) + 1, true, a);
	REQUIRE(tl_quad_text(a, text));
	CHECK_TEXT(text, "1267650600228229401496703205377");
	tl_quad_make_integer(-1, false, a);
	REQUIRE(tl_quad_text(a, text));
	CHECK_TEXT(text, "3.40282366920938463463374607431768211e+38");
}

TEST(what_is_no_number_has_no_digits)
{
	char text[TL_QUAD_TEXT_MAX];
	tl_u8 bytes[TL_QUAD_SIZE];

	write_bytes(0x7fff800000000000, 0, bytes);
	CHECK(!tl_quad_text(bytes, text));
	CHECK(tl_quad_real(bytes) != tl_quad_real(bytes));
	write_bytes(0xbfff800000000000, 0, bytes);
	CHECK(tl_quad_real(bytes) == -1.5L);
	write_bytes(0, 1, bytes);
	CHECK(tl_quad_real(bytes) >= 0 && tl_quad_real(bytes) < 1e-4900L);
}
