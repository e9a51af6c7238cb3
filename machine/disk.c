#include "machine/disk.h"

#include "base/storage.h"
#include "machine/disk_file.h"

#define CAPACITY_FIRST 64

enum tl_status tl_disk_open(struct tl_disk *disk_ret, const char *path, enum tl_disk_mode mode, struct tl_error *error)
{
	struct tl_disk_file file;
	tl_u64 size;

	TL_TRY(tl_disk_file_open(path, mode == TL_DISK_THROUGH, &file, &size, error));
	if (mode == TL_DISK_THROUGH && size % TL_DISK_SECTOR != 0) {
		file.close(file.context);
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "the disk %s cannot be written through: its size of %llu bytes is no multiple of %d; "
			       "`truncate -s %%%d %s` makes it one",
			       path, (unsigned long long)size, TL_DISK_SECTOR, TL_DISK_SECTOR, path);
	}
	tl_disk_make(disk_ret, &file, size, mode);
	return TL_OK;
}

void tl_disk_make(struct tl_disk *disk_ret, const struct tl_disk_file *file, tl_u64 size, enum tl_disk_mode mode)
{
	*disk_ret = (struct tl_disk){
		.file = *file,
		.mode = mode,
		.file_size = size,
		.size = (size + TL_DISK_SECTOR - 1) / TL_DISK_SECTOR * TL_DISK_SECTOR,
	};
}

void tl_disk_forget(struct tl_disk *disk)
{
	for (tl_u64 i = 0; i < disk->capacity; i++)
		tl_release(tl_storage(), disk->blocks[i].bytes, TL_DISK_BLOCK);
	tl_release(tl_storage(), disk->blocks, disk->capacity * sizeof(*disk->blocks));
	disk->blocks = NULL;
	disk->capacity = disk->count = 0;
}

void tl_disk_close(struct tl_disk *disk)
{
	tl_disk_forget(disk);
	disk->file.close(disk->file.context);
}

static enum tl_status failed(struct tl_disk *disk, enum tl_status status)
{
	if (status != TL_OK)
		disk->failures++;
	return status;
}

/* Of a table that is never full: the place of a block, or the free one where it would go. */
static struct tl_disk_block *place(const struct tl_disk *disk, tl_u64 number)
{
	tl_u64 at = number * 0x9e3779b97f4a7c15 >> 20; /* 2^64 over the golden ratio spreads runs of numbers */

	for (;; at++) {
		struct tl_disk_block *block = &disk->blocks[at & (disk->capacity - 1)];

		if (block->bytes == NULL || block->number == number)
			return block;
	}
}

static tl_u8 *find(const struct tl_disk *disk, tl_u64 number)
{
	return disk->count != 0 ? place(disk, number)->bytes : NULL;
}

/* Makes room for one more, so that at most half of the places are taken. */
static bool grow(struct tl_disk *disk)
{
	struct tl_disk old = *disk;

	if (disk->count < disk->capacity / 2)
		return true;
	disk->capacity = old.capacity != 0 ? old.capacity * 2 : CAPACITY_FIRST;
	disk->blocks = tl_allocate(tl_storage(), disk->capacity * sizeof(*disk->blocks));
	if (disk->blocks == NULL) {
		*disk = old;
		return false;
	}
	for (tl_u64 i = 0; i < old.capacity; i++)
		if (old.blocks[i].bytes != NULL)
			*place(disk, old.blocks[i].number) = old.blocks[i];
	tl_release(tl_storage(), old.blocks, old.capacity * sizeof(*old.blocks));
	return true;
}

/* A block that is not in the overlay yet, with contents that the caller fills in; NULL when there is no memory. */
static tl_u8 *add(struct tl_disk *disk, tl_u64 number)
{
	struct tl_disk_block *block;
	tl_u8 *bytes;

	if (!grow(disk))
		return NULL;
	bytes = tl_allocate(tl_storage(), TL_DISK_BLOCK);
	if (bytes == NULL)
		return NULL;
	block = place(disk, number);
	block->number = number;
	block->bytes = bytes;
	disk->count++;
	return bytes;
}

/* Takes one out, and moves up those behind it that would not be found across the gap. */
static void take_out(struct tl_disk *disk, struct tl_disk_block *gone)
{
	tl_u64 at = (tl_u64)(gone - disk->blocks);

	tl_release(tl_storage(), gone->bytes, TL_DISK_BLOCK);
	gone->bytes = NULL;
	disk->count--;
	for (;;) {
		struct tl_disk_block moved;

		at = (at + 1) & (disk->capacity - 1);
		moved = disk->blocks[at];
		if (moved.bytes == NULL)
			return;
		disk->blocks[at].bytes = NULL;
		*place(disk, moved.number) = moved;
	}
}

enum tl_status tl_disk_put(struct tl_disk *disk, tl_u64 number, const tl_u8 *bytes)
{
	tl_u8 *block = find(disk, number);

	if (bytes == NULL) {
		if (block != NULL)
			take_out(disk, place(disk, number));
		return TL_OK;
	}
	if (block == NULL)
		block = add(disk, number);
	if (block == NULL)
		return TL_ERROR_NO_MEMORY;
	tl_copy(block, bytes, TL_DISK_BLOCK);
	return TL_OK;
}

/* The file, with zeroes from its end to the disk's. */
static enum tl_status read_under(struct tl_disk *disk, tl_u64 offset, tl_u8 *bytes, tl_u64 size)
{
	tl_u64 there = offset >= disk->file_size         ? 0
		       : size < disk->file_size - offset ? size
							 : disk->file_size - offset;

	tl_fill(bytes + there, 0, size - there);
	if (there == 0)
		return TL_OK;
	return disk->file.read(disk->file.context, offset, bytes, there, &disk->failure);
}

static bool inside(const struct tl_disk *disk, tl_u64 offset, tl_u64 size)
{
	return offset <= disk->size && size <= disk->size - offset;
}

/* How much of [offset, offset + size) lies in the block of its first byte. */
static tl_u64 in_block(tl_u64 offset, tl_u64 size)
{
	tl_u64 rest = TL_DISK_BLOCK - offset % TL_DISK_BLOCK;

	return size < rest ? size : rest;
}

/* As far as no block of the overlay is in the way, in one go. */
static tl_u64 run_under(const struct tl_disk *disk, tl_u64 offset, tl_u64 size)
{
	tl_u64 run = in_block(offset, size);

	if (disk->count == 0)
		return size;
	while (run < size && find(disk, (offset + run) / TL_DISK_BLOCK) == NULL)
		run += in_block(offset + run, size - run);
	return run;
}

enum tl_status tl_disk_read(struct tl_disk *disk, tl_u64 offset, void *bytes, tl_u64 size)
{
	tl_u8 *to = bytes;
	tl_u64 part;

	if (!inside(disk, offset, size))
		return TL_ERROR_ARGUMENT;
	for (; size != 0; offset += part, to += part, size -= part) {
		const tl_u8 *block = find(disk, offset / TL_DISK_BLOCK);

		if (block != NULL) {
			part = in_block(offset, size);
			tl_copy(to, block + offset % TL_DISK_BLOCK, part);
		} else {
			part = run_under(disk, offset, size);
			TL_TRY(failed(disk, read_under(disk, offset, to, part)));
		}
	}
	return TL_OK;
}

/* Puts a block into the overlay with what is under it, unless it will be written as a whole. */
static enum tl_status bring(struct tl_disk *disk, tl_u64 number, bool whole, tl_u8 **bytes_ret)
{
	tl_u64 start = number * TL_DISK_BLOCK, size = in_block(start, disk->size - start);
	tl_u8 *bytes;
	enum tl_status status;

	if (disk->limit != 0 && disk->count >= disk->limit)
		return TL_FAIL(
			&disk->failure, TL_ERROR_NO_MEMORY,
			"the overlay of a disk is full: the guest wrote all of the %llu MiB that it may; a disk that "
			"is written through has no such limit",
			(unsigned long long)(disk->limit * TL_DISK_BLOCK >> 20));
	bytes = add(disk, number);
	if (bytes == NULL)
		return TL_FAIL(&disk->failure, TL_ERROR_NO_MEMORY, "no memory for what the guest writes to a disk");
	status = whole ? TL_OK : read_under(disk, start, bytes, size);
	if (status != TL_OK) {
		take_out(disk, place(disk, number));
		return status;
	}
	*bytes_ret = bytes;
	return TL_OK;
}

static enum tl_status write_overlay(struct tl_disk *disk, tl_u64 offset, const tl_u8 *bytes, tl_u64 size)
{
	tl_u64 part;

	for (; size != 0; offset += part, bytes += part, size -= part) {
		tl_u64 number = offset / TL_DISK_BLOCK;
		tl_u8 *block = find(disk, number);

		part = in_block(offset, size);
		if (disk->changing != NULL)
			disk->changing(disk->changing_context, number, block);
		if (block == NULL)
			TL_TRY(bring(disk, number, part == TL_DISK_BLOCK, &block));
		tl_copy(block + offset % TL_DISK_BLOCK, bytes, part);
	}
	return TL_OK;
}

enum tl_status tl_disk_write(struct tl_disk *disk, tl_u64 offset, const void *bytes, tl_u64 size)
{
	if (!inside(disk, offset, size))
		return TL_ERROR_ARGUMENT;
	switch (disk->mode) {
	case TL_DISK_OVERLAY:
		return failed(disk, write_overlay(disk, offset, bytes, size));
	case TL_DISK_THROUGH:
		return failed(disk, disk->file.write(disk->file.context, offset, bytes, size, &disk->failure));
	case TL_DISK_READ_ONLY:
	default:
		return TL_ERROR_PERMISSION;
	}
}

enum tl_status tl_disk_flush(struct tl_disk *disk)
{
	if (disk->mode != TL_DISK_THROUGH)
		return TL_OK;
	return failed(disk, disk->file.flush(disk->file.context, &disk->failure));
}
