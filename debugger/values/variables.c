#include "debugger/values/variables.h"

#include "base/storage.h"

#include <string.h>

/* A value with storage of its own: the bytes, and behind them, where some are absent, a mark for each. */
struct kept {
	struct tl_value value;
	tl_u8 *storage;
	tl_size storage_size;
	bool is_void; /* the value's type means nothing: it is void, of whatever types are asked */
};

struct variable {
	char name[TL_VARIABLE_NAME_MAX];
	struct kept kept;
};

struct tl_variables {
	struct kept *history;
	tl_size history_count, history_capacity;
	struct variable *variables;
	tl_size count, capacity;
};

enum tl_status tl_variables_open(struct tl_variables **variables_ret, struct tl_error *error)
{
	*variables_ret = tl_allocate(tl_storage(), sizeof(**variables_ret));
	return *variables_ret != NULL ? TL_OK : TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for variables.");
}

static void drop(struct kept *kept)
{
	tl_release(tl_storage(), kept->storage, kept->storage_size);
	*kept = (struct kept){.is_void = true};
}

void tl_variables_close(struct tl_variables *variables)
{
	if (variables == NULL)
		return;
	for (tl_size i = 0; i < variables->history_count; i++)
		drop(&variables->history[i]);
	for (tl_size i = 0; i < variables->count; i++)
		drop(&variables->variables[i].kept);
	tl_release(tl_storage(), variables->history, variables->history_capacity * sizeof(*variables->history));
	tl_release(tl_storage(), variables->variables, variables->capacity * sizeof(*variables->variables));
	tl_release(tl_storage(), variables, sizeof(*variables));
}

/* Takes a value with all that it has, its bytes read. */
static enum tl_status keep(const struct tl_value_context *context, const struct tl_value *value, struct kept *kept_ret,
			   struct tl_error *error)
{
	struct tl_value own = *value;
	struct kept kept = {0};
	const struct tl_type *stripped;

	TL_TRY(tl_type_strip(own.type, &stripped, error));
	if (stripped->kind == TL_TYPE_VOID) {
		*kept_ret = (struct kept){.is_void = true};
		return TL_OK;
	}
	/* A function is its address. */
	if (stripped->kind != TL_TYPE_FUNCTION)
		TL_TRY(tl_value_load(context, &own, error));
	if (own.bytes != NULL && own.size != 0) {
		kept.storage_size = own.absent != NULL ? own.size * 2 : own.size;
		kept.storage = tl_allocate(tl_storage(), kept.storage_size);
		if (kept.storage == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage to remember the value.");
		memcpy(kept.storage, own.bytes, own.size);
		own.bytes = kept.storage;
		if (own.absent != NULL) {
			memcpy(kept.storage + own.size, own.absent, own.size);
			own.absent = kept.storage + own.size;
		}
	}
	/* Registers and pieces belong to a stop that will be over. */
	if (own.place == TL_VALUE_ELSEWHERE)
		own.place = TL_VALUE_NOWHERE;
	own.where = NULL;
	kept.value = own;
	*kept_ret = kept;
	return TL_OK;
}

static struct tl_value value_of(const struct kept *kept, const struct tl_value_context *context)
{
	if (kept == NULL || kept->is_void)
		return (struct tl_value){.type = tl_type_void(context->types)};
	return kept->value;
}

/* ---- History ---- */

enum tl_status tl_variables_record(struct tl_variables *variables, const struct tl_value_context *context,
				   const struct tl_value *value, tl_u64 *number_ret, struct tl_error *error)
{
	void *history = variables->history;
	struct kept kept;

	TL_TRY(keep(context, value, &kept, error));
	if (!tl_grow(tl_storage(), &history, &variables->history_capacity, variables->history_count, sizeof(kept))) {
		drop(&kept);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for the value history.");
	}
	variables->history = history;
	variables->history[variables->history_count++] = kept;
	*number_ret = variables->history_count;
	return TL_OK;
}

enum tl_status tl_variables_recall(const struct tl_variables *variables, const struct tl_value_context *context,
				   bool absolute, tl_u64 number, struct tl_value *value_ret, struct tl_error *error)
{
	tl_u64 count = variables->history_count;

	if (!absolute && count == 0 && number <= 1) {
		*value_ret = value_of(NULL, context);
		return TL_OK;
	}
	if (absolute && (number == 0 || number > count))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "History has not yet reached $%llu.",
			       (unsigned long long)number);
	if (!absolute && number >= count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "History does not go back to $$%llu.",
			       (unsigned long long)number);
	*value_ret = value_of(&variables->history[absolute ? number - 1 : count - 1 - number], context);
	return TL_OK;
}

tl_u64 tl_variables_history(const struct tl_variables *variables)
{
	return variables->history_count;
}

/* ---- Variables ---- */

static struct variable *find(const struct tl_variables *variables, const char *name)
{
	for (tl_size i = 0; i < variables->count; i++)
		if (strcmp(variables->variables[i].name, name) == 0)
			return &variables->variables[i];
	return NULL;
}

enum tl_status tl_variables_set(struct tl_variables *variables, const struct tl_value_context *context,
				const char *name, const struct tl_value *value, struct tl_error *error)
{
	struct variable *variable = find(variables, name);
	void *array = variables->variables;
	struct kept kept;

	if (strlen(name) >= TL_VARIABLE_NAME_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "The name of a variable has at most %d characters.",
			       TL_VARIABLE_NAME_MAX - 1);
	/* What is kept of the old value may be what is being set. */
	TL_TRY(keep(context, value, &kept, error));
	if (variable == NULL) {
		if (!tl_grow(tl_storage(), &array, &variables->capacity, variables->count, sizeof(*variable))) {
			drop(&kept);
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for $%s.", name);
		}
		variables->variables = array;
		variable = &variables->variables[variables->count++];
		*variable = (struct variable){.kept = {.is_void = true}};
		memcpy(variable->name, name, strlen(name) + 1);
	}
	/* A variable of the debugger stands nowhere, whatever it was set from. */
	kept.value.place = TL_VALUE_NOWHERE;
	drop(&variable->kept);
	variable->kept = kept;
	return TL_OK;
}

void tl_variables_get(const struct tl_variables *variables, const struct tl_value_context *context, const char *name,
		      struct tl_value *value_ret)
{
	const struct variable *variable = find(variables, name);

	*value_ret = value_of(variable != NULL ? &variable->kept : NULL, context);
}

const char *tl_variables_name(const struct tl_variables *variables, tl_size index)
{
	return index < variables->count ? variables->variables[index].name : NULL;
}

/* ---- When types go ---- */

/* A number of those types becomes one of the context's, if there is storage for it; anything else is forgotten. */
static void forget(struct kept *kept, const struct tl_types *types, const struct tl_value_context *context)
{
	const struct tl_type *stripped, *type;
	struct tl_value number;
	struct kept again;
	tl_i128 integer;
	long double real;
	bool is_signed;
	enum tl_status status;

	if (kept->is_void || kept->value.type->types != types)
		return;
	status = tl_type_strip(kept->value.type, &stripped, NULL);
	if (status == TL_OK && tl_type_arithmetic(stripped, &is_signed) == TL_ARITHMETIC_REAL) {
		status = tl_value_real(context, &kept->value, &real, NULL);
		if (status == TL_OK)
			status = tl_type_make_base(context->types,
						   kept->value.size == sizeof(float)    ? "float"
						   : kept->value.size == sizeof(double) ? "double"
											: "long double",
						   stripped->encoding, (tl_u8)kept->value.size, &type, NULL);
		if (status == TL_OK)
			status = tl_value_make_real(context, type, real, &number, NULL);
	} else if (status == TL_OK) {
		status = tl_type_arithmetic(stripped, &is_signed) != TL_ARITHMETIC_NONE
				 ? tl_value_integer(context, &kept->value, &integer, NULL)
				 : TL_ERROR_ARGUMENT;
		if (status == TL_OK)
			status = tl_value_integer_type(context, kept->value.size, is_signed, &type, NULL);
		if (status == TL_OK)
			status = tl_value_make_integer(context, type, integer, &number, NULL);
	}
	if (status == TL_OK)
		status = keep(context, &number, &again, NULL);
	drop(kept);
	if (status == TL_OK)
		*kept = again;
}

void tl_variables_forget_types(struct tl_variables *variables, const struct tl_types *types,
			       const struct tl_value_context *context)
{
	for (tl_size i = 0; i < variables->history_count; i++)
		forget(&variables->history[i], types, context);
	for (tl_size i = 0; i < variables->count; i++)
		forget(&variables->variables[i].kept, types, context);
}
