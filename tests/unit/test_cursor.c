#include "core/cursor.h"
#include "tests/unit/test.h"

TEST(bytes_come_in_order_and_end_in_failure)
{
	struct tl_cursor cursor = tl_cursor_make("ab", 2);

	CHECK_EQUAL(tl_cursor_left(&cursor), 2);
	CHECK_EQUAL(tl_cursor_peek(&cursor), 'a');
	CHECK_EQUAL(tl_cursor_byte(&cursor), 'a');
	CHECK_EQUAL(tl_cursor_byte(&cursor), 'b');
	CHECK(tl_cursor_done(&cursor));
	CHECK(!cursor.failed);
	CHECK(tl_cursor_peek(&cursor) == -1);
	CHECK(!cursor.failed);
	CHECK_EQUAL(tl_cursor_byte(&cursor), 0);
	CHECK(cursor.failed);
	CHECK(tl_cursor_done(&cursor));
}

TEST(a_byte_above_127_is_not_the_end)
{
	struct tl_cursor cursor = tl_cursor_make("\xff", 1);

	CHECK_EQUAL(tl_cursor_peek(&cursor), 0xff);
	CHECK(tl_cursor_accept(&cursor, '\xff'));
	CHECK(tl_cursor_done(&cursor));
}

TEST(nothing_at_all_is_an_empty_cursor)
{
	struct tl_cursor cursor = tl_cursor_make(NULL, 0);

	CHECK(tl_cursor_done(&cursor));
	CHECK(tl_cursor_equals(&cursor, ""));
	CHECK(tl_cursor_accept_text(&cursor, ""));
	CHECK(!tl_cursor_accept(&cursor, 'x'));
	CHECK_EQUAL(tl_cursor_left(&(struct tl_cursor){cursor.at, cursor.end, false}), 0);
	CHECK(!cursor.failed);
}

TEST(accept_never_fails_and_expect_does)
{
	struct tl_cursor cursor = tl_cursor_text("vCont;c");

	CHECK(!tl_cursor_accept(&cursor, 'x'));
	CHECK(!tl_cursor_accept_text(&cursor, "vCont;cc"));
	CHECK(!tl_cursor_accept_text(&cursor, "vKill"));
	CHECK(tl_cursor_accept_text(&cursor, "vCont"));
	tl_cursor_expect(&cursor, ';');
	CHECK(!cursor.failed);
	tl_cursor_expect(&cursor, 's');
	CHECK(cursor.failed);
	CHECK(tl_cursor_done(&cursor));
}

TEST(take_gives_a_part_or_an_empty_failed_one)
{
	struct tl_cursor cursor = tl_cursor_text("abcdef");
	struct tl_cursor part = tl_cursor_take(&cursor, 4);

	CHECK(tl_cursor_equals(&part, "abcd"));
	CHECK(!part.failed);
	CHECK(tl_cursor_equals(&cursor, "ef"));
	part = tl_cursor_take(&cursor, 3);
	CHECK(part.failed);
	CHECK(tl_cursor_done(&part));
	CHECK(cursor.failed);
	CHECK(tl_cursor_done(&cursor));
	cursor = tl_cursor_text("abcdef");
	part = tl_cursor_take(&cursor, TL_SIZE_MAX);
	CHECK(part.failed && cursor.failed);
	cursor = tl_cursor_text("abcdef");
	part = tl_cursor_take(&cursor, 0);
	CHECK(tl_cursor_done(&part) && !part.failed && tl_cursor_left(&cursor) == 6);
}

TEST(until_splits_at_separators)
{
	struct tl_cursor cursor = tl_cursor_text("a;;bc");
	struct tl_cursor part = tl_cursor_until(&cursor, ';');

	CHECK(tl_cursor_equals(&part, "a"));
	part = tl_cursor_until(&cursor, ';');
	CHECK(tl_cursor_equals(&part, ""));
	CHECK(!tl_cursor_done(&cursor));
	part = tl_cursor_until(&cursor, ';');
	CHECK(tl_cursor_equals(&part, "bc"));
	CHECK(tl_cursor_done(&cursor));
	part = tl_cursor_until(&cursor, ';');
	CHECK(tl_cursor_equals(&part, ""));
	CHECK(!cursor.failed);
	cursor = tl_cursor_text("x;");
	part = tl_cursor_until(&cursor, ';');
	CHECK(tl_cursor_equals(&part, "x") && tl_cursor_done(&cursor));
}

TEST(equals_wants_the_whole_rest)
{
	struct tl_cursor cursor = tl_cursor_make("ab\0c", 4);

	CHECK(!tl_cursor_equals(&cursor, "ab"));
	CHECK(!tl_cursor_equals(&cursor, "abcd"));
	cursor = tl_cursor_text("ab");
	CHECK(tl_cursor_equals(&cursor, "ab"));
	CHECK(!tl_cursor_equals(&cursor, "a"));
	CHECK(!tl_cursor_equals(&cursor, "abc"));
}

TEST(integers_have_a_byte_order_and_a_size)
{
	static const tl_u8 bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88};
	struct tl_cursor cursor;

	for (tl_size size = 1; size <= 8; size++) {
		tl_u64 little = 0, big = 0;

		for (tl_size i = 0; i < size; i++) {
			little |= (tl_u64)bytes[i] << (8 * i);
			big = big << 8 | bytes[i];
		}
		cursor = tl_cursor_make(bytes, sizeof(bytes));
		CHECK_EQUAL(tl_cursor_little(&cursor, size), little);
		CHECK_EQUAL(tl_cursor_left(&cursor), 8 - size);
		cursor = tl_cursor_make(bytes, sizeof(bytes));
		CHECK_EQUAL(tl_cursor_big(&cursor, size), big);
		CHECK(!cursor.failed);
		cursor = tl_cursor_make(bytes, size - 1);
		CHECK_EQUAL(tl_cursor_little(&cursor, size), 0);
		CHECK(cursor.failed);
		cursor = tl_cursor_make(bytes, size - 1);
		CHECK_EQUAL(tl_cursor_big(&cursor, size), 0);
		CHECK(cursor.failed);
	}
}

TEST(an_integer_of_nine_bytes_is_refused)
{
	struct tl_cursor cursor = tl_cursor_text("0123456789");

	CHECK_EQUAL(tl_cursor_little(&cursor, 9), 0);
	CHECK(cursor.failed);
	cursor = tl_cursor_text("0123456789");
	CHECK_EQUAL(tl_cursor_big(&cursor, 9), 0);
	CHECK(cursor.failed);
}

static tl_u64 hex(const char *text, tl_size *left, bool *failed)
{
	struct tl_cursor cursor = tl_cursor_text(text);
	tl_u64 value = tl_cursor_hex(&cursor);

	*left = tl_cursor_left(&cursor);
	*failed = cursor.failed;
	return value;
}

TEST(hexadecimal_numbers)
{
	tl_size left;
	bool failed;

	CHECK_EQUAL(hex("0", &left, &failed), 0);
	CHECK(!failed && left == 0);
	CHECK_EQUAL(hex("7fFe,4", &left, &failed), 0x7ffe);
	CHECK(!failed && left == 2);
	CHECK_EQUAL(hex("ffffffffffffffff", &left, &failed), TL_U64_MAX);
	CHECK(!failed);
	CHECK_EQUAL(hex("0000000000000000000012", &left, &failed), 0x12);
	CHECK(!failed);
	CHECK_EQUAL(hex("10000000000000000", &left, &failed), 0);
	CHECK(failed && left == 0);
	CHECK_EQUAL(hex("", &left, &failed), 0);
	CHECK(failed);
	CHECK_EQUAL(hex("g1", &left, &failed), 0);
	CHECK(failed);
	CHECK_EQUAL(hex("-1", &left, &failed), 0);
	CHECK(failed);
	CHECK_EQUAL(hex("0x10", &left, &failed), 0);
	CHECK(!failed && left == 3);
}

static tl_u64 decimal(const char *text, bool *failed)
{
	struct tl_cursor cursor = tl_cursor_text(text);
	tl_u64 value = tl_cursor_decimal(&cursor);

	*failed = cursor.failed;
	return value;
}

TEST(decimal_numbers)
{
	bool failed;

	CHECK_EQUAL(decimal("0", &failed), 0);
	CHECK(!failed);
	CHECK_EQUAL(decimal("018a", &failed), 18);
	CHECK(!failed);
	CHECK_EQUAL(decimal("18446744073709551615", &failed), TL_U64_MAX);
	CHECK(!failed);
	CHECK_EQUAL(decimal("18446744073709551616", &failed), 0);
	CHECK(failed);
	CHECK_EQUAL(decimal("99999999999999999999", &failed), 0);
	CHECK(failed);
	CHECK_EQUAL(decimal("", &failed), 0);
	CHECK(failed);
	CHECK_EQUAL(decimal("a", &failed), 0);
	CHECK(failed);
}

TEST(hexadecimal_bytes)
{
	tl_u8 bytes[4] = {9, 9, 9, 9};
	struct tl_cursor cursor = tl_cursor_text("00fFa5;");

	tl_cursor_hex_bytes(&cursor, bytes, 3);
	CHECK(!cursor.failed && tl_cursor_equals(&cursor, ";"));
	CHECK(bytes[0] == 0 && bytes[1] == 0xff && bytes[2] == 0xa5 && bytes[3] == 9);
	cursor = tl_cursor_text("001");
	tl_cursor_hex_bytes(&cursor, bytes, 2);
	CHECK(cursor.failed);
	cursor = tl_cursor_text("0g");
	tl_cursor_hex_bytes(&cursor, bytes, 1);
	CHECK(cursor.failed);
	cursor = tl_cursor_text("00");
	tl_cursor_hex_bytes(&cursor, bytes, TL_SIZE_MAX);
	CHECK(cursor.failed);
	cursor = tl_cursor_text("");
	tl_cursor_hex_bytes(&cursor, bytes, 0);
	CHECK(!cursor.failed);
}

/* Long enough for the bytes that are read together and for those behind them. */
TEST(hexadecimal_bytes_wherever_they_stand)
{
	char text[2 * 37 + 1], mixed[] = "0123456789abcdefABCDEF";
	tl_u8 bytes[37];

	for (size_t i = 0; i < 2 * sizeof(bytes); i++)
		text[i] = mixed[i * 7 % 22];
	text[2 * sizeof(bytes)] = '\0';
	for (size_t i = 0; i < 2 * sizeof(bytes); i++) {
		char digit = text[i];

		for (int c = 1; c < 256; c++) {
			struct tl_cursor cursor;

			text[i] = (char)c;
			cursor = tl_cursor_text(text);
			tl_cursor_hex_bytes(&cursor, bytes, sizeof(bytes));
			CHECK_EQUAL(cursor.failed, tl_hex_digit((tl_u8)c) < 0);
			if (cursor.failed)
				continue;
			CHECK(tl_cursor_done(&cursor));
			for (size_t n = 0; n < sizeof(bytes); n++)
				CHECK_EQUAL(bytes[n], tl_hex_digit((tl_u8)text[2 * n]) * 16 +
							      tl_hex_digit((tl_u8)text[2 * n + 1]));
		}
		text[i] = digit;
	}
}

TEST(a_hexadecimal_digit_is_one_of_twenty_two)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 256; i++) {
		int digit = tl_hex_digit((tl_u8)i);

		if (digit >= 0)
			count++;
		CHECK((digit >= 0) == (i != 0 && strchr("0123456789abcdefABCDEF", (int)i) != NULL));
		if (digit >= 0)
			CHECK_EQUAL(digit, strtol((char[]){(char)i, 0}, NULL, 16));
	}
	CHECK_EQUAL(count, 22);
}

/* What a writer of `size` bytes holds after one of the calls below. */
static struct tl_writer writer;
static char buffer[64];

static void start(tl_size size)
{
	memset(buffer, '.', sizeof(buffer));
	writer = tl_writer_make(buffer, size);
}

static const char *written(void)
{
	static char text[65];
	tl_size size = tl_writer_size(&writer);

	/* Nothing may have been written behind the end. */
	for (tl_size i = (tl_size)(writer.end - writer.start); i < sizeof(buffer); i++)
		CHECK_EQUAL(buffer[i], '.');
	memcpy(text, buffer, size);
	text[size] = '\0';
	return text;
}

TEST(a_writer_holds_what_was_written)
{
	start(64);
	tl_write_byte(&writer, 'T');
	tl_write_text(&writer, "05");
	tl_write_bytes(&writer, "th", 2);
	tl_write_bytes(&writer, NULL, 0);
	CHECK_TEXT(written(), "T05th");
	CHECK_EQUAL(tl_writer_room(&writer), 59);
	CHECK(!writer.failed);
	tl_writer_reset(&writer);
	CHECK_TEXT(written(), "");
}

TEST(a_full_writer_keeps_the_front_and_fails)
{
	start(3);
	tl_write_text(&writer, "abc");
	CHECK(!writer.failed);
	tl_write_text(&writer, "");
	CHECK(!writer.failed);
	tl_write_byte(&writer, 'd');
	CHECK(writer.failed);
	CHECK_TEXT(written(), "abc");
	tl_writer_reset(&writer);
	CHECK(!writer.failed);
	tl_write_text(&writer, "wxyz");
	CHECK(writer.failed);
	CHECK_TEXT(written(), "wxy");
	tl_write_byte(&writer, '1');
	CHECK_TEXT(written(), "wxy");
}

TEST(a_writer_without_room_fails_at_the_first_byte)
{
	start(0);
	writer = tl_writer_make(NULL, 0);
	tl_write_text(&writer, "");
	CHECK(!writer.failed);
	tl_write_hex(&writer, 1);
	CHECK(writer.failed);
	CHECK_EQUAL(tl_writer_size(&writer), 0);
}

TEST(hexadecimal_output)
{
	static const tl_u8 bytes[] = {0x00, 0x7f, 0x80, 0xff};

	start(64);
	tl_write_hex_bytes(&writer, bytes, 4);
	tl_write_byte(&writer, ' ');
	tl_write_hex_text(&writer, "Az");
	CHECK_TEXT(written(), "007f80ff 417a");
	start(5);
	tl_write_hex_bytes(&writer, bytes, 4);
	CHECK_TEXT(written(), "007f8");
	CHECK(writer.failed);
	start(4);
	tl_write_hex_bytes(&writer, bytes, 4);
	CHECK_TEXT(written(), "007f");
	CHECK(writer.failed);
	start(8);
	tl_write_hex_bytes(&writer, bytes, 4);
	CHECK(!writer.failed);
}

TEST(numbers)
{
	start(64);
	tl_write_hex(&writer, 0);
	tl_write_byte(&writer, ' ');
	tl_write_hex(&writer, 0xa0);
	tl_write_byte(&writer, ' ');
	tl_write_hex(&writer, TL_U64_MAX);
	CHECK_TEXT(written(), "0 a0 ffffffffffffffff");
	start(64);
	tl_write_hex_padded(&writer, 5, 2);
	tl_write_hex_padded(&writer, 0x123, 2);
	tl_write_hex_padded(&writer, 0, 0);
	tl_write_byte(&writer, ' ');
	tl_write_hex_padded(&writer, 1, 18);
	CHECK_TEXT(written(), "051230 000000000000000001");
	start(64);
	tl_write_decimal(&writer, 0);
	tl_write_byte(&writer, ' ');
	tl_write_decimal(&writer, 1090);
	tl_write_byte(&writer, ' ');
	tl_write_decimal(&writer, TL_U64_MAX);
	CHECK_TEXT(written(), "0 1090 18446744073709551615");
}

TEST(every_number_comes_back_as_it_went)
{
	for (tl_u64 value = 1, i = 0; i < 200; i++, value = value * 3 + i) {
		struct tl_cursor cursor;

		start(64);
		tl_write_hex(&writer, value);
		tl_write_byte(&writer, ',');
		tl_write_decimal(&writer, value);
		cursor = tl_cursor_make(buffer, tl_writer_size(&writer));
		CHECK_EQUAL(tl_cursor_hex(&cursor), value);
		tl_cursor_expect(&cursor, ',');
		CHECK_EQUAL(tl_cursor_decimal(&cursor), value);
		CHECK(!cursor.failed && tl_cursor_done(&cursor));
	}
}

TEST(xml_is_escaped)
{
	start(64);
	tl_write_xml(&writer, "a&b<c>\"'\t\n\x01\x1b\x7f\xc3\xa9");
	CHECK_TEXT(written(), "a&amp;b&lt;c&gt;&quot;&apos;\t\n\xc3\xa9");
}

TEST(texts)
{
	CHECK_EQUAL(tl_text_length(""), 0);
	CHECK_EQUAL(tl_text_length("four"), 4);
	CHECK(tl_text_equal("", ""));
	CHECK(tl_text_equal("abc", "abc"));
	CHECK(!tl_text_equal("abc", "ab"));
	CHECK(!tl_text_equal("ab", "abc"));
	CHECK(!tl_text_equal("", "a"));
}
