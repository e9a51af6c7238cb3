/* Functions without a frame: which jumps led from a call to the function that runs. */
#include "debugger/modules/places_internal.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

#define DEPTH_MAX 32
#define VISITS_MAX 512

/* The ways that were found from a call to a function, each a row of tail calls. */
struct search {
	struct tl_places *places;
	tl_u64 function;
	const struct tl_module *module; /* whose tail calls are looked at */
	tl_u64 way[DEPTH_MAX];          /* their return addresses, up to where the search is */
	tl_size depth;
	/* The first way that was found, and how much of either end is in all others, too. */
	tl_u64 first[DEPTH_MAX];
	tl_size length, callers, callees;
	bool found;
	bool failed;   /* some way may lead anywhere */
	unsigned left; /* so many more functions may be visited */
	enum tl_status status;
	struct tl_error *error;
};

static bool is_external(const struct tl_entry *entry)
{
	struct tl_attribute external;

	return tl_entry_inherited(entry, DW_AT_external, &external, NULL) == TL_OK && external.kind == TL_CLASS_FLAG &&
	       external.number != 0;
}

struct copy {
	const struct tl_entry *origin;
	tl_u64 start;
};

static bool is_copy(void *context, tl_u64 start, tl_u64 end, const struct tl_entry *entry)
{
	struct copy *copy = context;
	struct tl_attribute origin;

	(void)end;
	if (tl_entry_attribute(entry, DW_AT_abstract_origin, &origin, NULL) != TL_OK ||
	    origin.kind != TL_CLASS_REFERENCE || origin.number != copy->origin->offset)
		return true;
	copy->start = start;
	return false;
}

/* The function that a call leads to; 0 when that is not fixed, or not known. */
static tl_u64 target_of(const struct search *search, const struct tl_module *module, const struct tl_call_site *site)
{
	const struct tl_modules *modules = tl_places_modules(search->places);
	struct copy copy = {&site->callee, 0};
	const char *name;
	tl_u64 address;

	if (!site->has_callee)
		return 0;
	address = tl_places_start(module, &site->callee);
	if (address != 0)
		return address;
	if (is_external(&site->callee))
		return tl_scope_linker_name(&site->callee, &name, NULL) == TL_OK && name != NULL &&
				       tl_modules_symbol_address(modules, module, name, &address)
			       ? address
			       : 0;
	/* What was inlined elsewhere has its code in an entry of its own. */
	if (tl_scopes_functions(module->binary->scopes, site->callee.unit, is_copy, &copy, NULL) != TL_OK ||
	    copy.start == 0)
		return 0;
	return copy.start + module->bias;
}

/* One more way: what it does not share with the others is not known. */
static void add_way(struct search *search)
{
	tl_size same = 0;

	if (!search->found) {
		search->found = true;
		search->length = search->callers = search->callees = search->depth;
		memcpy(search->first, search->way, search->depth * sizeof(*search->way));
		return;
	}
	while (same < search->callers && same < search->depth && search->first[same] == search->way[same])
		same++;
	search->callers = same;
	for (same = 0; same < search->callees && same < search->depth &&
		       search->first[search->length - 1 - same] == search->way[search->depth - 1 - same];)
		same++;
	search->callees = same;
	if (search->callers == 0 && search->callees == 0)
		search->failed = true;
}

static void visit(struct search *search, tl_u64 target);

static bool follow(void *context, const struct tl_call_site *site)
{
	struct search *search = context;
	const struct tl_module *module = search->module;
	const tl_u64 address = site->return_address + module->bias;

	if (!site->tail)
		return true;
	for (tl_size i = 0; i < search->depth; i++)
		if (search->way[i] == address)
			return true;
	if (site->return_address == 0 || search->depth == DEPTH_MAX) {
		search->failed = true;
		return false;
	}
	search->way[search->depth++] = address;
	visit(search, target_of(search, module, site));
	search->depth--;
	search->module = module;
	return !search->failed && search->status == TL_OK;
}

/* Goes on from a function that may have been jumped to, or called. */
static void visit(struct search *search, tl_u64 target)
{
	const struct tl_spot *place;
	const struct tl_entry *function;
	bool tells = false;

	if (target == search->function) {
		add_way(search);
		return;
	}
	if (target == 0 || search->left-- == 0) {
		search->failed = true;
		return;
	}
	search->status = tl_places_at(search->places, target, &place, search->error);
	if (search->status != TL_OK)
		return;
	if (place->chain.count == 0 || place->functions[place->count - 1].start != target) {
		search->failed = true;
		return;
	}
	function = &place->chain.scopes[place->chain.count - 1].entry;
	search->module = place->module;
	if (tl_scope_tells_tail_calls(function, &tells, NULL) == TL_OK && tells &&
	    tl_scope_calls(function, follow, search, NULL) != TL_OK)
		search->failed = true;
}

/* Both ends of the ways, as gdb shows them: the one at the caller's, then that at the function's. */
static enum tl_status keep(const struct search *search, const struct tl_tail_calls **calls_ret, struct tl_error *error)
{
	const bool whole = search->callers == search->length;
	const tl_size callees = whole ? 0 : search->callees;
	const tl_size count = search->found && !search->failed ? search->callers + callees : 0;
	struct tl_tail_calls *calls =
		tl_places_allocate(search->places, sizeof(*calls) + count * sizeof(*calls->addresses), error);

	if (calls == NULL)
		return TL_ERROR_NO_MEMORY;
	calls->count = count;
	for (tl_size i = 0; i < count; i++)
		calls->addresses[i] =
			i < search->callers ? search->first[i] : search->first[search->length - count + i];
	*calls_ret = calls;
	return TL_OK;
}

enum tl_status tl_places_find_tail_calls(struct tl_places *places, const struct tl_spot *caller, tl_u64 return_address,
					 tl_u64 function, const struct tl_tail_calls **calls_ret,
					 struct tl_error *error)
{
	struct search search = {.places = places, .function = function, .left = VISITS_MAX, .error = error};
	struct tl_call_site site;
	bool found = false;

	if (caller->chain.count == 0 ||
	    tl_scope_call_at(&caller->chain.scopes[caller->chain.count - 1].entry,
			     return_address - caller->module->bias, &site, &found, NULL) != TL_OK)
		found = false;
	if (found)
		visit(&search, target_of(&search, caller->module, &site));
	TL_TRY(search.status);
	return keep(&search, calls_ret, error);
}
