/*
 * qXfer: objects that clients read and write piece by piece. GDB manual, "General Query Packets", qXfer.
 */
#include "core/rsp/rsp_internal.h"
#include "core/utf8.h"

/* No object that is made here is larger: a list of a hundred thousand threads takes less. */
#define OBJECT_MAX ((tl_size)1 << 24)
#define OBJECT_FIRST 16384u

enum tl_status tl_rsp_answer_part(struct tl_cursor *arguments, const void *object, tl_size size,
				  struct tl_writer *reply)
{
	const tl_u8 *bytes = object;
	tl_u64 offset, wanted;
	tl_u8 *letter = reply->at;
	tl_size at, stop;

	TL_TRY(tl_request_part(arguments, &offset, &wanted));
	tl_write_byte(reply, 'l');
	if (offset >= size)
		return TL_OK;
	at = (tl_size)offset;
	stop = wanted < size - at ? at + (tl_size)wanted : size;
	while (at < stop && tl_rsp_write_binary(reply, bytes + at, 1))
		at++;
	if (at < size && !reply->failed)
		*letter = 'm';
	return TL_OK;
}

enum tl_status tl_rsp_object_room(struct tl_rsp *rsp, tl_size size)
{
	void *grown;

	rsp->object_kind = TL_RSP_OBJECT_NONE;
	rsp->object_size = 0;
	if (size <= rsp->object_capacity)
		return TL_OK;
	grown = rsp->host.allocator.resize(rsp->host.allocator.context, rsp->object, rsp->object_capacity, size);
	if (grown == NULL)
		return TL_ERROR_NO_MEMORY;
	rsp->object = grown;
	rsp->object_capacity = size;
	return TL_OK;
}

static enum tl_status make_object(struct tl_rsp *rsp,
				  enum tl_status (*describe)(struct tl_rsp *rsp, struct tl_writer *))
{
	tl_size size = rsp->object_capacity > OBJECT_FIRST ? rsp->object_capacity : OBJECT_FIRST;

	for (; size <= OBJECT_MAX; size *= 2) {
		struct tl_writer writer;

		TL_TRY(tl_rsp_object_room(rsp, size));
		writer = tl_writer_make(rsp->object, rsp->object_capacity);
		TL_TRY(describe(rsp, &writer));
		if (!writer.failed) {
			rsp->object_size = tl_writer_size(&writer);
			return TL_OK;
		}
	}
	return TL_ERROR_TOO_LONG;
}

enum tl_status tl_rsp_answer_object(struct tl_rsp *rsp, enum tl_rsp_object kind, struct tl_cursor *arguments,
				    enum tl_status (*describe)(struct tl_rsp *rsp, struct tl_writer *writer),
				    struct tl_writer *reply)
{
	struct tl_cursor look = *arguments;
	tl_u64 offset, size;

	TL_TRY(tl_request_part(&look, &offset, &size));
	/* What is read in pieces must be of one moment: only the first piece looks again. */
	if (offset == 0 || rsp->object_kind != kind) {
		TL_TRY(make_object(rsp, describe));
		rsp->object_kind = kind;
	}
	return tl_rsp_answer_part(arguments, rsp->object, rsp->object_size, reply);
}

/* ---- The target description ---- */

static enum tl_status describe_features(struct tl_rsp *rsp, struct tl_writer *writer)
{
	struct tl_process_facts facts;
	tl_u64 process;

	if (!tl_rsp_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	TL_TRY(tl_engine_facts(rsp->engine, process, &facts));
	tl_cpu_describe(facts.cpu, facts.features, facts.os_abi, rsp->client[TL_RSP_CLIENT_LLDB], writer);
	return TL_OK;
}

static enum tl_status handle_features(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	struct tl_cursor annex;

	(void)context;
	tl_cursor_expect(arguments, ':');
	annex = tl_cursor_until(arguments, ':');
	if (arguments->failed)
		return TL_ERROR_PACKET;
	if (!tl_cursor_equals(&annex, "target.xml")) {
		tl_rsp_explain(rsp, "the target description has no part but target.xml");
		return TL_ERROR_ARGUMENT;
	}
	return tl_rsp_answer_object(rsp, TL_RSP_OBJECT_FEATURES, arguments, describe_features, reply);
}

/* ---- Objects of the target ---- */

static enum tl_status object_thread(struct tl_rsp *rsp, enum tl_object object, struct tl_cursor *arguments,
				    struct tl_thread_id *id_ret)
{
	struct tl_cursor annex;
	tl_u64 process;

	tl_cursor_expect(arguments, ':');
	annex = tl_cursor_until(arguments, ':');
	if (arguments->failed)
		return TL_ERROR_PACKET;
	if (object == TL_OBJECT_EXEC_FILE && !tl_cursor_done(&annex)) {
		/* The annex is a process id. */
		process = tl_cursor_hex(&annex);
		if (annex.failed)
			return TL_ERROR_PACKET;
		return tl_rsp_any_thread(rsp, process, id_ret) ? TL_OK : TL_ERROR_NO_PROCESS;
	}
	if (tl_rsp_general(rsp, id_ret))
		return TL_OK;
	/* The thread has gone, but what belongs to the process is still there. */
	if (object == TL_OBJECT_SIGINFO || !tl_rsp_process(rsp, &process))
		return TL_ERROR_NO_THREAD;
	return tl_rsp_any_thread(rsp, process, id_ret) ? TL_OK : TL_ERROR_NO_PROCESS;
}

/* Reads straight from the target what fits in half a reply, so that escapes always find room. */
static enum tl_status read_object(struct tl_rsp *rsp, enum tl_object object, struct tl_cursor *arguments,
				  struct tl_writer *reply)
{
	struct tl_target *target = tl_engine_target(rsp->engine);
	tl_size most = (tl_writer_room(reply) - 1) / 2;
	struct tl_thread_id id;
	tl_size done = 0, more = 0;
	tl_u64 offset, wanted;
	tl_u8 *bytes, next;

	if (target->ops->read_object == NULL)
		return TL_UNKNOWN_PACKET;
	TL_TRY(object_thread(rsp, object, arguments, &id));
	TL_TRY(tl_request_part(arguments, &offset, &wanted));
	if (wanted < most)
		most = (tl_size)wanted;
	bytes = reply->end - most;
	TL_TRY(target->ops->read_object(target, id, object, offset, bytes, most, &done));
	/* A look behind it spares the client the round trip that would tell it of the end. */
	if (done != 0 && target->ops->read_object(target, id, object, offset + done, &next, 1, &more) != TL_OK)
		more = 0;
	tl_write_byte(reply, more != 0 ? 'm' : 'l');
	for (tl_size i = 0; i < done && i < most; i++)
		(void)tl_rsp_write_binary(reply, bytes + i, 1);
	return TL_OK;
}

static enum tl_status handle_auxv(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				  struct tl_writer *reply)
{
	(void)context;
	return read_object(rsp, TL_OBJECT_AUXV, arguments, reply);
}

static enum tl_status handle_siginfo_read(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					  struct tl_writer *reply)
{
	(void)context;
	return read_object(rsp, TL_OBJECT_SIGINFO, arguments, reply);
}

static enum tl_status handle_exec_file(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				       struct tl_writer *reply)
{
	(void)context;
	return read_object(rsp, TL_OBJECT_EXEC_FILE, arguments, reply);
}

static enum tl_status handle_memory_map(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					struct tl_writer *reply)
{
	(void)context;
	return read_object(rsp, TL_OBJECT_MEMORY_MAP, arguments, reply);
}

/* lldb wants to know how far, takes an address for that too, and moves a program whose parts all move alike. */
static enum tl_status write_distance(const tl_u8 addresses[16], tl_size size, struct tl_writer *reply)
{
	tl_u64 distance;

	if (size != 16)
		return TL_UNKNOWN_PACKET;
	distance = tl_load_little(addresses, 8) - tl_load_little(addresses + 8, 8);
	tl_write_text(reply, "Text=");
	tl_write_hex(reply, distance);
	tl_write_text(reply, ";Data=");
	tl_write_hex(reply, distance);
	tl_write_text(reply, ";Bss=");
	tl_write_hex(reply, distance);
	return TL_OK;
}

/* Where the program's text is, so that gdb moves its names there; all segments move as the first does. */
static enum tl_status handle_offsets(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				     struct tl_writer *reply)
{
	struct tl_target *target = tl_engine_target(rsp->engine);
	struct tl_thread_id id;
	tl_u8 addresses[16];
	tl_size done = 0;

	(void)context;
	(void)arguments;
	if (target->ops->read_object == NULL || !tl_rsp_general(rsp, &id) ||
	    target->ops->read_object(target, id, TL_OBJECT_TEXT_ADDRESS, 0, addresses, sizeof(addresses), &done) !=
		    TL_OK ||
	    done < 8)
		return TL_UNKNOWN_PACKET;
	if (tl_rsp_client_has(rsp, TL_RSP_CLIENT_LLDB))
		return write_distance(addresses, done, reply);
	tl_write_text(reply, "TextSeg=");
	tl_write_hex(reply, tl_load_little(addresses, 8));
	return TL_OK;
}

static enum tl_status handle_siginfo_write(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					   struct tl_writer *reply)
{
	struct tl_target *target = tl_engine_target(rsp->engine);
	struct tl_thread_id id;
	tl_size done = 0;
	tl_u64 offset;

	(void)context;
	if (target->ops->write_object == NULL)
		return TL_UNKNOWN_PACKET;
	TL_TRY(object_thread(rsp, TL_OBJECT_SIGINFO, arguments, &id));
	offset = tl_cursor_hex(arguments);
	tl_cursor_expect(arguments, ':');
	if (arguments->failed)
		return TL_ERROR_PACKET;
	TL_TRY(target->ops->write_object(target, id, TL_OBJECT_SIGINFO, offset, arguments->at,
					 tl_cursor_left(arguments), &done));
	/* The reply is the number of bytes taken. */
	tl_write_hex(reply, done);
	return TL_OK;
}

/* ---- Text from the program ---- */

void tl_rsp_write_untrusted_xml(struct tl_writer *writer, const tl_u8 *text, tl_size size)
{
	while (size > 0 && *text != 0) {
		tl_u32 point;
		tl_size length = tl_utf8_read(text, size, &point);
		char part[5] = "?";

		if (length != 0) {
			tl_copy(part, text, length);
			part[length] = '\0';
		}
		tl_write_xml(writer, part);
		length = length != 0 ? length : 1;
		text += length;
		size -= length;
	}
}

#define NEEDS (TL_RSP_PROCESS | TL_RSP_STOPPED)

const struct tl_rsp_row tl_rsp_object_rows[] = {
	{"qXfer:features:read", TL_RSP_WORD, TL_RSP_PROCESS, false, handle_features},
	{"qXfer:auxv:read", TL_RSP_WORD, TL_RSP_PROCESS, false, handle_auxv},
	{"qXfer:siginfo:read", TL_RSP_WORD, NEEDS, false, handle_siginfo_read},
	{"qXfer:siginfo:write", TL_RSP_WORD, NEEDS, false, handle_siginfo_write},
	{"qXfer:exec-file:read", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_exec_file},
	{"qXfer:memory-map:read", TL_RSP_WORD, TL_RSP_PROCESS, false, handle_memory_map},
	{"qOffsets", TL_RSP_WORD, TL_RSP_PROCESS, false, handle_offsets},
	{0},
};
