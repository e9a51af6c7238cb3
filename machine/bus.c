#include "machine/bus.h"

static enum tl_status add(struct tl_bus *bus, const struct tl_bus_region *region)
{
	tl_u64 last = region->start + (region->size - 1);
	tl_u32 at = 0;

	if (region->size == 0 || last < region->start)
		return TL_ERROR_ARGUMENT;
	if (bus->count == TL_BUS_REGIONS_MAX)
		return TL_ERROR_NO_MEMORY;
	while (at < bus->count && bus->regions[at].start < region->start)
		at++;
	if (at < bus->count && bus->regions[at].start <= last)
		return TL_ERROR_ARGUMENT;
	if (at > 0 && region->start - bus->regions[at - 1].start < bus->regions[at - 1].size)
		return TL_ERROR_ARGUMENT;
	tl_move(&bus->regions[at + 1], &bus->regions[at], sizeof(bus->regions[0]) * (bus->count - at));
	bus->regions[at] = *region;
	bus->count++;
	return TL_OK;
}

enum tl_status tl_bus_add_memory(struct tl_bus *bus, const char *name, tl_u64 start, tl_u64 size, tl_u8 *memory,
				 bool read_only)
{
	struct tl_bus_region region = {
		.name = name, .start = start, .size = size, .memory = memory, .read_only = read_only};

	return add(bus, &region);
}

enum tl_status tl_bus_add_device(struct tl_bus *bus, const char *name, tl_u64 start, tl_u64 size,
				 const struct tl_device_operations *operations, void *device)
{
	struct tl_bus_region region = {
		.name = name, .start = start, .size = size, .operations = operations, .device = device};

	return add(bus, &region);
}

const struct tl_bus_region *tl_bus_find(const struct tl_bus *bus, tl_u64 address, tl_u64 size)
{
	for (tl_u32 i = 0; i < bus->count; i++) {
		const struct tl_bus_region *region = &bus->regions[i];

		if (address >= region->start && address - region->start < region->size)
			return size <= region->size - (address - region->start) ? region : NULL;
	}
	return NULL;
}
