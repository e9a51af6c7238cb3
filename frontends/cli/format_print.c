#include "frontends/cli/format_print.h"

#include "frontends/cli/calculator.h"
#include "frontends/cli/cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A string of the program, and a number between % and its letter. */
#define STRING_MAX 65536
#define DIRECTIVE_MAX 32

/* ---- Escapes ---- */

static int simple_escape(char letter)
{
	static const char letters[] = "abefnrtv", values[] = "\a\b\033\f\n\r\t\v";
	const char *at = letter != '\0' ? strchr(letters, letter) : NULL;

	return at != NULL ? values[at - letters] : (unsigned char)letter;
}

void tl_format_escapes(const char *text, tl_size size, struct tl_output *output)
{
	for (tl_size i = 0; i < size; i++) {
		char byte = text[i];

		if (byte != '\\') {
			tl_output_bytes(output, &byte, 1);
			continue;
		}
		if (++i == size)
			return;
		if (text[i] == '\n')
			continue;
		if (text[i] >= '0' && text[i] <= '7') {
			int value = 0;
			tl_size end = i + 3 < size ? i + 3 : size;

			for (; i < end && text[i] >= '0' && text[i] <= '7'; i++)
				value = value * 8 + (text[i] - '0');
			byte = (char)value;
			i--;
		} else {
			byte = (char)simple_escape(text[i]);
		}
		tl_output_bytes(output, &byte, 1);
	}
}

/* ---- One argument ---- */

/* Up to the next comma that is in no parentheses and no quotes. */
static tl_size expression_size(const char *text)
{
	tl_size depth = 0, i;
	char quote = '\0';

	for (i = 0; text[i] != '\0'; i++) {
		char byte = text[i];

		if (quote != '\0') {
			if (byte == '\\' && text[i + 1] != '\0')
				i++;
			else if (byte == quote)
				quote = '\0';
		} else if (byte == '"' || byte == '\'') {
			quote = byte;
		} else if (byte == '(' || byte == '[' || byte == '{') {
			depth++;
		} else if ((byte == ')' || byte == ']' || byte == '}') && depth > 0) {
			depth--;
		} else if (byte == ',' && depth == 0) {
			break;
		}
	}
	return i;
}

/* The bytes of an array, or those that a pointer points to, up to the zero. */
static enum tl_status read_string(const struct tl_value_context *context, struct tl_value *value,
				  struct tl_output *string, struct tl_error *error)
{
	const struct tl_type *type;
	tl_i128 address;

	TL_TRY(tl_type_strip(value->type, &type, error));
	if (type->kind == TL_TYPE_ARRAY) {
		TL_TRY(tl_value_load(context, value, error));
		tl_output_bytes(string, (const char *)value->bytes, strnlen((const char *)value->bytes, value->size));
		return TL_OK;
	}
	TL_TRY(tl_value_integer(context, value, &address, error));
	if (context->read == NULL)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "There is no program whose memory could be read.");
	for (tl_size i = 0; i < STRING_MAX; i++) {
		char byte;

		TL_TRY(context->read(context->context, (tl_u64)address + i, &byte, 1, error));
		if (byte == '\0')
			return TL_OK;
		tl_output_bytes(string, &byte, 1);
	}
	return TL_OK;
}

/* What a directive is made of: "%-08" and its letter; length modifiers are ours to put in. */
struct directive {
	char text[DIRECTIVE_MAX];
	tl_size size;
	char letter;
	bool wide; /* of 64 bits: l, ll, z, j */
};

/* Writes one directive with the letters behind it ("lld") and its value. The format was checked when it was read. */
#define WRITE(output, directive, letters, value)                                                                       \
	do {                                                                                                           \
		char format[DIRECTIVE_MAX + 8];                                                                        \
                                                                                                                       \
		memcpy(format, (directive)->text, (directive)->size);                                                  \
		memcpy(format + (directive)->size, (letters), strlen(letters) + 1);                                    \
		_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"")               \
			tl_output_format((output), format, (value));                                                   \
		_Pragma("GCC diagnostic pop")                                                                          \
	} while (0)

static enum tl_status print_number(const struct directive *directive, const struct tl_value_context *context,
				   const struct tl_value *value, struct tl_output *output, struct tl_error *error)
{
	char letters[4] = {'l', 'l', directive->letter};
	tl_i128 number;
	unsigned long long bits;

	TL_TRY(tl_value_integer(context, value, &number, error));
	bits = (unsigned long long)number;
	if (directive->letter == 'c') {
		WRITE(output, directive, "c", (int)number);
	} else if (directive->letter == 'p') {
		char text[24];

		(void)snprintf(text, sizeof(text), bits != 0 ? "0x%llx" : "(nil)", bits);
		WRITE(output, directive, "s", text);
	} else if (directive->letter == 'd' || directive->letter == 'i') {
		WRITE(output, directive, letters, directive->wide ? (long long)number : (int)number);
	} else {
		WRITE(output, directive, letters, directive->wide ? bits : (unsigned)bits);
	}
	return TL_OK;
}

static enum tl_status print_argument(const struct directive *directive, const struct tl_value_context *context,
				     struct tl_value *value, struct tl_output *output, struct tl_error *error)
{
	long double real;

	if (directive->letter == 's') {
		struct tl_output string = tl_output_make(STRING_MAX * 2);
		enum tl_status status = read_string(context, value, &string, error);

		if (status == TL_OK)
			WRITE(output, directive, "s", tl_output_string(&string));
		tl_output_release(&string);
		return status;
	}
	if (strchr("eEfFgGaA", directive->letter) != NULL) {
		char letters[3] = {'L', directive->letter};

		TL_TRY(tl_value_real(context, value, &real, error));
		WRITE(output, directive, letters, real);
		return TL_OK;
	}
	return print_number(directive, context, value, output, error);
}

/* ---- The format ---- */

/* Reads what is behind a %, as far as C knows it. */
static enum tl_status read_directive(const char **at, struct directive *directive_ret, struct tl_error *error)
{
	struct directive directive = {.text = "%", .size = 1};
	const char *start = *at;

	while (**at != '\0' && strchr("-+ #0123456789.'", **at) != NULL) {
		if (directive.size + 1 >= DIRECTIVE_MAX || *at - start > 12)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "A width in the format is too large.");
		directive.text[directive.size++] = *(*at)++;
	}
	while (**at != '\0' && strchr("hlLzjt", **at) != NULL)
		directive.wide |= strchr("lzjt", *(*at)++) != NULL;
	directive.letter = **at;
	if (directive.letter == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Incomplete format specifier at end of format string");
	if (strchr("diouxXcspeEfFgGaA", directive.letter) == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Unrecognized format specifier '%c' in printf",
			       directive.letter);
	++*at;
	*directive_ret = directive;
	return TL_OK;
}

/* Widths have up to four digits: enough for a screen, and not for all memory. */
static bool widths_are_small(const struct directive *directive)
{
	tl_size digits = 0;

	for (tl_size i = 1; i < directive->size; i++) {
		digits = isdigit((unsigned char)directive->text[i]) ? digits + 1 : 0;
		if (digits > 4)
			return false;
	}
	return true;
}

static enum tl_status next_argument(struct tl_cli *cli, const char **arguments, const struct directive *directive,
				    struct tl_output *output, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_value value;
	tl_size size;

	while (isspace((unsigned char)**arguments))
		++*arguments;
	if (**arguments != ',')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Bad format string, missing argument for %%%c",
			       directive->letter);
	++*arguments;
	size = expression_size(*arguments);
	TL_TRY(tl_cli_environment(cli, &environment, error));
	TL_TRY(tl_cli_evaluate(cli, *arguments, size, &value, error));
	*arguments += size;
	return print_argument(directive, &environment->values, &value, output, error);
}

/* The end of the quoted format; NULL: there is none. */
static const char *format_end(const char *words)
{
	if (*words != '"')
		return NULL;
	for (words++; *words != '\0' && *words != '"'; words++)
		if (*words == '\\' && words[1] != '\0')
			words++;
	return *words == '"' ? words : NULL;
}

enum tl_status tl_format_print(struct tl_cli *cli, const char *words, struct tl_output *output, struct tl_error *error)
{
	const char *end = format_end(words), *arguments, *at;
	struct tl_output format = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status;

	if (end == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       words[0] == '"' ? "Bad format string, non-terminated '\"'" : "Bad format string");
	tl_format_escapes(words + 1, (tl_size)(end - words) - 1, &format);
	arguments = end + 1;
	status = tl_output_status(&format, error);
	for (at = tl_output_string(&format); status == TL_OK && *at != '\0';) {
		struct directive directive;
		tl_size plain = strcspn(at, "%");

		tl_output_bytes(output, at, plain);
		at += plain;
		if (*at == '\0')
			break;
		if (*++at == '%') {
			tl_output_bytes(output, at++, 1);
			continue;
		}
		status = read_directive(&at, &directive, error);
		if (status == TL_OK && !widths_are_small(&directive))
			status = TL_FAIL(error, TL_ERROR_ARGUMENT, "A width in the format is too large.");
		if (status == TL_OK)
			status = next_argument(cli, &arguments, &directive, output, error);
	}
	tl_output_release(&format);
	if (status == TL_OK && arguments[strspn(arguments, " \t")] != '\0')
		status = TL_FAIL(error, TL_ERROR_ARGUMENT, "Wrong number of arguments for specified format-string");
	return status == TL_OK ? tl_output_status(output, error) : status;
}
