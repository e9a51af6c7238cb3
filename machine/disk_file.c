#include "machine/disk_file.h"

#include "base/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file is read and written through its descriptor, never mapped: one that shrinks then gives an error, no signal.
 */
struct host_file {
	int descriptor;
	char path[256]; /* for errors; the end of a longer one is left out */
};

static enum tl_status read_file(void *context, tl_u64 offset, void *bytes, tl_u64 size, struct tl_error *error)
{
	const struct host_file *file = context;
	tl_u8 *to = bytes;

	while (size != 0) {
		ssize_t part = pread(file->descriptor, to, size, (off_t)offset);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot read the disk %s at byte %llu", file->path,
					     (unsigned long long)offset);
		if (part == 0)
			return TL_FAIL(error, TL_ERROR_TRUNCATED,
				       "the disk %s ends at byte %llu, before its end when the machine started: "
				       "somebody cut it off",
				       file->path, (unsigned long long)offset);
		to += part;
		offset += (tl_u64)part;
		size -= (tl_u64)part;
	}
	return TL_OK;
}

static enum tl_status write_file(void *context, tl_u64 offset, const void *bytes, tl_u64 size, struct tl_error *error)
{
	const struct host_file *file = context;
	const tl_u8 *from = bytes;

	while (size != 0) {
		ssize_t part = pwrite(file->descriptor, from, size, (off_t)offset);

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot write the disk %s at byte %llu",
					     file->path, (unsigned long long)offset);
		from += part;
		offset += (tl_u64)part;
		size -= (tl_u64)part;
	}
	return TL_OK;
}

static enum tl_status flush_file(void *context, struct tl_error *error)
{
	const struct host_file *file = context;

	if (fdatasync(file->descriptor) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot flush the disk %s", file->path);
	return TL_OK;
}

static void close_file(void *context)
{
	struct host_file *file = context;

	(void)close(file->descriptor);
	tl_release(tl_storage(), file, sizeof(*file));
}

static enum tl_status examine(int descriptor, const char *path, tl_u64 *size_ret, struct tl_error *error)
{
	struct stat status;
	off_t end;

	if (fstat(descriptor, &status) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot look at the disk %s", path);
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "%s is no file: a disk is a raw file or a block device", path);
	end = lseek(descriptor, 0, SEEK_END);
	if (end < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot find the end of the disk %s", path);
	if (end == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the disk %s is empty: make it with `truncate -s 1G %s`", path,
			       path);
	if ((tl_u64)end > TL_DISK_SIZE_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the disk %s is larger than 2^50 bytes", path);
	*size_ret = (tl_u64)end;
	return TL_OK;
}

/* Where the file system has no locks there is nothing to be held. */
static enum tl_status lock(int descriptor, bool writable, const char *path, struct tl_error *error)
{
	if (flock(descriptor, (writable ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       writable ? "the disk %s is in use by another program: end that one first, or do not "
					  "write through"
					: "another program writes to the disk %s: end it first",
			       path);
	return TL_OK;
}

enum tl_status tl_disk_file_open(const char *path, bool writable, struct tl_disk_file *file_ret, tl_u64 *size_ret,
				 struct tl_error *error)
{
	struct host_file *file;
	enum tl_status status;
	/* Not to wait for the other end, should it be a pipe. */
	int descriptor = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (descriptor < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot open the disk %s", path);
	status = examine(descriptor, path, size_ret, error);
	if (status == TL_OK)
		status = lock(descriptor, writable, path, error);
	if (status != TL_OK) {
		(void)close(descriptor);
		return status;
	}
	file = tl_allocate(tl_storage(), sizeof(*file));
	if (file == NULL) {
		(void)close(descriptor);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the disk %s", path);
	}
	file->descriptor = descriptor;
	for (tl_size i = 0; i + 1 < sizeof(file->path) && path[i] != 0; i++)
		file->path[i] = path[i];
	*file_ret = (struct tl_disk_file){
		.read = read_file, .write = write_file, .flush = flush_file, .close = close_file, .context = file};
	return TL_OK;
}
