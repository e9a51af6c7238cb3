/*
 * The kernels of the emulator's bench: one of them, by -DKERNEL_…, on bare metal. TIMES is how much of it there is, 100
 * for a figure. Each is written so that its result is used, and none is vectorised.
 */
typedef unsigned char byte;
typedef unsigned short half;
typedef unsigned int word;
typedef unsigned long number;

#ifndef TIMES
#define TIMES 100
#endif
#define APART __attribute__((noinline))

volatile number result;
/* Nothing that is called with it can be done once for all rounds. */
static volatile word nothing;

static byte bytes[65536];

/* A page that is written to all the time, and on it a word that is not. */
struct {
	byte sorted[4096 - 64], watched[64];
} page __attribute__((aligned(4096)));

/* It is not called. */
number never(void);
number never(void)
{
	return result;
}

static APART void fill(void)
{
	word seed = 12345;

	for (word i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (byte)(seed >> 16);
	}
}

static APART half check(const byte *from, word size, half sum)
{
	for (word i = 0; i < size; i++) {
		sum ^= from[i];
		for (int bit = 0; bit < 8; bit++)
			sum = (half)((sum & 1) != 0 ? sum >> 1 ^ 0xa001 : sum >> 1);
	}
	return sum;
}

static APART number fibonacci(word n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static APART number add(number a)
{
	return a + 3;
}

static APART number turn(number a)
{
	return a ^ 0x55;
}

static APART number multiply(number a)
{
	return a * 5;
}

static APART number subtract(number a)
{
	return a - 7;
}

static number (*const volatile functions[4])(number) = {add, turn, multiply, subtract};

static APART number calls(word count)
{
	number value = 1;

	for (word i = 0; i < count; i++)
		value = functions[i & 3](value);
	return value;
}

struct node {
	struct node *next;
	number value;
};
static struct node nodes[4096];

static APART number list(word rounds)
{
	number sum = 0;

	for (word i = 0; i < 4096; i++)
		nodes[i] = (struct node){&nodes[(i * 1229 + 1) & 4095], i};
	for (word round = 0; round < rounds; round++) {
		const struct node *node = nodes;

		for (word i = 0; i < 4096; i++) {
			sum += node->value;
			node = node->next;
		}
	}
	return sum;
}

static APART void sort(byte *from, word count)
{
	for (word gap = count / 2; gap > 0; gap /= 2)
		for (word i = gap; i < count; i++) {
			byte moved = from[i];
			word at = i;

			for (; at >= gap && from[at - gap] > moved; at -= gap)
				from[at] = from[at - gap];
			from[at] = moved;
		}
}

static APART double chain(word count, double x, double a, double b)
{
	for (word i = 0; i < count; i++)
		x = x * a + b;
	return x;
}

static long left[64][64], right[64][64], product[64][64];

static APART void matrices(void)
{
	for (int i = 0; i < 64; i++)
		for (int j = 0; j < 64; j++) {
			long sum = i ^ j;

			for (int k = 0; k < 64; k++)
				sum += left[i][k] * right[k][j];
			product[i][j] = sum;
		}
}

int main(void)
{
	number sum = 0;

	fill();
#if defined(KERNEL_CRC)
	for (int i = 0; i < 2 * TIMES; i++)
		sum += check(bytes, sizeof(bytes), (half)i);
#elif defined(KERNEL_CALLS)
	for (int i = 0; i < TIMES; i++)
		sum += fibonacci(27 + nothing);
#elif defined(KERNEL_INDIRECT)
	for (int i = 0; i < TIMES; i++)
		sum += calls(600000);
#elif defined(KERNEL_LIST)
	sum = list(400 * TIMES);
#elif defined(KERNEL_SORT)
	for (int i = 0; i < TIMES; i++) {
		fill();
		sort(bytes, sizeof(bytes) / 4);
		sum += bytes[100];
	}
#elif defined(KERNEL_PAGE)
	for (int i = 0; i < 4 * TIMES; i++) {
		for (word at = 0; at < sizeof(page.sorted); at++)
			page.sorted[at] = bytes[at];
		sort(page.sorted, sizeof(page.sorted));
		sum += page.sorted[100];
	}
#elif defined(KERNEL_FLOAT)
	for (int i = 0; i < TIMES; i++)
		sum += (number)chain(1000000 + nothing, 1.0, 0.999999, 0.5);
#elif defined(KERNEL_MIXED)
	for (int i = 0; i < (TIMES + 3) / 4; i++) {
		sum += check(bytes, sizeof(bytes), (half)i);
		matrices();
		matrices();
		matrices();
		sum += fibonacci(22 + nothing) + list(100) + (number)product[3][5];
		fill();
		sort(bytes, sizeof(bytes) / 8);
	}
#else
#error "which kernel?"
#endif
	result = sum;
	return 0;
}
