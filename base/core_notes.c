#include "base/core_notes.h"

#include "core/cpu/x86_layout.h"

static const struct tl_core_layout wide_layout = {
	.word = 8,
	.status = {.size = 336, .signal = 12, .thread = 32, .registers = 112, .registers_size = 216, .floating = 328},
	.info = {.size = 136, .process = 24, .name = 40, .arguments = 56},
};

static const struct tl_core_layout narrow_layout = {
	.word = 4,
	.status = {.size = 144, .signal = 12, .thread = 24, .registers = 72, .registers_size = 68, .floating = 140},
	.info = {.size = 124, .process = 12, .name = 28, .arguments = 44},
};

/* In the order in which a 32-bit program's stand, 4 bytes each. A 64-bit one's stand as in the register file. */
static const tl_u8 narrow_slots[] = {
	TL_X86_SLOT_RBX, TL_X86_SLOT_RCX, TL_X86_SLOT_RDX,    TL_X86_SLOT_RSI, TL_X86_SLOT_RDI, TL_X86_SLOT_RBP,
	TL_X86_SLOT_RAX, TL_X86_SLOT_DS,  TL_X86_SLOT_ES,     TL_X86_SLOT_FS,  TL_X86_SLOT_GS,  TL_X86_SLOT_ORIG_RAX,
	TL_X86_SLOT_RIP, TL_X86_SLOT_CS,  TL_X86_SLOT_EFLAGS, TL_X86_SLOT_RSP, TL_X86_SLOT_SS,
};

static const struct tl_core_layout arm64_layout = {
	.word = 8,
	.status = {.size = 392, .signal = 12, .thread = 32, .registers = 112, .registers_size = 272, .floating = 384},
	.info = {.size = 136, .process = 24, .name = 40, .arguments = 56},
};

const struct tl_core_layout *tl_core_layout_arm64(void)
{
	return &arm64_layout;
}

const struct tl_core_layout *tl_core_layout(bool wide)
{
	return wide ? &wide_layout : &narrow_layout;
}

void tl_core_read_registers(bool wide, const tl_u8 *registers, tl_u8 *file)
{
	if (wide) {
		tl_copy(file, registers, TL_X86_GENERAL_SIZE);
		return;
	}
	tl_fill(file, 0, TL_X86_GENERAL_SIZE);
	for (tl_size n = 0; n < TL_COUNT(narrow_slots); n++)
		tl_copy(file + (tl_size)narrow_slots[n] * 8, registers + n * 4, 4);
}

void tl_core_write_registers(bool wide, const tl_u8 *file, tl_u8 *registers)
{
	if (wide) {
		tl_copy(registers, file, TL_X86_GENERAL_SIZE);
		return;
	}
	for (tl_size n = 0; n < TL_COUNT(narrow_slots); n++)
		tl_copy(registers + n * 4, file + (tl_size)narrow_slots[n] * 8, 4);
}
