/* Frames: what the decoder makes of every kind of input, and that what the encoder writes is what was meant. */
#include "core/cursor.h"
#include "core/rsp/framing.h"
#include "tests/unit/test.h"

static tl_u8 buffer[64];

static enum tl_frame_item decode(struct tl_frame_decoder *decoder, const char *text, const tl_u8 **rest_ret)
{
	const tl_u8 *at = (const tl_u8 *)text;
	enum tl_frame_item item = tl_frame_decode(decoder, &at, at + strlen(text));

	if (rest_ret != NULL)
		*rest_ret = at;
	return item;
}

static struct tl_frame_decoder fresh(void)
{
	struct tl_frame_decoder decoder;

	tl_frame_decoder_init(&decoder, buffer, sizeof(buffer));
	return decoder;
}

static bool holds(const struct tl_frame_decoder *decoder, const char *text)
{
	return decoder->size == strlen(text) && memcmp(decoder->buffer, text, decoder->size) == 0;
}

TEST(packet_with_good_checksum)
{
	struct tl_frame_decoder decoder = fresh();
	const tl_u8 *rest;

	CHECK_EQUAL(decode(&decoder, "$OK#9a+", &rest), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "OK"));
	CHECK_TEXT((const char *)rest, "+");
	CHECK_EQUAL(decode(&decoder, "$OK#9A", NULL), TL_FRAME_PACKET);
	CHECK_EQUAL(decode(&decoder, "$#00", NULL), TL_FRAME_PACKET);
	CHECK_EQUAL(decoder.size, 0);
}

TEST(packet_byte_by_byte)
{
	struct tl_frame_decoder decoder = fresh();
	const char *text = "$m1000,4#8e";

	for (size_t i = 0; i + 1 < strlen(text); i++) {
		const tl_u8 *at = (const tl_u8 *)text + i;

		CHECK_EQUAL(tl_frame_decode(&decoder, &at, at + 1), TL_FRAME_NOTHING);
	}
	CHECK_EQUAL(decode(&decoder, "e", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "m1000,4"));
}

TEST(bad_checksums)
{
	struct tl_frame_decoder decoder = fresh();

	CHECK_EQUAL(decode(&decoder, "$OK#9b", NULL), TL_FRAME_CORRUPT);
	CHECK_EQUAL(decode(&decoder, "$OK#9x", NULL), TL_FRAME_CORRUPT);
	CHECK_EQUAL(decode(&decoder, "$OK#x9", NULL), TL_FRAME_CORRUPT);
	decoder.trusting = true;
	CHECK_EQUAL(decode(&decoder, "$OK#00", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "OK"));
}

TEST(between_packets)
{
	struct tl_frame_decoder decoder = fresh();
	const tl_u8 *rest;

	CHECK_EQUAL(decode(&decoder, "noise\x03$", &rest), TL_FRAME_INTERRUPT);
	CHECK_TEXT((const char *)rest, "$");
	CHECK_EQUAL(decode(&decoder, "++", &rest), TL_FRAME_ACK);
	CHECK_TEXT((const char *)rest, "+");
	CHECK_EQUAL(decode(&decoder, "-", NULL), TL_FRAME_NAK);
	CHECK_EQUAL(decode(&decoder, "#00abc%", NULL), TL_FRAME_NOTHING);
}

TEST(interrupt_byte_inside_a_packet_is_data)
{
	struct tl_frame_decoder decoder = fresh();

	CHECK_EQUAL(decode(&decoder, "$a\x03#64", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "a\x03"));
}

TEST(escapes)
{
	struct tl_frame_decoder decoder = fresh();

	/* } 03, } 04, } 5d and } 0a stand for #, $, } and *. */
	CHECK_EQUAL(decode(&decoder, "$}\x03}\x04}]}\n#62", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "#$}*"));
	/* One at the very end escapes nothing. */
	decoder.trusting = true;
	CHECK_EQUAL(decode(&decoder, "$a}#00", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "a"));
	CHECK_EQUAL(decode(&decoder, "$b#00", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "b"));
}

TEST(a_star_in_a_request_is_itself)
{
	struct tl_frame_decoder decoder = fresh();

	decoder.trusting = true;
	CHECK_EQUAL(decode(&decoder, "$0* #00", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "0* "));
}

TEST(a_lost_end_does_not_take_the_next_packet_along)
{
	struct tl_frame_decoder decoder = fresh();

	CHECK_EQUAL(decode(&decoder, "$lost$OK#9a", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "OK"));
}

TEST(too_long)
{
	struct tl_frame_decoder decoder = fresh();
	char text[200] = "$";

	memset(text + 1, 'a', 64);
	strcpy(text + 65, "#40");
	CHECK_EQUAL(decode(&decoder, text, NULL), TL_FRAME_PACKET);
	CHECK_EQUAL(decoder.size, 64);
	memset(text + 1, 'a', 65);
	strcpy(text + 66, "#a1");
	CHECK_EQUAL(decode(&decoder, text, NULL), TL_FRAME_TOO_LONG);
	CHECK_EQUAL(decode(&decoder, "$OK#9a", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "OK"));
}

TEST(encoding)
{
	tl_u8 frame[64];
	tl_size size;

	memcpy(frame + TL_FRAME_HEAD, "OK", 2);
	size = tl_frame_encode(frame, '$', 2);
	CHECK(size == 6 && memcmp(frame, "$OK#9a", 6) == 0);
	size = tl_frame_encode(frame, '%', 0);
	CHECK(size == 4 && memcmp(frame, "%#00", 4) == 0);
	memcpy(frame + TL_FRAME_HEAD, "0000", 4);
	size = tl_frame_encode(frame, '$', 4);
	CHECK(size == 7 && memcmp(frame, "$0* #7a", 7) == 0);
	memcpy(frame + TL_FRAME_HEAD, "000x", 4);
	size = tl_frame_encode(frame, '$', 4);
	CHECK(size == 8 && memcmp(frame, "$000x#08", 8) == 0);
}

TEST(runs_avoid_the_counts_that_mean_something)
{
	for (tl_size wanted = 0; wanted < 300; wanted++) {
		tl_size run = tl_frame_run(wanted);
		int count = (int)run + 29;

		CHECK(run <= wanted && run <= 97);
		CHECK(run == 0 || (run >= 3 && count != '#' && count != '$' && count != '+' && count != '-'));
		CHECK(run != 0 || wanted < 3);
	}
	CHECK_EQUAL(tl_frame_run(3), 3);
	CHECK_EQUAL(tl_frame_run(6), 5);
	CHECK_EQUAL(tl_frame_run(7), 5);
	CHECK_EQUAL(tl_frame_run(14), 13);
	CHECK_EQUAL(tl_frame_run(16), 15);
	CHECK_EQUAL(tl_frame_run(97), 97);
	CHECK_EQUAL(tl_frame_run(98), 97);
}

/* What a client does with a frame: runs first, escapes afterwards. */
static size_t expand(const tl_u8 *frame, size_t size, tl_u8 *out)
{
	size_t count = 0;

	for (size_t i = 1; i + 3 < size; i++) {
		if (frame[i] == '*' && count > 0) {
			int repeats = frame[++i] - 29;

			memset(out + count, out[count - 1], (size_t)repeats);
			count += (size_t)repeats;
		} else {
			out[count++] = frame[i];
		}
	}
	return count;
}

TEST(every_run_length_comes_back)
{
	static tl_u8 payload[400], frame[sizeof(payload) + TL_FRAME_HEAD + TL_FRAME_TAIL], back[sizeof(payload)];

	for (size_t length = 0; length <= 300; length++) {
		tl_size size;
		unsigned sum = 0;
		char digits[3];

		memset(payload, '0', sizeof(payload));
		payload[0] = 'm';
		payload[length + 1] = 'x';
		memcpy(frame + TL_FRAME_HEAD, payload, length + 2);
		size = tl_frame_encode(frame, '$', length + 2);
		CHECK(size <= length + 2 + TL_FRAME_HEAD + TL_FRAME_TAIL);
		CHECK_EQUAL(expand(frame, size, back), length + 2);
		CHECK(memcmp(back, payload, length + 2) == 0);
		for (size_t i = 1; i < size - 3; i++) {
			CHECK(frame[i] != '$' && frame[i] != '#' && frame[i] != '+' && frame[i] != '-');
			sum += frame[i];
		}
		snprintf(digits, sizeof(digits), "%02x", sum & 255);
		CHECK(memcmp(frame + size - 2, digits, 2) == 0);
	}
}

TEST(the_byte_behind_an_escape_heads_no_run)
{
	tl_u8 frame[64];
	tl_size size;

	memcpy(frame + TL_FRAME_HEAD, "}\x03\x03\x03\x03\x03\x03", 7);
	size = tl_frame_encode(frame, '$', 7);
	CHECK_EQUAL(size, 9);
	CHECK(memcmp(frame, "$}\x03\x03*!#", 7) == 0);
}

TEST(any_payload_comes_back_with_its_checksum)
{
	static tl_u8 payload[700], frame[TL_FRAME_HEAD + sizeof(payload) + TL_FRAME_TAIL], back[sizeof(payload) + 200];
	unsigned seed = 1;

	for (int round = 0; round < 3000; round++) {
		size_t size = (size_t)round % sizeof(payload), frame_size;
		unsigned variety = 1u + (unsigned)round % 7 * 20;
		tl_u8 sum = 0;

		/* Few different bytes make runs of every length at every offset. */
		for (size_t i = 0; i < size; i++) {
			seed = seed * 1103515245 + 12345;
			payload[i] = (tl_u8)('0' + (seed >> 16) % variety);
			if (payload[i] == '#' || payload[i] == '$' || payload[i] == '}' || payload[i] == '*')
				payload[i] = 'x';
		}
		memcpy(frame + TL_FRAME_HEAD, payload, size);
		frame_size = tl_frame_encode(frame, '$', size);
		CHECK_EQUAL(expand(frame, frame_size, back), size);
		CHECK(memcmp(back, payload, size) == 0);
		for (size_t i = 1; i + 3 < frame_size; i++)
			sum = (tl_u8)(sum + frame[i]);
		CHECK_EQUAL(sum, (unsigned)tl_hex_digit(frame[frame_size - 2]) * 16 +
					 (unsigned)tl_hex_digit(frame[frame_size - 1]));
	}
}

/* Bytes that are mostly plain, with everything between them that means something. */
static void make_noise(tl_u8 *bytes, size_t size, unsigned *seed)
{
	static const char meaning[] = "}}}}$#+-*\x03";

	for (size_t i = 0; i < size; i++) {
		*seed = *seed * 1103515245 + 12345;
		bytes[i] = (tl_u8)(*seed >> 16);
		if ((*seed >> 24) % 20 == 0)
			bytes[i] = (tl_u8)meaning[bytes[i] % (sizeof(meaning) - 1)];
	}
}

TEST(any_bytes_in_any_pieces_are_the_same)
{
	static tl_u8 bytes[600], one_room[200], other_room[200];
	struct tl_frame_decoder one, other;
	unsigned seed = 1, packets = 0;

	for (int round = 0; round < 3000; round++) {
		const tl_u8 *at = bytes, *behind = bytes;

		make_noise(bytes, sizeof(bytes), &seed);
		bytes[0] = '$';
		tl_frame_decoder_init(&one, one_room, sizeof(one_room));
		tl_frame_decoder_init(&other, other_room, sizeof(other_room));
		one.trusting = other.trusting = true;
		while (at < bytes + sizeof(bytes)) {
			const tl_u8 *end = at + 1 + (seed = seed * 1103515245 + 12345) % 400;
			enum tl_frame_item item, same = TL_FRAME_NOTHING;

			end = end < bytes + sizeof(bytes) ? end : bytes + sizeof(bytes);
			item = tl_frame_decode(&one, &at, end);
			while (behind < at && same == TL_FRAME_NOTHING)
				same = tl_frame_decode(&other, &behind, behind + 1);
			CHECK(behind == at && item == same && one.size == other.size && one.sum == other.sum);
			CHECK(memcmp(one_room, other_room, one.size) == 0);
			packets += item == TL_FRAME_PACKET && one.size > 20;
		}
	}
	CHECK(packets > 100);
}

TEST(runs_of_a_server_are_undone)
{
	struct tl_frame_decoder decoder = fresh();

	decoder.runs = true;
	CHECK_EQUAL(decode(&decoder, "$0* #7a", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "0000"));
	/* Behind many bytes at a time. */
	CHECK_EQUAL(decode(&decoder, "$0123456789012345678901234567x* y#f1", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "0123456789012345678901234567xxxxy"));
	/* An escaped * is one. */
	CHECK_EQUAL(decode(&decoder, "$0}\n#b7", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "0*"));
	decoder.runs = false;
	CHECK_EQUAL(decode(&decoder, "$0* #7a", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "0* "));
}

TEST(runs_that_are_none_are_corrupt)
{
	struct tl_frame_decoder decoder = fresh();

	decoder.runs = decoder.trusting = true;
	CHECK_EQUAL(decode(&decoder, "$* #00", NULL), TL_FRAME_CORRUPT);
	CHECK_EQUAL(decode(&decoder, "$0*!*\x1f#00", NULL), TL_FRAME_CORRUPT);
	CHECK_EQUAL(decode(&decoder, "$0*~#00", NULL), TL_FRAME_TOO_LONG);
	CHECK_EQUAL(decode(&decoder, "$0*\x80#00", NULL), TL_FRAME_CORRUPT);
	/* The next packet is none of theirs. */
	CHECK_EQUAL(decode(&decoder, "$0* #00", NULL), TL_FRAME_PACKET);
	CHECK(holds(&decoder, "0000"));
}
