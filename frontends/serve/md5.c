#include "frontends/serve/md5.h"

#include <string.h>

/* The whole part of 2^32 |sin(i + 1)|, section 3.4. */
static const tl_u32 sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static tl_u32 rotate(tl_u32 value, unsigned by)
{
	return value << by | value >> (32 - by);
}

static tl_u64 load_little(const tl_u8 *from, tl_size size)
{
	tl_u64 value = 0;

	while (size-- > 0)
		value = value << 8 | from[size];
	return value;
}

static void store_little(tl_u8 *to, tl_u64 value, tl_size size)
{
	for (tl_size i = 0; i < size; i++, value >>= 8)
		to[i] = (tl_u8)value;
}

static void add_block(tl_u32 state[4], const tl_u8 block[64])
{
	static const tl_u8 turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
	tl_u32 a = state[0], b = state[1], c = state[2], d = state[3];

	for (unsigned i = 0; i < 64; i++) {
		tl_u32 mixed, next;
		unsigned word;

		if (i < 16) {
			mixed = (b & c) | (~b & d);
			word = i;
		} else if (i < 32) {
			mixed = (b & d) | (c & ~d);
			word = (5 * i + 1) % 16;
		} else if (i < 48) {
			mixed = b ^ c ^ d;
			word = (3 * i + 5) % 16;
		} else {
			mixed = c ^ (b | ~d);
			word = 7 * i % 16;
		}
		mixed += a + sines[i] + (tl_u32)load_little(block + (tl_size)word * 4, 4);
		next = b + rotate(mixed, turns[i / 16][i % 4]);
		a = d;
		d = c;
		c = b;
		b = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

struct tl_md5 tl_md5_make(void)
{
	return (struct tl_md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

void tl_md5_add(struct tl_md5 *md5, const void *bytes, tl_size size)
{
	const tl_u8 *from = bytes;

	while (size > 0) {
		tl_size at = md5->size % 64, part = size < 64 - at ? size : 64 - at;

		memcpy(md5->rest + at, from, part);
		md5->size += part;
		from += part;
		size -= part;
		if (at + part == 64)
			add_block(md5->state, md5->rest);
	}
}

void tl_md5_finish(struct tl_md5 *md5, tl_u8 digest_ret[TL_MD5_SIZE])
{
	static const tl_u8 padding[64] = {0x80};
	tl_u64 bits = md5->size * 8;
	tl_u8 wire[8];

	store_little(wire, bits, 8);
	tl_md5_add(md5, padding, 1 + (119 - md5->size % 64) % 64);
	tl_md5_add(md5, wire, 8);
	for (tl_size i = 0; i < 4; i++)
		store_little(digest_ret + i * 4, md5->state[i], 4);
}
