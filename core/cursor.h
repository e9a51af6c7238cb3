/*
 * The only way to read bytes that someone else wrote, and its counterpart for writing text and bytes into a bounded
 * buffer.
 *
 * A cursor knows where its bytes end. What it cannot read yields zeros, sets `failed` and takes the cursor to its end,
 * so that a parser may read a whole item and look at `failed` once, and every loop ends. A writer past its end drops
 * what does not fit and sets `failed`. Neither owns its buffer. Not for use by several threads at once.
 */
#ifndef TL_CORE_CURSOR_H
#define TL_CORE_CURSOR_H

#include "core/status.h"
#include "core/types.h"

struct tl_cursor {
	const tl_u8 *at;
	const tl_u8 *end;
	bool failed;
};

/* A cursor over `size` bytes, which it does not own; NULL with 0 is an empty one. */
struct tl_cursor tl_cursor_make(const void *bytes, tl_size size);

/* A cursor over a string that ends with a zero byte. */
struct tl_cursor tl_cursor_text(const char *text);

/* The number of bytes that are left. */
static inline tl_size tl_cursor_left(const struct tl_cursor *cursor)
{
	return (tl_size)(cursor->end - cursor->at);
}

/* True at the end, also when the cursor failed. */
static inline bool tl_cursor_done(const struct tl_cursor *cursor)
{
	return cursor->at == cursor->end;
}

/* The next byte without taking it; -1 at the end. */
int tl_cursor_peek(const struct tl_cursor *cursor);

/* Takes one byte; 0 and `failed` at the end. */
tl_u8 tl_cursor_byte(struct tl_cursor *cursor);

/* Takes `byte` if it is next; says whether it was. Never fails the cursor. */
bool tl_cursor_accept(struct tl_cursor *cursor, char byte);

/* Takes `text` if all of it is next; says whether it was. Never fails the cursor. */
bool tl_cursor_accept_text(struct tl_cursor *cursor, const char *text);

/* Takes `byte`, or fails the cursor. */
void tl_cursor_expect(struct tl_cursor *cursor, char byte);

/* Takes `size` bytes as a cursor of their own; an empty one and `failed` where there are fewer. */
struct tl_cursor tl_cursor_take(struct tl_cursor *cursor, tl_size size);

/* Takes all before `separator`, or all that is left, and the separator itself. Never fails the cursor. */
struct tl_cursor tl_cursor_until(struct tl_cursor *cursor, char separator);

/* True when the whole rest equals `text`. */
bool tl_cursor_equals(const struct tl_cursor *cursor, const char *text);

/* Little- or big-endian unsigned integer of 1 to 8 bytes. */
tl_u64 tl_cursor_little(struct tl_cursor *cursor, tl_size size);
tl_u64 tl_cursor_big(struct tl_cursor *cursor, tl_size size);

/* Hexadecimal digits of either case, one at the least, a value of 64 bits at the most; otherwise `failed`. */
tl_u64 tl_cursor_hex(struct tl_cursor *cursor);

/* Decimal digits, the same rules. */
tl_u64 tl_cursor_decimal(struct tl_cursor *cursor);

/* Takes 2 × size hexadecimal digits as bytes. Fails, with `bytes` partly written, at anything else. */
void tl_cursor_hex_bytes(struct tl_cursor *cursor, void *bytes, tl_size size);

/* The value of one hexadecimal digit, -1 for anything else. */
int tl_hex_digit(tl_u8 character);

struct tl_writer {
	tl_u8 *start;
	tl_u8 *at;
	tl_u8 *end;
	bool failed;
};

/* An empty writer over `size` bytes, which it does not own; NULL with 0 is one that has no room. */
struct tl_writer tl_writer_make(void *buffer, tl_size size);

/* How many bytes were written. */
static inline tl_size tl_writer_size(const struct tl_writer *writer)
{
	return (tl_size)(writer->at - writer->start);
}

/* How many bytes still fit. */
static inline tl_size tl_writer_room(const struct tl_writer *writer)
{
	return (tl_size)(writer->end - writer->at);
}

/* Empties the writer and clears `failed`. */
void tl_writer_reset(struct tl_writer *writer);

/* One byte; some bytes; a string without its final zero. Of what does not fit as a whole, the front is written. */
void tl_write_byte(struct tl_writer *writer, tl_u8 byte);
void tl_write_bytes(struct tl_writer *writer, const void *bytes, tl_size size);
void tl_write_text(struct tl_writer *writer, const char *text);

/* Bytes as two lower-case hexadecimal digits each, in the order they have in memory. */
void tl_write_hex_bytes(struct tl_writer *writer, const void *bytes, tl_size size);
void tl_write_hex_text(struct tl_writer *writer, const char *text);

/* A number in lower-case hexadecimal without leading zeros, or in at least `wanted` digits. */
void tl_write_hex(struct tl_writer *writer, tl_u64 value);
void tl_write_hex_padded(struct tl_writer *writer, tl_u64 value, unsigned wanted);
void tl_write_decimal(struct tl_writer *writer, tl_u64 value);

/* Text with & < > ' " as XML entities and control characters other than tab and newline dropped. */
void tl_write_xml(struct tl_writer *writer, const char *text);

/* The length of a string that ends with a zero byte. */
tl_size tl_text_length(const char *text);

/* True when both strings are equal. */
bool tl_text_equal(const char *a, const char *b);

#endif
