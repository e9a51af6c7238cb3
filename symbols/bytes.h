/*
 * How numbers and strings lie in ELF and DWARF sections, read through a struct tl_cursor, whose rules hold: what is not
 * there yields zeros, fails the cursor and takes it to its end. Inline, because the readers live in these.
 *
 * Little-endian only: tl_image_open takes no other files.
 */
#ifndef TL_SYMBOLS_BYTES_H
#define TL_SYMBOLS_BYTES_H

#include "core/cursor.h"

/* Fails the cursor: what was read makes no sense. */
static inline void tl_take_fail(struct tl_cursor *cursor)
{
	cursor->at = cursor->end;
	cursor->failed = true;
}

/* An integer of one byte; past the end it is 0, and the cursor has failed. */
static inline tl_u8 tl_take_u8(struct tl_cursor *cursor)
{
	if (cursor->at == cursor->end) {
		tl_take_fail(cursor);
		return 0;
	}
	return *cursor->at++;
}

/* The same of two bytes, little-endian. */
static inline tl_u16 tl_take_u16(struct tl_cursor *cursor)
{
	tl_u16 value;

	if (tl_cursor_left(cursor) < sizeof(value)) {
		tl_take_fail(cursor);
		return 0;
	}
	value = (tl_u16)tl_load_constant(cursor->at, sizeof(value));
	cursor->at += sizeof(value);
	return value;
}

/* The same of four bytes, little-endian. */
static inline tl_u32 tl_take_u32(struct tl_cursor *cursor)
{
	tl_u32 value;

	if (tl_cursor_left(cursor) < sizeof(value)) {
		tl_take_fail(cursor);
		return 0;
	}
	value = (tl_u32)tl_load_constant(cursor->at, sizeof(value));
	cursor->at += sizeof(value);
	return value;
}

/* The same of eight bytes, little-endian. */
static inline tl_u64 tl_take_u64(struct tl_cursor *cursor)
{
	tl_u64 value;

	if (tl_cursor_left(cursor) < sizeof(value)) {
		tl_take_fail(cursor);
		return 0;
	}
	value = tl_load_constant(cursor->at, sizeof(value));
	cursor->at += sizeof(value);
	return value;
}

/* An address or an offset: 4 or 8 bytes. */
static inline tl_u64 tl_take_word(struct tl_cursor *cursor, tl_size size)
{
	return size == 8 ? tl_take_u64(cursor) : tl_take_u32(cursor);
}

/* Passes over `size` bytes. */
static inline void tl_take_skip(struct tl_cursor *cursor, tl_u64 size)
{
	if (size > tl_cursor_left(cursor))
		tl_take_fail(cursor);
	else
		cursor->at += size;
}

/* LEB128 (DWARF 5, section 7.6), of any length; bits beyond the 64th are dropped. */
static inline tl_u64 tl_take_unsigned(struct tl_cursor *cursor)
{
	tl_u64 value = 0;
	unsigned shift = 0;

	while (cursor->at != cursor->end) {
		tl_u8 byte = *cursor->at++;

		if (shift < 64)
			value |= (tl_u64)(byte & 0x7f) << shift;
		shift += shift < 64 ? 7 : 0;
		if (byte < 0x80)
			return value;
	}
	tl_take_fail(cursor);
	return 0;
}

/* The same with a sign. */
static inline tl_i64 tl_take_signed(struct tl_cursor *cursor)
{
	tl_u64 value = 0;
	unsigned shift = 0;

	while (cursor->at != cursor->end) {
		tl_u8 byte = *cursor->at++;

		if (shift < 64)
			value |= (tl_u64)(byte & 0x7f) << shift;
		shift += shift < 64 ? 7 : 0;
		if (byte >= 0x80)
			continue;
		if (shift < 64 && (byte & 0x40) != 0)
			value |= TL_U64_MAX << shift;
		return (tl_i64)value;
	}
	tl_take_fail(cursor);
	return 0;
}

/* A string that ends with a zero byte before the cursor's end; NULL when it does not. */
static inline const char *tl_take_text(struct tl_cursor *cursor)
{
	const void *start = cursor->at;
	const tl_u8 *stop = __builtin_memchr(start, 0, tl_cursor_left(cursor));

	if (stop == NULL) {
		tl_take_fail(cursor);
		return NULL;
	}
	cursor->at = stop + 1;
	return start;
}

#endif
