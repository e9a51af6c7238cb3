/*
 * The pass over the units. Most entries cost a handful of steps: see index_plan.h.
 */
#include "base/storage.h"
#include "symbols/bytes.h"
#include "symbols/index_plan.h"
#include "symbols/index_tables.h"

#include <string.h>

/* Chains of origins, and scopes inside one another; what is deeper is left out. */
#define CHAIN_MAX 8
#define DEPTH_MAX 64

/* A class or a namespace of the unit that is being read, in the order of their places. */
struct container {
	tl_u64 start, end; /* `end` is the highest number while it is being read */
	tl_u32 parent;     /* index + 1, 0 for none */
	tl_u32 scope;
};

/* An entry whose scope is that of another that stands behind it; it is found when the unit has been read. */
struct later {
	tl_size entry; /* index */
	tl_u64 target;
};

/* One entry with the values that are wanted of it. */
struct die {
	tl_u64 offset, attributes;
	const struct tl_plan *plan; /* NULL: the end of a list */
	tl_u16 mask;
	bool common;      /* a reference leads into the common file */
	tl_u32 text_size; /* of an inline string or one that STEP_OTHER read */
	const char *text; /* NULL: the name is an offset in .debug_str */
	tl_u64 value[FIELD_MAX];
};

/* State of the pass over one unit. */
struct scan {
	struct tl_worker *worker;
	const struct tl_unit *unit;
	tl_u32 unit_index;
	const tl_u8 *base; /* of the unit's section */
	struct tl_cursor cursor;
	struct tl_section_bytes strings;
	bool scoped;       /* classes of this language are scopes */
	tl_u32 container;  /* index + 1 of the innermost open one */
	tl_u64 reads;      /* entries that were read */
	tl_u64 budget;     /* how many of those may still be to find out where others belong */
	bool wants_ranges; /* the unit itself has none: those of its functions count */
};

/* ============================================================ names ============================================== */

static tl_u64 name_key(const struct scan *scan, const struct die *die)
{
	if (die->text != NULL)
		return tl_name_key(die->text, die->text_size);
	return die->value[FIELD_NAME] | (scan->unit->common ? TL_KEY_COMMON : 0);
}

/* The number of an entry's name; TL_U32_MAX when it cannot be read or has no characters. */
static tl_u32 intern(struct scan *scan, const struct die *die)
{
	struct tl_cursor cursor = tl_cursor_make(scan->strings.bytes, scan->strings.size);
	const char *text = die->text;
	tl_size length = die->text_size;
	tl_u32 number;

	if (text == NULL) {
		tl_take_skip(&cursor, die->value[FIELD_NAME]);
		text = tl_take_text(&cursor);
		if (text == NULL)
			return TL_U32_MAX;
		length = (tl_size)((const char *)cursor.at - text) - 1;
	}
	if (length == 0)
		return TL_U32_MAX;
	number = tl_worker_name(scan->worker, name_key(scan, die), text, length);
	scan->worker->failed |= number == TL_U32_MAX;
	return number;
}

/* ============================================================ entries ============================================ */

static tl_u64 position(const struct scan *scan, const struct tl_cursor *cursor)
{
	return (tl_u64)(cursor->at - scan->base);
}

/* Takes the value of an attribute whose form is none of the frequent ones. */
static void read_other(struct scan *scan, struct tl_cursor *cursor, struct die *die, const struct tl_step *step)
{
	const struct tl_plan *plans = scan->worker->plans.items;
	const struct tl_abbreviation *abbreviation = &scan->worker->abbreviations.list[die->plan - plans];
	struct tl_attribute attribute;

	if (tl_attribute_read(scan->unit, &abbreviation->specifications[step->argument], cursor, &attribute, NULL) !=
	    TL_OK) {
		tl_take_fail(cursor);
		return;
	}
	die->value[step->field] = attribute.number;
	if (step->field == FIELD_NAME && attribute.text != NULL) {
		/* An offset of .debug_str is as good as that of DW_FORM_strp; others are known by their characters. */
		bool strings = attribute.form != DW_FORM_line_strp && attribute.form != DW_FORM_string &&
			       attribute.form != DW_FORM_GNU_strp_alt && attribute.form != DW_FORM_strp_sup;

		die->text = strings ? NULL : attribute.text;
		die->text_size = strings ? 0 : (tl_u32)strnlen(attribute.text, TL_U32_MAX);
	} else if (step->field == FIELD_NAME || attribute.kind == TL_CLASS_SIGNATURE) {
		die->mask &= (tl_u16)~HAS(step->field);
	}
	if (attribute.kind == TL_CLASS_REFERENCE && step->field != FIELD_SIBLING)
		die->common = attribute.common;
}

static void read_values(struct scan *scan, struct tl_cursor *cursor, struct die *die)
{
	const struct tl_step *steps = scan->worker->steps.items;

	for (tl_u32 i = 0; i < die->plan->step_count; i++) {
		const struct tl_step *step = &steps[die->plan->first_step + i];

		switch ((enum step_kind)step->kind) {
		case STEP_SKIP:
			tl_take_skip(cursor, step->argument);
			break;
		case STEP_SKIP_LEB:
			(void)tl_take_unsigned(cursor);
			break;
		case STEP_SKIP_TEXT:
			(void)tl_take_text(cursor);
			break;
		case STEP_SKIP_BLOCK:
			tl_take_skip(cursor, tl_take_unsigned(cursor));
			break;
		case STEP_SKIP_BLOCK1:
			tl_take_skip(cursor, tl_take_u8(cursor));
			break;
		case STEP_SKIP_FORM:
			tl_form_skip(scan->unit, step->argument, cursor);
			break;
		case STEP_1:
			die->value[step->field] = tl_take_u8(cursor);
			break;
		case STEP_2:
			die->value[step->field] = tl_take_u16(cursor);
			break;
		case STEP_4:
			die->value[step->field] = tl_take_u32(cursor);
			break;
		case STEP_LEB:
			die->value[step->field] = tl_take_unsigned(cursor);
			break;
		case STEP_REFERENCE_4:
			die->value[step->field] = scan->unit->offset + tl_take_u32(cursor);
			break;
		case STEP_TEXT:
			die->text = tl_take_text(cursor);
			if (die->text != NULL)
				die->text_size = (tl_u32)((const char *)cursor->at - die->text) - 1;
			break;
		case STEP_OTHER:
			read_other(scan, cursor, die, step);
			break;
		}
	}
}

/* Reads the entry at the cursor and goes past its attributes. False at damage and at the end of the unit. */
static bool read_die(struct scan *scan, struct tl_cursor *cursor, struct die *die)
{
	const struct tl_plan *plans = scan->worker->plans.items;
	const struct tl_abbreviation *abbreviation;
	tl_u64 code;

	if (tl_cursor_done(cursor))
		return false;
	scan->reads++;
	die->offset = position(scan, cursor);
	code = tl_take_unsigned(cursor);
	die->attributes = position(scan, cursor);
	die->plan = NULL;
	if (code == 0)
		return !cursor->failed;
	abbreviation = tl_abbreviations_find(&scan->worker->abbreviations, code);
	if (abbreviation == NULL)
		return false;
	die->plan = &plans[abbreviation - scan->worker->abbreviations.list];
	die->mask = die->plan->mask;
	die->common = scan->unit->common;
	die->text = NULL;
	read_values(scan, cursor, die);
	return !cursor->failed;
}

/* Goes to where an entry's DW_AT_sibling leads, forward and inside the unit; false when it has none like that. */
static bool jump(struct scan *scan, struct tl_cursor *cursor, const struct die *die)
{
	tl_u64 sibling = die->value[FIELD_SIBLING];

	if ((die->mask & HAS(FIELD_SIBLING)) == 0 || sibling < position(scan, cursor) || sibling > scan->unit->end)
		return false;
	cursor->at = scan->base + sibling;
	return true;
}

/* Passes over the children of an entry whose attributes were read. */
static void skip_children(struct scan *scan, struct tl_cursor *cursor, const struct die *die)
{
	struct die below = {0};
	tl_u64 depth = 1;

	if (!die->plan->has_children || jump(scan, cursor, die))
		return;
	while (depth != 0 && read_die(scan, cursor, &below)) {
		if (below.plan == NULL)
			depth--;
		else if (below.plan->has_children && !jump(scan, cursor, &below))
			depth++;
	}
}

/* ============================================================ scopes of entries elsewhere ======================== */

/*
 * The scope of an entry that lies in a class which was passed over, as a declaration is: its classes are entered down
 * to the one that holds it.
 */
static tl_u32 descend(struct scan *scan, const struct container *container, tl_u64 target)
{
	struct tl_cursor cursor = scan->cursor;
	tl_u32 scope = container->scope;
	struct die die = {0};

	cursor.failed = false;
	cursor.at = scan->base + container->start;
	if (!read_die(scan, &cursor, &die))
		return scope;
	for (unsigned depth = 0; depth < DEPTH_MAX;) {
		tl_u64 reads = scan->reads;
		struct tl_cursor children;

		if (scan->budget == 0 || !read_die(scan, &cursor, &die) || die.plan == NULL || die.offset >= target)
			break;
		children = cursor;
		skip_children(scan, &cursor, &die);
		reads = scan->reads - reads;
		scan->budget -= reads < scan->budget ? reads : scan->budget;
		if (position(scan, &cursor) <= target)
			continue;
		/* It lies below this one. */
		if (die.plan->action != ACTION_TYPE && die.plan->action != ACTION_NAMESPACE)
			break;
		if ((die.mask & HAS(FIELD_NAME)) != 0)
			scope = tl_worker_scope(scan->worker, intern(scan, &die), scope, false);
		cursor = children;
		depth++;
	}
	return scope;
}

/* The scope in which the entry at an offset of this unit stands. */
static tl_u32 scope_of(struct scan *scan, tl_u64 target)
{
	const struct container *containers = scan->worker->containers.items;
	tl_size low = 0, high = scan->worker->containers.count;
	const struct container *container;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (containers[middle].start < target)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return 0;
	for (container = &containers[low - 1]; target >= container->end; container = &containers[container->parent - 1])
		if (container->parent == 0)
			return 0;
	return descend(scan, container, target);
}

/* ============================================================ adding ============================================= */

static struct tl_index_entry make_entry(const struct scan *scan, const struct die *die, unsigned kind, tl_u32 scope)
{
	return (struct tl_index_entry){.unit = scan->unit_index,
				       .offset = (tl_u32)(die->offset - scan->unit->offset),
				       .scope = scope,
				       .tag = die->plan->tag,
				       .kind = (tl_u8)kind,
				       .flags = die->plan->flags};
}

/* False when nothing was added. */
static bool add(struct scan *scan, tl_u32 name, const struct tl_index_entry *entry, tl_u32 line, tl_u32 size)
{
	struct tl_raw_entry *added;

	if (name == TL_U32_MAX)
		return false;
	added = tl_list_add(&scan->worker->entries, sizeof(*added));
	if (added == NULL) {
		scan->worker->failed = true;
		return false;
	}
	*added = (struct tl_raw_entry){.worker_name = name, .entry = *entry, .line = line, .size = size};
	return true;
}

static bool is_declaration(const struct die *die)
{
	return die->plan->declaration ||
	       ((die->mask & HAS(FIELD_DECLARATION)) != 0 && die->value[FIELD_DECLARATION] != 0);
}

static void set_flags(const struct die *die, struct tl_index_entry *entry)
{
	tl_u64 inlined = (die->mask & HAS(FIELD_INLINE)) != 0 ? die->value[FIELD_INLINE] : die->plan->constant_inline;

	if (inlined == DW_INL_inlined || inlined == DW_INL_declared_inlined)
		entry->flags |= TL_INDEX_INLINE;
	if ((die->mask & HAS(FIELD_EXTERNAL)) != 0 && die->value[FIELD_EXTERNAL] != 0)
		entry->flags |= TL_INDEX_EXTERNAL;
}

static void add_foreign(struct scan *scan, const struct tl_index_entry *entry, tl_u64 target, bool common)
{
	struct tl_raw_foreign *foreign = tl_list_add(&scan->worker->foreign, sizeof(*foreign));

	if (foreign == NULL)
		scan->worker->failed = true;
	else
		*foreign = (struct tl_raw_foreign){.target = target, .common = common, .entry = *entry};
}

/* The scope of the last entry will be that of the one at `target`. */
static void add_later(struct scan *scan, tl_u64 target)
{
	struct later *later = tl_list_add(&scan->worker->later, sizeof(*later));

	if (later == NULL)
		scan->worker->failed = true;
	else
		*later = (struct later){scan->worker->entries.count - 1, target};
}

static void find_later_scopes(struct scan *scan)
{
	struct tl_raw_entry *entries = scan->worker->entries.items;
	const struct later *later = scan->worker->later.items;

	for (tl_size i = 0; i < scan->worker->later.count; i++)
		entries[later[i].entry].entry.scope = scope_of(scan, later[i].target);
	scan->worker->later.count = 0;
}

/* Adds a function or a variable; its name and its scope may be those of the entry that it completes. */
static void add_definition(struct scan *scan, const struct die *die, unsigned kind, tl_u32 scope)
{
	struct tl_index_entry entry = make_entry(scan, die, kind, scope);
	struct die at = *die;

	if (is_declaration(die))
		return;
	set_flags(die, &entry);
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		tl_u16 link = at.mask & (HAS(FIELD_SPECIFICATION) | HAS(FIELD_ORIGIN));
		tl_u64 target =
			(link & HAS(FIELD_SPECIFICATION)) != 0 ? at.value[FIELD_SPECIFICATION] : at.value[FIELD_ORIGIN];
		struct tl_cursor cursor = scan->cursor;
		tl_u32 name;

		/* With a name and a specification the scope is still the latter's. */
		if ((at.mask & HAS(FIELD_NAME)) != 0 && (link & HAS(FIELD_SPECIFICATION)) == 0) {
			name = intern(scan, &at);
			if (i != 0 && scan->scoped)
				entry.scope = scope_of(scan, at.offset);
			if (add(scan, name, &entry, 0, 0) && scan->scoped && at.offset > die->offset)
				add_later(scan, at.offset);
			return;
		}
		if (link == 0)
			return;
		if (at.common != scan->unit->common || target < scan->unit->first_entry || target >= scan->unit->end) {
			add_foreign(scan, &entry, target, at.common);
			return;
		}
		cursor.at = scan->base + target;
		cursor.failed = false;
		if (!read_die(scan, &cursor, &at) || at.plan == NULL)
			return;
		set_flags(&at, &entry);
	}
}

/* What tells a type from others of its name. */
static struct tl_identity identify(struct scan *scan, const struct die *die, tl_u32 scope)
{
	return (struct tl_identity){.name = (die->mask & HAS(FIELD_NAME)) != 0 ? name_key(scan, die) : 0,
				    .line = (tl_u32)((die->mask & HAS(FIELD_LINE)) != 0 ? die->value[FIELD_LINE]
											: die->plan->constant_line),
				    .size = (tl_u32)((die->mask & HAS(FIELD_SIZE)) != 0 ? die->value[FIELD_SIZE]
											: die->plan->constant_size),
				    .scope = scope,
				    .tag = die->plan->tag};
}

/* Adds a type, an enumerator or a namespace unless it was seen; says whether it was not. */
static bool add_shared(struct scan *scan, const struct die *die, const struct tl_identity *identity, unsigned kind,
		       tl_u32 *name_ret)
{
	struct tl_index_entry entry = make_entry(scan, die, kind, identity->scope);

	if ((die->mask & HAS(FIELD_NAME)) == 0 || tl_worker_seen(scan->worker, identity))
		return false;
	*name_ret = intern(scan, die);
	add(scan, *name_ret, &entry, identity->line, identity->size);
	return true;
}

static void scan_enumerators(struct scan *scan, const struct tl_identity *of, tl_u32 scope)
{
	struct die die = {0};

	while (!scan->worker->failed && read_die(scan, &scan->cursor, &die) && die.plan != NULL) {
		if (die.plan->action == ACTION_ENUMERATOR && (die.mask & HAS(FIELD_NAME)) != 0) {
			struct tl_identity identity = {.name = name_key(scan, &die),
						       .line = of->line,
						       .size = of->size,
						       .scope = scope,
						       .tag = DW_TAG_enumerator};
			tl_u32 name;

			(void)add_shared(scan, &die, &identity, TL_INDEX_ENUMERATOR, &name);
		}
		skip_children(scan, &scan->cursor, &die);
	}
}

/* ============================================================ the pass =========================================== */

static void scan_level(struct scan *scan, tl_u32 scope, unsigned depth);

/* Notes where a class or a namespace is; 0 without storage, else its number for close_container. */
static tl_u32 open_container(struct scan *scan, const struct die *die, tl_u32 scope)
{
	struct container *container = tl_list_add(&scan->worker->containers, sizeof(*container));

	if (container == NULL) {
		scan->worker->failed = true;
		return 0;
	}
	*container = (struct container){die->offset, TL_U64_MAX, scan->container, scope};
	scan->container = (tl_u32)scan->worker->containers.count;
	return scan->container;
}

static void close_container(struct scan *scan, tl_u32 number)
{
	struct container *containers = scan->worker->containers.items;

	if (number == 0)
		return;
	containers[number - 1].end = position(scan, &scan->cursor);
	scan->container = containers[number - 1].parent;
}

/* The cursor stands at the first child: goes through the children, or past them. */
static void scan_inside(struct scan *scan, const struct die *die, tl_u32 scope, bool enter, unsigned depth)
{
	tl_u32 container = open_container(scan, die, scope);

	if (enter && depth < DEPTH_MAX)
		scan_level(scan, scope, depth + 1);
	else
		skip_children(scan, &scan->cursor, die);
	close_container(scan, container);
}

static void scan_namespace(struct scan *scan, const struct die *die, tl_u32 scope, unsigned depth)
{
	static const char anonymous[] = "(anonymous namespace)";
	struct tl_identity identity = identify(scan, die, scope);
	bool named = (die->mask & HAS(FIELD_NAME)) != 0;
	tl_u32 name = TL_U32_MAX;

	if (!named)
		name = tl_worker_name(scan->worker, tl_name_key(anonymous, sizeof(anonymous) - 1), anonymous,
				      sizeof(anonymous) - 1);
	else if (!add_shared(scan, die, &identity, TL_INDEX_NAMESPACE, &name))
		name = intern(scan, die);
	if (!die->plan->has_children)
		return;
	scan_inside(scan, die, tl_worker_scope(scan->worker, name, scope, !named || die->plan->special), true, depth);
}

static void scan_type(struct scan *scan, const struct die *die, tl_u32 scope, unsigned depth)
{
	struct tl_identity identity = identify(scan, die, scope);
	bool declaration = is_declaration(die), named = (die->mask & HAS(FIELD_NAME)) != 0, added = false;
	tl_u32 name = TL_U32_MAX;

	if (!declaration)
		added = add_shared(scan, die, &identity, TL_INDEX_TYPE, &name);
	if (!die->plan->has_children)
		return;
	if (die->plan->tag == DW_TAG_enumeration_type) {
		if (declaration || (named && !added)) {
			skip_children(scan, &scan->cursor, die);
			return;
		}
		if (die->plan->special && added)
			scope = tl_worker_scope(scan->worker, name, scope, false);
		scan_enumerators(scan, &identity, scope);
		return;
	}
	if (!scan->scoped) {
		skip_children(scan, &scan->cursor, die);
		return;
	}
	if (named)
		scope = tl_worker_scope(scan->worker, added ? name : intern(scan, die), scope, false);
	/* Also one that was seen: instances of templates inside of it differ between units. */
	scan_inside(scan, die, scope, named && !declaration, depth);
}

static bool add_range(void *context, tl_u64 start, tl_u64 end)
{
	struct scan *scan = context;
	struct tl_index_range *range = tl_list_add(&scan->worker->ranges, sizeof(*range));

	if (range == NULL) {
		scan->worker->failed = true;
		return false;
	}
	*range = (struct tl_index_range){start, end, scan->unit_index, 0};
	return true;
}

/* Notes the addresses of an entry. Damaged lists end where they are damaged. */
static void add_ranges(struct scan *scan, const struct die *die)
{
	const struct tl_plan *plans = scan->worker->plans.items;
	struct tl_entry entry = {.unit = scan->unit,
				 .offset = die->offset,
				 .attributes = die->attributes,
				 .tag = die->plan->tag,
				 .has_children = die->plan->has_children,
				 .abbreviation = &scan->worker->abbreviations.list[die->plan - plans]};

	(void)!tl_entry_ranges(&entry, add_range, scan, NULL);
}

static void scan_level(struct scan *scan, tl_u32 scope, unsigned depth)
{
	struct die die = {0};

	while (!scan->worker->failed && read_die(scan, &scan->cursor, &die) && die.plan != NULL) {
		switch ((enum action)die.plan->action) {
		case ACTION_FUNCTION:
			add_definition(scan, &die, TL_INDEX_FUNCTION, scope);
			if (scan->wants_ranges && (die.plan->flags & TL_INDEX_HAS_CODE) != 0)
				add_ranges(scan, &die);
			skip_children(scan, &scan->cursor, &die);
			break;
		case ACTION_VARIABLE:
			add_definition(scan, &die, TL_INDEX_VARIABLE, scope);
			skip_children(scan, &scan->cursor, &die);
			break;
		case ACTION_TYPE:
			scan_type(scan, &die, scope, depth);
			break;
		case ACTION_NAMESPACE:
			scan_namespace(scan, &die, scope, depth);
			break;
		case ACTION_SKIP:
		case ACTION_ENUMERATOR:
		case ACTION_MEMBER:
			skip_children(scan, &scan->cursor, &die);
			break;
		}
	}
}

bool tl_unit_has_scopes(const struct tl_unit *unit)
{
	switch (unit->language) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_C17:
	case DW_LANG_ObjC:
	case DW_LANG_UPC:
	case DW_LANG_OpenCL:
	case DW_LANG_Mips_Assembler:
		return false;
	default:
		return true;
	}
}

bool tl_worker_scan(struct tl_worker *worker, tl_u32 unit_index)
{
	const struct tl_unit *unit = tl_dwarf_unit(worker->builder->dwarf, unit_index);
	struct tl_image *image = tl_dwarf_image(worker->builder->dwarf);
	enum tl_status (*section)(struct tl_image *, enum tl_section, struct tl_section_bytes *, struct tl_error *) =
		unit->common ? tl_image_common_section : tl_image_section;
	struct scan scan = {
		.worker = worker, .unit = unit, .unit_index = unit_index, .scoped = tl_unit_has_scopes(unit)};
	struct tl_section_bytes bytes, abbreviations;
	tl_size ranges = worker->ranges.count;
	struct die top = {0};

	if (section(image, (enum tl_section)unit->section, &bytes, NULL) != TL_OK ||
	    section(image, TL_SECTION_ABBREV, &abbreviations, NULL) != TL_OK ||
	    section(image, TL_SECTION_STR, &scan.strings, NULL) != TL_OK)
		return true;
	if (!tl_worker_plan(worker, unit, &abbreviations)) {
		worker->failed = true;
		return false;
	}
	worker->containers.count = 0;
	scan.base = bytes.bytes;
	scan.budget = (unit->end - unit->offset) * 4;
	scan.cursor = (struct tl_cursor){bytes.bytes + unit->first_entry, bytes.bytes + unit->end, false};
	if (read_die(&scan, &scan.cursor, &top) && top.plan != NULL) {
		add_ranges(&scan, &top);
		scan.wants_ranges = worker->ranges.count == ranges;
		if (top.plan->has_children)
			scan_level(&scan, 0, 0);
		find_later_scopes(&scan);
	}
	tl_image_forget_pages(image, bytes.bytes + unit->offset, unit->end - unit->offset);
	return !worker->failed;
}

void tl_worker_free(struct tl_worker *worker)
{
	tl_list_free(&worker->entries, sizeof(struct tl_raw_entry));
	tl_list_free(&worker->foreign, sizeof(struct tl_raw_foreign));
	tl_list_free(&worker->ranges, sizeof(struct tl_index_range));
	tl_list_free(&worker->containers, sizeof(struct container));
	tl_list_free(&worker->later, sizeof(struct later));
	tl_worker_free_plans(worker);
	tl_worker_free_tables(worker);
}
