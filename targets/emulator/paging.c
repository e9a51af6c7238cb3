#include "targets/emulator/paging.h"

#include "core/cursor.h"
#include "targets/emulator/page_tables.h"
#include "targets/emulator/points.h"
#include "targets/emulator/translator.h"
#include "targets/emulator/triggers.h"

#define PTE_VALID 0x01u
#define PTE_READ 0x02u
#define PTE_WRITE 0x04u
#define PTE_EXECUTE 0x08u
#define PTE_USER 0x10u
#define PTE_ACCESSED 0x40u
#define PTE_DIRTY 0x80u
#define PTE_NUMBER(entry) ((entry) >> 10 & (((tl_u64)1 << 44) - 1))
#define PTE_RESERVED 0xffc0000000000000ull /* Svnapot and Svpbmt are not there */

#define SATP_MODE(satp) ((satp) >> 60)
#define SATP_ROOT(satp) (((satp) & (((tl_u64)1 << 44) - 1)) << TL_PAGE_BITS)
#define SATP_SV39 8

#define PMP_LOCKED 0x80

enum pmp_mode { PMP_OFF, PMP_TOP_OF_RANGE, PMP_FOUR_BYTES, PMP_POWER_OF_TWO };

static bool fail(struct tl_exception *exception_ret, enum tl_memory_access_kind kind, bool page, tl_u64 address)
{
	static const tl_u8 causes[][2] = {[TL_MEMORY_FETCH] = {TL_CAUSE_FETCH_ACCESS, TL_CAUSE_FETCH_PAGE},
					  [TL_MEMORY_LOAD] = {TL_CAUSE_LOAD_ACCESS, TL_CAUSE_LOAD_PAGE},
					  [TL_MEMORY_STORE] = {TL_CAUSE_STORE_ACCESS, TL_CAUSE_STORE_PAGE},
					  [TL_MEMORY_ATOMIC] = {TL_CAUSE_STORE_ACCESS, TL_CAUSE_STORE_PAGE}};

	*exception_ret = (struct tl_exception){causes[kind][page], address};
	return false;
}

/* The mode whose rights count: MPRV lends machine mode's data accesses to another. */
static tl_u8 effective(const struct tl_hart *hart, enum tl_memory_access_kind kind)
{
	if (kind != TL_MEMORY_FETCH && (hart->mstatus & TL_STATUS_MPRV) != 0)
		return (tl_u8)(hart->mstatus >> 11 & 3);
	return hart->privilege;
}

/* The range of an entry, as a first and a last byte; false when it is off, or empty. */
static bool pmp_range(const struct tl_hart *hart, tl_u32 entry, tl_u64 *first_ret, tl_u64 *last_ret)
{
	tl_u64 address = hart->pmp_address[entry], ones;

	switch ((enum pmp_mode)(hart->pmp_configuration[entry] >> 3 & 3)) {
	case PMP_TOP_OF_RANGE:
		*first_ret = entry == 0 ? 0 : hart->pmp_address[entry - 1] << 2;
		*last_ret = (address << 2) - 1;
		return *first_ret < address << 2;
	case PMP_FOUR_BYTES:
		*first_ret = address << 2;
		*last_ret = *first_ret + 3;
		return true;
	case PMP_POWER_OF_TWO:
		ones = address ^ (address + 1); /* the ones at the end, and the zero before them */
		*first_ret = (address & ~ones) << 2;
		*last_ret = *first_ret + (ones << 2 | 3);
		return true;
	case PMP_OFF:
		break;
	}
	return false;
}

/*
 * Whether [physical, physical + size) may be accessed. *whole_ret is cleared when the answer is not that of all its
 * page, so that it cannot be kept.
 */
static bool pmp_allows(const struct tl_hart *hart, tl_u64 physical, tl_u64 size, enum tl_memory_access_kind kind,
		       tl_u8 privilege, bool *whole_ret)
{
	static const tl_u8 rights[] = {
		[TL_MEMORY_FETCH] = 4, [TL_MEMORY_LOAD] = 1, [TL_MEMORY_STORE] = 2, [TL_MEMORY_ATOMIC] = 3};
	tl_u64 page = physical & ~(TL_PAGE_SIZE - 1), first, last;

	if (!hart->pmp_used)
		return privilege == TL_PRIVILEGE_MACHINE;
	for (tl_u32 i = 0; i < TL_PMP_ENTRIES; i++) {
		if (!pmp_range(hart, i, &first, &last))
			continue;
		if (first > page + (TL_PAGE_SIZE - 1) || last < page)
			continue;
		if (first > page || last < page + (TL_PAGE_SIZE - 1))
			*whole_ret = false;
		if (physical + (size - 1) < first || physical > last)
			continue;
		if (physical < first || physical + (size - 1) > last)
			return false; /* matched in part */
		if (privilege == TL_PRIVILEGE_MACHINE && (hart->pmp_configuration[i] & PMP_LOCKED) == 0)
			return true;
		return (hart->pmp_configuration[i] & rights[kind]) == rights[kind];
	}
	return privilege == TL_PRIVILEGE_MACHINE;
}

/* An entry of a page table, in memory; NULL when it is in none. */
static tl_u8 *entry_at(const struct tl_hart *hart, tl_u64 physical)
{
	const struct tl_bus_region *region = tl_bus_find(hart->bus, physical, 8);

	return region != NULL && region->memory != NULL ? region->memory + (physical - region->start) : NULL;
}

static bool rights_suffice(const struct tl_hart *hart, tl_u64 entry, enum tl_memory_access_kind kind, tl_u8 privilege)
{
	bool readable = (entry & PTE_READ) != 0 || ((hart->mstatus & TL_STATUS_MXR) != 0 && (entry & PTE_EXECUTE) != 0);
	bool user_page = (entry & PTE_USER) != 0;

	if (privilege == TL_PRIVILEGE_USER && !user_page)
		return false;
	if (privilege == TL_PRIVILEGE_SUPERVISOR && user_page &&
	    (kind == TL_MEMORY_FETCH || (hart->mstatus & TL_STATUS_SUM) == 0))
		return false;
	switch (kind) {
	case TL_MEMORY_FETCH:
		return (entry & PTE_EXECUTE) != 0;
	case TL_MEMORY_LOAD:
		return readable;
	case TL_MEMORY_STORE:
	case TL_MEMORY_ATOMIC:
		return (entry & PTE_WRITE) != 0;
	}
	return false;
}

static tl_u32 levels(const struct tl_hart *hart)
{
	return SATP_MODE(hart->satp) == SATP_SV39 ? 3 : 4;
}

/* Addresses whose upper bits are not all copies of the highest that counts are in no page. */
static bool is_canonical(const struct tl_hart *hart, tl_u64 address)
{
	tl_u32 bits = TL_PAGE_BITS + 9 * levels(hart);

	return (tl_u64)((tl_i64)(address << (64 - bits)) >> (64 - bits)) == address;
}

enum walk { WALK_FOUND, WALK_NOT_MAPPED, WALK_NO_MEMORY };

/* The entries that led to a page, by level: from the leaf's to that of the root. */
struct path {
	tl_u64 entries[4]; /* physical addresses */
	tl_u32 first, end;
};

/* Goes down the page table. Yields where the leaf stands in this process, the physical address, and how it went. */
static enum walk walk(const struct tl_hart *hart, tl_u64 address, tl_u8 **leaf_ret, tl_u64 *physical_ret,
		      struct path *path_ret)
{
	tl_u64 table = SATP_ROOT(hart->satp);
	bool whole = true;

	path_ret->end = levels(hart);
	if (!is_canonical(hart, address))
		return WALK_NOT_MAPPED;
	for (tl_u32 level = levels(hart); level-- > 0;) {
		tl_u32 shift = TL_PAGE_BITS + 9 * level;
		tl_u64 at = table + (address >> shift & 511) * 8, entry, within = ((tl_u64)1 << shift) - 1;
		tl_u8 *bytes = entry_at(hart, at);

		if (bytes == NULL || !pmp_allows(hart, at, 8, TL_MEMORY_LOAD, TL_PRIVILEGE_SUPERVISOR, &whole))
			return WALK_NO_MEMORY;
		entry = tl_load_little(bytes, 8);
		path_ret->entries[level] = at;
		path_ret->first = level;
		if ((entry & PTE_VALID) == 0 || (entry & (PTE_READ | PTE_WRITE)) == PTE_WRITE ||
		    (entry & PTE_RESERVED) != 0)
			return WALK_NOT_MAPPED;
		if ((entry & (PTE_READ | PTE_EXECUTE)) == 0) {
			/* These bits mean nothing yet in an entry that leads on. */
			if ((entry & (PTE_USER | PTE_ACCESSED | PTE_DIRTY)) != 0)
				return WALK_NOT_MAPPED;
			table = PTE_NUMBER(entry) << TL_PAGE_BITS;
			continue;
		}
		if ((PTE_NUMBER(entry) << TL_PAGE_BITS & within) != 0) /* a large page that is not aligned */
			return WALK_NOT_MAPPED;
		*leaf_ret = bytes;
		*physical_ret = (PTE_NUMBER(entry) << TL_PAGE_BITS & ~within) | (address & within);
		return WALK_FOUND;
	}
	return WALK_NOT_MAPPED;
}

static bool uses_tables(const struct tl_hart *hart, tl_u8 privilege)
{
	return privilege != TL_PRIVILEGE_MACHINE && SATP_MODE(hart->satp) != 0;
}

bool tl_paging_is_on(const struct tl_hart *hart, enum tl_memory_access_kind kind)
{
	return uses_tables(hart, effective(hart, kind));
}

/* Sets the accessed and dirty bits. */
static void mark_used(const struct tl_hart *hart, tl_u8 *leaf, enum tl_memory_access_kind kind)
{
	tl_u64 entry = tl_load_little(leaf, 8), marked = entry | PTE_ACCESSED;

	if (kind == TL_MEMORY_STORE || kind == TL_MEMORY_ATOMIC)
		marked |= PTE_DIRTY;
	if (marked == entry)
		return;
	/* Tables are in memory like everything else, if not all memory is of interest. */
	if (hart->first_writes != NULL)
		tl_first_writes_before(hart->first_writes, (tl_uintptr)leaf - (tl_uintptr)hart->first_writes->memory,
				       8);
	tl_store_little(leaf, marked, 8);
}

/* Whether a translation that was found so may be kept: changes of the tables must be seen. */
static bool may_keep(const struct tl_hart *hart, tl_u64 address, const struct path *path)
{
	bool seen = true;

	if (hart->tables != NULL)
		for (tl_u32 level = path->first; level < path->end; level++)
			seen = tl_page_tables_use(hart->tables, path->entries[level], address, level) && seen;
	return seen;
}

bool tl_paging_translate(struct tl_hart *hart, tl_u64 address, enum tl_memory_access_kind kind, tl_u64 size,
			 tl_u64 *physical_ret, struct tl_exception *exception_ret)
{
	tl_u8 privilege = effective(hart, kind), *leaf;
	struct path path = {0};
	bool whole = true;

	*physical_ret = address;
	if (uses_tables(hart, privilege)) {
		switch (walk(hart, address, &leaf, physical_ret, &path)) {
		case WALK_NOT_MAPPED:
			return fail(exception_ret, kind, true, address);
		case WALK_NO_MEMORY:
			return fail(exception_ret, kind, false, address);
		case WALK_FOUND:
			break;
		}
		if (!rights_suffice(hart, tl_load_little(leaf, 8), kind, privilege))
			return fail(exception_ret, kind, true, address);
		mark_used(hart, leaf, kind);
	}
	if (!pmp_allows(hart, *physical_ret, size, kind, privilege, &whole))
		return fail(exception_ret, kind, false, address);
	if (hart->first_writes != NULL && kind == TL_MEMORY_FETCH && hart->first_writes->fetched != NULL)
		tl_fetched_pages_add(hart->first_writes->fetched, address);
	if (hart->first_writes != NULL && (kind == TL_MEMORY_STORE || kind == TL_MEMORY_ATOMIC))
		tl_first_writes_before(hart->first_writes, *physical_ret - hart->first_writes->start, size);
	if (whole && may_keep(hart, address, &path))
		tl_paging_keep(hart, address, *physical_ret, kind);
	return true;
}

bool tl_paging_look(const struct tl_hart *hart, tl_u64 address, tl_u64 *physical_ret)
{
	struct path path;
	tl_u8 *leaf;

	*physical_ret = address;
	return !uses_tables(hart, effective(hart, TL_MEMORY_LOAD)) ||
	       walk(hart, address, &leaf, physical_ret, &path) == WALK_FOUND;
}

static const struct tl_tlb_entry nothing = {TL_TLB_NONE, TL_TLB_NONE, TL_TLB_NONE, 0};

static void forget_set(struct tl_hart *hart, tl_u32 set)
{
	struct tl_tlb_used *used = &hart->tlb_used[set];

	if (used->count <= TL_TLB_USED_MAX)
		for (tl_u32 i = 0; i < used->count; i++)
			hart->tlb[set][used->entries[i]] = nothing;
	else
		for (tl_u32 i = 0; i < TL_TLB_ENTRIES; i++)
			hart->tlb[set][i] = nothing;
	used->count = 0;
}

void tl_paging_reset(struct tl_hart *hart)
{
	for (tl_u32 set = 0; set < TL_TLB_SET_MAX; set++)
		hart->tlb_used[set].count = TL_TLB_USED_MAX + 1;
	tl_paging_flush(hart);
}

void tl_paging_flush(struct tl_hart *hart)
{
	for (tl_u32 set = 0; set < TL_TLB_SET_MAX; set++)
		forget_set(hart, set);
	if (hart->translator != NULL)
		tl_fill(hart->translated.pages, 0, sizeof(hart->translated.pages));
	hart->flushes++;
}

/* Forgets what code stands at a page, of one set. False: nothing was known of it. */
static bool forget_code(struct tl_hart *hart, tl_u32 set, tl_u64 page)
{
	tl_u32 *known = &hart->translated.pages[set][page >> TL_PAGE_BITS & (TL_FETCH_PAGES - 1)];

	if (*known == 0 || hart->translator == NULL || !tl_translator_is_page(hart->translator, *known, page))
		return false;
	*known = 0;
	return true;
}

void tl_paging_flush_page(struct tl_hart *hart, tl_u64 address)
{
	bool code = false;

	/* Large pages are kept as the small ones that were used of them: one of them may be any page. */
	for (tl_u32 set = 0; set < TL_TLB_SET_MAX; set++) {
		hart->tlb[set][address >> TL_PAGE_BITS & (TL_TLB_ENTRIES - 1)] = nothing;
		code |= forget_code(hart, set, address & -TL_PAGE_SIZE);
	}
	if (code) /* translated code goes on where it only was for data */
		hart->flushes++;
}

/* Forgets that a page may be written: the one whose bytes stand there, or any (NULL). */
static void protect_entry(struct tl_tlb_entry *entry, const tl_u8 *bytes)
{
	if (bytes == NULL || entry->host + (tl_uintptr)(entry->store & ~(TL_PAGE_SIZE - 1)) == (tl_uintptr)bytes)
		entry->store = TL_TLB_NONE;
}

void tl_paging_protect_page(struct tl_hart *hart, const tl_u8 *bytes)
{
	for (tl_u32 set = 0; set < TL_TLB_SET_MAX; set++) {
		const struct tl_tlb_used *used = &hart->tlb_used[set];

		if (used->count <= TL_TLB_USED_MAX)
			for (tl_u32 i = 0; i < used->count; i++)
				protect_entry(&hart->tlb[set][used->entries[i]], bytes);
		else
			for (tl_u32 i = 0; i < TL_TLB_ENTRIES; i++)
				protect_entry(&hart->tlb[set][i], bytes);
	}
	hart->flushes++;
}

void tl_paging_protect(struct tl_hart *hart)
{
	tl_paging_protect_page(hart, NULL);
}

/* An entry is filled: it is on the list of those that are. */
static void note_used(struct tl_hart *hart, tl_u32 set, tl_u32 entry)
{
	struct tl_tlb_used *used = &hart->tlb_used[set];

	if (used->count < TL_TLB_USED_MAX)
		used->entries[used->count] = (tl_u16)entry;
	if (used->count <= TL_TLB_USED_MAX)
		used->count++;
}

static tl_u8 set_of(const struct tl_hart *hart, tl_u8 privilege, bool data)
{
	if (privilege == TL_PRIVILEGE_MACHINE)
		return TL_TLB_MACHINE;
	if (privilege == TL_PRIVILEGE_USER)
		return TL_TLB_USER;
	return data && (hart->mstatus & TL_STATUS_SUM) != 0 ? TL_TLB_SUPERVISOR_SUM : TL_TLB_SUPERVISOR;
}

void tl_paging_update(struct tl_hart *hart)
{
	hart->fetch_set = set_of(hart, hart->privilege, false);
	hart->data_set = set_of(hart, effective(hart, TL_MEMORY_LOAD), true);
}

/* Whether a tag is that of a page, with watchpoints or without. */
static bool is_of_page(tl_u64 tag, tl_u64 page)
{
	return tag != TL_TLB_NONE && (tag & ~(TL_PAGE_SIZE - 1)) == page;
}

static tl_u32 map_of(tl_u64 tag)
{
	return tag != TL_TLB_NONE ? (tl_u32)(tag & (TL_PAGE_SIZE - 1)) >> TL_WATCHED_SHIFT : 0;
}

void tl_paging_forget(struct tl_hart *hart, tl_u64 page)
{
	tl_u32 at = page >> TL_PAGE_BITS & (TL_TLB_ENTRIES - 1);

	for (tl_u32 set = TL_TLB_MACHINE + 1; set < TL_TLB_SET_MAX; set++) {
		struct tl_tlb_entry *entry = &hart->tlb[set][at];

		if (is_of_page(entry->load, page) || is_of_page(entry->store, page) || is_of_page(entry->fetch, page))
			*entry = nothing;
		(void)forget_code(hart, set, page);
	}
	/* In any case: the block that is run may have found the page before another took its entry. */
	hart->flushes++;
}

/* The map of the watchpoints on a page, made if its entry has none. */
static tl_u32 take_map(struct tl_hart *hart, tl_u32 set, tl_u32 index, tl_u64 page, tl_u64 frame)
{
	struct tl_watched *watched = &hart->watched;
	struct tl_tlb_entry *entry = &hart->tlb[set][index], *before;
	tl_u32 number = map_of(entry->load) != 0 ? map_of(entry->load) : map_of(entry->store);

	if (number != 0)
		return number;
	number = watched->next + 1;
	watched->next = number % (TL_WATCHED_MAPS - 1);
	before = &hart->tlb[watched->owners[number] / TL_TLB_ENTRIES][watched->owners[number] % TL_TLB_ENTRIES];
	if (map_of(before->load) == number)
		before->load = TL_TLB_NONE;
	if (map_of(before->store) == number)
		before->store = TL_TLB_NONE;
	watched->owners[number] = (tl_u16)(set * TL_TLB_ENTRIES + index);
	tl_points_map(hart, page, frame, watched->maps[number]);
	tl_triggers_map(hart, page, watched->maps[number]);
	return number;
}

/* Whether the page can be used directly for such accesses; *host_ret + virtual address is where its bytes stand. */
static bool can_be_kept(const struct tl_hart *hart, tl_u64 page, tl_u64 frame, enum tl_memory_access_kind kind,
			tl_uintptr *host_ret)
{
	const struct tl_bus_region *region = tl_bus_find(hart->bus, frame, TL_PAGE_SIZE);
	bool writes = kind == TL_MEMORY_STORE || kind == TL_MEMORY_ATOMIC;

	if (region == NULL || region->memory == NULL || (writes && region->read_only))
		return false;
	if (writes && ((hart->translator != NULL && tl_translator_has_code(hart->translator, frame)) ||
		       (hart->tables != NULL && tl_page_tables_has(hart->tables, frame))))
		return false;
	*host_ret = (tl_uintptr)region->memory + (tl_uintptr)(frame - region->start) - (tl_uintptr)page;
	return kind == TL_MEMORY_FETCH || hart->data_set != TL_TLB_MACHINE || hart->translator == NULL ||
	       *host_ret == hart->translated.direct;
}

void tl_paging_keep(struct tl_hart *hart, tl_u64 address, tl_u64 physical, enum tl_memory_access_kind kind)
{
	tl_u64 page = address & ~(TL_PAGE_SIZE - 1), frame = physical & ~(TL_PAGE_SIZE - 1), tag = page;
	bool writes = kind == TL_MEMORY_STORE || kind == TL_MEMORY_ATOMIC;
	tl_u32 set = kind == TL_MEMORY_FETCH ? hart->fetch_set : hart->data_set;
	tl_u32 index = address >> TL_PAGE_BITS & (TL_TLB_ENTRIES - 1);
	struct tl_tlb_entry *entry = &hart->tlb[set][index];
	tl_uintptr host;

	if (!can_be_kept(hart, page, frame, kind, &host))
		return;
	/* The parts of an entry are of one page; what was there of another goes. */
	if (entry->host != host ||
	    (!is_of_page(entry->load, page) && !is_of_page(entry->store, page) && !is_of_page(entry->fetch, page))) {
		if (entry->load == TL_TLB_NONE && entry->store == TL_TLB_NONE && entry->fetch == TL_TLB_NONE)
			note_used(hart, set, index);
		*entry = nothing;
		entry->host = host;
	}
	/* What may be written may be read: translated code relies on that where it does both. */
	if (kind != TL_MEMORY_FETCH && ((tl_points_on_page(hart, page, frame) | tl_triggers_on_page(hart, page)) &
					(TL_POINT_READS | (writes ? TL_POINT_WRITES : 0))) != 0)
		tag |= (tl_u64)take_map(hart, set, index, page, frame) << TL_WATCHED_SHIFT;
	if (kind == TL_MEMORY_FETCH)
		entry->fetch = page;
	else if (writes)
		entry->store = tag;
	else
		entry->load = tag;
}
