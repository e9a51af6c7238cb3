#include "machine/disk_option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4096

/* What is behind the last comma, when it is a word for how a disk is opened; a file may have a comma in its name. */
static enum tl_disk_mode split(char *what)
{
	char *comma = strrchr(what, ',');

	if (comma != NULL && strcmp(comma, ",write") == 0) {
		*comma = '\0';
		return TL_DISK_THROUGH;
	}
	if (comma != NULL && strcmp(comma, ",readonly") == 0) {
		*comma = '\0';
		return TL_DISK_READ_ONLY;
	}
	return TL_DISK_OVERLAY;
}

/* A guest must not use up the host's memory: what it writes to a disk may take a quarter of it. */
static tl_u64 overlay_limit(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (tl_u64)pages * (tl_u64)size / 4 / TL_DISK_BLOCK : 0;
}

enum tl_status tl_disk_option_open(struct tl_disk *disk_ret, const char *what, char **path_ret, struct tl_error *error)
{
	char path[PATH_SIZE];
	enum tl_disk_mode mode;

	if (snprintf(path, sizeof(path), "%s", what) >= (int)sizeof(path))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the name of a disk is longer than %d bytes", PATH_SIZE - 1);
	mode = split(path);
	TL_TRY(tl_disk_open(disk_ret, path, mode, error));
	disk_ret->limit = overlay_limit();
	*path_ret = realpath(path, NULL);
	return TL_OK;
}
