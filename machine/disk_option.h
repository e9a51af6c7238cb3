/* A disk as people name it on a command line. */
#ifndef TL_MACHINE_DISK_OPTION_H
#define TL_MACHINE_DISK_OPTION_H

#include "machine/disk.h"

/*
 * Opens "FILE", with what the guest writes in memory; "FILE,write" with it in the file; or "FILE,readonly". A guest may
 * use up a quarter of the host's memory for what it writes. *path_ret is the file's whole path, from malloc, the
 * caller's; NULL when there was no memory for it. Errors are tl_disk_open's.
 */
TL_CHECKED enum tl_status tl_disk_option_open(struct tl_disk *disk_ret, const char *what, char **path_ret,
					      struct tl_error *error);

#endif
