/*
 * The undo list of an address space: every trap instruction and every piece of code that the engine wrote into it, with
 * the bytes that were there before.
 *
 * Entries never overlap. A lifted entry stays on the list while the original bytes are back in memory. The list knows
 * nothing of why an entry is there: it counts users. Part of the engine: not for embedders.
 */
#ifndef TL_CORE_ENGINE_UNDO_H
#define TL_CORE_ENGINE_UNDO_H

#include "core/allocator.h"
#include "core/engine/target.h"

struct tl_undo_entry {
	tl_u64 address;
	tl_u16 users;
	tl_u8 size;
	bool lifted;
	tl_u8 saved[4];
	tl_u8 planted[4];
};

struct tl_undo {
	struct tl_undo_entry *entries; /* by rising address */
	tl_size count, capacity;
};

/* Where the memory is: the target and a process whose address space it is. */
struct tl_undo_memory {
	struct tl_target *target;
	tl_u64 process;
};

/* Forgets all entries and gives back the list's storage. Undoes nothing. */
void tl_undo_free(struct tl_undo *undo, const struct tl_allocator *allocator);

/* Copies `from` into the empty list `to`, as a fork copies the memory. */
enum tl_status tl_undo_duplicate(struct tl_undo *to, const struct tl_undo *from, const struct tl_allocator *allocator);

/* Writes the trap of `size` bytes at `address`, or counts one more user of it. Nothing changes on an error. */
enum tl_status tl_undo_plant(struct tl_undo *undo, const struct tl_allocator *allocator, struct tl_undo_memory memory,
			     tl_u64 address, const tl_u8 *trap, tl_u8 size);

/*
 * One user less; the last one puts the original bytes back. Where memory cannot be written any more the entry goes all
 * the same, and the error is returned. Bytes that are no longer the trap (the program wrote there) are left alone.
 */
enum tl_status tl_undo_unplant(struct tl_undo *undo, struct tl_undo_memory memory, tl_u64 address);

/* Puts the original bytes back for the time being; and the trap again. No-ops where that is so already. */
enum tl_status tl_undo_lift(struct tl_undo *undo, struct tl_undo_memory memory, tl_u64 address);
enum tl_status tl_undo_lower(struct tl_undo *undo, struct tl_undo_memory memory, tl_u64 address);

/* The same for the whole list; goes on after errors and returns the first. */
enum tl_status tl_undo_lift_all(struct tl_undo *undo, struct tl_undo_memory memory);
enum tl_status tl_undo_lower_all(struct tl_undo *undo, struct tl_undo_memory memory);

/* Takes the traps out of another memory that is a copy of the list's own, the list staying as it is. */
void tl_undo_cleanse(const struct tl_undo *undo, struct tl_undo_memory memory);

/* Plants again what is not lifted and yet not there: for a copy of the memory that was made while a trap was lifted. */
enum tl_status tl_undo_refresh(struct tl_undo *undo, struct tl_undo_memory memory);
/* The same at one address: the program may have replaced what was mapped there. */
enum tl_status tl_undo_refresh_at(struct tl_undo *undo, struct tl_undo_memory memory, tl_u64 address);

/* The entry at exactly that address, or NULL. */
struct tl_undo_entry *tl_undo_find(struct tl_undo *undo, tl_u64 address);

/* Replaces what is planted within [address, address + size) in a buffer that was read from there by the saved bytes. */
void tl_undo_hide(const struct tl_undo *undo, tl_u64 address, tl_u8 *buffer, tl_size size);

/* True when something on the list, lifted or not, touches [address, address + size). */
bool tl_undo_touches(const struct tl_undo *undo, tl_u64 address, tl_size size);

/* Writes memory; bytes under planted traps go to the saved ones. *done_ret as the target's write_memory has it. */
enum tl_status tl_undo_write(struct tl_undo *undo, struct tl_undo_memory memory, tl_u64 address, const tl_u8 *buffer,
			     tl_size size, tl_size *done_ret);

#endif
