/* Functions of every kind of argument and result, to be called by debuggers on a bare machine (bare_start.S). */
struct one {
	double a;
};

struct two {
	float a;
	float b;
};

struct mixed {
	int a;
	double b;
};

struct three {
	short a, b, c;
};

struct sixteen {
	long a;
	char b;
};

struct big {
	long a[4];
};

struct floats {
	double a, b, c;
};

struct array {
	double a[2];
};

union either {
	long a;
	double b;
};

struct two two = {1.5f, 2.5f};
struct mixed mixed = {-3, 4.25};
struct three three = {-1, 2, -3};
struct sixteen sixteen = {1000, 'x'};
struct big big = {{1, 2, 3, 4}};
struct floats floats = {1, 2, 3};
struct array array = {{5.5, 6.5}};
union either either = {77};
struct one one = {0.125};
const char text[] = "a text";
_Complex double point = 1.5;
long counter;

int negate(int a)
{
	return -a;
}

unsigned int all_ones(unsigned int a)
{
	return ~a;
}

long extends(int a, unsigned int b, short c, unsigned char d, _Bool e)
{
	return (long)a + (long)b * 10 + c * 100 + d * 1000 + e * 10000;
}

/* Registers as they came, without what the callee makes of them: the upper halves count. */
__attribute__((naked)) long raw(unsigned int a)
{
	__asm__("ret");
}

double half(double a)
{
	return a / 2;
}

float third(float a)
{
	return a / 3;
}

double weigh(int a, double b, int c, float d, double e)
{
	return a + b * 10 + c * 100 + d * 1000 + e * 10000;
}

long ten(long a, long b, long c, long d, long e, long f, long g, long h, long i, int j)
{
	counter++;
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}

double nine(double a, double b, double c, double d, double e, double f, double g, double h, double i, long j, double k)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * (double)j + 11 * k;
}

float of_two(struct two a)
{
	return a.a * 10 + a.b;
}

double of_mixed(int before, struct mixed a, double behind)
{
	return before + a.a * 10 + a.b * 100 + behind * 1000;
}

int of_three(struct three a)
{
	return a.a + a.b * 10 + a.c * 100;
}

long of_sixteen(struct sixteen a, long b)
{
	return a.a + a.b + b;
}

/* Its second half is on the stack. */
long split(long a, long b, long c, long d, long e, long f, long g, struct sixteen h, long i)
{
	return a + b + c + d + e + f + g + h.a * 2 + h.b * 3 + i * 5;
}

long of_big(long before, struct big a, long behind)
{
	return before + a.a[0] + a.a[1] * 10 + a.a[2] * 100 + a.a[3] * 1000 + behind * 10000;
}

double of_array(struct array a)
{
	return a.a[0] * 10 + a.a[1];
}

long of_either(union either a)
{
	return a.a;
}

double of_one(struct one a)
{
	return a.a;
}

struct two make_two(float a, float b)
{
	struct two made = {a, b};

	return made;
}

struct mixed make_mixed(int a, double b)
{
	struct mixed made = {a, b};

	return made;
}

struct sixteen make_sixteen(long a, char b)
{
	struct sixteen made = {a, b};

	return made;
}

struct big make_big(long a)
{
	struct big made = {{a, a + 1, a + 2, a + 3}};

	return made;
}

struct array make_array(double a)
{
	struct array made = {{a, a + 1}};

	return made;
}

struct floats make_floats(double a)
{
	struct floats made = {a, a + 1, a + 2};

	return made;
}

_Complex double turn(_Complex double a)
{
	return a * 2.0;
}

int length(const char *of)
{
	int count = 0;

	while (of[count] != '\0')
		count++;
	return count;
}

long sum(int count, ...)
{
	__builtin_va_list list;
	long total = 0;

	__builtin_va_start(list, count);
	for (int i = 0; i < count; i++)
		total = total * 10 + __builtin_va_arg(list, long);
	__builtin_va_end(list);
	return total;
}

double sum_doubles(int count, ...)
{
	__builtin_va_list list;
	double total = 0;

	__builtin_va_start(list, count);
	for (int i = 0; i < count; i++)
		total = total * 10 + __builtin_va_arg(list, double);
	__builtin_va_end(list);
	return total;
}

long factorial(long n)
{
	return n <= 1 ? 1 : n * factorial(n - 1);
}

void nothing(void)
{
	counter += 100;
}

int main(void)
{
	nothing();
	return counter == 100 ? 0 : 1;
}
