/* Names and frame bases of functions, and the calls in them. */
#include "symbols/bytes.h"
#include "symbols/dwarf_constants.h"
#include "symbols/scope.h"
#include "symbols/type_text.h"

#define DEPTH_MAX 1024

static void write(void *context, const char *text)
{
	tl_type_write_canonical(text, context);
}

enum tl_status tl_scope_write_name(struct tl_types *types, const struct tl_entry *function, bool parameters,
				   struct tl_output *output, struct tl_error *error)
{
	struct tl_attribute name, linkage;
	const struct tl_type *type;

	TL_TRY(tl_entry_inherited(function, DW_AT_name, &name, error));
	if (name.kind == TL_CLASS_STRING) {
		TL_TRY(tl_tree_scope(tl_types_tree(types), function, write, output, error));
		tl_type_write_canonical(name.text, output);
		/* What is not mangled cannot be overloaded. */
		TL_TRY(tl_entry_inherited(function, DW_AT_linkage_name, &linkage, error));
		if (parameters && linkage.kind == TL_CLASS_STRING && tl_tree_has_scopes(function->unit)) {
			TL_TRY(tl_type_at(types, function, &type, error));
			TL_TRY(tl_type_write_parameters(type, output, error));
		}
	}
	return tl_output_status(output, error);
}

static enum tl_status text_of(const struct tl_entry *entry, tl_u16 name, const char **text_ret, struct tl_error *error)
{
	struct tl_attribute attribute;

	TL_TRY(tl_entry_inherited(entry, name, &attribute, error));
	*text_ret = attribute.kind == TL_CLASS_STRING ? attribute.text : NULL;
	return TL_OK;
}

enum tl_status tl_scope_linker_name(const struct tl_entry *entry, const char **name_ret, struct tl_error *error)
{
	TL_TRY(text_of(entry, DW_AT_linkage_name, name_ret, error));
	return *name_ret != NULL ? TL_OK : text_of(entry, DW_AT_name, name_ret, error);
}

/* The expression of a location that holds an address. */
struct wanted {
	tl_u64 address;
	const tl_u8 *bytes;
	tl_size size;
};

static bool take(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes, tl_size size)
{
	struct wanted *wanted = context;

	if (wanted->address < start || (wanted->address >= end && end != TL_U64_MAX))
		return true;
	wanted->bytes = bytes;
	wanted->size = size;
	return false;
}

enum tl_status tl_scope_frame_base(const struct tl_entry *function, tl_u64 address, const tl_u8 **bytes_ret,
				   tl_size *size_ret, struct tl_error *error)
{
	struct wanted wanted = {.address = address};
	struct tl_attribute base;

	TL_TRY(tl_entry_attribute(function, DW_AT_frame_base, &base, error));
	if (base.kind != TL_CLASS_NONE)
		TL_TRY(tl_entry_locations(&base, take, &wanted, error));
	*bytes_ret = wanted.bytes;
	*size_ret = wanted.size;
	return TL_OK;
}

enum tl_status tl_scope_tells_tail_calls(const struct tl_entry *function, bool *tells_ret, struct tl_error *error)
{
	static const tl_u16 promises[] = {DW_AT_call_all_calls, DW_AT_call_all_tail_calls, DW_AT_GNU_all_call_sites,
					  DW_AT_GNU_all_tail_call_sites};

	*tells_ret = false;
	for (tl_size i = 0; i < TL_COUNT(promises) && !*tells_ret; i++) {
		struct tl_attribute promise;

		TL_TRY(tl_entry_attribute(function, promises[i], &promise, error));
		*tells_ret = promise.kind == TL_CLASS_FLAG && promise.number != 0;
	}
	return TL_OK;
}

/* What one pass over the attributes of a call finds. */
struct facts {
	struct tl_attribute return_address, origin, target;
	bool tail;
};

static bool collect(void *context, const struct tl_attribute *attribute)
{
	struct facts *facts = context;

	switch (attribute->name) {
	case DW_AT_call_return_pc:
	case DW_AT_low_pc: /* of the GNU extension: the same */
		facts->return_address = *attribute;
		break;
	case DW_AT_call_origin:
	case DW_AT_abstract_origin:
		facts->origin = *attribute;
		break;
	case DW_AT_call_target:
	case DW_AT_GNU_call_site_target:
		facts->target = *attribute;
		break;
	case DW_AT_call_tail_call:
	case DW_AT_GNU_tail_call:
		facts->tail = attribute->number != 0;
		break;
	default:
		break;
	}
	return true;
}

static enum tl_status read_call(const struct tl_entry *entry, struct tl_call_site *site_ret, struct tl_error *error)
{
	struct tl_call_site site = {.entry = *entry};
	struct facts facts = {.tail = false};

	TL_TRY(tl_entry_attributes(entry, collect, &facts, error));
	site.return_address = facts.return_address.kind == TL_CLASS_ADDRESS ? facts.return_address.number : 0;
	site.tail = facts.tail;
	if (facts.origin.kind != TL_CLASS_NONE) {
		TL_TRY(tl_entry_follow(&facts.origin, &site.callee, error));
		site.has_callee = true;
	}
	if (facts.target.kind == TL_CLASS_EXPRESSION || facts.target.kind == TL_CLASS_BLOCK) {
		site.target = facts.target.bytes;
		site.target_size = facts.target.size;
	}
	*site_ret = site;
	return TL_OK;
}

enum tl_status tl_scope_calls(const struct tl_entry *function,
			      bool (*call)(void *context, const struct tl_call_site *site), void *context,
			      struct tl_error *error)
{
	struct tl_entry entry = *function;
	unsigned depth = 0;

	do {
		bool done = false;

		if (entry.tag == 0) {
			depth--;
		} else {
			if (entry.tag == DW_TAG_call_site || entry.tag == DW_TAG_GNU_call_site) {
				struct tl_call_site site;

				TL_TRY(read_call(&entry, &site, error));
				if (!call(context, &site))
					return TL_OK;
			}
			depth += entry.has_children;
		}
		if (depth == 0)
			return TL_OK;
		if (depth == DEPTH_MAX)
			return TL_FAIL(error, TL_ERROR_MALFORMED, "entries nest more than %d deep at entry 0x%llx",
				       DEPTH_MAX, (unsigned long long)entry.offset);
		TL_TRY(tl_entry_next(&entry, &entry, &done, error));
		if (done)
			return TL_OK;
	} while (true);
}

struct search {
	tl_u64 return_address;
	struct tl_call_site site;
	bool found;
};

static bool match(void *context, const struct tl_call_site *site)
{
	struct search *search = context;

	if (site->return_address != search->return_address)
		return true;
	search->site = *site;
	search->found = true;
	return false;
}

enum tl_status tl_scope_call_at(const struct tl_entry *function, tl_u64 return_address, struct tl_call_site *site_ret,
				bool *found_ret, struct tl_error *error)
{
	struct search search = {.return_address = return_address};

	TL_TRY(tl_scope_calls(function, match, &search, error));
	*found_ret = search.found;
	if (search.found)
		*site_ret = search.site;
	return TL_OK;
}

/* What one pass over the attributes of a call's parameter finds. */
struct parameter_facts {
	struct tl_call_parameter parameter;
	struct tl_attribute which; /* the parameter itself, DW_AT_call_parameter, or as GNU's extension has it */
};

static bool collect_parameter(void *context, const struct tl_attribute *attribute)
{
	struct parameter_facts *facts = context;
	struct tl_call_parameter *parameter = &facts->parameter;
	const bool expression = attribute->kind == TL_CLASS_EXPRESSION || attribute->kind == TL_CLASS_BLOCK;
	const tl_u8 *bytes = expression ? attribute->bytes : NULL;
	const tl_size size = expression ? attribute->size : 0;

	switch (attribute->name) {
	case DW_AT_location:
		parameter->location = bytes;
		parameter->location_size = size;
		break;
	case DW_AT_call_value:
	case DW_AT_GNU_call_site_value:
		parameter->value = bytes;
		parameter->value_size = size;
		break;
	case DW_AT_call_data_value:
	case DW_AT_GNU_call_site_data_value:
		parameter->data_value = bytes;
		parameter->data_value_size = size;
		break;
	case DW_AT_call_parameter:
	case DW_AT_abstract_origin:
		facts->which = *attribute;
		break;
	default:
		break;
	}
	return true;
}

static enum tl_status read_parameter(const struct tl_entry *entry, struct tl_call_parameter *parameter_ret,
				     struct tl_error *error)
{
	struct parameter_facts facts = {.parameter = {.location = NULL}};

	TL_TRY(tl_entry_attributes(entry, collect_parameter, &facts, error));
	facts.parameter.has_entry = facts.which.kind != TL_CLASS_NONE;
	if (facts.parameter.has_entry)
		TL_TRY(tl_entry_follow(&facts.which, &facts.parameter.entry, error));
	*parameter_ret = facts.parameter;
	return TL_OK;
}

enum tl_status tl_call_parameters(const struct tl_call_site *site,
				  bool (*call)(void *context, const struct tl_call_parameter *parameter), void *context,
				  struct tl_error *error)
{
	struct tl_entry child;
	bool more = true;

	TL_TRY(tl_entry_child(&site->entry, &child, error));
	while (child.tag != 0 && more) {
		if (child.tag == DW_TAG_call_site_parameter || child.tag == DW_TAG_GNU_call_site_parameter) {
			struct tl_call_parameter parameter;

			TL_TRY(read_parameter(&child, &parameter, error));
			more = call(context, &parameter);
		}
		TL_TRY(tl_entry_sibling(&child, &child, error));
	}
	return TL_OK;
}
