#include "core/cpu/cpu.h"
#include "core/cpu/x86_access.h"
#include "core/cpu/x86_carry_out.h"
#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_registers.h"
#include "core/cpu/x86_relocate.h"

static enum tl_status decode(const tl_u8 *bytes, tl_size size, struct tl_instruction *instruction_ret)
{
	return tl_x86_summarize(false, bytes, size, instruction_ret);
}

static enum tl_status successors(const tl_u8 *file, const tl_u8 *bytes, tl_size size,
				 const struct tl_memory_access *memory, tl_u64 successors_ret[TL_SUCCESSORS_MAX],
				 tl_size *count_ret)
{
	return tl_x86_successors(false, file, bytes, size, memory, successors_ret, count_ret);
}

static enum tl_status carry_out(tl_u8 *file, const tl_u8 *bytes, tl_size size, const struct tl_memory_access *memory)
{
	return tl_x86_carry_out(false, file, bytes, size, memory);
}

static enum tl_status relocate(const tl_u8 *bytes, tl_size size, tl_u64 from, tl_u64 to,
			       tl_u8 code_ret[TL_RELOCATED_MAX], tl_size *length_ret, tl_size *body_ret)
{
	return tl_x86_relocate(false, bytes, size, from, to, code_ret, length_ret, body_ret);
}

static enum tl_access last_access(const tl_u8 *file, const tl_u8 *before, tl_size before_size, tl_u64 address,
				  tl_u64 size)
{
	return tl_x86_last_access(false, file, before, before_size, address, size);
}

const struct tl_cpu tl_cpu_i386 = {
	.name = "i386",
	.architecture = "i386",
	.triple_cpu = "i386",
	.address_size = 4,
	.registers = tl_i386_registers,
	.register_count = TL_I386_REGISTER_MAX,
	.file_size = TL_X86_FILE_SIZE,
	.bank_count = 2,
	.features = tl_x86_features,
	.feature_count = TL_X86_FEATURE_MAX,
	.base_features = 1u << TL_X86_FEATURE_CORE | 1u << TL_X86_FEATURE_SSE,
	.program_counter = TL_I386_EIP,
	.stack_pointer = TL_I386_ESP,
	.frame_pointer = TL_I386_EBP,
	.expedited = tl_i386_expedited,
	.expedited_first = 10,
	.trap = {0xcc},
	.trap_size = 1,
	.trap_advance = 1,
	.instruction_alignment = 1,
	.decode = decode,
	.successors = successors,
	.carry_out = carry_out,
	.relocate = relocate,
	.last_access = last_access,
};
