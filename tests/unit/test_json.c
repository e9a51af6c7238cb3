#include "frontends/serve/json.h"
#include "tests/unit/test.h"

static char buffer[512];
static struct tl_writer writer;

static struct tl_json begin(enum tl_json_form form)
{
	writer = tl_writer_make(buffer, sizeof(buffer) - 1);
	return tl_json_make(&writer, form);
}

static const char *written(void)
{
	*writer.at = 0;
	return buffer;
}

TEST(writes_values)
{
	struct tl_json json = begin(TL_JSON_PLAIN);

	tl_json_open_array(&json, NULL);
	tl_json_open_object(&json, NULL);
	tl_json_text(&json, "name", "a\"b\\c\n");
	tl_json_number(&json, "zero", 0);
	tl_json_number(&json, "big", TL_U64_MAX);
	tl_json_open_object(&json, "empty");
	tl_json_close_object(&json);
	tl_json_truth(&json, "yes", true);
	tl_json_close_object(&json);
	tl_json_open_array(&json, NULL);
	tl_json_close_array(&json);
	tl_json_bytes(&json, NULL, "\x01\xfe", 2);
	tl_json_close_array(&json);
	CHECK_TEXT(written(), "[{\"name\":\"a\\\"b\\\\c\\u000a\",\"zero\":0,\"big\":18446744073709551615,\"empty\":{},"
			      "\"yes\":true},[],\"01fe\"]");
	CHECK(!writer.failed);
}

TEST(escapes_for_packets)
{
	struct tl_json json = begin(TL_JSON_ESCAPED);

	tl_json_open_object(&json, NULL);
	tl_json_text(&json, "k", "#$*}");
	tl_json_close_object(&json);
	CHECK_TEXT(written(), "{\"k\":\"}\x03}\x04}\x0a}]\"}]");
	json = begin(TL_JSON_HEX);
	tl_json_open_array(&json, NULL);
	tl_json_number(&json, NULL, 7);
	tl_json_close_array(&json);
	CHECK_TEXT(written(), "5b375d");
}

TEST(only_utf8_is_written)
{
	struct tl_json json = begin(TL_JSON_PLAIN);

	tl_json_text(&json, NULL, "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9b \xff \xc3 \xc0\x80 \xed\xa0\x80 \x7f \x01");
	CHECK_TEXT(written(), "\"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9b ? ? ?? ??? \x7f \\u0001\"");
}

TEST(too_long_fails)
{
	struct tl_json json = begin(TL_JSON_PLAIN);

	for (int i = 0; i < 60; i++)
		tl_json_text(&json, "key", "value");
	CHECK(writer.failed);
}

TEST(reads_an_array_of_objects)
{
	struct tl_cursor text = tl_cursor_text(
		" [ {\"file\" : \"/a\\u0041\\n\\/\", \"x\":[1,{\"y\":\"]\\\"\"}],\"n\":-1.5e3 } ,\n{}] rest");
	bool in_array = false, in_object = false;
	char key[16], value[16];

	REQUIRE(tl_json_next(&text, '[', &in_array));
	REQUIRE(tl_json_next(&text, '{', &in_object));
	tl_json_take_key(&text, key, sizeof(key));
	tl_json_take_text(&text, value, sizeof(value));
	CHECK_TEXT(key, "file");
	CHECK_TEXT(value, "/aA\n/");
	REQUIRE(tl_json_next(&text, '{', &in_object));
	tl_json_take_key(&text, key, sizeof(key));
	CHECK_TEXT(key, "x");
	tl_json_skip(&text);
	REQUIRE(tl_json_next(&text, '{', &in_object));
	tl_json_take_key(&text, key, sizeof(key));
	tl_json_skip(&text);
	CHECK(!tl_json_next(&text, '{', &in_object));
	REQUIRE(tl_json_next(&text, '[', &in_array));
	in_object = false;
	CHECK(!tl_json_next(&text, '{', &in_object));
	CHECK(!tl_json_next(&text, '[', &in_array));
	CHECK(!text.failed);
	CHECK(tl_cursor_equals(&text, " rest"));
}

TEST(malformed_text_fails)
{
	static const char *const texts[] = {
		"",     "[",      "{",         "[1",

		"[\"a", "[\"a\\", "[\"\\q\"]", "[\"\\u12\"]", "[\"\\u0000\"]", "[\"\n\"]", "[\"0123456789abcdef\"]"};
	char value[16];

	for (size_t i = 0; i < TL_COUNT(texts); i++) {
		struct tl_cursor text = tl_cursor_text(texts[i]);
		bool inside = false;

		while (tl_json_next(&text, '[', &inside)) {
			if (tl_cursor_peek(&text) == '"')
				tl_json_take_text(&text, value, sizeof(value));
			else
				tl_json_skip(&text);
		}
		if (!text.failed)
			printf("  accepted: %s\n", texts[i]);
		CHECK(text.failed);
	}
}

TEST(deep_nesting_needs_no_stack)
{
	static char deep[100001];
	struct tl_cursor text;

	memset(deep, '[', sizeof(deep) - 1);
	text = tl_cursor_text(deep);
	tl_json_skip(&text);
	CHECK(text.failed);
}
