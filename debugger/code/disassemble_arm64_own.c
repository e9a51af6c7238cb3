/*
 * Instructions that Capstone 4 does not know or calls by names that binutils does not prefer: numbers that are moved,
 * hints, and, of Armv8.1 and later, atomic operations, signed pointers, memory tags, and what copies and sets memory.
 *
 * Source: Arm Architecture Reference Manual (DDI 0487), chapter C4 "A64 Instruction Set Encoding".
 */
#include "debugger/code/disassemble_arm64.h"

#include <stdio.h>

#define ZERO 31 /* or the stack pointer, by where it stands */

static void write_register(const struct tl_arm64_text *text, unsigned low, bool wide, bool stack)
{
	unsigned number = tl_arm64_bits(text->word, low, 5);

	if (number != ZERO)
		tl_output_format(text->output, "%c%u", wide ? 'x' : 'w', number);
	else if (stack)
		tl_output_text(text->output, wide ? "sp" : "wsp");
	else
		tl_output_text(text->output, wide ? "xzr" : "wzr");
}

/* ---- Moves of numbers ---- */

static void write_move(const struct tl_arm64_text *text, bool wide, tl_u64 value, bool stack)
{
	char number[24];

	value = wide ? value : value & 0xffffffff;
	snprintf(number, sizeof(number), "%llx", (unsigned long long)value);
	tl_output_text(text->output, "mov\t");
	write_register(text, 0, wide, stack);
	tl_output_format(text->output, ", #0x%-20s\t// #%lld", number,
			 wide ? (long long)value : (long long)(tl_i32)(tl_u32)value);
}

/* movz and movn that a plain "mov" assembles to. */
static bool write_move_wide(const struct tl_arm64_text *text)
{
	bool wide = text->word >> 31 != 0, inverted = (text->word & 0x40000000) == 0;
	unsigned shift = tl_arm64_bits(text->word, 21, 2) * 16;
	tl_u64 number = tl_arm64_bits(text->word, 5, 16);

	if ((text->word & 0x1f800000) != 0x12800000 || (text->word & 0x60000000) == 0x60000000 ||
	    (text->word & 0x60000000) == 0x20000000 || (shift > 16 && !wide))
		return false;
	/* The other forms are not what an assembler makes of a mov. */
	if ((number == 0 && shift != 0) || (inverted && !wide && number == 0xffff)) {
		tl_output_text(text->output, inverted ? "movn\t" : "movz\t");
		write_register(text, 0, wide, false);
		tl_output_format(text->output, ", #0x%llx", (unsigned long long)number);
		if (shift != 0)
			tl_output_format(text->output, ", lsl #%u", shift);
		return true;
	}
	write_move(text, wide, inverted ? ~(number << shift) : number << shift, false);
	return true;
}

/* The number that a logical instruction has in 13 bits: ones, turned and repeated. False for what is none. */
static bool logical_number(tl_u32 word, tl_u64 *value_ret)
{
	unsigned inverted = ~tl_arm64_bits(word, 10, 6) & 63, width = 64;
	unsigned ones, turned = tl_arm64_bits(word, 16, 6);
	tl_u64 value;

	if (tl_arm64_bits(word, 22, 1) == 0) {
		for (width = 32; width > 1 && (inverted & width) == 0; width /= 2)
			;
		if (width < 2)
			return false;
	}
	ones = (tl_arm64_bits(word, 10, 6) & (width - 1)) + 1;
	if (ones == width || (word >> 31 == 0 && width == 64))
		return false;
	turned &= width - 1;
	value = ((tl_u64)1 << ones) - 1;
	if (turned != 0)
		value = value >> turned | value << (width - turned);
	if (width < 64)
		value &= ((tl_u64)1 << width) - 1;
	for (; width < 64; width *= 2)
		value |= value << width;
	*value_ret = value;
	return true;
}

/* Whether movz or movn have a number already: sixteen bits at a place, and all others alike. */
static bool is_wide_move(tl_u64 value, bool wide)
{
	unsigned bits = wide ? 64 : 32;

	for (unsigned turn = 0; turn < 2; turn++, value = ~value)
		for (unsigned at = 0; at < bits; at += 16)
			if (((wide ? value : value & 0xffffffff) & ~((tl_u64)0xffff << at)) == 0)
				return true;
	return false;
}

/* "orr x0, xzr, #number" is a mov, too, where none of the others would do. */
static bool write_move_logical(const struct tl_arm64_text *text)
{
	bool wide = text->word >> 31 != 0;
	tl_u64 value;

	if ((text->word & 0x7f8003e0) != 0x320003e0 || !logical_number(text->word, &value) || is_wide_move(value, wide))
		return false;
	write_move(text, wide, value, true);
	return true;
}

/* ---- Hints and barriers ---- */

static bool write_hint(const struct tl_arm64_text *text)
{
	static const char *const names[] = {
		[0] = "nop",        [1] = "yield",    [2] = "wfe",         [3] = "wfi",         [4] = "sev",
		[5] = "sevl",       [7] = "xpaclri",  [8] = "pacia1716",   [10] = "pacib1716",  [12] = "autia1716",
		[14] = "autib1716", [16] = "esb",     [17] = "psb\tcsync", [18] = "tsb\tcsync", [20] = "csdb",
		[24] = "paciaz",    [25] = "paciasp", [26] = "pacibz",     [27] = "pacibsp",    [28] = "autiaz",
		[29] = "autiasp",   [30] = "autibz",  [31] = "autibsp",    [32] = "bti",        [34] = "bti\tc",
		[36] = "bti\tj",    [38] = "bti\tjc",
	};
	unsigned number = tl_arm64_bits(text->word, 5, 7);

	if ((text->word & 0xfffff01f) != 0xd503201f)
		return false;
	if (number < TL_COUNT(names) && names[number] != NULL)
		tl_output_text(text->output, names[number]);
	else
		tl_output_format(text->output, "hint\t#0x%x", number);
	return true;
}

/* ---- Instructions by a table ---- */

/*
 * In a text, % and a letter stand for a register at a place: x, w, e (as d), q, v by their names, X with the stack
 * pointer, z by bit 30 as x or w; the place is d (bit 0), n (5), a (10) or m (16).
 */
struct row {
	tl_u32 mask, value;
	const char *text;
};

static const struct row rows[] = {
	{0xffffffff, 0xd503309f, "ssbb"},
	{0xffffffff, 0xd503349f, "pssbb"},
	{0xffffffff, 0xd50330ff, "sb"},
	{0xffffffff, 0xd500401f, "cfinv"},
	{0xffffffff, 0xd500403f, "xaflag"},
	{0xffffffff, 0xd500405f, "axflag"},
	{0xfffffc1f, 0x3a00080d, "setf8\t%wn"},
	{0xfffffc1f, 0x3a00480d, "setf16\t%wn"},
	{0xffffffe0, 0xd50b7460, "dc\tgva, %xd"},
	{0xffffffe0, 0xd50b7480, "dc\tgzva, %xd"},
	/* Signed pointers. */
	{0xfffffc00, 0xdac10000, "pacia\t%xd, %Xn"},
	{0xfffffc00, 0xdac10400, "pacib\t%xd, %Xn"},
	{0xfffffc00, 0xdac10800, "pacda\t%xd, %Xn"},
	{0xfffffc00, 0xdac10c00, "pacdb\t%xd, %Xn"},
	{0xfffffc00, 0xdac11000, "autia\t%xd, %Xn"},
	{0xfffffc00, 0xdac11400, "autib\t%xd, %Xn"},
	{0xfffffc00, 0xdac11800, "autda\t%xd, %Xn"},
	{0xfffffc00, 0xdac11c00, "autdb\t%xd, %Xn"},
	{0xffffffe0, 0xdac123e0, "paciza\t%xd"},
	{0xffffffe0, 0xdac127e0, "pacizb\t%xd"},
	{0xffffffe0, 0xdac12be0, "pacdza\t%xd"},
	{0xffffffe0, 0xdac12fe0, "pacdzb\t%xd"},
	{0xffffffe0, 0xdac133e0, "autiza\t%xd"},
	{0xffffffe0, 0xdac137e0, "autizb\t%xd"},
	{0xffffffe0, 0xdac13be0, "autdza\t%xd"},
	{0xffffffe0, 0xdac13fe0, "autdzb\t%xd"},
	{0xffffffe0, 0xdac143e0, "xpaci\t%xd"},
	{0xffffffe0, 0xdac147e0, "xpacd\t%xd"},
	{0xffe0fc00, 0x9ac03000, "pacga\t%xd, %xn, %Xm"},
	{0xfffffc1f, 0xd61f081f, "braaz\t%xn"},
	{0xfffffc1f, 0xd61f0c1f, "brabz\t%xn"},
	{0xfffffc1f, 0xd63f081f, "blraaz\t%xn"},
	{0xfffffc1f, 0xd63f0c1f, "blrabz\t%xn"},
	{0xfffffc00, 0xd71f0800, "braa\t%xn, %Xd"},
	{0xfffffc00, 0xd71f0c00, "brab\t%xn, %Xd"},
	{0xfffffc00, 0xd73f0800, "blraa\t%xn, %Xd"},
	{0xfffffc00, 0xd73f0c00, "blrab\t%xn, %Xd"},
	{0xffffffff, 0xd65f0bff, "retaa"},
	{0xffffffff, 0xd65f0fff, "retab"},
	{0xffffffff, 0xd69f0bff, "eretaa"},
	{0xffffffff, 0xd69f0fff, "eretab"},
	/* Tags of memory. */
	{0xfffffc00, 0x9adf1000, "irg\t%Xd, %Xn"},
	{0xffe0fc00, 0x9ac01000, "irg\t%Xd, %Xn, %xm"},
	{0xffe0fc00, 0x9ac01400, "gmi\t%xd, %Xn, %xm"},
	{0xffe0fc00, 0x9ac00000, "subp\t%xd, %Xn, %Xm"},
	{0xffe0fc1f, 0xbac0001f, "cmpp\t%Xn, %Xm"},
	{0xffe0fc00, 0xbac00000, "subps\t%xd, %Xn, %Xm"},
	{0xfffffc00, 0xd9200000, "stzgm\t%xd, [%Xn]"},
	{0xfffffc00, 0xd9a00000, "stgm\t%xd, [%Xn]"},
	{0xfffffc00, 0xd9e00000, "ldgm\t%xd, [%Xn]"},
	/* Loads with the weaker order of acquiring. */
	{0xfffffc00, 0x08df7c00, "ldlarb\t%wd, [%Xn]"},
	{0xfffffc00, 0x48df7c00, "ldlarh\t%wd, [%Xn]"},
	{0xbffffc00, 0x88df7c00, "ldlar\t%zd, [%Xn]"},
	{0xfffffc00, 0x089f7c00, "stllrb\t%wd, [%Xn]"},
	{0xfffffc00, 0x489f7c00, "stllrh\t%wd, [%Xn]"},
	{0xbffffc00, 0x889f7c00, "stllr\t%zd, [%Xn]"},
	{0xfffffc00, 0x38bfc000, "ldaprb\t%wd, [%Xn]"},
	{0xfffffc00, 0x78bfc000, "ldaprh\t%wd, [%Xn]"},
	{0xbffffc00, 0xb8bfc000, "ldapr\t%zd, [%Xn]"},
	{0xfffffc00, 0x1e7e0000, "fjcvtzs\t%wd, %en"},
	/* Hashes and ciphers. */
	{0xffe0fc00, 0xce608000, "sha512h\t%qd, %qn, %vm.2d"},
	{0xffe0fc00, 0xce608400, "sha512h2\t%qd, %qn, %vm.2d"},
	{0xfffffc00, 0xcec08000, "sha512su0\t%vd.2d, %vn.2d"},
	{0xffe0fc00, 0xce608800, "sha512su1\t%vd.2d, %vn.2d, %vm.2d"},
	{0xffe08000, 0xce000000, "eor3\t%vd.16b, %vn.16b, %vm.16b, %va.16b"},
	{0xffe08000, 0xce200000, "bcax\t%vd.16b, %vn.16b, %vm.16b, %va.16b"},
	{0xffe0fc00, 0xce608c00, "rax1\t%vd.2d, %vn.2d, %vm.2d"},
	{0xffe08000, 0xce400000, "sm3ss1\t%vd.4s, %vn.4s, %vm.4s, %va.4s"},
	{0xffe0fc00, 0xce60c000, "sm3partw1\t%vd.4s, %vn.4s, %vm.4s"},
	{0xffe0fc00, 0xce60c400, "sm3partw2\t%vd.4s, %vn.4s, %vm.4s"},
	{0xfffffc00, 0xcec08400, "sm4e\t%vd.4s, %vn.4s"},
	{0xffe0fc00, 0xce60c800, "sm4ekey\t%vd.4s, %vn.4s, %vm.4s"},
	/* Products of small numbers. */
	{0xffe0fc00, 0x0e809400, "sdot\t%vd.2s, %vn.8b, %vm.8b"},
	{0xffe0fc00, 0x4e809400, "sdot\t%vd.4s, %vn.16b, %vm.16b"},
	{0xffe0fc00, 0x2e809400, "udot\t%vd.2s, %vn.8b, %vm.8b"},
	{0xffe0fc00, 0x6e809400, "udot\t%vd.4s, %vn.16b, %vm.16b"},
	{0xffe0fc00, 0x0e809c00, "usdot\t%vd.2s, %vn.8b, %vm.8b"},
	{0xffe0fc00, 0x4e809c00, "usdot\t%vd.4s, %vn.16b, %vm.16b"},
	{0xffe0fc00, 0x4e80a400, "smmla\t%vd.4s, %vn.16b, %vm.16b"},
	{0xffe0fc00, 0x6e80a400, "ummla\t%vd.4s, %vn.16b, %vm.16b"},
	{0xffe0fc00, 0x4e80ac00, "usmmla\t%vd.4s, %vn.16b, %vm.16b"},
};

static void write_row(const struct tl_arm64_text *text, const char *row)
{
	for (const char *at = row; *at != '\0'; at++) {
		unsigned low;
		bool wide;

		if (*at != '%') {
			tl_output_bytes(text->output, at, 1);
			continue;
		}
		low = at[2] == 'd' ? 0 : at[2] == 'n' ? 5 : at[2] == 'a' ? 10 : 16;
		wide = at[1] == 'z' ? tl_arm64_bits(text->word, 30, 1) != 0 : at[1] != 'w';
		if (at[1] == 'q' || at[1] == 'v' || at[1] == 'e')
			tl_output_format(text->output, "%c%u", at[1] == 'e' ? 'd' : at[1],
					 tl_arm64_bits(text->word, low, 5));
		else
			write_register(text, low, wide, at[1] == 'X');
		at += 2;
	}
}

static bool write_of_table(const struct tl_arm64_text *text)
{
	for (tl_size i = 0; i < TL_COUNT(rows); i++)
		if ((text->word & rows[i].mask) == rows[i].value) {
			write_row(text, rows[i].text);
			return true;
		}
	return false;
}

/* ---- Atomic operations ---- */

static const char *const widths[] = {"b", "h", "", ""};

/* ldadd, stadd, swp and their like: order, and size, are in the name. */
static bool write_atomic(const struct tl_arm64_text *text)
{
	static const char *const operations[] = {"add", "clr", "eor", "set", "smax", "smin", "umax", "umin"};
	tl_u32 word = text->word, size = word >> 30;
	bool acquires = tl_arm64_bits(word, 23, 1) != 0, releases = tl_arm64_bits(word, 22, 1) != 0, wide = size == 3;
	bool stores = tl_arm64_bits(word, 0, 5) == ZERO && !acquires, swaps = tl_arm64_bits(word, 15, 1) != 0;

	if ((word & 0x3f200c00) != 0x38200000 || (swaps && tl_arm64_bits(word, 12, 3) != 0))
		return false;
	if (swaps)
		tl_output_text(text->output, "swp");
	else
		tl_output_format(text->output, "%s%s", stores ? "st" : "ld", operations[tl_arm64_bits(word, 12, 3)]);
	tl_output_format(text->output, "%s%s%s\t", acquires ? "a" : "", releases ? "l" : "", widths[size]);
	write_register(text, 16, wide, false);
	if (swaps || !stores) {
		tl_output_text(text->output, ", ");
		write_register(text, 0, wide, false);
	}
	write_row(text, ", [%Xn]");
	return true;
}

static bool write_compare_and_swap(const struct tl_arm64_text *text)
{
	tl_u32 word = text->word;
	const char *acquires = tl_arm64_bits(word, 22, 1) != 0 ? "a" : "";
	const char *releases = tl_arm64_bits(word, 15, 1) != 0 ? "l" : "";

	if ((word & 0x3fa07c00) == 0x08a07c00) {
		tl_output_format(text->output, "cas%s%s%s\t", acquires, releases, widths[word >> 30]);
		write_row(text, word >> 30 == 3 ? "%xm, %xd, [%Xn]" : "%wm, %wd, [%Xn]");
		return true;
	}
	/* Pairs begin with an even register. */
	if ((word & 0xbfa07c00) == 0x08207c00 && (word & 0x10001) == 0) {
		char kind = (word & 0x40000000) != 0 ? 'x' : 'w';
		unsigned old = tl_arm64_bits(word, 16, 5), new = tl_arm64_bits(word, 0, 5);

		tl_output_format(text->output, "casp%s%s\t", acquires, releases);
		for (unsigned i = 0; i < 4; i++) {
			unsigned number = (i < 2 ? old : new) + i % 2;

			tl_output_format(text->output, number == ZERO ? "%czr, " : "%c%u, ", kind, number);
		}
		write_row(text, "[%Xn]");
		return true;
	}
	return false;
}

/* ---- Loads and stores with offsets ---- */

/* "[x0]", "[x0, #16]", "[x0, #16]!" or "[x0], #16". */
static void write_place(const struct tl_arm64_text *text, tl_i64 offset, unsigned indexing)
{
	write_row(text, "[%Xn");
	if (indexing == 1)
		tl_output_format(text->output, "], #%lld", (long long)offset);
	else if (offset != 0 || indexing == 3)
		tl_output_format(text->output, ", #%lld]%s", (long long)offset, indexing == 3 ? "!" : "");
	else
		tl_output_text(text->output, "]");
}

static bool write_tags(const struct tl_arm64_text *text)
{
	static const char *const names[] = {"stg", "stzg", "st2g", "stz2g"};
	tl_u32 word = text->word;
	unsigned indexing = tl_arm64_bits(word, 10, 2);

	if ((word & 0xff200000) == 0xd9200000 && (indexing != 0 || (word & 0x00c00000) == 0x00400000)) {
		tl_output_format(text->output, "%s\t", indexing == 0 ? "ldg" : names[tl_arm64_bits(word, 22, 2)]);
		write_register(text, 0, true, indexing != 0);
		tl_output_text(text->output, ", ");
		write_place(text, tl_arm64_signed(word, 12, 9) * 16, indexing == 0 ? 2 : indexing);
		return true;
	}
	indexing = tl_arm64_bits(word, 23, 2);
	if ((word & 0xfe400000) == 0x68000000 && indexing != 0) {
		write_row(text, "stgp\t%xd, %xa, ");
		write_place(text, tl_arm64_signed(word, 15, 7) * 16, indexing);
		return true;
	}
	if ((word & 0xbfc0c000) == 0x91800000) {
		write_row(text, (word & 0x40000000) != 0 ? "subg\t%Xd, %Xn" : "addg\t%Xd, %Xn");
		tl_output_format(text->output, ", #0x%x, #0x%x", tl_arm64_bits(word, 16, 6) * 16,
				 tl_arm64_bits(word, 10, 4));
		return true;
	}
	return false;
}

/* ldapur and stlur, and loads of signed pointers. */
static bool write_offset_load(const struct tl_arm64_text *text)
{
	static const char *const names[] = {"stlur", "ldapur", "ldapurs", "ldapurs"};
	tl_u32 word = text->word, size = word >> 30, which = tl_arm64_bits(word, 22, 2);

	if ((word & 0xff200400) == 0xf8200400) {
		tl_i64 offset = tl_arm64_signed((word >> 12 & 0x1ff) | (word >> 13 & 0x200), 0, 10) * 8;

		write_row(text, (word & 0x00800000) != 0 ? "ldrab\t%xd, " : "ldraa\t%xd, ");
		/* Without an offset the mark of writing back stands alone. */
		write_place(text, offset, (word & 0x800) != 0 && offset != 0 ? 3 : 2);
		tl_output_text(text->output, (word & 0x800) != 0 && offset == 0 ? "!" : "");
		return true;
	}
	if ((word & 0x3f200c00) != 0x19000000 || (which > 1 && (size == 3 || (size == 2 && which == 3))))
		return false;
	tl_output_format(text->output, "%s%s\t", names[which], which > 1 && size == 2 ? "w" : widths[size]);
	write_register(text, 0, which > 1 ? which == 2 : size == 3, false);
	tl_output_text(text->output, ", ");
	write_place(text, tl_arm64_signed(word, 12, 9), 2);
	return true;
}

/* ---- Copying and setting memory ---- */

static bool write_memory_operation(const struct tl_arm64_text *text)
{
	static const char *const kinds[] = {"",   "wt",   "rt",   "t",   "wn", "wtwn", "rtwn", "twn",
					    "rn", "wtrn", "rtrn", "trn", "n",  "wtn",  "rtn",  "tn"};
	static const char stages[] = "pme", *const set_kinds[] = {"", "t", "n", "tn"};
	tl_u32 word = text->word, stage = tl_arm64_bits(word, 22, 2), kind = tl_arm64_bits(word, 12, 4);
	bool other = (word & 0x04000000) != 0;

	if ((word & 0xfb200c00) != 0x19000400 || (stage == 3 && kind >> 2 == 3))
		return false;
	if (stage != 3) {
		tl_output_format(text->output, "cpy%s%c%s", other ? "" : "f", stages[stage], kinds[kind]);
		write_row(text, "\t[%xd]!, [%xm]!, %xn!");
	} else {
		tl_output_format(text->output, "set%s%c%s", other ? "g" : "", stages[kind >> 2], set_kinds[kind & 3]);
		write_row(text, "\t[%xd]!, %xn!, %xm");
	}
	return true;
}

/* ---- Vectors ---- */

/* Parts of vectors are moved: binutils says mov where Capstone says ins. */
static bool write_part(const struct tl_arm64_text *text)
{
	static const char letters[] = "bhsd";
	tl_u32 word = text->word, which = tl_arm64_bits(word, 16, 5), size = 0;

	while (size < 4 && (which >> size & 1) == 0)
		size++;
	if (size == 4)
		return false;
	if ((word & 0xffe0fc00) == 0x4e001c00) {
		tl_output_format(text->output, "mov\tv%u.%c[%u], ", tl_arm64_bits(word, 0, 5), letters[size],
				 which >> (size + 1));
		write_register(text, 5, size == 3, false);
		return true;
	}
	if ((word & 0xffe08400) == 0x6e000400) {
		tl_output_format(text->output, "mov\tv%u.%c[%u], v%u.%c[%u]", tl_arm64_bits(word, 0, 5), letters[size],
				 which >> (size + 1), tl_arm64_bits(word, 5, 5), letters[size],
				 tl_arm64_bits(word, 11, 4) >> size);
		return true;
	}
	return false;
}

/* The one instruction of SHA-3 with a number. */
static bool write_turned(const struct tl_arm64_text *text)
{
	if ((text->word & 0xffe00000) != 0xce800000)
		return false;
	write_row(text, "xar\t%vd.2d, %vn.2d, %vm.2d, ");
	tl_output_format(text->output, "#%u", tl_arm64_bits(text->word, 10, 6));
	return true;
}

/* sshll and ushll by nothing. */
static bool write_lengthened(const struct tl_arm64_text *text)
{
	static const char *const to[] = {"8h", "4s", "2d"}, *const from[] = {"8b", "16b", "4h", "8h", "2s", "4s"};
	tl_u32 word = text->word, size, full = tl_arm64_bits(word, 30, 1);

	if ((word & 0x9f87fc00) != 0x0f00a400)
		return false;
	size = tl_arm64_bits(word, 19, 4);
	if (size != 1 && size != 2 && size != 4)
		return false;
	size /= 2;
	tl_output_format(text->output, "%cxtl%s\tv%u.%s, v%u.%s", (word & 0x20000000) != 0 ? 'u' : 's',
			 full != 0 ? "2" : "", tl_arm64_bits(word, 0, 5), to[size], tl_arm64_bits(word, 5, 5),
			 from[size * 2 + full]);
	return true;
}

/* ---- The whole ---- */

static bool write_cleared_bits(const struct tl_arm64_text *text)
{
	tl_u32 word = text->word, turned = tl_arm64_bits(word, 16, 6), last = tl_arm64_bits(word, 10, 6);
	bool wide = word >> 31 != 0;

	if ((word & 0x7f8003e0) != 0x330003e0 || tl_arm64_bits(word, 22, 1) != (wide ? 1u : 0u) ||
	    (!wide && ((turned | last) & 32) != 0) || last >= turned)
		return false;
	tl_output_text(text->output, "bfc\t");
	write_register(text, 0, wide, false);
	tl_output_format(text->output, ", #%u, #%u", (wide ? 64 : 32) - turned, last + 1);
	return true;
}

bool tl_arm64_write_own(const struct tl_arm64_text *text)
{
	if (text->word < 0x10000) {
		tl_output_format(text->output, "udf\t#%u", text->word);
		return true;
	}
	return write_move_wide(text) || write_move_logical(text) || write_hint(text) || write_of_table(text) ||
	       write_atomic(text) || write_compare_and_swap(text) || write_tags(text) || write_offset_load(text) ||
	       write_memory_operation(text) || write_part(text) || write_lengthened(text) || write_turned(text) ||
	       write_cleared_bits(text);
}
