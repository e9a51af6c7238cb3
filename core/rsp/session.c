/*
 * The session: bytes in, packets to their rows, one reply out.
 */
#include "core/rsp/rsp_internal.h"

tl_size tl_rsp_size(void)
{
	return sizeof(struct tl_rsp);
}

static tl_size frame_room(const struct tl_rsp *rsp)
{
	return (tl_size)rsp->host.packet_size + TL_FRAME_HEAD + TL_FRAME_TAIL;
}

enum tl_status tl_rsp_init(struct tl_rsp *rsp, struct tl_engine *engine, const struct tl_rsp_host *host)
{
	tl_fill(rsp, 0, sizeof(*rsp));
	rsp->engine = engine;
	rsp->host = *host;
	rsp->acknowledgments = true;
	if (host->packet_size < TL_RSP_PACKET_MIN)
		return TL_ERROR_ARGUMENT;
	rsp->input = tl_allocate(&host->allocator, host->packet_size);
	rsp->output = tl_allocate(&host->allocator, frame_room(rsp));
	rsp->notice = tl_allocate(&host->allocator, frame_room(rsp));
	if (rsp->input == NULL || rsp->output == NULL || rsp->notice == NULL) {
		tl_rsp_deinit(rsp);
		return TL_ERROR_NO_MEMORY;
	}
	tl_frame_decoder_init(&rsp->decoder, rsp->input, host->packet_size);
	return TL_OK;
}

void tl_rsp_deinit(struct tl_rsp *rsp)
{
	const struct tl_allocator *allocator = &rsp->host.allocator;

	tl_release(allocator, rsp->input, rsp->host.packet_size);
	tl_release(allocator, rsp->output, frame_room(rsp));
	tl_release(allocator, rsp->notice, frame_room(rsp));
	tl_release(allocator, rsp->object, rsp->object_capacity);
	tl_release(allocator, rsp->actions, rsp->action_capacity * sizeof(*rsp->actions));
	tl_release(allocator, rsp->expressions, rsp->expression_capacity * sizeof(*rsp->expressions));
	rsp->input = rsp->output = rsp->notice = rsp->object = NULL;
	rsp->actions = NULL;
	rsp->expressions = NULL;
	rsp->object_capacity = rsp->action_capacity = rsp->expression_capacity = 0;
}

/* ---- The table ---- */

static tl_size matched(const struct tl_rsp_row *row, const struct tl_cursor *packet)
{
	tl_size size = tl_text_length(row->name);

	if (size > tl_cursor_left(packet) || !tl_same(packet->at, row->name, size))
		return 0;
	if (row->match == TL_RSP_WORD && size < tl_cursor_left(packet)) {
		tl_u8 next = packet->at[size];

		if (next != ':' && next != ';' && next != ',')
			return 0;
	}
	return size;
}

static const struct tl_rsp_row *longest(const struct tl_rsp_row *rows, const struct tl_cursor *packet, tl_size *size)
{
	const struct tl_rsp_row *best = NULL;

	for (; rows->name != NULL; rows++) {
		tl_size here = matched(rows, packet);

		if (here > *size) {
			*size = here;
			best = rows;
		}
	}
	return best;
}

const struct tl_rsp_row *tl_rsp_find_row(const struct tl_rsp *rsp, struct tl_cursor *packet, void **context_ret)
{
	static const struct tl_rsp_row *const tables[] = {
		tl_rsp_feature_rows, tl_rsp_run_rows,   tl_rsp_status_rows, tl_rsp_leave_rows,  tl_rsp_register_rows,
		tl_rsp_memory_rows,  tl_rsp_point_rows, tl_rsp_thread_rows, tl_rsp_object_rows, tl_rsp_monitor_rows,
	};
	const struct tl_rsp_row *best = NULL;
	tl_size size = 0;

	*context_ret = NULL;
	for (tl_size i = 0; i < rsp->host.table_count; i++) {
		const struct tl_rsp_row *row = longest(rsp->host.tables[i].rows, packet, &size);

		if (row != NULL) {
			best = row;
			*context_ret = rsp->host.tables[i].context;
		}
	}
	for (tl_size i = 0; i < TL_COUNT(tables); i++) {
		const struct tl_rsp_row *row = longest(tables[i], packet, &size);

		if (row != NULL) {
			best = row;
			*context_ret = NULL;
		}
	}
	(void)tl_cursor_take(packet, size);
	return best;
}

static enum tl_status refuse(struct tl_rsp *rsp, tl_u8 needs)
{
	struct tl_thread_info info;
	struct tl_thread_id id;
	tl_u64 process;

	if ((needs & TL_RSP_EXTENDED) != 0 && !rsp->client[TL_RSP_CLIENT_EXTENDED]) {
		tl_rsp_explain(rsp, "that needs the extended protocol: use 'target extended-remote'");
		return TL_ERROR_STATE;
	}
	if ((needs & TL_RSP_STOPPED) != 0 && rsp->owed && !tl_rsp_non_stop(rsp))
		return TL_ERROR_RUNNING;
	if ((needs & TL_RSP_PROCESS) != 0 && !tl_rsp_process(rsp, &process) &&
	    ((needs & TL_RSP_OR_EXIT) == 0 || tl_engine_untold_exit(rsp->engine, TL_ANY) == 0))
		return TL_ERROR_NO_PROCESS;
	if ((needs & TL_RSP_THREAD) == 0)
		return TL_OK;
	if (!tl_rsp_general(rsp, &id) || !tl_engine_find_thread(rsp->engine, id, &info))
		return TL_ERROR_NO_THREAD;
	return info.stopped ? TL_OK : TL_ERROR_RUNNING;
}

/* ---- Replies ---- */

/* Packets whose replies are data to gdb up to version 15 unless they are exactly Enn. */
static bool numbers_only(const struct tl_rsp_row *row)
{
	static const char *const names[] = {"m", "x", "qRcmd"};

	for (tl_size i = 0; row != NULL && i < TL_COUNT(names); i++)
		if (tl_text_equal(row->name, names[i]))
			return true;
	return false;
}

static bool takes_text(const struct tl_rsp *rsp, const struct tl_rsp_row *row)
{
	if (rsp->client[TL_RSP_CLIENT_LLDB])
		return false;
	if (rsp->client[TL_RSP_CLIENT_ERROR_MESSAGE])
		return true;
	/* Every gdb that announces vContSupported (since 7.11) reads E.text where it expects an error. */
	return rsp->client[TL_RSP_CLIENT_VCONT] && !numbers_only(row);
}

/* As text inside a packet: no byte that frames or escapes anything. */
static void write_plain(struct tl_writer *writer, const char *text)
{
	for (; *text != '\0'; text++) {
		tl_u8 byte = (tl_u8)*text;

		if (byte < ' ')
			byte = ' ';
		if (byte > '~' || byte == '#' || byte == '$' || byte == '}' || byte == '*')
			byte = '?';
		tl_write_byte(writer, byte);
	}
}

void tl_rsp_write_error(struct tl_rsp *rsp, const struct tl_rsp_row *row, enum tl_status status,
			struct tl_writer *writer)
{
	const char *text = rsp->explanation[0] != '\0' ? rsp->explanation : tl_status_text(status);

	tl_writer_reset(writer);
	if (takes_text(rsp, row)) {
		tl_write_text(writer, "E.");
		write_plain(writer, text);
		return;
	}
	tl_write_byte(writer, 'E');
	tl_write_hex_padded(writer, tl_status_wire(status), 2);
	if (rsp->client[TL_RSP_CLIENT_LLDB] && rsp->client[TL_RSP_CLIENT_ERROR_MESSAGE]) {
		tl_write_byte(writer, ';');
		tl_write_hex_text(writer, text);
	}
}

void tl_rsp_send_output(struct tl_rsp *rsp, tl_size size)
{
	if (rsp->host.observe != NULL)
		rsp->host.observe(rsp->host.context, false, rsp->output + TL_FRAME_HEAD, size);
	rsp->frame_size = tl_frame_encode(rsp->output, '$', size);
	rsp->host.send(rsp->host.context, rsp->output, rsp->frame_size);
}

static struct tl_writer reply_writer(struct tl_rsp *rsp)
{
	return tl_writer_make(rsp->output + TL_FRAME_HEAD, rsp->host.packet_size);
}

static void finish(struct tl_rsp *rsp, const struct tl_rsp_row *row, enum tl_status status, struct tl_writer *reply)
{
	if (status == TL_OK && reply->failed) {
		tl_rsp_explain(rsp, "the reply is longer than a packet");
		status = TL_ERROR_TOO_LONG;
	}
	if (status == TL_UNKNOWN_PACKET)
		tl_writer_reset(reply);
	else if (status != TL_OK)
		tl_rsp_write_error(rsp, row, status, reply);
	else if (tl_writer_size(reply) == 0 && row != NULL && row->replies_ok)
		tl_write_text(reply, "OK");
	tl_rsp_send_output(rsp, tl_writer_size(reply));
}

void tl_rsp_explain(struct tl_rsp *rsp, const char *text)
{
	tl_size size = tl_text_length(text);

	if (size >= sizeof(rsp->explanation))
		size = sizeof(rsp->explanation) - 1;
	tl_copy(rsp->explanation, text, size);
	rsp->explanation[size] = '\0';
}

void tl_rsp_stay_silent(struct tl_rsp *rsp)
{
	rsp->silent = true;
}

static void handle_packet(struct tl_rsp *rsp)
{
	struct tl_cursor packet = tl_cursor_make(rsp->input, rsp->decoder.size);
	struct tl_writer reply = reply_writer(rsp);
	const struct tl_rsp_row *row;
	enum tl_status status = TL_UNKNOWN_PACKET;
	bool was_owed = rsp->owed;
	void *context;

	if (rsp->host.observe != NULL)
		rsp->host.observe(rsp->host.context, true, rsp->input, rsp->decoder.size);
	row = tl_rsp_find_row(rsp, &packet, &context);
	rsp->explanation[0] = '\0';
	rsp->silent = rsp->forgone = false;
	rsp->handling = true;
	if (row != NULL)
		status = refuse(rsp, row->needs);
	if (row != NULL && status == TL_OK)
		status = row->handle(rsp, context, &packet, &reply);
	rsp->handling = false;
	if (status == TL_DEFERRED) {
		rsp->owed = true;
	} else {
		rsp->owed = was_owed && !rsp->forgone;
		if (!rsp->silent)
			finish(rsp, row, status, &reply);
	}
}

static void refuse_long_packet(struct tl_rsp *rsp)
{
	struct tl_writer reply = reply_writer(rsp);

	tl_rsp_explain(rsp, "the packet is longer than the PacketSize that was announced");
	tl_rsp_write_error(rsp, NULL, TL_ERROR_TOO_LONG, &reply);
	tl_rsp_send_output(rsp, tl_writer_size(&reply));
}

static void acknowledge(struct tl_rsp *rsp, char answer)
{
	if (rsp->acknowledgments)
		rsp->host.send(rsp->host.context, &answer, 1);
}

static void take_item(struct tl_rsp *rsp, enum tl_frame_item item)
{
	switch (item) {
	case TL_FRAME_PACKET:
		acknowledge(rsp, '+');
		handle_packet(rsp);
		break;
	case TL_FRAME_TOO_LONG:
		acknowledge(rsp, '+');
		refuse_long_packet(rsp);
		break;
	case TL_FRAME_CORRUPT:
		acknowledge(rsp, '-');
		break;
	case TL_FRAME_NAK:
		if (rsp->acknowledgments && rsp->frame_size != 0)
			rsp->host.send(rsp->host.context, rsp->output, rsp->frame_size);
		break;
	case TL_FRAME_INTERRUPT:
		if (rsp->host.observe != NULL)
			rsp->host.observe(rsp->host.context, true, "\x03", 1);
		tl_rsp_interrupt(rsp);
		break;
	case TL_FRAME_ACK:
	case TL_FRAME_NOTHING:
	case TL_FRAME_MAX:
		break;
	}
}

void tl_rsp_receive(struct tl_rsp *rsp, const void *bytes, tl_size size)
{
	const tl_u8 *at = bytes;
	const tl_u8 *end = at + size;

	while (!rsp->done) {
		enum tl_frame_item item = tl_frame_decode(&rsp->decoder, &at, end);

		if (item == TL_FRAME_NOTHING)
			break;
		take_item(rsp, item);
		rsp->decoder.trusting = !rsp->acknowledgments;
		tl_rsp_poll(rsp);
	}
}

void tl_rsp_poll(struct tl_rsp *rsp)
{
	/* A handler's own reply goes first; whoever called the handler comes here again behind it. */
	if (rsp->handling)
		return;
	if (rsp->leave != TL_RSP_LEAVE_NONE)
		tl_rsp_leave_further(rsp);
	tl_rsp_report(rsp);
	if (rsp->done) {
		void (*done)(void *) = rsp->host.done;

		/* Once. */
		rsp->host.done = NULL;
		if (done != NULL)
			done(rsp->host.context);
	}
}

void tl_rsp_send_owed(struct tl_rsp *rsp, enum tl_status status)
{
	struct tl_writer reply = reply_writer(rsp);

	rsp->owed = false;
	if (status == TL_OK)
		tl_write_text(&reply, "OK");
	finish(rsp, NULL, status, &reply);
}

void tl_rsp_reply(struct tl_rsp *rsp, enum tl_status status, const void *payload, tl_size size)
{
	struct tl_writer reply = reply_writer(rsp);

	if (!rsp->owed)
		return;
	rsp->owed = false;
	if (status == TL_OK)
		tl_write_bytes(&reply, payload, size);
	finish(rsp, NULL, status, &reply);
}

bool tl_rsp_console(struct tl_rsp *rsp, const char *text, tl_size size)
{
	tl_size piece = (rsp->host.packet_size - 1) / 2;

	if (!rsp->owed || tl_rsp_non_stop(rsp))
		return false;
	while (size > 0) {
		struct tl_writer output = reply_writer(rsp);
		tl_size now = size < piece ? size : piece;

		tl_write_byte(&output, 'O');
		tl_write_hex_bytes(&output, text, now);
		tl_rsp_send_output(rsp, tl_writer_size(&output));
		text += now;
		size -= now;
	}
	return true;
}

/* ---- What handlers ask ---- */

struct tl_engine *tl_rsp_engine(struct tl_rsp *rsp)
{
	return rsp->engine;
}

bool tl_rsp_client_has(const struct tl_rsp *rsp, enum tl_rsp_client feature)
{
	return (tl_u32)feature < TL_RSP_CLIENT_MAX && rsp->client[feature];
}

void tl_rsp_client_set(struct tl_rsp *rsp, enum tl_rsp_client feature, bool on)
{
	if ((tl_u32)feature < TL_RSP_CLIENT_MAX)
		rsp->client[feature] = on;
}

bool tl_rsp_non_stop(const struct tl_rsp *rsp)
{
	return tl_engine_settings(rsp->engine)->non_stop;
}

tl_u32 tl_rsp_capabilities(const struct tl_rsp *rsp)
{
	return tl_target_capabilities(tl_engine_target(rsp->engine));
}

tl_u8 *tl_rsp_in_place(struct tl_rsp *rsp, const struct tl_cursor *cursor)
{
	return rsp->input + (cursor->at - rsp->input);
}

tl_u8 tl_rsp_signal_out(const struct tl_rsp *rsp, tl_i32 signal)
{
	return rsp->client[TL_RSP_CLIENT_LLDB] ? (tl_u8)signal : tl_rsp_signal_to_gdb(signal);
}

tl_i32 tl_rsp_signal_in(const struct tl_rsp *rsp, tl_u64 signal)
{
	if (!rsp->client[TL_RSP_CLIENT_LLDB])
		return tl_rsp_signal_from_gdb(signal);
	return signal <= 64 ? (tl_i32)signal : -1;
}

bool tl_rsp_write_binary(struct tl_writer *writer, const void *bytes, tl_size size)
{
	const tl_u8 *from = bytes;
	tl_size needed = size;

	for (tl_size i = 0; i < size; i++)
		needed += from[i] == '#' || from[i] == '$' || from[i] == '}' || from[i] == '*';
	if (needed > tl_writer_room(writer))
		return false;
	for (tl_size i = 0; i < size; i++) {
		if (from[i] == '#' || from[i] == '$' || from[i] == '}' || from[i] == '*') {
			tl_write_byte(writer, '}');
			tl_write_byte(writer, from[i] ^ 0x20);
		} else {
			tl_write_byte(writer, from[i]);
		}
	}
	return true;
}
