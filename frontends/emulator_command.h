/*
 * `trapline emu [OPTION]... [PROGRAM]`: what the words behind `emu` make of a machine, and QEMU's own packets, by which
 * debuggers ask machines how they are stepped and what their addresses mean.
 */
#ifndef TL_FRONTENDS_EMULATOR_COMMAND_H
#define TL_FRONTENDS_EMULATOR_COMMAND_H

#include "core/rsp/rsp.h"
#include "targets/emulator/target.h"

#include <stdio.h>

/* A machine as the command line has it; the serial port is the front end's to connect. */
struct tl_emulator_command {
	struct tl_emulator_options machine; /* texts are the command line's */
	const char *serial;                 /* "-", "none", or a terminal; NULL: nothing was said */
	bool running;                       /* it does not wait at reset; for servers */
};

/* Reads the words behind `emu`, NULL-terminated. */
TL_CHECKED enum tl_status tl_emulator_command_read(char **words, struct tl_emulator_command *command_ret,
						   struct tl_error *error);

/* The options, for --help. */
void tl_emulator_command_print(FILE *stream);

/* Rows for the packet table of a server: qqemu.sstepbits and its kin. Their context is the target. */
extern const struct tl_rsp_row tl_emulator_rows[];

#endif
