/* Places of lines and functions: where breakpoints stand, and what is called so there. */
#include "base/storage.h"
#include "debugger/modules/function_name.h"
#include "debugger/modules/linespec_internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- The list ---- */

static void release_text(char *text)
{
	if (text != NULL)
		tl_release(tl_storage(), text, strlen(text) + 1);
}

void tl_place_release(struct tl_code_place_found *place)
{
	release_text(place->name);
	release_text(place->file);
}

void tl_code_places_release(struct tl_code_places *places)
{
	for (tl_size i = 0; i < places->count; i++)
		tl_place_release(&places->items[i]);
	release_text(places->text);
	tl_release(tl_storage(), places->items, places->capacity * sizeof(*places->items));
	*places = (struct tl_code_places){0};
}

struct tl_code_place_found *tl_finder_add(struct tl_finder *finder)
{
	struct tl_code_places *places = &finder->places;
	void *items = places->items;

	if (!tl_grow(tl_storage(), &items, &places->capacity, places->count, sizeof(*places->items)))
		return NULL;
	places->items = items;
	places->items[places->count] = (struct tl_code_place_found){0};
	return &places->items[places->count++];
}

static enum tl_status no_memory(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for places.");
}

static int by_file(const struct tl_code_place_found *left, const struct tl_code_place_found *right)
{
	int order = strcmp(left->file != NULL ? left->file : "", right->file != NULL ? right->file : "");

	if (order != 0)
		return order;
	return left->line < right->line ? -1 : left->line > right->line;
}

static int by_address(const void *a, const void *b)
{
	const struct tl_code_place_found *left = a, *right = b;

	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	/* What is known better comes first, and stays. */
	if (left->inlined != right->inlined)
		return left->inlined ? 1 : -1;
	return by_file(left, right);
}

void tl_finder_finish(struct tl_finder *finder)
{
	struct tl_code_places *places = &finder->places;
	tl_size kept = 0;

	if (places->count == 0)
		return;
	qsort(places->items, places->count, sizeof(*places->items), by_address);
	for (tl_size i = 0; i < places->count; i++) {
		struct tl_code_place_found *place = &places->items[i];
		const struct tl_code_place_found *before = kept != 0 ? &places->items[kept - 1] : NULL;

		if (before != NULL && before->address == place->address &&
		    (place->address != 0 || by_file(before, place) == 0))
			tl_place_release(place);
		else
			places->items[kept++] = *place;
	}
	places->count = kept;
}

/* ---- What is called so ---- */

char *tl_place_text(const char *text)
{
	tl_size size = strlen(text) + 1;
	char *copy = tl_allocate(tl_storage(), size);

	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

char *tl_place_name(const struct tl_module *module, const struct tl_entry *function)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	char *name = NULL;

	if (tl_function_write_name(module->binary->types, function, &output, NULL) == TL_OK && output.size != 0)
		name = tl_place_text(tl_output_string(&output));
	tl_output_release(&output);
	return name;
}

/* Of a symbol without debug information: demangled if it can be, without its version. */
static char *name_of_symbol(const char *symbol)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	const char *version = strchr(symbol, '@');
	char *name;

	if (!tl_symbol_write_name(symbol, &output)) {
		if (version != NULL && version != symbol && strcmp(version, "@plt") != 0)
			tl_output_bytes(&output, symbol, (tl_size)(version - symbol));
		else
			tl_output_text(&output, symbol);
	}
	name = tl_place_text(tl_output_string(&output));
	tl_output_release(&output);
	return name;
}

static char *path_of(const struct tl_line_table *table, tl_u64 number)
{
	char path[PATH_MAX];
	tl_size size = tl_line_table_path(table, number, true, path, sizeof(path));

	return size != 0 && size < sizeof(path) ? tl_place_text(path) : NULL;
}

char *tl_place_file(const struct tl_module *module, const struct tl_unit *unit, tl_u64 number)
{
	const struct tl_line_table *table;

	return tl_lines_of(module->binary->lines, unit, &table, NULL) == TL_OK ? path_of(table, number) : NULL;
}

/* The scopes around an address of a module, as linked; none where debug information knows of none. */
static struct tl_scope_chain scopes_at(const struct tl_module *module, tl_u64 address)
{
	struct tl_scope_chain chain = {0};

	if (module->binary->scopes == NULL || tl_scopes_at(module->binary->scopes, address, &chain, NULL) != TL_OK)
		chain.count = 0;
	return chain;
}

struct tl_entry tl_function_around(const struct tl_module *module, tl_u64 address, bool outermost)
{
	struct tl_scope_chain chain = scopes_at(module, address - module->bias);
	struct tl_entry found = {0};

	for (tl_size i = 0; i < chain.count && (outermost || found.tag == 0); i++)
		if (chain.scopes[i].kind != TL_SCOPE_BLOCK)
			found = chain.scopes[i].entry;
	tl_scope_chain_release(&chain);
	return found;
}

/* The line at an address, if there is one. */
static void take_line(const struct tl_modules *modules, struct tl_code_place_found *place)
{
	struct tl_code_line line;

	if (place->file != NULL || !tl_modules_line(modules, place->address, &line) || line.row->line == 0)
		return;
	place->file = path_of(line.table, line.row->file);
	place->line = line.row->line;
}

/* Fills in what is still missing. */
void tl_place_describe(const struct tl_modules *modules, struct tl_code_place_found *place)
{
	struct tl_entry function;
	struct tl_elf_name symbol;
	tl_u64 start;

	if (place->module == NULL)
		place->module = tl_modules_at(modules, place->address);
	take_line(modules, place);
	if (place->module == NULL)
		return;
	function = tl_function_around(place->module, place->address, true);
	if (function.tag != 0 && tl_entry_start(&function, &start)) {
		place->function = start + place->module->bias;
		if (place->name == NULL) {
			function = tl_function_around(place->module, place->address, false);
			place->name = tl_place_name(place->module, &function);
		}
	} else if (tl_modules_symbol(modules, place->address, &symbol, &start)) {
		place->function = start;
		if (place->name == NULL)
			place->name = name_of_symbol(symbol.name);
	}
}

/* ---- Functions ---- */

/*
 * Where the function begins whose prologue an address is in, and where that ends; false when it is in none. A line at
 * the opening of a function, or what was inlined there, is met with its frame set up, as in gdb.
 */
static bool in_prologue(const struct tl_modules *modules, const struct tl_module *module, tl_u64 address,
			tl_u64 *behind_ret)
{
	struct tl_entry function = tl_function_around(module, address, true);
	tl_u64 start, behind;

	if (function.tag == 0 || !tl_entry_start(&function, &start) || address < start + module->bias)
		return false;
	behind = tl_modules_behind_prologue(modules, start + module->bias);
	if (behind <= address)
		return false;
	*behind_ret = behind;
	return true;
}

/*
 * A place that was moved behind a prologue: where something inlined begins there, it is the line of the call, as no
 * frame of what is inlined is shown at its very beginning.
 */
static void take_call_line(struct tl_code_place_found *place)
{
	struct tl_scope_chain chain = scopes_at(place->module, place->address - place->module->bias);

	for (tl_size i = chain.count; i-- > 0;) {
		const struct tl_scope *scope = &chain.scopes[i];

		if (scope->kind != TL_SCOPE_INLINED || scope->call_line == 0)
			continue;
		release_text(place->file);
		place->file = tl_place_file(place->module, scope->entry.unit, scope->call_file);
		place->line = (tl_u32)scope->call_line;
		break;
	}
	tl_scope_chain_release(&chain);
}

static void place_function(const struct tl_finder *finder, const struct tl_function_found *function,
			   struct tl_code_place_found *place)
{
	place->module = function->module;
	place->address = function->start;
	place->inlined = function->inlined;
	place->resolver = function->resolver;
	if (function->has_entry)
		place->name = tl_place_name(function->module, &function->entry);
	else if (function->symbol != NULL && tl_function_around(function->module, function->start, true).tag == 0)
		place->name = name_of_symbol(function->symbol);
	if (finder->at_entry || function->resolver)
		return;
	if (!function->inlined)
		place->address = tl_modules_behind_prologue(finder->modules, function->start);
	else
		(void)in_prologue(finder->modules, function->module, function->start, &place->address);
	if (place->address != function->start)
		take_call_line(place);
}

/* The place of a label; nothing where the function has none of that name. */
static enum tl_status add_label(struct tl_finder *finder, const struct tl_function_found *function,
				const struct tl_word *label, struct tl_error *error)
{
	struct tl_code_place_found *place;
	const struct tl_unit *unit;
	tl_u64 address, line, file;

	if (!function->has_entry || !tl_function_label(&function->entry, label, &address, &line))
		return TL_OK;
	place = tl_finder_add(finder);
	if (place == NULL)
		return no_memory(error);
	place->address = address + function->module->bias;
	place->module = function->module;
	if (line != 0 && tl_entry_number(&function->entry, DW_AT_decl_file, &file, &unit)) {
		place->file = tl_place_file(function->module, unit, file);
		place->line = (tl_u32)line;
	}
	tl_place_describe(finder->modules, place);
	return TL_OK;
}

enum tl_status tl_finder_functions(struct tl_finder *finder, const struct tl_functions_found *functions,
				   const struct tl_word *label, struct tl_error *error)
{
	for (tl_size i = 0; i < functions->count; i++) {
		struct tl_code_place_found *place;

		if (label->text != NULL) {
			TL_TRY(add_label(finder, &functions->items[i], label, error));
			continue;
		}
		if (functions->items[i].start == 0)
			continue;
		place = tl_finder_add(finder);
		if (place == NULL)
			return no_memory(error);
		place_function(finder, &functions->items[i], place);
		tl_place_describe(finder->modules, place);
	}
	return TL_OK;
}

/* Where something is declared, as its entry says; false when it does not. */
static bool take_declaration(const struct tl_module *module, const struct tl_entry *entry,
			     struct tl_code_place_found *place)
{
	const struct tl_unit *unit;
	tl_u64 file, line;

	if (!tl_entry_number(entry, DW_AT_decl_line, &line, &unit) ||
	    !tl_entry_number(entry, DW_AT_decl_file, &file, &unit))
		return false;
	place->module = module;
	place->file = tl_place_file(module, unit, file);
	place->line = (tl_u32)line;
	return place->file != NULL;
}

/* gdb shows where the code begins: at the brace that opens the function, if that is not what was inlined there. */
static void finish_declaration(const struct tl_modules *modules, const struct tl_function_found *function,
			       struct tl_code_place_found *place)
{
	struct tl_code_place_found begin = {.address = function->start};

	place->name = tl_place_name(function->module, &function->entry);
	if (function->start == 0)
		return;
	take_line(modules, &begin);
	if (begin.file != NULL && strcmp(begin.file, place->file) == 0 && begin.line > place->line)
		place->line = begin.line;
	tl_place_release(&begin);
}

/* Is there a function of that name and file already? What has no code is what others are copies of. */
static bool is_declared(const struct tl_finder *finder, const struct tl_code_place_found *place)
{
	for (tl_size i = 0; i < finder->places.count; i++) {
		const struct tl_code_place_found *other = &finder->places.items[i];

		if (place->name != NULL && other->name != NULL && strcmp(other->name, place->name) == 0 &&
		    other->file != NULL && strcmp(other->file, place->file) == 0)
			return true;
	}
	return false;
}

static enum tl_status add_declaration(struct tl_finder *finder, const struct tl_function_found *function,
				      struct tl_error *error)
{
	struct tl_code_place_found place = {.address = function->start}, *added = NULL;
	bool wanted;

	if (!function->has_entry)
		tl_place_describe(finder->modules, &place);
	else if (take_declaration(function->module, &function->entry, &place))
		finish_declaration(finder->modules, function, &place);
	wanted = place.file != NULL && (function->start != 0 || !is_declared(finder, &place));
	if (wanted)
		added = tl_finder_add(finder);
	if (added == NULL) {
		tl_place_release(&place);
		return wanted ? no_memory(error) : TL_OK;
	}
	/* No address: what is declared in one line is one. */
	place.address = 0;
	*added = place;
	return TL_OK;
}

enum tl_status tl_finder_declarations(struct tl_finder *finder, const struct tl_functions_found *functions,
				      struct tl_error *error)
{
	/* A copy is declared where what was inlined is, which was found, too. */
	for (int with_code = 1; with_code >= 0; with_code--)
		for (tl_size i = 0; i < functions->count; i++)
			if (!functions->items[i].inlined && (functions->items[i].start != 0) == (with_code != 0))
				TL_TRY(add_declaration(finder, &functions->items[i], error));
	return TL_OK;
}

/* Global and static variables of a name, for lists. */
struct variables {
	struct tl_finder *finder;
	bool no_memory;
};

static bool take_variable(void *context, const struct tl_named *named)
{
	struct variables *variables = context;
	struct tl_code_place_found place = {0}, *added;
	struct tl_entry entry;

	if (tl_entry_at(named->indexed->unit, named->indexed->offset, &entry, NULL) != TL_OK ||
	    !take_declaration(named->module, &entry, &place))
		return true;
	place.name = tl_place_text(named->indexed->name);
	place.module = named->module;
	added = tl_finder_add(variables->finder);
	if (added != NULL)
		*added = place;
	else
		tl_place_release(&place);
	variables->no_memory = added == NULL;
	return added != NULL;
}

enum tl_status tl_finder_variables(struct tl_finder *finder, const struct tl_word *name, struct tl_error *error)
{
	struct variables variables = {.finder = finder};
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status;

	tl_output_bytes(&text, name->text, name->size);
	status = tl_output_status(&text, error);
	if (status == TL_OK)
		status = tl_modules_find(finder->modules, NULL, tl_output_string(&text), TL_INDEX_VARIABLE,
					 finder->patience, take_variable, &variables, error);
	tl_output_release(&text);
	TL_TRY(status);
	return variables.no_memory ? no_memory(error) : TL_OK;
}

/* ---- Lines ---- */

/* Is there something in a block that has a name? One without is none, as in gdb. */
static bool has_names(const struct tl_entry *block)
{
	struct tl_entry child;

	if (tl_entry_child(block, &child, NULL) != TL_OK)
		return false;
	while (child.tag != 0) {
		if (child.tag != DW_TAG_lexical_block && child.tag != DW_TAG_inlined_subroutine &&
		    child.tag != DW_TAG_call_site && child.tag != DW_TAG_GNU_call_site)
			return true;
		if (tl_entry_sibling(&child, &child, NULL) != TL_OK)
			return false;
	}
	return false;
}

/*
 * Tells blocks apart (tl_line_query_finish); the context is a module, the address as linked. Parts of a block that
 * stand apart from where it begins are told apart from that by the lowest bit.
 */
static tl_u64 block_of(void *context, tl_u64 address)
{
	struct tl_scope_chain chain = scopes_at(context, address);
	tl_u64 block = 0;

	for (tl_size i = 0; i < chain.count && block == 0; i++) {
		const struct tl_scope *scope = &chain.scopes[i];
		tl_u64 start;

		if (scope->kind != TL_SCOPE_BLOCK || has_names(&scope->entry))
			block = (scope->entry.offset + 1) << 1 |
				(tl_entry_start(&scope->entry, &start) && start != scope->start);
	}
	tl_scope_chain_release(&chain);
	return block;
}

/*
 * Is a place in a part of a block that stands apart (what is seldom run, gcc puts elsewhere), and another one where the
 * block begins? The latter is the one.
 */
static bool is_apart(const struct tl_line_query *query, const struct tl_line_place *place)
{
	for (tl_size i = 0; i < query->count && (place->block & 1) != 0; i++)
		if (query->places[i].block == (place->block ^ 1))
			return true;
	return false;
}

static enum tl_status add_line(struct tl_finder *finder, const struct tl_module *module, tl_u32 line,
			       const struct tl_line_place *found, struct tl_error *error)
{
	struct tl_code_place_found *place = tl_finder_add(finder);
	struct tl_entry function;

	if (place == NULL)
		return no_memory(error);
	place->module = module;
	place->address = found->address + module->bias;
	/* A place that is moved stays that of its function, whatever begins where it goes. */
	function = tl_function_around(module, place->address, false);
	if (function.tag != 0)
		place->name = tl_place_name(module, &function);
	if (in_prologue(finder->modules, module, place->address, &place->address)) {
		take_call_line(place);
	} else {
		place->file = path_of(found->table, found->table->rows[found->row].file);
		place->line = line;
	}
	tl_place_describe(finder->modules, place);
	return TL_OK;
}

/* Drops what was found so far: a nearer line came. */
static void clear(struct tl_finder *finder)
{
	for (tl_size i = 0; i < finder->places.count; i++)
		tl_place_release(&finder->places.items[i]);
	finder->places.count = 0;
}

enum tl_status tl_finder_line(struct tl_finder *finder, const char *file, tl_u32 line, bool *known_ret,
			      struct tl_error *error)
{
	const struct tl_module *module;
	tl_u32 nearest = 0;

	for (tl_size i = 0; (module = tl_modules_get(finder->modules, i)) != NULL; i++) {
		struct tl_line_query query = tl_line_query_begin(file, line);
		enum tl_status status = TL_OK;
		union {
			const struct tl_module *constant;
			void *context;
		} of = {module};

		if (module->binary->lines != NULL)
			status = tl_lines_query(module->binary->lines, &query, error);
		*known_ret = *known_ret || query.known;
		if (status == TL_OK && query.found != 0 && (nearest == 0 || query.found <= nearest)) {
			if (query.found != nearest)
				clear(finder);
			nearest = query.found;
			tl_line_query_finish(&query, block_of, of.context);
			for (tl_size j = 0; j < query.count && status == TL_OK; j++)
				if (!is_apart(&query, &query.places[j]))
					status = add_line(finder, module, query.found, &query.places[j], error);
		}
		tl_line_query_release(&query);
		TL_TRY(status);
	}
	return TL_OK;
}

/* ---- Files ---- */

struct files {
	struct tl_finder *finder;
	struct tl_line_query query;
	tl_u32 line;
	bool no_memory;
};

static bool has_place(const struct tl_finder *finder, const char *file, tl_u32 line)
{
	for (tl_size i = 0; i < finder->places.count; i++)
		if (finder->places.items[i].file != NULL && finder->places.items[i].line == line &&
		    strcmp(finder->places.items[i].file, file) == 0)
			return true;
	return false;
}

static bool take_table(void *context, const struct tl_line_table *table)
{
	struct files *files = context;

	if (!tl_line_query_concerns(&files->query, table))
		return true;
	for (tl_u64 i = 0; i < table->file_count && !files->no_memory; i++) {
		struct tl_code_place_found *place;
		char *path = path_of(table, i);

		if (path == NULL)
			continue;
		if (tl_path_matches(path, files->query.file) && !has_place(files->finder, path, files->line)) {
			place = tl_finder_add(files->finder);
			files->no_memory = place == NULL;
			if (place != NULL) {
				place->file = path;
				place->line = files->line;
				continue;
			}
		}
		release_text(path);
	}
	return !files->no_memory;
}

enum tl_status tl_finder_files(struct tl_finder *finder, const char *file, tl_u32 line, struct tl_error *error)
{
	struct files files = {.finder = finder, .query = tl_line_query_begin(file, 1), .line = line};
	const struct tl_module *module;

	for (tl_size i = 0; (module = tl_modules_get(finder->modules, i)) != NULL; i++) {
		if (module->binary->lines != NULL)
			TL_TRY(tl_lines_files(module->binary->lines, take_table, &files, error));
		if (files.no_memory)
			return no_memory(error);
	}
	return TL_OK;
}
