#include "symbols/demangle.h"

#include "symbols/demangle_tree.h"

#include <string.h>

/* What a name of the longest kind takes is far below this. */
#define ARENA_MAX ((tl_size)64 << 20)

typedef const struct tl_mangled_node *node;

/* ---- Encodings: 5.1.4 ---- */

static node last_part(node name)
{
	while (name != NULL && (name->kind == TL_MANGLED_METHOD || name->kind == TL_MANGLED_TAGGED ||
				name->kind == TL_MANGLED_LOCAL || name->kind == TL_MANGLED_QUALIFIED))
		name = name->kind == TL_MANGLED_METHOD || name->kind == TL_MANGLED_TAGGED ? name->a : name->b;
	return name;
}

/* Whether the first type behind a name is that of the result: for templates, but not if the name says what it is. */
static bool has_result(node name)
{
	node part = last_part(name);

	if (part == NULL || part->kind != TL_MANGLED_TEMPLATE)
		return false;
	part = last_part(part->a);
	return part != NULL && part->kind != TL_MANGLED_CONSTRUCTOR && part->kind != TL_MANGLED_DESTRUCTOR &&
	       part->kind != TL_MANGLED_CONVERSION;
}

static node bare_function(struct tl_mangled_reader *reader, node name, bool top)
{
	bool result = has_result(name);
	node first = NULL, list;
	struct tl_mangled_node *made;

	if (tl_mangled_accept(reader, "J"))
		result = true;
	if (result) {
		first = tl_mangled_type(reader);
		if (first == NULL)
			return NULL;
	}
	if (!tl_mangled_parameters(reader, &list))
		return NULL;
	/* Around local names the result is left away. */
	made = tl_mangled_make_text(reader, TL_MANGLED_FUNCTION, "", top ? first : NULL);
	if (made != NULL)
		made->b = list;
	return made;
}

/* h NUMBER _ and v NUMBER _ NUMBER _: by how much a thunk moves `this`. */
static bool call_offset(struct tl_mangled_reader *reader)
{
	bool virtual = tl_mangled_accept(reader, "v");
	tl_u32 number;

	if (!virtual && !tl_mangled_accept(reader, "h"))
		return false;
	for (unsigned i = 0; i < (virtual ? 2u : 1u); i++) {
		(void)tl_mangled_accept(reader, "n");
		if (!tl_mangled_number(reader, &number) || !tl_mangled_accept(reader, "_"))
			return false;
	}
	return true;
}

static node prefixed(struct tl_mangled_reader *reader, const char *text, node a)
{
	return a != NULL ? tl_mangled_make_text(reader, TL_MANGLED_SPECIAL, text, a) : NULL;
}

/* TC TYPE NUMBER _ TYPE, the TC being read: the virtual table while an object is being made. */
static node construction(struct tl_mangled_reader *reader)
{
	node derived = tl_mangled_type(reader), base;
	struct tl_mangled_node *made;
	tl_u32 offset;

	if (derived == NULL || !tl_mangled_number(reader, &offset) || !tl_mangled_accept(reader, "_"))
		return NULL;
	base = tl_mangled_type(reader);
	made = base != NULL ? tl_mangled_make_text(reader, TL_MANGLED_SPECIAL, "construction vtable for ", base) : NULL;
	if (made != NULL)
		made->b = derived;
	return made;
}

/* GR NAME [number] _: what a reference is bound to. */
static node temporary(struct tl_mangled_reader *reader)
{
	node name = tl_mangled_name(reader);
	struct tl_mangled_node *made;
	tl_u32 number = 0;

	if (name == NULL)
		return NULL;
	if (tl_mangled_peek(reader, 0) != '\0' && !tl_mangled_ordinal(reader, &number))
		return NULL;
	made = tl_mangled_make_text(reader, TL_MANGLED_NUMBERED, "reference temporary #", name);
	if (made != NULL)
		made->number = number;
	return made;
}

static node special_name(struct tl_mangled_reader *reader, bool *known_ret)
{
	static const struct {
		char code[4], what; /* a type, a name, an encoding */
		const char *text;
	} names[] = {{"TV", 't', "vtable for "},
		     {"TT", 't', "VTT for "},
		     {"TI", 't', "typeinfo for "},
		     {"TS", 't', "typeinfo name for "},
		     {"TF", 't', "typeinfo fn for "},
		     {"TH", 'n', "TLS init function for "},
		     {"TW", 'n', "TLS wrapper function for "},
		     {"TA", 'a', "template parameter object for "},
		     {"GV", 'n', "guard variable for "},
		     {"GA", 'e', "hidden alias for "},
		     {"GTn", 'e', "non-transaction clone for "},
		     {"GTt", 'e', "transaction clone for "},
		     {"GT", 'e', "transaction clone for "}};

	*known_ret = true;
	for (tl_size i = 0; i < TL_COUNT(names); i++) {
		if (!tl_mangled_accept(reader, names[i].code))
			continue;
		return prefixed(reader, names[i].text,
				names[i].what == 't'   ? tl_mangled_type(reader)
				: names[i].what == 'n' ? tl_mangled_name(reader)
				: names[i].what == 'a' ? tl_mangled_template_argument(reader)
						       : tl_mangled_encoding(reader, false));
	}
	if (tl_mangled_accept(reader, "TC"))
		return construction(reader);
	if (tl_mangled_accept(reader, "GR"))
		return temporary(reader);
	if (tl_mangled_accept(reader, "Tc")) {
		/* One for the object, one for the result. */
		if (!call_offset(reader))
			return NULL;
		if (!call_offset(reader))
			return NULL;
		return prefixed(reader, "covariant return thunk to ", tl_mangled_encoding(reader, false));
	}
	if (tl_mangled_peek(reader, 0) == 'T' &&
	    (tl_mangled_peek(reader, 1) == 'h' || tl_mangled_peek(reader, 1) == 'v')) {
		bool virtual = tl_mangled_peek(reader, 1) == 'v';

		reader->at++;
		return call_offset(reader) ? prefixed(reader, virtual ? "virtual thunk to " : "non-virtual thunk to ",
						      tl_mangled_encoding(reader, false))
					   : NULL;
	}
	*known_ret = false;
	return NULL;
}

node tl_mangled_encoding(struct tl_mangled_reader *reader, bool top)
{
	char next;
	bool known;
	node name, function;

	if (!tl_mangled_enter(reader))
		return NULL;
	name = special_name(reader, &known);
	if (!known) {
		name = tl_mangled_name(reader);
		next = tl_mangled_peek(reader, 0);
		if (name != NULL && next != '\0' && next != 'E' && next != '.') {
			function = bare_function(reader, name, top);
			name = function != NULL ? tl_mangled_make(reader, TL_MANGLED_ENCODING, name, function) : NULL;
		}
	}
	tl_mangled_leave(reader);
	return name;
}

/* What compilers append to copies of functions: ".part.0", ".constprop.1.isra.2". */
static node clones(struct tl_mangled_reader *reader, node name)
{
	while (name != NULL && tl_mangled_peek(reader, 0) == '.') {
		const char *start = reader->at;
		struct tl_mangled_node *made;
		char next = tl_mangled_peek(reader, 1);

		if (tl_mangled_is_lower(next) || tl_mangled_is_digit(next) || next == '_')
			for (reader->at += 2; tl_mangled_is_lower(tl_mangled_peek(reader, 0)) ||
					      tl_mangled_is_digit(*reader->at) || *reader->at == '_';)
				reader->at++;
		while (tl_mangled_peek(reader, 0) == '.' && tl_mangled_is_digit(tl_mangled_peek(reader, 1)))
			for (reader->at += 2; tl_mangled_is_digit(tl_mangled_peek(reader, 0));)
				reader->at++;
		if (reader->at == start)
			return NULL;
		made = tl_mangled_make(reader, TL_MANGLED_CLONE, name, NULL);
		if (made == NULL)
			return NULL;
		made->text = start;
		made->size = (tl_size)(reader->at - start);
		name = made;
	}
	return name;
}

/* ---- The whole ---- */

bool tl_demangle_is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || (strncmp(name, "_GLOBAL_", 8) == 0 && name[8] != '\0' &&
						     strchr("._$", name[8]) != NULL &&
						     (name[9] == 'D' || name[9] == 'I') && name[10] == '_'));
}

static node whole(struct tl_mangled_reader *reader)
{
	const char *text;
	struct tl_mangled_node *made;
	node name;

	if (tl_mangled_accept(reader, "_Z"))
		return clones(reader, tl_mangled_encoding(reader, true));
	text = reader->at[9] == 'I' ? "global constructors keyed to " : "global destructors keyed to ";
	reader->at += 11;
	if (tl_mangled_accept(reader, "_Z"))
		return prefixed(reader, text, tl_mangled_encoding(reader, false));
	made = tl_mangled_make(reader, TL_MANGLED_NAME, NULL, NULL);
	if (made == NULL)
		return NULL;
	made->text = reader->at;
	made->size = (tl_size)(reader->end - reader->at);
	reader->at = reader->end;
	name = made;
	return prefixed(reader, text, name);
}

/* From a tree to the text; what it is worth is decided here alone. */
static enum tl_status finish(struct tl_mangled_reader *reader, node tree, enum tl_demangle_form form, const char *name,
			     struct tl_output *output, struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_DEMANGLE_TEXT_MAX);
	enum tl_status status = TL_ERROR_MALFORMED;

	if (reader->no_memory)
		status = TL_ERROR_NO_MEMORY;
	else if (reader->too_much)
		status = TL_ERROR_TOO_LONG;
	else if (tree != NULL && reader->at == reader->end)
		status = tl_mangled_print(tree, form, &text);
	if (status == TL_OK) {
		tl_output_bytes(output, text.text, text.size);
		tl_output_text(output, reader->end);
		status = tl_output_status(output, error);
	} else {
		status = TL_FAIL(error, status, "\"%.60s\" cannot be demangled: %s", name,
				 status == TL_ERROR_MALFORMED  ? "it begins like a name of C++ and goes on like none"
				 : status == TL_ERROR_TOO_LONG ? "what it stands for is too long"
							       : "there is no memory");
	}
	tl_output_release(&text);
	tl_arena_clear(&reader->arena);
	return status;
}

enum tl_status tl_demangle(const char *name, enum tl_demangle_form form, struct tl_output *output,
			   struct tl_error *error)
{
	struct tl_mangled_reader reader = {.at = name, .arena = {.limit = ARENA_MAX}};
	tl_size size = strcspn(name, "@");

	if (!tl_demangle_is_mangled(name))
		return TL_ERROR_ARGUMENT;
	reader.end = name + size;
	reader.too_much = size > TL_DEMANGLE_NAME_MAX;
	return finish(&reader, reader.too_much ? NULL : whole(&reader), form, name, output, error);
}

enum tl_status tl_demangle_type(const char *name, struct tl_output *output, struct tl_error *error)
{
	struct tl_mangled_reader reader = {.at = name, .arena = {.limit = ARENA_MAX}};

	reader.end = name + strlen(name);
	reader.too_much = (tl_size)(reader.end - name) > TL_DEMANGLE_NAME_MAX;
	return finish(&reader, reader.too_much ? NULL : tl_mangled_type(&reader), TL_DEMANGLE_WHOLE, name, output,
		      error);
}
