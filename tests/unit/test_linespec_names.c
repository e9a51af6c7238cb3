/* Names of functions as they are typed, against names as compilers and demanglers write them. */
#include "base/storage.h"
#include "debugger/modules/linespec_names.h"
#include "test.h"

/* Is `typed` what the function is called? */
static bool is_called(const char *function, const char *typed, bool whole)
{
	struct tl_word word = {typed, strlen(typed)};
	struct tl_sought_name name;
	bool called = tl_sought_name_cut(&name, &word, whole, NULL) == TL_OK &&
		      tl_sought_name_matches(&name, function) && tl_sought_parameters_match(&name, function);

	tl_sought_name_release(&name);
	return called;
}

static void check_parts(const char *typed, bool whole, const char *base, const char *indexed, const char *parameters)
{
	struct tl_word word = {typed, strlen(typed)};
	struct tl_sought_name name;

	CHECK(tl_sought_name_cut(&name, &word, whole, NULL) == TL_OK);
	CHECK_TEXT(tl_output_string(&name.base), base);
	CHECK_TEXT(tl_output_string(&name.indexed), indexed);
	CHECK_TEXT(tl_output_string(&name.parameters), parameters);
	tl_sought_name_release(&name);
}

TEST(names_are_cut)
{
	check_parts("add", false, "add", "add", "");
	check_parts("add", true, "::add", "::add", "");
	check_parts("::a::add", true, "::a::add", "::a::add", "");
	check_parts("a::f<int, b<char> > (void) const", false, "a::f<int,b<char>>", "a::f", "()const");
	check_parts("f(unsigned int, char *)", false, "f", "f", "(unsigned int,char*)");
	check_parts("(anonymous namespace)::f", false, "f", "f", "");
	check_parts("a::operator() (int)", false, "a::operator()", "a::operator()", "(int)");
	check_parts("operator<<(b&, int)", false, "operator<<", "operator<<", "(b&,int)");
	check_parts("a<int>::operator->", false, "a<int>::operator->", "a::operator->", "");
	check_parts("operator new(unsigned long)", false, "operator new", "operator new", "(unsigned long)");
	check_parts("void a<int>::f<char>(char)", false, "a<int>::f<char>", "a::f", "(char)");
	check_parts("main::{lambda(int)#1}::operator()(int) const", false, "main::{lambda(int)#1}::operator()",
		    "main::{lambda(int)#1}::operator()", "(int)const");
	check_parts("myoperator<int>", false, "myoperator<int>", "myoperator", "");
	check_parts("two words", false, "two words", "two words", "");
}

TEST(any_tail_of_the_scopes_will_do)
{
	CHECK(is_called("a::b::f(int)", "f", false));
	CHECK(is_called("a::b::f(int)", "b::f", false));
	CHECK(is_called("a::b::f(int)", "a::b::f", false));
	CHECK(is_called("a::b::f(int)", "a::b::f", true));
	CHECK(!is_called("a::b::f(int)", "b::f", true));
	CHECK(!is_called("a::b::f(int)", "a::f", false));
	CHECK(!is_called("a::bb::f(int)", "b::f", false));
	CHECK(!is_called("f", "a::f", false));
	CHECK(!is_called("a::ff", "f", false));
	CHECK(!is_called("a::f", "ff", false));
	CHECK(is_called("(anonymous namespace)::f()", "f", true));
	CHECK(is_called("a::(anonymous namespace)::f()", "a::f", false));
}

TEST(what_is_in_a_function_is_not_that_function)
{
	CHECK(is_called("main(int)", "main", false));
	CHECK(!is_called("main(int)::{lambda(int)#1}::operator()(int) const", "main", false));
	CHECK(!is_called("a::b(int) const::local::f()", "b", false));
	CHECK(is_called("a::b(int) const::local::f()", "f", false));
	CHECK(is_called("a::b(int) const::local::f()", "local::f", false));
	CHECK(is_called("main(int)::{lambda(int)#1}::operator()(int) const", "operator()", false));
}

TEST(arguments_and_parameters_may_be_left_out)
{
	CHECK(is_called("std::vector<int, std::allocator<int> >::push_back(int const&)", "vector::push_back", false));
	CHECK(is_called("std::vector<int, std::allocator<int> >::push_back(int const&)",
			"std::vector<int,std::allocator<int>>::push_back( int const & )", false));
	CHECK(!is_called("std::vector<int, std::allocator<int> >::push_back(int const&)", "vector<char>::push_back",
			 false));
	CHECK(is_called("max<int>(int, int)", "max", false));
	CHECK(is_called("max<int>(int, int)", "max<int>", false));
	CHECK(!is_called("max<int>(int, int)", "max<int>(int)", false));
	CHECK(is_called("a::get() const", "get()", false));
	CHECK(is_called("a::get(void) const", "get() const", false));
	CHECK(!is_called("a::get()", "get() const", false));
	CHECK(!is_called("a::get()", "get(", false));
	CHECK(is_called("add", "add(int, int)", false));
	CHECK(is_called("a::operator<(a const&)", "operator<", false));
	CHECK(!is_called("a::operator<<(a const&)", "operator<", false));
	CHECK(is_called("a::operator<< <int>(a const&)", "a::operator<< <int>", false));
}

TEST(garbage_is_no_function)
{
	static const char *const texts[] = {"",    "::",        "::::",       "<",        ">",         "<<<",
					    "a<",  "(",         ")",          "operator", "operator(", "{",
					    "a::", "operator<", "::operator", "a<b>>>c"};
	tl_u64 live = tl_storage_live();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++) {
			(void)is_called(texts[i], texts[j], false);
			(void)is_called(texts[i], texts[j], true);
		}
	CHECK_EQUAL(tl_storage_live(), live);
}
