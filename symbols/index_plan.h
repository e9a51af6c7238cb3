/*
 * Plans: for each abbreviation of a table the few attributes that the index wants, and how many bytes to pass over
 * between them.
 */
#ifndef TL_SYMBOLS_INDEX_PLAN_H
#define TL_SYMBOLS_INDEX_PLAN_H

#include "symbols/index_internal.h"

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

struct tl_step {
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

struct tl_plan {
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

/* What is done about entries with this tag. */
enum action tl_action_of(tl_u16 tag);

/*
 * Reads a unit's table of abbreviations and makes a plan of each, in the worker's lists; nothing is done when the last
 * unit had the same. A damaged table has no abbreviations. False without storage.
 */
bool tl_worker_plan(struct tl_worker *worker, const struct tl_unit *unit, const struct tl_section_bytes *section);

/* Gives the plans back. */
void tl_worker_free_plans(struct tl_worker *worker);

#endif
