#include "frontends/serve/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Opens below a root that no symbolic link leads out of. */
static int open_under(int root, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (tl_u64)(unsigned)flags,
		.mode = (flags & O_CREAT) != 0 ? mode & 07777 : 0,
		.resolve = RESOLVE_IN_ROOT,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int system_open(int root, const char *path, int flags, mode_t mode)
{
	return root < 0 ? open(path, flags, mode) : open_under(root, path, flags, mode);
}

static int system_close(int descriptor)
{
	return close(descriptor);
}

static ssize_t system_read(int descriptor, void *buffer, size_t size, off_t offset)
{
	ssize_t done = pread(descriptor, buffer, size, offset);

	/* Terminals and pipes have no offsets; they were opened without blocking. */
	return done < 0 && errno == ESPIPE ? read(descriptor, buffer, size) : done;
}

static ssize_t system_write(int descriptor, const void *buffer, size_t size, off_t offset)
{
	ssize_t done = pwrite(descriptor, buffer, size, offset);

	return done < 0 && errno == ESPIPE ? write(descriptor, buffer, size) : done;
}

static int system_fstat(int descriptor, struct stat *status)
{
	return fstat(descriptor, status);
}

static int system_stat(int root, const char *path, struct stat *status, bool follow)
{
	int descriptor, result, error;

	if (root < 0)
		return follow ? stat(path, status) : lstat(path, status);
	descriptor = open_under(root, path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW), 0);
	if (descriptor < 0)
		return -1;
	result = fstat(descriptor, status);
	error = errno;
	close(descriptor);
	errno = error;
	return result;
}

/* The directory that holds the last component of `path`, and that component. */
static int open_parent(int root, const char *path, const char **name_ret)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length = slash != NULL ? (size_t)(slash - path) : 0;

	if (length + 2 > sizeof(parent)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(parent, path, length);
	memcpy(parent + length, "/", 2);
	*name_ret = slash != NULL ? slash + 1 : path;
	return open_under(root, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

static int system_unlink(int root, const char *path)
{
	const char *name;
	int parent, result, error;

	if (root < 0)
		return unlink(path);
	parent = open_parent(root, path, &name);
	if (parent < 0)
		return -1;
	result = unlinkat(parent, name, 0);
	error = errno;
	close(parent);
	errno = error;
	return result;
}

static ssize_t system_readlink(int root, const char *path, char *buffer, size_t size)
{
	const char *name;
	int parent, error;
	ssize_t result;

	if (root < 0)
		return readlink(path, buffer, size);
	parent = open_parent(root, path, &name);
	if (parent < 0)
		return -1;
	result = readlinkat(parent, name, buffer, size);
	error = errno;
	close(parent);
	errno = error;
	return result;
}

static int system_symlink(int root, const char *target, const char *path)
{
	const char *name;
	int parent, result, error;

	if (root < 0)
		return symlink(target, path);
	parent = open_parent(root, path, &name);
	if (parent < 0)
		return -1;
	result = symlinkat(target, parent, name);
	error = errno;
	close(parent);
	errno = error;
	return result;
}

static int system_root_of(tl_u64 process)
{
	char path[64], own[64], other[64];
	struct stat ours, theirs;
	ssize_t own_size, other_size;
	int root;

	/* The same root directory in the same mount namespace: plain paths do, and they may follow magic links. */
	snprintf(path, sizeof(path), "/proc/%llu/ns/mnt", (unsigned long long)process);
	own_size = readlink("/proc/self/ns/mnt", own, sizeof(own));
	other_size = readlink(path, other, sizeof(other));
	if (other_size < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%llu/root", (unsigned long long)process);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	if (own_size == other_size && memcmp(own, other, (size_t)own_size) == 0 && stat("/", &ours) == 0 &&
	    fstat(root, &theirs) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino) {
		close(root);
		return -2;
	}
	return root;
}

const struct tl_file_calls tl_file_calls_system = {
	.open = system_open,
	.close = system_close,
	.read = system_read,
	.write = system_write,
	.fstat = system_fstat,
	.stat = system_stat,
	.unlink = system_unlink,
	.readlink = system_readlink,
	.symlink = system_symlink,
	.root_of = system_root_of,
};
