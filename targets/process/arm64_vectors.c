/*
 * Vector registers: those of 16 bytes by NT_PRFPREG, scalable ones by NT_ARM_SVE, or NT_ARM_SSVE while a thread is in
 * streaming mode. Linux, Documentation/arm64/sve.rst and sme.rst, "ptrace extensions", and asm/ptrace.h.
 */
#include "targets/process/arm64.h"

#include "core/cpu/arm64_layout.h"

#include <elf.h>
#include <sys/prctl.h>

#ifndef NT_ARM_SSVE
#define NT_ARM_SSVE 0x40b
#endif
#ifndef PR_SVE_GET_VL
#define PR_SVE_GET_VL 51
#define PR_SVE_VL_LEN_MASK 0xffff
#endif

/* struct user_fpsimd_state: 32 registers, fpsr, fpcr, 8 bytes of nothing. */
#define PLAIN_SIZE (32 * 16 + 16)

/* struct user_sve_header. */
struct header {
	tl_u32 size, max_size;
	tl_u16 length, max_length;
	tl_u16 flags, reserved;
};

#define FLAG_SCALABLE 1 /* what follows is scalable, and not in the form of NT_PRFPREG */
#define PAYLOAD 16      /* where it begins */

tl_u64 tl_arm64_own_vectors(const struct process_target *target)
{
	int length = target->machine.has_sve ? prctl(PR_SVE_GET_VL) : -1;

	return length > 0 ? (tl_u64)(length & PR_SVE_VL_LEN_MASK) : 0;
}

tl_u64 tl_arm64_thread_vectors(const struct process_target *target, const struct traced_thread *thread)
{
	struct header header = {0};

	if (!target->machine.has_sve ||
	    tl_arm64_get_set(target, thread, NT_ARM_SVE, &header, sizeof(header), NULL) != TL_OK)
		return 0;
	return header.length;
}

/* ---- Of 16 bytes ---- */

static enum tl_status fetch_plain(const struct process_target *target, const struct traced_thread *thread, tl_u8 *file)
{
	tl_u8 plain[PLAIN_SIZE] = {0};

	TL_TRY(tl_arm64_get_set(target, thread, NT_PRFPREG, plain, sizeof(plain), NULL));
	tl_copy(file + TL_ARM64_AT_V, plain, 32 * 16 + 8);
	return TL_OK;
}

static enum tl_status store_plain(const struct process_target *target, const struct traced_thread *thread,
				  const tl_u8 *file)
{
	tl_u8 plain[PLAIN_SIZE] = {0};

	tl_copy(plain, file + TL_ARM64_AT_V, 32 * 16 + 8);
	return tl_arm64_put_set(target, thread, NT_PRFPREG, plain, sizeof(plain));
}

/* ---- Scalable ---- */

/* Where in the kernel's bytes, with vectors of `length`, things stand. */
static tl_size z_at(tl_size length, tl_size n)
{
	return PAYLOAD + n * length;
}

static tl_size p_at(tl_size length, tl_size n)
{
	return PAYLOAD + 32 * length + n * length / 8;
}

/* Predicate 16 is ffr; fpsr and fpcr stand behind it, at a multiple of 16. */
static tl_size status_at(tl_size length)
{
	return (p_at(length, 17) + 15) & ~(tl_size)15;
}

struct layout {
	tl_size from, to, size; /* the thread's vectors, the file's, and what both have */
};

static struct layout layout_of(tl_size thread_length, const struct tl_cpu *cpu)
{
	tl_size to = (tl_size)tl_arm64_vector_length(cpu);

	return (struct layout){thread_length, to, thread_length < to ? thread_length : to};
}

/* Reads the thread's set into target->machine.vectors; *set_ret is the one that is in use. */
static enum tl_status read_set(const struct process_target *target, const struct traced_thread *thread,
			       struct header *header_ret, int *set_ret)
{
	tl_u8 *area = target->machine.vectors;
	tl_size size = target->machine.vectors_size, done = 0;

	*set_ret = NT_ARM_SSVE;
	if (target->machine.has_sme && tl_arm64_get_set(target, thread, NT_ARM_SSVE, area, size, &done) == TL_OK &&
	    done >= PAYLOAD) {
		tl_copy(header_ret, area, sizeof(*header_ret));
		/* Outside streaming mode there is nothing but the header. */
		if ((header_ret->flags & FLAG_SCALABLE) != 0 && done >= status_at(header_ret->length) + 8)
			return TL_OK;
	}
	*set_ret = NT_ARM_SVE;
	TL_TRY(tl_arm64_get_set(target, thread, NT_ARM_SVE, area, size, &done));
	if (done < PAYLOAD)
		return TL_ERROR_SYSTEM;
	tl_copy(header_ret, area, sizeof(*header_ret));
	if (header_ret->length == 0 || header_ret->length > TL_ARM64_VECTOR_MAX)
		return TL_ERROR_SYSTEM;
	if (done < ((header_ret->flags & FLAG_SCALABLE) != 0 ? status_at(header_ret->length) + 8 : PAYLOAD + 520))
		return TL_ERROR_SYSTEM;
	return TL_OK;
}

static void take_scalable(const tl_u8 *area, const struct layout *layout, tl_u8 *file)
{
	for (tl_size n = 0; n < 32; n++)
		tl_copy(file + TL_ARM64_AT_Z + n * layout->to, area + z_at(layout->from, n), layout->size);
	for (tl_size n = 0; n < 17; n++)
		tl_copy(file + TL_ARM64_AT_P(layout->to) + n * layout->to / 8, area + p_at(layout->from, n),
			layout->size / 8);
	tl_copy(file + TL_ARM64_AT_FPSR, area + status_at(layout->from), 8);
}

/* While a thread has used none, the kernel keeps and shows the lower 16 bytes alone. */
static void take_plain(const tl_u8 *plain, const struct layout *layout, tl_u8 *file)
{
	for (tl_size n = 0; n < 32; n++)
		tl_copy(file + TL_ARM64_AT_Z + n * layout->to, plain + 16 * n, 16);
	tl_copy(file + TL_ARM64_AT_FPSR, plain + 32 * 16, 8);
}

enum tl_status tl_arm64_fetch_vectors(struct process_target *target, const struct traced_thread *thread,
				      const struct tl_cpu *cpu, tl_u8 *file)
{
	tl_size length = (tl_size)tl_arm64_vector_length(cpu);
	struct header header = {0};
	struct layout layout;
	int set = 0;

	if (length == 0)
		return fetch_plain(target, thread, file);
	TL_TRY(read_set(target, thread, &header, &set));
	layout = layout_of(header.length, cpu);
	tl_fill(file + TL_ARM64_AT_Z, 0, TL_ARM64_SVE_FILE_SIZE(length) - TL_ARM64_AT_Z);
	tl_store_little(file + TL_ARM64_AT_VG, header.length / 8u, 8);
	if ((header.flags & FLAG_SCALABLE) != 0)
		take_scalable(target->machine.vectors, &layout, file);
	else
		take_plain(target->machine.vectors + PAYLOAD, &layout, file);
	return TL_OK;
}

/* Nothing but zeroes beyond the lower 16 bytes of each, and no predicate: the plain form holds all of it. */
static bool is_plain(const struct layout *layout, const tl_u8 *file)
{
	for (tl_size n = 0; n < 32; n++)
		for (tl_size i = 16; i < layout->to; i++)
			if (file[TL_ARM64_AT_Z + n * layout->to + i] != 0)
				return false;
	for (tl_size i = 0; i < 17 * layout->to / 8; i++)
		if (file[TL_ARM64_AT_P(layout->to) + i] != 0)
			return false;
	return true;
}

static enum tl_status put_plain(struct process_target *target, const struct traced_thread *thread,
				const struct layout *layout, const tl_u8 *file)
{
	tl_u8 plain[PLAIN_SIZE] = {0};

	for (tl_size n = 0; n < 32; n++)
		tl_copy(plain + 16 * n, file + TL_ARM64_AT_Z + n * layout->to, 16);
	tl_copy(plain + 32 * 16, file + TL_ARM64_AT_FPSR, 8);
	return tl_arm64_put_set(target, thread, NT_PRFPREG, plain, sizeof(plain));
}

enum tl_status tl_arm64_store_vectors(struct process_target *target, const struct traced_thread *thread,
				      const struct tl_cpu *cpu, const tl_u8 *file)
{
	tl_u8 *area = target->machine.vectors;
	struct header header = {0};
	struct layout layout;
	tl_size size;
	int set = 0;

	if (tl_arm64_vector_length(cpu) == 0)
		return store_plain(target, thread, file);
	TL_TRY(read_set(target, thread, &header, &set));
	layout = layout_of(header.length, cpu);
	size = status_at(layout.from) + 8;
	if ((header.flags & FLAG_SCALABLE) == 0) {
		if (is_plain(&layout, file))
			return put_plain(target, thread, &layout, file);
		tl_fill(area + PAYLOAD, 0, size - PAYLOAD);
	}
	for (tl_size n = 0; n < 32; n++)
		tl_copy(area + z_at(layout.from, n), file + TL_ARM64_AT_Z + n * layout.to, layout.size);
	for (tl_size n = 0; n < 17; n++)
		tl_copy(area + p_at(layout.from, n), file + TL_ARM64_AT_P(layout.to) + n * layout.to / 8,
			layout.size / 8);
	tl_copy(area + status_at(layout.from), file + TL_ARM64_AT_FPSR, 8);
	size = (size + 15) & ~(tl_size)15;
	header.flags |= FLAG_SCALABLE;
	header.size = (tl_u32)size;
	tl_copy(area, &header, sizeof(header));
	return tl_arm64_put_set(target, thread, set, area, size);
}
