/*
 * What is at an address, or called by a name, over all modules.
 */
#include "debugger/modules/modules.h"

#include "debugger/modules/modules_internal.h"

#include <elf.h>
#include <string.h>

/* Modules that overlap, which only a damaged list has: how many that begin further down are looked at. */
#define BACK_MAX 16

/* ============================================================ addresses ========================================== */

const struct tl_module *tl_modules_at(const struct tl_modules *modules, tl_u64 address)
{
	const struct table *sorted = &modules->sorted;
	tl_size low = 0, high = sorted->count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (sorted->items[middle]->open.start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (unsigned back = 0; low > 0 && back < BACK_MAX; back++, low--)
		if (address < sorted->items[low - 1]->open.end)
			return &sorted->items[low - 1]->open;
	return NULL;
}

static bool has_code(const struct tl_module *open, tl_u64 address)
{
	const struct module *module = (const struct module *)open;

	for (unsigned i = 0; i < module->code_count; i++)
		if (address - open->bias >= module->code[i].start && address - open->bias < module->code[i].end)
			return true;
	return false;
}

bool tl_modules_is_code(const struct tl_modules *modules, tl_u64 address)
{
	const struct tl_module *module = tl_modules_at(modules, address);

	return module != NULL && has_code(module, address);
}

bool tl_modules_symbol(const struct tl_modules *modules, tl_u64 address, struct tl_elf_name *symbol_ret,
		       tl_u64 *address_ret)
{
	const struct tl_module *module = tl_modules_at(modules, address);

	if (module == NULL ||
	    tl_elf_symbols_at(module->binary->symbols, address - module->bias, symbol_ret, NULL) != TL_OK)
		return false;
	*address_ret = symbol_ret->address + module->bias;
	return true;
}

tl_u64 tl_module_symbol_size(const struct tl_module *module, const struct tl_elf_name *symbol)
{
	const struct tl_binary *binary = module->binary;
	struct tl_elf_section section;
	tl_u64 end = symbol->address + 1;
	bool found;

	if (symbol->size != 0)
		return symbol->size;
	found = tl_elf_section(tl_image_elf(binary->image), symbol->section, &section, NULL) == TL_OK &&
		symbol->address - section.address < section.size;
	if (found)
		end = section.address + section.size;
	for (tl_size i = 0; i < tl_elf_symbols_count(binary->symbols); i++) {
		struct tl_elf_name other = tl_elf_symbols_get(binary->symbols, i);

		if (other.section == symbol->section && other.address > symbol->address &&
		    (!found || other.address < end)) {
			end = other.address;
			found = true;
		}
	}
	return end - symbol->address;
}

bool tl_modules_symbol_names(const struct tl_modules *modules, tl_u64 address, const struct tl_elf_name *symbol)
{
	const struct tl_module *module = tl_modules_at(modules, address);
	struct tl_elf_section section;

	return symbol->size != 0 || module == NULL || symbol->origin == TL_ELF_PLT ||
	       tl_elf_section(tl_image_elf(module->binary->image), symbol->section, &section, NULL) != TL_OK ||
	       (section.flags & SHF_EXECINSTR) != 0;
}

bool tl_modules_find_table(const struct tl_binary *binary, tl_u64 address, const struct tl_unit **unit_ret,
			   const struct tl_line_table **table_ret)
{
	return binary->has_debug && tl_scopes_unit(binary->scopes, address, unit_ret, NULL) == TL_OK &&
	       *unit_ret != NULL && tl_lines_of(binary->lines, *unit_ret, table_ret, NULL) == TL_OK;
}

bool tl_modules_line(const struct tl_modules *modules, tl_u64 address, struct tl_code_line *line_ret)
{
	const struct tl_module *module = tl_modules_at(modules, address);
	const struct tl_line_table *table;
	const struct tl_line_row *row;
	const struct tl_unit *unit;

	if (module == NULL || !tl_modules_find_table(module->binary, address - module->bias, &unit, &table))
		return false;
	row = tl_line_table_find(table, address - module->bias);
	if (row == NULL)
		return false;
	*line_ret = (struct tl_code_line){.module = module,
					  .table = table,
					  .row = row,
					  .start = row->address + module->bias,
					  .end = tl_line_row_end(table, row) + module->bias};
	return true;
}

void tl_modules_code_at(void *context, tl_u64 address, struct tl_unwind_code *code_ret)
{
	const struct tl_modules *modules = context;
	const struct tl_module *module = tl_modules_at(modules, address);
	struct tl_elf_name symbol;

	if (module == NULL)
		return;
	code_ret->executable = has_code(module, address);
	code_ret->frames = module->binary->frames;
	code_ret->bias = module->bias;
	if (tl_elf_symbols_at(module->binary->symbols, address - module->bias, &symbol, NULL) == TL_OK)
		code_ret->function = symbol.address + module->bias;
}

void tl_module_text(const struct tl_module *module, tl_u64 *start_ret, tl_u64 *end_ret)
{
	struct tl_section_bytes text;

	if (tl_image_section(module->binary->image, TL_SECTION_TEXT, &text, NULL) == TL_OK && text.size != 0) {
		*start_ret = text.address + module->bias;
		*end_ret = *start_ret + text.size;
		return;
	}
	tl_image_code_extent(module->binary->image, start_ret, end_ret);
	*start_ret += module->bias;
	*end_ret += module->bias;
}

/* ============================================================ memory ============================================= */

tl_u64 tl_module_read_file(const struct tl_module *module, tl_u64 address, void *buffer, tl_u64 size, bool constant)
{
	const struct tl_elf *elf = tl_image_elf(module->binary->image);
	struct tl_elf_segment segment;

	for (tl_u32 i = 0; i < elf->segment_count && tl_elf_segment(elf, i, &segment, NULL) == TL_OK; i++) {
		tl_u64 at = address - module->bias - segment.address, from_file;

		if (segment.type != PT_LOAD || at >= segment.memory_size || (constant && (segment.flags & PF_W) != 0))
			continue;
		if (size > segment.memory_size - at)
			size = segment.memory_size - at;
		from_file = at < segment.file_size ? segment.file_size - at : 0;
		if (from_file > size)
			from_file = size;
		if (from_file != 0 && elf->read(elf->context, segment.offset + at, buffer, (tl_size)from_file) != TL_OK)
			return 0;
		memset((tl_u8 *)buffer + from_file, 0, (tl_size)(size - from_file));
		return size;
	}
	return 0;
}

static bool read_files(const struct tl_modules *modules, tl_u64 address, void *buffer, tl_u64 size, bool constant)
{
	tl_u8 *at = buffer;

	while (size > 0) {
		const struct tl_module *module = tl_modules_at(modules, address);
		tl_u64 count = module != NULL ? tl_module_read_file(module, address, at, size, constant) : 0;

		if (count == 0)
			return false;
		at += count;
		address += count;
		size -= count;
	}
	return true;
}

enum tl_status tl_modules_read(const struct tl_modules *modules, tl_u64 address, void *buffer, tl_u64 size,
			       struct tl_error *error)
{
	bool process = modules->has_memory;

	if (process && address <= TL_U64_MAX - size &&
	    modules->memory.read(modules->memory.context, address, buffer, (tl_size)size) == TL_OK)
		return TL_OK;
	/* What a program cannot write need not be in a core file: it is in the program's own. */
	if (read_files(modules, address, buffer, size, process))
		return TL_OK;
	return TL_FAIL(error, TL_ERROR_MEMORY, "cannot access memory at address 0x%llx", (unsigned long long)address);
}

/* ============================================================ names ============================================== */

static bool is_member(const struct tl_modules *modules, const struct tl_module *module)
{
	for (tl_size i = 0; i < modules->list.count; i++)
		if (&modules->list.items[i]->open == module)
			return true;
	return false;
}

struct search {
	const struct tl_module *module;
	bool (*call)(void *context, const struct tl_named *named);
	void *context;
	bool more;
};

static bool take(void *context, const struct tl_indexed *found)
{
	struct search *search = context;
	struct tl_named named = {search->module, found};

	search->more = search->call(search->context, &named);
	return search->more;
}

static enum tl_status find_in(struct search *search, const struct tl_module *module, const char *name, unsigned kinds,
			      struct tl_error *error)
{
	search->module = module;
	if (module->binary->index == NULL || !search->more)
		return TL_OK;
	return tl_index_find(module->binary->index, name, kinds, take, search, error);
}

/* Waits for a module's index, whatever becomes of the list meanwhile. One that cannot be made is no error. */
static enum tl_status wait_for(const struct tl_module *module, const struct tl_patience *patience,
			       struct tl_error *error)
{
	struct tl_binary *binary = module->binary;
	enum tl_status status;

	if (tl_binary_ready(binary))
		return TL_OK;
	status = tl_binary_wait(binary, patience != NULL ? patience->waiting : NULL,
				patience != NULL ? patience->context : NULL, error);
	return status == TL_OK || tl_binary_failure(binary) != NULL ? TL_OK : status;
}

/* The loop turns while one waits, and the list may change by that: then it is gone through again. */
static enum tl_status wait_for_all(const struct tl_modules *modules, const struct tl_patience *patience,
				   struct tl_error *error)
{
	for (tl_size i = 0; i < modules->list.count; i++)
		tl_binary_want(modules->list.items[i]->open.binary);
	for (tl_size i = 0; i < modules->list.count; i++) {
		tl_u64 generation = modules->generation;

		TL_TRY(wait_for(&modules->list.items[i]->open, patience, error));
		if (generation != modules->generation)
			i = (tl_size)-1;
	}
	return TL_OK;
}

enum tl_status tl_modules_find(const struct tl_modules *modules, const struct tl_module *near, const char *name,
			       unsigned kinds, const struct tl_patience *patience,
			       bool (*call)(void *context, const struct tl_named *named), void *context,
			       struct tl_error *error)
{
	struct search search = {.call = call, .context = context, .more = true};

	if (near != NULL) {
		TL_TRY(wait_for(near, patience, error));
		if (is_member(modules, near))
			TL_TRY(find_in(&search, near, name, kinds, error));
		if (!search.more)
			return TL_OK;
	}
	TL_TRY(wait_for_all(modules, patience, error));
	for (tl_size i = 0; i < modules->list.count; i++)
		if (&modules->list.items[i]->open != near)
			TL_TRY(find_in(&search, &modules->list.items[i]->open, name, kinds, error));
	return TL_OK;
}

struct symbol_search {
	tl_u64 address;
	bool found, global;
};

/* A global one before a local one; what has no address of its own (variables of threads) counts for nothing. */
static bool take_symbol(void *context, const struct tl_elf_name *symbol)
{
	struct symbol_search *search = context;
	bool global = symbol->binding != STB_LOCAL;

	if (symbol->type == STT_TLS || symbol->section == SHN_ABS || (search->found && (search->global || !global)))
		return true;
	search->address = symbol->address;
	search->found = true;
	search->global = global;
	return !global;
}

static bool symbol_in(const struct tl_module *module, const char *name, tl_u64 *address_ret)
{
	struct symbol_search search = {.found = false};

	if (tl_elf_symbols_find(module->binary->symbols, name, take_symbol, &search, NULL) != TL_OK || !search.found)
		return false;
	*address_ret = search.address + module->bias;
	return true;
}

bool tl_modules_symbol_address(const struct tl_modules *modules, const struct tl_module *near, const char *name,
			       tl_u64 *address_ret)
{
	if (near != NULL && symbol_in(near, name, address_ret))
		return true;
	for (tl_size i = 0; i < modules->list.count; i++)
		if (symbol_in(&modules->list.items[i]->open, name, address_ret))
			return true;
	return false;
}
