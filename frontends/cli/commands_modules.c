/* What the program is made of: its libraries, symbols, lines and sources (info sharedlibrary, symbol, line, source). */
#include "frontends/cli/addresses.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/commands_lines.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/words.h"

#include "debugger/code/source.h"
#include "debugger/session/session.h"
#include "symbols/demangle.h"
#include "symbols/dwarf_constants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Sections ---- */

/* Calls back for each loaded section of a file, with its name, until `call` returns false. */
struct section {
	const char *name;
	tl_u64 address, size; /* as linked */
};

static void each_section(const struct tl_module *module, bool (*call)(void *context, const struct section *section),
			 void *context)
{
	const struct tl_elf *elf = tl_image_elf(module->binary->image);
	struct tl_elf_section row;

	for (tl_u32 i = 0; i < elf->section_count; i++) {
		struct section section = {.name = tl_image_section_name(module->binary->image, i, &row)};

		/* SHF_ALLOC */
		if (section.name == NULL || (row.flags & 2) == 0 || row.size == 0)
			continue;
		section.address = row.address;
		section.size = row.size;
		if (!call(context, &section))
			return;
	}
}

struct wanted {
	const char *name; /* the section of that name … */
	tl_u64 address;   /* … or around that address, if `name` is NULL */
	struct section found;
	char found_name[64];
};

static bool take_section(void *context, const struct section *section)
{
	struct wanted *wanted = context;

	if (wanted->name != NULL ? strcmp(section->name, wanted->name) != 0
				 : wanted->address - section->address >= section->size)
		return true;
	wanted->found = *section;
	strncpy(wanted->found_name, section->name, sizeof(wanted->found_name) - 1);
	return false;
}

/* ---- info sharedlibrary ---- */

static enum tl_status run_info_sharedlibrary(struct tl_cli *cli, const struct tl_command_line *line,
					     struct tl_error *error)
{
	const struct tl_modules *modules = tl_session_modules(cli->session);
	const struct tl_module *module;
	bool any = false, missing = false;
	tl_u64 start, end;

	(void)line;
	(void)error;
	for (tl_size i = 1; (module = tl_modules_get(modules, i)) != NULL; i++) {
		struct wanted wanted = {.name = ".text"};

		if (module->program || module->binary->path[0] != '/')
			continue;
		if (!any)
			tl_screen_format(&cli->screen, "%-18s  %-18s  %s   %s\n", "From", "To", "Syms Read",
					 "Shared Object Library");
		any = true;
		missing |= !module->binary->has_debug;
		each_section(module, take_section, &wanted);
		start = wanted.found.address + module->bias;
		end = start + wanted.found.size;
		tl_screen_format(&cli->screen, "0x%016llx  0x%016llx  %-10s  ", (unsigned long long)start,
				 (unsigned long long)end, module->binary->has_debug ? "Yes" : "Yes (*)");
		tl_screen_styled(&cli->screen, TL_STYLE_FILENAME, module->binary->path);
		tl_screen_text(&cli->screen, "\n");
	}
	if (!any)
		tl_screen_text(&cli->screen, "No shared libraries loaded at this time.\n");
	else if (missing)
		tl_screen_text(&cli->screen, "(*): Shared library is missing debugging information.\n");
	return TL_OK;
}

/* ---- info symbol ---- */

static enum tl_status run_info_symbol(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	const struct tl_modules *modules = tl_session_modules(cli->session);
	const struct tl_module *module;
	struct tl_output name = tl_output_make(TL_DEMANGLE_TEXT_MAX);
	struct wanted wanted = {.name = NULL};
	struct tl_elf_name symbol;
	tl_u64 address, start;

	if (line->size == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (address).");
	TL_TRY(tl_session_address(cli->session, line->words, line->size, &address, error));
	module = tl_modules_at(modules, address);
	if (module == NULL || !tl_modules_symbol(modules, address, &symbol, &start)) {
		tl_screen_format(&cli->screen, "No symbol matches %.*s.\n", (int)line->size, line->words);
		return TL_OK;
	}
	wanted.address = address - module->bias;
	each_section(module, take_section, &wanted);
	/* The linker's name, which is another than the debug information's of main in C++ and of parts of functions. */
	if (!tl_demangle_is_mangled(symbol.name) || tl_demangle(symbol.name, TL_DEMANGLE_WHOLE, &name, NULL) != TL_OK)
		tl_output_text(&name, symbol.name);
	tl_screen_text(&cli->screen, tl_output_string(&name));
	tl_output_release(&name);
	if (address != start)
		tl_screen_format(&cli->screen, " + %llu", (unsigned long long)(address - start));
	tl_screen_format(&cli->screen, " in section %s", wanted.found_name);
	if (tl_modules_get(modules, 1) != NULL)
		tl_screen_format(&cli->screen, " of %s", module->binary->path);
	tl_screen_text(&cli->screen, "\n");
	return TL_OK;
}

/* ---- info source ---- */

static enum tl_status run_info_source(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	const struct tl_stack_frame *frame;
	const struct tl_source_file *source;
	const struct tl_unit *unit;
	struct tl_error none;

	(void)line;
	if (tl_session_frame(cli->session, &frame, &none) != TL_OK || frame->file == NULL || frame->module == NULL ||
	    frame->module->binary->index == NULL) {
		tl_screen_text(&cli->screen, "No current source file.\n");
		return TL_OK;
	}
	unit = tl_index_unit(frame->module->binary->index, frame->lookup - frame->module->bias);
	tl_screen_format(&cli->screen, "Current source file is %s\n",
			 frame->file_name != NULL ? frame->file_name : frame->file);
	if (unit == NULL)
		return TL_OK;
	if (unit->directory != NULL)
		tl_screen_format(&cli->screen, "Compilation directory is %s\n", unit->directory);
	if (tl_sources_find(cli->sources, frame->file, unit->directory, &source, error) == TL_OK) {
		tl_screen_format(&cli->screen, "Located in %s\n", source->path);
		tl_screen_format(&cli->screen, "Contains %u line%s.\n", source->line_count,
				 source->line_count == 1 ? "" : "s");
	}
	tl_screen_format(&cli->screen, "Source language is %s.\n", tl_frame_language(frame));
	if (unit->producer != NULL)
		tl_screen_format(&cli->screen, "Producer is %s.\n", unit->producer);
	tl_screen_format(&cli->screen, "Compiled with DWARF %u debugging format.\n", unit->version);
	tl_screen_text(&cli->screen, "Does not include preprocessor macro info.\n");
	return TL_OK;
}

/* ---- The table ---- */

const struct tl_command tl_commands_modules_info[] = {
	{.name = "line",
	 .arguments = "[LOCATION]",
	 .summary = "The addresses of a line, or the line of an address",
	 .details = "Example: info line list.c:12\nExample: info line *0x401136",
	 .run = tl_command_info_line},
	{.name = "sharedlibrary",
	 .shorts = "dll",
	 .summary = "The shared libraries that are loaded",
	 .details = "Example: info sharedlibrary",
	 .run = run_info_sharedlibrary},
	{.name = "source",
	 .summary = "The source file at which the program stands",
	 .details = "Example: info source",
	 .run = run_info_source},
	{.name = "symbol",
	 .arguments = "ADDRESS",
	 .summary = "The symbol that an address belongs to",
	 .details = "Example: info symbol $pc",
	 .run = run_info_symbol,
	 .complete = tl_complete_expressions},
	{.name = NULL},
};
