/*
 * Setting programs going from the prompt, and waiting for them: in the foreground, with the terminal handed to the
 * program and ^C for us; or in the background, while the prompt answers. Control thread, outside of a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_RUNNING_H
#define TL_FRONTENDS_CLI_RUNNING_H

#include "debugger/session/session.h"

struct tl_cli;

/* Errors with gdb's sentence: there is no program; or it runs. */
TL_CHECKED enum tl_status tl_running_alive(struct tl_cli *cli, struct tl_error *error);
TL_CHECKED enum tl_status tl_running_stopped(struct tl_cli *cli, struct tl_error *error);

/* The same, and it is a program that can run: a core dump stands for ever. */
TL_CHECKED enum tl_status tl_running_ready(struct tl_cli *cli, struct tl_error *error);

/* The same, and its past can be gone back to; else an error that says which targets can. */
TL_CHECKED enum tl_status tl_running_reverses(struct tl_cli *cli, struct tl_error *error);

/* Resumes by a plan; waits and tells of the stop unless `background`. */
TL_CHECKED enum tl_status tl_running_resume(struct tl_cli *cli, const struct tl_plan *plan, bool background,
					    struct tl_error *error);

/* Waits for the next stop in the foreground, and tells of it. ^C interrupts the program. */
TL_CHECKED enum tl_status tl_running_wait(struct tl_cli *cli, struct tl_error *error);

/* Tells of stops of programs in the background; between lines. */
void tl_running_idle(struct tl_cli *cli);

/*
 * Starts the program with the arguments, environment, folder and terminal of the settings; it stands at its first
 * instruction, and nothing was said yet but "Starting program: …".
 */
TL_CHECKED enum tl_status tl_running_launch(struct tl_cli *cli, struct tl_error *error);

/* Attaches, waits until it stands, and tells where. */
TL_CHECKED enum tl_status tl_running_attach(struct tl_cli *cli, tl_u64 process, bool background,
					    struct tl_error *error);

/* Ends what runs, if the person agrees: before it is started anew or another is attached to. CANCELLED: not. */
TL_CHECKED enum tl_status tl_running_make_way(struct tl_cli *cli, const char *question, struct tl_error *error);

/* ^C of the terminal while it is not reading a line; inside of a turn. */
void tl_running_interrupt(struct tl_cli *cli);

#endif
