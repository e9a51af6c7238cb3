/*
 * A unit test is an executable of TEST functions; `./test-NAME` runs all of them, `./test-NAME SUBSTRING` those whose
 * names contain it. Output is one line a test and TAP-like totals; the exit status says whether all passed.
 */
#ifndef TL_TESTS_UNIT_TEST_H
#define TL_TESTS_UNIT_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

static struct test_case *test_first, **test_last = &test_first;
static unsigned test_failures;
static const char *test_current;

#define TEST(test_name)                                                                                                \
	static void test_name(void);                                                                                   \
	static struct test_case test_case_##test_name = {#test_name, test_name, NULL};                                 \
	__attribute__((constructor)) static void test_register_##test_name(void)                                       \
	{                                                                                                              \
		*test_last = &test_case_##test_name;                                                                   \
		test_last = &test_case_##test_name.next;                                                               \
	}                                                                                                              \
	static void test_name(void)

/* Records a failure and goes on. */
#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			printf("  %s:%d: %s: not so: %s\n", __FILE__, __LINE__, test_current, #condition);             \
			test_failures++;                                                                               \
		}                                                                                                      \
	} while (0)

/* Records a failure and leaves the test. */
#define REQUIRE(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			printf("  %s:%d: %s: not so: %s\n", __FILE__, __LINE__, test_current, #condition);             \
			test_failures++;                                                                               \
			return;                                                                                        \
		}                                                                                                      \
	} while (0)

#define CHECK_EQUAL(a, b)                                                                                              \
	do {                                                                                                           \
		unsigned long long check_a = (unsigned long long)(a), check_b = (unsigned long long)(b);               \
		if (check_a != check_b) {                                                                              \
			printf("  %s:%d: %s: %s is 0x%llx, %s is 0x%llx\n", __FILE__, __LINE__, test_current, #a,      \
			       check_a, #b, check_b);                                                                  \
			test_failures++;                                                                               \
		}                                                                                                      \
	} while (0)

#define CHECK_TEXT(a, b)                                                                                               \
	do {                                                                                                           \
		const char *check_a = (a), *check_b = (b);                                                             \
		if (strcmp(check_a, check_b) != 0) {                                                                   \
			printf("  %s:%d: %s: %s is\n    \"%s\", wanted\n    \"%s\"\n", __FILE__, __LINE__,             \
			       test_current, #a, check_a, check_b);                                                    \
			test_failures++;                                                                               \
		}                                                                                                      \
	} while (0)

int main(int count, char **arguments)
{
	unsigned passed = 0, failed = 0;

	for (struct test_case *test = test_first; test != NULL; test = test->next) {
		unsigned before = test_failures;

		if (count > 1 && strstr(test->name, arguments[1]) == NULL)
			continue;
		test_current = test->name;
		test->run();
		if (test_failures == before)
			passed++;
		else
			failed++;
		printf("%s %s\n", test_failures == before ? "ok" : "FAILED", test->name);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0 || passed == 0;
}

#endif
