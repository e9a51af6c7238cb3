/*
 * What unwinding has to know of a CPU besides its registers: which registers a function must leave as they were, where
 * a return address is, and what the kernel saves for a signal handler. One table for each struct tl_cpu.
 */
#ifndef TL_SYMBOLS_CALLING_CONVENTION_H
#define TL_SYMBOLS_CALLING_CONVENTION_H

#include "core/cpu/cpu.h"
#include "core/types.h"

struct tl_calling_convention {
	const struct tl_cpu *cpu;
	/* DWARF numbers. */
	tl_u8 program_counter, stack_pointer, frame_pointer;
	tl_u8 link_register; /* that a call leaves the return address in; program_counter: it goes onto the stack */
	/* Bit n of the pair of words: a function leaves register n as it was. */
	tl_u64 preserved[2];
	tl_u8 address_bits; /* those that an address of code uses; the others may carry an authentication code */
	/* The code of a signal trampoline without call frame information, and where behind the stack pointer the kernel
	 * saved register n, as a multiple of a word; 0: nowhere. NULL: not known. */
	const tl_u8 *trampoline;
	tl_u8 trampoline_size;
	tl_u8 trampoline_call; /* the offset in it of the system call, at which a thread may stand, too */
	const tl_u8 *saved;
	tl_u8 saved_count;
	tl_i8 link_slot; /* where from the frame pointer the return address is saved, in words; the caller's frame
			    pointer is a word below it. 0 where calls put the address on the stack */
	/* How functions set up a frame pointer: the instructions that may stand first, then the push, then the move. */
	const char *landing, *push, *moves[2]; /* NULL: calls leave their address in a register */
	/* It may be followed by room for variables and by pushes of registers that belong to the setting up (as gdb has
	 * it for i386). */
	bool setup_goes_on;
};

/* NULL for a CPU of which nothing is known. Constant; any thread. */
const struct tl_calling_convention *tl_calling_convention(const struct tl_cpu *cpu);

/*
 * How many bytes at the start of a function set up its frame pointer: push and move, behind a landing instruction and
 * the alignment of the stack if there are such. 0 when it does not begin so. For tl_line_behind_prologue: `start` plus
 * this is where gdb looks, too.
 */
tl_size tl_frame_setup_size(const struct tl_cpu *cpu, const tl_u8 *bytes, tl_size size);

/* An address of code without the authentication code that the bits above it may carry; bit 55 tells which half it is
 * in. */
static inline tl_u64 tl_code_address(const struct tl_calling_convention *convention, tl_u64 address)
{
	tl_u64 above = convention->address_bits < 64 ? ~(tl_u64)0 << convention->address_bits : 0;

	if (convention->address_bits <= 32)
		return address & ~above;
	return (address >> 55 & 1) != 0 ? address | above : address & ~above;
}

/* Does a function leave register `number` as it was? */
static inline bool tl_preserved(const struct tl_calling_convention *convention, unsigned number)
{
	return number < 128 && (convention->preserved[number / 64] >> number % 64 & 1) != 0;
}

#endif
