/*
 * Files on the machine of the target: the vFile packets. GDB manual, "Host I/O Packets" and "Protocol-specific
 * Representation of Datatypes".
 *
 * A client sees the file system of the server until it names a process (vFile:setfs); then it sees that process's, in
 * its root directory and its mount namespace. Descriptors that the client opened are the only ones that it can use, and
 * they are closed when it goes. Nothing here waits: files are opened without blocking.
 *
 * Every system call goes through one table, so that tests can make each fail.
 */
#ifndef TL_FRONTENDS_SERVE_FILES_H
#define TL_FRONTENDS_SERVE_FILES_H

#include "core/rsp/rsp.h"

#include <sys/stat.h>
#include <sys/types.h>

/*
 * The calls that leave the program. Each returns -1 and sets errno on failure. `root` is -1 for the server's own file
 * system, otherwise a descriptor of the directory that is "/" to the client; then no path leads out of it.
 */
struct tl_file_calls {
	int (*open)(int root, const char *path, int flags, mode_t mode);
	int (*close)(int descriptor);
	ssize_t (*read)(int descriptor, void *buffer, size_t size, off_t offset);
	ssize_t (*write)(int descriptor, const void *buffer, size_t size, off_t offset);
	int (*fstat)(int descriptor, struct stat *status);
	int (*stat)(int root, const char *path, struct stat *status, bool follow);
	int (*unlink)(int root, const char *path);
	ssize_t (*readlink)(int root, const char *path, char *buffer, size_t size);
	int (*symlink)(int root, const char *target, const char *path);
	/* A descriptor of the process's root directory, or -2 when it is our own. */
	int (*root_of)(tl_u64 process);
};

extern const struct tl_file_calls tl_file_calls_system;

struct tl_files;

/* What one client has open. NULL when there is no storage. `calls` must outlive it. */
struct tl_files *tl_files_create(const struct tl_file_calls *calls);
/*
 * The engine's processes are not this system's, whatever their numbers: all of them see the server's files, and their
 * /proc/PID/maps is made up from what the target says. The engine must outlive it.
 */
void tl_files_set_elsewhere(struct tl_files *files, struct tl_engine *engine);
/* Closes what the client left open; NULL is fine. */
void tl_files_destroy(struct tl_files *files);

/* The rows of the packet table; their context is a struct tl_files. */
extern const struct tl_rsp_row tl_files_rows[];

/* The protocol's number for an errno ("Errno Values"); 9999, EUNKNOWN, for those that it has no number for. Any thread.
 */
unsigned tl_files_wire_error(int system);

#endif
