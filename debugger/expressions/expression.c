#include "debugger/expressions/expression_internal.h"

#include "base/storage.h"

#include <string.h>

typedef enum tl_status read_function(struct tl_parser *parser, tl_node_index *node_ret);

static read_function read_assignment, read_unary;

/* ---- Operands ---- */

static enum tl_status read_literal(struct tl_parser *parser, tl_node_index *node_ret)
{
	const struct tl_token *token = &parser->token;
	enum tl_node_kind kind = token->kind == TL_TOKEN_INTEGER     ? TL_NODE_INTEGER
				 : token->kind == TL_TOKEN_REAL      ? TL_NODE_REAL
				 : token->kind == TL_TOKEN_CHARACTER ? TL_NODE_CHARACTER
								     : TL_NODE_HISTORY;
	struct tl_node *node;

	TL_TRY(tl_parser_add_node(parser, kind, node_ret));
	node = tl_parser_node(parser, *node_ret);
	node->rank = (tl_u8)token->rank;
	node->width = token->width;
	node->is_unsigned = token->is_unsigned;
	node->is_decimal = token->is_decimal;
	node->is_absolute = token->is_absolute;
	if (kind == TL_NODE_REAL)
		node->real = token->real;
	else
		node->integer = token->integer;
	return tl_parser_advance(parser);
}

/* Strings that stand side by side are one (C17, 5.1.1.2); the widest says how wide it is. */
static enum tl_status read_string(struct tl_parser *parser, tl_node_index *node_ret)
{
	char bytes[TL_EXPRESSION_MAX];
	tl_size size = 0;
	tl_u8 width = 1;

	TL_TRY(tl_parser_add_node(parser, TL_NODE_STRING, node_ret));
	while (parser->token.kind == TL_TOKEN_STRING) {
		tl_size done;

		/* No escape is longer than what was typed for it, so there is room. */
		TL_TRY(tl_token_unescape(&parser->token, bytes + size, sizeof(bytes) - size, &done, parser->error));
		size += done;
		width = parser->token.width > width ? parser->token.width : width;
		TL_TRY(tl_parser_advance(parser));
	}
	tl_parser_node(parser, *node_ret)->width = width;
	return tl_parser_set_text(parser, *node_ret, bytes, size);
}

static enum tl_status read_name(struct tl_parser *parser, tl_node_index *node_ret)
{
	const char *start = NULL, *end = NULL;

	TL_TRY(tl_parser_add_node(parser, TL_NODE_NAME, node_ret));
	TL_TRY(tl_parser_take_name(parser, &start, &end));
	return tl_parser_set_name(parser, *node_ret, start, end);
}

/* 'a symbol', or 'a file'::name. */
static enum tl_status read_quoted(struct tl_parser *parser, tl_node_index *node_ret)
{
	tl_node_index name;

	TL_TRY(tl_parser_add_node(parser, TL_NODE_NAME, node_ret));
	TL_TRY(tl_parser_set_text(parser, *node_ret, parser->token.text, parser->token.size));
	TL_TRY(tl_parser_advance(parser));
	if (!tl_parser_next_is(parser, TL_SCOPE))
		return TL_OK;
	TL_TRY(tl_parser_advance(parser));
	TL_TRY(read_name(parser, &name));
	tl_parser_node(parser, *node_ret)->kind = TL_NODE_IN_FILE;
	return tl_parser_hang(parser, *node_ret, &tl_parser_node(parser, *node_ret)->first, name);
}

static enum tl_status read_variable(struct tl_parser *parser, tl_node_index *node_ret)
{
	TL_TRY(tl_parser_add_node(parser, TL_NODE_VARIABLE, node_ret));
	TL_TRY(tl_parser_set_text(parser, *node_ret, parser->token.text, parser->token.size));
	return tl_parser_advance(parser);
}

static bool operand_begins(const struct tl_parser *parser)
{
	static const enum tl_punctuator first[] = {TL_OPEN_PARENTHESIS, TL_OPEN_BRACE, TL_SCOPE,    TL_STAR,
						   TL_AMPERSAND,        TL_MINUS,      TL_PLUS,     TL_TILDE,
						   TL_EXCLAMATION,      TL_INCREMENT,  TL_DECREMENT};

	if (parser->token.kind != TL_TOKEN_PUNCTUATOR)
		return parser->token.kind != TL_TOKEN_END;
	for (tl_size i = 0; i < sizeof(first) / sizeof(*first); i++)
		if (parser->token.punctuator == first[i])
			return true;
	return false;
}

/* (type) operand; (type) alone; (expression). */
static enum tl_status read_parenthesis(struct tl_parser *parser, tl_node_index *node_ret)
{
	tl_node_index type, operand;

	TL_TRY(tl_parser_advance(parser));
	if (!tl_parser_type_begins(parser)) {
		TL_TRY(tl_parser_expression(parser, node_ret));
		return tl_parser_expect(parser, TL_CLOSE_PARENTHESIS, "\")\"");
	}
	TL_TRY(tl_parser_type(parser, &type));
	TL_TRY(tl_parser_expect(parser, TL_CLOSE_PARENTHESIS, "\")\" behind the type"));
	*node_ret = type;
	if (!operand_begins(parser))
		return TL_OK;
	TL_TRY(read_unary(parser, &operand));
	return tl_parser_add_operator(parser, TL_NODE_CAST, TL_NO_PUNCTUATOR, operand, type, node_ret);
}

static enum tl_status read_primary(struct tl_parser *parser, tl_node_index *node_ret)
{
	switch (parser->token.kind) {
	case TL_TOKEN_INTEGER:
	case TL_TOKEN_REAL:
	case TL_TOKEN_CHARACTER:
	case TL_TOKEN_HISTORY:
		return read_literal(parser, node_ret);
	case TL_TOKEN_STRING:
		return read_string(parser, node_ret);
	case TL_TOKEN_QUOTED:
		return read_quoted(parser, node_ret);
	case TL_TOKEN_VARIABLE:
		return read_variable(parser, node_ret);
	case TL_TOKEN_NAME:
		return tl_parser_type_begins(parser) ? tl_parser_type(parser, node_ret) : read_name(parser, node_ret);
	case TL_TOKEN_PUNCTUATOR:
		if (tl_parser_next_is(parser, TL_OPEN_PARENTHESIS) && !tl_parser_next_is_anonymous(parser))
			return read_parenthesis(parser, node_ret);
		if (tl_parser_next_is(parser, TL_SCOPE) || tl_parser_next_is_anonymous(parser))
			return tl_parser_type_begins(parser) ? tl_parser_type(parser, node_ret)
							     : read_name(parser, node_ret);
		break;
	case TL_TOKEN_END:
		break;
	}
	return tl_parser_expected(parser, "an operand");
}

/* ( argument, … ) behind a function. */
static enum tl_status read_call(struct tl_parser *parser, tl_node_index *node)
{
	tl_node_index call, last = TL_NO_NODE;

	TL_TRY(tl_parser_add_operator(parser, TL_NODE_CALL, TL_NO_PUNCTUATOR, *node, TL_NO_NODE, &call));
	TL_TRY(tl_parser_advance(parser));
	while (!tl_parser_next_is(parser, TL_CLOSE_PARENTHESIS)) {
		tl_node_index argument;

		TL_TRY(read_assignment(parser, &argument));
		TL_TRY(tl_parser_hang_next(parser, call, &last, argument));
		if (!tl_parser_next_is(parser, TL_COMMA))
			break;
		TL_TRY(tl_parser_advance(parser));
	}
	*node = call;
	return tl_parser_expect(parser, TL_CLOSE_PARENTHESIS, "\",\" or \")\" behind an argument");
}

static enum tl_status read_index(struct tl_parser *parser, tl_node_index *node)
{
	tl_node_index index;

	TL_TRY(tl_parser_advance(parser));
	TL_TRY(tl_parser_expression(parser, &index));
	TL_TRY(tl_parser_expect(parser, TL_CLOSE_BRACKET, "\"]\""));
	return tl_parser_add_operator(parser, TL_NODE_INDEX, TL_NO_PUNCTUATOR, *node, index, node);
}

/* Whether .* or ->* comes next, which bind less tightly than a member's name. */
static bool is_member_pointer(const struct tl_parser *parser)
{
	const bool accesses = tl_parser_next_is(parser, TL_DOT) || tl_parser_next_is(parser, TL_ARROW);

	return accesses && parser->text.at < parser->text.end && *parser->text.at == '*';
}

static enum tl_status read_member(struct tl_parser *parser, enum tl_node_kind kind, tl_node_index *node)
{
	const char *start = NULL, *end = NULL;

	TL_TRY(tl_parser_advance(parser));
	TL_TRY(tl_parser_add_operator(parser, kind, TL_NO_PUNCTUATOR, *node, TL_NO_NODE, node));
	TL_TRY(tl_parser_take_name(parser, &start, &end));
	TL_TRY(tl_parser_take_member_template(parser, &end));
	return tl_parser_set_name(parser, *node, start, end);
}

/* What stands behind an operand: calls, indices, members, ++ and --. */
static enum tl_status read_postfix_of(struct tl_parser *parser, tl_node_index *node_ret)
{
	while (parser->token.kind == TL_TOKEN_PUNCTUATOR && !is_member_pointer(parser) &&
	       !tl_node_is_type(tl_parser_node(parser, *node_ret))) {
		enum tl_punctuator punctuator = parser->token.punctuator;

		if (punctuator == TL_OPEN_PARENTHESIS) {
			TL_TRY(read_call(parser, node_ret));
		} else if (punctuator == TL_OPEN_BRACKET) {
			TL_TRY(read_index(parser, node_ret));
		} else if (punctuator == TL_DOT || punctuator == TL_ARROW) {
			TL_TRY(read_member(parser, punctuator == TL_DOT ? TL_NODE_MEMBER : TL_NODE_ARROW, node_ret));
		} else if (punctuator == TL_INCREMENT || punctuator == TL_DECREMENT) {
			TL_TRY(tl_parser_add_operator(parser, TL_NODE_POSTFIX, punctuator, *node_ret, TL_NO_NODE,
						      node_ret));
			TL_TRY(tl_parser_advance(parser));
		} else {
			break;
		}
	}
	return TL_OK;
}

static enum tl_status read_postfix(struct tl_parser *parser, tl_node_index *node_ret)
{
	TL_TRY(read_primary(parser, node_ret));
	return read_postfix_of(parser, node_ret);
}

/* sizeof and alignof: of a type in parentheses, or of an operand. */
static enum tl_status read_size(struct tl_parser *parser, enum tl_node_kind kind, tl_node_index *node_ret)
{
	tl_node_index operand;
	struct tl_text text;
	struct tl_token token;

	TL_TRY(tl_parser_add_node(parser, kind, node_ret));
	TL_TRY(tl_parser_advance(parser));
	text = parser->text;
	token = parser->token;
	if (tl_parser_next_is(parser, TL_OPEN_PARENTHESIS)) {
		TL_TRY(tl_parser_advance(parser));
		if (tl_parser_type_begins(parser)) {
			TL_TRY(tl_parser_type(parser, &operand));
			TL_TRY(tl_parser_expect(parser, TL_CLOSE_PARENTHESIS, "\")\" behind the type"));
			return tl_parser_hang(parser, *node_ret, &tl_parser_node(parser, *node_ret)->first, operand);
		}
		tl_parser_go_back(parser, &text, &token);
	}
	TL_TRY(read_unary(parser, &operand));
	return tl_parser_hang(parser, *node_ret, &tl_parser_node(parser, *node_ret)->first, operand);
}

/* { type } address */
static enum tl_status read_at_address(struct tl_parser *parser, tl_node_index *node_ret)
{
	tl_node_index type, operand;

	TL_TRY(tl_parser_advance(parser));
	TL_TRY(tl_parser_type(parser, &type));
	TL_TRY(tl_parser_expect(parser, TL_CLOSE_BRACE, "\"}\" behind the type"));
	TL_TRY(read_unary(parser, &operand));
	return tl_parser_add_operator(parser, TL_NODE_AT_ADDRESS, TL_NO_PUNCTUATOR, operand, type, node_ret);
}

/* static_cast < type > ( operand ) and its kin. */
static enum tl_status read_named_cast(struct tl_parser *parser, enum tl_node_kind kind, tl_node_index *node_ret)
{
	tl_node_index type, operand;

	TL_TRY(tl_parser_advance(parser));
	TL_TRY(tl_parser_expect(parser, TL_LESS, "\"<\""));
	TL_TRY(tl_parser_type(parser, &type));
	TL_TRY(tl_parser_expect(parser, TL_GREATER, "\">\" behind the type"));
	TL_TRY(tl_parser_expect(parser, TL_OPEN_PARENTHESIS, "\"(\""));
	TL_TRY(tl_parser_expression(parser, &operand));
	TL_TRY(tl_parser_expect(parser, TL_CLOSE_PARENTHESIS, "\")\""));
	return tl_parser_add_operator(parser, kind, TL_NO_PUNCTUATOR, operand, type, node_ret);
}

/* typeid ( type or operand ) */
static enum tl_status read_typeid(struct tl_parser *parser, enum tl_node_kind kind, tl_node_index *node_ret)
{
	tl_node_index operand;

	TL_TRY(tl_parser_add_node(parser, kind, node_ret));
	TL_TRY(tl_parser_advance(parser));
	TL_TRY(tl_parser_expect(parser, TL_OPEN_PARENTHESIS, "\"(\""));
	TL_TRY(tl_parser_type_begins(parser) ? tl_parser_type(parser, &operand)
					     : tl_parser_expression(parser, &operand));
	TL_TRY(tl_parser_expect(parser, TL_CLOSE_PARENTHESIS, "\")\""));
	return tl_parser_hang(parser, *node_ret, &tl_parser_node(parser, *node_ret)->first, operand);
}

/* The words that are operators. */
static const struct {
	const char *word;
	enum tl_node_kind kind;
	enum tl_status (*read)(struct tl_parser *parser, enum tl_node_kind kind, tl_node_index *node_ret);
} word_operators[] = {
	{"sizeof", TL_NODE_SIZEOF, read_size},
	{"alignof", TL_NODE_ALIGNOF, read_size},
	{"_Alignof", TL_NODE_ALIGNOF, read_size},
	{"static_cast", TL_NODE_CAST, read_named_cast},
	{"const_cast", TL_NODE_CAST, read_named_cast},
	{"reinterpret_cast", TL_NODE_REINTERPRET, read_named_cast},
	{"dynamic_cast", TL_NODE_DYNAMIC, read_named_cast},
	{"typeid", TL_NODE_TYPEID, read_typeid},
};

static bool is_unary(enum tl_punctuator punctuator)
{
	return punctuator == TL_STAR || punctuator == TL_AMPERSAND || punctuator == TL_MINUS || punctuator == TL_PLUS ||
	       punctuator == TL_TILDE || punctuator == TL_EXCLAMATION || punctuator == TL_INCREMENT ||
	       punctuator == TL_DECREMENT;
}

static enum tl_status read_unary_inside(struct tl_parser *parser, tl_node_index *node_ret)
{
	for (tl_size i = 0; i < sizeof(word_operators) / sizeof(*word_operators); i++)
		if (tl_parser_next_is_word(parser, word_operators[i].word)) {
			TL_TRY(word_operators[i].read(parser, word_operators[i].kind, node_ret));
			/* Of what a cast or typeid makes members may be asked; what sizeof takes has them already. */
			return word_operators[i].read == read_size ? TL_OK : read_postfix_of(parser, node_ret);
		}
	if (tl_parser_next_is(parser, TL_OPEN_BRACE))
		return read_at_address(parser, node_ret);
	if (parser->token.kind == TL_TOKEN_PUNCTUATOR && is_unary(parser->token.punctuator)) {
		tl_node_index operand;

		TL_TRY(tl_parser_add_operator(parser, TL_NODE_UNARY, parser->token.punctuator, TL_NO_NODE, TL_NO_NODE,
					      node_ret));
		TL_TRY(tl_parser_advance(parser));
		TL_TRY(read_unary(parser, &operand));
		return tl_parser_hang(parser, *node_ret, &tl_parser_node(parser, *node_ret)->first, operand);
	}
	return read_postfix(parser, node_ret);
}

static enum tl_status read_unary(struct tl_parser *parser, tl_node_index *node_ret)
{
	TL_TRY(tl_parser_enter(parser));
	TL_TRY(read_unary_inside(parser, node_ret));
	parser->depth--;
	return TL_OK;
}

/* ---- Operators between two operands ---- */

/* How tightly each binds: more is tighter. */
static const tl_u8 tightness[TL_PUNCTUATOR_MAX] = {
	[TL_LOGICAL_OR] = 1, [TL_LOGICAL_AND] = 2, [TL_BAR] = 3,      [TL_CARET] = 4,         [TL_AMPERSAND] = 5,
	[TL_EQUAL] = 6,      [TL_NOT_EQUAL] = 6,   [TL_LESS] = 7,     [TL_GREATER] = 7,       [TL_LESS_EQUAL] = 7,
	[TL_SHIFT_LEFT] = 8, [TL_SHIFT_RIGHT] = 8, [TL_AT] = 9,       [TL_PLUS] = 10,         [TL_MINUS] = 10,
	[TL_STAR] = 11,      [TL_SLASH] = 11,      [TL_PERCENT] = 11, [TL_GREATER_EQUAL] = 7, [TL_DOT] = 12,
	[TL_ARROW] = 12, /* of .* and ->*: what has a name was read before */
};

/* Operands and the operators between them that bind at least as tightly as `least`. */
static enum tl_status read_binary(struct tl_parser *parser, unsigned least, tl_node_index *node_ret)
{
	TL_TRY(tl_parser_enter(parser));
	TL_TRY(read_unary(parser, node_ret));
	while (parser->token.kind == TL_TOKEN_PUNCTUATOR && tightness[parser->token.punctuator] >= least) {
		enum tl_punctuator operation = parser->token.punctuator;
		tl_node_index second;

		TL_TRY(tl_parser_advance(parser));
		if (operation == TL_DOT || operation == TL_ARROW)
			TL_TRY(tl_parser_expect(parser, TL_STAR, "\"*\" or a name"));
		TL_TRY(read_binary(parser, tightness[operation] + 1u, &second));
		TL_TRY(tl_parser_add_operator(parser, TL_NODE_BINARY, operation, *node_ret, second, node_ret));
	}
	parser->depth--;
	return TL_OK;
}

static enum tl_status read_conditional(struct tl_parser *parser, tl_node_index *node_ret)
{
	tl_node_index yes, no;

	TL_TRY(read_binary(parser, 1, node_ret));
	if (!tl_parser_next_is(parser, TL_QUESTION))
		return TL_OK;
	TL_TRY(tl_parser_advance(parser));
	TL_TRY(tl_parser_expression(parser, &yes));
	TL_TRY(tl_parser_expect(parser, TL_COLON, "\":\""));
	TL_TRY(tl_parser_enter(parser));
	TL_TRY(read_conditional(parser, &no));
	parser->depth--;
	TL_TRY(tl_parser_add_operator(parser, TL_NODE_CONDITIONAL, TL_NO_PUNCTUATOR, *node_ret, yes, node_ret));
	return tl_parser_hang(parser, *node_ret, &tl_parser_node(parser, *node_ret)->third, no);
}

/* Which operator an assignment makes use of; TL_ASSIGN for =, none for what assigns nothing. */
static enum tl_punctuator assignment_of(enum tl_punctuator punctuator)
{
	static const tl_u8 operations[TL_PUNCTUATOR_MAX] = {
		[TL_ASSIGN] = TL_ASSIGN,
		[TL_ADD_ASSIGN] = TL_PLUS,
		[TL_SUBTRACT_ASSIGN] = TL_MINUS,
		[TL_MULTIPLY_ASSIGN] = TL_STAR,
		[TL_DIVIDE_ASSIGN] = TL_SLASH,
		[TL_REMAINDER_ASSIGN] = TL_PERCENT,
		[TL_AND_ASSIGN] = TL_AMPERSAND,
		[TL_OR_ASSIGN] = TL_BAR,
		[TL_XOR_ASSIGN] = TL_CARET,
		[TL_SHIFT_LEFT_ASSIGN] = TL_SHIFT_LEFT,
		[TL_SHIFT_RIGHT_ASSIGN] = TL_SHIFT_RIGHT,
	};

	return (enum tl_punctuator)operations[punctuator];
}

static enum tl_status read_assignment(struct tl_parser *parser, tl_node_index *node_ret)
{
	enum tl_punctuator operation;
	tl_node_index value;

	TL_TRY(read_conditional(parser, node_ret));
	operation =
		parser->token.kind == TL_TOKEN_PUNCTUATOR ? assignment_of(parser->token.punctuator) : TL_NO_PUNCTUATOR;
	if (operation == TL_NO_PUNCTUATOR)
		return TL_OK;
	TL_TRY(tl_parser_advance(parser));
	TL_TRY(tl_parser_enter(parser));
	TL_TRY(read_assignment(parser, &value));
	parser->depth--;
	return tl_parser_add_operator(parser, TL_NODE_ASSIGN, operation, *node_ret, value, node_ret);
}

enum tl_status tl_parser_expression(struct tl_parser *parser, tl_node_index *node_ret)
{
	TL_TRY(tl_parser_enter(parser));
	TL_TRY(read_assignment(parser, node_ret));
	while (tl_parser_next_is(parser, TL_COMMA)) {
		tl_node_index second;

		TL_TRY(tl_parser_advance(parser));
		TL_TRY(read_assignment(parser, &second));
		TL_TRY(tl_parser_add_operator(parser, TL_NODE_BINARY, TL_COMMA, *node_ret, second, node_ret));
	}
	parser->depth--;
	return TL_OK;
}

/* ---- The whole ---- */

static enum tl_status read_all(struct tl_parser *parser)
{
	TL_TRY(tl_parser_advance(parser));
	TL_TRY(tl_parser_expression(parser, &parser->expression->top));
	return parser->token.kind == TL_TOKEN_END ? TL_OK : tl_parser_expected(parser, "an operator, or the end,");
}

enum tl_status tl_expression_read(struct tl_expression **expression_ret, const char *text, tl_size size,
				  const struct tl_names *names, struct tl_error *error)
{
	struct tl_parser parser = {.names = names, .error = error};
	struct tl_expression *expression;
	enum tl_status status;

	if (size > TL_EXPRESSION_MAX - 1)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "the expression is longer than %d characters",
			       TL_EXPRESSION_MAX - 1);
	expression = tl_allocate(tl_storage(), sizeof(*expression) + size + 1);
	if (expression == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for the expression");
	memcpy(expression->text, text, size);
	expression->size = size;
	/* "unsigned" becomes "unsigned int", which is longer than what was typed. */
	expression->pool_size = size * 2 + 16;
	expression->pool = tl_allocate(tl_storage(), expression->pool_size);
	parser.expression = expression;
	parser.text = tl_text_make(expression->text, size);
	status = expression->pool != NULL ? read_all(&parser)
					  : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for the expression");
	if (status != TL_OK) {
		tl_expression_free(expression);
		return status;
	}
	*expression_ret = expression;
	return TL_OK;
}

void tl_expression_free(struct tl_expression *expression)
{
	if (expression == NULL)
		return;
	tl_release(tl_storage(), expression->nodes, expression->capacity * sizeof(*expression->nodes));
	tl_release(tl_storage(), expression->pool, expression->pool_size);
	tl_release(tl_storage(), expression, sizeof(*expression) + expression->size + 1);
}

tl_node_index tl_expression_top(const struct tl_expression *expression)
{
	return expression->top;
}

const struct tl_node *tl_expression_node(const struct tl_expression *expression, tl_node_index index)
{
	return &expression->nodes[index];
}

const char *tl_expression_text(const struct tl_expression *expression)
{
	return expression->text;
}

bool tl_node_is_type(const struct tl_node *node)
{
	return node->kind >= TL_NODE_TYPE_NAME;
}
