/*
 * What an emulated computer had come to at the end of an epoch of its run, in a form that is the same in every process
 * and on every host: all registers of all harts, a number for each device, numbers for memory and disks, and for pages.
 *
 * Two runs are the same as long as their epochs are; where they are not, an epoch tells what differs.
 */
#ifndef TL_TARGETS_EMULATOR_EPOCH_H
#define TL_TARGETS_EMULATOR_EPOCH_H

#include "core/cursor.h"
#include "targets/emulator/computer.h"

#define TL_EPOCH_REGISTERS 152
#define TL_EPOCH_DEVICES 32

/* A page that had changed by then, by its number from the start of memory, and the low half of its hash. */
struct tl_epoch_page {
	tl_u32 number, hash;
};

/* {0} is none. */
struct tl_epoch {
	struct tl_computer_position position;
	tl_u64 begun;  /* by all harts */
	tl_u64 inputs; /* that entered before it, since the machine was reset */
	tl_u32 harts, device_count;
	tl_u64 *registers; /* TL_EPOCH_REGISTERS of each hart; owned */
	tl_u64 devices[TL_EPOCH_DEVICES];
	tl_u64 memory, disks;        /* sums of what has changed since the beginning */
	struct tl_epoch_page *pages; /* owned; some of those that changed, perhaps not all */
	tl_u32 page_count;
};

/* Something of the machine beside its harts and its memory. */
struct tl_epoch_device {
	const char *name;
	tl_u64 (*digest)(const void *device); /* of all that a guest can tell of it */
	const void *device;
};

/*
 * Notes position, registers and devices as they are, and leaves the rest at 0. TL_ERROR_NO_MEMORY. To be freed with
 * tl_epoch_clear.
 */
TL_CHECKED enum tl_status tl_epoch_take(struct tl_epoch *epoch_ret, const struct tl_computer *computer,
					const struct tl_epoch_device *devices, tl_u32 device_count);
void tl_epoch_clear(struct tl_epoch *epoch);

/* A link of the chain: what all epochs up to this one come to. The first link has 0 before it. */
tl_u64 tl_epoch_chain(tl_u64 before, const struct tl_epoch *epoch);

/* Registers and devices in one number. */
tl_u64 tl_epoch_state(const struct tl_epoch *epoch);

/* What a page's bytes come to. */
tl_u64 tl_epoch_page_hash(tl_u64 number, const tl_u8 *bytes);

/*
 * Whether both are the same. If not, *text gets what differs, as far as that can be told: registers with their harts,
 * devices, pages of `memory` (which is as it was when `now` was taken).
 */
bool tl_epoch_same(const struct tl_epoch *expected, const struct tl_epoch *now, const struct tl_epoch_device *devices,
		   const struct tl_computer *computer, struct tl_writer *text);

/* Digests of the parts of a board, and of what may be in its slots. */
tl_u64 tl_digest_schedule(const void *computer);
tl_u64 tl_digest_aclint(const void *aclint);
tl_u64 tl_digest_plic(const void *plic);
tl_u64 tl_digest_uart(const void *uart);
tl_u64 tl_digest_finisher(const void *finisher);
tl_u64 tl_digest_rtc(const void *rtc);
tl_u64 tl_digest_virtio(const void *virtio);
tl_u64 tl_digest_random(const void *stream);

#endif
