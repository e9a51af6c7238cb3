#include "debugger/values/abi_classes.h"

#include "symbols/dwarf_constants.h"
#include "symbols/type_text.h"

#include <string.h>

/* No program's types nest so deep, nor have so many types among their members. */
#define DEPTH_MAX 64
#define TYPES_MAX 100000

struct classifier {
	struct tl_abi_classes *result;
	unsigned types; /* that were looked at */
	struct tl_error *error;
};

static enum tl_status too_many(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_MALFORMED, "The members of this type nest without end.");
}

static bool has_members(const struct tl_type *stripped)
{
	return stripped->kind == TL_TYPE_STRUCT || stripped->kind == TL_TYPE_CLASS || stripped->kind == TL_TYPE_UNION;
}

/* ---- C++ classes that are not trivial ---- */

/* Whether a member function's only parameter besides `this` is a reference to the class itself: a copy or a move. */
static enum tl_status takes_itself(const struct tl_type *class, const struct tl_type *function, bool *takes_ret,
				   struct tl_error *error)
{
	const struct tl_member *parameters;
	const struct tl_type *parameter, *target;
	tl_size count, own = 0;

	*takes_ret = false;
	TL_TRY(tl_type_members(function, &parameters, &count, error));
	/* Not only `this` is artificial: a constructor of a class with virtual bases is told whether it is in charge.
	 */
	while (own < count && parameters[own].artificial)
		own++;
	if (own == count || parameters[own].kind != TL_MEMBER_PARAMETER || count - own > 1)
		return TL_OK;
	TL_TRY(tl_member_type(function, &parameters[own], &parameter, error));
	TL_TRY(tl_type_strip(parameter, &parameter, error));
	if (parameter->kind != TL_TYPE_REFERENCE && parameter->kind != TL_TYPE_RVALUE_REFERENCE)
		return TL_OK;
	TL_TRY(tl_type_target(parameter, &target, error));
	TL_TRY(tl_type_strip(target, &target, error));
	*takes_ret = target == class;
	return TL_OK;
}

static enum tl_status number_of(const struct tl_entry *entry, tl_u16 name, tl_u64 *number_ret, struct tl_error *error)
{
	struct tl_attribute attribute;

	TL_TRY(tl_entry_inherited(entry, name, &attribute, error));
	*number_ret = attribute.kind != TL_CLASS_NONE ? attribute.number : 0;
	return TL_OK;
}

/* A constructor's name is the class's, without the template's arguments in either. */
static bool is_constructor(const char *name, const char *class_name)
{
	tl_size length = strcspn(class_name, "<");

	return strncmp(name, class_name, length) == 0 && (name[length] == '\0' || name[length] == '<');
}

/* Whether a member function is one that makes copying or destroying run code: written by the programmer. */
static enum tl_status is_hindrance(const struct tl_type *class, const struct tl_member *member, bool *is_ret,
				   struct tl_error *error)
{
	const struct tl_type *function;
	tl_u64 defaulted, deleted;

	*is_ret = false;
	if (member->is_virtual) {
		*is_ret = true;
		return TL_OK;
	}
	if (member->artificial || member->name == NULL || class->name == NULL)
		return TL_OK;
	if (member->name[0] != '~' && !is_constructor(member->name, class->name))
		return TL_OK;
	TL_TRY(number_of(&member->entry, DW_AT_defaulted, &defaulted, error));
	TL_TRY(number_of(&member->entry, DW_AT_deleted, &deleted, error));
	if (defaulted == 1 || deleted != 0)
		return TL_OK;
	*is_ret = member->name[0] == '~';
	if (*is_ret)
		return TL_OK;
	TL_TRY(tl_member_type(class, member, &function, error));
	return takes_itself(class, function, is_ret, error);
}

static enum tl_status by_reference(const struct tl_type *type, unsigned depth, unsigned *types, bool *by_reference_ret,
				   struct tl_error *error)
{
	const struct tl_type *stripped, *inner;
	const struct tl_member *members;
	tl_u64 convention = 0;
	tl_size count;

	*by_reference_ret = false;
	if (depth > DEPTH_MAX || ++*types > TYPES_MAX)
		return too_many(error);
	TL_TRY(tl_type_strip(type, &stripped, error));
	if (stripped->kind == TL_TYPE_ARRAY) {
		TL_TRY(tl_type_target(stripped, &inner, error));
		return by_reference(inner, depth + 1, types, by_reference_ret, error);
	}
	if (!has_members(stripped) || !stripped->has_scopes)
		return TL_OK;
	if (stripped->entry.tag != 0)
		TL_TRY(number_of(&stripped->entry, DW_AT_calling_convention, &convention, error));
	if (convention == DW_CC_pass_by_reference || convention == DW_CC_pass_by_value) {
		*by_reference_ret = convention == DW_CC_pass_by_reference;
		return TL_OK;
	}
	TL_TRY(tl_type_members(stripped, &members, &count, error));
	for (tl_size i = 0; i < count && !*by_reference_ret; i++) {
		if (members[i].kind == TL_MEMBER_FUNCTION)
			TL_TRY(is_hindrance(stripped, &members[i], by_reference_ret, error));
		if (members[i].kind != TL_MEMBER_BASE && members[i].kind != TL_MEMBER_FIELD)
			continue;
		*by_reference_ret = members[i].is_virtual || members[i].moves;
		if (*by_reference_ret)
			break;
		TL_TRY(tl_member_type(stripped, &members[i], &inner, error));
		TL_TRY(by_reference(inner, depth + 1, types, by_reference_ret, error));
	}
	return TL_OK;
}

enum tl_status tl_abi_by_reference(const struct tl_type *type, bool *by_reference_ret, struct tl_error *error)
{
	unsigned types = 0;

	return by_reference(type, 0, &types, by_reference_ret, error);
}

/* ---- Classes ---- */

/* How two classes that share an eightbyte count. */
static enum tl_abi_class merged(enum tl_abi_class left, enum tl_abi_class right)
{
	if (left == right || right == TL_ABI_CLASS_NONE)
		return left;
	if (left == TL_ABI_CLASS_NONE)
		return right;
	if (left == TL_ABI_CLASS_MEMORY || right == TL_ABI_CLASS_MEMORY)
		return TL_ABI_CLASS_MEMORY;
	if (left == TL_ABI_CLASS_INTEGER || right == TL_ABI_CLASS_INTEGER)
		return TL_ABI_CLASS_INTEGER;
	/* Of the remaining ones only SSE and SSEUP go together. */
	if ((left == TL_ABI_CLASS_SSE || left == TL_ABI_CLASS_SSEUP) &&
	    (right == TL_ABI_CLASS_SSE || right == TL_ABI_CLASS_SSEUP))
		return TL_ABI_CLASS_SSE;
	return TL_ABI_CLASS_MEMORY;
}

static void put(struct classifier *classifier, tl_u64 eightbyte, enum tl_abi_class class)
{
	enum tl_abi_class *classes = classifier->result->classes;

	if (eightbyte >= TL_ABI_EIGHTBYTES_MAX)
		classes[0] = TL_ABI_CLASS_MEMORY;
	else
		classes[eightbyte] = merged(classes[eightbyte], class);
}

static void put_all(struct classifier *classifier, tl_u64 offset, tl_u64 size, enum tl_abi_class first,
		    enum tl_abi_class further)
{
	for (tl_u64 at = offset / 8; at * 8 < offset + size; at++)
		put(classifier, at, at == offset / 8 ? first : further);
}

/* A number that stands where it is not aligned makes the whole stand in memory. */
static void put_number(struct classifier *classifier, tl_u64 offset, tl_u64 size, enum tl_abi_class first,
		       enum tl_abi_class further)
{
	if (size != 0 && offset % size != 0)
		put(classifier, 0, TL_ABI_CLASS_MEMORY);
	else
		put_all(classifier, offset, size, first, further);
}

/* 16 bytes are a long double, or a number of quadruple precision, which gcc and clang call so. */
static bool is_quadruple(const struct tl_type *base)
{
	return base->name != NULL && strstr(base->name, "loat128") != NULL;
}

static void classify_base(struct classifier *classifier, const struct tl_type *base, tl_u64 offset)
{
	const tl_u64 size = base->size;

	switch (base->encoding) {
	case DW_ATE_float:
	case DW_ATE_imaginary_float:
		if (size != 16)
			put_number(classifier, offset, size, TL_ABI_CLASS_SSE, TL_ABI_CLASS_SSE);
		else if (is_quadruple(base))
			put_number(classifier, offset, size, TL_ABI_CLASS_SSE, TL_ABI_CLASS_SSEUP);
		else
			put_number(classifier, offset, size, TL_ABI_CLASS_X87, TL_ABI_CLASS_X87UP);
		return;
	case DW_ATE_complex_float:
		if (size == 32 && !is_quadruple(base)) {
			put_all(classifier, offset, size, TL_ABI_CLASS_COMPLEX_X87, TL_ABI_CLASS_COMPLEX_X87);
		} else if (size == 32) {
			put(classifier, 0, TL_ABI_CLASS_MEMORY);
		} else {
			put_number(classifier, offset, size / 2, TL_ABI_CLASS_SSE, TL_ABI_CLASS_SSE);
			put_number(classifier, offset + size / 2, size / 2, TL_ABI_CLASS_SSE, TL_ABI_CLASS_SSE);
		}
		return;
	case DW_ATE_decimal_float:
		put_number(classifier, offset, size, TL_ABI_CLASS_SSE, TL_ABI_CLASS_SSEUP);
		return;
	default:
		put_number(classifier, offset, size, TL_ABI_CLASS_INTEGER, TL_ABI_CLASS_INTEGER);
	}
}

static enum tl_status classify(struct classifier *classifier, const struct tl_type *type, tl_u64 offset,
			       unsigned depth);

static enum tl_status classify_array(struct classifier *classifier, const struct tl_type *array, tl_u64 offset,
				     unsigned depth)
{
	const struct tl_type *element;
	tl_u64 size, whole;
	bool known;

	TL_TRY(tl_type_size(array, &whole, &known, classifier->error));
	if (!known || whole == 0)
		return TL_OK;
	if (array->vector) {
		put_number(classifier, offset, whole, TL_ABI_CLASS_SSE, TL_ABI_CLASS_SSEUP);
		return TL_OK;
	}
	TL_TRY(tl_type_target(array, &element, classifier->error));
	TL_TRY(tl_type_size(element, &size, &known, classifier->error));
	if (!known || size == 0)
		return TL_OK;
	if (whole > (tl_u64)TL_ABI_EIGHTBYTES_MAX * 8) {
		put(classifier, 0, TL_ABI_CLASS_MEMORY);
		return TL_OK;
	}
	for (tl_u64 at = 0; at + size <= whole; at += size)
		TL_TRY(classify(classifier, element, offset + at, depth + 1));
	return TL_OK;
}

static enum tl_status classify_members(struct classifier *classifier, const struct tl_type *type, tl_u64 offset,
				       unsigned depth)
{
	const struct tl_member *members;
	const struct tl_type *inner;
	tl_size count;

	TL_TRY(tl_type_members(type, &members, &count, classifier->error));
	for (tl_size i = 0; i < count; i++) {
		const struct tl_member *member = &members[i];
		const tl_u64 bit = offset * 8 + member->bit_offset;

		if (member->kind != TL_MEMBER_FIELD && member->kind != TL_MEMBER_BASE)
			continue;
		if (member->bit_size != 0) {
			put_all(classifier, bit / 8, (bit % 8 + member->bit_size + 7) / 8, TL_ABI_CLASS_INTEGER,
				TL_ABI_CLASS_INTEGER);
			continue;
		}
		TL_TRY(tl_member_type(type, member, &inner, classifier->error));
		TL_TRY(classify(classifier, inner, bit / 8, depth + 1));
	}
	return TL_OK;
}

static enum tl_status classify(struct classifier *classifier, const struct tl_type *type, tl_u64 offset, unsigned depth)
{
	const struct tl_type *stripped;
	tl_u64 size;
	bool known;

	if (depth > DEPTH_MAX || ++classifier->types > TYPES_MAX)
		return too_many(classifier->error);
	if (classifier->result->classes[0] == TL_ABI_CLASS_MEMORY)
		return TL_OK;
	TL_TRY(tl_type_strip(type, &stripped, classifier->error));
	switch (stripped->kind) {
	case TL_TYPE_BASE:
		classify_base(classifier, stripped, offset);
		return TL_OK;
	case TL_TYPE_ENUM:
	case TL_TYPE_POINTER:
		put_number(classifier, offset, stripped->size, TL_ABI_CLASS_INTEGER, TL_ABI_CLASS_INTEGER);
		return TL_OK;
	case TL_TYPE_REFERENCE:
	case TL_TYPE_RVALUE_REFERENCE:
	case TL_TYPE_UNSPECIFIED:
		put_number(classifier, offset, 8, TL_ABI_CLASS_INTEGER, TL_ABI_CLASS_INTEGER);
		return TL_OK;
	case TL_TYPE_MEMBER_POINTER:
		/* Two words for a function: an address or an offset in the table, and what to add to `this`. */
		TL_TRY(tl_type_size(stripped, &size, &known, classifier->error));
		put_all(classifier, offset, size, TL_ABI_CLASS_INTEGER, TL_ABI_CLASS_INTEGER);
		return TL_OK;
	case TL_TYPE_ARRAY:
		return classify_array(classifier, stripped, offset, depth);
	case TL_TYPE_STRUCT:
	case TL_TYPE_CLASS:
	case TL_TYPE_UNION:
		return classify_members(classifier, stripped, offset, depth);
	case TL_TYPE_VOID:
	case TL_TYPE_FUNCTION:
	case TL_TYPE_TYPEDEF:
	case TL_TYPE_CONST:
	case TL_TYPE_VOLATILE:
	case TL_TYPE_RESTRICT:
	case TL_TYPE_ATOMIC:
	case TL_TYPE_MAX:
		break;
	}
	return TL_FAIL(classifier->error, TL_ERROR_ARGUMENT, "A value of such a type cannot be passed or returned.");
}

/* What holds of the whole (the psABI's post merger cleanup). */
static void clean_up(struct tl_abi_classes *result)
{
	bool memory = false;

	for (tl_u8 i = 0; i < result->count; i++) {
		enum tl_abi_class class = result->classes[i];

		memory |= class == TL_ABI_CLASS_MEMORY;
		memory |= class == TL_ABI_CLASS_X87UP && (i == 0 || result->classes[i - 1] != TL_ABI_CLASS_X87);
		memory |= result->count > 2 && class != TL_ABI_CLASS_COMPLEX_X87 &&
			  class != (i == 0 ? TL_ABI_CLASS_SSE : TL_ABI_CLASS_SSEUP);
		if (class == TL_ABI_CLASS_SSEUP && (i == 0 || (result->classes[i - 1] != TL_ABI_CLASS_SSE &&
							       result->classes[i - 1] != TL_ABI_CLASS_SSEUP)))
			result->classes[i] = TL_ABI_CLASS_SSE;
	}
	/* A complex long double is returned in two registers only if it is no part of anything. */
	if (memory)
		result->classes[0] = TL_ABI_CLASS_MEMORY;
}

enum tl_status tl_abi_classify(const struct tl_type *type, struct tl_abi_classes *classes_ret, struct tl_error *error)
{
	struct tl_abi_classes result = {.alignment = 1};
	struct classifier classifier = {.result = &result, .error = error};
	const struct tl_type *stripped;
	bool known;

	TL_TRY(tl_type_strip(type, &stripped, error));
	TL_TRY(tl_type_size(stripped, &result.size, &known, error));
	if (stripped->kind == TL_TYPE_UNSPECIFIED)
		result.size = 8, known = true;
	if (!known || stripped->declaration)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "The size of a value to be passed or returned is not known.");
	TL_TRY(tl_type_alignment(stripped, &result.alignment, error));
	TL_TRY(tl_abi_by_reference(stripped, &result.by_reference, error));
	if (result.size > (tl_u64)TL_ABI_EIGHTBYTES_MAX * 8) {
		result.count = 1;
		result.classes[0] = TL_ABI_CLASS_MEMORY;
	} else {
		result.count = (tl_u8)((result.size + 7) / 8);
		TL_TRY(classify(&classifier, stripped, 0, 0));
		if (has_members(stripped) && result.classes[0] == TL_ABI_CLASS_COMPLEX_X87)
			result.classes[0] = TL_ABI_CLASS_MEMORY;
		clean_up(&result);
	}
	*classes_ret = result;
	return TL_OK;
}
