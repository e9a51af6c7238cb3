#include "debugger/modules/function_name.h"

#include "symbols/demangle.h"
#include "symbols/type_text.h"

#include <string.h>

/* A piece of text. */
struct span {
	const char *start, *end;
};

static bool is_open(char c)
{
	return c == '(' || c == '<' || c == '[';
}

static bool is_close(char c)
{
	return c == ')' || c == '>' || c == ']';
}

/* Until one of `stops` that stands in no brackets, or the end. */
static const char *find_outside(struct span text, const char *stops)
{
	tl_size depth = 0;
	const char *at;

	for (at = text.start; at < text.end; at++) {
		if (depth == 0 && strchr(stops, *at) != NULL)
			return at;
		depth += is_open(*at);
		depth -= is_close(*at) && depth != 0;
	}
	return at;
}

static struct span trim(struct span text)
{
	while (text.start < text.end && *text.start == ' ')
		text.start++;
	while (text.end > text.start && text.end[-1] == ' ')
		text.end--;
	return text;
}

static bool takes(struct span *text, const char *word)
{
	tl_size size = strlen(word);

	if ((tl_size)(text->end - text->start) < size || memcmp(text->start, word, size) != 0)
		return false;
	text->start += size;
	return true;
}

/* Writes what follows the name of a type: stars and their like stand close, words behind them do not. */
static void write_declarator(struct tl_output *output, struct span text)
{
	for (const char *at = text.start; at < text.end; at++) {
		bool star = *at == '*' || *at == '&';
		char before = output->size != 0 ? output->text[output->size - 1] : 0;

		if (*at == ' ' && at + 1 < text.end && (at[1] == '*' || at[1] == '&'))
			continue;
		if (!star && *at != ' ' && *at != ')' && *at != '(' && *at != ',' && (before == '*' || before == '&'))
			tl_output_text(output, " ");
		tl_output_bytes(output, at, 1);
	}
}

static void write_list(struct tl_output *output, struct span text);

/* One type: what qualifies it stands behind its name. */
static void write_type(struct tl_output *output, struct span text)
{
	bool constant = takes(&text, "const "), is_volatile = takes(&text, "volatile ");
	struct span name = {text.start, find_outside(text, "*&([")}, rest;

	rest = (struct span){name.end, text.end};
	name = trim(name);
	tl_output_bytes(output, name.start, (tl_size)(name.end - name.start));
	if (constant)
		tl_output_text(output, " const");
	if (is_volatile)
		tl_output_text(output, " volatile");
	if (rest.start < rest.end && (*rest.start == '(' || *rest.start == '['))
		tl_output_text(output, " ");
	/* A pointer to a function: its own parameters follow the first pair of brackets. */
	if (rest.start < rest.end && *rest.start == '(') {
		const char *close = find_outside((struct span){rest.start + 1, rest.end}, ")");

		close += close < rest.end;
		write_declarator(output, (struct span){rest.start, close});
		if (close < rest.end && *close == '(') {
			write_list(output, (struct span){close, rest.end});
			return;
		}
		rest.start = close;
	}
	write_declarator(output, rest);
}

/* "(A, B) rest" */
static void write_list(struct tl_output *output, struct span text)
{
	struct span inside = {text.start + 1, text.end}, rest;

	inside.end = find_outside(inside, ")");
	rest = (struct span){inside.end, text.end};
	tl_output_text(output, "(");
	if (inside.end - inside.start != 4 || memcmp(inside.start, "void", 4) != 0) {
		while (inside.start < inside.end) {
			const char *end = find_outside(inside, ",");

			write_type(output, trim((struct span){inside.start, end}));
			inside.start = end + (end < inside.end);
			if (inside.start < inside.end)
				tl_output_text(output, ", ");
		}
	}
	tl_output_bytes(output, rest.start, (tl_size)(rest.end - rest.start));
}

void tl_parameters_write_plain(struct tl_output *output, const char *text)
{
	if (text[0] == '(')
		write_list(output, (struct span){text, text + strlen(text)});
}

bool tl_symbol_write_name(const char *symbol, struct tl_output *output)
{
	struct tl_output whole = tl_output_make(TL_DEMANGLE_TEXT_MAX), name = tl_output_make(TL_DEMANGLE_TEXT_MAX);
	const char *start = NULL;

	if (tl_demangle_is_mangled(symbol) && tl_demangle(symbol, TL_DEMANGLE_WHOLE, &whole, NULL) == TL_OK &&
	    tl_demangle(symbol, TL_DEMANGLE_NAME, &name, NULL) == TL_OK) {
		/* Instances of templates have what they return in front, which gdb leaves out. */
		start = tl_output_string(&whole);
		if (name.size != 0 && strncmp(start, name.text, name.size) != 0) {
			for (start = strstr(start, name.text); start != NULL && start[-1] != ' ';)
				start = strstr(start + 1, name.text);
		}
	}
	if (start != NULL)
		tl_output_text(output, start);
	tl_output_release(&whole);
	tl_output_release(&name);
	return start != NULL;
}

enum tl_status tl_function_write_declared(struct tl_types *types, const struct tl_entry *function,
					  struct tl_output *output, struct tl_error *error)
{
	struct tl_output parameters = tl_output_make(TL_OUTPUT_MAX);
	const struct tl_type *type;
	enum tl_status status;

	TL_TRY(tl_scope_write_name(types, function, false, output, error));
	if (output->size == 0 || !tl_tree_has_scopes(function->unit))
		return tl_output_status(output, error);
	TL_TRY(tl_type_at(types, function, &type, error));
	status = tl_type_write_parameters(type, &parameters, error);
	if (status == TL_OK)
		tl_parameters_write_plain(output, tl_output_string(&parameters));
	tl_output_release(&parameters);
	TL_TRY(status);
	return tl_output_status(output, error);
}

enum tl_status tl_function_write_name(struct tl_types *types, const struct tl_entry *function, struct tl_output *output,
				      struct tl_error *error)
{
	struct tl_attribute linkage;

	TL_TRY(tl_entry_inherited(function, DW_AT_linkage_name, &linkage, error));
	if (linkage.kind != TL_CLASS_STRING)
		TL_TRY(tl_entry_inherited(function, DW_AT_MIPS_linkage_name, &linkage, error));
	if (linkage.kind == TL_CLASS_STRING && tl_symbol_write_name(linkage.text, output))
		return tl_output_status(output, error);
	return tl_function_write_declared(types, function, output, error);
}
