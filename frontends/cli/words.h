/*
 * The words of a command as a string of their own, which functions that want a zero byte at the end can have.
 */
#ifndef TL_FRONTENDS_CLI_WORDS_H
#define TL_FRONTENDS_CLI_WORDS_H

#include "frontends/cli/command.h"

/* The caller frees. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_words_copy(const struct tl_command_line *line, char **words_ret, struct tl_error *error);

/* Takes a word from the front of a text if it is there by itself ("-full"), with the spaces behind it. */
bool tl_words_take(const char **at, const char *word);

/* Copies the words, calls, frees: for commands that only need them while they run. */
TL_CHECKED enum tl_status tl_words_with(struct tl_cli *cli, const struct tl_command_line *line,
					enum tl_status (*call)(struct tl_cli *cli, const char *words,
							       const struct tl_command_line *line,
							       struct tl_error *error),
					struct tl_error *error);

#endif
