/*
 * The words of an expression as a person types it: C's tokens (C17, 6.4), what C++ adds that a debugger needs, and what
 * gdb adds: $names, the value history, names in single quotes.
 *
 * Taking a token changes nothing but the place in the text, so that a parser may go back by copying the struct.
 */
#ifndef TL_DEBUGGER_TOKEN_H
#define TL_DEBUGGER_TOKEN_H

#include "base/error.h"
#include "core/types.h"

/* X(name, spelling): a longer spelling stands before its own beginning. */
#define TL_PUNCTUATOR_TABLE(X)                                                                                         \
	X(TL_SHIFT_LEFT_ASSIGN, "<<=")                                                                                 \
	X(TL_SHIFT_RIGHT_ASSIGN, ">>=")                                                                                \
	X(TL_ELLIPSIS, "...")                                                                                          \
	X(TL_ARROW, "->")                                                                                              \
	X(TL_INCREMENT, "++")                                                                                          \
	X(TL_DECREMENT, "--")                                                                                          \
	X(TL_SHIFT_LEFT, "<<")                                                                                         \
	X(TL_SHIFT_RIGHT, ">>")                                                                                        \
	X(TL_LESS_EQUAL, "<=")                                                                                         \
	X(TL_GREATER_EQUAL, ">=")                                                                                      \
	X(TL_EQUAL, "==")                                                                                              \
	X(TL_NOT_EQUAL, "!=")                                                                                          \
	X(TL_LOGICAL_AND, "&&")                                                                                        \
	X(TL_LOGICAL_OR, "||")                                                                                         \
	X(TL_ADD_ASSIGN, "+=")                                                                                         \
	X(TL_SUBTRACT_ASSIGN, "-=")                                                                                    \
	X(TL_MULTIPLY_ASSIGN, "*=")                                                                                    \
	X(TL_DIVIDE_ASSIGN, "/=")                                                                                      \
	X(TL_REMAINDER_ASSIGN, "%=")                                                                                   \
	X(TL_AND_ASSIGN, "&=")                                                                                         \
	X(TL_OR_ASSIGN, "|=")                                                                                          \
	X(TL_XOR_ASSIGN, "^=")                                                                                         \
	X(TL_SCOPE, "::")                                                                                              \
	X(TL_OPEN_PARENTHESIS, "(")                                                                                    \
	X(TL_CLOSE_PARENTHESIS, ")")                                                                                   \
	X(TL_OPEN_BRACKET, "[")                                                                                        \
	X(TL_CLOSE_BRACKET, "]")                                                                                       \
	X(TL_OPEN_BRACE, "{")                                                                                          \
	X(TL_CLOSE_BRACE, "}")                                                                                         \
	X(TL_DOT, ".")                                                                                                 \
	X(TL_AMPERSAND, "&")                                                                                           \
	X(TL_STAR, "*")                                                                                                \
	X(TL_PLUS, "+")                                                                                                \
	X(TL_MINUS, "-")                                                                                               \
	X(TL_TILDE, "~")                                                                                               \
	X(TL_EXCLAMATION, "!")                                                                                         \
	X(TL_SLASH, "/")                                                                                               \
	X(TL_PERCENT, "%")                                                                                             \
	X(TL_LESS, "<")                                                                                                \
	X(TL_GREATER, ">")                                                                                             \
	X(TL_CARET, "^")                                                                                               \
	X(TL_BAR, "|")                                                                                                 \
	X(TL_QUESTION, "?")                                                                                            \
	X(TL_COLON, ":")                                                                                               \
	X(TL_ASSIGN, "=")                                                                                              \
	X(TL_COMMA, ",")                                                                                               \
	X(TL_AT, "@")

enum tl_punctuator {
	TL_NO_PUNCTUATOR,
#define X(name, spelling) name,
	TL_PUNCTUATOR_TABLE(X)
#undef X
		TL_PUNCTUATOR_MAX
};

enum tl_token_kind {
	TL_TOKEN_END,
	TL_TOKEN_INTEGER,
	TL_TOKEN_REAL,
	TL_TOKEN_CHARACTER, /* 'a', L'a' … of exactly one character */
	TL_TOKEN_STRING,
	TL_TOKEN_NAME,
	TL_TOKEN_QUOTED,   /* 'several characters': a symbol or file, spelled as it is */
	TL_TOKEN_VARIABLE, /* $name: a register or a convenience variable; the text is without the $ */
	TL_TOKEN_HISTORY,  /* $  $$  $7  $$3 */
	TL_TOKEN_PUNCTUATOR
};

/* How wide a literal asks to be. */
enum tl_literal_rank {
	TL_RANK_INT,
	TL_RANK_LONG,
	TL_RANK_LONG_LONG,
	TL_RANK_FLOAT,
	TL_RANK_DOUBLE,
	TL_RANK_LONG_DOUBLE
};

struct tl_token {
	enum tl_token_kind kind;
	enum tl_punctuator punctuator;
	const char *text; /* in the text it was taken from, quotes and prefixes left out */
	tl_size size;
	tl_size at;     /* where it begins */
	tl_u64 integer; /* its value; of a history: how far back, or which one */
	long double real;
	enum tl_literal_rank rank;
	bool is_unsigned; /* it has the suffix u */
	bool is_decimal;  /* other literals may be unsigned without a suffix (C17, 6.4.4.1) */
	bool is_absolute; /* of a history: $7 rather than $$7 */
	tl_u8 width;      /* bytes of a character in the program, for prefixes: 1; u 2; U and L 4 */
};

struct tl_text {
	const char *start, *at, *end;
};

/* Over `size` bytes that outlive every token. */
struct tl_text tl_text_make(const char *bytes, tl_size size);

/* Takes the next token. TL_ERROR_MALFORMED, with nothing taken, where there is none: `error` says what is wrong there.
 */
TL_CHECKED enum tl_status tl_token_take(struct tl_text *text, struct tl_token *token_ret, struct tl_error *error);

/*
 * Undoes the escapes of a string's text (C17, 6.4.4.4; \e besides) into at most `size` bytes, UTF-8 for \u and \U. Sets
 * *done_ret to how many it takes, also where there is no room. TL_ERROR_MALFORMED for an escape that is none.
 */
TL_CHECKED enum tl_status tl_token_unescape(const struct tl_token *token, char *buffer, tl_size size, tl_size *done_ret,
					    struct tl_error *error);

/* The spelling of a punctuator; "" for none. */
const char *tl_punctuator_text(enum tl_punctuator punctuator);

#endif
