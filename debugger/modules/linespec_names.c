#include "debugger/modules/linespec_names.h"

#include <string.h>

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/* Does the word "operator" end at name[i]? */
static bool behind_operator(const char *name, tl_size i)
{
	return i >= 8 && memcmp(name + i - 8, "operator", 8) == 0 && (i == 8 || !is_word(name[i - 9])) &&
	       !is_word(name[i]);
}

static bool is_open(char c)
{
	return c == '(' || c == '<' || c == '{' || c == '[';
}

static bool is_close(char c)
{
	return c == ')' || c == '>' || c == '}' || c == ']';
}

/* Behind what follows "operator" at name[i] and could be taken for brackets. */
static tl_size skip_operator(const char *name, tl_size size, tl_size i)
{
	/* Longer ones first. */
	static const char *const signs[] = {"<<=", ">>=", "<=>", "->*", "()", "[]", "<<",
					    ">>",  "<=",  ">=",  "->",  "<",  ">"};

	for (tl_size sign = 0; sign < TL_COUNT(signs); sign++) {
		tl_size length = strlen(signs[sign]);

		if (size - i >= length && memcmp(name + i, signs[sign], length) == 0)
			return i + length;
	}
	return i;
}

/* Behind the bracket that closes the one at name[i]. */
static tl_size skip_brackets(const char *name, tl_size size, tl_size i)
{
	tl_size depth = 0;

	do {
		depth += is_open(name[i]);
		depth -= is_close(name[i]);
		i++;
	} while (i < size && depth != 0);
	return i;
}

/* Is that a function in which something is, "f(int) const::" of "f(int) const::{lambda()#1}"? */
static bool is_scope(const char *name, tl_size size, tl_size behind)
{
	while (behind < size && (name[behind] == ' ' || name[behind] == '&' || is_word(name[behind])))
		behind++;
	return size - behind >= 2 && name[behind] == ':' && name[behind + 1] == ':';
}

/*
 * Where the parameters begin: at the first bracket outside of others that is not "(anonymous namespace)" and not that
 * of a function around.
 */
static tl_size parameters_at(const char *name, tl_size size)
{
	static const char anonymous[] = "(anonymous namespace)";

	for (tl_size i = 0; i < size;) {
		if (behind_operator(name, i) && skip_operator(name, size, i) != i)
			i = skip_operator(name, size, i);
		else if (name[i] == '(' &&
			 (size - i < sizeof(anonymous) - 1 ||
			  memcmp(name + i, anonymous, sizeof(anonymous) - 1) != 0) &&
			 !is_scope(name, size, skip_brackets(name, size, i)))
			return i;
		else if (is_open(name[i]))
			i = skip_brackets(name, size, i);
		else
			i++;
	}
	return size;
}

/* The next part of a name, behind "::" outside of brackets; NULL: there is none. */
static const char *next_part(const char *name)
{
	tl_size size = strlen(name);

	for (tl_size i = 0; i < size;) {
		if (behind_operator(name, i) && skip_operator(name, size, i) != i)
			i = skip_operator(name, size, i);
		else if (is_open(name[i]))
			i = skip_brackets(name, size, i);
		else if (name[i] == ':' && name[i + 1] == ':')
			return name + i + 2;
		else
			i++;
	}
	return NULL;
}

const char *tl_name_last_part(const char *name)
{
	for (const char *next; (next = next_part(name)) != NULL;)
		name = next;
	return name;
}

static tl_size count_parts(const char *name)
{
	tl_size count = 1;

	for (const char *next; (next = next_part(name)) != NULL; name = next)
		count++;
	return count;
}

/*
 * Writes a name without the blanks that mean nothing ("a<int,b<char>>"), as compilers, demanglers and people differ in
 * them, and without anonymous namespaces, which need not be given.
 */
static void write_plain(struct tl_output *output, const char *name, tl_size size)
{
	static const char anonymous[] = "(anonymous namespace)::";

	for (tl_size i = 0; i < size; i++) {
		bool blank = name[i] == ' ' || name[i] == '\t';

		if (size - i >= sizeof(anonymous) - 1 && memcmp(name + i, anonymous, sizeof(anonymous) - 1) == 0)
			i += sizeof(anonymous) - 2;
		else if (!blank || (i > 0 && i + 1 < size && is_word(name[i - 1]) && is_word(name[i + 1])))
			tl_output_bytes(output, name + i, 1);
	}
}

static void write_without_arguments(struct tl_output *output, const char *name)
{
	tl_size size = strlen(name);

	for (tl_size i = 0; i < size;) {
		if (behind_operator(name, i)) {
			tl_output_text(output, name + i);
			return;
		}
		if (name[i] == '<') {
			i = skip_brackets(name, size, i);
			continue;
		}
		tl_output_bytes(output, name + i, 1);
		i++;
	}
}

/* What is left of parameters: "(void)" is none. */
static void write_parameters(struct tl_output *output, const char *text, tl_size size)
{
	if (size >= 6 && memcmp(text, "(void)", 6) == 0) {
		tl_output_text(output, "()");
		text += 6;
		size -= 6;
	}
	while (size > 0 && *text == ' ') {
		text++;
		size--;
	}
	write_plain(output, text, size);
}

/*
 * Where the name begins behind what it returns, as symbols of templates have it ("void f<int>(int)"); only parameters
 * make it sure that it is not something else that has a blank in it.
 */
static tl_size name_at(const char *text, tl_size size)
{
	tl_size start = 0;

	for (tl_size i = 0; i < size;) {
		if (behind_operator(text, i))
			break;
		if (is_open(text[i]))
			i = skip_brackets(text, size, i);
		else if (text[i++] == ' ')
			start = i;
	}
	return start;
}

enum tl_status tl_sought_name_cut(struct tl_sought_name *name_ret, const struct tl_word *word, bool whole,
				  struct tl_error *error)
{
	tl_size at = parameters_at(word->text, word->size), size = at, start = 0;

	*name_ret = (struct tl_sought_name){.whole = whole || (size > 2 && memcmp(word->text, "::", 2) == 0),
					    .base = tl_output_make(TL_OUTPUT_MAX),
					    .indexed = tl_output_make(TL_OUTPUT_MAX),
					    .parameters = tl_output_make(TL_OUTPUT_MAX)};
	while (size > 0 && word->text[size - 1] == ' ')
		size--;
	if (whole && (size < 2 || memcmp(word->text, "::", 2) != 0))
		tl_output_text(&name_ret->base, "::");
	if (at < word->size)
		start = name_at(word->text, size);
	write_plain(&name_ret->base, word->text + start, size - start);
	write_without_arguments(&name_ret->indexed, tl_output_string(&name_ret->base));
	write_parameters(&name_ret->parameters, word->text + at, word->size - at);
	TL_TRY(tl_output_status(&name_ret->base, error));
	TL_TRY(tl_output_status(&name_ret->indexed, error));
	return tl_output_status(&name_ret->parameters, error);
}

void tl_sought_name_release(struct tl_sought_name *name)
{
	tl_output_release(&name->base);
	tl_output_release(&name->indexed);
	tl_output_release(&name->parameters);
}

/* Is a name, from a place on, the sought one, which may lack template arguments? */
static bool is_same(const char *name, const char *sought)
{
	tl_size size = strlen(name), at = 0, i = 0, signs = 0;

	while (sought[i] != '\0' && at < size && name[at] == sought[i]) {
		at++;
		i++;
		if (behind_operator(name, at))
			signs = skip_operator(name, size, at);
		if ((sought[i] == ':' || sought[i] == '\0') && name[at] == '<' && at >= signs)
			at = skip_brackets(name, size, at);
	}
	return sought[i] == '\0' && at == size;
}

bool tl_sought_name_matches(const struct tl_sought_name *name, const char *function)
{
	struct tl_output plain = tl_output_make(TL_OUTPUT_MAX);
	const char *sought = tl_output_string(&name->base), *part;
	tl_size parts, skipped;
	bool match = false;

	write_plain(&plain, function, parameters_at(function, strlen(function)));
	part = tl_output_string(&plain);
	sought += name->whole ? 2 : 0;
	parts = count_parts(sought);
	skipped = count_parts(part);
	/* The tail that has as many parts is the only one that can be it. */
	if (parts <= skipped && (!name->whole || parts == skipped)) {
		for (skipped -= parts; skipped > 0; skipped--)
			part = next_part(part);
		match = is_same(part, sought);
	}
	tl_output_release(&plain);
	return match;
}

bool tl_sought_parameters_match(const struct tl_sought_name *name, const char *function)
{
	struct tl_output plain = tl_output_make(TL_OUTPUT_MAX);
	tl_size size = strlen(function), at = parameters_at(function, size), sought = name->parameters.size;
	bool match;

	if (sought == 0)
		return true;
	write_parameters(&plain, function + at, size - at);
	/* "const" behind them may be left out. */
	match = plain.status == TL_OK &&
		(plain.size == 0 || (plain.size >= sought && memcmp(plain.text, name->parameters.text, sought) == 0 &&
				     (plain.size == sought || strcmp(plain.text + sought, "const") == 0)));
	tl_output_release(&plain);
	return match && strchr(name->parameters.text, ')') != NULL;
}
