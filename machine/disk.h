/*
 * A disk: the bytes of a raw file, and what the guest has written since, which by default stays in memory and is gone
 * with it (an overlay), so that a run leaves no trace in the file and can be repeated.
 *
 * All in the thread that runs the guest. Nothing here waits but for the host's own disk.
 */
#ifndef TL_MACHINE_DISK_H
#define TL_MACHINE_DISK_H

#include "base/error.h"
#include "core/types.h"

#define TL_DISK_SECTOR 512
#define TL_DISK_BLOCK 4096 /* what the overlay keeps is kept in blocks of this size */
#define TL_DISK_SIZE_MAX ((tl_u64)1 << 50)

enum tl_disk_mode {
	TL_DISK_OVERLAY,   /* writes stay in memory */
	TL_DISK_THROUGH,   /* writes go into the file: such a machine's past cannot be restored */
	TL_DISK_READ_ONLY, /* writes fail */
};

/* What is under a disk. Each returns TL_OK, or an error with its particulars; partly done then is as good as not done.
 */
struct tl_disk_file {
	enum tl_status (*read)(void *context, tl_u64 offset, void *bytes, tl_u64 size, struct tl_error *error);
	/* Not called of a disk that is not TL_DISK_THROUGH; nor is flush, after which what was written is safe. */
	enum tl_status (*write)(void *context, tl_u64 offset, const void *bytes, tl_u64 size, struct tl_error *error);
	enum tl_status (*flush)(void *context, struct tl_error *error);
	void (*close)(void *context);
	void *context;
};

struct tl_disk_block {
	tl_u64 number;
	tl_u8 *bytes; /* NULL: the place is free */
};

struct tl_disk {
	struct tl_disk_file file;
	enum tl_disk_mode mode;
	tl_u64 file_size; /* in bytes */
	tl_u64 size;      /* the disk's: whole sectors; behind the file's end are zeroes */

	/* The overlay: a hash table of blocks by number; its capacity is a power of 2, or 0. */
	struct tl_disk_block *blocks;
	tl_u64 capacity, count;
	tl_u64 limit; /* of blocks: a guest must not use up the host's memory. 0: none */

	/*
	 * For snapshots: called before a block of the overlay changes, with its bytes as they are, or NULL when it is
	 * not in the overlay yet. tl_disk_put takes them back. NULL: nobody wants to know.
	 */
	void (*changing)(void *context, tl_u64 number, const tl_u8 *bytes);
	void *changing_context;

	/* For people: how often the host failed us, and what it said the last time. */
	tl_u64 failures;
	struct tl_error failure;
};

/*
 * Opens a raw file or a block device as a disk. TL_ERROR_SYSTEM when it cannot be opened, TL_ERROR_ARGUMENT when it is
 * neither, is empty, is in use by another program that writes, or, to be written through, is not made of whole sectors.
 * tl_disk_close ends it.
 */
TL_CHECKED enum tl_status tl_disk_open(struct tl_disk *disk_ret, const char *path, enum tl_disk_mode mode,
				       struct tl_error *error);

/* A disk over something else of `size` bytes, which is not 0. `file` is copied; its context is the disk's from now on.
 */
void tl_disk_make(struct tl_disk *disk_ret, const struct tl_disk_file *file, tl_u64 size, enum tl_disk_mode mode);

/* Frees the overlay: the disk is what is in the file again. `changing` is not called. */
void tl_disk_forget(struct tl_disk *disk);
/* Closes the file and frees the overlay. */
void tl_disk_close(struct tl_disk *disk);

/*
 * Reads or writes any range of bytes inside the disk. TL_ERROR_ARGUMENT outside, TL_ERROR_PERMISSION for a write to
 * what is read-only, TL_ERROR_NO_MEMORY when the overlay is full, otherwise what the file says. A write that fails may
 * have been done in part.
 */
TL_CHECKED enum tl_status tl_disk_read(struct tl_disk *disk, tl_u64 offset, void *bytes, tl_u64 size);
TL_CHECKED enum tl_status tl_disk_write(struct tl_disk *disk, tl_u64 offset, const void *bytes, tl_u64 size);
/* What was written is safe when this returns; of an overlay there is nothing to be safe. */
TL_CHECKED enum tl_status tl_disk_flush(struct tl_disk *disk);

/*
 * Sets a block of the overlay to bytes that it had before, or takes it out (NULL); `changing` is not called. Only
 * putting in what is not there can fail, with TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_disk_put(struct tl_disk *disk, tl_u64 number, const tl_u8 *bytes);

#endif
