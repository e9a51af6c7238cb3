/*
 * Places as they are typed, cut into their words (GDB manual, "Specify Location"). What the words mean, and whether the
 * first of them is a file or a function, only a program can tell: debugger/modules/linespec.h asks it. Knows no
 * program; any thread.
 */
#ifndef TL_DEBUGGER_LINESPEC_WORDS_H
#define TL_DEBUGGER_LINESPEC_WORDS_H

#include "base/error.h"
#include "core/types.h"

/* A part of the text; NULL: it is not there. */
struct tl_word {
	const char *text;
	tl_size size;
};

/* A line: "12", "+3", "-3". */
struct tl_word_line {
	char sign; /* 0, '+' or '-' */
	bool bare; /* a sign with no number behind it */
	tl_u32 number;
};

enum tl_words_kind {
	TL_WORDS_HERE,    /* nothing: where one stands */
	TL_WORDS_ADDRESS, /* *EXPRESSION */
	TL_WORDS_PARTS,   /* A, A:B, A:B:C */
	TL_WORDS_EXPLICIT /* -function F and its like */
};

#define TL_WORDS_PARTS_MAX 4

struct tl_words {
	enum tl_words_kind kind;
	bool qualified;         /* -qualified: a function's name is whole */
	struct tl_word address; /* the expression; may be empty */
	struct tl_word parts[TL_WORDS_PARTS_MAX];
	bool quoted[TL_WORDS_PARTS_MAX]; /* it was in quotes: it is no line */
	tl_size count;
	struct tl_word source, function, label, line; /* explicit ones */
};

/*
 * Cuts a place from the start of `text`, which it ends at a comma, at the end, or at one of the words that may follow a
 * place ("if", "thread", "task", "-force-condition"); *rest_ret points there, behind blanks. Words lie in `text`.
 * TL_ERROR_ARGUMENT: it is none, in gdb's words.
 */
TL_CHECKED enum tl_status tl_words_read(const char *text, struct tl_words *words_ret, const char **rest_ret,
					struct tl_error *error);

/* Is a word a line? More than 32 bits are not. */
bool tl_word_line(const struct tl_word *word, struct tl_word_line *line_ret);

/* Does a word that may follow a place begin here ("if x", "thread 2")? */
bool tl_words_end(const char *text);

#endif
