/*
 * Memory in files, as `dump` and `restore` have it: the bytes alone, or with their addresses in Intel's or Motorola's
 * hexadecimal records (as binutils write them). Control thread.
 */
#ifndef TL_DEBUGGER_MEMORY_FILE_H
#define TL_DEBUGGER_MEMORY_FILE_H

#include "base/error.h"
#include "core/types.h"

enum tl_memory_format { TL_MEMORY_BINARY, TL_MEMORY_IHEX, TL_MEMORY_SREC };

/*
 * Writes bytes that stand at an address; `append` to the end of a file, which goes with TL_MEMORY_BINARY only.
 * TL_ERROR_SYSTEM; TL_ERROR_TOO_LONG: the format has no room for addresses that high.
 */
TL_CHECKED enum tl_status tl_memory_file_write(const char *path, enum tl_memory_format format, bool append,
					       tl_u64 address, const void *bytes, tl_size size, struct tl_error *error);

/* Some bytes of a file, in a row. */
struct tl_memory_part {
	tl_u64 address; /* 0 of a binary file */
	tl_u8 *bytes;
	tl_size size;
};

struct tl_memory_parts {
	enum tl_memory_format format;
	struct tl_memory_part *items;
	tl_size count, capacity;
};

/*
 * Reads a file whole: as it is if `binary`, else as records, whose parts are joined where one follows the other. The
 * caller releases it, also after an error. TL_ERROR_SYSTEM; TL_ERROR_MALFORMED: damaged records, with the line;
 * TL_ERROR_UNSUPPORTED: neither of the two formats.
 */
TL_CHECKED enum tl_status tl_memory_file_read(const char *path, bool binary, struct tl_memory_parts *parts_ret,
					      struct tl_error *error);
void tl_memory_parts_release(struct tl_memory_parts *parts);

#endif
