/* Which command a line means, what it leaves for it, and what is said when it means none. */
#include "frontends/cli/command.h"
#include "test.h"

static enum tl_status nothing(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)cli, (void)line, (void)error;
	return TL_OK;
}

static const struct tl_command info[] = {
	{.name = "threads", .run = nothing},
	{.name = "types", .run = nothing},
	{.name = "breakpoints", .shorts = "b", .run = nothing},
	{.name = "bytes", .run = nothing},
	{0},
};

static const struct tl_command thread[] = {
	{.name = "apply", .run = nothing},
	{.name = "name", .run = nothing},
	{0},
};

static const struct tl_command table[] = {
	{.name = "step", .shorts = "s", .run = nothing},
	{.name = "stepi", .shorts = "si", .run = nothing},
	{.name = "set", .run = nothing},
	{.name = "show", .run = nothing},
	{.name = "info", .shorts = "i inf", .subcommands = info},
	{.name = "inferior", .run = nothing},
	{.name = "thread", .shorts = "t", .subcommands = thread, .run = nothing},
	{.name = "thbreak", .run = nothing},
	{.name = "x", .flags = TL_COMMAND_FORMAT, .run = nothing},
	{.name = "print", .shorts = "p", .flags = TL_COMMAND_FORMAT, .run = nothing},
	{.name = "!", .run = nothing},
	{0},
};

/* "name|format|words" of a line, or the error's sentence. */
static const char *found(const char *text)
{
	static char result[512];
	struct tl_command_line line;
	struct tl_error error;
	char name[64] = "";
	struct tl_writer writer = tl_writer_make(name, sizeof(name) - 1);

	if (tl_command_find(table, text, strlen(text), &line, &error) != TL_OK)
		return strcpy(result, error.text);
	tl_command_name(&line, &writer);
	snprintf(result, sizeof(result), "%s|%.*s|%.*s", name, (int)line.format_size, line.format, (int)line.size,
		 line.words);
	return result;
}

TEST(names_beginnings_and_short_forms)
{
	CHECK_TEXT(found("step"), "step||");
	CHECK_TEXT(found("s"), "step||");
	CHECK_TEXT(found("si 3"), "stepi||3");
	CHECK_TEXT(found("se x = 1"), "set||x = 1");
	CHECK_TEXT(found("  i  th  "), "info threads||");
	CHECK_TEXT(found("info b"), "info breakpoints||");
	CHECK_TEXT(found("infe 2"), "inferior||2");
	CHECK_TEXT(found("!ls -l"), "!||ls -l");
	CHECK_TEXT(found(""), "||");
	CHECK_TEXT(found("   "), "||");
}

TEST(a_command_may_do_something_itself_and_have_words_of_commands_behind_it)
{
	CHECK_TEXT(found("thread"), "thread||");
	CHECK_TEXT(found("t 3"), "thread||3");
	CHECK_TEXT(found("thread apply all bt"), "thread apply||all bt");
	CHECK_TEXT(found("thr app 1 2 p x"), "thread apply||1 2 p x");
}

TEST(formats_stand_behind_the_name)
{
	CHECK_TEXT(found("x/4xw $sp"), "x|4xw|$sp");
	CHECK_TEXT(found("p/x a / b"), "print|x|a / b");
	CHECK_TEXT(found("print /x a"), "print|x|a");
	CHECK_TEXT(found("p -5"), "print||-5");
}

TEST(what_is_wrong_is_said)
{
	CHECK_TEXT(found("th"), "Ambiguous command \"th\": thread, thbreak.");
	CHECK_TEXT(found("info t"), "Ambiguous command \"info t\": threads, types.");
	CHECK_TEXT(found("info"), "\"info\" must be followed by one of: threads, types, breakpoints, bytes.");
	CHECK_TEXT(found("stpe"), "Undefined command: \"stpe\". Did you mean \"step\"?");
	CHECK_TEXT(found("prnt x"), "Undefined command: \"prnt\". Did you mean \"print\"?");
	CHECK_TEXT(found("info thraeds"), "Undefined command: \"info thraeds\". Did you mean \"info threads\"?");
	CHECK_TEXT(found("frobnicate"), "Undefined command: \"frobnicate\".  Try \"help\".");
	CHECK_TEXT(found("info frob"), "Undefined command: \"info frob\".  Try \"help info\".");
	CHECK_TEXT(found("/x"), "Undefined command: \"/\".  Try \"help\".");
}

static void collect(void *context, const struct tl_command *row)
{
	strcat(context, row->name);
	strcat(context, " ");
}

/* The words that may follow, "|", the row that is asked for more, "|", what it is asked to complete. */
static const char *completed(const char *text)
{
	static char result[512];
	char names[256] = "";
	const char *rest = "";
	const struct tl_command *row = tl_command_complete(table, text, strlen(text), collect, names, &rest);

	snprintf(result, sizeof(result), "%s|%s|%s", names, row != NULL ? row->name : "", rest);
	return result;
}

TEST(completion)
{
	CHECK_TEXT(completed("st"), "step stepi ||st");
	CHECK_TEXT(completed("info t"), "threads types |info|t");
	CHECK_TEXT(completed("i "), "threads types breakpoints bytes |info|");
	CHECK_TEXT(completed("p/x fo"), "|print|fo");
	CHECK_TEXT(completed("thread apply all b"), "|apply|all b");
	CHECK_TEXT(completed("nonsense x"), "||nonsense x");
}

static const char *format(const char *text, const char *others)
{
	static char result[256];
	struct tl_command_line line = {.format = text, .format_size = strlen(text)};
	struct tl_format read;
	struct tl_error error;

	if (tl_format_read(&line, others, &read, &error) != TL_OK)
		return strcpy(result, error.text);
	snprintf(result, sizeof(result), "%d%s %c %c%s %x", (int)read.count, read.has_count ? "" : "?",
		 read.letter != 0 ? read.letter : '-', read.size != 0 ? read.size : '-', read.raw ? " raw" : "",
		 read.flags);
	return result;
}

TEST(formats)
{
	CHECK_TEXT(format("", ""), "1? - - 0");
	CHECK_TEXT(format("4xw", ""), "4 x w 0");
	CHECK_TEXT(format("-3gx", ""), "-3 x g 0");
	CHECK_TEXT(format("rd", ""), "1? d - raw 0");
	CHECK_TEXT(format("rs", "mrs"), "1? - - 60000");
	CHECK_TEXT(format("q", ""), "Undefined format letter \"q\". Formats are o x z d u t f a i c s, sizes b h w g.");
	CHECK_TEXT(format("-x", ""), "A minus behind the slash wants a count: /-3xw");
	CHECK_TEXT(format("99999999999x", ""), "The count behind the slash is too large.");
}
