/* Members and what leads to them, casts among classes, and what typeid is of. */
#include "debugger/expressions/evaluate_internal.h"
#include "debugger/values/classes.h"
#include "symbols/dwarf_constants.h"

#include <stdio.h>
#include <string.h>

enum tl_status tl_evaluation_class(struct tl_evaluation *evaluation, const struct tl_value *value,
				   const struct tl_type **class_ret, bool *is_ret)
{
	TL_TRY(tl_value_strip(&evaluation->values, value->type, class_ret, evaluation->error));
	if ((*class_ret)->kind == TL_TYPE_REFERENCE || (*class_ret)->kind == TL_TYPE_RVALUE_REFERENCE) {
		TL_TRY(tl_type_target(*class_ret, class_ret, evaluation->error));
		TL_TRY(tl_value_strip(&evaluation->values, *class_ret, class_ret, evaluation->error));
	}
	*is_ret = tl_class_is(*class_ret);
	return TL_OK;
}

/* Where the last part of a name begins: colons between < and > belong to arguments, and "operator<" is a name. */
static const char *last_part(const char *name)
{
	const char *last = name;
	unsigned depth = 0;

	for (const char *at = name; *at != '\0'; at++) {
		if (depth == 0 && strncmp(at, "operator", 8) == 0 && (at == name || at[-1] == ':'))
			return at;
		depth += *at == '<';
		depth -= *at == '>' && depth != 0;
		if (depth == 0 && *at == ':')
			last = at + 1;
	}
	return last;
}

enum tl_status tl_evaluation_scope(struct tl_evaluation *evaluation, const char *name, const struct tl_type **class_ret,
				   const char **last_ret)
{
	const struct tl_environment *environment = evaluation->environment;
	const struct tl_type *type = NULL;
	const char *scope;

	*class_ret = NULL;
	*last_ret = last_part(name);
	if (*last_ret - name < 3 || environment->find_type == NULL)
		return TL_OK;
	scope = tl_arena_copy(evaluation->values.arena, name, (tl_size)(*last_ret - name) - 2);
	if (scope == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_NO_MEMORY, "No storage for a name.");
	TL_TRY(environment->find_type(environment->context, scope, TL_TAG_NONE, &type, evaluation->error));
	if (type == NULL)
		return TL_OK;
	TL_TRY(tl_value_strip(&evaluation->values, type, &type, evaluation->error));
	if (tl_class_is(type))
		*class_ret = type;
	return TL_OK;
}

/* ---- Members ---- */

enum tl_status tl_evaluation_object(struct tl_evaluation *evaluation, const struct tl_node *node,
				    struct tl_value *object_ret)
{
	const struct tl_type *type;
	bool done = true;

	TL_TRY(tl_evaluation_value(evaluation, node->first, object_ret));
	TL_TRY(tl_value_unreference(&evaluation->values, object_ret, evaluation->error));
	TL_TRY(tl_value_strip(&evaluation->values, object_ret->type, &type, evaluation->error));
	/* An arrow behind an object is its operator->, over and over until there is a pointer. */
	for (unsigned i = 0; i < 16 && node->kind == TL_NODE_ARROW && tl_class_is(type) && done; i++) {
		TL_TRY(tl_evaluation_operator(evaluation, "->", object_ret, 1, object_ret, &done));
		TL_TRY(tl_value_unreference(&evaluation->values, object_ret, evaluation->error));
		TL_TRY(tl_value_strip(&evaluation->values, object_ret->type, &type, evaluation->error));
	}
	if (type->kind == TL_TYPE_POINTER)
		return tl_value_follow(&evaluation->values, object_ret, object_ret, evaluation->error);
	return TL_OK;
}

enum tl_status tl_evaluation_named_member(struct tl_evaluation *evaluation, const struct tl_value *object,
					  const char *name, struct tl_value *value_ret)
{
	const struct tl_type *scope = NULL, *class;
	const char *last = name;
	struct tl_value part = *object;
	unsigned ways = 1;

	if (strchr(name, ':') != NULL)
		TL_TRY(tl_evaluation_scope(evaluation, name, &scope, &last));
	if (scope == NULL)
		return tl_value_member(&evaluation->values, object, name, value_ret, evaluation->error);
	TL_TRY(tl_value_strip(&evaluation->values, object->type, &class, evaluation->error));
	if (tl_class_is(class))
		TL_TRY(tl_class_base(&evaluation->values, object, scope, &part, &ways, evaluation->error));
	if (ways != 1)
		return TL_FAIL(
			evaluation->error, TL_ERROR_ARGUMENT, "base class '%s' is ambiguous or no base of \"%s\"",
			tl_value_type_name(&evaluation->values, scope), tl_value_type_name(&evaluation->values, class));
	return tl_value_member(&evaluation->values, &part, last, value_ret, evaluation->error);
}

enum tl_status tl_evaluation_member(struct tl_evaluation *evaluation, const struct tl_node *node,
				    struct tl_value *value_ret)
{
	struct tl_value object;

	if (!evaluation->values.is_cplus) {
		TL_TRY(tl_evaluation_value(evaluation, node->first, &object));
		return tl_value_member(&evaluation->values, &object, node->text.bytes, value_ret, evaluation->error);
	}
	TL_TRY(tl_evaluation_object(evaluation, node, &object));
	return tl_evaluation_named_member(evaluation, &object, node->text.bytes, value_ret);
}

/* ---- Pointers to members ---- */

enum tl_status tl_evaluation_pointed_member(struct tl_evaluation *evaluation, const struct tl_node *node,
					    struct tl_value *value_ret, struct tl_value *object_ret,
					    bool *is_function_ret)
{
	struct tl_node access = *node;
	struct tl_value object, pointer;

	access.kind = node->operation == TL_ARROW ? TL_NODE_ARROW : TL_NODE_MEMBER;
	TL_TRY(tl_evaluation_object(evaluation, &access, &object));
	TL_TRY(tl_evaluation_value(evaluation, node->second, &pointer));
	TL_TRY(tl_value_unreference(&evaluation->values, &pointer, evaluation->error));
	return tl_class_pointed(&evaluation->values, &object, &pointer, value_ret, object_ret, is_function_ret,
				evaluation->error);
}

struct found_member {
	const char *name;
	const struct tl_type *owner;
	const struct tl_member *member;
	unsigned count;
	unsigned looked_at; /* classes, on all ways that lead to them */
};

static enum tl_status find_member(struct tl_evaluation *evaluation, const struct tl_type *class, unsigned level,
				  struct found_member *found)
{
	const struct tl_member *members;
	const struct tl_type *base;
	tl_size count;

	if (level > 64 || ++found->looked_at > 4096)
		return TL_FAIL(evaluation->error, TL_ERROR_MALFORMED, "The bases of this class nest without end.");
	TL_TRY(tl_type_members(class, &members, &count, evaluation->error));
	for (tl_size i = 0; i < count; i++)
		if ((members[i].kind == TL_MEMBER_FIELD || members[i].kind == TL_MEMBER_FUNCTION ||
		     members[i].kind == TL_MEMBER_STATIC) &&
		    members[i].name != NULL && strcmp(members[i].name, found->name) == 0) {
			found->owner = class;
			found->member = &members[i];
			found->count++;
		}
	for (tl_size i = 0; i < count && found->count == 0; i++)
		if (members[i].kind == TL_MEMBER_BASE) {
			TL_TRY(tl_member_type(class, &members[i], &base, evaluation->error));
			TL_TRY(tl_value_strip(&evaluation->values, base, &base, evaluation->error));
			TL_TRY(find_member(evaluation, base, level + 1, found));
		}
	return TL_OK;
}

/* The bytes of a pointer to a member function (Itanium C++ ABI, section 2.3.2): an odd first word is a place in the
 * table. */
static enum tl_status function_pointer(struct tl_evaluation *evaluation, const struct found_member *found,
				       const struct tl_type *function, struct tl_value *value_ret, bool *done_ret)
{
	const struct tl_environment *environment = evaluation->environment;
	const tl_u8 size = evaluation->values.address_size;
	const struct tl_type *type;
	struct tl_value value;
	tl_u8 bytes[16] = {0};
	bool known = false;
	tl_u64 word = 0;

	if (found->member->is_virtual)
		TL_TRY(tl_class_slot(found->member, &word, &known, evaluation->error));
	word = word * size + 1;
	if (!known) {
		TL_TRY(environment->find_method(environment->context, found->owner, found->member, &value, &known,
						evaluation->error));
		word = value.address;
	}
	if (!known)
		return TL_OK;
	for (unsigned i = 0; i < size; i++)
		bytes[i] = (tl_u8)(word >> i * 8);
	TL_TRY(tl_type_make_member_pointer(function, found->owner, (tl_u8)(size * 2), &type, evaluation->error));
	*done_ret = true;
	return tl_value_make_bytes(&evaluation->values, type, bytes, size * 2u, value_ret, evaluation->error);
}

enum tl_status tl_evaluation_member_pointer(struct tl_evaluation *evaluation, const char *name,
					    struct tl_value *value_ret, bool *done_ret)
{
	struct found_member found = {.count = 0};
	const struct tl_type *class = NULL, *type;
	const tl_u8 size = evaluation->values.address_size;

	*done_ret = false;
	if (!evaluation->values.is_cplus || strstr(name, "::") == NULL || evaluation->environment->find_method == NULL)
		return TL_OK;
	TL_TRY(tl_evaluation_scope(evaluation, name, &class, &found.name));
	if (class != NULL)
		TL_TRY(find_member(evaluation, class, 0, &found));
	if (found.count == 0 || found.member->kind == TL_MEMBER_STATIC || found.member->is_static)
		return TL_OK;
	if (found.count > 1)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT,
			       "non-unique member `%s' requires type instantiation", found.name);
	TL_TRY(tl_member_type(found.owner, found.member, &type, evaluation->error));
	if (found.member->kind == TL_MEMBER_FUNCTION)
		return function_pointer(evaluation, &found, type, value_ret, done_ret);
	if (found.member->moves || found.member->bit_size != 0)
		return TL_OK;
	TL_TRY(tl_type_make_member_pointer(type, found.owner, size, &type, evaluation->error));
	*done_ret = true;
	return tl_value_make_integer(&evaluation->values, type, (tl_i128)(found.member->bit_offset / 8), value_ret,
				     evaluation->error);
}

/* ---- Casts ---- */

enum tl_status tl_evaluation_cast(struct tl_evaluation *evaluation, enum tl_node_kind how, const struct tl_value *value,
				  const struct tl_type *type, struct tl_value *value_ret)
{
	bool done = false;

	if (how == TL_NODE_DYNAMIC && evaluation->values.is_cplus && !evaluation->quiet)
		return tl_class_dynamic_cast(&evaluation->values, value, type, value_ret, evaluation->error);
	if (how != TL_NODE_REINTERPRET && evaluation->values.is_cplus && !evaluation->quiet)
		TL_TRY(tl_class_cast(&evaluation->values, value, type, value_ret, &done, evaluation->error));
	return done ? TL_OK : tl_value_cast(&evaluation->values, value, type, value_ret, evaluation->error);
}

/* ---- typeid ---- */

/* The mangled name of a type that needs no more than its own names, "N1a1bE"; false for others. */
static bool mangle(const struct tl_type *type, const char *full, char *text, tl_size size)
{
	static const struct {
		const char *name, *code;
	} codes[] = {{"void", "v"},  {"bool", "b"},          {"char", "c"},          {"signed char", "a"},
		     {"int", "i"},   {"unsigned char", "h"}, {"short", "s"},         {"unsigned short", "t"},
		     {"long", "l"},  {"unsigned int", "j"},  {"unsigned long", "m"}, {"long long", "x"},
		     {"float", "f"}, {"double", "d"},        {"long double", "e"},   {"unsigned long long", "y"}};
	const bool nested = strstr(full, "::") != NULL;
	tl_size done = 0;

	if (type->kind == TL_TYPE_BASE || type->kind == TL_TYPE_VOID) {
		for (tl_size i = 0; i < TL_COUNT(codes); i++)
			if (strcmp(codes[i].name, type->kind == TL_TYPE_VOID ? "void" : full) == 0)
				return snprintf(text, size, "_ZTI%s", codes[i].code) < (int)size;
		return false;
	}
	if (strpbrk(full, "<( ") != NULL || strlen(full) > size / 2)
		return false;
	done = (tl_size)snprintf(text, size, "_ZTI%s", nested ? "N" : "");
	while (*full != '\0' && done < size) {
		const tl_size length = strcspn(full, ":");

		done += (tl_size)snprintf(text + done, size - done, "%u%.*s", (unsigned)length, (int)length, full);
		full += length + (full[length] == ':' ? 2 : 0);
	}
	return done < size && snprintf(text + done, size - done, "%s", nested ? "E" : "") >= 0;
}

/* What the ABI has of it (Itanium C++ ABI, section 2.9.3), where the program's debug information has nothing. */
static enum tl_status make_type_info(struct tl_evaluation *evaluation, const struct tl_type **info_ret)
{
	const tl_u8 size = evaluation->values.address_size;
	struct tl_types *types = evaluation->values.types;
	struct tl_made_member members[2] = {
		{.member = {.kind = TL_MEMBER_FIELD, .access = TL_PUBLIC, .name = "_vptr.type_info"}},
		{.member = {.kind = TL_MEMBER_FIELD, .access = TL_PUBLIC, .name = "__name", .bit_offset = size * 8u}}};
	const struct tl_type *type;

	TL_TRY(tl_type_make_pointer(tl_type_void(types), size, &members[0].type, evaluation->error));
	TL_TRY(tl_type_make_base(types, "char", DW_ATE_signed_char, 1, &type, evaluation->error));
	TL_TRY(tl_type_make_qualified(type, TL_TYPE_CONST, &type, evaluation->error));
	TL_TRY(tl_type_make_pointer(type, size, &members[1].type, evaluation->error));
	return tl_type_make_composite(types, TL_TYPE_STRUCT, "std::type_info", (tl_u64)size * 2, members, 2, info_ret,
				      evaluation->error);
}

/* Of an object with virtual functions its table says what it is; of a type that is known by name the linker does. */
enum tl_status tl_evaluation_typeid(struct tl_evaluation *evaluation, const struct tl_node *node,
				    struct tl_value *value_ret)
{
	const struct tl_environment *environment = evaluation->environment;
	const struct tl_type *type, *info = NULL;
	struct tl_value value, whole;
	char symbol[512];
	const char *full = NULL;
	bool known = false;

	if (environment->find_type == NULL || environment->find_name == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_UNSUPPORTED, "There are no types here.");
	TL_TRY(tl_evaluation_type(evaluation, node->first, &type));
	if (!tl_node_is_type(tl_evaluation_at(evaluation, node->first)) && !evaluation->quiet) {
		TL_TRY(tl_evaluation_value(evaluation, node->first, &value));
		TL_TRY(tl_value_unreference(&evaluation->values, &value, evaluation->error));
		TL_TRY(tl_class_whole(&evaluation->values, &value, &whole, &known, evaluation->error));
		type = known ? whole.type : value.type;
	}
	TL_TRY(environment->find_type(environment->context, "::std::type_info", TL_TAG_NONE, &info, evaluation->error));
	if (info == NULL)
		TL_TRY(make_type_info(evaluation, &info));
	if (evaluation->quiet)
		return tl_value_at(&evaluation->values, info, 0, value_ret, evaluation->error);
	TL_TRY(tl_value_strip(&evaluation->values, type, &type, evaluation->error));
	TL_TRY(tl_type_full_name(type, &full, evaluation->error));
	known = false;
	if (full != NULL && mangle(type, full, symbol, sizeof(symbol)))
		TL_TRY(environment->find_name(environment->context, NULL, symbol, &value, &known, evaluation->error));
	if (!known)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "could not find typeinfo symbol for '%s'",
			       tl_value_type_name(&evaluation->values, type));
	return tl_value_at(&evaluation->values, info, value.address, value_ret, evaluation->error);
}
