/*
 * The program that the server's tests debug. It ticks until its standard input ends, then says how often and exits
 * with 7. Not position-independent, so that tests take addresses from the file.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

volatile long ticks;
volatile long watched;
__thread volatile int local_value = 41;

__attribute__((noinline)) static void tick(void)
{
	ticks++;
	watched = ticks;
}

static void *tick_on(void *unused)
{
	local_value = 42;
	for (;;) {
		struct pollfd nothing = {.fd = -1};

		tick();
		poll(&nothing, 1, 1);
	}
	return unused;
}

int main(int count, char **arguments)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};
	char directory[4096];

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* "show": what it was started with, for the tests of launching. */
	if (count > 1 && strcmp(arguments[1], "show") == 0) {
		for (int i = 2; i < count; i++)
			printf("argument %s\n", arguments[i]);
		printf("directory %s\n", getcwd(directory, sizeof(directory)));
		printf("variable %s\n", getenv("VICTIM") != NULL ? getenv("VICTIM") : "unset");
		return 3;
	}
	for (int i = 1; i < count && strcmp(arguments[i], "thread") == 0; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, tick_on, NULL) != 0)
			return 1;
	}
	printf("ready\n");
	/* Readable means ended: nobody writes to it. */
	while (poll(&input, 1, 1) == 0)
		tick();
	printf("ticks %ld\n", ticks);
	return 7;
}
