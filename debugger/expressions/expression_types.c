#include "debugger/expressions/expression_internal.h"

#include <string.h>

/* The words of which C's own types are made; each at most as often as `most` says. */
enum word { VOID, BOOL, CHAR, SHORT, INT, LONG, FLOAT, DOUBLE, INT128, SIGNED, UNSIGNED, COMPLEX, WORD_MAX };

static const struct {
	const char *spelling;
	enum word word;
} words[] = {
	{"void", VOID},     {"_Bool", BOOL},        {"bool", BOOL},        {"char", CHAR},     {"short", SHORT},
	{"int", INT},       {"long", LONG},         {"float", FLOAT},      {"double", DOUBLE}, {"__int128", INT128},
	{"signed", SIGNED}, {"unsigned", UNSIGNED}, {"_Complex", COMPLEX},
};

/* What they make, as gdb writes it. Long counts twice; signed is left out where it changes nothing. */
static const struct {
	const char *name;
	tl_u8 count[WORD_MAX];
} basic_types[] = {
	{"void", {[VOID] = 1}},
	{"bool", {[BOOL] = 1}},
	{"char", {[CHAR] = 1}},
	{"signed char", {[CHAR] = 1, [SIGNED] = 1}},
	{"unsigned char", {[CHAR] = 1, [UNSIGNED] = 1}},
	{"short", {[SHORT] = 1}},
	{"unsigned short", {[SHORT] = 1, [UNSIGNED] = 1}},
	{"int", {[INT] = 1}},
	{"int", {0}},
	{"unsigned int", {[INT] = 1, [UNSIGNED] = 1}},
	{"unsigned int", {[UNSIGNED] = 1}},
	{"long", {[LONG] = 1}},
	{"unsigned long", {[LONG] = 1, [UNSIGNED] = 1}},
	{"long long", {[LONG] = 2}},
	{"unsigned long long", {[LONG] = 2, [UNSIGNED] = 1}},
	{"__int128", {[INT128] = 1}},
	{"unsigned __int128", {[INT128] = 1, [UNSIGNED] = 1}},
	{"float", {[FLOAT] = 1}},
	{"double", {[DOUBLE] = 1}},
	{"long double", {[DOUBLE] = 1, [LONG] = 1}},
	{"complex float", {[FLOAT] = 1, [COMPLEX] = 1}},
	{"complex double", {[DOUBLE] = 1, [COMPLEX] = 1}},
	{"complex long double", {[DOUBLE] = 1, [LONG] = 1, [COMPLEX] = 1}},
};

static int word_of(const struct tl_parser *parser)
{
	for (tl_size i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (tl_parser_next_is_word(parser, words[i].spelling))
			return (int)words[i].word;
	return -1;
}

static enum tl_type_tag tag_of(const struct tl_parser *parser)
{
	return tl_parser_next_is_word(parser, "struct")  ? TL_TAG_STRUCT
	       : tl_parser_next_is_word(parser, "union") ? TL_TAG_UNION
	       : tl_parser_next_is_word(parser, "enum")  ? TL_TAG_ENUM
	       : tl_parser_next_is_word(parser, "class") ? TL_TAG_CLASS
							 : TL_TAG_NONE;
}

static bool is_type_of(const struct tl_parser *parser)
{
	return tl_parser_next_is_word(parser, "typeof") || tl_parser_next_is_word(parser, "__typeof__") ||
	       tl_parser_next_is_word(parser, "decltype");
}

/* Takes const and volatile, of either of which any number may stand there. */
static enum tl_status take_qualifiers(struct tl_parser *parser, bool *is_const, bool *is_volatile)
{
	for (;;) {
		if (tl_parser_next_is_word(parser, "const"))
			*is_const = true;
		else if (tl_parser_next_is_word(parser, "volatile"))
			*is_volatile = true;
		else if (!tl_parser_next_is_word(parser, "restrict") && !tl_parser_next_is_word(parser, "__restrict"))
			return TL_OK;
		TL_TRY(tl_parser_advance(parser));
	}
}

bool tl_parser_type_begins(struct tl_parser *parser)
{
	return word_of(parser) >= 0 || tag_of(parser) != TL_TAG_NONE || is_type_of(parser) ||
	       tl_parser_next_is_word(parser, "const") || tl_parser_next_is_word(parser, "volatile") ||
	       tl_parser_name_is_type(parser);
}

/* One of C's own types; the words may stand in any order, qualifiers between them. */
static enum tl_status read_basic_type(struct tl_parser *parser, tl_node_index node, bool *is_const, bool *is_volatile)
{
	tl_u8 count[WORD_MAX] = {0};

	for (int word; (word = word_of(parser)) >= 0;) {
		if (count[word] == 255)
			return tl_parser_expected(parser, "a type");
		count[word]++;
		TL_TRY(tl_parser_advance(parser));
		TL_TRY(take_qualifiers(parser, is_const, is_volatile));
	}
	/* "int" says nothing beside short, long and their like, nor does "signed" but for char. */
	if (count[INT] == 1 && (count[SHORT] != 0 || count[LONG] != 0))
		count[INT] = 0;
	if (count[SIGNED] == 1 && count[UNSIGNED] == 0 && count[CHAR] == 0)
		count[SIGNED] = 0;
	for (tl_size i = 0; i < sizeof(basic_types) / sizeof(*basic_types); i++)
		if (memcmp(count, basic_types[i].count, sizeof(count)) == 0)
			return tl_parser_set_text(parser, node, basic_types[i].name, strlen(basic_types[i].name));
	return TL_FAIL(parser->error, TL_ERROR_MALFORMED, "these words make no type together (column %u)",
		       tl_parser_node(parser, node)->at + 1);
}

static enum tl_status read_type_of(struct tl_parser *parser, tl_node_index node)
{
	tl_node_index inner;

	TL_TRY(tl_parser_advance(parser));
	TL_TRY(tl_parser_expect(parser, TL_OPEN_PARENTHESIS, "\"(\""));
	TL_TRY(tl_parser_type_begins(parser) ? tl_parser_type(parser, &inner) : tl_parser_expression(parser, &inner));
	tl_parser_node(parser, node)->kind = TL_NODE_TYPE_OF;
	TL_TRY(tl_parser_hang(parser, node, &tl_parser_node(parser, node)->first, inner));
	return tl_parser_expect(parser, TL_CLOSE_PARENTHESIS, "\")\"");
}

/* A tag and its name; a name. */
static enum tl_status read_named_type(struct tl_parser *parser, tl_node_index node)
{
	enum tl_type_tag tag = tag_of(parser);
	const char *start = NULL, *end = NULL;

	if (tag != TL_TAG_NONE)
		TL_TRY(tl_parser_advance(parser));
	tl_parser_node(parser, node)->tag = (tl_u8)tag;
	if (parser->token.kind != TL_TOKEN_NAME && !tl_parser_next_is(parser, TL_SCOPE) &&
	    !tl_parser_next_is_anonymous(parser))
		return tl_parser_expected(parser, tag == TL_TAG_NONE ? "a type" : "the name of a type");
	TL_TRY(tl_parser_take_name(parser, &start, &end));
	return tl_parser_set_name(parser, node, start, end);
}

/* The words of a type before any * or [. */
static enum tl_status read_type_specifier(struct tl_parser *parser, tl_node_index *node_ret)
{
	bool is_const = false, is_volatile = false;

	TL_TRY(tl_parser_add_node(parser, TL_NODE_TYPE_NAME, node_ret));
	TL_TRY(take_qualifiers(parser, &is_const, &is_volatile));
	if (is_type_of(parser))
		TL_TRY(read_type_of(parser, *node_ret));
	else if (word_of(parser) >= 0)
		TL_TRY(read_basic_type(parser, *node_ret, &is_const, &is_volatile));
	else
		TL_TRY(read_named_type(parser, *node_ret));
	TL_TRY(take_qualifiers(parser, &is_const, &is_volatile));
	tl_parser_node(parser, *node_ret)->is_const = is_const;
	tl_parser_node(parser, *node_ret)->is_volatile = is_volatile;
	return TL_OK;
}

/* *, & and && behind a type, each with its qualifiers. */
static enum tl_status read_pointers(struct tl_parser *parser, tl_node_index *type)
{
	for (;;) {
		enum tl_node_kind kind = tl_parser_next_is(parser, TL_STAR)          ? TL_NODE_POINTER
					 : tl_parser_next_is(parser, TL_AMPERSAND)   ? TL_NODE_REFERENCE
					 : tl_parser_next_is(parser, TL_LOGICAL_AND) ? TL_NODE_MOVE_REFERENCE
										     : TL_NODE_KIND_MAX;
		bool is_const = false, is_volatile = false;

		if (kind == TL_NODE_KIND_MAX)
			return TL_OK;
		TL_TRY(tl_parser_add_operator(parser, kind, TL_NO_PUNCTUATOR, *type, TL_NO_NODE, type));
		TL_TRY(tl_parser_advance(parser));
		TL_TRY(take_qualifiers(parser, &is_const, &is_volatile));
		tl_parser_node(parser, *type)->is_const = is_const;
		tl_parser_node(parser, *type)->is_volatile = is_volatile;
	}
}

/* The parameters of a function's type, behind its "(". */
static enum tl_status read_parameters(struct tl_parser *parser, tl_node_index function)
{
	tl_node_index last = TL_NO_NODE;

	while (!tl_parser_next_is(parser, TL_CLOSE_PARENTHESIS)) {
		tl_node_index parameter;

		if (tl_parser_next_is(parser, TL_ELLIPSIS)) {
			tl_parser_node(parser, function)->is_absolute = true;
			TL_TRY(tl_parser_advance(parser));
			break;
		}
		TL_TRY(tl_parser_type(parser, &parameter));
		TL_TRY(tl_parser_hang_next(parser, function, &last, parameter));
		if (!tl_parser_next_is(parser, TL_COMMA))
			break;
		TL_TRY(tl_parser_advance(parser));
	}
	return tl_parser_expect(parser, TL_CLOSE_PARENTHESIS, "\")\" behind the parameters");
}

/* [n] and (parameters) behind a type. Of several [n] the last one is the innermost. */
static enum tl_status read_suffixes(struct tl_parser *parser, tl_node_index *type)
{
	tl_node_index element = *type, suffix;

	TL_TRY(tl_parser_enter(parser));
	if (tl_parser_next_is(parser, TL_OPEN_BRACKET)) {
		TL_TRY(tl_parser_add_node(parser, TL_NODE_ARRAY, &suffix));
		TL_TRY(tl_parser_advance(parser));
		if (parser->token.kind == TL_TOKEN_INTEGER) {
			tl_parser_node(parser, suffix)->integer = parser->token.integer;
			tl_parser_node(parser, suffix)->is_absolute = true;
			TL_TRY(tl_parser_advance(parser));
		}
		TL_TRY(tl_parser_expect(parser, TL_CLOSE_BRACKET, "\"]\" or a number"));
	} else if (tl_parser_next_is(parser, TL_OPEN_PARENTHESIS)) {
		TL_TRY(tl_parser_add_node(parser, TL_NODE_FUNCTION, &suffix));
		TL_TRY(tl_parser_advance(parser));
		TL_TRY(read_parameters(parser, suffix));
	} else {
		parser->depth--;
		return TL_OK;
	}
	TL_TRY(read_suffixes(parser, &element));
	*type = suffix;
	parser->depth--;
	return tl_parser_hang(parser, suffix, &tl_parser_node(parser, suffix)->first, element);
}

/* Skips to behind the ")" that closes the "(" which was just taken. */
static enum tl_status skip_group(struct tl_parser *parser)
{
	for (unsigned open = 1; open != 0;) {
		if (parser->token.kind == TL_TOKEN_END)
			return tl_parser_expected(parser, "\")\"");
		if (tl_parser_next_is(parser, TL_OPEN_PARENTHESIS))
			open++;
		else if (tl_parser_next_is(parser, TL_CLOSE_PARENTHESIS))
			open--;
		TL_TRY(tl_parser_advance(parser));
	}
	return TL_OK;
}

/*
 * What stands around the name of a declaration, without the name: "*[3]", "(*)(int)". A group in parentheses holds for
 * what the suffixes behind it make, so those are read first.
 */
static enum tl_status read_declarator(struct tl_parser *parser, tl_node_index *type)
{
	struct tl_text inner_text, end_text;
	struct tl_token inner_token, end_token;

	TL_TRY(tl_parser_enter(parser));
	TL_TRY(read_pointers(parser, type));
	if (!tl_parser_next_is(parser, TL_OPEN_PARENTHESIS)) {
		TL_TRY(read_suffixes(parser, type));
		parser->depth--;
		return TL_OK;
	}
	inner_text = parser->text;
	inner_token = parser->token;
	TL_TRY(tl_parser_advance(parser));
	if (!tl_parser_next_is(parser, TL_STAR) && !tl_parser_next_is(parser, TL_AMPERSAND) &&
	    !tl_parser_next_is(parser, TL_LOGICAL_AND) && !tl_parser_next_is(parser, TL_OPEN_PARENTHESIS) &&
	    !tl_parser_next_is(parser, TL_OPEN_BRACKET)) {
		tl_parser_go_back(parser, &inner_text, &inner_token);
		TL_TRY(read_suffixes(parser, type));
		parser->depth--;
		return TL_OK;
	}
	TL_TRY(skip_group(parser));
	TL_TRY(read_suffixes(parser, type));
	end_text = parser->text;
	end_token = parser->token;
	tl_parser_go_back(parser, &inner_text, &inner_token);
	TL_TRY(tl_parser_advance(parser));
	TL_TRY(read_declarator(parser, type));
	TL_TRY(tl_parser_expect(parser, TL_CLOSE_PARENTHESIS, "\")\""));
	tl_parser_go_back(parser, &end_text, &end_token);
	parser->depth--;
	return TL_OK;
}

enum tl_status tl_parser_type(struct tl_parser *parser, tl_node_index *node_ret)
{
	TL_TRY(read_type_specifier(parser, node_ret));
	return read_declarator(parser, node_ret);
}
