/*
 * Escapes of C in texts that a person types, as `echo` has them (GDB manual, "Commands for Controlled Output").
 */
#ifndef TL_FRONTENDS_CLI_ESCAPES_H
#define TL_FRONTENDS_CLI_ESCAPES_H

#include "symbols/output.h"

/* \n, \t, \\, \", \a, \033 …; a backslash and a newline are nothing, a backslash at the very end neither. */
void tl_escapes_undo(const char *text, tl_size size, struct tl_output *output);

#endif
