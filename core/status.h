/*
 * One integer says how a core function ended: TL_OK, or an error with an area and a code.
 *
 * Below the libc line errors carry no text of their own; the table in status.c gives each its sentence (what went wrong
 * and, where it helps, what to do) and the number that goes on the wire as `Enn` to a client that takes no text. Hosted
 * code wraps a status in a struct tl_error (base/error.h) that adds the origin and the particulars.
 */
#ifndef TL_CORE_STATUS_H
#define TL_CORE_STATUS_H

#include "core/types.h"

/*
 * X(name, wire, text). `wire` is an errno value of the remote protocol (GDB manual, "Errno Values" and the habits of
 * gdbserver: 1 where nothing fits better).
 */
#define TL_STATUS_TABLE(X)                                                                                             \
	X(TL_OK, 0, "success")                                                                                         \
	/* General */                                                                                                  \
	X(TL_ERROR_NO_MEMORY, 12, "out of memory: the storage that was handed to the core is used up")                 \
	X(TL_ERROR_ARGUMENT, 22, "an argument is out of range")                                                        \
	X(TL_ERROR_UNSUPPORTED, 95, "this target cannot do that")                                                      \
	X(TL_ERROR_INTERNAL, 1, "internal error: please report it with a trace (--trace all)")                         \
	X(TL_ERROR_SYSTEM, 5, "a system call failed")                                                                  \
	X(TL_ERROR_CANCELLED, 4, "cancelled")                                                                          \
	X(TL_ERROR_TIMEOUT, 110, "the deadline passed")                                                                \
	/* Bytes that someone else wrote */                                                                            \
	X(TL_ERROR_TRUNCATED, 22, "the input ends in the middle of an item")                                           \
	X(TL_ERROR_MALFORMED, 22, "the input is malformed")                                                            \
	X(TL_ERROR_TOO_LONG, 7, "the item is longer than its bound")                                                   \
	/* Threads and processes */                                                                                    \
	X(TL_ERROR_NO_PROCESS, 3, "no such process")                                                                   \
	X(TL_ERROR_NO_THREAD, 3, "no such thread")                                                                     \
	X(TL_ERROR_RUNNING, 16, "the thread is running: stop it first")                                                \
	X(TL_ERROR_NOT_RUNNING, 22, "the thread is not running")                                                       \
	X(TL_ERROR_GONE, 3, "the process or thread went away")                                                         \
	X(TL_ERROR_PERMISSION, 1, "operation not permitted")                                                           \
	X(TL_ERROR_LAUNCH, 1, "the program could not be started")                                                      \
	X(TL_ERROR_ATTACH, 1, "the process could not be attached to")                                                  \
	/* Memory and registers */                                                                                     \
	X(TL_ERROR_MEMORY, 14, "cannot access memory at that address")                                                 \
	X(TL_ERROR_REGISTER, 1, "no such register")                                                                    \
	/* Points */                                                                                                   \
	X(TL_ERROR_NO_POINT, 2, "no such point")                                                                       \
	X(TL_ERROR_POINT_FULL, 28, "not enough debug registers: remove a hardware point, or watch fewer bytes")        \
	X(TL_ERROR_POINT_SIZE, 22, "a point of that size is not possible")                                             \
	X(TL_ERROR_POINT_KIND, 95, "this target has no points of that kind")                                           \
	/* Names */                                                                                                    \
	X(TL_ERROR_NO_SYMBOL, 2, "nothing is called so")                                                               \
	/* Agent bytecode */                                                                                           \
	X(TL_ERROR_BYTECODE, 22, "the bytecode is not valid")                                                          \
	X(TL_ERROR_BYTECODE_STACK, 22, "the bytecode overflows or underflows its stack")                               \
	X(TL_ERROR_BYTECODE_STEPS, 110, "the bytecode ran past its step limit")                                        \
	X(TL_ERROR_DIVIDE, 33, "division by zero")                                                                     \
	/* The instruction decoder */                                                                                  \
	X(TL_ERROR_INSTRUCTION, 22, "not an instruction that the decoder knows")                                       \
	/* The remote protocol */                                                                                      \
	X(TL_ERROR_PACKET, 22, "malformed packet")                                                                     \
	X(TL_ERROR_CHECKSUM, 22, "the packet's checksum is wrong")                                                     \
	X(TL_ERROR_STATE, 1, "the target is not in a state in which that is possible")                                 \
	/* Not errors: what a packet handler says besides success */                                                   \
	X(TL_UNKNOWN_PACKET, 0, "the packet is not known")                                                             \
	X(TL_DEFERRED, 0, "the answer comes later")

enum tl_status {
#define X(name, wire, text) name,
	TL_STATUS_TABLE(X)
#undef X
		TL_STATUS_MAX
};

/* A constant sentence for any value, also one that is out of range. Any thread. */
const char *tl_status_text(enum tl_status status);

/* The number for `Enn`; 1 for a value that is out of range. Any thread. */
tl_u8 tl_status_wire(enum tl_status status);

/* The enumerator's own name, for traces. Any thread. */
const char *tl_status_name(enum tl_status status);

/* Returns early with the status of `expression` unless it is TL_OK. */
#define TL_TRY(expression)                                                                                             \
	do {                                                                                                           \
		enum tl_status tl_try_status = (expression);                                                           \
		if (tl_try_status != TL_OK)                                                                            \
			return tl_try_status;                                                                          \
	} while (0)

#endif
