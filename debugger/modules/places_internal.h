/* What the files of debugger/modules/places share. */
#ifndef TL_DEBUGGER_PLACES_INTERNAL_H
#define TL_DEBUGGER_PLACES_INTERNAL_H

#include "base/arena.h"
#include "debugger/modules/places.h"

/* Zeroed storage that lives as long as places are kept. NULL, and TL_ERROR_NO_MEMORY in `error`. */
void *tl_places_allocate(struct tl_places *places, tl_size size, struct tl_error *error);

/* Where the code of an entry begins, with bias: its first range. 0: it has none. */
tl_u64 tl_places_start(const struct tl_module *module, const struct tl_entry *entry);

/* tl_places_tail_calls, not remembered (tail_calls.c). */
TL_CHECKED enum tl_status tl_places_find_tail_calls(struct tl_places *places, const struct tl_spot *caller,
						    tl_u64 return_address, tl_u64 function,
						    const struct tl_tail_calls **calls_ret, struct tl_error *error);

#endif
