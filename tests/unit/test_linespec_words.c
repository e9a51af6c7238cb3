/* Places as they are typed: where they end, and what their words are. */
#include "debugger/modules/linespec_words.h"
#include "test.h"

/* What a text is read as, in one line: kind, words between bars, and the rest behind "->"; or the error. */
static const char *read(const char *text)
{
	static const char *const kinds[] = {"here", "address", "parts", "explicit"};
	static char shown[512];
	struct tl_words words;
	struct tl_error error;
	const char *rest;
	size_t used;

	if (tl_words_read(text, &words, &rest, &error) != TL_OK) {
		snprintf(shown, sizeof(shown), "error: %s", error.text);
		return shown;
	}
	used = (size_t)snprintf(shown, sizeof(shown), "%s", kinds[words.kind]);
	if (words.qualified)
		used += (size_t)snprintf(shown + used, sizeof(shown) - used, " qualified");
	for (tl_size i = 0; i < words.count; i++)
		used += (size_t)snprintf(shown + used, sizeof(shown) - used, "%s|%.*s",
					 words.quoted[i] ? " quoted" : " ", (int)words.parts[i].size,
					 words.parts[i].text);
#define SHOW(name)                                                                                                     \
	if (words.name.text != NULL)                                                                                   \
	used += (size_t)snprintf(shown + used, sizeof(shown) - used, " " #name "=%.*s", (int)words.name.size,          \
				 words.name.text)
	SHOW(address);
	SHOW(source);
	SHOW(function);
	SHOW(line);
	SHOW(label);
#undef SHOW
	snprintf(shown + used, sizeof(shown) - used, " -> %s", rest);
	return shown;
}

TEST(plain_places)
{
	CHECK_TEXT(read(""), "here -> ");
	CHECK_TEXT(read("  if x > 3"), "here -> if x > 3");
	CHECK_TEXT(read("12"), "parts |12 -> ");
	CHECK_TEXT(read(" +3 "), "parts |+3 -> ");
	CHECK_TEXT(read("add"), "parts |add -> ");
	CHECK_TEXT(read("a.c:12"), "parts |a.c |12 -> ");
	CHECK_TEXT(read("a.c : 12 if a:b"), "parts |a.c |12 -> if a:b");
	CHECK_TEXT(read("dir/a.c:add:again"), "parts |dir/a.c |add |again -> ");
	CHECK_TEXT(read("a.c:add:again:12"), "parts |a.c |add |again |12 -> ");
	CHECK_TEXT(read("$where"), "parts |$where -> ");
	CHECK_TEXT(read("my file.c:3"), "parts |my file.c |3 -> ");
}

TEST(they_end_at_words_and_commas)
{
	CHECK_TEXT(read("add if x"), "parts |add -> if x");
	CHECK_TEXT(read("add if(x)"), "parts |add -> if(x)");
	CHECK_TEXT(read("add  thread 2 if x"), "parts |add -> thread 2 if x");
	CHECK_TEXT(read("add task 1"), "parts |add -> task 1");
	CHECK_TEXT(read("add -force-condition if x"), "parts |add -> -force-condition if x");
	CHECK_TEXT(read("add -force-condition"), "parts |add -> -force-condition");
	CHECK_TEXT(read("thread"), "parts |thread -> ");
	CHECK_TEXT(read("thread thread 2"), "parts |thread -> thread 2");
	CHECK_TEXT(read("iffy"), "parts |iffy -> ");
	CHECK_TEXT(read("if"), "parts |if -> ");
	CHECK_TEXT(read("10,20"), "parts |10 -> ,20");
	CHECK_TEXT(read("a.c:10 , 20"), "parts |a.c |10 -> , 20");
	CHECK_TEXT(read(",20"), "here -> ,20");
}

TEST(names_of_cxx)
{
	CHECK_TEXT(read("ns::list::add"), "parts |ns::list::add -> ");
	CHECK_TEXT(read("::add"), "parts |::add -> ");
	CHECK_TEXT(read("a.cc:ns::add(int, char) const:label"), "parts |a.cc |ns::add(int, char) const |label -> ");
	CHECK_TEXT(read("max<int, a::b>"), "parts |max<int, a::b> -> ");
	CHECK_TEXT(read("(anonymous namespace)::f(void (*)(int))"),
		   "parts |(anonymous namespace)::f(void (*)(int)) -> ");
	CHECK_TEXT(read("operator<"), "parts |operator< -> ");
	CHECK_TEXT(read("a::operator<< (b &, int) if x"), "parts |a::operator<< (b &, int) -> if x");
	CHECK_TEXT(read("operator, if x"), "parts |operator, -> if x");
	CHECK_TEXT(read("a::operator()(int)"), "parts |a::operator()(int) -> ");
	CHECK_TEXT(read("a::operator->"), "parts |a::operator-> -> ");
	CHECK_TEXT(read("myoperator<int, 3>"), "parts |myoperator<int, 3> -> ");
	CHECK_TEXT(read("f[abi:cxx11](int)"), "parts |f[abi:cxx11](int) -> ");
	CHECK_TEXT(read("a::operator==<int*, b>(b const&) if x"), "parts |a::operator==<int*, b>(b const&) -> if x");
	CHECK_TEXT(read("operator< <int*, b>(b, b)"), "parts |operator< <int*, b>(b, b) -> ");
	CHECK_TEXT(read("~list"), "parts |~list -> ");
}

TEST(quotes)
{
	CHECK_TEXT(read("'a.c:12'"), "parts |a.c |12 -> ");
	CHECK_TEXT(read("\"a.c:add\" if x"), "parts |a.c |add -> if x");
	CHECK_TEXT(read("'f(int)'"), "parts |f(int) -> ");
	CHECK_TEXT(read("'f(int'"), "parts |f(int -> ");
	CHECK_TEXT(read("\"odd:name, if.c\":12"), "parts quoted|odd:name, if.c |12 -> ");
	CHECK_TEXT(read("a.c:'add'"), "parts |a.c quoted|add -> ");
	CHECK_TEXT(read("'a.c"), "error: unmatched quote");
	CHECK_TEXT(read("''"), "error: malformed linespec error: unexpected end of input.");
	CHECK_TEXT(read("'a.c:'"), "error: malformed linespec error: unexpected end of input.");
}

TEST(addresses)
{
	CHECK_TEXT(read("*0x1234"), "address address=0x1234 -> ");
	CHECK_TEXT(read("*"), "address address= -> ");
	CHECK_TEXT(read("* add + 4 if x"), "address address=add + 4 -> if x");
	CHECK_TEXT(read("*f(1, 2), 3"), "address address=f(1, 2) -> , 3");
	CHECK_TEXT(read("*(long)\" if x\" thread 3"), "address address=(long)\" if x\" -> thread 3");
	CHECK_TEXT(read("*'a.c'::x if 1"), "address address='a.c'::x -> if 1");
	CHECK_TEXT(read("*)x'"), "address address=)x' -> ");
}

TEST(explicit_places)
{
	CHECK_TEXT(read("-function add -line 3"), "explicit function=add line=3 -> ");
	CHECK_TEXT(read("-fun add(int, char) if x"), "explicit function=add(int, char) -> if x");
	CHECK_TEXT(read("-source a.c -line +3 thread 1"), "explicit source=a.c line=+3 -> thread 1");
	CHECK_TEXT(read("-source \"my file.c\" -li 3"), "explicit source=my file.c line=3 -> ");
	CHECK_TEXT(read("-qualified -function ns::add"), "explicit qualified function=ns::add -> ");
	CHECK_TEXT(read("-qualified ns::add if 1"), "parts qualified |ns::add -> if 1");
	CHECK_TEXT(read("-function operator- -label again"), "explicit function=operator- label=again -> ");
	CHECK_TEXT(read("-function a::operator -label x"), "explicit function=a::operator -label x -> ");
	CHECK_TEXT(read("-line 3,5"), "explicit line=3 -> ,5");
	CHECK_TEXT(read("-5"), "parts |-5 -> ");
	CHECK_TEXT(read("-source a.c"), "error: Source filename requires function, label, or line offset.");
	CHECK_TEXT(read("-function"), "error: missing argument for \"-function\"");
	CHECK_TEXT(read("-function if x"), "error: missing argument for \"-function\"");
	CHECK_TEXT(read("-nothing x"), "error: invalid explicit argument, \"-nothing\"");
	CHECK_TEXT(read("-qualified"), "error: -qualified needs a function behind it.");
}

TEST(nonsense)
{
	CHECK_TEXT(read(":12"), "error: malformed linespec error: unexpected colon.");
	CHECK_TEXT(read("a.c:"), "error: malformed linespec error: unexpected end of input.");
	CHECK_TEXT(read("a.c: if x"), "error: malformed linespec error: unexpected keyword, \"if\".");
	CHECK_TEXT(read("a.c:,"), "error: malformed linespec error: unexpected comma.");
	CHECK_TEXT(read("a.c:12:13"), "error: malformed linespec error: unexpected colon.");
	CHECK_TEXT(read("'a' b"), "error: malformed linespec error: unexpected string, \"b\".");
	CHECK_TEXT(read("'a' 12"), "error: malformed linespec error: unexpected number, \"12\".");
	CHECK_TEXT(read("a:b:c:d:e"), "error: malformed linespec error: unexpected string, \"e\".");
}

static bool line(const char *text, struct tl_word_line *line_ret)
{
	struct tl_word word = {text, strlen(text)};

	return tl_word_line(&word, line_ret);
}

TEST(lines)
{
	struct tl_word_line found;

	CHECK(line("12", &found) && found.sign == 0 && found.number == 12 && !found.bare);
	CHECK(line("+7", &found) && found.sign == '+' && found.number == 7);
	CHECK(line("-", &found) && found.sign == '-' && found.bare && found.number == 0);
	CHECK(line("4294967295", &found) && found.number == TL_U32_MAX);
	CHECK(!line("4294967296", &found));
	CHECK(!line("99999999999999999999999", &found));
	CHECK(!line("", &found));
	CHECK(!line("12x", &found));
	CHECK(!line("0x12", &found));
}
