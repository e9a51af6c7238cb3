#include "bench/client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

bool tl_client_fail(struct tl_client *client, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(client->error, sizeof(client->error), format, arguments);
	va_end(arguments);
	return false;
}

static bool send_all(struct tl_client *client, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(client->socket, bytes, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return tl_client_fail(client, "the server closed the connection (%s)", strerror(errno));
		bytes += sent;
		size -= (size_t)sent;
	}
	return true;
}

bool tl_client_send(struct tl_client *client, const char *payload, size_t size)
{
	unsigned char sum = 0;
	char *packet = malloc(size + 4);
	char digits[3];
	bool ok;

	if (!packet)
		return tl_client_fail(client, "out of memory");
	for (size_t i = 0; i < size; i++)
		sum = (unsigned char)(sum + (unsigned char)payload[i]);
	snprintf(digits, sizeof(digits), "%02x", sum);
	packet[0] = '$';
	memcpy(packet + 1, payload, size);
	packet[size + 1] = '#';
	memcpy(packet + size + 2, digits, 2);
	ok = send_all(client, packet, size + 4);
	free(packet);
	return ok;
}

/* Waits for more bytes and appends them to `incoming`. */
static bool fill(struct tl_client *client)
{
	struct pollfd ready = {.fd = client->socket, .events = POLLIN};
	ssize_t got;

	if (client->start == client->end)
		client->start = client->end = 0;
	if (client->end == client->capacity) {
		size_t capacity = client->capacity ? client->capacity * 2 : 1 << 16;
		char *bytes = realloc(client->incoming, capacity);

		if (!bytes)
			return tl_client_fail(client, "out of memory");
		client->incoming = bytes;
		client->capacity = capacity;
	}
	if (poll(&ready, 1, TL_CLIENT_DEADLINE) == 0)
		return tl_client_fail(client, "no answer within %d s", TL_CLIENT_DEADLINE / 1000);
	got = recv(client->socket, client->incoming + client->end, client->capacity - client->end, 0);
	if (got <= 0)
		return tl_client_fail(client, "the server closed the connection%s%s", got ? ": " : "",
				      got ? strerror(errno) : "");
	client->end += (size_t)got;
	return true;
}

/* The offset of '#' of the packet that starts at client->start, which holds '$'; reads on until there are two digits.
 */
static bool find_end(struct tl_client *client, size_t *length_ret)
{
	size_t searched = 1;

	for (;;) {
		size_t have = client->end - client->start;
		char *bytes = client->incoming + client->start;
		char *mark = have > searched ? memchr(bytes + searched, '#', have - searched) : NULL;

		if (mark && (size_t)(mark - bytes) + 3 <= have) {
			*length_ret = (size_t)(mark - bytes);
			return true;
		}
		searched = mark ? (size_t)(mark - bytes) : have;
		if (!fill(client))
			return false;
	}
}

static bool reserve_reply(struct tl_client *client, size_t size)
{
	char *bytes;

	if (size < client->reply_capacity)
		return true;
	bytes = realloc(client->reply, size * 2);
	if (!bytes)
		return tl_client_fail(client, "out of memory");
	client->reply = bytes;
	client->reply_capacity = size * 2;
	return true;
}

/*
 * A block of bytes is looked at together: what the client does with an answer is part of every server's figure. What
 * one block can become is bounded: half of its bytes may be runs.
 */
#define BLOCK 64
#define BLOCK_EXPANDED (BLOCK / 2 * 97 + 2 * BLOCK)

static void copy_block(char *to, const char *from)
{
	memcpy(to, from, BLOCK);
}

/* Where an escape or a run begins among the next BLOCK bytes, a bit for each. */
static uint64_t special_bits(const char *bytes)
{
#ifdef __SSE2__
	const __m128i escape = _mm_set1_epi8('}'), run = _mm_set1_epi8('*');
	uint64_t bits = 0;

	for (int i = 0; i < BLOCK; i += 16) {
		__m128i part = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
		__m128i special = _mm_or_si128(_mm_cmpeq_epi8(part, escape), _mm_cmpeq_epi8(part, run));

		bits |= (uint64_t)(unsigned)_mm_movemask_epi8(special) << i;
	}
	return bits;
#else
	uint64_t bits = 0;

	for (int i = 0; i < BLOCK; i++)
		bits |= (uint64_t)(bytes[i] == '}' || bytes[i] == '*') << i;
	return bits;
#endif
}

/* What the pair that begins with an escape or a run mark stands for goes to client->reply + size; the new size. */
static size_t expand_pair(struct tl_client *client, const char *pair, size_t size)
{
	size_t repeat = (unsigned char)pair[1] - 29u;

	if (pair[0] == '}') {
		client->reply[size] = (char)(pair[1] ^ 0x20);
		return size + 1;
	}
	if (size == 0 || repeat > 97)
		return size; /* a run of nothing */
	memset(client->reply + size, client->reply[size - 1], repeat);
	return size + repeat;
}

/* Expands a block at `packet`, behind which there is another; returns how many bytes that took. */
static size_t expand_block(struct tl_client *client, const char *packet, size_t *size)
{
	size_t at = 0;

	for (uint64_t bits = special_bits(packet); bits;) {
		size_t next = (size_t)__builtin_ctzll(bits);

		copy_block(client->reply + *size, packet + at);
		*size = expand_pair(client, packet + next, *size + next - at);
		bits &= ~((uint64_t)3 << next);
		at = next + 2;
	}
	if (at >= BLOCK)
		return at;
	copy_block(client->reply + *size, packet + at);
	*size += BLOCK - at;
	return BLOCK;
}

/* Expands escapes and runs of `length` bytes into `reply`. */
static bool expand(struct tl_client *client, const char *packet, size_t length)
{
	size_t size = 0, i = 0;

	while (i + 2 * BLOCK <= length) {
		if (!reserve_reply(client, size + BLOCK_EXPANDED))
			return false;
		i += expand_block(client, packet + i, &size);
	}
	if (!reserve_reply(client, size + 2 * BLOCK_EXPANDED))
		return false;
	while (i < length) {
		if (i + 1 < length && (packet[i] == '}' || packet[i] == '*')) {
			size = expand_pair(client, packet + i, size);
			i += 2;
		} else {
			client->reply[size++] = packet[i++];
		}
	}
	client->reply[size] = 0;
	client->reply_size = size;
	return true;
}

/* Checks the sum of packet[1, length) against the digits after '#', and takes what it says into `reply`. */
static bool decode(struct tl_client *client, const char *packet, size_t length)
{
	unsigned char sum = 0;
	char digits[3] = {packet[length + 1], packet[length + 2], 0};

	for (size_t i = 1; i < length; i++)
		sum = (unsigned char)(sum + (unsigned char)packet[i]);
	if (strtoul(digits, NULL, 16) != sum)
		return tl_client_fail(client, "a packet from the server has a wrong checksum");
	return expand(client, packet + 1, length - 1);
}

bool tl_client_receive(struct tl_client *client)
{
	size_t length;
	bool ok;

	while (client->start == client->end || client->incoming[client->start] != '$') {
		if (client->start == client->end) {
			if (!fill(client))
				return false;
		} else {
			client->start++; /* an acknowledgement */
		}
	}
	if (!find_end(client, &length))
		return false;
	ok = decode(client, client->incoming + client->start, length);
	client->start += length + 3;
	if (ok && client->acknowledges)
		ok = send_all(client, "+", 1);
	return ok;
}

static bool ask(struct tl_client *client, const char *format, va_list arguments)
{
	char packet[512];
	int size = vsnprintf(packet, sizeof(packet), format, arguments);

	return tl_client_send(client, packet, (size_t)size) && tl_client_receive(client);
}

bool tl_client_ask(struct tl_client *client, const char *format, ...)
{
	va_list arguments;
	bool ok;

	va_start(arguments, format);
	ok = ask(client, format, arguments);
	va_end(arguments);
	return ok;
}

bool tl_client_order(struct tl_client *client, const char *format, ...)
{
	va_list arguments;
	bool ok;

	va_start(arguments, format);
	ok = ask(client, format, arguments);
	va_end(arguments);
	if (ok && strcmp(client->reply, "OK"))
		return tl_client_fail(client, "%.60s was answered with %.60s", format,
				      *client->reply ? client->reply : "nothing");
	return ok;
}

/* Takes packets until one is a stop reply, and notes its thread. */
static bool await_stop(struct tl_client *client)
{
	const char *thread;
	size_t length;

	while (client->reply[0] == 'O' && client->reply[1] != 'K')
		if (!tl_client_receive(client))
			return false;
	if (client->reply[0] != 'T' && client->reply[0] != 'S')
		return tl_client_fail(client, "%.60s instead of a stop", *client->reply ? client->reply : "nothing");
	thread = strstr(client->reply, "thread:");
	if (thread) {
		thread += strlen("thread:");
		length = strcspn(thread, ";");
		if (length >= sizeof(client->thread))
			return tl_client_fail(client, "a thread's name is too long");
		memcpy(client->thread, thread, length);
		client->thread[length] = 0;
	}
	return true;
}

bool tl_client_resume(struct tl_client *client, const char *format, ...)
{
	va_list arguments;
	bool ok;

	va_start(arguments, format);
	ok = ask(client, format, arguments);
	va_end(arguments);
	return ok && await_stop(client);
}

bool tl_client_go(struct tl_client *client)
{
	return tl_client_send(client, "vCont;c", strlen("vCont;c"));
}

bool tl_client_interrupt(struct tl_client *client)
{
	return send_all(client, "\003", 1) && tl_client_receive(client) && await_stop(client);
}

bool tl_client_probe_binary(struct tl_client *client, uint64_t address)
{
	if (!tl_client_ask(client, "x%llx,1", (unsigned long long)address))
		return false;
	client->reads_binary = client->reply_size == 1 || (client->reply_size == 2 && client->reply[0] == 'b');
	client->marks_binary = client->reply_size == 2;
	return true;
}

bool tl_client_open(struct tl_client *client, int socket)
{
	const char *size;

	*client = (struct tl_client){.socket = socket, .acknowledges = true, .packet_size = 400};
	if (!tl_client_ask(client, "qSupported:swbreak+;hwbreak+;vContSupported+;binary-upload+;xmlRegisters=i386"))
		return false;
	size = strstr(client->reply, "PacketSize=");
	if (size)
		client->packet_size = strtoul(size + strlen("PacketSize="), NULL, 16);
	if (client->packet_size < 64)
		return tl_client_fail(client, "the server announces packets of %zu bytes", client->packet_size);
	client->has_conditions = strstr(client->reply, "ConditionalBreakpoints+");
	if (!tl_client_order(client, "QStartNoAckMode"))
		return false;
	client->acknowledges = false;
	if (!tl_client_ask(client, "vCont?"))
		return false;
	client->has_range = strstr(client->reply, ";r");
	return tl_client_resume(client, "?");
}

void tl_client_close(struct tl_client *client)
{
	if (client->socket >= 0)
		close(client->socket);
	free(client->incoming);
	free(client->reply);
	*client = (struct tl_client){.socket = -1};
}

bool tl_client_read_hex(struct tl_client *client, uint64_t address, size_t size)
{
	size_t most = (client->packet_size - 4) / 2;

	for (size_t part; size > 0; size -= part, address += part) {
		part = size < most ? size : most;
		if (!tl_client_ask(client, "m%llx,%zx", (unsigned long long)address, part))
			return false;
		if (client->reply_size != 2 * part)
			return tl_client_fail(client, "m of %zu bytes gave %zu digits", part, client->reply_size);
	}
	return true;
}

bool tl_client_read_binary(struct tl_client *client, uint64_t address, size_t size)
{
	size_t mark = client->marks_binary ? 1 : 0;
	size_t most = (client->packet_size - 8) / 2; /* every byte may need an escape */

	while (size > 0) {
		size_t part = size < most ? size : most;

		if (!tl_client_ask(client, "x%llx,%zx", (unsigned long long)address, part))
			return false;
		if (client->reply_size <= mark || client->reply_size > part + mark)
			return tl_client_fail(client, "x of %zu bytes gave %zu", part, client->reply_size);
		part = client->reply_size - mark;
		size -= part;
		address += part;
	}
	return true;
}

/* One M or X packet after the other; `digits` characters for each byte, all of them '0' or NUL. */
static bool write_memory(struct tl_client *client, char letter, size_t digits, uint64_t address, size_t size)
{
	size_t most = (client->packet_size - 40) / digits;
	char *packet = malloc(client->packet_size + 64);
	bool ok = packet || tl_client_fail(client, "out of memory");

	while (ok && size > 0) {
		size_t part = size < most ? size : most;
		size_t head = (size_t)sprintf(packet, "%c%llx,%zx:", letter, (unsigned long long)address, part);

		memset(packet + head, digits == 2 ? '0' : 0, part * digits);
		ok = tl_client_send(client, packet, head + part * digits) && tl_client_receive(client);
		if (ok && strcmp(client->reply, "OK"))
			ok = tl_client_fail(client, "%c of %zu bytes was answered with %.60s", letter, part,
					    *client->reply ? client->reply : "nothing");
		size -= part;
		address += part;
	}
	free(packet);
	return ok;
}

bool tl_client_write_hex(struct tl_client *client, uint64_t address, size_t size)
{
	return write_memory(client, 'M', 2, address, size);
}

bool tl_client_write_binary(struct tl_client *client, uint64_t address, size_t size)
{
	return write_memory(client, 'X', 1, address, size);
}
