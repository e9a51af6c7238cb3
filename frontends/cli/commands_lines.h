/*
 * `info line`. Control thread.
 */
#ifndef TL_FRONTENDS_CLI_COMMANDS_LINES_H
#define TL_FRONTENDS_CLI_COMMANDS_LINES_H

#include "base/error.h"

struct tl_cli;
struct tl_command_line;

/* Carries the command out. TL_ERROR_NO_SYMBOL and what reading a place says. */
TL_CHECKED enum tl_status tl_command_info_line(struct tl_cli *cli, const struct tl_command_line *line,
					       struct tl_error *error);

#endif
