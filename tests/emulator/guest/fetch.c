/*
 * The first and only program of an emulated Linux: fetches answers over TCP from the host (10.0.2.2), at the port that
 * the first word of its command line names, says what it got, and switches the machine off. Freestanding; for RISC-V.
 *
 * A connection each: it sends a line with the number of the request, and reads to the end. What comes back is as long
 * as the host likes, and never the same; the next line says the hash of what came before it.
 */
#include "linux.h"

#define REQUESTS 12
#define HASH_START 0xcbf29ce484222325ul /* FNV-1a */
#define HASH_FACTOR 0x100000001b3ul

/* For a debugger: how many answers are complete, how many bytes they had, and the hash of all of them. */
volatile long answers, received;
volatile unsigned long hash = HASH_START;

static struct request host = {.place = {.family = 2, .address = {10, 0, 2, 2}}};
static char bytes[4096];

static long read_number(const char *text)
{
	long value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + *text++ - '0';
	return value;
}

static void say_hash(int descriptor)
{
	static const char digits[] = "0123456789abcdef";
	char text[17];

	for (int i = 0; i < 16; i++)
		text[i] = digits[hash >> (60 - 4 * i) & 15];
	text[16] = '\n';
	say_bytes(descriptor, text, sizeof(text));
}

/* One piece of an answer: where a breakpoint and a watchpoint are worth while. */
__attribute__((noinline)) void take(long size)
{
	unsigned long sum = hash;

	for (long i = 0; i < size; i++)
		sum = (sum ^ (unsigned char)bytes[i]) * HASH_FACTOR;
	hash = sum;
	received += size;
}

__attribute__((noinline)) void answered(void)
{
	answers++;
	say("answer: ");
	say_number(answers);
	say(" ");
	say_number(received);
	say(" ");
	say_hash(1);
}

static long fetch(void)
{
	long socket = call(CALL_SOCKET, 2, 1, 0, 0, 0, 0), got = socket;

	if (got >= 0)
		got = call(CALL_CONNECT, socket, (long)&host.place, 16, 0, 0, 0);
	if (got >= 0)
		say_hash((int)socket);
	while (got >= 0 && (got = call(CALL_READ, socket, (long)bytes, sizeof(bytes), 0, 0, 0)) > 0)
		take(got);
	if (socket >= 0)
		call(CALL_CLOSE, socket, 0, 0, 0, 0, 0);
	return got;
}

void begin(const long *stack)
{
	long port = stack[0] > 1 ? read_number((const char *)stack[2]) : 0, result = 0;

	load_drivers();
	host.place.port = (unsigned short)(port << 8 | port >> 8);
	result = set_up_card(call(CALL_SOCKET, 2, 2, 0, 0, 0, 0));
	for (int i = 0; i < REQUESTS && result >= 0; i++) {
		result = fetch();
		if (result >= 0)
			answered();
	}
	tell("fetch", result);
	switch_off();
}
