/*
 * Notes of arm64 threads: each is the kernel's regset of its name (Linux, arch/arm64/include/uapi/asm/ptrace.h;
 * Documentation/arm64/sve.rst). targets/corefile/registers_arm64.c reads them.
 */
#include "core/cpu/arm64_layout.h"
#include "debugger/session/gcore_internal.h"

#include <elf.h>

/* struct user_fpsimd_state: 32 registers, fpsr, fpcr, 8 bytes of nothing. */
#define PLAIN_SIZE (32 * 16 + 16)

/* struct user_sve_header: two sizes, the vector's length and its most, flags; what follows begins at byte 16. */
#define SVE_PAYLOAD 16
#define SVE_SCALABLE 1
/* Its registers, and fpsr and fpcr at the next multiple of 16. */
#define SVE_SIZE(length) ((SVE_PAYLOAD + 32 * (length) + 17 * (length) / 8 + 15) / 16 * 16 + 8)

static bool has(const struct gcore *core, enum tl_arm64_feature feature)
{
	return (core->facts.features >> feature & 1) != 0;
}

/* v0 to v31, which with scalable vectors are the lower parts of z0 to z31. */
static void put_plain(struct gcore *core, const tl_u8 *file, tl_size length)
{
	tl_u8 area[PLAIN_SIZE] = {0};

	for (tl_size n = 0; n < 32; n++)
		tl_copy(area + 16 * n, length != 0 ? file + TL_ARM64_AT_Z + n * length : file + TL_ARM64_AT_V + n * 16,
			16);
	tl_copy(area + 32 * 16, file + TL_ARM64_AT_FPSR, 8);
	tl_gcore_put_note(core, "CORE", NT_FPREGSET, area, sizeof(area));
}

/*
 * The vectors of a thread, whose length may not be that of the file any more: of shorter ones the file has all, and
 * of longer ones the lower parts, which then stand alone.
 */
static void put_scalable(struct gcore *core, const tl_u8 *file, tl_size length)
{
	tl_u8 area[SVE_SIZE(TL_ARM64_VECTOR_MAX)] = {0};
	tl_size now = (tl_size)tl_load_little(file + TL_ARM64_AT_VG, 8) * 8;
	tl_u8 *predicates;

	if (now == 0 || now > length || now % 16 != 0)
		now = length;
	predicates = area + SVE_PAYLOAD + 32 * now;
	tl_store_little(area, SVE_SIZE(now), 4);
	tl_store_little(area + 4, SVE_SIZE(length), 4);
	tl_store_little(area + 8, now, 2);
	tl_store_little(area + 10, length, 2);
	tl_store_little(area + 12, SVE_SCALABLE, 2);
	for (tl_size n = 0; n < 32; n++)
		tl_copy(area + SVE_PAYLOAD + n * now, file + TL_ARM64_AT_Z + n * length, now);
	for (tl_size n = 0; n < 17; n++)
		tl_copy(predicates + n * now / 8, file + TL_ARM64_AT_P(length) + n * length / 8, now / 8);
	tl_copy(area + SVE_SIZE(now) - 8, file + TL_ARM64_AT_FPSR, 8);
	tl_gcore_put_note(core, "LINUX", NT_ARM_SVE, area, SVE_SIZE(now));
}

void tl_gcore_put_arm64(struct gcore *core, const tl_u8 *file, bool all)
{
	tl_size length = (tl_size)tl_arm64_vector_length(core->facts.cpu);

	if (!all)
		return;
	put_plain(core, file, length);
	if (has(core, TL_ARM64_FEATURE_TLS))
		tl_gcore_put_note(core, "LINUX", NT_ARM_TLS, file + TL_ARM64_AT_TPIDR, 8);
	if (length != 0)
		put_scalable(core, file, length);
	if (has(core, TL_ARM64_FEATURE_PAUTH))
		tl_gcore_put_note(core, "LINUX", NT_ARM_PAC_MASK, file + TL_ARM64_AT_DATA_MASK, 16);
	if (has(core, TL_ARM64_FEATURE_MTE))
		tl_gcore_put_note(core, "LINUX", TL_NT_ARM_TAGGED_ADDR_CTRL, file + TL_ARM64_AT_TAG_CONTROL, 8);
}
