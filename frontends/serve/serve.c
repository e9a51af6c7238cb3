/* The server from beginning to end: who comes and goes is in door.c, client.c and settle.c. */
#include "frontends/serve/serve.h"

#include "base/storage.h"
#include "frontends/serve/server.h"
#include "frontends/serve/symbols.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void tl_server_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	fflush(stderr);
}

static void signal_came(void *context, struct tl_source *source, int signal)
{
	struct tl_server *server = context;

	(void)source;
	server->signal = signal;
	tl_server_settle(server, TL_SETTLE_EXIT);
}

/* What is left to do when a turn's events have all been handed out. */
static void after_turn(struct tl_server *server)
{
	struct tl_session *session = &server->session;

	if (session->rsp != NULL && !session->lost) {
		tl_launch_poll(server);
		tl_rsp_poll(session->rsp);
	}
	if (session->connection != NULL && server->exit_requested && tl_connection_flushed(session->connection)) {
		tl_server_end_session(server);
		tl_server_settle(server, TL_SETTLE_EXIT);
	}
	if (session->connection != NULL && session->done && tl_connection_flushed(session->connection)) {
		tl_server_end_session(server);
		tl_server_linger(server);
	}
	if (session->lost) {
		tl_server_note_who_runs_on(server);
		tl_server_end_session(server);
		tl_server_settle(server, TL_SETTLE_LOST);
	}
	tl_server_settled(server);
	tl_server_end_alone(server);
}

/* ---- From beginning to end ---- */

static enum tl_status take_signals(struct tl_server *server, struct tl_error *error)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	signal(SIGPIPE, SIG_IGN);
	for (tl_size i = 0; i < TL_COUNT(signals); i++)
		TL_TRY(tl_loop_add_signal(server->loop, signals[i], signal_came, server, &server->signals[i], error));
	return TL_OK;
}

/* Turns the loop until every thread of what was attached to stands still. */
static enum tl_status await_quiet(struct tl_server *server, struct tl_error *error)
{
	while (!tl_engine_quiet(server->engine) && !server->over) {
		TL_TRY(tl_loop_turn(server->loop, -1, error));
		tl_server_settled(server);
	}
	return TL_OK;
}

/* What the target has from the beginning counts as attached to, unless it says otherwise: it is not ours to end. */
static enum tl_status adopt(struct tl_server *server, struct tl_error *error)
{
	static const char *const machine[] = {"machine", NULL};
	tl_u64 process;
	bool attached;

	TL_TRY(server->options->populate(server->target, error));
	attached = server->options->started == NULL || !server->options->started(server->target);
	for (process = tl_engine_next_process(server->engine, 0); process != 0;
	     process = tl_engine_next_process(server->engine, process))
		tl_server_note_process(server, process, attached);
	TL_TRY(await_quiet(server, error));
	/* The first client finds them standing still, and asks why. */
	tl_server_drop_reports(server);
	/* It is its own program, and begins anew. */
	if ((server->target->ops->capabilities & TL_CAN_STAY) != 0 &&
	    tl_server_remember_program(server, machine) != TL_OK)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the server");
	if (server->options->running && server->listener.descriptor < 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "--running is for where clients come later: serve at a port or a socket");
	while (server->options->running && (process = tl_engine_next_process(server->engine, 0)) != 0) {
		if (tl_engine_unattend(server->engine, process, 0, 0) != TL_OK)
			return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "it cannot run before a client comes");
		server->alone = true;
	}
	return TL_OK;
}

static enum tl_status begin_program(struct tl_server *server, struct tl_error *error)
{
	const struct tl_serve_options *options = server->options;
	struct tl_launch_settings settings;
	enum tl_status status;
	tl_u64 process;

	if (options->populate != NULL)
		return adopt(server, error);
	if (options->attach != 0) {
		TL_TRY(tl_server_attach(server, options->attach, error));
		TL_TRY(await_quiet(server, error));
		/* The first client finds it standing still, and asks why. */
		tl_server_drop_reports(server);
		if (tl_engine_next_process(server->engine, 0) == 0 && !server->over)
			return TL_FAIL(error, TL_ERROR_GONE, "Process %ld ended as it was attached to",
				       (long)options->attach);
		return TL_OK;
	}
	if (options->program == NULL)
		return options->multi ? TL_OK : TL_FAIL(error, TL_ERROR_ARGUMENT, "No program to debug");
	if (tl_launch_settings_init(&settings, options) != TL_OK)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory to start %s", options->program[0]);
	status = tl_server_launch(server, options->program, &settings, &process, error);
	tl_launch_settings_deinit(&settings);
	return status;
}

static enum tl_status serve(struct tl_server *server, struct tl_error *error)
{
	TL_TRY(take_signals(server, error));
	TL_TRY(tl_server_open_door(server, error));
	if (server->address.kind == TL_ADDRESS_STANDARD)
		TL_TRY(tl_standard_open(&server->standard_in, &server->standard_out, error));
	TL_TRY(begin_program(server, error));
	if (!server->over)
		TL_TRY(tl_server_await_client(server, error));
	while (!server->over) {
		TL_TRY(tl_loop_turn(server->loop, -1, error));
		after_turn(server);
	}
	return TL_OK;
}

static void tear_down(struct tl_server *server)
{
	tl_server_end_session(server);
	tl_server_stop_listening(server);
	if (server->newcomer >= 0)
		close(server->newcomer);
	tl_source_remove(server->settle_timer);
	tl_source_remove(server->lingering);
	if (server->linger_descriptor >= 0)
		close(server->linger_descriptor);
	if (server->standard_in >= 0)
		close(server->standard_in);
	if (server->standard_out >= 0 && server->standard_out != server->standard_in)
		close(server->standard_out);
	for (tl_size i = 0; i < TL_COUNT(server->signals); i++)
		tl_source_remove(server->signals[i]);
	tl_symbols_forget_all(server);
	tl_server_forget_program(server);
	free(server->threads_db_path);
	tl_buffer_free(&server->features);
	tl_release(tl_storage(), server->processes, server->process_capacity * sizeof(*server->processes));
	if (server->engine != NULL) {
		tl_engine_deinit(server->engine);
		free(server->engine);
	}
}

int tl_serve(struct tl_loop *loop, struct tl_target *target, const struct tl_serve_options *options)
{
	struct tl_server server = {
		.options = options,
		.loop = loop,
		.target = target,
		.listener = {.descriptor = -1},
		.newcomer = -1,
		.linger_descriptor = -1,
		.standard_in = -1,
		.standard_out = -1,
	};
	struct tl_engine_host host = {
		.allocator = *tl_storage(),
		.output = tl_server_engine_output,
		.note = tl_server_engine_note,
		.context = &server,
	};
	struct tl_lldb_host lldb;
	struct tl_error error;

	server.engine = aligned_alloc(16, (tl_engine_size() + 15) / 16 * 16);
	if (server.engine == NULL) {
		tl_server_say("no memory for the server");
		return 1;
	}
	tl_engine_init(server.engine, target, &host);
	lldb = tl_launch_lldb_host(&server);
	tl_lldb_init(&server.lldb, server.engine, &lldb);
	tl_buffer_add(&server.features, tl_serve_features);
	tl_buffer_add(&server.features, tl_lldb_features);
	if (serve(&server, &error) != TL_OK) {
		tl_server_say("%s\nExiting", error.text);
		tl_server_end_processes(&server);
		server.exit_status = 1;
	}
	tear_down(&server);
	if (options->signal_ret != NULL)
		*options->signal_ret = server.signal;
	else
		tl_serve_end(server.signal);
	return server.exit_status;
}

void tl_serve_end(int number)
{
	if (number == 0)
		return;
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}
