/* What a scope declares. */
#include "base/storage.h"
#include "symbols/dwarf_constants.h"
#include "symbols/scope.h"

#include <stdlib.h>

#define DEPTH_MAX 256
#define ORIGINS_MAX 32

/* Entries of which a copy was seen: what stands among the children of the original is then known already. */
struct seen {
	const struct tl_unit *unit;
	tl_u64 offset;
};

struct listing {
	/* One of the two: what is looked for. */
	bool (*call)(void *context, const struct tl_variable *variable);
	bool (*type)(void *context, const struct tl_entry *type);
	void *context;
	struct seen *seen;
	tl_size count, capacity;
	tl_size sorted; /* so many of them are in order: those of the levels before */
	bool original;  /* what is listed are the children of an original */
	bool copy;      /* the scope is a copy, and its original will be listed, too */
	bool stopped;
};

static int compare_seen(const void *a, const void *b)
{
	const struct seen *one = a, *other = b;

	if (one->unit != other->unit)
		return (tl_uintptr)one->unit < (tl_uintptr)other->unit ? -1 : 1;
	return one->offset < other->offset ? -1 : one->offset > other->offset;
}

static bool was_seen(const struct listing *listing, const struct tl_entry *entry)
{
	const struct seen wanted = {entry->unit, entry->offset};

	return listing->sorted != 0 &&
	       bsearch(&wanted, listing->seen, listing->sorted, sizeof(wanted), compare_seen) != NULL;
}

/* Notes what the entry is a copy of. */
static enum tl_status note_original(struct listing *listing, const struct tl_entry *entry, struct tl_error *error)
{
	struct tl_attribute attribute;
	struct tl_entry original;
	void *seen = listing->seen;

	TL_TRY(tl_entry_attribute(entry, DW_AT_abstract_origin, &attribute, error));
	if (attribute.kind == TL_CLASS_NONE)
		return TL_OK;
	TL_TRY(tl_entry_follow(&attribute, &original, error));
	if (!tl_grow(tl_storage(), &seen, &listing->capacity, listing->count, sizeof(*listing->seen)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the variables of a function");
	listing->seen = seen;
	listing->seen[listing->count++] = (struct seen){original.unit, original.offset};
	return TL_OK;
}

/* A variable of the whole program, which is declared here, or whose place the linker knows and this entry does not. */
static enum tl_status stands_elsewhere(const struct tl_entry *entry, bool *elsewhere_ret, struct tl_error *error)
{
	struct tl_attribute declaration, external, place;

	TL_TRY(tl_entry_attribute(entry, DW_AT_declaration, &declaration, error));
	TL_TRY(tl_entry_inherited(entry, DW_AT_external, &external, error));
	TL_TRY(tl_entry_inherited(entry, DW_AT_location, &place, error));
	if (place.kind == TL_CLASS_NONE)
		TL_TRY(tl_entry_inherited(entry, DW_AT_const_value, &place, error));
	*elsewhere_ret = (declaration.kind == TL_CLASS_FLAG && declaration.number != 0) ||
			 (external.kind == TL_CLASS_FLAG && external.number != 0 && place.kind == TL_CLASS_NONE);
	return TL_OK;
}

static enum tl_status tell(struct listing *listing, const struct tl_entry *entry, struct tl_error *error)
{
	struct tl_variable variable = {.entry = *entry, .parameter = entry->tag == DW_TAG_formal_parameter};
	struct tl_attribute attribute;

	TL_TRY(tl_entry_inherited(entry, DW_AT_name, &attribute, error));
	if (attribute.kind != TL_CLASS_STRING)
		return TL_OK;
	variable.name = attribute.text;
	TL_TRY(tl_entry_inherited(entry, DW_AT_artificial, &attribute, error));
	variable.artificial = attribute.kind == TL_CLASS_FLAG && attribute.number != 0;
	TL_TRY(stands_elsewhere(entry, &variable.external, error));
	TL_TRY(tl_entry_inherited(entry, DW_AT_linkage_name, &attribute, error));
	variable.linkage_name = attribute.kind == TL_CLASS_STRING ? attribute.text : variable.name;
	TL_TRY(tl_entry_inherited(entry, DW_AT_decl_line, &attribute, error));
	variable.line = attribute.kind == TL_CLASS_UNSIGNED ? attribute.number : 0;
	/* What an original says is so for all its copies: a constant, or a variable with a place of its own. */
	TL_TRY(tl_entry_inherited(entry, DW_AT_const_value, &attribute, error));
	if (attribute.kind == TL_CLASS_NONE)
		TL_TRY(tl_entry_inherited(entry, DW_AT_location, &attribute, error));
	variable.left_out = listing->original && !variable.external && attribute.kind == TL_CLASS_NONE;
	listing->stopped = listing->call != NULL && !listing->call(listing->context, &variable);
	return TL_OK;
}

static bool is_wanted(const struct listing *listing, tl_u16 tag)
{
	if (listing->type == NULL)
		return tag == DW_TAG_variable || tag == DW_TAG_formal_parameter;
	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type || tag == DW_TAG_typedef;
}

static enum tl_status too_deep(const struct tl_entry *entry, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_MALFORMED, "blocks nest more than %d deep at entry 0x%llx", DEPTH_MAX,
		       (unsigned long long)entry->offset);
}

static bool is_block(tl_u16 tag)
{
	return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* Notes the originals of what the blocks inside declare: it is there, if not in this scope. */
static enum tl_status note_inside(struct listing *listing, const struct tl_entry *block, unsigned depth,
				  struct tl_error *error)
{
	struct tl_entry child;

	if (depth == DEPTH_MAX)
		return too_deep(block, error);
	TL_TRY(tl_entry_child(block, &child, error));
	while (child.tag != 0) {
		if (is_wanted(listing, child.tag) || is_block(child.tag))
			TL_TRY(note_original(listing, &child, error));
		if (is_block(child.tag))
			TL_TRY(note_inside(listing, &child, depth + 1, error));
		TL_TRY(tl_entry_sibling(&child, &child, error));
	}
	return TL_OK;
}

static enum tl_status list_children(struct listing *listing, const struct tl_entry *entry, unsigned depth,
				    struct tl_error *error);

static enum tl_status list_block(struct listing *listing, const struct tl_entry *block, unsigned depth,
				 struct tl_error *error)
{
	bool transparent = false;

	TL_TRY(tl_scope_is_transparent(block, &transparent, error));
	if (transparent)
		return list_children(listing, block, depth, error);
	return listing->copy ? note_inside(listing, block, depth, error) : TL_OK;
}

static enum tl_status list_children(struct listing *listing, const struct tl_entry *entry, unsigned depth,
				    struct tl_error *error)
{
	struct tl_entry child;

	if (depth == DEPTH_MAX)
		return too_deep(entry, error);
	TL_TRY(tl_entry_child(entry, &child, error));
	while (child.tag != 0 && !listing->stopped) {
		const bool wanted = is_wanted(listing, child.tag);

		if (wanted || is_block(child.tag)) {
			const bool known = was_seen(listing, &child);

			TL_TRY(note_original(listing, &child, error));
			if (!wanted && !known)
				TL_TRY(list_block(listing, &child, depth + 1, error));
			else if (!known && listing->type != NULL)
				listing->stopped = !listing->type(listing->context, &child);
			else if (!known)
				TL_TRY(tell(listing, &child, error));
		}
		TL_TRY(tl_entry_sibling(&child, &child, error));
	}
	return TL_OK;
}

static enum tl_status list_all(struct listing *listing, const struct tl_entry *entry, struct tl_error *error)
{
	struct tl_entry at = *entry;
	struct tl_attribute origin;

	TL_TRY(tl_entry_attribute(entry, DW_AT_abstract_origin, &origin, error));
	listing->copy = origin.kind != TL_CLASS_NONE;
	for (int i = 0; i < ORIGINS_MAX; i++) {
		TL_TRY(list_children(listing, &at, 0, error));
		TL_TRY(tl_entry_attribute(&at, DW_AT_abstract_origin, &origin, error));
		if (origin.kind == TL_CLASS_NONE || listing->stopped)
			return TL_OK;
		TL_TRY(tl_entry_follow(&origin, &at, error));
		if (listing->count != 0)
			qsort(listing->seen, listing->count, sizeof(*listing->seen), compare_seen);
		listing->sorted = listing->count;
		listing->original = true;
	}
	return TL_FAIL(error, TL_ERROR_MALFORMED, "entry 0x%llx: its origins lead in a circle",
		       (unsigned long long)entry->offset);
}

enum tl_status tl_scope_variables(const struct tl_scope *scope,
				  bool (*call)(void *context, const struct tl_variable *variable), void *context,
				  struct tl_error *error)
{
	struct listing listing = {.call = call, .context = context};
	enum tl_status status = list_all(&listing, &scope->entry, error);

	tl_release(tl_storage(), listing.seen, listing.capacity * sizeof(*listing.seen));
	return status;
}

enum tl_status tl_scope_types(const struct tl_scope *scope, bool (*call)(void *context, const struct tl_entry *type),
			      void *context, struct tl_error *error)
{
	struct listing listing = {.type = call, .context = context};
	enum tl_status status = list_all(&listing, &scope->entry, error);

	tl_release(tl_storage(), listing.seen, listing.capacity * sizeof(*listing.seen));
	return status;
}
