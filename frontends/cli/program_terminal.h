/*
 * The terminal of a program that is debugged: a pseudo terminal of its own. What the program writes is shown in order
 * with what the debugger says, and never inside a half-typed line; what is typed while it runs in the foreground goes
 * to it, but for ^C. It has the size and the modes that our terminal had. Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_PROGRAM_TERMINAL_H
#define TL_FRONTENDS_CLI_PROGRAM_TERMINAL_H

#include "base/error.h"
#include "base/loop.h"
#include "frontends/cli/screen.h"
#include "frontends/cli/terminal.h"

struct tl_program_terminal;

/*
 * Makes one, for one run of a program; `terminal` is ours, whose keys it gets. The caller closes, which for programs
 * that are still on it is as if their terminal were closed.
 */
TL_CHECKED enum tl_status tl_program_terminal_open(struct tl_program_terminal **program_ret, struct tl_loop *loop,
						   struct tl_screen *screen, struct tl_terminal *terminal,
						   struct tl_error *error);
/* NULL is fine. */
void tl_program_terminal_close(struct tl_program_terminal *program);

/* Its path, for tl_launch's `terminal`. */
const char *tl_program_terminal_path(const struct tl_program_terminal *program);

/* From now on keys go to the program; or no longer. NULL is fine. */
void tl_program_terminal_foreground(struct tl_program_terminal *program, bool on);

/* Shows all that was written until now: before a stop is told. Never waits. NULL is fine. */
void tl_program_terminal_drain(struct tl_program_terminal *program);

/* Our window has another size. NULL is fine. */
void tl_program_terminal_resized(struct tl_program_terminal *program);

#endif
