#include "debugger/print_text.h"

#include "symbols/dwarf_constants.h"

#include <string.h>

#define REPEATS 10

const char *tl_print_prefix(const struct tl_type *type, tl_u64 width, struct tl_error *error)
{
	static const struct {
		const char *name, *prefix;
		tl_u8 width;
	} wide[] = {{"wchar_t", "L", 4}, {"char16_t", "u", 2}, {"char32_t", "U", 4}};
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

/* How many bytes a character of UTF-8 at the start of `size` bytes has; 0 when there is none, or it is ASCII. */
static tl_size utf8_length(const tl_u8 *bytes, tl_u64 size)
{
	tl_size length = bytes[0] >= 0xf5 ? 0 : bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : bytes[0] >= 0xc2 ? 2 : 0;

	if (length == 0 || length > size)
		return 0;
	for (tl_size i = 1; i < length; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* A code point above ASCII as UTF-8, or escaped by the bytes that it has in the program. */
static void write_wide(struct tl_output *output, const struct tl_print_options *options, tl_u32 point, tl_u64 width)
{
	if (options->ascii || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
		for (tl_u64 i = 0; i < width; i++)
			tl_output_format(output, "\\%03o", point >> i * 8 & 0xff);
	} else if (point < 0x800) {
		tl_output_format(output, "%c%c", 0xc0 | point >> 6, 0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		tl_output_format(output, "%c%c%c", 0xe0 | point >> 12, 0x80 | (point >> 6 & 0x3f),
				 0x80 | (point & 0x3f));
	} else {
		tl_output_format(output, "%c%c%c%c", 0xf0 | point >> 18, 0x80 | (point >> 12 & 0x3f),
				 0x80 | (point >> 6 & 0x3f), 0x80 | (point & 0x3f));
	}
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
		write_wide(output, options, unit, width);
}

void tl_print_character(struct tl_output *output, const struct tl_print_options *options, const char *prefix,
			const tl_u8 *bytes, tl_u64 width)
{
	tl_output_format(output, "%s'", prefix);
	write_unit(output, options, tl_print_unit(bytes, width), width, '\'');
	tl_output_text(output, "'");
}

/* How many characters from here on are the same as the first, of those that are left. */
static tl_u64 run_of(const tl_u8 *bytes, tl_u64 width, tl_u64 count)
{
	tl_u64 length = 1;

	while (length < count && memcmp(bytes, bytes + length * width, width) == 0)
		length++;
	return length;
}

tl_u64 tl_print_string_end(const tl_u8 *bytes, tl_u64 width, tl_u64 count, tl_u64 most)
{
	tl_u64 at = 0, shown = 0;

	while (at < count && shown < most) {
		tl_u64 length = run_of(bytes + at * width, width, count - at);

		if (length > REPEATS) {
			at += length;
			shown += REPEATS;
		} else {
			at++;
			shown++;
		}
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

void tl_print_string(struct tl_output *output, const struct tl_print_options *options, const char *prefix,
		     const tl_u8 *bytes, tl_u64 width, tl_u64 count, bool more)
{
	tl_u64 threshold = options->repeats != 0 ? options->repeats : REPEATS, at = 0;
	bool quoted = false;

	if (count == 0)
		tl_output_format(output, "%s\"\"", prefix);
	while (at < count) {
		const tl_u8 *here = bytes + at * width;
		tl_u64 length = run_of(here, width, count - at);
		tl_size wide = width == 1 && !options->ascii ? utf8_length(here, count - at) : 0;

		if (length > threshold) {
			set_quoted(output, prefix, &quoted, false, at == 0);
			tl_print_character(output, options, prefix, here, width);
			tl_output_format(output, " <repeats %llu times>", (unsigned long long)length);
			at += length;
			continue;
		}
		set_quoted(output, prefix, &quoted, true, at == 0);
		if (wide != 0)
			tl_output_bytes(output, (const char *)here, wide);
		else
			write_unit(output, options, tl_print_unit(here, width), width, '"');
		at += wide != 0 ? wide : 1;
	}
	tl_output_text(output, quoted ? "\"" : "");
	tl_output_text(output, more ? "..." : "");
}
