/*
 * Bytes to whoever reads what the prompt writes: a terminal, a pipe, a log. A reader may be slow, may have stopped its
 * terminal (^S), and another program may have set the descriptor to non-blocking (O_NONBLOCK belongs to the open file,
 * which all have in common): nothing is lost by that.
 */
#ifndef TL_FRONTENDS_CLI_WRITING_H
#define TL_FRONTENDS_CLI_WRITING_H

#include "core/types.h"

/*
 * Writes all of it, waiting for the reader as long as there is one. False, and the rest is lost: the reader is gone, or
 * SIGINT, SIGTERM or SIGHUP is pending while the reader takes nothing, so that a person can always get out of here.
 * Those signals are blocked, as base/loop.h has it, and stay pending for the loop. Any thread.
 */
bool tl_write_patiently(int descriptor, const char *bytes, tl_size size);

#endif
