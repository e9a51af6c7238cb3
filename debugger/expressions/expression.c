#include "debugger/expressions/expression.h"

#include "base/storage.h"

#include <string.h>

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

struct reader {
	struct tl_expression *expression;
	struct tl_text text;
	struct tl_token token; /* the one that is next */
	const struct tl_names *names;
	unsigned depth;
	struct tl_error *error;
};

typedef enum tl_status read_function(struct reader *reader, tl_node_index *node_ret);

static read_function read_comma, read_assignment, read_unary;
static enum tl_status read_type(struct reader *reader, tl_node_index *node_ret);

/* ---- Nodes ---- */

static enum tl_status add_node(struct reader *reader, enum tl_node_kind kind, tl_node_index *node_ret)
{
	struct tl_expression *expression = reader->expression;
	void *nodes = expression->nodes;

	if (!tl_grow(tl_storage(), &nodes, &expression->capacity, expression->count, sizeof(*expression->nodes)))
		return TL_FAIL(reader->error, TL_ERROR_NO_MEMORY, "no storage for the expression");
	expression->nodes = nodes;
	expression->nodes[expression->count] = (struct tl_node){
		.kind = (tl_u8)kind,
		.at = (tl_u32)reader->token.at,
		.first = TL_NO_NODE,
		.second = TL_NO_NODE,
		.third = TL_NO_NODE,
		.next = TL_NO_NODE,
	};
	*node_ret = (tl_node_index)expression->count++;
	return TL_OK;
}

static struct tl_node *node_of(struct reader *reader, tl_node_index index)
{
	return &reader->expression->nodes[index];
}

static enum tl_status too_deep(struct reader *reader)
{
	return TL_FAIL(reader->error, TL_ERROR_TOO_LONG, "the expression nests deeper than %d levels",
		       TL_EXPRESSION_DEPTH_MAX);
}

/*
 * Hangs a node, which may be TL_NO_NODE, under another. Whoever walks the tree later calls itself for each level, so
 * that chains are bounded as well, not only what nests while it is read.
 */
static enum tl_status hang(struct reader *reader, tl_node_index parent, tl_node_index *place, tl_node_index child)
{
	tl_u8 height = child != TL_NO_NODE ? node_of(reader, child)->height : 0;

	*place = child;
	if (height >= TL_EXPRESSION_DEPTH_MAX)
		return too_deep(reader);
	if (node_of(reader, parent)->height <= height)
		node_of(reader, parent)->height = (tl_u8)(height + 1);
	return TL_OK;
}

/* A node over `first` and `second`, which may be TL_NO_NODE. */
static enum tl_status add_operator(struct reader *reader, enum tl_node_kind kind, enum tl_punctuator operation,
				   tl_node_index first, tl_node_index second, tl_node_index *node_ret)
{
	TL_TRY(add_node(reader, kind, node_ret));
	node_of(reader, *node_ret)->operation = (tl_u8)operation;
	if (first != TL_NO_NODE)
		node_of(reader, *node_ret)->at = node_of(reader, first)->at;
	TL_TRY(hang(reader, *node_ret, &node_of(reader, *node_ret)->first, first));
	return hang(reader, *node_ret, &node_of(reader, *node_ret)->second, second);
}

/* Adds a node to the list under a parent's `second`; *last is the one before it. */
static enum tl_status hang_next(struct reader *reader, tl_node_index parent, tl_node_index *last, tl_node_index child)
{
	tl_node_index before = *last;

	*last = child;
	return hang(reader, parent,
		    before == TL_NO_NODE ? &node_of(reader, parent)->second : &node_of(reader, before)->next, child);
}

/* Room for one more text; NULL when there is none. */
static char *pool_take(struct reader *reader, tl_size size)
{
	struct tl_expression *expression = reader->expression;
	char *bytes = expression->pool + expression->pool_used;

	if (size >= expression->pool_size - expression->pool_used)
		return NULL;
	expression->pool_used += size + 1;
	bytes[size] = '\0';
	return bytes;
}

static enum tl_status set_text(struct reader *reader, tl_node_index node, const char *bytes, tl_size size)
{
	char *copy = pool_take(reader, size);

	if (copy == NULL)
		return TL_FAIL(reader->error, TL_ERROR_TOO_LONG, "the expression has too many words");
	if (size != 0)
		memcpy(copy, bytes, size);
	node_of(reader, node)->text.bytes = copy;
	node_of(reader, node)->text.size = size;
	return TL_OK;
}

/* ---- Tokens ---- */

static enum tl_status advance(struct reader *reader)
{
	return tl_token_take(&reader->text, &reader->token, reader->error);
}

/* Goes back to a token that was taken before. */
static void go_back(struct reader *reader, const struct tl_text *text, const struct tl_token *token)
{
	reader->text = *text;
	reader->token = *token;
}

static bool next_is(const struct reader *reader, enum tl_punctuator punctuator)
{
	return reader->token.kind == TL_TOKEN_PUNCTUATOR && reader->token.punctuator == punctuator;
}

static bool next_is_word(const struct reader *reader, const char *word)
{
	return reader->token.kind == TL_TOKEN_NAME && strlen(word) == reader->token.size &&
	       memcmp(reader->token.text, word, reader->token.size) == 0;
}

/* "at its end", or what stands there instead. */
static enum tl_status expected(struct reader *reader, const char *what)
{
	const struct tl_token *token = &reader->token;
	const char *start = reader->text.start + token->at;
	int size = (int)(reader->text.at - start);

	if (token->kind == TL_TOKEN_END)
		return TL_FAIL(reader->error, TL_ERROR_MALFORMED, "the expression ends where %s should stand", what);
	return TL_FAIL(reader->error, TL_ERROR_MALFORMED, "\"%.*s\" stands where %s should (column %llu)",
		       size > 40 ? 40 : size, start, what, (unsigned long long)token->at + 1);
}

static enum tl_status expect(struct reader *reader, enum tl_punctuator punctuator, const char *what)
{
	if (!next_is(reader, punctuator))
		return expected(reader, what);
	return advance(reader);
}

/* Every function that calls itself through others counts here how deep it is. */
static enum tl_status enter(struct reader *reader)
{
	return ++reader->depth > TL_EXPRESSION_DEPTH_MAX ? too_deep(reader) : TL_OK;
}

/* ---- Names ---- */

/*
 * Copies text without its white space, but for one space between two words ("unsigned int", "operator new"): as names
 * are asked for.
 */
static tl_size copy_tight(char *to, const char *from, const char *end)
{
	tl_size size = 0;
	bool gap = false;

	for (; from < end; from++) {
		bool word = *from == '_' || (*from >= '0' && *from <= '9') || (*from >= 'A' && *from <= 'Z') ||
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
static const char *template_end(struct reader *reader)
{
	struct tl_text text = reader->text;
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
static bool is_template(struct reader *reader, const char *start, const char *end)
{
	char name[TL_EXPRESSION_MAX];
	tl_size size = copy_tight(name, start, end);

	return (reader->names->is_template != NULL && reader->names->is_template(reader->names->context, name, size)) ||
	       (reader->names->is_type != NULL && reader->names->is_type(reader->names->context, name, size));
}

/* Takes `<…>` behind a name if the program has such a template's instance. */
static enum tl_status take_template(struct reader *reader, const char *start, const char **end)
{
	const char *behind;

	if (reader->names == NULL || !next_is(reader, TL_LESS))
		return TL_OK;
	behind = template_end(reader);
	if (behind == NULL || !is_template(reader, start, behind))
		return TL_OK;
	reader->text.at = behind;
	*end = behind;
	return advance(reader);
}

/*
 * Takes a name with its scopes: [::] name [<…>] [:: [~] name [<…>]]…, from the next token, which begins one. Yields
 * where it stands in the text.
 */
static enum tl_status take_name(struct reader *reader, const char **start_ret, const char **end_ret)
{
	*start_ret = reader->text.start + reader->token.at;
	if (next_is(reader, TL_SCOPE))
		TL_TRY(advance(reader));
	for (;;) {
		if (next_is(reader, TL_TILDE))
			TL_TRY(advance(reader));
		if (reader->token.kind != TL_TOKEN_NAME)
			return expected(reader, "a name");
		*end_ret = reader->text.at;
		TL_TRY(advance(reader));
		TL_TRY(take_template(reader, *start_ret, end_ret));
		if (!next_is(reader, TL_SCOPE))
			return TL_OK;
		TL_TRY(advance(reader));
	}
}

/* Gives a node the name between two places. */
static enum tl_status set_name(struct reader *reader, tl_node_index node, const char *start, const char *end)
{
	char name[TL_EXPRESSION_MAX];

	return set_text(reader, node, name, copy_tight(name, start, end));
}

/* ---- Types ---- */

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

static int word_of(const struct reader *reader)
{
	for (tl_size i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (next_is_word(reader, words[i].spelling))
			return (int)words[i].word;
	return -1;
}

static enum tl_type_tag tag_of(const struct reader *reader)
{
	return next_is_word(reader, "struct")  ? TL_TAG_STRUCT
	       : next_is_word(reader, "union") ? TL_TAG_UNION
	       : next_is_word(reader, "enum")  ? TL_TAG_ENUM
	       : next_is_word(reader, "class") ? TL_TAG_CLASS
					       : TL_TAG_NONE;
}

static bool is_type_of(const struct reader *reader)
{
	return next_is_word(reader, "typeof") || next_is_word(reader, "__typeof__") || next_is_word(reader, "decltype");
}

/* Takes const and volatile, of either of which any number may stand there. */
static enum tl_status take_qualifiers(struct reader *reader, bool *is_const, bool *is_volatile)
{
	for (;;) {
		if (next_is_word(reader, "const"))
			*is_const = true;
		else if (next_is_word(reader, "volatile"))
			*is_volatile = true;
		else if (!next_is_word(reader, "restrict") && !next_is_word(reader, "__restrict"))
			return TL_OK;
		TL_TRY(advance(reader));
	}
}

/* True when the next tokens are a name that is a type. Takes nothing. */
static bool name_is_type(struct reader *reader)
{
	struct tl_text text = reader->text;
	struct tl_token token = reader->token;
	struct tl_error *error = reader->error;
	const char *start = NULL, *end = NULL;
	char name[TL_EXPRESSION_MAX];
	bool is_type = false;

	if (reader->names == NULL || reader->names->is_type == NULL ||
	    (token.kind != TL_TOKEN_NAME && !next_is(reader, TL_SCOPE)))
		return false;
	reader->error = NULL;
	if (take_name(reader, &start, &end) == TL_OK) {
		tl_size size = copy_tight(name, start, end);

		is_type = reader->names->is_type(reader->names->context, name, size);
	}
	reader->error = error;
	go_back(reader, &text, &token);
	return is_type;
}

/* True when a type begins at the next token. */
static bool type_begins(struct reader *reader)
{
	return word_of(reader) >= 0 || tag_of(reader) != TL_TAG_NONE || is_type_of(reader) ||
	       next_is_word(reader, "const") || next_is_word(reader, "volatile") || name_is_type(reader);
}

/* One of C's own types; the words may stand in any order, qualifiers between them. */
static enum tl_status read_basic_type(struct reader *reader, tl_node_index node, bool *is_const, bool *is_volatile)
{
	tl_u8 count[WORD_MAX] = {0};

	for (int word; (word = word_of(reader)) >= 0;) {
		if (count[word] == 255)
			return expected(reader, "a type");
		count[word]++;
		TL_TRY(advance(reader));
		TL_TRY(take_qualifiers(reader, is_const, is_volatile));
	}
	/* "int" says nothing beside short, long and their like, nor does "signed" but for char. */
	if (count[INT] == 1 && (count[SHORT] != 0 || count[LONG] != 0))
		count[INT] = 0;
	if (count[SIGNED] == 1 && count[UNSIGNED] == 0 && count[CHAR] == 0)
		count[SIGNED] = 0;
	for (tl_size i = 0; i < sizeof(basic_types) / sizeof(*basic_types); i++)
		if (memcmp(count, basic_types[i].count, sizeof(count)) == 0)
			return set_text(reader, node, basic_types[i].name, strlen(basic_types[i].name));
	return TL_FAIL(reader->error, TL_ERROR_MALFORMED, "these words make no type together (column %u)",
		       node_of(reader, node)->at + 1);
}

static enum tl_status read_type_of(struct reader *reader, tl_node_index node)
{
	tl_node_index inner;

	TL_TRY(advance(reader));
	TL_TRY(expect(reader, TL_OPEN_PARENTHESIS, "\"(\""));
	TL_TRY(type_begins(reader) ? read_type(reader, &inner) : read_comma(reader, &inner));
	node_of(reader, node)->kind = TL_NODE_TYPE_OF;
	TL_TRY(hang(reader, node, &node_of(reader, node)->first, inner));
	return expect(reader, TL_CLOSE_PARENTHESIS, "\")\"");
}

/* A tag and its name; a name. */
static enum tl_status read_named_type(struct reader *reader, tl_node_index node)
{
	enum tl_type_tag tag = tag_of(reader);
	const char *start = NULL, *end = NULL;

	if (tag != TL_TAG_NONE)
		TL_TRY(advance(reader));
	node_of(reader, node)->tag = (tl_u8)tag;
	if (reader->token.kind != TL_TOKEN_NAME && !next_is(reader, TL_SCOPE))
		return expected(reader, tag == TL_TAG_NONE ? "a type" : "the name of a type");
	TL_TRY(take_name(reader, &start, &end));
	return set_name(reader, node, start, end);
}

/* The words of a type before any * or [. */
static enum tl_status read_type_specifier(struct reader *reader, tl_node_index *node_ret)
{
	bool is_const = false, is_volatile = false;

	TL_TRY(add_node(reader, TL_NODE_TYPE_NAME, node_ret));
	TL_TRY(take_qualifiers(reader, &is_const, &is_volatile));
	if (is_type_of(reader))
		TL_TRY(read_type_of(reader, *node_ret));
	else if (word_of(reader) >= 0)
		TL_TRY(read_basic_type(reader, *node_ret, &is_const, &is_volatile));
	else
		TL_TRY(read_named_type(reader, *node_ret));
	TL_TRY(take_qualifiers(reader, &is_const, &is_volatile));
	node_of(reader, *node_ret)->is_const = is_const;
	node_of(reader, *node_ret)->is_volatile = is_volatile;
	return TL_OK;
}

/* *, & and && behind a type, each with its qualifiers. */
static enum tl_status read_pointers(struct reader *reader, tl_node_index *type)
{
	for (;;) {
		enum tl_node_kind kind = next_is(reader, TL_STAR)          ? TL_NODE_POINTER
					 : next_is(reader, TL_AMPERSAND)   ? TL_NODE_REFERENCE
					 : next_is(reader, TL_LOGICAL_AND) ? TL_NODE_MOVE_REFERENCE
									   : TL_NODE_KIND_MAX;
		bool is_const = false, is_volatile = false;

		if (kind == TL_NODE_KIND_MAX)
			return TL_OK;
		TL_TRY(add_operator(reader, kind, TL_NO_PUNCTUATOR, *type, TL_NO_NODE, type));
		TL_TRY(advance(reader));
		TL_TRY(take_qualifiers(reader, &is_const, &is_volatile));
		node_of(reader, *type)->is_const = is_const;
		node_of(reader, *type)->is_volatile = is_volatile;
	}
}

/* The parameters of a function's type, behind its "(". */
static enum tl_status read_parameters(struct reader *reader, tl_node_index function)
{
	tl_node_index last = TL_NO_NODE;

	while (!next_is(reader, TL_CLOSE_PARENTHESIS)) {
		tl_node_index parameter;

		if (next_is(reader, TL_ELLIPSIS)) {
			node_of(reader, function)->is_absolute = true;
			TL_TRY(advance(reader));
			break;
		}
		TL_TRY(read_type(reader, &parameter));
		TL_TRY(hang_next(reader, function, &last, parameter));
		if (!next_is(reader, TL_COMMA))
			break;
		TL_TRY(advance(reader));
	}
	return expect(reader, TL_CLOSE_PARENTHESIS, "\")\" behind the parameters");
}

/* [n] and (parameters) behind a type. Of several [n] the last one is the innermost. */
static enum tl_status read_suffixes(struct reader *reader, tl_node_index *type)
{
	tl_node_index element = *type, suffix;

	TL_TRY(enter(reader));
	if (next_is(reader, TL_OPEN_BRACKET)) {
		TL_TRY(add_node(reader, TL_NODE_ARRAY, &suffix));
		TL_TRY(advance(reader));
		if (reader->token.kind == TL_TOKEN_INTEGER) {
			node_of(reader, suffix)->integer = reader->token.integer;
			node_of(reader, suffix)->is_absolute = true;
			TL_TRY(advance(reader));
		}
		TL_TRY(expect(reader, TL_CLOSE_BRACKET, "\"]\" or a number"));
	} else if (next_is(reader, TL_OPEN_PARENTHESIS)) {
		TL_TRY(add_node(reader, TL_NODE_FUNCTION, &suffix));
		TL_TRY(advance(reader));
		TL_TRY(read_parameters(reader, suffix));
	} else {
		reader->depth--;
		return TL_OK;
	}
	TL_TRY(read_suffixes(reader, &element));
	*type = suffix;
	reader->depth--;
	return hang(reader, suffix, &node_of(reader, suffix)->first, element);
}

/* Skips to behind the ")" that closes the "(" which was just taken. */
static enum tl_status skip_group(struct reader *reader)
{
	for (unsigned open = 1; open != 0;) {
		if (reader->token.kind == TL_TOKEN_END)
			return expected(reader, "\")\"");
		if (next_is(reader, TL_OPEN_PARENTHESIS))
			open++;
		else if (next_is(reader, TL_CLOSE_PARENTHESIS))
			open--;
		TL_TRY(advance(reader));
	}
	return TL_OK;
}

/*
 * What stands around the name of a declaration, without the name: "*[3]", "(*)(int)". A group in parentheses holds for
 * what the suffixes behind it make, so those are read first.
 */
static enum tl_status read_declarator(struct reader *reader, tl_node_index *type)
{
	struct tl_text inner_text, end_text;
	struct tl_token inner_token, end_token;

	TL_TRY(enter(reader));
	TL_TRY(read_pointers(reader, type));
	if (!next_is(reader, TL_OPEN_PARENTHESIS)) {
		TL_TRY(read_suffixes(reader, type));
		reader->depth--;
		return TL_OK;
	}
	inner_text = reader->text;
	inner_token = reader->token;
	TL_TRY(advance(reader));
	if (!next_is(reader, TL_STAR) && !next_is(reader, TL_AMPERSAND) && !next_is(reader, TL_LOGICAL_AND) &&
	    !next_is(reader, TL_OPEN_PARENTHESIS) && !next_is(reader, TL_OPEN_BRACKET)) {
		go_back(reader, &inner_text, &inner_token);
		TL_TRY(read_suffixes(reader, type));
		reader->depth--;
		return TL_OK;
	}
	TL_TRY(skip_group(reader));
	TL_TRY(read_suffixes(reader, type));
	end_text = reader->text;
	end_token = reader->token;
	go_back(reader, &inner_text, &inner_token);
	TL_TRY(advance(reader));
	TL_TRY(read_declarator(reader, type));
	TL_TRY(expect(reader, TL_CLOSE_PARENTHESIS, "\")\""));
	go_back(reader, &end_text, &end_token);
	reader->depth--;
	return TL_OK;
}

static enum tl_status read_type(struct reader *reader, tl_node_index *node_ret)
{
	TL_TRY(read_type_specifier(reader, node_ret));
	return read_declarator(reader, node_ret);
}

/* ---- Operands ---- */

static enum tl_status read_literal(struct reader *reader, tl_node_index *node_ret)
{
	const struct tl_token *token = &reader->token;
	enum tl_node_kind kind = token->kind == TL_TOKEN_INTEGER     ? TL_NODE_INTEGER
				 : token->kind == TL_TOKEN_REAL      ? TL_NODE_REAL
				 : token->kind == TL_TOKEN_CHARACTER ? TL_NODE_CHARACTER
								     : TL_NODE_HISTORY;
	struct tl_node *node;

	TL_TRY(add_node(reader, kind, node_ret));
	node = node_of(reader, *node_ret);
	node->rank = (tl_u8)token->rank;
	node->width = token->width;
	node->is_unsigned = token->is_unsigned;
	node->is_decimal = token->is_decimal;
	node->is_absolute = token->is_absolute;
	if (kind == TL_NODE_REAL)
		node->real = token->real;
	else
		node->integer = token->integer;
	return advance(reader);
}

/* Strings that stand side by side are one (C17, 5.1.1.2); the widest says how wide it is. */
static enum tl_status read_string(struct reader *reader, tl_node_index *node_ret)
{
	char bytes[TL_EXPRESSION_MAX];
	tl_size size = 0;
	tl_u8 width = 1;

	TL_TRY(add_node(reader, TL_NODE_STRING, node_ret));
	while (reader->token.kind == TL_TOKEN_STRING) {
		tl_size done;

		/* No escape is longer than what was typed for it, so there is room. */
		TL_TRY(tl_token_unescape(&reader->token, bytes + size, sizeof(bytes) - size, &done, reader->error));
		size += done;
		width = reader->token.width > width ? reader->token.width : width;
		TL_TRY(advance(reader));
	}
	node_of(reader, *node_ret)->width = width;
	return set_text(reader, *node_ret, bytes, size);
}

static enum tl_status read_name(struct reader *reader, tl_node_index *node_ret)
{
	const char *start = NULL, *end = NULL;

	TL_TRY(add_node(reader, TL_NODE_NAME, node_ret));
	TL_TRY(take_name(reader, &start, &end));
	return set_name(reader, *node_ret, start, end);
}

/* 'a symbol', or 'a file'::name. */
static enum tl_status read_quoted(struct reader *reader, tl_node_index *node_ret)
{
	tl_node_index name;

	TL_TRY(add_node(reader, TL_NODE_NAME, node_ret));
	TL_TRY(set_text(reader, *node_ret, reader->token.text, reader->token.size));
	TL_TRY(advance(reader));
	if (!next_is(reader, TL_SCOPE))
		return TL_OK;
	TL_TRY(advance(reader));
	TL_TRY(read_name(reader, &name));
	node_of(reader, *node_ret)->kind = TL_NODE_IN_FILE;
	return hang(reader, *node_ret, &node_of(reader, *node_ret)->first, name);
}

static enum tl_status read_variable(struct reader *reader, tl_node_index *node_ret)
{
	TL_TRY(add_node(reader, TL_NODE_VARIABLE, node_ret));
	TL_TRY(set_text(reader, *node_ret, reader->token.text, reader->token.size));
	return advance(reader);
}

static bool operand_begins(const struct reader *reader)
{
	static const enum tl_punctuator first[] = {TL_OPEN_PARENTHESIS, TL_OPEN_BRACE, TL_SCOPE,    TL_STAR,
						   TL_AMPERSAND,        TL_MINUS,      TL_PLUS,     TL_TILDE,
						   TL_EXCLAMATION,      TL_INCREMENT,  TL_DECREMENT};

	if (reader->token.kind != TL_TOKEN_PUNCTUATOR)
		return reader->token.kind != TL_TOKEN_END;
	for (tl_size i = 0; i < sizeof(first) / sizeof(*first); i++)
		if (reader->token.punctuator == first[i])
			return true;
	return false;
}

/* (type) operand; (type) alone; (expression). */
static enum tl_status read_parenthesis(struct reader *reader, tl_node_index *node_ret)
{
	tl_node_index type, operand;

	TL_TRY(advance(reader));
	if (!type_begins(reader)) {
		TL_TRY(read_comma(reader, node_ret));
		return expect(reader, TL_CLOSE_PARENTHESIS, "\")\"");
	}
	TL_TRY(read_type(reader, &type));
	TL_TRY(expect(reader, TL_CLOSE_PARENTHESIS, "\")\" behind the type"));
	*node_ret = type;
	if (!operand_begins(reader))
		return TL_OK;
	TL_TRY(read_unary(reader, &operand));
	return add_operator(reader, TL_NODE_CAST, TL_NO_PUNCTUATOR, operand, type, node_ret);
}

static enum tl_status read_primary(struct reader *reader, tl_node_index *node_ret)
{
	switch (reader->token.kind) {
	case TL_TOKEN_INTEGER:
	case TL_TOKEN_REAL:
	case TL_TOKEN_CHARACTER:
	case TL_TOKEN_HISTORY:
		return read_literal(reader, node_ret);
	case TL_TOKEN_STRING:
		return read_string(reader, node_ret);
	case TL_TOKEN_QUOTED:
		return read_quoted(reader, node_ret);
	case TL_TOKEN_VARIABLE:
		return read_variable(reader, node_ret);
	case TL_TOKEN_NAME:
		return type_begins(reader) ? read_type(reader, node_ret) : read_name(reader, node_ret);
	case TL_TOKEN_PUNCTUATOR:
		if (next_is(reader, TL_OPEN_PARENTHESIS))
			return read_parenthesis(reader, node_ret);
		if (next_is(reader, TL_SCOPE))
			return type_begins(reader) ? read_type(reader, node_ret) : read_name(reader, node_ret);
		break;
	case TL_TOKEN_END:
		break;
	}
	return expected(reader, "an operand");
}

/* ( argument, … ) behind a function. */
static enum tl_status read_call(struct reader *reader, tl_node_index *node)
{
	tl_node_index call, last = TL_NO_NODE;

	TL_TRY(add_operator(reader, TL_NODE_CALL, TL_NO_PUNCTUATOR, *node, TL_NO_NODE, &call));
	TL_TRY(advance(reader));
	while (!next_is(reader, TL_CLOSE_PARENTHESIS)) {
		tl_node_index argument;

		TL_TRY(read_assignment(reader, &argument));
		TL_TRY(hang_next(reader, call, &last, argument));
		if (!next_is(reader, TL_COMMA))
			break;
		TL_TRY(advance(reader));
	}
	*node = call;
	return expect(reader, TL_CLOSE_PARENTHESIS, "\",\" or \")\" behind an argument");
}

static enum tl_status read_index(struct reader *reader, tl_node_index *node)
{
	tl_node_index index;

	TL_TRY(advance(reader));
	TL_TRY(read_comma(reader, &index));
	TL_TRY(expect(reader, TL_CLOSE_BRACKET, "\"]\""));
	return add_operator(reader, TL_NODE_INDEX, TL_NO_PUNCTUATOR, *node, index, node);
}

static enum tl_status read_member(struct reader *reader, enum tl_node_kind kind, tl_node_index *node)
{
	const char *start = NULL, *end = NULL;

	TL_TRY(advance(reader));
	TL_TRY(add_operator(reader, kind, TL_NO_PUNCTUATOR, *node, TL_NO_NODE, node));
	TL_TRY(take_name(reader, &start, &end));
	return set_name(reader, *node, start, end);
}

static enum tl_status read_postfix(struct reader *reader, tl_node_index *node_ret)
{
	TL_TRY(read_primary(reader, node_ret));
	while (reader->token.kind == TL_TOKEN_PUNCTUATOR && !tl_node_is_type(node_of(reader, *node_ret))) {
		enum tl_punctuator punctuator = reader->token.punctuator;

		if (punctuator == TL_OPEN_PARENTHESIS) {
			TL_TRY(read_call(reader, node_ret));
		} else if (punctuator == TL_OPEN_BRACKET) {
			TL_TRY(read_index(reader, node_ret));
		} else if (punctuator == TL_DOT || punctuator == TL_ARROW) {
			TL_TRY(read_member(reader, punctuator == TL_DOT ? TL_NODE_MEMBER : TL_NODE_ARROW, node_ret));
		} else if (punctuator == TL_INCREMENT || punctuator == TL_DECREMENT) {
			TL_TRY(add_operator(reader, TL_NODE_POSTFIX, punctuator, *node_ret, TL_NO_NODE, node_ret));
			TL_TRY(advance(reader));
		} else {
			break;
		}
	}
	return TL_OK;
}

/* sizeof and alignof: of a type in parentheses, or of an operand. */
static enum tl_status read_size(struct reader *reader, enum tl_node_kind kind, tl_node_index *node_ret)
{
	tl_node_index operand;
	struct tl_text text;
	struct tl_token token;

	TL_TRY(add_node(reader, kind, node_ret));
	TL_TRY(advance(reader));
	text = reader->text;
	token = reader->token;
	if (next_is(reader, TL_OPEN_PARENTHESIS)) {
		TL_TRY(advance(reader));
		if (type_begins(reader)) {
			TL_TRY(read_type(reader, &operand));
			TL_TRY(expect(reader, TL_CLOSE_PARENTHESIS, "\")\" behind the type"));
			return hang(reader, *node_ret, &node_of(reader, *node_ret)->first, operand);
		}
		go_back(reader, &text, &token);
	}
	TL_TRY(read_unary(reader, &operand));
	return hang(reader, *node_ret, &node_of(reader, *node_ret)->first, operand);
}

/* { type } address */
static enum tl_status read_at_address(struct reader *reader, tl_node_index *node_ret)
{
	tl_node_index type, operand;

	TL_TRY(advance(reader));
	TL_TRY(read_type(reader, &type));
	TL_TRY(expect(reader, TL_CLOSE_BRACE, "\"}\" behind the type"));
	TL_TRY(read_unary(reader, &operand));
	return add_operator(reader, TL_NODE_AT_ADDRESS, TL_NO_PUNCTUATOR, operand, type, node_ret);
}

/* static_cast < type > ( operand ) and its kin. */
static enum tl_status read_named_cast(struct reader *reader, enum tl_node_kind kind, tl_node_index *node_ret)
{
	tl_node_index type, operand;

	TL_TRY(advance(reader));
	TL_TRY(expect(reader, TL_LESS, "\"<\""));
	TL_TRY(read_type(reader, &type));
	TL_TRY(expect(reader, TL_GREATER, "\">\" behind the type"));
	TL_TRY(expect(reader, TL_OPEN_PARENTHESIS, "\"(\""));
	TL_TRY(read_comma(reader, &operand));
	TL_TRY(expect(reader, TL_CLOSE_PARENTHESIS, "\")\""));
	return add_operator(reader, kind, TL_NO_PUNCTUATOR, operand, type, node_ret);
}

/* The words that are operators. */
static const struct {
	const char *word;
	enum tl_node_kind kind;
	enum tl_status (*read)(struct reader *reader, enum tl_node_kind kind, tl_node_index *node_ret);
} word_operators[] = {
	{"sizeof", TL_NODE_SIZEOF, read_size},
	{"alignof", TL_NODE_ALIGNOF, read_size},
	{"_Alignof", TL_NODE_ALIGNOF, read_size},
	{"static_cast", TL_NODE_CAST, read_named_cast},
	{"const_cast", TL_NODE_CAST, read_named_cast},
	{"reinterpret_cast", TL_NODE_REINTERPRET, read_named_cast},
	{"dynamic_cast", TL_NODE_DYNAMIC, read_named_cast},
};

static bool is_unary(enum tl_punctuator punctuator)
{
	return punctuator == TL_STAR || punctuator == TL_AMPERSAND || punctuator == TL_MINUS || punctuator == TL_PLUS ||
	       punctuator == TL_TILDE || punctuator == TL_EXCLAMATION || punctuator == TL_INCREMENT ||
	       punctuator == TL_DECREMENT;
}

static enum tl_status read_unary_inside(struct reader *reader, tl_node_index *node_ret)
{
	for (tl_size i = 0; i < sizeof(word_operators) / sizeof(*word_operators); i++)
		if (next_is_word(reader, word_operators[i].word))
			return word_operators[i].read(reader, word_operators[i].kind, node_ret);
	if (next_is(reader, TL_OPEN_BRACE))
		return read_at_address(reader, node_ret);
	if (reader->token.kind == TL_TOKEN_PUNCTUATOR && is_unary(reader->token.punctuator)) {
		tl_node_index operand;

		TL_TRY(add_operator(reader, TL_NODE_UNARY, reader->token.punctuator, TL_NO_NODE, TL_NO_NODE, node_ret));
		TL_TRY(advance(reader));
		TL_TRY(read_unary(reader, &operand));
		return hang(reader, *node_ret, &node_of(reader, *node_ret)->first, operand);
	}
	return read_postfix(reader, node_ret);
}

static enum tl_status read_unary(struct reader *reader, tl_node_index *node_ret)
{
	TL_TRY(enter(reader));
	TL_TRY(read_unary_inside(reader, node_ret));
	reader->depth--;
	return TL_OK;
}

/* ---- Operators between two operands ---- */

/* How tightly each binds: more is tighter. */
static const tl_u8 tightness[TL_PUNCTUATOR_MAX] = {
	[TL_LOGICAL_OR] = 1, [TL_LOGICAL_AND] = 2, [TL_BAR] = 3,      [TL_CARET] = 4,         [TL_AMPERSAND] = 5,
	[TL_EQUAL] = 6,      [TL_NOT_EQUAL] = 6,   [TL_LESS] = 7,     [TL_GREATER] = 7,       [TL_LESS_EQUAL] = 7,
	[TL_SHIFT_LEFT] = 8, [TL_SHIFT_RIGHT] = 8, [TL_AT] = 9,       [TL_PLUS] = 10,         [TL_MINUS] = 10,
	[TL_STAR] = 11,      [TL_SLASH] = 11,      [TL_PERCENT] = 11, [TL_GREATER_EQUAL] = 7,
};

/* Operands and the operators between them that bind at least as tightly as `least`. */
static enum tl_status read_binary(struct reader *reader, unsigned least, tl_node_index *node_ret)
{
	TL_TRY(enter(reader));
	TL_TRY(read_unary(reader, node_ret));
	while (reader->token.kind == TL_TOKEN_PUNCTUATOR && tightness[reader->token.punctuator] >= least) {
		enum tl_punctuator operation = reader->token.punctuator;
		tl_node_index second;

		TL_TRY(advance(reader));
		TL_TRY(read_binary(reader, tightness[operation] + 1u, &second));
		TL_TRY(add_operator(reader, TL_NODE_BINARY, operation, *node_ret, second, node_ret));
	}
	reader->depth--;
	return TL_OK;
}

static enum tl_status read_conditional(struct reader *reader, tl_node_index *node_ret)
{
	tl_node_index yes, no;

	TL_TRY(read_binary(reader, 1, node_ret));
	if (!next_is(reader, TL_QUESTION))
		return TL_OK;
	TL_TRY(advance(reader));
	TL_TRY(read_comma(reader, &yes));
	TL_TRY(expect(reader, TL_COLON, "\":\""));
	TL_TRY(enter(reader));
	TL_TRY(read_conditional(reader, &no));
	reader->depth--;
	TL_TRY(add_operator(reader, TL_NODE_CONDITIONAL, TL_NO_PUNCTUATOR, *node_ret, yes, node_ret));
	return hang(reader, *node_ret, &node_of(reader, *node_ret)->third, no);
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

static enum tl_status read_assignment(struct reader *reader, tl_node_index *node_ret)
{
	enum tl_punctuator operation;
	tl_node_index value;

	TL_TRY(read_conditional(reader, node_ret));
	operation =
		reader->token.kind == TL_TOKEN_PUNCTUATOR ? assignment_of(reader->token.punctuator) : TL_NO_PUNCTUATOR;
	if (operation == TL_NO_PUNCTUATOR)
		return TL_OK;
	TL_TRY(advance(reader));
	TL_TRY(enter(reader));
	TL_TRY(read_assignment(reader, &value));
	reader->depth--;
	return add_operator(reader, TL_NODE_ASSIGN, operation, *node_ret, value, node_ret);
}

static enum tl_status read_comma(struct reader *reader, tl_node_index *node_ret)
{
	TL_TRY(enter(reader));
	TL_TRY(read_assignment(reader, node_ret));
	while (next_is(reader, TL_COMMA)) {
		tl_node_index second;

		TL_TRY(advance(reader));
		TL_TRY(read_assignment(reader, &second));
		TL_TRY(add_operator(reader, TL_NODE_BINARY, TL_COMMA, *node_ret, second, node_ret));
	}
	reader->depth--;
	return TL_OK;
}

/* ---- The whole ---- */

static enum tl_status read_all(struct reader *reader)
{
	TL_TRY(advance(reader));
	TL_TRY(read_comma(reader, &reader->expression->top));
	return reader->token.kind == TL_TOKEN_END ? TL_OK : expected(reader, "an operator, or the end,");
}

enum tl_status tl_expression_read(struct tl_expression **expression_ret, const char *text, tl_size size,
				  const struct tl_names *names, struct tl_error *error)
{
	struct reader reader = {.names = names, .error = error};
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
	reader.expression = expression;
	reader.text = tl_text_make(expression->text, size);
	status = expression->pool != NULL ? read_all(&reader)
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
