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
	} else {
		keep(decoder, byte);
	}
}

static enum tl_frame_item finish(struct tl_frame_decoder *decoder, tl_u8 byte)
{
	int low = tl_hex_digit(byte);
	bool good = decoder->high >= 0 && low >= 0 && (decoder->high << 4 | low) == decoder->sum;

	decoder->state = TL_FRAME_OUTSIDE;
	if (!good && !decoder->trusting)
		return TL_FRAME_CORRUPT;
	return decoder->overflow ? TL_FRAME_TOO_LONG : TL_FRAME_PACKET;
}

enum tl_frame_item tl_frame_decode(struct tl_frame_decoder *decoder, const tl_u8 **at, const tl_u8 *end)
{
	while (*at != end) {
		tl_u8 byte = *(*at)++;
		enum tl_frame_item item = TL_FRAME_NOTHING;

		switch (decoder->state) {
		case TL_FRAME_OUTSIDE:
			item = outside(decoder, byte);
			break;
		case TL_FRAME_PAYLOAD:
		case TL_FRAME_ESCAPE:
			inside(decoder, byte);
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

/* How many bytes from the start can go out as they are, because none of them equals its successor. */
static tl_size plain_bytes(const tl_u8 *bytes, tl_size size)
{
	tl_size count = 0;

	while (count + TL_LANES < size &&
	       tl_lanes_zero(tl_lanes_load(bytes + count) ^ tl_lanes_load(bytes + count + 1)) == 0)
		count += TL_LANES;
	while (count + 1 < size && bytes[count] != bytes[count + 1])
		count++;
	return count + 1 < size ? count : size;
}

static tl_u8 sum_bytes(const tl_u8 *bytes, tl_size size)
{
	const tl_u64 every_other = TL_LANES_ONES / 0x101 * 0xff;
	tl_u64 sums = 0;
	tl_u8 sum = 0;
	tl_size i = 0;

	/* Sums of 16 bits, of which the low 8 are wanted: what one carries into the next is taken off before they are
	 * added. */
	for (; i + TL_LANES <= size; i += TL_LANES) {
		tl_u64 lanes = tl_lanes_load(bytes + i);

		sums += (lanes & every_other) + (lanes >> 8 & every_other);
		sums &= every_other;
	}
	for (; i < size; i++)
		sum = (tl_u8)(sum + bytes[i]);
	return (tl_u8)(sum + sums + (sums >> 16) + (sums >> 32) + (sums >> 48));
}

tl_size tl_frame_encode(tl_u8 *frame, char lead, tl_size size)
{
	static const char digits[] = "0123456789abcdef";
	const tl_u8 *payload = frame + TL_FRAME_HEAD;
	tl_u8 *out = frame + TL_FRAME_HEAD;
	tl_u8 sum = 0;

	for (tl_size i = 0; i < size;) {
		tl_size plain = plain_bytes(payload + i, size - i), repeats = 0;

		if (plain > 0) {
			sum = (tl_u8)(sum + sum_bytes(payload + i, plain));
			tl_move(out, payload + i, plain);
			out += plain;
			i += plain;
			continue;
		}
		/*
		 * The byte behind an escape is not made the head of a run: some clients undo escapes first and would
		 * repeat what it stands for.
		 */
		if (i == 0 || payload[i - 1] != ESCAPE)
			repeats = tl_frame_run(same_bytes(payload + i, size - i) - 1);
		sum = (tl_u8)(sum + payload[i]);
		*out++ = payload[i];
		i++;
		if (repeats == 0)
			continue;
		*out++ = '*';
		*out++ = (tl_u8)(repeats + RUN_BASE);
		sum = (tl_u8)(sum + '*' + repeats + RUN_BASE);
		i += repeats;
	}
	frame[0] = (tl_u8)lead;
	*out++ = '#';
	*out++ = (tl_u8)digits[sum >> 4];
	*out++ = (tl_u8)digits[sum & 15];
	return (tl_size)(out - frame);
}
