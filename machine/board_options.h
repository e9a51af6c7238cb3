/* What the user of a machine says of its board, whichever processors it has. */
#ifndef TL_MACHINE_BOARD_OPTIONS_H
#define TL_MACHINE_BOARD_OPTIONS_H

#include "core/types.h"

#define TL_BOARD_DISKS 4
#define TL_BOARD_FORWARDS 16

/* All 0 but the descriptors is the least. Texts are the user's. */
struct tl_board_options {
	tl_u64 memory_size; /* bytes; 0: the machine's own choice */
	/* Linux, its first file system, and its command line; NULL: none. */
	const char *kernel, *initrd, *command_line;
	/*
	 * Of the serial port: where it is read from and written to, -1: nowhere. They are not the same one, and stay
	 * the caller's. `terminal`: the path of a terminal to use instead, opened here; NULL: none.
	 */
	int input, output;
	const char *terminal;
	const char *disks[TL_BOARD_DISKS]; /* as tl_disk_option_open wants them, in the order of their slots */
	tl_u32 disk_count;
	bool network;                            /* a network card, in a network in user mode */
	bool restricted;                         /* from which only forwarded ports lead out */
	const char *forwards[TL_BOARD_FORWARDS]; /* as tl_user_network_forward wants them */
	tl_u32 forward_count;
};

#endif
