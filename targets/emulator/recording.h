/*
 * A run of the emulated machine in a file: what it was made of, what came in and when, and what it came to.
 *
 * The file is a line of records behind "TLRECORD" and a version, all numbers little-endian:
 *
 *     u32 kind   u32 size   u64 check   size bytes
 *
 * `check` is XXH3 of the bytes, seeded with the check before it and with kind and size: each proves the whole file up
 * to it. So does, for the run itself, the chain in each epoch (tl_epoch_chain). Kinds:
 *
 *     MACHINE   how it is configured: the first record
 *     DISK      path, mode, size and a hash of a disk's contents
 *     IMAGE     something that is loaded at reset: an address and a size; its bytes follow in PIECEs, packed with zstd
 *     BEGIN     all of that is told
 *     INPUT     what came in, and at which moment
 *     EPOCH     what the machine had come to at a moment
 *     RESET     the machine was reset there: time begins anew
 *     END       the recording ends there
 *
 * What is loaded (firmware, kernel, initial file system, program) is in the file, so that it can be replayed where
 * these are not, or are newer; disks are not, because they are large, and are known by a hash of their contents.
 *
 * The file is written as the run goes on. One that ends in the middle, or is damaged, is good up to the last whole
 * record before that, and says so.
 */
#ifndef TL_TARGETS_EMULATOR_RECORDING_H
#define TL_TARGETS_EMULATOR_RECORDING_H

#include "base/error.h"
#include "machine/random_stream.h"
#include "targets/emulator/computer.h"
#include "targets/emulator/epoch.h"

#define TL_RECORDING_MAGIC "TLRECORD"
#define TL_RECORDING_VERSION 1
#define TL_RECORDING_HEADER 16 /* bytes before the first record: the magic, u32 version, u32 0 */
#define TL_RECORDING_RECORD 16 /* bytes before what is in a record */
#define TL_RECORDING_RECORD_MAX ((tl_u32)2 << 20)
#define TL_RECORDING_PIECE ((tl_u32)1 << 20)     /* of an image, before it is packed */
#define TL_RECORDING_IMAGES ((tl_u64)4 << 30)    /* bytes of all images */
#define TL_RECORDING_SIZE_MAX ((tl_u64)64 << 30) /* of the file */
#define TL_RECORDING_PAGES 65536                 /* that an epoch names */
#define TL_RECORDING_DISKS 4
#define TL_RECORDING_PATH 4095
#define TL_RECORDING_COMMAND_LINE 65535

enum tl_record {
	TL_RECORD_MACHINE = 1,
	TL_RECORD_DISK,
	TL_RECORD_IMAGE,
	TL_RECORD_PIECE,
	TL_RECORD_BEGIN,
	TL_RECORD_INPUT,
	TL_RECORD_EPOCH,
	TL_RECORD_RESET,
	TL_RECORD_END
};

/* A disk by its contents. */
struct tl_recording_disk {
	char *path;  /* owned */
	tl_u32 mode; /* enum tl_disk_mode */
	tl_u64 size, hash;
};

/* What a machine is made of. */
struct tl_recording_machine {
	tl_u32 harts, quantum;
	tl_u64 memory_size, start_time, tree_seed;
	tl_u64 entry, next_entry, initrd_start, initrd_end;
	tl_u64 made; /* tl_recording_made */
	bool network;
	tl_u8 random[TL_RANDOM_SEED];
	char *command_line, *program; /* owned; NULL: none. The program is a path, for its symbols */
	struct tl_recording_disk disks[TL_RECORDING_DISKS];
	tl_u32 disk_count;
};

struct tl_recorded_input {
	struct tl_computer_position position;
	struct tl_input input; /* its bytes are in the recording's */
};

/* From one reset to the next, or to the end. */
struct tl_recording_segment {
	tl_size first_input, input_count, first_epoch, epoch_count;
	struct tl_computer_position end;
	tl_u64 end_begun;
	bool user_reset; /* the next segment begins because the user wanted it, not the guest */
};

struct tl_recording {
	struct tl_recording_machine machine;
	struct tl_computer_image images[TL_COMPUTER_IMAGES]; /* bytes are owned */
	tl_u32 image_count;
	struct tl_recorded_input *inputs;
	struct tl_epoch *epochs;
	tl_u64 *chain;                         /* of each epoch, as it was recorded */
	struct tl_recording_segment *segments; /* at least one */
	tl_size input_count, epoch_count, segment_count;
	tl_size input_capacity, epoch_capacity, chain_capacity, segment_capacity;
	bool complete;    /* it ends as it was meant to */
	char remark[200]; /* if not: a sentence that says what is wrong with it */
	tl_u8 *bytes;     /* the file; owned */
	tl_u64 size;
};

/*
 * Reads a recording. TL_ERROR_SYSTEM when the file cannot be read, TL_ERROR_MALFORMED when it is none, or so much
 * damaged that not even the machine is known; TL_ERROR_NO_MEMORY. To be freed with tl_recording_close.
 */
TL_CHECKED enum tl_status tl_recording_open(struct tl_recording *recording_ret, const char *path,
					    struct tl_error *error);
/* The same, from bytes (of malloc), which are the recording's from now on, whatever is returned. */
TL_CHECKED enum tl_status tl_recording_parse(struct tl_recording *recording_ret, tl_u8 *bytes, tl_u64 size,
					     struct tl_error *error);
void tl_recording_close(struct tl_recording *recording);

/* What reset made of the computer beside what was loaded: ROM and device tree. Another Trapline may make others. */
tl_u64 tl_recording_made(const struct tl_computer *computer);

/* The check of a record, and of a header as what is before the first one. */
tl_u64 tl_recording_check(tl_u64 before, tl_u32 kind, const void *bytes, tl_u32 size);

#endif
