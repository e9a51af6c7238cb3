#include "targets/emulator/page_tables.h"

#include "core/cursor.h"
#include "targets/emulator/paging.h"

/*
 * What is known of a page: the address that its first entry is for, which leaves room for its level plus 1 and, above
 * that, for a count of stores; or that it is used in several ways. 0: nothing is kept that was made of it.
 */
#define USE_LEVEL ((tl_u64)7)
#define USE_MANY ((tl_u64)7)
#define USE_STORE ((tl_u64)8)
#define USE_STORES ((tl_u64)0xff8)

/* After so many stores it is taken for a page that holds other things now, until a walk comes to it again. */
#define STORES_MAX (64 * USE_STORE)

#define ENTRY_VALID 0x01u
#define ENTRY_LEAF 0x0eu
#define ENTRY_ACCESSED 0x40u

static tl_u64 *use_of(const struct tl_page_tables *tables, tl_u64 physical)
{
	tl_u64 offset = physical - tables->start;

	return offset < tables->size ? &tables->uses[offset >> TL_PAGE_BITS] : NULL;
}

static tl_u64 reach(tl_u32 level)
{
	return (tl_u64)1 << (TL_PAGE_BITS + 9 * level);
}

bool tl_page_tables_use(struct tl_page_tables *tables, tl_u64 physical, tl_u64 address, tl_u32 level)
{
	tl_u64 *use = use_of(tables, physical), as = (address & ~(reach(level + 1) - 1)) | (level + 1);

	if (use == NULL)
		return false;
	if ((*use & ~USE_STORES) == as || (*use & USE_LEVEL) == USE_MANY)
		return true;
	if (*use != 0) {
		*use = USE_MANY;
		return true;
	}
	*use = as;
	for (tl_u32 i = 0; i < tables->hart_count; i++)
		tl_paging_protect_page(&tables->harts[i],
				       tables->memory + ((physical - tables->start) & -TL_PAGE_SIZE));
	return true;
}

bool tl_page_tables_has(const struct tl_page_tables *tables, tl_u64 physical)
{
	const tl_u64 *use = use_of(tables, physical);

	return use != NULL && *use != 0;
}

static void forget_all(struct tl_page_tables *tables)
{
	for (tl_u32 i = 0; i < tables->hart_count; i++)
		tl_paging_flush(&tables->harts[i]);
}

static void forget_page(struct tl_page_tables *tables, tl_u64 page)
{
	for (tl_u32 i = 0; i < tables->hart_count; i++)
		tl_paging_forget(&tables->harts[i], page);
}

/* What was made of an entry was made while it was valid and, if it is a leaf, accessed. */
static bool may_be_kept(const struct tl_page_tables *tables, tl_u64 physical)
{
	tl_u64 entry = tl_load_little(tables->memory + (physical - tables->start), 8);

	return (entry & ENTRY_VALID) != 0 && ((entry & ENTRY_LEAF) == 0 || (entry & ENTRY_ACCESSED) != 0);
}

/* A piece of a write, on one page. */
static void before_piece(struct tl_page_tables *tables, tl_u64 *use, tl_u64 physical, tl_u64 size)
{
	bool forget = size > 8 || (*use & USE_STORES) >= STORES_MAX;

	if (*use == 0)
		return;
	for (tl_u64 at = physical & ~(tl_u64)7; at < physical + size && !forget; at += 8) {
		if (!may_be_kept(tables, at))
			continue;
		if ((*use & USE_LEVEL) == 1)
			forget_page(tables, (*use & -TL_PAGE_SIZE) + ((at & (TL_PAGE_SIZE - 1)) / 8 << TL_PAGE_BITS));
		else
			forget = true;
	}
	*use += USE_STORE;
	if (forget) {
		forget_all(tables);
		*use = 0;
	}
}

void tl_page_tables_before_write(struct tl_page_tables *tables, tl_u64 physical, tl_u64 size)
{
	while (size > 0) {
		tl_u64 there = TL_PAGE_SIZE - (physical & (TL_PAGE_SIZE - 1)), part = size < there ? size : there;
		tl_u64 *use = use_of(tables, physical);

		if (use != NULL)
			before_piece(tables, use, physical, part);
		physical += part;
		size -= part;
	}
}
