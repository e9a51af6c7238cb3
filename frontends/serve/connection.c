#include "frontends/serve/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above this nothing more is read from the client; above the other one the client is lost. */
#define QUEUE_HIGH (1u << 20)
#define QUEUE_MAX (64u << 20)

/* A pipe that poll() calls writable takes this much without blocking (PIPE_BUF). */
#define PIPE_PART 4096

struct tl_connection {
	struct tl_connection_calls calls;
	int in, out;
	bool owned, socket, gone, paused;
	struct tl_source *reader; /* and the writer too where in == out */
	struct tl_source *writer;
	struct tl_buffer queue;
	tl_size sent; /* of the queue */
};

static void lose(struct tl_connection *connection, const char *reason)
{
	if (connection->gone)
		return;
	connection->gone = true;
	tl_source_remove(connection->reader);
	tl_source_remove(connection->writer);
	connection->reader = connection->writer = NULL;
	connection->calls.lost(connection->calls.context, reason);
}

static tl_size queued(const struct tl_connection *connection)
{
	return connection->queue.size - connection->sent;
}

/* Writes what can be written now, *done_ret bytes; false with errno when the other side is gone. */
static bool write_now(const struct tl_connection *connection, const char *bytes, tl_size size, tl_size *done_ret)
{
	*done_ret = 0;
	while (*done_ret < size) {
		const char *at = bytes + *done_ret;
		tl_size left = size - *done_ret;
		ssize_t done;

		if (connection->socket) {
			done = send(connection->out, at, left, MSG_DONTWAIT | MSG_NOSIGNAL);
		} else {
			struct pollfd ready = {.fd = connection->out, .events = POLLOUT};

			if (poll(&ready, 1, 0) <= 0)
				return true;
			done = write(connection->out, at, left < PIPE_PART ? left : PIPE_PART);
		}
		if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return true;
		if (done < 0)
			return false;
		*done_ret += (tl_size)done;
	}
	return true;
}

/* The same with what is queued. */
static bool write_queued(struct tl_connection *connection)
{
	tl_size done = 0;
	bool ok = queued(connection) == 0 ||
		  write_now(connection, connection->queue.bytes + connection->sent, queued(connection), &done);

	if (!ok)
		return false;
	connection->sent += done;
	if (queued(connection) == 0) {
		tl_buffer_clear(&connection->queue);
		connection->sent = 0;
	}
	return true;
}

/* Waits for what there is to wait for. */
static void set_wants(struct tl_connection *connection)
{
	unsigned wanted = queued(connection) < QUEUE_HIGH && !connection->paused ? TL_READABLE : 0;
	unsigned writing = queued(connection) != 0 ? TL_WRITABLE : 0;
	enum tl_status status;

	if (connection->gone)
		return;
	if (connection->writer == NULL) {
		status = tl_source_want(connection->reader, wanted | writing, NULL);
	} else {
		status = tl_source_want(connection->reader, wanted, NULL);
		if (status == TL_OK)
			status = tl_source_want(connection->writer, writing, NULL);
	}
	if (status != TL_OK)
		lose(connection, "the event loop failed");
}

static void receive(struct tl_connection *connection)
{
	char bytes[65536];
	ssize_t size = connection->socket ? recv(connection->in, bytes, sizeof(bytes), MSG_DONTWAIT)
					  : read(connection->in, bytes, sizeof(bytes));

	if (size > 0)
		connection->calls.received(connection->calls.context, bytes, (tl_size)size);
	else if (size == 0)
		lose(connection, "the client closed the connection");
	else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		lose(connection, strerror(errno));
}

static void descriptor_ready(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_connection *connection = context;

	(void)descriptor;
	if ((ready & TL_WRITABLE) != 0 || source == connection->writer) {
		if (!write_queued(connection)) {
			lose(connection, strerror(errno));
			return;
		}
		set_wants(connection);
	}
	/* A hang-up is read too: bytes may stand before it, and then the end is. */
	if (!connection->gone && source == connection->reader && (ready & (TL_READABLE | TL_HANGUP)) != 0)
		receive(connection);
}

enum tl_status tl_connection_create(struct tl_loop *loop, int in, int out, bool owned,
				    const struct tl_connection_calls *calls, struct tl_connection **connection_ret,
				    struct tl_error *error)
{
	struct tl_connection *connection = calloc(1, sizeof(*connection));
	struct stat status;
	enum tl_status result;

	if (connection == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a client's connection");
	*connection = (struct tl_connection){.calls = *calls, .in = in, .out = out, .owned = owned};
	connection->socket = fstat(in, &status) == 0 && S_ISSOCK(status.st_mode) && fstat(out, &status) == 0 &&
			     S_ISSOCK(status.st_mode);
	result = tl_loop_add_descriptor(loop, "client", in, TL_READABLE, descriptor_ready, connection,
					&connection->reader, error);
	if (result == TL_OK && out != in)
		result = tl_loop_add_descriptor(loop, "client output", out, 0, descriptor_ready, connection,
						&connection->writer, error);
	if (result != TL_OK) {
		tl_source_remove(connection->reader);
		free(connection);
		return result;
	}
	*connection_ret = connection;
	return TL_OK;
}

void tl_connection_destroy(struct tl_connection *connection)
{
	if (connection == NULL)
		return;
	(void)write_queued(connection);
	tl_source_remove(connection->reader);
	tl_source_remove(connection->writer);
	if (connection->owned) {
		close(connection->in);
		if (connection->out != connection->in)
			close(connection->out);
	}
	tl_buffer_free(&connection->queue);
	free(connection);
}

void tl_connection_send(struct tl_connection *connection, const void *bytes, tl_size size)
{
	tl_size done = 0;

	if (connection->gone)
		return;
	/* What stands in line goes first; with nothing in line a packet need not be copied into it. */
	if (!write_queued(connection) || (queued(connection) == 0 && !write_now(connection, bytes, size, &done))) {
		lose(connection, strerror(errno));
		return;
	}
	if (done < size) {
		tl_buffer_take(&connection->queue, connection->sent);
		connection->sent = 0;
		tl_buffer_add_bytes(&connection->queue, (const char *)bytes + done, size - done);
	}
	if (connection->queue.failed || queued(connection) > QUEUE_MAX)
		lose(connection, "the client does not take what it is sent");
	else
		set_wants(connection);
}

void tl_connection_pause(struct tl_connection *connection, bool paused)
{
	if (connection->paused == paused)
		return;
	connection->paused = paused;
	set_wants(connection);
}

bool tl_connection_flushed(const struct tl_connection *connection)
{
	return connection->gone || queued(connection) == 0;
}

bool tl_connection_ended(const struct tl_connection *connection)
{
	struct pollfd ready = {.fd = connection->in, .events = POLLRDHUP};

	return connection->gone || (poll(&ready, 1, 0) > 0 && (ready.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0);
}
