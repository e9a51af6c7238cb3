/*
 * Where an x86 processor goes for an interrupt or exception: the gates of the interrupt descriptor table in each mode.
 * Intel SDM volume 3, chapter 6.10 to 6.14, and 20.1.4 for real mode. Pure: registers and memory are handed in.
 */
#ifndef TL_CORE_CPU_X86_GATE_H
#define TL_CORE_CPU_X86_GATE_H

#include "core/cpu/cpu.h"

struct tl_x86_gate {
	tl_u64 address;   /* linear, of the handler's first instruction */
	tl_u8 vector;     /* which exception leads there */
	tl_u8 width;      /* bytes of each word that the processor pushes: 2, 4 or 8 */
	bool error_code;  /* one is pushed on top of them, for exceptions; INT n pushes none */
	bool keeps_flags; /* a trap gate: interrupts stay as they were */
};

/*
 * The gate of a vector with the registers of banks 0 and 2; `memory` takes linear addresses, and reads as the
 * processor itself does. TL_ERROR_MEMORY when the table cannot be read, TL_ERROR_UNSUPPORTED for what is no interrupt
 * or trap gate (a task gate, one that is not present). Any thread.
 */
enum tl_status tl_x86_gate_read(const tl_u8 *file, const struct tl_memory_access *memory, tl_u8 vector,
				struct tl_x86_gate *gate_ret);

/* How far above the stack pointer the flags lie when the first instruction of the handler is about to run. */
tl_u8 tl_x86_gate_flags_offset(const struct tl_x86_gate *gate);

#endif
