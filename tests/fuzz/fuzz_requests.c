/*
 * Requests against the scripted target. An input is packets, one a line; an empty line lets the machine run for some
 * turns; a line of one byte below 0x20 is ^C (3) or something that happens to the program (see happen()).
 *
 * Whatever comes: no crash, nothing kept, no contract of the target's broken, every frame sent well formed, and no
 * trap left behind in a program that was let go.
 */
#include "base/storage.h"
#include "tests/fuzz/fuzz.h"
#include "tests/rsp/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS 24
#define PACKETS_MAX 400
#define THREADS_MAX 64

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static bool pick_thread(const struct rsp_session *session, unsigned n, struct tl_thread_id *id_ret)
{
	struct tl_thread_info info = {0};
	bool found = false;

	for (unsigned i = 0; i <= n % 7 && tl_engine_next_thread(session->engine, info.id, &info); i++) {
		*id_ret = info.id;
		found = true;
	}
	return found;
}

static tl_size count_threads(const struct rsp_session *session)
{
	struct tl_thread_info info = {0};
	tl_size count = 0;

	while (tl_engine_next_thread(session->engine, info.id, &info))
		count++;
	return count;
}

static void happen(struct rsp_session *session, unsigned what, unsigned n)
{
	static const enum tl_scripted_what list[] = {
		TL_SCRIPTED_SIGNAL, TL_SCRIPTED_CLONE,       TL_SCRIPTED_FORK,         TL_SCRIPTED_VFORK,
		TL_SCRIPTED_EXEC,   TL_SCRIPTED_EXIT_THREAD, TL_SCRIPTED_EXIT_PROCESS, TL_SCRIPTED_KILL_PROCESS,
		TL_SCRIPTED_PAUSE,  TL_SCRIPTED_DELAY_STOPS};
	enum tl_scripted_what chosen = list[what % TL_COUNT(list)];
	struct tl_thread_id id;
	tl_u64 value = 0;

	if (!pick_thread(session, n, &id) || count_threads(session) > THREADS_MAX)
		return;
	if (chosen == TL_SCRIPTED_SIGNAL || chosen == TL_SCRIPTED_KILL_PROCESS)
		value = 1 + n % 31;
	else if (chosen == TL_SCRIPTED_CLONE || chosen == TL_SCRIPTED_FORK)
		value = 0x1000;
	else if (chosen == TL_SCRIPTED_DELAY_STOPS)
		value = n % 5;
	/* Refused where the thread stands still: also something that may happen. */
	if (tl_scripted_do(session->scripted, id, chosen, value, 0) != TL_OK)
		rsp_session_turn(session, 1);
}

static void one_line(struct rsp_session *session, const uint8_t *line, size_t size, unsigned n)
{
	static const tl_u8 interrupt = 3;

	if (size == 0)
		rsp_session_turn(session, TURNS);
	else if (size == 1 && line[0] == interrupt)
		rsp_session_bytes(session, &interrupt, 1);
	else if (size == 1 && line[0] < 0x20)
		happen(session, line[0], n);
	else
		rsp_session_send(session, line, size);
	while (rsp_session_take(session))
		require(session->packet_size <= RSP_SESSION_PACKET + 8, "a packet is no longer than announced");
}

/* Those that were let go run on as if nobody had been there. */
static void look_at_the_free(const struct rsp_session *session)
{
	struct tl_scripted_process_info info;

	for (tl_u64 process = 1; process < 200; process++) {
		if (!tl_scripted_process(session->scripted, process, &info) || !info.alive || info.traced)
			continue;
		require(info.points == 0, "no point is left in a process that was let go");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct rsp_session_setup setup = {.threads = 2};
	tl_u64 live = tl_storage_live();
	struct rsp_session session;
	const char *text = "";
	size_t at = 0;

	rsp_session_open(&session, &setup);
	for (unsigned n = 0; at < size && n < PACKETS_MAX && session.done == 0; n++) {
		const uint8_t *newline = memchr(bytes + at, '\n', size - at);
		size_t length = newline != NULL ? (size_t)(newline - bytes) - at : size - at;

		one_line(&session, bytes + at, length, n);
		at += length + 1;
	}
	rsp_session_turn(&session, TURNS);
	while (rsp_session_take(&session))
		continue;
	require(session.bad == 0 && !session.overflow, "every frame is well formed");
	if (tl_scripted_violations(session.scripted, &text) != 0)
		require(false, text);
	look_at_the_free(&session);
	rsp_session_close(&session);
	require(tl_storage_live() == live, "all storage is given back");
	return 0;
}
