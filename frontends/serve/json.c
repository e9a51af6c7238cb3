#include "frontends/serve/json.h"

#include "core/utf8.h"

#include <string.h>

static void put(struct tl_json *json, tl_u8 byte)
{
	switch (json->form) {
	case TL_JSON_PLAIN:
		tl_write_byte(json->writer, byte);
		break;
	case TL_JSON_ESCAPED:
		if (byte == '#' || byte == '$' || byte == '*' || byte == '}') {
			tl_write_byte(json->writer, '}');
			byte ^= 0x20;
		}
		tl_write_byte(json->writer, byte);
		break;
	case TL_JSON_HEX:
		tl_write_hex_padded(json->writer, byte, 2);
		break;
	}
}

static void put_text(struct tl_json *json, const char *text)
{
	for (; *text != '\0'; text++)
		put(json, (tl_u8)*text);
}

static void put_string(struct tl_json *json, const char *string)
{
	const tl_u8 *text = (const tl_u8 *)string, *end = text + strlen(string);

	put(json, '"');
	while (text < end) {
		tl_u32 point;
		tl_size length = tl_utf8_read(text, (tl_size)(end - text), &point);

		if (*text == '"' || *text == '\\') {
			put(json, '\\');
			put(json, *text++);
		} else if (*text < 0x20) {
			put_text(json, "\\u00");
			put(json, (tl_u8) "0123456789abcdef"[*text >> 4]);
			put(json, (tl_u8) "0123456789abcdef"[*text & 15]);
			text++;
		} else if (length == 0) {
			put(json, '?');
			text++;
		} else {
			while (length-- > 0)
				put(json, *text++);
		}
	}
	put(json, '"');
}

/* What stands in front of a value. */
static void put_front(struct tl_json *json, const char *key)
{
	if (json->behind)
		put(json, ',');
	json->behind = true;
	if (key != NULL) {
		put_string(json, key);
		put(json, ':');
	}
}

struct tl_json tl_json_make(struct tl_writer *writer, enum tl_json_form form)
{
	return (struct tl_json){.writer = writer, .form = form};
}

void tl_json_open_object(struct tl_json *json, const char *key)
{
	put_front(json, key);
	put(json, '{');
	json->behind = false;
}

void tl_json_close_object(struct tl_json *json)
{
	put(json, '}');
	json->behind = true;
}

void tl_json_open_array(struct tl_json *json, const char *key)
{
	put_front(json, key);
	put(json, '[');
	json->behind = false;
}

void tl_json_close_array(struct tl_json *json)
{
	put(json, ']');
	json->behind = true;
}

void tl_json_text(struct tl_json *json, const char *key, const char *text)
{
	put_front(json, key);
	put_string(json, text);
}

void tl_json_number(struct tl_json *json, const char *key, tl_u64 number)
{
	char digits[21];
	tl_size at = sizeof(digits) - 1;

	digits[at] = '\0';
	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	put_front(json, key);
	put_text(json, digits + at);
}

void tl_json_truth(struct tl_json *json, const char *key, bool truth)
{
	put_front(json, key);
	put_text(json, truth ? "true" : "false");
}

void tl_json_bytes(struct tl_json *json, const char *key, const void *bytes, tl_size size)
{
	const tl_u8 *from = bytes;

	put_front(json, key);
	put(json, '"');
	for (tl_size i = 0; i < size; i++) {
		put(json, (tl_u8) "0123456789abcdef"[from[i] >> 4]);
		put(json, (tl_u8) "0123456789abcdef"[from[i] & 15]);
	}
	put(json, '"');
}

/* ---- Reading ---- */

static void skip_space(struct tl_cursor *text)
{
	while (tl_cursor_accept(text, ' ') || tl_cursor_accept(text, '\t') || tl_cursor_accept(text, '\n') ||
	       tl_cursor_accept(text, '\r'))
		;
}

/* The cursor has no other way to be told than by asking it for what is not there. */
static void fail(struct tl_cursor *text)
{
	text->at = text->end;
	(void)tl_cursor_byte(text);
}

bool tl_json_next(struct tl_cursor *text, char bracket, bool *inside)
{
	char closing = bracket == '[' ? ']' : '}';
	bool first = !*inside;

	skip_space(text);
	if (first)
		tl_cursor_expect(text, bracket);
	*inside = true;
	skip_space(text);
	if (text->failed || tl_cursor_accept(text, closing))
		return false;
	if (!first)
		tl_cursor_expect(text, ',');
	skip_space(text);
	return !text->failed;
}

/* The characters behind \u; surrogates become question marks, as names of files and programs have none in practice. */
static void put_unicode(struct tl_writer *writer, tl_u32 character)
{
	char bytes[4] = "?";
	tl_size length = tl_utf8_write(character, bytes);

	tl_write_bytes(writer, bytes, length != 0 ? length : 1);
}

static void take_escape(struct tl_cursor *text, struct tl_writer *writer)
{
	static const char escapes[][2] = {{'"', '"'},  {'\\', '\\'}, {'/', '/'},  {'b', '\b'},
					  {'f', '\f'}, {'n', '\n'},  {'r', '\r'}, {'t', '\t'}};
	tl_u8 letter = tl_cursor_byte(text);
	struct tl_cursor digits;
	tl_u32 character;

	for (tl_size i = 0; i < TL_COUNT(escapes); i++) {
		if (letter == (tl_u8)escapes[i][0]) {
			tl_write_byte(writer, (tl_u8)escapes[i][1]);
			return;
		}
	}
	digits = tl_cursor_take(text, 4);
	character = (tl_u32)tl_cursor_hex(&digits);
	if (letter != 'u' || digits.failed || !tl_cursor_done(&digits) || character == 0)
		fail(text);
	else
		put_unicode(writer, character);
}

void tl_json_take_text(struct tl_cursor *text, char *buffer, tl_size size)
{
	struct tl_writer writer = tl_writer_make(buffer, size - 1);

	skip_space(text);
	tl_cursor_expect(text, '"');
	while (!text->failed && !tl_cursor_accept(text, '"')) {
		tl_u8 byte = tl_cursor_byte(text);

		if (byte == '\\')
			take_escape(text, &writer);
		else if (byte < 0x20)
			fail(text);
		else
			tl_write_byte(&writer, byte);
	}
	if (writer.failed)
		fail(text);
	*writer.at = 0;
}

void tl_json_take_key(struct tl_cursor *text, char *buffer, tl_size size)
{
	tl_json_take_text(text, buffer, size);
	skip_space(text);
	tl_cursor_expect(text, ':');
}

static void skip_string(struct tl_cursor *text)
{
	tl_cursor_expect(text, '"');
	while (!text->failed && !tl_cursor_accept(text, '"'))
		if (tl_cursor_byte(text) == '\\')
			(void)tl_cursor_byte(text);
}

/* Brackets are counted and not matched: what is forgotten need not be right, only end. */
void tl_json_skip(struct tl_cursor *text)
{
	tl_size depth = 0;

	do {
		int next;

		skip_space(text);
		next = tl_cursor_peek(text);
		if (next == '"') {
			skip_string(text);
		} else if (next == '[' || next == '{') {
			(void)tl_cursor_byte(text);
			depth++;
		} else if (next == ']' || next == '}') {
			if (depth == 0)
				fail(text);
			(void)tl_cursor_byte(text);
			depth--;
		} else {
			/* A number, a word, or a comma or colon between values. */
			(void)tl_cursor_byte(text);
			while (depth == 0 && !tl_cursor_done(text) && tl_cursor_peek(text) != ',' &&
			       tl_cursor_peek(text) != ']' && tl_cursor_peek(text) != '}')
				(void)tl_cursor_byte(text);
		}
	} while (!text->failed && depth > 0);
}
