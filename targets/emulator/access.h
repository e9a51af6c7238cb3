/*
 * Loads, stores and fetches of a hart: through the translations that are kept where possible, else by the long way,
 * over page boundaries and to devices.
 *
 * Misaligned accesses to memory are carried out; a part that faults makes all of it fault, with the address of that
 * part.
 */
#ifndef TL_TARGETS_EMULATOR_ACCESS_H
#define TL_TARGETS_EMULATOR_ACCESS_H

#include "targets/emulator/hart.h"

/* Size is 1, 2, 4 or 8. False with the exception when the access cannot be made; a store has then changed nothing. */
bool tl_access_load(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u64 *value_ret,
		    struct tl_exception *exception_ret);
bool tl_access_store(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u64 value,
		     struct tl_exception *exception_ret);

/*
 * The memory of an atomic access, which is aligned and not to a device. Load: only the right to read is needed (lr).
 * *physical_ret is its physical address.
 */
bool tl_access_atomic(struct tl_hart *hart, tl_u64 address, tl_u32 size, bool load, tl_u8 **bytes_ret,
		      tl_u64 *physical_ret, struct tl_exception *exception_ret);

/*
 * The instruction at an address: 2 or 4 bytes in *word_ret; of a compressed one the upper half is 0. A page that it
 * only reaches into is asked for when the instruction is long enough.
 */
bool tl_access_fetch(struct tl_hart *hart, tl_u64 address, tl_u32 *word_ret, struct tl_exception *exception_ret);

#endif
