#include "core/cpu/x86_gate.h"

#include "core/cpu/x86_layout.h"

#define GATE_PRESENT 0x80
#define TYPE_INTERRUPT 0xe
#define TYPE_TRAP 0xf
#define TYPE_INTERRUPT_16 6
#define TYPE_TRAP_16 7

static tl_u64 value(const tl_u8 *file, tl_size at)
{
	return tl_load_little(file + at, 8);
}

/* #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP, #VC and #SX push one (SDM volume 3, table 6-1). */
static bool pushes_error_code(tl_u8 vector)
{
	return vector < 32 && (0x60227d00u >> vector & 1) != 0;
}

/* The bytes of an entry, if it lies within the table's limit. */
static enum tl_status read_entry(const tl_u8 *file, const struct tl_memory_access *memory, tl_u8 vector, tl_u8 size,
				 tl_u8 *bytes_ret)
{
	tl_u64 offset = (tl_u64)vector * size;

	if (offset + size - 1 > (tl_u32)value(file, TL_X86_AT_IDTR_LIMIT))
		return TL_ERROR_UNSUPPORTED;
	return memory->read(memory->context, value(file, TL_X86_AT_IDTR_BASE) + offset, bytes_ret, size);
}

/* The base of a code segment, from its descriptor. */
static enum tl_status segment_base(const tl_u8 *file, const struct tl_memory_access *memory, tl_u16 selector,
				   tl_u64 *base_ret)
{
	bool local = (selector & 4) != 0;
	tl_u64 table = value(file, local ? TL_X86_AT_LDTR_BASE : TL_X86_AT_GDTR_BASE);
	tl_u32 limit = (tl_u32)value(file, local ? TL_X86_AT_LDTR_LIMIT : TL_X86_AT_GDTR_LIMIT);
	tl_u32 offset = selector & ~7u;
	tl_u8 bytes[8];

	if (offset + 7 > limit)
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(memory->read(memory->context, table + offset, bytes, sizeof(bytes)));
	*base_ret = tl_load_little(bytes + 2, 3) | (tl_u64)bytes[7] << 24;
	return TL_OK;
}

static enum tl_status read_real(const tl_u8 *file, const struct tl_memory_access *memory, tl_u8 vector,
				struct tl_x86_gate *gate_ret)
{
	tl_u8 bytes[4];

	TL_TRY(read_entry(file, memory, vector, sizeof(bytes), bytes));
	*gate_ret = (struct tl_x86_gate){.address = (tl_load_little(bytes + 2, 2) << 4) + tl_load_little(bytes, 2),
					 .vector = vector,
					 .width = 2};
	return TL_OK;
}

static enum tl_status read_long(const tl_u8 *file, const struct tl_memory_access *memory, tl_u8 vector,
				struct tl_x86_gate *gate_ret)
{
	tl_u8 bytes[16], type;

	TL_TRY(read_entry(file, memory, vector, sizeof(bytes), bytes));
	type = bytes[5] & 0xf;
	if ((bytes[5] & GATE_PRESENT) == 0 || (type != TYPE_INTERRUPT && type != TYPE_TRAP))
		return TL_ERROR_UNSUPPORTED;
	*gate_ret = (struct tl_x86_gate){.address = tl_load_little(bytes, 2) | tl_load_little(bytes + 6, 6) << 16,
					 .vector = vector,
					 .width = 8,
					 .error_code = pushes_error_code(vector),
					 .keeps_flags = type == TYPE_TRAP};
	return TL_OK;
}

static enum tl_status read_protected(const tl_u8 *file, const struct tl_memory_access *memory, tl_u8 vector,
				     struct tl_x86_gate *gate_ret)
{
	tl_u8 bytes[8], type;
	tl_u64 base, offset;
	bool wide;

	TL_TRY(read_entry(file, memory, vector, sizeof(bytes), bytes));
	type = bytes[5] & 0xf;
	wide = type == TYPE_INTERRUPT || type == TYPE_TRAP;
	if ((bytes[5] & GATE_PRESENT) == 0 || (!wide && type != TYPE_INTERRUPT_16 && type != TYPE_TRAP_16))
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(segment_base(file, memory, (tl_u16)tl_load_little(bytes + 2, 2), &base));
	offset = tl_load_little(bytes, 2) | (wide ? tl_load_little(bytes + 6, 2) << 16 : 0);
	*gate_ret = (struct tl_x86_gate){.address = (tl_u32)(base + offset),
					 .vector = vector,
					 .width = wide ? 4 : 2,
					 .error_code = pushes_error_code(vector),
					 .keeps_flags = type == TYPE_TRAP || type == TYPE_TRAP_16};
	return TL_OK;
}

enum tl_status tl_x86_gate_read(const tl_u8 *file, const struct tl_memory_access *memory, tl_u8 vector,
				struct tl_x86_gate *gate_ret)
{
	if ((value(file, TL_X86_AT_CR0) & TL_X86_CR0_PE) == 0)
		return read_real(file, memory, vector, gate_ret);
	if ((value(file, TL_X86_AT_EFER) & TL_X86_EFER_LMA) != 0)
		return read_long(file, memory, vector, gate_ret);
	return read_protected(file, memory, vector, gate_ret);
}

tl_u8 tl_x86_gate_flags_offset(const struct tl_x86_gate *gate)
{
	/* The instruction pointer and the selector lie below the flags, and the error code below all. */
	return (tl_u8)((gate->error_code ? 3 : 2) * gate->width);
}
