/*
 * Stop replies: any report, to a client with any features and with room of any size, gives a reply that a client can
 * parse and that names the thread once and one reason at most.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/rsp/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool condition, const char *what, const char *reply)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s: \"%s\"\n", what, reply);
	abort();
}

struct source {
	const uint8_t *at, *end;
};

static tl_u64 number(struct source *source, unsigned size)
{
	tl_u64 value = 0;

	while (size-- > 0)
		value = value << 8 | (source->at < source->end ? *source->at++ : 0);
	return value;
}

static void make_report(struct source *source, struct tl_report *report)
{
	struct tl_event *event = &report->event;

	*report = (struct tl_report){.no_resumed = number(source, 1) == 0xff};
	event->kind = (enum tl_event_kind)(number(source, 1) % TL_EVENT_MAX);
	/* Threads 1 and 2 exist. */
	event->thread = (struct tl_thread_id){1, number(source, 1) % 4};
	event->child = (struct tl_thread_id){number(source, 8), number(source, 8)};
	event->signal = (tl_i32)number(source, 4);
	event->code = (tl_i32)number(source, 4);
	event->number = number(source, 8);
	event->address = number(source, 8);
	report->point = (enum tl_point_kind)(number(source, 1) % TL_POINT_KIND_MAX);
	report->hit_count = (tl_u8)number(source, 1);
	for (unsigned i = 0; i < TL_HITS_MAX; i++)
		report->hit_addresses[i] = number(source, 8);
}

static bool is_hex(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (tl_hex_digit((tl_u8)text[i]) < 0)
			return false;
	return true;
}

/* Thh, then KEY:VALUE; until the end. */
static void parse_thread_stop(const char *reply, bool many_watches)
{
	static const char *const reasons[] = {"swbreak", "hwbreak",       "fork",           "vfork",    "vforkdone",
					      "exec",    "create",        "clone",          "watch",    "rwatch",
					      "awatch",  "syscall_entry", "syscall_return", "replaylog"};
	unsigned threads = 0, told = 0;
	const char *at = reply + 3;

	require(strlen(reply) >= 3 && is_hex(reply + 1, 2), "a signal of two digits", reply);
	while (*at != '\0') {
		const char *colon = strchr(at, ':'), *stop = strchr(at, ';');
		size_t key;
		bool known = false;

		require(colon != NULL && stop != NULL && colon < stop && colon > at, "key:value;", reply);
		key = (size_t)(colon - at);
		for (size_t i = 0; i < TL_COUNT(reasons); i++)
			known |= strlen(reasons[i]) == key && memcmp(at, reasons[i], key) == 0;
		told += known;
		if (key == 6 && memcmp(at, "thread", 6) == 0)
			threads++;
		else if (key == 7 && memcmp(at, "hexname", 7) == 0)
			require(stop > colon + 1 && is_hex(colon + 1, (size_t)(stop - colon - 1)), "a name in digits",
				reply);
		else
			require(known || is_hex(at, key), "a reason, the thread or a register", reply);
		at = stop + 1;
	}
	require(threads == 1, "one thread", reply);
	require(told <= 1 || many_watches, "one reason", reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct rsp_session_setup setup = {.threads = 1};
	struct source source = {bytes, bytes + size};
	struct rsp_session session;
	struct tl_report report;
	struct tl_writer writer;
	tl_size room;
	char *reply;

	rsp_session_open(&session, &setup);
	for (unsigned i = 0; i < TL_RSP_CLIENT_MAX; i++)
		tl_rsp_client_set(session.rsp, (enum tl_rsp_client)i, (number(&source, 1) & 1) != 0);
	room = (tl_size)number(&source, 2) % 2000;
	make_report(&source, &report);
	reply = malloc(room + 1);
	if (reply == NULL)
		abort();
	writer = tl_writer_make(reply, room);
	tl_rsp_write_stop(session.rsp, &report, &writer);
	require(tl_writer_size(&writer) <= room, "the reply keeps to its room", "");
	reply[tl_writer_size(&writer)] = '\0';
	if (!writer.failed && reply[0] == 'T')
		parse_thread_stop(reply, tl_rsp_client_has(session.rsp, TL_RSP_CLIENT_MULTI_WATCH));
	else if (!writer.failed)
		require(strchr("WXwN", reply[0]) != NULL && reply[0] != '\0', "a kind of stop", reply);
	free(reply);
	rsp_session_close(&session);
	return 0;
}
