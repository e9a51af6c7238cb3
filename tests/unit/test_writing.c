/* Bytes to readers that are slow, gone, or take nothing. */
#include "test.h"

#include "frontends/cli/writing.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE ((size_t)1 << 19)

struct reader {
	int descriptor;
	size_t count;
	bool good;
};

static char byte_at(size_t index)
{
	return (char)('a' + index % 23);
}

static void *read_all(void *context)
{
	struct reader *reader = context;
	char bytes[777];
	ssize_t done;

	reader->good = true;
	while ((done = read(reader->descriptor, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < done; i++)
			reader->good &= bytes[i] == byte_at(reader->count++);
	return NULL;
}

/* A pipe whose writing end another program has set to non-blocking. */
static void open_pipe(int ends[2])
{
	REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
	REQUIRE(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
}

TEST(nothing_is_lost_when_the_reader_is_slow)
{
	char *bytes = malloc(SIZE);
	struct reader reader = {0};
	pthread_t thread;
	int ends[2];

	REQUIRE(bytes != NULL);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = byte_at(i);
	open_pipe(ends);
	reader.descriptor = ends[0];
	REQUIRE(pthread_create(&thread, NULL, read_all, &reader) == 0);
	CHECK(tl_write_patiently(ends[1], bytes, SIZE));
	(void)close(ends[1]);
	(void)pthread_join(thread, NULL);
	CHECK_EQUAL(reader.count, SIZE);
	CHECK(reader.good);
	(void)close(ends[0]);
	free(bytes);
}

TEST(a_person_gets_out_when_the_reader_takes_nothing)
{
	static const char bytes[SIZE];
	static const int ways[] = {SIGINT, SIGTERM, SIGHUP};
	int ends[2];

	open_pipe(ends);
	for (size_t i = 0; i < TL_COUNT(ways); i++) {
		sigset_t set, before;
		int number;

		(void)sigemptyset(&set);
		(void)sigaddset(&set, ways[i]);
		(void)sigprocmask(SIG_BLOCK, &set, &before);
		(void)raise(ways[i]);
		CHECK(!tl_write_patiently(ends[1], bytes, sizeof(bytes)));
		/* Whoever it is for still gets it. */
		CHECK(sigwait(&set, &number) == 0 && number == ways[i]);
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

TEST(a_reader_that_is_gone_ends_it)
{
	static const char bytes[SIZE];
	int ends[2];

	open_pipe(ends);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)close(ends[0]);
	CHECK(!tl_write_patiently(ends[1], bytes, sizeof(bytes)));
	(void)close(ends[1]);
	CHECK(!tl_write_patiently(ends[1], bytes, sizeof(bytes)));
}
