/*
 * Where lines of commands come from: the terminal, or a text (a file, the body of a command that the user defined, of
 * an `if`), each in the middle of another. Bodies are read as text, up to the `end` that belongs to them, and carried
 * out by reading from that text. GDB manual, "Command Files" and "User-defined Commands". Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_SCRIPT_H
#define TL_FRONTENDS_CLI_SCRIPT_H

#include "base/error.h"
#include "core/types.h"
#include "symbols/output.h"

struct tl_cli;

/* Files of commands are no larger. */
#define TL_SCRIPT_MAX ((tl_size)16 << 20)

struct tl_reader {
	const char *at, *end;
	const char *file; /* for messages; NULL: not a file */
	tl_u32 line;      /* of the line read last */
	struct tl_reader *outer;
	/* Of a user's command: its words, for $argc, $arg0, …; NULL: those of the outer one. */
	const char *words;
};

/* On the way out of bodies, up to the `while` around them: struct tl_cli's `leaving`. */
enum tl_script_leaving { TL_SCRIPT_STAYS, TL_SCRIPT_BREAKS, TL_SCRIPT_CONTINUES };

/*
 * The next line from wherever lines come from now; from the terminal with a prompt. *line_ret is the caller's to free;
 * NULL at the end of that text, or of the input. TL_ERROR_CANCELLED: ^C.
 */
TL_CHECKED enum tl_status tl_script_line(struct tl_cli *cli, const char *prompt, char **line_ret,
					 struct tl_error *error);

/*
 * Reads lines up to the `end` that belongs to what was just read, without it, bodies inside bodies and all. `title` is
 * said to a person before the first ("Type commands for …"); NULL: nothing is. `verbatim`: lines are no commands, the
 * first `end` is it. The end of the input, too, ends it. The caller releases *body_ret, which was made.
 */
TL_CHECKED enum tl_status tl_script_body(struct tl_cli *cli, const char *title, bool verbatim,
					 struct tl_output *body_ret, struct tl_error *error);

/*
 * Carries out a text, line by line, until one fails, ^C, or the debugger is to end. `file`: what messages call it, or
 * NULL; `words`: of a user's command, or NULL.
 */
TL_CHECKED enum tl_status tl_script_run(struct tl_cli *cli, const char *text, tl_size size, const char *file,
					const char *words, struct tl_error *error);

/* Reads a file and carries it out. */
TL_CHECKED enum tl_status tl_script_file(struct tl_cli *cli, const char *path, struct tl_error *error);

/* The line with $argc, $arg0 … and $* of the user's command that runs now put in. The caller releases `line_ret`. */
void tl_script_substitute(const struct tl_cli *cli, const char *line, struct tl_output *line_ret);

/* The word at *at, with quotes and backslashes as a shell has them taken off, or left on where `raw`; false at the end.
 */
bool tl_script_word(const char **at, const char *end, bool raw, struct tl_output *word_ret);

/* `else` of an `if`'s body, not of one inside it: its start, and where the line behind it begins; false: none. */
bool tl_script_else(const char *body, tl_size size, tl_size *else_ret, tl_size *after_ret);

#endif
