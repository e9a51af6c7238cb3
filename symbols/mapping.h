/*
 * Files mapped for reading, whatever happens to them afterwards.
 *
 * A file that is cut off while it is mapped (`cp` over a program that is being looked at) would end the process with
 * SIGBUS. The first mapping installs a handler of that signal, for the whole process; where a mapping's file has no
 * bytes any more it reads as zeros from then on. Faults elsewhere go where they went before. Any thread.
 */
#ifndef TL_SYMBOLS_MAPPING_H
#define TL_SYMBOLS_MAPPING_H

#include "base/error.h"

struct tl_mapping {
	const tl_u8 *bytes; /* NULL: nothing is mapped */
	tl_size size;
	tl_u64 device, inode; /* of the file */
	tl_u32 owner;         /* user */
	tl_u64 identity;      /* as of tl_file_identity, when it was mapped */
	bool fresh;           /* it was changed so lately that one more change would not show in that */
};

/*
 * A number for a file as it is now: another one for any other file, and for this one once it was changed or replaced
 * (it is made of device, inode, size and the time of the last change of any kind, which nobody can set). 0: there is
 * none. Any thread.
 */
tl_u64 tl_file_identity(const char *path);

/*
 * Maps the regular file behind a descriptor, which stays the caller's. TL_ERROR_MALFORMED: it is empty or no regular
 * file; TL_ERROR_SYSTEM. `path` is for the error's text.
 */
TL_CHECKED enum tl_status tl_mapping_make(struct tl_mapping *mapping_ret, int descriptor, const char *path,
					  struct tl_error *error);

/* Unmaps, and empties the struct; an empty one is fine. */
void tl_mapping_close(struct tl_mapping *mapping);

/*
 * For a program's own handler of SIGBUS, if it has one: true when the fault at that address was one of a mapping, and
 * is mended. Async-signal-safe.
 */
bool tl_mapping_fault(const void *address);

#endif
