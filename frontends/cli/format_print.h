/*
 * `printf`, `dprintf` and `eval`: a format as in C, and expressions of the program for its arguments. `echo`: escapes
 * as in C. GDB manual, "Commands for Controlled Output". Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_FORMAT_PRINT_H
#define TL_FRONTENDS_CLI_FORMAT_PRINT_H

#include "symbols/output.h"

struct tl_cli;

/* `words`: "FORMAT", ARGUMENT, … Strings (%s) are read from the program. */
TL_CHECKED enum tl_status tl_format_print(struct tl_cli *cli, const char *words, struct tl_output *output,
					  struct tl_error *error);

/* \n, \t, \\, \", \a, \033 …; a backslash and a newline are nothing, a backslash at the very end neither. */
void tl_format_escapes(const char *text, tl_size size, struct tl_output *output);

#endif
