#include "debugger/values/print_text.h"

#include "core/utf8.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

#define REPEATS 10

const char *tl_print_prefix(const struct tl_type *type, tl_u64 width, struct tl_error *error)
{
	static const struct {
		const char *name, *prefix;
		tl_u8 width;
	} wide[] = {{"wchar_t", "L", 4}, {"char16_t", "u", 2}, {"char32_t", "U", 4}, {"char8_t", "", 1}};
	const struct tl_type *at = type;

	for (unsigned depth = 0; depth < 32; depth++) {
		for (tl_size i = 0; at->name != NULL && i < TL_COUNT(wide); i++)
			if (wide[i].width == width && strcmp(at->name, wide[i].name) == 0)
				return wide[i].prefix;
		if (at->kind == TL_TYPE_BASE)
			return width == 1 && (at->encoding == DW_ATE_signed_char ||
					      at->encoding == DW_ATE_unsigned_char || at->encoding == DW_ATE_UTF)
				       ? ""
				       : NULL;
		if ((at->kind != TL_TYPE_TYPEDEF && at->kind != TL_TYPE_CONST && at->kind != TL_TYPE_VOLATILE &&
		     at->kind != TL_TYPE_ATOMIC) ||
		    tl_type_target(at, &at, error) != TL_OK)
			return NULL;
	}
	return NULL;
}

tl_u32 tl_print_unit(const tl_u8 *bytes, tl_u64 width)
{
	tl_u32 unit = 0;

	for (tl_u64 i = width; i > 0; i--)
		unit = unit << 8 | bytes[i - 1];
	return unit;
}

/* Control characters above ASCII's, ends of lines, and what is no character: a terminal shows nothing of them. */
static bool is_control(tl_u32 point)
{
	return (point >= 0x80 && point < 0xa0) || point == 0x2028 || point == 0x2029 || (point & 0xfffe) == 0xfffe;
}

/* A code point above ASCII as UTF-8, or escaped as a number. */
static void write_wide(struct tl_output *output, const struct tl_print_options *options, tl_u32 point)
{
	char bytes[4] = {0};
	tl_size length = options->ascii || is_control(point) ? 0 : tl_utf8_write(point, bytes);

	tl_output_bytes(output, bytes, length);
	if (length == 0)
		tl_output_format(output, point <= 0777 ? "\\%03o" : "\\x%x", point);
}

/* One character between quotes of that kind. Of a single byte above ASCII, the escape. */
static void write_unit(struct tl_output *output, const struct tl_print_options *options, tl_u32 unit, tl_u64 width,
		       char quote)
{
	static const char letters[] = "abefnrtv", values[] = "\a\b\033\f\n\r\t\v";
	const char *found = unit != 0 && unit < 0x80 ? strchr(values, (int)unit) : NULL;

	if (found != NULL && *found != '\033')
		tl_output_format(output, "\\%c", letters[found - values]);
	else if (unit == (tl_u32)quote || unit == '\\')
		tl_output_format(output, "\\%c", (int)unit);
	else if (unit >= 0x20 && unit < 0x7f)
		tl_output_format(output, "%c", (int)unit);
	else if (unit < 0x80 || width == 1)
		tl_output_format(output, "\\%03o", unit);
	else
		write_wide(output, options, unit);
}

void tl_print_character(struct tl_output *output, const struct tl_print_options *options, const char *prefix,
			const tl_u8 *bytes, tl_u64 width)
{
	tl_output_format(output, "%s'", prefix);
	write_unit(output, options, tl_print_unit(bytes, width), width, '\'');
	tl_output_text(output, "'");
}

/* The character of two surrogates; 0: they are none. */
static tl_u32 pair_of(const tl_u8 *bytes)
{
	const tl_u32 high = tl_print_unit(bytes, 2), low = tl_print_unit(bytes + 2, 2);

	return (high & 0xfc00) == 0xd800 && (low & 0xfc00) == 0xdc00 ? 0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff))
								     : 0;
}

/* Of how many units the character at the start of `count` units is: more than one only in UTF-8 and UTF-16. */
static tl_size character_at(const struct tl_print_options *options, const tl_u8 *bytes, tl_u64 width, tl_u64 count)
{
	tl_u32 point;

	if (width == 2 && !options->ascii && count > 1 && pair_of(bytes) != 0)
		return 2;
	tl_size length = width == 1 && !options->ascii ? tl_utf8_read(bytes, count, &point) : 0;

	return length != 0 && !is_control(point) ? length : 1;
}

/* How many characters of `size` bytes from here on are the same as the first, of those that are left. */
static tl_u64 run_of(const tl_u8 *bytes, tl_u64 size, tl_u64 count)
{
	tl_u64 length = 1;

	while (length < count && memcmp(bytes, bytes + length * size, size) == 0)
		length++;
	return length;
}

tl_u64 tl_print_string_end(const struct tl_print_options *options, const tl_u8 *bytes, tl_u64 width, tl_u64 count,
			   tl_u64 most)
{
	tl_u64 at = 0, shown = 0;

	/* gdb counts a run whole, whether it is folded or not, and does not cut it. */
	while (at < count && shown < most) {
		tl_size units = character_at(options, bytes + at * width, width, count - at);
		tl_u64 length = run_of(bytes + at * width, units * width, (count - at) / units);

		at += length * units;
		shown += length;
	}
	return at;
}

/* Between the pieces of a string: text in double quotes, and runs, "abc", '\000' <repeats 12 times>. */
static void set_quoted(struct tl_output *output, const char *prefix, bool *quoted, bool wanted, bool first)
{
	if (*quoted && !wanted)
		tl_output_text(output, "\"");
	if (*quoted != wanted || !wanted)
		tl_output_text(output, first ? "" : ", ");
	if (!*quoted && wanted)
		tl_output_format(output, "%s\"", prefix);
	*quoted = wanted;
}

/* Characters of a string, as they stand between quotes of that kind. */
static void write_character(struct tl_output *output, const struct tl_print_options *options, const tl_u8 *bytes,
			    tl_u64 width, tl_size units, char quote)
{
	if (units > 1 && width == 2)
		write_wide(output, options, pair_of(bytes));
	else if (units > 1)
		tl_output_bytes(output, (const char *)bytes, units);
	else
		write_unit(output, options, tl_print_unit(bytes, width), width, quote);
}

/* Is a unit shown as "\x…", whose digits have no end of their own? */
static bool is_hexadecimal(const struct tl_print_options *options, tl_u32 unit, tl_u64 width)
{
	char bytes[4];

	return width > 1 && unit > 0777 && (options->ascii || is_control(unit) || tl_utf8_write(unit, bytes) == 0);
}

static bool is_digit(tl_u32 unit)
{
	return (unit >= '0' && unit <= '9') || (unit >= 'a' && unit <= 'f') || (unit >= 'A' && unit <= 'F');
}

void tl_print_string(struct tl_output *output, const struct tl_print_options *options, const char *prefix,
		     const tl_u8 *bytes, tl_u64 width, tl_u64 count, bool more)
{
	tl_u64 threshold = options->repeats != 0 ? options->repeats : REPEATS, at = 0;
	bool quoted = false, escaped = false;

	if (count == 0)
		tl_output_format(output, "%s\"\"", prefix);
	while (at < count) {
		const tl_u8 *here = bytes + at * width;
		tl_size units = character_at(options, here, width, count - at);
		tl_u64 length = run_of(here, units * width, (count - at) / units);

		if (length > threshold) {
			set_quoted(output, prefix, &quoted, false, at == 0);
			tl_output_format(output, "%s'", prefix);
			write_character(output, options, here, width, units, '\'');
			tl_output_format(output, "' <repeats %llu times>", (unsigned long long)length);
			at += length * units;
			continue;
		}
		set_quoted(output, prefix, &quoted, true, at == 0);
		/* What would be taken for a part of the escape in front of it becomes one, too. */
		if (escaped && is_digit(tl_print_unit(here, width)))
			tl_output_format(output, "\\%03o", tl_print_unit(here, width));
		else
			write_character(output, options, here, width, units, '"');
		escaped = units == 1 && is_hexadecimal(options, tl_print_unit(here, width), width);
		at += units;
	}
	tl_output_text(output, quoted ? "\"" : "");
	tl_output_text(output, more ? "..." : "");
}
