/*
 * Registers of 64-bit Arm, as the notes have them: in the forms of the kernel's regset of each name (Linux,
 * arch/arm64/include/uapi/asm/ptrace.h; Documentation/arm64/sve.rst).
 */
#include "targets/corefile/state.h"

#include "core/cpu/arm64_layout.h"

#include <string.h>

/* struct user_fpsimd_state: 32 registers, fpsr, fpcr, 8 bytes of nothing. */
#define PLAIN_SIZE (32 * 16 + 16)

/* struct user_sve_header: the length of a vector at byte 8, flags at byte 12; what follows begins at byte 16. */
#define SVE_LENGTH_AT 8
#define SVE_FLAGS_AT 12
#define SVE_PAYLOAD 16
#define SVE_SCALABLE 1 /* what follows is scalable, and not struct user_fpsimd_state */
#define SVE_SIZE_MAX (SVE_PAYLOAD + 32 * TL_ARM64_VECTOR_MAX + 17 * TL_ARM64_VECTOR_MAX / 8 + 32)

/* The bytes of a vector in a thread's note; 0 where there is none, or none that could be true. */
static tl_u64 vector_length(const struct core_target *core, const struct core_thread *thread, tl_u32 *flags_ret)
{
	tl_u8 header[SVE_PAYLOAD];
	tl_u64 length;

	if (thread->vectors.size < sizeof(header) ||
	    !tl_corefile_read_core(core, thread->vectors.offset, header, sizeof(header)))
		return 0;
	length = tl_load_little(header + SVE_LENGTH_AT, 2);
	*flags_ret = (tl_u32)tl_load_little(header + SVE_FLAGS_AT, 2);
	return tl_arm64_with_vectors(length) != NULL ? length : 0;
}

void tl_corefile_arm64_find_features(struct core_target *core)
{
	const struct core_thread *first = &core->threads[core->order[0]];
	tl_u32 flags;
	tl_u64 length = vector_length(core, first, &flags);

	core->cpu = length != 0 ? tl_arm64_with_vectors(length) : &tl_cpu_aarch64;
	core->features =
		1u << TL_ARM64_FEATURE_CORE | 1u << (length != 0 ? TL_ARM64_FEATURE_SVE : TL_ARM64_FEATURE_FPU);
	if (first->pointer.size >= 8)
		core->features |= 1u << TL_ARM64_FEATURE_TLS;
	if (first->masks.size >= 16)
		core->features |= 1u << TL_ARM64_FEATURE_PAUTH;
	if (first->tag_control.size >= 8)
		core->features |= 1u << TL_ARM64_FEATURE_MTE;
}

static enum tl_status read_part(const struct core_target *core, const struct core_part *part, tl_u8 *to, tl_u32 size)
{
	if (part->size < size)
		return TL_ERROR_UNSUPPORTED;
	return tl_corefile_read_core(core, part->offset, to, size) ? TL_OK : TL_ERROR_TRUNCATED;
}

/* What has 16 bytes, as v0 to v31 or in the lower parts of z0 to z31. */
static void take_plain(const tl_u8 *plain, tl_size length, tl_u8 *file)
{
	for (tl_size n = 0; n < 32; n++)
		tl_copy(length != 0 ? file + TL_ARM64_AT_Z + n * length : file + TL_ARM64_AT_V + n * 16, plain + 16 * n,
			16);
	tl_copy(file + TL_ARM64_AT_FPSR, plain + 32 * 16, 8);
}

/* All vectors of `from` bytes, which the file has with `to`; of each as much as both have. */
static void take_scalable(const tl_u8 *payload, tl_size from, tl_size to, tl_u8 *file)
{
	tl_size size = from < to ? from : to, predicates = 32 * from;
	tl_size status = (SVE_PAYLOAD + predicates + 17 * from / 8 + 15) / 16 * 16 - SVE_PAYLOAD;

	for (tl_size n = 0; n < 32; n++)
		tl_copy(file + TL_ARM64_AT_Z + n * to, payload + n * from, size);
	for (tl_size n = 0; n < 17; n++)
		tl_copy(file + TL_ARM64_AT_P(to) + n * to / 8, payload + predicates + n * from / 8, size / 8);
	tl_copy(file + TL_ARM64_AT_FPSR, payload + status, 8);
}

static enum tl_status fetch_vectors(const struct core_target *core, const struct core_thread *thread, tl_u8 *file)
{
	tl_size to = (tl_size)tl_arm64_vector_length(core->cpu), from, size;
	tl_u8 area[SVE_SIZE_MAX];
	tl_u32 flags = 0;

	from = (tl_size)vector_length(core, thread, &flags);
	if (to != 0) {
		tl_fill(file + TL_ARM64_AT_Z, 0, TL_ARM64_SVE_FILE_SIZE(to) - TL_ARM64_AT_Z);
		tl_store_little(file + TL_ARM64_AT_VG, (from != 0 ? from : to) / 8, 8);
	}
	if (to != 0 && from != 0 && (flags & SVE_SCALABLE) != 0) {
		size = (SVE_PAYLOAD + 32 * from + 17 * from / 8 + 15) / 16 * 16 + 8;
		TL_TRY(read_part(core, &thread->vectors, area, (tl_u32)size));
		take_scalable(area + SVE_PAYLOAD, from, to, file);
		return TL_OK;
	}
	/* While a thread has used none, the lower parts are all there is. */
	TL_TRY(read_part(core, &thread->floating, area, PLAIN_SIZE));
	take_plain(area, to, file);
	return TL_OK;
}

static void fetch_system(const struct core_target *core, const struct core_thread *thread, tl_u8 *file)
{
	tl_u8 bytes[16] = {0};

	tl_fill(file + TL_ARM64_AT_TPIDR, 0, TL_ARM64_FILE_SIZE - TL_ARM64_AT_TPIDR);
	if (read_part(core, &thread->pointer, bytes, 8) == TL_OK)
		tl_copy(file + TL_ARM64_AT_TPIDR, bytes, 8);
	if (read_part(core, &thread->masks, bytes, 16) == TL_OK)
		tl_copy(file + TL_ARM64_AT_DATA_MASK, bytes, 16);
	if (read_part(core, &thread->tag_control, bytes, 8) == TL_OK)
		tl_copy(file + TL_ARM64_AT_TAG_CONTROL, bytes, 8);
}

enum tl_status tl_corefile_arm64_fetch(const struct core_target *core, const struct core_thread *thread, tl_u8 bank,
				       tl_u8 *file)
{
	switch (bank) {
	case TL_BANK_GENERAL:
		return read_part(core, &thread->registers, file, TL_ARM64_GENERAL_SIZE);
	case TL_ARM64_BANK_VECTOR:
		return fetch_vectors(core, thread, file);
	case TL_ARM64_BANK_SYSTEM:
		fetch_system(core, thread, file);
		return TL_OK;
	default:
		return TL_ERROR_REGISTER;
	}
}
