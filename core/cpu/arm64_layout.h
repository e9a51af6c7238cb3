/*
 * The registers of AArch64: features, and where each stands in the register file.
 *
 *   bank 0 (TL_BANK_GENERAL): x0 to x30, sp, pc, pstate, 8 bytes each: what NT_PRSTATUS is, to the byte.
 *   bank 1 (TL_ARM64_BANK_VECTOR): v0 to v31, 16 bytes each, fpsr, fpcr: what NT_PRFPREG is, without its padding. With
 *     the scalable vector extension z0 to z31, p0 to p15, ffr and vg stand behind bank 2, and v0 to v31 are not used.
 *   bank 2 (TL_ARM64_BANK_SYSTEM): thread pointers, masks of pointer authentication, control of tagged addresses.
 *
 * Sources: Arm Architecture Reference Manual (DDI 0487), C5.2 and D19; DWARF for the Arm 64-bit Architecture
 * (aadwarf64), "DWARF register names"; GDB's manual, "AArch64 Features"; Linux, Documentation/arm64/sve.rst.
 */
#ifndef TL_CORE_CPU_ARM64_LAYOUT_H
#define TL_CORE_CPU_ARM64_LAYOUT_H

#include "core/cpu/cpu.h"
#include "core/types.h"

#define TL_ARM64_BANK_VECTOR 1
#define TL_ARM64_BANK_SYSTEM 2

/* Bits of a feature mask, and indices into tl_cpu.features. A machine has FPU or SVE, never both. */
enum tl_arm64_feature {
	TL_ARM64_FEATURE_CORE,
	TL_ARM64_FEATURE_FPU,
	TL_ARM64_FEATURE_SVE,
	TL_ARM64_FEATURE_PAUTH, /* which bits of pointers hold an authentication code */
	TL_ARM64_FEATURE_MTE,   /* how tagged addresses are taken */
	TL_ARM64_FEATURE_TLS,
	TL_ARM64_FEATURE_MAX
};

/* Byte offsets in the register file. */
enum tl_arm64_at {
	TL_ARM64_AT_X = 0, /* 31 of 8 bytes */
	TL_ARM64_AT_SP = 31 * 8,
	TL_ARM64_AT_PC = 32 * 8,
	TL_ARM64_AT_PSTATE = 33 * 8,
	TL_ARM64_GENERAL_SIZE = 34 * 8,
	TL_ARM64_AT_V = TL_ARM64_GENERAL_SIZE, /* 32 of 16 bytes */
	TL_ARM64_AT_FPSR = TL_ARM64_AT_V + 32 * 16,
	TL_ARM64_AT_FPCR = TL_ARM64_AT_FPSR + 4,
	TL_ARM64_AT_TPIDR = TL_ARM64_AT_FPCR + 4,
	TL_ARM64_AT_DATA_MASK = TL_ARM64_AT_TPIDR + 8,
	TL_ARM64_AT_CODE_MASK = TL_ARM64_AT_DATA_MASK + 8,
	TL_ARM64_AT_TAG_CONTROL = TL_ARM64_AT_CODE_MASK + 8,
	TL_ARM64_FILE_SIZE = TL_ARM64_AT_TAG_CONTROL + 8,
	TL_ARM64_AT_VG = TL_ARM64_FILE_SIZE, /* 8 bytes: how many words of 8 bytes a vector has */
	TL_ARM64_AT_Z = TL_ARM64_AT_VG + 8   /* 32 vectors */
};

/* Where p0, ffr and the end stand when vectors have `length` bytes; a predicate has one bit for each byte. */
#define TL_ARM64_AT_P(length) (TL_ARM64_AT_Z + 32 * (length))
#define TL_ARM64_AT_FFR(length) (TL_ARM64_AT_P(length) + 16 * (length) / 8)
#define TL_ARM64_SVE_FILE_SIZE(length) (TL_ARM64_AT_FFR(length) + (length) / 8)

/* The longest vectors that the architecture allows, in bytes, and how many lengths there are: 16, 32, … 256. */
#define TL_ARM64_VECTOR_MAX 256
#define TL_ARM64_VECTOR_LENGTHS 5

/* Bits of pstate. */
#define TL_ARM64_N ((tl_u64)1 << 31)
#define TL_ARM64_Z ((tl_u64)1 << 30)
#define TL_ARM64_C ((tl_u64)1 << 29)
#define TL_ARM64_V ((tl_u64)1 << 28)
#define TL_ARM64_BRANCH_TYPE ((tl_u64)3 << 10) /* how the last branch came here; a `bti` looks at it */

/*
 * The description for a machine whose vectors have `length` bytes, a power of two; NULL for others. tl_cpu_aarch64 is
 * the one for a machine without scalable vectors.
 */
const struct tl_cpu *tl_arm64_with_vectors(tl_u64 length);
/* The bytes of a vector in such a description; 0 where vectors do not scale. */
tl_u64 tl_arm64_vector_length(const struct tl_cpu *cpu);

#endif
