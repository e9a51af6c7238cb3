/* What steps pass by: functions and files by name and by pattern. */
#include "debugger/session/skips.h"
#include "tests/unit/test.h"

static bool matches(struct tl_skip skip, const char *function, const char *file)
{
	struct tl_skips skips = {0};
	const struct tl_skip *made;
	bool found;

	if (tl_skips_add(&skips, &skip, &made, NULL) != TL_OK)
		return false;
	found = tl_skips_match(&skips, function, file);
	tl_skips_release(&skips);
	return found;
}

static char name[] = "list::add", with_types[] = "list::add(int, char *)", expression[] = "^list::a.d$", broken[] = "[",
	    path[] = "src/list.c", pattern[] = "*.h", whole_pattern[] = "/usr/include/*/*.h";

TEST(a_function_is_skipped_by_its_name)
{
	CHECK(matches((struct tl_skip){.function = name}, "list::add", "/a/list.c"));
	CHECK(matches((struct tl_skip){.function = name}, "list::add(int)", NULL));
	CHECK(matches((struct tl_skip){.function = with_types}, "list::add", NULL));
	CHECK(matches((struct tl_skip){.function = with_types}, "list::add(int,char*)", NULL));
	CHECK(!matches((struct tl_skip){.function = name}, "list::address", NULL));
	CHECK(!matches((struct tl_skip){.function = name}, "add", NULL));
	CHECK(!matches((struct tl_skip){.function = name}, NULL, "/a/list.c"));
}

TEST(a_function_is_skipped_by_an_expression)
{
	struct tl_skips skips = {0};
	const struct tl_skip *made;

	CHECK(matches((struct tl_skip){.function = expression, .regular = true}, "list::add", NULL));
	CHECK(!matches((struct tl_skip){.function = expression, .regular = true}, "my::list::add", NULL));
	CHECK_EQUAL(tl_skips_add(&skips, &(struct tl_skip){.function = broken, .regular = true}, &made, NULL),
		    TL_ERROR_ARGUMENT);
	CHECK_EQUAL(skips.count, 0);
	tl_skips_release(&skips);
}

TEST(a_file_is_skipped_by_any_tail_of_its_path)
{
	CHECK(matches((struct tl_skip){.file = path}, "add", "/a/src/list.c"));
	CHECK(matches((struct tl_skip){.file = path}, NULL, "src/list.c"));
	CHECK(!matches((struct tl_skip){.file = path}, "add", "/a/mysrc/list.c"));
	CHECK(!matches((struct tl_skip){.file = path}, "add", "list.c"));
	CHECK(!matches((struct tl_skip){.file = path}, "add", NULL));
}

TEST(a_file_is_skipped_by_a_pattern)
{
	CHECK(matches((struct tl_skip){.file = pattern, .glob = true}, "add", "/usr/include/vector.h"));
	CHECK(!matches((struct tl_skip){.file = pattern, .glob = true}, "add", "/usr/include/vector"));
	CHECK(matches((struct tl_skip){.file = whole_pattern, .glob = true}, "add", "/usr/include/sys/stat.h"));
	CHECK(!matches((struct tl_skip){.file = whole_pattern, .glob = true}, "add", "/usr/include/stat.h"));
}

TEST(both_must_match_and_what_is_off_does_not)
{
	struct tl_skips skips = {0};
	const struct tl_skip *made;

	REQUIRE(tl_skips_add(&skips, &(struct tl_skip){.function = name, .file = path}, &made, NULL) == TL_OK);
	CHECK_EQUAL(made->number, 1);
	CHECK(tl_skips_match(&skips, "list::add", "/x/src/list.c"));
	CHECK(!tl_skips_match(&skips, "list::add", "/x/src/other.c"));
	CHECK(!tl_skips_match(&skips, "list::size", "/x/src/list.c"));
	skips.items[0].enabled = false;
	CHECK(!tl_skips_match(&skips, "list::add", "/x/src/list.c"));
	tl_skips_remove(&skips, 0);
	REQUIRE(tl_skips_add(&skips, &(struct tl_skip){.function = name}, &made, NULL) == TL_OK);
	CHECK_EQUAL(made->number, 2);
	tl_skips_release(&skips);
}
