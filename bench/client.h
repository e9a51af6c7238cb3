/*
 * A small client of the GDB remote protocol, for measuring servers: one packet out, one packet in.
 *
 * It is written apart from Trapline's own protocol code on purpose, so that no server is measured with its own code on
 * the other side. Every function that can fail returns false and leaves a sentence in `error`; nothing waits longer
 * than TL_CLIENT_DEADLINE.
 */
#ifndef TL_BENCH_CLIENT_H
#define TL_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TL_CLIENT_DEADLINE 60000 /* milliseconds for any one answer */

struct tl_client {
	int socket; /* -1: none */
	bool acknowledges;
	size_t packet_size; /* the largest packet that the server takes, in bytes */
	bool reads_binary;  /* the server knows `x` ... */
	bool marks_binary;  /* ... and begins its answer with `b` */
	bool has_range, has_conditions;
	char thread[40]; /* of the last stop, as the server wrote it */
	char *incoming;  /* received and not yet taken: [start, end) */
	size_t start, end, capacity;
	char *reply; /* the last packet, unescaped, with a NUL after it */
	size_t reply_size, reply_capacity;
	char error[200];
};

/* Takes over a connected stream socket and does what every debugger does first: features, no acknowledgements, `?`. */
bool tl_client_open(struct tl_client *client, int socket);
/* Closes the socket and frees the buffers. */
void tl_client_close(struct tl_client *client);

/* One packet out; `size` bytes that need no escaping. */
bool tl_client_send(struct tl_client *client, const char *payload, size_t size);
/* The next packet from the server, into client->reply. */
bool tl_client_receive(struct tl_client *client);
/* Sends what the format makes and takes the answer. */
bool tl_client_ask(struct tl_client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, and the answer must be OK. */
bool tl_client_order(struct tl_client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sends a resume and waits for a stop (T or S); output packets are passed over. Notes the thread that stopped. */
bool tl_client_resume(struct tl_client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Resumes without waiting; asks for a stop and waits for it. */
bool tl_client_go(struct tl_client *client);
bool tl_client_interrupt(struct tl_client *client);

/* Finds out whether the server knows `x`, by one byte at an address that can be read. */
bool tl_client_probe_binary(struct tl_client *client, uint64_t address);
/* `size` bytes of memory in the largest packets that the server takes. Writing writes zeros. */
bool tl_client_read_hex(struct tl_client *client, uint64_t address, size_t size);
bool tl_client_read_binary(struct tl_client *client, uint64_t address, size_t size);
bool tl_client_write_hex(struct tl_client *client, uint64_t address, size_t size);
bool tl_client_write_binary(struct tl_client *client, uint64_t address, size_t size);

/* Writes `error` and returns false. */
bool tl_client_fail(struct tl_client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
