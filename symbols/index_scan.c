/*
 * The pass over the units. For each table of abbreviations a plan is made of every abbreviation: the few attributes
 * that the index wants, and how many bytes to pass over between them. Most entries then cost a handful of steps.
 */
#include "base/storage.h"
#include "symbols/bytes.h"
#include "symbols/index_internal.h"

#include <stdlib.h>
#include <string.h>

/* Chains of origins, and scopes inside one another; what is deeper is left out. */
#define CHAIN_MAX 8
#define DEPTH_MAX 64

/* Attributes that are wanted. */
enum field {
	FIELD_NAME,
	FIELD_SIBLING,
	FIELD_LINE,
	FIELD_SIZE,
	FIELD_SPECIFICATION,
	FIELD_ORIGIN,
	FIELD_INLINE,
	FIELD_DECLARATION,
	FIELD_EXTERNAL,
	FIELD_MAX
};
#define HAS(field) (1u << (field))

enum step_kind {
	STEP_SKIP, /* `argument` bytes */
	STEP_SKIP_LEB,
	STEP_SKIP_TEXT,
	STEP_SKIP_BLOCK,
	STEP_SKIP_BLOCK1,
	STEP_SKIP_FORM, /* `argument`: the form */
	STEP_1,
	STEP_2,
	STEP_4,
	STEP_LEB,
	STEP_REFERENCE_4, /* from the unit's offset */
	STEP_TEXT,        /* an inline string */
	STEP_OTHER        /* `argument`: the number of the specification */
};

struct step {
	tl_u8 kind, field;
	tl_u16 argument;
};

/* What is done about a tag. */
enum action {
	ACTION_SKIP,
	ACTION_FUNCTION,
	ACTION_VARIABLE,
	ACTION_TYPE,
	ACTION_NAMESPACE,
	ACTION_ENUMERATOR,
	ACTION_MEMBER
};

struct plan {
	tl_u8 action;
	bool has_children;
	tl_u16 tag;
	tl_u16 mask;  /* HAS(field) of all that there are */
	tl_u8 flags;  /* TL_INDEX_HAS_CODE …, as far as presence of an attribute says it */
	bool special; /* DW_AT_enum_class, DW_AT_export_symbols */
	bool declaration;
	tl_u32 first_step, step_count;
	tl_u64 constant_line, constant_size, constant_inline; /* of DW_FORM_implicit_const */
};

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
	const struct plan *plan; /* NULL: the end of a list */
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

/* ============================================================ lists and tables =================================== */

void *tl_list_add(struct tl_list *list, tl_size size)
{
	void *item;

	if (!tl_grow(tl_storage(), &list->items, &list->capacity, list->count, size))
		return NULL;
	item = (char *)list->items + list->count++ * size;
	memset(item, 0, size);
	return item;
}

void tl_list_free(struct tl_list *list, tl_size size)
{
	tl_release(tl_storage(), list->items, list->capacity * size);
	*list = (struct tl_list){0};
}

static tl_u64 mix(tl_u64 value)
{
	value = (value ^ value >> 32) * 0x9e3779b97f4a7c15;
	return value ^ value >> 29;
}

/* Makes room for one more; `rehash` puts the slots of the old table into the new one. */
static bool make_room(struct tl_slots *table, tl_size slot,
		      void (*rehash)(struct tl_slots *to, const void *from, tl_size count))
{
	struct tl_slots grown = {.size = table->size != 0 ? table->size * 2 : 1024};

	if (table->size != 0 && table->used < table->size / 2)
		return true;
	grown.slots = tl_allocate(tl_storage(), grown.size * slot);
	if (grown.slots == NULL)
		return false;
	grown.used = table->used;
	if (table->size != 0)
		rehash(&grown, table->slots, table->size);
	tl_release(tl_storage(), table->slots, table->size * slot);
	*table = grown;
	return true;
}

/* ============================================================ names ============================================== */

/*
 * A name is known by a key, so that a string need not be looked at to see that it was there before: an offset of
 * .debug_str, or all characters of a short inline string. Those of one worker need not differ as strings; merging sees
 * to that.
 */
#define KEY_COMMON (1ull << 60)
#define KEY_SHORT (8ull << 60)
#define KEY_LONG (15ull << 60) /* with a hash: the strings have to be compared */

struct name_slot {
	tl_u64 key;
	tl_u64 number; /* + 1 */
};

static void rehash_names(struct tl_slots *to, const void *from, tl_size count)
{
	const struct name_slot *old = from;
	struct name_slot *slots = to->slots;

	for (tl_size i = 0; i < count; i++) {
		tl_u64 at = mix(old[i].key);

		if (old[i].number == 0)
			continue;
		while (slots[at & (to->size - 1)].number != 0)
			at++;
		slots[at & (to->size - 1)] = old[i];
	}
}

tl_u32 tl_worker_name(struct tl_worker *worker, tl_u64 key, const char *text, tl_size length)
{
	struct tl_raw_name *names = worker->names.items, *name;
	struct name_slot *slot;

	if (!make_room(&worker->name_slots, sizeof(*slot), rehash_names) || length > TL_U32_MAX ||
	    worker->names.count >= TL_U32_MAX)
		return TL_U32_MAX;
	for (tl_u64 at = mix(key);; at++) {
		slot = (struct name_slot *)worker->name_slots.slots + (at & (worker->name_slots.size - 1));
		if (slot->number == 0)
			break;
		if (slot->key == key && (key < KEY_LONG || (names[slot->number - 1].length == length &&
							    memcmp(names[slot->number - 1].text, text, length) == 0)))
			return (tl_u32)slot->number - 1;
	}
	name = tl_list_add(&worker->names, sizeof(*name));
	if (name == NULL)
		return TL_U32_MAX;
	name->key = key;
	name->text = text;
	name->length = (tl_u32)length;
	name->hash = tl_index_hash(text, length);
	slot->key = key;
	slot->number = worker->names.count;
	worker->name_slots.used++;
	return (tl_u32)slot->number - 1;
}

static tl_u64 text_key(const char *text, tl_size length)
{
	tl_u64 hash = 0;

	if (length <= 7)
		return KEY_SHORT | tl_load_little(text, length);
	for (tl_size i = 0; i < length; i++)
		hash = (hash ^ (tl_u8)text[i]) * 0x100000001b3;
	return KEY_LONG | mix(hash) >> 4;
}

static tl_u64 name_key(const struct scan *scan, const struct die *die)
{
	if (die->text != NULL)
		return text_key(die->text, die->text_size);
	return die->value[FIELD_NAME] | (scan->unit->common ? KEY_COMMON : 0);
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

/* ============================================================ what was seen ====================================== */

/* What tells types and enumerators apart that units have in common. */
struct seen_slot {
	tl_u64 name; /* key */
	tl_u32 line, size, scope;
	tl_u16 tag;
	tl_u16 used;
};

static tl_u64 seen_hash(const struct seen_slot *slot)
{
	return mix(slot->name + ((tl_u64)slot->line << 40) + ((tl_u64)slot->size << 20) +
		   ((tl_u64)slot->tag << 8) * 0x100000001b3 + (tl_u64)slot->scope * 0xff51afd7ed558ccd);
}

static void rehash_seen(struct tl_slots *to, const void *from, tl_size count)
{
	const struct seen_slot *old = from;
	struct seen_slot *slots = to->slots;

	for (tl_size i = 0; i < count; i++) {
		tl_u64 at = seen_hash(&old[i]);

		if (old[i].used == 0)
			continue;
		while (slots[at & (to->size - 1)].used != 0)
			at++;
		slots[at & (to->size - 1)] = old[i];
	}
}

/* True when something like this was seen before; notes it otherwise. */
static bool was_seen(struct tl_worker *worker, const struct seen_slot *wanted)
{
	struct seen_slot *slot;

	if (!make_room(&worker->seen, sizeof(*slot), rehash_seen)) {
		worker->failed = true;
		return true;
	}
	for (tl_u64 at = seen_hash(wanted);; at++) {
		slot = (struct seen_slot *)worker->seen.slots + (at & (worker->seen.size - 1));
		if (slot->used == 0)
			break;
		if (slot->name == wanted->name && slot->line == wanted->line && slot->size == wanted->size &&
		    slot->scope == wanted->scope && slot->tag == wanted->tag)
			return true;
	}
	*slot = *wanted;
	slot->used = 1;
	worker->seen.used++;
	return false;
}

struct scope_slot {
	tl_u32 name, parent;
	tl_u64 number; /* 0 for an empty slot: scope 0 is not in the table */
};

static void rehash_scopes(struct tl_slots *to, const void *from, tl_size count)
{
	const struct scope_slot *old = from;
	struct scope_slot *slots = to->slots;

	for (tl_size i = 0; i < count; i++) {
		tl_u64 at = mix((tl_u64)old[i].parent << 32 | old[i].name);

		if (old[i].number == 0)
			continue;
		while (slots[at & (to->size - 1)].number != 0)
			at++;
		slots[at & (to->size - 1)] = old[i];
	}
}

/* The worker's number of a scope inside another. */
static tl_u32 enter_scope(struct tl_worker *worker, tl_u32 name, tl_u32 parent, bool transparent)
{
	struct tl_raw_scope *scope;
	struct scope_slot *slot;

	if (name == TL_U32_MAX)
		return parent;
	if ((worker->scopes.count == 0 && tl_list_add(&worker->scopes, sizeof(*scope)) == NULL) ||
	    !make_room(&worker->scope_slots, sizeof(*slot), rehash_scopes)) {
		worker->failed = true;
		return parent;
	}
	for (tl_u64 at = mix((tl_u64)parent << 32 | name);; at++) {
		slot = (struct scope_slot *)worker->scope_slots.slots + (at & (worker->scope_slots.size - 1));
		if (slot->number == 0)
			break;
		if (slot->name == name && slot->parent == parent)
			return (tl_u32)slot->number;
	}
	scope = tl_list_add(&worker->scopes, sizeof(*scope));
	if (scope == NULL) {
		worker->failed = true;
		return parent;
	}
	*scope = (struct tl_raw_scope){.name = name, .parent = parent, .transparent = transparent};
	*slot = (struct scope_slot){name, parent, worker->scopes.count - 1};
	worker->scope_slots.used++;
	return (tl_u32)slot->number;
}

/* ============================================================ plans ============================================== */

static enum action action_of(tl_u16 tag)
{
	switch (tag) {
	case DW_TAG_subprogram:
		return ACTION_FUNCTION;
	case DW_TAG_variable:
	case DW_TAG_constant:
		return ACTION_VARIABLE;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_typedef:
	case DW_TAG_base_type:
	case DW_TAG_unspecified_type:
	case DW_TAG_interface_type:
	case DW_TAG_subrange_type:
	case DW_TAG_set_type:
	case DW_TAG_string_type:
		return ACTION_TYPE;
	case DW_TAG_namespace:
	case DW_TAG_module:
		return ACTION_NAMESPACE;
	case DW_TAG_enumerator:
		return ACTION_ENUMERATOR;
	case DW_TAG_member: /* a static one is what a variable completes */
		return ACTION_MEMBER;
	default:
		return ACTION_SKIP;
	}
}

/* The field that an attribute is for an entry about which something is done; FIELD_MAX for none. */
static enum field field_of(const struct plan *plan, tl_u16 name)
{
	if (name == DW_AT_sibling)
		return plan->has_children ? FIELD_SIBLING : FIELD_MAX;
	if (plan->action == ACTION_SKIP)
		return FIELD_MAX;
	switch (name) {
	case DW_AT_name:
		return FIELD_NAME;
	case DW_AT_decl_line:
		return plan->action == ACTION_TYPE ? FIELD_LINE : FIELD_MAX;
	case DW_AT_byte_size:
		return plan->action == ACTION_TYPE ? FIELD_SIZE : FIELD_MAX;
	case DW_AT_specification:
		return FIELD_SPECIFICATION;
	case DW_AT_abstract_origin:
		return FIELD_ORIGIN;
	case DW_AT_inline:
		return FIELD_INLINE;
	case DW_AT_declaration:
		return FIELD_DECLARATION;
	case DW_AT_external:
		return FIELD_EXTERNAL;
	default:
		return FIELD_MAX;
	}
}

static struct step skip_step(const struct tl_unit *unit, tl_u16 form)
{
	int size = tl_form_size(unit, form);

	if (size >= 0)
		return (struct step){STEP_SKIP, FIELD_MAX, (tl_u16)size};
	switch (form) {
	case DW_FORM_udata:
	case DW_FORM_sdata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
		return (struct step){STEP_SKIP_LEB, FIELD_MAX, 0};
	case DW_FORM_string:
		return (struct step){STEP_SKIP_TEXT, FIELD_MAX, 0};
	case DW_FORM_exprloc:
	case DW_FORM_block:
		return (struct step){STEP_SKIP_BLOCK, FIELD_MAX, 0};
	case DW_FORM_block1:
		return (struct step){STEP_SKIP_BLOCK1, FIELD_MAX, 0};
	default:
		return (struct step){STEP_SKIP_FORM, FIELD_MAX, form};
	}
}

/* How a wanted attribute is read. False when there is nothing to read: its presence or its abbreviation says it. */
static bool read_step(const struct tl_unit *unit, struct plan *plan, const struct tl_specification *specification,
		      tl_u32 number, enum field field, struct step *step_ret)
{
	enum step_kind kind = STEP_OTHER;

	switch (specification->form) {
	case DW_FORM_flag_present:
		plan->declaration |= field == FIELD_DECLARATION;
		plan->flags |= field == FIELD_EXTERNAL ? TL_INDEX_EXTERNAL : 0;
		return false;
	case DW_FORM_implicit_const:
		if (field == FIELD_LINE)
			plan->constant_line = (tl_u64)specification->constant;
		if (field == FIELD_SIZE)
			plan->constant_size = (tl_u64)specification->constant;
		if (field == FIELD_INLINE)
			plan->constant_inline = (tl_u64)specification->constant;
		return false;
	case DW_FORM_data1:
	case DW_FORM_flag:
		kind = STEP_1;
		break;
	case DW_FORM_data2:
		kind = STEP_2;
		break;
	case DW_FORM_data4:
		kind = STEP_4;
		break;
	case DW_FORM_udata:
		kind = STEP_LEB;
		break;
	case DW_FORM_ref4:
		kind = STEP_REFERENCE_4;
		break;
	case DW_FORM_string:
		kind = STEP_TEXT;
		break;
	case DW_FORM_strp:
		if (unit->offset_size == 4)
			kind = STEP_4;
		break;
	default:
		break;
	}
	plan->mask |= (tl_u16)HAS(field);
	*step_ret = (struct step){(tl_u8)kind, (tl_u8)field, (tl_u16)number};
	return true;
}

static bool add_step(struct tl_worker *worker, const struct plan *plan, struct step step)
{
	struct step *steps = worker->steps.items, *added;

	if (step.kind == STEP_SKIP && step.argument == 0)
		return true;
	/* Two of known size become one. */
	if (step.kind == STEP_SKIP && worker->steps.count > plan->first_step &&
	    steps[worker->steps.count - 1].kind == STEP_SKIP && steps[worker->steps.count - 1].argument < 0x8000) {
		steps[worker->steps.count - 1].argument =
			(tl_u16)(steps[worker->steps.count - 1].argument + step.argument);
		return true;
	}
	added = tl_list_add(&worker->steps, sizeof(*added));
	if (added != NULL)
		*added = step;
	return added != NULL;
}

static void note_presence(struct plan *plan, tl_u16 name)
{
	switch (name) {
	case DW_AT_low_pc:
	case DW_AT_ranges:
		plan->flags |= plan->action == ACTION_FUNCTION ? TL_INDEX_HAS_CODE : 0;
		break;
	case DW_AT_location:
	case DW_AT_const_value:
		plan->flags |= plan->action == ACTION_VARIABLE ? TL_INDEX_HAS_VALUE : 0;
		break;
	case DW_AT_enum_class:
	case DW_AT_export_symbols:
		plan->special = true;
		break;
	default:
		break;
	}
}

static bool make_plan(struct scan *scan, const struct tl_abbreviation *abbreviation)
{
	struct tl_worker *worker = scan->worker;
	struct plan plan = {.action = (tl_u8)action_of(abbreviation->tag),
			    .has_children = abbreviation->has_children,
			    .tag = abbreviation->tag,
			    .first_step = (tl_u32)worker->steps.count};
	struct plan *added;

	for (tl_u32 i = 0; i < abbreviation->count; i++) {
		const struct tl_specification *specification = &abbreviation->specifications[i];
		enum field field = i <= 0xffff ? field_of(&plan, specification->name) : FIELD_MAX;
		struct step step;

		note_presence(&plan, specification->name);
		if (field == FIELD_MAX || !read_step(scan->unit, &plan, specification, i, field, &step))
			step = skip_step(scan->unit, specification->form);
		if (!add_step(worker, &plan, step))
			return false;
	}
	plan.step_count = (tl_u32)worker->steps.count - plan.first_step;
	added = tl_list_add(&worker->plans, sizeof(*added));
	if (added != NULL)
		*added = plan;
	return added != NULL;
}

/* Gets the unit's table of abbreviations and makes plans of it, unless the last unit had the same. */
static bool make_plans(struct scan *scan, const struct tl_section_bytes *section)
{
	struct tl_worker *worker = scan->worker;
	enum tl_status status;

	worker->plans.count = 0;
	worker->steps.count = 0;
	status = tl_abbreviations_read(&worker->abbreviations, section, scan->unit->abbreviations, 0, NULL);
	if (status == TL_ERROR_NO_MEMORY)
		return false;
	/* Units take tables in turn, which costs reading each again; in a hostile file that would have no end. */
	if (atomic_fetch_add(&worker->builder->passed, worker->abbreviations.passed) > worker->builder->passed_max)
		worker->abbreviations.count = 0;
	if (status != TL_OK)
		return true; /* a unit without abbreviations has no entries that can be read */
	for (tl_size i = 0; i < worker->abbreviations.count; i++)
		if (!make_plan(scan, &worker->abbreviations.list[i]))
			return false;
	return true;
}

/* ============================================================ entries ============================================ */

static tl_u64 position(const struct scan *scan, const struct tl_cursor *cursor)
{
	return (tl_u64)(cursor->at - scan->base);
}

/* Takes the value of an attribute whose form is none of the frequent ones. */
static void read_other(struct scan *scan, struct tl_cursor *cursor, struct die *die, const struct step *step)
{
	const struct plan *plans = scan->worker->plans.items;
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
	const struct step *steps = scan->worker->steps.items;

	for (tl_u32 i = 0; i < die->plan->step_count; i++) {
		const struct step *step = &steps[die->plan->first_step + i];

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
	const struct plan *plans = scan->worker->plans.items;
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
	struct die below;
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
 * The scope of an entry that lies in a class which was passed over, because an earlier unit had the same: its classes
 * are entered down to the one that holds it.
 */
static tl_u32 descend(struct scan *scan, const struct container *container, tl_u64 target)
{
	struct tl_cursor cursor = scan->cursor;
	tl_u32 scope = container->scope;
	struct die die;

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
			scope = enter_scope(scan->worker, intern(scan, &die), scope, false);
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
static struct seen_slot identify(struct scan *scan, const struct die *die, tl_u32 scope)
{
	return (struct seen_slot){.name = (die->mask & HAS(FIELD_NAME)) != 0 ? name_key(scan, die) : 0,
				  .line = (tl_u32)((die->mask & HAS(FIELD_LINE)) != 0 ? die->value[FIELD_LINE]
										      : die->plan->constant_line),
				  .size = (tl_u32)((die->mask & HAS(FIELD_SIZE)) != 0 ? die->value[FIELD_SIZE]
										      : die->plan->constant_size),
				  .scope = scope,
				  .tag = die->plan->tag};
}

/* Adds a type, an enumerator or a namespace unless it was seen; says whether it was not. */
static bool add_shared(struct scan *scan, const struct die *die, const struct seen_slot *identity, unsigned kind,
		       tl_u32 *name_ret)
{
	struct tl_index_entry entry = make_entry(scan, die, kind, identity->scope);

	if ((die->mask & HAS(FIELD_NAME)) == 0 || was_seen(scan->worker, identity))
		return false;
	*name_ret = intern(scan, die);
	add(scan, *name_ret, &entry, identity->line, identity->size);
	return true;
}

static void scan_enumerators(struct scan *scan, const struct seen_slot *of, tl_u32 scope)
{
	struct die die;

	while (!scan->worker->failed && read_die(scan, &scan->cursor, &die) && die.plan != NULL) {
		if (die.plan->action == ACTION_ENUMERATOR && (die.mask & HAS(FIELD_NAME)) != 0) {
			struct seen_slot identity = {.name = name_key(scan, &die),
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
	struct seen_slot identity = identify(scan, die, scope);
	bool named = (die->mask & HAS(FIELD_NAME)) != 0;
	tl_u32 name = TL_U32_MAX;

	if (!named)
		name = tl_worker_name(scan->worker, text_key(anonymous, sizeof(anonymous) - 1), anonymous,
				      sizeof(anonymous) - 1);
	else if (!add_shared(scan, die, &identity, TL_INDEX_NAMESPACE, &name))
		name = intern(scan, die);
	if (!die->plan->has_children)
		return;
	scan_inside(scan, die, enter_scope(scan->worker, name, scope, !named || die->plan->special), true, depth);
}

static void scan_type(struct scan *scan, const struct die *die, tl_u32 scope, unsigned depth)
{
	struct seen_slot identity = identify(scan, die, scope);
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
			scope = enter_scope(scan->worker, name, scope, false);
		scan_enumerators(scan, &identity, scope);
		return;
	}
	if (!scan->scoped) {
		skip_children(scan, &scan->cursor, die);
		return;
	}
	if (named)
		scope = enter_scope(scan->worker, added ? name : intern(scan, die), scope, false);
	scan_inside(scan, die, scope, added, depth);
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
	const struct plan *plans = scan->worker->plans.items;
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
	struct die die;

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

/* In C nothing stands in the scope of a structure. What is not known may be C++. */
static bool has_scopes(const struct tl_unit *unit)
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

static bool same_plans(const struct tl_worker *worker, const struct tl_unit *unit, const struct tl_unit *last)
{
	return worker->abbreviations_valid && last != NULL && last->common == unit->common &&
	       last->abbreviations == unit->abbreviations && last->version == unit->version &&
	       last->address_size == unit->address_size && last->offset_size == unit->offset_size;
}

bool tl_worker_scan(struct tl_worker *worker, tl_u32 unit_index)
{
	const struct tl_unit *unit = tl_dwarf_unit(worker->builder->dwarf, unit_index);
	struct tl_image *image = tl_dwarf_image(worker->builder->dwarf);
	enum tl_status (*section)(struct tl_image *, enum tl_section, struct tl_section_bytes *, struct tl_error *) =
		unit->common ? tl_image_common_section : tl_image_section;
	struct scan scan = {.worker = worker, .unit = unit, .unit_index = unit_index, .scoped = has_scopes(unit)};
	struct tl_section_bytes bytes, abbreviations;
	tl_size ranges = worker->ranges.count;
	struct die top;

	if (section(image, (enum tl_section)unit->section, &bytes, NULL) != TL_OK ||
	    section(image, TL_SECTION_ABBREV, &abbreviations, NULL) != TL_OK ||
	    section(image, TL_SECTION_STR, &scan.strings, NULL) != TL_OK)
		return true;
	if (!same_plans(worker, unit, worker->last_unit) && !make_plans(&scan, &abbreviations)) {
		worker->failed = true;
		return false;
	}
	worker->abbreviations_valid = true;
	worker->last_unit = unit;
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

/* ============================================================ names in other units ============================== */

static int by_target(const void *a, const void *b)
{
	const struct tl_raw_foreign *x = a, *y = b;

	if (x->common != y->common)
		return x->common ? 1 : -1;
	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return x->entry.offset < y->entry.offset ? -1 : x->entry.offset > y->entry.offset;
}

/* A walk over the scopes of one unit, forward only: what is sought is sorted. */
struct lineage {
	const struct tl_unit *unit;
	struct tl_entry at[DEPTH_MAX]; /* of each level the entry that is not passed yet */
	tl_u32 scope[DEPTH_MAX];
	unsigned depth;
};

static tl_u32 enter_entry(struct tl_worker *worker, const struct tl_entry *entry, tl_u32 parent)
{
	struct tl_attribute name;
	tl_size length;
	tl_u32 number;

	if (tl_entry_attribute(entry, DW_AT_name, &name, NULL) != TL_OK || name.kind != TL_CLASS_STRING)
		return parent;
	length = strlen(name.text);
	number = tl_worker_name(worker, text_key(name.text, length), name.text, length);
	worker->failed |= number == TL_U32_MAX;
	return enter_scope(worker, number, parent, false);
}

/* The scope of the entry at `target`, which is not before that of the last call with the same unit. */
static tl_u32 find_lineage(struct tl_worker *worker, struct lineage *lineage, const struct tl_unit *unit, tl_u64 target)
{
	if (lineage->unit != unit) {
		*lineage = (struct lineage){.unit = unit};
		if (tl_entry_top(unit, &lineage->at[0], NULL) != TL_OK ||
		    tl_entry_child(&lineage->at[0], &lineage->at[0], NULL) != TL_OK)
			lineage->at[0].tag = 0;
	}
	for (;;) {
		struct tl_entry *at = &lineage->at[lineage->depth], next;
		tl_u32 scope = lineage->scope[lineage->depth];

		if (at->tag == 0 && lineage->depth != 0) {
			lineage->depth--;
			continue;
		}
		if (at->tag == 0 || at->offset >= target || tl_entry_sibling(at, &next, NULL) != TL_OK)
			return scope;
		if (next.offset > target && at->has_children && lineage->depth + 1 < DEPTH_MAX &&
		    (action_of(at->tag) == ACTION_TYPE || action_of(at->tag) == ACTION_NAMESPACE)) {
			struct tl_entry inside = *at;

			*at = next;
			lineage->depth++;
			lineage->scope[lineage->depth] = enter_entry(worker, &inside, scope);
			if (tl_entry_child(&inside, &lineage->at[lineage->depth], NULL) != TL_OK)
				lineage->at[lineage->depth].tag = 0;
		} else if (next.offset > target) {
			return scope;
		} else {
			*at = next;
		}
	}
}

/* Goes to the end of the chain that begins at the target: to what has a name of its own and completes nothing. */
static enum tl_status find_end(struct tl_worker *worker, struct tl_raw_foreign *foreign)
{
	const struct tl_unit *unit = tl_dwarf_unit_at(worker->builder->dwarf, foreign->target, foreign->common);
	struct tl_attribute name, link;
	struct tl_entry entry;

	if (unit == NULL)
		return TL_ERROR_MALFORMED;
	TL_TRY(tl_entry_at(unit, foreign->target, &entry, NULL));
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		TL_TRY(tl_entry_attribute(&entry, DW_AT_name, &name, NULL));
		TL_TRY(tl_entry_attribute(&entry, DW_AT_specification, &link, NULL));
		if (link.kind == TL_CLASS_NONE && name.kind == TL_CLASS_NONE)
			TL_TRY(tl_entry_attribute(&entry, DW_AT_abstract_origin, &link, NULL));
		if (link.kind == TL_CLASS_NONE)
			break;
		TL_TRY(tl_entry_follow(&link, &entry, NULL));
	}
	foreign->target = entry.offset;
	foreign->common = entry.unit->common;
	foreign->types = entry.unit->section == TL_SECTION_TYPES;
	return TL_OK;
}

/* The name and the scope of an entry at the end of a chain. */
static enum tl_status read_foreign(struct tl_worker *worker, struct lineage *lineage,
				   const struct tl_raw_foreign *foreign, struct tl_attribute *name, tl_u32 *scope_ret)
{
	const struct tl_unit *unit =
		foreign->types ? NULL : tl_dwarf_unit_at(worker->builder->dwarf, foreign->target, foreign->common);
	struct tl_entry entry;

	if (unit == NULL)
		return TL_ERROR_MALFORMED;
	TL_TRY(tl_entry_at(unit, foreign->target, &entry, NULL));
	TL_TRY(tl_entry_attribute(&entry, DW_AT_name, name, NULL));
	*scope_ret = has_scopes(unit) ? find_lineage(worker, lineage, unit, foreign->target) : 0;
	return TL_OK;
}

/* Gives an entry the name and the scope of what it completes in another unit. */
static void resolve(struct tl_worker *worker, struct lineage *lineage, const struct tl_raw_foreign *foreign)
{
	struct tl_index_entry entry = foreign->entry;
	struct tl_raw_entry *added = NULL;
	struct tl_attribute name = {.kind = TL_CLASS_NONE};
	enum tl_status status = read_foreign(worker, lineage, foreign, &name, &entry.scope);
	tl_size length;
	tl_u32 number;

	worker->failed |= status == TL_ERROR_NO_MEMORY;
	if (status != TL_OK || name.kind != TL_CLASS_STRING || name.text[0] == 0)
		return;
	length = strlen(name.text);
	number = tl_worker_name(worker, text_key(name.text, length), name.text, length);
	if (number != TL_U32_MAX)
		added = tl_list_add(&worker->entries, sizeof(*added));
	if (added == NULL)
		worker->failed = true;
	else
		*added = (struct tl_raw_entry){.worker_name = number, .entry = entry};
}

bool tl_worker_resolve(struct tl_worker *worker)
{
	struct tl_raw_foreign *foreign = worker->foreign.items;
	struct lineage lineage = {.unit = NULL};
	tl_size kept = 0;

	for (tl_size i = 0; i < worker->foreign.count; i++) {
		enum tl_status status = find_end(worker, &foreign[i]);

		worker->failed |= status == TL_ERROR_NO_MEMORY;
		if (status == TL_OK)
			foreign[kept++] = foreign[i];
	}
	if (kept != 0)
		qsort(foreign, kept, sizeof(*foreign), by_target);
	for (tl_size i = 0; i < kept && !worker->failed; i++)
		resolve(worker, &lineage, &foreign[i]);
	return !worker->failed;
}

void tl_worker_free(struct tl_worker *worker)
{
	tl_list_free(&worker->names, sizeof(struct tl_raw_name));
	tl_list_free(&worker->entries, sizeof(struct tl_raw_entry));
	tl_list_free(&worker->scopes, sizeof(struct tl_raw_scope));
	tl_list_free(&worker->foreign, sizeof(struct tl_raw_foreign));
	tl_list_free(&worker->ranges, sizeof(struct tl_index_range));
	tl_list_free(&worker->plans, sizeof(struct plan));
	tl_list_free(&worker->steps, sizeof(struct step));
	tl_list_free(&worker->containers, sizeof(struct container));
	tl_list_free(&worker->later, sizeof(struct later));
	tl_release(tl_storage(), worker->name_slots.slots, worker->name_slots.size * sizeof(struct name_slot));
	tl_release(tl_storage(), worker->seen.slots, worker->seen.size * sizeof(struct seen_slot));
	tl_release(tl_storage(), worker->scope_slots.slots, worker->scope_slots.size * sizeof(struct scope_slot));
	tl_abbreviations_free(&worker->abbreviations);
}
