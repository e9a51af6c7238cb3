/* The full screen without a terminal: where windows stand, what they show, and what becomes of what is written. */
#include "frontends/cli/full_screen_code.h"
#include "frontends/cli/full_screen_console.h"
#include "frontends/cli/full_screen_highlight.h"
#include "frontends/cli/full_screen_layout.h"
#include "frontends/cli/full_screen_registers.h"
#include "frontends/cli/full_screen_source.h"
#include "test.h"

#include <locale.h>
#include <string.h>

#define TEXT 2048

/* The rows of a canvas, each with a newline behind it; blank ones at the end are left out. */
static const char *text_of(const struct tl_canvas *canvas)
{
	static char text[65536];
	tl_size size = 0, kept = 0;

	for (tl_u32 row = 0; row < canvas->rows; row++) {
		char line[TEXT];

		tl_canvas_row_text(canvas, row, line, sizeof(line));
		size += (tl_size)snprintf(text + size, sizeof(text) - size, "%s\n", line);
		if (line[0] != '\0')
			kept = size;
	}
	text[kept] = '\0';
	return text;
}

/* ---- The command window ---- */

static struct tl_console console_of(tl_u32 rows, tl_u32 columns, const char *bytes)
{
	struct tl_console console = {0};
	struct tl_error error;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	CHECK_EQUAL(tl_console_open(&console, rows, columns, &error), TL_OK);
	tl_console_write(&console, bytes, strlen(bytes), true);
	return console;
}

static void shows(tl_u32 rows, tl_u32 columns, const char *bytes, const char *wanted)
{
	struct tl_console console = console_of(rows, columns, bytes);

	CHECK_TEXT(text_of(&console.canvas), wanted);
	tl_console_close(&console);
}

TEST(text_wraps_and_scrolls)
{
	shows(3, 5, "abcdefg", "abcde\nfg\n");
	shows(3, 5, "1\n2\n3\n4\n", "3\n4\n");
	shows(3, 5, "abcde\nf", "abcde\nf\n");
	shows(3, 5, "abcde\rX", "Xbcde\n");
	shows(2, 5, "a\tb", "a   b\n");
}

TEST(a_line_feed_alone_keeps_its_column_where_the_terminal_is_raw)
{
	struct tl_console console = console_of(3, 10, "");

	tl_console_write(&console, "ab\ncd", 5, false);
	CHECK_TEXT(text_of(&console.canvas), "ab\n  cd\n");
	tl_console_close(&console);
}

TEST(the_cursor_moves_and_parts_are_erased)
{
	shows(3, 10, "abcdef\033[3D\033[K", "abc\n");
	shows(3, 10, "abcdef\033[1;1H\033[2P", "cdef\n");
	shows(3, 10, "abcdef\033[1;3H\033[2@", "ab  cdef\n");
	shows(3, 10, "one\ntwo\nthree\033[2;1H\033[J", "one\n");
	shows(3, 10, "one\ntwo\033[1A\rX", "Xne\ntwo\n");
	shows(3, 10, "one\ntwo\nthree\033[1;1H\033[L", "\none\ntwo\n");
	shows(3, 10, "one\ntwo\nthree\033[1;1H\033[M", "two\nthree\n");
	shows(3, 10, "abc\033[99;99Hx\033[99D\033[99Ay", "ybc\n\n         x\n");
	shows(3, 10, "\033[999999999999;1Hx", "\n\nx\n");
}

TEST(a_part_scrolls_by_itself)
{
	shows(4, 10, "top\033[4;1Hend\033[2;3r\033[2;1Ha\nb\nc\nd", "top\nc\nd\nend\n");
}

TEST(what_a_program_sends_to_a_terminal_does_no_harm)
{
	shows(3, 20, "\033]0;a title\aok", "ok\n");
	shows(3, 20, "\033]8;;http://x\033\\ok", "ok\n");
	shows(3, 20, "\033P+q544e\033\\ok\033[>c\033[6n\033[?1000h", "ok\n");
	shows(3, 20, "gone\033[?1049hnew\033[?1049l$", "$\n");
	shows(3, 20, "\033(0lqk\033(B|", "┌─┐|\n");
	shows(3, 20, "a\033[\033[1mb", "ab\n");
	shows(3, 20, "\377\376x\300\200y", "??x?y\n");
	shows(1, 1, "\033[5;5r\033[10L\033[10M\033[10@\033[10P\033[10X\033[10S\033[10T\033Mx\033D", "");
}

TEST(wide_characters_take_two_columns)
{
	struct tl_console console = console_of(3, 5, "a漢字b");

	CHECK_TEXT(text_of(&console.canvas), "a漢字\nb\n");
	/* A character that comes in two writes is one. */
	tl_console_write(&console, "\r\xe6", 2, true);
	tl_console_write(&console, "\xbc\xa2", 2, true);
	CHECK_TEXT(text_of(&console.canvas), "a漢字\n漢\n");
	/* Writing over the right half takes the left one away. */
	tl_console_write(&console, "\033[2;2HX", 7, true);
	CHECK_TEXT(text_of(&console.canvas), "a漢字\n X\n");
	tl_console_close(&console);
	shows(2, 3, "ab漢", "ab\n漢\n");
	shows(2, 9, "e\u0301t", "e\u0301t\n");
}

TEST(colours_are_kept_with_the_characters)
{
	struct tl_console console = console_of(2, 9, "\033[1;31ma\033[38;5;200mb\033[48;2;255;0;0mc\033[0md");

	CHECK_EQUAL(tl_canvas_at(&console.canvas, 0, 0)->ink.front, 2);
	CHECK_EQUAL(tl_canvas_at(&console.canvas, 0, 0)->ink.looks, TL_LOOK_BOLD);
	CHECK_EQUAL(tl_canvas_at(&console.canvas, 0, 1)->ink.front, 201);
	CHECK_EQUAL(tl_canvas_at(&console.canvas, 0, 2)->ink.back, 1 + 16 + 180);
	CHECK_EQUAL(tl_canvas_at(&console.canvas, 0, 3)->ink.front, 0);
	tl_console_close(&console);
}

TEST(lines_above_can_be_looked_at_and_come_back_when_there_is_room)
{
	struct tl_console console = console_of(2, 8, "1\n2\n3\n4");
	struct tl_canvas canvas;
	struct tl_error error;

	REQUIRE(tl_canvas_open(&canvas, 2, 8, &error) == TL_OK);
	tl_console_scroll(&console, 1);
	tl_console_draw(&console, &canvas, 0);
	CHECK_TEXT(text_of(&canvas), "2\n3\n");
	tl_console_scroll(&console, 100);
	tl_console_draw(&console, &canvas, 0);
	CHECK_TEXT(text_of(&canvas), "1\n2\n");
	tl_console_write(&console, "!", 1, true);
	tl_console_draw(&console, &canvas, 0);
	CHECK_TEXT(text_of(&canvas), "3\n4!\n");
	CHECK_EQUAL(tl_console_resize(&console, 3, 8, &error), TL_OK);
	CHECK_TEXT(text_of(&console.canvas), "2\n3\n4!\n");
	CHECK_EQUAL(tl_console_resize(&console, 1, 8, &error), TL_OK);
	CHECK_TEXT(text_of(&console.canvas), "4!\n");
	CHECK_EQUAL(console.kept_count, 3);
	tl_canvas_close(&canvas);
	tl_console_close(&console);
}

TEST(no_more_lines_are_kept_than_a_limit)
{
	struct tl_console console = console_of(1, 4, "");

	for (int i = 0; i < 5000; i++)
		tl_console_write(&console, "x\n", 2, true);
	CHECK_EQUAL(console.kept_count, TL_CONSOLE_KEPT_MAX);
	tl_console_close(&console);
}

TEST(without_memory_a_console_says_so)
{
	struct tl_console console;
	struct tl_error error;

	/* A side is bounded, whatever a terminal claims. */
	CHECK_EQUAL(tl_console_open(&console, 0, 0xffffffff, &error), TL_OK);
	CHECK_EQUAL(console.canvas.columns, TL_CANVAS_SIDE_MAX);
	CHECK_EQUAL(console.canvas.rows, 1);
	tl_console_close(&console);
}

/* ---- The layout ---- */

static const char *heights(const struct tl_layout *layout)
{
	static char text[200];
	tl_size size = 0;
	tl_u32 sum = 0;

	for (int i = 0; i < TL_WINDOWS; i++) {
		if (!tl_layout_has(layout, (enum tl_window)i))
			continue;
		CHECK_EQUAL(layout->tops[i], sum);
		sum += layout->heights[i];
		size += (tl_size)snprintf(text + size, sizeof(text) - size, "%s%s %u", size > 0 ? ", " : "",
					  tl_window_name((enum tl_window)i), layout->heights[i]);
	}
	CHECK_EQUAL(sum, layout->rows);
	return text;
}

TEST(layouts_share_the_rows)
{
	struct tl_layout layout = {.focus = TL_WINDOW_SOURCE};

	tl_layout_set(&layout, TL_LAYOUT_SOURCE, 24, 80);
	CHECK_TEXT(heights(&layout), "src 15, status 1, cmd 8");
	tl_layout_set(&layout, TL_LAYOUT_SPLIT, 31, 80);
	CHECK_TEXT(heights(&layout), "src 10, asm 10, status 1, cmd 10");
	tl_layout_set(&layout, TL_LAYOUT_CODE, 24, 80);
	CHECK_EQUAL(layout.focus, TL_WINDOW_CODE);
	tl_layout_set(&layout, TL_LAYOUT_REGISTERS, 24, 80);
	CHECK_TEXT(heights(&layout), "regs 7, src 7, status 1, cmd 9");
	CHECK_EQUAL(layout.focus, TL_WINDOW_SOURCE);
}

TEST(where_there_is_no_room_windows_go_and_they_come_back)
{
	struct tl_layout layout = {.focus = TL_WINDOW_REGISTERS};

	tl_layout_set(&layout, TL_LAYOUT_REGISTERS, 24, 80);
	CHECK_EQUAL(layout.focus, TL_WINDOW_REGISTERS);
	tl_layout_resize(&layout, 6, 80);
	CHECK_TEXT(heights(&layout), "regs 2, src 2, status 1, cmd 1");
	tl_layout_resize(&layout, 5, 80);
	CHECK_TEXT(heights(&layout), "src 2, status 1, cmd 2");
	CHECK_EQUAL(layout.focus, TL_WINDOW_COMMAND);
	tl_layout_resize(&layout, 3, 1);
	CHECK_TEXT(heights(&layout), "status 1, cmd 2");
	tl_layout_resize(&layout, 1, 1);
	CHECK_TEXT(heights(&layout), "cmd 1");
	tl_layout_resize(&layout, 0, 0);
	CHECK_TEXT(heights(&layout), "cmd 1");
	tl_layout_resize(&layout, 24, 80);
	CHECK_TEXT(heights(&layout), "regs 7, src 7, status 1, cmd 9");
	for (tl_u32 rows = 1; rows < 100; rows++) {
		tl_layout_resize(&layout, rows, 80);
		(void)heights(&layout);
	}
}

TEST(heights_are_set_as_far_as_others_can_give)
{
	struct tl_layout layout = {.focus = TL_WINDOW_SOURCE};

	tl_layout_set(&layout, TL_LAYOUT_SPLIT, 31, 80);
	tl_layout_set_height(&layout, TL_WINDOW_SOURCE, 12);
	CHECK_TEXT(heights(&layout), "src 12, asm 8, status 1, cmd 10");
	tl_layout_set_height(&layout, TL_WINDOW_SOURCE, 4);
	CHECK_TEXT(heights(&layout), "src 4, asm 16, status 1, cmd 10");
	tl_layout_set_height(&layout, TL_WINDOW_COMMAND, 1000);
	CHECK_TEXT(heights(&layout), "src 2, asm 2, status 1, cmd 26");
	tl_layout_set_height(&layout, TL_WINDOW_COMMAND, -3);
	CHECK_TEXT(heights(&layout), "src 2, asm 27, status 1, cmd 1");
	tl_layout_set_height(&layout, TL_WINDOW_STATUS, 5);
	tl_layout_set_height(&layout, TL_WINDOW_REGISTERS, 5);
	CHECK_TEXT(heights(&layout), "src 2, asm 27, status 1, cmd 1");
	/* What a person chose stays in proportion. */
	tl_layout_resize(&layout, 61, 80);
	CHECK_TEXT(heights(&layout), "src 4, asm 54, status 1, cmd 2");
}

TEST(the_focus_goes_round)
{
	struct tl_layout layout = {.focus = TL_WINDOW_SOURCE};

	tl_layout_set(&layout, TL_LAYOUT_SPLIT, 31, 80);
	CHECK_EQUAL(tl_layout_next_window(&layout, TL_WINDOW_SOURCE, false), TL_WINDOW_CODE);
	CHECK_EQUAL(tl_layout_next_window(&layout, TL_WINDOW_CODE, false), TL_WINDOW_COMMAND);
	CHECK_EQUAL(tl_layout_next_window(&layout, TL_WINDOW_COMMAND, false), TL_WINDOW_SOURCE);
	CHECK_EQUAL(tl_layout_next_window(&layout, TL_WINDOW_SOURCE, true), TL_WINDOW_COMMAND);
}

TEST(windows_are_found_by_beginnings_of_their_names)
{
	enum tl_window window;

	CHECK(tl_window_find("a", &window) && window == TL_WINDOW_CODE);
	CHECK(tl_window_find("sr", &window) && window == TL_WINDOW_SOURCE);
	CHECK(!tl_window_find("s", &window));
	CHECK(!tl_window_find("", &window));
	CHECK(!tl_window_find("source", &window));
}

/* ---- The source ---- */

static const char program[] = "/* one\n   two */\nint main(void)\n{\n\treturn 'x'; // 漢字 end\n}\n";
static const tl_u32 program_starts[] = {0, 7, 17, 32, 34, 34 + 27, 34 + 27 + 2};

static struct tl_source_file program_file(void)
{
	return (struct tl_source_file){.path = "/x/program.c",
				       .bytes = program,
				       .size = sizeof(program) - 1,
				       .starts = program_starts,
				       .line_count = 6};
}

static const char *draw_source(const struct tl_source_view *view, const struct tl_point_mark *marks, tl_size count,
			       tl_u32 rows, tl_u32 columns)
{
	struct tl_source_file file = program_file();
	struct tl_canvas canvas;
	struct tl_error error;
	const char *text = "";

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	if (tl_canvas_open(&canvas, rows, columns, &error) == TL_OK) {
		tl_source_view_draw(view, &file, marks, count, &canvas, 0, rows);
		text = text_of(&canvas);
		tl_canvas_close(&canvas);
	}
	return text;
}

TEST(lines_are_shown_with_numbers_marks_and_tabs)
{
	const struct tl_source_view view = {.first = 3, .current = 5, .highlighted = true, .coloured = true};
	const struct tl_point_mark marks[] = {{3, false, true, true}, {5, true, false, false}};

	CHECK_TEXT(draw_source(&view, marks, 2, 4, 60), "B+     3  int main(void)\n"
							"       4  {\n"
							"h->    5          return 'x'; // 漢字 end\n"
							"       6  }\n");
}

TEST(what_is_to_the_left_and_right_is_cut)
{
	const struct tl_source_view view = {.first = 5, .offset = 10, .tab_width = 4};

	CHECK_TEXT(draw_source(&view, NULL, 0, 1, 21), "       5   'x'; // 漢\n");
	CHECK_TEXT(draw_source(&view, NULL, 0, 1, 3), "");
	CHECK_TEXT(draw_source(&view, NULL, 0, 1, 1), "");
}

TEST(several_points_at_a_line_are_one_mark)
{
	const struct tl_point_mark marks[] = {{7, false, false, false}, {7, false, true, true}, {8, true, true, false}};
	char text[4];

	tl_point_marks_text(marks, 3, 7, true, text);
	CHECK_TEXT(text, "B+>");
	tl_point_marks_text(marks, 3, 8, false, text);
	CHECK_TEXT(text, "H- ");
	tl_point_marks_text(marks, 3, 9, false, text);
	CHECK_TEXT(text, "   ");
}

TEST(a_view_moves_only_when_it_must)
{
	struct tl_source_view view = {0};

	tl_source_view_show(&view, 50, 100, 20);
	CHECK_EQUAL(view.first, 40);
	tl_source_view_show(&view, 57, 100, 20);
	CHECK_EQUAL(view.first, 40);
	tl_source_view_show(&view, 58, 100, 20);
	CHECK_EQUAL(view.first, 48);
	tl_source_view_show(&view, 1, 100, 20);
	CHECK_EQUAL(view.first, 1);
	tl_source_view_scroll(&view, -5, 100, 20);
	CHECK_EQUAL(view.first, 1);
	tl_source_view_scroll(&view, 1000, 100, 20);
	CHECK_EQUAL(view.first, 81);
	tl_source_view_scroll(&view, 1, 5, 20);
	CHECK_EQUAL(view.first, 1);
}

/* ---- Colours ---- */

/* One letter for each byte. */
static const char *kinds_of(struct tl_highlight_state *state, const char *line)
{
	static char text[256];
	tl_u8 kinds[256];
	tl_size size = strlen(line);

	tl_highlight_line(state, line, size, kinds);
	for (tl_size i = 0; i < size; i++)
		text[i] = ".ktsnc#"[kinds[i]];
	text[size] = '\0';
	return text;
}

TEST(words_of_c_are_told_apart)
{
	struct tl_highlight_state state = {0};

	CHECK_TEXT(kinds_of(&state, "return x1 + 0x1f;"), "kkkkkk......nnnn.");
	CHECK_TEXT(kinds_of(&state, "int*p=\"a\\\"b\";"), "ttt...ssssss.");
	CHECK_TEXT(kinds_of(&state, "returned(1.5e-3f)"), ".........nnnnnnn.");
	CHECK_TEXT(kinds_of(&state, "a /* b */ c // d"), "..ccccccc...cccc");
	CHECK_TEXT(kinds_of(&state, "#define X \"s\" /*"), "##########sss#cc");
	CHECK(state.comment);
	CHECK_TEXT(kinds_of(&state, "still */ if"), "cccccccc.kk");
	CHECK(!state.comment);
	CHECK_TEXT(kinds_of(&state, "\"never closed"), "sssssssssssss");
	CHECK_TEXT(kinds_of(&state, "int"), "ttt");
	CHECK_TEXT(kinds_of(&state, "\"goes on \\"), "ssssssssss");
	CHECK_TEXT(kinds_of(&state, "on\" int"), "sss.ttt");
	CHECK_TEXT(kinds_of(&state, "// so \\"), "ccccccc");
	CHECK_TEXT(kinds_of(&state, "int"), "ccc");
	CHECK_TEXT(kinds_of(&state, "int"), "ttt");
	CHECK_TEXT(kinds_of(&state, "#if a \\"), "#######");
	CHECK_TEXT(kinds_of(&state, "int"), "###");
	CHECK_TEXT(kinds_of(&state, "'\\'' '"), "ssss.s");
	CHECK_TEXT(kinds_of(&state, "/"), ".");
	CHECK_TEXT(kinds_of(&state, ""), "");
}

TEST(files_of_c_are_known_by_their_names)
{
	CHECK(tl_highlight_knows("/x/a.c"));
	CHECK(tl_highlight_knows("b.hpp"));
	CHECK(tl_highlight_knows("/usr/include/c++/12/vector"));
	CHECK(!tl_highlight_knows("a.s"));
	CHECK(!tl_highlight_knows("/x.c/Makefile"));
}

/* ---- Instructions ---- */

static void add_code(struct tl_code_rows *rows, tl_u64 address, const char *line)
{
	struct tl_error error;

	CHECK_EQUAL(tl_code_rows_add(rows, address, line, strlen(line), &error), TL_OK);
}

TEST(instructions_stand_below_each_other)
{
	struct tl_code_screen screen = {.has_current = true, .current = 0x1001};
	const struct tl_point_mark mark = {0x1000, false, true, true};
	struct tl_code_rows front = {0};
	struct tl_canvas canvas;
	struct tl_error error;
	tl_size row;

	add_code(&screen.rows, 0x1000, "   0x1000 <f>:\tpush   %rbp\n");
	add_code(&screen.rows, 0x1001, "=> 0x1001 <f+1>:\tmov    %rsp,%rbp\n");
	add_code(&screen.rows, 0x1004, "   0x1004:\t(bad)\n");
	add_code(&screen.rows, 0x1005, "   0x1005 <a_name_that_is_much_too_long_for_it+1234>:\tret\n");
	REQUIRE(tl_canvas_open(&canvas, 4, 70, &error) == TL_OK);
	tl_code_screen_draw(&screen, &mark, 1, &canvas, 0, 4);
	CHECK_TEXT(text_of(&canvas), "B+  0x1000 <f>                               push   %rbp\n"
				     "  > 0x1001 <f+1>                             mov    %rsp,%rbp\n"
				     "    0x1004                                   (bad)\n"
				     "    0x1005 <a_name_that_is_much_to...+1234>  ret\n");
	CHECK(tl_code_rows_find(&screen.rows, 0x1004, &row) && row == 2);
	CHECK(!tl_code_rows_find(&screen.rows, 0x1003, &row));
	add_code(&front, 0xff0, "   0xff0 <e>:\tret\n");
	screen.first = 1;
	CHECK_EQUAL(tl_code_screen_prepend(&screen, &front, &error), TL_OK);
	CHECK_EQUAL(screen.first, 2);
	CHECK_EQUAL(screen.rows.items[0].address, 0xff0);
	CHECK_EQUAL(tl_code_screen_scroll(&screen, -5, 2), -3);
	CHECK_EQUAL(tl_code_screen_scroll(&screen, 4, 2), 1);
	CHECK_EQUAL(screen.first, 3);
	tl_canvas_close(&canvas);
	tl_code_rows_clear(&screen.rows);
}

/* ---- Registers ---- */

static void set_registers(struct tl_register_screen *screen, const char *rax)
{
	struct tl_error error;

	CHECK_EQUAL(tl_register_screen_set(screen, 0, "rax", rax, &error), TL_OK);
	CHECK_EQUAL(tl_register_screen_set(screen, 1, "rbx", "0x0 0", &error), TL_OK);
	CHECK_EQUAL(tl_register_screen_set(screen, 2, "eflags", "[ ZF ]", &error), TL_OK);
	tl_register_screen_end(screen, 3);
}

TEST(registers_that_changed_are_marked_until_the_program_has_run)
{
	struct tl_register_screen screen = {0};
	struct tl_canvas canvas;
	struct tl_error error;

	tl_register_screen_begin(&screen, true);
	set_registers(&screen, "0x1 1");
	CHECK(!screen.rows[0].changed);
	tl_register_screen_begin(&screen, true);
	set_registers(&screen, "0x2 2");
	CHECK(screen.rows[0].changed && !screen.rows[1].changed);
	/* Looking again changes nothing. */
	tl_register_screen_begin(&screen, false);
	set_registers(&screen, "0x2 2");
	CHECK(screen.rows[0].changed);
	REQUIRE(tl_canvas_open(&canvas, 3, 40, &error) == TL_OK);
	tl_register_screen_draw(&screen, &canvas, 0, 3);
	CHECK_TEXT(text_of(&canvas), "rax    0x2 2   eflags [ ZF ]\nrbx    0x0 0\n");
	CHECK((tl_canvas_at(&canvas, 0, 7)->ink.looks & TL_LOOK_REVERSE) != 0);
	CHECK((tl_canvas_at(&canvas, 1, 7)->ink.looks & TL_LOOK_REVERSE) == 0);
	tl_canvas_close(&canvas);
	tl_register_screen_begin(&screen, true);
	set_registers(&screen, "0x2 2");
	CHECK(!screen.rows[0].changed);
	tl_register_screen_clear(&screen);
}

TEST(registers_scroll_in_a_window_that_is_too_small)
{
	struct tl_register_screen screen = {0};
	struct tl_canvas canvas;
	struct tl_error error;

	set_registers(&screen, "0x1 1");
	REQUIRE(tl_canvas_open(&canvas, 1, 10, &error) == TL_OK);
	tl_register_screen_scroll(&screen, 1, 10, 1);
	tl_register_screen_draw(&screen, &canvas, 0, 1);
	CHECK_TEXT(text_of(&canvas), "rbx    0x0\n");
	tl_register_screen_scroll(&screen, 10, 10, 1);
	CHECK_EQUAL(screen.first, 2);
	tl_register_screen_scroll(&screen, -10, 10, 1);
	CHECK_EQUAL(screen.first, 0);
	tl_canvas_close(&canvas);
	tl_register_screen_clear(&screen);
}
