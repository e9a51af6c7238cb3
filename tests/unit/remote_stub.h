/*
 * A stub for tests of the remote target: a thread that answers packets over a socket pair as a function says, honestly
 * framed or not. The target waits for answers inside its operations, so that the stub cannot be in the same thread.
 */
#ifndef TL_TESTS_UNIT_REMOTE_STUB_H
#define TL_TESTS_UNIT_REMOTE_STUB_H

#include "base/storage.h"
#include "core/engine/engine.h"
#include "core/rsp/framing.h"
#include "targets/remote/remote.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STUB_LOG 65536

struct stub;
/* Answers a packet (^C is "\3", and "-" the wish to have the last answer again): by stub_reply, by stub_raw, or not at
 * all. */
typedef void stub_answer(struct stub *stub, const char *packet);

struct stub {
	int descriptor; /* its own end */
	int client;     /* for tl_remote_target_create_over */
	pthread_t thread;
	stub_answer *answer;
	bool acknowledges;
	bool has_points; /* for the answers below */
	int count;       /* the test's own */
	pthread_mutex_t lock;
	char log[STUB_LOG]; /* packets that came, each with a line feed */
	size_t log_size;
};

static inline void stub_raw(struct stub *stub, const void *bytes, size_t size)
{
	(void)!send(stub->descriptor, bytes, size, MSG_NOSIGNAL);
}

static inline void stub_reply(struct stub *stub, const char *text)
{
	static __thread tl_u8 frame[70000];
	size_t size = strlen(text);

	memcpy(frame + TL_FRAME_HEAD, text, size);
	stub_raw(stub, frame, tl_frame_encode(frame, '$', size));
}

static inline void stub_note(struct stub *stub, const char *packet)
{
	size_t size = strlen(packet);

	pthread_mutex_lock(&stub->lock);
	if (stub->log_size + size + 2 < sizeof(stub->log)) {
		memcpy(stub->log + stub->log_size, packet, size);
		stub->log_size += size;
		stub->log[stub->log_size++] = '\n';
		stub->log[stub->log_size] = '\0';
	}
	pthread_mutex_unlock(&stub->lock);
}

/* Whether such a packet came. */
static inline bool stub_saw(struct stub *stub, const char *packet)
{
	char line[256];
	bool found;

	(void)snprintf(line, sizeof(line), "\n%s\n", packet);
	pthread_mutex_lock(&stub->lock);
	found = strstr(stub->log, line) != NULL;
	pthread_mutex_unlock(&stub->lock);
	return found;
}

static inline void stub_take(struct stub *stub, struct tl_frame_decoder *decoder, enum tl_frame_item item)
{
	if (item == TL_FRAME_INTERRUPT) {
		stub_note(stub, "^C");
		stub->answer(stub, "\3");
	} else if (item == TL_FRAME_NAK) {
		stub->answer(stub, "-");
	} else if (item == TL_FRAME_PACKET) {
		decoder->buffer[decoder->size] = 0;
		if (stub->acknowledges)
			stub_raw(stub, "+", 1);
		stub_note(stub, (const char *)decoder->buffer);
		if (strcmp((const char *)decoder->buffer, "QStartNoAckMode") == 0)
			stub->acknowledges = false;
		stub->answer(stub, (const char *)decoder->buffer);
	}
}

static inline void *stub_run(void *context)
{
	static __thread tl_u8 buffer[70001];
	struct stub *stub = context;
	struct tl_frame_decoder decoder;
	tl_u8 input[4096];
	ssize_t size;

	tl_frame_decoder_init(&decoder, buffer, sizeof(buffer) - 1);
	while ((size = read(stub->descriptor, input, sizeof(input))) > 0) {
		const tl_u8 *at = input;

		while (at != input + size)
			stub_take(stub, &decoder, tl_frame_decode(&decoder, &at, input + size));
	}
	return NULL;
}

static inline void stub_start(struct stub *stub, stub_answer *answer)
{
	int ends[2];

	*stub = (struct stub){.answer = answer, .acknowledges = true, .log = "\n", .log_size = 1};
	pthread_mutex_init(&stub->lock, NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	stub->client = ends[0];
	stub->descriptor = ends[1];
	if (pthread_create(&stub->thread, NULL, stub_run, stub) != 0)
		abort();
}

/* After the target has closed its end. */
static inline void stub_end(struct stub *stub)
{
	shutdown(stub->descriptor, SHUT_RDWR);
	pthread_join(stub->thread, NULL);
	close(stub->descriptor);
	pthread_mutex_destroy(&stub->lock);
}

#endif
