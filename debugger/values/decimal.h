/*
 * Decimal floating point as text: _Decimal32, _Decimal64 and _Decimal128 as x86 has them, in the binary integer decimal
 * encoding (IEEE 754-2008, 3.5.2; System V ABI for AMD64, 3.1.2).
 */
#ifndef TL_DEBUGGER_DECIMAL_H
#define TL_DEBUGGER_DECIMAL_H

#include "debugger/values/value.h"

/* Room for the longest text, its zero included. */
#define TL_DECIMAL_TEXT_MAX 64

/*
 * Writes a number of 4, 8 or 16 little-endian bytes as IEEE 754's to-scientific-string does it: 19.99, 1E+3, 0E-101,
 * -Infinity, NaN12. False for another size. Any thread.
 */
bool tl_decimal_text(const tl_u8 *bytes, tl_u64 size, char text_ret[TL_DECIMAL_TEXT_MAX]);

/* The number without its fraction; false when it is none, or needs more than 128 bits. */
bool tl_decimal_integer(const tl_u8 *bytes, tl_u64 size, tl_i128 *number_ret);

#endif
