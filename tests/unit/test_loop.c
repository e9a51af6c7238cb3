#include "base/loop.h"
#include "base/storage.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct tl_loop *loop;
static struct tl_source *sources[8];
static unsigned calls[8];
static unsigned last_ready;
static char order[64];
static tl_u64 live_before;

static bool begin(void)
{
	memset(calls, 0, sizeof(calls));
	memset(sources, 0, sizeof(sources));
	order[0] = '\0';
	live_before = tl_storage_live();
	return tl_loop_create(&loop, NULL) == TL_OK;
}

static void end(void)
{
	tl_loop_destroy(loop);
	CHECK_EQUAL(tl_storage_live(), live_before);
}

static bool turn(int milliseconds)
{
	return tl_loop_turn(loop, milliseconds, NULL) == TL_OK;
}

/* `context` is the address of a counter in calls[]; the counter's number joins `order`. */
static void note(void *context)
{
	unsigned *counter = context;
	size_t length = strlen(order);

	(*counter)++;
	if (length + 1 < sizeof(order)) {
		order[length] = (char)('0' + (counter - calls));
		order[length + 1] = '\0';
	}
}

static void on_descriptor(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	(void)source;
	(void)descriptor;
	last_ready = ready;
	note(context);
}

static void on_call(void *context, struct tl_source *source)
{
	(void)source;
	note(context);
}

static void on_signal(void *context, struct tl_source *source, int signal)
{
	(void)source;
	(void)signal;
	note(context);
}

static bool add_descriptor(int which, int descriptor, unsigned wanted, tl_descriptor_call *call)
{
	return tl_loop_add_descriptor(loop, "test", descriptor, wanted, call, &calls[which], &sources[which], NULL) ==
	       TL_OK;
}

TEST(a_descriptor_is_called_while_it_is_ready)
{
	int ends[2];
	char byte;

	REQUIRE(begin() && pipe(ends) == 0 && add_descriptor(0, ends[0], TL_READABLE, on_descriptor));
	CHECK(turn(0) && calls[0] == 0);
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(turn(-1) && calls[0] == 1 && last_ready == TL_READABLE);
	CHECK(turn(-1) && calls[0] == 2);
	CHECK(read(ends[0], &byte, 1) == 1);
	CHECK(turn(0) && calls[0] == 2);
	close(ends[1]);
	CHECK(turn(-1) && calls[0] == 3 && last_ready == (TL_READABLE | TL_HANGUP));
	end();
	close(ends[0]);
}

TEST(what_is_wanted_can_change)
{
	int ends[2];

	REQUIRE(begin() && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	REQUIRE(add_descriptor(0, ends[0], TL_READABLE, on_descriptor));
	CHECK(turn(0) && calls[0] == 0);
	CHECK(tl_source_want(sources[0], TL_READABLE | TL_WRITABLE, NULL) == TL_OK);
	CHECK(turn(-1) && calls[0] == 1 && last_ready == TL_WRITABLE);
	CHECK(tl_source_want(sources[0], 0, NULL) == TL_OK);
	close(ends[1]);
	CHECK(turn(0) && calls[0] == 1);
	CHECK(tl_source_want(sources[0], TL_READABLE, NULL) == TL_OK);
	CHECK(turn(-1) && calls[0] == 2 && last_ready == (TL_READABLE | TL_HANGUP));
	end();
	close(ends[0]);
}

TEST(a_regular_file_is_always_ready)
{
	FILE *file = tmpfile();

	REQUIRE(begin() && file != NULL && add_descriptor(0, fileno(file), TL_READABLE, on_descriptor));
	CHECK(turn(-1) && turn(-1) && calls[0] == 2);
	CHECK(tl_source_want(sources[0], 0, NULL) == TL_OK);
	CHECK(turn(0) && calls[0] == 2);
	end();
	fclose(file);
}

TEST(a_closed_descriptor_is_refused)
{
	struct tl_error error;

	REQUIRE(begin());
	CHECK_EQUAL(
		tl_loop_add_descriptor(loop, "gone", 900, TL_READABLE, on_descriptor, &calls[0], &sources[0], &error),
		TL_ERROR_SYSTEM);
	CHECK(strstr(error.text, "descriptor 900 (gone)") != NULL);
	CHECK(sources[0] == NULL);
	end();
}

TEST(one_that_is_always_ready_does_not_starve_others)
{
	int busy[2], rare[2];

	REQUIRE(begin() && pipe(busy) == 0 && pipe(rare) == 0);
	REQUIRE(add_descriptor(0, busy[0], TL_READABLE, on_descriptor));
	REQUIRE(add_descriptor(1, rare[0], TL_READABLE, on_descriptor));
	CHECK(write(busy[1], "x", 1) == 1);
	CHECK(turn(-1) && turn(-1) && calls[0] == 2);
	CHECK(write(rare[1], "x", 1) == 1);
	CHECK(turn(-1) && calls[0] == 3 && calls[1] == 1);
	end();
	close(busy[0]);
	close(busy[1]);
	close(rare[0]);
	close(rare[1]);
}

static void remove_all(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	on_descriptor(context, source, descriptor, ready);
	for (size_t i = 0; i < TL_COUNT(sources); i++) {
		tl_source_remove(sources[i]);
		tl_source_remove(sources[i]);
		sources[i] = NULL;
	}
}

TEST(a_source_may_remove_itself_and_all_others)
{
	int ends[3][2];

	REQUIRE(begin());
	for (int i = 0; i < 3; i++) {
		REQUIRE(pipe(ends[i]) == 0 && write(ends[i][1], "x", 1) == 1);
		REQUIRE(add_descriptor(i, ends[i][0], TL_READABLE, remove_all));
	}
	REQUIRE(tl_loop_add_timer(loop, "timer", 0, on_call, &calls[3], &sources[3], NULL) == TL_OK);
	REQUIRE(tl_loop_add_deferred(loop, "later", on_call, &calls[4], &sources[4], NULL) == TL_OK);
	tl_source_trigger(sources[4]);
	CHECK(turn(-1));
	CHECK_EQUAL(calls[0] + calls[1] + calls[2] + calls[3] + calls[4], 1);
	CHECK(turn(0));
	CHECK_EQUAL(calls[0] + calls[1] + calls[2] + calls[3] + calls[4], 1);
	end();
	for (int i = 0; i < 3; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
}

TEST(timers_come_in_their_time_and_once)
{
	struct timespec before, after;
	long long elapsed;

	REQUIRE(begin());
	clock_gettime(CLOCK_MONOTONIC, &before);
	REQUIRE(tl_loop_add_timer(loop, "late", 20, on_call, &calls[1], &sources[1], NULL) == TL_OK);
	REQUIRE(tl_loop_add_timer(loop, "soon", 5, on_call, &calls[0], &sources[0], NULL) == TL_OK);
	REQUIRE(tl_loop_add_timer(loop, "never", TL_U64_MAX, on_call, &calls[2], &sources[2], NULL) == TL_OK);
	CHECK(turn(0));
	CHECK_TEXT(order, "");
	while (calls[1] == 0)
		REQUIRE(turn(-1));
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK_TEXT(order, "01");
	elapsed = (after.tv_sec - before.tv_sec) * 1000000000LL + (after.tv_nsec - before.tv_nsec);
	CHECK(elapsed >= 20000000);
	CHECK(turn(0));
	CHECK_TEXT(order, "01");
	end();
}

static void add_a_timer_at_once(void *context, struct tl_source *source)
{
	note(context);
	tl_source_remove(source);
	CHECK(tl_loop_add_timer(loop, "again", 0, add_a_timer_at_once, context, &sources[0], NULL) == TL_OK);
}

TEST(a_timer_that_renews_itself_is_called_once_a_turn)
{
	REQUIRE(begin());
	REQUIRE(tl_loop_add_timer(loop, "again", 0, add_a_timer_at_once, &calls[0], &sources[0], NULL) == TL_OK);
	CHECK(turn(-1) && calls[0] == 1);
	CHECK(turn(-1) && calls[0] == 2);
	end();
}

static void trigger_itself(void *context, struct tl_source *source)
{
	note(context);
	tl_source_trigger(source);
}

TEST(deferred_calls_come_at_the_end_of_a_turn_and_once_a_trigger)
{
	int ends[2];

	REQUIRE(begin() && pipe(ends) == 0);
	REQUIRE(tl_loop_add_deferred(loop, "later", on_call, &calls[1], &sources[1], NULL) == TL_OK);
	REQUIRE(add_descriptor(0, ends[0], TL_READABLE, on_descriptor));
	CHECK(write(ends[1], "x", 1) == 1);
	tl_source_trigger(sources[1]);
	tl_source_trigger(sources[1]);
	CHECK(turn(-1));
	CHECK_TEXT(order, "01");
	CHECK(turn(-1));
	CHECK_TEXT(order, "010");
	tl_source_remove(sources[0]);
	REQUIRE(tl_loop_add_deferred(loop, "itself", trigger_itself, &calls[2], &sources[2], NULL) == TL_OK);
	tl_source_trigger(sources[2]);
	CHECK(turn(-1) && calls[2] == 1);
	CHECK(turn(-1) && calls[2] == 2);
	end();
	close(ends[0]);
	close(ends[1]);
}

static void nest(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	char byte;

	on_descriptor(context, source, descriptor, ready);
	CHECK(read(descriptor, &byte, 1) == 1);
	tl_source_remove(source);
	CHECK(turn(0));
}

TEST(a_nested_turn_serves_others_and_the_outer_one_does_not_serve_them_again)
{
	int ends[2][2];

	REQUIRE(begin());
	for (int i = 0; i < 2; i++) {
		REQUIRE(pipe(ends[i]) == 0 && write(ends[i][1], "x", 1) == 1);
		REQUIRE(add_descriptor(i, ends[i][0], TL_READABLE, nest));
	}
	CHECK(turn(-1));
	CHECK_TEXT(order, "01");
	end();
	for (int i = 0; i < 2; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
}

TEST(signals_are_heard_and_the_mask_is_put_back)
{
	sigset_t mask;
	struct tl_error error;

	REQUIRE(begin());
	REQUIRE(tl_loop_add_signal(loop, SIGUSR1, on_signal, &calls[0], &sources[0], NULL) == TL_OK);
	CHECK_EQUAL(tl_loop_add_signal(loop, SIGUSR1, on_signal, &calls[1], &sources[1], &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_loop_add_signal(loop, 99, on_signal, &calls[1], &sources[1], &error), TL_ERROR_ARGUMENT);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(turn(-1) && calls[0] == 1);
	CHECK(turn(0) && calls[0] == 1);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	CHECK(sigismember(&mask, SIGUSR1));
	tl_source_remove(sources[0]);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	CHECK(!sigismember(&mask, SIGUSR1));
	end();
}

TEST(a_signal_that_was_blocked_before_stays_blocked)
{
	sigset_t mask, after;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	REQUIRE(begin());
	REQUIRE(tl_loop_add_signal(loop, SIGUSR1, on_signal, &calls[0], &sources[0], NULL) == TL_OK);
	REQUIRE(tl_loop_add_signal(loop, SIGUSR2, on_signal, &calls[1], &sources[1], NULL) == TL_OK);
	end();
	sigprocmask(SIG_UNBLOCK, &mask, &after);
	CHECK(sigismember(&after, SIGUSR2));
	CHECK(!sigismember(&after, SIGUSR1));
}

TEST(a_child_gets_the_first_mask_back)
{
	int status = -1;
	pid_t child;

	REQUIRE(begin());
	REQUIRE(tl_loop_add_signal(loop, SIGUSR1, on_signal, &calls[0], &sources[0], NULL) == TL_OK);
	REQUIRE(tl_loop_add_signal(loop, SIGCHLD, on_signal, &calls[1], &sources[1], NULL) == TL_OK);
	child = fork();
	REQUIRE(child >= 0);
	if (child == 0) {
		sigset_t mask;

		tl_loop_child_signals();
		sigprocmask(SIG_BLOCK, NULL, &mask);
		_exit(sigismember(&mask, SIGUSR1) || sigismember(&mask, SIGCHLD));
	}
	while (calls[1] == 0)
		REQUIRE(turn(10000));
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	end();
}

static void quit(void *context, struct tl_source *source)
{
	note(context);
	(void)source;
	tl_loop_quit(loop, 42);
}

TEST(run_returns_what_quit_was_given)
{
	REQUIRE(begin());
	REQUIRE(tl_loop_add_timer(loop, "quit", 1, quit, &calls[0], &sources[0], NULL) == TL_OK);
	CHECK_EQUAL(tl_loop_run(loop, NULL), 42);
	tl_loop_quit(loop, 7);
	CHECK_EQUAL(tl_loop_run(loop, NULL), 7);
	end();
}

TEST(failing_allocations_leave_nothing_behind)
{
	struct tl_mailbox *mailbox;
	struct tl_loop *none;

	REQUIRE(begin());
	tl_storage_fail(1);
	CHECK_EQUAL(tl_loop_create(&none, NULL), TL_ERROR_NO_MEMORY);
	tl_storage_fail(1);
	CHECK(!add_descriptor(0, 0, TL_READABLE, on_descriptor));
	tl_storage_fail(1);
	CHECK_EQUAL(tl_loop_add_signal(loop, SIGUSR1, on_signal, NULL, &sources[0], NULL), TL_ERROR_NO_MEMORY);
	tl_storage_fail(1);
	CHECK_EQUAL(tl_loop_add_timer(loop, "t", 1, on_call, NULL, &sources[0], NULL), TL_ERROR_NO_MEMORY);
	tl_storage_fail(1);
	CHECK_EQUAL(tl_loop_add_deferred(loop, "d", on_call, NULL, &sources[0], NULL), TL_ERROR_NO_MEMORY);
	for (tl_u64 n = 1; n <= 2; n++) {
		tl_storage_fail(n);
		CHECK_EQUAL(tl_mailbox_create(loop, "m", 8, on_call, NULL, &mailbox, NULL), TL_ERROR_NO_MEMORY);
	}
	tl_storage_fail(0);
	end();
}

struct message {
	unsigned sender;
	unsigned number;
};

static struct tl_mailbox *mailbox;

TEST(messages_come_in_order_through_a_ring_that_grows)
{
	unsigned posted = 0, taken = 0;
	struct message message;

	REQUIRE(begin());
	REQUIRE(tl_mailbox_create(loop, "box", sizeof(message), on_call, &calls[0], &mailbox, NULL) == TL_OK);
	CHECK(!tl_mailbox_take(mailbox, &message));
	CHECK(turn(0) && calls[0] == 0);
	/* Takes two for each three posted, so that the ring's first message wanders while it grows. */
	for (int i = 0; i < 100; i++) {
		for (int j = 0; j < 3; j++, posted++)
			CHECK(tl_mailbox_post(mailbox, &(struct message){0, posted}) == TL_OK);
		for (int j = 0; j < 2; j++, taken++)
			CHECK(tl_mailbox_take(mailbox, &message) && message.number == taken);
	}
	CHECK(turn(-1) && calls[0] == 1);
	CHECK(turn(-1) && calls[0] == 2);
	for (; taken < posted; taken++)
		CHECK(tl_mailbox_take(mailbox, &message) && message.number == taken);
	CHECK(!tl_mailbox_take(mailbox, &message));
	CHECK(turn(0) && calls[0] == 2);
	tl_storage_fail(1);
	for (posted = 0; tl_mailbox_post(mailbox, &(struct message){1, posted}) == TL_OK;)
		posted++;
	CHECK(posted >= 100);
	for (taken = 0; tl_mailbox_take(mailbox, &message); taken++)
		CHECK_EQUAL(message.number, taken);
	CHECK_EQUAL(taken, posted);
	tl_mailbox_destroy(mailbox);
	end();
}

#define SENDERS 4
#define MESSAGES 5000

static unsigned next_number[SENDERS];

static void take_some(void *context, struct tl_source *source)
{
	struct message message;

	(void)source;
	for (int i = 0; i < 10 && tl_mailbox_take(mailbox, &message); i++) {
		CHECK_EQUAL(message.number, next_number[message.sender]);
		next_number[message.sender] = message.number + 1;
		++*(unsigned *)context;
	}
	if (*(unsigned *)context == SENDERS * MESSAGES)
		tl_loop_quit(loop, 1);
}

static void *send_all(void *argument)
{
	struct message message = {(unsigned)(uintptr_t)argument, 0};

	for (; message.number < MESSAGES; message.number++)
		if (tl_mailbox_post(mailbox, &message) != TL_OK)
			return NULL;
	return argument;
}

static void too_late(void *context, struct tl_source *source)
{
	(void)context;
	(void)source;
	printf("  after 30 s the mailbox has given %u of %u messages\n", calls[0], SENDERS * MESSAGES);
	tl_loop_quit(loop, 0);
}

TEST(many_threads_post_and_none_is_lost)
{
	pthread_t threads[SENDERS];

	REQUIRE(begin());
	REQUIRE(tl_mailbox_create(loop, "box", sizeof(struct message), take_some, &calls[0], &mailbox, NULL) == TL_OK);
	REQUIRE(tl_loop_add_timer(loop, "deadline", 30000, too_late, NULL, &sources[0], NULL) == TL_OK);
	for (uintptr_t i = 0; i < SENDERS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, send_all, (void *)i) == 0);
	CHECK_EQUAL(tl_loop_run(loop, NULL), 1);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQUAL(calls[0], SENDERS * MESSAGES);
	tl_mailbox_destroy(mailbox);
	end();
}
