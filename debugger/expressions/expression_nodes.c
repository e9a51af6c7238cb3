#include "debugger/expressions/expression_internal.h"

#include "base/storage.h"

#include <string.h>

/* ---- Nodes ---- */

enum tl_status tl_parser_add_node(struct tl_parser *parser, enum tl_node_kind kind, tl_node_index *node_ret)
{
	struct tl_expression *expression = parser->expression;
	void *nodes = expression->nodes;

	if (!tl_grow(tl_storage(), &nodes, &expression->capacity, expression->count, sizeof(*expression->nodes)))
		return TL_FAIL(parser->error, TL_ERROR_NO_MEMORY, "no storage for the expression");
	expression->nodes = nodes;
	expression->nodes[expression->count] = (struct tl_node){
		.kind = (tl_u8)kind,
		.at = (tl_u32)parser->token.at,
		.first = TL_NO_NODE,
		.second = TL_NO_NODE,
		.third = TL_NO_NODE,
		.next = TL_NO_NODE,
	};
	*node_ret = (tl_node_index)expression->count++;
	return TL_OK;
}

struct tl_node *tl_parser_node(struct tl_parser *parser, tl_node_index index)
{
	return &parser->expression->nodes[index];
}

static enum tl_status too_deep(struct tl_parser *parser)
{
	return TL_FAIL(parser->error, TL_ERROR_TOO_LONG, "the expression nests deeper than %d levels",
		       TL_EXPRESSION_DEPTH_MAX);
}

enum tl_status tl_parser_hang(struct tl_parser *parser, tl_node_index parent, tl_node_index *place, tl_node_index child)
{
	tl_u8 height = child != TL_NO_NODE ? tl_parser_node(parser, child)->height : 0;

	*place = child;
	if (height >= TL_EXPRESSION_DEPTH_MAX)
		return too_deep(parser);
	if (tl_parser_node(parser, parent)->height <= height)
		tl_parser_node(parser, parent)->height = (tl_u8)(height + 1);
	return TL_OK;
}

enum tl_status tl_parser_add_operator(struct tl_parser *parser, enum tl_node_kind kind, enum tl_punctuator operation,
				      tl_node_index first, tl_node_index second, tl_node_index *node_ret)
{
	TL_TRY(tl_parser_add_node(parser, kind, node_ret));
	tl_parser_node(parser, *node_ret)->operation = (tl_u8)operation;
	if (first != TL_NO_NODE)
		tl_parser_node(parser, *node_ret)->at = tl_parser_node(parser, first)->at;
	TL_TRY(tl_parser_hang(parser, *node_ret, &tl_parser_node(parser, *node_ret)->first, first));
	return tl_parser_hang(parser, *node_ret, &tl_parser_node(parser, *node_ret)->second, second);
}

enum tl_status tl_parser_hang_next(struct tl_parser *parser, tl_node_index parent, tl_node_index *last,
				   tl_node_index child)
{
	tl_node_index before = *last;

	*last = child;
	return tl_parser_hang(parser, parent,
			      before == TL_NO_NODE ? &tl_parser_node(parser, parent)->second
						   : &tl_parser_node(parser, before)->next,
			      child);
}

/* Room for one more text; NULL when there is none. */
static char *pool_take(struct tl_parser *parser, tl_size size)
{
	struct tl_expression *expression = parser->expression;
	char *bytes = expression->pool + expression->pool_used;

	if (size >= expression->pool_size - expression->pool_used)
		return NULL;
	expression->pool_used += size + 1;
	bytes[size] = '\0';
	return bytes;
}

enum tl_status tl_parser_set_text(struct tl_parser *parser, tl_node_index node, const char *bytes, tl_size size)
{
	char *copy = pool_take(parser, size);

	if (copy == NULL)
		return TL_FAIL(parser->error, TL_ERROR_TOO_LONG, "the expression has too many words");
	if (size != 0)
		memcpy(copy, bytes, size);
	tl_parser_node(parser, node)->text.bytes = copy;
	tl_parser_node(parser, node)->text.size = size;
	return TL_OK;
}

/* ---- Tokens ---- */

enum tl_status tl_parser_advance(struct tl_parser *parser)
{
	return tl_token_take(&parser->text, &parser->token, parser->error);
}

void tl_parser_go_back(struct tl_parser *parser, const struct tl_text *text, const struct tl_token *token)
{
	parser->text = *text;
	parser->token = *token;
}

bool tl_parser_next_is(const struct tl_parser *parser, enum tl_punctuator punctuator)
{
	return parser->token.kind == TL_TOKEN_PUNCTUATOR && parser->token.punctuator == punctuator;
}

bool tl_parser_next_is_word(const struct tl_parser *parser, const char *word)
{
	return parser->token.kind == TL_TOKEN_NAME && strlen(word) == parser->token.size &&
	       memcmp(parser->token.text, word, parser->token.size) == 0;
}

enum tl_status tl_parser_expected(struct tl_parser *parser, const char *what)
{
	const struct tl_token *token = &parser->token;
	const char *start = parser->text.start + token->at;
	int size = (int)(parser->text.at - start);

	if (token->kind == TL_TOKEN_END)
		return TL_FAIL(parser->error, TL_ERROR_MALFORMED, "the expression ends where %s should stand", what);
	return TL_FAIL(parser->error, TL_ERROR_MALFORMED, "\"%.*s\" stands where %s should (column %llu)",
		       size > 40 ? 40 : size, start, what, (unsigned long long)token->at + 1);
}

enum tl_status tl_parser_expect(struct tl_parser *parser, enum tl_punctuator punctuator, const char *what)
{
	if (!tl_parser_next_is(parser, punctuator))
		return tl_parser_expected(parser, what);
	return tl_parser_advance(parser);
}

enum tl_status tl_parser_enter(struct tl_parser *parser)
{
	return ++parser->depth > TL_EXPRESSION_DEPTH_MAX ? too_deep(parser) : TL_OK;
}
