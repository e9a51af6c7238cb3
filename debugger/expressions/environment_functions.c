/* Functions of C++, of which one name may have many; classes whose definition or table another module has. */
#include "debugger/expressions/environment_internal.h"
#include "symbols/demangle.h"
#include "symbols/dwarf_constants.h"

#include <stdio.h>
#include <string.h>

/* No name means more functions at one place that can be told apart by a person. */
#define FUNCTIONS_MAX 256

/* ---- Functions with code ---- */

enum tl_status tl_environment_function_value(struct tl_environment_store *store, const struct tl_nearest *nearest,
					     struct tl_value *value_ret, bool *found_ret, struct tl_error *error)
{
	const struct tl_type *type;
	tl_u64 start;

	if (!tl_entry_start(&nearest->entry, &start))
		return TL_OK;
	TL_TRY(tl_type_at(nearest->module->binary->types, &nearest->entry, &type, error));
	*found_ret = true;
	return tl_value_at(&store->values, type, start + nearest->module->bias, value_ret, error);
}

/* ---- All of a name ---- */

struct functions {
	struct tl_environment_store *store;
	struct tl_value *values;
	tl_size count;
};

static enum tl_status take_function(void *context, const struct tl_nearest *nearest, struct tl_error *error)
{
	struct functions *functions = context;
	struct tl_value value;
	bool found = false;

	if (functions->count == FUNCTIONS_MAX)
		return TL_OK;
	TL_TRY(tl_environment_function_value(functions->store, nearest, &value, &found, error));
	/* Of functions that several units have, one copy was kept. */
	for (tl_size i = 0; i < functions->count && found; i++)
		found = functions->values[i].address != value.address;
	if (found)
		functions->values[functions->count++] = value;
	return TL_OK;
}

static const char *last_part(const char *name)
{
	const char *last = name;
	unsigned depth = 0;

	/* "operator<" and its like end a name. */
	for (const char *at = name; *at != '\0'; at++) {
		if (strncmp(at, "operator", 8) == 0 && (at == name || at[-1] == ':'))
			return at;
		depth += *at == '<';
		depth -= *at == '>' && depth != 0;
		if (depth == 0 && *at == ':')
			last = at + 1;
	}
	return last;
}

/* The namespace that an argument's type stands in also has functions that take it. */
static enum tl_status find_beside(struct functions *functions, const struct tl_type *type, const char *name,
				  struct tl_error *error)
{
	const char *full = NULL, *last;
	tl_size size;
	char *whole;

	for (unsigned i = 0; i < 8; i++) {
		TL_TRY(tl_type_strip(type, &type, error));
		if (type->kind != TL_TYPE_POINTER && type->kind != TL_TYPE_REFERENCE &&
		    type->kind != TL_TYPE_RVALUE_REFERENCE)
			break;
		TL_TRY(tl_type_target(type, &type, error));
	}
	if (!type->has_scopes || type->name == NULL ||
	    (type->kind != TL_TYPE_STRUCT && type->kind != TL_TYPE_CLASS && type->kind != TL_TYPE_UNION &&
	     type->kind != TL_TYPE_ENUM))
		return TL_OK;
	TL_TRY(tl_type_full_name(type, &full, error));
	last = full != NULL ? last_part(full) : NULL;
	if (full == NULL || last == full)
		return TL_OK;
	size = (tl_size)(last - full) + strlen(name) + 3;
	whole = tl_arena_allocate(functions->store->at.arena, size);
	if (whole == NULL)
		return tl_environment_no_storage(error);
	snprintf(whole, size, "::%.*s%s", (int)(last - full), full, name);
	return tl_environment_each(functions->store, whole, TL_INDEX_FUNCTION, take_function, functions, error);
}

enum tl_status tl_environment_find_functions(void *context, const char *name, const struct tl_type *const *arguments,
					     tl_size argument_count, struct tl_value **functions_ret,
					     tl_size *count_ret, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	struct functions functions = {.store = store};
	struct tl_output full = tl_output_make(4096);
	enum tl_status status = TL_OK;

	functions.values = tl_arena_allocate(store->at.arena, FUNCTIONS_MAX * sizeof(*functions.values));
	if (functions.values == NULL)
		return tl_environment_no_storage(error);
	if (strstr(name, "::") == NULL)
		status = tl_environment_imported_name(store, name, &full, error);
	if (status == TL_OK)
		status = tl_environment_each(store, full.size != 0 ? tl_output_string(&full) : name, TL_INDEX_FUNCTION,
					     take_function, &functions, error);
	tl_output_release(&full);
	TL_TRY(status);
	for (tl_size i = 0; i < argument_count && strstr(name, "::") == NULL; i++)
		TL_TRY(find_beside(&functions, arguments[i], name, error));
	*functions_ret = functions.values;
	*count_ret = functions.count;
	return TL_OK;
}

/* ---- Member functions ---- */

/* Where the definition of what a class declares is: by the linker's name, which says parameters too. */
enum tl_status tl_environment_find_method(void *context, const struct tl_type *class, const struct tl_member *member,
					  struct tl_value *value_ret, bool *found_ret, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	const struct tl_module *module = tl_environment_module_of(store, member->entry.unit);
	const struct tl_type *function;
	struct tl_attribute linkage;
	tl_u64 address = 0;

	*found_ret = false;
	if (module == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "The module that has this type is not there any more.");
	TL_TRY(tl_entry_attribute(&member->entry, DW_AT_linkage_name, &linkage, error));
	if (linkage.kind != TL_CLASS_STRING)
		return TL_OK;
	*found_ret = tl_modules_symbol_address(store->at.modules, module, linkage.text, &address);
	if (!*found_ret)
		return TL_OK;
	TL_TRY(tl_member_type(class, member, &function, error));
	return tl_value_at(&store->values, function, address, value_ret, error);
}

/* ---- Classes of other modules ---- */

static bool is_definition(void *context, const struct tl_indexed *found)
{
	const struct tl_type *declared = context;
	const bool structs = (found->tag == DW_TAG_structure_type || found->tag == DW_TAG_class_type) &&
			     (declared->entry.tag == DW_TAG_structure_type || declared->entry.tag == DW_TAG_class_type);

	return (structs || found->tag == declared->entry.tag) && strcmp(found->name, declared->name) == 0;
}

enum tl_status tl_environment_complete(void *context, const struct tl_type *declared,
				       const struct tl_type **complete_ret, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	struct tl_type wanted = *declared;
	struct tl_nearest nearest;
	const char *full = NULL;
	char *absolute;

	if (declared->name == NULL || declared->entry.tag == 0)
		return TL_OK;
	TL_TRY(tl_type_full_name(declared, &full, error));
	if (full == NULL)
		return TL_OK;
	absolute = tl_arena_allocate(store->at.arena, strlen(full) + 3);
	if (absolute == NULL)
		return tl_environment_no_storage(error);
	snprintf(absolute, strlen(full) + 3, "::%s", full);
	TL_TRY(tl_environment_nearest(store, NULL, absolute, TL_INDEX_TYPE, is_definition, &wanted, &nearest, error));
	if (nearest.module == NULL)
		return TL_OK;
	return tl_type_at(nearest.module->binary->types, &nearest.entry, complete_ret, error);
}

/* The symbol says of whose objects it is a table: "vtable for a::b". What is used while an object is made is not. */
enum tl_status tl_environment_table_class(void *context, tl_u64 table, const struct tl_type **class_ret,
					  struct tl_error *error)
{
	static const char begin[] = "vtable for ";
	struct tl_environment_store *store = context;
	struct tl_output text = tl_output_make(TL_DEMANGLE_TEXT_MAX), name = tl_output_make(TL_DEMANGLE_TEXT_MAX);
	enum tl_status status = TL_OK;
	struct tl_elf_name symbol;
	const char *whole = NULL;
	tl_u64 start;

	*class_ret = NULL;
	if (tl_modules_symbol(store->at.modules, table, &symbol, &start) && strncmp(symbol.name, "_ZTV", 4) == 0 &&
	    (symbol.size == 0 || table - start < symbol.size) &&
	    tl_demangle(symbol.name, TL_DEMANGLE_WHOLE, &text, NULL) == TL_OK &&
	    strncmp(tl_output_string(&text), begin, sizeof(begin) - 1) == 0) {
		tl_output_text(&name, "::");
		tl_output_text(&name, tl_output_string(&text) + sizeof(begin) - 1);
		whole = tl_arena_copy(store->at.arena, tl_output_string(&name), name.size);
		status = whole == NULL ? tl_environment_no_storage(error)
				       : tl_environment_find_type(store, whole, TL_TAG_NONE, class_ret, error);
	}
	tl_output_release(&text);
	tl_output_release(&name);
	return status;
}
