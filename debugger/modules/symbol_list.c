#include "debugger/modules/symbol_list.h"

#include "base/storage.h"
#include "debugger/modules/function_name.h"
#include "symbols/demangle.h"
#include "symbols/type_text.h"

#include <elf.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many names are looked at before the patience is asked again. */
#define NAMES_AT_ONCE 8192
#define SCOPE_MAX 4096

struct pattern {
	bool any;            /* there is none: all match */
	const char *literal; /* it has no special characters; NULL: `compiled` */
	regex_t compiled;
};

struct search {
	const struct tl_modules *modules;
	const struct tl_list_query *query;
	const struct tl_patience *patience;
	const struct tl_module *module;
	struct tl_symbol_list *list;
	struct pattern names, types;
	struct tl_output text; /* for a moment */
	const char *last;      /* the name that was matched last, and whether it did */
	bool last_matches;
	tl_size looked_at;
	const struct tl_unit *unit; /* whose entries [first, end) of the list are being completed */
	tl_size first, end;
	enum tl_status status;
	struct tl_error *error;
};

static enum tl_status no_memory(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the list");
}

/* ============================================================ patterns =========================================== */

static enum tl_status compile(struct pattern *pattern, const char *text, struct tl_error *error)
{
	char why[256];
	int failure;

	if (text == NULL) {
		pattern->any = true;
		return TL_OK;
	}
	if (strpbrk(text, ".[]*^$\\") == NULL) {
		pattern->literal = text;
		return TL_OK;
	}
	failure = regcomp(&pattern->compiled, text, REG_NOSUB);
	if (failure == 0)
		return TL_OK;
	(void)regerror(failure, &pattern->compiled, why, sizeof(why));
	pattern->any = true;
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid regexp: %s", why);
}

static bool matches(const struct pattern *pattern, const char *text)
{
	if (pattern->any)
		return true;
	if (pattern->literal != NULL)
		return strstr(text, pattern->literal) != NULL;
	return regexec(&pattern->compiled, text, 0, NULL, 0) == 0;
}

static void release(struct pattern *pattern)
{
	if (!pattern->any && pattern->literal == NULL)
		regfree(&pattern->compiled);
}

/* ============================================================ what the index has ================================= */

/* False, with the search's status, when it is to end. */
static bool go_on(struct search *search)
{
	if (++search->looked_at % NAMES_AT_ONCE != 0 || search->patience == NULL || search->patience->waiting == NULL ||
	    search->patience->waiting(search->patience->context))
		return true;
	search->status = TL_FAIL(search->error, TL_ERROR_CANCELLED, "Quit");
	return false;
}

/* Numbers are called "unsigned long", however a compiler spells them. */
static bool is_number(tl_u16 tag)
{
	return tag == DW_TAG_base_type || tag == DW_TAG_unspecified_type;
}

static const char *number_name(struct search *search, const char *name)
{
	tl_output_reset(&search->text);
	tl_type_write_canonical(name, &search->text);
	return tl_output_string(&search->text);
}

/* The name with all around it, in search->text; of functions with parameters, as a demangler has them. */
static enum tl_status write_scoped_name(struct search *search, const struct tl_indexed *found,
					const struct tl_entry *entry)
{
	struct tl_types *types = search->module->binary->types;
	const struct tl_type *type;
	char scope[SCOPE_MAX];
	const char *full;

	if (is_number(found->tag)) {
		(void)number_name(search, found->name);
		return TL_OK;
	}
	tl_output_reset(&search->text);
	if (found->kind == TL_INDEX_FUNCTION)
		return tl_function_write_name(types, entry, &search->text, NULL);
	if (found->kind == TL_INDEX_TYPE && tl_type_at(types, entry, &type, NULL) == TL_OK &&
	    tl_type_full_name(type, &full, NULL) == TL_OK && full != NULL) {
		tl_output_text(&search->text, full);
		return TL_OK;
	}
	if (tl_index_scope(search->module->binary->index, found->scope, scope, sizeof(scope)) != 0)
		tl_output_format(&search->text, "%s::", scope);
	tl_output_text(&search->text, found->name);
	return TL_OK;
}

/* Is it of the sort that gdb lists? */
static bool is_listed(const struct tl_indexed *found)
{
	switch (found->kind) {
	case TL_INDEX_FUNCTION:
		return (found->flags & TL_INDEX_HAS_CODE) != 0;
	case TL_INDEX_VARIABLE:
		/* What other units know and this one does not have is only declared here. */
		return (found->flags & TL_INDEX_HAS_VALUE) != 0 || (found->flags & TL_INDEX_EXTERNAL) == 0;
	default:
		return true;
	}
}

/* Classes of C++ are known to all units. */
static bool is_static(const struct tl_indexed *found)
{
	if (found->kind == TL_INDEX_NAMESPACE)
		return false;
	if (found->kind != TL_INDEX_TYPE)
		return (found->flags & TL_INDEX_EXTERNAL) == 0;
	return !tl_tree_has_scopes(found->unit) || found->tag == DW_TAG_typedef || is_number(found->tag);
}

static struct tl_listed *add_entry(struct search *search)
{
	struct tl_symbol_list *list = search->list;
	void *items = list->entries;

	if (!tl_grow(tl_storage(), &items, &list->capacity, list->count, sizeof(*list->entries))) {
		search->status = no_memory(search->error);
		return NULL;
	}
	list->entries = items;
	list->entries[list->count] = (struct tl_listed){.module = search->module};
	return &list->entries[list->count++];
}

static bool look_at(void *context, const struct tl_indexed *found)
{
	struct search *search = context;
	bool scoped = tl_tree_has_scopes(found->unit) || is_number(found->tag);
	const char *name = found->name;
	struct tl_listed *added;
	struct tl_entry entry;

	if (!go_on(search))
		return false;
	if (!is_listed(found))
		return true;
	if (!scoped) {
		if (found->name != search->last)
			search->last_matches = matches(&search->names, found->name);
		search->last = found->name;
		if (!search->last_matches)
			return true;
	}
	if (tl_entry_at(found->unit, found->offset, &entry, NULL) != TL_OK)
		return true;
	if (scoped) {
		if (write_scoped_name(search, found, &entry) != TL_OK)
			return true;
		name = tl_output_string(&search->text);
		if (!matches(&search->names, name))
			return true;
		name = tl_arena_copy(&search->list->texts, name, strlen(name));
	}
	added = name != NULL ? add_entry(search) : NULL;
	if (added == NULL)
		return false;
	added->entry = entry;
	added->name = name;
	added->is_static = is_static(found);
	return true;
}

static bool add_number(struct search *search, const struct tl_entry *entry)
{
	struct tl_attribute name;
	struct tl_listed *added;
	const char *text;

	if (tl_entry_attribute(entry, DW_AT_name, &name, NULL) != TL_OK || name.kind != TL_CLASS_STRING ||
	    !matches(&search->names, number_name(search, name.text)))
		return true;
	text = tl_arena_copy(&search->list->texts, tl_output_string(&search->text), search->text.size);
	added = text != NULL ? add_entry(search) : NULL;
	if (added == NULL)
		return false;
	added->entry = *entry;
	added->name = text;
	added->is_static = true;
	return true;
}

/*
 * The index has `int` once, though every unit has its own, and gdb lists it for each: adds those of other units to that
 * of one.
 */
static bool add_base_types(struct search *search)
{
	struct tl_dwarf *dwarf = search->module->binary->dwarf;

	for (tl_size i = 0; i < tl_dwarf_unit_count(dwarf); i++) {
		struct tl_entry at, entry;

		if (tl_entry_top(tl_dwarf_unit(dwarf, i), &at, NULL) != TL_OK ||
		    tl_entry_child(&at, &entry, NULL) != TL_OK)
			continue;
		while (entry.tag != 0) {
			if (!go_on(search))
				return false;
			if (is_number(entry.tag) && !add_number(search, &entry))
				return false;
			if (tl_entry_sibling(&entry, &entry, NULL) != TL_OK)
				break;
		}
	}
	return true;
}

/* ============================================================ files and lines ==================================== */

static int by_unit(const void *a, const void *b)
{
	const struct tl_listed *x = a, *y = b;

	if (x->entry.unit != y->entry.unit)
		return x->entry.unit < y->entry.unit ? -1 : 1;
	return x->entry.offset < y->entry.offset ? -1 : x->entry.offset > y->entry.offset;
}

/* A number that an entry has, or the one that it was declared by. */
static tl_u64 number_of(const struct tl_entry *entry, tl_u16 name)
{
	struct tl_attribute attribute;

	if (tl_entry_inherited(entry, name, &attribute, NULL) != TL_OK)
		return 0;
	return attribute.kind == TL_CLASS_UNSIGNED || attribute.kind == TL_CLASS_SIGNED ? attribute.number : 0;
}

/* A file as gdb calls it; what says nothing of a file is listed under the unit's own source. */
static const char *file_of(struct search *search, const struct tl_line_table *table, tl_u64 number)
{
	const char *own = search->unit->name;
	char text[4096];
	tl_size size = number != 0 && table != NULL ? tl_line_table_shown_path(table, number, text, sizeof(text)) : 0;

	if (size == 0)
		return own != NULL ? own : "<unknown>";
	return tl_arena_copy(&search->list->texts, text, size < sizeof(text) ? size : sizeof(text) - 1);
}

/* What a copy of an inline function does not say itself. */
static bool is_external(const struct tl_entry *entry)
{
	struct tl_attribute external;

	return tl_entry_inherited(entry, DW_AT_external, &external, NULL) == TL_OK && external.kind == TL_CLASS_FLAG &&
	       external.number != 0;
}

/* Files of the entries of one unit, whose table this is. */
static bool complete_unit(void *context, const struct tl_line_table *table)
{
	struct search *search = context;
	const char *path = NULL;
	tl_u64 last = 0;

	for (tl_size i = search->first; i < search->end; i++) {
		struct tl_listed *listed = &search->list->entries[i];
		tl_u64 file = number_of(&listed->entry, DW_AT_decl_file);

		listed->line = (tl_u32)number_of(&listed->entry, DW_AT_decl_line);
		if (search->query->kind != TL_LIST_TYPES && listed->is_static)
			listed->is_static = !is_external(&listed->entry);
		if (path == NULL || file != last)
			path = file_of(search, table, file);
		last = file;
		if (path == NULL) {
			search->status = no_memory(search->error);
			return false;
		}
		listed->file = path;
	}
	return false;
}

static void complete_entries(struct search *search, tl_size first)
{
	struct tl_symbol_list *list = search->list;

	if (list->count - first > 1)
		qsort(list->entries + first, list->count - first, sizeof(*list->entries), by_unit);
	for (; first < list->count && search->status == TL_OK; first = search->end) {
		search->unit = list->entries[first].entry.unit;
		search->first = first;
		search->end = first + 1;
		while (search->end < list->count && list->entries[search->end].entry.unit == search->unit)
			search->end++;
		if (tl_lines_files_of(search->module->binary->lines, search->unit, complete_unit, search, NULL) !=
		    TL_OK)
			(void)complete_unit(search, NULL);
		if (!go_on(search))
			return;
	}
}

/* By file, then those that all know, then by name; of the same, the one that comes first in the debug information. */
static int by_file(const void *a, const void *b)
{
	const struct tl_listed *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (order == 0)
		order = (int)x->is_static - (int)y->is_static;
	if (order == 0)
		order = strcmp(x->name, y->name);
	return order != 0 ? order : by_unit(a, b);
}

static bool is_same(const struct tl_listed *left, const struct tl_listed *right)
{
	return left->is_static == right->is_static && strcmp(left->file, right->file) == 0 &&
	       strcmp(left->name, right->name) == 0;
}

static void sort_entries(struct tl_symbol_list *list)
{
	tl_size kept = 0;

	if (list->count > 1)
		qsort(list->entries, list->count, sizeof(*list->entries), by_file);
	for (tl_size i = 0; i < list->count; i++)
		if (kept == 0 || !is_same(&list->entries[kept - 1], &list->entries[i]))
			list->entries[kept++] = list->entries[i];
	list->count = kept;
}

/* Leaves those whose types match. */
static void filter_types(struct search *search)
{
	struct tl_symbol_list *list = search->list;
	tl_size kept = 0;

	for (tl_size i = 0; i < list->count && go_on(search); i++) {
		struct tl_types *types = list->entries[i].module->binary->types;
		const struct tl_entry *entry = &list->entries[i].entry;
		const struct tl_type *type;
		enum tl_status status = search->query->kind == TL_LIST_FUNCTIONS
						? tl_type_at(types, entry, &type, NULL)
						: tl_type_of(types, entry, &type, NULL);

		tl_output_reset(&search->text);
		if (status == TL_OK && tl_type_write_name(type, &search->text, NULL) == TL_OK &&
		    matches(&search->types, tl_output_string(&search->text)))
			list->entries[kept++] = list->entries[i];
	}
	list->count = kept;
}

/* ============================================================ symbols without debug information ================== */

static bool stop_at_first(void *context, const struct tl_indexed *found)
{
	bool *known = context;

	/* A struct of that name is no variable. */
	*known = found->kind != TL_INDEX_TYPE || found->tag == DW_TAG_typedef || tl_tree_has_scopes(found->unit);
	return !*known;
}

/* Does debug information know something of that name? */
static bool is_known(struct search *search, const char *name)
{
	const struct tl_index *index = search->module->binary->index;
	bool known = false;
	char plain[1024];

	if (index == NULL)
		return false;
	if (tl_demangle_is_mangled(name)) {
		tl_output_reset(&search->text);
		if (tl_demangle(name, TL_DEMANGLE_NAME, &search->text, NULL) == TL_OK)
			name = tl_output_string(&search->text);
	}
	if (snprintf(plain, sizeof(plain), "::%s", name) >= (int)sizeof(plain))
		return false;
	(void)!tl_index_find(index, plain, TL_INDEX_ALL & ~(unsigned)TL_INDEX_NAMESPACE, stop_at_first, &known, NULL);
	return known;
}

/* Is a symbol one of those that gdb takes for functions, or for variables? */
static bool is_wanted(const struct search *search, const struct tl_elf_name *symbol)
{
	struct tl_elf_section section;
	bool code = symbol->origin == TL_ELF_PLT;

	if (!code) {
		if (symbol->section == SHN_ABS || symbol->section == SHN_UNDEF ||
		    tl_image_section_name(search->module->binary->image, symbol->section, &section) == NULL ||
		    (section.flags & SHF_ALLOC) == 0)
			return false;
		code = (section.flags & SHF_EXECINSTR) != 0;
	}
	/* Labels that the compiler made. */
	if (code && symbol->binding == STB_LOCAL && symbol->name[0] == '.' && symbol->name[1] == 'L')
		return false;
	return code == (search->query->kind == TL_LIST_FUNCTIONS);
}

static bool add_symbol(struct search *search, const struct tl_elf_name *symbol)
{
	struct tl_symbol_list *list = search->list;
	const char *name = symbol->name;
	void *items = list->symbols;

	tl_output_reset(&search->text);
	if (tl_symbol_write_name(name, &search->text))
		name = tl_arena_copy(&list->texts, tl_output_string(&search->text), search->text.size);
	if (name == NULL ||
	    !tl_grow(tl_storage(), &items, &list->symbol_capacity, list->symbol_count, sizeof(*list->symbols))) {
		search->status = no_memory(search->error);
		return false;
	}
	list->symbols = items;
	if (matches(&search->names, name))
		list->symbols[list->symbol_count++] =
			(struct tl_listed_symbol){symbol->address + search->module->bias, name, symbol->name};
	return true;
}

/* By address, then by the linker's name. */
static int by_address(const void *a, const void *b)
{
	const struct tl_listed_symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return strcmp(x->linked, y->linked);
}

static void look_at_symbols(struct search *search)
{
	const struct tl_binary *binary = search->module->binary;
	struct tl_symbol_list *list = search->list;
	tl_size first = list->symbol_count;

	for (tl_size i = 0; i < tl_elf_symbols_count(binary->symbols) && go_on(search); i++) {
		struct tl_elf_name symbol = tl_elf_symbols_get(binary->symbols, i);

		if (!is_wanted(search, &symbol) || (search->query->kind == TL_LIST_FUNCTIONS && binary->index != NULL &&
						    tl_index_unit(binary->index, symbol.address) != NULL))
			continue;
		/* The cheaper question first: most names do not match. */
		if ((!search->names.any && !tl_demangle_is_mangled(symbol.name) &&
		     !matches(&search->names, symbol.name)) ||
		    is_known(search, symbol.name))
			continue;
		if (!add_symbol(search, &symbol))
			break;
	}
	if (list->symbol_count - first > 1)
		qsort(list->symbols + first, list->symbol_count - first, sizeof(*list->symbols), by_address);
}

/* ============================================================ the whole ========================================== */

static const unsigned index_kinds[] = {
	[TL_LIST_FUNCTIONS] = TL_INDEX_FUNCTION,
	[TL_LIST_VARIABLES] = TL_INDEX_VARIABLE,
	[TL_LIST_TYPES] = TL_INDEX_TYPE | TL_INDEX_NAMESPACE, /* as gdb has it */
};

static bool any_base_type(const struct tl_symbol_list *list, tl_size first)
{
	for (; first < list->count; first++)
		if (is_number(list->entries[first].entry.tag))
			return true;
	return false;
}

static enum tl_status search_module(struct search *search)
{
	const struct tl_binary *binary = search->module->binary;
	tl_size first = search->list->count;

	search->last = NULL;
	if (binary->index != NULL) {
		tl_index_each(binary->index, index_kinds[search->query->kind], look_at, search);
		if (search->status == TL_OK && search->query->kind == TL_LIST_TYPES &&
		    any_base_type(search->list, first))
			(void)add_base_types(search);
		if (search->status == TL_OK)
			complete_entries(search, first);
	}
	if (search->status == TL_OK && search->query->kind != TL_LIST_TYPES && !search->query->debug_only &&
	    search->query->type_pattern == NULL && binary->symbols != NULL)
		look_at_symbols(search);
	return search->status;
}

static enum tl_status search_all(struct search *search)
{
	static const struct tl_patience none = {0};
	const struct tl_patience *patience = search->patience != NULL ? search->patience : &none;
	enum tl_status status = TL_OK;

	/* They are made at the same time. */
	for (tl_size i = 0; (search->module = tl_modules_get(search->modules, i)) != NULL; i++)
		tl_binary_want(search->module->binary);
	for (tl_size i = 0; (search->module = tl_modules_get(search->modules, i)) != NULL && status == TL_OK; i++) {
		status = tl_binary_wait(search->module->binary, patience->waiting, patience->context, search->error);
		if (status == TL_ERROR_CANCELLED)
			break;
		status = search_module(search);
	}
	if (status == TL_OK)
		sort_entries(search->list);
	if (status == TL_OK && search->query->type_pattern != NULL) {
		filter_types(search);
		status = search->status;
	}
	return status;
}

enum tl_status tl_symbol_list_make(const struct tl_modules *modules, const struct tl_list_query *query,
				   const struct tl_patience *patience, struct tl_symbol_list *list_ret,
				   struct tl_error *error)
{
	struct search search = {.modules = modules,
				.query = query,
				.patience = patience,
				.list = list_ret,
				.text = tl_output_make(TL_OUTPUT_MAX),
				.error = error};
	enum tl_status status;

	*list_ret = (struct tl_symbol_list){0};
	status = compile(&search.names, query->pattern, error);
	if (status != TL_OK)
		search.types.any = true;
	else
		status = compile(&search.types, query->type_pattern, error);
	if (status == TL_OK)
		status = search_all(&search);
	release(&search.names);
	release(&search.types);
	tl_output_release(&search.text);
	return status;
}

void tl_symbol_list_release(struct tl_symbol_list *list)
{
	tl_release(tl_storage(), list->entries, list->capacity * sizeof(*list->entries));
	tl_release(tl_storage(), list->symbols, list->symbol_capacity * sizeof(*list->symbols));
	tl_arena_clear(&list->texts);
	*list = (struct tl_symbol_list){0};
}

/* ============================================================ declarations ======================================= */

/* Names of names of types: one that leads back to itself has no end. */
#define TYPEDEFS_MAX 64

/* "typedef struct list list_t;": what it stands for, through other typedefs. */
static enum tl_status write_typedef(const struct tl_listed *listed, const struct tl_type *type,
				    struct tl_output *output, struct tl_error *error)
{
	for (int depth = 0; type->kind == TL_TYPE_TYPEDEF && depth < TYPEDEFS_MAX; depth++)
		TL_TRY(tl_type_target(type, &type, error));
	tl_output_text(output, "typedef ");
	TL_TRY(tl_type_write_name(type, output, error));
	tl_output_format(output, " %s;", listed->name);
	return TL_OK;
}

static enum tl_status write_type(const struct tl_listed *listed, struct tl_output *output, struct tl_error *error)
{
	const struct tl_type *type;

	if (listed->entry.tag == DW_TAG_namespace) {
		tl_output_text(output, listed->name);
		return TL_OK;
	}
	TL_TRY(tl_type_at(listed->module->binary->types, &listed->entry, &type, error));
	if (type->kind == TL_TYPE_TYPEDEF)
		return write_typedef(listed, type, output, error);
	TL_TRY(tl_type_write_name(type, output, error));
	if (!is_number(listed->entry.tag))
		tl_output_text(output, ";");
	return TL_OK;
}

enum tl_status tl_listed_write(const struct tl_listed *listed, enum tl_list_kind kind, struct tl_output *output,
			       struct tl_error *error)
{
	struct tl_types *types = listed->module->binary->types;
	const struct tl_type *type;

	if (kind == TL_LIST_TYPES) {
		TL_TRY(write_type(listed, output, error));
		return tl_output_status(output, error);
	}
	if (listed->is_static)
		tl_output_text(output, "static ");
	/* Assemblers know of functions that they are, and nothing else. */
	if (kind == TL_LIST_FUNCTIONS && listed->entry.unit->language == DW_LANG_Mips_Assembler) {
		tl_output_format(output, "void %s(void);", listed->name);
		return tl_output_status(output, error);
	}
	if (kind == TL_LIST_VARIABLES) {
		TL_TRY(tl_type_of(types, &listed->entry, &type, error));
	} else {
		TL_TRY(tl_type_at(types, &listed->entry, &type, error));
		/* The parameters are in the name already. */
		if (strchr(listed->name, '(') != NULL)
			TL_TRY(tl_type_target(type, &type, error));
	}
	TL_TRY(tl_type_write_declaration(type, listed->name, output, error));
	tl_output_text(output, ";");
	return tl_output_status(output, error);
}
