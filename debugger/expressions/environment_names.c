/* What a name stands for: from the innermost block outwards to what only symbol tables know. */
#include "debugger/expressions/environment_internal.h"
#include "symbols/dwarf_constants.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

/* Blocks in a function are no deeper but in damaged files, and so many frames are asked for a function's variables. */
#define DEPTH_MAX 256
#define FRAMES_MAX 1000
/* Nor are classes derived from one another. */
#define BASES_MAX 64
/* Bases that are reached by many ways are looked at on each of them. */
#define LOOKED_AT_MAX 4096
/* So many entries are looked at for a declaration that no index has: a quarter of a second. */
#define ENTRIES_MAX 1000000

/* ---- Locals ---- */

struct local {
	const char *name;
	struct tl_variable variable;
	bool found;
};

static bool take_local(void *context, const struct tl_variable *variable)
{
	struct local *local = context;

	if (strcmp(variable->name, local->name) != 0)
		return true;
	local->variable = *variable;
	local->found = true;
	return false;
}

static enum tl_status local_of(const struct tl_scope *scopes, tl_size count, const char *name,
			       struct tl_variable *variable_ret, bool *found_ret, struct tl_error *error)
{
	struct local local = {.name = name};

	for (tl_size i = 0; i < count && !local.found; i++)
		TL_TRY(tl_scope_variables(&scopes[i], take_local, &local, error));
	*variable_ret = local.variable;
	*found_ret = local.found;
	return TL_OK;
}

enum tl_status tl_environment_find_local(struct tl_environment_store *store, const char *name,
					 struct tl_variable *variable_ret, bool *found_ret, struct tl_error *error)
{
	return local_of(store->scopes, store->scope_count, name, variable_ret, found_ret, error);
}

/* Without a frame the places of local variables are not known, but what they are is. */
static enum tl_status local_value(struct tl_environment_store *store, const struct tl_variable *variable,
				  struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *type;

	if (variable->left_out) {
		TL_TRY(tl_type_of(store->variables.types, &variable->entry, &type, error));
		return tl_environment_absent(store, type, value_ret, error);
	}
	return tl_environment_value_of(store, &store->variables, &variable->entry, value_ret, error);
}

/* Enumerators of an enumeration. */
static enum tl_status enumerator_of(struct tl_environment_store *store, const struct tl_module *module,
				    const struct tl_entry *enumeration, const char *name, struct tl_value *value_ret,
				    bool *found_ret, struct tl_error *error)
{
	const struct tl_member *members;
	const struct tl_type *type;
	tl_size count;

	TL_TRY(tl_type_at(module->binary->types, enumeration, &type, error));
	TL_TRY(tl_type_members(type, &members, &count, error));
	for (tl_size i = 0; i < count; i++)
		if (members[i].kind == TL_MEMBER_ENUMERATOR && members[i].name != NULL &&
		    strcmp(members[i].name, name) == 0) {
			*found_ret = true;
			return tl_value_make_integer(&store->values, type, members[i].value, value_ret, error);
		}
	return TL_OK;
}

struct local_enumerations {
	struct tl_environment_store *store;
	const char *name;
	struct tl_value *value;
	bool *found;
	enum tl_status status;
	struct tl_error *error;
};

static bool take_enumeration(void *context, const struct tl_entry *type)
{
	struct local_enumerations *search = context;

	if (type->tag == DW_TAG_enumeration_type)
		search->status = enumerator_of(search->store, search->store->module, type, search->name, search->value,
					       search->found, search->error);
	return search->status == TL_OK && !*search->found;
}

static enum tl_status find_in_scopes(struct tl_environment_store *store, const char *name, struct tl_value *value_ret,
				     bool *found_ret, struct tl_error *error)
{
	struct local_enumerations search = {store, name, value_ret, found_ret, TL_OK, error};

	for (tl_size i = 0; i < store->scope_count && !*found_ret; i++) {
		struct tl_variable variable;
		bool found = false;

		TL_TRY(local_of(&store->scopes[i], 1, name, &variable, &found, error));
		if (found) {
			TL_TRY(local_value(store, &variable, value_ret, error));
			/* What is only declared here, and nobody knows a symbol of, is looked for further out. */
			*found_ret = !variable.external || value_ret->place == TL_VALUE_IN_MEMORY;
			continue;
		}
		TL_TRY(tl_scope_types(&store->scopes[i], take_enumeration, &search, error));
		TL_TRY(search.status);
	}
	return TL_OK;
}

/* Whether a class has a member of that name, of its own, in something anonymous, or in a base. */
static enum tl_status has_member(const struct tl_type *class, const char *name, unsigned depth, unsigned *looked_at,
				 bool *has_ret, struct tl_error *error)
{
	const struct tl_member *members;
	const struct tl_type *inner;
	tl_size count;

	if (depth == BASES_MAX || ++*looked_at > LOOKED_AT_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "The bases of this class nest without end.");
	TL_TRY(tl_type_strip(class, &class, error));
	TL_TRY(tl_type_members(class, &members, &count, error));
	for (tl_size i = 0; i < count && !*has_ret; i++) {
		bool data = members[i].kind == TL_MEMBER_FIELD || members[i].kind == TL_MEMBER_STATIC;

		*has_ret = data && members[i].name != NULL && strcmp(members[i].name, name) == 0;
		if (members[i].kind != TL_MEMBER_BASE && (!data || members[i].name != NULL))
			continue;
		TL_TRY(tl_member_type(class, &members[i], &inner, error));
		TL_TRY(has_member(inner, name, depth + 1, looked_at, has_ret, error));
	}
	return TL_OK;
}

/* A member of the object whose function this is. */
static enum tl_status find_member(struct tl_environment_store *store, const char *name, struct tl_value *value_ret,
				  bool *found_ret, struct tl_error *error)
{
	const struct tl_type *class;
	struct tl_variable variable;
	struct tl_value object;
	unsigned looked_at = 0;
	bool found = false;

	if (store->unit == NULL || !tl_tree_has_scopes(store->unit))
		return TL_OK;
	TL_TRY(tl_environment_find_local(store, "this", &variable, &found, error));
	if (!found)
		return TL_OK;
	TL_TRY(tl_type_of(store->variables.types, &variable.entry, &class, error));
	TL_TRY(tl_type_strip(class, &class, error));
	if (class->kind != TL_TYPE_POINTER)
		return TL_OK;
	TL_TRY(tl_type_target(class, &class, error));
	TL_TRY(has_member(class, name, 0, &looked_at, found_ret, error));
	if (!*found_ret)
		return TL_OK;
	/* What it is called is clear, even if the object is gone: nothing further out is meant. */
	TL_TRY(local_value(store, &variable, &object, error));
	return tl_value_member(&store->values, &object, name, value_ret, error);
}

/* ---- Names that the index knows ---- */

static const char *last_part(const char *name)
{
	const char *at = strrchr(name, ':');

	return at != NULL ? at + 1 : name;
}

static enum tl_status nearest_value(struct tl_environment_store *store, const struct tl_nearest *nearest,
				    const char *name, struct tl_value *value_ret, bool *found_ret,
				    struct tl_error *error)
{
	struct tl_variable_frame frame;
	struct tl_entry parent;

	if (nearest->kind == TL_INDEX_FUNCTION)
		return tl_environment_function_value(store, nearest, value_ret, found_ret, error);
	if (nearest->kind == TL_INDEX_ENUMERATOR) {
		TL_TRY(tl_tree_parent(nearest->module->binary->tree, &nearest->entry, &parent, error));
		return enumerator_of(store, nearest->module, &parent, last_part(name), value_ret, found_ret, error);
	}
	TL_TRY(tl_environment_static_frame(store, nearest->module, &frame, error));
	*found_ret = true;
	return tl_environment_value_of(store, &frame, &nearest->entry, value_ret, error);
}

static enum tl_status find_indexed(struct tl_environment_store *store, const char *file, const char *name,
				   struct tl_value *value_ret, bool *found_ret, struct tl_error *error)
{
	struct tl_nearest nearest;

	TL_TRY(tl_environment_nearest(store, file, name, TL_INDEX_FUNCTION | TL_INDEX_VARIABLE | TL_INDEX_ENUMERATOR,
				      NULL, NULL, &nearest, error));
	if (nearest.module == NULL)
		return TL_OK;
	return nearest_value(store, &nearest, name, value_ret, found_ret, error);
}

/* using a::name; in a function, or in the file: it stands for what has that name there. */
static enum tl_status find_imported(struct tl_environment_store *store, const char *name, struct tl_value *value_ret,
				    bool *found_ret, struct tl_error *error)
{
	struct tl_output full = tl_output_make(4096);
	enum tl_status status = tl_environment_imported_name(store, name, &full, error);

	if (status == TL_OK && full.size != 0)
		status = find_indexed(store, NULL, tl_output_string(&full), value_ret, found_ret, error);
	tl_output_release(&full);
	return status;
}

/* A class's static member, whose class is named, too: what is constant has no other place than its declaration. */
static enum tl_status find_static_member(struct tl_environment_store *store, const char *name,
					 struct tl_value *value_ret, bool *found_ret, struct tl_error *error)
{
	const char *last = last_part(name);
	const struct tl_type *class = NULL;
	const struct tl_member *members;
	tl_size count;
	char *scope;

	if (last - name < 3)
		return TL_OK;
	scope = tl_arena_copy(store->at.arena, name, (tl_size)(last - name) - 2);
	if (scope == NULL)
		return tl_environment_no_storage(error);
	TL_TRY(tl_environment_find_type(store, scope, TL_TAG_NONE, &class, error));
	if (class == NULL)
		return TL_OK;
	TL_TRY(tl_type_strip(class, &class, error));
	TL_TRY(tl_type_members(class, &members, &count, error));
	for (tl_size i = 0; i < count; i++)
		if (members[i].kind == TL_MEMBER_STATIC && members[i].name != NULL &&
		    strcmp(members[i].name, last) == 0) {
			*found_ret = true;
			return tl_environment_static_member(store, &members[i], value_ret, error);
		}
	return TL_OK;
}

/* A declaration of a variable among the topmost entries of a unit; tag 0 when there is none. */
static enum tl_status declaration_in(const struct tl_unit *unit, const char *name, tl_u64 *left,
				     struct tl_entry *entry_ret, struct tl_error *error)
{
	TL_TRY(tl_entry_top(unit, entry_ret, error));
	TL_TRY(tl_entry_child(entry_ret, entry_ret, error));
	while (entry_ret->tag != 0) {
		struct tl_attribute own = {.kind = TL_CLASS_NONE};

		/* What has its name from elsewhere belongs there: into a namespace, or a class. */
		if (entry_ret->tag == DW_TAG_variable)
			TL_TRY(tl_entry_attribute(entry_ret, DW_AT_name, &own, error));
		if (own.kind == TL_CLASS_STRING && strcmp(own.text, name) == 0)
			return TL_OK;
		if (*left == 0 || --*left == 0)
			break;
		TL_TRY(tl_entry_sibling(entry_ret, entry_ret, error));
	}
	entry_ret->tag = 0;
	return TL_OK;
}

/* A variable of the whole program that the unit declares, and some library without debug information defines. */
static enum tl_status find_declared(struct tl_environment_store *store, const char *name, struct tl_value *value_ret,
				    bool *found_ret, struct tl_error *error)
{
	struct tl_variable_frame frame;
	tl_u64 left = ENTRIES_MAX;
	struct tl_entry entry;

	if (store->unit == NULL)
		return TL_OK;
	TL_TRY(declaration_in(store->unit, name, &left, &entry, error));
	if (entry.tag == 0)
		return TL_OK;
	TL_TRY(tl_environment_static_frame(store, store->module, &frame, error));
	TL_TRY(tl_environment_value_of(store, &frame, &entry, value_ret, error));
	*found_ret = value_ret->place == TL_VALUE_IN_MEMORY;
	return TL_OK;
}

/* The type with which any unit of a module declares a variable; NULL when none does, or not among the first ones. */
static enum tl_status declared_type(const struct tl_module *module, const char *name, const struct tl_type **type_ret,
				    struct tl_error *error)
{
	tl_u64 left = ENTRIES_MAX;
	struct tl_entry entry;

	for (tl_size i = 0; i < tl_dwarf_unit_count(module->binary->dwarf) && left != 0; i++) {
		if (declaration_in(tl_dwarf_unit(module->binary->dwarf, i), name, &left, &entry, NULL) == TL_OK &&
		    entry.tag != 0)
			return tl_type_of(module->binary->types, &entry, type_ret, error);
	}
	return TL_OK;
}

/* ---- Variables of a function that is named: f::x ---- */

static enum tl_status is_named(const struct tl_entry *entry, const char *name, bool *named_ret, struct tl_error *error)
{
	struct tl_attribute attribute;

	TL_TRY(tl_entry_inherited(entry, DW_AT_name, &attribute, error));
	*named_ret = attribute.kind == TL_CLASS_STRING && strcmp(attribute.text, name) == 0;
	return TL_OK;
}

/* A variable in a function, of any block, that stands in memory whether the function runs or not. */
static enum tl_status find_static(struct tl_environment_store *store, const struct tl_variable_frame *frame,
				  const struct tl_entry *around, const char *name, unsigned depth,
				  struct tl_value *value_ret, bool *found_ret, struct tl_error *error)
{
	struct tl_entry child;

	if (depth == DEPTH_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "blocks nest more than %d deep", DEPTH_MAX);
	TL_TRY(tl_entry_child(around, &child, error));
	while (child.tag != 0 && !*found_ret) {
		bool named = false;

		if (child.tag == DW_TAG_lexical_block || child.tag == DW_TAG_inlined_subroutine)
			TL_TRY(find_static(store, frame, &child, name, depth + 1, value_ret, found_ret, error));
		else if (child.tag == DW_TAG_variable)
			TL_TRY(is_named(&child, name, &named, error));
		/* What needs a frame is an error without one. */
		if (named && tl_environment_value_of(store, frame, &child, value_ret, NULL) == TL_OK)
			*found_ret = value_ret->place == TL_VALUE_IN_MEMORY;
		TL_TRY(tl_entry_sibling(&child, &child, error));
	}
	return TL_OK;
}

/* The innermost activation of a function that has a variable of that name. */
static enum tl_status find_in_frames(struct tl_environment_store *store, const char *function, const char *name,
				     struct tl_value *value_ret, bool *found_ret, struct tl_error *error)
{
	const struct tl_stack_frame *frame;

	/* From the selected one outwards. */
	for (tl_u32 level = store->at.level; level - store->at.level < FRAMES_MAX && !*found_ret; level++) {
		struct tl_variable_frame variables;
		struct tl_variable variable;
		bool found = false;

		if (tl_stack_frame(store->at.stack, level, &frame, NULL) != TL_OK)
			return TL_OK;
		if (!frame->has_function || frame->name == NULL || strcmp(frame->name, function) != 0)
			continue;
		TL_TRY(local_of(&frame->chain->scopes[frame->first], frame->last - frame->first + 1, name, &variable,
				&found, error));
		if (!found)
			continue;
		TL_TRY(tl_stack_variables(store->at.stack, frame, &variables, error));
		TL_TRY(tl_environment_value_of(store, &variables, &variable.entry, value_ret, error));
		*found_ret = true;
	}
	return TL_OK;
}

static enum tl_status find_in_function(struct tl_environment_store *store, const char *name, struct tl_value *value_ret,
				       bool *found_ret, struct tl_error *error)
{
	const char *variable = last_part(name);
	struct tl_variable_frame frame;
	struct tl_nearest nearest;
	char *function;

	if (variable - name < 3)
		return TL_OK;
	function = tl_arena_copy(store->at.arena, name, (tl_size)(variable - name) - 2);
	if (function == NULL)
		return tl_environment_no_storage(error);
	if (store->at.stack != NULL)
		TL_TRY(find_in_frames(store, function, variable, value_ret, found_ret, error));
	if (*found_ret)
		return TL_OK;
	TL_TRY(tl_environment_nearest(store, NULL, function, TL_INDEX_FUNCTION, NULL, NULL, &nearest, error));
	if (nearest.module == NULL)
		return TL_OK;
	TL_TRY(tl_environment_static_frame(store, nearest.module, &frame, error));
	return find_static(store, &frame, &nearest.entry, variable, 0, value_ret, found_ret, error);
}

/* ---- Values at the function's entry ---- */

static enum tl_status find_at_entry(struct tl_environment_store *store, const char *name, tl_size size,
				    struct tl_value *value_ret, struct tl_error *error)
{
	char *parameter = tl_arena_copy(store->at.arena, name, size);
	struct tl_variable variable;
	bool found = false;

	if (parameter == NULL)
		return tl_environment_no_storage(error);
	TL_TRY(tl_environment_find_local(store, parameter, &variable, &found, error));
	if (!found)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No symbol \"%s\" in current context.", parameter);
	if (!variable.parameter)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "@entry can be used only for function parameters, not for %s.",
			       parameter);
	return tl_environment_at_entry(store, &variable.entry, value_ret, error);
}

/* ---- Names that only symbol tables know ---- */

struct symbol {
	struct tl_elf_name symbol;
	bool found;
};

/* A global one before a local one. */
static bool take_symbol(void *context, const struct tl_elf_name *symbol)
{
	struct symbol *search = context;

	if (symbol->section == SHN_ABS || symbol->type == STT_SECTION || symbol->type == STT_FILE)
		return true;
	if (!search->found || (search->symbol.binding == STB_LOCAL && symbol->binding != STB_LOCAL))
		search->symbol = *symbol;
	search->found = true;
	return search->symbol.binding == STB_LOCAL;
}

/* Types by which gdb's users know them: neither can be used before it is cast. */
static enum tl_status unknown_type(struct tl_environment_store *store, bool code, const struct tl_type **type_ret,
				   struct tl_error *error)
{
	struct tl_types *types = store->values.types;
	const struct tl_type *type;

	TL_TRY(tl_type_make_unspecified(types, code ? "<unknown return type>" : "<unknown type>", &type, error));
	if (code)
		TL_TRY(tl_type_make_function(type, NULL, 0, TL_MADE_UNKNOWN, &type, error));
	return tl_type_make_typedef(type, code ? "<text variable, no debug info>" : "<data variable, no debug info>",
				    type_ret, error);
}

static enum tl_status symbol_value(struct tl_environment_store *store, const struct tl_module *module, const char *name,
				   const struct tl_elf_name *symbol, struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_module *program = tl_modules_get(store->at.modules, 0);
	const bool code = symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC || symbol->origin == TL_ELF_PLT;
	tl_u64 address = symbol->address + module->bias;
	const struct tl_type *type;

	if (symbol->type == STT_TLS) {
		if (store->at.stack == NULL)
			return TL_FAIL(error, TL_ERROR_STATE,
				       "Cannot access thread-local variable %s: no thread is selected.", symbol->name);
		TL_TRY(tl_stack_thread_storage(store->at.stack, module, symbol->address, &address, error));
	}
	type = NULL;
	if (!code && store->module != NULL)
		TL_TRY(declared_type(store->module, name, &type, error));
	if (!code && type == NULL && program != NULL && program != store->module)
		TL_TRY(declared_type(program, name, &type, error));
	if (type == NULL)
		TL_TRY(unknown_type(store, code, &type, error));
	return tl_value_at(&store->values, type, address, value_ret, error);
}

static enum tl_status find_symbol(struct tl_environment_store *store, const char *name, struct tl_value *value_ret,
				  bool *found_ret, struct tl_error *error)
{
	const struct tl_module *module = store->module;
	struct symbol search = {.found = false};
	char stub[TL_VARIABLE_NAME_MAX + 8];

	if (module != NULL)
		TL_TRY(tl_elf_symbols_find(module->binary->symbols, name, take_symbol, &search, error));
	for (tl_size i = 0; !search.found && (module = tl_modules_get(store->at.modules, i)) != NULL; i++)
		TL_TRY(tl_elf_symbols_find(module->binary->symbols, name, take_symbol, &search, error));
	/* Of a function whose library is not loaded yet there is the stub that calls it. */
	if (!search.found && (module = tl_modules_get(store->at.modules, 0)) != NULL &&
	    strlen(name) < TL_VARIABLE_NAME_MAX) {
		snprintf(stub, sizeof(stub), "%s@plt", name);
		TL_TRY(tl_elf_symbols_find(module->binary->symbols, stub, take_symbol, &search, error));
	}
	if (!search.found)
		return TL_OK;
	*found_ret = true;
	return symbol_value(store, module, name, &search.symbol, value_ret, error);
}

/* ---- All of it, in order ---- */

enum tl_status tl_environment_find_name(void *context, const char *file, const char *name, struct tl_value *value_ret,
					bool *found_ret, struct tl_error *error)
{
	static enum tl_status (*const ways[])(struct tl_environment_store * store, const char *name,
					      struct tl_value *value_ret, bool *found_ret, struct tl_error *error) = {
		find_in_scopes, find_member, find_imported, NULL, find_declared, find_symbol};
	struct tl_environment_store *store = context;
	const char *at = strchr(name, '@');
	const struct tl_type *type = NULL;
	bool scoped = strstr(name, "::") != NULL;

	*found_ret = false;
	if (at != NULL && strcmp(at, "@entry") == 0) {
		*found_ret = true;
		return find_at_entry(store, name, (tl_size)(at - name), value_ret, error);
	}
	if (file != NULL)
		return find_indexed(store, file, name, value_ret, found_ret, error);
	for (tl_size i = scoped ? 3 : 0; i < TL_COUNT(ways) && !*found_ret; i++) {
		/* A type of the class at hand is meant before anything further out. */
		if (i == 2)
			TL_TRY(tl_environment_class_type(store, name, &type, error));
		if (type != NULL)
			return TL_OK;
		if (ways[i] == NULL)
			TL_TRY(find_indexed(store, NULL, name, value_ret, found_ret, error));
		else
			TL_TRY(ways[i](store, name, value_ret, found_ret, error));
	}
	if (scoped && !*found_ret)
		TL_TRY(find_static_member(store, name, value_ret, found_ret, error));
	if (scoped && !*found_ret)
		TL_TRY(find_in_function(store, name, value_ret, found_ret, error));
	return TL_OK;
}

enum tl_status tl_environment_describe(struct tl_environment_store *store, const char *name,
				       struct tl_described *described_ret, struct tl_error *error)
{
	struct tl_described described = {.module = store->module};
	struct tl_nearest nearest = {.module = NULL};
	struct tl_variable variable;
	bool found = false;

	TL_TRY(tl_environment_find_local(store, name, &variable, &found, error));
	if (found) {
		described.entry = variable.entry;
		described.around = store->scopes[store->scope_count - 1].entry;
		if (store->frame != NULL)
			described.around = store->variables.function;
		described.address = store->frame != NULL ? store->frame->lookup : store->at.address;
	} else {
		TL_TRY(tl_environment_nearest(store, NULL, name,
					      TL_INDEX_FUNCTION | TL_INDEX_VARIABLE | TL_INDEX_ENUMERATOR, NULL, NULL,
					      &nearest, error));
		described.module = nearest.module;
		described.entry = nearest.entry;
		described.function = nearest.kind == TL_INDEX_FUNCTION;
		described.enumerator = nearest.kind == TL_INDEX_ENUMERATOR;
	}
	*described_ret = described;
	return TL_OK;
}
