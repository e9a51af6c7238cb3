#include "core/cpu/x86_xsave.h"

#include "core/cpu/x86_layout.h"

/* The legacy region (SDM volume 1, table 13-1, and FXSAVE64's). */
#define AREA_FCTRL 0
#define AREA_FSTAT 2
#define AREA_TAGS 4 /* a bit for each physical register that is not empty */
#define AREA_FOP 6
#define AREA_FIOFF 8
#define AREA_FISEG 12
#define AREA_FOOFF 16
#define AREA_FOSEG 20
#define AREA_MXCSR 24
#define AREA_ST 32
#define AREA_XMM 160

#define BIT(component) ((tl_u64)1 << TL_X86_COMPONENT_##component)
#define AVX512_BITS (BIT(OPMASK) | BIT(ZMM_HIGH_256) | BIT(HIGH_16_ZMM))

/* `count` items of `size` bytes: `stride` apart in the area, from `offset` in the component; and in the register file.
 */
static const struct {
	tl_u8 component;
	tl_u8 count;
	tl_u8 size;
	tl_u16 offset, stride;
	tl_u16 file_offset, file_stride;
} pieces[] = {
	{TL_X86_COMPONENT_X87, 8, 10, AREA_ST, 16, TL_X86_AT_ST, 16},
	{TL_X86_COMPONENT_SSE, 16, 16, AREA_XMM, 16, TL_X86_AT_ZMM, 64},
	{TL_X86_COMPONENT_SSE, 1, 4, AREA_MXCSR, 4, TL_X86_AT_MXCSR, 4},
	{TL_X86_COMPONENT_AVX, 16, 16, 0, 16, TL_X86_AT_YMMH_N(0), 64},
	{TL_X86_COMPONENT_OPMASK, 8, 8, 0, 8, TL_X86_AT_K, 8},
	{TL_X86_COMPONENT_ZMM_HIGH_256, 16, 32, 0, 32, TL_X86_AT_ZMMH_N(0), 64},
	{TL_X86_COMPONENT_HIGH_16_ZMM, 16, 64, 0, 64, TL_X86_AT_XMM_N(16), 64},
	{TL_X86_COMPONENT_PKRU, 1, 4, 0, 4, TL_X86_AT_PKRU, 4},
};

/* Control words of the x87: narrow in the area, 32 bits each in the file. The tags are apart. */
static const struct {
	tl_u16 area, file;
	tl_u8 size;
} controls[] = {
	{AREA_FCTRL, TL_X86_AT_FCTRL, 2}, {AREA_FSTAT, TL_X86_AT_FSTAT, 2}, {AREA_FOP, TL_X86_AT_FOP, 2},
	{AREA_FIOFF, TL_X86_AT_FIOFF, 4}, {AREA_FISEG, TL_X86_AT_FISEG, 2}, {AREA_FOOFF, TL_X86_AT_FOOFF, 4},
	{AREA_FOSEG, TL_X86_AT_FOSEG, 2},
};

/* ---- Layouts ---- */

/*
 * Where components stand in the standard form, as CPUID leaf 0xd of these CPUs says: Intel's keep the gaps of MPX,
 * AMD's have none.
 */
static const tl_u16 intel_offsets[TL_X86_COMPONENT_MAX] = {
	[TL_X86_COMPONENT_AVX] = 576,          [TL_X86_COMPONENT_OPMASK] = 1088, [TL_X86_COMPONENT_ZMM_HIGH_256] = 1152,
	[TL_X86_COMPONENT_HIGH_16_ZMM] = 1664, [TL_X86_COMPONENT_PKRU] = 2688,
};
static const tl_u16 amd_offsets[TL_X86_COMPONENT_MAX] = {
	[TL_X86_COMPONENT_AVX] = 576,          [TL_X86_COMPONENT_OPMASK] = 832, [TL_X86_COMPONENT_ZMM_HIGH_256] = 896,
	[TL_X86_COMPONENT_HIGH_16_ZMM] = 1408, [TL_X86_COMPONENT_PKRU] = 2432,
};

#define AMD_SIZE_MAX 2440

void tl_x86_xsave_guess(struct tl_x86_xsave *layout_ret, tl_u64 components, tl_size size)
{
	const tl_u16 *offsets = size <= AMD_SIZE_MAX ? amd_offsets : intel_offsets;

	*layout_ret = (struct tl_x86_xsave){.components = components | BIT(X87) | BIT(SSE)};
	tl_copy(layout_ret->offset, offsets, sizeof(layout_ret->offset));
}

static tl_size piece_offset(const struct tl_x86_xsave *layout, tl_size n)
{
	return layout->offset[pieces[n].component] + (tl_size)pieces[n].offset;
}

static tl_size piece_end(const struct tl_x86_xsave *layout, tl_size n)
{
	return piece_offset(layout, n) + (tl_size)(pieces[n].count - 1) * pieces[n].stride + pieces[n].size;
}

static bool has_component(const struct tl_x86_xsave *layout, tl_size n)
{
	return (layout->components >> pieces[n].component & 1) != 0;
}

/* Whether the machine has the piece, and the area of `size` bytes holds it. */
static bool has_piece(const struct tl_x86_xsave *layout, tl_size n, tl_size size)
{
	return has_component(layout, n) && piece_end(layout, n) <= size;
}

tl_size tl_x86_xsave_size(const struct tl_x86_xsave *layout)
{
	tl_size size = TL_X86_XSAVE_HEADER_END;

	for (tl_size n = 0; n < TL_COUNT(pieces); n++)
		if (has_component(layout, n) && piece_end(layout, n) > size)
			size = piece_end(layout, n);
	/* PKRU's component has 8 bytes. */
	return (size + 7) & ~(tl_size)7;
}

tl_u32 tl_x86_xsave_features(tl_u64 components)
{
	tl_u32 features = 0;

	if ((components & BIT(AVX)) != 0)
		features |= 1u << TL_X86_FEATURE_AVX;
	if ((components & AVX512_BITS) == AVX512_BITS)
		features |= 1u << TL_X86_FEATURE_AVX512;
	if ((components & BIT(PKRU)) != 0)
		features |= 1u << TL_X86_FEATURE_PKEYS;
	return features;
}

/* ---- Tags ---- */

/* The two tag bits of an x87 register that is not empty: valid, zero, or special (SDM volume 1, 8.1.7). */
static unsigned tag_of(const tl_u8 *value)
{
	unsigned exponent = (unsigned)tl_load_little(value + 8, 2) & 0x7fff;
	tl_u64 fraction = tl_load_little(value, 8);

	if (exponent == 0x7fff)
		return 2;
	if (exponent == 0)
		return fraction == 0 ? 1 : 2;
	return fraction >> 63 != 0 ? 0 : 2;
}

static tl_u16 full_tags(const tl_u8 *area)
{
	unsigned top = (unsigned)tl_load_little(area + AREA_FSTAT, 2) >> 11 & 7, tags = 0;

	for (unsigned physical = 0; physical < 8; physical++) {
		unsigned tag = 3;

		if ((area[AREA_TAGS] & 1u << physical) != 0)
			tag = tag_of(area + AREA_ST + 16 * ((physical - top) & 7));
		tags |= tag << 2 * physical;
	}
	return (tl_u16)tags;
}

static tl_u8 short_tags(tl_u64 tags)
{
	unsigned bits = 0;

	for (unsigned physical = 0; physical < 8; physical++)
		if ((tags >> 2 * physical & 3) != 3)
			bits |= 1u << physical;
	return (tl_u8)bits;
}

/* ---- XSAVE ---- */

void tl_x86_xsave_read(const struct tl_x86_xsave *layout, const tl_u8 *area, tl_size size, tl_u8 *file)
{
	tl_fill(file + TL_X86_AT_ST, 0, TL_X86_AT_SYSTEM - TL_X86_AT_ST);
	for (tl_size n = 0; n < TL_COUNT(pieces); n++)
		for (unsigned i = 0; has_piece(layout, n, size) && i < pieces[n].count; i++)
			tl_copy(file + pieces[n].file_offset + i * pieces[n].file_stride,
				area + piece_offset(layout, n) + (tl_size)i * pieces[n].stride, pieces[n].size);
	for (tl_size n = 0; n < TL_COUNT(controls); n++)
		tl_store_little(file + controls[n].file, tl_load_little(area + controls[n].area, controls[n].size), 4);
	tl_store_little(file + TL_X86_AT_FOP, tl_load_little(area + AREA_FOP, 2) & 0x7ff, 4);
	tl_store_little(file + TL_X86_AT_FTAG, full_tags(area), 4);
}

/* Puts `size` bytes into the area. True if that changed anything. */
static bool put(tl_u8 *area, const tl_u8 *value, tl_size size)
{
	if (tl_same(area, value, size))
		return false;
	tl_copy(area, value, size);
	return true;
}

bool tl_x86_xsave_write(const struct tl_x86_xsave *layout, tl_u8 *area, tl_size size, const tl_u8 *file)
{
	tl_u64 changed = 0;
	tl_u8 tags;

	for (tl_size n = 0; n < TL_COUNT(pieces); n++)
		for (unsigned i = 0; has_piece(layout, n, size) && i < pieces[n].count; i++)
			if (put(area + piece_offset(layout, n) + (tl_size)i * pieces[n].stride,
				file + pieces[n].file_offset + i * pieces[n].file_stride, pieces[n].size))
				changed |= (tl_u64)1 << pieces[n].component;
	for (tl_size n = 0; n < TL_COUNT(controls); n++)
		if (put(area + controls[n].area, file + controls[n].file, controls[n].size))
			changed |= BIT(X87);
	tags = short_tags(tl_load_little(file + TL_X86_AT_FTAG, 2));
	if (put(area + AREA_TAGS, &tags, 1))
		changed |= BIT(X87);
	if (changed != 0 && size >= TL_X86_XSAVE_BITS + 8)
		tl_store_little(area + TL_X86_XSAVE_BITS, tl_load_little(area + TL_X86_XSAVE_BITS, 8) | changed, 8);
	return changed != 0;
}

/* ---- FSAVE ---- */

/* Seven words of 32 bits, then the eight registers, 10 bytes each. FOP shares a word with the selector before it. */
#define SAVE_FCTRL 0
#define SAVE_FSTAT 4
#define SAVE_FTAG 8
#define SAVE_FIOFF 12
#define SAVE_FISEG 16
#define SAVE_FOP 18
#define SAVE_FOOFF 20
#define SAVE_FOSEG 24
#define SAVE_ST 28

static const struct {
	tl_u16 area, file;
	tl_u8 size;
} saved[] = {
	{SAVE_FCTRL, TL_X86_AT_FCTRL, 2}, {SAVE_FSTAT, TL_X86_AT_FSTAT, 2}, {SAVE_FTAG, TL_X86_AT_FTAG, 2},
	{SAVE_FIOFF, TL_X86_AT_FIOFF, 4}, {SAVE_FISEG, TL_X86_AT_FISEG, 2}, {SAVE_FOP, TL_X86_AT_FOP, 2},
	{SAVE_FOOFF, TL_X86_AT_FOOFF, 4}, {SAVE_FOSEG, TL_X86_AT_FOSEG, 2},
};

void tl_x86_fsave_read(const tl_u8 *area, tl_u8 *file)
{
	tl_fill(file + TL_X86_AT_ST, 0, TL_X86_AT_SYSTEM - TL_X86_AT_ST);
	for (tl_size n = 0; n < TL_COUNT(saved); n++)
		tl_store_little(file + saved[n].file, tl_load_little(area + saved[n].area, saved[n].size), 4);
	tl_store_little(file + TL_X86_AT_FOP, tl_load_little(area + SAVE_FOP, 2) & 0x7ff, 4);
	for (tl_size n = 0; n < 8; n++)
		tl_copy(file + TL_X86_AT_ST_N(n), area + SAVE_ST + 10 * n, 10);
}

void tl_x86_fsave_write(tl_u8 *area, const tl_u8 *file)
{
	tl_fill(area, 0, TL_X86_FSAVE_SIZE);
	for (tl_size n = 0; n < TL_COUNT(saved); n++)
		tl_copy(area + saved[n].area, file + saved[n].file, saved[n].size);
	/* The upper halves of the first three words are ones, as the CPU has them. */
	tl_fill(area + SAVE_FCTRL + 2, 0xff, 2);
	tl_fill(area + SAVE_FSTAT + 2, 0xff, 2);
	tl_fill(area + SAVE_FTAG + 2, 0xff, 2);
	for (tl_size n = 0; n < 8; n++)
		tl_copy(area + SAVE_ST + 10 * n, file + TL_X86_AT_ST_N(n), 10);
}
