/*
 * Registers, as the notes have them.
 */
#include "targets/corefile/state.h"

#include "core/cpu/x86_layout.h"

#include <string.h>

/* As much of an extended state as there is a use for: what this knows of ends below. */
#define AREA_MAX 4096

/* The layout of other machines' states: from the core where the kernel wrote it down (since 6.12), else guessed by
 * size. */
static void find_layout(struct core_target *core, tl_u64 components, tl_u32 size)
{
	tl_u8 row[16];

	tl_x86_xsave_guess(&core->layout, components, size);
	for (tl_u32 at = 0; at + sizeof(row) <= core->layout_note.size; at += (tl_u32)sizeof(row)) {
		tl_u64 component, offset;

		if (!tl_corefile_read_core(core, core->layout_note.offset + at, row, sizeof(row)))
			return;
		component = tl_load_little(row, 4);
		offset = tl_load_little(row + 8, 4);
		if (component >= TL_X86_COMPONENT_AVX && component < TL_X86_COMPONENT_MAX && offset < AREA_MAX)
			core->layout.offset[component] = (tl_u16)offset;
	}
}

void tl_corefile_find_features(struct core_target *core)
{
	const struct core_thread *first = &core->threads[core->order[0]];
	tl_u8 components[8] = {0};

	if (core->arm64) {
		tl_corefile_arm64_find_features(core);
		return;
	}
	core->cpu = core->wide ? &tl_cpu_x86_64 : &tl_cpu_i386;
	core->features = 1u << TL_X86_FEATURE_CORE | 1u << TL_X86_FEATURE_LINUX;
	if (core->wide)
		core->features |= 1u << TL_X86_FEATURE_SEGMENTS;
	if (core->wide || first->extended.size != 0 || first->legacy.size != 0)
		core->features |= 1u << TL_X86_FEATURE_SSE;
	if (first->extended.size >= TL_X86_XSAVE_HEADER_END &&
	    tl_corefile_read_core(core, first->extended.offset + TL_X86_XSAVE_XCR0, components, sizeof(components)))
		core->features |= tl_x86_xsave_features(tl_load_little(components, sizeof(components)));
	find_layout(core, tl_load_little(components, sizeof(components)), first->extended.size);
}

enum tl_status tl_corefile_describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret)
{
	const struct core_target *core = core_target(target);

	if (process != core->process)
		return TL_ERROR_GONE;
	*facts_ret = (struct tl_process_facts){
		.cpu = core->cpu,
		.features = core->features,
		.os_abi = "GNU/Linux",
	};
	return TL_OK;
}

static enum tl_status fetch_general(const struct core_target *core, const struct core_thread *thread, tl_u8 *file)
{
	tl_u8 registers[TL_X86_GENERAL_SIZE];

	if (!tl_corefile_read_core(core, thread->registers.offset, registers, thread->registers.size))
		return TL_ERROR_TRUNCATED;
	tl_core_read_registers(core->wide, registers, file);
	return TL_OK;
}

/* The best of the notes there are. TL_ERROR_UNSUPPORTED where there is none, or it lacks what other threads have. */
static enum tl_status fetch_extended(const struct core_target *core, const struct core_thread *thread, tl_u8 *file)
{
	tl_u32 later = 1u << TL_X86_FEATURE_AVX | 1u << TL_X86_FEATURE_AVX512 | 1u << TL_X86_FEATURE_PKEYS;
	const struct core_part *part = &thread->extended;
	tl_u8 area[AREA_MAX];
	tl_u32 size;

	if (part->size < TL_X86_XSAVE_LEGACY_SIZE) {
		if ((core->features & later) != 0)
			return TL_ERROR_UNSUPPORTED;
		part = core->wide ? &thread->floating : &thread->legacy;
	}
	if (part->size < TL_X86_XSAVE_LEGACY_SIZE) {
		part = &thread->floating;
		if (core->wide || part->size < TL_X86_FSAVE_SIZE || (core->features >> TL_X86_FEATURE_SSE & 1) != 0)
			return TL_ERROR_UNSUPPORTED;
	}
	size = part->size < sizeof(area) ? part->size : (tl_u32)sizeof(area);
	if (!tl_corefile_read_core(core, part->offset, area, size))
		return TL_ERROR_TRUNCATED;
	if (size < TL_X86_XSAVE_LEGACY_SIZE)
		tl_x86_fsave_read(area, file);
	else
		tl_x86_xsave_read(&core->layout, area, size, file);
	return TL_OK;
}

enum tl_status tl_corefile_fetch(struct tl_target *target, struct tl_thread_id id, tl_u8 bank, tl_u8 *file)
{
	const struct core_target *core = core_target(target);
	const struct core_thread *thread = tl_corefile_thread(core, id);

	if (thread == NULL)
		return TL_ERROR_GONE;
	if (core->arm64)
		return tl_corefile_arm64_fetch(core, thread, bank, file);
	if (bank == TL_BANK_GENERAL)
		return fetch_general(core, thread, file);
	return bank == TL_X86_BANK_EXTENDED ? fetch_extended(core, thread, file) : TL_ERROR_REGISTER;
}

bool tl_corefile_thread_pointer(const struct core_target *core, const struct core_thread *thread, tl_u64 *value_ret)
{
	tl_u8 file[TL_X86_FILE_SIZE], row[16];
	tl_u64 selector;

	if (core->arm64) {
		if (thread->pointer.size < 8 || !tl_corefile_read_core(core, thread->pointer.offset, row, 8))
			return false;
		*value_ret = tl_load_little(row, 8);
		return true;
	}
	if (fetch_general(core, thread, file) != TL_OK)
		return false;
	if (core->wide) {
		*value_ret = tl_load_little(file + TL_X86_AT_FS_BASE, 8);
		return true;
	}
	/* The descriptors of the thread's own, one of which gs selects: entry number, base, … (struct user_desc). */
	selector = tl_load_little(file + TL_X86_AT_GS, 2);
	for (tl_u32 at = 0; at + sizeof(row) <= thread->segments.size; at += (tl_u32)sizeof(row)) {
		if (!tl_corefile_read_core(core, thread->segments.offset + at, row, sizeof(row)))
			return false;
		if (tl_load_little(row, 4) != selector >> 3)
			continue;
		*value_ret = tl_load_little(row + 4, 4);
		return true;
	}
	return false;
}
