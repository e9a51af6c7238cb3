/*
 * What the parts of the reader of expressions share: the text with the token that is next, and the tree that grows.
 * expression.c reads operands and operators, expression_types.c types.
 *
 * Whatever fails leaves the tree as it is: it is thrown away then. On the thread of tl_expression_read.
 */
#ifndef TL_DEBUGGER_EXPRESSION_INTERNAL_H
#define TL_DEBUGGER_EXPRESSION_INTERNAL_H

#include "debugger/expressions/expression.h"

struct tl_expression {
	struct tl_node *nodes;
	tl_size count, capacity;
	tl_node_index top;
	/* Texts of nodes: each ends with a zero byte, and something stood between any two of them where they were
	 * typed.
	 */
	char *pool;
	tl_size pool_used, pool_size;
	tl_size size;
	char text[];
};

struct tl_parser {
	struct tl_expression *expression;
	struct tl_text text;
	struct tl_token token; /* the one that is next */
	const struct tl_names *names;
	unsigned depth;
	struct tl_error *error;
};

/* ---- Nodes: expression_nodes.c ---- */

/* A new node without children, which stands where the next token does. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_parser_add_node(struct tl_parser *parser, enum tl_node_kind kind, tl_node_index *node_ret);

/* A node until the next one is added. `index` must be one of the tree. */
struct tl_node *tl_parser_node(struct tl_parser *parser, tl_node_index index);

/*
 * Hangs a node, which may be TL_NO_NODE, under another. Whoever walks the tree later calls itself for each level, so
 * that chains are bounded as well, not only what nests while it is read: TL_ERROR_TOO_LONG.
 */
TL_CHECKED enum tl_status tl_parser_hang(struct tl_parser *parser, tl_node_index parent, tl_node_index *place,
					 tl_node_index child);

/* A node over `first` and `second`, either of which may be TL_NO_NODE. As add_node and hang. */
TL_CHECKED enum tl_status tl_parser_add_operator(struct tl_parser *parser, enum tl_node_kind kind,
						 enum tl_punctuator operation, tl_node_index first,
						 tl_node_index second, tl_node_index *node_ret);

/* Adds a node to the list under a parent's `second`; *last is the one before it, TL_NO_NODE for the first. As hang. */
TL_CHECKED enum tl_status tl_parser_hang_next(struct tl_parser *parser, tl_node_index parent, tl_node_index *last,
					      tl_node_index child);

/* Gives a node a copy of a text. TL_ERROR_TOO_LONG when the words are more than were typed. */
TL_CHECKED enum tl_status tl_parser_set_text(struct tl_parser *parser, tl_node_index node, const char *bytes,
					     tl_size size);

/* ---- Tokens: expression_nodes.c ---- */

/* Takes the next token. TL_ERROR_MALFORMED when what follows it is none. */
TL_CHECKED enum tl_status tl_parser_advance(struct tl_parser *parser);

/* Goes back to a token that was taken before. */
void tl_parser_go_back(struct tl_parser *parser, const struct tl_text *text, const struct tl_token *token);

bool tl_parser_next_is(const struct tl_parser *parser, enum tl_punctuator punctuator);
bool tl_parser_next_is_word(const struct tl_parser *parser, const char *word);

/* TL_ERROR_MALFORMED: that the expression ends where `what` should stand, or what stands there instead. */
TL_CHECKED enum tl_status tl_parser_expected(struct tl_parser *parser, const char *what);

/* Takes a punctuator, or fails as above. */
TL_CHECKED enum tl_status tl_parser_expect(struct tl_parser *parser, enum tl_punctuator punctuator, const char *what);

/* Every function that calls itself through others counts here how deep it is. TL_ERROR_TOO_LONG. */
TL_CHECKED enum tl_status tl_parser_enter(struct tl_parser *parser);

/* ---- Names: expression_names.c ---- */

/*
 * Takes a name with its scopes: [::] name [<…>] [:: [~] name [<…>]]…, from the next token, which begins one. Yields
 * where it stands in the text. TL_ERROR_MALFORMED.
 */
TL_CHECKED enum tl_status tl_parser_take_name(struct tl_parser *parser, const char **start_ret, const char **end_ret);

/* True when "(anonymous namespace)::" comes next, which is a scope. */
bool tl_parser_next_is_anonymous(const struct tl_parser *parser);

/*
 * Takes template arguments of a member function that is called, behind its name: object.as<int>(x). Which members an
 * object has is not known here; in C++ nobody compares three things in a row.
 */
TL_CHECKED enum tl_status tl_parser_take_member_template(struct tl_parser *parser, const char **end);

/* Gives a node the name between two places, as take_name yielded them. As set_text. */
TL_CHECKED enum tl_status tl_parser_set_name(struct tl_parser *parser, tl_node_index node, const char *start,
					     const char *end);

/* True when the next tokens are a name that is a type. Takes nothing. */
bool tl_parser_name_is_type(struct tl_parser *parser);

/* ---- What is read whole ---- */

/* True when a type begins at the next token. Takes nothing. expression_types.c */
bool tl_parser_type_begins(struct tl_parser *parser);

/* A type with what stands around the name of a declaration, the name left out. expression_types.c */
TL_CHECKED enum tl_status tl_parser_type(struct tl_parser *parser, tl_node_index *node_ret);

/* An expression, commas among its operators. expression.c */
TL_CHECKED enum tl_status tl_parser_expression(struct tl_parser *parser, tl_node_index *node_ret);

#endif
