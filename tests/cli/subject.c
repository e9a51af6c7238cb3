/* Debugged at the prompt by test_debugging.py: what it does is its first argument's choice. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

struct point {
	int x, y;
	long long_name;
};

volatile unsigned long turns;

static int add(int a, int b)
{
	int sum = a + b;

	return sum;
}

static void ticked(int tick)
{
	printf("tick %d\n", tick);
	fflush(stdout);
}

static void spin(void)
{
	puts("spinning");
	fflush(stdout);
	for (;;)
		turns++;
}

static void slow(void)
{
	const struct timespec pause = {.tv_nsec = 100000000};

	for (int tick = 0; tick < 100; tick++) {
		ticked(tick);
		nanosleep(&pause, NULL);
	}
}

static void read_line(void)
{
	char line[100];

	printf("what? ");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) != NULL)
		printf("it was: %s", line);
}

static void show_size(int number)
{
	struct winsize size;

	(void)number;
	if (ioctl(0, TIOCGWINSZ, &size) == 0)
		printf("%d rows, %d columns\n", size.ws_row, size.ws_col);
	fflush(stdout);
}

static void watch_size(void)
{
	struct sigaction action = {.sa_handler = show_size, .sa_flags = SA_RESTART};

	sigaction(SIGWINCH, &action, NULL);
	show_size(0);
	getchar();
}

static void *in_thread(void *argument)
{
	long number = (long)argument;

	turns += (unsigned long)number;
	return NULL;
}

static void start_thread_and_wait(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, in_thread, (void *)7L) == 0)
		pthread_join(thread, NULL);
}

static int fault(const int *nowhere)
{
	return *nowhere;
}

/* Not a loop: what is added comes behind the call. */
static int descend(int depth)
{
	if (depth == 0)
		return add(1, 1);
	return descend(depth - 1) + 1;
}

int main(int argc, char **argv)
{
	const char *words_in_main[] = {"one", "two", NULL};
	const char **words = words_in_main;
	struct point p = {1, 2, 3};
	int total = 0;

	if (argc > 1 && strcmp(argv[1], "spin") == 0)
		spin();
	if (argc > 1 && strcmp(argv[1], "slow") == 0)
		slow();
	if (argc > 1 && strcmp(argv[1], "read") == 0)
		read_line();
	if (argc > 1 && strcmp(argv[1], "size") == 0)
		watch_size();
	if (argc > 1 && strcmp(argv[1], "thread") == 0)
		start_thread_and_wait();
	if (argc > 1 && strcmp(argv[1], "fault") == 0)
		fault(NULL);
	if (argc > 1 && strcmp(argv[1], "deep") == 0)
		total = descend(1000) & 0;
	for (int i = 0; i < 3; i++)
		total = add(total, i);
	p.x = total;
	printf("total %d %s\n", p.x, words[0]);
	return argc > 1 ? atoi(argv[1]) : 0;
}
