/*
 * Programs side by side at the prompt: what each is started with (arguments, folder, environment, terminal), which is
 * that of the selected one in the settings; and the words of lists. Control thread.
 */
#ifndef TL_FRONTENDS_CLI_INFERIORS_H
#define TL_FRONTENDS_CLI_INFERIORS_H

#include "debugger/session/session.h"

struct tl_cli;
struct tl_program_terminal;
struct tl_output;

/* What belongs to an inferior that is not selected. Of the selected one it is in the settings, and here it is empty. */
struct tl_cli_inferior {
	tl_u32 number;
	char *arguments, *working_directory, *inferior_tty, **environment;
	struct tl_program_terminal *terminal;
	struct tl_cli_inferior *next;
};

/* Another inferior may have been selected: the settings become those of it. Before each command. */
void tl_inferiors_follow(struct tl_cli *cli);
/* Gives an inferior that is not selected what the selected one is started with, but for its terminal. */
TL_CHECKED enum tl_status tl_inferiors_copy_settings(struct tl_cli *cli, tl_u32 number, struct tl_error *error);
void tl_inferiors_release(struct tl_cli *cli);

/* The terminal of the selected inferior, else of one that it may have come from; NULL: none. */
struct tl_program_terminal *tl_inferiors_terminal(struct tl_cli *cli);
/* Shows what programs have written until now. */
void tl_inferiors_drain(struct tl_cli *cli);
void tl_inferiors_resized(struct tl_cli *cli);

/* Has any of them a process? */
bool tl_inferiors_alive(const struct tl_cli *cli);

/* "process 4711" or "<null>"; "1 (native)" or "". */
void tl_inferior_write_process(struct tl_cli *cli, const struct tl_inferior_info *info, struct tl_output *output);
void tl_inferior_write_connection(struct tl_cli *cli, const struct tl_inferior_info *info, struct tl_output *output);

#endif
