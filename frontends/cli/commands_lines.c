/* `info line`: which code a line became. */
#include "frontends/cli/commands_lines.h"
#include "frontends/cli/addresses.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/words.h"

#include "debugger/code/code_listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Code is shown with the linker's names, unless `set print asm-demangle` is on. */
static void write_address(struct tl_cli *cli, tl_u64 address)
{
	struct tl_places *places;
	char name[1024];
	tl_u64 offset;

	if (cli->settings.asm_demangle || tl_places_open(&places, tl_session_modules(cli->session), NULL) != TL_OK) {
		tl_address_show(cli, address);
		return;
	}
	tl_screen_format(&cli->screen, "0x%llx", (unsigned long long)address);
	if (tl_code_symbol(places, address, name, sizeof(name), &offset)) {
		tl_screen_format(&cli->screen, " <%s", name);
		/* Parts of functions that are seldom run may stand in front of them. */
		if (offset != 0)
			tl_screen_format(&cli->screen, "%+lld", (long long)offset);
		tl_screen_text(&cli->screen, ">");
	}
	tl_places_close(places);
}

static void print_nothing(struct tl_cli *cli, tl_u64 address)
{
	tl_screen_text(&cli->screen, "No line number information available for address ");
	write_address(cli, address);
	tl_screen_text(&cli->screen, "\n");
}

static void print_start(struct tl_cli *cli, tl_u32 line, const char *name, tl_u64 start)
{
	tl_screen_format(&cli->screen, "Line %u of \"%s\" is at address ", line, name);
	write_address(cli, start);
	tl_screen_text(&cli->screen, " but contains no code.\n");
}

/*
 * A line, and the code of the row at an address, which may be that of another line, if it has none itself. `x/i` shows
 * that code then, and a bare `info line` goes on behind the line.
 */
static enum tl_status print_line(struct tl_cli *cli, tl_u64 address, tl_u32 wanted, bool by_address,
				 struct tl_error *error)
{
	struct tl_code_line line;
	const struct tl_line_row *kept;
	tl_u64 start, end;
	char path[4096];

	if (!tl_modules_line(tl_session_modules(cli->session), address, &line) || line.row->line == 0) {
		print_nothing(cli, address);
		return TL_OK;
	}
	kept = tl_line_row_kept(line.table, line.row);
	start = by_address ? line.start : kept->address + line.module->bias;
	end = by_address ? line.end : tl_line_row_kept_end(line.table, kept) + line.module->bias;
	if (tl_line_table_shown_path(line.table, line.row->file, path, sizeof(path)) >= sizeof(path))
		path[sizeof(path) - 1] = '\0';
	if (wanted == 0)
		wanted = line.row->line;
	if (line.row->line != wanted) {
		print_start(cli, wanted, path, start);
	} else {
		tl_screen_format(&cli->screen, "Line %u of \"%s\" starts at address ", wanted, path);
		write_address(cli, start);
		tl_screen_text(&cli->screen, " and ends at ");
		write_address(cli, end);
		tl_screen_text(&cli->screen, ".\n");
	}
	cli->listing.told = wanted + 1;
	return tl_address_stand(cli, start, error);
}

/* ---- How a file is called ---- */

struct name_search {
	const char *path;
	char *name_ret;
	tl_size size;
	bool found;
};

static bool find_name(void *context, const struct tl_line_table *table)
{
	struct name_search *search = context;
	char path[4096];

	for (tl_size i = 0; i <= table->file_count && !search->found; i++) {
		const tl_size size = tl_line_table_path(table, i, true, path, sizeof(path));

		search->found = size != 0 && size < sizeof(path) && strcmp(path, search->path) == 0 &&
				tl_line_table_shown_path(table, i, search->name_ret, search->size) < search->size;
	}
	return !search->found;
}

/* The name of a file that people are shown; of one that no line table has, its path. */
static enum tl_status write_name(struct tl_cli *cli, const char *path, char *name_ret, tl_size size,
				 struct tl_error *error)
{
	struct name_search search = {path, name_ret, size, false};
	const struct tl_module *module;

	for (tl_size i = 0; !search.found && (module = tl_modules_get(tl_session_modules(cli->session), i)) != NULL;
	     i++)
		if (module->binary->lines != NULL)
			TL_TRY(tl_lines_files(module->binary->lines, find_name, &search, error));
	if (!search.found)
		(void)snprintf(name_ret, size, "%s", path);
	return TL_OK;
}

/* ---- What was asked for ---- */

/* Where a line of a file begins: in the table of code near `address`, as gdb looks, or else at `address` itself. */
static tl_u64 first_of(struct tl_cli *cli, const char *file, tl_u32 line, tl_u64 address)
{
	const struct tl_line_row *first;
	struct tl_code_line near;

	if (!tl_modules_line(tl_session_modules(cli->session), address, &near))
		return address;
	first = tl_line_table_first(near.table, file, line);
	return first != NULL ? first->address + near.module->bias : address;
}

/* The places of a line in all tables, to begin with. */
static enum tl_status find_line(struct tl_cli *cli, const struct tl_linespec_base *base, const char *file, tl_u32 line,
				tl_u64 *address_ret, struct tl_error *error)
{
	const tl_size size = strlen(file) + 32;
	struct tl_code_places places = {0};
	char *text = malloc(size);
	enum tl_status status;
	const char *rest;

	if (text == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a place");
	(void)snprintf(text, size, "%s:%u", file, line);
	status = tl_linespec_find(tl_session_modules(cli->session), base, tl_session_patience(cli->session), text, true,
				  &places, &rest, error);
	free(text);
	if (status == TL_OK)
		*address_ret = places.items[0].address;
	tl_code_places_release(&places);
	return status;
}

/* A line that was named, which need not have code. */
static enum tl_status print_named(struct tl_cli *cli, const struct tl_linespec_base *base, const char *file,
				  tl_u32 line, struct tl_error *error)
{
	char name[4096];
	tl_u64 address;

	if (find_line(cli, base, file, line, &address, error) == TL_OK)
		return print_line(cli, first_of(cli, file, line, address), line, false, error);
	TL_TRY(write_name(cli, file, name, sizeof(name), error));
	tl_screen_format(&cli->screen, "Line number %u is out of range for \"%s\".\n", line, name);
	return TL_OK;
}

/* The code of an address, or of a function from where it begins. */
static enum tl_status print_code(struct tl_cli *cli, const struct tl_linespec_base *base, const char *words,
				 struct tl_error *error)
{
	struct tl_code_places places = {0};
	const char *rest;
	enum tl_status status = tl_linespec_find(tl_session_modules(cli->session), base,
						 tl_session_patience(cli->session), words, true, &places, &rest, error);

	for (tl_size i = 0; i < places.count && status == TL_OK; i++)
		status = print_line(cli, places.items[i].address, 0, words[0] == '*', error);
	tl_code_places_release(&places);
	return status;
}

/* A variable, which has an address, unless it is one of each thread's, and a line, but no code. */
static enum tl_status print_variable(struct tl_cli *cli, const struct tl_linespec_base *base,
				     const struct tl_code_place_found *place, struct tl_error *error)
{
	char name[4096];
	tl_u64 address;

	if (!tl_modules_symbol_address(tl_session_modules(cli->session), place->module, place->name, &address))
		return print_named(cli, base, place->file, place->line, error);
	TL_TRY(write_name(cli, place->file, name, sizeof(name), error));
	print_start(cli, place->line, name, address);
	cli->listing.told = place->line + 1;
	return tl_address_stand(cli, address, error);
}

static enum tl_status print_place(struct tl_cli *cli, const char *words, const struct tl_linespec_base *base,
				  struct tl_error *error)
{
	struct tl_code_places places = {0};
	const char *rest;
	enum tl_status status;

	if (words[0] == '*')
		return print_code(cli, base, words, error);
	status = tl_linespec_line(tl_session_modules(cli->session), base, tl_session_patience(cli->session), words,
				  &places, &rest, error);
	if (status == TL_OK && rest[0] != '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Junk at end of line specification: %s", rest);
	if (status != TL_OK && status != TL_ERROR_NO_SYMBOL) {
		tl_code_places_release(&places);
		return status;
	}
	/* What has only a symbol has no line to be listed, and of an inlined function each copy has code. */
	if (status != TL_OK || (places.count != 0 && places.items[0].name != NULL)) {
		const bool listed = status == TL_OK;

		status = print_code(cli, base, words, error);
		if (status != TL_ERROR_NO_SYMBOL || !listed) {
			tl_code_places_release(&places);
			return status;
		}
		status = TL_OK;
	}
	for (tl_size i = 0; i < places.count && status == TL_OK; i++) {
		const struct tl_code_place_found *place = &places.items[i];

		if (place->file == NULL)
			tl_screen_text(&cli->screen, "No line number information available.\n");
		else if (place->name != NULL)
			status = print_variable(cli, base, place, error);
		else
			status = print_named(cli, base, place->file, place->line, error);
	}
	tl_code_places_release(&places);
	return status;
}

/* The first line that was listed last, or where one stands, or the line behind the one that was just told. */
static enum tl_status print_here(struct tl_cli *cli, const struct tl_linespec_base *base, struct tl_error *error)
{
	struct tl_listing *listing = &cli->listing;
	const char *file = listing->file != NULL ? listing->file : base->file;
	tl_u32 line = listing->file != NULL ? listing->last : base->line;
	const struct tl_stack_frame *frame;
	struct tl_code_line near;
	char behind[16];

	if (listing->told != 0)
		line = listing->told;
	if (file == NULL && listing->told != 0) {
		(void)snprintf(behind, sizeof(behind), "%u", line);
		return print_place(cli, behind, base, error);
	}
	if (file == NULL || line == 0)
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No line number information available.");
	if (tl_session_thread(cli->session).process != 0 && tl_session_frame(cli->session, &frame, NULL) == TL_OK &&
	    tl_modules_line(tl_session_modules(cli->session), frame->lookup, &near) &&
	    tl_line_table_first(near.table, file, line) != NULL)
		return print_line(cli, first_of(cli, file, line, frame->lookup), line, false, error);
	return print_named(cli, base, file, line, error);
}

enum tl_status tl_command_info_line(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_linespec_base base;
	enum tl_status status;
	char *words;

	TL_TRY(tl_session_base(cli->session, &base, error));
	TL_TRY(tl_words_copy(line, &words, error));
	status = words[0] == '\0' ? print_here(cli, &base, error) : print_place(cli, words, &base, error);
	free(words);
	return status;
}
