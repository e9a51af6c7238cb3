/* Which code is around an address. What it declares is in scope_variables.c, what it calls in scope_calls.c. */
#include "symbols/scope.h"

#include "base/storage.h"
#include "symbols/dwarf_constants.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* So much may be kept of units; then all is forgotten, and found again at need. */
#define KEPT_MAX ((tl_size)64 << 20)
#define DEPTH_MAX 256

/* A range of addresses and whose it is. In a table sorted by start, `reach` is the highest end so far. */
struct range {
	tl_u64 start, end, reach;
	tl_u64 offset; /* of a function's entry; of units, the index */
};

struct table {
	struct range *ranges;
	tl_size count, capacity;
	bool made;
};

struct tl_scopes {
	struct tl_dwarf *dwarf;
	bool (*unit_at)(void *context, tl_u64 address, const struct tl_unit **unit_ret); /* NULL: there is no index */
	void *context;
	pthread_mutex_t lock;
	struct table units;
	struct table *functions; /* one for each unit, by its index; NULL until one is asked for */
	tl_size function_tables;
	tl_size kept;
};

enum tl_status tl_scopes_open(struct tl_scopes **scopes_ret, struct tl_dwarf *dwarf, struct tl_error *error)
{
	struct tl_scopes *scopes = tl_allocate(tl_storage(), sizeof(*scopes));

	if (scopes == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for scopes");
	scopes->dwarf = dwarf;
	pthread_mutex_init(&scopes->lock, NULL);
	*scopes_ret = scopes;
	return TL_OK;
}

void tl_scopes_set_units(struct tl_scopes *scopes,
			 bool (*unit_at)(void *context, tl_u64 address, const struct tl_unit **unit_ret), void *context)
{
	scopes->unit_at = unit_at;
	scopes->context = context;
}

static void release(struct table *table)
{
	tl_release(tl_storage(), table->ranges, table->capacity * sizeof(*table->ranges));
	*table = (struct table){.made = false};
}

static void forget(struct tl_scopes *scopes)
{
	for (tl_size i = 0; i < scopes->function_tables; i++)
		release(&scopes->functions[i]);
	scopes->kept = 0;
}

void tl_scopes_close(struct tl_scopes *scopes)
{
	if (scopes == NULL)
		return;
	forget(scopes);
	release(&scopes->units);
	pthread_mutex_destroy(&scopes->lock);
	tl_release(tl_storage(), scopes->functions, scopes->function_tables * sizeof(*scopes->functions));
	tl_release(tl_storage(), scopes, sizeof(*scopes));
}

/* Ranges on their way into a table. */
struct gathering {
	struct table *table;
	tl_u64 offset;
	bool failed;
};

static bool gather(void *context, tl_u64 start, tl_u64 end)
{
	struct gathering *gathering = context;
	struct table *table = gathering->table;
	void *ranges = table->ranges;

	if (!tl_grow(tl_storage(), &ranges, &table->capacity, table->count, sizeof(*table->ranges))) {
		gathering->failed = true;
		return false;
	}
	table->ranges = ranges;
	table->ranges[table->count++] = (struct range){start, end, end, gathering->offset};
	return true;
}

static enum tl_status gather_entry(struct table *table, const struct tl_entry *entry, tl_u64 offset,
				   struct tl_error *error)
{
	struct gathering gathering = {.table = table, .offset = offset};

	TL_TRY(tl_entry_ranges(entry, gather, &gathering, error));
	if (gathering.failed)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a table of addresses");
	return TL_OK;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *one = a, *other = b;

	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	/* An inner one behind an outer one, so that it is found first. */
	return one->end > other->end ? -1 : one->end < other->end;
}

static void finish(struct table *table)
{
	tl_u64 reach = 0;

	if (table->count != 0)
		qsort(table->ranges, table->count, sizeof(*table->ranges), compare_ranges);
	for (tl_size i = 0; i < table->count; i++) {
		if (table->ranges[i].end > reach)
			reach = table->ranges[i].end;
		table->ranges[i].reach = reach;
	}
	table->made = true;
}

/* How many of the ranges begin at or below the address; candidates are walked from there downwards. */
static tl_size begun(const struct table *table, tl_u64 address)
{
	tl_size low = 0, high = table->count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (table->ranges[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The addresses of units. One whose ranges are damaged has none; what stands in the others is found. */
static enum tl_status make_units(struct tl_scopes *scopes, struct tl_error *error)
{
	struct table table = {.made = false};

	for (tl_size i = 0; i < tl_dwarf_unit_count(scopes->dwarf); i++) {
		struct tl_entry top;
		enum tl_status status = tl_entry_top(tl_dwarf_unit(scopes->dwarf, i), &top, error);

		if (status == TL_OK)
			status = gather_entry(&table, &top, i, error);
		if (status == TL_ERROR_NO_MEMORY) {
			release(&table);
			return status;
		}
	}
	finish(&table);
	scopes->units = table;
	return TL_OK;
}

static enum tl_status gather_functions(struct table *table, const struct tl_unit *unit, struct tl_error *error)
{
	struct tl_entry entry;
	bool done = false;

	TL_TRY(tl_entry_top(unit, &entry, error));
	while (!done) {
		if (entry.tag == DW_TAG_subprogram)
			TL_TRY(gather_entry(table, &entry, entry.offset, error));
		TL_TRY(tl_entry_next(&entry, &entry, &done, error));
	}
	return TL_OK;
}

/* The functions of a unit, by its index. The lock is held. */
static enum tl_status find_functions(struct tl_scopes *scopes, tl_size index, const struct table **table_ret,
				     struct tl_error *error)
{
	if (scopes->functions == NULL) {
		tl_size count = tl_dwarf_unit_count(scopes->dwarf);

		scopes->functions = tl_allocate(tl_storage(), count * sizeof(*scopes->functions));
		if (scopes->functions == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for scopes");
		scopes->function_tables = count;
	}
	if (!scopes->functions[index].made) {
		struct table table = {.made = false};
		enum tl_status status = gather_functions(&table, tl_dwarf_unit(scopes->dwarf, index), error);

		if (status != TL_OK) {
			release(&table);
			return status;
		}
		finish(&table);
		if (scopes->kept + table.capacity * sizeof(*table.ranges) > KEPT_MAX)
			forget(scopes);
		scopes->kept += table.capacity * sizeof(*table.ranges);
		scopes->functions[index] = table;
	}
	*table_ret = &scopes->functions[index];
	return TL_OK;
}

enum tl_status tl_scopes_unit(struct tl_scopes *scopes, tl_u64 address, const struct tl_unit **unit_ret,
			      struct tl_error *error)
{
	const struct table *units = &scopes->units;
	enum tl_status status = TL_OK;

	if (scopes->unit_at != NULL && scopes->unit_at(scopes->context, address, unit_ret))
		return TL_OK;
	pthread_mutex_lock(&scopes->lock);
	if (!units->made)
		status = make_units(scopes, error);
	pthread_mutex_unlock(&scopes->lock);
	TL_TRY(status);
	/* Once made it does not change. */
	*unit_ret = NULL;
	for (tl_size i = begun(units, address); i-- > 0 && units->ranges[i].reach > address && *unit_ret == NULL;)
		if (units->ranges[i].end > address)
			*unit_ret = tl_dwarf_unit(scopes->dwarf, (tl_size)units->ranges[i].offset);
	return TL_OK;
}

/* The function of a unit that holds the address; the range it was found by. */
static bool holds(const struct table *functions, tl_u64 address, struct range *range_ret)
{
	for (tl_size i = begun(functions, address); i-- > 0 && functions->ranges[i].reach > address;) {
		if (functions->ranges[i].end > address) {
			*range_ret = functions->ranges[i];
			return true;
		}
	}
	return false;
}

/*
 * The same as find_function, by the index. *known_ret is false where it does not decide: units may overlap, and it
 * names one of them.
 */
static enum tl_status find_by_index(struct tl_scopes *scopes, tl_u64 address, const struct tl_unit **unit_ret,
				    struct range *range_ret, bool *known_ret, struct tl_error *error)
{
	const struct table *functions;
	const struct tl_unit *unit;

	*known_ret = false;
	if (scopes->unit_at == NULL || !scopes->unit_at(scopes->context, address, &unit))
		return TL_OK;
	*unit_ret = NULL;
	*known_ret = unit == NULL || unit->language == DW_LANG_Mips_Assembler;
	if (*known_ret)
		return TL_OK;
	TL_TRY(find_functions(scopes, tl_unit_index(unit), &functions, error));
	*known_ret = holds(functions, address, range_ret);
	if (*known_ret)
		*unit_ret = unit;
	return TL_OK;
}

/* The unit and the range of the function at an address. The lock is held. */
static enum tl_status find_function(struct tl_scopes *scopes, tl_u64 address, const struct tl_unit **unit_ret,
				    struct range *range_ret, struct tl_error *error)
{
	const struct table *units = &scopes->units;
	bool known;

	TL_TRY(find_by_index(scopes, address, unit_ret, range_ret, &known, error));
	if (known)
		return TL_OK;
	if (!units->made)
		TL_TRY(make_units(scopes, error));
	for (tl_size i = begun(units, address); i-- > 0 && units->ranges[i].reach > address;) {
		const struct table *functions;

		if (units->ranges[i].end <= address)
			continue;
		TL_TRY(find_functions(scopes, (tl_size)units->ranges[i].offset, &functions, error));
		if (holds(functions, address, range_ret)) {
			*unit_ret = tl_dwarf_unit(scopes->dwarf, (tl_size)units->ranges[i].offset);
			return TL_OK;
		}
	}
	*unit_ret = NULL;
	return TL_OK;
}

/* Whether an entry's ranges hold an address, and which. */
struct holding {
	tl_u64 address, start, end;
	bool held;
};

static bool hold(void *context, tl_u64 start, tl_u64 end)
{
	struct holding *holding = context;

	if (start <= holding->address && holding->address < end) {
		holding->held = true;
		holding->start = start;
		holding->end = end;
	}
	return !holding->held;
}

static enum tl_status number_of(const struct tl_entry *entry, tl_u16 name, tl_u64 *number_ret, struct tl_error *error)
{
	struct tl_attribute attribute;

	TL_TRY(tl_entry_attribute(entry, name, &attribute, error));
	*number_ret = attribute.kind == TL_CLASS_UNSIGNED || attribute.kind == TL_CLASS_SIGNED ? attribute.number : 0;
	return TL_OK;
}

static enum tl_status add_scope(struct tl_scope_chain *chain, const struct tl_entry *entry, tl_u64 start, tl_u64 end,
				struct tl_error *error)
{
	struct tl_scope scope = {.kind = TL_SCOPE_BLOCK, .entry = *entry, .start = start, .end = end};
	struct tl_attribute attribute;
	void *scopes = chain->scopes;

	if (entry->tag == DW_TAG_subprogram || entry->tag == DW_TAG_inlined_subroutine) {
		scope.kind = entry->tag == DW_TAG_subprogram ? TL_SCOPE_FUNCTION : TL_SCOPE_INLINED;
		TL_TRY(tl_entry_inherited(entry, DW_AT_name, &attribute, error));
		scope.name = attribute.kind == TL_CLASS_STRING ? attribute.text : NULL;
		TL_TRY(tl_entry_inherited(entry, DW_AT_decl_line, &attribute, error));
		scope.declared_line = attribute.kind == TL_CLASS_UNSIGNED ? attribute.number : 0;
	}
	if (scope.kind == TL_SCOPE_INLINED) {
		TL_TRY(number_of(entry, DW_AT_call_file, &scope.call_file, error));
		TL_TRY(number_of(entry, DW_AT_call_line, &scope.call_line, error));
		TL_TRY(number_of(entry, DW_AT_call_column, &scope.call_column, error));
	}
	if (!tl_grow(tl_storage(), &scopes, &chain->capacity, chain->count, sizeof(*chain->scopes)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the scopes at 0x%llx",
			       (unsigned long long)start);
	chain->scopes = scopes;
	chain->scopes[chain->count++] = scope;
	return TL_OK;
}

enum tl_status tl_scope_is_transparent(const struct tl_entry *block, bool *transparent_ret, struct tl_error *error)
{
	static const tl_u16 names[] = {DW_AT_low_pc, DW_AT_high_pc, DW_AT_ranges};

	*transparent_ret = true;
	for (tl_size i = 0; i < TL_COUNT(names) && *transparent_ret; i++) {
		struct tl_attribute attribute;

		TL_TRY(tl_entry_attribute(block, names[i], &attribute, error));
		*transparent_ret = attribute.kind == TL_CLASS_NONE;
	}
	return TL_OK;
}

static bool is_scope(tl_u16 tag)
{
	return tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_try_block ||
	       tag == DW_TAG_catch_block;
}

/*
 * The scope among the children of `entry` that holds the address; tag 0 for none. Blocks that say nothing of addresses
 * are gone through as if their children stood there themselves.
 */
static enum tl_status inner_scope(const struct tl_entry *entry, tl_u64 address, unsigned depth,
				  struct tl_entry *inner_ret, struct holding *holding_ret, struct tl_error *error)
{
	struct tl_entry child;

	inner_ret->tag = 0;
	if (depth == DEPTH_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "blocks nest more than %d deep at entry 0x%llx", DEPTH_MAX,
			       (unsigned long long)entry->offset);
	TL_TRY(tl_entry_child(entry, &child, error));
	while (child.tag != 0 && inner_ret->tag == 0) {
		if (is_scope(child.tag)) {
			struct holding holding = {.address = address};
			bool transparent = false;

			TL_TRY(tl_entry_ranges(&child, hold, &holding, error));
			if (holding.held) {
				*inner_ret = child;
				*holding_ret = holding;
				return TL_OK;
			}
			if (child.tag != DW_TAG_inlined_subroutine)
				TL_TRY(tl_scope_is_transparent(&child, &transparent, error));
			if (transparent)
				TL_TRY(inner_scope(&child, address, depth + 1, inner_ret, holding_ret, error));
		}
		TL_TRY(tl_entry_sibling(&child, &child, error));
	}
	return TL_OK;
}

static enum tl_status make_chain(const struct tl_unit *unit, const struct range *function, tl_u64 address,
				 struct tl_scope_chain *chain, struct tl_error *error)
{
	struct tl_entry entry;
	struct holding holding = {.start = function->start, .end = function->end};

	TL_TRY(tl_entry_at(unit, function->offset, &entry, error));
	for (unsigned depth = 0; entry.tag != 0; depth++) {
		TL_TRY(add_scope(chain, &entry, holding.start, holding.end, error));
		TL_TRY(inner_scope(&entry, address, depth, &entry, &holding, error));
	}
	for (tl_size i = 0; i < chain->count / 2; i++) {
		struct tl_scope scope = chain->scopes[i];

		chain->scopes[i] = chain->scopes[chain->count - 1 - i];
		chain->scopes[chain->count - 1 - i] = scope;
	}
	return TL_OK;
}

enum tl_status tl_scopes_at(struct tl_scopes *scopes, tl_u64 address, struct tl_scope_chain *chain,
			    struct tl_error *error)
{
	const struct tl_unit *unit = NULL;
	struct range function = {0, 0, 0, 0};
	enum tl_status status;

	chain->count = 0;
	pthread_mutex_lock(&scopes->lock);
	status = find_function(scopes, address, &unit, &function, error);
	pthread_mutex_unlock(&scopes->lock);
	if (status != TL_OK || unit == NULL)
		return status;
	status = make_chain(unit, &function, address, chain, error);
	if (status != TL_OK)
		chain->count = 0;
	return status;
}

void tl_scope_chain_release(struct tl_scope_chain *chain)
{
	tl_release(tl_storage(), chain->scopes, chain->capacity * sizeof(*chain->scopes));
	*chain = (struct tl_scope_chain){NULL, 0, 0};
}

/* A copy of a unit's table, so that nobody is called with the lock held. */
static enum tl_status copy_functions(struct tl_scopes *scopes, tl_size index, struct table *copy_ret,
				     struct tl_error *error)
{
	const struct table *functions;
	struct table copy = {.made = true};
	enum tl_status status;

	pthread_mutex_lock(&scopes->lock);
	status = find_functions(scopes, index, &functions, error);
	if (status == TL_OK && functions->count != 0) {
		copy.count = copy.capacity = functions->count;
		copy.ranges = tl_allocate(tl_storage(), copy.capacity * sizeof(*copy.ranges));
		if (copy.ranges != NULL)
			memcpy(copy.ranges, functions->ranges, copy.count * sizeof(*copy.ranges));
		else
			status = TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a table of functions");
	}
	pthread_mutex_unlock(&scopes->lock);
	if (status == TL_OK)
		*copy_ret = copy;
	return status;
}

enum tl_status tl_scopes_functions(struct tl_scopes *scopes, const struct tl_unit *unit,
				   bool (*call)(void *context, tl_u64 start, tl_u64 end, const struct tl_entry *entry),
				   void *context, struct tl_error *error)
{
	enum tl_status status = TL_OK;
	struct table functions;
	bool more = true;

	if (unit->dwarf != scopes->dwarf)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the unit belongs to another file");
	TL_TRY(copy_functions(scopes, tl_unit_index(unit), &functions, error));
	for (tl_size i = 0; i < functions.count && more && status == TL_OK; i++) {
		struct tl_entry entry;

		status = tl_entry_at(unit, functions.ranges[i].offset, &entry, error);
		if (status == TL_OK)
			more = call(context, functions.ranges[i].start, functions.ranges[i].end, &entry);
	}
	release(&functions);
	return status;
}
