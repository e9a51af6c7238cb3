/*
 * Characters as UTF-8 (RFC 3629): neither longer forms than needed, nor surrogates, nor anything above U+10FFFF.
 */
#ifndef TL_CORE_UTF8_H
#define TL_CORE_UTF8_H

#include "core/types.h"

/* Writes a code point; returns how many bytes it takes, 0 for one that is none. Any thread. */
tl_size tl_utf8_write(tl_u32 point, char bytes_ret[4]);

/* Reads the character at the start of `size` bytes; returns how many it takes, 0 where none begins. Any thread. */
tl_size tl_utf8_read(const void *bytes, tl_size size, tl_u32 *point_ret);

#endif
