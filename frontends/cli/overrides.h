/*
 * Settings that are other ones for the time of one command: `with`, and options of `print`. Control thread.
 */
#ifndef TL_FRONTENDS_CLI_OVERRIDES_H
#define TL_FRONTENDS_CLI_OVERRIDES_H

#include "frontends/cli/settings.h"

#define TL_OVERRIDES_MAX 16

struct tl_overrides {
	struct {
		const struct tl_setting *row;
		char *before; /* what it was, as `set` takes it */
	} items[TL_OVERRIDES_MAX];
	tl_size count;
};

/* Sets one, and remembers what it was. TL_ERROR_UNSUPPORTED: it has no value that could be put back. */
TL_CHECKED enum tl_status tl_overrides_set(struct tl_cli *cli, struct tl_overrides *overrides,
					   const struct tl_setting *row, const char *words, struct tl_error *error);

/* Puts all back, the last one first. */
void tl_overrides_undo(struct tl_cli *cli, struct tl_overrides *overrides);

/*
 * Reads options in front of "--" ("-pretty -elements 3 -- x") that are settings whose names begin with `topic`
 * ("print"); *at goes behind it. Without "--" there are none, as what looks like one may be an expression. The caller
 * undoes what was set, also after an error.
 */
TL_CHECKED enum tl_status tl_overrides_take(struct tl_cli *cli, struct tl_overrides *overrides, const char *topic,
					    const char **at, struct tl_error *error);

#endif
