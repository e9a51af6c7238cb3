#include "debugger/modules/linespec_functions.h"

#include "base/storage.h"
#include "core/cursor.h"
#include "debugger/modules/function_name.h"
#include "debugger/modules/linespec_names.h"
#include "symbols/demangle.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Entries nest no deeper than this, or they are damaged. */
#define DEPTH_MAX 256
/* How often patience is asked while units are searched: every so many nanoseconds. */
#define PATIENCE_TIME 50000000

/* ---- What is collected ---- */

void tl_functions_release(struct tl_functions_found *found)
{
	tl_release(tl_storage(), found->items, found->capacity * sizeof(*found->items));
	*found = (struct tl_functions_found){0};
}

static enum tl_status add_function(struct tl_functions_found *found, const struct tl_function_found *function,
				   struct tl_error *error)
{
	void *items = found->items;

	if (!tl_grow(tl_storage(), &items, &found->capacity, found->count, sizeof(*found->items)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for what was found.");
	found->items = items;
	found->items[found->count++] = *function;
	return TL_OK;
}

/* An entry of the index, kept until the modules were all asked. */
struct candidate {
	const struct tl_module *module;
	const struct tl_unit *unit;
	tl_u64 offset;
	unsigned flags;
};

struct search {
	const struct tl_function_query *query;
	struct tl_functions_found *found;
	struct tl_sought_name name;
	struct candidate *candidates;
	tl_size count, capacity;
	bool no_memory;
	/* The unit that was asked last whether it names the file. */
	const struct tl_unit *unit;
	bool unit_has_file;
	struct timespec asked; /* when patience was asked last */
};

/* The same of an entry, with the types as the linker knows them, or as the source has them. */
static bool parameters_match(const struct search *search, const struct candidate *candidate,
			     const struct tl_entry *entry)
{
	struct tl_output name = tl_output_make(TL_OUTPUT_MAX);
	struct tl_types *types = candidate->module->binary->types;
	bool match;

	if (search->name.parameters.size == 0)
		return true;
	match = tl_function_write_name(types, entry, &name, NULL) == TL_OK &&
		tl_sought_parameters_match(&search->name, tl_output_string(&name));
	tl_output_reset(&name);
	match = match || (tl_function_write_declared(types, entry, &name, NULL) == TL_OK &&
			  tl_sought_parameters_match(&search->name, tl_output_string(&name)));
	tl_output_release(&name);
	return match;
}

/* ---- Debug information ---- */

static bool collect(void *context, const struct tl_named *named)
{
	struct search *search = context;
	void *candidates = search->candidates;

	if (!tl_grow(tl_storage(), &candidates, &search->capacity, search->count, sizeof(*search->candidates))) {
		search->no_memory = true;
		return false;
	}
	search->candidates = candidates;
	search->candidates[search->count++] =
		(struct candidate){named->module, named->indexed->unit, named->indexed->offset, named->indexed->flags};
	return true;
}

/* Does the unit of a candidate name the file that was asked for? */
static bool in_file(struct search *search, const struct candidate *candidate)
{
	struct tl_line_query query;
	const struct tl_line_table *table;

	if (search->query->file == NULL)
		return true;
	if (search->unit != candidate->unit) {
		query = tl_line_query_begin(search->query->file, 1);
		search->unit = candidate->unit;
		search->unit_has_file =
			tl_lines_of(candidate->module->binary->lines, candidate->unit, &table, NULL) == TL_OK &&
			tl_line_query_concerns(&query, table);
	}
	return search->unit_has_file;
}

bool tl_entry_number(const struct tl_entry *entry, tl_u16 name, tl_u64 *number_ret, const struct tl_unit **unit_ret)
{
	struct tl_attribute attribute;

	if (tl_entry_inherited(entry, name, &attribute, NULL) != TL_OK ||
	    (attribute.kind != TL_CLASS_UNSIGNED && attribute.kind != TL_CLASS_SIGNED))
		return false;
	*number_ret = attribute.number;
	*unit_ret = attribute.unit;
	return true;
}

static enum tl_status add_entry(struct search *search, const struct tl_module *module, const struct tl_entry *entry,
				struct tl_error *error)
{
	struct tl_function_found function = {.module = module, .has_entry = true, .entry = *entry};
	tl_u64 start;

	if (tl_entry_start(entry, &start))
		function.start = start + module->bias;
	else if (!search->query->declarations)
		return TL_OK;
	function.inlined = entry->tag == DW_TAG_inlined_subroutine;
	return add_function(search->found, &function, error);
}

/* ---- Inlined copies ---- */

/* What was inlined, of one module: the entries that copies name as their origin, by offset. */
struct origins {
	const struct tl_module *module;
	tl_u64 *offsets;
	tl_size count;
	bool common; /* those of the file that dwz made */
};

static int by_offset(const void *a, const void *b)
{
	const tl_u64 *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

static enum tl_status ask_patience(struct search *search, struct tl_error *error)
{
	const struct tl_patience *patience = search->query->patience;
	struct timespec now;

	if (patience == NULL || patience->waiting == NULL || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return TL_OK;
	if ((now.tv_sec - search->asked.tv_sec) * 1000000000L + now.tv_nsec - search->asked.tv_nsec < PATIENCE_TIME)
		return TL_OK;
	search->asked = now;
	return patience->waiting(patience->context) ? TL_OK : TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
}

/* Can code of inlined functions stand somewhere below such an entry? */
static bool may_hold_copies(tl_u16 tag)
{
	switch (tag) {
	case DW_TAG_compile_unit:
	case DW_TAG_partial_unit:
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return true;
	default:
		return false;
	}
}

/* Looks through a unit for copies. Where it is damaged the rest of it is passed by. */
static enum tl_status search_unit(struct search *search, const struct origins *origins, const struct tl_unit *unit,
				  struct tl_error *error)
{
	struct tl_attribute origin;
	struct tl_entry entry;
	bool done = false;

	if (tl_entry_top(unit, &entry, NULL) != TL_OK)
		return TL_OK;
	while (!done) {
		enum tl_status status = TL_OK;

		if (entry.tag == DW_TAG_inlined_subroutine) {
			status = tl_entry_attribute(&entry, DW_AT_abstract_origin, &origin, NULL);
			if (status == TL_OK && origin.kind == TL_CLASS_REFERENCE &&
			    (origin.common || unit->common) == origins->common &&
			    bsearch(&origin.number, origins->offsets, origins->count, sizeof(*origins->offsets),
				    by_offset) != NULL)
				TL_TRY(add_entry(search, origins->module, &entry, error));
		}
		if (status == TL_OK && (entry.tag == 0 || !entry.has_children || may_hold_copies(entry.tag)))
			status = tl_entry_next(&entry, &entry, &done, NULL);
		else if (status == TL_OK)
			status = tl_entry_sibling(&entry, &entry, NULL);
		if (status != TL_OK)
			return status == TL_ERROR_NO_MEMORY ? status : TL_OK;
	}
	return TL_OK;
}

/*
 * Copies stand in the unit of what was inlined, unless all of the program was compiled again when it was linked: then
 * units that hold what was inlined have no code, and the copies are in others.
 */
static bool has_code(const struct tl_unit *unit)
{
	struct tl_entry top;
	tl_u64 start;

	return tl_entry_top(unit, &top, NULL) == TL_OK && tl_entry_start(&top, &start);
}

/* Searches the units of the candidates [first, last), which are all of one module and in the order of units. */
static enum tl_status search_units(struct search *search, const struct origins *origins, tl_size first, tl_size last,
				   struct tl_error *error)
{
	const struct tl_dwarf *dwarf = origins->module->binary->dwarf;
	const struct tl_unit *before = NULL;
	bool everywhere = false;

	for (tl_size i = first; i < last && !everywhere; i++)
		everywhere = search->candidates[i].unit != before && !has_code(search->candidates[i].unit);
	if (everywhere) {
		for (tl_size i = 0; i < tl_dwarf_unit_count(dwarf); i++) {
			TL_TRY(ask_patience(search, error));
			TL_TRY(search_unit(search, origins, tl_dwarf_unit(dwarf, i), error));
		}
		return TL_OK;
	}
	for (tl_size i = first; i < last; i++) {
		if (search->candidates[i].unit == before)
			continue;
		before = search->candidates[i].unit;
		TL_TRY(ask_patience(search, error));
		TL_TRY(search_unit(search, origins, before, error));
	}
	return TL_OK;
}

static int by_unit(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	if (left->module != right->module)
		return left->module < right->module ? -1 : 1;
	if (left->unit->common != right->unit->common)
		return left->unit->common ? 1 : -1;
	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* Of the candidates of one module, [first, last), of the file itself or of the one that dwz made. */
static enum tl_status search_copies(struct search *search, tl_size first, tl_size last, struct tl_error *error)
{
	struct origins origins = {.module = search->candidates[first].module,
				  .common = search->candidates[first].unit->common};
	enum tl_status status;

	origins.offsets = tl_allocate(tl_storage(), (last - first) * sizeof(*origins.offsets));
	if (origins.offsets == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for inlined functions.");
	for (tl_size i = first; i < last; i++)
		origins.offsets[origins.count++] = search->candidates[i].offset;
	status = search_units(search, &origins, first, last, error);
	tl_release(tl_storage(), origins.offsets, (last - first) * sizeof(*origins.offsets));
	return status;
}

/* Takes those candidates that fit, and leaves those behind that may have been inlined. */
static enum tl_status take_candidates(struct search *search, struct tl_error *error)
{
	tl_size kept = 0;

	for (tl_size i = 0; i < search->count; i++) {
		struct candidate *candidate = &search->candidates[i];
		struct tl_entry entry;

		if (tl_entry_at(candidate->unit, candidate->offset, &entry, NULL) != TL_OK ||
		    !in_file(search, candidate) || !parameters_match(search, candidate, &entry))
			continue;
		TL_TRY(add_entry(search, candidate->module, &entry, error));
		/* What has no code is the origin of copies; compilers do not say so of all. */
		if ((candidate->flags & TL_INDEX_HAS_CODE) == 0 || (candidate->flags & TL_INDEX_INLINE) != 0)
			search->candidates[kept++] = *candidate;
	}
	search->count = kept;
	return TL_OK;
}

/* Of candidates that were found by less than was given, keeps those that have all of it. */
static enum tl_status keep_named(struct search *search, struct tl_error *error)
{
	struct tl_output name = tl_output_make(TL_OUTPUT_MAX);
	tl_size kept = 0;
	enum tl_status status = TL_OK;

	for (tl_size i = 0; i < search->count && status == TL_OK; i++) {
		const struct candidate *candidate = &search->candidates[i];
		struct tl_types *types = candidate->module->binary->types;
		struct tl_entry entry;
		bool keep = false;

		if (tl_entry_at(candidate->unit, candidate->offset, &entry, NULL) == TL_OK) {
			tl_output_reset(&name);
			keep = tl_scope_write_name(types, &entry, false, &name, NULL) == TL_OK &&
			       tl_sought_name_matches(&search->name, tl_output_string(&name));
			tl_output_reset(&name);
			keep = keep || (tl_function_write_name(types, &entry, &name, NULL) == TL_OK &&
					tl_sought_name_matches(&search->name, tl_output_string(&name)));
		}
		if (keep)
			search->candidates[kept++] = *candidate;
		status = ask_patience(search, error);
	}
	search->count = kept;
	tl_output_release(&name);
	return status;
}

static enum tl_status find_named(struct search *search, const char *name, struct tl_error *error)
{
	const struct tl_function_query *query = search->query;

	TL_TRY(tl_modules_find(query->modules, query->near, name, TL_INDEX_FUNCTION, query->patience, collect, search,
			       error));
	return search->no_memory ? TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for what was found.") : TL_OK;
}

/*
 * Asks the index. It knows template arguments as one compiler writes them, so that those are compared afterwards. It
 * does not know all scopes (those of clang's type units say nothing of their names), and "::f" may be what a
 * using-declaration means: then the last part is looked for, and the scopes as they are written are compared.
 */
static enum tl_status find_candidates(struct search *search, struct tl_error *error)
{
	const char *name = tl_output_string(&search->name.indexed), *last = tl_name_last_part(name);

	TL_TRY(find_named(search, name, error));
	if (search->name.indexed.size != search->name.base.size)
		TL_TRY(keep_named(search, error));
	if (search->count != 0 || search->query->qualified)
		return TL_OK;
	if (search->name.whole)
		return find_named(search, name + 2, error);
	if (last == name)
		return TL_OK;
	TL_TRY(find_named(search, last, error));
	return keep_named(search, error);
}

static enum tl_status find_entries(struct search *search, struct tl_error *error)
{
	TL_TRY(find_candidates(search, error));
	TL_TRY(take_candidates(search, error));
	if (search->count == 0)
		return TL_OK;
	qsort(search->candidates, search->count, sizeof(*search->candidates), by_unit);
	for (tl_size first = 0, last = 0; first < search->count; first = last) {
		while (last < search->count && search->candidates[last].module == search->candidates[first].module &&
		       search->candidates[last].unit->common == search->candidates[first].unit->common)
			last++;
		TL_TRY(search_copies(search, first, last, error));
	}
	return TL_OK;
}

/* ---- Symbols of ELF ---- */

struct symbols {
	struct search *search;
	const struct tl_module *module;
	bool stubs;    /* those of the linkage table are sought */
	bool exported; /* one was found that others can call */
	enum tl_status status;
	struct tl_error *error;
};

static bool is_code(const struct tl_module *module, const struct tl_elf_name *symbol)
{
	tl_u64 start, end;

	tl_image_code_extent(module->binary->image, &start, &end);
	return (symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC || symbol->type == STT_NOTYPE) &&
	       symbol->section != SHN_ABS && symbol->address >= start && symbol->address < end;
}

static bool take_symbol(void *context, const struct tl_elf_name *symbol)
{
	struct symbols *symbols = context;
	struct tl_functions_found *found = symbols->search->found;
	struct tl_function_found function = {.module = symbols->module,
					     .start = symbol->address + symbols->module->bias,
					     .resolver = symbol->type == STT_GNU_IFUNC,
					     .symbol = symbol->name};

	if (!is_code(symbols->module, symbol) || (symbol->origin == TL_ELF_PLT) != symbols->stubs)
		return true;
	symbols->exported = symbols->exported || symbol->binding != STB_LOCAL;
	/* What debug information knows has its name from there; that it is a resolver only the symbol says. */
	for (tl_size i = 0; i < found->count; i++) {
		if (found->items[i].module != symbols->module || found->items[i].start != function.start ||
		    found->items[i].inlined)
			continue;
		found->items[i].resolver = found->items[i].resolver || function.resolver;
		return true;
	}
	symbols->status = add_function(found, &function, symbols->error);
	return symbols->status == TL_OK;
}

static enum tl_status each_module(struct symbols *symbols, const char *name, struct tl_error *error)
{
	const struct tl_modules *modules = symbols->search->query->modules;

	symbols->error = error;
	for (tl_size i = 0; (symbols->module = tl_modules_get(modules, i)) != NULL; i++) {
		/* A damaged table of symbols is as none. */
		if (symbols->module->binary->symbols == NULL ||
		    tl_elf_symbols_find(symbols->module->binary->symbols, name, take_symbol, symbols, NULL) ==
			    TL_ERROR_NO_MEMORY)
			symbols->status =
				symbols->module->binary->symbols == NULL ? symbols->status : TL_ERROR_NO_MEMORY;
		TL_TRY(symbols->status);
	}
	return TL_OK;
}

/* Is a mangled symbol what is sought? Most are told by the last part of the name, which stands in them as it is. */
static bool is_sought(const struct search *search, const char *part, const struct tl_elf_name *symbol,
		      struct tl_output *text)
{
	/* Parts of functions, which gcc puts elsewhere, have a dot in their names. */
	if (!tl_demangle_is_mangled(symbol->name) || strstr(symbol->name, part) == NULL ||
	    strchr(symbol->name, '.') != NULL)
		return false;
	tl_output_reset(text);
	return tl_symbol_write_name(symbol->name, text) &&
	       tl_sought_name_matches(&search->name, tl_output_string(text)) &&
	       tl_sought_parameters_match(&search->name, tl_output_string(text));
}

/* Symbols of C++, by their names demangled. */
static enum tl_status find_mangled(struct search *search, struct tl_error *error)
{
	struct symbols symbols = {.search = search, .error = error};
	struct tl_output text = tl_output_make(TL_DEMANGLE_TEXT_MAX), part = tl_output_make(TL_OUTPUT_MAX);
	const char *last = tl_name_last_part(tl_output_string(&search->name.indexed));
	bool destructor = last[0] == '~', operator_name = strncmp(last, "operator", 8) == 0;

	/* An operator has two letters in mangled names, which tell too little: all are looked at. */
	tl_output_text(&part, operator_name ? "" : last + destructor);
	for (tl_size i = 0; (symbols.module = tl_modules_get(search->query->modules, i)) != NULL; i++) {
		const struct tl_elf_symbols *all = symbols.module->binary->symbols;
		tl_size count = all != NULL && (part.size != 0 || operator_name) ? tl_elf_symbols_count(all) : 0;

		for (tl_size j = 0; j < count && symbols.status == TL_OK; j++) {
			struct tl_elf_name symbol = tl_elf_symbols_get(all, j);

			if (is_sought(search, tl_output_string(&part), &symbol, &text))
				(void)take_symbol(&symbols, &symbol);
		}
	}
	tl_output_release(&text);
	tl_output_release(&part);
	return symbols.status;
}

static enum tl_status find_symbols(struct search *search, struct tl_error *error)
{
	const struct tl_word *word = &search->query->name;
	struct tl_output name = tl_output_make(TL_OUTPUT_MAX);
	struct symbols symbols = {.search = search};
	enum tl_status status;

	tl_output_bytes(&name, word->text, word->size);
	status = tl_output_status(&name, error);
	if (status == TL_OK)
		status = each_module(&symbols, tl_output_string(&name), error);
	/* A stub counts only where what it leads to is not there: before the library is. */
	if (status == TL_OK && !symbols.exported) {
		symbols.stubs = true;
		if (word->size < 4 || memcmp(word->text + word->size - 4, "@plt", 4) != 0)
			tl_output_text(&name, "@plt");
		status = tl_output_status(&name, error);
		if (status == TL_OK)
			status = each_module(&symbols, tl_output_string(&name), error);
	}
	tl_output_release(&name);
	return status;
}

/* ---- All of it ---- */

static enum tl_status find(struct search *search, struct tl_error *error)
{
	TL_TRY(find_entries(search, error));
	/* Symbols know of no files. */
	if (search->query->file != NULL)
		return TL_OK;
	TL_TRY(find_symbols(search, error));
	return find_mangled(search, error);
}

enum tl_status tl_functions_find(const struct tl_function_query *query, struct tl_functions_found *found,
				 struct tl_error *error)
{
	struct search search = {.query = query, .found = found};
	enum tl_status status = tl_sought_name_cut(&search.name, &query->name, query->qualified, error);

	(void)clock_gettime(CLOCK_MONOTONIC, &search.asked);
	if (status == TL_OK)
		status = find(&search, error);
	tl_release(tl_storage(), search.candidates, search.capacity * sizeof(*search.candidates));
	tl_sought_name_release(&search.name);
	return status;
}

/* ---- Labels ---- */

static bool is_named(const struct tl_entry *entry, const struct tl_word *name)
{
	struct tl_attribute attribute;

	return tl_entry_inherited(entry, DW_AT_name, &attribute, NULL) == TL_OK && attribute.kind == TL_CLASS_STRING &&
	       strlen(attribute.text) == name->size && memcmp(attribute.text, name->text, name->size) == 0;
}

static bool label_in(const struct tl_entry *parent, const struct tl_word *name, unsigned depth, tl_u64 *address_ret,
		     tl_u64 *line_ret)
{
	const struct tl_unit *unit;
	struct tl_attribute address;
	struct tl_entry child;

	if (depth == DEPTH_MAX || tl_entry_child(parent, &child, NULL) != TL_OK)
		return false;
	while (child.tag != 0) {
		if (child.tag == DW_TAG_label && is_named(&child, name) &&
		    tl_entry_attribute(&child, DW_AT_low_pc, &address, NULL) == TL_OK &&
		    address.kind == TL_CLASS_ADDRESS) {
			*address_ret = address.number;
			if (!tl_entry_number(&child, DW_AT_decl_line, line_ret, &unit))
				*line_ret = 0;
			return true;
		}
		if (child.tag == DW_TAG_lexical_block && label_in(&child, name, depth + 1, address_ret, line_ret))
			return true;
		if (tl_entry_sibling(&child, &child, NULL) != TL_OK)
			return false;
	}
	return false;
}

bool tl_function_label(const struct tl_entry *function, const struct tl_word *name, tl_u64 *address_ret,
		       tl_u64 *line_ret)
{
	struct tl_attribute origin;
	struct tl_entry abstract;

	if (label_in(function, name, 0, address_ret, line_ret))
		return true;
	/* gcc leaves the labels of a function that was inlined as well where what all its copies share is. */
	return function->tag == DW_TAG_subprogram &&
	       tl_entry_attribute(function, DW_AT_abstract_origin, &origin, NULL) == TL_OK &&
	       origin.kind == TL_CLASS_REFERENCE && tl_entry_follow(&origin, &abstract, NULL) == TL_OK &&
	       label_in(&abstract, name, 0, address_ret, line_ret);
}
