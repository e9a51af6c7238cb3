/*
 * `trapline emu [OPTION]... [PROGRAM]`: what the words behind `emu` make of a machine, and QEMU's own packets, by which
 * debuggers ask machines how they are stepped and what their addresses mean.
 */
#ifndef TL_FRONTENDS_EMULATOR_COMMAND_H
#define TL_FRONTENDS_EMULATOR_COMMAND_H

#include "frontends/machine.h"
#include "targets/emulator/target.h"

#include <stdio.h>

/*
 * Reads the words behind `emu`, NULL-terminated: what the machine is made of, and the machine, whose options those are.
 * Texts are the command line's; the serial port is the front end's to connect.
 */
TL_CHECKED enum tl_status tl_emulator_command_read(char **words, struct tl_emulator_options *options_ret,
						   struct tl_machine *machine_ret, struct tl_error *error);

/* The options, for --help. */
void tl_emulator_command_print(FILE *stream);

/* The kind of machine; its options are a struct tl_emulator_options. Its rows are qqemu.sstepbits and its kin. */
extern const struct tl_machine_kind tl_emulator_machine;

#endif
