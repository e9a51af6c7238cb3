/*
 * Commands of gdb that are not there: what to do instead. They are in no list of commands and complete nothing.
 */
#ifndef TL_FRONTENDS_CLI_ABSENT_H
#define TL_FRONTENDS_CLI_ABSENT_H

#include "core/types.h"

/* A sentence for the line that a person typed, by its first word, or its first two; NULL: it is no such command. */
const char *tl_absent_answer(const char *line);

#endif
