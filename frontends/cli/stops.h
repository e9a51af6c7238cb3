/*
 * What is said when a program stops or ends, in gdb's words. Control thread, outside of a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_STOPS_H
#define TL_FRONTENDS_CLI_STOPS_H

#include "debugger/session/session.h"

struct tl_cli;

/*
 * Tells of a stop: what the program wrote before it, the reason, the place, displays; `hook-stop` first. Nothing of it
 * where the point's commands begin with "silent".
 */
void tl_stop_tell(struct tl_cli *cli, const struct tl_stop *stop);

/* "Program received signal SIGUSR1, User defined signal 1.", with the thread where there are several. */
void tl_stop_tell_signal(struct tl_cli *cli, struct tl_thread_id thread, tl_i32 number);

/*
 * Carries out the commands of the points that were hit last, once: after the command that ran the program is done. They
 * may run it again.
 */
TL_CHECKED enum tl_status tl_stop_commands(struct tl_cli *cli, struct tl_error *error);

/* Remembers which points' commands are to be carried out; told by tl_stop_tell. */
void tl_stop_forget_commands(struct tl_cli *cli);

#endif
