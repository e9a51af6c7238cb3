/* Strings cut and folded, as gdb 13 cuts and folds them: what is wanted here is what it printed. */
#include "debugger/values/print_text.h"
#include "test.h"

static void check_shown(const struct tl_print_options *options, const char *text, tl_u64 most, const char *wanted)
{
	struct tl_output output = tl_output_make(1000);
	tl_u64 count = strlen(text);
	tl_u64 end = tl_print_string_end(options, (const tl_u8 *)text, 1, count, most);

	tl_print_string(&output, options, "", (const tl_u8 *)text, 1, end, end < count);
	CHECK_TEXT(tl_output_string(&output), wanted);
	tl_output_release(&output);
}

TEST(a_run_is_shown_whole_and_counts_for_its_length)
{
	struct tl_print_options options = {.repeats = 3};

	check_shown(&options, "aaaabcdefghij", 8, "'a' <repeats 4 times>, \"bcde\"...");
	check_shown(&options, "abcdeaaaaaafg", 8, "\"abcde\", 'a' <repeats 6 times>...");
	options.repeats = 0;
	check_shown(&options, "aaaabcdefghij", 8, "\"aaaabcde\"...");
	check_shown(&options, "aaaabcdefghij", 2, "\"aaaa\"...");
	check_shown(&options, "abcdefgggggghij", 8, "\"abcdefgggggg\"...");
}

TEST(characters_are_counted_and_folded_rather_than_bytes)
{
	struct tl_print_options options = {.repeats = 3};

	check_shown(&options, "h\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9!", 200, "\"h\", '\xc3\xa9' <repeats 4 times>, \"!\"");
	check_shown(&options, "\xc3\xa9\xe2\x82\xac\xc3\xa9xyz", 4, "\"\xc3\xa9\xe2\x82\xac\xc3\xa9x\"...");
}

TEST(bytes_that_are_no_characters_are_escaped)
{
	struct tl_print_options options = {0};

	check_shown(&options, "h\xc3\xa9", 200, "\"h\xc3\xa9\"");
	check_shown(&options, "\xc0\x80\xed\xa0\x80\xf5\xc3(", 200, "\"\\300\\200\\355\\240\\200\\365\\303(\"");
	options.ascii = true;
	check_shown(&options, "h\xc3\xa9", 200, "\"h\\303\\251\"");
}

TEST(control_characters_above_ascii_are_escaped)
{
	static const tl_u8 wide[] = {'a', 0, 0, 0, 0x81, 0, 0, 0, 0xe9, 0, 0, 0};
	struct tl_print_options options = {0};
	struct tl_output output = tl_output_make(1000);

	check_shown(&options, "a\xc2\x81\xc2\xa1", 200, "\"a\\302\\201\xc2\xa1\"");
	tl_print_string(&output, &options, "L", wide, 4, 3, false);
	CHECK_TEXT(tl_output_string(&output), "L\"a\\201\xc3\xa9\"");
	tl_output_release(&output);
}
