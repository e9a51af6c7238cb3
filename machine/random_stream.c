#include "machine/random_stream.h"

#define BLOCK_SIZE 64
#define WORDS 16

static tl_u32 rotate(tl_u32 value, int bits)
{
	return value << bits | value >> (32 - bits);
}

static void quarter(tl_u32 *words, int a, int b, int c, int d)
{
	words[a] += words[b];
	words[d] = rotate(words[d] ^ words[a], 16);
	words[c] += words[d];
	words[b] = rotate(words[b] ^ words[c], 12);
	words[a] += words[b];
	words[d] = rotate(words[d] ^ words[a], 8);
	words[c] += words[d];
	words[b] = rotate(words[b] ^ words[c], 7);
}

static void make_block(const tl_u8 *seed, tl_u64 number, tl_u8 *bytes_ret)
{
	tl_u32 start[WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */
	tl_u32 words[WORDS];

	for (int i = 0; i < 8; i++)
		start[4 + i] = (tl_u32)tl_load_little(seed + (tl_size)4 * i, 4);
	start[12] = (tl_u32)number;
	start[13] = (tl_u32)(number >> 32);
	tl_copy(words, start, sizeof(words));
	for (int round = 0; round < 20; round += 2) {
		for (int i = 0; i < 4; i++)
			quarter(words, i, 4 + i, 8 + i, 12 + i);
		for (int i = 0; i < 4; i++)
			quarter(words, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
	}
	for (int i = 0; i < WORDS; i++)
		tl_store_little(bytes_ret + (tl_size)4 * i, words[i] + start[i], 4);
}

void tl_random_stream_take(struct tl_random_stream *stream, tl_u8 *bytes, tl_u64 size)
{
	tl_u8 block[BLOCK_SIZE];
	tl_u64 part;

	for (; size != 0; bytes += part, size -= part, stream->position += part) {
		tl_u64 at = stream->position % BLOCK_SIZE;

		make_block(stream->seed, stream->position / BLOCK_SIZE, block);
		part = size < BLOCK_SIZE - at ? size : BLOCK_SIZE - at;
		tl_copy(bytes, block + at, part);
	}
}
