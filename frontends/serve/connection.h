/*
 * One client's connection: bytes in as they come, bytes out as the other side takes them. Never waits.
 *
 * What cannot be sent at once is queued. While much is queued nothing more is read, so that a client that asks and does
 * not listen holds up itself alone; one that lets the queue grow beyond its bound all the same (text of breakpoint
 * commands needs no asking) is lost.
 */
#ifndef TL_FRONTENDS_SERVE_CONNECTION_H
#define TL_FRONTENDS_SERVE_CONNECTION_H

#include "base/loop.h"
#include "frontends/serve/buffer.h"

struct tl_connection_calls {
	void (*received)(void *context, const void *bytes, tl_size size);
	/* The other side is gone, or was lost for the reason given. Called once. Destroy it later, not from inside. */
	void (*lost)(void *context, const char *reason);
	void *context;
};

struct tl_connection;

/*
 * A connection that reads from `in` and writes to `out`, which may be the same descriptor and keep their modes: they
 * may be a terminal that others use too. They are closed with the connection if `owned`.
 */
TL_CHECKED enum tl_status tl_connection_create(struct tl_loop *loop, int in, int out, bool owned,
					       const struct tl_connection_calls *calls,
					       struct tl_connection **connection_ret, struct tl_error *error);
/* NULL is fine. What is still queued is offered to the other side once more, and dropped. */
void tl_connection_destroy(struct tl_connection *connection);

/* Sends bytes, which are copied when they cannot go at once; to one that is lost, or is lost over it, nothing. */
void tl_connection_send(struct tl_connection *connection, const void *bytes, tl_size size);

/* Reads nothing more from the other side, which then waits; or again. A part may still come. Also from inside. */
void tl_connection_pause(struct tl_connection *connection, bool paused);

/* True when everything that was sent is out of our hands. */
bool tl_connection_flushed(const struct tl_connection *connection);

/* True when the other side has closed or cut its end, though there may be bytes of it still to be read. */
bool tl_connection_ended(const struct tl_connection *connection);

#endif
