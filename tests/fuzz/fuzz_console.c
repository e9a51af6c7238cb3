/*
 * What a program writes to its terminal while the full screen is there, in windows of any size, and sources and
 * instructions that are drawn beside it. The first byte of a piece says what is done: text is written, or sizes change.
 */
#include "frontends/cli/full_screen_console.h"
#include "frontends/cli/full_screen_highlight.h"
#include "tests/fuzz/fuzz.h"

#include <locale.h>
#include <stdlib.h>

#define PIECE 64

static void check(struct tl_console *console)
{
	struct tl_canvas canvas;
	struct tl_error error;

	if (console->row >= console->canvas.rows || console->column >= console->canvas.columns ||
	    console->bottom >= console->canvas.rows || console->back > console->kept_count)
		abort();
	if (tl_canvas_open(&canvas, console->canvas.rows + 2, console->canvas.columns, &error) != TL_OK)
		return;
	tl_console_draw(console, &canvas, 1);
	tl_canvas_close(&canvas);
}

static void take(struct tl_console *console, const uint8_t *bytes, size_t size)
{
	struct tl_highlight_state state = {0};
	tl_u8 kinds[PIECE];
	struct tl_error error;

	switch (bytes[0] & 7) {
	case 0:
		if (size > 2)
			(void)!tl_console_resize(console, bytes[1] % 40, bytes[2] % 90, &error);
		break;
	case 1:
		tl_console_scroll(console, (tl_i64)(int8_t)bytes[size - 1]);
		break;
	case 2:
		console->eager = !console->eager;
		break;
	case 3:
		tl_highlight_line(&state, (const char *)bytes, size, kinds);
		tl_highlight_line(&state, (const char *)bytes, size, kinds);
		break;
	default:
		tl_console_write(console, (const char *)bytes + 1, size - 1, (bytes[0] & 8) != 0);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tl_console console;
	struct tl_error error;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	if (size < 2 || tl_console_open(&console, data[0] % 30, data[1] % 90, &error) != TL_OK)
		return 0;
	for (size_t at = 2; at < size; at += PIECE) {
		take(&console, data + at, size - at < PIECE ? size - at : PIECE);
		check(&console);
	}
	tl_console_close(&console);
	return 0;
}
