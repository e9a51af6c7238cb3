#include "debugger/values/containers.h"

#include "debugger/values/containers_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An optional of a variant of an optional: those of damaged types have no end. */
#define NESTING_MAX 16
#define ELEMENT_MAX ((tl_u64)1 << 40)
#define NAME_MAX_LENGTH 128

/* ---- What is known ---- */

static const struct {
	const char *name; /* without "std::" and the namespaces of versions */
	tl_container_opener *open;
} known_types[] = {
	{"vector", tl_container_vector},
	{"deque", tl_container_deque},
	{"list", tl_container_list},
	{"forward_list", tl_container_forward_list},
	{"map", tl_container_map},
	{"multimap", tl_container_map},
	{"set", tl_container_set},
	{"multiset", tl_container_set},
	{"unordered_map", tl_container_hash_map},
	{"unordered_multimap", tl_container_hash_map},
	{"unordered_set", tl_container_hash_set},
	{"unordered_multiset", tl_container_hash_set},
	{"span", tl_container_span},
	{"initializer_list", tl_container_initializer_list},
	{"bitset", tl_container_bitset},
	{"basic_string", tl_container_string},
	{"basic_string_view", tl_container_string_view},
	{"pair", tl_container_pair},
	{"tuple", tl_container_tuple},
	{"optional", tl_container_optional},
	{"variant", tl_container_variant},
	{"unique_ptr", tl_container_unique},
	{"shared_ptr", tl_container_shared},
	{"weak_ptr", tl_container_shared},
	{"atomic", tl_container_atomic},
	{"stack", tl_container_adapter},
	{"queue", tl_container_adapter},
	{"priority_queue", tl_container_adapter},
	{"partial_ordering", tl_container_ordering},
	{"weak_ordering", tl_container_ordering},
	{"strong_ordering", tl_container_ordering},
	{"_List_iterator", tl_container_list_iterator},
	{"_List_const_iterator", tl_container_list_iterator},
	{"_Fwd_list_iterator", tl_container_forward_iterator},
	{"_Fwd_list_const_iterator", tl_container_forward_iterator},
	{"_Rb_tree_iterator", tl_container_tree_iterator},
	{"_Rb_tree_const_iterator", tl_container_tree_iterator},
	{"_Deque_iterator", tl_container_deque_iterator},
	{"_Deque_const_iterator", tl_container_deque_iterator},
	{"_Bit_iterator", tl_container_bit_iterator},
	{"_Bit_const_iterator", tl_container_bit_iterator},
	{"_Bit_reference", tl_container_bit_reference},
};

/* Takes a prefix off a name. */
static bool skip(const char **name, const char *prefix)
{
	const tl_size length = strlen(prefix);

	if (strncmp(*name, prefix, length) != 0)
		return false;
	*name += length;
	return true;
}

/* A template's name up to its arguments. False: too long for any that is known. */
static bool base_name(const char *full, char name_ret[NAME_MAX_LENGTH])
{
	const tl_size length = strcspn(full, "<");

	if (length >= NAME_MAX_LENGTH)
		return false;
	memcpy(name_ret, full, length);
	name_ret[length] = '\0';
	return true;
}

static tl_container_opener *find(const char *name)
{
	if (strcmp(name, "__gnu_cxx::__normal_iterator") == 0)
		return tl_container_iterator;
	if (!skip(&name, "std::"))
		return NULL;
	(void)skip(&name, "__8::");
	if (!skip(&name, "__cxx11::") && !skip(&name, "__cxx1998::"))
		(void)skip(&name, "__debug::");
	for (tl_size i = 0; i < TL_COUNT(known_types); i++)
		if (strcmp(name, known_types[i].name) == 0)
			return known_types[i].open;
	return NULL;
}

/* Finds what opens a type, and the name that is shown for it. */
static enum tl_status recognise(const struct tl_type *type, tl_container_opener **open_ret,
				char name_ret[NAME_MAX_LENGTH], struct tl_error *error)
{
	const char *full = NULL;

	*open_ret = NULL;
	if ((type->kind != TL_TYPE_STRUCT && type->kind != TL_TYPE_CLASS) || !type->has_scopes || type->declaration ||
	    type->name == NULL)
		return TL_OK;
	TL_TRY(tl_type_full_name(type, &full, error));
	if (full != NULL && base_name(full, name_ret))
		*open_ret = find(name_ret);
	return TL_OK;
}

enum tl_status tl_container_is_known(const struct tl_type *type, bool *known_ret, struct tl_error *error)
{
	char name[NAME_MAX_LENGTH];
	tl_container_opener *open;

	TL_TRY(recognise(type, &open, name, error));
	*known_ret = open != NULL;
	return TL_OK;
}

/* ---- Opening ---- */

static enum tl_status open_value(const struct tl_value_context *context, const struct tl_value *value,
				 const struct tl_type *type, unsigned nesting, struct tl_container *container_ret,
				 bool *known_ret, struct tl_error *error)
{
	struct tl_container_view view = {
		.context = context,
		.value = value,
		.type = type,
		.nesting = nesting,
		.container = container_ret,
		.error = error,
	};
	tl_container_opener *open;
	char name[NAME_MAX_LENGTH];

	*known_ret = false;
	*container_ret = (struct tl_container){0};
	TL_TRY(recognise(type, &open, name, error));
	if (open == NULL || nesting > NESTING_MAX)
		return TL_OK;
	*known_ret = true;
	/* The namespace of a version is nothing that anyone has written. */
	if (strncmp(name, "std::__8::", 10) == 0)
		memmove(name + 5, name + 10, strlen(name + 10) + 1);
	view.name = name;
	return open(&view);
}

enum tl_status tl_container_open(const struct tl_value_context *context, const struct tl_value *value,
				 const struct tl_type *type, struct tl_container *container_ret, bool *known_ret,
				 struct tl_error *error)
{
	return open_value(context, value, type, 0, container_ret, known_ret, error);
}

enum tl_status tl_container_open_nested(const struct tl_value_context *context, const struct tl_value *value,
					unsigned nesting, struct tl_container *container_ret, bool *known_ret,
					struct tl_error *error)
{
	struct tl_value own = *value;
	const struct tl_type *type;

	*known_ret = false;
	TL_TRY(tl_type_strip(own.type, &type, error));
	if (type->kind != TL_TYPE_STRUCT && type->kind != TL_TYPE_CLASS)
		return TL_OK;
	TL_TRY(tl_value_load(context, &own, error));
	return open_value(context, &own, type, nesting + 1, container_ret, known_ret, error);
}

/* ---- What openers need ---- */

enum tl_status tl_container_member(const struct tl_container_view *view, const char *path, struct tl_value *value_ret)
{
	struct tl_value at = *view->value;

	while (*path != '\0') {
		const tl_size length = strcspn(path, ".");
		char name[64];

		if (length >= sizeof(name))
			return TL_FAIL(view->error, TL_ERROR_ARGUMENT, "%s is too long", path);
		memcpy(name, path, length);
		name[length] = '\0';
		TL_TRY(tl_value_member(view->context, &at, name, &at, view->error));
		path += length + (path[length] == '.');
	}
	*value_ret = at;
	return TL_OK;
}

enum tl_status tl_container_number(const struct tl_container_view *view, const char *path, tl_u64 *number_ret)
{
	struct tl_value value;
	tl_i128 number;

	TL_TRY(tl_container_member(view, path, &value));
	TL_TRY(tl_value_integer(view->context, &value, &number, view->error));
	*number_ret = (tl_u64)number;
	return TL_OK;
}

enum tl_status tl_container_head(const struct tl_container_view *view, const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return TL_FAIL(view->error, TL_ERROR_NO_MEMORY, "No storage for a container's name.");
	view->container->head = tl_arena_copy(view->context->arena, text, (tl_size)length);
	free(text);
	return view->container->head != NULL
		       ? TL_OK
		       : TL_FAIL(view->error, TL_ERROR_NO_MEMORY, "No storage for a container's name.");
}

enum tl_status tl_container_element_size(const struct tl_container_view *view, const struct tl_type *type,
					 tl_u64 *size_ret)
{
	bool known;

	TL_TRY(tl_type_size(type, size_ret, &known, view->error));
	if (!known || *size_ret == 0 || *size_ret > ELEMENT_MAX)
		return TL_FAIL(view->error, TL_ERROR_UNSUPPORTED, "the size of its elements is not known");
	return TL_OK;
}

enum tl_status tl_container_element_offset(const struct tl_container_view *view, const struct tl_type *type,
					   tl_u64 begin, tl_u64 *offset_ret)
{
	tl_u64 size, alignment;

	TL_TRY(tl_container_element_size(view, type, &size));
	TL_TRY(tl_type_alignment(type, &alignment, view->error));
	if (alignment == 0 || alignment > (tl_u64)1 << 32)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "the alignment of its elements makes no sense");
	begin *= view->context->address_size;
	*offset_ret = (begin + alignment - 1) / alignment * alignment;
	return TL_OK;
}

enum tl_status tl_container_argument(const struct tl_type *type, tl_size index, const struct tl_type **argument_ret,
				     struct tl_error *error)
{
	const struct tl_member *members;
	tl_size count;

	*argument_ret = NULL;
	TL_TRY(tl_type_members(type, &members, &count, error));
	for (tl_size i = 0; i < count; i++) {
		if (members[i].kind != TL_MEMBER_TEMPLATE_TYPE && members[i].kind != TL_MEMBER_TEMPLATE_VALUE)
			continue;
		if (index-- == 0)
			return members[i].kind == TL_MEMBER_TEMPLATE_TYPE
				       ? tl_member_type(type, &members[i], argument_ret, error)
				       : TL_OK;
	}
	return TL_OK;
}

/* A type that is declared in the class, by its name; NULL: none is. */
static enum tl_status declared_type(const struct tl_type *type, const char *name, const struct tl_type **type_ret,
				    struct tl_error *error)
{
	const struct tl_member *members;
	tl_size count;

	*type_ret = NULL;
	TL_TRY(tl_type_members(type, &members, &count, error));
	for (tl_size i = 0; i < count; i++)
		if (members[i].kind == TL_MEMBER_TYPE && members[i].name != NULL && strcmp(members[i].name, name) == 0)
			return tl_member_type(type, &members[i], type_ret, error);
	return TL_OK;
}

static enum tl_status without_reference(const struct tl_type **type, struct tl_error *error)
{
	const struct tl_type *stripped;

	TL_TRY(tl_type_strip(*type, &stripped, error));
	return stripped->kind == TL_TYPE_REFERENCE ? tl_type_target(stripped, type, error) : TL_OK;
}

enum tl_status tl_container_type_argument(const struct tl_container_view *view, tl_size index,
					  const struct tl_type **type_ret)
{
	/* gcc does not always say what a template's arguments are; they have names in the class. */
	static const char *const names[2][4] = {{"key_type", "element_type", "value_type", "reference"},
						{"mapped_type"}};

	TL_TRY(tl_container_argument(view->type, index, type_ret, view->error));
	for (tl_size i = 0; index < 2 && i < 4 && names[index][i] != NULL && *type_ret == NULL; i++)
		TL_TRY(declared_type(view->type, names[index][i], type_ret, view->error));
	if (*type_ret != NULL && index < 2)
		TL_TRY(without_reference(type_ret, view->error));
	return *type_ret != NULL ? TL_OK
				 : TL_FAIL(view->error, TL_ERROR_UNSUPPORTED, "the type of its elements is not known");
}

enum tl_status tl_container_check_memory(const struct tl_container_view *view, tl_u64 address, tl_u64 size)
{
	const struct tl_value_context *context = view->context;
	tl_u8 byte;

	if (size == 0)
		return TL_OK;
	if (context->read == NULL)
		return TL_FAIL(view->error, TL_ERROR_UNSUPPORTED, "there is no memory to read");
	TL_TRY(context->read(context->context, address, &byte, 1, view->error));
	return context->read(context->context, address + size - 1, &byte, 1, view->error);
}
