/*
 * The rows of the bench: what is done to each server, and the figure that comes out of one sample.
 *
 * A row with `program` keeps one session for each server through all rounds, so that the samples alternate between
 * servers that are in the same state; a row without it makes and ends its sessions inside the sample.
 */
#ifndef TL_BENCH_ROWS_H
#define TL_BENCH_ROWS_H

#include "bench/server.h"

/* What a client says of the size of a trap instruction. */
#if defined(__aarch64__)
#define TL_TRAP_SIZE 4
#else
#define TL_TRAP_SIZE 1
#endif

struct tl_settings {
	char *hot;      /* path of the fixture with the hot functions */
	char *threads;  /* path of the fixture with many threads */
	char count[24]; /* calls of a hot function in a round */
	char thread_count[24];
	long turns;  /* `count` as a number */
	long cycles; /* stops, steps or interrupts in one sample */
	uint64_t ready, done, push, multiply, range, range_end, bulk, threads_ready;
	pid_t many_threads; /* a running `threads` process to attach to */
};

struct tl_session {
	struct tl_settings *settings;
	const struct tl_server_kind *kind;
	struct tl_server server;
};

enum tl_program { TL_PROGRAM_NONE, TL_PROGRAM_HOT, TL_PROGRAM_THREADS };

struct tl_row {
	const char *name;
	const char *unit;
	const char *what;
	enum tl_program program;
	/* Called once after the program stands in bench_ready; may be NULL. */
	bool (*prepare)(struct tl_session *session);
	/* One sample. */
	bool (*sample)(struct tl_session *session, double *value_ret);
};

extern const struct tl_row tl_rows[];
extern const size_t tl_row_count;

#endif
