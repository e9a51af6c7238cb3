/*
 * Colours for lines of C and C++ in the source window: keywords, types that are words of the language, strings and
 * characters, numbers, comments, and what the preprocessor does. It looks at words, not at meanings, and what a line
 * begins inside of (a comment, a string that goes on) is worked out from the start of the file. Any thread.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_HIGHLIGHT_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_HIGHLIGHT_H

#include "core/types.h"

enum tl_highlight {
	TL_HIGHLIGHT_PLAIN,
	TL_HIGHLIGHT_KEYWORD,
	TL_HIGHLIGHT_TYPE,
	TL_HIGHLIGHT_TEXT, /* strings and characters */
	TL_HIGHLIGHT_NUMBER,
	TL_HIGHLIGHT_COMMENT,
	TL_HIGHLIGHT_DIRECTIVE
};

/* What a line begins inside of. All zero: of nothing, as a file does. */
struct tl_highlight_state {
	bool comment;   /* of several lines */
	bool line;      /* a // comment whose line ended in a backslash */
	bool directive; /* of the preprocessor, likewise */
	char quote;     /* a string, likewise; 0: none */
};

/* Is it a file of C or C++, by its name? */
bool tl_highlight_knows(const char *path);

/*
 * Looks at a line without its end, and goes on to what the next one begins inside of. `kinds_ret`, one for each byte,
 * may be NULL: where only the state is wanted.
 */
void tl_highlight_line(struct tl_highlight_state *state, const char *bytes, tl_size size, tl_u8 *kinds_ret);

#endif
