#include "symbols/unpack.h"

#include "base/storage.h"
#include "symbols/bytes.h"

#include <elf.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

/* What the formats can do at the best: deflate 1032 times, a zstd block of 128 KiB from 4 bytes. */
#define ZLIB_RATIO 1032u
#define ZSTD_RATIO 32768u
#define UNPACKED_MAX ((tl_u64)16 << 30)
#define CHDR_ZSTD 2u

static enum tl_status inflate_all(struct tl_cursor packed, tl_u8 *bytes, tl_size size, struct tl_error *error)
{
	z_stream stream = {0};
	int result = inflateInit(&stream);
	tl_size in = tl_cursor_left(&packed), out = size;

	if (result != Z_OK)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory to unpack with zlib");
	stream.next_in = packed.at;
	stream.next_out = bytes;
	/* zlib counts in unsigned int. */
	while (result == Z_OK) {
		uInt give = in < (1u << 30) ? (uInt)in : 1u << 30, room = out < (1u << 30) ? (uInt)out : 1u << 30;

		stream.avail_in = give;
		stream.avail_out = room;
		result = inflate(&stream, Z_NO_FLUSH);
		in -= give - stream.avail_in;
		out -= room - stream.avail_out;
		if (give == stream.avail_in && room == stream.avail_out)
			break;
	}
	(void)inflateEnd(&stream);
	if (result != Z_STREAM_END || out != 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged zlib data");
	return TL_OK;
}

static enum tl_status unpack_zstd(struct tl_cursor packed, tl_u8 *bytes, tl_size size, struct tl_error *error)
{
	size_t result = ZSTD_decompress(bytes, size, packed.at, tl_cursor_left(&packed));

	if (ZSTD_isError(result) != 0 || result != size)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged zstd data");
	return TL_OK;
}

static enum tl_status read_header(struct tl_cursor *packed, enum tl_unpack_header header, tl_u32 *kind_ret,
				  tl_u64 *size_ret, struct tl_error *error)
{
	tl_u64 size = 0;
	tl_u32 kind = ELFCOMPRESS_ZLIB;

	switch (header) {
	case TL_UNPACK_64:
		kind = tl_take_u32(packed);
		(void)tl_take_u32(packed);
		size = tl_take_u64(packed);
		(void)tl_take_u64(packed);
		break;
	case TL_UNPACK_32:
		kind = tl_take_u32(packed);
		size = tl_take_u32(packed);
		(void)tl_take_u32(packed);
		break;
	case TL_UNPACK_OLD:
		if (!tl_cursor_accept_text(packed, "ZLIB"))
			tl_take_fail(packed);
		size = tl_cursor_big(packed, 8);
		break;
	}
	if (packed->failed)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged header of a compressed section");
	if (kind != ELFCOMPRESS_ZLIB && kind != CHDR_ZSTD)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "compressed in a way that is not known (type %u)", kind);
	*kind_ret = kind;
	*size_ret = size;
	return TL_OK;
}

enum tl_status tl_unpack(struct tl_cursor packed, enum tl_unpack_header header, struct tl_unpacked *unpacked_ret,
			 struct tl_error *error)
{
	tl_u64 size = 0, ratio;
	enum tl_status status;
	tl_u32 kind = 0;
	tl_u8 *bytes;

	TL_TRY(read_header(&packed, header, &kind, &size, error));
	ratio = kind == CHDR_ZSTD ? ZSTD_RATIO : ZLIB_RATIO;
	if (size == 0 || size > UNPACKED_MAX || size / ratio > tl_cursor_left(&packed))
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged: %llu bytes cannot be packed in %zu",
			       (unsigned long long)size, tl_cursor_left(&packed));
	bytes = tl_storage()->resize(tl_storage()->context, NULL, 0, size);
	if (bytes == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory to unpack %llu bytes", (unsigned long long)size);
	status = kind == CHDR_ZSTD ? unpack_zstd(packed, bytes, size, error) : inflate_all(packed, bytes, size, error);
	if (status != TL_OK) {
		tl_release(tl_storage(), bytes, size);
		return status;
	}
	*unpacked_ret = (struct tl_unpacked){bytes, size};
	return TL_OK;
}

void tl_unpacked_free(const struct tl_unpacked *unpacked)
{
	union {
		const tl_u8 *constant;
		void *block;
	} of = {unpacked->bytes};

	tl_release(tl_storage(), of.block, unpacked->size);
}
