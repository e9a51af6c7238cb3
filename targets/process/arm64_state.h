/*
 * What the process target remembers of arm64 (state.h, cpu.h). 64-bit programs; this program itself is one.
 */
#ifndef TL_TARGETS_PROCESS_ARM64_STATE_H
#define TL_TARGETS_PROCESS_ARM64_STATE_H

#include "core/cpu/arm64_debug.h"
#include "core/cpu/arm64_decode.h"
#include "core/cpu/cpu.h"
#include "core/engine/target.h"

/*
 * How a thread goes where the kernel's own ways do not do. A breakpoint of hardware is told again and again until it is
 * taken away for the one instruction, and so is a watchpoint, whose access comes after the exception. Nothing may come
 * between a load-exclusive and its store: the thread then runs to breakpoints of its own at the sequence's ends.
 */
struct arm64_way {
	bool on;          /* anything of this holds */
	bool past_break;  /* the breakpoint at `at` is not armed */
	bool past_access; /* no watchpoint is armed: the access that was told of is being done */
	bool step;        /* the machine steps once */
	bool unit;        /* it runs to one of the ends of `sequence` */
	bool again;       /* its store-exclusive has failed: it steps back to the load, all points armed */
	bool is_store;    /* what is watched is the store of `sequence`, which counts if it has stored */
	bool call;        /* a system call instruction stands at `at` */
	tl_u8 steps;      /* with `again`: how many it has made */
	tl_u64 at;
	struct tl_arm64_sequence sequence;
};

/* Of a thread. */
struct cpu_thread {
	struct tl_arm64_debug_plan armed; /* what its debug registers hold */
	struct arm64_way way;             /* how it goes, once it goes */
	struct arm64_way was;             /* how it was going when it stopped */
	bool over;                        /* it was to pass the hardware breakpoint at `over_at` */
	tl_u64 over_at;
	/* The access that it met, told when it is done. */
	struct tl_hit hits[TL_HITS_MAX];
	tl_u8 hit_count;
	tl_u8 unstored_stops; /* how many more stops `unstored` outlives */
	tl_u64 unstored;      /* the store-exclusive that was to make it and has failed; 0: none */
	tl_u64 unstored_address;
};

/* Of a process: the hardware points of all its threads, and what its registers are like. */
struct cpu_process {
	struct tl_arm64_debug_plan plan;
	const struct tl_cpu *description; /* set by describe() */
};

/* Of the machine. */
struct cpu_machine {
	tl_u32 features; /* but for the vectors' */
	bool has_sve, has_sme;
	bool counted; /* how many debug registers there are is known */
	tl_u8 break_count, watch_count;
	tl_u8 *vectors; /* room for one thread's scalable vectors as the kernel hands them out */
	tl_size vectors_size;
};

/* Room for an instruction's way back from a copy: what a jump can span, less a margin. */
#define CPU_JUMP_REACH 0x7c00000ull
/* The highest address that a program can have unless it asks for more, less what the kernel keeps free. */
#define CPU_HIGHEST 0xfffffffff000ull
#define CPU_CODE_ALIGNMENT 4
/* Of a struct user_regs_struct. */
#define CPU_PROGRAM_COUNTER(general) ((tl_u64)(general).pc)

#endif
