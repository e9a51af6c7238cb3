/*
 * From virtual addresses to physical ones: Sv39 and Sv48, physical memory protection, and the translations that are
 * kept.
 *
 * Accessed and dirty bits of page tables are set by the hart, as QEMU's virt machine does.
 *
 * Source: RISC-V Instruction Set Manual, volume II, 3.7 and 4.3 to 4.5.
 */
#ifndef TL_TARGETS_EMULATOR_PAGING_H
#define TL_TARGETS_EMULATOR_PAGING_H

#include "targets/emulator/hart.h"

/*
 * The physical address that an access goes to, with the rights of the mode that the hart is in (or that MPRV names, for
 * data). The access must not cross a page. False, and the exception that it raises, where it may not be made.
 */
bool tl_paging_translate(struct tl_hart *hart, tl_u64 address, enum tl_memory_access_kind kind, tl_u64 size,
			 tl_u64 *physical_ret, struct tl_exception *exception_ret);

/*
 * The same for a debugger, who changes nothing by looking: in supervisor's eyes when a page table is in use, whatever
 * the rights of a page. False where nothing is mapped.
 */
bool tl_paging_look(const struct tl_hart *hart, tl_u64 address, tl_u64 *physical_ret);

/* Whether such accesses go by page tables now. */
bool tl_paging_is_on(const struct tl_hart *hart, enum tl_memory_access_kind kind);

/* Forgets what was kept: all of it, or one page. */
void tl_paging_flush(struct tl_hart *hart);
void tl_paging_flush_page(struct tl_hart *hart, tl_u64 address);

/* The same for a hart of which nothing is known yet. */
void tl_paging_reset(struct tl_hart *hart);

/* Forgets that pages may be written, so that the next store to each is looked at again. */
void tl_paging_protect(struct tl_hart *hart);

/* The same for one page of memory, whose bytes stand there. */
void tl_paging_protect_page(struct tl_hart *hart, const tl_u8 *bytes);

/* Forgets a page of the address space whose entry in the page table changes; not in machine mode, which has none. */
void tl_paging_forget(struct tl_hart *hart, tl_u64 page);

/* Chooses the sets of translations that belong to the mode; after every change of privilege and of mstatus. */
void tl_paging_update(struct tl_hart *hart);

/*
 * A page that was translated is kept, when it is memory that can be used directly; with a tag that names its map if
 * there are watchpoints for such accesses on it. An access that reads and writes needs both tags.
 */
void tl_paging_keep(struct tl_hart *hart, tl_u64 address, tl_u64 physical, enum tl_memory_access_kind kind);

#endif
