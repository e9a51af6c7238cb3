#include "frontends/cli/full_screen_contents.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/code.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/full_screen_highlight.h"
#include "frontends/cli/registers.h"
#include "frontends/cli/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Code of which nothing says where it ends is read by so many instructions. */
#define CODE_STRETCH 128
/* Points that are shown. */
#define MARKS_MAX 4096

/* ---- The source ---- */

static void release_file(struct tl_full_contents *contents)
{
	union {
		const void *from;
		void *to;
	} path = {contents->file.path}, bytes = {contents->file.bytes}, starts = {contents->file.starts};

	free(path.to);
	free(bytes.to);
	free(starts.to);
	contents->file = (struct tl_source_file){0};
}

static bool copy_file(struct tl_full_contents *contents, const struct tl_source_file *from)
{
	struct tl_source_file file = *from;
	tl_size starts = ((tl_size)from->line_count + 1) * sizeof(*from->starts);
	char *path = strdup(from->path), *bytes = malloc(from->size + 1);
	tl_u32 *copied = malloc(starts);

	if (path == NULL || bytes == NULL || copied == NULL) {
		free(path);
		free(bytes);
		free(copied);
		return false;
	}
	memcpy(bytes, from->bytes, from->size);
	memcpy(copied, from->starts, starts);
	file.path = path;
	file.bytes = bytes;
	file.starts = copied;
	release_file(contents);
	contents->file = file;
	return true;
}

/* The file that is wanted, as it is now. */
static void load_file(struct tl_cli *cli, struct tl_full_contents *contents)
{
	const struct tl_source_file *source;
	struct tl_error error;

	if (contents->wanted == NULL) {
		release_file(contents);
		(void)snprintf(contents->missing, sizeof(contents->missing), "[ No Source Available ]");
	} else if (tl_sources_find(cli->sources, contents->wanted, NULL, &source, &error) != TL_OK) {
		release_file(contents);
		(void)snprintf(contents->missing, sizeof(contents->missing), "[ %.200s ]", error.text);
	} else if (contents->file.path == NULL || strcmp(contents->file.path, source->path) != 0 ||
		   contents->file.modified != source->modified || contents->file.size != source->size) {
		if (!copy_file(contents, source))
			(void)snprintf(contents->missing, sizeof(contents->missing), "[ no memory for the file ]");
	}
}

/* True when it is another file than before. */
static bool want_file(struct tl_full_contents *contents, const char *file)
{
	if (file != NULL && contents->wanted != NULL && strcmp(contents->wanted, file) == 0)
		return false;
	free(contents->wanted);
	contents->wanted = file != NULL ? strdup(file) : NULL;
	contents->source.first = contents->source.current = contents->source.offset = 0;
	return true;
}

static void show_line(struct tl_cli *cli, struct tl_full_contents *contents, const char *file, tl_u32 line,
		      tl_u32 height)
{
	(void)want_file(contents, file);
	load_file(cli, contents);
	if (contents->file.path != NULL)
		tl_source_view_show(&contents->source, line, contents->file.line_count, height);
}

/* Before the program runs: what was listed, or main. Its address is returned, 0 where it is not known. */
static tl_u64 show_start(struct tl_cli *cli, struct tl_full_contents *contents, tl_u32 height)
{
	struct tl_linespec_base base = {0};
	struct tl_code_places places = {0};
	struct tl_error error;
	const char *rest;
	tl_u64 address = 0;

	if (tl_session_program(cli->session) != NULL &&
	    tl_linespec_find(tl_session_modules(cli->session), &base, tl_session_patience(cli->session), "main", false,
			     &places, &rest, &error) == TL_OK &&
	    places.count > 0) {
		address = places.items[0].address;
		if (contents->wanted == NULL && cli->listing.file == NULL && places.items[0].file != NULL)
			show_line(cli, contents, places.items[0].file, places.items[0].line, height);
	}
	tl_code_places_release(&places);
	if (contents->wanted == NULL && cli->listing.file != NULL)
		show_line(cli, contents, cli->listing.file, cli->listing.next, height);
	return address;
}

bool tl_full_contents_list(struct tl_cli *cli, struct tl_full_contents *contents, const char *file, tl_u32 first,
			   tl_u32 height)
{
	(void)want_file(contents, file);
	load_file(cli, contents);
	if (contents->file.path == NULL || first > contents->file.line_count)
		return false;
	contents->source.first = first;
	tl_source_view_scroll(&contents->source, 0, contents->file.line_count, height);
	return true;
}

/* ---- Points ---- */

static void add_mark(struct tl_point_mark **marks, tl_size *count, const struct tl_breakpoint *point, tl_u64 at,
		     bool enabled)
{
	struct tl_point_mark *grown;

	if (*count >= MARKS_MAX)
		return;
	grown = realloc(*marks, (*count + 1) * sizeof(*grown));
	if (grown == NULL)
		return;
	*marks = grown;
	grown[(*count)++] = (struct tl_point_mark){at, point->kind == TL_BREAKPOINT_HARDWARE, point->hits > 0,
						   point->enabled && enabled};
}

static void take_points(struct tl_cli *cli, struct tl_full_contents *contents)
{
	const struct tl_breakpoint *point;

	contents->line_count = contents->address_count = 0;
	for (tl_size i = 0; (point = tl_breakpoint_at(cli->session, i)) != NULL; i++) {
		for (tl_size place = 0; tl_breakpoint_is_code(point->kind) && place < point->location_count; place++) {
			const struct tl_breakpoint_location *location = &point->locations[place];

			add_mark(&contents->addresses, &contents->address_count, point, location->address,
				 location->enabled);
			if (location->file != NULL && contents->wanted != NULL &&
			    strcmp(location->file, contents->wanted) == 0)
				add_mark(&contents->lines, &contents->line_count, point, location->line,
					 location->enabled);
		}
	}
}

/* ---- Instructions ---- */

/* The end of the stretch of the function that an address is in; the start of it. */
static bool find_stretch(struct tl_code_lister *lister, tl_u64 address, tl_u64 stretch_ret[2])
{
	struct tl_code_function function;
	struct tl_error error;
	bool found = false;

	if (tl_code_function_find(lister->places, address, &function, &error) != TL_OK)
		return false;
	for (tl_size i = 0; i < function.range_count && !found; i++) {
		found = address >= function.ranges[i][0] && address < function.ranges[i][1];
		if (found)
			memcpy(stretch_ret, function.ranges[i], sizeof(function.ranges[i]));
	}
	tl_code_function_release(&function);
	return found;
}

/* Instructions from an address on: to the end, or so many. */
static enum tl_status read_rows(struct tl_code_lister *lister, tl_u64 start, tl_u64 end, tl_size limit,
				struct tl_code_rows *rows, struct tl_error *error)
{
	enum tl_status status = TL_OK;

	for (rows->end = start; rows->end < end && limit > 0 && status == TL_OK; limit--) {
		struct tl_output output = tl_output_make(65536);
		tl_u8 size = 0;

		status = tl_code_list_one(&lister->listing, rows->end, &output, &size, error);
		if (status == TL_OK)
			status = tl_code_rows_add(rows, rows->end, tl_output_string(&output), output.size, error);
		rows->end += size;
		tl_output_release(&output);
	}
	return status;
}

/* The function around an address, or what follows where nothing says what that is. */
static void load_code(struct tl_cli *cli, struct tl_full_contents *contents, tl_u64 address)
{
	struct tl_code_screen *code = &contents->code;
	struct tl_code_lister lister;
	tl_u64 stretch[2];
	struct tl_error error;

	tl_code_rows_clear(&code->rows);
	code->first = 0;
	contents->no_code[0] = '\0';
	if (tl_code_lister_open(&lister, cli, &error) == TL_OK) {
		bool known = find_stretch(&lister, address, stretch);

		if (known && tl_code_rows_find(&code->rows, address, &code->first))
			known = true;
		if (read_rows(&lister, known ? stretch[0] : address, known ? stretch[1] : TL_U64_MAX,
			      known ? TL_CODE_ROWS_MAX : CODE_STRETCH, &code->rows, &error) == TL_OK)
			error.text[0] = '\0';
		tl_code_lister_close(&lister);
	}
	if (code->rows.count == 0)
		(void)snprintf(contents->no_code, sizeof(contents->no_code), "[ %.200s ]", error.text);
}

/* What follows the last row, as if it were one more function. */
static void load_more_code(struct tl_cli *cli, struct tl_full_contents *contents)
{
	struct tl_code_rows *rows = &contents->code.rows;
	struct tl_code_lister lister;
	struct tl_error error;
	tl_u64 stretch[2];

	if (rows->count == 0 || rows->count >= TL_CODE_ROWS_MAX || tl_code_lister_open(&lister, cli, &error) != TL_OK)
		return;
	if (!find_stretch(&lister, rows->end, stretch))
		stretch[1] = TL_U64_MAX;
	(void)!read_rows(&lister, rows->end, stretch[1], CODE_STRETCH, rows, &error);
	tl_code_lister_close(&lister);
}

/* The function in front of the first row. */
static void load_earlier_code(struct tl_cli *cli, struct tl_full_contents *contents)
{
	struct tl_code_screen *code = &contents->code;
	struct tl_code_rows front = {0};
	struct tl_code_lister lister;
	struct tl_error error;
	tl_u64 stretch[2], start;

	if (code->rows.count == 0 || code->rows.count >= TL_CODE_ROWS_MAX ||
	    tl_code_lister_open(&lister, cli, &error) != TL_OK)
		return;
	start = code->rows.items[0].address;
	/* Between functions there are bytes that fill up. */
	for (tl_u64 back = 1; back <= 64; back++) {
		if (!find_stretch(&lister, start - back, stretch))
			continue;
		if (read_rows(&lister, stretch[0], start, TL_CODE_ROWS_MAX / 2, &front, &error) != TL_OK ||
		    tl_code_screen_prepend(code, &front, &error) != TL_OK)
			tl_code_rows_clear(&front);
		break;
	}
	tl_code_lister_close(&lister);
}

void tl_full_contents_scroll_code(struct tl_cli *cli, struct tl_full_contents *contents, tl_i64 lines, tl_u32 height)
{
	tl_i64 more = tl_code_screen_scroll(&contents->code, lines, height);

	if (more == 0)
		return;
	if (more > 0)
		load_more_code(cli, contents);
	else
		load_earlier_code(cli, contents);
	(void)tl_code_screen_scroll(&contents->code, more, height);
}

static void take_code(struct tl_cli *cli, struct tl_full_contents *contents, bool moved, tl_u32 height)
{
	struct tl_code_screen *code = &contents->code;
	tl_size row;

	code->has_current = contents->place.alive;
	code->current = contents->place.address;
	moved |= height != contents->code_height;
	contents->code_height = height;
	if (!moved && (code->rows.count != 0 || contents->no_code[0] != '\0'))
		return;
	if (contents->place.address == 0) {
		tl_code_rows_clear(&code->rows);
		(void)snprintf(contents->no_code, sizeof(contents->no_code), "[ No Assembly Available ]");
		return;
	}
	/* Code may be written anew, and breakpoints do not show: it is read each time. */
	if (!tl_code_rows_find(&code->rows, code->current, &row)) {
		load_code(cli, contents, code->current);
		if (!tl_code_rows_find(&code->rows, code->current, &row))
			return;
		code->first = row > height / 3 ? row - height / 3 : 0;
	}
	tl_code_screen_show(code, row, height);
	if (code->rows.count < code->first + height)
		load_more_code(cli, contents);
}

/* ---- Registers ---- */

const char *const tl_full_register_groups[] = {"general", "float", "vector", "system", "all", NULL};

enum tl_status tl_full_contents_group(struct tl_full_contents *contents, const char *name, struct tl_error *error)
{
	tl_size count = 0, now = 0, found;

	for (; tl_full_register_groups[count] != NULL; count++)
		if (strcmp(tl_full_register_groups[count], contents->group) == 0)
			now = count;
	for (found = 0; found < count; found++)
		if (strncmp(tl_full_register_groups[found], name, strlen(name)) == 0 && name[0] != '\0')
			break;
	if (strcmp(name, "next") == 0)
		found = (now + 1) % count;
	else if (strcmp(name, "prev") == 0)
		found = (now + count - 1) % count;
	if (found == count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "unknown register group '%s': general, float, vector, system, all, next or prev", name);
	(void)snprintf(contents->group, sizeof(contents->group), "%s", tl_full_register_groups[found]);
	tl_register_screen_clear(&contents->registers);
	return TL_OK;
}

static bool is_wanted(const struct tl_full_contents *contents, const struct tl_register *row)
{
	return strcmp(contents->group, "all") == 0 || strcmp(tl_register_group(row), contents->group) == 0;
}

/* As `info registers` has it: in hexadecimal, and what it means where that says more. */
static void write_register(struct tl_cli *cli, const struct tl_register *row, struct tl_output *output)
{
	struct tl_output raw = tl_output_make(TL_OUTPUT_MAX), natural = tl_output_make(TL_OUTPUT_MAX);
	char expression[TL_VARIABLE_NAME_MAX + 2] = "$";
	struct tl_value value;
	struct tl_error error;

	strncat(expression, row->name, TL_VARIABLE_NAME_MAX);
	if (tl_cli_evaluate(cli, expression, strlen(expression), &value, &error) != TL_OK ||
	    tl_cli_print_listed(cli, &value, 'x', &raw, &error) != TL_OK) {
		tl_output_text(output, "<not available>");
	} else {
		tl_output_text(output, tl_output_string(&raw));
		if (row->bits <= 80 && tl_cli_print_listed(cli, &value, 0, &natural, &error) == TL_OK &&
		    strcmp(tl_output_string(&raw), tl_output_string(&natural)) != 0)
			tl_output_format(output, " %s", tl_output_string(&natural));
	}
	tl_output_release(&raw);
	tl_output_release(&natural);
}

static void take_registers(struct tl_cli *cli, struct tl_full_contents *contents, bool moved)
{
	struct tl_register_screen *screen = &contents->registers;
	struct tl_process_facts facts;
	struct tl_error error;
	tl_size count = 0;

	if (!contents->place.alive || tl_engine_facts(tl_session_engine(cli->session),
						      tl_session_thread(cli->session).process, &facts) != TL_OK) {
		tl_register_screen_clear(screen);
		return;
	}
	tl_register_screen_begin(screen, moved);
	for (tl_u16 i = 0; i < facts.cpu->register_count; i++) {
		const struct tl_register *row = &facts.cpu->registers[i];
		struct tl_output output = tl_output_make(4096);

		if (is_wanted(contents, row) && tl_register_is_there(row, facts.features)) {
			write_register(cli, row, &output);
			if (tl_register_screen_set(screen, count, row->name, tl_output_string(&output), &error) ==
			    TL_OK)
				count++;
		}
		tl_output_release(&output);
	}
	tl_register_screen_end(screen, count);
}

/* ---- The line of status ---- */

void tl_full_contents_status(struct tl_cli *cli, struct tl_full_contents *contents)
{
	struct tl_output text = tl_output_make(sizeof(contents->status) * 4);
	const struct tl_stack_frame *frame;
	struct tl_error error;

	if (!tl_session_alive(cli->session)) {
		tl_output_text(&text, "No process");
	} else {
		tl_thread_write_name(cli, tl_session_thread(cli->session), &text);
		if (tl_session_running(cli->session))
			tl_output_text(&text, "  (running)");
		else if (tl_session_frame(cli->session, &frame, &error) == TL_OK) {
			tl_output_format(&text, "  In: %s", frame->name != NULL ? frame->name : "??");
			if (frame->line != 0)
				tl_output_format(&text, "  L%u", frame->line);
			tl_output_format(&text, "  PC: 0x%llx", (unsigned long long)frame->program_counter);
		}
	}
	(void)snprintf(contents->status, sizeof(contents->status), "%s", tl_output_string(&text));
	tl_output_release(&text);
}

/* ---- All of it ---- */

/* Where one is now; true when that is another place, or the program has run since. */
static bool take_place(struct tl_cli *cli, struct tl_full_contents *contents, const struct tl_stack_frame **frame_ret)
{
	struct tl_full_place place = {.runs = cli->runs, .thread = tl_session_thread(cli->session)};
	struct tl_error error;
	bool moved;

	*frame_ret = NULL;
	if (tl_session_alive(cli->session) && !tl_session_running(cli->session) &&
	    tl_session_frame(cli->session, frame_ret, &error) == TL_OK) {
		place.alive = true;
		place.frame = (*frame_ret)->frame_address;
		place.address = (*frame_ret)->program_counter;
		place.level = (*frame_ret)->level;
	} else {
		*frame_ret = NULL;
	}
	moved = !contents->taken || memcmp(&place.thread, &contents->place.thread, sizeof(place.thread)) != 0 ||
		place.frame != contents->place.frame || (place.alive && place.address != contents->place.address) ||
		place.runs != contents->place.runs || place.level != contents->place.level ||
		place.alive != contents->place.alive;
	if (moved || place.alive)
		contents->place = place;
	contents->taken = true;
	return moved;
}

static tl_u32 inner_height(const struct tl_layout *layout, enum tl_window window)
{
	return layout->heights[window] > 1 ? layout->heights[window] - 1 : 0;
}

void tl_full_contents_update(struct tl_cli *cli, struct tl_full_contents *contents, const struct tl_layout *layout)
{
	tl_u32 source = inner_height(layout, TL_WINDOW_SOURCE), code = inner_height(layout, TL_WINDOW_CODE);
	const struct tl_stack_frame *frame;
	bool moved = take_place(cli, contents, &frame), resized = source != contents->source_height;

	contents->source_height = source;
	if (frame != NULL && (moved || contents->wanted == NULL)) {
		if (frame->file != NULL && frame->line != 0 && !frame->signal) {
			show_line(cli, contents, frame->file, frame->line, source);
			contents->source.current = frame->line;
		} else {
			(void)want_file(contents, NULL);
			load_file(cli, contents);
		}
	} else if (!tl_session_alive(cli->session)) {
		contents->source.current = 0;
		if (moved || contents->place.address == 0)
			contents->place.address = show_start(cli, contents, source);
	}
	if (!moved || frame == NULL)
		load_file(cli, contents);
	/* What was in sight shall be so in a window of another size. */
	if (resized && contents->file.path != NULL && contents->source.current != 0)
		tl_source_view_show(&contents->source, contents->source.current, contents->file.line_count, source);
	take_points(cli, contents);
	contents->source.coloured = contents->code.coloured = contents->registers.coloured =
		tl_screen_style(&cli->screen, TL_STYLE_TITLE)[0] != '\0';
	contents->source.highlighted =
		contents->source.coloured && contents->file.path != NULL && tl_highlight_knows(contents->file.path);
	if (tl_layout_has(layout, TL_WINDOW_CODE))
		take_code(cli, contents, moved, code);
	if (tl_layout_has(layout, TL_WINDOW_REGISTERS))
		take_registers(cli, contents, moved);
	tl_full_contents_status(cli, contents);
}

void tl_full_contents_open(struct tl_full_contents *contents)
{
	*contents = (struct tl_full_contents){.group = "general"};
}

void tl_full_contents_close(struct tl_full_contents *contents)
{
	release_file(contents);
	free(contents->wanted);
	tl_code_rows_clear(&contents->code.rows);
	tl_register_screen_clear(&contents->registers);
	free(contents->lines);
	free(contents->addresses);
	*contents = (struct tl_full_contents){0};
}

/* ---- Drawing ---- */

static void draw_title(struct tl_canvas *canvas, tl_u32 row, const char *title, bool focused)
{
	struct tl_ink line = {0, 0, focused ? TL_LOOK_BOLD : TL_LOOK_DIM}, text = {0, 0, TL_LOOK_BOLD};
	tl_u32 point, width;

	(void)tl_canvas_character("\xe2\x94\x80", 3, &point, &width);
	tl_canvas_fill(canvas, row, 0, canvas->columns, point == '?' ? '-' : point, line);
	if (focused)
		text.looks |= TL_LOOK_REVERSE;
	/* The end of a path says more than its start. */
	if (strlen(title) + 4 > canvas->columns && canvas->columns > 8)
		title += strlen(title) + 4 - canvas->columns;
	(void)tl_canvas_text(canvas, row, 1, canvas->columns, " ", 1, text);
	(void)tl_canvas_text(canvas, row, tl_canvas_text(canvas, row, 2, canvas->columns, title, strlen(title), text),
			     canvas->columns, " ", 1, text);
}

static void draw_message(struct tl_canvas *canvas, tl_u32 row, tl_u32 height, const char *text)
{
	tl_size size = strlen(text);
	tl_u32 column = size < canvas->columns ? (canvas->columns - (tl_u32)size) / 2 : 0;

	if (height > 0)
		(void)tl_canvas_text(canvas, row + height / 2, column, canvas->columns, text, size, (struct tl_ink){0});
}

static void draw_source(const struct tl_full_contents *contents, struct tl_canvas *canvas, tl_u32 row, tl_u32 height)
{
	if (contents->file.path == NULL)
		draw_message(canvas, row, height, contents->missing);
	else
		tl_source_view_draw(&contents->source, &contents->file, contents->lines, contents->line_count, canvas,
				    row, height);
}

static void draw_code(const struct tl_full_contents *contents, struct tl_canvas *canvas, tl_u32 row, tl_u32 height)
{
	if (contents->code.rows.count == 0)
		draw_message(canvas, row, height, contents->no_code);
	else
		tl_code_screen_draw(&contents->code, contents->addresses, contents->address_count, canvas, row, height);
}

static void draw_window(const struct tl_full_contents *contents, enum tl_window window, struct tl_canvas *canvas,
			tl_u32 row, tl_u32 height, bool focused)
{
	char title[64];

	switch (window) {
	case TL_WINDOW_REGISTERS:
		(void)snprintf(title, sizeof(title), "Register group: %s", contents->group);
		draw_title(canvas, row, title, focused);
		if (contents->registers.count == 0)
			draw_message(canvas, row + 1, height - 1, "[ Register Values Unavailable ]");
		else
			tl_register_screen_draw(&contents->registers, canvas, row + 1, height - 1);
		break;
	case TL_WINDOW_SOURCE:
		draw_title(canvas, row,
			   contents->file.path != NULL ? contents->file.path
			   : contents->wanted != NULL  ? contents->wanted
						       : "source",
			   focused);
		draw_source(contents, canvas, row + 1, height - 1);
		break;
	case TL_WINDOW_CODE:
		draw_title(canvas, row, "assembly", focused);
		draw_code(contents, canvas, row + 1, height - 1);
		break;
	case TL_WINDOW_STATUS:
		tl_canvas_fill(canvas, row, 0, canvas->columns, ' ', (struct tl_ink){0, 0, TL_LOOK_REVERSE});
		(void)tl_canvas_text(canvas, row, 0, canvas->columns, contents->status, strlen(contents->status),
				     (struct tl_ink){0, 0, TL_LOOK_REVERSE});
		break;
	case TL_WINDOW_COMMAND:
		break;
	}
}

void tl_full_contents_draw(const struct tl_full_contents *contents, const struct tl_layout *layout,
			   struct tl_canvas *canvas)
{
	for (int i = 0; i < TL_WINDOW_COMMAND; i++)
		if (tl_layout_has(layout, (enum tl_window)i))
			draw_window(contents, (enum tl_window)i, canvas, layout->tops[i], layout->heights[i],
				    layout->focus == (enum tl_window)i);
}
