#include "symbols/demangle_print.h"

#include <string.h>

typedef const struct tl_mangled_node *node;

bool tl_printer_enter(struct tl_printer *printer)
{
	if (printer->depth >= TL_MANGLED_DEPTH || printer->steps >= TL_MANGLED_STEPS ||
	    printer->output->status != TL_OK)
		printer->too_much = true;
	if (printer->too_much || printer->malformed)
		return false;
	printer->steps++;
	printer->depth++;
	return true;
}

void tl_printer_leave(struct tl_printer *printer)
{
	printer->depth--;
}

void tl_printer_text(struct tl_printer *printer, const char *text)
{
	tl_output_text(printer->output, text);
}

void tl_printer_own_text(struct tl_printer *printer, node what)
{
	tl_output_bytes(printer->output, what->text, what->size);
}

char tl_printer_last(const struct tl_printer *printer)
{
	return printer->output->size != 0 ? printer->output->text[printer->output->size - 1] : '\0';
}

static void cut(struct tl_printer *printer, tl_size size)
{
	printer->output->size = size;
	printer->output->text[size] = '\0';
}

/* ---- Template parameters ---- */

/* What a parameter stands for here; NULL: nothing. Of a pack that is being expanded the element. */
static node argument_of(struct tl_printer *printer, node parameter)
{
	node list = printer->scope != NULL ? printer->scope->arguments : NULL;

	for (tl_u32 i = 0; list != NULL && i < parameter->number; i++, list = list->b)
		printer->steps++;
	return list != NULL ? list->a : NULL;
}

static node element_of(struct tl_printer *printer, node pack)
{
	node list = pack->b;

	for (tl_u32 i = 0; list != NULL && i < printer->element; i++, list = list->b)
		printer->steps++;
	return list != NULL ? list->a : NULL;
}

/* What `call` does is done with what a parameter stands for, in the scope where that was written. */
static void with_argument(struct tl_printer *printer, node parameter, void (*call)(struct tl_printer *, node))
{
	const struct tl_printer_scope *scope = printer->scope;
	node found = argument_of(printer, parameter);

	if (found != NULL && found->kind == TL_MANGLED_PACK)
		found = element_of(printer, found);
	if (found == NULL) {
		printer->malformed = true;
		return;
	}
	printer->scope = scope->outer;
	call(printer, found);
	printer->scope = scope;
}

/* What stands behind parameters: how what is around it must be written. *scope_ret is where it was written. */
static node resolve(struct tl_printer *printer, node what, const struct tl_printer_scope **scope_ret)
{
	const struct tl_printer_scope *scope = printer->scope;
	node found = what;

	while (found != NULL && found->kind == TL_MANGLED_PARAMETER && printer->scope != NULL && printer->lambda == 0) {
		found = argument_of(printer, found);
		if (found != NULL && found->kind == TL_MANGLED_PACK)
			found = element_of(printer, found);
		printer->scope = printer->scope->outer;
	}
	*scope_ret = printer->scope;
	printer->scope = scope;
	return found != NULL ? found : what;
}

/* What a type is without words on it. */
static enum tl_mangled_kind shape_of(struct tl_printer *printer, node what)
{
	const struct tl_printer_scope *scope = printer->scope, *other;

	what = resolve(printer, what, &other);
	while (what->kind == TL_MANGLED_SUFFIX || what->kind == TL_MANGLED_NOEXCEPT) {
		printer->scope = other;
		what = resolve(printer, what->a, &other);
	}
	printer->scope = scope;
	return what->kind;
}

/* A type with something to its right: "(*" and ")" go between. */
static bool is_around(struct tl_printer *printer, node what)
{
	enum tl_mangled_kind kind = shape_of(printer, what);

	return kind == TL_MANGLED_FUNCTION || kind == TL_MANGLED_ARRAY;
}

/* ---- Packs ---- */

/* The first pack that a pattern has; NULL for none. */
node tl_printer_find_pack(struct tl_printer *printer, node what)
{
	node found = NULL;

	if (what == NULL || !tl_printer_enter(printer))
		return NULL;
	if (what->kind == TL_MANGLED_PARAMETER) {
		found = printer->lambda == 0 ? argument_of(printer, what) : NULL;
		found = found != NULL && found->kind == TL_MANGLED_PACK ? found : NULL;
	} else if (what->kind != TL_MANGLED_EXPANSION && what->kind != TL_MANGLED_LAMBDA) {
		found = tl_printer_find_pack(printer, what->a);
		if (found == NULL)
			found = tl_printer_find_pack(printer, what->b);
		if (found == NULL)
			found = tl_printer_find_pack(printer, what->c);
	}
	tl_printer_leave(printer);
	return found;
}

tl_u32 tl_printer_pack_length(node pack)
{
	tl_u32 length = 0;

	for (node list = pack->b; list != NULL; list = list->b)
		length++;
	return length;
}

/* Separates by commas what is there: an empty pack leaves none. */
static void begin_item(struct tl_printer *printer, tl_size start, tl_size *before_ret)
{
	*before_ret = printer->output->size;
	if (printer->output->size != start)
		tl_printer_text(printer, ", ");
}

static void end_item(struct tl_printer *printer, tl_size start, tl_size before)
{
	if (before != start && printer->output->status == TL_OK && printer->output->size == before + 2)
		cut(printer, before);
}

static void print_expansion(struct tl_printer *printer, node what)
{
	node pack = tl_printer_find_pack(printer, what->a);
	tl_u32 length = pack != NULL ? tl_printer_pack_length(pack) : 0, element = printer->element;
	tl_size start = printer->output->size, before;

	/* Of the parameters of a function only that there are some is known. */
	if (pack == NULL) {
		tl_printer_operand(printer, what->a);
		tl_printer_text(printer, "...");
		return;
	}
	for (tl_u32 i = 0; i < length && !printer->too_much; i++) {
		printer->element = i;
		begin_item(printer, start, &before);
		tl_printer_print(printer, what->a);
		end_item(printer, start, before);
	}
	printer->element = element;
}

static void print_list(struct tl_printer *printer, node list)
{
	tl_size start = printer->output->size, before;

	for (; list != NULL && !printer->too_much; list = list->b) {
		begin_item(printer, start, &before);
		tl_printer_print(printer, list->a);
		end_item(printer, start, before);
	}
}

void tl_printer_list(struct tl_printer *printer, const char *open, node list, const char *close)
{
	tl_printer_text(printer, open);
	print_list(printer, list);
	tl_printer_text(printer, close);
}

/* ---- Names ---- */

static void print_template(struct tl_printer *printer, node what)
{
	node current = printer->current;

	printer->current = what->b;
	tl_printer_print(printer, what->a);
	printer->current = current;
	if (tl_printer_last(printer) == '<')
		tl_printer_text(printer, " ");
	tl_printer_list(printer, "<", what->b, "");
	tl_printer_text(printer, tl_printer_last(printer) == '>' ? " >" : ">");
}

/* "operator new": the space of words goes before and not behind. */
static void print_operator(struct tl_printer *printer, node what)
{
	tl_size size = what->size;

	tl_printer_text(printer, what->text[0] >= 'a' && what->text[0] <= 'z' ? "operator " : "operator");
	while (size != 0 && what->text[size - 1] == ' ')
		size--;
	tl_output_bytes(printer->output, what->text, size);
}

static void print_conversion(struct tl_printer *printer, node what)
{
	struct tl_printer_scope inner = {printer->current, printer->scope};

	tl_printer_text(printer, "operator ");
	if (printer->current != NULL)
		printer->scope = &inner;
	tl_printer_print(printer, what->a);
	printer->scope = printer->current != NULL ? inner.outer : printer->scope;
}

static void print_lambda(struct tl_printer *printer, node what)
{
	tl_printer_text(printer, "{lambda");
	printer->lambda++;
	tl_printer_list(printer, "(", what->b, ")#");
	printer->lambda--;
	tl_output_format(printer->output, "%u}", what->number);
}

/* A part of a name; false for what is none. */
static bool print_name(struct tl_printer *printer, node what)
{
	switch ((unsigned)what->kind) {
	case TL_MANGLED_NAME:
	case TL_MANGLED_STANDARD:
	case TL_MANGLED_BUILTIN:
		tl_printer_own_text(printer, what);
		return true;
	case TL_MANGLED_QUALIFIED:
	case TL_MANGLED_LOCAL:
		tl_printer_print(printer, what->a);
		tl_printer_text(printer, "::");
		tl_printer_print(printer, what->b);
		return true;
	case TL_MANGLED_TEMPLATE:
		print_template(printer, what);
		return true;
	case TL_MANGLED_CONSTRUCTOR:
		tl_printer_print(printer, what->a);
		return true;
	case TL_MANGLED_DESTRUCTOR:
		tl_printer_text(printer, "~");
		tl_printer_print(printer, what->a);
		return true;
	case TL_MANGLED_OPERATOR:
		print_operator(printer, what);
		return true;
	case TL_MANGLED_CONVERSION:
		print_conversion(printer, what);
		return true;
	case TL_MANGLED_LITERAL_OPERATOR:
		tl_printer_text(printer, "operator\"\" ");
		tl_printer_print(printer, what->a);
		return true;
	case TL_MANGLED_LAMBDA:
		print_lambda(printer, what);
		return true;
	case TL_MANGLED_UNNAMED:
		tl_output_format(printer->output, "{unnamed type#%u}", what->number);
		return true;
	case TL_MANGLED_BINDING:
		tl_printer_list(printer, "[", what->b, "]");
		return true;
	case TL_MANGLED_DEFAULT_ARGUMENT:
		tl_output_format(printer->output, "{default arg#%u}", what->number);
		return true;
	case TL_MANGLED_TAGGED:
		tl_printer_print(printer, what->a);
		tl_printer_text(printer, "[abi:");
		tl_printer_own_text(printer, what);
		tl_printer_text(printer, "]");
		return true;
	default:
		return false;
	}
}

/* ---- What is called so ---- */

/* Whether a type has a part that stands behind the name. */
static bool has_right(struct tl_printer *printer, node what)
{
	const struct tl_printer_scope *scope = printer->scope, *other;
	bool has;

	what = resolve(printer, what, &other);
	printer->scope = other;
	while (what->kind == TL_MANGLED_POINTER || what->kind == TL_MANGLED_REFERENCE ||
	       what->kind == TL_MANGLED_RVALUE || what->kind == TL_MANGLED_MEMBER_POINTER ||
	       what->kind == TL_MANGLED_SUFFIX || what->kind == TL_MANGLED_NOEXCEPT) {
		what = resolve(printer, what->kind == TL_MANGLED_MEMBER_POINTER ? what->b : what->a, &other);
		printer->scope = other;
	}
	has = what->kind == TL_MANGLED_FUNCTION || what->kind == TL_MANGLED_ARRAY;
	printer->scope = scope;
	return has;
}

/* The template whose arguments the types of a function speak of; NULL for none. */
static node template_of(node name)
{
	while (name->kind == TL_MANGLED_METHOD || name->kind == TL_MANGLED_LOCAL)
		name = name->kind == TL_MANGLED_METHOD ? name->a : name->b;
	return name->kind == TL_MANGLED_TEMPLATE ? name : NULL;
}

/* The name of a member function without the words that go behind its parameters, and those. */
node tl_printer_plain_name(node name, void (*word)(struct tl_printer *, node), struct tl_printer *printer)
{
	if (name->kind == TL_MANGLED_METHOD) {
		node inner = tl_printer_plain_name(name->a, word, printer);

		if (word != NULL)
			word(printer, name);
		return inner;
	}
	return name;
}

static void print_encoding(struct tl_printer *printer, node what)
{
	node function = what->b, template = template_of(what->a);
	struct tl_printer_scope inner = {template != NULL ? template->b : NULL, printer->scope};
	const struct tl_printer_scope *outer = printer->scope;

	if (template != NULL)
		printer->scope = &inner;
	if (function->a != NULL) {
		tl_printer_left(printer, function->a);
		if (!has_right(printer, function->a))
			tl_printer_text(printer, " ");
	}
	printer->scope = outer;
	tl_printer_print(printer, tl_printer_plain_name(what->a, NULL, printer));
	if (template != NULL)
		printer->scope = &inner;
	tl_printer_list(printer, "(", function->b, ")");
	if (function->a != NULL)
		tl_printer_right(printer, function->a);
	printer->scope = outer;
	(void)tl_printer_plain_name(what->a, tl_printer_own_text, printer);
}

static void print_special(struct tl_printer *printer, node what)
{
	tl_printer_own_text(printer, what);
	if (what->kind == TL_MANGLED_NUMBERED)
		tl_output_format(printer->output, "%u for ", what->number);
	tl_printer_print(printer, what->a);
	if (what->b != NULL) {
		tl_printer_text(printer, "-in-");
		tl_printer_print(printer, what->b);
	}
}

static bool print_entity(struct tl_printer *printer, node what)
{
	switch ((unsigned)what->kind) {
	case TL_MANGLED_METHOD:
		tl_printer_print(printer, what->a);
		tl_printer_own_text(printer, what);
		return true;
	case TL_MANGLED_ENCODING:
		print_encoding(printer, what);
		return true;
	case TL_MANGLED_SPECIAL:
	case TL_MANGLED_NUMBERED:
		print_special(printer, what);
		return true;
	case TL_MANGLED_CLONE:
		tl_printer_print(printer, what->a);
		tl_printer_text(printer, " [clone ");
		tl_printer_own_text(printer, what);
		tl_printer_text(printer, "]");
		return true;
	default:
		return false;
	}
}

/* ---- Types ---- */

/* What a reference refers to: references to references are one, and of the two kinds & wins (C++17, 11.3.2). */
static node referred(struct tl_printer *printer, node what, bool *rvalue_ret, const struct tl_printer_scope **scope_ret)
{
	const struct tl_printer_scope *scope = printer->scope, *other = scope;
	bool rvalue = what->kind == TL_MANGLED_RVALUE;
	node target = resolve(printer, what->a, &other);

	*scope_ret = scope;
	while ((target->kind == TL_MANGLED_REFERENCE || target->kind == TL_MANGLED_RVALUE) && !printer->too_much) {
		rvalue = rvalue && target->kind == TL_MANGLED_RVALUE;
		printer->scope = other;
		printer->steps++;
		*scope_ret = other;
		what = target;
		target = resolve(printer, target->a, &other);
	}
	printer->scope = scope;
	*rvalue_ret = rvalue;
	return what->a;
}

static void left_of_pointer(struct tl_printer *printer, node target, const char *mark)
{
	tl_printer_left(printer, target);
	if (is_around(printer, target))
		tl_printer_text(printer, shape_of(printer, target) == TL_MANGLED_ARRAY ? " (" : "(");
	tl_printer_text(printer, mark);
}

static void right_of_pointer(struct tl_printer *printer, node target)
{
	if (is_around(printer, target))
		tl_printer_text(printer, ")");
	tl_printer_right(printer, target);
}

static void left_of_reference(struct tl_printer *printer, node what)
{
	const struct tl_printer_scope *scope = printer->scope, *other;
	bool rvalue;
	node target = referred(printer, what, &rvalue, &other);

	printer->scope = other;
	left_of_pointer(printer, target, rvalue ? "&&" : "&");
	printer->scope = scope;
}

static void right_of_reference(struct tl_printer *printer, node what)
{
	const struct tl_printer_scope *scope = printer->scope, *other;
	bool rvalue;
	node target = referred(printer, what, &rvalue, &other);

	printer->scope = other;
	right_of_pointer(printer, target);
	printer->scope = scope;
}

static void left_of_member(struct tl_printer *printer, node what)
{
	tl_printer_left(printer, what->b);
	if (shape_of(printer, what->b) == TL_MANGLED_FUNCTION)
		tl_printer_text(printer, "(");
	else
		tl_printer_text(printer, is_around(printer, what->b) ? " (" : " ");
	tl_printer_print(printer, what->a);
	tl_printer_text(printer, "::*");
}

static void left_of_function(struct tl_printer *printer, node what)
{
	if (what->a == NULL)
		return;
	tl_printer_left(printer, what->a);
	if (!has_right(printer, what->a))
		tl_printer_text(printer, " ");
}

static void right_of_function(struct tl_printer *printer, node what)
{
	tl_printer_list(printer, "(", what->b, ")");
	if (what->a != NULL)
		tl_printer_right(printer, what->a);
	tl_printer_own_text(printer, what);
}

static void right_of_array(struct tl_printer *printer, node what)
{
	if (tl_printer_last(printer) != ']')
		tl_printer_text(printer, " ");
	tl_printer_text(printer, "[");
	if (what->b != NULL)
		tl_printer_print(printer, what->b);
	tl_printer_text(printer, "]");
	tl_printer_right(printer, what->a);
}

/* What stands before the name of something of this type. */
static void left_inside(struct tl_printer *printer, node what)
{
	switch ((unsigned)what->kind) {
	case TL_MANGLED_POINTER:
		left_of_pointer(printer, what->a, "*");
		break;
	case TL_MANGLED_REFERENCE:
	case TL_MANGLED_RVALUE:
		left_of_reference(printer, what);
		break;
	case TL_MANGLED_MEMBER_POINTER:
		left_of_member(printer, what);
		break;
	case TL_MANGLED_FUNCTION:
		left_of_function(printer, what);
		break;
	case TL_MANGLED_ARRAY:
		tl_printer_left(printer, what->a);
		break;
	case TL_MANGLED_SUFFIX:
		tl_printer_left(printer, what->a);
		if (shape_of(printer, what->a) != TL_MANGLED_FUNCTION)
			tl_printer_own_text(printer, what);
		break;
	case TL_MANGLED_NOEXCEPT:
		tl_printer_left(printer, what->a);
		break;
	case TL_MANGLED_PARAMETER:
		if (printer->lambda != 0)
			tl_output_format(printer->output, "auto:%u", what->number + 1);
		else
			with_argument(printer, what, tl_printer_left);
		break;
	default:
		tl_printer_print(printer, what);
		break;
	}
}

void tl_printer_left(struct tl_printer *printer, node what)
{
	if (!tl_printer_enter(printer))
		return;
	left_inside(printer, what);
	tl_printer_leave(printer);
}

/* What stands behind it. */
static void right_inside(struct tl_printer *printer, node what)
{
	switch ((unsigned)what->kind) {
	case TL_MANGLED_POINTER:
		right_of_pointer(printer, what->a);
		break;
	case TL_MANGLED_REFERENCE:
	case TL_MANGLED_RVALUE:
		right_of_reference(printer, what);
		break;
	case TL_MANGLED_MEMBER_POINTER:
		right_of_pointer(printer, what->b);
		break;
	case TL_MANGLED_FUNCTION:
		right_of_function(printer, what);
		break;
	case TL_MANGLED_ARRAY:
		right_of_array(printer, what);
		break;
	case TL_MANGLED_SUFFIX:
		tl_printer_right(printer, what->a);
		if (shape_of(printer, what->a) == TL_MANGLED_FUNCTION)
			tl_printer_own_text(printer, what);
		break;
	case TL_MANGLED_NOEXCEPT:
		tl_printer_right(printer, what->a);
		tl_printer_own_text(printer, what);
		if (what->b != NULL && what->b->kind == TL_MANGLED_LIST)
			tl_printer_list(printer, "(", what->b, ")");
		else if (what->b != NULL) {
			tl_printer_text(printer, "(");
			tl_printer_print(printer, what->b);
			tl_printer_text(printer, ")");
		}
		break;
	case TL_MANGLED_PARAMETER:
		if (printer->lambda == 0)
			with_argument(printer, what, tl_printer_right);
		break;
	default:
		break;
	}
}

void tl_printer_right(struct tl_printer *printer, node what)
{
	if (!tl_printer_enter(printer))
		return;
	right_inside(printer, what);
	tl_printer_leave(printer);
}

static bool print_type(struct tl_printer *printer, node what)
{
	switch ((unsigned)what->kind) {
	case TL_MANGLED_POINTER:
	case TL_MANGLED_REFERENCE:
	case TL_MANGLED_RVALUE:
	case TL_MANGLED_MEMBER_POINTER:
	case TL_MANGLED_FUNCTION:
	case TL_MANGLED_ARRAY:
	case TL_MANGLED_SUFFIX:
	case TL_MANGLED_NOEXCEPT:
	case TL_MANGLED_PARAMETER:
		tl_printer_left(printer, what);
		tl_printer_right(printer, what);
		return true;
	case TL_MANGLED_VECTOR:
		tl_printer_print(printer, what->a);
		tl_printer_text(printer, " __vector(");
		if (what->b != NULL)
			tl_printer_print(printer, what->b);
		tl_printer_text(printer, ")");
		return true;
	case TL_MANGLED_EXPANSION:
		print_expansion(printer, what);
		return true;
	case TL_MANGLED_DECLTYPE:
		tl_printer_text(printer, "decltype (");
		tl_printer_print(printer, what->a);
		tl_printer_text(printer, ")");
		return true;
	case TL_MANGLED_PACK:
		print_list(printer, what->b);
		return true;
	case TL_MANGLED_LIST:
		print_list(printer, what);
		return true;
	default:
		return false;
	}
}

void tl_printer_print(struct tl_printer *printer, node what)
{
	if (!tl_printer_enter(printer))
		return;
	if (!print_name(printer, what) && !print_entity(printer, what) && !print_type(printer, what) &&
	    !tl_printer_expression(printer, what))
		printer->malformed = true;
	tl_printer_leave(printer);
}

/* ---- The whole ---- */

/* The name alone of what is called so. */
static node only_name(node what)
{
	while (what->kind == TL_MANGLED_CLONE || what->kind == TL_MANGLED_ENCODING || what->kind == TL_MANGLED_METHOD)
		what = what->a;
	return what;
}

enum tl_status tl_mangled_print(node what, enum tl_demangle_form form, struct tl_output *output)
{
	struct tl_printer printer = {.output = output};

	tl_printer_print(&printer, form == TL_DEMANGLE_NAME ? only_name(what) : what);
	if (output->status != TL_OK)
		return output->status;
	if (printer.too_much)
		return TL_ERROR_TOO_LONG;
	return printer.malformed || output->size == 0 ? TL_ERROR_MALFORMED : TL_OK;
}
