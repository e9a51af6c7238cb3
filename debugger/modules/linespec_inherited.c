#include "debugger/modules/linespec_inherited.h"

#include "debugger/modules/linespec_names.h"

#include <string.h>

/* Bases of bases, and classes of one name in several libraries: beyond these nothing is looked for. */
#define DEPTH_MAX 8
#define LOOKED_AT_MAX 1024
#define CLASSES_MAX 16

/* The classes of a name that was typed. */
struct classes {
	struct {
		const struct tl_module *module;
		const struct tl_unit *unit;
		tl_u64 offset;
	} items[CLASSES_MAX];
	tl_size count;
};

struct search {
	const struct tl_function_query *query;
	struct tl_functions_found *found;
	const char *member; /* the last part of the name, with all behind it */
};

static bool take_class(void *context, const struct tl_named *named)
{
	struct classes *classes = context;

	classes->items[classes->count].module = named->module;
	classes->items[classes->count].unit = named->indexed->unit;
	classes->items[classes->count].offset = named->indexed->offset;
	return ++classes->count < CLASSES_MAX;
}

/* Looks for the member in a class by the name that debug information has for it. */
static enum tl_status find_in(const struct search *search, const char *class_name, struct tl_error *error)
{
	struct tl_function_query query = *search->query;
	struct tl_output name = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status;

	tl_output_format(&name, "%s::%s", class_name, search->member);
	status = tl_output_status(&name, error);
	query.name = (struct tl_word){tl_output_string(&name), name.size};
	if (status == TL_OK)
		status = tl_functions_find(&query, search->found, error);
	tl_output_release(&name);
	return status;
}

static enum tl_status find_in_bases(const struct search *search, const struct tl_type *type, unsigned depth,
				    unsigned *looked_at, struct tl_error *error)
{
	const struct tl_member *members;
	tl_size count;

	/* What is damaged has no bases. */
	if (depth == DEPTH_MAX || ++*looked_at > LOOKED_AT_MAX ||
	    (type->kind != TL_TYPE_STRUCT && type->kind != TL_TYPE_CLASS) ||
	    tl_type_members(type, &members, &count, NULL) != TL_OK)
		return TL_OK;
	for (tl_size i = 0; i < count; i++) {
		const struct tl_type *base;
		const char *name;

		if (members[i].kind != TL_MEMBER_BASE || tl_member_type(type, &members[i], &base, NULL) != TL_OK ||
		    tl_type_strip(base, &base, NULL) != TL_OK || tl_type_full_name(base, &name, NULL) != TL_OK ||
		    name == NULL)
			continue;
		TL_TRY(find_in(search, name, error));
		/* The nearest one hides those of its own bases. */
		if (search->found->count == 0)
			TL_TRY(find_in_bases(search, base, depth + 1, looked_at, error));
	}
	return TL_OK;
}

static enum tl_status find_in_classes(const struct search *search, const struct classes *classes,
				      struct tl_error *error)
{
	unsigned looked_at = 0;

	for (tl_size i = 0; i < classes->count; i++) {
		struct tl_types *types = classes->items[i].module->binary->types;
		const struct tl_type *type, *class;
		struct tl_entry entry;
		const char *name;

		if (tl_entry_at(classes->items[i].unit, classes->items[i].offset, &entry, NULL) != TL_OK ||
		    tl_type_at(types, &entry, &type, NULL) != TL_OK || tl_type_strip(type, &class, NULL) != TL_OK ||
		    tl_type_full_name(class, &name, NULL) != TL_OK || name == NULL)
			continue;
		if (class != type)
			TL_TRY(find_in(search, name, error));
		if (search->found->count == 0)
			TL_TRY(find_in_bases(search, class, 0, &looked_at, error));
		if (search->found->count != 0)
			break;
	}
	return TL_OK;
}

enum tl_status tl_functions_find_inherited(const struct tl_function_query *query, struct tl_functions_found *found,
					   struct tl_error *error)
{
	struct tl_output whole = tl_output_make(TL_OUTPUT_MAX), scope = tl_output_make(TL_OUTPUT_MAX);
	struct search search = {.query = query, .found = found};
	struct classes classes = {.count = 0};
	enum tl_status status;

	tl_output_bytes(&whole, query->name.text, query->name.size);
	search.member = tl_name_last_part(tl_output_string(&whole));
	if (search.member - tl_output_string(&whole) > 2)
		tl_output_bytes(&scope, whole.text, (tl_size)(search.member - whole.text) - 2);
	status = tl_output_status(&whole, error);
	if (status == TL_OK)
		status = tl_output_status(&scope, error);
	if (status == TL_OK && scope.size != 0)
		status = tl_modules_find(query->modules, query->near, tl_output_string(&scope), TL_INDEX_TYPE,
					 query->patience, take_class, &classes, error);
	if (status == TL_OK)
		status = find_in_classes(&search, &classes, error);
	tl_output_release(&whole);
	tl_output_release(&scope);
	return status;
}
