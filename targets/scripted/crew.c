/* The crew of the scripted machine: its lock, its host threads, and the mailbox that their events go through. */
#include "targets/scripted/crew.h"

#include "base/storage.h"
#include "targets/scripted/internal.h"

#include <pthread.h>
#include <signal.h>

/* Events that are heard before the loop looks at its other sources again. */
#define HEARD_AT_ONCE 64
/* Instructions that a member executes before it lets others in: 1 to this many. */
#define STRETCH_MAX 8

struct message {
	struct tl_event event;
	tl_u64 sequence;
};

/* Executes the thread of one number, whichever that is: an exec gives a number to another thread. */
struct member {
	struct tl_crew *crew;
	tl_u64 number;
	pthread_t thread;
	pthread_cond_t woken;
	bool started; /* `thread` is to be joined */
	bool ended;   /* … and does nothing any more */
	tl_u64 random;
};

struct tl_crew {
	struct tl_scripted *machine;
	struct tl_mailbox *mailbox;
	/*
	 * `lock` guards the machine and all that follows. Whoever wants to execute waits in `queue` first, so that one
	 * member at most competes with the control thread for the lock, and none can keep it from others.
	 */
	pthread_mutex_t lock, queue;
	bool ending;
	tl_u64 unheard;
	struct member **members; /* index: number - 1; NULL: never needed */
	tl_size member_count, member_capacity;
};

/* ---- Members ---- */

static tl_u64 random_number(struct member *member)
{
	member->random ^= member->random << 13;
	member->random ^= member->random >> 7;
	member->random ^= member->random << 17;
	return member->random;
}

/* A few instructions; false when there is nothing to do. The lock is held. */
static bool work(struct member *member)
{
	struct tl_scripted *machine = member->crew->machine;
	bool worked = false;

	for (tl_u64 turns = 1 + random_number(member) % STRETCH_MAX; turns > 0; turns--) {
		struct tl_scripted_thread_state *thread = machine->numbers[member->number - 1].thread;

		if (thread == NULL || !tl_scripted_turn_of(machine, tl_scripted_id(thread)))
			break;
		worked = true;
	}
	return worked;
}

static void *live(void *context)
{
	struct member *member = context;
	struct tl_crew *crew = member->crew;

	pthread_mutex_lock(&crew->lock);
	while (!crew->ending && crew->machine->numbers[member->number - 1].thread != NULL) {
		if (!work(member)) {
			pthread_cond_wait(&member->woken, &crew->lock);
			continue;
		}
		pthread_mutex_unlock(&crew->lock);
		pthread_mutex_lock(&crew->queue);
		pthread_mutex_lock(&crew->lock);
		pthread_mutex_unlock(&crew->queue);
	}
	member->ended = true;
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

/* The record of that number, made now if need be; NULL when there is no memory. */
static struct member *find_member(struct tl_crew *crew, tl_u64 number)
{
	while (crew->member_count < number) {
		void *members = crew->members;

		if (!tl_grow(tl_storage(), &members, &crew->member_capacity, crew->member_count,
			     sizeof(*crew->members)))
			return NULL;
		crew->members = members;
		crew->members[crew->member_count++] = NULL;
	}
	if (crew->members[number - 1] == NULL) {
		struct member *member = tl_allocate(tl_storage(), sizeof(*member));

		if (member == NULL)
			return NULL;
		member->crew = crew;
		member->number = number;
		member->random = (crew->machine->options.seed + number) * 0x9e3779b97f4a7c15u | 1;
		pthread_cond_init(&member->woken, NULL);
		crew->members[number - 1] = member;
	}
	return crew->members[number - 1];
}

/* A new thread of the host. Signals are the control thread's. */
static bool start(struct member *member)
{
	sigset_t all, before;
	int failed;

	if (member->started && !member->ended)
		return true;
	if (member->started) /* it is out of the lock, or about to leave it for good */
		pthread_join(member->thread, NULL);
	member->started = member->ended = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&member->thread, NULL, live, member);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	member->started = failed == 0;
	return member->started;
}

/* ---- What the machine calls ---- */

static void enter(void *context)
{
	struct tl_crew *crew = context;

	pthread_mutex_lock(&crew->lock);
}

static void leave(void *context)
{
	struct tl_crew *crew = context;

	pthread_mutex_unlock(&crew->lock);
}

static void send(void *context, const struct tl_event *event, tl_u64 sequence)
{
	struct tl_crew *crew = context;
	struct message message = {*event, sequence};

	if (tl_mailbox_post(crew->mailbox, &message) == TL_OK)
		crew->unheard++;
	else
		tl_scripted_violation(crew->machine, "an event was lost, as there was no memory for it");
}

static void stir(void *context, tl_u64 number)
{
	struct tl_crew *crew = context;
	bool there = crew->machine->numbers[number - 1].thread != NULL;
	struct member *member;

	if (crew->ending || (!there && number > crew->member_count))
		return;
	member = find_member(crew, number);
	if (member == NULL || (there && !start(member)))
		tl_scripted_violation(crew->machine, "there is no thread of the host to be had for a thread");
	else
		pthread_cond_signal(&member->woken);
}

static const struct tl_scripted_hooks hooks = {enter, leave, send, stir};

/* ---- The control thread ---- */

static void hear(struct tl_crew *crew, const struct message *message)
{
	struct tl_scripted_thread_state *thread;

	pthread_mutex_lock(&crew->lock);
	crew->unheard--;
	thread = tl_scripted_find_thread(crew->machine, message->event.thread);
	if (thread != NULL && message->sequence != 0 && thread->untold == message->sequence)
		thread->untold = 0;
	pthread_mutex_unlock(&crew->lock);
	tl_scripted_tell(crew->machine, &message->event);
}

static void take_messages(void *context, struct tl_source *source)
{
	struct tl_crew *crew = context;
	struct message message;

	(void)source;
	for (unsigned i = 0; i < HEARD_AT_ONCE && tl_mailbox_take(crew->mailbox, &message); i++)
		hear(crew, &message);
}

enum tl_status tl_crew_create(struct tl_loop *loop, const struct tl_scripted_options *options,
			      struct tl_crew **crew_ret, struct tl_error *error)
{
	struct tl_crew *crew = tl_allocate(tl_storage(), sizeof(*crew));
	pthread_mutexattr_t nesting;
	enum tl_status status;

	if (crew == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the crew of a scripted machine");
	pthread_mutexattr_init(&nesting);
	pthread_mutexattr_settype(&nesting, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&crew->lock, &nesting);
	pthread_mutexattr_destroy(&nesting);
	pthread_mutex_init(&crew->queue, NULL);
	crew->machine = tl_allocate(tl_storage(), tl_scripted_size());
	status = crew->machine != NULL ? tl_scripted_init(crew->machine, options) : TL_ERROR_NO_MEMORY;
	if (status != TL_OK) {
		tl_crew_destroy(crew);
		return TL_FAIL(error, status, "the scripted machine cannot be made (%s)", tl_status_text(status));
	}
	crew->machine->hooks = &hooks;
	crew->machine->hooks_context = crew;
	status =
		tl_mailbox_create(loop, "scripted", sizeof(struct message), take_messages, crew, &crew->mailbox, error);
	if (status != TL_OK) {
		tl_crew_destroy(crew);
		return status;
	}
	*crew_ret = crew;
	return TL_OK;
}

/* Wakes every member and waits for its end. */
static void dismiss(struct tl_crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->ending = true;
	for (tl_size i = 0; i < crew->member_count; i++)
		if (crew->members[i] != NULL)
			pthread_cond_signal(&crew->members[i]->woken);
	pthread_mutex_unlock(&crew->lock);
	for (tl_size i = 0; i < crew->member_count; i++) {
		struct member *member = crew->members[i];

		if (member == NULL)
			continue;
		if (member->started)
			pthread_join(member->thread, NULL);
		pthread_cond_destroy(&member->woken);
		tl_release(tl_storage(), member, sizeof(*member));
	}
	tl_release(tl_storage(), crew->members, crew->member_capacity * sizeof(*crew->members));
}

void tl_crew_destroy(struct tl_crew *crew)
{
	if (crew == NULL)
		return;
	dismiss(crew);
	if (crew->machine != NULL) {
		tl_scripted_deinit(crew->machine);
		tl_release(tl_storage(), crew->machine, tl_scripted_size());
	}
	tl_mailbox_destroy(crew->mailbox);
	pthread_mutex_destroy(&crew->queue);
	pthread_mutex_destroy(&crew->lock);
	tl_release(tl_storage(), crew, sizeof(*crew));
}

struct tl_target *tl_crew_target(struct tl_crew *crew)
{
	return tl_scripted_target(crew->machine);
}

struct tl_scripted *tl_crew_enter(struct tl_crew *crew)
{
	enter(crew);
	return crew->machine;
}

void tl_crew_leave(struct tl_crew *crew)
{
	leave(crew);
}

tl_u64 tl_crew_unheard(struct tl_crew *crew)
{
	tl_u64 unheard;

	enter(crew);
	unheard = crew->unheard;
	leave(crew);
	return unheard;
}
