/*
 * The physical address space of a machine: memory and devices, each in a range of its own.
 *
 * Ranges are added while a machine is built, and stay. Memory is the machine's to use directly; devices are asked and
 * told, in the thread of whoever accesses them: a machine's processors run in turn, in one thread.
 */
#ifndef TL_MACHINE_BUS_H
#define TL_MACHINE_BUS_H

#include "core/status.h"
#include "core/types.h"

#define TL_BUS_REGIONS_MAX 32

/* What a device does when it is accessed. Sizes are 1, 2, 4 or 8 bytes, offsets count from the start of its range. */
struct tl_device_operations {
	/* A register that is not there reads as 0. */
	tl_u64 (*read)(void *device, tl_u64 offset, tl_u32 size);
	/* Writes to what is not there are dropped. */
	void (*write)(void *device, tl_u64 offset, tl_u64 value, tl_u32 size);
	/* Back to how it was when the machine was switched on; NULL: it has no state. */
	void (*reset)(void *device);
	/*
	 * Bytes from outside (keys, a frame, random bytes: what the device takes for input). Returns how many of them
	 * were taken; the rest may be tried again later. NULL: takes none.
	 */
	tl_size (*receive)(void *device, const tl_u8 *bytes, tl_size size);
};

struct tl_bus_region {
	const char *name;
	tl_u64 start, size;
	tl_u8 *memory; /* NULL: a device */
	bool read_only;
	const struct tl_device_operations *operations;
	void *device;
};

/* In order of addresses; all 0 is an empty one. */
struct tl_bus {
	struct tl_bus_region regions[TL_BUS_REGIONS_MAX];
	tl_u32 count;
};

/*
 * Adds memory, which is borrowed, or a device. Name is borrowed. TL_ERROR_ARGUMENT when the range is empty, goes around
 * the end, or meets another; TL_ERROR_NO_MEMORY when there are too many.
 */
TL_CHECKED enum tl_status tl_bus_add_memory(struct tl_bus *bus, const char *name, tl_u64 start, tl_u64 size,
					    tl_u8 *memory, bool read_only);
TL_CHECKED enum tl_status tl_bus_add_device(struct tl_bus *bus, const char *name, tl_u64 start, tl_u64 size,
					    const struct tl_device_operations *operations, void *device);

/* The region that holds all of [address, address + size), NULL when there is none. Size is not 0. */
const struct tl_bus_region *tl_bus_find(const struct tl_bus *bus, tl_u64 address, tl_u64 size);

#endif
