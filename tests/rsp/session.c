#include "tests/rsp/session.h"
#include "base/storage.h"
#include "core/rsp/framing.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const tl_u8 code[] = {
	0x90,                                           /* 1000 nop */
	0x90,                                           /* 1001 nop */
	0x48, 0x89, 0x04, 0x25, 0x00, 0x20, 0x00, 0x00, /* 1002 mov [0x2000], rax */
	0x48, 0x8b, 0x1c, 0x25, 0x08, 0x20, 0x00, 0x00, /* 100a mov rbx, [0x2008] */
	0x90,                                           /* 1012 nop */
	0xeb, 0xeb,                                     /* 1013 jmp 0x1000 */
};

static tl_u8 data[0x1000];

/* One session at a time: fuzzers open thousands a second. */
static tl_u8 output[RSP_SESSION_OUTPUT];
static char packet[RSP_SESSION_OUTPUT];

static const struct tl_scripted_segment segments[] = {
	{0x1000, 0x1000, code, sizeof(code), TL_PERMISSION_READ | TL_PERMISSION_EXECUTE, "/scripted"},
	{0x2000, 0x1000, data, sizeof(data), TL_PERMISSION_READ | TL_PERMISSION_WRITE, NULL},
	{0x7000, 0x1000, NULL, 0, TL_PERMISSION_READ | TL_PERMISSION_WRITE, "[stack]"},
};

static const struct tl_scripted_image image = {
	.segments = segments, .segment_count = TL_COUNT(segments), .entry = 0x1000, .stack = 0x8000};

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "the test session could not be set up: %s\n", what);
	exit(2);
}

static void send_out(void *context, const void *bytes, tl_size size)
{
	struct rsp_session *session = context;

	if (size > RSP_SESSION_OUTPUT - session->output_size) {
		session->overflow = true;
		return;
	}
	memcpy(session->output + session->output_size, bytes, size);
	session->output_size += size;
}

static void set_ready(void *context)
{
	((struct rsp_session *)context)->ready = true;
}

static void set_done(void *context)
{
	((struct rsp_session *)context)->done++;
}

static void print(void *context, const char *text, tl_size size)
{
	(void)tl_rsp_console(((struct rsp_session *)context)->rsp, text, size);
}

static bool attached(void *context, tl_u64 process)
{
	struct rsp_session *session = context;

	return session->attached != NULL && session->attached(context, process);
}

static void connect_client(struct rsp_session *session, const struct rsp_session_setup *setup)
{
	struct tl_rsp_host host = {
		.allocator = *tl_storage(),
		.send = send_out,
		.observe = setup->observe,
		.done = set_done,
		.context = session,
		.packet_size = setup->packet_size != 0 ? setup->packet_size : RSP_SESSION_PACKET,
		.tables = setup->tables,
		.table_count = setup->table_count,
		.features = setup->features,
		.attached = attached,
		.stops_without_thread = setup->stops_without_thread,
		.stops_as_signals = setup->stops_as_signals,
		.stops_are_brief = setup->stops_are_brief,
		.commands = setup->commands,
	};

	require(tl_rsp_init(session->rsp, session->engine, &host) == TL_OK, "tl_rsp_init");
}

void rsp_session_open(struct rsp_session *session, const struct rsp_session_setup *setup)
{
	struct tl_scripted_options options = {.allocator = *tl_storage(),
					      .cpu = &tl_cpu_x86_64,
					      .without = setup->without,
					      .text_address = setup->text,
					      .linked_address = setup->linked,
					      .bystanders = setup->bystanders,
					      .bystander_count = setup->bystander_count,
					      .image = &image};
	struct tl_engine_host host = {
		.allocator = *tl_storage(), .output = print, .ready = set_ready, .context = session};

	for (tl_size i = 0; i < sizeof(data); i++)
		data[i] = (tl_u8)i;
	*session = (struct rsp_session){
		.scripted = aligned_alloc(16, (tl_scripted_size() + 15) / 16 * 16),
		.engine = aligned_alloc(16, (tl_engine_size() + 15) / 16 * 16),
		.rsp = aligned_alloc(16, (tl_rsp_size() + 15) / 16 * 16),
		.output = output,
		.packet = packet,
	};
	require(session->scripted != NULL && session->engine != NULL && session->rsp != NULL, "storage");
	require(tl_scripted_init(session->scripted, &options) == TL_OK, "tl_scripted_init");
	tl_engine_init(session->engine, tl_scripted_target(session->scripted), &host);
	if (!setup->empty)
		require(tl_scripted_start(session->scripted, &session->process) == TL_OK, "tl_scripted_start");
	for (tl_size i = 0; i < setup->threads; i++) {
		struct tl_thread_id id;

		require(tl_scripted_add_thread(session->scripted, session->process, 0x1000, &id) == TL_OK, "a thread");
	}
	connect_client(session, setup);
}

void rsp_session_reconnect(struct rsp_session *session)
{
	static const struct rsp_session_setup setup;

	tl_rsp_deinit(session->rsp);
	tl_engine_reset_client(session->engine);
	session->output_size = session->output_at = 0;
	connect_client(session, &setup);
}

void rsp_session_close(struct rsp_session *session)
{
	tl_rsp_deinit(session->rsp);
	tl_engine_deinit(session->engine);
	tl_scripted_deinit(session->scripted);
	free(session->scripted);
	free(session->engine);
	free(session->rsp);
}

void rsp_session_poll(struct rsp_session *session)
{
	if (!session->ready)
		return;
	session->ready = false;
	tl_rsp_poll(session->rsp);
}

void rsp_session_bytes(struct rsp_session *session, const void *bytes, tl_size size)
{
	tl_rsp_receive(session->rsp, bytes, size);
	rsp_session_poll(session);
}

void rsp_session_send(struct rsp_session *session, const void *payload, tl_size size)
{
	static const char digits[] = "0123456789abcdef";
	const tl_u8 *from = payload;
	tl_u8 *frame = malloc(2 * size + 4);
	tl_size at = 0;
	tl_u8 sum = 0;

	require(frame != NULL, "storage");
	frame[at++] = '$';
	for (tl_size i = 0; i < size; i++) {
		tl_u8 byte = from[i];

		if (byte == '#' || byte == '$' || byte == '}' || byte == '*') {
			frame[at++] = '}';
			sum = (tl_u8)(sum + '}');
			byte ^= 0x20;
		}
		frame[at++] = byte;
		sum = (tl_u8)(sum + byte);
	}
	frame[at++] = '#';
	frame[at++] = (tl_u8)digits[sum >> 4];
	frame[at++] = (tl_u8)digits[sum & 15];
	rsp_session_bytes(session, frame, at);
	free(frame);
}

/* One frame from just behind its $ or %, runs expanded; false when it is not whole. */
static bool take_frame(struct rsp_session *session)
{
	const tl_u8 *bytes = session->output;
	tl_size at = session->output_at, size = 0;
	tl_u8 sum = 0;

	while (at < session->output_size && bytes[at] != '#') {
		tl_u8 byte = bytes[at++];

		sum = (tl_u8)(sum + byte);
		if (byte == '*' && size > 0 && at < session->output_size) {
			tl_size repeats = bytes[at] >= 32 ? (tl_size)bytes[at] - 29 : 0;

			sum = (tl_u8)(sum + bytes[at++]);
			if (repeats < 3 || repeats > 97 || size + repeats >= RSP_SESSION_OUTPUT) {
				session->bad++;
				continue;
			}
			memset(session->packet + size, session->packet[size - 1], repeats);
			size += repeats;
		} else if (size + 1 < RSP_SESSION_OUTPUT) {
			session->packet[size++] = (char)byte;
		}
	}
	if (session->output_size - at < 3)
		return false;
	if (tl_hex_digit(bytes[at + 1]) < 0 || tl_hex_digit(bytes[at + 2]) < 0 ||
	    (tl_hex_digit(bytes[at + 1]) << 4 | tl_hex_digit(bytes[at + 2])) != sum)
		session->bad++;
	session->output_at = at + 3;
	if (session->output_at == session->output_size)
		session->output_size = session->output_at = 0;
	session->packet[size] = '\0';
	session->packet_size = size;
	return true;
}

bool rsp_session_take(struct rsp_session *session)
{
	while (session->output_at < session->output_size) {
		tl_u8 byte = session->output[session->output_at++];

		if (byte == '+')
			session->acks++;
		else if (byte == '-')
			session->naks++;
		else if (byte != '$' && byte != '%')
			session->bad++;
		if (byte != '$' && byte != '%')
			continue;
		session->lead = (char)byte;
		if (take_frame(session))
			return true;
		session->bad++;
	}
	session->output_size = session->output_at = 0;
	return false;
}

void rsp_session_turn(struct rsp_session *session, unsigned turns)
{
	while (turns-- > 0 && tl_scripted_turn(session->scripted))
		rsp_session_poll(session);
}

bool rsp_session_wait(struct rsp_session *session, unsigned turns)
{
	rsp_session_poll(session);
	while (!rsp_session_take(session)) {
		if (turns-- == 0 || !tl_scripted_turn(session->scripted))
			return false;
		rsp_session_poll(session);
	}
	return true;
}

const char *rsp_session_ask(struct rsp_session *session, const char *request)
{
	rsp_session_send(session, request, strlen(request));
	return rsp_session_take(session) ? session->packet : "(none)";
}

const char *rsp_session_next(struct rsp_session *session)
{
	return rsp_session_wait(session, 1000) ? session->packet : "(none)";
}
