/*
 * Looking for bytes in memory. Control thread.
 */
#ifndef TL_DEBUGGER_MEMORY_SEARCH_H
#define TL_DEBUGGER_MEMORY_SEARCH_H

#include "debugger/modules/modules.h"

/*
 * Calls back with every address in [start, start + size) where these bytes stand, also where they overlap, until `call`
 * returns false. TL_ERROR_MEMORY when it comes to memory that cannot be read, with the sentence in `error`: what was
 * found before it was called back. TL_ERROR_CANCELLED when the patience, which may be NULL, ends.
 */
TL_CHECKED enum tl_status tl_memory_search(const struct tl_modules *modules, tl_u64 start, tl_u64 size,
					   const void *bytes, tl_size count, const struct tl_patience *patience,
					   bool (*call)(void *context, tl_u64 address), void *context,
					   struct tl_error *error);

#endif
