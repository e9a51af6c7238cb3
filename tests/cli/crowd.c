/* Threads that stand at two places, for good: four read, two by another way. main calls ready when all of them wait. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT 6

static int ends[2];
static int ids[COUNT];

__attribute__((noinline)) static void wait_for_word(int own)
{
	char word;

	while (read(ends[0], &word, 1) < 0)
		own++;
	(void)own;
}

static void *reader(void *own)
{
	int number = (int)((int *)own - ids);

	__atomic_store_n((int *)own, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	wait_for_word(number);
	return NULL;
}

static void *other_reader(void *own)
{
	int number = (int)((int *)own - ids);

	__atomic_store_n((int *)own, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	wait_for_word(number * 2);
	return NULL;
}

/* Whether a thread is inside of a system call, read. */
static int is_reading(int id)
{
	char path[64], text[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", id);
	file = fopen(path, "r");
	if (file == NULL)
		exit(1);
	if (fgets(text, sizeof(text), file) == NULL)
		text[0] = 0;
	fclose(file);
	return strncmp(text, "0 ", 2) == 0;
}

__attribute__((noinline)) static void ready(int count)
{
	(void)count;
}

int main(void)
{
	pthread_t threads[COUNT];

	if (pipe(ends) != 0)
		return 1;
	for (int i = 0; i < COUNT; i++)
		if (pthread_create(&threads[i], NULL, i < 4 ? reader : other_reader, &ids[i]) != 0)
			return 1;
	for (int i = 0; i < COUNT; i++)
		while (__atomic_load_n(&ids[i], __ATOMIC_ACQUIRE) == 0 || !is_reading(ids[i]))
			sched_yield();
	ready(COUNT);
	return 0;
}
