/*
 * What the scripted sessions debug: one program, one mode a session. The marks (MARK: name) are where sessions stop.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int watched, counted, handled;
static char text[64] = "needle in here";
static struct {
	long a[8];
} wide;
static __thread int local_value = 5;

__attribute__((noinline)) static int add(int a, int b)
{
	int sum = a + b;

	/* Of all threads: what one of them adds is not lost to another. */
	__atomic_fetch_add(&counted, sum, __ATOMIC_RELAXED);
	return sum;
}

static void on_signal(int number)
{
	handled = number;
}

static void *work(void *argument)
{
	local_value = 100 + (int)(long)argument;
	for (int i = 0; i < 20; i++)
		add(i, 1); /* MARK: thread */
	return argument;
}

static int threads(void)
{
	pthread_t list[3];

	for (long i = 0; i < 3; i++)
		if (pthread_create(&list[i], NULL, work, (void *)i) != 0)
			return 1;
	for (int i = 0; i < 3; i++)
		pthread_join(list[i], NULL);
	return counted == 3 * 210 ? 0 : 1; /* MARK: joined */
}

static int forks(const char *program)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		add(10, 20); /* MARK: child */
		execl(program, program, "plain", (char *)NULL);
		_exit(9);
	}
	add(1, 2); /* MARK: parent */
	waitpid(child, &status, 0);
	child = vfork();
	if (child == 0)
		_exit(3);
	waitpid(child, &status, 0);
	return WEXITSTATUS(status); /* MARK: waited */
}

static int signals(void)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1); /* MARK: raise */
	return handled == SIGUSR1 ? 0 : 1;
}

static int watches(void)
{
	int seen = 0;

	watched = 1; /* MARK: watch */
	watched = 2;
	seen += watched;
	watched = 3;
	wide.a[3] = 7;
	return seen != 2;
}

static int system_calls(void)
{
	int descriptor = open("/dev/null", O_RDONLY); /* MARK: open */

	close(descriptor);
	return 0;
}

static int spin(void)
{
	for (;;)
		add(0, 0); /* MARK: spin */
	return 0;
}

/* Sleeps in vfork, as long as it lives. */
static int asleep(void)
{
	pid_t child = vfork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return child == -1;
}

static int slow(void)
{
	for (int i = 0;; i++) {
		add(i, 1);
		usleep(10000);
	}
	return 0;
}

static int plain(void)
{
	int total = 0;

	for (int i = 0; i < 10; i++)
		total += add(i, i); /* MARK: loop */
	strcpy(text, "changed");    /* MARK: after */
	return total == 90 ? 4 : 1;
}

int main(int count, char **arguments)
{
	const char *mode = count > 1 ? arguments[1] : "plain";

	local_value++;
	if (strcmp(mode, "threads") == 0)
		return threads();
	if (strcmp(mode, "forks") == 0)
		return forks(arguments[0]);
	if (strcmp(mode, "signals") == 0)
		return signals();
	if (strcmp(mode, "watches") == 0)
		return watches();
	if (strcmp(mode, "syscalls") == 0)
		return system_calls();
	if (strcmp(mode, "spin") == 0)
		return spin();
	if (strcmp(mode, "asleep") == 0)
		return asleep();
	if (strcmp(mode, "slow") == 0)
		return slow();
	return plain();
}
