/*
 * Floating point as RISC-V defines it, in integers: the same bits on every host, in every rounding mode, with all
 * flags.
 *
 * Numbers are bit patterns of IEEE 754 binary32 and binary64; a binary32 one stands in the low half of a word here, its
 * boxing in a register is the caller's. A result that is not a number is always the canonical quiet one, and tininess
 * is detected after rounding. Pure, but for the flags that are gathered in the context; any thread, one for each
 * context.
 *
 * Source: RISC-V Instruction Set Manual, volume I, chapters "F" and "D"; IEEE 754-2019.
 */
#ifndef TL_TARGETS_EMULATOR_FLOAT_H
#define TL_TARGETS_EMULATOR_FLOAT_H

#include "core/cpu/riscv_decode.h"
#include "core/types.h"

/* The bits of fflags. */
#define TL_FLOAT_INEXACT 1u
#define TL_FLOAT_UNDERFLOW 2u
#define TL_FLOAT_OVERFLOW 4u
#define TL_FLOAT_DIVIDE_BY_ZERO 8u
#define TL_FLOAT_INVALID 16u

struct tl_float_context {
	tl_u8 rounding; /* enum tl_riscv_rounding, not DYNAMIC */
	tl_u8 flags;    /* operations set bits here and clear none */
};

/* A format: binary32 or binary64. */
struct tl_float_format {
	tl_u8 fraction_bits; /* those that are stored */
	tl_u8 exponent_bits;
	tl_u64 not_a_number; /* the canonical one */
};

extern const struct tl_float_format tl_float32, tl_float64;

tl_u64 tl_float_add(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b);
tl_u64 tl_float_subtract(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b);
tl_u64 tl_float_multiply(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b);
tl_u64 tl_float_divide(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b);
tl_u64 tl_float_root(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a);

/* a × b + c with one rounding. */
tl_u64 tl_float_multiply_add(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b,
			     tl_u64 c);

/* minimumNumber and maximumNumber: -0 is less than +0, and a number wins over what is none. */
tl_u64 tl_float_minimum(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b);
tl_u64 tl_float_maximum(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b);

/* Comparisons: of what is no number false, and invalid: for `equal` only if it is a signalling one. */
bool tl_float_equal(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b);
bool tl_float_less(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b);
bool tl_float_less_or_equal(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a, tl_u64 b);

/* What fclass puts into its register: one of bits 0 to 9. */
tl_u32 tl_float_class(const struct tl_float_format *format, tl_u64 a);

/* From one format into another. */
tl_u64 tl_float_convert(const struct tl_float_format *from, const struct tl_float_format *to,
			struct tl_float_context *context, tl_u64 a);

/*
 * To a whole number of `bits` bits (32 or 64), sign-extended to 64 as RISC-V keeps it, unsigned ones of 32 bits too.
 * What does not fit is invalid and becomes the nearest that does; what is no number the largest.
 */
tl_u64 tl_float_to_integer(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 a,
			   bool is_signed, tl_u32 bits);

/* From a whole number: all 64 bits of it, as a signed or an unsigned one. */
tl_u64 tl_float_from_integer(const struct tl_float_format *format, struct tl_float_context *context, tl_u64 value,
			     bool is_signed);

#endif
