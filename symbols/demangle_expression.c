#include "symbols/demangle_tree.h"

#include <string.h>

typedef const struct tl_mangled_node *node;

/* How an operator stands in an expression. Those that are not here stand in none, or are read by themselves. */
enum shape {
	NONE,
	PREFIX,
	STEP,    /* ++ and --: behind, or with a _ in front */
	OF_TYPE, /* of a type */
	BINARY,
	MEMBER, /* of a name */
	NAMED   /* static_cast<TYPE>(…) */
};

static const struct operation {
	char code[3];
	char text[18];
	enum shape shape;
} operations[] = {{"aN", "&=", BINARY},        {"aS", "=", BINARY},         {"aa", "&&", BINARY},
		  {"ad", "&", PREFIX},         {"an", "&", BINARY},         {"at", "alignof ", OF_TYPE},
		  {"aw", "co_await ", PREFIX}, {"az", "alignof ", PREFIX},  {"cc", "const_cast", NAMED},
		  {"cl", "()", NONE},          {"cm", ",", BINARY},         {"co", "~", PREFIX},
		  {"dV", "/=", BINARY},        {"da", "delete[] ", PREFIX}, {"dc", "dynamic_cast", NAMED},
		  {"de", "*", PREFIX},         {"dl", "delete ", PREFIX},   {"ds", ".*", BINARY},
		  {"dt", ".", MEMBER},         {"dv", "/", BINARY},         {"eO", "^=", BINARY},
		  {"eo", "^", BINARY},         {"eq", "==", BINARY},        {"ge", ">=", BINARY},
		  {"gt", ">", BINARY},         {"ix", "[]", NONE},          {"lS", "<<=", BINARY},
		  {"le", "<=", BINARY},        {"ls", "<<", BINARY},        {"lt", "<", BINARY},
		  {"mI", "-=", BINARY},        {"mL", "*=", BINARY},        {"mi", "-", BINARY},
		  {"ml", "*", BINARY},         {"mm", "--", STEP},          {"na", "new[]", NONE},
		  {"ne", "!=", BINARY},        {"ng", "-", PREFIX},         {"nt", "!", PREFIX},
		  {"nw", "new", NONE},         {"nx", "noexcept", PREFIX},  {"oR", "|=", BINARY},
		  {"oo", "||", BINARY},        {"or", "|", BINARY},         {"pL", "+=", BINARY},
		  {"pl", "+", BINARY},         {"pm", "->*", BINARY},       {"pp", "++", STEP},
		  {"ps", "+", PREFIX},         {"pt", "->", MEMBER},        {"qu", "?", NONE},
		  {"rM", "%=", BINARY},        {"rS", ">>=", BINARY},       {"rc", "reinterpret_cast", NAMED},
		  {"rm", "%", BINARY},         {"rs", ">>", BINARY},        {"sc", "static_cast", NAMED},
		  {"ss", "<=>", BINARY},       {"st", "sizeof ", OF_TYPE},  {"sz", "sizeof ", PREFIX},
		  {"te", "typeid ", PREFIX},   {"ti", "typeid ", OF_TYPE},  {"tw", "throw ", PREFIX}};

static const struct operation *accept_operation(struct tl_mangled_reader *reader)
{
	for (tl_size i = 0; i < TL_COUNT(operations); i++)
		if (tl_mangled_accept(reader, operations[i].code))
			return &operations[i];
	return NULL;
}

node tl_mangled_operator_name(struct tl_mangled_reader *reader)
{
	const struct operation *operation;
	node inner;

	if (tl_mangled_accept(reader, "cv")) {
		bool conversion = reader->conversion;

		reader->conversion = true;
		inner = tl_mangled_type(reader);
		reader->conversion = conversion;
		return inner != NULL ? tl_mangled_make(reader, TL_MANGLED_CONVERSION, inner, NULL) : NULL;
	}
	if (tl_mangled_accept(reader, "li")) {
		inner = tl_mangled_source_name(reader);
		return inner != NULL ? tl_mangled_make(reader, TL_MANGLED_LITERAL_OPERATOR, inner, NULL) : NULL;
	}
	operation = accept_operation(reader);
	return operation != NULL ? tl_mangled_make_text(reader, TL_MANGLED_OPERATOR, operation->text, NULL) : NULL;
}

/* Expressions up to an E. */
static bool expressions(struct tl_mangled_reader *reader, node *list_ret)
{
	struct tl_mangled_list list = {0};

	while (!tl_mangled_accept(reader, "E"))
		if (!tl_mangled_append(reader, &list, tl_mangled_expression(reader)))
			return false;
	*list_ret = list.first;
	return true;
}

static node with_arguments(struct tl_mangled_reader *reader, node name)
{
	node list;

	if (name == NULL || tl_mangled_peek(reader, 0) != 'I')
		return name;
	if (!tl_mangled_template_arguments(reader, &list))
		return NULL;
	return tl_mangled_make(reader, TL_MANGLED_TEMPLATE, name, list);
}

node tl_mangled_simple_name(struct tl_mangled_reader *reader)
{
	char next = tl_mangled_peek(reader, 0);
	node name, type;

	if (tl_mangled_accept(reader, "dn")) {
		next = tl_mangled_peek(reader, 0);
		type = next >= '0' && next <= '9' ? tl_mangled_simple_name(reader) : tl_mangled_type(reader);
		return type != NULL ? tl_mangled_make(reader, TL_MANGLED_DESTRUCTOR, type, NULL) : NULL;
	}
	if (tl_mangled_accept(reader, "on") || next < '0' || next > '9')
		name = tl_mangled_operator_name(reader);
	else
		name = tl_mangled_source_name(reader);
	return with_arguments(reader, name);
}

/* scope::name; arguments belong to the whole. */
static node joined(struct tl_mangled_reader *reader, node scope, node name)
{
	if (scope != NULL && name != NULL && name->kind == TL_MANGLED_TEMPLATE) {
		scope = tl_mangled_make(reader, TL_MANGLED_QUALIFIED, scope, name->a);
		return scope != NULL ? tl_mangled_make(reader, TL_MANGLED_TEMPLATE, scope, name->b) : NULL;
	}
	return scope != NULL && name != NULL ? tl_mangled_make(reader, TL_MANGLED_QUALIFIED, scope, name) : NULL;
}

static bool at_digit(const struct tl_mangled_reader *reader)
{
	char next = tl_mangled_peek(reader, 0);

	return next >= '0' && next <= '9';
}

/* Behind "sr": a name whose scope depends on template parameters. */
static node unresolved(struct tl_mangled_reader *reader)
{
	bool levels = tl_mangled_accept(reader, "N");
	node scope;

	if (!levels && at_digit(reader)) {
		scope = tl_mangled_simple_name(reader);
		while (scope != NULL && !tl_mangled_accept(reader, "E"))
			scope = joined(reader, scope, tl_mangled_simple_name(reader));
	} else {
		scope = with_arguments(reader, tl_mangled_type(reader));
	}
	if (levels)
		while (scope != NULL && !tl_mangled_accept(reader, "E"))
			scope = joined(reader, scope, tl_mangled_simple_name(reader));
	return joined(reader, scope, tl_mangled_simple_name(reader));
}

/* fp…, fL…p…: a parameter of the function, numbered from 1; fpT: this. */
static node argument(struct tl_mangled_reader *reader)
{
	struct tl_mangled_node *made;
	tl_u32 number;

	if (tl_mangled_accept(reader, "fpT"))
		return tl_mangled_make(reader, TL_MANGLED_ARGUMENT, NULL, NULL);
	if (tl_mangled_accept(reader, "fL")) {
		if (!tl_mangled_number(reader, &number) || !tl_mangled_accept(reader, "p"))
			return NULL;
	} else if (!tl_mangled_accept(reader, "fp")) {
		return NULL;
	}
	while (tl_mangled_peek(reader, 0) != '\0' && strchr("rVK", tl_mangled_peek(reader, 0)) != NULL)
		reader->at++;
	number = 0;
	if (tl_mangled_number(reader, &number))
		number++;
	made = tl_mangled_make(reader, TL_MANGLED_ARGUMENT, NULL, NULL);
	if (made == NULL || !tl_mangled_accept(reader, "_"))
		return NULL;
	made->number = number + 1;
	return made;
}

/* fl, fr, fL, fR: one or two operands around the dots. */
static node fold(struct tl_mangled_reader *reader)
{
	char kind = tl_mangled_peek(reader, 1);
	const struct operation *operation;
	struct tl_mangled_node *made;
	node first, second = NULL;

	reader->at += 2;
	operation = accept_operation(reader);
	first = operation != NULL ? tl_mangled_expression(reader) : NULL;
	if (first != NULL && (kind == 'L' || kind == 'R'))
		second = tl_mangled_expression(reader);
	if (first == NULL || ((kind == 'L' || kind == 'R') && second == NULL))
		return NULL;
	made = tl_mangled_make_text(reader, TL_MANGLED_FOLD, operation->text, first);
	if (made == NULL)
		return NULL;
	made->b = second;
	made->number = kind == 'l';
	return made;
}

/* nw, na: [arguments] _ TYPE, then E, or pi EXPRESSIONS E, or a list in braces. */
static node allocation(struct tl_mangled_reader *reader, const char *text)
{
	struct tl_mangled_list list = {0};
	struct tl_mangled_node *made;
	node type, initial = NULL;

	while (!tl_mangled_accept(reader, "_"))
		if (!tl_mangled_append(reader, &list, tl_mangled_expression(reader)))
			return NULL;
	type = tl_mangled_type(reader);
	if (type == NULL)
		return NULL;
	if (tl_mangled_accept(reader, "pi")) {
		if (!expressions(reader, &initial))
			return NULL;
	} else if (tl_mangled_peek(reader, 0) == 'i') {
		initial = tl_mangled_expression(reader);
		if (initial == NULL)
			return NULL;
	} else if (!tl_mangled_accept(reader, "E")) {
		return NULL;
	}
	made = tl_mangled_make_text(reader, TL_MANGLED_NEW, text, type);
	if (made != NULL) {
		made->b = initial;
		made->c = list.first;
	}
	return made;
}

/* (TYPE)EXPRESSION, (TYPE)(LIST) and TYPE{LIST}. */
static node conversion(struct tl_mangled_reader *reader)
{
	node type = tl_mangled_type(reader), what;

	if (type == NULL)
		return NULL;
	if (tl_mangled_accept(reader, "_"))
		return expressions(reader, &what) ? tl_mangled_make(reader, TL_MANGLED_CAST_LIST, type, what) : NULL;
	what = tl_mangled_expression(reader);
	return what != NULL ? tl_mangled_make(reader, TL_MANGLED_CAST, type, what) : NULL;
}

static node initializer(struct tl_mangled_reader *reader, bool typed)
{
	node type = typed ? tl_mangled_type(reader) : NULL, list;

	if ((typed && type == NULL) || !expressions(reader, &list))
		return NULL;
	return tl_mangled_make(reader, TL_MANGLED_INITIALIZER, type, list);
}

static node pair(struct tl_mangled_reader *reader, enum tl_mangled_kind kind, const char *text)
{
	node first = tl_mangled_expression(reader), second = first != NULL ? tl_mangled_expression(reader) : NULL;
	struct tl_mangled_node *made = second != NULL ? tl_mangled_make_text(reader, kind, text, first) : NULL;

	if (made != NULL)
		made->b = second;
	return made;
}

/* An operator of the table with its operands. */
static node operation_of(struct tl_mangled_reader *reader)
{
	const struct operation *operation = accept_operation(reader);
	struct tl_mangled_node *made = NULL;
	node first, second;

	if (operation == NULL)
		return NULL;
	switch (operation->shape) {
	case PREFIX:
		made = tl_mangled_make_text(reader, TL_MANGLED_UNARY, operation->text, tl_mangled_expression(reader));
		return made != NULL && made->a != NULL ? made : NULL;
	case STEP:
		if (tl_mangled_accept(reader, "_"))
			made = tl_mangled_make_text(reader, TL_MANGLED_UNARY, operation->text,
						    tl_mangled_expression(reader));
		else
			made = tl_mangled_make_text(reader, TL_MANGLED_POSTFIX, operation->text,
						    tl_mangled_expression(reader));
		return made != NULL && made->a != NULL ? made : NULL;
	case OF_TYPE:
		made = tl_mangled_make_text(reader, TL_MANGLED_OF_TYPE, operation->text, tl_mangled_type(reader));
		return made != NULL && made->a != NULL ? made : NULL;
	case BINARY:
		return pair(reader, TL_MANGLED_BINARY, operation->text);
	case MEMBER:
		first = tl_mangled_expression(reader);
		second = first == NULL                     ? NULL
			 : tl_mangled_accept(reader, "sr") ? unresolved(reader)
							   : tl_mangled_simple_name(reader);
		made = second != NULL ? tl_mangled_make_text(reader, TL_MANGLED_BINARY, operation->text, first) : NULL;
		if (made != NULL)
			made->b = second;
		return made;
	case NAMED:
		first = tl_mangled_type(reader);
		second = first != NULL ? tl_mangled_expression(reader) : NULL;
		made = second != NULL ? tl_mangled_make_text(reader, TL_MANGLED_NAMED_CAST, operation->text, first)
				      : NULL;
		if (made != NULL)
			made->b = second;
		return made;
	case NONE:
		return NULL;
	}
	return NULL;
}

static node call(struct tl_mangled_reader *reader)
{
	node function = tl_mangled_expression(reader), list;

	if (function == NULL || !expressions(reader, &list))
		return NULL;
	return tl_mangled_make(reader, TL_MANGLED_CALL, function, list);
}

static node ternary(struct tl_mangled_reader *reader)
{
	node condition = tl_mangled_expression(reader), yes = condition != NULL ? tl_mangled_expression(reader) : NULL;
	node no = yes != NULL ? tl_mangled_expression(reader) : NULL;
	struct tl_mangled_node *made = no != NULL ? tl_mangled_make(reader, TL_MANGLED_TERNARY, condition, yes) : NULL;

	if (made != NULL)
		made->c = no;
	return made;
}

static node of_pack(struct tl_mangled_reader *reader, bool arguments)
{
	struct tl_mangled_list list = {0};
	node pack;

	if (!arguments) {
		pack = tl_mangled_peek(reader, 0) == 'T' ? tl_mangled_template_parameter(reader) : argument(reader);
	} else {
		while (!tl_mangled_accept(reader, "E"))
			if (!tl_mangled_append(reader, &list, tl_mangled_type(reader)))
				return NULL;
		pack = tl_mangled_make(reader, TL_MANGLED_PACK, NULL, list.first);
	}
	return pack != NULL ? tl_mangled_make(reader, TL_MANGLED_PACK_SIZE, pack, NULL) : NULL;
}

/* What has a code of its own and is none of the table's ordinary operators. */
static node special(struct tl_mangled_reader *reader, bool *known_ret)
{
	*known_ret = true;
	if (tl_mangled_accept(reader, "sr"))
		return unresolved(reader);
	if (tl_mangled_accept(reader, "sp")) {
		node pattern = tl_mangled_expression(reader);

		return pattern != NULL ? tl_mangled_make(reader, TL_MANGLED_EXPANSION, pattern, NULL) : NULL;
	}
	if (tl_mangled_accept(reader, "sZ"))
		return of_pack(reader, false);
	if (tl_mangled_accept(reader, "sP"))
		return of_pack(reader, true);
	if (tl_mangled_accept(reader, "tl"))
		return initializer(reader, true);
	if (tl_mangled_accept(reader, "il"))
		return initializer(reader, false);
	if (tl_mangled_accept(reader, "cl"))
		return call(reader);
	if (tl_mangled_accept(reader, "cv"))
		return conversion(reader);
	if (tl_mangled_accept(reader, "qu"))
		return ternary(reader);
	if (tl_mangled_accept(reader, "ix"))
		return pair(reader, TL_MANGLED_INDEX, "");
	if (tl_mangled_accept(reader, "nw"))
		return allocation(reader, "new ");
	if (tl_mangled_accept(reader, "na"))
		return allocation(reader, "new[] ");
	if (tl_mangled_accept(reader, "tr"))
		return tl_mangled_make_text(reader, TL_MANGLED_NAME, "throw", NULL);
	if (tl_mangled_accept(reader, "gs")) {
		struct tl_mangled_node *made =
			tl_mangled_make_text(reader, TL_MANGLED_UNARY, "::", tl_mangled_expression(reader));

		return made != NULL && made->a != NULL ? made : NULL;
	}
	*known_ret = false;
	return NULL;
}

static node read_expression(struct tl_mangled_reader *reader)
{
	char next = tl_mangled_peek(reader, 0), second = tl_mangled_peek(reader, 1);
	bool known;
	node found;

	if (next == 'L')
		return tl_mangled_literal(reader);
	if (next == 'T')
		return tl_mangled_template_parameter(reader);
	if (at_digit(reader) || (next == 'o' && second == 'n'))
		return tl_mangled_simple_name(reader);
	if (next == 'f') {
		char third = tl_mangled_peek(reader, 2);

		if (second == 'p' || (second == 'L' && third >= '0' && third <= '9'))
			return argument(reader);
		if (second != '\0' && strchr("lrLR", second) != NULL)
			return fold(reader);
	}
	found = special(reader, &known);
	return known ? found : operation_of(reader);
}

node tl_mangled_expression(struct tl_mangled_reader *reader)
{
	node found;

	if (!tl_mangled_enter(reader))
		return NULL;
	found = read_expression(reader);
	tl_mangled_leave(reader);
	return found;
}

/* L TYPE [n] VALUE E, or L _Z ENCODING E. */
node tl_mangled_literal(struct tl_mangled_reader *reader)
{
	struct tl_mangled_node *made;
	bool negative;
	node type;

	if (!tl_mangled_accept(reader, "L"))
		return NULL;
	if (tl_mangled_accept(reader, "_Z") || tl_mangled_accept(reader, "Z")) {
		type = tl_mangled_encoding(reader, true);
		return tl_mangled_accept(reader, "E") ? type : NULL;
	}
	type = tl_mangled_type(reader);
	if (type == NULL)
		return NULL;
	negative = tl_mangled_accept(reader, "n");
	made = tl_mangled_make(reader, TL_MANGLED_LITERAL, type, NULL);
	if (made == NULL)
		return NULL;
	made->number = negative;
	made->text = reader->at;
	for (; tl_mangled_peek(reader, 0) != 'E'; reader->at++)
		if (reader->at == reader->end)
			return NULL;
	made->size = (tl_size)(reader->at - made->text);
	reader->at++;
	return made;
}
