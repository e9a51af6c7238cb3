#include "symbols/type_index.h"

#include "symbols/dwarf_constants.h"

struct search {
	tl_u16 tag;
	const struct tl_unit *near;
	const struct tl_unit *unit; /* of what was found; NULL: nothing yet */
	tl_u64 offset;
};

static bool is_struct(tl_u16 tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_interface_type;
}

static bool take(void *context, const struct tl_indexed *found)
{
	struct search *search = context;

	if (found->tag != search->tag && !(is_struct(found->tag) && is_struct(search->tag)))
		return true;
	if (search->unit != NULL && found->unit != search->near)
		return true;
	search->unit = found->unit;
	search->offset = found->offset;
	return found->unit != search->near;
}

enum tl_status tl_type_find_in_index(void *index, const char *name, tl_u16 tag, const struct tl_unit *near,
				     struct tl_entry *entry_ret, bool *found_ret, struct tl_error *error)
{
	struct search search = {.tag = tag, .near = near};

	TL_TRY(tl_index_find(index, name, TL_INDEX_TYPE, take, &search, error));
	if (search.unit != NULL)
		TL_TRY(tl_entry_at(search.unit, search.offset, entry_ret, error));
	*found_ret = search.unit != NULL;
	return TL_OK;
}
