#include "debugger/expressions/internal_functions.h"

#include "debugger/values/program_string.h"
#include "symbols/dwarf_constants.h"

#include <regex.h>
#include <string.h>

#define MEMORY_MAX ((tl_u64)1 << 20)

typedef enum tl_status tl_internal_call(const struct tl_value_context *values, const struct tl_value *arguments,
					tl_i128 *number_ret, struct tl_error *error);

static enum tl_status streq(const struct tl_value_context *values, const struct tl_value *arguments,
			    tl_i128 *number_ret, struct tl_error *error)
{
	char *left, *right;

	TL_TRY(tl_program_string(values, &arguments[0], &left, error));
	TL_TRY(tl_program_string(values, &arguments[1], &right, error));
	*number_ret = strcmp(left, right) == 0;
	return TL_OK;
}

static enum tl_status length(const struct tl_value_context *values, const struct tl_value *arguments,
			     tl_i128 *number_ret, struct tl_error *error)
{
	char *text;

	TL_TRY(tl_program_string(values, &arguments[0], &text, error));
	*number_ret = (tl_i128)strlen(text);
	return TL_OK;
}

static enum tl_status matches(const struct tl_value_context *values, const struct tl_value *arguments,
			      tl_i128 *number_ret, struct tl_error *error)
{
	char *text, *pattern;
	regex_t expression;

	TL_TRY(tl_program_string(values, &arguments[0], &text, error));
	TL_TRY(tl_program_string(values, &arguments[1], &pattern, error));
	if (regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\" is no regular expression.", pattern);
	*number_ret = regexec(&expression, text, 0, NULL, 0) == 0;
	regfree(&expression);
	return TL_OK;
}

static enum tl_status is_void(const struct tl_value_context *values, const struct tl_value *arguments,
			      tl_i128 *number_ret, struct tl_error *error)
{
	const struct tl_type *type;

	(void)values;
	TL_TRY(tl_type_strip(arguments[0].type, &type, error));
	*number_ret = type->kind == TL_TYPE_VOID;
	return TL_OK;
}

/* A string of the debugger's own stands nowhere in the program. */
static enum tl_status bytes_of(const struct tl_value_context *values, const struct tl_value *value, tl_u64 size,
			       const tl_u8 **bytes_ret, struct tl_error *error)
{
	struct tl_value own = *value;
	tl_i128 address;
	tl_u8 *bytes;

	if (own.place == TL_VALUE_NOWHERE && own.type->kind == TL_TYPE_ARRAY && own.bytes != NULL) {
		if (size > own.size)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "$_memeq: the array has %llu bytes only.",
				       (unsigned long long)own.size);
		*bytes_ret = own.bytes;
		return TL_OK;
	}
	TL_TRY(tl_value_decay(values, &own, error));
	TL_TRY(tl_value_integer(values, &own, &address, error));
	bytes = tl_arena_allocate(values->arena, (tl_size)size + 1);
	if (bytes == NULL || values->read == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for the bytes to compare.");
	*bytes_ret = bytes;
	return size != 0 ? values->read(values->context, (tl_u64)address, bytes, size, error) : TL_OK;
}

static enum tl_status memeq(const struct tl_value_context *values, const struct tl_value *arguments,
			    tl_i128 *number_ret, struct tl_error *error)
{
	const tl_u8 *left, *right;
	tl_i128 size;

	TL_TRY(tl_value_integer(values, &arguments[2], &size, error));
	if (size < 0 || size > (tl_i128)MEMORY_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "$_memeq compares 0 to 1048576 bytes.");
	TL_TRY(bytes_of(values, &arguments[0], (tl_u64)size, &left, error));
	TL_TRY(bytes_of(values, &arguments[1], (tl_u64)size, &right, error));
	*number_ret = memcmp(left, right, (tl_size)size) == 0;
	return TL_OK;
}

static const struct {
	const char *name;
	tl_size count;
	tl_internal_call *call;
} functions[] = {
	{"_cimag", 1, NULL},    {"_creal", 1, NULL},  {"_isvoid", 1, is_void}, {"_memeq", 3, memeq},
	{"_regex", 2, matches}, {"_streq", 2, streq}, {"_strlen", 1, length},
};

/* $_creal and $_cimag: of a complex number, the first half or the second. */
static enum tl_status half(const struct tl_value_context *values, const struct tl_value *value, bool imaginary,
			   struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_value own = *value;
	const struct tl_type *type;
	tl_u64 size;

	TL_TRY(tl_value_unreference(values, &own, error));
	TL_TRY(tl_value_strip(values, own.type, &type, error));
	if (type->kind != TL_TYPE_BASE || type->encoding != DW_ATE_complex_float)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "expected a complex number");
	TL_TRY(tl_value_load(values, &own, error));
	size = own.size / 2;
	TL_TRY(tl_type_make_base(values->types,
				 size == 4   ? "float"
				 : size == 8 ? "double"
					     : "long double",
				 DW_ATE_float, (tl_u8)size, &type, error));
	*value_ret = (struct tl_value){.type = type, .bytes = own.bytes + (imaginary ? size : 0), .size = size};
	return TL_OK;
}

/* The row of a name; past the end when there is none. */
static tl_size find(const char *name)
{
	tl_size i = 0;

	while (i < TL_COUNT(functions) && strcmp(functions[i].name, name) != 0)
		i++;
	return i;
}

bool tl_internal_function_exists(const char *name)
{
	return find(name) < TL_COUNT(functions);
}

enum tl_status tl_internal_function_call(const struct tl_value_context *values, const char *name,
					 const struct tl_value *arguments, tl_size count, bool types_only,
					 struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *type;
	tl_size row = find(name);
	tl_i128 number = 0;

	if (row == TL_COUNT(functions))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "There is no function $%s.", name);
	if (count != functions[row].count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "You must provide %zu argument%s to $%s.",
			       functions[row].count, functions[row].count == 1 ? "" : "s", name);
	if (functions[row].call == NULL)
		return half(values, &arguments[0], name[2] == 'i', value_ret, error);
	if (!types_only)
		TL_TRY(functions[row].call(values, arguments, &number, error));
	TL_TRY(tl_value_integer_type(values, 4, true, &type, error));
	return tl_value_make_integer(values, type, number, value_ret, error);
}
