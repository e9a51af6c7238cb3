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

/* Is a type, or the half of it that a complex number has twice, of that kind? A long double of x87 has its size, too.
 */
bool tl_is_quad(const struct tl_type *type);

/* The nearest long double of 16 little-endian bytes. Any thread. */
long double tl_quad_real(const tl_u8 bytes[TL_QUAD_SIZE]);

/*
 * Writes it as printf's %.36g would: as many digits as tell any two apart. False for what is no number. Any thread; 10
 * KiB of stack.
 */
bool tl_quad_text(const tl_u8 bytes[TL_QUAD_SIZE], char text_ret[TL_QUAD_TEXT_MAX]);

#endif
