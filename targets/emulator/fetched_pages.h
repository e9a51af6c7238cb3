/*
 * The virtual pages from which instructions were fetched in a stretch of a run: perhaps more, never fewer.
 *
 * A hart tells where it looks a page up to fetch from it: behind that a kept translation serves. So a stretch begins
 * with all translations forgotten.
 */
#ifndef TL_TARGETS_EMULATOR_FETCHED_PAGES_H
#define TL_TARGETS_EMULATOR_FETCHED_PAGES_H

#include "core/types.h"

/* {0} is none. */
struct tl_fetched_pages {
	tl_u64 *pages;          /* a hash table of addresses with their lowest bit set, 0 where nothing is; owned */
	tl_u32 count, capacity; /* a power of 2, or 0 */
	bool all;               /* there were too many, or too little memory: it may be any page */
};

void tl_fetched_pages_add(struct tl_fetched_pages *fetched, tl_u64 address);
/* Whether there may have been a fetch from the page of an address. */
bool tl_fetched_pages_has(const struct tl_fetched_pages *fetched, tl_u64 address);
void tl_fetched_pages_merge(struct tl_fetched_pages *fetched, const struct tl_fetched_pages *other);
void tl_fetched_pages_clear(struct tl_fetched_pages *fetched);
/* Bytes of the host's memory. */
tl_u64 tl_fetched_pages_cost(const struct tl_fetched_pages *fetched);

#endif
