/* What the program is made of: its libraries, symbols, lines and sources (info sharedlibrary, symbol, line, source). */
#include "frontends/cli/addresses.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/commands_lines.h"
#include "frontends/cli/frames.h"
#include "frontends/cli/words.h"

#include "debugger/code/source.h"
#include "debugger/modules/source_list.h"
#include "debugger/session/process_files.h"
#include "debugger/session/session.h"
#include "symbols/demangle.h"
#include "symbols/dwarf_constants.h"

#include <elf.h>
#include <regex.h>
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
	const int digits = tl_address_digits(cli);
	bool any = false, missing = false;
	tl_u64 start, end;

	(void)line;
	(void)error;
	for (tl_size i = 1; (module = tl_modules_get(modules, i)) != NULL; i++) {
		struct wanted wanted = {.name = ".text"};

		if (module->program || module->binary->path[0] != '/')
			continue;
		if (!any)
			tl_screen_format(&cli->screen, "%-*s  %-*s  %s   %s\n", 2 + digits, "From", 2 + digits, "To",
					 "Syms Read", "Shared Object Library");
		any = true;
		missing |= !module->binary->has_debug;
		each_section(module, take_section, &wanted);
		start = wanted.found.address + module->bias;
		end = start + wanted.found.size;
		tl_screen_format(&cli->screen, "0x%0*llx  0x%0*llx  %-10s  ", digits, (unsigned long long)start, digits,
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

/* The kernel's own is in no file. */
static void show_whose(struct tl_cli *cli, const struct tl_module *module)
{
	tl_u64 start, size;

	if (module->binary->path[0] != '[') {
		tl_screen_format(&cli->screen, " of %s", module->binary->path);
		return;
	}
	tl_image_extent(module->binary->image, &start, &size);
	start += module->bias;
	tl_screen_format(&cli->screen, " of system-supplied DSO at 0x%llx", (unsigned long long)start);
}

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
		show_whose(cli, module);
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

/* ---- info sources ---- */

struct source_list {
	struct tl_cli *cli;
	regex_t pattern;
	bool any, folder, name; /* everything; of the folder, or of the name, the pattern has to be in */
	tl_size count;
};

static bool show_source(void *context, const char *path)
{
	struct source_list *list = context;
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	char folder[4096] = "";
	const char *text = list->name ? name : list->folder ? folder : path;

	if (slash != NULL && (tl_size)(slash - path) < sizeof(folder))
		memcpy(folder, path, (tl_size)(slash - path));
	if (!list->any && regexec(&list->pattern, text, 0, NULL, 0) != 0)
		return true;
	tl_screen_text(&list->cli->screen, list->count++ != 0 ? ", " : "");
	tl_screen_styled(&list->cli->screen, TL_STYLE_FILENAME, path);
	return !tl_cli_cancelled(list->cli) && !list->cli->screen.cut;
}

static enum tl_status show_sources(struct source_list *list, struct tl_error *error)
{
	const struct tl_module *module;

	for (tl_size i = 0; (module = tl_modules_get(tl_session_modules(list->cli->session), i)) != NULL; i++) {
		tl_screen_styled(&list->cli->screen, TL_STYLE_FILENAME, module->binary->path);
		tl_screen_text(&list->cli->screen, ":\n");
		if (!module->binary->has_debug)
			tl_screen_text(&list->cli->screen, "(Objfile has no debug information.)\n");
		tl_screen_text(&list->cli->screen, "\n");
		list->count = 0;
		TL_TRY(tl_module_sources(module, show_source, list, error));
		if (list->count != 0 || module->binary->has_debug)
			tl_screen_text(&list->cli->screen, "\n\n");
	}
	return tl_cli_cancelled(list->cli) ? TL_FAIL(error, TL_ERROR_CANCELLED, "Quit") : TL_OK;
}

static enum tl_status info_sources(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				   struct tl_error *error)
{
	struct source_list list = {.cli = cli};
	enum tl_status status;
	char why[256];
	int failure;

	(void)line;
	if (tl_modules_get(tl_session_modules(cli->session), 0) == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "No symbol table is loaded.  Use the \"file\" command.");
	for (;;) {
		if (tl_words_take(&words, "-dirname"))
			list.folder = true;
		else if (tl_words_take(&words, "-basename"))
			list.name = true;
		else
			break;
	}
	(void)!tl_words_take(&words, "--");
	if (list.folder && list.name)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "You cannot give both -basename and -dirname to 'info sources'.");
	list.any = words[0] == '\0';
	if (list.any && (list.folder || list.name))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing REGEXP for 'info sources'.");
	failure = list.any ? 0 : regcomp(&list.pattern, words, REG_NOSUB);
	if (failure != 0) {
		(void)regerror(failure, &list.pattern, why, sizeof(why));
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid regexp: %s", why);
	}
	status = show_sources(&list, error);
	if (!list.any)
		regfree(&list.pattern);
	return status;
}

static enum tl_status run_info_sources(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, info_sources, error);
}

/* ---- info files ---- */

struct file_list {
	struct tl_cli *cli;
	const struct tl_module *module;
	const char *behind; /* what is said of the file behind each section */
	int digits;
};

static bool show_section(void *context, const struct section *section)
{
	const struct file_list *list = context;
	tl_u64 start = section->address + list->module->bias, end = start + section->size;

	tl_screen_format(&list->cli->screen, "\t0x%0*llx - 0x%0*llx is %s%s\n", list->digits, (unsigned long long)start,
			 list->digits, (unsigned long long)end, section->name, list->behind);
	return true;
}

static void show_module_sections(struct tl_cli *cli, const struct tl_module *module)
{
	struct file_list list = {cli, module, "", tl_address_digits(cli)};
	char behind[4200] = "";

	if (!module->program) {
		if (module->binary->path[0] == '/')
			(void)snprintf(behind, sizeof(behind), " in %s", module->binary->path);
		else
			(void)snprintf(behind, sizeof(behind), " in system-supplied DSO at 0x%llx",
				       (unsigned long long)module->start);
		list.behind = behind;
	}
	each_section(module, show_section, &list);
}

static void show_target(struct tl_cli *cli)
{
	struct tl_output name = tl_output_make(256);

	if (!tl_session_alive(cli->session))
		return;
	if (cli->connection.kind == TL_CONNECTION_CORE) {
		tl_screen_format(&cli->screen, "Local core dump file:\n\t`%s'.\n", cli->connection.name);
	} else if (!tl_process_is_here(cli->session)) {
		tl_screen_text(&cli->screen, "Remote target using gdb-specific protocol.\n");
	} else {
		tl_thread_write_name(cli, tl_session_thread(cli->session), &name);
		tl_screen_format(&cli->screen,
				 "Native process:\n\tUsing the running image of child %s.\n"
				 "\tWhile running this, Trapline does not access memory from...\n",
				 tl_output_string(&name));
	}
	tl_output_release(&name);
}

static const char *format_of(const struct tl_elf *elf)
{
	switch (elf->machine) {
	case EM_386:
		return "elf32-i386";
	case EM_X86_64:
		return elf->wide ? "elf64-x86-64" : "elf32-x86-64";
	case EM_AARCH64:
		return "elf64-littleaarch64";
	case EM_RISCV:
		return elf->wide ? "elf64-littleriscv" : "elf32-littleriscv";
	default:
		return elf->wide ? "elf64-little" : "elf32-little";
	}
}

/* The dynamic linker first, which was there first, then the vDSO, and libraries as they came. */
static int rank_of(const struct tl_module *module, const char *linker)
{
	return module->program                             ? 0
	       : strcmp(module->binary->path, linker) == 0 ? 1
	       : module->binary->path[0] != '/'            ? 2
							   : 3;
}

static enum tl_status run_info_files(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	const struct tl_modules *modules = tl_session_modules(cli->session);
	const struct tl_module *module = tl_modules_get(modules, 0);
	const struct tl_elf *elf;
	char linker[4096] = "";
	tl_u64 entry;

	(void)line;
	if (module == NULL) {
		show_target(cli);
		return TL_OK;
	}
	elf = tl_image_elf(module->binary->image);
	if (tl_elf_interpreter(elf, linker, sizeof(linker), error) != TL_OK)
		linker[0] = '\0';
	entry = elf->entry + module->bias;
	tl_screen_format(&cli->screen, "Symbols from \"%s\".\n", module->binary->path);
	show_target(cli);
	tl_screen_format(&cli->screen, "Local exec file:\n\t`%s', file type %s.\n\tEntry point: 0x%llx\n",
			 module->binary->path, format_of(elf), (unsigned long long)entry);
	for (int rank = 0; rank < 4; rank++)
		for (tl_size i = 0; (module = tl_modules_get(modules, i)) != NULL && !tl_cli_cancelled(cli); i++)
			if (rank_of(module, linker) == rank)
				show_module_sections(cli, module);
	return TL_OK;
}

/* ---- The table ---- */

const struct tl_command tl_commands_modules_info[] = {
	{.name = "line",
	 .arguments = "[LOCATION]",
	 .summary = "The addresses of a line, or the line of an address",
	 .details = "Example: info line list.c:12\nExample: info line *0x401136",
	 .run = tl_command_info_line},
	{.name = "files",
	 .shorts = "target",
	 .summary = "Names of targets and files being debugged, and their sections",
	 .details = "Example: info files",
	 .run = run_info_files},
	{.name = "sources",
	 .arguments = "[-dirname | -basename] [REGEX]",
	 .summary = "All source files in the program, or those matching REGEX",
	 .details = "-dirname: the folder has to match; -basename: the name behind it.\nExample: info sources "
		    "-basename list",
	 .run = run_info_sources},
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
