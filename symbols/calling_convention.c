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

/* mov x8, #__NR_rt_sigreturn; svc #0 */
static const tl_u8 aarch64_trampoline[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};

/*
 * In words from the stack pointer: struct siginfo stands there, 16 words; behind it struct ucontext, whose struct
 * sigcontext begins 22 words later, with the address of a fault.
 */
static const tl_u8 aarch64_saved[] = {
	39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, /* x0 to x15 */
	55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69,     /* x16 to x30 */
	70, 71,                                                         /* sp, pc */
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
		.setup_goes_on = true,
	},
	/* RISC-V ELF psABI, "Register Convention". The program counter has no DWARF number: it gets one that is free.
	 */
	{
		.cpu = &tl_cpu_riscv64,
		.program_counter = 65,
		.stack_pointer = 2,
		.frame_pointer = 8,
		.link_register = 1,
		.preserved = {(tl_u64)0x0ffc031c | (tl_u64)0x0ffc0300 << 32, 0},
		.address_bits = 64,
		.link_slot = -1,
	},
	/* AAPCS64, 6.1: x19 to x29, and the lower halves of v8 to v15. Linux gives processes addresses of 48 bits
	 * unless they ask for more. */
	{
		.cpu = &tl_cpu_aarch64,
		.program_counter = 32,
		.stack_pointer = 31,
		.frame_pointer = 29,
		.link_register = 30,
		.preserved = {(tl_u64)0x3ff80000, 0xff00},
		.address_bits = 48,
		.trampoline = aarch64_trampoline,
		.trampoline_size = sizeof(aarch64_trampoline),
		.trampoline_call = 4,
		.saved = aarch64_saved,
		.saved_count = sizeof(aarch64_saved),
		.link_slot = 1,
	},
};

const struct tl_calling_convention *tl_calling_convention(const struct tl_cpu *cpu)
{
	for (tl_size i = 0; i < TL_COUNT(conventions); i++)
		/* There is a description of 64-bit Arm for each length of its vectors. */
		if (conventions[i].cpu == cpu ||
		    (conventions[i].cpu == &tl_cpu_aarch64 && tl_text_equal(cpu->name, tl_cpu_aarch64.name)))
			return &conventions[i];
	return NULL;
}

/* Takes a byte under a mask. */
static bool accept(struct tl_cursor *cursor, tl_u8 mask, tl_u8 byte)
{
	int next = tl_cursor_peek(cursor);

	return next >= 0 && (next & mask) == byte && tl_cursor_byte(cursor) == (tl_u8)next;
}

/* Takes an instruction of two bytes and an operand that counts for nothing here. */
static bool skip_instruction(struct tl_cursor *cursor, tl_u8 first, tl_u8 second, tl_size operand)
{
	struct tl_cursor at = *cursor;

	if (!accept(&at, 0xff, first) || !accept(&at, 0xff, second) || tl_cursor_left(&at) < operand)
		return false;
	(void)tl_cursor_take(&at, operand);
	*cursor = at;
	return true;
}

/*
 * What aligns the stack of x86 in front of the frame: the arguments' address into a register, which may have been saved
 * first; the alignment; the return address once more. Registers are not compared with one another.
 *
 *     [push %R]  lea N(%rsp), %R   and $-A, %rsp   push -WORD(%R)
 */
static void skip_alignment(struct tl_cursor *cursor, bool wide)
{
	struct tl_cursor at = *cursor;

	/* A prefix for one of the upper registers. */
	if (wide)
		(void)accept(&at, 0xff, 0x41);
	(void)accept(&at, 0xf8, 0x50);
	if ((wide && !accept(&at, 0xfb, 0x48)) || !accept(&at, 0xff, 0x8d) || !accept(&at, 0xc7, 0x44) ||
	    !accept(&at, 0xff, 0x24))
		return;
	(void)tl_cursor_byte(&at);
	if (wide && !accept(&at, 0xff, 0x48))
		return;
	if (!skip_instruction(&at, 0x83, 0xe4, 1) && !skip_instruction(&at, 0x81, 0xe4, 4))
		return;
	if (wide)
		(void)accept(&at, 0xff, 0x41);
	if (accept(&at, 0xff, 0xff) && accept(&at, 0xf8, 0x70) && accept(&at, 0xff, wide ? 0xf8 : 0xfc) && !at.failed)
		*cursor = at;
}

/* Room for variables, then pushes of registers: `sub $N, %esp` or `lea -N(%esp), %esp`, at most 8 times `push %R`. */
static void skip_room(struct tl_cursor *cursor)
{
	if (!skip_instruction(cursor, 0x83, 0xec, 1) && !skip_instruction(cursor, 0x81, 0xec, 4))
		(void)skip_instruction(cursor, 0x8d, 0x64, 2);
	for (unsigned i = 0; i < 8 && accept(cursor, 0xf8, 0x50); i++)
		;
}

tl_size tl_frame_setup_size(const struct tl_cpu *cpu, const tl_u8 *bytes, tl_size size)
{
	const struct tl_calling_convention *convention = tl_calling_convention(cpu);
	struct tl_cursor cursor = tl_cursor_make(bytes, size);

	if (convention == NULL || convention->push == NULL)
		return 0;
	(void)tl_cursor_accept_text(&cursor, convention->landing);
	skip_alignment(&cursor, cpu->address_size == 8);
	if (!tl_cursor_accept_text(&cursor, convention->push))
		return 0;
	if (!tl_cursor_accept_text(&cursor, convention->moves[0]) &&
	    !tl_cursor_accept_text(&cursor, convention->moves[1]))
		return 0;
	if (convention->setup_goes_on)
		skip_room(&cursor);
	return (tl_size)(cursor.at - bytes);
}
