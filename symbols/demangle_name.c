#include "symbols/demangle_tree.h"

#include <string.h>

typedef const struct tl_mangled_node *node;

node tl_mangled_source_name(struct tl_mangled_reader *reader)
{
	struct tl_mangled_node *name;
	tl_u32 size;

	if (!tl_mangled_number(reader, &size) || size == 0 || size > (tl_size)(reader->end - reader->at))
		return NULL;
	name = tl_mangled_make(reader, TL_MANGLED_NAME, NULL, NULL);
	if (name == NULL)
		return NULL;
	name->text = reader->at;
	name->size = size;
	reader->at += size;
	/* What g++ calls an anonymous namespace. */
	if (size >= 10 && memcmp(name->text, "_GLOBAL_", 8) == 0 && strchr("._$", name->text[8]) != NULL &&
	    name->text[9] == 'N') {
		name->text = "(anonymous namespace)";
		name->size = strlen(name->text);
	}
	reader->last_name = name;
	return name;
}

/* [NUMBER] _ of things without a name: none for the first one. */
bool tl_mangled_ordinal(struct tl_mangled_reader *reader, tl_u32 *number_ret)
{
	tl_u32 number = 0;

	if (tl_mangled_number(reader, &number))
		number++;
	*number_ret = number;
	return tl_mangled_accept(reader, "_");
}

/* Types up to an E, a clone's dot or the end; a single void is no parameter. */
bool tl_mangled_parameters(struct tl_mangled_reader *reader, node *list_ret)
{
	struct tl_mangled_list list = {0};

	for (;;) {
		char next = tl_mangled_peek(reader, 0);
		bool qualifier = (next == 'R' || next == 'O') && tl_mangled_peek(reader, 1) == 'E';

		if (next == '\0' || next == 'E' || next == '.' || qualifier)
			break;
		if (!tl_mangled_append(reader, &list, tl_mangled_type(reader)))
			return false;
	}
	if (list.first == NULL)
		return false;
	*list_ret = list.first;
	if (list.first->b == NULL && list.first->a->kind == TL_MANGLED_BUILTIN && list.first->a->size == 4 &&
	    memcmp(list.first->a->text, "void", 4) == 0)
		*list_ret = NULL;
	return true;
}

/* Behind the U: a lambda or a type without a name. */
static node closure(struct tl_mangled_reader *reader)
{
	struct tl_mangled_node *made;
	node list = NULL;
	tl_u32 number;
	bool lambda = tl_mangled_accept(reader, "l");

	if (lambda ? !tl_mangled_parameters(reader, &list) || !tl_mangled_accept(reader, "E")
		   : !tl_mangled_accept(reader, "t"))
		return NULL;
	if (!tl_mangled_ordinal(reader, &number))
		return NULL;
	made = tl_mangled_make(reader, lambda ? TL_MANGLED_LAMBDA : TL_MANGLED_UNNAMED, NULL, list);
	if (made != NULL)
		made->number = number + 1;
	return made;
}

/* C1, D0 and so on: of what was named last. */
static node structor(struct tl_mangled_reader *reader)
{
	bool constructor = tl_mangled_accept(reader, "C"), inherited = constructor && tl_mangled_accept(reader, "I");
	node name = reader->last_name;
	char kind;

	if ((!constructor && !tl_mangled_accept(reader, "D")) || name == NULL)
		return NULL;
	kind = tl_mangled_peek(reader, 0);
	if (kind < (constructor ? '1' : '0') || kind > '5')
		return NULL;
	reader->at++;
	/* One that is inherited is called as in the class that it comes from. */
	if (inherited && tl_mangled_type(reader) == NULL)
		return NULL;
	name = inherited ? reader->last_name : name;
	return tl_mangled_make(reader, constructor ? TL_MANGLED_CONSTRUCTOR : TL_MANGLED_DESTRUCTOR, name, NULL);
}

/* _N, or __NN_ : which of several of a name within one function. It is not shown. */
static bool discriminator(struct tl_mangled_reader *reader)
{
	tl_u32 number;

	if (!tl_mangled_accept(reader, "_"))
		return true;
	if (tl_mangled_accept(reader, "_"))
		return tl_mangled_number(reader, &number) && tl_mangled_accept(reader, "_");
	if (!tl_mangled_is_digit(tl_mangled_peek(reader, 0)))
		return false;
	reader->at++;
	return true;
}

/* DC names E: a structured binding. */
static node binding(struct tl_mangled_reader *reader)
{
	struct tl_mangled_list list = {0};

	while (!tl_mangled_accept(reader, "E"))
		if (!tl_mangled_append(reader, &list, tl_mangled_source_name(reader)))
			return NULL;
	return list.first != NULL ? tl_mangled_make(reader, TL_MANGLED_BINDING, NULL, list.first) : NULL;
}

/* B NAME behind what it belongs to: ABI tags. */
static node tags(struct tl_mangled_reader *reader, node name)
{
	node last = reader->last_name;

	while (name != NULL && tl_mangled_accept(reader, "B")) {
		node tag = tl_mangled_source_name(reader);
		struct tl_mangled_node *tagged =
			tag != NULL ? tl_mangled_make(reader, TL_MANGLED_TAGGED, name, NULL) : NULL;

		if (tagged == NULL)
			return NULL;
		tagged->text = tag->text;
		tagged->size = tag->size;
		name = tagged;
	}
	reader->last_name = last;
	return name;
}

static node unqualified(struct tl_mangled_reader *reader)
{
	char next = tl_mangled_peek(reader, 0);
	node name = NULL;

	if (tl_mangled_is_digit(next)) {
		name = tl_mangled_source_name(reader);
	} else if (tl_mangled_is_lower(next)) {
		bool function = tl_mangled_accept(reader, "on");

		(void)function;
		name = tl_mangled_operator_name(reader);
	} else if (next == 'L') {
		reader->at++;
		name = tl_mangled_source_name(reader);
		if (name != NULL && !discriminator(reader))
			return NULL;
	} else if (next == 'U') {
		reader->at++;
		name = closure(reader);
	} else if (tl_mangled_accept(reader, "DC")) {
		name = binding(reader);
	} else if (next == 'C' || next == 'D') {
		name = structor(reader);
	}
	return tags(reader, name);
}

/* The ABI's own abbreviations, and in front of a constructor what they are short for. */
static node standard(struct tl_mangled_reader *reader, bool prefix)
{
	static const struct {
		char letter;
		const char *text, *whole, *last;
	} names[] = {{'t', "std", "std", NULL},
		     {'a', "std::allocator", "std::allocator", "allocator"},
		     {'b', "std::basic_string", "std::basic_string", "basic_string"},
		     {'s', "std::string", "std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
		      "basic_string"},
		     {'i', "std::istream", "std::basic_istream<char, std::char_traits<char> >", "basic_istream"},
		     {'o', "std::ostream", "std::basic_ostream<char, std::char_traits<char> >", "basic_ostream"},
		     {'d', "std::iostream", "std::basic_iostream<char, std::char_traits<char> >", "basic_iostream"}};

	for (tl_size i = 0; i < TL_COUNT(names); i++) {
		bool whole;

		if (names[i].letter != tl_mangled_peek(reader, 0))
			continue;
		reader->at++;
		if (names[i].last != NULL)
			reader->last_name = tl_mangled_make_text(reader, TL_MANGLED_NAME, names[i].last, NULL);
		whole = prefix && (tl_mangled_peek(reader, 0) == 'C' || tl_mangled_peek(reader, 0) == 'D');
		return tl_mangled_make_text(reader, names[i].letter == 't' ? TL_MANGLED_NAME : TL_MANGLED_STANDARD,
					    whole ? names[i].whole : names[i].text, NULL);
	}
	return NULL;
}

/* Behind the S: what was there before, or one of the ABI's names. */
node tl_mangled_substitution(struct tl_mangled_reader *reader, bool prefix)
{
	char next = tl_mangled_peek(reader, 0);
	tl_u32 index = 0;
	node found;

	if (tl_mangled_is_lower(next)) {
		found = standard(reader, prefix);
		if (found == NULL || tl_mangled_peek(reader, 0) != 'B')
			return found;
		return tl_mangled_remember(reader, tags(reader, found));
	}
	if (next != '_') {
		for (; (next = tl_mangled_peek(reader, 0)) != '_'; reader->at++) {
			if (!tl_mangled_is_digit(next) && (next < 'A' || next > 'Z'))
				return NULL;
			index = index * 36 + (tl_u32)(tl_mangled_is_digit(next) ? next - '0' : next - 'A' + 10);
			if (index > TL_DEMANGLE_NAME_MAX)
				return NULL;
		}
		index++;
	}
	reader->at++;
	return index < reader->substitution_count ? reader->substitutions[index] : NULL;
}

node tl_mangled_template_parameter(struct tl_mangled_reader *reader)
{
	struct tl_mangled_node *made;
	tl_u32 number;

	if (!tl_mangled_accept(reader, "T") || !tl_mangled_ordinal(reader, &number))
		return NULL;
	made = tl_mangled_make(reader, TL_MANGLED_PARAMETER, NULL, NULL);
	if (made != NULL)
		made->number = number;
	return made;
}

node tl_mangled_template_argument(struct tl_mangled_reader *reader)
{
	struct tl_mangled_list list = {0};
	node found;

	switch (tl_mangled_peek(reader, 0)) {
	case 'X':
		reader->at++;
		found = tl_mangled_expression(reader);
		return tl_mangled_accept(reader, "E") ? found : NULL;
	case 'L':
		return tl_mangled_literal(reader);
	case 'I':
	case 'J':
		reader->at++;
		while (!tl_mangled_accept(reader, "E"))
			if (!tl_mangled_enter(reader) ||
			    !tl_mangled_append(reader, &list, tl_mangled_template_argument(reader)))
				return NULL;
			else
				tl_mangled_leave(reader);
		return tl_mangled_make(reader, TL_MANGLED_PACK, NULL, list.first);
	default:
		return tl_mangled_type(reader);
	}
}

bool tl_mangled_template_arguments(struct tl_mangled_reader *reader, node *list_ret)
{
	struct tl_mangled_list list = {0};
	node last = reader->last_name;
	bool conversion = reader->conversion;

	if (!tl_mangled_accept(reader, "I") || !tl_mangled_enter(reader))
		return false;
	reader->conversion = false;
	while (!tl_mangled_accept(reader, "E"))
		if (!tl_mangled_append(reader, &list, tl_mangled_template_argument(reader)))
			return false;
	tl_mangled_leave(reader);
	/* A constructor behind them is called as what is in front of them. */
	reader->last_name = last;
	reader->conversion = conversion;
	*list_ret = list.first;
	return true;
}

/* A template with its arguments, which stand here. */
node tl_mangled_instance(struct tl_mangled_reader *reader, node name)
{
	node list;

	if (name == NULL || !tl_mangled_template_arguments(reader, &list))
		return NULL;
	return tl_mangled_make(reader, TL_MANGLED_TEMPLATE, name, list);
}

/* The next piece of a nested name, `before` being what is in front of it. */
static node nested_piece(struct tl_mangled_reader *reader, node before)
{
	char next = tl_mangled_peek(reader, 0), second = tl_mangled_peek(reader, 1);
	node piece;

	if (next == 'I')
		return tl_mangled_instance(reader, before);
	if (next == 'S') {
		reader->at++;
		piece = tl_mangled_substitution(reader, true);
	} else if (next == 'T') {
		piece = tl_mangled_template_parameter(reader);
	} else if (next == 'D' && (second == 't' || second == 'T')) {
		piece = tl_mangled_type(reader);
	} else {
		piece = unqualified(reader);
	}
	if (piece == NULL || before == NULL)
		return piece;
	return tl_mangled_make(reader, TL_MANGLED_QUALIFIED, before, piece);
}

static bool at_qualifier(const struct tl_mangled_reader *reader)
{
	char next = tl_mangled_peek(reader, 0);

	return next == 'r' || next == 'V' || next == 'K';
}

const char *tl_mangled_qualifiers(struct tl_mangled_reader *reader)
{
	const char *start = reader->at;
	char *text, *to;

	while (at_qualifier(reader))
		reader->at++;
	text = tl_arena_allocate(&reader->arena, (tl_size)(reader->at - start) * sizeof(" __restrict") + 1);
	reader->no_memory = reader->no_memory || text == NULL;
	/* The innermost comes first: "int const volatile" is VKi. */
	to = text;
	for (const char *at = reader->at; text != NULL && at > start;)
		to = stpcpy(to, *--at == 'r' ? " __restrict" : *at == 'V' ? " volatile" : " const");
	return text;
}

/* Behind the N: a name with scopes, and what is said of `this`. */
static node nested(struct tl_mangled_reader *reader)
{
	const char *words = tl_mangled_qualifiers(reader), *reference = "";
	node name = NULL;

	if (words == NULL)
		return NULL;
	if (tl_mangled_accept(reader, "O"))
		reference = " &&";
	else if (tl_mangled_accept(reader, "R"))
		reference = " &";
	while (!tl_mangled_accept(reader, "E")) {
		char next = tl_mangled_peek(reader, 0), second = tl_mangled_peek(reader, 1);
		bool kept = (next == 'S' && name == NULL) || (next == 'D' && (second == 't' || second == 'T'));

		/* Data members whose initializers have lambdas. */
		if (name != NULL && tl_mangled_accept(reader, "M"))
			continue;
		name = nested_piece(reader, name);
		if (name == NULL)
			return NULL;
		if (!kept && tl_mangled_peek(reader, 0) != 'E' && tl_mangled_remember(reader, name) == NULL)
			return NULL;
	}
	return tl_mangled_suffixed(reader, TL_MANGLED_METHOD,
				   tl_mangled_suffixed(reader, TL_MANGLED_METHOD, name, words), reference);
}

/* The words behind a member function belong to the whole. */
static node put_inside(struct tl_mangled_reader *reader, node function, node entity)
{
	if (entity == NULL || entity->kind != TL_MANGLED_METHOD)
		return entity != NULL ? tl_mangled_make(reader, TL_MANGLED_LOCAL, function, entity) : NULL;
	return tl_mangled_suffixed(reader, TL_MANGLED_METHOD, put_inside(reader, function, entity->a), entity->text);
}

/* Behind the Z: what is in a function. */
static node local(struct tl_mangled_reader *reader)
{
	node function = tl_mangled_encoding(reader, false), entity;
	struct tl_mangled_node *argument = NULL;

	if (function == NULL || !tl_mangled_accept(reader, "E"))
		return NULL;
	if (tl_mangled_accept(reader, "s")) {
		entity = tl_mangled_make_text(reader, TL_MANGLED_NAME, "string literal", NULL);
		return discriminator(reader) ? put_inside(reader, function, entity) : NULL;
	}
	if (tl_mangled_accept(reader, "d")) {
		argument = tl_mangled_make(reader, TL_MANGLED_DEFAULT_ARGUMENT, NULL, NULL);
		if (argument == NULL || !tl_mangled_ordinal(reader, &argument->number))
			return NULL;
		argument->number++;
	}
	entity = tl_mangled_name(reader);
	if (entity == NULL || !discriminator(reader))
		return NULL;
	if (argument != NULL) {
		function = tl_mangled_make(reader, TL_MANGLED_LOCAL, function, argument);
		if (function == NULL)
			return NULL;
	}
	return put_inside(reader, function, entity);
}

node tl_mangled_name(struct tl_mangled_reader *reader)
{
	node name;
	bool known = false;

	if (!tl_mangled_enter(reader))
		return NULL;
	if (tl_mangled_accept(reader, "N")) {
		name = nested(reader);
	} else if (tl_mangled_accept(reader, "Z")) {
		name = local(reader);
	} else {
		if (tl_mangled_accept(reader, "St")) {
			node scope = tl_mangled_make_text(reader, TL_MANGLED_NAME, "std", NULL);

			name = unqualified(reader);
			name = name != NULL && scope != NULL
				       ? tl_mangled_make(reader, TL_MANGLED_QUALIFIED, scope, name)
				       : NULL;
		} else if (tl_mangled_accept(reader, "S")) {
			known = true;
			name = tl_mangled_substitution(reader, false);
		} else {
			name = unqualified(reader);
		}
		if (name != NULL && tl_mangled_peek(reader, 0) == 'I')
			name = tl_mangled_instance(reader, known ? name : tl_mangled_remember(reader, name));
	}
	tl_mangled_leave(reader);
	return name;
}
