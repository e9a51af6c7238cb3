/*
 * Tracing: what the program says of itself when asked with --trace CHANNEL[,CHANNEL…][:FILE].
 *
 * One line an event: seconds since the start, channel, text. A channel that is off costs one load and one branch. Trace
 * state is of the process (the one piece of global state in the hosted code; it is set up before any thread starts),
 * and lines may be written from any thread.
 */
#ifndef TL_BASE_TRACE_H
#define TL_BASE_TRACE_H

#include "base/error.h"
#include "core/types.h"

/* X(NAME, name, what it shows) */
#define TL_TRACE_TABLE(X)                                                                                              \
	X(PACKETS, packets, "every packet of the remote protocol, as --replay reads it")                               \
	X(EVENTS, events, "events that targets post, and what the engine makes of them")                               \
	X(STATES, states, "every change of a thread's state")                                                          \
	X(POINTS, points, "points inserted, removed and stepped over")                                                 \
	X(PTRACE, ptrace, "every ptrace and waitpid call with its result")                                             \
	X(MEMORY, memory, "reads and writes of the program's memory")                                                  \
	X(LOOP, loop, "what wakes the event loop")                                                                     \
	X(ERRORS, errors, "every error where it is born")

enum tl_trace_channel {
#define X(upper, lower, text) TL_TRACE_##upper,
	TL_TRACE_TABLE(X)
#undef X
		TL_TRACE_MAX
};

extern tl_u32 tl_trace_mask;

/* True when the channel is on. Any thread. */
static inline bool tl_tracing(enum tl_trace_channel channel)
{
	return __builtin_expect((tl_trace_mask >> channel & 1) != 0, 0);
}

/* Reads a --trace argument: channels or "all", then optionally ":FILE" (default stderr; "-" is stderr too). */
TL_CHECKED enum tl_status tl_trace_setup(const char *argument, struct tl_error *error);
/* Turns all channels off and closes the file. */
void tl_trace_close(void);

/* Writes a line, whether the channel is on or not; keeps errno. Use TL_TRACE. Any thread. */
void tl_trace_line(enum tl_trace_channel channel, const char *format, ...) TL_PRINTF(2, 3);
#define TL_TRACE(channel, ...)                                                                                         \
	do {                                                                                                           \
		if (tl_tracing(TL_TRACE_##channel))                                                                    \
			tl_trace_line(TL_TRACE_##channel, __VA_ARGS__);                                                \
	} while (0)

#endif
