#include "debugger/expressions/expression_internal.h"

#include <stddef.h>
#include <string.h>

/* How a namespace without a name is written; the debug information's own names for things leave it out. */
static const char anonymous[] = "(anonymous namespace)::";

bool tl_parser_next_is_anonymous(const struct tl_parser *parser)
{
	const char *at = parser->text.start + parser->token.at;

	return tl_parser_next_is(parser, TL_OPEN_PARENTHESIS) &&
	       (tl_size)(parser->text.end - at) >= sizeof(anonymous) - 1 &&
	       memcmp(at, anonymous, sizeof(anonymous) - 1) == 0;
}

static enum tl_status skip_anonymous(struct tl_parser *parser)
{
	parser->text.at = parser->text.start + parser->token.at + sizeof(anonymous) - 1;
	return tl_parser_advance(parser);
}

/*
 * Copies text without its white space, but for one space between two words ("unsigned int", "operator new"): as names
 * are asked for.
 */
static tl_size copy_tight(char *to, const char *from, const char *end)
{
	tl_size size = 0;
	bool gap = false;

	for (; from < end; from++) {
		bool word;

		if (*from == '(' && (tl_size)(end - from) >= sizeof(anonymous) - 1 &&
		    memcmp(from, anonymous, sizeof(anonymous) - 1) == 0) {
			from += sizeof(anonymous) - 2;
			continue;
		}
		word = *from == '_' || (*from >= '0' && *from <= '9') || (*from >= 'A' && *from <= 'Z') ||
		       (*from >= 'a' && *from <= 'z') || (tl_u8)*from >= 0x80;

		if (*from == ' ' || (*from >= '\t' && *from <= '\r')) {
			gap = true;
			continue;
		}
		if (gap && word && size > 0 && strchr("<>(),*&:[]~", to[size - 1]) == NULL)
			to[size++] = ' ';
		to[size++] = *from;
		gap = false;
	}
	return size;
}

/* Where the template arguments that begin at the next token end; NULL when they do not. Takes nothing. */
static const char *template_end(struct tl_parser *parser)
{
	struct tl_text text = parser->text;
	struct tl_token token;
	unsigned angles = 1, others = 0;

	while (tl_token_take(&text, &token, NULL) == TL_OK && token.kind != TL_TOKEN_END) {
		if (token.kind != TL_TOKEN_PUNCTUATOR)
			continue;
		if (token.punctuator == TL_OPEN_PARENTHESIS || token.punctuator == TL_OPEN_BRACKET)
			others++;
		else if (token.punctuator == TL_CLOSE_PARENTHESIS || token.punctuator == TL_CLOSE_BRACKET) {
			if (others-- == 0)
				return NULL;
		} else if (others != 0)
			continue;
		else if (token.punctuator == TL_LESS)
			angles++;
		else if (token.punctuator == TL_GREATER && --angles == 0)
			return text.at;
		else if (token.punctuator == TL_SHIFT_RIGHT && angles <= 2)
			return angles == 2 ? text.at : text.at - 1;
		else if (token.punctuator == TL_SHIFT_RIGHT)
			angles -= 2;
	}
	return NULL;
}

/* True when the name that began at `start`, with the template arguments up to `end`, is one that the program has. */
static bool is_template(struct tl_parser *parser, const char *start, const char *end)
{
	char name[TL_EXPRESSION_MAX];
	tl_size size = copy_tight(name, start, end);

	return (parser->names->is_template != NULL && parser->names->is_template(parser->names->context, name, size)) ||
	       (parser->names->is_type != NULL && parser->names->is_type(parser->names->context, name, size));
}

/* std::get<1>(…) need not be a function of the program: what it does is known. */
static bool is_get(const struct tl_parser *parser, const char *start, const char *behind)
{
	return parser->names->is_cplus && behind < parser->text.end && *behind == '(' &&
	       behind - start > (ptrdiff_t)sizeof("std::get") && memcmp(start, "std::get", sizeof("std::get") - 1) == 0;
}

/* Takes `<…>` behind a name if the program has such a template's instance. */
static enum tl_status take_template(struct tl_parser *parser, const char *start, const char **end)
{
	const char *behind;

	if (parser->names == NULL || !tl_parser_next_is(parser, TL_LESS))
		return TL_OK;
	behind = template_end(parser);
	if (behind == NULL || (!is_get(parser, start, behind) && !is_template(parser, start, behind)))
		return TL_OK;
	parser->text.at = behind;
	*end = behind;
	return tl_parser_advance(parser);
}

/* The punctuators that make a function's name behind "operator". */
static bool is_operator(enum tl_punctuator punctuator)
{
	return punctuator != TL_NO_PUNCTUATOR && punctuator != TL_ELLIPSIS && punctuator != TL_SCOPE &&
	       punctuator != TL_OPEN_PARENTHESIS && punctuator != TL_CLOSE_PARENTHESIS &&
	       punctuator != TL_OPEN_BRACKET && punctuator != TL_CLOSE_BRACKET && punctuator != TL_OPEN_BRACE &&
	       punctuator != TL_CLOSE_BRACE && punctuator != TL_DOT && punctuator != TL_QUESTION &&
	       punctuator != TL_COLON && punctuator != TL_AT;
}

/* What a conversion makes: operator const char *. */
static enum tl_status take_conversion(struct tl_parser *parser, const char **end)
{
	while (parser->token.kind == TL_TOKEN_NAME || tl_parser_next_is(parser, TL_SCOPE) ||
	       tl_parser_next_is(parser, TL_STAR) || tl_parser_next_is(parser, TL_AMPERSAND)) {
		const char *start = parser->text.start + parser->token.at;

		*end = parser->text.at;
		TL_TRY(tl_parser_advance(parser));
		TL_TRY(take_template(parser, start, end));
	}
	return TL_OK;
}

/* What follows "operator" in the name of a function: + () [] -> new[] or a type. */
static enum tl_status take_operator(struct tl_parser *parser, const char **end)
{
	const enum tl_punctuator first = parser->token.punctuator;

	if (parser->token.kind == TL_TOKEN_NAME && !tl_parser_next_is_word(parser, "new") &&
	    !tl_parser_next_is_word(parser, "delete"))
		return take_conversion(parser, end);
	if (parser->token.kind == TL_TOKEN_NAME) {
		*end = parser->text.at;
		TL_TRY(tl_parser_advance(parser));
		if (!tl_parser_next_is(parser, TL_OPEN_BRACKET))
			return TL_OK;
	} else if (tl_parser_next_is(parser, TL_OPEN_PARENTHESIS) || is_operator(first)) {
		*end = parser->text.at;
		TL_TRY(tl_parser_advance(parser));
		if (first == TL_ARROW && tl_parser_next_is(parser, TL_STAR)) {
			*end = parser->text.at;
			return tl_parser_advance(parser);
		}
		if (first != TL_OPEN_PARENTHESIS)
			return TL_OK;
		if (!tl_parser_next_is(parser, TL_CLOSE_PARENTHESIS))
			return tl_parser_expected(parser, "\")\" of operator()");
		*end = parser->text.at;
		return tl_parser_advance(parser);
	}
	if (!tl_parser_next_is(parser, TL_OPEN_BRACKET))
		return tl_parser_expected(parser, "an operator");
	TL_TRY(tl_parser_advance(parser));
	if (!tl_parser_next_is(parser, TL_CLOSE_BRACKET))
		return tl_parser_expected(parser, "\"]\" of operator[]");
	*end = parser->text.at;
	return tl_parser_advance(parser);
}

enum tl_status tl_parser_take_member_template(struct tl_parser *parser, const char **end)
{
	const char *behind;

	if (parser->names == NULL || !parser->names->is_cplus || !tl_parser_next_is(parser, TL_LESS))
		return TL_OK;
	behind = template_end(parser);
	if (behind == NULL || behind == parser->text.end || *behind != '(')
		return TL_OK;
	parser->text.at = behind;
	*end = behind;
	return tl_parser_advance(parser);
}

enum tl_status tl_parser_take_name(struct tl_parser *parser, const char **start_ret, const char **end_ret)
{
	*start_ret = parser->text.start + parser->token.at;
	if (tl_parser_next_is(parser, TL_SCOPE))
		TL_TRY(tl_parser_advance(parser));
	for (;;) {
		bool is_operator_name;

		if (tl_parser_next_is_anonymous(parser)) {
			TL_TRY(skip_anonymous(parser));
			continue;
		}
		if (tl_parser_next_is(parser, TL_TILDE))
			TL_TRY(tl_parser_advance(parser));
		if (parser->token.kind != TL_TOKEN_NAME)
			return tl_parser_expected(parser, "a name");
		is_operator_name =
			parser->names != NULL && parser->names->is_cplus && tl_parser_next_is_word(parser, "operator");
		*end_ret = parser->text.at;
		TL_TRY(tl_parser_advance(parser));
		if (is_operator_name)
			return take_operator(parser, end_ret);
		TL_TRY(take_template(parser, *start_ret, end_ret));
		if (!tl_parser_next_is(parser, TL_SCOPE))
			return TL_OK;
		TL_TRY(tl_parser_advance(parser));
	}
}

enum tl_status tl_parser_set_name(struct tl_parser *parser, tl_node_index node, const char *start, const char *end)
{
	char name[TL_EXPRESSION_MAX];

	return tl_parser_set_text(parser, node, name, copy_tight(name, start, end));
}

bool tl_parser_name_is_type(struct tl_parser *parser)
{
	struct tl_text text = parser->text;
	struct tl_token token = parser->token;
	struct tl_error *error = parser->error;
	const char *start = NULL, *end = NULL;
	char name[TL_EXPRESSION_MAX];
	bool is_type = false;

	if (parser->names == NULL || parser->names->is_type == NULL ||
	    (token.kind != TL_TOKEN_NAME && !tl_parser_next_is(parser, TL_SCOPE) &&
	     !tl_parser_next_is_anonymous(parser)))
		return false;
	parser->error = NULL;
	if (tl_parser_take_name(parser, &start, &end) == TL_OK) {
		tl_size size = copy_tight(name, start, end);

		is_type = parser->names->is_type(parser->names->context, name, size);
	}
	parser->error = error;
	tl_parser_go_back(parser, &text, &token);
	return is_type;
}
