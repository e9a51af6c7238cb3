#include "debugger/values/print.h"

#include "debugger/values/classes.h"
#include "debugger/values/containers.h"
#include "debugger/values/print_internal.h"
#include "debugger/values/print_text.h"

#include <string.h>

#define ELEMENTS 200
#define REPEATS 10
#define DEPTH 20
/* Of one type. */
#define QUALIFIERS_MAX 16
/* References to references, arrays of arrays: no program's values nest so deep; those of damaged types may without end.
 */
#define NESTING_MAX 100

/* ---- Arrays ---- */

/* The same bytes are there, and the same are not. */
static bool same_bytes(const struct tl_value *a, const struct tl_value *b)
{
	if (a->size != b->size || a->bytes == NULL || b->bytes == NULL)
		return false;
	for (tl_u64 i = 0; i < a->size; i++) {
		const tl_u8 left = a->absent != NULL ? a->absent[i] : TL_ABSENT_NOT,
			    right = b->absent != NULL ? b->absent[i] : TL_ABSENT_NOT;

		/* Bits that are not there are zeros. */
		if (left != right ||
		    (left != TL_ABSENT_OPTIMISED && left != TL_ABSENT_POINTER && a->bytes[i] != b->bytes[i]))
			return false;
	}
	return true;
}

/* How many elements from `index` on are the same. */
static enum tl_status run_length(struct tl_printing *printing, const struct tl_value *array, tl_u64 index, tl_u64 count,
				 tl_i64 lower, tl_u64 *length_ret)
{
	struct tl_value first, next;

	*length_ret = 1;
	TL_TRY(tl_value_element(printing->context, array, lower + (tl_i64)index, &first, printing->error));
	while (index + *length_ret < count) {
		TL_TRY(tl_value_element(printing->context, array, lower + (tl_i64)(index + *length_ret), &next,
					printing->error));
		if (!same_bytes(&first, &next))
			break;
		++*length_ret;
	}
	return TL_OK;
}

static void begin_element(struct tl_printing *printing, bool first)
{
	if (!first)
		tl_output_text(printing->output, printing->options->lines ? "," : ", ");
	if (printing->options->lines) {
		tl_output_text(printing->output, "\n");
		tl_output_spaces(printing->output, printing->indent * 2);
	}
}

static enum tl_status print_elements(struct tl_printing *printing, const struct tl_value *array, tl_u64 count,
				     tl_i64 lower)
{
	tl_u64 shown = 0, index = 0;

	tl_output_text(printing->output, "{");
	printing->indent++;
	while (index < count && shown < printing->elements) {
		struct tl_value element;
		tl_u64 length;

		begin_element(printing, index == 0);
		if (printing->options->indexes)
			tl_output_format(printing->output, "[%lld] = ", (long long)lower + (long long)index);
		TL_TRY(run_length(printing, array, index, count, lower, &length));
		TL_TRY(tl_value_element(printing->context, array, lower + (tl_i64)index, &element, printing->error));
		TL_TRY(tl_print_part(printing, &element));
		if (length > printing->repeats) {
			tl_output_format(printing->output, " <repeats %llu times>", (unsigned long long)length);
			index += length;
			shown += printing->repeats;
		} else {
			index++;
			shown++;
		}
	}
	printing->indent--;
	tl_output_text(printing->output, index < count ? "..." : "");
	if (printing->options->lines)
		begin_element(printing, true);
	tl_output_text(printing->output, "}");
	return TL_OK;
}

static enum tl_status print_array(struct tl_printing *printing, struct tl_value *value, const struct tl_type *type)
{
	const struct tl_type *element;
	const struct tl_bound *bound;
	tl_u64 width, count, end;
	bool text;

	TL_TRY(tl_type_target(type, &element, printing->error));
	TL_TRY(tl_type_bound(type, &bound, printing->error));
	TL_TRY(tl_print_is_text(element, &text, &width, printing->error));
	count = bound->kind == TL_BOUND_CONSTANT ? bound->count : 0;
	/* What is not all there is no text: its bytes that are missing would pass for zeros. */
	if (!text || type->vector || tl_value_is_absent(value) ||
	    (printing->options->format != 0 && printing->options->format != 's')) {
		enum tl_status status;

		printing->vector = type->vector;
		status = print_elements(printing, value, count, bound->lower);
		printing->vector = false;
		return status;
	}
	count = width != 0 ? value->size / width : 0;
	if (printing->options->null_stop) {
		tl_u64 size = 0;

		while (size < count && size < printing->elements &&
		       tl_print_unit(value->bytes + size * width, width) != 0)
			size++;
		tl_print_string(printing->output, printing->options, tl_print_prefix(element, width, printing->error),
				value->bytes, width, size, size == printing->elements && size < count);
		return TL_OK;
	}
	end = tl_print_string_end(printing->options, value->bytes, width, count, printing->elements);
	/* One zero at the end goes without saying, unless more is left out. */
	if (end == count && count > 0 && tl_print_unit(value->bytes + (count - 1) * width, width) == 0)
		end--;
	tl_print_string(printing->output, printing->options, tl_print_prefix(element, width, printing->error),
			value->bytes, width, end, end + 1 < count);
	return TL_OK;
}

/* ---- Structs ---- */

static void begin_member(struct tl_printing *printing, bool first)
{
	if (!first)
		tl_output_text(printing->output, printing->options->pretty ? "," : ", ");
	if (printing->options->pretty) {
		tl_output_text(printing->output, "\n");
		tl_output_spaces(printing->output, printing->indent * 2);
	}
}

/* What leads to an object's table of virtual functions is an address in every format. */
static bool is_table_pointer(const struct tl_member *member)
{
	return member->kind == TL_MEMBER_FIELD && member->name != NULL && strncmp(member->name, "_vptr", 5) == 0 &&
	       (member->name[5] == '.' || member->name[5] == '$');
}

static enum tl_status print_plainly(struct tl_printing *printing, const struct tl_value *value)
{
	const struct tl_print_options *options = printing->options;
	struct tl_print_options plain = *options;
	enum tl_status status;

	plain.format = 0;
	printing->options = &plain;
	status = tl_print_part(printing, value);
	printing->options = options;
	return status;
}

static enum tl_status print_member(struct tl_printing *printing, const struct tl_value *value,
				   const struct tl_type *type, const struct tl_member *member)
{
	struct tl_value part;
	struct tl_error failure = {0};
	enum tl_status status;

	if (member->kind == TL_MEMBER_BASE) {
		const struct tl_type *base;

		TL_TRY(tl_member_type(type, member, &base, printing->error));
		tl_output_format(printing->output, "<%s> = ", tl_value_type_name(printing->context, base));
	} else if (member->name != NULL) {
		tl_output_format(printing->output, "%s%s = ", member->kind == TL_MEMBER_STATIC ? "static " : "",
				 member->name);
	}
	status = tl_value_field(printing->context, value, type, member, &part, &failure);
	/* Where an object was not made yet, its virtual bases are anywhere. */
	if (status == TL_OK && member->moves && part.size != 0)
		status = tl_value_load(printing->context, &part, &failure);
	if (status == TL_OK && printing->options->format != 0 && is_table_pointer(member))
		return print_plainly(printing, &part);
	if (status == TL_OK)
		return tl_print_part(printing, &part);
	if (member->kind == TL_MEMBER_STATIC)
		tl_output_text(printing->output, "<optimized out>");
	else if (member->kind == TL_MEMBER_BASE)
		tl_output_text(printing->output, "<invalid address>");
	else
		tl_output_format(printing->output, "<error: %s>", failure.text);
	return TL_OK;
}

/* Whether a base is a virtual one that was shown already, as the base of another base; else it is noted. */
static enum tl_status was_shown(struct tl_printing *printing, const struct tl_type *type,
				const struct tl_member *member, bool *shown_ret)
{
	const struct tl_type *base;

	*shown_ret = false;
	if (member->kind != TL_MEMBER_BASE || !member->is_virtual)
		return TL_OK;
	TL_TRY(tl_member_type(type, member, &base, printing->error));
	for (unsigned i = 0; i < printing->virtual_base_count && !*shown_ret; i++)
		*shown_ret = printing->virtual_bases[i] == base;
	if (!*shown_ret && printing->virtual_base_count < TL_PRINT_VIRTUAL_BASES_MAX)
		printing->virtual_bases[printing->virtual_base_count++] = base;
	return TL_OK;
}

static enum tl_status print_struct(struct tl_printing *printing, const struct tl_value *value,
				   const struct tl_type *type)
{
	const struct tl_member *members;
	tl_size count;
	bool first = true, has_fields = false;

	if (type->declaration) {
		/* Of a base whose class only another module knows the rest is shown all the same. */
		tl_output_text(printing->output, printing->depth != 0 ? "{<No data fields>}" : "<incomplete type>");
		return TL_OK;
	}
	if (printing->depth >= printing->depth_limit ||
	    (type->kind == TL_TYPE_UNION && printing->options->no_unions && printing->nesting > 1)) {
		tl_output_text(printing->output, "{...}");
		return TL_OK;
	}
	TL_TRY(tl_type_members(type, &members, &count, printing->error));
	tl_output_text(printing->output, "{");
	printing->depth++;
	printing->indent++;
	for (tl_size i = 0; i < count; i++) {
		const unsigned noted = printing->virtual_base_count;
		bool shown = false;

		if (members[i].kind != TL_MEMBER_FIELD && members[i].kind != TL_MEMBER_BASE &&
		    (members[i].kind != TL_MEMBER_STATIC || printing->options->no_statics))
			continue;
		TL_TRY(was_shown(printing, type, &members[i], &shown));
		if (shown)
			continue;
		begin_member(printing, first);
		first = false;
		has_fields |= members[i].kind != TL_MEMBER_BASE;
		TL_TRY(print_member(printing, value, type, &members[i]));
		/* A member has virtual bases of its own. */
		if (members[i].kind != TL_MEMBER_BASE)
			printing->virtual_base_count = noted;
	}
	printing->depth--;
	printing->indent--;
	if (!has_fields)
		tl_output_format(printing->output, "%s<No data fields>", first ? "" : ", ");
	else if (printing->options->pretty)
		begin_member(printing, true);
	tl_output_text(printing->output, "}");
	return TL_OK;
}

/* ---- The whole ---- */

static enum tl_status print_reference(struct tl_printing *printing, const struct tl_value *value)
{
	struct tl_value target = *value;
	tl_i128 address;

	TL_TRY(tl_print_bits(printing, value, false, &address));
	tl_output_format(printing->output, "@0x%llx", (unsigned long long)(tl_u64)address);
	/* What a member refers to is not shown with it. */
	if (printing->depth != 0)
		return TL_OK;
	tl_output_text(printing->output, ": ");
	TL_TRY(tl_value_unreference(printing->context, &target, printing->error));
	return tl_print_part(printing, &target);
}

static enum tl_status print_loaded(struct tl_printing *printing, struct tl_value *value, const struct tl_type *type)
{
	switch (type->kind) {
	case TL_TYPE_ARRAY:
		return print_array(printing, value, type);
	case TL_TYPE_STRUCT:
	case TL_TYPE_CLASS:
	case TL_TYPE_UNION:
		return print_struct(printing, value, type);
	case TL_TYPE_REFERENCE:
	case TL_TYPE_RVALUE_REFERENCE:
		return print_reference(printing, value);
	case TL_TYPE_BASE:
	case TL_TYPE_ENUM:
	case TL_TYPE_POINTER:
	case TL_TYPE_MEMBER_POINTER:
		return tl_print_scalar(printing, value, type);
	case TL_TYPE_VOID:
	case TL_TYPE_FUNCTION:
	case TL_TYPE_UNSPECIFIED:
	case TL_TYPE_TYPEDEF:
	case TL_TYPE_CONST:
	case TL_TYPE_VOLATILE:
	case TL_TYPE_RESTRICT:
	case TL_TYPE_ATOMIC:
	case TL_TYPE_MAX:
		break;
	}
	tl_output_text(printing->output, "void");
	return TL_OK;
}

/* True when no byte of a value is left. */
static bool is_gone(const struct tl_value *value)
{
	tl_u64 absent = 0;

	for (tl_u64 i = 0; value->absent != NULL && i < value->size; i++)
		absent += value->absent[i] == TL_ABSENT_OPTIMISED || value->absent[i] == TL_ABSENT_POINTER;
	return value->size != 0 && absent == value->size;
}

/* An array without an end is the address at which it begins, with what a string there says. */
static enum tl_status print_endless(struct tl_printing *printing, const struct tl_type *array, tl_u64 address)
{
	const struct tl_type *element;
	tl_u64 width = 0;
	bool text = false;

	TL_TRY(tl_type_target(array, &element, printing->error));
	TL_TRY(tl_print_is_text(element, &text, &width, printing->error));
	tl_output_format(printing->output, "0x%llx", (unsigned long long)address);
	tl_print_symbol(printing, address);
	return text ? tl_print_pointed_string(printing, element, width, address) : TL_OK;
}

static enum tl_status print_one(struct tl_printing *printing, const struct tl_value *value)
{
	struct tl_value own = *value;
	const struct tl_type *type;
	const struct tl_bound *bound;
	struct tl_error failure = {0};
	bool whole, shown;

	TL_TRY(tl_type_strip(own.type, &type, printing->error));
	if (type->kind == TL_TYPE_FUNCTION) {
		tl_output_format(printing->output, "{%s} ", tl_value_type_name(printing->context, own.type));
		if (!printing->options->no_addresses)
			tl_output_format(printing->output, "0x%llx", (unsigned long long)own.address);
		tl_print_symbol(printing, own.address);
		return TL_OK;
	}
	if (type->kind == TL_TYPE_VOID || type->declaration)
		return print_loaded(printing, &own, type);
	if (type->kind == TL_TYPE_ARRAY && own.place == TL_VALUE_IN_MEMORY) {
		TL_TRY(tl_type_bound(type, &bound, printing->error));
		if (bound->kind == TL_BOUND_NONE)
			return print_endless(printing, type, own.address);
	}
	if (tl_value_load(printing->context, &own, &failure) != TL_OK) {
		tl_output_format(printing->output, "<error: %s>", failure.text);
		return TL_OK;
	}
	/* A struct of which a part is left shows that part, and which members of structs in it are not. */
	whole = type->kind != TL_TYPE_STRUCT && type->kind != TL_TYPE_CLASS && type->kind != TL_TYPE_UNION &&
		type->kind != TL_TYPE_ARRAY;
	if ((printing->nesting == 1 && is_gone(&own)) || (whole && tl_value_is_absent(&own))) {
		tl_output_text(printing->output,
			       own.absent[0] == TL_ABSENT_POINTER ? "<synthetic pointer>" : "<optimized out>");
		return TL_OK;
	}
	TL_TRY(tl_print_container(printing, &own, type, &shown));
	return shown ? TL_OK : print_loaded(printing, &own, type);
}

enum tl_status tl_print_part(struct tl_printing *printing, const struct tl_value *value)
{
	enum tl_status status;

	/* What has no room is not gone through to its end. */
	TL_TRY(tl_output_status(printing->output, printing->error));
	if (printing->nesting >= NESTING_MAX) {
		tl_output_text(printing->output, "...");
		return TL_OK;
	}
	printing->nesting++;
	status = print_one(printing, value);
	printing->nesting--;
	return status;
}

/* Without const and volatile; a type that is its own target, as in damaged debug information, keeps some. */
static enum tl_status unqualified(const struct tl_type **type, struct tl_error *error)
{
	for (int i = 0; i < QUALIFIERS_MAX && ((*type)->kind == TL_TYPE_CONST || (*type)->kind == TL_TYPE_VOLATILE);
	     i++)
		TL_TRY(tl_type_target(*type, type, error));
	return TL_OK;
}

/* In front of pointers and references that are printed by themselves stands their type. */
static enum tl_status print_type_before(struct tl_printing *printing, const struct tl_value *value)
{
	const struct tl_type *type, *target, *plain = value->type;
	bool text = false;

	TL_TRY(tl_type_strip(value->type, &type, printing->error));
	if (printing->options->listed ||
	    (printing->options->format != 0 && printing->options->format != 's' && type->kind != TL_TYPE_REFERENCE))
		return TL_OK;
	if (is_gone(value) && value->absent[0] == TL_ABSENT_OPTIMISED)
		return TL_OK;
	if (type->kind == TL_TYPE_POINTER) {
		/* A plain char * goes without saying; what is called otherwise, or is a typedef, does not. */
		TL_TRY(tl_type_target(type, &target, printing->error));
		TL_TRY(unqualified(&target, printing->error));
		TL_TRY(unqualified(&plain, printing->error));
		text = plain == type && target->name != NULL && strcmp(target->name, "char") == 0;
	} else if (type->kind != TL_TYPE_REFERENCE && type->kind != TL_TYPE_RVALUE_REFERENCE) {
		return TL_OK;
	} else if (type->kind == TL_TYPE_REFERENCE && !printing->options->raw) {
		/* What a reference to a std::string refers to says all. */
		TL_TRY(tl_type_target(type, &target, printing->error));
		TL_TRY(tl_type_strip(target, &target, printing->error));
		TL_TRY(tl_container_is_known(target, &text, printing->error));
	}
	if (!text)
		tl_output_format(printing->output, "(%s) ", tl_value_type_name(printing->context, value->type));
	return TL_OK;
}

/* Takes an object, or what points or refers to one, for what it is, and says what that is: (tile) {...}. */
static enum tl_status show_real(struct tl_printing *printing, struct tl_value *value)
{
	const struct tl_type *type;
	struct tl_error failure = {0};
	bool known = false;

	/* What cannot be told, for want of memory or of sense in it, is shown as it was declared. */
	if (tl_class_real(printing->context, value, value, &known, &failure) != TL_OK || !known)
		return TL_OK;
	TL_TRY(tl_type_strip(value->type, &type, printing->error));
	if (tl_class_is(type) && !printing->options->listed)
		tl_output_format(printing->output, "(%s) ", tl_value_type_name(printing->context, value->type));
	return tl_value_load(printing->context, value, printing->error);
}

enum tl_status tl_print_value(const struct tl_value_context *context, const struct tl_print_options *options,
			      const struct tl_value *value, struct tl_output *output, struct tl_error *error)
{
	struct tl_printing printing = {
		.context = context,
		.options = options,
		.output = output,
		.elements = options->elements != 0 ? options->elements : ELEMENTS,
		.repeats = options->repeats != 0 ? options->repeats : REPEATS,
		.depth_limit = options->depth != 0 ? options->depth : DEPTH,
		.error = error,
	};
	struct tl_value own = *value;

	/* What cannot be read at all is an error of the command, not a part of what it shows. */
	if (own.type->kind != TL_TYPE_VOID && own.size != 0 && !options->listed)
		TL_TRY(tl_value_load(context, &own, error));
	if (options->object)
		TL_TRY(show_real(&printing, &own));
	TL_TRY(print_type_before(&printing, &own));
	TL_TRY(tl_print_part(&printing, &own));
	return tl_output_status(output, error);
}
