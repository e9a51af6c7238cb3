#include "core/cpu/cpu.h"
#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_registers.h"

const struct tl_cpu tl_cpu_x86_64 = {
	.name = "x86_64",
	.architecture = "i386:x86-64",
	.triple_cpu = "x86_64",
	.address_size = 8,
	.registers = tl_x86_64_registers,
	.register_count = TL_X86_64_REGISTER_MAX,
	.file_size = TL_X86_FILE_SIZE,
	.bank_count = 2,
	.features = tl_x86_features,
	.feature_count = TL_X86_FEATURE_MAX,
	.base_features = 1u << TL_X86_FEATURE_CORE | 1u << TL_X86_FEATURE_SSE | 1u << TL_X86_FEATURE_SEGMENTS,
	.program_counter = TL_X86_64_RIP,
	.stack_pointer = TL_X86_64_RSP,
	.frame_pointer = TL_X86_64_RBP,
	.expedited = tl_x86_64_expedited,
	.trap = {0xcc},
	.trap_size = 1,
	.trap_advance = 1,
	.instruction_alignment = 1,
};
