#include "symbols/type_text.h"

#include "symbols/type_store.h"
#include "symbols/type_text_internal.h"

#include <string.h>

enum { CONST = 1, VOLATILE = 2, RESTRICT = 4, ATOMIC = 8 };

enum tl_status tl_type_text_too_deep(const struct tl_type_text *text)
{
	return TL_FAIL(text->error, TL_ERROR_MALFORMED,
		       "types nest more than %d deep: the debug information is damaged", TL_TYPE_TEXT_DEPTH_MAX);
}

enum tl_status tl_type_text_resolve(const struct tl_type_text *text, const struct tl_type *type, enum tl_type_show show,
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
		else if (type->kind != TL_TYPE_TYPEDEF || (show <= TL_TYPE_SHOW_MEMBERS && type->name != NULL)) {
			*core_ret = type;
			*qualifiers_ret = qualifiers;
			return show > TL_TYPE_SHOW_MEMBERS ? tl_type_complete(type, core_ret, text->error) : TL_OK;
		}
		TL_TRY(tl_type_target(type, &type, text->error));
	}
	return TL_FAIL(text->error, TL_ERROR_MALFORMED, "type `%s` leads back to itself",
		       type->name != NULL ? type->name : "(unnamed)");
}

void tl_type_text_qualifiers(struct tl_type_text *text, unsigned qualifiers, bool has_scopes, bool space_before,
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

const char *tl_type_text_keyword(const struct tl_type *type)
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

enum tl_status tl_type_text_full_name(struct tl_type_text *text, const struct tl_type *type)
{
	const char *name;

	TL_TRY(tl_type_full_name(type, &name, text->error));
	tl_output_text(text->output, name != NULL ? name : "");
	return TL_OK;
}

enum tl_status tl_type_text_parameters(struct tl_type_text *text, const struct tl_type *function, bool hide_artificial)
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
		TL_TRY(tl_type_text_write(text, type, "", TL_TYPE_SHOW_NAME, 0, NULL));
		/* `this` cannot be changed; only some compilers say so. */
		if (members[i].artificial && type->kind == TL_TYPE_POINTER)
			tl_output_text(text->output, " const");
	}
	if (written == 0 && (function->prototyped || function->has_scopes))
		tl_output_text(text->output, "void");
	tl_output_text(text->output, ")");
	return TL_OK;
}

enum tl_status tl_type_text_object_qualifiers(struct tl_type_text *text, const struct tl_type *function)
{
	const struct tl_member *members;
	const struct tl_type *type;
	unsigned qualifiers;
	tl_size count;

	TL_TRY(tl_type_members(function, &members, &count, text->error));
	if (count == 0 || !members[0].artificial)
		return TL_OK;
	TL_TRY(tl_member_type(function, &members[0], &type, text->error));
	TL_TRY(tl_type_text_resolve(text, type, TL_TYPE_SHOW_ALL, &type, &qualifiers));
	if (type->kind != TL_TYPE_POINTER)
		return TL_OK;
	TL_TRY(tl_type_target(type, &type, text->error));
	TL_TRY(tl_type_text_resolve(text, type, TL_TYPE_SHOW_MEMBERS, &type, &qualifiers));
	tl_type_text_qualifiers(text, qualifiers, true, true, false);
	return TL_OK;
}

/* What stands in front of a declared name and its stars: the type at the end of the chain. */
static enum tl_status write_base(struct tl_type_text *text, const struct tl_type *type, enum tl_type_show show,
				 tl_size level, unsigned qualifiers, struct tl_type_place *place)
{
	const struct tl_type *core = type;
	const char *alias = NULL;
	unsigned more = 0;

	for (int i = 0;; i++) {
		if (i == TL_TYPE_CHAIN_MAX)
			return tl_type_text_too_deep(text);
		TL_TRY(tl_type_text_resolve(text, core, show, &core, &more));
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
	tl_type_text_qualifiers(text, qualifiers, core->has_scopes, false, true);
	if (show <= TL_TYPE_SHOW_MEMBERS && core->name != NULL) {
		TL_TRY(tl_type_text_alias(text, core, &alias));
		if (alias != NULL) {
			tl_output_text(text->output, alias);
			return TL_OK;
		}
	}
	if (core->kind == TL_TYPE_STRUCT || core->kind == TL_TYPE_CLASS || core->kind == TL_TYPE_UNION) {
		if (show > TL_TYPE_SHOW_MEMBERS || core->name == NULL)
			return tl_type_text_struct(text, core, show, level, place);
		tl_output_text(text->output, core->has_scopes ? "" : tl_type_text_keyword(core));
	} else if (core->kind == TL_TYPE_ENUM) {
		if (show > TL_TYPE_SHOW_MEMBERS || core->name == NULL)
			return tl_type_text_enum(text, core, show);
		tl_output_text(text->output, core->has_scopes ? "" : tl_type_text_keyword(core));
	}
	return tl_type_text_full_name(text, core);
}

/* A step of a declarator; they nest as the types do, and are written from the inside out. */
struct step {
	const struct tl_type *type;
	unsigned qualifiers;
	bool behind_pointer; /* what it is the target of is a pointer: a function or array needs parentheses */
};

struct steps {
	struct step steps[TL_TYPE_TEXT_STEPS_MAX];
	tl_size count;
};

static enum tl_status collect_steps(struct tl_type_text *text, const struct tl_type *type, enum tl_type_show show,
				    struct steps *steps)
{
	bool behind_pointer = false;

	steps->count = 0;
	for (;;) {
		struct step step = {.behind_pointer = behind_pointer};

		TL_TRY(tl_type_text_resolve(text, type, show, &step.type, &step.qualifiers));
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
		if (steps->count == TL_TYPE_TEXT_STEPS_MAX)
			return tl_type_text_too_deep(text);
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
static enum tl_status write_prefix(struct tl_type_text *text, const struct steps *steps, bool named)
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
			TL_TRY(tl_type_text_full_name(text, container));
			tl_output_text(text->output, "::*");
			break;
		}
		default:
			if (step->behind_pointer)
				tl_output_text(text->output, "(");
			continue;
		}
		tl_type_text_qualifiers(text, step->qualifiers, step->type->has_scopes, true,
					is_followed(steps, i, named));
	}
	return TL_OK;
}

static enum tl_status write_suffix(struct tl_type_text *text, const struct steps *steps)
{
	for (tl_size i = 0; i < steps->count; i++) {
		const struct step *step = &steps->steps[i];

		if (step->type->kind != TL_TYPE_ARRAY && step->type->kind != TL_TYPE_FUNCTION)
			continue;
		if (step->behind_pointer)
			tl_output_text(text->output, ")");
		if (step->type->kind == TL_TYPE_FUNCTION) {
			TL_TRY(tl_type_text_parameters(text, step->type, false));
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

static enum tl_status write_declarator(struct tl_type_text *text, const struct tl_type *type, const char *name,
				       enum tl_type_show show)
{
	struct steps steps;

	TL_TRY(collect_steps(text, type, show, &steps));
	if (name[0] != 0 || (steps.count > 0 && !steps.steps[0].type->vector))
		tl_output_text(text->output, " ");
	TL_TRY(write_prefix(text, &steps, name[0] != 0));
	tl_output_text(text->output, name);
	return write_suffix(text, &steps);
}

enum tl_status tl_type_text_write(struct tl_type_text *text, const struct tl_type *type, const char *name,
				  enum tl_type_show show, tl_size level, struct tl_type_place *place)
{
	enum tl_status status;

	if (text->depth == TL_TYPE_TEXT_DEPTH_MAX)
		return tl_type_text_too_deep(text);
	text->depth++;
	status = write_base(text, type, show, level, 0, place);
	if (status == TL_OK)
		status = write_declarator(text, type, name, show);
	text->depth--;
	return status != TL_OK ? status : tl_output_status(text->output, text->error);
}

enum tl_status tl_type_write_name(const struct tl_type *type, struct tl_output *output, struct tl_error *error)
{
	struct tl_type_text text = {.output = output, .error = error};

	return tl_type_text_write(&text, type, "", TL_TYPE_SHOW_NAME, 0, NULL);
}

enum tl_status tl_type_write_declaration(const struct tl_type *type, const char *name, struct tl_output *output,
					 struct tl_error *error)
{
	struct tl_type_text text = {.output = output, .error = error};

	return tl_type_text_write(&text, type, name, TL_TYPE_SHOW_MEMBERS, 0, NULL);
}

enum tl_status tl_type_write_parameters(const struct tl_type *function, struct tl_output *output,
					struct tl_error *error)
{
	struct tl_type_text text = {.output = output, .error = error};

	if (function->kind != TL_TYPE_FUNCTION)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the type is no function's");
	TL_TRY(tl_type_text_parameters(&text, function, true));
	TL_TRY(tl_type_text_object_qualifiers(&text, function));
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
	struct tl_type_text text = {.output = output, .error = error, .flags = flags};
	bool headed = false;

	if ((flags & TL_TYPE_TEXT_OFFSETS) != 0)
		TL_TRY(is_struct(type, &headed, error));
	if (headed)
		tl_output_text(output, "/* offset      |    size */  ");
	tl_output_text(output, "type = ");
	TL_TRY(tl_type_text_write(&text, type, "", TL_TYPE_SHOW_ALL, 0, NULL));
	tl_output_text(output, "\n");
	return tl_output_status(output, error);
}
