/* What becomes of the processes as clients go: everything stands still first. */
#include "frontends/serve/server.h"

#include <sys/syscall.h>
#include <unistd.h>

/* How long threads may take to stand still before we go on without them: one that the kernel does not let go of. */
#define SETTLE_MILLISECONDS 5000

static void end_serving(struct tl_server *server, int status)
{
	server->over = true;
	server->exit_status = status;
}

static void settle_late(void *context, struct tl_source *source)
{
	struct tl_server *server = context;

	(void)source;
	server->settle_late = true;
}

/* Has every thread stand still, and then goes on in tl_server_settled(). */
void tl_server_settle(struct tl_server *server, enum tl_settle why)
{
	tl_u64 process;

	if (server->settle == TL_SETTLE_NONE) {
		server->settle_late = false;
		if (tl_loop_add_timer(server->loop, "settle", SETTLE_MILLISECONDS, settle_late, server,
				      &server->settle_timer, NULL) != TL_OK)
			server->settle_late = true;
	}
	if (server->settle != TL_SETTLE_EXIT)
		server->settle = why;
	/* What was left to itself is so no more when a client comes, or when we go. */
	while (why != TL_SETTLE_LOST && (process = tl_engine_next_unattended(server->engine, 0)) != 0)
		(void)tl_engine_attend(server->engine, process);
	tl_engine_pause(server->engine);
}

/* A client is lost: which processes shall go on without one? Told before everything is stopped. */
void tl_server_note_who_runs_on(struct tl_server *server)
{
	for (tl_size i = 0; i < server->process_count; i++) {
		struct tl_served_process *served = &server->processes[i];
		bool moves = !tl_engine_process_quiet(server->engine, served->process);

		served->runs_on =
			server->lost == TL_LOST_CONTINUE ||
			(server->lost == TL_LOST_STOP && moves && tl_engine_persists(server->engine, served->process));
	}
}

static void let_run_on(struct tl_server *server)
{
	for (tl_size i = 0; i < server->process_count && !tl_server_was_last_client(server); i++)
		if (server->processes[i].runs_on &&
		    tl_engine_unattend(server->engine, server->processes[i].process, 0, 0) == TL_OK)
			server->alone = true;
}

/* Nobody is connected: with the last process that was left to itself ends what there is to serve. */
void tl_server_end_alone(struct tl_server *server)
{
	if (!server->alone || server->session.connection != NULL || server->settle != TL_SETTLE_NONE ||
	    !tl_server_nothing_left(server))
		return;
	server->alone = false;
	if (tl_server_was_last_client(server) || (!server->options->multi && !server->was_extended))
		end_serving(server, 0);
}

/* Nothing of what waited to be told is of interest to the next client. */
void tl_server_drop_reports(struct tl_server *server)
{
	struct tl_report report;

	while (tl_engine_take_report(server->engine, &report))
		continue;
}

/* The end, unless a process has been left to itself, which we then see to its own. */
static void end_with_client(struct tl_server *server)
{
	tl_server_end_processes(server);
	if (!tl_server_someone_unattended(server))
		end_serving(server, 0);
}

/* For the next client. */
static void reopen(struct tl_server *server)
{
	struct tl_error error;

	tl_server_say("Remote side has terminated connection.  GDBserver will reopen the connection.");
	if (tl_server_await_client(server, &error) != TL_OK) {
		tl_server_say("%s", error.text);
		server->exit_status = 1;
		tl_server_settle(server, TL_SETTLE_EXIT);
		return;
	}
	/* One that came meanwhile; it does not leave the program running for long. */
	if (server->newcomer >= 0 && tl_server_someone_unattended(server))
		tl_server_settle(server, TL_SETTLE_NEWCOMER);
	else if (server->newcomer >= 0)
		tl_server_welcome_newcomer(server);
}

/* The policy for a lost client, when every thread stands still. */
static void settle_lost(struct tl_server *server)
{
	let_run_on(server);
	tl_server_drop_reports(server);
	tl_engine_reset_client(server->engine);
	switch (server->lost) {
	case TL_LOST_STOP:
	case TL_LOST_CONTINUE:
		break;
	case TL_LOST_KILL:
		tl_server_end_alike(server, true);
		break;
	case TL_LOST_DETACH:
		tl_server_end_alike(server, false);
		break;
	}
	if (server->exit_requested)
		tl_server_settle(server, TL_SETTLE_EXIT);
	else if (tl_server_was_last_client(server) ||
		 (tl_server_nothing_left(server) && !server->options->multi && !server->was_extended))
		end_with_client(server);
	else
		reopen(server);
}

static void settle_once(struct tl_server *server)
{
	enum tl_settle why = server->settle;

	if (server->settle_late)
		tl_server_say("Some thread did not stop within %d seconds; going on without it.",
			      SETTLE_MILLISECONDS / 1000);
	tl_source_remove(server->settle_timer);
	server->settle_timer = NULL;
	server->settle = TL_SETTLE_NONE;
	if (why == TL_SETTLE_LOST) {
		settle_lost(server);
		return;
	}
	if (why == TL_SETTLE_NEWCOMER) {
		server->alone = false;
		tl_server_drop_reports(server);
		tl_server_welcome_newcomer(server);
		return;
	}
	tl_server_end_processes(server);
	end_serving(server, server->signal != 0 ? 128 + server->signal : server->exit_status);
}

void tl_server_settled(struct tl_server *server)
{
	/* One thing may lead to another, and nothing will wake us for it if all stand still already. */
	while (!server->over && server->settle != TL_SETTLE_NONE &&
	       (tl_engine_quiet(server->engine) || server->settle_late))
		settle_once(server);
}

static void freed_ended(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	(void)source;
	(void)descriptor;
	(void)ready;
	end_serving(context, 0);
}

/*
 * The last client has said goodbye, and there is nothing more to serve. gdbserver then stays until a program that it
 * started ends, so that a shell that waits for the server waits for the program.
 */
void tl_server_linger(struct tl_server *server)
{
	/* A machine at the end of a client's own pipe is nobody else's. */
	if ((server->target->ops->capabilities & TL_CAN_STAY) != 0 && server->address.kind == TL_ADDRESS_STANDARD) {
		tl_server_settle(server, TL_SETTLE_EXIT);
		return;
	}
	if (tl_server_someone_unattended(server)) {
		tl_engine_reset_client(server->engine);
		if (!tl_server_was_last_client(server))
			reopen(server);
		return;
	}
	tl_server_stop_listening(server);
	if (tl_engine_next_process(server->engine, 0) != 0) {
		tl_server_settle(server, TL_SETTLE_EXIT);
		return;
	}
	if (server->freed != 0 && server->options->as_gdbserver) {
		server->linger_descriptor = (int)syscall(SYS_pidfd_open, (pid_t)server->freed, 0);
		if (server->linger_descriptor >= 0 &&
		    tl_loop_add_descriptor(server->loop, "freed program", server->linger_descriptor, TL_READABLE,
					   freed_ended, server, &server->lingering, NULL) == TL_OK)
			return;
	}
	end_serving(server, 0);
}
