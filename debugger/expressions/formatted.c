#include "debugger/expressions/formatted.h"

#include "core/utf8.h"
#include "debugger/expressions/expression.h"
#include "debugger/values/program_string.h"

#include <stdio.h>
#include <string.h>

#define FIELD_MAX 1024

struct arguments {
	const struct tl_value_context *values;
	const char *at; /* the next expression; at its end "" */
	tl_evaluate_text *evaluate;
	void *context;
};

/* The end of a string literal that begins at `text`: behind its last quote. NULL: it has none. */
static const char *behind_literal(const char *text)
{
	char quote = *text++;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0')
			text++;
		else if (*text == quote)
			return text + 1;
	}
	return NULL;
}

/* Where an expression ends: at a comma outside of brackets and quotes. */
static const char *behind_expression(const char *text)
{
	int depth = 0;

	while (*text != '\0' && (depth > 0 || *text != ',')) {
		const char *behind = *text == '"' || *text == '\'' ? behind_literal(text) : NULL;

		if (strchr("([{", *text) != NULL)
			depth++;
		else if (strchr(")]}", *text) != NULL)
			depth--;
		text = behind != NULL ? behind : text + 1;
	}
	return text;
}

static enum tl_status next_argument(struct arguments *arguments, struct tl_value *value_ret, struct tl_error *error)
{
	const char *begin = arguments->at, *end;

	if (*begin != ',')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Bad format string: there are fewer values than it wants.");
	begin++;
	end = behind_expression(begin);
	arguments->at = end;
	return arguments->evaluate(arguments->context, begin, (tl_size)(end - begin), value_ret, error);
}

/* ---- One conversion ---- */

struct conversion {
	char text[64]; /* "%-8" and what else stands before the length and the letter */
	tl_size size;
	char letter;
	bool wide; /* %ls, %lc */
};

/* Reads a conversion behind its '%'. Lengths are left out: values have a size of their own. */
static enum tl_status read_conversion(const char **at, struct conversion *conversion_ret, struct tl_error *error)
{
	const char *text = *at;
	struct conversion conversion = {.text = "%", .size = 1};

	while (*text != '\0' && strchr("-+ #0123456789.'", *text) != NULL) {
		if (conversion.size >= 16)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Bad format string: a width that is too long.");
		conversion.text[conversion.size++] = *text++;
	}
	if (*text == '*')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "`*' not supported for precision or width in printf");
	for (; *text != '\0' && strchr("hlLjzqt", *text) != NULL; text++)
		conversion.wide |= *text == 'l';
	if (*text == '\0' || strchr("diuoxXcspfFeEgGaA", *text) == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unrecognized format specifier '%c' in printf",
			       *text != '\0' ? *text : '%');
	conversion.letter = *text;
	conversion.text[conversion.size] = '\0';
	*at = text + 1;
	*conversion_ret = conversion;
	return TL_OK;
}

/* Writes by a conversion that was put together here, from letters that were looked at. */
static void write_field(struct tl_output *output, const struct conversion *conversion, const char *length,
			const void *value)
{
	char format[80], field[FIELD_MAX];
	int size = 0;

	snprintf(format, sizeof(format), "%s%s%c", conversion->text, length, conversion->letter);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	switch (conversion->letter) {
	case 'd':
	case 'i':
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		size = snprintf(field, sizeof(field), format, *(const unsigned long long *)value);
		break;
	case 'c':
		size = snprintf(field, sizeof(field), format, *(const int *)value);
		break;
	case 's':
	case 'p':
		size = snprintf(field, sizeof(field), format, *(const void *const *)value);
		break;
	default:
		size = snprintf(field, sizeof(field), format, *(const long double *)value);
		break;
	}
#pragma GCC diagnostic pop
	if (size > 0)
		tl_output_bytes(output, field, (tl_size)size < sizeof(field) ? (tl_size)size : sizeof(field) - 1);
}

static enum tl_status write_integer(const struct arguments *arguments, struct conversion *conversion,
				    const struct tl_value *value, struct tl_output *output, struct tl_error *error)
{
	unsigned long long bits;
	const struct tl_type *type;
	tl_i128 number;
	int character;

	TL_TRY(tl_value_integer(arguments->values, value, &number, error));
	TL_TRY(tl_type_strip(value->type, &type, error));
	bits = (unsigned long long)number;
	/* Seen as unsigned it is as wide as its type, not as a long. */
	if (strchr("uoxX", conversion->letter) != NULL && type->has_size && type->size < sizeof(bits))
		bits &= ((unsigned long long)1 << type->size * 8) - 1;
	character = (int)bits;
	if (conversion->letter == 'c') {
		write_field(output, conversion, "", &character);
	} else if (conversion->letter == 'p') {
		/* As gdb has it: nothing is "(nil)", the rest hexadecimal with 0x. */
		tl_output_format(output, bits != 0 ? "0x%llx" : "(nil)", bits);
	} else {
		write_field(output, conversion, "ll", &bits);
	}
	return TL_OK;
}

/* A string of wchar_t as UTF-8, in the arena; what is no character is '?'. */
static enum tl_status read_wide(const struct arguments *arguments, const struct tl_value *value, char **text_ret,
				struct tl_error *error)
{
	const struct tl_value_context *values = arguments->values;
	struct tl_output text = tl_output_make(FIELD_MAX);
	struct tl_value copy = *value;
	tl_u8 unit[4] = {0};
	tl_i128 address;
	enum tl_status status = TL_OK;

	TL_TRY(tl_value_decay(values, &copy, error));
	TL_TRY(tl_value_integer(values, &copy, &address, error));
	for (tl_u64 at = (tl_u64)address; status == TL_OK && text.status == TL_OK; at += sizeof(unit)) {
		char bytes[4];
		tl_u32 point;
		tl_size size;

		status = values->read != NULL ? values->read(values->context, at, unit, sizeof(unit), error)
					      : TL_FAIL(error, TL_ERROR_MEMORY, "There is no memory to read.");
		point = (tl_u32)unit[0] | (tl_u32)unit[1] << 8 | (tl_u32)unit[2] << 16 | (tl_u32)unit[3] << 24;
		if (status != TL_OK || point == 0)
			break;
		size = tl_utf8_write(point, bytes);
		tl_output_bytes(&text, size != 0 ? bytes : "?", size != 0 ? size : 1);
	}
	*text_ret = tl_arena_copy(values->arena, tl_output_string(&text), text.size);
	tl_output_release(&text);
	if (status == TL_OK && *text_ret == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for a string.");
	return status;
}

/* Width and precision are C's; a string without them may be longer than a field. */
static enum tl_status write_string(const struct arguments *arguments, const struct conversion *conversion,
				   struct tl_value *value, struct tl_output *output, struct tl_error *error)
{
	char *text;

	if (conversion->wide)
		TL_TRY(read_wide(arguments, value, &text, error));
	else
		TL_TRY(tl_program_string(arguments->values, value, &text, error));
	if (conversion->size == 1)
		tl_output_text(output, text);
	else
		write_field(output, conversion, "", &text);
	return TL_OK;
}

static enum tl_status convert(struct arguments *arguments, const char **at, struct tl_output *output,
			      struct tl_error *error)
{
	struct conversion conversion;
	struct tl_value value;
	long double real;

	TL_TRY(read_conversion(at, &conversion, error));
	TL_TRY(next_argument(arguments, &value, error));
	if (conversion.letter == 's')
		return write_string(arguments, &conversion, &value, output, error);
	if (strchr("fFeEgGaA", conversion.letter) == NULL) {
		TL_TRY(tl_value_decay(arguments->values, &value, error));
		return write_integer(arguments, &conversion, &value, output, error);
	}
	TL_TRY(tl_value_real(arguments->values, &value, &real, error));
	write_field(output, &conversion, "L", &real);
	return TL_OK;
}

/* ---- The whole ---- */

static enum tl_status write_all(struct arguments *arguments, const char *format, struct tl_output *output,
				struct tl_error *error)
{
	while (*format != '\0') {
		tl_size plain = strcspn(format, "%");

		tl_output_bytes(output, format, plain);
		format += plain;
		if (*format == '\0')
			break;
		format++;
		if (*format == '%') {
			tl_output_bytes(output, format++, 1);
			continue;
		}
		TL_TRY(convert(arguments, &format, output, error));
	}
	if (*arguments->at != '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Wrong number of arguments for specified format-string");
	return tl_output_status(output, error);
}

enum tl_status tl_formatted(const struct tl_value_context *values, const char *text, tl_evaluate_text *evaluate,
			    void *context, struct tl_output *output, struct tl_error *error)
{
	struct arguments arguments = {.values = values, .evaluate = evaluate, .context = context};
	struct tl_expression *literal;
	const struct tl_node *node;
	enum tl_status status;

	text += strspn(text, " \t,");
	arguments.at = *text == '"' ? behind_literal(text) : NULL;
	if (*text != '"')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Bad format string");
	if (arguments.at == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Bad format string, non-terminated '\"'");
	TL_TRY(tl_expression_read(&literal, text, (tl_size)(arguments.at - text), NULL, error));
	arguments.at += strspn(arguments.at, " \t");
	node = tl_expression_node(literal, tl_expression_top(literal));
	status = node->kind == TL_NODE_STRING ? write_all(&arguments, node->text.bytes, output, error)
					      : TL_FAIL(error, TL_ERROR_ARGUMENT, "Bad format string");
	tl_expression_free(literal);
	return status;
}
