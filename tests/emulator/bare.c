/* A bare-metal program to debug: calls, loops, structures, floating point, a timer, and other harts. */
#define UART ((volatile unsigned char *)0x10000000)

struct point {
	long x, y;
	double weight;
	struct point *next;
};

struct pair {
	long first, second;
};

volatile long shared, ticks, others;
struct point points[4];
long table[8] = {7, 3, 9, 1, 4, 8, 2, 6};

void on_trap(void) __attribute__((interrupt("machine"), aligned(4)));

void on_trap(void)
{
	volatile unsigned long *compare = (unsigned long *)0x2004000;

	ticks++;
	*compare += 2000;
}

static void print(const char *text)
{
	while (*text != '\0')
		*UART = (unsigned char)*text++;
}

__attribute__((noinline)) long add(long a, long b)
{
	long sum = a + b;

	shared = sum;
	return sum;
}

__attribute__((noinline)) double mean(const struct point *list, int count)
{
	double sum = 0;

	for (int i = 0; i < count; i++)
		sum += list[i].weight;
	return sum / count;
}

__attribute__((noinline)) struct pair swap(struct pair pair)
{
	struct pair swapped = {pair.second, pair.first};

	return swapped;
}

__attribute__((noinline)) long factorial(long n)
{
	if (n <= 1)
		return 1;
	return n * factorial(n - 1);
}

__attribute__((noinline)) void sort(long *numbers, int count)
{
	for (int i = 1; i < count; i++) {
		for (int j = i; j > 0 && numbers[j - 1] > numbers[j]; j--) {
			long kept = numbers[j];

			numbers[j] = numbers[j - 1];
			numbers[j - 1] = kept;
		}
	}
}

void other_hart(long hart)
{
	for (;;) {
		__atomic_fetch_add(&others, hart, __ATOMIC_RELAXED);
	}
}

int main(void)
{
	struct pair pair = {1, 2};
	long total = 0;

	for (int i = 0; i < 4; i++) {
		points[i].x = i;
		points[i].y = i * i;
		points[i].weight = i + 0.5;
		points[i].next = i < 3 ? &points[i + 1] : 0;
	}
	total = add(2, 3);
	total += factorial(5);
	pair = swap(pair);
	sort(table, 8);
	if (mean(points, 4) == 2.0)
		print("sorted\n");
	return total == 125 && pair.first == 2 ? 0 : 3;
}
