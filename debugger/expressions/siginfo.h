/*
 * $_siginfo: what the kernel tells of the signal that a thread stopped with, as a struct of the system's own layout
 * (siginfo_t of <signal.h>), whose type is made here: a program need not have one.
 */
#ifndef TL_DEBUGGER_SIGINFO_H
#define TL_DEBUGGER_SIGINFO_H

#include "symbols/type.h"

#define TL_SIGINFO_SIZE 128

/* The type for a machine whose addresses have 4 or 8 bytes; it belongs to `types`. */
TL_CHECKED enum tl_status tl_siginfo_type(struct tl_types *types, tl_u8 address_size, const struct tl_type **type_ret,
					  struct tl_error *error);

#endif
