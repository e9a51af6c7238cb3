/*
 * How removal is safe. Sources stand in one list, in the order they were added. While a turn runs, a removed source is
 * only marked; the list is swept when the outermost turn ends. Every call of a turn can thus be followed by a look at
 * the next source, whatever the call removed. A source that was added in this turn, or that a nested turn has served
 * meanwhile, is not served again: its number of the last turn is not below this turn's.
 */
#include "base/loop.h"
#include "base/storage.h"
#include "base/trace.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_A_TURN 32

enum source_kind { SOURCE_DESCRIPTOR, SOURCE_SIGNAL, SOURCE_TIMER, SOURCE_DEFERRED };

struct tl_source {
	struct tl_loop *loop;
	struct tl_source *next;
	struct tl_source **link; /* the pointer that points here */
	const char *name;
	void *context;
	enum source_kind kind;
	bool removed;
	bool in_epoll;
	bool unpollable; /* a regular file: epoll refuses it, and it is always ready */
	bool due;        /* a timer that was not called yet, a deferred call that was triggered */
	int descriptor;
	unsigned wanted;
	int signal;
	tl_u64 deadline; /* of a timer, nanoseconds of the monotonic clock */
	tl_u64 turn;     /* the last turn in which it was served, or the one in which it was added */
	union {
		tl_descriptor_call *descriptor;
		tl_signal_call *signal;
		tl_call *plain;
	} call;
};

struct tl_loop {
	int epoll;
	unsigned depth; /* turns nested in one another */
	tl_u64 turn;
	struct tl_source *first;
	struct tl_source **last;
	bool sweep;
	bool quit;
	int value;
};

/*
 * The signal mask before the first signal source of this thread. It belongs to the thread, as the mask itself does, and
 * a forked child finds it without any loop at hand.
 */
static _Thread_local sigset_t mask_before;
static _Thread_local unsigned signals_blocked;

static tl_u64 now_nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (tl_u64)now.tv_sec * 1000000000u + (tl_u64)now.tv_nsec;
}

enum tl_status tl_loop_create(struct tl_loop **loop_ret, struct tl_error *error)
{
	struct tl_loop *loop = tl_allocate(tl_storage(), sizeof(*loop));

	if (loop == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the event loop");
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		(void)TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot make the event loop's epoll descriptor");
		tl_release(tl_storage(), loop, sizeof(*loop));
		return TL_ERROR_SYSTEM;
	}
	loop->last = &loop->first;
	*loop_ret = loop;
	return TL_OK;
}

void tl_loop_destroy(struct tl_loop *loop)
{
	if (loop == NULL)
		return;
	while (loop->first != NULL)
		tl_source_remove(loop->first);
	close(loop->epoll);
	tl_release(tl_storage(), loop, sizeof(*loop));
}

static struct tl_source *add_source(struct tl_loop *loop, enum source_kind kind, const char *name, void *context)
{
	struct tl_source *source = tl_allocate(tl_storage(), sizeof(*source));

	if (source == NULL)
		return NULL;
	source->loop = loop;
	source->kind = kind;
	source->name = name;
	source->context = context;
	source->descriptor = -1;
	source->turn = loop->turn;
	source->link = loop->last;
	*loop->last = source;
	loop->last = &source->next;
	return source;
}

static void free_source(struct tl_source *source)
{
	*source->link = source->next;
	if (source->next != NULL)
		source->next->link = source->link;
	else
		source->loop->last = source->link;
	tl_release(tl_storage(), source, sizeof(*source));
}

static enum tl_status no_memory(struct tl_error *error, const char *name)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the event source \"%s\"", name);
}

/* Tells epoll what the source wants. One that wants nothing leaves it, lest a hangup wake the loop over and over. */
static enum tl_status update_epoll(struct tl_source *source, unsigned wanted, struct tl_error *error)
{
	struct epoll_event event = {.data.ptr = source};
	int operation = EPOLL_CTL_MOD;

	if (wanted & TL_READABLE)
		event.events |= EPOLLIN;
	if (wanted & TL_WRITABLE)
		event.events |= EPOLLOUT;
	if (wanted == 0)
		operation = EPOLL_CTL_DEL;
	else if (!source->in_epoll)
		operation = EPOLL_CTL_ADD;
	if (!source->unpollable && (wanted != 0 || source->in_epoll) &&
	    epoll_ctl(source->loop->epoll, operation, source->descriptor, &event) != 0) {
		if (errno != EPERM || operation != EPOLL_CTL_ADD)
			return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot wait for descriptor %d (%s)",
					     source->descriptor, source->name);
		source->unpollable = true;
	}
	source->in_epoll = wanted != 0 && !source->unpollable;
	source->wanted = wanted;
	return TL_OK;
}

enum tl_status tl_loop_add_descriptor(struct tl_loop *loop, const char *name, int descriptor, unsigned wanted,
				      tl_descriptor_call *call, void *context, struct tl_source **source_ret,
				      struct tl_error *error)
{
	struct tl_source *source = add_source(loop, SOURCE_DESCRIPTOR, name, context);
	enum tl_status status;

	if (source == NULL)
		return no_memory(error, name);
	source->descriptor = descriptor;
	source->call.descriptor = call;
	status = update_epoll(source, wanted, error);
	if (status != TL_OK) {
		free_source(source);
		return status;
	}
	*source_ret = source;
	return TL_OK;
}

enum tl_status tl_source_want(struct tl_source *source, unsigned wanted, struct tl_error *error)
{
	return wanted == source->wanted ? TL_OK : update_epoll(source, wanted, error);
}

static struct tl_source *find_signal(struct tl_loop *loop, int signal)
{
	for (struct tl_source *source = loop->first; source != NULL; source = source->next)
		if (source->kind == SOURCE_SIGNAL && source->signal == signal && !source->removed)
			return source;
	return NULL;
}

static void block_signal(const sigset_t *set)
{
	sigset_t before;

	pthread_sigmask(SIG_BLOCK, set, &before);
	if (signals_blocked++ == 0)
		mask_before = before;
}

static void unblock_signal(int signal)
{
	sigset_t set;

	signals_blocked--;
	if (sigismember(&mask_before, signal))
		return;
	sigemptyset(&set);
	sigaddset(&set, signal);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

enum tl_status tl_loop_add_signal(struct tl_loop *loop, int signal, tl_signal_call *call, void *context,
				  struct tl_source **source_ret, struct tl_error *error)
{
	struct tl_source *source;
	enum tl_status status;
	sigset_t set;

	if (find_signal(loop, signal) != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "signal %d has an event source already", signal);
	sigemptyset(&set);
	if (sigaddset(&set, signal) != 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "there is no signal %d", signal);
	source = add_source(loop, SOURCE_SIGNAL, "signal", context);
	if (source == NULL)
		return no_memory(error, "signal");
	source->signal = signal;
	source->call.signal = call;
	source->descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (source->descriptor < 0) {
		(void)TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot make a signalfd for signal %d", signal);
		free_source(source);
		return TL_ERROR_SYSTEM;
	}
	status = update_epoll(source, TL_READABLE, error);
	if (status != TL_OK) {
		close(source->descriptor);
		free_source(source);
		return status;
	}
	block_signal(&set);
	*source_ret = source;
	return TL_OK;
}

void tl_loop_child_signals(void)
{
	if (signals_blocked != 0)
		sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

enum tl_status tl_loop_add_timer(struct tl_loop *loop, const char *name, tl_u64 milliseconds, tl_call *call,
				 void *context, struct tl_source **source_ret, struct tl_error *error)
{
	struct tl_source *source = add_source(loop, SOURCE_TIMER, name, context);
	tl_u64 now = now_nanoseconds();

	if (source == NULL)
		return no_memory(error, name);
	source->call.plain = call;
	source->deadline = milliseconds < (TL_U64_MAX - now) / 1000000 ? now + milliseconds * 1000000 : TL_U64_MAX;
	source->due = true;
	*source_ret = source;
	return TL_OK;
}

enum tl_status tl_loop_add_deferred(struct tl_loop *loop, const char *name, tl_call *call, void *context,
				    struct tl_source **source_ret, struct tl_error *error)
{
	struct tl_source *source = add_source(loop, SOURCE_DEFERRED, name, context);

	if (source == NULL)
		return no_memory(error, name);
	source->call.plain = call;
	*source_ret = source;
	return TL_OK;
}

void tl_source_trigger(struct tl_source *source)
{
	source->due = true;
}

void tl_source_remove(struct tl_source *source)
{
	if (source == NULL || source->removed)
		return;
	source->removed = true;
	/* The descriptor may have been closed already, and with that have left epoll. */
	if (source->in_epoll)
		(void)epoll_ctl(source->loop->epoll, EPOLL_CTL_DEL, source->descriptor, &(struct epoll_event){0});
	if (source->kind == SOURCE_SIGNAL) {
		close(source->descriptor);
		unblock_signal(source->signal);
	}
	if (source->loop->depth == 0)
		free_source(source);
	else
		source->loop->sweep = true;
}

static void sweep(struct tl_loop *loop)
{
	struct tl_source *next;

	loop->sweep = false;
	for (struct tl_source *source = loop->first; source != NULL; source = next) {
		next = source->next;
		if (source->removed)
			free_source(source);
	}
}

/* True when the source may still be served in turn `turn`; it then counts as served. */
static bool take_turn(struct tl_source *source, tl_u64 turn)
{
	if (source->removed || source->turn >= turn)
		return false;
	source->turn = turn;
	TL_TRACE(LOOP, "%s", source->name);
	return true;
}

static void serve_descriptor(struct tl_source *source, unsigned ready, tl_u64 turn)
{
	struct signalfd_siginfo info;

	/* A reader that only reads must hear of a hangup too: its next read tells it. */
	if (ready & TL_HANGUP)
		ready |= TL_READABLE | TL_WRITABLE;
	/* Of what epoll said, a call before this one in the same turn may have taken some back. */
	ready &= source->wanted != 0 ? source->wanted | TL_HANGUP : 0;
	if (ready == 0 || !take_turn(source, turn))
		return;
	if (source->kind == SOURCE_DESCRIPTOR)
		source->call.descriptor(source->context, source, source->descriptor, ready);
	else if (read(source->descriptor, &info, sizeof(info)) == (ssize_t)sizeof(info))
		source->call.signal(source->context, source, source->signal);
}

static unsigned ready_of(unsigned events)
{
	unsigned ready = 0;

	if (events & EPOLLIN)
		ready |= TL_READABLE;
	if (events & EPOLLOUT)
		ready |= TL_WRITABLE;
	if (events & (EPOLLHUP | EPOLLERR))
		ready |= TL_HANGUP;
	return ready;
}

/* How long epoll may wait, in milliseconds: until the next timer, not at all when something is due already. */
static int wait_time(struct tl_loop *loop, int milliseconds)
{
	tl_u64 next = TL_U64_MAX, now, left;

	for (struct tl_source *source = loop->first; source != NULL; source = source->next) {
		if (source->removed)
			continue;
		if ((source->kind == SOURCE_DEFERRED && source->due) || (source->unpollable && source->wanted != 0))
			return 0;
		if (source->kind == SOURCE_TIMER && source->due && source->deadline < next)
			next = source->deadline;
	}
	if (next == TL_U64_MAX)
		return milliseconds;
	now = now_nanoseconds();
	/* Rounded up: a wait that ends before the timer is due would be made again, and again. */
	left = next > now ? (next - now + 999999) / 1000000 : 0;
	if (milliseconds >= 0 && (tl_u64)milliseconds < left)
		return milliseconds;
	return left < INT_MAX ? (int)left : INT_MAX;
}

static void serve_list(struct tl_loop *loop, tl_u64 turn)
{
	tl_u64 now = now_nanoseconds();

	for (struct tl_source *source = loop->first; source != NULL; source = source->next) {
		if (source->kind == SOURCE_TIMER && source->due && source->deadline <= now && take_turn(source, turn)) {
			source->due = false;
			source->call.plain(source->context, source);
		} else if (source->unpollable) {
			serve_descriptor(source, source->wanted, turn);
		}
	}
	for (struct tl_source *source = loop->first; source != NULL; source = source->next) {
		if (source->kind == SOURCE_DEFERRED && source->due && take_turn(source, turn)) {
			source->due = false;
			source->call.plain(source->context, source);
		}
	}
}

enum tl_status tl_loop_turn(struct tl_loop *loop, int milliseconds, struct tl_error *error)
{
	struct epoll_event events[EVENTS_A_TURN];
	tl_u64 turn;
	int count;

	count = epoll_wait(loop->epoll, events, EVENTS_A_TURN, wait_time(loop, milliseconds));
	if (count < 0 && errno != EINTR)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "epoll_wait failed");
	turn = ++loop->turn;
	loop->depth++;
	for (int i = 0; i < count; i++)
		serve_descriptor(events[i].data.ptr, ready_of(events[i].events), turn);
	serve_list(loop, turn);
	loop->depth--;
	if (loop->depth == 0 && loop->sweep)
		sweep(loop);
	return TL_OK;
}

int tl_loop_run(struct tl_loop *loop, struct tl_error *error)
{
	while (!loop->quit)
		if (tl_loop_turn(loop, -1, error) != TL_OK)
			return -1;
	loop->quit = false;
	return loop->value;
}

void tl_loop_quit(struct tl_loop *loop, int value)
{
	loop->quit = true;
	loop->value = value;
}

/* The messages are a ring. The eventfd is readable while there are any. */
struct tl_mailbox {
	pthread_mutex_t lock;
	tl_u8 *messages;
	tl_size message_size;
	tl_size capacity;
	tl_size first;
	tl_size count;
	int descriptor;
	struct tl_source *source;
	tl_call *call;
	void *context;
};

static void mailbox_ready(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_mailbox *mailbox = context;

	(void)descriptor;
	(void)ready;
	mailbox->call(mailbox->context, source);
}

enum tl_status tl_mailbox_create(struct tl_loop *loop, const char *name, tl_size message_size, tl_call *call,
				 void *context, struct tl_mailbox **mailbox_ret, struct tl_error *error)
{
	struct tl_mailbox *mailbox = tl_allocate(tl_storage(), sizeof(*mailbox));
	enum tl_status status;

	if (mailbox == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the mailbox \"%s\"", name);
	mailbox->message_size = message_size;
	mailbox->call = call;
	mailbox->context = context;
	mailbox->descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (mailbox->descriptor < 0) {
		status = TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot make an eventfd for the mailbox \"%s\"", name);
		tl_release(tl_storage(), mailbox, sizeof(*mailbox));
		return status;
	}
	pthread_mutex_init(&mailbox->lock, NULL);
	status = tl_loop_add_descriptor(loop, name, mailbox->descriptor, TL_READABLE, mailbox_ready, mailbox,
					&mailbox->source, error);
	if (status != TL_OK) {
		tl_mailbox_destroy(mailbox);
		return status;
	}
	*mailbox_ret = mailbox;
	return TL_OK;
}

void tl_mailbox_destroy(struct tl_mailbox *mailbox)
{
	if (mailbox == NULL)
		return;
	tl_source_remove(mailbox->source);
	close(mailbox->descriptor);
	pthread_mutex_destroy(&mailbox->lock);
	tl_release(tl_storage(), mailbox->messages, mailbox->capacity * mailbox->message_size);
	tl_release(tl_storage(), mailbox, sizeof(*mailbox));
}

/* Doubles the ring; what lies before its first message moves behind the rest. */
static bool mailbox_grow(struct tl_mailbox *mailbox)
{
	tl_size size = mailbox->message_size, before = mailbox->capacity;
	void *messages = mailbox->messages;

	if (!tl_grow(tl_storage(), &messages, &mailbox->capacity, mailbox->count, size))
		return false;
	mailbox->messages = messages;
	if (mailbox->capacity != before && mailbox->first != 0)
		memcpy(mailbox->messages + before * size, mailbox->messages, mailbox->first * size);
	return true;
}

enum tl_status tl_mailbox_post(struct tl_mailbox *mailbox, const void *message)
{
	tl_size size = mailbox->message_size;
	enum tl_status status = TL_OK;

	pthread_mutex_lock(&mailbox->lock);
	if (mailbox_grow(mailbox)) {
		memcpy(mailbox->messages + (mailbox->first + mailbox->count) % mailbox->capacity * size, message, size);
		if (mailbox->count++ == 0)
			(void)eventfd_write(mailbox->descriptor, 1);
	} else {
		status = TL_ERROR_NO_MEMORY;
	}
	pthread_mutex_unlock(&mailbox->lock);
	return status;
}

bool tl_mailbox_take(struct tl_mailbox *mailbox, void *message_ret)
{
	tl_size size = mailbox->message_size;
	eventfd_t value;
	bool some;

	pthread_mutex_lock(&mailbox->lock);
	some = mailbox->count != 0;
	if (some) {
		memcpy(message_ret, mailbox->messages + mailbox->first * size, size);
		mailbox->first = (mailbox->first + 1) % mailbox->capacity;
		if (--mailbox->count == 0)
			(void)eventfd_read(mailbox->descriptor, &value);
	}
	pthread_mutex_unlock(&mailbox->lock);
	return some;
}
