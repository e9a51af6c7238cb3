/*
 * What may stand where the cursor is. The words of commands come from the table; behind a command its row's `complete`
 * is asked, which offers whole words (tl_complete_offer). Whoever adds a kind of thing (functions, variables, fields,
 * threads) writes such a function and names it in the rows. Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_COMPLETE_H
#define TL_FRONTENDS_CLI_COMPLETE_H

#include "core/types.h"

struct tl_cli;

/*
 * Calls back for each word that may stand at the end of `line` in place of what stands there from `start` on: whole
 * words, each once, in the order of the alphabet, no more than `set max-completions` says.
 */
void tl_complete(struct tl_cli *cli, const char *line, tl_size start, void (*call)(void *context, const char *word),
		 void *context);

/* What ends a word at the end of a line: a constant. */
const char *tl_complete_breaks(struct tl_cli *cli, const char *line);
/* Where the last word of a line begins, by those. */
tl_size tl_complete_start(struct tl_cli *cli, const char *line);

/* For rows' `complete`: the word as far as it was typed; a candidate, which is left out if it does not begin so. */
const char *tl_complete_word(const struct tl_cli *cli);
void tl_complete_offer(struct tl_cli *cli, const char *candidate);
/* True when no more are wanted. */
bool tl_complete_full(const struct tl_cli *cli);

#endif
