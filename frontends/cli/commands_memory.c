/* Memory as a whole: looking for bytes in it, keeping it in files, holding it against the program's file. */
#include "frontends/cli/addresses.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/running.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include "debugger/modules/memory_search.h"
#include "debugger/session/memory_file.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is dumped or compared at once, at most. */
#define BYTES_MAX ((tl_u64)4 << 30)

/* ---- find ---- */

struct find {
	struct tl_cli *cli;
	char size;   /* b h w g; 0: of each expression */
	tl_u64 most; /* how many are wanted */
	tl_u64 start, length;
	struct tl_output pattern;
	tl_u64 found, last;
};

/* "/sn", in either order, together or apart. */
static enum tl_status read_find_format(struct find *find, const struct tl_command_line *line, const char **at,
				       struct tl_error *error)
{
	const char *format = line->format;
	tl_size size = line->format_size;

	for (;;) {
		for (tl_size i = 0; i < size;) {
			if (isdigit((unsigned char)format[i])) {
				find->most = strtoull(format + i, NULL, 10);
				while (i < size && isdigit((unsigned char)format[i]))
					i++;
				continue;
			}
			if (strchr("bhwg", format[i]) == NULL)
				return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid size granularity.");
			find->size = format[i++];
		}
		if (**at != '/')
			return TL_OK;
		format = ++*at;
		size = strcspn(format, "/ \t");
		*at = format + size;
		*at += strspn(*at, " \t");
	}
}

/* "START, +LENGTH," or "START, END,". */
static enum tl_status read_range(struct find *find, const char **at, struct tl_error *error)
{
	const char *part;
	tl_size size = tl_address_part(at, &part);
	tl_u64 end;

	TL_TRY(tl_address_evaluate(find->cli, part, size, &find->start, error));
	if (**at == '+') {
		char text[512];
		tl_i64 length;

		++*at;
		size = tl_address_part(at, &part);
		snprintf(text, sizeof(text), "%.*s", (int)size, part);
		TL_TRY(tl_cli_number(find->cli, text, &length, error));
		if (length < 0)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid length.");
		find->length = (tl_u64)length;
		if (length != 0 && find->start + find->length - 1 < find->start)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Search space too large.");
		return TL_OK;
	}
	size = tl_address_part(at, &part);
	TL_TRY(tl_address_evaluate(find->cli, part, size, &end, error));
	if (find->start > end)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid search space, end precedes start.");
	find->length = end - find->start + 1;
	if (find->length == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "Overflow in address range computation, choose smaller range.");
	return TL_OK;
}

static enum tl_status add_to_pattern(struct find *find, const char *text, tl_size size, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_value value;
	tl_i128 number;
	tl_size width = find->size == 'b' ? 1 : find->size == 'h' ? 2 : find->size == 'w' ? 4 : 8;

	TL_TRY(tl_cli_evaluate(find->cli, text, size, &value, error));
	TL_TRY(tl_session_environment(find->cli->session, &environment, &store, error));
	if (find->size == '\0') {
		TL_TRY(tl_value_load(&environment->values, &value, error));
		if (tl_value_is_absent(&value))
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "value has been optimized out");
		tl_output_bytes(&find->pattern, (const char *)value.bytes, value.size);
		return tl_output_status(&find->pattern, error);
	}
	TL_TRY(tl_value_integer(&environment->values, &value, &number, error));
	for (tl_size i = 0; i < width; i++)
		tl_output_bytes(&find->pattern, &(char){(char)(number >> (8 * i))}, 1);
	return tl_output_status(&find->pattern, error);
}

static bool show_found(void *context, tl_u64 address)
{
	struct find *find = context;

	tl_address_show(find->cli, address);
	tl_screen_text(&find->cli->screen, "\n");
	find->last = address;
	return ++find->found < find->most;
}

static enum tl_status search(struct find *find, const char *at, struct tl_error *error)
{
	struct tl_cli *cli = find->cli;
	const char *part;
	enum tl_status status;

	while (*at != '\0') {
		tl_size size = tl_address_part(&at, &part);

		TL_TRY(add_to_pattern(find, part, size, error));
	}
	if (find->pattern.size == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing search pattern.");
	if (find->length < find->pattern.size)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Search space too small to contain pattern.");
	status = find->most == 0 ? TL_OK
				 : tl_memory_search(tl_session_modules(cli->session), find->start, find->length,
						    tl_output_string(&find->pattern), find->pattern.size,
						    tl_session_patience(cli->session), show_found, find, error);
	tl_progress_end(cli);
	if (status != TL_OK && status != TL_ERROR_MEMORY)
		return status;
	/* Where memory ends, the search does; what was found counts. */
	if (status == TL_ERROR_MEMORY) {
		char warning[sizeof(error->text) + 16];

		snprintf(warning, sizeof(warning), "warning: %s", error->text);
		tl_screen_complain(&cli->screen, warning);
	}
	TL_TRY(tl_cli_set_variable(cli, "numfound", (tl_i64)find->found, error));
	if (find->found == 0) {
		tl_screen_text(&cli->screen, "Pattern not found.\n");
		return TL_OK;
	}
	tl_screen_format(&cli->screen, "%llu pattern%s found.\n", (unsigned long long)find->found,
			 find->found > 1 ? "s" : "");
	return tl_address_stand(cli, find->last, error);
}

static enum tl_status find(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			   struct tl_error *error)
{
	struct find find = {.cli = cli, .most = TL_U64_MAX, .pattern = tl_output_make(TL_OUTPUT_MAX)};
	enum tl_status status;

	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing search parameters.");
	TL_TRY(read_find_format(&find, line, &words, error));
	TL_TRY(read_range(&find, &words, error));
	if (find.length == 0) {
		tl_screen_text(&cli->screen, "Empty search range.\nPattern not found.\n");
		return tl_cli_set_variable(cli, "numfound", 0, error);
	}
	status = search(&find, words, error);
	tl_output_release(&find.pattern);
	return status;
}

static enum tl_status run_find(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, find, error);
}

/* ---- dump, append ---- */

/* The file, with a home directory put in; words goes behind it. */
static enum tl_status take_file(const char **words, struct tl_output *path, struct tl_error *error)
{
	if (!tl_script_word(words, *words + strlen(*words), false, path))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing filename.");
	*words += strspn(*words, " \t");
	return tl_output_status(path, error);
}

/* "ihex" in "dump ihex memory", "append" of the first word. */
static enum tl_status read_format(const struct tl_command_line *line, enum tl_memory_format *format_ret,
				  bool *append_ret, struct tl_error *error)
{
	*format_ret = TL_MEMORY_BINARY;
	*append_ret = strcmp(line->path[0]->name, "append") == 0;
	for (tl_size i = 1; i < TL_COMMAND_DEPTH_MAX && line->path[i] != NULL; i++) {
		const char *name = line->path[i]->name;

		if (strcmp(name, "ihex") == 0)
			*format_ret = TL_MEMORY_IHEX;
		else if (strcmp(name, "srec") == 0)
			*format_ret = TL_MEMORY_SREC;
		else if (strcmp(name, "tekhex") == 0 || strcmp(name, "verilog") == 0)
			return TL_FAIL(
				error, TL_ERROR_UNSUPPORTED,
				"%s is not written here: dump it as ihex, srec or binary, and let objcopy make it",
				name);
	}
	return TL_OK;
}

static enum tl_status read_memory(struct tl_cli *cli, tl_u64 address, tl_u64 size, tl_u8 **bytes_ret,
				  struct tl_error *error)
{
	tl_u8 *bytes = size <= BYTES_MAX ? malloc(size) : NULL;
	enum tl_status status;

	if (bytes == NULL)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "%llu bytes are too many at once", (unsigned long long)size);
	status = tl_modules_read(tl_session_modules(cli->session), address, bytes, size, error);
	if (status != TL_OK)
		free(bytes);
	else
		*bytes_ret = bytes;
	return status;
}

/* FILE START STOP */
static enum tl_status dump_memory(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				  struct tl_error *error)
{
	struct tl_output path = tl_output_make(4096);
	enum tl_memory_format format;
	tl_u64 start, stop;
	tl_size size;
	tl_u8 *bytes;
	bool append;
	enum tl_status status;

	TL_TRY(read_format(line, &format, &append, error));
	status = take_file(&words, &path, error);
	size = strcspn(words, " \t");
	if (status == TL_OK && size == 0)
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing start address.");
	if (status == TL_OK)
		status = tl_address_evaluate(cli, words, size, &start, error);
	words += size;
	words += strspn(words, " \t");
	if (status == TL_OK && words[0] == '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing stop address.");
	if (status == TL_OK)
		status = tl_address_evaluate(cli, words, strlen(words), &stop, error);
	if (status == TL_OK && stop <= start)
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid memory address range (start >= end).");
	if (status == TL_OK)
		status = read_memory(cli, start, stop - start, &bytes, error);
	if (status == TL_OK) {
		status = tl_memory_file_write(tl_output_string(&path), format, append, start, bytes, stop - start,
					      error);
		free(bytes);
	}
	tl_output_release(&path);
	return status;
}

static enum tl_status run_dump_memory(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, dump_memory, error);
}

static enum tl_status write_value(struct tl_cli *cli, const char *path, const char *words, enum tl_memory_format format,
				  bool append, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_value value;

	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No value to %s.", append ? "append" : "dump");
	TL_TRY(tl_cli_evaluate(cli, words, strlen(words), &value, error));
	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	TL_TRY(tl_value_load(&environment->values, &value, error));
	if (tl_value_is_absent(&value))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "value has been optimized out");
	if (format != TL_MEMORY_BINARY && value.place != TL_VALUE_IN_MEMORY)
		tl_screen_complain(&cli->screen, "warning: value is not an lval: address assumed to be zero");
	return tl_memory_file_write(path, format, append, value.place == TL_VALUE_IN_MEMORY ? value.address : 0,
				    value.bytes, value.size, error);
}

/* FILE EXPRESSION */
static enum tl_status dump_value(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				 struct tl_error *error)
{
	struct tl_output path = tl_output_make(4096);
	enum tl_memory_format format;
	bool append;
	enum tl_status status;

	TL_TRY(read_format(line, &format, &append, error));
	status = take_file(&words, &path, error);
	if (status == TL_OK)
		status = write_value(cli, tl_output_string(&path), words, format, append, error);
	tl_output_release(&path);
	return status;
}

static enum tl_status run_dump_value(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, dump_value, error);
}

/* ---- restore ---- */

struct restore {
	struct tl_cli *cli;
	tl_u64 offset, start, end; /* end 0: none */
};

static enum tl_status write_memory(struct tl_cli *cli, tl_u64 address, const tl_u8 *bytes, tl_u64 size,
				   struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;

	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	if (environment->values.write == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Nothing can be written to this target.");
	return environment->values.write(environment->values.context, address, bytes, size, error);
}

/* The part of a file that is wanted: [from, to) of its own addresses; false when nothing of it is. */
static bool cut_part(const struct restore *restore, const struct tl_memory_part *part, tl_u64 *from_ret, tl_u64 *to_ret)
{
	tl_u64 end = part->address + part->size;

	*from_ret = part->address > restore->start ? part->address : restore->start;
	*to_ret = restore->end != 0 && restore->end < end ? restore->end : end;
	return *from_ret < *to_ret;
}

static void show_into(const struct restore *restore, tl_u64 from, tl_u64 to)
{
	from += restore->offset;
	to += restore->offset;
	tl_screen_format(&restore->cli->screen, " into memory (0x%llx to 0x%llx)\n", (unsigned long long)from,
			 (unsigned long long)to);
}

static enum tl_status restore_part(const struct restore *restore, const struct tl_memory_part *part, tl_size number,
				   struct tl_error *error)
{
	struct tl_screen *screen = &restore->cli->screen;
	tl_u64 from, to, end;

	if (!cut_part(restore, part, &from, &to)) {
		tl_screen_format(screen, "skipping section .sec%llu...\n", (unsigned long long)number);
		return TL_OK;
	}
	end = part->address + part->size;
	tl_screen_format(screen, "Restoring section .sec%llu (0x%llx to 0x%llx)", (unsigned long long)number,
			 (unsigned long long)part->address, (unsigned long long)end);
	if (restore->offset != 0 || restore->start != 0 || restore->end != 0)
		show_into(restore, from, to);
	else
		tl_screen_text(screen, "\n");
	return write_memory(restore->cli, from + restore->offset, part->bytes + (from - part->address), to - from,
			    error);
}

static enum tl_status restore_binary(const struct restore *restore, const char *path,
				     const struct tl_memory_parts *parts, struct tl_error *error)
{
	tl_u64 from, to;

	if (parts->count == 0 || !cut_part(restore, &parts->items[0], &from, &to))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Start address is greater than length of binary file %s.",
			       path);
	tl_screen_format(&restore->cli->screen, "Restoring binary file %s", path);
	show_into(restore, from, to);
	return write_memory(restore->cli, from + restore->offset, parts->items[0].bytes + from, to - from, error);
}

/* The next expression, which ends at a blank; false at the end. */
static bool take_number(const char **at, struct tl_cli *cli, tl_u64 *number_ret, enum tl_status *status,
			struct tl_error *error)
{
	tl_size size = strcspn(*at, " \t");

	if (size == 0 || *status != TL_OK)
		return false;
	*status = tl_address_evaluate(cli, *at, size, number_ret, error);
	*at += size;
	*at += strspn(*at, " \t");
	return true;
}

static enum tl_status restore_file(struct restore *restore, const char *path, const char *words, struct tl_error *error)
{
	bool binary = tl_words_take(&words, "binary");
	struct tl_memory_parts parts;
	enum tl_status status = TL_OK;

	if (take_number(&words, restore->cli, &restore->offset, &status, error) &&
	    take_number(&words, restore->cli, &restore->start, &status, error) &&
	    take_number(&words, restore->cli, &restore->end, &status, error) && status == TL_OK &&
	    restore->end <= restore->start)
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Start must be less than end.");
	TL_TRY(status);
	status = tl_memory_file_read(path, binary, &parts, error);
	if (status == TL_OK && binary)
		status = restore_binary(restore, path, &parts, error);
	for (tl_size i = 0; status == TL_OK && !binary && i < parts.count; i++)
		status = restore_part(restore, &parts.items[i], i + 1, error);
	tl_memory_parts_release(&parts);
	return status;
}

static enum tl_status restore(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			      struct tl_error *error)
{
	struct tl_output path = tl_output_make(4096);
	struct restore restore = {.cli = cli};
	enum tl_status status;

	(void)line;
	status = tl_running_stopped(cli, error);
	if (status == TL_OK)
		status = take_file(&words, &path, error);
	if (status == TL_OK)
		status = restore_file(&restore, tl_output_string(&path), words, error);
	tl_output_release(&path);
	return status;
}

static enum tl_status run_restore(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, restore, error);
}

/* ---- compare-sections ---- */

struct comparison {
	struct tl_cli *cli;
	const char *name; /* NULL: all */
	bool read_only, any;
	tl_size different;
};

static enum tl_status compare_section(struct comparison *comparison, const struct tl_module *program, const char *name,
				      const struct tl_elf_section *section, struct tl_error *error)
{
	tl_u64 start = section->address + program->bias, end = start + section->size;
	const struct tl_elf *elf = tl_image_elf(program->binary->image);
	tl_u8 *file = section->size <= BYTES_MAX ? malloc(section->size) : NULL, *memory = NULL;
	bool same = false;
	enum tl_status status =
		file != NULL ? elf->read(elf->context, section->offset, file, section->size) : TL_ERROR_NO_MEMORY;

	comparison->any = true;
	if (status == TL_OK)
		status = read_memory(comparison->cli, start, section->size, &memory, error);
	if (status == TL_OK)
		same = memcmp(file, memory, section->size) == 0;
	free(file);
	free(memory);
	if (status != TL_OK)
		return TL_FAIL(error, TL_ERROR_MEMORY, "target memory fault, section %s, range 0x%llx -- 0x%llx", name,
			       (unsigned long long)start, (unsigned long long)end);
	comparison->different += !same;
	tl_screen_format(&comparison->cli->screen, "Section %s, range 0x%llx -- 0x%llx: %s\n", name,
			 (unsigned long long)start, (unsigned long long)end, same ? "matched." : "MIS-MATCHED!");
	return TL_OK;
}

static enum tl_status compare_sections(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				       struct tl_error *error)
{
	const struct tl_module *program = tl_modules_get(tl_session_modules(cli->session), 0);
	struct comparison comparison = {.cli = cli};
	struct tl_elf_section section;

	(void)line;
	if (program == NULL || !program->program)
		return TL_FAIL(error, TL_ERROR_STATE, "command cannot be used without an exec file");
	if (tl_words_take(&words, "-r"))
		comparison.read_only = true;
	else if (words[0] != '\0')
		comparison.name = words;
	for (tl_u32 i = 0; i < tl_image_elf(program->binary->image)->section_count && !tl_cli_cancelled(cli); i++) {
		const char *name = tl_image_section_name(program->binary->image, i, &section);

		if (name == NULL || (section.flags & SHF_ALLOC) == 0 || section.type == SHT_NOBITS ||
		    section.size == 0 || (comparison.read_only && (section.flags & SHF_WRITE) != 0) ||
		    (comparison.name != NULL && strcmp(name, comparison.name) != 0))
			continue;
		TL_TRY(compare_section(&comparison, program, name, &section, error));
	}
	if (comparison.different != 0)
		tl_screen_complain(&cli->screen, "warning: One or more sections of the target image does not match\n"
						 "the loaded file\n");
	if (comparison.name != NULL && !comparison.any)
		tl_screen_format(&cli->screen, "No loaded section named '%s'.\n", comparison.name);
	return TL_OK;
}

static enum tl_status run_compare_sections(struct tl_cli *cli, const struct tl_command_line *line,
					   struct tl_error *error)
{
	return tl_words_with(cli, line, compare_sections, error);
}

/* ---- The table ---- */

#define DUMP_ROWS(what, example)                                                                                       \
	{.name = "memory",                                                                                             \
	 .arguments = "FILE START STOP",                                                                               \
	 .summary = "Write contents of memory to a " what " file",                                                     \
	 .details = "From START on, up to STOP, which is no longer written.\nExample: " example                        \
		    " memory table.out &table &table+1",                                                               \
	 .run = run_dump_memory,                                                                                       \
	 .complete = tl_complete_files},                                                                               \
	{                                                                                                              \
		.name = "value", .arguments = "FILE EXPRESSION",                                                       \
		.summary = "Write the value of an expression to a " what " file",                                      \
		.details = "Example: " example " value table.out table", .run = run_dump_value,                        \
		.complete = tl_complete_files                                                                          \
	}

static const struct tl_command dump_binary_rows[] = {DUMP_ROWS("raw", "dump binary"), {0}};
static const struct tl_command dump_ihex_rows[] = {DUMP_ROWS("ihex", "dump ihex"), {0}};
static const struct tl_command dump_srec_rows[] = {DUMP_ROWS("srec", "dump srec"), {0}};
static const struct tl_command dump_tekhex_rows[] = {DUMP_ROWS("tekhex", "dump tekhex"), {0}};
static const struct tl_command dump_verilog_rows[] = {DUMP_ROWS("verilog hex", "dump verilog"), {0}};
static const struct tl_command append_binary_rows[] = {DUMP_ROWS("raw", "append binary"), {0}};

static const struct tl_command dump_rows[] = {
	DUMP_ROWS("raw", "dump"),
	{.name = "binary",
	 .subcommands = dump_binary_rows,
	 .summary = "Write target code/data to a raw binary file",
	 .details = "Example: dump binary value table.out table"},
	{.name = "ihex",
	 .subcommands = dump_ihex_rows,
	 .summary = "Write target code/data to an intel hex file",
	 .details = "Example: dump ihex memory rom.hex 0x8000 0x9000"},
	{.name = "srec",
	 .subcommands = dump_srec_rows,
	 .summary = "Write target code/data to an srec file",
	 .details = "Example: dump srec memory rom.srec 0x8000 0x9000"},
	{.name = "tekhex",
	 .subcommands = dump_tekhex_rows,
	 .summary = "Not written here: an error that says so",
	 .details = "Example: dump srec memory rom.srec 0x8000 0x9000, then objcopy"},
	{.name = "verilog",
	 .subcommands = dump_verilog_rows,
	 .summary = "Not written here: an error that says so",
	 .details = "Example: dump srec memory rom.srec 0x8000 0x9000, then objcopy"},
	{0},
};

static const struct tl_command append_rows[] = {
	DUMP_ROWS("raw", "append"),
	{.name = "binary",
	 .subcommands = append_binary_rows,
	 .summary = "Append target code/data to a raw binary file",
	 .details = "Example: append binary value log.out *record"},
	{0},
};

const struct tl_command tl_commands_memory[] = {
	{.name = "find",
	 .flags = TL_COMMAND_FORMAT,
	 .arguments = "[/SIZE MAX] START, +LENGTH | END, EXPRESSION, ...",
	 .summary = "Search memory for a sequence of bytes",
	 .details =
		 "Each expression adds its bytes as they stand in memory, a string with its final zero; SIZE (b, h, w\n"
		 "or g) makes all of them numbers of 1, 2, 4 or 8 bytes. MAX: no more than so many. $_ is the last\n"
		 "address that was found, $numfound how many there were.\n"
		 "Example: find &heap[0], +sizeof(heap), (char)'h', 'e'\n"
		 "Example: find /w1 $sp, +4096, 0xdeadbeef",
	 .run = run_find,
	 .complete = tl_complete_expressions},
	{.name = "dump",
	 .subcommands = dump_rows,
	 .summary = "Dump target code/data to a local file",
	 .details = "Example: dump memory heap.out heap heap+4096\nExample: dump ihex value table.hex table"},
	{.name = "append",
	 .subcommands = append_rows,
	 .summary = "Append target code/data to a local file",
	 .details = "Example: append value log.out *record"},
	{.name = "restore",
	 .arguments = "FILE [binary] [OFFSET [START [END]]]",
	 .summary = "Restore the contents of FILE to target memory",
	 .details = "A file of ihex or srec says itself where its bytes belong, to which OFFSET is added; of one that\n"
		    "has the bytes alone (binary) OFFSET is the address. START and END choose a part of the file.\n"
		    "Example: restore table.out binary &table",
	 .run = run_restore,
	 .complete = tl_complete_files},
	{.name = "compare-sections",
	 .arguments = "[SECTION | -r]",
	 .summary = "Compare section data on target to the exec file",
	 .details = "-r: only what the program cannot write to.\nExample: compare-sections .text",
	 .run = run_compare_sections},
	{.name = NULL},
};
