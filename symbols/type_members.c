/* Members of types: fields, bases, functions, enumerators, parameters. */
#include "base/storage.h"
#include "symbols/bytes.h"
#include "symbols/dwarf_constants.h"
#include "symbols/type_store.h"

/* What one pass over the attributes of a child finds. */
struct facts {
	const char *name;
	struct tl_attribute location, bit_size, bit_offset, data_bit_offset, byte_size, value;
	tl_u64 access;
	bool artificial, external, declaration, is_virtual, typed;
};

/* Members as they are found. */
struct list {
	struct tl_member *members;
	tl_size count, capacity;
};

static bool collect(void *context, const struct tl_attribute *attribute)
{
	struct facts *facts = context;

	switch (attribute->name) {
	case DW_AT_name:
		facts->name = attribute->kind == TL_CLASS_STRING ? attribute->text : NULL;
		break;
	case DW_AT_data_member_location:
		facts->location = *attribute;
		break;
	case DW_AT_bit_size:
		facts->bit_size = *attribute;
		break;
	case DW_AT_bit_offset:
		facts->bit_offset = *attribute;
		break;
	case DW_AT_data_bit_offset:
		facts->data_bit_offset = *attribute;
		break;
	case DW_AT_byte_size:
		facts->byte_size = *attribute;
		break;
	case DW_AT_const_value:
		facts->value = *attribute;
		break;
	case DW_AT_accessibility:
		facts->access = attribute->number;
		break;
	case DW_AT_virtuality:
		facts->is_virtual = attribute->number != DW_VIRTUALITY_none;
		break;
	case DW_AT_artificial:
		facts->artificial = attribute->number != 0;
		break;
	case DW_AT_external:
		facts->external = attribute->number != 0;
		break;
	case DW_AT_declaration:
		facts->declaration = attribute->number != 0;
		break;
	case DW_AT_type:
		facts->typed = true;
		break;
	default:
		break;
	}
	return true;
}

static bool kind_of(tl_u16 tag, enum tl_member_kind *kind_ret)
{
	switch (tag) {
	case DW_TAG_member:
		*kind_ret = TL_MEMBER_FIELD;
		return true;
	case DW_TAG_inheritance:
		*kind_ret = TL_MEMBER_BASE;
		return true;
	case DW_TAG_variable:
		*kind_ret = TL_MEMBER_STATIC;
		return true;
	case DW_TAG_subprogram:
		*kind_ret = TL_MEMBER_FUNCTION;
		return true;
	case DW_TAG_typedef:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		*kind_ret = TL_MEMBER_TYPE;
		return true;
	case DW_TAG_template_type_parameter:
		*kind_ret = TL_MEMBER_TEMPLATE_TYPE;
		return true;
	case DW_TAG_template_value_parameter:
		*kind_ret = TL_MEMBER_TEMPLATE_VALUE;
		return true;
	case DW_TAG_enumerator:
		*kind_ret = TL_MEMBER_ENUMERATOR;
		return true;
	case DW_TAG_formal_parameter:
		*kind_ret = TL_MEMBER_PARAMETER;
		return true;
	case DW_TAG_unspecified_parameters:
		*kind_ret = TL_MEMBER_VARIADIC;
		return true;
	default:
		return false;
	}
}

/* The offset that an expression adds to where the object is, if that is all it does. */
static bool constant_offset(const struct tl_attribute *location, tl_u64 *offset_ret)
{
	struct tl_cursor cursor = tl_cursor_make(location->bytes, location->size);
	tl_u64 offset;

	if (tl_take_u8(&cursor) != 0x23) /* DW_OP_plus_uconst */
		return false;
	offset = tl_take_unsigned(&cursor);
	if (cursor.failed || !tl_cursor_done(&cursor))
		return false;
	*offset_ret = offset;
	return true;
}

/* DW_AT_bit_offset counts from the most significant bit of the storage unit (DWARF 3, section 5.5.6). */
static enum tl_status old_bit_offset(const struct tl_type *type, const struct facts *facts, struct tl_member *member,
				     struct tl_error *error)
{
	tl_u64 size = facts->byte_size.number;
	bool known = facts->byte_size.kind == TL_CLASS_UNSIGNED;

	if (!known) {
		const struct tl_type *of;

		TL_TRY(tl_type_of(type->types, &member->entry, &of, error));
		TL_TRY(tl_type_size(of, &size, &known, error));
	}
	if (known)
		member->bit_offset += size * 8 - facts->bit_offset.number - member->bit_size;
	return TL_OK;
}

static enum tl_status place(const struct tl_type *type, const struct facts *facts, struct tl_member *member,
			    struct tl_error *error)
{
	tl_u64 offset = 0;

	if (facts->bit_size.kind == TL_CLASS_UNSIGNED || facts->bit_size.kind == TL_CLASS_SIGNED)
		member->bit_size = (tl_u32)facts->bit_size.number;
	switch (facts->location.kind) {
	case TL_CLASS_UNSIGNED:
	case TL_CLASS_SIGNED:
		offset = facts->location.number;
		break;
	case TL_CLASS_BLOCK:
	case TL_CLASS_EXPRESSION:
		member->moves = !constant_offset(&facts->location, &offset);
		break;
	case TL_CLASS_LIST:
	case TL_CLASS_LIST_INDEX:
		/* sec_offset of old compilers: data4 and data8 were meant as constants by none of them. */
		member->moves = true;
		break;
	case TL_CLASS_NONE:
	case TL_CLASS_ADDRESS:
	case TL_CLASS_FLAG:
	case TL_CLASS_STRING:
	case TL_CLASS_REFERENCE:
	case TL_CLASS_SIGNATURE:
		break;
	}
	if (offset >> 60 != 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "entry 0x%llx: a member at offset 0x%llx",
			       (unsigned long long)member->entry.offset, (unsigned long long)offset);
	member->bit_offset = member->moves ? 0 : offset * 8;
	if (facts->data_bit_offset.kind == TL_CLASS_UNSIGNED || facts->data_bit_offset.kind == TL_CLASS_SIGNED)
		member->bit_offset += facts->data_bit_offset.number;
	else if (facts->bit_offset.kind == TL_CLASS_UNSIGNED || facts->bit_offset.kind == TL_CLASS_SIGNED)
		TL_TRY(old_bit_offset(type, facts, member, error));
	return TL_OK;
}

/* A member function without an object: its first parameter is one that the programmer wrote. */
static enum tl_status without_this(const struct tl_entry *function, bool *without_ret, struct tl_error *error)
{
	struct tl_attribute attribute = {.kind = TL_CLASS_NONE};
	struct tl_entry child;

	TL_TRY(tl_entry_child(function, &child, error));
	while (child.tag != 0 && child.tag != DW_TAG_formal_parameter)
		TL_TRY(tl_entry_sibling(&child, &child, error));
	if (child.tag != 0)
		TL_TRY(tl_entry_attribute(&child, DW_AT_artificial, &attribute, error));
	*without_ret = attribute.kind == TL_CLASS_NONE || attribute.number == 0;
	return TL_OK;
}

static enum tl_status read_member(const struct tl_type *type, const struct tl_entry *child, enum tl_member_kind kind,
				  struct tl_member *member_ret, struct tl_error *error)
{
	struct facts facts = {.name = NULL};
	struct tl_member member = {.kind = kind, .entry = *child};

	TL_TRY(tl_entry_attributes(child, collect, &facts, error));
	member.name = facts.name;
	if (facts.name == NULL) {
		struct tl_attribute name;

		TL_TRY(tl_entry_inherited(child, DW_AT_name, &name, error));
		member.name = name.kind == TL_CLASS_STRING ? name.text : NULL;
	}
	member.access = type->kind == TL_TYPE_CLASS ? TL_PRIVATE : TL_PUBLIC;
	if (facts.access >= TL_PUBLIC && facts.access <= TL_PRIVATE)
		member.access = (enum tl_accessibility)facts.access;
	member.artificial = facts.artificial;
	member.is_virtual = facts.is_virtual;
	member.has_value = tl_type_constant(&facts.value, type->encoding == DW_ATE_signed, &member.value);
	/* Before DWARF 5 a static member is a DW_TAG_member, too. */
	if (kind == TL_MEMBER_FIELD && (facts.external || facts.declaration) && facts.location.kind == TL_CLASS_NONE &&
	    facts.data_bit_offset.kind == TL_CLASS_NONE)
		member.kind = TL_MEMBER_STATIC;
	if (member.kind == TL_MEMBER_FIELD || member.kind == TL_MEMBER_BASE)
		TL_TRY(place(type, &facts, &member, error));
	if (member.kind == TL_MEMBER_FUNCTION)
		TL_TRY(without_this(child, &member.is_static, error));
	*member_ret = member;
	return TL_OK;
}

static enum tl_status add_member(const struct tl_type *type, const struct tl_entry *child, struct list *list,
				 struct tl_error *error)
{
	enum tl_member_kind kind;
	void *members = list->members;

	if (!kind_of(child->tag, &kind))
		return TL_OK;
	/* The variables and types inside a function's body are no part of its type. */
	if (type->kind == TL_TYPE_FUNCTION && kind != TL_MEMBER_PARAMETER && kind != TL_MEMBER_VARIADIC)
		return TL_OK;
	if (!tl_grow(tl_storage(), &members, &list->capacity, list->count, sizeof(*list->members)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the members of a type");
	list->members = members;
	TL_TRY(read_member(type, child, kind, &list->members[list->count], error));
	list->count++;
	return TL_OK;
}

/* The children of an entry; those of a pack of template arguments stand in its place. */
static enum tl_status read_children(const struct tl_type *type, const struct tl_entry *entry, struct list *list,
				    bool in_pack, struct tl_error *error)
{
	struct tl_entry child;

	TL_TRY(tl_entry_child(entry, &child, error));
	while (child.tag != 0) {
		if (child.tag == DW_TAG_GNU_template_parameter_pack && !in_pack)
			TL_TRY(read_children(type, &child, list, true, error));
		else
			TL_TRY(add_member(type, &child, list, error));
		TL_TRY(tl_entry_sibling(&child, &child, error));
	}
	return TL_OK;
}

static bool has_members(enum tl_type_kind kind)
{
	return kind == TL_TYPE_STRUCT || kind == TL_TYPE_CLASS || kind == TL_TYPE_UNION || kind == TL_TYPE_ENUM ||
	       kind == TL_TYPE_FUNCTION;
}

/* Keeps what was read, unless another thread was faster. */
static enum tl_status keep(struct tl_type_record *record, const struct list *list, struct tl_error *error)
{
	struct tl_types *types = record->type.types;
	enum tl_status status = TL_OK;
	struct tl_member *members;

	pthread_mutex_lock(&types->lock);
	if (record->members == NULL) {
		/* One more byte, so that no members are a place, too. */
		status = tl_types_allocate_locked(types, list->count * sizeof(*members) + 1, &members, error);
		if (status == TL_OK) {
			if (list->count != 0)
				tl_copy(members, list->members, list->count * sizeof(*members));
			record->member_count = list->count;
			record->members = members;
		}
	}
	pthread_mutex_unlock(&types->lock);
	return status;
}

enum tl_status tl_type_members(const struct tl_type *type, const struct tl_member **members_ret, tl_size *count_ret,
			       struct tl_error *error)
{
	struct tl_type_record *record = tl_type_record(type);
	struct list list = {NULL, 0, 0};
	enum tl_status status = TL_OK;
	bool there;

	pthread_mutex_lock(&type->types->lock);
	there = record->members != NULL;
	pthread_mutex_unlock(&type->types->lock);
	if (!there) {
		if (has_members(type->kind) && type->entry.tag != 0)
			status = read_children(type, &type->entry, &list, false, error);
		if (status == TL_OK)
			status = keep(record, &list, error);
		tl_release(tl_storage(), list.members, list.capacity * sizeof(*list.members));
	}
	if (status != TL_OK)
		return status;
	*members_ret = record->members;
	*count_ret = record->member_count;
	return TL_OK;
}

enum tl_status tl_member_type(const struct tl_type *type, const struct tl_member *member,
			      const struct tl_type **type_ret, struct tl_error *error)
{
	const struct tl_type_record *record = tl_type_record(type);

	if (record->member_types != NULL) {
		*type_ret = record->member_types[member - record->members];
		return TL_OK;
	}
	switch (member->kind) {
	case TL_MEMBER_FIELD:
	case TL_MEMBER_BASE:
	case TL_MEMBER_STATIC:
	case TL_MEMBER_TEMPLATE_TYPE:
	case TL_MEMBER_TEMPLATE_VALUE:
	case TL_MEMBER_PARAMETER:
		return tl_type_of(type->types, &member->entry, type_ret, error);
	case TL_MEMBER_FUNCTION:
	case TL_MEMBER_TYPE:
		return tl_type_at(type->types, &member->entry, type_ret, error);
	case TL_MEMBER_ENUMERATOR:
		*type_ret = type;
		return TL_OK;
	case TL_MEMBER_VARIADIC:
		*type_ret = tl_type_void(type->types);
		return TL_OK;
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "no such kind of member");
}
