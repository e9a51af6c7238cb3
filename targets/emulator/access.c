#include "targets/emulator/access.h"

#include "core/cursor.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/points.h"
#include "targets/emulator/triggers.h"

/* Whether all of it is in one page. */
static bool in_one_page(tl_u64 address, tl_u64 size)
{
	return (address & (TL_PAGE_SIZE - 1)) + size <= TL_PAGE_SIZE;
}

static bool fail(struct tl_exception *exception_ret, enum tl_cause cause, tl_u64 address)
{
	*exception_ret = (struct tl_exception){cause, address};
	return false;
}

/* One piece of an access, in one page, the long way. */
static bool load_piece(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u64 *value_ret, tl_u64 *physical_ret,
		       struct tl_exception *exception_ret)
{
	const struct tl_bus_region *region;
	tl_u64 physical;

	if (!tl_paging_translate(hart, address, TL_MEMORY_LOAD, size, physical_ret, exception_ret))
		return false;
	physical = *physical_ret;
	region = tl_bus_find(hart->bus, physical, size);
	if (region == NULL)
		return fail(exception_ret, TL_CAUSE_LOAD_ACCESS, address);
	if (region->memory != NULL)
		*value_ret = tl_load_little(region->memory + (physical - region->start), size);
	else if ((physical & (size - 1)) == 0 && (size & (size - 1)) == 0)
		*value_ret = region->operations->read(region->device, physical - region->start, size);
	else
		return fail(exception_ret, TL_CAUSE_LOAD_MISALIGNED, address);
	return true;
}

bool tl_access_load_slowly(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u64 *value_ret,
			   struct tl_exception *exception_ret)
{
	struct tl_done_access done = {.address = address, .size = size, .low_size = size, .access = TL_POINT_READS};
	tl_u64 high;

	if (tl_triggers_fire_on(hart, address, size, TL_TRIGGER_LOAD, exception_ret))
		return false;
	if (!in_one_page(address, size))
		done.low_size = (tl_u32)(TL_PAGE_SIZE - (address & (TL_PAGE_SIZE - 1)));
	if (!load_piece(hart, address, done.low_size, value_ret, &done.physical, exception_ret))
		return false;
	if (done.low_size != size) {
		if (!load_piece(hart, address + done.low_size, size - done.low_size, &high, &done.high_physical,
				exception_ret))
			return false;
		*value_ret |= high << (8 * done.low_size);
	}
	done.value = *value_ret;
	tl_points_accessed(hart, &done);
	return true;
}

/* Where a piece of a store goes: all pieces are asked for before any is written. */
static bool store_place(struct tl_hart *hart, tl_u64 address, tl_u32 size, const struct tl_bus_region **region_ret,
			tl_u64 *physical_ret, struct tl_exception *exception_ret)
{
	if (!tl_paging_translate(hart, address, TL_MEMORY_STORE, size, physical_ret, exception_ret))
		return false;
	*region_ret = tl_bus_find(hart->bus, *physical_ret, size);
	if (*region_ret == NULL || (*region_ret)->read_only)
		return fail(exception_ret, TL_CAUSE_STORE_ACCESS, address);
	if ((*region_ret)->memory == NULL && ((*physical_ret & (size - 1)) != 0 || (size & (size - 1)) != 0))
		return fail(exception_ret, TL_CAUSE_STORE_MISALIGNED, address);
	return true;
}

static void store_piece(struct tl_hart *hart, const struct tl_bus_region *region, tl_u64 physical, tl_u32 size,
			tl_u64 value)
{
	if (region->memory == NULL) {
		region->operations->write(region->device, physical - region->start, value, size);
		return;
	}
	tl_access_written(hart, physical, size);
	tl_store_little(region->memory + (physical - region->start), value, size);
}

/* What a piece of a store is about to replace; 0 in a device, which is not to be asked. */
static tl_u64 before(const struct tl_bus_region *region, tl_u64 physical, tl_u32 size)
{
	return region->memory != NULL ? tl_load_little(region->memory + (physical - region->start), size) : 0;
}

bool tl_access_store_slowly(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u64 value,
			    struct tl_exception *exception_ret)
{
	struct tl_done_access done = {.address = address, .size = size, .low_size = size, .access = TL_POINT_WRITES};
	const struct tl_bus_region *low, *high = NULL;
	tl_u32 low_size;

	if (tl_triggers_fire_on(hart, address, size, TL_TRIGGER_STORE, exception_ret))
		return false;
	if (!in_one_page(address, size))
		done.low_size = (tl_u32)(TL_PAGE_SIZE - (address & (TL_PAGE_SIZE - 1)));
	low_size = done.low_size;
	if (!store_place(hart, address, low_size, &low, &done.physical, exception_ret))
		return false;
	if (low_size != size &&
	    !store_place(hart, address + low_size, size - low_size, &high, &done.high_physical, exception_ret))
		return false;
	done.value = size == 8 ? value : value & (((tl_u64)1 << (8 * size)) - 1);
	done.device = low->memory == NULL || (high != NULL && high->memory == NULL);
	done.old = before(low, done.physical, low_size);
	store_piece(hart, low, done.physical, low_size, value);
	if (high != NULL) {
		done.old |= before(high, done.high_physical, size - low_size) << (8 * low_size);
		store_piece(hart, high, done.high_physical, size - low_size, value >> (8 * low_size));
	}
	tl_points_accessed(hart, &done);
	return true;
}

/* The physical address of a byte of memory that stands there in this process. */
static tl_u64 physical_of(const struct tl_hart *hart, const tl_u8 *bytes)
{
	for (tl_u32 i = 0; i < hart->bus->count; i++) {
		const struct tl_bus_region *region = &hart->bus->regions[i];
		tl_uintptr offset = (tl_uintptr)bytes - (tl_uintptr)region->memory;

		if (region->memory != NULL && offset < region->size)
			return region->start + offset;
	}
	return 0;
}

bool tl_access_atomic(struct tl_hart *hart, tl_u64 address, tl_u32 size, bool load, tl_u8 **bytes_ret,
		      tl_u64 *physical_ret, struct tl_exception *exception_ret)
{
	const struct tl_tlb_entry *entry = tl_access_kept(hart, hart->data_set, address);
	const struct tl_bus_region *region;

	if ((address & (size - 1)) != 0)
		return fail(exception_ret, load ? TL_CAUSE_LOAD_MISALIGNED : TL_CAUSE_STORE_MISALIGNED, address);
	if (entry->load == (address & ~(TL_PAGE_SIZE - 1)) && (load || entry->store == entry->load)) {
		*bytes_ret = tl_access_host(entry, address);
		if (!load)
			tl_access_note_store(hart, *bytes_ret);
		*physical_ret = physical_of(hart, *bytes_ret);
		return true;
	}
	if (!tl_paging_translate(hart, address, load ? TL_MEMORY_LOAD : TL_MEMORY_ATOMIC, size, physical_ret,
				 exception_ret))
		return false;
	region = tl_bus_find(hart->bus, *physical_ret, size);
	if (region == NULL || region->memory == NULL || (region->read_only && !load))
		return fail(exception_ret, load ? TL_CAUSE_LOAD_ACCESS : TL_CAUSE_STORE_ACCESS, address);
	*bytes_ret = region->memory + (*physical_ret - region->start);
	return true;
}

/* Two bytes of code. */
static bool fetch_half(struct tl_hart *hart, tl_u64 address, tl_u32 *half_ret, struct tl_exception *exception_ret)
{
	const struct tl_tlb_entry *entry = tl_access_kept(hart, hart->fetch_set, address);
	const struct tl_bus_region *region;
	tl_u64 physical;

	if (entry->fetch == (address & ~(TL_PAGE_SIZE - 1))) {
		*half_ret = (tl_u32)tl_load_little(tl_access_host(entry, address), 2);
		return true;
	}
	if (!tl_paging_translate(hart, address, TL_MEMORY_FETCH, 2, &physical, exception_ret))
		return false;
	region = tl_bus_find(hart->bus, physical, 2);
	if (region == NULL || region->memory == NULL)
		return fail(exception_ret, TL_CAUSE_FETCH_ACCESS, address);
	*half_ret = (tl_u32)tl_load_little(region->memory + (physical - region->start), 2);
	return true;
}

bool tl_access_fetch_slowly(struct tl_hart *hart, tl_u64 address, tl_u32 *word_ret, struct tl_exception *exception_ret)
{
	tl_u32 high;

	if (!fetch_half(hart, address, word_ret, exception_ret))
		return false;
	if ((*word_ret & 3) != 3)
		return true;
	if (!fetch_half(hart, address + 2, &high, exception_ret))
		return false;
	*word_ret |= high << 16;
	return true;
}
