#include "symbols/index_plan.h"

enum action tl_action_of(tl_u16 tag)
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
static enum field field_of(const struct tl_plan *plan, tl_u16 name)
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

static struct tl_step skip_step(const struct tl_unit *unit, tl_u16 form)
{
	int size = tl_form_size(unit, form);

	if (size >= 0)
		return (struct tl_step){STEP_SKIP, FIELD_MAX, (tl_u16)size};
	switch (form) {
	case DW_FORM_udata:
	case DW_FORM_sdata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
		return (struct tl_step){STEP_SKIP_LEB, FIELD_MAX, 0};
	case DW_FORM_string:
		return (struct tl_step){STEP_SKIP_TEXT, FIELD_MAX, 0};
	case DW_FORM_exprloc:
	case DW_FORM_block:
		return (struct tl_step){STEP_SKIP_BLOCK, FIELD_MAX, 0};
	case DW_FORM_block1:
		return (struct tl_step){STEP_SKIP_BLOCK1, FIELD_MAX, 0};
	default:
		return (struct tl_step){STEP_SKIP_FORM, FIELD_MAX, form};
	}
}

/* How a wanted attribute is read. False when there is nothing to read: its presence or its abbreviation says it. */
static bool read_step(const struct tl_unit *unit, struct tl_plan *plan, const struct tl_specification *specification,
		      tl_u32 number, enum field field, struct tl_step *step_ret)
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
	*step_ret = (struct tl_step){(tl_u8)kind, (tl_u8)field, (tl_u16)number};
	return true;
}

static bool add_step(struct tl_worker *worker, const struct tl_plan *plan, struct tl_step step)
{
	struct tl_step *steps = worker->steps.items, *added;

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

static void note_presence(struct tl_plan *plan, tl_u16 name)
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

static bool make_plan(struct tl_worker *worker, const struct tl_unit *unit, const struct tl_abbreviation *abbreviation)
{
	struct tl_plan plan = {.action = (tl_u8)tl_action_of(abbreviation->tag),
			       .has_children = abbreviation->has_children,
			       .tag = abbreviation->tag,
			       .first_step = (tl_u32)worker->steps.count};
	struct tl_plan *added;

	for (tl_u32 i = 0; i < abbreviation->count; i++) {
		const struct tl_specification *specification = &abbreviation->specifications[i];
		enum field field = i <= 0xffff ? field_of(&plan, specification->name) : FIELD_MAX;
		struct tl_step step;

		note_presence(&plan, specification->name);
		if (field == FIELD_MAX || !read_step(unit, &plan, specification, i, field, &step))
			step = skip_step(unit, specification->form);
		if (!add_step(worker, &plan, step))
			return false;
	}
	plan.step_count = (tl_u32)worker->steps.count - plan.first_step;
	added = tl_list_add(&worker->plans, sizeof(*added));
	if (added != NULL)
		*added = plan;
	return added != NULL;
}

static bool is_same(const struct tl_unit *unit, const struct tl_unit *last)
{
	return last != NULL && last->common == unit->common && last->abbreviations == unit->abbreviations &&
	       last->version == unit->version && last->address_size == unit->address_size &&
	       last->offset_size == unit->offset_size;
}

bool tl_worker_plan(struct tl_worker *worker, const struct tl_unit *unit, const struct tl_section_bytes *section)
{
	enum tl_status status;

	if (is_same(unit, worker->last_unit))
		return true;
	worker->last_unit = NULL;
	worker->plans.count = 0;
	worker->steps.count = 0;
	status = tl_abbreviations_read(&worker->abbreviations, section, unit->abbreviations, 0, NULL);
	if (status == TL_ERROR_NO_MEMORY)
		return false;
	/* Units take tables in turn, which costs reading each again; in a hostile file that would have no end. */
	if (atomic_fetch_add(&worker->builder->passed, worker->abbreviations.passed) > worker->builder->passed_max)
		worker->abbreviations.count = 0;
	for (tl_size i = 0; i < worker->abbreviations.count; i++)
		if (!make_plan(worker, unit, &worker->abbreviations.list[i]))
			return false;
	worker->last_unit = unit;
	return true;
}

void tl_worker_free_plans(struct tl_worker *worker)
{
	tl_list_free(&worker->plans, sizeof(struct tl_plan));
	tl_list_free(&worker->steps, sizeof(struct tl_step));
	tl_abbreviations_free(&worker->abbreviations);
}
