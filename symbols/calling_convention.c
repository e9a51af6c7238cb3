#include "symbols/calling_convention.h"

#include "core/cursor.h"

/* mov $__NR_rt_sigreturn, %rax; syscall */
static const tl_u8 x86_64_trampoline[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05};

/* In words from the stack pointer: struct ucontext begins there, its struct sigcontext 5 words later. By DWARF number.
 */
static const tl_u8 x86_64_saved[] = {
	18, 17, 19, 16, 14, 13, 15, 20, /* rax rdx rcx rbx rsi rdi rbp rsp */
	5,  6,  7,  8,  9,  10, 11, 12, /* r8 to r15 */
	21,                             /* rip */
};

/* System V ABI, AMD64 supplement, "Registers"; i386 supplement, likewise. */
static const struct tl_calling_convention conventions[] = {
	{
		.cpu = &tl_cpu_x86_64,
		.program_counter = 16,
		.stack_pointer = 7,
		.frame_pointer = 6,
		.link_register = 16,
		.preserved = {1 << 3 | 1 << 6 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15, 0},
		.address_bits = 64,
		.trampoline = x86_64_trampoline,
		.trampoline_size = sizeof(x86_64_trampoline),
		.trampoline_call = 7,
		.saved = x86_64_saved,
		.saved_count = sizeof(x86_64_saved),
		.landing = "\xf3\x0f\x1e\xfa",
		.push = "\x55",
		.moves = {"\x48\x89\xe5", "\x48\x8b\xec"},
	},
	{
		.cpu = &tl_cpu_i386,
		.program_counter = 8,
		.stack_pointer = 4,
		.frame_pointer = 5,
		.link_register = 8,
		.preserved = {1 << 3 | 1 << 5 | 1 << 6 | 1 << 7, 0},
		.address_bits = 32,
		.landing = "\xf3\x0f\x1e\xfb",
		.push = "\x55",
		.moves = {"\x89\xe5", "\x8b\xec"},
	},
};

const struct tl_calling_convention *tl_calling_convention(const struct tl_cpu *cpu)
{
	for (tl_size i = 0; i < TL_COUNT(conventions); i++)
		if (conventions[i].cpu == cpu)
			return &conventions[i];
	return NULL;
}

tl_size tl_frame_setup_size(const struct tl_cpu *cpu, const tl_u8 *bytes, tl_size size)
{
	const struct tl_calling_convention *convention = tl_calling_convention(cpu);
	struct tl_cursor cursor = tl_cursor_make(bytes, size);

	if (convention == NULL || convention->push == NULL)
		return 0;
	(void)tl_cursor_accept_text(&cursor, convention->landing);
	if (!tl_cursor_accept_text(&cursor, convention->push))
		return 0;
	for (tl_size i = 0; i < TL_COUNT(convention->moves); i++)
		if (tl_cursor_accept_text(&cursor, convention->moves[i]))
			return (tl_size)(cursor.at - bytes);
	return 0;
}
