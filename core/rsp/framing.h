/*
 * Frames of the remote protocol: $payload#sum, with acknowledgements until the client switches them off.
 * GDB manual, appendix "GDB Remote Serial Protocol", sections "Overview" and "Notification Packets".
 *
 * A decoder takes the client's bytes apart: whole packets with their escapes undone, acknowledgements, interrupts; or,
 * told of `runs`, a server's, whose packets alone may be shortened. The
 * encoder turns a payload into a frame in the buffer in which it was written. Neither sends nor allocates, and no
 * sequence of bytes can bring the decoder to anything but an item or the wish for more bytes.
 */
#ifndef TL_CORE_RSP_FRAMING_H
#define TL_CORE_RSP_FRAMING_H

#include "core/types.h"

enum tl_frame_item {
	TL_FRAME_NOTHING,   /* all bytes were taken and no item is complete */
	TL_FRAME_PACKET,    /* a packet with a good checksum (any checksum when acknowledgements are off) */
	TL_FRAME_CORRUPT,   /* a packet with a bad one, or with a run that is none: wants a NAK */
	TL_FRAME_TOO_LONG,  /* a packet with a good checksum whose payload does not fit in the buffer */
	TL_FRAME_ACK,       /* + */
	TL_FRAME_NAK,       /* -: wants the last frame again */
	TL_FRAME_INTERRUPT, /* the byte 3 between packets */
	TL_FRAME_MAX
};

enum tl_frame_state {
	TL_FRAME_OUTSIDE,
	TL_FRAME_PAYLOAD,
	TL_FRAME_ESCAPE,
	TL_FRAME_RUN, /* behind a *, where there are runs: the count comes */
	TL_FRAME_SUM_HIGH,
	TL_FRAME_SUM_LOW
};

struct tl_frame_decoder {
	tl_u8 *buffer; /* the caller's, for the payload of one packet */
	tl_size capacity;
	tl_size size; /* of the payload as far as it has come; whole when an item says so */
	enum tl_frame_state state;
	tl_u8 sum;
	int high; /* first digit of the checksum, -1 if it was none */
	bool overflow;
	bool trusting; /* acknowledgements are off: the transport is reliable and the checksum may be anything */
	bool runs;     /* the bytes are a server's: * and a count stand for repetitions of the byte before them */
	bool broken;   /* in this packet a run had no byte before it, or no count */
};

/* Starts between frames, with room for payloads of `capacity` bytes in `buffer`, which stays the caller's. */
void tl_frame_decoder_init(struct tl_frame_decoder *decoder, void *buffer, tl_size capacity);

/*
 * Takes bytes from *at up to `end` until an item is complete, and moves *at behind them. The payload is in
 * decoder->buffer until the next call. A $ inside a packet begins a new one: it can only mean that the end of the old
 * one was lost.
 */
enum tl_frame_item tl_frame_decode(struct tl_frame_decoder *decoder, const tl_u8 **at, const tl_u8 *end);

/* Room that the encoder needs before and behind the payload. */
#define TL_FRAME_HEAD 1
#define TL_FRAME_TAIL 3

/*
 * Makes a frame out of the `size` bytes at frame + TL_FRAME_HEAD, in place: `lead` ($ or %) before them, runs of equal
 * bytes shortened, #sum behind them. Returns the size of the frame, at most size + TL_FRAME_HEAD + TL_FRAME_TAIL. The
 * payload must have $, #, } and * escaped already where they are data.
 */
tl_size tl_frame_encode(tl_u8 *frame, char lead, tl_size size);

/*
 * The number of further repetitions, at most `wanted`, that one run after a byte may stand for: 0 or 3 to 97, and none
 * whose count would be written as $ # + or -.
 */
tl_size tl_frame_run(tl_size wanted);

#endif
