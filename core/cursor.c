#include "core/cursor.h"

/* A cursor that failed stands at its end, so that a loop over `tl_cursor_done` ends and later reads yield zeros. */
static void fail(struct tl_cursor *cursor)
{
	cursor->at = cursor->end;
	cursor->failed = true;
}

struct tl_cursor tl_cursor_make(const void *bytes, tl_size size)
{
	/* Arithmetic on a null pointer is undefined even for zero bytes. */
	const tl_u8 *at = bytes != NULL ? bytes : (const tl_u8 *)"";

	return (struct tl_cursor){at, bytes != NULL ? at + size : at, false};
}

struct tl_cursor tl_cursor_text(const char *text)
{
	return tl_cursor_make(text, tl_text_length(text));
}

int tl_cursor_peek(const struct tl_cursor *cursor)
{
	return cursor->at < cursor->end ? *cursor->at : -1;
}

tl_u8 tl_cursor_byte(struct tl_cursor *cursor)
{
	if (cursor->at == cursor->end) {
		fail(cursor);
		return 0;
	}
	return *cursor->at++;
}

bool tl_cursor_accept(struct tl_cursor *cursor, char byte)
{
	if (cursor->at == cursor->end || *cursor->at != (tl_u8)byte)
		return false;
	cursor->at++;
	return true;
}

bool tl_cursor_accept_text(struct tl_cursor *cursor, const char *text)
{
	tl_size size = tl_text_length(text);

	if (size > tl_cursor_left(cursor) || !tl_same(cursor->at, text, size))
		return false;
	cursor->at += size;
	return true;
}

void tl_cursor_expect(struct tl_cursor *cursor, char byte)
{
	if (!tl_cursor_accept(cursor, byte))
		fail(cursor);
}

struct tl_cursor tl_cursor_take(struct tl_cursor *cursor, tl_size size)
{
	struct tl_cursor part;

	if (size > tl_cursor_left(cursor)) {
		fail(cursor);
		return (struct tl_cursor){cursor->end, cursor->end, true};
	}
	part = (struct tl_cursor){cursor->at, cursor->at + size, false};
	cursor->at += size;
	return part;
}

struct tl_cursor tl_cursor_until(struct tl_cursor *cursor, char separator)
{
	const tl_u8 *start = cursor->at;
	const tl_u8 *stop = start;

	while (stop < cursor->end && *stop != (tl_u8)separator)
		stop++;
	cursor->at = stop < cursor->end ? stop + 1 : stop;
	return (struct tl_cursor){start, stop, false};
}

bool tl_cursor_equals(const struct tl_cursor *cursor, const char *text)
{
	tl_size size = tl_text_length(text);

	return size == tl_cursor_left(cursor) && tl_same(cursor->at, text, size);
}

tl_u64 tl_cursor_little(struct tl_cursor *cursor, tl_size size)
{
	struct tl_cursor bytes = tl_cursor_take(cursor, size <= 8 ? size : TL_SIZE_MAX);

	return tl_load_little(bytes.at, tl_cursor_left(&bytes));
}

tl_u64 tl_cursor_big(struct tl_cursor *cursor, tl_size size)
{
	struct tl_cursor bytes = tl_cursor_take(cursor, size <= 8 ? size : TL_SIZE_MAX);
	tl_u64 value = 0;

	while (bytes.at < bytes.end)
		value = value << 8 | *bytes.at++;
	return value;
}

int tl_hex_digit(tl_u8 character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return -1;
}

tl_u64 tl_cursor_hex(struct tl_cursor *cursor)
{
	const tl_u8 *start = cursor->at;
	tl_u64 value = 0;
	int digit;

	while (cursor->at < cursor->end && (digit = tl_hex_digit(*cursor->at)) >= 0) {
		if (value >> 60 != 0) {
			fail(cursor);
			return 0;
		}
		value = value << 4 | (tl_u64)digit;
		cursor->at++;
	}
	if (cursor->at == start)
		fail(cursor);
	return value;
}

tl_u64 tl_cursor_decimal(struct tl_cursor *cursor)
{
	const tl_u8 *start = cursor->at;
	tl_u64 value = 0;

	while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
		tl_u64 digit = (tl_u64)(*cursor->at - '0');

		if (value > (TL_U64_MAX - digit) / 10) {
			fail(cursor);
			return 0;
		}
		value = value * 10 + digit;
		cursor->at++;
	}
	if (cursor->at == start)
		fail(cursor);
	return value;
}

/*
 * Sixteen bytes from their digits, which they may be written over; false when some are none. Without branches, and a
 * number that lets the compiler do them at once: memory is written in packets of hundreds of kilobytes.
 */
static bool read_digits(const tl_u8 *digits, tl_u8 *bytes)
{
	tl_u8 values[32], read[sizeof(values) / 2], bad = 0;

	tl_copy(values, digits, sizeof(values));
	for (tl_size i = 0; i < sizeof(values); i++) {
		tl_u8 decimal = (tl_u8)(values[i] - '0'), letter = (tl_u8)((values[i] | 0x20) - 'a');

		values[i] = decimal < 10 ? decimal : letter < 6 ? (tl_u8)(letter + 10) : 0x80;
	}
	for (tl_size i = 0; i < sizeof(values); i++)
		bad |= values[i];
	for (tl_size i = 0; i < sizeof(read); i++)
		read[i] = (tl_u8)(values[2 * i] << 4 | values[2 * i + 1]);
	tl_copy(bytes, read, sizeof(read));
	return bad < 0x80;
}

void tl_cursor_hex_bytes(struct tl_cursor *cursor, void *bytes, tl_size size)
{
	tl_u8 *to = bytes;

	if (size > tl_cursor_left(cursor) / 2) {
		fail(cursor);
		return;
	}
	for (; size >= 16; size -= 16, to += 16, cursor->at += 32)
		if (!read_digits(cursor->at, to)) {
			fail(cursor);
			return;
		}
	for (tl_size i = 0; i < size; i++, cursor->at += 2) {
		int high = tl_hex_digit(cursor->at[0]);
		int low = tl_hex_digit(cursor->at[1]);

		if (high < 0 || low < 0) {
			fail(cursor);
			return;
		}
		to[i] = (tl_u8)(high << 4 | low);
	}
}

struct tl_writer tl_writer_make(void *buffer, tl_size size)
{
	tl_u8 *start = buffer;

	return (struct tl_writer){start, start, size != 0 ? start + size : start, false};
}

void tl_writer_reset(struct tl_writer *writer)
{
	writer->at = writer->start;
	writer->failed = false;
}

void tl_write_byte(struct tl_writer *writer, tl_u8 byte)
{
	if (writer->at == writer->end)
		writer->failed = true;
	else
		*writer->at++ = byte;
}

/* What fits is written: the buffer then is full, and nothing that comes later can leave a gap in what stands in it. */
void tl_write_bytes(struct tl_writer *writer, const void *bytes, tl_size size)
{
	if (size > tl_writer_room(writer)) {
		size = tl_writer_room(writer);
		writer->failed = true;
	}
	if (size == 0)
		return;
	tl_copy(writer->at, bytes, size);
	writer->at += size;
}

void tl_write_text(struct tl_writer *writer, const char *text)
{
	tl_write_bytes(writer, text, tl_text_length(text));
}

static const char digits[] = "0123456789abcdef";

void tl_write_hex_bytes(struct tl_writer *writer, const void *bytes, tl_size size)
{
	const tl_u8 *from = bytes;
	tl_u8 *to = writer->at;
	tl_size whole = tl_writer_room(writer) / 2;

	if (whole > size)
		whole = size;
	for (tl_size i = 0; i < whole; i++, to += 2) {
		to[0] = (tl_u8)digits[from[i] >> 4];
		to[1] = (tl_u8)digits[from[i] & 15];
	}
	writer->at = to;
	if (whole < size) {
		tl_write_byte(writer, (tl_u8)digits[from[whole] >> 4]);
		writer->failed = true;
	}
}

void tl_write_hex_text(struct tl_writer *writer, const char *text)
{
	tl_write_hex_bytes(writer, text, tl_text_length(text));
}

void tl_write_hex(struct tl_writer *writer, tl_u64 value)
{
	tl_write_hex_padded(writer, value, 1);
}

void tl_write_hex_padded(struct tl_writer *writer, tl_u64 value, unsigned wanted)
{
	unsigned count = 1;

	while (count < 16 && value >> (4 * count) != 0)
		count++;
	for (; wanted > count; wanted--)
		tl_write_byte(writer, '0');
	while (count-- > 0)
		tl_write_byte(writer, (tl_u8)digits[value >> (4 * count) & 15]);
}

void tl_write_decimal(struct tl_writer *writer, tl_u64 value)
{
	tl_u8 text[20];
	tl_size start = sizeof(text);

	do {
		text[--start] = (tl_u8)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	tl_write_bytes(writer, text + start, sizeof(text) - start);
}

void tl_write_xml(struct tl_writer *writer, const char *text)
{
	for (; *text != '\0'; text++) {
		tl_u8 byte = (tl_u8)*text;

		if (byte == '&')
			tl_write_text(writer, "&amp;");
		else if (byte == '<')
			tl_write_text(writer, "&lt;");
		else if (byte == '>')
			tl_write_text(writer, "&gt;");
		else if (byte == '\'')
			tl_write_text(writer, "&apos;");
		else if (byte == '"')
			tl_write_text(writer, "&quot;");
		else if (byte == '\t' || byte == '\n' || (byte >= 0x20 && byte != 0x7f))
			tl_write_byte(writer, byte);
	}
}

tl_size tl_text_length(const char *text)
{
	tl_size length = 0;

	while (text[length] != '\0')
		length++;
	return length;
}

bool tl_text_equal(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}
