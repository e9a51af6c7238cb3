/* Functions to be called from the prompt, and threads that they need for their end. main calls ready when all wait. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int held, wanted, called, answered;

static int get(const int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(int *flag)
{
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

/* Keeps the lock until somebody wants it. */
static void *holder(void *unused)
{
	pthread_mutex_lock(&lock);
	set(&held);
	while (!get(&wanted))
		sched_yield();
	pthread_mutex_unlock(&lock);
	for (;;)
		pause();
	return unused;
}

__attribute__((noinline)) static void answer(void)
{
	set(&answered);
}

static void *answerer(void *unused)
{
	while (!get(&called))
		sched_yield();
	answer();
	return unused;
}

/* Comes back when the holder has let go. */
__attribute__((noinline)) static int take(int value)
{
	set(&wanted);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return value + 1;
}

/* Comes back when the other thread was in answer(). */
__attribute__((noinline)) static int ask(int value)
{
	set(&called);
	while (!get(&answered))
		sched_yield();
	return value + 2;
}

__attribute__((noinline)) static int plain(int value)
{
	return value + 1;
}

/* Gives the other thread time, and says whether it took it. */
__attribute__((noinline)) static int linger(void)
{
	set(&called);
	for (int i = 0; i < 1000 && !get(&answered); i++)
		sched_yield();
	return answered;
}

__attribute__((noinline)) static void ready(void) {}

int main(void)
{
	pthread_t threads[2];

	if (pthread_create(&threads[0], NULL, holder, NULL) != 0 ||
	    pthread_create(&threads[1], NULL, answerer, NULL) != 0)
		return 1;
	while (!get(&held))
		sched_yield();
	ready();
	return plain(0) + linger() + take(0) + ask(0);
}
