#include "symbols/demangle_tree.h"

#include <string.h>

typedef const struct tl_mangled_node *node;

static node builtin(struct tl_mangled_reader *reader)
{
	static const struct {
		char code[3];
		const char *text;
		enum tl_mangled_literal literal;
	} types[] = {{"a", "signed char", TL_LITERAL_CAST},
		     {"b", "bool", TL_LITERAL_BOOL},
		     {"c", "char", TL_LITERAL_CAST},
		     {"d", "double", TL_LITERAL_FLOAT},
		     {"e", "long double", TL_LITERAL_FLOAT},
		     {"f", "float", TL_LITERAL_FLOAT},
		     {"g", "__float128", TL_LITERAL_FLOAT},
		     {"h", "unsigned char", TL_LITERAL_CAST},
		     {"i", "int", TL_LITERAL_INT},
		     {"j", "unsigned int", TL_LITERAL_UNSIGNED},
		     {"l", "long", TL_LITERAL_LONG},
		     {"m", "unsigned long", TL_LITERAL_UNSIGNED_LONG},
		     {"n", "__int128", TL_LITERAL_CAST},
		     {"o", "unsigned __int128", TL_LITERAL_CAST},
		     {"s", "short", TL_LITERAL_CAST},
		     {"t", "unsigned short", TL_LITERAL_CAST},
		     {"v", "void", TL_LITERAL_CAST},
		     {"w", "wchar_t", TL_LITERAL_CAST},
		     {"x", "long long", TL_LITERAL_LONG_LONG},
		     {"y", "unsigned long long", TL_LITERAL_UNSIGNED_LONG_LONG},
		     {"z", "...", TL_LITERAL_CAST},
		     {"Da", "auto", TL_LITERAL_CAST},
		     {"Dc", "decltype(auto)", TL_LITERAL_CAST},
		     {"Dd", "decimal64", TL_LITERAL_CAST},
		     {"De", "decimal128", TL_LITERAL_CAST},
		     {"Df", "decimal32", TL_LITERAL_CAST},
		     {"Dh", "half", TL_LITERAL_FLOAT},
		     {"Di", "char32_t", TL_LITERAL_CAST},
		     {"Dn", "decltype(nullptr)", TL_LITERAL_CAST},
		     {"Ds", "char16_t", TL_LITERAL_CAST},
		     {"Du", "char8_t", TL_LITERAL_CAST}};

	for (tl_size i = 0; i < TL_COUNT(types); i++) {
		struct tl_mangled_node *made;

		if (!tl_mangled_accept(reader, types[i].code))
			continue;
		made = tl_mangled_make_text(reader, TL_MANGLED_BUILTIN, types[i].text, NULL);
		if (made != NULL)
			made->number = types[i].literal;
		return made;
	}
	return NULL;
}

/* DF NUMBER _ (or x, or b for another format): _Float16, _Float32x. */
static node fixed_float(struct tl_mangled_reader *reader)
{
	const char *start = reader->at;
	struct tl_mangled_node *made;
	char text[32] = "_Float";
	tl_u32 bits;

	if (!tl_mangled_number(reader, &bits) || reader->at - start > 8)
		return NULL;
	strncat(text, start, (tl_size)(reader->at - start));
	if (tl_mangled_accept(reader, "x"))
		strncat(text, "x", 2);
	else if (!tl_mangled_accept(reader, "_"))
		return NULL;
	made = tl_mangled_make(reader, TL_MANGLED_BUILTIN, NULL, NULL);
	if (made == NULL)
		return NULL;
	made->text = tl_arena_copy(&reader->arena, text, strlen(text));
	made->size = made->text != NULL ? strlen(text) : 0;
	reader->no_memory = reader->no_memory || made->text == NULL;
	made->number = TL_LITERAL_FLOAT;
	return made;
}

/* F [Y] types [R | O] E, the F being read. */
static node function_type(struct tl_mangled_reader *reader)
{
	struct tl_mangled_node *made;
	node result, list;

	(void)tl_mangled_accept(reader, "Y");
	result = tl_mangled_type(reader);
	if (result == NULL || !tl_mangled_parameters(reader, &list))
		return NULL;
	made = tl_mangled_make_text(reader, TL_MANGLED_FUNCTION, "", result);
	if (made == NULL)
		return NULL;
	made->b = list;
	if (tl_mangled_accept(reader, "R"))
		made->text = " &";
	else if (tl_mangled_accept(reader, "O"))
		made->text = " &&";
	made->size = strlen(made->text);
	return tl_mangled_accept(reader, "E") ? made : NULL;
}

/* [NUMBER | EXPRESSION] _ TYPE of arrays and vectors. */
static node array_type(struct tl_mangled_reader *reader, enum tl_mangled_kind kind)
{
	const char *start = reader->at;
	struct tl_mangled_node *number = NULL;
	node count = NULL, element;
	tl_u32 value;

	if (tl_mangled_number(reader, &value)) {
		number = tl_mangled_make(reader, TL_MANGLED_NAME, NULL, NULL);
		if (number == NULL)
			return NULL;
		number->text = start;
		number->size = (tl_size)(reader->at - start);
		count = number;
	} else if (tl_mangled_peek(reader, 0) != '_') {
		count = tl_mangled_expression(reader);
		if (count == NULL)
			return NULL;
	}
	if (!tl_mangled_accept(reader, "_"))
		return NULL;
	element = tl_mangled_type(reader);
	return element != NULL ? tl_mangled_make(reader, kind, element, count) : NULL;
}

static node member_pointer(struct tl_mangled_reader *reader)
{
	node scope = tl_mangled_type(reader), member = scope != NULL ? tl_mangled_type(reader) : NULL;

	return member != NULL ? tl_mangled_make(reader, TL_MANGLED_MEMBER_POINTER, scope, member) : NULL;
}

/* noexcept(…), throw(…) in front of a function type. */
static node exceptions(struct tl_mangled_reader *reader)
{
	struct tl_mangled_node *made;
	struct tl_mangled_list list = {0};
	node condition = NULL;
	const char *text = " noexcept";

	if (tl_mangled_accept(reader, "DO")) {
		condition = tl_mangled_expression(reader);
		if (condition == NULL || !tl_mangled_accept(reader, "E"))
			return NULL;
	} else if (tl_mangled_accept(reader, "Dw")) {
		text = " throw";
		while (!tl_mangled_accept(reader, "E"))
			if (!tl_mangled_append(reader, &list, tl_mangled_type(reader)))
				return NULL;
		condition = list.first;
	} else if (!tl_mangled_accept(reader, "Do")) {
		return NULL;
	}
	if (!tl_mangled_accept(reader, "F"))
		return NULL;
	made = tl_mangled_make_text(reader, TL_MANGLED_NOEXCEPT, text, function_type(reader));
	if (made == NULL || made->a == NULL)
		return NULL;
	made->b = condition;
	return made;
}

/* What begins with a D and is none of the built-in types. */
static node extended_type(struct tl_mangled_reader *reader)
{
	node found;

	switch (tl_mangled_peek(reader, 1)) {
	case 't':
	case 'T':
		reader->at += 2;
		found = tl_mangled_expression(reader);
		return tl_mangled_accept(reader, "E") ? tl_mangled_around(reader, TL_MANGLED_DECLTYPE, found) : NULL;
	case 'p':
		reader->at += 2;
		return tl_mangled_around(reader, TL_MANGLED_EXPANSION, tl_mangled_type(reader));
	case 'v':
		reader->at += 2;
		return array_type(reader, TL_MANGLED_VECTOR);
	default:
		return exceptions(reader);
	}
}

/* T_, and the arguments of a template template parameter. */
static node parameter_type(struct tl_mangled_reader *reader)
{
	node parameter = tl_mangled_remember(reader, tl_mangled_template_parameter(reader)), list;
	struct tl_mangled_reader before = *reader;

	if (parameter == NULL || tl_mangled_peek(reader, 0) != 'I')
		return parameter;
	if (!reader->conversion)
		return tl_mangled_remember(reader, tl_mangled_instance(reader, parameter));
	/* The arguments may as well be those of the conversion operator; then no others follow. */
	if (tl_mangled_template_arguments(reader, &list) && tl_mangled_peek(reader, 0) == 'I')
		return tl_mangled_remember(reader, tl_mangled_make(reader, TL_MANGLED_TEMPLATE, parameter, list));
	reader->at = before.at;
	reader->depth = before.depth;
	reader->conversion = before.conversion;
	reader->last_name = before.last_name;
	reader->substitution_count = before.substitution_count;
	return parameter;
}

static node named_type(struct tl_mangled_reader *reader)
{
	char next = tl_mangled_peek(reader, 0), second = tl_mangled_peek(reader, 1);
	node found;

	if (next != 'S' || tl_mangled_is_lower(second)) {
		found = tl_mangled_name(reader);
		return found != NULL && found->kind == TL_MANGLED_STANDARD ? found : tl_mangled_remember(reader, found);
	}
	reader->at++;
	found = tl_mangled_substitution(reader, false);
	if (found == NULL || tl_mangled_peek(reader, 0) != 'I')
		return found;
	return tl_mangled_remember(reader, tl_mangled_instance(reader, found));
}

/* U NAME [arguments] TYPE, the U being read: a qualifier of the vendor's. */
static node vendor_qualified(struct tl_mangled_reader *reader)
{
	node name = tl_mangled_source_name(reader), list, type;
	struct tl_mangled_node *made;
	char *text;

	if (name == NULL || (tl_mangled_peek(reader, 0) == 'I' && !tl_mangled_template_arguments(reader, &list)))
		return NULL;
	type = tl_mangled_type(reader);
	text = tl_arena_allocate(&reader->arena, name->size + 1);
	reader->no_memory = reader->no_memory || text == NULL;
	made = type != NULL && text != NULL ? tl_mangled_make(reader, TL_MANGLED_SUFFIX, type, NULL) : NULL;
	if (made == NULL)
		return NULL;
	text[0] = ' ';
	memcpy(text + 1, name->text, name->size);
	made->text = text;
	made->size = name->size + 1;
	return made;
}

/* A type that is remembered, and is no name. */
static node compound_type(struct tl_mangled_reader *reader)
{
	char letter = *reader->at++;
	node target;

	switch (letter) {
	case 'P':
		return tl_mangled_around(reader, TL_MANGLED_POINTER, tl_mangled_type(reader));
	case 'R':
		return tl_mangled_around(reader, TL_MANGLED_REFERENCE, tl_mangled_type(reader));
	case 'O':
		return tl_mangled_around(reader, TL_MANGLED_RVALUE, tl_mangled_type(reader));
	case 'C':
	case 'G':
		target = tl_mangled_type(reader);
		return tl_mangled_suffixed(reader, TL_MANGLED_SUFFIX, target,
					   letter == 'C' ? " _Complex" : " _Imaginary");
	case 'F':
		return function_type(reader);
	case 'A':
		return array_type(reader, TL_MANGLED_ARRAY);
	case 'M':
		return member_pointer(reader);
	case 'U':
		return vendor_qualified(reader);
	default: /* u */
		return tl_mangled_source_name(reader);
	}
}

static node read_type(struct tl_mangled_reader *reader)
{
	char next = tl_mangled_peek(reader, 0), second = tl_mangled_peek(reader, 1);
	const char *words;
	node found = builtin(reader);

	if (found != NULL)
		return found;
	switch (next) {
	case '\0':
		return NULL;
	case 'r':
	case 'V':
	case 'K':
		words = tl_mangled_qualifiers(reader);
		/* Of a function they belong to it, and the function without them is not remembered. */
		if (tl_mangled_accept(reader, "F"))
			found = function_type(reader);
		else
			found = words != NULL ? tl_mangled_type(reader) : NULL;
		return tl_mangled_remember(reader, tl_mangled_suffixed(reader, TL_MANGLED_SUFFIX, found, words));
	case 'T':
		if (second != 's' && second != 'u' && second != 'e')
			return parameter_type(reader);
		reader->at += 2; /* "struct", "union", "enum" of what is not known further */
		return tl_mangled_remember(reader, tl_mangled_name(reader));
	case 'D':
		if (second == 'F') {
			reader->at += 2;
			return fixed_float(reader);
		}
		return tl_mangled_remember(reader, extended_type(reader));
	case 'U':
		if (second == 'l' || second == 't')
			return tl_mangled_remember(reader, tl_mangled_name(reader));
		return tl_mangled_remember(reader, compound_type(reader));
	default:
		if (strchr("PROCGFAMu", next) != NULL)
			return tl_mangled_remember(reader, compound_type(reader));
		return named_type(reader);
	}
}

node tl_mangled_type(struct tl_mangled_reader *reader)
{
	node found;

	if (!tl_mangled_enter(reader))
		return NULL;
	found = read_type(reader);
	tl_mangled_leave(reader);
	return found;
}
