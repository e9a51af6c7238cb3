/*
 * Loads, stores and fetches of a hart: through the translations that are kept where possible, else by the long way,
 * over page boundaries and to devices.
 *
 * Misaligned accesses to memory are carried out; a part that faults makes all of it fault, with the address of that
 * part.
 */
#ifndef TL_TARGETS_EMULATOR_ACCESS_H
#define TL_TARGETS_EMULATOR_ACCESS_H

#include "targets/emulator/hart.h"
#include "targets/emulator/page_tables.h"
#include "targets/emulator/translator.h"

/* Where an address of a page that is kept stands in this process. */
static inline struct tl_tlb_entry *tl_access_kept(struct tl_hart *hart, tl_u8 set, tl_u64 address)
{
	return &hart->tlb[set][address >> TL_PAGE_BITS & (TL_TLB_ENTRIES - 1)];
}

static inline tl_u8 *tl_access_host(const struct tl_tlb_entry *entry, tl_u64 address)
{
	return (tl_u8 *)(entry->host + (tl_uintptr)address);
}

/* The line of a store, that a kept translation let pass, is marked: where it goes in this process. */
static inline void tl_access_note_store(const struct tl_hart *hart, const tl_u8 *host)
{
	if (hart->marks != 0)
		*(tl_u8 *)(((tl_uintptr)host >> TL_LINE_BITS) + hart->marks) = 1;
}

/* Whether [address, address + size) is in the page with this tag, as a whole. */
static inline bool tl_access_is_in(tl_u64 tag, tl_u64 address, tl_u64 size)
{
	return tag == (address & ~(TL_PAGE_SIZE - 1)) && (address & (TL_PAGE_SIZE - 1)) + size <= TL_PAGE_SIZE;
}

/* The long way of the two below: over page boundaries, to devices, and past watchpoints. */
bool tl_access_load_slowly(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u64 *value_ret,
			   struct tl_exception *exception_ret);
bool tl_access_store_slowly(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u64 value,
			    struct tl_exception *exception_ret);

/* Size is 1, 2, 4 or 8. False with the exception when the access cannot be made; a store has then changed nothing. */
static inline bool tl_access_load(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u64 *value_ret,
				  struct tl_exception *exception_ret)
{
	const struct tl_tlb_entry *entry = tl_access_kept(hart, hart->data_set, address);

	if (!tl_access_is_in(entry->load, address, size))
		return tl_access_load_slowly(hart, address, size, value_ret, exception_ret);
	*value_ret = tl_load_constant(tl_access_host(entry, address), size);
	return true;
}

static inline bool tl_access_store(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u64 value,
				   struct tl_exception *exception_ret)
{
	const struct tl_tlb_entry *entry = tl_access_kept(hart, hart->data_set, address);

	if (!tl_access_is_in(entry->store, address, size))
		return tl_access_store_slowly(hart, address, size, value, exception_ret);
	tl_access_note_store(hart, tl_access_host(entry, address));
	tl_store_constant(tl_access_host(entry, address), value, size);
	return true;
}

/*
 * Memory is about to be written without asking the translations that are kept: what was made of its contents, code and
 * translations, is not valid any more.
 */
static inline void tl_access_written(struct tl_hart *hart, tl_u64 physical, tl_u64 size)
{
	if (hart->tables != NULL)
		tl_page_tables_before_write(hart->tables, physical, size);
	if (hart->translator != NULL)
		tl_translator_memory_changed(hart->translator, physical, size);
}

/*
 * The memory of an atomic access, which is aligned and not to a device. Load: only the right to read is needed (lr).
 * *physical_ret is its physical address; who writes there calls tl_access_written.
 */
bool tl_access_atomic(struct tl_hart *hart, tl_u64 address, tl_u32 size, bool load, tl_u8 **bytes_ret,
		      tl_u64 *physical_ret, struct tl_exception *exception_ret);

/* The long way of the one below. */
bool tl_access_fetch_slowly(struct tl_hart *hart, tl_u64 address, tl_u32 *word_ret, struct tl_exception *exception_ret);

/*
 * The instruction at an address: 2 or 4 bytes in *word_ret; of a compressed one the upper half is 0. A page that it
 * only reaches into is asked for when the instruction is long enough.
 */
static inline bool tl_access_fetch(struct tl_hart *hart, tl_u64 address, tl_u32 *word_ret,
				   struct tl_exception *exception_ret)
{
	const struct tl_tlb_entry *entry = tl_access_kept(hart, hart->fetch_set, address);
	tl_u32 word;

	if (!tl_access_is_in(entry->fetch, address, 4))
		return tl_access_fetch_slowly(hart, address, word_ret, exception_ret);
	word = (tl_u32)tl_load_constant(tl_access_host(entry, address), 4);
	*word_ret = (word & 3) == 3 ? word : (tl_u16)word;
	return true;
}

#endif
