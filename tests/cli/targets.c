/*
 * Debugged by test_targets.py over every kind of target, as a process and as what a bare machine boots: HOSTED says
 * which. What main does besides is chosen by the debugger, in `what`.
 */
#if HOSTED
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

enum choice { NOTHING, SPIN, DEEP, THREAD, SIGNAL, FORK, CALL, FAULT };

struct point {
	int x, y;
	long long_name;
};

volatile enum choice what;
volatile int status;
volatile unsigned long turns;
volatile int watched;
volatile int waiting, done;
const char *volatile text = "some text";

int add(int a, int b);
int descend(int depth);
void change(struct point *p, int by);
void spin(void);
int main(void);

int add(int a, int b)
{
	int sum = a + b;

	return sum;
}

/* Not a loop: what is added comes behind the call. */
int descend(int depth)
{
	if (depth == 0)
		return add(1, 1);
	return descend(depth - 1) + 1;
}

void change(struct point *p, int by)
{
	p->x += by;
	watched = p->x;
	p->y = watched + 1;
	watched = p->y;
	p->long_name = watched;
}

void spin(void)
{
	for (;;)
		turns++;
}

#if HOSTED
static void in_thread(long number)
{
	turns += (unsigned long)number;
	done = 1;
}

static void *thread_main(void *argument)
{
	while (!waiting)
		;
	in_thread((long)argument);
	return NULL;
}

static void start_thread_and_wait(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_main, (void *)7L) != 0)
		return;
	waiting = 1;
	while (!done)
		;
	pthread_join(thread, NULL);
}

static void on_signal(int number)
{
	status = number;
}

static void send_signal(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGUSR1, &action, NULL);
	kill(getpid(), SIGUSR1);
	watched = status;
}

static void make_child(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(3);
	waitpid(child, NULL, 0);
}

static void by_choice(enum choice chosen)
{
	switch (chosen) {
	case THREAD:
		start_thread_and_wait();
		break;
	case SIGNAL:
		send_signal();
		break;
	case FORK:
		make_child();
		break;
	case CALL:
		syscall(SYS_getppid);
		break;
	case FAULT:
		*(volatile int *)0x10 = 1;
		break;
	case NOTHING:
	case SPIN:
	case DEEP:
		break;
	}
}
#endif

int main(void)
{
	struct point p = {1, 2, 3};
	int total = 0;

	if (what == SPIN)
		spin();
	if (what == DEEP)
		total = descend(300);
	for (int i = 0; i < 3; i++)
		total = add(total, i);
	change(&p, total);
#if HOSTED
	by_choice(what);
#endif
	total += descend(5);
	return status;
}
