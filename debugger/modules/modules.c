/*
 * The list of modules, as memory, auxiliary vector and the linker's list have it. What is at an address, or called by a
 * name, is in modules_ask.c.
 */
#include "debugger/modules/modules.h"

#include "base/storage.h"
#include "debugger/modules/link_map.h"
#include "debugger/modules/modules_internal.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a vDSO, which has a few pages. */
#define VDSO_MAX ((tl_u64)1 << 20)
#define VDSO_NAME "[vdso]"

enum tl_status tl_modules_open(struct tl_modules **modules_ret, struct tl_binaries *binaries, struct tl_error *error)
{
	struct tl_modules *modules = tl_allocate(tl_storage(), sizeof(*modules));

	if (modules != NULL)
		modules->lists = tl_allocate(tl_storage(), sizeof(*modules->lists));
	if (modules == NULL || modules->lists == NULL) {
		tl_release(tl_storage(), modules, sizeof(*modules));
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the list of modules");
	}
	modules->binaries = binaries;
	*modules_ret = modules;
	return TL_OK;
}

static void release_module(struct module *module)
{
	tl_release(tl_storage(), module, sizeof(*module));
}

static void release_table(struct table *table)
{
	tl_release(tl_storage(), table->items, table->capacity * sizeof(*table->items));
	*table = (struct table){.items = NULL};
}

void tl_modules_close(struct tl_modules *modules)
{
	if (modules == NULL)
		return;
	for (tl_size i = 0; i < modules->list.count; i++)
		release_module(modules->list.items[i]);
	release_table(&modules->list);
	release_table(&modules->sorted);
	tl_release(tl_storage(), modules->added, modules->added_capacity * sizeof(*modules->added));
	tl_release(tl_storage(), modules->lists, sizeof(*modules->lists));
	tl_release(tl_storage(), modules, sizeof(*modules));
}

void tl_modules_set_memory(struct tl_modules *modules, const struct tl_memory_access *memory)
{
	modules->has_memory = memory != NULL;
	modules->memory = memory != NULL ? *memory : (struct tl_memory_access){.read = NULL};
}

tl_u64 tl_modules_watch_address(const struct tl_modules *modules)
{
	return modules->watch;
}

const char *tl_modules_remark(const struct tl_modules *modules)
{
	return modules->remark[0] != 0 ? modules->remark : NULL;
}

const struct tl_module *tl_modules_get(const struct tl_modules *modules, tl_size index)
{
	return index < modules->list.count ? &modules->list.items[index]->open : NULL;
}

tl_u64 tl_modules_generation(const struct tl_modules *modules)
{
	return modules->generation;
}

/* ============================================================ making a list ====================================== */

/* A list on its way, and what it is made from. */
struct update {
	struct tl_modules *modules;
	struct tl_auxiliary auxiliary;
	tl_u8 word;
	struct table list;
	struct tl_binary *program; /* NULL: its file cannot be opened */
	tl_u64 bias;               /* of the program */
	bool other_build;          /* what runs is not the program's file */
	struct tl_binary *vdso;
	tl_u64 vdso_bias, vdso_start, vdso_end;
	struct tl_link_list links;
	struct tl_error *error;
};

/* The first remark stays: what follows has the same reason, as a rule. */
static void remark(struct tl_modules *modules, const char *what, const char *why)
{
	if (modules->remark[0] == 0)
		(void)snprintf(modules->remark, sizeof(modules->remark), "%.300s: %.320s", what, why);
}

static bool add_to(struct table *table, struct module *module)
{
	void *items = table->items;

	if (!tl_grow(tl_storage(), &items, &table->capacity, table->count, sizeof(struct module *)))
		return false;
	table->items = items;
	table->items[table->count++] = module;
	return true;
}

/* Where code may be, as program headers say; the last one takes all that find no room. */
static void find_code(struct module *module)
{
	const struct tl_elf *elf = tl_image_elf(module->open.binary->image);
	struct tl_elf_segment segment;

	for (tl_u32 i = 0; i < elf->segment_count && tl_elf_segment(elf, i, &segment, NULL) == TL_OK; i++) {
		struct code_range *range = &module->code[module->code_count];

		if (segment.type != PT_LOAD || (segment.flags & PF_X) == 0 || segment.memory_size == 0)
			continue;
		if (module->code_count == CODE_RANGES_MAX) {
			range--;
			if (range->end < segment.address + segment.memory_size)
				range->end = segment.address + segment.memory_size;
			continue;
		}
		*range = (struct code_range){segment.address, segment.address + segment.memory_size};
		module->code_count++;
	}
}

static struct module *find(const struct table *table, const struct tl_binary *binary, tl_u64 bias)
{
	for (tl_size i = 0; i < table->count; i++)
		if (table->items[i]->open.binary == binary && table->items[i]->open.bias == bias)
			return table->items[i];
	return NULL;
}

/* Adds a binary to the list that is being made: the module that there was before, if it is the same. */
static enum tl_status add_module(struct update *update, struct tl_binary *binary, tl_u64 bias, tl_u64 map)
{
	struct module *module = find(&update->list, binary, bias);
	tl_u64 lowest, size;

	/* The linker and the program are met twice, and the linker again in each name space. */
	if (module != NULL) {
		if (module->open.link_map == 0)
			module->open.link_map = map;
		return TL_OK;
	}
	module = find(&update->modules->list, binary, bias);
	if (module == NULL) {
		module = tl_allocate(tl_storage(), sizeof(*module));
		if (module == NULL)
			return TL_FAIL(update->error, TL_ERROR_NO_MEMORY, "no memory for a module");
		tl_image_extent(binary->image, &lowest, &size);
		module->open = (struct tl_module){
			.binary = binary, .bias = bias, .start = lowest + bias, .end = lowest + bias + size};
		if (module->open.end < module->open.start)
			module->open.end = TL_U64_MAX;
		module->fresh = true;
		find_code(module);
	}
	if (!add_to(&update->list, module)) {
		if (module->fresh)
			release_module(module);
		return TL_FAIL(update->error, TL_ERROR_NO_MEMORY, "no memory for the list of modules");
	}
	module->open.program = binary == update->program && bias == update->bias;
	module->open.link_map = map;
	return TL_OK;
}

/* An update that came to nothing: the list stays as it was. */
static void drop(struct update *update)
{
	for (tl_size i = 0; i < update->list.count; i++)
		if (update->list.items[i]->fresh)
			release_module(update->list.items[i]);
	release_table(&update->list);
}

static int by_start(const void *a, const void *b)
{
	const struct module *left = *(struct module *const *)a, *right = *(struct module *const *)b;

	return left->open.start < right->open.start ? -1 : left->open.start > right->open.start;
}

/* Puts the new list in the place of the old one. */
static enum tl_status finish(struct update *update, bool *changed_ret)
{
	struct tl_modules *modules = update->modules;
	struct table *list = &update->list, *old = &modules->list, sorted = {.count = 0};
	bool changed = list->count != old->count;

	for (tl_size i = 0; i < list->count; i++) {
		if (!add_to(&sorted, list->items[i])) {
			release_table(&sorted);
			return TL_FAIL(update->error, TL_ERROR_NO_MEMORY, "no memory for the list of modules");
		}
	}
	if (sorted.count != 0)
		qsort(sorted.items, sorted.count, sizeof(*sorted.items), by_start);
	for (tl_size i = 0; i < list->count; i++) {
		changed = changed || list->items[i] != old->items[i];
		list->items[i]->fresh = false;
		list->items[i]->kept = true;
	}
	for (tl_size i = 0; i < old->count; i++)
		if (!old->items[i]->kept)
			release_module(old->items[i]);
	for (tl_size i = 0; i < list->count; i++)
		list->items[i]->kept = false;
	release_table(old);
	release_table(&modules->sorted);
	*old = *list;
	modules->sorted = sorted;
	update->list = (struct table){.items = NULL};
	if (changed)
		modules->generation++;
	*changed_ret = changed;
	return TL_OK;
}

/* ============================================================ added by hand ====================================== */

void tl_modules_set_offset(struct tl_modules *modules, tl_u64 offset)
{
	modules->offset = offset;
}

static enum tl_status add_added(struct update *update)
{
	for (tl_size i = 0; i < update->modules->added_count; i++)
		TL_TRY(add_module(update, update->modules->added[i].binary, update->modules->added[i].bias, 0));
	return TL_OK;
}

static const struct added_file *find_added(const struct tl_modules *modules, const struct tl_binary *binary,
					   tl_u64 bias)
{
	for (tl_size i = 0; i < modules->added_count; i++)
		if (modules->added[i].binary == binary && modules->added[i].bias == bias)
			return &modules->added[i];
	return NULL;
}

/* The list as it is, but for what was added and is no more, and with what was added since. */
static enum tl_status renew(struct tl_modules *modules, const struct added_file *removed, struct tl_error *error)
{
	struct update update = {.modules = modules, .error = error};
	enum tl_status status = TL_OK;
	bool changed;

	for (tl_size i = 0; i < modules->list.count && status == TL_OK; i++) {
		const struct tl_module *module = &modules->list.items[i]->open;

		if (removed != NULL && module->binary == removed->binary && module->bias == removed->bias)
			continue;
		if (module->program) {
			update.program = module->binary;
			update.bias = module->bias;
		}
		status = add_module(&update, module->binary, module->bias, module->link_map);
	}
	if (status == TL_OK)
		status = add_added(&update);
	if (status == TL_OK)
		status = finish(&update, &changed);
	if (status != TL_OK)
		drop(&update);
	return status;
}

enum tl_status tl_modules_add_file(struct tl_modules *modules, const char *path, tl_u64 bias, struct tl_error *error)
{
	struct tl_binary *binary;
	enum tl_status status;

	TL_TRY(tl_binaries_get(modules->binaries, path, &binary, error));
	if (find_added(modules, binary, bias) != NULL)
		return TL_OK;
	if (!tl_grow(tl_storage(), (void **)&modules->added, &modules->added_capacity, modules->added_count,
		     sizeof(*modules->added)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for one more file");
	tl_binary_want(binary);
	modules->added[modules->added_count++] = (struct added_file){binary, bias};
	status = renew(modules, NULL, error);
	if (status != TL_OK)
		modules->added_count--;
	return status;
}

enum tl_status tl_modules_remove_file(struct tl_modules *modules, const char *path, tl_u64 bias, struct tl_error *error)
{
	const struct added_file *found;
	struct added_file removed;
	struct tl_binary *binary;

	TL_TRY(tl_binaries_get(modules->binaries, path, &binary, error));
	found = find_added(modules, binary, bias);
	if (found == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No symbol file found");
	removed = *found;
	modules->added[found - modules->added] = modules->added[--modules->added_count];
	return renew(modules, &removed, error);
}

enum tl_status tl_modules_set_program(struct tl_modules *modules, const char *path, struct tl_error *error)
{
	struct update update = {.modules = modules, .error = error};
	enum tl_status status;
	bool changed;

	TL_TRY(tl_binaries_get(modules->binaries, path, &update.program, error));
	update.bias = modules->offset;
	status = add_module(&update, update.program, update.bias, 0);
	if (status == TL_OK)
		status = add_added(&update);
	if (status == TL_OK)
		status = finish(&update, &changed);
	if (status != TL_OK) {
		drop(&update);
		return status;
	}
	tl_binary_want(update.program);
	modules->watch = 0;
	modules->remark[0] = 0;
	return TL_OK;
}

/* ============================================================ the program ======================================== */

/* An address of the process, which may have gone round its end: 32 bits in a 32-bit one. */
static tl_u64 place(const struct update *update, tl_u64 address)
{
	return update->word == 4 ? address & TL_U32_MAX : address;
}

/*
 * A bias, given as the process has it. In a 32-bit one it may stand for a negative number; here it is one of 64 bits
 * that leads from addresses as linked to those of the process without a thought about width.
 */
static tl_u64 widen(const struct update *update, const struct tl_binary *binary, tl_u64 bias)
{
	tl_u64 lowest, size;

	tl_image_extent(binary->image, &lowest, &size);
	return place(update, lowest + bias) - lowest;
}

/* How far the program was moved: by where its first instruction is, or its headers are. */
static tl_u64 program_bias(const struct update *update)
{
	const struct tl_elf *elf = tl_image_elf(update->program->image);
	struct tl_elf_segment segment;
	tl_u64 bias = update->modules->offset;

	if (update->auxiliary.entry != 0)
		bias = update->auxiliary.entry - elf->entry;
	else if (update->auxiliary.headers != 0 && tl_elf_find_segment(elf, PT_PHDR, &segment, NULL) == TL_OK)
		bias = update->auxiliary.headers - segment.address;
	return widen(update, update->program, bias);
}

static enum tl_status read_image(void *context, tl_u64 offset, void *buffer, tl_size size)
{
	const struct tl_memory_access *memory = ((void **)context)[0];
	const tl_u64 *start = ((void **)context)[1];

	return memory->read(memory->context, *start + offset, buffer, size);
}

/*
 * Whether what was loaded at `start` is the file: by their build ids. True where one of them has none, or where the
 * memory cannot be read, as in many a core file.
 */
static bool is_loaded(const struct update *update, const struct tl_binary *binary, tl_u64 start)
{
	struct tl_memory_access memory = update->modules->memory;
	void *context[2] = {&memory, &start};
	tl_u8 loaded[TL_ELF_BUILD_ID_MAX];
	const tl_u8 *own;
	tl_size size, own_size;
	struct tl_elf elf;

	own = tl_image_build_id(binary->image, &own_size);
	if (own_size == 0 || tl_elf_open(&elf, read_image, context, true, NULL) != TL_OK ||
	    tl_elf_build_id(&elf, loaded, &size, NULL) != TL_OK)
		return true;
	return size == own_size && memcmp(own, loaded, size) == 0;
}

static const char other_build[] = "the file is of another build than what runs (their build ids differ)";

/* The program, first in the list. Without its file the rest is still of use. */
static enum tl_status add_program(struct update *update, const char *path)
{
	struct tl_error why = {.status = TL_OK};
	enum tl_status status = tl_binaries_get(update->modules->binaries, path, &update->program, &why);
	tl_u64 lowest, size;

	if (status == TL_ERROR_NO_MEMORY) {
		if (update->error != NULL)
			*update->error = why;
		return status;
	}
	if (status != TL_OK) {
		update->program = NULL;
		remark(update->modules, path, why.text);
		return TL_OK;
	}
	tl_binary_want(update->program);
	if (update->word == 0)
		update->word = tl_image_elf(update->program->image)->wide ? 8 : 4;
	update->bias = program_bias(update);
	tl_image_extent(update->program->image, &lowest, &size);
	update->other_build = !is_loaded(update, update->program, lowest + update->bias);
	if (update->other_build)
		remark(update->modules, path, other_build);
	return add_module(update, update->program, update->bias, 0);
}

/* ============================================================ the vDSO =========================================== */

/* How many bytes the image at `start` has: its segments, and its table of sections, which the kernel maps as well. */
static bool vdso_size(const struct update *update, tl_u64 start, tl_u64 *loaded_ret, tl_u64 *whole_ret)
{
	struct tl_memory_access memory = update->modules->memory;
	tl_u8 header[sizeof(Elf64_Ehdr)];
	void *context[2] = {&memory, &start};
	tl_u64 sections, count, loaded = 0;
	struct tl_elf elf;

	if (tl_elf_open(&elf, read_image, context, true, NULL) != TL_OK ||
	    memory.read(memory.context, start, header, elf.wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)) != TL_OK)
		return false;
	for (tl_u32 i = 0; i < elf.segment_count && i < 64; i++) {
		struct tl_elf_segment segment;
		tl_u64 end;

		if (tl_elf_segment(&elf, i, &segment, NULL) != TL_OK)
			return false;
		end = segment.offset + segment.file_size;
		if (segment.type == PT_LOAD && end > loaded && end >= segment.offset)
			loaded = end;
	}
	sections = elf.wide ? tl_load_little(header + __builtin_offsetof(Elf64_Ehdr, e_shoff), 8)
			    : tl_load_little(header + __builtin_offsetof(Elf32_Ehdr, e_shoff), 4);
	count = elf.wide ? tl_load_little(header + __builtin_offsetof(Elf64_Ehdr, e_shnum), 2)
			 : tl_load_little(header + __builtin_offsetof(Elf32_Ehdr, e_shnum), 2);
	*loaded_ret = loaded;
	*whole_ret = loaded;
	if (sections <= VDSO_MAX && sections + count * sizeof(Elf64_Shdr) > loaded)
		*whole_ret = sections + count * (elf.wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr));
	return loaded != 0 && *whole_ret <= VDSO_MAX;
}

/* The kernel's library in the process, read from its memory. It is added behind the others. */
static enum tl_status find_vdso(struct update *update)
{
	const struct tl_memory_access *memory = &update->modules->memory;
	tl_u64 start = update->auxiliary.vdso, loaded, whole, lowest, size;
	enum tl_status status = TL_ERROR_MEMORY;
	tl_u8 *bytes;

	if (start == 0 || !vdso_size(update, start, &loaded, &whole))
		return TL_OK;
	bytes = tl_allocate(tl_storage(), whole);
	if (bytes == NULL)
		return TL_FAIL(update->error, TL_ERROR_NO_MEMORY, "no memory for the vDSO");
	if (memory->read(memory->context, start, bytes, whole) == TL_OK)
		status = tl_binaries_get_bytes(update->modules->binaries, VDSO_NAME, bytes, whole, &update->vdso, NULL);
	if (status != TL_OK && memory->read(memory->context, start, bytes, loaded) == TL_OK)
		status =
			tl_binaries_get_bytes(update->modules->binaries, VDSO_NAME, bytes, loaded, &update->vdso, NULL);
	tl_release(tl_storage(), bytes, whole);
	if (status != TL_OK)
		return TL_OK;
	tl_image_extent(update->vdso->image, &lowest, &size);
	update->vdso_start = start;
	update->vdso_end = start + size;
	update->vdso_bias = start - lowest;
	return TL_OK;
}

/* ============================================================ libraries ========================================== */

/* Adds a library's file; one that is not to be had, or is not what was loaded, is remarked upon. */
static enum tl_status add_file(struct update *update, const char *path, tl_u64 bias, tl_u64 map)
{
	struct tl_error why = {.status = TL_OK};
	struct tl_binary *binary = NULL;
	enum tl_status status = tl_binaries_get_library(update->modules->binaries, path, &binary, &why);
	tl_u64 lowest, size;

	if (status == TL_ERROR_NO_MEMORY) {
		if (update->error != NULL)
			*update->error = why;
		return status;
	}
	if (status != TL_OK) {
		remark(update->modules, path, why.text);
		return TL_OK;
	}
	bias = widen(update, binary, bias);
	tl_image_extent(binary->image, &lowest, &size);
	if (find(&update->modules->list, binary, bias) == NULL && !is_loaded(update, binary, lowest + bias)) {
		remark(update->modules, path, other_build);
		return TL_OK;
	}
	return add_module(update, binary, bias, map);
}

/* The dynamic linker, which the kernel loaded: in the linker's own list only after it began that. */
static enum tl_status add_interpreter(struct update *update)
{
	char path[TL_LINK_NAME_MAX];

	if (update->auxiliary.base == 0 || update->program == NULL ||
	    tl_elf_interpreter(tl_image_elf(update->program->image), path, sizeof(path), NULL) != TL_OK)
		return TL_OK;
	return add_file(update, path, update->auxiliary.base, 0);
}

static bool take_address(void *context, const struct tl_elf_name *symbol)
{
	*(tl_u64 *)context = symbol->address;
	return false;
}

/* A symbol of one module, in the process; 0 when it has none. */
static tl_u64 symbol_of(const struct tl_module *module, const char *name)
{
	tl_u64 address = 0;

	if (tl_elf_symbols_find(module->binary->symbols, name, take_address, &address, NULL) != TL_OK || address == 0)
		return 0;
	return address + module->bias;
}

/* Where the program's dynamic section is, as its file or, if that is of no use, its loaded headers say. */
static bool find_dynamic(const struct update *update, tl_u64 *dynamic_ret)
{
	struct tl_elf_segment segment;

	if (update->program == NULL || update->other_build)
		return tl_loaded_dynamic(&update->modules->memory, update->word, update->auxiliary.headers,
					 update->auxiliary.header_count, dynamic_ret);
	if (tl_elf_find_segment(tl_image_elf(update->program->image), PT_DYNAMIC, &segment, NULL) != TL_OK)
		return false;
	*dynamic_ret = place(update, segment.address + update->bias);
	return true;
}

/*
 * Where the linker's list begins; 0 when there is none, or not yet. A linker that was run as a program has no entry for
 * debuggers in its dynamic section, but it has the list.
 */
static tl_u64 list_head(const struct update *update)
{
	tl_u64 dynamic = 0, head = 0;

	if (find_dynamic(update, &dynamic) && tl_link_list_head(&update->modules->memory, update->word, dynamic, &head))
		return head;
	for (tl_size i = 0; i < update->list.count && head == 0; i++)
		head = symbol_of(&update->list.items[i]->open, "_r_debug");
	return head;
}

/*
 * Memory for the linker's list: that of the process, and where it has none, as in many a core file, the constants of
 * the modules that are known by now. The linker's empty name for the program is one of them.
 */
static enum tl_status read_list_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	const struct update *update = context;
	const struct tl_memory_access *memory = &update->modules->memory;

	if (memory->read(memory->context, address, buffer, size) == TL_OK)
		return TL_OK;
	for (tl_size i = 0; i < update->list.count; i++) {
		const struct tl_module *module = &update->list.items[i]->open;
		tl_u64 count = 0;

		if (address >= module->start && address < module->end)
			count = tl_module_read_file(module, address, buffer, size, true);
		if (count == 0)
			continue;
		/* Strings are read in pieces that a page holds, and pages are mapped whole. */
		memset((tl_u8 *)buffer + count, 0, size - count);
		return TL_OK;
	}
	return TL_ERROR_MEMORY;
}

static bool is_listed(const struct tl_link_list *links, tl_u64 map)
{
	for (tl_size i = 0; i < links->count; i++)
		if (links->links[i].map == map)
			return true;
	return false;
}

/* Where the list breaks off, what was beyond is still loaded as far as anybody knows. */
static enum tl_status keep_rest(struct update *update)
{
	const struct table *old = &update->modules->list;
	bool same = update->list.count != 0 && old->count != 0 && update->list.items[0] == old->items[0];

	for (tl_size i = 0; same && i < old->count; i++) {
		const struct tl_module *module = &old->items[i]->open;

		if (module->link_map != 0 && !is_listed(&update->links, module->link_map))
			TL_TRY(add_module(update, module->binary, module->bias, module->link_map));
	}
	return TL_OK;
}

static enum tl_status add_libraries(struct update *update)
{
	struct tl_memory_access memory = {.read = read_list_memory, .context = update};
	tl_u64 head = list_head(update);

	if (head != 0 &&
	    tl_link_list_read(&update->links, &memory, update->word, head, update->error) == TL_ERROR_NO_MEMORY)
		return TL_ERROR_NO_MEMORY;
	for (tl_size i = 0; i < update->links.count; i++) {
		const struct tl_link *link = &update->links.links[i];

		if (update->vdso != NULL && link->dynamic >= update->vdso_start && link->dynamic < update->vdso_end)
			continue;
		if (link->name[0] != 0)
			TL_TRY(add_file(update, link->name, link->bias, link->map));
		else if (update->program != NULL && widen(update, update->program, link->bias) == update->bias)
			TL_TRY(add_module(update, update->program, update->bias, link->map));
	}
	if (head != 0 && !update->links.whole) {
		remark(update->modules, "the list of libraries",
		       "it is damaged, or was being changed; those that were known before are kept");
		TL_TRY(keep_rest(update));
	}
	return TL_OK;
}

/* ============================================================ the watch address ================================== */

/* What the list's head says, if there is code; else what the linker calls so. */
static void find_watch(struct tl_modules *modules, tl_u64 stop)
{
	static const char *const names[] = {"_dl_debug_state", "_r_debug_state", "_rtld_debug_state"};

	modules->watch = 0;
	if (stop != 0 && tl_modules_is_code(modules, stop)) {
		modules->watch = stop;
		return;
	}
	for (tl_size i = 0; i < modules->list.count; i++) {
		const struct tl_module *module = &modules->list.items[i]->open;

		for (tl_size j = 0; j < TL_COUNT(names); j++) {
			tl_u64 address = symbol_of(module, names[j]);

			if (address != 0 && tl_modules_is_code(modules, address)) {
				modules->watch = address;
				return;
			}
		}
	}
}

static enum tl_status make_list(struct update *update, const char *path)
{
	TL_TRY(add_program(update, path));
	if (update->word == 0)
		return add_added(update);
	TL_TRY(find_vdso(update));
	TL_TRY(add_interpreter(update));
	TL_TRY(add_libraries(update));
	if (update->vdso != NULL)
		TL_TRY(add_module(update, update->vdso, update->vdso_bias, 0));
	return add_added(update);
}

enum tl_status tl_modules_update(struct tl_modules *modules, const char *path, const void *auxv, tl_size auxv_size,
				 bool *changed_ret, struct tl_error *error)
{
	struct update update = {.modules = modules, .error = error};
	enum tl_status status;

	if (!modules->has_memory)
		return TL_FAIL(error, TL_ERROR_STATE, "there is no process whose modules could be listed");
	modules->remark[0] = 0;
	update.auxiliary = tl_auxiliary_read(auxv, auxv_size, 0);
	update.word = update.auxiliary.word;
	status = make_list(&update, path);
	if (status == TL_OK)
		status = finish(&update, changed_ret);
	if (status != TL_OK)
		drop(&update);
	else
		find_watch(modules, update.links.stop);
	tl_link_list_release(&update.links);
	return status;
}
