#include "symbols/dwarf_constants.h"
#include "symbols/type_store.h"
#include "symbols/type_text_internal.h"

#include <ctype.h>
#include <string.h>

/* The columns in front of a line of ptype/o. */
#define COLUMNS 27

static void write_scope(void *context, const char *name)
{
	tl_type_write_canonical(name, context);
}

/* "[with T = int] ": what the parameters of the template are that are types. */
static enum tl_status write_template(struct tl_type_text *text, const struct tl_type *class,
				     const struct tl_member *members, tl_size count)
{
	const struct tl_type *type;
	bool first = true;

	for (tl_size i = 0; i < count; i++) {
		if (members[i].kind != TL_MEMBER_TEMPLATE_TYPE || members[i].name == NULL)
			continue;
		TL_TRY(tl_member_type(class, &members[i], &type, text->error));
		tl_output_format(text->output, "%s%s = ", first ? "[with " : ", ", members[i].name);
		first = false;
		TL_TRY(tl_type_text_write(text, type, "", TL_TYPE_SHOW_NAME, 0, NULL));
	}
	tl_output_text(text->output, first ? "" : "] ");
	return TL_OK;
}

/* The heading of an enumeration: "enum class colour : unsigned char ". */
static enum tl_status write_enum_head(struct tl_type_text *text, const struct tl_type *type)
{
	const struct tl_type *under;

	tl_output_text(text->output, tl_type_text_keyword(type));
	if (type->name != NULL) {
		TL_TRY(tl_type_text_full_name(text, type));
		tl_output_text(text->output, " ");
	}
	if (!type->has_scopes)
		return TL_OK;
	TL_TRY(tl_type_target(type, &under, text->error));
	if (under->name == NULL || under->kind == TL_TYPE_VOID)
		return TL_OK;
	tl_output_text(text->output, ": ");
	TL_TRY(tl_type_text_full_name(text, under));
	tl_output_text(text->output, " ");
	return TL_OK;
}

/* "flag cpsr_flags {", and a line for each bit or field; a register's, which no program declares. */
static enum tl_status write_bit_names(struct tl_type_text *text, const struct tl_type *type, enum tl_type_show show)
{
	const struct tl_member *members;
	tl_size count;

	tl_output_format(text->output, "flag %s {", type->name);
	if (show < TL_TYPE_SHOW_MEMBERS) {
		tl_output_text(text->output, "...}");
		return TL_OK;
	}
	TL_TRY(tl_type_members(type, &members, &count, text->error));
	for (tl_size i = 0; i < count; i++) {
		tl_u64 value = (tl_u64)members[i].value, first = 0, last;

		if (members[i].kind != TL_MEMBER_ENUMERATOR || value == 0)
			continue;
		while ((value >> first & 1) == 0)
			first++;
		for (last = first; last < 63 && (value >> (last + 1) & 1) != 0; last++)
			;
		if (last == first)
			tl_output_format(text->output, "\n    bool %s @%llu;", members[i].name,
					 (unsigned long long)first);
		else
			tl_output_format(text->output, "\n    uint32_t %s @%llu-%llu;", members[i].name,
					 (unsigned long long)first, (unsigned long long)last);
	}
	tl_output_text(text->output, "\n}");
	return TL_OK;
}

enum tl_status tl_type_text_enum(struct tl_type_text *text, const struct tl_type *type, enum tl_type_show show)
{
	const struct tl_member *members;
	tl_size count;
	tl_i64 next = 0;
	bool first = true;

	if (type->bit_names)
		return write_bit_names(text, type, show);
	TL_TRY(write_enum_head(text, type));
	if (show < TL_TYPE_SHOW_MEMBERS) {
		tl_output_text(text->output, "{...}");
		return TL_OK;
	}
	tl_output_text(text->output, "{");
	TL_TRY(tl_type_members(type, &members, &count, text->error));
	for (tl_size i = 0; i < count; i++) {
		if (members[i].kind != TL_MEMBER_ENUMERATOR)
			continue;
		tl_output_text(text->output, first ? "" : ", ");
		first = false;
		TL_TRY(tl_tree_scope(type->types->tree, &members[i].entry, write_scope, text->output, text->error));
		tl_output_text(text->output, members[i].name != NULL ? members[i].name : "");
		if (members[i].value != next) {
			if (type->encoding == DW_ATE_signed)
				tl_output_format(text->output, " = %lld", (long long)members[i].value);
			else
				tl_output_format(text->output, " = %llu", (unsigned long long)members[i].value);
		}
		next = (tl_i64)((tl_u64)members[i].value + 1);
	}
	tl_output_text(text->output, "}");
	return TL_OK;
}

/* A table of virtual functions is the compiler's, and so is what it calls it. */
static bool is_hidden(const struct tl_member *member)
{
	return member->name != NULL && strncmp(member->name, "_vptr", 5) == 0 &&
	       (member->name[5] == '.' || member->name[5] == '$');
}

static bool has_access(const struct tl_member *member)
{
	return member->kind == TL_MEMBER_FIELD || member->kind == TL_MEMBER_STATIC ||
	       member->kind == TL_MEMBER_FUNCTION ||
	       (member->kind == TL_MEMBER_TYPE && member->entry.tag == DW_TAG_typedef);
}

/* Whether it must be said which members are public: not where all are what the keyword says. */
static bool needs_labels(const struct tl_type *type, const struct tl_member *members, tl_size count)
{
	for (tl_size i = 0; i < count; i++) {
		/* The compiler's own member is private. */
		if (type->kind != TL_TYPE_CLASS && is_hidden(&members[i]))
			return true;
		if (!has_access(&members[i]))
			continue;
		if (type->kind == TL_TYPE_CLASS ? members[i].access != TL_PRIVATE : members[i].access != TL_PUBLIC)
			return true;
	}
	return false;
}

static void write_label(struct tl_type_text *text, enum tl_accessibility access, enum tl_accessibility *label,
			tl_size level)
{
	if (access == *label)
		return;
	*label = access;
	if ((text->flags & TL_TYPE_TEXT_OFFSETS) != 0)
		tl_output_spaces(text->output, COLUMNS);
	tl_output_spaces(text->output, level + 2);
	tl_output_text(text->output, access == TL_PUBLIC      ? "public:\n"
				     : access == TL_PROTECTED ? "protected:\n"
							      : "private:\n");
}

static void write_gap(struct tl_type_text *text, const struct tl_type_place *place, tl_u64 to, const char *what)
{
	tl_u64 gap;

	if (place->end == 0 || place->end >= to)
		return;
	gap = to - place->end;
	if (gap % 8 != 0)
		tl_output_format(text->output, "/* XXX %2u-bit %-7s    */\n", (unsigned)(gap % 8), what);
	if (gap / 8 != 0)
		tl_output_format(text->output, "/* XXX %2llu-byte %-7s   */\n", (unsigned long long)(gap / 8), what);
}

/* The columns in front of a field. `place` is that of the struct it stands in. */
static void write_columns(struct tl_type_text *text, bool in_union, const struct tl_member *field, tl_u64 size,
			  struct tl_type_place *place)
{
	const bool hexadecimal = (text->flags & TL_TYPE_TEXT_HEXADECIMAL) != 0;
	const tl_u64 at = place->base + field->bit_offset;
	const unsigned long long byte = at / 8, bit = at % 8, bytes = size;

	if (in_union) {
		tl_output_format(text->output, hexadecimal ? "/*                0x%04llx */" : "/* %21llu */", bytes);
		return;
	}
	write_gap(text, place, field->bit_offset, "hole");
	place->end = field->bit_offset + (field->bit_size != 0 ? field->bit_size : size * 8);
	tl_output_format(text->output, hexadecimal ? "/* 0x%04llx" : "/* %6llu", byte);
	if (field->bit_size == 0)
		tl_output_text(text->output, "      ");
	else
		tl_output_format(text->output, hexadecimal ? ": 0x%llx " : ":%2llu   ", bit);
	tl_output_format(text->output, hexadecimal ? "|  0x%04llx */" : "|  %6llu */", bytes);
}

/* The type of a field without what is around its name, if it is a struct, class or union whose members are shown. */
static enum tl_status is_nested(struct tl_type_text *text, const struct tl_type *type, bool *nested_ret)
{
	const struct tl_type *core;
	unsigned qualifiers;

	TL_TRY(tl_type_text_resolve(text, type, TL_TYPE_SHOW_MEMBERS, &core, &qualifiers));
	*nested_ret = core->kind == TL_TYPE_STRUCT || core->kind == TL_TYPE_CLASS || core->kind == TL_TYPE_UNION;
	return TL_OK;
}

static enum tl_status write_field(struct tl_type_text *text, const struct tl_type *parent,
				  const struct tl_member *field, enum tl_type_show show, tl_size level,
				  struct tl_type_place *place)
{
	const bool offsets = (text->flags & TL_TYPE_TEXT_OFFSETS) != 0;
	enum tl_type_show inside = show > TL_TYPE_SHOW_MEMBERS ? TL_TYPE_SHOW_MEMBERS : TL_TYPE_SHOW_NAME;
	struct tl_type_place nested_place = {0, 0};
	const struct tl_type *type;
	tl_u64 size = 0;
	bool known = false, nested = false;

	TL_TRY(tl_member_type(parent, field, &type, text->error));
	if (offsets && field->kind == TL_MEMBER_FIELD) {
		TL_TRY(tl_type_size(type, &size, &known, text->error));
		write_columns(text, parent->kind == TL_TYPE_UNION, field, known ? size : 0, place);
		TL_TRY(is_nested(text, type, &nested));
	} else if (offsets) {
		tl_output_spaces(text->output, COLUMNS);
	}
	if (nested) {
		inside = show;
		nested_place.base = place->base + field->bit_offset;
	}
	tl_output_spaces(text->output, level + 4);
	if (field->kind == TL_MEMBER_STATIC)
		tl_output_text(text->output, "static ");
	TL_TRY(tl_type_text_write(text, type, field->name != NULL ? field->name : "", inside, level + 4,
				  &nested_place));
	if (field->bit_size != 0)
		tl_output_format(text->output, " : %u", field->bit_size);
	tl_output_text(text->output, ";\n");
	return tl_output_status(text->output, text->error);
}

/* A conversion's name says what it returns: operator int. */
static bool returns_by_name(const struct tl_type *parent, const char *name)
{
	const char *own = parent->name != NULL ? parent->name : "";
	const tl_size size = strcspn(own, "<");

	if (name[0] == '~' || (strncmp(name, own, size) == 0 && (name[size] == 0 || name[size] == '<')))
		return true;
	return strncmp(name, "operator ", 9) == 0 && isalpha((unsigned char)name[9]) &&
	       strncmp(name + 9, "new", 3) != 0 && strncmp(name + 9, "delete", 6) != 0;
}

static enum tl_status write_function(struct tl_type_text *text, const struct tl_type *parent,
				     const struct tl_member *member, tl_size level)
{
	const struct tl_type *function, *result;
	const char *name = member->name != NULL ? member->name : "";
	struct tl_attribute slot;

	TL_TRY(tl_member_type(parent, member, &function, text->error));
	tl_output_spaces(text->output, level + 4);
	TL_TRY(tl_entry_attribute(&member->entry, DW_AT_vtable_elem_location, &slot, text->error));
	/* Where no place in the table is given, as of destructors, gdb says nothing. */
	tl_output_text(text->output, member->is_virtual && slot.kind != TL_CLASS_NONE ? "virtual "
				     : member->is_static                              ? "static "
										      : "");
	if (!returns_by_name(parent, name)) {
		TL_TRY(tl_type_target(function, &result, text->error));
		TL_TRY(tl_type_text_write(text, result, "", TL_TYPE_SHOW_NAME, 0, NULL));
		tl_output_text(text->output, " ");
	}
	tl_type_write_canonical(name, text->output);
	TL_TRY(tl_type_text_parameters(text, function, true));
	TL_TRY(tl_type_text_object_qualifiers(text, function));
	tl_output_text(text->output, ";\n");
	return tl_output_status(text->output, text->error);
}

static bool same_name(const struct tl_member *a, const struct tl_member *b)
{
	return a->name != NULL && b->name != NULL && strcmp(a->name, b->name) == 0;
}

/* What a lambda is destroyed by is nobody's to call. */
static bool is_nameless(const struct tl_member *member)
{
	return member->name != NULL && strncmp(member->name, "~<", 2) == 0;
}

/* Functions of one name stand together, where the first of them does. */
static enum tl_status write_functions(struct tl_type_text *text, const struct tl_type *type,
				      const struct tl_member *members, tl_size count, enum tl_accessibility *label,
				      tl_size level)
{
	bool first = true;

	for (tl_size i = 0; i < count; i++) {
		tl_size earlier = 0;

		if (members[i].kind != TL_MEMBER_FUNCTION)
			continue;
		while (earlier < i &&
		       !(members[earlier].kind == TL_MEMBER_FUNCTION && same_name(&members[earlier], &members[i])))
			earlier++;
		for (tl_size j = i; earlier == i && j < count; j++) {
			if (members[j].kind != TL_MEMBER_FUNCTION || members[j].artificial ||
			    is_nameless(&members[j]) || (j != i && !same_name(&members[i], &members[j])))
				continue;
			if (first && *label != 0)
				tl_output_text(text->output, "\n");
			first = false;
			write_label(text, members[j].access, label, level);
			TL_TRY(write_function(text, type, &members[j], level));
		}
	}
	return TL_OK;
}

static enum tl_status write_typedefs(struct tl_type_text *text, const struct tl_type *type,
				     const struct tl_member *members, tl_size count, bool anything,
				     enum tl_accessibility *label, tl_size level)
{
	const bool labels = needs_labels(type, members, count);

	for (tl_size i = 0; i < count; i++) {
		const struct tl_type *alias, *target;

		if (members[i].kind != TL_MEMBER_TYPE || members[i].entry.tag != DW_TAG_typedef)
			continue;
		if (anything)
			tl_output_text(text->output, "\n");
		anything = false;
		if (labels)
			write_label(text, members[i].access, label, level);
		TL_TRY(tl_member_type(type, &members[i], &alias, text->error));
		TL_TRY(tl_type_target(alias, &target, text->error));
		tl_output_spaces(text->output, level + 4);
		tl_output_text(text->output, "typedef ");
		text->no_typedefs = true;
		TL_TRY(tl_type_text_write(text, target, members[i].name != NULL ? members[i].name : "",
					  TL_TYPE_SHOW_MEMBERS, level + 4, NULL));
		text->no_typedefs = false;
		tl_output_text(text->output, ";\n");
	}
	return tl_output_status(text->output, text->error);
}

static enum tl_status write_bases(struct tl_type_text *text, const struct tl_type *type,
				  const struct tl_member *members, tl_size count)
{
	bool first = true;

	for (tl_size i = 0; i < count; i++) {
		const struct tl_type *base;

		if (members[i].kind != TL_MEMBER_BASE)
			continue;
		tl_output_text(text->output, first ? ": " : ", ");
		first = false;
		tl_output_text(text->output, members[i].access == TL_PUBLIC      ? "public "
					     : members[i].access == TL_PROTECTED ? "protected "
										 : "private ");
		tl_output_text(text->output, members[i].is_virtual ? "virtual " : "");
		TL_TRY(tl_member_type(type, &members[i], &base, text->error));
		TL_TRY(tl_type_text_full_name(text, base));
	}
	if (!first)
		tl_output_text(text->output, " ");
	return TL_OK;
}

/* The line for a struct of which nothing can be shown. */
static void write_nothing(struct tl_type_text *text, const struct tl_type *type, tl_size level)
{
	if ((text->flags & TL_TYPE_TEXT_OFFSETS) != 0)
		tl_output_spaces(text->output, COLUMNS);
	tl_output_spaces(text->output, level + 4);
	tl_output_text(text->output, type->declaration ? "<incomplete type>\n" : "<no data fields>\n");
}

static bool is_empty(const struct tl_member *members, tl_size count)
{
	for (tl_size i = 0; i < count; i++)
		if (has_access(&members[i]) || members[i].kind == TL_MEMBER_BASE)
			return false;
	return true;
}

static enum tl_status write_members(struct tl_type_text *text, const struct tl_type *type,
				    const struct tl_member *members, tl_size count, enum tl_type_show show,
				    tl_size level, struct tl_type_place *place)
{
	const bool labels = needs_labels(type, members, count);
	const bool offsets = (text->flags & TL_TYPE_TEXT_OFFSETS) != 0;
	enum tl_accessibility label = 0;
	tl_size size_before = text->output->size;

	for (tl_size i = 0; i < count; i++) {
		if ((members[i].kind != TL_MEMBER_FIELD && members[i].kind != TL_MEMBER_STATIC) ||
		    is_hidden(&members[i]))
			continue;
		if (labels)
			write_label(text, members[i].access, &label, level);
		TL_TRY(write_field(text, type, &members[i], show, level, place));
	}
	if (!offsets && (text->flags & TL_TYPE_TEXT_NO_FUNCTIONS) == 0)
		TL_TRY(write_functions(text, type, members, count, &label, level));
	if (!offsets && (text->flags & TL_TYPE_TEXT_NO_TYPES) == 0)
		TL_TRY(write_typedefs(text, type, members, count, text->output->size != size_before, &label, level));
	return TL_OK;
}

/* The end of a struct in ptype/o: what is left of it, how big it is, and the columns in front of its brace. */
static void write_end(struct tl_type_text *text, const struct tl_type *type, enum tl_type_show show, tl_size level,
		      struct tl_type_place *place)
{
	if (show > TL_TYPE_SHOW_MEMBERS) {
		write_gap(text, place, type->size * 8, "padding");
		tl_output_text(text->output, "\n");
		tl_output_spaces(text->output, COLUMNS + level + 4);
		tl_output_format(text->output, "/* total size (bytes): %4llu */\n", (unsigned long long)type->size);
	}
	tl_output_spaces(text->output, COLUMNS);
	if (level == 0)
		tl_output_spaces(text->output, 2);
}

/* The members, by the names that types have in the class. */
static enum tl_status write_inside(struct tl_type_text *text, const struct tl_type *type,
				   const struct tl_member *members, tl_size count, enum tl_type_show show,
				   tl_size level, struct tl_type_place *place)
{
	const struct tl_type_aliases *outer = text->aliases;
	struct tl_type_aliases own;
	enum tl_status status;

	if (!type->has_scopes || (text->flags & TL_TYPE_TEXT_ALIASES) == 0)
		return write_members(text, type, members, count, show, level, place);
	own.outer = outer;
	TL_TRY(tl_type_text_add_aliases(text, &own, type));
	text->aliases = &own;
	status = write_members(text, type, members, count, show, level, place);
	text->aliases = outer;
	return status;
}

enum tl_status tl_type_text_struct(struct tl_type_text *text, const struct tl_type *type, enum tl_type_show show,
				   tl_size level, struct tl_type_place *place)
{
	const struct tl_member *members;
	struct tl_type_place own = {0, 0};
	tl_size count;

	tl_output_text(text->output, tl_type_text_keyword(type));
	if (type->name != NULL) {
		TL_TRY(tl_type_text_full_name(text, type));
		tl_output_text(text->output, " ");
	}
	if (show < TL_TYPE_SHOW_MEMBERS) {
		tl_output_text(text->output, "{...}");
		return TL_OK;
	}
	if (place == NULL)
		place = &own;
	TL_TRY(tl_type_members(type, &members, &count, text->error));
	if (type->has_scopes && (text->flags & TL_TYPE_TEXT_ALIASES) != 0)
		TL_TRY(write_template(text, type, members, count));
	TL_TRY(write_bases(text, type, members, count));
	tl_output_text(text->output, "{\n");
	if (is_empty(members, count))
		write_nothing(text, type, level);
	TL_TRY(write_inside(text, type, members, count, show, level, place));
	if ((text->flags & TL_TYPE_TEXT_OFFSETS) != 0)
		write_end(text, type, show, level, place);
	tl_output_spaces(text->output, level);
	tl_output_text(text->output, "}");
	return tl_output_status(text->output, text->error);
}
