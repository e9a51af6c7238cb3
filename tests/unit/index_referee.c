/*
 * The index against a walk over everything: `index-referee PROGRAM…`. The walk is slow and simple; it knows nothing of
 * plans, siblings, threads or merging. Every definition has to be found by its name, with its scope, and nothing else
 * may be in the index.
 */
#include "symbols/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long definitions, shared, failures;
static const char *program;
static struct tl_index *tables;

static void complain(const struct tl_entry *entry, const char *name, const char *what)
{
	if (failures++ < 20)
		printf("%s: entry 0x%llx (%s %s): %s\n", program, (unsigned long long)entry->offset,
		       tl_dwarf_tag_name(entry->tag), name, what);
}

/* What is sought among the results of a search. */
struct search {
	const struct tl_entry *entry;
	const char *scope;
	bool same_place, same_kind, same_scope;
};

static bool look(void *context, const struct tl_indexed *found)
{
	struct search *search = context;
	char scope[4096];

	(void)tl_index_scope(tables, found->scope, scope, sizeof(scope));
	search->same_scope |= strcmp(scope, search->scope) == 0 && found->tag == search->entry->tag;
	search->same_kind |= found->tag == search->entry->tag;
	if (found->offset == search->entry->offset && found->unit == search->entry->unit) {
		search->same_place = true;
		if (strcmp(scope, search->scope) != 0)
			complain(search->entry, scope, search->scope);
	}
	return true;
}

static const char *text_of(const struct tl_entry *entry, tl_u16 name, bool inherited)
{
	struct tl_attribute attribute;
	enum tl_status status = inherited ? tl_entry_inherited(entry, name, &attribute, NULL)
					  : tl_entry_attribute(entry, name, &attribute, NULL);

	return status == TL_OK && attribute.kind == TL_CLASS_STRING ? attribute.text : NULL;
}

static bool has(const struct tl_entry *entry, tl_u16 name)
{
	struct tl_attribute attribute;

	return tl_entry_attribute(entry, name, &attribute, NULL) == TL_OK && attribute.kind != TL_CLASS_NONE &&
	       (attribute.kind != TL_CLASS_FLAG || attribute.number != 0);
}

/* ============================================================ scopes ============================================= */

/* Appends "::name". */
static void append(char *scope, size_t size, const char *name)
{
	size_t length = strlen(scope);

	(void)snprintf(scope + length, size - length, "%s%s", length != 0 ? "::" : "", name);
}

/* Walks down from the top of a unit to the entry at an offset, and writes the scopes on the way. */
static bool find_scope(const struct tl_entry *parent, tl_u64 offset, char *scope, size_t size)
{
	struct tl_entry entry;
	size_t length = strlen(scope);

	if (tl_entry_child(parent, &entry, NULL) != TL_OK)
		return false;
	while (entry.tag != 0 && entry.offset <= offset) {
		struct tl_entry next;

		if (entry.offset == offset)
			return true;
		if (tl_entry_sibling(&entry, &next, NULL) != TL_OK)
			return false;
		if (next.offset > offset) {
			const char *name = text_of(&entry, DW_AT_name, false);

			if (entry.tag == DW_TAG_subprogram)
				return true; /* a class inside of a function */
			if (entry.tag == DW_TAG_namespace)
				append(scope, size, name != NULL ? name : "(anonymous namespace)");
			else if (name != NULL)
				append(scope, size, name);
			if (find_scope(&entry, offset, scope, size))
				return true;
			scope[length] = 0;
			return false;
		}
		entry = next;
	}
	return false;
}

static bool scoped(const struct tl_unit *unit)
{
	return unit->language != DW_LANG_C99 && unit->language != DW_LANG_C11 && unit->language != DW_LANG_C89 &&
	       unit->language != DW_LANG_Mips_Assembler;
}

/* The scope of a definition: that of the declaration at the end of its chain. */
static void scope_of(const struct tl_entry *entry, char *scope, size_t size)
{
	static const tl_u16 links[] = {DW_AT_specification, DW_AT_abstract_origin};
	struct tl_entry at = *entry, top;
	struct tl_attribute link;

	scope[0] = 0;
	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;

		while (n < 2 &&
		       (tl_entry_attribute(&at, links[n], &link, NULL) != TL_OK || link.kind != TL_CLASS_REFERENCE))
			n++;
		if (n == 2 || tl_entry_follow(&link, &at, NULL) != TL_OK)
			break;
	}
	if (scoped(at.unit) && tl_entry_top(at.unit, &top, NULL) == TL_OK)
		(void)find_scope(&top, at.offset, scope, size);
}

/* ============================================================ the walk =========================================== */

static void check(const struct tl_entry *entry, unsigned kind, const char *name, const char *scope)
{
	struct search search = {.entry = entry, .scope = scope};
	char qualified[8192];
	bool common = (kind & (TL_INDEX_FUNCTION | TL_INDEX_VARIABLE)) == 0;

	if (name == NULL || name[0] == 0)
		return;
	(void)snprintf(qualified, sizeof(qualified), "::%s%s%s", scope, scope[0] != 0 ? "::" : "", name);
	definitions += !common;
	shared += common;
	if (tl_index_find(tables, qualified, kind, look, &search, NULL) != TL_OK)
		complain(entry, qualified, "cannot be looked for");
	else if (!common && !search.same_place)
		complain(entry, qualified, "is not found");
	else if (common && !search.same_kind)
		complain(entry, qualified, "is not found, nor anything like it");
	else if (common && !search.same_scope)
		complain(entry, qualified, "is not found in its scope");
}

static unsigned kind_of(tl_u16 tag)
{
	switch (tag) {
	case DW_TAG_subprogram:
		return TL_INDEX_FUNCTION;
	case DW_TAG_variable:
		return TL_INDEX_VARIABLE;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_typedef:
	case DW_TAG_base_type:
	case DW_TAG_unspecified_type:
		return TL_INDEX_TYPE;
	case DW_TAG_enumerator:
		return TL_INDEX_ENUMERATOR;
	case DW_TAG_namespace:
		return TL_INDEX_NAMESPACE;
	default:
		return 0;
	}
}

static void walk(const struct tl_entry *parent, char *scope, size_t size)
{
	struct tl_entry entry;
	size_t length = strlen(scope);

	if (tl_entry_child(parent, &entry, NULL) != TL_OK) {
		complain(parent, "", "its children cannot be read");
		return;
	}
	for (; entry.tag != 0; scope[length] = 0) {
		unsigned kind = kind_of(entry.tag);
		const char *name = text_of(&entry, DW_AT_name, (kind & (TL_INDEX_FUNCTION | TL_INDEX_VARIABLE)) != 0);
		bool declaration = has(&entry, DW_AT_declaration);
		char elsewhere[4096];

		if ((kind & (TL_INDEX_FUNCTION | TL_INDEX_VARIABLE)) != 0 && !declaration) {
			scope_of(&entry, elsewhere, sizeof(elsewhere));
			check(&entry, kind, name, elsewhere);
		} else if (kind != 0 && !declaration) {
			check(&entry, kind, name, scope);
		}
		if (kind == TL_INDEX_NAMESPACE || (kind == TL_INDEX_TYPE && !declaration)) {
			bool enumeration = entry.tag == DW_TAG_enumeration_type;

			if (kind == TL_INDEX_NAMESPACE && name == NULL)
				append(scope, size, "(anonymous namespace)");
			else if (name != NULL && (!enumeration || has(&entry, DW_AT_enum_class)))
				append(scope, size, name);
			/* Classes without a name keep what is inside to themselves; in C they all do. */
			if (kind == TL_INDEX_NAMESPACE || enumeration || (name != NULL && scoped(entry.unit)))
				walk(&entry, scope, size);
		}
		if (tl_entry_sibling(&entry, &entry, NULL) != TL_OK) {
			complain(&entry, "", "its sibling cannot be read");
			return;
		}
	}
}

/* ============================================================ the index ========================================== */

struct counts {
	unsigned long definitions, damaged;
};

static bool count_one(void *context, const struct tl_indexed *found)
{
	struct counts *counts = context;
	struct tl_entry entry;

	counts->definitions += (found->kind & (TL_INDEX_FUNCTION | TL_INDEX_VARIABLE)) != 0;
	counts->damaged += tl_entry_at(found->unit, found->offset, &entry, NULL) != TL_OK || entry.tag != found->tag;
	return true;
}

struct cover {
	tl_u64 address;
	bool found;
};

static bool look_for_address(void *context, tl_u64 start, tl_u64 end)
{
	struct cover *cover = context;

	cover->found = cover->address >= start && cover->address < end;
	return !cover->found;
}

/* Units may share addresses, where a function of both is kept once; then either is right. */
static bool covers(const struct tl_unit *unit, tl_u64 address)
{
	struct cover cover = {address, false};
	struct tl_entry top;

	return unit != NULL && tl_entry_top(unit, &top, NULL) == TL_OK &&
	       tl_entry_ranges(&top, look_for_address, &cover, NULL) == TL_OK && cover.found;
}

static bool check_range(void *context, tl_u64 start, tl_u64 end)
{
	const struct tl_entry *top = context;
	const struct tl_unit *first = tl_index_unit(tables, start), *last = tl_index_unit(tables, end - 1);

	if ((first != top->unit && !covers(first, start)) || (last != top->unit && !covers(last, end - 1)))
		complain(top, top->unit->name, "its addresses belong to another unit");
	return true;
}

static void check_program(const char *path)
{
	unsigned long before[] = {definitions, shared, failures};
	struct counts counts = {0, 0};
	struct tl_image *image = NULL;
	struct tl_dwarf *dwarf = NULL;
	struct tl_error error;

	program = path;
	tables = NULL;
	if (tl_image_open(&image, path, NULL, &error) != TL_OK || tl_dwarf_open(&dwarf, image, &error) != TL_OK ||
	    tl_index_build(&tables, dwarf, NULL, &error) != TL_OK) {
		printf("%s: %s\n", path, error.text);
		failures++;
	}
	for (tl_size i = 0; tables != NULL && i < tl_dwarf_unit_count(dwarf); i++) {
		struct tl_entry top;
		char scope[4096] = "";

		if (tl_entry_top(tl_dwarf_unit(dwarf, i), &top, NULL) != TL_OK)
			continue;
		walk(&top, scope, sizeof(scope));
		if (tl_entry_ranges(&top, check_range, &top, NULL) != TL_OK)
			complain(&top, "", "its ranges cannot be read");
	}
	if (tables != NULL)
		tl_index_each(tables, TL_INDEX_ALL, count_one, &counts);
	if (counts.damaged != 0 || counts.definitions != definitions - before[0]) {
		printf("%s: the index has %lu definitions, there are %lu; %lu lead nowhere\n", path, counts.definitions,
		       definitions - before[0], counts.damaged);
		failures++;
	}
	tl_index_close(tables);
	tl_dwarf_close(dwarf);
	tl_image_close(image);
	printf("%s: %lu definitions, %lu types, enumerators and namespaces, %lu complaints\n", path,
	       definitions - before[0], shared - before[1], failures - before[2]);
}

int main(int count, char **arguments)
{
	for (int i = 1; i < count; i++)
		check_program(arguments[i]);
	return failures != 0 || definitions == 0;
}
