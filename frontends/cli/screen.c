#include "frontends/cli/screen.h"

#include "frontends/cli/writing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A tab goes to the next column that is a multiple of this. */
#define TAB 8

void tl_screen_open(struct tl_screen *screen, int descriptor)
{
	*screen = (struct tl_screen){
		.descriptor = descriptor, .terminal = isatty(descriptor) == 1, .paging = true, .log = -1};
	tl_screen_measure(screen);
}

void tl_screen_close(struct tl_screen *screen)
{
	tl_screen_flush(screen);
	if (screen->log >= 0)
		(void)close(screen->log);
	screen->log = -1;
}

void tl_screen_measure(struct tl_screen *screen)
{
	struct winsize size;

	if (!screen->terminal)
		return;
	screen->height = screen->window != NULL ? screen->window_height : 24;
	screen->width = screen->window != NULL ? screen->window_width : 80;
	if (screen->window == NULL && ioctl(screen->descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row != 0 &&
	    size.ws_col != 0) {
		screen->height = size.ws_row;
		screen->width = size.ws_col;
	}
}

/* ---- Writing ---- */

void tl_screen_output(struct tl_screen *screen, const char *bytes, tl_size size)
{
	if (screen->window != NULL)
		screen->window(screen->window_context, bytes, size, !screen->raw);
	else
		(void)tl_write_patiently(screen->descriptor, bytes, size);
}

/* The same, with \r before each \n that comes without one: the terminal passes bytes on as they are. */
static void write_raw(struct tl_screen *screen, const char *bytes, tl_size size)
{
	while (size > 0) {
		const char *newline = memchr(bytes, '\n', size);
		tl_size front = newline != NULL ? (tl_size)(newline - bytes) : size;

		tl_screen_output(screen, bytes, front);
		if (newline != NULL)
			tl_screen_output(screen, "\r\n", 2);
		front += newline != NULL;
		bytes += front;
		size -= front;
	}
}

void tl_screen_flush(struct tl_screen *screen)
{
	tl_size size = screen->size;

	if (size == 0)
		return;
	screen->size = 0;
	if (screen->hide != NULL)
		screen->hide(screen->context);
	if (screen->raw)
		write_raw(screen, screen->buffer, size);
	else
		tl_screen_output(screen, screen->buffer, size);
}

static void put(struct tl_screen *screen, const char *bytes, tl_size size)
{
	while (size > 0) {
		tl_size room = sizeof(screen->buffer) - screen->size, part = size < room ? size : room;

		memcpy(screen->buffer + screen->size, bytes, part);
		screen->size += part;
		bytes += part;
		size -= part;
		if (screen->size == sizeof(screen->buffer))
			tl_screen_flush(screen);
	}
}

/* ---- Pages ---- */

/* Columns that a byte takes: none inside an escape sequence, and one for each character of UTF-8. */
static void advance(struct tl_screen *screen, char byte)
{
	if (screen->escape == 1) {
		screen->escape = byte == '[' ? 2 : 0;
	} else if (screen->escape == 2) {
		screen->escape = byte >= '@' && byte <= '~' ? 0 : 2;
	} else if (byte == '\033') {
		screen->escape = 1;
	} else if (byte == '\n') {
		screen->line++;
		screen->column = 0;
	} else if (byte == '\r') {
		screen->column = 0;
	} else if (byte == '\t') {
		screen->column += TAB - screen->column % TAB;
	} else if (((unsigned char)byte & 0xc0) != 0x80) {
		screen->column++;
	}
	if (screen->width != 0 && screen->column > screen->width) {
		screen->line++;
		screen->column -= screen->width;
	}
}

/* The last line of a page is for the question. */
static bool page_is_full(const struct tl_screen *screen)
{
	return screen->paging && screen->terminal && screen->height > 1 && screen->line >= screen->height - 1 &&
	       screen->column == 0 && screen->unpaged == 0 && !screen->whole && screen->more != NULL;
}

static void ask(struct tl_screen *screen)
{
	tl_screen_flush(screen);
	screen->line = 0;
	screen->unpaged++;
	screen->cut = !screen->more(screen->context);
	screen->unpaged--;
}

void tl_screen_bytes(struct tl_screen *screen, const char *bytes, tl_size size)
{
	tl_size start = 0;

	if (screen->cut)
		return;
	if (screen->held != NULL) {
		tl_output_bytes(screen->held, bytes, size);
		return;
	}
	if (screen->log >= 0) {
		(void)tl_write_patiently(screen->log, bytes, size);
		if (screen->log_alone)
			return;
	}
	for (tl_size i = 0; i < size; i++) {
		/* Only when more is to come: a command that fills the page to the rim asks nothing. */
		if (page_is_full(screen)) {
			put(screen, bytes + start, i - start);
			start = i;
			ask(screen);
			if (screen->cut)
				return;
		}
		advance(screen, bytes[i]);
	}
	put(screen, bytes + start, size - start);
}

void tl_screen_text(struct tl_screen *screen, const char *text)
{
	tl_screen_bytes(screen, text, strlen(text));
}

void tl_screen_format(struct tl_screen *screen, const char *format, ...)
{
	char *text = NULL;
	va_list list;
	int size;

	va_start(list, format);
	size = vasprintf(&text, format, list);
	va_end(list);
	if (size < 0)
		return;
	tl_screen_bytes(screen, text, (tl_size)size);
	free(text);
}

const char *tl_screen_style(const struct tl_screen *screen, enum tl_style style)
{
	/* A log shall be readable. */
	return screen->styled && screen->terminal && screen->log < 0 ? screen->codes[style] : "";
}

void tl_screen_set_style(struct tl_screen *screen, enum tl_style style, tl_u32 foreground, tl_u32 background,
			 tl_u32 intensity)
{
	static const char *const intensities[] = {"", "1", "2"};
	char *code = screen->codes[style];
	tl_size size = sizeof(screen->codes[style]);
	char colours[16] = "", ground[8] = "";

	if (foreground > 0 && foreground <= 8)
		(void)snprintf(colours, sizeof(colours), "3%u", (foreground - 1) % 10);
	if (background > 0 && background <= 8)
		(void)snprintf(ground, sizeof(ground), "4%u", (background - 1) % 10);
	(void)snprintf(code, size, "\033[%s%s%s%s%sm", intensities[intensity % TL_COUNT(intensities)],
		       intensity != 0 && colours[0] != '\0' ? ";" : "", colours,
		       ground[0] != '\0' && (intensity != 0 || colours[0] != '\0') ? ";" : "", ground);
}

void tl_screen_styled(struct tl_screen *screen, enum tl_style style, const char *text)
{
	tl_screen_text(screen, tl_screen_style(screen, style));
	tl_screen_text(screen, text);
	tl_screen_text(screen, tl_screen_style(screen, TL_STYLE_PLAIN));
}

void tl_screen_program(struct tl_screen *screen, const char *bytes, tl_size size)
{
	tl_screen_flush(screen);
	if (size == 0)
		return;
	if (screen->hide != NULL)
		screen->hide(screen->context);
	tl_screen_output(screen, bytes, size);
	for (tl_size i = 0; i < size; i++)
		advance(screen, bytes[i]);
	screen->line = 0;
}

/* Standard error may be a file, while standard output has windows. */
static void write_complaint(struct tl_screen *screen, const char *bytes, tl_size size)
{
	if (screen->window != NULL && isatty(STDERR_FILENO) == 1)
		tl_screen_output(screen, bytes, size);
	else
		(void)tl_write_patiently(STDERR_FILENO, bytes, size);
}

void tl_screen_complain(struct tl_screen *screen, const char *text)
{
	tl_screen_flush(screen);
	if (screen->hide != NULL)
		screen->hide(screen->context);
	if (screen->log >= 0) {
		(void)tl_write_patiently(screen->log, text, strlen(text));
		(void)tl_write_patiently(screen->log, "\n", 1);
	}
	write_complaint(screen, text, strlen(text));
	if (screen->raw)
		write_complaint(screen, "\r", 1);
	write_complaint(screen, "\n", 1);
	screen->column = 0;
	screen->line++;
}

void tl_screen_begin(struct tl_screen *screen)
{
	screen->line = 0;
	screen->cut = screen->whole = false;
}

enum tl_status tl_screen_log(struct tl_screen *screen, const char *path, bool overwrite, bool alone,
			     struct tl_error *error)
{
	int opened = -1;

	if (path != NULL) {
		opened = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (overwrite ? O_TRUNC : O_APPEND), 0666);
		if (opened < 0)
			return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "set logging: %s", path);
	}
	tl_screen_flush(screen);
	if (screen->log >= 0)
		(void)close(screen->log);
	screen->log = opened;
	screen->log_alone = alone;
	return TL_OK;
}
