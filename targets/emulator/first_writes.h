/*
 * Who keeps copies of memory hears of a page before it is written for the first time.
 *
 * A hart asks where it gives a store its way: behind that, a kept translation lets stores to the page pass unseen. To
 * begin anew, clear the bits and have every hart forget its translations (tl_paging_flush).
 */
#ifndef TL_TARGETS_EMULATOR_FIRST_WRITES_H
#define TL_TARGETS_EMULATOR_FIRST_WRITES_H

#include "core/types.h"
#include "targets/emulator/fetched_pages.h"
#include "targets/emulator/written_lines.h"

#define TL_FIRST_WRITES_PAGE_BITS 12

struct tl_first_writes {
	tl_u8 *memory; /* borrowed */
	tl_u64 start;  /* its physical address */
	tl_u64 size;   /* whole pages */
	tl_u64 *seen;  /* a bit for each page: it is of no more interest. Owned by who made this */
	/* In the thread that runs the harts, in the middle of an instruction. The bit is set already. */
	void (*first)(void *context, tl_u64 page);
	void *context;
	tl_u8 *lines;                     /* the map of all writes; owned by who made this */
	struct tl_fetched_pages *fetched; /* borrowed: where fetches are noted; NULL: nowhere */
};

/*
 * Bytes at [offset, offset + size) of the memory are about to be written; what is outside is no memory of these. A
 * store that a kept translation lets pass does not come here, and marks its line by itself (hart->marks).
 */
static inline void tl_first_writes_before(const struct tl_first_writes *writes, tl_u64 offset, tl_u64 size)
{
	tl_u64 page = offset >> TL_FIRST_WRITES_PAGE_BITS, last;

	if (offset >= writes->size || size == 0)
		return;
	last = size > writes->size - offset ? writes->size - 1 : offset + (size - 1);
	tl_written_mark(writes->lines, offset, last - offset + 1);
	for (last >>= TL_FIRST_WRITES_PAGE_BITS; page <= last; page++) {
		if ((writes->seen[page >> 6] >> (page & 63) & 1) != 0)
			continue;
		writes->seen[page >> 6] |= (tl_u64)1 << (page & 63);
		writes->first(writes->context, page);
	}
}

#endif
