/* `trapline kvm [OPTION]... [PROGRAM]`: what the words behind `kvm` make of a virtual machine. */
#ifndef TL_FRONTENDS_KVM_COMMAND_H
#define TL_FRONTENDS_KVM_COMMAND_H

#include "frontends/machine.h"
#include "targets/kvm/options.h"

#include <stdio.h>

/*
 * Reads the words behind `kvm`, NULL-terminated: what the machine is made of, and the machine, whose options those are.
 * Texts are the command line's; the serial port is the front end's to connect. TL_ERROR_UNSUPPORTED on hosts that are
 * not x86-64.
 */
TL_CHECKED enum tl_status tl_kvm_command_read(char **words, struct tl_kvm_options *options_ret,
					      struct tl_machine *machine_ret, struct tl_error *error);

/* The options, for --help. */
void tl_kvm_command_print(FILE *stream);

#endif
