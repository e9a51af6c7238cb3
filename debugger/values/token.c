#include "debugger/values/token.h"

#include "core/cursor.h"
#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Longer than any number that is not nonsense. */
#define NUMBER_MAX 128

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_name_start(char byte)
{
	/* Bytes above ASCII: names in UTF-8. */
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' || (tl_u8)byte >= 0x80;
}

static bool is_name_part(char byte)
{
	return is_name_start(byte) || is_digit(byte) || byte == '$';
}

static char byte_at(const struct tl_text *text, tl_size ahead)
{
	return ahead < (tl_size)(text->end - text->at) ? text->at[ahead] : '\0';
}

static tl_size place(const struct tl_text *text)
{
	return (tl_size)(text->at - text->start);
}

struct tl_text tl_text_make(const char *bytes, tl_size size)
{
	return (struct tl_text){bytes, bytes, bytes + size};
}

const char *tl_punctuator_text(enum tl_punctuator punctuator)
{
	static const char *const spellings[TL_PUNCTUATOR_MAX] = {"",
#define X(name, spelling) spelling,
								 TL_PUNCTUATOR_TABLE(X)
#undef X
	};

	return punctuator < TL_PUNCTUATOR_MAX ? spellings[punctuator] : "";
}

/* ---- Numbers ---- */

/* Everything that C calls a preprocessing number (C17, 6.4.8): digits, letters, dots, signs behind an exponent. */
static tl_size number_size(const struct tl_text *text)
{
	bool hexadecimal = byte_at(text, 0) == '0' && (byte_at(text, 1) == 'x' || byte_at(text, 1) == 'X');
	tl_size size = 0;

	for (;; size++) {
		char byte = byte_at(text, size);

		if ((byte == '+' || byte == '-') && size > 0) {
			char before = (char)(byte_at(text, size - 1) | 0x20);

			if (before != (hexadecimal ? 'p' : 'e'))
				break;
		} else if (!is_digit(byte) && byte != '.' && !(is_name_start(byte) && (tl_u8)byte < 0x80)) {
			break;
		}
	}
	return size;
}

/* Takes the suffix of an integer: u, l, ll in any order and case. */
static bool integer_suffix(const char *suffix, struct tl_token *token)
{
	for (; *suffix != '\0'; suffix++) {
		char letter = (char)(*suffix | 0x20);

		if (letter == 'u' && !token->is_unsigned)
			token->is_unsigned = true;
		else if (letter == 'l' && token->rank == TL_RANK_INT)
			token->rank = suffix[1] == *suffix ? (suffix++, TL_RANK_LONG_LONG) : TL_RANK_LONG;
		else
			return false;
	}
	return true;
}

static int digit_value(char digit, unsigned base)
{
	int value = tl_hex_digit((tl_u8)digit);

	return value >= 0 && (unsigned)value < base ? value : -1;
}

static enum tl_status integer(const char *digits, struct tl_token *token, struct tl_error *error)
{
	unsigned base = 10;
	const char *at = digits;

	if (at[0] == '0' && (at[1] | 0x20) == 'x')
		base = 16, at += 2;
	else if (at[0] == '0' && (at[1] | 0x20) == 'b')
		base = 2, at += 2;
	else if (at[0] == '0')
		base = 8;
	if (digit_value(*at, base) < 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "\"%s\" is not a number: it has no digits", digits);
	for (; digit_value(*at, base) >= 0; at++)
		if (__builtin_mul_overflow(token->integer, (tl_u64)base, &token->integer) ||
		    __builtin_add_overflow(token->integer, (tl_u64)digit_value(*at, base), &token->integer))
			return TL_FAIL(error, TL_ERROR_MALFORMED, "%s does not fit in 64 bits", digits);
	token->kind = TL_TOKEN_INTEGER;
	token->is_decimal = base == 10;
	if (!integer_suffix(at, token))
		return TL_FAIL(error, TL_ERROR_MALFORMED, "\"%s\" is not a number: \"%s\" cannot stand in it", digits,
			       at);
	return TL_OK;
}

static enum tl_status real(const char *digits, struct tl_token *token, struct tl_error *error)
{
	char *end;

	token->kind = TL_TOKEN_REAL;
	token->real = strtold(digits, &end);
	token->rank = TL_RANK_DOUBLE;
	if ((*end | 0x20) == 'f')
		token->rank = TL_RANK_FLOAT, end++;
	else if ((*end | 0x20) == 'l')
		token->rank = TL_RANK_LONG_DOUBLE, end++;
	if (*end != '\0')
		return TL_FAIL(error, TL_ERROR_MALFORMED, "\"%s\" is not a number: \"%s\" cannot stand in it", digits,
			       end);
	return TL_OK;
}

static enum tl_status number(struct tl_text *text, struct tl_token *token, struct tl_error *error)
{
	char digits[NUMBER_MAX + 1];
	bool hexadecimal;

	token->size = number_size(text);
	if (token->size > NUMBER_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "a number of %llu characters is too long",
			       (unsigned long long)token->size);
	memcpy(digits, text->at, token->size);
	digits[token->size] = '\0';
	hexadecimal = digits[0] == '0' && (digits[1] | 0x20) == 'x';
	if (strpbrk(digits, hexadecimal ? ".pP" : ".eE") != NULL)
		TL_TRY(real(digits, token, error));
	else
		TL_TRY(integer(digits, token, error));
	text->at += token->size;
	return TL_OK;
}

/* ---- Characters and strings ---- */

/* Up to `most` digits of a base; *value_ret is their value. Returns how many there are. */
static tl_size digits_of(const char *at, const char *end, unsigned base, tl_size most, tl_u64 *value_ret)
{
	tl_size count = 0;

	*value_ret = 0;
	for (; count < most && at < end && digit_value(*at, base) >= 0; count++, at++)
		*value_ret = *value_ret * base + (tl_u64)digit_value(*at, base);
	return count;
}

/* One escape behind its backslash: the number it stands for. False where there is none. */
static bool escape(const char **at, const char *end, tl_u64 *value_ret, bool *is_point_ret)
{
	static const char letters[] = "abefnrtv", values[] = "\a\b\033\f\n\r\t\v";
	const char *letter;
	tl_size count;
	char byte;

	*is_point_ret = false;
	if (*at == end)
		return false;
	byte = *(*at)++;
	letter = byte != '\0' ? strchr(letters, byte) : NULL;
	if (letter != NULL) {
		*value_ret = (tl_u8)values[letter - letters];
		return true;
	}
	if (byte == '\\' || byte == '\'' || byte == '"' || byte == '?') {
		*value_ret = (tl_u8)byte;
		return true;
	}
	if (byte == 'x') {
		count = digits_of(*at, end, 16, 8, value_ret);
		*at += count;
		return count != 0;
	}
	if (byte == 'u' || byte == 'U') {
		tl_size wanted = byte == 'u' ? 4 : 8;

		*is_point_ret = true;
		count = digits_of(*at, end, 16, wanted, value_ret);
		*at += count;
		return count == wanted;
	}
	count = digits_of(--*at, end, 8, 3, value_ret);
	*at += count;
	return count != 0;
}

enum tl_status tl_token_unescape(const struct tl_token *token, char *buffer, tl_size size, tl_size *done_ret,
				 struct tl_error *error)
{
	const char *at = token->text, *end = token->text + token->size;

	*done_ret = 0;
	while (at < end) {
		char bytes[4];
		tl_size count = 1;

		bytes[0] = *at++;
		if (bytes[0] == '\\') {
			bool is_point;
			tl_u64 value;

			if (!escape(&at, end, &value, &is_point))
				return TL_FAIL(error, TL_ERROR_MALFORMED,
					       "a backslash is followed by no escape; "
					       "write \\\\ for one that stands for itself");
			count = is_point ? tl_utf8_write((tl_u32)value, bytes) : 1;
			if (count == 0 || (!is_point && value > 0xff))
				return TL_FAIL(error, TL_ERROR_MALFORMED, "an escape stands for no character: 0x%llx",
					       (unsigned long long)value);
			if (!is_point)
				bytes[0] = (char)value;
		}
		for (tl_size i = 0; i < count; i++, ++*done_ret)
			if (*done_ret < size)
				buffer[*done_ret] = bytes[i];
	}
	return TL_OK;
}

/* Sets the value of a character literal; false when its text is not exactly one character. */
static bool one_character(struct tl_token *token)
{
	const char *at = token->text, *end = at + token->size;
	bool is_point;
	tl_size length;
	tl_u32 point;

	if (token->size == 0)
		return false;
	if (*at == '\\') {
		at++;
		return escape(&at, end, &token->integer, &is_point) && at == end;
	}
	/* A byte that begins no character stands for itself. */
	length = tl_utf8_read(at, token->size, &point);
	token->integer = length != 0 ? point : (tl_u8)*at;
	return (length != 0 ? length : 1) == token->size;
}

/* The prefix of a character or string: its length, and how wide a character is. */
static tl_size literal_prefix(const struct tl_text *text, tl_u8 *width_ret)
{
	char first = byte_at(text, 0), second = byte_at(text, 1);

	*width_ret = 1;
	if (first == '"' || first == '\'')
		return 0;
	if (first == 'u' && second == '8' && (byte_at(text, 2) == '"' || byte_at(text, 2) == '\''))
		return 2;
	*width_ret = first == 'u' ? 2 : 4;
	return 1;
}

static bool is_literal(const struct tl_text *text)
{
	char first = byte_at(text, 0), second = byte_at(text, 1);

	if (first == '"' || first == '\'')
		return true;
	if (first == 'u' && second == '8')
		second = byte_at(text, 2);
	else if (first != 'L' && first != 'u' && first != 'U')
		return false;
	return second == '"' || second == '\'';
}

static enum tl_status literal(struct tl_text *text, struct tl_token *token, struct tl_error *error)
{
	const char *start = text->at + literal_prefix(text, &token->width), *at = start + 1;
	bool has_prefix = start != text->at;

	while (at < text->end && *at != *start)
		at += *at == '\\' && at + 1 < text->end ? 2 : 1;
	if (at >= text->end)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "the closing %c is missing", *start);
	token->text = start + 1;
	token->size = (tl_size)(at - token->text);
	if (*start == '"')
		token->kind = TL_TOKEN_STRING;
	else if (one_character(token))
		token->kind = TL_TOKEN_CHARACTER;
	else if (has_prefix || token->size == 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "between single quotes stands one character, or a symbol");
	else
		token->kind = TL_TOKEN_QUOTED;
	text->at = at + 1;
	return TL_OK;
}

/* ---- Names ---- */

/* $, $$, $N, $$N, $name. Anything else that begins with $ is the last value, followed by something else. */
static enum tl_status dollar(struct tl_text *text, struct tl_token *token, struct tl_error *error)
{
	const char *at = text->at + 1;

	if (at < text->end && is_name_start(*at)) {
		token->kind = TL_TOKEN_VARIABLE;
		token->text = at;
		while (at < text->end && is_name_part(*at))
			at++;
		token->size = (tl_size)(at - token->text);
		text->at = at;
		return TL_OK;
	}
	token->kind = TL_TOKEN_HISTORY;
	token->is_absolute = true;
	if (at < text->end && *at == '$') {
		token->is_absolute = false;
		token->integer = 1;
		at++;
	}
	if (at < text->end && is_digit(*at)) {
		at += digits_of(at, text->end, 10, 9, &token->integer);
		if (at < text->end && is_name_part(*at))
			return TL_FAIL(error, TL_ERROR_MALFORMED, "a number of the value history ends in \"%c\"", *at);
	} else if (token->is_absolute) {
		token->is_absolute = false; /* $ alone: the last one, none back */
	}
	text->at = at;
	return TL_OK;
}

static enum tl_status punctuator(struct tl_text *text, struct tl_token *token, struct tl_error *error)
{
	tl_size left = (tl_size)(text->end - text->at);

	for (unsigned i = 1; i < TL_PUNCTUATOR_MAX; i++) {
		const char *spelling = tl_punctuator_text((enum tl_punctuator)i);
		tl_size size = strlen(spelling);

		if (size <= left && memcmp(text->at, spelling, size) == 0) {
			token->kind = TL_TOKEN_PUNCTUATOR;
			token->punctuator = (enum tl_punctuator)i;
			token->size = size;
			text->at += size;
			return TL_OK;
		}
	}
	if ((tl_u8)*text->at < 0x20 || *text->at == 0x7f)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "the character 0x%02x cannot stand in an expression",
			       (tl_u8)*text->at);
	return TL_FAIL(error, TL_ERROR_MALFORMED, "\"%c\" cannot stand in an expression", *text->at);
}

enum tl_status tl_token_take(struct tl_text *text, struct tl_token *token_ret, struct tl_error *error)
{
	struct tl_text next = *text;
	struct tl_token token = {.kind = TL_TOKEN_END};
	enum tl_status status = TL_OK;
	char first;

	while (next.at < next.end && (*next.at == ' ' || (*next.at >= '\t' && *next.at <= '\r')))
		next.at++;
	token.text = next.at;
	token.at = place(&next);
	first = byte_at(&next, 0);
	if (next.at == next.end) {
		;
	} else if (is_digit(first) || (first == '.' && is_digit(byte_at(&next, 1)))) {
		status = number(&next, &token, error);
	} else if (is_literal(&next)) {
		status = literal(&next, &token, error);
	} else if (first == '$') {
		status = dollar(&next, &token, error);
	} else if (is_name_start(first)) {
		token.kind = TL_TOKEN_NAME;
		while (next.at < next.end && is_name_part(*next.at))
			next.at++;
		token.size = (tl_size)(next.at - token.text);
	} else {
		status = punctuator(&next, &token, error);
	}
	if (status != TL_OK)
		return status;
	*text = next;
	*token_ret = token;
	return TL_OK;
}
