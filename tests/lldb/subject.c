/* The program that the lldb sessions debug. The first argument says what it does. What it prints begins with "OUT:". */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct node {
	int value;
	const char *name;
	double weight;
	struct node *next;
};

struct node third = {3, "third", 0.5, NULL};
struct node second = {2, "second", 1.5, &third};
struct node first = {1, "first", 2.5, &second};
volatile int counter;
volatile int waiting = 1;
volatile long watched[4];
unsigned char bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void say(const char *text, int number)
{
	printf("OUT: %s %d\n", text, number);
	fflush(stdout);
}

int square(int x)
{
	int y = x * x;
	counter += y;
	return y;
}

int factorial(int n)
{
	if (n <= 1)
		return 1;
	return n * factorial(n - 1);
}

long sum_list(const struct node *node)
{
	long sum = 0;
	for (; node != NULL; node = node->next)
		sum += node->value;
	return sum;
}

double scale(double x, float y)
{
	return x * y + 0.25;
}

static int plain(void)
{
	int total = 0;
	for (int i = 0; i < 10; i++) {
		total += square(i);
		watched[1] = total;
	}
	total += (int)sum_list(&first);
	total += factorial(5);
	total += (int)scale(total, 0.5f);
	say("total", total);
	return total & 63;
}

static int watch(void)
{
	long seen = 0;
	for (int i = 0; i < 4; i++) {
		watched[0] = i * 10;
		watched[2] = i;
		seen += watched[3];
		bytes[5] = (unsigned char)(i + 100);
	}
	say("seen", (int)seen);
	return 0;
}

/* The threads take turns, so that every run stops in the same places. */
static pthread_mutex_t turn_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void wait_for_turn(int mine)
{
	pthread_mutex_lock(&turn_lock);
	while (turn != mine)
		pthread_cond_wait(&turn_changed, &turn_lock);
	pthread_mutex_unlock(&turn_lock);
}

static void pass_turn(void)
{
	pthread_mutex_lock(&turn_lock);
	turn++;
	pthread_cond_broadcast(&turn_changed);
	pthread_mutex_unlock(&turn_lock);
}

int work(int number)
{
	int result = number * 100;
	counter += result;
	return result;
}

static void *worker(void *argument)
{
	int number = (int)(long)argument;
	wait_for_turn(number);
	work(number);
	pass_turn();
	wait_for_turn(number + 4);
	work(number + 10);
	pass_turn();
	return NULL;
}

void all_started(void)
{
	say("threads", 4);
}

static int threads(void)
{
	pthread_t ids[4];
	turn = -1;
	for (long i = 0; i < 4; i++) {
		char name[16];
		snprintf(name, sizeof(name), "worker-%ld", i);
		pthread_create(&ids[i], NULL, worker, (void *)i);
		pthread_setname_np(ids[i], name);
	}
	all_started();
	pass_turn();
	for (int i = 0; i < 4; i++)
		pthread_join(ids[i], NULL);
	say("counter", counter);
	return 0;
}

/* Many threads that hit the same line as often as they can. */
static long storm_total;

int strike(int number)
{
	return (int)__atomic_add_fetch(&storm_total, number, __ATOMIC_SEQ_CST);
}

static void *striker(void *argument)
{
	for (int i = 0; i < 10; i++)
		strike((int)(long)argument);
	return NULL;
}

static int storm(void)
{
	pthread_t ids[8];
	for (long i = 0; i < 8; i++)
		pthread_create(&ids[i], NULL, striker, (void *)(i + 1));
	for (int i = 0; i < 8; i++)
		pthread_join(ids[i], NULL);
	say("storm", (int)storm_total);
	return 0;
}

static void on_signal(int number)
{
	counter += number;
}

static int signals(void)
{
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	raise(SIGUSR1);
	say("after USR1", counter);
	raise(SIGUSR2);
	say("after USR2", counter);
	return counter;
}

static int crash(void)
{
	volatile int *nowhere = (volatile int *)(long)(counter + 16);
	return *nowhere;
}

static int forks(void)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		square(7);
		_exit(counter & 127);
	}
	waitpid(child, &status, 0);
	square(3);
	say("child", WEXITSTATUS(status));
	return 0;
}

static int waits(void)
{
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	say("waiting", 0);
	/* In one line, since attaching stops it anywhere. */
	/* clang-format off */
	for (; waiting; counter++);
	/* clang-format on */
	return 5;
}

int spin(void)
{
	for (;;)
		counter++;
}

int main(int count, char **arguments)
{
	const char *mode = count > 1 ? arguments[1] : "plain";
	if (strcmp(mode, "plain") == 0)
		return plain();
	if (strcmp(mode, "watch") == 0)
		return watch();
	if (strcmp(mode, "threads") == 0)
		return threads();
	if (strcmp(mode, "storm") == 0)
		return storm();
	if (strcmp(mode, "signals") == 0)
		return signals();
	if (strcmp(mode, "crash") == 0)
		return crash();
	if (strcmp(mode, "fork") == 0)
		return forks();
	if (strcmp(mode, "exec") == 0) {
		execl(arguments[0], arguments[0], "plain", (char *)NULL);
		return 127;
	}
	if (strcmp(mode, "wait") == 0)
		return waits();
	if (strcmp(mode, "environment") == 0) {
		char line[64] = "";
		printf("OUT: %s %s\n", getenv("SUBJECT") != NULL ? getenv("SUBJECT") : "-",
		       fgets(line, sizeof(line), stdin) != NULL ? line : "-");
		return count;
	}
	return 99;
}
