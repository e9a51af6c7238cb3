/*
 * All commands. Each topic has a constant table next to the functions that carry its commands out (commands_*.c), and a
 * row here; from these the one table is put together in which names are found and abbreviated. What a person defines
 * and aliases is added to it.
 *
 * To add a command: a row in its topic's table, with a summary, its arguments, and details that hold an example. To add
 * a topic: a table, and a line in table.c.
 */
#ifndef TL_FRONTENDS_CLI_TABLE_H
#define TL_FRONTENDS_CLI_TABLE_H

#include "frontends/cli/command.h"

struct tl_command_topic {
	const char *name;    /* a class of gdb's, as in `help running` */
	const char *summary; /* "Running the program" */
	const struct tl_command *rows;
	const struct tl_command *info; /* behind `info`; NULL: none */
};

/* What a person defined: its row's name, the body, and what `document` said. */
struct tl_user_command {
	char *name;
	char *body;
	char *help; /* NULL: none */
	struct tl_user_command *next;
};

/* An alias: a name, and what stands for it. */
struct tl_alias {
	char *name;
	char *text;
	bool abbreviation; /* -a: not for lists */
	struct tl_alias *next;
};

struct tl_table {
	struct tl_command *rows; /* ends with a row without a name */
	tl_size count, capacity;
	struct tl_command *info;
	struct tl_user_command *users;
	struct tl_alias *aliases;
	void *retired; /* tables that a command which runs may still point into */
};

/* The topics, ended by one without a name. */
extern const struct tl_command_topic tl_command_topics[];

TL_CHECKED enum tl_status tl_table_open(struct tl_table *table, struct tl_error *error);
void tl_table_close(struct tl_table *table);

/*
 * Adds or changes a command of the user's. The name is one word. `body` is taken over, also on failure. A built-in
 * command of that name is no longer found.
 */
TL_CHECKED enum tl_status tl_table_define(struct tl_table *table, const char *name, char *body, struct tl_error *error);
struct tl_user_command *tl_table_user(const struct tl_table *table, const char *name);

TL_CHECKED enum tl_status tl_table_alias(struct tl_table *table, const char *name, const char *text, bool abbreviation,
					 struct tl_error *error);
const struct tl_alias *tl_table_find_alias(const struct tl_table *table, const char *name, tl_size size);

/* The topic that a row was made from; NULL for a user's. */
const struct tl_command_topic *tl_table_topic(const char *name);

#endif
