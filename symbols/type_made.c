/* Types that stand nowhere: what expressions and registers need besides what programs have. */
#include "symbols/dwarf_constants.h"
#include "symbols/type_store.h"

/* Finds or adds a type that stands nowhere: it is known by what it is made of. */
static enum tl_status make(const struct tl_type_record *wanted, const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_types *types = wanted->type.types;
	enum tl_status status = TL_OK;
	struct tl_type_record *record;

	pthread_mutex_lock(&types->lock);
	record = tl_types_find_locked(types, wanted->key);
	if (record == NULL) {
		status = tl_types_allocate_locked(types, sizeof(*record), &record, error);
		if (status == TL_OK) {
			*record = *wanted;
			status = tl_types_publish_locked(types, record, error);
		}
	}
	if (status == TL_OK)
		*type_ret = &record->type;
	pthread_mutex_unlock(&types->lock);
	return status;
}

/* The second key of a made type: odd, and different for all that differ in kind, size, or count. */
static tl_u64 made_key(enum tl_type_kind kind, tl_u64 number)
{
	return number << 8 | (tl_u64)kind << 1 | 1;
}

enum tl_status tl_type_make_base(struct tl_types *types, const char *name, tl_u8 encoding, tl_u8 size,
				 const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = types, .kind = TL_TYPE_BASE}};

	record.type.encoding = encoding;
	record.type.has_size = true;
	record.type.size = size;
	record.type.name = name;
	record.key[0] = (tl_u64)(tl_uintptr)name;
	record.key[1] = made_key(TL_TYPE_BASE, (tl_u64)size << 8 | encoding);
	return make(&record, type_ret, error);
}

enum tl_status tl_type_make_pointer(const struct tl_type *target, tl_u8 size, const struct tl_type **type_ret,
				    struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = target->types, .kind = TL_TYPE_POINTER}};

	record.type.has_scopes = target->has_scopes;
	record.type.has_size = true;
	record.type.size = size;
	record.target = target;
	record.key[0] = (tl_u64)(tl_uintptr)target;
	record.key[1] = made_key(TL_TYPE_POINTER, size);
	return make(&record, type_ret, error);
}

enum tl_status tl_type_make_array(const struct tl_type *element, tl_u64 count, const struct tl_type **type_ret,
				  struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = element->types, .kind = TL_TYPE_ARRAY}};

	if (count >> 56 != 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "an array of so many elements is bigger than all memory");
	record.type.has_scopes = element->has_scopes;
	record.target = element;
	record.bound.kind = TL_BOUND_CONSTANT;
	record.bound.count = count;
	record.key[0] = (tl_u64)(tl_uintptr)element;
	record.key[1] = made_key(TL_TYPE_ARRAY, count);
	return make(&record, type_ret, error);
}

enum tl_status tl_type_make_qualified(const struct tl_type *target, enum tl_type_kind qualifier,
				      const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = target->types, .kind = qualifier}};

	if (!tl_type_is_alias(qualifier) || qualifier == TL_TYPE_TYPEDEF)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "that is no qualifier of a type");
	record.type.has_scopes = target->has_scopes;
	record.target = target;
	record.key[0] = (tl_u64)(tl_uintptr)target;
	record.key[1] = made_key(qualifier, 0);
	return make(&record, type_ret, error);
}

enum tl_status tl_type_make_reference(const struct tl_type *target, enum tl_type_kind kind, tl_u8 size,
				      const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = target->types, .kind = kind}};

	if (kind != TL_TYPE_REFERENCE && kind != TL_TYPE_RVALUE_REFERENCE)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "that is no kind of reference");
	record.type.has_scopes = true;
	record.type.has_size = true;
	record.type.size = size;
	record.target = target;
	record.key[0] = (tl_u64)(tl_uintptr)target;
	record.key[1] = made_key(kind, size);
	return make(&record, type_ret, error);
}

enum tl_status tl_type_make_member_pointer(const struct tl_type *target, const struct tl_type *class, tl_u8 size,
					   const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = class->types, .kind = TL_TYPE_MEMBER_POINTER}};

	record.type.has_scopes = true;
	record.type.has_size = true;
	record.type.size = size;
	record.target = target;
	record.container = class;
	/* The same type may be that of members of several classes. */
	record.key[0] = (tl_u64)(tl_uintptr)target;
	record.key[1] = made_key(TL_TYPE_MEMBER_POINTER, (tl_u64)(tl_uintptr) class);
	return make(&record, type_ret, error);
}

/* ---- Types with members ---- */

/* Adds a type with a copy of its members, and of what they are of. Its key is not there yet. */
static enum tl_status add_with_members(struct tl_type_record *wanted, const struct tl_made_member *members,
				       tl_size count, struct tl_type_record **record_ret, struct tl_error *error)
{
	struct tl_types *types = wanted->type.types;
	const struct tl_type **member_types;
	struct tl_member *own;

	/* One more byte, so that no members are a place, too. */
	TL_TRY(tl_types_allocate_locked(types, count * sizeof(*own) + 1, &own, error));
	TL_TRY(tl_types_allocate_locked(types, count * sizeof(*member_types) + 1, &member_types, error));
	for (tl_size i = 0; i < count; i++) {
		own[i] = members[i].member;
		member_types[i] = members[i].type;
	}
	TL_TRY(tl_types_allocate_locked(types, sizeof(**record_ret), record_ret, error));
	**record_ret = *wanted;
	(*record_ret)->members = own;
	(*record_ret)->member_types = member_types;
	(*record_ret)->member_count = count;
	return tl_types_publish_locked(types, *record_ret, error);
}

/* The types of members make two types with the same key different: the first that is free, or has just these. */
static bool same_members(const struct tl_type_record *record, const struct tl_made_member *members, tl_size count)
{
	bool same = record->member_count == count && record->member_types != NULL;

	for (tl_size i = 0; same && i < count; i++)
		same = record->member_types[i] == members[i].type &&
		       record->members[i].kind == members[i].member.kind &&
		       record->members[i].bit_offset == members[i].member.bit_offset &&
		       record->members[i].value == members[i].member.value;
	return same;
}

static enum tl_status make_with_members(struct tl_type_record *wanted, const struct tl_made_member *members,
					tl_size count, const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_types *types = wanted->type.types;
	const tl_u64 first = wanted->key[1] >> 8;
	enum tl_status status = TL_OK;
	struct tl_type_record *record;

	pthread_mutex_lock(&types->lock);
	for (tl_u64 i = 0;; i++) {
		wanted->key[1] = made_key(wanted->type.kind, first + (i << 16));
		record = tl_types_find_locked(types, wanted->key);
		if (record == NULL || same_members(record, members, count))
			break;
	}
	if (record == NULL)
		status = add_with_members(wanted, members, count, &record, error);
	if (status == TL_OK)
		*type_ret = &record->type;
	pthread_mutex_unlock(&types->lock);
	return status;
}

enum tl_status tl_type_make_function(const struct tl_type *result, const struct tl_type *const *parameters,
				     tl_size count, enum tl_made_parameters how, const struct tl_type **type_ret,
				     struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = result->types, .kind = TL_TYPE_FUNCTION}};
	struct tl_made_member members[TL_MADE_PARAMETERS_MAX + 1] = {0};

	if (count > TL_MADE_PARAMETERS_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "a function type has at most %d parameters here",
			       TL_MADE_PARAMETERS_MAX);
	for (tl_size i = 0; i < count; i++)
		members[i] = (struct tl_made_member){.member = {.kind = TL_MEMBER_PARAMETER}, .type = parameters[i]};
	if (how == TL_MADE_VARIADIC)
		members[count++] = (struct tl_made_member){.member = {.kind = TL_MEMBER_VARIADIC},
							   .type = tl_type_void(result->types)};
	record.type.has_scopes = result->has_scopes;
	record.type.prototyped = how != TL_MADE_UNKNOWN;
	record.target = result;
	record.key[0] = (tl_u64)(tl_uintptr)result;
	record.key[1] = made_key(TL_TYPE_FUNCTION, count << 1 | record.type.prototyped);
	return make_with_members(&record, members, count, type_ret, error);
}

enum tl_status tl_type_make_composite(struct tl_types *types, enum tl_type_kind kind, const char *name, tl_u64 size,
				      const struct tl_made_member *members, tl_size count,
				      const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = types, .kind = kind}};

	if (kind != TL_TYPE_STRUCT && kind != TL_TYPE_UNION && kind != TL_TYPE_ENUM)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "that is no kind of type with members");
	record.type.has_size = true;
	record.type.size = size;
	record.type.name = name;
	if (kind == TL_TYPE_ENUM) {
		record.type.encoding = DW_ATE_unsigned;
		record.type.bit_names = true;
		/* Its name is written without `enum`, which it is in no program. */
		record.type.has_scopes = true;
		record.target = tl_type_void(types);
	}
	record.key[0] = (tl_u64)(tl_uintptr)name;
	record.key[1] = made_key(kind, size & 0xffff);
	return make_with_members(&record, members, count, type_ret, error);
}

enum tl_status tl_type_make_vector(const struct tl_type *element, tl_u64 count, const struct tl_type **type_ret,
				   struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = element->types, .kind = TL_TYPE_ARRAY, .vector = true}};

	if (count >> 40 != 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "no machine has vectors of so many elements");
	record.type.has_scopes = element->has_scopes;
	record.target = element;
	record.bound.kind = TL_BOUND_CONSTANT;
	record.bound.count = count;
	record.key[0] = (tl_u64)(tl_uintptr)element;
	/* Beyond all counts of plain arrays. */
	record.key[1] = made_key(TL_TYPE_MAX, count);
	return make(&record, type_ret, error);
}

enum tl_status tl_type_make_typedef(const struct tl_type *target, const char *name, const struct tl_type **type_ret,
				    struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = target->types, .kind = TL_TYPE_TYPEDEF, .name = name}};

	record.type.has_scopes = target->has_scopes;
	record.target = target;
	record.key[0] = (tl_u64)(tl_uintptr)target;
	record.key[1] = made_key(TL_TYPE_TYPEDEF, (tl_u64)(tl_uintptr)name);
	return make(&record, type_ret, error);
}

enum tl_status tl_type_make_unspecified(struct tl_types *types, const char *name, const struct tl_type **type_ret,
					struct tl_error *error)
{
	struct tl_type_record record = {.type = {.types = types, .kind = TL_TYPE_UNSPECIFIED, .name = name}};

	record.type.has_scopes = true;
	record.key[0] = (tl_u64)(tl_uintptr)name;
	record.key[1] = made_key(TL_TYPE_UNSPECIFIED, 0);
	return make(&record, type_ret, error);
}
