#include "frontends/cli/full_screen_highlight.h"

#include <ctype.h>
#include <string.h>

/* Words of the language in order, for a search by halves. */
static const char *const keywords[] = {
	"alignas",       "alignof",     "asm",
	"break",         "case",        "catch",
	"class",         "const_cast",  "consteval",
	"constexpr",     "constinit",   "continue",
	"default",       "delete",      "do",
	"dynamic_cast",  "else",        "enum",
	"explicit",      "export",      "extern",
	"false",         "final",       "for",
	"friend",        "goto",        "if",
	"inline",        "namespace",   "new",
	"noexcept",      "nullptr",     "operator",
	"override",      "private",     "protected",
	"public",        "register",    "reinterpret_cast",
	"return",        "sizeof",      "static",
	"static_assert", "static_cast", "struct",
	"switch",        "template",    "this",
	"thread_local",  "throw",       "true",
	"try",           "typedef",     "typename",
	"typeof",        "union",       "using",
	"virtual",       "while",
};
static const char *const types[] = {
	"_Atomic",  "_Bool",    "_Complex",  "auto",      "bool",     "char",    "char16_t", "char32_t", "char8_t",
	"const",    "decltype", "double",    "float",     "int",      "int16_t", "int32_t",  "int64_t",  "int8_t",
	"intptr_t", "long",     "ptrdiff_t", "restrict",  "short",    "signed",  "size_t",   "ssize_t",  "uint16_t",
	"uint32_t", "uint64_t", "uint8_t",   "uintptr_t", "unsigned", "void",    "volatile", "wchar_t",
};

static bool is_among(const char *const *words, tl_size count, const char *word, tl_size size)
{
	tl_size low = 0, high = count;

	while (low < high) {
		tl_size middle = (low + high) / 2;
		int order = strncmp(words[middle], word, size);

		if (order == 0 && words[middle][size] != '\0')
			order = 1;
		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool tl_highlight_knows(const char *path)
{
	static const char *const endings[] = {".c", ".h", ".cc", ".cpp", ".cxx", ".C", ".hh", ".hpp", ".hxx", ".inl"};
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path, *dot = strrchr(name, '.');

	for (tl_size i = 0; dot != NULL && i < sizeof(endings) / sizeof(*endings); i++)
		if (strcmp(dot, endings[i]) == 0)
			return true;
	/* Headers of the C++ library have names without endings. */
	return dot == NULL && strstr(path, "/c++/") != NULL;
}

/* A line and where in it one is. */
struct scan {
	const char *bytes;
	tl_size size, at;
	tl_u8 *kinds;
};

static void mark(struct scan *scan, tl_size end, enum tl_highlight kind)
{
	if (end > scan->size)
		end = scan->size;
	for (; scan->at < end; scan->at++)
		if (scan->kinds != NULL)
			scan->kinds[scan->at] = (tl_u8)kind;
}

static bool follows(const struct scan *scan, const char *text)
{
	tl_size size = strlen(text);

	return scan->size - scan->at >= size && memcmp(scan->bytes + scan->at, text, size) == 0;
}

static bool goes_on(const struct scan *scan)
{
	return scan->size > 0 && scan->bytes[scan->size - 1] == '\\';
}

static void scan_comment(struct scan *scan, struct tl_highlight_state *state)
{
	tl_size end = scan->at;

	while (end + 1 < scan->size && !(scan->bytes[end] == '*' && scan->bytes[end + 1] == '/'))
		end++;
	state->comment = end + 1 >= scan->size;
	mark(scan, state->comment ? scan->size : end + 2, TL_HIGHLIGHT_COMMENT);
}

static void scan_quoted(struct scan *scan, struct tl_highlight_state *state, char quote)
{
	tl_size end = scan->at;

	while (end < scan->size && scan->bytes[end] != quote)
		end += scan->bytes[end] == '\\' ? 2 : 1;
	state->quote = end >= scan->size && goes_on(scan) ? quote : 0;
	mark(scan, end + 1, TL_HIGHLIGHT_TEXT);
}

static bool is_word(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_' || (unsigned char)byte >= 0x80;
}

static void scan_word(struct scan *scan, enum tl_highlight otherwise)
{
	const char *word = scan->bytes + scan->at;
	tl_size end = scan->at, size;
	enum tl_highlight kind = otherwise;

	while (end < scan->size && is_word(scan->bytes[end]))
		end++;
	size = end - scan->at;
	if (otherwise != TL_HIGHLIGHT_PLAIN)
		kind = otherwise;
	else if (is_among(keywords, sizeof(keywords) / sizeof(*keywords), word, size))
		kind = TL_HIGHLIGHT_KEYWORD;
	else if (is_among(types, sizeof(types) / sizeof(*types), word, size))
		kind = TL_HIGHLIGHT_TYPE;
	mark(scan, end, kind);
}

/* A preprocessing number (C17 6.4.8): signs belong to it behind exponents. */
static void scan_number(struct scan *scan)
{
	tl_size end = scan->at + 1;

	while (end < scan->size &&
	       (is_word(scan->bytes[end]) || scan->bytes[end] == '.' ||
		(scan->bytes[end] == '\'' && end + 1 < scan->size && isalnum((unsigned char)scan->bytes[end + 1])) ||
		((scan->bytes[end] == '+' || scan->bytes[end] == '-') && strchr("eEpP", scan->bytes[end - 1]) != NULL)))
		end++;
	mark(scan, end, TL_HIGHLIGHT_NUMBER);
}

static void scan_token(struct scan *scan, struct tl_highlight_state *state, enum tl_highlight otherwise)
{
	char byte = scan->bytes[scan->at];

	if (follows(scan, "//")) {
		state->line = goes_on(scan);
		mark(scan, scan->size, TL_HIGHLIGHT_COMMENT);
	} else if (follows(scan, "/*")) {
		mark(scan, scan->at + 2, TL_HIGHLIGHT_COMMENT);
		scan_comment(scan, state);
	} else if (byte == '"' || byte == '\'') {
		mark(scan, scan->at + 1, TL_HIGHLIGHT_TEXT);
		scan_quoted(scan, state, byte);
	} else if (isdigit((unsigned char)byte)) {
		scan_number(scan);
	} else if (is_word(byte)) {
		scan_word(scan, otherwise);
	} else {
		mark(scan, scan->at + 1, otherwise);
	}
}

void tl_highlight_line(struct tl_highlight_state *state, const char *bytes, tl_size size, tl_u8 *kinds_ret)
{
	struct scan scan = {bytes, size, 0, kinds_ret};
	tl_size first = 0;
	bool directive = state->directive;

	if (state->line) {
		mark(&scan, size, TL_HIGHLIGHT_COMMENT);
		state->line = goes_on(&scan);
		return;
	}
	if (state->comment)
		scan_comment(&scan, state);
	else if (state->quote != 0)
		scan_quoted(&scan, state, state->quote);
	while (first < size && (bytes[first] == ' ' || bytes[first] == '\t'))
		first++;
	if (scan.at == 0 && first < size && bytes[first] == '#')
		directive = true;
	while (scan.at < size)
		scan_token(&scan, state, directive ? TL_HIGHLIGHT_DIRECTIVE : TL_HIGHLIGHT_PLAIN);
	state->directive = directive && goes_on(&scan);
}
