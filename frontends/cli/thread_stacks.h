/*
 * The stacks of all threads, each that several threads have in common once: what a person looks for first in a program
 * with a thousand of them. Control thread, outside of a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_THREAD_STACKS_H
#define TL_FRONTENDS_CLI_THREAD_STACKS_H

#include "frontends/cli/command.h"

/* `thread stacks`: as help says. */
TL_CHECKED enum tl_status tl_thread_stacks(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
					   struct tl_error *error);

#endif
