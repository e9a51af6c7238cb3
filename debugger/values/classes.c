#include "debugger/values/classes.h"

#include "symbols/dwarf_constants.h"
#include "symbols/dwarf_operations.h"

#include <string.h>

/* Classes are derived from one another no deeper, and have no more bases in all, but in damaged files. */
#define LEVELS_MAX 64
#define BASES_MAX 4096
/* No class has more virtual functions. */
#define SLOTS_MAX ((tl_u64)1 << 20)

bool tl_class_is(const struct tl_type *stripped)
{
	return stripped->has_scopes &&
	       (stripped->kind == TL_TYPE_STRUCT || stripped->kind == TL_TYPE_CLASS || stripped->kind == TL_TYPE_UNION);
}

enum tl_status tl_class_same(const struct tl_type *left, const struct tl_type *right, bool *same_ret,
			     struct tl_error *error)
{
	const char *one = NULL, *other = NULL;

	*same_ret = left == right;
	if (*same_ret || !tl_class_is(left) || !tl_class_is(right) || left->name == NULL || right->name == NULL ||
	    strcmp(left->name, right->name) != 0)
		return TL_OK;
	TL_TRY(tl_type_full_name(left, &one, error));
	TL_TRY(tl_type_full_name(right, &other, error));
	*same_ret = one != NULL && other != NULL && strcmp(one, other) == 0;
	return TL_OK;
}

/* ---- Bases ---- */

struct derivation {
	const struct tl_type *base;
	unsigned looked_at;
	bool found;
	unsigned levels; /* the least */
	struct tl_error *error;
};

static enum tl_status damaged(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_MALFORMED, "The bases of this class nest without end.");
}

static enum tl_status base_type(const struct tl_type *class, const struct tl_member *member,
				const struct tl_type **base_ret, struct tl_error *error)
{
	TL_TRY(tl_member_type(class, member, base_ret, error));
	return tl_type_strip(*base_ret, base_ret, error);
}

static enum tl_status derive(struct derivation *derivation, const struct tl_type *class, unsigned level)
{
	const struct tl_member *members;
	const struct tl_type *base;
	tl_size count;
	bool same = false;

	if (level > LEVELS_MAX || ++derivation->looked_at > BASES_MAX)
		return damaged(derivation->error);
	TL_TRY(tl_class_same(class, derivation->base, &same, derivation->error));
	if (same) {
		derivation->levels = derivation->found && derivation->levels < level ? derivation->levels : level;
		derivation->found = true;
		return TL_OK;
	}
	TL_TRY(tl_type_members(class, &members, &count, derivation->error));
	for (tl_size i = 0; i < count; i++) {
		if (members[i].kind != TL_MEMBER_BASE)
			continue;
		TL_TRY(base_type(class, &members[i], &base, derivation->error));
		TL_TRY(derive(derivation, base, level + 1));
	}
	return TL_OK;
}

enum tl_status tl_class_derives(const struct tl_type *derived, const struct tl_type *base, bool *derives_ret,
				unsigned *levels_ret, struct tl_error *error)
{
	struct derivation derivation = {.base = base, .error = error};

	*derives_ret = false;
	*levels_ret = 0;
	if (!tl_class_is(derived) || !tl_class_is(base))
		return TL_OK;
	TL_TRY(derive(&derivation, derived, 0));
	*derives_ret = derivation.found;
	*levels_ret = derivation.levels;
	return TL_OK;
}

struct search {
	const struct tl_value_context *context;
	const struct tl_type *base;
	bool fixed; /* only what stands at a place that needs no object: no virtual bases */
	unsigned looked_at, ways;
	struct tl_value found;
	struct tl_error *error;
};

static enum tl_status find_base(struct search *search, const struct tl_value *object, unsigned level)
{
	const struct tl_type *class;
	const struct tl_member *members;
	struct tl_value part;
	tl_size count;
	bool same = false;

	if (level > LEVELS_MAX || ++search->looked_at > BASES_MAX)
		return damaged(search->error);
	TL_TRY(tl_value_strip(search->context, object->type, &class, search->error));
	TL_TRY(tl_class_same(class, search->base, &same, search->error));
	if (same) {
		if (search->ways == 0)
			search->found = *object;
		search->ways += search->ways == 0 || object->place != TL_VALUE_IN_MEMORY ||
				object->address != search->found.address;
		return TL_OK;
	}
	TL_TRY(tl_type_members(class, &members, &count, search->error));
	for (tl_size i = 0; i < count; i++) {
		bool derives = false;
		unsigned levels;
		const struct tl_type *base;

		if (members[i].kind != TL_MEMBER_BASE || (search->fixed && members[i].moves))
			continue;
		/* Only where there is something to be found is an object asked where its virtual bases are. */
		TL_TRY(base_type(class, &members[i], &base, search->error));
		TL_TRY(tl_class_derives(base, search->base, &derives, &levels, search->error));
		if (!derives)
			continue;
		TL_TRY(tl_value_field(search->context, object, class, &members[i], &part, search->error));
		TL_TRY(find_base(search, &part, level + 1));
	}
	return TL_OK;
}

enum tl_status tl_class_base(const struct tl_value_context *context, const struct tl_value *object,
			     const struct tl_type *base, struct tl_value *value_ret, unsigned *ways_ret,
			     struct tl_error *error)
{
	struct search search = {.context = context, .base = base, .error = error};

	TL_TRY(find_base(&search, object, 0));
	*ways_ret = search.ways;
	if (search.ways != 0)
		*value_ret = search.found;
	return TL_OK;
}

/* ---- What an object is ---- */

static enum tl_status read_word(const struct tl_value_context *context, tl_u64 address, tl_u64 *word_ret,
				struct tl_error *error)
{
	tl_u8 bytes[8] = {0};

	if (context->read == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "There is no memory to read.");
	TL_TRY(context->read(context->context, address, bytes, context->address_size, error));
	*word_ret = 0;
	for (tl_size i = context->address_size; i > 0; i--)
		*word_ret = *word_ret << 8 | bytes[i - 1];
	return TL_OK;
}

/* Whether objects of a class begin with a pointer to a table of virtual functions. */
static enum tl_status has_table(const struct tl_type *class, unsigned level, unsigned *looked_at, bool *has_ret,
				struct tl_error *error)
{
	const struct tl_member *members;
	const struct tl_type *base;
	tl_size count;

	if (level > LEVELS_MAX || ++*looked_at > BASES_MAX)
		return damaged(error);
	TL_TRY(tl_type_members(class, &members, &count, error));
	for (tl_size i = 0; i < count && !*has_ret; i++) {
		*has_ret = members[i].is_virtual;
		if (members[i].kind != TL_MEMBER_BASE || *has_ret)
			continue;
		TL_TRY(base_type(class, &members[i], &base, error));
		TL_TRY(has_table(base, level + 1, looked_at, has_ret, error));
	}
	return TL_OK;
}

/* The object's table, and the class of which it is one. */
static enum tl_status find_table(const struct tl_value_context *context, const struct tl_value *object,
				 const struct tl_type *class, tl_u64 *table_ret, const struct tl_type **whole_ret,
				 struct tl_error *error)
{
	unsigned looked_at = 0;
	bool has = false;

	*whole_ret = NULL;
	if (context->table_class == NULL || object->place != TL_VALUE_IN_MEMORY || !tl_class_is(class))
		return TL_OK;
	TL_TRY(has_table(class, 0, &looked_at, &has, error));
	if (!has || read_word(context, object->address, table_ret, NULL) != TL_OK)
		return TL_OK;
	return context->table_class(context->context, *table_ret, whole_ret, error);
}

enum tl_status tl_class_whole(const struct tl_value_context *context, const struct tl_value *object,
			      struct tl_value *whole_ret, bool *known_ret, struct tl_error *error)
{
	const struct tl_type *class, *whole_class;
	struct search search = {.context = context, .error = error};
	struct tl_value whole;
	tl_u64 table = 0, distance;

	*known_ret = false;
	TL_TRY(tl_value_strip(context, object->type, &class, error));
	TL_TRY(find_table(context, object, class, &table, &whole_class, error));
	if (whole_class == NULL ||
	    read_word(context, table - 2 * (tl_u64)context->address_size, &distance, NULL) != TL_OK)
		return TL_OK;
	if (context->address_size == 4)
		distance = (tl_u64)(tl_i64)(tl_i32)distance;
	TL_TRY(tl_value_at(context, whole_class, object->address + distance, &whole, error));
	/* What an object is must be what it was taken for, and there. */
	search.base = class;
	if (find_base(&search, &whole, 0) != TL_OK || search.ways == 0)
		return TL_OK;
	*known_ret = search.ways > 1 || search.found.address == object->address;
	if (*known_ret)
		*whole_ret = whole;
	return TL_OK;
}

/* ---- Casts ---- */

enum form { FORM_NONE, FORM_CLASS, FORM_POINTER, FORM_REFERENCE };

/* Whether a type is a class, a pointer or a reference to one; that class. */
static enum tl_status form_of(const struct tl_value_context *context, const struct tl_type *type, enum form *form_ret,
			      const struct tl_type **class_ret, struct tl_error *error)
{
	const struct tl_type *stripped;

	TL_TRY(tl_value_strip(context, type, &stripped, error));
	*form_ret = FORM_CLASS;
	if (stripped->kind == TL_TYPE_POINTER)
		*form_ret = FORM_POINTER;
	else if (stripped->kind == TL_TYPE_REFERENCE || stripped->kind == TL_TYPE_RVALUE_REFERENCE)
		*form_ret = FORM_REFERENCE;
	if (*form_ret != FORM_CLASS) {
		TL_TRY(tl_type_target(stripped, &stripped, error));
		TL_TRY(tl_value_strip(context, stripped, &stripped, error));
	}
	*class_ret = stripped;
	if (!tl_class_is(stripped))
		*form_ret = FORM_NONE;
	return TL_OK;
}

/* The object that a value is, points to, or refers to. *null_ret: a null pointer. */
static enum tl_status object_of(const struct tl_value_context *context, const struct tl_value *value, enum form form,
				struct tl_value *object_ret, bool *null_ret, struct tl_error *error)
{
	tl_i128 address;

	*null_ret = false;
	*object_ret = *value;
	if (form == FORM_CLASS)
		return TL_OK;
	if (form == FORM_REFERENCE)
		return tl_value_unreference(context, object_ret, error);
	TL_TRY(tl_value_integer(context, value, &address, error));
	*null_ret = address == 0;
	return *null_ret ? TL_OK : tl_value_follow(context, value, object_ret, error);
}

/* An object as what a type asks for: itself, its address, a reference. */
static enum tl_status as_form(const struct tl_value_context *context, const struct tl_value *object,
			      const struct tl_type *type, enum form form, struct tl_value *value_ret,
			      struct tl_error *error)
{
	if (form == FORM_CLASS) {
		*value_ret = *object;
		value_ret->type = type;
		return TL_OK;
	}
	if (object->place != TL_VALUE_IN_MEMORY)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "This value is not in memory: it has no address.");
	return tl_value_make_integer(context, type, (tl_i128)object->address, value_ret, error);
}

static enum tl_status is_ambiguous(const struct tl_value_context *context, const struct tl_type *base,
				   struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "base class '%s' is ambiguous: an object has several of them",
		       tl_value_type_name(context, base));
}

/* The object of a derived class of which an object is a base. */
static enum tl_status down(const struct tl_value_context *context, const struct tl_value *object,
			   const struct tl_type *class, const struct tl_type *derived, struct tl_value *value_ret,
			   struct tl_error *error)
{
	struct search search = {.context = context, .base = class, .fixed = true, .error = error};
	struct tl_value origin, whole;
	unsigned ways = 0;
	bool known = false;

	if (object->place != TL_VALUE_IN_MEMORY)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "This value is not in memory: it has no address.");
	TL_TRY(tl_class_whole(context, object, &whole, &known, error));
	if (known)
		TL_TRY(tl_class_base(context, &whole, derived, value_ret, &ways, error));
	if (ways == 1)
		return TL_OK;
	/* The compiler's way: the base stands at a fixed place. */
	TL_TRY(tl_value_at(context, derived, 0, &origin, error));
	TL_TRY(find_base(&search, &origin, 0));
	if (search.ways > 1)
		return is_ambiguous(context, class, error);
	if (search.ways == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "The object is no \"%s\": its virtual base does not say where that would be.",
			       tl_value_type_name(context, derived));
	return tl_value_at(context, derived, object->address - search.found.address, value_ret, error);
}

enum tl_status tl_class_cast(const struct tl_value_context *context, const struct tl_value *value,
			     const struct tl_type *type, struct tl_value *value_ret, bool *done_ret,
			     struct tl_error *error)
{
	const struct tl_type *class, *wanted;
	struct tl_value object, part;
	enum form form, to;
	bool up = false, is_down = false, null;
	unsigned levels, ways = 0;

	*done_ret = false;
	TL_TRY(form_of(context, value->type, &form, &class, error));
	TL_TRY(form_of(context, type, &to, &wanted, error));
	if (form == FORM_NONE || to == FORM_NONE || (form == FORM_POINTER) != (to == FORM_POINTER))
		return TL_OK;
	TL_TRY(tl_class_derives(class, wanted, &up, &levels, error));
	if (up && levels == 0 && form == to)
		return TL_OK;
	if (!up && to != FORM_CLASS)
		TL_TRY(tl_class_derives(wanted, class, &is_down, &levels, error));
	if (!up && !is_down)
		return TL_OK;
	*done_ret = true;
	TL_TRY(object_of(context, value, form, &object, &null, error));
	if (null)
		return tl_value_make_integer(context, type, 0, value_ret, error);
	if (up) {
		TL_TRY(tl_class_base(context, &object, wanted, &part, &ways, error));
		if (ways != 1)
			return is_ambiguous(context, wanted, error);
	} else {
		TL_TRY(down(context, &object, class, wanted, &part, error));
	}
	return as_form(context, &part, type, to, value_ret, error);
}

/* A pointer to void, which dynamic_cast makes one to the whole object. */
static enum tl_status is_void_pointer(const struct tl_type *type, bool *is_ret, struct tl_error *error)
{
	const struct tl_type *stripped;

	*is_ret = false;
	TL_TRY(tl_type_strip(type, &stripped, error));
	if (stripped->kind != TL_TYPE_POINTER)
		return TL_OK;
	TL_TRY(tl_type_target(stripped, &stripped, error));
	TL_TRY(tl_type_strip(stripped, &stripped, error));
	*is_ret = stripped->kind == TL_TYPE_VOID;
	return TL_OK;
}

static enum tl_status cast_whole(const struct tl_value_context *context, const struct tl_value *object,
				 const struct tl_type *type, enum form to, const struct tl_type *wanted,
				 struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_value whole, part;
	unsigned ways = 0;
	bool known = false;

	TL_TRY(tl_class_whole(context, object, &whole, &known, error));
	if (!known)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "Couldn't determine value's most derived type for dynamic_cast");
	if (wanted == NULL)
		return tl_value_make_integer(context, type, (tl_i128)whole.address, value_ret, error);
	TL_TRY(tl_class_base(context, &whole, wanted, &part, &ways, error));
	if (ways == 1)
		return as_form(context, &part, type, to, value_ret, error);
	if (to == FORM_REFERENCE)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "dynamic_cast failed");
	return tl_value_make_integer(context, type, 0, value_ret, error);
}

enum tl_status tl_class_dynamic_cast(const struct tl_value_context *context, const struct tl_value *value,
				     const struct tl_type *type, struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *class, *wanted;
	struct tl_value object;
	enum form form, to;
	bool is_void = false, null, up = false;
	unsigned levels;

	TL_TRY(form_of(context, value->type, &form, &class, error));
	TL_TRY(form_of(context, type, &to, &wanted, error));
	TL_TRY(is_void_pointer(type, &is_void, error));
	if (!is_void && (to == FORM_NONE || to == FORM_CLASS))
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "Argument to dynamic_cast must be a pointer or reference type");
	if (form == FORM_NONE || (form == FORM_POINTER) == (to == FORM_REFERENCE))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument to dynamic_cast does not have %s type",
			       to == FORM_REFERENCE ? "class" : "pointer to class");
	TL_TRY(object_of(context, value, form, &object, &null, error));
	if (null)
		return tl_value_make_integer(context, type, 0, value_ret, error);
	if (!is_void)
		TL_TRY(tl_class_derives(class, wanted, &up, &levels, error));
	if (up) {
		TL_TRY(tl_class_base(context, &object, wanted, &object, &levels, error));
		return levels == 1 ? as_form(context, &object, type, to, value_ret, error)
				   : is_ambiguous(context, wanted, error);
	}
	return cast_whole(context, &object, type, to, is_void ? NULL : wanted, value_ret, error);
}

/* The type of a pointer or reference, leading to another class instead, with the qualifiers that stand there. */
static enum tl_status lead_to(const struct tl_value_context *context, const struct tl_type *type,
			      const struct tl_type *class, const struct tl_type **type_ret, struct tl_error *error)
{
	const struct tl_type *stripped, *target;

	TL_TRY(tl_type_strip(type, &stripped, error));
	TL_TRY(tl_type_target(stripped, &target, error));
	if (target->kind == TL_TYPE_CONST)
		TL_TRY(tl_type_make_qualified(class, TL_TYPE_CONST, &class, error));
	if (stripped->kind == TL_TYPE_POINTER)
		return tl_type_make_pointer(class, context->address_size, type_ret, error);
	return tl_type_make_reference(class, stripped->kind, context->address_size, type_ret, error);
}

enum tl_status tl_class_real(const struct tl_value_context *context, const struct tl_value *value,
			     struct tl_value *real_ret, bool *known_ret, struct tl_error *error)
{
	const struct tl_type *class, *whole_class, *type;
	struct tl_value object, whole;
	enum form form;
	bool null;

	*known_ret = false;
	TL_TRY(form_of(context, value->type, &form, &class, error));
	if (form == FORM_NONE || object_of(context, value, form, &object, &null, NULL) != TL_OK || null)
		return TL_OK;
	TL_TRY(tl_class_whole(context, &object, &whole, known_ret, error));
	if (!*known_ret)
		return TL_OK;
	TL_TRY(tl_value_strip(context, whole.type, &whole_class, error));
	type = whole_class;
	if (form != FORM_CLASS)
		TL_TRY(lead_to(context, value->type, whole_class, &type, error));
	return as_form(context, &whole, type, form, real_ret, error);
}

/* ---- Virtual functions ---- */

/* The index stands in an expression that says nothing but the number. */
enum tl_status tl_class_slot(const struct tl_member *function, tl_u64 *slot_ret, bool *known_ret,
			     struct tl_error *error)
{
	struct tl_attribute attribute;
	const tl_u8 *at;
	unsigned shift = 0;

	*known_ret = false;
	*slot_ret = 0;
	TL_TRY(tl_entry_attribute(&function->entry, DW_AT_vtable_elem_location, &attribute, error));
	if (attribute.kind == TL_CLASS_UNSIGNED) {
		*slot_ret = attribute.number;
		*known_ret = true;
	}
	if ((attribute.kind != TL_CLASS_EXPRESSION && attribute.kind != TL_CLASS_BLOCK) || attribute.size < 1)
		return TL_OK;
	at = attribute.bytes;
	if (at[0] >= DW_OP_lit0 && at[0] <= DW_OP_lit31 && attribute.size == 1) {
		*slot_ret = at[0] - DW_OP_lit0;
		*known_ret = true;
		return TL_OK;
	}
	if (at[0] != DW_OP_constu)
		return TL_OK;
	for (tl_u64 i = 1; i < attribute.size && shift < 63; i++, shift += 7) {
		*slot_ret |= (tl_u64)(at[i] & 0x7f) << shift;
		*known_ret = (at[i] & 0x80) == 0;
	}
	*known_ret &= *slot_ret < SLOTS_MAX;
	return TL_OK;
}

enum tl_status tl_class_virtual(const struct tl_value_context *context, const struct tl_value *object, tl_u64 slot,
				tl_u64 *address_ret, struct tl_error *error)
{
	tl_u64 table = 0;

	if (object->place != TL_VALUE_IN_MEMORY)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "The object is not in memory: which virtual function is meant cannot be told.");
	TL_TRY(read_word(context, object->address, &table, error));
	return read_word(context, table + slot * context->address_size, address_ret, error);
}

static enum tl_status in_slot(const struct tl_type *class, tl_u64 slot, unsigned level,
			      const struct tl_type **owner_ret, const struct tl_member **function_ret,
			      struct tl_error *error)
{
	const struct tl_member *members;
	const struct tl_type *base;
	tl_size count;

	if (level > LEVELS_MAX)
		return damaged(error);
	TL_TRY(tl_type_members(class, &members, &count, error));
	for (tl_size i = 0; i < count; i++) {
		bool known = false;
		tl_u64 own;

		if (members[i].kind != TL_MEMBER_FUNCTION || !members[i].is_virtual)
			continue;
		TL_TRY(tl_class_slot(&members[i], &own, &known, error));
		if (!known || own != slot)
			continue;
		*owner_ret = class;
		*function_ret = &members[i];
		return TL_OK;
	}
	/* The table of a class begins with that of its first base that has one. */
	for (tl_size i = 0; i < count && *function_ret == NULL; i++) {
		unsigned looked_at = 0;
		bool has = false;

		if (members[i].kind != TL_MEMBER_BASE)
			continue;
		TL_TRY(base_type(class, &members[i], &base, error));
		TL_TRY(has_table(base, 0, &looked_at, &has, error));
		if (has)
			return in_slot(base, slot, level + 1, owner_ret, function_ret, error);
	}
	return TL_OK;
}

enum tl_status tl_class_in_slot(const struct tl_type *class, tl_u64 slot, const struct tl_type **owner_ret,
				const struct tl_member **function_ret, struct tl_error *error)
{
	*owner_ret = NULL;
	*function_ret = NULL;
	return in_slot(class, slot, 0, owner_ret, function_ret, error);
}

/* ---- Pointers to members ---- */

static tl_u64 word_of(const struct tl_value_context *context, const struct tl_value *value, unsigned index)
{
	tl_u64 word = 0;

	for (tl_size i = context->address_size; i > 0; i--)
		word = word << 8 | value->bytes[index * context->address_size + i - 1];
	return word;
}

enum tl_status tl_class_read_method_pointer(const struct tl_value_context *context, const struct tl_value *pointer,
					    struct tl_method_pointer *method_ret, struct tl_error *error)
{
	struct tl_value own = *pointer;
	tl_u64 first, second;

	TL_TRY(tl_value_load(context, &own, error));
	if (tl_value_is_absent(&own))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "value has been optimized out");
	if (own.size != 2 * (tl_u64)context->address_size)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "This is no pointer to a member function.");
	first = word_of(context, &own, 0);
	second = word_of(context, &own, 1);
	*method_ret = (struct tl_method_pointer){
		.is_null = first == 0,
		.is_virtual = (first & 1) != 0,
		.address = (first & 1) != 0 ? (first - 1) / context->address_size : first,
		.adjustment = context->address_size == 4 ? (tl_i64)(tl_i32)second : (tl_i64)second,
	};
	return TL_OK;
}

static enum tl_status method_pointed(const struct tl_value_context *context, const struct tl_type *function,
				     const struct tl_value *pointer, struct tl_value *object,
				     struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_method_pointer method;
	tl_u64 address;

	TL_TRY(tl_class_read_method_pointer(context, pointer, &method, error));
	if (method.is_null)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "The pointer to a member function is null.");
	if (object->place != TL_VALUE_IN_MEMORY)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "This value is not in memory: it has no address.");
	object->address += (tl_u64)method.adjustment;
	object->bytes = NULL;
	address = method.address;
	if (method.is_virtual)
		TL_TRY(tl_class_virtual(context, object, method.address, &address, error));
	return tl_value_at(context, function, address, value_ret, error);
}

enum tl_status tl_class_pointed(const struct tl_value_context *context, const struct tl_value *object,
				const struct tl_value *pointer, struct tl_value *value_ret, struct tl_value *object_ret,
				bool *is_function_ret, struct tl_error *error)
{
	const struct tl_type *type, *target, *stripped, *container, *class;
	unsigned ways = 0;
	tl_i128 offset;

	TL_TRY(tl_type_strip(pointer->type, &type, error));
	if (type->kind != TL_TYPE_MEMBER_POINTER)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "not implemented: pointer-to-method in pointer-to-member construct");
	TL_TRY(tl_type_target(type, &target, error));
	TL_TRY(tl_type_strip(target, &stripped, error));
	TL_TRY(tl_type_container(type, &container, error));
	TL_TRY(tl_value_strip(context, container, &container, error));
	TL_TRY(tl_value_strip(context, object->type, &class, error));
	if (!tl_class_is(class))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "A value of type \"%s\" has no members.",
			       tl_value_type_name(context, object->type));
	TL_TRY(tl_class_base(context, object, container, object_ret, &ways, error));
	if (ways != 1)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "A \"%s\" has no member of \"%s\".",
			       tl_value_type_name(context, class), tl_value_type_name(context, container));
	*is_function_ret = stripped->kind == TL_TYPE_FUNCTION;
	if (*is_function_ret)
		return method_pointed(context, target, pointer, object_ret, value_ret, error);
	TL_TRY(tl_value_integer(context, pointer, &offset, error));
	if (offset == -1 || offset == (tl_i128)TL_U64_MAX || (context->address_size == 4 && offset == TL_U32_MAX))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "The pointer to a member is null.");
	if (object_ret->place != TL_VALUE_IN_MEMORY)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "This value is not in memory: it has no address.");
	return tl_value_at(context, target, object_ret->address + (tl_u64)offset, value_ret, error);
}

static enum tl_status field_at(const struct tl_type *class, tl_u64 offset, unsigned level, unsigned *looked_at,
			       const struct tl_type **owner_ret, const struct tl_member **field_ret,
			       struct tl_error *error)
{
	const struct tl_member *members;
	const struct tl_type *base;
	tl_u64 size;
	tl_size count;
	bool known;

	if (level > LEVELS_MAX || ++*looked_at > BASES_MAX)
		return damaged(error);
	TL_TRY(tl_type_members(class, &members, &count, error));
	for (tl_size i = 0; i < count && *field_ret == NULL; i++) {
		if (members[i].moves || members[i].bit_size != 0 || members[i].bit_offset % 8 != 0)
			continue;
		if (members[i].kind == TL_MEMBER_FIELD && members[i].name != NULL &&
		    members[i].bit_offset / 8 == offset) {
			*owner_ret = class;
			*field_ret = &members[i];
		} else if (members[i].kind == TL_MEMBER_BASE && members[i].bit_offset / 8 <= offset) {
			TL_TRY(base_type(class, &members[i], &base, error));
			TL_TRY(tl_type_size(base, &size, &known, error));
			if (known && offset - members[i].bit_offset / 8 < size)
				TL_TRY(field_at(base, offset - members[i].bit_offset / 8, level + 1, looked_at,
						owner_ret, field_ret, error));
		}
	}
	return TL_OK;
}

enum tl_status tl_class_field_at(const struct tl_type *class, tl_u64 offset, const struct tl_type **owner_ret,
				 const struct tl_member **field_ret, struct tl_error *error)
{
	unsigned looked_at = 0;

	*owner_ret = NULL;
	*field_ret = NULL;
	return field_at(class, offset, 0, &looked_at, owner_ret, field_ret, error);
}
