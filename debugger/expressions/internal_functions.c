#include "debugger/expressions/internal_functions.h"

#include "debugger/values/program_string.h"

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

static enum tl_status memeq(const struct tl_value_context *values, const struct tl_value *arguments,
			    tl_i128 *number_ret, struct tl_error *error)
{
	tl_i128 left, right, size;
	tl_u8 *bytes;

	TL_TRY(tl_value_integer(values, &arguments[0], &left, error));
	TL_TRY(tl_value_integer(values, &arguments[1], &right, error));
	TL_TRY(tl_value_integer(values, &arguments[2], &size, error));
	if (size < 0 || size > (tl_i128)MEMORY_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "$_memeq compares 0 to 1048576 bytes.");
	bytes = tl_arena_allocate(values->arena, (tl_size)size * 2 + 1);
	if (bytes == NULL || values->read == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for the bytes to compare.");
	if (size != 0) {
		TL_TRY(values->read(values->context, (tl_u64)left, bytes, (tl_u64)size, error));
		TL_TRY(values->read(values->context, (tl_u64)right, bytes + size, (tl_u64)size, error));
	}
	*number_ret = memcmp(bytes, bytes + size, (tl_size)size) == 0;
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

static const struct {
	const char *name;
	tl_size count;
	tl_internal_call *call;
} functions[] = {
	{"_isvoid", 1, is_void}, {"_memeq", 3, memeq},   {"_regex", 2, matches},
	{"_streq", 2, streq},    {"_strlen", 1, length},
};

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
	if (!types_only)
		TL_TRY(functions[row].call(values, arguments, &number, error));
	TL_TRY(tl_value_integer_type(values, 4, true, &type, error));
	return tl_value_make_integer(values, type, number, value_ret, error);
}
