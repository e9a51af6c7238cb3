#include "symbols/demangle_print.h"

#include <string.h>

typedef const struct tl_mangled_node *node;

/* In parentheses, unless it is a single word. */
void tl_printer_operand(struct tl_printer *printer, node what)
{
	bool simple = what->kind == TL_MANGLED_NAME || what->kind == TL_MANGLED_QUALIFIED ||
		      what->kind == TL_MANGLED_INITIALIZER || what->kind == TL_MANGLED_ARGUMENT;

	tl_printer_text(printer, simple ? "" : "(");
	tl_printer_print(printer, what);
	tl_printer_text(printer, simple ? "" : ")");
}

static void print_literal(struct tl_printer *printer, node what)
{
	static const char *const suffixes[] = {"", "", "u", "l", "ul", "ll", "ull"};
	tl_u32 kind = what->a->kind == TL_MANGLED_BUILTIN ? what->a->number : TL_LITERAL_CAST;

	if (kind == TL_LITERAL_BOOL && what->number == 0 && what->size == 1 &&
	    (*what->text == '0' || *what->text == '1')) {
		tl_printer_text(printer, *what->text == '0' ? "false" : "true");
		return;
	}
	if (what->size == 0) {
		tl_printer_print(printer, what->a); /* nullptr */
		return;
	}
	if (kind == TL_LITERAL_CAST || kind == TL_LITERAL_FLOAT || kind == TL_LITERAL_BOOL) {
		tl_printer_text(printer, "(");
		tl_printer_print(printer, what->a);
		tl_printer_text(printer, ")");
	}
	tl_printer_text(printer, what->number != 0 ? "-" : "");
	tl_printer_text(printer, kind == TL_LITERAL_FLOAT ? "[" : "");
	tl_printer_own_text(printer, what);
	tl_printer_text(printer, kind == TL_LITERAL_FLOAT ? "]" : kind < TL_COUNT(suffixes) ? suffixes[kind] : "");
}

static bool is_text(node what, const char *text)
{
	return what->size == strlen(text) && memcmp(what->text, text, what->size) == 0;
}

/* The name of a function that is called stands for it. */
static void print_callee(struct tl_printer *printer, node what)
{
	if (what->kind == TL_MANGLED_ENCODING)
		tl_printer_print(printer, tl_printer_plain_name(what->a, NULL, printer));
	else
		tl_printer_operand(printer, what);
}

/* So does that of a member whose address is taken. */
static void print_address(struct tl_printer *printer, node what)
{
	if (what->kind == TL_MANGLED_ENCODING && what->a->kind == TL_MANGLED_QUALIFIED)
		tl_printer_print(printer, what->a);
	else
		tl_printer_operand(printer, what);
}

static void print_binary(struct tl_printer *printer, node what)
{
	/* A > of its own would end the template's arguments. */
	bool greater = is_text(what, ">");

	tl_printer_text(printer, greater ? "(" : "");
	tl_printer_operand(printer, what->a);
	tl_printer_own_text(printer, what);
	tl_printer_operand(printer, what->b);
	tl_printer_text(printer, greater ? ")" : "");
}

static void print_unary(struct tl_printer *printer, node what)
{
	tl_printer_own_text(printer, what);
	if (is_text(what, "&"))
		print_address(printer, what->a);
	else if (is_text(what, "::"))
		tl_printer_print(printer, what->a);
	else
		tl_printer_operand(printer, what->a);
}

static void print_fold(struct tl_printer *printer, node what)
{
	tl_printer_text(printer, what->b == NULL && what->number != 0 ? "(..." : "(");
	if (what->b == NULL && what->number != 0)
		tl_printer_own_text(printer, what);
	tl_printer_operand(printer, what->a);
	if (what->b != NULL || what->number == 0) {
		tl_printer_own_text(printer, what);
		tl_printer_text(printer, "...");
	}
	if (what->b != NULL) {
		tl_printer_own_text(printer, what);
		tl_printer_operand(printer, what->b);
	}
	tl_printer_text(printer, ")");
}

static void print_new(struct tl_printer *printer, node what)
{
	tl_printer_own_text(printer, what);
	if (what->c != NULL)
		tl_printer_list(printer, "(", what->c, ") ");
	tl_printer_print(printer, what->a);
	if (what->b != NULL && what->b->kind == TL_MANGLED_LIST)
		tl_printer_list(printer, "(", what->b, ")");
	else if (what->b != NULL)
		tl_printer_print(printer, what->b);
}

static void print_pack_size(struct tl_printer *printer, node what)
{
	node pack = what->a->kind == TL_MANGLED_PACK ? what->a : tl_printer_find_pack(printer, what->a);

	if (pack != NULL) {
		tl_output_format(printer->output, "%u", tl_printer_pack_length(pack));
		return;
	}
	tl_printer_text(printer, "sizeof...(");
	tl_printer_print(printer, what->a);
	tl_printer_text(printer, ")");
}

static void print_cast(struct tl_printer *printer, node what)
{
	tl_printer_text(printer, "(");
	tl_printer_print(printer, what->a);
	tl_printer_text(printer, ")");
	if (what->kind == TL_MANGLED_CAST)
		tl_printer_operand(printer, what->b);
	else
		tl_printer_list(printer, "(", what->b, ")");
}

static bool print_operation(struct tl_printer *printer, node what)
{
	switch ((unsigned)what->kind) {
	case TL_MANGLED_UNARY:
		print_unary(printer, what);
		return true;
	case TL_MANGLED_POSTFIX:
		tl_printer_operand(printer, what->a);
		tl_printer_own_text(printer, what);
		return true;
	case TL_MANGLED_OF_TYPE:
		tl_printer_own_text(printer, what);
		tl_printer_operand(printer, what->a);
		return true;
	case TL_MANGLED_BINARY:
		print_binary(printer, what);
		return true;
	case TL_MANGLED_TERNARY:
		tl_printer_operand(printer, what->a);
		tl_printer_text(printer, "?");
		tl_printer_operand(printer, what->b);
		tl_printer_text(printer, " : ");
		tl_printer_operand(printer, what->c);
		return true;
	case TL_MANGLED_INDEX:
		tl_printer_operand(printer, what->a);
		tl_printer_text(printer, "[");
		tl_printer_print(printer, what->b);
		tl_printer_text(printer, "]");
		return true;
	case TL_MANGLED_CALL:
		print_callee(printer, what->a);
		tl_printer_list(printer, "(", what->b, ")");
		return true;
	case TL_MANGLED_NAMED_CAST:
		tl_printer_own_text(printer, what);
		tl_printer_text(printer, "<");
		tl_printer_print(printer, what->a);
		tl_printer_text(printer, tl_printer_last(printer) == '>' ? " >(" : ">(");
		tl_printer_print(printer, what->b);
		tl_printer_text(printer, ")");
		return true;
	default:
		return false;
	}
}

bool tl_printer_expression(struct tl_printer *printer, node what)
{
	switch ((unsigned)what->kind) {
	case TL_MANGLED_ARGUMENT:
		if (what->number == 0)
			tl_printer_text(printer, "this");
		else
			tl_output_format(printer->output, "{parm#%u}", what->number);
		return true;
	case TL_MANGLED_LITERAL:
		print_literal(printer, what);
		return true;
	case TL_MANGLED_CAST:
	case TL_MANGLED_CAST_LIST:
		print_cast(printer, what);
		return true;
	case TL_MANGLED_INITIALIZER:
		if (what->a != NULL)
			tl_printer_print(printer, what->a);
		tl_printer_list(printer, "{", what->b, "}");
		return true;
	case TL_MANGLED_PACK_SIZE:
		print_pack_size(printer, what);
		return true;
	case TL_MANGLED_FOLD:
		print_fold(printer, what);
		return true;
	case TL_MANGLED_NEW:
		print_new(printer, what);
		return true;
	default:
		return print_operation(printer, what);
	}
}
