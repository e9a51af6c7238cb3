/*
 * Checks that the command makes of itself, on the machine that it runs on: --selftest. Each takes one part of what is
 * linked into it through work whose outcome is known, without a process, a file or a connection. The tests of the tree
 * go far beyond these; these go wherever the command goes.
 */
#ifndef TL_FRONTENDS_SELFTEST_H
#define TL_FRONTENDS_SELFTEST_H

#include <stdio.h>

struct tl_selftest {
	const char *name;         /* NULL ends a table */
	const char *(*run)(void); /* NULL: all is well; otherwise what is not, valid for good */
};

/* Those that there are. */
extern const struct tl_selftest tl_selftests[];

/*
 * Runs every test of the table whose name contains `filter` (NULL: all), and says so on `stream` in gdbserver's words.
 * 0 when none failed, 1 otherwise.
 */
int tl_selftest_run(const struct tl_selftest *tests, const char *filter, FILE *stream);

#endif
