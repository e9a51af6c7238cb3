#include "targets/remote/link.h"

#include "base/address.h"
#include "base/trace.h"
#include "core/cursor.h"
#include "targets/remote/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* So often a packet may come broken, or be wanted again, before the line is given up. */
#define ATTEMPTS 4

tl_u64 tl_remote_link_clock(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (tl_u64)now.tv_sec * 1000 + (tl_u64)now.tv_nsec / 1000000;
}

/* ---- Opening and closing ---- */

static void set_nonblocking(int descriptor)
{
	int flags = fcntl(descriptor, F_GETFL);

	if (flags >= 0)
		(void)fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

enum tl_status tl_remote_link_take(struct remote_link *link, int descriptor, tl_u64 patience, struct tl_error *error)
{
	int kind;
	socklen_t size = sizeof(kind);
	struct remote_link fresh = {
		.in = descriptor, .out = descriptor, .child = link->child, .acknowledges = true, .patience = patience};

	fresh.packet = malloc(REMOTE_PACKET_MAX + 1);
	fresh.output = malloc(TL_FRAME_HEAD + REMOTE_PACKET_MAX + TL_FRAME_TAIL);
	if (fresh.packet == NULL || fresh.output == NULL) {
		free(fresh.packet);
		free(fresh.output);
		close(descriptor);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a connection");
	}
	set_nonblocking(descriptor);
	fresh.socket = getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &size) == 0;
	tl_frame_decoder_init(&fresh.decoder, fresh.packet, REMOTE_PACKET_MAX);
	fresh.decoder.runs = true;
	*link = fresh;
	return TL_OK;
}

enum tl_status tl_remote_link_open(struct remote_link *link, const char *text, tl_u64 patience, tl_u32 baud,
				   struct tl_error *error)
{
	struct tl_address address;
	int descriptor = -1;

	link->in = link->out = -1;
	link->child = 0;
	link->ended = true;
	while (*text == ' ')
		text++;
	if (*text == '|') {
		TL_TRY(tl_remote_command_start(text + 1, &descriptor, &link->child, error));
		return tl_remote_link_take(link, descriptor, patience, error);
	}
	TL_TRY(tl_address_parse(text, &address, error));
	if (address.kind == TL_ADDRESS_STANDARD)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "cannot connect to standard input: give HOST:PORT, unix:PATH, a device, or | COMMAND");
	if (address.kind == TL_ADDRESS_DEVICE)
		TL_TRY(tl_device_open(address.name, baud, &descriptor, error));
	else
		TL_TRY(tl_address_connect(&address, patience, &descriptor, error));
	return tl_remote_link_take(link, descriptor, patience, error);
}

static void close_line(struct remote_link *link)
{
	if (link->in >= 0)
		close(link->in);
	if (link->out >= 0 && link->out != link->in)
		close(link->out);
	link->in = link->out = -1;
	link->ended = true;
}

void tl_remote_link_close(struct remote_link *link)
{
	close_line(link);
	if (link->child > 0)
		tl_remote_command_end(link->child);
	link->child = 0;
	free(link->packet);
	free(link->output);
	link->packet = link->output = NULL;
}

enum tl_status tl_remote_link_end(struct remote_link *link, enum tl_status status)
{
	link->ended = true;
	link->input_start = link->input_end = 0;
	return status;
}

/* ---- Bytes ---- */

/* Waits until the descriptor is ready for `events`; false when the deadline has passed. */
static bool wait_ready(int descriptor, short events, tl_u64 deadline)
{
	struct pollfd ready = {.fd = descriptor, .events = events};

	for (;;) {
		tl_u64 now = tl_remote_link_clock();
		int count = poll(&ready, 1, now < deadline ? (int)(deadline - now) : 0);

		if (count > 0)
			return true;
		if (count == 0 || errno != EINTR)
			return false;
	}
}

static enum tl_status write_all(struct remote_link *link, const tl_u8 *bytes, tl_size size)
{
	tl_u64 deadline = tl_remote_link_clock() + link->patience;

	while (size > 0) {
		ssize_t done;

		if (tl_remote_link_ended(link))
			return TL_ERROR_GONE;
		done = link->socket ? send(link->out, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT)
				    : write(link->out, bytes, size);
		if (done > 0) {
			bytes += done;
			size -= (tl_size)done;
			continue;
		}
		if (done < 0 && (errno == EPIPE || errno == ECONNRESET))
			return REMOTE_LINK_FAIL(link, TL_ERROR_GONE, "the stub closed the connection");
		if (done < 0 && errno != EAGAIN && errno != EINTR)
			return REMOTE_LINK_FAIL(link, TL_ERROR_GONE, "the connection to the stub is broken: %s",
						strerror(errno));
		if (!wait_ready(link->out, POLLOUT, deadline))
			return REMOTE_LINK_FAIL(link, TL_ERROR_TIMEOUT,
						"the stub took no more bytes for %llu ms: the connection is given up",
						(unsigned long long)link->patience);
	}
	return TL_OK;
}

/* Reads what there is. TL_ERROR_TIMEOUT: nothing now. */
static enum tl_status read_some(struct remote_link *link)
{
	ssize_t size;

	if (tl_remote_link_ended(link))
		return TL_ERROR_GONE;
	size = read(link->in, link->input, sizeof(link->input));
	if (size > 0) {
		link->input_start = 0;
		link->input_end = (tl_size)size;
		return TL_OK;
	}
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return TL_ERROR_TIMEOUT;
	/* Reset: it closed it before it had read what we sent. */
	if (size == 0 || errno == ECONNRESET)
		return REMOTE_LINK_FAIL(link, TL_ERROR_GONE, "the stub closed the connection");
	return REMOTE_LINK_FAIL(link, TL_ERROR_GONE, "the connection to the stub is broken: %s", strerror(errno));
}

/* ---- Packets ---- */

static void trace(const struct remote_link *link, const char *direction, const tl_u8 *payload, tl_size size)
{
	char text[1024];
	tl_size used = 0;

	(void)link;
	if (!tl_tracing(TL_TRACE_PACKETS))
		return;
	for (tl_size i = 0; i < size && used < sizeof(text) - 5; i++) {
		if (payload[i] >= ' ' && payload[i] < 0x7f)
			text[used++] = (char)payload[i];
		else
			used += (tl_size)snprintf(text + used, 5, "\\x%02x", payload[i]);
	}
	tl_trace_line(TL_TRACE_PACKETS, "stub %s %.*s%s", direction, (int)used, text, size > used ? "..." : "");
}

/* The next item of what was read; NOTHING when more must be read. */
static enum tl_frame_item next_item(struct remote_link *link)
{
	const tl_u8 *at = link->input + link->input_start;
	enum tl_frame_item item = tl_frame_decode(&link->decoder, &at, link->input + link->input_end);

	link->input_start = (tl_size)(at - link->input);
	if (item != TL_FRAME_PACKET)
		return item;
	link->packet_size = link->decoder.size;
	link->packet[link->packet_size] = 0;
	trace(link, "->", link->packet, link->packet_size);
	return item;
}

/* Who has left with these words wants no answer to them: that it is gone is found when more is to be read. */
static enum tl_status answer(struct remote_link *link, char byte)
{
	tl_u8 sign = (tl_u8)byte;
	ssize_t done;

	if (!link->acknowledges)
		return TL_OK;
	done = link->socket ? send(link->out, &sign, 1, MSG_NOSIGNAL | MSG_DONTWAIT) : write(link->out, &sign, 1);
	if (done == 1 || (done < 0 && (errno == EPIPE || errno == ECONNRESET)))
		return TL_OK;
	return write_all(link, &sign, 1);
}

static enum tl_status too_long(struct remote_link *link)
{
	return REMOTE_LINK_FAIL(link, TL_ERROR_TOO_LONG, "the stub sent a packet of more than %zu bytes",
				(size_t)REMOTE_PACKET_MAX);
}

/* The frame has gone out; waits for the + that says it arrived. */
static enum tl_status await_acknowledgement(struct remote_link *link)
{
	tl_u64 deadline = tl_remote_link_clock() + link->patience;

	for (int attempt = 1;;) {
		enum tl_frame_item item = next_item(link);

		if (item == TL_FRAME_ACK)
			return TL_OK;
		/* An answer says as much. It is looked at again by whoever waits for it. */
		if (item == TL_FRAME_NAK && attempt++ < ATTEMPTS)
			TL_TRY(write_all(link, link->output, link->output_size));
		else if (item == TL_FRAME_NAK)
			return REMOTE_LINK_FAIL(link, TL_ERROR_CHECKSUM,
						"the stub took a packet for damaged %d times: "
						"the line is not reliable",
						ATTEMPTS);
		else if (item == TL_FRAME_TOO_LONG)
			return too_long(link);
		else if (item == TL_FRAME_PACKET)
			TL_TRY(answer(link, '+')); /* of before this packet: nobody waits for it any more */
		if (item != TL_FRAME_NOTHING)
			continue;
		if (!wait_ready(link->in, POLLIN, deadline))
			return REMOTE_LINK_FAIL(
				link, TL_ERROR_TIMEOUT,
				"the stub acknowledged nothing for %llu ms: is a GDB remote stub there?",
				(unsigned long long)link->patience);
		if (read_some(link) == TL_ERROR_GONE)
			return TL_ERROR_GONE;
	}
}

enum tl_status tl_remote_link_send(struct remote_link *link, tl_size size)
{
	const tl_u8 *payload = tl_remote_link_payload(link);
	tl_u8 sum = 0;

	if (tl_remote_link_ended(link))
		return TL_ERROR_GONE;
	trace(link, "<-", payload, size);
	/* Not tl_frame_encode: a client's packets are not shortened, and stubs do not expect it. */
	for (tl_size i = 0; i < size; i++)
		sum = (tl_u8)(sum + payload[i]);
	link->output[0] = '$';
	link->output[TL_FRAME_HEAD + size] = '#';
	link->output[TL_FRAME_HEAD + size + 1] = (tl_u8) "0123456789abcdef"[sum >> 4];
	link->output[TL_FRAME_HEAD + size + 2] = (tl_u8) "0123456789abcdef"[sum & 15];
	link->output_size = TL_FRAME_HEAD + size + TL_FRAME_TAIL;
	TL_TRY(write_all(link, link->output, link->output_size));
	return link->acknowledges ? await_acknowledgement(link) : TL_OK;
}

enum tl_status tl_remote_link_interrupt(struct remote_link *link)
{
	static const tl_u8 byte = 3;

	if (tl_remote_link_ended(link))
		return TL_ERROR_GONE;
	trace(link, "<-", &byte, 1);
	return write_all(link, &byte, 1);
}

/* Goes through what was read for a packet. *damaged counts packets that came broken. */
static enum tl_status take_packet(struct remote_link *link, int *damaged, bool *got_ret)
{
	enum tl_frame_item item;

	*got_ret = false;
	while ((item = next_item(link)) != TL_FRAME_NOTHING) {
		if (item == TL_FRAME_PACKET) {
			*got_ret = true;
			return answer(link, '+');
		}
		if (item == TL_FRAME_TOO_LONG)
			return too_long(link);
		/* Without acknowledgements nobody can ask for it again. */
		if (item == TL_FRAME_CORRUPT && (!link->acknowledges || ++*damaged == ATTEMPTS))
			return REMOTE_LINK_FAIL(link, TL_ERROR_CHECKSUM,
						"the stub's packets come damaged: the line is not reliable");
		if (item == TL_FRAME_CORRUPT)
			TL_TRY(answer(link, '-'));
	}
	return TL_OK;
}

enum tl_status tl_remote_link_receive(struct remote_link *link, tl_u64 deadline, const char *what)
{
	int damaged = 0;

	for (;;) {
		bool got = false;

		if (tl_remote_link_ended(link))
			return TL_ERROR_GONE;
		TL_TRY(take_packet(link, &damaged, &got));
		if (got)
			return TL_OK;
		/* The clock is asked first: bytes that never end and mean nothing do not keep us. */
		if (tl_remote_link_clock() >= deadline || !wait_ready(link->in, POLLIN, deadline))
			return REMOTE_LINK_FAIL(link, TL_ERROR_TIMEOUT,
						"the stub did not answer in time: waited for %s", what);
		if (read_some(link) == TL_ERROR_GONE)
			return TL_ERROR_GONE;
	}
}

enum tl_status tl_remote_link_poll(struct remote_link *link, bool *got_ret)
{
	int damaged = 0;

	TL_TRY(take_packet(link, &damaged, got_ret));
	if (*got_ret)
		return TL_OK;
	if (read_some(link) == TL_ERROR_GONE)
		return TL_ERROR_GONE;
	return take_packet(link, &damaged, got_ret);
}
