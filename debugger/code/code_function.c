#include "debugger/code/code_listing.h"

#include "base/storage.h"
#include "debugger/modules/function_name.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

/* A function in more pieces than this is a damaged one. */
#define RANGES_MAX 4096u

static bool copy_name(const char *name, char *name_ret, tl_size size)
{
	tl_size length = strlen(name);

	if (length == 0 || length >= size)
		return false;
	memcpy(name_ret, name, length + 1);
	return true;
}

/* What debug information calls a function: as the linker has it, or as C++ writes it. */
static enum tl_status write_name(const struct tl_spot *spot, const struct tl_scope *scope, struct tl_output *output,
				 struct tl_error *error)
{
	struct tl_attribute linkage;

	if (tl_entry_inherited(&scope->entry, DW_AT_linkage_name, &linkage, NULL) != TL_OK ||
	    linkage.kind != TL_CLASS_STRING)
		return tl_function_write_name(spot->module->binary->types, &scope->entry, output, error);
	tl_output_text(output, linkage.text);
	return tl_output_status(output, error);
}

/* That, and where its code is entered. */
static bool name_by_scope(const struct tl_spot *spot, char *name_ret, tl_size size, tl_u64 *entry_ret)
{
	const struct tl_scope *scope = &spot->chain.scopes[spot->chain.count - 1];
	struct tl_output name = tl_output_make(size);
	tl_u64 entry = scope->start;
	bool good = write_name(spot, scope, &name, NULL) == TL_OK && copy_name(tl_output_string(&name), name_ret, size);

	if (!tl_entry_start(&scope->entry, &entry))
		entry = scope->start;
	*entry_ret = entry + spot->module->bias;
	tl_output_release(&name);
	return good;
}

static bool symbol_at(struct tl_places *places, tl_u64 address, char *name_ret, tl_size size, tl_u64 *offset_ret)
{
	const struct tl_modules *modules = tl_places_modules(places);
	struct tl_elf_name symbol;
	const struct tl_spot *spot;
	tl_u64 start, entry;
	bool known = tl_modules_symbol(modules, address, &symbol, &start) &&
		     tl_modules_symbol_names(modules, address, &symbol);

	/* A symbol that begins behind the function's entry is of a part of it that lies apart; right there, any other.
	 */
	if (tl_places_at(places, address, &spot, NULL) == TL_OK && spot->module != NULL && spot->chain.count != 0 &&
	    name_by_scope(spot, name_ret, size, &entry) &&
	    !(known && (start > entry || (start == address && entry != address)))) {
		*offset_ret = address - entry;
		return true;
	}
	if (!known || !copy_name(symbol.name, name_ret, size))
		return false;
	*offset_ret = address - start;
	return true;
}

bool tl_code_symbol(void *places, tl_u64 address, char *name_ret, tl_size size, tl_u64 *offset_ret)
{
	bool known;

	tl_places_hold(places);
	known = symbol_at(places, address, name_ret, size, offset_ret);
	tl_places_let_go(places);
	return known;
}

void tl_code_function_release(struct tl_code_function *function)
{
	if (function->name != NULL)
		tl_release(tl_storage(), function->name, strlen(function->name) + 1);
	tl_release(tl_storage(), function->ranges, function->range_room * sizeof(*function->ranges));
	*function = (struct tl_code_function){0};
}

static enum tl_status set_name(struct tl_code_function *function, const char *name, struct tl_error *error)
{
	function->name = tl_allocate(tl_storage(), strlen(name) + 1);
	if (function->name == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "there is no memory for the name of a function");
	memcpy(function->name, name, strlen(name) + 1);
	return TL_OK;
}

static enum tl_status add_range(struct tl_code_function *function, tl_u64 start, tl_u64 end, struct tl_error *error)
{
	if (function->range_count == function->range_room) {
		tl_size wanted = function->range_room * 2 + 2;
		void *grown = tl_storage()->resize(tl_storage()->context, function->ranges,
						   function->range_room * sizeof(*function->ranges),
						   wanted * sizeof(*function->ranges));

		if (grown == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "there is no memory for the ranges of a function");
		function->ranges = grown;
		function->range_room = wanted;
	}
	function->ranges[function->range_count][0] = start;
	function->ranges[function->range_count++][1] = end;
	return TL_OK;
}

struct ranges {
	struct tl_code_function *function;
	tl_u64 bias;
	enum tl_status status;
};

static bool take_range(void *context, tl_u64 start, tl_u64 end)
{
	struct ranges *ranges = context;

	if (start >= end)
		return true;
	ranges->status = add_range(ranges->function, start + ranges->bias, end + ranges->bias, NULL);
	return ranges->status == TL_OK && ranges->function->range_count < RANGES_MAX;
}

static enum tl_status from_scopes(const struct tl_spot *spot, struct tl_code_function *function, struct tl_error *error)
{
	const struct tl_scope *scope = &spot->chain.scopes[spot->chain.count - 1];
	struct ranges ranges = {function, spot->module->bias, TL_OK};
	struct tl_output name = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status;

	status = tl_entry_ranges(&scope->entry, take_range, &ranges, error);
	if (status == TL_OK && function->range_count == 0)
		status = add_range(function, scope->start + spot->module->bias, scope->end + spot->module->bias, error);
	if (status == TL_OK && ranges.status != TL_OK)
		status = TL_FAIL(error, ranges.status, "there is no memory for the ranges of a function");
	if (status == TL_OK)
		status = write_name(spot, scope, &name, error);
	if (status == TL_OK)
		status = set_name(function, tl_output_string(&name), error);
	function->entry = function->range_count != 0 ? function->ranges[0][0] : 0;
	tl_output_release(&name);
	return status;
}

static enum tl_status from_symbol(const struct tl_spot *spot, const struct tl_elf_name *symbol, tl_u64 address,
				  struct tl_code_function *function, struct tl_error *error)
{
	function->entry = address;
	TL_TRY(set_name(function, symbol->name, error));
	return add_range(function, address, address + tl_module_symbol_size(spot->module, symbol), error);
}

static enum tl_status find(struct tl_places *places, tl_u64 address, struct tl_code_function *function,
			   struct tl_error *error)
{
	struct tl_elf_name symbol;
	const struct tl_spot *spot;
	tl_u64 start;

	TL_TRY(tl_places_at(places, address, &spot, error));
	if (spot->module != NULL && spot->chain.count != 0)
		return from_scopes(spot, function, error);
	if (spot->module != NULL && tl_modules_symbol(tl_places_modules(places), address, &symbol, &start))
		return from_symbol(spot, &symbol, start, function, error);
	return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No function contains specified address.");
}

enum tl_status tl_code_function_find(struct tl_places *places, tl_u64 address, struct tl_code_function *function_ret,
				     struct tl_error *error)
{
	struct tl_code_function function = {0};
	enum tl_status status;

	tl_places_hold(places);
	status = find(places, address, &function, error);
	tl_places_let_go(places);
	if (status == TL_OK)
		*function_ret = function;
	else
		tl_code_function_release(&function);
	return status;
}
