/*
 * What `help` and `apropos` say, from the rows of the tables. Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_HELP_H
#define TL_FRONTENDS_CLI_HELP_H

#include "base/error.h"
#include "core/types.h"

struct tl_cli;

/* `help`, `help all`, `help CLASS`, `help COMMAND…`, `help set …`. Names that are none are errors. */
TL_CHECKED enum tl_status tl_help(struct tl_cli *cli, const char *words, struct tl_error *error);

/* Every command and setting whose name or help matches a regular expression, in any case; `whole`: with all help. */
TL_CHECKED enum tl_status tl_apropos(struct tl_cli *cli, const char *pattern, bool whole, struct tl_error *error);

#endif
