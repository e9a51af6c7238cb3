/* Raw files and block devices of the host, as what is under a disk. */
#ifndef TL_MACHINE_DISK_FILE_H
#define TL_MACHINE_DISK_FILE_H

#include "machine/disk.h"

/*
 * Opens a file, for writing too when `writable`, and holds a lock on it: one that writes goes alone. The caller closes
 * it. Errors are those of tl_disk_open.
 */
TL_CHECKED enum tl_status tl_disk_file_open(const char *path, bool writable, struct tl_disk_file *file_ret,
					    tl_u64 *size_ret, struct tl_error *error);

#endif
