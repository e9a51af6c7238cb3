/* How types are aligned. */
#include "symbols/dwarf_constants.h"
#include "symbols/type.h"

#define DEPTH_MAX 64
/* No program's type has so many members, those of its members counted in. */
#define TYPES_MAX 20000

/* What is said at the entry itself (DWARF 5, section 5.1): it can only be stricter than what the members ask for. */
static enum tl_status stated(const struct tl_entry *entry, tl_u64 *alignment, struct tl_error *error)
{
	struct tl_attribute attribute;

	if (entry->tag == 0)
		return TL_OK;
	TL_TRY(tl_entry_attribute(entry, DW_AT_alignment, &attribute, error));
	if (attribute.kind == TL_CLASS_UNSIGNED && attribute.number > *alignment)
		*alignment = attribute.number;
	return TL_OK;
}

static enum tl_status alignment_of(const struct tl_type *type, unsigned depth, unsigned *types, tl_u64 *alignment_ret,
				   struct tl_error *error)
{
	const struct tl_type *stripped, *inner;
	const struct tl_member *members;
	tl_size count;
	bool known;

	TL_TRY(tl_type_strip(type, &stripped, error));
	if (depth > DEPTH_MAX || ++*types > TYPES_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "The members of this type nest without end.");
	if (stripped->kind == TL_TYPE_ARRAY && !stripped->vector) {
		TL_TRY(tl_type_target(stripped, &inner, error));
		return alignment_of(inner, depth + 1, types, alignment_ret, error);
	}
	*alignment_ret = 1;
	if (stripped->kind != TL_TYPE_STRUCT && stripped->kind != TL_TYPE_CLASS && stripped->kind != TL_TYPE_UNION) {
		TL_TRY(tl_type_size(stripped, alignment_ret, &known, error));
		/* Of a complex number, as each of its two parts. */
		if (stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_complex_float)
			*alignment_ret /= 2;
		if (!known || *alignment_ret == 0)
			*alignment_ret = 1;
		return TL_OK;
	}
	TL_TRY(stated(&stripped->entry, alignment_ret, error));
	TL_TRY(tl_type_members(stripped, &members, &count, error));
	for (tl_size i = 0; i < count; i++) {
		tl_u64 alignment;

		if (members[i].kind != TL_MEMBER_FIELD && members[i].kind != TL_MEMBER_BASE)
			continue;
		TL_TRY(tl_member_type(stripped, &members[i], &inner, error));
		TL_TRY(alignment_of(inner, depth + 1, types, &alignment, error));
		TL_TRY(stated(&members[i].entry, &alignment, error));
		*alignment_ret = alignment > *alignment_ret ? alignment : *alignment_ret;
	}
	return TL_OK;
}

enum tl_status tl_type_alignment(const struct tl_type *type, tl_u64 *alignment_ret, struct tl_error *error)
{
	unsigned types = 0;

	return alignment_of(type, 0, &types, alignment_ret, error);
}
