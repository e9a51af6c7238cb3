/* Debugged at the prompt by test_points.py: what it does is its first argument's choice. */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile long watched[8];
static char wide[24];
static volatile int caught, both;

static void on_signal(int number)
{
	caught = number;
}

static void signals(void)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	printf("caught %d\n", caught);
}

static void *signalled(void *argument)
{
	pthread_kill(pthread_self(), SIGUSR1);
	return argument;
}

static void thread_signals(void)
{
	pthread_t thread;

	signal(SIGUSR1, on_signal);
	if (pthread_create(&thread, NULL, signalled, NULL) == 0)
		pthread_join(thread, NULL);
}

static void stops(void)
{
	raise(SIGSTOP);
	puts("went on");
}

static void libraries(const char *path)
{
	for (int i = 0; i < 2; i++) {
		void *library = dlopen(path, RTLD_NOW);

		if (library == NULL)
			puts(dlerror());
		else
			dlclose(library);
	}
	puts("loaded twice");
}

static void change(void)
{
	for (int i = 0; i < 8; i++)
		watched[i] += i + 1;
	memset(wide, 1, sizeof(wide));
}

static int same(const char *left, const char *right)
{
	return strcmp(left, right) == 0;
}

static void faults(int how)
{
	if (how == 1)
		*(volatile int *)0 = 0;
	if (how == 2)
		raise(SIGUSR1);
}

static int deeper(int how)
{
	faults(how);
	return how + 1;
}

static inline __attribute__((always_inline)) int twice(int number)
{
	int result = number * 2;

	return result;
}

static int helper(int number)
{
	return number + 1;
}

static int skipped_one(int number)
{
	return number + 2;
}

static int work(const char *name, int number)
{
	int sum = skipped_one(number) + helper(number);

	sum += twice(number);
	return sum + (int)strlen(name);
}

static volatile long stop;

static void *turn(void *argument)
{
	while (stop == 0)
		;
	return argument;
}

static void threads(void)
{
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, turn, NULL) != 0)
			return;
	for (int i = 0; i < 4; i++)
		work(i == 2 ? "two" : "other", i);
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

static int chosen(void)
{
	return 7;
}

__attribute__((used)) static int (*choose(void))(void)
{
	return chosen;
}

int indirect(void) __attribute__((ifunc("choose")));

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int result = 0;

	if (strcmp(what, "signals") == 0)
		signals();
	if (strcmp(what, "thread-signals") == 0)
		thread_signals();
	if (strcmp(what, "stops") == 0)
		stops();
	if (strcmp(what, "libraries") == 0)
		libraries(argv[2]);
	if (strcmp(what, "threads") == 0)
		threads();
	both = 1;
	both = 2;
	change();
	for (int i = 0; i < 3; i++)
		result += work(i == 1 ? "one" : "none", i);
	result += indirect() + deeper(0) + same("a", what);
	printf("result %d\n", result);
	return 3;
}
