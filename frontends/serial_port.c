#include "frontends/serial_port.h"

#include "base/address.h"
#include "base/storage.h"
#include "frontends/serve/buffer.h"
#include "frontends/serve/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE 1 /* ^A */
#define TYPED_MAX 4096

/* The machine's two ends are one end of a pair of sockets, or standard input and output themselves. */
struct tl_serial_port {
	struct tl_loop *loop;
	void (*remark)(void *context, const char *line);
	void *context;
	int ours, theirs, theirs_too; /* -1: there is no pair */
	struct tl_source *from_machine, *keys, *listening;
	struct tl_listener listener; /* its descriptor is -1 where nobody is listened for */
	struct tl_connection *peer;  /* NULL: nobody is connected */
	struct tl_buffer waiting;    /* of what came over the socket: the guest has no room for it yet */
	bool escaped;                /* the last key was ^A */
};

/* ---- The terminal ---- */

static struct termios terminal_before;
static bool terminal_changed;

static void restore_terminal(void)
{
	if (terminal_changed)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_before);
	terminal_changed = false;
}

/* Keys come as they are typed, none of them a signal; what is written still has its lines' ends. */
static void prepare_terminal(void)
{
	static bool registered;
	struct termios modes = terminal_before;

	modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN | ISIG);
	modes.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
	terminal_changed = tcsetattr(STDIN_FILENO, TCSADRAIN, &modes) == 0;
	/* However this ends. */
	if (terminal_changed && !registered)
		registered = atexit(restore_terminal) == 0;
}

tl_size tl_serial_keys(const tl_u8 *bytes, tl_size size, bool *escaped, tl_u8 *kept_ret,
		       void (*command)(void *context, tl_u8 key), void *context)
{
	tl_size kept = 0;

	for (tl_size i = 0; i < size; i++) {
		if (!*escaped && bytes[i] == ESCAPE) {
			*escaped = true;
			continue;
		}
		if (*escaped && bytes[i] != ESCAPE)
			command(context, bytes[i]);
		else
			kept_ret[kept++] = bytes[i];
		*escaped = false;
	}
	return kept;
}

static void obey(void *context, tl_u8 key)
{
	const struct tl_serial_port *port = context;

	if (key == 'x')
		(void)raise(SIGTERM); /* the end of a server, as from anybody */
	else
		port->remark(port->context,
			     "\r\n^A x ends the machine, ^A ^A sends ^A; all other keys are the guest's.\r");
}

/* What is typed and the guest has no room for is lost, as with any terminal: nobody types so much. */
static void pass_on(const struct tl_serial_port *port, const void *bytes, tl_size size)
{
	if (size != 0)
		(void)!send(port->ours, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void typed(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_serial_port *port = context;
	tl_u8 bytes[TYPED_MAX], kept[TYPED_MAX];
	ssize_t got = read(descriptor, bytes, sizeof(bytes));

	(void)ready;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		tl_source_remove(source); /* it was hung up */
		port->keys = NULL;
		return;
	}
	pass_on(port, kept, tl_serial_keys(bytes, (tl_size)got, &port->escaped, kept, obey, port));
}

/* ---- The socket ---- */

/* While the guest has no room nothing more is read: whoever sends a file waits. Of who is gone the end is read. */
static void pause_peer(struct tl_serial_port *port)
{
	if (port->peer != NULL)
		tl_connection_pause(port->peer, port->waiting.size != 0 && !tl_connection_ended(port->peer));
}

/* Gives the guest what it has room for. */
static void pass_on_waiting(struct tl_serial_port *port)
{
	ssize_t done = 0;

	if (port->waiting.size != 0)
		done = send(port->ours, port->waiting.bytes, port->waiting.size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (done > 0)
		tl_buffer_take(&port->waiting, (tl_size)done);
	/* Without memory, or anybody to take it, it is lost. */
	if (port->waiting.failed || (done < 0 && errno != EAGAIN && errno != EINTR))
		tl_buffer_clear(&port->waiting);
	(void)!tl_source_want(port->from_machine, TL_READABLE | (port->waiting.size != 0 ? TL_WRITABLE : 0), NULL);
	pause_peer(port);
}

static void received(void *context, const void *bytes, tl_size size)
{
	struct tl_serial_port *port = context;

	tl_buffer_add_bytes(&port->waiting, bytes, size);
	pass_on_waiting(port);
}

static void lost(void *context, const char *reason)
{
	struct tl_serial_port *port = context;

	(void)reason;
	port->remark(port->context, "Nobody is at the serial port any more.");
	(void)!tl_source_want(port->listening, TL_READABLE, NULL);
}

/* One at a time: the next waits until the one before has gone. */
static void arrived(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_serial_port *port = context;
	const struct tl_connection_calls calls = {.received = received, .lost = lost, .context = port};
	char peer[128], line[192];
	struct tl_error error;
	int accepted;

	(void)descriptor;
	(void)ready;
	if (tl_listener_accept(&port->listener, &accepted, peer, sizeof(peer), &error) != TL_OK)
		return;
	tl_connection_destroy(port->peer);
	port->peer = NULL;
	if (tl_connection_create(port->loop, accepted, accepted, true, &calls, &port->peer, &error) != TL_OK) {
		port->remark(port->context, error.text);
		return;
	}
	(void)!tl_source_want(source, 0, NULL);
	(void)snprintf(line, sizeof(line), "%s is at the serial port.", peer);
	port->remark(port->context, line);
}

static void sent(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_serial_port *port = context;
	tl_u8 bytes[TYPED_MAX];
	ssize_t got = recv(descriptor, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)source;
	if ((ready & TL_WRITABLE) != 0)
		pass_on_waiting(port);
	pause_peer(port);
	/* While nobody is there nobody hears it, as on a line that leads nowhere. */
	if (got > 0 && port->peer != NULL && !tl_connection_ended(port->peer))
		tl_connection_send(port->peer, bytes, (tl_size)got);
}

/* ---- Opening ---- */

static enum tl_status open_pair(struct tl_serial_port *port, struct tl_error *error)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "no pair of sockets for the serial port");
	port->ours = ends[0];
	port->theirs = ends[1];
	port->theirs_too = fcntl(port->theirs, F_DUPFD_CLOEXEC, 0);
	if (port->theirs_too < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "no descriptor for the serial port");
	return TL_OK;
}

static enum tl_status open_terminal(struct tl_serial_port *port, struct tl_machine_ends *ends, struct tl_error *error)
{
	ends->input = STDIN_FILENO;
	ends->output = STDOUT_FILENO;
	if (tcgetattr(STDIN_FILENO, &terminal_before) != 0)
		return TL_OK;
	TL_TRY(open_pair(port, error));
	TL_TRY(tl_loop_add_descriptor(port->loop, "keys", STDIN_FILENO, TL_READABLE, typed, port, &port->keys, error));
	ends->input = port->theirs;
	prepare_terminal();
	return TL_OK;
}

static enum tl_status open_socket(struct tl_serial_port *port, const struct tl_address *address,
				  struct tl_machine_ends *ends, struct tl_error *error)
{
	char line[384];

	TL_TRY(tl_listener_open(address, &port->listener, error));
	TL_TRY(open_pair(port, error));
	TL_TRY(tl_loop_add_descriptor(port->loop, "serial listener", port->listener.descriptor, TL_READABLE, arrived,
				      port, &port->listening, error));
	TL_TRY(tl_loop_add_descriptor(port->loop, "serial socket", port->ours, TL_READABLE, sent, port,
				      &port->from_machine, error));
	ends->input = port->theirs;
	ends->output = port->theirs_too;
	(void)snprintf(line, sizeof(line), "The serial port is at %s.", port->listener.text);
	port->remark(port->context, line);
	return TL_OK;
}

static enum tl_status open_where(struct tl_serial_port *port, const char *where, struct tl_machine_ends *ends,
				 struct tl_error *error)
{
	struct tl_address address;

	if (strcmp(where, "-") == 0)
		return open_terminal(port, ends, error);
	if (strcmp(where, "none") == 0)
		return TL_OK;
	if (strncmp(where, "tcp", 3) != 0 && strncmp(where, "unix:", 5) != 0) {
		ends->terminal = where;
		return TL_OK;
	}
	TL_TRY(tl_address_parse(where, &address, error));
	return open_socket(port, &address, ends, error);
}

enum tl_status tl_serial_port_open(struct tl_loop *loop, const char *where, struct tl_machine_ends *ends,
				   struct tl_serial_port **port_ret, struct tl_error *error)
{
	struct tl_serial_port *port = tl_allocate(tl_storage(), sizeof(*port));
	enum tl_status status;

	if (port == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a serial port");
	*port = (struct tl_serial_port){.loop = loop,
					.remark = ends->remark,
					.context = ends->context,
					.ours = -1,
					.theirs = -1,
					.theirs_too = -1,
					.listener.descriptor = -1};
	status = open_where(port, where, ends, error);
	if (status != TL_OK) {
		tl_serial_port_close(port);
		return status;
	}
	*port_ret = port;
	return TL_OK;
}

static void close_end(int descriptor)
{
	if (descriptor >= 0)
		(void)close(descriptor);
}

void tl_serial_port_close(struct tl_serial_port *port)
{
	if (port == NULL)
		return;
	tl_source_remove(port->keys);
	tl_source_remove(port->listening);
	tl_source_remove(port->from_machine);
	tl_connection_destroy(port->peer);
	tl_buffer_free(&port->waiting);
	tl_listener_close(&port->listener);
	close_end(port->ours);
	close_end(port->theirs);
	close_end(port->theirs_too);
	restore_terminal();
	tl_release(tl_storage(), port, sizeof(*port));
}
