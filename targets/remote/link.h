/*
 * The line to a remote stub: bytes out, packets in. Opening it, framing, acknowledgements, and the one nested wait that
 * this program has: for the answer to a packet, with a deadline.
 *
 * A link never hangs and never trusts: a packet that does not come in time, is too long, or is broken again and again
 * ends the link with a sentence that says what was waited for. Once it has ended, every call fails at once.
 */
#ifndef TL_TARGETS_REMOTE_LINK_H
#define TL_TARGETS_REMOTE_LINK_H

#include "base/error.h"
#include "core/rsp/framing.h"

#include <sys/types.h>

/* The largest packet that is taken, and that is sent if the stub names no size of its own. */
#define REMOTE_PACKET_MAX ((tl_size)1 << 20)
#define REMOTE_PACKET_SMALL 400

struct remote_link {
	int in, out; /* may be the same; open until tl_remote_link_close, whoever waits for them; -1: none */
	bool ended;
	pid_t child; /* the guardian of "| COMMAND"; 0: none */
	bool acknowledges;
	bool socket;
	struct tl_frame_decoder decoder;
	tl_u8 *packet; /* REMOTE_PACKET_MAX + 1 bytes: the last packet that came, with a zero byte behind it */
	tl_size packet_size;
	tl_u8 input[16384]; /* read and not yet decoded: [input_start, input_end) */
	tl_size input_start, input_end;
	tl_u8 *output;        /* room for a frame of REMOTE_PACKET_MAX */
	tl_size output_size;  /* of the frame that was sent last, for a stub that wants it again */
	tl_u64 patience;      /* milliseconds that an answer may take */
	struct tl_error lost; /* why it ended */
};

/*
 * Opens `address`: HOST:PORT and the other forms of base/address.h but "-" and "*:PORT", a device, or "| COMMAND",
 * which the shell runs with its standard streams as the line. The link is left as it was when that fails; in any case
 * it is given back by tl_remote_link_close.
 */
enum tl_status tl_remote_link_open(struct remote_link *link, const char *address, tl_u64 patience, tl_u32 baud,
				   struct tl_error *error);
/* Takes a descriptor that speaks the protocol already. It belongs to the link. */
enum tl_status tl_remote_link_take(struct remote_link *link, int descriptor, tl_u64 patience, struct tl_error *error);
/* Ends it; a command that was run is waited for, two seconds at most, and killed then. */
void tl_remote_link_close(struct remote_link *link);

static inline bool tl_remote_link_ended(const struct remote_link *link)
{
	return link->ended;
}

/* Milliseconds since some moment. */
tl_u64 tl_remote_link_clock(void);

/* Where the payload of the next packet is to be written, REMOTE_PACKET_MAX bytes: binary data in it escaped. */
static inline tl_u8 *tl_remote_link_payload(struct remote_link *link)
{
	return link->output + TL_FRAME_HEAD;
}

/* Sends what was written there, and waits for its acknowledgement where there are any. */
enum tl_status tl_remote_link_send(struct remote_link *link, tl_size size);
/* One byte 3: a ^C, which nobody acknowledges. */
enum tl_status tl_remote_link_interrupt(struct remote_link *link);

/*
 * Waits for the next packet until `deadline`; `what` names it in the sentence if it does not come. It is in
 * link->packet until the next call.
 */
enum tl_status tl_remote_link_receive(struct remote_link *link, tl_u64 deadline, const char *what);
/* Takes a packet if one is there already; *got_ret says so. Reads at most once. */
enum tl_status tl_remote_link_poll(struct remote_link *link, bool *got_ret);
/* Whether bytes were read that nobody has looked at. */
static inline bool tl_remote_link_has_input(const struct remote_link *link)
{
	return link->input_start < link->input_end;
}

/* Marks it as ended, for the macro below. Returns `status`. */
enum tl_status tl_remote_link_end(struct remote_link *link, enum tl_status status);
/* Ends the link for a reason that the sentence says; TL_ERROR_GONE where it had ended before. An expression. */
#define REMOTE_LINK_FAIL(link, status, ...)                                                                            \
	(tl_remote_link_ended(link) ? TL_ERROR_GONE                                                                    \
				    : tl_remote_link_end((link), TL_FAIL(&(link)->lost, (status), __VA_ARGS__)))

#endif
