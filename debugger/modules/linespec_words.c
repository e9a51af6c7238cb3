#include "debugger/modules/linespec_words.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* As it may stand in a name. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$';
}

static const char *skip_blanks(const char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

/* The size of the keyword that `text` begins with, 0 for none. */
static tl_size keyword(const char *text)
{
	static const char *const keywords[] = {"if", "thread", "task", "-force-condition"};

	for (tl_size i = 0; i < TL_COUNT(keywords); i++) {
		tl_size size = strlen(keywords[i]);

		/* "if(" is not gdb's, but what a C programmer types. */
		if (strncmp(text, keywords[i], size) == 0 &&
		    (is_blank(text[size]) || (i == 0 && text[size] == '(') || (i == 3 && text[size] == '\0')))
			return size;
	}
	return 0;
}

bool tl_words_end(const char *text)
{
	tl_size size = keyword(text);
	tl_size next;

	if (size == 0)
		return false;
	next = keyword(skip_blanks(text + size));
	/* "thread thread 2" is a function of that name, in thread 2; "-force-condition" has a keyword behind it. */
	if (text[0] == 't')
		return next == 0;
	return text[0] != '-' || next != 0 || *skip_blanks(text + size) == '\0';
}

bool tl_word_line(const struct tl_word *word, struct tl_word_line *line_ret)
{
	struct tl_word_line line = {0};
	tl_size i = 0;
	tl_u64 number = 0;

	if (word->text == NULL || word->size == 0)
		return false;
	if (word->text[0] == '+' || word->text[0] == '-')
		line.sign = word->text[i++];
	line.bare = i == word->size;
	for (; i < word->size; i++) {
		if (!is_digit(word->text[i]))
			return false;
		number = number * 10 + (tl_u64)(word->text[i] - '0');
		if (number > TL_U32_MAX)
			return false;
	}
	line.number = (tl_u32)number;
	*line_ret = line;
	return true;
}

/* ---- Strings ---- */

/* Does "operator" end here? What follows it is no bracket. */
static bool behind_operator(const char *start, const char *at)
{
	while (at > start && is_blank(at[-1]))
		at--;
	return at - start >= 8 && memcmp(at - 8, "operator", 8) == 0 && (at - 8 == start || !is_letter(at[-9]));
}

/* Behind the bracket that closes the one at `at`, or the end of the text. */
static const char *skip_brackets(const char *at)
{
	tl_size depth = 0;

	for (; *at != '\0'; at++) {
		if (*at == '(' || *at == '<' || *at == '[' || *at == '{')
			depth++;
		else if ((*at == ')' || *at == '>' || *at == ']' || *at == '}') && at[-1] != '-')
			depth--;
		if (depth == 0)
			return at + 1;
	}
	return at;
}

/* Behind the signs of an operator, as in "operator<<": "operator()" and "operator," among them. */
static const char *skip_operator(const char *at)
{
	/* Longer ones first: "operator==<int>" is a template. */
	static const char *const signs[] = {"<=>", "<<=", ">>=", "->*", "[]", "<<", ">>", "<=", ">=", "->", "==", "!=",
					    "&&",  "||",  "++",  "--",  "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="};

	if (at[0] == '(' && skip_blanks(at + 1)[0] == ')')
		return skip_blanks(at + 1) + 1;
	for (tl_size i = 0; i < TL_COUNT(signs); i++)
		if (strncmp(at, signs[i], strlen(signs[i])) == 0)
			return at + strlen(signs[i]);
	return at + (*at != '\0' && strchr("<>=!+-*/%&|^~,", *at) != NULL);
}

/*
 * Behind the string that begins at `at`: until a colon that stands alone, a comma, or blanks with a keyword behind them
 * (of an explicit place: with an option). Blanks inside stay, for "unsigned int" and its like.
 */
static const char *end_of_string(const char *start, bool explicit)
{
	const char *at = start;

	while (*at != '\0') {
		if (is_blank(*at)) {
			const char *next = skip_blanks(at);

			if (tl_words_end(next) || *next == '\0' ||
			    (explicit && next[0] == '-' && !is_digit(next[1]) && !behind_operator(start, at)))
				return at;
			at = next;
		} else if (behind_operator(start, at) && skip_operator(at) > at) {
			at = skip_operator(at);
		} else if (*at == ':' && at[1] == ':') {
			at += 2;
		} else if (*at == ',' ||
			   (*at == ':' && !explicit && (at - start < 4 || memcmp(at - 4, "[abi", 4) != 0))) {
			return at;
		} else if (*at == '(' || *at == '<') {
			at = skip_brackets(at);
		} else {
			at++;
		}
	}
	return at;
}

static struct tl_word word_of(const char *start, const char *end)
{
	while (end > start && is_blank(end[-1]))
		end--;
	return (struct tl_word){start, (tl_size)(end - start)};
}

/* A word in quotes, or a string. *at_ret moves behind it and blanks. */
static enum tl_status read_word(const char **at_ret, bool explicit, struct tl_word *word_ret, bool *quoted_ret,
				struct tl_error *error)
{
	const char *start = *at_ret, *end;

	*quoted_ret = *start == '"' || *start == '\'';
	if (*quoted_ret) {
		end = strchr(start + 1, *start);
		if (end == NULL)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "unmatched quote");
		*word_ret = (struct tl_word){start + 1, (tl_size)(end - start - 1)};
		end++;
	} else {
		end = end_of_string(start, explicit);
		*word_ret = word_of(start, end);
	}
	*at_ret = skip_blanks(end);
	return TL_OK;
}

/* ---- Plain places ---- */

static enum tl_status unexpected(const char *at, struct tl_error *error)
{
	const char *what = "string";
	struct tl_word word;
	struct tl_word_line line;

	if (*at == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "malformed linespec error: unexpected end of input.");
	if (tl_words_end(at)) {
		word = (struct tl_word){at, strcspn(at, " \t(")};
		what = "keyword";
	} else if (*at == ':' || *at == ',') {
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "malformed linespec error: unexpected %s.",
			       *at == ':' ? "colon" : "comma");
	} else {
		word = word_of(at, end_of_string(at, false));
		if (tl_word_line(&word, &line))
			what = "number";
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "malformed linespec error: unexpected %s, \"%.*s\".", what,
		       word.size < 100 ? (int)word.size : 100, word.text);
}

/* Until the end of the text, or, in a place that is in quotes as a whole, until those. */
static enum tl_status read_parts(const char *at, struct tl_words *words, const char **rest_ret, struct tl_error *error)
{
	words->kind = TL_WORDS_PARTS;
	for (;;) {
		struct tl_word *word = &words->parts[words->count];
		struct tl_word_line line;

		if (*at == '\0' || *at == ',' || (*at == ':' && at[1] != ':') || tl_words_end(at) ||
		    words->count == TL_WORDS_PARTS_MAX)
			return unexpected(at, error);
		TL_TRY(read_word(&at, false, word, &words->quoted[words->count], error));
		words->count++;
		if (*at == '\0' || *at == ',' || tl_words_end(at))
			break;
		/* Behind a line nothing more can come. */
		if (*at != ':' || (tl_word_line(word, &line) && words->count > 1))
			return unexpected(at, error);
		at = skip_blanks(at + 1);
	}
	*rest_ret = at;
	return TL_OK;
}

/* Behind the quotes in which all of a place stands ('a.c:12', as some front ends have it); NULL when it does not. */
static const char *enclosed(const char *text)
{
	const char *end = *text == '"' || *text == '\'' ? strchr(text + 1, *text) : NULL;

	if (end == NULL)
		return NULL;
	end = skip_blanks(end + 1);
	return *end == '\0' || *end == ',' || tl_words_end(end) ? end : NULL;
}

/*
 * A place in quotes is read as if they were not there; only the words that the quotes end must not go beyond them. The
 * text cannot be changed, so that parts that reach too far are cut.
 */
static enum tl_status read_enclosed(const char *text, const char *behind, struct tl_words *words, const char **rest_ret,
				    struct tl_error *error)
{
	const char *end = strchr(text + 1, *text), *start = text + 1;

	words->kind = TL_WORDS_PARTS;
	*rest_ret = behind;
	for (;;) {
		const char *stop;

		start = skip_blanks(start);
		stop = end_of_string(start, false);
		if (stop > end)
			stop = end;
		if (words->count == TL_WORDS_PARTS_MAX || start >= stop)
			return unexpected(start >= end ? "" : start, error);
		words->parts[words->count++] = word_of(start, stop);
		stop = skip_blanks(stop);
		if (stop >= end)
			return TL_OK;
		if (*stop != ':')
			return unexpected(stop, error);
		start = stop + 1;
	}
}

/* ---- Addresses ---- */

/* Behind an expression: at a comma or a keyword outside of brackets and quotes. */
static const char *end_of_expression(const char *at)
{
	const char *start = at;
	tl_size depth = 0;

	for (; *at != '\0'; at++) {
		if (*at == '"' || *at == '\'') {
			const char *end = strchr(at + 1, *at);

			if (end != NULL)
				at = end;
		} else if (*at == '(' || *at == '[' || *at == '{') {
			depth++;
		} else if (*at == ')' || *at == ']' || *at == '}') {
			depth -= depth != 0;
		} else if (depth == 0 && (*at == ',' || ((at == start || is_blank(at[-1])) && tl_words_end(at)))) {
			break;
		}
	}
	return at;
}

/* ---- Explicit places ---- */

/* What an option is kept in; NULL for one that is not known. Beginnings of options will do, as in gdb. */
static struct tl_word *option(struct tl_words *words, const struct tl_word *name)
{
	static const char *const names[] = {"-source", "-function", "-line", "-label"};
	struct tl_word *kept[] = {&words->source, &words->function, &words->line, &words->label};

	for (tl_size i = 0; i < TL_COUNT(names); i++)
		if (name->size >= 2 && name->size <= strlen(names[i]) && memcmp(names[i], name->text, name->size) == 0)
			return kept[i];
	return NULL;
}

static bool is_qualified(const struct tl_word *name)
{
	return name->size >= 2 && name->size <= 10 && memcmp("-qualified", name->text, name->size) == 0;
}

static enum tl_status read_explicit(const char *at, struct tl_words *words, const char **rest_ret,
				    struct tl_error *error)
{
	while (*at == '-' && !tl_words_end(at)) {
		struct tl_word name = {at, strcspn(at, " \t\n,")};
		struct tl_word *kept = option(words, &name);
		bool quoted;

		at = skip_blanks(at + name.size);
		if (is_qualified(&name)) {
			words->qualified = true;
			continue;
		}
		if (kept == NULL)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "invalid explicit argument, \"%.*s\"",
				       name.size < 100 ? (int)name.size : 100, name.text);
		if (*at == '\0' || *at == ',' || tl_words_end(at))
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "missing argument for \"%.*s\"", (int)name.size,
				       name.text);
		words->kind = TL_WORDS_EXPLICIT;
		TL_TRY(read_word(&at, true, kept, &quoted, error));
	}
	/* "-qualified f" is a plain place. */
	if (words->kind != TL_WORDS_EXPLICIT && *at != '\0' && *at != ',' && !tl_words_end(at))
		return read_parts(at, words, rest_ret, error);
	if (words->kind != TL_WORDS_EXPLICIT)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "-qualified needs a function behind it.");
	if (words->source.text != NULL && words->function.text == NULL && words->label.text == NULL &&
	    words->line.text == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Source filename requires function, label, or line offset.");
	if (*at != '\0' && *at != ',' && !tl_words_end(at))
		return unexpected(at, error);
	*rest_ret = at;
	return TL_OK;
}

enum tl_status tl_words_read(const char *text, struct tl_words *words_ret, const char **rest_ret,
			     struct tl_error *error)
{
	struct tl_words words = {.kind = TL_WORDS_HERE};
	const char *at = skip_blanks(text), *rest = at, *behind;

	if (*at == '\0' || *at == ',' || tl_words_end(at)) {
		rest = at;
	} else if (*at == '*') {
		const char *start = skip_blanks(at + 1);

		words.kind = TL_WORDS_ADDRESS;
		rest = end_of_expression(start);
		words.address = word_of(start, rest);
	} else if (*at == '-' && is_letter(at[1]) && !is_digit(at[1])) {
		TL_TRY(read_explicit(at, &words, &rest, error));
	} else if ((behind = enclosed(at)) != NULL) {
		TL_TRY(read_enclosed(at, behind, &words, &rest, error));
	} else {
		TL_TRY(read_parts(at, &words, &rest, error));
	}
	*words_ret = words;
	*rest_ret = rest;
	return TL_OK;
}
