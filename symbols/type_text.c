#include "symbols/type_text.h"

#include "symbols/dwarf_constants.h"
#include "symbols/type_store.h"

#include <ctype.h>
#include <string.h>

/* No type of a program nests this deep; each level is a few hundred bytes of stack. */
#define DEPTH_MAX 100
/* Nor has it this many stars, brackets and parameter lists around one name. */
#define STEPS_MAX 32
/* Bases that are looked at for names in a class, on all the ways that lead to them. */
#define CLASSES_MAX 4096
/* The columns in front of a line of ptype/o. */
#define COLUMNS 27

enum { CONST = 1, VOLATILE = 2, RESTRICT = 4, ATOMIC = 8 };

/* How much of a type is written. */
enum show {
	SHOW_NAME = -1,   /* "struct {...}" for what has no name */
	SHOW_MEMBERS = 0, /* the members of what has no name */
	SHOW_ALL = 1      /* the members, typedefs resolved */
};

/* Where the fields of a struct stand, in bits: of the outermost one, and how far fields have filled it. */
struct place {
	tl_u64 base, end;
};

/*
 * Names that stand for types inside of a class: the parameters of its template, and its typedefs. gdb writes every type
 * that one of them stands for by that name; of several the first counts, and what is further out before what is further
 * in.
 */
#define ALIASES_MAX 96

struct aliases {
	const struct aliases *outer;
	struct {
		const struct tl_type *type;  /* stripped */
		const struct tl_type *alias; /* the typedef itself */
		const char *name;
	} items[ALIASES_MAX];
	tl_size count, parameters; /* the first are those of the template */
};

struct text {
	struct tl_output *output;
	struct tl_error *error;
	const struct aliases *aliases; /* NULL: outside of all classes */
	bool no_typedefs;              /* of these only the innermost template's parameters count */
	unsigned flags;
	unsigned depth;
};

static enum tl_status write_type(struct text *text, const struct tl_type *type, const char *name, enum show show,
				 tl_size level, struct place *place);

static enum tl_status too_deep(const struct text *text)
{
	return TL_FAIL(text->error, TL_ERROR_MALFORMED,
		       "types nest more than %d deep: the debug information is damaged", DEPTH_MAX);
}

/* Takes off qualifiers, and typedefs if they are not to be shown. */
static enum tl_status resolve(const struct text *text, const struct tl_type *type, enum show show,
			      const struct tl_type **core_ret, unsigned *qualifiers_ret)
{
	unsigned qualifiers = 0;

	for (int i = 0; i < TL_TYPE_CHAIN_MAX; i++) {
		if (type->kind == TL_TYPE_CONST)
			qualifiers |= CONST;
		else if (type->kind == TL_TYPE_VOLATILE)
			qualifiers |= VOLATILE;
		else if (type->kind == TL_TYPE_RESTRICT)
			qualifiers |= RESTRICT;
		else if (type->kind == TL_TYPE_ATOMIC)
			qualifiers |= ATOMIC;
		else if (type->kind != TL_TYPE_TYPEDEF || (show <= SHOW_MEMBERS && type->name != NULL)) {
			*core_ret = type;
			*qualifiers_ret = qualifiers;
			return show > SHOW_MEMBERS ? tl_type_complete(type, core_ret, text->error) : TL_OK;
		}
		TL_TRY(tl_type_target(type, &type, text->error));
	}
	return TL_FAIL(text->error, TL_ERROR_MALFORMED, "type `%s` leads back to itself",
		       type->name != NULL ? type->name : "(unnamed)");
}

static void write_qualifiers(struct text *text, unsigned qualifiers, bool has_scopes, bool space_before,
			     bool space_behind)
{
	const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{CONST, "const"},
		{VOLATILE, "volatile"},
		{RESTRICT, has_scopes ? "__restrict__" : "restrict"},
		{ATOMIC, has_scopes ? "std::atomic" : "_Atomic"},
	};
	bool written = space_before;

	for (tl_size i = 0; i < TL_COUNT(names); i++) {
		if ((qualifiers & names[i].bit) == 0)
			continue;
		if (written)
			tl_output_text(text->output, " ");
		tl_output_text(text->output, names[i].name);
		written = true;
	}
	if (qualifiers != 0 && space_behind)
		tl_output_text(text->output, " ");
}

static const char *keyword(const struct tl_type *type)
{
	switch (type->kind) {
	case TL_TYPE_STRUCT:
		return "struct ";
	case TL_TYPE_CLASS:
		return "class ";
	case TL_TYPE_UNION:
		return "union ";
	case TL_TYPE_ENUM:
		return type->scoped ? "enum class " : "enum ";
	case TL_TYPE_VOID:
	case TL_TYPE_BASE:
	case TL_TYPE_POINTER:
	case TL_TYPE_REFERENCE:
	case TL_TYPE_RVALUE_REFERENCE:
	case TL_TYPE_MEMBER_POINTER:
	case TL_TYPE_ARRAY:
	case TL_TYPE_TYPEDEF:
	case TL_TYPE_CONST:
	case TL_TYPE_VOLATILE:
	case TL_TYPE_RESTRICT:
	case TL_TYPE_ATOMIC:
	case TL_TYPE_FUNCTION:
	case TL_TYPE_UNSPECIFIED:
	case TL_TYPE_MAX:
		break;
	}
	return "";
}

static enum tl_status write_full_name(struct text *text, const struct tl_type *type)
{
	const char *name;

	TL_TRY(tl_type_full_name(type, &name, text->error));
	tl_output_text(text->output, name != NULL ? name : "");
	return TL_OK;
}

static void write_scope(void *context, const char *name)
{
	tl_type_write_canonical(name, context);
}

/* ---- Names inside of a class ---- */

/* Whether two stripped types are one: by their names, or, of pointers and references, by what these lead to. */
static enum tl_status is_same(struct text *text, const struct tl_type *left, const struct tl_type *right,
			      bool *same_ret)
{
	const char *one = NULL, *other = NULL;

	for (int i = 0; i < STEPS_MAX; i++) {
		*same_ret = left == right;
		if (left == right || left->kind != right->kind)
			return TL_OK;
		if (left->kind != TL_TYPE_POINTER && left->kind != TL_TYPE_REFERENCE &&
		    left->kind != TL_TYPE_RVALUE_REFERENCE)
			break;
		TL_TRY(tl_type_target(left, &left, text->error));
		TL_TRY(tl_type_target(right, &right, text->error));
		TL_TRY(tl_type_strip(left, &left, text->error));
		TL_TRY(tl_type_strip(right, &right, text->error));
	}
	if (left->name == NULL || right->name == NULL || strcmp(left->name, right->name) != 0)
		return TL_OK;
	TL_TRY(tl_type_full_name(left, &one, text->error));
	TL_TRY(tl_type_full_name(right, &other, text->error));
	*same_ret = one != NULL && other != NULL && strcmp(one, other) == 0;
	return TL_OK;
}

static enum tl_status find_in(struct text *text, const struct aliases *aliases, tl_size count,
			      const struct tl_type *type, const char **name_ret)
{
	bool same = false;

	if (aliases == NULL)
		return TL_OK;
	TL_TRY(find_in(text, aliases->outer, aliases->outer != NULL ? aliases->outer->count : 0, type, name_ret));
	for (tl_size i = 0; i < count && *name_ret == NULL; i++) {
		TL_TRY(is_same(text, aliases->items[i].type, type, &same));
		if (same)
			*name_ret = aliases->items[i].name;
	}
	return TL_OK;
}

/* The name of a typedef that the class has, which goes without the class there; NULL: it is none. */
static const char *own_typedef(const struct text *text, const struct tl_type *type)
{
	for (const struct aliases *at = text->aliases; at != NULL && !text->no_typedefs; at = at->outer)
		for (tl_size i = at->parameters; i < at->count; i++)
			if (at->items[i].alias == type)
				return at->items[i].name;
	return NULL;
}

/* The name by which a type goes in the class that is written; NULL: none. */
static enum tl_status find_alias(struct text *text, const struct tl_type *type, const char **name_ret)
{
	const struct aliases *aliases = text->aliases;

	*name_ret = NULL;
	if (aliases == NULL)
		return TL_OK;
	*name_ret = own_typedef(text, type);
	if (*name_ret != NULL)
		return TL_OK;
	TL_TRY(tl_type_strip(type, &type, text->error));
	return find_in(text, aliases, text->no_typedefs ? aliases->parameters : aliases->count, type, name_ret);
}

static enum tl_status add_aliases(struct text *text, struct aliases *aliases, const struct tl_type *class,
				  enum tl_member_kind kind, unsigned level, unsigned *looked_at)
{
	const struct tl_member *members;
	const struct tl_type *type;
	tl_size count;

	if (level > STEPS_MAX || ++*looked_at > CLASSES_MAX)
		return too_deep(text);
	TL_TRY(tl_type_members(class, &members, &count, text->error));
	for (tl_size i = 0; i < count && aliases->count < ALIASES_MAX; i++) {
		if (members[i].kind != kind || members[i].name == NULL ||
		    (kind == TL_MEMBER_TYPE && members[i].entry.tag != DW_TAG_typedef))
			continue;
		TL_TRY(tl_member_type(class, &members[i], &type, text->error));
		aliases->items[aliases->count].alias = type;
		TL_TRY(tl_type_strip(type, &type, text->error));
		aliases->items[aliases->count].type = type;
		aliases->items[aliases->count++].name = members[i].name;
	}
	for (tl_size i = 0; i < count && kind == TL_MEMBER_TYPE; i++)
		if (members[i].kind == TL_MEMBER_BASE) {
			TL_TRY(tl_member_type(class, &members[i], &type, text->error));
			TL_TRY(tl_type_strip(type, &type, text->error));
			TL_TRY(add_aliases(text, aliases, type, kind, level + 1, looked_at));
		}
	return TL_OK;
}

/* "[with T = int] ": what the parameters of the template are that are types. */
static enum tl_status write_template(struct text *text, const struct tl_type *class, const struct tl_member *members,
				     tl_size count)
{
	const struct tl_type *type;
	bool first = true;

	for (tl_size i = 0; i < count; i++) {
		if (members[i].kind != TL_MEMBER_TEMPLATE_TYPE || members[i].name == NULL)
			continue;
		TL_TRY(tl_member_type(class, &members[i], &type, text->error));
		tl_output_format(text->output, "%s%s = ", first ? "[with " : ", ", members[i].name);
		first = false;
		TL_TRY(write_type(text, type, "", SHOW_NAME, 0, NULL));
	}
	tl_output_text(text->output, first ? "" : "] ");
	return TL_OK;
}

/* The heading of an enumeration: "enum class colour : unsigned char ". */
static enum tl_status write_enum_head(struct text *text, const struct tl_type *type)
{
	const struct tl_type *under;

	tl_output_text(text->output, keyword(type));
	if (type->name != NULL) {
		TL_TRY(write_full_name(text, type));
		tl_output_text(text->output, " ");
	}
	if (!type->has_scopes)
		return TL_OK;
	TL_TRY(tl_type_target(type, &under, text->error));
	if (under->name == NULL || under->kind == TL_TYPE_VOID)
		return TL_OK;
	tl_output_text(text->output, ": ");
	TL_TRY(write_full_name(text, under));
	tl_output_text(text->output, " ");
	return TL_OK;
}

static enum tl_status write_enum(struct text *text, const struct tl_type *type, enum show show)
{
	const struct tl_member *members;
	tl_size count;
	tl_i64 next = 0;
	bool first = true;

	TL_TRY(write_enum_head(text, type));
	if (show < SHOW_MEMBERS) {
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

static void write_label(struct text *text, enum tl_accessibility access, enum tl_accessibility *label, tl_size level)
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

static void write_gap(struct text *text, const struct place *place, tl_u64 to, const char *what)
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
static void write_columns(struct text *text, bool in_union, const struct tl_member *field, tl_u64 size,
			  struct place *place)
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
static enum tl_status is_nested(struct text *text, const struct tl_type *type, bool *nested_ret)
{
	const struct tl_type *core;
	unsigned qualifiers;

	TL_TRY(resolve(text, type, SHOW_MEMBERS, &core, &qualifiers));
	*nested_ret = core->kind == TL_TYPE_STRUCT || core->kind == TL_TYPE_CLASS || core->kind == TL_TYPE_UNION;
	return TL_OK;
}

static enum tl_status write_field(struct text *text, const struct tl_type *parent, const struct tl_member *field,
				  enum show show, tl_size level, struct place *place)
{
	const bool offsets = (text->flags & TL_TYPE_TEXT_OFFSETS) != 0;
	enum show inside = show > SHOW_MEMBERS ? SHOW_MEMBERS : SHOW_NAME;
	struct place nested_place = {0, 0};
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
	TL_TRY(write_type(text, type, field->name != NULL ? field->name : "", inside, level + 4, &nested_place));
	if (field->bit_size != 0)
		tl_output_format(text->output, " : %u", field->bit_size);
	tl_output_text(text->output, ";\n");
	return tl_output_status(text->output, text->error);
}

static enum tl_status write_parameters(struct text *text, const struct tl_type *function, bool hide_artificial)
{
	const struct tl_member *members;
	tl_size count, written = 0;

	TL_TRY(tl_type_members(function, &members, &count, text->error));
	tl_output_text(text->output, "(");
	for (tl_size i = 0; i < count; i++) {
		const struct tl_type *type;

		if (members[i].kind != TL_MEMBER_PARAMETER && members[i].kind != TL_MEMBER_VARIADIC)
			continue;
		if (members[i].artificial && hide_artificial)
			continue;
		if (members[i].kind == TL_MEMBER_VARIADIC && written == 0 && !function->prototyped &&
		    !function->has_scopes)
			continue;
		tl_output_text(text->output, written++ != 0 ? ", " : "");
		if (members[i].kind == TL_MEMBER_VARIADIC) {
			tl_output_text(text->output, "...");
			continue;
		}
		TL_TRY(tl_member_type(function, &members[i], &type, text->error));
		TL_TRY(write_type(text, type, "", SHOW_NAME, 0, NULL));
		/* `this` cannot be changed; only some compilers say so. */
		if (members[i].artificial && type->kind == TL_TYPE_POINTER)
			tl_output_text(text->output, " const");
	}
	if (written == 0 && (function->prototyped || function->has_scopes))
		tl_output_text(text->output, "void");
	tl_output_text(text->output, ")");
	return TL_OK;
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

/* What the object's own parameter says: " const", " volatile". */
static enum tl_status write_object_qualifiers(struct text *text, const struct tl_type *function)
{
	const struct tl_member *members;
	const struct tl_type *type;
	unsigned qualifiers;
	tl_size count;

	TL_TRY(tl_type_members(function, &members, &count, text->error));
	if (count == 0 || !members[0].artificial)
		return TL_OK;
	TL_TRY(tl_member_type(function, &members[0], &type, text->error));
	TL_TRY(resolve(text, type, SHOW_ALL, &type, &qualifiers));
	if (type->kind != TL_TYPE_POINTER)
		return TL_OK;
	TL_TRY(tl_type_target(type, &type, text->error));
	TL_TRY(resolve(text, type, SHOW_MEMBERS, &type, &qualifiers));
	write_qualifiers(text, qualifiers, true, true, false);
	return TL_OK;
}

static enum tl_status write_function(struct text *text, const struct tl_type *parent, const struct tl_member *member,
				     tl_size level)
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
		TL_TRY(write_type(text, result, "", SHOW_NAME, 0, NULL));
		tl_output_text(text->output, " ");
	}
	tl_type_write_canonical(name, text->output);
	TL_TRY(write_parameters(text, function, true));
	TL_TRY(write_object_qualifiers(text, function));
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
static enum tl_status write_functions(struct text *text, const struct tl_type *type, const struct tl_member *members,
				      tl_size count, enum tl_accessibility *label, tl_size level)
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

static enum tl_status write_typedefs(struct text *text, const struct tl_type *type, const struct tl_member *members,
				     tl_size count, bool anything, enum tl_accessibility *label, tl_size level)
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
		TL_TRY(write_type(text, target, members[i].name != NULL ? members[i].name : "", SHOW_MEMBERS, level + 4,
				  NULL));
		text->no_typedefs = false;
		tl_output_text(text->output, ";\n");
	}
	return tl_output_status(text->output, text->error);
}

static enum tl_status write_bases(struct text *text, const struct tl_type *type, const struct tl_member *members,
				  tl_size count)
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
		TL_TRY(write_full_name(text, base));
	}
	if (!first)
		tl_output_text(text->output, " ");
	return TL_OK;
}

/* The line for a struct of which nothing can be shown. */
static void write_nothing(struct text *text, const struct tl_type *type, tl_size level)
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

static enum tl_status write_members(struct text *text, const struct tl_type *type, const struct tl_member *members,
				    tl_size count, enum show show, tl_size level, struct place *place)
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
static void write_end(struct text *text, const struct tl_type *type, enum show show, tl_size level, struct place *place)
{
	if (show > SHOW_MEMBERS) {
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
static enum tl_status write_inside(struct text *text, const struct tl_type *type, const struct tl_member *members,
				   tl_size count, enum show show, tl_size level, struct place *place)
{
	const struct aliases *outer = text->aliases;
	unsigned looked_at = 0;
	struct aliases own;
	enum tl_status status;

	if (!type->has_scopes || (text->flags & TL_TYPE_TEXT_ALIASES) == 0)
		return write_members(text, type, members, count, show, level, place);
	own.outer = outer;
	own.count = 0;
	TL_TRY(add_aliases(text, &own, type, TL_MEMBER_TEMPLATE_TYPE, 0, &looked_at));
	own.parameters = own.count;
	TL_TRY(add_aliases(text, &own, type, TL_MEMBER_TYPE, 0, &looked_at));
	text->aliases = &own;
	status = write_members(text, type, members, count, show, level, place);
	text->aliases = outer;
	return status;
}

static enum tl_status write_struct(struct text *text, const struct tl_type *type, enum show show, tl_size level,
				   struct place *place)
{
	const struct tl_member *members;
	struct place own = {0, 0};
	tl_size count;

	tl_output_text(text->output, keyword(type));
	if (type->name != NULL) {
		TL_TRY(write_full_name(text, type));
		tl_output_text(text->output, " ");
	}
	if (show < SHOW_MEMBERS) {
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

/* What stands in front of a declared name and its stars: the type at the end of the chain. */
static enum tl_status write_base(struct text *text, const struct tl_type *type, enum show show, tl_size level,
				 unsigned qualifiers, struct place *place)
{
	const struct tl_type *core = type;
	const char *alias = NULL;
	unsigned more = 0;

	for (int i = 0;; i++) {
		if (i == TL_TYPE_CHAIN_MAX)
			return too_deep(text);
		TL_TRY(resolve(text, core, show, &core, &more));
		/* Qualifiers of an array are those of its elements; those of a pointer stand behind its star. */
		qualifiers |= more;
		if (core->kind != TL_TYPE_POINTER && core->kind != TL_TYPE_REFERENCE &&
		    core->kind != TL_TYPE_RVALUE_REFERENCE && core->kind != TL_TYPE_MEMBER_POINTER &&
		    core->kind != TL_TYPE_ARRAY && core->kind != TL_TYPE_FUNCTION)
			break;
		if (core->kind != TL_TYPE_ARRAY)
			qualifiers = 0;
		TL_TRY(tl_type_target(core, &core, text->error));
	}
	write_qualifiers(text, qualifiers, core->has_scopes, false, true);
	if (show <= SHOW_MEMBERS && core->name != NULL) {
		TL_TRY(find_alias(text, core, &alias));
		if (alias != NULL) {
			tl_output_text(text->output, alias);
			return TL_OK;
		}
	}
	if (core->kind == TL_TYPE_STRUCT || core->kind == TL_TYPE_CLASS || core->kind == TL_TYPE_UNION) {
		if (show > SHOW_MEMBERS || core->name == NULL)
			return write_struct(text, core, show, level, place);
		tl_output_text(text->output, core->has_scopes ? "" : keyword(core));
	} else if (core->kind == TL_TYPE_ENUM) {
		if (show > SHOW_MEMBERS || core->name == NULL)
			return write_enum(text, core, show);
		tl_output_text(text->output, core->has_scopes ? "" : keyword(core));
	}
	return write_full_name(text, core);
}

/* A step of a declarator; they nest as the types do, and are written from the inside out. */
struct step {
	const struct tl_type *type;
	unsigned qualifiers;
	bool behind_pointer; /* what it is the target of is a pointer: a function or array needs parentheses */
};

struct steps {
	struct step steps[STEPS_MAX];
	tl_size count;
};

static enum tl_status collect_steps(struct text *text, const struct tl_type *type, enum show show, struct steps *steps)
{
	bool behind_pointer = false;

	steps->count = 0;
	for (;;) {
		struct step step = {.behind_pointer = behind_pointer};

		TL_TRY(resolve(text, type, show, &step.type, &step.qualifiers));
		switch (step.type->kind) {
		case TL_TYPE_POINTER:
		case TL_TYPE_REFERENCE:
		case TL_TYPE_RVALUE_REFERENCE:
		case TL_TYPE_MEMBER_POINTER:
			behind_pointer = true;
			break;
		case TL_TYPE_ARRAY:
		case TL_TYPE_FUNCTION:
			behind_pointer = false;
			break;
		case TL_TYPE_VOID:
		case TL_TYPE_BASE:
		case TL_TYPE_STRUCT:
		case TL_TYPE_CLASS:
		case TL_TYPE_UNION:
		case TL_TYPE_ENUM:
		case TL_TYPE_TYPEDEF:
		case TL_TYPE_CONST:
		case TL_TYPE_VOLATILE:
		case TL_TYPE_RESTRICT:
		case TL_TYPE_ATOMIC:
		case TL_TYPE_UNSPECIFIED:
		case TL_TYPE_MAX:
			return TL_OK;
		}
		if (steps->count == STEPS_MAX)
			return too_deep(text);
		steps->steps[steps->count++] = step;
		TL_TRY(tl_type_target(step.type, &type, text->error));
	}
}

/* Whether more of the declarator follows right behind the step's qualifiers. */
static bool is_followed(const struct steps *steps, tl_size i, bool named)
{
	while (i > 0 && steps->steps[i - 1].type->kind == TL_TYPE_ARRAY)
		i--;
	return i > 0 ? steps->steps[i - 1].type->kind == TL_TYPE_POINTER : named;
}

/* What stands in front of the name: stars, and the parentheses that they need. The innermost of the type comes first.
 */
static enum tl_status write_prefix(struct text *text, const struct steps *steps, bool named)
{
	for (tl_size i = steps->count; i-- > 0;) {
		const struct step *step = &steps->steps[i];

		switch ((int)step->type->kind) {
		case TL_TYPE_POINTER:
			tl_output_text(text->output, "*");
			break;
		case TL_TYPE_REFERENCE:
			tl_output_text(text->output, "&");
			break;
		case TL_TYPE_RVALUE_REFERENCE:
			tl_output_text(text->output, "&&");
			break;
		case TL_TYPE_MEMBER_POINTER: {
			const struct tl_type *container;

			TL_TRY(tl_type_container(step->type, &container, text->error));
			TL_TRY(write_full_name(text, container));
			tl_output_text(text->output, "::*");
			break;
		}
		default:
			if (step->behind_pointer)
				tl_output_text(text->output, "(");
			continue;
		}
		write_qualifiers(text, step->qualifiers, step->type->has_scopes, true, is_followed(steps, i, named));
	}
	return TL_OK;
}

static enum tl_status write_suffix(struct text *text, const struct steps *steps)
{
	for (tl_size i = 0; i < steps->count; i++) {
		const struct step *step = &steps->steps[i];

		if (step->type->kind != TL_TYPE_ARRAY && step->type->kind != TL_TYPE_FUNCTION)
			continue;
		if (step->behind_pointer)
			tl_output_text(text->output, ")");
		if (step->type->kind == TL_TYPE_FUNCTION) {
			TL_TRY(write_parameters(text, step->type, false));
		} else {
			const struct tl_bound *bound;

			TL_TRY(tl_type_bound(step->type, &bound, text->error));
			tl_output_text(text->output, step->type->vector ? " __attribute__ ((vector_size(" : "[");
			if (bound->kind == TL_BOUND_CONSTANT)
				tl_output_format(text->output, "%llu", (unsigned long long)bound->count);
			else if (bound->kind == TL_BOUND_EXPRESSION)
				tl_output_text(text->output, "variable length");
			tl_output_text(text->output, step->type->vector ? ")))" : "]");
		}
	}
	return TL_OK;
}

static enum tl_status write_declarator(struct text *text, const struct tl_type *type, const char *name, enum show show)
{
	struct steps steps;

	TL_TRY(collect_steps(text, type, show, &steps));
	if (name[0] != 0 || (steps.count > 0 && !steps.steps[0].type->vector))
		tl_output_text(text->output, " ");
	TL_TRY(write_prefix(text, &steps, name[0] != 0));
	tl_output_text(text->output, name);
	return write_suffix(text, &steps);
}

static enum tl_status write_type(struct text *text, const struct tl_type *type, const char *name, enum show show,
				 tl_size level, struct place *place)
{
	enum tl_status status;

	if (text->depth == DEPTH_MAX)
		return too_deep(text);
	text->depth++;
	status = write_base(text, type, show, level, 0, place);
	if (status == TL_OK)
		status = write_declarator(text, type, name, show);
	text->depth--;
	return status != TL_OK ? status : tl_output_status(text->output, text->error);
}

enum tl_status tl_type_write_name(const struct tl_type *type, struct tl_output *output, struct tl_error *error)
{
	struct text text = {.output = output, .error = error};

	return write_type(&text, type, "", SHOW_NAME, 0, NULL);
}

enum tl_status tl_type_write_declaration(const struct tl_type *type, const char *name, struct tl_output *output,
					 struct tl_error *error)
{
	struct text text = {.output = output, .error = error};

	return write_type(&text, type, name, SHOW_MEMBERS, 0, NULL);
}

enum tl_status tl_type_write_parameters(const struct tl_type *function, struct tl_output *output,
					struct tl_error *error)
{
	struct text text = {.output = output, .error = error};

	if (function->kind != TL_TYPE_FUNCTION)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the type is no function's");
	TL_TRY(write_parameters(&text, function, true));
	TL_TRY(write_object_qualifiers(&text, function));
	return tl_output_status(output, error);
}

enum tl_status tl_type_write_plain_parameters(const struct tl_type *function, struct tl_output *output,
					      struct tl_error *error)
{
	struct tl_output own = tl_output_make(65536);
	enum tl_status status = tl_type_write_parameters(function, &own, error);
	const char *text = tl_output_string(&own);

	if (status == TL_OK)
		tl_output_format(output, "%s%s", strncmp(text, "(void)", 6) == 0 ? "()" : "",
				 strncmp(text, "(void)", 6) == 0 ? text + 6 : text);
	tl_output_release(&own);
	return status != TL_OK ? status : tl_output_status(output, error);
}

/* gdb heads the columns only where it is told the struct itself, not what stands for it or leads to it. */
static enum tl_status is_struct(const struct tl_type *type, bool *is_ret, struct tl_error *error)
{
	for (int i = 0; i < TL_TYPE_CHAIN_MAX && (type->kind == TL_TYPE_CONST || type->kind == TL_TYPE_VOLATILE); i++)
		TL_TRY(tl_type_target(type, &type, error));
	*is_ret = type->kind == TL_TYPE_STRUCT || type->kind == TL_TYPE_CLASS || type->kind == TL_TYPE_UNION;
	return TL_OK;
}

enum tl_status tl_type_write_description(const struct tl_type *type, unsigned flags, struct tl_output *output,
					 struct tl_error *error)
{
	struct text text = {.output = output, .error = error, .flags = flags};
	bool headed = false;

	if ((flags & TL_TYPE_TEXT_OFFSETS) != 0)
		TL_TRY(is_struct(type, &headed, error));
	if (headed)
		tl_output_text(output, "/* offset      |    size */  ");
	tl_output_text(output, "type = ");
	TL_TRY(write_type(&text, type, "", SHOW_ALL, 0, NULL));
	tl_output_text(output, "\n");
	return tl_output_status(output, error);
}
