/*
 * Places in programs, where gdb is no referee: what is counted from where one stands, what words mean, errors,
 * patience, and storage that gives out. Addresses are compared with gdb's by tests/debugger/gdb_places.py.
 */
#include "base/storage.h"
#include "debugger/modules/linespec.h"
#include "test.h"

struct fixture {
	struct tl_loop *loop;
	struct tl_binaries *binaries;
	struct tl_modules *modules;
	struct tl_linespec_base base;
	struct tl_patience patience;
	struct tl_code_places places;
	const char *rest;
	struct tl_error error;
};

static bool begin(struct fixture *fixture, const char *program)
{
	struct tl_binaries_options options = {.no_cache = true};

	*fixture = (struct fixture){.rest = ""};
	return tl_loop_create(&fixture->loop, NULL) == TL_OK &&
	       tl_binaries_open(&fixture->binaries, fixture->loop, &options, NULL) == TL_OK &&
	       tl_modules_open(&fixture->modules, fixture->binaries, NULL) == TL_OK &&
	       (program == NULL || tl_modules_set_program(fixture->modules, program, NULL) == TL_OK);
}

static void end(struct fixture *fixture)
{
	tl_code_places_release(&fixture->places);
	tl_modules_close(fixture->modules);
	tl_binaries_close(fixture->binaries);
	tl_loop_destroy(fixture->loop);
}

static enum tl_status find(struct fixture *fixture, const char *text)
{
	tl_code_places_release(&fixture->places);
	return tl_linespec_find(fixture->modules, &fixture->base, &fixture->patience, text, false, &fixture->places,
				&fixture->rest, &fixture->error);
}

/* What is wrong with a text; "" when it is a place. */
static const char *wrong(struct fixture *fixture, const char *text)
{
	return find(fixture, text) == TL_OK ? "" : fixture->error.text;
}

/* What was understood. */
static const char *understood(struct fixture *fixture, const char *text)
{
	return find(fixture, text) == TL_OK ? fixture->places.text : fixture->error.text;
}

/* The line of the only place. */
static tl_u32 line_of(struct fixture *fixture, const char *text)
{
	return find(fixture, text) == TL_OK && fixture->places.count == 1 ? fixture->places.items[0].line : 0;
}

TEST(lines_are_counted_from_where_one_stands)
{
	struct fixture fixture;

	REQUIRE(begin(&fixture, PROGRAM));
	/* Nowhere: as if main had just been listed. */
	CHECK_EQUAL(line_of(&fixture, "main"), 101);
	CHECK_EQUAL(line_of(&fixture, "+9"), 101);
	REQUIRE(find(&fixture, "other.c:13") == TL_OK);
	fixture.base.file = strdup(fixture.places.items[0].file);
	fixture.base.line = 15;
	CHECK_EQUAL(line_of(&fixture, "-2"), 13);
	CHECK_EQUAL(line_of(&fixture, "+"), 20);
	CHECK_EQUAL(line_of(&fixture, "13"), 13);
	CHECK_EQUAL(line_of(&fixture, "-line 13"), 13);
	CHECK_EQUAL(line_of(&fixture, "program.c:+13"), 0);
	CHECK_TEXT(wrong(&fixture, "-20"), "No line -5 in the current file.");
	CHECK_TEXT(wrong(&fixture, "+4294967295"), "No line 4294967310 in the current file.");
	CHECK_TEXT(wrong(&fixture, "-"), "No line 0 in the current file.");
	free((char *)(uintptr_t)fixture.base.file);
	end(&fixture);
}

static enum tl_status evaluate(void *context, const char *text, tl_size size, tl_u64 *address_ret,
			       struct tl_error *error)
{
	tl_u64 *counted = context;

	++*counted;
	if (size == 3 && memcmp(text, "bad", 3) == 0)
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No symbol \"bad\" in current context.");
	*address_ret = size == 5 && memcmp(text, "$line", 5) == 0 ? 101 : 0x1234;
	return TL_OK;
}

TEST(addresses_are_evaluated)
{
	struct fixture fixture;
	tl_u64 counted = 0;

	REQUIRE(begin(&fixture, PROGRAM));
	CHECK_TEXT(wrong(&fixture, "*main"), "\"main\" is no address.");
	CHECK_TEXT(wrong(&fixture, ""), "No default breakpoint address now.");
	CHECK_TEXT(understood(&fixture, "*0x10"), "*0x10");
	fixture.base.evaluate = evaluate;
	fixture.base.context = &counted;
	CHECK_TEXT(understood(&fixture, "*f(1, 2) + 3 if x"), "*f(1, 2) + 3");
	CHECK_TEXT(fixture.rest, "if x");
	CHECK_EQUAL(counted, 1);
	REQUIRE(fixture.places.count == 1);
	CHECK_EQUAL(fixture.places.items[0].address, 0x1234);
	CHECK_TEXT(wrong(&fixture, "*bad"), "No symbol \"bad\" in current context.");
	CHECK_EQUAL(line_of(&fixture, "program.c:$line"), 101);
	fixture.base.address = 0x1139;
	CHECK_TEXT(understood(&fixture, ""), "*0x1139");
	CHECK_TEXT(understood(&fixture, "*"), "*0x1139");
	end(&fixture);
}

TEST(what_was_understood_can_be_read_again)
{
	struct fixture fixture;

	REQUIRE(begin(&fixture, PROGRAM));
	CHECK_TEXT(understood(&fixture, "-function add -source other.c"), "other.c:add");
	CHECK_TEXT(understood(&fixture, " 'other.c' : 13 thread 2"), "other.c:13");
	CHECK_TEXT(fixture.rest, "thread 2");
	CHECK_TEXT(understood(&fixture, "-qualified main"), "-qualified main");
	CHECK_TEXT(understood(&fixture, "program.c:add:53"), "program.c:add:53");
	CHECK_EQUAL(fixture.places.count, 1);
	CHECK_TEXT(understood(&fixture, "add:53"), "add:53");
	end(&fixture);
}

TEST(errors_say_what_is_missing)
{
	struct fixture fixture;

	REQUIRE(begin(&fixture, PROGRAM));
	CHECK_TEXT(wrong(&fixture, "nothing"), "Function \"nothing\" not defined.");
	CHECK_EQUAL(find(&fixture, "nothing"), TL_ERROR_NO_SYMBOL);
	CHECK_TEXT(wrong(&fixture, "nothing.c:3"), "No source file named nothing.c.");
	CHECK_TEXT(wrong(&fixture, "program.c:nothing"), "Function \"nothing\" not defined in \"program.c\".");
	CHECK_TEXT(wrong(&fixture, "program.c:10000"), "No line 10000 in file \"program.c\".");
	CHECK_TEXT(wrong(&fixture, "$nothing"), "Undefined convenience variable or function \"$nothing\" not defined.");
	CHECK_TEXT(wrong(&fixture, "main:nothing"), "No label \"nothing\" defined in function \"main\".");
	CHECK_TEXT(wrong(&fixture, "-label nothing"), "No label \"nothing\" defined in current function.");
	CHECK_TEXT(wrong(&fixture, "main:12"), "No line 12 in function \"main\".");
	CHECK_TEXT(wrong(&fixture, "-line x"), "malformed line offset: \"x\"");
	CHECK_EQUAL(find(&fixture, "-line x"), TL_ERROR_ARGUMENT);
	CHECK_TEXT(wrong(&fixture, "program.c:3:4"), "malformed linespec error: unexpected colon.");
	CHECK_TEXT(wrong(&fixture, "out_there"), "Function \"out_there\" not defined.");
	end(&fixture);
	REQUIRE(begin(&fixture, NULL));
	CHECK_TEXT(wrong(&fixture, "main"), "No symbol table is loaded.  Use the \"file\" command.");
	CHECK_TEXT(wrong(&fixture, "a.c:3"), "No symbol table is loaded.  Use the \"file\" command.");
	CHECK_TEXT(wrong(&fixture, "3"), "No symbol table is loaded.  Use the \"file\" command.");
	end(&fixture);
}

static bool impatient(void *context)
{
	(void)context;
	return false;
}

/* Whoever waits may give up; an index that is there already is not waited for. */
TEST(waiting_can_be_given_up)
{
	struct fixture fixture;
	enum tl_status status;

	REQUIRE(begin(&fixture, PROGRAM));
	fixture.patience.waiting = impatient;
	status = find(&fixture, "main");
	CHECK(status == TL_OK || status == TL_ERROR_CANCELLED);
	fixture.patience.waiting = NULL;
	CHECK(find(&fixture, "main") == TL_OK);
	fixture.patience.waiting = impatient;
	CHECK(find(&fixture, "main") == TL_OK);
	end(&fixture);
}

/* Lets each allocation of a question fail in turn; how often that was an error. */
static tl_u64 let_fail(struct fixture *fixture, const char *text, tl_u64 live)
{
	tl_u64 failures = 0;

	for (tl_u64 nth = 1; nth < 4000; nth++) {
		tl_u64 calls = tl_storage_calls();
		enum tl_status status;

		tl_storage_fail(nth);
		status = find(fixture, text);
		tl_storage_fail(0);
		CHECK(status == TL_OK || status == TL_ERROR_NO_MEMORY || status == TL_ERROR_NO_SYMBOL);
		failures += status == TL_ERROR_NO_MEMORY;
		calls = tl_storage_calls() - calls;
		tl_code_places_release(&fixture->places);
		CHECK(tl_storage_live() <= live);
		if (calls < nth)
			break;
	}
	return failures;
}

/* It is an error or passed by, nothing is lost, and the next question has its answer. */
static void starve(const char *program, const char *const *texts, tl_size count)
{
	struct fixture fixture;

	REQUIRE(begin(&fixture, program));
	for (tl_size i = 0; i < count; i++) {
		tl_u64 places;

		REQUIRE(find(&fixture, texts[i]) == TL_OK);
		places = fixture.places.count;
		/* What is kept of the program grows in the first round. */
		(void)let_fail(&fixture, texts[i], TL_U64_MAX);
		CHECK(let_fail(&fixture, texts[i], tl_storage_live()) > 2);
		REQUIRE(find(&fixture, texts[i]) == TL_OK);
		CHECK_EQUAL(fixture.places.count, places);
	}
	end(&fixture);
}

TEST(without_storage_nothing_is_lost)
{
	static const char *const plain[] = {
		"main", "inlined", "program.c:44", "other.c:add", "add:53", "+9", "-function add -source other.c"};
	static const char *const cxx[] = {"overloaded(int)", "box<int>::area", "shape", "program.cc:20"};

	starve(PROGRAM, plain, TL_COUNT(plain));
	starve(PROGRAM_CXX, cxx, TL_COUNT(cxx));
}
