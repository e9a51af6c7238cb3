/*
 * m, M, x, X, qSearch:memory, qCRC. GDB manual, "Packets" and "General Query Packets".
 */
#include "core/rsp/lanes.h"
#include "core/rsp/rsp_internal.h"

/* How much one packet may make the server look through: the control thread is busy meanwhile. */
#define SEARCH_MAX ((tl_u64)1 << 30)
#define CHECK_MAX ((tl_u64)1 << 28)
/* Memory is looked through in pieces of this size. */
#define PIECE_MAX 65536u
/* How far ahead of the bytes that it rewrites a reply may be written, at most. */
#define AHEAD ((tl_size)256)

static enum tl_status read_some(struct tl_rsp *rsp, tl_u64 address, void *buffer, tl_size size, tl_size *done_ret)
{
	tl_u64 process;

	*done_ret = 0;
	if (!tl_rsp_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	if (size == 0)
		return TL_OK;
	tl_engine_look_through(rsp->engine, rsp->general);
	TL_TRY(tl_engine_read_memory(rsp->engine, process, address, buffer, size, done_ret));
	return *done_ret != 0 ? TL_OK : TL_ERROR_MEMORY;
}

/*
 * As many bytes of what is asked for as the reply has room for. Few are read into the end of that room, far enough from
 * its beginning for whoever rewrites them there two for one and a little ahead; many displace what rsp->object holds.
 */
static enum tl_status read_for_reply(struct tl_rsp *rsp, const struct tl_request_memory *request, tl_size most,
				     struct tl_writer *reply, const tl_u8 **bytes_ret, tl_size *done_ret)
{
	tl_size size = request->size < most ? (tl_size)request->size : most;
	tl_u8 *bytes = reply->end - size;

	if (2 * size + AHEAD > tl_writer_room(reply)) {
		TL_TRY(tl_rsp_object_room(rsp, size));
		bytes = rsp->object;
	}
	*bytes_ret = bytes;
	return read_some(rsp, request->address, bytes, size, done_ret);
}

/* Sixteen bytes as digits: a number that lets the compiler do them at once. */
static void write_digits(const tl_u8 *bytes, tl_u8 *out)
{
	tl_u8 block[16], digits[2 * sizeof(block)];

	tl_copy(block, bytes, sizeof(block));
	for (tl_size i = 0; i < sizeof(block); i++) {
		tl_u8 high = block[i] >> 4, low = block[i] & 15;

		digits[2 * i] = (tl_u8)(high + '0' + (high > 9 ? 'a' - '0' - 10 : 0));
		digits[2 * i + 1] = (tl_u8)(low + '0' + (low > 9 ? 'a' - '0' - 10 : 0));
	}
	tl_copy(out, digits, sizeof(digits));
}

static enum tl_status handle_m(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	struct tl_request_memory request;
	const tl_u8 *bytes;
	tl_size done, i = 0;

	(void)context;
	TL_TRY(tl_request_memory(arguments, false, &request));
	TL_TRY(read_for_reply(rsp, &request, tl_writer_room(reply) / 2, reply, &bytes, &done));
	for (; i + 16 <= done; i += 16, reply->at += 32)
		write_digits(bytes + i, reply->at);
	tl_write_hex_bytes(reply, bytes + i, done - i);
	return TL_OK;
}

static bool special(tl_u8 byte)
{
	return byte == '#' || byte == '$' || byte == '}' || byte == '*';
}

/*
 * Escapes are looked for in a block of bytes together. In memory that looks like noise there is one in 64 bytes: with
 * all their places known at once, the processor guesses wrong less often than with one place after the other.
 */
#define BLOCK (4 * TL_LANES)

/* Which of the next TL_LANES bytes need an escape, a bit for each. */
static tl_u64 special_lanes(const tl_u8 *bytes)
{
	tl_lanes lanes = tl_lanes_load(bytes);

	return tl_lanes_bits(tl_lanes_equal(lanes, '#') | tl_lanes_equal(lanes, '$') | tl_lanes_equal(lanes, '}') |
			     tl_lanes_equal(lanes, '*'));
}

/* Which of the next BLOCK bytes do. */
static tl_u64 special_bits(const tl_u8 *bytes)
{
	return special_lanes(bytes) | special_lanes(bytes + TL_LANES) << TL_LANES |
	       special_lanes(bytes + 2 * TL_LANES) << 2 * TL_LANES |
	       special_lanes(bytes + 3 * TL_LANES) << 3 * TL_LANES;
}

/*
 * Writes the block at `bytes` with its escapes. Each piece between two of them is copied as a whole block: there must
 * be a block more to read behind this one, and room for three.
 */
static tl_u8 *write_block(const tl_u8 *bytes, tl_u8 *out)
{
	tl_size at = 0;

	for (tl_u64 bits = special_bits(bytes); bits != 0; bits &= bits - 1) {
		tl_size next = (tl_size)__builtin_ctzll(bits);

		tl_copy(out, bytes + at, BLOCK);
		out += next - at;
		*out++ = '}';
		*out++ = bytes[next] ^ 0x20;
		at = next + 1;
	}
	tl_copy(out, bytes + at, BLOCK);
	return out + BLOCK - at;
}

/*
 * Writes bytes with their escapes to [out, end), and returns the end of what was written: all of them, or as many as
 * there is room for. The bytes stand elsewhere, or further back in the same room by their size and AHEAD.
 */
static tl_u8 *write_escaped(const tl_u8 *bytes, tl_size size, tl_u8 *out, const tl_u8 *end)
{
	tl_size i = 0;

	for (; size - i >= 2 * BLOCK && (tl_size)(end - out) >= 3 * BLOCK; i += BLOCK)
		out = write_block(bytes + i, out);
	for (; i < size && end - out >= 1 + special(bytes[i]); i++) {
		if (special(bytes[i]))
			*out++ = '}';
		*out++ = special(bytes[i]) ? bytes[i] ^ 0x20 : bytes[i];
	}
	return out;
}

static enum tl_status handle_x(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	struct tl_request_memory request;
	const tl_u8 *bytes;
	tl_size done;

	(void)context;
	TL_TRY(tl_request_memory(arguments, false, &request));
	/* Only lldb before version 20 asks for nothing, to learn whether x is known, and it knows no b in front. */
	if (request.size == 0 && request.address == 0 && !rsp->client[TL_RSP_CLIENT_BINARY_UPLOAD]) {
		rsp->bare_upload = true;
		tl_write_text(reply, "OK");
		return TL_OK;
	}
	TL_TRY(read_for_reply(rsp, &request, tl_writer_room(reply) - 1, reply, &bytes, &done));
	if (!rsp->bare_upload)
		*reply->at++ = 'b';
	/* Where escapes take the room of bytes the reply ends early, as it may. */
	reply->at = write_escaped(bytes, done, reply->at, reply->end);
	return TL_OK;
}

static enum tl_status write_all(struct tl_rsp *rsp, tl_u64 address, const void *bytes, tl_size size)
{
	tl_u64 process;
	tl_size done;

	if (!tl_rsp_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	if (size == 0)
		return TL_OK;
	tl_engine_look_through(rsp->engine, rsp->general);
	TL_TRY(tl_engine_write_memory(rsp->engine, process, address, bytes, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status handle_M(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	struct tl_request_memory request;
	tl_u8 *bytes;
	tl_size size;

	(void)context, (void)reply;
	TL_TRY(tl_request_memory(arguments, true, &request));
	size = tl_cursor_left(&request.data) / 2;
	if (request.size != size || tl_cursor_left(&request.data) % 2 != 0)
		return TL_ERROR_PACKET;
	bytes = tl_rsp_in_place(rsp, &request.data);
	tl_cursor_hex_bytes(&request.data, bytes, size);
	if (request.data.failed)
		return TL_ERROR_PACKET;
	return write_all(rsp, request.address, bytes, size);
}

static enum tl_status handle_X(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	struct tl_request_memory request;

	(void)context, (void)reply;
	TL_TRY(tl_request_memory(arguments, true, &request));
	if (request.size != tl_cursor_left(&request.data))
		return TL_ERROR_PACKET;
	return write_all(rsp, request.address, request.data.at, tl_cursor_left(&request.data));
}

/* ---- Looking through memory ---- */

/*
 * For every prefix of the pattern the length of the longest one that is also its end, shorter than itself: with it a
 * search reads each byte of memory once, whatever the pattern (Knuth, Morris, Pratt 1977).
 */
static void make_borders(const tl_u8 *pattern, tl_size size, tl_u32 *borders)
{
	tl_u32 length = 0;

	borders[0] = 0;
	for (tl_size i = 1; i < size; i++) {
		while (length > 0 && pattern[i] != pattern[length])
			length = borders[length - 1];
		if (pattern[i] == pattern[length])
			length++;
		borders[i] = length;
	}
}

/* Memory is looked through in pieces as large as a packet: who has room for those has room for one more. */
static tl_size piece_size(const struct tl_rsp *rsp)
{
	return rsp->host.packet_size < PIECE_MAX ? rsp->host.packet_size : PIECE_MAX;
}

static enum tl_status search(struct tl_rsp *rsp, tl_u64 start, tl_u64 space, const tl_u8 *pattern, tl_size size,
			     struct tl_writer *reply)
{
	const tl_u32 *borders = (const tl_u32 *)(void *)rsp->object;
	tl_u8 *piece = rsp->object + size * sizeof(*borders);
	tl_size matching = 0;
	tl_u64 at = 0;

	while (at < space) {
		tl_size wanted = space - at < piece_size(rsp) ? (tl_size)(space - at) : piece_size(rsp);
		tl_size done;

		TL_TRY(read_some(rsp, start + at, piece, wanted, &done));
		for (tl_size i = 0; i < done; i++) {
			while (matching > 0 && piece[i] != pattern[matching])
				matching = borders[matching - 1];
			if (piece[i] == pattern[matching])
				matching++;
			if (matching < size)
				continue;
			tl_write_text(reply, "1,");
			tl_write_hex(reply, start + at + i + 1 - size);
			return TL_OK;
		}
		at += done;
	}
	tl_write_byte(reply, '0');
	return TL_OK;
}

static enum tl_status handle_search(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	const tl_u8 *pattern;
	tl_u64 start, space;
	tl_size size;

	(void)context;
	tl_cursor_expect(arguments, ':');
	start = tl_cursor_hex(arguments);
	tl_cursor_expect(arguments, ';');
	space = tl_cursor_hex(arguments);
	tl_cursor_expect(arguments, ';');
	pattern = arguments->at;
	size = tl_cursor_left(arguments);
	if (arguments->failed || size == 0)
		return TL_ERROR_PACKET;
	if (space > SEARCH_MAX) {
		tl_rsp_explain(rsp, "search at most 1 GiB at a time");
		return TL_ERROR_TOO_LONG;
	}
	TL_TRY(tl_rsp_object_room(rsp, size * sizeof(tl_u32) + piece_size(rsp)));
	make_borders(pattern, size, (tl_u32 *)(void *)rsp->object);
	return search(rsp, start, space, pattern, size, reply);
}

/* The CRC-32 of gdb's compare-sections: polynomial 04c11db7, high bit first, all ones at the start, not inverted. */
static tl_u32 crc_add(tl_u32 crc, const tl_u8 *bytes, tl_size size)
{
	static const tl_u32 table[16] = {
		0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc, 0x17c56b6b, 0x1a864db2, 0x1e475005,
		0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61, 0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd,
	};

	for (tl_size i = 0; i < size; i++) {
		crc ^= (tl_u32)bytes[i] << 24;
		crc = crc << 4 ^ table[crc >> 28];
		crc = crc << 4 ^ table[crc >> 28];
	}
	return crc;
}

static enum tl_status handle_crc(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				 struct tl_writer *reply)
{
	struct tl_request_memory request;
	tl_u32 crc = TL_U32_MAX;
	tl_u64 at = 0;

	(void)context;
	tl_cursor_expect(arguments, ':');
	TL_TRY(tl_request_memory(arguments, false, &request));
	if (request.size > CHECK_MAX) {
		tl_rsp_explain(rsp, "check at most 256 MiB at a time");
		return TL_ERROR_TOO_LONG;
	}
	TL_TRY(tl_rsp_object_room(rsp, piece_size(rsp)));
	while (at < request.size) {
		tl_size wanted = request.size - at < piece_size(rsp) ? (tl_size)(request.size - at) : piece_size(rsp);
		tl_size done;

		TL_TRY(read_some(rsp, request.address + at, rsp->object, wanted, &done));
		crc = crc_add(crc, rsp->object, done);
		at += done;
	}
	tl_write_byte(reply, 'C');
	tl_write_hex(reply, crc);
	return TL_OK;
}

#define NEEDS (TL_RSP_PROCESS | TL_RSP_STOPPED)

const struct tl_rsp_row tl_rsp_memory_rows[] = {
	{"m", TL_RSP_PREFIX, NEEDS, false, handle_m},
	{"M", TL_RSP_PREFIX, NEEDS, true, handle_M},
	{"x", TL_RSP_PREFIX, NEEDS, false, handle_x},
	{"X", TL_RSP_PREFIX, NEEDS, true, handle_X},
	{"qSearch:memory", TL_RSP_WORD, NEEDS, false, handle_search},
	{"qCRC", TL_RSP_WORD, NEEDS, false, handle_crc},
	{0},
};
