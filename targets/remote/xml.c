#include "targets/remote/xml.h"

static bool is_space(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Steps behind `end`; to the end of the document, which has then failed, where it does not come. */
static void skip_past(struct tl_cursor *document, const char *end)
{
	while (!tl_cursor_done(document)) {
		if (tl_cursor_accept_text(document, end))
			return;
		(void)tl_cursor_byte(document);
	}
	document->failed = true;
}

/* A declaration, perhaps with a list of others in brackets. */
static void skip_declaration(struct tl_cursor *document)
{
	int depth = 0;

	while (!tl_cursor_done(document)) {
		tl_u8 byte = tl_cursor_byte(document);

		depth += byte == '[';
		depth -= byte == ']' && depth > 0;
		if (byte == '>' && depth == 0)
			return;
	}
	document->failed = true;
}

/* Up to the > that ends the element, not counting those in quotes. */
static struct tl_cursor take_inside(struct tl_cursor *document)
{
	const tl_u8 *start = document->at;
	tl_u8 quote = 0;

	while (!tl_cursor_done(document)) {
		tl_u8 byte = tl_cursor_byte(document);

		if (quote != 0)
			quote = byte == quote ? 0 : quote;
		else if (byte == '"' || byte == '\'')
			quote = byte;
		else if (byte == '>')
			return tl_cursor_make(start, (tl_size)(document->at - start) - 1);
	}
	document->failed = true;
	return tl_cursor_make(NULL, 0);
}

static struct tl_cursor take_name(struct tl_cursor *inside)
{
	const tl_u8 *start = inside->at;

	while (!tl_cursor_done(inside) && !is_space(tl_cursor_peek(inside)) && tl_cursor_peek(inside) != '=' &&
	       tl_cursor_peek(inside) != '/')
		(void)tl_cursor_byte(inside);
	return tl_cursor_make(start, (tl_size)(inside->at - start));
}

bool tl_remote_xml_next(struct tl_cursor *document, struct xml_element *element_ret)
{
	for (;;) {
		struct xml_element element = {0};
		const tl_u8 *text;

		(void)tl_cursor_until(document, '<');
		if (tl_cursor_done(document))
			return false;
		if (tl_cursor_accept_text(document, "!--")) {
			skip_past(document, "-->");
			continue;
		}
		if (tl_cursor_accept_text(document, "![CDATA[")) {
			skip_past(document, "]]>");
			continue;
		}
		if (tl_cursor_accept(document, '?')) {
			skip_past(document, "?>");
			continue;
		}
		if (tl_cursor_accept(document, '!')) {
			skip_declaration(document);
			continue;
		}
		element.closing = tl_cursor_accept(document, '/');
		element.inside = take_inside(document);
		if (document->failed)
			return false;
		element.empty = tl_cursor_left(&element.inside) != 0 && element.inside.end[-1] == '/';
		if (element.empty)
			element.inside.end--;
		element.name = take_name(&element.inside);
		text = document->at;
		while (!tl_cursor_done(document) && tl_cursor_peek(document) != '<')
			(void)tl_cursor_byte(document);
		element.text = tl_cursor_make(text, (tl_size)(document->at - text));
		*element_ret = element;
		return true;
	}
}

static const struct {
	const char *name;
	char character;
} entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

static char take_character(struct tl_cursor *value)
{
	for (tl_size i = 0; i < TL_COUNT(entities); i++)
		if (tl_cursor_accept_text(value, entities[i].name))
			return entities[i].character;
	return (char)tl_cursor_byte(value);
}

static void skip_spaces(struct tl_cursor *text)
{
	while (is_space(tl_cursor_peek(text)))
		(void)tl_cursor_byte(text);
}

/* The next attribute; false at the end or at something that is none. */
static bool next_attribute(struct tl_cursor *inside, struct tl_cursor *name_ret, struct tl_cursor *value_ret)
{
	tl_u8 quote;

	skip_spaces(inside);
	if (tl_cursor_done(inside))
		return false;
	*name_ret = take_name(inside);
	skip_spaces(inside);
	if (!tl_cursor_accept(inside, '='))
		return false;
	skip_spaces(inside);
	quote = tl_cursor_byte(inside);
	if (quote != '"' && quote != '\'')
		return false;
	*value_ret = tl_cursor_until(inside, (char)quote);
	return true;
}

bool tl_remote_xml_attribute(const struct xml_element *element, const char *name, char *value_ret, tl_size size)
{
	struct tl_cursor inside = element->inside, found, value;
	tl_size used = 0;

	value_ret[0] = '\0';
	while (next_attribute(&inside, &found, &value)) {
		if (!tl_cursor_equals(&found, name))
			continue;
		while (!tl_cursor_done(&value) && used + 1 < size)
			value_ret[used++] = take_character(&value);
		value_ret[used] = '\0';
		return true;
	}
	return false;
}

bool tl_remote_xml_number(const struct xml_element *element, const char *name, tl_u64 *value_ret)
{
	char text[32];
	struct tl_cursor cursor;
	tl_u64 value;

	if (!tl_remote_xml_attribute(element, name, text, sizeof(text)))
		return false;
	cursor = tl_cursor_text(text);
	value = tl_cursor_accept_text(&cursor, "0x") ? tl_cursor_hex(&cursor) : tl_cursor_decimal(&cursor);
	if (cursor.failed || !tl_cursor_done(&cursor))
		return false;
	*value_ret = value;
	return true;
}
