/*
 * What the process target remembers of x86 (state.h, cpu.h). 64-bit programs and 32-bit ones under a 64-bit kernel;
 * this program itself is always a 64-bit one.
 */
#ifndef TL_TARGETS_PROCESS_X86_STATE_H
#define TL_TARGETS_PROCESS_X86_STATE_H

#include "core/cpu/x86_debug.h"
#include "core/cpu/x86_xsave.h"

/* Of a thread: what its debug registers hold. */
struct cpu_thread {
	tl_u64 debug_address[TL_X86_DEBUG_REGISTERS];
	tl_u64 debug_control;
};

/* Of a process: the hardware points of all its threads. */
struct cpu_process {
	struct tl_x86_debug_plan plan;
};

/* Of the machine. */
struct cpu_machine {
	tl_u32 features; /* for 64-bit programs */
	bool has_xsave;
	struct tl_x86_xsave layout; /* of the extended state, where has_xsave is false of its legacy region */
	tl_size xstate_size;
	tl_u8 *xstate; /* room for one extended state */
};

/* Room for an instruction's way to and from a copy: what a relative jump of 32 bits can span, less a margin. */
#define CPU_JUMP_REACH 0x7ff00000ull
/* The highest address that a program can have, less what the kernel keeps free. */
#define CPU_HIGHEST 0x7ffffffff000ull

/* Instructions may begin at any byte. */
#define CPU_CODE_ALIGNMENT 1
/* Of a struct user_regs_struct. */
#define CPU_PROGRAM_COUNTER(general) ((tl_u64)(general).rip)

#endif
