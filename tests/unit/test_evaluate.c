/*
 * Values and operators: what C says of numbers, on types that stand nowhere and on memory made of a byte array. What
 * gdb answers to the same expressions is compared in tests/debugger.
 */
#include "base/storage.h"
#include "debugger/expressions/evaluate.h"
#include "symbols/dwarf_constants.h"
#include "symbols/type_text.h"
#include "test.h"
#include "type_home.h"

#define MEMORY_AT 0x1000u

/* A program of one array of bytes and two variables in it: `counter`, an int, and `list`, an int[4]. */
struct program {
	struct type_home home;
	struct tl_types *types;
	struct tl_arena arena;
	struct tl_environment environment;
	tl_u8 memory[64];
	tl_u8 absent[32]; /* of a variable that was optimised out: for each byte, that it was */
	tl_i64 variable;  /* $v */
	bool variable_set;
	unsigned reads, writes;
};

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error)
{
	struct program *program = context;

	program->reads++;
	if (address < MEMORY_AT || address - MEMORY_AT > sizeof(program->memory) ||
	    size > sizeof(program->memory) - (address - MEMORY_AT))
		return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx",
			       (unsigned long long)address);
	memcpy(buffer, program->memory + (address - MEMORY_AT), size);
	return TL_OK;
}

static enum tl_status write_memory(void *context, tl_u64 address, const void *bytes, tl_u64 size,
				   struct tl_error *error)
{
	struct program *program = context;

	program->writes++;
	if (address < MEMORY_AT || address - MEMORY_AT > sizeof(program->memory) ||
	    size > sizeof(program->memory) - (address - MEMORY_AT))
		return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx",
			       (unsigned long long)address);
	memcpy(program->memory + (address - MEMORY_AT), bytes, size);
	return TL_OK;
}

static enum tl_status find_name(void *context, const char *file, const char *name, struct tl_value *value_ret,
				bool *found_ret, struct tl_error *error)
{
	struct program *program = context;
	const struct tl_type *type;

	TL_TRY(tl_type_make_base(program->types, "int", DW_ATE_signed, 4, &type, error));
	*found_ret = file == NULL &&
		     (strcmp(name, "counter") == 0 || strcmp(name, "list") == 0 || strcmp(name, "lost") == 0);
	if (*found_ret && strcmp(name, "lost") == 0) {
		TL_TRY(tl_type_make_array(type, 4, &type, error));
		TL_TRY(tl_type_make_array(type, 2, &type, error));
		*value_ret = (struct tl_value){.type = type,
					       .bytes = program->absent,
					       .absent = program->absent,
					       .size = sizeof(program->absent)};
		return TL_OK;
	}
	if (*found_ret && name[0] == 'l')
		TL_TRY(tl_type_make_array(type, 4, &type, error));
	return *found_ret ? tl_value_at(&program->environment.values, type, name[0] == 'l' ? MEMORY_AT + 16 : MEMORY_AT,
					value_ret, error)
			  : TL_OK;
}

static enum tl_status find_variable(void *context, const char *name, struct tl_value *value_ret, struct tl_error *error)
{
	struct program *program = context;
	const struct tl_type *type;

	(void)name;
	if (!program->variable_set) {
		*value_ret = (struct tl_value){.type = tl_type_void(program->types)};
		return TL_OK;
	}
	TL_TRY(tl_value_integer_type(&program->environment.values, 8, true, &type, error));
	return tl_value_make_integer(&program->environment.values, type, program->variable, value_ret, error);
}

static enum tl_status set_variable(void *context, const char *name, const struct tl_value *value,
				   struct tl_error *error)
{
	struct program *program = context;
	tl_i128 number;

	(void)name;
	TL_TRY(tl_value_integer(&program->environment.values, value, &number, error));
	program->variable = (tl_i64)number;
	program->variable_set = true;
	return TL_OK;
}

static bool begin(struct program *program)
{
	static const tl_u8 numbers[] = {10, 0, 0, 0, 20, 0, 0, 0, 30, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};

	memset(program, 0, sizeof(*program));
	if (!type_home_open(&program->home))
		return false;
	program->types = program->home.types;
	memcpy(program->memory + 16, numbers, sizeof(numbers));
	memset(program->absent, 1, sizeof(program->absent));
	program->memory[0] = 7;
	program->environment = (struct tl_environment){
		.values = {.arena = &program->arena,
			   .types = program->types,
			   .address_size = 8,
			   .read = read_memory,
			   .write = write_memory,
			   .context = program},
		.find_name = find_name,
		.find_variable = find_variable,
		.set_variable = set_variable,
		.context = program,
	};
	return true;
}

static void end(struct program *program)
{
	tl_arena_clear(&program->arena);
	type_home_close(&program->home);
}

static void write_number(tl_i128 number, char *text)
{
	char digits[48];
	tl_u128 left = number < 0 ? 0 - (tl_u128)number : (tl_u128)number;
	unsigned count = 0;

	do
		digits[count++] = (char)('0' + (unsigned)(left % 10));
	while ((left /= 10) != 0);
	if (number < 0)
		*text++ = '-';
	while (count > 0)
		*text++ = digits[--count];
	*text = '\0';
}

/* "(type) number" of an expression, or the error's sentence. */
static const char *value_of(struct program *program, const char *text)
{
	static char result[512];
	struct tl_output name = tl_output_make(256);
	struct tl_expression *expression = NULL;
	struct tl_value value;
	struct tl_error error = {0};
	const struct tl_type *stripped;
	long double real = 0;
	tl_i128 number = 0;
	bool is_signed, is_real = false;
	enum tl_status status = tl_expression_read(&expression, text, strlen(text), NULL, &error);

	if (status == TL_OK)
		status = tl_evaluate(&program->environment, expression, &value, &error);
	if (status == TL_OK)
		status = tl_type_write_name(value.type, &name, &error);
	if (status == TL_OK)
		status = tl_type_strip(value.type, &stripped, &error);
	if (status == TL_OK) {
		is_real = tl_type_arithmetic(stripped, &is_signed) == TL_ARITHMETIC_REAL;
		status = is_real ? tl_value_real(&program->environment.values, &value, &real, &error)
				 : tl_value_integer(&program->environment.values, &value, &number, &error);
	}
	if (status != TL_OK) {
		snprintf(result, sizeof(result), "%s", error.text);
	} else {
		int length = snprintf(result, sizeof(result), "(%s) ", tl_output_string(&name));

		if (is_real)
			snprintf(result + length, sizeof(result) - (size_t)length, "%Lg", real);
		else
			write_number(number, result + length);
	}
	tl_output_release(&name);
	tl_expression_free(expression);
	return result;
}

struct meaning {
	const char *text, *value;
};

static void check_meanings(const struct meaning *meanings, tl_size count)
{
	struct program program;

	REQUIRE(begin(&program));
	for (tl_size i = 0; i < count; i++) {
		const char *found = value_of(&program, meanings[i].text);

		if (strcmp(found, meanings[i].value) == 0)
			continue;
		printf("  %s: %s\n    is          %s\n    rather than %s\n", test_current, meanings[i].text, found,
		       meanings[i].value);
		test_failures++;
	}
	end(&program);
}

#define CHECK_MEANINGS(...)                                                                                            \
	do {                                                                                                           \
		static const struct meaning meanings[] = {__VA_ARGS__};                                                \
		check_meanings(meanings, sizeof(meanings) / sizeof(*meanings));                                        \
	} while (0)

TEST(literals_have_the_first_type_that_holds_them)
{
	CHECK_MEANINGS({"1", "(int) 1"}, {"2147483647", "(int) 2147483647"}, {"2147483648", "(long) 2147483648"},
		       {"0x80000000", "(unsigned int) 2147483648"}, {"1u", "(unsigned int) 1"}, {"1l", "(long) 1"},
		       {"1ull", "(unsigned long long) 1"},
		       {"0x8000000000000000", "(unsigned long) 9223372036854775808"}, {"1.5", "(double) 1.5"},
		       {"1.5f", "(float) 1.5"}, {"1.5L", "(long double) 1.5"}, {"'a'", "(char) 97"},
		       {"'\\377'", "(char) -1"});
}

TEST(operands_are_made_alike)
{
	CHECK_MEANINGS({"1 + 1u", "(unsigned int) 2"}, {"1u - 2", "(unsigned int) 4294967295"}, {"1l + 1u", "(long) 2"},
		       {"'a' + 1", "(int) 98"}, {"-1 < 1u", "(int) 0"}, {"-1 < 1l", "(int) 1"},
		       {"1 + 1.5f", "(float) 2.5"}, {"1.5f + 1.5", "(double) 3"}, {"-'a'", "(int) -97"},
		       {"~0u", "(unsigned int) 4294967295"}, {"!5", "(int) 0"}, {"!0.0", "(int) 1"},
		       {"-1u", "(unsigned int) 4294967295"}, {"(short)1 + (short)1", "(int) 2"},
		       {"(__int128)1 << 100", "(__int128) 1267650600228229401496703205376"});
}

TEST(division_shifts_and_logic)
{
	CHECK_MEANINGS({"7 / -2", "(int) -3"}, {"7 % -2", "(int) 1"}, {"-7 % 2", "(int) -1"},
		       {"7 / 2.0", "(double) 3.5"}, {"1 / 0", "Division by zero"}, {"1 % 0", "Division by zero"},
		       {"1.0 / 0", "(double) inf"}, {"(-2147483647 - 1) / -1", "(int) -2147483648"},
		       {"1 << 31", "(int) -2147483648"}, {"1 << 40", "(int) 0"}, {"1l << 40", "(long) 1099511627776"},
		       {"-8 >> 1", "(int) -4"}, {"-8 >> 200", "(int) -1"},
		       {"1 << -1", "A shift by a negative number has no meaning."}, {"1 && 0", "(int) 0"},
		       {"0 && 1 / 0", "(int) 0"}, {"1 || 1 / 0", "(int) 1"}, {"2 && 3", "(int) 1"},
		       {"1 ? 2 : 1 / 0", "(int) 2"}, {"1, 2", "(int) 2"}, {"6 & 3 | 8 ^ 1", "(int) 11"},
		       {"1.5 % 2", "\"%\" cannot stand between values of type \"double\" and \"int\"."});
}

TEST(casts)
{
	CHECK_MEANINGS({"(char)300", "(char) 44"}, {"(unsigned char)-1", "(unsigned char) 255"},
		       {"(int)1.9", "(int) 1"}, {"(int)-1.9", "(int) -1"}, {"(float)1 / 3", "(float) 0.333333"},
		       {"(bool)5", "(bool) 1"}, {"(bool)0.5", "(bool) 1"}, {"(char *)16 + 1", "(char *) 17"},
		       {"(int *)16 + 1", "(int *) 20"}, {"(void *)16 + 1", "(void *) 17"},
		       {"(int *)16 - (int *)4", "(long) 3"}, {"(long)(int *)16", "(long) 16"},
		       {"1 + (int *)16", "(int *) 20"}, {"(int *)16 == 16", "(int) 1"},
		       {"sizeof(int)", "(unsigned long) 4"}, {"sizeof 1.5L", "(unsigned long) 16"},
		       {"sizeof(char[3])", "(unsigned long) 3"}, {"sizeof \"abc\"", "(unsigned long) 4"},
		       {"sizeof L\"a\xc3\xa9\"", "(unsigned long) 12"}, {"_Alignof(long)", "(unsigned long) 8"},
		       {"(const int)1", "(const int) 1"}, {"(typeof(1l))2", "(long) 2"},
		       {"(float)(int *)1", "A pointer cannot be cast to a floating-point number."},
		       {"(struct nothing)1", "No struct named nothing."},
		       {"(int *)1 + (int *)1", "\"+\" cannot stand between values of type \"int *\" and \"int *\"."});
}

TEST(memory)
{
	CHECK_MEANINGS({"counter", "(int) 7"}, {"&counter", "(int *) 4096"}, {"*&counter", "(int) 7"},
		       {"list[1]", "(int) 20"}, {"list[3]", "(int) -1"}, {"*list", "(int) 10"},
		       {"*(list + 2)", "(int) 30"}, {"&list[2]", "(int *) 4120"}, {"&list", "(int (*)[4]) 4112"},
		       {"sizeof list", "(unsigned long) 16"}, {"sizeof(list[0])", "(unsigned long) 4"},
		       {"list[0]@2", "(int [2]) 4112"}, {"(list[1]@3)[1]", "(int) 30"}, {"{char}0x1010", "(char) 10"},
		       {"*(unsigned char *)&list[3]", "(unsigned char) 255"},
		       {"list[100]", "Cannot access memory at address 0x11a0"}, {"(char &)counter", "(char &) 7"},
		       {"counter ? list[0] : list[1]", "(int) 10"},
		       {"&1", "This value stands nowhere: it has no address."},
		       {"*counter", "The operand of * is no pointer: its type is \"int\"."},
		       {"*(void *)4096", "A pointer to void says nothing of what is there; cast it first: *(int *)p"},
		       {"1@2", "Only values in memory can be extended with '@'."},
		       {"list[0]@0", "Invalid number 0 of repetitions."},
		       {"nothing", "No symbol \"nothing\" in current context."},
		       {"'a.c'::nothing", "No symbol \"nothing\" in file \"a.c\"."},
		       {"counter.x", "There is no member x: a value of type \"int\" has no members."},
		       {"counter(1)", "Functions cannot be called here."}, {"$1", "There is no value history here."});
}

TEST(assignments)
{
	struct program program;

	REQUIRE(begin(&program));
	CHECK_TEXT(value_of(&program, "counter = 9"), "(int) 9");
	CHECK_TEXT(value_of(&program, "counter"), "(int) 9");
	CHECK_TEXT(value_of(&program, "counter += 1.9"), "(int) 10");
	CHECK_TEXT(value_of(&program, "counter++"), "(int) 10");
	CHECK_TEXT(value_of(&program, "counter"), "(int) 11");
	CHECK_TEXT(value_of(&program, "--counter"), "(int) 10");
	CHECK_TEXT(value_of(&program, "list[1] = list[2] = 5, list[1] + list[2]"), "(int) 10");
	CHECK_TEXT(value_of(&program, "$v"), "A value of type \"void\" is not a number.");
	CHECK_TEXT(value_of(&program, "$v = 5"), "(int) 5");
	CHECK_TEXT(value_of(&program, "$v++ + $v"), "(long) 11");
	CHECK_TEXT(value_of(&program, "1 = 2"), "Left operand of assignment is not an lvalue.");
	CHECK_TEXT(value_of(&program, "*(int *)0 = 2"), "Cannot access memory at address 0x0");
	end(&program);
}

/* The type of an expression is found without reading, writing or calling anything. */
TEST(types_are_found_without_effects)
{
	static const struct meaning meanings[] = {{"counter = 1", "int"},
						  {"counter + 1.5", "double"},
						  {"$v = 1", "int"},
						  {"counter++", "int"},
						  {"*(char **)0", "char *"},
						  {"list", "int [4]"},
						  {"(char *)list[counter]", "char *"},
						  {"*lost", "int [4]"},
						  {"**lost", "int"},
						  {"unsigned long", "unsigned long"},
						  {"int *[3]", "int *[3]"},
						  {"sizeof(counter = 3)", "unsigned long"}};
	struct program program;

	REQUIRE(begin(&program));
	for (tl_size i = 0; i < sizeof(meanings) / sizeof(*meanings); i++) {
		struct tl_output name = tl_output_make(256);
		struct tl_expression *expression;
		const struct tl_type *type;

		REQUIRE(tl_expression_read(&expression, meanings[i].text, strlen(meanings[i].text), NULL, NULL) ==
			TL_OK);
		REQUIRE(tl_evaluate_type(&program.environment, expression, &type, NULL) == TL_OK);
		REQUIRE(tl_type_write_name(type, &name, NULL) == TL_OK);
		CHECK_TEXT(tl_output_string(&name), meanings[i].value);
		tl_output_release(&name);
		tl_expression_free(expression);
	}
	CHECK_EQUAL(program.reads, 0);
	CHECK_EQUAL(program.writes, 0);
	CHECK(!program.variable_set);
	end(&program);
}
