/* The command's own checks: that all of them pass here, and that one that does not is told. */
#include "tests/unit/test.h"
#include "frontends/selftest.h"

static char text[4096];

static int run(const struct tl_selftest *tests, const char *filter)
{
	FILE *stream = fmemopen(text, sizeof(text), "w");
	int status;

	if (stream == NULL)
		abort();
	status = tl_selftest_run(tests, filter, stream);
	fclose(stream);
	return status;
}

static const char *pass(void)
{
	return NULL;
}

static const char *fail(void)
{
	return "not so: two is three";
}

TEST(every_builtin_check_passes)
{
	unsigned count = 0;
	char line[64];

	while (tl_selftests[count].name != NULL)
		count++;
	CHECK(count > 10);
	CHECK_EQUAL(run(tl_selftests, NULL), 0);
	snprintf(line, sizeof(line), "Ran %u unit tests, 0 failed\n", count);
	CHECK(strstr(text, line) != NULL);
	CHECK(strstr(text, "failed: ") == NULL);
	if (test_failures != 0)
		printf("%s", text);
}

TEST(a_check_that_fails_is_told)
{
	static const struct tl_selftest tests[] = {{"one", pass}, {"two", fail}, {"three", pass}, {NULL, NULL}};

	CHECK_EQUAL(run(tests, NULL), 1);
	CHECK_TEXT(text, "Running selftest one.\nRunning selftest two.\nSelf test failed: not so: two is three\n"
			 "Running selftest three.\nRan 3 unit tests, 1 failed\n");
	CHECK_EQUAL(run(tests, "e"), 0);
	CHECK_TEXT(text, "Running selftest one.\nRunning selftest three.\nRan 2 unit tests, 0 failed\n");
	CHECK_EQUAL(run(tests, "none"), 0);
	CHECK_TEXT(text, "Ran 0 unit tests, 0 failed\n");
}
