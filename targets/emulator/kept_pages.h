/*
 * Copies of pages of a guest's memory, and of blocks of its disks, as they were at one moment: each taken just before
 * the first change behind it.
 *
 * Memory holds a guest's present state; a set of these leads back to the moment at which it was begun.
 */
#ifndef TL_TARGETS_EMULATOR_KEPT_PAGES_H
#define TL_TARGETS_EMULATOR_KEPT_PAGES_H

#include "core/status.h"
#include "core/types.h"
#include "targets/emulator/written_lines.h"

#define TL_KEPT_SIZE 4096 /* of a page, and of a block of a disk */

struct tl_kept_page {
	tl_u64 number;
	const tl_u8 *bytes; /* TL_KEPT_SIZE of them, owned but for tl_kept_zeroes; NULL: a block that was not there */
	struct tl_line_set lines; /* what was written of a page of memory behind that moment; who keeps it adds them */
};

/* {0} is an empty one. Sorted by number, but for what was added since the last search. */
struct tl_kept_pages {
	struct tl_kept_page *pages;
	tl_size count, capacity;
	tl_size sorted; /* how many of them are in order */
	tl_size empty;  /* of which no copy is owned */
};

/* What all pages are that hold nothing but zeroes: most are when they are first written to. */
extern const tl_u8 tl_kept_zeroes[TL_KEPT_SIZE];

/* Copies a page; bytes may be NULL. TL_ERROR_NO_MEMORY. That it is not there yet is the caller's to know. */
TL_CHECKED enum tl_status tl_kept_pages_add(struct tl_kept_pages *pages, tl_u64 number, const tl_u8 *bytes);

/* NULL when it is not among them. Valid until one is added. */
struct tl_kept_page *tl_kept_pages_find(struct tl_kept_pages *pages, tl_u64 number);

/* Those of which no line was written are not kept any more. */
void tl_kept_pages_drop_unwritten(struct tl_kept_pages *pages);

/*
 * Takes over what `later` has and this has not: together they lead back to the earlier moment. `later` is empty then.
 * TL_ERROR_NO_MEMORY, and nothing has changed.
 */
TL_CHECKED enum tl_status tl_kept_pages_merge(struct tl_kept_pages *pages, struct tl_kept_pages *later);

void tl_kept_pages_clear(struct tl_kept_pages *pages);

/* Bytes of the host's memory that it takes. */
tl_u64 tl_kept_pages_cost(const struct tl_kept_pages *pages);

#endif
