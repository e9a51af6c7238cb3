#include "frontends/cli/data.h"

#include "debugger/values/print_text.h"
#include "frontends/cli/addresses.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/code.h"
#include "frontends/cli/displays.h"
#include "frontends/cli/values.h"

#include "symbols/dwarf_constants.h"

#include <string.h>

/* A string in memory is shown up to here. */
#define STRING_MAX 65536

/* ---- Memory ---- */

/* "0x404028 <counter+8>:\t", as gdb begins lines of x. */
static void write_address(struct tl_cli *cli, struct tl_environment_store *store, tl_u64 address,
			  struct tl_output *output)
{
	struct tl_print_options options;
	char name[256];
	tl_u64 offset = 0;

	tl_cli_print_options(cli, store, 0, &options);
	tl_output_format(output, "%s0x%llx%s", tl_screen_style(&cli->screen, TL_STYLE_ADDRESS),
			 (unsigned long long)address, tl_screen_style(&cli->screen, TL_STYLE_PLAIN));
	if (options.symbol != NULL && options.symbol(options.context, address, name, sizeof(name), &offset)) {
		tl_output_format(output, " <%s%s%s", tl_screen_style(&cli->screen, TL_STYLE_FUNCTION), name,
				 tl_screen_style(&cli->screen, TL_STYLE_PLAIN));
		if (offset != 0)
			tl_output_format(output, "+%llu", (unsigned long long)offset);
		tl_output_text(output, ">");
	}
	tl_output_text(output, ":\t");
}

static tl_u64 unit_size(char letter)
{
	return letter == 'b' ? 1 : letter == 'h' ? 2 : letter == 'g' ? 8 : 4;
}

/* How many units stand in a line, as in gdb. */
static tl_u64 units_in_line(char format, tl_u64 size)
{
	if (format == 'c')
		return 8;
	if (format == 'a')
		return 2;
	if (format == 'f')
		return size == 8 ? 2 : 4;
	if (format == 't')
		return size == 1 ? 8 : size == 2 ? 8 : size == 4 ? 4 : 2;
	return size == 8 ? 2 : size == 4 ? 4 : 8;
}

/* A number of just that size: what C calls int is larger than a byte. */
static enum tl_status unit_type(struct tl_types *types, tl_u64 size, bool is_signed, const struct tl_type **type_ret,
				struct tl_error *error)
{
	static const char *const names[][2] = {{"unsigned char", "signed char"},
					       {"unsigned short", "short"},
					       {"unsigned int", "int"},
					       {"unsigned long", "long"}};
	tl_size row = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;

	return tl_type_make_base(types, names[row][is_signed], is_signed ? DW_ATE_signed : DW_ATE_unsigned, (tl_u8)size,
				 type_ret, error);
}

/* What $_ and $__ are after x: gdb calls numbers of just a size by the names of <stdint.h>. */
static enum tl_status remember_unit(struct tl_cli *cli, char format, tl_u64 size, tl_u64 address,
				    struct tl_error *error)
{
	static const char *const names[] = {"int8_t", "int16_t", "int32_t", "int64_t"};
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	const struct tl_type *type;
	bool real = format == 'f' && size >= 4;

	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	TL_TRY(tl_type_make_base(environment->values.types,
				 !real       ? names[size == 1   ? 0
						     : size == 2 ? 1
						     : size == 4 ? 2
								 : 3]
				 : size == 4 ? "float"
					     : "double",
				 real ? DW_ATE_float : DW_ATE_signed, (tl_u8)size, &type, error));
	return tl_address_shown(cli, address, type, error);
}

static enum tl_status write_unit(struct tl_cli *cli, const struct tl_environment *environment,
				 struct tl_environment_store *store, char format, tl_u64 size, tl_u64 address,
				 struct tl_output *output, struct tl_error *error)
{
	struct tl_print_options options;
	const struct tl_type *type;
	struct tl_value value;

	tl_cli_print_options(cli, store, format, &options);
	TL_TRY(unit_type(environment->values.types, size, format == 'd' || format == 'c', &type, error));
	TL_TRY(tl_value_at(&environment->values, type, address, &value, error));
	TL_TRY(tl_value_load(&environment->values, &value, error));
	if (format == 'x' || format == 'z' || format == 'o' || format == 't') {
		tl_i128 number;

		TL_TRY(tl_value_integer(&environment->values, &value, &number, error));
		/* x shows all digits of a unit, print does not. */
		if (format == 'x' || format == 'z')
			tl_output_format(output, "0x%0*llx", (int)size * 2, (unsigned long long)number);
		else if (format == 'o')
			tl_output_format(output, number == 0 ? "%llo" : "0%llo", (unsigned long long)number);
		else
			for (tl_u64 bit = size * 8; bit > 0; bit--)
				tl_output_text(output, (number >> (bit - 1) & 1) != 0 ? "1" : "0");
		return TL_OK;
	}
	return tl_print_value(&environment->values, &options, &value, output, error);
}

static enum tl_status show_units(struct tl_cli *cli, const struct tl_format *format, tl_u64 *address,
				 struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	tl_u64 size = unit_size(format->size), count = (tl_u64)format->count;
	tl_u64 in_line = units_in_line(format->letter, size);
	enum tl_status status = TL_OK;

	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	for (tl_u64 i = 0; i < count && status == TL_OK && !tl_cli_cancelled(cli); i++) {
		if (i % in_line == 0)
			write_address(cli, store, *address, &output);
		else
			tl_output_text(&output, "\t");
		status = write_unit(cli, environment, store, format->letter, size, *address, &output, error);
		if (status == TL_OK)
			*address += size;
		if (status == TL_OK && (i % in_line == in_line - 1 || i + 1 == count)) {
			tl_screen_format(&cli->screen, "%s\n", tl_output_string(&output));
			tl_output_reset(&output);
		}
	}
	/* What stood in the line before memory ended is shown, and then why it ends. */
	if (status != TL_OK && output.size > 0)
		tl_screen_format(&cli->screen, "%s", tl_output_string(&output));
	tl_output_release(&output);
	return status == TL_OK && count != 0 ? remember_unit(cli, format->letter, size, *address - size, error)
					     : status;
}

/* Bytes of a character: x/hs and x/ws show strings of wide ones. */
static tl_u64 unit_of(const struct tl_format *format)
{
	return format->size == 'h' ? 2 : format->size == 'w' ? 4 : 1;
}

static bool is_zero(const tl_u8 *bytes, tl_u64 size)
{
	tl_u8 any = 0;

	for (tl_u64 i = 0; i < size; i++)
		any |= bytes[i];
	return any == 0;
}

/* The string at an address, which goes behind it. */
static enum tl_status show_string(struct tl_cli *cli, tl_u64 width, tl_u64 *address, struct tl_error *error)
{
	static const char *const prefixes[] = {[1] = "", [2] = "u", [4] = "U"};
	static const char *const names[] = {[1] = "char", [2] = "char16_t", [4] = "char32_t"};
	const tl_u32 limit = cli->settings.elements != 0 ? cli->settings.elements : STRING_MAX;
	struct tl_output text = tl_output_make(STRING_MAX * 8), line = tl_output_make(STRING_MAX * 16);
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_print_options options;
	const struct tl_type *shown;
	bool more = true;
	enum tl_status status = TL_OK;
	tl_u64 count;

	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	while (text.size / width < limit) {
		tl_u8 unit[4];

		status = tl_modules_read(tl_session_modules(cli->session), *address + text.size, unit, width, error);
		if (status != TL_OK || is_zero(unit, width)) {
			more = false;
			break;
		}
		tl_output_bytes(&text, (const char *)unit, (tl_size)width);
	}
	count = text.size / width;
	/* What can be read of it is shown. */
	if (status == TL_OK || count != 0) {
		tl_cli_print_options(cli, store, 0, &options);
		write_address(cli, store, *address, &line);
		tl_print_string(&line, &options, prefixes[width], (const tl_u8 *)tl_output_string(&text), width, count,
				more);
		tl_screen_format(&cli->screen, "%s\n", tl_output_string(&line));
		status = tl_type_make_base(environment->values.types, names[width],
					   width == 1 ? DW_ATE_signed_char : DW_ATE_UTF, (tl_u8)width, &shown, error);
		if (status == TL_OK)
			status = tl_type_make_array(shown, count + !more, &shown, error);
		if (status == TL_OK)
			status = tl_address_shown(cli, *address, shown, error);
		*address += (count + !more) * width;
	}
	tl_output_release(&text);
	tl_output_release(&line);
	return status;
}

/* Strings, one behind the other. */
static enum tl_status show_strings(struct tl_cli *cli, const struct tl_format *format, tl_u64 *address,
				   struct tl_error *error)
{
	for (tl_i64 i = 0; i < format->count && !tl_cli_cancelled(cli); i++)
		TL_TRY(show_string(cli, unit_of(format), address, error));
	return TL_OK;
}

enum tl_status tl_memory_show(struct tl_cli *cli, const struct tl_format *format, tl_u64 *address,
			      struct tl_error *error)
{
	if (format->letter == 's')
		return show_strings(cli, format, address, error);
	if (format->letter == 'i')
		return tl_code_show(cli, format->count, address, error);
	return show_units(cli, format, address, error);
}

/* ---- Displays ---- */

enum tl_status tl_display_show(struct tl_cli *cli, const struct tl_display *display, struct tl_error *error)
{
	const struct tl_command_line line = {.format = display->format, .format_size = strlen(display->format)};
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	struct tl_format format;
	struct tl_value value;
	enum tl_status status;

	TL_TRY(tl_format_read(&line, "", &format, error));
	TL_TRY(tl_cli_evaluate(cli, display->expression, strlen(display->expression), &value, error));
	if (format.letter == 'i' || format.letter == 's' || format.has_count || format.size != '\0') {
		tl_u64 address;

		TL_TRY(tl_cli_address(cli, &value, &address, error));
		tl_screen_format(&cli->screen, "%u: x/%s %s\n", display->number, display->format, display->expression);
		if (format.letter == '\0')
			format.letter = 'x';
		return tl_memory_show(cli, &format, &address, error);
	}
	status = tl_cli_print_formatted(cli, &value, &format, &text, error);
	if (status == TL_OK)
		tl_screen_format(&cli->screen, "%u: %s%s%s%s = %s\n", display->number,
				 display->format[0] != '\0' ? "/" : "", display->format,
				 display->format[0] != '\0' ? " " : "", display->expression, tl_output_string(&text));
	tl_output_release(&text);
	return status;
}
