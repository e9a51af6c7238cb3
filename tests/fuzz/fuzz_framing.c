/*
 * Frames: any bytes, in pieces of any size, give the same items; and any payload that is framed comes back.
 */
#include "core/rsp/framing.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY 64

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Both decoders get the same bytes, one all at once, one a byte at a time. */
static void decode(const uint8_t *bytes, size_t size, bool trusting, bool runs)
{
	tl_u8 first[CAPACITY], second[CAPACITY];
	struct tl_frame_decoder whole, single;
	const tl_u8 *at = bytes, *end = bytes + size, *slow = bytes;

	tl_frame_decoder_init(&whole, first, sizeof(first));
	tl_frame_decoder_init(&single, second, sizeof(second));
	whole.trusting = single.trusting = trusting;
	whole.runs = single.runs = runs;
	for (;;) {
		enum tl_frame_item item = tl_frame_decode(&whole, &at, end), other = TL_FRAME_NOTHING;

		while (slow != end && other == TL_FRAME_NOTHING)
			other = tl_frame_decode(&single, &slow, slow + 1);
		require(item == other && at == slow && whole.size <= CAPACITY);
		if (item == TL_FRAME_PACKET)
			require(whole.size == single.size && memcmp(first, second, whole.size) == 0);
		if (item == TL_FRAME_NOTHING)
			break;
	}
	require(at == end);
}

/* Runs first, as clients do; the result has its escapes still in it. */
static size_t expand(const tl_u8 *frame, size_t size, tl_u8 *out)
{
	size_t count = 0;

	for (size_t i = 1; i + 3 < size; i++) {
		if (frame[i] != '*') {
			out[count++] = frame[i];
			continue;
		}
		require(count > 0 && ++i + 3 < size && frame[i] >= ' ' && frame[i] <= '~');
		for (int n = frame[i] - 29; n > 0; n--, count++)
			out[count] = out[count - 1];
	}
	return count;
}

static void encode(const uint8_t *bytes, size_t size)
{
	tl_u8 *frame = malloc(2 * size + TL_FRAME_HEAD + TL_FRAME_TAIL), *back = malloc(2 * size + 1);
	tl_u8 *payload = malloc(2 * size + 1);
	tl_size length = 0, framed;

	require(frame != NULL && back != NULL && payload != NULL);
	for (size_t i = 0; i < size; i++) {
		bool special = bytes[i] == '#' || bytes[i] == '$' || bytes[i] == '}' || bytes[i] == '*';

		if (special)
			payload[length++] = '}';
		payload[length++] = special ? bytes[i] ^ 0x20 : bytes[i];
	}
	memcpy(frame + TL_FRAME_HEAD, payload, length);
	framed = tl_frame_encode(frame, '$', length);
	require(framed <= length + TL_FRAME_HEAD + TL_FRAME_TAIL && frame[0] == '$' && frame[framed - 3] == '#');
	require(memchr(frame + 1, '$', framed - 1) == NULL && memchr(frame, '#', framed - 3) == NULL);
	require(expand(frame, framed, back) == length && memcmp(back, payload, length) == 0);
	free(frame);
	free(back);
	free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	for (unsigned n = 0; n < 4; n++)
		decode(bytes, size, (n & 1) != 0, (n & 2) != 0);
	encode(bytes, size);
	return 0;
}
