/*
 * The bundled sample: a small shop. Two clerks book orders from one list into one till. It has what a first look at a
 * debugger wants: functions that call each other, a struct, a loop, a variable to watch, and threads.
 */
#include <pthread.h>
#include <stdio.h>

struct order {
	const char *what;
	int pieces;
	int price; /* in cents, a piece */
};

static const struct order orders[] = {
	{"pencil", 12, 35}, {"notebook", 3, 250}, {"eraser", 5, 80}, {"ruler", 1, 199}, {"stapler", 2, 1290},
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned next_order;
static int till; /* what all orders so far came to, in cents */

static int cost(const struct order *order)
{
	return order->pieces * order->price;
}

static void book(const struct order *order)
{
	till += cost(order);
	printf("%-10s %2d x %5d = %5d, till %6d\n", order->what, order->pieces, order->price, cost(order), till);
}

static void *clerk(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&lock);
		if (next_order == sizeof(orders) / sizeof(orders[0])) {
			pthread_mutex_unlock(&lock);
			return unused;
		}
		book(&orders[next_order++]);
		pthread_mutex_unlock(&lock);
	}
}

int main(void)
{
	pthread_t clerks[2];

	for (int i = 0; i < 2; i++)
		if (pthread_create(&clerks[i], NULL, clerk, NULL) != 0)
			return 1;
	for (int i = 0; i < 2; i++)
		pthread_join(clerks[i], NULL);
	printf("total %d\n", till);
	return 0;
}
