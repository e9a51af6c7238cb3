#include "machine/serial_line.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

static char got[64];
static tl_size got_count, room;

static tl_size receive(void *context, const tl_u8 *bytes, tl_size size)
{
	tl_size taken = size < room ? size : room;

	(void)context;
	memcpy(got + got_count, bytes, taken);
	got_count += taken;
	room -= taken;
	return taken;
}

struct ends {
	struct tl_loop *loop;
	struct tl_serial_line line;
	int keys[2], screen[2]; /* pipes */
};

static void open_ends(struct ends *ends)
{
	got_count = 0;
	room = sizeof(got);
	REQUIRE(pipe2(ends->keys, O_CLOEXEC) == 0 && pipe2(ends->screen, O_CLOEXEC) == 0);
	REQUIRE(tl_loop_create(&ends->loop, NULL) == TL_OK);
	REQUIRE(tl_serial_line_open(&ends->line, ends->loop, ends->keys[0], ends->screen[1], NULL, receive, NULL,
				    NULL) == TL_OK);
}

static void close_ends(struct ends *ends)
{
	tl_serial_line_close(&ends->line);
	tl_loop_destroy(ends->loop);
	close(ends->keys[0]);
	close(ends->keys[1]);
	close(ends->screen[0]);
	close(ends->screen[1]);
}

static void turn(struct ends *ends)
{
	for (int i = 0; i < 5; i++)
		CHECK(tl_loop_turn(ends->loop, 0, NULL) == TL_OK);
}

static void type(struct ends *ends, const char *text)
{
	CHECK(write(ends->keys[1], text, strlen(text)) == (ssize_t)strlen(text));
	turn(ends);
}

TEST(what_is_typed_reaches_the_machine)
{
	struct ends ends;

	open_ends(&ends);
	type(&ends, "abc");
	CHECK_EQUAL(got_count, 3);
	CHECK(memcmp(got, "abc", 3) == 0);
	close_ends(&ends);
}

TEST(what_the_machine_has_no_room_for_waits_until_it_is_offered_again)
{
	struct ends ends;

	open_ends(&ends);
	room = 1;
	type(&ends, "abc");
	CHECK_EQUAL(got_count, 1);
	room = 1;
	tl_serial_line_offer(&ends.line);
	CHECK_EQUAL(got_count, 2);
	room = 10;
	tl_serial_line_offer(&ends.line);
	tl_serial_line_offer(&ends.line);
	CHECK_EQUAL(got_count, 3);
	CHECK(memcmp(got, "abc", 3) == 0);
	close_ends(&ends);
}

TEST(a_full_line_leaves_what_is_typed_in_its_descriptor)
{
	static char many[3 * TL_SERIAL_TYPED_MAX + 1];
	struct ends ends;
	struct pollfd ready;

	open_ends(&ends);
	room = 0;
	memset(many, 'x', sizeof(many) - 1);
	type(&ends, many);
	CHECK_EQUAL(ends.line.typed_count, TL_SERIAL_TYPED_MAX);
	ready = (struct pollfd){ends.keys[0], POLLIN, 0};
	CHECK_EQUAL(poll(&ready, 1, 0), 1);
	close_ends(&ends);
}

TEST(what_is_sent_is_written_when_the_loop_turns)
{
	struct ends ends;
	char text[8];

	open_ends(&ends);
	tl_serial_line_send(&ends.line, 'o');
	tl_serial_line_send(&ends.line, 'k');
	turn(&ends);
	CHECK_EQUAL(read(ends.screen[0], text, sizeof(text)), 2);
	CHECK(memcmp(text, "ok", 2) == 0);
	tl_serial_line_send(&ends.line, '!');
	turn(&ends);
	CHECK_EQUAL(read(ends.screen[0], text, sizeof(text)), 1);
	close_ends(&ends);
}

TEST(what_is_left_is_written_when_the_line_closes)
{
	struct ends ends;
	char text[8];

	open_ends(&ends);
	tl_serial_line_send(&ends.line, 'z');
	tl_serial_line_close(&ends.line);
	CHECK_EQUAL(read(ends.screen[0], text, sizeof(text)), 1);
	CHECK(text[0] == 'z');
	close_ends(&ends);
}

TEST(a_reader_that_never_reads_slows_the_machine_and_does_not_stop_it)
{
	struct ends ends;

	open_ends(&ends);
	for (tl_u32 i = 0; i < TL_SERIAL_SENT_MAX + 3; i++)
		tl_serial_line_send(&ends.line, 'x');
	CHECK_EQUAL(ends.line.sent_count, TL_SERIAL_SENT_MAX);
	CHECK_EQUAL(ends.line.lost, 3);
	turn(&ends);
	CHECK(ends.line.sent_count < TL_SERIAL_SENT_MAX); /* a pipe's worth went */
	close_ends(&ends);
}

/* A machine holds a lock for as long as it sends: a buffer of a console must not take minutes of it. */
TEST(a_reader_that_is_gone_is_waited_for_no_longer_than_a_second_until_he_reads_again)
{
	static char some[4 * TL_SERIAL_SENT_MAX];
	struct timespec before, after;
	struct ends ends;
	tl_u64 lost;

	open_ends(&ends);
	for (tl_u32 i = 0; i < TL_SERIAL_SENT_MAX; i++)
		tl_serial_line_send(&ends.line, 'a');
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (tl_u32 i = 0; i < 10000; i++)
		tl_serial_line_send(&ends.line, 'b');
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK_EQUAL(ends.line.lost, 10000);
	CHECK(after.tv_sec - before.tv_sec < 30); /* not the 100 that each byte for itself would take */
	/* He reads again: what is sent is not lost, and is waited for again. */
	REQUIRE(fcntl(ends.screen[0], F_SETFL, O_NONBLOCK) == 0);
	turn(&ends);
	CHECK(read(ends.screen[0], some, sizeof(some)) > 0);
	turn(&ends);
	lost = ends.line.lost;
	tl_serial_line_send(&ends.line, 'c');
	CHECK_EQUAL(ends.line.lost, lost);
	close_ends(&ends);
}

TEST(the_end_of_input_is_no_end_of_the_line)
{
	struct ends ends;
	char text[8];

	open_ends(&ends);
	close(ends.keys[1]);
	ends.keys[1] = -1;
	turn(&ends);
	tl_serial_line_send(&ends.line, 'a');
	turn(&ends);
	CHECK_EQUAL(read(ends.screen[0], text, sizeof(text)), 1);
	close_ends(&ends);
}

TEST(a_terminal_that_is_not_there_is_named)
{
	struct tl_error error = {0};
	struct ends ends;

	open_ends(&ends);
	CHECK_EQUAL(tl_serial_line_set_terminal(&ends.line, "/nonexistent/terminal", &error), TL_ERROR_SYSTEM);
	CHECK(strstr(error.text, "/nonexistent/terminal") != NULL);
	tl_serial_line_send(&ends.line, 'a'); /* to nowhere */
	turn(&ends);
	close_ends(&ends);
}
