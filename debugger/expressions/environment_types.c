/* Types by name: of the scopes around, of the file, of the module, of all of them. */
#include "debugger/expressions/environment_internal.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

/* Classes are derived from one another no deeper but in damaged files. */
#define BASES_MAX 64
/* Bases that are reached by many ways are looked at on each of them. */
#define LOOKED_AT_MAX 4096

struct wanted {
	const char *name; /* without what encloses it */
	enum tl_type_tag tag;
	bool has_scopes;    /* in C++ a tag is a name by itself */
	bool has_arguments; /* <...> behind the name */
	struct tl_entry entry;
	bool found;
};

static bool is_class(tl_u16 tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_interface_type;
}

/* Whether an entry of that tag is what one asks for with `struct`, `union`, `enum`, `class`, or by the name alone. */
static bool fits(tl_u16 tag, enum tl_type_tag wanted, bool has_scopes)
{
	switch (wanted) {
	case TL_TAG_NONE:
		return tag == DW_TAG_base_type || tag == DW_TAG_typedef || tag == DW_TAG_unspecified_type ||
		       (has_scopes && (is_class(tag) || tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type));
	case TL_TAG_STRUCT:
	case TL_TAG_CLASS:
		return is_class(tag);
	case TL_TAG_UNION:
		return tag == DW_TAG_union_type;
	case TL_TAG_ENUM:
		return tag == DW_TAG_enumeration_type;
	}
	return false;
}

/* Names of instances as people may write them: integers by their short names, and white space as one likes. */
static bool same_instance(const char *left, const char *right)
{
	struct tl_output a = tl_output_make(4096), b = tl_output_make(4096);
	const char *at, *other;

	tl_type_write_canonical(left, &a);
	tl_type_write_canonical(right, &b);
	at = tl_output_string(&a);
	other = tl_output_string(&b);
	while (*at != '\0' || *other != '\0') {
		while (*at == ' ')
			at++;
		while (*other == ' ')
			other++;
		if (*at != *other)
			break;
		if (*at != '\0')
			at++, other++;
	}
	at = *at == '\0' && *other == '\0' ? "" : NULL;
	tl_output_release(&a);
	tl_output_release(&b);
	return at != NULL;
}

static bool is_wanted(void *context, const struct tl_indexed *found)
{
	const struct wanted *wanted = context;

	if (!fits(found->tag, wanted->tag, tl_tree_has_scopes(found->unit)))
		return false;
	/* A template's name is not the name of any of its instances. */
	if (strchr(found->name, '<') == NULL)
		return !wanted->has_arguments;
	return wanted->has_arguments && same_instance(found->name, wanted->name);
}

static bool take_local(void *context, const struct tl_entry *type)
{
	struct wanted *wanted = context;
	struct tl_attribute name;

	if (!fits(type->tag, wanted->tag, wanted->has_scopes) ||
	    tl_entry_inherited(type, DW_AT_name, &name, NULL) != TL_OK || name.kind != TL_CLASS_STRING ||
	    strcmp(name.text, wanted->name) != 0)
		return true;
	wanted->entry = *type;
	wanted->found = true;
	return false;
}

/* Where the last part of a name begins: colons between < and > belong to arguments. */
static const char *last_part(const char *name)
{
	const char *last = name;
	unsigned depth = 0;

	for (const char *at = name; *at != '\0'; at++) {
		depth += *at == '<';
		depth -= *at == '>' && depth != 0;
		if (depth == 0 && *at == ':')
			last = at + 1;
	}
	return last;
}

/* What the index is asked for: the template, where an instance is wanted. */
static const char *without_arguments(struct tl_environment_store *store, const char *name, const char *last)
{
	const char *arguments = strchr(last, '<');

	return arguments != NULL ? tl_arena_copy(store->at.arena, name, (tl_size)(arguments - name)) : name;
}

/* Types that every program of C or C++ has, whether it uses them or not. */
static enum tl_status find_always(struct tl_environment_store *store, const char *name, const struct tl_type **type_ret,
				  struct tl_error *error)
{
	static const struct {
		const char *name;
		tl_u8 encoding, size;
	} always[] = {{"_Bool", DW_ATE_boolean, 1},
		      {"char8_t", DW_ATE_UTF, 1},
		      {"char16_t", DW_ATE_UTF, 2},
		      {"char32_t", DW_ATE_UTF, 4}};

	for (tl_size i = 0; i < TL_COUNT(always); i++)
		if (strcmp(always[i].name, name) == 0)
			return tl_type_make_base(store->values.types, always[i].name, always[i].encoding,
						 always[i].size, type_ret, error);
	return TL_OK;
}

/* A type that a class declares, or one of its bases does. */
static enum tl_status find_inherited(const struct tl_type *class, const struct wanted *wanted, unsigned depth,
				     unsigned *looked_at, const struct tl_type **type_ret, struct tl_error *error)
{
	const struct tl_member *members;
	const struct tl_type *base;
	tl_size count;

	if (depth == BASES_MAX || ++*looked_at > LOOKED_AT_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "The bases of this class nest without end.");
	TL_TRY(tl_type_strip(class, &class, error));
	TL_TRY(tl_type_members(class, &members, &count, error));
	for (tl_size i = 0; i < count; i++)
		if (members[i].kind == TL_MEMBER_TYPE && members[i].name != NULL &&
		    strcmp(members[i].name, wanted->name) == 0 && fits(members[i].entry.tag, wanted->tag, true))
			return tl_member_type(class, &members[i], type_ret, error);
	for (tl_size i = 0; i < count && *type_ret == NULL; i++)
		if (members[i].kind == TL_MEMBER_BASE) {
			TL_TRY(tl_member_type(class, &members[i], &base, error));
			TL_TRY(find_inherited(base, wanted, depth + 1, looked_at, type_ret, error));
		}
	return TL_OK;
}

/* In a member function, a type of its class. */
static enum tl_status find_in_class(struct tl_environment_store *store, const struct wanted *wanted,
				    const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_variable this;
	const struct tl_type *type;
	unsigned looked_at = 0;
	bool found = false;

	if (!wanted->has_scopes)
		return TL_OK;
	TL_TRY(tl_environment_find_local(store, "this", &this, &found, error));
	if (!found)
		return TL_OK;
	TL_TRY(tl_type_of(store->variables.types, &this.entry, &type, error));
	TL_TRY(tl_type_strip(type, &type, error));
	if (type->kind != TL_TYPE_POINTER)
		return TL_OK;
	TL_TRY(tl_type_target(type, &type, error));
	return find_inherited(type, wanted, 0, &looked_at, type_ret, error);
}

enum tl_status tl_environment_class_type(struct tl_environment_store *store, const char *name,
					 const struct tl_type **type_ret, struct tl_error *error)
{
	const struct wanted wanted = {
		.name = name, .tag = TL_TAG_NONE, .has_scopes = store->unit != NULL && tl_tree_has_scopes(store->unit)};

	*type_ret = NULL;
	return find_in_class(store, &wanted, type_ret, error);
}

/* What a using declaration brings in under a name; else the name itself. */
static enum tl_status whole_name(struct tl_environment_store *store, const char *name, const char **name_ret,
				 struct tl_error *error)
{
	struct tl_output full = tl_output_make(4096);
	enum tl_status status = tl_environment_imported_name(store, name, &full, error);

	*name_ret = name;
	if (status == TL_OK && full.size != 0)
		*name_ret = tl_arena_copy(store->at.arena, tl_output_string(&full), full.size);
	tl_output_release(&full);
	if (*name_ret == NULL)
		return tl_environment_no_storage(error);
	return status;
}

enum tl_status tl_environment_find_type(void *context, const char *name, enum tl_type_tag tag,
					const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	const char *last = last_part(name), *base = without_arguments(store, name, last);
	struct wanted wanted = {.name = last,
				.tag = tag,
				.has_scopes = store->unit != NULL && tl_tree_has_scopes(store->unit),
				.has_arguments = base != name};
	struct tl_nearest nearest;

	*type_ret = NULL;
	if (base == NULL)
		return tl_environment_no_storage(error);
	for (tl_size i = 0; i < store->scope_count && !wanted.found && last == name; i++)
		TL_TRY(tl_scope_types(&store->scopes[i], take_local, &wanted, error));
	if (wanted.found)
		return tl_type_at(store->module->binary->types, &wanted.entry, type_ret, error);
	if (last == name)
		TL_TRY(find_in_class(store, &wanted, type_ret, error));
	if (*type_ret != NULL)
		return TL_OK;
	if (last == name)
		TL_TRY(whole_name(store, base, &base, error));
	TL_TRY(tl_environment_nearest(store, NULL, base, TL_INDEX_TYPE, is_wanted, &wanted, &nearest, error));
	if (nearest.module != NULL)
		return tl_type_at(nearest.module->binary->types, &nearest.entry, type_ret, error);
	return tag == TL_TAG_NONE ? find_always(store, name, type_ret, error) : TL_OK;
}
