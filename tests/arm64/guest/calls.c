/*
 * Functions of every kind of argument and result: those of tests/emulator/calls.c, and what 64-bit Arm has besides.
 * They are called by debuggers, and by main one after the other, so that debuggers finish them. prompt.py is the other
 * side.
 */
/* Nobody includes them. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wpedantic"
#define main main_of_the_others
#include "tests/emulator/calls.c"
#undef main

typedef float short_vector __attribute__((vector_size(8)));
typedef int vector __attribute__((vector_size(16)));

struct four {
	float a, b, c, d;
};

struct five {
	float a, b, c, d, e;
};

struct quads {
	long double a, b;
};

struct vectors {
	vector a, b;
};

struct nested {
	struct two a;
	float b[2];
};

struct seven {
	char a[7];
};

struct aligned {
	__int128 a;
};

struct padded {
	float a;
	_Alignas(8) float b;
};

union reals {
	float a;
	float b[3];
};

enum color { RED = 1, GREEN = 200 };

struct four four = {1, 2, 3, 4};
struct five five = {1, 2, 3, 4, 5};
struct quads quads = {1.25L, 2.5L};
struct vectors vectors = {{1, 2, 3, 4}, {5, 6, 7, 8}};
struct nested nested = {{1, 2}, {3, 4}};
struct seven seven = {"sevens"};
struct aligned aligned = {77};
struct padded padded = {1.5f, 2.5f};
union reals reals = {.b = {1, 2, 3}};
short_vector pair = {1.5f, 2.5f};
vector ints = {10, 20, 30, 40};
__int128 wide = ((__int128)1 << 100) + 5;
long double quad = 1.5L;
_Complex float small_point = 1.5f;

double of_four(int before, struct four a, float behind)
{
	return before + a.a * 10 + a.b * 100 + a.c * 1000 + a.d * 10000 + behind * 100000;
}

/* Too many for vector registers: a pointer to a copy. */
double of_five(struct five a, int behind)
{
	return a.a + a.b * 10 + a.c * 100 + a.d * 1000 + a.e * 10000 + behind * 100000;
}

/* The second does not fit, goes to the stack, and closes the vector registers for what follows. */
double of_fours(struct four a, float b, struct four c, float d)
{
	return a.a + b * 10 + c.a * 100 + c.d * 1000 + d * 10000;
}

long double of_quads(struct quads a, long double b)
{
	return a.a + a.b * 10 + b * 100;
}

int of_vectors(struct vectors a, vector b)
{
	return a.a[3] + a.b[0] * 10 + b[2] * 100;
}

float of_pair(short_vector a)
{
	return a[0] * 10 + a[1];
}

float of_nested(struct nested a)
{
	return a.a.a + a.a.b * 10 + a.b[0] * 100 + a.b[1] * 1000;
}

int of_seven(struct seven a)
{
	return a.a[0] + a.a[5] * 1000;
}

/* Pairs begin with an even register, and one is left out. */
long of_wide(int before, __int128 a, int behind)
{
	return before + (long)(a >> 64) * 10 + (long)a * 100 + behind * 1000;
}

long of_aligned(int before, struct aligned a, int behind)
{
	return before + (long)a.a * 10 + behind * 1000;
}

/* On the stack, too, what is aligned leaves a gap. */
long of_many(long a, long b, long c, long d, long e, long f, long g, long h, char i, __int128 j, short k)
{
	return a + b + c + d + e + f + g + h + i * 100 + (long)j * 1000 + k * 10000;
}

double of_padded(struct padded a)
{
	return a.a * 10 + a.b;
}

float of_reals(union reals a)
{
	return a.b[0] + a.b[1] * 10 + a.b[2] * 100;
}

signed char low(int a)
{
	return (signed char)a;
}

unsigned char high(int a)
{
	return (unsigned char)a;
}

_Bool is_odd(int a)
{
	return a & 1;
}

short shorter(int a)
{
	return (short)a;
}

enum color paint(enum color a)
{
	return a == RED ? GREEN : RED;
}

__int128 twice(__int128 a)
{
	return a * 2;
}

long double half_quad(long double a)
{
	return a / 2;
}

struct four make_four(float a)
{
	struct four made = {a, a + 1, a + 2, a + 3};

	return made;
}

struct five make_five(float a)
{
	struct five made = {a, a + 1, a + 2, a + 3, a + 4};

	return made;
}

struct quads make_quads(double a)
{
	struct quads made = {a, a + 1};

	return made;
}

struct nested make_nested(float a)
{
	struct nested made = {{a, a + 1}, {a + 2, a + 3}};

	return made;
}

struct seven make_seven(char a)
{
	struct seven made = {{a, (char)(a + 1), (char)(a + 2)}};

	return made;
}

struct padded make_padded(float a)
{
	struct padded made = {a, a + 1};

	return made;
}

struct three make_three(short a)
{
	struct three made = {a, (short)(a + 1), (short)(a + 2)};

	return made;
}

vector make_vector(int a)
{
	vector made = {a, a + 1, a + 2, a + 3};

	return made;
}

short_vector make_pair(float a)
{
	short_vector made = {a, a + 1};

	return made;
}

const char *say(void)
{
	return text;
}

long double sum_quads(int count, ...)
{
	__builtin_va_list list;
	long double total = 0;

	__builtin_va_start(list, count);
	for (int i = 0; i < count; i++)
		total = total * 10 + __builtin_va_arg(list, long double);
	__builtin_va_end(list);
	return total;
}

/* What a variadic function sees of structs: of few floats, and of many bytes. */
double sum_structs(int count, ...)
{
	__builtin_va_list list;
	double total = 0;

	__builtin_va_start(list, count);
	for (int i = 0; i < count; i++) {
		struct four floats_of_it = __builtin_va_arg(list, struct four);
		struct big longs_of_it = __builtin_va_arg(list, struct big);

		total = total * 100 + floats_of_it.d * 10 + (double)longs_of_it.a[3];
	}
	__builtin_va_end(list);
	return total;
}

/* What they return is not used: only debuggers want it. */
static void one_after_the_other(void)
{
	negate(-5);
	half(5);
	third(10);
	low(0x180);
	high(-1);
	is_odd(3);
	shorter(0x18000);
	paint(RED);
	twice(wide);
	half_quad(quad);
	turn(point);
	make_two(1, 2);
	make_mixed(-1, 2.5);
	make_sixteen(12345678901, 'x');
	make_big(7);
	make_array(1.5);
	make_floats(2.5);
	make_four(1);
	make_five(1);
	make_quads(1.5);
	make_nested(1);
	make_seven('a');
	make_padded(1.5f);
	make_three(-1);
	make_vector(5);
	make_pair(0.5f);
	say();
}

int main(void)
{
	one_after_the_other();
	nothing();
	return counter == 100 ? negate(0) : 1;
}
