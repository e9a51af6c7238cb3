#include "core/rsp/framing.h"

#include "core/cursor.h"
#include "core/rsp/lanes.h"

#define ESCAPE 0x7d
#define ESCAPE_MASK 0x20
#define INTERRUPT 0x03
/* A run's count is written as this plus the number of repetitions, so that 3 is a space and 97 a tilde. */
#define RUN_BASE 29
#define RUN_MIN 3
#define RUN_MAX 97

void tl_frame_decoder_init(struct tl_frame_decoder *decoder, void *buffer, tl_size capacity)
{
	*decoder = (struct tl_frame_decoder){.buffer = buffer, .capacity = capacity};
}

static void begin(struct tl_frame_decoder *decoder)
{
	decoder->state = TL_FRAME_PAYLOAD;
	decoder->size = 0;
	decoder->sum = 0;
	decoder->overflow = false;
	decoder->broken = false;
}

static void keep(struct tl_frame_decoder *decoder, tl_u8 byte)
{
	if (decoder->size < decoder->capacity)
		decoder->buffer[decoder->size++] = byte;
	else
		decoder->overflow = true;
}

static enum tl_frame_item outside(struct tl_frame_decoder *decoder, tl_u8 byte)
{
	switch (byte) {
	case '$':
		begin(decoder);
		return TL_FRAME_NOTHING;
	case '+':
		return TL_FRAME_ACK;
	case '-':
		return TL_FRAME_NAK;
	case INTERRUPT:
		return TL_FRAME_INTERRUPT;
	default:
		return TL_FRAME_NOTHING; /* noise on the line */
	}
}

/* Modulo 256. In columns, so that the compiler can add a row of them at a time. */
static tl_u8 sum_bytes(const tl_u8 *bytes, tl_size size)
{
	tl_u8 sums[16] = {0}, sum = 0;
	tl_size i = 0;

	for (; i + sizeof(sums) <= size; i += sizeof(sums))
		for (tl_size column = 0; column < sizeof(sums); column++)
			sums[column] = (tl_u8)(sums[column] + bytes[i + column]);
	for (; i < size; i++)
		sum = (tl_u8)(sum + bytes[i]);
	for (tl_size column = 0; column < sizeof(sums); column++)
		sum = (tl_u8)(sum + sums[column]);
	return sum;
}

/* Takes bytes from `at` that stand for themselves, as long as there are many. */
static const tl_u8 *keep_plain(struct tl_frame_decoder *decoder, const tl_u8 *at, const tl_u8 *end)
{
	tl_size room = decoder->capacity - decoder->size, size = 0;
	tl_size most = (tl_size)(end - at) < room ? (tl_size)(end - at) : room;

	while (size + TL_LANES <= most) {
		tl_lanes lanes = tl_lanes_load(at + size);
		unsigned special = tl_lanes_bits(tl_lanes_equal(lanes, '#') | tl_lanes_equal(lanes, '$') |
						 tl_lanes_equal(lanes, ESCAPE));

		if (decoder->runs)
			special |= tl_lanes_bits(tl_lanes_equal(lanes, '*'));
		if (special != 0) {
			size += (tl_size)__builtin_ctz(special);
			break;
		}
		size += TL_LANES;
	}
	tl_move(decoder->buffer + decoder->size, at, size);
	decoder->size += size;
	decoder->sum = (tl_u8)(decoder->sum + sum_bytes(at, size));
	return at + size;
}

/* What stands behind a *: how often the byte before it comes again. */
static void repeat(struct tl_frame_decoder *decoder, tl_u8 count)
{
	decoder->state = TL_FRAME_PAYLOAD;
	decoder->sum = (tl_u8)(decoder->sum + count);
	if (count < RUN_BASE + RUN_MIN || count > RUN_BASE + RUN_MAX || decoder->size == 0) {
		decoder->broken = true;
		return;
	}
	for (tl_u8 n = RUN_BASE; n < count; n++)
		keep(decoder, decoder->buffer[decoder->size - 1]);
}

static void inside(struct tl_frame_decoder *decoder, tl_u8 byte)
{
	if (byte == '#') {
		decoder->state = TL_FRAME_SUM_HIGH;
		return;
	}
	if (byte == '$') {
		begin(decoder);
		return;
	}
	decoder->sum = (tl_u8)(decoder->sum + byte);
	if (decoder->state == TL_FRAME_ESCAPE) {
		keep(decoder, byte ^ ESCAPE_MASK);
		decoder->state = TL_FRAME_PAYLOAD;
	} else if (byte == ESCAPE) {
		decoder->state = TL_FRAME_ESCAPE;
	} else if (byte == '*' && decoder->runs) {
		decoder->state = TL_FRAME_RUN;
	} else {
		keep(decoder, byte);
	}
}

static enum tl_frame_item finish(struct tl_frame_decoder *decoder, tl_u8 byte)
{
	int low = tl_hex_digit(byte);
	bool good = decoder->high >= 0 && low >= 0 && (decoder->high << 4 | low) == decoder->sum;

	decoder->state = TL_FRAME_OUTSIDE;
	if ((!good && !decoder->trusting) || decoder->broken)
		return TL_FRAME_CORRUPT;
	return decoder->overflow ? TL_FRAME_TOO_LONG : TL_FRAME_PACKET;
}

enum tl_frame_item tl_frame_decode(struct tl_frame_decoder *decoder, const tl_u8 **at, const tl_u8 *end)
{
	while (*at != end) {
		enum tl_frame_item item = TL_FRAME_NOTHING;
		tl_u8 byte;

		if (decoder->state == TL_FRAME_PAYLOAD && (tl_size)(end - *at) > TL_LANES)
			*at = keep_plain(decoder, *at, end - 1);
		byte = *(*at)++;

		switch (decoder->state) {
		case TL_FRAME_OUTSIDE:
			item = outside(decoder, byte);
			break;
		case TL_FRAME_PAYLOAD:
		case TL_FRAME_ESCAPE:
			inside(decoder, byte);
			break;
		case TL_FRAME_RUN:
			repeat(decoder, byte);
			break;
		case TL_FRAME_SUM_HIGH:
			decoder->high = tl_hex_digit(byte);
			decoder->state = TL_FRAME_SUM_LOW;
			break;
		case TL_FRAME_SUM_LOW:
			item = finish(decoder, byte);
			break;
		}
		if (item != TL_FRAME_NOTHING)
			return item;
	}
	return TL_FRAME_NOTHING;
}

tl_size tl_frame_run(tl_size wanted)
{
	tl_size count = wanted < RUN_MAX ? wanted : RUN_MAX;

	while (count >= RUN_MIN && (count + RUN_BASE == '#' || count + RUN_BASE == '$' || count + RUN_BASE == '+' ||
				    count + RUN_BASE == '-'))
		count--;
	return count >= RUN_MIN ? count : 0;
}

static tl_size same_bytes(const tl_u8 *bytes, tl_size size)
{
	tl_size count = 1;

	while (count < size && count <= RUN_MAX && bytes[count] == bytes[0])
		count++;
	return count;
}

/* How many bytes from the start can go out as they are: none of them is the same as the RUN_MIN behind it. */
static tl_size plain_bytes(const tl_u8 *bytes, tl_size size)
{
	tl_size count = 0;

	for (; count + TL_LANES + RUN_MIN <= size; count += TL_LANES) {
		const tl_u8 *at = bytes + count;
		tl_lanes second = tl_lanes_load(at + 1), third = tl_lanes_load(at + 2);
		unsigned runs = tl_lanes_bits(tl_lanes_same(tl_lanes_load(at), second) & tl_lanes_same(second, third) &
					      tl_lanes_same(third, tl_lanes_load(at + 3)));

		if (runs != 0)
			return count + (tl_size)__builtin_ctz(runs);
	}
	for (; count + RUN_MIN < size; count++)
		if (same_bytes(bytes + count, RUN_MIN + 1) == RUN_MIN + 1)
			return count;
	return size;
}

tl_size tl_frame_encode(tl_u8 *frame, char lead, tl_size size)
{
	static const char digits[] = "0123456789abcdef";
	const tl_u8 *payload = frame + TL_FRAME_HEAD;
	tl_u8 *out = frame + TL_FRAME_HEAD;
	tl_u8 sum;

	for (tl_size i = 0; i < size;) {
		tl_size plain = plain_bytes(payload + i, size - i), repeats;

		if (plain > 0) {
			if (out != payload + i)
				tl_move(out, payload + i, plain);
			out += plain;
			i += plain;
			if (i == size)
				break;
		}
		*out++ = payload[i];
		i++;
		/*
		 * The byte behind an escape is not made the head of a run: some clients undo escapes first and would
		 * repeat what it stands for.
		 */
		if (i > 1 && payload[i - 2] == ESCAPE)
			continue;
		repeats = tl_frame_run(same_bytes(payload + i - 1, size - i + 1) - 1);
		*out++ = '*';
		*out++ = (tl_u8)(repeats + RUN_BASE);
		i += repeats;
	}
	sum = sum_bytes(payload, (tl_size)(out - payload));
	frame[0] = (tl_u8)lead;
	*out++ = '#';
	*out++ = (tl_u8)digits[sum >> 4];
	*out++ = (tl_u8)digits[sum & 15];
	return (tl_size)(out - frame);
}
