/*
 * Threads: ids, lists, names, which one requests are about. GDB manual, "thread-id syntax" in "Packets", and "General
 * Query Packets".
 */
#include "core/rsp/rsp_internal.h"

#define NAME_MAX_BYTES 64
#define CORE_MAX_BYTES 20

/* ---- Ids ---- */

bool tl_rsp_process_exists(const struct tl_rsp *rsp, tl_u64 process)
{
	tl_u64 at = 0;

	if (process == 0)
		return false;
	while ((at = tl_engine_next_process(rsp->engine, at)) != 0)
		if (at == process)
			return true;
	return false;
}

bool tl_rsp_is_there(const struct tl_rsp *rsp, struct tl_thread_id id)
{
	struct tl_thread_info info;

	return tl_engine_find_thread(rsp->engine, id, &info) || tl_engine_is_bystander(rsp->engine, id);
}

enum tl_status tl_rsp_refuse_bystander(struct tl_rsp *rsp)
{
	const char *refusal = tl_engine_target(rsp->engine)->ops->bystander_refusal;

	tl_rsp_explain(rsp, refusal != NULL ? refusal : "this one is only there to be looked at");
	return TL_ERROR_STATE;
}

bool tl_rsp_any_thread(struct tl_rsp *rsp, tl_u64 process, struct tl_thread_id *id_ret)
{
	struct tl_thread_info info = {0};

	if (tl_engine_stopped_thread(rsp->engine, process, id_ret))
		return true;
	while (tl_engine_next_thread(rsp->engine, info.id, &info)) {
		if (process != TL_ANY && info.id.process != process)
			continue;
		*id_ret = info.id;
		return true;
	}
	return false;
}

bool tl_rsp_general(struct tl_rsp *rsp, struct tl_thread_id *id_ret)
{
	if (rsp->general.thread == 0)
		return tl_rsp_any_thread(rsp, rsp->general.process != 0 ? rsp->general.process : TL_ANY, id_ret);
	*id_ret = rsp->general;
	return tl_rsp_is_there(rsp, rsp->general);
}

void tl_rsp_set_general(struct tl_rsp *rsp, struct tl_thread_id id)
{
	rsp->general = id;
}

bool tl_rsp_process(struct tl_rsp *rsp, tl_u64 *process_ret)
{
	struct tl_thread_id id;

	if (rsp->general.process != 0) {
		*process_ret = rsp->general.process;
		return tl_rsp_process_exists(rsp, rsp->general.process);
	}
	if (tl_rsp_general(rsp, &id))
		*process_ret = id.process;
	else
		*process_ret = tl_engine_next_process(rsp->engine, 0);
	return *process_ret != 0;
}

/* The process of the thread with that number, for clients that name no process. */
static tl_u64 process_of(struct tl_rsp *rsp, tl_u64 thread)
{
	struct tl_thread_info info = {0};
	tl_u64 process = 0;

	if (tl_rsp_process(rsp, &process) && tl_rsp_is_there(rsp, (struct tl_thread_id){process, thread}))
		return process;
	while (tl_engine_next_thread(rsp->engine, info.id, &info))
		if (info.id.thread == thread)
			return info.id.process;
	return process;
}

struct tl_thread_id tl_rsp_resolve(struct tl_rsp *rsp, const struct tl_request_thread *request)
{
	struct tl_thread_id id = {request->process, request->thread};

	if (request->with_process)
		return id;
	if (request->thread == TL_ANY)
		return (struct tl_thread_id){TL_ANY, TL_ANY};
	if (request->thread == 0)
		return (struct tl_thread_id){0, 0};
	id.process = process_of(rsp, request->thread);
	return id;
}

struct tl_thread_id tl_rsp_read_thread_id(struct tl_rsp *rsp, struct tl_cursor *cursor)
{
	struct tl_request_thread request;

	if (tl_request_thread(cursor, &request) != TL_OK) {
		cursor->failed = true;
		return (struct tl_thread_id){0, 0};
	}
	return tl_rsp_resolve(rsp, &request);
}

static void write_number(struct tl_writer *writer, tl_u64 number)
{
	if (number == TL_ANY)
		tl_write_text(writer, "-1");
	else
		tl_write_hex(writer, number);
}

void tl_rsp_write_thread_id(struct tl_rsp *rsp, struct tl_writer *writer, struct tl_thread_id id)
{
	if (rsp->client[TL_RSP_CLIENT_MULTIPROCESS]) {
		tl_write_byte(writer, 'p');
		write_number(writer, id.process);
		tl_write_byte(writer, '.');
	}
	write_number(writer, id.thread);
}

/* ---- H, T, qC, qAttached ---- */

/* Makes a filter into one thread that exists; all and any of all processes become {0, 0}. */
static enum tl_status choose(struct tl_rsp *rsp, struct tl_cursor *arguments, struct tl_thread_id *id_ret)
{
	struct tl_thread_id id = tl_rsp_read_thread_id(rsp, arguments);

	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	*id_ret = (struct tl_thread_id){0, 0};
	if (id.process == 0 || id.process == TL_ANY)
		return TL_OK;
	if (id.thread == 0 || id.thread == TL_ANY)
		return tl_rsp_any_thread(rsp, id.process, id_ret) ? TL_OK : TL_ERROR_NO_PROCESS;
	*id_ret = id;
	return tl_rsp_is_there(rsp, id) ? TL_OK : TL_ERROR_NO_THREAD;
}

static enum tl_status handle_general(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				     struct tl_writer *reply)
{
	struct tl_thread_id id;

	(void)context, (void)reply;
	TL_TRY(choose(rsp, arguments, &id));
	/* Any one: the thread that is chosen already will do. */
	if (id.thread == 0 && rsp->general.thread != 0 && tl_rsp_is_there(rsp, rsp->general))
		return TL_OK;
	rsp->general = id;
	return TL_OK;
}

static enum tl_status handle_resumed(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				     struct tl_writer *reply)
{
	struct tl_thread_id id;

	(void)context, (void)reply;
	TL_TRY(choose(rsp, arguments, &id));
	rsp->resumed = id;
	return TL_OK;
}

static enum tl_status handle_alive(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				   struct tl_writer *reply)
{
	struct tl_thread_id id = tl_rsp_read_thread_id(rsp, arguments);

	(void)context, (void)reply;
	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	return tl_rsp_is_there(rsp, id) ? TL_OK : TL_ERROR_NO_THREAD;
}

static enum tl_status handle_current(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				     struct tl_writer *reply)
{
	struct tl_thread_id id;

	(void)context, (void)arguments;
	if (!tl_rsp_general(rsp, &id) && !tl_rsp_any_thread(rsp, TL_ANY, &id))
		return TL_ERROR_NO_THREAD;
	tl_write_text(reply, "QC");
	tl_rsp_write_thread_id(rsp, reply, id);
	return TL_OK;
}

static enum tl_status handle_attached(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	tl_u64 process;
	bool attached = true;

	(void)context;
	if (tl_cursor_accept(arguments, ':')) {
		process = tl_cursor_hex(arguments);
		if (arguments->failed)
			return TL_ERROR_PACKET;
		if (!tl_rsp_process_exists(rsp, process))
			return TL_ERROR_NO_PROCESS;
	} else if (!tl_rsp_process(rsp, &process)) {
		return TL_ERROR_NO_PROCESS;
	}
	if (rsp->host.attached != NULL)
		attached = rsp->host.attached(rsp->host.context, process);
	tl_write_byte(reply, attached ? '1' : '0');
	return TL_OK;
}

/* ---- Lists ---- */

static tl_size digits_of(tl_u64 number)
{
	tl_size digits = 1;

	while ((number >>= 4) != 0)
		digits++;
	return digits;
}

/* Room for one more id: "p" process "." thread and a comma. */
static bool has_room(const struct tl_writer *reply, struct tl_thread_id id)
{
	return tl_writer_room(reply) >= digits_of(id.process) + digits_of(id.thread) + 3;
}

static void list_thread(struct tl_rsp *rsp, struct tl_writer *reply, struct tl_thread_id id)
{
	tl_write_byte(reply, tl_writer_size(reply) == 0 ? 'm' : ',');
	tl_rsp_write_thread_id(rsp, reply, id);
}

static enum tl_status list_threads(struct tl_rsp *rsp, struct tl_writer *reply)
{
	struct tl_thread_info info = {0};
	struct tl_thread_id id;
	bool full = false;

	while (!full && tl_engine_younger_thread(rsp->engine, rsp->listed, &info)) {
		full = !has_room(reply, info.id);
		if (full)
			break;
		list_thread(rsp, reply, info.id);
		rsp->listed = info.born;
	}
	while (!full && tl_engine_next_bystander(rsp->engine, rsp->listed_bystander, &id) && has_room(reply, id)) {
		list_thread(rsp, reply, id);
		rsp->listed_bystander = id;
	}
	if (tl_writer_size(reply) == 0)
		tl_write_byte(reply, 'l');
	return TL_OK;
}

static enum tl_status handle_first_threads(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					   struct tl_writer *reply)
{
	(void)context, (void)arguments;
	rsp->listed = 0;
	rsp->listed_bystander = (struct tl_thread_id){0, 0};
	return list_threads(rsp, reply);
}

static enum tl_status handle_more_threads(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					  struct tl_writer *reply)
{
	(void)context, (void)arguments;
	return list_threads(rsp, reply);
}

/* A short object as text; how many bytes, 0 when there is none. */
static tl_size thread_text(struct tl_rsp *rsp, struct tl_thread_id id, enum tl_object object, tl_u8 *buffer,
			   tl_size size)
{
	struct tl_target *target = tl_engine_target(rsp->engine);
	tl_size done = 0;

	if (target->ops->read_object == NULL ||
	    target->ops->read_object(target, id, object, 0, buffer, size, &done) != TL_OK)
		return 0;
	return done <= size ? done : size;
}

tl_size tl_rsp_thread_name(struct tl_rsp *rsp, struct tl_thread_id id, tl_u8 *buffer, tl_size size)
{
	return thread_text(rsp, id, TL_OBJECT_THREAD_NAME, buffer, size);
}

static enum tl_status handle_thread_text(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					 struct tl_writer *reply)
{
	struct tl_thread_info info = {.stopped = true};
	struct tl_thread_id id;
	tl_u8 name[NAME_MAX_BYTES];
	tl_size size;

	(void)context;
	tl_cursor_expect(arguments, ',');
	id = tl_rsp_read_thread_id(rsp, arguments);
	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	if (!tl_engine_find_thread(rsp->engine, id, &info) && !tl_engine_is_bystander(rsp->engine, id))
		return TL_ERROR_NO_THREAD;
	size = tl_rsp_thread_name(rsp, id, name, sizeof(name));
	if (size != 0) {
		tl_write_hex_text(reply, "Name: ");
		tl_write_hex_bytes(reply, name, size);
		tl_write_hex_text(reply, ", ");
	}
	tl_write_hex_text(reply, info.stopped ? "stopped" : "running");
	return TL_OK;
}

static void describe_thread(struct tl_rsp *rsp, struct tl_writer *writer, struct tl_thread_id id)
{
	tl_u8 name[NAME_MAX_BYTES], core[CORE_MAX_BYTES];
	tl_size size = tl_rsp_thread_name(rsp, id, name, sizeof(name));
	/*
	 * Not in stop replies, where the manual has it too: clients show it in lists alone, and asking Linux for it
	 * takes longer than the registers.
	 */
	tl_size core_size = thread_text(rsp, id, TL_OBJECT_THREAD_CORE, core, sizeof(core));

	tl_write_text(writer, "<thread id=\"");
	tl_rsp_write_thread_id(rsp, writer, id);
	if (core_size != 0) {
		tl_write_text(writer, "\" core=\"");
		tl_rsp_write_untrusted_xml(writer, core, core_size);
	}
	if (size != 0) {
		tl_write_text(writer, "\" name=\"");
		tl_rsp_write_untrusted_xml(writer, name, size);
	}
	tl_write_text(writer, "\"/>\n");
}

static enum tl_status describe_threads(struct tl_rsp *rsp, struct tl_writer *writer)
{
	struct tl_thread_info info = {0};
	struct tl_thread_id id = {0, 0};

	tl_write_text(writer, "<?xml version=\"1.0\"?>\n<threads>\n");
	while (!writer->failed && tl_engine_next_thread(rsp->engine, info.id, &info))
		describe_thread(rsp, writer, info.id);
	while (!writer->failed && tl_engine_next_bystander(rsp->engine, id, &id))
		describe_thread(rsp, writer, id);
	tl_write_text(writer, "</threads>\n");
	return TL_OK;
}

static enum tl_status handle_thread_list(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					 struct tl_writer *reply)
{
	(void)context;
	/* ":" of the separator and ":" behind the empty annex */
	tl_cursor_expect(arguments, ':');
	tl_cursor_expect(arguments, ':');
	if (arguments->failed)
		return TL_ERROR_PACKET;
	return tl_rsp_answer_object(rsp, TL_RSP_OBJECT_THREADS, arguments, describe_threads, reply);
}

const struct tl_rsp_row tl_rsp_thread_rows[] = {
	{"Hg", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_general},
	{"Hc", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_resumed},
	{"T", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_alive},
	{"qC", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_current},
	{"qAttached", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_attached},
	{"qfThreadInfo", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_first_threads},
	{"qsThreadInfo", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_more_threads},
	{"qThreadExtraInfo", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_thread_text},
	{"qXfer:threads:read", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_thread_list},
	{0},
};
