/*
 * The event loop of the control thread: descriptors, signals, timers, deferred calls and mailboxes, over epoll.
 *
 * Only the control thread may call these, except tl_mailbox_post. Nothing here sleeps or polls: the loop waits in
 * epoll_wait until a source is ready or the next timer is due. A source is dispatched with at most one call per turn,
 * so that one that is always ready cannot keep the others waiting. A source may remove itself or any other during its
 * own call.
 */
#ifndef TL_BASE_LOOP_H
#define TL_BASE_LOOP_H

#include "base/error.h"
#include "core/types.h"

struct tl_loop;
struct tl_source;

#define TL_READABLE 1u
#define TL_WRITABLE 2u
#define TL_HANGUP 4u

typedef void tl_descriptor_call(void *context, struct tl_source *source, int descriptor, unsigned ready);
typedef void tl_signal_call(void *context, struct tl_source *source, int signal);
typedef void tl_call(void *context, struct tl_source *source);

/* The caller destroys it. */
TL_CHECKED enum tl_status tl_loop_create(struct tl_loop **loop_ret, struct tl_error *error);
/* Removes every source; NULL is fine. Not from inside a turn. Descriptors stay open: they belong to whoever opened
 * them. */
void tl_loop_destroy(struct tl_loop *loop);

/* Dispatches until tl_loop_quit. Returns the value given to it, or -1 with `error` when epoll itself failed. */
int tl_loop_run(struct tl_loop *loop, struct tl_error *error);
void tl_loop_quit(struct tl_loop *loop, int value);
/* One turn, waiting at most `milliseconds` (-1: for ever, 0: not at all). */
TL_CHECKED enum tl_status tl_loop_turn(struct tl_loop *loop, int milliseconds, struct tl_error *error);

/*
 * `name` is a constant for traces ("client", "signals"). A hangup or an error of the descriptor comes as TL_HANGUP
 * together with all that was wanted, so that the next read or write tells what is wrong. A source that wants 0 hears
 * nothing, not even of a hangup. Regular files are always ready. Remove the source before closing its descriptor.
 */
TL_CHECKED enum tl_status tl_loop_add_descriptor(struct tl_loop *loop, const char *name, int descriptor,
						 unsigned wanted, tl_descriptor_call *call, void *context,
						 struct tl_source **source_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_source_want(struct tl_source *source, unsigned wanted, struct tl_error *error);

/*
 * Blocks `signal` in this thread and hears of it through a signalfd; tl_loop_destroy and tl_source_remove restore the
 * mask. Children must reset their mask before exec: tl_loop_child_signals.
 */
TL_CHECKED enum tl_status tl_loop_add_signal(struct tl_loop *loop, int signal, tl_signal_call *call, void *context,
					     struct tl_source **source_ret, struct tl_error *error);
/* In a forked child: puts back the signal mask that the process had before the first tl_loop_add_signal.
 * Async-signal-safe. */
void tl_loop_child_signals(void);

/* Once, after `milliseconds`. The source then is idle until it is removed, which its own call may do. */
TL_CHECKED enum tl_status tl_loop_add_timer(struct tl_loop *loop, const char *name, tl_u64 milliseconds, tl_call *call,
					    void *context, struct tl_source **source_ret, struct tl_error *error);

/* A call at the end of a turn, each time tl_source_trigger was called since the last; for work that must not nest. */
TL_CHECKED enum tl_status tl_loop_add_deferred(struct tl_loop *loop, const char *name, tl_call *call, void *context,
					       struct tl_source **source_ret, struct tl_error *error);
void tl_source_trigger(struct tl_source *source);

/* NULL is fine. */
void tl_source_remove(struct tl_source *source);

/*
 * A mailbox: messages of a fixed size from any thread to the control thread, in order. Posting never blocks; it fails
 * with TL_ERROR_NO_MEMORY only. `call` runs once a turn while there are messages; take them with tl_mailbox_take.
 */
struct tl_mailbox;
TL_CHECKED enum tl_status tl_mailbox_create(struct tl_loop *loop, const char *name, tl_size message_size, tl_call *call,
					    void *context, struct tl_mailbox **mailbox_ret, struct tl_error *error);
void tl_mailbox_destroy(struct tl_mailbox *mailbox);
TL_CHECKED enum tl_status tl_mailbox_post(struct tl_mailbox *mailbox, const void *message); /* any thread */
bool tl_mailbox_take(struct tl_mailbox *mailbox, void *message_ret);

#endif
