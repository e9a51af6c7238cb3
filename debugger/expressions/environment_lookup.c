/* Which of all entries of a name is meant: scopes that are visible, files, modules near and far. */
#include "debugger/expressions/environment_internal.h"
#include "symbols/dwarf_constants.h"

#include <stdio.h>
#include <string.h>

#define SCOPE_MAX 1024
/* So many candidates are looked at in the debug information itself, for one name. */
#define WALKS_MAX 64

static const char anonymous[] = "(anonymous namespace)";

/* ---- Visible scopes ---- */

static enum tl_status add_visible(struct tl_environment_store *store, const char *text, tl_size size,
				  struct tl_error *error)
{
	const char *copy = tl_arena_copy(store->at.arena, text, size);

	if (copy == NULL)
		return tl_environment_no_storage(error);
	for (tl_size i = 0; i < store->visible_count; i++)
		if (strcmp(store->visible[i], copy) == 0)
			return TL_OK;
	if (store->visible_count < TL_VISIBLE_MAX)
		store->visible[store->visible_count++] = copy;
	return TL_OK;
}

struct scope_text {
	char text[SCOPE_MAX];
	tl_size size;
};

/* What has no name gives none, and its members are visible without. */
static void write_scope(void *context, const char *text)
{
	struct scope_text *scope = context;
	tl_size size = strlen(text);
	bool is_colons = strcmp(text, "::") == 0;

	if (strcmp(text, anonymous) == 0 || size >= sizeof(scope->text) - scope->size)
		return;
	/* The colons behind a name that was left out. */
	if (is_colons && (scope->size == 0 || (scope->size >= 2 && scope->text[scope->size - 1] == ':')))
		return;
	memcpy(scope->text + scope->size, text, size + 1);
	scope->size += size;
}

/* Where "a::b::" can be cut: behind the scope around the last one. Colons between < and > are those of arguments. */
static tl_size cut(const char *text, tl_size size)
{
	unsigned depth = 0;

	while (size > 0) {
		char at = text[--size];

		depth += at == '>';
		depth -= at == '<' && depth != 0;
		if (depth == 0 && at == ':' && size > 0 && text[size - 1] == ':')
			return size - 1;
	}
	return 0;
}

static enum tl_status add_enclosing(struct tl_environment_store *store, const char *text, tl_size size,
				    struct tl_error *error)
{
	while (size > 0) {
		TL_TRY(add_visible(store, text, size, error));
		size = cut(text, size);
	}
	return TL_OK;
}

/* The name of a namespace with what encloses it. */
static enum tl_status add_imported(struct tl_environment_store *store, const struct tl_entry *directive,
				   struct tl_error *error)
{
	struct scope_text scope = {.size = 0};
	struct tl_attribute import, name;
	struct tl_entry space;

	TL_TRY(tl_entry_attribute(directive, DW_AT_import, &import, error));
	if (import.kind == TL_CLASS_NONE)
		return TL_OK;
	TL_TRY(tl_entry_follow(&import, &space, error));
	if (space.tag != DW_TAG_namespace)
		return TL_OK;
	TL_TRY(tl_tree_scope(store->module->binary->tree, &space, write_scope, &scope, error));
	TL_TRY(tl_entry_inherited(&space, DW_AT_name, &name, error));
	if (name.kind == TL_CLASS_STRING)
		write_scope(&scope, name.text);
	return scope.size != 0 ? add_visible(store, scope.text, scope.size, error) : TL_OK;
}

static enum tl_status add_directives(struct tl_environment_store *store, const struct tl_entry *around,
				     struct tl_error *error)
{
	struct tl_entry child;

	TL_TRY(tl_entry_child(around, &child, error));
	while (child.tag != 0) {
		if (child.tag == DW_TAG_imported_module)
			TL_TRY(add_imported(store, &child, error));
		TL_TRY(tl_entry_sibling(&child, &child, error));
	}
	return TL_OK;
}

/*
 * The namespaces and classes around the function, the whole program's scope, and what using directives add. Where the
 * debug information is damaged, what was found until then is visible.
 */
static enum tl_status find_visible(struct tl_environment_store *store, struct tl_error *error)
{
	const bool scoped = store->unit != NULL && tl_tree_has_scopes(store->unit);
	struct scope_text scope = {.size = 0};
	struct tl_entry top;
	bool good = scoped;

	if (store->visible_count != 0)
		return TL_OK;
	if (scoped && tl_tree_scope(store->module->binary->tree, &store->scopes[store->scope_count - 1].entry,
				    write_scope, &scope, NULL) == TL_OK)
		TL_TRY(add_enclosing(store, scope.text, scope.size >= 2 ? scope.size - 2 : 0, error));
	TL_TRY(add_visible(store, "", 0, error));
	for (tl_size i = 0; good && i < store->scope_count; i++)
		good = add_directives(store, &store->scopes[i].entry, NULL) == TL_OK;
	if (good && tl_entry_top(store->unit, &top, NULL) == TL_OK)
		(void)!add_directives(store, &top, NULL);
	return TL_OK;
}

/* ---- Using declarations ---- */

static enum tl_status imported_in(struct tl_environment_store *store, const struct tl_entry *around, const char *name,
				  struct tl_output *full, struct tl_error *error)
{
	struct tl_entry child, meant;
	struct tl_attribute import, own;

	TL_TRY(tl_entry_child(around, &child, error));
	while (child.tag != 0 && full->size == 0) {
		if (child.tag == DW_TAG_imported_declaration) {
			TL_TRY(tl_entry_attribute(&child, DW_AT_import, &import, error));
			TL_TRY(tl_entry_attribute(&child, DW_AT_name, &own, error));
			if (import.kind == TL_CLASS_NONE)
				return TL_OK;
			TL_TRY(tl_entry_follow(&import, &meant, error));
			if (own.kind == TL_CLASS_NONE)
				TL_TRY(tl_entry_inherited(&meant, DW_AT_name, &own, error));
			if (own.kind == TL_CLASS_STRING && strcmp(own.text, name) == 0) {
				tl_output_text(full, "::");
				TL_TRY(tl_scope_write_name(store->module->binary->types, &meant, false, full, error));
			}
		}
		TL_TRY(tl_entry_sibling(&child, &child, error));
	}
	return TL_OK;
}

enum tl_status tl_environment_imported_name(struct tl_environment_store *store, const char *name,
					    struct tl_output *full, struct tl_error *error)
{
	struct tl_entry top;

	if (store->unit == NULL || !tl_tree_has_scopes(store->unit))
		return TL_OK;
	for (tl_size i = 0; i < store->scope_count && full->size == 0; i++)
		TL_TRY(imported_in(store, &store->scopes[i].entry, name, full, error));
	TL_TRY(tl_entry_top(store->unit, &top, error));
	return full->size == 0 ? imported_in(store, &top, name, full, error) : TL_OK;
}

/* ---- Files ---- */

bool tl_environment_is_file(const struct tl_unit *unit, const char *file)
{
	tl_size wanted = strlen(file), size;

	if (unit->name == NULL || wanted == 0)
		return false;
	size = strlen(unit->name);
	return size >= wanted && strcmp(unit->name + size - wanted, file) == 0 &&
	       (size == wanted || unit->name[size - wanted - 1] == '/');
}

/* ---- Candidates ---- */

struct search {
	struct tl_environment_store *store;
	const char *file;      /* NULL: anywhere */
	const char *qualifier; /* "a::b" of a::b::name, "" for none */
	bool absolute;         /* ::name */
	bool (*is_wanted)(void *context, const struct tl_indexed *found);
	void *context;
	const struct tl_module *module; /* that is being asked */
	unsigned walks;
	unsigned best; /* the lower the nearer */
	struct tl_indexed found;
	const struct tl_module *found_module; /* NULL: nothing so far */
	/* All that are as near as the nearest scope are told of, if anyone listens. */
	enum tl_status (*call)(void *context, const struct tl_nearest *found, struct tl_error *error);
	bool counts; /* only how near the nearest is, is asked */
	enum tl_status status;
	struct tl_error *error;
};

/* What has no name, and what is inline, is left out of a scope when it is written. */
static enum tl_status is_left_out(const struct tl_entry *space, bool *left_out_ret, struct tl_error *error)
{
	struct tl_attribute name, exported;

	TL_TRY(tl_entry_inherited(space, DW_AT_name, &name, error));
	TL_TRY(tl_entry_attribute(space, DW_AT_export_symbols, &exported, error));
	*left_out_ret = name.kind != TL_CLASS_STRING || exported.kind != TL_CLASS_NONE;
	return TL_OK;
}

/* What is defined outside of its class or namespace belongs where it was declared. */
static enum tl_status declared(struct tl_entry *entry, struct tl_error *error)
{
	for (unsigned i = 0; i < TL_VISIBLE_MAX; i++) {
		struct tl_attribute origin;

		TL_TRY(tl_entry_attribute(entry, DW_AT_specification, &origin, error));
		if (origin.kind == TL_CLASS_NONE)
			TL_TRY(tl_entry_attribute(entry, DW_AT_abstract_origin, &origin, error));
		if (origin.kind == TL_CLASS_NONE)
			break;
		TL_TRY(tl_entry_follow(&origin, entry, error));
	}
	return TL_OK;
}

/* The scope of an entry as one may write it: "std" for std::__cxx11. Written from its end. */
static enum tl_status short_scope(const struct search *search, char text[SCOPE_MAX], struct tl_error *error)
{
	struct tl_tree *tree = search->module->binary->tree;
	tl_size at = SCOPE_MAX - 1;
	struct tl_entry entry;

	text[at] = '\0';
	TL_TRY(tl_entry_at(search->found.unit, search->found.offset, &entry, error));
	TL_TRY(declared(&entry, error));
	for (unsigned i = 0; i < TL_VISIBLE_MAX; i++) {
		struct tl_attribute name;
		bool left_out = true;
		tl_size size;

		TL_TRY(tl_tree_parent(tree, &entry, &entry, error));
		if (entry.tag == 0)
			break;
		if (entry.tag != DW_TAG_namespace && entry.tag != DW_TAG_structure_type &&
		    entry.tag != DW_TAG_class_type && entry.tag != DW_TAG_union_type)
			continue;
		TL_TRY(is_left_out(&entry, &left_out, error));
		if (left_out)
			continue;
		TL_TRY(tl_entry_inherited(&entry, DW_AT_name, &name, error));
		size = strlen(name.text);
		if (size + 2 > at)
			break;
		if (text[at] != '\0')
			memcpy(text + (at -= 2), "::", 2);
		memcpy(text + (at -= size), name.text, size);
	}
	memmove(text, text + at, SCOPE_MAX - at);
	return TL_OK;
}

/* "a::(anonymous namespace)::b" without what has no name. */
static void leave_anonymous_out(char *scope)
{
	char *at;

	while ((at = strstr(scope, anonymous)) != NULL) {
		char *behind = at + sizeof(anonymous) - 1;

		if (strncmp(behind, "::", 2) == 0)
			behind += 2;
		else if (at - scope >= 2)
			at -= 2;
		memmove(at, behind, strlen(behind) + 1);
	}
}

/* The position among the visible scopes of the one by which a scope is reached; -1: by none. */
static int position(const struct search *search, const char *scope)
{
	const struct tl_environment_store *store = search->store;
	char wanted[SCOPE_MAX];

	for (tl_size i = 0; i < (search->absolute ? 1 : store->visible_count); i++) {
		const char *visible = search->absolute ? "" : store->visible[i];

		snprintf(wanted, sizeof(wanted), "%s%s%s", visible,
			 *visible != '\0' && *search->qualifier != '\0' ? "::" : "", search->qualifier);
		if (strcmp(wanted, scope) == 0)
			return (int)i;
	}
	return -1;
}

/* How far away an entry is that is visible at a position. */
static unsigned distance(const struct search *search, const struct tl_indexed *found, int at)
{
	bool external = (found->flags & TL_INDEX_EXTERNAL) != 0, near = search->module == search->store->module;
	bool useless = (found->kind == TL_INDEX_VARIABLE && (found->flags & TL_INDEX_HAS_VALUE) == 0);
	unsigned locality = near && found->unit == search->store->unit ? 0
			    : near && external                         ? 1
			    : external                                 ? 2
			    : near                                     ? 3
								       : 4;

	/* Types and enumerators are not said to be external or not. */
	if ((found->kind == TL_INDEX_TYPE || found->kind == TL_INDEX_ENUMERATOR) && locality != 0)
		locality = near ? 1 : 2;
	return (unsigned)at * 16 + locality + (useless ? 8 : 0);
}

/* Of all that are asked for: first how near the nearest scope is, then what it has. */
static bool collect(struct search *search, const struct tl_indexed *found, unsigned at)
{
	struct tl_nearest own = {.module = search->module, .kind = found->kind};

	if (search->counts && search->found_module != NULL && at >= search->best)
		return true;
	search->found_module = search->module;
	if (search->counts)
		search->best = at;
	if (search->counts || at != search->best)
		return true;
	search->status = tl_entry_at(found->unit, found->offset, &own.entry, search->error);
	if (search->status == TL_OK)
		search->status = search->call(search->context, &own, search->error);
	return search->status == TL_OK;
}

static bool consider(void *context, const struct tl_indexed *found)
{
	struct search *search = context;
	char scope[SCOPE_MAX];
	unsigned far;
	int at;

	if (found->kind == TL_INDEX_FUNCTION && (found->flags & TL_INDEX_HAS_CODE) == 0)
		return true;
	if ((search->file != NULL && !tl_environment_is_file(found->unit, search->file)) ||
	    (search->is_wanted != NULL && !search->is_wanted(search->context, found)))
		return true;
	tl_index_scope(search->module->binary->index, found->scope, scope, sizeof(scope));
	leave_anonymous_out(scope);
	at = position(search, scope);
	if (at < 0 && *scope != '\0' && search->walks < WALKS_MAX) {
		struct search own = *search;

		search->walks++;
		own.found = *found;
		if (short_scope(&own, scope, NULL) == TL_OK)
			at = position(search, scope);
	}
	if (at < 0)
		return true;
	if (search->call != NULL)
		return collect(search, found, (unsigned)at);
	far = distance(search, found, at);
	if (search->found_module != NULL && far >= search->best)
		return true;
	search->best = far;
	search->found = *found;
	search->found_module = search->module;
	return far != 0;
}

static bool consider_named(void *context, const struct tl_named *named)
{
	struct search *search = context;

	search->module = named->module;
	return consider(search, named->indexed);
}

/* One module's names, waiting for them. A module without an index has none. */
static enum tl_status search_module(struct search *search, const struct tl_module *module, const char *name,
				    unsigned kinds, struct tl_error *error)
{
	const struct tl_patience *patience = &search->store->at.patience;
	enum tl_status status = TL_OK;

	if (module == NULL || !module->binary->has_debug)
		return TL_OK;
	if (!tl_binary_ready(module->binary))
		status = tl_binary_wait(module->binary, patience->waiting, patience->context, error);
	if (status != TL_OK && tl_binary_failure(module->binary) == NULL)
		return status;
	search->module = module;
	return module->binary->index != NULL
		       ? tl_index_find(module->binary->index, name, kinds, consider, search, error)
		       : TL_OK;
}

/* Is there nothing better yet than what is another file's own? */
static bool is_poor(const struct search *search)
{
	return search->found_module == NULL || (search->call == NULL && !search->counts && (search->best & 7) >= 3);
}

/* The module at hand, the program, and only then all others, whose names may still have to be read. */
static enum tl_status search_all(struct search *search, const char *name, unsigned kinds, struct tl_error *error)
{
	struct tl_environment_store *store = search->store;
	const struct tl_module *program = tl_modules_get(store->at.modules, 0);

	TL_TRY(search_module(search, store->module, name, kinds, error));
	/* A variable of the program is meant before one that some file of a library has for itself. */
	if (is_poor(search) && program != store->module)
		TL_TRY(search_module(search, program, name, kinds, error));
	if (search->found_module == NULL)
		TL_TRY(tl_modules_find(store->at.modules, store->module, name, kinds, &store->at.patience,
				       consider_named, search, error));
	return TL_OK;
}

/* What the scopes are that a name begins with; *name is then without a leading "::". False: no name is so long. */
static bool set_qualifier(struct search *search, char qualifier[SCOPE_MAX], const char **name)
{
	tl_size size;

	search->absolute = strncmp(*name, "::", 2) == 0;
	*name += search->absolute ? 2 : 0;
	size = cut(*name, strlen(*name));
	if (size >= SCOPE_MAX)
		return false;
	memcpy(qualifier, *name, size);
	qualifier[size] = '\0';
	search->qualifier = qualifier;
	return true;
}

/* namespace a = b::c; a::name is b::c::name then. *name stays as it is where its first part is no such alias. */
static enum tl_status replace_alias(struct tl_environment_store *store, const char **name, struct tl_error *error)
{
	const tl_size first = strcspn(*name, ":<");
	struct tl_output full = tl_output_make(4096);
	enum tl_status status;
	char *part;

	if (first == 0 || (*name)[first] != ':' || store->unit == NULL || !tl_tree_has_scopes(store->unit))
		return TL_OK;
	part = tl_arena_copy(store->at.arena, *name, first);
	if (part == NULL)
		return tl_environment_no_storage(error);
	status = tl_environment_imported_name(store, part, &full, error);
	if (status == TL_OK && full.size != 0) {
		tl_output_text(&full, *name + first);
		*name = tl_arena_copy(store->at.arena, tl_output_string(&full), full.size);
	}
	tl_output_release(&full);
	return status == TL_OK && *name == NULL ? tl_environment_no_storage(error) : status;
}

enum tl_status tl_environment_each(struct tl_environment_store *store, const char *name, unsigned kinds,
				   enum tl_status (*call)(void *context, const struct tl_nearest *found,
							  struct tl_error *error),
				   void *context, struct tl_error *error)
{
	struct search search = {
		.store = store, .call = call, .context = context, .counts = true, .status = TL_OK, .error = error};
	char qualifier[SCOPE_MAX];

	TL_TRY(find_visible(store, error));
	TL_TRY(replace_alias(store, &name, error));
	if (!set_qualifier(&search, qualifier, &name))
		return TL_OK;
	TL_TRY(search_all(&search, name, kinds, error));
	if (search.found_module == NULL)
		return TL_OK;
	search.counts = false;
	search.found_module = NULL;
	search.walks = 0;
	TL_TRY(search_all(&search, name, kinds, error));
	return search.status;
}

enum tl_status tl_environment_nearest(struct tl_environment_store *store, const char *file, const char *name,
				      unsigned kinds, bool (*is_wanted)(void *context, const struct tl_indexed *found),
				      void *context, struct tl_nearest *nearest_ret, struct tl_error *error)
{
	struct search search = {.store = store, .file = file, .is_wanted = is_wanted, .context = context};
	char qualifier[SCOPE_MAX];

	*nearest_ret = (struct tl_nearest){.module = NULL};
	TL_TRY(find_visible(store, error));
	TL_TRY(replace_alias(store, &name, error));
	if (!set_qualifier(&search, qualifier, &name))
		return TL_OK;
	TL_TRY(search_all(&search, name, kinds, error));
	if (search.found_module == NULL)
		return TL_OK;
	nearest_ret->module = search.found_module;
	nearest_ret->kind = search.found.kind;
	return tl_entry_at(search.found.unit, search.found.offset, &nearest_ret->entry, error);
}
