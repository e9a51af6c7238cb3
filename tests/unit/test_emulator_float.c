/*
 * Floating point of the emulator against the host's: every operation, both formats, four rounding modes, on operands
 * that are likely to be difficult. What x86 does otherwise than RISC-V is said where it is allowed for.
 */
#include "targets/emulator/float.h"
#include "tests/unit/test.h"

#include <fenv.h>
#include <math.h>

#define ROUNDS 40000

static tl_u64 seed = 0x9e3779b97f4a7c15;

static tl_u64 chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Exponents near each other and near the ends, fractions of few ones or of few zeros. */
static tl_u64 operand(const struct tl_float_format *format)
{
	tl_u64 most = ((tl_u64)1 << format->exponent_bits) - 1, fraction = chance(), exponent = chance() & most;

	switch (chance() % 6) {
	case 0:
		fraction = (tl_u64)1 << chance() % 64;
		break;
	case 1:
		fraction = ~((tl_u64)1 << chance() % 64);
		break;
	case 2:
		fraction = 0;
		break;
	default:
		break;
	}
	switch (chance() % 6) {
	case 0:
		exponent = chance() % 3;
		break;
	case 1:
		exponent = most - chance() % 3;
		break;
	case 2:
	case 3:
		exponent = most / 2 + chance() % 8 - 4;
		break;
	default:
		break;
	}
	return (fraction & (((tl_u64)1 << format->fraction_bits) - 1)) | exponent << format->fraction_bits |
	       (chance() & 1) << (format->fraction_bits + format->exponent_bits);
}

#define ROUNDINGS 4
static const int host_rounding[ROUNDINGS] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};

static tl_u8 host_flags(void)
{
	int raised = fetestexcept(FE_ALL_EXCEPT);

	return (tl_u8)(((raised & FE_INEXACT) != 0 ? TL_FLOAT_INEXACT : 0) |
		       ((raised & FE_UNDERFLOW) != 0 ? TL_FLOAT_UNDERFLOW : 0) |
		       ((raised & FE_OVERFLOW) != 0 ? TL_FLOAT_OVERFLOW : 0) |
		       ((raised & FE_DIVBYZERO) != 0 ? TL_FLOAT_DIVIDE_BY_ZERO : 0) |
		       ((raised & FE_INVALID) != 0 ? TL_FLOAT_INVALID : 0));
}

static double as_double(tl_u64 bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static float as_float(tl_u64 bits)
{
	tl_u32 low = (tl_u32)bits;
	float value;

	memcpy(&value, &low, sizeof(value));
	return value;
}

static tl_u64 bits_of_double(double value)
{
	tl_u64 bits;

	memcpy(&bits, &value, sizeof(bits));
	return value != value ? tl_float64.not_a_number : bits;
}

static tl_u64 bits_of_float(float value)
{
	tl_u32 bits;

	memcpy(&bits, &value, sizeof(bits));
	return value != value ? tl_float32.not_a_number : bits;
}

enum operation { ADD, SUBTRACT, MULTIPLY, DIVIDE, ROOT, MULTIPLY_ADD, OPERATION_MAX };

static tl_u64 ours(const struct tl_float_format *format, struct tl_float_context *context, enum operation operation,
		   tl_u64 a, tl_u64 b, tl_u64 c)
{
	switch (operation) {
	case ADD:
		return tl_float_add(format, context, a, b);
	case SUBTRACT:
		return tl_float_subtract(format, context, a, b);
	case MULTIPLY:
		return tl_float_multiply(format, context, a, b);
	case DIVIDE:
		return tl_float_divide(format, context, a, b);
	case ROOT:
		return tl_float_root(format, context, a);
	case MULTIPLY_ADD:
		return tl_float_multiply_add(format, context, a, b, c);
	case OPERATION_MAX:
		break;
	}
	return 0;
}

/* Volatile operands keep the compiler from computing with its own rounding. */
static tl_u64 theirs_double(enum operation operation, tl_u64 first, tl_u64 second, tl_u64 third)
{
	volatile double a = as_double(first), b = as_double(second), c = as_double(third), result = 0;

	feclearexcept(FE_ALL_EXCEPT);
	switch (operation) {
	case ADD:
		result = a + b;
		break;
	case SUBTRACT:
		result = a - b;
		break;
	case MULTIPLY:
		result = a * b;
		break;
	case DIVIDE:
		result = a / b;
		break;
	case ROOT:
		result = sqrt(a);
		break;
	case MULTIPLY_ADD:
		result = fma(a, b, c);
		break;
	case OPERATION_MAX:
		break;
	}
	return bits_of_double(result);
}

static tl_u64 theirs_float(enum operation operation, tl_u64 first, tl_u64 second, tl_u64 third)
{
	volatile float a = as_float(first), b = as_float(second), c = as_float(third), result = 0;

	feclearexcept(FE_ALL_EXCEPT);
	switch (operation) {
	case ADD:
		result = a + b;
		break;
	case SUBTRACT:
		result = a - b;
		break;
	case MULTIPLY:
		result = a * b;
		break;
	case DIVIDE:
		result = a / b;
		break;
	case ROOT:
		result = sqrtf(a);
		break;
	case MULTIPLY_ADD:
		result = fmaf(a, b, c);
		break;
	case OPERATION_MAX:
		break;
	}
	return bits_of_float(result);
}

/* Inf × 0 + a quiet one that is no number: RISC-V says invalid, x86 does not. */
static bool is_exempt(const struct tl_float_format *format, enum operation operation, tl_u64 a, tl_u64 b, tl_u64 c)
{
	tl_u32 classes = tl_float_class(format, a) | tl_float_class(format, b);

	return operation == MULTIPLY_ADD && (tl_float_class(format, c) & 0x200) != 0 && (classes & 0x81) != 0 &&
	       (classes & 0x18) != 0;
}

static unsigned compare_arithmetic(const struct tl_float_format *format, enum operation operation, tl_u8 rounding)
{
	unsigned wrong = 0;

	fesetround(host_rounding[rounding]);
	for (int i = 0; i < ROUNDS; i++) {
		tl_u64 a = operand(format), b = operand(format), c = operand(format), result, wanted;
		struct tl_float_context context = {.rounding = rounding};
		tl_u8 flags;

		result = ours(format, &context, operation, a, b, c);
		wanted = format == &tl_float64 ? theirs_double(operation, a, b, c) : theirs_float(operation, a, b, c);
		flags = host_flags();
		if ((result == wanted && context.flags == flags) || is_exempt(format, operation, a, b, c))
			continue;
		if (wrong++ < 3)
			printf("  operation %d rounding %d: %llx %llx %llx: %llx flags %x, the host %llx flags %x\n",
			       operation, rounding, (unsigned long long)a, (unsigned long long)b, (unsigned long long)c,
			       (unsigned long long)result, context.flags, (unsigned long long)wanted, flags);
	}
	fesetround(FE_TONEAREST);
	return wrong;
}

TEST(arithmetic_is_that_of_the_host)
{
	const struct tl_float_format *const formats[] = {&tl_float32, &tl_float64};

	for (size_t f = 0; f < TL_COUNT(formats); f++)
		for (enum operation operation = ADD; operation < OPERATION_MAX; operation++)
			for (tl_u8 rounding = 0; rounding < ROUNDINGS; rounding++)
				CHECK_EQUAL(compare_arithmetic(formats[f], operation, rounding), 0);
}

TEST(conversions_between_formats_are_those_of_the_host)
{
	for (tl_u8 rounding = 0; rounding < ROUNDINGS; rounding++) {
		fesetround(host_rounding[rounding]);
		for (int i = 0; i < ROUNDS; i++) {
			struct tl_float_context context = {.rounding = rounding};
			tl_u64 wide = operand(&tl_float64), narrow = operand(&tl_float32), result;
			volatile double from_wide = as_double(wide);
			volatile float from_narrow = as_float(narrow), to_narrow;
			volatile double to_wide;

			result = tl_float_convert(&tl_float64, &tl_float32, &context, wide);
			feclearexcept(FE_ALL_EXCEPT);
			to_narrow = (float)from_wide;
			CHECK_EQUAL(result, bits_of_float(to_narrow));
			CHECK_EQUAL(context.flags, host_flags());
			context.flags = 0;
			result = tl_float_convert(&tl_float32, &tl_float64, &context, narrow);
			feclearexcept(FE_ALL_EXCEPT);
			to_wide = from_narrow;
			CHECK_EQUAL(result, bits_of_double(to_wide));
			CHECK_EQUAL(context.flags, host_flags());
		}
		fesetround(FE_TONEAREST);
	}
}

/* Where the host has the conversion too, and the number fits. */
TEST(whole_numbers)
{
	for (tl_u8 rounding = 0; rounding < ROUNDINGS; rounding++) {
		fesetround(host_rounding[rounding]);
		for (int i = 0; i < ROUNDS; i++) {
			struct tl_float_context context = {.rounding = rounding};
			tl_u64 a = operand(&tl_float64), whole = chance() >> chance() % 64, result;
			volatile double value = as_double(a), back;
			volatile tl_i64 given = (tl_i64)whole;

			feclearexcept(FE_ALL_EXCEPT);
			back = (double)given;
			result = tl_float_from_integer(&tl_float64, &context, whole, true);
			CHECK_EQUAL(result, bits_of_double(back));
			CHECK_EQUAL(context.flags, host_flags());
			if (!(fabs(value) < 9e18))
				continue;
			context.flags = 0;
			feclearexcept(FE_ALL_EXCEPT);
			given = llrint(value);
			CHECK_EQUAL(tl_float_to_integer(&tl_float64, &context, a, true, 64), (tl_u64)given);
			CHECK_EQUAL(context.flags, host_flags());
			if (given != (tl_i32)given)
				continue;
			CHECK_EQUAL(tl_float_to_integer(&tl_float64, &context, a, true, 32), (tl_u64)given);
		}
		fesetround(FE_TONEAREST);
	}
}

TEST(what_does_not_fit_becomes_the_nearest)
{
	static const struct {
		double value;
		bool is_signed;
		tl_u32 bits;
		tl_u64 result;
	} cases[] = {
		{3e9, true, 32, 0x7fffffff},
		{-3e9, true, 32, 0xffffffff80000000},
		{3e9, false, 32, 0xffffffffb2d05e00},
		{5e9, false, 32, 0xffffffffffffffff},
		{-1.0, false, 32, 0},
		{1e19, true, 64, 0x7fffffffffffffff},
		{-1e19, true, 64, 0x8000000000000000},
		{2e19, false, 64, 0xffffffffffffffff},
		{-1.0, false, 64, 0},
		{INFINITY, true, 32, 0x7fffffff},
		{-INFINITY, false, 64, 0},
		{NAN, true, 64, 0x7fffffffffffffff},
		{-NAN, false, 32, 0xffffffffffffffff},
	};

	for (size_t i = 0; i < TL_COUNT(cases); i++) {
		struct tl_float_context context = {0};
		tl_u64 bits;

		memcpy(&bits, &cases[i].value, sizeof(bits));
		CHECK_EQUAL(tl_float_to_integer(&tl_float64, &context, bits, cases[i].is_signed, cases[i].bits),
			    cases[i].result);
		CHECK_EQUAL(context.flags, i == 2 ? 0 : TL_FLOAT_INVALID);
	}
}

/* -0.5 to unsigned: to 0 inexactly in most modes, but downwards to -1, which does not fit. */
TEST(a_little_below_zero)
{
	static const tl_u8 flags[] = {TL_FLOAT_INEXACT, TL_FLOAT_INEXACT, TL_FLOAT_INVALID, TL_FLOAT_INEXACT,
				      TL_FLOAT_INVALID};

	for (tl_u8 rounding = 0; rounding < (tl_u8)TL_COUNT(flags); rounding++) {
		struct tl_float_context context = {.rounding = rounding};

		CHECK_EQUAL(tl_float_to_integer(&tl_float64, &context, 0xbfe0000000000000, false, 64), 0);
		CHECK_EQUAL(context.flags, flags[rounding]);
	}
}

TEST(ties_go_away_from_zero_when_asked)
{
	struct tl_float_context context = {.rounding = TL_RISCV_ROUND_NEAREST_AWAY};

	/* 2.5 and -2.5 to whole numbers; 1 + 2^-53, half a unit above 1. */
	CHECK_EQUAL(tl_float_to_integer(&tl_float64, &context, 0x4004000000000000, true, 64), 3);
	CHECK_EQUAL(tl_float_to_integer(&tl_float64, &context, 0xc004000000000000, true, 64), (tl_u64)-3);
	CHECK_EQUAL(tl_float_add(&tl_float64, &context, 0x3ff0000000000000, 0x3ca0000000000000), 0x3ff0000000000001);
	context.rounding = TL_RISCV_ROUND_NEAREST_EVEN;
	CHECK_EQUAL(tl_float_add(&tl_float64, &context, 0x3ff0000000000000, 0x3ca0000000000000), 0x3ff0000000000000);
}

TEST(least_and_largest)
{
	tl_u64 quiet = 0x7ff8000000000001, signalling = 0x7ff0000000000001, one = 0x3ff0000000000000;
	tl_u64 minus_zero = 0x8000000000000000;
	struct tl_float_context context = {0};

	CHECK_EQUAL(tl_float_minimum(&tl_float64, &context, 0, minus_zero), minus_zero);
	CHECK_EQUAL(tl_float_minimum(&tl_float64, &context, minus_zero, 0), minus_zero);
	CHECK_EQUAL(tl_float_maximum(&tl_float64, &context, minus_zero, 0), 0);
	CHECK_EQUAL(tl_float_maximum(&tl_float64, &context, quiet, one), one);
	CHECK_EQUAL(tl_float_minimum(&tl_float64, &context, quiet, quiet), tl_float64.not_a_number);
	CHECK_EQUAL(context.flags, 0);
	CHECK_EQUAL(tl_float_minimum(&tl_float64, &context, one, signalling), one);
	CHECK_EQUAL(context.flags, TL_FLOAT_INVALID);
	context.flags = 0;
	CHECK(!tl_float_equal(&tl_float64, &context, quiet, one));
	CHECK_EQUAL(context.flags, 0);
	CHECK(!tl_float_less(&tl_float64, &context, quiet, one));
	CHECK_EQUAL(context.flags, TL_FLOAT_INVALID);
	CHECK(tl_float_equal(&tl_float64, &context, 0, minus_zero));
	CHECK(tl_float_less_or_equal(&tl_float64, &context, 0, minus_zero));
	CHECK(!tl_float_less(&tl_float64, &context, minus_zero, 0));
}

TEST(comparisons_are_those_of_the_host)
{
	for (int i = 0; i < ROUNDS; i++) {
		tl_u64 a = operand(&tl_float32), b = chance() % 4 == 0 ? a : operand(&tl_float32);
		struct tl_float_context context = {0};

		CHECK_EQUAL(tl_float_equal(&tl_float32, &context, a, b), as_float(a) == as_float(b));
		CHECK_EQUAL(tl_float_less(&tl_float32, &context, a, b), as_float(a) < as_float(b));
		CHECK_EQUAL(tl_float_less_or_equal(&tl_float32, &context, a, b), as_float(a) <= as_float(b));
	}
}

TEST(classes)
{
	static const tl_u64 of_class[] = {
		0xfff0000000000000, 0xbff0000000000000, 0x8000000000000001, 0x8000000000000000, 0, 1,
		0x3ff0000000000000, 0x7ff0000000000000, 0x7ff0000000000001, 0x7ff8000000000000};

	for (size_t i = 0; i < TL_COUNT(of_class); i++)
		CHECK_EQUAL(tl_float_class(&tl_float64, of_class[i]), 1u << i);
}
