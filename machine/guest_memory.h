/*
 * How devices reach the memory of the guest: through two functions of the board, so that whoever must know of a change
 * (translated code, snapshots) hears of every one.
 *
 * The pointers that come back are good until the next call of either function: nothing keeps one. Called in the thread
 * that runs the device.
 */
#ifndef TL_MACHINE_GUEST_MEMORY_H
#define TL_MACHINE_GUEST_MEMORY_H

#include "core/types.h"

struct tl_guest_memory {
	/*
	 * The bytes at [address, address + size), addresses being guest-physical, to be looked at. NULL when not all of
	 * them are memory, and in one piece. Size is not 0.
	 */
	const tl_u8 *(*view)(void *context, tl_u64 address, tl_u64 size);
	/* The same, when all of them are about to be written; NULL for memory that is for reading only, too. */
	tl_u8 *(*change)(void *context, tl_u64 address, tl_u64 size);
	void *context;
};

#endif
