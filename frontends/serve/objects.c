/*
 * Objects of a process that a client reads and writes in parts: the qXfer packets but for features, threads and the
 * memory map, which are core's. GDB manual, "General Query Packets", qXfer.
 */
#include "frontends/serve/libraries.h"
#include "frontends/serve/osdata.h"
#include "frontends/serve/server.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest object that is read from a target: auxv, siginfo and names are all far below. */
#define OBJECT_MAX 65536

/* The largest document: `info os files` of a busy machine has some megabytes. */
#define DOCUMENT_MAX (256u << 20)

/* The offset in "OFFSET,LENGTH", without taking it. */
static tl_u64 peek_offset(struct tl_cursor arguments)
{
	return tl_cursor_hex(&arguments);
}

/*
 * A document that the client reads in parts is written when it asks for the first one, and kept. True when it must be
 * written now; `name` tells it from others.
 */
static bool begin_document(struct tl_session *session, const char *name, tl_u64 offset)
{
	if (offset != 0 && strcmp(session->document_name, name) == 0)
		return false;
	snprintf(session->document_name, sizeof(session->document_name), "%s", name);
	tl_buffer_clear(&session->document);
	return true;
}

static enum tl_status answer_document(struct tl_session *session, enum tl_status status, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	if (status == TL_OK && session->document.size > DOCUMENT_MAX)
		status = TL_ERROR_TOO_LONG;
	if (status != TL_OK) {
		session->document_name[0] = '\0';
		return status;
	}
	return tl_rsp_answer_part(arguments, session->document.bytes, session->document.size, reply);
}

/* Reads an object of the target whole and answers with the part of it that is asked for. */
static enum tl_status answer_object(struct tl_server *server, struct tl_thread_id thread, enum tl_object object,
				    struct tl_cursor *arguments, struct tl_writer *reply)
{
	struct tl_target *target = server->target;
	enum tl_status status = TL_OK;
	tl_size size = 0, done = 1;
	tl_u8 *bytes;

	if (target->ops->read_object == NULL)
		return TL_UNKNOWN_PACKET;
	bytes = malloc(OBJECT_MAX);
	if (bytes == NULL)
		return TL_ERROR_NO_MEMORY;
	while (status == TL_OK && done != 0 && size < OBJECT_MAX) {
		done = 0;
		status = target->ops->read_object(target, thread, object, size, bytes + size, OBJECT_MAX - size, &done);
		size += done;
	}
	if (status == TL_OK)
		status = tl_rsp_answer_part(arguments, bytes, size, reply);
	free(bytes);
	return status;
}

/* An annex that must be empty, with its colon. */
static bool empty_annex(struct tl_cursor *arguments)
{
	struct tl_cursor annex = tl_cursor_until(arguments, ':');

	return tl_cursor_done(&annex);
}

static enum tl_status read_of_general(struct tl_rsp *rsp, struct tl_server *server, enum tl_object object,
				      struct tl_cursor *arguments, struct tl_writer *reply)
{
	struct tl_thread_id thread;

	if (!empty_annex(arguments))
		return TL_ERROR_PACKET;
	if (!tl_rsp_general(rsp, &thread))
		return TL_ERROR_NO_THREAD;
	return answer_object(server, thread, object, arguments, reply);
}

static enum tl_status handle_auxv(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				  struct tl_writer *reply)
{
	return read_of_general(rsp, context, TL_OBJECT_AUXV, arguments, reply);
}

static enum tl_status handle_siginfo_read(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					  struct tl_writer *reply)
{
	return read_of_general(rsp, context, TL_OBJECT_SIGINFO, arguments, reply);
}

/* qXfer:siginfo:write::OFFSET:DATA */
static enum tl_status handle_siginfo_write(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					   struct tl_writer *reply)
{
	struct tl_target *target = ((struct tl_server *)context)->target;
	struct tl_thread_id thread;
	tl_size size, done = 0;
	tl_u64 offset;

	if (!empty_annex(arguments))
		return TL_ERROR_PACKET;
	offset = tl_cursor_hex(arguments);
	tl_cursor_expect(arguments, ':');
	if (arguments->failed)
		return TL_ERROR_PACKET;
	if (target->ops->write_object == NULL)
		return TL_UNKNOWN_PACKET;
	if (!tl_rsp_general(rsp, &thread))
		return TL_ERROR_NO_THREAD;
	size = tl_cursor_left(arguments);
	TL_TRY(target->ops->write_object(target, thread, TL_OBJECT_SIGINFO, offset, arguments->at, size, &done));
	tl_write_hex(reply, done);
	return TL_OK;
}

/* qXfer:exec-file:read:[PID]:OFFSET,LENGTH */
static enum tl_status handle_exec_file(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				       struct tl_writer *reply)
{
	struct tl_server *server = context;
	struct tl_cursor annex = tl_cursor_until(arguments, ':');
	struct tl_thread_id thread;

	if (!tl_cursor_done(&annex)) {
		thread.process = tl_cursor_hex(&annex);
		thread.thread = thread.process;
		if (annex.failed || !tl_cursor_done(&annex) || thread.process == 0)
			return TL_ERROR_PACKET;
	} else if (!tl_rsp_general(rsp, &thread)) {
		return TL_ERROR_NO_THREAD;
	}
	return answer_object(server, thread, TL_OBJECT_EXEC_FILE, arguments, reply);
}

/* qXfer:osdata:read:[TYPE]:OFFSET,LENGTH */
static enum tl_status handle_osdata(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	struct tl_session *session = &((struct tl_server *)context)->session;
	struct tl_cursor annex = tl_cursor_until(arguments, ':');
	char type[32], name[48];
	enum tl_status status = TL_OK;
	tl_size size = tl_cursor_left(&annex);

	(void)rsp;
	if (size >= sizeof(type))
		return TL_ERROR_ARGUMENT;
	memcpy(type, annex.at, size);
	type[size] = '\0';
	snprintf(name, sizeof(name), "osdata:%s", type);
	if (begin_document(session, name, peek_offset(*arguments)))
		status = tl_osdata_write(type, &session->document);
	return answer_document(session, status, arguments, reply);
}

/* qXfer:libraries-svr4:read:[start=…;prev=…;lmid=…]:OFFSET,LENGTH */
static enum tl_status handle_libraries(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				       struct tl_writer *reply)
{
	struct tl_server *server = context;
	struct tl_session *session = &server->session;
	struct tl_cursor annex = tl_cursor_until(arguments, ':');
	struct tl_libraries_part part;
	struct tl_thread_id thread;
	enum tl_status status = TL_OK;
	char name[128];

	if (!tl_libraries_read_annex(annex, &part))
		return TL_ERROR_PACKET;
	if (!tl_rsp_general(rsp, &thread))
		return TL_ERROR_NO_THREAD;
	if (server->target->ops->read_object == NULL)
		return TL_UNKNOWN_PACKET;
	snprintf(name, sizeof(name), "libraries:%llx:%llx:%llx:%llx", (unsigned long long)thread.process,
		 (unsigned long long)part.start, (unsigned long long)part.previous,
		 (unsigned long long)part.name_space);
	if (begin_document(session, name, peek_offset(*arguments)))
		status = tl_libraries_write(server->engine, thread, &part, &session->document);
	return answer_document(session, status, arguments, reply);
}

const struct tl_rsp_row tl_objects_rows[] = {
	{"qXfer:auxv:read:", TL_RSP_PREFIX, TL_RSP_PROCESS, false, handle_auxv},
	{"qXfer:siginfo:read:", TL_RSP_PREFIX, TL_RSP_THREAD, false, handle_siginfo_read},
	{"qXfer:siginfo:write:", TL_RSP_PREFIX, TL_RSP_THREAD, false, handle_siginfo_write},
	{"qXfer:exec-file:read:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_exec_file},
	{"qXfer:osdata:read:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_osdata},
	{"qXfer:libraries-svr4:read:", TL_RSP_PREFIX, TL_RSP_PROCESS, false, handle_libraries},
	{NULL, 0, 0, false, NULL},
};

const char tl_serve_features[] =
	";QStartupWithShell+;QDisableRandomization+;QEnvironmentHexEncoded+;QEnvironmentReset+;QEnvironmentUnset+"
	";QSetWorkingDir+;qXfer:auxv:read+;qXfer:siginfo:read+;qXfer:siginfo:write+;qXfer:exec-file:read+"
	";qXfer:osdata:read+;qXfer:libraries-svr4:read+;augmented-libraries-svr4-read+";
