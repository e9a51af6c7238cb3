/*
 * Command lines: one table of options for each command, from which come the parsing and the --help text. The manual
 * pages are written by hand; a test holds them to the tables' lists.
 */
#ifndef TL_FRONTENDS_SERVE_OPTIONS_H
#define TL_FRONTENDS_SERVE_OPTIONS_H

#include "base/error.h"

#include <stdio.h>

enum tl_option_value {
	TL_VALUE_NONE,
	TL_VALUE_WORD,   /* --name VALUE or --name=VALUE */
	TL_VALUE_EQUALS, /* --name=VALUE only */
	TL_VALUE_WORDS   /* every word up to "--" */
};

struct tl_option {
	const char *name; /* "--once"; NULL with `help`: a heading; NULL without: the end of the table */
	enum tl_option_value kind;
	const char *value; /* what to call the value in the help */
	const char *help;  /* lines separated by \n; "" for an option that the help leaves to the one above it */
	int id;            /* the caller's */
};

/* Goes through a command line. Begin with {arguments + 1, table}; `at` then stands at what is no option. */
struct tl_option_reader {
	char **at;
	const struct tl_option *table;
	const struct tl_option *more; /* a table that is looked into next, whose ids are others; NULL: none */
	const char *value;            /* of the option just read, NULL for none */
	const char *const *words;     /* of a TL_VALUE_WORDS option, NULL-terminated in place of the "--" */
};

/*
 * Takes the next option: its id, 0 when the next word is none (or is "-"), -1 for an unknown one, a value that is
 * missing or one too many, with `error` filled in. "--" by itself is taken, and ends the options.
 */
int tl_option_next(struct tl_option_reader *reader, struct tl_error *error);

/* The options with their help, one a line or more. */
void tl_options_print(const struct tl_option *table, FILE *stream);

#endif
