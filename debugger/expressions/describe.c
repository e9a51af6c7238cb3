#include "debugger/expressions/describe.h"

#include <stdio.h>

static void describe(const struct tl_expression *expression, tl_node_index index, struct tl_writer *writer);

/* The word in front of a node's operands; NULL for a leaf. */
static const char *head_of(const struct tl_node *node)
{
	static const char *const heads[TL_NODE_KIND_MAX] = {
		[TL_NODE_IN_FILE] = "in-file",
		[TL_NODE_CONDITIONAL] = "?",
		[TL_NODE_INDEX] = "index",
		[TL_NODE_MEMBER] = ".",
		[TL_NODE_ARROW] = "->",
		[TL_NODE_CALL] = "call",
		[TL_NODE_CAST] = "cast",
		[TL_NODE_REINTERPRET] = "reinterpret",
		[TL_NODE_DYNAMIC] = "dynamic",
		[TL_NODE_AT_ADDRESS] = "at",
		[TL_NODE_SIZEOF] = "sizeof",
		[TL_NODE_ALIGNOF] = "alignof",
		[TL_NODE_TYPEID] = "typeid",
		[TL_NODE_TYPE_OF] = "typeof",
		[TL_NODE_POINTER] = "pointer",
		[TL_NODE_REFERENCE] = "reference",
		[TL_NODE_MOVE_REFERENCE] = "move",
		[TL_NODE_ARRAY] = "array",
		[TL_NODE_FUNCTION] = "function",
	};

	if (node->kind == TL_NODE_BINARY && (node->operation == TL_DOT || node->operation == TL_ARROW))
		return node->operation == TL_DOT ? ".*" : "->*";
	if (node->kind == TL_NODE_UNARY || node->kind == TL_NODE_BINARY)
		return tl_punctuator_text((enum tl_punctuator)node->operation);
	return heads[node->kind];
}

static void write_real(const struct tl_node *node, struct tl_writer *writer)
{
	static const char *const suffixes[] = {
		[TL_RANK_FLOAT] = "f", [TL_RANK_DOUBLE] = "", [TL_RANK_LONG_DOUBLE] = "l"};
	char text[64];

	snprintf(text, sizeof(text), "%.21Lg%s", node->real, suffixes[node->rank]);
	tl_write_text(writer, text);
}

static void write_quoted(const struct tl_node *node, char quote, struct tl_writer *writer)
{
	tl_write_byte(writer, (tl_u8)quote);
	tl_write_bytes(writer, node->text.bytes, node->text.size);
	tl_write_byte(writer, (tl_u8)quote);
	if (node->width > 1)
		tl_write_decimal(writer, node->width * 8u);
}

static void write_leaf(const struct tl_node *node, struct tl_writer *writer)
{
	static const char *const tags[] = {"", "struct ", "union ", "enum ", "class "};
	static const char *const ranks[] = {"", "l", "ll"};

	if (node->kind == TL_NODE_INTEGER) {
		tl_write_decimal(writer, node->integer);
		tl_write_text(writer, node->is_unsigned ? "u" : "");
		tl_write_text(writer, ranks[node->rank]);
	} else if (node->kind == TL_NODE_REAL) {
		write_real(node, writer);
	} else if (node->kind == TL_NODE_CHARACTER) {
		tl_write_text(writer, "'");
		tl_write_decimal(writer, node->integer);
		tl_write_text(writer, "'");
	} else if (node->kind == TL_NODE_STRING) {
		write_quoted(node, '"', writer);
	} else if (node->kind == TL_NODE_HISTORY) {
		tl_write_text(writer, node->is_absolute ? "$" : "$$");
		tl_write_decimal(writer, node->integer);
	} else if (node->kind == TL_NODE_TYPE_NAME) {
		tl_write_text(writer, "<");
		tl_write_text(writer, tags[node->tag]);
		tl_write_text(writer, node->text.bytes);
		tl_write_text(writer, ">");
	} else {
		tl_write_text(writer, node->kind == TL_NODE_VARIABLE ? "$" : "");
		tl_write_text(writer, node->text.bytes);
	}
}

/* What a node says besides its operands. */
static void write_particulars(const struct tl_node *node, struct tl_writer *writer)
{
	if (node->kind == TL_NODE_MEMBER || node->kind == TL_NODE_ARROW || node->kind == TL_NODE_IN_FILE) {
		tl_write_text(writer, " ");
		tl_write_text(writer, node->text.bytes);
	} else if (node->kind == TL_NODE_FUNCTION && node->is_absolute) {
		tl_write_text(writer, " ...");
	} else if (node->kind == TL_NODE_ARRAY && node->is_absolute) {
		tl_write_text(writer, " ");
		tl_write_decimal(writer, node->integer);
	}
}

static void write_head(const struct tl_node *node, struct tl_writer *writer)
{
	if (node->kind == TL_NODE_POSTFIX)
		tl_write_text(writer, "behind");
	if (node->kind == TL_NODE_ASSIGN && node->operation != TL_ASSIGN)
		tl_write_text(writer, tl_punctuator_text((enum tl_punctuator)node->operation));
	if (node->kind == TL_NODE_ASSIGN)
		tl_write_text(writer, "=");
	else if (node->kind == TL_NODE_POSTFIX)
		tl_write_text(writer, tl_punctuator_text((enum tl_punctuator)node->operation));
	else
		tl_write_text(writer, head_of(node));
}

static void describe(const struct tl_expression *expression, tl_node_index index, struct tl_writer *writer)
{
	const struct tl_node *node = tl_expression_node(expression, index);
	const tl_node_index operands[] = {node->first, node->second, node->third};

	tl_write_text(writer, node->is_const ? "const " : "");
	tl_write_text(writer, node->is_volatile ? "volatile " : "");
	if (node->kind != TL_NODE_POSTFIX && node->kind != TL_NODE_ASSIGN && head_of(node) == NULL) {
		write_leaf(node, writer);
		return;
	}
	tl_write_text(writer, "(");
	write_head(node, writer);
	for (tl_size i = 0; i < sizeof(operands) / sizeof(*operands); i++) {
		for (tl_node_index at = operands[i]; at != TL_NO_NODE; at = tl_expression_node(expression, at)->next) {
			tl_write_text(writer, " ");
			describe(expression, at, writer);
		}
	}
	write_particulars(node, writer);
	tl_write_text(writer, ")");
}

void tl_expression_describe(const struct tl_expression *expression, struct tl_writer *writer)
{
	describe(expression, tl_expression_top(expression), writer);
}
