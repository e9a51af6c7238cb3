/* UTF-8: every code point there and back, and what is none. */
#include "core/utf8.h"
#include "test.h"

TEST(every_character_there_and_back)
{
	for (tl_u32 point = 0; point < 0x120000; point++) {
		char bytes[4];
		tl_size length = tl_utf8_write(point, bytes);
		tl_u32 again = 0;

		if (point >= 0x110000 || (point >= 0xd800 && point < 0xe000)) {
			REQUIRE(length == 0);
			continue;
		}
		REQUIRE(length != 0);
		REQUIRE(tl_utf8_read(bytes, length, &again) == length && again == point);
		REQUIRE(tl_utf8_read(bytes, length - 1, &again) == 0);
	}
}

TEST(what_is_no_character)
{
	static const char *const texts[] = {"\x80",         "\xbf",         "\xc0\x80",         "\xc1\xbf",
					    "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",     "\xf0\x8f\xbf\xbf",
					    "\xc3",         "\xe2\x82",     "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
					    "\xff",         "\xc3(",        "\xe2(\xac"};
	tl_u32 point;

	for (tl_size i = 0; i < TL_COUNT(texts); i++)
		CHECK_EQUAL(tl_utf8_read(texts[i], strlen(texts[i]), &point), 0);
	CHECK_EQUAL(tl_utf8_read(NULL, 0, &point), 0);
	CHECK_EQUAL(tl_utf8_read("\xe2\x82\xac rest", 8, &point), 3);
	CHECK_EQUAL(point, 0x20ac);
}
