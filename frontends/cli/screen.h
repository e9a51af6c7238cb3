/*
 * What a person reads: text on standard output, in pages, with colours where they can be seen, and copied to a log.
 *
 * Text is collected and written when the buffer is full or somebody flushes, which everything that waits must do.
 * Nothing here knows how lines are edited: whoever edits one is asked, before anything is written, to take it away
 * (`hide`). Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_SCREEN_H
#define TL_FRONTENDS_CLI_SCREEN_H

#include "base/error.h"
#include "core/types.h"
#include "symbols/output.h"

#define TL_SCREEN_BUFFER 8192

/* The colours are gdb's (GDB manual, "Output Styling"). */
enum tl_style {
	TL_STYLE_PLAIN,
	TL_STYLE_FILENAME,
	TL_STYLE_FUNCTION,
	TL_STYLE_VARIABLE,
	TL_STYLE_ADDRESS,
	TL_STYLE_TITLE,
	TL_STYLE_HIGHLIGHT,
	TL_STYLE_METADATA,
	TL_STYLE_MAX
};

struct tl_screen {
	int descriptor;               /* standard output */
	bool terminal;                /* it is one */
	char codes[TL_STYLE_MAX][24]; /* what switches each style on */
	bool styled;                  /* colours are wanted: a setting, and false where it is no terminal */
	bool paging;                  /* a setting */
	bool raw;                     /* the terminal does not turn \n into \r\n now */
	tl_u32 height, width;         /* 0: unlimited */
	/*
	 * A window of the full screen in place of the terminal: gets all that would go there, and what \n means
	 * ("returns": to the left, too); its size. NULL: there is none.
	 */
	void (*window)(void *context, const char *bytes, tl_size size, bool returns);
	void *window_context;
	tl_u32 window_height, window_width;
	tl_u32 line, column;    /* lines since the last prompt; columns since the last newline */
	bool cut;               /* the person has seen enough: what comes is dropped until the next command */
	bool whole;             /* the person wants the rest of this command's output without pauses */
	unsigned unpaged;       /* > 0: nobody may be asked now, as inside a turn of the loop */
	int log;                /* -1: none */
	bool log_alone;         /* the log in place of the screen */
	struct tl_output *held; /* takes what is written, in place of both; NULL: nothing is held back */
	char buffer[TL_SCREEN_BUFFER];
	tl_size size;
	unsigned escape; /* where inside an escape sequence the text is, for counting columns */
	/* Takes away the line that is being edited; NULL: there is none. */
	void (*hide)(void *context);
	/* A page is full. False: the rest is not wanted. NULL: nobody can be asked. */
	bool (*more)(void *context);
	void *context;
};

/* A screen on a descriptor, 80 by 24 until told otherwise; the caller fills in the hooks. */
void tl_screen_open(struct tl_screen *screen, int descriptor);
/* Flushes, and closes the log. */
void tl_screen_close(struct tl_screen *screen);

void tl_screen_text(struct tl_screen *screen, const char *text);
void tl_screen_bytes(struct tl_screen *screen, const char *bytes, tl_size size);
void tl_screen_format(struct tl_screen *screen, const char *format, ...) TL_PRINTF(2, 3);
/* With the colour of a style, if colours are on. */
void tl_screen_styled(struct tl_screen *screen, enum tl_style style, const char *text);
/* What switches a style on, "" where there are no colours, for text that is put together elsewhere; PLAIN ends any. */
const char *tl_screen_style(const struct tl_screen *screen, enum tl_style style);

/* Colours and intensities of a style, as `set style` counts them: none, black to white; normal, bold, dim. */
void tl_screen_set_style(struct tl_screen *screen, enum tl_style style, tl_u32 foreground, tl_u32 background,
			 tl_u32 intensity);

/* What a program wrote to its own terminal: neither paged nor logged. */
void tl_screen_program(struct tl_screen *screen, const char *bytes, tl_size size);
/* A sentence with a newline behind it to standard error, after what was written before. */
void tl_screen_complain(struct tl_screen *screen, const char *text);

void tl_screen_flush(struct tl_screen *screen);
/* Bytes as they are, at once: for what draws by itself, as readline does. */
void tl_screen_output(struct tl_screen *screen, const char *bytes, tl_size size);
/* A command begins: its pages are counted from here, and it may write again. */
void tl_screen_begin(struct tl_screen *screen);
/* Takes the size from the terminal; nothing happens where it is none. */
void tl_screen_measure(struct tl_screen *screen);

/* Copies everything to a file from now on; NULL: no longer. `alone`: in place of the screen. */
TL_CHECKED enum tl_status tl_screen_log(struct tl_screen *screen, const char *path, bool overwrite, bool alone,
					struct tl_error *error);

#endif
