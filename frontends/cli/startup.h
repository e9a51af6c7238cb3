/*
 * What is done before the first prompt: files of commands that lie ready, and what the command line asked for. GDB
 * manual, "Startup". Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_STARTUP_H
#define TL_FRONTENDS_CLI_STARTUP_H

#include "base/error.h"
#include "core/types.h"

struct tl_cli;
struct tl_cli_options;

/* Before the program is read: early files and commands, and the person's own init file. */
void tl_startup_early(struct tl_cli *cli, const struct tl_cli_options *options);

/* The program, the process to attach to, the core: what the command line named. */
bool tl_startup_program(struct tl_cli *cli, const struct tl_cli_options *options);

/* Makes a file the program, as `file` does: found as a shell finds it. */
TL_CHECKED enum tl_status tl_startup_file(struct tl_cli *cli, const char *name, struct tl_error *error);

/* After it: .trapline of the folder, if that is safe, then -x and -ex in their order. False: the last one failed. */
bool tl_startup_late(struct tl_cli *cli, const struct tl_cli_options *options);

#endif
