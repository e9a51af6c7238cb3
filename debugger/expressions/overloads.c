#include "debugger/expressions/overloads.h"

#include "debugger/values/classes.h"
#include "symbols/dwarf_constants.h"
#include "symbols/type_text.h"

#include <string.h>

#define ARGUMENTS_MAX 64

/* How well an argument fits: the less the better ([over.ics.rank]). */
enum rank {
	RANK_EXACT,
	RANK_QUALIFIED, /* const is added */
	RANK_PROMOTED,
	RANK_CONVERTED,
	RANK_BASE, /* and one more for each level */
	RANK_VOID = 40,
	RANK_BOOL,
	RANK_ADDRESS, /* a number as a pointer, which only a debugger does */
	RANK_ELLIPSIS,
	RANK_NEVER = 255
};

struct ranks {
	tl_u8 of[ARGUMENTS_MAX + 1]; /* the object's comes first */
	tl_size count;
	bool viable;
};

struct chooser {
	const struct tl_value_context *context;
	struct tl_error *error;
};

/* ---- Types ---- */

/* A type without typedefs, and whether it is const. */
static enum tl_status bare(struct chooser *chooser, const struct tl_type *type, const struct tl_type **bare_ret,
			   bool *const_ret)
{
	const struct tl_type *at = type;

	*const_ret = false;
	for (unsigned i = 0; i < 64 && (at->kind == TL_TYPE_CONST || at->kind == TL_TYPE_VOLATILE ||
					at->kind == TL_TYPE_TYPEDEF || at->kind == TL_TYPE_RESTRICT);
	     i++) {
		*const_ret |= at->kind == TL_TYPE_CONST;
		TL_TRY(tl_type_target(at, &at, chooser->error));
	}
	return tl_value_strip(chooser->context, at, bare_ret, chooser->error);
}

static bool is_reference(const struct tl_type *type)
{
	return type->kind == TL_TYPE_REFERENCE || type->kind == TL_TYPE_RVALUE_REFERENCE;
}

/* Whether two stripped types are one: numbers by what they are, all others by their names. */
static enum tl_status same(struct chooser *chooser, const struct tl_type *left, const struct tl_type *right,
			   bool *same_ret)
{
	struct tl_output one, other;
	enum tl_status status;

	*same_ret = left == right;
	if (*same_ret || left->kind != right->kind || left->encoding != right->encoding || left->size != right->size) {
		if (!(tl_class_is(left) && tl_class_is(right)))
			return TL_OK;
	}
	if (*same_ret)
		return TL_OK;
	if (left->kind == TL_TYPE_POINTER || is_reference(left)) {
		bool constant;

		TL_TRY(tl_type_target(left, &left, chooser->error));
		TL_TRY(tl_type_target(right, &right, chooser->error));
		TL_TRY(bare(chooser, left, &left, &constant));
		TL_TRY(bare(chooser, right, &right, &constant));
		if (left->kind == TL_TYPE_POINTER && right->kind == TL_TYPE_POINTER) {
			/* Names say the rest of a chain. */
		} else if (left->kind != right->kind && !(tl_class_is(left) && tl_class_is(right))) {
			return TL_OK;
		}
	}
	one = tl_output_make(65536);
	other = tl_output_make(65536);
	status = tl_type_write_name(left, &one, chooser->error);
	if (status == TL_OK)
		status = tl_type_write_name(right, &other, chooser->error);
	*same_ret = status == TL_OK && strcmp(tl_output_string(&one), tl_output_string(&other)) == 0;
	tl_output_release(&one);
	tl_output_release(&other);
	return status;
}

/* ---- One argument ---- */

static bool is_small(const struct tl_type *type)
{
	return (type->kind == TL_TYPE_BASE && (type->size < 4 || type->encoding == DW_ATE_boolean)) ||
	       (type->kind == TL_TYPE_ENUM && !type->scoped);
}

static tl_u8 rank_number(const struct tl_type *from, const struct tl_type *to)
{
	bool from_signed, to_signed;
	const enum tl_arithmetic kind = tl_type_arithmetic(from, &from_signed),
				 wanted = tl_type_arithmetic(to, &to_signed);

	if (from->scoped || to->kind == TL_TYPE_ENUM || kind == TL_ARITHMETIC_NONE || wanted == TL_ARITHMETIC_NONE)
		return RANK_NEVER;
	if (to->kind == TL_TYPE_BASE && to->encoding == DW_ATE_boolean)
		return RANK_BOOL;
	/* What is smaller than an int becomes one, a float a double ([conv.prom], [conv.fpprom]). */
	if (kind == TL_ARITHMETIC_INTEGER && is_small(from) && to->size == 4 && wanted == TL_ARITHMETIC_INTEGER &&
	    to_signed)
		return RANK_PROMOTED;
	if (kind == TL_ARITHMETIC_REAL && wanted == TL_ARITHMETIC_REAL && from->size == 4 && to->size == 8)
		return RANK_PROMOTED;
	return RANK_CONVERTED;
}

static enum tl_status rank_pointer(struct chooser *chooser, const struct tl_type *from, const struct tl_type *to,
				   tl_u8 *rank_ret)
{
	const struct tl_type *target, *wanted;
	bool target_const, wanted_const, is_same = false, derives = false;
	unsigned levels;

	*rank_ret = RANK_NEVER;
	TL_TRY(tl_type_target(from, &target, chooser->error));
	TL_TRY(tl_type_target(to, &wanted, chooser->error));
	TL_TRY(bare(chooser, target, &target, &target_const));
	TL_TRY(bare(chooser, wanted, &wanted, &wanted_const));
	TL_TRY(same(chooser, target, wanted, &is_same));
	/* A string that was typed is an array of char, but means one of const char. */
	if (is_same)
		*rank_ret = target_const == wanted_const ? RANK_EXACT : wanted_const ? RANK_QUALIFIED : RANK_CONVERTED;
	else if (wanted->kind == TL_TYPE_VOID)
		*rank_ret = RANK_VOID;
	else
		TL_TRY(tl_class_derives(target, wanted, &derives, &levels, chooser->error));
	if (derives)
		*rank_ret = (tl_u8)(RANK_BASE + (levels < 32 ? levels : 32));
	return TL_OK;
}

/* An array is a pointer to its first element, a function to itself. */
static enum tl_status decayed(struct chooser *chooser, const struct tl_type **type)
{
	const struct tl_type *target = *type;

	if ((*type)->kind != TL_TYPE_ARRAY && (*type)->kind != TL_TYPE_FUNCTION)
		return TL_OK;
	if ((*type)->kind == TL_TYPE_ARRAY)
		TL_TRY(tl_type_target(*type, &target, chooser->error));
	return tl_type_make_pointer(target, chooser->context->address_size, type, chooser->error);
}

static bool is_zero(const struct tl_value *value)
{
	if (value->bytes == NULL || value->place != TL_VALUE_NOWHERE)
		return false;
	for (tl_u64 i = 0; i < value->size; i++)
		if (value->bytes[i] != 0)
			return false;
	return true;
}

static enum tl_status rank_types(struct chooser *chooser, const struct tl_type *from, const struct tl_type *to,
				 const struct tl_value *argument, tl_u8 *rank_ret)
{
	bool is_same = false, derives = false, is_signed;
	unsigned levels;

	TL_TRY(same(chooser, from, to, &is_same));
	*rank_ret = is_same ? RANK_EXACT : RANK_NEVER;
	if (is_same && from->kind != TL_TYPE_POINTER)
		return TL_OK;
	if (tl_class_is(from) && tl_class_is(to)) {
		TL_TRY(tl_class_derives(from, to, &derives, &levels, chooser->error));
		if (derives)
			*rank_ret = (tl_u8)(RANK_BASE + (levels < 32 ? levels : 32));
		return TL_OK;
	}
	TL_TRY(decayed(chooser, &from));
	if (from->kind == TL_TYPE_POINTER && to->kind == TL_TYPE_POINTER)
		return rank_pointer(chooser, from, to, rank_ret);
	if (from->kind == TL_TYPE_POINTER && to->kind == TL_TYPE_BASE && to->encoding == DW_ATE_boolean)
		*rank_ret = RANK_BOOL;
	else if (to->kind == TL_TYPE_POINTER && tl_type_arithmetic(from, &is_signed) == TL_ARITHMETIC_INTEGER)
		*rank_ret = is_zero(argument) ? RANK_CONVERTED : RANK_ADDRESS;
	else
		*rank_ret = rank_number(from, to);
	return TL_OK;
}

static enum tl_status rank_argument(struct chooser *chooser, const struct tl_value *argument,
				    const struct tl_type *parameter, tl_u8 *rank_ret)
{
	const struct tl_type *from, *to;
	bool from_const, to_const, unused;

	TL_TRY(bare(chooser, argument->type, &from, &from_const));
	TL_TRY(bare(chooser, parameter, &to, &to_const));
	if (is_reference(from)) {
		TL_TRY(tl_type_target(from, &from, chooser->error));
		TL_TRY(bare(chooser, from, &from, &from_const));
	}
	if (!is_reference(to))
		return rank_types(chooser, from, to, argument, rank_ret);
	TL_TRY(tl_type_target(to, &parameter, chooser->error));
	unused = to->kind == TL_TYPE_RVALUE_REFERENCE;
	TL_TRY(bare(chooser, parameter, &to, &to_const));
	TL_TRY(rank_types(chooser, from, to, argument, rank_ret));
	/* What stands somewhere is no value that may be moved; what is nowhere is taken as const. */
	if (*rank_ret != RANK_NEVER && unused && argument->place != TL_VALUE_NOWHERE)
		*rank_ret = RANK_ELLIPSIS;
	else if (*rank_ret <= RANK_QUALIFIED && to_const != from_const)
		*rank_ret = to_const ? RANK_QUALIFIED : RANK_CONVERTED;
	return TL_OK;
}

/* ---- One function ---- */

/* A function that does not say const of its object is not for one that is. */
static enum tl_status rank_object(struct chooser *chooser, const struct tl_type *object,
				  const struct tl_type *parameter, tl_u8 *rank_ret)
{
	const struct tl_type *class, *wanted;
	bool object_const, wanted_const;

	TL_TRY(bare(chooser, object, &class, &object_const));
	TL_TRY(bare(chooser, parameter, &wanted, &wanted_const));
	if (wanted->kind == TL_TYPE_POINTER) {
		TL_TRY(tl_type_target(wanted, &wanted, chooser->error));
		TL_TRY(bare(chooser, wanted, &wanted, &wanted_const));
	}
	*rank_ret = object_const == wanted_const ? RANK_EXACT : wanted_const ? RANK_QUALIFIED : RANK_ELLIPSIS;
	return TL_OK;
}

static enum tl_status rank_function(struct chooser *chooser, const struct tl_overload *overload,
				    const struct tl_type *object, const struct tl_value *arguments, tl_size count,
				    struct ranks *ranks)
{
	const struct tl_member *parameters;
	const struct tl_type *type;
	tl_size parameter_count, first = overload->has_object ? 1 : 0;
	bool variadic;

	*ranks = (struct ranks){.count = count + 1, .viable = false};
	TL_TRY(tl_type_members(overload->function, &parameters, &parameter_count, chooser->error));
	variadic = parameter_count != 0 && parameters[parameter_count - 1].kind == TL_MEMBER_VARIADIC;
	parameter_count -= variadic;
	if (parameter_count < first || count > ARGUMENTS_MAX || count < parameter_count - first ||
	    (count > parameter_count - first && !variadic))
		return TL_OK;
	if (first != 0 && object != NULL) {
		TL_TRY(tl_member_type(overload->function, &parameters[0], &type, chooser->error));
		TL_TRY(rank_object(chooser, object, type, &ranks->of[0]));
	}
	ranks->viable = true;
	for (tl_size i = 0; i < count && ranks->viable; i++) {
		ranks->of[i + 1] = RANK_ELLIPSIS;
		if (i < parameter_count - first) {
			TL_TRY(tl_member_type(overload->function, &parameters[first + i], &type, chooser->error));
			TL_TRY(rank_argument(chooser, &arguments[i], type, &ranks->of[i + 1]));
		}
		ranks->viable = ranks->of[i + 1] != RANK_NEVER;
	}
	return TL_OK;
}

/* ---- All of them ---- */

/* Whether one fits no argument worse and some argument better. */
static bool is_better(const struct ranks *one, const struct ranks *other)
{
	bool better = false;

	for (tl_size i = 0; i < one->count; i++) {
		if (one->of[i] > other->of[i])
			return false;
		better |= one->of[i] < other->of[i];
	}
	return better;
}

static enum tl_status write_overload(struct tl_output *output, const char *name, const struct tl_overload *overload,
				     struct tl_error *error)
{
	tl_output_text(output, name);
	return tl_type_write_parameters(overload->function, output, error);
}

static enum tl_status is_ambiguous(const char *name, const struct tl_overload *one, const struct tl_overload *other,
				   struct tl_error *error)
{
	struct tl_output first = tl_output_make(4096), second = tl_output_make(4096);
	enum tl_status status = write_overload(&first, name, one, error);

	if (status == TL_OK)
		status = write_overload(&second, name, other, error);
	if (status == TL_OK)
		status = TL_FAIL(error, TL_ERROR_ARGUMENT,
				 "The call of %s is ambiguous: %s and %s fit equally well. Cast an argument.", name,
				 tl_output_string(&first), tl_output_string(&second));
	tl_output_release(&first);
	tl_output_release(&second);
	return status;
}

/* Two copies of one function, which two modules have: the nearer one, which comes first, will do. */
static enum tl_status are_copies(const struct tl_overload *one, const struct tl_overload *other, bool *copies_ret,
				 struct tl_error *error)
{
	struct tl_output first = tl_output_make(4096), second = tl_output_make(4096);
	enum tl_status status = write_overload(&first, "", one, error);

	if (status == TL_OK)
		status = write_overload(&second, "", other, error);
	*copies_ret = status == TL_OK && strcmp(tl_output_string(&first), tl_output_string(&second)) == 0;
	tl_output_release(&first);
	tl_output_release(&second);
	return status;
}

enum tl_status tl_overload_choose(const struct tl_value_context *context, const char *name,
				  const struct tl_overload *overloads, tl_size count, const struct tl_type *object,
				  const struct tl_value *arguments, tl_size argument_count, tl_size *index_ret,
				  struct tl_error *error)
{
	struct chooser chooser = {context, error};
	struct ranks *ranks = tl_arena_allocate(context->arena, (count + 1) * sizeof(*ranks));
	tl_size best = count;

	if (ranks == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for the functions of that name.");
	for (tl_size i = 0; i < count; i++) {
		TL_TRY(rank_function(&chooser, &overloads[i], object, arguments, argument_count, &ranks[i]));
		if (ranks[i].viable && (best == count || is_better(&ranks[i], &ranks[best])))
			best = i;
	}
	if (best == count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Cannot resolve %s %s to any overloaded instance",
			       object != NULL ? "method" : "function", name);
	for (tl_size i = 0; i < count; i++) {
		bool copies = false;

		if (i == best || !ranks[i].viable || is_better(&ranks[best], &ranks[i]))
			continue;
		TL_TRY(are_copies(&overloads[best], &overloads[i], &copies, error));
		if (!copies)
			return is_ambiguous(name, &overloads[best], &overloads[i], error);
	}
	*index_ret = best;
	return TL_OK;
}
