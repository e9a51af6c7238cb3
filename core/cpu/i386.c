#include "core/cpu/cpu.h"
#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_registers.h"

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
	.trap = {0xcc},
	.trap_size = 1,
	.trap_advance = 1,
	.instruction_alignment = 1,
};
