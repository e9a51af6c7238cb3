#include "symbols/tree.h"

#include "base/storage.h"
#include "symbols/dwarf_constants.h"

#include <pthread.h>

/* So much may be noted before all is forgotten; and no entry is this deep but in damaged files. */
#define NOTED_MAX ((tl_size)64 << 20)
#define DEPTH_MAX 1024
#define ORIGINS_MAX 32
#define UNITS_MAX 4096

/* One enclosing entry: it holds the offsets from its own up to `end`. Sorted by start; an outer one is before its
 * inner. */
struct enclosing {
	tl_u64 start, end;
	tl_u32 parent; /* index in the same table */
};

struct unit_tree {
	const struct tl_unit *unit;
	struct enclosing *entries;
	tl_size count, capacity;
};

struct tl_tree {
	struct tl_dwarf *dwarf;
	pthread_mutex_t lock;
	struct unit_tree *units; /* a hash table of UNITS_MAX slots, by unit */
	tl_size noted;           /* bytes in all of them */
	tl_size used;
};

enum tl_status tl_tree_open(struct tl_tree **tree_ret, struct tl_dwarf *dwarf, struct tl_error *error)
{
	struct tl_tree *tree = tl_allocate(tl_storage(), sizeof(*tree));

	if (tree != NULL)
		tree->units = tl_allocate(tl_storage(), UNITS_MAX * sizeof(*tree->units));
	if (tree == NULL || tree->units == NULL) {
		tl_release(tl_storage(), tree, sizeof(*tree));
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the order of entries");
	}
	tree->dwarf = dwarf;
	pthread_mutex_init(&tree->lock, NULL);
	*tree_ret = tree;
	return TL_OK;
}

static void forget(struct tl_tree *tree)
{
	for (tl_size i = 0; i < UNITS_MAX; i++)
		tl_release(tl_storage(), tree->units[i].entries,
			   tree->units[i].capacity * sizeof(*tree->units[i].entries));
	tl_fill(tree->units, 0, UNITS_MAX * sizeof(*tree->units));
	tree->noted = tree->used = 0;
}

void tl_tree_close(struct tl_tree *tree)
{
	if (tree == NULL)
		return;
	forget(tree);
	pthread_mutex_destroy(&tree->lock);
	tl_release(tl_storage(), tree->units, UNITS_MAX * sizeof(*tree->units));
	tl_release(tl_storage(), tree, sizeof(*tree));
}

static bool encloses(tl_u16 tag)
{
	switch (tag) {
	case DW_TAG_compile_unit:
	case DW_TAG_partial_unit:
	case DW_TAG_type_unit:
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_subroutine_type:
		return true;
	default:
		return false;
	}
}

static enum tl_status add(struct unit_tree *noted, tl_u64 start, tl_u64 end, tl_u32 parent, struct tl_error *error)
{
	void *entries = noted->entries;

	if (noted->count >= NOTED_MAX / sizeof(*noted->entries) ||
	    !tl_grow(tl_storage(), &entries, &noted->capacity, noted->count, sizeof(*noted->entries)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the order of a unit's entries");
	noted->entries = entries;
	noted->entries[noted->count++] = (struct enclosing){start, end, parent};
	return TL_OK;
}

/* Goes through the unit once. `levels` says for each level which enclosing entry its siblings stand in. */
static enum tl_status pass(struct unit_tree *noted, tl_u32 *levels, struct tl_error *error)
{
	struct tl_entry entry;
	tl_size depth = 0;
	bool done = false;

	TL_TRY(tl_entry_top(noted->unit, &entry, error));
	TL_TRY(add(noted, entry.offset, noted->unit->end, 0, error));
	levels[0] = 0;
	if (!entry.has_children)
		return TL_OK;
	for (;;) {
		struct tl_entry next;

		TL_TRY(tl_entry_next(&entry, &next, &done, error));
		if (done)
			return TL_OK;
		entry = next;
		if (entry.tag == 0) {
			tl_u32 ended = levels[depth];

			if (depth == 0)
				return TL_OK;
			depth--;
			if (levels[depth] != ended)
				noted->entries[ended].end = entry.offset;
		} else if (entry.has_children) {
			tl_u32 around = levels[depth];

			if (++depth == DEPTH_MAX)
				return TL_FAIL(error, TL_ERROR_MALFORMED,
					       "entry 0x%llx stands %d levels deep: the debug information is damaged",
					       (unsigned long long)entry.offset, DEPTH_MAX);
			levels[depth] = around;
			if (encloses(entry.tag)) {
				TL_TRY(add(noted, entry.offset, noted->unit->end, around, error));
				levels[depth] = (tl_u32)noted->count - 1;
			}
		}
	}
}

static enum tl_status note_unit(struct unit_tree *noted, const struct tl_unit *unit, struct tl_error *error)
{
	tl_u32 *levels = tl_allocate(tl_storage(), DEPTH_MAX * sizeof(*levels));
	enum tl_status status;

	if (levels == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the order of a unit's entries");
	*noted = (struct unit_tree){.unit = unit};
	status = pass(noted, levels, error);
	tl_release(tl_storage(), levels, DEPTH_MAX * sizeof(*levels));
	if (status != TL_OK) {
		tl_release(tl_storage(), noted->entries, noted->capacity * sizeof(*noted->entries));
		*noted = (struct unit_tree){0};
	}
	return status;
}

/* The unit's table, made at need. The lock is held. */
static enum tl_status find_unit(struct tl_tree *tree, const struct tl_unit *unit, const struct unit_tree **noted_ret,
				struct tl_error *error)
{
	const tl_size home = (tl_size)(((tl_u64)(tl_uintptr)unit * 0x9e3779b97f4a7c15) >> 52) % UNITS_MAX;
	tl_size slot = home;

	while (tree->units[slot].unit != NULL && tree->units[slot].unit != unit)
		slot = (slot + 1) % UNITS_MAX;
	if (tree->units[slot].unit == NULL) {
		struct unit_tree noted;

		TL_TRY(note_unit(&noted, unit, error));
		if (tree->noted + noted.capacity * sizeof(*noted.entries) > NOTED_MAX || tree->used >= UNITS_MAX / 2) {
			forget(tree);
			slot = home;
		}
		tree->noted += noted.capacity * sizeof(*noted.entries);
		tree->used++;
		tree->units[slot] = noted;
	}
	*noted_ret = &tree->units[slot];
	return TL_OK;
}

/* The index of the innermost entry around `offset`, other than one that begins there. -1: the topmost is asked about.
 */
static tl_size innermost(const struct unit_tree *noted, tl_u64 offset)
{
	tl_size low = 0, high = noted->count;

	/* The last one that begins before the offset; what encloses is it or one around it. */
	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (noted->entries[middle].start < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return TL_SIZE_MAX;
	low--;
	while (low != 0 && noted->entries[low].end <= offset)
		low = noted->entries[low].parent;
	return low;
}

enum tl_status tl_tree_parent(struct tl_tree *tree, const struct tl_entry *entry, struct tl_entry *parent_ret,
			      struct tl_error *error)
{
	const struct unit_tree *noted;
	enum tl_status status;
	tl_u64 start = 0;
	bool top = false;

	pthread_mutex_lock(&tree->lock);
	status = find_unit(tree, entry->unit, &noted, error);
	if (status == TL_OK) {
		tl_size index = innermost(noted, entry->offset);

		top = index == TL_SIZE_MAX;
		start = top ? 0 : noted->entries[index].start;
	}
	pthread_mutex_unlock(&tree->lock);
	if (status != TL_OK)
		return status;
	if (top) {
		*parent_ret = (struct tl_entry){.unit = entry->unit};
		return TL_OK;
	}
	return tl_entry_at(entry->unit, start, parent_ret, error);
}

bool tl_tree_has_scopes(const struct tl_unit *unit)
{
	switch (unit->language) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_C17:
	case DW_LANG_Mips_Assembler:
	case 0:
		return false;
	default:
		return true;
	}
}

/* The entry where the declaration stands that this one belongs to. */
static enum tl_status declaration(const struct tl_entry *entry, struct tl_entry *declaration_ret,
				  struct tl_error *error)
{
	const tl_u64 offset = entry->offset; /* the result may stand in the same place */

	*declaration_ret = *entry;
	for (int i = 0; i < ORIGINS_MAX; i++) {
		struct tl_attribute origin;

		TL_TRY(tl_entry_attribute(declaration_ret, DW_AT_specification, &origin, error));
		if (origin.kind == TL_CLASS_NONE)
			TL_TRY(tl_entry_attribute(declaration_ret, DW_AT_abstract_origin, &origin, error));
		/* A type with a unit of its own stands there where it belongs, and anywhere elsewhere. */
		if (origin.kind == TL_CLASS_NONE)
			TL_TRY(tl_entry_attribute(declaration_ret, DW_AT_signature, &origin, error));
		if (origin.kind == TL_CLASS_NONE)
			return TL_OK;
		TL_TRY(tl_entry_follow(&origin, declaration_ret, error));
	}
	return TL_FAIL(error, TL_ERROR_MALFORMED, "entry 0x%llx: its origins lead in a circle, or too far",
		       (unsigned long long)offset);
}

static bool has_name_in_scope(tl_u16 tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
		return true;
	default:
		return false;
	}
}

/* An enumeration gives its enumerators a scope only if it was declared with `class`. */
static enum tl_status gives_scope(const struct tl_entry *entry, bool *gives_ret, struct tl_error *error)
{
	struct tl_attribute attribute = {.kind = TL_CLASS_NONE};

	if (entry->tag == DW_TAG_enumeration_type)
		TL_TRY(tl_entry_attribute(entry, DW_AT_enum_class, &attribute, error));
	*gives_ret = has_name_in_scope(entry->tag) || (attribute.kind == TL_CLASS_FLAG && attribute.number != 0);
	return TL_OK;
}

/* What encloses what, innermost first, as far as it gives a scope. */
struct chain {
	const char *names[64];
	tl_size count;
};

static enum tl_status collect(struct tl_tree *tree, const struct tl_entry *entry, struct chain *chain,
			      struct tl_error *error)
{
	struct tl_entry at;

	TL_TRY(declaration(entry, &at, error));
	for (int steps = 0; steps < DEPTH_MAX; steps++) {
		struct tl_attribute name;
		bool gives = false;

		TL_TRY(tl_tree_parent(tree, &at, &at, error));
		if (at.tag == 0)
			return TL_OK;
		TL_TRY(gives_scope(&at, &gives, error));
		/* A member function's body stands outside its class, and a namespace may be opened anew. */
		TL_TRY(declaration(&at, &at, error));
		if (gives) {
			if (chain->count == TL_COUNT(chain->names))
				return TL_FAIL(error, TL_ERROR_MALFORMED, "entry 0x%llx stands in over %zu scopes",
					       (unsigned long long)entry->offset, chain->count);
			TL_TRY(tl_entry_inherited(&at, DW_AT_name, &name, error));
			if (name.kind == TL_CLASS_STRING)
				chain->names[chain->count++] = name.text;
			else if (at.tag == DW_TAG_namespace)
				chain->names[chain->count++] = "(anonymous namespace)";
		}
	}
	return TL_FAIL(error, TL_ERROR_MALFORMED, "entry 0x%llx: what encloses it leads in a circle, or too far",
		       (unsigned long long)entry->offset);
}

enum tl_status tl_tree_scope(struct tl_tree *tree, const struct tl_entry *entry,
			     void (*write)(void *context, const char *text), void *context, struct tl_error *error)
{
	struct chain chain = {.count = 0};

	if (!tl_tree_has_scopes(entry->unit))
		return TL_OK;
	TL_TRY(collect(tree, entry, &chain, error));
	while (chain.count > 0) {
		write(context, chain.names[--chain.count]);
		write(context, "::");
	}
	return TL_OK;
}
