#include "symbols/dwarf_constants.h"
#include "symbols/type_text_internal.h"

#include <string.h>

/* Bases that are looked at for names in a class, on all the ways that lead to them. */
#define CLASSES_MAX 4096

/* Whether two stripped types are one: by their names, or, of pointers and references, by what these lead to. */
static enum tl_status is_same(struct tl_type_text *text, const struct tl_type *left, const struct tl_type *right,
			      bool *same_ret)
{
	const char *one = NULL, *other = NULL;

	for (int i = 0; i < TL_TYPE_TEXT_STEPS_MAX; i++) {
		*same_ret = left == right;
		if (left == right || left->kind != right->kind)
			return TL_OK;
		if (left->kind != TL_TYPE_POINTER && left->kind != TL_TYPE_REFERENCE &&
		    left->kind != TL_TYPE_RVALUE_REFERENCE)
			break;
		TL_TRY(tl_type_target(left, &left, text->error));
		TL_TRY(tl_type_target(right, &right, text->error));
		TL_TRY(tl_type_strip(left, &left, text->error));
		TL_TRY(tl_type_strip(right, &right, text->error));
	}
	if (left->name == NULL || right->name == NULL || strcmp(left->name, right->name) != 0)
		return TL_OK;
	TL_TRY(tl_type_full_name(left, &one, text->error));
	TL_TRY(tl_type_full_name(right, &other, text->error));
	*same_ret = one != NULL && other != NULL && strcmp(one, other) == 0;
	return TL_OK;
}

static enum tl_status find_in(struct tl_type_text *text, const struct tl_type_aliases *aliases, tl_size count,
			      const struct tl_type *type, const char **name_ret)
{
	bool same = false;

	if (aliases == NULL)
		return TL_OK;
	TL_TRY(find_in(text, aliases->outer, aliases->outer != NULL ? aliases->outer->count : 0, type, name_ret));
	for (tl_size i = 0; i < count && *name_ret == NULL; i++) {
		TL_TRY(is_same(text, aliases->items[i].type, type, &same));
		if (same)
			*name_ret = aliases->items[i].name;
	}
	return TL_OK;
}

/* The name of a typedef that the class has, which goes without the class there; NULL: it is none. */
static const char *own_typedef(const struct tl_type_text *text, const struct tl_type *type)
{
	for (const struct tl_type_aliases *at = text->aliases; at != NULL && !text->no_typedefs; at = at->outer)
		for (tl_size i = at->parameters; i < at->count; i++)
			if (at->items[i].alias == type)
				return at->items[i].name;
	return NULL;
}

enum tl_status tl_type_text_alias(struct tl_type_text *text, const struct tl_type *type, const char **name_ret)
{
	const struct tl_type_aliases *aliases = text->aliases;

	*name_ret = NULL;
	if (aliases == NULL)
		return TL_OK;
	*name_ret = own_typedef(text, type);
	if (*name_ret != NULL)
		return TL_OK;
	TL_TRY(tl_type_strip(type, &type, text->error));
	return find_in(text, aliases, text->no_typedefs ? aliases->parameters : aliases->count, type, name_ret);
}

static enum tl_status add_aliases(struct tl_type_text *text, struct tl_type_aliases *aliases,
				  const struct tl_type *class, enum tl_member_kind kind, unsigned level,
				  unsigned *looked_at)
{
	const struct tl_member *members;
	const struct tl_type *type;
	tl_size count;

	if (level > TL_TYPE_TEXT_STEPS_MAX || ++*looked_at > CLASSES_MAX)
		return tl_type_text_too_deep(text);
	TL_TRY(tl_type_members(class, &members, &count, text->error));
	for (tl_size i = 0; i < count && aliases->count < TL_TYPE_ALIASES_MAX; i++) {
		if (members[i].kind != kind || members[i].name == NULL ||
		    (kind == TL_MEMBER_TYPE && members[i].entry.tag != DW_TAG_typedef))
			continue;
		TL_TRY(tl_member_type(class, &members[i], &type, text->error));
		aliases->items[aliases->count].alias = type;
		TL_TRY(tl_type_strip(type, &type, text->error));
		aliases->items[aliases->count].type = type;
		aliases->items[aliases->count++].name = members[i].name;
	}
	for (tl_size i = 0; i < count && kind == TL_MEMBER_TYPE; i++)
		if (members[i].kind == TL_MEMBER_BASE) {
			TL_TRY(tl_member_type(class, &members[i], &type, text->error));
			TL_TRY(tl_type_strip(type, &type, text->error));
			TL_TRY(add_aliases(text, aliases, type, kind, level + 1, looked_at));
		}
	return TL_OK;
}

enum tl_status tl_type_text_add_aliases(struct tl_type_text *text, struct tl_type_aliases *aliases,
					const struct tl_type *class)
{
	unsigned looked_at = 0;

	aliases->count = 0;
	TL_TRY(add_aliases(text, aliases, class, TL_MEMBER_TEMPLATE_TYPE, 0, &looked_at));
	aliases->parameters = aliases->count;
	return add_aliases(text, aliases, class, TL_MEMBER_TYPE, 0, &looked_at);
}
