/*
 * Wait statuses come in rounds. A round first collects what is ready, every thread at most once as none is set going
 * meanwhile, and then handles it. The kernel offers ready children in an order of its own, newest first; without rounds
 * the threads at its head, stopping again and again, would starve all others. Collecting and handling both stop after
 * STATUSES_PER_TURN and go on in the loop's next turn, so that a client's ^C waits for no more than that.
 *
 * Asking the kernel for any child makes it look at all of them, each time: with a thousand threads that stop together
 * that is most of what stopping them costs. Those that are expected to stop are therefore asked for by their numbers,
 * and a round in which some of them had stopped leaves the question for any child to a next round, which comes at once.
 * It is not left so for ever: others would wait as long as someone keeps stopping threads.
 */
#include "base/storage.h"
#include "targets/process/state.h"

#include <sys/wait.h>

tl_u64 tl_process_wait_clock(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (tl_u64)now.tv_sec * 1000 + (tl_u64)now.tv_nsec / 1000000;
}

/* False when there is no room for one more: then nothing may be collected, and the statuses wait in the kernel. */
static bool queue_room(struct process_target *target)
{
	void *queue = target->queue;

	if (target->queue_start == target->queue_end)
		target->queue_start = target->queue_end = 0;
	if (target->queue_end == target->queue_capacity && target->queue_start != 0) {
		target->queue_end -= target->queue_start;
		tl_move(queue, target->queue + target->queue_start, target->queue_end * sizeof(*target->queue));
		target->queue_start = 0;
	}
	if (!tl_grow(tl_storage(), &queue, &target->queue_capacity, target->queue_end, sizeof(*target->queue)))
		return false;
	target->queue = queue;
	return true;
}

/* ---- Threads that are expected to stop ---- */

/* So many may be found running before a round gives up: they stop about in the order in which they were asked to. */
#define MISSES_PER_ROUND 8
/* So many rounds in a row may leave the question for any child to the next. */
#define NARROW_ROUNDS 16

void tl_process_wait_expect(struct process_target *target, struct traced_thread *thread)
{
	struct traced_thread *first = target->expected;

	if (thread->expected_next != NULL)
		return;
	if (first == NULL) {
		thread->expected_next = thread->expected_previous = thread;
		target->expected = thread;
		return;
	}
	thread->expected_next = first;
	thread->expected_previous = first->expected_previous;
	thread->expected_previous->expected_next = thread;
	first->expected_previous = thread;
}

void tl_process_wait_unexpect(struct process_target *target, struct traced_thread *thread)
{
	if (thread->expected_next == NULL)
		return;
	if (target->expected == thread)
		target->expected = thread->expected_next != thread ? thread->expected_next : NULL;
	thread->expected_next->expected_previous = thread->expected_previous;
	thread->expected_previous->expected_next = thread->expected_next;
	thread->expected_next = thread->expected_previous = NULL;
}

/* A status of that child has been taken. */
static void no_longer_expected(struct process_target *target, pid_t id)
{
	struct traced_thread *thread = tl_process_find_thread(target, id);

	if (thread != NULL)
		tl_process_wait_unexpect(target, thread);
}

/* False when none of those that were looked at has stopped; a thread that has not is looked at last the next time. */
static bool collect_expected(struct process_target *target, struct status_entry *entry_ret)
{
	while (target->expected != NULL && target->misses < MISSES_PER_ROUND) {
		struct traced_thread *thread = target->expected;
		pid_t id = tl_process_wait(target->calls, thread->id, &entry_ret->status, __WALL | WNOHANG);

		/* One that is no child has become another by exec, and tells under its new number. */
		if (id > 0 || (id < 0 && errno == ECHILD)) {
			entry_ret->id = thread->id;
			tl_process_wait_unexpect(target, thread);
			if (id > 0)
				return true;
			continue;
		}
		target->expected = thread->expected_next;
		target->misses++;
	}
	return false;
}

/* ---- Collecting ---- */

enum collected { COLLECTED_ONE, COLLECTED_NOTHING, COLLECTED_NOTHING_EXPECTED, COLLECTED_NO_CHILD, COLLECTED_FULL };

static void begin_round(struct process_target *target)
{
	target->misses = 0;
	target->hits = false;
}

static enum collected collect_one(struct process_target *target)
{
	int status = 0;
	pid_t id = -1;

	if (!queue_room(target))
		return COLLECTED_FULL;
	if (collect_expected(target, &target->queue[target->queue_end])) {
		target->queue_end++;
		target->hits = true;
		return COLLECTED_ONE;
	}
	if (target->hits && target->narrow_rounds < NARROW_ROUNDS) {
		target->narrow_rounds++;
		return COLLECTED_NOTHING_EXPECTED;
	}
	target->narrow_rounds = 0;
	/* Only "no child" is an answer; a passing failure gets another chance. */
	for (int attempt = 0; attempt < 3; attempt++) {
		id = tl_process_wait(target->calls, -1, &status, __WALL | WNOHANG);
		if (id >= 0 || errno == ECHILD)
			break;
	}
	if (id < 0)
		return errno == ECHILD ? COLLECTED_NO_CHILD : COLLECTED_NOTHING;
	if (id == 0)
		return COLLECTED_NOTHING;
	target->queue[target->queue_end++] = (struct status_entry){id, status};
	no_longer_expected(target, id);
	return COLLECTED_ONE;
}

void tl_process_wait_drain(void *context, struct tl_source *source)
{
	struct process_target *target = context;
	enum collected collected = COLLECTED_ONE;
	unsigned n = 0;

	(void)source;
	if (target->collecting || target->queue_start == target->queue_end) {
		if (!target->collecting)
			begin_round(target);
		target->collecting = true;
		target->announced = false;
		while (n < STATUSES_PER_TURN && (collected = collect_one(target)) == COLLECTED_ONE)
			n++;
		if (n == STATUSES_PER_TURN) {
			tl_source_trigger(target->drain_source);
			return;
		}
		target->collecting = false;
		/* Some may be left that SIGCHLD will not come for again. */
		if (collected == COLLECTED_FULL || collected == COLLECTED_NOTHING_EXPECTED)
			target->announced = true;
		else if (collected == COLLECTED_NO_CHILD && target->queue_start != target->queue_end)
			target->announced = target->processes != NULL;
		else if (collected == COLLECTED_NO_CHILD)
			tl_process_stops_lost(target);
	}
	for (n = 0; n < STATUSES_PER_TURN && target->queue_start < target->queue_end; n++) {
		struct status_entry entry = target->queue[target->queue_start++];

		if (entry.id != 0)
			tl_process_stops_handle(target, entry.id, entry.status);
	}
	if (target->announced || target->queue_start < target->queue_end)
		tl_source_trigger(target->drain_source);
}

void tl_process_wait_signalled(void *context, struct tl_source *source, int signal)
{
	struct process_target *target = context;

	(void)signal;
	target->announced = true;
	/* In the middle of a round the new ones wait for the next. */
	if (target->queue_start == target->queue_end && !target->collecting)
		tl_process_wait_drain(target, source);
	else
		tl_source_trigger(target->drain_source);
}

/* Waits until some child has something to say. False when the deadline has passed. */
static bool wait_for_signal(struct process_target *target, tl_u64 deadline)
{
	tl_u64 now = tl_process_wait_clock();
	struct timespec left;
	sigset_t set;

	if (now >= deadline)
		return false;
	left.tv_sec = (time_t)((deadline - now) / 1000);
	left.tv_nsec = (long)((deadline - now) % 1000) * 1000000;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	if (target->calls->wait_signal(&set, &left) >= 0) {
		/* The loop will not hear of this one. */
		target->announced = true;
		tl_source_trigger(target->drain_source);
	}
	return true;
}

enum tl_status tl_process_wait_for(struct process_target *target, pid_t id, tl_u64 deadline, int *status_ret)
{
	int failures = 0;

	for (;;) {
		pid_t got = tl_process_wait(target->calls, id, status_ret, __WALL | WNOHANG);

		if (got == id) {
			no_longer_expected(target, id);
			return TL_OK;
		}
		if (got < 0 && errno == ECHILD)
			return TL_ERROR_GONE;
		if (got < 0 && ++failures == 3)
			return TL_ERROR_SYSTEM;
		if (got == 0 && !wait_for_signal(target, deadline))
			return TL_ERROR_TIMEOUT;
	}
}

enum tl_status tl_process_wait_for_any(struct process_target *target, bool (*wanted)(void *context, pid_t id),
				       void *context, tl_u64 deadline, struct status_entry *entry_ret)
{
	tl_size at = target->queue_start;

	for (;;) {
		enum collected collected;

		for (; at < target->queue_end; at++)
			if (target->queue[at].id != 0 && wanted(context, target->queue[at].id)) {
				*entry_ret = target->queue[at];
				target->queue[at].id = 0;
				return TL_OK;
			}
		/* Whatever the loop is in the middle of collecting is collected here. */
		begin_round(target);
		collected = collect_one(target);
		tl_source_trigger(target->drain_source);
		if (collected == COLLECTED_ONE)
			at = target->queue_end - 1;
		else
			at = target->queue_end;
		if (collected == COLLECTED_NO_CHILD)
			return TL_ERROR_GONE;
		if (collected == COLLECTED_FULL)
			return TL_ERROR_NO_MEMORY;
		if (collected == COLLECTED_NOTHING && !wait_for_signal(target, deadline))
			return TL_ERROR_TIMEOUT;
	}
}

enum tl_status tl_process_wait_requeue(struct process_target *target, pid_t id, int status)
{
	tl_source_trigger(target->drain_source);
	if (!queue_room(target))
		return TL_ERROR_NO_MEMORY;
	target->queue[target->queue_end++] = (struct status_entry){id, status};
	return TL_OK;
}

bool tl_process_wait_queued(const struct process_target *target, pid_t id)
{
	for (tl_size i = target->queue_start; i < target->queue_end; i++)
		if (target->queue[i].id == id)
			return true;
	return false;
}

void tl_process_wait_forget(struct process_target *target, pid_t id)
{
	for (tl_size i = target->queue_start; i < target->queue_end; i++)
		if (target->queue[i].id == id)
			target->queue[i].id = 0;
}
