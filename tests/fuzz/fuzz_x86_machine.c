/*
 * What a debugger believes of an x86 machine that it looks at: registers, descriptor tables and page tables of a guest
 * with any contents. Walks end, a step that is begun and ended leaves the flags of the guest's own, and nothing is
 * read or written that was not asked for.
 */
#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_step.h"
#include "targets/kvm/kaslr.h"
#include "targets/kvm/slot_access.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY 0x4000u

struct input {
	const uint8_t *bytes;
	size_t size;
};

static tl_u8 memory[MEMORY], file[TL_X86_FILE_SIZE];
static tl_u32 writes;

static tl_u64 take(struct input *input, size_t size)
{
	tl_u64 value;

	size = size < input->size ? size : input->size;
	value = tl_load_little(input->bytes, size);
	input->bytes += size;
	input->size -= size;
	return value;
}

static bool read_physical(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	if (size > 8)
		abort();
	for (tl_size i = 0; i < size; i++)
		((tl_u8 *)buffer)[i] = memory[(address + i) % MEMORY];
	return (address >> 62) != 3;
}

/* Linear memory repeats, with holes. */
static enum tl_status read_linear(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	if (size > 16)
		abort();
	if ((address >> 20 & 7) == 7)
		return TL_ERROR_MEMORY;
	for (tl_size i = 0; i < size; i++)
		((tl_u8 *)buffer)[i] = memory[(address + i) % MEMORY];
	return TL_OK;
}

static enum tl_status write_linear(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	(void)context;
	if (size > 8 || ++writes > 1)
		abort(); /* a step saves flags in one place */
	for (tl_size i = 0; i < size; i++)
		memory[(address + i) % MEMORY] = ((const tl_u8 *)buffer)[i];
	return TL_OK;
}

static const struct tl_memory_access access_memory = {read_linear, write_linear, NULL};

static void set(tl_size at, tl_u64 value)
{
	tl_store_little(file + at, value, 8);
}

static tl_u64 get(tl_size at)
{
	return tl_load_little(file + at, 8);
}

static void set_registers(struct input *input)
{
	static const tl_u16 numbers[] = {TL_X86_AT_RIP,       TL_X86_AT_RSP,       TL_X86_AT_R11,
					 TL_X86_AT_FMASK,     TL_X86_AT_IDTR_BASE, TL_X86_AT_GDTR_BASE,
					 TL_X86_AT_LDTR_BASE, TL_X86_AT_CS_BASE,   TL_X86_AT_SS_BASE};
	tl_u64 how = take(input, 1);

	memset(file, 0, sizeof(file));
	set(TL_X86_AT_CR0, ((how & 1) != 0 ? TL_X86_CR0_PE : 0) | ((how & 2) != 0 ? TL_X86_CR0_PG : 0));
	set(TL_X86_AT_EFER, (how & 4) != 0 ? TL_X86_EFER_LMA : 0);
	set(TL_X86_AT_CS_ATTR, (how & 8) != 0 ? TL_X86_ATTR_L : (how & 16) != 0 ? TL_X86_ATTR_DB : 0);
	set(TL_X86_AT_SS_ATTR, (how >> 5 & 3) << 5 | ((how & 128) != 0 ? TL_X86_ATTR_DB : 0));
	set(TL_X86_AT_EFLAGS, take(input, 3));
	set(TL_X86_AT_IDTR_LIMIT, take(input, 2));
	set(TL_X86_AT_GDTR_LIMIT, take(input, 2));
	set(TL_X86_AT_LDTR_LIMIT, take(input, 2));
	for (tl_size i = 0; i < TL_COUNT(numbers); i++)
		set(numbers[i], (how & 128) != 0 ? take(input, 8) : take(input, 2));
}

/* A step that nothing came of leaves everything as it was; whatever came of it, FMASK does. */
static void step(struct input *input)
{
	static tl_u8 before[TL_X86_FILE_SIZE];
	struct tl_x86_step step;
	struct tl_x86_step_result result;
	tl_u64 how = take(input, 1);

	memcpy(before, file, sizeof(before));
	tl_x86_step_begin(&step, file, (how & 1) != 0, &access_memory);
	if (step.landing_count > TL_X86_STEP_LANDINGS)
		abort();
	writes = 0;
	if (!step.done && (how & 6) == 0) {
		result = tl_x86_step_end(&step, file, false, &access_memory);
		/* Unless a handler begins right here. */
		if (result.end == TL_X86_STEP_AGAIN && memcmp(before, file, sizeof(before)) != 0)
			abort();
		return;
	}
	if (!step.done) {
		set(TL_X86_AT_RIP, (how & 8) != 0 && step.landing_count != 0 ? step.landings[0].address
									     : get(TL_X86_AT_RIP) + (how >> 4));
		set(TL_X86_AT_EFLAGS, take(input, 3) & ~TL_X86_FLAG_TF);
		set(TL_X86_AT_RSP, get(TL_X86_AT_RSP) - 8);
	}
	result = tl_x86_step_end(&step, file, (how & 4) != 0, &access_memory);
	if (result.end != TL_X86_STEP_ENTERED && result.vector != 0)
		abort();
	if (get(TL_X86_AT_FMASK) != tl_load_little(before + TL_X86_AT_FMASK, 8))
		abort();
}

static void walk(struct input *input)
{
	static char text[4096];
	tl_u64 how = take(input, 1), linear = take(input, 8), start, size;
	struct tl_page_tables tables = {.cr3 = take(input, 8),
					.levels = (tl_u8[]){0, 2, 3, 4, 5}[how % 5],
					.big = (how & 0x40) != 0,
					.no_execute = (how & 0x80) != 0};
	struct tl_writer writer = tl_writer_make(text, sizeof(text));
	struct tl_kaslr_place place;
	struct tl_page_walk found;
	tl_size budget = 200;
	enum tl_status status = tl_page_walk(&tables, read_physical, NULL, linear, &found);

	if (found.count > tables.levels)
		abort();
	if (status == TL_OK && tables.levels != 0 && ((found.physical ^ linear) & 0xfff) != 0)
		abort(); /* a page is never smaller than that */
	tl_page_walk_tell(&tables, linear, status, &found, &writer);
	if (writer.failed)
		abort();
	if (tl_page_walk_next(&tables, read_physical, NULL, linear, TL_U64_MAX, &budget, &start, &size, &found) &&
	    (start < linear || size == 0))
		abort();
	if (tl_kaslr_find(&tables, read_physical, NULL, linear | TL_KASLR_FIRST, &place) == TL_OK &&
	    (place.address < TL_KASLR_FIRST || place.size > TL_KASLR_END - place.address))
		abort();
}

static void foresee(struct input *input)
{
	struct tl_slot_foreseen list[TL_SLOT_FORESEEN_MAX];
	tl_u8 code[15];

	for (tl_size i = 0; i < sizeof(code); i++)
		code[i] = (tl_u8)take(input, 1);
	if (tl_slot_access_foresee(file, code, sizeof(code), list) > TL_SLOT_FORESEEN_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	tl_u64 what = take(&input, 1);

	set_registers(&input);
	for (tl_size i = 0; i < MEMORY; i++)
		memory[i] = input.size != 0 ? input.bytes[i % input.size] : 0;
	if ((what & 1) != 0)
		walk(&input);
	if ((what & 2) != 0)
		foresee(&input);
	if ((what & 4) != 0)
		step(&input);
	return 0;
}
