/*
 * Commands of the person's shell. Control thread, outside of a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_SHELL_H
#define TL_FRONTENDS_CLI_SHELL_H

#include "base/error.h"

struct tl_cli;

/*
 * Runs a command in the shell that $SHELL names, or the shell itself for "", and waits for its end, which
 * $_shell_exitcode or $_shell_exitsignal then tell. `input` is its standard input; -1: ours.
 */
TL_CHECKED enum tl_status tl_shell_run(struct tl_cli *cli, const char *words, int input, struct tl_error *error);

#endif
