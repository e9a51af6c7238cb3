#include "debugger/modules/places_internal.h"

#include "base/storage.h"
#include "symbols/demangle.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

/* So much is kept of places that nobody holds any more. */
#define KEPT_MAX ((tl_size)16 << 20)
#define PATH_LENGTH_MAX 4096

/* One that was looked up. What is known of the call before it is found at need. */
struct known_place {
	struct known_place *next; /* in its bucket */
	struct tl_spot *place;
};

/* Chains of tail calls that were looked for, by the call and the function that it led to. */
struct known_calls {
	struct known_calls *next;
	tl_u64 return_address, function;
	const struct tl_tail_calls *calls;
};

#define BUCKETS 1024

struct tl_places {
	struct tl_modules *modules;
	struct tl_arena arena;
	struct tl_output text;
	struct tl_scope_chain chain; /* to be used again and again */
	tl_u64 generation;
	unsigned held;
	struct known_place *places[BUCKETS];
	struct known_calls *calls[BUCKETS];
	struct tl_call_origins origins;
};

enum tl_status tl_places_open(struct tl_places **places_ret, struct tl_modules *modules, struct tl_error *error)
{
	struct tl_places *places = tl_allocate(tl_storage(), sizeof(*places));

	if (places == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for places in the code");
	places->modules = modules;
	places->text = tl_output_make(TL_OUTPUT_MAX);
	places->generation = tl_modules_generation(modules);
	places->origins.arena = &places->arena;
	*places_ret = places;
	return TL_OK;
}

static void forget(struct tl_places *places)
{
	memset(places->places, 0, sizeof(places->places));
	memset(places->calls, 0, sizeof(places->calls));
	places->origins = (struct tl_call_origins){.arena = &places->arena};
	tl_arena_clear(&places->arena);
}

void tl_places_close(struct tl_places *places)
{
	if (places == NULL)
		return;
	forget(places);
	tl_output_release(&places->text);
	tl_scope_chain_release(&places->chain);
	tl_release(tl_storage(), places, sizeof(*places));
}

struct tl_modules *tl_places_modules(const struct tl_places *places)
{
	return places->modules;
}

void tl_places_hold(struct tl_places *places)
{
	if (places->held++ != 0)
		return;
	if (places->generation != tl_modules_generation(places->modules) || places->arena.total > KEPT_MAX)
		forget(places);
	places->generation = tl_modules_generation(places->modules);
}

void tl_places_let_go(struct tl_places *places)
{
	places->held--;
}

struct tl_call_origins *tl_places_origins(struct tl_places *places)
{
	return &places->origins;
}

void *tl_places_allocate(struct tl_places *places, tl_size size, struct tl_error *error)
{
	void *storage = tl_arena_allocate(&places->arena, size);

	if (storage == NULL)
		(void)TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for places in the code");
	return storage;
}

static enum tl_status keep_text(struct tl_places *places, const char *text, const char **text_ret,
				struct tl_error *error)
{
	*text_ret = tl_arena_copy(&places->arena, text, strlen(text));
	if (*text_ret == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for places in the code");
	return TL_OK;
}

static enum tl_status keep_path(struct tl_places *places, const struct tl_line_table *table, tl_u64 number, bool whole,
				const char **path_ret, struct tl_error *error)
{
	char path[PATH_LENGTH_MAX];
	const tl_size length = whole ? tl_line_table_path(table, number, true, path, sizeof(path))
				     : tl_line_table_shown_path(table, number, path, sizeof(path));

	if (length == 0 || length >= sizeof(path))
		return TL_OK;
	return keep_text(places, path, path_ret, error);
}

static enum tl_status set_line(struct tl_places *places, struct tl_spot_function *function,
			       const struct tl_line_table *table, tl_u64 file, tl_u64 line, struct tl_error *error)
{
	TL_TRY(keep_path(places, table, file, true, &function->file, error));
	TL_TRY(keep_path(places, table, file, false, &function->file_name, error));
	function->line = function->file != NULL && line <= TL_U32_MAX ? (tl_u32)line : 0;
	return TL_OK;
}

/* The line of the code itself, for the innermost function. */
static enum tl_status find_line(struct tl_places *places, struct tl_spot *place, struct tl_error *error)
{
	struct tl_spot_function *function = &place->functions[0];
	const struct tl_line_row *row;
	struct tl_code_line line;

	if (!tl_modules_line(places->modules, place->address, &line))
		return TL_OK;
	/* Code of no line is shown, as by gdb, with the line before it. */
	for (row = line.row; row->line == 0; row--)
		if (row == line.table->rows || (row[-1].flags & TL_LINE_END) != 0)
			return TL_OK;
	if (row != line.row)
		row = tl_line_table_find(line.table, row->address);
	TL_TRY(set_line(places, function, line.table, row->file, row->line, error));
	row = tl_line_row_kept(line.table, row);
	if ((row->flags & TL_LINE_STATEMENT) != 0)
		function->line_start = row->address + place->module->bias;
	return TL_OK;
}

/* The line of a call that was replaced by the function `inner`. */
static enum tl_status find_call_line(struct tl_places *places, struct tl_spot *place, struct tl_spot_function *function,
				     const struct tl_scope *inner, struct tl_error *error)
{
	const struct tl_line_table *table;

	if (inner->call_line == 0 ||
	    tl_lines_of(place->module->binary->lines, inner->entry.unit, &table, NULL) != TL_OK)
		return TL_OK;
	return set_line(places, function, table, inner->call_file, inner->call_line, error);
}

tl_u64 tl_places_start(const struct tl_module *module, const struct tl_entry *entry)
{
	tl_u64 start;

	return tl_entry_start(entry, &start) && start != 0 ? start + module->bias : 0;
}

/* What `name` is in C++, without what belongs to the type of a function, or with all of it; NULL: it is none of C++. */
static enum tl_status keep_demangled(struct tl_places *places, const char *name, enum tl_demangle_form form,
				     const char **text_ret, struct tl_error *error)
{
	*text_ret = NULL;
	tl_output_reset(&places->text);
	if (!tl_demangle_is_mangled(name) || tl_demangle(name, form, &places->text, NULL) != TL_OK)
		return TL_OK;
	return keep_text(places, tl_output_string(&places->text), text_ret, error);
}

/*
 * The name that gdb has from what the linker calls a function: C's as it is ("__GI_raise"), which tells apart what is
 * one function in the source, C++'s demangled, which has template arguments that the source's name leaves out. NULL:
 * the linker has no other name than the source.
 */
static enum tl_status name_by_linkage(struct tl_places *places, const struct tl_entry *function, const char **name_ret,
				      struct tl_error *error)
{
	struct tl_attribute linkage;

	*name_ret = NULL;
	if (tl_entry_inherited(function, DW_AT_linkage_name, &linkage, NULL) != TL_OK ||
	    linkage.kind != TL_CLASS_STRING)
		return TL_OK;
	if (!tl_tree_has_scopes(function->unit)) {
		*name_ret = linkage.text;
		return TL_OK;
	}
	if (function->unit->language == DW_LANG_Rust)
		return TL_OK;
	return keep_demangled(places, linkage.text, TL_DEMANGLE_NAME, name_ret, error);
}

/* The function whose scopes end with `last`. */
static enum tl_status describe(struct tl_places *places, struct tl_spot *place, struct tl_spot_function *function,
			       tl_size first, tl_size last, struct tl_error *error)
{
	const struct tl_scope *scope = &place->chain.scopes[last];

	*function = (struct tl_spot_function){.has_scopes = true, .first = first, .last = last};
	function->start = tl_places_start(place->module, &scope->entry);
	if (function->start == 0)
		function->start = scope->start + place->module->bias;
	TL_TRY(name_by_linkage(places, &scope->entry, &function->name, error));
	if (function->name != NULL)
		return TL_OK;
	tl_output_reset(&places->text);
	if (tl_scope_write_name(place->module->binary->types, &scope->entry, false, &places->text, NULL) == TL_OK &&
	    places->text.size != 0)
		return keep_text(places, tl_output_string(&places->text), &function->name, error);
	function->name = scope->name;
	return TL_OK;
}

static bool ends_function(const struct tl_scope *scope)
{
	return scope->kind == TL_SCOPE_FUNCTION || scope->kind == TL_SCOPE_INLINED;
}

static enum tl_status describe_functions(struct tl_places *places, struct tl_spot *place, struct tl_error *error)
{
	tl_size first = 0, count = 0;

	for (tl_size i = 0; i < place->chain.count; i++) {
		if (!ends_function(&place->chain.scopes[i]))
			continue;
		TL_TRY(describe(places, place, &place->functions[count++], first, i, error));
		first = i + 1;
	}
	TL_TRY(find_line(places, place, error));
	for (tl_size i = 1; i < count; i++)
		TL_TRY(find_call_line(places, place, &place->functions[i],
				      &place->chain.scopes[place->functions[i - 1].last], error));
	return TL_OK;
}

/* Where debug information knows no function, a symbol may. */
static enum tl_status describe_symbol(struct tl_places *places, struct tl_spot *place, struct tl_error *error)
{
	struct tl_spot_function *function = &place->functions[0];
	struct tl_elf_name symbol;
	tl_u64 address;

	if (tl_modules_symbol(places->modules, place->address, &symbol, &address)) {
		function->start = address;
		TL_TRY(keep_demangled(places, symbol.name, TL_DEMANGLE_WHOLE, &function->name, error));
		if (function->name == NULL)
			function->name = symbol.name;
	}
	return find_line(places, place, error);
}

/* The scopes at the address, in places->chain; none where they end without a function, which nothing should do. */
static tl_u32 find_scopes(struct tl_places *places, const struct tl_module *module, tl_u64 address)
{
	struct tl_scope_chain *chain = &places->chain;
	tl_u32 functions = 0;

	chain->count = 0;
	if (module == NULL || tl_scopes_at(module->binary->scopes, address - module->bias, chain, NULL) != TL_OK)
		chain->count = 0;
	for (tl_size i = 0; i < chain->count; i++)
		functions += ends_function(&chain->scopes[i]);
	if (chain->count != 0 && !ends_function(&chain->scopes[chain->count - 1]))
		functions = 0;
	if (functions == 0)
		chain->count = 0;
	return functions;
}

static enum tl_status make(struct tl_places *places, tl_u64 address, struct tl_spot **place_ret, struct tl_error *error)
{
	const struct tl_module *module = tl_modules_at(places->modules, address);
	const tl_u32 functions = find_scopes(places, module, address), count = functions != 0 ? functions : 1;
	const tl_size scopes = places->chain.count * sizeof(*places->chain.scopes);
	struct tl_spot *place = tl_places_allocate(places, sizeof(*place) + count * sizeof(*place->functions), error);

	if (place == NULL)
		return TL_ERROR_NO_MEMORY;
	place->address = address;
	place->module = module;
	place->count = count;
	if (functions == 0) {
		TL_TRY(describe_symbol(places, place, error));
	} else {
		place->chain.scopes = tl_places_allocate(places, scopes, error);
		if (place->chain.scopes == NULL)
			return TL_ERROR_NO_MEMORY;
		memcpy(place->chain.scopes, places->chain.scopes, scopes);
		place->chain.count = place->chain.capacity = places->chain.count;
		TL_TRY(describe_functions(places, place, error));
	}
	*place_ret = place;
	return TL_OK;
}

static tl_size bucket_of(tl_u64 number)
{
	return (tl_size)(number * 0x9e3779b97f4a7c15u >> 32) % BUCKETS;
}

enum tl_status tl_places_at(struct tl_places *places, tl_u64 address, const struct tl_spot **place_ret,
			    struct tl_error *error)
{
	struct known_place **bucket = &places->places[bucket_of(address)];
	struct tl_spot *place = NULL;
	struct known_place *known;

	for (known = *bucket; known != NULL; known = known->next) {
		if (known->place->address == address) {
			*place_ret = known->place;
			return TL_OK;
		}
	}
	TL_TRY(make(places, address, &place, error));
	known = tl_places_allocate(places, sizeof(*known), error);
	if (known == NULL)
		return TL_ERROR_NO_MEMORY;
	*known = (struct known_place){.next = *bucket, .place = place};
	*bucket = known;
	*place_ret = place;
	return TL_OK;
}

/* Whether code of the scope's stands at a place. */
static bool holds(const struct tl_spot *place, const struct tl_scope *scope)
{
	for (tl_size i = 0; i < place->chain.count; i++)
		if (place->chain.scopes[i].entry.unit == scope->entry.unit &&
		    place->chain.scopes[i].entry.offset == scope->entry.offset)
			return true;
	return false;
}

enum tl_status tl_places_beginning(struct tl_places *places, const struct tl_spot *place, tl_u32 *count_ret,
				   struct tl_error *error)
{
	const struct tl_spot *before;
	tl_u32 count = 0;

	TL_TRY(tl_places_at(places, place->address - 1, &before, error));
	/* The last is no inlined one. An inlined one may be entered in several places, as gdb has it: wherever the code
	 * before is none of its own. */
	while (count + 1 < place->count && (place->functions[count].start == place->address ||
					    !holds(before, &place->chain.scopes[place->functions[count].last])))
		count++;
	*count_ret = count;
	return TL_OK;
}

enum tl_status tl_places_tail_calls(struct tl_places *places, const struct tl_spot *caller, tl_u64 return_address,
				    tl_u64 function, const struct tl_tail_calls **calls_ret, struct tl_error *error)
{
	struct known_calls **bucket = &places->calls[bucket_of(return_address ^ function)];
	struct known_calls *known;

	for (known = *bucket; known != NULL; known = known->next) {
		if (known->return_address == return_address && known->function == function) {
			*calls_ret = known->calls;
			return TL_OK;
		}
	}
	known = tl_places_allocate(places, sizeof(*known), error);
	if (known == NULL)
		return TL_ERROR_NO_MEMORY;
	*known = (struct known_calls){*bucket, return_address, function, NULL};
	TL_TRY(tl_places_find_tail_calls(places, caller, return_address, function, &known->calls, error));
	*bucket = known;
	*calls_ret = known->calls;
	return TL_OK;
}
