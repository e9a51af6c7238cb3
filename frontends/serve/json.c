#include "frontends/serve/json.h"

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

/* The length of the UTF-8 character at `text`, 0 when there is none. RFC 3629. */
static tl_size character_length(const tl_u8 *text)
{
	static const struct {
		tl_u8 first, last, low, high,
			length; /* the bounds of the second byte rule out what has a shorter form */
	} forms[] = {{0x20, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		     {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		     {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};

	for (tl_size i = 0; i < TL_COUNT(forms); i++) {
		if (text[0] < forms[i].first || text[0] > forms[i].last)
			continue;
		if (forms[i].length > 1 && (text[1] < forms[i].low || text[1] > forms[i].high))
			return 0;
		for (tl_size n = 2; n < forms[i].length; n++)
			if ((text[n] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

static void put_string(struct tl_json *json, const char *string)
{
	const tl_u8 *text = (const tl_u8 *)string;

	put(json, '"');
	while (*text != 0) {
		tl_size length = character_length(text);

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
	if (character < 0x80) {
		tl_write_byte(writer, (tl_u8)character);
	} else if (character < 0x800) {
		tl_write_byte(writer, (tl_u8)(0xc0 | character >> 6));
		tl_write_byte(writer, (tl_u8)(0x80 | (character & 0x3f)));
	} else if (character >= 0xd800 && character < 0xe000) {
		tl_write_byte(writer, '?');
	} else {
		tl_write_byte(writer, (tl_u8)(0xe0 | character >> 12));
		tl_write_byte(writer, (tl_u8)(0x80 | (character >> 6 & 0x3f)));
		tl_write_byte(writer, (tl_u8)(0x80 | (character & 0x3f)));
	}
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
