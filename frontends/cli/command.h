/*
 * Commands as a person types them: a table of words, some with tables of further words behind them ("info threads"),
 * found by their names, by any beginning of a name that only one has, or by a short form that a row claims ("s" is
 * step, though set and show begin with it).
 *
 * Nothing here knows what a command does. The rules are gdb's (GDB manual, "Command Syntax"), so that fingers need not
 * learn.
 */
#ifndef TL_FRONTENDS_CLI_COMMAND_H
#define TL_FRONTENDS_CLI_COMMAND_H

#include "base/error.h"
#include "core/cursor.h"
#include "core/types.h"

struct tl_cli;
struct tl_command_line;

/* What a command wants or allows. */
enum tl_command_flag {
	TL_COMMAND_FORMAT = 1 << 0,  /* takes /FMT right behind its name */
	TL_COMMAND_REPEAT = 1 << 1,  /* an empty line runs it again, with the same words */
	TL_COMMAND_RESTART = 1 << 2, /* with REPEAT: runs it again without its words, to go on where it ended */
	TL_COMMAND_PROGRAM = 1 << 3, /* needs a program that was started */
	TL_COMMAND_STOPPED = 1 << 4  /* and that it stands still */
};

/* A row. Tables are constant and end with a row whose name is NULL. */
struct tl_command {
	const char *name;
	const char *shorts; /* short forms that are this row's whatever else begins so, between spaces; NULL: none */
	const struct tl_command *subcommands; /* NULL: none */
	tl_u32 flags;
	const char *arguments; /* "[COUNT]", as help shows them; NULL: none */
	const char *summary;   /* one line, without final period */
	const char *details;   /* more lines, an example among them; NULL: none */
	/* NULL in a row that has subcommands and does nothing itself. */
	TL_CHECKED enum tl_status (*run)(struct tl_cli *cli, const struct tl_command_line *line,
					 struct tl_error *error);
	void (*complete)(struct tl_cli *cli, const char *words);
};

/* The longest line, and how many words deep tables go. */
#define TL_COMMAND_LINE_MAX 65536
#define TL_COMMAND_DEPTH_MAX 4

/* What stands behind a slash: a count, a letter for the format, one for the size; 0 where there is none. */
struct tl_format {
	tl_i64 count; /* negative counts go back in memory */
	bool has_count;
	char letter;  /* o x z d u t f a i c s */
	char size;    /* b h w g */
	bool raw;     /* r */
	tl_u32 flags; /* further letters that a command knows: bit n for 'a' + n; m, s and r of disassemble */
};

/* A line, taken apart. Points into the text that it was found in. */
struct tl_command_line {
	const struct tl_command *command;
	const struct tl_command *path[TL_COMMAND_DEPTH_MAX]; /* from the topmost table down; NULL behind the last */
	const char *format;                                  /* behind the slash; "" for none */
	tl_size format_size;
	const char *words; /* what stands behind the command, without spaces around it */
	tl_size size;
};

/*
 * Finds the command that a line begins with. TL_ERROR_ARGUMENT with a sentence: there is none of that name, or several
 * begin so (they are named), or a further word is missing. An empty line has no command: line_ret->command is NULL.
 */
TL_CHECKED enum tl_status tl_command_find(const struct tl_command *table, const char *text, tl_size size,
					  struct tl_command_line *line_ret, struct tl_error *error);

/*
 * Calls back with every full word that may stand where the text ends: rows of a table that begin as its last word does.
 * Returns the row behind which the text goes on with something else, to ask its `complete`, and where that begins; NULL
 * when the text ends in the name of a command itself.
 */
const struct tl_command *tl_command_complete(const struct tl_command *table, const char *text, tl_size size,
					     void (*call)(void *context, const struct tl_command *row), void *context,
					     const char **rest_ret);

/*
 * Reads what stands behind the slash. Letters that are neither a format nor a size of gdb's nor in `others` ("ms") are
 * an error.
 */
TL_CHECKED enum tl_status tl_format_read(const struct tl_command_line *line, const char *others,
					 struct tl_format *format_ret, struct tl_error *error);

/* Writes a row's full name, "info threads". */
void tl_command_name(const struct tl_command_line *line, struct tl_writer *writer);

#endif
