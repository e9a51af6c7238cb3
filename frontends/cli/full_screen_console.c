#include "frontends/cli/full_screen_console.h"

#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

#define TAB 8

enum {
	STATE_TEXT,
	STATE_ESCAPE,   /* behind ESC */
	STATE_SEQUENCE, /* behind ESC [ */
	STATE_STRING,   /* behind ESC ] and its like: up to BEL or ESC \ */
	STATE_STRING_ESCAPE,
	STATE_CHARSET, /* behind ESC ( */
	STATE_SKIP     /* one more byte means nothing to us */
};

static struct tl_cell blank_of(const struct tl_console *console)
{
	/* What is erased takes the colour behind the characters, as in xterm. */
	return (struct tl_cell){' ', 0, {0, console->ink.back, 0}, 1};
}

/* ---- Lines above ---- */

const struct tl_console_line *tl_console_kept(const struct tl_console *console, tl_u32 index)
{
	return &console->kept[(console->kept_first + index) % TL_CONSOLE_KEPT_MAX];
}

static bool is_blank(const struct tl_cell *cell)
{
	const struct tl_cell plain = {0};

	return tl_cell_same(cell, &plain) && cell->width != 2;
}

static void keep_line(struct tl_console *console, tl_u32 row)
{
	const struct tl_cell *cells = tl_canvas_at(&console->canvas, row, 0);
	struct tl_console_line line = {NULL, console->canvas.columns}, *slot;

	while (line.count > 0 && is_blank(&cells[line.count - 1]))
		line.count--;
	line.cells = malloc((line.count + 1) * sizeof(*line.cells));
	if (line.cells == NULL)
		return;
	memcpy(line.cells, cells, line.count * sizeof(*line.cells));
	if (console->kept_count == TL_CONSOLE_KEPT_MAX) {
		console->kept_first = (console->kept_first + 1) % TL_CONSOLE_KEPT_MAX;
		console->kept_count--;
	}
	slot = &console->kept[(console->kept_first + console->kept_count) % TL_CONSOLE_KEPT_MAX];
	free(slot->cells);
	*slot = line;
	console->kept_count++;
}

static void copy_line(const struct tl_console_line *line, struct tl_canvas *canvas, tl_u32 row)
{
	for (tl_u32 column = 0; column < canvas->columns; column++)
		*tl_canvas_at(canvas, row, column) = column < line->count ? line->cells[column] : (struct tl_cell){0};
}

/* ---- Scrolling and erasing ---- */

static void clear_cells(struct tl_console *console, tl_u32 row, tl_u32 first, tl_u32 end)
{
	const struct tl_ink plain = {0, console->ink.back, 0};

	tl_canvas_fill(&console->canvas, row, first, end, ' ', plain);
}

static void clear_rows(struct tl_console *console, tl_u32 first, tl_u32 end)
{
	for (tl_u32 row = first; row < end && row < console->canvas.rows; row++)
		clear_cells(console, row, 0, console->canvas.columns);
}

/* Moves rows [top, bottom] up; new ones come in below. */
static void scroll_up(struct tl_console *console, tl_u32 top, tl_u32 bottom, tl_u32 count)
{
	tl_size row_size = console->canvas.columns * sizeof(struct tl_cell);
	tl_u32 height = bottom - top + 1;

	if (count > height)
		count = height;
	for (tl_u32 i = 0; i < count && top == 0 && bottom + 1 == console->canvas.rows; i++)
		keep_line(console, i);
	memmove(tl_canvas_at(&console->canvas, top, 0), tl_canvas_at(&console->canvas, top + count, 0),
		(height - count) * row_size);
	for (tl_u32 row = bottom + 1 - count; row <= bottom; row++)
		for (tl_u32 column = 0; column < console->canvas.columns; column++)
			*tl_canvas_at(&console->canvas, row, column) = blank_of(console);
}

static void scroll_down(struct tl_console *console, tl_u32 top, tl_u32 bottom, tl_u32 count)
{
	tl_size row_size = console->canvas.columns * sizeof(struct tl_cell);
	tl_u32 height = bottom - top + 1;

	if (count > height)
		count = height;
	memmove(tl_canvas_at(&console->canvas, top + count, 0), tl_canvas_at(&console->canvas, top, 0),
		(height - count) * row_size);
	for (tl_u32 row = top; row < top + count; row++)
		for (tl_u32 column = 0; column < console->canvas.columns; column++)
			*tl_canvas_at(&console->canvas, row, column) = blank_of(console);
}

static void line_feed(struct tl_console *console)
{
	if (console->row == console->bottom)
		scroll_up(console, console->top, console->bottom, 1);
	else if (console->row + 1 < console->canvas.rows)
		console->row++;
}

static void erase_display(struct tl_console *console, tl_u32 how)
{
	if (how == 0) {
		clear_cells(console, console->row, console->column, console->canvas.columns);
		clear_rows(console, console->row + 1, console->canvas.rows);
	} else if (how == 1) {
		clear_rows(console, 0, console->row);
		clear_cells(console, console->row, 0, console->column + 1);
	} else {
		clear_rows(console, 0, console->canvas.rows);
	}
}

static void erase_line(struct tl_console *console, tl_u32 how)
{
	clear_cells(console, console->row, how == 0 ? console->column : 0,
		    how == 1 ? console->column + 1 : console->canvas.columns);
}

static void insert_cells(struct tl_console *console, tl_u32 count)
{
	tl_u32 columns = console->canvas.columns, left = columns - console->column;
	struct tl_cell *cells = tl_canvas_at(&console->canvas, console->row, console->column);

	if (count > left)
		count = left;
	memmove(cells + count, cells, (left - count) * sizeof(*cells));
	for (tl_u32 i = 0; i < count; i++)
		cells[i] = blank_of(console);
}

static void delete_cells(struct tl_console *console, tl_u32 count)
{
	tl_u32 left = console->canvas.columns - console->column;
	struct tl_cell *cells = tl_canvas_at(&console->canvas, console->row, console->column);

	if (count > left)
		count = left;
	memmove(cells, cells + count, (left - count) * sizeof(*cells));
	for (tl_u32 i = left - count; i < left; i++)
		cells[i] = blank_of(console);
}

/* ---- Characters ---- */

static void put_character(struct tl_console *console, tl_u32 point, tl_u32 width)
{
	tl_u32 columns = console->canvas.columns;

	if (width == 0) {
		tl_u32 column = console->column > 0 && !console->wrap_due ? console->column - 1 : console->column;

		if (tl_canvas_at(&console->canvas, console->row, column)->width == 0 && column > 0)
			column--;
		tl_canvas_at(&console->canvas, console->row, column)->combining = point;
		return;
	}
	if (console->wrap_due || console->column + width > columns) {
		console->column = 0;
		line_feed(console);
	}
	console->wrap_due = false;
	tl_canvas_put(&console->canvas, console->row, console->column, point, width, console->ink);
	if (console->column + width < columns) {
		console->column += width;
	} else if (console->eager) {
		console->column = 0;
		line_feed(console);
	} else {
		console->column = columns - 1;
		console->wrap_due = true;
	}
}

/* What the letters of the special graphics of the VT100 stand for, that curses' programs use. */
static tl_u32 drawn(tl_u32 letter)
{
	static const struct {
		char letter;
		tl_u16 point;
	} lines[] = {{'j', 0x2518}, {'k', 0x2510}, {'l', 0x250c}, {'m', 0x2514}, {'n', 0x253c}, {'q', 0x2500},
		     {'t', 0x251c}, {'u', 0x2524}, {'v', 0x2534}, {'w', 0x252c}, {'x', 0x2502}, {'a', 0x2592}};

	for (tl_size i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if ((tl_u32)lines[i].letter == letter)
			return lines[i].point;
	return letter;
}

static void flush_character(struct tl_console *console)
{
	tl_u32 point, width;
	tl_size taken = tl_canvas_character(console->character, console->character_size, &point, &width);

	if (taken == 0)
		return;
	console->character_size = 0;
	put_character(console, console->drawing ? drawn(point) : point, width);
}

/* Bytes of one character may come in two writes. */
static void take_text(struct tl_console *console, char byte)
{
	static const tl_u8 lengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
	tl_u32 wanted;

	if (console->character_size > 0 && ((unsigned char)byte & 0xc0) != 0x80)
		flush_character(console);
	console->character[console->character_size++] = byte;
	wanted = lengths[(unsigned char)console->character[0] >> 4];
	if (console->character_size >= wanted)
		flush_character(console);
}

static void take_control(struct tl_console *console, char byte, bool returns)
{
	flush_character(console);
	switch (byte) {
	case '\n':
	case '\v':
	case '\f':
		console->wrap_due = false;
		line_feed(console);
		if (returns)
			console->column = 0;
		break;
	case '\r':
		console->column = 0;
		console->wrap_due = false;
		break;
	case '\b':
		console->column -= console->column > 0;
		console->wrap_due = false;
		break;
	case '\t':
		console->column += TAB - console->column % TAB;
		if (console->column >= console->canvas.columns)
			console->column = console->canvas.columns - 1;
		break;
	case '\033':
		console->state = STATE_ESCAPE;
		break;
	default:
		break;
	}
}

/* ---- Sequences ---- */

/* A number of the sequence, or what stands for none. */
static tl_u32 number(const struct tl_console *console, tl_u32 index, tl_u32 preset)
{
	return index < console->number_count && console->numbers[index] != 0 ? console->numbers[index] : preset;
}

/* Colours 38 and 48: of 256, or as red, green and blue, which become the nearest of the 256. */
static tl_u16 wide_colour(const struct tl_console *console, tl_u32 *at)
{
	const tl_u32 *numbers = console->numbers;
	tl_u32 left = console->number_count - *at - 1;

	if (left >= 2 && numbers[*at + 1] == 5) {
		*at += 2;
		return (tl_u16)(1 + (numbers[*at] & 255));
	}
	if (left >= 4 && numbers[*at + 1] == 2) {
		tl_u32 red = numbers[*at + 2] & 255, green = numbers[*at + 3] & 255, blue = numbers[*at + 4] & 255;

		*at += 4;
		return (tl_u16)(1 + 16 + 36 * (red * 5 / 255) + 6 * (green * 5 / 255) + blue * 5 / 255);
	}
	*at = console->number_count;
	return 0;
}

static void set_look(struct tl_console *console, tl_u32 code)
{
	static const tl_u8 on[] = {0, TL_LOOK_BOLD,   TL_LOOK_DIM, TL_LOOK_ITALIC, TL_LOOK_UNDERLINE, 0,
				   0, TL_LOOK_REVERSE};
	struct tl_ink *ink = &console->ink;

	if (code == 0)
		*ink = (struct tl_ink){0};
	else if (code < sizeof(on))
		ink->looks |= on[code];
	else if (code == 22)
		ink->looks &= (tl_u8) ~(TL_LOOK_BOLD | TL_LOOK_DIM);
	else if (code >= 23 && code <= 27)
		ink->looks &= (tl_u8)~on[code - 20];
	else if (code >= 30 && code <= 37)
		ink->front = (tl_u16)(1 + code - 30);
	else if (code == 39)
		ink->front = 0;
	else if (code >= 40 && code <= 47)
		ink->back = (tl_u16)(1 + code - 40);
	else if (code == 49)
		ink->back = 0;
	else if (code >= 90 && code <= 97)
		ink->front = (tl_u16)(1 + 8 + code - 90);
	else if (code >= 100 && code <= 107)
		ink->back = (tl_u16)(1 + 8 + code - 100);
}

static void set_looks(struct tl_console *console)
{
	if (console->number_count == 0)
		set_look(console, 0);
	for (tl_u32 i = 0; i < console->number_count; i++) {
		tl_u32 code = console->numbers[i];

		if (code == 38)
			console->ink.front = wide_colour(console, &i);
		else if (code == 48)
			console->ink.back = wide_colour(console, &i);
		else
			set_look(console, code);
	}
}

static void set_mode(struct tl_console *console, bool on)
{
	for (tl_u32 i = 0; i < console->number_count && console->mark == '?'; i++) {
		tl_u32 mode = console->numbers[i];

		if (mode == 25) {
			console->cursor_hidden = !on;
		} else if (mode == 2004) {
			console->pastes_marked = on;
		} else if (mode == 47 || mode == 1047 || mode == 1049) {
			/* There is no second screen: a program that takes the whole one leaves an empty one behind. */
			erase_display(console, 2);
			console->row = console->column = 0;
			console->top = 0;
			console->bottom = console->canvas.rows - 1;
			console->cursor_hidden = false;
		}
	}
}

static void move_to(struct tl_console *console, tl_u32 row, tl_u32 column)
{
	console->row = row < console->canvas.rows ? row : console->canvas.rows - 1;
	console->column = column < console->canvas.columns ? column : console->canvas.columns - 1;
	console->wrap_due = false;
}

static void move(struct tl_console *console, char letter)
{
	tl_u32 count = number(console, 0, 1), row = console->row, column = console->column;

	switch (letter) {
	case 'A':
	case 'F':
		move_to(console, row > count ? row - count : 0, letter == 'F' ? 0 : column);
		break;
	case 'B':
	case 'E':
		move_to(console, row + (count < TL_CANVAS_SIDE_MAX ? count : TL_CANVAS_SIDE_MAX),
			letter == 'E' ? 0 : column);
		break;
	case 'C':
		move_to(console, row, column + (count < TL_CANVAS_SIDE_MAX ? count : TL_CANVAS_SIDE_MAX));
		break;
	case 'D':
		move_to(console, row, column > count ? column - count : 0);
		break;
	case 'G':
		move_to(console, row, count - 1);
		break;
	case 'd':
		move_to(console, count - 1, column);
		break;
	default:
		move_to(console, count - 1, number(console, 1, 1) - 1);
		break;
	}
}

static void set_region(struct tl_console *console)
{
	tl_u32 top = number(console, 0, 1) - 1, bottom = number(console, 1, console->canvas.rows) - 1;

	if (bottom >= console->canvas.rows)
		bottom = console->canvas.rows - 1;
	if (top >= bottom)
		return;
	console->top = top;
	console->bottom = bottom;
	move_to(console, 0, 0);
}

static void save_cursor(struct tl_console *console)
{
	console->saved_row = console->row;
	console->saved_column = console->column;
	console->saved_ink = console->ink;
}

static void restore_cursor(struct tl_console *console)
{
	move_to(console, console->saved_row, console->saved_column);
	console->ink = console->saved_ink;
}

static void end_sequence(struct tl_console *console, char letter)
{
	tl_u32 count = number(console, 0, 1);
	bool inside = console->row >= console->top && console->row <= console->bottom;

	if (console->mark != 0 && letter != 'h' && letter != 'l')
		return;
	if (strchr("ABCDEFGHfd", letter) != NULL)
		move(console, letter);
	else if (letter == 'J')
		erase_display(console, number(console, 0, 0));
	else if (letter == 'K')
		erase_line(console, number(console, 0, 0));
	else if (letter == '@')
		insert_cells(console, count);
	else if (letter == 'P')
		delete_cells(console, count);
	else if (letter == 'X')
		clear_cells(console, console->row, console->column,
			    count < console->canvas.columns ? console->column + count : console->canvas.columns);
	else if (letter == 'L' && inside)
		scroll_down(console, console->row, console->bottom, count);
	else if (letter == 'M' && inside)
		scroll_up(console, console->row, console->bottom, count);
	else if (letter == 'S')
		scroll_up(console, console->top, console->bottom, count);
	else if (letter == 'T')
		scroll_down(console, console->top, console->bottom, count);
	else if (letter == 'm')
		set_looks(console);
	else if (letter == 'r')
		set_region(console);
	else if (letter == 's')
		save_cursor(console);
	else if (letter == 'u')
		restore_cursor(console);
	else if (letter == 'h' || letter == 'l')
		set_mode(console, letter == 'h');
}

static void take_sequence(struct tl_console *console, char byte)
{
	if (byte >= '0' && byte <= '9') {
		tl_u32 *last;

		if (console->number_count == 0)
			console->numbers[console->number_count++] = 0;
		last = &console->numbers[console->number_count - 1];
		if (*last < 100000)
			*last = *last * 10 + (tl_u32)(byte - '0');
	} else if (byte == ';' || byte == ':') {
		if (console->number_count == 0)
			console->numbers[console->number_count++] = 0;
		if (console->number_count < TL_CONSOLE_NUMBERS_MAX)
			console->numbers[console->number_count++] = 0;
	} else if ((byte >= '<' && byte <= '?') || (byte >= ' ' && byte <= '/')) {
		/* Sequences with the latter mean shapes of cursors and their like. */
		console->mark = byte;
	} else if (byte >= '@' && byte <= '~') {
		console->state = STATE_TEXT;
		end_sequence(console, byte);
	} else if (byte == '\033') {
		console->state = STATE_ESCAPE;
	}
}

static void take_escape(struct tl_console *console, char byte)
{
	console->state = STATE_TEXT;
	switch (byte) {
	case '[':
		console->state = STATE_SEQUENCE;
		console->number_count = 0;
		console->mark = 0;
		break;
	case ']':
	case 'P':
	case '^':
	case '_':
	case 'X':
		console->state = STATE_STRING;
		break;
	case '(':
		console->state = STATE_CHARSET;
		break;
	case ')':
	case '*':
	case '+':
	case '#':
	case '%':
		console->state = STATE_SKIP;
		break;
	case '7':
		save_cursor(console);
		break;
	case '8':
		restore_cursor(console);
		break;
	case 'D':
		line_feed(console);
		break;
	case 'E':
		console->column = 0;
		line_feed(console);
		break;
	case 'M':
		if (console->row == console->top)
			scroll_down(console, console->top, console->bottom, 1);
		else
			console->row -= console->row > 0;
		break;
	case 'c':
		console->ink = (struct tl_ink){0};
		console->top = 0;
		console->bottom = console->canvas.rows - 1;
		console->cursor_hidden = console->drawing = false;
		erase_display(console, 2);
		move_to(console, 0, 0);
		break;
	default:
		break;
	}
}

void tl_console_write(struct tl_console *console, const char *bytes, tl_size size, bool returns)
{
	console->back = 0;
	for (tl_size i = 0; i < size; i++) {
		char byte = bytes[i];

		switch (console->state) {
		case STATE_ESCAPE:
			take_escape(console, byte);
			break;
		case STATE_SEQUENCE:
			take_sequence(console, byte);
			break;
		case STATE_STRING:
			if (byte == '\a')
				console->state = STATE_TEXT;
			else if (byte == '\033')
				console->state = STATE_STRING_ESCAPE;
			break;
		case STATE_STRING_ESCAPE:
			console->state = byte == '\\' ? STATE_TEXT : STATE_STRING;
			break;
		case STATE_CHARSET:
			console->drawing = byte == '0';
			console->state = STATE_TEXT;
			break;
		case STATE_SKIP:
			console->state = STATE_TEXT;
			break;
		default:
			if ((unsigned char)byte < ' ' || byte == '\177')
				take_control(console, byte, returns);
			else
				take_text(console, byte);
			break;
		}
	}
}

/* ---- Looking ---- */

void tl_console_scroll(struct tl_console *console, tl_i64 lines)
{
	tl_i64 back = (tl_i64)console->back + lines;

	console->back = back < 0 ? 0 : back > (tl_i64)console->kept_count ? console->kept_count : (tl_u32)back;
}

void tl_console_draw(const struct tl_console *console, struct tl_canvas *canvas, tl_u32 row)
{
	for (tl_u32 i = 0; i < console->canvas.rows && row + i < canvas->rows; i++) {
		if (i < console->back)
			copy_line(tl_console_kept(console, console->kept_count - console->back + i), canvas, row + i);
		else
			for (tl_u32 column = 0; column < canvas->columns && column < console->canvas.columns; column++)
				*tl_canvas_at(canvas, row + i, column) =
					*tl_canvas_at(&console->canvas, i - console->back, column);
	}
}

/* ---- Size ---- */

enum tl_status tl_console_resize(struct tl_console *console, tl_u32 rows, tl_u32 columns, struct tl_error *error)
{
	struct tl_canvas *old = &console->canvas, canvas;
	tl_u32 above, come_back, from = 0, row = 0;

	TL_TRY(tl_canvas_open(&canvas, rows, columns, error));
	above = console->row + 1 > canvas.rows ? console->row + 1 - canvas.rows : 0;
	for (; from < above; from++)
		keep_line(console, from);
	come_back = canvas.rows > old->rows ? canvas.rows - old->rows : 0;
	if (come_back > console->kept_count)
		come_back = console->kept_count;
	for (; row < come_back; row++)
		copy_line(tl_console_kept(console, console->kept_count - come_back + row), &canvas, row);
	console->kept_count -= come_back;
	for (; row < canvas.rows && from < old->rows; row++, from++)
		for (tl_u32 column = 0; column < canvas.columns && column < old->columns; column++)
			*tl_canvas_at(&canvas, row, column) = *tl_canvas_at(old, from, column);
	console->row = console->row - above + come_back;
	tl_canvas_close(old);
	console->canvas = canvas;
	console->top = 0;
	console->bottom = canvas.rows - 1;
	console->back = 0;
	move_to(console, console->row, console->column);
	return TL_OK;
}

enum tl_status tl_console_open(struct tl_console *console, tl_u32 rows, tl_u32 columns, struct tl_error *error)
{
	*console = (struct tl_console){0};
	console->kept = calloc(TL_CONSOLE_KEPT_MAX, sizeof(*console->kept));
	if (console->kept == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the command window");
	if (tl_canvas_open(&console->canvas, rows, columns, error) != TL_OK) {
		free(console->kept);
		console->kept = NULL;
		return TL_ERROR_NO_MEMORY;
	}
	console->bottom = console->canvas.rows - 1;
	return TL_OK;
}

void tl_console_close(struct tl_console *console)
{
	for (tl_u32 i = 0; console->kept != NULL && i < TL_CONSOLE_KEPT_MAX; i++)
		free(console->kept[i].cells);
	free(console->kept);
	tl_canvas_close(&console->canvas);
	*console = (struct tl_console){0};
}
