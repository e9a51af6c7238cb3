/*
 * Traces of packets as tests, over the scripted target. docs/TRACES.md has the format.
 *
 *     replay FILE…            sends what the client sent and compares what comes back; exit status 1 at a difference
 *     replay --record FILE    is a server on stdin and stdout (gdb: target remote | replay --record FILE) that writes
 *                             such a trace
 */
#include "tests/rsp/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long the machine may run until something must have been sent. */
#define TURNS_MAX 1000000u

static struct rsp_session session;

static void write_payload(FILE *file, const char *direction, const tl_u8 *bytes, tl_size size)
{
	fprintf(file, "%s ", direction);
	for (tl_size i = 0; i < size; i++) {
		if (bytes[i] >= ' ' && bytes[i] < 0x7f && bytes[i] != '\\')
			fputc(bytes[i], file);
		else
			fprintf(file, "\\x%02x", bytes[i]);
	}
	fputc('\n', file);
}

/* ---- Recording ---- */

static FILE *record;
static unsigned turns; /* since the last packet of either side */

static void note(void *context, bool from_client, const void *payload, tl_size size)
{
	(void)context;
	if (from_client && turns != 0)
		fprintf(record, "= %u\n", turns);
	turns = 0;
	write_payload(record, from_client ? "<" : ">", payload, size);
	fflush(record);
}

static bool send_output(void)
{
	while (session.output_at < session.output_size) {
		ssize_t sent = write(1, session.output + session.output_at, session.output_size - session.output_at);

		if (sent < 0 && errno != EINTR)
			return false;
		session.output_at += sent > 0 ? (tl_size)sent : 0;
	}
	session.output_at = session.output_size = 0;
	return true;
}

static int serve(const char *path)
{
	bool runs = false;

	record = fopen(path, "w");
	if (record == NULL) {
		perror(path);
		return 2;
	}
	fprintf(record, "# Recorded by tests/replay/replay --record; docs/TRACES.md has the format.\n");
	rsp_session_open(&session, &(struct rsp_session_setup){.observe = note});
	while (session.done == 0 && send_output()) {
		struct pollfd input = {.fd = 0, .events = POLLIN};
		tl_u8 bytes[4096];

		/* Waits for the client unless there is something to do meanwhile. */
		if (poll(&input, 1, runs ? 0 : -1) > 0) {
			ssize_t size = read(0, bytes, sizeof(bytes));

			if (size <= 0)
				break;
			rsp_session_bytes(&session, bytes, (tl_size)size);
		}
		runs = tl_scripted_turn(session.scripted);
		turns += runs;
		rsp_session_poll(&session);
	}
	(void)send_output();
	rsp_session_close(&session);
	return fclose(record) != 0;
}

/* ---- Replaying ---- */

/* Undoes \xNN in place; the size, or -1 if it is malformed. */
static long decode(char *text)
{
	char *out = text;

	for (const char *at = text; *at != '\0'; at++) {
		if (*at != '\\') {
			*out++ = *at;
			continue;
		}
		if (at[1] != 'x' || tl_hex_digit((tl_u8)at[2]) < 0 || tl_hex_digit((tl_u8)at[3]) < 0)
			return -1;
		*out++ = (char)(tl_hex_digit((tl_u8)at[2]) << 4 | tl_hex_digit((tl_u8)at[3]));
		at += 3;
	}
	return out - text;
}

static unsigned compared;

static bool compare(const char *place, const char *wanted, size_t size, bool beginning)
{
	compared++;
	if (!rsp_session_wait(&session, TURNS_MAX)) {
		printf("%s: nothing was sent; wanted:\n", place);
		write_payload(stdout, ">", (const tl_u8 *)wanted, size);
		return false;
	}
	if ((session.packet_size == size || (beginning && session.packet_size > size)) &&
	    memcmp(session.packet, wanted, size) == 0)
		return true;
	printf("%s: differs; wanted, then got:\n", place);
	write_payload(stdout, ">", (const tl_u8 *)wanted, size);
	write_payload(stdout, ">", (const tl_u8 *)session.packet, session.packet_size);
	return false;
}

/* A line of a trace that the program wrote begins with a time and "packets". */
static char *skip_head(char *line)
{
	char *head = strstr(line, " packets ");

	return line[0] >= '0' && line[0] <= '9' && head != NULL ? head + strlen(" packets ") : line;
}

static bool replay_line(const char *place, char *line)
{
	bool beginning = line[0] == '>' && line[1] == '~';
	char kind = line[0];
	char *payload;
	long size;

	if (kind == '=') {
		rsp_session_turn(&session, (unsigned)strtoul(line + 1, NULL, 10));
		return true;
	}
	if (kind != '<' && kind != '>')
		return true;
	payload = line + 1 + beginning;
	payload += *payload == ' ';
	size = decode(payload);
	if (size < 0) {
		printf("%s: a backslash that is not \\xNN\n", place);
		return false;
	}
	if (kind == '>')
		return compare(place, payload, (size_t)size, beginning);
	if (rsp_session_take(&session)) {
		printf("%s: something was sent that the trace does not have:\n", place);
		write_payload(stdout, ">", (const tl_u8 *)session.packet, session.packet_size);
		return false;
	}
	if (size == 1 && payload[0] == 3)
		rsp_session_bytes(&session, payload, 1);
	else
		rsp_session_send(&session, payload, (tl_size)size);
	return true;
}

static bool replay(const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL, place[1024];
	size_t room = 0;
	bool good = true;
	const char *text = "";

	compared = 0;
	if (file == NULL) {
		perror(path);
		return false;
	}
	rsp_session_open(&session, &(struct rsp_session_setup){0});
	for (unsigned number = 1; good && getline(&line, &room, file) > 0; number++) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(place, sizeof(place), "%s:%u", path, number);
		good = replay_line(place, skip_head(line));
	}
	if (good && tl_scripted_violations(session.scripted, &text) != 0) {
		printf("%s: the engine broke the target's contract: %s\n", path, text);
		good = false;
	}
	if (good && compared == 0) {
		printf("%s: there is no reply in it to compare\n", path);
		good = false;
	}
	printf("%s %s\n", good ? "ok" : "FAILED", path);
	rsp_session_close(&session);
	free(line);
	fclose(file);
	return good;
}

int main(int count, char **arguments)
{
	bool good = count > 1;

	if (count == 3 && strcmp(arguments[1], "--record") == 0)
		return serve(arguments[2]);
	if (count < 2)
		fprintf(stderr, "usage: replay FILE… | replay --record FILE\n");
	for (int i = 1; i < count; i++)
		good &= replay(arguments[i]);
	return good ? 0 : 1;
}
