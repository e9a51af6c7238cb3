#include "base/trace.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/trapline-trace-XXXXXX";
static char path[64];
static char content[400000];

static bool prepare(void)
{
	if (path[0] == '\0') {
		if (mkdtemp(directory) == NULL)
			return false;
		snprintf(path, sizeof(path), "%s/trace", directory);
	}
	return true;
}

static bool setup(const char *channels)
{
	char argument[128];

	snprintf(argument, sizeof(argument), "%s:%s", channels, path);
	return tl_trace_setup(argument, NULL) == TL_OK;
}

/* Reads the trace file into `content` and removes it. */
static size_t finish(void)
{
	FILE *file;
	size_t size = 0;

	tl_trace_close();
	file = fopen(path, "r");
	if (file != NULL) {
		size = fread(content, 1, sizeof(content) - 1, file);
		fclose(file);
	}
	content[size] = '\0';
	unlink(path);
	rmdir(directory);
	if (mkdir(directory, 0700) != 0)
		printf("cannot make %s again\n", directory);
	return size;
}

__attribute__((destructor)) static void clean(void)
{
	rmdir(directory);
}

TEST(only_the_channels_that_were_asked_for)
{
	unsigned long seconds, fraction;
	char word[16], rest[16];

	REQUIRE(prepare() && setup("packets,ptrace"));
	CHECK(tl_tracing(TL_TRACE_PACKETS) && tl_tracing(TL_TRACE_PTRACE) && !tl_tracing(TL_TRACE_LOOP));
	TL_TRACE(LOOP, "not this");
	TL_TRACE(PACKETS, "-> %s", "g");
	finish();
	CHECK_EQUAL(sscanf(content, "%lu.%6lu %15s -> %15s\n", &seconds, &fraction, word, rest), 4);
	CHECK_TEXT(word, "packets");
	CHECK_TEXT(rest, "g");
	CHECK(strstr(content, "not this") == NULL);
	CHECK(!tl_tracing(TL_TRACE_PACKETS));
}

TEST(all_means_all)
{
	REQUIRE(prepare() && setup("all"));
	for (int i = 0; i < TL_TRACE_MAX; i++)
		CHECK(tl_tracing((enum tl_trace_channel)i));
	finish();
}

TEST(an_error_is_traced_where_it_is_born)
{
	REQUIRE(prepare() && setup("errors"));
	CHECK_EQUAL(TL_FAIL(NULL, TL_ERROR_GONE, "thread %d went away", 7), TL_ERROR_GONE);
	finish();
	CHECK(strstr(content, "errors ") != NULL && strstr(content, "test_trace.c:") != NULL &&
	      strstr(content, "TL_ERROR_GONE: thread 7 went away\n") != NULL);
}

TEST(bad_arguments_are_told_apart)
{
	struct tl_error error;

	CHECK_EQUAL(tl_trace_setup("packets,nonsense", &error), TL_ERROR_ARGUMENT);
	CHECK(strstr(error.text, "\"nonsense\"") != NULL && strstr(error.text, "packets, events") != NULL);
	CHECK_EQUAL(tl_trace_setup("", &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_trace_setup("packets,", &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_trace_setup("packets:", &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_trace_setup("packets:/nonexistent/file", &error), TL_ERROR_SYSTEM);
	CHECK(strstr(error.text, "/nonexistent/file: No such file") != NULL);
	CHECK_EQUAL(tl_trace_mask, 0);
}

TEST(long_lines_stay_whole)
{
	static char packet[20001];
	char *at;

	memset(packet, 'a', sizeof(packet) - 1);
	REQUIRE(prepare() && setup("packets"));
	for (size_t size = 980; size < 1030; size++)
		TL_TRACE(PACKETS, "%.*s", (int)size, packet);
	TL_TRACE(PACKETS, "%s", packet);
	finish();
	at = content;
	for (size_t size = 980; size < 1031; size++) {
		char *text = strstr(at, "packets ");

		REQUIRE(text != NULL);
		text += strlen("packets ");
		CHECK_EQUAL(strcspn(text, "\n"), size < 1030 ? size : sizeof(packet) - 1);
		at = text;
	}
}

static void *write_lines(void *letter)
{
	for (int i = 0; i < 500; i++)
		TL_TRACE(EVENTS, "%s%s%s%s", (char *)letter, (char *)letter, (char *)letter, (char *)letter);
	return NULL;
}

TEST(lines_of_several_threads_do_not_mix)
{
	static char letters[4][9] = {"aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"};
	pthread_t threads[4];
	unsigned lines = 0;

	REQUIRE(prepare() && setup("events"));
	for (int i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, write_lines, letters[i]) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	finish();
	for (char *line = strtok(content, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
		char *text = strstr(line, "events ");

		REQUIRE(text != NULL);
		text += strlen("events ");
		CHECK_EQUAL(strlen(text), 32);
		CHECK_EQUAL(strspn(text, (char[]){*text, 0}), 32);
	}
	CHECK_EQUAL(lines, 2000);
}
