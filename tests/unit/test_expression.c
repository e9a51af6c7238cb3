/* What is read as what: the tree of an expression, or the sentence that says why it is none. */
#include "base/storage.h"
#include "debugger/expressions/describe.h"
#include "debugger/expressions/expression.h"
#include "test.h"

/* The types and templates of a program that is not there. */
static bool among(const char *const *names, const char *name, tl_size size)
{
	for (; *names != NULL; names++)
		if (strlen(*names) == size && memcmp(*names, name, size) == 0)
			return true;
	return false;
}

static bool is_type(void *context, const char *name, tl_size size)
{
	static const char *const types[] = {
		"size_t",    "point", "vector<int>",          "vector<vector<int>>", "vector<vector<int> >",
		"ns::shape", "::top", "map<int,char const*>", "pair<point,4>",       "pair<point,4>::first_type",
		NULL};

	(void)context;
	return among(types, name, size);
}

static bool is_template(void *context, const char *name, tl_size size)
{
	static const char *const templates[] = {"max<int>", "ns::get<0>", NULL};

	(void)context;
	return among(templates, name, size);
}

static struct tl_names names = {is_type, is_template, false, NULL};

/* The tree of a text, or "! " and the error's sentence. */
static const char *tree(const char *text)
{
	static char described[2048];
	struct tl_expression *expression;
	struct tl_error error = {0};
	struct tl_writer writer = tl_writer_make(described, sizeof(described) - 1);

	if (tl_expression_read(&expression, text, strlen(text), &names, &error) != TL_OK) {
		snprintf(described, sizeof(described), "! %s", error.text);
		return described;
	}
	tl_expression_describe(expression, &writer);
	described[tl_writer_size(&writer)] = '\0';
	tl_expression_free(expression);
	return described;
}

struct reading {
	const char *text, *tree;
};

static void check_readings(const struct reading *readings, tl_size count)
{
	for (tl_size i = 0; i < count; i++) {
		const char *found = tree(readings[i].text);

		if (strcmp(found, readings[i].tree) == 0)
			continue;
		printf("  %s: %s\n    is read as  %s\n    rather than %s\n", test_current, readings[i].text, found,
		       readings[i].tree);
		test_failures++;
	}
}

#define CHECK_READINGS(...)                                                                                            \
	do {                                                                                                           \
		static const struct reading readings[] = {__VA_ARGS__};                                                \
		check_readings(readings, sizeof(readings) / sizeof(*readings));                                        \
	} while (0)

TEST(numbers)
{
	CHECK_READINGS({"0", "0"}, {"42", "42"}, {"0x2A", "42"}, {"052", "42"}, {"0b101010", "42"}, {"42u", "42u"},
		       {"42UL", "42ul"}, {"42llu", "42ull"}, {"18446744073709551615", "18446744073709551615"},
		       {"1.5", "1.5"}, {".5f", "0.5f"}, {"1e3", "1000"}, {"2.L", "2l"}, {"0x1p4", "16"},
		       {"1e+2", "100"}, {"18446744073709551616", "! 18446744073709551616 does not fit in 64 bits"},
		       {"08", "! \"08\" is not a number: \"8\" cannot stand in it"},
		       {"0x", "! \"0x\" is not a number: it has no digits"},
		       {"12ab", "! \"12ab\" is not a number: \"ab\" cannot stand in it"},
		       {"1lul", "! \"1lul\" is not a number: \"lul\" cannot stand in it"},
		       {"1.5q", "! \"1.5q\" is not a number: \"q\" cannot stand in it"});
}

TEST(characters_and_strings)
{
	CHECK_READINGS(
		{"'a'", "'97'"}, {"'\\n'", "'10'"}, {"'\\''", "'39'"}, {"'\\x41'", "'65'"}, {"'\\101'", "'65'"},
		{"L'\xc3\xa9'", "'233'"}, {"\"ab\"", "\"ab\""}, {"\"a\" \"b\"", "\"ab\""}, {"L\"a\"", "\"a\"32"},
		{"u8\"a\"", "\"a\""}, {"\"\\u00e9\"", "\"\xc3\xa9\""}, {"\"a", "! the closing \" is missing"},
		{"'a", "! the closing ' is missing"},
		{"''", "! between single quotes stands one character, or a symbol"},
		{"\"\\q\"", "! a backslash is followed by no escape; write \\\\ for one that stands for itself"});
}

TEST(operators_bind_as_in_c)
{
	CHECK_READINGS({"a + b * c", "(+ a (* b c))"}, {"a * b + c", "(+ (* a b) c)"}, {"a - b - c", "(- (- a b) c)"},
		       {"a = b = c", "(= a (= b c))"}, {"a += b ? c : d", "(+= a (? b c d))"},
		       {"a ? b : c ? d : e", "(? a b (? c d e))"},
		       {"a || b && c | d ^ e & f == g < h << i + j % k",
			"(|| a (&& b (| c (^ d (& e (== f (< g (<< h (+ i (% j k))))))))))"},
		       {"-a * b", "(* (- a) b)"}, {"!a == b", "(== (! a) b)"}, {"*p++", "(* (behind++ p))"},
		       {"++*p", "(++ (* p))"}, {"- -1", "(- (- 1))"}, {"&a[1]", "(& (index a 1))"}, {"a, b", "(, a b)"},
		       {"(a, b) + c", "(+ (, a b) c)"}, {"a >>= 2", "(>>= a 2)"}, {"a >> b > c", "(> (>> a b) c)"},
		       {"a <= b != c", "(!= (<= a b) c)"}, {"~a - +b", "(- (~ a) (+ b))"}, {"x@y", "(@ x y)"},
		       {"*p@n + 1", "(@ (* p) (+ n 1))"}, {"a @ 2 << 1", "(<< (@ a 2) 1)"});
}

TEST(members_indices_calls)
{
	CHECK_READINGS({"a.b->c[2].d", "(. (index (-> (. a b) c) 2) d)"}, {"f()", "(call f)"},
		       {"f(1, a = 2, (b, c))", "(call f 1 (= a 2) (, b c))"}, {"(*f)(x)(y)", "(call (call (* f) x) y)"},
		       {"a->Base::b", "(-> a Base::b)"}, {"&a->b", "(& (-> a b))"},
		       {"p->~shape()", "(call (-> p ~shape))"}, {"a[1,2]", "(index a (, 1 2))"});
}

TEST(names_and_history)
{
	CHECK_READINGS({"$", "$$0"}, {"$$", "$$1"}, {"$$3", "$$3"}, {"$7", "$7"}, {"$7 + $", "(+ $7 $$0)"},
		       {"$pc", "$pc"}, {"$_exitcode", "$_exitcode"}, {"$foo = 3", "(= $foo 3)"}, {"::x", "::x"},
		       {"a :: b::c", "a::b::c"}, {"'main.c'::counter", "(in-file counter main.c)"},
		       {"'ns::f(int)'", "ns::f(int)"}, {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
		       {"$7x", "! a number of the value history ends in \"x\""});
}

TEST(types_and_casts)
{
	CHECK_READINGS({"int", "<int>"}, {"unsigned", "<unsigned int>"}, {"long unsigned int", "<unsigned long>"},
		       {"long long", "<long long>"}, {"short int signed", "<short>"}, {"signed char", "<signed char>"},
		       {"const char *", "(pointer const <char>)"}, {"char *const", "const (pointer <char>)"},
		       {"char const volatile", "const volatile <char>"}, {"struct point *", "(pointer <struct point>)"},
		       {"enum ns::color", "<enum ns::color>"}, {"point", "<point>"},
		       {"ns::shape &", "(reference <ns::shape>)"}, {"point &&", "(move <point>)"},
		       {"int[3][4]", "(array (array <int> 4) 3)"}, {"int *[3]", "(array (pointer <int>) 3)"},
		       {"int (*)[3]", "(pointer (array <int> 3))"},
		       {"int (*)(char, ...)", "(pointer (function <int> <char> ...))"},
		       {"int (*)(char *, int)", "(pointer (function <int> (pointer <char>) <int>))"},
		       {"void (*(*)(int))(void)", "(pointer (function (pointer (function <void> <void>)) <int>))"},
		       {"(char)a", "(cast a <char>)"}, {"(point *)p + 1", "(+ (cast p (pointer <point>)) 1)"},
		       {"(size_t)-1", "(cast (- 1) <size_t>)"}, {"(unknown)-1", "(- unknown 1)"},
		       {"(char)(a)[1]", "(cast (index a 1) <char>)"}, {"sizeof(int)", "(sizeof <int>)"},
		       {"sizeof x[0]", "(sizeof (index x 0))"}, {"sizeof (x)[0]", "(sizeof (index x 0))"},
		       {"sizeof(point) * 2", "(* (sizeof <point>) 2)"}, {"_Alignof(double)", "(alignof <double>)"},
		       {"{int}0x1000", "(at 4096 <int>)"},
		       {"{struct point *}p->q", "(at (-> p q) (pointer <struct point>))"},
		       {"(typeof(x) *)y", "(cast y (pointer (typeof x)))"}, {"static_cast<long>(x)", "(cast x <long>)"},
		       {"reinterpret_cast<char *>(x)", "(reinterpret x (pointer <char>))"},
		       {"long char", "! these words make no type together (column 1)"});
}

TEST(templates)
{
	CHECK_READINGS({"vector<int>", "<vector<int>>"},
		       {"(vector<vector<int>> *)p", "(cast p (pointer <vector<vector<int>>>))"},
		       {"(vector< vector <int> > *)p", "(cast p (pointer <vector<vector<int>>>))"},
		       {"max<int>(a, b)", "(call max<int> a b)"}, {"ns::get<0>(t)", "(call ns::get<0> t)"},
		       {"map< int , char const * >", "<map<int,char const*>>"},
		       {"pair<point,4>::first_type", "<pair<point,4>::first_type>"}, {"a < b > c", "(> (< a b) c)"},
		       {"a < b", "(< a b)"});
}

TEST(what_is_wrong_is_said)
{
	CHECK_READINGS({"", "! the expression ends where an operand should stand"},
		       {"a +", "! the expression ends where an operand should stand"},
		       {"a b", "! \"b\" stands where an operator, or the end, should (column 3)"},
		       {"(a", "! the expression ends where \")\" should stand"},
		       {"a[1", "! the expression ends where \"]\" should stand"},
		       {"f(1 2)", "! \"2\" stands where \",\" or \")\" behind an argument should (column 5)"},
		       {"a ? b", "! the expression ends where \":\" should stand"},
		       {"a.", "! the expression ends where a name should stand"},
		       {"a.5", "! \".5\" stands where an operator, or the end, should (column 2)"},
		       {"struct", "! the expression ends where the name of a type should stand"},
		       {"(int", "! the expression ends where \")\" behind the type should stand"},
		       {"a # b", "! \"#\" cannot stand in an expression"},
		       {"a \x01", "! the character 0x01 cannot stand in an expression"},
		       {"a + * ", "! the expression ends where an operand should stand"});
}

TEST(depth_and_length_are_bounded)
{
	static const char *const pieces[] = {"(",  "-",  "*",       "a[",      "f(",    "(int)",
					     "a?", "a=", "sizeof ", "typeof(", "{int}", "a+"};
	char text[TL_EXPRESSION_MAX + 2];

	for (tl_size i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		tl_size size = strlen(pieces[i]), at = 0;

		for (; at + size < TL_EXPRESSION_MAX - 2; at += size)
			memcpy(text + at, pieces[i], size);
		text[at] = '1';
		text[at + 1] = '\0';
		CHECK(tree(text)[0] == '!');
	}
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CHECK(strstr(tree(text), "longer than") != NULL);
}

TEST(what_only_cplus_has_is_read_there)
{
	names.is_cplus = true;
	CHECK_READINGS({"a.*b", "(.* a b)"}, {"a->*b * c", "(* (->* a b) c)"}, {"(a.*b)(1)", "(call (.* a b) 1)"},
		       {"a.operator+(b)", "(call (. a operator+) b)"}, {"operator()(b)", "(call operator() b)"},
		       {"a.operator[](1)", "(call (. a operator[]) 1)"}, {"a.operator->()", "(call (. a operator->))"},
		       {"a.operator bool()", "(call (. a operator bool))"}, {"(anonymous namespace)::a + 1", "(+ a 1)"},
		       {"a.as<int>(1)", "(call (. a as<int>) 1)"}, {"std::get<1>(a)", "(call std::get<1> a)"},
		       {"typeid(a).b", "(. (typeid a) b)"});
	names.is_cplus = false;
	CHECK_READINGS({"operator + 1", "(+ operator 1)"}, {"a.b < c > (d)", "(> (< (. a b) c) d)"});
}

TEST(any_allocation_may_fail)
{
	static const char text[] = "(struct point *)a[1] + f(\"x\", $2, sizeof(int[3]))";
	tl_u64 live = tl_storage_live();

	for (tl_u64 n = 1;; n++) {
		struct tl_expression *expression;
		struct tl_error error = {0};
		enum tl_status status;

		tl_storage_fail(n);
		status = tl_expression_read(&expression, text, strlen(text), &names, &error);
		tl_storage_fail(0);
		if (status == TL_OK) {
			CHECK(n > 2);
			tl_expression_free(expression);
			break;
		}
		CHECK_EQUAL(status, TL_ERROR_NO_MEMORY);
		CHECK(error.text[0] != '\0');
		CHECK_EQUAL(tl_storage_live(), live);
	}
	CHECK_EQUAL(tl_storage_live(), live);
}
