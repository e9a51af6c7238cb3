/*
 * The process target: Linux processes on this machine, through ptrace.
 *
 * It stands on the whole ladder of core/engine/target.h except reverse; everything goes through the operations. One
 * SIGCHLD source and one deferred call in the event loop are all it hears by: it never polls and never sleeps.
 * Launching, attaching, killing and calls in the program wait for the kernel inside the operation, each with a
 * deadline.
 *
 * The thread that creates the target is the tracer: every call must be made on it, and the loop must be its loop. All
 * of the calling process's children are waited for here (waitpid(-1)): an embedder that starts children of its own must
 * not rely on their exit status.
 *
 * docs/PTRACE_NOTES.md says what the kernel does and why the target does what it does.
 */
#ifndef TL_TARGETS_PROCESS_PROCESS_H
#define TL_TARGETS_PROCESS_PROCESS_H

#include "base/error.h"
#include "base/loop.h"
#include "core/engine/target.h"

struct tl_process_calls;

struct tl_process_options {
	/* A program that was launched here runs on if this server dies or destroys the target, instead of dying with
	 * it. */
	bool launched_survive;
	/* The system calls to use; NULL: the real ones. For tests (targets/process/calls.h). */
	const struct tl_process_calls *calls;
};

/*
 * Makes a process target in `loop`, which must outlive it. `options` may be NULL for the defaults and is copied. Hand
 * *target_ret to tl_engine_init before the loop turns again.
 */
TL_CHECKED enum tl_status tl_process_target_create(struct tl_loop *loop, const struct tl_process_options *options,
						   struct tl_target **target_ret, struct tl_error *error);

/*
 * Gives the target back. Processes that the engine has not left yet are let go (those attached to, and launched ones
 * that survive) or killed; what was written into their memory is the engine's to take back first (tl_engine_detach).
 * NULL is fine. Not from inside a call of the target's.
 */
void tl_process_target_destroy(struct tl_target *target);

#endif
