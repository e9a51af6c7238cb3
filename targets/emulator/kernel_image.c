#include "targets/emulator/kernel_image.h"

#include "core/cursor.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK ((tl_u64)16 << 20) /* how storage for what is unpacked grows at least */

/* Of an EFI zboot file, whose beginning is "MZ". */
#define ZBOOT_MAGIC 4 /* "zimg" */
#define ZBOOT_PAYLOAD 8
#define ZBOOT_SIZE 12
#define ZBOOT_HEADER 28

/* Of an Image. */
#define HEADER_OFFSET 8
#define HEADER_SIZE 16
#define HEADER_FLAGS 24
#define HEADER_MAGIC 0x38 /* "RSC" and a byte of 5 */
#define HEADER_END 0x40
#define FLAG_BIG_ENDIAN 1

struct bytes {
	tl_u8 *at;
	tl_u64 size, room;
};

static bool grow(struct bytes *bytes)
{
	tl_u64 room = bytes->room + (bytes->room > CHUNK ? bytes->room : CHUNK);
	tl_u8 *grown = room <= 2 * TL_KERNEL_IMAGE_MAX ? realloc(bytes->at, room) : NULL;

	if (grown == NULL)
		return false;
	bytes->at = grown;
	bytes->room = room;
	return true;
}

static enum tl_status too_large(const char *name, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_TOO_LONG, "%s: unpacked, it would have more than %u MiB", name,
		       (unsigned)(TL_KERNEL_IMAGE_MAX >> 20));
}

static enum tl_status damaged(const char *name, const char *kind, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_MALFORMED, "%s: what %s packed is damaged, or ends too early", name, kind);
}

/* `stream` has its input. */
static enum tl_status inflate_all(z_stream *stream, struct bytes *out, const char *name, struct tl_error *error)
{
	int result = Z_OK;

	while (result == Z_OK) {
		if (out->size > TL_KERNEL_IMAGE_MAX || (out->size == out->room && !grow(out)))
			return too_large(name, error);
		stream->next_out = out->at + out->size;
		stream->avail_out = (uInt)(out->room - out->size);
		result = inflate(stream, Z_NO_FLUSH);
		out->size = out->room - stream->avail_out;
	}
	return result == Z_STREAM_END ? TL_OK : damaged(name, "gzip", error);
}

static enum tl_status unpack_gzip(const tl_u8 *bytes, tl_u64 size, struct bytes *out, const char *name,
				  struct tl_error *error)
{
	z_stream stream = {.next_in = (Bytef *)(tl_uintptr)bytes, .avail_in = (uInt)size};
	enum tl_status status;

	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room to unpack %s", name);
	status = inflate_all(&stream, out, name, error);
	(void)inflateEnd(&stream);
	return status;
}

static enum tl_status unpack_zstd(const tl_u8 *bytes, tl_u64 size, struct bytes *out, const char *name,
				  struct tl_error *error)
{
	ZSTD_inBuffer in = {.src = bytes, .size = size};
	ZSTD_DStream *stream = ZSTD_createDStream();
	enum tl_status status = TL_OK;
	size_t left = 1;

	if (stream == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room to unpack %s", name);
	while (status == TL_OK && left != 0) {
		ZSTD_outBuffer to;

		if (out->size > TL_KERNEL_IMAGE_MAX || (out->size == out->room && !grow(out))) {
			status = too_large(name, error);
			break;
		}
		to = (ZSTD_outBuffer){.dst = out->at, .size = out->room, .pos = out->size};
		left = ZSTD_decompressStream(stream, &to, &in);
		if (ZSTD_isError(left) != 0 || (left != 0 && in.pos == in.size && to.pos == out->size))
			status = damaged(name, "zstd", error);
		out->size = to.pos;
	}
	(void)ZSTD_freeDStream(stream);
	return status;
}

static bool is_gzip(const tl_u8 *bytes, tl_u64 size)
{
	return size > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

static bool is_zstd(const tl_u8 *bytes, tl_u64 size)
{
	return size > 4 && tl_load_little(bytes, 4) == 0xfd2fb528;
}

static bool is_zboot(const tl_u8 *bytes, tl_u64 size)
{
	return size > ZBOOT_HEADER && tl_same(bytes, "MZ", 2) && tl_same(bytes + ZBOOT_MAGIC, "zimg", 4);
}

/* What is packed in there, if anything; the whole otherwise. */
static enum tl_status find_packed(const char *name, const tl_u8 **bytes, tl_u64 *size, struct tl_error *error)
{
	tl_u64 start, length;

	if (!is_zboot(*bytes, *size))
		return TL_OK;
	start = tl_load_little(*bytes + ZBOOT_PAYLOAD, 4);
	length = tl_load_little(*bytes + ZBOOT_SIZE, 4);
	if (start > *size || length > *size - start)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s: this EFI file ends before the kernel that it holds",
			       name);
	*bytes += start;
	*size = length;
	if (!is_gzip(*bytes, *size) && !is_zstd(*bytes, *size))
		return TL_FAIL(
			error, TL_ERROR_MALFORMED,
			"%s: the kernel in this EFI file is packed neither with gzip nor with zstd: unpack it first",
			name);
	return TL_OK;
}

static enum tl_status unpack(const char *name, struct bytes *whole, struct tl_error *error)
{
	const tl_u8 *packed = whole->at;
	tl_u64 size = whole->size;
	struct bytes out = {0};
	enum tl_status status = find_packed(name, &packed, &size, error);

	if (status != TL_OK || (!is_gzip(packed, size) && !is_zstd(packed, size)))
		return status;
	if (size > TL_KERNEL_IMAGE_MAX)
		return too_large(name, error);
	status = is_gzip(packed, size) ? unpack_gzip(packed, size, &out, name, error)
				       : unpack_zstd(packed, size, &out, name, error);
	free(whole->at);
	*whole = out;
	return status;
}

static enum tl_status read_header(struct tl_kernel_image *image, const char *name, struct tl_error *error)
{
	const tl_u8 *bytes = image->bytes;

	image->memory_size = image->size;
	image->is_linux = image->size >= HEADER_END && tl_same(bytes + HEADER_MAGIC, "RSC\5", 4);
	if (!image->is_linux)
		return TL_OK;
	if ((tl_load_little(bytes + HEADER_FLAGS, 8) & FLAG_BIG_ENDIAN) != 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s: this kernel is big-endian, and the machine is not",
			       name);
	image->offset = tl_load_little(bytes + HEADER_OFFSET, 8);
	if (tl_load_little(bytes + HEADER_SIZE, 8) > image->memory_size)
		image->memory_size = tl_load_little(bytes + HEADER_SIZE, 8);
	if (image->memory_size > TL_KERNEL_IMAGE_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s: this kernel says that it needs %llu MiB", name,
			       (unsigned long long)(image->memory_size >> 20));
	return TL_OK;
}

enum tl_status tl_kernel_image_open(struct tl_kernel_image *image_ret, const char *name, tl_u8 *bytes, tl_u64 size,
				    struct tl_error *error)
{
	struct bytes whole = {.at = bytes, .size = size, .room = size};
	enum tl_status status = unpack(name, &whole, error);

	*image_ret = (struct tl_kernel_image){.bytes = whole.at, .size = whole.size};
	if (status == TL_OK)
		status = read_header(image_ret, name, error);
	if (status != TL_OK) {
		free(whole.at);
		image_ret->bytes = NULL;
	}
	return status;
}
