/*
 * From linear addresses to guest-physical ones, by the guest's own page tables, in any of the processor's ways: 32-bit
 * tables (4 KiB and 4 MiB), PAE (4 KiB and 2 MiB), and 4 and 5 levels (4 KiB, 2 MiB and 1 GiB); or as they are, without
 * paging. Intel SDM volume 3, chapter 4. Pure: it sees memory through a callback, and changes nothing, accessed bits
 * included.
 *
 * KVM_TRANSLATE is not used: it answers for a vCPU that stands, for the page tables that it has at the moment, and
 * loses the permissions.
 */
#ifndef TL_TARGETS_KVM_PAGE_WALK_H
#define TL_TARGETS_KVM_PAGE_WALK_H

#include "core/cursor.h"
#include "core/status.h"
#include "core/types.h"

#include <linux/kvm.h>

#define TL_PAGE_LEVELS_MAX 5

/* Reads `size` bytes (4 or 8) of guest-physical memory; false: no memory is there. */
typedef bool tl_page_walk_read(void *context, tl_u64 physical, void *buffer, tl_size size);

/* Which tables, and how they are read. */
struct tl_page_tables {
	tl_u64 cr3;      /* the root; bits that are no address are ignored */
	tl_u8 levels;    /* 0: no paging; 2: 32-bit tables; 3: PAE; 4; 5 */
	bool big;        /* 4 MiB pages in 32-bit tables (CR4.PSE) */
	bool no_execute; /* bit 63 of entries means something (EFER.NXE) */
};

/* What stands at one level. */
struct tl_page_entry {
	tl_u64 address; /* guest-physical, of the entry itself */
	tl_u64 value;
	tl_u8 level; /* 1: of 4 KiB pages; 5: the root of 5 levels */
};

struct tl_page_walk {
	tl_u64 physical; /* of the linear address that was asked for */
	tl_u64 size;     /* bytes of the page; 0 without paging */
	/* What the tables allow, all levels taken together. */
	bool writable, user, executable;
	bool global, accessed, dirty; /* of the last entry */
	/* The entries that were read, the root's first; also when the walk ended in the middle. */
	struct tl_page_entry entries[TL_PAGE_LEVELS_MAX];
	tl_u8 count;
};

/* The tables that a vCPU uses. Any thread, as all here. */
struct tl_page_tables tl_page_tables_of(const struct kvm_sregs *system);

/*
 * Walks for one address. TL_ERROR_MEMORY when it is not mapped, not canonical, or beyond 4 GiB for tables of 32-bit
 * modes; walk_ret then has the entries that were read, and nothing else. An entry with reserved bits set counts as
 * mapped where its address can be read.
 */
enum tl_status tl_page_walk(const struct tl_page_tables *tables, tl_page_walk_read *read, void *context, tl_u64 linear,
			    struct tl_page_walk *walk_ret);

/* Whether the processor would allow the access at that privilege (CR0.WP being set, SMAP and SMEP aside). */
bool tl_page_walk_allows(const struct tl_page_walk *walk, bool write, bool execute, bool user);

/* The walk in words, a line for each level, for people; `status` is what tl_page_walk returned. */
void tl_page_walk_tell(const struct tl_page_tables *tables, tl_u64 linear, enum tl_status status,
		       const struct tl_page_walk *walk, struct tl_writer *output);

/*
 * The next mapped stretch at or above `linear` and below `end` that is contiguous in linear addresses with the same
 * permissions: *start_ret and *size_ret. False: nothing is mapped there, or `budget` tables were looked at (*start_ret
 * says how far it came then). For lists of what is mapped.
 */
bool tl_page_walk_next(const struct tl_page_tables *tables, tl_page_walk_read *read, void *context, tl_u64 linear,
		       tl_u64 end, tl_size *budget, tl_u64 *start_ret, tl_u64 *size_ret, struct tl_page_walk *walk_ret);

#endif
