/*
 * Notes of x86 threads: the extended state, and where 32-bit ones keep their storage.
 */
#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_xsave.h"
#include "debugger/session/gcore_internal.h"

#include <elf.h>

/* Large enough that the layout of the CPUs with the widest gaps is meant, which all readers know. */
#define ANY_READERS_SIZE 4096
#define AREA_MAX 4096

static tl_u64 components_of(tl_u32 features)
{
	tl_u64 components = 1u << TL_X86_COMPONENT_X87 | 1u << TL_X86_COMPONENT_SSE;

	if ((features >> TL_X86_FEATURE_AVX & 1) != 0)
		components |= 1u << TL_X86_COMPONENT_AVX;
	if ((features >> TL_X86_FEATURE_AVX512 & 1) != 0)
		components |= 1u << TL_X86_COMPONENT_OPMASK | 1u << TL_X86_COMPONENT_ZMM_HIGH_256 |
			      1u << TL_X86_COMPONENT_HIGH_16_ZMM;
	if ((features >> TL_X86_FEATURE_PKEYS & 1) != 0)
		components |= 1u << TL_X86_COMPONENT_PKRU;
	return components;
}

/*
 * The extended state in all the forms that readers ask for. Its layout is Intel's on every CPU: older readers know no
 * other, and newer ones tell by the size.
 */
static void put_extended(struct gcore *core, const tl_u8 *file)
{
	tl_u64 components = components_of(core->facts.features);
	tl_u8 area[AREA_MAX] = {0}, old[TL_X86_FSAVE_SIZE];
	struct tl_x86_xsave layout;
	tl_size size;

	tl_x86_xsave_guess(&layout, components, ANY_READERS_SIZE);
	size = tl_x86_xsave_size(&layout);
	(void)tl_x86_xsave_write(&layout, area, size, file);
	/* None of them is to be taken for being in its initial state. */
	tl_store_little(area + TL_X86_XSAVE_BITS, components, 8);
	if (core->wide) {
		tl_gcore_put_note(core, "CORE", NT_FPREGSET, area, TL_X86_XSAVE_LEGACY_SIZE);
	} else {
		tl_x86_fsave_write(old, file);
		tl_gcore_put_note(core, "CORE", NT_FPREGSET, old, sizeof(old));
		tl_gcore_put_note(core, "LINUX", NT_PRXFPREG, area, TL_X86_XSAVE_LEGACY_SIZE);
	}
	tl_store_little(area + TL_X86_XSAVE_XCR0, components, 8);
	tl_gcore_put_note(core, "LINUX", NT_X86_XSTATE, area, size);
}

/* A 32-bit thread's storage hangs at a segment: struct user_desc, of a flat one as the kernel makes it. */
static void put_segment(struct gcore *core, struct tl_thread_id id, const tl_u8 *file)
{
	tl_u8 pointer[8], row[16] = {0};

	if (core->wide ||
	    tl_gcore_read_object(core, id, TL_OBJECT_THREAD_POINTER, pointer, sizeof(pointer)) != sizeof(pointer))
		return;
	tl_store_little(row, tl_load_little(file + TL_X86_AT_GS, 2) >> 3, 4);
	tl_store_little(row + 4, tl_load_little(pointer, 4), 4);
	tl_store_little(row + 8, 0xfffff, 4);
	/* seg_32bit, limit_in_pages, useable */
	tl_store_little(row + 12, 1 << 0 | 1 << 4 | 1 << 6, 4);
	tl_gcore_put_note(core, "LINUX", NT_386_TLS, row, sizeof(row));
}

void tl_gcore_put_x86(struct gcore *core, struct tl_thread_id id, const tl_u8 *file, bool all)
{
	if (all)
		put_extended(core, file);
	put_segment(core, id, file);
}
