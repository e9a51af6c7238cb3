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
		if (offset != 0)
			tl_screen_format(&cli->screen, "+%llu", (unsigned long long)offset);
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

/* A line, and the code of the row at an address, which may be that of another line, if it has none itself. */
static void print_line(struct tl_cli *cli, tl_u64 address, tl_u32 wanted, bool by_address)
{
	struct tl_code_line line;
	const struct tl_line_row *kept;
	tl_u64 start, end;
	char path[4096];

	if (!tl_modules_line(tl_session_modules(cli->session), address, &line) || line.row->line == 0) {
		print_nothing(cli, address);
		return;
	}
	kept = tl_line_row_kept(line.table, line.row);
	start = by_address ? line.start : kept->address + line.module->bias;
	end = by_address ? line.end : tl_line_row_kept_end(line.table, kept) + line.module->bias;
	if (tl_line_table_shown_path(line.table, line.row->file, path, sizeof(path)) >= sizeof(path))
		path[sizeof(path) - 1] = '\0';
	tl_screen_format(&cli->screen, "Line %u of \"%s\" ", wanted != 0 ? wanted : line.row->line, path);
	if (wanted != 0 && line.row->line != wanted) {
		tl_screen_text(&cli->screen, "is at address ");
		write_address(cli, start);
		tl_screen_text(&cli->screen, " but contains no code.\n");
		return;
	}
	tl_screen_text(&cli->screen, "starts at address ");
	write_address(cli, start);
	tl_screen_text(&cli->screen, by_address && start != address ? "\n   and ends at " : " and ends at ");
	write_address(cli, end);
	tl_screen_text(&cli->screen, ".\n");
}

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

/* The line that was listed last, or the one behind it if that was just told. */
static enum tl_status print_here(struct tl_cli *cli, const struct tl_linespec_base *base, struct tl_error *error)
{
	struct tl_listing *listing = &cli->listing;
	const char *file = listing->file != NULL ? listing->file : base->file;
	tl_u32 line = listing->file != NULL ? listing->last : base->line;
	const struct tl_stack_frame *frame;
	struct tl_code_line near;
	tl_u64 address = 0;

	if (listing->told != 0)
		line = listing->told;
	if (file == NULL || line == 0)
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No line number information available.");
	if (tl_session_thread(cli->session).process != 0 && tl_session_frame(cli->session, &frame, NULL) == TL_OK &&
	    tl_modules_line(tl_session_modules(cli->session), frame->lookup, &near) &&
	    tl_line_table_first(near.table, file, line) != NULL)
		address = frame->lookup;
	else if (find_line(cli, base, file, line, &address, error) != TL_OK)
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "Line number %u is out of range for \"%s\".", line,
			       listing->file != NULL ? listing->name : file);
	print_line(cli, first_of(cli, file, line, address), line, false);
	listing->told = line + 1;
	return TL_OK;
}

static enum tl_status print_place(struct tl_cli *cli, const char *words, const struct tl_linespec_base *base,
				  struct tl_error *error)
{
	struct tl_code_places places = {0};
	const char *rest;
	tl_u64 address;

	if (words[0] == '*') {
		TL_TRY(tl_linespec_find(tl_session_modules(cli->session), base, tl_session_patience(cli->session),
					words, true, &places, &rest, error));
		for (tl_size i = 0; i < places.count; i++)
			print_line(cli, places.items[i].address, 0, true);
		tl_code_places_release(&places);
		return TL_OK;
	}
	TL_TRY(tl_linespec_line(tl_session_modules(cli->session), base, tl_session_patience(cli->session), words,
				&places, &rest, error));
	for (tl_size i = 0; i < places.count; i++) {
		const struct tl_code_place_found *place = &places.items[i];

		if (place->file == NULL)
			tl_screen_text(&cli->screen, "No line number information available.\n");
		else if (find_line(cli, base, place->file, place->line, &address, error) != TL_OK)
			tl_screen_format(&cli->screen, "Line number %u is out of range for \"%s\".\n", place->line,
					 place->file);
		else
			print_line(cli, first_of(cli, place->file, place->line, address), place->line, false);
	}
	tl_code_places_release(&places);
	return TL_OK;
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
