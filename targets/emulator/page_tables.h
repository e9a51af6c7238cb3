/*
 * Pages of memory that hold page tables from which translations are kept.
 *
 * What a hart keeps is never other than what a walk of the tables would give: a store to such a page goes the long way,
 * and what was made of the entries that it changes is forgotten before. (The architecture lets a hart notice changes
 * at any time before a fence.) So it does not matter which translations are kept and when they are forgotten, for a
 * checkpoint, for a watchpoint, or by chance; a guest that clears an accessed bit and leaves out the fence sees the
 * same each time, in the interpreter, in the translator and when its past is run again.
 *
 * One for all harts of a machine, in the thread that runs them.
 */
#ifndef TL_TARGETS_EMULATOR_PAGE_TABLES_H
#define TL_TARGETS_EMULATOR_PAGE_TABLES_H

#include "targets/emulator/hart.h"

struct tl_page_tables {
	const tl_u8 *memory; /* borrowed */
	tl_u64 start;        /* its physical address */
	tl_u64 size;         /* whole pages */
	tl_u64 *uses;        /* of each page, see page_tables.c; owned by who made this, 0 at first */
	struct tl_hart *harts;
	tl_u32 hart_count;
};

/*
 * An entry at `physical`, of a table of a level (0: its leaves are pages), led to the translation of `address`, which
 * is to be kept. False: it cannot be, as changes of that entry are not seen.
 */
bool tl_page_tables_use(struct tl_page_tables *tables, tl_u64 physical, tl_u64 address, tl_u32 level);

/* Whether stores to this page must be seen. */
bool tl_page_tables_has(const struct tl_page_tables *tables, tl_u64 physical);

/* [physical, physical + size) is about to be written, by anyone. */
void tl_page_tables_before_write(struct tl_page_tables *tables, tl_u64 physical, tl_u64 size);

#endif
