/*
 * Compressed sections: zlib and zstd with the header of the gABI ("Section Compression"), and the older .zdebug_*,
 * whose header is "ZLIB" and a big-endian size.
 */
#ifndef TL_SYMBOLS_UNPACK_H
#define TL_SYMBOLS_UNPACK_H

#include "base/error.h"
#include "core/cursor.h"

enum tl_unpack_header { TL_UNPACK_64, TL_UNPACK_32, TL_UNPACK_OLD };

struct tl_unpacked {
	const tl_u8 *bytes;
	tl_size size;
};

/*
 * Unpacks a section into storage that tl_unpacked_free gives back. A size that the packed bytes could never unpack to
 * costs no storage. TL_ERROR_MALFORMED: damaged; TL_ERROR_UNSUPPORTED: packed in some other way. Any thread.
 */
TL_CHECKED enum tl_status tl_unpack(struct tl_cursor packed, enum tl_unpack_header header,
				    struct tl_unpacked *unpacked_ret, struct tl_error *error);

/* Gives the storage back. */
void tl_unpacked_free(const struct tl_unpacked *unpacked);

#endif
