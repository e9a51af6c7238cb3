/*
 * The extended state of x86 as the CPU saves it and as kernels hand it out (Intel SDM volume 1, chapter 13, "Managing
 * State Using the XSAVE Feature Set"; the standard, not the compacted form), and as it stands in the register file.
 *
 * The first 512 bytes are FXSAVE's on every CPU. Where the other components stand depends on the CPU: whoever has one
 * at hand asks CPUID for it, and whoever has a record of another machine guesses by the size.
 */
#ifndef TL_CORE_CPU_X86_XSAVE_H
#define TL_CORE_CPU_X86_XSAVE_H

#include "core/types.h"

/* Bits of XCR0 and of XSTATE_BV. */
enum tl_x86_component {
	TL_X86_COMPONENT_X87 = 0,
	TL_X86_COMPONENT_SSE = 1,
	TL_X86_COMPONENT_AVX = 2,
	TL_X86_COMPONENT_OPMASK = 5,
	TL_X86_COMPONENT_ZMM_HIGH_256 = 6,
	TL_X86_COMPONENT_HIGH_16_ZMM = 7,
	TL_X86_COMPONENT_PKRU = 9,
	TL_X86_COMPONENT_MAX
};

#define TL_X86_XSAVE_LEGACY_SIZE 512
/* In the header behind it: the components that are not in their initial state. */
#define TL_X86_XSAVE_BITS 512
#define TL_X86_XSAVE_HEADER_END 576
/* In the part of the legacy region that is left to software Linux says which components it handed out. */
#define TL_X86_XSAVE_XCR0 464

struct tl_x86_xsave {
	tl_u64 components;                   /* those that the machine has, as in XCR0 */
	tl_u16 offset[TL_X86_COMPONENT_MAX]; /* 0 for the two that have fixed places */
};

/* The layout of an area of `size` bytes with these components, from CPUs that are known. */
void tl_x86_xsave_guess(struct tl_x86_xsave *layout_ret, tl_u64 components, tl_size size);

/* How many bytes the components take, the header included. */
tl_size tl_x86_xsave_size(const struct tl_x86_xsave *layout);

/* Bits of a feature mask (enum tl_x86_feature) that the components stand for: AVX and what came later. */
tl_u32 tl_x86_xsave_features(tl_u64 components);

/* Fills bank 1 of a register file from `size` bytes of an area, at least the legacy region; what is missing is 0. */
void tl_x86_xsave_read(const struct tl_x86_xsave *layout, const tl_u8 *area, tl_size size, tl_u8 *file);

/*
 * Writes what differs in bank 1 into an area, and marks the components that do: the others may stay in their initial
 * state. False when nothing differs.
 */
bool tl_x86_xsave_write(const struct tl_x86_xsave *layout, tl_u8 *area, tl_size size, const tl_u8 *file);

/* The 108 bytes in which a 32-bit process's x87 stands (FSAVE's format, SDM volume 1, 8.1.10). */
#define TL_X86_FSAVE_SIZE 108

/* Fills bank 1 of a register file from such bytes, and the other way round; bank 1 beside the x87 is 0, or lost. */
void tl_x86_fsave_read(const tl_u8 *area, tl_u8 *file);
void tl_x86_fsave_write(tl_u8 *area, const tl_u8 *file);

#endif
