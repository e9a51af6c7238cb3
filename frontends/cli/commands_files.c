/* Files of programs and of their names: exec-file, symbol-file, add-symbol-file, remove-symbol-file, load. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/running.h"
#include "frontends/cli/words.h"

#include "targets/remote/remote.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECTIONS_MAX 64

/* ---- exec-file, symbol-file ---- */

static enum tl_status exec_file(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	struct tl_output path = tl_output_make(TL_COMMAND_LINE_MAX);
	const char *at = words;
	enum tl_status status;

	(void)line;
	if (tl_script_word(&at, words + strlen(words), false, &path)) {
		status = tl_session_set_executable(cli->session, tl_output_string(&path), error);
	} else {
		status = tl_session_set_executable(cli->session, NULL, error);
		if (status == TL_OK)
			tl_screen_text(&cli->screen, "No executable file now.\n");
	}
	tl_output_release(&path);
	return status;
}

enum tl_status tl_command_run_exec_file(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, exec_file, error);
}

/* The file that names are from now; NULL: none. */
static const char *symbols_now(struct tl_cli *cli)
{
	const struct tl_module *program = tl_modules_get(tl_session_modules(cli->session), 0);

	return program != NULL ? program->binary->path : NULL;
}

static void tell_reading(struct tl_cli *cli, const char *path)
{
	if (tl_terminal_interactive(cli->terminal) && !cli->batch)
		tl_screen_format(&cli->screen, "Reading symbols from %s...\n", path);
	tl_screen_flush(&cli->screen);
}

static void tell_if_bare(struct tl_cli *cli, const char *path)
{
	struct tl_binary *binary;
	struct tl_error none;

	if (tl_binaries_get(tl_session_binaries(cli->session), path, &binary, &none) == TL_OK && !binary->has_debug)
		tl_screen_format(&cli->screen, "(No debugging symbols found in %s)\n", path);
}

/* What the words of symbol-file and add-symbol-file say. */
struct file_words {
	struct tl_output path;
	bool has_path, has_address, has_offset;
	tl_u64 address, offset;
	struct {
		char name[64];
		tl_u64 address;
	} sections[SECTIONS_MAX];
	tl_size count;
};

/* An address behind an option. */
static enum tl_status take_address(struct tl_cli *cli, const char **at, const char *end, const char *what,
				   tl_u64 *address_ret, struct tl_error *error)
{
	struct tl_output word = tl_output_make(TL_COMMAND_LINE_MAX);
	enum tl_status status;

	if (tl_script_word(at, end, true, &word))
		status = tl_session_address(cli->session, tl_output_string(&word), word.size, address_ret, error);
	else
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing %s.", what);
	tl_output_release(&word);
	return status;
}

static enum tl_status take_section(struct tl_cli *cli, const char **at, const char *end, struct file_words *words,
				   struct tl_error *error)
{
	struct tl_output name = tl_output_make(sizeof(words->sections[0].name));
	enum tl_status status = TL_OK;

	if (!tl_script_word(at, end, false, &name) || name.size >= sizeof(words->sections[0].name))
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Missing section name after \"-s\"");
	else if (words->count == SECTIONS_MAX)
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "At most %d sections can be named.", SECTIONS_MAX);
	if (status == TL_OK) {
		memcpy(words->sections[words->count].name, tl_output_string(&name), name.size + 1);
		status = take_address(cli, at, end, "section address after \"-s\"",
				      &words->sections[words->count].address, error);
		words->count++;
	}
	tl_output_release(&name);
	return status;
}

static enum tl_status take_word(struct tl_cli *cli, const char *word, const char **at, const char *end, bool add,
				struct file_words *words, struct tl_error *error)
{
	if (strcmp(word, "-readnow") == 0 || strcmp(word, "-readnever") == 0)
		return TL_OK;
	if (strcmp(word, "-o") == 0) {
		words->has_offset = true;
		return take_address(cli, at, end, "offset after \"-o\"", &words->offset, error);
	}
	if (strcmp(word, "-s") == 0 && add)
		return take_section(cli, at, end, words, error);
	if (word[0] == '-')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unrecognized argument \"%s\"", word);
	if (!words->has_path) {
		words->has_path = true;
		tl_output_text(&words->path, word);
		return TL_OK;
	}
	if (!add || words->has_address)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unrecognized argument \"%s\"", word);
	words->has_address = true;
	return tl_session_address(cli->session, word, strlen(word), &words->address, error);
}

/* The caller releases the path. */
static enum tl_status read_words(struct tl_cli *cli, const char *text, bool add, struct file_words *words,
				 struct tl_error *error)
{
	const char *at = text, *end = text + strlen(text);
	enum tl_status status = TL_OK;

	*words = (struct file_words){.path = tl_output_make(TL_COMMAND_LINE_MAX)};
	while (status == TL_OK) {
		struct tl_output word = tl_output_make(TL_COMMAND_LINE_MAX);
		bool more = tl_script_word(&at, end, false, &word);

		if (more)
			status = take_word(cli, tl_output_string(&word), &at, end, add, words, error);
		tl_output_release(&word);
		if (!more)
			break;
	}
	return status;
}

static enum tl_status check_file(const char *path, struct tl_error *error)
{
	if (access(path, F_OK) != 0)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "%s: No such file or directory.", path);
	return TL_OK;
}

static enum tl_status discard_symbols(struct tl_cli *cli, struct tl_error *error)
{
	const char *now = symbols_now(cli);

	if (now != NULL && !tl_cli_query(cli, "Discard symbol table from `%s'? ", now))
		return TL_FAIL(error, TL_ERROR_CANCELLED, "Not confirmed.");
	TL_TRY(tl_session_set_symbols(cli->session, NULL, 0, error));
	tl_screen_text(&cli->screen, "No symbol file now.\n");
	return TL_OK;
}

static enum tl_status symbol_file_of(struct tl_cli *cli, const struct file_words *words, struct tl_error *error)
{
	const char *path = tl_output_string(&words->path);

	if (!words->has_path)
		return discard_symbols(cli, error);
	TL_TRY(check_file(path, error));
	if (symbols_now(cli) != NULL && tl_cli_typed(cli) &&
	    !tl_cli_query(cli, "Load new symbol table from \"%s\"? ", path))
		return TL_FAIL(error, TL_ERROR_CANCELLED, "Not confirmed.");
	tell_reading(cli, path);
	TL_TRY(tl_session_set_symbols(cli->session, path, words->offset, error));
	tell_if_bare(cli, path);
	return TL_OK;
}

static enum tl_status symbol_file(struct tl_cli *cli, const char *text, const struct tl_command_line *line,
				  struct tl_error *error)
{
	struct file_words words;
	enum tl_status status = read_words(cli, text, false, &words, error);

	(void)line;
	if (status == TL_OK)
		status = symbol_file_of(cli, &words, error);
	tl_output_release(&words.path);
	free(cli->listing.file);
	free(cli->listing.name);
	cli->listing = (struct tl_listing){0};
	return status;
}

static enum tl_status run_symbol_file(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, symbol_file, error);
}

/* ---- add-symbol-file ---- */

static bool find_section(const struct tl_image *image, const char *name, struct tl_elf_section *section_ret)
{
	const struct tl_elf *elf = tl_image_elf(image);

	for (tl_u32 i = 0; i < elf->section_count; i++) {
		const char *found = tl_image_section_name(image, i, section_ret);

		if (found != NULL && strcmp(found, name) == 0)
			return true;
	}
	return false;
}

/* How far the file was moved, by where one of its sections is. All of them must agree: a file is moved as a whole. */
static enum tl_status find_bias(struct tl_cli *cli, const struct file_words *words, tl_u64 *bias_ret,
				struct tl_error *error)
{
	const char *path = tl_output_string(&words->path);
	struct tl_elf_section section;
	struct tl_binary *binary;
	bool known = words->has_offset && !words->has_address;
	tl_u64 bias = words->offset;

	TL_TRY(tl_binaries_get(tl_session_binaries(cli->session), path, &binary, error));
	if (words->has_address && find_section(binary->image, ".text", &section)) {
		bias = words->address - section.address;
		known = true;
	}
	for (tl_size i = 0; i < words->count; i++) {
		if (!find_section(binary->image, words->sections[i].name, &section)) {
			tl_screen_format(&cli->screen, "warning: section %s not found in %s\n", words->sections[i].name,
					 path);
			continue;
		}
		if (known && words->sections[i].address - section.address != bias)
			return TL_FAIL(
				error, TL_ERROR_UNSUPPORTED,
				"Sections of %s are at different distances from where they were linked to, which "
				"is not supported: say where one of them is.",
				path);
		bias = words->sections[i].address - section.address;
		known = true;
	}
	*bias_ret = bias;
	return TL_OK;
}

static void tell_addition(struct tl_cli *cli, const struct file_words *words)
{
	struct tl_screen *screen = &cli->screen;
	bool places = words->has_address || words->count != 0;

	tl_screen_format(screen, "add symbol table from file \"%s\"%s", tl_output_string(&words->path),
			 places ? " at\n" : "");
	if (words->has_address)
		tl_screen_format(screen, "\t.text_addr = 0x%llx\n", (unsigned long long)words->address);
	for (tl_size i = 0; i < words->count; i++)
		tl_screen_format(screen, "\t%s_addr = 0x%llx\n", words->sections[i].name,
				 (unsigned long long)words->sections[i].address);
	if (words->has_offset)
		tl_screen_format(screen, "%s offset by 0x%llx\n", places ? "with other sections" : " with all sections",
				 (unsigned long long)words->offset);
	else if (!places)
		tl_screen_text(screen, "\n");
}

static enum tl_status add_file(struct tl_cli *cli, const struct file_words *words, struct tl_error *error)
{
	const char *path = tl_output_string(&words->path);
	tl_u64 bias = 0;

	if (!words->has_path)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "add-symbol-file takes a file name and an address");
	tell_addition(cli, words);
	if (tl_cli_typed(cli) && !tl_cli_query(cli, "%s", ""))
		return TL_FAIL(error, TL_ERROR_CANCELLED, "Not confirmed.");
	TL_TRY(check_file(path, error));
	TL_TRY(find_bias(cli, words, &bias, error));
	tell_reading(cli, path);
	TL_TRY(tl_session_add_symbols(cli->session, path, bias, error));
	tell_if_bare(cli, path);
	return TL_OK;
}

static enum tl_status add_symbol_file(struct tl_cli *cli, const char *text, const struct tl_command_line *line,
				      struct tl_error *error)
{
	struct file_words words;
	enum tl_status status = read_words(cli, text, true, &words, error);

	(void)line;
	if (status == TL_OK)
		status = add_file(cli, &words, error);
	tl_output_release(&words.path);
	return status;
}

static enum tl_status run_add_symbol_file(struct tl_cli *cli, const struct tl_command_line *line,
					  struct tl_error *error)
{
	return tl_words_with(cli, line, add_symbol_file, error);
}

/* ---- remove-symbol-file ---- */

/* The file that covers an address, moved as it is. */
static bool covers(struct tl_cli *cli, const char *path, tl_u64 bias, tl_u64 address)
{
	struct tl_binary *binary;
	struct tl_error none;
	tl_u64 lowest, size;

	if (tl_binaries_get(tl_session_binaries(cli->session), path, &binary, &none) != TL_OK)
		return false;
	tl_image_extent(binary->image, &lowest, &size);
	return address - (lowest + bias) < size;
}

static enum tl_status remove_file(struct tl_cli *cli, const char *wanted, bool by_address, tl_u64 address,
				  struct tl_error *error)
{
	char *whole = by_address ? NULL : realpath(wanted, NULL);
	const char *path = NULL;
	tl_size i = 0;
	tl_u64 bias;
	enum tl_status status = TL_OK;

	while ((path = tl_session_added_symbols(cli->session, i, &bias)) != NULL) {
		if (by_address ? covers(cli, path, bias, address) : whole != NULL && strcmp(path, whole) == 0)
			break;
		i++;
	}
	free(whole);
	if (path == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No symbol file found");
	if (tl_cli_typed(cli) && !tl_cli_query(cli, "Remove symbol table from file \"%s\"? ", path))
		return TL_FAIL(error, TL_ERROR_CANCELLED, "Not confirmed.");
	status = tl_session_remove_symbols(cli->session, path, bias, error);
	return status;
}

static enum tl_status remove_symbol_file(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
					 struct tl_error *error)
{
	struct tl_output word = tl_output_make(TL_COMMAND_LINE_MAX);
	const char *at = words;
	enum tl_status status;
	tl_u64 address = 0;

	(void)line;
	if (tl_words_take(&at, "-a")) {
		status = take_address(cli, &at, at + strlen(at), "address after \"-a\"", &address, error);
		if (status == TL_OK)
			status = remove_file(cli, NULL, true, address, error);
	} else if (tl_script_word(&at, words + strlen(words), false, &word)) {
		status = remove_file(cli, tl_output_string(&word), false, 0, error);
	} else {
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "remove-symbol-file: no symbol file provided");
	}
	tl_output_release(&word);
	return status;
}

static enum tl_status run_remove_symbol_file(struct tl_cli *cli, const struct tl_command_line *line,
					     struct tl_error *error)
{
	return tl_words_with(cli, line, remove_symbol_file, error);
}

/* ---- load ---- */

/* A section with contents, and where they are to be loaded, which a segment says. */
struct loaded {
	const char *name;
	tl_u64 address, offset, size;
};

/* Physical addresses are where a loader puts things; where all are 0 nobody thought of them. */
static tl_u64 load_address(const struct tl_elf *elf, const struct tl_elf_section *section)
{
	struct tl_elf_segment segment;

	for (tl_u32 i = 0; i < elf->segment_count && tl_elf_segment(elf, i, &segment, NULL) == TL_OK; i++)
		if (segment.type == PT_LOAD && section->address - segment.address < segment.file_size)
			return section->address - segment.address +
			       (segment.physical != 0 ? segment.physical : segment.address);
	return section->address;
}

static tl_size find_loaded(const struct tl_image *image, struct loaded *loaded)
{
	const struct tl_elf *elf = tl_image_elf(image);
	struct tl_elf_section section;
	tl_size count = 0;

	for (tl_u32 i = 0; i < elf->section_count && count < SECTIONS_MAX; i++) {
		const char *name = tl_image_section_name(image, i, &section);

		if (name == NULL || (section.flags & SHF_ALLOC) == 0 || section.type == SHT_NOBITS || section.size == 0)
			continue;
		loaded[count++] = (struct loaded){name, load_address(elf, &section), section.offset, section.size};
	}
	return count;
}

/* Writes a section, in pieces, so that ^C is heard. */
static enum tl_status load_section(struct tl_cli *cli, const struct tl_elf *elf, const struct loaded *section,
				   tl_u64 offset, tl_u64 *writes, struct tl_error *error)
{
	tl_u64 process = tl_session_thread(cli->session).process, start = section->address + offset;
	tl_u8 bytes[4096];

	tl_screen_format(&cli->screen, "Loading section %s, size 0x%llx lma 0x%llx\n", section->name,
			 (unsigned long long)section->size, (unsigned long long)start);
	tl_screen_flush(&cli->screen);
	for (tl_u64 at = 0; at < section->size;) {
		tl_size part = section->size - at < sizeof(bytes) ? section->size - at : sizeof(bytes), done = 0;
		tl_u64 to = start + at;
		enum tl_status status = elf->read(elf->context, section->offset + at, bytes, part);

		if (status != TL_OK)
			return TL_FAIL(error, status, "The section %s cannot be read from its file.", section->name);
		if (!tl_cli_waiting(cli))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
		status = tl_remote_target_flash_write(cli->target, to, bytes, part, &done);
		if (status == TL_ERROR_UNSUPPORTED)
			status = tl_engine_write_memory(tl_session_engine(cli->session), process, to, bytes, part,
							&done);
		if (status != TL_OK || done == 0)
			return TL_FAIL(error, TL_ERROR_MEMORY, "Load failed: cannot write memory at 0x%llx (%s).",
				       (unsigned long long)to, tl_status_text(status));
		++*writes;
		at += done;
	}
	return TL_OK;
}

/* As fast as it went, in gdb's words. */
static void tell_rate(struct tl_cli *cli, tl_u64 bytes, tl_u64 writes, const struct timespec *since)
{
	struct timespec now;
	unsigned long long milliseconds, rate, each = writes != 0 ? bytes / writes : 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	milliseconds = (tl_u64)((now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000);
	rate = milliseconds != 0 ? bytes * 1000 / milliseconds : bytes * 8;
	if (milliseconds == 0)
		tl_screen_format(&cli->screen, "Transfer rate: %llu bits in <1 sec", rate);
	else if (rate > 1024)
		tl_screen_format(&cli->screen, "Transfer rate: %llu KB/sec", rate / 1024);
	else
		tl_screen_format(&cli->screen, "Transfer rate: %llu bytes/sec", rate);
	tl_screen_format(&cli->screen, ", %llu bytes/write.\n", each);
}

/* The program begins where its file says. */
static enum tl_status start_there(struct tl_cli *cli, tl_u64 entry, struct tl_error *error)
{
	struct tl_output text = tl_output_make(64);
	struct tl_value value;
	enum tl_status status;

	tl_output_format(&text, "$pc = 0x%llx", (unsigned long long)entry);
	status = tl_session_evaluate(cli->session, tl_output_string(&text), text.size, &value, error);
	tl_output_release(&text);
	tl_session_refresh(cli->session);
	return status;
}

static enum tl_status load_image(struct tl_cli *cli, const struct tl_image *image, tl_u64 offset,
				 struct tl_error *error)
{
	const struct tl_elf *elf = tl_image_elf(image);
	struct loaded loaded[SECTIONS_MAX];
	tl_size count = find_loaded(image, loaded);
	tl_u64 bytes = 0, writes = 0;
	struct timespec since;

	(void)clock_gettime(CLOCK_MONOTONIC, &since);
	/* Flash is erased in blocks, which sections share: all of it comes before anything is written. */
	for (tl_size i = 0; i < count; i++)
		if (tl_remote_target_flash_erase(cli->target, loaded[i].address + offset, loaded[i].size) != TL_OK)
			return TL_FAIL(error, TL_ERROR_MEMORY, "Load failed: the stub did not erase the flash for %s.",
				       loaded[i].name);
	for (tl_size i = 0; i < count; i++) {
		TL_TRY(load_section(cli, elf, &loaded[i], offset, &writes, error));
		bytes += loaded[i].size;
	}
	if (tl_remote_target_flash_done(cli->target) != TL_OK)
		return TL_FAIL(error, TL_ERROR_MEMORY, "Load failed: the stub did not end the writing of flash.");
	offset += elf->entry;
	tl_screen_format(&cli->screen, "Start address 0x%016llx, load size %llu\n", (unsigned long long)offset,
			 (unsigned long long)bytes);
	tell_rate(cli, bytes, writes, &since);
	return start_there(cli, offset, error);
}

static enum tl_status load_words(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				 struct tl_error *error)
{
	struct tl_output path = tl_output_make(TL_COMMAND_LINE_MAX);
	const char *at = words, *end = words + strlen(words), *name = tl_session_program(cli->session);
	enum tl_status status = TL_OK;
	struct tl_binary *binary;
	tl_u64 offset = 0;

	(void)line;
	if (tl_script_word(&at, end, false, &path))
		name = tl_output_string(&path);
	while (*at == ' ')
		at++;
	if (name == NULL)
		status = TL_FAIL(error, TL_ERROR_STATE,
				 "No executable file specified.\nUse the \"file\" or \"exec-file\" command.");
	else if (!tl_connection_is_remote(&cli->connection))
		status = TL_FAIL(error, TL_ERROR_STATE, "You can't do that when your target is `%s'",
				 tl_connection_word(cli));
	if (status == TL_OK)
		status = tl_running_stopped(cli, error);
	if (status == TL_OK && *at != '\0')
		status = tl_session_address(cli->session, at, strlen(at), &offset, error);
	if (status == TL_OK)
		status = tl_binaries_get(tl_session_binaries(cli->session), name, &binary, error);
	if (status == TL_OK)
		status = load_image(cli, binary->image, offset, error);
	tl_output_release(&path);
	return status;
}

static enum tl_status run_load(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, load_words, error);
}

const struct tl_command tl_commands_files[] = {
	{.name = "exec-file",
	 .arguments = "[FILE]",
	 .summary = "Use FILE as program for running; names stay those of the file that they were read from",
	 .details = "Without a name: there is none any more.\nExample: exec-file ./stripped-program",
	 .run = tl_command_run_exec_file,
	 .complete = tl_complete_files},
	{.name = "symbol-file",
	 .arguments = "[FILE] [-o OFFSET]",
	 .summary = "Load symbol table from executable file FILE",
	 .details = "-o: it is so far from where it was linked to, as a kernel with a random base is. Without a name:\n"
		    "there are no names any more.\n"
		    "Example: symbol-file vmlinux -o 0x1a000000",
	 .run = run_symbol_file,
	 .complete = tl_complete_files},
	{.name = "add-symbol-file",
	 .arguments = "FILE [ADDRESS] [-o OFFSET] [-s SECTION ADDRESS]...",
	 .summary = "Load symbols from FILE, assuming FILE has been dynamically loaded",
	 .details =
		 "ADDRESS is where its .text is; -s says where another section is; -o says how far all of it is from\n"
		 "where it was linked to. It stays when the program is started again.\n"
		 "Example: add-symbol-file module.so 0x7ffff7a01000",
	 .run = run_add_symbol_file,
	 .complete = tl_complete_files},
	{.name = "remove-symbol-file",
	 .arguments = "FILE | -a ADDRESS",
	 .summary = "Remove a symbol file added via the add-symbol-file command",
	 .details = "Example: remove-symbol-file module.so, remove-symbol-file -a 0x7ffff7a01000",
	 .run = run_remove_symbol_file,
	 .complete = tl_complete_files},
	{.name = "load",
	 .arguments = "[FILE [OFFSET]]",
	 .summary = "Load FILE, or the program, into the memory of a remote target",
	 .details =
		 "Flash, where the stub tells of any, is erased and written. The program counter is set to the file's\n"
		 "entry.\n"
		 "Example: load firmware.elf",
	 .run = run_load,
	 .complete = tl_complete_files},
	{0},
};
