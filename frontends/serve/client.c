/* One client: what the protocol asks of the server, and its session from beginning to end. */
#include "frontends/serve/server.h"

#include "base/storage.h"
#include "base/trace.h"
#include "frontends/serve/notes.h"
#include "frontends/serve/osdata.h"
#include "frontends/serve/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Announced as PacketSize: enough that memory moves in big pieces. */
#define PACKET_SIZE (256u << 10)

static void session_send(void *context, const void *bytes, tl_size size)
{
	struct tl_server *server = context;

	if (server->session.connection != NULL)
		tl_connection_send(server->session.connection, bytes, size);
}

/* What gdbserver says as a client ends a process: scripts look for it. */
static void say_ending(struct tl_server *server, const tl_u8 *payload, tl_size size)
{
	struct tl_cursor packet = tl_cursor_make(payload, size);
	struct tl_thread_id general;
	tl_u64 process = 0;

	if (size == 1 && payload[0] == 'k') {
		if (tl_engine_next_process(server->engine, 0) != 0)
			tl_server_say("Killing all inferiors");
		return;
	}
	if (!tl_cursor_accept(&packet, 'D') || (!tl_cursor_done(&packet) && tl_cursor_peek(&packet) != ';'))
		return;
	if (tl_cursor_accept(&packet, ';'))
		process = tl_cursor_hex(&packet);
	else if (tl_rsp_general(server->session.rsp, &general))
		process = general.process;
	if (process == 0 || !tl_server_serves(server, process))
		return;
	if ((server->target->ops->capabilities & TL_CAN_STAY) != 0) {
		tl_server_say("Detaching from process %ld, which runs on", (long)process);
		server->alone = true;
		return;
	}
	if (tl_engine_persists(server->engine, process)) {
		tl_server_say("Persistent commands are present, leaving %s attached to the process",
			      server->options->as_gdbserver ? "gdbserver" : "trapline");
		server->alone = true;
		return;
	}
	tl_server_say("Detaching from process %ld", (long)process);
	server->freed = tl_server_attached(server, process) ? 0 : process;
}

static void session_observe(void *context, bool from_client, const void *payload, tl_size size)
{
	struct tl_server *server = context;

	tl_notes_packet(from_client, payload, size);
	if (from_client)
		say_ending(server, payload, size);
}

static void session_done(void *context)
{
	struct tl_server *server = context;

	/* In extended mode, or as --multi, the server outlives its processes. */
	if (server->options->multi || tl_rsp_client_has(server->session.rsp, TL_RSP_CLIENT_EXTENDED))
		return;
	server->session.done = true;
}

static void session_extend_stop(void *context, const struct tl_report *report, struct tl_writer *reply)
{
	struct tl_server *server = context;

	tl_lldb_extend_stop(&server->lldb, report, reply);
}

void tl_server_set_survival(struct tl_server *server, bool survive)
{
	if (!survive)
		server->lost = TL_LOST_KILL;
	else
		server->lost = server->options->lost != TL_LOST_KILL ? server->options->lost : TL_LOST_DETACH;
}

static bool session_attached(void *context, tl_u64 process)
{
	return tl_server_attached(context, process);
}

static void session_received(void *context, const void *bytes, tl_size size)
{
	struct tl_server *server = context;

	if (server->session.rsp != NULL && !server->session.lost)
		tl_rsp_receive(server->session.rsp, bytes, size);
}

/* Text of breakpoint commands goes to the client where it can be shown there, else to whoever started the server. */
void tl_server_engine_output(void *context, const char *text, tl_size size)
{
	struct tl_server *server = context;

	if (server->session.rsp != NULL && !server->session.lost && tl_rsp_console(server->session.rsp, text, size))
		return;
	fwrite(text, 1, size, stdout);
	fflush(stdout);
}

/* gdbserver's words for the end of a process. */
static void say_end(const struct tl_event *event)
{
	if (event->kind == TL_EVENT_PROCESS_EXITED)
		tl_server_say("\nChild exited with status %d", event->code);
	else
		tl_server_say("\nChild terminated with signal = 0x%x (SIG%s)", (unsigned)event->signal,
			      sigabbrev_np(event->signal) != NULL ? sigabbrev_np(event->signal) : "?");
}

void tl_server_engine_note(void *context, const struct tl_note *note)
{
	struct tl_server *server = context;
	const struct tl_event *event = note->event;

	tl_notes_engine(note);
	if (event == NULL)
		return;
	if (note->kind == TL_NOTE_EVENT && (event->kind == TL_EVENT_FORK || event->kind == TL_EVENT_VFORK))
		tl_server_note_process(server, event->child.process, tl_server_attached(server, event->thread.process));
	if (note->kind == TL_NOTE_EVENT && event->kind == TL_EVENT_EXEC)
		tl_symbols_mark_stale(server, event->thread.process);
	if (note->kind == TL_NOTE_REPORT &&
	    (event->kind == TL_EVENT_PROCESS_EXITED || event->kind == TL_EVENT_PROCESS_KILLED)) {
		say_end(event);
		tl_symbols_mark_stale(server, event->thread.process);
		tl_server_forget_process(server, event->thread.process);
	}
}

static void session_lost(void *context, const char *reason)
{
	struct tl_server *server = context;

	TL_TRACE(PACKETS, "lost: %s", reason);
	server->session.lost = true;
}

static const struct tl_rsp_table *session_tables(struct tl_server *server, tl_size *count_ret)
{
	server->session.tables[0] = (struct tl_rsp_table){tl_launch_rows, server};
	server->session.tables[1] = (struct tl_rsp_table){tl_objects_rows, &server->session.documents};
	server->session.tables[2] = (struct tl_rsp_table){tl_symbols_rows, server};
	server->session.tables[3] = (struct tl_rsp_table){tl_files_rows, server->session.files};
	tl_disabled_rows(server->options->disabled, server->session.disabled);
	server->session.tables[4] = (struct tl_rsp_table){server->session.disabled, server};
	tl_lldb_tables(&server->lldb, server->session.tables + 5);
	*count_ret = 5 + TL_LLDB_TABLES;
	if (server->options->rows.rows != NULL)
		server->session.tables[(*count_ret)++] = server->options->rows;
	return server->session.tables;
}

void tl_server_end_session(struct tl_server *server)
{
	struct tl_session *session = &server->session;

	if (session->rsp != NULL) {
		if (tl_rsp_client_has(session->rsp, TL_RSP_CLIENT_EXTENDED))
			server->was_extended = true;
		tl_lldb_end(&server->lldb);
		tl_rsp_deinit(session->rsp);
		free(session->rsp);
	}
	tl_connection_destroy(session->connection);
	tl_files_destroy(session->files);
	tl_launch_settings_deinit(&session->launch);
	tl_buffer_free(&session->documents.document);
	*session = (struct tl_session){0};
}

/* Whether the target's processes are this system's own, rather than a record of some, or another machine's. */
static bool on_host(const struct tl_server *server)
{
	return (tl_target_capabilities(server->target) & (TL_CAN_LAUNCH | TL_CAN_ATTACH)) != 0;
}

/* A client has come; `in` and `out` are the session's from here on, also when it fails. */
enum tl_status tl_server_begin_session(struct tl_server *server, int in, int out, struct tl_error *error)
{
	struct tl_session *session = &server->session;
	struct tl_connection_calls calls = {session_received, session_lost, server};
	struct tl_rsp_host host = {
		.allocator = *tl_storage(),
		.send = session_send,
		.observe = session_observe,
		.done = session_done,
		.attached = session_attached,
		.context = server,
		.packet_size = PACKET_SIZE,
		.features = tl_buffer_text(&server->features),
		.extend_stop = session_extend_stop,
		.stops_without_thread = (server->options->disabled & TL_DISABLE_T_THREAD) != 0,
		.stops_as_signals = (server->options->disabled & TL_DISABLE_T) != 0,
		.commands = tl_serve_commands,
	};
	enum tl_status status;

	*session = (struct tl_session){.documents = {.engine = server->engine, .osdata = tl_osdata_write}};
	server->lost = server->options->lost;
	status = tl_connection_create(server->loop, in, out, true, &calls, &session->connection, error);
	if (status != TL_OK) {
		close(in);
		if (out != in)
			close(out);
		return status;
	}
	session->files = tl_files_create(&tl_file_calls_system);
	if (session->files != NULL && !on_host(server))
		tl_files_set_elsewhere(session->files, server->engine);
	session->rsp = aligned_alloc(16, (tl_rsp_size() + 15) / 16 * 16);
	status = session->files != NULL && session->rsp != NULL ? TL_OK : TL_ERROR_NO_MEMORY;
	if (status == TL_OK)
		status = tl_launch_settings_init(&session->launch, server->options);
	if (status == TL_OK) {
		host.tables = session_tables(server, &host.table_count);
		status = tl_rsp_init(session->rsp, server->engine, &host);
	}
	if (status != TL_OK) {
		free(session->rsp);
		session->rsp = NULL;
		tl_server_end_session(server);
		return TL_FAIL(error, status, "cannot serve the client: %s", tl_status_text(status));
	}
	tl_lldb_begin(&server->lldb, session->rsp);
	return TL_OK;
}
