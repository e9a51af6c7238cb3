/*
 * Points as the prompt tells of them, and the numbers that people name them by. Control thread.
 */
#ifndef TL_FRONTENDS_CLI_POINTS_H
#define TL_FRONTENDS_CLI_POINTS_H

#include "debugger/session/session.h"

struct tl_cli;

/* "Note: breakpoint 1 also set at pc 0x401136.", to a person, of the others that stand where a new one does. */
void tl_point_note(struct tl_cli *cli, const struct tl_breakpoint *point);

/* "Breakpoint 1 at 0x401136: file x.c, line 5.", as after `break`. */
void tl_point_tell(struct tl_cli *cli, const struct tl_breakpoint *point);

/* "Hardware watchpoint", as when it is made and hit. */
const char *tl_watch_title(const struct tl_breakpoint *point);

/* "hw watchpoint", as in `info breakpoints`. */
const char *tl_point_type(const struct tl_breakpoint *point);

/*
 * Calls back for each number of a list: "1 3-5 $n 2.1"; `location` is 0 where none was given. Stops at the first error,
 * also of a callback. TL_ERROR_ARGUMENT for what is no number.
 */
TL_CHECKED enum tl_status tl_numbers_each(struct tl_cli *cli, const char *words,
					  enum tl_status (*call)(struct tl_cli *cli, void *context, tl_u32 number,
								 tl_u32 location, struct tl_error *error),
					  void *context, struct tl_error *error);

/* `info breakpoints`; `watch_only`: of watchpoints. `words` may have numbers. */
TL_CHECKED enum tl_status tl_points_list(struct tl_cli *cli, const char *words, bool watch_only,
					 struct tl_error *error);

#endif
