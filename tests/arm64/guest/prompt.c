/*
 * A program to be looked at from the prompt: frames whose return addresses are signed, a signal's handler, a tail call,
 * calls through pointers, a loop, vectors, two threads. With the word `die` it does so at its end and leaves a core;
 * with `show` it writes a file to its output. prompt.py is the other side, and knows functions and variables by name.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct item {
	const char *name;
	int number;
	double weight;
	struct item *next;
};

long shared;
int limit = 3;
static pthread_barrier_t barrier;

static long leaf(long number)
{
	shared += number;
	return shared;
}

/* Its frame is gone when leaf runs. */
static long hand_over(long number)
{
#if __has_attribute(musttail)
	__attribute__((musttail)) return leaf(number + 1);
#else
	return leaf(number + 1);
#endif
}

static long through(long (*function)(long), long number)
{
	long result = function(number);

	return result + 1;
}

static long weigh(struct item *first)
{
	double sum = 0;

	for (struct item *item = first; item != NULL; item = item->next)
		sum += item->weight * item->number;
	return (long)sum;
}

static void on_signal(int number)
{
	leaf(number);
}

static long with_signal(long number)
{
	struct sigaction action = {.sa_handler = on_signal};
	long before = shared;

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	return shared - before + number;
}

static void fill_vectors(void)
{
	__asm__ volatile("movi v0.16b, #1\n\tfmov v1.4s, #1.5\n\tfmov d2, #-2.0\n\t"
			 ".globl filled\nfilled:\n\tnop" ::
				 : "v0", "v1", "v2");
}

static int count(void)
{
	int turns = 0;

	while (turns < limit)
		turns++;
	return turns;
}

static void *other_thread(void *argument)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return argument;
}

static int show(const char *path)
{
	char bytes[65536];
	FILE *file = fopen(path, "rb");
	size_t size;

	while (file != NULL && (size = fread(bytes, 1, sizeof(bytes), file)) != 0)
		fwrite(bytes, 1, size, stdout);
	return file == NULL;
}

static void die(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_CORE, &all);
	abort();
}

int main(int argument_count, char **arguments)
{
	struct item second = {"second", 2, 2.5, NULL}, first = {"first", 1, 0.5, &second};
	pthread_t thread;
	long result;

	if (argument_count > 2 && strcmp(arguments[1], "show") == 0)
		return show(arguments[2]);
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, other_thread, NULL);
	pthread_barrier_wait(&barrier);
	result = through(leaf, 10);
	result += hand_over(1);
	result += weigh(&first);
	result += with_signal(100);
	result += count();
	fill_vectors();
	if (argument_count > 1 && strcmp(arguments[1], "die") == 0)
		die();
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	printf("%ld\n", result);
	return 0;
}
