#include "base/error.h"
#include "tests/unit/test.h"

#include <errno.h>

TEST(an_error_holds_what_it_was_given)
{
	struct tl_error error;
	int line = __LINE__ + 1;
	enum tl_status status = TL_FAIL(&error, TL_ERROR_ARGUMENT, "no file %s, %d tries", "abc", 3);

	CHECK_EQUAL(status, TL_ERROR_ARGUMENT);
	CHECK_EQUAL(error.status, TL_ERROR_ARGUMENT);
	CHECK_EQUAL(error.system, 0);
	CHECK_TEXT(error.text, "no file abc, 3 tries");
	CHECK_EQUAL(error.line, line);
	CHECK(strstr(error.file, "test_error.c") != NULL);
}

TEST(an_errno_is_told_and_kept)
{
	struct tl_error error;

	errno = ENOENT;
	CHECK_EQUAL(TL_FAIL_ERRNO(&error, TL_ERROR_SYSTEM, "cannot open %s", "x"), TL_ERROR_SYSTEM);
	CHECK_TEXT(error.text, "cannot open x: No such file or directory");
	CHECK_EQUAL(error.system, ENOENT);
	CHECK_EQUAL(errno, ENOENT);
}

TEST(nobody_has_to_care)
{
	CHECK_EQUAL(TL_FAIL(NULL, TL_ERROR_GONE, "gone"), TL_ERROR_GONE);
}

TEST(a_long_text_is_cut_but_keeps_its_errno)
{
	struct tl_error error;
	char name[1000];
	static const char tail[] = "x: No such file or directory";

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK_EQUAL(tl_error_set(&error, TL_ERROR_SYSTEM, ENOENT, "f", 1, "%s", name), TL_ERROR_SYSTEM);
	CHECK_EQUAL(strlen(error.text), sizeof(error.text) - 1);
	CHECK_TEXT(error.text + strlen(error.text) - strlen(tail), tail);
}
