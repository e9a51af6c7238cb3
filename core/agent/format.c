#include "core/agent/format.h"

enum length { LENGTH_INT, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG };

/* One conversion of a format, or a character that stands for itself. */
struct piece {
	tl_u8 conversion; /* d u o x X c s p; 0: a literal */
	tl_u8 literal;
	tl_u8 length; /* enum length */
	bool left, plus, space, alternate, zero;
	bool has_precision;
	tl_u32 width;
	tl_u32 precision;
};

/* The character that stands behind a backslash; gdbserver knows these and no others. */
static enum tl_status take_escape(struct tl_cursor *cursor, tl_u8 *character_ret)
{
	static const char escapes[][2] = {{'\\', '\\'}, {'a', '\a'}, {'b', '\b'}, {'e', 27},   {'f', '\f'},
					  {'n', '\n'},  {'r', '\r'}, {'t', '\t'}, {'v', '\v'}, {'"', '"'}};
	tl_u8 letter = tl_cursor_byte(cursor);

	for (tl_size i = 0; i < TL_COUNT(escapes); i++) {
		if (letter == (tl_u8)escapes[i][0]) {
			*character_ret = (tl_u8)escapes[i][1];
			return TL_OK;
		}
	}
	return TL_ERROR_BYTECODE;
}

static void take_flags(struct tl_cursor *cursor, struct piece *piece)
{
	for (;;) {
		if (tl_cursor_accept(cursor, '-'))
			piece->left = true;
		else if (tl_cursor_accept(cursor, '+'))
			piece->plus = true;
		else if (tl_cursor_accept(cursor, ' '))
			piece->space = true;
		else if (tl_cursor_accept(cursor, '#'))
			piece->alternate = true;
		else if (tl_cursor_accept(cursor, '0'))
			piece->zero = true;
		else
			return;
	}
}

/* Digits, none at all being 0. What is over the text's bound is cut in any case, so no more than that is counted. */
static tl_u32 take_number(struct tl_cursor *cursor)
{
	tl_u32 number = 0;

	while (tl_cursor_peek(cursor) >= '0' && tl_cursor_peek(cursor) <= '9') {
		number = number * 10 + tl_cursor_byte(cursor) - '0';
		if (number > TL_AGENT_TEXT_MAX)
			number = TL_AGENT_TEXT_MAX + 1;
	}
	return number;
}

static tl_u8 take_length(struct tl_cursor *cursor)
{
	if (tl_cursor_accept(cursor, 'h'))
		return tl_cursor_accept(cursor, 'h') ? LENGTH_CHAR : LENGTH_SHORT;
	if (tl_cursor_accept(cursor, 'l')) {
		(void)tl_cursor_accept(cursor, 'l');
		return LENGTH_LONG;
	}
	return tl_cursor_accept(cursor, 'z') ? LENGTH_LONG : LENGTH_INT;
}

static enum tl_status take_conversion(struct tl_cursor *cursor, struct piece *piece)
{
	tl_u8 letter;

	take_flags(cursor, piece);
	piece->width = take_number(cursor);
	if (tl_cursor_accept(cursor, '.')) {
		piece->has_precision = true;
		piece->precision = take_number(cursor);
	}
	piece->length = take_length(cursor);
	letter = tl_cursor_byte(cursor);
	switch (letter) {
	case 'd':
	case 'i':
		piece->conversion = 'd';
		return TL_OK;
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		piece->conversion = letter;
		return TL_OK;
	case 'c':
	case 's':
	case 'p':
		piece->conversion = letter;
		return piece->length == LENGTH_INT ? TL_OK : TL_ERROR_UNSUPPORTED;
	case 'a':
	case 'A':
	case 'e':
	case 'E':
	case 'f':
	case 'F':
	case 'g':
	case 'G':
	case 'L':
	case 'H':
	case 'D':
		return TL_ERROR_UNSUPPORTED;
	default:
		return TL_ERROR_BYTECODE;
	}
}

static enum tl_status take_piece(struct tl_cursor *cursor, struct piece *piece_ret)
{
	*piece_ret = (struct piece){.literal = tl_cursor_byte(cursor)};
	if (piece_ret->literal == '\\')
		return take_escape(cursor, &piece_ret->literal);
	if (piece_ret->literal != '%' || tl_cursor_accept(cursor, '%'))
		return TL_OK;
	return take_conversion(cursor, piece_ret);
}

/* A bare quote ends the format for gdbserver, too. */
static bool format_done(const struct tl_cursor *cursor)
{
	return tl_cursor_done(cursor) || tl_cursor_peek(cursor) == 0 || tl_cursor_peek(cursor) == '"';
}

enum tl_status tl_agent_check_format(const tl_u8 *format, tl_size size, tl_size count)
{
	struct tl_cursor cursor = tl_cursor_make(format, size);
	struct piece piece;
	tl_size wanted = 0;

	if (size == 0 || format[size - 1] != 0)
		return TL_ERROR_BYTECODE;
	while (!format_done(&cursor)) {
		TL_TRY(take_piece(&cursor, &piece));
		if (piece.conversion != 0)
			wanted++;
	}
	return wanted == count ? TL_OK : TL_ERROR_BYTECODE;
}

static void write_fill(struct tl_writer *writer, tl_u8 byte, tl_size count)
{
	for (tl_size i = 0; i < count && !writer->failed; i++)
		tl_write_byte(writer, byte);
}

/* `prefix` and `body` in a field of the piece's width, `zeros` between them. */
static void write_field(struct tl_writer *writer, const struct piece *piece, const char *prefix, tl_size zeros,
			const tl_u8 *body, tl_size size)
{
	tl_size whole = tl_text_length(prefix) + zeros + size;
	tl_size blank = piece->width > whole ? piece->width - whole : 0;

	if (piece->zero && !piece->left && !piece->has_precision && piece->conversion != 'c' &&
	    piece->conversion != 's' && piece->conversion != 'p') {
		zeros += blank;
		blank = 0;
	}
	if (!piece->left)
		write_fill(writer, ' ', blank);
	tl_write_text(writer, prefix);
	write_fill(writer, '0', zeros);
	tl_write_bytes(writer, body, size);
	if (piece->left)
		write_fill(writer, ' ', blank);
}

/* The value as wide as the length modifier says, extended by its sign for %d. */
static tl_u64 narrow(const struct piece *piece, tl_u64 value)
{
	bool is_signed = piece->conversion == 'd';

	switch ((enum length)piece->length) {
	case LENGTH_CHAR:
		return is_signed ? (tl_u64)(tl_i8)value : (tl_u8)value;
	case LENGTH_SHORT:
		return is_signed ? (tl_u64)(tl_i16)value : (tl_u16)value;
	case LENGTH_INT:
		return is_signed ? (tl_u64)(tl_i32)value : (tl_u32)value;
	case LENGTH_LONG:
		break;
	}
	return value;
}

static void write_number(struct tl_writer *writer, const struct piece *piece, tl_u64 value)
{
	const char *digits = piece->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	tl_u64 base = 10;
	const char *prefix = "";
	tl_size zeros, size = 0;
	tl_u8 text[24]; /* 64 bits in octal are 22 digits */

	value = narrow(piece, value);
	if (piece->conversion == 'd') {
		prefix = (tl_i64)value < 0 ? "-" : piece->plus ? "+" : piece->space ? " " : "";
		value = (tl_i64)value < 0 ? 0 - value : value;
	} else if (piece->conversion == 'o') {
		base = 8;
	} else if (piece->conversion != 'u') {
		base = 16;
		if (piece->alternate && value != 0)
			prefix = piece->conversion == 'X' ? "0X" : "0x";
	}
	for (; value != 0; value /= base)
		text[sizeof(text) - ++size] = (tl_u8)digits[value % base];
	zeros = piece->has_precision ? piece->precision : 1;
	zeros = zeros > size ? zeros - size : 0;
	if (piece->conversion == 'o' && piece->alternate && zeros == 0)
		zeros = 1;
	write_field(writer, piece, prefix, zeros, text + sizeof(text) - size, size);
}

static void write_pointer(struct tl_writer *writer, const struct piece *piece, tl_u64 value)
{
	struct piece hexadecimal = *piece;

	if (value == 0) {
		write_field(writer, piece, "", 0, (const tl_u8 *)"(nil)", 5);
		return;
	}
	hexadecimal.conversion = 'x';
	hexadecimal.length = LENGTH_LONG;
	hexadecimal.alternate = true;
	write_number(writer, &hexadecimal, value);
}

#define STRING_PIECE 64

/* How many bytes of the string at `address` are to be printed, `most` at the most. */
static enum tl_status measure_string(const struct tl_agent_environment *environment, tl_u64 address, tl_size most,
				     tl_size *size_ret)
{
	tl_u8 bytes[STRING_PIECE];
	tl_size size = 0;

	while (size < most) {
		tl_size here = STRING_PIECE - ((address + size) & (STRING_PIECE - 1));

		TL_TRY(environment->read_memory(environment->context, address + size, bytes, here));
		for (tl_size i = 0; i < here && size < most; i++, size++) {
			if (bytes[i] == 0) {
				*size_ret = size;
				return TL_OK;
			}
		}
	}
	*size_ret = size;
	return TL_OK;
}

static enum tl_status write_string(const struct tl_agent_environment *environment, struct tl_writer *writer,
				   const struct piece *piece, tl_u64 address)
{
	tl_size most = tl_writer_room(writer) + 1; /* one more than fits: shows that the text is cut */
	tl_u8 bytes[STRING_PIECE];
	tl_size size, blank;

	if (piece->has_precision && piece->precision < most)
		most = piece->precision;
	if (address == 0) {
		write_field(writer, piece, "", 0, (const tl_u8 *)"(null)", most < 6 ? most : 6);
		return TL_OK;
	}
	if (environment->read_memory == NULL)
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(measure_string(environment, address, most, &size));
	blank = piece->width > size ? piece->width - size : 0;
	if (!piece->left)
		write_fill(writer, ' ', blank);
	while (size > 0) {
		tl_size here = size < STRING_PIECE ? size : STRING_PIECE;

		TL_TRY(environment->read_memory(environment->context, address, bytes, here));
		tl_write_bytes(writer, bytes, here);
		address += here;
		size -= here;
	}
	if (piece->left)
		write_fill(writer, ' ', blank);
	return TL_OK;
}

static enum tl_status write_argument(const struct tl_agent_environment *environment, struct tl_writer *writer,
				     const struct piece *piece, tl_u64 value)
{
	tl_u8 character = (tl_u8)value;

	switch (piece->conversion) {
	case 'c':
		write_field(writer, piece, "", 0, &character, 1);
		return TL_OK;
	case 's':
		return write_string(environment, writer, piece, value);
	case 'p':
		write_pointer(writer, piece, value);
		return TL_OK;
	default:
		write_number(writer, piece, value);
		return TL_OK;
	}
}

enum tl_status tl_agent_print(const struct tl_agent_environment *environment, const tl_u8 *format, tl_size size,
			      const tl_u64 *arguments, tl_size count)
{
	static const char cut[] = "...\n";
	tl_u8 text[TL_AGENT_TEXT_MAX];
	struct tl_writer writer = tl_writer_make(text, sizeof(text));
	struct tl_cursor cursor = tl_cursor_make(format, size);
	struct piece piece;
	tl_size used = 0;

	if (environment->print == NULL)
		return TL_ERROR_UNSUPPORTED;
	while (!format_done(&cursor)) {
		TL_TRY(take_piece(&cursor, &piece));
		if (piece.conversion == 0)
			tl_write_byte(&writer, piece.literal);
		else if (used == count)
			return TL_ERROR_BYTECODE;
		else
			TL_TRY(write_argument(environment, &writer, &piece, arguments[-(tl_i64)used++]));
	}
	if (writer.failed) {
		tl_copy(text + sizeof(text) - (sizeof(cut) - 1), cut, sizeof(cut) - 1);
		environment->print(environment->context, (const char *)text, sizeof(text));
	} else if (tl_writer_size(&writer) != 0) {
		environment->print(environment->context, (const char *)text, tl_writer_size(&writer));
	}
	return TL_OK;
}
