/* Where clients come from: listening, welcoming one, turning others away. */
#include "frontends/serve/server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that cannot be served hears why, as the answer to whatever it asks first, and is let go. */
static void turn_away(int descriptor)
{
	static const char text[] = "E.Another client is connected to this server; it serves one at a time.";
	char frame[sizeof(text) + 8];
	unsigned char sum = 0;

	for (const char *at = text; *at != '\0'; at++)
		sum += (unsigned char)*at;
	snprintf(frame, sizeof(frame), "$%s#%02x", text, sum);
	(void)send(descriptor, frame, strlen(frame), MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(descriptor, SHUT_WR);
	close(descriptor);
}

/* As gdbserver says it: the host without the port, and the port. */
static void say_peer(const char *name)
{
	const char *colon = strrchr(name, ':');
	size_t size = colon != NULL ? (size_t)(colon - name) : 0;

	if (colon == NULL) {
		tl_server_say("Remote debugging from %s", name);
		return;
	}
	if (size >= 2 && name[0] == '[' && name[size - 1] == ']')
		tl_server_say("Remote debugging from host %.*s, port %s", (int)size - 2, name + 1, colon + 1);
	else
		tl_server_say("Remote debugging from host %.*s, port %s", (int)size, name, colon + 1);
}

void tl_server_stop_listening(struct tl_server *server)
{
	tl_source_remove(server->listening);
	server->listening = NULL;
	tl_listener_close(&server->listener);
}

static void welcome(struct tl_server *server, int descriptor, const char *name)
{
	struct tl_error error;

	if (server->options->once)
		tl_server_stop_listening(server);
	say_peer(name);
	if (tl_server_begin_session(server, descriptor, descriptor, &error) != TL_OK)
		tl_server_say("%s", error.text);
}

void tl_server_welcome_newcomer(struct tl_server *server)
{
	int descriptor = server->newcomer;

	server->newcomer = -1;
	welcome(server, descriptor, server->newcomer_name);
}

/* Whether the client that has gone was the last that there can be. */
bool tl_server_was_last_client(const struct tl_server *server)
{
	return server->options->once || server->address.kind == TL_ADDRESS_STANDARD;
}

static void newcomer_ready(void *context, struct tl_source *source, int listener, unsigned ready)
{
	struct tl_server *server = context;
	struct tl_session *session = &server->session;
	char name[sizeof(server->newcomer_name)];
	struct tl_error error;
	enum tl_status status;
	int descriptor;

	(void)source;
	(void)listener;
	(void)ready;
	status = tl_listener_accept(&server->listener, &descriptor, name, sizeof(name), &error);
	if (status != TL_OK) {
		if (status != TL_ERROR_TIMEOUT)
			tl_server_say("%s", error.text);
		return;
	}
	if (session->connection == NULL && server->settle == TL_SETTLE_NONE && !tl_server_someone_unattended(server)) {
		welcome(server, descriptor, name);
		return;
	}
	/* Whoever hangs up and calls again may be heard calling before he is heard hanging up. */
	if (server->newcomer < 0 && (session->connection == NULL || tl_connection_ended(session->connection))) {
		server->newcomer = descriptor;
		snprintf(server->newcomer_name, sizeof(server->newcomer_name), "%s", name);
		/* A client expects to find the program standing still. */
		if (session->connection == NULL && server->settle == TL_SETTLE_NONE)
			tl_server_settle(server, TL_SETTLE_NEWCOMER);
		return;
	}
	turn_away(descriptor);
}

static void say_listening(const struct tl_server *server)
{
	const char *colon = strrchr(server->listener.text, ':');

	if (server->address.kind == TL_ADDRESS_TCP && colon != NULL) {
		if (server->options->as_gdbserver)
			tl_server_say("Listening on port %s", colon + 1);
		else
			tl_server_say("Listening on port %s (%s)", colon + 1, server->listener.text);
	} else {
		tl_server_say("Listening on %s", server->listener.text);
	}
}

/* gdbserver takes ::1:2345 for port 2345 of ::1. */
static bool bare_six(const char *address)
{
	const char *colon = strrchr(address, ':');
	char host[INET6_ADDRSTRLEN];
	struct in6_addr six;

	if (colon == NULL || (size_t)(colon - address) >= sizeof(host))
		return false;
	memcpy(host, address, (size_t)(colon - address));
	host[colon - address] = '\0';
	return inet_pton(AF_INET6, host, &six) == 1;
}

enum tl_status tl_server_open_door(struct tl_server *server, struct tl_error *error)
{
	char text[512];
	struct tl_error why;
	enum tl_status status;

	server->listener.descriptor = -1;
	if (server->options->as_gdbserver && bare_six(server->options->address))
		(void)snprintf(text, sizeof(text), "tcp6:%s", server->options->address);
	else
		(void)snprintf(text, sizeof(text), "%s", server->options->address);
	status = tl_address_parse(text, &server->address, error);
	if (status == TL_OK && (server->address.kind == TL_ADDRESS_TCP || server->address.kind == TL_ADDRESS_UNIX))
		status = tl_listener_open(&server->address, &server->listener, error);
	if (status == TL_OK || !server->options->as_gdbserver)
		return status;
	/* GDB's test suite, for one, looks for gdbserver's words, and tries another port, or gives up. */
	why = *error;
	if (why.system != 0)
		return TL_FAIL(error, status, "Can't bind address: %s.", strerror(why.system));
	return TL_FAIL(error, status, "%s: cannot resolve name: %s", server->options->address, why.text);
}

/* Waits for the next client, or takes the one that there is on a pipe or a line. */
enum tl_status tl_server_await_client(struct tl_server *server, struct tl_error *error)
{
	int in, out;

	switch (server->address.kind) {
	case TL_ADDRESS_TCP:
	case TL_ADDRESS_UNIX:
		say_listening(server);
		if (server->listening != NULL)
			return TL_OK;
		return tl_loop_add_descriptor(server->loop, "listener", server->listener.descriptor, TL_READABLE,
					      newcomer_ready, server, &server->listening, error);
	case TL_ADDRESS_STANDARD:
		tl_server_say("Remote debugging using stdio");
		in = server->standard_in;
		out = server->standard_out;
		server->standard_in = server->standard_out = -1;
		return tl_server_begin_session(server, in, out, error);
	case TL_ADDRESS_DEVICE:
		TL_TRY(tl_device_open(server->address.name, 0, &in, error));
		tl_server_say("Remote debugging using %s", server->address.name);
		return tl_server_begin_session(server, in, in, error);
	default:
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "cannot serve at %s", server->options->address);
	}
}
