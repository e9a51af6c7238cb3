/*
 * Floating point of 128 bits (IEEE 754 binary128: _Float128, __float128), which has more digits than anything that this
 * machine reckons with.
 */
#ifndef TL_DEBUGGER_QUAD_H
#define TL_DEBUGGER_QUAD_H

#include "debugger/values/value.h"

#define TL_QUAD_SIZE 16
/* Room for the longest text, its zero included. */
#define TL_QUAD_TEXT_MAX 64

/*
 * Is a type, or the half of it that a complex number has twice, of that kind? By its name, or, where long doubles are
 * (tl_types_set_quads), by its size: a long double of x87 has the same.
 */
bool tl_is_quad(const struct tl_type *type);

/* The nearest long double of 16 little-endian bytes. Any thread. */
long double tl_quad_real(const tl_u8 bytes[TL_QUAD_SIZE]);

/* A number that has at most as many digits, as little-endian bytes; and an integer, rounded. Any thread. */
void tl_quad_make(long double number, tl_u8 bytes_ret[TL_QUAD_SIZE]);
void tl_quad_make_integer(tl_i128 number, bool is_signed, tl_u8 bytes_ret[TL_QUAD_SIZE]);

/* a + b, a - b, a * b, a / b, rounded as IEEE 754 has it; false for other operations. Any thread. */
bool tl_quad_reckon(enum tl_punctuator operation, const tl_u8 a[TL_QUAD_SIZE], const tl_u8 b[TL_QUAD_SIZE],
		    tl_u8 result_ret[TL_QUAD_SIZE]);

/* Whether a is less than b, and whether they are equal; neither, where one is no number. Any thread. */
void tl_quad_compare(const tl_u8 a[TL_QUAD_SIZE], const tl_u8 b[TL_QUAD_SIZE], bool *less_ret, bool *equal_ret);

/*
 * Writes it as printf's %.36g would: as many digits as tell any two apart. False for what is no number. Any thread; 10
 * KiB of stack.
 */
bool tl_quad_text(const tl_u8 bytes[TL_QUAD_SIZE], char text_ret[TL_QUAD_TEXT_MAX]);

#endif
