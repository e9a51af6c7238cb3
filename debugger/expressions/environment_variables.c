/* The parameters and local variables of the selected frame, one by one. */
#include "debugger/expressions/environment_internal.h"

#include <string.h>

struct listing {
	struct tl_environment_store *store;
	bool parameters;
	tl_u32 depth;
	bool (*call)(void *context, const struct tl_frame_variable *variable);
	void *context;
	bool more;
	enum tl_status status;
	struct tl_error *error;
};

/* What is missing is so in both, or in none: those that are known only count. */
static bool same_bytes(const struct tl_value *left, const struct tl_value *right)
{
	return left->bytes != NULL && right->bytes != NULL && left->size == right->size && !tl_value_is_absent(left) &&
	       memcmp(left->bytes, right->bytes, (tl_size)left->size) == 0;
}

/* What a parameter was at the function's entry, and whether it still is that. */
static void find_entry_value(struct listing *listing, struct tl_frame_variable *variable, struct tl_value *now,
			     struct tl_value *at_entry)
{
	struct tl_environment_store *store = listing->store;
	const struct tl_type *type;

	/* Of a reference it is the address; what was there then nobody knows. */
	if (tl_type_of(store->variables.types, &variable->entry, &type, NULL) != TL_OK ||
	    tl_type_strip(type, &type, NULL) != TL_OK || type->kind == TL_TYPE_REFERENCE ||
	    type->kind == TL_TYPE_RVALUE_REFERENCE)
		return;
	if (tl_environment_at_entry(store, &variable->entry, at_entry, NULL) != TL_OK || at_entry->bytes == NULL ||
	    tl_value_is_absent(at_entry))
		return;
	variable->at_entry = at_entry;
	if (variable->value != NULL && tl_value_load(&store->values, now, NULL) == TL_OK)
		variable->unchanged = same_bytes(now, at_entry);
}

static bool tell(void *context, const struct tl_variable *found)
{
	struct listing *listing = context;
	struct tl_environment_store *store = listing->store;
	struct tl_value value, at_entry;
	struct tl_error failure = {0};
	struct tl_frame_variable variable = {
		.name = found->name,
		.entry = found->entry,
		.line = found->line,
		.depth = listing->depth,
		.parameter = found->parameter,
		.artificial = found->artificial,
	};
	const struct tl_type *type;
	enum tl_status status;

	/* A declaration of what stands elsewhere is no variable of this function. */
	if (found->parameter != listing->parameters || found->external)
		return true;
	if (found->left_out) {
		status = tl_type_of(store->variables.types, &found->entry, &type, &failure);
		if (status == TL_OK)
			status = tl_environment_absent(store, type, &value, &failure);
	} else {
		status = tl_environment_value_of(store, &store->variables, &found->entry, &value, &failure);
	}
	if (status == TL_OK)
		variable.value = &value;
	else
		variable.failure = failure.text;
	if (found->parameter)
		find_entry_value(listing, &variable, &value, &at_entry);
	listing->more = listing->call(listing->context, &variable);
	return listing->more;
}

enum tl_status tl_environment_variables(struct tl_environment_store *store, bool parameters,
					bool (*call)(void *context, const struct tl_frame_variable *variable),
					void *context, struct tl_error *error)
{
	struct listing listing = {.store = store,
				  .parameters = parameters,
				  .call = call,
				  .context = context,
				  .more = true,
				  .error = error};

	if (store->frame == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "No frame selected.");
	/* Parameters belong to the function itself, which is the last. */
	for (tl_size i = parameters && store->scope_count != 0 ? store->scope_count - 1 : 0;
	     i < store->scope_count && listing.more; i++) {
		listing.depth = (tl_u32)i;
		TL_TRY(tl_scope_variables(&store->scopes[i], tell, &listing, error));
	}
	return TL_OK;
}
