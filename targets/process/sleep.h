/*
 * Threads asleep in vfork(2). The kernel lets nothing but a deadly signal wake one before its child lets go of the
 * memory, and PTRACE_INTERRUPT does not. A client need not wait for that: the thread cannot execute anything either, so
 * that it may be shown as stopped, with the registers that it had as it went to sleep. Its real stop, behind the sleep
 * (PTRACE_EVENT_VFORK_DONE), then waits until it is set going.
 *
 * All calls are made on the control thread.
 */
#ifndef TL_TARGETS_PROCESS_SLEEP_H
#define TL_TARGETS_PROCESS_SLEEP_H

#include "targets/process/state.h"

/* The thread, which stands in its vfork event, is about to go on into its sleep. Without storage it will not be shown.
 */
void tl_process_sleep_begin(struct process_target *target, struct traced_thread *thread);

/* Has the loop stop a sleeping thread in the engine's eyes. */
enum tl_status tl_process_sleep_stop(struct process_target *target, const struct traced_thread *thread);

/* Whether the status is none that is to be handled now: made up, or of a real stop that is to wait. */
bool tl_process_sleep_takes(struct process_target *target, struct traced_thread *thread, int status);

/* A thread in PLACE_ASLEEP goes on sleeping in the engine's eyes too. */
void tl_process_sleep_resume(struct traced_thread *thread, const struct tl_run_request *request);

/* Gives storage back. */
void tl_process_sleep_forget(struct traced_thread *thread);

#endif
