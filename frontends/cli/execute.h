/*
 * What a line does: comments, aliases, words of a user's command put in, hooks, the command found and carried out.
 * Control thread, outside of a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_EXECUTE_H
#define TL_FRONTENDS_CLI_EXECUTE_H

#include "base/error.h"
#include "frontends/cli/script.h"

struct tl_cli;

/* A line from a text, or one that another command puts together ("thread apply all bt"). */
TL_CHECKED enum tl_status tl_execute_line(struct tl_cli *cli, const char *line, struct tl_error *error);

/*
 * A line that a person typed, or that stands on the command line: an empty one repeats; its error is told on standard
 * error. False when there was one.
 */
bool tl_execute_typed(struct tl_cli *cli, const char *line);

/* Runs a hook ("hook-stop") if somebody defined it. */
TL_CHECKED enum tl_status tl_execute_hook(struct tl_cli *cli, const char *prefix, const char *name,
					  struct tl_error *error);

#endif
